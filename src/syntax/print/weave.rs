//! Comments, blank lines and wrapping: from lines to the text.
//!
//! In: lines by the order of their places, and the comments of the source. Out: the text.
//! Invariant: every comment stands once in the text, in its order, on a line of its own or at the
//! end of the line whose last token it followed.

use crate::syntax::scan::Comment;

use super::writer::Line;

/// The widest line that is not wrapped, in characters. Comments do not count.
const WIDTH: usize = 100;

/// The spaces of one level.
const INDENT: usize = 2;

/// The spaces before a comment at the end of a line.
const BEFORE_COMMENT: &str = "  ";

/// Whether a text of that many characters is too wide at its level.
pub(super) fn is_too_wide(indent: usize, width: usize) -> bool {
    indent * INDENT + width > WIDTH
}

/// The text of the lines with the comments between them.
pub(super) fn weave(lines: &[Line], text: &str, comments: &[Comment]) -> String {
    let mut weaver = Weaver {
        text,
        rest: comments,
        rows: Vec::new(),
        end: 0,
        gap: 0,
        is_after_block: false,
    };
    let first = lines.first().map_or(text.len(), |line| line.start);
    let (_, before) = weaver.split_comments(0, first, true);
    weaver.own_lines(before, 0);
    for (i, line) in lines.iter().enumerate() {
        weaver.line(line, lines.get(i + 1));
    }
    weaver.end_of_file();
    weaver.render()
}

/// A line of the text, or several if it is wrapped.
struct Row {
    indent: usize,
    text: String,
    /// Whether a blank line stands before it.
    is_apart: bool,
    opens: bool,
}

struct Weaver<'a> {
    text: &'a str,
    /// The comments that no row holds yet.
    rest: &'a [Comment],
    rows: Vec<Row>,
    /// Offset behind the last token, or the last comment on a line of its own, that a row holds.
    end: usize,
    /// The first row behind the last item.
    gap: usize,
    /// Whether that item was a block.
    is_after_block: bool,
}

impl<'a> Weaver<'a> {
    /// Adds a line with the comments inside it above it, and those behind its last token.
    fn line(&mut self, line: &Line, next: Option<&Line>) {
        let upto = next.map_or(self.text.len(), |next| next.start);
        let mut is_apart = !line.closes && self.is_apart(line.start);
        let (inside, behind) = self.split_comments(line.start, upto, false);
        let indent = line.indent + usize::from(line.closes);
        for comment in inside {
            let text = self.comment(comment).to_owned();
            self.push(indent, text, is_apart, false);
            is_apart = false;
        }
        let mut text = wrap(line);
        let mut own = behind;
        if let Some((first, others)) = behind.split_first()
            && self.is_on_one_line(first)
        {
            text.push_str(BEFORE_COMMENT);
            text.push_str(self.comment(first));
            own = others;
        }
        self.push(line.indent, text, is_apart, line.opens);
        self.separate_items(line, next);
        let indent = next.map_or(0, |next| next.indent + usize::from(next.closes));
        self.own_lines(own, indent);
    }

    /// Sets the blank lines around blocks at the top level, with the row of `line` just added.
    fn separate_items(&mut self, line: &Line, next: Option<&Line>) {
        let ends_item = next.is_none_or(Line::is_item);
        if line.is_item() {
            if !ends_item {
                let mut first = self.rows.len().saturating_sub(1);
                while first > self.gap && !self.rows.get(first).is_some_and(|row| row.is_apart) {
                    first -= 1;
                }
                self.set_apart(first);
            }
            if self.is_after_block {
                self.set_apart(self.gap);
            }
        }
        if ends_item {
            self.gap = self.rows.len();
            self.is_after_block = !line.is_item();
        }
    }

    fn end_of_file(&mut self) {
        self.own_lines(self.rest, 0);
        if self.is_after_block {
            self.set_apart(self.gap);
        }
    }

    /// Takes the comments between two offsets: those that a token follows, and those that none
    /// does. Moves `end` behind the last token.
    fn split_comments(
        &mut self,
        from: usize,
        upto: usize,
        is_bare: bool,
    ) -> (&'a [Comment], &'a [Comment]) {
        let count = self
            .rest
            .partition_point(|comment| comment.span.range().start < upto);
        let (mine, rest) = self.rest.split_at(count);
        self.rest = rest;
        if is_bare {
            return (&[], mine);
        }
        let mut inside = mine;
        let mut upto = upto;
        loop {
            let start = inside.last().map_or(from, |last| last.span.range().end);
            let token = self.text.get(start..upto).unwrap_or("").trim_end();
            match inside.split_last() {
                Some((last, others)) if token.is_empty() => {
                    upto = last.span.range().start;
                    inside = others;
                }
                _ => {
                    self.end = start + token.len();
                    break;
                }
            }
        }
        let behind = mine.get(inside.len()..).unwrap_or(&[]);
        (inside, behind)
    }

    /// Adds comments that stand on lines of their own.
    fn own_lines(&mut self, comments: &[Comment], indent: usize) {
        for comment in comments {
            let is_apart = self.is_apart(comment.span.range().start);
            let text = self.comment(comment).to_owned();
            self.push(indent, text, is_apart, false);
            self.end = comment.span.range().end;
        }
    }

    fn comment(&self, comment: &Comment) -> &'a str {
        let text = self.text.get(comment.span.range()).unwrap_or("");
        text.trim_end()
    }

    /// Whether a comment stands on the line on which the last token ended.
    fn is_on_one_line(&self, comment: &Comment) -> bool {
        let between = self.text.get(self.end..comment.span.range().start);
        between.is_some_and(|between| !between.contains('\n'))
    }

    /// Whether the source has a blank line before an offset, and it may be kept.
    fn is_apart(&self, start: usize) -> bool {
        let after_brace = self.rows.last().is_some_and(|row| row.opens);
        let between = self.text.get(self.end..start).unwrap_or("");
        let mut lines = between.split('\n').skip(1).peekable();
        while let Some(line) = lines.next() {
            if line.trim().is_empty() && lines.peek().is_some() {
                return !after_brace;
            }
        }
        false
    }

    fn set_apart(&mut self, row: usize) {
        if let Some(row) = self.rows.get_mut(row) {
            row.is_apart = true;
        }
    }

    fn push(&mut self, indent: usize, text: String, is_apart: bool, opens: bool) {
        self.rows.push(Row {
            indent,
            text,
            is_apart,
            opens,
        });
    }

    fn render(self) -> String {
        let mut out = String::new();
        for row in self.rows {
            if row.is_apart && !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&" ".repeat(row.indent * INDENT));
            out.push_str(&row.text);
            out.push('\n');
        }
        out
    }
}

/// The text of a line, broken after commas where it is too wide. Lines behind the first one are
/// indented two levels more.
fn wrap(line: &Line) -> String {
    if !is_too_wide(line.indent, line.text.chars().count()) {
        return line.text.clone();
    }
    let mut out = String::with_capacity(line.text.len());
    let mut indent = line.indent;
    let mut width = 0;
    let mut start = 0;
    let ends = line.breaks.iter().copied().chain([line.text.len()]);
    for end in ends {
        let piece = line.text.get(start..end).unwrap_or("");
        let piece_width = piece.chars().count();
        if start == 0 {
            width = piece_width;
        } else if is_too_wide(indent, width + 1 + piece_width) {
            indent = line.indent + 2;
            width = piece_width;
            out.push('\n');
            out.push_str(&" ".repeat(indent * INDENT));
        } else {
            width += 1 + piece_width;
            out.push(' ');
        }
        out.push_str(piece);
        start = end + 1;
    }
    out
}
