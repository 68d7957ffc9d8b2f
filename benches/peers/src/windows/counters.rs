//! What counts: Laneway, two ways by hand, and other engines.
//!
//! In: calls. Out: of each measure whether it is exceeded. What an engine does less is said in
//! [`Counter::LESS`], and in the README why.

pub mod buckets;
pub mod exact;
pub mod laneway;

#[cfg(feature = "differential-dataflow")]
pub mod differential;
#[cfg(feature = "governor")]
pub mod governor;
#[cfg(feature = "limitador")]
pub mod limitador;
#[cfg(feature = "rust-rule-engine")]
pub mod rule_engine;

use super::call::{Answer, Call};

/// What counts calls and says whether they are too many.
pub trait Counter {
    const NAME: &'static str;
    /// What it does less than the others.
    const LESS: &'static str;
    /// Whether it is another engine: those written by hand always run.
    const IS_PEER: bool = true;
    /// Whether it takes so long that it is timed on fewer calls.
    const SLOW: bool = false;
    /// The most calls in windows that it takes in within a minute or two.
    const MOST: usize = usize::MAX;

    /// A call in the form that it takes: made before the timing.
    type Prepared: Default;
    /// Puts a call into that form, over one of before.
    fn prepare(&self, call: &Call, into: &mut Self::Prepared);

    /// Counts a call, and says whether it is now too much. May take parts of it out.
    fn observe(&mut self, call: &mut Self::Prepared) -> Answer;

    /// Counts calls that nobody asks about.
    fn fill(&mut self, calls: &[Call]) {
        let mut prepared = Self::Prepared::default();
        for call in calls {
            self.prepare(call, &mut prepared);
            self.observe(&mut prepared);
        }
    }
}
