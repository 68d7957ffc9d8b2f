//! Columns: how what is kept reads from a row.
//!
//! In: rows. Out: instants, words, names, digests. Invariant: what this program does not write is an
//! error, never a default. Knows no table.

use rusqlite::Row;
use rusqlite::types::FromSql;
use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::escalation::Principal;
use crate::escalation::audit::Digest;
use crate::escalation::time::from_micros;
use crate::store::transaction::StoreError;

/// Reads columns by their position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'r, 's>(pub(super) &'r Row<'s>);

impl Columns<'_, '_> {
    pub(super) fn get<T: FromSql>(self, at: usize) -> Result<T, StoreError> {
        Ok(self.0.get(at)?)
    }

    pub(super) fn instant(self, at: usize) -> Result<Timestamp, StoreError> {
        Ok(from_micros(self.get(at)?))
    }

    pub(super) fn instant_if(self, at: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.get::<Option<i64>>(at)?.map(from_micros))
    }

    /// A count, or a position.
    pub(super) fn number<T: TryFrom<i64>>(self, at: usize) -> Result<T, StoreError> {
        let number: i64 = self.get(at)?;
        T::try_from(number).map_err(|_| StoreError::corrupt(format!("`{number}` is out of range")))
    }

    pub(super) fn principal(self, at: usize) -> Result<Principal, StoreError> {
        principal(&self.get::<String>(at)?)
    }

    pub(super) fn principal_if(self, at: usize) -> Result<Option<Principal>, StoreError> {
        let name: Option<String> = self.get(at)?;
        name.map(|name| principal(&name)).transpose()
    }

    pub(super) fn digest(self, at: usize) -> Result<Digest, StoreError> {
        Ok(Digest(self.get(at)?))
    }

    /// A word of the lifecycle.
    pub(super) fn word<T>(self, at: usize, read: fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let word: String = self.get(at)?;
        read(&word)
            .ok_or_else(|| StoreError::corrupt(format!("`{word}` is no word of the lifecycle")))
    }

    pub(super) fn json<T: DeserializeOwned>(self, at: usize) -> Result<T, StoreError> {
        from_json(&self.get::<String>(at)?)
    }
}

fn principal(name: &str) -> Result<Principal, StoreError> {
    Principal::parse(name).map_err(|error| StoreError::corrupt(format!("`{name}`: {error}")))
}

pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt(error.to_string()))
}

pub(super) fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::other(error.to_string()))
}

/// A number that no database holds in more than 63 bits.
pub(super) fn whole(number: impl TryInto<i64>) -> Result<i64, StoreError> {
    number
        .try_into()
        .map_err(|_| StoreError::other("a number is too large to be stored"))
}
