//! Every route, in one table.
//!
//! Invariant: a route that is not in the table does not exist, so that a test can ask each that changes
//! something whether it knows who calls.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};

use super::api::{commands, decisions, escalations, guard, health, lists, matrix};
use super::app::App;
use super::openapi;
use super::pages;
use super::problem::Problem;
use super::telemetry::traced;

type Routes = Vec<Route>;

/// One route.
pub(super) struct Route {
    /// Of which method it is; the tests walk by it.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests walk by it"))]
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// Whether it is for those alone whom the service knows.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests walk by it"))]
    pub(super) is_known: bool,
    does: MethodRouter<Arc<App>>,
}

pub(super) fn to(method: Method, path: &'static str, does: MethodRouter<Arc<App>>) -> Route {
    Route {
        method,
        path,
        is_known: true,
        does,
    }
}

pub(super) fn open(method: Method, path: &'static str, does: MethodRouter<Arc<App>>) -> Route {
    Route {
        is_known: false,
        ..to(method, path, does)
    }
}

/// The table.
pub(super) fn table() -> Routes {
    let mut all = api();
    all.extend(pages::table());
    all
}

/// What programs ask for.
pub(super) fn api() -> Routes {
    let (read, change) = (Method::GET, Method::POST);
    vec![
        to(change.clone(), "/v1/decisions", post(decisions::one)),
        to(
            change.clone(),
            "/v1/decisions/batch",
            post(decisions::batch),
        ),
        to(read.clone(), "/v1/escalations", get(lists::list)),
        to(read.clone(), "/v1/escalations/{id}", get(escalations::one)),
        to(
            read.clone(),
            "/v1/escalations/{id}/history",
            get(escalations::history),
        ),
        to(
            change.clone(),
            "/v1/escalations/{id}/{act}",
            post(commands::act),
        ),
        to(read.clone(), "/v1/events", get(escalations::events)),
        to(change.clone(), "/v1/guard/evaluate", post(guard::evaluate)),
        to(
            read.clone(),
            "/v1/guard/escalations/{id}/status",
            get(guard::status),
        ),
        to(read.clone(), "/v1/matrix", get(matrix::show)),
        to(change, "/v1/matrix/reload", post(matrix::reload)),
        to(read.clone(), "/v1/stats", get(matrix::stats)),
        to(read.clone(), "/metrics", get(health::metrics)),
        open(read.clone(), "/healthz", get(health::health)),
        open(read.clone(), "/readyz", get(health::ready)),
        open(read, "/openapi.json", get(openapi::show)),
    ]
}

/// Everything that the service answers.
pub(super) fn router(app: Arc<App>) -> Router {
    let mut router: Router<Arc<App>> = Router::new();
    for route in table() {
        router = router.route(route.path, route.does);
    }
    let router = router
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async {
            let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(status, "method", "this path has no such method")
        })
        .layer(middleware::from_fn(harden));
    traced(router, &app).with_state(app)
}

/// What every answer says to browsers.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=()",
        ),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What is told of escalations is of this moment, and for one person.
    let cached = headers.entry(header::CACHE_CONTROL);
    cached.or_insert(HeaderValue::from_static("no-store"));
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
        let open: Vec<_> = table()
            .into_iter()
            .filter(|route| !route.is_known && !route.method.is_safe())
            .map(|route| route.path)
            .collect();
        assert_eq!(open, ["/sign-in", "/setup/{link}"]);
    }

    #[test]
    fn no_two_routes_are_one() {
        let mut all: Vec<_> = table()
            .iter()
            .map(|route| (route.path, route.method.to_string()))
            .collect();
        let many = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), many);
    }
}
