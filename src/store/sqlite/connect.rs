//! Connections: the file, and what each connection is told before it is used.
//!
//! In: a path. Out: connections whose settings were read back.
//! Invariant: only the owner may read the files, from the first moment on; no connection checks less than
//! another.
//! Knows no schema.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::SqliteOptions;
use crate::limits::{STORE_BUSY, STORE_CACHE_KIB, STORE_STATEMENTS};
use crate::store::transaction::{StoreError, StoreErrorKind};

/// Makes the file, if it is not there. SQLite gives its log and its index the mode of the file.
pub(super) fn make_file(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) => {
            let message = format!("cannot open `{}`: {error}", path.display());
            Err(StoreError::new(StoreErrorKind::Io, message))
        }
    }
}

/// The connection that writes.
pub(super) fn to_write(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let connection = connect(path)?;
    // The log is what a crash is survived by.
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    is(&mode.as_str(), &"wal", "journal_mode")?;
    let synchronous = match options.survives_power_loss {
        true => 2,
        false => 0,
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    let told: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    is(&told, &synchronous, "synchronous")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    // A negative number is one of KiB.
    connection.pragma_update(None, "cache_size", -i64::from(STORE_CACHE_KIB))?;
    // What is erased is written over, and not only let go.
    set(&connection, "secure_delete", true)?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn to_read(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path)?;
    set(&connection, "query_only", true)?;
    Ok(connection)
}

/// A connection that copies the file.
pub(super) fn to_copy(path: &Path) -> Result<Connection, StoreError> {
    connect(path)
}

/// Moves the log into the file and empties it, so that what was erased is in neither. Readers keep what they
/// read: whether none was in the way. Nobody waits for them here.
pub(super) fn empty_log(connection: &Connection) -> bool {
    let emptied = connection
        .busy_timeout(Duration::ZERO)
        .and_then(|()| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                row.get::<_, bool>(0)
            })
        })
        .is_ok_and(|is_busy| !is_busy);
    // Without it others in the way are an error, which is said to who runs into it.
    let _ = connection.busy_timeout(STORE_BUSY);
    emptied
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(STORE_BUSY)?;
    connection.set_prepared_statement_cache_capacity(STORE_STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Plans that depend on what is bound are made anew at each binding: a third of a command's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    set(&connection, "foreign_keys", true)?;
    set(&connection, "recursive_triggers", true)?;
    set(&connection, "trusted_schema", false)?;
    set(&connection, "cell_size_check", true)?;
    set(&connection, "ignore_check_constraints", false)?;
    Ok(connection)
}

/// Says a setting and reads it back: SQLite ignores what it does not know.
fn set(connection: &Connection, name: &str, on: bool) -> Result<(), StoreError> {
    connection.pragma_update(None, name, on)?;
    let told: bool = connection.pragma_query_value(None, name, |row| row.get(0))?;
    is(&told, &on, name)
}

fn is<T: PartialEq + std::fmt::Display>(
    told: &T,
    wanted: &T,
    name: &str,
) -> Result<(), StoreError> {
    if told == wanted {
        return Ok(());
    }
    let message = format!("sqlite has `{name}` at `{told}`, and it has to be `{wanted}`");
    Err(StoreError::other(message))
}
