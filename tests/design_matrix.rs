//! The matrix that the language was designed on, with its people and remaining lanes filled in.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot load its matrix fails"
)]

use laneway::diagnostic::codes;
use laneway::{Options, Severity, files};

const MATRIX: &str = "tests/fixtures/design/acme.lane";

#[test]
fn it_checks_without_an_error_and_every_example_holds() {
    let options = Options {
        today: "2026-11-21".parse().ok(),
        ..Options::default()
    };
    let loaded = files::load(MATRIX.as_ref(), &options, true).unwrap();
    let worse: Vec<_> = loaded
        .diagnostics
        .iter()
        .filter(|d| d.severity() > Severity::Note)
        .collect();
    // Its calendar knows the holidays of one year only, which is true and worth saying.
    assert_eq!(worse.len(), 1, "{worse:?}");
    assert_eq!(worse.first().unwrap().code, codes::EXCEPTIONS_END_SOON);
    assert_eq!(loaded.examples, 9);
    let matrix = loaded.into_matrix().unwrap();
    assert_eq!(
        (
            matrix.lanes.len(),
            matrix.rules.len(),
            matrix.promises.len()
        ),
        (3, 3, 1)
    );
}

#[test]
fn each_example_can_fail() {
    let folder = std::path::Path::new(MATRIX).parent().unwrap();
    let people = std::fs::read_to_string(folder.join("people.lane")).unwrap();
    let text = std::fs::read_to_string(MATRIX).unwrap();
    let expectations = [
        " -> escalate\n",
        " -> no match\n",
        " -> unsure\n",
        " -> escalate by financial_risk\n",
    ];
    let mut tried = 0;
    for expected in expectations {
        for (at, _) in text.match_indices(expected) {
            tried += 1;
            let mut changed = text.clone();
            changed.replace_range(at..at + expected.len(), " -> deny\n");
            let files = std::collections::BTreeMap::from([
                ("acme.lane".to_owned(), changed),
                ("people.lane".to_owned(), people.clone()),
            ]);
            let loaded = laneway::check::check(&files, "acme.lane", &Options::default());
            let failed = laneway::cases::check_examples(&loaded.into_matrix().unwrap());
            assert_eq!(failed.len(), 1, "{failed:?}");
        }
    }
    assert_eq!(tried, 9);
}
