//! Recorded events, by the regions in which they are decided otherwise.
//!
//! In: a stream of events, two matrices, the regions. Out: how many events each region has.
//! Invariant: each event is decided by both matrices in the order of the stream, each with its own windows; it counts
//! once, for the region of its kind and its change, for none where there is no such, or as one that is not read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::analysis::{Change, Diff};
use crate::cli::decide::{Bar, warn};
use crate::cli::input::Files;
use crate::cli::replay::logs;
use crate::cli::shell::{Failure, Shell};
use crate::clock::Timestamp;
use crate::compile::compile;
use crate::decision::Decision;
use crate::decision::recorded::{self, Came, Clock};
use crate::decision::stricter::{Demands, stricter};
use crate::event;
use crate::files::shown;
use crate::limits::{LOG_LINE_BYTES, Limits};
use crate::matrix::Matrix;
use crate::measure::{Bounds, Counts, Secret, Sources, Windows};
use crate::program::{Decider, Program};
use crate::replay::counting;
use crate::replay::summary::Part;

/// Bytes that are read at once.
const BLOCK: usize = 1 << 18;

/// What recorded events say of an edit.
#[derive(Debug, Serialize)]
pub(super) struct Weights {
    /// As it was named.
    file: String,
    /// All of them.
    events: u64,
    /// Those that neither matrix reads.
    pub(super) unreadable: u64,
    /// Those that one of them reads.
    pub(super) read_by_one: u64,
    /// Those whose decision demands something else.
    pub(super) changed: u64,
    /// Whether they come from a log that has only a part of all decisions.
    pub(super) is_sampled: bool,
    /// Those that changed in no region.
    pub(super) elsewhere: Vec<Elsewhere>,
    /// How many each region has, in the order of the comparison.
    #[serde(skip)]
    pub(super) by_region: Vec<u64>,
}

/// Events that changed in one way, for which there is no region.
#[derive(Debug, Serialize)]
pub(super) struct Elsewhere {
    pub(super) kind: String,
    /// Whether something that was demanded is not any more.
    pub(super) loses: bool,
    #[serde(flatten)]
    pub(super) change: Change,
    pub(super) recorded: Part,
}

impl Weights {
    /// One event for each that changed in no region, by whether something is demanded no more.
    #[cfg(test)]
    pub(super) fn of_elsewhere(lose: &[bool]) -> Self {
        let diff = Diff::default();
        let mut scales = Scales::new(&diff);
        for (number, loses) in lose.iter().enumerate() {
            let change = Change {
                old: crate::decision::Verdict::Escalate,
                new: crate::decision::Verdict::Allow,
                by: Some(number.to_string()),
                lost: Vec::new(),
                gained: Vec::new(),
                holds: None,
            };
            let kind = "call".to_owned();
            scales.elsewhere.insert((kind, change), (*loses, 1));
            scales.events += 1;
        }
        scales.weights("events.ndjson".to_owned())
    }

    /// So many of all.
    pub(super) fn of(&self, events: u64) -> Part {
        Part {
            events,
            of: self.events,
        }
    }
}

/// Files of recorded events that are there.
pub(super) struct Recorded {
    name: String,
    files: Files,
}

impl Recorded {
    pub(super) fn look(path: &Path) -> Result<Self, Failure> {
        let paths: Vec<PathBuf> = logs(&[path.to_owned()])?;
        Ok(Self {
            name: shown(path),
            files: Files::look(&paths)?,
        })
    }

    /// Decides the events by both matrices.
    pub(super) fn weigh(
        self,
        old: &Arc<Matrix>,
        new: &Arc<Matrix>,
        limits: &Limits,
        diff: &Diff,
        shell: &Shell,
    ) -> Result<Weights, Failure> {
        let programs = [compile(old), compile(new)];
        let mut sides = programs.each_ref().map(|it| Side::new(it, limits));
        let mut scales = Scales::new(diff);
        let lines = Limits {
            event_total_bytes: limits.event_total_bytes.max(LOG_LINE_BYTES),
            ..limits.clone()
        };
        let bar = Bar::shown(&self.files, true);
        let mut blocks = self.files.blocks(BLOCK, &lines);
        while let Some(block) = blocks.next_block()? {
            let mut events = 0;
            for line in block.lines() {
                events += 1;
                match line.bytes() {
                    Some(bytes) => scales.line(bytes, &mut sides, shell.now),
                    None => scales.unreadable += 1,
                }
            }
            scales.events += events;
            bar.advance(block.taken, events);
        }
        drop(bar);
        let [old, new] = &sides;
        // Both count the same stream: what was too late for the one was so for the other.
        let of_both = [old, new].into_iter().find(|side| !side.is_exact());
        if let Some(side) = of_both {
            warn(&side.windows, shell);
        }
        Ok(scales.weights(self.name))
    }
}

/// One of the matrices with its windows.
struct Side<'p> {
    program: &'p Program,
    decider: Decider<'p>,
    windows: Windows,
    limits: &'p Limits,
}

impl<'p> Side<'p> {
    fn new(program: &'p Program, limits: &'p Limits) -> Self {
        let bounds = Bounds::of(limits, &Sources::default(), Counts::default());
        Self {
            program,
            decider: Decider::new(program),
            windows: Windows::new(&program.matrix, bounds, Secret::random()),
            limits,
        }
    }

    fn is_exact(&self) -> bool {
        self.windows.late_dropped() == 0 && self.windows.keys_refused() == 0
    }

    /// The decision on the next event, with the name of its kind; nothing if it cannot be read.
    fn decide(
        &mut self,
        bytes: &[u8],
        logged: Option<(Timestamp, Clock)>,
        received: Timestamp,
    ) -> Option<(&'p str, Decision)> {
        let matrix = &self.program.matrix;
        let event = event::read(bytes, &matrix.schema, self.limits, received).ok()?;
        let at = event.at();
        let settled = self
            .windows
            .settle(&mut self.decider, &event, counting(logged, at), at);
        let kind = matrix.kind(event.kind)?;
        Some((&kind.name, settled.decision))
    }
}

/// What was counted so far.
struct Scales<'d> {
    diff: &'d Diff,
    /// Where a region stands, by its kind and its change.
    regions: BTreeMap<(&'d str, &'d Change), usize>,
    by_region: Vec<u64>,
    elsewhere: BTreeMap<(String, Change), (bool, u64)>,
    events: u64,
    unreadable: u64,
    read_by_one: u64,
    changed: u64,
    is_sampled: bool,
}

impl<'d> Scales<'d> {
    fn new(diff: &'d Diff) -> Self {
        let regions = diff.changed.iter().enumerate();
        let regions = regions.map(|(at, it)| ((it.kind.as_str(), &it.change), at));
        Self {
            diff,
            regions: regions.collect(),
            by_region: vec![0; diff.changed.len()],
            elsewhere: BTreeMap::new(),
            events: 0,
            unreadable: 0,
            read_by_one: 0,
            changed: 0,
            is_sampled: false,
        }
    }

    /// One line: an event, or one of a decision log.
    fn line(&mut self, line: &[u8], sides: &mut [Side<'_>; 2], now: Timestamp) {
        let logged = recorded::Recorded::read(line);
        let bytes = match logged.as_ref().map(|logged| &logged.event) {
            None => line,
            Some(Came::Bytes(bytes)) => bytes,
            Some(Came::Gone { .. }) => {
                self.unreadable += 1;
                return;
            }
        };
        self.is_sampled |= logged.as_ref().is_some_and(|it| it.is_sampled);
        let clock = logged.as_ref().map(|it| (it.received, it.clock));
        let received = logged.as_ref().map_or(now, |it| it.received);
        let decided = sides
            .each_mut()
            .map(|side| (side.decide(bytes, clock, received), &side.program.matrix));
        let [(Some((_, old)), was), (Some((kind, new)), is)] = decided else {
            match decided {
                [(None, _), (None, _)] => self.unreadable += 1,
                _ => self.read_by_one += 1,
            }
            return;
        };
        let demands = [Demands::of(&old, was), Demands::of(&new, is)];
        let Some(change) = Change::between(&demands[0], &demands[1], &new.by) else {
            return;
        };
        self.changed += 1;
        match self.regions.get(&(kind, &change)) {
            Some(at) => {
                if let Some(events) = self.by_region.get_mut(*at) {
                    *events += 1;
                }
            }
            None => {
                let loses = stricter(&demands[1], &demands[0]).is_some();
                let entry = self.elsewhere.entry((kind.to_owned(), change));
                let (ever, events) = entry.or_default();
                *ever |= loses;
                *events += 1;
            }
        }
    }

    fn weights(self, file: String) -> Weights {
        debug_assert_eq!(self.by_region.len(), self.diff.changed.len());
        let of = self.events;
        let elsewhere = self.elsewhere.into_iter();
        let mut elsewhere: Vec<Elsewhere> = elsewhere
            .map(|((kind, change), (loses, events))| Elsewhere {
                kind,
                loses,
                change,
                recorded: Part { events, of },
            })
            .collect();
        elsewhere.sort_by_key(|it| std::cmp::Reverse(it.recorded.events));
        Weights {
            file,
            events: of,
            unreadable: self.unreadable,
            read_by_one: self.read_by_one,
            changed: self.changed,
            is_sampled: self.is_sampled,
            elsewhere,
            by_region: self.by_region,
        }
    }
}
