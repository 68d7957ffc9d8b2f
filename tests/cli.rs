//! The program as a person or a pipeline runs it: arguments, files and streams in, streams and exit
//! codes out.

#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as the test does"
)]

#[path = "cli/analyze.rs"]
mod analyze;
#[path = "cli/check.rs"]
mod check;
#[path = "cli/check_findings.rs"]
mod check_findings;
#[path = "cli/codes.rs"]
mod codes;
#[path = "cli/diff.rs"]
mod diff;
#[path = "cli/fix.rs"]
mod fix;
#[path = "cli/fmt.rs"]
mod fmt;
#[path = "cli/input.rs"]
mod input;
#[path = "cli/mutate.rs"]
mod mutate;
#[path = "cli/new.rs"]
mod new;
#[path = "support/program.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod program;
#[path = "cli/run.rs"]
mod run;
