//! What a database says, as what a store says.
//!
//! In: errors of the driver. Out: a [`StoreError`], and whether the work may run again, and whether the
//! connection is still good.
//! Invariant: a commit whose answer is missing is never called not done.
//! Knows no statement.

use postgres::Error;
use postgres::error::{DbError, SqlState};

use crate::store::{StoreError, StoreErrorKind};

/// What a schema raises that has a version of another program.
const NEWER: &str = "LW001";

/// A failure in the middle of a transaction.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) error: StoreError,
    /// Nothing was done, and the same may succeed now: two got in each other's way.
    pub(super) reruns: bool,
    /// The connection is of no more use.
    pub(super) is_broken: bool,
}

impl Failure {
    /// Of a statement before the commit: the server has rolled back, or will.
    pub(super) fn of(error: &Error) -> Self {
        let code = error.code().map(SqlState::code);
        Self {
            error: StoreError::new(kind(error), words(error)),
            reruns: code.is_some_and(|code| code == "40001" || code == "40P01"),
            is_broken: error.as_db_error().is_none() || code.is_some_and(ends_connection),
        }
    }

    /// Of the commit itself.
    pub(super) fn of_commit(error: &Error) -> Self {
        let mut failure = Self::of(error);
        // What a deferred rule refused, and what lost against another, was surely rolled back. All else
        // may have happened after the commit was on disk.
        let code = error.code().map(SqlState::code);
        let is_rolled_back = code.is_some_and(|code| code.starts_with("23") || failure.reruns);
        if !is_rolled_back {
            failure.error = failure.error.unknown();
            failure.is_broken = true;
        }
        failure
    }

    /// Of what this program found by itself.
    pub(super) fn plain(error: StoreError) -> Self {
        Self {
            error,
            reruns: false,
            is_broken: false,
        }
    }
}

/// Whether the server closes a connection with such an error.
fn ends_connection(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P") || code == "25P03"
}

fn kind(error: &Error) -> StoreErrorKind {
    let Some(code) = error.code().map(SqlState::code) else {
        return StoreErrorKind::Io;
    };
    match code {
        NEWER => StoreErrorKind::Newer,
        // No room on the disk; of the other resources there is more later.
        "53100" => StoreErrorKind::Full,
        "40001" | "40P01" | "55P03" | "57014" => StoreErrorKind::Busy,
        _ if code.starts_with("53") => StoreErrorKind::Busy,
        _ if code.starts_with("23") => StoreErrorKind::Refused,
        // Wrong characters, numbers out of range.
        _ if code.starts_with("22") => StoreErrorKind::Refused,
        _ if code.starts_with("58") || ends_connection(code) => StoreErrorKind::Io,
        "XX001" | "XX002" => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Other,
    }
}

fn words(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => said_words(said),
        None => {
            use std::error::Error as _;
            match error.source() {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            }
        }
    }
}

fn said_words(said: &DbError) -> String {
    let message = said.message();
    match said.constraint() {
        Some(rule) if !message.contains(rule) => format!("{message} (`{rule}`)"),
        _ => message.to_owned(),
    }
}
