//! What gateways do by hand: two fixed buckets of ten minutes for each agent. The one before counts
//! by the share of it that still lies in the window, as if its calls were spread evenly.

use std::collections::HashMap;

use super::Counter;
use crate::windows::call::{Answer, Bounds, Call, Said, WINDOW};

pub struct Buckets {
    bounds: Bounds,
    agents: HashMap<String, Agent>,
}

#[derive(Default)]
struct Agent {
    /// The number of the bucket, in windows since 1970.
    number: i64,
    /// Calls and cents.
    current: [u64; 2],
    before: [u64; 2],
}

impl Buckets {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            agents: HashMap::new(),
        }
    }
}

impl Counter for Buckets {
    const NAME: &'static str = "by hand, two buckets";
    const LESS: &'static str =
        "approximate; no distinct; repeated ids count again; late calls count when they come";
    const IS_PEER: bool = false;
    type Prepared = Call;

    fn prepare(&self, call: &Call, into: &mut Call) {
        into.clone_from(call);
    }

    fn observe(&mut self, call: &mut Call) -> Answer {
        let agent = match self.agents.get_mut(&call.agent) {
            Some(agent) => agent,
            None => self.agents.entry(call.agent.clone()).or_default(),
        };
        let number = call.received / WINDOW;
        if number != agent.number {
            let is_next = number == agent.number + 1;
            agent.before = if is_next { agent.current } else { [0; 2] };
            agent.current = [0; 2];
            agent.number = number;
        }
        agent.current[0] += 1;
        agent.current[1] += u64::from(call.cents);
        let left = 1.0 - (call.received % WINDOW) as f64 / WINDOW as f64;
        let estimate = |what: usize| agent.before[what] as f64 * left + agent.current[what] as f64;
        [
            (estimate(0) > f64::from(self.bounds.calls)).into(),
            (estimate(1) > f64::from(self.bounds.cents)).into(),
            Said::Cannot,
        ]
    }
}
