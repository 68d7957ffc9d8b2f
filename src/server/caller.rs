//! Who calls.
//!
//! In: the transport: a token, a session's cookie, the header of a listed proxy. Out: a [`Caller`].
//! Invariant: a body never says who calls (rule 3). A cookie counts only for requests of this service's own
//! pages: what another site makes a browser send has no one behind it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};

use super::access::{Scope, Scopes, Session, Token};
use super::app::App;
use super::problem::Problem;
use super::telemetry::carried;
use crate::clock::Timestamp;
use crate::escalation::{Actor, Directory, Principal, Role};

/// Who calls, and what they may.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Who.
    pub(super) principal: Principal,
    /// How that is known.
    pub(super) by: By,
    is_operator: bool,
    is_auditor: bool,
    is_admin: bool,
}

/// How it is known who calls.
#[derive(Debug, Clone)]
pub(super) enum By {
    /// A token, for what it is for.
    Token(Arc<Token>),
    /// A session of the pages.
    Session(Arc<Session>),
    /// A header of a proxy that signs people in.
    Proxy,
}

impl Caller {
    fn new(
        app: &App,
        directory: &Directory,
        principal: Principal,
        by: By,
    ) -> Result<Self, Problem> {
        let by_setup = match &by {
            By::Session(_) => app.access.is_admin_by_setup(&principal)?,
            _ => false,
        };
        let may = |scope, is: bool| match &by {
            By::Token(token) => token.scopes.contains(&scope),
            _ => is,
        };
        Ok(Self {
            is_operator: may(Scope::Operate, directory.is_operator(&principal)),
            is_auditor: may(Scope::Audit, directory.is_auditor(&principal)),
            is_admin: may(Scope::Admin, directory.is_admin(&principal) || by_setup),
            principal,
            by,
        })
    }

    /// The service that asks in a demonstration.
    pub(super) fn of_demo(app: &App, name: Principal, scopes: Scopes) -> Result<Self, Problem> {
        let token = Token::of_demo(name.clone(), scopes);
        let settings = app.desk.settings();
        Self::new(app, &settings.directory, name, By::Token(Arc::new(token)))
    }

    /// As whom the desk knows them.
    pub(super) fn actor(&self) -> Actor {
        let role = match self.is_operator {
            true => Role::Operator,
            false => Role::Anyone,
        };
        Actor {
            role,
            ..Actor::new(self.principal.clone())
        }
    }

    /// Whether they see everything.
    pub(super) fn sees_all(&self) -> bool {
        self.is_auditor || self.is_operator || self.is_admin
    }

    /// Whether they answer as a person.
    pub(super) fn answers(&self) -> bool {
        match &self.by {
            By::Token(token) => token.scopes.contains(&Scope::Answer),
            _ => true,
        }
    }

    /// Whether they ask, or a person does whose request it may be.
    pub(super) fn asks(&self) -> bool {
        match &self.by {
            By::Token(token) => token.scopes.contains(&Scope::Decide),
            _ => true,
        }
    }

    pub(super) fn is_operator(&self) -> bool {
        self.is_operator
    }

    /// Refuses who may not do a thing.
    pub(super) fn needs(&self, scope: Scope) -> Result<(), Problem> {
        let may = match scope {
            Scope::Decide => match &self.by {
                By::Token(token) => token.scopes.contains(&Scope::Decide),
                _ => false,
            },
            Scope::Answer => self.answers(),
            Scope::Audit => self.sees_all(),
            Scope::Operate => self.is_operator,
            Scope::Admin => self.is_admin,
            Scope::Metrics => match &self.by {
                By::Token(token) => token.scopes.contains(&Scope::Metrics),
                _ => self.sees_all(),
            },
        };
        match may {
            true => Ok(()),
            false => Err(Problem::forbidden(match &self.by {
                By::Token(_) => format!("the token is not for this: it lacks the scope `{scope}`"),
                _ => format!("`{}` may not do this", self.principal),
            })),
        }
    }

    /// The id of the token, where it is by one.
    pub(super) fn token(&self) -> Option<&str> {
        match &self.by {
            By::Token(token) => Some(&token.id),
            _ => None,
        }
    }

    /// The session, if there is one.
    pub(super) fn session(&self) -> Option<&Session> {
        match &self.by {
            By::Session(session) => Some(session),
            _ => None,
        }
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        caller(parts, app).await?.ok_or_else(Problem::unauthorized)
    }
}

/// Who calls, or nobody known: for pages, which ask then.
#[derive(Debug, Clone)]
pub(super) struct Perhaps(pub(super) Option<Caller>);

impl FromRequestParts<Arc<App>> for Perhaps {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Ok(Self(caller(parts, app).await?))
    }
}

async fn caller(parts: &Parts, app: &Arc<App>) -> Result<Option<Caller>, Problem> {
    let now = app.now()?;
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let text = value
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("Bearer "));
        let Some(text) = text.map(str::trim) else {
            return Ok(None);
        };
        return by_token(app, text, now).await;
    }
    if looks_ahead(&parts.headers) {
        return Err(ahead());
    }
    if let Some(principal) = by_proxy(parts, app) {
        is_own(&parts.method, &parts.headers, app)?;
        let settings = app.desk.settings();
        return Caller::new(app, &settings.directory, principal, By::Proxy).map(Some);
    }
    let Some(cookie) = cookie_of(&parts.headers, cookie_name(app)) else {
        return Ok(None);
    };
    is_own(&parts.method, &parts.headers, app)?;
    let (app, cookie) = (Arc::clone(app), cookie.to_owned());
    blocking(move || {
        let Some(session) = app.access.session(&cookie, now)? else {
            return Ok(None);
        };
        let settings = app.desk.settings();
        if settings.directory.has_left(&session.person) {
            return Ok(None);
        }
        let person = session.person.clone();
        Caller::new(
            &app,
            &settings.directory,
            person,
            By::Session(Arc::new(session)),
        )
        .map(Some)
    })
    .await
}

async fn by_token(app: &Arc<App>, text: &str, now: Timestamp) -> Result<Option<Caller>, Problem> {
    let known = match app.access.known_token(text, now) {
        Some(known) => known,
        None => {
            let (app, text) = (Arc::clone(app), text.to_owned());
            blocking(move || app.access.token(&text, now)).await?
        }
    };
    let Some(token) = known else {
        return Ok(None);
    };
    let settings = app.desk.settings();
    if settings.directory.has_left(&token.owner) {
        return Ok(None);
    }
    let owner = token.owner.clone();
    Caller::new(app, &settings.directory, owner, By::Token(token)).map(Some)
}

/// The person whom a listed proxy names. Of two headers none counts: one of them is not the proxy's.
fn by_proxy(parts: &Parts, app: &App) -> Option<Principal> {
    let config = app.config();
    let name = config.server.user_header.as_ref()?;
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip();
    let peer = peer.to_canonical();
    if !config.server.proxies.iter().any(|net| net.contains(&peer)) {
        return None;
    }
    let mut values = parts.headers.get_all(name.as_str()).iter();
    let (one, other) = (values.next()?, values.next());
    if other.is_some() {
        return None;
    }
    let person = Principal::parse(one.to_str().ok()?).ok()?;
    let settings = app.desk.settings();
    let is_person = !settings.directory.is_agent(&person) && !settings.directory.has_left(&person);
    is_person.then_some(person)
}

/// The name of the cookie. Behind TLS it is bound to this host.
pub(super) fn cookie_name(app: &App) -> &'static str {
    match app.is_secure() {
        true => "__Host-laneway",
        false => "laneway",
    }
}

/// What a cookie holds.
pub(super) fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter();
    let pairs = all.filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|value| value.split(';'));
    pairs.find_map(|pair| {
        let (its, value) = pair.trim().split_once('=')?;
        (its == name).then_some(value)
    })
}

/// Refuses what changes something and does not come from a page of this service.
pub(super) fn is_own(method: &Method, headers: &HeaderMap, app: &App) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text(header::HeaderName::from_static("sec-fetch-site"));
    // Browsers hide an origin as `null`, also this service's own where no referrer may be told.
    let origin = text(header::ORIGIN).filter(|origin| *origin != "null");
    let is_own = match (origin, site) {
        (Some(origin), _) => app.is_origin(origin, text(header::HOST)),
        (None, Some(site)) => matches!(site, "same-origin" | "none"),
        // No browser leaves out both.
        (None, None) => false,
    };
    match is_own {
        true => Ok(()),
        false => Err(Problem::new(
            axum::http::StatusCode::FORBIDDEN,
            "cross_site",
            "another site sent this; open the page itself",
        )),
    }
}

/// That a person has seen what is asked of them is noted, and a browser that looks ahead is nobody who sees. It
/// forgets what is refused, and asks when the person does.
pub(super) fn ahead() -> Problem {
    Problem::unavailable("ahead", "nothing is shown ahead")
}

/// Whether a browser asks for a page that nobody has opened yet.
pub(super) fn looks_ahead(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-moz"].iter().any(|name| {
        let values = headers.get_all(*name).iter();
        let mut words = values.filter_map(|value| value.to_str().ok());
        words.any(|value| value.to_ascii_lowercase().contains("prefetch"))
    })
}

/// Does what waits for the disk where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(carried(work)).await {
        Ok(done) => done,
        Err(_) => Err(Problem::unavailable("internal", "this failed unexpectedly")),
    }
}
