//! Requests to the service, and their repetition.
//!
//! In: paths, bodies, keys. Out: what was answered, read from JSON; or why there is none.
//! Invariant: no answer is read further than its bound; every request that comes here may be made again
//! without doing anything twice (it has a key, or says what already is).

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

use super::ClientError;

/// How often a request is made, at most.
const TRIES: u32 = 4;

/// Before the first repetition; each further one waits twice as long.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// For how long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// Bytes of an answer: an escalation with a large event in it has some hundred thousand.
const ANSWER_BYTES: u64 = 8 << 20;

/// Where and as whom.
#[derive(Clone)]
pub(super) struct Transport {
    agent: Agent,
    url: String,
    token: String,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is a secret.
        f.debug_struct("Transport")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// What is read of a problem.
#[derive(Debug, Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

impl Transport {
    pub(super) fn new(url: &str, token: &str) -> Result<Self, ClientError> {
        let url = url.trim_end_matches('/');
        let parsed: Uri = url
            .parse()
            .map_err(|error| ClientError::Unsendable(format!("`{url}` is no address: {error}")))?;
        if !matches!(parsed.scheme_str(), Some("http" | "https")) || parsed.query().is_some() {
            let message = format!("`{url}` is no address of a service, such as `https://host`");
            return Err(ClientError::Unsendable(message));
        }
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = "the token has characters that no token has";
            return Err(ClientError::Unsendable(message.to_owned()));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .build();
        Ok(Self {
            agent: config.into(),
            url: url.to_owned(),
            token: token.to_owned(),
        })
    }

    pub(super) fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        time: Duration,
    ) -> Result<T, ClientError> {
        repeated(|| self.asked(path, time))
    }

    /// The same for who asks again by itself.
    pub(super) fn get_once<T: DeserializeOwned>(
        &self,
        path: &str,
        time: Duration,
    ) -> Result<T, ClientError> {
        self.asked(path, time).map_err(of_transport).and_then(read)
    }

    fn asked(&self, path: &str, time: Duration) -> Result<Response<Body>, ureq::Error> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let request = request.config().timeout_global(Some(time)).build();
        request.call()
    }

    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &[u8],
        key: Option<&str>,
        time: Duration,
    ) -> Result<T, ClientError> {
        repeated(|| {
            let request = self.agent.post(format!("{}{path}", self.url));
            let mut request = request
                .header("authorization", format!("Bearer {}", self.token))
                .content_type("application/json");
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            let request = request.config().timeout_global(Some(time)).build();
            request.send(body)
        })
    }
}

/// Makes a request until it is answered, it cannot be, or it was made often enough.
fn repeated<T: DeserializeOwned>(
    request: impl Fn() -> Result<Response<Body>, ureq::Error>,
) -> Result<T, ClientError> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match request().map_err(of_transport).and_then(read) {
            Err(error) if error.is_passing() => std::thread::sleep(pause + jitter(pause)),
            answered => return answered,
        }
        pause *= 2;
    }
    request().map_err(of_transport).and_then(read)
}

/// Up to half of a pause, so that many who were cut off together do not come back together.
fn jitter(pause: Duration) -> Duration {
    let mut bytes = [0; 1];
    match getrandom::fill(&mut bytes) {
        Ok(()) => pause * u32::from(u8::from_ne_bytes(bytes)) / 512,
        Err(_) => Duration::ZERO,
    }
}

fn read<T: DeserializeOwned>(response: Response<Body>) -> Result<T, ClientError> {
    let status = response.status();
    let mut body = response.into_body();
    let bytes = body.with_config().limit(ANSWER_BYTES).read_to_vec();
    let bytes = bytes.map_err(of_transport)?;
    if !status.is_success() {
        let problem = serde_json::from_slice::<Problem>(&bytes).ok();
        let (code, detail) = match problem {
            Some(problem) => (problem.code, problem.detail),
            None => (String::new(), "the service says no".to_owned()),
        };
        return Err(ClientError::Refused {
            status: status.as_u16(),
            code,
            detail,
        });
    }
    serde_json::from_slice(&bytes).map_err(|error| ClientError::Unreadable(error.to_string()))
}

fn of_transport(error: ureq::Error) -> ClientError {
    match error {
        ureq::Error::BodyExceedsLimit(_) => ClientError::TooLarge(ANSWER_BYTES),
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => ClientError::Unsendable(error.to_string()),
        error => ClientError::Unreachable(error.to_string()),
    }
}

/// Refuses what would be another path than that of an escalation.
pub(super) fn is_id(id: &str) -> Result<(), ClientError> {
    match !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => Ok(()),
        false => {
            let message = format!("{id:?} is no id of an escalation");
            Err(ClientError::Unsendable(message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_tokens_and_ids_that_are_none_are_refused() {
        for url in ["", "host", "ftp://host", "http://", "https://host?x=1"] {
            assert!(Transport::new(url, "t").is_err(), "{url}");
        }
        for token in ["", "a b", "a\nb", "ä"] {
            assert!(Transport::new("http://host", token).is_err(), "{token:?}");
        }
        let shown = format!(
            "{:?}",
            Transport::new("http://host/", "lw_x_secret").unwrap()
        );
        assert!(
            shown.contains("http://host\"") && !shown.contains("secret"),
            "{shown}"
        );
        for id in ["", "..", "a/b", "a?b", "a b"] {
            assert!(is_id(id).is_err(), "{id:?}");
        }
    }
}
