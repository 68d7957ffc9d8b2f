//! Sending what waits in the outbox, at least once each (rules 12 and 15).
//!
//! In: notices that are due. Out: to a notifier, and what came of it.
//! Invariant: a notice is tried over days; a step of which nobody was told is acted on long before, and once.
//! Knows no channel.

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::due::engine;
use super::{Desk, DeskError};
use crate::clock::Timestamp;
use crate::escalation::{About, Command, Recipient};
use crate::hex;
use crate::limits::{NOTICE_LEASE, NOTICE_RETRIES, NOTICE_TRIES_UNTOLD};
use crate::notify::{Notifier, NotifyError, Told, Try};
use crate::store::{
    Attempt, AttemptOutcome, Delivery, Entry, EntryKind, Posted, StoreError, Stored, Transaction,
    bounded, write,
};

/// For how long it is remembered that nobody was told of a step.
const UNTOLD_KEPT: TimeDelta = TimeDelta::days(31);

/// What came of a round of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// Taken by their channels.
    pub sent: usize,
    /// To be tried again.
    pub retried: usize,
    /// Given up.
    pub failed: usize,
}

impl Desk {
    /// Sends at most so many notices that are due.
    ///
    /// # Errors
    /// When the store fails.
    pub fn send(&self, notifier: &dyn Notifier, limit: u32) -> Result<Sent, DeskError> {
        let desk = self.clone();
        let posted = write(self.inner.store.as_ref(), move |transaction| {
            // A wall clock that jumped sends a notice early or late, and decides nothing.
            let now = desk.inner.watch.judge(transaction.wall()?).at;
            let until = now + NOTICE_LEASE.to_chrono();
            let mut due = Vec::new();
            for mut it in transaction.take_notices(now, until, limit)? {
                if it.attempts > 0 {
                    if asks_in_vain(transaction, &it)? {
                        transaction.note_delivery(&it.notice.id, &Delivery::Sent(now))?;
                        continue;
                    }
                    // A retry asks only the channels that did not take it before.
                    it.taken = transaction.taken_by(&it.notice.id)?;
                }
                due.push(it);
            }
            Ok(due)
        })?;
        let mut sent = Sent::default();
        for posted in posted {
            self.send_one(notifier, &posted, &mut sent)?;
        }
        Ok(sent)
    }

    fn send_one(
        &self,
        notifier: &dyn Notifier,
        posted: &Posted,
        sent: &mut Sent,
    ) -> Result<(), DeskError> {
        let told = notifier.send(posted, &self.settings().directory);
        let now = self.now()?.at;
        let delivery = delivery(posted, &told, now);
        let attempts = told.tries.iter().map(|it| attempt(posted, it, now));
        let attempts: Vec<Attempt> = attempts.collect();
        match &delivery {
            Delivery::Sent(_) => sent.sent += 1,
            Delivery::Retry(..) => sent.retried += 1,
            Delivery::Failed(..) => sent.failed += 1,
        }
        let (desk, posted) = (self.clone(), posted.clone());
        write(self.inner.store.as_ref(), move |transaction| {
            // Locked first: of two who note the last failures one sees both. What follows from them is noted
            // with them, or a crash in between would lose it.
            let stored = match is_untold(&posted, &delivery) {
                true => transaction.lock(&posted.escalation)?,
                false => None,
            };
            for attempt in &attempts {
                transaction.put_attempt(attempt)?;
            }
            transaction.note_delivery(&posted.notice.id, &delivery)?;
            let Some(stored) = stored else {
                return Ok(());
            };
            // Of one step: the notices whose ids differ only in the person.
            let step = posted
                .notice
                .id
                .rsplit_once('/')
                .map_or("", |(step, _)| step);
            if transaction.all_failed(step)? && is_first(transaction, step, now)? {
                desk.nobody_was_told(transaction, &posted, &stored)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Sends a notice again, by every channel of its recipient, that was sent or given up. Whether it was
    /// there, and does not wait anyway. Whoever calls this knows that it may be done.
    ///
    /// # Errors
    /// When the store fails.
    pub fn redeliver(&self, notice: &str) -> Result<bool, DeskError> {
        let (desk, id) = (self.clone(), notice.to_owned());
        Ok(write(self.inner.store.as_ref(), move |transaction| {
            let now = desk.inner.watch.judge(transaction.wall()?).at;
            transaction.redeliver(&id, now)
        })?)
    }

    /// Rule 12: all sends of a step failed. A notice of several sign-offs names no lane.
    fn nobody_was_told(
        &self,
        transaction: &mut dyn Transaction,
        posted: &Posted,
        stored: &Stored,
    ) -> Result<(), StoreError> {
        let waiting = stored
            .escalation
            .sign_offs
            .iter()
            .filter(|it| it.is_waiting());
        let lanes = waiting.map(|it| it.plan.lane.clone());
        let lanes = lanes.filter(|lane| posted.notice.lane.as_ref().is_none_or(|its| its == lane));
        let lanes: Vec<String> = lanes.collect();
        for lane in lanes {
            // It may have ended by what was done for the lane before.
            if let Some(stored) = transaction.lock(&posted.escalation)? {
                let command = Command::Undelivered { lane };
                self.apply_in(transaction, &stored, &command, &engine())?;
            }
        }
        Ok(())
    }
}

/// Whether a retry would ask somebody to decide what has ended: then it is over, and nothing has failed. One
/// that stands for several may be about another that is open.
fn asks_in_vain(transaction: &mut dyn Transaction, posted: &Posted) -> Result<bool, StoreError> {
    let is_asking = matches!(posted.notice.about, About::Asked | About::Reminded);
    if !is_asking || posted.count > 1 {
        return Ok(false);
    }
    let stored = transaction.get(&posted.escalation)?;
    Ok(stored.is_some_and(|it| !it.escalation.is_pending()))
}

/// Whether somebody is not told: it was given up, or tried in vain so often that nobody should wait for it.
fn is_untold(posted: &Posted, delivery: &Delivery) -> bool {
    let is_asked = !matches!(posted.notice.to, Recipient::Caller(_));
    is_asked
        && match delivery {
            Delivery::Sent(_) => false,
            Delivery::Retry(..) => posted.attempts + 1 >= NOTICE_TRIES_UNTOLD,
            Delivery::Failed(..) => true,
        }
}

/// Whether it is the first time that nobody was told of a step. That is remembered for longer than any
/// notice is tried.
fn is_first(
    transaction: &mut dyn Transaction,
    step: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    // A step is named by a lane, whose name may be longer than a key.
    let hash = Sha256::digest(step.as_bytes());
    let key = hex::of(&hash);
    let kind = EntryKind::Untold;
    if transaction.entry(kind, &key)?.is_some() {
        return Ok(false);
    }
    let entry = Entry {
        kind,
        key,
        owner: String::new(),
        until: Some(now + UNTOLD_KEPT),
        body: "{}".to_owned(),
    };
    transaction.put_entry(&entry)?;
    Ok(true)
}

/// What follows from what came of it. Whom one channel told is told, whatever the others do.
fn delivery(posted: &Posted, told: &Told, now: Timestamp) -> Delivery {
    let is_taken = !posted.taken.is_empty() || told.tries.iter().any(|it| it.result.is_ok());
    let (why, again) = match &told.result {
        Ok(()) => return Delivery::Sent(now),
        Err(NotifyError::Later(why)) => (why, again_at(posted.attempts, now)),
        Err(NotifyError::Never(why)) => (why, None),
    };
    match again {
        Some(at) => Delivery::Retry(at, bounded(why)),
        None if is_taken => Delivery::Sent(now),
        None => Delivery::Failed(now, bounded(why)),
    }
}

/// What is kept of asking one channel.
fn attempt(posted: &Posted, it: &Try, now: Timestamp) -> Attempt {
    let attempt = Attempt::sent(posted, &it.channel, now, it.took);
    match &it.result {
        Ok(()) => attempt,
        Err(NotifyError::Later(why)) => attempt.but(AttemptOutcome::Later, why),
        Err(NotifyError::Never(why)) => attempt.but(AttemptOutcome::Never, why),
    }
}

/// When it is tried again; `None` when it was often enough.
fn again_at(attempts: u32, now: Timestamp) -> Option<Timestamp> {
    let wait = NOTICE_RETRIES.get(attempts as usize)?;
    now.checked_add_signed(TimeDelta::seconds(i64::from(*wait)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escalation::{Notice, Principal};

    fn posted(attempts: u32) -> Posted {
        Posted {
            notice: Notice {
                id: "e/asked/ann".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                to: Recipient::Person(Principal::parse("ann").unwrap()),
                lane: None,
                about: About::Asked,
                merge: None,
            },
            escalation: "e".to_owned(),
            attempts,
            count: 1,
            taken: Vec::new(),
        }
    }

    #[test]
    fn a_notice_is_tried_over_days_and_then_given_up() {
        let busy = Err(NotifyError::Later("busy".to_owned()));
        let told = Told::by("log".to_owned(), busy);
        let mut now = Timestamp::UNIX_EPOCH;
        let mut attempts = 0;
        while let Delivery::Retry(at, _) = delivery(&posted(attempts), &told, now) {
            assert!(at > now);
            now = at;
            attempts += 1;
            let is_late = now - Timestamp::UNIX_EPOCH >= TimeDelta::minutes(17);
            let next = delivery(&posted(attempts), &told, now);
            assert_eq!(is_untold(&posted(attempts), &next), is_late, "{attempts}");
        }
        let days = (now - Timestamp::UNIX_EPOCH).num_days();
        assert!((3..=7).contains(&days), "{days}");
        let last = delivery(&posted(attempts), &told, now);
        assert!(matches!(last, Delivery::Failed(at, _) if at == now));
        // Whom one channel told is told, and untold by nothing.
        let mut told_once = posted(attempts);
        told_once.taken = vec!["log".to_owned()];
        let last = delivery(&told_once, &told, now);
        assert!(matches!(last, Delivery::Sent(_)) && !is_untold(&told_once, &last));
    }
}
