//! The audit: rows of chains, checkpoints over them, and what is erased.
//!
//! In: positions. Out: rows with what became of their payloads. Invariant: rows come in the order in which
//! they were written.
//! Knows not whether they fit together.

use rusqlite::{Row as SqlRow, params};

use super::columns::{Columns, whole};
use super::transaction::SqliteTransaction;
use crate::escalation::Principal;
use crate::escalation::audit::{Checkpoint, Head, Payload, Row, Salt};
use crate::escalation::time::micros;
use crate::store::erasure::number_people;
use crate::store::transaction::{Behind, StoreError, StoreErrorKind, Tombstone};

const CHAIN: &str =
    "SELECT a.seq, a.tenant, a.escalation, a.n, a.at, a.kind, a.payload, a.previous, a.hash,
    p.salt, p.body, p.erased_at, p.erased_by, p.erased_why
    FROM audit AS a LEFT JOIN payloads AS p
        ON p.tenant = a.tenant AND p.escalation = a.escalation AND p.n = a.n
    WHERE a.tenant = ?1 AND a.escalation = ?2 ORDER BY a.n";
pub(super) const AUDIT: &str = "SELECT a.seq, a.tenant, a.escalation, a.n, a.at, a.kind, a.payload,
    a.previous, a.hash, p.salt, p.body, p.erased_at, p.erased_by, p.erased_why
    FROM audit AS a LEFT JOIN payloads AS p
        ON p.tenant = a.tenant AND p.escalation = a.escalation AND p.n = a.n
    WHERE a.seq > ?1 ORDER BY a.seq LIMIT ?2";
const CHECKPOINTS: &str = "SELECT n, seq, rows, chains, root, previous, hash, at FROM checkpoints
    WHERE tenant = ?1 ORDER BY n";
const LAST: &str = "SELECT n, seq, rows, chains, root, previous, hash, at FROM checkpoints
    WHERE tenant = ?1 ORDER BY n DESC LIMIT 1";
const WRITE: &str =
    "INSERT INTO checkpoints (tenant, n, seq, rows, chains, root, previous, hash, at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
/// The row with the largest `n` of each chain: SQLite takes the other columns from that row.
pub(super) const HEADS: &str =
    "SELECT tenant, escalation, max(n), hash, count(*), max(seq) FROM audit
    WHERE seq > ?1 GROUP BY tenant, escalation ORDER BY tenant, escalation";
const IS_ERASED: &str = "SELECT erased FROM escalations WHERE tenant = ?1 AND id = ?2";
const ERASE: &str = "UPDATE escalations SET erased = 1 WHERE tenant = ?1 AND id = ?2";
const ENTOMB: &str = "UPDATE payloads
    SET salt = NULL, body = NULL, erased_at = ?3, erased_by = ?4, erased_why = ?5
    WHERE tenant = ?1 AND escalation = ?2 AND salt IS NOT NULL";
const NUMBER_SEAT: &str = "UPDATE seats SET person = ?5, for_whom = ?6
    WHERE tenant = ?1 AND escalation = ?2 AND sign_off = ?3 AND n = ?4";
const NUMBER_VOTE: &str = "UPDATE votes SET person = ?4, operator = ?5
    WHERE tenant = ?1 AND escalation = ?2 AND n = ?3";

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
        self.select(AUDIT, params![whole(behind)?, limit], row)
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
        let heads = self.select(HEADS, [whole(seq)?], |row| {
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
        let before: Option<bool> = self.one(IS_ERASED, [tenant, id])?;
        let Some(is_first) = before.map(|erased| !erased) else {
            let message = format!("there is no escalation `{id}`");
            return Err(StoreError::new(StoreErrorKind::Refused, message));
        };
        self.change(ERASE, params![tenant, id])?;
        self.change(
            ENTOMB,
            params![
                tenant,
                id,
                micros(tombstone.at),
                tombstone.by,
                tombstone.why
            ],
        )?;
        if is_first {
            self.number_people(id)?;
        }
        Ok(())
    }

    fn number_people(&self, id: &str) -> Result<(), StoreError> {
        let tenant = self.tenant();
        let Some(stored) = self.load(id)? else {
            return Ok(());
        };
        let mut it = stored.escalation;
        number_people(&mut it);
        for (sign_off, seats) in it.sign_offs.iter().map(|it| &it.seats).enumerate() {
            for (n, seat) in seats.iter().enumerate() {
                let person = seat.person.as_str();
                let for_whom = seat.for_whom.as_ref().map(Principal::as_str);
                let place = (whole(sign_off)?, whole(n)?);
                self.change(
                    NUMBER_SEAT,
                    params![tenant, id, place.0, place.1, person, for_whom],
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
        Ok(())
    }
}
