//! What a command did, as one document for `laneway_put`.
//!
//! In: a [`Writing`]. Out: JSON with the rows that are new, and those that changed.
//! Invariant: what did not change is not written; the order of writing is that of the database function.
//! Knows no rule of the lifecycle.

use std::sync::Arc;

use serde::Serialize;

use super::rows::{
    AuditRow, EscalationRow, GrantRow, NoticeRow, PayloadRow, PinnedRow, ResolutionRow, SeatRow,
    SignOffRow, VoteRow,
};
use crate::clock::{Duration, Timestamp};
use crate::escalation::{
    Does, Escalation, Grant, Notice, Resolution, Seat, SignOff, SignOffState, Vote,
};
use crate::store::{StoreError, Writing};

/// The parameter of `laneway_put`. What is empty is left out.
#[derive(Debug, Serialize)]
struct Document<'w> {
    id: &'w str,
    is_new: bool,
    /// The round, or the time that passed, is written before what follows from it.
    is_early: bool,
    /// Every sign-off waits again first.
    is_anew: bool,
    escalation: Both<'w>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sign_offs_new: Vec<SignOffRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seats_new: Vec<SeatRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    votes: Vec<VoteRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seats_ended: Vec<SeatRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sign_offs: Vec<SignOffRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<ResolutionRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_new: Option<GrantRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<GrantRow>,
    audit: Vec<AuditRow<'w>>,
    payloads: Vec<PayloadRow<'w>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outbox: Vec<NoticeRow<'w>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    merging: Vec<NoticeRow<'w>>,
}

#[derive(Debug, Serialize)]
struct Both<'w> {
    #[serde(flatten)]
    row: EscalationRow,
    #[serde(flatten)]
    pinned: Option<PinnedRow<'w>>,
}

/// The document of a writing.
pub(super) fn document(writing: &Writing<'_>) -> Result<String, StoreError> {
    let Writing { before, after, .. } = writing;
    let is_anew = before.is_some_and(|before| after.round > before.round);
    let mut document = Document {
        id: &after.pinned.id,
        is_new: before.is_none(),
        is_early: false,
        is_anew,
        escalation: Both {
            row: escalation_row(after),
            pinned: before.is_none().then(|| pinned_row(after)).transpose()?,
        },
        sign_offs_new: Vec::new(),
        seats_new: Vec::new(),
        votes: Vec::new(),
        seats_ended: Vec::new(),
        sign_offs: Vec::new(),
        resolution: None,
        grant_new: None,
        grant: None,
        audit: writing.rows.iter().map(audit_row).collect(),
        payloads: writing.rows.iter().map(payload_row).collect(),
        outbox: Vec::new(),
        merging: Vec::new(),
    };
    document.sign_offs(*before, after)?;
    let known = before.map_or(0, |before| before.votes.len());
    for (n, vote) in after.votes.iter().enumerate().skip(known) {
        document.votes.push(vote_row(n, vote));
    }
    let resolution = before.and_then(|before| before.resolution.as_ref());
    if resolution != after.resolution.as_ref() {
        document.resolution = after.resolution.as_ref().map(resolution_row).transpose()?;
    }
    match (
        before.and_then(|before| before.grant.as_ref()),
        &after.grant,
    ) {
        (None, grant) => document.grant_new = grant.as_ref().map(grant_row),
        (Some(old), Some(new)) if old != new => document.grant = Some(grant_row(new)),
        _ => {}
    }
    for notice in writing.notices {
        let row = notice_row(notice)?;
        match row.merge {
            None => document.outbox.push(row),
            Some(_) => document.merging.push(row),
        }
    }
    text(&document)
}

impl Document<'_> {
    fn sign_offs(
        &mut self,
        before: Option<&Escalation>,
        after: &Escalation,
    ) -> Result<(), StoreError> {
        self.is_early = self.is_anew;
        for (n, sign_off) in after.sign_offs.iter().enumerate() {
            let old = before.and_then(|before| before.sign_offs.get(n));
            let by_time = [SignOffState::AutoAllowed, SignOffState::TimedOut];
            self.is_early |= by_time.contains(&sign_off.state)
                && old.is_none_or(|old| old.state != sign_off.state);
            match old {
                None => self.new_sign_off(n, sign_off, after)?,
                Some(old) if self.is_anew || is_changed(old, sign_off) => {
                    self.sign_offs.push(sign_off_row(n, sign_off, after));
                }
                Some(_) => {}
            }
            let known = old.map_or(&[][..], |old| &old.seats);
            for (place, seat) in sign_off.seats.iter().enumerate() {
                let old = known.get(place);
                if old.is_none() {
                    self.seats_new.push(seat_row(n, place, seat));
                }
                if old.is_none_or(|old| old.until.is_none()) && seat.until.is_some() {
                    self.seats_ended.push(seat_row(n, place, seat));
                }
            }
        }
        Ok(())
    }

    /// A new sign-off begins to wait by its plan; what it came to at once is written like a change.
    fn new_sign_off(
        &mut self,
        n: usize,
        sign_off: &SignOff,
        after: &Escalation,
    ) -> Result<(), StoreError> {
        let begun = SignOff {
            plan: Arc::clone(&sign_off.plan),
            state: SignOffState::Waiting,
            team: sign_off.plan.team.clone(),
            quorum: sign_off.plan.quorum,
            next: 0,
            hurried: 0,
            shift: Duration::default(),
            seats: Vec::new(),
            decided: None,
        };
        let mut row = sign_off_row(n, &begun, after);
        row.plan = Some(text(&*sign_off.plan)?);
        self.sign_offs_new.push(row);
        if is_changed(&begun, sign_off) {
            self.sign_offs.push(sign_off_row(n, sign_off, after));
        }
        Ok(())
    }
}

/// Whether anything but its seats changed.
fn is_changed(old: &SignOff, new: &SignOff) -> bool {
    old.state != new.state
        || old.team != new.team
        || old.quorum != new.quorum
        || old.next != new.next
        || old.hurried != new.hurried
        || old.shift != new.shift
        || old.decided != new.decided
}

fn escalation_row(it: &Escalation) -> EscalationRow {
    let outcome = it.resolution.as_ref().map(|it| it.outcome);
    EscalationRow {
        round: it.round,
        digest: it.digest.clone(),
        readable: u8::from(it.is_readable),
        state: outcome.map_or("pending", |it| it.as_str()).to_owned(),
        last: it.last,
        due: it.due(),
        respond_by: respond_by(it),
        ended: it.resolution.as_ref().map(|it| it.at),
        joined: it.joined,
        first_viewed: it.first_viewed,
        released: it.released,
        undelivered: it.undelivered,
        late_votes: it.late_votes,
    }
}

/// When the earliest of the sign-offs is overdue that wait; of all of them, once it ended.
fn respond_by(it: &Escalation) -> Option<Timestamp> {
    let sign_offs = it.sign_offs.iter();
    let asked = sign_offs.filter(|sign_off| !it.is_pending() || sign_off.is_waiting());
    asked.filter_map(|sign_off| sign_off.plan.respond_by).min()
}

fn pinned_row(it: &Escalation) -> Result<PinnedRow<'_>, StoreError> {
    let pinned = &*it.pinned;
    Ok(PinnedRow {
        opened: pinned.opened,
        cap: pinned.cap,
        requester: &pinned.requester,
        key: &pinned.key,
        digest0: &pinned.digest,
        matrix: &pinned.matrix,
        lane: &pinned.lane,
        urgency: pinned.urgency,
        flood: &pinned.flood,
        group_key: pinned.group.as_deref(),
        asks: u8::from(pinned.asks),
        readable0: u8::from(pinned.is_readable),
        pinned: text(pinned)?,
    })
}

fn sign_off_row(n: usize, it: &SignOff, of: &Escalation) -> SignOffRow {
    let cap = of.pinned.cap;
    let last = it.plan.steps.last();
    SignOffRow {
        n: number(n),
        lane: it.plan.lane.clone(),
        plan: None,
        state: it.state.as_str().to_owned(),
        team: it.team.clone(),
        quorum: it.quorum,
        next: it.next,
        hurried: it.hurried,
        shift: it.shift.as_millis(),
        due: it.is_waiting().then(|| it.due(cap)).flatten(),
        deadline: it.deadline(cap),
        allows: u8::from(last.is_some_and(|step| matches!(step.does, Does::Allow(_)))),
        decided: it.decided,
    }
}

fn seat_row(sign_off: usize, n: usize, seat: &Seat) -> SeatRow {
    SeatRow {
        sign_off: number(sign_off),
        n: number(n),
        person: seat.person.clone(),
        via: seat.via.clone(),
        for_whom: seat.for_whom.clone(),
        since: seat.since,
        until: seat.until,
    }
}

fn vote_row(n: usize, vote: &Vote) -> VoteRow {
    VoteRow {
        n: number(n),
        round: vote.round,
        person: vote.person.clone(),
        kind: vote.kind.as_str().to_owned(),
        at: vote.at,
        digest: vote.digest.clone(),
        operator: vote.operator.clone(),
    }
}

fn resolution_row(it: &Resolution) -> Result<ResolutionRow, StoreError> {
    Ok(ResolutionRow {
        outcome: it.outcome.as_str().to_owned(),
        end_how: it.end.map(|end| end.as_str().to_owned()),
        at: it.at,
        cause: text(&it.cause)?,
        by_silence: u8::from(it.by_silence),
    })
}

fn grant_row(it: &Grant) -> GrantRow {
    GrantRow {
        state: it.state.as_str().to_owned(),
        digest: it.digest.clone(),
        lapses: it.lapses,
        consume_key: it.consume_key.clone(),
        ended: it.ended,
    }
}

fn audit_row(new: &crate::store::NewRow) -> AuditRow<'_> {
    let row = &new.row;
    AuditRow {
        n: row.n,
        at: row.at,
        kind: &row.kind,
        payload: bytes(row.payload),
        previous: bytes(row.previous),
        hash: bytes(row.hash),
    }
}

fn payload_row(new: &crate::store::NewRow) -> PayloadRow<'_> {
    PayloadRow {
        n: new.row.n,
        salt: bytes(new.salt),
        body: &new.body,
    }
}

fn notice_row(notice: &Notice) -> Result<NoticeRow<'_>, StoreError> {
    Ok(NoticeRow {
        id: &notice.id,
        notice: text(notice)?,
        merge: notice.merge.as_deref(),
        at: notice.at,
    })
}

/// Bytes as the database reads them in text.
fn bytes(hexadecimal: impl std::fmt::Display) -> String {
    format!("\\x{hexadecimal}")
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn text(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::other(error.to_string()))
}
