//! A progress bar for long work.
//!
//! In: how much there is to do, if that is known, and what was done. Out: a bar on standard error.
//! Invariant: drawn only on a terminal, and gone when the work is done.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far a piece of work is.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar over `total` pieces, each called `unit`; without a total it counts up.
    pub(super) fn new(total: Option<u64>, unit: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self {
                bar: ProgressBar::hidden(),
            };
        }
        // Six times a second is all that an eye follows.
        let target = ProgressDrawTarget::stderr_with_hz(6);
        let bar = ProgressBar::with_draw_target(total, target);
        let template = match total {
            Some(_) => format!("{{bar:32}} {{human_pos}}/{{human_len}} {unit}, {{eta}} left"),
            None => format!("{{spinner}} {{human_pos}} {unit}, {{per_sec}}"),
        };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// So many more pieces are done.
    pub(super) fn advance(&self, pieces: u64) {
        self.bar.inc(pieces);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
