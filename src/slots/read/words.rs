//! The words of a closed set, as the quick reader finds them.
//!
//! In: the words of a field, known when the program is made; the bytes behind a quote. Out: the
//! place of the word that they begin with, and how long it is with its quote.
//! Invariant: what is found is there, byte for byte; what is not found may be there in an odd form.

use super::names::Key;

/// A hash without collisions over the first bytes of the words.
// PERF: which word an event has cannot be foreseen, so that to compare with one word after the
// other costs a branch that goes wrong. This takes one multiplication, one load and one comparison.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Each with its closing quote.
    keys: Vec<Key>,
    /// The bytes that are hashed: as many as the shortest word has with its quote, at most eight.
    mask: u64,
    factor: u64,
    shift: u32,
    /// The place of a word by its hash; [`FREE`] where there is none.
    places: Box<[u8]>,
}

const FREE: u8 = u8::MAX;

/// Words that are compared one after the other where no hash tells all of them apart.
const FEW: usize = 16;

/// Factors that are tried for each size of the table.
const TRIES: u64 = 64;

/// Times that the table may be larger than it has to be, as a power of two.
const ROOM: u32 = 4;

impl Table {
    /// Of words; one that comes twice has its first place.
    pub(super) fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let keys: Vec<Key> = words
            .into_iter()
            .map(|word| Key::new("", word, "\""))
            .collect();
        let shortest = keys.iter().map(Key::size).min().unwrap_or(0).min(8);
        let table = Self {
            mask: (0..shortest).fold(0, |mask, byte| mask | 0xff << (8 * byte)),
            factor: 0,
            shift: 0,
            places: Box::default(),
            keys,
        };
        let heads = || table.keys.iter().map(|key| key.first_bytes() & table.mask);
        let mut distinct: Vec<u64> = heads().collect();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() < table.keys.len() || distinct.len() >= usize::from(FREE) {
            return table;
        }
        let least = distinct.len().next_power_of_two().trailing_zeros().max(1);
        let factors = (1..=TRIES).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let sizes = (least..least + ROOM).flat_map(|size| factors.clone().map(move |f| (size, f)));
        for (size, factor) in sizes {
            let shift = u64::BITS - size;
            let mut places = vec![FREE; 1 << size].into_boxed_slice();
            let put = |(place, head): (u8, u64)| {
                let free = places.get_mut((head.wrapping_mul(factor) >> shift) as usize);
                let free = free.filter(|known| **known == FREE);
                free.map(|free| *free = place).is_some()
            };
            if (0..).zip(heads()).all(put) {
                return Self {
                    factor,
                    shift,
                    places,
                    ..table
                };
            }
        }
        table
    }

    /// The word at the beginning of some bytes, and its length with its quote.
    #[inline(always)]
    pub(super) fn find(&self, rest: &[u8]) -> Option<(i64, usize)> {
        let head = u64::from_le_bytes(*rest.first_chunk()?) & self.mask;
        let hash = (head.wrapping_mul(self.factor) >> (self.shift & 63)) as usize;
        let Some(place) = self.places.get(hash) else {
            return self.compare(rest);
        };
        let length = self.keys.get(usize::from(*place))?.begins(rest)?;
        Some((i64::from(*place), length))
    }

    /// The same by comparing with one word after the other, if they are few.
    #[inline(never)]
    fn compare(&self, rest: &[u8]) -> Option<(i64, usize)> {
        let mut words = (0i64..).zip(self.keys.get(..self.keys.len().min(FEW))?);
        words.find_map(|(place, key)| Some((place, key.begins(rest)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], hashed: bool, found: usize) {
        let table = Table::new(words.iter().copied());
        assert_eq!(!table.places.is_empty(), hashed, "{words:?}");
        for (at, word) in words.iter().enumerate() {
            let first = words.iter().position(|other| other == word);
            let place = first.and_then(|first| i64::try_from(first).ok());
            let json = format!("{word}\",\"and\":1, and more");
            let expected = place.map(|place| (place, word.len() + 1));
            let expected = expected.filter(|_| at < found);
            assert_eq!(table.find(json.as_bytes()), expected, "{word} of {words:?}");
            for other in [format!("{word}x\"        "), format!(" {word}\"        ")] {
                assert_eq!(table.find(other.as_bytes()), None, "{other}");
            }
        }
        for other in ["nothing of that sort\"", "\"                    ", ""] {
            assert_eq!(table.find(other.as_bytes()), None);
        }
    }

    #[test]
    fn every_word_is_found_and_no_other() {
        let numbered: Vec<String> = (0..200).map(|n| format!("{n:03}")).collect();
        let numbered: Vec<&str> = numbered.iter().map(String::as_str).collect();
        check(&["calm"], true, 1);
        check(&["no", "yes"], true, 2);
        check(&["low", "normal", "high", "critical"], true, 4);
        check(
            &["eu_west", "eu_north", "us_east", "us_west", "ap_south"],
            true,
            5,
        );
        check(&["a", "bc", "cde", "dbcdefghijklmnopqrst"], true, 4);
        check(&numbered, true, 200);
    }

    #[test]
    fn few_words_that_no_hash_tells_apart_are_found_too() {
        let alike: Vec<String> = (0..20).map(|n| format!("word_of_many_{n:02}")).collect();
        let alike: Vec<&str> = alike.iter().map(String::as_str).collect();
        check(&["low", "lower", "lowest"], false, 3);
        check(&["same", "same"], false, 2);
        check(&alike, false, FEW);
    }
}
