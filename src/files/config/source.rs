//! A text of a configuration, for the places of mistakes.
//!
//! In: an offset and what is wrong there. Out: a [`ConfigError`] with its line and column.
//! Invariant: a message does not act on a terminal, whatever the text holds.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::ConfigError;
use crate::files::shown;

/// Where something stands in a file, for mistakes that only its use shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    path: PathBuf,
    line: usize,
    column: usize,
}

impl Place {
    /// A mistake there.
    #[must_use]
    pub fn wrong(&self, message: impl Display) -> ConfigError {
        ConfigError::Invalid {
            path: self.path.clone(),
            line: self.line,
            column: self.column,
            message: shown(Path::new(&message.to_string())),
        }
    }
}

/// A file with its text.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    pub(super) fn new(path: &Path, text: String) -> Self {
        Self {
            path: path.to_owned(),
            text,
        }
    }

    /// Reads a file of at most so many bytes.
    pub(super) fn read(path: &Path, most: u64) -> Result<Self, ConfigError> {
        let unreadable = |reason: String| ConfigError::Unreadable {
            path: path.to_owned(),
            reason,
        };
        let bytes =
            crate::files::read(path, most).map_err(|error| unreadable(error.to_string()))?;
        let text =
            String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
        Ok(Self::new(path, text))
    }

    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        toml::from_str(&self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.invalid(at, error.message().replace('\n', ", "))
        })
    }

    /// The path of a file that is named in this one: beside it.
    pub(super) fn beside(&self, name: &Spanned<String>) -> Result<PathBuf, ConfigError> {
        let text = name.get_ref();
        // `-` is standard input elsewhere.
        if text.trim().is_empty() || text == "-" || text.contains('\0') {
            return Err(self.wrong(name.span(), "this names no file"));
        }
        Ok(self.sibling(text))
    }

    /// A path as seen from the folder of this file.
    pub(super) fn sibling(&self, name: &str) -> PathBuf {
        let folder = self.path.parent().unwrap_or_else(|| Path::new(""));
        folder.join(name)
    }

    /// An address or a network.
    pub(super) fn network(&self, text: &Spanned<String>) -> Result<IpNet, ConfigError> {
        let net = text.get_ref().parse::<IpNet>();
        let net = net.or_else(|_| text.get_ref().parse::<IpAddr>().map(IpNet::from));
        let message = "an address, or a network such as `10.0.0.0/8`";
        net.map_err(|_| self.wrong(text.span(), message))
    }

    /// Where an offset is.
    pub(super) fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or_default();
        let last = before.rsplit('\n').next().unwrap_or_default();
        Place {
            path: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: last.chars().count() + 1,
        }
    }

    /// A mistake at an offset.
    pub(super) fn invalid(&self, at: usize, message: impl Display) -> ConfigError {
        self.place(at).wrong(message)
    }

    /// A mistake at the beginning of a span.
    pub(super) fn wrong(&self, span: Range<usize>, message: impl Display) -> ConfigError {
        self.invalid(span.start, message)
    }

    /// Where a word stands first, for a setting whose place is not kept.
    pub(super) fn find(&self, word: &str) -> usize {
        self.text.find(word).unwrap_or(0)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
