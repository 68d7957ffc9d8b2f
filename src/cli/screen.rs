//! Text for a person's screen: how wide it is, and how words are cut, filled and wrapped to it.
//!
//! In: text of any origin. Out: text that takes the columns it is given.
//! Invariant: no character of an event or a matrix acts on the terminal; widths are those that a
//! terminal shows (Unicode UAX #11), not bytes or code points.

use terminal_size::{Width, terminal_size_of};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::files::acts_on_terminal;

/// The narrowest screen that tables are fitted to.
const NARROWEST: usize = 40;

/// The columns of the screen: what `COLUMNS` says, else what the terminal says. None for a file or
/// a pipe, where nothing needs to be cut.
pub(super) fn width() -> Option<usize> {
    let said = std::env::var("COLUMNS").ok();
    let said = said.and_then(|text| text.parse::<usize>().ok());
    let shown = || terminal_size_of(std::io::stdout()).map(|(Width(w), _)| usize::from(w));
    said.filter(|w| *w > 0)
        .or_else(shown)
        .map(|w| w.max(NARROWEST))
}

/// The columns that a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// The text on one line, without characters that would act on the terminal.
pub(super) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        if acts_on_terminal(c) {
            cleaned.extend(c.escape_unicode());
        } else {
            cleaned.push(c);
        }
    }
    cleaned
}

/// The text in at most so many columns; what is cut off is an ellipsis.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.width() <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut taken = 1;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken > most {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// The text in exactly so many columns.
pub(super) fn fill(text: &str, columns: usize) -> String {
    let mut filled = cut(text, columns);
    let missing = columns.saturating_sub(filled.width());
    filled.extend(std::iter::repeat_n(' ', missing));
    filled
}

/// The words of a text in lines of at most so many columns; a longer word has a line of its own.
pub(super) fn wrap(text: &str, most: Option<usize>) -> Vec<String> {
    let Some(most) = most else {
        return vec![text.to_owned()];
    };
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > most {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_and_filled_by_what_a_terminal_shows() {
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(fill("漢字", 5), "漢字 ");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(clean("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\u{a}b");
    }

    #[test]
    fn wrapping_keeps_words_whole() {
        let text = "one two threefour five";
        assert_eq!(wrap(text, Some(7)), ["one two", "threefour", "five"]);
        assert_eq!(wrap(text, None), [text]);
    }
}
