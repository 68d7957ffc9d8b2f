//! The checks of every store, over those that need no server.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    reason = "a check that cannot go on fails"
)]

#[path = "support/conformance.rs"]
mod conformance;
#[path = "support/escalations.rs"]
mod escalations;

use std::sync::Arc;

use conformance::Subject;
use laneway::store::{MemoryStore, SqliteOptions, SqliteStore};

fn sqlite() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let mut options = SqliteOptions::new(Arc::new(escalations::opened));
    options.survives_power_loss = false;
    let store = SqliteStore::open(&folder.path().join("laneway.db"), options).unwrap();
    Subject {
        store: Arc::new(store),
        keep: Box::new(folder),
    }
}

#[test]
fn sqlite_does_what_every_store_does() {
    conformance::run("sqlite", sqlite);
}

fn memory() -> Subject {
    Subject {
        store: Arc::new(MemoryStore::new(Arc::new(escalations::opened))),
        keep: Box::new(()),
    }
}

#[test]
fn memory_does_what_every_store_does() {
    conformance::run("memory", memory);
}
