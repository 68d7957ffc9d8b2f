//! Straight-line ifs, lane after lane: see the build script.

#![allow(clippy::all, unused_parens, reason = "generated")]

use super::Needles;
use super::call::{Call, NONE};

include!(concat!(env!("OUT_DIR"), "/straight.rs"));

/// The function for a number of lanes, where it was written out.
pub fn of(lanes: usize) -> Option<fn(&Call<'_>, &Needles) -> u32> {
    match lanes {
        5 => Some(straight_5),
        50 => Some(straight_50),
        500 => Some(straight_500),
        #[cfg(feature = "straight-5000")]
        5_000 => Some(straight_5000),
        _ => None,
    }
}
