//! From an event to its decision over 5 to 50,000 lanes: from slots and from JSON bytes, the primary
//! lane only and all lanes joined. Every answer is asserted before anything is timed; each figure is
//! that of a whole batch of events, its throughput that of one.
//!
//! The shapes: `hit` (some lane fires), `miss` (none attaches), `unsure` (an optional field is
//! missing, and no lane surely fires), `last` (only the last lane fires), `many` (up to 64 lanes
//! fire at once).

#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may fail loudly; criterion's macros write undocumented functions; the \
              workload is shared"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use laneway::clock::Timestamp;
use laneway::compile::compile;
use laneway::decision::State;
use laneway::event::read;
use laneway::limits::Limits;
use laneway::matrix::LaneId;
use laneway::program::{By, Outcome, Program, Scratch, What};
use laneway::slots::Slots;

#[path = "support/sizes.rs"]
mod sizes;
#[path = "support/workload.rs"]
mod workload;

use sizes::{SEED, checked, sizes};
use workload::{Cond, Event, Lane, Number, Presence, Test, Text, Workload, attached, json};

/// Events of one shape.
const BATCH: usize = 200;

/// Events that a shape is looked for in.
const POOL: usize = 1_500;

/// Lanes that fire at once.
const MANY: usize = 64;

const LAST_TOOL: &str = "tool.of.the.last.lane";
const BUSY_TOOL: &str = "tool.of.many.lanes";

/// Events that are decided in a like way, and a program that decides them.
struct Shape<'p> {
    name: &'static str,
    program: &'p Program,
    json: Vec<String>,
    slots: Vec<Slots>,
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

impl<'p> Shape<'p> {
    /// The events of a pool that are of the shape, with what the walk over the lanes says of them
    /// asserted of every way to decide.
    fn new(
        name: &'static str,
        program: &'p Program,
        lanes: &[Lane],
        pool: impl IntoIterator<Item = Event>,
        is_it: impl Fn(&[usize], &[usize]) -> bool,
    ) -> Self {
        let mut shape = Self {
            name,
            program,
            json: Vec::new(),
            slots: Vec::new(),
        };
        let mut scratch = Scratch::default();
        for event in pool {
            let (fired, unsure) = attached(lanes, &event);
            if shape.json.len() < BATCH && is_it(&fired, &unsure) {
                shape.add(&event, &fired, &unsure, &mut scratch);
            }
        }
        let found = shape.json.len();
        assert!(
            found >= 5,
            "only {found} events are a {name} of {} lanes",
            lanes.len()
        );
        shape
    }

    fn add(&mut self, event: &Event, fired: &[usize], unsure: &[usize], scratch: &mut Scratch) {
        let json = json(event);
        let (program, bytes) = (self.program, json.as_bytes());
        let read_event = read(bytes, &program.matrix.schema, &Limits::default(), now()).unwrap();
        let mut typed = Slots::default();
        typed.fill(&program.layout, &read_event).unwrap();
        let mut quick = Slots::default();
        quick
            .read(bytes, &program.layout, &Limits::default(), now())
            .unwrap();
        let id = |at: &usize| LaneId(u32::try_from(*at).unwrap());
        let by = fired.iter().chain(unsure).next();
        let by = by.map_or(By::Otherwise, |at| By::Lane(id(at)));
        let of = |lanes: &[usize], state| -> Vec<(What, State)> {
            lanes.iter().map(|at| (What::Lane(id(at)), state)).collect()
        };
        let mut wanted = of(fired, State::Fired);
        wanted.extend(of(unsure, State::Unsure));
        for (slots, input) in [(&typed, &[][..]), (&quick, bytes)] {
            let outcome = program.outcome(slots, input, &[], scratch).unwrap();
            assert_eq!(outcome.by, by, "{json}");
            let joined = program.attachments(slots, input, &[], scratch).unwrap();
            assert_eq!(joined.outcome.by, by, "{json}");
            assert_eq!(joined.entries().collect::<Vec<_>>(), wanted, "{json}");
        }
        self.json.push(json);
        self.slots.push(typed);
    }

    fn bench(&self, c: &mut Criterion, lanes: usize) {
        let mut group = c.benchmark_group(format!("decide_{}", self.name));
        group.throughput(Throughput::Elements(self.json.len() as u64));
        group.warm_up_time(Duration::from_millis(500));
        group.measurement_time(Duration::from_secs(2));
        group.sample_size(20);
        let program = self.program;
        let mut scratch = Scratch::default();
        let mut slots = Slots::default();
        let limits = Limits::default();
        group.bench_function(BenchmarkId::new("slots_primary", lanes), |b| {
            b.iter(|| {
                for slots in black_box(&self.slots) {
                    let _ = black_box(program.outcome(slots, &[], &[], &mut scratch));
                }
            });
        });
        group.bench_function(BenchmarkId::new("slots_joined", lanes), |b| {
            b.iter(|| {
                for slots in black_box(&self.slots) {
                    let joined = program.attachments(slots, &[], &[], &mut scratch);
                    let _ = black_box(joined.map(|joined| joined.hits.len()));
                }
            });
        });
        group.bench_function(BenchmarkId::new("json_primary", lanes), |b| {
            b.iter(|| {
                for json in black_box(&self.json) {
                    let bytes = json.as_bytes();
                    let _ = slots.read(bytes, &program.layout, &limits, now());
                    let outcome: Result<Outcome, _> =
                        program.outcome(&slots, bytes, &[], &mut scratch);
                    let _ = black_box(outcome);
                }
            });
        });
        group.bench_function(BenchmarkId::new("json_joined", lanes), |b| {
            b.iter(|| {
                for json in black_box(&self.json) {
                    let bytes = json.as_bytes();
                    let _ = slots.read(bytes, &program.layout, &limits, now());
                    let joined = program.attachments(&slots, bytes, &[], &mut scratch);
                    let _ = black_box(joined.map(|joined| joined.hits.len()));
                }
            });
        });
        group.finish();
    }
}

/// The lanes of a workload with others in the place of the last ones: some that all ask for one
/// tool, and behind them one that nothing else asks for.
fn with_many_and_last(workload: &Workload) -> Vec<Lane> {
    let count = workload.lanes.len();
    let many = MANY.min(count / 2);
    let mut lanes = workload.lanes[..count - many - 1].to_vec();
    let lane = |name: String, tool: &str, number: Number, above: i64| Lane {
        name,
        when: Cond::All(vec![
            Cond::Test(Test::Is(Text::Tool, tool.to_owned())),
            Cond::Test(Test::Above(number, above)),
        ]),
    };
    for n in 0..many {
        let bound = i64::try_from(n).unwrap() * 10;
        lanes.push(lane(format!("busy_{n}"), BUSY_TOOL, Number::Amount, bound));
    }
    lanes.push(lane("last".to_owned(), LAST_TOOL, Number::Tokens, 1_000));
    lanes
}

fn asking(events: &[Event], tool: &'static str) -> impl Iterator<Item = Event> {
    let events = events.iter().cloned();
    events.map(move |event| Event {
        tool: tool.to_owned(),
        ..event
    })
}

fn benches(c: &mut Criterion) {
    for lanes in sizes() {
        let lanes = *lanes;
        let workload = Workload::new(lanes, SEED);
        let events = workload.events(POOL);

        let program = compile(&checked(&workload.lanes, Presence::Required));
        let hit = |fired: &[usize], _: &[usize]| !fired.is_empty();
        Shape::new("hit", &program, &workload.lanes, events.clone(), hit).bench(c, lanes);
        let miss = |fired: &[usize], unsure: &[usize]| fired.is_empty() && unsure.is_empty();
        Shape::new("miss", &program, &workload.lanes, events.clone(), miss).bench(c, lanes);

        let program = compile(&checked(&workload.lanes, Presence::TwoOptional));
        let gaps = workload.events_with_gaps(POOL);
        let unsure = |fired: &[usize], unsure: &[usize]| fired.is_empty() && !unsure.is_empty();
        Shape::new("unsure", &program, &workload.lanes, gaps, unsure).bench(c, lanes);

        let changed = with_many_and_last(&workload);
        let program = compile(&checked(&changed, Presence::Required));
        let last = |fired: &[usize], _: &[usize]| fired == [changed.len() - 1];
        let asked = asking(&events, LAST_TOOL);
        Shape::new("last", &program, &changed, asked, last).bench(c, lanes);
        let busy = MANY.min(lanes / 2);
        let many = |fired: &[usize], _: &[usize]| fired.len() >= busy;
        let asked = asking(&events, BUSY_TOOL);
        Shape::new("many", &program, &changed, asked, many).bench(c, lanes);
    }
}

criterion_group!(all, benches);
criterion_main!(all);
