//! Traces: what a request did, and how long each part of it took.
//!
//! In: requests, decisions, transactions. Out: spans to a collector, where this program was built to send any.
//! Invariant: a span has names that the matrix and this program gave, and nothing of a caller: no token, no
//! path as it was typed, nothing of an event. Who takes spans holds no request up.
//! Knows no rule.

#[cfg(not(feature = "otel"))]
mod absent;
#[cfg(feature = "otel")]
mod collector;
#[cfg(feature = "otel")]
mod spans;
#[cfg(feature = "otel")]
mod store;

#[cfg(not(feature = "otel"))]
pub(super) use absent::{Telemetry, carried, decided, stored, traced};
#[cfg(feature = "otel")]
pub(super) use collector::Telemetry;
#[cfg(feature = "otel")]
pub(super) use spans::{carried, decided, traced};
#[cfg(feature = "otel")]
pub(super) use store::stored;
