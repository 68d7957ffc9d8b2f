//! Some of the keys of a measure, each with its window.
//!
//! In: prints of keys. Out: their places.
//! Method: open addressing over numbers of places with eight bits of the print beside each, so that
//! a look touches one line of the table and then the key's own.
//! Invariant: a key has one place. A key is let go of only when its window is empty.

use std::collections::HashMap;

use super::ring::{Ring, Shape};
use super::secret::Print;

/// A key and its window.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) key: Print,
    pub(super) ring: Ring,
}

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

/// Bits of a slot that say which place it is, one more than its number.
const PLACE: u32 = (1 << 24) - 1;

/// Keys of a shard.
#[derive(Debug, Default)]
pub(super) struct Shard {
    /// 0 where nothing is.
    slots: Vec<u32>,
    held: Vec<Option<Held>>,
    free: Vec<u32>,
    rare: HashMap<u32, Rare>,
    /// How far the sweep is.
    hand: usize,
    /// Events since the last one.
    since: usize,
}

/// The place of a key in its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PlaceId(u32);

impl Shard {
    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.held.len() - self.free.len()
    }

    /// Bytes of all keys beside their blocks.
    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u32>()
            + self.held.capacity() * size_of::<Option<Held>>()
            + self.free.capacity() * size_of::<u32>()
    }

    #[inline]
    fn home(&self, key: Print) -> usize {
        // The number of slots is a power of two.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the low bits are what is wanted"
        )]
        let low = key.low as usize;
        low & self.slots.len().wrapping_sub(1)
    }

    #[inline]
    fn tag(key: Print) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the low bits are what is wanted"
        )]
        let bits = key.high as u32;
        bits << 24
    }

    /// The first slot that a look at a key reads.
    #[inline]
    pub(super) fn touch(&self, key: Print) -> u32 {
        self.slots.get(self.home(key)).copied().unwrap_or(0)
    }

    /// Something of the key that the slot most likely is of.
    #[inline]
    pub(super) fn touch_held(&self, slot: u32) -> u64 {
        let held = self.held.get(((slot & PLACE) as usize).wrapping_sub(1));
        held.and_then(Option::as_ref)
            .map_or(0, |held| held.key.high)
    }

    /// Something of the entries of it.
    #[inline]
    pub(super) fn touch_ring(&self, shape: Shape, slot: u32) -> u64 {
        let held = self.held.get(((slot & PLACE) as usize).wrapping_sub(1));
        held.and_then(Option::as_ref)
            .map_or(0, |held| held.ring.touch(shape))
    }

    #[inline]
    pub(super) fn find(&self, key: Print) -> Option<PlaceId> {
        self.slot(key).map(|(_, place)| place)
    }

    /// The slot and the place of a key.
    #[inline]
    fn slot(&self, key: Print) -> Option<(usize, PlaceId)> {
        let tag = Self::tag(key);
        let mut at = self.home(key);
        loop {
            let slot = *self.slots.get(at)?;
            if slot == 0 {
                return None;
            }
            let place = (slot & PLACE) - 1;
            if slot & !PLACE == tag && self.get(PlaceId(place)).is_some_and(|held| held.key == key)
            {
                return Some((at, PlaceId(place)));
            }
            at = self.next(at);
        }
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    #[inline]
    pub(super) fn get(&self, place: PlaceId) -> Option<&Held> {
        self.held.get(place.0 as usize)?.as_ref()
    }

    #[inline]
    pub(super) fn ring(&mut self, place: PlaceId) -> Option<&mut Ring> {
        let held = self.held.get_mut(place.0 as usize)?.as_mut();
        held.map(|held| &mut held.ring)
    }

    /// What few keys have.
    #[inline]
    pub(super) fn rare(&self, place: PlaceId) -> Rare {
        if self.rare.is_empty() {
            return Rare::default();
        }
        self.rare.get(&place.0).copied().unwrap_or_default()
    }

    pub(super) fn rare_mut(&mut self, place: PlaceId) -> &mut Rare {
        self.rare.entry(place.0).or_default()
    }

    /// Makes a place for a key that has none; none where there are too many.
    pub(super) fn add(&mut self, key: Print) -> Option<PlaceId> {
        if (self.len() + 1) * 5 > self.slots.len() * 4 {
            self.grow();
        }
        let held = Held {
            key,
            ring: Ring::new(),
        };
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                let place = u32::try_from(self.held.len()).ok().filter(|n| *n < PLACE)?;
                if self.held.len() == self.held.capacity() {
                    // Not twice as many: a place is large.
                    self.held.reserve_exact(self.held.len() / 8 + 4);
                }
                self.held.push(None);
                place
            }
        };
        *self.held.get_mut(place as usize)? = Some(held);
        self.put(key, place);
        Some(PlaceId(place))
    }

    fn put(&mut self, key: Print, place: u32) {
        let mut at = self.home(key);
        while self.slots.get(at).is_some_and(|slot| *slot != 0) {
            at = self.next(at);
        }
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Self::tag(key) | (place + 1);
        }
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(8);
        self.slots = vec![0; slots];
        for place in (0u32..).take(self.held.len()) {
            if let Some(key) = self.get(PlaceId(place)).map(|held| held.key) {
                self.put(key, place);
            }
        }
    }

    /// Lets go of a key.
    fn remove(&mut self, key: Print) {
        let Some((mut hole, place)) = self.slot(key) else {
            return;
        };
        // What was put behind the hole because it was taken moves up.
        let mut at = self.next(hole);
        while let Some(slot) = self.slots.get(at).copied().filter(|slot| *slot != 0) {
            let key = self.get(PlaceId((slot & PLACE) - 1)).map(|held| held.key);
            let home = key.map_or(at, |key| self.home(key));
            let mask = self.slots.len() - 1;
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                if let Some(to) = self.slots.get_mut(hole) {
                    *to = slot;
                }
                hole = at;
            }
            at = self.next(at);
        }
        if let Some(to) = self.slots.get_mut(hole) {
            *to = 0;
        }
        if let Some(held) = self.held.get_mut(place.0 as usize) {
            *held = None;
        }
        self.rare.remove(&place.0);
        self.free.push(place.0);
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

    /// Looks at so many keys, one after the other through all of them, and lets go of those whose
    /// window is empty up to `horizon` and is no lower bound at `oldest`. Says how many they were.
    #[inline]
    pub(super) fn sweep(&mut self, keys: usize, horizon: i64, oldest: i64) -> usize {
        let mut gone = 0;
        for _ in 0..keys.min(self.held.len()) {
            self.hand = match self.hand + 1 {
                next if next < self.held.len() => next,
                _ => 0,
            };
            let held = self.held.get(self.hand).and_then(Option::as_ref);
            let old = held.filter(|held| held.ring.newest() <= horizon);
            if let Some(key) = old.map(|held| held.key) {
                gone += usize::from(self.retire(key, oldest));
            }
        }
        gone
    }

    /// Lets go of keys, whatever they hold. Says how many they were.
    pub(super) fn clear(&mut self, goes: impl Fn(Print) -> bool) -> usize {
        let keys = self.held.iter().flatten().map(|held| held.key);
        let keys: Vec<Print> = keys.filter(|key| goes(*key)).collect();
        keys.iter().for_each(|key| self.remove(*key));
        keys.len()
    }

    #[cold]
    fn retire(&mut self, key: Print, oldest: i64) -> bool {
        let place = self.find(key);
        let bound = place.map_or(i64::MIN, |place| self.rare(place).bound_until);
        if bound > oldest {
            return false;
        }
        self.remove(key);
        true
    }

    /// All keys with their windows, and places that are free.
    pub(super) fn held(&self) -> &[Option<Held>] {
        &self.held
    }

    /// What few keys have, by the number of a place.
    pub(super) fn rare_at(&self, place: usize) -> Rare {
        u32::try_from(place).map_or_else(|_| Rare::default(), |place| self.rare(PlaceId(place)))
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
                // Few homes and few tags, so that keys are in each other's way.
                let key = Print {
                    low: rng.u64(..) & 0xff,
                    high: rng.u64(..) << 32 | u64::from(rng.u8(..4)),
                };
                if shard.find(key).is_none() {
                    shard.add(key).unwrap();
                    keys.push(key);
                }
            } else {
                let key = keys.swap_remove(rng.usize(..keys.len()));
                shard.remove(key);
                assert_eq!(shard.find(key), None);
            }
            assert_eq!(shard.len(), keys.len());
            if let Some(key) = rng.choice(&keys) {
                let place = shard.find(*key).unwrap();
                assert_eq!(shard.get(place).unwrap().key, *key);
            }
        }
        for key in &keys {
            let place = shard.find(*key).unwrap();
            assert_eq!(shard.get(place).unwrap().key, *key);
        }
        // All are empty.
        assert_eq!(shard.sweep(usize::MAX, 0, 0), keys.len());
        assert_eq!(shard.len(), 0);
    }

    #[test]
    fn a_place_is_small() {
        assert!(
            size_of::<Option<Held>>() <= 80,
            "{}",
            size_of::<Option<Held>>()
        );
    }
}
