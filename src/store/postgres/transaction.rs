//! What can be done in a transaction, as statements.
//!
//! In: calls of the work. Out: rows read and written, each call in one round trip.
//! Invariant: whatever fails is remembered, because the server has given the transaction up by then:
//! a commit of it would answer as if all was well.
//! Knows no rule of the lifecycle.

use postgres::Row;
use postgres::types::ToSql;

use super::error::Failure;
use super::migrate::VERSION;
use super::page::{Page, summary};
use super::pool::Connection;
use super::rows::{audit, checkpoint, digest, number};
use super::statements::{ALL_FAILED, COUNTS, DUE, ENDED, GROUP, OLD_NOTICES, TAKE};
use super::{load, put};
use crate::clock::Timestamp;
use crate::escalation::audit::{Checkpoint, Head, Payload, Row as AuditRow};
use crate::escalation::time::{from_micros, micros};
use crate::escalation::{Counts, Principal};
use crate::limits::NOTICE_TRIES_UNTOLD;
use crate::store::kept::{Attempt, AttemptQuery, Entry, EntryKind};
use crate::store::narrow::fewest;
use crate::store::{
    Behind, Delivery, Outbox, Posted, Query, Request, StoreError, StoreErrorKind, Stored, Summary,
    TENANT, Tombstone, Transaction, Writing,
};

/// Rows of the audit with their payloads, of which the end says which.
macro_rules! audit_rows {
    ($which:literal) => {
        concat!(
            "SELECT a.seq, a.tenant, a.escalation, a.n, a.at, a.kind, a.payload, a.previous, a.hash, \
               p.salt, p.body, p.erased_at, p.erased_by, p.erased_why \
             FROM audit a LEFT JOIN payloads p USING (tenant, escalation, n) ",
            $which
        )
    };
}

/// A transaction that has begun.
#[derive(Debug)]
pub(super) struct PostgresTransaction<'c> {
    connection: &'c mut Connection,
    /// In one that only reads, nothing is locked.
    writes: bool,
    /// Whether the database is known to have the schema that this program writes, and keeps it until the end. One
    /// that only reads does not ask.
    is_guarded: bool,
    /// The time that came with the last lock, as long as nothing else was asked since.
    wall: Option<Timestamp>,
    /// Whether a matrix was written, which is there only if this one commits.
    wrote_matrix: bool,
    failure: Option<Failure>,
}

pub(super) type Values<'v> = &'v [&'v (dyn ToSql + Sync)];

impl<'c> PostgresTransaction<'c> {
    pub(super) fn new(connection: &'c mut Connection, writes: bool) -> Self {
        Self {
            connection,
            writes,
            is_guarded: !writes,
            wall: None,
            wrote_matrix: false,
            failure: None,
        }
    }

    /// What failed first, if anything did.
    pub(super) fn failure(self) -> Option<Failure> {
        self.failure
    }

    pub(super) fn query(
        &mut self,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        if self.guard().is_some() {
            self.guarded("SELECT laneway_guard($1)", &[&VERSION])?;
        }
        self.guarded(sql, values)
    }

    /// The version that the first statement has to ask for; none where it was asked for before.
    fn guard(&mut self) -> Option<i64> {
        let is_first = !std::mem::replace(&mut self.is_guarded, true);
        is_first.then_some(VERSION)
    }

    /// A statement behind [`Self::guard`], or one that asks for the version by itself.
    fn guarded(&mut self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        self.goes_on()?;
        self.wall = None;
        let rows = self.connection.query(sql, values);
        rows.map_err(|error| self.failed(&error))
    }

    fn query_page(&mut self, page: &Page) -> Result<Vec<Row>, StoreError> {
        self.goes_on()?;
        self.wall = None;
        let client = &mut self.connection.client;
        let rows = client.query_typed(&page.sql, &page.values());
        rows.map_err(|error| self.failed(&error))
    }

    /// Behind a failure the server would say only that the transaction is over.
    fn goes_on(&self) -> Result<(), StoreError> {
        let failure = self.failure.as_ref();
        failure.map_or(Ok(()), |failure| Err(failure.error.clone()))
    }

    fn failed(&mut self, error: &postgres::Error) -> StoreError {
        let failure = Failure::of(error);
        let error = failure.error.clone();
        self.failure = Some(failure);
        error
    }

    /// That of [`only`].
    fn one<T: for<'r> postgres::types::FromSql<'r>>(
        &mut self,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<Option<T>, StoreError> {
        Ok(only(&self.query(sql, values)?))
    }
}

/// The only column of the only row; nothing where there is no row, or it is null.
fn only<T: for<'r> postgres::types::FromSql<'r>>(rows: &[Row]) -> Option<T> {
    rows.first().and_then(|row| row.get::<_, Option<T>>(0))
}

impl Transaction for PostgresTransaction<'_> {
    fn wall(&mut self) -> Result<Timestamp, StoreError> {
        // Given out once: who asks again asks for a later one.
        if let Some(now) = self.wall.take() {
            return Ok(now);
        }
        let now = self.one::<i64>("SELECT laneway_wall()", &[])?;
        let now = now.ok_or_else(|| StoreError::corrupt("the time is missing"))?;
        Ok(from_micros(now))
    }

    fn lock(&mut self, id: &str) -> Result<Option<Stored>, StoreError> {
        if !self.writes {
            return self.get(id);
        }
        let version = self.guard();
        let rows = self.guarded("SELECT laneway_lock($1, $2, $3)", &[&TENANT, &id, &version])?;
        let Some(text) = only::<String>(&rows) else {
            return Ok(None);
        };
        let (now, stored) = load::locked(&text)?;
        self.wall = Some(now);
        Ok(Some(stored))
    }

    fn get(&mut self, id: &str) -> Result<Option<Stored>, StoreError> {
        let text = self.one::<String>("SELECT laneway_stored($1, $2)", &[&TENANT, &id])?;
        text.map(|text| load::stored(&text)).transpose()
    }

    fn put(&mut self, writing: &Writing<'_>) -> Result<(), StoreError> {
        let document = put::document(writing)?;
        let rows = put::columns(writing.rows)?;
        self.query(
            "SELECT laneway_put($1, $2::text::jsonb, $3, $4, $5, $6, $7, $8, $9, $10)",
            &[
                &TENANT,
                &document,
                &rows.n,
                &rows.at,
                &rows.kind,
                &rows.payload,
                &rows.previous,
                &rows.hash,
                &rows.salt,
                &rows.body,
            ],
        )?;
        Ok(())
    }

    fn request(&mut self, requester: &Principal, key: &str) -> Result<Option<Request>, StoreError> {
        let requester = requester.as_str();
        let rows = match self.writes {
            true => {
                let version = self.guard();
                self.guarded(
                    "SELECT laneway_request($1, $2, $3, $4)",
                    &[&TENANT, &requester, &key, &version],
                )?
            }
            false => self.query(
                "SELECT to_json(q)::text FROM requests q \
                 WHERE tenant = $1 AND requester = $2 AND key = $3",
                &[&TENANT, &requester, &key],
            )?,
        };
        let text = only::<String>(&rows);
        text.map(|text| load::request(&text)).transpose()
    }

    fn put_request(&mut self, request: &Request) -> Result<(), StoreError> {
        let joined = i64::from(request.joined);
        self.query(
            "INSERT INTO requests (tenant, requester, key, digest, escalation, joined, at) \
             VALUES ($1, $2, $3, $4, $5, $6::bigint, $7)",
            &[
                &TENANT,
                &request.requester.as_str(),
                &request.key,
                &request.digest,
                &request.escalation,
                &joined,
                &micros(request.at),
            ],
        )?;
        Ok(())
    }

    fn drop_request(&mut self, requester: &Principal, key: &str) -> Result<bool, StoreError> {
        let rows = self.query(
            "DELETE FROM requests WHERE tenant = $1 AND requester = $2 AND key = $3 RETURNING 1",
            &[&TENANT, &requester.as_str(), &key],
        )?;
        Ok(!rows.is_empty())
    }

    fn drop_requests(&mut self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        // A request comes before the end of its escalation: the oldest ones are looked at.
        let rows = self.query(
            "DELETE FROM requests WHERE (tenant, requester, key) IN ( \
               SELECT q.tenant, q.requester, q.key FROM requests q JOIN escalations e \
                 ON e.tenant = q.tenant AND e.id = q.escalation \
               WHERE q.tenant = $1 AND q.at < $2 AND e.ended < $2 \
               ORDER BY q.at LIMIT $3 FOR UPDATE OF q SKIP LOCKED) \
             RETURNING 1",
            &[&TENANT, &micros(ended_before), &i64::from(limit)],
        )?;
        Ok(rows.len() as u64)
    }

    fn drop_notices(&mut self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let rows = self.query(
            OLD_NOTICES,
            &[&TENANT, &micros(ended_before), &i64::from(limit)],
        )?;
        Ok(rows.len() as u64)
    }

    fn group(&mut self, group: &str) -> Result<Option<String>, StoreError> {
        let sql = match self.writes {
            true => "SELECT laneway_group($1, $2)",
            false => GROUP,
        };
        self.one(sql, &[&TENANT, &group])
    }

    fn counts(&mut self, requester: &Principal, flood: &str) -> Result<Counts, StoreError> {
        let rows = self.query(COUNTS, &[&TENANT, &requester.as_str(), &flood])?;
        let row = rows.first();
        let row = row.ok_or_else(|| StoreError::corrupt("a count is missing"))?;
        Ok(Counts {
            of_requester: number(row, 0)?,
            of_flood: number(row, 1)?,
        })
    }

    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        let sql = match self.writes {
            true => "SELECT laneway_due($1, $2, $3)",
            false => DUE,
        };
        let rows = self.query(sql, &[&TENANT, &micros(now), &i64::from(limit)])?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    fn page(&mut self, query: &Query) -> Result<Vec<Summary>, StoreError> {
        let few = fewest(query, |few, most| {
            let rows = self.query_page(&Page::count(few, most))?;
            let row = rows.first();
            number(
                row.ok_or_else(|| StoreError::corrupt("a count is missing"))?,
                0,
            )
        })?;
        let rows = self.query_page(&Page::of(query, few))?;
        rows.iter().map(summary).collect()
    }

    fn history(&mut self, id: &str) -> Result<Vec<(AuditRow, Payload)>, StoreError> {
        let rows = self.query(
            audit_rows!("WHERE a.tenant = $1 AND a.escalation = $2 ORDER BY a.n"),
            &[&TENANT, &id],
        )?;
        rows.iter().map(audit).collect()
    }

    fn put_matrix(&mut self, digest: &str, source: &str) -> Result<(), StoreError> {
        if self.connection.knows_matrix(digest) {
            return Ok(());
        }
        let rows = self.query(
            "INSERT INTO matrices (tenant, digest, source) SELECT $1, $2, $3 \
             WHERE NOT EXISTS (SELECT 1 FROM matrices WHERE tenant = $1 AND digest = $2) \
             ON CONFLICT DO NOTHING RETURNING 1",
            &[&TENANT, &digest, &source],
        )?;
        self.wrote_matrix |= !rows.is_empty();
        // What another transaction wrote has committed, and is never deleted.
        if !self.wrote_matrix {
            self.connection.know_matrix(digest);
        }
        Ok(())
    }

    fn matrix(&mut self, digest: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT source FROM matrices WHERE tenant = $1 AND digest = $2";
        self.one(sql, &[&TENANT, &digest])
    }

    fn take_notices(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Posted>, StoreError> {
        let rows = self.query(
            TAKE,
            &[&TENANT, &micros(now), &micros(until), &i64::from(limit)],
        )?;
        rows.iter()
            .map(|row| {
                Ok(Posted {
                    notice: load::json(row.get(0))?,
                    escalation: row.get(1),
                    count: number(row, 2)?,
                    attempts: number(row, 3)?,
                    taken: Vec::new(),
                })
            })
            .collect()
    }

    fn note_delivery(&mut self, id: &str, delivery: &Delivery) -> Result<(), StoreError> {
        let (state, at, problem) = match delivery {
            Delivery::Sent(at) => ("sent", at, None),
            Delivery::Retry(at, problem) => ("waiting", at, Some(problem)),
            Delivery::Failed(at, problem) => ("failed", at, Some(problem)),
        };
        // What was sent or given up before stays so: a second taker may come late.
        self.query(
            "UPDATE outbox SET state = $3::text, not_before = $4, problem = $5 \
             WHERE tenant = $1 AND id = $2 AND state = 'waiting'",
            &[&TENANT, &id, &state, &micros(*at), &problem],
        )?;
        Ok(())
    }

    fn all_failed(&mut self, step: &str) -> Result<bool, StoreError> {
        let rows = self.query(
            ALL_FAILED,
            &[&TENANT, &step, &i64::from(NOTICE_TRIES_UNTOLD)],
        )?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }

    fn outbox(&mut self) -> Result<Outbox, StoreError> {
        let rows = self.query(
            "SELECT (SELECT count(*) FROM outbox WHERE tenant = $1 AND state = 'waiting'), \
             (SELECT count(*) FROM outbox WHERE tenant = $1 AND state = 'failed')",
            &[&TENANT],
        )?;
        let row = rows.first();
        let row = row.ok_or_else(|| StoreError::corrupt("a count is missing"))?;
        Ok(Outbox {
            waiting: number(row, 0)?,
            failed: number(row, 1)?,
        })
    }

    fn last_checkpoint(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        let rows = self.query(
            "SELECT n, seq, rows, chains, root, previous, hash, at FROM checkpoints \
             WHERE tenant = $1 ORDER BY n DESC LIMIT 1",
            &[&TENANT],
        )?;
        rows.first().map(checkpoint).transpose()
    }

    fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        let rows = self.query(
            "SELECT n, seq, rows, chains, root, previous, hash, at FROM checkpoints \
             WHERE tenant = $1 ORDER BY n",
            &[&TENANT],
        )?;
        rows.iter().map(checkpoint).collect()
    }

    fn behind(&mut self, seq: u64) -> Result<Behind, StoreError> {
        if self.writes {
            // A statement of its own: the next one sees what these writers committed.
            self.query("SELECT laneway_wait_for_writers()", &[])?;
        }
        let from = whole(seq)?;
        let rows = self.query(
            "SELECT escalation, max(n), count(*), max(seq), \
               (array_agg(hash ORDER BY n DESC))[1] \
             FROM audit WHERE tenant = $1 AND seq > $2 GROUP BY escalation \
             ORDER BY escalation COLLATE \"C\"",
            &[&TENANT, &from],
        )?;
        let mut behind = Behind {
            seq,
            ..Behind::default()
        };
        for row in &rows {
            behind.rows = behind.rows.saturating_add(number(row, 2)?);
            behind.seq = behind.seq.max(number(row, 3)?);
            behind.heads.push(Head {
                tenant: TENANT.to_owned(),
                escalation: row.get(0),
                n: number(row, 1)?,
                hash: digest(row.get(4))?,
            });
        }
        Ok(behind)
    }

    fn put_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.query(
            "INSERT INTO checkpoints (tenant, n, seq, rows, chains, root, previous, hash, at) \
             VALUES ($1, $2::bigint, $3, $4, $5, $6::bytea, $7::bytea, $8::bytea, $9)",
            &[
                &TENANT,
                &whole(checkpoint.n)?,
                &whole(checkpoint.seq)?,
                &whole(checkpoint.rows)?,
                &whole(checkpoint.chains)?,
                &checkpoint.root.0.as_slice(),
                &checkpoint.previous.0.as_slice(),
                &checkpoint.hash.0.as_slice(),
                &micros(checkpoint.at),
            ],
        )?;
        Ok(())
    }

    fn rows(&mut self, behind: u64, limit: u32) -> Result<Vec<(AuditRow, Payload)>, StoreError> {
        let from = whole(behind)?;
        let rows = self.query(
            audit_rows!("WHERE a.tenant = $1 AND a.seq > $2 ORDER BY a.seq LIMIT $3"),
            &[&TENANT, &from, &i64::from(limit)],
        )?;
        rows.iter().map(audit).collect()
    }

    fn erase(&mut self, id: &str, tombstone: &Tombstone) -> Result<(), StoreError> {
        let refused = |why: &str| {
            let message = format!("`{id}` is not erased: {why}");
            Err(StoreError::new(StoreErrorKind::Refused, message))
        };
        let Some(stored) = self.lock(id)? else {
            return refused("it is not there");
        };
        let it = &stored.escalation;
        if it.is_pending() {
            return refused("it is pending");
        }
        if it.grant.as_ref().is_some_and(|grant| grant.ended.is_none()) {
            return refused("its grant is live");
        }
        let numbered = put::numbered(it)?;
        self.query(
            "SELECT laneway_erase($1, $2, $3, $4, $5, $6::text::jsonb)",
            &[
                &TENANT,
                &id,
                &micros(tombstone.at),
                &tombstone.by,
                &tombstone.why,
                &numbered,
            ],
        )?;
        self.forget_attempts(id)
    }

    fn ended(&mut self, before: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        let rows = self.query(ENDED, &[&TENANT, &micros(before), &i64::from(limit)])?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    fn setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM settings WHERE tenant = $1 AND name = $2";
        self.one(sql, &[&TENANT, &name])
    }

    fn put_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.query(
            "INSERT INTO settings (tenant, name, value) VALUES ($1, $2, $3) \
             ON CONFLICT (tenant, name) DO UPDATE SET value = excluded.value",
            &[&TENANT, &name, &value],
        )?;
        Ok(())
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

    fn look_at_tables(&mut self) -> Result<bool, StoreError> {
        self.look_where_grown()
    }

    fn redeliver(&mut self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        self.post_again(id, at)
    }
}

/// An instant from its column.
pub(super) fn instant(micros: i64) -> Timestamp {
    from_micros(micros)
}

/// A number that no database holds in more than 63 bits.
pub(super) fn whole(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::other("a number is too large to be stored"))
}
