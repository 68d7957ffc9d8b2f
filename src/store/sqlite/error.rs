//! What SQLite says, in the words of every store.
//!
//! In: errors of SQLite. Out: [`StoreError`]. Invariant: nothing that may be done is called not done.
//! Knows nothing of what was tried.

use rusqlite::{Error, ErrorCode};

use crate::store::transaction::{StoreError, StoreErrorKind};

/// What went wrong, with nothing done.
pub(super) fn failed(error: &Error) -> StoreError {
    let kind = match error {
        Error::SqliteFailure(failure, _) => kind_of(failure.code),
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Other,
    };
    StoreError::new(kind, words(error))
}

/// What went wrong when a transaction was to be made durable. After an error of the disk its frames may be
/// in the log, and the next start may find them whole.
pub(super) fn failed_to_commit(error: &Error) -> StoreError {
    let error = failed(error);
    match error.kind {
        StoreErrorKind::Full | StoreErrorKind::Busy | StoreErrorKind::Refused => error,
        _ => error.unknown(),
    }
}

fn kind_of(code: ErrorCode) -> StoreErrorKind {
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreErrorKind::Busy,
        ErrorCode::DiskFull => StoreErrorKind::Full,
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::FileLockingProtocolFailed => StoreErrorKind::Io,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SchemaChanged => {
            StoreErrorKind::Corrupt
        }
        ErrorCode::ConstraintViolation => StoreErrorKind::Refused,
        _ => StoreErrorKind::Other,
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        failed(&error)
    }
}
