//! Laneway: an escalation matrix rules engine.
//!
//! Data moves one way through the layers below; a module imports only what stands before it, and
//! `tests/tidy.rs` fails when one does not.
//!
//! ```text
//! text -[syntax]-> Ast -[check]-> Matrix -[reference]-> Decision -> cli
//!               event bytes -[event]-> Event ^
//! ```

// The map: one line a module, in layers.
// 0: positions, findings, bounds, typed values, time as an argument
pub mod clock;
pub mod diagnostic;
pub mod limits;
pub mod span;
pub mod value;
// 1: text to tree and back
pub mod syntax;
// 2: declared kinds, business hours, events
pub mod calendar;
pub mod event;
pub mod schema;
// 3: names to ids, types, lints; a matrix is valid by construction
pub mod check;
pub mod matrix;
// 4: what a decision is, and the slow oracle
pub mod decision;
pub mod reference;
// 6: the face of the engine for services
pub mod router;
// 7: examples and scenarios, run
pub mod cases;
// 9: files on disk
pub mod files;
// 10: the command line
#[cfg(feature = "cli")]
pub mod cli;
