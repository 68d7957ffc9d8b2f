//! Doing what is due: the steps of waiting sign-offs, the lapse of grants (rule 4).
//!
//! Several desks may do it at once. A step is performed by whatever command comes first; this only makes
//! it prompt.

use super::{Desk, DeskError};
use crate::escalation::{Actor, Applied, Command, Principal, Role};
use crate::store::write;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stepped {
    /// How many escalations were touched.
    pub escalations: usize,
    /// How many of them ended.
    pub ended: usize,
    /// Those that could not be touched, and why; they are tried again, and others are not kept from it.
    pub failed: Vec<(String, String)>,
    /// Whether nothing was done because the clock is suspect.
    pub is_suspended: bool,
}

impl Desk {
    /// Performs what is due, of at most so many escalations, in one transaction.
    ///
    /// # Errors
    /// When the store fails.
    pub fn run_due(&self, limit: u32) -> Result<Stepped, DeskError> {
        let desk = self.clone();
        let all = write(self.inner.store.as_ref(), move |transaction| {
            let reading = desk.inner.watch.judge(transaction.wall()?);
            let mut stepped = Stepped::default();
            if !reading.is_confirmed {
                stepped.is_suspended = true;
                return Ok(stepped);
            }
            for id in transaction.due(reading.at, limit)? {
                if let Some(stored) = transaction.lock(&id)? {
                    let applied = desk.apply_in(transaction, &stored, &Command::Tick, &engine())?;
                    stepped.count(&applied, stored.escalation.is_pending());
                }
            }
            Ok(stepped)
        });
        match all {
            Ok(stepped) => Ok(stepped),
            // One that cannot be touched must not keep the others from it.
            Err(_) => self.run_each(limit),
        }
    }

    fn run_each(&self, limit: u32) -> Result<Stepped, DeskError> {
        let desk = self.clone();
        let due = write(self.inner.store.as_ref(), move |transaction| {
            let reading = desk.inner.watch.judge(transaction.wall()?);
            match reading.is_confirmed {
                true => transaction.due(reading.at, limit),
                false => Ok(Vec::new()),
            }
        })?;
        let mut stepped = Stepped::default();
        for id in due {
            match self.act(&id, Command::Tick, engine()) {
                Ok(done) => {
                    stepped.escalations += 1;
                    stepped.ended += usize::from(!done.escalation.is_pending());
                }
                Err(error) => stepped.failed.push((id, error.to_string())),
            }
        }
        Ok(stepped)
    }
}

impl Stepped {
    fn count(&mut self, applied: &Applied, was_pending: bool) {
        self.escalations += 1;
        self.ended += usize::from(was_pending && !applied.after.is_pending());
    }
}

/// The desk itself, as the one who acts.
#[expect(clippy::expect_used, reason = "the name is one")]
pub(super) fn engine() -> Actor {
    Actor {
        principal: Principal::parse("laneway").expect("a name in plain letters"),
        role: Role::Engine,
        operator: None,
    }
}
