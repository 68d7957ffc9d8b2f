//! Whether the service is well: `/healthz`, `/readyz`.
//!
//! Invariant: they say nothing that is not for everybody: no names, no paths, no numbers of escalations.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::clock::Timestamp;
use crate::server::access::Scope;
use crate::server::app::App;
use crate::server::caller::{Caller, blocking};
use crate::server::metrics::OfLane;
use crate::server::openapi::{Allowed, Known};
use crate::server::problem::Problem;
use crate::store::{Order, Query, read};

/// How the service is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::server) struct Health {
    /// `green`, or `red` where something needs a person.
    health: &'static str,
    /// What, by stable codes.
    problems: Vec<&'static str>,
    /// How events come: `alone`, `partitioned` or `shared`, where windows are lower bounds.
    measures: &'static str,
}

/// Whether the service is well.
///
/// It answers 200 while it lives, also red: to start it anew would mend nothing.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "health",
    tag = "operations",
    security(()),
    responses((status = 200, description = "It lives.", body = Health))
)]
pub(in crate::server) async fn health(State(app): State<Arc<App>>) -> Response {
    let problems = app.problems();
    let health = match problems.is_empty() {
        true => "green",
        false => "red",
    };
    let measures = app.routing().as_str();
    Answer(Health {
        health,
        problems,
        measures,
    })
    .into_response()
}

/// Whether requests are to be sent to it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::server) struct Ready {
    ready: bool,
}

/// Whether requests are to be sent to the service: it can decide, its store answers, and it does not end.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readiness",
    tag = "operations",
    security(()),
    responses(
        (status = 200, description = "They are.", body = Ready),
        (status = 503, description = "They are not.", body = Ready),
    )
)]
pub(in crate::server) async fn ready(State(app): State<Arc<App>>) -> Response {
    let is_ready = !app.is_ending() && app.deciding().is_some() && app.now().is_ok();
    let status = match is_ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Answer(Ready { ready: is_ready })).into_response()
}

/// Figures for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "operations",
    responses(
        (status = 200, description = "OpenMetrics.", content_type = METRICS, body = String),
        Known,
        Allowed,
    )
)]
pub(in crate::server) async fn metrics(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.needs(Scope::Metrics)?;
    let text = blocking(move || {
        measure(&app)?;
        Ok(app.metrics.text())
    })
    .await?;
    Ok(([(axum::http::header::CONTENT_TYPE, METRICS)], text).into_response())
}

const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Reads what is in the store; the rest is counted as it happens.
fn measure(app: &App) -> Result<(), Problem> {
    let metrics = &app.metrics;
    let figures = app.statistics()?;
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    for (lane, its) in &figures.lanes {
        let of = OfLane { lane: lane.clone() };
        metrics.pending.get_or_create(&of).set(whole(its.pending));
    }
    metrics.overdue.set(whole(figures.all.overdue));
    let outbox = read(app.desk.store().as_ref(), |transaction| {
        transaction.outbox()
    })?;
    metrics.waiting.set(whole(outbox.waiting));
    metrics.failed.set(whole(outbox.failed));
    metrics.waited_for.set(whole(app.live.waited_for() as u64));
    metrics.healthy.set(i64::from(app.problems().is_empty()));
    metrics.oldest.set(oldest(app)?);
    Ok(())
}

/// The age of the pending escalation that opened first, of those that are due next: seconds.
fn oldest(app: &App) -> Result<f64, Problem> {
    let now: Timestamp = app.now()?;
    let page = app.desk.page(Query {
        pending: Some(true),
        order: Order::Due,
        limit: 500,
        ..Query::default()
    })?;
    let first = page.iter().map(|it| it.opened).min();
    Ok(first.map_or(0.0, |first| {
        let age = (now - first).num_milliseconds();
        #[expect(clippy::cast_precision_loss, reason = "an age in seconds")]
        let seconds = age as f64 / 1_000.0;
        seconds
    }))
}
