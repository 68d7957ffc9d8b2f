//! How an event in slots is measured.
//!
//! In: an event as slots, the gauges of its kind. Out: the answers of the tests of measures.
//! Invariant: once the buffers have grown nothing is allocated but what the windows keep.
//! Method: the keys of all streams first; then a look at where each is kept, so that memory that is
//! far away comes while others are waited for; then each window, one after the other, for all measures
//! that it is of.

use std::ops::Range;
use std::sync::MutexGuard;

use super::plan::Part;
use super::ring::{Decimal, Figure, Function, Given, View};
use super::secret::Print;
use super::shard::Shard;
use super::stream::Stream;
use super::{Measured, Windows, nanos, span};
use crate::decision::Kleene;
use crate::program::gauge::{Ask, Gauge, Writing};
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
    /// One for each stream that has to do with the event.
    found: Vec<Found>,
    writing: Writing,
    /// By test of the kind.
    pub(crate) answers: Vec<Kleene>,
}

/// What an event is for the measures that one stream keeps.
#[derive(Debug, Clone)]
struct Found {
    stream: usize,
    /// Of the kind.
    gauges: Range<usize>,
    key: Print,
    /// Whether it passes `where`: false of an event that is not of the measured kind.
    passes: Kleene,
    sum: Decimal,
    value: Print,
}

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
        let lateness = span(counting.lateness);
        let Measuring {
            found,
            writing,
            answers,
        } = measuring;
        answers.clear();
        answers.resize(kind.measure_tests.len(), Kleene::Unknown);
        let (Some(at), Some(layout)) = (
            nanos(counting.at),
            program.layout.kinds.get(slots.kind().0 as usize),
        ) else {
            return;
        };
        let seen = Seen { slots, input };
        let id = slots.id(input);
        let id = id.map(|id| (Print::of(&self.hasher, id), id));
        if count == Count::Now {
            self.happens(slots.kind(), at, counting.received);
        }
        program.start(kind, scratch);
        found.clear();
        let mut from = 0;
        let mut last: Option<(&[u16], Option<Print>)> = None;
        while let Some((first, gauges)) = self.together(&kind.gauges, from) {
            let range = from..from + gauges.len();
            from = range.end;
            let [gauge, ..] = gauges else { break };
            let passes = match (gauge.counts, gauge.filter) {
                (false, _) => Kleene::False,
                (true, None) => Kleene::True,
                (true, Some(filter)) => program.answer(kind, seen, filter, scratch),
            };
            if passes == Kleene::False && gauges.iter().all(|gauge| gauge.asks.is_empty()) {
                continue;
            }
            // PERF: measures of one kind often have one key.
            let known = last.filter(|(by, _)| *by == &*gauge.by);
            let key = known.map(|(_, key)| key);
            let key = key.unwrap_or_else(|| self.key(gauge, layout, seen, writing));
            last = Some((&gauge.by, key));
            let Some(key) = key else { continue };
            let mut visit = Found {
                stream: first.stream,
                gauges: range,
                key,
                passes,
                sum: Decimal::default(),
                value: Print::default(),
            };
            if passes != Kleene::False {
                for gauge in gauges {
                    self.quantity_of(gauge, layout, seen, writing, &mut visit);
                }
            }
            found.push(visit);
        }
        let mut read = |found: &Found, place: &mut Place<'_>| {
            let Place { stream, key, shard } = place;
            let given = Given {
                at,
                lateness,
                id,
                sure: found.passes == Kleene::True,
                sum: found.sum,
                value: found.value,
            };
            let gauges = kind.gauges.get(found.gauges.clone()).unwrap_or_default();
            let ask = |view: &View<'_>| {
                for gauge in gauges {
                    let Some(part) = self.part(gauge.measure) else {
                        continue;
                    };
                    for ask in &gauge.asks {
                        if let Some(to) = answers.get_mut(ask.test as usize) {
                            *to = answer(ask, view, part.function);
                        }
                    }
                }
            };
            match (found.passes, count) {
                (Kleene::False, _) => stream.read(shard, *key, at, None, ask),
                (_, Count::Now) => stream.observe(shard, *key, &given, ask),
                (_, Count::No) => stream.read(shard, *key, at, Some(&given), ask),
            }
        };
        if !self.is_far(found) {
            for found in found.iter() {
                if let Some(mut place) = self.kept(found) {
                    read(found, &mut place);
                }
            }
            return;
        }
        // The locks are taken in the order of the streams, by everyone.
        found.sort_unstable_by_key(|found| found.stream);
        for found in found.chunks(AT_ONCE) {
            let mut places: [Option<Place<'_>>; AT_ONCE] = std::array::from_fn(|_| None);
            for (place, found) in places.iter_mut().zip(found) {
                *place = self.kept(found);
            }
            look(&places);
            for (place, found) in places.iter_mut().zip(found) {
                if let Some(place) = place {
                    read(found, place);
                }
            }
        }
    }

    /// The gauges from one on that one stream keeps.
    #[inline]
    fn together<'g>(&self, gauges: &'g [Gauge], from: usize) -> Option<(Part, &'g [Gauge])> {
        let rest = gauges.get(from..)?;
        let first = self.part(rest.first()?.measure)?;
        let is_other = |gauge: &Gauge| {
            let part = self.part(gauge.measure);
            part.is_none_or(|part| part.stream != first.stream)
        };
        let end = rest.iter().position(is_other).unwrap_or(rest.len());
        Some((first, rest.get(..end)?))
    }

    /// Whether some keys do not lie in a cache that is near.
    #[inline]
    fn is_far(&self, found: &[Found]) -> bool {
        found.iter().any(|found| {
            let placed = self.streams.get(found.stream);
            placed.is_some_and(|placed| placed.stream.keys() > FAR)
        })
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
        found: &mut Found,
    ) {
        match self.part(gauge.measure).map(|part| part.function) {
            Some(Function::Sum) => {
                let number = gauge.number(layout, seen);
                let (mantissa, scale) = number.unwrap_or_default();
                found.sum = Decimal { mantissa, scale };
            }
            Some(Function::Distinct) => {
                let value = gauge.write_value(layout, seen, writing);
                found.value = Print::of(&self.hasher, value.unwrap_or_default());
            }
            Some(Function::Count) | None => {}
        }
    }

    /// Where the key of an event is kept.
    #[inline]
    fn kept(&self, found: &Found) -> Option<Place<'_>> {
        let stream = &*self.streams.get(found.stream)?.stream;
        let shard = stream.lock(found.key)?;
        Some(Place {
            stream,
            key: found.key,
            shard,
        })
    }
}

/// Where a key is kept.
struct Place<'w> {
    stream: &'w Stream,
    key: Print,
    shard: MutexGuard<'w, Shard>,
}

/// Looks at where keys are kept, without using what is there.
// PERF: none of these looks waits for the one before it, so that memory that is far away comes for
// all keys at once.
#[inline]
fn look(places: &[Option<Place<'_>>]) {
    let mut slots = [0; AT_ONCE];
    let mut seen = 0;
    let each = || places.iter().map(Option::as_ref);
    for (place, slot) in each().zip(&mut slots) {
        *slot = place.map_or(0, |place| place.shard.touch(place.key));
    }
    for (place, slot) in each().zip(slots) {
        seen ^= place.map_or(0, |place| place.shard.touch_held(slot));
    }
    for (place, slot) in each().zip(slots) {
        seen ^= place.map_or(0, |place| place.shard.touch_ring(place.stream.shape, slot));
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
