//! The windows of measures against the reference evaluator's own: any order, repeated ids, late
//! events, clocks that jump, full windows; whole decisions with their reasons, the quick ways from
//! slots, and a swap in between.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "support/dense.rs"]
mod dense;
#[path = "support/events.rs"]
mod events;
#[path = "support/generate.rs"]
mod generate;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use dense::{MEASURES, TOGETHER, dense};
use events::Events;
use fastrand::Rng;
use generate::Plan;
use laneway::clock::{Timestamp, parse_timestamp};
use laneway::decision::Decision;
use laneway::event::read;
use laneway::limits::Limits;
use laneway::reference::{History, Reference, Times};
use laneway::router::Joined;
use laneway::{Matrix, Outcome, Router};

/// What the streams showed, so that a test cannot pass by showing nothing.
#[derive(Debug, Default)]
struct Shown {
    decisions: usize,
    /// The words of windows: `4`, `2 to 4`, `at least 4`.
    values: BTreeSet<String>,
    partial: BTreeSet<&'static str>,
    attached: usize,
    late: u64,
    refused: u64,
    rewinds: u64,
}

/// One matrix in all ways to decide; each counts for itself.
struct Ways {
    matrix: Arc<Matrix>,
    history: History,
    whole: Router,
    slots: Router,
    joined: Router,
}

impl Ways {
    fn new(matrix: &Arc<Matrix>, limits: &Limits) -> Self {
        let router = || Router::new(matrix.clone()).with_limits(limits.clone());
        Self {
            matrix: matrix.clone(),
            history: History::new(matrix).with_limits(limits.clone()),
            whole: router(),
            slots: router(),
            joined: router(),
        }
    }

    fn decide(&mut self, json: &str, now: Timestamp, shown: &mut Shown) {
        let schema = &self.matrix.schema;
        let Ok(event) = read(json.as_bytes(), schema, &Limits::default(), now) else {
            return;
        };
        let reference = Reference::new(&self.matrix);
        let times = Times::received(now);
        let dry = reference.decide(&event, &self.history, times);
        same(
            &self.whole.dry_run(&event, now),
            &dry,
            &format!("dry: {now} {json}"),
        );
        // Only what may be counted sets a clock back.
        self.history.receive(&self.matrix, event.kind, now);
        let wanted = reference.decide_and_record(&event, &mut self.history, times);
        same(
            &self.whole.decide(&event, now),
            &wanted,
            &format!("{now} {json}"),
        );
        let name = |outcome: Outcome| outcome.name(&self.matrix).to_owned();
        let outcome = self.slots.session().outcome_json(json.as_bytes(), now);
        assert_eq!(outcome.verdict, wanted.verdict, "{now} {json}");
        assert_eq!(name(outcome), wanted.by, "{now} {json}");
        match self.joined.session().joined_json(json.as_bytes(), now) {
            Joined::Attached(joined) => {
                assert_eq!(joined.outcome, outcome, "{now} {json}");
            }
            Joined::Decided(decision) => assert_eq!(*decision, wanted, "{now} {json}"),
            Joined::Unreadable(..) => panic!("it can be read: {json}"),
        }
        note(shown, &wanted);
    }

    fn swap(&mut self, to: &Arc<Matrix>, limits: &Limits, now: Timestamp) {
        let history = std::mem::replace(&mut self.history, History::new(to));
        self.history = history
            .carried(&self.matrix, to, now)
            .with_limits(limits.clone());
        for router in [&self.whole, &self.slots, &self.joined] {
            router.swap(to.clone(), now);
        }
        self.matrix = to.clone();
    }

    fn end(&self, shown: &mut Shown) {
        for router in [&self.whole, &self.slots, &self.joined] {
            assert_eq!(router.late_dropped(), self.history.late_dropped());
            assert_eq!(router.keys_refused(), self.history.keys_refused());
            shown.rewinds += router.clock_rewinds();
        }
        shown.late += self.history.late_dropped();
        shown.refused += self.history.keys_refused();
    }
}

/// Two decisions are one; else the first lane that differs is shown.
#[track_caller]
fn same(got: &Decision, wanted: &Decision, what: &str) {
    for lane in &wanted.lanes {
        let got = got.lanes.iter().find(|got| got.lane == lane.lane);
        let got = got.map(|got| (&got.because, got.state));
        assert_eq!(got, Some((&lane.because, lane.state)), "{what}");
    }
    assert_eq!(got, wanted, "{what}");
}

fn note(shown: &mut Shown, decision: &Decision) {
    shown.decisions += 1;
    shown.attached += decision.lanes.len();
    let reasons = decision.lanes.iter().flat_map(|lane| &lane.because);
    for window in reasons.filter_map(|reason| reason.window.as_ref()) {
        shown.values.insert(window.value.clone());
        shown.partial.extend(window.partial);
        assert!(window.events.len() <= 8);
    }
}

/// The next instant of receipt: mostly a little later, at times earlier, by more than is put in its
/// place, or by years.
fn step(rng: &mut Rng, now: Timestamp, jumps: bool) -> Timestamp {
    let millis = match rng.u32(0..1000) {
        0..200 => 0,
        200..800 => rng.i64(0..40_000),
        800..900 => -rng.i64(0..60_000),
        900..950 => -rng.i64(0..300_000),
        950..990 => 600_000 * rng.i64(0..3),
        990..998 => rng.i64(0..7_200_000),
        _ if jumps => 3_650 * 86_400_000 * *rng.choice(&[-1, 1]).unwrap(),
        _ => 1,
    };
    now + TimeDelta::milliseconds(millis) + TimeDelta::nanoseconds(rng.i64(0..2))
}

#[test]
fn generated_matrices_decide_alike() {
    let mut shown = Shown::default();
    let mut measured = 0;
    for seed in 0..150 {
        let plan = Plan {
            lanes: 1..=12,
            measures: true,
            ..Plan::default()
        };
        let matrix = generate::matrix(seed, &plan).matrix();
        if matrix.measures.is_empty() {
            continue;
        }
        measured += 1;
        let limits = Limits::default();
        let mut ways = Ways::new(&matrix, &limits);
        let mut events = Events::new(&matrix, seed);
        let mut rng = Rng::with_seed(seed);
        let mut now = parse_timestamp("2026-01-05T06:00:00Z").unwrap();
        let mut sent: Vec<String> = Vec::new();
        for _ in 0..80 {
            now = step(&mut rng, now, seed % 3 == 0);
            let json = match rng.choice(&sent) {
                Some(json) if rng.u8(..) < 40 => json.clone(),
                _ => events.valid(),
            };
            ways.decide(&json, now, &mut shown);
            sent.push(json);
        }
        ways.end(&mut shown);
    }
    assert!(measured > 50, "{measured}");
    assert!(shown.attached > 5_000, "{}", shown.attached);
    assert!(shown.values.len() > 50, "{:?}", shown.values);
    assert!(
        shown.late > 50 && !shown.partial.is_empty(),
        "{}",
        shown.late
    );
}

struct Calls {
    rng: Rng,
    sent: Vec<String>,
    users: usize,
}

impl Calls {
    fn next(&mut self) -> String {
        let Self { rng, sent, users } = self;
        if !sent.is_empty() && rng.u8(..) < 30 {
            return rng.choice(sent.iter()).unwrap().clone();
        }
        let pick = |rng: &mut Rng, words: &[&str]| (*rng.choice(words).unwrap()).to_owned();
        let user = rng.usize(0..*users);
        let team = pick(rng, &["red", "blue", "green"]);
        let fine = pick(
            rng,
            &[
                "0",
                "0.5",
                "0.50",
                "5e-1",
                "1.25",
                "0.0000001",
                "9999999999",
                "0.1234567890123456789012345",
            ],
        );
        let id = match rng.u8(..) {
            0..200 => format!(r#""id": "e-{}", "#, rng.usize(0..1_000_000)),
            200..230 => format!(r#""id": "{:0>200}", "#, rng.usize(0..5)),
            _ => String::new(),
        };
        let json = if rng.u8(..) < 50 {
            format!(
                r#"{{"kind": "ping", {id}"user": "u{user}", "team": "{team}", "fine": {fine}}}"#
            )
        } else {
            let host = pick(rng, &["Alpha", "ALPHA", "beta", "Ärger", "ärger", "gamma"]);
            let amount = pick(
                rng,
                &[
                    "0",
                    "12.5",
                    "100.01",
                    "99.999",
                    "250000",
                    "1000000",
                    "0.0000000001",
                ],
            );
            let took = pick(rng, &["1ms", "40m", "3h", "36500d"]);
            let tries = pick(rng, &["0", "1", "9000000000000000000"]);
            let note = pick(rng, &["", r#", "note": "x""#, r#", "note": "y""#]);
            let tags = pick(rng, &["[]", r#"["a"]"#, r#"["a", "b"]"#, r#"["ab"]"#]);
            format!(
                r#"{{"kind": "call", {id}"user": "u{user}", "team": "{team}", "host": "{host}", "amount": {amount}, "fine": {fine}, "took": "{took}", "tries": {tries}, "tags": {tags}{note}}}"#
            )
        };
        sent.push(json.clone());
        json
    }
}

fn dense_streams(seeds: std::ops::Range<u64>, limits: &Limits, users: usize) -> Shown {
    let matrix = dense(&MEASURES);
    let mut shown = Shown::default();
    for seed in seeds {
        let mut ways = Ways::new(&matrix, limits);
        let mut calls = Calls {
            rng: Rng::with_seed(seed),
            sent: Vec::new(),
            users,
        };
        let mut rng = Rng::with_seed(seed);
        let mut now = parse_timestamp("2026-01-05T06:00:00Z").unwrap();
        for _ in 0..200 {
            now = step(&mut rng, now, seed % 2 == 0);
            ways.decide(&calls.next(), now, &mut shown);
        }
        ways.end(&mut shown);
    }
    shown
}

#[test]
fn every_sort_of_measure_reads_what_it_should() {
    let shown = dense_streams(0..20, &Limits::default(), 3);
    assert!(shown.decisions > 3_000, "{shown:?}");
    assert!(
        shown.values.iter().any(|value| value.contains(" to ")),
        "{shown:?}"
    );
    assert!(
        shown
            .values
            .iter()
            .any(|value| value.starts_with("at least")),
        "{shown:?}"
    );
    assert!(shown.late > 100, "{shown:?}");
}

#[test]
fn a_full_window_is_a_lower_bound() {
    for most in [1, 2, 5, 17] {
        let limits = Limits {
            window_events: most,
            ..Limits::default()
        };
        let shown = dense_streams(0..6, &limits, 2);
        assert!(shown.partial.contains("its window is full"), "{shown:?}");
    }
}

/// Windows of so many events that there are sieves: ids and values that came long ago, recently, or
/// never.
#[test]
fn large_windows_read_what_they_should() {
    let measures = ["count", "sum amount", "distinct host", "distinct fine"]
        .map(|what| format!("{what} of call by user over 1h is not 7777"))
        .map(|test| match test.starts_with("sum") {
            true => test.replace("7777", "0.001 USD"),
            false => test,
        });
    let matrix = dense(&measures.each_ref().map(String::as_str));
    let mut shown = Shown::default();
    let limits = Limits::default();
    let mut ways = Ways::new(&matrix, &limits);
    let mut rng = Rng::with_seed(17);
    let mut now = parse_timestamp("2026-01-05T06:00:00Z").unwrap();
    let mut calls: Vec<String> = Vec::new();
    for n in 0..3_000usize {
        // Now and then nothing happens for so long that windows become small, and blocks with them.
        let millis = match rng.u32(0..1_000) {
            0 => rng.i64(0..3_600_000),
            1..950 => rng.i64(0..2_500),
            _ => -rng.i64(0..9_000),
        };
        now += TimeDelta::milliseconds(millis);
        let json = match rng.choice(&calls) {
            Some(json) if rng.u8(..) < 30 => json.clone(),
            _ => format!(
                r#"{{"kind": "call", "id": "e-{n}", "user": "u{}", "team": "red", "host": "h{}", "amount": {}.5, "fine": {}, "took": "1s", "tries": 0, "tags": []}}"#,
                rng.usize(0..2),
                rng.usize(0..900),
                rng.usize(0..9_000),
                rng.usize(0..12),
            ),
        };
        ways.decide(&json, now, &mut shown);
        calls.push(json);
    }
    ways.end(&mut shown);
    let counts = shown.values.iter().filter_map(|value| value.parse().ok());
    assert!(counts.max().unwrap_or(0) > 600, "{shown:?}");
}

#[test]
fn a_swap_keeps_what_both_matrices_measure() {
    let (first, second) = (dense(&MEASURES[..9]), dense(&MEASURES[4..]));
    let limits = Limits::default();
    let mut shown = Shown::default();
    for seed in 0..10 {
        let mut ways = Ways::new(&first, &limits);
        let mut calls = Calls {
            rng: Rng::with_seed(seed),
            sent: Vec::new(),
            users: 2,
        };
        let mut rng = Rng::with_seed(seed);
        let mut now = parse_timestamp("2026-01-05T06:00:00Z").unwrap();
        for round in 0..6 {
            for _ in 0..20 {
                now = step(&mut rng, now, false);
                ways.decide(&calls.next(), now, &mut shown);
            }
            let to = if round % 2 == 0 { &second } else { &first };
            ways.swap(to, &limits, now);
        }
    }
    assert!(
        shown.partial.contains("earlier events are lost"),
        "{shown:?}"
    );
}

#[test]
fn measures_of_one_window_stand_in_any_order() {
    let limits = Limits::default();
    let mut shown = Shown::default();
    for seed in 0..30 {
        let mut rng = Rng::with_seed(seed);
        let some = |rng: &mut Rng| {
            let mut some = TOGETHER.to_vec();
            rng.shuffle(&mut some);
            dense(&some[..rng.usize(2..=TOGETHER.len())])
        };
        let mut ways = Ways::new(&some(&mut rng), &limits);
        let mut calls = Calls {
            rng: Rng::with_seed(seed),
            sent: Vec::new(),
            users: 3,
        };
        let mut now = parse_timestamp("2026-01-05T06:00:00Z").unwrap();
        for n in 0..120 {
            now += TimeDelta::milliseconds(rng.i64(0..60_000));
            ways.decide(&calls.next(), now, &mut shown);
            if n % 40 == 39 {
                let to = some(&mut rng);
                ways.swap(&to, &limits, now);
            }
        }
        ways.end(&mut shown);
    }
    assert!(shown.attached > 1_000, "{}", shown.attached);
}
