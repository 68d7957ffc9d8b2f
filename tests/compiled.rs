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

use std::collections::BTreeSet;
use std::sync::Arc;

use events::Events;
use generate::Plan;
use laneway::clock::Timestamp;
use laneway::compile::{Options, compile_with};
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

/// The two strategies: everything in an index, and nothing.
fn programs(matrix: &Arc<Matrix>) -> [Program; 2] {
    [0, usize::MAX].map(|straight| compile_with(matrix, Options { straight }))
}

#[test]
fn the_program_decides_as_the_reference_does() {
    let mut shown = Shown::default();
    let mut seed = 0;
    while shown.pairs < pairs() {
        let plan = Plan {
            lanes: 1..=if seed % 4 == 0 { 40 } else { 8 },
            measures: seed % 3 == 0,
            imports: false,
            messy: false,
            ..Plan::default()
        };
        let matrix = generate::matrix(seed, &plan).matrix();
        compare(&matrix, seed, &mut shown);
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
        share * 50.0
    );
    let least = shown.pairs / 50;
    assert!(shown.fired > least && shown.unsure > least && shown.rules > least);
    assert!(shown.trial > least / 10 && shown.outcomes > shown.pairs / 2);
    assert!(share < 0.02, "{share} of the events were not compiled");
}

fn compare(matrix: &Arc<Matrix>, seed: u64, shown: &mut Shown) {
    let programs = programs(matrix);
    let mut deciders = programs.each_ref().map(Decider::new);
    let mut events = Events::new(matrix, seed);
    let mut history = History::new(matrix);
    let mut scratch = Scratch::default();
    for _ in 0..60 {
        let json = events.any();
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
            assert_eq!(decided, wanted, "seed {seed}: {json}");
            check_outcome(program, &event, &wanted, &mut scratch, shown);
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
