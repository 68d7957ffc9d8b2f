//! What programs ask for, under `/v1`.

pub(super) mod commands;
pub(super) mod decisions;
pub(super) mod escalations;
pub(super) mod guard;
pub(super) mod health;
pub(super) mod lists;
pub(super) mod matrix;
mod opening;
mod permit;
mod tool_call;
