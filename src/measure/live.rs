//! How an event as values is measured: for whole decisions, with the events that a window holds.
//!
//! In: an event as the reference evaluator sees it. Out: [`Measured`].
//! Invariant: the windows that slots come to, with the same keys.

use std::collections::HashMap;

use super::ring::{Decimal, Given, View};
use super::secret::Print;
use super::{Counting, Windows, nanos, span};
use crate::clock::{Duration, Timestamp};
use crate::decision::{Kleene, WindowEvent};
use crate::event::Event;
use crate::limits::WINDOW_IDS;
use crate::matrix::{Matrix, MeasureId};
use crate::program::gauge::{Function, Writing, write_key};
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
        let occurrences = [(id, occurrence)];
        let measured = self
            .windows
            .measure_values(facts.event(), &occurrences, counting, false)?;
        measured.into_iter().next().map(|(_, measured)| measured)
    }
}

/// The windows with an event that was counted, as it was when it was.
#[derive(Debug)]
pub(crate) struct Counted<'w> {
    live: Live<'w>,
    noted: HashMap<MeasureId, Measured>,
}

impl<'w> Counted<'w> {
    /// Counts an event with its final values in every window that counts it.
    pub(crate) fn now(
        windows: &'w Windows,
        matrix: &Matrix,
        event: &Event,
        counting: Counting,
    ) -> Self {
        let mut noted = HashMap::new();
        let facts = Facts::without_past(matrix, event);
        if let (Some(facts), Some(at)) = (facts, nanos(counting.at)) {
            windows.happens(event.kind, at, counting);
            let streams = windows.streams.iter();
            for placed in streams.filter(|placed| placed.kind == event.kind) {
                let measures = placed.measures.iter();
                let occurrences: Vec<_> = measures
                    .filter_map(|id| Some((*id, Occurrence::of(matrix.measure(*id)?, &facts)?)))
                    .filter(|(_, occurrence)| occurrence.passes != Kleene::False)
                    .collect();
                let measured = windows.measure_values(event, &occurrences, counting, true);
                noted.extend(measured.unwrap_or_default());
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
        match self.noted.get(&id) {
            Some(measured) => Some(measured.clone()),
            None => self.live.measured(facts, id, instant),
        }
    }
}

impl Windows {
    /// What measures that one stream keeps are for an event, which all of them see alike.
    fn measure_values(
        &self,
        event: &Event,
        occurrences: &[(MeasureId, Occurrence)],
        counting: Counting,
        count: bool,
    ) -> Option<Vec<(MeasureId, Measured)>> {
        let at = nanos(counting.at)?;
        let (id, first) = occurrences.first()?;
        let stream = self.stream(self.part(*id)?)?;
        let mut writing = Writing::default();
        let values: Vec<&Value> = first.key.iter().collect();
        write_key(&values, &mut writing);
        let key = Print::of(&self.hasher, writing.bytes());
        let name = event.id.as_deref().map(str::as_bytes);
        let mut given = Given {
            at,
            lateness: span(counting.lateness),
            id: name.map(|name| (Print::of(&self.hasher, name), name)),
            sure: first.passes == Kleene::True,
            sum: Decimal::default(),
            value: Print::default(),
        };
        for (id, occurrence) in occurrences {
            match (self.part(*id)?.function, &occurrence.value) {
                (Function::Sum, Some(value)) => given.sum = amount(value).unwrap_or_default(),
                (Function::Distinct, Some(value)) => {
                    writing.clear();
                    writing.value(value);
                    given.value = Print::of(&self.hasher, writing.bytes());
                }
                _ => {}
            }
        }
        let passes = first.passes != Kleene::False;
        let mut shard = stream.lock(key)?;
        let mut names = stream.names(&shard, key);
        names.extend(name.filter(|_| passes).map(<[u8]>::to_vec));
        let last = stream.last(&shard, key, at, WINDOW_IDS);
        let id = || event.id.as_deref().map(str::to_owned);
        let measured = |view: &View<'_>| {
            let more = view.has_more().then(id);
            let last = self.named(last, names, counting.at, more, view.entries());
            let parts = occurrences
                .iter()
                .filter_map(|(id, _)| Some((*id, self.part(*id)?)));
            let measured = parts.map(|(id, part)| {
                let measured = Measured {
                    interval: view.interval(part.function),
                    partial: view.partial(part.function),
                    last: last.clone(),
                };
                (id, measured)
            });
            measured.collect()
        };
        let more = passes.then_some(&given);
        let measured = stream.read(&mut shard, key, at, more, measured);
        if count {
            // What it reads is the same, but the events are those of before.
            stream.observe(&mut shard, key, &given, |_| ());
        }
        Some(measured)
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

/// What a value adds to a sum.
fn amount(value: &Value) -> Option<Decimal> {
    let whole = |mantissa| Decimal { mantissa, scale: 0 };
    Some(match value {
        Value::Number(number) | Value::Money(number, _) => Decimal {
            mantissa: number.mantissa(),
            scale: u8::try_from(number.scale()).ok()?,
        },
        Value::Whole(number) => whole(i128::from(*number)),
        Value::Duration(span) => whole(i128::from(span.as_millis())),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::check::{Options, check_text};
    use crate::measure::{Bounds, Counts, Secret, Sources};
    use crate::reference::{Partial, Windows as _};

    fn matrix(measures: &[&str]) -> Arc<Matrix> {
        let mut text = String::from(
            "matrix \"Live\" {\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  unreadable \
             deny\n}\nevent call {\n  user: text\n  amount: money USD 0 to 1000000\n}\nteam ops \
             {\n  first person \"o@acme.example\"\n  backup group \"g\"\n}\n",
        );
        for (number, measure) in measures.iter().enumerate() {
            text.push_str(&format!(
                "lane l{number} {{\n  on call\n  when {measure} of call by user over 10m > 3\n  \
                 group by user\n  owner ops\n  urgency normal\n  respond within 30m\n  meanwhile hold \
                 item\n  evidence {{\n    required trigger\n  }}\n  timeout {{\n    after 2h deny\n  \
                 }}\n}}\n"
            ));
        }
        let text = text.replace(
            "sum amount of call by user over 10m > 3",
            "sum amount of call by user over 10m > 3 USD",
        );
        let loaded = check_text("m.lane", &text, &Options::default());
        loaded.into_matrix().unwrap()
    }

    /// A decision that runs while the matrix is swapped still asks for what the new one leaves out.
    #[test]
    fn what_a_new_matrix_leaves_out_is_a_lower_bound_for_the_old_one() {
        let (old, new) = (matrix(&["count", "sum amount"]), matrix(&["count"]));
        let bounds = Bounds::of(&Default::default(), &Sources::default(), Counts::default());
        let before = Windows::new(&old, bounds, Secret::random());
        let now = Timestamp::UNIX_EPOCH;
        let after = before.carried(&new, now);
        let counting = Counting::at(now);
        let json = br#"{"kind": "call", "user": "u", "amount": 2}"#;
        let read = |matrix: &Matrix| {
            let limits = Default::default();
            crate::event::read(json, &matrix.schema, &limits, now).unwrap()
        };
        let live = Live {
            windows: &before,
            lateness: counting.lateness,
        };
        let event = read(&old);
        let facts = Facts::without_past(&old, &event).unwrap();
        let [count, sum] = [0, 1].map(MeasureId);
        let partial = |id| live.measured(&facts, id, now).unwrap().partial;
        Counted::now(&before, &old, &event, counting);
        let after_old = Live {
            windows: &after,
            ..live
        };
        // One is kept by both, with what was counted by either.
        Counted::now(&after, &new, &read(&new), counting);
        let counted = after_old.measured(&facts, count, now).unwrap();
        assert_eq!(counted.partial, None);
        assert_eq!(
            counted.interval.low,
            crate::reference::Amount::of(&Value::Whole(3))
        );
        assert_eq!(partial(count), None);
        assert_eq!(partial(sum), Some(Partial::Lost));
    }
}
