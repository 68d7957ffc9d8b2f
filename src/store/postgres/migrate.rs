//! The schema, from nothing or from an earlier version to that of this program.
//!
//! In: a connection. Out: a database with the schema of this program, or why it is not taken.
//! Invariant: versions go forward only, one after the other, each by the text that it had when it was
//! released; a schema of a later program is left alone.
//! Knows no row but those of `migrations`.

use postgres::GenericClient;
use sha2::{Digest as _, Sha256};

use super::error::Failure;
use super::pool::Connection;
use crate::escalation::audit::Digest;
use crate::store::{StoreError, StoreErrorKind};

/// A version of the schema.
struct Migration {
    n: i64,
    name: &'static str,
    sql: &'static str,
}

/// All versions, the oldest first. One that was released never changes.
const MIGRATIONS: &[Migration] = &[Migration {
    n: 1,
    name: "escalations",
    sql: concat!(
        include_str!("schema-1.sql"),
        "\n",
        include_str!("functions-1.sql")
    ),
}];

/// The version that this program reads and writes.
pub(super) const VERSION: i64 = 1;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    n BIGINT PRIMARY KEY CHECK (n >= 1),
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)";

/// Brings the schema up to this program's version. One does it, others wait; those that write in an
/// older version have ended then, and write no more.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let failed = |error: postgres::Error| Failure::of(&error).error;
    if kept(&mut connection.client)?.len() == MIGRATIONS.len() {
        return Ok(());
    }
    let mut transaction = connection.client.transaction().map_err(failed)?;
    transaction
        .batch_execute(
            "SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = '600s'; \
             SELECT pg_advisory_xact_lock(1818324583, 1)",
        )
        .map_err(failed)?;
    transaction.batch_execute(TABLE).map_err(failed)?;
    // Another program may have been quicker.
    let kept = kept(&mut transaction)?;
    for migration in MIGRATIONS.iter().skip(kept.len()) {
        transaction.batch_execute(migration.sql).map_err(failed)?;
        transaction
            .execute(
                "INSERT INTO migrations VALUES ($1, $2, $3, \
                 (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)",
                &[&migration.n, &migration.name, &checksum(migration.sql)],
            )
            .map_err(failed)?;
    }
    transaction
        .commit()
        .map_err(|error| Failure::of_commit(&error).error)
}

/// The versions that the database has: a beginning of those of this program, or an error.
fn kept(client: &mut impl GenericClient) -> Result<Vec<i64>, StoreError> {
    let failed = |error: postgres::Error| Failure::of(&error).error;
    let there = client
        .query_one("SELECT to_regclass('migrations') IS NOT NULL", &[])
        .map_err(failed)?;
    if !there.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let rows = client
        .query("SELECT n, checksum FROM migrations ORDER BY n", &[])
        .map_err(failed)?;
    let mut found = Vec::new();
    for row in &rows {
        found.push((row.get::<_, i64>(0), row.get::<_, String>(1)));
    }
    if let Some((newest, _)) = found.last().filter(|(n, _)| *n > VERSION) {
        let message = format!(
            "the schema has version {newest}, and this program knows versions up to {VERSION}: \
             a newer program has written here"
        );
        return Err(StoreError::new(StoreErrorKind::Newer, message));
    }
    for (position, (n, sum)) in found.iter().enumerate() {
        let known = MIGRATIONS.get(position);
        if known.is_none_or(|known| known.n != *n || checksum(known.sql) != *sum) {
            return Err(StoreError::corrupt(format!(
                "version {n} of the schema is not the one of this program"
            )));
        }
    }
    Ok(found.into_iter().map(|(n, _)| n).collect())
}

fn checksum(sql: &str) -> String {
    Digest(Sha256::digest(sql).into()).to_string()
}
