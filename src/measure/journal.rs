//! What was counted, record by record, for whoever keeps windows over a restart.
//!
//! In: events as the windows count them. Out: bytes for a [`Keeper`], in an order in which the records
//! of each key stand as they were counted.
//! Invariant: when [`Journal::flush`] returns, what was recorded before it was called is kept, or the
//! keeper was told that something is lost.
//!
//! A record is its length (2 bytes), the complement of that (2), the CRC-32 of what follows (4), and
//! that: a letter and its fields. All numbers are little-endian. A position counts the bytes since the store was begun.

use std::collections::HashMap;
use std::fmt::Debug;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::plan::Identity;
use super::ring::{Decimal, Given};
use super::secret::{Print, Secret};

/// Where windows are kept over a restart.
pub trait Keeper: Debug + Send + Sync {
    /// What was kept; nothing in a store that never held anything.
    ///
    /// # Errors
    /// When it cannot be read.
    fn load(&self) -> io::Result<Option<Kept>>;

    /// Begins a log at a position, which `head` opens. What was logged before stays until the next
    /// snapshot is there.
    ///
    /// # Errors
    /// When it cannot be written.
    fn begin(&self, position: u64, head: &[u8]) -> io::Result<()>;

    /// Adds to the log. When it returns the bytes survive the end of this process.
    ///
    /// # Errors
    /// When they cannot be written.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Puts a snapshot in the place of the last one, with all that was logged before `position`. The
    /// pieces come one after the other.
    ///
    /// # Errors
    /// When it cannot be written; then the last one stays.
    fn snapshot(&self, position: u64, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> io::Result<()>;

    /// Says that something was counted that is not kept: when the store is opened again, windows are
    /// lower bounds.
    fn lose(&self);

    /// Takes that back: the last snapshot has all that was counted.
    ///
    /// # Errors
    /// When it cannot be taken back.
    fn mend(&self) -> io::Result<()>;
}

/// What a [`Keeper`] has.
#[derive(Debug, Default)]
pub struct Kept {
    /// The last snapshot.
    pub snapshot: Option<Vec<u8>>,
    /// The logs behind it, each with its position, in their order.
    pub logs: Vec<(u64, Vec<u8>)>,
    /// Whether something that was counted may not be among it.
    pub is_lossy: bool,
}

/// A record of a log.
#[derive(Debug)]
pub(super) enum Record<'b> {
    /// By which prints.
    Secret(Secret),
    /// A number stands for a stream.
    Stream(u32, Identity),
    /// The stream of a number has another identity from here on.
    Renamed(u32, Identity),
    /// The stream of an identity is not kept any more.
    Dropped(Identity),
    /// A stream is kept from here on; what it counted up to an instant is lost.
    Begun { stream: u32, lost_at: i64 },
    /// An event was counted.
    Counted {
        stream: u32,
        key: Print,
        /// The newest instant of its kind when it was.
        newest: i64,
        given: Given<'b>,
    },
    /// An event of a key came too late: its window is a lower bound until then.
    Late { stream: u32, key: Print, until: i64 },
    /// There was no room for a key: any that is not held may be a lower bound until then.
    Refused { stream: u32, until: i64 },
    /// The clock was set back to an instant.
    Rewound { stream: u32, now: i64 },
}

/// Records on their way to a keeper.
#[derive(Debug)]
pub(super) struct Journal {
    keeper: Arc<dyn Keeper>,
    secret: Secret,
    pending: Mutex<Pending>,
    /// While it is held nobody else writes.
    writing: Mutex<()>,
    /// How often something could not be kept since the last snapshot that has all.
    losses: AtomicU64,
}

#[derive(Debug)]
struct Pending {
    bytes: Vec<u8>,
    /// Of the end of them.
    position: u64,
    numbers: HashMap<Identity, u32>,
    /// The next number.
    next: u32,
}

impl Journal {
    /// A journal whose log begins at a position.
    pub(super) fn begin(
        keeper: Arc<dyn Keeper>,
        secret: Secret,
        position: u64,
    ) -> io::Result<Self> {
        let journal = Self {
            keeper,
            secret,
            pending: Mutex::new(Pending {
                bytes: Vec::new(),
                position,
                numbers: HashMap::new(),
                next: 0,
            }),
            writing: Mutex::new(()),
            losses: AtomicU64::new(0),
        };
        journal.rotate()?;
        Ok(journal)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a stream that is kept from here on. What it counted up to an instant is lost.
    pub(super) fn number(&self, identity: &Identity, lost_at: i64) -> u32 {
        let mut pending = self.pending();
        let known = pending.numbers.get(identity).copied();
        let number = known.unwrap_or_else(|| {
            let number = pending.next;
            pending.next += 1;
            pending.numbers.insert(identity.clone(), number);
            pending.write(|bytes| write_stream(bytes, b'm', number, identity));
            number
        });
        pending.write(|bytes| {
            bytes.push(b'b');
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(&lost_at.to_le_bytes());
        });
        number
    }

    /// A stream has another identity from here on.
    pub(super) fn rename(&self, number: u32, identity: &Identity) {
        let mut pending = self.pending();
        pending.numbers.retain(|_, known| *known != number);
        pending.numbers.insert(identity.clone(), number);
        pending.write(|bytes| write_stream(bytes, b'n', number, identity));
    }

    /// A stream is not kept any more: one of its identity that comes later is another one.
    pub(super) fn dropped(&self, identity: &Identity) {
        let mut pending = self.pending();
        pending.numbers.remove(identity);
        pending.write(|bytes| {
            bytes.push(b'd');
            identity.write(bytes);
        });
    }

    /// Where the log is. What is recorded from here on stands behind it.
    pub(super) fn position(&self) -> u64 {
        self.pending().position
    }

    /// Notes an event. The part of the keys that it is in is locked meanwhile.
    #[inline]
    pub(super) fn record(&self, stream: u32, key: Print, newest: i64, given: &Given<'_>) {
        self.pending().write(|bytes| {
            bytes.push(b'c');
            bytes.extend_from_slice(&stream.to_le_bytes());
            bytes.extend_from_slice(&key.to_bytes());
            bytes.extend_from_slice(&newest.to_le_bytes());
            bytes.extend_from_slice(&given.at.to_le_bytes());
            let parts = [
                (given.sure, SURE),
                (given.sum != Decimal::default(), SUM),
                (given.value != Print::default(), VALUE),
            ];
            let parts = parts.iter().filter(|(is_there, _)| *is_there);
            let parts = parts.fold(0, |parts, (_, bit)| parts | bit);
            bytes.push(parts);
            let (print, name) = given.id.map_or((Print::default(), &[][..]), |id| id);
            let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&length.to_le_bytes());
            if !name.is_empty() {
                bytes.extend_from_slice(&print.to_bytes());
                bytes.extend_from_slice(name);
            }
            if parts & SUM != 0 {
                bytes.extend_from_slice(&given.sum.mantissa.to_le_bytes());
                bytes.push(given.sum.scale);
            }
            if parts & VALUE != 0 {
                bytes.extend_from_slice(&given.value.to_bytes());
            }
        });
    }

    /// Notes that an event of a key came too late.
    pub(super) fn late(&self, stream: u32, key: Print, until: i64) {
        self.pending().write(|bytes| {
            bytes.push(b'l');
            bytes.extend_from_slice(&stream.to_le_bytes());
            bytes.extend_from_slice(&key.to_bytes());
            bytes.extend_from_slice(&until.to_le_bytes());
        });
    }

    /// Notes that there was no room for a key.
    pub(super) fn refused(&self, stream: u32, until: i64) {
        self.pending().write(|bytes| {
            bytes.push(b'r');
            bytes.extend_from_slice(&stream.to_le_bytes());
            bytes.extend_from_slice(&until.to_le_bytes());
        });
    }

    /// Notes that the clock was set back.
    pub(super) fn rewound(&self, stream: u32, now: i64) {
        self.pending().write(|bytes| {
            bytes.push(b'w');
            bytes.extend_from_slice(&stream.to_le_bytes());
            bytes.extend_from_slice(&now.to_le_bytes());
        });
    }

    /// Keeps what was recorded.
    pub(super) fn flush(&self) {
        if self.pending().bytes.is_empty() {
            // Another thread may be writing what was recorded here.
            drop(self.writing());
            return;
        }
        let writing = self.writing();
        let bytes = std::mem::take(&mut self.pending().bytes);
        if !bytes.is_empty() && self.keeper.append(&bytes).is_err() {
            self.lose();
        }
        drop(writing);
    }

    fn lose(&self) {
        self.losses.fetch_add(1, Ordering::Relaxed);
        // Each time: it may not have been possible to write it down before.
        self.keeper.lose();
    }

    /// Whether something that was counted could not be kept.
    pub(super) fn is_lossy(&self) -> bool {
        self.losses.load(Ordering::Relaxed) > 0
    }

    /// Begins a new log, and says where.
    fn rotate(&self) -> io::Result<u64> {
        let writing = self.writing();
        let mut pending = self.pending();
        let bytes = std::mem::take(&mut pending.bytes);
        if !bytes.is_empty() && self.keeper.append(&bytes).is_err() {
            self.lose();
        }
        let start = pending.position;
        pending.write(|bytes| {
            bytes.push(b's');
            bytes.extend_from_slice(&self.secret.bytes());
        });
        let numbers = pending.numbers.iter();
        let mut numbers: Vec<_> = numbers.map(|(known, n)| (*n, known.clone())).collect();
        numbers.sort_unstable_by_key(|(number, _)| *number);
        for (number, identity) in numbers {
            pending.write(|bytes| write_stream(bytes, b'm', number, &identity));
        }
        let head = std::mem::take(&mut pending.bytes);
        self.keeper.begin(start, &head)?;
        drop(pending);
        drop(writing);
        Ok(start)
    }

    /// Puts a snapshot in the place of the logs so far. The pieces are made while others go on to
    /// count.
    pub(super) fn snapshot(&self, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> io::Result<()> {
        let position = self.rotate()?;
        let losses = self.losses.load(Ordering::Relaxed);
        self.keeper.snapshot(position, pieces)?;
        // What was lost before is in it; what was lost meanwhile may not be. Nobody loses anything
        // while the mark is taken back.
        let _writing = self.writing();
        let mended = self
            .losses
            .compare_exchange(losses, 0, Ordering::Relaxed, Ordering::Relaxed);
        match mended {
            Ok(_) => self.keeper.mend(),
            Err(_) => Ok(()),
        }
    }
}

/// Bytes in front of a record.
const HEAD: usize = 8;

/// Of an event that was counted: it surely passes, it has an amount, it has a value.
const SURE: u8 = 1;
const SUM: u8 = 2;
const VALUE: u8 = 4;

impl Pending {
    fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEAD]);
        write(&mut self.bytes);
        let body = self.bytes.get(start + HEAD..).unwrap_or_default();
        let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
        let sum = crc32fast::hash(body).to_le_bytes();
        let lengths = [length, !length].into_iter().flat_map(u16::to_le_bytes);
        let head = lengths.chain(sum);
        let room = self.bytes.get_mut(start..).unwrap_or_default();
        room.iter_mut().zip(head).for_each(|(to, from)| *to = from);
        self.position += (self.bytes.len() - start) as u64;
    }
}

fn write_stream(bytes: &mut Vec<u8>, letter: u8, number: u32, identity: &Identity) {
    bytes.push(letter);
    bytes.extend_from_slice(&number.to_le_bytes());
    identity.write(bytes);
}

/// Bytes that are read from the front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn print(&mut self) -> Option<Print> {
        self.array().map(Print::of_bytes)
    }

    /// The next record; `None` at the end, and where a record is not whole: its writer ended before
    /// it was.
    pub(super) fn record(&mut self) -> Option<Record<'b>> {
        let mut ahead = *self;
        let length = ahead.length()?;
        let sum = ahead.u32()?;
        let body = ahead.take(length.into())?;
        if crc32fast::hash(body) != sum {
            return None;
        }
        let record = Reader(body).body()?;
        *self = ahead;
        Some(record)
    }

    /// Whether what is left is nothing, or the beginning of a record whose writer ended before it was
    /// whole. Anything else is damage.
    pub(super) fn is_torn(mut self) -> bool {
        let all = self.0.len();
        all < HEAD
            || self
                .length()
                .is_some_and(|length| all < HEAD + usize::from(length))
    }

    /// The length of a record, if both ways in which it stands there agree.
    fn length(&mut self) -> Option<u16> {
        let (length, complement) = (self.u16()?, self.u16()?);
        (length == !complement).then_some(length)
    }

    fn body(mut self) -> Option<Record<'b>> {
        let record = match self.byte()? {
            b's' => Record::Secret(Secret::of(self.array()?)),
            b'm' => Record::Stream(self.u32()?, Identity::read(&mut self)?),
            b'd' => Record::Dropped(Identity::read(&mut self)?),
            b'n' => Record::Renamed(self.u32()?, Identity::read(&mut self)?),
            b'b' => Record::Begun {
                stream: self.u32()?,
                lost_at: self.i64()?,
            },
            b'c' => {
                let (stream, key) = (self.u32()?, self.print()?);
                let (newest, at) = (self.i64()?, self.i64()?);
                let parts = self.byte()?;
                let length = self.u16()?;
                let id = match length {
                    0 => None,
                    length => Some((self.print()?, self.take(length.into())?)),
                };
                let given = Given {
                    at,
                    lateness: i64::MAX,
                    id,
                    sure: parts & SURE != 0,
                    sum: match parts & SUM {
                        0 => Decimal::default(),
                        _ => Decimal {
                            mantissa: self.array().map(i128::from_le_bytes)?,
                            scale: self.byte()?,
                        },
                    },
                    value: match parts & VALUE {
                        0 => Print::default(),
                        _ => self.print()?,
                    },
                };
                Record::Counted {
                    stream,
                    key,
                    newest,
                    given,
                }
            }
            b'l' => Record::Late {
                stream: self.u32()?,
                key: self.print()?,
                until: self.i64()?,
            },
            b'w' => Record::Rewound {
                stream: self.u32()?,
                now: self.i64()?,
            },
            b'r' => Record::Refused {
                stream: self.u32()?,
                until: self.i64()?,
            },
            _ => return None,
        };
        self.0.is_empty().then_some(record)
    }
}
