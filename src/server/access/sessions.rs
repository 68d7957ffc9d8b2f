//! Who is signed in, and links that work once.
//!
//! A session is a secret in a cookie; the store has its digest. It is made anew at each signing in, so
//! that nobody can give another person a session that they know (session fixation).

use serde::{Deserialize, Serialize};

use super::{Access, digest, is_over, secret};
use crate::clock::{Duration, Timestamp};
use crate::escalation::Principal;
use crate::server::problem::Problem;
use crate::store::{Entry, EntryKind};

/// For how long a link works.
pub const LINK_LASTS: Duration = Duration::from_minutes(24 * 60);

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub person: Principal,
    /// What each form of this session has in it.
    pub form: String,
    key: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Body {
    form: String,
}

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFor {
    /// Who sets a password by it; whoever comes first, where nobody is named.
    pub person: Option<String>,
    /// Whether that makes them an admin.
    pub admin: bool,
}

impl Access {
    /// Signs a person in. What is given back is what the cookie holds.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn sign_in(
        &self,
        person: &Principal,
        now: Timestamp,
        lasts: Duration,
    ) -> Result<String, Problem> {
        let cookie = secret()?;
        let body = Body { form: secret()? };
        self.put(Entry {
            kind: EntryKind::Session,
            key: digest(&cookie),
            owner: person.to_string(),
            until: Some(now + lasts.to_chrono()),
            body: serde_json::to_string(&body).unwrap_or_default(),
        })?;
        Ok(cookie)
    }

    /// Who is signed in by a cookie.
    ///
    /// # Errors
    /// When the store fails.
    pub fn session(&self, cookie: &str, now: Timestamp) -> Result<Option<Session>, Problem> {
        let entry = self.entry(EntryKind::Session, &digest(cookie))?;
        let Some(entry) = entry.filter(|entry| !is_over(entry, now)) else {
            return Ok(None);
        };
        let person = Principal::parse(&entry.owner).ok();
        let body: Option<Body> = serde_json::from_str(&entry.body).ok();
        Ok(person.zip(body).map(|(person, body)| Session {
            person,
            form: body.form,
            key: entry.key,
        }))
    }

    /// Signs out.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sign_out(&self, session: &Session) -> Result<(), Problem> {
        self.drop_entry(EntryKind::Session, &session.key)?;
        Ok(())
    }

    /// Makes a link that works once; gives back what stands at its end.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn make_link(&self, what: &LinkFor, now: Timestamp) -> Result<String, Problem> {
        let text = secret()?;
        self.put(Entry {
            kind: EntryKind::Setup,
            key: digest(&text),
            owner: what.person.clone().unwrap_or_else(|| "anybody".to_owned()),
            until: Some(now + LINK_LASTS.to_chrono()),
            body: serde_json::to_string(what).unwrap_or_default(),
        })?;
        Ok(text)
    }

    /// What a link is for, without using it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn link(&self, text: &str, now: Timestamp) -> Result<Option<LinkFor>, Problem> {
        let entry = self.entry(EntryKind::Setup, &digest(text))?;
        let entry = entry.filter(|entry| !is_over(entry, now));
        Ok(entry.and_then(|entry| serde_json::from_str(&entry.body).ok()))
    }

    /// Uses a link. Of two who use it at once one does.
    ///
    /// # Errors
    /// When the store fails.
    pub fn use_link(&self, text: &str) -> Result<bool, Problem> {
        self.drop_entry(EntryKind::Setup, &digest(text))
    }
}
