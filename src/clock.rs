//! Time as an argument: instants and spans of time. Nothing here reads a clock.
//!
//! In: RFC 3339 text, duration text such as `1h30m`. Out: exact instants and milliseconds.
//! Invariant: a [`Duration`] is never negative.

use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in universal time, to the nanosecond.
pub type Timestamp = DateTime<Utc>;

/// An elapsed time in whole milliseconds, never negative. A day is 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration {
    millis: u64,
}

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// Not numbers each followed by one of the units.
    #[error("a duration is numbers with units, such as `1h30m` (units: ms, s, m, h, d)")]
    Form,
    /// The units do not go from the largest to the smallest, each at most once.
    #[error("the units of a duration go from large to small, each at most once: d h m s ms")]
    Order,
    /// More than [`Duration::MAX`].
    #[error("a duration is at most 36500d")]
    TooLong,
}

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Duration {
    /// The longest duration, 36,500 days: keeps every sum with an instant in range.
    pub const MAX: Self = Self {
        millis: 36_500 * 86_400_000,
    };

    /// From milliseconds; longer than [`Duration::MAX`] is cut to it.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.millis {
            Self::MAX
        } else {
            Self { millis }
        }
    }

    /// From minutes.
    #[must_use]
    pub const fn from_minutes(minutes: u64) -> Self {
        Self::from_millis(minutes.saturating_mul(60_000))
    }

    /// Whole milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.millis
    }

    /// For arithmetic with instants.
    #[must_use]
    pub fn to_chrono(self) -> chrono::TimeDelta {
        // At most 36,500 days of milliseconds: far inside i64.
        chrono::TimeDelta::milliseconds(i64::try_from(self.millis).unwrap_or(i64::MAX / 2_000_000))
    }

    /// Reads `1h30m`.
    ///
    /// # Errors
    /// When the text is not of that form, or too long a time.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let mut rest = text;
        let mut millis = 0u64;
        let mut last_unit = None;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit());
            let digits = digits.ok_or(DurationError::Form)?;
            let (number, tail) = rest.split_at(digits);
            if number.is_empty() {
                return Err(DurationError::Form);
            }
            let letters = tail.find(|c: char| !c.is_ascii_lowercase());
            let (unit, tail) = tail.split_at(letters.unwrap_or(tail.len()));
            let index = UNITS.iter().position(|(name, _)| *name == unit);
            let index = index.ok_or(DurationError::Form)?;
            if last_unit.is_some_and(|last| last >= index) {
                return Err(DurationError::Order);
            }
            last_unit = Some(index);
            let scale = UNITS.get(index).map_or(1, |(_, scale)| *scale);
            let number: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
            millis = number
                .checked_mul(scale)
                .and_then(|part| millis.checked_add(part))
                .ok_or(DurationError::TooLong)?;
            rest = tail;
        }
        match last_unit {
            None => Err(DurationError::Form),
            Some(_) if millis > Self::MAX.millis => Err(DurationError::TooLong),
            Some(_) => Ok(Self { millis }),
        }
    }
}

impl fmt::Display for Duration {
    /// The shortest text that reads back to the same duration: `90m` shows as `1h30m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.millis == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.millis;
        for (unit, scale) in UNITS {
            if rest >= scale {
                write!(f, "{}{unit}", rest / scale)?;
                rest %= scale;
            }
        }
        Ok(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// An instant with the offset that its author wrote.
pub type Written = DateTime<chrono::FixedOffset>;

/// Reads an RFC 3339 instant; the offset is required.
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    parse_written(text).map(|written| without_leap(written.to_utc()))
}

/// An instant within a leap second as the one so far into the second behind it: elapsed time has no
/// leap seconds, and 23:59:60 is then midnight.
#[must_use]
pub fn without_leap(instant: Timestamp) -> Timestamp {
    let nanos = instant.timestamp_subsec_nanos();
    let plain = || {
        let seconds = instant.timestamp().checked_add(1)?;
        DateTime::from_timestamp(seconds, nanos.checked_sub(1_000_000_000)?)
    };
    plain().unwrap_or(instant)
}

/// Reads an RFC 3339 instant and keeps its offset.
#[must_use]
pub fn parse_written(text: &str) -> Option<Written> {
    // chrono accepts a space for the `T`; RFC 3339 permits it as an option, the language does not.
    if !text.contains('T') {
        return None;
    }
    DateTime::parse_from_rfc3339(text).ok()
}

/// An instant with its offset, as [`format_timestamp`] prints one without.
#[must_use]
pub fn format_written(instant: Written) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Reads an RFC 3339 full date, `2026-12-24`.
#[must_use]
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let shape = text.len() == 10 && text.bytes().filter(|b| *b == b'-').count() == 2;
    shape
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
}

/// The one way an instant is printed: universal time, with the fraction only where there is one.
#[must_use]
pub fn format_timestamp(instant: Timestamp) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Serde for an instant in the form of [`format_timestamp`].
pub mod rfc3339 {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    /// Writes the instant.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format_timestamp(*at))
    }

    /// Reads the instant.
    ///
    /// # Errors
    /// When the text is not RFC 3339 with an offset.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse_timestamp(&text)
            .ok_or_else(|| serde::de::Error::custom("not an RFC 3339 instant"))
    }
}

/// The same of an instant that may be absent: nothing is `null`. For results that are only written.
pub mod optional_rfc3339 {
    use super::{Serializer, Timestamp};

    /// Writes the instant, or `null`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::rfc3339::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print() {
        for (text, shown) in [
            ("1h30m", "1h30m"),
            ("90m", "1h30m"),
            ("0s", "0s"),
            ("1500ms", "1s500ms"),
        ] {
            assert_eq!(Duration::parse(text).unwrap().to_string(), shown);
        }
        assert_eq!(Duration::parse("30"), Err(DurationError::Form));
        assert_eq!(Duration::parse("1m1h"), Err(DurationError::Order));
        assert_eq!(Duration::parse("1h1h"), Err(DurationError::Order));
        assert_eq!(Duration::parse("36501d"), Err(DurationError::TooLong));
        assert_eq!(
            Duration::parse("99999999999999999999d"),
            Err(DurationError::TooLong)
        );
        assert_eq!(Duration::parse("-1h"), Err(DurationError::Form));
    }

    #[test]
    fn a_leap_second_is_the_one_behind_it() {
        let leap = parse_timestamp("2016-12-31T23:59:60.25Z").unwrap();
        assert_eq!(leap, parse_timestamp("2017-01-01T00:00:00.25Z").unwrap());
        assert_eq!(leap.timestamp_subsec_nanos(), 250_000_000);
        let offset = parse_timestamp("2017-01-01T05:29:60+05:30").unwrap();
        assert_eq!(format_timestamp(offset), "2017-01-01T00:00:00Z");
    }

    #[test]
    fn instants_need_an_offset() {
        assert!(parse_timestamp("2026-01-07T12:00:00").is_none());
        assert!(parse_timestamp("2026-01-07 12:00:00Z").is_none());
        let at = parse_timestamp("2026-01-07T12:00:00.5+01:00").unwrap();
        assert_eq!(format_timestamp(at), "2026-01-07T11:00:00.500Z");
        assert!(parse_date("2026-02-30").is_none());
        assert!(parse_date("2026-2-3").is_none());
    }
}
