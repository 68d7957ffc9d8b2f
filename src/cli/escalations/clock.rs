//! The clock that stands still, for a store that was made for demonstrations.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::Clock;

/// The instant of `--now`, for ever.
#[derive(Debug)]
pub(super) struct Still(pub(super) Timestamp);

impl Clock for Still {
    fn wall(&self) -> Timestamp {
        self.0
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn boot(&self) -> Option<String> {
        None
    }
}
