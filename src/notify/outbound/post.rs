//! One request over the web.
//!
//! In: a URL, headers, a body. Out: the status of the answer.
//! Invariant: it goes where its address was vetted, follows no redirect, uses no proxy whatever the
//! environment says, and is over within its time; nothing of the answer but its status and `Retry-After` is
//! read. The URL is in no message: its path may be a secret.
//! Knows nothing of notices.

use std::time::Duration;

use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Error};

use super::vet::{Vet, VetError};

/// For a whole request, the look-up included.
pub(super) const WITHIN: Duration = Duration::from_secs(10);

/// Bytes of the headers of an answer.
const HEADER_BYTES: usize = 16 << 10;

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// In how long to ask again, where the receiver says so in seconds.
    pub(super) retry_after: Option<Duration>,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// It is not sent there.
    Refused(String),
    /// It was not taken this time.
    Unreached(String),
}

/// Sends requests.
#[derive(Debug, Clone)]
pub(super) struct Post {
    agent: Agent,
}

impl Post {
    pub(super) fn new(vet: Vet) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(WITHIN))
            .max_response_header_size(HEADER_BYTES)
            // Each request is vetted anew.
            .max_idle_connections(0)
            .user_agent(concat!("laneway/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), vet),
        }
    }

    pub(super) fn send(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> Result<Answer, NoAnswer> {
        let mut request = self.agent.post(url);
        request = request.header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = request.send(body).map_err(no_answer)?;
        let retry_after = answer.headers().get("retry-after");
        let seconds = retry_after.and_then(|it| it.to_str().ok()?.trim().parse().ok());
        Ok(Answer {
            status: answer.status().as_u16(),
            retry_after: seconds.map(Duration::from_secs),
        })
    }
}

/// What failed, without the URL.
fn no_answer(error: Error) -> NoAnswer {
    let why = match error {
        Error::Other(inner) => {
            return match inner.downcast::<VetError>() {
                Ok(error) if matches!(*error, VetError::Refused { .. }) => {
                    NoAnswer::Refused(error.to_string())
                }
                Ok(error) => NoAnswer::Unreached(error.to_string()),
                Err(_) => NoAnswer::Unreached("it cannot be reached".to_owned()),
            };
        }
        Error::BadUri(_) | Error::Http(_) => {
            return NoAnswer::Refused("its URL cannot be used".to_owned());
        }
        Error::Timeout(_) => format!("it did not answer within {} s", WITHIN.as_secs()),
        Error::Io(error) => error.to_string(),
        Error::Rustls(error) => error.to_string(),
        Error::Tls(why) => why.to_owned(),
        Error::Protocol(error) => format!("it does not speak HTTP: {error}"),
        Error::LargeResponseHeader(..) => "its answer is too long".to_owned(),
        _ => "it cannot be reached".to_owned(),
    };
    NoAnswer::Unreached(why)
}
