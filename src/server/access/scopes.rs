//! What a token is for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One thing that a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To have events decided, and to see, cancel and use what was opened for them.
    Decide,
    /// To answer as the person whose token it is.
    Answer,
    /// To read everything.
    Audit,
    /// To do what an operator does.
    Operate,
    /// To make tokens and let people in.
    Admin,
    /// To read the figures of the service.
    Metrics,
}

/// All of them, with their words.
const ALL: [(Scope, &str); 6] = [
    (Scope::Decide, "decide"),
    (Scope::Answer, "answer"),
    (Scope::Audit, "audit"),
    (Scope::Operate, "operate"),
    (Scope::Admin, "admin"),
    (Scope::Metrics, "metrics"),
];

impl Scope {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let found = ALL.iter().find(|(scope, _)| *scope == self);
        found.map_or("decide", |(_, word)| word)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the scopes are decide, answer, audit, operate, admin, metrics")]
pub struct ScopeError;

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(word: &str) -> Result<Self, ScopeError> {
        let found = ALL.iter().find(|(_, its)| *its == word);
        found.map(|(scope, _)| *scope).ok_or(ScopeError)
    }
}

/// Several.
pub type Scopes = std::collections::BTreeSet<Scope>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_scopes_are_those_of_what_is_stored() {
        for (scope, word) in ALL {
            assert_eq!(
                serde_json::to_string(&scope).unwrap(),
                format!("\"{word}\"")
            );
            assert_eq!(word.parse(), Ok(scope));
        }
        assert_eq!("everything".parse::<Scope>(), Err(ScopeError));
    }
}
