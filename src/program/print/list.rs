//! Lists that are cut, columns that are aligned, counts in words.
//!
//! In: items. Out: lines.
//! Invariant: what is left out is counted.

use std::fmt::{self, Formatter};

use super::{MOST, Page};

/// Values in one line unless everything is shown.
const FEW: usize = 8;

/// Columns of a cell of a table at most: a longer text moves what stands behind it.
const WIDE: usize = 48;

impl Page<'_> {
    /// Each item by itself, as many as the view shows.
    pub(super) fn list<T>(
        self,
        f: &mut Formatter<'_>,
        indent: &str,
        items: &[T],
        mut write: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
    ) -> fmt::Result {
        let most = if self.view.full { usize::MAX } else { MOST };
        for item in items.iter().take(most) {
            write(f, item)?;
        }
        match items.len().saturating_sub(most) {
            0 => Ok(()),
            more => writeln!(f, "{indent}... and {more} more"),
        }
    }

    /// Rows with their columns aligned; the last column is as long as it is.
    pub(super) fn table<const N: usize>(
        self,
        f: &mut Formatter<'_>,
        indent: &str,
        rows: &[[String; N]],
    ) -> fmt::Result {
        let most = if self.view.full { usize::MAX } else { MOST };
        let mut widths = [0; N];
        for row in rows.iter().take(most) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count().min(WIDE));
            }
        }
        self.list(f, indent, rows, |f, row| {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                line.push_str(&format!("{cell:width$}  "));
            }
            writeln!(f, "{indent}{}", line.trim_end())
        })
    }

    /// Words in one line, as many as the view shows.
    pub(super) fn few(self, words: &[String], joiner: &str) -> String {
        let most = if self.view.full { usize::MAX } else { FEW };
        let shown = words.get(..words.len().min(most)).unwrap_or_default();
        let mut line = shown.join(joiner);
        if let Some(more) = words.len().checked_sub(most).filter(|more| *more > 0) {
            line.push_str(&format!(" and {more} more"));
        }
        line
    }
}

/// `1 lane`, `2 lanes`
pub(super) fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
