//! The answers of tests of measures, for an evaluator that works out everything else itself.
//!
//! In: an event that is not in the history yet. Out: a [`Kleene`] for each test.
//! Invariant: those that a decision rests on.

use std::sync::Arc;

use super::eval::{Facts, Past};
use super::{History, Times};
use crate::decision::Kleene;
use crate::event::Event;
use crate::matrix::{Matrix, MeasureTest};

/// Puts the answers in the place of those that are there; an event of another schema has none.
pub(crate) fn measure_tests(
    matrix: &Matrix,
    event: &Event,
    history: &History,
    times: Times,
    tests: &[Arc<MeasureTest>],
    answers: &mut Vec<Kleene>,
) {
    answers.clear();
    if tests.is_empty() {
        return;
    }
    let instant = times.measured;
    let past = Past { history, instant };
    if let Some(facts) = Facts::new(matrix, event, Some(past)) {
        answers.extend(tests.iter().map(|test| facts.measure_test(test)));
    }
}
