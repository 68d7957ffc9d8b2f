//! `laneway analyze` and `laneway diff`: what is found in a matrix that has a fault, and none in one that has not; and
//! what an edit changes.

use std::path::Path;

use crate::program::Ran;
use crate::run::Folder;

/// The matrix of the operations example, changed.
fn operations(change: impl Fn(&str) -> String) -> Folder {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("matrices/agent-operations");
    let mut files: Vec<(String, String)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "lane"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), text)
        })
        .collect();
    let mut changed = false;
    for (name, text) in &mut files {
        if name == "matrix.lane" {
            let new = change(text);
            changed |= new != *text;
            *text = new;
        }
    }
    assert!(changed, "nothing was changed");
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    Folder::with(&files)
}

/// The findings: what was asked and about what, whether it is shown, and how it came out.
fn found(ran: &Ran) -> Vec<(String, Vec<String>, String)> {
    let answers = ran.json()["answers"].as_array().unwrap().clone();
    let findings = answers.iter().filter(|answer| answer["is_finding"] == true);
    findings
        .map(|answer| {
            let about = answer["about"].as_array().unwrap().iter();
            let about = about
                .map(|name| name.as_str().unwrap().to_owned())
                .collect();
            let scenario = &answer["witness"]["scenario"];
            let came = scenario.as_str().and_then(|line| line.rsplit_once(" -> "));
            let came = came.map_or(String::new(), |(_, came)| came.to_owned());
            (answer["question"].as_str().unwrap().to_owned(), about, came)
        })
        .collect()
}

fn analyzed(folder: &Folder) -> Ran {
    folder.run(&["analyze", "matrix.lane", "--format", "json"])
}

#[test]
fn the_example_has_no_finding_and_its_gaps_are_reported() {
    let folder = operations(|text| format!("{text}\n"));
    let ran = analyzed(&folder);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(found(&ran).is_empty(), "{ran:?}");
    let ran = folder.run(&["analyze", "matrix.lane", "--strict"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for report in [
        "gap: events `tool_call` can reach `otherwise`; but not where `action` is change_billing_status or \
         grant_permission; where `procedure` is found or not_needed; where `token.location` is usual (confirmed)",
        "gap: events `workflow_health` can reach `otherwise` (confirmed)",
        "unsure: lane `security_anomaly` can be unsure where `token.requests_per_minute` or `token.location` or \
         `injection.flagged` is missing: it asks all the same (confirmed)",
        "overlap: lane `policy_exception` can attach together with `security_anomaly`, `financial_risk`: they ask for \
         sign-offs of `finance_approver` and `security_contact` and `workflow_owner` (confirmed)",
    ] {
        assert!(
            ran.out.contains(&format!("{report}\n")),
            "{report}\n{}",
            ran.out
        );
    }
    assert!(
        ran.out.ends_with("10 reports in matrix.lane (5 lanes)\n"),
        "{ran:?}"
    );
}

#[test]
fn a_value_that_no_set_names_is_found_by_the_promise_that_it_breaks() {
    // A role that `outside_role` was not told of.
    let more = |text: &str| {
        text.replace(
            "finance_agent, audit_agent",
            "finance_agent, audit_agent, intern_agent",
        )
    };
    let ran = analyzed(&operations(more));
    assert_eq!(ran.code, 1, "{ran:?}");
    let broken = (
        "promise".to_owned(),
        vec!["nobody grants permissions alone".to_owned()],
        "allow by otherwise".to_owned(),
    );
    assert_eq!(found(&ran), [broken]);
    let scenario = ran
        .out
        .lines()
        .find(|line| line.contains("\"scenario\": \"scenario \\\"breaks"));
    assert!(
        scenario.is_some_and(|line| line.contains("role = intern_agent")),
        "{ran:?}"
    );
}

#[test]
fn an_always_deny_that_hides_a_lane_is_found() {
    let rule = "always deny no_money on tool_call when action in (refund, credit, change_billing_status, update_record) \
                because \"not now\"\n";
    let ran = analyzed(&operations(|text| format!("{text}\n{rule}")));
    assert_eq!(ran.code, 1, "{ran:?}");
    let shadowed = (
        "shadowed".to_owned(),
        vec!["financial_risk".to_owned()],
        "deny by no_money".to_owned(),
    );
    assert_eq!(found(&ran), [shadowed]);
}

#[test]
fn a_swapped_threshold_is_found_with_the_promise_that_it_breaks() {
    let swapped = |text: &str| {
        text.replace(
            "amount > 250 USD\n    action",
            "amount < 250 USD\n    action",
        )
    };
    let ran = analyzed(&operations(swapped));
    assert_eq!(ran.code, 1, "{ran:?}");
    let [(question, about, came)] = &found(&ran)[..] else {
        panic!("{ran:?}")
    };
    assert_eq!(
        (question.as_str(), &about[..]),
        (
            "promise",
            &["a refund above 250 reaches finance".to_owned()][..]
        )
    );
    // Another lane may ask somebody else; finance is not asked.
    assert!(
        !came.is_empty() && !came.contains("financial_risk"),
        "{came}"
    );
}

#[test]
fn opposite_ends_are_found() {
    let allows = |text: &str| {
        let text = text.replace(
            "    after 8h of office_hours expire",
            "    after 8h of office_hours allow because \"small\"",
        );
        text.replace(
            "  urgency normal\n  respond within 2h",
            "  reversible \"by hand\"\n  urgency normal\n  respond within 2h",
        )
    };
    let ran = analyzed(&operations(allows));
    assert_eq!(ran.code, 1, "{ran:?}");
    let found = found(&ran);
    let pairs: Vec<Vec<&str>> = found
        .iter()
        .map(|(_, about, _)| about.iter().map(String::as_str).collect())
        .collect();
    assert!(
        found
            .iter()
            .all(|(question, _, came)| question == "conflict" && came.starts_with("escalate by ")),
        "{found:?}"
    );
    let others = ["customer_risk", "security_anomaly", "financial_risk"];
    for other in others {
        assert!(
            pairs
                .iter()
                .any(|pair| pair.contains(&"policy_exception") && pair.contains(&other)),
            "{other}: {pairs:?}"
        );
    }
    assert_eq!(pairs.len(), others.len(), "{pairs:?}");
}

#[test]
fn a_lane_that_no_event_meets_is_found() {
    let impossible = |text: &str| {
        text.replace(
            "action is apply_discount and discount.percent > 15",
            "action is apply_discount and action is refund and discount.percent > 15",
        )
        .replace(
            "spends_money and amount > authority.limit",
            "action is lookup and spends_money",
        )
        .replace("    procedure in (conflicting, absent)\n", "")
    };
    let ran = analyzed(&operations(impossible));
    assert_eq!(ran.code, 1, "{ran:?}");
    let dead = (
        "dead".to_owned(),
        vec!["policy_exception".to_owned()],
        String::new(),
    );
    assert!(found(&ran).contains(&dead), "{ran:?}");
}

/// What an edit of the operations example changes: direction, kind, before, after; and the run with the gate.
fn compared(change: impl Fn(&str) -> String) -> (Vec<[String; 4]>, Ran) {
    let old = operations(|text| format!("{text}\n"));
    let new = operations(change);
    let path = |folder: &Folder| folder.path("matrix.lane").to_str().unwrap().to_owned();
    let (old, new) = (path(&old), path(&new));
    let folder = Folder::new();
    let ran = folder.run(&["diff", &old, &new, "--format", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = ran.json();
    assert_eq!(report["is_whole"], true, "{ran:?}");
    let regions = report["regions"].as_array().unwrap().iter().map(|region| {
        let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let by = region["by"]
            .as_str()
            .map_or_else(|| region["lost"].to_string(), str::to_owned);
        assert!(!region["when"].as_array().unwrap().is_empty(), "{ran:?}");
        [
            word(&region["direction"]),
            word(&region["kind"]),
            word(&region["old"]),
            format!("{} by {by}", word(&region["new"])),
        ]
    });
    let regions = regions.collect();
    (regions, folder.run(&["diff", &old, &new, "--no-looser"]))
}

#[test]
fn an_escalated_tool_that_is_denied_now_is_tighter_and_passes_the_gate() {
    let rule = "always deny no_credits on tool_call when action is credit because \"not now\"\n";
    let (regions, gate) = compared(|text| format!("{text}\n{rule}"));
    assert!(!regions.is_empty());
    assert!(
        regions.iter().all(|[way, kind, _, new]| way == "tighter"
            && kind == "tool_call"
            && new == "deny by no_credits"),
        "{regions:?}"
    );
    let from = |old: &str| regions.iter().any(|[_, _, was, _]| was == old);
    assert!(from("escalate") && from("allow"), "{regions:?}");
    assert_eq!(gate.code, 0, "{gate:?}");
}

#[test]
fn an_escalated_tool_that_is_allowed_now_is_looser_and_stops_at_the_gate() {
    let allows = |text: &str| {
        text.replace(
            "action in (refund, credit) and amount > 250 USD",
            "action is refund and amount > 250 USD",
        )
    };
    let (regions, gate) = compared(allows);
    assert!(
        regions.iter().all(|[way, ..]| way == "looser"),
        "{regions:?}"
    );
    let allowed = ["looser", "tool_call", "escalate", "allow by otherwise"];
    assert!(
        regions.iter().any(|region| region == &allowed),
        "{regions:?}"
    );
    assert_eq!(gate.code, 1, "{gate:?}");
    assert!(
        gate.out
            .contains("looser: tool_call: escalate -> allow by otherwise"),
        "{gate:?}"
    );
    assert!(gate.out.contains("action is credit"), "{gate:?}");
    assert!(gate.out.contains("amount > 250 USD"), "{gate:?}");
}

#[test]
fn an_edit_that_changes_no_decision_says_so() {
    let (regions, gate) =
        compared(|text| text.replace("confidence < 0.72", "not confidence >= 0.72"));
    assert!(regions.is_empty(), "{regions:?}");
    assert_eq!(
        (gate.code, gate.out.as_str()),
        (0, "no event is decided otherwise\n")
    );
}
