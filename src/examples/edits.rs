//! The small edits of a matrix: one step each, as a slip of the pen would make it.
//!
//! In: the texts of a matrix that loads. Out: edits, in the order of the text.
//! Invariant: an edit touches one place, and the text around it stays as its author wrote it; whether the edited
//! matrix loads is for the check to say.
//! Touched are triggers, rules and named conditions with the tests in them, and lists. Promises and cases are left
//! alone: they say what must hold.

use crate::limits::Limits;
use crate::matrix::Matrix;
use crate::schema::Presence;
use crate::span::{FileId, Span, Spanned};
use crate::syntax::ast::{Clause, ItemKind, Lane, List, RuleEffect, Value};
use crate::syntax::parse;
use crate::syntax::print::value_text;

mod conds;
mod steps;
mod tests_of;

/// One edit.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    /// What it replaces.
    pub(super) span: Span,
    /// By what.
    pub(super) text: String,
    /// What is shown of the part that it touches.
    pub(super) place: Span,
    /// Whose part that is: `lane financial_risk`.
    pub(super) of: String,
    /// That part as it was, in one line.
    pub(super) was: String,
    /// As it is; nothing where it is gone.
    pub(super) is: Option<String>,
}

/// All edits of a matrix.
pub(super) fn edits(matrix: &Matrix, limits: &Limits) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (file, source) in matrix.sources.iter() {
        let ast = parse(file, source.text(), limits).ast;
        for item in &ast.items {
            let mut editor = Editor {
                matrix,
                of: String::new(),
                edits: &mut edits,
            };
            editor.item(&item.node);
        }
    }
    edits
}

/// Collects the edits of one item.
struct Editor<'a> {
    matrix: &'a Matrix,
    of: String,
    edits: &'a mut Vec<Edit>,
}

impl<'a> Editor<'a> {
    fn item(&mut self, item: &ItemKind) {
        match item {
            ItemKind::Lane(lane) => {
                self.of = format!("lane {}", lane.name.node);
                self.lane(lane);
            }
            ItemKind::Rule(rule) => {
                let effect = match rule.effect {
                    RuleEffect::Allow => "always allow",
                    RuleEffect::Deny => "always deny",
                    RuleEffect::Adjust(_) => "adjust",
                };
                self.of = format!("{effect} {}", rule.name.node);
                self.cond(&rule.when);
            }
            ItemKind::Condition(condition) => {
                self.of = format!("condition {}", condition.name.node);
                self.cond(&condition.cond);
            }
            ItemKind::List(list) => {
                self.of = format!("list {}", list.name.node);
                self.list(list);
            }
            _ => {}
        }
    }

    fn lane(&mut self, lane: &Lane) {
        for clause in &lane.clauses {
            match &clause.node {
                Clause::When(cond) => self.cond(cond),
                Clause::Unless(cond) => {
                    let was = format!("unless {}", crate::syntax::print::cond_text(&cond.node));
                    self.push(clause.span, String::new(), clause.span, was, None);
                    self.cond(cond);
                }
                _ => {}
            }
        }
    }

    fn list(&mut self, list: &List) {
        let all = list.values.iter().map(|value| value.span).reduce(Span::to);
        if let Some(all) = all {
            self.values_dropped(&list.values, all, ["", ""]);
        }
    }

    /// Leaves out one value after the other, of several.
    fn values_dropped(&mut self, values: &[Spanned<Value>], all: Span, around: [&str; 2]) {
        if values.len() < 2 {
            return;
        }
        for (dropped, value) in values.iter().enumerate() {
            let kept = values.iter().enumerate().filter(|(n, _)| *n != dropped);
            let kept: Vec<&str> = kept
                .map(|(_, value)| self.matrix.sources.text(value.span))
                .collect();
            let [open, close] = around;
            let text = format!("{open}{}{close}", kept.join(", "));
            self.push(all, text, value.span, value_text(&value.node), None);
        }
    }

    /// The text under a span, without the space around it.
    fn text(&self, span: Span) -> &'a str {
        self.matrix.sources.text(span).trim()
    }

    fn push(&mut self, span: Span, text: String, place: Span, was: String, is: Option<String>) {
        self.edits.push(Edit {
            span,
            text,
            place,
            of: self.of.clone(),
            was,
            is,
        });
    }

    /// Whether an event of some kind can lack that field.
    fn is_optional(&self, path: &str) -> bool {
        let kinds = self.matrix.schema.kinds().iter();
        let mut fields = kinds.flat_map(|kind| &kind.fields);
        fields.any(|field| *field.path == *path && field.presence == Presence::Optional)
    }
}

impl Edit {
    /// The text of the edited file.
    pub(super) fn apply(&self, matrix: &Matrix) -> Option<(FileId, String)> {
        let source = matrix.sources.get(self.span.file)?.text();
        let range = self.span.range();
        let before = source.get(..range.start)?;
        let after = source.get(range.end..)?;
        Some((self.span.file, [before, &self.text, after].concat()))
    }
}
