//! What a matrix will do to every event: which lanes can never fire, which are hidden, which contradict each other,
//! which promises do not hold, which events reach nobody.
//!
//! In: a checked matrix. Out: findings and reports, each with an event that shows it.
//! Invariant: what is called impossible is so for every event; what is called possible carries an event that the
//! matcher confirmed, or says that it does not; what was not finished is not called either.
//! Reads no clock: whoever asks says when the time is up.
//!
//! To be read in this order: sets of regions (`set`), events as cubes of them (`cube`), how fields are cut into
//! regions and triggers become nodes (`space`), nodes as cubes (`ways`) and as clauses (`sat`), whether an event is in them (`prover`), the questions (`questions`), two
//! matrices (`diff`).

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::decision::{Decision, Verdict};
use crate::matrix::{Before, Matrix, Record};
use crate::span::Span;

mod cube;
mod diagnose;
mod diff;
mod events;
mod example;
mod prover;
mod questions;
mod same;
mod sat;
mod set;
mod shown;
mod space;
mod ways;

use shown::Shown;

pub(crate) use events::firing;
pub(crate) use same::same;

pub use diagnose::diagnose;
pub use diff::{Change, Changed, Diff, Direction, diff, diff_by};

/// What is asked about a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Question {
    /// A lane can neither fire nor be unsure, or a rule never applies.
    Dead,
    /// A lane attaches only where an `always deny` decides.
    Shadowed,
    /// Two lanes attach together whose ends contradict each other.
    Conflict,
    /// A promise does not hold.
    Promise,
    /// A part of a trigger changes nothing.
    Unreachable,
    /// Two adjusts can set one path differently.
    Adjusts,
    /// Events that reach `otherwise`.
    Gap,
    /// Optional fields that can make a lane unsure.
    Unsure,
    /// A lane that attaches always behind another one.
    NeverPrimary,
    /// Lanes that attach together, without a contradiction.
    Overlap,
}

impl Question {
    /// Whose answers are mistakes.
    pub const FINDINGS: [Self; 6] = [
        Self::Dead,
        Self::Shadowed,
        Self::Conflict,
        Self::Promise,
        Self::Unreachable,
        Self::Adjusts,
    ];

    /// All.
    pub const ALL: [Self; 10] = [
        Self::Dead,
        Self::Shadowed,
        Self::Conflict,
        Self::Promise,
        Self::Unreachable,
        Self::Adjusts,
        Self::Gap,
        Self::Unsure,
        Self::NeverPrimary,
        Self::Overlap,
    ];

    /// Whether an answer is a mistake, and not only something to know.
    #[must_use]
    pub fn is_finding(self) -> bool {
        Self::FINDINGS.contains(&self)
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Shadowed => "shadowed",
            Self::Conflict => "conflict",
            Self::Promise => "promise",
            Self::Unreachable => "unreachable",
            Self::Adjusts => "adjusts",
            Self::Gap => "gap",
            Self::Unsure => "unsure",
            Self::NeverPrimary => "never primary",
            Self::Overlap => "overlap",
        }
    }
}

/// What answers. Each is held against the other; to ask for one is for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// Sets of values of each field, cut into each other.
    Boxes,
    /// Clauses, for a solver.
    Clauses,
    /// The first one, and where it takes long the second.
    #[default]
    Either,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// For every event.
    Proved,
    /// By an event that the evaluator confirmed.
    Confirmed,
    /// Possible by the tests of the matrix, and not confirmed: measures are to have amounts, and no earlier events
    /// were found that give them.
    NotConfirmed,
    /// Not finished in time, or not exact.
    NotDecided,
}

impl Grade {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Confirmed => "confirmed",
            Self::NotConfirmed => "possible, not confirmed",
            Self::NotDecided => "not decided",
        }
    }
}

/// An event that shows an answer. The matcher was asked whether it does; its whole decision is made when it is read.
#[derive(Debug, Clone)]
pub struct Witness {
    shown: Arc<Shown>,
    title: String,
}

impl Witness {
    fn new(shown: Arc<Shown>, title: String) -> Self {
        Self { shown, title }
    }

    /// Its values.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.shown.record
    }

    /// When it happens.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.shown.at
    }

    /// What has to have happened before it, where a measure is to have an amount.
    #[must_use]
    pub fn before(&self) -> Option<&Before> {
        self.shown.before()
    }

    /// What is decided on it.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        self.shown.decision()
    }

    /// An example or a scenario to put into the matrix.
    #[must_use]
    pub fn line(&self) -> String {
        example::scenario(&self.shown, &self.title)
    }
}

/// An answer that is worth telling.
#[derive(Debug, Clone)]
pub struct Answer {
    /// To what.
    pub question: Question,
    /// The lanes and rules that it is about, by their names.
    pub about: Vec<String>,
    /// Where the first of them stands.
    pub span: Span,
    /// What is so, in one sentence.
    pub message: String,
    /// How sure it is.
    pub grade: Grade,
    /// The event that shows it, where there is one.
    pub witness: Option<Witness>,
}

/// All answers.
#[derive(Debug, Clone, Default)]
pub struct Analysis {
    /// In the order of questions, then of lanes.
    pub answers: Vec<Answer>,
}

impl Analysis {
    /// The answers that are mistakes. What was not decided is none.
    pub fn findings(&self) -> impl Iterator<Item = &Answer> {
        let answers = self.answers.iter();
        answers.filter(|it| it.question.is_finding() && it.grade != Grade::NotDecided)
    }

    /// Whether a question was not finished.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        self.answers.iter().any(|it| it.grade == Grade::NotDecided)
    }
}

/// Asks everything. `patience` gives for each question what says that its time is up.
#[must_use]
pub fn analyze(matrix: &Arc<Matrix>, patience: &dyn Fn() -> Box<dyn Fn() -> bool>) -> Analysis {
    ask(matrix, &Question::ALL, Engine::Either, patience)
}

/// Asks some questions of one engine. `patience` as for [`analyze`].
#[must_use]
pub fn ask(
    matrix: &Arc<Matrix>,
    about: &[Question],
    engine: Engine,
    patience: &dyn Fn() -> Box<dyn Fn() -> bool>,
) -> Analysis {
    questions::ask(matrix, about, engine, patience)
}

/// The verdict of a decision, and by what.
fn came(decision: &Decision) -> (Verdict, &str) {
    (decision.verdict, &decision.by)
}
