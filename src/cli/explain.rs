//! `laneway explain`: how every lane and rule stands to one event, test by test.
//!
//! In: a matrix, and a stream of events of which one is explained. Out: the decision, the tree of
//! tests with what each saw, and for a lane that did not fire what blocked it.
//! Invariant: the events before the explained one are its history, as in `decide`; the decision
//! shown is the one that `decide` gives.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::decide::not_both_stdin;
use super::input::Input;
use super::screen::clean;
use super::shell::{Answer, Failure, Shell};
use crate::clock::Timestamp;
use crate::decision::{Decision, EventRef, Reason};
use crate::diagnostic::nearest;
use crate::event::{self, Event, Unreadable};
use crate::limits::Limits;
use crate::matrix::Matrix;
use crate::reference::{Explained, Explanation, History, Reference, Standing, Times};

mod tree;

/// Explain the decision on one event
///
/// The last event of the file is explained, unless another one is named; those before it are its
/// history.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix: a file, the folder of one, or - for standard input
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    #[command(flatten)]
    which: Which,
    /// Show only this lane, and the first tests that kept it from firing
    #[arg(long, value_name = "LANE")]
    why_not: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Which event of a stream.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// The event, alone or with others, one a line: a file, or - for standard input
    #[arg(value_name = "EVENT")]
    pub(super) event: PathBuf,
    /// Take the event in this line
    #[arg(long, value_name = "N", conflicts_with = "id")]
    line: Option<u64>,
    /// Take the first event with this id
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person: a tree of tests
    Text,
    /// For a program: one object
    Json,
}

/// Everything there is to say of one event.
#[derive(Debug, Serialize)]
pub(super) struct Answered {
    /// The line of the event.
    line: u64,
    #[serde(with = "crate::clock::rfc3339")]
    pub(super) at: Timestamp,
    /// How many events before it were counted.
    history: u64,
    pub(super) decision: Decision,
    /// Absent where the event cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explanation: Option<Explanation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<WhyNot>,
}

/// Why one lane does not fire.
#[derive(Debug, Serialize)]
struct WhyNot {
    lane: String,
    state: Standing,
    /// In one sentence.
    sentence: String,
    /// The first tests that block it.
    because: Vec<Reason>,
    /// What would have to be known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<String>,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    not_both_stdin(&args.matrix, &args.which.event)?;
    let (matrix, limits) = shell.matrix(&args.matrix)?;
    if let Some(lane) = &args.why_not {
        lane_exists(&matrix, lane)?;
    }
    let mut answered = search(&args.which, &matrix, &limits, shell)?;
    if let (Some(lane), Some(explanation)) = (&args.why_not, &answered.explanation) {
        answered.why_not = why_not(explanation, lane);
    }
    match args.format {
        Format::Text => tree::write(&mut shell.out, shell.paint, &matrix, &answered)?,
        Format::Json => {
            shell.json(&answered)?;
        }
    }
    Ok(Answer::Fine)
}

fn lane_exists(matrix: &Matrix, name: &str) -> Result<(), Failure> {
    if matrix.lane_named(name).is_some() {
        return Ok(());
    }
    if matrix.rules.iter().any(|rule| rule.name == name) {
        let message = format!("`{name}` is a rule; `--why-not` asks about a lane");
        return Err(Failure::Unusable(message));
    }
    let names = matrix.lanes.iter().map(|lane| lane.name.as_str());
    let hint = match nearest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has `{}`", names.collect::<Vec<_>>().join("`, `")),
    };
    let message = format!("no lane `{}` in the matrix; {hint}", clean(name));
    Err(Failure::Unusable(message))
}

fn why_not(explanation: &Explanation, lane: &str) -> Option<WhyNot> {
    let sentence = explanation.why_not(lane)?;
    let Explained {
        state,
        because,
        unknown,
        ..
    } = explanation.lane(lane)?.clone();
    Some(WhyNot {
        lane: lane.to_owned(),
        state,
        sentence,
        because,
        unknown,
    })
}

/// What a line gave.
type Given = Result<Event, Box<Unreadable>>;

/// An event that may be the one to explain.
struct Candidate {
    line: u64,
    event: Given,
}

/// Decides the events up to the one that is asked for, and explains that one.
pub(super) fn search(
    args: &Which,
    matrix: &Matrix,
    limits: &Limits,
    shell: &Shell,
) -> Result<Answered, Failure> {
    let mut input = Input::open(&args.event, limits)?;
    let mut past = Past::new(matrix);
    let mut held: Option<Candidate> = None;
    if args.line.is_none()
        && let Some(bytes) = input.whole_object()?
    {
        let event = event::read(&bytes, &matrix.schema, limits, shell.clock());
        let only = Candidate { line: 1, event };
        return found(args, only, &past);
    }
    while let Some(line) = input.next_line()? {
        let number = line.number;
        let event = line.event(&matrix.schema, limits, shell.clock());
        if let Some(before) = held.take() {
            past.record(&before.event);
        }
        let candidate = Candidate {
            line: number,
            event,
        };
        if is_asked_for(args, &candidate) {
            return found(args, candidate, &past);
        }
        held = Some(candidate);
    }
    match held {
        Some(last) => found(args, last, &past),
        None => Err(Failure::Unusable("there is no event to explain".to_owned())),
    }
}

fn is_asked_for(args: &Which, candidate: &Candidate) -> bool {
    let by_line = args.line == Some(candidate.line);
    by_line || args.id.is_some() && args.id.as_deref() == id(&candidate.event)
}

fn id(event: &Given) -> Option<&str> {
    match event {
        Ok(event) => event.id.as_deref(),
        Err(event) => event.id.as_deref(),
    }
}

/// Explains an event, if it is the one that was asked for.
fn found(args: &Which, candidate: Candidate, past: &Past<'_>) -> Result<Answered, Failure> {
    let asked = args.line.is_some() || args.id.is_some();
    if asked && !is_asked_for(args, &candidate) {
        let message = match (args.line, &args.id) {
            (Some(line), _) => format!("there is no event in line {line}"),
            (None, Some(id)) => format!("there is no event with the id `{}`", clean(id)),
            (None, None) => "there is no event to explain".to_owned(),
        };
        return Err(Failure::Unusable(message));
    }
    Ok(past.explain(candidate))
}

/// What happened before the event that is explained.
struct Past<'m> {
    reference: Reference<'m>,
    history: History,
    counted: u64,
}

impl<'m> Past<'m> {
    fn new(matrix: &'m Matrix) -> Self {
        Self {
            reference: Reference::new(matrix),
            history: History::new(matrix),
            counted: 0,
        }
    }

    fn record(&mut self, event: &Given) {
        if let Ok(event) = event {
            let times = Times::of(event);
            // Decided, because adjusts give an event its final values.
            let _ = self
                .reference
                .decide_and_record(event, &mut self.history, times);
            self.counted += 1;
        }
    }

    fn explain(&self, candidate: Candidate) -> Answered {
        let reference = &self.reference;
        let (at, mut decision, explanation) = match &candidate.event {
            Ok(event) => {
                let times = Times::of(event);
                let decision = reference.decide(event, &self.history, times);
                let explanation = reference.explain(event, &self.history, times);
                (event.at(), decision, Some(explanation))
            }
            Err(event) => (event.at, reference.decide_unreadable(event, event.at), None),
        };
        if decision.event == EventRef::None {
            decision.event = EventRef::Line(candidate.line);
        }
        Answered {
            line: candidate.line,
            at,
            history: self.counted,
            decision,
            explanation,
            why_not: None,
        }
    }
}
