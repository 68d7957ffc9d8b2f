//! What the attached lanes demand, each for itself and all together, as instants and names.
//!
//! In: the attached lanes in order, the instant of opening. Out: the parts of a
//! [`Decision`] that only an escalation has.
//! Invariant: an unsure lane holds the item only, asks for no action and allows nothing by itself.
//! Knows no tests.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::decision::{AttachedLane, Decision, EvidenceNeeds, Holds, Scope, State, TimeoutStep};
use crate::event::{Event, Json, Problem, ProblemCode};
use crate::matrix::{ActionId, Lane, Matrix, StepAction, Terms, Within};
use crate::syntax::ast::Evidence;

use super::reasons::Why;

/// One sign-off: of a lane that fires or is unsure, or of the engine itself.
#[derive(Debug)]
pub(super) struct Attached<'m> {
    pub(super) name: &'m str,
    pub(super) state: State,
    pub(super) terms: &'m Terms,
    /// Absent for `otherwise` and `unreadable`.
    pub(super) lane: Option<&'m Lane>,
    pub(super) why: Why,
}

impl Attached<'_> {
    fn also(&self) -> &[ActionId] {
        self.lane.map_or(&[], |lane| &lane.also)
    }

    /// The demand by itself.
    pub(super) fn entry(
        &self,
        matrix: &Matrix,
        event: Option<&Event>,
        opened: Timestamp,
    ) -> AttachedLane {
        let scope = match self.state {
            State::Fired => self.terms.scope,
            State::Unsure => Scope::Item,
        };
        AttachedLane {
            lane: self.name.to_owned(),
            state: self.state,
            owner: matrix.team_name(self.terms.owner).to_owned(),
            urgency: self.terms.urgency,
            because: self.why.because.clone(),
            group: self.group(matrix, event),
            respond_within: matrix.within_text(self.terms.respond),
            respond_by: instant(matrix, opened, self.terms.respond),
            meanwhile: Holds::of(self.terms.hold, scope),
            timeout: self.steps(matrix, opened),
        }
    }

    fn group(
        &self,
        matrix: &Matrix,
        event: Option<&Event>,
    ) -> BTreeMap<String, Option<crate::value::Value>> {
        let (Some(lane), Some(event)) = (self.lane, event) else {
            return BTreeMap::new();
        };
        let Some(kind) = matrix.kind(event.kind) else {
            return BTreeMap::new();
        };
        let fields = lane.group_by.iter();
        fields
            .map(|field| {
                let path = matrix.schema.path(*field).to_owned();
                (path, event.get(kind, *field).cloned())
            })
            .collect()
    }

    /// The steps as instants, in order of time.
    fn steps(&self, matrix: &Matrix, opened: Timestamp) -> Vec<TimeoutStep> {
        let mut previous = Some(opened);
        let mut steps = Vec::new();
        for step in &self.terms.steps {
            let from = if step.every { previous } else { Some(opened) };
            let at = from.and_then(|from| instant(matrix, from, step.at));
            if !step.every {
                previous = at;
            }
            let (action, to) = self.step_words(matrix, &step.action);
            steps.push(TimeoutStep {
                lane: self.name.to_owned(),
                at,
                action,
                to,
                every: step.every.then_some(step.at.length),
            });
        }
        in_order(&mut steps);
        steps
    }

    fn step_words(&self, matrix: &Matrix, action: &StepAction) -> (&'static str, Option<String>) {
        let team = |id| Some(matrix.team_name(id).to_owned());
        let surely = self.state == State::Fired;
        match action {
            StepAction::NotifyBackup => ("notify", Some("backup".to_owned())),
            StepAction::Notify(id) => ("notify", team(*id)),
            StepAction::Route(id) => ("route", team(*id)),
            StepAction::Run(id) if surely => ("run", Some(matrix.action_name(*id).to_owned())),
            // Withheld: an incident must not follow from a missing field.
            StepAction::Run(_) => ("notify", team(self.terms.owner)),
            StepAction::Allow(reason) if surely => ("allow", Some(reason.clone())),
            // Nobody has said that what is unknown can be taken back.
            StepAction::Allow(_) | StepAction::Deny => ("deny", None),
            StepAction::Expire => ("expire", None),
        }
    }
}

/// Steps by their instants; those that never come, last.
fn in_order(steps: &mut [TimeoutStep]) {
    steps.sort_by_key(|step| (step.at.is_none(), step.at));
}

/// The instant after a span of elapsed or open time.
fn instant(matrix: &Matrix, from: Timestamp, within: Within) -> Option<Timestamp> {
    match within.of {
        Some(calendar) => matrix.calendar(calendar)?.after_open(from, within.length),
        None => from.checked_add_signed(within.length.to_chrono()),
    }
}

/// Puts into an escalate decision what its lanes, which it lists already, demand together.
pub(super) fn fill(
    decision: &mut Decision,
    matrix: &Matrix,
    attached: &[Attached<'_>],
    given: Option<&Json>,
) {
    let Some(primary) = attached.first() else {
        return;
    };
    decision.owner = Some(matrix.team_name(primary.terms.owner).to_owned());
    decision.urgency = Some(primary.terms.urgency);
    decision.respond_within = Some(matrix.within_text(primary.terms.respond));
    decision.operator = primary.lane.and_then(|lane| lane.operator.clone());

    let lanes = &decision.lanes;
    decision.respond_by = lanes.iter().filter_map(|lane| lane.respond_by).min();
    let holds = lanes.iter().map(|lane| lane.meanwhile);
    decision.meanwhile = holds.fold(Holds::default(), Holds::join);
    decision.timeout = lanes.iter().flat_map(|lane| lane.timeout.clone()).collect();
    in_order(&mut decision.timeout);
    let never = lanes.iter().filter_map(never_open);
    decision.problems.extend(never);

    decision.also = also(matrix, attached);
    decision.withheld = withheld(matrix, attached);
    decision
        .withheld
        .retain(|action| !decision.also.contains(action));
    decision.evidence = evidence(attached, given);
}

fn never_open(lane: &AttachedLane) -> Option<Problem> {
    let all_come = lane.respond_by.is_some() && lane.timeout.iter().all(|s| s.at.is_some());
    (!all_come).then(|| Problem {
        code: ProblemCode::NeverOpen,
        field: None,
        message: format!(
            "lane `{}` has an instant that never comes: its calendar does not open in reach",
            lane.lane
        ),
    })
}

/// The actions asked for now, in lane order.
fn also(matrix: &Matrix, attached: &[Attached<'_>]) -> Vec<String> {
    let surely = attached.iter().filter(|a| a.state == State::Fired);
    names(matrix, surely.flat_map(|a| a.also().iter().copied()))
}

/// The actions that unsure lanes would ask for, now or at a step.
fn withheld(matrix: &Matrix, attached: &[Attached<'_>]) -> Vec<String> {
    let unsure = attached.iter().filter(|a| a.state == State::Unsure);
    let actions = unsure.flat_map(|attached| {
        let run = attached.terms.steps.iter().filter_map(|s| match s.action {
            StepAction::Run(action) => Some(action),
            _ => None,
        });
        attached.also().iter().copied().chain(run)
    });
    names(matrix, actions)
}

fn names(matrix: &Matrix, actions: impl Iterator<Item = ActionId>) -> Vec<String> {
    let mut names = Vec::new();
    for action in actions {
        push_new(&mut names, matrix.action_name(action));
    }
    names
}

fn push_new(words: &mut Vec<String>, word: &str) {
    if !words.iter().any(|known| known == word) {
        words.push(word.to_owned());
    }
}

/// The union of the evidence: what some lane requires is not optional. Of several `history last`
/// the longest is listed, once.
fn evidence(attached: &[Attached<'_>], given: Option<&Json>) -> EvidenceNeeds {
    let asked = || {
        attached
            .iter()
            .flat_map(|attached| &attached.terms.evidence)
    };
    let history = asked().filter_map(|need| match need.item {
        Evidence::History(last) => Some(last),
        _ => None,
    });
    let longest = history.max().flatten();
    let word = |item: &Evidence| match (item, longest) {
        (Evidence::History(_), Some(last)) => format!("history last {last}"),
        _ => member(item).to_owned(),
    };

    let mut needs = EvidenceNeeds::default();
    for need in asked().filter(|need| need.required) {
        push_new(&mut needs.required, &word(&need.item));
        if is_missing(&need.item, given) {
            push_new(&mut needs.missing, &word(&need.item));
        }
    }
    for need in asked().filter(|need| !need.required) {
        let word = word(&need.item);
        if !needs.required.contains(&word) {
            push_new(&mut needs.optional, &word);
        }
    }
    needs
}

/// The member of an event's `evidence` that gives it.
fn member(item: &Evidence) -> &str {
    match item {
        Evidence::Input => "input",
        Evidence::Action => "action",
        Evidence::Trigger => "trigger",
        Evidence::Context => "context",
        Evidence::Links => "links",
        Evidence::History(_) => "history",
        Evidence::Label(label) => label,
    }
}

/// Action, trigger and history come from the engine; all else must come with the event.
fn is_missing(item: &Evidence, given: Option<&Json>) -> bool {
    if matches!(
        item,
        Evidence::Action | Evidence::Trigger | Evidence::History(_)
    ) {
        return false;
    }
    let Some(Json::Object(members)) = given else {
        return true;
    };
    let name = member(item);
    !members
        .iter()
        .any(|(given, value)| given == name && *value != Json::Null)
}
