//! The plain evaluation that all answers are held against: a walk over everything that was
//! delivered so far.
//!
//! In: calls in the order of their delivery. Out: of each measure whether it is exceeded.
//! Invariant: nothing is ever forgotten, however late it came; an id counts once, by its first
//! delivery.

use std::collections::{HashMap, HashSet};

use super::call::{Answer, Bounds, Call, WINDOW};

pub fn answers(bounds: &Bounds, stream: &[Call]) -> Vec<Answer> {
    let mut delivered: HashMap<&str, Vec<&Call>> = HashMap::new();
    let mut answers = Vec::new();
    for call in stream {
        let calls = delivered.entry(&call.agent).or_default();
        if !calls.iter().any(|other| other.id == call.id) {
            calls.push(call);
        }
        let is_inside = |other: &&&Call| call.at - WINDOW < other.at && other.at <= call.at;
        let inside: Vec<&&Call> = calls.iter().filter(is_inside).collect();
        let cents = inside.iter().map(|other| u64::from(other.cents)).sum();
        let tenants: HashSet<&str> = inside.iter().map(|other| other.tenant.as_str()).collect();
        answers.push(bounds.exceeded(inside.len(), cents, tenants.len()));
    }
    answers
}
