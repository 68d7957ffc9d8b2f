//! Why nobody comes in by a provider of identities.
//!
//! Invariant: what a browser is told has no token, no code and nothing that the provider wrote in prose; that
//! is in the log, for who runs the service.

use axum::http::StatusCode;

use crate::server::problem::Problem;

/// Why nobody comes in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(in crate::server) enum SignOnError {
    /// It was not begun here, is over, or was used.
    #[error("this sign-in is over, was used, or was begun in another browser or tab; begin again")]
    Stale,
    /// Too many begin at once.
    #[error("too many people sign in at this moment; wait a minute, and try again")]
    Busy,
    /// The provider does not answer as it should.
    #[error(
        "the provider of identities does not answer now; try again, or sign in with a password"
    )]
    Unreachable,
    /// The provider says no.
    #[error("the provider of identities let nobody in: `{0}`; begin again, or ask who runs it")]
    Refused(String),
    /// What it sent is not to be believed.
    #[error(
        "what the provider of identities sent is not to be believed; begin again, and if it stays so, ask who \
         runs this service to read its log"
    )]
    Untrue,
    /// It did not say who it is.
    #[error(
        "the provider of identities did not say who you are: there is no `{0}`; ask who runs this service"
    )]
    Nameless(String),
    /// It does not vouch for the address.
    #[error(
        "the provider of identities has not verified your e-mail address; verify it there, and begin again"
    )]
    Unverified,
    /// They are nobody here.
    #[error(
        "`{0}` may not sign in here; ask an admin of this service to be named in its configuration"
    )]
    Unknown(String),
}

impl SignOnError {
    /// The provider says no, by a word of its own; the word may come from anybody who makes links.
    pub(in crate::server) fn refused(word: &str) -> Self {
        let is_word = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        Self::Refused(word.chars().take(60).take_while(is_word).collect())
    }
}

impl From<SignOnError> for Problem {
    fn from(error: SignOnError) -> Self {
        let detail = error.to_string();
        match error {
            SignOnError::Stale => Self::bad("sign_in_again", detail),
            SignOnError::Busy => Self::too_many(detail, 60),
            SignOnError::Unreachable => Self::unavailable("openid", detail),
            _ => Self::new(StatusCode::FORBIDDEN, "sign_in", detail),
        }
    }
}
