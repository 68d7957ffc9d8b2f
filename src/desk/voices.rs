//! What people and callers say that needs more than the escalation: a changed input, another team, the
//! use of a grant. The event is decided again, and the rules judge by that.

use std::sync::Arc;

use super::view::{Stored as StoredEvent, happened, packet_of};
use super::{Desk, DeskError, Done, done_of};
use crate::decision::{Decision, Verdict};
use crate::escalation::packet::{Matter, Packet};
use crate::escalation::{Actor, Amendment, Command, Demands, Roster, added_plans};
use crate::event::{self, Json};
use crate::matrix::Matrix;
use crate::reference::{Times, decide_again};
use crate::store::{read, write};

/// What a requester is about to do with its grant.
#[derive(Debug, Clone)]
pub struct Consumption {
    /// The digest of the action that is about to run; the event's, where only that is given.
    pub digest: Option<String>,
    /// The event that is about to run; needed where parts of it were not stored.
    pub event: Option<Vec<u8>>,
    /// Makes a repeated call the same call.
    pub key: String,
}

/// What the votes of this round are about, and so what a grant permits.
#[derive(Debug, Clone)]
pub struct Action {
    /// The event without `id`, `at` and `evidence`, as it may run. Nothing where a part of it was not
    /// stored, or where it cannot be read.
    pub event: Option<Json>,
    /// Whether it is another one than the one that was asked for: a rule or a person changed it.
    pub is_changed: bool,
}

impl Desk {
    /// What an escalation is about now: after an amendment the changed event, after an adjust the adjusted
    /// one. What is given is surely that: its digest is compared.
    ///
    /// # Errors
    /// When there is no such escalation, what was stored with it was erased, or the store fails.
    pub fn action(&self, id: &str) -> Result<Action, DeskError> {
        let stored = self.stored(id)?;
        let matrix = self.pinned(&stored.escalation.pinned.matrix)?;
        let limits = &self.settings().limits;
        let input = stored.input();
        let read = input
            .as_ref()
            .and_then(|input| event::read(input, &matrix.schema, limits, stored.times.opened).ok());
        let (Some(input), Some(read)) = (input, read) else {
            return Ok(Action {
                event: None,
                is_changed: stored.is_amended(),
            });
        };
        let adjusted = self.again(&matrix, &stored, &input).adjusted;
        let action = read.with_adjusted(&matrix.schema, &adjusted);
        let is_it = action.action_digest() == stored.escalation.digest;
        Ok(Action {
            event: is_it.then(|| action.body().clone()),
            is_changed: stored.is_amended() || !adjusted.is_empty(),
        })
    }

    /// The matrix that an escalation is pinned to.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn pinned(&self, digest: &str) -> Result<Arc<Matrix>, DeskError> {
        if let Some(matrix) = self.inner.pinned.get(digest) {
            return Ok(matrix);
        }
        let wanted = digest.to_owned();
        let source = read(self.inner.store.as_ref(), move |transaction| {
            transaction.matrix(&wanted)
        })?;
        let source = source.ok_or_else(|| DeskError::Matrix {
            digest: digest.to_owned(),
            why: "it is not in the store".to_owned(),
        })?;
        let limits = &self.settings().limits;
        self.inner.pinned.read(digest, &source, limits)
    }

    /// Changes the input (rule 7): decided again under the pinned matrix, with the measures of the
    /// opening.
    ///
    /// # Errors
    /// As [`Desk::act`].
    pub fn amend(
        &self,
        id: &str,
        input: &[u8],
        reason: Option<String>,
        actor: Actor,
    ) -> Result<Done, DeskError> {
        let stored = self.stored(id)?;
        let matrix = self.pinned(&stored.escalation.pinned.matrix)?;
        let settings = self.settings();
        let limits = &settings.limits;
        let input = stored.at_its_time(input, limits);
        let read = event::read(&input, &matrix.schema, limits, stored.times.opened);
        let decision = self.again(&matrix, &stored, &input);
        let plans = match decision.verdict {
            Verdict::Escalate => {
                let now = self.now()?.at;
                let directory = &settings.directory;
                added_plans(&decision, &matrix, directory, &stored.escalation, now)
            }
            _ => Vec::new(),
        };
        // What is redacted is not stored (the digest stays that of what was given).
        let matter = match &read {
            Ok(event) => Matter::of(&matrix, event),
            Err(unreadable) => Matter::of_unreadable(&matrix, unreadable),
        };
        let packet = Packet::assemble(&decision, &matter, Vec::new(), &settings.policy.redact);
        let kept = packet.event().or(packet.action);
        let kept = kept.and_then(|kept| serde_json::to_string(&kept).ok());
        let amendment = Amendment {
            digest: decision.action_digest.clone(),
            is_readable: read.is_ok(),
            demands: Demands::of(&decision, &matrix),
            plans,
            input: kept.unwrap_or_else(|| "null".to_owned()),
            reason,
        };
        self.act(id, Command::Amend(Box::new(amendment)), actor)
    }

    /// Adds a piece of evidence: JSON, or a text. What is redacted is not stored; what is there is not
    /// replaced.
    ///
    /// # Errors
    /// When it is not evidence that one can add, and as [`Desk::act`].
    pub fn attach(
        &self,
        id: &str,
        name: &str,
        bytes: &[u8],
        actor: Actor,
    ) -> Result<Done, DeskError> {
        let settings = self.settings();
        let value = match Json::parse(bytes, &settings.limits) {
            Ok(json) => json,
            // In what only looks like JSON no path finds what is to be hidden.
            Err(_) if looks_like_json(bytes) && !settings.policy.redact.is_empty() => {
                return Err(DeskError::NotJson(name.to_owned()));
            }
            Err(_) => Json::Text(String::from_utf8_lossy(bytes).into_owned()),
        };
        let (desk, id, name) = (self.clone(), id.to_owned(), name.to_owned());
        let done = write(self.inner.store.as_ref(), move |transaction| {
            let Some(stored) = transaction.lock(&id)? else {
                return Ok(Err(DeskError::NotFound(id.clone())));
            };
            let history = happened(transaction.history(&id)?);
            let Some(mut packet) = packet_of(&history) else {
                return Ok(Err(DeskError::Erased));
            };
            if let Err(why) = packet.attach(&name, value.clone(), &settings.policy.redact) {
                return Ok(Err(DeskError::Evidence(why)));
            }
            let value = packet
                .piece(&name)
                .and_then(|kept| serde_json::to_string(kept).ok());
            let command = Command::Attach {
                name: name.clone(),
                value: value.unwrap_or_else(|| "null".to_owned()),
            };
            Ok(Ok(desk.apply_in(transaction, &stored, &command, &actor)?))
        })??;
        done_of(done)
    }

    /// Asks another team of the pinned matrix (rule 10).
    ///
    /// # Errors
    /// When there is no such team, and as [`Desk::act`].
    pub fn reassign(
        &self,
        id: &str,
        lane: Option<String>,
        team: &str,
        actor: Actor,
    ) -> Result<Done, DeskError> {
        let stored = self.stored(id)?;
        let matrix = self.pinned(&stored.escalation.pinned.matrix)?;
        let roster = Roster::of(&matrix, &self.settings().directory, team)
            .ok_or_else(|| DeskError::NoSuchTeam(team.to_owned()))?;
        let team = team.to_owned();
        self.act(id, Command::Reassign { lane, team, roster }, actor)
    }

    /// Uses the grant (rule 8). The live matrix decides again, dry, with the event's own time and the
    /// measures of the opening.
    ///
    /// # Errors
    /// When the event cannot be decided again, and as [`Desk::act`]. None of them permits anything.
    pub fn consume(
        &self,
        id: &str,
        consumption: &Consumption,
        live: &Matrix,
        actor: Actor,
    ) -> Result<Done, DeskError> {
        let stored = self.stored(id)?;
        let limits = &self.settings().limits;
        let granted = stored
            .escalation
            .grant
            .as_ref()
            .map(|grant| grant.digest.as_str());
        let event = consumption
            .event
            .as_ref()
            .map(|event| stored.at_its_time(event, limits));
        let given = event
            .as_ref()
            .map(|event| self.digest_of(live, event, &stored));
        let digest = match (&consumption.digest, given) {
            // Two actions are named, and one at most is the one that was approved.
            (Some(named), Some(given)) if granted == Some(named.as_str()) => given,
            (Some(named), _) => named.clone(),
            (None, Some(given)) => given,
            (None, None) => return Err(DeskError::NeedsEvent),
        };
        // What is decided again is what was approved. Where another action is named, or none was
        // approved, the rules refuse it whatever the matrix says.
        let is_granted = granted == Some(digest.as_str());
        let event = event.or_else(|| {
            // What was stored without its redacted parts is another action; what an adjust made of the
            // event is the one that was asked for.
            stored.input().filter(|event| {
                self.digest_of(live, event, &stored) == digest
                    || self.again(live, &stored, event).action_digest == digest
            })
        });
        let demands = match (is_granted, event) {
            (true, None) => return Err(DeskError::NeedsEvent),
            (true, Some(event)) => {
                let decision = self.again(live, &stored, &event);
                if decision.action_digest != digest {
                    // The live matrix adjusts it to another action: that is not what was approved.
                    Demands {
                        verdict: Verdict::Deny,
                        ..Demands::of(&decision, live)
                    }
                } else {
                    Demands::of(&decision, live)
                }
            }
            (false, _) => Demands {
                verdict: Verdict::Deny,
                sign_offs: Vec::new(),
                holds: crate::decision::Holds::default(),
            },
        };
        let command = Command::Consume {
            digest,
            key: consumption.key.clone(),
            now: Box::new(demands),
            matrix: live.digest.clone(),
        };
        self.act(id, command, actor)
    }

    /// The digest of the action that an event is, whatever a matrix makes of it.
    fn digest_of(&self, matrix: &Matrix, event: &[u8], stored: &StoredEvent) -> String {
        let limits = &self.settings().limits;
        match event::read(event, &matrix.schema, limits, stored.times.opened) {
            Ok(event) => event.action_digest(),
            Err(unreadable) => unreadable.action_digest(),
        }
    }

    fn again(&self, matrix: &Matrix, stored: &StoredEvent, event: &[u8]) -> Decision {
        let limits = &self.settings().limits;
        let times: Times = stored.times;
        decide_again(matrix, limits, event, &stored.recorded, times)
    }
}

fn looks_like_json(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'['))
}
