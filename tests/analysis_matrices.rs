//! The matrices that the analysis is measured on: they check without errors at every size, are the same for one seed,
//! and so are their edits.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test may fail loudly"
)]

#[path = "../benches/support/analysis.rs"]
mod analysis;

use laneway::check::{Options, check_text};
use laneway::matrix::{Effect, Matrix};

/// The matrix of a text, which has no error.
fn checked(text: &str, what: &str) -> std::sync::Arc<Matrix> {
    let loaded = check_text("matrix.lane", text, &Options::default());
    let errors = loaded.diagnostics.iter().filter(|found| {
        let severity = found.severity();
        severity == laneway::diagnostic::Severity::Error
    });
    let errors: Vec<&String> = errors.map(|found| &found.message).take(3).collect();
    assert!(errors.is_empty(), "{what}: {errors:?}");
    loaded.matrix.unwrap()
}

#[test]
fn they_check_without_errors_at_every_size() {
    for (lanes, seeds) in [(5, 40), (50, 20), (500, 3), (5_000, 1)] {
        for seed in 0..seeds {
            let realistic = analysis::realistic(lanes, seed);
            let matrix = checked(&realistic, &format!("realistic {lanes} {seed}"));
            assert_eq!(matrix.lanes.len(), lanes);
            let denies = matrix.rules.iter();
            let denies = denies.filter(|rule| rule.effect == Effect::Deny).count();
            assert_eq!(denies, (lanes / 50).max(2));
            assert!(matrix.promises.len() >= 3, "{}", matrix.promises.len());
            let random = analysis::random(lanes, seed);
            checked(&random, &format!("random {lanes} {seed}"));
        }
    }
}

#[test]
fn edits_check_without_errors_and_are_five() {
    for (lanes, seeds) in [(5, 40), (50, 40), (500, 3)] {
        for seed in 0..seeds {
            for text in [
                analysis::realistic(lanes, seed),
                analysis::random(lanes, seed),
            ] {
                let edited = analysis::edited(&text, 5, seed);
                let matrix = checked(&edited, &format!("{lanes} {seed}"));
                assert_eq!(matrix.lanes.len(), lanes - 1);
                let changed = text.lines().filter(|line| !edited.contains(*line)).count();
                assert!(changed >= 3, "{changed} lines at {lanes} {seed}");
            }
        }
    }
}

#[test]
fn one_seed_gives_one_text() {
    let text = analysis::realistic(50, 7);
    assert_eq!(text, analysis::realistic(50, 7));
    assert_ne!(text, analysis::realistic(50, 8));
    assert_eq!(analysis::random(50, 7), analysis::random(50, 7));
    assert_eq!(analysis::edited(&text, 5, 1), analysis::edited(&text, 5, 1));
    assert_ne!(analysis::edited(&text, 5, 1), analysis::edited(&text, 5, 2));
}
