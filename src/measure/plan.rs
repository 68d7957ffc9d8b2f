//! Which measures are kept together.
//!
//! In: the measures of a matrix, and the streams that there are. Out: for each measure the stream that
//! has its windows, and which of its functions it is.
//! Invariant: measures of one stream count the same events by one key over one span. No measure is
//! given a stream that has not kept it from its beginning.
//!
//! A stream keeps a count, one sum and one distinct count at most. What it keeps is settled when it is
//! made: a matrix that measures more of the same window has another stream beside it, and one that
//! measures less leaves something out of it, which nobody is given again.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::Counts;
use super::journal::Reader;
use super::ring::Shape;
use crate::clock::Duration;
use crate::matrix::{Matrix, Measure, MeasureId};
use crate::program::gauge::Function;
use crate::schema::KindId;

/// What stands for a stream, over restarts as well.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    /// The definition of the window, as a SHA-256.
    window: [u8; 32],
    /// Whether its events are counted.
    count: bool,
    /// What is summed: empty where it is left out.
    sum: Option<String>,
    /// What is told apart: empty where it is left out.
    distinct: Option<String>,
}

/// Where a measure is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// In which stream.
    pub(super) stream: usize,
    pub(super) function: Function,
}

/// A stream for a matrix.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) identity: Identity,
    pub(super) kind: KindId,
    pub(super) window: Duration,
    /// Which it keeps.
    pub(super) measures: Vec<MeasureId>,
    /// Which of those that there are it is.
    pub(super) old: Option<usize>,
    /// The functions that are asked for, by their bits.
    asked: u8,
    /// What is left out of it from here on.
    pub(super) left_out: Vec<Function>,
}

/// Where each measure of a matrix is kept, beside the streams for it.
/// What counts is part of what a window is.
pub(super) fn plan(
    matrix: &Matrix,
    counts: Counts,
    old: &[Option<Identity>],
) -> (Vec<Planned>, Vec<Part>) {
    let mut of_window: HashMap<[u8; 32], OfWindow<'_>> = HashMap::new();
    for (number, old) in old.iter().enumerate() {
        if let Some(old) = old {
            let window = of_window.entry(old.window).or_default();
            window.old.push((number, old));
        }
    }
    let mut streams: Vec<Planned> = Vec::new();
    let mut parts = Vec::new();
    for (id, measure) in (0u32..).map(MeasureId).zip(&matrix.measures) {
        let (function, words) = (Function::of(measure), measure.words());
        let window = window(matrix, counts, measure);
        let there = of_window.entry(window).or_default();
        let number = there.stream(&streams, function, words).unwrap_or_else(|| {
            let has = |old: &&(usize, &Identity)| old.1.has(function, words);
            let known = there.old.iter().find(has).copied();
            let identity = known.map_or_else(|| Identity::new(window), |(_, old)| old.clone());
            there.streams.push(streams.len());
            streams.push(Planned::new(measure, identity, known.map(|(old, _)| old)));
            streams.len() - 1
        });
        if let Some(planned) = streams.get_mut(number) {
            planned.identity.put(function, words);
            planned.asked |= function.bit();
            planned.measures.push(id);
        }
        parts.push(Part {
            stream: number,
            function,
        });
    }
    for stream in &mut streams {
        stream.leave_out();
    }
    (streams, parts)
}

/// The streams of one window: those that there are, and those of the plan so far.
#[derive(Default)]
struct OfWindow<'o> {
    old: Vec<(usize, &'o Identity)>,
    streams: Vec<usize>,
}

impl OfWindow<'_> {
    /// The stream of the plan for a function: one that has it; else, where no old one has it, a new one
    /// with room for it.
    fn stream(&self, planned: &[Planned], function: Function, words: &str) -> Option<usize> {
        let planned = |number: &usize| Some((*number, planned.get(*number)?));
        let mut streams = self.streams.iter().filter_map(planned);
        let known = streams.find(|(_, planned)| planned.identity.has(function, words));
        let is_old = self.old.iter().any(|(_, old)| old.has(function, words));
        let mut new = self.streams.iter().filter_map(planned);
        let new = new.find(|(_, planned)| {
            !is_old && planned.old.is_none() && planned.identity.has_room(function)
        });
        known.or(new).map(|(number, _)| number)
    }
}

impl Planned {
    fn new(measure: &Measure, identity: Identity, old: Option<usize>) -> Self {
        Self {
            identity,
            kind: measure.kind,
            window: measure.window,
            measures: Vec::new(),
            old,
            asked: 0,
            left_out: Vec::new(),
        }
    }

    /// What no measure asks for is left out from here on.
    fn leave_out(&mut self) {
        for function in [Function::Count, Function::Sum, Function::Distinct] {
            if self.asked & function.bit() == 0 && self.identity.leave_out(function) {
                self.left_out.push(function);
            }
        }
    }
}

impl Identity {
    fn new(window: [u8; 32]) -> Self {
        Self {
            window,
            count: false,
            sum: None,
            distinct: None,
        }
    }

    /// What its entries are.
    pub(super) fn shape(&self) -> Shape {
        Shape::new(self.sum.is_some(), self.distinct.is_some())
    }

    fn has(&self, function: Function, words: &str) -> bool {
        match function {
            Function::Count => self.count,
            Function::Sum => self.sum.as_deref() == Some(words),
            Function::Distinct => self.distinct.as_deref() == Some(words),
        }
    }

    fn has_room(&self, function: Function) -> bool {
        match function {
            Function::Count => true,
            Function::Sum => self.sum.is_none(),
            Function::Distinct => self.distinct.is_none(),
        }
    }

    fn put(&mut self, function: Function, words: &str) {
        match function {
            Function::Count => self.count = true,
            Function::Sum => self.sum = Some(words.to_owned()),
            Function::Distinct => self.distinct = Some(words.to_owned()),
        }
    }

    /// Says whether it had it.
    fn leave_out(&mut self, function: Function) -> bool {
        let words = match function {
            Function::Count => return std::mem::take(&mut self.count),
            Function::Sum => &mut self.sum,
            Function::Distinct => &mut self.distinct,
        };
        let had = words.as_ref().is_some_and(|words| !words.is_empty());
        if let Some(words) = words {
            words.clear();
        }
        had
    }

    /// Adds it.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.window);
        bytes.push(u8::from(self.count));
        for words in [&self.sum, &self.distinct] {
            bytes.push(u8::from(words.is_some()));
            let words = words.as_deref().unwrap_or_default().as_bytes();
            bytes.extend_from_slice(&u16::try_from(words.len()).unwrap_or(0).to_le_bytes());
            bytes.extend_from_slice(words);
        }
    }

    /// Takes one.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (window, count) = (reader.array()?, reader.byte()? != 0);
        let mut words = || {
            let is_there = reader.byte()? != 0;
            let length = reader.u16()?;
            let words = std::str::from_utf8(reader.take(length.into())?).ok()?;
            Some(is_there.then(|| words.to_owned()))
        };
        Some(Self {
            window,
            count,
            sum: words()?,
            distinct: words()?,
        })
    }
}

/// What stands for the window of a measure.
fn window(matrix: &Matrix, counts: Counts, measure: &Measure) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update([u8::from(counts.denied)]);
    hasher.update(matrix.window_definition(measure));
    hasher.finalize().into()
}
