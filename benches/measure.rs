//! Five lanes with three measures (a count, a sum, a distinct count) beside the same lanes without:
//! what it takes to measure and count an event, over the number of keys and of events in their
//! windows, up to 50 million events in all; the bytes that the windows take; and what a second thread
//! gains beside what it gains a spin loop. Every answer is asserted before anything is timed.
//!
//! *One window*: the measures are over one span and are kept together. *Three windows*: over three.
//! Windows are in a steady state: each event that comes in, one goes out. Beside the windows that lie
//! far away it is printed what one read takes that waits for another, of as much memory.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a benchmark may fail loudly; criterion's macros write undocumented functions"
)]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use laneway::check::{Options, check_text};
use laneway::clock::{Timestamp, parse_timestamp};
use laneway::limits::Limits;
use laneway::measure::Opened;
use laneway::program::Program;
use laneway::router::Settings;
use laneway::slots::{Place, Slots};
use laneway::store::{Durability, FileStore};
use laneway::{Outcome, Router, Session, Verdict};
use rust_decimal::Decimal;

/// The window of every measure.
const WINDOW_MILLIS: i64 = 600_000;

/// Events that one sample of criterion decides.
const BATCH: usize = 2_000;

/// What is measured beside the lanes' own tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measures {
    None,
    OneWindow,
    ThreeWindows,
}

impl Measures {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::OneWindow => "three measures of one window",
            Self::ThreeWindows => "three measures of three windows",
        }
    }
}

fn text(measured: Measures) -> String {
    let mut text = String::from(
        r#"matrix "Measured" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}
event call {
  agent: text
  tenant: text
  action: one of lookup, refund, send_email, drop_table
  amount: money USD 0 to 1000000
  confidence: number 0 to 1
}
team desk {
  first person "a@acme.example"
  backup group "b"
}
"#,
    );
    let measures = [
        "count of call by agent over 10m > 9999",
        "sum amount of call by agent over 10m > 900000000 USD",
        "distinct tenant of call by agent over 10m > 9999",
    ];
    let other = [
        measures[0].to_owned(),
        measures[1].replace("10m", "601s"),
        measures[2].replace("10m", "602s"),
    ];
    let plain = [
        "action is drop_table",
        "amount > 900000 USD and confidence < 0.1",
        "confidence < 0.01",
        "action is refund and amount > 100000 USD",
        "action is send_email and confidence < 0.05",
    ];
    for (number, plain) in plain.iter().enumerate() {
        let measure = match measured {
            Measures::None => None,
            Measures::OneWindow => measures.get(number).copied(),
            Measures::ThreeWindows => other.get(number).map(String::as_str),
        };
        let when = measure.map_or_else(
            || (*plain).to_owned(),
            |measure| format!("any of {{\n    {plain}\n    {measure}\n  }}"),
        );
        text.push_str(&format!(
            "lane l{number} {{\n  on call\n  when {when}\n  owner desk\n  urgency high\n  \
             respond within 30m\n  meanwhile hold item\n  evidence {{\n    required trigger\n  }}\n  \
             timeout {{\n    after 30m deny\n  }}\n}}\n"
        ));
    }
    text
}

fn limits() -> Limits {
    Limits {
        window_events: 20_000,
        window_keys: 2_000_000,
        ..Limits::default()
    }
}

fn router(measured: Measures) -> Router {
    let options = Options {
        limits: limits(),
        ..Options::default()
    };
    let loaded = check_text("m.lane", &text(measured), &options);
    Router::new(loaded.into_matrix().unwrap()).with_limits(limits())
}

/// Events of `keys` agents in turn, far enough apart that each window holds `events`.
struct Stream<'r> {
    session: Session<'r>,
    slots: Slots,
    places: [Place; 5],
    keys: usize,
    step: TimeDelta,
    now: Timestamp,
    count: usize,
    first: usize,
    text: String,
}

impl<'r> Stream<'r> {
    fn new(router: &'r Router, keys: usize, events: usize) -> Self {
        let mut session = router.session();
        let program = session.program().clone();
        let place = |path: &str| {
            let schema = &program.matrix.schema;
            program.layout.place(schema, "call", path).unwrap()
        };
        let places = ["agent", "tenant", "action", "amount", "confidence"].map(place);
        let all = i64::try_from(keys * events).unwrap();
        Self {
            session,
            slots: Slots::default(),
            places,
            keys,
            step: TimeDelta::nanoseconds(WINDOW_MILLIS * 1_000_000 / all),
            now: parse_timestamp("2026-01-05T06:00:00Z").unwrap(),
            count: 0,
            first: 0,
            text: String::new(),
        }
    }

    /// The next event. Keys come in an order that no cache foresees.
    fn next(&mut self) -> Outcome {
        let program: &Program = self.session.program();
        let (layout, schema) = (&program.layout, &program.matrix.schema);
        let kind = schema.kind_named("call").unwrap().id;
        let slots = &mut self.slots;
        self.count += 1;
        self.now += self.step;
        slots.begin(layout, kind, self.now).unwrap();
        let [agent, tenant, action, amount, confidence] = self.places;
        let mixed = self.count.wrapping_mul(7_368_787) % self.keys + self.first;
        number(&mut self.text, "agent-", mixed);
        slots.set(layout, agent, self.text.as_str()).unwrap();
        number(&mut self.text, "tenant-", self.count % 7);
        slots.set(layout, tenant, self.text.as_str()).unwrap();
        slots.set(layout, action, "lookup").unwrap();
        slots.set(layout, amount, Decimal::new(1_250, 2)).unwrap();
        slots.set(layout, confidence, Decimal::new(9, 1)).unwrap();
        number(&mut self.text, "e-", self.count + self.first);
        slots.set_id(&self.text).unwrap();
        self.session.outcome(&self.slots, self.now).unwrap()
    }

    fn run(&mut self, events: usize) {
        for _ in 0..events {
            assert_eq!(black_box(self.next()).verdict, Verdict::Allow);
        }
    }
}

/// A name and a number of eight digits.
fn number(text: &mut String, name: &str, number: usize) {
    text.clear();
    text.push_str(name);
    let mut unit = 10_000_000;
    while unit > 0 {
        let digit = u8::try_from(number / unit % 10).unwrap();
        text.push(char::from(b'0' + digit));
        unit /= 10;
    }
}

fn is_measured() -> bool {
    std::env::args().any(|arg| arg == "--bench")
}

/// Keys, and events of each in its window.
fn sizes() -> &'static [(usize, usize)] {
    match is_measured() {
        true => &[
            (1, 10),
            (100, 10),
            (100, 100),
            (100, 1_000),
            (100, 5_000),
            (10_000, 20),
            (1_000_000, 4),
            (1_000_000, 16),
            (1_000_000, 42),
        ],
        false => &[(1, 10), (100, 20)],
    }
}

/// A count that exceeds its threshold is seen by the lane that asks for it, and by no other.
fn check_answers() {
    for measured in [Measures::OneWindow, Measures::ThreeWindows] {
        let matrix = text(measured).replace("> 9999", "> 3");
        let matrix = check_text("m.lane", &matrix, &Options::default());
        let router = Router::new(matrix.into_matrix().unwrap());
        let mut stream = Stream::new(&router, 2, 1_000);
        let verdicts: Vec<Verdict> = (0..8).map(|_| stream.next().verdict).collect();
        let expected = [[Verdict::Allow; 6].as_slice(), &[Verdict::Escalate; 2]].concat();
        assert_eq!(verdicts, expected);
    }
}

fn measure(c: &mut Criterion) {
    check_answers();
    let mut group = c.benchmark_group("measure");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(3));
    for (keys, events) in sizes().iter().copied() {
        for measured in [Measures::None, Measures::OneWindow, Measures::ThreeWindows] {
            // Three times as many windows, and the bytes of as many.
            if measured == Measures::ThreeWindows && keys * events > 4_000_000 {
                continue;
            }
            let router = router(measured);
            let mut stream = Stream::new(&router, keys, events);
            if measured != Measures::None {
                // Two windows: what is let go of for the first time is too.
                stream.run(keys * events * 2);
                report(&router, keys, events);
            }
            let shape = format!("{keys} keys of {events}");
            group.bench_function(BenchmarkId::new(measured.name(), shape), |b| {
                b.iter(|| stream.run(BATCH));
            });
        }
    }
    group.finish();
}

/// The bytes of windows, and what they may be: for each measure 96 a key, and 24 (a count), 40 (a sum)
/// or 56 (a distinct count) an event.
fn report(router: &Router, keys: usize, events: usize) {
    let size = router.window_size();
    let windows = size.keys / keys;
    let most = keys * 3 * 96 + size.events / windows * (24 + 40 + 56);
    let bytes = size.key_bytes + size.event_bytes;
    eprintln!(
        "{keys} keys of {events} in {windows} windows: {} events; {:.1} bytes a key, {:.1} an event; \
         {:.0} MB of at most {:.0} MB, and {:.0} MB of ids",
        size.events,
        size.key_bytes as f64 / size.keys as f64,
        size.event_bytes as f64 / size.events as f64,
        bytes as f64 / 1e6,
        most as f64 / 1e6,
        size.id_bytes as f64 / 1e6,
    );
    if is_measured() && keys > 4_096 {
        let megabytes = bytes.div_ceil(1_000_000);
        let nanos = read_takes(megabytes);
        eprintln!("a read of {megabytes} MB that waits for the one before it takes {nanos:.0} ns");
    }
}

/// Nanoseconds of a read of a line of so much memory, where each says which is the next.
fn read_takes(megabytes: usize) -> f64 {
    const READS: usize = 400_000;
    let mut rng = fastrand::Rng::with_seed(1);
    let lines = megabytes * 1_000_000 / 64;
    let mut order: Vec<u32> = (0u32..).take(lines).collect();
    rng.shuffle(&mut order);
    let mut memory = vec![[0u32; 16]; lines];
    for (line, next) in order.iter().zip(order.iter().cycle().skip(1)) {
        memory[*line as usize][0] = *next;
    }
    let mut at = 0;
    let begun = Instant::now();
    for _ in 0..READS {
        at = memory[at as usize][0];
    }
    black_box(at);
    begun.elapsed().as_nanos() as f64 / READS as f64
}

/// Two threads over keys of their own, and two spin loops: how many times as much they do as one.
fn threads(_: &mut Criterion) {
    let (keys, rounds, seconds) = match is_measured() {
        true => (10_000, 5, 0.5),
        false => (100, 1, 0.02),
    };
    let mut gains = Vec::new();
    for _ in 0..rounds {
        let spin = gain(seconds, |_, _| Box::new(spin));
        let measure = gain(seconds, |router, thread| {
            let mut stream = Stream::new(router, keys, 10);
            stream.first = thread * 10_000_000;
            // Time stands nearly still, so that no thread is late for another one.
            stream.step = TimeDelta::microseconds(1);
            stream.run(keys);
            Box::new(move || stream.run(100))
        });
        gains.push((measure / spin, measure, spin));
    }
    gains.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (ratio, measure, spin) = gains[gains.len() / 2];
    eprintln!(
        "two threads do {measure:.2} times the work of one, two spin loops {spin:.2} times: {ratio:.2}"
    );
}

type Work<'w> = Box<dyn FnMut() + 'w>;

/// How many times as much two threads do as one.
fn gain(seconds: f64, work: impl for<'w> Fn(&'w Router, usize) -> Work<'w> + Sync) -> f64 {
    let rate = |threads: usize| -> f64 {
        let router = router(Measures::OneWindow);
        let start = Barrier::new(threads);
        let rates: Vec<f64> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..threads)
                .map(|thread| {
                    let (work, start, router) = (&work, &start, &router);
                    scope.spawn(move || {
                        let mut work = work(router, thread);
                        start.wait();
                        let begun = Instant::now();
                        let mut done = 0.0;
                        while begun.elapsed().as_secs_f64() < seconds {
                            work();
                            done += 1.0;
                        }
                        done / begun.elapsed().as_secs_f64()
                    })
                })
                .collect();
            all.into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        rates.iter().sum()
    };
    let one = rate(1);
    rate(2) / one
}

/// A snapshot of many keys while a thread decides, and the windows that come back of it.
fn keep(_: &mut Criterion) {
    let keys = match is_measured() {
        true => 1_000_000,
        false => 200,
    };
    let folder = tempfile::tempdir().unwrap();
    let start = parse_timestamp("2026-01-05T06:00:00Z").unwrap();
    let matrix = router(Measures::OneWindow).matrix();
    let open = || {
        let store = FileStore::open(folder.path(), Durability::Process).unwrap();
        let settings = Settings {
            limits: limits(),
            ..Settings::default()
        };
        let begun = Instant::now();
        let opened = Router::open(matrix.clone(), settings, Arc::new(store), start).unwrap();
        (opened, begun.elapsed())
    };
    let ((router, _), _) = open();
    let mut stream = Stream::new(&router, keys, 2);
    stream.run(keys);
    let is_kept = AtomicBool::new(false);
    let (took, slowest, decided) = std::thread::scope(|scope| {
        let deciding = scope.spawn(|| {
            let (mut slowest, mut decided) = (Duration::ZERO, 0u64);
            while !is_kept.load(Ordering::Relaxed) {
                let begun = Instant::now();
                stream.run(1);
                slowest = slowest.max(begun.elapsed());
                decided += 1;
            }
            (slowest, decided)
        });
        let begun = Instant::now();
        router.keep().unwrap();
        let took = begun.elapsed();
        is_kept.store(true, Ordering::Relaxed);
        let (slowest, decided) = deciding.join().unwrap();
        (took, slowest, decided)
    });
    let before = router.window_size();
    drop(stream);
    drop(router);
    let ((router, opened), restored) = open();
    assert_eq!(opened, Opened::Whole);
    let after = router.window_size();
    assert_eq!((after.keys, after.events), (before.keys, before.events));
    eprintln!(
        "{} keys: a snapshot in {:.2} s, and {decided} decisions meanwhile, the slowest in {:.1} ms; \
         opened again, with a snapshot, in {:.2} s",
        before.keys,
        took.as_secs_f64(),
        slowest.as_secs_f64() * 1e3,
        restored.as_secs_f64(),
    );
}

fn spin() {
    let mut sum = 1u64;
    for n in 0..20_000u64 {
        sum = black_box(sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(n));
    }
    black_box(sum);
}

criterion_group!(benches, keep, threads, measure);
criterion_main!(benches);
