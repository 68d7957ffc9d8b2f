//! Rows, their chains, and what becomes of payloads.
//!
//! In: what happened to an escalation. Out: the next row of its chain.
//! Invariant: a row's hash covers all of it but its position, and through `previous` all rows before it.
//! Knows nothing of checkpoints.

use serde::{Deserialize, Serialize};

use super::digest::{Digest, Parts, Salt};
use crate::clock::{Timestamp, rfc3339};

/// One row of an escalation's chain, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its position among all rows of the store: strictly increasing, gaps allowed. Not hashed.
    pub seq: u64,
    /// Whose store it is in.
    pub tenant: String,
    /// The escalation whose chain it belongs to.
    pub escalation: String,
    /// Its place in the chain, from 1, without gaps.
    pub n: u64,
    /// When it happened, in whole microseconds.
    #[serde(with = "rfc3339")]
    pub at: Timestamp,
    /// What happened, in a word.
    pub kind: String,
    /// The digest of its payload ([`seal`]).
    pub payload: Digest,
    /// The hash of the row before it in the chain; zeros for the first.
    pub previous: Digest,
    /// Its own hash ([`link`]).
    pub hash: Digest,
}

impl Row {
    /// The end of the chain, if this is its last row.
    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            tenant: self.tenant.clone(),
            escalation: self.escalation.clone(),
            n: self.n,
            hash: self.hash,
        }
    }

    /// Whether its hash is that of its content. A part of a microsecond could not be hashed.
    pub(super) fn fits(&self) -> bool {
        let hash = link(
            self.previous,
            &self.tenant,
            &self.escalation,
            self.n,
            self.at,
            &self.kind,
            self.payload,
        );
        self.hash == hash && self.at == whole_micros(self.at)
    }
}

/// The end of a chain: its last row's place and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Whose store it is in.
    pub tenant: String,
    /// The escalation whose chain it is.
    pub escalation: String,
    /// How many rows the chain has.
    pub n: u64,
    /// The hash of the last one; zeros if there is none.
    pub hash: Digest,
}

impl Head {
    /// The end of a chain that has no row yet.
    #[must_use]
    pub fn start(tenant: &str, escalation: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            escalation: escalation.to_owned(),
            n: 0,
            hash: Digest::default(),
        }
    }

    /// The next row of the chain, at a position of the store. The instant is cut to whole
    /// microseconds.
    #[must_use]
    pub fn next(&self, seq: u64, at: Timestamp, kind: &str, payload: Digest) -> Row {
        let at = whole_micros(at);
        let n = self.n.saturating_add(1);
        let hash = link(
            self.hash,
            &self.tenant,
            &self.escalation,
            n,
            at,
            kind,
            payload,
        );
        Row {
            seq,
            tenant: self.tenant.clone(),
            escalation: self.escalation.clone(),
            n,
            at,
            kind: kind.to_owned(),
            payload,
            previous: self.hash,
            hash,
        }
    }
}

/// What became of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// It is there.
    Kept {
        /// What it was sealed with.
        salt: Salt,
        /// Its text, to the byte.
        body: String,
    },
    /// It was erased, with its salt, and this tombstone is left.
    Erased {
        /// When.
        at: Timestamp,
        /// By whom.
        by: String,
        /// Why.
        why: String,
    },
    /// It is not there, and nothing says why.
    Missing,
}

/// The salted digest of a payload.
#[must_use]
pub fn seal(salt: Salt, payload: &str) -> Digest {
    Parts::of("laneway.audit.payload/1")
        .salt(salt)
        .text(payload)
        .hash()
}

/// The hash of a row: of all that it holds, but not of its position.
#[must_use]
pub fn link(
    previous: Digest,
    tenant: &str,
    escalation: &str,
    n: u64,
    at: Timestamp,
    kind: &str,
    payload: Digest,
) -> Digest {
    Parts::of("laneway.audit.row/1")
        .digest(previous)
        .text(tenant)
        .text(escalation)
        .number(n)
        .instant(at)
        .text(kind)
        .digest(payload)
        .hash()
}

/// An instant without its part of a microsecond: what is hashed of it, and what every database keeps.
#[must_use]
pub fn whole_micros(at: Timestamp) -> Timestamp {
    // What came from an instant is in the range of instants.
    Timestamp::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}
