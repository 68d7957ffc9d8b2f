//! A webhook: something that is told by a request over the web.
//!
//! In: a notice. Out: a request of its kind, signed where the kind has signatures.
//! Invariant: what it answers says whether it is asked again: 2xx took the notice; 408, 425, 429, 5xx and no
//! answer take it later; 410 takes nothing ever again; anything else, redirects included, never takes this
//! one.
//! Knows nothing of who is told by it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::body;
use super::post::{Answer, NoAnswer, Post};
use super::secret;
use super::sign::{SigningSecret, message_id, signatures};
use super::standing::Standing;
use crate::escalation::people::ChannelKind;
use crate::files::config::{self, ConfigError, Url, web_address};
use crate::notify::NotifyError;
use crate::store::Posted;

/// What takes so long to fail holds up what others are told.
const HANGS: Duration = Duration::from_secs(1);

/// Something that is told by requests.
pub(super) struct Hook {
    kind: ChannelKind,
    url: String,
    secrets: Vec<SigningSecret>,
    pub(super) standing: Standing,
}

/// Without the URL, which may be a secret.
impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook")
            .field("kind", &self.kind)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

impl Hook {
    /// Reads its secrets.
    pub(super) fn open(webhook: &config::Webhook, allows: bool) -> Result<Self, ConfigError> {
        let url = match &webhook.url {
            Url::Plain(url) => url.clone(),
            Url::Secret(secret) => {
                let url = secret::read(secret)?;
                web_address(&url, allows).map_err(|why| secret.place.wrong(why))?;
                url
            }
        };
        let secrets = webhook.secrets.iter().map(|it| {
            let text = secret::read(it)?;
            SigningSecret::parse(&text).map_err(|why| it.place.wrong(why))
        });
        Ok(Self {
            kind: webhook.kind,
            url,
            secrets: secrets.collect::<Result<_, _>>()?,
            standing: Standing::default(),
        })
    }

    /// The channel of such a name.
    pub(super) fn channel(&self, name: &str) -> String {
        format!("{}:{name}", self.kind)
    }

    /// Tells it; links begin with the URL of the service.
    pub(super) fn tell(&self, post: &Post, posted: &Posted, url: &str) -> Result<(), NotifyError> {
        let begun = Instant::now();
        self.standing.ask(begun)?;
        let (body, headers) = self.request(posted, url);
        match post.send(&self.url, &headers, &body) {
            Ok(answer) => self.answered(answer),
            Err(NoAnswer::Refused(why)) => Err(NotifyError::Never(why)),
            Err(NoAnswer::Unreached(why)) => {
                // A connection that breaks at once holds nobody up, and the next may not break.
                if begun.elapsed() >= HANGS {
                    self.standing.rests(Instant::now(), None, &why);
                }
                Err(NotifyError::Later(why))
            }
        }
    }

    fn request(&self, posted: &Posted, url: &str) -> (String, Vec<(&'static str, String)>) {
        match self.kind {
            ChannelKind::Slack => (body::slack(posted, url), Vec::new()),
            ChannelKind::Teams => (body::teams(posted, url), Vec::new()),
            _ => {
                let body = body::standard(posted, url);
                let id = message_id(&posted.notice.id);
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                let seconds = now.map_or(0, |now| now.as_secs());
                let signed = signatures(&self.secrets, &id, seconds, &body);
                let headers = vec![
                    ("webhook-id", id),
                    ("webhook-timestamp", seconds.to_string()),
                    ("webhook-signature", signed),
                ];
                (body, headers)
            }
        }
    }

    fn answered(&self, answer: Answer) -> Result<(), NotifyError> {
        let status = answer.status;
        match status {
            200..=299 => {
                self.standing.took();
                Ok(())
            }
            410 => Err(self.standing.is_gone()),
            408 | 425 | 429 | 500..=599 => {
                let why = format!("it answered {status}");
                if status == 429 || answer.retry_after.is_some() {
                    let now = Instant::now();
                    self.standing.rests(now, answer.retry_after, &why);
                }
                Err(NotifyError::Later(why))
            }
            300..=399 => Err(NotifyError::Never(format!(
                "it answered {status}, and no redirect is followed"
            ))),
            _ => Err(NotifyError::Never(format!("it answered {status}"))),
        }
    }
}
