//! Sliding windows at speed: what the measures of a matrix are for an event, from several threads.
//!
//! In: every decided event, once. Out: the answers of the tests that ask for a measure, and what
//! was measured, for the reasons.
//! Invariant: what the reference evaluator's own windows say. Per key the events come in some order,
//! one after the other, and each is counted in the same step in which it is measured. Memory is
//! bounded in keys and in events of a key; nothing that could matter is let go of silently.
//! Knows no lanes, reads no clock and no file.
//!
//! To be read in this order: what stands for keys and ids ([`Secret`]), the entries of one key
//! (`ring`, `names`), some of the keys (`shard`), the windows of measures that are kept together
//! (`stream`), which those are (`plan`), how an event comes to them (`observe`, `live`, `decide`), and
//! how they outlive their process (`journal`, `keep`).

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use siphasher::sip128::SipHasher13;

use crate::clock::{Duration, Timestamp};
use crate::limits::{CLOCK_JUMP, Limits};
use crate::matrix::{Matrix, MeasureId};
use crate::schema::KindId;

mod decide;
mod journal;
mod keep;
mod live;
mod names;
mod observe;
mod partition;
mod plan;
mod ring;
mod secret;
mod shard;
mod source;
mod stream;

pub(crate) use decide::Measured;
pub use journal::{Keeper, Kept};
pub use keep::Opened;
pub(crate) use live::Live;
pub use observe::Measuring;
pub use partition::{Partition, Partitions};
pub use secret::Secret;
pub use source::{Counting, Receipt, Source, Sources};

use journal::Journal;
use plan::{Identity, Part, Planned, plan};
use stream::{Newest, Stream};

/// The windows of all measures of a matrix.
#[derive(Debug)]
pub struct Windows {
    matrix: Arc<Matrix>,
    streams: Vec<Placed>,
    /// By measure.
    parts: Vec<Part>,
    /// By kind.
    newest: Vec<Arc<Newest>>,
    /// By kind: for events that are measured before it is known what is counted.
    turns: Vec<Arc<Mutex<()>>>,
    bounds: Bounds,
    secret: Secret,
    hasher: SipHasher13,
    /// Where they are kept over a restart, if they are.
    journal: Option<Arc<Journal>>,
    /// While it is held no other clock is set back.
    rewinding: Mutex<()>,
    rewinds: AtomicU64,
}

impl Windows {
    /// Complete windows in which nothing has happened yet.
    #[must_use]
    pub fn new(matrix: &Arc<Matrix>, bounds: Bounds, secret: Secret) -> Self {
        let mut windows = Self::without_streams(matrix, bounds, secret);
        let (planned, parts) = plan(matrix, bounds.counts, &[]);
        windows.place(planned, parts, |_| None);
        windows
    }

    fn without_streams(matrix: &Arc<Matrix>, bounds: Bounds, secret: Secret) -> Self {
        let kinds = matrix.schema.kinds();
        Self {
            matrix: Arc::clone(matrix),
            streams: Vec::new(),
            parts: Vec::new(),
            turns: kinds.iter().map(|_| Arc::default()).collect(),
            newest: kinds.iter().map(|_| Arc::new(Newest::new())).collect(),
            bounds,
            secret,
            hasher: secret.hasher(),
            journal: None,
            rewinding: Mutex::new(()),
            rewinds: AtomicU64::new(0),
        }
    }

    /// Puts the streams of a plan in their places, those that there are and new ones.
    fn place(
        &mut self,
        planned: Vec<Planned>,
        parts: Vec<Part>,
        old: impl Fn(usize) -> Option<Arc<Stream>>,
    ) {
        for planned in planned {
            let known = planned.old.and_then(&old);
            let is_new = known.is_none();
            let stream = known.unwrap_or_else(|| {
                let newest = self.newest.get(planned.kind.0 as usize);
                let newest = newest.map_or_else(|| Arc::new(Newest::new()), Arc::clone);
                let shape = planned.identity.shape();
                let window = span(planned.window);
                Arc::new(Stream::new(shape, window, self.bounds, newest))
            });
            planned
                .left_out
                .iter()
                .for_each(|function| stream.leave_out(*function));
            if !planned.left_out.is_empty() {
                stream.rename(&planned.identity);
            }
            self.streams.push(Placed {
                stream,
                identity: planned.identity,
                kind: planned.kind,
                measures: planned.measures,
                is_new,
            });
        }
        self.parts = parts;
    }

    /// The windows for another matrix, which decides from an instant on. A measure that both have,
    /// over a kind of the same fields, keeps its windows, and events that are still decided by the
    /// old matrix go on to count in them; those of any other are lower bounds until they lie behind
    /// the instant, by a minute more: so far ahead the old matrix may have counted.
    #[must_use]
    pub fn carried(&self, to: &Arc<Matrix>, now: Timestamp) -> Self {
        let mut carried = Self::without_streams(to, self.bounds, self.secret);
        let old_kind = |id: KindId| {
            let kind = to.kind(id)?;
            let old = self.matrix.schema.kind_named(&kind.name)?;
            old.is_like(kind).then_some(old.id)
        };
        let kinds: Vec<_> = (0u32..)
            .zip(&carried.newest)
            .map(|(id, _)| old_kind(KindId(id)))
            .collect();
        for (old, (newest, turn)) in kinds
            .iter()
            .zip(carried.newest.iter_mut().zip(&mut carried.turns))
        {
            let old = old.map(|old| old.0 as usize);
            let old = old.and_then(|old| Some((self.newest.get(old)?, self.turns.get(old)?)));
            if let Some((old_newest, old_turn)) = old {
                *newest = Arc::clone(old_newest);
                *turn = Arc::clone(old_turn);
            }
        }
        let old = self.streams.iter().map(|old| {
            let is_like = kinds.contains(&Some(old.kind));
            is_like.then(|| old.identity.clone())
        });
        let (planned, parts) = plan(to, self.bounds.counts, &old.collect::<Vec<_>>());
        carried.place(planned, parts, |number| {
            self.streams.get(number).map(|old| Arc::clone(&old.stream))
        });
        let kept = carried.streams.iter().map(|placed| placed.stream.serial);
        let kept: HashSet<u64> = kept.collect();
        for old in &self.streams {
            if !kept.contains(&old.stream.serial) {
                old.stream.drop_as(&old.identity);
            }
        }
        for placed in carried.streams.iter().filter(|placed| placed.is_new) {
            placed.stream.mark_lost_at(now);
        }
        if let Some(journal) = &self.journal {
            carried = carried.with_journal(Arc::clone(journal));
            carried.flush();
        }
        carried
    }

    /// The same, kept over a restart.
    fn with_journal(mut self, journal: Arc<Journal>) -> Self {
        for placed in &self.streams {
            placed.stream.keep_in(&journal, &placed.identity);
        }
        self.journal = Some(journal);
        self
    }

    /// Keeps what was counted: when it returns it survives the end of this process.
    #[inline]
    pub(crate) fn flush(&self) {
        if let Some(journal) = &self.journal {
            journal.flush();
        }
    }

    /// The matrix whose measures these are of.
    #[must_use]
    pub fn matrix(&self) -> &Arc<Matrix> {
        &self.matrix
    }

    /// How many events came too late for a window of theirs.
    #[must_use]
    pub fn late_dropped(&self) -> u64 {
        let streams = self.parts.iter().filter_map(|part| self.stream(*part));
        streams.map(Stream::late_dropped).sum()
    }

    /// How many events had a key beyond the key limit.
    #[must_use]
    pub fn keys_refused(&self) -> u64 {
        let streams = self.parts.iter().filter_map(|part| self.stream(*part));
        streams.map(Stream::keys_refused).sum()
    }

    /// What is held.
    #[must_use]
    pub fn size(&self) -> Size {
        let mut size = Size::default();
        for Placed { stream, .. } in &self.streams {
            size.keys += stream.keys();
            for shard in stream.shards() {
                size.key_bytes += shard.bytes();
                for ring in shard.rings() {
                    let [head, entries, names] = ring.bytes(stream.shape);
                    size.events += ring.len();
                    size.key_bytes += head;
                    size.event_bytes += entries;
                    size.id_bytes += names;
                }
            }
        }
        size
    }

    #[cfg(test)]
    pub(crate) fn hold_all(&self) -> impl Sized + '_ {
        let streams = self.streams.iter().map(|placed| &placed.stream);
        let shards = streams.flat_map(|stream| stream.shards());
        shards.collect::<Vec<_>>()
    }

    #[inline]
    fn part(&self, id: MeasureId) -> Option<Part> {
        self.parts.get(id.index()).copied()
    }

    #[inline]
    fn stream(&self, part: Part) -> Option<&Stream> {
        let placed = self.streams.get(part.stream);
        placed.map(|placed| &*placed.stream)
    }

    /// An event of a kind happened.
    #[inline]
    fn advance(&self, kind: KindId, at: i64) {
        if let Some(newest) = self.newest.get(kind.0 as usize) {
            newest.advance(at);
        }
    }

    /// An event of a kind is received that may be counted.
    fn receive(&self, kind: KindId, counting: Counting) {
        if let Some(at) = nanos(counting.at) {
            self.happens(kind, at, counting);
        }
    }

    /// An event of a kind was received, and counts at an instant.
    #[inline]
    fn happens(&self, kind: KindId, at: i64, counting: Counting) {
        let Some(newest) = self.newest.get(kind.0 as usize) else {
            return;
        };
        // PERF: an event that counts when it is received is newer than nearly all.
        if at < newest.get()
            && let Some(now) = counting.received
        {
            let caught_up = nanos(now)
                .unwrap_or(i64::MAX)
                .saturating_add(span(CLOCK_JUMP));
            if newest.get() > caught_up {
                self.rewind(kind, now);
            }
        }
        newest.advance(at);
    }

    /// The clock went back by more than is caught up with: it was ahead before, or is behind now, and
    /// what was counted by it has no place any more. The windows begin anew, and are lower bounds until
    /// they lie behind the instant.
    #[cold]
    fn rewind(&self, kind: KindId, now: Timestamp) {
        let _rewinding = self
            .rewinding
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some((newest, now)) = self.newest.get(kind.0 as usize).zip(nanos(now)) else {
            return;
        };
        if newest.get() <= now.saturating_add(span(CLOCK_JUMP)) {
            // Another thread was quicker.
            return;
        }
        newest.set(now);
        for placed in self.streams.iter().filter(|placed| placed.kind == kind) {
            placed.stream.rewind(now, |_| true);
        }
        self.rewinds.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the clock went back so far that windows began anew.
    #[must_use]
    pub fn clock_rewinds(&self) -> u64 {
        self.rewinds.load(Ordering::Relaxed)
    }

    /// While it is held, no other event of the kind is measured before it is known what is counted.
    pub(crate) fn turn(&self, kind: KindId) -> Option<MutexGuard<'_, ()>> {
        let turn = self.turns.get(kind.0 as usize)?;
        Some(turn.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A stream for the measures of a matrix. Windows of another one may share it.
#[derive(Debug)]
struct Placed {
    stream: Arc<Stream>,
    identity: Identity,
    /// The kind of its events.
    kind: KindId,
    /// The measures of the matrix that it keeps.
    measures: Vec<MeasureId>,
    /// Whether it was made for this matrix.
    is_new: bool,
}

/// How much windows keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Events of one key.
    pub events: usize,
    /// Keys of a measure.
    pub keys: usize,
    /// How late an event of any source may be.
    pub lateness: Duration,
    /// What counts, and for whom.
    pub counts: Counts,
}

/// What counts in windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Whether an event counts that is denied.
    pub denied: bool,
    /// Whether other engines see a part of the events that windows count, so that every window is a
    /// lower bound.
    pub shared: bool,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            denied: true,
            shared: false,
        }
    }
}

impl Bounds {
    /// Those of an operator, for the sources that are named.
    #[must_use]
    pub fn of(limits: &Limits, sources: &Sources, counts: Counts) -> Self {
        Self {
            events: limits.events_of_a_window(),
            keys: limits.window_keys,
            lateness: sources.lateness(),
            counts,
        }
    }
}

/// What windows hold, and the bytes that take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Keys of all windows. Measures of one window share them, and its events.
    pub keys: usize,
    /// Events in them.
    pub events: usize,
    /// Bytes of the keys.
    pub key_bytes: usize,
    /// Bytes of the events.
    pub event_bytes: usize,
    /// Bytes of the last ids of each key.
    pub id_bytes: usize,
}

/// Nanoseconds of a span.
fn span(span: Duration) -> i64 {
    i64::try_from(span.as_millis())
        .ok()
        .and_then(|millis| millis.checked_mul(1_000_000))
        .unwrap_or(i64::MAX)
}

/// Nanoseconds since 1970, of the years 1678 to 2261.
fn nanos(at: Timestamp) -> Option<i64> {
    at.timestamp_nanos_opt()
}
