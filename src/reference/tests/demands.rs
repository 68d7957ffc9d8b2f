//! What attached lanes demand, each for itself and all together.

use super::text::{attached, call, decide, lane, matrix, try_event};
use crate::clock::format_timestamp;
use crate::decision::{Decision, Hold, Holds, State};
use crate::event::ProblemCode;
use crate::reference::{History, Reference, Times};

/// `2026-01-07T12:00:00Z notify backup`, without the day where it is that of the tests.
fn steps(decision: &Decision) -> Vec<String> {
    let steps = decision.timeout.iter().map(|step| {
        let at = step.at.map_or("never".to_owned(), format_timestamp);
        let at = at.strip_prefix("2026-01-07T").unwrap_or(&at);
        let to = step.to.as_deref().unwrap_or("");
        let every = step.every.map_or(String::new(), |e| format!(" every {e}"));
        format!("{at} {}: {} {to}{every}", step.lane, step.action)
            .trim_end()
            .to_owned()
    });
    steps.collect()
}

#[test]
fn each_scope_takes_the_strictest_hold() {
    let items = [
        lane("a", "when n > 0\nmeanwhile slow system"),
        lane("b", "when n > 1\nmeanwhile block item"),
        lane("c", "when n > 2\nmeanwhile park workflow"),
    ];
    let matrix = matrix(&items.concat());
    for (n, item, workflow, system) in [
        (1, Hold::Slow, Hold::Slow, Hold::Slow),
        (2, Hold::Block, Hold::Slow, Hold::Slow),
        (3, Hold::Block, Hold::Park, Hold::Slow),
    ] {
        let decision = decide(&matrix, &format!(r#""n": {n}"#));
        let holds = Holds {
            item: Some(item),
            workflow: Some(workflow),
            system: Some(system),
        };
        assert_eq!(decision.meanwhile, holds, "{n}");
        assert_eq!(
            decision.lanes.last().unwrap().meanwhile.workflow.is_some(),
            n != 2
        );
    }
}

#[test]
fn an_unsure_lane_holds_the_item_and_asks_for_no_action() {
    let clauses = "when mood is upset\nmeanwhile block system\nalso page\nreversible \"undo\"\n\
                   timeout {\nafter 1h run freeze\nafter 2h notify security\nafter 3h allow because \"small\"\n}";
    let matrix = matrix(&lane("a", clauses));

    let sure = decide(&matrix, r#""mood": "upset""#);
    assert_eq!(sure.also, ["page"]);
    assert!(sure.withheld.is_empty());
    assert_eq!(sure.meanwhile.system, Some(Hold::Block));
    assert_eq!(
        steps(&sure),
        [
            "12:00:00Z a: run freeze",
            "13:00:00Z a: notify security",
            "14:00:00Z a: allow small",
        ]
    );

    let unsure = decide(&matrix, "");
    assert!(unsure.also.is_empty());
    assert_eq!(unsure.withheld, ["page", "freeze"]);
    assert_eq!(
        unsure.meanwhile,
        Holds {
            item: Some(Hold::Block),
            ..Holds::default()
        }
    );
    assert_eq!(
        steps(&unsure),
        [
            "12:00:00Z a: notify ops",
            "13:00:00Z a: notify security",
            "14:00:00Z a: deny",
        ]
    );
    assert_eq!(unsure.respond_by, sure.respond_by);
    assert_eq!(unsure.evidence, sure.evidence);
}

#[test]
fn actions_are_asked_for_once_and_are_not_withheld_beside() {
    let items = [
        lane("a", "when n > 0\nalso page, freeze"),
        lane("b", "when n > 0\nalso freeze"),
        lane("c", "when mood is upset\nalso page"),
    ];
    let decision = decide(&matrix(&items.concat()), r#""n": 1"#);
    assert_eq!(attached(&decision), "a, b, c?");
    assert_eq!(decision.also, ["page", "freeze"]);
    assert!(decision.withheld.is_empty());
}

#[test]
fn instants_are_from_the_opening_and_joined_in_order() {
    let items = [
        lane(
            "a",
            "when n > 0\nrespond within 30m\ntimeout {\nafter 1h notify backup\nevery 20m notify backup\nafter 2h route to security\nafter 3h expire\n}",
        ),
        lane(
            "b",
            "when n > 1\nrespond within 10m\ntimeout {\nafter 1h notify backup\nafter 90m deny\n}",
        ),
    ];
    let matrix = matrix(&items.concat());
    let decision = decide(&matrix, r#""n": 2"#);
    assert_eq!(
        steps(&decision),
        [
            "12:00:00Z a: notify backup",
            "12:00:00Z b: notify backup",
            "12:20:00Z a: notify backup every 20m",
            "12:30:00Z b: deny",
            "13:00:00Z a: route security",
            "14:00:00Z a: expire",
        ]
    );
    assert_eq!(
        format_timestamp(decision.respond_by.unwrap()),
        "2026-01-07T11:10:00Z"
    );
    // That of the primary lane, though the other one is sooner.
    assert_eq!(decision.respond_within.as_deref(), Some("30m"));

    let event = call(&matrix, r#""n": 1"#);
    let later = event.at() + chrono::TimeDelta::hours(1);
    let times = Times::received(later);
    let decision = Reference::new(&matrix).decide(&event, &History::new(&matrix), times);
    assert_eq!(
        format_timestamp(decision.respond_by.unwrap()),
        "2026-01-07T12:30:00Z"
    );
}

#[test]
fn open_time_passes_only_while_the_calendar_is_open() {
    // Friday 16:30 in Berlin; the office is open until 17:00, and again on Monday at 9:00.
    let clauses = "when n > 0\nrespond within 1h of office\n\
                   timeout {\nafter 2h of office notify backup\nevery 1h of office notify backup\nafter 8h of office deny\n}";
    let decision = decide(
        &matrix(&lane("a", clauses)),
        r#""n": 1, "at": "2026-01-09T15:30:00Z""#,
    );
    assert_eq!(decision.respond_within.as_deref(), Some("1h of office"));
    assert_eq!(
        format_timestamp(decision.respond_by.unwrap()),
        "2026-01-12T08:30:00Z"
    );
    assert_eq!(
        steps(&decision),
        [
            "2026-01-12T09:30:00Z a: notify backup",
            "2026-01-12T10:30:00Z a: notify backup every 1h",
            "2026-01-12T15:30:00Z a: deny",
        ]
    );
}

#[test]
fn a_calendar_that_does_not_open_again_is_said() {
    let items = "calendar never {\n  mon 09:00 to 10:00\n  except 2026-01-01 to 2036-01-01\n}\n"
        .to_owned()
        + &lane(
            "a",
            "when n > 0\nrespond within 3h of never\ntimeout {\nafter 1h notify backup\nafter 4h of never deny\n}",
        );
    let decision = decide(&matrix(&items), r#""n": 1"#);
    assert_eq!(decision.respond_by, None);
    assert_eq!(
        steps(&decision),
        ["12:00:00Z a: notify backup", "never a: deny"]
    );
    assert_eq!(decision.problems[0].code, ProblemCode::NeverOpen);
}

#[test]
fn evidence_is_the_union_and_what_is_required_is_not_optional() {
    let items = [
        lane(
            "a",
            "when n > 0\nevidence {\nrequired input, action, history last 5\noptional \"ticket\", context, links\n}",
        ),
        lane(
            "b",
            "when n > 1\nevidence {\nrequired trigger, \"ticket\", \"owner\", context\noptional history last 20\n}",
        ),
    ];
    let matrix = matrix(&items.concat());
    let decision = decide(&matrix, r#""n": 1, "evidence": {"context": []}"#);
    assert_eq!(
        decision.evidence.required,
        ["input", "action", "history last 5"]
    );
    assert_eq!(decision.evidence.optional, ["ticket", "context", "links"]);
    assert_eq!(decision.evidence.missing, ["input"]);

    let given =
        r#""n": 2, "evidence": {"input": "hi", "ticket": null, "owner": "x", "context": []}"#;
    let decision = decide(&matrix, given);
    assert_eq!(
        decision.evidence.required,
        [
            "input",
            "action",
            "history last 20",
            "trigger",
            "ticket",
            "owner",
            "context"
        ]
    );
    assert_eq!(decision.evidence.optional, ["links"]);
    assert_eq!(decision.evidence.missing, ["ticket"]);

    let nothing = decide(&matrix, r#""n": 2"#);
    assert_eq!(
        nothing.evidence.missing,
        ["input", "ticket", "owner", "context"]
    );
}

#[test]
fn group_values_stand_with_their_lane() {
    let matrix = matrix(&lane("a", "when n > 0\ngroup by user, mood"));
    let decision = decide(&matrix, r#""n": 1, "user": "u7""#);
    let group = serde_json::to_value(&decision.lanes[0].group).unwrap();
    assert_eq!(group, serde_json::json!({"mood": null, "user": "u7"}));
}

#[test]
fn a_whole_decision_reads_like_this() {
    let items = [
        lane(
            "angry",
            "about \"Upset people\"\nwhen mood is upset and n > 0\noperator \"Call them.\"\nurgency high\nalso page\nowner security",
        ),
        lane("aliased", "when alias is \"bob\"\ngroup by user"),
    ];
    let matrix = matrix(&items.concat());
    let json = r#"{"kind": "call", "id": "e-1", "mood": "upset", "n": 2, "user": "u1", "evidence": {"input": "hi"}}"#;
    let mut decision = super::text::decide_event(&matrix, &try_event(&matrix, json).unwrap());
    decision.matrix.digest = "m".to_owned();
    assert_eq!(decision.lanes[1].state, State::Unsure);
    insta::assert_snapshot!(serde_json::to_string_pretty(&decision).unwrap());
}
