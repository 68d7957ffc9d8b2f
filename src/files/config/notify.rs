//! What reaches people and callers: `[notify]` and `[callers]`.
//!
//! In: these tables. Out: channels, and what sends through each of them.
//! Invariant: a channel names what is there, and of its own kind; a secret is never in the file itself, but
//! in a file of its own or in the environment; a URL is plain enough to be read in one way only.
//! Knows nothing of how anything is sent, and reads no secret: a command that sends nothing needs none.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use super::ConfigError;
use super::source::{Place, Source};
use super::web::web_address;
use crate::diagnostic::nearest;
use crate::escalation::people::{Channel, ChannelKind};
use crate::escalation::principal::Principal;

/// What reaches people and callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// What reaches a person who has no channels of their own.
    pub channels: Vec<Channel>,
    /// Where notices of the channel `file` go that has no address.
    pub file: Option<PathBuf>,
    /// Networks inside which something may be told; without them only what everybody reaches is.
    pub allow: Vec<IpNet>,
    /// What sends e-mail.
    pub smtp: Option<Smtp>,
    /// Services and chats that are told over the web, by their names in channels.
    pub webhooks: BTreeMap<String, Webhook>,
    /// The callers that are told by one of these, with its name.
    pub callers: BTreeMap<Principal, String>,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            channels: vec![ChannelKind::Log.into()],
            file: None,
            allow: Vec::new(),
            smtp: None,
            webhooks: BTreeMap::new(),
            callers: BTreeMap::new(),
        }
    }
}

/// A secret, by where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Where it is.
    pub from: SecretFrom,
    /// Where that is said.
    pub place: Place,
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretFrom {
    /// In a file.
    File(PathBuf),
    /// In a variable of the environment.
    Env(String),
}

/// The URL of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Url {
    /// It is no secret.
    Plain(String),
    /// It lets in who has it.
    Secret(Secret),
}

/// Something that is told over the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its kind as channels name it: [`Webhook`](ChannelKind::Webhook), [`Slack`](ChannelKind::Slack) or
    /// [`Teams`](ChannelKind::Teams).
    pub kind: ChannelKind,
    /// Where it is.
    pub url: Url,
    /// By what requests are signed, the new one first.
    pub secrets: Vec<Secret>,
}

/// What sends e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    /// The name or address of the mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is made safe.
    pub tls: SmtpTls,
    /// As whom to sign in, and with what.
    pub login: Option<(String, Secret)>,
    /// From whom messages are.
    pub from: String,
    /// Where that is said.
    pub place: Place,
}

/// How a connection to a mail server is made safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// It begins without, and goes on with it or not at all (STARTTLS).
    Required,
    /// From its first byte on.
    Implicit,
    /// Not at all: on this machine, or within an allowed network.
    None,
}

impl SmtpTls {
    /// The usual port.
    fn port(self) -> u16 {
        match self {
            Self::Required => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

/// `[notify]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NotifyTable {
    channels: Option<Vec<Spanned<String>>>,
    file: Option<Spanned<String>>,
    allow: Vec<Spanned<String>>,
    smtp: Option<SmtpTable>,
    webhooks: BTreeMap<Spanned<String>, WebhookTable>,
}

/// `[notify.smtp]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SmtpTable {
    host: Spanned<String>,
    from: Spanned<String>,
    port: Option<u16>,
    tls: Option<SmtpTls>,
    user: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    password_env: Option<Spanned<String>>,
}

/// `[notify.webhooks.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WebhookTable {
    kind: Kind,
    url: Option<Spanned<String>>,
    url_file: Option<Spanned<String>>,
    url_env: Option<Spanned<String>>,
    secret_file: Option<Spanned<String>>,
    secret_env: Option<Spanned<String>>,
    old_secret_file: Option<Spanned<String>>,
    old_secret_env: Option<Spanned<String>>,
}

/// What a webhook understands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Standard,
    Slack,
    Teams,
}

/// `[callers]`.
pub(super) type Callers = BTreeMap<Spanned<String>, CallerTable>;

/// `[callers.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallerTable {
    webhook: Spanned<String>,
}

impl NotifyTable {
    pub(super) fn read(&self, source: &Source, callers: &Callers) -> Result<Notify, ConfigError> {
        let mut notify = Notify::default();
        if let Some(file) = &self.file {
            notify.file = Some(source.beside(file)?);
        }
        for text in &self.allow {
            notify.allow.push(source.network(text)?);
        }
        if let Some(smtp) = &self.smtp {
            notify.smtp = Some(smtp.read(source)?);
        }
        for (name, table) in &self.webhooks {
            let webhook = table.read(source, name, !notify.allow.is_empty())?;
            notify.webhooks.insert(name.get_ref().clone(), webhook);
        }
        for (name, table) in callers {
            let caller = Principal::parse(name.get_ref());
            let caller = caller.map_err(|error| source.wrong(name.span(), error))?;
            let (webhook, kind) = (table.webhook.get_ref(), ChannelKind::Webhook);
            known(&notify, kind, webhook).map_err(|why| source.wrong(table.webhook.span(), why))?;
            if notify.callers.insert(caller, webhook.clone()).is_some() {
                let message =
                    "this caller is there twice: names are compared without regard to case";
                return Err(source.wrong(name.span(), message));
            }
        }
        if let Some(list) = &self.channels {
            notify.channels = channels(source, list, &notify)?;
        }
        Ok(notify)
    }
}

impl SmtpTable {
    fn read(&self, source: &Source) -> Result<Smtp, ConfigError> {
        let host = self.host.get_ref();
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        if host.is_empty() || !host.chars().all(is_host) {
            let message = "the name or the address of a mail server, such as `mail.example.com`";
            return Err(source.wrong(self.host.span(), message));
        }
        let from = self.from.get_ref();
        Channel::parse(&format!("{}:{from}", ChannelKind::Email))
            .map_err(|error| source.wrong(self.from.span(), error))?;
        let password = one_secret(source, &self.password_file, &self.password_env, "password")?;
        let login = match (&self.user, password) {
            (Some(user), Some(password)) => Some((user.get_ref().clone(), password)),
            (None, None) => None,
            (Some(user), None) => {
                let message = "a user has a password, in `password_file` or `password_env`";
                return Err(source.wrong(user.span(), message));
            }
            (None, Some(password)) => {
                return Err(password.place.wrong("whose password? set `user`"));
            }
        };
        let tls = self.tls.unwrap_or(SmtpTls::Required);
        Ok(Smtp {
            host: host.clone(),
            port: self.port.unwrap_or(tls.port()),
            tls,
            login,
            from: from.clone(),
            place: source.place(self.from.span().start),
        })
    }
}

impl WebhookTable {
    fn read(
        &self,
        source: &Source,
        name: &Spanned<String>,
        allows: bool,
    ) -> Result<Webhook, ConfigError> {
        let wrong = |message: &str| source.wrong(name.span(), message);
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.get_ref().is_empty() || !name.get_ref().chars().all(is_name) {
            return Err(wrong(
                "a webhook's name has letters, digits, `-`, `_` and `.`",
            ));
        }
        let url = one_secret(source, &self.url_file, &self.url_env, "url")?;
        let url = match (&self.url, url) {
            (None, Some(secret)) => Url::Secret(secret),
            (Some(text), None) => Url::Plain(self.plain_url(source, text, allows)?),
            (Some(text), Some(_)) => {
                let message = "one of `url`, `url_file` and `url_env`";
                return Err(source.wrong(text.span(), message));
            }
            (None, None) => return Err(wrong("a webhook has a `url`, `url_file` or `url_env`")),
        };
        let new = one_secret(source, &self.secret_file, &self.secret_env, "secret")?;
        let old = (&self.old_secret_file, &self.old_secret_env);
        let old = one_secret(source, old.0, old.1, "old_secret")?;
        let kind = match (self.kind, new.is_some()) {
            (Kind::Standard, true) => ChannelKind::Webhook,
            (Kind::Slack, false) => ChannelKind::Slack,
            (Kind::Teams, false) => ChannelKind::Teams,
            (Kind::Standard, false) => {
                return Err(wrong(
                    "its requests are signed: set `secret_file` or `secret_env`",
                ));
            }
            (_, true) => return Err(wrong("only what is sent to the kind `standard` is signed")),
        };
        if let (None, Some(old)) = (&new, &old) {
            let message =
                "an old secret stands beside the new one, in `secret_file` or `secret_env`";
            return Err(old.place.wrong(message));
        }
        Ok(Webhook {
            kind,
            url,
            secrets: new.into_iter().chain(old).collect(),
        })
    }

    /// A URL that stands in the file.
    fn plain_url(
        &self,
        source: &Source,
        text: &Spanned<String>,
        allows: bool,
    ) -> Result<String, ConfigError> {
        let wrong = |message: &dyn fmt::Display| source.wrong(text.span(), message);
        if self.kind != Kind::Standard {
            let message = "the URL of a chat lets in who has it: put it into a file or the environment, \
                           and name that in `url_file` or `url_env`";
            return Err(wrong(&message));
        }
        web_address(text.get_ref(), allows).map_err(|why| wrong(&why))?;
        Ok(text.get_ref().clone())
    }
}

/// A secret from a file or from the environment, not from both.
pub(super) fn one_secret(
    source: &Source,
    file: &Option<Spanned<String>>,
    env: &Option<Spanned<String>>,
    what: &str,
) -> Result<Option<Secret>, ConfigError> {
    let (from, span) = match (file, env) {
        (None, None) => return Ok(None),
        (Some(file), None) => (SecretFrom::File(source.beside(file)?), file.span()),
        (None, Some(env)) => {
            let name = env.get_ref();
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(is_name) {
                let message = "the name of a variable of the environment, such as `OPS_SECRET`";
                return Err(source.wrong(env.span(), message));
            }
            (SecretFrom::Env(name.clone()), env.span())
        }
        (Some(_), Some(env)) => {
            let message = format!("one of `{what}_file` and `{what}_env`");
            return Err(source.wrong(env.span(), message));
        }
    };
    let place = source.place(span.start);
    Ok(Some(Secret { from, place }))
}

/// Whether a webhook of that name is there, and of the kind.
fn known(notify: &Notify, kind: ChannelKind, name: &str) -> Result<(), String> {
    match notify.webhooks.get(name) {
        Some(webhook) if webhook.kind == kind => Ok(()),
        Some(webhook) => {
            let its = webhook.kind;
            Err(format!(
                "`{name}` is no `{kind}`; its channel is `{its}:{name}`"
            ))
        }
        None => {
            let near = nearest(name, notify.webhooks.keys().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let named = crate::event::named(name);
            Err(format!(
                "there is no webhook {named} in `[notify.webhooks]`{near}"
            ))
        }
    }
}

/// The channels of a list. A path in one is beside the file that names it, as all paths are.
pub(super) fn channels(
    source: &Source,
    list: &[Spanned<String>],
    notify: &Notify,
) -> Result<Vec<Channel>, ConfigError> {
    let read = |text: &Spanned<String>| {
        let wrong = |message: &dyn fmt::Display| source.wrong(text.span(), message);
        let mut channel = Channel::parse(text.get_ref()).map_err(|error| wrong(&error))?;
        let address = channel.address.clone().unwrap_or_default();
        match channel.kind {
            ChannelKind::Log => {}
            ChannelKind::File if channel.address.is_some() => {
                let path = source.sibling(&address).into_os_string().into_string();
                let path = path.map_err(|_| wrong(&"the folder of this file is not UTF-8"))?;
                channel.address = Some(path);
            }
            ChannelKind::File if notify.file.is_some() => {}
            ChannelKind::File => {
                let message = "the channel `file` needs a path, as in `file:notices.ndjson`, \
                               or `file` in `[notify]`";
                return Err(wrong(&message));
            }
            ChannelKind::Email if notify.smtp.is_some() => {}
            ChannelKind::Email => {
                return Err(wrong(&"nothing sends e-mail without `[notify.smtp]`"));
            }
            kind => known(notify, kind, &address).map_err(|why| wrong(&why))?,
        }
        Ok(channel)
    };
    list.iter().map(read).collect()
}
