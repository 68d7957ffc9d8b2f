//! Lanes, rules and promises in prose.
//!
//! In: a checked matrix. Out: the facts of each lane, and the parts of the page below them.

use std::collections::HashSet;

use crate::clock::Timestamp;
use crate::matrix::{Claim, Effect, Lane, Matrix, Otherwise, Terms, Unsure};
use crate::schema::KindId;

use super::exprs::Words;
use super::terms::{Demands, fact};
use super::{Fact, Item, LaneView, Section, Text};

/// A matrix, in prose.
#[derive(Clone, Copy)]
pub(super) struct Prose<'m> {
    pub(super) matrix: &'m Matrix,
}

impl<'m> Prose<'m> {
    fn words(self) -> Words<'m> {
        Words {
            matrix: self.matrix,
        }
    }

    fn demands(self) -> Demands<'m> {
        Demands {
            matrix: self.matrix,
        }
    }

    pub(super) fn lane(self, lane: &Lane) -> LaneView {
        let demands = self.demands();
        let trial = lane.trial.map(|trial| match trial.until {
            Some(until) => format!("on trial until {}, without effect", self.day(until)),
            None => "on trial, without effect".to_owned(),
        });
        LaneView {
            name: lane.name.clone(),
            about: lane.about.clone(),
            trial,
            cells: [
                self.trigger_cell(lane),
                demands.owner_cell(&lane.terms),
                self.meanwhile_cell(lane),
                vec![demands.within(lane.terms.respond)],
                demands.timeout_cell(&lane.terms),
            ],
            facts: self.facts(lane),
        }
    }

    fn trigger_cell(self, lane: &Lane) -> Vec<Text> {
        let mut lines = self.words().lines(&lane.when);
        if let Some(unless) = &lane.unless {
            lines.push(Text::words("unless ").then(self.words().line(unless)));
        }
        lines
    }

    fn meanwhile_cell(self, lane: &Lane) -> Vec<Text> {
        let (hold, scope) = (lane.terms.hold.as_str(), lane.terms.scope.as_str());
        let mut lines = vec![Text::words(format!("{hold} {scope}"))];
        let also = lane.also.iter().map(|id| self.matrix.action_name(*id));
        lines.extend(also.map(Text::code));
        lines
    }

    /// The facts of a lane in the order in which an operator asks for them.
    fn facts(self, lane: &Lane) -> Vec<Fact> {
        let demands = self.demands();
        let terms = &lane.terms;
        let mut facts = vec![
            self.trigger(lane),
            demands.owner(terms),
            demands.urgency(terms),
            self.meanwhile(lane),
            demands.evidence(terms),
            fact(
                "Operator",
                Text::words(lane.operator.as_deref().unwrap_or("no instruction")),
            ),
            demands.timeout(terms),
            self.unsure(lane),
        ];
        if !lane.group_by.is_empty() {
            let schema = &self.matrix.schema;
            let fields = Text::codes(lane.group_by.iter().map(|id| schema.path(*id)));
            let text = Text::words("events with equal ").then(fields);
            let text = text.and(" join one open escalation, with one notification");
            facts.push(fact("Group", text));
        }
        if let Some(reversible) = &lane.reversible {
            facts.push(fact("Reversible", Text::words(reversible.as_str())));
        }
        facts
    }

    fn trigger(self, lane: &Lane) -> Fact {
        let mut opened = HashSet::new();
        let when = self.words().tree(&lane.when, &mut opened);
        let mut list = vec![when];
        if let Some(unless) = &lane.unless {
            list.push(Item {
                text: Text::words("unless:"),
                parts: vec![self.words().tree(unless, &mut opened)],
            });
        }
        Fact {
            label: "Trigger",
            text: Text::words("on ").then(self.kinds(&lane.on)).and(", when"),
            list,
        }
    }

    fn kinds(self, kinds: &[KindId]) -> Text {
        let kinds = kinds.iter().filter_map(|id| self.matrix.kind(*id));
        Text::codes(kinds.map(|kind| kind.name.to_string()))
    }

    fn meanwhile(self, lane: &Lane) -> Fact {
        let mut fact = self.demands().meanwhile(&lane.terms);
        let also = lane.also.iter().map(|id| self.demands().action(*id));
        let also: Vec<Text> = also.collect();
        if !also.is_empty() {
            let also = Text::join(also, ", ");
            let text = Text::words("at once the caller is asked to run: ").then(also);
            fact.list.push(Item::new(text));
        }
        fact
    }

    fn unsure(self, lane: &Lane) -> Fact {
        let text = match &lane.unsure {
            Unsure::Escalate => {
                let asks = !lane.also.is_empty();
                let withheld = match (asks, runs(&lane.terms)) {
                    (false, false) => "",
                    (true, false) => ", and what it would ask the caller to run is withheld",
                    (false, true) => {
                        ", and a step that would run an action tells the owner instead"
                    }
                    (true, true) => {
                        ", what it would ask the caller to run at once is withheld, and a step that would run an action tells the owner instead"
                    }
                };
                format!("it escalates as well, but the hold covers this item only{withheld}")
            }
            Unsure::Deny => "the event is denied, since the author wrote `unsure deny`".to_owned(),
            Unsure::Skip(why) => {
                format!("the lane is left out, since the author wrote `unsure skip`: {why}")
            }
        };
        let mut tests = self.words().if_present(&lane.when);
        if let Some(unless) = &lane.unless {
            tests.extend(self.words().if_present(unless));
        }
        let list = match tests.is_empty() {
            true => Vec::new(),
            false => vec![Item {
                text: Text::words("false, not unknown, when the field is missing:"),
                parts: tests
                    .into_iter()
                    .map(|t| Item::new(Text::code(t)))
                    .collect(),
            }],
        };
        Fact {
            label: "When unsure",
            text: Text::words(text),
            list,
        }
    }

    /// What stands below the lanes.
    pub(super) fn sections(self) -> Vec<Section> {
        let sections = [
            self.rules(),
            self.otherwise(),
            self.unreadable(),
            self.promises(),
            self.ways_out(),
        ];
        let full = |s: &Section| s.text.is_some() || !s.list.is_empty();
        sections.into_iter().filter(full).collect()
    }

    fn rules(self) -> Section {
        let rules = self.matrix.rules.iter().map(|rule| {
            let does = Text::words(format!("{} ", rule.effect.as_str()));
            let does = does.with(rule.name.as_str()).and(" on ");
            let mut text = does.then(self.kinds(&rule.on));
            if let Effect::Adjust(sets) = &rule.effect {
                let schema = &self.matrix.schema;
                let sets = sets
                    .iter()
                    .map(|(id, value)| format!("{} = {value}", schema.path(*id)));
                text = text.and(", set ").then(Text::codes(sets));
            }
            if let Some(because) = &rule.because {
                text = text.and(format!(", because {because}"));
            }
            Item {
                text: text.and(", when"),
                parts: vec![self.words().tree(&rule.when, &mut HashSet::new())],
            }
        });
        Section {
            title: "Rules",
            text: None,
            list: rules.collect(),
        }
    }

    fn otherwise(self) -> Section {
        let (text, list) = match &self.matrix.otherwise {
            Otherwise::Allow => ("the action is allowed", Vec::new()),
            Otherwise::Deny => ("the action is denied", Vec::new()),
            Otherwise::Escalate(terms) => ("it is escalated:", self.demands().items(terms)),
        };
        Section {
            title: "If no lane and no rule decides",
            text: Some(Text::words(text)),
            list,
        }
    }

    fn unreadable(self) -> Section {
        let (text, list) = match &self.matrix.unreadable {
            None => ("it is denied", Vec::new()),
            Some(terms) => ("it is escalated:", self.demands().items(terms)),
        };
        Section {
            title: "If an event cannot be read",
            text: Some(Text::words(text)),
            list,
        }
    }

    fn promises(self) -> Section {
        let promises = self.matrix.promises.iter().map(|promise| {
            let text = Text::words(format!("{}: on ", promise.title)).then(self.kinds(&promise.on));
            let text = match promise.claim {
                Claim::Reaches(team) => text
                    .and(" it reaches ")
                    .with(self.matrix.team_name(team))
                    .and(" or is denied, when"),
                Claim::Never(verdict) => text
                    .and(" the verdict is never ")
                    .with(verdict.as_str())
                    .and(", when"),
            };
            Item {
                text,
                parts: vec![self.words().tree(&promise.when, &mut HashSet::new())],
            }
        });
        Section {
            title: "Promises",
            text: None,
            list: promises.collect(),
        }
    }

    /// Everything by which the author left the strict reading of missing values.
    fn ways_out(self) -> Section {
        let mut list = Vec::new();
        for lane in &self.matrix.lanes {
            let name = || Text::words("lane ").with(lane.name.as_str());
            match &lane.unsure {
                Unsure::Escalate => {}
                Unsure::Deny => list.push(name().and(" denies when it is unsure")),
                Unsure::Skip(why) => {
                    list.push(name().and(format!(" is left out when it is unsure: {why}")));
                }
            }
            if let Some(trial) = lane.trial {
                list.push(name().and(match trial.until {
                    Some(until) => format!(" is on trial until {}", self.day(until)),
                    None => " is on trial".to_owned(),
                }));
            }
            let unless = lane.unless.as_ref();
            for expr in std::iter::once(&lane.when).chain(unless) {
                for test in self.words().if_present(expr) {
                    list.push(name().and(": ").with(test));
                }
            }
        }
        for rule in &self.matrix.rules {
            for test in self.words().if_present(&rule.when) {
                let name = Text::words("rule ").with(rule.name.as_str());
                list.push(name.and(": ").with(test));
            }
        }
        Section {
            title: "Ways out of the strict reading of missing values",
            text: None,
            list: list.into_iter().map(Item::new).collect(),
        }
    }

    /// An instant as a day of the matrix's zone; with the time where it is not midnight.
    fn day(self, at: Timestamp) -> String {
        let local = at.with_timezone(&self.matrix.zone);
        match local.time() == chrono::NaiveTime::MIN {
            true => local.format("%Y-%m-%d").to_string(),
            false => local.format("%Y-%m-%d %H:%M").to_string(),
        }
    }
}

fn runs(terms: &Terms) -> bool {
    let steps = terms.steps.iter();
    let mut actions = steps.map(|step| &step.action);
    actions.any(|action| matches!(action, crate::matrix::StepAction::Run(_)))
}
