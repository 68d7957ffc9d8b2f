//! Signing in at a provider of identities: the way there, and the way back.
//!
//! In: a browser. Out: one that is sent to the provider; a session for one that comes back with a name that
//! this service knows.
//! Invariant: what comes back counts once, in the browser that was sent, within ten minutes; whoever comes in
//! has a new session; the page that is shown then is one of this service.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::enter::{Back, Cookie, form, matrix_people, put_cookie, with_cookie};
use super::{Page, see};
use crate::escalation::Principal;
use crate::server::access::{JOURNEY_LASTS, Journey};
use crate::server::app::App;
use crate::server::caller::{Perhaps, blocking, cookie_of};
use crate::server::openid::{Asked, SignOnError};
use crate::server::problem::Problem;
use crate::server::routes::{Route, read};

/// Where the provider sends browsers back to, as it has to be told.
const BACK: &str = "/sign-in/openid/callback";

/// Bytes of a page's path that is gone back to.
const PATH_BYTES: usize = 2_048;

/// The routes.
pub(super) fn table() -> Vec<Route> {
    vec![
        read("/sign-in/openid", begin).open(),
        read(BACK, finish).open(),
    ]
}

fn cookie_name(app: &App) -> &'static str {
    match app.is_secure() {
        true => "__Host-laneway-openid",
        false => "laneway-openid",
    }
}

/// Sends a browser to the provider.
async fn begin(State(app): State<Arc<App>>, caller: Perhaps, Query(back): Query<Back>) -> Response {
    if caller.0.is_some() {
        return see(back.path());
    }
    let to = Some(back.path()).filter(|path| path.len() <= PATH_BYTES);
    let (app2, to) = (Arc::clone(&app), to.unwrap_or("/").to_owned());
    let begun = blocking(move || {
        let provider = app2.openid.provider().ok_or_else(Problem::not_found)?;
        let journey = Journey::new(&to)?;
        let url = provider.way(&journey, &url_back(&app2))?;
        provider.may_begin()?;
        let cookie = app2.access.begin_journey(&journey, app2.now()?)?;
        Ok((url, cookie))
    });
    match begun.await {
        Ok((url, cookie)) => {
            let cookie = Cookie {
                name: cookie_name(&app),
                value: &cookie,
                age: JOURNEY_LASTS.as_millis() / 1_000,
            };
            put_cookie(see(&url), &app, &cookie)
        }
        Err(problem) => refused(&app, &back, &problem),
    }
}

/// Takes a browser that comes back.
async fn finish(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let said: HashMap<String, String> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let cookie = cookie_of(&headers, cookie_name(&app)).map(str::to_owned);
    let app2 = Arc::clone(&app);
    let entered = blocking(move || enter(&app2, cookie.as_deref(), &said));
    match entered.await {
        Ok((session, to)) => {
            let over = Cookie {
                name: cookie_name(&app),
                value: "",
                age: 0,
            };
            with_cookie(put_cookie(see(&to), &app, &over), &app, &session)
        }
        Err(problem) => refused(&app, &Back::default(), &problem),
    }
}

fn refused(app: &App, back: &Back, problem: &Problem) -> Response {
    Page(problem.status(), form(app, back, Some(problem))).into_response()
}

fn url_back(app: &App) -> String {
    format!("{}{BACK}", app.url())
}

/// A session for who came back, and the page to show.
fn enter(
    app: &App,
    cookie: Option<&str>,
    said: &HashMap<String, String>,
) -> Result<(String, String), Problem> {
    let provider = app.openid.provider().ok_or_else(Problem::not_found)?;
    let now = app.now()?;
    let get = |name: &str| said.get(name).map(String::as_str);
    let journey = match cookie.zip(get("state")) {
        Some((cookie, state)) => app.access.end_journey(cookie, state, now)?,
        None => None,
    };
    let journey = journey.ok_or(SignOnError::Stale)?;
    if get("iss").is_some_and(|name| !provider.is_issuer(name)) {
        return Err(SignOnError::Untrue.into());
    }
    if let Some(error) = get("error") {
        return Err(SignOnError::refused(error).into());
    }
    let code = get("code").ok_or(SignOnError::Stale)?;
    let back = url_back(app);
    let name = provider.who(&Asked {
        code,
        journey: &journey,
        back: &back,
        now,
    })?;
    let person = let_in(app, &name)?;
    let session = app
        .access
        .sign_in(&person, now, app.config().server.session_lasts)?;
    Ok((session, journey.to))
}

/// The person of a name, who is known here, did not leave, and is no agent.
fn let_in(app: &App, name: &str) -> Result<Principal, Problem> {
    let shown: String = name
        .chars()
        .filter(|c| c.is_ascii_graphic())
        .take(254)
        .collect();
    let unknown = || Problem::from(SignOnError::Unknown(shown.clone()));
    let person = Principal::parse(name).map_err(|_| unknown())?;
    let settings = app.desk.settings();
    let directory = &settings.directory;
    let is_known = directory.knows(&person)
        || matrix_people(app).contains(&person)
        || app.access.has_password(&person)?;
    match is_known && !directory.is_agent(&person) && !directory.has_left(&person) {
        true => Ok(person),
        false => {
            tracing::warn!("`{person}` signed in at the provider of identities, and is not let in");
            Err(unknown())
        }
    }
}
