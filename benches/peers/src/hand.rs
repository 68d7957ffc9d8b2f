//! The limit: what somebody writes who has one event type and no engine.
//!
//! In: lanes. Out: for a [`Call`] the first lane that fires.
//! Straight-line ifs are compiled from the lanes (`straight`); beyond a hundred lanes one would put
//! lanes into buckets by their routing keys (`buckets`), and somebody with much time would pack them
//! (`packed`). Bytes become a [`Call`] by a scanner that
//! checks nothing (`scan`), by the same with every rejection of Laneway's (`strict`), or by a crate.

pub mod buckets;
pub mod call;
pub mod packed;
pub mod scan;
pub mod straight;
pub mod strict;

pub use call::{Call, NONE};

use memchr::memmem::Finder;

/// Prepared searches of the phrases that lanes look for.
pub struct Needles(Vec<Finder<'static>>);

impl Needles {
    pub fn new() -> Self {
        Self(
            straight::PHRASES
                .iter()
                .map(|phrase| Finder::new(*phrase))
                .collect(),
        )
    }

    #[inline]
    pub fn has(&self, needle: usize, text: &str) -> bool {
        self.0[needle].find(text.as_bytes()).is_some()
    }
}
