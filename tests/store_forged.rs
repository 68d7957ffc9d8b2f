//! Forged SQL on a store in SQLite: each attempt is refused, and each trigger has an attempt that only it
//! stops.
//!
//! Attempts run on a connection of their own, as an attacker would have it: `recursive_triggers` and
//! `foreign_keys` off, which makes OR REPLACE delete without a trigger, and lets rows stand alone. What only
//! a CHECK or a foreign key stops is marked so: SQLite has pragmas to go around these.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    reason = "a test that cannot go on fails"
)]

#[path = "support/escalations.rs"]
mod escalations;
#[path = "support/forged.rs"]
mod forged;

use std::path::Path;
use std::sync::Arc;

use forged::{ATTEMPTS, Attempt, BEHIND, DERIVE, Stop};
use laneway::store::{SqliteOptions, SqliteStore, Store};
use rusqlite::Connection;

fn set_up() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut options = SqliteOptions::new(Arc::new(escalations::opened));
    options.survives_power_loss = false;
    let store = SqliteStore::open(&folder.path().join("laneway.db"), options).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    forged::set_up(&store);
    folder
}

fn connect(folder: &Path) -> Connection {
    let connection = Connection::open(folder.join("laneway.db")).unwrap();
    connection
        .pragma_update(None, "recursive_triggers", false)
        .unwrap();
    connection
        .pragma_update(None, "foreign_keys", false)
        .unwrap();
    connection
}

/// Every row of every table.
fn state(connection: &Connection) -> Vec<String> {
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut names = connection.prepare(names).unwrap();
    let names: Vec<String> = names
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut all = Vec::new();
    for name in names {
        let mut rows = connection
            .prepare(&format!("SELECT * FROM {name}"))
            .unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values = (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap()));
            all.push(format!("{name}: {}", values.collect::<Vec<_>>().join(", ")));
        }
    }
    all
}

/// Whether an attempt changes something, and what is said of it; nothing of it stays.
fn attempt(connection: &Connection, sql: &str) -> Result<bool, rusqlite::Error> {
    let changed = connection.total_changes();
    connection.execute_batch("SAVEPOINT attempt").unwrap();
    let done = connection.execute_batch(sql);
    let changed = connection.total_changes() > changed;
    connection
        .execute_batch("ROLLBACK TO attempt; RELEASE attempt")
        .unwrap();
    done.map(|()| changed)
}

#[test]
fn every_forged_statement_is_refused_and_changes_nothing() {
    let folder = set_up();
    let connection = connect(folder.path());
    let before = state(&connection);
    let mut succeeded = Vec::new();
    for Attempt(name, stop, sql) in ATTEMPTS {
        connection
            .pragma_update(None, "foreign_keys", *stop == Stop::Key)
            .unwrap();
        match attempt(&connection, sql) {
            Err(error) if error.to_string().contains("syntax") => panic!("{name}: {error}"),
            Err(rusqlite::Error::SqliteFailure(failure, message)) => {
                let constraint = failure.code == rusqlite::ErrorCode::ConstraintViolation;
                assert!(constraint, "{name}: {message:?}");
            }
            other => succeeded.push((name, other)),
        }
    }
    assert!(succeeded.is_empty(), "{succeeded:#?}");
    assert!(ATTEMPTS.len() >= 60);
    assert_eq!(state(&connection), before);
}

#[test]
fn no_trigger_is_without_an_attempt_that_only_it_stops() {
    let folder = set_up();
    let connection = connect(folder.path());
    let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name";
    let mut triggers = connection.prepare(triggers).unwrap();
    let triggers: Vec<String> = triggers
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(triggers.len() > 60);
    let mut idle = Vec::new();
    for trigger in triggers
        .iter()
        .filter(|name| !DERIVE.contains(&name.as_str()))
    {
        let with = BEHIND.iter().find(|(behind, _)| behind == trigger);
        let with = with.map_or(&[][..], |(_, with)| with);
        connection.execute_batch("BEGIN").unwrap();
        for name in with {
            connection
                .execute_batch(&format!("DROP TRIGGER {name}"))
                .unwrap();
        }
        let stopped_with_it: Vec<bool> = all(&connection);
        connection
            .execute_batch(&format!("DROP TRIGGER {trigger}"))
            .unwrap();
        let stopped = all(&connection);
        connection.execute_batch("ROLLBACK").unwrap();
        if stopped == stopped_with_it {
            idle.push(trigger);
        }
    }
    assert!(idle.is_empty(), "nothing tests {idle:#?}");
}

/// Which attempts are stopped.
fn all(connection: &Connection) -> Vec<bool> {
    let attempts = ATTEMPTS.iter().filter(|it| it.1 == Stop::Trigger);
    attempts
        .map(|it| attempt(connection, it.2).is_err())
        .collect()
}
