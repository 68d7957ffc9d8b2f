//! Where escalations are, and who acts on them: what every command begins with.
//!
//! In: the options, `laneway.toml`. Out: a [`Desk`] over the store, with who acts.
//! Invariant: `--now` and `--as` have no effect on a store that was not made for demonstrations: they
//! would forge who did what, and when. A suspect clock is said.

use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;

use super::clock::Still;
use super::trouble::Trouble;
use super::{Common, Format, who};
use crate::cli::screen::moment;
use crate::cli::shell::Shell;
use crate::clock::Timestamp;
use crate::desk::{self, Clock, Settings, Stepped, SystemClock};
use crate::escalation::{Actor, Principal};
use crate::files::config::{self, Config};
use crate::store::{self, SqliteOptions, SqliteStore, Store};

/// The setting of a store that was made for demonstrations.
const DEMO: &str = "demo";

/// The setting of a store that `init` made.
const MADE: &str = "made";

/// Escalations of one transaction, and notices of one round.
pub(super) const AT_ONCE: u32 = 100;

/// A desk, and who stands at it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) desk: desk::Desk,
    pub(super) actor: Actor,
    pub(super) config: Config,
    pub(super) format: Format,
}

/// Whether a store has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// It must be there.
    There,
    /// It must not be there, and is made.
    New,
}

impl Desk {
    /// Opens the store of the options, with the configuration beside a matrix if there is one.
    pub(super) fn open(
        common: &Common,
        folder: Option<&Path>,
        shell: &Shell,
    ) -> Result<Self, Trouble> {
        let (desk, config) = open_desk(common, folder, shell, Wanted::There)?;
        let is_demo = is_demo(&desk)?;
        stand_still(&desk, is_demo, shell)?;
        let directory = &desk.settings().directory;
        let me = who::myself(directory)?;
        let actor = match &common.as_person {
            None => who::actor(me, None, directory),
            Some(person) if is_demo || config.local.allow_as => {
                who::actor(Principal::parse(person)?, Some(me), directory)
            }
            Some(_) => {
                let message = "`--as` acts as somebody else, so it needs a store that was made \
                     with `init --demo`, or `allow_as = true` under `[local]` of laneway.toml";
                return Err(Trouble::refused("as", message));
            }
        };
        say_suspicion(&desk, shell)?;
        Ok(Self {
            desk,
            actor,
            config,
            format: common.format,
        })
    }

    /// The zone of a pinned matrix; that of the world where it cannot be read.
    pub(super) fn zone(&self, matrix: &str) -> Tz {
        self.desk.pinned(matrix).map_or(Tz::UTC, |it| it.zone)
    }

    /// Ends a command that wrote: what is due, of so many escalations, and what is to be done from time to
    /// time is done without a service too.
    pub(super) fn keep_house(&self, shell: &Shell) {
        match self.desk.run_due(AT_ONCE) {
            Ok(stepped) => untouched(&stepped, shell),
            Err(error) => {
                let word = shell.error_paint.warn("warning");
                shell.tell(&format!("{word}: what is due could not be done: {error}"));
            }
        }
        self.tend(shell);
    }

    /// What is to be done from time to time. The command itself is done: what fails here is a warning.
    pub(super) fn tend(&self, shell: &Shell) {
        if let Err(error) = self.desk.keep_house() {
            let word = shell.error_paint.warn("warning");
            shell.tell(&format!("{word}: the store could not be tended: {error}"));
        }
    }

    /// Refuses who is no operator.
    pub(super) fn only_operators(&self) -> Result<(), Trouble> {
        match self.actor.role {
            crate::escalation::Role::Anyone => Err(Trouble::refused(
                "not_permitted",
                format!(
                    "`{}` is no operator; `operators` under `[roles]` of laneway.toml says who is",
                    self.actor.principal
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// Says which escalations could not be touched.
pub(super) fn untouched(stepped: &Stepped, shell: &Shell) {
    for (id, why) in &stepped.failed {
        let word = shell.error_paint.bad("error");
        shell.tell(&format!("{word}: escalation {id} cannot be touched: {why}"));
    }
}

/// A desk for who reads and pins the audit; nobody acts at it.
pub(in crate::cli) fn open_for_audit(
    common: &Common,
    shell: &Shell,
) -> Result<desk::Desk, Trouble> {
    let (desk, _) = open_desk(common, None, shell, Wanted::There)?;
    stand_still(&desk, is_demo(&desk)?, shell)?;
    Ok(desk)
}

/// A desk over the store of the options.
pub(super) fn open_desk(
    common: &Common,
    folder: Option<&Path>,
    shell: &Shell,
    wanted: Wanted,
) -> Result<(desk::Desk, Config), Trouble> {
    let config = shell.config_beside(folder)?;
    let place = match &common.store {
        Some(text) => config::Store::parse(text)
            .map_err(|error| Trouble::unusable("store", error.to_string()))?,
        None => config.escalations.store.clone(),
    };
    let clock: Arc<dyn Clock> = match shell.still() {
        Some(at) => Arc::new(Still(at)),
        None => Arc::new(SystemClock::new()),
    };
    let store = open_store(&place, &clock, wanted)?;
    let settings = Settings {
        directory: config.people.clone(),
        policy: config.escalations.policy.clone(),
        limits: config.limits.clone(),
    };
    Ok((desk::Desk::new(store, settings, clock)?, config))
}

/// The store at a place.
fn open_store(
    place: &config::Store,
    clock: &Arc<dyn Clock>,
    wanted: Wanted,
) -> Result<Arc<dyn Store>, Trouble> {
    match place {
        config::Store::File(path) => open_file(path, clock, wanted),
        config::Store::Postgres(url) => open_database(url),
    }
}

/// Its clock is that of its server.
#[cfg(feature = "postgres")]
fn open_database(url: &str) -> Result<Arc<dyn Store>, Trouble> {
    let options = crate::store::PostgresOptions::default();
    Ok(Arc::new(crate::store::PostgresStore::open(url, options)?))
}

#[cfg(not(feature = "postgres"))]
fn open_database(_: &str) -> Result<Arc<dyn Store>, Trouble> {
    Err(Trouble::unusable(
        "no_postgres",
        "the store is a PostgreSQL database, and this program was built without the feature \
         `postgres`",
    ))
}

fn open_file(
    path: &Path,
    clock: &Arc<dyn Clock>,
    wanted: Wanted,
) -> Result<Arc<dyn Store>, Trouble> {
    let name = crate::files::shown(path);
    match (wanted, path.exists()) {
        (Wanted::There, false) => {
            let message =
                format!("there is no store `{name}`; `laneway escalations init` makes one");
            return Err(Trouble::unusable("no_store", message));
        }
        (Wanted::New, true) => {
            let message = format!("`{name}` is there already");
            return Err(Trouble::unusable("store_exists", message));
        }
        _ => {}
    }
    let clock = Arc::clone(clock);
    let options = SqliteOptions::new(Arc::new(move || clock.wall()));
    Ok(Arc::new(SqliteStore::open(path, options)?))
}

/// Notes that a store was made, and whether for demonstrations: only at its beginning, since in what is
/// in use nobody may begin to act as another person.
pub(super) fn make(desk: &desk::Desk, is_demo: bool) -> Result<(), Trouble> {
    let is_made = store::write(desk.store().as_ref(), move |transaction| {
        let is_new = transaction.setting(MADE)?.is_none()
            && transaction.setting(DEMO)?.is_none()
            && transaction.rows(0, 1)?.is_empty();
        if is_new {
            transaction.put_setting(MADE, "yes")?;
            if is_demo {
                transaction.put_setting(DEMO, "yes")?;
            }
        }
        Ok(is_new)
    })?;
    match is_made {
        true => Ok(()),
        false => {
            let message = "the store is in use already; only a new one is made";
            Err(Trouble::unusable("store_exists", message))
        }
    }
}

fn is_demo(desk: &desk::Desk) -> Result<bool, Trouble> {
    let store = desk.store().as_ref();
    let demo = store::read(store, |transaction| transaction.setting(DEMO))?;
    Ok(demo.is_some())
}

/// `--now`: the instant counts, if it may.
pub(super) fn stand_still(desk: &desk::Desk, is_demo: bool, shell: &Shell) -> Result<(), Trouble> {
    let Some(wanted) = shell.still() else {
        return Ok(());
    };
    if !is_demo {
        let message = "`--now` would put an instant into the audit that is not true, so it needs a \
             store that was made with `init --demo`";
        return Err(Trouble::refused("now", message));
    }
    let counts = desk.confirm_clock()?.at;
    if counts > wanted {
        later(wanted, counts, shell);
    }
    Ok(())
}

fn later(wanted: Timestamp, counts: Timestamp, shell: &Shell) {
    let word = shell.error_paint.warn("warning");
    let (wanted, counts) = (moment(wanted, Tz::UTC), moment(counts, Tz::UTC));
    shell.tell(&format!(
        "{word}: time does not go back behind {counts}, which this store has seen; that counts, and \
         not {wanted}"
    ));
}

/// Says what is suspect about the clock, and what to do.
pub(super) fn say_suspicion(desk: &desk::Desk, shell: &Shell) -> Result<(), Trouble> {
    if desk.now()?.is_confirmed {
        return Ok(());
    }
    let word = shell.error_paint.warn("warning");
    let said = match desk.suspicion() {
        Some(it) => format!(
            "it says {} and should say {}",
            moment(it.wall, Tz::UTC),
            moment(it.expected, Tz::UTC)
        ),
        None => "it was never confirmed".to_owned(),
    };
    shell.tell(&format!(
        "{word}: the clock is suspect: {said}; nothing times out until an operator confirms it with \
         `laneway escalations confirm-clock`, or `watch` has read it twice, 30 s apart"
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    fn desk(store: &Arc<dyn Store>) -> desk::Desk {
        let clock: Arc<dyn Clock> = Arc::new(Still(Timestamp::UNIX_EPOCH));
        desk::Desk::new(Arc::clone(store), Settings::default(), clock).unwrap()
    }

    #[test]
    fn a_store_with_audit_rows_alone_is_in_use() {
        const MATRIX: &str = r#"
            matrix "M" { edition 1 otherwise escalate to ops unreadable deny }
            event call { tool: text }
            team ops { first person "o@x" }
        "#;
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(|| Timestamp::UNIX_EPOCH)));
        let loaded = crate::check_text("m.lane", MATRIX, &crate::Options::default());
        let matrix = loaded.into_matrix().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let event = br#"{"kind": "call", "tool": "sql"}"#;
        let router = crate::Router::new(Arc::clone(&matrix));
        let (decision, recorded) = router.dry_run_recording(event, now);
        let ask = desk::Ask {
            requester: Principal::parse("bot").unwrap(),
            operator: None,
            agent: None,
            key: Some("k".to_owned()),
            asks: true,
            event: event.to_vec(),
            history: Vec::new(),
        };
        let decided = desk::Decided {
            matrix,
            decision,
            recorded,
            times: crate::reference::Times::received(now),
        };
        desk(&store).open(&ask, &decided).unwrap();
        let refused = make(&desk(&store), true).unwrap_err();
        assert_eq!(refused.code(), "store_exists");
        assert!(!super::is_demo(&desk(&store)).unwrap());
    }

    /// A database is there before it is a store, so that nothing else tells a new one from one in use.
    #[test]
    fn a_store_that_is_in_use_never_becomes_one_for_demonstrations() {
        for is_demo in [false, true] {
            let store: Arc<dyn Store> =
                Arc::new(MemoryStore::new(Arc::new(|| Timestamp::UNIX_EPOCH)));
            make(&desk(&store), is_demo).unwrap();
            assert_eq!(super::is_demo(&desk(&store)).unwrap(), is_demo);
            for again in [false, true] {
                let refused = make(&desk(&store), again).unwrap_err();
                assert_eq!(refused.code(), "store_exists");
            }
            assert_eq!(super::is_demo(&desk(&store)).unwrap(), is_demo);
        }
    }
}
