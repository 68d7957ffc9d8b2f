//! Each fault by itself, and what is said of it.

use crate::limits::AUDIT_FAULTS;

use super::super::Fault;
use super::*;

/// What is said of the faults of a store, with something done to its export.
fn said(change: impl FnOnce(&mut Vec<Line>)) -> Vec<String> {
    said_with(&[], change)
}

fn said_with(kept: &[Checkpoint], change: impl FnOnce(&mut Vec<Line>)) -> Vec<String> {
    let mut lines = Store::small().export();
    change(&mut lines);
    let report = verify(&lines, kept);
    report.faults.iter().map(ToString::to_string).collect()
}

fn row(line: &mut Line) -> &mut Row {
    match line {
        Line::Row { row, .. } => row,
        Line::Checkpoint(_) => panic!("a checkpoint"),
    }
}

fn payload(line: &mut Line) -> &mut Payload {
    match line {
        Line::Row { payload, .. } => payload,
        Line::Checkpoint(_) => panic!("a checkpoint"),
    }
}

fn pin(line: &mut Line) -> &mut Checkpoint {
    match line {
        Line::Checkpoint(checkpoint) => checkpoint,
        Line::Row { .. } => panic!("a row"),
    }
}

/// A row that fits itself, of a chain that may have none such.
fn forged(n: u64, seq: u64, previous: Digest, escalation: &str) -> Line {
    let head = Head {
        n: n - 1,
        hash: previous,
        ..Head::start("main", escalation)
    };
    let salt = Salt::default();
    let row = head.next(seq, at("2026-01-07T12:00:00Z"), "forged", seal(salt, ""));
    let body = String::new();
    Line::Row {
        row,
        payload: Payload::Kept { salt, body },
    }
}

#[test]
fn a_sound_store_is_sound() {
    let store = Store::small();
    let report = verify(&store.export(), &store.checkpoints);
    let expected = Report {
        rows: 9,
        chains: 3,
        checkpoints: 2,
        unchecked_tail: 1,
        ..Report::default()
    };
    assert_eq!(report, expected);
    assert!(report.is_sound());
    assert_eq!(verify(&[], &[]), Report::default());
}

#[test]
fn changed_rows_and_texts_are_named() {
    let place = "row 2 of escalation `e1` of `main`, position 4";
    let changed = format!("{place}: the row does not fit its own hash: it was changed");
    assert_eq!(
        said(|lines| row(&mut lines[2]).kind = "denied".to_owned()),
        [changed.as_str()]
    );
    let nanosecond = chrono::TimeDelta::nanoseconds(1);
    assert_eq!(
        said(|lines| row(&mut lines[2]).at += nanosecond),
        [changed.as_str()]
    );
    assert_eq!(
        said(|lines| *payload(&mut lines[2]) = Payload::Missing),
        [format!(
            "{place}: the text of the row is missing, and nothing says that it was erased"
        )]
    );
    let other = Payload::Kept {
        salt: Salt::default(),
        body: "x".to_owned(),
    };
    assert_eq!(
        said(|lines| *payload(&mut lines[2]) = other),
        [format!(
            "{place}: the text of the row does not fit its digest: it was changed"
        )]
    );
}

#[test]
fn a_chain_that_does_not_hang_together_is_said_to_be_so() {
    insta::assert_snapshot!(
        "missing_row",
        said(|lines| drop(lines.remove(2))).join("\n")
    );
    insta::assert_snapshot!(
        "replaced_row",
        said(|lines| lines[2] = forged(2, 4, zeros(), "e1")).join("\n")
    );
    insta::assert_snapshot!("swapped_rows", said(|lines| lines.swap(2, 4)).join("\n"));
    insta::assert_snapshot!(
        "doubled_row",
        said(|lines| lines.insert(3, lines[2].clone())).join("\n")
    );
}

#[test]
fn what_a_checkpoint_pins_is_missed() {
    let is = |line: &Line, name: &str, from: u64| matches!(line, Line::Row { row, .. } if row.escalation == name && row.n >= from);
    insta::assert_snapshot!(
        "missing_tail",
        said(|lines| lines.retain(|line| !is(line, "e2", 3))).join("\n")
    );
    insta::assert_snapshot!(
        "missing_chain",
        said(|lines| lines.retain(|line| !is(line, "e2", 1))).join("\n")
    );
    insta::assert_snapshot!(
        "added_chain",
        said(|lines| lines.insert(8, forged(1, 11, zeros(), "e9"))).join("\n")
    );
    // The last row of a chain is another one, and all that can be made to fit fits.
    insta::assert_snapshot!(
        "replaced_tail",
        said(|lines| {
            let last = row(&mut lines[5]).clone();
            lines[5] = forged(last.n, last.seq, last.previous, "e2");
        })
        .join("\n")
    );
}

#[test]
fn checkpoints_that_do_not_follow_each_other_are_named() {
    insta::assert_snapshot!(
        "missing_first_checkpoint",
        said(|lines| drop(lines.remove(6))).join("\n")
    );
    insta::assert_snapshot!(
        "changed_checkpoint",
        said(|lines| pin(&mut lines[9]).chains += 1).join("\n")
    );
    insta::assert_snapshot!("late_checkpoint", said(|lines| lines.swap(6, 7)).join("\n"));
    // All that a checkpoint says of itself fits, but it takes something back.
    let less = |seq: u64, rows: u64| {
        let store = Store::small();
        let first = &store.checkpoints[0];
        let before = Checkpoint {
            rows,
            ..first.clone()
        };
        let second = checkpoint(Some(&before), &[], seq, 0, first.at);
        let mut verifier = Verifier::new(Vec::new());
        verifier.checkpoints([first.clone(), second]);
        let faults = verifier.end().faults;
        faults
            .iter()
            .any(|fault| matches!(fault, Fault::CheckpointUnlinked { .. }))
    };
    let first = Store::small().checkpoints[0].clone();
    assert!(!less(first.seq, first.rows));
    assert!(less(first.seq - 1, first.rows));
    assert!(less(first.seq, first.rows - 1));
}

#[test]
fn an_auditor_finds_what_a_store_alone_does_not_show() {
    let pins = Store::small().checkpoints;
    let mut other = pins[1].clone();
    other = checkpoint(pins.first(), &[], other.seq, 2, other.at);
    insta::assert_snapshot!("rewritten", said_with(&[other], |_| {}).join("\n"));
    insta::assert_snapshot!(
        "cut_off",
        said_with(&pins[1..], |lines| lines.truncate(7)).join("\n")
    );
    let removed = "checkpoint 2, up to position 12: the checkpoint that was kept elsewhere is not here: it was removed";
    assert_eq!(
        said_with(&pins[1..], |lines| drop(lines.remove(9))),
        [removed]
    );
    let mut bad = pins[0].clone();
    bad.rows += 1;
    let place = "checkpoint 1, up to position 9";
    assert_eq!(
        said_with(&[bad], |_| {}),
        [format!(
            "{place}: the checkpoint that was kept elsewhere does not fit its own hash"
        )]
    );
    // Those that are sound are found in any order.
    let reversed: Vec<Checkpoint> = pins.iter().rev().cloned().collect();
    assert_eq!(said_with(&reversed, |_| {}), [""; 0]);
}

#[test]
fn a_checkpoint_without_new_rows_is_fine() {
    let mut store = Store::small();
    store.pin();
    store.pin();
    assert_eq!(store.checkpoints[3].rows, 9);
    assert_eq!(store.checkpoints[3].chains, 0);
    let report = verify(&store.export(), &store.checkpoints);
    assert_eq!(report.faults, []);
    assert_eq!(report.unchecked_tail, 0);
}

#[test]
fn faults_beyond_the_bound_are_counted() {
    let mut verifier = Verifier::new(Vec::new());
    let mut head = Head::start("main", "e1");
    for seq in 0..AUDIT_FAULTS as u64 + 5 {
        let row = head.next(seq, at("2026-01-07T12:00:00Z"), "", zeros());
        head = row.head();
        verifier.row(&row, &Payload::Missing);
    }
    let report = verifier.end();
    assert_eq!(report.faults.len(), AUDIT_FAULTS);
    assert_eq!(report.more_faults, 5);
}

#[test]
fn a_fault_is_written_with_its_place() {
    let mut lines = Store::small().export();
    *payload(&mut lines[0]) = Payload::Missing;
    let report = verify(&lines, &[]);
    assert_eq!(
        serde_json::to_string(&report.faults).unwrap(),
        r#"[{"fault":"payload_missing","place":{"row":{"seq":1,"tenant":"main","escalation":"e1","n":1}}}]"#
    );
    assert_eq!(
        report.faults[0].place().to_string(),
        "row 1 of escalation `e1` of `main`, position 1"
    );
}

#[test]
fn each_part_of_a_checkpoint_that_links_it_counts() {
    let pins = Store::small().checkpoints;
    let unlinked = |before: &Checkpoint| {
        let second = checkpoint(Some(before), &[], 12, 2, before.at);
        let mut verifier = Verifier::new(Vec::new());
        verifier.checkpoints([pins[0].clone(), second]);
        let faults = verifier.end().faults;
        faults
            .iter()
            .any(|fault| matches!(fault, Fault::CheckpointUnlinked { .. }))
    };
    let mut before = pins[0].clone();
    assert!(!unlinked(&before));
    before.n += 1;
    assert!(unlinked(&before));
    before = pins[0].clone();
    before.hash = zeros();
    assert!(unlinked(&before));
}

#[test]
fn a_part_of_a_microsecond_in_a_checkpoint_is_a_change() {
    let nanosecond = chrono::TimeDelta::nanoseconds(1);
    let place = "checkpoint 2, up to position 12";
    assert_eq!(
        said(|lines| pin(&mut lines[9]).at += nanosecond),
        [format!(
            "{place}: the checkpoint does not fit its own hash: it was changed"
        )]
    );
}

#[test]
fn a_kept_checkpoint_that_was_taken_out_is_named() {
    let pins = Store::small().checkpoints;
    let faults = said_with(&pins[..1], |lines| drop(lines.remove(6)));
    let removed = "checkpoint 1, up to position 9: \
                   the checkpoint that was kept elsewhere is not here: it was removed";
    assert!(faults.iter().any(|fault| fault == removed), "{faults:?}");
}

/// Who can write the store can put a tombstone in the place of a text; a row has to say so.
#[test]
fn a_tombstone_of_which_no_row_speaks_is_named() {
    let unsaid = |place: &str| {
        format!(
            "{place}: the text of the row was erased, and no later row of the escalation says so"
        )
    };
    assert_eq!(
        said(|lines| *payload(&mut lines[2]) = erased()),
        [unsaid("row 2 of escalation `e1` of `main`, position 4")]
    );
    // Many of a chain are one fault, at the last of them.
    let mut store = Store::small();
    store.erase(0);
    store.rows[2].1 = erased();
    assert_eq!(verify(&store.export(), &[]).faults, []);
    let last = store.rows.len() - 1;
    store.rows[last].1 = erased();
    let faults = verify(&store.export(), &[]).faults;
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].to_string().contains("row 5 of escalation `e1`"),
        "{faults:?}"
    );
    // What another escalation says does not count.
    let mut store = Store::small();
    store.rows[0].1 = erased();
    store.append("main", "e2", "erased", "");
    store.append("other", "e1", "erased", "");
    assert_eq!(verify(&store.export(), &[]).faults.len(), 1);
}
