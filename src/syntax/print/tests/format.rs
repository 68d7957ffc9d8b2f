//! Formatting a text, with the promises that it keeps.

use crate::diagnostic::Severity;
use crate::limits::Limits;
use crate::span::FileId;
use crate::syntax::ast::Ast;
use crate::syntax::parse;
use crate::syntax::print::print;
use crate::syntax::scan::Comment;

/// Formats a text, and checks that the result reads back to the same tree and the same comments,
/// and that formatting it again changes nothing.
pub(super) fn format(text: &str) -> String {
    let (ast, comments) = read(text);
    let once = print(&ast, text, &comments);
    let (again, comments_again) = read(&once);
    assert!(ast == again, "another tree:\n{once}");
    assert_eq!(told(text, &comments), told(&once, &comments_again));
    assert_eq!(once, print(&again, &once, &comments_again));
    let is_ragged = |line: &str| line.trim_end() != line;
    assert!(!once.lines().any(is_ragged), "trailing space:\n{once}");
    once
}

fn told<'a>(text: &'a str, comments: &[Comment]) -> Vec<&'a str> {
    let told = comments.iter().map(|c| text[c.span.range()].trim_end());
    told.collect()
}

fn read(text: &str) -> (Ast, Vec<Comment>) {
    let parsed = parse(FileId(0), text, &Limits::default());
    let mut errors = parsed.diagnostics.iter();
    let error = errors.find(|d| d.severity() == Severity::Error);
    assert!(error.is_none(), "{error:?}\n{text}");
    (parsed.ast, parsed.comments)
}
