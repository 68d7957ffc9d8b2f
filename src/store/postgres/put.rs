//! What a command did, as one document for `laneway_put` and the rows of the audit.
//!
//! In: a [`Writing`]. Out: JSON with the rows that are new, and those that changed; the audit in columns.
//! Invariant: what did not change is not written; the order of writing is that of the database function.
//! Knows no rule of the lifecycle.

use std::sync::Arc;

use serde::Serialize;

use super::rows::{
    EscalationRow, GrantRow, NoticeRow, PinnedRow, PlanRow, ResolutionRow, SeatRow, SignOffRow,
    VoteRow,
};
use super::transaction::whole;
use crate::clock::{Duration, Timestamp};
use crate::escalation::time::micros;
use crate::escalation::{Escalation, Grant, Notice, Resolution, Seat, SignOff, SignOffState, Vote};
use crate::store::changes::Changes;
use crate::store::erasure;
use crate::store::respond::respond_by;
use crate::store::{NewRow, StoreError, Writing};

/// The document of `laneway_put`. What is empty is left out.
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
    let after = writing.after;
    let changes = Changes::of(writing)?;
    let by_time = [SignOffState::AutoAllowed, SignOffState::TimedOut];
    let mut moved = changes.moved.iter();
    let passes = moved.any(|(_, it)| by_time.contains(&it.state));
    let (outbox, merging) = notice_rows(writing.notices)?;
    let document = Document {
        id: &after.pinned.id,
        is_new: changes.opens,
        is_early: changes.new_round || passes,
        is_anew: changes.new_round,
        escalation: Both {
            row: escalation_row(after),
            pinned: changes.opens.then(|| pinned_row(after)).transpose()?,
        },
        sign_offs_new: rows(&changes.begun, |(n, it)| new_sign_off_row(*n, it, after))?,
        seats_new: rows(&changes.seated, |(of, n, it)| seat_row(*of, *n, it, None))?,
        votes: rows(&changes.votes, |(n, it)| vote_row(*n, it))?,
        seats_ended: rows(&changes.unseated, |(of, n, until)| {
            let seats = after.sign_offs.get(*of).map(|it| &it.seats);
            let seat = seats.and_then(|seats| seats.get(*n));
            let seat = seat.ok_or_else(|| StoreError::other("a seat ends that is not there"))?;
            seat_row(*of, *n, seat, Some(*until))
        })?,
        sign_offs: rows(&changes.moved, |(n, it)| sign_off_row(*n, it, after))?,
        resolution: changes.resolution.map(resolution_row).transpose()?,
        grant_new: changes.granted.map(grant_row),
        grant: changes.grant.map(grant_row),
        outbox,
        merging,
    };
    text(&document)
}

/// New rows of the audit and their payloads, a list for each column: the other parameters of `laneway_put`.
#[derive(Debug, Default)]
pub(super) struct Columns<'w> {
    pub(super) n: Vec<i64>,
    pub(super) at: Vec<i64>,
    pub(super) kind: Vec<&'w str>,
    pub(super) payload: Vec<&'w [u8]>,
    pub(super) previous: Vec<&'w [u8]>,
    pub(super) hash: Vec<&'w [u8]>,
    pub(super) salt: Vec<&'w [u8]>,
    pub(super) body: Vec<&'w str>,
}

/// The rows of a writing.
pub(super) fn columns<'w>(rows: &'w [NewRow]) -> Result<Columns<'w>, StoreError> {
    let mut columns = Columns::default();
    for NewRow { row, salt, body } in rows {
        columns.n.push(whole(row.n)?);
        columns.at.push(micros(row.at));
        columns.kind.push(&row.kind);
        columns.payload.push(&row.payload.0);
        columns.previous.push(&row.previous.0);
        columns.hash.push(&row.hash.0);
        columns.salt.push(&salt.0);
        columns.body.push(body);
    }
    Ok(columns)
}

/// The parameter of `laneway_erase`: all that has names, with numbers in their place.
#[derive(Debug, Serialize)]
struct Numbered {
    plans: Vec<PlanRow>,
    seats: Vec<SeatRow>,
    votes: Vec<VoteRow>,
    cause: Option<String>,
}

/// The document of an erasure.
pub(super) fn numbered(it: &Escalation) -> Result<String, StoreError> {
    let it = erasure::numbered(it)?;
    let mut document = Numbered {
        plans: Vec::new(),
        seats: Vec::new(),
        votes: Vec::new(),
        cause: None,
    };
    for (position, sign_off) in it.sign_offs.iter().enumerate() {
        document.plans.push(PlanRow {
            n: number(position)?,
            plan: text(&*sign_off.plan)?,
        });
        for (n, seat) in sign_off.seats.iter().enumerate() {
            document
                .seats
                .push(seat_row(position, n, seat, seat.until)?);
        }
    }
    for (n, vote) in it.votes.iter().enumerate() {
        document.votes.push(vote_row(n, vote)?);
    }
    if let Some(end) = &it.resolution {
        document.cause = Some(text(&end.cause)?);
    }
    text(&document)
}

fn rows<T, R>(
    changed: &[T],
    row: impl FnMut(&T) -> Result<R, StoreError>,
) -> Result<Vec<R>, StoreError> {
    changed.iter().map(row).collect()
}

/// Those that are sent by themselves, and those that are counted where one of their key waits.
type Notices<'w> = (Vec<NoticeRow<'w>>, Vec<NoticeRow<'w>>);

fn notice_rows(notices: &[Notice]) -> Result<Notices<'_>, StoreError> {
    let rows: Result<Vec<_>, _> = notices.iter().map(notice_row).collect();
    Ok(rows?.into_iter().partition(|row| row.merge.is_none()))
}

/// A new sign-off begins to wait by its plan; what it came to at once is written like a change.
fn new_sign_off_row(
    n: usize,
    sign_off: &SignOff,
    of: &Escalation,
) -> Result<SignOffRow, StoreError> {
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
    let mut row = sign_off_row(n, &begun, of)?;
    row.plan = Some(text(&*sign_off.plan)?);
    Ok(row)
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

fn sign_off_row(n: usize, it: &SignOff, of: &Escalation) -> Result<SignOffRow, StoreError> {
    let cap = of.pinned.cap;
    let last = it.plan.steps.last();
    Ok(SignOffRow {
        n: number(n)?,
        lane: it.plan.lane.clone(),
        cap,
        ends_at: last.map_or(cap, |step| step.at),
        plan: None,
        state: it.state.as_str().to_owned(),
        team: it.team.clone(),
        quorum: it.quorum,
        next: it.next,
        hurried: it.hurried,
        shift: it.shift.as_millis(),
        due: it.is_waiting().then(|| it.due(cap)).flatten(),
        deadline: it.deadline(cap),
        allows: u8::from(it.plan.allows()),
        decided: it.decided,
    })
}

fn seat_row(
    sign_off: usize,
    n: usize,
    seat: &Seat,
    until: Option<Timestamp>,
) -> Result<SeatRow, StoreError> {
    Ok(SeatRow {
        sign_off: number(sign_off)?,
        n: number(n)?,
        person: seat.person.clone(),
        via: seat.via.clone(),
        for_whom: seat.for_whom.clone(),
        since: seat.since,
        until,
    })
}

fn vote_row(n: usize, vote: &Vote) -> Result<VoteRow, StoreError> {
    Ok(VoteRow {
        n: number(n)?,
        round: vote.round,
        person: vote.person.clone(),
        kind: vote.kind.as_str().to_owned(),
        at: vote.at,
        digest: vote.digest.clone(),
        operator: vote.operator.clone(),
    })
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

fn notice_row(notice: &Notice) -> Result<NoticeRow<'_>, StoreError> {
    Ok(NoticeRow {
        id: &notice.id,
        notice: text(notice)?,
        merge: notice.merge.as_deref(),
        at: notice.at,
    })
}

fn number(place: usize) -> Result<u32, StoreError> {
    u32::try_from(place).map_err(|_| StoreError::other("a number is too large to be stored"))
}

fn text(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::other(error.to_string()))
}
