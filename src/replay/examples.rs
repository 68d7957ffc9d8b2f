//! The first few events of a sort.
//!
//! In: places and ids of events. Out: the first of them in the order of the stream.
//! Invariant: what is kept does not depend on how the events were shared among threads.

use super::summary::Example;

/// Events that are kept of a sort.
const KEPT: usize = 5;

/// Where an event stands; the order is that of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which file, from 0.
    pub file: usize,
    /// The line, from 1.
    pub line: u64,
}

/// The first few events of a sort, sorted.
#[derive(Debug, Clone, Default)]
pub(super) struct Examples(Vec<(Place, Option<String>)>);

impl Examples {
    /// Keeps an event if it is among the first.
    pub(super) fn add(&mut self, place: Place, id: &dyn Fn() -> Option<String>) {
        let at = self.0.partition_point(|(known, _)| *known < place);
        if at < KEPT {
            self.0.insert(at, (place, id()));
            self.0.truncate(KEPT);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
        self.0.sort_by_key(|(place, _)| *place);
        self.0.truncate(KEPT);
    }

    /// The place of the first.
    pub(super) fn first(&self) -> Option<Place> {
        self.0.first().map(|(place, _)| *place)
    }

    /// The examples of a summary over so many files.
    pub(super) fn shown(self, files: usize) -> Vec<Example> {
        let examples = self.0.into_iter();
        examples
            .map(|(place, event)| Example {
                file: u32::try_from(place.file + 1).ok().filter(|_| files > 1),
                line: place.line,
                event,
            })
            .collect()
    }
}
