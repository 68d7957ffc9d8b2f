//! The canonical text of a tree: what `laneway fmt` writes.
//!
//! In: an [`Ast`], the source that its spans point into, and that source's comments. Out: text.
//! Method: the tree gives a list of output lines, each with the place of its first token in the
//! source; the comments are then woven between them by their places.
//! Invariant: the text reads back to an equal tree, printing it again changes nothing, and every
//! comment is kept once, in its order. Knows no names and no types.
//!
//! The functions that end in `_text` give single lines for messages and reasons.

mod clauses;
mod conds;
mod items;
#[cfg(test)]
mod tests;
mod weave;
mod words;
mod writer;

use crate::span::{Span, Spanned};
use crate::syntax::ast::{
    Ast, Cond, Evidence, Expect, Literal, Measure, MeasureTest, Step, Test, TimeSpan, Value,
};
use crate::syntax::scan::Comment;
use writer::Writer;

/// The canonical text of a file: `ast` with its comments. `text` is the source that the spans
/// point into; a tree that was built without one is printed with `""` and no comments.
///
/// What could not be read is printed as it stands in the source if it is a whole item, a line of a
/// condition block or a value, and is lost where the tree holds only its keyword: a file with
/// syntax errors must not be formatted in place.
#[must_use]
pub fn print(ast: &Ast, text: &str, comments: &[Comment]) -> String {
    let mut writer = Writer::new(text, comments);
    for item in &ast.items {
        writer.item(item);
    }
    let (lines, verbatim) = writer.finish();
    let is_printed = |comment: &Comment| {
        let start = comment.span.range().start;
        verbatim.iter().any(|range| range.contains(&start))
    };
    let comments: Vec<Comment> = comments
        .iter()
        .copied()
        .filter(|comment| !is_printed(comment))
        .collect();
    weave::weave(&lines, text, &comments)
}

/// A condition in one line, for people only: the lines of a block are joined by commas, as in
/// `any of { a, b }`, which is not legal syntax.
#[must_use]
pub fn cond_text(cond: &Cond) -> String {
    // The place only serves conditions that could not be read, and there is no source to show.
    writer::flat(|w| w.cond(cond, Span::default()))
}

/// A test of a field: `amount > 100 USD if present`.
#[must_use]
pub fn test_text(test: &Test) -> String {
    writer::flat(|w| w.test(test))
}

/// A measure: `count of login where ok is no by user over 10m`. A block under `where` is for
/// people only, as in [`cond_text`].
#[must_use]
pub fn measure_text(measure: &Measure) -> String {
    writer::flat(|w| w.measure(measure))
}

/// A measure and what it is compared with; see [`measure_text`].
#[must_use]
pub fn measure_test_text(test: &MeasureTest) -> String {
    writer::flat(|w| w.measure_test(test))
}

/// A value as a matrix writes it.
#[must_use]
pub fn value_text(value: &Value) -> String {
    writer::flat(|w| w.value(value, Span::default()))
}

/// A value, or a set of them in parentheses.
#[must_use]
pub fn literal_text(literal: &Literal) -> String {
    writer::flat(|w| w.literal(literal))
}

/// A set of values in parentheses.
#[must_use]
pub fn set_text(values: &[Spanned<Value>]) -> String {
    writer::flat(|w| w.set(values))
}

/// `30m`, or `30m of office_hours`.
#[must_use]
pub fn time_span_text(span: &TimeSpan) -> String {
    writer::flat(|w| w.time_span(span))
}

/// A step of a timeout: `after 30m notify backup`.
#[must_use]
pub fn step_text(step: &Step) -> String {
    writer::flat(|w| w.step(step))
}

/// One piece of evidence: `history last 20`.
#[must_use]
pub fn evidence_text(evidence: &Evidence) -> String {
    writer::flat(|w| w.evidence(evidence))
}

/// What an example expects: `escalate by customer_risk`.
#[must_use]
pub fn expect_text(expect: &Expect) -> String {
    writer::flat(|w| w.expect(expect))
}
