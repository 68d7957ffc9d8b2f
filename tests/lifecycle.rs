//! The rules of the lifecycle, one by one, as far as the pure machine decides them.
//!
//! What needs more than the machine is tested where it is: one escalation for each key, and the answer
//! to an unknown id or after a restart (rules 1, 14 and 15) with the stores, the two agreeing readings
//! after a jump of the clock (rule 4) with the desk, who the transport says it is (rule 3) with the
//! server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "lifecycle/corners.rs"]
mod corners;
#[path = "lifecycle/ends.rs"]
mod ends;
#[path = "lifecycle/rest.rs"]
mod rest;
#[path = "support/lifecycle.rs"]
mod support;
#[path = "lifecycle/time.rs"]
mod time;
#[path = "lifecycle/who.rs"]
mod who;
#[path = "lifecycle/wrong.rs"]
mod wrong;
