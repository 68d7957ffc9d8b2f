//! What is logged of decisions: `[decisions]`.
//!
//! In: this table. Out: the folder of a log with its settings.
//! Invariant: the table alone turns the log on; no setting makes a log that keeps nothing.
//! Knows nothing of how a log is written, nor of what is taken out of it: that is `redact` of
//! `[escalations]`, so that what is hidden in one place does not lie open in the other.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::ConfigError;
use super::source::Source;
use crate::store::decisions::{Sample, Settings};

/// The name of the folder where none is set.
const LOG: &str = "decisions";

/// Where decisions are logged, and which.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decisions {
    /// The folder of the log.
    pub log: PathBuf,
    /// Which are logged, and how long they are kept.
    pub settings: Settings,
}

/// `[decisions]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DecisionsTable {
    log: Option<Spanned<String>>,
    sample: Sample,
    rotate_bytes: Option<Spanned<u64>>,
    keep_files: Option<Spanned<usize>>,
}

impl DecisionsTable {
    pub(super) fn read(self, source: &Source) -> Result<Decisions, ConfigError> {
        let mut settings = Settings {
            sample: self.sample,
            ..Settings::default()
        };
        if let Some(bytes) = self.rotate_bytes {
            if *bytes.get_ref() == 0 {
                return Err(source.wrong(bytes.span(), "`rotate_bytes` is at least 1"));
            }
            settings.rotate_bytes = bytes.into_inner();
        }
        if let Some(files) = self.keep_files {
            if *files.get_ref() == 0 {
                return Err(source.wrong(files.span(), "`keep_files` is at least 1"));
            }
            settings.keep_files = files.into_inner();
        }
        let log = match self.log {
            Some(log) => source.beside(&log)?,
            None => source.sibling(LOG),
        };
        Ok(Decisions { log, settings })
    }
}
