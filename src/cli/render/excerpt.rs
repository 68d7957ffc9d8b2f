//! The lines of a source that a finding is about.
//!
//! In: spans in the texts of a matrix. Out: excerpts of a few lines with the spans as ranges in them.
//! Invariant: the work for one finding is bounded, whatever the size of its file; every range lies in
//! its excerpt, on character boundaries.

use std::borrow::Cow;
use std::ops::Range;

use crate::files::acts_on_terminal;
use crate::span::{FileId, Source, Sources, Span};

/// Lines between two spans that still share an excerpt.
const GAP_LINES: usize = 30;

/// Lines of one span that are shown; of a longer one only the first.
const SPAN_LINES: usize = 30;

/// Bytes of a line that is shown. Nobody reads a longer one, and drawing it takes long.
const LINE_BYTES: usize = 4096;

/// A span in an excerpt, with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark<T> {
    pub(super) range: Range<usize>,
    pub(super) what: T,
}

/// Some lines of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt<'a, T> {
    /// The file's name, still as it was given.
    pub(super) name: &'a str,
    /// The number of the first line, from 1.
    pub(super) first_line: usize,
    /// The column of the first mark, for an excerpt without text.
    pub(super) column: usize,
    /// The lines; nothing where they are too long or the file is empty.
    pub(super) text: Option<Cow<'a, str>>,
    /// The spans, in order.
    pub(super) marks: Vec<Mark<T>>,
}

/// Cuts the excerpts that show all spans. The one with the first span comes first, then those of its
/// file, then those of the other files.
pub(super) fn cut<T>(
    sources: &Sources,
    spans: impl IntoIterator<Item = (Span, T)>,
) -> Vec<Excerpt<'_, T>> {
    let mut placed: Vec<Placed<'_, T>> = spans
        .into_iter()
        .enumerate()
        .filter_map(|(order, (span, what))| Placed::new(sources, span, order, what))
        .collect();
    placed.sort_by_key(|p| (p.file, p.range.start, p.range.end, p.order));
    let mut groups: Vec<Vec<Placed<'_, T>>> = Vec::new();
    for next in placed {
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|last| next.is_near(last)) => group.push(next),
            _ => groups.push(vec![next]),
        }
    }
    let first = |group: &[Placed<'_, T>]| group.iter().map(|p| p.order).min();
    let home = groups.iter().min_by_key(|g| first(g));
    let home = home.and_then(|g| g.first()).map(|p| p.file);
    groups.sort_by_key(|g| {
        let file = g.first().map(|p| p.file);
        (first(g) != Some(0), file != home, file)
    });
    groups.into_iter().filter_map(excerpt).collect()
}

/// A span with its file and lines.
struct Placed<'a, T> {
    source: &'a Source,
    file: FileId,
    range: Range<usize>,
    lines: Range<usize>,
    order: usize,
    what: T,
}

impl<'a, T> Placed<'a, T> {
    fn new(sources: &'a Sources, span: Span, order: usize, what: T) -> Option<Self> {
        let source = sources.get(span.file)?;
        let mut range = clip(source.text(), span.range());
        let line = |at: usize| {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            source.line_column(at).line as usize
        };
        let first = line(range.start);
        let mut last = line(range.end);
        if last - first > SPAN_LINES {
            range.end = line_end(source.text(), range.start);
            last = first;
        }
        Some(Self {
            source,
            file: span.file,
            range,
            lines: first..last + 1,
            order,
            what,
        })
    }

    fn is_near(&self, before: &Self) -> bool {
        self.file == before.file && self.lines.start <= before.lines.end + GAP_LINES
    }
}

fn excerpt<T>(group: Vec<Placed<'_, T>>) -> Option<Excerpt<'_, T>> {
    let first = group.first()?;
    let (source, first_line) = (first.source, first.lines.start);
    let text = source.text();
    let start = line_start(text, first.range.start);
    let end = group.iter().map(|p| p.range.end).max().unwrap_or(start);
    let lines = text.get(start..line_end(text, end)).unwrap_or_default();
    let shown = !text.is_empty() && lines.split('\n').all(|line| line.len() <= LINE_BYTES);
    let at = u32::try_from(first.range.start).unwrap_or(u32::MAX);
    Some(Excerpt {
        name: source.name(),
        first_line,
        column: source.line_column(at).column as usize,
        text: shown.then(|| visible(lines)),
        marks: group
            .into_iter()
            .map(|p| Mark {
                range: p.range.start - start..p.range.end - start,
                what: p.what,
            })
            .collect(),
    })
}

/// The range cut to the text and to whole characters.
fn clip(text: &str, range: Range<usize>) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(range.start);
    start..floor(range.end).max(start)
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(0, |found| found + 1)
}

/// The end of the line without its line break, CR included.
fn line_end(text: &str, at: usize) -> usize {
    let after = text.get(at..).unwrap_or_default();
    let line = after.find('\n').map_or(after, |found| &after[..found]);
    at + line.strip_suffix('\r').unwrap_or(line).len()
}

/// The text with a visible character of the same length for each that acts on a terminal or is not
/// seen at all, so that ranges stay right. The renderer replaces the ASCII ones itself.
fn visible(text: &str) -> Cow<'_, str> {
    let acts = |c: char| !c.is_ascii() && (acts_on_terminal(c) || c == '\u{feff}');
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let replace = |c| match c {
        c if !acts(c) => c,
        c if c.len_utf8() == 2 => '\u{bf}',
        _ => '\u{fffd}',
    };
    Cow::Owned(text.chars().map(replace).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(texts: &[&str]) -> Sources {
        let mut sources = Sources::default();
        for (n, text) in texts.iter().enumerate() {
            sources.add(Source::new(format!("{n}.lane"), *text));
        }
        sources
    }

    fn span(file: u32, range: Range<usize>) -> Span {
        Span::new(FileId(file), range)
    }

    #[test]
    fn near_spans_share_an_excerpt_and_far_ones_do_not() {
        let text = "line\n".repeat(100);
        let sources = sources(&[&text, "other\n"]);
        let spans = [
            (span(0, 400..404), 0),
            (span(1, 0..5), 1),
            (span(0, 0..4), 2),
            (span(0, 390..394), 3),
        ];
        let cut = cut(&sources, spans);
        let order: Vec<_> = cut.iter().map(|e| (e.name, e.first_line)).collect();
        assert_eq!(order, [("0.lane", 79), ("0.lane", 1), ("1.lane", 1)]);
        let marks: Vec<_> = cut[0]
            .marks
            .iter()
            .map(|m| (m.range.clone(), m.what))
            .collect();
        assert_eq!(marks, [(0..4, 3), (10..14, 0)]);
        assert_eq!(cut[0].text.as_deref(), Some("line\nline\nline"));
    }

    #[test]
    fn a_span_beyond_the_text_or_inside_a_character_is_cut() {
        assert_eq!(clip("aä", 2..9), 1..3);
        assert_eq!(clip("", 5..7), 0..0);
    }

    #[test]
    fn a_long_span_shows_its_first_line_and_a_long_line_nothing() {
        let text = "word\r\n".repeat(100);
        let sources = sources(&[&text, &"x".repeat(5000)]);
        let long = cut(&sources, [(span(0, 0..600), ())]);
        assert_eq!(long[0].text.as_deref(), Some("word"));
        let wide = cut(&sources, [(span(1, 4998..4999), ())]);
        assert_eq!((wide[0].text.as_deref(), wide[0].column), (None, 4999));
    }

    #[test]
    fn characters_that_act_keep_their_length() {
        assert_eq!(
            visible("\u{feff}a\u{9b}b\u{202e}c\t"),
            "\u{fffd}a\u{bf}b\u{fffd}c\t"
        );
    }
}
