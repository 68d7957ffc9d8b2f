//! The pages of the dashboard, made on the server.
//!
//! In: who is signed in, what the desk shows. Out: HTML that works without scripts; a small script makes it
//! live.
//! Invariant: text of any origin is escaped (by the templates) and shown with what would turn or hide it made
//! visible; what changes something is a form of a page of this session; a link only shows. A page that one
//! may not see answers as one that is not there.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::Markup;

use super::app::App;
use super::caller::{Caller, Perhaps};
use super::problem::Problem;
use super::routes::{Route, change, read};

mod audit;
mod decisions;
mod deliveries;
mod enter;
mod escalation;
mod explained;
mod form;
mod inbox;
mod layout;
mod matrix;
#[cfg(feature = "openid")]
mod openid;
mod people;
mod plot;
mod statistics;
mod text;
mod try_it;

use form::Form;

/// The routes of the pages.
pub(super) fn table() -> Vec<Route> {
    let mut all = vec![
        read("/", inbox::page),
        read("/escalations/{id}", escalation::page),
        change("/escalations/{id}/{act}", escalation::act),
        read("/sign-in", enter::page).open(),
        change("/sign-in", enter::sign_in).open(),
        change("/sign-out", enter::sign_out),
        read("/setup/{link}", enter::setup).open(),
        change("/setup/{link}", enter::set_up).open(),
        read("/assets/style.css", style).open(),
        read("/assets/live.js", script).open(),
        read("/favicon.ico", picture).open(),
    ];
    all.extend(by_openid());
    all.extend(of_the_service());
    all
}

#[cfg(feature = "openid")]
fn by_openid() -> Vec<Route> {
    openid::table()
}

#[cfg(not(feature = "openid"))]
fn by_openid() -> Vec<Route> {
    Vec::new()
}

/// Pages of the service as a whole.
fn of_the_service() -> Vec<Route> {
    vec![
        read("/matrix", matrix::page),
        change("/matrix/apply", matrix::apply),
        read("/try", try_it::page),
        change("/try", try_it::decide),
        read("/decisions", decisions::page),
        read("/statistics", statistics::page),
        read("/deliveries", deliveries::page),
        change("/deliveries/again", deliveries::again),
        read("/audit", audit::page),
        change("/audit/verify", audit::verify),
        read("/people", people::page),
        change("/people/revoke", people::revoke),
        change("/people/link", people::link),
    ]
}

/// A page.
struct Page(StatusCode, Markup);

impl Page {
    fn fine(markup: Markup) -> Self {
        Self(StatusCode::OK, markup)
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        (self.0, kind, self.1.into_string()).into_response()
    }
}

/// Who is signed in, or the way to sign in.
fn known(app: &App, caller: Perhaps, back: &str) -> Result<Caller, Box<Response>> {
    match caller.0 {
        Some(caller) => Ok(caller),
        None => Err(Box::new(enter::ask(app, back))),
    }
}

/// What went wrong, as a page.
fn wrong(app: &App, caller: Option<&Caller>, problem: &Problem) -> Response {
    Page(problem.status(), layout::problem(app, caller, problem)).into_response()
}

/// What is at no path: a page for browsers, a problem for programs.
pub(super) async fn nowhere(
    State(app): State<Arc<App>>,
    caller: Perhaps,
    headers: HeaderMap,
) -> Response {
    let accepts = headers.get(header::ACCEPT);
    let accepts = accepts.and_then(|value| value.to_str().ok());
    let problem = Problem::not_found();
    match accepts.is_some_and(|kinds| kinds.contains("text/html")) {
        true => wrong(&app, caller.0.as_ref(), &problem),
        false => problem.into_response(),
    }
}

async fn style() -> Response {
    asset(
        "text/css; charset=utf-8",
        include_bytes!("assets/style.css"),
    )
}

async fn script() -> Response {
    asset(
        "text/javascript; charset=utf-8",
        include_bytes!("assets/live.js"),
    )
}

async fn picture() -> Response {
    asset("image/svg+xml", include_bytes!("assets/icon.svg"))
}

fn asset(kind: &'static str, bytes: &'static [u8]) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let cached = HeaderValue::from_static("public, max-age=300");
    headers.insert(header::CACHE_CONTROL, cached);
    response
}

/// To another page, by GET.
fn see(path: &str) -> Response {
    match HeaderValue::from_str(path) {
        Ok(path) => (StatusCode::SEE_OTHER, [(header::LOCATION, path)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// Does what waits for the disk elsewhere, and makes a page of what goes wrong.
async fn paged(
    app: &Arc<App>,
    caller: &Caller,
    work: impl FnOnce(&App, &Caller) -> Result<Response, Problem> + Send + 'static,
) -> Response {
    let (app2, caller2) = (Arc::clone(app), caller.clone());
    match super::caller::blocking(move || work(&app2, &caller2)).await {
        Ok(response) => response,
        Err(problem) => wrong(app, Some(caller), &problem),
    }
}

/// A page of the navigation, for who may see it.
async fn shown(
    app: &Arc<App>,
    caller: Perhaps,
    path: &'static str,
    content: impl FnOnce(&App, &Caller) -> Result<Markup, Problem> + Send + 'static,
) -> Response {
    let caller = match known(app, caller, path) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    paged(app, &caller, move |app, caller| {
        layout::may_see(caller, path)?;
        let content = content(app, caller)?;
        Ok(place(app, caller, path, &content))
    })
    .await
}

/// A page of the navigation with its content.
fn place(app: &App, caller: &Caller, path: &str, content: &Markup) -> Response {
    let title = layout::title(path);
    Page::fine(layout::page(app, Some(caller), title, path, content)).into_response()
}

/// What a form of a page of the navigation sent, from who may see the page.
async fn posted(
    app: &Arc<App>,
    caller: Perhaps,
    path: &'static str,
    body: Body,
    work: impl FnOnce(&App, &Caller, &Form) -> Result<Response, Problem> + Send + 'static,
) -> Response {
    let caller = match known(app, caller, path) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    let form = match Form::of(app, &caller, body).await {
        Ok(form) => form,
        Err(problem) => return wrong(app, Some(&caller), &problem),
    };
    paged(app, &caller, move |app, caller| {
        layout::may_see(caller, path)?;
        work(app, caller, &form)
    })
    .await
}
