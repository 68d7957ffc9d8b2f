//! A matrix as a revision of a git repository has it: `main:matrices/ops`.
//!
//! In: `REV:PATH` as a person gave it. Out: what a check of the files of that revision found; messages name
//! them as that person named them.
//! Invariant: imports come from the same revision and lie in the folder of the root file; nothing is written, not
//! even beside the repository; no text of a person is read by a shell or taken for an option.
//! Knows of git what its program says.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::shell::{Failure, Shell};
use crate::check::{Loaded, Options, ReadError, Reader, check};
use crate::files::{FilesError, shown, starts_matrix};
use crate::limits::Limits;
use crate::matrix::Matrix;

mod git;

use git::{Entry, Git};

/// `REV:PATH`.
struct Named<'a> {
    revision: &'a str,
    path: &'a str,
}

/// The two parts of a name that is no file here.
fn named(path: &Path) -> Option<Named<'_>> {
    if path == Path::new("-") || std::fs::symlink_metadata(path).is_ok() {
        return None;
    }
    let (revision, path) = path.to_str()?.split_once(':')?;
    Some(Named { revision, path })
}

/// The matrix at a path, or in a revision, with the bounds that hold beside it here.
pub(super) fn matrix(shell: &Shell, path: &Path) -> Result<(Arc<Matrix>, Limits), Failure> {
    let Some(named) = named(path) else {
        return shell.matrix(path);
    };
    let folder = Path::new(named.path);
    let folder = match folder.is_dir() {
        true => Some(folder),
        false => folder.parent().filter(|folder| folder.is_dir()),
    };
    let limits = shell.limits(folder)?;
    let options = Options {
        limits,
        today: Some(shell.now.date_naive()),
    };
    let loaded = load(&named, &options)?;
    Ok((shell.sound(loaded, path)?, options.limits))
}

fn load(named: &Named<'_>, options: &Options) -> Result<Loaded, Failure> {
    let Named { revision, path } = *named;
    let git = Git::here(revision)?;
    let place = git.place(path)?;
    let mut entries = git.entries(revision, &place)?;
    let is_file = entries.iter().any(|entry| entry.path == place);
    let whole = PathBuf::from(format!("{revision}:{path}"));
    let (folder, name, shown_folder) = if is_file {
        let (folder, name) = place.rsplit_once('/').unwrap_or(("", &place));
        entries = git.entries(revision, folder)?;
        let given = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        (folder.to_owned(), name.to_owned(), given)
    } else if entries.is_empty() {
        return Err(git.nothing_there(revision, path, &place));
    } else {
        let most = options.limits.file_bytes;
        let name = only_matrix(&git, &entries, &place, &whole, most)?;
        (place, name, path.trim_end_matches('/'))
    };
    let beside = match folder.as_str() {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    let files = entries.into_iter().filter_map(|entry| {
        let below = entry.path.strip_prefix(&beside)?.to_owned();
        Some((below, entry))
    });
    let revision = Revision {
        git: &git,
        shown: match shown_folder {
            "" => format!("{revision}:"),
            folder => format!("{revision}:{folder}/"),
        },
        files: files.collect(),
        most: options.limits.file_bytes,
        failed: RefCell::default(),
    };
    let loaded = check(&revision, &name, options);
    match revision.failed.into_inner() {
        // That git failed is no mistake of the matrix.
        Some(why) => Err(why),
        None => Ok(loaded),
    }
}

/// The one file of a folder that has a `matrix` block.
fn only_matrix(
    git: &Git,
    entries: &[Entry],
    folder: &str,
    shown: &Path,
    most: usize,
) -> Result<String, Failure> {
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| entry.is_file()) {
        let name = match folder {
            "" => Some(entry.path.as_str()),
            folder => entry
                .path
                .strip_prefix(folder)
                .and_then(|name| name.strip_prefix('/')),
        };
        let is_lane =
            |name: &&str| !name.contains('/') && !name.starts_with('.') && name.ends_with(".lane");
        let Some(name) = name.filter(is_lane) else {
            continue;
        };
        // One that is too large says so when it is read as the matrix.
        let text = git.text(entry, most)?.unwrap_or_default();
        if starts_matrix(text.as_slice())? {
            found.push(name.to_owned());
        }
    }
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(FilesError::NoMatrix {
            path: shown.to_owned(),
        }
        .into()),
        _ => Err(FilesError::SeveralMatrices {
            path: shown.to_owned(),
            files: found,
        }
        .into()),
    }
}

/// The folder of a root file, in a revision.
struct Revision<'g> {
    git: &'g Git,
    /// How messages show what lies in it: `main:ops/`.
    shown: String,
    /// What lies in it, by the path from there.
    files: BTreeMap<String, Entry>,
    most: usize,
    /// Why git could not give a text that it has.
    failed: RefCell<Option<Failure>>,
}

impl Reader for Revision<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let entry = self.files.get(path).ok_or(ReadError::NotFound)?;
        if entry.is_link() {
            let reason = "it is a link, and those of a revision are not followed";
            return Err(ReadError::Io(reason.to_owned()));
        }
        if !entry.is_file() {
            return Err(ReadError::Io("it is not a regular file".to_owned()));
        }
        match self.git.text(entry, self.most) {
            Ok(Some(text)) => Ok(text),
            Ok(None) => Err(ReadError::TooLarge {
                bytes: self.most as u64 + 1,
            }),
            Err(failure) => {
                let reason = failure.to_string();
                self.failed.borrow_mut().get_or_insert(failure);
                Err(ReadError::Io(reason))
            }
        }
    }

    fn display(&self, path: &str) -> String {
        shown(Path::new(&format!("{}{path}", self.shown)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_revision_before_the_first_colon() {
        let parts = |text: &'static str| {
            let Named { revision, path } = named(Path::new(text))?;
            Some((revision, path))
        };
        assert_eq!(parts("main:ops"), Some(("main", "ops")));
        assert_eq!(parts(":ops/a.lane"), Some(("", "ops/a.lane")));
        assert_eq!(parts("HEAD~1:a:b"), Some(("HEAD~1", "a:b")));
        assert_eq!(parts("ops"), None);
        assert_eq!(parts("-"), None);
    }
}
