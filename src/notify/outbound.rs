//! Notices over the network: signed webhooks, chats, e-mail.
//!
//! In: a configuration, which names what may be told and how. Out: an [`Outbound`], which tells each notice by
//! the channels of its recipient.
//! Invariant: nothing is sent where a name leads inside unless that is allowed; a link in a notice only shows;
//! no secret is in a message, a log or what is kept of a delivery.
//! Knows no rule and no store, and of an event nothing: a notice has none of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Carrier, Notifier, NotifyError, Router, Told};
use crate::escalation::people::{Channel, ChannelKind};
use crate::escalation::{Directory, Principal, Recipient};
use crate::files::config::{ConfigError, Notify};
use crate::store::Posted;

mod body;
mod hook;
mod mail;
mod post;
mod say;
mod secret;
mod sign;
mod standing;
mod vet;

use hook::Hook;
use mail::Mail;
use post::Post;
#[cfg(feature = "openid")]
pub(crate) use secret::read as read_secret;
pub use sign::{SigningSecret, message_id, signatures};
pub use vet::{Lookup, SystemLookup};

/// Tells notices by whatever a configuration names.
#[derive(Debug)]
pub struct Outbound {
    router: Router,
    network: Network,
}

impl Outbound {
    /// Reads every secret that is needed. Links in notices begin with the URL, which has no slash at its end.
    ///
    /// # Errors
    /// When a secret cannot be read, or is none.
    pub fn open(notify: &Notify, url: &str, lookup: Arc<dyn Lookup>) -> Result<Self, ConfigError> {
        let vet = vet::Vet::new(lookup, &notify.allow);
        let allows = !notify.allow.is_empty();
        let mut hooks = BTreeMap::new();
        for (name, webhook) in &notify.webhooks {
            hooks.insert(name.clone(), Hook::open(webhook, allows)?);
        }
        let mail = notify.smtp.as_ref();
        let mail = mail.map(|smtp| Mail::open(smtp, vet.clone()));
        let network = Network(Arc::new(Inner {
            post: Post::new(vet),
            hooks,
            mail: mail.transpose()?,
            callers: notify.callers.clone(),
            url: url.to_owned(),
        }));
        let mut router = Router::of_lines(notify.file.clone());
        for kind in [
            ChannelKind::Email,
            ChannelKind::Webhook,
            ChannelKind::Slack,
            ChannelKind::Teams,
        ] {
            router = router.with(kind, Box::new(network.clone()));
        }
        let router = router.with_callers(Box::new(network.clone()));
        Ok(Self { router, network })
    }

    /// What does not take notices now, and why; by the names of channels.
    #[must_use]
    pub fn troubles(&self) -> Vec<(String, String)> {
        let inner = &self.network.0;
        let hooks = inner.hooks.iter();
        let hooks = hooks.map(|(name, hook)| (hook.channel(name), hook.standing.trouble()));
        let mail = inner.mail.iter();
        let mail = mail.map(|mail| (ChannelKind::Email.to_string(), mail.standing.trouble()));
        let all = hooks.chain(mail);
        all.filter_map(|(name, why)| Some((name, why?))).collect()
    }
}

impl Notifier for Outbound {
    fn send(&self, posted: &Posted, directory: &Directory) -> Told {
        self.router.send(posted, directory)
    }
}

/// What is told over the network.
#[derive(Debug, Clone)]
struct Network(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    post: Post,
    hooks: BTreeMap<String, Hook>,
    mail: Option<Mail>,
    callers: BTreeMap<Principal, String>,
    url: String,
}

impl Carrier for Network {
    fn carry(&self, posted: &Posted, channel: &Channel, _: &Directory) -> Result<(), NotifyError> {
        let inner = &self.0;
        let address = channel.address.as_deref().unwrap_or_default();
        let missing = || NotifyError::Never(format!("there is no channel `{}`", channel.shown()));
        match channel.kind {
            ChannelKind::Email => {
                let mail = inner.mail.as_ref().ok_or_else(missing)?;
                mail.tell(address, posted, &inner.url)
            }
            _ => {
                let hook = inner.hooks.get(address).ok_or_else(missing)?;
                hook.tell(&inner.post, posted, &inner.url)
            }
        }
    }
}

/// Callers are told by their webhook, and where they have none by a line of the log.
impl Notifier for Network {
    fn send(&self, posted: &Posted, directory: &Directory) -> Told {
        let name = match &posted.notice.to {
            Recipient::Caller(to) => self.0.callers.get(to),
            Recipient::Person(_) | Recipient::Team(_) => None,
        };
        let Some(name) = name else {
            return super::LogNotifier.send(posted, directory);
        };
        let channel = Channel {
            kind: ChannelKind::Webhook,
            address: Some(name.clone()),
        };
        Told::by(channel.shown(), self.carry(posted, &channel, directory))
    }
}
