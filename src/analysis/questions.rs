//! The questions, one function each.
//!
//! In: a matrix. Out: answers, in the order of questions and lanes.
//! Invariant: each kind is asked about by itself, because an event is of one kind; each question has a budget of its
//! own.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use crate::matrix::{Effect, Expr, Lane, Matrix, Rule, Unsure};
use crate::router::Router;
use crate::schema::Kind;
use crate::span::Span;

use super::prover::{Part, Prover};
use super::shown::{self, Shown};
use super::space::{At, Node, Point, Rails, Space, With};
use super::ways::{Budget, Outside};
use adjusted::Adjusted;

use super::{Analysis, Answer, Engine, Grade, Question, Witness};

mod adjusted;
mod adjusts;
mod conflict;
mod dead;
mod gap;
mod overlap;
mod pairs;
mod primary;
mod promise;
mod shadowed;
mod unreachable;
mod unsure;

/// Gives what says that the time of the next question is up.
pub(super) type Patience<'p> = &'p dyn Fn() -> Box<dyn Fn() -> bool>;

/// Asks some of the questions.
pub(super) fn ask(
    matrix: &Arc<Matrix>,
    questions: &[Question],
    engine: Engine,
    patience: Patience<'_>,
) -> Analysis {
    let kinds = matrix.schema.kinds().iter();
    let kinds = kinds.map(|kind| OfKind::new(matrix, kind, engine));
    let asked = Asked {
        matrix,
        kinds: kinds.collect(),
        router: OnceCell::new(),
        patience,
    };
    let mut answers = Vec::new();
    for question in questions {
        match question {
            Question::Dead => asked.dead(&mut answers),
            Question::Shadowed => asked.shadowed(&mut answers),
            Question::Conflict => asked.conflicts(&mut answers),
            Question::Promise => asked.promises(&mut answers),
            Question::Unreachable => asked.unreachable(&mut answers),
            Question::Adjusts => asked.adjusts(&mut answers),
            Question::Gap => asked.gaps(&mut answers),
            Question::Unsure => asked.unsure(&mut answers),
            Question::NeverPrimary => asked.never_primary(&mut answers),
            Question::Overlap => asked.overlaps(&mut answers),
        }
    }
    Analysis { answers }
}

/// A lane as events of a kind come to it.
struct OfLane {
    /// Where it surely fires.
    fires: Part,
    /// Where it is not surely silent.
    reaches: Part,
    /// Where it is neither.
    unsure: OnceCell<Part>,
}

impl OfLane {
    fn unsure(&self, prover: &Prover<'_>) -> &Part {
        self.unsure.get_or_init(|| {
            let (yes, maybe) = (&self.fires.node, &self.reaches.node);
            prover.part(match yes == maybe {
                true => Node::Is(false),
                false => Node::all(vec![maybe.clone(), prover.space.not(yes)]),
            })
        })
    }
}

/// A rule as events of a kind come to it.
struct OfRule {
    /// Where it surely applies.
    applies: Part,
    /// Where it is not ruled out.
    possible: Part,
}

/// A matrix as events of one kind come to it.
struct OfKind<'m> {
    kind: &'m Kind,
    prover: Prover<'m>,
    /// By lane: nothing for one that does not look at this kind.
    lanes: Vec<Option<OfLane>>,
    /// By rule.
    rules: Vec<Option<OfRule>>,
    /// What becomes of events that are adjusted; nothing where that is not known.
    adjusted: OnceCell<Option<Vec<Adjusted>>>,
}

impl<'m> OfKind<'m> {
    fn new(matrix: &'m Matrix, kind: &'m Kind, engine: Engine) -> Self {
        let prover = Prover::new(Space::new(matrix, kind), engine);
        let space = &prover.space;
        let lanes = matrix.lanes.iter().map(|lane| {
            lane.on.contains(&kind.id).then(|| {
                let Rails { yes, maybe } = trigger(space, 0, lane);
                OfLane {
                    fires: prover.part(yes),
                    reaches: prover.part(maybe),
                    unsure: OnceCell::new(),
                }
            })
        });
        let rules = matrix.rules.iter().map(|rule| {
            rule.on.contains(&kind.id).then(|| {
                let Rails { yes, maybe } = space.rails(0, &rule.when);
                OfRule {
                    applies: prover.part(yes),
                    possible: prover.part(maybe),
                }
            })
        });
        let (lanes, rules) = (lanes.collect(), rules.collect());
        Self {
            kind,
            lanes,
            rules,
            adjusted: OnceCell::new(),
            prover,
        }
    }

    /// The lanes that look at this kind.
    fn lanes<'k>(&'k self, matrix: &'k Matrix) -> impl Iterator<Item = (&'k Lane, &'k OfLane)> {
        let lanes = matrix.lanes.iter().zip(&self.lanes);
        lanes.filter_map(|(lane, of)| Some((lane, of.as_ref()?)))
    }

    /// The rules that look at this kind.
    fn rules<'k>(&'k self, matrix: &'k Matrix) -> impl Iterator<Item = (&'k Rule, &'k OfRule)> {
        let rules = matrix.rules.iter().zip(&self.rules);
        rules.filter_map(|(rule, of)| Some((rule, of.as_ref()?)))
    }

    /// Where rules of an effect surely apply.
    fn applying<'k>(
        &'k self,
        matrix: &'k Matrix,
        is: impl Fn(&Effect) -> bool + 'k,
    ) -> impl Iterator<Item = &'k Part> {
        let rules = self.rules(matrix).filter(move |(rule, _)| is(&rule.effect));
        rules.map(|(_, of)| &of.applies)
    }

    /// Where adjusts surely apply.
    fn adjusting<'k>(&'k self, matrix: &'k Matrix) -> impl Iterator<Item = &'k Part> {
        self.applying(matrix, |effect| matches!(effect, Effect::Adjust(_)))
    }

    /// Where an `always deny` decides.
    fn denied<'k>(&'k self, matrix: &'k Matrix) -> Vec<&'k Part> {
        let rules = self.rules(matrix);
        let rules = rules.filter(|(rule, _)| rule.effect == Effect::Deny);
        // One that is not ruled out asks as `unreadable` does, which may be to deny.
        let denies = rules.map(|(_, of)| match matrix.unreadable {
            None => &of.possible,
            Some(_) => &of.applies,
        });
        denies.collect()
    }

    /// Where a lane denies because it is unsure.
    fn denied_unsure<'k>(&'k self, matrix: &'k Matrix) -> Vec<&'k Part> {
        let lanes = self.lanes(matrix);
        let lanes = lanes.filter(|(lane, _)| lane.unsure == Unsure::Deny && lane.trial.is_none());
        lanes.map(|(_, of)| of.unsure(&self.prover)).collect()
    }

    /// Where a lane brings a sign-off, of those that are not on trial.
    fn attaching<'k>(&'k self, matrix: &'k Matrix) -> Vec<(&'k Lane, &'k Part)> {
        let lanes = self.lanes(matrix);
        let lanes = lanes.filter(|(lane, _)| lane.trial.is_none());
        lanes.map(|(lane, of)| (lane, attaches(lane, of))).collect()
    }

    /// Where an `always deny` is not ruled out, and asks as `unreadable` does.
    fn ruled_by_unreadable<'k>(&'k self, matrix: &'k Matrix) -> Vec<&'k Part> {
        let rules = self.rules(matrix);
        let rules = rules.filter(|(rule, _)| rule.effect == Effect::Deny);
        rules.map(|(_, of)| &of.possible).collect()
    }
}

/// Where a lane brings a sign-off.
fn attaches<'l>(lane: &Lane, of: &'l OfLane) -> &'l Part {
    match lane.unsure {
        Unsure::Escalate => &of.reaches,
        Unsure::Deny | Unsure::Skip(_) => &of.fires,
    }
}

/// `when and not unless` of a lane.
pub(super) fn trigger(space: &Space<'_>, side: At, lane: &Lane) -> Rails {
    trigger_with(space, side, &lane.when, lane.unless.as_ref(), With::AsIs)
}

/// The same, where something of it is otherwise.
pub(super) fn trigger_with(
    space: &Space<'_>,
    side: At,
    when: &Expr,
    unless: Option<&Expr>,
    with: With<'_>,
) -> Rails {
    let when = space.rails_with(side, when, with);
    let Some(unless) = unless else {
        return when;
    };
    let other = space.negated(&space.rails_with(side, unless, with));
    Rails {
        yes: Node::all(vec![when.yes, other.yes]),
        maybe: Node::all(vec![when.maybe, other.maybe]),
    }
}

/// What is asked of one matrix.
struct Asked<'m, 'p> {
    matrix: &'m Arc<Matrix>,
    kinds: Vec<OfKind<'m>>,
    /// Made when the first event is decided.
    router: OnceCell<Arc<Router>>,
    patience: Patience<'p>,
}

/// What looking for an event came to, with the event.
enum Came {
    Shown(Arc<Shown>),
    Never,
    Unconfirmed,
    Unknown,
}

impl Came {
    /// How sure it is that there is one; nothing where there is none.
    fn grade(&self) -> Option<Grade> {
        match self {
            Self::Shown(_) => Some(Grade::Confirmed),
            Self::Never => None,
            Self::Unconfirmed => Some(Grade::NotConfirmed),
            Self::Unknown => Some(Grade::NotDecided),
        }
    }

    fn shown(self) -> Option<Arc<Shown>> {
        match self {
            Self::Shown(shown) => Some(shown),
            Self::Never | Self::Unconfirmed | Self::Unknown => None,
        }
    }

    /// The surest of two, where one is enough.
    fn or(self, other: Self) -> Self {
        let rank = |it: &Self| match it {
            Self::Shown(_) => 3,
            Self::Unconfirmed => 2,
            Self::Unknown => 1,
            Self::Never => 0,
        };
        if rank(&other) > rank(&self) {
            other
        } else {
            self
        }
    }
}

impl Asked<'_, '_> {
    fn budget(&self) -> Budget {
        Budget::new((self.patience)())
    }

    /// What is decided on an event, if something is so of it: by itself, or where it asks for that after others.
    fn decide(
        &self,
        kind: &OfKind<'_>,
        point: &Point,
        is_so: &dyn Fn(&Shown) -> bool,
    ) -> Option<Shown> {
        let router = || Arc::new(Router::new(Arc::clone(self.matrix)));
        let space = &kind.prover.space;
        let alone = shown::alone(space, 0, self.router.get_or_init(router), point)?;
        if is_so(&alone) {
            return Some(alone);
        }
        if !point.needs_history() {
            return None;
        }
        let space_of = |id| {
            let kind = self.kinds.iter().find(|kind| kind.kind.id == id)?;
            Some(&kind.prover.space)
        };
        let histories = shown::histories(space, 0, point, &space_of).into_iter();
        let mut after = histories.map(|before| shown::after(&alone, &before));
        after.find(|shown| is_so(shown))
    }

    /// An event of some parts and of none of others, of whose decision something is so.
    fn find(
        &self,
        kind: &OfKind<'_>,
        among: &[&Part],
        but: &[&Part],
        is_so: &dyn Fn(&Shown) -> bool,
        budget: &Budget,
    ) -> Came {
        let found = RefCell::new(None);
        let takes = |point: &Point| match self.decide(kind, point, is_so) {
            Some(shown) => {
                *found.borrow_mut() = Some(shown);
                true
            }
            None => false,
        };
        match kind.prover.find(among, but, &takes, budget) {
            Outside::Some(_) => match found.into_inner() {
                Some(shown) => Came::Shown(Arc::new(shown)),
                None => Came::Unknown,
            },
            Outside::None => Came::Never,
            Outside::Unconfirmed => Came::Unconfirmed,
            Outside::Unknown => Came::Unknown,
        }
    }

    /// The same among several kinds: an event of any.
    fn find_in<'k>(&'k self, mut find: impl FnMut(&'k OfKind<'k>) -> Came) -> Came {
        let mut came = Came::Never;
        for kind in &self.kinds {
            came = came.or(find(kind));
            if matches!(came, Came::Shown(_)) {
                break;
            }
        }
        came
    }
}

/// Adds an answer with the event that shows it.
fn tell(answers: &mut Vec<Answer>, mut answer: Answer, shown: Option<Arc<Shown>>, title: String) {
    answer.witness = shown.map(|shown| Witness::new(shown, title));
    answers.push(answer);
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
