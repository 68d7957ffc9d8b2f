//! What reaches a person.
//!
//! In: `log`, `file` or `file:notices.ndjson`. Out: a [`Channel`].
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
}

impl ChannelKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Log, Self::File];

    /// How it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::File => "file",
        }
    }

    /// Whether it has several places.
    #[must_use]
    pub fn takes_address(self) -> bool {
        match self {
            Self::Log => false,
            Self::File => true,
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
}

fn known() -> String {
    ChannelKind::ALL
        .map(|kind| format!("`{kind}`"))
        .join(" and ")
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
            address => Ok(Self {
                kind,
                address: address.map(str::to_owned),
            }),
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
        for text in ["log", "file", "file:a b.ndjson", "file:C:\\notices"] {
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
            "there is no channel `pager`, the channels are `log` and `file`"
        );
        assert_eq!(
            message("fil:x"),
            "there is no channel `fil`, the channels are `log` and `file`; did you mean `file`?"
        );
        assert_eq!(message("log:x"), "the channel `log` takes no address");
        let bad = "the address of the channel `file` has 1 to 2048 bytes and no control characters";
        assert_eq!(message("file:"), bad);
        assert_eq!(message("file: "), bad);
        assert_eq!(message("file:a\u{1b}"), bad);
        let edge = "x".repeat(ADDRESS_BYTES);
        assert!(Channel::parse(&format!("file:{edge}")).is_ok());
        assert_eq!(message(&format!("file:{edge}x")), bad);
    }
}
