//! How an event as values is measured: for whole decisions, with the events that a window holds.
//!
//! In: an event as the reference evaluator sees it. Out: [`Measured`].
//! Invariant: the windows that slots come to, with the same keys.

use super::ring::{Decimal, Given, Quantity, Shape};
use super::secret::Print;
use super::stream::Stream;
use super::{Counting, Windows, nanos, span};
use crate::clock::{Duration, Timestamp};
use crate::decision::{Kleene, WindowEvent};
use crate::event::Event;
use crate::limits::WINDOW_IDS;
use crate::matrix::{Matrix, MeasureId};
use crate::program::gauge::{Writing, write_key};
use crate::reference::{self, Facts, Measured, Occurrence};
use crate::value::Value;

/// The windows as they are. An event is measured as if it were counted, and is not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Live<'w> {
    pub(crate) windows: &'w Windows,
    /// How late the event may be.
    pub(crate) lateness: Duration,
}

impl reference::Windows for Live<'_> {
    fn measured(&self, facts: &Facts<'_>, id: MeasureId, instant: Timestamp) -> Option<Measured> {
        let measure = facts.matrix.measure(id)?;
        let occurrence = Occurrence::of(measure, facts)?;
        let counting = Counting {
            lateness: self.lateness,
            ..Counting::at(instant)
        };
        self.windows
            .measure_values(id, facts.event(), &occurrence, counting, false)
    }
}

/// The windows with an event that was counted, as it was when it was.
#[derive(Debug)]
pub(crate) struct Counted<'w> {
    live: Live<'w>,
    noted: Vec<(MeasureId, Measured)>,
}

impl<'w> Counted<'w> {
    /// Counts an event with its final values in every window that counts it.
    pub(crate) fn now(
        windows: &'w Windows,
        matrix: &Matrix,
        event: &Event,
        counting: Counting,
    ) -> Self {
        let mut noted = Vec::new();
        let facts = Facts::without_past(matrix, event);
        if let (Some(facts), Some(at)) = (facts, nanos(counting.at)) {
            windows.happens(event.kind, at, counting.received);
            for (id, measure) in (0u32..).map(MeasureId).zip(&matrix.measures) {
                if measure.kind != event.kind {
                    continue;
                }
                let occurrence = Occurrence::of(measure, &facts);
                let Some(occurrence) = occurrence.filter(|o| o.passes != Kleene::False) else {
                    continue;
                };
                let measured = windows.measure_values(id, event, &occurrence, counting, true);
                noted.extend(measured.map(|measured| (id, measured)));
            }
        }
        let lateness = counting.lateness;
        Self {
            live: Live { windows, lateness },
            noted,
        }
    }
}

impl reference::Windows for Counted<'_> {
    fn measured(&self, facts: &Facts<'_>, id: MeasureId, instant: Timestamp) -> Option<Measured> {
        let mut noted = self.noted.iter().filter(|(noted, _)| *noted == id);
        match noted.next() {
            Some((_, measured)) => Some(measured.clone()),
            None => self.live.measured(facts, id, instant),
        }
    }
}

impl Windows {
    fn measure_values(
        &self,
        id: MeasureId,
        event: &Event,
        occurrence: &Occurrence,
        counting: Counting,
        count: bool,
    ) -> Option<Measured> {
        let (stream, at) = (self.stream(id)?, nanos(counting.at)?);
        let mut writing = Writing::default();
        let values: Vec<&Value> = occurrence.key.iter().collect();
        write_key(&values, &mut writing);
        let key = Print::of(&self.hasher, writing.bytes());
        let name = event.id.as_deref().map(str::as_bytes);
        let given = Given {
            at,
            lateness: span(counting.lateness),
            id: name.map(|name| (Print::of(&self.hasher, name), name)),
            sure: occurrence.passes == Kleene::True,
            quantity: self.quantity(stream, occurrence.value.as_ref()),
        };
        let passes = occurrence.passes != Kleene::False;
        let mut shard = stream.lock(key)?;
        let mut names = stream.names(&shard, key);
        names.extend(name.filter(|_| passes).map(<[u8]>::to_vec));
        let reading = stream.read(&mut shard, key, at, passes.then_some(&given));
        let last = stream.last(&shard, key, at, WINDOW_IDS);
        if count {
            // What it reads is the same, but the events are those of before.
            stream.observe(&mut shard, key, &given);
        }
        drop(shard);
        let id = || event.id.as_deref().map(str::to_owned);
        let more = reading.inside.more.then(id);
        Some(Measured {
            interval: reading.interval(),
            partial: reading.partial,
            last: self.named(last, names, counting.at, more, reading.inside.entries),
        })
    }

    fn quantity(&self, stream: &Stream, value: Option<&Value>) -> Quantity {
        let Some(value) = value else {
            return Quantity::None;
        };
        match (stream.shape, value) {
            (Shape::Sum, Value::Number(number) | Value::Money(number, _)) => {
                Quantity::Sum(Decimal {
                    mantissa: number.mantissa(),
                    scale: u8::try_from(number.scale()).unwrap_or(u8::MAX),
                })
            }
            (Shape::Sum, Value::Whole(number)) => whole(i128::from(*number)),
            (Shape::Sum, Value::Duration(span)) => whole(i128::from(span.as_millis())),
            (Shape::Distinct, value) => {
                let mut writing = Writing::default();
                writing.value(value);
                Quantity::Value(Print::of(&self.hasher, writing.bytes()))
            }
            _ => Quantity::None,
        }
    }

    /// The last events with their ids, and the one at hand where it is measured without being there.
    fn named(
        &self,
        last: Vec<(i64, Print)>,
        names: Vec<Vec<u8>>,
        at: Timestamp,
        more: Option<Option<String>>,
        entries: usize,
    ) -> Vec<WindowEvent> {
        let names: Vec<(Print, Vec<u8>)> = names
            .into_iter()
            .map(|name| (Print::of(&self.hasher, &name), name))
            .collect();
        let held = last.into_iter().map(|(at, print)| {
            let name = names.iter().find(|(known, _)| *known == print);
            WindowEvent {
                id: name.map(|(_, name)| String::from_utf8_lossy(name).into_owned()),
                at: chrono::DateTime::from_timestamp_nanos(at),
            }
        });
        let more = more.map(|id| WindowEvent { id, at });
        let mut events: Vec<_> = held.chain(more).collect();
        events.drain(..events.len().saturating_sub(WINDOW_IDS.min(entries)));
        events
    }
}

fn whole(mantissa: i128) -> Quantity {
    Quantity::Sum(Decimal { mantissa, scale: 0 })
}
