//! Figures for Prometheus: `/metrics`.
//!
//! In: decisions as they are made; the store, when it is asked. Out: the OpenMetrics text.
//! Invariant: labels are lanes and words of the matrix, never anything of an event, so that their number is
//! bounded.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use arc_swap::ArcSwap;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::decision::{Decision, Verdict};

/// What is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    decisions: Family<Decided, Counter>,
    /// The same once more, for who counts: to look there takes no lock and makes no label.
    known: ArcSwap<Known>,
    decide: Histogram,
    pub(super) pending: Family<OfLane, Gauge>,
    pub(super) oldest: Gauge<f64, AtomicU64>,
    pub(super) overdue: Gauge,
    pub(super) waiting: Gauge,
    pub(super) failed: Gauge,
    pub(super) waited_for: Gauge,
    pub(super) healthy: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    verdict: &'static str,
    by: String,
}

/// Counters by what named a decision and by its verdict.
type Known = HashMap<String, Vec<(Verdict, Counter)>>;

/// Of one lane.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfLane {
    pub(super) lane: String,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("laneway");
        let decisions = Family::default();
        registry.register(
            "decisions",
            "Decisions by verdict and by what named them",
            Family::clone(&decisions),
        );
        // A microsecond to a second.
        let decide = Histogram::new(exponential_buckets(1e-6, 2.0, 21));
        registry.register("decide_seconds", "Time to decide one event", decide.clone());
        let pending = Family::default();
        registry.register(
            "pending",
            "Pending escalations by lane",
            Family::clone(&pending),
        );
        let oldest = Gauge::default();
        registry.register(
            "pending_oldest_seconds",
            "Age of the oldest pending escalation",
            oldest.clone(),
        );
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, Gauge::clone(&gauge));
            gauge
        };
        Self {
            overdue: gauge("overdue", "Pending escalations past their service level"),
            waiting: gauge("outbox_waiting", "Notices that wait to be sent"),
            failed: gauge("outbox_failed", "Notices that could not be sent"),
            waited_for: gauge("waited_for", "Escalations for whose end a request waits"),
            healthy: gauge("healthy", "Whether nothing needs a person"),
            registry,
            decisions,
            known: ArcSwap::default(),
            decide,
            pending,
            oldest,
        }
    }

    /// A decision was made.
    pub(super) fn decided(&self, decision: &Decision, took: Duration) {
        let verdict = decision.verdict;
        let known = self.known.load();
        let of = known.get(&decision.by);
        match of.and_then(|of| of.iter().find(|(its, _)| *its == verdict)) {
            Some((_, counter)) => counter.inc(),
            None => self.counter(verdict, &decision.by).inc(),
        };
        self.decide.observe(took.as_secs_f64());
    }

    /// The counter of what was not counted before.
    fn counter(&self, verdict: Verdict, by: &str) -> Counter {
        let of = Decided {
            verdict: verdict.as_str(),
            by: by.to_owned(),
        };
        let counter = Counter::clone(&self.decisions.get_or_create(&of));
        self.known.rcu(|known| {
            let mut known = Known::clone(known);
            let of = known.entry(by.to_owned()).or_default();
            if of.iter().all(|(its, _)| *its != verdict) {
                of.push((verdict, counter.clone()));
            }
            known
        });
        counter
    }

    /// All of it, as text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
