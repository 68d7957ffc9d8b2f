//! A matrix that changes while the service runs.
//!
//! In: the files on the disk, as they are now. Out: a matrix that is staged with what is different about it, and
//! that decides when somebody says so.
//! Invariant: what decides changes as a whole or not at all; a file that cannot be read changes nothing, and is
//! said; what is applied is what was shown, where a digest is named.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use similar::TextDiff;

use super::app::{App, load, locked};
use super::openid::SignOn;
use crate::engine;
use crate::files::Root;
use crate::files::config::{self, Config};
use crate::matrix::Matrix;

/// What is on the disk and does not decide yet.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) matrix: Arc<Matrix>,
    config: Config,
    /// The difference of the texts, in the form of `diff -u`.
    pub(super) diff: String,
}

/// What was seen on the disk.
#[derive(Debug, Default)]
pub(super) struct Disk {
    staged: Mutex<Option<Arc<Staged>>>,
    stamps: Mutex<Option<Vec<Stamp>>>,
}

/// How a file looked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
}

impl Stamp {
    fn of(path: &Path) -> Self {
        let seen = std::fs::metadata(path).ok();
        let seen = seen.and_then(|it| Some((it.modified().ok()?, it.len())));
        Self {
            path: path.to_owned(),
            seen,
        }
    }
}

/// Bytes of a difference that are shown.
const DIFF: usize = 256 * 1024;

impl App {
    /// What is staged.
    pub(super) fn staged(&self) -> Option<Arc<Staged>> {
        locked(&self.disk.staged).clone()
    }

    /// Reads the matrix and the configuration again, and lets them decide. What cannot be read changes
    /// nothing. Where a digest is named, another matrix than that one is refused.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub fn reload(&self, digest: Option<&str>) -> Result<Arc<Matrix>, String> {
        self.look()?;
        let Some(staged) = self.staged() else {
            let deciding = self.deciding().ok_or("nothing is to be read")?;
            return Ok(deciding.router.matrix());
        };
        if digest.is_some_and(|digest| digest != staged.matrix.digest) {
            return Err(format!(
                "the matrix on the disk is another one now, {}; look at it again",
                staged.matrix.digest
            ));
        }
        let now = self.desk.now().map_err(|error| error.to_string())?.at;
        self.decide_by(&staged.matrix, &staged.config, now)?;
        self.desk.set(engine::settings(&staged.config));
        self.set_config(staged.config.clone());
        *locked(&self.disk.staged) = None;
        tracing::info!("the matrix {} decides now", staged.matrix.digest);
        Ok(Arc::clone(&staged.matrix))
    }

    /// Looks at the disk if anything on it changed; where the configuration says so, what is new decides at
    /// once.
    pub(super) fn watch_disk(&self) {
        let seen = locked(&self.disk.stamps).clone();
        if let Some(seen) = seen {
            let now: Vec<Stamp> = seen.iter().map(|stamp| Stamp::of(&stamp.path)).collect();
            if now == seen {
                return;
            }
        }
        let looked = self.look();
        if looked.is_ok() && self.staged().is_some() && self.config().server.reload_auto {
            // What is wrong was said.
            let _ = self.reload(None);
        }
    }

    /// Reads what is on the disk, and stages it where it differs from what decides.
    fn look(&self) -> Result<(), String> {
        let read = self.read();
        if let Err(why) = &read
            && self.trouble().as_ref() != Some(why)
        {
            tracing::error!("{why}; what decided goes on");
        }
        self.set_trouble(read.as_ref().err().cloned());
        let (matrix, config) = read?;
        let before = self.deciding().map(|it| it.router.matrix());
        let is_same = before.as_ref().is_some_and(|it| it.digest == matrix.digest)
            && *self.config() == config;
        let staged = (!is_same).then(|| {
            let diff = before.map_or_else(String::new, |before| diff(&before, &matrix));
            Arc::new(Staged {
                matrix,
                config,
                diff,
            })
        });
        *locked(&self.disk.staged) = staged;
        Ok(())
    }

    fn read(&self) -> Result<(Arc<Matrix>, Config), String> {
        let root = Root::open(&self.started.matrix).map_err(|error| error.to_string())?;
        let named = self.started.config.clone();
        let beside = root.folder().unwrap_or(Path::new(".")).join(config::NAME);
        let toml = named.as_deref().unwrap_or(&beside);
        let mut stamps = vec![Stamp::of(&self.started.matrix), Stamp::of(toml)];
        let config = config::read(named.as_deref(), root.folder());
        let loaded = match config {
            Err(error) => Err(error.to_string()),
            Ok(mut config) => {
                self.settle(&mut config);
                let today = self.desk.now().map_err(|error| error.to_string())?.at;
                let checked = SignOn::check(&config).map_err(|error| error.to_string());
                let loaded = checked.and_then(|()| load(&root, &config, today));
                loaded.map(|matrix| (matrix, config))
            }
        };
        for name in root.names() {
            if let Some(path) = root.path_of(&name) {
                stamps.push(Stamp::of(&path));
            }
        }
        *locked(&self.disk.stamps) = Some(stamps);
        loaded
    }
}

/// The difference of two matrices, file by file.
fn diff(before: &Matrix, after: &Matrix) -> String {
    let mut text = String::new();
    let old = |name: &str| {
        let mut files = before.sources.iter();
        files.find(|(_, source)| source.name() == name)
    };
    for (_, source) in after.sources.iter() {
        let was = old(source.name()).map_or("", |(_, source)| source.text());
        if was == source.text() {
            continue;
        }
        let diff = TextDiff::from_lines(was, source.text());
        let mut unified = diff.unified_diff();
        let unified = unified.header(source.name(), source.name());
        text.push_str(&unified.to_string());
    }
    for (_, source) in before.sources.iter() {
        let is_gone = after
            .sources
            .iter()
            .all(|(_, it)| it.name() != source.name());
        if is_gone {
            text.push_str(&format!("--- {}\n(not there any more)\n", source.name()));
        }
    }
    if text.len() > DIFF {
        let mut end = DIFF;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("\n(cut)\n");
    }
    text
}
