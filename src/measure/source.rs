//! Whose clock counts: the instant at which an event is counted.
//!
//! In: when an event was received and from which source, and the instant that it claims. Out: the
//! instant at which it counts.
//! Invariant: nobody who is not trusted with the time can date an event out of a window, or into one;
//! and nobody at all further ahead of the clock than [`FUTURE`].

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::clock::{Duration, Timestamp};
use crate::limits::{FUTURE, LATENESS, LATENESS_MAX};

/// A source of events, as far as time is concerned. By default it is not trusted with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// Whether an event counts at its own `at`, else when it is received: back-dating would evade a
    /// count.
    pub trusted: bool,
    /// How much older than the newest event of its kind one may be and still be put in its place.
    pub lateness: Duration,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            trusted: false,
            lateness: LATENESS,
        }
    }
}

impl Source {
    /// One whose events count at their own `at`.
    #[must_use]
    pub fn trusted() -> Self {
        Self {
            trusted: true,
            ..Self::default()
        }
    }

    /// The same with another bound on late events; it is at most [`LATENESS_MAX`].
    #[must_use]
    pub fn with_lateness(self, lateness: Duration) -> Self {
        Self {
            lateness: lateness.min(LATENESS_MAX),
            ..self
        }
    }
}

/// The sources that an operator named: `[sources.NAME]` in `laneway.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Sources(BTreeMap<String, Source>);

impl Sources {
    /// Names a source.
    #[must_use]
    pub fn with(mut self, name: &str, source: Source) -> Self {
        let source = source.with_lateness(source.lateness);
        self.0.insert(name.to_owned(), source);
        self
    }

    /// A source by the name by which its sender was authenticated; one that nobody named is not
    /// trusted.
    #[must_use]
    pub fn source(&self, name: &str) -> Source {
        let source = self.0.get(name).copied().unwrap_or_default();
        source.with_lateness(source.lateness)
    }

    /// How late an event of any source may be.
    #[must_use]
    pub fn lateness(&self) -> Duration {
        let bounds = self
            .0
            .values()
            .map(|source| source.lateness.min(LATENESS_MAX));
        bounds.max().unwrap_or(LATENESS).max(LATENESS)
    }
}

/// When an event was received, and from whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// When.
    pub now: Timestamp,
    /// From whom.
    pub source: Source,
}

/// From a source that is not trusted with the time.
impl From<Timestamp> for Receipt {
    fn from(now: Timestamp) -> Self {
        Self {
            now,
            source: Source::default(),
        }
    }
}

impl Receipt {
    /// Received now from a source.
    #[must_use]
    pub fn of(source: Source, now: Timestamp) -> Self {
        Self { now, source }
    }

    /// When an event counts that claims an instant.
    #[must_use]
    pub fn counts(&self, claimed: Timestamp) -> Counting {
        let is_ahead = self.source.trusted && claimed > self.now + FUTURE.to_chrono();
        Counting {
            at: match self.source.trusted && !is_ahead {
                true => claimed,
                false => self.now,
            },
            lateness: self.source.lateness.min(LATENESS_MAX),
            is_ahead,
            received: Some(self.now),
        }
    }
}

/// When an event counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    /// The instant.
    pub at: Timestamp,
    /// How much older than the newest event of its kind it may be.
    pub lateness: Duration,
    /// Whether it claims to be further ahead of the clock than clocks differ; then it counts when it is
    /// received.
    pub is_ahead: bool,
    /// When it was received; nothing of files, which have no clock but that of their events.
    pub received: Option<Timestamp>,
}

impl Counting {
    /// At an instant: of files, whose clock is that of their events.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self {
            at,
            lateness: LATENESS,
            is_ahead: false,
            received: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn only_a_trusted_clock_counts_and_not_the_future() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |seconds: i64| now + TimeDelta::seconds(seconds);
        let counts = |receipt: Receipt, claimed| {
            let counting = receipt.counts(claimed);
            (counting.at, counting.is_ahead)
        };
        let plain = Receipt::from(now);
        assert_eq!(counts(plain, at(-500)), (now, false));
        assert_eq!(counts(plain, at(500)), (now, false));
        let trusted = Receipt::of(Source::trusted(), now);
        assert_eq!(counts(trusted, at(-500)), (at(-500), false));
        assert_eq!(counts(trusted, at(60)), (at(60), false));
        assert_eq!(counts(trusted, at(61)), (now, true));
    }

    #[test]
    fn a_source_that_nobody_named_is_not_trusted() {
        let late = Duration::from_minutes(10);
        let sources = Sources::default().with("billing", Source::trusted().with_lateness(late));
        assert!(sources.source("billing").trusted);
        assert_eq!(sources.source("other"), Source::default());
        assert_eq!(sources.lateness(), late);
        let wild = Source::trusted().with_lateness(Duration::MAX);
        assert_eq!(wild.lateness, LATENESS_MAX);
    }
}
