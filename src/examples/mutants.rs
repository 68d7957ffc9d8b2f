//! Mutants: a matrix changed by one step, and whether its examples notice.
//!
//! In: a checked matrix whose examples and scenarios pass. Out: each mutant with what came of it.
//! Invariant: a mutant is missed unless a case fails with it or it is proved to demand the same of every event,
//! whatever happened before. What is not decided is missed.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::edits::{Edit, edits};
use super::line::{Happening, Line};
use super::near;
use crate::analysis::{diff, firing, same};
use crate::cases::run;
use crate::check::{Options, check};
use crate::matrix::{Lane, Matrix};
use crate::parallel;
use crate::span::{LineColumn, Span};

/// A matrix with what it was read from.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    /// The matrix. Its cases pass.
    pub matrix: &'a Arc<Matrix>,
    /// The path by which the check asked for each of its files, in the order of [`Matrix::sources`].
    pub paths: &'a [String],
    /// How it was checked.
    pub options: &'a Options,
}

/// A matrix changed by one step.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// Where it is changed.
    pub span: Span,
    /// What is replaced in the text, which may be more than what is changed.
    pub replaced: Span,
    /// By what.
    pub by: String,
    /// In which lane, rule, condition or list: `lane financial_risk`.
    pub of: String,
    /// What stood there.
    pub was: String,
    /// What stands there; nothing where it was left out.
    pub is: Option<String>,
    /// What came of it.
    pub came: Came,
}

/// What came of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It does not load.
    NotValid,
    /// A case fails with it: the title of the first.
    Caught(String),
    /// It is proved to demand the same of every event.
    Same,
    /// No case fails with it. The line would, if one was found; else it is not known whether the mutant matters.
    Missed(Option<Line>),
}

impl Mutant {
    /// Where it is changed, as a person counts.
    #[must_use]
    pub fn place(&self, matrix: &Matrix) -> LineColumn {
        matrix.sources.start(self.span)
    }
}

/// Gives what says that the time of the next question is up.
pub type Patience<'p> = &'p (dyn Fn() -> Box<dyn Fn() -> bool> + Sync);

/// Every mutant, in the order of the text, with what came of it. `told` hears how many are done, of how many.
#[must_use]
pub fn mutants(
    original: Original<'_>,
    patience: Patience<'_>,
    told: &mut dyn FnMut(usize, usize),
) -> Vec<Mutant> {
    let Original {
        matrix,
        paths,
        options,
    } = original;
    let edits = edits(matrix, &options.limits);
    let files = matrix.sources.iter().zip(paths);
    let work = Work {
        original,
        texts: files
            .map(|((_, source), path)| (path.clone(), source.text().to_owned()))
            .collect(),
        firing: matrix
            .lanes
            .iter()
            .map(|lane| firing_of(matrix, lane, patience))
            .collect(),
        patience,
    };
    let all = edits.len();
    let mut left = edits.into_iter();
    let mut mutants = Vec::with_capacity(all);
    let done: Result<(), Infallible> = parallel::stream(
        parallel::cores(),
        || Ok(left.next()),
        || (),
        |(), edit| work.mutant(edit),
        |mutant| {
            mutants.push(mutant);
            told(mutants.len(), all);
            Ok(ControlFlow::Continue(()))
        },
    );
    match done {
        Ok(()) => mutants,
    }
}

fn firing_of(matrix: &Matrix, lane: &Lane, patience: Patience<'_>) -> Vec<Happening> {
    let events = firing(matrix, lane, &|| patience());
    let events = events.iter();
    events
        .map(|(record, _)| Happening::plain(matrix, record).without_at())
        .collect()
}

/// What all mutants share.
struct Work<'a> {
    original: Original<'a>,
    /// By the path of the file.
    texts: BTreeMap<String, String>,
    /// Events that each lane fires for, by the analysis.
    firing: Vec<Vec<Happening>>,
    patience: Patience<'a>,
}

impl Work<'_> {
    fn mutant(&self, edit: Edit) -> Mutant {
        let came = self.came(&edit);
        Mutant {
            span: edit.place,
            replaced: edit.span,
            by: edit.text,
            of: edit.of,
            was: edit.was,
            is: edit.is,
            came: came.unwrap_or(Came::NotValid),
        }
    }

    /// What comes of an edit; nothing where it does not load.
    fn came(&self, edit: &Edit) -> Option<Came> {
        let Original {
            matrix,
            paths,
            options,
        } = self.original;
        let (file, text) = edit.apply(matrix)?;
        let mut texts = self.texts.clone();
        texts.insert(paths.get(file.0 as usize)?.clone(), text);
        let loaded = check(&texts, paths.first()?, options);
        let mutant = loaded.into_matrix().ok()?;
        let examples = mutant.lanes.iter().flat_map(|lane| &lane.examples);
        let mut cases = examples.chain(&mutant.scenarios);
        if let Some(case) = cases.find(|case| !run(&mutant, case).passed) {
            return Some(Came::Caught(case.title.clone()));
        }
        Some(self.survived(edit, &mutant))
    }

    fn survived(&self, edit: &Edit, mutant: &Arc<Matrix>) -> Came {
        let old = self.original.matrix;
        if same(old, mutant, &|| (self.patience)()) {
            return Came::Same;
        }
        let known = self.known(edit);
        let line = near::telling(old, mutant, &known).or_else(|| {
            let diff = diff(old, mutant, &|| (self.patience)());
            let mut changed = diff.changed.iter();
            changed.find_map(|changed| {
                // Only conditions differ: fields have the same ids on both sides.
                let event = Happening::plain(old, changed.witness.record()).without_at();
                near::tells_in_short(old, mutant, &event)
            })
        });
        Came::Missed(line)
    }

    /// Events to look around: those of the lane that is changed first, else of all.
    fn known(&self, edit: &Edit) -> Vec<Happening> {
        let matrix = self.original.matrix;
        let lanes = || matrix.lanes.iter().zip(&self.firing);
        let is_own = |lane: &Lane| edit.of.strip_prefix("lane ") == Some(&*lane.name);
        let own = lanes().filter(|(lane, _)| is_own(lane));
        let others = lanes().filter(|(lane, _)| !is_own(lane));
        let of_lane = |(lane, firing): (&Lane, &Vec<Happening>)| {
            let known = near::known(matrix, lane);
            known.into_iter().chain(firing.clone()).collect::<Vec<_>>()
        };
        let scenarios = matrix.scenarios.iter().map(Happening::of);
        let own = own.flat_map(of_lane).chain(scenarios);
        let mut all: Vec<Happening> = Vec::new();
        for event in own.chain(others.flat_map(of_lane)) {
            if !all.iter().any(|known| known.is_like(&event)) {
                all.push(event);
            }
        }
        all
    }
}
