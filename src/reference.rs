//! The reference evaluator: the slow, obvious oracle of every faster one, and the engine of
//! explanations.
//!
//! In: a [`Matrix`](crate::matrix::Matrix), an [`Event`](crate::event::Event), the [`History`]
//! before it, the instants of the decision. Out: a [`Decision`](crate::decision::Decision), an
//! [`Explanation`].
//! Invariant: the same input gives the same decision; no trouble with one lane drops it or touches
//! another.
//! Must not know where events come from, nor what becomes of an escalation.
//!
//! To be read in this order: one test (`field`), expressions of tests (`eval`), measures
//! (`interval`, `history`, `measured`), why a test came out as it did (`reasons`), which of all that attaches
//! decides (`pass`, `decide`), what the attached lanes demand together (`join`), the two views on it
//! (`explain`, `coverage`), and the same event once more (`recorded`).

mod coverage;
mod decide;
mod eval;
mod explain;
mod field;
mod history;
mod interval;
mod join;
mod measured;
mod pass;
mod reasons;
mod recorded;

pub use coverage::{Coverage, LaneCoverage, TestCoverage};
pub use decide::{Reference, Settled, Times};
pub(crate) use eval::Facts;
pub use eval::Standing;
pub use explain::{Explained, Explanation, Node};
pub(crate) use field::answer;
pub use history::History;
pub(crate) use history::{Occurrence, value_of};
pub(crate) use interval::{Amount, Interval};
pub(crate) use measured::{Measured, Partial, Windows};
pub(crate) use pass::Standings;
pub use recorded::{Recorded, decide_again};

#[cfg(test)]
pub(crate) mod tests;
