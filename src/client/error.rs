//! Why a service could not be asked, or what it refused.

/// Why there is no answer. Whoever gets one must not proceed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The service says no, or that it cannot.
    #[error("{detail} ({status}, `{code}`)")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// The stable code, such as `consumed`.
        code: String,
        /// What is wrong, in words.
        detail: String,
    },
    /// It cannot be reached, or the connection broke.
    #[error("the service cannot be reached: {0}")]
    Unreachable(String),
    /// Its answer is none that this client knows.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// Its answer is longer than any that is expected, which is so many bytes.
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
    /// What was to be sent cannot be.
    #[error("this cannot be sent: {0}")]
    Unsendable(String),
}

impl ClientError {
    /// The stable code, where the service gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether it may pass by itself, so that asking again may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 502..=504),
            _ => false,
        }
    }
}
