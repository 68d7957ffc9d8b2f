//! Amendments: a changed input, and a new round of votes about it (rule 7).

use std::sync::Arc;

use serde_json::json;

use super::asked::Telling;
use super::{Work, by, raw};
use crate::clock::Duration;
use crate::decision::Verdict;
use crate::escalation::command::{Actor, Amendment, Refusal, Reply};
use crate::escalation::effect::RecordKind;
use crate::escalation::plan::Plan;
use crate::escalation::state::{SignOff, SignOffState, VoteKind};
use crate::escalation::stricter::stricter;
use crate::limits::ROUNDS;

impl Work<'_> {
    pub(super) fn amend(&mut self, amendment: &Amendment, actor: &Actor) -> Result<Reply, Refusal> {
        let person = &actor.principal;
        self.still_pending()?;
        self.may_vote(person)?;
        self.in_time(person)?;
        super::votes::short(amendment.reason.as_deref())?;
        if !amendment.is_readable {
            return Err(Refusal::Unreadable);
        }
        if amendment.digest == self.it.digest || amendment.digest == self.it.pinned.digest {
            return Err(Refusal::SameAction);
        }
        if self.it.round >= ROUNDS {
            return Err(Refusal::Rounds(self.it.round));
        }
        // A changed event is under the pinned matrix, and what is stricter there is another question.
        // What could not be read is decided as new: what it demands comes on top.
        let adds = !self.it.pinned.is_readable && amendment.demands.verdict == Verdict::Escalate;
        if !adds && let Some(why) = stricter(&self.it.pinned.demands, &amendment.demands) {
            return Err(Refusal::Stricter(why));
        }
        self.ask_anew()?;
        self.it.round += 1;
        self.it.digest.clone_from(&amendment.digest);
        self.it.is_readable = true;
        if adds {
            self.add_sign_offs(&amendment.plans);
        }
        let said = json!({
            "by": by(actor), "person": person, "round": self.it.round, "digest": amendment.digest,
            "reason": amendment.reason,
        });
        let said = said.to_string();
        let said = said.trim_end_matches('}');
        let body = format!(r#"{said},"input":{}}}"#, raw(&amendment.input));
        self.record_text(RecordKind::Amended, body);
        self.cast(VoteKind::Approve, actor);
        self.note_vote(VoteKind::Approve, amendment.reason.as_deref(), actor);
        self.settle();
        self.stay_satisfiable();
        if self.it.is_pending() {
            let id = format!("round-{}", self.it.round);
            let telling = Telling {
                id: &id,
                again: false,
                merges: false,
            };
            let all: Vec<usize> = (0..self.it.sign_offs.len()).collect();
            self.tell(&all, telling);
        }
        Ok(Reply::Done)
    }

    /// Sign-offs that were given are for the old action, and wait again; if their time is not over.
    fn ask_anew(&mut self) -> Result<(), Refusal> {
        let (now, cap) = (self.now, self.it.pinned.cap);
        let over = self.it.sign_offs.iter().find(|it| now >= it.deadline(cap));
        if let Some(it) = over {
            return Err(Refusal::TooLateToAmend(it.plan.lane.clone()));
        }
        for it in &mut self.it.sign_offs {
            if !it.is_waiting() {
                it.state = SignOffState::Waiting;
                it.decided = None;
            }
        }
        Ok(())
    }

    fn add_sign_offs(&mut self, plans: &[Plan]) {
        for plan in plans {
            if self.it.sign_offs.iter().any(|it| it.plan.lane == plan.lane) {
                continue;
            }
            self.it.sign_offs.push(SignOff::of(Arc::new(plan.clone())));
            let position = self.it.sign_offs.len() - 1;
            if let Some(roster) = plan.rosters.get(&plan.team) {
                self.seat(position, &roster.first);
            }
        }
    }
}

impl SignOff {
    /// One that waits and asks nobody yet.
    pub(in crate::escalation) fn of(plan: Arc<Plan>) -> Self {
        Self {
            state: SignOffState::Waiting,
            team: plan.team.clone(),
            quorum: plan.quorum,
            next: 0,
            hurried: 0,
            shift: Duration::default(),
            seats: Vec::new(),
            decided: None,
            plan,
        }
    }
}
