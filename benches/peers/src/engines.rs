//! What is measured: each engine turns lanes into its own form, and events into rows.

pub mod by_hand;
pub mod laneway;
pub mod peers;
pub mod walk;
