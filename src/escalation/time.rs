//! Instants as they are stored: whole microseconds since 1970.
//!
//! In: instants of any fineness. Out: whole microseconds, and back.
//! Invariant: what was stored reads back the same; cutting off never makes an instant later.

use crate::clock::Timestamp;

/// Whole microseconds since 1970, cut off downwards.
#[must_use]
pub fn micros(at: Timestamp) -> i64 {
    at.timestamp_micros()
}

/// The instant of whole microseconds; one that no calendar has is the last that one has.
#[must_use]
pub fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(micros).unwrap_or(Timestamp::MAX_UTC)
}

/// An instant as it reads back from a store.
#[must_use]
pub fn stored(at: Timestamp) -> Timestamp {
    from_micros(micros(at))
}

/// For serde: an instant as whole microseconds.
pub mod as_micros {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::clock::Timestamp;

    /// Writes one.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(super::micros(*at))
    }

    /// Reads one.
    ///
    /// # Errors
    /// When it is not a whole number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(super::from_micros)
    }
}

/// For serde: an instant as whole microseconds, or nothing.
pub mod as_optional_micros {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::clock::Timestamp;

    /// Writes one.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_some(&super::micros(*at)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// When it is neither a whole number nor nothing.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(super::from_micros))
    }
}
