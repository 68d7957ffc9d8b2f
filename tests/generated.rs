//! The generators themselves: what they make is valid, varied, and the same for one seed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "support/generate.rs"]
mod generate;

use generate::Plan;
use laneway::cases;
use laneway::limits::Limits;
use laneway::span::FileId;
use laneway::syntax::parse;

#[test]
fn generated_matrices_are_valid() {
    for seed in 0..600 {
        let _ = generate::matrix(seed, &Plan::default()).matrix();
    }
}

#[test]
fn one_seed_gives_one_matrix() {
    let (plan, other) = (Plan::default(), Plan::default());
    for seed in 0..20 {
        assert_eq!(
            generate::matrix(seed, &plan).files,
            generate::matrix(seed, &other).files
        );
    }
    let different: std::collections::HashSet<_> = (0..20)
        .map(|seed| generate::matrix(seed, &plan).files)
        .collect();
    assert_eq!(different.len(), 20);
}

#[test]
fn settled_cases_pass() {
    let plan = Plan {
        settled: true,
        ..Plan::default()
    };
    let (mut cases, mut wanted) = (0, std::collections::BTreeSet::new());
    for seed in 0..300 {
        let generated = generate::matrix(seed, &plan);
        let matrix = generated.matrix();
        let failed = cases::check_examples(&matrix);
        assert!(failed.is_empty(), "seed {seed}: {:?}", failed[0].message);
        for case in matrix.lanes.iter().flat_map(|lane| &lane.examples) {
            cases += 1;
            let expected = case.expect.to_string();
            wanted.insert(expected.split(' ').next().unwrap_or("").to_owned());
        }
    }
    assert!(cases > 300, "{cases}");
    // Every sort of outcome comes up.
    for expect in ["no", "unsure", "escalate", "deny", "allow"] {
        assert!(wanted.contains(expect), "{expect} in {wanted:?}");
    }
}

/// Every construct of the grammar turns up.
#[test]
fn every_construct_is_generated() {
    let mut trees = String::new();
    for seed in 0..300 {
        let generated = generate::matrix(seed, &Plan::default());
        for text in generated.files.values() {
            let parsed = parse(FileId(0), text, &Limits::default());
            trees.push_str(&format!("{:?}\n", parsed.ast));
        }
    }
    for construct in CONSTRUCTS {
        assert!(trees.contains(construct), "{construct}");
    }
    assert!(!trees.contains("Broken("));
}

/// How the trees' `Debug` writes each construct.
const CONSTRUCTS: [&str; 88] = [
    "Import(",
    "Calendar(Calendar",
    "Sample(Sample",
    "Team(Team",
    "List(List",
    "Condition(Condition",
    "Promise(Promise",
    "Scenario(Example",
    "otherwise",
    "Escalate(Fallback",
    "Except",
    "Some(Sun)",
    "close: Spanned { node: 360",
    "close: Spanned { node: 1440",
    "YesNo",
    "ignoring_case: true",
    "ignoring_case: false",
    "Whole(None)",
    "Whole(Some",
    "Number(None)",
    "Number(Some",
    "Money(Spanned",
    "OneOf(",
    "Timestamp,",
    "Duration,",
    "List(Spanned",
    "Required",
    "Optional",
    "Default(One(",
    "Default(Set(",
    "Str(",
    "Number(\"-",
    "Money(\"",
    "Duration(",
    "Date(",
    "Timestamp(20",
    "Yes,",
    "No,",
    "Word(\"",
    "group: true",
    "group: false",
    "Backup(",
    "Quorum {",
    "Adjust([",
    "Reaches(",
    "Never(",
    "About(",
    "Unless(",
    "Unsure(Escalate",
    "Unsure(Deny",
    "Unsure(Skip(",
    "Trial(None",
    "Trial(Some",
    "GroupBy(",
    "Also(",
    "Operator(",
    "Reversible(",
    "Critical",
    "Degrade",
    "Continue",
    "System",
    "History(None",
    "History(Some",
    "Label(",
    "NotifyBackup",
    "Notify(",
    "Route(",
    "Run(",
    "every: true",
    "Expire",
    "Allow(Spanned",
    "without: [Spanned",
    "at: Some(",
    "after: Some(",
    "And(",
    "Or(",
    "Not(",
    "AtLeast(",
    "filter: Some(",
    "Distinct(",
    "Sum(",
    "Count,",
    "Missing",
    "Inside(",
    "Outside(",
    "Matches {",
    "SameAs(",
    "OlderThan(",
];
