//! The order in which lanes and rules decide.
//!
//! In: the entries of a kind. Out: a rank for each of their states, and what each rank stands for.
//! Invariant: deny, escalate, adjust, allow, otherwise; among lanes the urgency, then what fires
//! before what is unsure, then file order.

use std::cmp::Reverse;

use super::otherwise;
use crate::decision::{State, Urgency, Verdict};
use crate::matrix::{Effect, Lane, Matrix, Rule, Unsure};
use crate::program::{By, Entry, Outcome, Rank, Ranked, What};

pub(super) struct Ranks;

/// Where something stands among all that could decide; the smallest decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    DenyRule,
    UnsureLaneDenies,
    Lane(Reverse<Urgency>, State),
    UnsureDenyRule,
    Adjust,
    Allow,
}

struct Claim {
    tier: Tier,
    entry: usize,
    states: &'static [State],
    verdict: Verdict,
}

impl Ranks {
    /// Gives each entry its ranks.
    pub(super) fn of(matrix: &Matrix, entries: &mut [Entry]) -> Vec<Ranked> {
        let mut claims = Vec::new();
        for (number, entry) in entries.iter().enumerate() {
            match entry.what {
                What::Lane(id) => {
                    if let Some(lane) = matrix.lane(id) {
                        claims.extend(lane_claims(lane, number));
                    }
                }
                What::Rule(id) => {
                    if let Some(rule) = matrix.rules.get(id.index()) {
                        claims.extend(rule_claims(matrix, rule, number));
                    }
                }
            }
        }
        // Entries are in file order, lanes and rules each for themselves.
        claims.sort_by_key(|claim| (claim.tier, claim.entry));
        let mut ranked = Vec::with_capacity(claims.len() + 1);
        for claim in claims {
            let Some(entry) = entries.get_mut(claim.entry) else {
                continue;
            };
            let rank = Rank(u32::try_from(ranked.len()).unwrap_or(u32::MAX - 1));
            for state in claim.states {
                match state {
                    State::Fired => entry.fired = rank,
                    State::Unsure => entry.unsure = rank,
                }
            }
            ranked.push(Ranked {
                outcome: Outcome {
                    verdict: claim.verdict,
                    by: match entry.what {
                        What::Lane(id) => By::Lane(id),
                        What::Rule(id) => By::Rule(id),
                    },
                },
                entry: u32::try_from(claim.entry).ok(),
            });
        }
        ranked.push(otherwise(matrix));
        ranked
    }
}

fn lane_claims(lane: &Lane, entry: usize) -> Vec<Claim> {
    // A lane that is always under trial decides nothing.
    if lane.trial.is_some_and(|trial| trial.until.is_none()) {
        return Vec::new();
    }
    let claim = |state: &'static [State], tier, verdict| Claim {
        tier,
        entry,
        states: state,
        verdict,
    };
    let urgency = Reverse(lane.terms.urgency);
    let fired = claim(
        &[State::Fired],
        Tier::Lane(urgency, State::Fired),
        Verdict::Escalate,
    );
    let unsure = match lane.unsure {
        Unsure::Escalate => Some((Tier::Lane(urgency, State::Unsure), Verdict::Escalate)),
        Unsure::Deny => Some((Tier::UnsureLaneDenies, Verdict::Deny)),
        Unsure::Skip(_) => None,
    };
    let unsure = unsure.map(|(tier, verdict)| claim(&[State::Unsure], tier, verdict));
    std::iter::once(fired).chain(unsure).collect()
}

fn rule_claims(matrix: &Matrix, rule: &Rule, entry: usize) -> Vec<Claim> {
    let claim = |states: &'static [State], tier, verdict| Claim {
        tier,
        entry,
        states,
        verdict,
    };
    match (&rule.effect, &matrix.unreadable) {
        // Without people for what is unreadable, a deny that is unsure denies.
        (Effect::Deny, None) => vec![claim(
            &[State::Fired, State::Unsure],
            Tier::DenyRule,
            Verdict::Deny,
        )],
        (Effect::Deny, Some(_)) => vec![
            claim(&[State::Fired], Tier::DenyRule, Verdict::Deny),
            claim(&[State::Unsure], Tier::UnsureDenyRule, Verdict::Escalate),
        ],
        (Effect::Adjust(_), _) => vec![claim(&[State::Fired], Tier::Adjust, Verdict::Adjust)],
        (Effect::Allow, _) => vec![claim(&[State::Fired], Tier::Allow, Verdict::Allow)],
    }
}
