//! Laneway.

pub mod calendar;
pub mod clock;
pub mod decision;
pub mod diagnostic;
pub mod event;
pub mod limits;
pub mod matrix;
pub mod reference;
pub mod schema;
pub mod span;
pub mod syntax;
pub mod value;
