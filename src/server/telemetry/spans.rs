//! Spans of requests and of decisions.
//!
//! A request's span stands in the context of the future that answers it, and of work that is done elsewhere
//! for it ([`carried`]); what happens within has its span below it. A caller that sends `traceparent` is
//! above all of it.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::{self, Next};
use axum::response::Response;
use opentelemetry::context::FutureExt as _;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, Span};

use crate::server::app::{App, Made};

/// What makes the spans below a request's.
struct Below(SdkTracer);

/// Routes that have a span for each request; the same where nobody takes them.
pub(in crate::server) fn traced(router: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
    match app.telemetry.tracer() {
        None => router,
        Some(_) => router.layer(middleware::from_fn_with_state(Arc::clone(app), request)),
    }
}

async fn request(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(tracer) = app.telemetry.tracer() else {
        return next.run(request).await;
    };
    let method = method(request.method());
    // The route as the table has it: in a path there are ids, and links that let people in.
    let path = request.extensions().get::<MatchedPath>();
    let route = path.map(|path| path.as_str().to_owned());
    let name = match &route {
        Some(route) => format!("{method} {route}"),
        None => method.to_owned(),
    };
    let mut attributes = vec![KeyValue::new("http.request.method", method)];
    attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
    let builder = SpanBuilder::from_name(name).with_kind(SpanKind::Server);
    let builder = builder.with_attributes(attributes);
    let span = tracer.build_with_context(builder, &above(request.headers()));
    let context = Context::new().with_span(span);
    let context = context.with_value(Below(tracer.clone()));
    let response = next.run(request).with_context(context.clone()).await;
    let (span, status) = (context.span(), response.status());
    let code = i64::from(status.as_u16());
    span.set_attribute(KeyValue::new("http.response.status_code", code));
    if status.is_server_error() {
        span.set_status(Status::error(""));
    }
    span.end();
    response
}

/// The caller's span, by W3C Trace Context.
fn above(headers: &HeaderMap) -> Context {
    let propagator = TraceContextPropagator::new();
    propagator.extract_with_context(&Context::new(), &HeaderExtractor(headers))
}

/// A method; what is none of HTTP's own is a text of the caller.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}

/// A span below that of the request that is answered now, if there is one.
pub(super) fn below(builder: impl FnOnce() -> SpanBuilder) -> Option<Span> {
    Context::map_current(|context| {
        let Below(tracer) = context.get::<Below>()?;
        Some(tracer.build_with_context(builder(), context))
    })
}

/// Notes a decision, which was made just now.
pub(in crate::server) fn decided(made: &Made) {
    let span = below(|| {
        let began = SystemTime::now().checked_sub(made.took);
        let decision = &made.decision;
        let mut attributes = vec![
            KeyValue::new("laneway.matrix", made.matrix.digest.to_string()),
            KeyValue::new("laneway.verdict", decision.verdict.as_str()),
            KeyValue::new("laneway.by", decision.by.clone()),
        ];
        let lane = decision.lanes.first();
        attributes.extend(lane.map(|lane| KeyValue::new("laneway.lane", lane.lane.clone())));
        let builder = SpanBuilder::from_name("decide").with_attributes(attributes);
        builder.with_start_time(began.unwrap_or_else(SystemTime::now))
    });
    if let Some(mut span) = span {
        span.end();
    }
}

/// Work for the request that is answered now, to be done on another thread.
pub(in crate::server) fn carried<T>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl FnOnce() -> T + Send + 'static {
    let context = Context::current();
    move || {
        let _attached = context.attach();
        work()
    }
}
