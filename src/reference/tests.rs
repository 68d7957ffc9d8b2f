//! The reference evaluator against its rules.

mod build;
mod demands;
mod measures;
mod monotone;
mod reasons;
pub(crate) mod text;
mod verdicts;
