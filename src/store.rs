//! Where state outlives the process.
//!
//! In: what the engine has to keep. Out: the same, after a restart.
//! Invariant: nothing is taken for kept that is not; what may be missing is said to be.
//! Knows no matrix and decides nothing.

mod file;

pub use file::{Durability, FileStore};
