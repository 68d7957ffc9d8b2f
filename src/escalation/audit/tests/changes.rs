//! Whatever is changed is found: seeded stores, and everything that one can do to them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// What happens to a store: a row of one of a few chains, or a checkpoint.
fn store() -> impl Strategy<Value = Store> {
    let name = prop::sample::select(vec!["a", "b", "ab", "é"]);
    let step = (any::<u8>(), name, "[a-c]{0,2}", ".{0,3}");
    vec(step, 1..24).prop_map(|steps| {
        let mut store = Store::default();
        for (dice, escalation, kind, body) in steps {
            let tenant = if dice % 8 == 1 { "other" } else { "main" };
            if dice % 4 == 0 {
                store.pin();
            } else {
                store.append(tenant, escalation, &kind, &body);
            }
        }
        store.append("main", "a", "last", "");
        store
    })
}

/// A store whose last checkpoint covers all of it.
fn pinned() -> impl Strategy<Value = Store> {
    store().prop_map(|mut store| {
        store.pin();
        store
    })
}

/// What was changed is found, whichever way the checkpoints come.
fn found(lines: &[Line], kept: &[Checkpoint]) -> Result<(), TestCaseError> {
    prop_assert_ne!(verify(lines, kept).faults, []);
    prop_assert_ne!(verify_checkpoints_first(lines, kept).faults, []);
    Ok(())
}

/// The lines without what is not hashed: positions and tombstones.
fn hashed(lines: &[Line]) -> Vec<Line> {
    let mut lines = lines.to_vec();
    for line in &mut lines {
        if let Line::Row { row, payload } = line {
            row.seq = 0;
            if matches!(payload, Payload::Erased { .. }) {
                *payload = erased();
            }
        }
    }
    lines
}

/// The places of the rows in an export, or those of its checkpoints.
fn places(lines: &[Line], rows: bool) -> Vec<usize> {
    let is_row = |line: &Line| matches!(line, Line::Row { .. });
    (0..lines.len())
        .filter(|n| is_row(&lines[*n]) == rows)
        .collect()
}

fn row_of(line: &mut Line) -> &mut Row {
    match line {
        Line::Row { row, .. } => row,
        Line::Checkpoint(_) => panic!("a checkpoint"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_was_not_changed_is_sound(store in store(), kept in any::<[bool; 24]>(), gone in any::<[bool; 25]>()) {
        let mut store = store;
        let mut expected = 0;
        let mut chains = std::collections::BTreeSet::new();
        for ((row, payload), gone) in store.rows.iter_mut().zip(gone) {
            if gone {
                *payload = erased();
                expected += 1;
                chains.insert((row.tenant.clone(), row.escalation.clone()));
            }
        }
        let silent = verify(&store.export(), &[]);
        prop_assert_eq!(silent.faults.len() + silent.more_faults as usize, chains.len());
        for (tenant, escalation) in &chains {
            store.append(tenant, escalation, "erased", "");
        }
        let lines = store.export();
        let kept: Vec<Checkpoint> = store.checkpoints.iter().zip(kept).filter(|(_, kept)| *kept).map(|(c, _)| c.clone()).collect();
        let report = verify(&lines, &kept);
        prop_assert_eq!(&report.faults, &[]);
        prop_assert_eq!(&report, &verify_checkpoints_first(&lines, &kept));
        prop_assert_eq!(report.erased, expected);
        prop_assert_eq!(report.rows, store.rows.len() as u64);
        prop_assert_eq!(report.chains, store.heads.len() as u64);
        prop_assert_eq!(report.checkpoints, store.checkpoints.len() as u64);
        prop_assert_eq!(report.unchecked_tail, store.added);
    }

    #[test]
    fn a_changed_byte_is_found(store in store(), line in any::<Index>(), byte in any::<Index>(), to in any::<u8>(), gone in any::<Option<Index>>()) {
        let mut store = store;
        if let Some(gone) = gone {
            let gone = gone.index(store.rows.len());
            store.erase(gone);
        }
        let lines = store.export();
        let place = line.index(lines.len());
        let mut bytes = lines[place].to_json().into_bytes();
        let at = byte.index(bytes.len());
        bytes[at] = to;
        let parsed = String::from_utf8(bytes).ok().and_then(|text| Line::parse(&text).ok());
        if let Some(parsed) = parsed {
            let mut changed = lines.clone();
            changed[place] = parsed;
            if hashed(&changed) != hashed(&lines) {
                found(&changed, &[])?;
            }
        }
    }

    #[test]
    fn a_changed_digit_of_a_hash_is_found(store in store(), line in any::<Index>(), digit in any::<Index>()) {
        // Half of a line are hashes and salts: each of their digits counts.
        let lines = store.export();
        let place = line.index(lines.len());
        let mut bytes = lines[place].to_json().into_bytes();
        let runs = String::from_utf8(bytes.clone()).unwrap();
        let digits: Vec<usize> = runs
            .match_indices(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'])
            .map(|(at, _)| at)
            .filter(|at| {
                let rest = |c: &u8| c.is_ascii_digit() || (b'a'..=b'f').contains(c);
                let before = bytes[..*at].iter().rev().take_while(|c| rest(c)).count();
                before + bytes[*at..].iter().take_while(|c| rest(c)).count() >= 32
            })
            .collect();
        let at = digits[digit.index(digits.len())];
        bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
        let mut changed = lines.clone();
        changed[place] = Line::parse(&String::from_utf8(bytes).unwrap()).unwrap();
        found(&changed, &[])?;
    }

    #[test]
    fn a_changed_position_is_found_where_it_moves_a_row(store in pinned(), row in any::<Index>(), seq in 0..60u64) {
        // Lines are put in the order of what their positions say now, as a store would give them.
        let mut changed = store.clone();
        let row = row.index(changed.rows.len());
        changed.rows[row].0.seq = seq;
        changed.rows.sort_by_key(|(row, _)| row.seq);
        let chain = |rows: &[(Row, Payload)]| -> Vec<(Row, u64)> {
            let mut rows: Vec<(Row, u64)> = rows.iter().map(|(row, _)| {
                let pin = store.checkpoints.iter().filter(|c| c.seq < row.seq).count() as u64;
                (Row { seq: 0, ..row.clone() }, pin)
            }).collect();
            // The order among chains is free, that within one is not.
            rows.sort_by(|a, b| (&a.0.tenant, &a.0.escalation).cmp(&(&b.0.tenant, &b.0.escalation)));
            rows
        };
        if chain(&changed.rows) != chain(&store.rows) {
            found(&changed.export(), &[])?;
        }
    }

    #[test]
    fn a_missing_row_is_found(store in pinned(), row in any::<Index>()) {
        let mut lines = store.export();
        let rows = places(&lines, true);
        lines.remove(rows[row.index(rows.len())]);
        found(&lines, &[])?;
    }

    #[test]
    fn a_missing_tail_of_a_chain_is_found(store in pinned(), row in any::<Index>()) {
        let (first, _) = store.rows[row.index(store.rows.len())].clone();
        let mut lines = store.export();
        lines.retain(|line| !matches!(line, Line::Row { row, .. } if row.tenant == first.tenant && row.escalation == first.escalation && row.n >= first.n));
        found(&lines, &[])?;
    }

    #[test]
    fn a_missing_tail_of_the_store_is_found_by_who_kept_a_checkpoint(store in pinned(), from in any::<Index>(), kept in any::<Index>()) {
        let lines = store.export();
        let kept = store.checkpoints[kept.index(store.checkpoints.len())].clone();
        let from = from.index(lines.len());
        let covered = lines[..from].contains(&Line::Checkpoint(kept.clone()));
        if covered {
            prop_assert_eq!(verify(&lines[..from], &[kept]).faults, []);
        } else {
            found(&lines[..from], &[kept])?;
        }
    }

    #[test]
    fn a_missing_checkpoint_is_found(store in pinned(), gone in any::<Index>()) {
        let mut lines = store.export();
        let pins = places(&lines, false);
        let gone = gone.index(pins.len());
        lines.remove(pins[gone]);
        // That of the last one is seen by who kept it; the store looks as if it had not been made.
        let last = gone + 1 == pins.len();
        let kept: &[Checkpoint] = if last { &store.checkpoints[gone..] } else { &[] };
        found(&lines, kept)?;
    }

    #[test]
    fn swapped_and_doubled_lines_are_found(store in pinned(), one in any::<Index>(), other in any::<Index>()) {
        let lines = store.export();
        for rows in [true, false] {
            let places = places(&lines, rows);
            let (one, other) = (places[one.index(places.len())], places[other.index(places.len())]);
            if one != other {
                let mut swapped = lines.clone();
                swapped.swap(one, other);
                found(&swapped, &[])?;
            }
            let mut doubled = lines.clone();
            doubled.insert(other, lines[one].clone());
            found(&doubled, &[])?;
        }
    }

    #[test]
    fn rows_of_one_chain_that_swap_their_positions_are_found(store in pinned(), one in any::<Index>(), other in any::<Index>()) {
        let mut lines = store.export();
        let places = places(&lines, true);
        let (one, other) = (places[one.index(places.len())], places[other.index(places.len())]);
        let (a, b) = (row_of(&mut lines[one]).clone(), row_of(&mut lines[other]).clone());
        if one != other && (&a.tenant, &a.escalation) == (&b.tenant, &b.escalation) {
            lines.swap(one, other);
            row_of(&mut lines[one]).seq = a.seq;
            row_of(&mut lines[other]).seq = b.seq;
            found(&lines, &[])?;
        }
    }

    #[test]
    fn swapped_and_missing_payloads_are_found(store in store(), one in any::<Index>(), other in any::<Index>()) {
        let (one, other) = (one.index(store.rows.len()), other.index(store.rows.len()));
        let mut changed = store.clone();
        let payload = std::mem::replace(&mut changed.rows[one].1, Payload::Missing);
        found(&changed.export(), &[])?;
        if one != other {
            changed.rows[one].1 = std::mem::replace(&mut changed.rows[other].1, payload);
            found(&changed.export(), &[])?;
        }
    }

    #[test]
    fn a_history_made_anew_is_found_by_who_kept_a_checkpoint(store in pinned(), from in any::<Index>(), kept in any::<Index>()) {
        // The forger changes one text and makes all hashes and checkpoints again.
        let from = from.index(store.rows.len());
        let mut forged = Store::default();
        let mut pins = store.checkpoints.iter().peekable();
        for (place, (row, payload)) in store.rows.iter().enumerate() {
            while pins.next_if(|pin| pin.seq < row.seq).is_some() {
                forged.pin();
            }
            let Payload::Kept { body, .. } = payload else { unreachable!() };
            let body = if place == from { format!("{body}!") } else { body.clone() };
            forged.append(&row.tenant, &row.escalation, &row.kind, &body);
        }
        pins.for_each(|_| forged.pin());
        let lines = forged.export();
        prop_assert_eq!(verify(&lines, &[]).faults, []);
        let kept = &store.checkpoints[kept.index(store.checkpoints.len())];
        let older = kept.seq < store.rows[from].0.seq;
        if older {
            prop_assert_eq!(verify(&lines, std::slice::from_ref(kept)).faults, []);
        } else {
            found(&lines, std::slice::from_ref(kept))?;
        }
    }

    #[test]
    fn lines_read_back_to_what_was_written(store in store()) {
        for line in store.export() {
            prop_assert_eq!(Line::parse(&line.to_json()), Ok(line));
        }
    }
}
