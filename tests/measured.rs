//! What measures read where their oracle is not asked: sources of time, what an operator counts, engines
//! that share a stream, names that change their meaning, many keys, and more than there is room for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "support/dense.rs"]
mod dense;

use std::sync::Arc;

use chrono::TimeDelta;
use dense::{MEASURES, TOGETHER, dense, dense_with};
use laneway::clock::{Timestamp, parse_timestamp};
use laneway::decision::{Decision, State, Verdict};
use laneway::event::{Event, ProblemCode, read};
use laneway::limits::Limits;
use laneway::measure::{Counts, Partitions, Receipt, Source, Sources};
use laneway::router::Settings;
use laneway::{Matrix, Router};

/// A call.
const ONE: &str = r#"{"kind": "call", "user": "u", "team": "red", "host": "a", "amount": 1, "fine": 1, "took": "1s", "tries": 0, "tags": []}"#;

/// The window of the first lane: what it saw, and why that is only a lower bound.
fn count(decision: &Decision) -> (String, Option<&'static str>) {
    let window = decision.lanes[0].because[0].window.as_ref().unwrap();
    (window.value.clone(), window.partial)
}

/// So many seconds behind an instant.
fn at(second: i64) -> Timestamp {
    parse_timestamp("2026-01-05T06:00:00Z").unwrap() + TimeDelta::seconds(second)
}

fn counting() -> Arc<Matrix> {
    dense(&["count of call by user over 10m is not 999"])
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
