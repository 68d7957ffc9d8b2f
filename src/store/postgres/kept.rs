//! What a service keeps beside escalations: entries by key, attempts the latest first.
//!
//! In: keys and positions. Out: rows. Invariant: each finds its rows by an index; an attempt is written only
//! while its notice is there, and who removes the notice waits for it.
//! Knows not what a body says, and no channel.

use postgres::Row;

use super::rows::number;
use super::transaction::{PostgresTransaction, instant};
use crate::clock::Timestamp;
use crate::escalation::time::micros;
use crate::store::kept::{Attempt, AttemptOutcome, AttemptQuery, Entry, EntryKind};
use crate::store::{StoreError, TENANT};

pub(super) const ENTRY: &str = "SELECT kind, key, owner, until, body FROM entries \
    WHERE tenant = $1 AND kind = $2 AND key = $3";
const KEEP: &str = "INSERT INTO entries (tenant, kind, key, owner, until, body) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, kind, key) DO UPDATE \
    SET owner = excluded.owner, until = excluded.until, body = excluded.body";
const DROP: &str = "DELETE FROM entries WHERE tenant = $1 AND kind = $2 AND key = $3 RETURNING 1";
pub(super) const ENTRIES: &str = "SELECT kind, key, owner, until, body FROM entries \
    WHERE tenant = $1 AND kind = $2 AND key > $3 ORDER BY key LIMIT $4";
pub(super) const ENTRIES_OF: &str = "SELECT kind, key, owner, until, body FROM entries \
    WHERE tenant = $1 AND kind = $2 AND key > $3 AND owner = $5 ORDER BY key LIMIT $4";
pub(super) const DROP_OF: &str =
    "DELETE FROM entries WHERE tenant = $1 AND kind = $2 AND owner = $3 RETURNING 1";
pub(super) const DROP_ENDED: &str = "DELETE FROM entries WHERE (tenant, kind, key) IN ( \
      SELECT tenant, kind, key FROM entries WHERE tenant = $1 AND until < $2 \
      ORDER BY until LIMIT $3 FOR UPDATE SKIP LOCKED) \
    RETURNING 1";

/// Of a notice that is gone nothing is written. Its row is held, so that nobody removes it and what was
/// noted of it before this is written.
const NOTE: &str = "WITH posted AS ( \
      SELECT tenant, id, escalation FROM outbox \
      WHERE tenant = $1 AND id = $2 AND escalation = $3 FOR KEY SHARE) \
    INSERT INTO attempts \
      (tenant, notice, escalation, recipient, channel, at, took, outcome, said) \
    SELECT tenant, id, escalation, $4, $5, $6::bigint, $7::bigint, $8, $9 FROM posted";

/// The latest attempts, of which the text says which.
macro_rules! latest {
    ($which:literal) => {
        concat!(
            "SELECT seq, notice, escalation, recipient, channel, at, took, outcome, said \
             FROM attempts WHERE tenant = $1 AND seq < $2 ",
            $which,
            "ORDER BY seq DESC LIMIT $3"
        )
    };
}
pub(super) const LATEST: &str = latest!("");
pub(super) const LATEST_OF: &str = latest!("AND escalation = $4 ");
pub(super) const LATEST_WITH: &str = latest!("AND outcome = $4 ");
/// An escalation has some dozens: their outcomes are looked at, and no index is asked for them.
pub(super) const LATEST_OF_WITH: &str = latest!("AND escalation = $4 AND outcome || '' = $5 ");
pub(super) const TAKEN_BY: &str = "SELECT a.channel FROM attempts a \
    WHERE a.tenant = $1 AND a.notice = $2 AND a.outcome = 'sent' \
      AND a.seq > (SELECT attempts_before FROM outbox WHERE tenant = $1 AND id = $2) \
    ORDER BY a.seq";
pub(super) const OLD_ATTEMPTS: &str = "DELETE FROM attempts WHERE (tenant, seq) IN ( \
      SELECT a.tenant, a.seq FROM attempts a \
      WHERE a.tenant = $1 AND a.at < $2 AND NOT EXISTS ( \
        SELECT 1 FROM outbox o \
        WHERE o.tenant = a.tenant AND o.id = a.notice AND o.state = 'waiting') \
      ORDER BY a.at LIMIT $3 FOR UPDATE OF a SKIP LOCKED) \
    RETURNING 1";
pub(super) const UNNOTE: &str = "DELETE FROM attempts WHERE tenant = $1 AND escalation = $2";
const AGAIN: &str = "UPDATE outbox SET state = 'waiting', not_before = $3, attempts = 0, \
      problem = NULL, merge = NULL, attempts_before = coalesce( \
        (SELECT max(seq) FROM attempts WHERE tenant = $1 AND notice = $2), 0) \
    WHERE tenant = $1 AND id = $2 AND state <> 'waiting' RETURNING 1";

/// A database has no text with it, and would fail the whole transaction for being asked.
fn is_key(key: &str) -> bool {
    !key.contains('\0')
}

fn word<T>(row: &Row, column: usize, read: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let word: &str = row.get(column);
    read(word).ok_or_else(|| StoreError::corrupt(format!("`{word}` is no word of this program")))
}

fn entry(row: &Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        kind: word(row, 0, EntryKind::parse)?,
        key: row.get(1),
        owner: row.get(2),
        until: row.get::<_, Option<i64>>(3).map(instant),
        body: row.get(4),
    })
}

fn attempt(row: &Row) -> Result<(u64, Attempt), StoreError> {
    let attempt = Attempt {
        notice: row.get(1),
        escalation: row.get(2),
        to: row.get(3),
        channel: row.get(4),
        at: instant(row.get(5)),
        took_micros: number(row, 6)?,
        outcome: word(row, 7, AttemptOutcome::parse)?,
        said: row.get(8),
    };
    Ok((number(row, 0)?, attempt))
}

impl PostgresTransaction<'_> {
    pub(super) fn find_entry(
        &mut self,
        kind: EntryKind,
        key: &str,
    ) -> Result<Option<Entry>, StoreError> {
        if !is_key(key) {
            return Ok(None);
        }
        let rows = self.query(ENTRY, &[&TENANT, &kind.as_str(), &key])?;
        rows.first().map(entry).transpose()
    }

    pub(super) fn keep_entry(&mut self, entry: &Entry) -> Result<(), StoreError> {
        entry.is_kept()?;
        self.query(
            KEEP,
            &[
                &TENANT,
                &entry.kind.as_str(),
                &entry.key,
                &entry.owner,
                &entry.until.map(micros),
                &entry.body,
            ],
        )?;
        Ok(())
    }

    pub(super) fn forget_entry(&mut self, kind: EntryKind, key: &str) -> Result<bool, StoreError> {
        if !is_key(key) {
            return Ok(false);
        }
        let rows = self.query(DROP, &[&TENANT, &kind.as_str(), &key])?;
        Ok(!rows.is_empty())
    }

    /// No key is empty, so that all are behind none.
    pub(super) fn list_entries(
        &mut self,
        kind: EntryKind,
        owner: Option<&str>,
        behind: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let (kind, behind, limit) = (kind.as_str(), behind.unwrap_or(""), i64::from(limit));
        let rows = match owner {
            Some(owner) => self.query(ENTRIES_OF, &[&TENANT, &kind, &behind, &limit, &owner])?,
            None => self.query(ENTRIES, &[&TENANT, &kind, &behind, &limit])?,
        };
        rows.iter().map(entry).collect()
    }

    pub(super) fn forget_entries_of(
        &mut self,
        kind: EntryKind,
        owner: &str,
    ) -> Result<u64, StoreError> {
        let rows = self.query(DROP_OF, &[&TENANT, &kind.as_str(), &owner])?;
        Ok(rows.len() as u64)
    }

    pub(super) fn forget_old_entries(
        &mut self,
        until: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let rows = self.query(DROP_ENDED, &[&TENANT, &micros(until), &i64::from(limit)])?;
        Ok(rows.len() as u64)
    }

    pub(super) fn note_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError> {
        attempt.is_kept()?;
        self.query(
            NOTE,
            &[
                &TENANT,
                &attempt.notice,
                &attempt.escalation,
                &attempt.to,
                &attempt.channel,
                &micros(attempt.at),
                &attempt.took(),
                &attempt.outcome.as_str(),
                &attempt.said,
            ],
        )?;
        Ok(())
    }

    pub(super) fn latest_attempts(
        &mut self,
        query: &AttemptQuery,
    ) -> Result<Vec<(u64, Attempt)>, StoreError> {
        let limit = i64::from(query.limit);
        let behind = query.behind.and_then(|behind| i64::try_from(behind).ok());
        let behind = behind.unwrap_or(i64::MAX);
        let outcome = query.outcome.map(AttemptOutcome::as_str);
        let rows = match (&query.escalation, outcome) {
            (None, None) => self.query(LATEST, &[&TENANT, &behind, &limit])?,
            (Some(of), None) => self.query(LATEST_OF, &[&TENANT, &behind, &limit, of])?,
            (None, Some(with)) => self.query(LATEST_WITH, &[&TENANT, &behind, &limit, &with])?,
            (Some(of), Some(with)) => {
                self.query(LATEST_OF_WITH, &[&TENANT, &behind, &limit, of, &with])?
            }
        };
        rows.iter().map(attempt).collect()
    }

    pub(super) fn takers_of(&mut self, notice: &str) -> Result<Vec<String>, StoreError> {
        let rows = self.query(TAKEN_BY, &[&TENANT, &notice])?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    pub(super) fn forget_old_attempts(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let rows = self.query(OLD_ATTEMPTS, &[&TENANT, &micros(before), &i64::from(limit)])?;
        Ok(rows.len() as u64)
    }

    /// Behind the removal of the notices, which waits for who writes an attempt.
    pub(super) fn forget_attempts(&mut self, escalation: &str) -> Result<(), StoreError> {
        self.query(UNNOTE, &[&TENANT, &escalation])?;
        Ok(())
    }

    pub(super) fn post_again(&mut self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        let rows = self.query(AGAIN, &[&TENANT, &id, &micros(at)])?;
        Ok(!rows.is_empty())
    }
}
