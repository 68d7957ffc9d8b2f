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

#[path = "support/events.rs"]
mod events;
#[path = "support/generate.rs"]
mod generate;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::TimeDelta;
use events::Events;
use fastrand::Rng;
use generate::Plan;
use laneway::check::{Options, check_text};
use laneway::clock::{Timestamp, parse_timestamp};
use laneway::decision::{Decision, State, Verdict};
use laneway::event::{Event, ProblemCode, read};
use laneway::limits::Limits;
use laneway::measure::{Counts, Partitions, Receipt, Source, Sources};
use laneway::reference::{History, Reference, Times};
use laneway::router::{Joined, Settings};
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

/// A matrix whose lanes all attach, each with the window of one measure.
fn dense(measures: &[&str]) -> Arc<Matrix> {
    dense_with(measures, "")
}

fn dense_with(measures: &[&str], items: &str) -> Arc<Matrix> {
    let mut text = String::from(
        r#"matrix "Dense" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}
event call {
  user: text
  team: one of red, blue, green
  host: text ignoring case
  amount: money USD 0 to 1000000
  fine: number 0 to 9999999999
  took: duration
  tries: whole number 0 to 9000000000000000000
  note: text optional
  tags: list of text
}
event ping {
  user: text
  team: one of green, blue, red
  fine: number 0 to 9999999999
}
team ops {
  first person "o@acme.example"
  backup group "g"
}
adjust clip on call when amount > 9000 USD set amount = 9000 USD because "for the test"
"#,
    );
    text.push_str(items);
    for (number, (on, measure)) in measures
        .iter()
        .flat_map(|measure| [("call", measure), ("ping", measure)])
        .enumerate()
    {
        let (test, only) = measure.split_once('|').unwrap_or((measure, ""));
        if on == "ping" && only != "both" {
            continue;
        }
        let _ = write!(
            text,
            "lane l{number} {{\n  on {on}\n  when {test}\n  group by user\n  owner ops\n  \
             urgency normal\n  respond within 30m\n  meanwhile hold item\n  \
             evidence {{\n    required input, action, trigger\n  }}\n  \
             timeout {{\n    after 1h notify backup\n    after 2h deny\n  }}\n}}\n"
        );
    }
    check_text("m.lane", &text, &Options::default())
        .into_matrix()
        .unwrap()
}

const MEASURES: [&str; 14] = [
    "count of call by user over 10m is not 999|both",
    "count of call over 10m is not 999|both",
    "count of call where note is \"x\" by user over 10m is not 999|both",
    "count of call where amount > 100 USD by user, team over 5m is not 999|both",
    "count of ping by fine over 10m is not 999|both",
    "sum amount of call by user over 10m is not 0.001 USD",
    "sum amount of call where note is not \"y\" over 30m is not 0.001 USD",
    "sum fine of call by team over 10m is not 0.5|both",
    "sum took of call by host over 10m is not 7ms",
    "sum tries of call by team over 10m is not 77",
    "distinct host of call by user over 10m is not 999",
    "distinct fine of call where note is \"x\" by team over 10m is not 999|both",
    "distinct tags of call over 20m is not 999",
    "distinct team of call by host over 10m is not 999",
];

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

/// Several functions of one window, more than one stream keeps, with bounds that are met now and then.
const TOGETHER: [&str; 7] = [
    "count of call by user over 10m > 6",
    "sum amount of call by user over 10m > 300 USD",
    "sum tries of call by user over 10m > 3",
    "distinct host of call by user over 10m > 2",
    "distinct team of call by user over 10m > 2",
    "sum took of call by user over 10m > 1h",
    "count of call by user over 11m > 7",
];

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

/// So many keys that they are looked for before they are read: no lock is taken twice.
#[test]
fn many_keys_of_several_streams_are_read_once() {
    let matrix = dense(&[TOGETHER[0], TOGETHER[1], TOGETHER[2], TOGETHER[3]]);
    let router = Router::new(matrix);
    let mut session = router.session();
    for n in 0..15_000 {
        let (user, host) = (n % 5_000, n / 5_000);
        let json = ONE
            .replace("\"u\"", &format!("\"u{user}\""))
            .replace("\"a\"", &format!("\"h{host}\""));
        let outcome = session.outcome_json(json.as_bytes(), at(0));
        let wanted = if host < 2 {
            Verdict::Allow
        } else {
            Verdict::Escalate
        };
        assert_eq!(outcome.verdict, wanted, "{n}");
    }
}

/// What a name in a `where` means is part of the window.
#[test]
fn a_window_is_kept_only_where_it_means_the_same() {
    let when = ["count of call where big by user over 10m is not 999"];
    let matrix = |bound: u32| {
        let condition = format!("condition big means amount > {bound} USD\n");
        dense_with(&when, &condition)
    };
    let router = Router::new(matrix(1_000));
    let call = ONE.replace("\"amount\": 1,", "\"amount\": 500,");
    for second in 0..5 {
        let _ = router.decide_json(call.as_bytes(), at(second));
    }
    router.swap(matrix(1_000), at(5));
    let seen = count(&router.dry_run_json(call.as_bytes(), at(6)));
    assert_eq!(seen, ("0".to_owned(), None));
    router.swap(matrix(100), at(7));
    let seen = count(&router.dry_run_json(call.as_bytes(), at(8)));
    let why = Some("earlier events are lost");
    assert_eq!(seen, ("at least 1".to_owned(), why));
    // Also what the old matrix still decides, a little ahead of the swap, is not taken for all.
    let seen = count(&router.dry_run_json(call.as_bytes(), at(7 + 600 + 59)));
    assert_eq!(seen, ("at least 1".to_owned(), why));
    let seen = count(&router.dry_run_json(call.as_bytes(), at(7 + 600 + 60)));
    assert_eq!(seen, ("1".to_owned(), None));
}

#[test]
fn a_key_beyond_the_limit_is_a_lower_bound() {
    let matrix = dense(&["count of call by user over 10m is not 999"]);
    let limits = Limits {
        window_keys: 2,
        ..Limits::default()
    };
    let router = Router::new(matrix.clone()).with_limits(limits);
    let start = parse_timestamp("2026-01-05T06:00:00Z").unwrap();
    let call = |user: usize| -> Event {
        let json = format!(
            r#"{{"kind": "call", "user": "u{user}", "team": "red", "host": "a", "amount": 1, "fine": 1, "took": "1s", "tries": 0, "tags": []}}"#
        );
        read(json.as_bytes(), &matrix.schema, &Limits::default(), start).unwrap()
    };
    let value = |decision: &Decision| {
        let window = decision.lanes[0].because[0].window.as_ref().unwrap();
        (window.value.clone(), window.partial)
    };
    let at = |second: i64| start + TimeDelta::seconds(second);
    assert_eq!(
        value(&router.decide(&call(0), at(0))),
        ("1".to_owned(), None)
    );
    assert_eq!(
        value(&router.decide(&call(1), at(1))),
        ("1".to_owned(), None)
    );
    // The third has no place. What it is alone is known: nothing of it was refused before.
    assert_eq!(
        value(&router.decide(&call(2), at(2))),
        ("1".to_owned(), None)
    );
    assert_eq!(router.keys_refused(), 1);
    let (known, why) = value(&router.decide(&call(2), at(3)));
    assert_eq!(known, "at least 1");
    assert!(why.is_some());
    // When the first two are out of reach there is room again, and what was refused is not forgotten.
    let (known, why) = value(&router.decide(&call(2), at(725)));
    assert_eq!((known.as_str(), why), ("1", None));
    assert_eq!(router.keys_refused(), 2);
}

// ---- what an operator says of measures

fn counting() -> Arc<Matrix> {
    dense(&["count of call by user over 10m is not 999"])
}

const ONE: &str = r#"{"kind": "call", "user": "u", "team": "red", "host": "a", "amount": 1, "fine": 1, "took": "1s", "tries": 0, "tags": []}"#;

fn count(decision: &Decision) -> (String, Option<&'static str>) {
    let window = decision.lanes[0].because[0].window.as_ref().unwrap();
    (window.value.clone(), window.partial)
}

fn at(second: i64) -> Timestamp {
    parse_timestamp("2026-01-05T06:00:00Z").unwrap() + TimeDelta::seconds(second)
}

#[test]
fn only_a_trusted_source_brings_its_own_clock() {
    let minutes = laneway::Duration::from_minutes(5);
    let sources = Sources::default()
        .with("billing", Source::trusted())
        .with("slow", Source::trusted().with_lateness(minutes));
    let router = Router::new(counting()).with_settings(Settings {
        sources,
        ..Settings::default()
    });
    let of = |name: &str, now: i64| Receipt::of(router.source(name), at(now));
    let stamped = |second: i64| {
        let stamp = laneway::clock::format_timestamp(at(second));
        ONE.replace("\"kind\"", &format!("\"at\": \"{stamp}\", \"kind\""))
    };
    let decide =
        |json: String, receipt: Receipt| count(&router.decide_json(json.as_bytes(), receipt));
    // Nobody knows `other`: its event counts when it is received.
    assert_eq!(
        decide(stamped(-5_000), of("other", 0)),
        ("1".to_owned(), None)
    );
    assert_eq!(
        decide(stamped(-100), of("billing", 1)),
        ("1".to_owned(), None)
    );
    assert_eq!(decide(stamped(2), of("billing", 2)), ("3".to_owned(), None));
    // Three minutes late: too late for one, and not for the other.
    assert_eq!(decide(stamped(-178), of("slow", 3)), ("1".to_owned(), None));
    assert_eq!(router.late_dropped(), 0);
    let late = decide(stamped(-177), of("billing", 4));
    assert_eq!(
        late,
        (
            "at least 2".to_owned(),
            Some("an event came too late to be counted")
        )
    );
    assert_eq!(router.late_dropped(), 1);

    // Ahead of the clock by more than clocks differ.
    let ahead = router.dry_run_json(stamped(500).as_bytes(), of("billing", 5));
    assert_eq!(
        ahead.lanes[0].because[0]
            .window
            .as_ref()
            .unwrap()
            .events
            .last()
            .unwrap()
            .at,
        at(5)
    );
    let problem = ahead
        .problems
        .iter()
        .find(|p| p.code == ProblemCode::ClockAhead);
    assert!(problem.unwrap().message.contains("ahead of the clock"));
    let near = router.dry_run_json(stamped(60).as_bytes(), of("billing", 5));
    assert!(
        near.problems
            .iter()
            .all(|p| p.code != ProblemCode::ClockAhead)
    );
}

#[test]
fn what_is_denied_counts_unless_the_operator_says_otherwise() {
    let text = "always deny no_red on call when team is red\n";
    for (denied, values) in [(true, ["1", "2", "3"]), (false, ["1", "1", "1"])] {
        let matrix = dense_with(&["count of call by user over 10m is not 999"], text);
        let counts = Counts {
            denied,
            ..Counts::default()
        };
        let router = Router::new(matrix).with_settings(Settings {
            counts,
            ..Settings::default()
        });
        let mut session = router.session();
        let first = router.decide_json(ONE.as_bytes(), at(0));
        assert_eq!(count(&first).0, values[0]);
        assert_eq!(
            session.outcome_json(ONE.as_bytes(), at(1)).verdict,
            Verdict::Deny
        );
        let third = router.decide_json(ONE.as_bytes(), at(2));
        assert_eq!(count(&third).0, if denied { "3" } else { "1" });
        // What is not denied counts whatever the operator says.
        let blue = ONE.replace("red", "blue");
        let _ = router.decide_json(blue.as_bytes(), at(3));
        session.outcome_json(blue.as_bytes(), at(4));
        let last = router.dry_run_json(blue.as_bytes(), at(5));
        assert_eq!(count(&last).0, if denied { "6" } else { "3" });
    }
}

#[test]
fn several_engines_on_one_stream_are_never_surely_below() {
    let counts = Counts {
        shared: true,
        ..Counts::default()
    };
    let matrix = dense(&[
        "count of call by user over 10m < 5",
        "count of call by user over 10m > 1",
    ]);
    let router = Router::new(matrix).with_settings(Settings {
        counts,
        ..Settings::default()
    });
    let states = |decision: &Decision| -> Vec<(String, State)> {
        let lanes = decision.lanes.iter();
        let mut states: Vec<_> = lanes.map(|lane| (lane.lane.clone(), lane.state)).collect();
        states.sort_by(|a, b| a.0.cmp(&b.0));
        states
    };
    let unsure = |lane: &str| (lane.to_owned(), State::Unsure);
    let first = router.decide_json(ONE.as_bytes(), at(0));
    assert_eq!(states(&first), [unsure("l0"), unsure("l2")]);
    assert_eq!(
        count(&first).1,
        Some("other engines see a part of its events")
    );
    // More is more, whatever the others saw.
    let second = router.decide_json(ONE.as_bytes(), at(1));
    assert_eq!(
        states(&second),
        [unsure("l0"), ("l2".to_owned(), State::Fired)]
    );
}

#[test]
fn equal_keys_go_to_one_engine() {
    let matrix = dense(&MEASURES);
    let program = laneway::compile::compile(&matrix);
    let plan = Partitions::of(&matrix, &program.kinds);
    // No field is in all keys.
    assert!(plan.kinds.iter().all(|kind| kind.by.is_empty()));
    let matrix = dense(&[
        "count of call by user over 10m is not 999|both",
        "sum amount of call by team, user over 10m is not 0.001 USD",
    ]);
    let program = laneway::compile::compile(&matrix);
    let plan = Partitions::of(&matrix, &program.kinds);
    let event =
        |json: &str| read(json.as_bytes(), &matrix.schema, &Limits::default(), at(0)).unwrap();
    let number = |json: &str| plan.number(&matrix, &event(json)).unwrap();
    let ping = r#"{"kind": "ping", "user": "u", "team": "green", "fine": 0}"#;
    assert_eq!(number(ONE), number(ping));
    assert_eq!(number(ONE), number(&ONE.replace("red", "blue")));
    assert_ne!(number(ONE), number(&ONE.replace("\"u\"", "\"v\"")));
    // SHA-256 of 01 00 00 00 75, written down so that it does not change.
    assert_eq!(number(ONE), 0x5c9e3ccac172d918);
}

#[test]
fn a_leap_second_counts_as_the_second_behind_it() {
    let router = Router::new(counting()).with_settings(Settings {
        sources: Sources::default().with("clock", Source::trusted()),
        ..Settings::default()
    });
    let receipt = |text: &str| {
        let now = parse_timestamp(text).unwrap();
        Receipt::of(router.source("clock"), now)
    };
    let stamped = |stamp: &str| ONE.replace("\"kind\"", &format!("\"at\": \"{stamp}\", \"kind\""));
    let leap = stamped("2016-12-31T23:59:60Z");
    let mut session = router.session();
    session.outcome_json(leap.as_bytes(), receipt("2017-01-01T00:00:00Z"));
    let _ = router.decide_json(leap.as_bytes(), receipt("2017-01-01T00:00:00Z"));
    // Exactly ten minutes later both are out, and a nanosecond before they are in.
    let before = stamped("2017-01-01T00:09:59.999999999Z");
    let seen = router.dry_run_json(before.as_bytes(), receipt("2017-01-01T00:10:00Z"));
    assert_eq!(count(&seen).0, "3");
    let later = stamped("2017-01-01T00:10:00Z");
    let seen = router.dry_run_json(later.as_bytes(), receipt("2017-01-01T00:10:00Z"));
    assert_eq!(count(&seen).0, "1");
}
