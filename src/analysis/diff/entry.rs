//! The lanes and rules of one matrix, each with when it attaches and what follows.

use std::fmt::Write as _;

use super::clauses::{self, Clause};
use crate::analysis::cube::Dim;
use crate::analysis::questions::trigger;
use crate::analysis::space::{At, Rails, Space};
use crate::matrix::{Effect, Lane, Matrix, Otherwise, Rule, StepAction, Terms, Unsure};
use crate::schema::Kind;

/// A lane or a rule on one side.
pub(super) struct Entry {
    /// What it is and how it is called: the same in both matrices is the same entry.
    pub(super) name: String,
    /// What it demands, in words that are equal where that is.
    pub(super) follows: String,
    /// What it says beside its trigger.
    pub(super) clauses: Vec<Clause>,
    pub(super) sort: Sort,
    pub(super) rails: Rails,
    /// What an adjust sets.
    pub(super) sets: Vec<Dim>,
    /// What a lane holds meanwhile, in words; nothing of one on trial.
    pub(super) holds: String,
    /// Whether it is on trial until a day, and does something afterwards.
    pub(super) trial_ends: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Lane,
    /// A lane that denies where it is unsure.
    Denying,
    Deny,
    Allow,
    Adjust,
}

pub(super) fn entries(space: &Space<'_>, side: At, matrix: &Matrix, kind: &Kind) -> Vec<Entry> {
    let lanes = matrix
        .lanes
        .iter()
        .filter(|lane| lane.on.contains(&kind.id));
    let lanes = lanes.map(|lane| {
        let mut rails = trigger(space, side, lane);
        if matches!(lane.unsure, Unsure::Skip(_)) {
            rails.maybe = rails.yes.clone();
        }
        Entry {
            name: format!("lane `{}`", lane.name),
            follows: of_lane(matrix, lane),
            clauses: clauses::of_lane(matrix, lane),
            sort: match lane.unsure {
                Unsure::Deny => Sort::Denying,
                Unsure::Escalate | Unsure::Skip(_) => Sort::Lane,
            },
            rails,
            sets: Vec::new(),
            trial_ends: lane.trial.is_some_and(|trial| trial.until.is_some()),
            holds: match lane.trial {
                Some(_) => String::new(),
                None => format!("{} {}", lane.terms.hold.as_str(), lane.terms.scope.as_str()),
            },
        }
    });
    let rules = matrix
        .rules
        .iter()
        .filter(|rule| rule.on.contains(&kind.id));
    let rules = rules.map(|rule| Entry {
        name: format!("rule `{}`", rule.name),
        follows: of_rule(matrix, rule),
        clauses: clauses::of_rule(matrix, rule),
        sort: match rule.effect {
            Effect::Deny => Sort::Deny,
            Effect::Allow => Sort::Allow,
            Effect::Adjust(_) => Sort::Adjust,
        },
        rails: space.rails(side, &rule.when),
        sets: match &rule.effect {
            Effect::Adjust(sets) => {
                let dims = sets.iter().filter_map(|(field, _)| space.dim(side, *field));
                dims.collect()
            }
            Effect::Allow | Effect::Deny => Vec::new(),
        },
        holds: String::new(),
        trial_ends: false,
    });
    lanes.chain(rules).collect()
}

fn of_lane(matrix: &Matrix, lane: &Lane) -> String {
    let unsure = match &lane.unsure {
        Unsure::Escalate => "escalate",
        Unsure::Deny => "deny",
        Unsure::Skip(_) => "skip",
    };
    let terms = terms(matrix, Some(&lane.terms));
    format!("{terms}; unsure {unsure}; trial {:?}", lane.trial)
}

/// What terms demand: who, how many, what holds, how it ends.
pub(super) fn terms(matrix: &Matrix, terms: Option<&Terms>) -> String {
    let Some(terms) = terms else {
        return "deny".to_owned();
    };
    let quorum = matrix.team(terms.owner).map_or(0, |team| team.quorum);
    let mut text = format!(
        "{} of {}; {} {}; {}",
        quorum,
        matrix.team_name(terms.owner),
        terms.hold.as_str(),
        terms.scope.as_str(),
        terms.urgency.as_str()
    );
    for step in &terms.steps {
        let does = match &step.action {
            StepAction::NotifyBackup => "notify backup".to_owned(),
            StepAction::Notify(team) => format!("notify {}", matrix.team_name(*team)),
            StepAction::Route(team) => format!("route to {}", matrix.team_name(*team)),
            StepAction::Run(action) => format!("run {}", matrix.action_name(*action)),
            StepAction::Deny => "deny".to_owned(),
            StepAction::Expire => "expire".to_owned(),
            StepAction::Allow(_) => "allow".to_owned(),
        };
        let _ = write!(
            text,
            "; {} {} {does}",
            step.every,
            matrix.within_text(step.at)
        );
    }
    text
}

fn of_rule(matrix: &Matrix, rule: &Rule) -> String {
    match &rule.effect {
        Effect::Adjust(sets) => {
            let sets = sets
                .iter()
                .map(|(field, value)| format!("{} = {value}", matrix.schema.path(*field)));
            sets.collect::<Vec<_>>().join(", ")
        }
        other => other.as_str().to_owned(),
    }
}

pub(super) fn otherwise(matrix: &Matrix) -> String {
    match &matrix.otherwise {
        Otherwise::Allow => "allow".to_owned(),
        Otherwise::Deny => "deny".to_owned(),
        Otherwise::Escalate(its) => terms(matrix, Some(its)),
    }
}
