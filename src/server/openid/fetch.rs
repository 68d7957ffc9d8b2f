//! Requests to a provider of identities.
//!
//! In: a request as the library makes it. Out: the answer.
//! Invariant: it goes by TLS, or to this machine where the provider is on it; it follows no redirect, uses no
//! proxy, is over within its time, and reads so much of an answer and no more.
//! Knows nothing of what is asked.

use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse, SyncHttpClient};
use ureq::Agent;
use ureq::http::Method;

use crate::files::config::is_here;

/// For one request, the look-up included; a person waits for two of them, mostly.
const WITHIN: Duration = Duration::from_secs(10);

/// Bytes of an answer. Keys of large providers take some 20 KiB.
const ANSWER_BYTES: u64 = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// It would go in the open.
    #[error("`{0}` is not reached by TLS")]
    Open(String),
    /// It is not reached.
    #[error(transparent)]
    Failed(#[from] ureq::Error),
}

/// Sends requests.
#[derive(Debug, Clone)]
pub(super) struct Fetch {
    agent: Agent,
    /// Whether the provider is on this machine, without TLS.
    is_here: bool,
}

impl Fetch {
    /// For a provider.
    pub(super) fn new(issuer: &str) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(WITHIN))
            .max_idle_connections(0)
            .user_agent(concat!("laneway/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            is_here: is_here(issuer),
        }
    }

    /// Whether a URL is one by which something may be sent, also by a browser.
    pub(super) fn may_go(&self, url: &str) -> bool {
        url.starts_with("https://") || (self.is_here && is_here(url))
    }
}

impl SyncHttpClient for Fetch {
    type Error = FetchError;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let url = request.uri().to_string();
        if !self.may_go(&url) {
            return Err(FetchError::Open(url));
        }
        let answer = match *request.method() {
            Method::GET => self.agent.run(request.map(drop))?,
            _ => self.agent.run(request)?,
        };
        let (parts, mut body) = answer.into_parts();
        let body = body.with_config().limit(ANSWER_BYTES).read_to_vec()?;
        Ok(HttpResponse::from_parts(parts, body))
    }
}
