//! The pages of the dashboard, made on the server.
//!
//! In: who is signed in, what the desk shows. Out: HTML that works without scripts; a small script makes it
//! live.
//! Invariant: text of any origin is escaped (by the templates) and shown with what would turn or hide it made
//! visible; what changes something is a form of a page of this session; a link only shows.

use std::sync::Arc;

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::Markup;

use super::app::App;
use super::caller::{Caller, Perhaps};
use super::problem::Problem;
use super::routes::{Route, open, to};

mod enter;
mod escalation;
mod form;
mod inbox;
mod layout;
mod text;

/// The routes of the pages.
pub(super) fn table() -> Vec<Route> {
    let (read, change) = (Method::GET, Method::POST);
    vec![
        to(read.clone(), "/", get(inbox::page)),
        to(read.clone(), "/escalations/{id}", get(escalation::page)),
        to(
            change.clone(),
            "/escalations/{id}/{act}",
            post(escalation::act),
        ),
        open(read.clone(), "/sign-in", get(enter::page)),
        open(change.clone(), "/sign-in", post(enter::sign_in)),
        to(change.clone(), "/sign-out", post(enter::sign_out)),
        open(read.clone(), "/setup/{link}", get(enter::setup)),
        open(change, "/setup/{link}", post(enter::set_up)),
        open(read.clone(), "/assets/style.css", get(style)),
        open(read.clone(), "/assets/live.js", get(script)),
        open(read, "/favicon.ico", get(picture)),
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
