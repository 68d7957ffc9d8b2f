//! Forms of the pages.
//!
//! Invariant: what a form sends counts only with the word of its session in it, which no other site knows.

use std::collections::HashMap;

use axum::body::Body;
use maud::{Markup, html};
use subtle::ConstantTimeEq;

use crate::server::app::App;
use crate::server::body;
use crate::server::caller::Caller;
use crate::server::problem::Problem;

/// Bytes of a form: an amended event is the largest.
const BYTES: usize = 2 << 20;

/// The name of the field with the word of the session.
const WORD: &str = "form";

/// What a form sent.
#[derive(Debug, Default)]
pub(super) struct Form(HashMap<String, String>);

impl Form {
    /// Reads one that needs no session.
    pub(super) async fn read(app: &App, body: Body) -> Result<Self, Problem> {
        let bytes = body::read(app, body, BYTES).await?;
        let pairs = form_urlencoded::parse(&bytes).into_owned();
        // Browsers send each line break as two characters, whatever was typed.
        let pairs = pairs.map(|(name, value)| (name, value.replace("\r\n", "\n")));
        Ok(Self(pairs.collect()))
    }

    /// Reads one of a session.
    pub(super) async fn of(app: &App, caller: &Caller, body: Body) -> Result<Self, Problem> {
        let form = Self::read(app, body).await?;
        let Some(session) = caller.session() else {
            // A proxy's header, or a token: where it came from was looked at.
            return Ok(form);
        };
        let given = form.get(WORD).unwrap_or_default();
        match bool::from(given.as_bytes().ct_eq(session.form.as_bytes())) {
            true => Ok(form),
            false => Err(Problem::new(
                axum::http::StatusCode::FORBIDDEN,
                "cross_site",
                "the form is not of this session; open the page again",
            )),
        }
    }

    /// A field that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).map(|value| value.trim());
        value.filter(|value| !value.is_empty())
    }

    /// A field as it was typed: blanks are part of a password.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// The hidden field that makes a form one of this session.
pub(super) fn word(caller: &Caller) -> Markup {
    let word = caller.session().map_or("", |session| &session.form);
    html! { input type="hidden" name=(WORD) value=(word); }
}
