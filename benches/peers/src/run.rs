//! What is measured, in which order.
//!
//! In: the flags. Out: [`Results`]. Rows of one measurement are timed in turn; see `measure`.

use std::collections::BTreeMap;

use crate::arguments::Arguments;
use crate::data::{Data, answers};
use crate::engines::by_hand::ByHand;
use crate::engines::laneway::{self, Cost, Laneway};
use crate::engines::{peers, walk};
use crate::hand::Call;
use crate::measure::{Effort, Row, measure};
use crate::workload::{Event, Presence};

/// What a number is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// A typed event to its primary lane.
    Typed,
    /// JSON bytes to the primary lane.
    Json,
    /// A typed event on which at most three lanes attach: the primary lane, and all of them joined.
    FewPrimary,
    FewJoined,
    /// Two fields are optional: in every event they are there, in a third of them they are not.
    Complete,
    Gaps,
    /// Events on which exactly one lane fires.
    OneLane,
}

#[derive(Default)]
pub struct Results {
    /// Nanoseconds an event, by column, number of lanes and engine.
    pub times: BTreeMap<(Column, usize), Vec<(&'static str, f64)>>,
    pub costs: BTreeMap<usize, Cost>,
    /// Of each peer and size: seconds to compile the lanes, bytes on the heap behind it.
    pub peers: BTreeMap<(&'static str, usize), (f64, i64)>,
    /// The share of events that match, the bytes of one, by number of lanes.
    pub matching: BTreeMap<usize, (f64, f64)>,
    /// Events of which a third lack two fields: how many then have a lane that fires or is unsure.
    pub attached_with_gaps: BTreeMap<usize, f64>,
}

impl Results {
    pub fn time(&self, column: Column, lanes: usize, engine: &str) -> Option<f64> {
        let rows = self.times.get(&(column, lanes))?;
        rows.iter()
            .find(|(name, _)| *name == engine)
            .map(|(_, time)| *time)
    }

    fn put(&mut self, column: Column, lanes: usize, rows: &[Row<'_>], times: Vec<f64>) {
        let names = rows.iter().map(|row| row.engine);
        self.times
            .insert((column, lanes), names.zip(times).collect());
    }
}

pub fn all(arguments: &Arguments) -> Results {
    let mut results = Results::default();
    for lanes in &arguments.sizes {
        size(*lanes, arguments, &mut results);
    }
    growth(arguments, &mut results);
    results
}

fn size(lanes: usize, arguments: &Arguments, results: &mut Results) {
    say(&format!("{lanes} lanes: events and their answers"));
    let data = Data::new(lanes, arguments.events);
    results
        .matching
        .insert(lanes, (data.matching(), data.bytes_per_event()));
    say("  compile");
    let cost = Laneway::cost(&data.workload.lanes, arguments.effort.runs);
    results.costs.insert(lanes, cost);
    say("  typed");
    typed(&data, arguments, results);
    say("  JSON");
    json(&data, arguments, results);
    say("  joined");
    joined(&data, arguments.effort, results);
    say("  missing fields");
    gaps(&data, arguments.effort, results);
}

fn typed(data: &Data, arguments: &Arguments, results: &mut Results) {
    let lanes = &data.workload.lanes;
    let hand = ByHand::new(lanes);
    let engine = Laneway::new(lanes, Presence::Required);
    let calls: Vec<Call<'_>> = data.events.iter().map(Call::of).collect();
    let slots: Vec<_> = data
        .events
        .iter()
        .map(|event| engine.slots(event))
        .collect();
    let mut rows = hand.typed(&calls, &data.expected);
    rows.push(engine.typed(&slots, &data.expected));
    rows.push(walk::typed(lanes, &data.events, &data.expected));
    rows.extend(peers::typed(data, arguments, results));
    let times = measure("typed events", &mut rows, arguments.effort);
    results.put(Column::Typed, lanes.len(), &rows, times);
}

fn json(data: &Data, arguments: &Arguments, results: &mut Results) {
    let lanes = &data.workload.lanes;
    let hand = ByHand::new(lanes);
    let router = Laneway::new(lanes, Presence::Required).router();
    let mut rows = hand.json(&data.json, &data.expected);
    rows.push(laneway::json(&router, &data.json, &data.expected));
    if lanes.len() == 5 {
        rows.extend(peers::json(data, arguments));
    }
    let times = measure("JSON", &mut rows, arguments.effort);
    results.put(Column::Json, lanes.len(), &rows, times);
}

fn joined(data: &Data, effort: Effort, results: &mut Results) {
    let lanes = &data.workload.lanes;
    let engine = Laneway::new(lanes, Presence::Required);
    let few = |at: &usize| data.fired[*at] <= 3;
    let some: Vec<usize> = (0..data.events.len()).filter(few).collect();
    let slots: Vec<_> = some
        .iter()
        .map(|at| engine.slots(&data.events[*at]))
        .collect();
    let expected: Vec<u32> = some.iter().map(|at| data.expected[*at]).collect();
    let mut rows = [
        engine.typed(&slots, &expected),
        engine.joined(&slots, &expected),
    ];
    let times = measure("events of few lanes", &mut rows, effort);
    results.put(
        Column::FewPrimary,
        lanes.len(),
        &rows[..1],
        times[..1].to_vec(),
    );
    results.put(
        Column::FewJoined,
        lanes.len(),
        &rows[1..],
        times[1..].to_vec(),
    );
}

fn gaps(data: &Data, effort: Effort, results: &mut Results) {
    let lanes = &data.workload.lanes;
    let engine = Laneway::new(lanes, Presence::TwoOptional);
    let with_gaps = data.workload.events_with_gaps(data.events.len());
    let (expected, _) = answers(&data.workload, &with_gaps);
    let attached = expected
        .iter()
        .filter(|lane| **lane != crate::hand::NONE)
        .count();
    let share = attached as f64 / expected.len() as f64;
    results.attached_with_gaps.insert(lanes.len(), share);
    let slots =
        |events: &[Event]| -> Vec<_> { events.iter().map(|event| engine.slots(event)).collect() };
    let (complete, with_gaps) = (slots(&data.events), slots(&with_gaps));
    let mut rows = [
        engine.typed(&complete, &data.expected),
        engine.typed(&with_gaps, &expected),
    ];
    let times = measure("events with gaps", &mut rows, effort);
    results.put(
        Column::Complete,
        lanes.len(),
        &rows[..1],
        times[..1].to_vec(),
    );
    results.put(Column::Gaps, lanes.len(), &rows[1..], times[1..].to_vec());
}

/// Events on which one lane fires, by few lanes and by many, timed in turn.
fn growth(arguments: &Arguments, results: &mut Results) {
    let sizes: Vec<usize> = arguments
        .sizes
        .iter()
        .copied()
        .filter(|size| *size >= 500)
        .collect();
    say("growth: events on which one lane fires");
    let made: Vec<_> = sizes
        .iter()
        .map(|size| {
            let workload = crate::workload::Workload::new(*size, crate::data::SEED);
            let found = workload.events_of_one_lane(arguments.events);
            let engine = Laneway::new(&workload.lanes, Presence::Required);
            let slots: Vec<_> = found.iter().map(|(event, _)| engine.slots(event)).collect();
            let expected: Vec<u32> = found.iter().map(|(_, lane)| *lane as u32).collect();
            (engine, slots, expected)
        })
        .collect();
    let mut rows: Vec<Row<'_>> = made
        .iter()
        .map(|(engine, slots, expected)| engine.typed(slots, expected))
        .collect();
    let times = measure("events of one lane", &mut rows, arguments.effort);
    for ((size, row), time) in sizes.iter().zip(&rows).zip(times) {
        results.put(
            Column::OneLane,
            *size,
            std::slice::from_ref(row),
            vec![time],
        );
    }
}

fn say(what: &str) {
    eprintln!("{what}");
}
