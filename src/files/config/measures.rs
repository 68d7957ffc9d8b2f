//! What counts in windows, and who counts: `[measures]`.
//!
//! In: the table, and where escalations are stored. Out: what the engine is told.
//! Invariant: of several servers on one database each sees a part of the events, so that windows are lower
//! bounds unless somebody says that events come by their keys.

use serde::{Deserialize, Serialize};

use super::settings::Store;
use crate::measure::Counts;

/// What an operator says of measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Measures {
    /// Whether an event counts that is denied.
    pub denied: bool,
    /// How events come; by the store where nothing is said.
    pub routing: Option<Routing>,
}

/// How the events come that windows count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    /// All of them to this one engine: windows are whole.
    Alone,
    /// To several, by the keys that `laneway show --format partitions` tells: windows are whole.
    Partitioned,
    /// To several, to any of them: windows are lower bounds.
    Shared,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            denied: Counts::default().denied,
            routing: None,
        }
    }
}

impl Measures {
    /// How events come to an engine with such a store: a database is for several servers.
    #[must_use]
    pub fn routing(self, store: &Store) -> Routing {
        let by_store = match store {
            Store::File(_) => Routing::Alone,
            Store::Postgres(_) => Routing::Shared,
        };
        self.routing.unwrap_or(by_store)
    }

    /// What the engine is told.
    #[must_use]
    pub fn counts(self, store: &Store) -> Counts {
        Counts {
            denied: self.denied,
            shared: self.routing(store) == Routing::Shared,
        }
    }
}

impl Routing {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Partitioned => "partitioned",
            Self::Shared => "shared",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_several_servers_are_lower_bounds_unless_events_come_by_their_keys() {
        let file = Store::File("laneway.db".into());
        let database = Store::Postgres("postgres:///laneway".to_owned());
        let by = |routing| Measures {
            routing,
            ..Measures::default()
        };
        assert!(!by(None).counts(&file).shared);
        assert!(by(None).counts(&database).shared);
        for store in [&file, &database] {
            assert!(by(Some(Routing::Shared)).counts(store).shared);
            assert!(!by(Some(Routing::Partitioned)).counts(store).shared);
            assert!(!by(Some(Routing::Alone)).counts(store).shared);
        }
        assert!(Measures::default().counts(&file).denied);
    }
}
