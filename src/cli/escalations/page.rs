//! Lines of a label and its text.
//!
//! Invariant: nothing of an event or of what people wrote acts on the terminal.

use std::fmt::Write as _;

use crate::cli::output::Paint;
use crate::cli::screen::{clean, wrap};

/// Columns of the labels, as of a decision.
const LABEL: usize = 11;

/// Lines under each other.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) text: String,
    paint: Paint,
    room: Option<usize>,
}

impl Page {
    pub(super) fn new(paint: Paint, screen: Option<usize>) -> Self {
        Self {
            text: String::new(),
            paint,
            room: screen.map(|screen| screen.saturating_sub(LABEL).max(20)),
        }
    }

    /// A label and its text; the lines after the first stand below it, with its indent.
    pub(super) fn line(&mut self, label: &str, text: &str) {
        let mut label = label;
        let (text, indent) = (text.trim_start(), text.len() - text.trim_start().len());
        let room = self.room.map(|room| room.saturating_sub(indent));
        for line in wrap(&clean(text), room) {
            let shown = self.paint.quiet(&format!("{label:LABEL$}"));
            let line = format!("{shown}{:indent$}{line}", "");
            let _ = writeln!(self.text, "{}", line.trim_end());
            label = "";
        }
    }

    /// A line without a label before all others.
    pub(super) fn title(&mut self, text: &str) {
        let _ = writeln!(self.text, "{}", self.paint.bold(&clean(text)));
    }
}
