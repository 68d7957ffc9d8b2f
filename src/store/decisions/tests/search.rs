//! Looking into the log: over several files, by each of its sides, from where the search before stopped.

use super::*;
use crate::store::decisions::search::{Found, Wanted};

/// All that fits, page by page, and over how many pages.
fn pages(decisions: &DecisionLog, wanted: &Wanted) -> (Vec<String>, usize) {
    let mut all = Vec::new();
    let mut wanted = wanted.clone();
    for number in 1.. {
        let found: Found = decisions.search(&wanted).unwrap();
        all.extend(found.lines.into_iter().map(|line| match line.event {
            EventRef::Id(id) => id,
            other => panic!("{other:?}"),
        }));
        match found.rest {
            // As an address has it.
            Some(rest) => wanted.behind = Some(Place::parse(&rest.to_string()).unwrap()),
            None => return (all, number),
        }
    }
    unreachable!()
}

fn of(limit: usize) -> Wanted {
    Wanted {
        limit,
        ..Wanted::default()
    }
}

#[test]
fn the_newest_comes_first_over_all_files_and_pages() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        rotate_bytes: 2_000,
        ..Settings::default()
    };
    let decisions = open(folder.path(), settings);
    log(&decisions, 0..30, 9);
    assert!(files(folder.path()).unwrap().len() > 3);
    let newest = named((0..30).rev());
    assert_eq!(pages(&decisions, &of(100)), (newest.clone(), 1));
    assert_eq!(pages(&decisions, &of(7)), (newest.clone(), 5));
    // Where the last page is full, the one behind it shows that it was the last.
    assert_eq!(pages(&decisions, &of(10)), (newest, 4));
    // What is packed is passed over, and said.
    let oldest = files(folder.path()).unwrap().remove(0);
    fs::rename(&oldest, oldest.with_extension("ndjson.gz")).unwrap();
    let found = decisions.search(&of(100)).unwrap();
    assert_eq!(found.packed, 1);
    assert!(found.lines.len() < 30 && !found.lines.is_empty());
}

#[test]
fn all_that_is_looked_for_has_to_fit() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    log(&decisions, 0..6, 9);
    log(&decisions, 6..9, 1);
    let at = |id: i64| Some(noon() + TimeDelta::seconds(id));
    let found = |wanted: Wanted| pages(&decisions, &wanted).0;
    let by = Some("large".to_owned());
    assert_eq!(found(Wanted { by, ..of(9) }), named((0..6).rev()));
    let verdict = Some(Verdict::Allow);
    assert_eq!(found(Wanted { verdict, ..of(9) }), named((6..9).rev()));
    let id = Some("e-4".to_owned());
    assert_eq!(found(Wanted { id, ..of(9) }), ["e-4"]);
    let (since, until) = (at(2), at(5));
    let between = Wanted {
        since,
        until,
        ..of(9)
    };
    assert_eq!(found(between.clone()), named((2..5).rev()));
    let verdict = Some(Verdict::Deny);
    assert_eq!(found(Wanted { verdict, ..between }), [""; 0]);
    // A file of a later day has nothing of before.
    let until = Some(noon() - TimeDelta::days(2));
    assert_eq!(found(Wanted { until, ..of(9) }), [""; 0]);
}

#[test]
fn what_is_filed_under_a_subject_is_found_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    let router = router();
    let matrix = router.matrix();
    let known = Subjects::of(&matrix);
    for id in 0..6 {
        let json = event(id, 9);
        let limits = crate::limits::Limits::default();
        let read = crate::event::read(&json, &matrix.schema, &limits, noon()).unwrap();
        let decision = router.decide_json(&json, noon());
        decisions.append(&Entry {
            subjects: &known.of_event(&matrix, &read),
            ..Entry::new(noon(), &json, &decision)
        });
    }
    let subject = |user: &str| Subject::of([("user", Json::Text(user.to_owned()))]).unwrap();
    let subjects = vec![subject("u1")];
    let wanted = Wanted { subjects, ..of(9) };
    assert_eq!(pages(&decisions, &wanted).0, ["e-4", "e-1"]);
    let subjects = vec![subject("u9")];
    let wanted = Wanted { subjects, ..of(9) };
    assert_eq!(pages(&decisions, &wanted).0, [""; 0]);
}

#[test]
fn a_place_reads_back_and_anything_else_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    log(&decisions, 0..3, 9);
    let rest = decisions.search(&of(1)).unwrap().rest.unwrap();
    assert_eq!(Place::parse(&rest.to_string()), Some(rest));
    for wrong in [
        "",
        "1",
        "2026-11-20-000001",
        "x:1",
        "../../etc/passwd:0",
        ":1",
    ] {
        assert_eq!(Place::parse(wrong), None, "{wrong:?}");
    }
}
