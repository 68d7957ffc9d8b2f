//! `laneway replay`, as a person or a pipeline runs it.

#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as the test does, and each test needs a part of them"
)]

#[path = "cli_replay/against.rs"]
mod against;
#[path = "support/events.rs"]
mod events;
#[path = "support/generate.rs"]
mod generate;
#[path = "cli_replay/input.rs"]
mod input;
#[path = "cli_replay/log.rs"]
mod log;
#[path = "cli_replay/long.rs"]
mod long;
#[cfg(feature = "parquet")]
#[path = "cli_replay/parquet.rs"]
mod parquet;
#[path = "support/program.rs"]
mod program;
#[path = "cli_decide/run.rs"]
mod run;
#[path = "cli_replay/same.rs"]
mod same;
#[path = "support/streams.rs"]
mod streams;
#[path = "cli_replay/summary.rs"]
mod summary;
