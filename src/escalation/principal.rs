//! Stand-in.
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
/// Someone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Principal(Arc<str>);
/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a name")]
pub struct PrincipalError;
impl Principal {
    /// Reads.
    ///
    /// # Errors
    /// Bad.
    pub fn parse(text: &str) -> Result<Self, PrincipalError> {
        Ok(Self(text.trim().to_lowercase().into()))
    }
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
