//! A store whose transactions have spans.
//!
//! In: units of work. Out: the same work, and for each that a request asked for how long it took.
//! Invariant: what is done is what the store does.
//! Knows nothing of the work.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status};

use super::collector::Telemetry;
use super::spans::below;
use crate::store::{Store, StoreError, Work};

/// The store.
#[derive(Debug)]
struct Traced(Arc<dyn Store>);

/// A store whose transactions have spans; the same where nobody takes them.
pub(in crate::server) fn stored(store: Arc<dyn Store>, telemetry: &Telemetry) -> Arc<dyn Store> {
    match telemetry.tracer() {
        None => store,
        Some(_) => Arc::new(Traced(store)),
    }
}

impl Store for Traced {
    fn write(&self, work: Work) -> Result<(), StoreError> {
        self.timed("store write", || self.0.write(work))
    }

    fn read(&self, work: Work) -> Result<(), StoreError> {
        self.timed("store read", || self.0.read(work))
    }

    fn kind(&self) -> &'static str {
        self.0.kind()
    }
}

impl Traced {
    fn timed(
        &self,
        name: &'static str,
        work: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let span = below(|| {
            let attributes = [KeyValue::new("db.system.name", system(self.0.kind()))];
            let builder = SpanBuilder::from_name(name).with_kind(SpanKind::Client);
            builder.with_attributes(attributes)
        });
        let done = work();
        if let Some(mut span) = span {
            if done.is_err() {
                span.set_status(Status::error(""));
            }
            span.end();
        }
        done
    }
}

/// The store's kind, as the conventions of OpenTelemetry name it.
fn system(kind: &'static str) -> &'static str {
    match kind {
        "postgres" => "postgresql",
        other => other,
    }
}
