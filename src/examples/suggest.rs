//! Examples at the edges of a lane's tests, for its author to look over.
//!
//! In: a matrix. Out: for each lane examples that hold as it is: each test of a field on both sides of its constant,
//! with each value of a closed set, and with the field missing.
//! Invariant: each line was run and passes; no event comes twice, and none that the lane has an example of.
//! Measures are left out: a field alone does not bring them to their edge.

use std::cmp::Reverse;

use super::domain;
use super::line::{Happening, Line, distance, line};
use super::near;
use crate::analysis::firing;
use crate::cases::run;
use crate::decision::Verdict;
use crate::matrix::{Case, Expect, Lane, Matrix, Sample, Test};
use crate::reference::Standing;
use crate::schema::Field;
use crate::span::Span;

/// What a lane could show.
#[derive(Debug, Clone)]
pub struct Suggested {
    /// The lane.
    pub lane: String,
    /// Its keyword and name.
    pub span: Span,
    /// The examples, by the tests in their order.
    pub lines: Vec<Line>,
    /// Tests of which no event was found on which the lane depends.
    pub untold: Vec<String>,
}

/// Examples for every lane, in file order. `patience` gives for each kind what says that its time is up.
#[must_use]
pub fn suggest(matrix: &Matrix, patience: &dyn Fn() -> Box<dyn Fn() -> bool>) -> Vec<Suggested> {
    let lanes = matrix.lanes.iter();
    let mut made = Vec::new();
    lanes
        .map(|lane| of_lane(matrix, lane, &mut made, patience))
        .collect()
}

fn of_lane(
    matrix: &Matrix,
    lane: &Lane,
    made: &mut Vec<Sample>,
    patience: &dyn Fn() -> Box<dyn Fn() -> bool>,
) -> Suggested {
    let mut bases = near::known(matrix, lane);
    bases.retain(|event| event.before.is_none());
    let firing = firing(matrix, lane, patience);
    let firing = firing.iter();
    bases.extend(firing.map(|(record, _)| Happening::plain(matrix, record).without_at()));
    let mut shown: Vec<Happening> = lane.examples.iter().map(Happening::of).collect();
    let mut suggested = Suggested {
        lane: lane.name.clone(),
        span: lane.head,
        lines: Vec::new(),
        untold: Vec::new(),
    };
    for test in domain::tests_of(matrix, lane) {
        let best = bases
            .iter()
            .filter_map(|base| edges(matrix, lane, test, base));
        // Of several the first that shows most and is near to its sample.
        let best = best.min_by_key(|edges| (Reverse(edges.worth), edges.distance));
        let Some(best) = best.filter(|edges| edges.sides > 1) else {
            suggested.untold.push(test.text.clone());
            continue;
        };
        for case in best.cases {
            let event = Happening::of(&case);
            if !shown.iter().any(|known| known.is_like(&event)) {
                suggested.lines.extend(line(matrix, made, &case));
                shown.push(event);
            }
        }
    }
    suggested
}

/// A test brought to its edges from one event.
struct Edges {
    cases: Vec<Case>,
    /// In how many ways the lane stands.
    sides: usize,
    /// The same, and what is sure counts twice.
    worth: usize,
    /// From the nearest sample.
    distance: usize,
}

fn edges(matrix: &Matrix, lane: &Lane, test: &Test, base: &Happening) -> Option<Edges> {
    let kind = matrix.kind(base.record.kind)?;
    let field: &Field = kind.field(test.field)?;
    let values = domain::of_test(matrix, field, test, &base.record, base.at);
    let mut stood: Vec<Standing> = Vec::new();
    let mut cases = Vec::new();
    for value in values {
        let event = base.with(field.id, value);
        let tried = run(matrix, &event.case(Some(lane.id), Expect::NoMatch));
        let Some(standing) = tried.standing else {
            continue;
        };
        let expect = match standing {
            Standing::Fired => Expect::Verdict(Verdict::Escalate, None),
            Standing::Unsure => Expect::Unsure,
            Standing::Silent | Standing::NotConsidered => Expect::NoMatch,
        };
        let case = event.case(Some(lane.id), expect);
        if run(matrix, &case).passed {
            if !stood.contains(&standing) {
                stood.push(standing);
            }
            cases.push(case);
        }
    }
    let is_sure = |it: &&Standing| **it != Standing::Unsure;
    Some(Edges {
        cases,
        sides: stood.len(),
        worth: stood.len() + stood.iter().filter(is_sure).count(),
        distance: distance(matrix, &base.record),
    })
}
