//! The windows of the measures that are kept together, for several threads.
//!
//! In: events as prints and quantities. Out: a [`View`] of the window that an event sees.
//! Invariant: per key the readings are those of some order of the events, one after the other; a
//! reading is exact, or says why it is only a lower bound. What a window at an instant reads does not
//! depend on what was let go of to save memory.
//!
//! An event is *late* if it is older than the newest event of its kind by more than the bound. No
//! window that is not late reaches back behind the *horizon*: one window before that bound.

use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::journal::{Journal, Reader};
use super::plan::Identity;
use super::ring::{Given, Ring, Shape, View};
use super::secret::Print;
use super::shard::{PlaceId, Rare, Shard};
use super::{Bounds, nanos, span};
use crate::clock::Timestamp;
use crate::limits::FUTURE;
use crate::program::gauge::Function;
use crate::reference::Partial;

/// Parts of the keys, each behind a lock of its own: several threads are seldom in one.
const SHARDS: usize = 32;

/// Keys that are looked at for one that can be let go of when there is no room.
const LOOKED_AT: usize = 16;

/// The newest instant of the events of a kind.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Newest(AtomicI64);

impl Newest {
    pub(super) fn new() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }

    /// An event happened.
    #[inline]
    pub(super) fn advance(&self, at: i64) {
        // PERF: mostly a load of a line that no other thread writes to.
        if at > self.get() {
            self.0.fetch_max(at, Ordering::Relaxed);
        }
    }

    /// The clock was set back.
    pub(super) fn set(&self, at: i64) {
        self.0.store(at, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Events of a key between two looks at keys that may be let go of, and the keys of such a look.
// PERF: keys that are looked at together lie together.
const SWEEP: usize = 8;

/// How many streams there have been.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// The windows of measures that count the same events by one key over one span.
#[derive(Debug)]
pub(super) struct Stream {
    /// Its number among all others, whatever the matrix: who takes several locks takes them in this order.
    pub(super) serial: u64,
    pub(super) shape: Shape,
    /// Nanoseconds.
    window: i64,
    bounds: Bounds,
    /// Nanoseconds that an event of any source may be late.
    lateness: i64,
    newest: Arc<Newest>,
    shards: Box<[Guarded]>,
    keys: AtomicUsize,
    /// Until then a key that is not held may have been refused.
    refused_until: AtomicI64,
    /// Events up to then are lost.
    lost_at: AtomicI64,
    /// What events may come without: nobody who decides by the newest matrix asks for it.
    left_out: AtomicU8,
    late_dropped: AtomicU64,
    keys_refused: AtomicU64,
    /// How far the search for keys that can be let go of is.
    swept: AtomicUsize,
    /// Where what is counted is kept over a restart, and its number there.
    journal: OnceLock<(Arc<Journal>, u32)>,
}

/// How far back events reach, at one moment.
#[derive(Debug, Clone, Copy)]
struct Edges {
    /// No window that is not late reaches back to it.
    horizon: i64,
    /// An event before it is late.
    oldest: i64,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Guarded(Mutex<Shard>);

impl Stream {
    pub(super) fn new(shape: Shape, window: i64, bounds: Bounds, newest: Arc<Newest>) -> Self {
        Self {
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            shape,
            window,
            bounds,
            lateness: span(bounds.lateness),
            newest,
            shards: (0..SHARDS).map(|_| Guarded::default()).collect(),
            keys: AtomicUsize::new(0),
            refused_until: AtomicI64::new(i64::MIN),
            lost_at: AtomicI64::new(i64::MIN),
            left_out: AtomicU8::new(0),
            late_dropped: AtomicU64::new(0),
            keys_refused: AtomicU64::new(0),
            swept: AtomicUsize::new(0),
            journal: OnceLock::new(),
        }
    }

    /// Events are lost that were counted up to now: also those ahead of the clock, and those that an old
    /// matrix still decides.
    pub(super) fn mark_lost_at(&self, now: Timestamp) {
        let now = nanos(now).unwrap_or(i64::MAX);
        self.mark_lost(ahead(now).max(self.newest.get()));
    }

    /// Events up to an instant are lost: each window that reaches back to it is a lower bound.
    pub(super) fn mark_lost(&self, until: i64) {
        self.lost_at.fetch_max(until, Ordering::Relaxed);
    }

    /// Events may come without what a function is of: whoever still asks for it has a lower bound.
    pub(super) fn leave_out(&self, function: Function) {
        self.left_out.fetch_or(function.bit(), Ordering::Relaxed);
    }

    pub(super) fn late_dropped(&self) -> u64 {
        self.late_dropped.load(Ordering::Relaxed)
    }

    pub(super) fn keys_refused(&self) -> u64 {
        self.keys_refused.load(Ordering::Relaxed)
    }

    pub(super) fn keys(&self) -> usize {
        self.keys.load(Ordering::Relaxed)
    }

    /// One of the shards.
    pub(super) fn shard(&self, number: usize) -> Option<MutexGuard<'_, Shard>> {
        self.shards.get(number).map(lock)
    }

    /// The shards, each while it is locked.
    pub(super) fn shards(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(lock)
    }

    /// The part of the keys that a key is in.
    #[inline]
    pub(super) fn lock(&self, key: Print) -> Option<MutexGuard<'_, Shard>> {
        let shard = usize::try_from(key.high >> 32).unwrap_or(0) % SHARDS;
        self.shards.get(shard).map(lock)
    }

    /// How far back events reach.
    #[inline]
    fn edges(&self) -> Edges {
        let oldest = self.newest.get().saturating_sub(self.lateness);
        Edges {
            horizon: oldest.saturating_sub(self.window),
            oldest,
        }
    }

    /// Whether an event comes too late by the bound of its source.
    #[inline]
    fn is_late(&self, given: &Given<'_>) -> bool {
        given.at < self.newest.get().saturating_sub(given.lateness)
    }

    /// Counts an event of the key, and reads the window that it sees.
    #[inline]
    pub(super) fn observe<R>(
        &self,
        shard: &mut Shard,
        key: Print,
        given: &Given<'_>,
        read: impl FnOnce(&View<'_>) -> R,
    ) -> R {
        let edges = self.edges();
        let place = shard.find(key).or_else(|| self.add(shard, key));
        let Some(place) = place else {
            // What was refused before is not in its window; what is refused now is.
            let reading = self.read(shard, key, given.at, Some(given), read);
            self.refuse();
            return reading;
        };
        let (mut counted, mut in_order) = (false, true);
        if let Some(ring) = shard.ring(place) {
            ring.evict(self.shape, edges.horizon);
            let behind = given.at.saturating_sub(self.window);
            let is_repeated = given
                .id
                .is_some_and(|(id, _)| ring.has(self.shape, id, behind));
            if !is_repeated && !self.is_late(given) {
                in_order = ring.newest() <= given.at;
                ring.insert(self.shape, given, self.bounds.events);
                counted = true;
                if let Some((journal, number)) = self.journal.get() {
                    journal.record(*number, key, self.newest.get(), given);
                }
            } else if !is_repeated {
                self.drop_late(shard, key);
            }
        }
        // PERF: which entry goes does not depend on the reading, but of a window that ends before its
        // newest entry the oldest one is read still.
        if in_order {
            self.trim(shard, place, key);
        }
        let more = (!counted).then_some(given);
        let reading = self.read_held(shard, (key, place), (given.at, more), edges, read);
        if !in_order {
            self.trim(shard, place, key);
        }
        if shard.is_due(SWEEP) {
            self.sweep(shard, SWEEP, edges);
        }
        reading
    }

    /// Lets go of what there is no room for.
    #[inline]
    fn trim(&self, shard: &mut Shard, place: PlaceId, key: Print) {
        let ring = shard.ring(place);
        let dropped = ring.and_then(|ring| ring.trim(self.shape, self.bounds.events));
        if let Some(dropped) = dropped {
            let rare = shard.rare_mut(key);
            rare.dropped_to = rare.dropped_to.max(dropped);
        }
    }

    /// Keeps what is counted from here on.
    pub(super) fn keep_in(&self, journal: &Arc<Journal>, identity: &Identity) {
        // A stream that windows of two matrices share is kept once.
        self.journal.get_or_init(|| {
            let lost_at = self.lost_at.load(Ordering::Relaxed);
            (Arc::clone(journal), journal.number(identity, lost_at))
        });
    }

    /// Stands for something else from here on.
    pub(super) fn rename(&self, identity: &Identity) {
        if let Some((journal, number)) = self.journal.get() {
            journal.rename(*number, identity);
        }
    }

    /// Is not kept any more, though events that are still decided by an old matrix count in it.
    pub(super) fn drop_as(&self, identity: &Identity) {
        if let Some((journal, _)) = self.journal.get() {
            journal.dropped(identity);
        }
    }

    /// Counts an event again that was counted before a restart, however late it was.
    pub(super) fn count_again(&self, key: Print, given: &Given<'_>) {
        let horizon = self.edges().horizon;
        let Some(mut shard) = self.lock(key).filter(|_| given.at > horizon) else {
            return;
        };
        let place = shard.find(key).or_else(|| self.add(&mut shard, key));
        let Some(place) = place else {
            return self.refuse();
        };
        if let Some(ring) = shard.ring(place) {
            ring.evict(self.shape, horizon);
            let behind = given.at.saturating_sub(self.window);
            if given
                .id
                .is_none_or(|(id, _)| !ring.has(self.shape, id, behind))
            {
                ring.insert(self.shape, given, self.bounds.events);
            }
        }
        self.trim(&mut shard, place, key);
    }

    /// Notes again that an event of a key came too late.
    pub(super) fn late_again(&self, key: Print, until: i64, is_new: bool) {
        let Some(mut shard) = self.lock(key) else {
            return;
        };
        let place = shard.find(key).or_else(|| self.add(&mut shard, key));
        match place {
            Some(_) => {
                let rare = shard.rare_mut(key);
                rare.bound_until = rare.bound_until.max(until);
            }
            None => self.refuse(),
        }
        self.late_dropped
            .fetch_add(u64::from(is_new), Ordering::Relaxed);
    }

    /// Notes again that there was no room for a key.
    pub(super) fn refused_again(&self, until: i64, is_new: bool) {
        self.refused_until.fetch_max(until, Ordering::Relaxed);
        self.keys_refused
            .fetch_add(u64::from(is_new), Ordering::Relaxed);
    }

    /// Lets go of keys, whatever they hold: every window is a lower bound until it lies behind an
    /// instant.
    pub(super) fn rewind(&self, now: i64, goes: impl Fn(Print) -> bool) {
        self.lost_at.store(ahead(now), Ordering::Relaxed);
        self.refused_until.store(i64::MIN, Ordering::Relaxed);
        for mut shard in self.shards() {
            let gone = shard.clear(&goes);
            self.keys.fetch_sub(gone, Ordering::Relaxed);
        }
        if let Some((journal, number)) = self.journal.get() {
            journal.rewound(*number, now);
        }
    }

    /// Adds what there is beside the keys.
    pub(super) fn write_state(&self, bytes: &mut Vec<u8>) {
        for instant in [&self.refused_until, &self.lost_at] {
            bytes.extend_from_slice(&instant.load(Ordering::Relaxed).to_le_bytes());
        }
        for count in [&self.late_dropped, &self.keys_refused] {
            bytes.extend_from_slice(&count.load(Ordering::Relaxed).to_le_bytes());
        }
        bytes.extend_from_slice(&self.lateness.to_le_bytes());
    }

    /// Takes what there is beside the keys; says how late an event might be when it was written.
    pub(super) fn read_state(&self, reader: &mut Reader<'_>) -> Option<i64> {
        for instant in [&self.refused_until, &self.lost_at] {
            instant.store(reader.i64()?, Ordering::Relaxed);
        }
        for count in [&self.late_dropped, &self.keys_refused] {
            count.store(reader.u64()?, Ordering::Relaxed);
        }
        reader.i64()
    }

    /// Events might be so late so far: what one that is later may see was let go of.
    pub(super) fn waited_for(&self, lateness: i64) {
        if lateness < self.lateness {
            let oldest = self.newest.get().saturating_sub(lateness);
            self.mark_lost(oldest.saturating_sub(self.window));
        }
    }

    /// The newest instant of the events of its kind.
    pub(super) fn newest(&self) -> i64 {
        self.newest.get()
    }

    /// Takes a key that was written, one of so many in its shard.
    pub(super) fn read_key(&self, keys: u32, reader: &mut Reader<'_>) -> Option<Print> {
        let rare = Rare {
            bound_until: reader.i64()?,
            dropped_to: reader.i64()?,
        };
        let ring = Ring::read(self.shape, reader)?;
        let key = ring.key();
        let mut shard = self.lock(key)?;
        match shard.find(key) {
            Some(place) => *shard.ring(place)? = ring,
            None => {
                self.keys.fetch_add(1, Ordering::Relaxed);
                // No more than there is room for, whatever a damaged number says.
                shard.reserve(self.bounds.keys.min(usize::try_from(keys).ok()?));
                shard.add(ring);
            }
        }
        if rare.bound_until > i64::MIN || rare.dropped_to > i64::MIN {
            *shard.rare_mut(key) = rare;
        }
        Some(key)
    }

    #[cold]
    fn drop_late(&self, shard: &mut Shard, key: Print) {
        let until = self.newest.get().saturating_add(self.window);
        if let Some((journal, number)) = self.journal.get() {
            journal.late(*number, key, until);
        }
        let rare = shard.rare_mut(key);
        rare.bound_until = rare.bound_until.max(until);
        self.late_dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes a place for a key; none where there are too many.
    #[cold]
    fn add(&self, shard: &mut Shard, key: Print) -> Option<PlaceId> {
        let edges = self.edges();
        self.sweep(shard, 3, edges);
        if self.keys() >= self.bounds.keys {
            self.sweep(shard, LOOKED_AT, edges);
            self.sweep_others(edges);
        }
        if self.keys.fetch_add(1, Ordering::Relaxed) >= self.bounds.keys {
            self.keys.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let place = shard.add(Ring::of(key));
        // What was refused of this key before there was room for it is not in its window.
        let refused = self.refused_until.load(Ordering::Relaxed);
        if refused > i64::MIN {
            shard.rare_mut(key).bound_until = refused;
        }
        Some(place)
    }

    #[cold]
    fn refuse(&self) {
        let until = self.newest.get().saturating_add(self.window);
        // In the memory first: a snapshot that does not have it comes before its record.
        self.refused_until.fetch_max(until, Ordering::Relaxed);
        self.keys_refused.fetch_add(1, Ordering::Relaxed);
        if let Some((journal, number)) = self.journal.get() {
            journal.refused(*number, until);
        }
    }

    /// Looks for keys that can be let go of in the parts that nobody has.
    fn sweep_others(&self, edges: Edges) {
        for _ in 0..SHARDS {
            if self.keys() < self.bounds.keys {
                return;
            }
            let next = self.swept.fetch_add(1, Ordering::Relaxed) % SHARDS;
            let shard = self.shards.get(next).map(|shard| shard.0.try_lock());
            if let Some(Ok(mut shard)) = shard {
                self.sweep(&mut shard, LOOKED_AT, edges);
            }
        }
    }

    #[inline]
    fn sweep(&self, shard: &mut Shard, keys: usize, edges: Edges) {
        let gone = shard.sweep(keys, edges.horizon, edges.oldest);
        if gone > 0 {
            self.keys.fetch_sub(gone, Ordering::Relaxed);
        }
    }

    /// Reads the window that an instant sees, with an event that is not counted.
    pub(super) fn read<R>(
        &self,
        shard: &mut Shard,
        key: Print,
        at: i64,
        more: Option<&Given<'_>>,
        read: impl FnOnce(&View<'_>) -> R,
    ) -> R {
        let edges = self.edges();
        if let Some(place) = shard.find(key) {
            return self.read_held(shard, (key, place), (at, more), edges, read);
        }
        let refused = at < self.refused_until.load(Ordering::Relaxed);
        let partial = match more.is_some_and(|more| self.is_late(more)) {
            true => Some(Partial::Late),
            false => refused.then_some(Partial::Refused),
        };
        let mut nothing = Ring::default();
        let view = nothing.view(self.shape, (i64::MIN, at), more, self.bounds.events);
        read(&self.judged(view, partial, at, edges))
    }

    #[inline]
    fn read_held<R>(
        &self,
        shard: &mut Shard,
        (key, place): (Print, PlaceId),
        (at, more): (i64, Option<&Given<'_>>),
        edges: Edges,
        read: impl FnOnce(&View<'_>) -> R,
    ) -> R {
        let (behind, rare) = (self.behind(at, edges), shard.rare(key));
        let partial = if at < rare.bound_until || more.is_some_and(|more| self.is_late(more)) {
            Some(Partial::Late)
        } else if rare.dropped_to > at.saturating_sub(self.window) {
            Some(Partial::Full)
        } else {
            None
        };
        let most = self.bounds.events;
        let mut nothing = Ring::default();
        let ring = shard.ring(place).unwrap_or(&mut nothing);
        let view = ring.view(self.shape, (behind, at), more, most);
        read(&self.judged(view, partial, at, edges))
    }

    /// Behind which instant a window lies that ends at an instant: what is out of reach of all that
    /// is not late is gone, whether it still has room or not.
    #[inline]
    fn behind(&self, at: i64, edges: Edges) -> i64 {
        at.saturating_sub(self.window).max(edges.horizon)
    }

    /// The view, with why it is only a lower bound.
    #[inline]
    fn judged<'r>(
        &self,
        mut view: View<'r>,
        partial: Option<Partial>,
        at: i64,
        edges: Edges,
    ) -> View<'r> {
        let lost_at = self.lost_at.load(Ordering::Relaxed);
        view.left_out = self.left_out.load(Ordering::Relaxed);
        view.partial = if lost_at > i64::MIN && at < lost_at.saturating_add(self.window) {
            Some(Partial::Lost)
        } else if view.entries() >= self.bounds.events {
            Some(Partial::Full)
        } else if at < edges.oldest {
            // What a window at that instant reached is let go of.
            Some(Partial::Late)
        } else {
            partial.or(self.bounds.counts.shared.then_some(Partial::Shared))
        };
        view
    }

    /// The last events that a window holds, the oldest first: when, and what stands for its id.
    pub(super) fn last(
        &self,
        shard: &Shard,
        key: Print,
        at: i64,
        most: usize,
    ) -> Vec<(i64, Print)> {
        let ring = shard.find(key).and_then(|place| shard.get(place));
        ring.map_or_else(Vec::new, |ring| {
            let behind = self.behind(at, self.edges());
            ring.last(self.shape, (behind, at), most)
        })
    }

    /// The ids of a key's last events, in no order.
    pub(super) fn names(&self, shard: &Shard, key: Print) -> Vec<Vec<u8>> {
        let ring = shard.find(key).and_then(|place| shard.get(place));
        let names = ring.into_iter().flat_map(|ring| ring.names(self.shape));
        names.map(<[u8]>::to_vec).collect()
    }
}

/// The latest instant at which an event counts that is received now.
fn ahead(now: i64) -> i64 {
    now.saturating_add(span(FUTURE))
}

/// A panic while a lock was held leaves at most one event uncounted; to decide without a window
/// would be worse.
#[inline]
fn lock(shard: &Guarded) -> MutexGuard<'_, Shard> {
    shard.0.lock().unwrap_or_else(PoisonError::into_inner)
}
