//! One size of the workload with everything that is the same for all engines.
//!
//! In: a number of lanes. Out: lanes, events, their JSON, and the right answers.

use crate::hand::NONE;
use crate::workload::{Event, Workload, attached, json};

/// Of the workload. The build script has the same one.
pub const SEED: u64 = 20_261_120;

pub struct Data {
    pub workload: Workload,
    pub events: Vec<Event>,
    pub json: Vec<String>,
    /// The first lane of each event.
    pub expected: Vec<u32>,
    /// How many lanes fire on each.
    pub fired: Vec<usize>,
}

impl Data {
    pub fn new(lanes: usize, events: usize) -> Self {
        let workload = Workload::new(lanes, SEED);
        let events = workload.events(events);
        let json: Vec<String> = events.iter().map(json).collect();
        let (expected, fired) = answers(&workload, &events);
        let made = Self {
            workload,
            events,
            json,
            expected,
            fired,
        };
        let share = made.matching();
        assert!(
            (0.1..0.35).contains(&share),
            "{share} of the events match {lanes} lanes"
        );
        let bytes = made.bytes_per_event();
        assert!((490.0..530.0).contains(&bytes), "{bytes} bytes an event");
        made
    }

    /// The share of events on which a lane fires.
    pub fn matching(&self) -> f64 {
        let matching = self.expected.iter().filter(|first| **first != NONE).count();
        matching as f64 / self.expected.len() as f64
    }

    pub fn bytes_per_event(&self) -> f64 {
        let bytes: usize = self.json.iter().map(String::len).sum();
        bytes as f64 / self.json.len() as f64
    }
}

/// The lane that names the decision, and how many fire. What fires comes before what is unsure.
pub fn answers(workload: &Workload, events: &[Event]) -> (Vec<u32>, Vec<usize>) {
    let answer = |event| {
        let (fired, unsure) = attached(&workload.lanes, event);
        let first = fired.first().or(unsure.first());
        (first.map_or(NONE, |lane| *lane as u32), fired.len())
    };
    events.iter().map(answer).unzip()
}
