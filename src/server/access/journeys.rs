//! Who was sent to a provider of identities and is to come back.
//!
//! A journey is known by a secret in a cookie of the browser that began it; the store has its digest, so that
//! a browser may come back to another server. What comes back counts only in that browser (so that nobody
//! signs another person in as themselves), and once.

use serde::{Deserialize, Serialize};

use super::{Access, digest, is_over, is_same, secret};
use crate::clock::{Duration, Timestamp};
use crate::server::problem::Problem;
use crate::store::{Entry, EntryKind};

/// For how long one may be away.
pub(in crate::server) const JOURNEY_LASTS: Duration = Duration::from_minutes(10);

/// What is kept of a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::server) struct Journey {
    /// What comes back with the browser.
    pub(in crate::server) state: String,
    /// What comes back in the token.
    pub(in crate::server) nonce: String,
    /// What shows that who brings the code began the journey (PKCE).
    pub(in crate::server) verifier: String,
    /// The page to show then.
    pub(in crate::server) to: String,
}

impl Journey {
    /// A new one, to a page of this service.
    pub(in crate::server) fn new(to: &str) -> Result<Self, Problem> {
        Ok(Self {
            state: secret()?,
            nonce: secret()?,
            verifier: secret()?,
            to: to.to_owned(),
        })
    }
}

impl Access {
    /// Keeps a journey. What is given back is what the cookie holds.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub(in crate::server) fn begin_journey(
        &self,
        journey: &Journey,
        now: Timestamp,
    ) -> Result<String, Problem> {
        let cookie = secret()?;
        self.put(Entry {
            kind: EntryKind::Setup,
            key: key(&cookie),
            owner: "openid".to_owned(),
            until: Some(now + JOURNEY_LASTS.to_chrono()),
            body: serde_json::to_string(journey).unwrap_or_default(),
        })?;
        Ok(cookie)
    }

    /// Ends a journey that comes back with its state. Of two who come back at once one is let through; who
    /// comes with another state ends nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::server) fn end_journey(
        &self,
        cookie: &str,
        state: &str,
        now: Timestamp,
    ) -> Result<Option<Journey>, Problem> {
        let key = key(cookie);
        let entry = self.entry(EntryKind::Setup, &key)?;
        let entry = entry.filter(|entry| !is_over(entry, now));
        let journey = entry.and_then(|entry| serde_json::from_str::<Journey>(&entry.body).ok());
        let Some(journey) =
            journey.filter(|journey| is_same(journey.state.as_bytes(), state.as_bytes()))
        else {
            return Ok(None);
        };
        let is_first = self.drop_entry(EntryKind::Setup, &key)?;
        Ok(is_first.then_some(journey))
    }
}

/// A link that sets a password is of the same kind of entry: no text is both.
fn key(cookie: &str) -> String {
    digest(&format!("openid {cookie}"))
}
