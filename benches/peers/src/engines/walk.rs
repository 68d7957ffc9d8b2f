//! A walk over the trees of the triggers: the engine that one writes in an afternoon.

use crate::hand::NONE;
use crate::measure::Row;
use crate::workload::{Event, Lane};

pub const NAME: &str = "tree walk over a struct";

pub fn typed<'a>(lanes: &'a [Lane], events: &'a [Event], expected: &'a [u32]) -> Row<'a> {
    Row::new(NAME, expected, move |at| {
        let event = &events[at];
        let first = lanes
            .iter()
            .position(|lane| lane.when.holds(event) == Some(true));
        first.map_or(NONE, |lane| lane as u32)
    })
}
