//! The lines of the output before comments and wrapping.
//!
//! In: words, and the places of the tokens that begin a line. Out: [`Line`]s.
//! Invariant: the starts of the lines never go down, so that line after line covers the source.

use std::ops::Range;

use crate::span::{Span, Spanned};
use crate::syntax::scan::Comment;

/// A line of output. In the source it covers everything from its start to the next line's start.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// How many levels it is indented.
    pub(super) indent: usize,
    /// Offset of its first token in the source.
    pub(super) start: usize,
    /// The text.
    pub(super) text: String,
    /// Offsets in the text of the spaces behind commas: there it may be broken.
    pub(super) breaks: Vec<usize>,
    /// Whether it ends in the brace that opens a block.
    pub(super) opens: bool,
    /// Whether it begins with the brace that closes a block.
    pub(super) closes: bool,
}

impl Line {
    /// Whether it is the first line of a top-level item.
    pub(super) fn is_item(&self) -> bool {
        self.indent == 0 && !self.closes
    }
}

/// Collects lines.
pub(super) struct Writer<'a> {
    text: &'a str,
    comments: &'a [Comment],
    lines: Vec<Line>,
    line: Line,
    indent: usize,
    /// Whether blocks are written into the current line.
    is_flat: bool,
    /// Offset behind the last line's start or closing brace.
    reached: usize,
    /// Parts of the source that were copied with the comments in them.
    verbatim: Vec<Range<usize>>,
}

/// The text of one line that `write` writes, with its blocks in it.
pub(super) fn flat(write: impl FnOnce(&mut Writer<'_>)) -> String {
    let mut writer = Writer::new("", &[]);
    writer.is_flat = true;
    write(&mut writer);
    writer.line.text
}

impl<'a> Writer<'a> {
    /// Writes lines of a tree whose spans point into `text`.
    pub(super) fn new(text: &'a str, comments: &'a [Comment]) -> Self {
        Self {
            text,
            comments,
            lines: Vec::new(),
            line: Line::default(),
            indent: 0,
            is_flat: false,
            reached: 0,
            verbatim: Vec::new(),
        }
    }

    /// The lines, and the parts of the source that they hold verbatim.
    pub(super) fn finish(mut self) -> (Vec<Line>, Vec<Range<usize>>) {
        self.end_line();
        (self.lines, self.verbatim)
    }

    /// Ends the current line and begins the next one with the token at a span's start.
    pub(super) fn begin(&mut self, span: Span) {
        self.begin_at(span.range().start);
    }

    /// Adds to the current line.
    pub(super) fn put(&mut self, text: &str) {
        self.line.text.push_str(text);
    }

    /// A comma, after which the line may be broken.
    pub(super) fn comma(&mut self) {
        self.put(",");
        self.line.breaks.push(self.line.text.len());
        self.put(" ");
    }

    /// Things with commas between them.
    pub(super) fn list<T>(&mut self, items: &[T], each: impl Fn(&mut Self, &T)) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.comma();
            }
            each(self, item);
        }
    }

    /// A block in braces, one row a line. `head` is what stands before its opening brace.
    pub(super) fn block<T>(
        &mut self,
        head: Span,
        rows: &[Spanned<T>],
        each: impl Fn(&mut Self, &Spanned<T>),
    ) {
        if self.is_flat {
            return self.flat_block(rows, each);
        }
        self.put(" {");
        self.line.opens = true;
        self.indent += 1;
        for row in rows {
            self.begin(row.span);
            each(self, row);
        }
        self.indent = self.indent.saturating_sub(1);
        let last = rows.last().map_or(head, |row| row.span);
        let brace = self.brace_after(last.range().end);
        self.begin_at(brace);
        self.line.closes = true;
        self.reached = brace + 1;
        self.put("}");
    }

    /// A block in braces within the current line, with commas between its rows.
    pub(super) fn flat_block<T>(&mut self, rows: &[T], each: impl Fn(&mut Self, &T)) {
        if rows.is_empty() {
            return self.put(" {}");
        }
        let was_flat = std::mem::replace(&mut self.is_flat, true);
        self.put(" { ");
        self.list(rows, each);
        self.put(" }");
        self.is_flat = was_flat;
    }

    /// The source under a span, as it stands.
    pub(super) fn verbatim(&mut self, span: Span) {
        let range = span.range();
        let text = self.text.get(range.clone()).unwrap_or("").trim_end();
        if text.is_empty() && self.is_flat {
            return self.put("...");
        }
        self.put(text);
        self.verbatim.push(range);
    }

    /// Whether a text that is added to the current line in one piece makes it too long. Always
    /// false where blocks stay in their line.
    pub(super) fn is_too_long(&self, text: &str) -> bool {
        let width = self.line.text.chars().count() + text.chars().count();
        !self.is_flat && super::weave::is_too_wide(self.indent, width)
    }

    fn begin_at(&mut self, offset: usize) {
        self.end_line();
        self.reached = self.reached.max(offset);
        self.line.indent = self.indent;
        self.line.start = self.reached;
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.text.is_empty() {
            self.lines.push(line);
        }
    }

    /// The offset of the first closing brace behind an offset that no line has covered yet.
    fn brace_after(&self, offset: usize) -> usize {
        let from = offset.max(self.reached);
        let mut at = from;
        while let Some(found) = self.text.get(at..).and_then(|rest| rest.find('}')) {
            let brace = at + found;
            match self.comment_over(brace) {
                Some(comment) => at = comment.span.range().end,
                None => return brace,
            }
        }
        from
    }

    fn comment_over(&self, offset: usize) -> Option<&Comment> {
        let after = self
            .comments
            .partition_point(|comment| comment.span.range().start <= offset);
        let comment = self.comments.get(after.checked_sub(1)?)?;
        comment.span.range().contains(&offset).then_some(comment)
    }
}
