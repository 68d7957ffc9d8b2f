//! Streams of events as blocks of whole lines: what one worker takes at a time.
//!
//! In: paths in their order. Out: blocks, each with the number of its first line.
//! Invariant: a line is never in two blocks; of one that is longer than an event may be no more is
//! held than that. What came through a pipe is handed on before more is waited for.
//! Knows nothing of what an event is but its bounds.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use memchr::{memchr, memchr_iter, memrchr};
use sha2::{Digest, Sha256};

use super::source::{self, Source};
use super::{CHUNK, Content, Line};
use crate::cli::shell::Failure;
use crate::limits::Limits;

/// What is to be read, looked at but not yet open.
pub(in crate::cli) struct Files {
    paths: Vec<PathBuf>,
    /// The bytes of all files; unknown with a pipe among them.
    pub(in crate::cli) size: Option<u64>,
}

impl Files {
    /// Looks at all of them.
    pub(in crate::cli) fn look(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut size = Some(0u64);
        for path in paths {
            let known = source::look(path)?;
            size = size.zip(known.size).map(|(all, one)| all + one);
        }
        Ok(Self {
            paths: paths.to_vec(),
            size,
        })
    }

    /// Reads them as blocks of about so many bytes.
    pub(in crate::cli) fn blocks(self, bytes: usize, limits: &Limits) -> Blocks {
        Blocks {
            paths: self.paths.into_iter(),
            open: None,
            sources: 0,
            bytes,
            most: limits.event_total_bytes,
            spare: Spare::default(),
        }
    }
}

/// Some whole lines of one source.
pub(in crate::cli) struct Block {
    buffer: Vec<u8>,
    end: usize,
    /// Which of the sources, from 0.
    pub(in crate::cli) source: usize,
    /// The number of its first line, from 1.
    first: u64,
    /// How many bytes of the file were taken for it.
    pub(in crate::cli) taken: u64,
    /// Whether what follows it may have to be waited for, so that what is known should be shown.
    pub(in crate::cli) may_wait: bool,
    /// A line that is longer than an event may be: it is alone.
    long: Option<(u64, [u8; 32])>,
    spare: Spare,
}

/// Buffers that were used.
#[derive(Clone, Default)]
struct Spare(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spare {
    fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, buffer: Vec<u8>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(buffer);
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.spare.put(std::mem::take(&mut self.buffer));
    }
}

impl Block {
    /// Its lines that are not blank.
    pub(in crate::cli) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let bytes = self.buffer.get(..self.end).unwrap_or_default();
        let long = self.long.map(|(bytes, digest)| Line {
            number: self.first,
            length: bytes,
            content: Content::TooLong { bytes, digest },
        });
        let mut start = 0;
        let ends = memchr_iter(b'\n', bytes).chain(std::iter::once(bytes.len()));
        let lines = (self.first..).zip(ends).filter_map(move |(number, end)| {
            let line = bytes.get(start..end).unwrap_or_default();
            start = end + 1;
            let blank = line.first().is_none_or(u8::is_ascii_whitespace)
                && line.trim_ascii_start().is_empty();
            (!blank).then_some(Line {
                number,
                length: line.len() as u64,
                content: Content::Whole(line),
            })
        });
        long.into_iter().chain(lines)
    }
}

/// Reads blocks.
pub(in crate::cli) struct Blocks {
    paths: std::vec::IntoIter<PathBuf>,
    open: Option<Open>,
    /// How many sources were opened.
    sources: usize,
    bytes: usize,
    most: usize,
    spare: Spare,
}

/// A source that is being read.
struct Open {
    source: Source,
    /// Its number.
    number: usize,
    /// What was read and is not in a block yet: the beginning of a line.
    rest: Vec<u8>,
    /// The number of the next line.
    line: u64,
    ended: bool,
}

impl Blocks {
    /// The next block; nothing when all sources have ended.
    pub(in crate::cli) fn next_block(&mut self) -> Result<Option<Block>, Failure> {
        loop {
            let open = match &mut self.open {
                Some(open) if !open.is_done() => open,
                _ => match self.paths.next() {
                    None => return Ok(None),
                    Some(path) => {
                        let open = Open::new(&path, self.sources)?;
                        self.sources += 1;
                        self.open.insert(open)
                    }
                },
            };
            let buffer = self.spare.take().unwrap_or_default();
            let block = open.block(buffer, self.bytes, self.most, &self.spare)?;
            // An empty one stands at the end of a source.
            if block.end > 0 || block.long.is_some() || block.taken > 0 {
                return Ok(Some(block));
            }
        }
    }
}

impl Open {
    fn new(path: &Path, number: usize) -> Result<Self, Failure> {
        Ok(Self {
            source: Source::open(path)?,
            number,
            rest: Vec::new(),
            line: 1,
            ended: false,
        })
    }

    fn is_done(&self) -> bool {
        self.ended && self.rest.is_empty()
    }

    fn block(
        &mut self,
        mut buffer: Vec<u8>,
        bytes: usize,
        most: usize,
        spare: &Spare,
    ) -> Result<Block, Failure> {
        let mut filled = self.rest.len();
        let mut wanted = bytes.max(filled + CHUNK);
        grow(&mut buffer, wanted);
        if let Some(head) = buffer.get_mut(..filled) {
            head.copy_from_slice(&self.rest);
        }
        self.rest.clear();
        let mut searched = 0;
        let mut long = None;
        let end = loop {
            let ready = !self.source.is_there || filled == wanted || self.ended;
            let new = buffer.get(searched..filled).unwrap_or_default();
            if ready {
                if let Some(at) = memrchr(b'\n', new) {
                    break searched + at + 1;
                }
                searched = filled;
                if self.ended {
                    break filled;
                }
                if filled > most {
                    long = Some(self.long_line(buffer.get(..filled).unwrap_or_default())?);
                    filled = 0;
                    break 0;
                }
                wanted = wanted.max(filled + CHUNK);
                grow(&mut buffer, wanted);
            }
            filled += self.read(buffer.get_mut(filled..wanted).unwrap_or_default())?;
        };
        self.rest
            .extend_from_slice(buffer.get(end..filled).unwrap_or_default());
        let block = Block {
            end,
            source: self.number,
            first: self.line,
            taken: self.source.taken(),
            may_wait: !self.source.is_there,
            long,
            spare: spare.clone(),
            buffer,
        };
        self.line += block.count();
        Ok(block)
    }

    /// Reads some bytes; none at the end.
    fn read(&mut self, space: &mut [u8]) -> Result<usize, Failure> {
        loop {
            match self.source.reader.read(space) {
                Ok(read) => {
                    self.ended = read == 0;
                    return Ok(read);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.source.failed(&e)),
            }
        }
    }

    /// Reads to the end of a line that is too long: the number of its bytes and their hash.
    fn long_line(&mut self, head: &[u8]) -> Result<(u64, [u8; 32]), Failure> {
        let mut hash = Sha256::new_with_prefix(head);
        let mut bytes = head.len() as u64;
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = self.read(&mut chunk)?;
            let part = chunk.get(..read).unwrap_or_default();
            let end = memchr(b'\n', part);
            let (line, rest) = part.split_at(end.unwrap_or(part.len()));
            hash.update(line);
            bytes += line.len() as u64;
            if end.is_some() || self.ended {
                self.rest
                    .extend_from_slice(rest.get(1..).unwrap_or_default());
                return Ok((bytes, hash.finalize().into()));
            }
        }
    }
}

impl Block {
    /// How many lines it has, blank ones too.
    fn count(&self) -> u64 {
        let bytes = self.buffer.get(..self.end).unwrap_or_default();
        let breaks = memchr_iter(b'\n', bytes).count() as u64;
        let open = !bytes.is_empty() && bytes.last() != Some(&b'\n');
        breaks + u64::from(open) + u64::from(self.long.is_some())
    }
}

/// Makes a buffer at least so long. A used one is long enough, and then nothing is written.
fn grow(buffer: &mut Vec<u8>, bytes: usize) {
    if buffer.len() < bytes {
        buffer.resize(bytes, 0);
    }
}

#[cfg(test)]
mod tests;
