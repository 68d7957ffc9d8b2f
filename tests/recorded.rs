//! Events that are decided again by what their measures were: the same decision, whatever happened in
//! the windows meanwhile; and with another event or another matrix nothing that is silently not met.

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

use std::sync::Arc;

use chrono::TimeDelta;
use dense::{MEASURES, TOGETHER, dense};
use events::Events;
use fastrand::Rng;
use generate::Plan;
use laneway::check::{Options, check_text};
use laneway::clock::{Timestamp, parse_timestamp};
use laneway::decision::{Decision, Verdict};
use laneway::limits::Limits;
use laneway::reference::{Recorded, Times, decide_again};
use laneway::{Matrix, Recording, Router};

/// An event as it was decided.
struct Kept {
    json: String,
    now: Timestamp,
    decision: Decision,
    /// As it is stored.
    recorded: String,
}

/// What the streams showed, so that a test cannot pass by showing nothing.
#[derive(Debug, Default)]
struct Shown {
    decided: usize,
    windows: usize,
    partial: usize,
    ranges: usize,
    adjusted: usize,
    unreadable: usize,
}

fn again(matrix: &Matrix, json: &str, recorded: &str, now: Timestamp) -> Decision {
    let recorded: Recorded = serde_json::from_str(recorded).unwrap();
    let times = Times::received(now);
    decide_again(
        matrix,
        &Limits::default(),
        json.as_bytes(),
        &recorded,
        times,
    )
}

/// Decides events one after the other, and then all of them again.
fn stream(
    matrix: &Arc<Matrix>,
    mut rng: Rng,
    limits: &Limits,
    count: usize,
    mut next: impl FnMut(&mut Rng) -> String,
    shown: &mut Shown,
) {
    let [router, plain] =
        [(), ()].map(|()| Router::new(matrix.clone()).with_limits(limits.clone()));
    let mut now = parse_timestamp("2026-01-05T06:00:00Z").unwrap();
    let mut kept: Vec<Kept> = Vec::new();
    for _ in 0..count {
        now += TimeDelta::milliseconds(match rng.u32(0..100) {
            0..90 => rng.i64(0..40_000),
            90..97 => -rng.i64(0..200_000),
            _ => rng.i64(0..7_200_000),
        });
        let json = match rng.choice(&kept) {
            Some(kept) if rng.u8(..) < 40 => kept.json.clone(),
            _ => next(&mut rng),
        };
        let Recording {
            decision: dry,
            recorded: before,
            ..
        } = router.dry_run_recording(json.as_bytes(), now);
        assert_eq!(dry, plain.dry_run_json(json.as_bytes(), now), "{json}");
        assert_eq!(again(matrix, &json, &text(&before), now), dry, "{json}");
        let Recording {
            decision, recorded, ..
        } = router.decide_recording(json.as_bytes(), now);
        assert_eq!(decision, plain.decide_json(json.as_bytes(), now), "{json}");
        let recorded = text(&recorded);
        kept.push(Kept {
            json,
            now,
            decision,
            recorded,
        });
    }
    for kept in &kept {
        let decision = again(matrix, &kept.json, &kept.recorded, kept.now);
        assert_eq!(decision, kept.decision, "{} {}", kept.json, kept.recorded);
        note(shown, &decision);
    }
}

fn text(recorded: &Recorded) -> String {
    let text = serde_json::to_string(recorded).unwrap();
    assert_eq!(serde_json::from_str::<Recorded>(&text).unwrap(), *recorded);
    text
}

fn note(shown: &mut Shown, decision: &Decision) {
    shown.decided += 1;
    shown.adjusted += usize::from(!decision.adjusted.is_empty());
    shown.unreadable += usize::from(decision.by == "unreadable");
    let reasons = decision.lanes.iter().flat_map(|lane| &lane.because);
    for window in reasons.filter_map(|reason| reason.window.as_ref()) {
        shown.windows += 1;
        shown.partial += usize::from(window.partial.is_some());
        shown.ranges += usize::from(window.value.contains(" to "));
    }
}

#[test]
fn an_event_is_decided_again_as_it_was_whatever_happened_meanwhile() {
    let mut shown = Shown::default();
    for seed in 0..120 {
        let plan = Plan {
            lanes: 1..=12,
            measures: true,
            ..Plan::default()
        };
        let matrix = generate::matrix(seed, &plan).matrix();
        if matrix.measures.is_empty() {
            continue;
        }
        let mut events = Events::new(&matrix, seed);
        let next = |_: &mut Rng| events.any();
        let rng = Rng::with_seed(seed);
        stream(&matrix, rng, &Limits::default(), 40, next, &mut shown);
    }
    assert!(shown.decided > 2_000 && shown.windows > 500, "{shown:?}");
    assert!(shown.partial > 10 && shown.unreadable > 50, "{shown:?}");
    assert!(shown.adjusted > 20, "{shown:?}");
}

/// Every sort of measure, on an event that an adjust changes or not, in windows that are full or not.
#[test]
fn every_sort_of_measure_is_as_it_was() {
    let mut shown = Shown::default();
    for (matrix, window_events) in [
        (dense(&MEASURES), 3),
        (dense(&MEASURES), 10_000),
        (dense(&TOGETHER), 10_000),
    ] {
        let limits = Limits {
            window_events,
            ..Limits::default()
        };
        for seed in 0..6 {
            let rng = Rng::with_seed(seed);
            stream(&matrix, rng, &limits, 50, call, &mut shown);
        }
    }
    assert!(shown.windows > 5_000, "{shown:?}");
    assert!(shown.partial > 100 && shown.ranges > 100, "{shown:?}");
    assert!(shown.adjusted == 0, "the lanes are stricter: {shown:?}");
}

fn call(rng: &mut Rng) -> String {
    let pick = |rng: &mut Rng, words: &[&str]| (*rng.choice(words).unwrap()).to_owned();
    let id = match rng.bool() {
        true => format!(r#""id": "e-{}", "#, rng.usize(0..20)),
        false => String::new(),
    };
    let user = rng.usize(0..3);
    let team = pick(rng, &["red", "blue", "green"]);
    let fine = pick(
        rng,
        &["0", "0.50", "5e-1", "1.25", "0.0000001", "9999999999"],
    );
    if rng.u8(..) < 40 {
        return format!(
            r#"{{"kind": "ping", {id}"user": "u{user}", "team": "{team}", "fine": {fine}}}"#
        );
    }
    let host = pick(rng, &["Alpha", "ALPHA", "beta", "Ärger", "ärger"]);
    let amount = pick(rng, &["0", "12.5", "100.01", "8999.999", "250000"]);
    let took = pick(rng, &["1ms", "40m", "36500d"]);
    let tries = pick(rng, &["0", "1", "9000000000000000000"]);
    let more = pick(rng, &["", r#", "note": "x""#, r#", "note": "y""#]);
    let tags = pick(rng, &["[]", r#"["a"]"#, r#"["a", "b"]"#]);
    format!(
        r#"{{"kind": "call", {id}"user": "u{user}", "team": "{team}", "host": "{host}", "amount": {amount}, "fine": {fine}, "took": "{took}", "tries": {tries}, "tags": {tags}{more}}}"#
    )
}

/// A matrix of one measure, or more.
fn refunds(tests: &[&str]) -> Arc<Matrix> {
    let mut text = String::from(
        r#"matrix "Refunds" {
  edition 1
  timezone "Europe/Berlin"
  otherwise allow
  unreadable deny
}
calendar office {
  mon to fri 09:00 to 18:00
}
event refund {
  customer: text
  amount: money USD 0 to 100000
  channel: one of web, phone
  since: timestamp optional
}
team ops {
  first person "o@acme.example"
  backup group "g"
}
adjust clip on refund when amount > 500 USD and channel is web set amount = 500 USD because "the most"
"#,
    );
    for (number, test) in tests.iter().enumerate() {
        text.push_str(&format!(
            "lane l{number} {{\n  on refund\n  when {test}\n  group by customer\n  owner ops\n  urgency \
             normal\n  respond within 30m\n  meanwhile hold item\n  evidence {{\n    required input, \
             action, trigger\n  }}\n  timeout {{\n    after 2h deny\n  }}\n}}\n"
        ));
    }
    let loaded = check_text("m.lane", &text, &Options::default());
    let rendered = format!("{:?}", loaded.diagnostics);
    loaded.into_matrix().expect(&rendered)
}

const COUNT: &str = "count of refund by customer over 1h > 2";
const SUM: &str = "sum amount of refund by customer over 1h > 1000 USD";
const KINDS: &str = "distinct channel of refund by customer over 1h > 1";
const PHONE: &str = "count of refund where channel is phone by customer over 1h > 1";

fn refund(customer: &str, amount: &str, channel: &str) -> String {
    format!(
        r#"{{"kind": "refund", "customer": "{customer}", "amount": {amount}, "channel": "{channel}"}}"#
    )
}

/// Decides refunds of 400 by web, and records the last.
fn recorded(matrix: &Arc<Matrix>, count: usize) -> (Decision, String, Timestamp) {
    let router = Router::new(matrix.clone());
    let now = parse_timestamp("2026-01-05T10:00:00Z").unwrap();
    let json = refund("c", "400", "web");
    for _ in 1..count {
        let _ = router.decide_json(json.as_bytes(), now);
    }
    let Recording {
        decision, recorded, ..
    } = router.decide_recording(json.as_bytes(), now);
    (decision, text(&recorded), now)
}

/// `fired`, `unsure` or nothing of each lane.
fn states(decision: &Decision, lanes: usize) -> Vec<Option<&'static str>> {
    let state = |number| {
        let name = format!("l{number}");
        let lane = decision.lanes.iter().find(|lane| lane.lane == name)?;
        Some(match lane.state {
            laneway::State::Fired => "fired",
            laneway::State::Unsure => "unsure",
        })
    };
    (0..lanes).map(state).collect()
}

#[test]
fn with_another_key_no_measure_can_be_told() {
    let matrix = refunds(&[COUNT, SUM, "amount > 5000 USD"]);
    let (decision, recorded, now) = recorded(&matrix, 1);
    assert_eq!(decision.verdict, Verdict::Allow);
    let decision = again(&matrix, &refund("d", "400", "web"), &recorded, now);
    let wanted = vec![Some("unsure"), Some("unsure"), None];
    assert_eq!(states(&decision, 3), wanted);
    assert_eq!(decision.verdict, Verdict::Escalate);
}

#[test]
fn a_measure_that_was_not_recorded_cannot_be_told_and_one_that_is_gone_does_not_matter() {
    let (old, new) = (refunds(&[COUNT, SUM]), refunds(&[KINDS, COUNT]));
    let (decision, recorded, now) = recorded(&old, 3);
    assert_eq!(states(&decision, 2), [Some("fired"), Some("fired")]);
    let json = refund("c", "400", "web");
    let decision = again(&new, &json, &recorded, now);
    assert_eq!(states(&decision, 2), [Some("unsure"), Some("fired")]);
    let none = again(&refunds(&["amount > 5000 USD"]), &json, &recorded, now);
    assert_eq!(none.verdict, Verdict::Allow);
    // Another threshold of the same measure has the recorded value.
    let higher = refunds(&[&COUNT.replace("> 2", "> 3"), &COUNT.replace("> 2", "is 3")]);
    let decision = again(&higher, &json, &recorded, now);
    assert_eq!(states(&decision, 2), [None, Some("fired")]);
    // Another span is another measure.
    let longer = refunds(&[&COUNT.replace("1h", "2h")]);
    assert_eq!(
        states(&again(&longer, &json, &recorded, now), 1),
        [Some("unsure")]
    );
}

#[test]
fn what_an_amended_event_adds_to_its_measures_is_put_in() {
    let matrix = refunds(&[SUM, PHONE, KINDS, COUNT]);
    let (decision, recorded, now) = recorded(&matrix, 2);
    // Two of 400.
    assert_eq!(states(&decision, 4), [None, None, None, None]);
    let of = |amount: &str, channel: &str| {
        let decision = again(&matrix, &refund("c", amount, channel), &recorded, now);
        states(&decision, 4)
    };
    assert_eq!(of("400", "web"), [None, None, None, None]);
    assert_eq!(of("450", "web"), [None, None, None, None]);
    assert_eq!(of("5", "web"), [None, None, None, None]);
    // 400 and 2000, or 800 if it was counted before by its id.
    assert_eq!(of("2000", "phone")[0], Some("unsure"));
    // It would be the first by phone, and the second channel.
    assert_eq!(of("400", "phone"), [None, None, Some("unsure"), None]);

    // Three of 400 are over it; what is amended downwards still asks.
    let (decision, recorded, now) = self::recorded(&matrix, 3);
    assert_eq!(states(&decision, 4)[0], Some("fired"));
    let decision = again(&matrix, &refund("c", "1", "web"), &recorded, now);
    assert_eq!(states(&decision, 4)[0], Some("unsure"));
    assert_eq!(states(&decision, 4)[3], Some("fired"));
}

#[test]
fn an_adjusted_event_is_measured_as_before_also_when_it_comes_adjusted() {
    let matrix = refunds(&[SUM]);
    let router = Router::new(matrix.clone());
    let now = parse_timestamp("2026-01-05T10:00:00Z").unwrap();
    let json = refund("c", "900", "web");
    let Recording {
        decision,
        recorded: first,
        ..
    } = router.decide_recording(json.as_bytes(), now);
    assert_eq!(decision.verdict, Verdict::Adjust);
    assert_eq!(again(&matrix, &json, &text(&first), now), decision);
    let decision = again(&matrix, &refund("c", "500", "web"), &text(&first), now);
    assert_eq!(
        (decision.verdict, decision.lanes.len()),
        (Verdict::Allow, 0)
    );
    // The sum over both is 1400 before the adjust, and 1000 after it.
    let Recording {
        decision,
        recorded: second,
        ..
    } = router.decide_recording(json.as_bytes(), now);
    assert_eq!(decision.by, "l0");
    assert_eq!(again(&matrix, &json, &text(&second), now), decision);
}

#[test]
fn calendars_and_ages_are_those_of_the_event_and_not_of_the_day_it_is_decided_again() {
    let matrix = refunds(&["at is outside office", "since older than 30d"]);
    let now = parse_timestamp("2026-01-05T10:00:00Z").unwrap();
    let json = r#"{"kind": "refund", "customer": "c", "amount": 1, "channel": "web", "since": "2025-12-20T00:00:00Z"}"#;
    let router = Router::new(matrix.clone());
    let Recording {
        decision, recorded, ..
    } = router.decide_recording(json.as_bytes(), now);
    assert!(recorded.is_empty());
    assert_eq!(decision.verdict, Verdict::Allow);
    assert_eq!(again(&matrix, json, &text(&recorded), now), decision);
    // With an instant of its own it does not matter when it is read.
    let dated = json.replace(
        "\"customer\"",
        "\"at\": \"2026-01-05T10:00:00Z\", \"customer\"",
    );
    let later = now + TimeDelta::days(60) + TimeDelta::hours(12);
    assert_eq!(again(&matrix, &dated, "[]", later).verdict, Verdict::Allow);
    let undated = again(&matrix, json, "[]", later);
    assert_eq!(states(&undated, 2), [Some("fired"), Some("fired")]);
}

#[test]
fn what_is_stored_is_stable_and_holds_no_key() {
    let matrix = refunds(&[COUNT, SUM]);
    let router = Router::new(matrix.clone());
    let now = parse_timestamp("2026-01-05T10:00:00Z").unwrap();
    let json = refund("carla", "400", "web").replacen('{', "{\"id\": \"e-1\", ", 1);
    let Recording { recorded, .. } = router.decide_recording(json.as_bytes(), now);
    let stored = text(&recorded);
    assert!(!stored.contains("carla"), "{stored}");
    assert!(
        stored.ends_with(
            r#""adds":{"passes":"true","value":"400"},"low":"400","high":"400","events":[{"id":"e-1","at":"2026-01-05T10:00:00Z"}]}]"#
        ),
        "{stored}"
    );
    for broken in [
        "\"low\":\"400\",",
        "\"passes\":\"true\",",
        "\"function\":\"count\",",
    ] {
        let broken = stored.replace(broken, "");
        assert!(
            serde_json::from_str::<Recorded>(&broken).is_err(),
            "{broken}"
        );
    }
    let broken = stored.replace("\"400\"", "\"4e2\"");
    assert!(serde_json::from_str::<Recorded>(&broken).is_err());
}
