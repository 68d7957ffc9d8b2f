//! Matrices by which escalations were opened (rule 9): their sources, and how to read them again.
//!
//! In: a matrix, or the source of one from a store. Out: the source, or the matrix.
//! Invariant: what is read has the digest that it was stored under.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::DeskError;
use crate::check::{Loaded, Options, check};
use crate::limits::Limits;
use crate::matrix::Matrix;

/// Matrices that were read lately.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Vec<(String, Arc<Matrix>)>>);

/// Matrices that are kept ready. A pending escalation is touched rarely, and few matrices are pinned
/// at one time.
const READY: usize = 8;

#[derive(Debug, Serialize, Deserialize)]
struct Source {
    root: String,
    files: BTreeMap<String, String>,
}

/// The source of a matrix, with all its files, as a store keeps it.
#[must_use]
pub fn source_of(matrix: &Matrix) -> String {
    serde_json::to_string(&Source::of(matrix)).unwrap_or_default()
}

/// Checks a matrix that loaded once more, for what there is to know of it.
#[must_use]
pub fn check_again(matrix: &Matrix, options: &Options) -> Loaded {
    let source = Source::of(matrix);
    check(&source.files, &source.root, options)
}

impl Source {
    fn of(matrix: &Matrix) -> Self {
        let mut sources = matrix.sources.iter().map(|(_, source)| source);
        let root = sources.next();
        let shown = root.map_or("", |root| root.name());
        let (folder, name) = match shown.rfind(['/', '\\']) {
            Some(end) => shown.split_at(end + 1),
            None => ("", shown),
        };
        let mut files = BTreeMap::new();
        files.insert(
            name.to_owned(),
            root.map_or(String::new(), |root| root.text().to_owned()),
        );
        for source in sources {
            let path = source.name().strip_prefix(folder).unwrap_or(source.name());
            files.insert(path.to_owned(), source.text().to_owned());
        }
        Self {
            root: name.to_owned(),
            files,
        }
    }
}

impl Cache {
    /// A matrix that is ready.
    pub(super) fn get(&self, digest: &str) -> Option<Arc<Matrix>> {
        let ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = ready.iter().find(|(known, _)| known == digest);
        found.map(|(_, matrix)| Arc::clone(matrix))
    }

    /// Keeps one ready.
    pub(super) fn put(&self, matrix: &Arc<Matrix>) {
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.iter().any(|(known, _)| *known == matrix.digest) {
            return;
        }
        if ready.len() >= READY {
            ready.remove(0);
        }
        ready.push((matrix.digest.clone(), Arc::clone(matrix)));
    }

    /// Reads one from its source.
    pub(super) fn read(
        &self,
        digest: &str,
        source: &str,
        limits: &Limits,
    ) -> Result<Arc<Matrix>, DeskError> {
        let matrix = parse(digest, source, limits).map_err(|why| DeskError::Matrix {
            digest: digest.to_owned(),
            why,
        })?;
        self.put(&matrix);
        Ok(matrix)
    }
}

fn parse(digest: &str, source: &str, limits: &Limits) -> Result<Arc<Matrix>, String> {
    let source: Source = serde_json::from_str(source).map_err(|error| error.to_string())?;
    let options = Options {
        limits: limits.clone(),
        // What was valid when it opened is not made invalid by the calendar.
        today: None,
    };
    let loaded = check(&source.files, &source.root, &options);
    let matrix = loaded.into_matrix().map_err(|error| error.to_string())?;
    match matrix.digest == digest {
        true => Ok(matrix),
        false => Err(format!("its source has the digest `{}`", matrix.digest)),
    }
}
