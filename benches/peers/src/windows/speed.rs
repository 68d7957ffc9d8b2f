//! What it takes to count a call and decide on it, on one thread.
//!
//! In: a number of agents, and of calls in the window of each. Out: nanoseconds a call, their ratio to
//! Laneway's in the same run, and bytes on the heap.
//! Invariant: all counters get the same calls in the same order, batch after batch; windows are
//! in a steady state. Nothing is ever too much, and everybody has to say so.

use cpu_time::ThreadTime;

use super::call::{Call, Said};
use super::counters::{Counter, buckets, exact, laneway};
use super::stream::{FAR_BOUNDS, SEED, Steady};
use crate::arguments::Arguments;
use crate::measure::median;
use crate::memory::counted;

/// Agents, and calls of each in its window.
pub const SIZES: [(usize, usize); 3] = [(100, 10), (10_000, 20), (1_000_000, 4)];

/// Calls of one batch, and the batches of one run. One that is slow is timed on the first of them.
pub const BATCH: usize = 2_000;
pub const BATCHES: usize = 10;

/// Calls that come in before the timing, at a time.
const FILL: usize = 20_000;

/// What was measured of one counter at one size.
pub struct Cost {
    pub counter: &'static str,
    pub is_peer: bool,
    pub less: &'static str,
    /// Nanoseconds a call.
    pub nanos: f64,
    /// To Laneway.
    pub ratio: f64,
    /// On the heap, of each call in a window.
    pub bytes: f64,
}

pub struct Speed {
    pub agents: usize,
    pub calls: usize,
    pub costs: Vec<Cost>,
}

pub fn all(arguments: &Arguments) -> Vec<Speed> {
    let size = |(agents, calls)| size(agents, calls, arguments);
    SIZES.into_iter().map(size).collect()
}

fn size(agents: usize, calls: usize, arguments: &Arguments) -> Speed {
    eprintln!("{agents} agents of {calls}");
    let router = laneway::router(FAR_BOUNDS);
    let mut all = Wanted {
        arguments,
        held: agents * calls,
        counters: Vec::new(),
    };
    // The first one: all others are held against it.
    all.add(|| laneway::Laneway::new(&router));
    all.add(|| exact::Exact::new(FAR_BOUNDS));
    all.add(|| buckets::Buckets::new(FAR_BOUNDS));
    #[cfg(feature = "governor")]
    all.add(|| super::counters::governor::Governor::new(FAR_BOUNDS));
    #[cfg(feature = "limitador")]
    all.add(|| super::counters::limitador::Limitador::new(FAR_BOUNDS));
    #[cfg(feature = "rust-rule-engine")]
    all.add(|| super::counters::rule_engine::RuleEngine::new(FAR_BOUNDS));
    #[cfg(feature = "differential-dataflow")]
    all.add(|| super::counters::differential::Differential::new(FAR_BOUNDS));
    let Wanted {
        held,
        counters: mut all,
        ..
    } = all;
    let mut stream = Steady::new(agents, calls);
    let bytes = fill(&mut all, &mut stream, 2 * held);
    let size = router.window_size();
    assert_eq!(size.keys, agents, "the measures share a window");
    let times = times(&mut all, &mut stream, arguments.effort.runs);
    let costs = all.iter().zip(times).zip(bytes);
    let costs = costs.map(|((counter, (nanos, ratio)), bytes)| Cost {
        counter: counter.name(),
        is_peer: counter.is_peer(),
        less: counter.less(),
        nanos,
        ratio,
        bytes: bytes as f64 / held as f64,
    });
    Speed {
        agents,
        calls,
        costs: costs.collect(),
    }
}

/// The counters of one size.
struct Wanted<'a> {
    arguments: &'a Arguments,
    /// Calls in windows.
    held: usize,
    counters: Vec<Box<dyn Timed + 'a>>,
}

impl<'a> Wanted<'a> {
    fn add<C: Counter + 'a>(&mut self, make: impl FnOnce() -> C) {
        let is_wanted = !C::IS_PEER || self.arguments.wants(C::NAME);
        if is_wanted && self.held <= C::MOST {
            self.counters.push(Box::new(Prepared {
                counter: make(),
                calls: Vec::new(),
            }));
        }
    }
}

/// Two windows of calls, so that what is let go of for the first time is too. The bytes that each
/// counter keeps.
fn fill(all: &mut [Box<dyn Timed + '_>], stream: &mut Steady, calls: usize) -> Vec<i64> {
    let mut bytes = vec![0; all.len()];
    let mut batch = vec![Call::default(); FILL];
    let mut left = calls;
    while left > 0 {
        let part = &mut batch[..left.min(FILL)];
        stream.next(part);
        for (counter, bytes) in all.iter_mut().zip(&mut bytes) {
            *bytes += counter.fill(part);
        }
        left -= part.len();
    }
    bytes
}

/// Of each counter the median of nanoseconds a call, and of ratios to the first one.
fn times(all: &mut [Box<dyn Timed + '_>], stream: &mut Steady, runs: usize) -> Vec<(f64, f64)> {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); all.len()];
    let mut ratios = times.clone();
    let mut batch = vec![Call::default(); BATCH];
    let mut order: Vec<usize> = (0..all.len()).collect();
    let mut rng = fastrand::Rng::with_seed(SEED);
    for _ in 0..runs {
        let mut nanos = vec![0.0; all.len()];
        for number in 0..BATCHES {
            stream.next(&mut batch);
            // What one leaves in the caches is not always found by the same other one.
            rng.shuffle(&mut order);
            for at in order.iter().copied() {
                let counter = &mut all[at];
                match (counter.is_slow(), number) {
                    (false, _) => nanos[at] += counter.time(&batch) / BATCHES as f64,
                    (true, 0) => nanos[at] += counter.time(&batch),
                    (true, _) => drop(counter.fill(&batch)),
                }
            }
        }
        for (at, nanos_each) in nanos.iter().enumerate() {
            times[at].push(*nanos_each);
            ratios[at].push(nanos_each / nanos[0]);
        }
    }
    let medians = times.iter_mut().zip(&mut ratios);
    medians
        .map(|(times, ratios)| (median(times), median(ratios)))
        .collect()
}

/// A counter with calls in its form.
struct Prepared<C: Counter> {
    counter: C,
    calls: Vec<C::Prepared>,
}

trait Timed {
    fn name(&self) -> &'static str;
    fn less(&self) -> &'static str;
    fn is_peer(&self) -> bool;
    fn is_slow(&self) -> bool;
    /// Counts calls; the bytes that are left on the heap.
    fn fill(&mut self, calls: &[Call]) -> i64;
    /// Counts calls and decides on each; nanoseconds a call.
    fn time(&mut self, calls: &[Call]) -> f64;
}

impl<C: Counter> Timed for Prepared<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn less(&self) -> &'static str {
        C::LESS
    }

    fn is_peer(&self) -> bool {
        C::IS_PEER
    }

    fn is_slow(&self) -> bool {
        C::SLOW
    }

    fn fill(&mut self, calls: &[Call]) -> i64 {
        counted(|| self.counter.fill(calls)).1.left
    }

    fn time(&mut self, calls: &[Call]) -> f64 {
        self.calls.resize_with(calls.len(), C::Prepared::default);
        for (call, into) in calls.iter().zip(&mut self.calls) {
            self.counter.prepare(call, into);
        }
        let mut exceeded = 0;
        let start = ThreadTime::now();
        for call in &mut self.calls {
            let answer = self.counter.observe(call);
            exceeded += answer.iter().filter(|said| **said == Said::Yes).count();
        }
        let took = start.elapsed();
        assert_eq!(exceeded, 0, "{}", C::NAME);
        took.as_secs_f64() * 1e9 / calls.len() as f64
    }
}
