//! Expressions in words.
//!
//! In: a checked expression. Out: one line for a table, or a list of its parts for prose.
//! Invariant: each test is in its own canonical words, and `and`, `or` and `not` never stand
//! together without parentheses or a list that says what belongs together.

use std::collections::HashSet;

use crate::matrix::{ConditionId, Expr, ExprKind, Matrix, Test, TestOp};

use super::{Item, Text};

/// Expressions of a matrix, in words.
#[derive(Clone, Copy)]
pub(super) struct Words<'m> {
    pub(super) matrix: &'m Matrix,
}

impl<'m> Words<'m> {
    /// In one line; conditions by their names.
    pub(super) fn line(self, expr: &Expr) -> Text {
        match &expr.kind {
            ExprKind::All(parts) => self.joined(parts, " and "),
            ExprKind::Any(parts) => self.joined(parts, " or "),
            ExprKind::None(parts) => self.listed("none of", parts),
            ExprKind::AtLeast(n, parts) => self.listed(&format!("at least {n} of"), parts),
            ExprKind::Not(inner) => Text::words("not ").then(self.unit(inner)),
            ExprKind::Condition(id) => Text::code(self.condition(*id)),
            ExprKind::Test(test) => Text::code(test.text.as_str()),
            ExprKind::Measure(test) => Text::code(test.text.as_str()),
        }
    }

    fn joined(self, parts: &[Expr], word: &str) -> Text {
        match parts {
            [only] => self.line(only),
            parts => Text::join(parts.iter().map(|part| self.unit(part)), word),
        }
    }

    fn listed(self, words: &str, parts: &[Expr]) -> Text {
        let parts = Text::join(parts.iter().map(|part| self.line(part)), "; ");
        Text::words(format!("{words} (")).then(parts).and(")")
    }

    /// A part of a larger expression: what joins others stands in parentheses.
    fn unit(self, expr: &Expr) -> Text {
        match &expr.kind {
            ExprKind::All(parts) | ExprKind::Any(parts) if parts.len() > 1 => {
                Text::words("(").then(self.line(expr)).and(")")
            }
            _ => self.line(expr),
        }
    }

    /// In lines for a cell of a table: each alternative has its own, behind `or`.
    pub(super) fn lines(self, expr: &Expr) -> Vec<Text> {
        let (parts, word) = match &expr.kind {
            ExprKind::Any(parts) => (parts, "or "),
            ExprKind::All(parts) => (parts, "and "),
            _ => return vec![self.line(expr)],
        };
        let units = parts.iter().enumerate();
        units
            .map(|(n, part)| match n {
                0 => self.unit(part),
                _ => Text::words(word).then(self.unit(part)),
            })
            .collect()
    }

    fn condition(self, id: ConditionId) -> &'m str {
        self.matrix.condition(id).map_or("", |c| &c.name)
    }

    /// As a list of its parts. Each condition is opened the first time that it stands there.
    pub(super) fn tree(self, expr: &Expr, opened: &mut HashSet<ConditionId>) -> Item {
        let (words, parts) = match &expr.kind {
            ExprKind::All(parts) => (Text::words("all of these:"), parts.as_slice()),
            ExprKind::Any(parts) => (Text::words("any of these:"), parts.as_slice()),
            ExprKind::None(parts) => (Text::words("none of these:"), parts.as_slice()),
            ExprKind::AtLeast(n, parts) => {
                let words = format!("at least {n} of these:");
                (Text::words(words), parts.as_slice())
            }
            ExprKind::Not(inner) => (Text::words("not this:"), std::slice::from_ref(&**inner)),
            ExprKind::Condition(id) => return self.opened(*id, opened),
            ExprKind::Test(test) => return Item::new(self.test(test)),
            ExprKind::Measure(test) => return Item::new(Text::code(test.text.as_str())),
        };
        if let ([only], ExprKind::All(_) | ExprKind::Any(_)) = (parts, &expr.kind) {
            return self.tree(only, opened);
        }
        Item {
            text: words,
            parts: parts.iter().map(|part| self.tree(part, opened)).collect(),
        }
    }

    fn opened(self, id: ConditionId, opened: &mut HashSet<ConditionId>) -> Item {
        let name = Text::code(self.condition(id));
        match self.matrix.condition(id) {
            Some(condition) if opened.insert(id) => Item {
                text: name.and(", which means:"),
                parts: vec![self.tree(&condition.expr, opened)],
            },
            _ => Item::new(name.and(", as above")),
        }
    }

    /// A test, with the values of a list that it names.
    fn test(self, test: &Test) -> Text {
        let text = Text::code(test.text.as_str());
        match &test.op {
            TestOp::In { values, .. } | TestOp::Contains { values, .. }
                if !test.text.contains('(') =>
            {
                let values = values.iter().map(ToString::to_string);
                text.and(", that is ").then(Text::codes(values))
            }
            _ => text,
        }
    }

    /// The tests that are false, not unknown, when their field is missing, with those of the
    /// conditions that the expression names.
    pub(super) fn if_present(self, expr: &Expr) -> Vec<String> {
        let mut found = Vec::new();
        self.gather(expr, &mut HashSet::new(), &mut found);
        found
    }

    fn gather(self, expr: &Expr, opened: &mut HashSet<ConditionId>, found: &mut Vec<String>) {
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => {
                parts.iter().for_each(|p| self.gather(p, opened, found));
            }
            ExprKind::Not(inner) => self.gather(inner, opened, found),
            ExprKind::Condition(id) => {
                if opened.insert(*id)
                    && let Some(condition) = self.matrix.condition(*id)
                {
                    self.gather(&condition.expr, opened, found);
                }
            }
            ExprKind::Test(test) => {
                if test.if_present && !found.contains(&test.text) {
                    found.push(test.text.clone());
                }
            }
            ExprKind::Measure(test) => {
                let measure = self.matrix.measure(test.measure);
                if let Some(filter) = measure.and_then(|m| m.filter.as_ref()) {
                    self.gather(filter, opened, found);
                }
            }
        }
    }
}
