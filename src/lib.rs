//! Laneway.

pub mod calendar;
pub mod cases;
pub mod check;

pub mod clock;
pub mod decision;
pub mod diagnostic;
pub mod event;
pub mod limits;
pub mod matrix;
pub mod reference;
pub mod router;
pub mod schema;
pub mod span;
pub mod syntax;
pub mod value;
