//! Pairs of lanes that attach to one event.
//!
//! Most pairs have none, and that is seen at once: each lane has for some dimensions 64 bits, one for each stretch of
//! regions that it takes, and where two lanes have none in common nothing is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::{Asked, Came, OfKind, Shown};
use crate::analysis::cube::{Cube, Dim};
use crate::analysis::prover::Part;
use crate::analysis::ways::Budget;
use crate::decision::Verdict;
use crate::matrix::{Lane, LaneId};

/// Dimensions that are compared by bits.
const DIMS: usize = 8;

/// Events that are kept for other pairs.
const SEEN: usize = 4_096;

/// The lanes of one kind, ready to be compared with each other.
pub(super) struct Pairs<'k, 'm> {
    pub(super) kind: &'k OfKind<'m>,
    /// By place: the lane, and where it attaches.
    pub(super) lanes: Vec<(&'k Lane, &'k Part)>,
    bits: Vec<[u64; DIMS]>,
    denied: Vec<&'k Part>,
    places: HashMap<LaneId, usize>,
    seen: RefCell<Seen>,
}

/// Events that were decided and not denied.
#[derive(Default)]
struct Seen {
    /// Each with a bit for every lane that attaches.
    events: Vec<(Arc<Shown>, Vec<u64>)>,
    /// By lane, the numbers of those to which it attaches.
    of_lane: HashMap<usize, Vec<usize>>,
}

impl<'k, 'm> Pairs<'k, 'm> {
    pub(super) fn of(asked: &'k Asked<'m, '_>, kind: &'k OfKind<'m>, budget: &Budget) -> Self {
        let lanes = kind.attaching(asked.matrix);
        let cubes = lanes
            .iter()
            .map(|(_, part)| kind.prover.ways(part, budget).unwrap_or_default());
        let cubes: Vec<&[Cube]> = cubes.collect();
        let dims = busiest(kind, &cubes);
        let bits = lanes.iter().zip(&cubes).map(|((_, part), cubes)| {
            // What cannot be taken apart may attach anywhere.
            match kind.prover.ways(part, budget) {
                Ok(_) => bits(kind, &dims, cubes),
                Err(_) => [u64::MAX; DIMS],
            }
        });
        let bits = bits.collect();
        let mut denied = kind.denied(asked.matrix);
        denied.extend(kind.denied_unsure(asked.matrix));
        let places = lanes.iter().zip(0..);
        Self {
            kind,
            places: places.map(|((lane, _), at)| (lane.id, at)).collect(),
            lanes,
            bits,
            denied,
            seen: RefCell::new(Seen::default()),
        }
    }

    /// Whether two lanes surely attach to no event together.
    pub(super) fn are_apart(&self, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.bits.get(one), self.bits.get(other)) else {
            return true;
        };
        one.iter().zip(other).any(|(one, other)| one & other == 0)
    }

    /// An event to which two lanes attach, and that is not denied.
    pub(super) fn together(
        &self,
        asked: &Asked<'_, '_>,
        one: usize,
        other: usize,
        budget: &Budget,
    ) -> Came {
        let places = [one, other];
        let (Some((one, ours)), Some((other, theirs))) =
            (self.lanes.get(one), self.lanes.get(other))
        else {
            return Came::Never;
        };
        if let Some(shown) = self.known(places) {
            return Came::Shown(shown);
        }
        let both = |shown: &Shown| {
            let is_open = shown.verdict() != Verdict::Deny;
            is_open && shown.has_attached(one) && shown.has_attached(other)
        };
        let came = asked.find(self.kind, &[ours, theirs], &self.denied, &both, budget);
        if let Came::Shown(shown) = &came {
            self.keep(shown);
        }
        came
    }

    /// An event that was decided for another pair, and to which these attach as well.
    fn known(&self, [one, other]: [usize; 2]) -> Option<Arc<Shown>> {
        let seen = self.seen.borrow();
        let has = |lanes: &[u64], place: usize| {
            let word = lanes.get(place / 64).copied().unwrap_or_default();
            word >> (place % 64) & 1 == 1
        };
        let mut numbers = seen.of_lane.get(&one)?.iter();
        numbers.find_map(|number| {
            let (shown, lanes) = seen.events.get(*number)?;
            has(lanes, other).then(|| Arc::clone(shown))
        })
    }

    fn keep(&self, shown: &Arc<Shown>) {
        let mut seen = self.seen.borrow_mut();
        let number = seen.events.len();
        if number >= SEEN {
            return;
        }
        let mut lanes = vec![0_u64; self.lanes.len().div_ceil(64)];
        for lane in shown.lanes() {
            let Some(place) = self.places.get(&lane).copied() else {
                continue;
            };
            if let Some(word) = lanes.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
            seen.of_lane.entry(place).or_default().push(number);
        }
        seen.events.push((Arc::clone(shown), lanes));
    }
}

/// The dimensions that most cubes name, of those that show all that is possible.
fn busiest(kind: &OfKind<'_>, cubes: &[&[Cube]]) -> Vec<Dim> {
    let mut named: std::collections::BTreeMap<Dim, usize> = std::collections::BTreeMap::new();
    for cube in cubes.iter().copied().flatten() {
        for dim in cube.dims() {
            *named.entry(dim).or_default() += 1;
        }
    }
    let mut dims: Vec<(usize, Dim)> = named.into_iter().map(|(dim, many)| (many, dim)).collect();
    dims.retain(|(_, dim)| kind.prover.space.is_exact(*dim));
    dims.sort_unstable_by_key(|(many, dim)| (std::cmp::Reverse(*many), *dim));
    dims.into_iter().take(DIMS).map(|(_, dim)| dim).collect()
}

/// For each dimension the stretches of regions that some cube takes.
fn bits(kind: &OfKind<'_>, dims: &[Dim], cubes: &[Cube]) -> [u64; DIMS] {
    let mut all = [u64::MAX; DIMS];
    for (bits, dim) in all.iter_mut().zip(dims) {
        let count = u64::from(kind.prover.space.count(*dim)).max(1);
        let stretch = |region: u32| match count <= 64 {
            true => u64::from(region),
            false => u64::from(region) * 64 / count,
        };
        *bits = 0;
        for cube in cubes {
            let Some(regions) = cube.regions(*dim) else {
                *bits = u64::MAX;
                break;
            };
            for (from, to) in regions.ranges() {
                let (from, to) = (stretch(from), stretch(to));
                let length = to - from + 1;
                *bits |= (u64::MAX >> (64 - length.min(64))) << from;
            }
        }
    }
    all
}
