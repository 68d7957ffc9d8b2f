//! Escalations as a person or a program carries them on the command line: `laneway escalations` and
//! `laneway audit`.

#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as the test does"
)]

#[path = "cli_escalations/audit.rs"]
mod audit;
#[path = "cli_escalations/history.rs"]
mod history;
#[path = "cli_escalations/json.rs"]
mod json;
#[path = "support/program.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod program;
#[path = "cli_escalations/refusals.rs"]
mod refusals;
#[path = "cli_escalations/silence.rs"]
mod silence;
#[path = "cli_escalations/walk.rs"]
mod walk;
#[path = "cli_escalations/world.rs"]
mod world;
