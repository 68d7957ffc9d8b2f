//! Writing what a command did.
//!
//! In: [`Writing`]. Out: rows, in the order in which the schema can check them: what is asked now, who is
//! asked, their votes, what these decide, how it ended.
//! Invariant: only what differs is written.
//! Knows no rule; the schema refuses what breaks one.

use rusqlite::params;

use super::columns::{to_json, whole};
use super::transaction::SqliteTransaction;
use crate::clock::Timestamp;
use crate::escalation::time::micros;
use crate::escalation::{Escalation, Notice, SignOff};
use crate::store::changes::Changes;
use crate::store::respond::respond_by;
use crate::store::transaction::{NewRow, StoreError, Writing};

const OPEN: &str = "INSERT INTO escalations (tenant, id, opened, cap, requester, key, digest0, matrix,
    lane, urgency, flood, group_key, asks, readable0, round, digest, readable, state, last, due,
    respond_by, ended, joined, first_viewed, released, undelivered, late_votes, erased, pinned)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 'pending', ?18,
    ?4, ?19, NULL, ?20, ?21, ?22, ?23, ?24, 0, ?25)";
const LAST: &str = "UPDATE escalations SET last = ?3 WHERE tenant = ?1 AND id = ?2";
const COUNTS: &str =
    "UPDATE escalations SET last = ?3, respond_by = ?4, joined = ?5, first_viewed = ?6,
    released = ?7, undelivered = ?8, late_votes = ?9 WHERE tenant = ?1 AND id = ?2";
const ROUND: &str = "UPDATE escalations SET round = ?3, digest = ?4, readable = ?5
    WHERE tenant = ?1 AND id = ?2";
const AGAIN: &str = "UPDATE sign_offs SET state = 'waiting', decided = NULL, round = ?4, due = ?5
    WHERE tenant = ?1 AND escalation = ?2 AND n = ?3";
const BEGIN: &str = "INSERT INTO sign_offs (tenant, escalation, n, lane, cap, ends_at, allows, round,
    state, team, quorum, next, hurried, shift, due, deadline, decided, plan)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'waiting', ?9, ?10, 0, 0, 0, ?11, min(?5, ?6), NULL, ?12)";
const MOVE: &str = "UPDATE sign_offs SET round = ?4, state = ?5, team = ?6, quorum = ?7, next = ?8,
    hurried = ?9, shift = ?10, due = ?11, deadline = ?12, decided = ?13
    WHERE tenant = ?1 AND escalation = ?2 AND n = ?3";
const SEAT: &str =
    "INSERT INTO seats (tenant, escalation, sign_off, n, person, via, for_whom, since)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const UNSEAT: &str = "UPDATE seats SET until = ?5
    WHERE tenant = ?1 AND escalation = ?2 AND sign_off = ?3 AND n = ?4";
const VOTE: &str =
    "INSERT INTO votes (tenant, escalation, n, round, person, kind, at, digest, operator)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const RESOLVE: &str =
    "INSERT INTO resolutions (tenant, escalation, outcome, end_how, at, cause, by_silence)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const GRANT: &str =
    "INSERT INTO grants (tenant, escalation, state, digest, lapses, consume_key, ended)
    VALUES (?1, ?2, 'live', ?3, ?4, NULL, NULL)";
const END_GRANT: &str = "UPDATE grants SET state = ?3, consume_key = ?4, ended = ?5
    WHERE tenant = ?1 AND escalation = ?2";
const AUDIT: &str = "INSERT INTO audit (tenant, escalation, n, at, kind, payload, previous, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const PAYLOAD: &str =
    "INSERT INTO payloads (tenant, escalation, n, salt, body) VALUES (?1, ?2, ?3, ?4, ?5)";
const IS_POSTED: &str = "SELECT 1 FROM outbox WHERE tenant = ?1 AND id = ?2";
const MERGE: &str = "UPDATE outbox SET count = count + 1
    WHERE tenant = ?1 AND merge = ?2 AND state = 'waiting' AND attempts = 0";
const POST: &str =
    "INSERT INTO outbox (tenant, id, escalation, notice, merge, at, state, count, attempts,
    not_before) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', 1, 0, ?6)";

fn at(instant: Option<Timestamp>) -> Option<i64> {
    instant.map(micros)
}

impl SqliteTransaction<'_> {
    pub(super) fn write(&self, writing: &Writing<'_>) -> Result<(), StoreError> {
        let changes = Changes::of(writing)?;
        let it = writing.after;
        self.write_escalation(&changes, it)?;
        for (n, sign_off) in &changes.begun {
            self.begin(it, *n, sign_off)?;
        }
        self.write_people(&changes, it)?;
        for (n, sign_off) in &changes.moved {
            self.stand(it, *n, sign_off)?;
        }
        self.write_end(&changes, it)?;
        for row in writing.rows {
            self.append(&it.pinned.id, row)?;
        }
        for notice in writing.notices {
            self.post(&it.pinned.id, notice)?;
        }
        Ok(())
    }

    fn write_escalation(&self, changes: &Changes<'_>, it: &Escalation) -> Result<(), StoreError> {
        let pinned = &it.pinned;
        let (tenant, id) = (self.tenant(), &pinned.id);
        if changes.opens {
            self.change(
                OPEN,
                params![
                    tenant,
                    id,
                    micros(pinned.opened),
                    micros(pinned.cap),
                    pinned.requester.as_str(),
                    pinned.key,
                    pinned.digest,
                    pinned.matrix,
                    pinned.lane,
                    pinned.urgency.as_str(),
                    pinned.flood,
                    pinned.group,
                    pinned.asks,
                    pinned.is_readable,
                    it.round,
                    it.digest,
                    it.is_readable,
                    micros(it.last),
                    at(respond_by(it)),
                    it.joined,
                    at(it.first_viewed),
                    at(it.released),
                    it.undelivered,
                    it.late_votes,
                    to_json(&**pinned)?,
                ],
            )?;
            return Ok(());
        }
        match changes.counts {
            true => self.change(
                COUNTS,
                params![
                    tenant,
                    id,
                    micros(it.last),
                    at(respond_by(it)),
                    it.joined,
                    at(it.first_viewed),
                    at(it.released),
                    it.undelivered,
                    it.late_votes,
                ],
            )?,
            false => self.change(LAST, params![tenant, id, micros(it.last)])?,
        }
        if changes.new_round {
            self.change(
                ROUND,
                params![tenant, id, it.round, it.digest, it.is_readable],
            )?;
        }
        for n in &changes.again {
            let due = it.sign_offs.get(*n).and_then(|it_| it_.due(pinned.cap));
            self.change(AGAIN, params![tenant, id, whole(*n)?, it.round, at(due)])?;
        }
        Ok(())
    }

    /// A sign-off as its plan begins it. Where it stands elsewhere already, it moves there.
    fn begin(&self, it: &Escalation, n: usize, sign_off: &SignOff) -> Result<(), StoreError> {
        let plan = &sign_off.plan;
        let (Some(first), Some(last)) = (plan.steps.first(), plan.steps.last()) else {
            return Err(StoreError::other("a plan without steps"));
        };
        let cap = it.pinned.cap;
        self.change(
            BEGIN,
            params![
                self.tenant(),
                it.pinned.id,
                whole(n)?,
                plan.lane,
                micros(cap),
                micros(last.at),
                plan.allows(),
                it.round,
                plan.team,
                plan.quorum,
                micros(first.at.min(cap)),
                to_json(&**plan)?,
            ],
        )
    }

    fn stand(&self, it: &Escalation, n: usize, sign_off: &SignOff) -> Result<(), StoreError> {
        let cap = it.pinned.cap;
        let due = sign_off.due(cap).filter(|_| sign_off.is_waiting());
        self.change(
            MOVE,
            params![
                self.tenant(),
                it.pinned.id,
                whole(n)?,
                it.round,
                sign_off.state.as_str(),
                sign_off.team,
                sign_off.quorum,
                sign_off.next,
                sign_off.hurried,
                whole(sign_off.shift.as_millis())?,
                at(due),
                micros(sign_off.deadline(cap)),
                at(sign_off.decided),
            ],
        )
    }

    /// Seats begin before the votes and end after them: who votes may lose the seat by what follows.
    fn write_people(&self, changes: &Changes<'_>, it: &Escalation) -> Result<(), StoreError> {
        let (tenant, id) = (self.tenant(), &it.pinned.id);
        for (sign_off, n, seat) in &changes.seated {
            self.change(
                SEAT,
                params![
                    tenant,
                    id,
                    whole(*sign_off)?,
                    whole(*n)?,
                    seat.person.as_str(),
                    seat.via,
                    seat.for_whom.as_ref().map(|whom| whom.as_str()),
                    micros(seat.since),
                ],
            )?;
        }
        for (n, vote) in &changes.votes {
            self.change(
                VOTE,
                params![
                    tenant,
                    id,
                    whole(*n)?,
                    vote.round,
                    vote.person.as_str(),
                    vote.kind.as_str(),
                    micros(vote.at),
                    vote.digest,
                    vote.operator.as_ref().map(|operator| operator.as_str()),
                ],
            )?;
        }
        for (sign_off, n, until) in &changes.unseated {
            let (sign_off, n) = (whole(*sign_off)?, whole(*n)?);
            self.change(UNSEAT, params![tenant, id, sign_off, n, micros(*until)])?;
        }
        Ok(())
    }

    fn write_end(&self, changes: &Changes<'_>, it: &Escalation) -> Result<(), StoreError> {
        let (tenant, id) = (self.tenant(), &it.pinned.id);
        if let Some(end) = changes.resolution {
            self.change(
                RESOLVE,
                params![
                    tenant,
                    id,
                    end.outcome.as_str(),
                    end.end.map(|end| end.as_str()),
                    micros(end.at),
                    to_json(&end.cause)?,
                    end.by_silence,
                ],
            )?;
        }
        if let Some(grant) = changes.granted {
            self.change(
                GRANT,
                params![tenant, id, grant.digest, micros(grant.lapses)],
            )?;
        }
        if let Some(grant) = changes.grant {
            self.change(
                END_GRANT,
                params![
                    tenant,
                    id,
                    grant.state.as_str(),
                    grant.consume_key,
                    at(grant.ended)
                ],
            )?;
        }
        Ok(())
    }

    fn append(&self, id: &str, new: &NewRow) -> Result<(), StoreError> {
        let row = &new.row;
        if row.escalation != id || row.tenant != self.tenant() {
            return Err(StoreError::other("a row of the audit of something else"));
        }
        self.change(
            AUDIT,
            params![
                row.tenant,
                row.escalation,
                whole(row.n)?,
                micros(row.at),
                row.kind,
                row.payload.0,
                row.previous.0,
                row.hash.0,
            ],
        )?;
        self.change(
            PAYLOAD,
            params![
                row.tenant,
                row.escalation,
                whole(row.n)?,
                new.salt.0,
                new.body
            ],
        )
    }

    fn post(&self, id: &str, notice: &Notice) -> Result<(), StoreError> {
        if self
            .prepare(IS_POSTED)?
            .exists([self.tenant(), &notice.id])?
        {
            return Ok(());
        }
        if let Some(merge) = &notice.merge
            && self.prepare(MERGE)?.execute([self.tenant(), merge])? > 0
        {
            return Ok(());
        }
        self.change(
            POST,
            params![
                self.tenant(),
                notice.id,
                id,
                to_json(notice)?,
                notice.merge,
                micros(notice.at),
            ],
        )
    }
}
