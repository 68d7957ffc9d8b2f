//! What is measured: each engine turns lanes into its own form, and events into rows.

pub mod by_hand;
pub mod laneway;
#[cfg_attr(
    not(feature = "peers"),
    allow(dead_code, reason = "what only some peers need")
)]
pub mod peers;
pub mod walk;
