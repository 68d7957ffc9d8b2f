//! What each counter answers wrong.
//!
//! In: streams with one kind of trouble each. Out: of each counter, stream and measure how often it
//! said no where it is yes, and yes where it is no.
//! Invariant: Laneway is never wrong, and is unsure only where a call came too late.

use super::call::{Answer, Call, MEASURES, Said};
use super::counters::{Counter, buckets, exact, laneway};
use super::stream::{BOUNDS, TROUBLES, Trouble};
use super::truth;
use crate::arguments::Arguments;

/// How often a counter is wrong about a measure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wrong {
    pub missed: usize,
    pub false_alarms: usize,
    /// It says that it does not know.
    pub unsure: usize,
}

/// Of each measure; nothing where it has none.
pub type Row = [Option<Wrong>; 3];

pub struct Answers {
    /// Of each stream how many calls it has, and on how many each measure is exceeded.
    pub streams: Vec<(Trouble, usize, [usize; 3])>,
    /// Of each counter a row for each stream.
    pub rows: Vec<(&'static str, Vec<Row>)>,
}

/// A stream and what is true of it.
struct Case {
    trouble: Trouble,
    calls: Vec<Call>,
    truth: Vec<Answer>,
}

pub fn all(arguments: &Arguments) -> Answers {
    let case = |trouble: Trouble| {
        let calls = trouble.stream();
        let truth = truth::answers(&BOUNDS, &calls);
        Case {
            trouble,
            calls,
            truth,
        }
    };
    let cases: Vec<Case> = TROUBLES.into_iter().map(case).collect();
    let mut rows = vec![laneway(&cases)];
    let mut wants = Wants {
        arguments,
        cases: &cases,
        rows: &mut rows,
    };
    wants.row(|| exact::Exact::new(BOUNDS));
    wants.row(|| buckets::Buckets::new(BOUNDS));
    #[cfg(feature = "governor")]
    wants.row(|| super::counters::governor::Governor::new(BOUNDS));
    #[cfg(feature = "limitador")]
    wants.row(|| super::counters::limitador::Played::new(BOUNDS));
    #[cfg(feature = "rust-rule-engine")]
    wants.row(|| super::counters::rule_engine::RuleEngine::new(BOUNDS));
    #[cfg(feature = "differential-dataflow")]
    wants.row(|| super::counters::differential::Differential::new(BOUNDS));
    let exceeded = |case: &Case, measure: usize| {
        let answers = case.truth.iter().map(|answer| answer[measure]);
        answers.filter(|said| *said == Said::Yes).count()
    };
    let streams = cases.iter().map(|case| {
        let exceeded = [0, 1, 2].map(|measure| exceeded(case, measure));
        (case.trouble, case.calls.len(), exceeded)
    });
    Answers {
        streams: streams.collect(),
        rows,
    }
}

struct Wants<'a> {
    arguments: &'a Arguments,
    cases: &'a [Case],
    rows: &'a mut Vec<(&'static str, Vec<Row>)>,
}

impl Wants<'_> {
    fn row<C: Counter>(&mut self, make: impl Fn() -> C) {
        if !C::IS_PEER || self.arguments.wants(C::NAME) {
            let played = self.cases.iter().map(|case| play(make(), case));
            self.rows.push((C::NAME, played.collect()));
        }
    }
}

/// Plays a stream to a counter that has seen nothing yet.
fn play<C: Counter>(mut counter: C, case: &Case) -> Row {
    eprintln!("{}: {}", C::NAME, case.trouble.name());
    let mut row: Row = [Some(Wrong::default()); 3];
    let mut prepared: Vec<C::Prepared> = Vec::new();
    for call in &case.calls {
        let mut one = C::Prepared::default();
        counter.prepare(call, &mut one);
        prepared.push(one);
    }
    for (call, truth) in prepared.iter_mut().zip(&case.truth) {
        let answer = counter.observe(call);
        for ((wrong, said), truth) in row.iter_mut().zip(answer).zip(truth) {
            let Some(tally) = wrong else { continue };
            match (said, truth) {
                (Said::Cannot, _) => *wrong = None,
                (Said::Unsure, _) => tally.unsure += 1,
                (Said::No, Said::Yes) => tally.missed += 1,
                (Said::Yes, Said::No) => tally.false_alarms += 1,
                _ => {}
            }
        }
    }
    row
}

/// Asserts what the invariant says.
fn laneway(cases: &[Case]) -> (&'static str, Vec<Row>) {
    let mut rows = Vec::new();
    for case in cases {
        let (router, beside) = (laneway::router(BOUNDS), laneway::router(BOUNDS));
        let row = play(laneway::Decisions::new(&router, &beside), case);
        let place = case.trouble.name();
        for (measure, wrong) in MEASURES.iter().zip(row) {
            let wrong = wrong.expect("it has all measures");
            assert_eq!(
                (wrong.missed, wrong.false_alarms),
                (0, 0),
                "{measure}, {place}"
            );
            let may_be_unsure = case.trouble == Trouble::TooLate;
            assert!(wrong.unsure == 0 || may_be_unsure, "{measure}, {place}");
        }
        rows.push(row);
    }
    (laneway::Laneway::NAME, rows)
}
