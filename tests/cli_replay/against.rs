//! `--against`: what another matrix decides differently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{Ran, laneway};

const EVENTS: &str = "matrices/agent-operations/events.ndjson";

/// The matrix of the agents with some words replaced.
fn changed(folder: &Path, words: &[(&str, &str)]) -> PathBuf {
    let source = Path::new("matrices/agent-operations");
    let mut text = std::fs::read_to_string(source.join("matrix.lane")).unwrap();
    for (old, new) in words {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("matrix.lane"), text).unwrap();
    std::fs::copy(source.join("people.lane"), folder.join("people.lane")).unwrap();
    folder.to_owned()
}

/// Another limit, another hold, another owner, a lane that is gone, a rule that is new.
const WORDS: [(&str, &str); 6] = [
    ("amount > 250 USD\n", "amount > 1000 USD\n"),
    ("confidence < 0.72", "confidence < 0.9"),
    ("  meanwhile slow workflow", "  meanwhile block workflow"),
    ("    token.location is unusual if present\n", ""),
    ("  owner workflow_owner\n", "  owner fallback_approver\n"),
    (
        "lane customer_risk {",
        "always deny no_exports on tool_call when action is export_data because \"never\"\n\nlane customer_risk {",
    ),
];

fn replay(other: &Path, extra: &[&str]) -> Ran {
    let other = other.to_str().unwrap();
    let mut args = vec![
        "replay",
        "matrices/agent-operations",
        EVENTS,
        "--against",
        other,
    ];
    args.extend(extra);
    laneway(&args)
}

#[test]
fn a_person_sees_what_changes() {
    let folder = tempfile::tempdir().unwrap();
    let other = changed(&folder.path().join("other"), &WORDS);
    let ran = replay(&other, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let shown = ran.out.find("against").unwrap();
    insta::assert_snapshot!(&ran.out[shown..]);
    let json = replay(&other, &["--format=json"]).json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["against"]).unwrap());
    let html = replay(&other, &["--format=html"]).out;
    let from = html.find("<h2>What would change").unwrap();
    let to = html[from..].find("</section>").unwrap();
    insta::assert_snapshot!(&html[from..from + to]);
}

/// The rank of a verdict, by, the sign-offs, and the hold of each scope.
type Decided = (u8, String, BTreeMap<String, String>, [u8; 3]);

/// What was decided on each event.
fn decided(matrix: &str) -> Vec<Decided> {
    let ran = laneway(&["decide", matrix, EVENTS, "--format=json"]);
    let decisions = ran.lines();
    let each = decisions.iter().map(|decision| {
        let verdict = decision["verdict"].as_str().unwrap();
        let verdicts = ["allow", "adjust", "escalate", "deny"];
        let rank = verdicts.iter().position(|known| *known == verdict).unwrap();
        let lanes = decision["lanes"].as_array().into_iter().flatten();
        let lanes = lanes.map(|lane| {
            let steps: Vec<String> = lane["timeout"]
                .as_array()
                .unwrap()
                .iter()
                .map(step)
                .collect();
            let owner = lane["owner"].as_str().unwrap();
            let respond = &lane["respond_by"];
            (
                format!("{owner} {respond} {steps:?}"),
                lane["lane"].to_string(),
            )
        });
        let holds = [
            "continue", "degrade", "slow", "park", "hold", "block", "deny",
        ];
        let hold = |scope: &str| {
            let name = decision["meanwhile"][scope].as_str();
            let at = name.map(|name| holds.iter().position(|known| *known == name).unwrap() + 1);
            u8::try_from(at.unwrap_or(0)).unwrap()
        };
        let rank = u8::try_from(rank).unwrap();
        let by = decision["by"].as_str().unwrap().to_owned();
        (
            rank,
            by,
            lanes.collect(),
            ["item", "workflow", "system"].map(hold),
        )
    });
    each.collect()
}

fn step(step: &Value) -> String {
    format!("{} {} {}", step["at"], step["do"], step["to"])
}

/// The changes are those between the decisions that `decide` gives.
#[test]
fn the_changes_are_those_of_the_decisions() {
    let folder = tempfile::tempdir().unwrap();
    let other = changed(&folder.path().join("other"), &WORDS);
    let (old, new) = (
        decided("matrices/agent-operations"),
        decided(other.to_str().unwrap()),
    );
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    for (old, new) in old.iter().zip(&new) {
        let lacks = |some: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
            some.keys().any(|sign_off| !other.contains_key(sign_off))
        };
        let larger = |some: [u8; 3], other: [u8; 3]| some.iter().zip(other).any(|(a, b)| *a > b);
        let (stricter, looser) = match new.0.cmp(&old.0) {
            std::cmp::Ordering::Greater => (true, false),
            std::cmp::Ordering::Less => (false, true),
            std::cmp::Ordering::Equal if new.0 == 2 => (
                lacks(&new.2, &old.2) || larger(new.3, old.3),
                lacks(&old.2, &new.2) || larger(old.3, new.3),
            ),
            std::cmp::Ordering::Equal => (false, false),
        };
        let sort = match (stricter, looser) {
            (true, true) => "mixed",
            (true, false) => "stricter",
            (false, true) => "looser",
            (false, false) if old.1 != new.1 => "equal",
            (false, false) => continue,
        };
        *expected.entry(sort).or_default() += 1;
    }
    let against = replay(&other, &["--format=json"]).json()["against"].clone();
    let found: BTreeMap<&str, u64> = ["mixed", "stricter", "looser", "equal"]
        .into_iter()
        .map(|sort| (sort, against[sort].as_u64().unwrap()))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(found, expected);
    assert!(found.len() >= 3, "{found:?}");
}

#[test]
fn the_exit_code_tells_of_changes_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let same = changed(&folder.path().join("same"), &[]);
    let other = changed(&folder.path().join("other"), &WORDS);
    let comment = [(
        "matrix \"Agent operations\"",
        "# no more\nmatrix \"Renamed\"",
    )];
    let renamed = changed(&folder.path().join("renamed"), &comment);
    for (matrix, code) in [(&same, 0), (&renamed, 0), (&other, 1)] {
        assert_eq!(replay(matrix, &[]).code, 0);
        assert_eq!(replay(matrix, &["--fail-on-change"]).code, code);
    }
    assert!(replay(&same, &[]).out.contains("no decision changes"));
    let alone = laneway(&[
        "replay",
        "matrices/agent-operations",
        EVENTS,
        "--fail-on-change",
    ]);
    assert_eq!(alone.code, 2);
}

/// What has no effect on who must agree is a change all the same, and no stricter one.
#[test]
fn other_terms_are_a_change_of_equal_strictness() {
    let folder = tempfile::tempdir().unwrap();
    let words = [(
        "  urgency high\n  respond within 4h",
        "  urgency normal\n  respond within 4h",
    )];
    let other = changed(&folder.path().join("other"), &words);
    let against = replay(&other, &["--format=json"]).json()["against"].clone();
    assert!(against["equal"].as_u64().unwrap() > 0, "{against}");
    assert_eq!(
        (&against["stricter"], &against["looser"]),
        (&0.into(), &0.into())
    );
}
