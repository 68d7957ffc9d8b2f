//! The compiled program against the reference evaluator: random matrices over every construct,
//! random events with missing, wrong and boundary values. One event decided by one matrix in all
//! ways is a pair; `LANEWAY_LONG=1` makes a million of them.

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
#[path = "support/routing.rs"]
mod routing;

use std::collections::BTreeSet;
use std::sync::Arc;

use events::Events;
use generate::Plan;
use laneway::check::{self, check_text};
use laneway::clock::Timestamp;
use laneway::compile::{Options, compile, compile_with};
use laneway::decision::{Decision, State, Verdict};
use laneway::event::{Event, read};
use laneway::limits::Limits;
use laneway::matrix::Matrix;
use laneway::program::{Decider, Program, Rank, Scratch, What};
use laneway::reference::{History, Reference, Times};
use laneway::slots::Slots;

/// What the pairs showed, so that a test cannot pass by showing nothing.
#[derive(Default)]
struct Shown {
    pairs: usize,
    by_reference: u64,
    verdicts: BTreeSet<&'static str>,
    fired: usize,
    unsure: usize,
    trial: usize,
    rules: usize,
    outcomes: usize,
}

fn pairs() -> usize {
    match std::env::var_os("LANEWAY_LONG") {
        Some(_) => 1_000_000,
        None => 50_000,
    }
}

/// Everything in an index, nothing, and hardly a field with a column.
fn programs(matrix: &Arc<Matrix>) -> [Program; 3] {
    let all = usize::MAX;
    [(0, all), (all, all), (0, 1)]
        .map(|(straight, columns)| compile_with(matrix, Options { straight, columns }))
}

#[test]
fn the_program_decides_as_the_reference_does() {
    let mut shown = Shown::default();
    let mut seed = 0;
    // Four of five pairs; the others are those of the next test.
    while shown.pairs < pairs() / 5 * 4 {
        let plan = Plan {
            lanes: 1..=if seed % 4 == 0 { 40 } else { 8 },
            measures: seed % 3 == 0,
            imports: false,
            messy: false,
            wide: seed % 16 == 5,
            ..Plan::default()
        };
        let matrix = generate::matrix(seed, &plan).matrix();
        compare_some(&matrix, seed, &mut shown);
        seed += 1;
    }
    assert_eq!(
        shown.verdicts,
        BTreeSet::from(["allow", "deny", "escalate", "adjust"])
    );
    let share = shown.by_reference as f64 / shown.pairs as f64;
    eprintln!(
        "{} pairs of {seed} matrices: {} lanes fired, {} unsure, {} on trial, {} rules, \
         {} outcomes, {:.2} % left to the reference",
        shown.pairs,
        shown.fired,
        shown.unsure,
        shown.trial,
        shown.rules,
        shown.outcomes,
        share * 100.0 / 3.0
    );
    let least = shown.pairs / 50;
    assert!(shown.fired > least && shown.unsure > least && shown.rules > least);
    assert!(shown.trial > least / 10 && shown.outcomes > shown.pairs / 2);
    // Most of it are numbers too fine for the cells of fields that measures need exactly.
    assert!(share < 0.08, "{share} of the events were not compiled");
}

/// Many lanes on one kind, filed in every way.
#[test]
fn every_way_to_file_a_clause_decides_as_the_reference_does() {
    let mut shown = Shown::default();
    let (mut words, mut texts, mut prefixes, mut thresholds) = (0, 0, 0, 0);
    let (mut symbols, mut phrases) = (0, 0);
    let mut seed = 0;
    while shown.pairs < pairs() / 5 {
        let text = routing::text(seed);
        let matrix = checked(&text);
        let program = compile(&matrix);
        let index = &program.kinds[0].index;
        phrases += program.kinds[0]
            .phrases
            .iter()
            .filter(|p| p.is_filed())
            .count();
        words += index.words.len();
        symbols += index.symbols.len();
        let [_, _, narrow] = programs(&matrix);
        texts += narrow.kinds[0].index.texts.len();
        prefixes += index.prefixes.len();
        thresholds += index.thresholds.len();
        compare_some(&matrix, seed, &mut shown);
        seed += 1;
    }
    eprintln!(
        "{} pairs of {seed} matrices: {} lanes fired, {} unsure; fields of the index: {words} of \
         words, {symbols} of symbols, {texts} of texts, {prefixes} of beginnings, {thresholds} of bounds, {phrases} of phrases",
        shown.pairs, shown.fired, shown.unsure
    );
    let least = usize::try_from(seed).unwrap() / 2;
    assert!(symbols > least && texts > least);
    assert!(words > least && prefixes > least && thresholds > least);
    assert!(phrases * 2 > least);
    assert!(shown.fired > shown.pairs && shown.unsure > shown.pairs);
    assert_eq!(shown.by_reference, 0);
}

const HEAD: &str = "matrix \"Edges\" {\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  \
                    unreadable deny\n}\nteam desk {\n  first group \"desk\"\n}\n";

fn lane(name: &str, when: &str) -> String {
    format!(
        "lane {name} {{\n  on call\n  when {when}\n  owner desk\n  urgency high\n  respond within \
         1h\n  meanwhile hold item\n  evidence {{\n    required input\n  }}\n  timeout {{\n    after \
         2h deny\n  }}\n}}\n"
    )
}

fn checked(text: &str) -> Arc<Matrix> {
    let loaded = check_text("matrix.lane", text, &check::Options::default());
    let found = loaded.diagnostics.iter().map(|d| d.message.clone());
    let found: Vec<String> = found.take(3).collect();
    loaded
        .matrix
        .unwrap_or_else(|| panic!("{found:?} in {text}"))
}

/// The lanes that attach to each of some events, as both evaluators have it.
fn attached(matrix: &Arc<Matrix>, lines: &[&str]) -> Vec<Vec<(String, State)>> {
    let mut shown = Shown::default();
    compare(
        matrix,
        "edges",
        lines.iter().map(|l| (*l).to_owned()),
        &mut shown,
    );
    assert_eq!(shown.pairs, lines.len(), "an event was not read");
    let decisions = lines.iter().map(|line| {
        let (limits, now) = (Limits::default(), Timestamp::UNIX_EPOCH);
        let event = read(line.as_bytes(), &matrix.schema, &limits, now).unwrap();
        let history = History::new(matrix);
        Reference::new(matrix).decide(&event, &history, Times::of(&event))
    });
    let lanes = |d: Decision| d.lanes.into_iter().map(|l| (l.lane, l.state)).collect();
    decisions.map(lanes).collect()
}

fn fired(names: &[&str]) -> Vec<(String, State)> {
    let names = names.iter();
    names.map(|n| ((*n).to_owned(), State::Fired)).collect()
}

/// The edge of an age lies before the first instant that a cell holds.
#[test]
fn ages_reach_beyond_the_first_instant() {
    let matrix = checked(&format!(
        "{HEAD}event call {{\n  opened: timestamp\n}}\n{}{}",
        lane("old", "opened older than 36500d"),
        lane("young", "opened newer than 36500d"),
    ));
    let event = |at: &str, opened: &str| {
        format!("{{\"kind\": \"call\", \"at\": \"{at}\", \"opened\": \"{opened}\"}}")
    };
    let lines = [
        event("1700-01-01T00:00:00Z", "1690-01-01T00:00:00Z"),
        event("2000-01-01T00:00:00Z", "1700-01-01T00:00:00Z"),
        // Just so old: neither.
        event("2000-01-01T00:00:00Z", "1900-01-25T00:00:00Z"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let wanted = [fired(&["young"]), fired(&["old"]), fired(&[])];
    assert_eq!(attached(&matrix, &lines), wanted);
}

/// Beyond 64 optional fields some share the bit that says that they are missing.
#[test]
fn a_field_that_shares_its_bit_is_not_taken_for_another() {
    let fields: String = (0..70)
        .map(|n| format!("  f{n}: whole number optional\n"))
        .collect();
    let matrix = checked(&format!(
        "{HEAD}event call {{\n{fields}}}\n{}{}",
        lane("shared", "f65 > 1 and f0 > 1"),
        lane("alone", "f1 > 1 and f0 > 1"),
    ));
    let lines = [
        "{\"kind\": \"call\", \"f65\": 2, \"f0\": 2}",
        "{\"kind\": \"call\", \"f66\": 2, \"f1\": 2, \"f0\": 2}",
    ];
    let unsure = |name: &str| (name.to_owned(), State::Unsure);
    let sure = |name: &str| (name.to_owned(), State::Fired);
    let wanted = [
        vec![sure("shared"), unsure("alone")],
        vec![sure("alone"), unsure("shared")],
    ];
    assert_eq!(attached(&matrix, &lines), wanted);
}

/// More values than a word has bits.
#[test]
fn a_list_can_be_asked_for_very_many_values() {
    let values = |count: usize| {
        let values = (0..count).map(|n| format!("\"v{n}\""));
        values.collect::<Vec<_>>().join(", ")
    };
    let matrix = checked(&format!(
        "{HEAD}event call {{\n  tags: list of text\n}}\n{}{}",
        lane("all", &format!("tags contains all of ({})", values(70))),
        lane("none", &format!("tags contains none of ({})", values(70))),
    ));
    let event = |count| format!("{{\"kind\": \"call\", \"tags\": [{}]}}", values(count));
    let lines = [event(70), event(69), event(1), event(0)];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let wanted = [fired(&["all"]), fired(&[]), fired(&[]), fired(&["none"])];
    assert_eq!(attached(&matrix, &lines), wanted);
}

/// Behind the largest whole number there is nothing, nor before the smallest.
#[test]
fn whole_numbers_have_ends() {
    let matrix = checked(&format!(
        "{HEAD}event call {{\n  n: whole number\n}}\n{}{}{}{}",
        lane("above", "n > 9223372036854775807"),
        lane("below", "n < -9223372036854775808"),
        lane("not_above", "not n > 9223372036854775806"),
        lane("least", "n <= -9223372036854775808"),
    ));
    let lines = [
        "{\"kind\": \"call\", \"n\": 9223372036854775807}",
        "{\"kind\": \"call\", \"n\": 9223372036854775806}",
        "{\"kind\": \"call\", \"n\": -9223372036854775808}",
    ];
    let wanted = [
        fired(&[]),
        fired(&["not_above"]),
        fired(&["not_above", "least"]),
    ];
    assert_eq!(attached(&matrix, &lines), wanted);
}

/// Pieces of a pattern may not share a letter of the text.
#[test]
fn pieces_of_a_pattern_do_not_overlap() {
    let matrix = checked(&format!(
        "{HEAD}event call {{\n  t: text\n}}\n{}{}{}",
        lane("ends", "t like \"ab*ba\""),
        lane("middle", "t like \"*ab*ba*\""),
        lane("behind", "t like \"a*b*b\""),
    ));
    let event = |t: &str| format!("{{\"kind\": \"call\", \"t\": \"{t}\"}}");
    let lines = ["aba", "abba", "xabba", "abxba", "ab", "abb"].map(event);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let wanted = [
        fired(&[]),
        fired(&["ends", "middle"]),
        fired(&["middle"]),
        fired(&["ends", "middle"]),
        fired(&[]),
        fired(&["behind"]),
    ];
    assert_eq!(attached(&matrix, &lines), wanted);
}

/// Numbers that are compared with each other are told apart beyond the places of any constant.
#[test]
fn numbers_that_differ_in_a_far_place_are_not_the_same() {
    let matrix = checked(&format!(
        "{HEAD}event call {{\n  a: number\n  b: number\n}}\n{}{}{}",
        lane("same", "a same as b"),
        lane("less", "a < b"),
        lane("small", "a < 0.01"),
    ));
    let event = |a: &str, b: &str| format!("{{\"kind\": \"call\", \"a\": {a}, \"b\": {b}}}");
    let lines = [
        event("0.0100001", "0.0100002"),
        event("0.01", "0.010"),
        event("0.0099999", "0.0099998"),
        event("-1e-20", "0"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let wanted = [
        fired(&["less"]),
        fired(&["same"]),
        fired(&["small"]),
        fired(&["less", "small"]),
    ];
    assert_eq!(attached(&matrix, &lines), wanted);
}

/// Both fields of a comparison are missing: the first one says what that means.
#[test]
fn the_first_field_says_what_a_missing_pair_means() {
    let matrix = checked(&format!(
        "{HEAD}event call {{\n  a: text optional\n  b: text optional\n}}\n{}{}{}",
        lane("guarded", "a same as b if present"),
        lane("opposite", "not (a same as b if present)"),
        lane("plain", "not a same as b"),
    ));
    let lines = [
        "{\"kind\": \"call\"}",
        "{\"kind\": \"call\", \"b\": \"x\"}",
        "{\"kind\": \"call\", \"a\": \"x\"}",
    ];
    let attaches = |name: &str, state| (name.to_owned(), state);
    let wanted = [
        vec![
            attaches("opposite", State::Fired),
            attaches("plain", State::Unsure),
        ],
        vec![
            attaches("opposite", State::Fired),
            attaches("plain", State::Unsure),
        ],
        ["guarded", "opposite", "plain"]
            .map(|name| attaches(name, State::Unsure))
            .to_vec(),
    ];
    assert_eq!(attached(&matrix, &lines), wanted);
}

/// A kind whose constants no cell holds is left to the reference, and only that kind.
#[test]
fn what_cells_cannot_hold_is_decided_by_the_reference() {
    let matrix = checked(&format!(
        "{HEAD}event call {{\n  fine: number\n}}\nevent other {{\n  n: whole number\n}}\n\
         always deny low on other when n < 0\n{}",
        lane("finest", "fine > 1234567890123456.123456"),
    ));
    let lines = [
        "{\"kind\": \"call\", \"fine\": 1234567890123456.1234561}",
        "{\"kind\": \"call\", \"fine\": 1234567890123456.123456}",
        "{\"kind\": \"other\", \"n\": -1}",
    ];
    let wanted = [fired(&["finest"]), fired(&[]), fired(&[])];
    assert_eq!(attached(&matrix, &lines), wanted);
    let [program, ..] = programs(&matrix);
    assert!(program.kinds[0].reference.is_some() && program.kinds[1].reference.is_none());
}

fn compare_some(matrix: &Arc<Matrix>, seed: u64, shown: &mut Shown) {
    let mut events = Events::new(matrix, seed);
    let lines = std::iter::repeat_with(|| events.any()).take(60);
    compare(matrix, &format!("seed {seed}"), lines, shown);
}

fn compare(
    matrix: &Arc<Matrix>,
    name: &str,
    lines: impl Iterator<Item = String>,
    shown: &mut Shown,
) {
    let programs = programs(matrix);
    let mut deciders = programs.each_ref().map(Decider::new);
    let mut history = History::new(matrix);
    let mut scratch = Scratch::default();
    for json in lines {
        let now = Timestamp::UNIX_EPOCH;
        let Ok(event) = read(json.as_bytes(), &matrix.schema, &Limits::default(), now) else {
            continue;
        };
        shown.pairs += 1;
        let times = Times::of(&event);
        let wanted = Reference::new(matrix).decide(&event, &history, times);
        note(shown, &wanted);
        for (decider, program) in deciders.iter_mut().zip(&programs) {
            let decided = decider.decide(&event, &history, times);
            assert_eq!(decided, wanted, "{name}: {json}");
            check_outcome(program, &event, &json, &wanted, &mut scratch, shown);
        }
        Reference::new(matrix).decide_and_record(&event, &mut history, times);
    }
    shown.by_reference += deciders.iter().map(Decider::by_reference).sum::<u64>();
}

fn note(shown: &mut Shown, decision: &Decision) {
    shown.verdicts.insert(decision.verdict.as_str());
    let count = |state| decision.lanes.iter().filter(|l| l.state == state).count();
    shown.fired += count(State::Fired);
    shown.unsure += count(State::Unsure);
    shown.trial += decision.trial.len();
    shown.rules += decision.rules.len();
}

/// The quick answers say what the whole decision says.
fn check_outcome(
    program: &Program,
    event: &Event,
    json: &str,
    wanted: &Decision,
    scratch: &mut Scratch,
    shown: &mut Shown,
) {
    let kind = &program.kinds[event.kind.0 as usize];
    if !kind.measure_tests.is_empty() || kind.reference.is_some() {
        return;
    }
    let mut slots = Slots::default();
    if slots.fill(&program.layout, event).is_err() {
        return;
    }
    let Ok(outcome) = program.outcome(&slots, &[], &[], scratch) else {
        return;
    };
    shown.outcomes += 1;
    let by = outcome.name(&program.matrix);
    assert_eq!(
        (outcome.verdict, by),
        (wanted.verdict, wanted.by.as_str()),
        "lanes {:?}, entries {:#?}",
        wanted
            .lanes
            .iter()
            .map(|l| (&l.lane, l.state, l.urgency))
            .collect::<Vec<_>>(),
        kind.entries,
    );

    // The same from the bytes.
    let mut quick = Slots::default();
    let (limits, now) = (Limits::default(), Timestamp::UNIX_EPOCH);
    if quick
        .read(json.as_bytes(), &program.layout, &limits, now)
        .is_ok()
    {
        let again = program.outcome(&quick, json.as_bytes(), &[], scratch);
        assert_eq!(again, Ok(outcome), "{json}");
    }

    let all = program.attachments(&slots, &[], &[], scratch).unwrap();
    assert_eq!(all.outcome, outcome);
    if wanted.verdict == Verdict::Escalate {
        assert_eq!(all.meanwhile, wanted.meanwhile, "{wanted:#?}");
    }
    let mut lanes = BTreeSet::new();
    let mut rules = BTreeSet::new();
    for (hit, (what, state)) in all.hits.iter().zip(all.entries()) {
        match what {
            What::Lane(id) => {
                let lane = program.matrix.lane(id).unwrap();
                let on_trial = lane.is_on_trial(event.at());
                if hit.rank != Rank::NONE {
                    assert!(!on_trial);
                    lanes.insert((lane.name.clone(), state));
                }
                assert!(all.tests(hit).count() > 0 || hit.state == State::Fired);
            }
            What::Rule(id) => {
                let rule = &program.matrix.rules[id.index()];
                rules.insert((rule.name.clone(), state));
            }
        }
    }
    let own = |name: &str| program.matrix.lane_named(name).is_some();
    let listed = wanted.lanes.iter().filter(|lane| own(&lane.lane));
    let listed: BTreeSet<_> = listed.map(|l| (l.lane.clone(), l.state)).collect();
    assert_eq!(lanes, listed);
    let listed = wanted.rules.iter();
    let listed: BTreeSet<_> = listed.map(|r| (r.rule.clone(), r.state)).collect();
    assert_eq!(rules, listed);
}
