//! The pages of the dashboard, made on the server.
//!
//! In: who is signed in, what the desk shows. Out: HTML that works without scripts; a small script makes it
//! live.
//! Invariant: text of any origin is escaped (by the templates) and shown with what would turn or hide it made
//! visible; what changes something is a form of a page of this session; a link only shows. A page that one
//! may not see answers as one that is not there.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::Markup;

use super::app::App;
use super::caller::{Caller, Perhaps};
use super::problem::Problem;
use super::routes::{Route, open, to};

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
    let (read, change) = (Method::GET, Method::POST);
    let mut all = vec![
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
    let (read, change) = (Method::GET, Method::POST);
    vec![
        to(read.clone(), "/matrix", get(matrix::page)),
        to(change.clone(), "/matrix/apply", post(matrix::apply)),
        to(read.clone(), "/try", get(try_it::page)),
        to(change.clone(), "/try", post(try_it::decide)),
        to(read.clone(), "/decisions", get(decisions::page)),
        to(read.clone(), "/statistics", get(statistics::page)),
        to(read.clone(), "/deliveries", get(deliveries::page)),
        to(change.clone(), "/deliveries/again", post(deliveries::again)),
        to(read.clone(), "/audit", get(audit::page)),
        to(change.clone(), "/audit/verify", post(audit::verify)),
        to(read, "/people", get(people::page)),
        to(change.clone(), "/people/revoke", post(people::revoke)),
        to(change, "/people/link", post(people::link)),
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
    let form = match Form::of(&caller, body).await {
        Ok(form) => form,
        Err(problem) => return wrong(app, Some(&caller), &problem),
    };
    paged(app, &caller, move |app, caller| {
        layout::may_see(caller, path)?;
        work(app, caller, &form)
    })
    .await
}
