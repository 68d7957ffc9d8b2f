//! Where a stream of events comes from: a file or standard input, packed or not.
//!
//! In: a path, or `-`. Out: bytes, and how many of the file they took.
//! Invariant: gzip and zstd are known by their first bytes and not by a name; data that is cut off
//! or damaged is an error that says so, and never a shorter stream.
//! Must not know what a line or an event is.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use crate::cli::shell::Failure;
use crate::files::shown;

#[cfg(feature = "parquet")]
use super::parquet;

/// The first bytes of gzip (RFC 1952, 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The first bytes of zstd (RFC 8878, 3.1.1).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The first bytes of Parquet.
const PARQUET: &[u8] = b"PAR1";

/// A file or standard input, open.
pub(in crate::cli) struct Source {
    pub(super) reader: Box<dyn Read + Send>,
    /// The bytes of the file where they are the events themselves.
    pub(super) size: Option<u64>,
    /// Whether it is all there, so that reading never waits.
    pub(super) is_there: bool,
    name: String,
    taken: Taken,
}

/// How many bytes of a file were taken so far.
#[derive(Debug, Clone, Default)]
struct Taken(Arc<AtomicU64>);

/// What is known of a path before it is read.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Known {
    /// The bytes of a file; nothing for a pipe.
    pub(in crate::cli) size: Option<u64>,
}

/// Looks whether a path can be read, so that a mistake in the last of many is found at once.
pub(in crate::cli) fn look(path: &Path) -> Result<Known, Failure> {
    if path == Path::new("-") {
        return Ok(Known { size: None });
    }
    // A pipe is opened once: whoever writes to it would take a second look for the end.
    let known = std::fs::metadata(path).map_err(|e| unusable(&shown(path), &e))?;
    if !known.is_file() && !known.is_dir() {
        return Ok(Known { size: None });
    }
    let (_, size) = file(path)?;
    Ok(Known { size })
}

fn file(path: &Path) -> Result<(File, Option<u64>), Failure> {
    let name = shown(path);
    let unusable = |error: io::Error| unusable(&name, &error);
    let file = File::open(path).map_err(unusable)?;
    let known = file.metadata().map_err(unusable)?;
    if known.is_dir() {
        let message = format!("`{name}` is a folder; name a file of events, one a line");
        return Err(Failure::Unusable(message));
    }
    Ok((file, known.is_file().then_some(known.len())))
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub(in crate::cli) fn open(path: &Path) -> Result<Self, Failure> {
        let name = shown(path);
        let taken = Taken::default();
        let (mut raw, size): (Box<dyn Read + Send>, _) = if path == Path::new("-") {
            (Box::new(io::stdin()), None)
        } else {
            let (file, size) = file(path)?;
            (Box::new(file), size)
        };
        let head = head(&mut raw).map_err(|e| unusable(&name, &e))?;
        let form = Form::of(&head);
        if form == Form::Parquet {
            let reader = parquet_rows(path, &name, &taken)?;
            return Ok(Self {
                reader,
                size: None,
                is_there: true,
                name,
                taken,
            });
        }
        let raw = Counted {
            inner: Cursor::new(head).chain(raw),
            taken: taken.clone(),
        };
        let reader: Box<dyn Read + Send> = match form {
            Form::Gzip => Box::new(Packed::new(MultiGzDecoder::new(buffered(raw)), "gzip")),
            Form::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(buffered(raw));
                let decoder = decoder.map_err(|e| unusable(&name, &e))?;
                Box::new(Packed::new(decoder, "zstd"))
            }
            Form::Plain | Form::Parquet => Box::new(raw),
        };
        Ok(Self {
            reader,
            size: size.filter(|_| form == Form::Plain),
            is_there: size.is_some(),
            name,
            taken,
        })
    }

    /// How many bytes of the file were taken since this was asked the last time.
    pub(super) fn taken(&self) -> u64 {
        self.taken.0.swap(0, Ordering::Relaxed)
    }

    /// The failure that an error while reading is.
    pub(super) fn failed(&self, error: &io::Error) -> Failure {
        unusable(&self.name, error)
    }

    /// A source of bytes in memory.
    #[cfg(test)]
    pub(super) fn of(reader: Box<dyn Read + Send>, is_there: bool) -> Self {
        Self {
            reader,
            size: None,
            is_there,
            name: String::new(),
            taken: Taken::default(),
        }
    }
}

#[cfg(feature = "parquet")]
fn parquet_rows(path: &Path, name: &str, taken: &Taken) -> Result<Box<dyn Read + Send>, Failure> {
    if path == Path::new("-") {
        let message = "standard input holds Parquet, which is read from its end: name a file";
        return Err(Failure::Unusable(message.to_owned()));
    }
    let (file, size) = file(path)?;
    let rows = parquet::Rows::open(file).map_err(|e| unusable(name, &e))?;
    // Where the rows of a column lie is no measure of progress: it is told once.
    taken.0.store(size.unwrap_or(0), Ordering::Relaxed);
    Ok(Box::new(rows))
}

#[cfg(not(feature = "parquet"))]
fn parquet_rows(_: &Path, name: &str, _: &Taken) -> Result<Box<dyn Read + Send>, Failure> {
    Err(Failure::Unusable(format!(
        "`{name}` is a Parquet file, and this program was built without the feature `parquet`"
    )))
}

fn unusable(name: &str, error: &io::Error) -> Failure {
    Failure::Unusable(format!("`{name}` cannot be read: {}", reason(error)))
}

/// What is wrong, in lower case and without its number.
fn reason(error: &io::Error) -> String {
    if let Some(inner) = error.get_ref() {
        return inner.to_string();
    }
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        kind => kind.to_string(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Gzip,
    Zstd,
    Parquet,
}

impl Form {
    fn of(head: &[u8]) -> Self {
        match head {
            head if head.starts_with(GZIP) => Self::Gzip,
            head if head.starts_with(ZSTD) => Self::Zstd,
            head if head.starts_with(PARQUET) => Self::Parquet,
            _ => Self::Plain,
        }
    }
}

/// As many first bytes as say what form the data has. A pipe is not waited for longer than that.
fn head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = vec![0; super::CHUNK];
    let mut filled = 0;
    let open = |head: &[u8]| {
        let magics = [GZIP, ZSTD, PARQUET];
        let mut magics = magics.iter();
        magics.any(|magic| head.len() < magic.len() && magic.starts_with(head))
    };
    while open(head.get(..filled).unwrap_or_default()) {
        match reader.read(head.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    head.truncate(filled);
    Ok(head)
}

fn buffered<R: Read>(reader: R) -> io::BufReader<R> {
    io::BufReader::with_capacity(super::CHUNK, reader)
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    taken: Taken,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Unpacks, and says in words what is wrong with the data.
struct Packed<R> {
    inner: R,
    form: &'static str,
}

impl<R> Packed<R> {
    fn new(inner: R, form: &'static str) -> Self {
        Self { inner, form }
    }
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let form = self.form;
            // An error of the system has a number; the rest is what the unpacker says of the data.
            if error.raw_os_error().is_some() || error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            let message = match error.kind() {
                io::ErrorKind::UnexpectedEof => format!("its {form} data is cut off"),
                _ => format!("its {form} data is damaged ({error})"),
            };
            io::Error::other(message)
        })
    }
}
