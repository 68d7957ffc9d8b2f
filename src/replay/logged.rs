//! What a decision log says was decided, beside what is decided now.
//!
//! In: lines of a log with what their event comes to. Out: counts with examples.
//! Invariant: the memory follows the sorts of change and not the events.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::desk::Side;
use super::examples::{Examples, Place};
use super::found::Found;
use super::summary::{LogChange, LogSummary, Named, Part};
use crate::decision::Verdict;
use crate::decision::recorded::Recorded;
use crate::program::{By, Outcome};

/// What was counted of the lines of a log.
#[derive(Debug, Default)]
pub(super) struct Logged {
    lines: u64,
    sampled: u64,
    redacted: u64,
    /// Lines without their event.
    pub(super) absent: u64,
    sorts: HashMap<Sort, (u64, Examples)>,
}

/// A sort of change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sort {
    old: (Verdict, String),
    new: (Verdict, By),
}

impl Logged {
    /// Compares what a line says with what its event comes to.
    pub(super) fn add(
        &mut self,
        side: &Side<'_>,
        line: &Recorded<'_>,
        found: &Found,
        place: Place,
        id: &dyn Fn() -> Option<String>,
    ) {
        self.lines += 1;
        self.sampled += u64::from(line.is_sampled);
        self.redacted += u64::from(line.is_redacted);
        let (old, new) = (&line.decision, (found.verdict, found.by));
        if old.verdict == new.0 && old.by == name(side, new) {
            return;
        }
        let sort = Sort {
            old: (old.verdict, old.by.clone().into_owned()),
            new,
        };
        let (count, examples) = self.sorts.entry(sort).or_default();
        *count += 1;
        examples.add(place, id);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.sampled += other.sampled;
        self.redacted += other.redacted;
        self.absent += other.absent;
        for (sort, (count, examples)) in other.sorts {
            let (sum, known) = self.sorts.entry(sort).or_default();
            *sum += count;
            known.merge(examples);
        }
    }

    pub(super) fn summary(self, side: &Side<'_>, files: usize) -> Option<LogSummary> {
        let of = self.lines;
        if of + self.absent == 0 {
            return None;
        }
        let changed = self.sorts.values().map(|(count, _)| count).sum();
        let mut sorts: Vec<_> = self.sorts.into_iter().collect();
        sorts.sort_by_key(|(_, (count, examples))| (Reverse(*count), examples.first()));
        let changes = sorts
            .into_iter()
            .map(|(sort, (events, examples))| LogChange {
                old: Named {
                    verdict: sort.old.0,
                    by: sort.old.1,
                },
                new: Named {
                    verdict: sort.new.0,
                    by: name(side, sort.new).to_owned(),
                },
                part: Part { events, of },
                examples: examples.shown(files),
            });
        Some(LogSummary {
            decisions: of,
            changed: Part {
                events: changed,
                of,
            },
            sampled: self.sampled,
            redacted: self.redacted,
            absent: self.absent,
            changes: changes.collect(),
        })
    }
}

fn name<'s>(side: &Side<'s>, (verdict, by): (Verdict, By)) -> &'s str {
    Outcome { verdict, by }.name(&side.program.matrix)
}
