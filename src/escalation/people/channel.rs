//! What reaches a person.
//!
//! In: `log`, `file`, `file:notices.ndjson`, `email:ann@example.com`, `webhook:NAME`, `slack:NAME` or
//! `teams:NAME`. Out: a [`Channel`].
//! Invariant: a kind that nothing can send through is refused when it is read, and not when somebody
//! waits for a notice.
//! Knows nothing of how anything is sent.

use std::fmt;
use std::str::FromStr;

use crate::diagnostic::nearest;
use crate::event::named;
use crate::limits::ADDRESS_BYTES;

/// One way to reach a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    /// Through what.
    pub kind: ChannelKind,
    /// Where, for a kind that has several places.
    pub address: Option<String>,
}

/// What notices are sent through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ChannelKind {
    /// A line in the log of the service.
    Log,
    /// A line in a file; without an address in that of `[notify]`.
    File,
    /// A message to an address, by the mail server of `[notify.smtp]`.
    Email,
    /// A signed request to the service of that name in `[notify.webhooks]`.
    Webhook,
    /// A message in the chat of that name there, as Slack takes it.
    Slack,
    /// The same as Teams takes it.
    Teams,
}

impl ChannelKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Log,
        Self::File,
        Self::Email,
        Self::Webhook,
        Self::Slack,
        Self::Teams,
    ];

    /// How it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::File => "file",
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Teams => "teams",
        }
    }

    /// Whether it has several places.
    #[must_use]
    pub fn takes_address(self) -> bool {
        self != Self::Log
    }

    /// What its address is, where it is nowhere without one.
    fn needs(self) -> Option<&'static str> {
        match self {
            Self::Log | Self::File => None,
            Self::Email => Some("ann@example.com"),
            Self::Webhook | Self::Slack | Self::Teams => Some("ops"),
        }
    }
}

/// Why a text is no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// Nothing is sent through a kind of that name.
    #[error(
        "there is no channel {}, the channels are {}{}",
        named(kind),
        known(),
        meant(kind)
    )]
    Unknown {
        /// The kind as it was given.
        kind: String,
    },
    /// The kind has only one place.
    #[error("the channel `{kind}` takes no address")]
    NoAddress {
        /// The kind.
        kind: ChannelKind,
    },
    /// Nothing stands behind the colon, or too much, or something that is no text.
    #[error(
        "the address of the channel `{kind}` has 1 to {ADDRESS_BYTES} bytes and no control characters"
    )]
    BadAddress {
        /// The kind.
        kind: ChannelKind,
    },
    /// The kind is nowhere without one.
    #[error("the channel `{kind}` needs an address, as in `{kind}:{example}`")]
    MissingAddress {
        /// The kind.
        kind: ChannelKind,
        /// Such an address.
        example: &'static str,
    },
    /// It does not look like what mail is sent to.
    #[error(
        "{} is no address of e-mail, such as `ann@example.com`",
        named(address)
    )]
    BadMailbox {
        /// As it was given.
        address: String,
    },
}

fn known() -> String {
    let [others @ .., last] = ChannelKind::ALL.map(|kind| format!("`{kind}`"));
    format!("{} and {last}", others.join(", "))
}

/// Whether mail can be sent to it: printable ASCII without what separates addresses, in two parts.
fn is_mailbox(address: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_graphic() && !"<>()[],;:\\\"".contains(c);
    let parts = address.rsplit_once('@');
    parts.is_some_and(|(user, host)| {
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        (1..=64).contains(&user.len())
            && user.chars().all(|c| is_plain(c) && c != '@')
            && (1..=253).contains(&host.len())
            && host.chars().all(is_host)
            && !host.split('.').any(str::is_empty)
    })
}

fn meant(kind: &str) -> String {
    let known = ChannelKind::ALL.map(ChannelKind::as_str);
    nearest(kind, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

impl Channel {
    /// Reads `kind` or `kind:address`.
    ///
    /// # Errors
    /// When there is no such kind, or its address is none.
    pub fn parse(text: &str) -> Result<Self, ChannelError> {
        let (word, address) = match text.split_once(':') {
            Some((word, address)) => (word, Some(address)),
            None => (text, None),
        };
        let kind = ChannelKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| ChannelError::Unknown {
                kind: word.to_owned(),
            })?;
        match address {
            Some(_) if !kind.takes_address() => Err(ChannelError::NoAddress { kind }),
            Some(address)
                if address.trim().is_empty()
                    || address.len() > ADDRESS_BYTES
                    || address.chars().any(char::is_control) =>
            {
                Err(ChannelError::BadAddress { kind })
            }
            Some(address) if kind == ChannelKind::Email && !is_mailbox(address) => {
                let address = address.to_owned();
                Err(ChannelError::BadMailbox { address })
            }
            address => match kind.needs() {
                Some(example) if address.is_none() => {
                    Err(ChannelError::MissingAddress { kind, example })
                }
                _ => Ok(Self {
                    kind,
                    address: address.map(str::to_owned),
                }),
            },
        }
    }
}

impl Channel {
    /// As it displays itself, but without its secrets: of an address that is a URL, the scheme and the host
    /// with its port. Paths of webhooks are secrets, and so are names and passwords before a host.
    #[must_use]
    pub fn shown(&self) -> String {
        let url = self.address.as_deref().and_then(|it| it.split_once("://"));
        let Some((scheme, rest)) = url else {
            return self.to_string();
        };
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        format!("{}:{scheme}://{host}", self.kind)
    }
}

impl From<ChannelKind> for Channel {
    fn from(kind: ChannelKind) -> Self {
        Self {
            kind,
            address: None,
        }
    }
}

impl FromStr for Channel {
    type Err = ChannelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Some(address) => write!(f, "{}:{address}", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_reads_back_as_it_is_shown() {
        for text in [
            "log",
            "file",
            "file:a b.ndjson",
            "file:C:\\notices",
            "email:ann@example.com",
            "webhook:ops",
            "slack:ops-chat",
            "teams:ops",
        ] {
            assert_eq!(Channel::parse(text).unwrap().to_string(), text);
        }
        let file = Channel::parse("file:x").unwrap();
        assert_eq!(
            (file.kind, file.address.as_deref()),
            (ChannelKind::File, Some("x"))
        );
    }

    #[test]
    fn a_channel_is_shown_without_its_secrets() {
        for (text, shown) in [
            ("log", "log"),
            ("file:/var/log/notices", "file:/var/log/notices"),
            (
                "file:https://chat.example/hooks/s3cret",
                "file:https://chat.example",
            ),
            (
                "file:https://ann:s3cret@chat.example:8443?s3cret",
                "file:https://chat.example:8443",
            ),
            (
                "file:https://chat.example\\s3cret",
                "file:https://chat.example",
            ),
            (
                "file:https://a@s3cret@chat.example#s3cret",
                "file:https://chat.example",
            ),
        ] {
            assert_eq!(Channel::parse(text).unwrap().shown(), shown);
        }
    }

    #[test]
    fn an_unknown_kind_is_told_the_known_ones() {
        let message = |text: &str| Channel::parse(text).unwrap_err().to_string();
        assert_eq!(
            message("pager"),
            "there is no channel `pager`, the channels are `log`, `file`, `email`, `webhook`, `slack` \
             and `teams`"
        );
        assert_eq!(
            message("fil:x"),
            "there is no channel `fil`, the channels are `log`, `file`, `email`, `webhook`, `slack` \
             and `teams`; did you mean `file`?"
        );
        assert_eq!(message("log:x"), "the channel `log` takes no address");
        let bad = "the address of the channel `file` has 1 to 2048 bytes and no control characters";
        assert_eq!(message("file:"), bad);
        assert_eq!(message("file: "), bad);
        assert_eq!(message("file:a\u{1b}"), bad);
        assert_eq!(
            message("email"),
            "the channel `email` needs an address, as in `email:ann@example.com`"
        );
        assert_eq!(
            message("slack"),
            "the channel `slack` needs an address, as in `slack:ops`"
        );
        let edge = "x".repeat(ADDRESS_BYTES);
        assert!(Channel::parse(&format!("file:{edge}")).is_ok());
        assert_eq!(message(&format!("file:{edge}x")), bad);
    }

    #[test]
    fn an_address_of_mail_is_one_and_adds_no_header_or_recipient() {
        for bad in [
            "ann",
            "@example.com",
            "ann@",
            "ann@example..com",
            "a nn@example.com",
            "ann@example.com,eve@example.com",
            "ann@example.com>",
            "ann@b@example.com",
            "\"ann\"@example.com",
            "änn@example.com",
            "ann@exam_ple.com",
        ] {
            let error = Channel::parse(&format!("email:{bad}")).unwrap_err();
            let address = bad.to_owned();
            assert_eq!(error, ChannelError::BadMailbox { address });
        }
        let injected = Channel::parse("email:ann@example.com\r\nBcc: eve@example.com");
        let kind = ChannelKind::Email;
        assert_eq!(injected.unwrap_err(), ChannelError::BadAddress { kind });
    }
}
