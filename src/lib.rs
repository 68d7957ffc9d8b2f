//! Laneway.

pub mod calendar;
pub mod clock;
pub mod diagnostic;
pub mod limits;
pub mod span;
pub mod syntax;
pub mod value;
