//! governor: the generic cell rate algorithm. Each agent has as many cells as the bound, and gets
//! them back one after the other, all of them in ten minutes.
//!
//! A sum is a call of as many cells as it has cents. There is nothing to tell tenants apart. Its clock
//! goes forward only: it is that of the delivery.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::Counter;
use crate::windows::call::{Answer, Bounds, Call, START, Said, WINDOW};

pub struct Governor {
    clock: StreamClock,
    calls: Limiter,
    cents: Limiter,
}

type Limiter = RateLimiter<
    String,
    DefaultKeyedStateStore<String>,
    StreamClock,
    NoOpMiddleware<<StreamClock as Clock>::Instant>,
>;

/// The clock of the stream.
#[derive(Debug, Clone)]
pub struct StreamClock(Arc<AtomicU64>);

impl StreamClock {
    fn set(&self, micros: i64) {
        let nanos = micros.unsigned_abs() * 1_000;
        self.0.store(nanos, Ordering::Relaxed);
    }
}

impl Clock for StreamClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.load(Ordering::Relaxed).into()
    }
}

impl Governor {
    pub fn new(bounds: Bounds) -> Self {
        let clock = StreamClock(Arc::default());
        clock.set(START);
        let limiter = |bound: u32| {
            let cells = NonZeroU32::new(bound).expect("a bound is not 0");
            let each = Duration::from_micros(WINDOW.unsigned_abs()) / bound;
            let quota = Quota::with_period(each).expect("longer than nothing");
            let state = DefaultKeyedStateStore::default();
            RateLimiter::new(quota.allow_burst(cells), state, clock.clone())
        };
        Self {
            calls: limiter(bounds.calls),
            cents: limiter(bounds.cents),
            clock,
        }
    }
}

impl Counter for Governor {
    const NAME: &'static str = "governor";
    const LESS: &'static str = "approximate; no distinct; what is refused is not counted; repeated ids \
                                count again; late calls count when they come";
    type Prepared = Call;

    fn prepare(&self, call: &Call, into: &mut Call) {
        into.clone_from(call);
    }

    fn observe(&mut self, call: &mut Call) -> Answer {
        self.clock.set(call.received);
        let cents = NonZeroU32::new(call.cents).expect("a call has an amount");
        let calls = self.calls.check_key(&call.agent);
        let cents = self.cents.check_key_n(&call.agent, cents);
        [
            calls.is_err().into(),
            (!matches!(cents, Ok(Ok(())))).into(),
            Said::Cannot,
        ]
    }
}
