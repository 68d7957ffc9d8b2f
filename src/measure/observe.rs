//! How an event in slots is measured.
//!
//! In: an event as slots, the gauges of its kind. Out: the answers of the tests of measures.
//! Invariant: once the buffers have grown nothing is allocated but what the windows keep.
//! Method: the keys of all measures first; then a look at where each is kept, so that memory that is
//! far away comes while others are waited for; then each window, one after the other.

use std::sync::MutexGuard;

use super::ring::{Decimal, Given, Quantity, Shape};
use super::secret::Print;
use super::shard::Shard;
use super::stream::{Reading, Stream};
use super::{Measured, Windows, nanos, span};
use crate::decision::Kleene;
use crate::program::gauge::{Ask, Gauge, Writing};
use crate::program::{KindProgram, Program, Scratch};
use crate::reference::Amount;
use crate::slots::{KindLayout, Seen};
use crate::value::Value;

/// Measures whose windows are looked for at once.
const AT_ONCE: usize = 4;

/// Keys of a measure beyond which they do not all lie in a cache that is near.
const FAR: usize = 4_096;

/// What one thread needs to measure one event after the other.
#[derive(Debug, Default)]
pub struct Measuring {
    /// By gauge of the kind.
    found: Vec<Found>,
    writing: Writing,
    /// By test of the kind.
    pub(crate) answers: Vec<Kleene>,
}

/// What an event is for a measure.
#[derive(Debug, Clone, Copy)]
struct Found {
    /// Absent where the event has no key.
    key: Option<Print>,
    /// Whether it passes `where`: false of an event that is not of the measured kind.
    passes: Kleene,
    quantity: Quantity,
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
        found.clear();
        let mut last: Option<(&Box<[u16]>, Option<Print>)> = None;
        program.start(kind, scratch);
        for gauge in &kind.gauges {
            let passes = match (gauge.counts, gauge.filter) {
                (false, _) => Kleene::False,
                (true, None) => Kleene::True,
                (true, Some(filter)) => program.answer(kind, seen, filter, scratch),
            };
            // PERF: measures of one kind often have one key.
            let known = last.filter(|(by, _)| *by == &gauge.by);
            let key = known.map(|(_, key)| key);
            let key = key.unwrap_or_else(|| self.key(gauge, layout, seen, writing));
            last = Some((&gauge.by, key));
            let quantity = self.quantity_of(gauge, layout, seen, passes, writing);
            found.push(Found {
                key,
                passes,
                quantity,
            });
        }
        let given = |found: &Found| {
            (found.passes != Kleene::False).then_some(Given {
                at,
                lateness,
                id,
                sure: found.passes == Kleene::True,
                quantity: found.quantity,
            })
        };
        let mut read = |gauge: &Gauge, found: &Found, place: &mut Place<'_>| {
            let Place { stream, key, shard } = place;
            let reading = match (given(found), count) {
                (Some(given), Count::Now) => stream.observe(shard, *key, &given),
                (given, _) => stream.read(shard, *key, at, given.as_ref()),
            };
            for ask in &gauge.asks {
                if let Some(to) = answers.get_mut(ask.test as usize) {
                    *to = answer(ask, &reading);
                }
            }
        };
        if !self.is_far(&kind.gauges) {
            for (gauge, found) in kind.gauges.iter().zip(found.iter()) {
                if let Some(mut place) = self.place(gauge, found) {
                    read(gauge, found, &mut place);
                }
            }
            return;
        }
        let chunks = kind.gauges.chunks(AT_ONCE).zip(found.chunks(AT_ONCE));
        for (gauges, found) in chunks {
            let mut places: [Option<Place<'_>>; AT_ONCE] = std::array::from_fn(|_| None);
            // The locks are taken in the order of the measures, by everyone.
            for (place, (gauge, found)) in places.iter_mut().zip(gauges.iter().zip(found)) {
                *place = self.place(gauge, found);
            }
            look(&places);
            for (place, (gauge, found)) in places.iter_mut().zip(gauges.iter().zip(found)) {
                if let Some(place) = place {
                    read(gauge, found, place);
                }
            }
        }
    }

    /// Whether some keys do not lie in a cache that is near.
    #[inline]
    fn is_far(&self, gauges: &[Gauge]) -> bool {
        gauges.iter().any(|gauge| {
            let stream = self.stream(gauge.measure);
            stream.is_some_and(|stream| stream.keys() > FAR)
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
        passes: Kleene,
        writing: &mut Writing,
    ) -> Quantity {
        let shape = self.stream(gauge.measure).map(|stream| stream.shape);
        match shape {
            Some(Shape::Sum) => {
                let number = gauge.number(layout, seen);
                let (mantissa, scale) = number.unwrap_or_default();
                Quantity::Sum(Decimal { mantissa, scale })
            }
            Some(Shape::Distinct) if passes != Kleene::False => {
                let value = gauge.write_value(layout, seen, writing);
                Quantity::Value(Print::of(&self.hasher, value.unwrap_or_default()))
            }
            _ => Quantity::None,
        }
    }

    /// Where the key of an event is kept, if the measure has to do with the event.
    #[inline]
    fn place<'w>(&'w self, gauge: &Gauge, found: &Found) -> Option<Place<'w>> {
        if found.passes == Kleene::False && gauge.asks.is_empty() {
            return None;
        }
        let (key, stream) = found.key.zip(self.stream(gauge.measure))?;
        let shard = stream.lock(key)?;
        Some(Place { stream, key, shard })
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
        seen ^= place.map_or(0, |place| place.shard.touch_ring(slot));
    }
    std::hint::black_box(seen);
}

#[inline]
fn answer(ask: &Ask, reading: &Reading) -> Kleene {
    // PERF: nearly all are exact counts.
    if let (Some(count), Value::Whole(threshold)) = (reading.exact_count(), &ask.threshold) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        return Kleene::from_bool(ask.op.holds(count.cmp(threshold)));
    }
    // PERF: and sums of few digits.
    if let (Some(sum), Some(threshold)) = (reading.exact_sum(), ask.decimal)
        && let Some(order) = sum.compare(threshold.into())
    {
        return Kleene::from_bool(ask.op.holds(order));
    }
    match Amount::of(&ask.threshold) {
        Some(threshold) => reading.interval().compare(ask.op, threshold),
        None => Kleene::Unknown,
    }
}
