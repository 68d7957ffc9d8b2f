//! Some of the keys of a stream, each with its window.
//!
//! In: prints of keys. Out: their places.
//! Method: open addressing. Four bytes of each print stand apart, which say where the key belongs: a look
//! touches a line of those, and then the key's own; no other key is touched when the table grows. The
//! key itself stands in its block, which is needed anyway.
//! Invariant: a key has one place, until another one comes or goes. A key is let go of only when its
//! window is empty.

use std::collections::HashMap;

use super::ring::{Ring, Shape};
use super::secret::Print;

/// What few keys have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rare {
    /// Until then some event that belongs in the window is not in it.
    pub(super) bound_until: i64,
    /// The newest entry that was let go of because the window was full.
    pub(super) dropped_to: i64,
}

impl Default for Rare {
    fn default() -> Self {
        Self {
            bound_until: i64::MIN,
            dropped_to: i64::MIN,
        }
    }
}

/// Keys of a shard.
#[derive(Debug, Default)]
pub(super) struct Shard {
    /// By place: four bytes of the key, 0 where there is none.
    tags: Vec<u32>,
    /// By place.
    rings: Vec<Ring>,
    count: usize,
    rare: HashMap<Print, Rare>,
    /// How far the sweep is.
    hand: usize,
    /// Events since the last one.
    since: usize,
}

/// The place of a key in its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlaceId(usize);

impl Shard {
    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Bytes of all keys beside their blocks.
    pub(super) fn bytes(&self) -> usize {
        self.tags.capacity() * size_of::<u32>() + self.rings.capacity() * size_of::<Ring>()
    }

    /// The place where a key belongs: the order of keys is that of the low halves of their prints.
    #[inline]
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.tags.len() as u64) >> 32) as usize
    }

    #[inline]
    fn tag(low: u64) -> u32 {
        ((low >> 32) as u32).max(1)
    }

    #[inline]
    fn next(&self, place: usize) -> usize {
        match place + 1 {
            next if next < self.tags.len() => next,
            _ => 0,
        }
    }

    /// Looks at the place that a key most likely has.
    #[inline]
    pub(super) fn touch(&self, key: Print) -> Option<PlaceId> {
        let tag = Self::tag(key.low);
        let mut place = self.home(tag);
        loop {
            match *self.tags.get(place)? {
                0 => return None,
                known if known == tag => return Some(PlaceId(place)),
                _ => place = self.next(place),
            }
        }
    }

    /// Reads something of all that an event of the key there will need.
    #[inline]
    pub(super) fn touch_ring(&self, shape: Shape, place: PlaceId) -> u64 {
        self.rings.get(place.0).map_or(0, |ring| ring.touch(shape))
    }

    #[inline]
    pub(super) fn find(&self, key: Print) -> Option<PlaceId> {
        let tag = Self::tag(key.low);
        let mut place = self.home(tag);
        loop {
            let known = *self.tags.get(place)?;
            if known == 0 {
                return None;
            }
            if known == tag && self.rings.get(place).is_some_and(|ring| ring.key() == key) {
                return Some(PlaceId(place));
            }
            place = self.next(place);
        }
    }

    #[inline]
    pub(super) fn get(&self, place: PlaceId) -> Option<&Ring> {
        self.rings.get(place.0)
    }

    #[inline]
    pub(super) fn ring(&mut self, place: PlaceId) -> Option<&mut Ring> {
        self.rings.get_mut(place.0)
    }

    /// What few keys have.
    #[inline]
    pub(super) fn rare(&self, key: Print) -> Rare {
        if self.rare.is_empty() {
            return Rare::default();
        }
        self.rare.get(&key).copied().unwrap_or_default()
    }

    pub(super) fn rare_mut(&mut self, key: Print) -> &mut Rare {
        self.rare.entry(key).or_default()
    }

    /// Makes a place for a window whose key has none.
    pub(super) fn add(&mut self, ring: Ring) -> PlaceId {
        if (self.count + 1) * 20 > self.tags.len() * 17 {
            // Not twice as many: a place is large.
            self.grow(self.tags.len() + self.tags.len() / 8 + 4);
        }
        self.count += 1;
        let tag = Self::tag(ring.key().low);
        self.put(ring, tag)
    }

    fn put(&mut self, ring: Ring, tag: u32) -> PlaceId {
        let mut place = self.home(tag);
        while self.tags.get(place).is_some_and(|tag| *tag != 0) {
            place = self.next(place);
        }
        if let (Some(known), Some(to)) = (self.tags.get_mut(place), self.rings.get_mut(place)) {
            (*known, *to) = (tag, ring);
        }
        PlaceId(place)
    }

    /// Makes room for so many keys in all.
    // PERF: keys that come in their order would else all belong at the end of what there is so far, one
    // behind the other.
    pub(super) fn reserve(&mut self, keys: usize) {
        let places = keys * 20 / 17 + 1;
        if places > self.tags.len() {
            self.grow(places);
        }
    }

    fn grow(&mut self, places: usize) {
        let rings = std::mem::take(&mut self.rings);
        let tags = std::mem::replace(&mut self.tags, vec![0; places]);
        self.rings.reserve_exact(places);
        self.rings.resize_with(places, Ring::default);
        for (ring, tag) in rings.into_iter().zip(tags) {
            if tag != 0 {
                self.put(ring, tag);
            }
        }
    }

    /// Lets go of the key at a place.
    fn remove(&mut self, place: usize) {
        let Some(gone) = self.rings.get_mut(place).map(std::mem::take) else {
            return;
        };
        self.rare.remove(&gone.key());
        self.count -= 1;
        // What was put behind the hole because its place was taken moves up.
        let (mut hole, mut at) = (place, self.next(place));
        let places = self.tags.len();
        let behind = |at: usize, before: usize| (at + places - before) % places;
        while let Some(tag) = self.tags.get(at).copied().filter(|tag| *tag != 0) {
            let home = self.home(tag);
            if behind(at, home) >= behind(at, hole) {
                self.rings.swap(at, hole);
                self.tags.swap(at, hole);
                hole = at;
            }
            at = self.next(at);
        }
        if let Some(tag) = self.tags.get_mut(hole) {
            *tag = 0;
        }
    }

    /// Whether so many events came since it last was.
    #[inline]
    pub(super) fn is_due(&mut self, after: usize) -> bool {
        self.since += 1;
        let is_due = self.since >= after;
        if is_due {
            self.since = 0;
        }
        is_due
    }

    /// Looks at so many places, one after the other through all of them, and lets go of keys whose
    /// window is empty up to `horizon` and is no lower bound at `oldest`. Says how many they were.
    #[inline]
    pub(super) fn sweep(&mut self, places: usize, horizon: i64, oldest: i64) -> usize {
        let mut gone = 0;
        for _ in 0..places.min(self.tags.len()) {
            self.hand = self.next(self.hand);
            let is_there = self.tags.get(self.hand).is_some_and(|tag| *tag != 0);
            let ring = self.rings.get(self.hand).filter(|_| is_there);
            if ring.is_some_and(|ring| ring.newest() <= horizon) {
                gone += usize::from(self.retire(self.hand, oldest));
            }
        }
        gone
    }

    #[cold]
    fn retire(&mut self, place: usize, oldest: i64) -> bool {
        let key = self.rings.get(place).map(Ring::key);
        let is_bound = key.is_some_and(|key| self.rare(key).bound_until > oldest);
        if !is_bound {
            self.remove(place);
            // What moved up is looked at next.
            self.hand = place.checked_sub(1).unwrap_or(self.tags.len());
        }
        !is_bound
    }

    /// Lets go of keys, whatever they hold. Says how many they were.
    pub(super) fn clear(&mut self, goes: impl Fn(Print) -> bool) -> usize {
        let keys = self.rings().map(Ring::key).filter(|key| goes(*key));
        let keys: Vec<Print> = keys.collect();
        for key in &keys {
            if let Some(PlaceId(place)) = self.find(*key) {
                self.remove(place);
            }
        }
        keys.len()
    }

    /// All windows.
    pub(super) fn rings(&self) -> impl Iterator<Item = &Ring> {
        let rings = self.rings.iter().zip(&self.tags);
        rings.filter(|(_, tag)| **tag != 0).map(|(ring, _)| ring)
    }

    /// The windows of the keys from one low half on, up to another.
    pub(super) fn between(&self, from: u64, to: u64) -> impl Iterator<Item = &Ring> {
        let places = self.tags.len();
        let [first, last] = [from, to].map(|low| self.home(Self::tag(low)));
        // Behind the last one's home those that were put off, around the end as well.
        let place = move |n: usize| (first + n) % places.max(1);
        let is_there = |place: usize| self.tags.get(place).is_some_and(|tag| *tag != 0);
        let run = (0..places).take_while(move |n| first + n <= last || is_there(place(*n)));
        run.map(place)
            .filter(move |place| is_there(*place))
            .filter_map(|place| self.rings.get(place))
            .filter(move |ring| (from..=to).contains(&ring.key().low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_and_go() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut shard = Shard::default();
        let mut keys: Vec<Print> = Vec::new();
        for _ in 0..20_000 {
            if keys.is_empty() || rng.u8(..) < 140 {
                // Few homes and few tags, so that keys are in each other's way; some around the end.
                let key = Print {
                    low: rng.u64(..) | rng.u64(..8) << 61,
                    high: rng.u64(..) << 32 | u64::from(rng.u8(..4)),
                };
                if shard.find(key).is_none() {
                    let place = shard.add(Ring::of(key));
                    assert_eq!(shard.find(key), Some(place));
                    keys.push(key);
                }
            } else {
                let key = keys.swap_remove(rng.usize(..keys.len()));
                let PlaceId(place) = shard.find(key).unwrap();
                shard.remove(place);
                assert_eq!(shard.find(key), None);
            }
            assert_eq!(shard.len(), keys.len());
            if let Some(key) = rng.choice(&keys) {
                let place = shard.find(*key).unwrap();
                assert_eq!(shard.get(place).unwrap().key(), *key);
            }
            if rng.u8(..) < 3 {
                // Every key is in one part of all.
                let middle = [rng.u64(..), rng.u64(..)];
                let (one, other) = (middle[0].min(middle[1]), middle[0].max(middle[1]));
                let parts = [(0, one), (one + 1, other), (other + 1, u64::MAX)];
                let mut found: Vec<Print> = parts
                    .iter()
                    .flat_map(|(from, to)| shard.between(*from, *to).map(Ring::key))
                    .collect();
                let order = |key: &Print| (key.low, key.high);
                found.sort_by_key(order);
                let mut wanted = keys.clone();
                wanted.sort_by_key(order);
                assert_eq!(found, wanted);
            }
        }
        for key in &keys {
            assert!(shard.find(*key).is_some());
        }
        // All are empty.
        let mut gone = 0;
        for _ in 0..3 {
            gone += shard.sweep(usize::MAX, 0, 0);
        }
        assert_eq!((gone, shard.len()), (keys.len(), 0));
    }

    #[test]
    fn a_place_is_small() {
        assert_eq!(size_of::<Ring>(), 32);
    }
}
