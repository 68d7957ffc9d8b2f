//! The lanes and rules of one matrix, each with when it attaches and what follows.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::clauses::{self, Clause};
use crate::analysis::cube::Dim;
use crate::analysis::questions::{trigger, trigger_with};
use crate::analysis::space::{Adjust, Asks, At, Node, Rails, Space, Together, With};
use crate::matrix::{Effect, Expr, Lane, Matrix, Otherwise, Rule, StepAction, Terms, Unsure};
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
    /// Of [`Sort::Again`], when it attaches where the same adjusts apply.
    pub(super) inner: Option<Rails>,
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
    /// A lane or an `always deny`, among events that adjusts have changed.
    Again,
}

/// All of one kind, and whether what becomes of adjusted events is told by them.
pub(super) fn entries(
    space: &Space<'_>,
    side: At,
    matrix: &Matrix,
    kind: &Kind,
) -> (Vec<Entry>, bool) {
    let mut all = as_it_comes(space, side, matrix, kind);
    let again = again(space, side, matrix, &all);
    let is_followed = again.is_some();
    all.extend(again.into_iter().flatten());
    (all, is_followed)
}

/// Lanes and rules among events that are adjusted; nothing where it takes more than the event as it came to tell.
fn again(space: &Space<'_>, side: At, matrix: &Matrix, all: &[Entry]) -> Option<Vec<Entry>> {
    let by_name: HashMap<&str, &Entry> = all.iter().map(|it| (&*it.name, it)).collect();
    let adjusts = matrix.rules.iter().filter_map(|rule| match &rule.effect {
        Effect::Adjust(sets) => {
            let entry = by_name.get(&*name_of_rule(rule))?;
            Some((&rule.name, (&**sets, &entry.rails.yes)))
        }
        Effect::Allow | Effect::Deny => None,
    });
    let (names, adjusts): (Vec<&String>, Vec<Adjust<'_>>) = adjusts.unzip();
    let mut found = Vec::new();
    for Together { which, node, set } in space.together(&adjusts)? {
        let Some(set) = set else { continue };
        let applied = which.iter().filter_map(|place| names.get(*place));
        let applied: Vec<String> = applied.map(|name| format!("`{name}`")).collect();
        let with = With::Set(&set);
        let looks = |entry: &Entry, parts: [Option<&Expr>; 2], rails: &dyn Fn() -> Rails| {
            let asks = parts.into_iter().flatten();
            match asks.map(|part| space.asks(side, part, &set)).max() {
                Some(Asks::Beyond) => None,
                Some(Asks::Of) => {
                    let inner = rails();
                    let within = |inner: &Node| Node::all(vec![node.clone(), inner.clone()]);
                    Some(Some(Entry {
                        name: format!("{} after {}", entry.name, applied.join(", ")),
                        follows: entry.follows.clone(),
                        clauses: Vec::new(),
                        sort: Sort::Again,
                        rails: Rails {
                            yes: within(&inner.yes),
                            maybe: within(&inner.maybe),
                        },
                        inner: Some(inner),
                        sets: Vec::new(),
                        holds: String::new(),
                        trial_ends: entry.trial_ends,
                    }))
                }
                // It had nothing to do with the event before.
                Some(Asks::Not) | None => Some(None),
            }
        };
        for lane in &matrix.lanes {
            let Some(entry) = by_name.get(&*name_of_lane(lane)) else {
                continue;
            };
            let rails = || {
                let (when, unless) = (&lane.when, lane.unless.as_ref());
                without_skipped(lane, trigger_with(space, side, when, unless, with))
            };
            found.extend(looks(
                entry,
                [Some(&lane.when), lane.unless.as_ref()],
                &rails,
            )?);
        }
        for rule in matrix.rules.iter().filter(|it| it.effect == Effect::Deny) {
            let Some(entry) = by_name.get(&*name_of_rule(rule)) else {
                continue;
            };
            let rails = || space.rails_with(side, &rule.when, with);
            found.extend(looks(entry, [Some(&rule.when), None], &rails)?);
        }
    }
    Some(found)
}

fn name_of_lane(lane: &Lane) -> String {
    format!("lane `{}`", lane.name)
}

fn name_of_rule(rule: &Rule) -> String {
    format!("rule `{}`", rule.name)
}

/// A lane that skips brings nothing where it is unsure.
fn without_skipped(lane: &Lane, rails: Rails) -> Rails {
    match lane.unsure {
        Unsure::Skip(_) => Rails {
            maybe: rails.yes.clone(),
            ..rails
        },
        Unsure::Escalate | Unsure::Deny => rails,
    }
}

fn as_it_comes(space: &Space<'_>, side: At, matrix: &Matrix, kind: &Kind) -> Vec<Entry> {
    let lanes = matrix
        .lanes
        .iter()
        .filter(|lane| lane.on.contains(&kind.id));
    let lanes = lanes.map(|lane| {
        let rails = without_skipped(lane, trigger(space, side, lane));
        Entry {
            name: name_of_lane(lane),
            follows: of_lane(matrix, lane),
            clauses: clauses::of_lane(matrix, lane),
            sort: match lane.unsure {
                Unsure::Deny => Sort::Denying,
                Unsure::Escalate | Unsure::Skip(_) => Sort::Lane,
            },
            rails,
            inner: None,
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
        name: name_of_rule(rule),
        follows: of_rule(matrix, rule),
        clauses: clauses::of_rule(matrix, rule),
        sort: match rule.effect {
            Effect::Deny => Sort::Deny,
            Effect::Allow => Sort::Allow,
            Effect::Adjust(_) => Sort::Adjust,
        },
        rails: space.rails(side, &rule.when),
        inner: None,
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
