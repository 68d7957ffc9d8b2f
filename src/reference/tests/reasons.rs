//! Why: the tests that made it so, what they saw, and why not.

use super::text::{call, checked, decide, lane, matrix};
use crate::check::{Options, check};
use crate::decision::Decision;
use crate::matrix::Matrix;
use crate::reference::{Coverage, Explanation, History, Reference, Standing, Times};

/// Each reason of the first attached lane as `test saw value: result`.
fn because(decision: &Decision) -> Vec<String> {
    let reasons = decision.lanes[0].because.iter();
    reasons
        .map(|r| format!("{} saw {}: {}", r.test, r.saw, r.result.as_str()))
        .collect()
}

fn explain(matrix: &Matrix, members: &str) -> Explanation {
    let event = call(matrix, members);
    let history = History::new(matrix);
    Reference::new(matrix).explain(&event, &history, Times::of(&event))
}

#[test]
fn a_lane_that_fires_gives_the_tests_that_made_it_so() {
    let clauses = "when any of {\n\
                   n > 5 and mood is upset\n\
                   n > 100\n\
                   not (n < 3)\n\
                   none of {\nn is 0\nn is 1\n}\n\
                   at least 2 of {\nn is 7\nn > 6\nn > 70\n}\n}\n\
                   unless tags contains any of (\"test\")";
    let matrix = matrix(&lane("a", clauses));
    let decision = decide(&matrix, r#""n": 7, "mood": "upset""#);
    assert_eq!(
        because(&decision),
        [
            "n > 5 saw 7: true",
            "mood is upset saw upset: true",
            "n < 3 saw 7: false",
            "n is 0 saw 7: false",
            "n is 1 saw 7: false",
            "n is 7 saw 7: true",
            "n > 6 saw 7: true",
        ]
    );
    assert_eq!(
        decision.reason,
        "lane `a` fired: `n > 5` saw 7, `mood is upset` saw upset, `n < 3` saw 7 and 4 more"
    );
}

#[test]
fn an_unsure_lane_gives_what_is_missing_and_what_is_true_beside_it() {
    let clauses =
        "when n > 5 and (mood is upset or n > 100 or since is present)\nunless alias is \"x\"";
    let matrix = matrix(&lane("a", clauses));
    let decision = decide(&matrix, r#""n": 7"#);
    assert_eq!(
        because(&decision),
        [
            "n > 5 saw 7: true",
            "mood is upset saw missing: unknown",
            "alias is \"x\" saw missing: unknown",
        ]
    );
    assert_eq!(
        decision.reason,
        "could not rule out lane `a`: `mood` is missing, `alias` is missing"
    );
}

#[test]
fn a_reason_shows_both_fields_defaults_and_lines() {
    let matrix = matrix(&lane(
        "a",
        "when all of {\nalias differs from other\nn < 5\nuser is \"u1\"\n}",
    ));
    let decision = decide(&matrix, r#""alias": "A", "other": "b", "user": "u1""#);
    assert_eq!(
        because(&decision),
        [
            "alias differs from other saw alias = \"A\", other = \"b\": true",
            "n < 5 saw 0 (default): true",
            "user is \"u1\" saw \"u1\": true",
        ]
    );
    let first = &decision.lanes[0].because[0];
    assert_eq!(first.file, None);
    let source = matrix.sources.iter().next().unwrap().1;
    assert!(source.line(first.line).contains("alias differs from other"));
    assert_eq!(decision.lanes[0].because[1].line, first.line + 1);

    let missing = decide(&matrix, r#""alias": "A""#);
    assert_eq!(
        because(&missing)[0],
        "alias differs from other saw alias = \"A\", other = missing: unknown"
    );
    assert!(missing.reason.ends_with(": `other` is missing"));
}

#[test]
fn a_long_value_is_shortened() {
    let matrix = matrix(&lane("a", "when user starts with \"é\""));
    let decision = decide(&matrix, &format!(r#""user": "{}""#, "é".repeat(10_000)));
    let saw = &decision.lanes[0].because[0].saw;
    assert_eq!(saw.chars().count(), crate::limits::SAW_CHARS + 3);
    assert!(saw.starts_with("\"éé") && saw.ends_with("é..."));
}

#[test]
fn a_test_of_an_imported_file_names_it() {
    let root = "matrix \"Root\" {\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  unreadable deny\n}\n\
                import \"more.lane\"\nteam ops {\n  first person \"o@x.example\"\n  backup group \"g\"\n}\n\
                event call {\n  n: whole number default 0\n}\n";
    let more = lane("far", "when big\nowner ops");
    let more = format!("condition big means n > 1\n{more}");
    let files = [("root.lane", root.to_owned()), ("more.lane", more)];
    let files = files.map(|(name, text)| (name.to_owned(), text));
    let files = std::collections::BTreeMap::from(files);
    let loaded = check(&files, "root.lane", &Options::default());
    let matrix = loaded
        .matrix
        .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let decision = decide(&matrix, r#""n": 2"#);
    let reason = &decision.lanes[0].because[0];
    assert_eq!(
        (reason.file.as_deref(), reason.line),
        (Some("more.lane"), 1)
    );
}

#[test]
fn why_not_names_the_first_tests_that_block() {
    let items = "condition loud means mood is upset and n > 3\n".to_owned()
        + &lane("both", "when loud and n < 100")
        + &lane("either", "when n > 50 or n is 1")
        + &lane(
            "taken_back",
            "when n < 10\nunless user is \"u1\" or user is \"u2\"",
        )
        + &lane("other", "on ping\nwhen user is \"u1\"")
        + &lane("unsure", "when alias is \"x\"")
        + &lane("fires", "when n < 10");
    let explanation = explain(&matrix(&items), r#""n": 2, "mood": "calm", "user": "u2""#);
    for (lane, why) in [
        ("both", "lane `both` is silent: `mood is upset` saw calm"),
        (
            "either",
            "lane `either` is silent: `n > 50` saw 2, `n is 1` saw 2",
        ),
        (
            "taken_back",
            "lane `taken_back` is silent: `user is \"u2\"` saw \"u2\"",
        ),
        (
            "other",
            "lane `other` is not considered: it is on `ping`, and the event is a `call`",
        ),
        ("unsure", "lane `unsure` is unsure: `alias` is missing"),
        ("fires", "lane `fires` fired: `n < 10` saw 2"),
    ] {
        assert_eq!(explanation.why_not(lane).as_deref(), Some(why));
    }
    assert_eq!(explanation.why_not("none_such"), None);
}

#[test]
fn the_tree_opens_a_condition_once() {
    let items = "condition small means n < 10\n".to_owned()
        + &lane("a", "when all of {\nsmall\nnot small or mood is upset\n}")
        + "always deny small_six on call when small and n > 5\n";
    let explanation = explain(&matrix(&items), r#""n": 2"#);
    let when = explanation.lanes[0].when.as_ref().unwrap();
    assert_eq!(explanation.lanes[0].state, Standing::Unsure);
    assert_eq!(when.text, "all of");
    assert_eq!(when.parts[0].text, "small");
    assert_eq!(when.parts[0].parts[0].text, "n < 10");
    assert_eq!(when.parts[0].parts[0].saw.as_deref(), Some("2"));
    let not = &when.parts[1].parts[0];
    assert_eq!(
        (not.text.as_str(), not.parts[0].text.as_str()),
        ("not", "small")
    );
    assert!(not.parts[0].parts.is_empty());
    assert_eq!(explanation.rules[0].does, "always deny");
    assert_eq!(explanation.rules[0].state, Standing::Silent);
}

#[test]
fn an_explanation_goes_on_after_adjusts() {
    let items =
        "adjust cap on call when n > 10 set n = 10\n".to_owned() + &lane("ten", "when n is 10");
    let matrix = matrix(&items);
    let explanation = explain(&matrix, r#""n": 11"#);
    assert_eq!(explanation.lanes[0].state, Standing::Silent);
    assert_eq!(
        explanation.adjusted.as_ref().unwrap().lanes[0].state,
        Standing::Fired
    );
    assert_eq!(
        explanation.why_not("ten").unwrap(),
        "lane `ten` fired: `n is 10` saw 10"
    );
    assert!(explain(&matrix, r#""n": 10"#).adjusted.is_none());
}

#[test]
fn coverage_counts_each_lane_and_each_test() {
    let items = "condition big means n > 5\n".to_owned()
        + &lane("a", "when big and mood is upset")
        + &lane("b", "on ping\nwhen user is \"x\"");
    let matrix = matrix(&items);
    let mut seen = Coverage::default();
    let reference = Reference::new(&matrix);
    for members in [
        r#""n": 6, "mood": "upset""#,
        r#""n": 6"#,
        r#""n": 1, "mood": "calm""#,
        "",
    ] {
        let event = call(&matrix, members);
        reference.observe(&event, &History::new(&matrix), Times::of(&event), &mut seen);
    }
    let a = seen.lane(matrix.lanes[0].id);
    assert_eq!((a.fired, a.unsure, a.silent), (1, 1, 2));
    assert!(!seen.lanes.contains_key(&matrix.lanes[1].id));
    let by_text: Vec<_> = seen
        .tests
        .iter()
        .map(|(span, test)| (matrix.sources.text(*span), test.yes, test.no, test.unknown))
        .collect();
    assert_eq!(by_text, [("n > 5", 2, 2, 0), ("mood is upset", 1, 1, 2)]);
}

#[test]
fn tests_do_what_their_words_say() {
    for (when, members, standing) in [
        // A missing field: unknown for every test, also the negative ones.
        ("mood is upset", "", "unsure"),
        ("mood is not upset", "", "unsure"),
        ("mood in (upset)", "", "unsure"),
        ("mood not in (upset)", "", "unsure"),
        ("not (mood is upset)", "", "unsure"),
        ("alias differs from other", r#""alias": "a""#, "unsure"),
        ("alias same as other", r#""other": "a""#, "unsure"),
        ("mood is missing", "", "fired"),
        ("mood is missing", r#""mood": "calm""#, "silent"),
        ("mood is missing", r#""mood": null"#, "fired"),
        ("mood is present", "", "silent"),
        ("mood is upset if present", "", "silent"),
        ("mood is not upset if present", "", "silent"),
        ("mood is not upset if present", r#""mood": "calm""#, "fired"),
        // Only the tested field is guarded.
        (
            "alias same as other if present",
            r#""other": "a""#,
            "silent",
        ),
        (
            "alias same as other if present",
            r#""alias": "a""#,
            "unsure",
        ),
        // Sets, and their opposite.
        ("mood in (upset)", r#""mood": "calm""#, "silent"),
        ("mood not in (upset)", r#""mood": "calm""#, "fired"),
        ("mood not in (upset)", r#""mood": "upset""#, "silent"),
        (
            "alias differs from other",
            r#""alias": "a", "other": "A""#,
            "silent",
        ),
        // Blocks.
        ("none of {\nn is 0\nn is 5\n}", r#""n": 4"#, "fired"),
        ("none of {\nn is 0\nn is 5\n}", r#""n": 5"#, "silent"),
        ("none of {\nmood is calm\nn is 5\n}", r#""n": 5"#, "silent"),
        ("none of {\nmood is calm\nn is 5\n}", "", "unsure"),
        ("any of {\nn is 0\nn is 5\n}", r#""n": 5"#, "fired"),
        ("all of {\nn > 0\nn > 5\n}", r#""n": 5"#, "silent"),
        ("not (n > 5)", r#""n": 5"#, "fired"),
        // One that is false, or true, is enough.
        ("mood is upset and n > 0", "", "silent"),
        ("mood is upset or n is 0", "", "fired"),
        // Text ignoring case.
        ("alias is \"STRASSE\"", r#""alias": "Strasse""#, "fired"),
        ("alias in (\"Ä\", \"b\")", r#""alias": "ä""#, "fired"),
        (
            "alias same as other",
            r#""alias": "Bob", "other": "bOB""#,
            "fired",
        ),
        ("alias starts with \"BO\"", r#""alias": "bob""#, "fired"),
        ("alias matches /b.b/", r#""alias": "BOB""#, "fired"),
        ("user is \"BOB\"", r#""user": "bob""#, "silent"),
        // Text.
        ("user like \"a*c\"", r#""user": "abc""#, "fired"),
        ("user not like \"a*c\"", r#""user": "abc""#, "silent"),
        ("user contains \"b\"", r#""user": "abc""#, "fired"),
        ("user not ends with \"b\"", r#""user": "abc""#, "fired"),
        ("user matches /b/", r#""user": "abc""#, "silent"),
        ("user not matches /b|c/", r#""user": "abc""#, "fired"),
        // Lists.
        (
            "tags contains any of (\"a\", \"b\")",
            r#""tags": ["b", "c"]"#,
            "fired",
        ),
        (
            "tags contains all of (\"a\", \"b\")",
            r#""tags": ["b", "c"]"#,
            "silent",
        ),
        (
            "tags contains none of (\"a\", \"b\")",
            r#""tags": ["c"]"#,
            "fired",
        ),
        ("tags contains none of (\"a\")", "", "fired"),
        // Money, time, calendars. The tests run on a Wednesday, noon in Berlin.
        ("amount >= 10 USD", r#""amount": 10.0"#, "fired"),
        ("amount > 10 USD", r#""amount": 10.01"#, "fired"),
        (
            "since older than 1d",
            r#""since": "2026-01-06T11:00:00Z""#,
            "silent",
        ),
        (
            "since older than 1d",
            r#""since": "2026-01-06T10:59:59Z""#,
            "fired",
        ),
        (
            "since newer than 1d",
            r#""since": "2026-01-06T11:00:00Z""#,
            "silent",
        ),
        (
            "since newer than 1d",
            r#""since": "2027-01-06T11:00:00Z""#,
            "fired",
        ),
        (
            "since < at",
            r#""since": "2026-01-07T11:00:00+01:00""#,
            "fired",
        ),
        ("at is inside office", "", "fired"),
        (
            "since is outside office",
            r#""since": "2026-01-07T16:00:00Z""#,
            "fired",
        ),
        (
            "since is inside office",
            r#""since": "2026-01-07T15:59:59Z""#,
            "fired",
        ),
    ] {
        let matrix = matrix(&lane("a", &format!("when {when}")));
        let explanation = explain(&matrix, members);
        assert_eq!(
            explanation.lanes[0].state.as_str(),
            standing,
            "{when} on {members}"
        );
    }
}

#[test]
fn a_matrix_without_lanes_is_explained() {
    let matrix = checked(
        "matrix \"Empty\" {\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  unreadable deny\n}\nevent call {\n  n: whole number default 0\n}\n",
    );
    let explanation = explain(&matrix, "");
    assert_eq!(explanation.kind, "call");
    assert!(explanation.lanes.is_empty());
}
