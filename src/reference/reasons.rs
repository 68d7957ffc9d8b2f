//! Why an expression came out as it did: the tests that made it so, and what they saw.
//!
//! In: an [`Expr`] with its [`Facts`]. Out: [`Reason`]s, and sentences for a person.
//! Invariant: the tests given would alone give the same answer. Each condition is opened once, so
//! that their number is bounded by the matrix.

use std::collections::HashSet;

use crate::decision::{Kleene, Reason, Window};
use crate::limits;
use crate::matrix::{ConditionId, Expr, ExprKind, Lane, MeasureTest, Test, TestOp};
use crate::schema::FieldId;
use crate::span::{FileId, Span};
use crate::value::Value;

use super::eval::Facts;
use super::measured::{Measured, Partial};

/// Why a trigger stands as it does.
#[derive(Debug, Clone, Default)]
pub(super) struct Why {
    /// The tests.
    pub(super) because: Vec<Reason>,
    /// What is not known, in words: ``"`sentiment` is missing"``.
    pub(super) gaps: Vec<String>,
}

impl Why {
    /// The reasons of one trigger after those of another.
    pub(super) fn extend(&mut self, other: Self) {
        self.because.extend(other.because);
        for gap in other.gaps {
            if !self.gaps.contains(&gap) {
                self.gaps.push(gap);
            }
        }
    }

    /// ``"`a < 1` saw 0, `b is yes` saw yes and 2 more"``
    pub(super) fn seen(&self) -> String {
        let tests = self.because.iter();
        listed(tests.map(|r| format!("`{}` saw {}", r.test, r.saw)))
    }

    /// ``"`sentiment` is missing"``
    pub(super) fn gaps(&self) -> String {
        listed(self.gaps.iter().cloned())
    }
}

/// The first three, and how many there are beside them.
fn listed(items: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 3;
    let more = items.len().saturating_sub(SHOWN);
    let shown = items.take(SHOWN).collect::<Vec<_>>().join(", ");
    if more > 0 {
        format!("{shown} and {more} more")
    } else {
        shown
    }
}

impl<'a> Facts<'a> {
    /// Every test that made the expressions come out as they did.
    pub(super) fn why<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> Why
    where
        'a: 'e,
    {
        self.explain_with(Support::default(), exprs)
    }

    /// The first tests that suffice for the expressions to come out as they did.
    pub(super) fn why_first<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> Why
    where
        'a: 'e,
    {
        let support = Support {
            first_only: true,
            ..Support::default()
        };
        self.explain_with(support, exprs)
    }

    /// The reasons of a lane that fires or is unsure. `unless` has a part in it only where it is
    /// what is not known.
    pub(super) fn why_attached(&self, lane: &Lane) -> Why {
        let unknown = |expr: &&Expr| self.value(expr) == Kleene::Unknown;
        let unless = lane.unless.as_ref().filter(unknown);
        self.why(std::iter::once(&lane.when).chain(unless))
    }

    /// The first tests that block a lane that is silent.
    pub(super) fn why_blocked(&self, lane: &Lane) -> Why {
        let blocking = match &lane.unless {
            Some(unless) if self.value(&lane.when) != Kleene::False => unless,
            _ => &lane.when,
        };
        self.why_first([blocking])
    }

    fn explain_with<'e>(
        &self,
        mut support: Support<'e>,
        exprs: impl IntoIterator<Item = &'e Expr>,
    ) -> Why
    where
        'a: 'e,
    {
        for expr in exprs {
            support.gather(self, expr);
        }
        let mut why = Why::default();
        for leaf in support.leaves {
            let result = self.value(leaf);
            why.extend(Why {
                because: self.reason(leaf, result).into_iter().collect(),
                gaps: match result {
                    Kleene::Unknown => self.gaps(leaf),
                    _ => Vec::new(),
                },
            });
        }
        why
    }

    /// The reason that a test gives; nothing for what is no test.
    fn reason(&self, leaf: &Expr, result: Kleene) -> Option<Reason> {
        let (file, line) = self.place(leaf.span);
        Some(Reason {
            test: words(leaf)?.to_owned(),
            file,
            line,
            saw: self.saw(leaf)?,
            result,
            window: match &leaf.kind {
                ExprKind::Measure(test) => self.window(test),
                _ => None,
            },
        })
    }

    /// The file, where it is not the root, and the line of a span.
    pub(super) fn place(&self, span: Span) -> (Option<String>, u32) {
        let sources = &self.matrix.sources;
        let file = (span.file != FileId::default()).then(|| sources.name(span).to_owned());
        (file, sources.start(span).line)
    }

    /// What a test saw, in the language's words.
    pub(super) fn saw(&self, leaf: &Expr) -> Option<String> {
        match &leaf.kind {
            ExprKind::Test(test) => Some(self.saw_field(test)),
            ExprKind::Measure(test) => Some(self.saw_measure(test)),
            _ => None,
        }
    }

    fn saw_field(&self, test: &Test) -> String {
        let Some(other) = other_field(test) else {
            return self.shown(test.field);
        };
        let path = |field| self.matrix.schema.path(field);
        format!(
            "{} = {}, {} = {}",
            path(test.field),
            self.shown(test.field),
            path(other),
            self.shown(other)
        )
    }

    fn shown(&self, field: FieldId) -> String {
        let Some(value) = self.event.get(self.kind, field) else {
            return "missing".to_owned();
        };
        let shown = shortened(value.to_string());
        if self.event.is_defaulted(field) {
            format!("{shown} (default)")
        } else {
            shown
        }
    }

    fn saw_measure(&self, test: &MeasureTest) -> String {
        let saw = match self.measured(test.measure) {
            Some(measured) => amounts(&measured, test),
            None => "nothing".to_owned(),
        };
        format!("{saw}, threshold {}", test.threshold)
    }

    /// The window that a measure's test saw.
    pub(super) fn window(&self, test: &MeasureTest) -> Option<Window> {
        let measured = self.measured(test.measure)?;
        Some(Window {
            value: amounts(&measured, test),
            threshold: test.threshold.to_string(),
            partial: measured.partial.map(Partial::as_str),
            events: measured.last,
        })
    }

    /// What a test that is unknown would need.
    fn gaps(&self, leaf: &Expr) -> Vec<String> {
        let missing = |field: &FieldId| self.event.get(self.kind, *field).is_none();
        match &leaf.kind {
            ExprKind::Test(test) => {
                let fields = [Some(test.field), other_field(test)];
                let fields = fields.into_iter().flatten().filter(missing);
                fields
                    .map(|field| format!("`{}` is missing", self.matrix.schema.path(field)))
                    .collect()
            }
            ExprKind::Measure(test) => {
                vec![format!("`{}` saw {}", test.text, self.saw_measure(test))]
            }
            _ => Vec::new(),
        }
    }
}

/// What was measured, in the words of what it is compared with.
fn amounts(measured: &Measured, test: &MeasureTest) -> String {
    measured.interval.text(|amount| match &test.threshold {
        Value::Money(_, currency) => format!("{amount} {currency}"),
        Value::Duration(_) => amount.duration_text(),
        _ => amount.to_string(),
    })
}

/// The other field of a test of two.
fn other_field(test: &Test) -> Option<FieldId> {
    match test.op {
        TestOp::SameAs(other) | TestOp::DiffersFrom(other) | TestOp::CompareField(_, other) => {
            Some(other)
        }
        _ => None,
    }
}

/// The canonical words of a test.
pub(super) fn words(leaf: &Expr) -> Option<&str> {
    match &leaf.kind {
        ExprKind::Test(test) => Some(&test.text),
        ExprKind::Measure(test) => Some(&test.text),
        _ => None,
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(limits::SAW_CHARS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or("")),
        None => text,
    }
}

/// Collects the tests that an answer rests on.
#[derive(Debug, Default)]
struct Support<'e> {
    leaves: Vec<&'e Expr>,
    opened: HashSet<ConditionId>,
    /// Whether one part is enough where one part suffices.
    first_only: bool,
}

impl<'e> Support<'e> {
    fn gather<'a: 'e>(&mut self, facts: &Facts<'a>, expr: &'e Expr) {
        let (parts, grounds) = match &expr.kind {
            ExprKind::Test(_) | ExprKind::Measure(_) => return self.leaves.push(expr),
            ExprKind::Not(inner) => return self.gather(facts, inner),
            ExprKind::Condition(id) => {
                if self.opened.insert(*id)
                    && let Some(condition) = facts.matrix.condition(*id)
                {
                    self.gather(facts, &condition.expr);
                }
                return;
            }
            ExprKind::All(parts) => (parts, Grounds::of_all(facts.value(expr))),
            ExprKind::Any(parts) => (parts, Grounds::of_any(facts.value(expr))),
            ExprKind::None(parts) => (parts, Grounds::of_any(!facts.value(expr))),
            ExprKind::AtLeast(_, parts) => (parts, Grounds::of_at_least(facts.value(expr))),
        };
        for part in parts {
            if grounds.results.contains(&facts.value(part)) {
                self.gather(facts, part);
                if self.first_only && grounds.one_suffices {
                    return;
                }
            }
        }
    }
}

/// Which parts of a block its answer rests on.
struct Grounds {
    results: &'static [Kleene],
    one_suffices: bool,
}

impl Grounds {
    fn of_all(answer: Kleene) -> Self {
        let results: &[Kleene] = match answer {
            Kleene::True => &[Kleene::True],
            Kleene::False => &[Kleene::False],
            // What is true beside the unknown says how much is at stake.
            Kleene::Unknown => &[Kleene::Unknown, Kleene::True],
        };
        Self {
            results,
            one_suffices: answer == Kleene::False,
        }
    }

    fn of_any(answer: Kleene) -> Self {
        let results: &[Kleene] = match answer {
            Kleene::True => &[Kleene::True],
            Kleene::False => &[Kleene::False],
            Kleene::Unknown => &[Kleene::Unknown],
        };
        Self {
            results,
            one_suffices: answer == Kleene::True,
        }
    }

    fn of_at_least(answer: Kleene) -> Self {
        Self {
            one_suffices: false,
            ..Self::of_all(answer)
        }
    }
}
