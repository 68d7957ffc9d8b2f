//! Every route, in one table.
//!
//! Invariant: a route that is not in the table does not exist, so that a test can ask each that changes
//! something whether it knows who calls.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};

use super::api::{commands, decisions, escalations, guard, health, lists, matrix};
use super::app::App;
use super::openapi;
use super::pages;
use super::problem::Problem;

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

/// The table, all of it: tests walk by it.
#[cfg(test)]
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
    let routed = |table: Routes| {
        let mut router: Router<Arc<App>> = Router::new();
        for route in table {
            router = router.route(route.path, route.does);
        }
        router.method_not_allowed_fallback(|| async {
            let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(status, "method", "this path has no such method")
        })
    };
    let api = routed(api()).layer(middleware::map_response(harden_data));
    let pages = routed(pages::table())
        .fallback(pages::nowhere)
        .layer(middleware::map_response(harden_page));
    pages.merge(api).with_state(app)
}

/// What each answer to a program says to browsers that come upon it: it is data, of this moment and for one
/// reader, of which nothing runs and which nothing frames.
async fn harden_data(mut response: Response) -> Response {
    const POLICY: HeaderValue =
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    let headers = response.headers_mut();
    headers.reserve(HARDENED);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    response
}

/// Headers that there is room for at once.
const HARDENED: usize = 16;

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What every page says to browsers.
async fn harden_page(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.reserve(HARDENED);
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, NOSNIFF),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
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
