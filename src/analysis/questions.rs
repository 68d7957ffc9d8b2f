//! The questions, one function each.
//!
//! In: a matrix. Out: answers, in the order of questions and lanes.
//! Invariant: each kind is asked about by itself, because an event is of one kind; each question has a budget of its
//! own.

use crate::clock::Timestamp;
use crate::decision::Decision;
use crate::event::Event;
use crate::matrix::{Effect, Lane, Matrix, Record, Unsure};
use crate::reference::{History, Reference, Times};
use crate::schema::Kind;
use crate::span::Span;

use super::cube::Cube;
use super::space::{At, Chosen, Node, Point, Rails, Space};
use super::ways::{Budget, Exhausted, ways};
use super::{Analysis, Answer, Grade, Question, Witness, example};

mod conflict;
mod dead;
mod gap;
mod promise;
mod shadowed;

/// Gives what says that the time of the next question is up.
type Patience<'p> = &'p dyn Fn() -> Box<dyn Fn() -> bool>;

/// Asks everything.
pub(super) fn all(matrix: &Matrix, patience: Patience<'_>) -> Analysis {
    let kinds = matrix.schema.kinds().iter();
    let kinds: Vec<OfKind<'_>> = kinds
        .map(|kind| OfKind::new(matrix, kind, patience))
        .collect();
    let asked = Asked {
        matrix,
        kinds,
        patience,
    };
    let mut answers = Vec::new();
    asked.dead(&mut answers);
    asked.shadowed(&mut answers);
    asked.conflicts(&mut answers);
    asked.promises(&mut answers);
    asked.gaps(&mut answers);
    Analysis { answers }
}

/// The ways of something, or that there are too many.
type Ways = Result<Vec<Cube>, Exhausted>;

/// A matrix as events of one kind come to it.
struct OfKind<'m> {
    kind: &'m Kind,
    space: Space<'m>,
    /// By lane: where it is not surely silent; empty for one that does not look at this kind.
    reaches: Vec<Ways>,
    /// By lane: where it brings a sign-off.
    attaches: Vec<Ways>,
    /// By rule: where it surely applies, and where it is not ruled out.
    applies: Vec<(Ways, Ways)>,
    /// Where an `always deny` decides.
    denied: Ways,
    /// Where a lane denies because it is unsure.
    denied_unsure: Ways,
}

impl<'m> OfKind<'m> {
    fn new(matrix: &'m Matrix, kind: &'m Kind, patience: Patience<'_>) -> Self {
        let space = Space::new(matrix, kind);
        let of = |node: &Node| {
            let over = patience();
            ways(&space, node, &Budget::new(&*over))
        };
        let lanes = matrix
            .lanes
            .iter()
            .map(|lane| match lane.on.contains(&kind.id) {
                false => Rails::never(),
                true => trigger(&space, 0, lane),
            });
        let mut reaches = Vec::new();
        let mut attaches = Vec::new();
        let mut denied_unsure: Ways = Ok(Vec::new());
        for (lane, rails) in matrix.lanes.iter().zip(lanes) {
            if lane.unsure == Unsure::Deny && lane.trial.is_none() {
                let unsure = Node::all(vec![rails.maybe.clone(), space.not(&rails.yes)]);
                denied_unsure = both(denied_unsure, &of(&unsure));
            }
            reaches.push(of(&rails.maybe));
            attaches.push(match lane.unsure {
                Unsure::Escalate => of(&rails.maybe),
                Unsure::Deny | Unsure::Skip(_) => of(&rails.yes),
            });
        }
        let mut applies = Vec::new();
        let mut denied: Ways = Ok(Vec::new());
        for rule in &matrix.rules {
            let rails = match rule.on.contains(&kind.id) {
                false => Rails::never(),
                true => space.rails(0, &rule.when),
            };
            let (yes, maybe) = (of(&rails.yes), of(&rails.maybe));
            if rule.effect == Effect::Deny {
                // One that is not ruled out asks as `unreadable` does, which may be to deny.
                let denies = if matrix.unreadable.is_none() {
                    &maybe
                } else {
                    &yes
                };
                denied = both(denied, denies);
            }
            applies.push((yes, maybe));
        }
        Self {
            kind,
            space,
            reaches,
            attaches,
            applies,
            denied,
            denied_unsure,
        }
    }

    /// Where an `always deny` is not ruled out, and asks as `unreadable` does.
    fn ruled_by_unreadable(&self, matrix: &Matrix) -> Ways {
        let rules = matrix.rules.iter().zip(&self.applies);
        let mut all: Ways = Ok(Vec::new());
        for (_, (_, maybe)) in rules.filter(|(rule, _)| rule.effect == Effect::Deny) {
            all = both(all, maybe);
        }
        all
    }

    /// Says what is impossible, where the dimensions show all that is possible.
    fn impossible(&self) -> Grade {
        match self.space.is_exact() {
            true => Grade::Proved,
            false => Grade::NotDecided,
        }
    }
}

fn both(one: Ways, other: &Ways) -> Ways {
    let mut all = one?;
    all.extend(
        other
            .as_ref()
            .map_err(|exhausted| *exhausted)?
            .iter()
            .cloned(),
    );
    Ok(all)
}

/// `when and not unless`.
pub(super) fn trigger(space: &Space<'_>, side: At, lane: &Lane) -> Rails {
    let when = space.rails(side, &lane.when);
    let Some(unless) = &lane.unless else {
        return when;
    };
    let other = space.negated(&space.rails(side, unless));
    Rails {
        yes: Node::all(vec![when.yes, other.yes]),
        maybe: Node::all(vec![when.maybe, other.maybe]),
    }
}

/// What is asked of one matrix.
struct Asked<'m, 'p> {
    matrix: &'m Matrix,
    kinds: Vec<OfKind<'m>>,
    patience: Patience<'p>,
}

/// An event, and what was decided on it.
struct Shown {
    record: Record,
    at: Timestamp,
    decision: Decision,
}

impl Asked<'_, '_> {
    /// What the evaluator says of an event, without a history.
    fn decide(&self, kind: &OfKind<'_>, point: &Point) -> Option<Shown> {
        let event: Event = kind.space.event(0, point)?;
        let history = History::new(self.matrix);
        let decision = Reference::new(self.matrix).decide(&event, &history, Times::of(&event));
        Some(Shown {
            record: kind.space.record(0, point)?,
            at: point.at,
            decision,
        })
    }

    /// An event of a cube, if the evaluator says of it what it should.
    fn show(
        &self,
        kind: &OfKind<'_>,
        cube: &Cube,
        is_so: &dyn Fn(&Shown) -> bool,
    ) -> Option<Shown> {
        match kind.space.choose(cube) {
            Chosen::Some(point) => self.decide(kind, &point).filter(is_so),
            Chosen::None | Chosen::Unknown => None,
        }
    }

    fn witness(&self, shown: Shown, title: &str) -> Witness {
        let Shown {
            record,
            at,
            decision,
        } = shown;
        Witness {
            line: example::scenario(self.matrix, &record, at, title, &decision),
            record,
            at,
            decision,
        }
    }
}

fn answer<'n, N: AsRef<str> + ?Sized + 'n>(
    question: Question,
    about: impl IntoIterator<Item = &'n N>,
    span: Span,
    message: String,
    grade: Grade,
) -> Answer {
    Answer {
        question,
        about: about
            .into_iter()
            .map(|name| name.as_ref().to_owned())
            .collect(),
        span,
        message,
        grade,
        witness: None,
    }
}
