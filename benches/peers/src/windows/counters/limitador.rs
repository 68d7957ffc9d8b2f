//! limitador: a fixed window for each agent, which begins with its first call and ends ten minutes
//! later, in memory.
//!
//! It has no clock but the machine's. For the answers a stream is played six hundred times as fast,
//! with windows of a second; for the times no window ends. A call that it limits is counted by a second
//! request, since every call counts.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use limitador::RateLimiter;
use limitador::limit::{Context, Expression, Limit, Namespace};

use super::Counter;
use crate::windows::call::{Answer, Bounds, Call, SECOND, START, Said, WINDOW};

pub struct Limitador {
    limiter: RateLimiter,
    calls: Namespace,
    cents: Namespace,
}

#[derive(Default)]
pub struct Prepared {
    agent: Context<'static>,
    cents: u64,
}

/// More than there ever are, so that no agent is let go of.
const COUNTERS: u64 = 4_000_000;

impl Limitador {
    pub fn new(bounds: Bounds) -> Self {
        Self::with_window(bounds, (WINDOW / SECOND).unsigned_abs())
    }

    fn with_window(bounds: Bounds, seconds: u64) -> Self {
        let limiter = RateLimiter::new(COUNTERS);
        for (namespace, bound) in [("calls", bounds.calls), ("cents", bounds.cents)] {
            let agent = Expression::parse("agent").expect("an expression");
            let limit = Limit::new(namespace, u64::from(bound), seconds, [], [agent]);
            assert!(limiter.add_limit(limit));
        }
        Self {
            limiter,
            calls: Namespace::from("calls"),
            cents: Namespace::from("cents"),
        }
    }

    fn is_limited(&self, namespace: &Namespace, context: &Context<'_>, delta: u64) -> bool {
        let checked = self
            .limiter
            .check_rate_limited_and_update(namespace, context, delta)
            .expect("it lies in memory");
        if checked.limited {
            let counted = self.limiter.update_counters(namespace, context, delta);
            counted.expect("it lies in memory");
        }
        checked.limited
    }
}

impl Counter for Limitador {
    const NAME: &'static str = "limitador";
    const LESS: &'static str = "fixed windows; no distinct; repeated ids count again; late calls count \
                                when they come; no clock but the machine's";
    type Prepared = Prepared;

    fn prepare(&self, call: &Call, into: &mut Prepared) {
        let agent = ("agent".to_owned(), call.agent.clone());
        into.agent = HashMap::from([agent]).into();
        into.cents = u64::from(call.cents);
    }

    fn observe(&mut self, call: &mut Prepared) -> Answer {
        [
            self.is_limited(&self.calls, &call.agent, 1).into(),
            self.is_limited(&self.cents, &call.agent, call.cents).into(),
            Said::Cannot,
        ]
    }
}

/// A stream, played fast enough that ten minutes are a second.
pub struct Played {
    limitador: Limitador,
    /// At the first call.
    begun: Option<SystemTime>,
}

const FASTER: u64 = 600;

impl Played {
    pub fn new(bounds: Bounds) -> Self {
        let seconds = (WINDOW / SECOND).unsigned_abs() / FASTER;
        Self {
            limitador: Limitador::with_window(bounds, seconds),
            begun: None,
        }
    }
}

impl Counter for Played {
    const NAME: &'static str = Limitador::NAME;
    const LESS: &'static str = Limitador::LESS;
    type Prepared = (Prepared, Duration);

    fn prepare(&self, call: &Call, into: &mut Self::Prepared) {
        self.limitador.prepare(call, &mut into.0);
        let since = (call.received - START).unsigned_abs();
        into.1 = Duration::from_nanos(since * 1_000 / FASTER);
    }

    fn observe(&mut self, call: &mut Self::Prepared) -> Answer {
        let begun = *self.begun.get_or_insert_with(SystemTime::now);
        while SystemTime::now() < begun + call.1 {
            std::hint::spin_loop();
        }
        self.limitador.observe(&mut call.0)
    }
}
