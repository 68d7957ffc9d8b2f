//! A map that can take back what was done.
//!
//! In: changes. Out: the map with them, or as it was. Invariant: until they are ended, the old values are
//! there. Knows nothing of what it keeps.

use std::collections::BTreeMap;
use std::ops::Deref;

/// The map, and what its keys had before the changes that are not ended yet, the latest last.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    map: BTreeMap<K, V>,
    old: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            map: BTreeMap::new(),
            old: Vec::new(),
        }
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    /// Sets or removes a value.
    pub(super) fn set(&mut self, key: K, value: Option<V>) {
        let old = match value {
            Some(value) => self.map.insert(key.clone(), value),
            None => self.map.remove(&key),
        };
        self.old.push((key, old));
    }

    /// Keeps the changes, or takes them back.
    pub(super) fn end(&mut self, keep: bool) {
        while let Some((key, old)) = self.old.pop() {
            if keep {
                continue;
            }
            match old {
                Some(old) => self.map.insert(key, old),
                None => self.map.remove(&key),
            };
        }
    }
}

impl<K, V> Deref for Table<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}
