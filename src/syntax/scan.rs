//! The lexical pass over a file, before any grammar.

use crate::span::Span;

/// A comment, from its `#` to the end of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment {
    /// The comment without its line break.
    pub span: Span,
}
