//! How escalations are kept, and who may act here: `[escalations]` and `[local]`.
//!
//! In: these tables. Out: settings within their bounds.
//! Invariant: a path is beside the file that names it, wherever a program is started.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::ConfigError;
use super::source::Source;
use crate::clock::Duration;
use crate::escalation::policy::{Policy, RedactPath};

/// The name of the store where none is set.
const STORE: &str = "laneway.db";

/// Where escalations are stored, and what holds for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Escalations {
    /// Where they are stored.
    pub store: Store,
    /// What holds for all of them.
    pub policy: Policy,
}

/// Where escalations are stored.
#[derive(Clone, PartialEq, Eq)]
pub enum Store {
    /// In a file of this machine.
    File(PathBuf),
    /// In a PostgreSQL database, by its URL, which may hold a password.
    Postgres(String),
}

/// What is no place of a store. It does not have the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("a store is a path, or a URL that begins with `postgres://`")]
pub struct StorePlaceError;

impl Store {
    /// Reads a path, or the URL of a database.
    ///
    /// # Errors
    /// When it is a URL of another kind.
    pub fn parse(text: &str) -> Result<Self, StorePlaceError> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            Some(_) => Err(StorePlaceError),
            None => Ok(Self::File(PathBuf::from(text))),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::File(PathBuf::from(STORE))
    }
}

/// Without the URL: what is printed for debugging ends up in logs.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

/// What a user of the command line may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Local {
    /// Whether they may act as another person. What is done so has both their names in the audit.
    pub allow_as: bool,
}

/// `[escalations]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EscalationsTable {
    store: Option<Spanned<String>>,
    grant_lapses_after: Option<Spanned<Duration>>,
    longest: Option<Spanned<Duration>>,
    open_per_group: Option<Spanned<u32>>,
    open_per_requester: Option<Spanned<u32>>,
    redact: Option<Spanned<Vec<Spanned<String>>>>,
    retain: Option<Spanned<Duration>>,
    clock_tolerance: Option<Spanned<Duration>>,
}

impl EscalationsTable {
    pub(super) fn read(self, source: &Source) -> Result<Escalations, ConfigError> {
        let mut policy = Policy::default();
        let redact_at = self.redact.as_ref().map_or(0, |list| list.span().start);
        for path in self.redact.iter().flat_map(Spanned::get_ref) {
            let read = RedactPath::parse(path.get_ref());
            let read = read.map_err(|error| source.wrong(path.span(), error))?;
            policy.redact.push(read);
        }
        let places = [
            (
                "grant_lapses_after",
                set(&mut policy.grant_lapses_after, self.grant_lapses_after),
            ),
            ("longest", set(&mut policy.longest, self.longest)),
            (
                "open_per_group",
                set(&mut policy.open_per_group, self.open_per_group),
            ),
            (
                "open_per_requester",
                set(&mut policy.open_per_requester, self.open_per_requester),
            ),
            (
                "clock_tolerance",
                set(&mut policy.clock_tolerance, self.clock_tolerance),
            ),
            ("retain", set_some(&mut policy.retain, self.retain)),
            ("redact", redact_at),
        ];
        policy.check().map_err(|error| {
            let place = places.iter().find(|(key, _)| *key == error.key());
            source.invalid(place.map_or(0, |(_, at)| *at), error)
        })?;
        let store = match self.store {
            Some(store) => where_stored(source, &store)?,
            None => Store::File(source.sibling(STORE)),
        };
        Ok(Escalations { store, policy })
    }
}

/// Sets what is given, and says where.
fn set<T>(setting: &mut T, given: Option<Spanned<T>>) -> usize {
    given.map_or(0, |given| {
        let at = given.span().start;
        *setting = given.into_inner();
        at
    })
}

fn set_some<T>(setting: &mut Option<T>, given: Option<Spanned<T>>) -> usize {
    given.map_or(0, |given| {
        let at = given.span().start;
        *setting = Some(given.into_inner());
        at
    })
}

/// A path is beside the file that names it.
fn where_stored(source: &Source, store: &Spanned<String>) -> Result<Store, ConfigError> {
    match Store::parse(store.get_ref()) {
        Ok(Store::File(_)) => source.beside(store).map(Store::File),
        Ok(other) => Ok(other),
        Err(error) => Err(source.wrong(store.span(), error)),
    }
}
