//! The common mistakes of escalation matrices, as warnings.
//!
//! In: the checked lanes, rules and teams beside their items. Out: warnings.
//! Invariant: a lane that could not be checked gets no warning, and what needs the whole matrix is
//! said only when there is no error: no warning follows from an error.

use std::collections::HashSet;

use super::build::{Checker, Items};
use crate::diagnostic::{Code, Diagnostic};
use crate::matrix::{ConditionId, Expr, ExprKind, Lane, Rule, Test};
use crate::span::Span;
use crate::syntax::ast;

mod lane;
mod trigger;
mod whole;

impl<'a> Checker<'a> {
    pub(super) fn lint(
        &mut self,
        items: &Items<'a>,
        rules: &[Option<Rule>],
        lanes: &[Option<Lane>],
    ) {
        let complete = !self.out.has_errors();
        for (item, lane) in items.lanes.iter().zip(lanes) {
            if let Some(lane) = lane {
                self.lint_lane(item, lane);
                self.lint_trigger(&lane.when, &lane.on);
                match &lane.unless {
                    Some(unless) => self.lint_trigger(unless, &lane.on),
                    None => self.lint_confidence(&lane.when, &lane.on),
                }
            }
        }
        for rule in rules.iter().flatten() {
            self.lint_trigger(&rule.when, &rule.on);
            self.lint_confidence(&rule.when, &rule.on);
        }
        let conditions = std::mem::take(&mut self.conditions);
        for condition in &conditions {
            self.lint_repetition(&condition.expr);
        }
        self.conditions = conditions;
        if complete {
            let lanes: Vec<&Lane> = lanes.iter().flatten().collect();
            let rules: Vec<&Rule> = rules.iter().flatten().collect();
            self.lint_whole(items, &rules, &lanes);
        }
    }

    fn warn(&mut self, code: Code, span: Span, message: impl Into<String>, help: &str) {
        self.out
            .push(Diagnostic::new(code, span, message).help(help));
    }

    /// Visits every test and measure of an expression, those of its conditions once each.
    fn visit(&self, expr: &Expr, visitor: &mut dyn FnMut(Leaf<'_>)) {
        self.visit_new(expr, &mut HashSet::new(), visitor);
    }

    fn visit_new(
        &self,
        expr: &Expr,
        seen: &mut HashSet<ConditionId>,
        visitor: &mut dyn FnMut(Leaf<'_>),
    ) {
        match &expr.kind {
            ExprKind::All(exprs)
            | ExprKind::Any(exprs)
            | ExprKind::None(exprs)
            | ExprKind::AtLeast(_, exprs) => {
                for expr in exprs {
                    self.visit_new(expr, seen, visitor);
                }
            }
            ExprKind::Not(inner) => self.visit_new(inner, seen, visitor),
            ExprKind::Condition(id) => {
                if let Some(condition) = self.conditions.get(id.index())
                    && seen.insert(*id)
                {
                    self.visit_new(&condition.expr, seen, visitor);
                }
            }
            ExprKind::Test(test) => visitor(Leaf::Test(test, expr.span)),
            ExprKind::Measure(_) => visitor(Leaf::Measure),
        }
    }

    fn has_measure(&self, expr: &Expr) -> bool {
        let mut found = false;
        self.visit(expr, &mut |leaf| found |= matches!(leaf, Leaf::Measure));
        found
    }
}

/// What stands at the ends of an expression.
enum Leaf<'e> {
    Test(&'e Test, Span),
    Measure,
}

/// The place of a clause of a lane; its head without one.
fn clause_span(item: &ast::Lane, is: impl Fn(&ast::Clause) -> bool) -> Span {
    let clause = item.clauses.iter().find(|clause| is(&clause.node));
    clause.map_or(item.head.span, |clause| clause.span)
}
