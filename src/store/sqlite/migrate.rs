//! The schema and its versions.
//!
//! In: a connection that writes. Out: a store of the version that this program knows.
//! Invariant: versions go forward only; a version that this program does not know, or one that is not what
//! it was, is left alone.
//! Knows nothing of what the tables are for.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};

use crate::clock::Timestamp;
use crate::escalation::audit::Digest;
use crate::escalation::time::micros;
use crate::store::transaction::{StoreError, StoreErrorKind};

/// One step of the schema.
struct Migration {
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[Migration {
    name: "schema-1",
    sql: include_str!("schema-1.sql"),
}];

/// Says in the head of the file whose it is: `LANE`.
const APPLICATION: i64 = 0x4c41_4e45;

/// Brings a store to the version that this program knows.
pub(super) fn migrate(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let is_of: i64 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if is_of != APPLICATION && tables > 0 {
        return Err(StoreError::corrupt(
            "the file is a database of another program",
        ));
    }
    let known = version(&transaction)?;
    is_known(known)?;
    for (n, migration) in (1i64..).zip(MIGRATIONS) {
        let checksum = Digest(Sha256::digest(migration.sql).into()).to_string();
        if n <= known {
            is_the_same(&transaction, n, migration, &checksum)?;
            continue;
        }
        transaction.execute_batch(migration.sql)?;
        transaction.execute(
            "INSERT INTO migrations (n, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
            params![n, migration.name, checksum, micros(now)],
        )?;
        transaction.pragma_update(None, "user_version", n)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Refuses a store of a newer program: asked in each transaction that writes, because such a program may
/// come while this one runs.
pub(super) fn is_current(connection: &Connection) -> Result<(), StoreError> {
    is_known(version(connection)?)
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("PRAGMA user_version")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

fn is_known(version: i64) -> Result<(), StoreError> {
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version <= newest {
        return Ok(());
    }
    let message = format!(
        "the store has version {version} of its schema, and this program knows version {newest}: \
         use the newer program"
    );
    Err(StoreError::new(StoreErrorKind::Newer, message))
}

fn is_the_same(
    connection: &Connection,
    n: i64,
    migration: &Migration,
    checksum: &str,
) -> Result<(), StoreError> {
    let found: Option<String> = connection
        .query_row("SELECT checksum FROM migrations WHERE n = ?1", [n], |row| {
            row.get(0)
        })
        .optional()?;
    if found.as_deref() == Some(checksum) {
        return Ok(());
    }
    Err(StoreError::corrupt(format!(
        "the store has another `{}` than this program",
        migration.name
    )))
}
