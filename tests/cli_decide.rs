//! The commands that use a matrix, as a person or a pipeline runs them: decide, explain, test,
//! show, schema.

#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as the test does"
)]

#[path = "cli_decide/bad_input.rs"]
mod bad_input;
#[path = "cli_decide/cases.rs"]
mod cases;
#[path = "cli_decide/decide.rs"]
mod decide;
#[path = "cli_decide/explain.rs"]
mod explain;
#[path = "cli_decide/jobs.rs"]
mod jobs;
#[path = "cli_decide/long.rs"]
mod long;
#[path = "cli_decide/partitions.rs"]
mod partitions;
#[path = "support/program.rs"]
mod program;
#[path = "cli_decide/run.rs"]
mod run;
#[path = "cli_decide/schema.rs"]
mod schema;
#[path = "cli_decide/show.rs"]
mod show;
#[path = "support/streams.rs"]
mod streams;
