//! Edits of a test: its operator turned, its constant moved by a step, a value left out, `if present` put on or
//! taken away.

use super::Editor;
use super::steps;
use crate::span::{Span, Spanned};
use crate::syntax::ast::{
    Comparison, ContainsHow, Measure, MeasureTest, Operand, SetRef, Test, TestOp, Value,
};
use crate::syntax::print::{measure_text, test_text, value_text};

/// The operator that a slip would put there.
fn turned(op: Comparison) -> Comparison {
    match op {
        Comparison::Less => Comparison::LessOrEqual,
        Comparison::LessOrEqual => Comparison::Less,
        Comparison::Greater => Comparison::GreaterOrEqual,
        Comparison::GreaterOrEqual => Comparison::Greater,
        Comparison::Is => Comparison::IsNot,
        Comparison::IsNot => Comparison::Is,
    }
}

impl Editor<'_> {
    pub(super) fn test(&mut self, test: &Test, span: Span) {
        for op in self.turned(&test.op.node) {
            self.test_with(test, span, op);
        }
        self.moved(test, span);
        match &test.op.node {
            TestOp::In {
                set: SetRef::Set(set),
                ..
            }
            | TestOp::ContainsSet {
                set: SetRef::Set(set),
                ..
            } => self.values_dropped(&set.node, set.span, ["(", ")"]),
            _ => {}
        }
        let is_of_presence = matches!(test.op.node, TestOp::Missing | TestOp::Present);
        match test.if_present {
            Some(_) => self.presence(test, span, None),
            None if !is_of_presence && self.is_optional(&test.path.node) => {
                let added = Spanned::new((), test.op.span.at_end());
                self.presence(test, span, Some(added));
            }
            None => {}
        }
    }

    /// A test with another operator.
    fn test_with(&mut self, test: &Test, span: Span, op: TestOp) {
        let mut other = test.clone();
        other.op.node = op;
        self.push(
            span,
            test_text(&other),
            span,
            test_text(test),
            Some(test_text(&other)),
        );
    }

    fn presence(&mut self, test: &Test, span: Span, if_present: Option<Spanned<()>>) {
        let mut other = test.clone();
        other.if_present = if_present;
        self.push(
            span,
            test_text(&other),
            span,
            test_text(test),
            Some(test_text(&other)),
        );
    }

    fn turned(&self, op: &TestOp) -> Vec<TestOp> {
        let one = |op| vec![op];
        match op.clone() {
            TestOp::Missing => one(TestOp::Present),
            TestOp::Present => one(TestOp::Missing),
            TestOp::Inside(calendar) => one(TestOp::Outside(calendar)),
            TestOp::Outside(calendar) => one(TestOp::Inside(calendar)),
            TestOp::In { not, set } => one(TestOp::In { not: !not, set }),
            TestOp::Text { not, how, text } => one(TestOp::Text {
                not: !not,
                how,
                text,
            }),
            TestOp::Matches { not, pattern } => one(TestOp::Matches { not: !not, pattern }),
            TestOp::SameAs(path) => one(TestOp::DiffersFrom(path)),
            TestOp::DiffersFrom(path) => one(TestOp::SameAs(path)),
            TestOp::OlderThan(age) => one(TestOp::NewerThan(age)),
            TestOp::NewerThan(age) => one(TestOp::OlderThan(age)),
            TestOp::Compare(op, operand) => one(TestOp::Compare(turned(op), operand)),
            TestOp::ContainsSet { how, set } => {
                // Of one value, any is all.
                let is_many = !matches!(&set, SetRef::Set(values) if values.node.len() < 2);
                let others = match how {
                    ContainsHow::Any => {
                        [Some(ContainsHow::None), is_many.then_some(ContainsHow::All)]
                    }
                    ContainsHow::All => {
                        [Some(ContainsHow::None), is_many.then_some(ContainsHow::Any)]
                    }
                    ContainsHow::None => [Some(ContainsHow::Any), None],
                };
                let others = others.into_iter().flatten();
                others
                    .map(|how| TestOp::ContainsSet {
                        how,
                        set: set.clone(),
                    })
                    .collect()
            }
        }
    }

    /// The constant moved by a step down, and up.
    fn moved(&mut self, test: &Test, span: Span) {
        let constant = match &test.op.node {
            TestOp::Compare(_, Operand::Value(value)) => value.clone(),
            TestOp::OlderThan(age) | TestOp::NewerThan(age) => {
                Spanned::new(Value::Duration(age.node), age.span)
            }
            _ => return,
        };
        for other in steps::beside(&constant.node) {
            let text = value_text(&other);
            let moved = match (&test.op.node, other) {
                (TestOp::Compare(op, _), other) => {
                    let operand = Operand::Value(Spanned::new(other, constant.span));
                    TestOp::Compare(*op, operand)
                }
                (TestOp::OlderThan(_), Value::Duration(age)) => {
                    TestOp::OlderThan(Spanned::new(age, constant.span))
                }
                (TestOp::NewerThan(_), Value::Duration(age)) => {
                    TestOp::NewerThan(Spanned::new(age, constant.span))
                }
                _ => continue,
            };
            let mut is = test.clone();
            is.op.node = moved;
            self.push(
                constant.span,
                text,
                span,
                test_text(test),
                Some(test_text(&is)),
            );
        }
    }

    pub(super) fn measure(&mut self, test: &MeasureTest, span: Span) {
        let measure = &test.measure;
        // What stands between the measure and the constant is the operator.
        let operator = Span {
            start: measure.span.end,
            end: test.value.span.start,
            ..span
        };
        let value = value_text(&test.value.node);
        let words = measure_text(&measure.node);
        let said = |op: Comparison, value: &str| format!("{words} {} {value}", op.as_str());
        let was = said(test.op, &value);
        let other = turned(test.op);
        let text = format!(" {} ", other.as_str());
        self.push(operator, text, span, was.clone(), Some(said(other, &value)));
        for moved in steps::beside(&test.value.node) {
            let text = value_text(&moved);
            let is = said(test.op, &text);
            self.push(test.value.span, text, span, was.clone(), Some(is));
        }
        if let Some(filter) = &measure.node.filter {
            let bare = Measure {
                filter: None,
                ..measure.node.clone()
            };
            let bare = measure_text(&bare);
            let text = format!("{bare} ");
            self.push(measure.span, text, measure.span, words, Some(bare));
            self.cond(filter);
        }
    }
}
