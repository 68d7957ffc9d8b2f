//! A transaction on one connection.
//!
//! In: what a unit of work asks for. Out: rows. Invariant: statements are prepared once a connection, and
//! each finds its rows by an index.
//! Knows neither when it begins nor when it is made durable.

use std::cell::Cell;

use rusqlite::{
    CachedStatement, Connection, OptionalExtension, Params, Row as SqlRow, ToSql, params,
};

use super::columns::Columns;
use crate::clock::Timestamp;
use crate::escalation::audit::{Checkpoint, Payload, Row};
use crate::escalation::time::micros;
use crate::escalation::{Counts, Principal};
use crate::store::kept::{Attempt, AttemptQuery, Entry, EntryKind};
use crate::store::transaction::{
    Behind, Delivery, Outbox, Posted, Query, Request, StoreError, Stored, Summary, TENANT,
    Tombstone, Transaction, Writing,
};

/// A transaction that has begun.
pub(super) struct SqliteTransaction<'c> {
    pub(super) connection: &'c Connection,
    pub(super) wall: &'c (dyn Fn() -> Timestamp + Send + Sync),
    /// Whether something was erased, and is to leave the files as well.
    pub(super) erased: &'c Cell<bool>,
}

pub(super) const REQUEST: &str = "SELECT digest, escalation, joined, at FROM requests
    WHERE tenant = ?1 AND requester = ?2 AND key = ?3";
/// A request comes before the end of its escalation, so that the oldest requests are looked at. CROSS
/// keeps SQLite from beginning with all that ever ended.
pub(super) const OLD_REQUESTS: &str = "DELETE FROM requests
    WHERE tenant = ?1 AND (requester, key) IN (
        SELECT r.requester, r.key FROM requests AS r CROSS JOIN escalations AS e
        WHERE r.tenant = ?1 AND r.at < ?2 AND e.tenant = r.tenant AND e.id = r.escalation
            AND e.ended < ?2
        ORDER BY r.at LIMIT ?3)";
pub(super) const GROUP: &str =
    "SELECT id FROM escalations WHERE tenant = ?1 AND group_key = ?2 AND state = 'pending'";
pub(super) const OF_REQUESTER: &str =
    "SELECT count(*) FROM escalations WHERE tenant = ?1 AND requester = ?2 AND state = 'pending'";
pub(super) const OF_FLOOD: &str =
    "SELECT count(*) FROM escalations WHERE tenant = ?1 AND flood = ?2 AND state = 'pending'";
pub(super) const DUE: &str =
    "SELECT id FROM escalations WHERE tenant = ?1 AND due <= ?2 ORDER BY due, id LIMIT ?3";
/// What has no live grant, and was not erased, or was written to since.
pub(super) const ENDED: &str = "SELECT id FROM escalations
    WHERE tenant = ?1 AND ended < ?2 AND due IS NULL AND erased IN (0, 3)
    ORDER BY ended, id LIMIT ?3";
/// As above: what is over and old is looked at, and whether its escalation is.
pub(super) const OLD_NOTICES: &str = "DELETE FROM outbox WHERE seq IN (
        SELECT o.seq FROM outbox AS o CROSS JOIN escalations AS e
        WHERE o.tenant = ?1 AND o.state <> 'waiting' AND o.at < ?2
            AND e.tenant = o.tenant AND e.id = o.escalation AND e.ended < ?2
        ORDER BY o.at LIMIT ?3)";

impl SqliteTransaction<'_> {
    /// Whose rows.
    #[expect(
        clippy::unused_self,
        reason = "one server serves one tenant; several are to come"
    )]
    pub(super) fn tenant(&self) -> &'static str {
        TENANT
    }

    pub(super) fn prepare(&self, text: &str) -> Result<CachedStatement<'_>, StoreError> {
        Ok(self.connection.prepare_cached(text)?)
    }

    /// Changes rows.
    pub(super) fn change(&self, text: &str, values: &[&dyn ToSql]) -> Result<(), StoreError> {
        self.prepare(text)?.execute(values)?;
        Ok(())
    }

    /// Reads rows.
    pub(super) fn select<T>(
        &self,
        text: &str,
        values: impl Params,
        mut read: impl FnMut(&SqlRow<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.prepare(text)?;
        let mut rows = statement.query(values)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    /// Reads the first column of the first row.
    pub(super) fn one<T: rusqlite::types::FromSql>(
        &self,
        text: &str,
        values: impl Params,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.prepare(text)?;
        Ok(statement.query_row(values, |row| row.get(0)).optional()?)
    }

    fn ids(&self, text: &str, at: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        let values = params![self.tenant(), micros(at), limit];
        self.select(text, values, |row| Ok(row.get(0)?))
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn wall(&mut self) -> Result<Timestamp, StoreError> {
        Ok((self.wall)())
    }

    fn lock(&mut self, id: &str) -> Result<Option<Stored>, StoreError> {
        // Who writes has the whole file.
        self.load(id)
    }

    fn get(&mut self, id: &str) -> Result<Option<Stored>, StoreError> {
        self.load(id)
    }

    fn put(&mut self, writing: &Writing<'_>) -> Result<(), StoreError> {
        self.write(writing)
    }

    fn request(&mut self, requester: &Principal, key: &str) -> Result<Option<Request>, StoreError> {
        let values = [self.tenant(), requester.as_str(), key];
        let found = self.select(REQUEST, values, |row| {
            let row = Columns(row);
            Ok(Request {
                requester: requester.clone(),
                key: key.to_owned(),
                digest: row.get(0)?,
                escalation: row.get(1)?,
                joined: row.get(2)?,
                at: row.instant(3)?,
            })
        })?;
        Ok(found.into_iter().next())
    }

    fn put_request(&mut self, request: &Request) -> Result<(), StoreError> {
        self.change(
            "INSERT INTO requests (tenant, requester, key, digest, escalation, joined, at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                self.tenant(),
                request.requester.as_str(),
                request.key,
                request.digest,
                request.escalation,
                request.joined,
                micros(request.at),
            ],
        )
    }

    fn drop_request(&mut self, requester: &Principal, key: &str) -> Result<bool, StoreError> {
        let mut dropping =
            self.prepare("DELETE FROM requests WHERE tenant = ?1 AND requester = ?2 AND key = ?3")?;
        let dropped = dropping.execute([self.tenant(), requester.as_str(), key])?;
        Ok(dropped > 0)
    }

    fn drop_requests(&mut self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let values = params![self.tenant(), micros(ended_before), limit];
        let dropped = self.prepare(OLD_REQUESTS)?.execute(values)?;
        Ok(dropped as u64)
    }

    fn drop_notices(&mut self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let values = params![self.tenant(), micros(ended_before), limit];
        let dropped = self.prepare(OLD_NOTICES)?.execute(values)?;
        Ok(dropped as u64)
    }

    fn group(&mut self, group: &str) -> Result<Option<String>, StoreError> {
        self.one(GROUP, [self.tenant(), group])
    }

    fn counts(&mut self, requester: &Principal, flood: &str) -> Result<Counts, StoreError> {
        let of_requester: Option<i64> =
            self.one(OF_REQUESTER, [self.tenant(), requester.as_str()])?;
        let of_flood: Option<i64> = self.one(OF_FLOOD, [self.tenant(), flood])?;
        Ok(Counts {
            of_requester: of_requester.unwrap_or(0).unsigned_abs(),
            of_flood: of_flood.unwrap_or(0).unsigned_abs(),
        })
    }

    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        self.ids(DUE, now, limit)
    }

    fn page(&mut self, query: &Query) -> Result<Vec<Summary>, StoreError> {
        self.list(query)
    }

    fn history(&mut self, id: &str) -> Result<Vec<(Row, Payload)>, StoreError> {
        self.chain(id)
    }

    fn put_matrix(&mut self, digest: &str, source: &str) -> Result<(), StoreError> {
        let there: Option<i64> = self.one(
            "SELECT 1 FROM matrices WHERE tenant = ?1 AND digest = ?2",
            [self.tenant(), digest],
        )?;
        if there.is_some() {
            return Ok(());
        }
        self.change(
            "INSERT INTO matrices (tenant, digest, source) VALUES (?1, ?2, ?3)",
            params![self.tenant(), digest, source],
        )
    }

    fn matrix(&mut self, digest: &str) -> Result<Option<String>, StoreError> {
        self.one(
            "SELECT source FROM matrices WHERE tenant = ?1 AND digest = ?2",
            [self.tenant(), digest],
        )
    }

    fn take_notices(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Posted>, StoreError> {
        self.take(now, until, limit)
    }

    fn note_delivery(&mut self, id: &str, delivery: &Delivery) -> Result<(), StoreError> {
        self.deliver(id, delivery)
    }

    fn all_failed(&mut self, step: &str) -> Result<bool, StoreError> {
        self.has_failed(step)
    }

    fn outbox(&mut self) -> Result<Outbox, StoreError> {
        self.standing()
    }

    fn last_checkpoint(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        self.checkpoint()
    }

    fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        self.all_checkpoints()
    }

    fn behind(&mut self, seq: u64) -> Result<Behind, StoreError> {
        self.what_is_behind(seq)
    }

    fn put_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.write_checkpoint(checkpoint)
    }

    fn rows(&mut self, behind: u64, limit: u32) -> Result<Vec<(Row, Payload)>, StoreError> {
        self.audit(behind, limit)
    }

    fn erase(&mut self, id: &str, tombstone: &Tombstone) -> Result<(), StoreError> {
        self.forget(id, tombstone)?;
        self.erased.set(true);
        Ok(())
    }

    fn ended(&mut self, before: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        self.ids(ENDED, before, limit)
    }

    fn setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        self.one(
            "SELECT value FROM settings WHERE tenant = ?1 AND name = ?2",
            [self.tenant(), name],
        )
    }

    fn put_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.change(
            "INSERT INTO settings (tenant, name, value) VALUES (?1, ?2, ?3)
                ON CONFLICT (tenant, name) DO UPDATE SET value = excluded.value",
            params![self.tenant(), name, value],
        )
    }

    fn entry(&mut self, kind: EntryKind, key: &str) -> Result<Option<Entry>, StoreError> {
        self.find_entry(kind, key)
    }

    fn put_entry(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.keep_entry(entry)
    }

    fn drop_entry(&mut self, kind: EntryKind, key: &str) -> Result<bool, StoreError> {
        self.forget_entry(kind, key)
    }

    fn entries(
        &mut self,
        kind: EntryKind,
        owner: Option<&str>,
        behind: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        self.list_entries(kind, owner, behind, limit)
    }

    fn drop_entries_of(&mut self, kind: EntryKind, owner: &str) -> Result<u64, StoreError> {
        self.forget_entries_of(kind, owner)
    }

    fn drop_entries(&mut self, until: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.forget_old_entries(until, limit)
    }

    fn put_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError> {
        self.note_attempt(attempt)
    }

    fn attempts(&mut self, query: &AttemptQuery) -> Result<Vec<(u64, Attempt)>, StoreError> {
        self.latest_attempts(query)
    }

    fn taken_by(&mut self, notice: &str) -> Result<Vec<String>, StoreError> {
        self.takers_of(notice)
    }

    fn drop_attempts(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.forget_old_attempts(before, limit)
    }

    fn redeliver(&mut self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        self.post_again(id, at)
    }
}
