//! The engine as an operator set it up: what the command line and the service begin with.
//!
//! In: `laneway.toml`. Out: the store of escalations, the log of decisions.
//! Invariant: a store is never made where one was meant to be there, and one that is in use never becomes
//! one for demonstrations, in which anybody may act as anybody.
//! Knows no face.

use std::path::Path;
use std::sync::Arc;

use crate::desk::{Clock, Settings};
use crate::files::config::{self, Config};
use crate::store::{self, SqliteOptions, SqliteStore, Store, StoreError};

mod log;

pub use log::{Log, Made, without_history};

/// The setting of a store that was made for demonstrations.
const DEMO: &str = "demo";

/// The setting of a store that was made on purpose.
const MADE: &str = "made";

/// Whether a store has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// It must be there.
    There,
    /// It must not be there, and is made.
    New,
    /// It is made where it is not there.
    Either,
}

/// Why there is no store to work with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// It is not there.
    #[error("there is no store `{0}`; `laneway escalations init` makes one")]
    NoStore(String),
    /// It is there, and a new one was asked for.
    #[error("`{0}` is there already")]
    StoreExists(String),
    /// Escalations are in it, or it was made before.
    #[error("the store is in use already; only a new one is made")]
    InUse,
    /// This program cannot use a database.
    #[error(
        "the store is a PostgreSQL database, and this program was built without the feature \
         `postgres`"
    )]
    NoPostgres,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EngineError {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoStore(_) => "no_store",
            Self::StoreExists(_) | Self::InUse => "store_exists",
            Self::NoPostgres => "no_postgres",
            Self::Store(_) => "store",
        }
    }
}

/// What a desk is told of a configuration.
#[must_use]
pub fn settings(config: &Config) -> Settings {
    Settings {
        directory: config.people.clone(),
        policy: config.escalations.policy.clone(),
        limits: config.limits.clone(),
    }
}

/// The store at a place. A file goes by the clock that is given, a database by its server's.
///
/// # Errors
/// When it is there and should not be, the other way round, or cannot be opened.
pub fn open_store(
    place: &config::Store,
    clock: &Arc<dyn Clock>,
    wanted: Wanted,
) -> Result<Arc<dyn Store>, EngineError> {
    match place {
        config::Store::File(path) => open_file(path, clock, wanted),
        config::Store::Postgres(url) => open_database(url),
    }
}

#[cfg(feature = "postgres")]
fn open_database(url: &str) -> Result<Arc<dyn Store>, EngineError> {
    let options = crate::store::PostgresOptions::default();
    Ok(Arc::new(crate::store::PostgresStore::open(url, options)?))
}

#[cfg(not(feature = "postgres"))]
fn open_database(_: &str) -> Result<Arc<dyn Store>, EngineError> {
    Err(EngineError::NoPostgres)
}

fn open_file(
    path: &Path,
    clock: &Arc<dyn Clock>,
    wanted: Wanted,
) -> Result<Arc<dyn Store>, EngineError> {
    let name = || crate::files::shown(path);
    match (wanted, path.exists()) {
        (Wanted::There, false) => return Err(EngineError::NoStore(name())),
        (Wanted::New, true) => return Err(EngineError::StoreExists(name())),
        _ => {}
    }
    let clock = Arc::clone(clock);
    let options = SqliteOptions::new(Arc::new(move || clock.wall()));
    Ok(Arc::new(SqliteStore::open(path, options)?))
}

/// Notes that a store was made, and whether for demonstrations: only at its beginning, since in what is
/// in use nobody may begin to act as another person.
///
/// # Errors
/// When it is in use, or cannot be written.
pub fn make(store: &dyn Store, is_demo: bool) -> Result<(), EngineError> {
    let is_made = store::write(store, move |transaction| {
        let is_new = transaction.setting(MADE)?.is_none()
            && transaction.setting(DEMO)?.is_none()
            && transaction.rows(0, 1)?.is_empty();
        if is_new {
            transaction.put_setting(MADE, "yes")?;
            if is_demo {
                transaction.put_setting(DEMO, "yes")?;
            }
        }
        Ok(is_new)
    })?;
    match is_made {
        true => Ok(()),
        false => Err(EngineError::InUse),
    }
}

/// Whether a store was made for demonstrations.
///
/// # Errors
/// When it cannot be read.
pub fn is_demo(store: &dyn Store) -> Result<bool, EngineError> {
    let demo = store::read(store, |transaction| transaction.setting(DEMO))?;
    Ok(demo.is_some())
}

#[cfg(test)]
mod tests;
