//! `laneway test`.

use std::path::{Path, PathBuf};

use crate::run::{SMALL, laneway, on_screen};

/// A file in a folder that goes when the test ends.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The small matrix with one text in place of another.
    fn small_with(&self, from: &str, to: &str) -> PathBuf {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(SMALL));
        let text = text.unwrap();
        assert!(text.contains(from));
        self.file("small.lane", &text.replace(from, to))
    }

    /// What a person sees, without the folder.
    fn hide(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_cases_of_every_matrix_pass() {
    for name in [
        "agent-operations",
        "refund-guard",
        "tool-approvals",
        "tool-guard",
        "tour",
    ] {
        let ran = laneway(&["test", &format!("matrices/{name}")]);
        assert_eq!(ran.code, 0, "{}", ran.seen());
        assert!(ran.out.ends_with(" passed\n"));
    }
}

#[test]
fn a_failure_says_what_was_expected_what_came_and_why() {
    let scratch = Scratch::new();
    let matrix = scratch.small_with("amount = 500.01 EUR", "amount = 499 EUR");
    let ran = on_screen(90, &["test", arg(&matrix)]);
    insta::assert_snapshot!(scratch.hide(&ran.seen()));
    let ran = laneway(&["test", arg(&matrix), "--format=json"]);
    assert_eq!(ran.code, 1);
    let json = ran.json();
    assert_eq!((&json["passed"], &json["failed"]), (&8.into(), &1.into()));
    assert_eq!(json["cases"][0]["expected"], "escalate");
    assert_eq!(json["cases"][0]["got"], "no match");
}

#[test]
fn junit_is_xml_whatever_the_titles_are() {
    let scratch = Scratch::new();
    let title = r#""a <b> & \"c\" 'd'\n\u{1}""#;
    let matrix = scratch.small_with("\"one refund\"", title);
    let ran = laneway(&["test", arg(&matrix), "--format=junit"]);
    insta::assert_snapshot!(scratch.hide(&ran.seen()));
    let matrix = scratch.small_with("\"heavy\" plain with { weight = 31 }", "\"heavy\" plain");
    let ran = laneway(&[
        "test",
        arg(&matrix),
        "--format=junit",
        "--filter=heavy_parcel",
    ]);
    insta::assert_snapshot!("junit_failure", scratch.hide(&ran.seen()));
}

#[test]
fn a_filter_finds_lanes_and_titles() {
    let run = |text| laneway(&["test", SMALL, "--filter", text, "--format=json"]);
    let titles = |text| {
        let cases = run(text).json()["cases"].clone();
        let titles = cases
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["title"].to_string());
        titles.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(titles("REFUND IS"), r#""a small refund is rounded""#);
    assert_eq!(titles("one cent"), r#""one cent over""#);
    assert_eq!(titles("heavy_parcel"), r#""heavy" "light""#);
    let ran = run("nothing");
    assert_eq!(
        ran.seen(),
        "error: no example or scenario has `nothing` in its lane or title\n[exit code 2]"
    );
}

#[test]
fn coverage_counts_lanes_and_tests() {
    insta::assert_snapshot!(on_screen(100, &["test", SMALL, "--coverage"]).seen());
    let json = laneway(&["test", SMALL, "--coverage", "--format=json"]).json();
    let lane = &json["coverage"]["lanes"][0];
    assert_eq!(
        (&lane["lane"], &lane["fired"]),
        (&"large_order".into(), &1.into())
    );
    let never = json["coverage"]["tests"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["test"] == "note contains \"lawyer\" if present");
    assert_eq!(never.unwrap()["true"], 0);
}

#[test]
fn case_files_lie_anywhere_and_hold_only_cases() {
    let scratch = Scratch::new();
    let cases = scratch.file(
        "more.lane",
        "sample big is order { step = ship, amount = 900 EUR, customer = \"c\", weight = 1 }\n\nscenario \"big\" big -> escalate by large_order\n\nscenario \"wrong\" big -> allow\n",
    );
    let ran = laneway(&["test", SMALL, arg(&cases), "--filter=big"]);
    assert_eq!(ran.seen(), "1 case: 1 passed\n[exit code 0]");
    let ran = laneway(&["test", SMALL, arg(&cases)]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("more.lane:5"), "{}", ran.out);
    let other = scratch.file("other.lane", "# a comment\nlist x is \"y\"\n");
    let ran = laneway(&["test", SMALL, arg(&other)]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("other.lane:2: a case file holds only samples and scenarios"),
        "{}",
        ran.err
    );
    let broken = scratch.file("broken.lane", "scenario \"x\" nothing -> allow\n");
    let ran = laneway(&["test", SMALL, arg(&broken)]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("broken.lane:1"), "{}", ran.err);
    let ran = laneway(&["test", SMALL, "nowhere.lane"]);
    assert!(
        ran.err
            .contains("`nowhere.lane` cannot be read: there is no such file"),
        "{}",
        ran.err
    );
}

#[test]
fn over_decides_every_combination() {
    let ran = laneway(&["test", SMALL, "--over", "step,amount", "plain"]);
    insta::assert_snapshot!(ran.seen());
    let json = laneway(&[
        "test",
        SMALL,
        "--over",
        "labels,rush",
        "plain",
        "--format=json",
    ])
    .json();
    let labels = json
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["values"]["labels"].to_string());
    let mut labels: Vec<_> = labels.collect();
    labels.dedup();
    assert_eq!(
        labels.join(" "),
        r#"[] ["repeat"] ["glass"] ["art"] ["repeat","glass","art"]"#
    );
}

/// What is frozen passes, and is as `fmt` would write it.
#[test]
fn frozen_combinations_pass() {
    for (matrix, fields, sample) in [
        (SMALL, "step,amount,rush", "plain"),
        (SMALL, "customer,note,labels", "plain"),
        ("matrices/agent-operations", "action,role", "reply"),
        (
            "matrices/agent-operations",
            "amount,authority.limit",
            "small_refund",
        ),
        (
            "matrices/agent-operations",
            "integration.token_issued_at,queue.backlog",
            "heartbeat",
        ),
    ] {
        let scratch = Scratch::new();
        let ran = laneway(&["test", matrix, "--over", fields, sample, "--freeze"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let cases = scratch.file("frozen.lane", &ran.out);
        let formatted = laneway(&["fmt", "--check", arg(&cases)]);
        assert_eq!(formatted.code, 0, "{}", formatted.seen());
        let ran = laneway(&["test", matrix, arg(&cases)]);
        assert_eq!(ran.code, 0, "{}", ran.seen());
    }
}

/// A calendar changes its answer where it opens and closes.
#[test]
fn instants_and_calendars_have_their_edges() {
    let ran = laneway(&["test", "matrices/tour", "--over", "at,step", "handover"]);
    insta::assert_snapshot!(ran.seen());
}

#[test]
fn what_cannot_be_combined_is_said() {
    for (args, says) in [
        (
            vec!["--over", "stepp", "plain"],
            "no field `stepp` in `order`; did you mean `step`?",
        ),
        (
            vec!["--over", "step", "plan"],
            "no sample `plan` in the matrix; did you mean `plain`?",
        ),
        (
            vec!["--over", "step,step", "plain"],
            "`step` is named twice",
        ),
        (vec!["--freeze"], "--over"),
        (vec!["--over", "step", "plain", "--format=junit"], "JUnit"),
    ] {
        let ran = laneway(&[&["test", SMALL], &args[..]].concat());
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
    let fields = "action,role,procedure,sentiment,request.type,request.within_policy,record.class";
    let ran = laneway(&[
        "test",
        "matrices/agent-operations",
        "--over",
        fields,
        "reply",
    ]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("combinations are more than 10000; name fewer fields"),
        "{}",
        ran.err
    );
}
