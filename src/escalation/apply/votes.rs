//! Votes: who may give one, and what it does (rules 2, 3, 4 and 6).

use serde_json::json;

use super::{Work, by};
use crate::escalation::command::{Actor, Refusal, Reply, VoteOf};
use crate::escalation::effect::RecordKind;
use crate::escalation::principal::Principal;
use crate::escalation::state::{Cause, Outcome, Seat, SignOff, SignOffState, Vote, VoteKind};
use crate::limits::REMARK_CHARS;

impl Work<'_> {
    pub(super) fn vote(&mut self, vote: &VoteOf, actor: &Actor) -> Result<Reply, Refusal> {
        if self.is_repeated(vote, &actor.principal) {
            return Ok(Reply::Unchanged);
        }
        // Rule 6: a late vote changes nothing.
        self.still_pending()?;
        self.may_vote(&actor.principal)?;
        match vote {
            VoteOf::Approve { digest, reason } => self.approve(digest, reason.as_deref(), actor),
            VoteOf::Deny { reason } => self.deny(reason, actor),
            VoteOf::Withdraw { reason } => self.withdraw(reason.as_deref(), actor),
        }
    }

    /// Rule 3: the same vote again is accepted and changes nothing.
    fn is_repeated(&self, vote: &VoteOf, person: &Principal) -> bool {
        let given = |kind| self.it.vote_of(person, kind);
        match vote {
            VoteOf::Approve { digest, .. } => {
                given(VoteKind::Approve).is_some_and(|vote| vote.digest == *digest)
                    && given(VoteKind::Withdraw).is_none()
                    && given(VoteKind::Void).is_none()
            }
            VoteOf::Deny { .. } => given(VoteKind::Deny).is_some(),
            VoteOf::Withdraw { .. } => given(VoteKind::Withdraw).is_some(),
        }
    }

    /// Rule 3: not who asked, nor the agent, nor its owner; who is asked, and did not leave.
    pub(super) fn may_vote(&self, person: &Principal) -> Result<(), Refusal> {
        if self.is_involved(person) {
            return Err(Refusal::Involved(person.clone()));
        }
        if self.context.directory.has_left(person) {
            return Err(Refusal::HasLeft(person.clone()));
        }
        match self.is_asked(person) {
            true => Ok(()),
            false => Err(Refusal::NotEligible(person.clone())),
        }
    }

    fn approve(
        &mut self,
        digest: &str,
        reason: Option<&str>,
        actor: &Actor,
    ) -> Result<Reply, Refusal> {
        let person = &actor.principal;
        // Rule 2: what cannot be read is never approved as it is.
        if !self.it.is_readable {
            return Err(Refusal::Unreadable);
        }
        // Rule 7: all votes of a round name the same digest.
        if digest != self.it.digest {
            return Err(Refusal::Changed {
                now: self.it.digest.clone(),
                voted: digest.to_owned(),
            });
        }
        let kinds = [VoteKind::Approve, VoteKind::Withdraw, VoteKind::Void];
        if kinds
            .iter()
            .any(|kind| self.it.vote_of(person, *kind).is_some())
        {
            return Err(Refusal::Voted(person.clone()));
        }
        self.in_time(person)?;
        short(reason)?;
        self.cast(VoteKind::Approve, actor);
        self.note_vote(VoteKind::Approve, reason, actor);
        self.settle();
        self.stay_satisfiable();
        Ok(Reply::Done)
    }

    /// Rule 4: a vote counts if the final instant of some sign-off, which waits and asks the person, has
    /// not come.
    pub(super) fn in_time(&self, person: &Principal) -> Result<(), Refusal> {
        let cap = self.it.pinned.cap;
        let waiting = self.it.sign_offs.iter().filter(|it| it.is_waiting());
        let asking = waiting.filter(|it| self.eligible_seat(it, person).is_some());
        let deadlines: Vec<_> = asking.map(|it| it.deadline(cap)).collect();
        match deadlines.iter().max() {
            None => Err(Refusal::NotEligible(person.clone())),
            Some(last) if self.now >= *last => Err(Refusal::Late(*last)),
            Some(_) => Ok(()),
        }
    }

    /// Rule 2: the first denial by an eligible person ends it, with a reason.
    fn deny(&mut self, reason: &str, actor: &Actor) -> Result<Reply, Refusal> {
        if reason.trim().is_empty() {
            return Err(Refusal::NoReason);
        }
        short(Some(reason))?;
        let person = actor.principal.clone();
        // Who approved a sign-off that is satisfied may still stop what the others did not decide.
        let seated = |it: &SignOff| self.eligible_seat(it, &person).is_some();
        let mut satisfied = self.it.sign_offs.iter().filter(|it| !it.is_waiting());
        if !satisfied.any(seated) {
            self.in_time(&person)?;
        }
        let its: Vec<usize> = (0..self.it.sign_offs.len())
            .filter(|at| {
                self.it
                    .sign_offs
                    .get(*at)
                    .is_some_and(|it| it.is_waiting() && seated(it))
            })
            .collect();
        for position in its {
            if let Some(it) = self.it.sign_offs.get_mut(position) {
                it.state = SignOffState::Denied;
                it.decided = Some(self.now);
            }
        }
        self.cast(VoteKind::Deny, actor);
        self.note_vote(VoteKind::Deny, Some(reason), actor);
        self.resolve(Outcome::Denied, None, Cause::Vote(person));
        Ok(Reply::Done)
    }

    fn withdraw(&mut self, reason: Option<&str>, actor: &Actor) -> Result<Reply, Refusal> {
        let person = &actor.principal;
        let mut approvals = self.it.approvals();
        if !approvals.any(|vote| vote.person == *person) {
            return Err(Refusal::NoVote(person.clone()));
        }
        drop(approvals);
        let satisfied = self
            .it
            .sign_offs
            .iter()
            .find(|it| it.state == SignOffState::Satisfied && it.seat_of(person).is_some());
        if let Some(it) = satisfied {
            return Err(Refusal::Satisfied(it.plan.lane.clone()));
        }
        short(reason)?;
        self.cast(VoteKind::Withdraw, actor);
        self.note_vote(VoteKind::Withdraw, reason, actor);
        self.stay_satisfiable();
        Ok(Reply::Done)
    }

    pub(super) fn cast(&mut self, kind: VoteKind, actor: &Actor) {
        if kind == VoteKind::Approve {
            self.give_up_seats(&actor.principal);
        }
        self.it.votes.push(Vote {
            round: self.it.round,
            person: actor.principal.clone(),
            kind,
            at: self.now,
            digest: self.it.digest.clone(),
            operator: actor.operator.clone(),
        });
    }

    /// Rule 3: eligibility is checked when voting. Seats by which the voter may not vote now end, so that
    /// its vote does not count by them.
    fn give_up_seats(&mut self, person: &Principal) {
        let now = self.now;
        for position in 0..self.it.sign_offs.len() {
            let Some(it) = self.it.sign_offs.get(position) else {
                return;
            };
            let its = |seat: &Seat| seat.person == *person && seat.until.is_none();
            let ends = it.seats.iter().map(|it| its(it) && !self.is_eligible(it));
            let ends: Vec<bool> = ends.collect();
            if let Some(it) = self.it.sign_offs.get_mut(position) {
                for (seat, ends) in it.seats.iter_mut().zip(ends) {
                    if ends {
                        seat.until = Some(now);
                    }
                }
            }
        }
    }

    pub(super) fn note_vote(&mut self, kind: VoteKind, reason: Option<&str>, actor: &Actor) {
        self.record(
            RecordKind::Voted,
            json!({
                "vote": kind, "by": by(actor), "person": actor.principal, "round": self.it.round,
                "digest": self.it.digest, "reason": reason,
            }),
        );
    }
}

/// Whether a remark is one that people read.
pub(super) fn short(remark: Option<&str>) -> Result<(), Refusal> {
    match remark {
        Some(remark) if remark.chars().count() > REMARK_CHARS => {
            Err(Refusal::TooLong(REMARK_CHARS))
        }
        _ => Ok(()),
    }
}
