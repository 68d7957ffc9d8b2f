//! The audit of escalations: what was done, so that a change of it afterwards is found.
//!
//! In: what happened to escalations, as rows. Out: their hashes, checkpoints over all of them, and a
//! report of whether they still fit.
//! Invariant: what is hashed is unambiguous, and spelt out here, so that another program can check it.
//! Knows nothing of what a row means, nor of where it is kept.
//!
//! # What is kept
//! Each escalation has a *chain* of [`Row`]s. A row holds the hash of the row before it, and the
//! digest of its *payload*: the input, the evidence, comments, names. The payload itself lies
//! elsewhere, with a random [`Salt`] of its own. Both can be erased. The chain still fits then, and
//! nobody can guess from the digest what the payload was. A payload that is gone without a tombstone
//! ([`Payload::Missing`]) is a fault, and so are tombstones of a chain that has no row of the kind
//! `erased` behind them ([`Fault::ErasedUnsaid`]).
//!
//! A chain does not show that its last rows are missing, or that it is missing as a whole. A
//! [`Checkpoint`] does: it pins the ends of all chains that got rows since the checkpoint before it,
//! and that checkpoint as well. Who can write the store can make all of it anew; an auditor who kept
//! one checkpoint elsewhere finds that too ([`Verifier::new`]).
//!
//! # What is not covered
//! - Rows behind the last checkpoint may be cut off. [`Report::unchecked_tail`] counts them.
//! - `seq` is not hashed, so that a store can be copied into another. What it stands for is checked:
//!   rows are in its order, those of a chain in the order of `n`, and a checkpoint covers exactly
//!   the rows up to its `seq`.
//! - Tombstones are not hashed, so that what one says may be changed. [`Report::erased`] counts them, and
//!   the row `erased` of their chain, which is hashed, says by whom and why. Who can write the store can
//!   put a tombstone in front of such a row that was not erased then, or write such a row.
//!
//! # What is hashed
//! All hashes are SHA-256. Their input is a sequence of these, without anything between them:
//!
//! | part | bytes |
//! |---|---|
//! | number | 8, the most significant first, unsigned |
//! | instant | 8, the most significant first, two's complement: microseconds since 1970 in universal time, without leap seconds |
//! | text | its length in bytes as a number, then itself in UTF-8 |
//! | digest, salt | 32 or 16, as they are |
//!
//! | hash | input |
//! |---|---|
//! | payload ([`seal`]) | text `laneway.audit.payload/1`, salt, text body |
//! | row ([`link`]) | text `laneway.audit.row/1`, digest `previous`, text `tenant`, text `escalation`, number `n`, instant `at`, text `kind`, digest `payload` |
//! | head ([`Head`]) | the byte 0, then text `laneway.audit.head/1`, text `tenant`, text `escalation`, number `n`, digest `hash` |
//! | node | the byte 1, digest of the left, digest of the right |
//! | checkpoint | text `laneway.audit.checkpoint/1`, number `n`, number `seq`, number `rows`, number `chains`, digest `root`, digest `previous`, instant `at` |
//!
//! `previous` is zeros for the first row of a chain and for the first checkpoint. `root` is the
//! Merkle tree hash of RFC 6962, section 2.1, over the heads in the order of the bytes of (tenant,
//! escalation): of one head it is the hash of that head; of more it is a node, whose left covers the
//! largest power of two that is less than their number; of none it is the SHA-256 of nothing.
//!
//! # The exported form
//! One object a line ([`Line`]): the rows in the order of `seq`, and each checkpoint behind the last
//! row that it covers.
//!
//! ```json
//! {"row":{"seq":1,"tenant":"main","escalation":"e1","n":1,"at":"2026-01-07T12:00:00Z","kind":"opened","payload":"..","previous":"..","hash":".."},"payload":{"salt":"..","body":".."}}
//! {"row":{..},"payload":{"erased":{"at":"2026-02-01T00:00:00Z","by":"..","why":".."}}}
//! {"checkpoint":{"n":1,"seq":2,"rows":2,"chains":1,"root":"..","previous":"..","hash":"..","at":"2026-01-07T13:00:00Z"}}
//! ```

mod checkpoint;
mod digest;
mod export;
mod fault;
mod merkle;
mod row;
mod verify;

pub use checkpoint::{Checkpoint, checkpoint};
pub use digest::{Digest, HexError, Salt};
pub use export::{Line, LineError};
pub use fault::{Fault, Place};
pub use row::{Head, Payload, Row, link, seal, whole_micros};
pub use verify::{Report, Verifier};

#[cfg(test)]
mod tests;
