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
use crate::cli::shell::Shell;
use crate::clock::Timestamp;
use crate::desk::{self, Clock, Stepped, SystemClock};
use crate::engine::{self, Wanted};
use crate::escalation::{Actor, Principal};
use crate::files::config::{self, Config};
use crate::words::moment;

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

impl Desk {
    /// Opens the store of the options, with the configuration beside a matrix if there is one.
    pub(super) fn open(
        common: &Common,
        folder: Option<&Path>,
        shell: &Shell,
    ) -> Result<Self, Trouble> {
        let (desk, config) = open_desk(common, folder, shell, Wanted::There)?;
        let is_demo = engine::is_demo(desk.store().as_ref())?;
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
    stand_still(&desk, engine::is_demo(desk.store().as_ref())?, shell)?;
    Ok(desk)
}

/// A desk over the store of a matrix; nobody acts at it.
pub(in crate::cli) fn open_beside(
    matrix: Option<&Path>,
    common: &Common,
    shell: &Shell,
) -> Result<desk::Desk, Trouble> {
    let root = matrix.map(crate::files::Root::open).transpose()?;
    let folder = root.as_ref().and_then(crate::files::Root::folder);
    Ok(open_desk(common, folder, shell, Wanted::Either)?.0)
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
    let store = engine::open_store(&place, &clock, wanted)?;
    let settings = engine::settings(&config);
    Ok((desk::Desk::new(store, settings, clock)?, config))
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
