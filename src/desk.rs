//! The desk: carries every escalation from its opening to its one end.
//!
//! In: decisions that escalate, commands of people and callers, the clock. Out: what a store keeps, and
//! notices through a [`Notifier`](crate::notify::Notifier).
//! Invariant: in one transaction are the lock, the clock, the rules, the audit and the outbox (rule 14);
//! nothing is answered before it is durable; no failure ever means proceed (rule 16).
//! Knows no transport: who acts is given to it.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::clock::Timestamp;
use crate::escalation::audit::{Head, Salt, seal};
use crate::escalation::{
    Actor, Applied, Command, Context, Directory, Escalation, Policy, Record, Reply, apply,
};
use crate::limits::Limits;
use crate::store::{NewRow, Store, StoreError, Stored, TENANT, Transaction, Writing, read, write};

pub mod clock;
mod due;
mod error;
mod house;
mod open;
mod pinned;
mod restored;
mod send;
mod statistics;
mod view;
mod voices;
pub mod wire;

pub use clock::{Clock, Mark, Reading, Suspicion, SystemClock, Watch};
pub use due::Stepped;
pub use error::DeskError;
pub use house::Kept;
pub use open::{Ask, Decided, Opened};
pub use pinned::{check_again, source_of};
pub use restored::Restored;
pub use send::Sent;
pub use statistics::{Figures, Spread, Statistics};
pub use view::{Happened, Shown};
pub use voices::{Action, Consumption};

/// What an operator sets.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Who is who.
    pub directory: Directory,
    /// The bounds of escalations.
    pub policy: Policy,
    /// The bounds of events and matrices.
    pub limits: Limits,
}

/// Carries escalations.
#[derive(Debug, Clone)]
pub struct Desk {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    settings: ArcSwap<Settings>,
    watch: Watch,
    pinned: pinned::Cache,
}

/// What a command did, and what is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The escalation after it.
    pub escalation: Escalation,
    /// What is answered.
    pub reply: Reply,
}

impl Desk {
    /// A desk over a store. Its clock goes on from where the last desk's was.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(
        store: Arc<dyn Store>,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DeskError> {
        let mark = read(store.as_ref(), |transaction| transaction.setting("clock"))?;
        let mark = mark.as_deref().map(serde_json::from_str::<Mark>);
        let mark = mark.transpose().map_err(|error| {
            StoreError::corrupt(format!(
                "the last reading of the clock cannot be read: {error}"
            ))
        })?;
        let watch = Watch::new(clock, settings.policy.clock_tolerance, mark.as_ref());
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                settings: ArcSwap::from_pointee(settings),
                watch,
                pinned: pinned::Cache::default(),
            }),
        })
    }

    /// Another directory and other bounds from now on. What is pending keeps what it was opened under
    /// (rule 9), but who left has left.
    pub fn set(&self, settings: Settings) {
        self.inner.watch.tolerate(settings.policy.clock_tolerance);
        self.inner.settings.store(Arc::new(settings));
    }

    /// The directory and bounds now.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.inner.settings.load_full()
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// What is suspect about the clock; while something is, nothing times out (rule 4).
    #[must_use]
    pub fn suspicion(&self) -> Option<Suspicion> {
        self.inner.watch.suspicion()
    }

    /// The instant now, by the store's clock.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub fn now(&self) -> Result<Reading, DeskError> {
        let desk = self.clone();
        Ok(read(self.inner.store.as_ref(), move |transaction| {
            Ok(desk.inner.watch.judge(transaction.wall()?))
        })?)
    }

    /// An operator says that the clock is right.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn confirm_clock(&self) -> Result<Reading, DeskError> {
        let desk = self.clone();
        Ok(write(self.inner.store.as_ref(), move |transaction| {
            let reading = desk.inner.watch.confirm(transaction.wall()?);
            desk.mark(transaction)?;
            Ok(reading)
        })?)
    }

    /// Gives a command to an escalation.
    ///
    /// # Errors
    /// When there is no such escalation, the command is refused, or the store fails.
    pub fn act(&self, id: &str, command: Command, actor: Actor) -> Result<Done, DeskError> {
        let (desk, id) = (self.clone(), id.to_owned());
        let done = write(self.inner.store.as_ref(), move |transaction| {
            let Some(stored) = transaction.lock(&id)? else {
                return Ok(Err(DeskError::NotFound(id.clone())));
            };
            let applied = desk.apply_in(transaction, &stored, &command, &actor)?;
            // A refusal is committed too: it is audited (rule 6).
            Ok(Ok(applied))
        })?;
        done_of(done?)
    }

    /// Rule 14, from the clock to the outbox; the escalation is locked already.
    fn apply_in(
        &self,
        transaction: &mut dyn Transaction,
        stored: &Stored,
        command: &Command,
        actor: &Actor,
    ) -> Result<Applied, StoreError> {
        let settings = self.settings();
        let reading = self.inner.watch.judge(transaction.wall()?);
        let context = Context {
            now: reading.at,
            is_confirmed: reading.is_confirmed,
            directory: &settings.directory,
            policy: &settings.policy,
        };
        let applied = apply(&stored.escalation, command, actor, context);
        if applied.changes() {
            put(transaction, Some(stored), &applied)?;
        }
        Ok(applied)
    }

    /// Keeps the last confirmed reading.
    fn mark(&self, transaction: &mut dyn Transaction) -> Result<(), StoreError> {
        let Some(mark) = self.inner.watch.mark() else {
            return Ok(());
        };
        let text =
            serde_json::to_string(&mark).map_err(|error| StoreError::other(error.to_string()))?;
        transaction.put_setting("clock", &text)
    }
}

fn done_of(applied: Applied) -> Result<Done, DeskError> {
    match applied.answer {
        Ok(reply) => Ok(Done {
            escalation: applied.after,
            reply,
        }),
        Err(refusal) => Err(DeskError::Refused(Box::new(refusal))),
    }
}

/// Writes what was done, with its audit rows and notices.
fn put(
    transaction: &mut dyn Transaction,
    stored: Option<&Stored>,
    applied: &Applied,
) -> Result<(), StoreError> {
    let it = &applied.after;
    let rows = rows(stored, it, &applied.records, applied.at)?;
    transaction.put(&Writing {
        before: stored.map(|stored| &stored.escalation),
        after: it,
        rows: &rows,
        notices: &applied.notices,
    })
}

/// The next rows of an audit chain (rule 15).
fn rows(
    stored: Option<&Stored>,
    it: &Escalation,
    records: &[Record],
    at: Timestamp,
) -> Result<Vec<NewRow>, StoreError> {
    let mut head = Head::start(TENANT, &it.pinned.id);
    if let Some(stored) = stored {
        head.n = stored.n;
        head.hash = stored.head;
    }
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let salt = salt()?;
        let body = record.body.to_string();
        // The store gives the row its position.
        let row = head.next(0, at, record.kind.as_str(), seal(salt, &body));
        head = row.head();
        rows.push(NewRow { row, salt, body });
    }
    Ok(rows)
}

fn salt() -> Result<Salt, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::other(format!("no random bytes are to be had: {error}")))?;
    Ok(Salt(bytes))
}

/// A new id: ordered by time, and not to be guessed.
fn new_id(at: Timestamp) -> String {
    let seconds = u64::try_from(at.timestamp()).unwrap_or(0);
    let at = uuid::Timestamp::from_unix_time(seconds, at.timestamp_subsec_nanos(), 0, 0);
    uuid::Uuid::new_v7(at).simple().to_string()
}
