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

use super::journal::{Journal, Keeper, Kept, Reader, Record};
use super::plan::{Identity, plan};
use super::secret::{Print, Secret};
use super::shard::Shard;
use super::stream::Stream;
use super::{Bounds, Placed, Windows, span};
use crate::clock::Timestamp;
use crate::limits::CLOCK_JUMP;
use crate::matrix::Matrix;

/// The first bytes of a snapshot: what it is, and of which form.
const MAGIC: &[u8; 8] = b"lanewin5";

/// Keys of a piece, more or less: the time that others may have to wait for one is that of so many.
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
        let restored = match kept {
            None => Restored {
                windows: Self::new(matrix, bounds, Secret::random()),
                opened: Opened::New,
                position: 0,
                renamed: Vec::new(),
                dropped: Vec::new(),
            },
            Some(kept) => restore(matrix, bounds, &kept, now),
        };
        let Restored {
            windows, opened, ..
        } = restored;
        let journal = Journal::begin(keeper, windows.secret, restored.position)?;
        let journal = Arc::new(journal);
        // Until there is a snapshot, the logs go on with what stands in those before.
        for (number, old) in &restored.renamed {
            if let Some(placed) = windows.streams.get(*number) {
                placed.stream.keep_in(&journal, old);
                placed.stream.rename(&placed.identity);
            }
        }
        restored
            .dropped
            .iter()
            .for_each(|dropped| journal.dropped(dropped));
        let windows = windows.with_journal(journal);
        windows.flush();
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
        let streams = self.streams.iter();
        let pieces = streams.flat_map(|placed| Pieces::of(placed, journal));
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

/// The pieces of a stream: one of its own, and its keys.
struct Pieces<'s> {
    stream: &'s Stream,
    identity: &'s Identity,
    journal: &'s Journal,
    /// The stream's own piece stands before the first.
    next: Option<Next>,
}

/// The next keys of a stream: those of a shard from one low half of their prints on, so many at a time.
// Keys change their places while others count, but not their prints.
struct Next {
    shard: usize,
    from: u64,
    width: u64,
}

impl<'s> Pieces<'s> {
    fn of(placed: &'s Placed, journal: &'s Journal) -> Self {
        Self {
            stream: &placed.stream,
            identity: &placed.identity,
            journal,
            next: None,
        }
    }
}

/// Writes where the log is, and up to which instant its stream may have let go of something.
fn write_place(journal: &Journal, stream: &Stream, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&journal.position().to_le_bytes());
    bytes.extend_from_slice(&stream.newest().to_le_bytes());
}

impl Iterator for Pieces<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let Some(next) = &mut self.next else {
            bytes.push(b'm');
            self.identity.write(&mut bytes);
            write_place(self.journal, self.stream, &mut bytes);
            self.stream.write_state(&mut bytes);
            self.next = Some(Next {
                shard: 0,
                from: 0,
                width: 0,
            });
            return Some(bytes);
        };
        let shard = self.stream.shard(next.shard)?;
        bytes.push(b'k');
        write_place(self.journal, self.stream, &mut bytes);
        let keys = u32::try_from(shard.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&keys.to_le_bytes());
        if next.from == 0 {
            next.width = u64::MAX / (1 + shard.len() / PIECE) as u64;
        }
        let to = next.from.saturating_add(next.width);
        shard.write((next.from, to), &mut bytes);
        match to.checked_add(1) {
            Some(from) => next.from = from,
            None => (next.shard, next.from) = (next.shard + 1, 0),
        }
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

/// The streams that a store has.
#[derive(Default)]
struct Stored {
    /// What each is in the end; nothing where it is not kept any more.
    identities: Vec<Option<Identity>>,
    /// Which of them an identity stands for in a snapshot, and at the end of the logs.
    first: HashMap<Identity, usize>,
    last: HashMap<Identity, usize>,
    /// Which a number stands for, here in the logs.
    numbers: HashMap<u32, usize>,
}

impl Stored {
    /// Those of all that was kept, as far as it can be read.
    fn of(kept: &Kept) -> Self {
        let mut stored = Self::default();
        for (_, log) in &kept.logs {
            let mut reader = Reader(log);
            while let Some(record) = reader.record() {
                stored.take(&record);
            }
        }
        let mut reader = Reader(kept.snapshot.as_deref().unwrap_or_default());
        while let Some(mut piece) = next_piece(&mut reader) {
            if piece.byte() == Some(b'm')
                && let Some(identity) = Identity::read(&mut piece)
                && !stored.first.contains_key(&identity)
            {
                stored.known(&identity);
            }
        }
        stored
    }

    /// The stream of an identity as it is now.
    fn known(&mut self, identity: &Identity) -> usize {
        let known = self.last.get(identity).copied();
        known.unwrap_or_else(|| {
            let new = self.identities.len();
            self.identities.push(Some(identity.clone()));
            self.last.insert(identity.clone(), new);
            self.first.entry(identity.clone()).or_insert(new);
            new
        })
    }

    /// Notes which stream a number stands for.
    fn take(&mut self, record: &Record<'_>) {
        match record {
            Record::Stream(number, identity) => {
                let known = self.known(identity);
                self.numbers.insert(*number, known);
            }
            Record::Renamed(number, identity) => {
                let Some(renamed) = self.numbers.get(number).copied() else {
                    return;
                };
                if let Some(known) = self.identities.get_mut(renamed) {
                    let was = known.replace(identity.clone());
                    was.map(|was| self.last.remove(&was));
                }
                self.last.insert(identity.clone(), renamed);
                self.first.entry(identity.clone()).or_insert(renamed);
            }
            Record::Dropped(identity) => {
                let dropped = self.last.remove(identity);
                if let Some(known) = dropped.and_then(|old| self.identities.get_mut(old)) {
                    *known = None;
                }
            }
            _ => {}
        }
    }
}

/// What came of a store.
struct Restored {
    windows: Windows,
    opened: Opened,
    /// Where its logs end.
    position: u64,
    /// The streams that have another identity from here on, with the one that they had.
    renamed: Vec<(usize, Identity)>,
    /// Those that are not kept any more.
    dropped: Vec<Identity>,
}

/// What is restored on its way.
struct Restoring {
    windows: Windows,
    stored: Stored,
    /// Where each of them is, if the matrix has a use for it.
    places: Vec<Option<usize>>,
    renamed: Vec<(usize, Identity)>,
    dropped: Vec<Identity>,
    /// Where the log was when a key was written, by stream.
    positions: Vec<HashMap<Print, u64>>,
    /// Where it was when the rest of a stream was written.
    states: Vec<u64>,
    known: Vec<bool>,
    /// How late an event might be when a stream was written.
    lateness: Vec<i64>,
    /// Where the next log begins.
    position: u64,
}

impl Restoring {
    fn new(matrix: &Arc<Matrix>, bounds: Bounds, kept: &Kept) -> Self {
        let secret = secret_of(kept).unwrap_or_else(Secret::random);
        let mut windows = Windows::without_streams(matrix, bounds, secret);
        let stored = Stored::of(kept);
        let (planned, parts) = plan(matrix, bounds.counts, &stored.identities);
        let of_plan = planned.iter();
        let of_plan: Vec<_> = of_plan
            .filter_map(|planned| Some((planned.old?, planned.identity.clone())))
            .collect();
        windows.place(planned, parts, |_| None);
        let mut places = vec![None; stored.identities.len()];
        let (mut renamed, mut dropped) = (Vec::new(), Vec::new());
        for (old, was) in stored.identities.iter().enumerate() {
            let now = of_plan.iter().find(|(number, _)| *number == old);
            match (now, was) {
                (Some((_, identity)), Some(was)) => {
                    let mut placed = windows.streams.iter();
                    let place = placed.position(|placed| placed.identity == *identity);
                    if let Some(place) = place.filter(|_| was != identity) {
                        renamed.push((place, was.clone()));
                    }
                    if let Some(to) = places.get_mut(old) {
                        *to = place;
                    }
                }
                (_, was) => dropped.extend(was.clone()),
            }
        }
        let count = windows.streams.len();
        Self {
            windows,
            stored,
            places,
            renamed,
            dropped,
            positions: vec![HashMap::new(); count],
            states: vec![0; count],
            known: vec![false; count],
            lateness: vec![i64::MAX; count],
            position: 0,
        }
    }

    /// Takes where the log was, and the newest instant of a stream's kind.
    fn read_place(&mut self, stream: Option<usize>, piece: &mut Reader<'_>) -> Option<u64> {
        let (position, newest) = (piece.u64()?, piece.i64()?);
        self.position = self.position.max(position);
        if let Some(placed) = stream.and_then(|stream| self.windows.streams.get(stream)) {
            self.windows.advance(placed.kind, newest);
        }
        Some(position)
    }
}

fn restore(matrix: &Arc<Matrix>, bounds: Bounds, kept: &Kept, now: Timestamp) -> Restored {
    let mut restoring = Restoring::new(matrix, bounds, kept);
    let snapshot = match &kept.snapshot {
        Some(bytes) => restoring.snapshot(bytes).is_some(),
        None => true,
    };
    let logs = restoring.logs(&kept.logs);
    let is_whole = snapshot && logs && !kept.is_lossy && secret_of(kept).is_some();
    let Restoring {
        windows,
        known,
        renamed,
        dropped,
        lateness,
        position,
        ..
    } = restoring;
    let mut opened = match is_whole {
        true => Opened::Whole,
        false => Opened::Warming,
    };
    for (placed, (known, lateness)) in windows.streams.iter().zip(known.into_iter().zip(lateness)) {
        if !is_whole || !known {
            placed.stream.mark_lost_at(now);
            opened = Opened::Warming;
        }
        placed.stream.waited_for(lateness);
    }
    Restored {
        windows,
        opened,
        position,
        renamed,
        dropped,
    }
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

/// The place of what a number stands for.
fn place(places: &[Option<usize>], stored: &Stored, number: u32) -> Option<usize> {
    let stored = stored.numbers.get(&number)?;
    places.get(*stored).copied().flatten()
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
        let mut stream = None;
        loop {
            let mut piece = next_piece(&mut reader)?;
            match piece.byte()? {
                b'e' => return reader.0.is_empty().then_some(()),
                b'm' => {
                    let stored = self.stored.first.get(&Identity::read(&mut piece)?)?;
                    stream = *self.places.get(*stored)?;
                    let position = self.read_place(stream, &mut piece)?;
                    if let Some(stream) = stream {
                        *self.known.get_mut(stream)? = true;
                        *self.states.get_mut(stream)? = position;
                        let placed = self.windows.streams.get(stream)?;
                        *self.lateness.get_mut(stream)? = placed.stream.read_state(&mut piece)?;
                    }
                }
                b'k' => {
                    let position = self.read_place(stream, &mut piece)?;
                    let keys = piece.u32()?;
                    if let Some(stream) = stream {
                        let placed = self.windows.streams.get(stream)?;
                        let positions = self.positions.get_mut(stream)?;
                        while !piece.0.is_empty() {
                            let key = placed.stream.read_key(keys, &mut piece)?;
                            positions.insert(key, position);
                        }
                    }
                }
                _ => return None,
            }
        }
    }

    /// Counts again what the logs say; says whether all of them could be read.
    /// The end of the last one may be torn: nobody was told of what stands there.
    fn logs(&mut self, logs: &[(u64, Vec<u8>)]) -> bool {
        let mut is_whole = true;
        let mut end = 0;
        // As they were found at first, one log after the other.
        let mut stored = Stored::default();
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
                    Record::Stream(..) | Record::Renamed(..) | Record::Dropped(..) => {
                        stored.take(&record);
                    }
                    Record::Begun { stream, lost_at } => {
                        let Some(stream) = place(&self.places, &stored, stream) else {
                            continue;
                        };
                        if let Some(known) = self.known.get_mut(stream) {
                            *known = true;
                        }
                        if let Some(placed) = self.windows.streams.get(stream) {
                            placed.stream.mark_lost(lost_at);
                        }
                    }
                    Record::Counted { stream, .. }
                    | Record::Late { stream, .. }
                    | Record::Refused { stream, .. }
                    | Record::Rewound { stream, .. } => {
                        if let Some(stream) = place(&self.places, &stored, stream) {
                            self.again(stream, position, &record);
                        }
                    }
                }
            }
            is_whole &= reader.is_torn();
        }
        if logs.is_empty() {
            // There is one behind every snapshot. The next begins behind what the snapshot has.
            return false;
        }
        self.position = end;
        is_whole
    }

    /// Counts again what a record says, unless the snapshot has it.
    fn again(&self, number: usize, position: u64, record: &Record<'_>) {
        let windows = &self.windows;
        let Some(Placed { stream, kind, .. }) = windows.streams.get(number) else {
            return;
        };
        let state = self.states.get(number).copied().unwrap_or(0);
        match record {
            Record::Counted {
                key, newest, given, ..
            } => {
                windows.advance(*kind, *newest);
                let positions = self.positions.get(number);
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
                let positions = self.positions.get(number);
                let is_older = |key: Print| {
                    let kept = positions.and_then(|positions| positions.get(&key));
                    kept.is_none_or(|kept| position >= *kept)
                };
                if let Some(newest) = windows.newest.get(kind.0 as usize)
                    && newest.get() > now.saturating_add(span(CLOCK_JUMP))
                {
                    newest.set(*now);
                }
                stream.rewind(*now, is_older);
            }
            Record::Secret(_)
            | Record::Stream(..)
            | Record::Renamed(..)
            | Record::Dropped(..)
            | Record::Begun { .. } => {}
        }
    }
}

impl Shard {
    /// Writes the keys between two low halves of their prints.
    fn write(&self, (from, to): (u64, u64), bytes: &mut Vec<u8>) {
        for ring in self.between(from, to) {
            let rare = self.rare(ring.key());
            bytes.extend_from_slice(&rare.bound_until.to_le_bytes());
            bytes.extend_from_slice(&rare.dropped_to.to_le_bytes());
            ring.save(bytes);
        }
    }
}
