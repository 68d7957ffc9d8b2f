//! Reading an escalation.
//!
//! In: an id. Out: the escalation with the end of its chain. Invariant: what reads back is what was
//! written. Knows no command.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row};

use super::columns::Columns;
use super::transaction::SqliteTransaction;
use crate::clock::Duration;
use crate::escalation::audit::Digest;
use crate::escalation::{
    End, Escalation, Grant, GrantState, Outcome, Resolution, Seat, SignOff, SignOffState, Vote,
    VoteKind,
};
use crate::store::transaction::{StoreError, Stored};

const ESCALATION: &str = "SELECT e.pinned, e.last, e.round, e.digest, e.readable, e.joined,
    e.first_viewed, e.released, e.undelivered, e.late_votes,
    r.outcome, r.end_how, r.at, r.cause, r.by_silence,
    g.state, g.digest, g.lapses, g.consume_key, g.ended
    FROM escalations AS e
    LEFT JOIN resolutions AS r ON r.tenant = e.tenant AND r.escalation = e.id
    LEFT JOIN grants AS g ON g.tenant = e.tenant AND g.escalation = e.id
    WHERE e.tenant = ?1 AND e.id = ?2";
const SIGN_OFFS: &str =
    "SELECT plan, state, team, quorum, next, hurried, shift, decided FROM sign_offs
    WHERE tenant = ?1 AND escalation = ?2 ORDER BY n";
const SEATS: &str = "SELECT sign_off, person, via, for_whom, since, until FROM seats
    WHERE tenant = ?1 AND escalation = ?2 ORDER BY sign_off, n";
const VOTES: &str = "SELECT round, person, kind, at, digest, operator FROM votes
    WHERE tenant = ?1 AND escalation = ?2 ORDER BY n";
const HEAD: &str = "SELECT n, hash FROM audit
    WHERE tenant = ?1 AND escalation = ?2 ORDER BY n DESC LIMIT 1";

impl SqliteTransaction<'_> {
    pub(super) fn load(&self, id: &str) -> Result<Option<Stored>, StoreError> {
        let found = self.select(ESCALATION, [self.tenant(), id], escalation)?;
        let Some(mut it) = found.into_iter().next() else {
            return Ok(None);
        };
        it.sign_offs = self.select(SIGN_OFFS, [self.tenant(), id], sign_off)?;
        for (sign_off, seat) in self.select(SEATS, [self.tenant(), id], seat)? {
            let sign_off = it.sign_offs.get_mut(sign_off);
            let sign_off =
                sign_off.ok_or_else(|| StoreError::corrupt("a seat without a sign-off"))?;
            sign_off.seats.push(seat);
        }
        it.votes = self.select(VOTES, [self.tenant(), id], vote)?;
        let mut head = self.prepare(HEAD)?;
        let head: Option<(i64, [u8; 32])> = head
            .query_row([self.tenant(), id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (n, hash) =
            head.ok_or_else(|| StoreError::corrupt("an escalation without an audit"))?;
        Ok(Some(Stored {
            escalation: it,
            n: n.unsigned_abs(),
            head: Digest(hash),
        }))
    }
}

fn escalation(row: &Row<'_>) -> Result<Escalation, StoreError> {
    let row = Columns(row);
    let ended: Option<String> = row.get(10)?;
    let granted: Option<String> = row.get(15)?;
    Ok(Escalation {
        pinned: Arc::new(row.json(0)?),
        last: row.instant(1)?,
        round: row.number(2)?,
        digest: row.get(3)?,
        is_readable: row.get(4)?,
        sign_offs: Vec::new(),
        votes: Vec::new(),
        resolution: ended.map(|_| resolution(row)).transpose()?,
        grant: granted.map(|_| grant(row)).transpose()?,
        joined: row.number(5)?,
        first_viewed: row.instant_if(6)?,
        released: row.instant_if(7)?,
        undelivered: row.number(8)?,
        late_votes: row.number(9)?,
    })
}

fn resolution(row: Columns<'_, '_>) -> Result<Resolution, StoreError> {
    let end: Option<String> = row.get(11)?;
    Ok(Resolution {
        outcome: row.word(10, Outcome::from_word)?,
        end: end.map(|_| row.word(11, End::from_word)).transpose()?,
        at: row.instant(12)?,
        cause: row.json(13)?,
        by_silence: row.get(14)?,
    })
}

fn grant(row: Columns<'_, '_>) -> Result<Grant, StoreError> {
    Ok(Grant {
        state: row.word(15, GrantState::from_word)?,
        digest: row.get(16)?,
        lapses: row.instant(17)?,
        consume_key: row.get(18)?,
        ended: row.instant_if(19)?,
    })
}

fn sign_off(row: &Row<'_>) -> Result<SignOff, StoreError> {
    let row = Columns(row);
    Ok(SignOff {
        plan: Arc::new(row.json(0)?),
        state: row.word(1, SignOffState::from_word)?,
        team: row.get(2)?,
        quorum: row.number(3)?,
        next: row.number(4)?,
        hurried: row.number(5)?,
        shift: Duration::from_millis(row.number(6)?),
        seats: Vec::new(),
        decided: row.instant_if(7)?,
    })
}

fn seat(row: &Row<'_>) -> Result<(usize, Seat), StoreError> {
    let row = Columns(row);
    let seat = Seat {
        person: row.principal(1)?,
        via: row.get(2)?,
        for_whom: row.principal_if(3)?,
        since: row.instant(4)?,
        until: row.instant_if(5)?,
    };
    Ok((row.number(0)?, seat))
}

fn vote(row: &Row<'_>) -> Result<Vote, StoreError> {
    let row = Columns(row);
    Ok(Vote {
        round: row.number(0)?,
        person: row.principal(1)?,
        kind: row.word(2, VoteKind::from_word)?,
        at: row.instant(3)?,
        digest: row.get(4)?,
        operator: row.principal_if(5)?,
    })
}
