//! The generators themselves: what they make is valid, varied, and the same for one seed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "support/events.rs"]
mod events;
#[path = "support/generate.rs"]
mod generate;

use std::collections::{BTreeMap, BTreeSet};

use events::{Events, Fault};
use generate::Plan;
use laneway::cases;
use laneway::clock::Timestamp;
use laneway::event::{ProblemCode, read};
use laneway::limits::Limits;
use laneway::reference::{History, Reference, Standing, Times};
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
    let different: BTreeSet<_> = (0..20)
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
    let (mut cases, mut wanted) = (0, BTreeSet::new());
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
    let absent: Vec<_> = CONSTRUCTS
        .iter()
        .filter(|construct| !trees.contains(**construct))
        .collect();
    assert!(absent.is_empty(), "{absent:?}");
    assert!(!trees.contains("Broken("));
}

#[test]
fn generated_events_are_what_they_claim() {
    let mut faults = BTreeMap::new();
    for seed in 0..200 {
        let matrix = generate::matrix(seed, &Plan::default()).matrix();
        let mut events = Events::new(&matrix, seed);
        let limits = Limits::default();
        for _ in 0..10 {
            let _ = events.event();
            let (json, fault) = events.invalid();
            let Err(found) = read(
                json.as_bytes(),
                &matrix.schema,
                &limits,
                Timestamp::UNIX_EPOCH,
            ) else {
                panic!("seed {seed}: readable with {fault:?}: {json}");
            };
            let code = match fault {
                Fault::WrongType => ProblemCode::WrongType,
                Fault::UnknownWord => ProblemCode::UnknownValue,
                Fault::OutOfRange => ProblemCode::OutOfRange,
                Fault::Missing => ProblemCode::FieldMissing,
                Fault::UnknownKind => ProblemCode::UnknownKind,
                Fault::NoKind => ProblemCode::KindMissing,
                Fault::BadAt => ProblemCode::BadAt,
                Fault::NotJson => ProblemCode::NotJson,
                Fault::Twice => ProblemCode::DuplicateMember,
            };
            let codes: Vec<_> = found.problems.iter().map(|p| p.code).collect();
            assert!(
                codes.contains(&code),
                "seed {seed}: {fault:?} {codes:?} {json}"
            );
            *faults.entry(fault).or_insert(0) += 1;
        }
    }
    assert_eq!(faults.len(), 9, "{faults:?}");
}

/// Generated events fall on all sides of generated triggers; else the tests that use them show
/// little.
#[test]
fn generated_lanes_fire_stay_silent_and_are_unsure() {
    let (mut fired, mut unsure, mut silent, mut other) = (0, 0, 0, 0);
    let mut verdicts = BTreeMap::new();
    for seed in 0..100 {
        let matrix = generate::matrix(seed, &Plan::default()).matrix();
        let mut events = Events::new(&matrix, seed);
        let reference = Reference::new(&matrix);
        let mut history = History::new(&matrix);
        for _ in 0..20 {
            let (_, event) = events.event();
            let times = Times::of(&event);
            for lane in &matrix.lanes {
                match reference.standing(lane, &event, &history, times) {
                    Standing::Fired => fired += 1,
                    Standing::Unsure => unsure += 1,
                    Standing::Silent => silent += 1,
                    _ => other += 1,
                }
            }
            let decision = reference.decide_and_record(&event, &mut history, times);
            *verdicts.entry(decision.verdict.as_str()).or_insert(0) += 1;
        }
    }
    let all = fired + unsure + silent;
    let shown = format!("{fired} {unsure} {silent} {other} {verdicts:?}");
    assert!(
        fired * 5 > all && silent * 5 > all && unsure * 20 > all,
        "{shown}"
    );
    assert!(
        verdicts.values().all(|n| *n > 20) && verdicts.len() == 4,
        "{shown}"
    );
}

/// How the trees' `Debug` writes each construct.
const CONSTRUCTS: [&str; 87] = [
    "Import(",
    "Calendar(Calendar",
    "Sample(Sample",
    "Team(Team",
    "List(List",
    "Condition(Condition",
    "Promise(Promise",
    "Scenario(Example",
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
