//! What a sign-off demands, in words: owner, service level, holds, evidence, timeout.
//!
//! In: the terms of a lane, of `otherwise` or of `unreadable`. Out: facts.

use crate::matrix::{
    Contact, Evidence, EvidenceNeed, Hold, Matrix, Scope, Step, StepAction, Team, Terms, Within,
};

use super::{Fact, Item, Text};

/// The terms of a matrix, in words.
#[derive(Clone, Copy)]
pub(super) struct Demands<'m> {
    pub(super) matrix: &'m Matrix,
}

impl Demands<'_> {
    pub(super) fn owner(self, terms: &Terms) -> Fact {
        let Some(team) = self.matrix.team(terms.owner) else {
            return fact("Owner", Text::default());
        };
        let quorum = match (team.quorum, team.of) {
            (n, Some(of)) if n > 1 => format!("; {n} of {of} people must agree"),
            (n, None) if n > 1 => format!("; {n} people must agree"),
            _ => "; one person decides".to_owned(),
        };
        let mut list = vec![Item::new(
            Text::words("asked first: ").then(contacts(&team.first)),
        )];
        list.push(Item::new(match team.backup.is_empty() {
            true => Text::words("no backup"),
            false => Text::words("backup: ").then(contacts(&team.backup)),
        }));
        Fact {
            label: "Owner",
            text: Text::code(team.name.as_str()).and(quorum),
            list,
        }
    }

    /// The team, how many must agree, and whether somebody stands behind it; who they are is in
    /// the prose.
    pub(super) fn owner_cell(self, terms: &Terms) -> Vec<Text> {
        let team = self.matrix.team(terms.owner);
        let first = Text::code(self.matrix.team_name(terms.owner));
        let quorum = team.filter(|team| team.quorum > 1).map(quorum_cell);
        let backup = team.map(|team| match team.backup.is_empty() {
            true => Text::words("no backup"),
            false => Text::words("with backup"),
        });
        [Some(first), quorum, backup]
            .into_iter()
            .flatten()
            .collect()
    }

    /// `30m of office_hours`
    pub(super) fn within(self, within: Within) -> Text {
        let length = within.length.to_string();
        match within.of.and_then(|id| self.matrix.calendar(id)) {
            Some(calendar) => Text::words(format!("{length} of ")).with(calendar.name()),
            None => Text::words(length),
        }
    }

    pub(super) fn urgency(self, terms: &Terms) -> Fact {
        let urgency = terms.urgency.as_str();
        let text = Text::words(format!("{urgency}; a response is due within "));
        fact("Urgency", text.then(self.within(terms.respond)))
    }

    pub(super) fn meanwhile(self, terms: &Terms) -> Fact {
        let words = format!("{} {}", terms.hold.as_str(), terms.scope.as_str());
        let text = Text::code(words);
        let says = format!(": {}; it covers {}", hold(terms.hold), scope(terms.scope));
        fact("Meanwhile", text.and(says))
    }

    pub(super) fn evidence(self, terms: &Terms) -> Fact {
        let of = |required: bool| {
            let some = terms.evidence.iter();
            let some = some.filter(move |need| need.required == required);
            Text::join(some.map(evidence), ", ")
        };
        let mut list = Vec::new();
        for (word, text) in [("required: ", of(true)), ("optional: ", of(false))] {
            if !text.0.is_empty() {
                list.push(Item::new(Text::words(word).then(text)));
            }
        }
        Fact {
            label: "Evidence",
            text: Text::words("what the owner gets to see"),
            list,
        }
    }

    pub(super) fn timeout(self, terms: &Terms) -> Fact {
        let steps = terms.steps.iter().map(|step| Item::new(self.step(step)));
        Fact {
            label: "Timeout",
            text: Text::words("if nobody answers, counted from the opening:"),
            list: steps.collect(),
        }
    }

    fn step(self, step: &Step) -> Text {
        let when = if step.every { "every " } else { "after " };
        let when = Text::words(when).then(self.within(step.at));
        let team = |id| self.matrix.team_name(id);
        match &step.action {
            StepAction::NotifyBackup => when.and(": the backup is told and may decide too"),
            StepAction::Notify(id) => when
                .and(": ")
                .with(team(*id))
                .and(" is told and may decide too"),
            StepAction::Route(id) => when
                .and(": ")
                .with(team(*id))
                .and(" decides instead of the owner"),
            StepAction::Run(id) => when
                .and(": the caller is asked to run ")
                .then(self.action(*id)),
            StepAction::Deny => when.and(": it ends, denied"),
            StepAction::Expire => when.and(": it ends, expired; a resubmission is welcome"),
            StepAction::Allow(why) => when.and(format!(": it is allowed, because {why}")),
        }
    }

    /// The steps in few words, for a table.
    pub(super) fn timeout_cell(self, terms: &Terms) -> Vec<Text> {
        let steps = terms.steps.iter().map(|step| {
            let when = if step.every { "every " } else { "after " };
            let when = Text::words(when).then(self.within(step.at));
            match &step.action {
                StepAction::NotifyBackup => when.and(" notify backup"),
                StepAction::Notify(id) => when.and(" notify ").with(self.matrix.team_name(*id)),
                StepAction::Route(id) => when.and(" route to ").with(self.matrix.team_name(*id)),
                StepAction::Run(id) => when.and(" run ").with(self.matrix.action_name(*id)),
                StepAction::Deny => when.and(" deny"),
                StepAction::Expire => when.and(" expire"),
                StepAction::Allow(_) => when.and(" allow"),
            }
        });
        steps.collect()
    }

    /// An action with what it does.
    pub(super) fn action(self, id: crate::matrix::ActionId) -> Text {
        let name = Text::code(self.matrix.action_name(id));
        match self.matrix.actions.get(id.index()) {
            Some(action) => name.and(format!(" ({})", action.about)),
            None => name,
        }
    }

    /// The facts of a sign-off that belongs to no lane.
    pub(super) fn items(self, terms: &Terms) -> Vec<Item> {
        let facts = [
            self.owner(terms),
            self.urgency(terms),
            self.meanwhile(terms),
            self.evidence(terms),
            self.timeout(terms),
        ];
        let items = facts.into_iter().map(|fact| Item {
            text: Text::words(format!("{}: ", fact.label.to_lowercase())).then(fact.text),
            parts: fact.list,
        });
        items.collect()
    }
}

pub(super) fn fact(label: &'static str, text: Text) -> Fact {
    Fact {
        label,
        text,
        list: Vec::new(),
    }
}

fn quorum_cell(team: &Team) -> Text {
    Text::words(match team.of {
        Some(of) => format!("{} of {of} agree", team.quorum),
        None => format!("{} agree", team.quorum),
    })
}

fn contacts(contacts: &[Contact]) -> Text {
    Text::join(
        contacts.iter().map(|contact| {
            let sort = if contact.group { "group " } else { "" };
            Text::words(sort).with(contact.name.as_str())
        }),
        ", ",
    )
}

fn evidence(need: &EvidenceNeed) -> Text {
    match &need.item {
        Evidence::Input => Text::words("the original input"),
        Evidence::Action => Text::words("the proposed action"),
        Evidence::Trigger => Text::words("the trigger with the values it saw"),
        Evidence::Context => Text::words("the retrieved context"),
        Evidence::Links => Text::words("links to logs or records"),
        Evidence::History(None) => Text::words("the recent history"),
        Evidence::History(Some(1)) => Text::words("the last event of the history"),
        Evidence::History(Some(n)) => Text::words(format!("the last {n} events of the history")),
        Evidence::Label(label) => Text::code(label.as_str()),
    }
}

/// What a hold says to the caller (design, *Holds*).
fn hold(hold: Hold) -> &'static str {
    match hold {
        Hold::Continue => "the action may run unchanged, and the owner reviews it",
        Hold::Degrade => "the action may run in the caller's safe form, and the owner reviews it",
        Hold::Slow => "the action may run at a lower rate, and the owner reviews it",
        Hold::Park => {
            "the action is set aside and the queue goes on; it runs only once it is approved"
        }
        Hold::Hold => "the action is kept ready; it runs only once it is approved",
        Hold::Block => "the action is refused until it is approved",
        Hold::Deny => "the action is refused; an approval permits a new attempt",
    }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Item => "this item only",
        Scope::Workflow => "the item and its whole workflow",
        Scope::System => "the item, its workflow and the whole system",
    }
}
