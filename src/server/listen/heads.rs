//! For how long a connection waits for the head of a request.
//!
//! In: the deadlines that the protocol sets, one for each head. Out: one timer of the runtime for a connection.
//! Invariant: no deadline passes that is not seen within that same moment.
//!
//! PERF: the timers of the runtime are kept in one place for all threads. A busy connection would put one there
//! and take it out again for each request.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// The deadline of the head that a connection waits for.
#[derive(Debug, Clone)]
pub(super) struct Heads(Arc<Waiting>);

#[derive(Debug)]
struct Waiting {
    begun: Instant,
    /// Microseconds behind the beginning; [`NONE`] where no head is waited for.
    until: AtomicU64,
}

const NONE: u64 = u64::MAX;

impl Heads {
    /// Of a connection that begins: its first head is to come within so long, whatever it will speak.
    pub(super) fn new(within: Duration) -> Self {
        let begun = Instant::now();
        let heads = Self(Arc::new(Waiting {
            begun,
            until: AtomicU64::new(NONE),
        }));
        heads.set(begun + within);
        heads
    }

    /// A head came.
    pub(super) fn came(&self) {
        self.0.until.store(NONE, Ordering::Relaxed);
    }

    /// Until when the next one is to come, if one is waited for.
    pub(super) fn until(&self) -> Option<Instant> {
        let until = self.0.until.load(Ordering::Relaxed);
        (until != NONE).then(|| self.0.begun + Duration::from_micros(until))
    }

    fn set(&self, until: Instant) {
        let micros = until.saturating_duration_since(self.0.begun).as_micros();
        let micros = u64::try_from(micros).unwrap_or(NONE - 1);
        self.0.until.store(micros, Ordering::Relaxed);
    }
}

impl Timer for Heads {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.set(deadline);
        Box::pin(Head(deadline))
    }
}

/// One head. It is looked at whenever the connection is, which is at its deadline at the latest: it wakes
/// nobody itself.
struct Head(Instant);

impl Sleep for Head {}

impl Future for Head {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match Instant::now() < self.0 {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }
}
