//! Opening: exactly one escalation for each request (rule 1), or joining one of its group.

use std::sync::Arc;

use serde::Serialize;

use super::{Desk, DeskError, new_id, put};
use crate::clock::Timestamp;
use crate::decision::{Decision, EventRef, HistoryEntry, Verdict};
use crate::escalation::packet::{Matter, Packet};
use crate::escalation::time::as_micros;
use crate::escalation::{
    Actor, Command, Context, Escalation, Opening, Policy, Principal, group_of, open,
};
use crate::event;
use crate::matrix::Matrix;
use crate::reference::{Recorded, Times};
use crate::store::{Request, StoreError, Transaction, write};

/// Who asks for what.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who, as it was authenticated.
    pub requester: Principal,
    /// The agent on whose behalf.
    pub agent: Option<Principal>,
    /// Who asks as that requester on a local command line that permits it.
    pub operator: Option<Principal>,
    /// The idempotency key; without it the event's `id` is.
    pub key: Option<String>,
    /// Whether the event asks for an action, and does not only report one.
    pub asks: bool,
    /// The event, as it came.
    pub event: Vec<u8>,
    /// Earlier decisions on the same subject.
    pub history: Vec<HistoryEntry>,
}

impl Ask {
    fn actor(&self) -> Actor {
        Actor {
            operator: self.operator.clone(),
            ..Actor::new(self.requester.clone())
        }
    }
}

/// How the event was decided.
#[derive(Debug, Clone)]
pub struct Decided {
    /// By which matrix.
    pub matrix: Arc<Matrix>,
    /// The decision.
    pub decision: Decision,
    /// What the measures were.
    pub recorded: Recorded,
    /// At which instants.
    pub times: Times,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The escalation.
    pub escalation: Escalation,
    /// Whether the same request was made before.
    pub replayed: bool,
    /// Whether it joined one that was open: then nothing of it is ever granted, and it asks again
    /// behind the end.
    pub joined: bool,
}

impl Desk {
    /// Opens an escalation for a decision that escalates.
    ///
    /// # Errors
    /// When the decision does not escalate, there is no key, the key was used for another action, or the
    /// store fails. None of them means that the action may run.
    pub fn open(&self, ask: &Ask, decided: &Decided) -> Result<Opened, DeskError> {
        if decided.decision.verdict != Verdict::Escalate {
            return Err(DeskError::NotEscalated(decided.decision.verdict.as_str()));
        }
        let key = match (&ask.key, &decided.decision.event) {
            (Some(key), _) => key.clone(),
            (None, EventRef::Id(id)) => id.clone(),
            _ => return Err(DeskError::NoKey),
        };
        let settings = self.settings();
        let read = event::read(
            &ask.event,
            &decided.matrix.schema,
            &settings.limits,
            decided.times.opened,
        );
        let matter = match &read {
            Ok(event) => Matter::of(&decided.matrix, event),
            Err(unreadable) => Matter::of_unreadable(&decided.matrix, unreadable),
        };
        let redact = &settings.policy.redact;
        let packet = Packet::assemble(&decided.decision, &matter, ask.history.clone(), redact);
        let opening = Prepared {
            ask: ask.clone(),
            decided: decided.clone(),
            key,
            is_readable: read.is_ok(),
            packet: evidence(&packet, &hidden(decided, &settings.policy), decided)?,
            group: group_of(&decided.decision),
        };
        let desk = self.clone();
        let opened = write(self.inner.store.as_ref(), move |transaction| {
            opening.run(&desk, transaction)
        })??;
        // A replay has written nothing, so its matrix may not be in the store.
        if !opened.replayed {
            self.inner.pinned.put(&decided.matrix);
        }
        Ok(opened)
    }
}

/// What is stored of the event, and what is needed to decide it again (rule 8). From text to text, so that
/// numbers keep their digits.
fn evidence(packet: &Packet, recorded: &Recorded, decided: &Decided) -> Result<String, StoreError> {
    let text = serde_json::to_string(&Evidence {
        packet,
        recorded,
        measured: decided.times.measured,
        opened: decided.times.opened,
    });
    text.map_err(|error| StoreError::other(error.to_string()))
}

/// The measures without what the event added to a sum over a redacted field.
fn hidden(decided: &Decided, policy: &Policy) -> Recorded {
    let kinds = decided.matrix.schema.kinds().iter();
    let fields: Vec<_> = kinds.flat_map(|kind| &kind.fields).collect();
    decided.recorded.without_sums(|path| {
        let parts: Vec<&str> = path.split('.').collect();
        let mut its = fields.iter().filter(|field| *field.path == *path);
        policy.redacts(&parts)
            || its.any(|field| {
                let json: Vec<&str> = field.json.iter().map(AsRef::as_ref).collect();
                policy.redacts(&json)
            })
    })
}

#[derive(Debug, Serialize)]
struct Evidence<'e> {
    packet: &'e Packet,
    recorded: &'e Recorded,
    #[serde(with = "as_micros")]
    measured: Timestamp,
    #[serde(with = "as_micros")]
    opened: Timestamp,
}

#[derive(Debug, Clone)]
struct Prepared {
    ask: Ask,
    decided: Decided,
    key: String,
    is_readable: bool,
    packet: String,
    group: Option<String>,
}

type Run = Result<Result<Opened, DeskError>, StoreError>;

impl Prepared {
    fn run(&self, desk: &Desk, transaction: &mut dyn Transaction) -> Run {
        let digest = &self.decided.decision.action_digest;
        if let Some(known) = transaction.request(&self.ask.requester, &self.key)? {
            let (joined, replayed) = (known.joined, replay(transaction, known, digest)?);
            match &replayed {
                // What joined was never asked about by itself: behind the end it is asked for again.
                Ok(opened) if joined && !opened.escalation.is_pending() => {
                    if !transaction.drop_request(&self.ask.requester, &self.key)? {
                        // Another did, and has opened by now.
                        return self.run(desk, transaction);
                    }
                }
                _ => return Ok(replayed),
            }
        }
        // One that ends while it is joined leaves its group: then the next look finds none, and locks it.
        if let Some(group) = &self.group {
            while let Some(id) = transaction.group(group)? {
                if let Some(joined) = self.join(desk, transaction, &id)? {
                    return Ok(Ok(joined));
                }
            }
        }
        self.open(desk, transaction).map(Ok)
    }

    /// `None` where it ended in the meantime.
    fn join(
        &self,
        desk: &Desk,
        transaction: &mut dyn Transaction,
        id: &str,
    ) -> Result<Option<Opened>, StoreError> {
        let Some(stored) = transaction.lock(id)? else {
            return Ok(None);
        };
        let event = match &self.decided.decision.event {
            EventRef::Id(id) => Some(id.clone()),
            _ => None,
        };
        let command = Command::Join {
            digest: self.decided.decision.action_digest.clone(),
            event,
            key: self.key.clone(),
            requester: self.ask.requester.clone(),
        };
        let actor = self.ask.actor();
        let applied = desk.apply_in(transaction, &stored, &command, &actor)?;
        if applied.answer.is_err() {
            return Ok(None);
        }
        let joined = Opened {
            escalation: applied.after,
            replayed: false,
            joined: true,
        };
        transaction.put_request(&self.request(&joined))?;
        Ok(Some(joined))
    }

    fn open(&self, desk: &Desk, transaction: &mut dyn Transaction) -> Result<Opened, StoreError> {
        let settings = desk.settings();
        let matrix = &self.decided.matrix;
        let reading = desk.inner.watch.judge(transaction.wall()?);
        let opening = Opening {
            id: new_id(reading.at),
            decision: &self.decided.decision,
            matrix,
            is_readable: self.is_readable,
            requester: self.ask.requester.clone(),
            operator: self.ask.operator.clone(),
            agent: self.ask.agent.clone(),
            key: self.key.clone(),
            asks: self.ask.asks,
            packet: self.packet.clone(),
        };
        let context = Context {
            now: reading.at,
            is_confirmed: reading.is_confirmed,
            directory: &settings.directory,
            policy: &settings.policy,
        };
        let flood = opening.flood();
        let counts = transaction.counts(&self.ask.requester, &flood)?;
        if desk.inner.pinned.get(&matrix.digest).is_none() {
            transaction.put_matrix(&matrix.digest, &super::source_of(matrix))?;
        }
        let applied = open(&opening, counts, context);
        put(transaction, None, &applied)?;
        let opened = Opened {
            escalation: applied.after,
            replayed: false,
            joined: false,
        };
        transaction.put_request(&self.request(&opened))?;
        Ok(opened)
    }

    fn request(&self, opened: &Opened) -> Request {
        Request {
            requester: self.ask.requester.clone(),
            key: self.key.clone(),
            digest: self.decided.decision.action_digest.clone(),
            escalation: opened.escalation.pinned.id.clone(),
            joined: opened.joined,
            at: opened.escalation.last.max(opened.escalation.pinned.opened),
        }
    }
}

/// The same key: the same escalation, or a conflict (rule 1). Evidence is not compared.
fn replay(transaction: &mut dyn Transaction, known: Request, digest: &str) -> Run {
    if known.digest != digest {
        return Ok(Err(DeskError::Conflict {
            key: known.key,
            escalation: known.escalation,
            digest: known.digest,
        }));
    }
    let Some(stored) = transaction.get(&known.escalation)? else {
        return Err(StoreError::corrupt(format!(
            "the request names escalation `{}`, which is not there",
            known.escalation
        )));
    };
    Ok(Ok(Opened {
        escalation: stored.escalation,
        replayed: true,
        joined: known.joined,
    }))
}
