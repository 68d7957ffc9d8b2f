//! Every route, in one table.
//!
//! Invariant: a route that is not in the table does not exist, and one answers the method that the table says
//! and no other, so that a test can ask each that changes something whether it knows who calls.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use tower::ServiceExt;
use tower::util::MapResponseLayer;

use super::api::{commands, decisions, escalations, guard, health, lists, matrix};
use super::app::App;
use super::caller::{ahead, looks_ahead};
use super::openapi;
use super::pages;
use super::problem::Problem;
use super::telemetry::traced;

/// One route.
#[derive(Debug)]
pub struct Route {
    /// The method that it answers.
    pub method: Method,
    /// Its path, with names in braces for what differs.
    pub path: &'static str,
    /// Whether it is for those alone whom the service knows.
    pub is_known: bool,
    /// Whether a request can change anything.
    pub changes: bool,
    does: MethodRouter<Arc<App>>,
}

/// A route that only shows.
pub(super) fn read<H, T>(path: &'static str, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    Route {
        method: Method::GET,
        path,
        is_known: true,
        changes: false,
        does: get(handler),
    }
}

/// A route that changes something.
pub(super) fn change<H, T>(path: &'static str, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    Route {
        method: Method::POST,
        path,
        is_known: true,
        changes: true,
        does: post(handler),
    }
}

impl Route {
    /// The same for everybody.
    pub(super) fn open(self) -> Self {
        Self {
            is_known: false,
            ..self
        }
    }

    /// The same, where to read it changes something.
    fn changing(self) -> Self {
        Self {
            changes: true,
            ..self
        }
    }
}

/// The table: every route of a service, in no order that matters.
#[must_use]
pub fn routes() -> Vec<Route> {
    let mut all = api();
    all.extend(pages::table());
    all
}

/// What programs ask for.
pub(super) fn api() -> Vec<Route> {
    vec![
        change(DECISIONS, decisions::one),
        change("/v1/decisions/batch", decisions::batch),
        read("/v1/escalations", lists::list),
        read("/v1/escalations/{id}", escalations::one),
        read("/v1/escalations/{id}/history", escalations::history),
        change("/v1/escalations/{id}/{act}", commands::act),
        read("/v1/events", escalations::events),
        change("/v1/guard/evaluate", guard::evaluate),
        // Of what was approved it uses the permission.
        read("/v1/guard/escalations/{id}/status", guard::status).changing(),
        read("/v1/matrix", matrix::show),
        change("/v1/matrix/reload", matrix::reload),
        read("/v1/stats", matrix::stats),
        read("/metrics", health::metrics),
        read("/healthz", health::health).open(),
        read("/readyz", health::ready).open(),
        read("/openapi.json", openapi::show).open(),
    ]
}

/// Everything that the service answers.
#[derive(Clone)]
pub(super) struct Routes {
    all: Router,
    app: Arc<App>,
    is_traced: bool,
}

impl Routes {
    /// Those of the table.
    pub(super) fn new(app: Arc<App>) -> Self {
        Self {
            all: router(Arc::clone(&app)),
            is_traced: app.telemetry.is_on(),
            app,
        }
    }

    /// Answers a request.
    ///
    /// PERF: what a busy service is asked most is not looked for among all routes: the same handler, without its
    /// boxes.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let is_decision = request.method() == Method::POST && request.uri().path() == DECISIONS;
        if is_decision && !self.is_traced {
            let answered = decisions::one.call(request, Arc::clone(&self.app));
            return harden_data(answered.await);
        }
        let answered = self.all.clone().oneshot(request).await;
        answered.unwrap_or_else(|never| match never {})
    }
}

/// Where one event is decided.
const DECISIONS: &str = "/v1/decisions";

fn router(app: Arc<App>) -> Router {
    let routed = |table: Vec<Route>| {
        let mut router: Router<Arc<App>> = Router::new();
        for route in table {
            router = router.route(route.path, route.does);
        }
        router.method_not_allowed_fallback(|| async {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(status, "method", "this path has no such method")
        })
    };
    let api = routed(api()).layer(MapResponseLayer::new(harden_data));
    let pages = routed(pages::table())
        .fallback(pages::nowhere)
        .layer(middleware::from_fn(harden_page));
    traced(pages.merge(api), &app).with_state(app)
}

/// What each answer to a program says to browsers that come upon it: it is data, of this moment and for one
/// reader, of which nothing runs and which nothing frames.
fn harden_data(mut response: Response) -> Response {
    const POLICY: HeaderValue = HeaderValue::from_static(
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    let headers = response.headers_mut();
    // With the kind and the length of the answer, as many as the smallest map holds.
    headers.reserve(4);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(header::X_FRAME_OPTIONS, DENY);
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    response
}

/// Headers of a page that there is room for at once.
const HARDENED: usize = 16;

const DENY: HeaderValue = HeaderValue::from_static("DENY");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What every page says to browsers.
async fn harden_page(request: Request, next: Next) -> Response {
    let mut response = match looks_ahead(request.headers()) {
        true => ahead().into_response(),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.reserve(HARDENED);
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, NOSNIFF),
        (header::X_FRAME_OPTIONS, DENY),
        (
            header::REFERRER_POLICY,
            // With `no-referrer` browsers hide where the forms of these pages come from.
            HeaderValue::from_static("same-origin"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
        ),
    ];
    for (name, value) in always {
        headers.insert(name, value);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    response
}

/// Scripts, styles and pictures are the service's own files; nothing is inline, nothing frames it, and forms
/// go nowhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_is_for_the_known_but_for_the_ways_in() {
        let open: Vec<_> = routes()
            .into_iter()
            .filter(|route| !route.is_known && route.changes)
            .map(|route| route.path)
            .collect();
        assert_eq!(open, ["/sign-in", "/setup/{link}"]);
    }

    #[test]
    fn no_two_routes_are_one() {
        let mut all: Vec<_> = routes()
            .iter()
            .map(|route| (route.path, route.method.to_string()))
            .collect();
        let many = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), many);
    }
}
