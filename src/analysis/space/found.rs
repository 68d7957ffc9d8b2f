//! All tests that look at events of a kind.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{At, Key, Owned, key, measures, place};
use crate::matrix::{Expr, ExprKind, Matrix, MeasureTest, Test};
use crate::schema::KindId;

/// A test of a measure, and whose it is.
pub(super) type Measured = (At, Arc<MeasureTest>);

/// All tests on one kind.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Each once, in the order in which they stand.
    pub(super) tests: Vec<Owned>,
    known: HashMap<Key, usize>,
    /// Their numbers, by where each that reads so lies.
    pub(super) numbers: HashMap<usize, usize>,
    /// By their words, and what their filters come to, which say the same in both matrices.
    pub(super) measures: BTreeMap<(String, String), Vec<Measured>>,
}

impl Found {
    /// Adds a test that no expression has.
    pub(super) fn add(&mut self, side: At, test: Arc<Test>) {
        self.numbers.insert(place(&test), self.tests.len());
        self.tests.push(Owned { side, test });
    }

    pub(super) fn look(&mut self, side: At, matrix: &Matrix, expr: &Expr) {
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => {
                parts.iter().for_each(|part| self.look(side, matrix, part));
            }
            ExprKind::Not(inner) => self.look(side, matrix, inner),
            ExprKind::Condition(id) => {
                if let Some(condition) = matrix.condition(*id) {
                    self.look(side, matrix, &condition.expr);
                }
            }
            ExprKind::Test(test) => {
                // A named condition is met as often as it is used.
                if self.numbers.contains_key(&place(test)) {
                    return;
                }
                let next = self.tests.len();
                let number = *self.known.entry(key(side, test)).or_insert(next);
                if number == next {
                    let test = Arc::clone(test);
                    self.tests.push(Owned { side, test });
                }
                self.numbers.insert(place(test), number);
            }
            ExprKind::Measure(test) => {
                if let Some(measure) = matrix.measure(test.measure) {
                    // A condition and a list may mean something else in another matrix.
                    let filter = measure.filter.as_ref();
                    let filter = filter.map(|filter| measures::words(matrix, filter));
                    let words = (measure.text.clone(), filter.unwrap_or_default());
                    let of_measure = self.measures.entry(words).or_default();
                    of_measure.push((side, Arc::clone(test)));
                }
            }
        }
    }
}

/// Every trigger that looks at events of a kind.
pub(super) fn triggers(matrix: &Matrix, kind: KindId) -> impl Iterator<Item = &Expr> {
    let lanes = matrix
        .lanes
        .iter()
        .filter(move |lane| lane.on.contains(&kind));
    let lanes = lanes.flat_map(|lane| [Some(&lane.when), lane.unless.as_ref()]);
    let rules = matrix
        .rules
        .iter()
        .filter(move |rule| rule.on.contains(&kind));
    let promises = matrix
        .promises
        .iter()
        .filter(move |it| it.on.contains(&kind));
    // What measures count is shown by events of it.
    let filters = matrix.measures.iter();
    let filters = filters.filter(move |measure| measure.kind == kind);
    let filters = filters.filter_map(|measure| measure.filter.as_ref());
    lanes
        .flatten()
        .chain(filters)
        .chain(rules.map(|rule| &rule.when))
        .chain(promises.map(|promise| &promise.when))
}
