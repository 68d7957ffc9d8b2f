//! `laneway.toml`: what an operator sets beside a matrix.
//!
//! In: the file named with `--config`, or the one beside the matrix, or the one in the current
//! folder. Out: a [`Config`]; every part has a default.
//! Invariant: an unknown key is an error, so that a misspelt bound is not a bound that is not there.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::shown;
use crate::limits::Limits;
use crate::measure::{Counts, Sources};

/// The name of the file.
pub const NAME: &str = "laneway.toml";

/// Bytes of a configuration. Nobody writes a longer one by hand.
const BYTES: u64 = 1 << 20;

/// Offsets in a file are 32 bits wide, so a file bound above this could not be kept.
const FILE_BYTES: usize = i32::MAX as usize;

/// What an operator sets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The bounds of the engine.
    pub limits: Limits,
    /// The sources of events that are trusted with the time, and how late theirs may be.
    pub sources: Sources,
    /// What counts in windows, and for whom.
    pub measures: Counts,
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error("`{}` cannot be read: {reason}", shown(path))]
    Unreadable {
        /// The file as it was named.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// It is not what a configuration looks like.
    #[error("{}:{line}:{column}: {message}", shown(path))]
    Invalid {
        /// The file as it was named.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

/// Reads the configuration: the named file, else the one in the matrix's folder, else the one in
/// the current folder, else the defaults.
///
/// # Errors
/// When the named file is not there, or a file is not a valid configuration.
pub fn read(named: Option<&Path>, folder: Option<&Path>) -> Result<Config, ConfigError> {
    match named {
        Some(path) => parse(path, &text(path)?),
        None => [folder, Some(Path::new(""))]
            .into_iter()
            .flatten()
            .map(|folder| folder.join(NAME))
            .find(|path| path.exists())
            .map_or_else(|| Ok(Config::default()), |path| parse(&path, &text(&path)?)),
    }
}

fn text(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |reason: String| ConfigError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let bytes = super::read(path, BYTES).map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))
}

fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let invalid = |at: usize, message: String| {
        let before = text.get(..at).unwrap_or_default();
        let last = before.rsplit('\n').next().unwrap_or_default();
        ConfigError::Invalid {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: last.chars().count() + 1,
            message,
        }
    };
    let config: Config = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        invalid(at, error.message().replace('\n', ", "))
    })?;
    if config.limits.file_bytes > FILE_BYTES {
        let at = text.find("file_bytes").unwrap_or(0);
        return Err(invalid(at, format!("`file_bytes` is at most {FILE_BYTES}")));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(Path::new("laneway.toml"), text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn bounds_are_read_and_the_rest_stays() {
        let config = parse(Path::new("x"), "[limits]\nlanes = 7\n").unwrap();
        assert_eq!(config.limits.lanes, 7);
        assert_eq!(config.limits.nesting, Limits::default().nesting);
    }

    #[test]
    fn sources_are_read() {
        let text = "[sources.billing]\ntrusted = true\nlateness = \"5m\"\n";
        let sources = parse(Path::new("x"), text).unwrap().sources;
        let billing = sources.source("billing");
        assert!(billing.trusted && billing.lateness.to_string() == "5m");
        assert!(!sources.source("other").trusted);
        let wrong = message("[sources.billing]\ntrust = true\n");
        assert!(wrong.contains("unknown field `trust`"), "{wrong}");
    }

    #[test]
    fn a_mistake_is_shown_with_its_line() {
        let unknown = message("[limits]\nlanes = 7\n  lane = 7\n");
        assert!(
            unknown.starts_with("laneway.toml:3:3: unknown field `lane`"),
            "{unknown}"
        );
        let negative = message("[limits]\nlanes = -7\n");
        assert!(negative.starts_with("laneway.toml:2:9: "), "{negative}");
        let syntax = message("[limits\n");
        assert!(syntax.starts_with("laneway.toml:1:8: "), "{syntax}");
        let wide = message("[limits]\nfile_bytes = 4000000000\n");
        assert!(
            wide.starts_with("laneway.toml:2:1: `file_bytes` is at most"),
            "{wide}"
        );
    }
}
