//! What people say and add, and who looked; events that join (rules 1, 11 and the group of section 3).

use serde_json::json;

use super::{Work, by, raw};
use crate::escalation::command::{Actor, Command, Refusal, Reply};
use crate::escalation::effect::RecordKind;
use crate::escalation::principal::Principal;
use crate::limits::JOINED_LISTED;

impl Work<'_> {
    /// Who asked, who is asked, and operators.
    fn may_talk(&self, actor: &Actor) -> Result<(), Refusal> {
        let person: &Principal = &actor.principal;
        let may = self.is_involved(person) || self.is_asked(person) || self.is_operator(actor);
        match may {
            true => Ok(()),
            false => Err(Refusal::NotPermitted(person.clone())),
        }
    }

    pub(super) fn comment(&mut self, text: &str, actor: &Actor) -> Result<Reply, Refusal> {
        self.may_talk(actor)?;
        super::votes::short(Some(text))?;
        self.record(
            RecordKind::Commented,
            json!({ "by": by(actor), "text": text }),
        );
        Ok(Reply::Done)
    }

    pub(super) fn attach(
        &mut self,
        name: &str,
        value: &str,
        actor: &Actor,
    ) -> Result<Reply, Refusal> {
        self.still_pending()?;
        self.may_talk(actor)?;
        let (by, name) = (json!(by(actor)), json!(name));
        let body = format!(r#"{{"by":{by},"name":{name},"value":{}}}"#, raw(value));
        self.record_text(RecordKind::Attached, body);
        Ok(Reply::Done)
    }

    /// Notes the first time that someone saw it who can answer.
    pub(super) fn view(&mut self, actor: &Actor) -> Reply {
        let sees = self.it.is_pending() && self.is_asked(&actor.principal);
        if !sees || self.it.first_viewed.is_some() {
            return Reply::Unchanged;
        }
        self.it.first_viewed = Some(self.now);
        self.record(RecordKind::Viewed, json!({ "by": by(actor) }));
        Reply::Done
    }

    /// A further event of the group: counted, the first of them listed, nobody told again. What it asks
    /// for stays blocked: a grant covers only the action that this was opened for.
    pub(super) fn join(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let Command::Join {
            digest,
            event,
            key,
            requester,
        } = command
        else {
            return Ok(Reply::Unchanged);
        };
        self.still_pending()?;
        self.it.joined = self.it.joined.saturating_add(1);
        let body = match self.it.joined <= JOINED_LISTED {
            true => json!({
                "n": self.it.joined, "digest": digest, "event": event, "key": key,
                "requester": requester,
            }),
            false => json!({ "n": self.it.joined }),
        };
        self.record(RecordKind::Joined, body);
        Ok(Reply::Done)
    }
}
