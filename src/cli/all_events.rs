//! What all events show of a matrix that loads, as findings beside the others of `laneway check`.
//!
//! In: what was loaded, and how long it may take. Out: the findings among the others, and whether all was decided.
//! Invariant: it takes at most twice as long as it was given.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::analysis::{self, Analysis, Engine, Grade, Question};
use crate::check::Loaded;
use crate::clock::Duration;
use crate::diagnostic::{Diagnostic, Diagnostics, codes};
use crate::matrix::Matrix;
use crate::span::{FileId, Span};

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown {
    /// How many findings were added.
    pub(super) findings: usize,
    /// Why some question was not decided, if one was not.
    pub(super) undecided: Option<Why>,
}

/// Why a question was not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The time was up.
    Late,
    /// The analysis is not exact there, whatever its time.
    Inexact,
}

/// Adds what all events show; nothing of a matrix that has an error.
pub(super) fn add(loaded: &mut Loaded, budget: Duration) -> Shown {
    let sound = loaded.matrix.as_ref();
    let Some(matrix) = sound.filter(|_| !loaded.diagnostics.has_errors()) else {
        return Shown::default();
    };
    let budget = std::time::Duration::from_millis(budget.as_millis());
    let end = Instant::now() + budget;
    let Some(analysis) = asked(matrix, budget, end) else {
        return Shown {
            findings: 0,
            undecided: Some(Why::Late),
        };
    };
    let why = match Instant::now() >= end {
        true => Why::Late,
        false => Why::Inexact,
    };
    let found = analysis::diagnose(&analysis);
    let findings = found.len();
    let mut shown = Diagnostics::default();
    shown.extend(found);
    if knows_adjusts(&analysis) {
        // The lint guesses from the texts what is known by now.
        loaded.diagnostics.remove(codes::ADJUSTS_CLASH);
    }
    if shown.dropped() > 0 {
        let message = format!(
            "{} more findings about all events are not shown",
            shown.dropped()
        );
        let start = Span::new(FileId(0), 0..0);
        shown.push(Diagnostic::new(codes::MORE_FINDINGS, start, message));
    }
    loaded.diagnostics.append(shown);
    loaded.diagnostics.finish();
    Shown {
        findings,
        undecided: analysis.is_undecided().then_some(why),
    }
}

/// Asks all questions whose answers are mistakes; nothing if that takes far longer than it may.
fn asked(matrix: &Arc<Matrix>, budget: std::time::Duration, end: Instant) -> Option<Analysis> {
    if budget.is_zero() {
        return None;
    }
    let patience = move || -> Box<dyn Fn() -> bool> { Box::new(move || Instant::now() >= end) };
    let (sender, receiver) = mpsc::channel();
    let matrix = Arc::clone(matrix);
    let ask = move || {
        let analysis = analysis::ask(&matrix, &Question::FINDINGS, Engine::Either, &patience);
        // Nobody listens any more to what comes too late.
        let _ = sender.send(analysis);
    };
    // What is asked looks at the clock between steps, and not in all of them: it may be late, and is then left alone.
    thread::Builder::new().stack_size(STACK).spawn(ask).ok()?;
    receiver.recv_timeout(budget * 2).ok()
}

/// Bytes of stack, as many as the first thread of a process has on Linux.
const STACK: usize = 8 << 20;

/// Whether it was decided of all adjusts whether they clash.
fn knows_adjusts(analysis: &Analysis) -> bool {
    let mut unknown = analysis.answers.iter();
    !unknown.any(|it| it.question == Question::Adjusts && it.grade == Grade::NotDecided)
}
