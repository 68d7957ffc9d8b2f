//! The permission that an approval gives: used once, by who asked, for what was approved (rule 8).

use serde_json::json;

use super::{Work, by};
use crate::clock::format_timestamp;
use crate::decision::Verdict;
use crate::escalation::command::{Actor, Command, Refusal, Reply, Standing};
use crate::escalation::effect::RecordKind;
use crate::escalation::state::{Grant, GrantState};
use crate::escalation::stricter::{Demand, Demands, stricter};

impl Work<'_> {
    pub(super) fn consume(&mut self, command: &Command, actor: &Actor) -> Result<Reply, Refusal> {
        let Command::Consume {
            digest,
            key,
            now,
            matrix,
        } = command
        else {
            return Ok(Reply::Unchanged);
        };
        if actor.principal != self.it.pinned.requester {
            return Err(Refusal::NotPermitted(actor.principal.clone()));
        }
        let grant = self.grant()?.clone();
        // Another action leaves the grant alive.
        if grant.digest != *digest {
            return Err(Refusal::OtherAction {
                granted: grant.digest,
                given: digest.clone(),
            });
        }
        if grant.state == GrantState::Consumed && grant.consume_key.as_ref() == Some(key) {
            return Ok(Reply::Consumed { replayed: true });
        }
        is_live(&grant)?;
        if self.now >= grant.lapses {
            return Err(Refusal::Lapsed(grant.lapses));
        }
        // Decided again by the live matrix: what is stricter now takes the grant back.
        if let Some(why) = stricter(&self.given(now), now) {
            self.end_grant(GrantState::Revoked, None);
            self.record(
                RecordKind::Revoked,
                json!({ "by": "engine", "matrix": matrix, "why": why.to_string() }),
            );
            return Err(Refusal::Revoked(Some(why)));
        }
        self.end_grant(GrantState::Consumed, Some(key));
        self.record(
            RecordKind::Consumed,
            json!({ "by": by(actor), "digest": digest, "key": key, "matrix": matrix }),
        );
        Ok(Reply::Consumed { replayed: false })
    }

    /// By an operator, or by one who is asked; live grants only (rule 10).
    pub(super) fn revoke(&mut self, reason: Option<&str>, actor: &Actor) -> Result<Reply, Refusal> {
        let is_asked = !self.is_involved(&actor.principal) && self.is_asked(&actor.principal);
        if !is_asked && !self.is_operator(actor) {
            return Err(Refusal::NotPermitted(actor.principal.clone()));
        }
        super::votes::short(reason)?;
        let grant = self.grant()?;
        if grant.state == GrantState::Revoked {
            return Ok(Reply::Unchanged);
        }
        is_live(grant)?;
        if self.now >= grant.lapses {
            return Err(Refusal::Lapsed(grant.lapses));
        }
        self.end_grant(GrantState::Revoked, None);
        let at = format_timestamp(self.now);
        self.record(
            RecordKind::Revoked,
            json!({ "by": by(actor), "at": at, "why": reason }),
        );
        Ok(Reply::Done)
    }

    /// What was demanded and given. What could not be read was decided as new when it was amended: then
    /// the sign-offs say what was demanded, and nothing says which holds.
    fn given(&self, now: &Demands) -> Demands {
        let pinned = &self.it.pinned;
        if pinned.is_readable {
            return pinned.demands.clone();
        }
        let sign_offs = self.it.sign_offs.iter().map(|it| Demand {
            lane: it.plan.lane.clone(),
            team: it.plan.team.clone(),
            quorum: it.plan.quorum,
        });
        Demands {
            verdict: Verdict::Escalate,
            sign_offs: sign_offs.collect(),
            holds: pinned.holds.join(now.holds),
        }
    }

    fn grant(&self) -> Result<&Grant, Refusal> {
        let standing = match (&self.it.grant, &self.it.resolution) {
            (Some(grant), _) => return Ok(grant),
            (None, None) => Standing::Pending,
            (None, Some(resolution)) => match resolution.outcome.is_approval() {
                true => Standing::NotHeld,
                false => Standing::Ended(resolution.outcome),
            },
        };
        Err(Refusal::NoGrant(standing))
    }

    fn end_grant(&mut self, state: GrantState, key: Option<&String>) {
        let now = self.now;
        if let Some(grant) = &mut self.it.grant {
            grant.state = state;
            grant.ended = Some(now);
            grant.consume_key = key.cloned();
        }
    }
}

fn is_live(grant: &Grant) -> Result<(), Refusal> {
    match grant.state {
        GrantState::Live => Ok(()),
        GrantState::Consumed => Err(Refusal::Consumed),
        GrantState::Lapsed => Err(Refusal::Lapsed(grant.lapses)),
        GrantState::Revoked => Err(Refusal::Revoked(None)),
    }
}
