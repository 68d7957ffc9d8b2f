//! The other engines: each is given the lanes in its own language, as its users would write them.
//!
//! In: lanes, events. Out: rows. What an engine cannot express is said in its file and in the
//! README.

use std::cell::RefCell;
use std::time::Instant;

use crate::arguments::Arguments;
use crate::data::Data;
use crate::measure::Row;
use crate::memory::counted;
use crate::run::Results;
use crate::workload::{Cond, Event, Lane, Test};

#[cfg(feature = "a-tree")]
mod a_tree;
#[cfg(feature = "cedar-policy")]
mod cedar;
#[cfg(feature = "cel")]
mod cel;
#[cfg(feature = "datalogic-rs")]
mod datalogic;
#[cfg(feature = "regorus")]
mod regorus;
#[cfg(feature = "wirefilter-engine")]
mod wirefilter;
#[cfg(feature = "zen-engine")]
mod zen;

/// An engine.
pub trait Peer: Sized {
    /// An event in the form that the engine decides on.
    type Prepared;
    const NAME: &'static str;
    /// The most lanes that it takes in a reasonable time.
    const MOST: usize = 50_000;

    /// Takes the lanes in and compiles them as far as it can.
    fn new(lanes: &[Lane]) -> Self;
    fn prepare(&self, event: &Event, json: &str) -> Self::Prepared;
    /// The first lane that fires, or none.
    fn first(&mut self, event: &Self::Prepared) -> u32;
    /// The same from JSON, in the way that its users would take.
    fn first_json(&mut self, json: &str) -> u32;
}

/// A row for each engine, on typed events.
pub fn typed<'a>(data: &'a Data, arguments: &Arguments, results: &mut Results) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    each(&mut Typed {
        data,
        arguments,
        results,
        rows: &mut rows,
    });
    rows
}

/// A row for each engine, from JSON.
pub fn json<'a>(data: &'a Data, arguments: &Arguments) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    each(&mut Json {
        data,
        arguments,
        rows: &mut rows,
    });
    rows
}

trait Visit {
    fn visit<P: Peer + 'static>(&mut self);
}

fn each(visit: &mut impl Visit) {
    #[cfg(feature = "a-tree")]
    visit.visit::<a_tree::Tree>();
    #[cfg(feature = "datalogic-rs")]
    visit.visit::<datalogic::Datalogic>();
    #[cfg(feature = "wirefilter-engine")]
    visit.visit::<wirefilter::Wirefilter>();
    #[cfg(feature = "zen-engine")]
    visit.visit::<zen::Zen>();
    #[cfg(feature = "cel")]
    visit.visit::<cel::Cel>();
    #[cfg(feature = "regorus")]
    visit.visit::<regorus::Regorus>();
    #[cfg(feature = "cedar-policy")]
    visit.visit::<cedar::Cedar>();
    let _ = visit;
}

struct Typed<'a, 'r> {
    data: &'a Data,
    arguments: &'r Arguments,
    results: &'r mut Results,
    rows: &'r mut Vec<Row<'a>>,
}

impl Visit for Typed<'_, '_> {
    fn visit<P: Peer + 'static>(&mut self) {
        let lanes = &self.data.workload.lanes;
        if !self.arguments.wants(P::NAME) || lanes.len() > P::MOST {
            return;
        }
        eprintln!("    {}", P::NAME);
        let start = Instant::now();
        let (mut engine, bytes) = counted(|| P::new(lanes));
        let mut seconds = start.elapsed().as_secs_f64();
        if seconds < 3.0 {
            // Counting takes a little time of its own.
            let start = Instant::now();
            engine = P::new(lanes);
            seconds = start.elapsed().as_secs_f64();
        }
        let compiled = (seconds, bytes.left);
        self.results.peers.insert((P::NAME, lanes.len()), compiled);
        let events = self.data.events.iter().zip(&self.data.json);
        let events: Vec<P::Prepared> = events
            .map(|(event, json)| engine.prepare(event, json))
            .collect();
        let first = move |at: usize| engine.first(&events[at]);
        self.rows
            .push(Row::new(P::NAME, &self.data.expected, first));
    }
}

struct Json<'a, 'r> {
    data: &'a Data,
    arguments: &'r Arguments,
    rows: &'r mut Vec<Row<'a>>,
}

impl Visit for Json<'_, '_> {
    fn visit<P: Peer + 'static>(&mut self) {
        let lanes = &self.data.workload.lanes;
        if !self.arguments.wants(P::NAME) || lanes.len() > P::MOST {
            return;
        }
        let engine = RefCell::new(P::new(lanes));
        let json = &self.data.json;
        let first = move |at: usize| engine.borrow_mut().first_json(&json[at]);
        self.rows
            .push(Row::new(P::NAME, &self.data.expected, first));
    }
}

/// A condition in a language with infix words for `and` and `or`.
fn infix(cond: &Cond, and: &str, or: &str, test: &impl Fn(&Test) -> String) -> String {
    let (parts, word) = match cond {
        Cond::Test(one) => return test(one),
        Cond::All(parts) => (parts, and),
        Cond::Any(parts) => (parts, or),
    };
    let parts: Vec<String> = parts
        .iter()
        .map(|part| infix(part, and, or, test))
        .collect();
    format!("({})", parts.join(word))
}

/// Texts in double quotes; none of the workload's has anything to escape.
fn quoted<'a>(texts: impl IntoIterator<Item = &'a str>, between: &str) -> String {
    let texts: Vec<String> = texts
        .into_iter()
        .map(|text| format!("\"{text}\""))
        .collect();
    texts.join(between)
}

/// The words of a set.
fn words(field: crate::workload::Word, words: &[u8]) -> impl Iterator<Item = &'static str> {
    words
        .iter()
        .map(move |word| field.words()[usize::from(*word)])
}
