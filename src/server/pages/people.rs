//! People, agents and tokens: who is who, and who is let in by what.
//!
//! In: the directory, the matrix, the tokens. Out: the page; a token is taken back, a link is made, when an
//! admin says so.
//! Invariant: no secret is shown but a link that was just made, once, to who made it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono_tz::Tz;
use maud::{Markup, html};

use super::text::{away, plain, when};
use super::{form, place, posted, see, shown};
use crate::clock::Timestamp;
use crate::escalation::{Directory, Principal};
use crate::matrix::{Contact, Matrix};
use crate::server::access::{LinkFor, Scope, Token};
use crate::server::app::App;
use crate::server::caller::{Caller, Perhaps};
use crate::server::problem::Problem;

/// Rows of a table.
const ROWS: usize = 1_000;

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, caller: Perhaps) -> Response {
    shown(&app, caller, "/people", |app, caller| {
        content(app, caller, &html! {})
    })
    .await
}

/// Takes a token back.
pub(super) async fn revoke(State(app): State<Arc<App>>, caller: Perhaps, body: Body) -> Response {
    posted(&app, caller, "/people", body, |app, caller, form| {
        caller.needs(Scope::Admin)?;
        let id = form.get("token").unwrap_or_default();
        if !app.access.revoke_token(id)? {
            return Err(Problem::not_found());
        }
        tracing::info!("the token {id} was revoked by {}", caller.principal);
        Ok(see("/people"))
    })
    .await
}

/// Makes a link by which a person sets a password.
pub(super) async fn link(State(app): State<Arc<App>>, caller: Perhaps, body: Body) -> Response {
    posted(&app, caller, "/people", body, |app, caller, form| {
        caller.needs(Scope::Admin)?;
        let person = Principal::parse(form.get("person").unwrap_or_default());
        let person = person.map_err(|error| Problem::bad("name", error.to_string()))?;
        may_enter(&app.desk.settings().directory, &person)?;
        let what = LinkFor {
            person: Some(person.to_string()),
            admin: form.get("admin").is_some(),
        };
        let link = app.access.make_link(&what, app.now()?)?;
        tracing::info!("a link for {person} was made by {}", caller.principal);
        let made = html! {
            section.note role="status" {
                h2 { "A link for " (person) }
                p { code { (app.url()) "/setup/" (link) } }
                p { "It works once, within a day, and is not shown again. Whoever has it sets the password." }
            }
        };
        Ok(place(app, caller, "/people", &content(app, caller, &made)?))
    })
    .await
}

fn may_enter(directory: &Directory, person: &Principal) -> Result<(), Problem> {
    let why = match () {
        () if directory.is_agent(person) => "is an agent, and no person",
        () if directory.has_left(person) => "has left",
        () => return Ok(()),
    };
    let message = format!("`{person}` {why}");
    Err(Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "name",
        message,
    ))
}

fn content(app: &App, caller: &Caller, made: &Markup) -> Result<Markup, Problem> {
    let matrix = app.deciding().map(|it| it.router.matrix());
    let settings = app.desk.settings();
    let entering: BTreeSet<String> = app.access.people()?.into_iter().collect();
    let people = People {
        directory: &settings.directory,
        matrix: matrix.as_deref(),
        setup: admins_by_setup(app, &entering)?,
        entering,
    };
    let is_admin = caller.needs(Scope::Admin).is_ok();
    let zone = matrix.as_ref().map_or(Tz::UTC, |matrix| matrix.zone);
    let tokens = Tokens {
        app,
        caller,
        zone,
        now: app.now()?,
        is_admin,
    };
    Ok(html! {
        h1 { "People and tokens" }
        (made)
        (people.table())
        @if is_admin { (link_form(caller)) }
        (people.agents())
        (tokens.table()?)
    })
}

/// Who is an admin by the setup of the service, and not by laneway.toml.
fn admins_by_setup(app: &App, entering: &BTreeSet<String>) -> Result<BTreeSet<Principal>, Problem> {
    let people = entering
        .iter()
        .filter_map(|name| Principal::parse(name).ok());
    let mut admins = BTreeSet::new();
    for person in people.take(ROWS) {
        if app.access.is_admin_by_setup(&person)? {
            admins.insert(person);
        }
    }
    Ok(admins)
}

fn link_form(caller: &Caller) -> Markup {
    html! {
        section {
            h2 { "Let a person in" }
            form.card method="post" action="/people/link" {
                (form::word(caller))
                label for="person" { "Person" }
                input #person name="person" required aria-describedby="person-help";
                p.quiet #person-help { "As laneway.toml and the matrix name them. An old password stays until a new one is set." }
                label.check { input type="checkbox" name="admin" value="yes"; " As an admin" }
                button { "Make a link" }
            }
        }
    }
}

struct People<'p> {
    directory: &'p Directory,
    matrix: Option<&'p Matrix>,
    /// Who has a password.
    entering: BTreeSet<String>,
    setup: BTreeSet<Principal>,
}

impl People<'_> {
    /// Those of the directory, those whom the matrix names, and those who have a password.
    fn all(&self) -> BTreeSet<Principal> {
        let teams = self.matrix.iter().flat_map(|matrix| &matrix.teams);
        let contacts = teams.flat_map(|team| team.first.iter().chain(&team.backup));
        let named = contacts.filter(|contact| !contact.group);
        let named = named.filter_map(|contact| Principal::parse(&contact.name).ok());
        let entering = self
            .entering
            .iter()
            .filter_map(|name| Principal::parse(name).ok());
        let known = self.directory.people().cloned();
        known.chain(named).chain(entering).collect()
    }

    fn table(&self) -> Markup {
        let all = self.all();
        html! {
            section {
                h2 { "People" }
                @if all.is_empty() { p.empty { "Nobody is known." } } @else {
                    div.scroll tabindex="0" role="region" aria-label="People" {
                        table {
                            thead {
                                tr {
                                    th scope="col" { "Person" } th scope="col" { "Teams" } th scope="col" { "Groups" }
                                    th scope="col" { "Roles" } th scope="col" { "Reached by" } th scope="col" { "State" }
                                }
                            }
                            tbody { @for person in all.iter().take(ROWS) { (self.row(person)) } }
                        }
                    }
                    @if all.len() > ROWS { p.quiet { "And " (all.len() - ROWS) " more." } }
                }
            }
        }
    }

    fn row(&self, person: &Principal) -> Markup {
        let has_left = self.directory.has_left(person);
        let channels = self.directory.channels(person).iter();
        let channels: Vec<&str> = channels.map(|channel| channel.kind.as_str()).collect();
        html! {
            tr {
                th scope="row" { (person) }
                td { (self.teams(person).join(", ")) }
                td { (self.groups(person).join(", ")) }
                td { (self.roles(person).join(", ")) }
                td { @if channels.is_empty() { "nothing" } @else { (channels.join(", ")) } }
                td {
                    @if has_left { span.bad { "has left" } }
                    @else if self.entering.contains(person.as_str()) { "has a password" }
                    @else { "has no password" }
                }
            }
        }
    }

    fn teams(&self, person: &Principal) -> Vec<&str> {
        let is_theirs = |contact: &Contact| match contact.group {
            true => self.directory.is_member(&contact.name, person),
            false => Principal::parse(&contact.name).is_ok_and(|name| name == *person),
        };
        let teams = self.matrix.iter().flat_map(|matrix| &matrix.teams);
        let theirs = teams.filter(|team| team.first.iter().chain(&team.backup).any(is_theirs));
        theirs.map(|team| team.name.as_str()).collect()
    }

    fn groups(&self, person: &Principal) -> Vec<&str> {
        let groups = self.directory.groups();
        let theirs = groups.filter(|group| self.directory.is_member(group, person));
        theirs.map(|group| group.as_str()).collect()
    }

    fn roles(&self, person: &Principal) -> Vec<&'static str> {
        let roles = [
            ("operator", self.directory.is_operator(person)),
            ("auditor", self.directory.is_auditor(person)),
            ("admin", self.directory.is_admin(person)),
            ("admin by the setup", self.setup.contains(person)),
        ];
        let theirs = roles.into_iter().filter(|(_, is)| *is);
        theirs.map(|(role, _)| role).collect()
    }

    fn agents(&self) -> Markup {
        let agents: Vec<&Principal> = self.directory.agents().collect();
        html! {
            @if !agents.is_empty() {
                section {
                    h2 { "Agents" }
                    dl {
                        @for agent in agents.into_iter().take(ROWS) {
                            dt { (agent) }
                            dd {
                                "of "
                                @for (n, owner) in self.directory.owners_of(agent).iter().enumerate() {
                                    @if n > 0 { ", " } (owner)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

struct Tokens<'t> {
    app: &'t App,
    caller: &'t Caller,
    zone: Tz,
    now: Timestamp,
    is_admin: bool,
}

impl Tokens<'_> {
    fn table(&self) -> Result<Markup, Problem> {
        let mut tokens = self.app.access.tokens()?;
        tokens.sort_by(|one, other| (&one.owner, one.made).cmp(&(&other.owner, other.made)));
        Ok(html! {
            section {
                h2 { "Tokens" }
                @if tokens.is_empty() { p.empty { "There are no tokens." } } @else {
                    div.scroll tabindex="0" role="region" aria-label="Tokens" {
                        table {
                            thead {
                                tr {
                                    th scope="col" { "Id" } th scope="col" { "Whose" } th scope="col" { "For" }
                                    th scope="col" { "Made" } th scope="col" { "Until" } th scope="col" { "Last used" }
                                    @if self.is_admin { th scope="col" { "Revoke" } }
                                }
                            }
                            tbody { @for token in tokens.iter().take(ROWS) { (self.row(token)) } }
                        }
                    }
                    @if tokens.len() > ROWS { p.quiet { "And " (tokens.len() - ROWS) " more." } }
                    p.quiet { "When a token was last used is known of this server since it started." }
                }
            }
        })
    }

    fn row(&self, it: &Token) -> Markup {
        let scopes: Vec<&str> = it.scopes.iter().map(|scope| scope.as_str()).collect();
        let used = self.app.access.last_used(&it.id);
        html! {
            tr {
                th scope="row" { code { (plain(&it.id)) } }
                td {
                    (it.owner)
                    @if self.app.desk.settings().directory.has_left(&it.owner) { " " span.bad { "has left" } }
                }
                td { (scopes.join(", ")) }
                td { (when(it.made, self.zone)) div.quiet { "by " (plain(&it.by)) } }
                td {
                    @match it.until {
                        None => "it is revoked",
                        Some(until) if until <= self.now => span.bad { "is over" },
                        Some(until) => { (when(until, self.zone)) " (" (away(until, self.now)) ")" },
                    }
                }
                td { @match used { Some(at) => (away(at, self.now)), None => "not since the start" } }
                @if self.is_admin {
                    td {
                        form method="post" action="/people/revoke" {
                            (form::word(self.caller))
                            input type="hidden" name="token" value=(it.id);
                            button.danger aria-label={ "Revoke the token " (it.id) " of " (it.owner) } { "Revoke" }
                        }
                    }
                }
            }
        }
    }
}
