//! Who decides.

use super::text::{
    attached, call, decide, decide_event, lane, matrix, matrix_with, try_event, verdict,
};
use crate::event::ProblemCode;
use crate::reference::{History, Reference, Times};

const MOOD: &str = r#""mood": "upset""#;

#[test]
fn deny_before_escalate_before_adjust_before_allow_before_otherwise() {
    let allow = "always allow reading on call when action is read\n";
    let adjust = "adjust cap on call when n > 10 set n = 10\n";
    let escalate = lane("angry", "when mood is upset");
    let deny = "always deny dropping on call when action is drop\n";
    let orders = [
        [allow, adjust, &escalate, deny].concat(),
        [deny, &escalate, adjust, allow].concat(),
        [adjust, deny, allow, &escalate].concat(),
    ];
    for items in orders {
        let matrix = matrix(&items);
        for (members, expected) in [
            (r#""action": "write""#, "allow by otherwise"),
            (r#""action": "read""#, "allow by reading"),
            (r#""action": "read", "n": 11"#, "adjust by cap"),
            (
                r#""action": "read", "n": 11, "mood": "upset""#,
                "escalate by angry",
            ),
            (
                r#""action": "drop", "n": 11, "mood": "upset""#,
                "deny by dropping",
            ),
        ] {
            let calm = if members.contains("mood") {
                ""
            } else {
                r#", "mood": "calm""#
            };
            let decision = decide(&matrix, &format!("{members}{calm}"));
            assert_eq!(verdict(&decision), expected, "{members}");
        }
    }
}

#[test]
fn otherwise_can_deny_or_escalate() {
    let items = "always allow reading on call when action is read\n";
    let denying = matrix_with("otherwise deny\n  unreadable deny", items);
    assert_eq!(
        verdict(&decide(&denying, r#""action": "write""#)),
        "deny by otherwise"
    );
    assert_eq!(verdict(&decide(&denying, "")), "allow by reading");

    let asking = matrix_with("otherwise escalate to security\n  unreadable deny", items);
    let decision = decide(&asking, r#""action": "write""#);
    assert_eq!(verdict(&decision), "escalate by otherwise");
    assert_eq!(attached(&decision), "otherwise");
    assert_eq!(decision.owner.as_deref(), Some("security"));
    assert_eq!(decision.reason, "no lane and no rule applies");
    assert_eq!(verdict(&decide(&asking, "")), "allow by reading");
}

#[test]
fn the_primary_lane_is_the_most_urgent_then_fired_then_first() {
    let items = [
        lane("mild", "when n > 0"),
        lane("unsure_high", "when mood is upset\nurgency high"),
        lane("first_high", "when n > 0\nurgency high"),
        lane("second_high", "when n > 0\nurgency high"),
        lane("silent", "when n > 500\nurgency critical"),
    ];
    let decision = decide(&matrix(&items.concat()), r#""n": 1"#);
    assert_eq!(
        attached(&decision),
        "first_high, second_high, unsure_high?, mild"
    );
    assert_eq!(verdict(&decision), "escalate by first_high");
}

#[test]
fn unless_takes_back_and_can_make_unsure() {
    let matrix = matrix(&lane("a", "when n > 0\nunless mood is calm"));
    assert_eq!(
        attached(&decide(&matrix, r#""n": 1, "mood": "upset""#)),
        "a"
    );
    assert_eq!(attached(&decide(&matrix, r#""n": 1, "mood": "calm""#)), "");
    assert_eq!(attached(&decide(&matrix, r#""n": 1"#)), "a?");
    assert_eq!(attached(&decide(&matrix, r#""n": 0"#)), "");
}

#[test]
fn a_kind_that_is_not_under_on_is_not_considered() {
    let matrix = matrix(&lane("a", "when user is missing or user is present"));
    let ping = try_event(&matrix, r#"{"kind": "ping"}"#).unwrap();
    assert_eq!(verdict(&decide_event(&matrix, &ping)), "allow by otherwise");
    assert_eq!(attached(&decide(&matrix, "")), "a");
}

#[test]
fn a_lane_may_deny_or_skip_when_unsure() {
    let deny = matrix(&lane("strict", "when mood is upset\nunsure deny"));
    let decision = decide(&deny, "");
    assert_eq!(verdict(&decision), "deny by strict");
    assert_eq!(attached(&decision), "strict?");
    assert_eq!(decision.owner, None);
    assert_eq!(
        decision.reason,
        "could not rule out lane `strict`: `mood` is missing; it denies when it is unsure"
    );
    assert_eq!(verdict(&decide(&deny, MOOD)), "escalate by strict");

    let skip = matrix(&lane(
        "lenient",
        "when mood is upset\nunsure skip because \"noise\"",
    ));
    let decision = decide(&skip, "");
    assert_eq!(verdict(&decision), "allow by otherwise");
    assert_eq!(attached(&decision), "");
    assert_eq!(decision.problems[0].code, ProblemCode::Skipped);
    assert_eq!(
        decision.problems[0].message,
        "lane `lenient` could not be ruled out (`mood` is missing) and is skipped: noise"
    );
    assert_eq!(verdict(&decide(&skip, MOOD)), "escalate by lenient");

    let text = "when mood is upset\nunsure skip because \"noise\"\ntrial";
    let tried = matrix(&lane("tried", text));
    let decision = decide(&tried, "");
    assert!(decision.problems.is_empty() && decision.trial.is_empty());
    assert_eq!(decide(&tried, MOOD).trial.len(), 1);
}

#[test]
fn a_lane_on_trial_has_no_effect() {
    let items = [
        lane(
            "tried",
            "when n > 0\ntrial until 2026-02-01\nurgency critical\nmeanwhile block system",
        ),
        lane("real", "when n > 5"),
    ];
    let matrix = matrix(&items.concat());
    let decision = decide(&matrix, r#""n": 1"#);
    assert_eq!(verdict(&decision), "allow by otherwise");
    assert_eq!(decision.trial[0].lane, "tried");
    let decision = decide(&matrix, r#""n": 6"#);
    assert_eq!(verdict(&decision), "escalate by real");
    assert_eq!(decision.meanwhile.system, None);
    // The day comes in the matrix's zone.
    let last = r#""n": 1, "at": "2026-01-31T22:59:59Z""#;
    assert_eq!(verdict(&decide(&matrix, last)), "allow by otherwise");
    let first = r#""n": 1, "at": "2026-01-31T23:00:00Z""#;
    assert_eq!(verdict(&decide(&matrix, first)), "escalate by tried");
    assert!(decide(&matrix, first).trial.is_empty());
}

#[test]
fn an_always_deny_that_cannot_be_ruled_out_goes_to_unreadable() {
    let deny = "always deny never on call when mood is upset because \"no\"\n";
    let alone = matrix(deny);
    let decision = decide(&alone, "");
    assert_eq!(verdict(&decision), "escalate by never");
    assert_eq!(attached(&decision), "unreadable?");
    assert_eq!(decision.owner.as_deref(), Some("ops"));
    assert_eq!(
        decision.reason,
        "could not rule out rule `never`: `mood` is missing"
    );
    assert_eq!(decision.rules[0].state, crate::decision::State::Unsure);

    let beside =
        matrix(&(deny.to_owned() + &lane("big", "when n > 0\nowner security\nurgency low")));
    let decision = decide(&beside, r#""n": 1"#);
    assert_eq!(verdict(&decision), "escalate by big");
    assert_eq!(attached(&decision), "big, unreadable?");
    assert_eq!(decision.owner.as_deref(), Some("security"));

    let denying = matrix_with("otherwise allow\n  unreadable deny", deny);
    assert_eq!(verdict(&decide(&denying, "")), "deny by never");
    let calm = decide(&denying, r#""mood": "calm""#);
    assert_eq!(verdict(&calm), "allow by otherwise");
}

#[test]
fn an_unknown_allow_or_adjust_does_not_apply() {
    let items = "always allow calm on call when mood is calm\n\
                 adjust cap on call when mood is calm set n = 1\n";
    let matrix = matrix_with("otherwise deny\n  unreadable deny", items);
    let decision = decide(&matrix, "");
    assert_eq!(verdict(&decision), "deny by otherwise");
    assert_eq!(decision.rules.len(), 2);
}

#[test]
fn the_first_rule_that_applies_names_the_decision() {
    let items = "always deny b on call when n > 5\nalways deny a on call when n > 0\n";
    let matrix = matrix(items);
    assert_eq!(verdict(&decide(&matrix, r#""n": 1"#)), "deny by a");
    assert_eq!(verdict(&decide(&matrix, r#""n": 6"#)), "deny by b");
    let decision = decide(&matrix, r#""n": 6"#);
    assert_eq!(decision.rules.len(), 2);
}

#[test]
fn attached_lanes_are_listed_under_deny_and_nothing_opens() {
    let items = "always deny never on call when n > 0 because \"no\"\n".to_owned()
        + &lane("angry", "when mood is upset\nalso page");
    let decision = decide(&matrix(&items), r#""n": 1, "mood": "upset""#);
    assert_eq!(verdict(&decision), "deny by never");
    assert_eq!(decision.reason, "rule `never`: no");
    assert_eq!(attached(&decision), "angry");
    let json = serde_json::to_value(&decision).unwrap();
    for key in [
        "owner",
        "respond_by",
        "meanwhile",
        "also",
        "evidence",
        "timeout",
    ] {
        assert!(json.get(key).is_none(), "{key}");
    }
}

#[test]
fn adjusts_apply_together_and_are_decided_again() {
    let items = "adjust cap on call when n > 10 set n = 10 because \"at most ten\"\n\
                 adjust calm on call when mood is upset set mood = calm, action = read\n"
        .to_owned()
        + &lane("writes", "when action is write and n > 10")
        + &lane("tens", "when n is 10 and action is drop\nowner security");
    let matrix = matrix(&items);

    let decision = decide(&matrix, r#""n": 12, "mood": "upset""#);
    assert_eq!(verdict(&decision), "adjust by cap");
    assert_eq!(decision.reason, "rule `cap`: at most ten");
    let changes = serde_json::to_value((&decision.adjusted, &decision.original)).unwrap();
    assert_eq!(
        changes,
        serde_json::json!([
            {"action": "read", "mood": "calm", "n": 10},
            {"action": "read", "mood": "upset", "n": 12},
        ])
    );
    // The digest is that of the event as it may run.
    let adjusted = call(&matrix, r#""n": 10, "mood": "calm", "action": "read""#);
    assert_eq!(decision.action_digest, adjusted.action_digest());

    // The original escalates: nothing is changed.
    let decision = decide(&matrix, r#""n": 12, "action": "write""#);
    assert_eq!(verdict(&decision), "escalate by writes");
    assert!(decision.adjusted.is_empty() && decision.original.is_empty());

    // The adjusted event escalates: the escalation is for it.
    let decision = decide(&matrix, r#""n": 12, "action": "drop""#);
    assert_eq!(verdict(&decision), "escalate by tens");
    assert_eq!(decision.owner.as_deref(), Some("security"));
    assert_eq!(decision.adjusted["n"].to_string(), "10");
    let rules: Vec<_> = decision.rules.iter().map(|r| r.rule.as_str()).collect();
    assert_eq!(rules, ["cap", "calm"]);
}

#[test]
fn adjusts_of_the_second_pass_do_not_apply() {
    let items =
        "adjust one on call when n is 1 set n = 2\nadjust two on call when n is 2 set n = 3\n";
    let decision = decide(&matrix(items), r#""n": 1"#);
    assert_eq!(verdict(&decision), "adjust by one");
    assert_eq!(decision.adjusted["n"].to_string(), "2");
}

#[test]
fn adjusts_that_contradict_each_other_escalate() {
    let items = "adjust low on call when n > 10 set n = 1\n\
                 adjust again on call when n > 10 set n = 1\n\
                 adjust high on call when n > 20 set n = 2\n";
    let asking = matrix(items);
    assert_eq!(verdict(&decide(&asking, r#""n": 11"#)), "adjust by low");
    let decision = decide(&asking, r#""n": 21"#);
    assert_eq!(verdict(&decision), "escalate by unreadable");
    assert_eq!(attached(&decision), "unreadable");
    assert_eq!(decision.problems[0].code, ProblemCode::AdjustConflict);
    assert_eq!(
        decision.reason,
        "rules `low` and `high` set `n` differently"
    );
    assert!(decision.adjusted.is_empty());

    let denying = matrix_with("otherwise allow\n  unreadable deny", items);
    assert_eq!(
        verdict(&decide(&denying, r#""n": 21"#)),
        "deny by unreadable"
    );
}

#[test]
fn an_event_that_cannot_be_read_is_never_allowed() {
    let json =
        r#"{"kind": "call", "id": "e1", "n": -1, "mood": "odd", "evidence": {"input": "hi"}}"#;
    let asking = matrix("always allow all on call when n is present\n");
    let unreadable = try_event(&asking, json).unwrap_err();
    let decision = Reference::new(&asking).decide_unreadable(&unreadable, super::text::noon());
    assert_eq!(verdict(&decision), "escalate by unreadable");
    assert_eq!(decision.problems.len(), 2);
    assert_eq!(attached(&decision), "unreadable");
    assert_eq!(decision.evidence.required, ["input", "trigger"]);
    assert!(decision.evidence.missing.is_empty());
    assert!(decision.reason.starts_with("the event cannot be read: "));
    assert!(
        decision.reason.ends_with(" (and 1 more)"),
        "{}",
        decision.reason
    );
    assert_eq!(
        decision.event,
        crate::decision::EventRef::Id("e1".to_owned())
    );

    let denying = matrix_with("otherwise allow\n  unreadable deny", "");
    let decision = Reference::new(&denying).decide_unreadable(&unreadable, super::text::noon());
    assert_eq!(verdict(&decision), "deny by unreadable");
}

#[test]
fn an_event_of_another_matrix_is_unreadable() {
    let here = matrix("");
    let other = super::text::checked(
        "matrix \"Other\" {\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  unreadable deny\n}\nevent one {\n  a: text default \"\"\n}\n",
    );
    let event = try_event(&here, r#"{"kind": "ping"}"#).unwrap();
    let decision = decide_event(&other, &event);
    assert_eq!(verdict(&decision), "deny by unreadable");
    let explanation =
        Reference::new(&other).explain(&event, &History::new(&other), Times::of(&event));
    assert!(explanation.lanes.is_empty());
}
