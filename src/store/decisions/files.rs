//! Files of lines that end by size and by day, of which so many are kept.
//!
//! In: lines, and the instant of each. Out: files whose names sort in the order in which they were
//! written, also where the clock went back.
//! Invariant: a file ends with a whole line: what was written of a line before a failure is cut off, or
//! stays the end of its file until that is opened again. No file is dropped but the oldest.
//! Knows nothing of what is in a line.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use chrono::NaiveDate;

use super::Settings;
use crate::clock::Timestamp;
use crate::limits::{LOG_BUFFER_BYTES, LOG_HELD};
use crate::store::file;

/// What makes files. There is one of it but in tests.
pub(super) trait Disk: fmt::Debug + Send {
    /// Makes a file that was not there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>>;
}

/// A file that is written.
pub(super) trait Output: Write + fmt::Debug + Send {
    /// Cuts what stands behind so many bytes.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
    /// Waits for the disk.
    fn sync(&self) -> io::Result<()>;
}

/// The file system.
#[derive(Debug)]
pub(super) struct Folder;

impl Disk for Folder {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        Ok(Box::new(file::create(path)?))
    }
}

impl Output for File {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)?;
        self.seek(SeekFrom::Start(bytes))?;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }
}

/// The place of a file among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    day: NaiveDate,
    number: u32,
}

const PREFIX: &str = "decisions-";
const SUFFIX: &str = ".ndjson";

impl Name {
    fn read(name: &str) -> Option<Self> {
        let name = name.strip_prefix(PREFIX)?;
        // An operator may have packed old ones.
        let name = name
            .strip_suffix(".gz")
            .or(name.strip_suffix(".zst"))
            .unwrap_or(name);
        let (day, number) = name.strip_suffix(SUFFIX)?.rsplit_once('-')?;
        Some(Self {
            day: day.parse().ok()?,
            number: number.parse().ok()?,
        })
    }
}

impl Name {
    /// Whether all that is in it was written on a later day.
    pub(super) fn begins_after(self, instant: Timestamp) -> bool {
        self.day > instant.date_naive()
    }
}

/// A place between two lines of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(super) name: Name,
    pub(super) offset: u64,
}

impl Place {
    pub(super) fn is_in(self, name: Name) -> bool {
        self.name == name
    }

    /// Reads what a place was written as; nothing for another text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, offset) = text.split_once(':')?;
        Some(Self {
            name: Name::read(&format!("{PREFIX}{name}{SUFFIX}"))?,
            offset: offset.parse().ok()?,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Name { day, number } = self.name;
        write!(f, "{day}-{number:06}:{}", self.offset)
    }
}

/// The files of a folder from a place on, the newest first.
pub(super) struct NewestFirst(Vec<(Name, PathBuf)>);

impl NewestFirst {
    pub(super) fn of(folder: &Path, from: Option<Place>) -> io::Result<Self> {
        let mut names = names(folder)?;
        names.retain(|(name, _)| from.is_none_or(|from| *name <= from.name));
        Ok(Self(names))
    }
}

impl Iterator for NewestFirst {
    type Item = (Name, PathBuf);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.pop()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Six digits hold what a day can need, so that names are in their order.
        write!(f, "{PREFIX}{}-{:06}{SUFFIX}", self.day, self.number)
    }
}

/// The files of a decision log, the oldest first; packed ones too.
///
/// # Errors
/// When the folder cannot be read.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(names(folder)?.into_iter().map(|(_, path)| path).collect())
}

fn names(folder: &Path) -> io::Result<Vec<(Name, PathBuf)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().and_then(Name::read);
        names.extend(name.map(|name| (name, entry.path())));
    }
    names.sort();
    Ok(names)
}

/// The files, of which the last one is written.
#[derive(Debug)]
pub(super) struct Files {
    disk: Box<dyn Disk>,
    folder: PathBuf,
    rotate_bytes: u64,
    keep: usize,
    /// The newest file that there was.
    last: Option<Name>,
    current: Option<Current>,
    held: Held,
    /// The file before, while the disk takes it.
    ending: Option<JoinHandle<io::Result<()>>>,
    problem: Option<String>,
}

#[derive(Debug)]
struct Current {
    output: Box<dyn Output>,
    bytes: u64,
}

/// Lines that are not written yet.
#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    lines: u64,
    since: Option<Timestamp>,
}

impl Files {
    /// Goes on where the last file ended, and begins one if it cannot. Says how many lines at its end
    /// were cut off.
    pub(super) fn open(
        disk: Box<dyn Disk>,
        folder: &Path,
        settings: &Settings,
        now: Timestamp,
    ) -> io::Result<(Self, u64)> {
        let mut names = names(folder)?;
        let newest = names.pop();
        let mut files = Self {
            disk,
            folder: folder.to_owned(),
            rotate_bytes: settings.rotate_bytes,
            keep: settings.keep_files.max(1),
            last: newest.as_ref().map(|(name, _)| *name),
            current: None,
            held: Held::default(),
            ending: None,
            problem: None,
        };
        let mut cut = 0;
        if let Some((name, path)) = newest
            && is_plain(&path)
        {
            let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
            let (bytes, was_cut) = mend(&mut file)?;
            cut = u64::from(was_cut);
            if name.day >= now.date_naive() && bytes < settings.rotate_bytes {
                let output = Box::new(file);
                files.current = Some(Current { output, bytes });
            }
        }
        // The one before may have been on its way to the disk when the power went.
        if let Some((_, path)) = names.pop()
            && is_plain(&path)
        {
            match mend_at(&path) {
                Ok(was_cut) => cut += u64::from(was_cut),
                // What was logged before is no reason not to log.
                Err(error) => files.note(&Err(error)),
            }
        }
        if files.current.is_none() {
            files.begin(now.date_naive())?;
        }
        Ok((files, cut))
    }

    /// Takes a line. Returns how many lines were lost.
    pub(super) fn push(&mut self, line: &[u8], now: Timestamp) -> u64 {
        let mut lost = 0;
        let written = self.current.as_ref().map_or(0, |current| current.bytes);
        let bytes = written + (self.held.bytes.len() + line.len()) as u64;
        let is_full = bytes > self.rotate_bytes && bytes > line.len() as u64;
        let day = now.date_naive();
        if is_full || self.last.is_none_or(|last| day > last.day) {
            lost += self.flush();
            // A failure to end a file is none to begin the next.
            let ended = self.end();
            self.note(&ended);
            let begun = self.begin(day);
            self.note(&begun);
        }
        self.held.bytes.extend_from_slice(line);
        self.held.lines += 1;
        let since = *self.held.since.get_or_insert(now);
        if self.held.bytes.len() >= LOG_BUFFER_BYTES || now - since >= LOG_HELD.to_chrono() {
            lost += self.flush();
        }
        lost
    }

    /// Writes what is held. Returns how many lines were lost.
    pub(super) fn flush(&mut self) -> u64 {
        if self.held.lines == 0 {
            return 0;
        }
        let mut held = std::mem::take(&mut self.held);
        let written = self.write(&held.bytes);
        self.note(&written);
        held.bytes.clear();
        self.held.bytes = held.bytes;
        match written {
            Ok(()) => {
                self.problem = None;
                0
            }
            Err(_) => held.lines,
        }
    }

    /// Where they are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Why the last thing that failed did.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Everything is on the disk.
    pub(super) fn close(&mut self) -> u64 {
        let lost = self.flush();
        let ended = self.end().and(self.ended());
        self.note(&ended);
        lost
    }

    fn note(&mut self, result: &io::Result<()>) {
        if let Err(error) = result {
            self.problem = Some(error.to_string());
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.current.is_none() {
            let day = self.last.map(|last| last.day);
            self.begin(day.unwrap_or_default())?;
        }
        let current = self.current.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let written = current.output.write_all(bytes);
        match &written {
            Ok(()) => current.bytes += bytes.len() as u64,
            // What is left of a line must not stand before the next one.
            Err(_) if current.output.cut(current.bytes).is_err() => self.current = None,
            Err(_) => {}
        }
        written
    }

    /// Ends the file that is written. Who decides does not wait for the disk to take all of it, unless it has
    /// not taken the one before.
    fn end(&mut self) -> io::Result<()> {
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        let before = self.ended();
        let thread = std::thread::Builder::new().name("laneway-log-end".to_owned());
        let ending = thread.spawn(move || current.output.sync())?;
        self.ending = Some(ending);
        before
    }

    /// Waits until the disk has the file before.
    fn ended(&mut self) -> io::Result<()> {
        let ended = self.ending.take().map(JoinHandle::join);
        let broken = |_| Err(io::Error::other("the end of a file was not waited for"));
        ended.map_or(Ok(()), |ended| ended.unwrap_or_else(broken))
    }

    /// Begins the next file, and drops the oldest.
    fn begin(&mut self, day: NaiveDate) -> io::Result<()> {
        let name = match self.last {
            // A clock that went back changes nothing in the order of files.
            Some(last) if last.day >= day => Name {
                day: last.day,
                number: last.number + 1,
            },
            _ => Name { day, number: 1 },
        };
        let output = self.disk.create(&self.folder.join(name.to_string()))?;
        self.last = Some(name);
        self.current = Some(Current { output, bytes: 0 });
        // What is too much is no reason not to write.
        let dropped = self.drop_old();
        self.note(&dropped);
        Ok(())
    }

    fn drop_old(&self) -> io::Result<()> {
        let names = names(&self.folder)?;
        let old = names.len().saturating_sub(self.keep);
        let mut old = names.iter().take(old);
        old.try_for_each(|(_, path)| fs::remove_file(path))
    }
}

/// Whether a file is as it was written: an operator may have packed it.
fn is_plain(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "ndjson")
}

/// Mends a file that nobody writes any more, and waits until the disk has it. Whether something was cut off.
fn mend_at(path: &Path) -> io::Result<bool> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let (_, was_cut) = mend(&mut file)?;
    file.sync_all()?;
    Ok(was_cut)
}

/// Cuts off a last line without its line break. Returns the bytes of the file, and whether there was
/// one.
fn mend(file: &mut File) -> io::Result<(u64, bool)> {
    const CHUNK: u64 = 64 << 10;
    let all = file.metadata()?.len();
    let mut end = all;
    while end > 0 {
        let start = end.saturating_sub(CHUNK);
        file.seek(SeekFrom::Start(start))?;
        let mut chunk = Vec::new();
        Read::by_ref(file)
            .take(end - start)
            .read_to_end(&mut chunk)?;
        if let Some(at) = memchr::memrchr(b'\n', &chunk) {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    if end < all {
        file.set_len(end)?;
    }
    file.seek(SeekFrom::Start(end))?;
    Ok((end, end < all))
}
