//! What happened before: for each measure and key the events that its window can still reach.
//!
//! In: every decided event, once, with its final values. Out: what a measure is for an event.
//! Invariant: a window is exact, or it is known to be a lower bound; nothing that could matter is
//! forgotten silently. Memory is bounded by [`limits::WINDOW_EVENTS`] a key and
//! [`limits::WINDOW_KEYS`] keys, and entries that no window can reach any more are let go.
//! Knows no lanes and reads no clock: the newest recorded instant is its time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::clock::{Duration, Timestamp};
use crate::decision::Kleene;
use crate::event::Event;
use crate::limits;
use crate::matrix::{Matrix, Measure, MeasureFunction, MeasureId};
use crate::schema::FieldId;
use crate::value::Value;

use super::eval::Facts;
use super::field::comparable;
use super::interval::{Amount, Interval};

/// The values of a measure's `by`.
type Key = Vec<Value>;

/// The events that the measures of one matrix still need.
#[derive(Debug)]
pub struct History {
    measures: Arc<[MeasureId]>,
    streams: HashMap<MeasureId, Stream>,
    lost_at: Option<Timestamp>,
    /// Of measures that were not kept from the beginning: until when their events are lost.
    begun_at: HashMap<MeasureId, Timestamp>,
    late_dropped: u64,
    keys_refused: u64,
    key_cap: usize,
}

impl History {
    /// A complete history in which nothing has happened yet, for all measures of a matrix.
    #[must_use]
    pub fn new(matrix: &Matrix) -> Self {
        let ids = (0u32..).map(MeasureId).zip(&matrix.measures);
        Self::of(ids.map(|(id, _)| id).collect())
    }

    /// A complete history in which nothing has happened yet, for these measures only.
    pub(crate) fn of(measures: Arc<[MeasureId]>) -> Self {
        Self {
            measures,
            streams: HashMap::new(),
            lost_at: None,
            begun_at: HashMap::new(),
            late_dropped: 0,
            keys_refused: 0,
            key_cap: limits::WINDOW_KEYS,
        }
    }

    /// The same history for the measures of another matrix, which decides from an instant on. A
    /// measure that both have, over a kind of the same fields, keeps its windows; those of any other
    /// are lower bounds until they lie behind the instant.
    #[must_use]
    pub fn carried(mut self, from: &Matrix, to: &Matrix, now: Timestamp) -> Self {
        let mut carried = Self {
            lost_at: self.lost_at,
            late_dropped: self.late_dropped,
            keys_refused: self.keys_refused,
            key_cap: self.key_cap,
            ..Self::new(to)
        };
        let old: HashMap<&str, MeasureId> = (0u32..)
            .zip(&from.measures)
            .map(|(id, measure)| (measure.text.as_str(), MeasureId(id)))
            .collect();
        for (id, measure) in (0u32..).map(MeasureId).zip(&to.measures) {
            let same = old.get(measure.text.as_str()).copied().filter(|old| {
                let kinds = from.measure(*old).and_then(|old| from.kind(old.kind));
                let kinds = kinds.zip(to.kind(measure.kind));
                kinds.is_some_and(|(old, new)| old.is_like(new))
            });
            let Some(same) = same else {
                carried.begun_at.insert(id, now);
                continue;
            };
            if let Some(stream) = self.streams.remove(&same) {
                carried.streams.insert(id, stream);
            }
            if let Some(begun) = self.begun_at.get(&same) {
                carried.begun_at.insert(id, *begun);
            }
        }
        carried
    }

    /// Says that events up to an instant are lost: each window that reaches back to it is a lower
    /// bound.
    pub fn mark_lost(&mut self, until: Timestamp) {
        self.lost_at = self.lost_at.max(Some(until));
    }

    /// How many events came too late for their window.
    #[must_use]
    pub fn late_dropped(&self) -> u64 {
        self.late_dropped
    }

    /// How many events had a key beyond the key limit.
    #[must_use]
    pub fn keys_refused(&self) -> u64 {
        self.keys_refused
    }

    /// How many entries are held.
    #[must_use]
    pub fn entries(&self) -> usize {
        let windows = self.streams.values().flat_map(|s| s.windows.values());
        windows.map(|window| window.entries.len()).sum()
    }

    /// How many keys are held.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.streams.values().map(|s| s.windows.len()).sum()
    }

    #[cfg(test)]
    pub(super) fn cap_keys(&mut self, keys: usize) {
        self.key_cap = keys;
    }

    /// Adds a decided event at its own instant.
    pub fn record(&mut self, matrix: &Matrix, event: &Event) {
        self.record_at(matrix, event, event.at());
    }

    /// Adds a decided event at the instant at which it counts.
    pub fn record_at(&mut self, matrix: &Matrix, event: &Event, instant: Timestamp) {
        let Some(facts) = Facts::new(matrix, event, None) else {
            return;
        };
        for id in self.measures.clone().iter() {
            let measure = matrix.measure(*id).filter(|m| m.kind == event.kind);
            let Some(measure) = measure else { continue };
            let stream = self.streams.entry(*id).or_default();
            stream.newest = stream.newest.max(Some(instant));
            let entry = Entry::of(measure, &facts, instant);
            if let (Some(entry), Some(key)) = (entry, key_of(measure, &facts)) {
                let lost = stream.record(measure.window, self.key_cap, key, entry);
                self.late_dropped += u64::from(lost == Some(Partial::Late));
                self.keys_refused += u64::from(lost == Some(Partial::Refused));
            }
            stream.sweep(measure.window);
        }
    }

    /// What a measure is for an event that counts at an instant and is not recorded yet.
    pub(super) fn measure(
        &self,
        facts: &Facts<'_>,
        id: MeasureId,
        instant: Timestamp,
    ) -> Option<Measured> {
        let measure = facts.matrix.measure(id)?;
        let key = key_of(measure, facts)?;
        let from = before(instant, measure.window);
        let stream = self.streams.get(&id);
        let window = stream.and_then(|stream| stream.windows.get(&key));

        let mut inside: Vec<&Entry> = Vec::new();
        if let Some(window) = window {
            inside.extend(window.between(from, instant));
        }
        let current = Entry::of(measure, facts, instant);
        if let Some(current) = &current
            && !inside.iter().any(|entry| entry.is_repeated_by(current))
        {
            inside.push(current);
        }

        let lost_at = self.lost_at.max(self.begun_at.get(&id).copied());
        let lost = lost_at.is_some_and(|lost| instant < after(lost, measure.window));
        let partial = if lost {
            Some(Partial::Lost)
        } else if inside.len() >= limits::WINDOW_EVENTS {
            Some(Partial::Full)
        } else {
            stream.and_then(|stream| stream.partial(window, measure.window, instant))
        };
        let mut interval = interval(measure.function, &inside);
        if partial.is_some() {
            interval.high = None;
        }
        Some(Measured { interval, partial })
    }
}

/// What a measure is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    pub(super) interval: Interval,
    /// Why it is only a lower bound.
    pub(super) partial: Option<Partial>,
}

/// Why a window does not hold all that it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Partial {
    /// An event came too late to be put in.
    Late,
    /// The window is full.
    Full,
    /// There are too many keys.
    Refused,
    /// Earlier events are lost.
    Lost,
}

impl Partial {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Late => "an event came too late to be counted",
            Self::Full => "its window is full",
            Self::Refused => "it has more keys than are kept",
            Self::Lost => "earlier events are lost",
        }
    }
}

/// One measured event.
#[derive(Debug, Clone)]
struct Entry {
    at: Timestamp,
    id: Option<Arc<str>>,
    /// Whether it surely passes `where`; else it may.
    surely: bool,
    /// What is summed, or told apart.
    value: Option<Value>,
}

impl Entry {
    /// The entry of an event; `None` where it is not of the measured kind or surely does not pass.
    fn of(measure: &Measure, facts: &Facts<'_>, at: Timestamp) -> Option<Self> {
        if measure.kind != facts.kind.id {
            return None;
        }
        let passes = match &measure.filter {
            Some(filter) => facts.value(filter),
            None => Kleene::True,
        };
        let field = match measure.function {
            MeasureFunction::Count => None,
            MeasureFunction::Sum(field) | MeasureFunction::Distinct(field) => Some(field),
        };
        (passes != Kleene::False).then(|| Self {
            at,
            id: facts.event.id.clone(),
            surely: passes == Kleene::True,
            value: field.and_then(|field| value_of(facts, field)),
        })
    }

    fn is_repeated_by(&self, other: &Self) -> bool {
        self.id.is_some() && self.id == other.id
    }
}

fn value_of(facts: &Facts<'_>, field: FieldId) -> Option<Value> {
    let value = facts.event.get(facts.kind, field)?;
    Some(comparable(facts.kind, field, value).into_owned())
}

fn key_of(measure: &Measure, facts: &Facts<'_>) -> Option<Key> {
    let values = measure.by.iter().map(|field| value_of(facts, *field));
    values.collect()
}

/// The entries of one measure.
#[derive(Debug, Default)]
struct Stream {
    /// The newest instant of an event of the measured kind.
    newest: Option<Timestamp>,
    windows: HashMap<Key, Window>,
    /// Until then a key that is not held may have been refused.
    refused_until: Option<Timestamp>,
    /// Events until the next sweep.
    unswept: usize,
}

impl Stream {
    /// Puts an entry in its place; says why if it could not.
    fn record(
        &mut self,
        window: Duration,
        key_cap: usize,
        key: Key,
        entry: Entry,
    ) -> Option<Partial> {
        let newest = self.newest.unwrap_or(entry.at);
        let until = after(newest, window);
        let is_late = entry.at < before(newest, limits::LATENESS);
        let is_new = !self.windows.contains_key(&key);
        if is_new && self.windows.len() >= key_cap {
            self.refused_until = self.refused_until.max(Some(until));
            return Some(Partial::Refused);
        }
        let refused_until = self.refused_until;
        let held = self.windows.entry(key).or_insert_with(|| Window {
            // What was refused of this key before there was room for it is not in it.
            bound_until: refused_until,
            ..Window::default()
        });
        if held.has(&entry, window) {
            return None;
        }
        if is_late {
            held.bound_until = held.bound_until.max(Some(until));
            return Some(Partial::Late);
        }
        held.insert(entry);
        held.evict(horizon(newest, window));
        None
    }

    /// Why the window of an event that counts at an instant may lack some.
    fn partial(
        &self,
        held: Option<&Window>,
        window: Duration,
        instant: Timestamp,
    ) -> Option<Partial> {
        // What a window at that instant reached is let go of.
        let is_late = |newest| instant < before(newest, limits::LATENESS);
        if self.newest.is_some_and(is_late) {
            return Some(Partial::Late);
        }
        let Some(held) = held else {
            let refused = self.refused_until.is_some_and(|until| instant < until);
            return refused.then_some(Partial::Refused);
        };
        if held.bound_until.is_some_and(|until| instant < until) {
            Some(Partial::Late)
        } else if held.dropped_to > Some(before(instant, window)) {
            Some(Partial::Full)
        } else {
            None
        }
    }

    /// Lets go of keys that no window can reach. As many events pass before the next sweep as keys
    /// were left by the last one, so that an event pays for a few keys on average, and at most
    /// twice the keys are held.
    fn sweep(&mut self, window: Duration) {
        let Some(newest) = self.newest else { return };
        if self.unswept > 0 {
            self.unswept -= 1;
            return;
        }
        let horizon = horizon(newest, window);
        let oldest_query = before(newest, limits::LATENESS);
        self.windows.retain(|_, held| {
            held.evict(horizon);
            !held.entries.is_empty() || held.bound_until > Some(oldest_query)
        });
        self.unswept = self.windows.len().max(1024);
    }
}

/// The entries of one key.
#[derive(Debug, Default)]
struct Window {
    /// In order of time, then of arrival.
    entries: VecDeque<Entry>,
    /// The newest entry that was let go of because the window is full.
    dropped_to: Option<Timestamp>,
    /// Until then some event that belongs in the window is not in it.
    bound_until: Option<Timestamp>,
}

impl Window {
    /// The entries behind an instant up to another, that one included.
    fn between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = &Entry> {
        let start = self.entries.partition_point(|entry| entry.at <= from);
        let end = self.entries.partition_point(|entry| entry.at <= to);
        self.entries.range(start..end.max(start))
    }

    /// Whether the same event is there already: the same id within one window's length of it. The
    /// first delivery counts.
    fn has(&self, entry: &Entry, window: Duration) -> bool {
        entry.id.is_some()
            && self
                .between(before(entry.at, window), Timestamp::MAX_UTC)
                .any(|held| held.is_repeated_by(entry))
    }

    fn insert(&mut self, entry: Entry) {
        let place = self.entries.partition_point(|held| held.at <= entry.at);
        self.entries.insert(place, entry);
        if self.entries.len() > limits::WINDOW_EVENTS {
            let dropped = self.entries.pop_front();
            self.dropped_to = self.dropped_to.max(dropped.map(|entry| entry.at));
        }
    }

    fn evict(&mut self, horizon: Timestamp) {
        while self.entries.front().is_some_and(|e| e.at <= horizon) {
            self.entries.pop_front();
        }
    }
}

fn interval(function: MeasureFunction, inside: &[&Entry]) -> Interval {
    let surely = || inside.iter().filter(|entry| entry.surely);
    match function {
        MeasureFunction::Count => Interval {
            low: Some(Amount::count(surely().count())),
            high: Some(Amount::count(inside.len())),
        },
        MeasureFunction::Distinct(_) => {
            let some: HashSet<_> = surely().map(|entry| &entry.value).collect();
            let all: HashSet<_> = inside.iter().map(|entry| &entry.value).collect();
            Interval {
                low: Some(Amount::count(some.len())),
                high: Some(Amount::count(all.len())),
            }
        }
        // What is summed is 0 or above, so that each entry can only add.
        MeasureFunction::Sum(_) => Interval {
            low: sum(surely().copied()),
            high: sum(inside.iter().copied()),
        },
    }
}

/// `None` for a sum beyond what can be held: it exceeds every threshold.
fn sum<'e>(entries: impl Iterator<Item = &'e Entry>) -> Option<Amount> {
    entries
        .map(|entry| entry.value.as_ref().and_then(Amount::of))
        .try_fold(Amount::default(), |sum, amount| sum.plus(amount?))
}

/// No window of an event that is not too late reaches back to this instant.
fn horizon(newest: Timestamp, window: Duration) -> Timestamp {
    before(before(newest, limits::LATENESS), window)
}

fn before(instant: Timestamp, span: Duration) -> Timestamp {
    let earlier = instant.checked_sub_signed(span.to_chrono());
    earlier.unwrap_or(Timestamp::MIN_UTC)
}

fn after(instant: Timestamp, span: Duration) -> Timestamp {
    let later = instant.checked_add_signed(span.to_chrono());
    later.unwrap_or(Timestamp::MAX_UTC)
}
