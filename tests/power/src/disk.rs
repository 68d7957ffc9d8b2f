//! A disk that loses what was not synced.
//!
//! In: steps. Out: the files as they are after a loss of power behind the last of them.
//! Invariant: what was synced is there whatever else is lost. Of what was not, any part may be there:
//! sectors of 512 bytes one by one, and of the folder's changes the first so many.
//! Knows nothing of SQLite.

use std::collections::BTreeMap;

use crate::Step;

/// What is written wholly or not at all.
const SECTOR: usize = 512;

/// What is kept of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// All of it, as when only the process ended.
    All,
    /// What chance leaves, also torn writes.
    Some,
}

/// Files, and what of them would survive.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    /// The folder as it was synced.
    synced: BTreeMap<String, usize>,
    /// What happened to the folder since then.
    pending: Vec<(String, Option<usize>)>,
}

#[derive(Debug, Clone, Default)]
struct File {
    synced: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Disk {
    /// Lets a step happen.
    ///
    /// # Panics
    /// When it is one of a file that is not there.
    pub fn apply(&mut self, step: &Step) {
        match step {
            Step::Create { name } => {
                let number = self.files.len();
                self.files.push(File::default());
                self.names.insert(name.clone(), number);
                self.pending.push((name.clone(), Some(number)));
            }
            Step::Write { name, at, bytes } => {
                let change = Change::Write(*at, bytes.clone());
                self.file(name).pending.push(change);
            }
            Step::Truncate { name, length } => {
                self.file(name).pending.push(Change::Truncate(*length));
            }
            Step::Sync { name, with_folder } => {
                let file = self.file(name);
                for change in std::mem::take(&mut file.pending) {
                    change.apply(&mut file.synced, |_| true);
                }
                self.sync_folder(*with_folder);
            }
            Step::Delete { name, with_folder } => {
                self.names.remove(name);
                self.pending.push((name.clone(), None));
                self.sync_folder(*with_folder);
            }
            Step::Noted(_) => {}
        }
    }

    fn file(&mut self, name: &str) -> &mut File {
        let number = self.names.get(name);
        let number = *number.unwrap_or_else(|| panic!("`{name}` is not there"));
        &mut self.files[number]
    }

    fn sync_folder(&mut self, is_synced: bool) {
        if is_synced {
            self.synced = self.names.clone();
            self.pending.clear();
        }
    }

    /// The files by their names, as they are when the power is back.
    #[must_use]
    pub fn after_loss(&self, keep: Keep, random: &mut fastrand::Rng) -> BTreeMap<String, Vec<u8>> {
        let mut names = self.synced.clone();
        let done = match keep {
            Keep::Nothing => 0,
            Keep::All => self.pending.len(),
            Keep::Some => random.usize(0..=self.pending.len()),
        };
        for (name, number) in &self.pending[..done] {
            match number {
                Some(number) => drop(names.insert(name.clone(), *number)),
                None => drop(names.remove(name)),
            }
        }
        let files = names.into_iter();
        files
            .map(|(name, number)| (name, self.files[number].after_loss(keep, random)))
            .collect()
    }
}

impl File {
    fn after_loss(&self, keep: Keep, random: &mut fastrand::Rng) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in &self.pending {
            // Lost, torn or whole.
            match (keep, random.u8(0..3)) {
                (Keep::Nothing, _) | (Keep::Some, 0) => {}
                (Keep::Some, 1) => change.apply(&mut bytes, |_| random.bool()),
                (Keep::All, _) | (Keep::Some, _) => change.apply(&mut bytes, |_| true),
            }
        }
        bytes
    }
}

impl Change {
    /// Does it to a file, as far as its sectors arrive.
    fn apply(&self, file: &mut Vec<u8>, mut arrives: impl FnMut(usize) -> bool) {
        match self {
            Self::Truncate(length) => {
                if arrives(length / SECTOR) {
                    file.resize(*length, 0);
                }
            }
            Self::Write(at, bytes) => {
                let mut from = 0;
                while from < bytes.len() {
                    let sector = (at + from) / SECTOR;
                    let to = bytes.len().min((sector + 1) * SECTOR - at);
                    if arrives(sector) {
                        if file.len() < at + to {
                            file.resize(at + to, 0);
                        }
                        file[at + from..at + to].copy_from_slice(&bytes[from..to]);
                    }
                    from = to;
                }
            }
        }
    }
}
