//! Times rows in turn: each run takes every row once, so that a busy machine is busy for all.
//!
//! In: rows. Out: of each the median over the runs, in nanoseconds an event.
//! Invariant: a row that is timed has given the right answers before.

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use crate::hand::NONE;

/// One engine on one set of events.
pub struct Row<'a> {
    pub engine: &'static str,
    /// The first lane for each event, [`NONE`] without one.
    pub expected: &'a [u32],
    /// Decides all events and writes down the first lane of each.
    pub pass: Pass<'a>,
}

pub type Pass<'a> = Box<dyn FnMut(&mut [u32]) + 'a>;

/// How long to measure.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub runs: usize,
    /// The least that a row is timed for in one run.
    pub least: Duration,
}

/// Events of an engine that takes more than a millisecond for one.
pub const SLOW_EVENTS: usize = 200;

impl<'a> Row<'a> {
    /// A row that decides event after event.
    pub fn new(
        engine: &'static str,
        expected: &'a [u32],
        mut first: impl FnMut(usize) -> u32 + 'a,
    ) -> Self {
        Self {
            engine,
            expected,
            pass: Box::new(move |out| {
                for (at, lane) in out.iter_mut().enumerate() {
                    *lane = first(at);
                }
            }),
        }
    }

    /// Decides every event once; panics where an answer is wrong. An engine that is slow keeps a
    /// part of the events only.
    fn check(&mut self, place: &str) {
        let mut out = vec![NONE; self.expected.len()];
        let start = Instant::now();
        let probe = out.len().min(3);
        (self.pass)(&mut out[..probe]);
        if start.elapsed() > Duration::from_millis(probe as u64) && out.len() > SLOW_EVENTS {
            self.expected = &self.expected[..SLOW_EVENTS];
            out.truncate(SLOW_EVENTS);
        }
        (self.pass)(&mut out);
        for (at, (got, want)) in out.iter().zip(self.expected).enumerate() {
            let engine = self.engine;
            assert_eq!(got, want, "{engine} on event {at} of {place}");
        }
    }
}

/// Checks all rows against each other, then times them. Nanoseconds an event, by row.
pub fn measure(place: &str, rows: &mut [Row<'_>], effort: Effort) -> Vec<f64> {
    for row in &mut *rows {
        row.check(place);
    }
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); rows.len()];
    for _ in 0..effort.runs {
        for (row, times) in rows.iter_mut().zip(&mut times) {
            times.push(time(row, effort.least));
        }
    }
    times.iter_mut().map(|times| median(times)).collect()
}

fn time(row: &mut Row<'_>, least: Duration) -> f64 {
    let mut out = vec![NONE; row.expected.len()];
    let mut events = 0;
    let mut passes = 1;
    // PERF: the time of this thread alone, so that other work on the machine costs a row nothing but
    // its caches. To ask for it is a system call: it is asked after twice as many passes each time.
    let start = ThreadTime::now();
    loop {
        for _ in 0..passes {
            (row.pass)(&mut out);
            std::hint::black_box(&mut out);
        }
        events += out.len() * passes;
        let elapsed = start.elapsed();
        if elapsed >= least {
            return elapsed.as_secs_f64() * 1e9 / events as f64;
        }
        passes *= 2;
    }
}

pub fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
