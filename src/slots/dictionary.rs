//! A set of texts that an event's text is looked up in.
//!
//! In: texts, known when the program is made. Out: the number of a text, if it is one of them.
//! Invariant: found means equal, byte for byte; nothing is allocated by a look-up.

/// Texts with numbers in order of their insertion, each text once.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    /// Open addressing; a power of two with at most half of it used.
    table: Vec<Place>,
    /// All texts behind each other.
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The stamp of the text.
    stamp: u64,
    /// One more than the number; 0 for none.
    number: u32,
    /// Where the text is.
    start: u32,
    length: u32,
}

impl Dictionary {
    /// A dictionary of texts; one that comes twice has the number of its first place.
    #[must_use]
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut dictionary = Self::default();
        for text in texts {
            dictionary.insert(text);
        }
        dictionary
    }

    /// The number of a text, which is put in if it is not there.
    pub fn insert(&mut self, text: &str) -> u32 {
        if let Some(number) = self.find(text.as_bytes()) {
            return number;
        }
        if (self.ends.len() + 1) * 2 > self.table.len() {
            self.grow();
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX - 1);
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends
            .push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        self.place(stamp(text.as_bytes()), number);
        number
    }

    /// How many texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The texts in order of their numbers.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let numbers = (0u32..).take(self.len());
        numbers.map(|number| self.text(number).unwrap_or(""))
    }

    /// The text of a number.
    #[must_use]
    pub fn text(&self, number: u32) -> Option<&str> {
        self.ends.get(number as usize)?;
        std::str::from_utf8(self.bytes_of(number)).ok()
    }

    /// The number of a text.
    #[inline]
    #[must_use]
    pub fn find(&self, text: &[u8]) -> Option<u32> {
        let mask = self.table.len().checked_sub(1)?;
        let stamp = stamp(text);
        let mut at = first_place(stamp, mask);
        loop {
            let place = self.table.get(at)?;
            if place.number == 0 {
                return None;
            }
            if place.stamp == stamp && place.length as usize == text.len() {
                let start = place.start as usize;
                if self.bytes.get(start..start + text.len()) == Some(text) {
                    return Some(place.number - 1);
                }
            }
            at = (at + 1) & mask;
        }
    }

    fn range_of(&self, number: u32) -> (u32, u32) {
        let at = number as usize;
        let start = match at.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        let end = self.ends.get(at).copied().unwrap_or(start);
        (start, end - start)
    }

    fn bytes_of(&self, number: u32) -> &[u8] {
        let (start, length) = self.range_of(number);
        let start = start as usize;
        self.bytes
            .get(start..start + length as usize)
            .unwrap_or_default()
    }

    fn grow(&mut self) {
        let size = (self.table.len() * 2).max(8);
        self.table = vec![Place::default(); size];
        for number in 0..self.ends.len() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let stamp = stamp(self.bytes_of(number));
            self.place(stamp, number);
        }
    }

    fn place(&mut self, stamp: u64, number: u32) {
        let mask = self.table.len().saturating_sub(1);
        let mut at = first_place(stamp, mask);
        let (start, length) = self.range_of(number);
        while let Some(place) = self.table.get_mut(at) {
            if place.number == 0 {
                *place = Place {
                    stamp,
                    number: number + 1,
                    start,
                    length,
                };
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.table.len() * size_of::<Place>() + self.bytes.len() + self.ends.len() * 4
    }
}

/// Where a stamp is looked for first.
#[inline]
fn first_place(stamp: u64, mask: usize) -> usize {
    // The upper half of a stamp is as good as the lower one.
    (stamp >> 20) as usize & mask
}

/// A hash of a text.
///
/// Not against adversaries: the texts that are found by it are the author's own, and an event only
/// looks up.
#[inline]
fn stamp(text: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| {
        let wide = u128::from(state ^ word) * u128::from(K);
        #[expect(clippy::cast_possible_truncation, reason = "the halves of a product")]
        let folded = (wide as u64) ^ ((wide >> 64) as u64);
        folded
    };
    let mut state = (text.len() as u64).wrapping_mul(K);
    let word = if let Some(last) = text.last_chunk::<8>() {
        // The last word may overlap the one before it.
        for word in text.as_chunks::<8>().0 {
            state = mix(state, u64::from_le_bytes(*word));
        }
        u64::from_le_bytes(*last)
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let last = u64::from(u32::from_le_bytes(*last));
        u64::from(u32::from_le_bytes(*first)) | (last << 32)
    } else {
        text.iter().fold(0, |word, b| (word << 8) | u64::from(*b))
    };
    mix(state, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_found_and_no_other() {
        let mut texts: Vec<String> = (0..3_000)
            .map(|n| format!("customer-{n:08}-acme"))
            .collect();
        for length in 0..40 {
            texts.push("x".repeat(length));
        }
        let dictionary = Dictionary::new(texts.iter().map(String::as_str));
        assert_eq!(dictionary.len(), texts.len());
        for (n, text) in texts.iter().enumerate() {
            assert_eq!(dictionary.find(text.as_bytes()), Some(n as u32), "{text}");
            let other = format!("{text}y");
            assert_eq!(dictionary.find(other.as_bytes()), None, "{other}");
        }
        assert_eq!(Dictionary::default().find(b""), None);
        let shown: Vec<&str> = dictionary.texts().collect();
        assert_eq!(shown, texts);
    }

    #[test]
    fn a_text_that_comes_twice_keeps_its_number() {
        let dictionary = Dictionary::new(["a", "b", "a"]);
        assert_eq!(dictionary.len(), 2);
        assert_eq!(dictionary.find(b"b"), Some(1));
    }
}
