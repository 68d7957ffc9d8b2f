//! Windows in the files of one folder.
//!
//! In: logs and snapshots as bytes. Out: the last snapshot, and the logs behind it.
//! Invariant: a snapshot is there as a whole or not at all, and what it does not have is in the logs.
//! One process has the folder at a time. Only its owner may read the files.
//!
//! `snapshot-P` holds what was counted before position P, `log-P` what was counted from there on.
//! `lossy` says that something could not be kept. `boot` says in which run of the machine the log was
//! written, if it was not closed: bytes that were written survive the end of the process, but not that
//! of the machine, unless each is waited for ([`Durability::Machine`]).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::measure::{Keeper, Kept};

/// What an event that was counted survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The end of the process, however it comes. After a loss of power windows are lower bounds.
    #[default]
    Process,
    /// A loss of power as well. Each decision waits for the disk.
    Machine,
}

/// Windows in a folder.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
    durability: Durability,
    log: Mutex<Option<File>>,
    /// While it is open the folder is this process's.
    _lock: File,
}

const LOG: &str = "log-";
const SNAPSHOT: &str = "snapshot-";
const LOSSY: &str = "lossy";
const BOOT: &str = "boot";
const CLOSED: &str = "closed";

impl FileStore {
    /// Opens a folder, and makes it if it is not there.
    ///
    /// # Errors
    /// When it cannot be made or written, or another process has it.
    pub fn open(folder: &Path, durability: Durability) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = lock(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            durability,
            log: Mutex::new(None),
            _lock: lock,
        })
    }

    /// The files of a name with a position, the earliest first.
    fn positions(&self, name: &str) -> io::Result<Vec<u64>> {
        let mut positions = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let file = entry?.file_name();
            let position = file.to_str().and_then(|file| file.strip_prefix(name));
            positions.extend(position.and_then(|position| position.parse::<u64>().ok()));
        }
        positions.sort_unstable();
        Ok(positions)
    }

    fn path(&self, name: &str, position: u64) -> PathBuf {
        // Twenty digits hold every position, so that names are in their order.
        self.folder.join(format!("{name}{position:020}"))
    }

    /// Puts a small file in its place at once.
    fn put(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.folder.join(name);
        let new = self.folder.join(format!("{name}.new"));
        let mut file = create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        self.sync_folder()
    }

    /// Makes names durable.
    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    /// Whether the machine may have gone down since the log was written, and not by a close of the
    /// store: where the system does not say which run of it this is, that is so after every crash.
    fn lost_power(&self) -> bool {
        let noted = fs::read_to_string(self.folder.join(BOOT)).unwrap_or_default();
        let is_this_run = !noted.is_empty() && noted == boot();
        noted != CLOSED && !is_this_run && self.durability == Durability::Process
    }

    /// Everything is on the disk.
    fn close(&self) -> io::Result<()> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = &*log {
            log.sync_all()?;
            self.put(BOOT, CLOSED)?;
        }
        Ok(())
    }
}

impl Drop for FileStore {
    fn drop(&mut self) {
        // What is not closed is taken for what it may be when it is opened again.
        let _ = self.close();
    }
}

impl Keeper for FileStore {
    fn load(&self) -> io::Result<Option<Kept>> {
        let snapshot = self.positions(SNAPSHOT)?.pop();
        let logs = self.positions(LOG)?;
        let mut is_lossy = self.folder.join(LOSSY).exists();
        if snapshot.is_none() && logs.is_empty() && !is_lossy {
            return Ok(None);
        }
        if self.lost_power() {
            // Before the next log begins, which says by which run of the machine it is written.
            self.put(LOSSY, "")?;
            is_lossy = true;
        }
        let mut kept = Kept {
            snapshot: snapshot
                .map(|position| fs::read(self.path(SNAPSHOT, position)))
                .transpose()?,
            logs: Vec::new(),
            is_lossy,
        };
        let from = snapshot.unwrap_or(0);
        for position in logs.into_iter().filter(|position| *position >= from) {
            kept.logs
                .push((position, fs::read(self.path(LOG, position))?));
        }
        // A snapshot takes the place of the logs before it, and one behind it begins where it ends.
        kept.is_lossy |= kept.logs.first().is_none_or(|(start, _)| *start != from);
        Ok(Some(kept))
    }

    fn begin(&self, position: u64, head: &[u8]) -> io::Result<()> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.is_none() {
            self.put(BOOT, &boot())?;
        }
        let mut file = create(&self.path(LOG, position))?;
        file.write_all(head)?;
        // Others wait meanwhile: only who asks for it waits for the disk.
        if self.durability == Durability::Machine {
            file.sync_all()?;
            self.sync_folder()?;
        }
        *log = Some(file);
        Ok(())
    }

    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let log = log.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        log.write_all(bytes)?;
        match self.durability {
            Durability::Process => Ok(()),
            Durability::Machine => log.sync_data(),
        }
    }

    fn snapshot(&self, position: u64, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> io::Result<()> {
        let new = self.folder.join("snapshot.new");
        let mut file = io::BufWriter::with_capacity(1 << 20, create(&new)?);
        for piece in pieces {
            file.write_all(&piece)?;
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&new, self.path(SNAPSHOT, position))?;
        self.sync_folder()?;
        for name in [SNAPSHOT, LOG] {
            for old in self.positions(name)? {
                if old < position {
                    fs::remove_file(self.path(name, old))?;
                }
            }
        }
        Ok(())
    }

    fn lose(&self) {
        let lossy = self.folder.join(LOSSY);
        // Where there is no room for another file, one that is there stands for it.
        if !lossy.exists() && self.put(LOSSY, "").is_err() {
            let _ = fs::rename(self.folder.join(BOOT), lossy);
        }
    }

    fn mend(&self) -> io::Result<()> {
        match fs::remove_file(self.folder.join(LOSSY)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The lock of a folder: it is this process's while the lock is open.
pub(super) fn lock(folder: &Path) -> io::Result<File> {
    let lock = create(&folder.join("lock"))?;
    take(&lock).map_err(|_| {
        let message = format!("`{}` is in use by another process", folder.display());
        io::Error::new(io::ErrorKind::ResourceBusy, message)
    })?;
    Ok(lock)
}

/// Takes a lock, with some patience: a process that this one starts has its open files for the moment
/// until it is what it is to be, so that a lock that was just given up may still be held.
fn take(lock: &File) -> Result<(), fs::TryLockError> {
    const TRIES: u32 = 20;
    const PAUSE: Duration = Duration::from_millis(25);
    for _ in 1..TRIES {
        if lock.try_lock().is_ok() {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    lock.try_lock()
}

/// A file that only its owner may read, also where there was one that others could.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let file = options.mode(0o600).open(path)?;
        // A pipe or a device has no owner that this could mean.
        if file.metadata()?.is_file() {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}

/// Which run of the machine it is; nothing where the system does not say.
fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map_or_else(|_| String::new(), |id| id.trim().to_owned())
}
