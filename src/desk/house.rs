//! Keeping house: checkpoints of the audit, the reading of the clock, old keys and logs, what is to be erased.

use serde_json::json;

use super::{Desk, DeskError, put};
use crate::clock::Duration;
use crate::escalation::audit::{Checkpoint, Report, Verifier, checkpoint};
use crate::escalation::{Applied, Record, RecordKind, Reply};
use crate::limits::{ATTEMPTS_KEPT, CHECKPOINT_AFTER, CHECKPOINT_ROWS, REQUESTS_KEPT};
use crate::store::{StoreError, Tombstone, Transaction, read, write};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// The checkpoint that was made.
    pub checkpoint: Option<Checkpoint>,
    /// How many keys were dropped.
    pub requests: u64,
    /// How many notices were dropped that were sent, or could not be.
    pub notices: u64,
    /// How many entries of a service were dropped whose time was over.
    pub entries: u64,
    /// How many attempts to deliver notices were dropped.
    pub attempts: u64,
    /// Whether the database looked at its tables.
    pub looked: bool,
    /// How many escalations were erased.
    pub erased: u64,
    /// Those that could not be erased, and why.
    pub failed: Vec<(String, String)>,
}

/// Of what is old, at once.
const BATCH: u32 = 1_000;

impl Desk {
    /// Does what is to be done from time to time: every second is often enough.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keep_house(&self) -> Result<Kept, DeskError> {
        let desk = self.clone();
        let mut kept = write(self.inner.store.as_ref(), move |transaction| {
            let reading = desk.inner.watch.judge(transaction.wall()?);
            let mut kept = Kept::default();
            if reading.is_confirmed {
                desk.mark(transaction)?;
                let since = reading.at - REQUESTS_KEPT.to_chrono();
                kept.requests = transaction.drop_requests(since, BATCH)?;
                kept.notices = transaction.drop_notices(since, BATCH)?;
                kept.entries = transaction.drop_entries(reading.at, BATCH)?;
                let since = reading.at - ATTEMPTS_KEPT.to_chrono();
                kept.attempts = transaction.drop_attempts(since, BATCH)?;
            }
            Ok(kept)
        })?;
        if self.wants_checkpoint()? {
            kept.checkpoint = self.checkpoint()?;
        }
        if let Some(retain) = self.settings().policy.retain {
            self.erase_old(retain, &mut kept)?;
        }
        // The last, since nothing else depends on it.
        kept.looked = write(self.inner.store.as_ref(), |transaction| {
            transaction.look_at_tables()
        })?;
        Ok(kept)
    }

    /// Whether so much happened, or so long ago, that a checkpoint is due. Stops nobody.
    fn wants_checkpoint(&self) -> Result<bool, DeskError> {
        let desk = self.clone();
        Ok(read(self.inner.store.as_ref(), move |transaction| {
            let last = transaction.last_checkpoint()?;
            let behind = transaction.behind(last.as_ref().map_or(0, |last| last.seq))?;
            let now = desk.inner.watch.judge(transaction.wall()?).at;
            let is_old = last.is_none_or(|last| now - last.at >= CHECKPOINT_AFTER.to_chrono());
            Ok(behind.rows >= CHECKPOINT_ROWS || (behind.rows > 0 && is_old))
        })?)
    }

    fn checkpoint_in(
        &self,
        transaction: &mut dyn Transaction,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let mut last = transaction.last_checkpoint()?;
        let behind = loop {
            let behind = transaction.behind(last.as_ref().map_or(0, |last| last.seq))?;
            // Another desk may have made one while this one waited for writers; now none can.
            let newest = transaction.last_checkpoint()?;
            if newest == last {
                break behind;
            }
            last = newest;
        };
        if behind.rows == 0 {
            return Ok(None);
        }
        let now = self.inner.watch.judge(transaction.wall()?).at;
        let new = checkpoint(last.as_ref(), &behind.heads, behind.seq, behind.rows, now);
        transaction.put_checkpoint(&new)?;
        Ok(Some(new))
    }

    /// Makes a checkpoint now, if anything happened since the last one; the last one, if not.
    ///
    /// # Errors
    /// When the store fails.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>, DeskError> {
        let desk = self.clone();
        Ok(write(
            self.inner.store.as_ref(),
            move |transaction| match desk.checkpoint_in(transaction)? {
                Some(new) => Ok(Some(new)),
                None => transaction.last_checkpoint(),
            },
        )?)
    }

    /// Verifies the whole audit, also against checkpoints that were kept elsewhere.
    ///
    /// # Errors
    /// When the store cannot be read; what is wrong with the audit is in the report.
    pub fn verify(&self, kept: Vec<Checkpoint>) -> Result<Report, DeskError> {
        Ok(read(self.inner.store.as_ref(), move |transaction| {
            let mut verifier = Verifier::new(kept.clone());
            verifier.checkpoints(transaction.checkpoints()?);
            let mut seq = 0;
            loop {
                let rows = transaction.rows(seq, BATCH)?;
                let Some((last, _)) = rows.last() else {
                    return Ok(verifier.end());
                };
                seq = last.seq;
                for (row, payload) in &rows {
                    verifier.row(row, payload);
                }
            }
        })?)
    }

    /// Replaces what is stored with an ended escalation by a tombstone. The audit goes on to verify.
    ///
    /// # Errors
    /// When it has not ended, has a live grant, or the store fails.
    pub fn erase(&self, id: &str, by: &str, why: &str) -> Result<(), DeskError> {
        let (desk, id) = (self.clone(), id.to_owned());
        let (by, why) = (by.to_owned(), why.to_owned());
        write(self.inner.store.as_ref(), move |transaction| {
            let Some(stored) = transaction.lock(&id)? else {
                return Ok(Err(DeskError::NotFound(id.clone())));
            };
            let at = desk.inner.watch.judge(transaction.wall()?).at;
            let tombstone = Tombstone {
                at,
                by: by.clone(),
                why: why.clone(),
            };
            transaction.erase(&id, &tombstone)?;
            // Its names are numbers now.
            let Some(stored) = transaction.lock(&id)? else {
                return Ok(Err(DeskError::NotFound(
                    stored.escalation.pinned.id.clone(),
                )));
            };
            let applied = Applied {
                at: at.max(stored.escalation.last),
                after: stored.escalation.clone(),
                answer: Ok(Reply::Done),
                records: vec![Record {
                    kind: RecordKind::Erased,
                    body: json!({ "by": by, "why": why }).to_string(),
                }],
                notices: Vec::new(),
            };
            put(transaction, Some(&stored), &applied)?;
            Ok(Ok(()))
        })?
    }

    /// Erases what ended longer ago than that. One that cannot be erased does not keep others from it.
    fn erase_old(&self, retain: Duration, kept: &mut Kept) -> Result<(), DeskError> {
        let reading = self.now()?;
        let before = reading.at.checked_sub_signed(retain.to_chrono());
        let (true, Some(before)) = (reading.is_confirmed, before) else {
            return Ok(());
        };
        let old = read(self.inner.store.as_ref(), move |transaction| {
            transaction.ended(before, BATCH)
        })?;
        for id in old {
            match self.erase(&id, "laneway", &format!("kept for {retain}")) {
                Ok(()) => kept.erased += 1,
                Err(error) => kept.failed.push((id, error.to_string())),
            }
        }
        Ok(())
    }
}
