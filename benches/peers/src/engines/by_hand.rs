//! The rows of hand-written Rust.

use crate::hand::buckets::Buckets;
use crate::hand::packed::Packed;
use crate::hand::scan::scan;
use crate::hand::strict::Spare;
use crate::hand::{Call, Needles, straight};
use crate::measure::Row;
use crate::workload::Lane;

pub const STRAIGHT: &str = "hand-written, straight-line ifs";
pub const BUCKETS: &str = "hand-written, hash buckets";
pub const PACKED: &str = "hand-written, hash buckets of packed rows";
pub const SCANNER: &str = "hand-written scanner that checks nothing";
pub const STRICT: &str = "hand-written scanner with all rejections";
pub const SONIC: &str = "sonic-rs into the struct";
pub const SERDE: &str = "serde_json into the struct";

/// The decision by hand.
pub struct ByHand {
    straight: Option<fn(&Call<'_>, &Needles) -> u32>,
    needles: Needles,
    buckets: Option<Buckets>,
    packed: Option<Packed>,
}

impl ByHand {
    pub fn new(lanes: &[Lane]) -> Self {
        Self {
            straight: straight::of(lanes.len()),
            needles: Needles::new(),
            buckets: (lanes.len() >= 16).then(|| Buckets::new(lanes)),
            packed: (lanes.len() >= 16).then(|| Packed::new(lanes)),
        }
    }

    pub fn typed<'a>(&'a self, calls: &'a [Call<'a>], expected: &'a [u32]) -> Vec<Row<'a>> {
        let mut rows = Vec::new();
        if let Some(straight) = self.straight {
            rows.push(Row::new(STRAIGHT, expected, move |at| {
                straight(&calls[at], &self.needles)
            }));
        }
        if let Some(buckets) = &self.buckets {
            rows.push(Row::new(BUCKETS, expected, move |at| {
                buckets.first(&calls[at])
            }));
        }
        if let Some(packed) = &self.packed {
            rows.push(Row::new(PACKED, expected, move |at| {
                packed.first(&calls[at])
            }));
        }
        rows
    }

    /// The better way for this number of lanes.
    #[inline]
    fn first(&self, call: &Call<'_>) -> u32 {
        match (&self.buckets, self.straight) {
            (Some(buckets), _) => buckets.first(call),
            (None, Some(straight)) => straight(call, &self.needles),
            (None, None) => unreachable!("few lanes are written out"),
        }
    }

    pub fn json<'a>(&'a self, events: &'a [String], expected: &'a [u32]) -> Vec<Row<'a>> {
        vec![
            Row::new(SCANNER, expected, move |at| {
                let spare = Spare::default();
                let call = scan::<false>(events[at].as_bytes(), &spare);
                self.first(&call.expect("it is an event"))
            }),
            Row::new(STRICT, expected, move |at| {
                let spare = Spare::default();
                let call = scan::<true>(events[at].as_bytes(), &spare);
                self.first(&call.expect("it is an event"))
            }),
            Row::new(SONIC, expected, move |at| {
                let call: Call<'_> = sonic_rs::from_slice(events[at].as_bytes()).expect("JSON");
                self.first(&call)
            }),
            Row::new(SERDE, expected, move |at| {
                let call: Call<'_> = serde_json::from_slice(events[at].as_bytes()).expect("JSON");
                self.first(&call)
            }),
        ]
    }
}
