//! Windows over a restart: a snapshot of all keys, and the log of what was counted behind it.
//!
//! In: a [`Keeper`]. Out: windows that hold what was counted, or that say that something is lost.
//! Invariant: after a restart no window is below the truth without being a lower bound.
//! Method: a log is begun first; then the keys are written in pieces, while others go on to count.
//! Each piece says how far the log was when it was written: what of its keys stands behind that is
//! counted again when the store is opened, and nothing else is.
//!
//! A piece is its length (4 bytes), the CRC-32 of what follows (4), and that; the last one says that it
//! is. What cannot be read is lost, loudly, and never guessed.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::journal::{Identity, Journal, Keeper, Kept, Reader, Record};
use super::secret::{Print, Secret};
use super::shard::Shard;
use super::stream::Stream;
use super::{Bounds, Windows, nanos, span};
use crate::clock::Timestamp;
use crate::limits::CLOCK_JUMP;
use crate::matrix::{Matrix, Measure};

/// The first bytes of a snapshot: what it is, and of which form.
const MAGIC: &[u8; 8] = b"lanewin1";

/// Keys of a piece: the time that others may have to wait for one is that of so many.
const PIECE: usize = 1_024;

/// How windows came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// The store never held anything: the windows are complete.
    New,
    /// All that was counted is there.
    Whole,
    /// Something is lost: windows are lower bounds until they lie behind the opening.
    Warming,
}

/// What stands for a measure in a store.
pub(super) fn identity(matrix: &Matrix, measure: &Measure) -> Identity {
    let mut hasher = Sha256::new();
    let mut add = |text: &str| {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(&measure.text);
    if let Some(kind) = matrix.kind(measure.kind) {
        add(&kind.name);
        for field in &kind.fields {
            add(&field.path);
            add(&field.ty.to_string());
        }
    }
    hasher.finalize().into()
}

impl Windows {
    /// The windows that a store has for the measures of a matrix, and from here on keeps. Those of a
    /// measure that the store has not heard of are lower bounds until they lie behind `now`.
    ///
    /// # Errors
    /// When the store cannot be read, or not be written.
    pub fn open(
        matrix: &Arc<Matrix>,
        bounds: Bounds,
        keeper: Arc<dyn Keeper>,
        now: Timestamp,
    ) -> io::Result<(Self, Opened)> {
        let kept = keeper.load()?;
        let (windows, opened, position) = match kept {
            None => (Self::new(matrix, bounds, Secret::random()), Opened::New, 0),
            Some(kept) => restore(matrix, bounds, &kept, now),
        };
        let journal = Arc::new(Journal::begin(keeper, windows.secret, position)?);
        let windows = windows.with_journal(journal);
        if opened != Opened::New {
            windows.keep()?;
        }
        Ok((windows, opened))
    }

    /// Writes a snapshot, so that the log begins anew. Others go on to count meanwhile.
    ///
    /// # Errors
    /// When it cannot be written; the last one and the logs behind it stay.
    pub fn keep(&self) -> io::Result<()> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let head = std::iter::once_with(|| self.head());
        let streams = self.streams.iter().zip(&self.matrix.measures);
        let pieces = streams.flat_map(|(stream, measure)| {
            let identity = identity(&self.matrix, measure);
            Pieces::of(stream, identity, journal)
        });
        let end = std::iter::once(vec![b'e']);
        journal.snapshot(&mut head.chain(pieces).chain(end).map(piece))
    }

    /// Whether something that was counted could not be kept.
    #[must_use]
    pub fn is_lossy(&self) -> bool {
        self.journal
            .as_ref()
            .is_some_and(|journal| journal.is_lossy())
    }

    fn head(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.secret.bytes());
        for kind in self.matrix.schema.kinds() {
            let newest = self.newest.get(kind.id.0 as usize);
            let newest = newest.map_or(i64::MIN, |newest| newest.get());
            let name = kind.name.as_bytes();
            bytes.extend_from_slice(&u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(&newest.to_le_bytes());
        }
        bytes
    }
}

/// The pieces of a measure: one of its own, and its keys.
struct Pieces<'s> {
    stream: &'s Stream,
    identity: Identity,
    journal: &'s Journal,
    /// The next part, and the next place in it; the measure's own piece stands before the first.
    next: Option<(usize, usize)>,
}

impl<'s> Pieces<'s> {
    fn of(stream: &'s Stream, identity: Identity, journal: &'s Journal) -> Self {
        Self {
            stream,
            identity,
            journal,
            next: None,
        }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let Some((part, place)) = self.next else {
            bytes.push(b'm');
            bytes.extend_from_slice(&self.identity);
            bytes.extend_from_slice(&self.journal.position().to_le_bytes());
            self.stream.write_state(&mut bytes);
            self.next = Some((0, 0));
            return Some(bytes);
        };
        let shard = self.stream.shards().nth(part)?;
        bytes.push(b'k');
        bytes.extend_from_slice(&self.journal.position().to_le_bytes());
        let end = place + PIECE;
        shard.write(place, end, &mut bytes);
        self.next = Some(match end < shard.places() {
            true => (part, end),
            false => (part + 1, 0),
        });
        Some(bytes)
    }
}

fn piece(body: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

fn next_piece<'b>(reader: &mut Reader<'b>) -> Option<Reader<'b>> {
    let (length, sum) = (reader.u32()?, reader.u32()?);
    let body = reader.take(usize::try_from(length).ok()?)?;
    (crc32fast::hash(body) == sum).then_some(Reader(body))
}

/// What is restored on its way.
struct Restoring {
    windows: Windows,
    /// Where the log was when a key was written, by measure.
    positions: Vec<HashMap<Print, u64>>,
    /// Where it was when the rest of a measure was written.
    states: Vec<u64>,
    known: Vec<bool>,
    identities: HashMap<Identity, usize>,
}

fn restore(
    matrix: &Arc<Matrix>,
    bounds: Bounds,
    kept: &Kept,
    now: Timestamp,
) -> (Windows, Opened, u64) {
    let measures = matrix.measures.iter();
    let identities = measures.map(|measure| identity(matrix, measure));
    let mut restoring = Restoring {
        windows: Windows::new(
            matrix,
            bounds,
            secret_of(kept).unwrap_or_else(Secret::random),
        ),
        positions: vec![HashMap::new(); matrix.measures.len()],
        states: vec![0; matrix.measures.len()],
        known: vec![false; matrix.measures.len()],
        identities: identities.zip(0..).collect(),
    };
    let snapshot = match &kept.snapshot {
        Some(bytes) => restoring.snapshot(bytes).is_some(),
        None => true,
    };
    let (logs, position) = restoring.logs(&kept.logs);
    let is_whole = snapshot && logs && !kept.is_lossy && secret_of(kept).is_some();
    let Restoring { windows, known, .. } = restoring;
    let mut opened = Opened::Whole;
    let now = nanos(now).unwrap_or(i64::MAX);
    for (stream, known) in windows.streams.iter().zip(known) {
        if !is_whole || !known {
            stream.mark_lost(now);
            opened = Opened::Warming;
        }
    }
    if !is_whole {
        opened = Opened::Warming;
    }
    (windows, opened, position)
}

/// The secret of the prints.
fn secret_of(kept: &Kept) -> Option<Secret> {
    if let Some(bytes) = &kept.snapshot {
        let mut head = next_piece(&mut Reader(bytes))?;
        return (head.take(MAGIC.len())? == MAGIC).then(|| head.array().map(Secret::of))?;
    }
    let (_, log) = kept.logs.first()?;
    match Reader(log).record()? {
        Record::Secret(secret) => Some(secret),
        _ => None,
    }
}

impl Restoring {
    /// Takes a snapshot; nothing where some of it cannot be read.
    fn snapshot(&mut self, bytes: &[u8]) -> Option<()> {
        let mut reader = Reader(bytes);
        let mut head = next_piece(&mut reader)?;
        head.take(MAGIC.len() + 16)?;
        while !head.0.is_empty() {
            let length = head.u16()?;
            let name = head.take(length.into())?;
            let newest = head.i64()?;
            let kind = std::str::from_utf8(name).ok();
            let kind = kind.and_then(|name| self.windows.matrix.schema.kind_named(name));
            if let Some(kind) = kind {
                self.windows.advance(kind.id, newest);
            }
        }
        let mut measure = None;
        loop {
            let mut piece = next_piece(&mut reader)?;
            match piece.byte()? {
                b'e' => return reader.0.is_empty().then_some(()),
                b'm' => {
                    measure = self.identities.get(&piece.array()?).copied();
                    let position = piece.u64()?;
                    if let Some(measure) = measure {
                        *self.known.get_mut(measure)? = true;
                        *self.states.get_mut(measure)? = position;
                        self.windows.streams.get(measure)?.read_state(&mut piece)?;
                    }
                }
                b'k' => {
                    let position = piece.u64()?;
                    if let Some(measure) = measure {
                        let stream = self.windows.streams.get(measure)?;
                        let positions = self.positions.get_mut(measure)?;
                        while !piece.0.is_empty() {
                            let key = stream.read_key(&mut piece)?;
                            positions.insert(key, position);
                        }
                    }
                }
                _ => return None,
            }
        }
    }

    /// Counts again what the logs say; says whether all of them could be read, and where they end.
    /// The end of the last one may be torn: nobody was told of what stands there.
    fn logs(&mut self, logs: &[(u64, Vec<u8>)]) -> (bool, u64) {
        let mut numbers: HashMap<u32, usize> = HashMap::new();
        let mut is_whole = true;
        let mut end = 0;
        for (at, (start, bytes)) in logs.iter().enumerate() {
            // A log that is missing between two others.
            is_whole &= at == 0 || *start == end;
            let mut reader = Reader(bytes);
            loop {
                let position = start + (bytes.len() - reader.0.len()) as u64;
                end = position;
                let Some(record) = reader.record() else { break };
                match record {
                    Record::Secret(secret) => is_whole &= secret == self.windows.secret,
                    Record::Measure(number, identity) => {
                        if let Some(measure) = self.identities.get(&identity) {
                            numbers.insert(number, *measure);
                        }
                    }
                    Record::Begun { stream, lost_at } => {
                        let measure = numbers.get(&stream).copied();
                        let Some(measure) = measure else { continue };
                        if let Some(known) = self.known.get_mut(measure) {
                            *known = true;
                        }
                        if let Some(stream) = self.windows.streams.get(measure) {
                            stream.mark_lost(lost_at);
                        }
                    }
                    Record::Counted { stream, .. }
                    | Record::Late { stream, .. }
                    | Record::Refused { stream, .. }
                    | Record::Rewound { stream, .. } => {
                        if let Some(measure) = numbers.get(&stream) {
                            self.again(*measure, position, &record);
                        }
                    }
                }
            }
            is_whole &= reader.is_torn();
        }
        (is_whole, end)
    }

    /// Counts again what a record says, unless the snapshot has it.
    fn again(&self, measure: usize, position: u64, record: &Record<'_>) {
        let windows = &self.windows;
        let declared = windows.matrix.measures.get(measure);
        let Some((stream, declared)) = windows.streams.get(measure).zip(declared) else {
            return;
        };
        let state = self.states.get(measure).copied().unwrap_or(0);
        match record {
            Record::Counted {
                key, newest, given, ..
            } => {
                windows.advance(declared.kind, *newest);
                let positions = self.positions.get(measure);
                let kept = positions.and_then(|positions| positions.get(key));
                if kept.is_none_or(|kept| position >= *kept) {
                    stream.count_again(*key, given);
                }
            }
            Record::Late { key, until, .. } => {
                stream.late_again(*key, *until, position >= state);
            }
            Record::Refused { until, .. } => stream.refused_again(*until, position >= state),
            Record::Rewound { now, .. } => {
                let positions = self.positions.get(measure);
                let is_older = |key: Print| {
                    let kept = positions.and_then(|positions| positions.get(&key));
                    kept.is_none_or(|kept| position >= *kept)
                };
                if let Some(newest) = windows.newest.get(declared.kind.0 as usize)
                    && newest.get() > now.saturating_add(span(CLOCK_JUMP))
                {
                    newest.set(*now);
                }
                stream.rewind(*now, is_older);
            }
            Record::Secret(_) | Record::Measure(..) | Record::Begun { .. } => {}
        }
    }
}

impl Shard {
    /// How many places there are.
    pub(super) fn places(&self) -> usize {
        self.held().len()
    }

    /// Writes the keys of some places.
    fn write(&self, from: usize, to: usize, bytes: &mut Vec<u8>) {
        let places = self.held();
        let end = to.min(places.len());
        let start = from.min(end);
        for (place, held) in places.iter().enumerate().take(end).skip(start) {
            let Some(held) = held else { continue };
            let rare = self.rare_at(place);
            bytes.extend_from_slice(&held.key.to_bytes());
            bytes.extend_from_slice(&rare.bound_until.to_le_bytes());
            bytes.extend_from_slice(&rare.dropped_to.to_le_bytes());
            held.ring.save(bytes);
        }
    }
}
