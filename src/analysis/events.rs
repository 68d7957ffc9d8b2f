//! Events that a lane fires for.
//!
//! In: a lane. Out: one event for each way in which its trigger can hold, and each kind.
//! Invariant: none promises a history: what a measure is to have is for whoever takes the event to find out.

use super::questions::trigger;
use super::space::{Chosen, Space};
use super::ways::{Budget, ways};
use crate::clock::Timestamp;
use crate::matrix::{Lane, Matrix, Record};

/// Events by their values. `patience` gives for each kind what says that its time is up.
pub(crate) fn firing(
    matrix: &Matrix,
    lane: &Lane,
    patience: &dyn Fn() -> Box<dyn Fn() -> bool>,
) -> Vec<(Record, Timestamp)> {
    let mut events = Vec::new();
    let kinds = matrix.schema.kinds().iter();
    for kind in kinds.filter(|kind| lane.on.contains(&kind.id)) {
        let space = Space::new(matrix, kind);
        let budget = Budget::new(patience());
        let cubes = ways(&space, &trigger(&space, 0, lane).yes, &budget);
        for cube in cubes.unwrap_or_default() {
            if let Chosen::Some(point) = space.choose(&cube) {
                events.extend(space.record(0, &point).map(|record| (record, point.at)));
            }
        }
    }
    events
}
