//! The reference evaluator against its rules.

mod build;
mod monotone;
mod streams;
