//! What programs ask for, under `/v1`.

pub(super) mod decisions;
pub(super) mod escalations;
pub(super) mod health;
pub(super) mod matrix;
