#![doc = include_str!("../README.md")]
//!
//! # The map
//!
//! Data moves one way: text, tree, matrix, decision, and out through a face. A module imports only
//! what stands before it here; `tests/tidy.rs` fails when one does not, and when one is missing.
//!
//! | layer | modules | does |
//! |---|---|---|
//! | 0 | [`clock`] [`span`] [`limits`] [`hex`] [`value`] [`diagnostic`] | time as an argument, positions, bounds, bytes as digits, typed values, findings |
//! | 1 | [`syntax`] | text to tree and back: scan, grammar, lowering, printer |
//! | 2 | [`schema`] [`event`] [`calendar`] | declared kinds; an event as slots, from JSON and from typed code; business hours |
//! | 3 | [`matrix`] [`check`] | names to ids, types, lints; a matrix is valid by construction |
//! | 4 | [`decision`] [`reference`](mod@reference) [`slots`] [`program`] [`compile`](mod@compile) | what a decision is; the slow, obvious evaluator; an event as cells; the compiled program and how it is made |
//! | 5 | [`measure`] | sliding windows, for several threads |
//! | 6 | [`parallel`] [`router`] | ordered work on all cores; the face for services: decide, dry run, explain, swap |
//! | 7 | [`cases`] [`replay`] [`analysis`] [`examples`] | examples and scenarios, run; a recorded stream, summed up; what a matrix will do to all events; examples that a matrix lacks |
//! | 8 | [`escalation`] | the lifecycle: a pure function of state, command and instant |
//! | 9 | [`store`] [`files`] [`notify`] [`desk`] [`words`] `engine` | where state outlives the process; a matrix on disk, and what an operator sets beside it; how people are told; what carries escalations to their end; how it is put in words; all of it as an operator set it up |
//! | 10 | `client` `server` `cli` | the client of the service; the service; the command line, which starts it |

pub mod analysis;
pub mod calendar;
pub mod cases;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "client")]
pub mod client;
pub mod clock;
pub mod compile;
pub mod decision;
pub mod desk;
pub mod diagnostic;
#[cfg(all(feature = "config", feature = "sqlite"))]
pub mod engine;
pub mod escalation;
pub mod event;
pub mod examples;
pub mod files;
pub mod hex;
pub mod limits;
pub mod matrix;
pub mod measure;
pub mod notify;
pub mod parallel;
pub mod program;
pub mod reference;
pub mod replay;
pub mod router;
pub mod schema;
#[cfg(feature = "server")]
pub mod server;
pub mod slots;
pub mod span;
pub mod store;
pub mod syntax;
pub mod value;
pub mod words;

// The public API of a service, on one page.
pub use check::{LoadError, Loaded, Options, check_text};
pub use clock::{Duration, Timestamp};
pub use decision::{AttachedLane, Decision, Hold, Reason, Scope, State, Urgency, Verdict};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use event::{Event, EventBuilder, Json, Problem, Unreadable};
pub use files::open;
pub use limits::Limits;
pub use matrix::Matrix;
pub use program::Outcome;
pub use reference::Explanation;
pub use router::{Recording, Router, Session};
pub use value::{Type, Value};
