//! What can be done with an escalation, by whom, and what is answered.
//!
//! In: from people, callers and the desk. Out: to [`apply`](super::apply).
//! Invariant: who acts comes from the transport, never from what is sent (rule 3).

use super::plan::{Plan, Roster};
use super::principal::Principal;
use super::state::{Outcome, Resolution};
use super::stricter::{Demands, Stricter};
use crate::clock::Timestamp;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who, as it was authenticated.
    pub principal: Principal,
    /// In which role.
    pub role: Role,
    /// Who acts as that person on a local command line that permits it.
    pub operator: Option<Principal>,
}

/// In which role someone acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A person or a service like any other.
    Anyone,
    /// An operator: reassigns, cancels, revokes, releases.
    Operator,
    /// The desk itself.
    Engine,
}

impl Actor {
    /// Someone without a role.
    #[must_use]
    pub fn new(principal: Principal) -> Self {
        Self {
            principal,
            role: Role::Anyone,
            operator: None,
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A vote.
    Vote(VoteOf),
    /// Names a changed input, and approves it (rule 7).
    Amend(Box<Amendment>),
    /// Takes the request back.
    Cancel {
        /// Why.
        reason: Option<String>,
    },
    /// Asks another team of the pinned matrix (rule 10).
    Reassign {
        /// Whose sign-off; needed where there are several.
        lane: Option<String>,
        /// The team.
        team: String,
        /// Its people now.
        roster: Roster,
    },
    /// Lets another person vote in one's place (rule 10).
    Delegate {
        /// Who.
        to: Principal,
    },
    /// Says something.
    Comment {
        /// What.
        text: String,
    },
    /// Adds a piece of evidence.
    Attach {
        /// Its name.
        name: String,
        /// What it is, as JSON.
        value: String,
    },
    /// Notes that an eligible person saw it.
    View,
    /// A further event joins it.
    Join {
        /// The event's action digest.
        digest: String,
        /// The event's id.
        event: Option<String>,
        /// The key of its request.
        key: String,
        /// Who asked.
        requester: Principal,
    },
    /// Performs what is due.
    Tick,
    /// All notices of a step failed (rule 12).
    Undelivered {
        /// Of which lane.
        lane: String,
    },
    /// Uses the grant (rule 8).
    Consume {
        /// Of the action that is about to run.
        digest: String,
        /// Makes a repeated call the same call.
        key: String,
        /// What the live matrix demands for it now.
        now: Box<Demands>,
        /// The digest of the live matrix.
        matrix: String,
    },
    /// Takes the grant back.
    Revoke {
        /// Why.
        reason: Option<String>,
    },
    /// Releases what a denial keeps, of what was reported (rule 2).
    Release,
}

/// A vote as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoteOf {
    /// The action may run.
    Approve {
        /// The digest of the action that the person saw.
        digest: String,
        /// Why.
        reason: Option<String>,
    },
    /// It must not.
    Deny {
        /// Why.
        reason: String,
    },
    /// An approval is taken back.
    Withdraw {
        /// Why.
        reason: Option<String>,
    },
}

/// A changed input, decided again under the pinned matrix (rule 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// The digest of the changed action.
    pub digest: String,
    /// Whether it can be read.
    pub is_readable: bool,
    /// What the pinned matrix demands for it.
    pub demands: Demands,
    /// The sign-offs that it demands, of what could not be read before.
    pub plans: Vec<Plan>,
    /// The changed input as JSON, for the record.
    pub input: String,
    /// Why.
    pub reason: Option<String>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is done.
    Done,
    /// It was done before: nothing changes.
    Unchanged,
    /// The grant is consumed; the action may run once.
    Consumed {
        /// Whether the same call was answered before.
        replayed: bool,
    },
}

/// Why a command is refused. A refusal never changes who approved what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It ended before (rule 6).
    #[error("it has ended: {}", ended(.0))]
    Ended(Box<Resolution>),
    /// Its time ran out; what follows from that is about to be done (rule 4).
    #[error("the time for votes ran out at {}", crate::clock::format_timestamp(*.0))]
    Late(Timestamp),
    /// Who asked may not approve (rule 3).
    #[error("`{0}` asked for it, or stands behind who asked, and may only cancel")]
    Involved(Principal),
    /// Not one of those who are asked (rule 3).
    #[error("`{0}` is not asked here")]
    NotEligible(Principal),
    /// Left since (rule 3).
    #[error("`{0}` has left")]
    HasLeft(Principal),
    /// One vote each (rule 3).
    #[error("`{0}` has voted; what is left is to withdraw, and to deny")]
    Voted(Principal),
    /// Nothing to take back.
    #[error("`{0}` has no approval here that could be withdrawn")]
    NoVote(Principal),
    /// The approval did its part already.
    #[error("the sign-off of lane `{0}` is satisfied by it; deny to stop the action")]
    Satisfied(String),
    /// A denial without a reason (rule 2).
    #[error("a denial needs a reason")]
    NoReason,
    /// The input was changed since (rule 7).
    #[error("the input was changed: the action is `{now}` now, and the vote is for `{voted}`")]
    Changed {
        /// What it is now.
        now: String,
        /// What the vote is for.
        voted: String,
    },
    /// What cannot be read is never approved as it is (rule 2).
    #[error("it cannot be read, so it can be denied, cancelled or amended, and not approved")]
    Unreadable,
    /// An amendment that changes nothing.
    #[error("the changed input is the same action")]
    SameAction,
    /// An amendment that the pinned matrix refuses (rule 7).
    #[error("the changed input is under stricter rules: {0}")]
    Stricter(Stricter),
    /// A sign-off that was given before its time ran out cannot be given again.
    #[error("the time of lane `{0}` ran out, so that it cannot be asked about a changed input")]
    TooLateToAmend(String),
    /// Too many amendments.
    #[error("it was amended {0} times; nobody may amend it any more")]
    Rounds(u32),
    /// Not for this person.
    #[error("`{0}` may not do this")]
    NotPermitted(Principal),
    /// Which sign-off?
    #[error("name the lane whose sign-off is meant: {}", .0.join(", "))]
    WhichLane(Vec<String>),
    /// No such sign-off.
    #[error("no sign-off of lane `{0}` is waiting")]
    NoSuchLane(String),
    /// A team with too few people (rule 10).
    #[error("team `{team}` has {eligible} who could answer here, and {quorum} must agree")]
    TooFew {
        /// The team.
        team: String,
        /// How many could answer.
        eligible: usize,
        /// How many must agree.
        quorum: u32,
    },
    /// A delegate who is asked already, or is not known.
    #[error("`{0}` cannot vote in another's place here")]
    NotADelegate(Principal),
    /// Too long.
    #[error("a remark is at most {0} characters")]
    TooLong(usize),
    /// No permission was given.
    #[error("{}", no_grant(*.0))]
    NoGrant(Standing),
    /// Another action than the one that was approved (rule 8).
    #[error("the permission is for the action `{granted}`, and not for `{given}`")]
    OtherAction {
        /// What was approved.
        granted: String,
        /// What is about to run.
        given: String,
    },
    /// Consumed before, by another call (rule 8).
    #[error("the permission was used before")]
    Consumed,
    /// Not used in time (rule 8).
    #[error("the permission lapsed at {}", crate::clock::format_timestamp(*.0))]
    Lapsed(Timestamp),
    /// Taken back (rules 8 and 10).
    #[error("the permission was taken back{}", because(.0.as_ref()))]
    Revoked(Option<Stricter>),
    /// Nothing is kept that could be released.
    #[error("nothing is kept here that could be released")]
    NothingKept,
}

/// How an escalation without a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is pending.
    Pending,
    /// It ended without an approval.
    Ended(Outcome),
    /// The action never needed one.
    NotHeld,
}

fn ended(resolution: &Resolution) -> String {
    let outcome = resolution.outcome.as_str().replace('_', " ");
    let at = crate::clock::format_timestamp(resolution.at);
    format!("{outcome} at {at}")
}

fn no_grant(standing: Standing) -> String {
    match standing {
        Standing::Pending => "it is not decided yet, so there is no permission".to_owned(),
        Standing::Ended(outcome) => {
            let outcome = outcome.as_str().replace('_', " ");
            format!("it ended {outcome}, so there is no permission")
        }
        Standing::NotHeld => "the action may run without a permission".to_owned(),
    }
}

fn because(stricter: Option<&Stricter>) -> String {
    stricter.map_or_else(String::new, |why| format!(": {why}"))
}

impl Refusal {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ended(_) => "ended",
            Self::Late(_) => "late",
            Self::Involved(_) => "involved",
            Self::NotEligible(_) => "not_eligible",
            Self::HasLeft(_) => "has_left",
            Self::Voted(_) => "voted",
            Self::NoVote(_) => "no_vote",
            Self::Satisfied(_) => "satisfied",
            Self::NoReason => "no_reason",
            Self::Changed { .. } => "changed",
            Self::Unreadable => "unreadable",
            Self::SameAction => "same_action",
            Self::Stricter(_) => "stricter",
            Self::TooLateToAmend(_) => "too_late_to_amend",
            Self::Rounds(_) => "rounds",
            Self::NotPermitted(_) => "not_permitted",
            Self::WhichLane(_) => "which_lane",
            Self::NoSuchLane(_) => "no_such_lane",
            Self::TooFew { .. } => "too_few",
            Self::NotADelegate(_) => "not_a_delegate",
            Self::TooLong(_) => "too_long",
            Self::NoGrant(_) => "no_grant",
            Self::OtherAction { .. } => "other_action",
            Self::Consumed => "consumed",
            Self::Lapsed(_) => "lapsed",
            Self::Revoked(_) => "revoked",
            Self::NothingKept => "nothing_kept",
        }
    }
}
