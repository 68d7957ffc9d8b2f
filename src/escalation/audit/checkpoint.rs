//! Checkpoints: all chains of a store, pinned.
//!
//! In: the ends of the chains that got rows since the last checkpoint. Out: the next one.
//! Invariant: a checkpoint costs what is new and pins all that there is, because it covers the hash of
//! the one before it.
//! Knows nothing of single rows.

use serde::{Deserialize, Serialize};

use super::digest::{Digest, Parts};
use super::merkle;
use super::row::{Head, whole_micros};
use crate::clock::{Timestamp, rfc3339};

/// What all chains of a store were at a position. It pins all rows up to `seq`: its root those that
/// came since the checkpoint before it, and through `previous` those before them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Its place among the checkpoints of the store, from 1, without gaps.
    pub n: u64,
    /// The last position that it covers.
    pub seq: u64,
    /// All rows up to there.
    pub rows: u64,
    /// The chains that got rows since the checkpoint before it.
    pub chains: u64,
    /// The Merkle root over the ends of those chains, sorted by (tenant, escalation).
    pub root: Digest,
    /// The hash of the checkpoint before it; zeros for the first.
    pub previous: Digest,
    /// The hash of all the rest of it.
    pub hash: Digest,
    /// When it was made, in whole microseconds.
    #[serde(with = "rfc3339")]
    pub at: Timestamp,
}

impl Checkpoint {
    /// The hash that its content has.
    fn content(&self) -> Digest {
        Parts::of("laneway.audit.checkpoint/1")
            .number(self.n)
            .number(self.seq)
            .number(self.rows)
            .number(self.chains)
            .digest(self.root)
            .digest(self.previous)
            .instant(self.at)
            .hash()
    }

    /// Whether its hash is that of its content. A part of a microsecond could not be hashed.
    pub(super) fn fits(&self) -> bool {
        self.hash == self.content() && self.at == whole_micros(self.at)
    }

    /// Whether it can stand directly behind another, or first of all.
    pub(super) fn follows(&self, before: Option<&Self>) -> bool {
        let (n, seq, rows, hash) = before.map_or((0, 0, 0, Digest::default()), |c| {
            (c.n, c.seq, c.rows, c.hash)
        });
        self.n.checked_sub(1) == Some(n)
            && self.previous == hash
            && self.seq >= seq
            && self.rows >= rows
    }
}

/// Makes the checkpoint behind `previous`, up to position `seq`.
///
/// `heads` are the ends, at that position, of the chains that got rows since `previous`: each chain
/// once, in any order. `added_rows` is how many rows these got. The instant is cut to whole
/// microseconds.
///
/// No row may come at a position up to `seq` afterwards. A store that gives out positions before it
/// commits has to take a `seq` below which nothing is still open.
#[must_use]
pub fn checkpoint(
    previous: Option<&Checkpoint>,
    heads: &[Head],
    seq: u64,
    added_rows: u64,
    at: Timestamp,
) -> Checkpoint {
    let mut checkpoint = Checkpoint {
        n: previous.map_or(0, |before| before.n).saturating_add(1),
        seq,
        rows: previous
            .map_or(0, |before| before.rows)
            .saturating_add(added_rows),
        chains: heads.len() as u64,
        root: root_of(heads.iter().map(HeadRef::of).collect()),
        previous: previous.map(|before| before.hash).unwrap_or_default(),
        hash: Digest::default(),
        at: whole_micros(at),
    };
    checkpoint.hash = checkpoint.content();
    checkpoint
}

/// A [`Head`] that is held elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HeadRef<'a> {
    pub(super) tenant: &'a str,
    pub(super) escalation: &'a str,
    pub(super) n: u64,
    pub(super) hash: Digest,
}

impl<'a> HeadRef<'a> {
    fn of(head: &'a Head) -> Self {
        Self {
            tenant: &head.tenant,
            escalation: &head.escalation,
            n: head.n,
            hash: head.hash,
        }
    }

    fn leaf(self) -> Digest {
        Parts::behind(merkle::LEAF, "laneway.audit.head/1")
            .text(self.tenant)
            .text(self.escalation)
            .number(self.n)
            .digest(self.hash)
            .hash()
    }
}

/// The Merkle root over the ends of chains, whatever their order.
pub(super) fn root_of(mut heads: Vec<HeadRef<'_>>) -> Digest {
    heads.sort_unstable();
    merkle::root(heads.into_iter().map(HeadRef::leaf))
}
