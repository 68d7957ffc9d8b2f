//! Events as lines of a file or of standard input.
//!
//! In: a path, or `-`; plain, gzip or zstd. Out: one line after the other with its number, or blocks
//! of lines for several workers, in constant memory.
//! Invariant: no more of a line is held than an event may have bytes; of a longer one its length
//! and its hash are known, and the lines behind it are read.
//! Knows nothing of what an event is but its bounds.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::shell::Failure;
use crate::clock::Timestamp;
use crate::event::{self, Event, Unreadable};
use crate::limits::Limits;
use crate::schema::Schema;

mod blocks;
mod source;

#[cfg(feature = "parquet")]
mod parquet;

pub(super) use blocks::{Block, Blocks, Files};

use source::Source;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// A stream of events, line by line.
pub(super) struct Input {
    reader: BufReader<Box<dyn Read + Send>>,
    source: Source,
    most: usize,
    line: Vec<u8>,
    number: u64,
}

/// One line that is not blank.
pub(super) struct Line<'a> {
    /// Its number, from 1; blank lines count.
    pub(super) number: u64,
    /// Its bytes with the line break: how far the stream went.
    pub(super) length: u64,
    content: Content<'a>,
}

enum Content<'a> {
    Whole(&'a [u8]),
    TooLong { bytes: u64, digest: [u8; 32] },
}

impl Line<'_> {
    /// The event of the line.
    pub(super) fn event(
        &self,
        schema: &Schema,
        limits: &Limits,
        received: Timestamp,
    ) -> Result<Event, Box<Unreadable>> {
        match self.content {
            Content::Whole(bytes) => event::read(bytes, schema, limits, received),
            Content::TooLong { bytes, digest } => {
                Err(Unreadable::too_large(bytes, digest, limits, received))
            }
        }
    }

    /// The bytes, unless there are more than an event may have.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.bytes_or_digest().ok()
    }

    /// The bytes; of more than an event may have their number and their hash.
    pub(super) fn bytes_or_digest(&self) -> Result<&[u8], (u64, [u8; 32])> {
        match self.content {
            Content::Whole(bytes) => Ok(bytes),
            Content::TooLong { bytes, digest } => Err((bytes, digest)),
        }
    }
}

impl Input {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self, Failure> {
        Ok(Self::of(
            Source::open(path)?,
            CHUNK,
            limits.event_total_bytes,
        ))
    }

    fn of(mut source: Source, chunk: usize, most: usize) -> Self {
        let nothing: Box<dyn Read + Send> = Box::new(io::empty());
        let reader = std::mem::replace(&mut source.reader, nothing);
        Self {
            reader: BufReader::with_capacity(chunk, reader),
            source,
            most,
            line: Vec::new(),
            number: 0,
        }
    }

    /// The bytes of the events; unknown for a pipe and for what is packed.
    pub(super) fn size(&self) -> Option<u64> {
        self.source.size
    }

    /// All of the stream, if it is short and one JSON object: an event that somebody laid out over
    /// several lines. Else nothing, and the stream stands where it stood.
    pub(super) fn whole_object(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut head = Vec::new();
        let bound = u64::try_from(self.most).unwrap_or(u64::MAX);
        let read = Read::by_ref(&mut self.reader)
            .take(bound.saturating_add(1))
            .read_to_end(&mut head);
        read.map_err(|e| self.failed(&e))?;
        let is_object = head.trim_ascii_start().first() == Some(&b'{');
        let one = is_object && serde_json::from_slice::<serde::de::IgnoredAny>(&head).is_ok();
        if one && head.len() <= self.most {
            return Ok(Some(head));
        }
        let nothing: Box<dyn Read + Send> = Box::new(io::empty());
        let rest = std::mem::replace(&mut self.reader, BufReader::new(nothing));
        let all: Box<dyn Read + Send> = Box::new(Cursor::new(head).chain(rest));
        self.reader = BufReader::with_capacity(CHUNK, all);
        Ok(None)
    }

    /// The next line that is not blank.
    pub(super) fn next_line(&mut self) -> Result<Option<Line<'_>>, Failure> {
        let mut length = 0;
        loop {
            self.line.clear();
            let mut long = None;
            let read = self.read_line(&mut long);
            let read = read.map_err(|e| self.failed(&e))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            length += read;
            let number = self.number;
            if let Some((bytes, digest)) = long {
                let content = Content::TooLong { bytes, digest };
                return Ok(Some(Line {
                    number,
                    length,
                    content,
                }));
            }
            if !self.line.trim_ascii().is_empty() {
                let content = Content::Whole(&self.line);
                return Ok(Some(Line {
                    number,
                    length,
                    content,
                }));
            }
        }
    }

    /// Reads up to a line break into `line`, without it; of a line that is too long the number of
    /// its bytes and their hash. Returns how many bytes were taken from the stream.
    fn read_line(&mut self, long: &mut Option<(u64, [u8; 32])>) -> io::Result<u64> {
        let mut taken = 0u64;
        let mut hash: Option<Sha256> = None;
        let mut bytes = 0u64;
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            let end = buffer.iter().position(|b| *b == b'\n');
            let part = buffer
                .get(..end.unwrap_or(buffer.len()))
                .unwrap_or_default();
            let used = part.len() + usize::from(end.is_some());
            if hash.is_none() && self.line.len() + part.len() > self.most {
                hash = Some(Sha256::new_with_prefix(&self.line));
                bytes = self.line.len() as u64;
                self.line.clear();
            }
            match &mut hash {
                Some(hash) => {
                    hash.update(part);
                    bytes += part.len() as u64;
                }
                None => self.line.extend_from_slice(part),
            }
            self.reader.consume(used);
            taken += used as u64;
            if end.is_some() || used == 0 {
                *long = hash.map(|hash| (bytes, hash.finalize().into()));
                return Ok(taken);
            }
        }
    }

    fn failed(&self, error: &io::Error) -> Failure {
        self.source.failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], most: usize) -> Vec<(u64, Result<Vec<u8>, u64>)> {
        let source = Source::of(Box::new(Cursor::new(text.to_vec())), true);
        // A small buffer, so that lines cross it.
        let mut input = Input::of(source, 4, most);
        let mut all = Vec::new();
        while let Some(line) = input.next_line().unwrap() {
            let content = match line.content {
                Content::Whole(bytes) => Ok(bytes.to_vec()),
                Content::TooLong { bytes, .. } => Err(bytes),
            };
            all.push((line.number, content));
        }
        all
    }

    #[test]
    fn blank_lines_are_skipped_and_counted() {
        let all = lines(b"\n  \na\n\r\nbc", 10);
        assert_eq!(all, [(3, Ok(b"a".to_vec())), (5, Ok(b"bc".to_vec()))]);
    }

    #[test]
    fn a_line_over_the_bound_is_not_held_and_the_next_is_read() {
        let all = lines(b"12345\n123456\n1234567890\nx\n", 5);
        let expected = [
            (1, Ok(b"12345".to_vec())),
            (2, Err(6)),
            (3, Err(10)),
            (4, Ok(b"x".to_vec())),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn the_hash_of_a_long_line_is_that_of_its_bytes() {
        let limits = Limits {
            event_total_bytes: 5,
            ..Limits::default()
        };
        let text = b"123456789012345";
        let source = Source::of(Box::new(Cursor::new(text.to_vec())), true);
        let mut input = Input::of(source, 4, 5);
        let now = Timestamp::UNIX_EPOCH;
        let schema = Schema::default();
        let line = input.next_line().unwrap().unwrap();
        let streamed = line.event(&schema, &limits, now).unwrap_err();
        let held = event::read(text, &schema, &limits, now).unwrap_err();
        assert_eq!(streamed, held);
    }
}
