//! What happened before: for each measure and key the events that its window can still reach.
//!
//! In: every decided event, once, with its final values. Out: what a measure is for an event.
//! Invariant: a window is exact, or it is known to be a lower bound; nothing that could matter is
//! forgotten silently. Memory is bounded in events of a key and in keys ([`Limits`]), and entries that
//! no window can reach any more are let go.
//! Knows no lanes and reads no clock: the newest recorded instant is its time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::clock::{Duration, Timestamp};
use crate::decision::{Kleene, WindowEvent};
use crate::event::Event;
use crate::limits::{CLOCK_JUMP, FUTURE, LATENESS, Limits, WINDOW_IDS};
use crate::matrix::{Matrix, Measure, MeasureFunction, MeasureId};
use crate::schema::{FieldId, KindId};
use crate::value::Value;

use super::eval::Facts;
use super::field::comparable;
use super::interval::{Amount, Interval};
use super::measured::{Measured, Partial, Windows};

/// The values of a measure's `by`.
type Key = Vec<Value>;

/// The events that the measures of one matrix still need.
#[derive(Debug)]
pub struct History {
    measures: Arc<[MeasureId]>,
    streams: HashMap<MeasureId, Stream>,
    /// The newest instant of the events of each kind.
    newest: HashMap<KindId, Timestamp>,
    lost_at: Option<Timestamp>,
    /// Of measures that were not kept from the beginning: until when their events are lost.
    begun_at: HashMap<MeasureId, Timestamp>,
    late_dropped: u64,
    keys_refused: u64,
    limits: Limits,
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
            newest: HashMap::new(),
            lost_at: None,
            begun_at: HashMap::new(),
            late_dropped: 0,
            keys_refused: 0,
            limits: Limits::default(),
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
            limits: self.limits.clone(),
            ..Self::new(to)
        };
        for kind in to.schema.kinds() {
            let old = from.schema.kind_named(&kind.name);
            let old = old.filter(|old| old.is_like(kind));
            if let Some(newest) = old.and_then(|old| self.newest.get(&old.id)) {
                carried.newest.insert(kind.id, *newest);
            }
        }
        let old: HashMap<&str, MeasureId> = (0u32..)
            .zip(&from.measures)
            .map(|(id, measure)| (measure.text.as_str(), MeasureId(id)))
            .collect();
        for (id, measure) in (0u32..).map(MeasureId).zip(&to.measures) {
            let same = old.get(measure.text.as_str()).copied().filter(|old| {
                let kinds = from.measure(*old).and_then(|old| from.kind(old.kind));
                let kinds = kinds.zip(to.kind(measure.kind));
                let is_like = kinds.is_some_and(|(old, new)| old.is_like(new));
                let old = from.measure(*old).map(|old| from.window_definition(old));
                is_like && old == Some(to.window_definition(measure))
            });
            let Some(same) = same else {
                let newest = carried.newest.get(&measure.kind).copied();
                let begun = after(now, FUTURE);
                carried
                    .begun_at
                    .insert(id, newest.unwrap_or(begun).max(begun));
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

    /// The same with other bounds.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// An event of a kind is received now. Where the clock went back by more than is caught up with, its
    /// windows begin anew, and are lower bounds until they lie behind the instant.
    pub fn receive(&mut self, matrix: &Matrix, kind: KindId, now: Timestamp) {
        let ahead = after(now, CLOCK_JUMP);
        if self.newest.get(&kind).is_none_or(|newest| *newest <= ahead) {
            return;
        }
        self.newest.insert(kind, now);
        for (id, measure) in (0u32..).map(MeasureId).zip(&matrix.measures) {
            if measure.kind == kind {
                self.streams.remove(&id);
                self.begun_at.insert(id, after(now, FUTURE));
            }
        }
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
        let newest = self.newest.entry(event.kind).or_insert(instant);
        *newest = instant.max(*newest);
        let newest = *newest;
        for id in self.measures.clone().iter() {
            let measure = matrix.measure(*id).filter(|m| m.kind == event.kind);
            let Some(measure) = measure else { continue };
            let stream = self.streams.entry(*id).or_default();
            let reach = Reach {
                newest,
                window: measure.window,
            };
            let occurrence = Occurrence::of(measure, &facts);
            let entry = occurrence.as_ref();
            let entry = entry.and_then(|occurrence| Entry::of(occurrence, &facts, instant));
            if let (Some(entry), Some(occurrence)) = (entry, occurrence) {
                let lost = stream.record(reach, &self.limits, occurrence.key, entry);
                self.late_dropped += u64::from(lost == Some(Partial::Late));
                self.keys_refused += u64::from(lost == Some(Partial::Refused));
            }
            stream.sweep(reach);
        }
    }
}

impl Windows for History {
    fn measured(&self, facts: &Facts<'_>, id: MeasureId, instant: Timestamp) -> Option<Measured> {
        let measure = facts.matrix.measure(id)?;
        let occurrence = Occurrence::of(measure, facts)?;
        let key = &occurrence.key;
        let reach = self.newest.get(&measure.kind).map(|newest| Reach {
            newest: *newest,
            window: measure.window,
        });
        let stream = self.streams.get(&id);
        let window = stream.and_then(|stream| stream.windows.get(key));

        let mut inside: Vec<&Entry> = Vec::new();
        if let (Some(window), Some(reach)) = (window, reach) {
            // What is out of reach of all that is not late is gone, whether there is room or not.
            let from = before(instant, measure.window).max(reach.horizon());
            inside.extend(window.between(from, instant));
        }
        let current = Entry::of(&occurrence, facts, instant);
        if let Some(current) = &current
            && !inside.iter().any(|entry| entry.is_repeated_by(current))
        {
            inside.push(current);
        }
        // Of a window that is full the oldest is let go of for the event at hand.
        if inside.len() > self.limits.events_of_a_window() {
            inside.remove(0);
        }

        let lost_at = self.lost_at.max(self.begun_at.get(&id).copied());
        let lost = lost_at.is_some_and(|lost| instant < after(lost, measure.window));
        let partial = if lost {
            Some(Partial::Lost)
        } else if inside.len() >= self.limits.events_of_a_window() {
            Some(Partial::Full)
        } else {
            match (reach, stream) {
                // What a window at that instant reached is let go of.
                (Some(reach), _) if reach.is_late(instant) => Some(Partial::Late),
                (_, Some(stream)) => stream.partial(window, measure.window, instant),
                _ => None,
            }
        };
        let mut interval = interval(measure.function, &inside);
        if partial.is_some() {
            interval.high = None;
        }
        let last = inside.iter().rev().take(WINDOW_IDS).rev();
        let recent = window.map(|window| &window.recent);
        let is_recent = |entry: &Entry| {
            let id = entry.id.as_ref()?;
            let current = current.as_ref().and_then(|current| current.id.as_ref());
            let known = recent.is_some_and(|recent| recent.contains(id)) || current == Some(id);
            known.then(|| id.to_string())
        };
        let last = last.map(|entry| WindowEvent {
            id: is_recent(entry),
            at: entry.at,
        });
        Some(Measured {
            interval,
            partial,
            last: last.collect(),
        })
    }
}

/// What an event is for a measure.
#[derive(Debug, Clone)]
pub(crate) struct Occurrence {
    /// The values of its key.
    pub(crate) key: Vec<Value>,
    /// Whether it passes `where`: false of an event that is not of the measured kind.
    pub(crate) passes: Kleene,
    /// What is summed, or told apart.
    pub(crate) value: Option<Value>,
}

impl Occurrence {
    /// `None` for an event without a key.
    pub(crate) fn of(measure: &Measure, facts: &Facts<'_>) -> Option<Self> {
        let key = key_of(measure, facts)?;
        let passes = match &measure.filter {
            _ if measure.kind != facts.kind.id => Kleene::False,
            Some(filter) => facts.value(filter),
            None => Kleene::True,
        };
        let field = match measure.function {
            MeasureFunction::Count => None,
            MeasureFunction::Sum(field) | MeasureFunction::Distinct(field) => Some(field),
        };
        Some(Self {
            key,
            passes,
            value: field.and_then(|field| value_of(facts, field)),
        })
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
    /// The entry of an event; `None` where it surely does not pass.
    fn of(occurrence: &Occurrence, facts: &Facts<'_>, at: Timestamp) -> Option<Self> {
        let passes = occurrence.passes;
        (passes != Kleene::False).then(|| Self {
            at,
            id: facts.event.id.clone(),
            surely: passes == Kleene::True,
            value: occurrence.value.clone(),
        })
    }

    fn is_repeated_by(&self, other: &Self) -> bool {
        self.id.is_some() && self.id == other.id
    }
}

/// A value as keys and distinct counts see it.
pub(crate) fn value_of(facts: &Facts<'_>, field: FieldId) -> Option<Value> {
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
    windows: HashMap<Key, Window>,
    /// Until then a key that is not held may have been refused.
    refused_until: Option<Timestamp>,
    /// Events until the next sweep.
    unswept: usize,
}

impl Stream {
    /// Puts an entry in its place; says why if it could not.
    fn record(&mut self, reach: Reach, limits: &Limits, key: Key, entry: Entry) -> Option<Partial> {
        let until = after(reach.newest, reach.window);
        let is_new = !self.windows.contains_key(&key);
        if is_new && self.windows.len() >= limits.window_keys {
            self.refused_until = self.refused_until.max(Some(until));
            return Some(Partial::Refused);
        }
        let refused_until = self.refused_until;
        let held = self.windows.entry(key).or_insert_with(|| Window {
            // What was refused of this key before there was room for it is not in it.
            bound_until: refused_until,
            ..Window::default()
        });
        if held.has(&entry, reach) {
            return None;
        }
        if reach.is_late(entry.at) {
            held.bound_until = held.bound_until.max(Some(until));
            return Some(Partial::Late);
        }
        held.insert(entry, limits.events_of_a_window());
        held.evict(reach.horizon());
        None
    }

    /// Why the window of an event that counts at an instant may lack some.
    fn partial(
        &self,
        held: Option<&Window>,
        window: Duration,
        instant: Timestamp,
    ) -> Option<Partial> {
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
    fn sweep(&mut self, reach: Reach) {
        if self.unswept > 0 {
            self.unswept -= 1;
            return;
        }
        let horizon = reach.horizon();
        let oldest_query = before(reach.newest, LATENESS);
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
    /// The ids of the events that came last.
    recent: VecDeque<Arc<str>>,
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
    fn has(&self, entry: &Entry, reach: Reach) -> bool {
        let from = before(entry.at, reach.window).max(reach.horizon());
        entry.id.is_some()
            && self
                .between(from, Timestamp::MAX_UTC)
                .any(|held| held.is_repeated_by(entry))
    }

    fn insert(&mut self, entry: Entry, most: usize) {
        if let Some(id) = &entry.id {
            self.recent.push_back(id.clone());
            if self.recent.len() > WINDOW_IDS {
                self.recent.pop_front();
            }
        }
        let place = self.entries.partition_point(|held| held.at <= entry.at);
        self.entries.insert(place, entry);
        if self.entries.len() > most {
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

/// How far back the windows of a measure reach.
#[derive(Debug, Clone, Copy)]
struct Reach {
    /// The newest instant of an event of the measured kind.
    newest: Timestamp,
    window: Duration,
}

impl Reach {
    /// Whether an event comes too late.
    fn is_late(self, at: Timestamp) -> bool {
        at < before(self.newest, LATENESS)
    }

    /// No window of an event that is not too late reaches back to this instant.
    fn horizon(self) -> Timestamp {
        before(before(self.newest, LATENESS), self.window)
    }
}

fn before(instant: Timestamp, span: Duration) -> Timestamp {
    let earlier = instant.checked_sub_signed(span.to_chrono());
    earlier.unwrap_or(Timestamp::MIN_UTC)
}

fn after(instant: Timestamp, span: Duration) -> Timestamp {
    let later = instant.checked_add_signed(span.to_chrono());
    later.unwrap_or(Timestamp::MAX_UTC)
}
