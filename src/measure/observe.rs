//! How an event in slots is measured.
//!
//! In: an event as slots, the gauges of its kind. Out: the answers of the tests of measures.
//! Invariant: once the buffers have grown nothing is allocated but what the windows keep.
//! Method: the keys of all streams first; then a look at where each is kept, so that memory that is
//! far away comes while others are waited for; then each window, one after the other, for all measures
//! that it is of.

use std::sync::MutexGuard;

use super::ring::{Decimal, Figure, Given, View};
use super::secret::Print;
use super::shard::Shard;
use super::stream::Stream;
use super::{Measured, Windows, nanos, span};
use crate::decision::Kleene;
use crate::program::gauge::{Ask, Function, Gauge, Writing};
use crate::program::{KindProgram, Program, Scratch};
use crate::reference::Amount;
use crate::slots::{KindLayout, Seen};
use crate::value::Value;

/// Streams whose windows are looked for at once.
const AT_ONCE: usize = 4;

/// Keys of a stream beyond which they do not all lie in a cache that is near.
const FAR: usize = 4_096;

/// What one thread needs to measure one event after the other.
#[derive(Debug, Default)]
pub struct Measuring {
    writing: Writing,
    /// By test of the kind.
    pub(crate) answers: Vec<Kleene>,
}

/// A stream that has to do with an event.
#[derive(Debug, Clone, Copy)]
struct Visit<'a> {
    windows: &'a Windows,
    stream: &'a Stream,
    number: usize,
    /// Those of its window. Other streams may keep some of them.
    window: &'a [Gauge],
    key: Print,
    /// Whether the event passes `where`: false of one that is not of the measured kind.
    passes: Kleene,
}

type Visits<'a> = [Option<Visit<'a>>; AT_ONCE];

/// Whether an event is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// In the same step in which it is measured.
    Now,
    /// Not, or later.
    No,
}

impl Windows {
    /// Measures an event that is not counted yet: fills the answers of its kind's tests.
    #[inline]
    pub(crate) fn measure(
        &self,
        (program, kind): (&Program, &KindProgram),
        event: Measured<'_>,
        count: Count,
        scratch: &mut Scratch,
        measuring: &mut Measuring,
    ) {
        let Measured {
            slots,
            input,
            counting,
        } = event;
        let Measuring { writing, answers } = measuring;
        answers.clear();
        answers.resize(kind.measure_tests.len(), Kleene::Unknown);
        let (Some(at), Some(layout)) = (
            nanos(counting.at),
            program.layout.kinds.get(slots.kind().0 as usize),
        ) else {
            return;
        };
        let seen = Seen { slots, input };
        if count == Count::Now {
            self.happens(slots.kind(), at, counting);
        }
        program.start(kind, scratch);
        let lateness = span(counting.lateness);
        let mut id = None;
        let mut read = |visit: &Visit<'_>, writing: &mut Writing, shard: &mut Shard| {
            if visit.passes == Kleene::False {
                return visit.read(shard, answers, at);
            }
            // PERF: what has to be hashed is hashed while memory that is far away comes.
            let hashed = || slots.id(input).map(|id| (Print::of(&self.hasher, id), id));
            let mut given = Given {
                at,
                lateness,
                id: *id.get_or_insert_with(hashed),
                sure: visit.passes == Kleene::True,
                sum: Decimal::default(),
                value: Print::default(),
            };
            for gauge in visit.gauges() {
                self.quantity_of(gauge, layout, seen, writing, &mut given);
            }
            visit.read_with(shard, answers, &given, count);
        };
        let mut rest = &*kind.gauges;
        let mut last: Option<(&[u16], Option<Print>)> = None;
        let (mut far, mut count_far) = ([None; AT_ONCE], 0);
        while let Some((gauge, window)) = next_window(&mut rest) {
            let passes = match (gauge.counts, gauge.filter) {
                (false, _) => Kleene::False,
                (true, None) => Kleene::True,
                (true, Some(filter)) => program.answer(kind, seen, filter, scratch),
            };
            if passes == Kleene::False && window.iter().all(|gauge| gauge.asks.is_empty()) {
                continue;
            }
            // PERF: measures of one kind often have one key.
            let known = last.filter(|(by, _)| *by == &*gauge.by);
            let key = known.map(|(_, key)| key);
            let key = key.unwrap_or_else(|| self.key(gauge, layout, seen, writing));
            last = Some((&gauge.by, key));
            let Some(key) = key else { continue };
            for (before, gauge) in window.iter().enumerate() {
                let Some(number) = self.part(gauge.measure).map(|part| part.stream) else {
                    continue;
                };
                // A stream is visited once, however its measures stand among others of the window.
                let mut before = window.iter().take(before);
                if before.any(|before| self.is_in(before, number)) {
                    continue;
                }
                let Some(placed) = self.streams.get(number) else {
                    continue;
                };
                let visit = Visit {
                    windows: self,
                    stream: &placed.stream,
                    number,
                    window,
                    key,
                    passes,
                };
                if !visit.is_far() {
                    if let Some(mut shard) = visit.stream.lock(key) {
                        read(&visit, writing, &mut shard);
                    }
                    continue;
                }
                if let Some(to) = far.get_mut(count_far) {
                    *to = Some(visit);
                    count_far += 1;
                }
                if count_far == AT_ONCE {
                    each_far(&mut far, |visit, shard| read(visit, writing, shard));
                    count_far = 0;
                }
            }
        }
        if count_far > 0 {
            each_far(&mut far, |visit, shard| read(visit, writing, shard));
        }
    }

    /// Whether a stream keeps what a gauge is of.
    #[inline]
    fn is_in(&self, gauge: &Gauge, number: usize) -> bool {
        let part = self.part(gauge.measure);
        part.is_some_and(|part| part.stream == number)
    }

    #[inline]
    fn key(
        &self,
        gauge: &Gauge,
        layout: &KindLayout,
        seen: Seen<'_>,
        writing: &mut Writing,
    ) -> Option<Print> {
        let key = gauge.write_key(layout, seen, writing);
        key.map(|key| Print::of(&self.hasher, key))
    }

    #[inline]
    fn quantity_of(
        &self,
        gauge: &Gauge,
        layout: &KindLayout,
        seen: Seen<'_>,
        writing: &mut Writing,
        given: &mut Given<'_>,
    ) {
        match gauge.function {
            Function::Count => {}
            Function::Sum => {
                let number = gauge.number(layout, seen);
                let (mantissa, scale) = number.unwrap_or_default();
                given.sum = Decimal { mantissa, scale };
            }
            Function::Distinct => {
                let value = gauge.write_value(layout, seen, writing);
                given.value = Print::of(&self.hasher, value.unwrap_or_default());
            }
        }
    }
}

/// The next gauges of one window, and the first of them.
#[inline]
fn next_window<'g>(rest: &mut &'g [Gauge]) -> Option<(&'g Gauge, &'g [Gauge])> {
    let first = rest.first()?;
    let count = rest
        .iter()
        .take_while(|gauge| gauge.window == first.window)
        .count();
    let (window, others) = rest.split_at_checked(count)?;
    *rest = others;
    Some((first, window))
}

impl<'a> Visit<'a> {
    /// The gauges of what the stream keeps.
    #[inline]
    fn gauges(&self) -> impl Iterator<Item = &'a Gauge> {
        let (windows, number) = (self.windows, self.number);
        let gauges = self.window.iter();
        gauges.filter(move |gauge| windows.is_in(gauge, number))
    }

    /// Whether the keys do not all lie in a cache that is near.
    #[inline]
    fn is_far(&self) -> bool {
        self.stream.keys() > FAR
    }

    /// Answers what is asked of the window at an instant, for an event that is not in it.
    fn read(&self, shard: &mut Shard, answers: &mut [Kleene], at: i64) {
        let ask = |view: &View<'_>| self.answer(view, answers);
        self.stream.read(shard, self.key, at, None, ask);
    }

    /// The same for an event that is, or as if it were.
    #[inline]
    fn read_with(
        &self,
        shard: &mut Shard,
        answers: &mut [Kleene],
        given: &Given<'_>,
        count: Count,
    ) {
        let ask = |view: &View<'_>| self.answer(view, answers);
        let (stream, key) = (self.stream, self.key);
        match count {
            Count::Now => stream.observe(shard, key, given, ask),
            Count::No => stream.read(shard, key, given.at, Some(given), ask),
        }
    }

    #[inline]
    fn answer(&self, view: &View<'_>, answers: &mut [Kleene]) {
        for gauge in self.gauges() {
            for ask in &gauge.asks {
                if let Some(to) = answers.get_mut(ask.test as usize) {
                    *to = answer(ask, view, gauge.function);
                }
            }
        }
    }
}

/// Reads the windows of some streams, and leaves none of them.
// PERF: they are looked for at once.
#[inline]
fn each_far<'a>(visits: &mut Visits<'a>, mut read: impl FnMut(&Visit<'a>, &mut Shard)) {
    // The locks are taken in the order of the streams, by everyone.
    visits.sort_unstable_by_key(|visit| visit.map_or(u64::MAX, |visit| visit.stream.serial));
    let mut shards: [Option<MutexGuard<'a, Shard>>; AT_ONCE] = [const { None }; AT_ONCE];
    for (shard, visit) in shards.iter_mut().zip(visits.iter()) {
        *shard = visit.and_then(|visit| visit.stream.lock(visit.key));
    }
    look(visits, &shards);
    for (shard, visit) in shards.iter_mut().zip(visits) {
        if let (Some(shard), Some(visit)) = (shard, visit.take()) {
            read(&visit, shard);
        }
    }
}

/// Looks at where keys are kept, without using what is there.
// PERF: none of these looks waits for the one before it, so that memory that is far away comes for
// all keys at once.
#[inline]
fn look(visits: &Visits<'_>, shards: &[Option<MutexGuard<'_, Shard>>]) {
    let mut places = [None; AT_ONCE];
    let mut seen = 0;
    let each = || {
        let both = visits.iter().zip(shards);
        both.map(|(visit, shard)| visit.as_ref().zip(shard.as_ref()))
    };
    for (each, place) in each().zip(&mut places) {
        *place = each.and_then(|(visit, shard)| shard.touch(visit.key));
    }
    for (each, place) in each().zip(places) {
        seen ^= each.zip(place).map_or(0, |((visit, shard), place)| {
            shard.touch_ring(visit.stream.shape, place)
        });
    }
    std::hint::black_box(seen);
}

#[inline]
fn answer(ask: &Ask, view: &View<'_>, function: Function) -> Kleene {
    // PERF: nearly all are exact counts, or exact sums of few digits.
    let figure = view.plain(function);
    if let (Some(Figure::Count(count)), Value::Whole(threshold)) = (figure, &ask.threshold) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        return Kleene::from_bool(ask.op.holds(count.cmp(threshold)));
    }
    if let (Some(Figure::Sum(sum)), Some(threshold)) = (figure, ask.decimal)
        && let Some(order) = sum.compare(threshold.into())
    {
        return Kleene::from_bool(ask.op.holds(order));
    }
    slowly(ask, view, function)
}

#[cold]
fn slowly(ask: &Ask, view: &View<'_>, function: Function) -> Kleene {
    match Amount::of(&ask.threshold) {
        Some(threshold) => view.interval(function).compare(ask.op, threshold),
        None => Kleene::Unknown,
    }
}
