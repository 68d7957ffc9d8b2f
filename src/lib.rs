//! Laneway.

pub mod calendar;
pub mod cases;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod clock;
pub mod decision;
pub mod diagnostic;
pub mod event;
pub mod files;
pub mod limits;
pub mod matrix;
pub mod schema;
pub mod span;
pub mod syntax;
pub mod value;
