//! The outbox: what is to be sent.
//!
//! In: instants, and what came of sending. Out: notices, each to one taker at a time.
//! Invariant: a notice waits until it is sent or given up; what was taken gets no further count, because its
//! taker has read it.
//! Knows no channel.

use rusqlite::params;

use super::columns::Columns;
use super::transaction::SqliteTransaction;
use crate::clock::Timestamp;
use crate::escalation::time::micros;
use crate::limits::NOTICE_TRIES_UNTOLD;
use crate::store::transaction::{Delivery, Outbox, Posted, StoreError};

pub(super) const TO_SEND: &str = "SELECT seq, notice, escalation, count, attempts FROM outbox
    WHERE tenant = ?1 AND state = 'waiting' AND not_before <= ?2 ORDER BY not_before, seq LIMIT ?3";
const TAKE: &str = "UPDATE outbox SET not_before = ?2, attempts = attempts + 1 WHERE seq = ?1";
const NOTE: &str = "UPDATE outbox SET state = ?3, not_before = ?4, problem = ?5
    WHERE tenant = ?1 AND id = ?2 AND state = 'waiting'";
/// Of the notices of a step: how many there are, and how many were given up, or tried so often in vain.
pub(super) const OF_STEP: &str = "SELECT count(*), coalesce(sum(o.state = 'failed'
        OR o.state = 'waiting' AND o.attempts >= ?3 AND NOT EXISTS (
            SELECT 1 FROM attempts AS a
            WHERE a.tenant = o.tenant AND a.notice = o.id AND a.outcome = 'sent'
                AND a.seq > o.attempts_before)), 0) FROM outbox AS o
    WHERE o.tenant = ?1 AND o.id > ?2 || '/' AND o.id < ?2 || '0'
    AND instr(substr(o.id, length(?2) + 2), '/') = 0";
pub(super) const WAITING: &str =
    "SELECT count(*) FROM outbox WHERE tenant = ?1 AND state = 'waiting'";
pub(super) const FAILED: &str =
    "SELECT count(*) FROM outbox WHERE tenant = ?1 AND state = 'failed'";

impl SqliteTransaction<'_> {
    pub(super) fn take(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Posted>, StoreError> {
        let values = params![self.tenant(), micros(now), limit];
        let found = self.select(TO_SEND, values, |row| {
            let row = Columns(row);
            let posted = Posted {
                notice: row.json(1)?,
                escalation: row.get(2)?,
                count: row.number(3)?,
                attempts: row.number(4)?,
                taken: Vec::new(),
            };
            Ok((row.get::<i64>(0)?, posted))
        })?;
        let mut taken = Vec::with_capacity(found.len());
        for (seq, posted) in found {
            self.change(TAKE, params![seq, micros(until)])?;
            taken.push(posted);
        }
        Ok(taken)
    }

    /// What was sent or given up before stays so: a second taker may come late.
    pub(super) fn deliver(&self, id: &str, delivery: &Delivery) -> Result<(), StoreError> {
        let (state, at, problem) = match delivery {
            Delivery::Sent(at) => ("sent", at, None),
            Delivery::Retry(at, problem) => ("waiting", at, Some(problem)),
            Delivery::Failed(at, problem) => ("failed", at, Some(problem)),
        };
        self.change(
            NOTE,
            params![self.tenant(), id, state, micros(*at), problem],
        )
    }

    /// `0` stands behind `/`: what lies between begins with the step and a slash.
    pub(super) fn has_failed(&self, step: &str) -> Result<bool, StoreError> {
        let values = params![self.tenant(), step, NOTICE_TRIES_UNTOLD];
        let counts = self.select(OF_STEP, values, |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
        let mut counts = counts.iter();
        Ok(counts.any(|(all, failed)| *all > 0 && all == failed))
    }

    pub(super) fn standing(&self) -> Result<Outbox, StoreError> {
        let count = |text| -> Result<u64, StoreError> {
            let count: Option<i64> = self.one(text, [self.tenant()])?;
            Ok(count.unwrap_or(0).unsigned_abs())
        };
        Ok(Outbox {
            waiting: count(WAITING)?,
            failed: count(FAILED)?,
        })
    }
}
