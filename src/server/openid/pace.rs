//! How many may begin to sign in.
//!
//! In: beginnings. Out: whether one more may be kept.
//! Invariant: who is not known yet fills the store with no more than so many rows.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::server::app::locked;

/// Beginnings in one span, by one server: each is a row of some 300 bytes until it is over.
const MOST: u32 = 10_000;

/// Counts beginnings.
#[derive(Debug)]
pub(super) struct Pace {
    span: Duration,
    begun: Mutex<(Instant, u32)>,
}

impl Pace {
    /// Over spans of such a length.
    pub(super) fn new(span: Duration) -> Self {
        Self {
            span,
            begun: Mutex::new((Instant::now(), 0)),
        }
    }

    /// Whether one more may begin; it counts then.
    pub(super) fn may_begin(&self) -> bool {
        let mut begun = locked(&self.begun);
        if begun.0.elapsed() >= self.span {
            *begun = (Instant::now(), 0);
        }
        let may = begun.1 < MOST;
        begun.1 += u32::from(may);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_begin_in_a_span_and_again_in_the_next() {
        let pace = Pace::new(Duration::from_secs(3_600));
        assert!((0..MOST).all(|_| pace.may_begin()));
        assert!(!pace.may_begin());
        let pace = Pace::new(Duration::ZERO);
        assert!((0..MOST + 1).all(|_| pace.may_begin()));
    }
}
