//! Tokens: how services, agents and scripts say who they are.
//!
//! A token is `lw_ID_SECRET`: found by its id, and right by its secret, of which only a digest is stored.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Access, Scopes, digest, id, is_over, is_same, lock, secret};
use crate::clock::Timestamp;
use crate::escalation::Principal;
use crate::escalation::time::as_micros;
use crate::hex;
use crate::server::problem::Problem;
use crate::store::{Entry, EntryKind};

/// How long a token is believed that was looked up: so long another server's revocation takes to be seen
/// here. This one's is seen at once.
const BELIEVED: Duration = Duration::from_secs(2);

/// Tokens that are remembered; beyond it all are looked up anew.
const REMEMBERED: usize = 10_000;

/// How a token begins, so that scanners of sources find one that leaked.
const BEGINNING: &str = "lw_";

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id, which is no secret.
    pub id: String,
    /// Whose it is.
    pub owner: Principal,
    /// What it is for.
    pub scopes: Scopes,
    /// Until when it is good.
    pub until: Option<Timestamp>,
    /// When it was made.
    pub made: Timestamp,
    /// Who made it.
    pub by: String,
    /// The SHA-256 of its secret.
    digest: [u8; 32],
}

/// A token that was made. The text is not to be had again.
pub struct TokenMade {
    /// Its id.
    pub id: String,
    /// The token itself.
    pub text: String,
}

impl std::fmt::Debug for TokenMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenMade")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What is stored of a token.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    digest: String,
    scopes: Scopes,
    #[serde(with = "as_micros")]
    made: Timestamp,
    by: String,
}

impl Token {
    fn of(entry: &Entry) -> Option<Self> {
        let body: Body = serde_json::from_str(&entry.body).ok()?;
        Some(Self {
            id: entry.key.clone(),
            owner: Principal::parse(&entry.owner).ok()?,
            scopes: body.scopes,
            until: entry.until,
            made: body.made,
            by: body.by,
            digest: hex::bytes_of(&body.digest)?.try_into().ok()?,
        })
    }

    /// That of the service which asks in a demonstration: it stands for no secret, and no text is it.
    pub(in crate::server) fn of_demo(owner: Principal, scopes: Scopes) -> Self {
        Self {
            id: "demo".to_owned(),
            owner,
            scopes,
            until: None,
            made: Timestamp::UNIX_EPOCH,
            by: String::new(),
            // Of no secret.
            digest: [0; 32],
        }
    }

    fn is_good(&self, secret: &str, now: Timestamp) -> bool {
        let its = Sha256::digest(secret.as_bytes());
        is_same(&self.digest, &its) && self.until.is_none_or(|until| now < until)
    }
}

impl Access {
    /// Makes a token.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn make_token(
        &self,
        owner: &Principal,
        scopes: Scopes,
        until: Option<Timestamp>,
        by: &str,
        now: Timestamp,
    ) -> Result<TokenMade, Problem> {
        let (id, secret) = (id()?, secret()?);
        let body = Body {
            digest: digest(&secret),
            scopes,
            made: now,
            by: by.to_owned(),
        };
        self.put(Entry {
            kind: EntryKind::Token,
            key: id.clone(),
            owner: owner.to_string(),
            until,
            body: serde_json::to_string(&body).unwrap_or_default(),
        })?;
        let text = format!("{BEGINNING}{id}_{secret}");
        Ok(TokenMade { id, text })
    }

    /// A new token for an old one: the same owner and scopes. The old one is good for a while longer, so
    /// that who uses it can be told.
    ///
    /// # Errors
    /// When there is no such token, or it cannot be stored.
    pub fn rotate_token(
        &self,
        id: &str,
        old_until: Timestamp,
        by: &str,
        now: Timestamp,
    ) -> Result<TokenMade, Problem> {
        let entry = self.entry(EntryKind::Token, id)?;
        let Some((entry, token)) =
            entry.and_then(|entry| Some((entry.clone(), Token::of(&entry)?)))
        else {
            return Err(Problem::not_found());
        };
        let made = self.make_token(&token.owner, token.scopes, token.until, by, now)?;
        let until = token.until.map_or(old_until, |until| until.min(old_until));
        self.put(Entry {
            until: Some(until),
            ..entry
        })?;
        self.forget(id);
        Ok(made)
    }

    /// Takes a token back. Whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn revoke_token(&self, id: &str) -> Result<bool, Problem> {
        let was = self.drop_entry(EntryKind::Token, id)?;
        self.forget(id);
        Ok(was)
    }

    /// All tokens.
    ///
    /// # Errors
    /// When the store fails.
    pub fn tokens(&self) -> Result<Vec<Token>, Problem> {
        let entries = self.entries(EntryKind::Token, None)?;
        Ok(entries.iter().filter_map(Token::of).collect())
    }

    /// Whose token a text is, if that is known already and need not be looked up. The outer `None`: it
    /// does.
    pub fn known_token(&self, text: &str, now: Timestamp) -> Option<Option<Arc<Token>>> {
        let Some((id, secret)) = parts(text) else {
            return Some(None);
        };
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let (token, at) = tokens.get(id)?;
        if at.elapsed() > BELIEVED {
            return None;
        }
        Some(token.is_good(secret, now).then(|| Arc::clone(token)))
    }

    /// Whose token a text is; looks it up.
    ///
    /// # Errors
    /// When the store fails.
    pub fn token(&self, text: &str, now: Timestamp) -> Result<Option<Arc<Token>>, Problem> {
        let Some((id, secret)) = parts(text) else {
            return Ok(None);
        };
        let entry = self.entry(EntryKind::Token, id)?;
        let entry = entry.filter(|entry| !is_over(entry, now));
        let token = entry.as_ref().and_then(Token::of).map(Arc::new);
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        match &token {
            Some(token) => {
                if tokens.len() >= REMEMBERED {
                    tokens.clear();
                }
                tokens.insert(id.to_owned(), (Arc::clone(token), Instant::now()));
            }
            None => {
                tokens.remove(id);
            }
        }
        drop(tokens);
        let token = token.filter(|token| token.is_good(secret, now));
        if token.is_some() {
            self.note_use(id, now);
        }
        Ok(token)
    }

    /// When a token was last used here, to the while for which it is believed. It is known of this process
    /// alone: to write it at each use would cost more than it tells.
    #[must_use]
    pub fn last_used(&self, id: &str) -> Option<Timestamp> {
        lock(&self.used).get(id).copied()
    }

    fn note_use(&self, id: &str, now: Timestamp) {
        let mut used = lock(&self.used);
        if used.len() >= REMEMBERED && !used.contains_key(id) {
            used.clear();
        }
        used.insert(id.to_owned(), now);
    }

    fn forget(&self, id: &str) {
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        tokens.remove(id);
    }
}

/// The id and the secret of a token.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.strip_prefix(BEGINNING)?.split_once('_')?;
    let is_id = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && secret.len() == 43).then_some((id, secret))
}
