//! How an escalation ends (rule 2).

use serde_json::json;

use super::{Work, by};
use crate::escalation::command::{Actor, Refusal, Reply};
use crate::escalation::effect::{About, RecordKind};
use crate::escalation::state::{Cause, End, Grant, GrantState, Outcome, Resolution, SignOffState};

impl Work<'_> {
    /// Satisfies the sign-offs that have their votes, and ends it when all of them are (rule 2).
    pub(in crate::escalation) fn settle(&mut self) {
        if !self.it.is_pending() {
            return;
        }
        for position in 0..self.it.sign_offs.len() {
            let Some(it) = self.it.sign_offs.get(position) else {
                return;
            };
            let counted = self.it.counted(it);
            // Rule 2: a quorum of distinct people, never its first vote.
            if !it.is_waiting() || !self.it.is_readable || counted.len() < it.quorum as usize {
                continue;
            }
            let body = json!({ "lane": it.plan.lane, "by": "votes", "of": counted });
            let now = self.now;
            if let Some(it) = self.it.sign_offs.get_mut(position) {
                it.state = SignOffState::Satisfied;
                it.decided = Some(now);
            }
            self.record(RecordKind::Satisfied, body);
        }
        let done = |state| matches!(state, SignOffState::Satisfied | SignOffState::AutoAllowed);
        if self.it.sign_offs.is_empty() || !self.it.sign_offs.iter().all(|it| done(it.state)) {
            return;
        }
        let outcome = match self.it.digest == self.it.pinned.digest {
            true => Outcome::Approved,
            false => Outcome::Amended,
        };
        let silent = |state| state == SignOffState::AutoAllowed;
        let cause = match self.it.approvals().last() {
            Some(last) if !self.it.sign_offs.iter().all(|it| silent(it.state)) => {
                Cause::Vote(last.person.clone())
            }
            _ => {
                let last = self.it.sign_offs.iter().max_by_key(|it| it.decided);
                Cause::Step(last.map_or_else(String::new, |it| it.plan.lane.clone()))
            }
        };
        self.resolve(outcome, None, cause);
    }

    /// Ends it: once, for ever. The others become moot; what was approved is granted.
    pub(in crate::escalation) fn resolve(
        &mut self,
        outcome: Outcome,
        end: Option<End>,
        cause: Cause,
    ) {
        self.resolve_as(outcome, end, cause, None);
    }

    /// The same with who says so, and why.
    fn resolve_as(
        &mut self,
        outcome: Outcome,
        end: Option<End>,
        cause: Cause,
        said: Option<(&str, Option<&str>)>,
    ) {
        if !self.it.is_pending() {
            return;
        }
        for it in &mut self.it.sign_offs {
            if it.is_waiting() {
                it.state = SignOffState::Moot;
                it.decided = Some(self.now);
            }
        }
        let is_approval = outcome.is_approval();
        let mut sign_offs = self.it.sign_offs.iter();
        let by_silence = is_approval && sign_offs.all(|it| it.state == SignOffState::AutoAllowed);
        let resolution = Resolution {
            outcome,
            end,
            at: self.now,
            cause,
            by_silence,
        };
        // Rule 8: a permission, for what may not run without one.
        let holds = self.it.pinned.holds.item;
        let is_held = holds.is_none_or(|hold| !hold.is_running());
        if is_approval && self.it.pinned.asks && is_held {
            let lapses = self.context.policy.grant_lapses_after.to_chrono();
            let lapses = self.now.checked_add_signed(lapses);
            self.it.grant = Some(Grant {
                state: GrantState::Live,
                digest: self.it.digest.clone(),
                lapses: lapses.unwrap_or(self.now),
                consume_key: None,
                ended: None,
            });
        }
        self.record(
            RecordKind::Resolved,
            json!({ "resolution": resolution, "by": said.map(|(by, _)| by), "reason": said.and_then(|(_, why)| why) }),
        );
        self.it.resolution = Some(resolution);
        self.tell_caller(
            "resolved",
            None,
            About::Resolved(outcome.as_str().to_owned()),
        );
    }

    /// The requester's only way, and an operator's (rule 3).
    pub(super) fn cancel(&mut self, reason: Option<&str>, actor: &Actor) -> Result<Reply, Refusal> {
        let may = self.is_involved(&actor.principal) || self.is_operator(actor);
        if !may {
            return Err(Refusal::NotPermitted(actor.principal.clone()));
        }
        if let Some(resolution) = &self.it.resolution
            && resolution.outcome == Outcome::Cancelled
        {
            return Ok(Reply::Unchanged);
        }
        self.still_pending()?;
        super::votes::short(reason)?;
        let cause = Cause::Cancelled(actor.principal.clone());
        let said = Some((by(actor), reason));
        let said = said.as_ref().map(|(by, reason)| (by.as_str(), *reason));
        self.resolve_as(Outcome::Cancelled, None, cause, said);
        Ok(Reply::Done)
    }

    /// Rule 2: what was reported and denied stays as it is until an operator releases it.
    pub(super) fn release(&mut self, actor: &Actor) -> Result<Reply, Refusal> {
        if !self.is_operator(actor) {
            return Err(Refusal::NotPermitted(actor.principal.clone()));
        }
        let is_kept = self.it.resolution.as_ref().is_some_and(|resolution| {
            matches!(resolution.outcome, Outcome::Denied | Outcome::TimedOut)
        });
        if self.it.pinned.asks || !is_kept {
            return Err(Refusal::NothingKept);
        }
        if self.it.released.is_some() {
            return Ok(Reply::Unchanged);
        }
        self.it.released = Some(self.now);
        self.record(RecordKind::Released, json!({ "by": by(actor) }));
        self.tell_caller("released", None, About::Resolved("released".to_owned()));
        Ok(Reply::Done)
    }
}
