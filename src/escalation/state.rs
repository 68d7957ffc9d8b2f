//! An escalation as it is now.
//!
//! In: made by [`open`](super::open), changed by [`apply`](super::apply). Out: read by stores and views.
//! Invariant: [`Pinned`] and each [`Plan`] never change; votes are only added.
//! Knows no command.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::plan::{Does, Plan};
use super::principal::Principal;
use super::stricter::Demands;
use super::time::as_micros;
use crate::clock::{Duration, Timestamp};
use crate::decision::{Holds, Urgency};

/// One escalation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// What was settled at the opening.
    pub pinned: Arc<Pinned>,
    /// The last instant at which something was done with it: its time never goes back (rule 4).
    pub last: Timestamp,
    /// The round of votes, from 1; each amendment starts one (rule 7).
    pub round: u32,
    /// What the votes of this round are about: the digest of the action.
    pub digest: String,
    /// Whether what the votes of this round are about could be read.
    pub is_readable: bool,
    /// What its lanes demand, in the order of the decision.
    pub sign_offs: Vec<SignOff>,
    /// The votes in their order.
    pub votes: Vec<Vote>,
    /// How it ended; absent while it is pending.
    pub resolution: Option<Resolution>,
    /// The permission that an approval gave.
    pub grant: Option<Grant>,
    /// How many further events joined it.
    pub joined: u32,
    /// When an eligible person first saw it.
    pub first_viewed: Option<Timestamp>,
    /// When an operator released what a denial keeps; only of what was reported and not asked.
    pub released: Option<Timestamp>,
    /// Notices of it that could not be delivered.
    pub undelivered: u32,
    /// Votes that came too late (rule 6).
    pub late_votes: u32,
}

/// What never changes after the opening (rule 9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// The id, unique in the store.
    pub id: String,
    /// When it opened.
    #[serde(with = "as_micros")]
    pub opened: Timestamp,
    /// Nothing of it lies behind this instant (rule 4).
    #[serde(with = "as_micros")]
    pub cap: Timestamp,
    /// Who asked, as it was authenticated.
    pub requester: Principal,
    /// The agent on whose behalf, where the requester names one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent: Option<Principal>,
    /// Who may not approve: the requester, the agent, and those whose agents they are (rule 3).
    pub excluded: Vec<Principal>,
    /// The idempotency key of the request (rule 1).
    pub key: String,
    /// The digest of the action that was asked for.
    pub digest: String,
    /// The digest of the matrix that decided.
    pub matrix: String,
    /// What names the decision: the primary lane, `otherwise` or `unreadable`.
    pub lane: String,
    /// The primary lane's urgency.
    pub urgency: Urgency,
    /// What holds while it is pending.
    pub holds: Holds,
    /// Whether the event could be read. What could not is never approved as it is (rule 2).
    pub is_readable: bool,
    /// Whether the event asks for an action, and does not only report one (rule 2).
    pub asks: bool,
    /// Equal for events that join each other; absent where some lane has no `group by`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<String>,
    /// Equal for those whose notices merge in a flood (rule 13).
    pub flood: String,
    /// What was demanded, for comparison at amendment and consumption (rules 7 and 8).
    pub demands: Demands,
}

/// What one attached lane demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOff {
    /// Its terms.
    pub plan: Arc<Plan>,
    /// Where it stands.
    pub state: SignOffState,
    /// The team that is asked now.
    pub team: String,
    /// How many distinct people must agree now.
    pub quorum: u32,
    /// The position of the next step of its plan.
    pub next: u32,
    /// Steps before this position were brought forward, because nobody could be asked.
    pub hurried: u32,
    /// How much later than planned its steps come (rule 4).
    pub shift: Duration,
    /// Who is asked, and who was.
    pub seats: Vec<Seat>,
    /// When it left `waiting` last.
    pub decided: Option<Timestamp>,
}

/// Where a sign-off stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the lifecycle")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum SignOffState {
    Waiting,
    Satisfied,
    AutoAllowed,
    Denied,
    TimedOut,
    Moot,
}

/// The right of one person to vote in one sign-off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub person: Principal,
    /// The group by which; its membership is checked when voting (rule 3).
    pub via: Option<String>,
    /// For whom a delegate votes; both count once (rule 10).
    pub for_whom: Option<Principal>,
    /// From when.
    pub since: Timestamp,
    /// Until when; absent while it holds.
    pub until: Option<Timestamp>,
}

/// One vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// The round in which it was given.
    pub round: u32,
    /// Who.
    pub person: Principal,
    /// What.
    pub kind: VoteKind,
    /// When.
    pub at: Timestamp,
    /// What it is about: the digest of the action.
    pub digest: String,
    /// The operator who gave it for that person on a local command line.
    pub operator: Option<Principal>,
}

/// What a vote says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum VoteKind {
    /// The action may run.
    Approve,
    /// It must not.
    Deny,
    /// An approval is taken back.
    Withdraw,
    /// The engine takes back the approval of a person who left (rule 3).
    Void,
}

/// How an escalation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// To what end.
    pub outcome: Outcome,
    /// Of a time-out, whether a resubmission is welcome.
    pub end: Option<End>,
    /// When.
    #[serde(with = "as_micros")]
    pub at: Timestamp,
    /// What brought it about.
    pub cause: Cause,
    /// Whether no person voted in any of its sign-offs, and all of them were allowed by silence.
    pub by_silence: bool,
}

/// The ends of an escalation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the lifecycle")]
pub enum Outcome {
    Approved,
    Amended,
    Denied,
    TimedOut,
    Cancelled,
}

/// How a time-out ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum End {
    /// Refused.
    Deny,
    /// Refused, and a new attempt is welcome.
    Expire,
}

/// What brought an end about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A vote, of this person.
    Vote(Principal),
    /// A step of this lane.
    Step(String),
    /// Its requester, or an operator, took it back.
    Cancelled(Principal),
    /// Too many were open (rule 13).
    Flood,
    /// Too few people could answer in this lane (rule 3).
    UnsatisfiableQuorum(String),
}

/// The single-use permission that an approval gives (rule 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Where it stands.
    pub state: GrantState,
    /// For which action.
    pub digest: String,
    /// Until when it may be consumed.
    pub lapses: Timestamp,
    /// The key by which it was consumed.
    pub consume_key: Option<String>,
    /// When it was consumed, lapsed or was revoked.
    pub ended: Option<Timestamp>,
}

/// Where a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the lifecycle")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum GrantState {
    Live,
    Consumed,
    Lapsed,
    Revoked,
}

impl Escalation {
    /// Whether it has not ended.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.resolution.is_none()
    }

    /// The answer to a caller that waits: `allow`, `modify`, `block` or `escalate`. An approval whose grant
    /// was used, lapsed (whether or not that is noted yet) or was taken back allows nothing any more.
    #[must_use]
    pub fn word(&self, now: Timestamp) -> &'static str {
        let Some(resolution) = &self.resolution else {
            return "escalate";
        };
        let is_live = |grant: &Grant| grant.state == GrantState::Live && now < grant.lapses;
        let may_run = self.grant.as_ref().is_none_or(is_live);
        match resolution.outcome {
            Outcome::Approved if may_run => "allow",
            Outcome::Amended if may_run => "modify",
            _ => "block",
        }
    }

    /// When something is to be done with it: the next step of a waiting sign-off, or the lapse of a
    /// live grant.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        if self.is_pending() {
            let waiting = self
                .sign_offs
                .iter()
                .filter(|sign_off| sign_off.is_waiting());
            return waiting
                .filter_map(|sign_off| sign_off.due(self.pinned.cap))
                .min();
        }
        let grant = self.grant.as_ref()?;
        (grant.state == GrantState::Live).then_some(grant.lapses)
    }

    /// The approvals of this round that stand.
    pub fn approvals(&self) -> impl Iterator<Item = &Vote> {
        let in_round = self.votes.iter().filter(|vote| vote.round == self.round);
        in_round.filter(|vote| {
            vote.kind == VoteKind::Approve
                && vote.digest == self.digest
                && !self.is_taken_back(vote)
        })
    }

    fn is_taken_back(&self, vote: &Vote) -> bool {
        self.votes.iter().any(|later| {
            later.round == vote.round
                && later.person == vote.person
                && matches!(later.kind, VoteKind::Withdraw | VoteKind::Void)
        })
    }

    /// The vote of a person in this round, of a kind.
    #[must_use]
    pub fn vote_of(&self, person: &Principal, kind: VoteKind) -> Option<&Vote> {
        self.votes
            .iter()
            .find(|vote| vote.round == self.round && vote.person == *person && vote.kind == kind)
    }

    /// For whom the approvals of this round count in a sign-off: each person once, a delegate and who
    /// delegated together once (rules 3 and 10).
    #[must_use]
    pub fn counted<'e>(&'e self, sign_off: &'e SignOff) -> Vec<&'e Principal> {
        let deadline = sign_off.deadline(self.pinned.cap);
        let mut counted: Vec<&Principal> = Vec::new();
        // Rule 4: what was given before the final instant.
        for vote in self.approvals().filter(|vote| vote.at < deadline) {
            if let Some(seat) = sign_off.seat_of(&vote.person) {
                let who = seat.for_whom.as_ref().unwrap_or(&seat.person);
                if !counted.contains(&who) {
                    counted.push(who);
                }
            }
        }
        counted
    }
}

impl Outcome {
    /// Whether the action may run.
    #[must_use]
    pub fn is_approval(self) -> bool {
        matches!(self, Self::Approved | Self::Amended)
    }
}

impl SignOff {
    /// Whether it is not decided yet.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.state == SignOffState::Waiting
    }

    /// The instant of a step of its plan, with its lateness.
    #[must_use]
    pub fn instant(&self, step: u32, cap: Timestamp) -> Option<Timestamp> {
        let step = self.plan.steps.get(step as usize)?;
        let at = step.at.checked_add_signed(self.shift.to_chrono());
        Some(at.unwrap_or(cap).min(cap))
    }

    /// When its next step comes.
    #[must_use]
    pub fn due(&self, cap: Timestamp) -> Option<Timestamp> {
        self.instant(self.next, cap)
    }

    /// Its final instant: a vote counts before it (rule 4).
    #[must_use]
    pub fn deadline(&self, cap: Timestamp) -> Timestamp {
        let last = self.plan.steps.len().saturating_sub(1);
        let last = u32::try_from(last).ok();
        last.and_then(|last| self.instant(last, cap)).unwrap_or(cap)
    }

    /// The next step.
    #[must_use]
    pub fn next_step(&self) -> Option<&Does> {
        self.plan
            .steps
            .get(self.next as usize)
            .map(|step| &step.does)
    }

    /// The seats that hold.
    pub fn seated(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter().filter(|seat| seat.until.is_none())
    }

    /// The seat of a person, if it holds: a person's own before one that was delegated.
    #[must_use]
    pub fn seat_of(&self, person: &Principal) -> Option<&Seat> {
        let seats = self.seated().filter(|seat| seat.person == *person);
        seats.min_by_key(|seat| seat.for_whom.is_some())
    }
}

macro_rules! words {
    ($($name:ident { $($variant:ident => $word:literal),* $(,)? })*) => {
        $(
            impl $name {
                /// The word.
                #[must_use]
                pub fn as_str(self) -> &'static str {
                    match self { $(Self::$variant => $word),* }
                }

                /// From its word.
                #[must_use]
                pub fn from_word(word: &str) -> Option<Self> {
                    match word { $($word => Some(Self::$variant),)* _ => None }
                }
            }
        )*
    };
}

words! {
    SignOffState {
        Waiting => "waiting", Satisfied => "satisfied", AutoAllowed => "auto_allowed",
        Denied => "denied", TimedOut => "timed_out", Moot => "moot",
    }
    VoteKind { Approve => "approve", Deny => "deny", Withdraw => "withdraw", Void => "void" }
    Outcome {
        Approved => "approved", Amended => "amended", Denied => "denied",
        TimedOut => "timed_out", Cancelled => "cancelled",
    }
    End { Deny => "deny", Expire => "expire" }
    GrantState { Live => "live", Consumed => "consumed", Lapsed => "lapsed", Revoked => "revoked" }
}
