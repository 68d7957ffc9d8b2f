//! Escalations as JSON, for programs: what the command line and the service show.
//!
//! In: what the desk shows. Out: objects whose keys stay; `tests/cli_escalations.rs` has them.
//! Invariant: instants are RFC 3339; numbers of an event keep their digits.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Done, Happened, Shown};
use crate::clock::{Timestamp, format_timestamp};
use crate::decision::{Holds, Urgency};
use crate::escalation::packet::Packet;
use crate::escalation::time::micros;
use crate::escalation::{
    Cause, Does, End, Escalation, GrantState, Outcome, Principal, Reply, Seat, SignOff,
    SignOffState, Vote, VoteKind,
};
use crate::store::{Cursor, Order, Summary};

/// The word for the state of an escalation.
#[must_use]
pub fn state(outcome: Option<Outcome>) -> &'static str {
    outcome.map_or("pending", Outcome::as_str)
}

/// Where a page of that order ends, as the next one is asked for.
#[must_use]
pub fn cursor_text(last: &Summary, order: Order) -> String {
    let cursor = Cursor::behind(last, order);
    format!("{}-{}", micros(cursor.at), cursor.id)
}

/// What [`cursor_text`] wrote; nothing for another text.
#[must_use]
pub fn read_cursor(text: &str) -> Option<Cursor> {
    let (micros, id) = text.split_once('-')?;
    let at = Timestamp::from_timestamp_micros(micros.parse().ok()?)?;
    Some(Cursor {
        at,
        id: id.to_owned(),
    })
}

/// An instant in text.
fn text(at: Timestamp) -> String {
    format_timestamp(at)
}

/// What a command answers.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Answered<'d> {
    /// `done`, `unchanged` or `consumed`.
    pub reply: &'static str,
    /// Whether the same use of a permission was answered before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replayed: Option<bool>,
    /// It, as it is then.
    pub escalation: Data<'d>,
}

impl<'d> Answered<'d> {
    /// Of what was done.
    #[must_use]
    pub fn of(done: &'d Done, now: Timestamp) -> Self {
        let (reply, replayed) = match done.reply {
            Reply::Done => ("done", None),
            Reply::Unchanged => ("unchanged", None),
            Reply::Consumed { replayed } => ("consumed", Some(replayed)),
        };
        Self {
            reply,
            replayed,
            escalation: Data::of(&done.escalation, now),
        }
    }
}

/// One escalation.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(as = Escalation))]
pub struct Data<'d> {
    id: &'d str,
    state: &'static str,
    /// What a caller that waits is told.
    word: &'static str,
    lane: &'d str,
    urgency: Urgency,
    requester: &'d Principal,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'d Principal>,
    key: &'d str,
    opened: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    round: u32,
    digest: &'d str,
    matrix: &'d str,
    readable: bool,
    asks: bool,
    meanwhile: &'d Holds,
    sign_offs: Vec<SignOffData<'d>>,
    votes: Vec<VoteData<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<ResolutionData<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<GrantData<'d>>,
    joined: u32,
    late_votes: u32,
    undelivered: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_viewed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    released: Option<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(as = SignOff))]
struct SignOffData<'d> {
    lane: &'d str,
    unsure: bool,
    state: SignOffState,
    team: &'d str,
    quorum: u32,
    agreed: Vec<&'d Principal>,
    urgency: Urgency,
    #[serde(skip_serializing_if = "Option::is_none")]
    respond_by: Option<String>,
    deadline: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<String>,
    asked: Vec<SeatData<'d>>,
    steps: Vec<StepData<'d>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(as = Seat))]
struct SeatData<'d> {
    person: &'d Principal,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<&'d str>,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    for_whom: Option<&'d Principal>,
    since: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(as = Step))]
struct StepData<'d> {
    at: String,
    #[serde(rename = "do")]
    does: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'d str>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(as = Vote))]
struct VoteData<'d> {
    round: u32,
    person: &'d Principal,
    vote: VoteKind,
    at: String,
    digest: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<&'d Principal>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(as = Resolution))]
struct ResolutionData<'d> {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<End>,
    at: String,
    /// `vote`, `step`, `cancelled`, `flood` or `unsatisfiable_quorum`.
    cause: &'static str,
    /// The person or the lane of the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'d str>,
    by_silence: bool,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(as = Grant))]
struct GrantData<'d> {
    state: GrantState,
    digest: &'d str,
    lapses: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
}

impl<'d> Data<'d> {
    /// Of an escalation, as it is at an instant.
    #[must_use]
    pub fn of(it: &'d Escalation, now: Timestamp) -> Self {
        let pinned = &it.pinned;
        let resolution = it.resolution.as_ref();
        Self {
            id: &pinned.id,
            state: state(resolution.map(|it| it.outcome)),
            word: it.word(now),
            lane: &pinned.lane,
            urgency: pinned.urgency,
            requester: &pinned.requester,
            agent: pinned.agent.as_ref(),
            key: &pinned.key,
            opened: text(pinned.opened),
            due: it.due().map(text),
            round: it.round,
            digest: &it.digest,
            matrix: &pinned.matrix,
            readable: it.is_readable,
            asks: pinned.asks,
            meanwhile: &pinned.holds,
            sign_offs: it
                .sign_offs
                .iter()
                .map(|sign_off| SignOffData::of(it, sign_off))
                .collect(),
            votes: it.votes.iter().map(VoteData::of).collect(),
            resolution: resolution.map(ResolutionData::of),
            grant: it.grant.as_ref().map(|grant| GrantData {
                state: grant.state,
                digest: &grant.digest,
                lapses: text(grant.lapses),
                ended: grant.ended.map(text),
            }),
            joined: it.joined,
            late_votes: it.late_votes,
            undelivered: it.undelivered,
            first_viewed: it.first_viewed.map(text),
            released: it.released.map(text),
        }
    }
}

impl<'d> SignOffData<'d> {
    fn of(it: &'d Escalation, sign_off: &'d SignOff) -> Self {
        let cap = it.pinned.cap;
        Self {
            lane: &sign_off.plan.lane,
            unsure: sign_off.plan.unsure,
            state: sign_off.state,
            team: &sign_off.team,
            quorum: sign_off.quorum,
            agreed: it.counted(sign_off),
            urgency: sign_off.plan.urgency,
            respond_by: sign_off.plan.respond_by.map(text),
            deadline: text(sign_off.deadline(cap)),
            decided: sign_off.decided.map(text),
            asked: sign_off.seated().map(SeatData::of).collect(),
            steps: remaining(sign_off, cap)
                .map(|(at, does)| StepData::of(at, does))
                .collect(),
        }
    }
}

/// The steps that are still to come, if nobody answers.
pub fn remaining(sign_off: &SignOff, cap: Timestamp) -> impl Iterator<Item = (Timestamp, &Does)> {
    let steps = sign_off.plan.steps.iter().enumerate();
    let from = match sign_off.is_waiting() {
        true => sign_off.next as usize,
        false => usize::MAX,
    };
    steps.skip(from).filter_map(move |(position, step)| {
        let position = u32::try_from(position).ok()?;
        Some((sign_off.instant(position, cap)?, &step.does))
    })
}

impl<'d> SeatData<'d> {
    fn of(seat: &'d Seat) -> Self {
        Self {
            person: &seat.person,
            via: seat.via.as_deref(),
            for_whom: seat.for_whom.as_ref(),
            since: text(seat.since),
        }
    }
}

impl<'d> StepData<'d> {
    fn of(at: Timestamp, does: &'d Does) -> Self {
        let (word, to) = match does {
            Does::NotifyBackup => ("notify_backup", None),
            Does::Notify(team) => ("notify", Some(team)),
            Does::Route(team) => ("route", Some(team)),
            Does::Run(action) => ("run", Some(action)),
            Does::Remind => ("remind", None),
            Does::Deny => ("deny", None),
            Does::Expire => ("expire", None),
            Does::Allow(why) => ("allow", Some(why)),
        };
        Self {
            at: text(at),
            does: word,
            to: to.map(String::as_str),
        }
    }
}

impl<'d> VoteData<'d> {
    fn of(vote: &'d Vote) -> Self {
        Self {
            round: vote.round,
            person: &vote.person,
            vote: vote.kind,
            at: text(vote.at),
            digest: &vote.digest,
            operator: vote.operator.as_ref(),
        }
    }
}

impl<'d> ResolutionData<'d> {
    fn of(it: &'d crate::escalation::Resolution) -> Self {
        let (cause, by): (_, Option<&str>) = match &it.cause {
            Cause::Vote(person) => ("vote", Some(person)),
            Cause::Step(lane) => ("step", Some(lane)),
            Cause::Cancelled(who) => ("cancelled", Some(who)),
            Cause::Flood => ("flood", None),
            Cause::UnsatisfiableQuorum(lane) => ("unsatisfiable_quorum", Some(lane)),
        };
        Self {
            outcome: it.outcome.as_str(),
            end: it.end,
            at: text(it.at),
            cause,
            by,
            by_silence: it.by_silence,
        }
    }
}

/// One escalation with all that happened to it.
#[derive(Debug, Serialize)]
pub struct Whole<'d> {
    #[serde(flatten)]
    escalation: Data<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packet: Option<&'d Packet>,
    /// What happened, the oldest first.
    pub history: Vec<HappenedData<'d>>,
}

/// One thing that happened.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(as = Happened))]
pub struct HappenedData<'d> {
    n: u64,
    at: String,
    what: &'d str,
    /// Absent where it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<Object>))]
    body: Option<&'d RawValue>,
}

impl<'d> Whole<'d> {
    /// Of what a desk shows.
    #[must_use]
    pub fn of(shown: &'d Shown, now: Timestamp) -> Self {
        let happened = |it: &'d Happened| HappenedData {
            n: it.row.n,
            at: text(it.row.at),
            what: &it.row.kind,
            body: it.body().and_then(|body| serde_json::from_str(body).ok()),
        };
        Self {
            escalation: Data::of(&shown.escalation, now),
            packet: shown.packet.as_ref(),
            history: shown.history.iter().map(happened).collect(),
        }
    }
}

/// An escalation in a list.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(as = ListedEscalation))]
pub struct Listed<'d> {
    id: &'d str,
    state: &'static str,
    lane: &'d str,
    urgency: Urgency,
    teams: &'d [String],
    requester: &'d Principal,
    opened: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    respond_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    by_silence: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_viewed: Option<String>,
    joined: u32,
    late_votes: u32,
    undelivered: u32,
    erased: bool,
}

impl<'d> Listed<'d> {
    /// Of a row of a page.
    #[must_use]
    pub fn of(it: &'d Summary) -> Self {
        Self {
            id: &it.id,
            state: state(it.outcome),
            lane: &it.lane,
            urgency: it.urgency,
            teams: &it.teams,
            requester: &it.requester,
            opened: text(it.opened),
            respond_by: it.respond_by.map(text),
            due: it.due.map(text),
            ended: it.ended.map(text),
            by_silence: it.by_silence,
            first_viewed: it.first_viewed.map(text),
            joined: it.joined,
            late_votes: it.late_votes,
            undelivered: it.undelivered,
            erased: it.is_erased,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escalation::Principal;

    #[test]
    fn a_cursor_reads_back_and_anything_else_is_refused() {
        let summary = Summary {
            id: "0197".to_owned(),
            lane: "big".to_owned(),
            urgency: Urgency::High,
            digest: "d0".to_owned(),
            requester: Principal::parse("bot").unwrap(),
            opened: "2026-11-20T10:00:00.000001Z".parse().unwrap(),
            outcome: None,
            ended: None,
            by_silence: false,
            due: None,
            respond_by: None,
            first_viewed: None,
            teams: Vec::new(),
            joined: 0,
            late_votes: 0,
            undelivered: 0,
            is_erased: false,
        };
        let text = cursor_text(&summary, Order::Newest);
        let cursor = Cursor::behind(&summary, Order::Newest);
        assert_eq!(read_cursor(&text), Some(cursor));
        for wrong in ["", "x", "12", "a-b", "99999999999999999999-b"] {
            assert!(read_cursor(wrong).is_none(), "{wrong:?}");
        }
    }
}
