//! Which regions of a dimension.
//!
//! In: the numbers of regions. Out: unions, intersections, complements.
//! Invariant: ranges are in order, and neither overlap nor touch, so that equal sets are equal values.

use smallvec::{SmallVec, smallvec};

/// Regions of one dimension, by their numbers: ranges with both ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Regions(Ranges);

/// Most sets are one range or two.
type Ranges = SmallVec<[(u32, u32); 2]>;

impl Regions {
    /// The first `count` regions.
    pub(super) fn first(count: u32) -> Self {
        Self(
            count
                .checked_sub(1)
                .map(|last| (0, last))
                .into_iter()
                .collect(),
        )
    }

    /// From one region up to before another.
    pub(super) fn between(from: u32, to: u32) -> Self {
        match from < to {
            true => Self(smallvec![(from, to - 1)]),
            false => Self::default(),
        }
    }

    /// With both ends, in order.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().copied()
    }

    /// One region.
    pub(super) fn one(region: u32) -> Self {
        Self(smallvec![(region, region)])
    }

    /// Those for which it holds, of so many.
    pub(super) fn of(count: u32, holds: impl Fn(u32) -> bool) -> Self {
        let mut set = Self::default();
        for region in (0..count).filter(|region| holds(*region)) {
            set.push(region, region);
        }
        set
    }

    /// Appends a range that lies behind all others, or touches the last.
    pub(super) fn push(&mut self, from: u32, to: u32) {
        match self.0.last_mut() {
            Some((_, last)) if from <= last.saturating_add(1) => *last = (*last).max(to),
            _ => self.0.push((from, to)),
        }
    }

    /// Whether it is one of them.
    pub(super) fn has(&self, region: u32) -> bool {
        let at = self.0.partition_point(|(_, to)| *to < region);
        self.0.get(at).is_some_and(|(from, _)| *from <= region)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many.
    pub(super) fn len(&self) -> u32 {
        let lengths = self.0.iter().map(|(from, to)| to - from + 1);
        lengths.sum()
    }

    /// In order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(|(from, to)| *from..=*to)
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        let mut both = Self::default();
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some((a, b)), Some((c, d))) = (ours.peek(), theirs.peek()) {
            let (from, to) = (*a.max(c), *b.min(d));
            if from <= to {
                both.push(from, to);
            }
            if b <= d {
                ours.next();
            } else {
                theirs.next();
            }
        }
        both
    }

    /// Whether they have one in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some((a, b)), Some((c, d))) = (ours.peek(), theirs.peek()) {
            if a.max(c) <= b.min(d) {
                return true;
            }
            if b <= d {
                ours.next();
            } else {
                theirs.next();
            }
        }
        false
    }

    pub(super) fn or(&self, other: &Self) -> Self {
        let mut all: Ranges = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        let mut either = Self::default();
        for (from, to) in all {
            either.push(from, to);
        }
        either
    }

    /// The others of so many.
    pub(super) fn not(&self, count: u32) -> Self {
        let mut others = Self::default();
        let mut next = 0;
        for (from, to) in &self.0 {
            if next < *from {
                others.push(next, from - 1);
            }
            next = to + 1;
        }
        if next < count {
            others.push(next, count - 1);
        }
        others
    }

    /// Those that are none of the others.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut left = Self::default();
        let mut theirs = other.0.iter().peekable();
        for (from, to) in &self.0 {
            let mut next = *from;
            while theirs.next_if(|(_, end)| end < from).is_some() {}
            while let Some((begin, end)) = theirs.peek()
                && begin <= to
            {
                if next < *begin {
                    left.push(next, begin - 1);
                }
                next = next.max(end.saturating_add(1));
                // It may reach into the next range as well.
                if end > to {
                    break;
                }
                theirs.next();
            }
            if next <= *to {
                left.push(next, *to);
            }
        }
        left
    }

    /// Whether each is one of the others.
    pub(super) fn is_in(&self, other: &Self) -> bool {
        let mut theirs = other.0.iter().peekable();
        self.0.iter().all(|(from, to)| {
            while theirs.next_if(|(_, end)| end < from).is_some() {}
            let around = theirs.peek();
            around.is_some_and(|(begin, end)| begin <= from && to <= end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(set: &Regions) -> u32 {
        set.iter().fold(0, |bits, region| bits | 1 << region)
    }

    fn set(bits: u32) -> Regions {
        Regions::of(8, |region| bits >> region & 1 == 1)
    }

    #[test]
    fn sets_are_what_bits_are() {
        for a in 0..256 {
            let one = set(a);
            assert_eq!(bits(&one), a);
            assert_eq!(bits(&one.not(8)), !a & 255);
            assert_eq!((one.len(), one.is_empty()), (a.count_ones(), a == 0));
            assert_eq!(one.iter().count() as u32, a.count_ones());
            for b in 0..256 {
                let other = set(b);
                assert_eq!(one.and(&other), set(a & b));
                assert_eq!(one.or(&other), set(a | b));
                assert_eq!(one.meets(&other), a & b != 0);
                assert_eq!(one.minus(&other), set(a & !b));
                assert_eq!(one.is_in(&other), a & !b == 0);
                assert_eq!(one.has(b % 8), a >> (b % 8) & 1 == 1);
            }
        }
    }
}
