//! rust-rule-engine: the sliding windows and the aggregates of its streams, one window for each agent
//! in a table of ours, since its windows have no keys.
//!
//! Aggregates go over all events of the window each time. What they say is held against the bounds
//! here, without its rules and their network, which only adds to what it takes; its stream nodes
//! read the machine's clock, and cannot be asked about a recorded stream.

use std::collections::HashMap;
use std::time::Duration;

use rust_rule_engine::streaming::aggregator::{AggregationType, Aggregator};
use rust_rule_engine::streaming::event::StreamEvent;
use rust_rule_engine::streaming::window::{TimeWindow, WindowType};
use rust_rule_engine::types::Value;

use super::Counter;
use crate::windows::call::{Answer, Bounds, Call, WINDOW};

pub struct RuleEngine {
    bounds: Bounds,
    agents: HashMap<String, TimeWindow>,
    count: Aggregator,
    sum: Aggregator,
    distinct: Aggregator,
}

#[derive(Default)]
pub struct Prepared {
    agent: String,
    event: Option<StreamEvent>,
}

/// The most events of a window.
const MOST: usize = 20_000;

impl RuleEngine {
    pub fn new(bounds: Bounds) -> Self {
        let field = str::to_owned;
        Self {
            bounds,
            agents: HashMap::new(),
            count: Aggregator::new(AggregationType::Count),
            sum: Aggregator::new(AggregationType::Sum {
                field: field("amount"),
            }),
            distinct: Aggregator::new(AggregationType::CountDistinct {
                field: field("tenant"),
            }),
        }
    }
}

impl Counter for RuleEngine {
    const NAME: &'static str = "rust-rule-engine";
    const LESS: &'static str = "whole milliseconds; sums in floating point; repeated ids count again; a late \
                                event moves the window back";
    type Prepared = Prepared;

    fn prepare(&self, call: &Call, into: &mut Prepared) {
        into.agent.clone_from(&call.agent);
        let data = HashMap::from([
            ("tenant".to_owned(), Value::String(call.tenant.clone())),
            (
                "amount".to_owned(),
                Value::Number(f64::from(call.cents) / 100.0),
            ),
        ]);
        let millis = (call.at / 1_000).unsigned_abs();
        let mut event = StreamEvent::with_timestamp("call", data, "calls", millis);
        event.id.clone_from(&call.id);
        into.event = Some(event);
    }

    fn observe(&mut self, call: &mut Prepared) -> Answer {
        let event = call.event.take().expect("it is prepared");
        let window = match self.agents.get_mut(&call.agent) {
            Some(window) => window,
            None => self.agents.entry(call.agent.clone()).or_insert_with(|| {
                let length = Duration::from_micros(WINDOW.unsigned_abs());
                TimeWindow::new(WindowType::Sliding, length, 0, MOST)
            }),
        };
        window.record(event);
        let value = |of: &Aggregator| of.aggregate(window).as_number().expect("a number");
        [
            (value(&self.count) > f64::from(self.bounds.calls)).into(),
            (value(&self.sum) > f64::from(self.bounds.cents) / 100.0).into(),
            (value(&self.distinct) > f64::from(self.bounds.tenants)).into(),
        ]
    }
}
