//! Windows: the edges that the language fixes, and a model that forgets nothing.

use proptest::prelude::*;

use super::build::at;
use super::text::{call, lane, matrix, try_event, verdict};
use crate::clock::{Duration, Timestamp};
use crate::decision::{Decision, Kleene};
use crate::event::{Event, ProblemCode};
use crate::limits::{self, Limits};
use crate::matrix::Matrix;
use crate::reference::{History, Reference, Standing, Times};

/// A stream of calls with one history.
struct Stream {
    matrix: std::sync::Arc<Matrix>,
    history: History,
}

impl Stream {
    /// A matrix of one lane with this trigger.
    fn of(when: &str) -> Self {
        Self::of_items(&lane("a", &format!("when {when}")))
    }

    fn of_items(items: &str) -> Self {
        let matrix = matrix(items);
        let history = History::new(&matrix);
        Self { matrix, history }
    }

    fn cap_keys(&mut self, keys: usize) {
        let limits = Limits {
            window_keys: keys,
            ..Limits::default()
        };
        let history = std::mem::replace(&mut self.history, History::new(&self.matrix));
        self.history = history.with_limits(limits);
    }

    /// A call so many seconds after midnight.
    fn event(&self, second: i64, members: &str) -> Event {
        let at = at("2026-01-07T00:00:00Z") + chrono::TimeDelta::seconds(second);
        let comma = if members.is_empty() { "" } else { ", " };
        let at = crate::clock::format_timestamp(at);
        call(&self.matrix, &format!(r#""at": "{at}"{comma}{members}"#))
    }

    fn decide(&mut self, second: i64, members: &str) -> Decision {
        let event = self.event(second, members);
        let times = Times::of(&event);
        Reference::new(&self.matrix).decide_and_record(&event, &mut self.history, times)
    }

    /// How the lane stands to a call, which is recorded.
    fn next(&mut self, second: i64, members: &str) -> Standing {
        let decision = self.decide(second, members);
        match decision.lanes.first().map(|lane| lane.state) {
            None => Standing::Silent,
            Some(crate::decision::State::Fired) => Standing::Fired,
            Some(crate::decision::State::Unsure) => Standing::Unsure,
        }
    }

    /// What the lane's measure saw.
    fn saw(&mut self, second: i64, members: &str) -> String {
        let event = self.event(second, members);
        let times = Times::of(&event);
        let reference = Reference::new(&self.matrix);
        let explanation = reference.explain(&event, &self.history, times);
        reference.decide_and_record(&event, &mut self.history, times);
        let saw = explanation.lanes[0].when.as_ref().unwrap().saw.clone();
        saw.unwrap().split(", threshold").next().unwrap().to_owned()
    }
}

use Standing::{Fired, Silent, Unsure};

const OVER_THREE: &str = "count of call where result is error by user over 10m > 3";
const ERROR: &str = r#""result": "error""#;

#[test]
fn more_than_three_fires_on_the_fourth() {
    let mut stream = Stream::of(OVER_THREE);
    let standings = [0, 60, 120, 180].map(|second| stream.next(second, ERROR));
    assert_eq!(standings, [Silent, Silent, Silent, Fired]);
}

#[test]
fn an_event_exactly_as_old_as_the_window_is_out() {
    for (last, standing) in [(599, Fired), (600, Silent)] {
        let mut stream = Stream::of(OVER_THREE);
        for second in [0, 1, 2] {
            stream.next(second, ERROR);
        }
        assert_eq!(stream.next(last, ERROR), standing, "{last}");
    }
}

#[test]
fn events_at_one_instant_all_count() {
    let mut stream = Stream::of(OVER_THREE);
    let standings = [0, 0, 0, 0].map(|second| stream.next(second, ERROR));
    assert_eq!(standings, [Silent, Silent, Silent, Fired]);
}

#[test]
fn keys_are_apart_and_other_kinds_do_not_count() {
    let mut stream = Stream::of(OVER_THREE);
    for second in 0..3 {
        stream.next(second, ERROR);
    }
    assert_eq!(stream.next(3, r#""result": "error", "user": "u2""#), Silent);
    assert_eq!(stream.next(4, r#""result": "ok""#), Silent);
    let ping = r#"{"kind": "ping", "at": "2026-01-07T00:00:05Z"}"#;
    let ping = try_event(&stream.matrix, ping).unwrap();
    stream.history.record(&stream.matrix, &ping);
    assert_eq!(stream.saw(6, ERROR), "4");
}

#[test]
fn an_event_of_another_kind_sees_the_window_and_is_not_in_it() {
    let text = "on ping\nwhen count of call by user over 10m > 1";
    let mut stream = Stream::of_items(&lane("a", text));
    for (second, expected) in [(0, "allow by otherwise"), (1, "escalate by a")] {
        stream.decide(second, "");
        let json = format!(r#"{{"kind": "ping", "at": "2026-01-07T00:00:0{second}Z"}}"#);
        let ping = try_event(&stream.matrix, &json).unwrap();
        let reference = Reference::new(&stream.matrix);
        let decision = reference.decide(&ping, &stream.history, Times::of(&ping));
        assert_eq!(verdict(&decision), expected);
    }
}

#[test]
fn a_repeated_id_counts_once() {
    let mut stream = Stream::of(OVER_THREE);
    for second in 0..6 {
        assert_eq!(
            stream.next(second, &format!(r#"{ERROR}, "id": "same""#)),
            Silent
        );
    }
    assert_eq!(stream.history.entries(), 1);
    assert_eq!(stream.next(6, ERROR), Silent);
    assert_eq!(stream.next(7, r#""result": "error", "id": "b""#), Silent);
    assert_eq!(stream.next(8, r#""result": "error", "id": "c""#), Fired);
    // As late as a window after the first delivery it is another event.
    assert_eq!(stream.saw(600, r#""result": "error", "id": "same""#), "4");
}

#[test]
fn a_repeated_id_after_the_window_counts_again() {
    let mut stream = Stream::of("count of call by user over 10m > 0");
    for second in [0, 599, 600, 1199, 1200] {
        assert_eq!(stream.saw(second, r#""id": "same""#), "1", "{second}");
    }
    // The first is out of reach even of an event that is late.
    assert_eq!(stream.history.entries(), 2);
}

#[test]
fn an_unknown_where_makes_an_interval() {
    let mut stream = Stream::of(OVER_THREE);
    assert_eq!(stream.saw(0, ""), "0 to 1");
    for second in 1..3 {
        assert_eq!(stream.next(second, ERROR), Silent);
    }
    assert_eq!(stream.next(3, ERROR), Unsure);
    assert_eq!(stream.saw(4, r#""result": "ok""#), "3 to 4");
    assert_eq!(stream.next(5, ERROR), Fired);
    // A distinct count and a sum are intervals too.
    let mut stream = Stream::of("distinct user of call where result is error over 10m > 1");
    stream.next(0, r#""result": "error", "user": "a""#);
    stream.next(1, r#""user": "a""#);
    assert_eq!(stream.saw(2, r#""user": "b""#), "1 to 2");
    let mut stream = Stream::of("sum n of call where result is error over 10m > 10");
    stream.next(0, r#""result": "error", "n": 3"#);
    assert_eq!(stream.saw(2, r#""n": 4"#), "3 to 7");
    assert_eq!(stream.next(3, r#""n": 3"#), Silent);
    assert_eq!(stream.next(4, r#""n": 1"#), Unsure);
}

#[test]
fn keys_and_distinct_values_ignore_case_where_their_field_does() {
    let items = "event mail {\n  to: text ignoring case\n  from_user: text\n}\n".to_owned()
        + &lane("a", "on mail\nwhen count of mail by to over 1h > 0")
        + &lane("b", "on mail\nwhen distinct to of mail over 1h > 0")
        + &lane("c", "on mail\nwhen distinct from_user of mail over 1h > 0");
    let matrix = matrix(&items);
    let mut history = History::new(&matrix);
    let mut saw = Vec::new();
    for name in ["Bob", "BOB", "ann"] {
        let json = format!(r#"{{"kind": "mail", "to": "{name}", "from_user": "{name}"}}"#);
        let event = try_event(&matrix, &json).unwrap();
        let reference = Reference::new(&matrix);
        let explanation = reference.explain(&event, &history, Times::of(&event));
        history.record(&matrix, &event);
        saw = explanation
            .lanes
            .iter()
            .map(|l| l.because[0].saw.clone())
            .collect();
    }
    assert_eq!(saw, ["1, threshold 0", "2, threshold 0", "3, threshold 0"]);
}

#[test]
fn all_decided_events_count_with_their_final_values() {
    let items = "adjust cap on call when n > 10 set n = 10\n\
                 always deny never on call when action is drop\n"
        .to_owned()
        + &lane("a", "when sum n of call by user over 10m > 25");
    let mut stream = Stream::of_items(&items);
    assert_eq!(verdict(&stream.decide(0, r#""n": 11"#)), "adjust by cap");
    assert_eq!(
        verdict(&stream.decide(1, r#""n": 5, "action": "drop""#)),
        "deny by never"
    );
    // 10 + 5 + 11, unless it is adjusted to 10 first; the first pass sees the original.
    assert_eq!(verdict(&stream.decide(2, r#""n": 11"#)), "escalate by a");
    // Nothing was changed under escalate, so 11 it is.
    let event = stream.event(3, "");
    let reference = Reference::new(&stream.matrix);
    let explanation = reference.explain(&event, &stream.history, Times::of(&event));
    assert_eq!(explanation.lanes[0].because[0].saw, "26, threshold 25");
}

#[test]
fn the_second_pass_measures_the_adjusted_event() {
    let items = "adjust cap on call when n > 10 set n = 10\n".to_owned()
        + &lane("a", "when sum n of call by user over 10m is 10");
    let mut stream = Stream::of_items(&items);
    let decision = stream.decide(0, r#""n": 11"#);
    assert_eq!(verdict(&decision), "escalate by a");
    assert!(decision.adjusted.contains_key("n"));
}

#[test]
fn sums_are_of_money_too() {
    let items = "event pay {\n  amount: money USD 0 to 1000000\n}\n".to_owned()
        + &lane("a", "on pay\nwhen sum amount of pay over 1d > 0.30 USD");
    let matrix = matrix(&items);
    let mut history = History::new(&matrix);
    let mut verdicts = Vec::new();
    for amount in ["0.1", "0.2", "0.01"] {
        let event = try_event(
            &matrix,
            &format!(r#"{{"kind": "pay", "amount": {amount}}}"#),
        )
        .unwrap();
        let reference = Reference::new(&matrix);
        let decision = reference.decide_and_record(&event, &mut history, Times::of(&event));
        verdicts.push(decision.reason);
    }
    assert_eq!(
        verdicts,
        [
            "no lane and no rule applies",
            "no lane and no rule applies",
            "lane `a` fired: `sum amount of pay over 1d > 0.30 USD` saw 0.31 USD, threshold 0.3 USD"
        ]
    );
}

/// Seconds of [`limits::LATENESS`].
fn lateness() -> i64 {
    i64::try_from(limits::LATENESS.as_millis() / 1000).unwrap()
}

#[test]
fn a_late_event_is_put_in_its_place() {
    let mut stream = Stream::of("count of call by user over 10m > 3");
    stream.next(1000, "");
    let late = 1000 - lateness();
    // It sees what was before it, not what came after.
    assert_eq!(stream.saw(late, ""), "1");
    assert_eq!(stream.saw(1001, ""), "3");
    assert_eq!(stream.saw(late + 600, ""), "3");
    assert_eq!(stream.history.late_dropped(), 0);
}

#[test]
fn an_event_that_is_too_late_makes_its_window_a_lower_bound() {
    let mut stream = Stream::of("count of call by user over 10m > 3");
    stream.next(1000, "");
    // What it would see is forgotten in part.
    let late = 1000 - lateness() - 1;
    let decision = stream.decide(late, "");
    assert_eq!(verdict(&decision), "escalate by a");
    assert_eq!(decision.problems[0].code, ProblemCode::History);
    assert!(
        decision.problems[0]
            .message
            .ends_with("too late to be counted")
    );
    assert_eq!(stream.history.late_dropped(), 1);

    assert_eq!(stream.saw(1001, ""), "at least 2");
    assert_eq!(stream.next(1002, ""), Unsure);
    assert_eq!(stream.next(1003, ""), Fired);
    // Another key is not touched.
    assert_eq!(stream.saw(1004, r#""user": "u2""#), "1");
    // One window's length after the newest instant at which it came, it is whole again.
    assert_eq!(stream.saw(1599, ""), "at least 5");
    assert_eq!(stream.saw(1600, ""), "5");
}

#[test]
fn a_late_repetition_is_not_missed() {
    let mut stream = Stream::of("count of call by user over 10m > 3");
    stream.next(0, r#""id": "a""#);
    stream.next(500, "");
    stream.decide(100, r#""id": "a""#);
    assert_eq!(stream.history.late_dropped(), 0);
    assert_eq!(stream.saw(501, ""), "3");
}

#[test]
fn the_answers_of_a_lower_bound() {
    for (comparison, with_two, with_four) in [
        ("> 2", Unsure, Fired),
        (">= 3", Unsure, Fired),
        ("< 3", Unsure, Silent),
        ("<= 2", Unsure, Silent),
        ("is 3", Unsure, Silent),
        ("is not 3", Unsure, Fired),
    ] {
        let mut stream = Stream::of(&format!("count of call by user over 10m {comparison}"));
        stream.history.mark_lost(at("2026-01-07T00:00:00Z"));
        stream.next(0, "");
        assert_eq!(stream.next(1, ""), with_two, "{comparison}");
        stream.next(2, "");
        assert_eq!(stream.next(3, ""), with_four, "{comparison}");
    }
    let mut stream = Stream::of("count of call by user over 10m > 2");
    stream.history.mark_lost(at("2026-01-07T00:00:00Z"));
    assert_eq!(stream.saw(599, ""), "at least 1");
    assert_eq!(stream.saw(600, ""), "2");
}

#[test]
fn a_full_window_is_a_lower_bound() {
    let most = Limits::default().window_events;
    let cap = i64::try_from(most).unwrap();
    let mut stream = Stream::of("count of call by user over 1d > 5000");
    let event = stream.event(0, "");
    for _ in 0..cap - 2 {
        stream.history.record(&stream.matrix, &event);
    }
    assert_eq!(stream.saw(1, ""), format!("{}", cap - 1));
    assert_eq!(stream.saw(2, ""), format!("at least {cap}"));
    for second in 3..10 {
        assert_eq!(stream.saw(second, ""), format!("at least {cap}"));
    }
    assert_eq!(stream.history.entries(), most);
    // An event that comes a little late sees fewer than fit, and some of them are gone.
    assert_eq!(stream.saw(5, ""), format!("at least {}", cap - 3));
    // When what was let go of would be out anyway, the window is whole.
    assert_eq!(stream.saw(86_400 + 2, ""), "9");
}

#[test]
fn keys_beyond_the_limit_are_unknown_and_counted() {
    let mut stream = Stream::of("count of call by user over 10m > 1");
    stream.cap_keys(2);
    let user = |n: u32| format!(r#""user": "u{n}""#);
    assert_eq!(stream.saw(0, &user(1)), "1");
    assert_eq!(stream.saw(0, &user(2)), "1");
    // Nothing of the third is lost before it is refused.
    assert_eq!(stream.saw(0, &user(3)), "1");
    assert_eq!(stream.history.keys_refused(), 1);
    assert_eq!(stream.saw(1, &user(3)), "at least 1");
    let decision = stream.decide(1, &user(4));
    assert_eq!(verdict(&decision), "escalate by a");
    assert!(
        decision.problems[0]
            .message
            .ends_with("more keys than are kept")
    );
    assert_eq!(stream.saw(2, &user(1)), "2");
    // A key that finds room while refused events may still be in its window.
    stream.cap_keys(3);
    assert_eq!(stream.saw(3, &user(3)), "at least 1");
    assert_eq!(stream.saw(4, &user(3)), "at least 2");
    assert_eq!(stream.saw(601, &user(3)), "3");
}

#[test]
fn memory_follows_the_window_and_not_the_stream() {
    let mut stream = Stream::of("count of call by user over 10m > 3");
    let mut most = 0;
    for n in 0..20_000i64 {
        let event = stream.event(n, &format!(r#""user": "u{n}""#));
        stream.history.record(&stream.matrix, &event);
        most = most.max(stream.history.entries());
    }
    // A window and the lateness, and the keys that wait for the next sweep.
    let reach = 600 + usize::try_from(lateness()).unwrap();
    assert!(most <= reach + 1025, "{most}");
    assert!(stream.history.keys() <= reach + 1025);
}

#[test]
fn events_of_one_window_only_are_asked_for() {
    // Deciding does not record, and recording is not deciding.
    let stream = Stream::of("count of call by user over 10m > 0");
    let event = stream.event(0, "");
    let reference = Reference::new(&stream.matrix);
    for _ in 0..3 {
        let _ = reference.decide(&event, &stream.history, Times::of(&event));
    }
    assert_eq!(stream.history.entries(), 0);
}

/// An instant, a user, an id, and whether it passes.
type Counted = (Timestamp, u8, u8, Option<bool>);

/// What a model that keeps every event says of the last one: how many there are in its window for
/// sure, and how many at most.
fn model(events: &[Counted], window: Duration) -> (usize, usize) {
    let behind = |at: Timestamp| at - window.to_chrono();
    let (now, before) = events.split_last().unwrap();
    let mut kept: Vec<Counted> = Vec::new();
    for event in before.iter().filter(|event| event.3 != Some(false)) {
        let (at, user, id, _) = *event;
        let repeats = |k: &&Counted| (k.1, k.2) == (user, id) && k.0 > behind(at);
        if !kept.iter().any(|k| repeats(&k)) {
            kept.push(*event);
        }
    }
    kept.retain(|k| k.1 == now.1 && k.0 > behind(now.0) && k.0 <= now.0);
    if now.3 != Some(false) && !kept.iter().any(|k| k.2 == now.2) {
        kept.push(*now);
    }
    let surely = kept.iter().filter(|k| k.3 == Some(true));
    (surely.count(), kept.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// In order and late within the bound, some of them delivered again.
    #[test]
    fn windows_are_those_of_a_model_that_forgets_nothing(
        steps in prop::collection::vec((0u16..90, 0u16..100, 0u8..2, prop::option::of(any::<bool>())), 1..150),
        repeats in prop::collection::vec(prop::option::weighted(0.2, 1usize..4), 150),
    ) {
        let mut stream = Stream::of("count of call where result is error by user over 10m > 3");
        let mut newest = 0i64;
        let mut events: Vec<Counted> = Vec::new();
        for (n, (forward, back, user, passes)) in steps.into_iter().enumerate() {
            newest += i64::from(forward);
            let second = newest - i64::from(back) * i64::from(n % 3 == 0);
            let known = repeats[n].and_then(|back| n.checked_sub(back)).map(|n| events[n]);
            let (user, id, passes) = match known {
                Some((_, user, id, passes)) => (user, id, passes),
                None => (user, u8::try_from(n).unwrap(), passes),
            };
            let result = match passes {
                Some(true) => r#", "result": "error""#,
                Some(false) => r#", "result": "ok""#,
                None => "",
            };
            let members = format!(r#""user": "u{user}", "id": "i{id}"{result}"#);
            let event = stream.event(second, &members);
            events.push((event.at(), user, id, passes));
            let (low, high) = model(&events, Duration::from_minutes(10));
            let expected = if low == high { low.to_string() } else { format!("{low} to {high}") };
            prop_assert_eq!(stream.saw(second, &members), expected, "event {} of {:?}", n, events);
        }
    }
}

#[test]
fn a_measure_is_one_answer_for_all_lanes() {
    // The same measure in two lanes is worked out once and shared.
    let items =
        lane("a", &format!("when {OVER_THREE}")) + &lane("b", &format!("when not ({OVER_THREE})"));
    let matrix = matrix(&items);
    assert_eq!(matrix.measures.len(), 1);
    let event = call(&matrix, ERROR);
    let reference = Reference::new(&matrix);
    let explanation = reference.explain(&event, &History::new(&matrix), Times::of(&event));
    let results: Vec<_> = explanation
        .lanes
        .iter()
        .map(|l| l.because[0].result)
        .collect();
    assert_eq!(results, [Kleene::False, Kleene::False]);
}
