//! The program as a person or a pipeline runs it: arguments, files and streams in, streams and exit
//! codes out.

#![cfg(feature = "cli")]

#[path = "cli/check.rs"]
mod check;
#[path = "cli/codes.rs"]
mod codes;
#[path = "cli/fix.rs"]
mod fix;
#[path = "cli/fmt.rs"]
mod fmt;
#[path = "cli/input.rs"]
mod input;
#[path = "cli/run.rs"]
mod run;
