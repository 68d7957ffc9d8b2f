//! Signing in, signing out, and links that set a service up or let a person in.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::form::Form;
use super::{Page, layout, see, wrong};
use crate::escalation::Principal;
use crate::server::access::Access;
use crate::server::app::App;
use crate::server::caller::{Caller, Perhaps, blocking, cookie_name, is_own};
use crate::server::problem::Problem;

/// Where to go when it is done.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Back {
    to: Option<String>,
}

impl Back {
    /// A page of this service, never of another one.
    pub(super) fn path(&self) -> &str {
        let to = self.to.as_deref().unwrap_or("/");
        let is_here = to.starts_with('/') && !to.starts_with("//") && !to.contains('\\');
        if is_here && to.chars().all(|c| c.is_ascii_graphic()) {
            to
        } else {
            "/"
        }
    }
}

/// A way in, which leads back to a page.
fn way_in(path: &str, back: &str) -> String {
    let to: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("to", back)
        .finish();
    format!("{path}?{to}")
}

/// To the page that asks who it is.
pub(super) fn ask(_: &App, back: &str) -> Response {
    see(&way_in("/sign-in", back))
}

/// Asks who it is.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Perhaps,
    Query(back): Query<Back>,
) -> Response {
    if caller.0.is_some() {
        return see(back.path());
    }
    Page::fine(form(&app, &back, None)).into_response()
}

/// Asks who it is, and says what went wrong before.
pub(super) fn form(app: &App, back: &Back, problem: Option<&Problem>) -> Markup {
    let settings = app.desk.settings();
    let config = app.config();
    let content = html! {
        h1 { "Sign in" }
        @if let Some(problem) = problem {
            p.bad role="alert" { (problem.detail()) "." }
        }
        form.card method="post" action="/sign-in" {
            input type="hidden" name="to" value=(back.path());
            @if app.is_demo {
                p { "Whose answers do you want to give?" }
                @for person in settings.directory.people().chain(demo_people(app).iter()) {
                    button name="person" value=(person) { (person) }
                }
            } @else {
                label for="person" { "Name" }
                input #person name="person" autocomplete="username" required autofocus;
                label for="password" { "Password" }
                input #password name="password" type="password" autocomplete="current-password" required;
                button.main { "Sign in" }
            }
        }
        @if let Some(openid) = config.openid.as_ref().filter(|_| !app.is_demo) {
            p { a href=(way_in("/sign-in/openid", back.path())) { (openid.label) } }
        }
    };
    layout::page(app, None, "Sign in", "/sign-in", &content)
}

/// The people whom the matrix alone names.
fn demo_people(app: &App) -> Vec<Principal> {
    let settings = app.desk.settings();
    let named = matrix_people(app).into_iter();
    named
        .filter(|name| !settings.directory.knows(name))
        .collect()
}

/// The people whom the matrix names.
pub(super) fn matrix_people(app: &App) -> BTreeSet<Principal> {
    let Some(deciding) = app.deciding() else {
        return BTreeSet::new();
    };
    let matrix = deciding.router.matrix();
    let teams = matrix.teams.iter();
    let contacts = teams.flat_map(|team| team.first.iter().chain(&team.backup));
    let people = contacts.filter(|contact| !contact.group);
    people
        .filter_map(|contact| Principal::parse(&contact.name).ok())
        .collect()
}

/// Signs in.
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if let Err(problem) = is_own(&method, &headers, &app) {
        return wrong(&app, None, &problem);
    }
    let read = match Form::read(&app, body).await {
        Ok(read) => read,
        Err(problem) => return wrong(&app, None, &problem),
    };
    let back = Back {
        to: read.get("to").map(str::to_owned),
    };
    let name = read.raw("person").to_owned();
    let password = read.raw("password").to_owned();
    let app2 = Arc::clone(&app);
    let entered = blocking(move || enter(&app2, &name, &password, peer)).await;
    match entered {
        Ok(cookie) => with_cookie(see(back.path()), &app, &cookie),
        Err(problem) => Page(problem.status(), form(&app, &back, Some(&problem))).into_response(),
    }
}

fn enter(app: &App, name: &str, password: &str, peer: SocketAddr) -> Result<String, Problem> {
    let no = || {
        let message = "the name or the password is not right";
        Problem::new(axum::http::StatusCode::FORBIDDEN, "sign_in", message)
    };
    let person = Principal::parse(name).map_err(|_| no())?;
    let settings = app.desk.settings();
    let is_person = !settings.directory.is_agent(&person) && !settings.directory.has_left(&person);
    let is_right = match app.is_demo {
        true => true,
        false => app
            .access
            .is_password(&person, password, address(app, peer).as_deref())?,
    };
    if !is_person || !is_right {
        return Err(no());
    }
    let lasts = app.config().server.session_lasts;
    app.access.sign_in(&person, app.now()?, lasts)
}

/// The address of who tries to sign in. Behind a proxy all have its address, and are not to wait for the
/// mistakes of one.
fn address(app: &App, peer: SocketAddr) -> Option<String> {
    let config = app.config();
    let peer = peer.ip().to_canonical();
    let is_proxy =
        config.server.behind_proxy || config.server.proxies.iter().any(|net| net.contains(&peer));
    (!is_proxy).then(|| peer.to_string())
}

/// With the cookie of a session; an empty one ends it.
pub(super) fn with_cookie(response: Response, app: &App, value: &str) -> Response {
    let lasts = app.config().server.session_lasts.as_millis() / 1_000;
    let age = if value.is_empty() { 0 } else { lasts };
    let name = cookie_name(app);
    put_cookie(response, app, &Cookie { name, value, age })
}

/// What a browser is to keep.
pub(super) struct Cookie<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    /// For how many seconds.
    pub(super) age: u64,
}

/// With a cookie.
pub(super) fn put_cookie(mut response: Response, app: &App, cookie: &Cookie<'_>) -> Response {
    let Cookie { name, value, age } = cookie;
    let secure = if app.is_secure() { "; Secure" } else { "" };
    // Lax: a link in a message shows its page; nothing that another site sends has it.
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Signs out.
pub(super) async fn sign_out(State(app): State<Arc<App>>, caller: Caller, body: Body) -> Response {
    if let Err(problem) = Form::of(&app, &caller, body).await {
        return wrong(&app, Some(&caller), &problem);
    }
    let app2 = Arc::clone(&app);
    let done = blocking(move || match caller.session() {
        Some(session) => app2.access.sign_out(session),
        None => Ok(()),
    });
    match done.await {
        Ok(()) => with_cookie(see("/sign-in"), &app, ""),
        Err(problem) => wrong(&app, None, &problem),
    }
}

/// What a link is for. To look uses nothing up: scanners of mail look too.
pub(super) async fn setup(State(app): State<Arc<App>>, Path(link): Path<String>) -> Response {
    let app2 = Arc::clone(&app);
    let found = blocking(move || {
        let what = app2.access.link(&link, app2.now()?)?;
        what.map(|what| (link, what)).ok_or_else(Problem::not_found)
    });
    match found.await {
        Ok((link, what)) => {
            let content = setup_form(&link, what.person.as_deref(), None);
            Page::fine(layout::page(&app, None, "Set a password", "", &content)).into_response()
        }
        Err(problem) => wrong(&app, None, &problem),
    }
}

fn setup_form(link: &str, person: Option<&str>, problem: Option<&Problem>) -> Markup {
    html! {
        h1 { "Set a password" }
        @if let Some(problem) = problem {
            p.bad role="alert" { (problem.detail()) "." }
        }
        form.card method="post" action={ "/setup/" (link) } {
            label for="person" { "Name" }
            @match person {
                Some(person) => input #person name="person" value=(person) readonly autocomplete="username";,
                None => {
                    input #person name="person" required autocomplete="username"
                        aria-describedby="who";
                    p.quiet #who { "As laneway.toml and the matrix name you, such as an e-mail address." }
                },
            }
            label for="password" { "Password, at least 12 characters" }
            input #password name="password" type="password" minlength="12" required
                autocomplete="new-password";
            button.main { "Set the password and sign in" }
        }
    }
}

/// Uses a link.
pub(super) async fn set_up(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if let Err(problem) = is_own(&method, &headers, &app) {
        return wrong(&app, None, &problem);
    }
    let read = match Form::read(&app, body).await {
        Ok(read) => read,
        Err(problem) => return wrong(&app, None, &problem),
    };
    let name = read.raw("person").to_owned();
    let password = read.raw("password").to_owned();
    let (app2, link2, name2) = (Arc::clone(&app), link.clone(), name.clone());
    let done = blocking(move || use_link(&app2, &link2, &name2, &password)).await;
    match done {
        Ok(cookie) => with_cookie(see("/"), &app, &cookie),
        Err(problem) if problem.code() == "password" => {
            let content = setup_form(&link, Some(&name), Some(&problem));
            let markup = layout::page(&app, None, "Set a password", "", &content);
            Page(problem.status(), markup).into_response()
        }
        Err(problem) => wrong(&app, None, &problem),
    }
}

fn use_link(app: &App, link: &str, name: &str, password: &str) -> Result<String, Problem> {
    let access: &Access = &app.access;
    let now = app.now()?;
    let what = access.link(link, now)?.ok_or_else(Problem::not_found)?;
    let person = what.person.as_deref().unwrap_or(name);
    let person = Principal::parse(person);
    let person = person.map_err(|error| Problem::bad("name", error.to_string()))?;
    if app.desk.settings().directory.is_agent(&person) {
        return Err(Problem::bad(
            "name",
            format!("`{person}` is an agent, and no person"),
        ));
    }
    Access::is_good_password(password)?;
    if !access.use_link(link)? {
        return Err(Problem::not_found());
    }
    access.set_password(&person, password, what.admin)?;
    access.sign_in(&person, now, app.config().server.session_lasts)
}
