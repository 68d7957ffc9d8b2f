//! The audit: rows of chains, checkpoints over them, and what is erased.
//!
//! In: positions. Out: rows with what became of their payloads. Invariant: rows come in the order in which
//! they were written.
//! Knows not whether they fit together.

use rusqlite::{Row as SqlRow, params};

use super::columns::{Columns, to_json, whole};
use super::kept::UNNOTE;
use super::transaction::SqliteTransaction;
use crate::escalation::Principal;
use crate::escalation::audit::{Checkpoint, Head, Payload, Row, Salt};
use crate::escalation::time::micros;
use crate::store::erasure::numbered;
use crate::store::transaction::{Behind, StoreError, StoreErrorKind, Tombstone};

/// Rows with their payloads, of which the end says which.
macro_rules! rows {
    ($which:literal) => {
        concat!(
            "SELECT a.seq, a.tenant, a.escalation, a.n, a.at, a.kind, a.payload, a.previous, a.hash,
                p.salt, p.body, p.erased_at, p.erased_by, p.erased_why
                FROM audit AS a LEFT JOIN payloads AS p
                    ON p.tenant = a.tenant AND p.escalation = a.escalation AND p.n = a.n ",
            $which
        )
    };
}

const CHAIN: &str = rows!("WHERE a.tenant = ?1 AND a.escalation = ?2 ORDER BY a.n");
/// By the place in the store: a plus keeps SQLite from going by the tenant.
pub(super) const AUDIT: &str = rows!("WHERE +a.tenant = ?1 AND a.seq > ?2 ORDER BY a.seq LIMIT ?3");
const CHECKPOINTS: &str = "SELECT n, seq, rows, chains, root, previous, hash, at FROM checkpoints
    WHERE tenant = ?1 ORDER BY n";
const LAST: &str = "SELECT n, seq, rows, chains, root, previous, hash, at FROM checkpoints
    WHERE tenant = ?1 ORDER BY n DESC LIMIT 1";
const WRITE: &str =
    "INSERT INTO checkpoints (tenant, n, seq, rows, chains, root, previous, hash, at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
/// The row with the largest `n` of each chain: SQLite takes the other columns from that row.
pub(super) const HEADS: &str =
    "SELECT tenant, escalation, max(n), hash, count(*), max(seq) FROM audit NOT INDEXED
    WHERE tenant = ?1 AND seq > ?2 GROUP BY tenant, escalation ORDER BY tenant, escalation";
const STEP: &str = "SELECT erased FROM escalations WHERE tenant = ?1 AND id = ?2";
const ERASE: &str = "UPDATE escalations SET erased = ?3 WHERE tenant = ?1 AND id = ?2";
const ENTOMB: &str = "UPDATE payloads
    SET salt = NULL, body = NULL, erased_at = ?3, erased_by = ?4, erased_why = ?5
    WHERE tenant = ?1 AND escalation = ?2 AND salt IS NOT NULL";
const UNPOST: &str = "DELETE FROM outbox WHERE tenant = ?1 AND escalation = ?2";
const NUMBER_PLAN: &str =
    "UPDATE sign_offs SET plan = ?4 WHERE tenant = ?1 AND escalation = ?2 AND n = ?3";
const NUMBER_SEAT: &str = "UPDATE seats SET person = ?5, for_whom = ?6
    WHERE tenant = ?1 AND escalation = ?2 AND sign_off = ?3 AND n = ?4";
const NUMBER_VOTE: &str = "UPDATE votes SET person = ?4, operator = ?5
    WHERE tenant = ?1 AND escalation = ?2 AND n = ?3";
const NUMBER_CAUSE: &str =
    "UPDATE resolutions SET cause = ?3 WHERE tenant = ?1 AND escalation = ?2 AND cause <> ?3";

fn row(row: &SqlRow<'_>) -> Result<(Row, Payload), StoreError> {
    let row = Columns(row);
    let salt: Option<[u8; 16]> = row.get(9)?;
    let erased = row.instant_if(11)?;
    let payload = match (salt, erased) {
        (Some(salt), _) => Payload::Kept {
            salt: Salt(salt),
            body: row.get(10)?,
        },
        (None, Some(at)) => Payload::Erased {
            at,
            by: row.get(12)?,
            why: row.get(13)?,
        },
        (None, None) => Payload::Missing,
    };
    let row = Row {
        seq: row.number(0)?,
        tenant: row.get(1)?,
        escalation: row.get(2)?,
        n: row.number(3)?,
        at: row.instant(4)?,
        kind: row.get(5)?,
        payload: row.digest(6)?,
        previous: row.digest(7)?,
        hash: row.digest(8)?,
    };
    Ok((row, payload))
}

fn checkpoint(row: &SqlRow<'_>) -> Result<Checkpoint, StoreError> {
    let row = Columns(row);
    Ok(Checkpoint {
        n: row.number(0)?,
        seq: row.number(1)?,
        rows: row.number(2)?,
        chains: row.number(3)?,
        root: row.digest(4)?,
        previous: row.digest(5)?,
        hash: row.digest(6)?,
        at: row.instant(7)?,
    })
}

impl SqliteTransaction<'_> {
    pub(super) fn chain(&self, id: &str) -> Result<Vec<(Row, Payload)>, StoreError> {
        self.select(CHAIN, [self.tenant(), id], row)
    }

    pub(super) fn audit(&self, behind: u64, limit: u32) -> Result<Vec<(Row, Payload)>, StoreError> {
        self.select(AUDIT, params![self.tenant(), whole(behind)?, limit], row)
    }

    pub(super) fn checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        let found = self.select(LAST, [self.tenant()], checkpoint)?;
        Ok(found.into_iter().next())
    }

    pub(super) fn all_checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        self.select(CHECKPOINTS, [self.tenant()], checkpoint)
    }

    pub(super) fn what_is_behind(&self, seq: u64) -> Result<Behind, StoreError> {
        let mut behind = Behind {
            seq,
            ..Behind::default()
        };
        let heads = self.select(HEADS, params![self.tenant(), whole(seq)?], |row| {
            let row = Columns(row);
            let head = Head {
                tenant: row.get(0)?,
                escalation: row.get(1)?,
                n: row.number(2)?,
                hash: row.digest(3)?,
            };
            Ok((head, row.number::<u64>(4)?, row.number::<u64>(5)?))
        })?;
        for (head, rows, last) in heads {
            behind.rows = behind.rows.saturating_add(rows);
            behind.seq = behind.seq.max(last);
            behind.heads.push(head);
        }
        Ok(behind)
    }

    pub(super) fn write_checkpoint(&self, it: &Checkpoint) -> Result<(), StoreError> {
        self.change(
            WRITE,
            params![
                self.tenant(),
                whole(it.n)?,
                whole(it.seq)?,
                whole(it.rows)?,
                whole(it.chains)?,
                it.root.0,
                it.previous.0,
                it.hash.0,
                micros(it.at),
            ],
        )
    }

    /// Replaces what can be read by a tombstone and by numbers.
    pub(super) fn forget(&self, id: &str, tombstone: &Tombstone) -> Result<(), StoreError> {
        let tenant = self.tenant();
        let Some(erased) = self.one::<i64>(STEP, [tenant, id])? else {
            let message = format!("there is no escalation `{id}`");
            return Err(StoreError::new(StoreErrorKind::Refused, message));
        };
        if erased == 0 {
            self.change(ERASE, params![tenant, id, 1])?;
            self.number_people(id)?;
        }
        let at = micros(tombstone.at);
        self.change(ENTOMB, params![tenant, id, at, tombstone.by, tombstone.why])?;
        self.change(UNPOST, params![tenant, id])?;
        self.change(UNNOTE, params![tenant, id])?;
        self.change(ERASE, params![tenant, id, 2])
    }

    fn number_people(&self, id: &str) -> Result<(), StoreError> {
        let tenant = self.tenant();
        let Some(stored) = self.load(id)? else {
            return Ok(());
        };
        let it = numbered(&stored.escalation)?;
        for (position, sign_off) in it.sign_offs.iter().enumerate() {
            let position = whole(position)?;
            let plan = to_json(&*sign_off.plan)?;
            self.change(NUMBER_PLAN, params![tenant, id, position, plan])?;
            for (n, seat) in sign_off.seats.iter().enumerate() {
                let person = seat.person.as_str();
                let for_whom = seat.for_whom.as_ref().map(Principal::as_str);
                self.change(
                    NUMBER_SEAT,
                    params![tenant, id, position, whole(n)?, person, for_whom],
                )?;
            }
        }
        for (n, vote) in it.votes.iter().enumerate() {
            let person = vote.person.as_str();
            let operator = vote.operator.as_ref().map(Principal::as_str);
            self.change(
                NUMBER_VOTE,
                params![tenant, id, whole(n)?, person, operator],
            )?;
        }
        if let Some(end) = &it.resolution {
            self.change(NUMBER_CAUSE, params![tenant, id, to_json(&end.cause)?])?;
        }
        Ok(())
    }
}
