//! The events whose decision changes, by what they were and what they become.
//!
//! In: pairs of what was found. Out: counts with examples.
//! Invariant: the memory follows the sorts of change and not the events.

use std::collections::HashMap;

use super::Counts;
use super::desk::Side;
use super::examples::{Examples, Place};
use super::found::Found;
use super::summary::{Against, ChangeSummary, Named, Part, Strictness, Verdicts};
use super::terms::{Catalogue, Compared, Difference, rank};
use crate::decision::{MatrixRef, Verdict};
use crate::program::{By, Outcome};

/// A sort of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Sort {
    old: (Verdict, By),
    new: (Verdict, By),
    difference: Difference,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    verdicts: Counts,
    sorts: HashMap<Sort, (u64, Examples)>,
    compared: Compared,
}

impl Changes {
    /// Compares what two matrices say of an event.
    #[inline]
    pub(super) fn add(
        &mut self,
        catalogue: &Catalogue,
        old: &Found,
        new: &Found,
        place: Place,
        id: &dyn Fn() -> Option<String>,
    ) {
        if let Some(count) = self.verdicts.get_mut(rank(new.verdict)) {
            *count += 1;
        }
        if let Some(difference) = catalogue.compare(old, new, &mut self.compared) {
            let sort = Sort {
                old: (old.verdict, old.by),
                new: (new.verdict, new.by),
                difference,
            };
            let (count, examples) = self.sorts.entry(sort).or_default();
            *count += 1;
            examples.add(place, id);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (count, more) in self.verdicts.iter_mut().zip(other.verdicts) {
            *count += more;
        }
        for (sort, (count, examples)) in other.sorts {
            let (sum, known) = self.sorts.entry(sort).or_default();
            *sum += count;
            known.merge(examples);
        }
    }

    pub(super) fn summary(self, old: &Side<'_>, new: &Side<'_>, files: usize) -> Against {
        let verdicts = Verdicts::of(self.verdicts);
        let of = verdicts.total();
        let with = |strictness| {
            let sorts = self.sorts.iter();
            let sorts = sorts.filter(|(sort, _)| sort.difference.strictness == strictness);
            sorts.map(|(_, (count, _))| count).sum::<u64>()
        };
        let all = self.sorts.values().map(|(count, _)| count).sum();
        let (stricter, looser) = (with(Strictness::Stricter), with(Strictness::Looser));
        let (mixed, equal) = (with(Strictness::Mixed), with(Strictness::Equal));
        let mut sorts: Vec<_> = self.sorts.into_iter().collect();
        sorts.sort_by_key(|(_, (count, examples))| (std::cmp::Reverse(*count), examples.first()));
        let changes = sorts.into_iter().map(|(sort, (events, examples))| {
            let named = |side: &Side<'_>, (verdict, by)| Named {
                verdict,
                by: Outcome { verdict, by }
                    .name(&side.program.matrix)
                    .to_owned(),
            };
            ChangeSummary {
                old: named(old, sort.old),
                new: named(new, sort.new),
                strictness: sort.difference.strictness,
                differs: sort.difference.words(),
                part: Part { events, of },
                examples: examples.shown(files),
            }
        });
        let matrix = &new.program.matrix;
        Against {
            matrix: MatrixRef::of(matrix),
            verdicts,
            changed: Part { events: all, of },
            stricter,
            looser,
            mixed,
            equal,
            changes: changes.collect(),
        }
    }
}
