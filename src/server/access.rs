//! Who is let in: tokens of services, people by password, sessions, links that work once.
//!
//! In: what a request shows. Out: who that is, or nothing.
//! Invariant: no secret is stored, only what it can be checked against; a comparison takes as long
//! whatever is compared; who guesses is slowed down, and never told what was right about it.
//! Knows no request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::problem::Problem;
use crate::clock::Timestamp;
use crate::hex;
use crate::store::{Entry, EntryKind, Store, read, write};

#[cfg(feature = "openid")]
mod journeys;
mod passwords;
mod scopes;
mod sessions;
mod throttle;
mod tokens;

#[cfg(feature = "openid")]
pub(super) use journeys::{JOURNEY_LASTS, Journey};
pub use scopes::{Scope, Scopes};
pub use sessions::{LinkFor, Session};
pub use tokens::{Token, TokenMade};

use throttle::Throttle;

/// Who is let in.
#[derive(Debug)]
pub struct Access {
    store: Arc<dyn Store>,
    tokens: RwLock<HashMap<String, (Arc<Token>, Instant)>>,
    /// When each token was last looked up and right, by its id.
    used: Mutex<HashMap<String, Timestamp>>,
    throttle: Throttle,
    /// Of passwords only so many are checked at once: each takes 19 MiB.
    hashing: Mutex<()>,
}

impl Access {
    /// Over a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            tokens: RwLock::default(),
            used: Mutex::default(),
            throttle: Throttle::default(),
            hashing: Mutex::default(),
        }
    }

    fn entry(&self, kind: EntryKind, key: &str) -> Result<Option<Entry>, Problem> {
        let key = key.to_owned();
        Ok(read(self.store.as_ref(), move |transaction| {
            transaction.entry(kind, &key)
        })?)
    }

    fn entries(&self, kind: EntryKind, owner: Option<&str>) -> Result<Vec<Entry>, Problem> {
        let owner = owner.map(str::to_owned);
        Ok(read(self.store.as_ref(), move |transaction| {
            transaction.entries(kind, owner.as_deref(), None, ENTRIES)
        })?)
    }

    fn put(&self, entry: Entry) -> Result<(), Problem> {
        Ok(write(self.store.as_ref(), move |transaction| {
            transaction.put_entry(&entry)
        })?)
    }

    fn drop_entry(&self, kind: EntryKind, key: &str) -> Result<bool, Problem> {
        let key = key.to_owned();
        Ok(write(self.store.as_ref(), move |transaction| {
            transaction.drop_entry(kind, &key)
        })?)
    }

    fn drop_entries_of(&self, kind: EntryKind, owner: &str) -> Result<u64, Problem> {
        let owner = owner.to_owned();
        Ok(write(self.store.as_ref(), move |transaction| {
            transaction.drop_entries_of(kind, &owner)
        })?)
    }
}

/// Entries of a list.
const ENTRIES: u32 = 10_000;

/// Bytes of a secret.
const SECRET: usize = 32;

/// A new secret, as text.
fn secret() -> Result<String, Problem> {
    let mut bytes = [0; SECRET];
    random(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A new id, as text; it is no secret.
fn id() -> Result<String, Problem> {
    let mut bytes = [0; 8];
    random(&mut bytes)?;
    Ok(hex::of(&bytes))
}

fn random(bytes: &mut [u8]) -> Result<(), Problem> {
    getrandom::fill(bytes)
        .map_err(|_| Problem::unavailable("random", "no random bytes are to be had"))
}

/// What is stored of a secret. It has 256 bits, so that a quick hash is enough.
fn digest(secret: &str) -> String {
    hex::of(&Sha256::digest(secret.as_bytes()))
}

/// Compares in the same time whatever is equal.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// Whether its time is over.
fn is_over(entry: &Entry, now: Timestamp) -> bool {
    entry.until.is_some_and(|until| until <= now)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
