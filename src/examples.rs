//! What the examples of a matrix do not show yet: edits that none of them would notice, and events at the edges of
//! its tests.
//!
//! In: a checked matrix with its texts. Out: mutants with what came of each; examples to put into lanes.
//! Invariant: a line that is offered passes with the matrix as it is; a mutant is called the same only where that is
//! proved for all events.
//! Reads no clock: whoever asks says when the time is up.
//!
//! To be read in this order: small edits of the text (`edits`), values at the edges of tests (`domain`), a case as
//! a line of the language (`line`), events near those that are known (`near`), mutants and suggestions.

pub mod domain;
mod edits;
mod line;
mod mutants;
mod near;
mod suggest;

pub use line::Line;
pub use mutants::{Came, Mutant, Original, Patience, mutants};
pub use suggest::{Suggested, suggest};
