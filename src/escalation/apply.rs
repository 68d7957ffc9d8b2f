//! The rules: what a command does to an escalation.
//!
//! In: the escalation, a [`Command`], who gives it, the instant, people and bounds. Out: [`Applied`].
//! Invariant: a pure function. Time is passed first, then the command is judged (rule 4), so that
//! nothing is decided in a state that should not be any more. A refusal changes nothing but what time
//! alone would have changed.

use serde_json::{Value, json};

use super::command::{Actor, Command, Refusal, Reply, Role};
use super::effect::{About, Notice, Recipient, Record, RecordKind};
use super::people::Directory;
use super::policy::Policy;
use super::principal::Principal;
use super::state::{Escalation, Seat, SignOff};
use super::time::stored;
use crate::clock::Timestamp;

mod amend;
mod asked;
mod ends;
mod grants;
mod hand_over;
mod steps;
mod talk;
mod votes;

pub(super) use asked::Telling;

/// What a command is judged by, besides the escalation itself.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The instant, read after the escalation was locked (rule 4).
    pub now: Timestamp,
    /// Whether that instant is confirmed: else no step is performed (rule 4).
    pub is_confirmed: bool,
    /// Who is who now.
    pub directory: &'a Directory,
    /// The bounds.
    pub policy: &'a Policy,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The instant at which it was done.
    pub at: Timestamp,
    /// The escalation after it.
    pub after: Escalation,
    /// What is answered.
    pub answer: Result<Reply, Refusal>,
    /// For the audit.
    pub records: Vec<Record>,
    /// To be sent.
    pub notices: Vec<Notice>,
}

impl Applied {
    /// Whether there is anything to store.
    #[must_use]
    pub fn changes(&self) -> bool {
        !self.records.is_empty()
    }
}

/// Applies a command.
#[must_use]
pub fn apply(
    before: &Escalation,
    command: &Command,
    actor: &Actor,
    context: Context<'_>,
) -> Applied {
    let mut work = Work::new(before.clone(), context);
    work.void_votes();
    work.pass_time();
    work.settle();
    work.stay_satisfiable();
    let answer = work.judge(command, actor);
    if let Err(refusal) = &answer {
        work.note_refusal(command, actor, refusal);
    }
    work.end(answer)
}

/// An escalation in the middle of a command.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) it: Escalation,
    pub(super) now: Timestamp,
    pub(super) context: Context<'a>,
    pub(super) records: Vec<Record>,
    pub(super) notices: Vec<Notice>,
}

impl<'a> Work<'a> {
    pub(super) fn new(it: Escalation, context: Context<'a>) -> Self {
        Self {
            // Rule 4: stored time never goes back.
            now: stored(context.now).max(it.last),
            it,
            context,
            records: Vec::new(),
            notices: Vec::new(),
        }
    }

    pub(super) fn end(mut self, answer: Result<Reply, Refusal>) -> Applied {
        // Rule 4: the high-water mark is advanced by confirmed readings only.
        if !self.records.is_empty() && self.context.is_confirmed {
            self.it.last = self.now;
        }
        Applied {
            at: self.now,
            after: self.it,
            answer,
            records: self.records,
            notices: self.notices,
        }
    }

    fn judge(&mut self, command: &Command, actor: &Actor) -> Result<Reply, Refusal> {
        match command {
            Command::Vote(vote) => self.vote(vote, actor),
            Command::Amend(amendment) => self.amend(amendment, actor),
            Command::Cancel { reason } => self.cancel(reason.as_deref(), actor),
            Command::Reassign { lane, team, roster } => {
                self.reassign(lane.as_deref(), team, roster, actor)
            }
            Command::Delegate { to } => self.delegate(to, actor),
            Command::Comment { text } => self.comment(text, actor),
            Command::Attach { name, value } => self.attach(name, value, actor),
            Command::View => Ok(self.view(actor)),
            Command::Join { .. } => self.join(command),
            Command::Tick => Ok(self.ticked()),
            Command::Undelivered { lane } => self.undelivered(lane, actor),
            Command::Consume { .. } => self.consume(command, actor),
            Command::Revoke { reason } => self.revoke(reason.as_deref(), actor),
            Command::Release => self.release(actor),
        }
    }

    fn ticked(&self) -> Reply {
        match self.records.is_empty() {
            true => Reply::Unchanged,
            false => Reply::Done,
        }
    }

    pub(super) fn record(&mut self, kind: RecordKind, body: Value) {
        self.record_text(kind, body.to_string());
    }

    /// The same of JSON that is text already.
    pub(super) fn record_text(&mut self, kind: RecordKind, body: String) {
        self.records.push(Record { kind, body });
    }

    /// Refused votes, late ones among them, are audited (rule 6), and all that would move rights.
    fn note_refusal(&mut self, command: &Command, actor: &Actor, refusal: &Refusal) {
        let what = match command {
            Command::Vote(super::VoteOf::Approve { .. }) => "approve",
            Command::Vote(super::VoteOf::Deny { .. }) => "deny",
            Command::Vote(super::VoteOf::Withdraw { .. }) => "withdraw",
            Command::Amend(_) => "amend",
            Command::Cancel { .. } => "cancel",
            Command::Reassign { .. } => "reassign",
            Command::Delegate { .. } => "delegate",
            Command::Consume { .. } => "consume",
            Command::Revoke { .. } => "revoke",
            Command::Release => "release",
            Command::Comment { .. }
            | Command::Attach { .. }
            | Command::View
            | Command::Join { .. }
            | Command::Tick
            | Command::Undelivered { .. } => return,
        };
        let is_late = matches!(refusal, Refusal::Ended(_) | Refusal::Late(_));
        if is_late && matches!(command, Command::Vote(_) | Command::Amend(_)) {
            self.it.late_votes = self.it.late_votes.saturating_add(1);
        }
        let body = json!({
            "command": what, "by": by(actor), "code": refusal.code(), "why": refusal.to_string(),
        });
        self.record(RecordKind::Refused, body);
    }

    /// Refuses what comes after the end (rule 6).
    pub(super) fn still_pending(&self) -> Result<(), Refusal> {
        match &self.it.resolution {
            Some(resolution) => Err(Refusal::Ended(Box::new(resolution.clone()))),
            None => Ok(()),
        }
    }

    pub(super) fn is_involved(&self, person: &Principal) -> bool {
        self.it.pinned.excluded.contains(person)
    }

    /// Whether a seat lets its person vote now (rule 3): pinned, and checked against the directory.
    pub(super) fn is_eligible(&self, seat: &Seat) -> bool {
        // A delegate votes by the right of who delegated.
        let whose = seat.for_whom.as_ref().unwrap_or(&seat.person);
        seat.until.is_none()
            && !self.is_out(&seat.person)
            && !self.context.directory.has_left(whose)
            && self.is_in(whose, seat.via.as_ref())
    }

    /// Rule 3: who stands behind the request, and who left.
    pub(super) fn is_out(&self, person: &Principal) -> bool {
        self.is_involved(person) || self.context.directory.has_left(person)
    }

    /// Whether a person is asked by itself, or is in the group by which it is.
    pub(super) fn is_in(&self, person: &Principal, via: Option<&String>) -> bool {
        via.is_none_or(|group| self.context.directory.is_member(group, person))
    }

    /// The seat by which a person may vote in a sign-off now: its own before a delegated one.
    pub(super) fn eligible_seat<'s>(
        &self,
        sign_off: &'s SignOff,
        person: &Principal,
    ) -> Option<&'s Seat> {
        let seats = sign_off.seated().filter(|seat| seat.person == *person);
        let seats = seats.filter(|seat| self.is_eligible(seat));
        seats.min_by_key(|seat| seat.for_whom.is_some())
    }

    /// Whether a person may vote in some sign-off.
    pub(super) fn is_asked(&self, person: &Principal) -> bool {
        let mut sign_offs = self.it.sign_offs.iter();
        sign_offs.any(|sign_off| self.eligible_seat(sign_off, person).is_some())
    }

    /// Rule 3: who asked may only cancel, as an operator too.
    pub(super) fn is_operator(&self, actor: &Actor) -> bool {
        match actor.role {
            Role::Operator => !self.is_involved(&actor.principal),
            Role::Engine => true,
            Role::Anyone => false,
        }
    }

    /// A notice to the caller.
    pub(super) fn tell_caller(&mut self, id: &str, lane: Option<&str>, about: About) {
        let notice = Notice {
            id: format!("{}/{id}", self.it.pinned.id),
            to: Recipient::Caller(self.it.pinned.requester.clone()),
            about,
            lane: lane.map(str::to_owned),
            at: self.now,
            merge: None,
        };
        self.notices.push(notice);
    }
}

/// Who acted, as every view shows it: `PERSON`, or `OPERATOR as PERSON`.
pub(super) fn by(actor: &Actor) -> String {
    match &actor.operator {
        Some(operator) => format!("{operator} as {}", actor.principal),
        None => actor.principal.to_string(),
    }
}

/// A text as JSON: as it is where it is JSON, else as a string.
pub(super) fn raw(text: &str) -> String {
    let is_json = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    match is_json {
        true => text.to_owned(),
        false => json!(text).to_string(),
    }
}
