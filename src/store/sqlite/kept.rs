//! What a service keeps beside escalations: entries by key, attempts the latest first.
//!
//! In: keys and positions. Out: rows. Invariant: each finds its rows by an index; an attempt is written only
//! while its notice is there.
//! Knows not what a body says, and no channel.

use rusqlite::{Row as SqlRow, params};

use super::columns::Columns;
use super::transaction::SqliteTransaction;
use crate::clock::Timestamp;
use crate::escalation::time::micros;
use crate::store::kept::{Attempt, AttemptOutcome, AttemptQuery, Entry, EntryKind};
use crate::store::transaction::StoreError;

pub(super) const ENTRY: &str = "SELECT kind, key, owner, until, body FROM entries
    WHERE tenant = ?1 AND kind = ?2 AND key = ?3";
const KEEP: &str = "INSERT INTO entries (tenant, kind, key, owner, until, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (tenant, kind, key) DO UPDATE
        SET owner = excluded.owner, until = excluded.until, body = excluded.body";
const DROP: &str = "DELETE FROM entries WHERE tenant = ?1 AND kind = ?2 AND key = ?3";
pub(super) const ENTRIES: &str = "SELECT kind, key, owner, until, body FROM entries
    WHERE tenant = ?1 AND kind = ?2 AND key > ?3 ORDER BY key LIMIT ?4";
pub(super) const ENTRIES_OF: &str = "SELECT kind, key, owner, until, body FROM entries
    WHERE tenant = ?1 AND kind = ?2 AND key > ?3 AND owner = ?5 ORDER BY key LIMIT ?4";
pub(super) const DROP_OF: &str =
    "DELETE FROM entries WHERE tenant = ?1 AND kind = ?2 AND owner = ?3";
pub(super) const DROP_ENDED: &str = "DELETE FROM entries
    WHERE tenant = ?1 AND (kind, key) IN (
        SELECT kind, key FROM entries WHERE tenant = ?1 AND until < ?2 ORDER BY until LIMIT ?3)";

/// Of a notice that is gone nothing is written.
const NOTE: &str = "INSERT INTO attempts
        (tenant, notice, escalation, recipient, channel, at, took, outcome, said)
    SELECT tenant, id, escalation, ?4, ?5, ?6, ?7, ?8, ?9 FROM outbox
    WHERE tenant = ?1 AND id = ?2 AND escalation = ?3";

/// The latest attempts, of which the text says which.
macro_rules! latest {
    ($which:literal) => {
        concat!(
            "SELECT seq, notice, escalation, recipient, channel, at, took, outcome, said FROM attempts
            WHERE ",
            $which,
            " AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
        )
    };
}
/// By their positions: a plus keeps SQLite from going by the tenant.
pub(super) const LATEST: &str = latest!("+tenant = ?1");
pub(super) const LATEST_OF: &str = latest!("tenant = ?1 AND escalation = ?4");
pub(super) const LATEST_WITH: &str = latest!("tenant = ?1 AND outcome = ?4");
/// An escalation has some dozens: their outcomes are looked at.
pub(super) const LATEST_OF_WITH: &str =
    latest!("tenant = ?1 AND escalation = ?4 AND +outcome = ?5");
pub(super) const TAKEN_BY: &str = "SELECT a.channel FROM attempts AS a
    WHERE a.tenant = ?1 AND a.notice = ?2 AND a.outcome = 'sent'
        AND a.seq > (SELECT attempts_before FROM outbox WHERE tenant = ?1 AND id = ?2)
    ORDER BY a.seq";
pub(super) const OLD_ATTEMPTS: &str = "DELETE FROM attempts WHERE seq IN (
        SELECT a.seq FROM attempts AS a
        WHERE a.tenant = ?1 AND a.at < ?2 AND NOT EXISTS (
            SELECT 1 FROM outbox AS o
            WHERE o.tenant = a.tenant AND o.id = a.notice AND o.state = 'waiting')
        ORDER BY a.at LIMIT ?3)";
pub(super) const UNNOTE: &str = "DELETE FROM attempts WHERE tenant = ?1 AND escalation = ?2";
const AGAIN: &str = "UPDATE outbox SET state = 'waiting', not_before = ?3, attempts = 0,
        problem = NULL, merge = NULL,
        attempts_before = coalesce(
            (SELECT max(seq) FROM attempts WHERE tenant = ?1 AND notice = ?2), 0)
    WHERE tenant = ?1 AND id = ?2 AND state <> 'waiting'";

fn entry(row: &SqlRow<'_>) -> Result<Entry, StoreError> {
    let row = Columns(row);
    Ok(Entry {
        kind: row.word(0, EntryKind::parse)?,
        key: row.get(1)?,
        owner: row.get(2)?,
        until: row.instant_if(3)?,
        body: row.get(4)?,
    })
}

fn attempt(row: &SqlRow<'_>) -> Result<(u64, Attempt), StoreError> {
    let row = Columns(row);
    let attempt = Attempt {
        notice: row.get(1)?,
        escalation: row.get(2)?,
        to: row.get(3)?,
        channel: row.get(4)?,
        at: row.instant(5)?,
        took_micros: row.number(6)?,
        outcome: row.word(7, AttemptOutcome::parse)?,
        said: row.get(8)?,
    };
    Ok((row.number(0)?, attempt))
}

impl SqliteTransaction<'_> {
    pub(super) fn find_entry(
        &self,
        kind: EntryKind,
        key: &str,
    ) -> Result<Option<Entry>, StoreError> {
        let found = self.select(ENTRY, [self.tenant(), kind.as_str(), key], entry)?;
        Ok(found.into_iter().next())
    }

    pub(super) fn keep_entry(&self, entry: &Entry) -> Result<(), StoreError> {
        entry.is_kept()?;
        let (kind, until) = (entry.kind.as_str(), entry.until.map(micros));
        self.change(
            KEEP,
            params![
                self.tenant(),
                kind,
                entry.key,
                entry.owner,
                until,
                entry.body
            ],
        )
    }

    pub(super) fn forget_entry(&self, kind: EntryKind, key: &str) -> Result<bool, StoreError> {
        let values = [self.tenant(), kind.as_str(), key];
        Ok(self.prepare(DROP)?.execute(values)? > 0)
    }

    /// No key is empty, so that all are behind none.
    pub(super) fn list_entries(
        &self,
        kind: EntryKind,
        owner: Option<&str>,
        behind: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let (tenant, kind, behind) = (self.tenant(), kind.as_str(), behind.unwrap_or(""));
        match owner {
            Some(owner) => {
                let values = params![tenant, kind, behind, limit, owner];
                self.select(ENTRIES_OF, values, entry)
            }
            None => self.select(ENTRIES, params![tenant, kind, behind, limit], entry),
        }
    }

    pub(super) fn forget_entries_of(
        &self,
        kind: EntryKind,
        owner: &str,
    ) -> Result<u64, StoreError> {
        let values = [self.tenant(), kind.as_str(), owner];
        Ok(self.prepare(DROP_OF)?.execute(values)? as u64)
    }

    pub(super) fn forget_old_entries(
        &self,
        until: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let values = params![self.tenant(), micros(until), limit];
        Ok(self.prepare(DROP_ENDED)?.execute(values)? as u64)
    }

    pub(super) fn note_attempt(&self, attempt: &Attempt) -> Result<(), StoreError> {
        attempt.is_kept()?;
        self.change(
            NOTE,
            params![
                self.tenant(),
                attempt.notice,
                attempt.escalation,
                attempt.to,
                attempt.channel,
                micros(attempt.at),
                attempt.took(),
                attempt.outcome.as_str(),
                attempt.said,
            ],
        )
    }

    pub(super) fn latest_attempts(
        &self,
        query: &AttemptQuery,
    ) -> Result<Vec<(u64, Attempt)>, StoreError> {
        let (tenant, limit) = (self.tenant(), query.limit);
        let behind = query.behind.and_then(|behind| i64::try_from(behind).ok());
        let behind = behind.unwrap_or(i64::MAX);
        let outcome = query.outcome.map(AttemptOutcome::as_str);
        match (&query.escalation, outcome) {
            (None, None) => self.select(LATEST, params![tenant, behind, limit], attempt),
            (Some(of), None) => self.select(LATEST_OF, params![tenant, behind, limit, of], attempt),
            (None, Some(with)) => {
                self.select(LATEST_WITH, params![tenant, behind, limit, with], attempt)
            }
            (Some(of), Some(with)) => {
                let values = params![tenant, behind, limit, of, with];
                self.select(LATEST_OF_WITH, values, attempt)
            }
        }
    }

    pub(super) fn takers_of(&self, notice: &str) -> Result<Vec<String>, StoreError> {
        self.select(TAKEN_BY, [self.tenant(), notice], |row| Ok(row.get(0)?))
    }

    pub(super) fn forget_old_attempts(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let values = params![self.tenant(), micros(before), limit];
        Ok(self.prepare(OLD_ATTEMPTS)?.execute(values)? as u64)
    }

    pub(super) fn post_again(&self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        let values = params![self.tenant(), id, micros(at)];
        Ok(self.prepare(AGAIN)?.execute(values)? > 0)
    }
}
