//! What does not fit: where, and what that means.
//!
//! In: nothing. Out: faults, each with its place and a sentence for people.
//! Invariant: a message says what was found, and guesses only where it says so.
//! Knows nothing of how a fault is found.

use std::fmt;

use serde::Serialize;

use super::checkpoint::Checkpoint;
use super::row::Row;

/// Where a fault is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At a row.
    Row {
        /// Its position in the store.
        seq: u64,
        /// Whose store it is in.
        tenant: String,
        /// The escalation whose chain it is in.
        escalation: String,
        /// Its place in the chain, from 1.
        n: u64,
    },
    /// At a checkpoint.
    Checkpoint {
        /// Its place among the checkpoints, from 1.
        n: u64,
        /// The last position that it covers.
        seq: u64,
    },
}

impl From<&Row> for Place {
    fn from(row: &Row) -> Self {
        Self::Row {
            seq: row.seq,
            tenant: row.tenant.clone(),
            escalation: row.escalation.clone(),
            n: row.n,
        }
    }
}

impl From<&Checkpoint> for Place {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self::Checkpoint {
            n: checkpoint.n,
            seq: checkpoint.seq,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row {
                seq,
                tenant,
                escalation,
                n,
            } => write!(
                f,
                "row {n} of escalation `{escalation}` of `{tenant}`, position {seq}"
            ),
            Self::Checkpoint { n, seq } => write!(f, "checkpoint {n}, up to position {seq}"),
        }
    }
}

/// Something that does not fit. Its text says where and what that means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// A row's hash is not that of its content.
    #[error("{place}: the row does not fit its own hash: it was changed")]
    RowChanged {
        /// The row.
        place: Place,
    },
    /// Rows of a chain are not there.
    #[error(
        "{place}: row {expected} of this escalation should come next: {} missing",
        rows_are(*missing)
    )]
    RowsSkipped {
        /// The row behind the gap.
        place: Place,
        /// The place in the chain that should have come.
        expected: u64,
        /// How many rows are not there.
        missing: u64,
    },
    /// A place of a chain comes again, or comes after a later one.
    #[error(
        "{place}: row {expected} of this escalation should come next: \
         this one was doubled, moved or put in"
    )]
    RowRepeated {
        /// The row that should not be here.
        place: Place,
        /// The place in the chain that should have come.
        expected: u64,
    },
    /// A row holds another hash than that of the row before it.
    #[error(
        "{place}: the row does not follow the one before it in its escalation: \
         one of the two was replaced"
    )]
    RowUnlinked {
        /// The later of the two.
        place: Place,
    },
    /// A position is not behind the one before it.
    #[error("{place}: the row stands behind position {before}: rows were doubled or moved")]
    RowOutOfOrder {
        /// The row.
        place: Place,
        /// The position of the row before it.
        before: u64,
    },
    /// A payload does not fit its digest.
    #[error("{place}: the text of the row does not fit its digest: it was changed")]
    PayloadChanged {
        /// The row whose payload it is.
        place: Place,
    },
    /// A payload is not there, and there is no tombstone.
    #[error("{place}: the text of the row is missing, and nothing says that it was erased")]
    PayloadMissing {
        /// The row whose payload it is.
        place: Place,
    },
    /// Payloads of a chain have tombstones, and no row behind them says that they were erased.
    #[error("{place}: the text of the row was erased, and no later row of the escalation says so")]
    ErasedUnsaid {
        /// The last row of the chain that has a tombstone.
        place: Place,
    },
    /// A checkpoint's hash is not that of its content.
    #[error("{place}: the checkpoint does not fit its own hash: it was changed")]
    CheckpointChanged {
        /// The checkpoint.
        place: Place,
    },
    /// A checkpoint cannot stand behind the one before it.
    #[error(
        "{place}: the checkpoint {}: checkpoints are missing, doubled, moved or replaced",
        cannot_follow(*after)
    )]
    CheckpointUnlinked {
        /// The later of the two.
        place: Place,
        /// The one before it; none if this is the first that is there.
        after: Option<u64>,
    },
    /// A checkpoint came after rows that it does not cover, so that it cannot be held against those
    /// that it does.
    #[error("{place}: the checkpoint stands behind the row at position {behind}: it was moved")]
    CheckpointLate {
        /// The checkpoint.
        place: Place,
        /// The position of a row in front of it.
        behind: u64,
    },
    /// There are fewer chains than a checkpoint pins.
    #[error(
        "{place}: {} since the checkpoint before it, and {} missing: \
         cut off, or a whole escalation",
        chains_have_none(*chains),
        rows_are(*rows)
    )]
    ChainsMissing {
        /// The checkpoint.
        place: Place,
        /// How many chains are not there.
        chains: u64,
        /// How many rows are not there.
        rows: u64,
    },
    /// There are fewer rows than a checkpoint counts, though no chain is missing.
    #[error(
        "{place}: {} missing that it counts: cut off an escalation, unless a gap is named before",
        rows_are(*rows)
    )]
    TailMissing {
        /// The checkpoint.
        place: Place,
        /// How many rows are not there.
        rows: u64,
    },
    /// There are more rows than a checkpoint counts.
    #[error("{place}: {} there that it does not count: added behind its back", rows_are(*rows))]
    RowsAdded {
        /// The checkpoint.
        place: Place,
        /// How many rows are too many.
        rows: u64,
    },
    /// There are as many rows as a checkpoint counts, and the chains do not end as it pins them.
    #[error(
        "{place}: the escalations do not end with the rows that it pins: rows were replaced, \
         or another checkpoint is missing"
    )]
    HeadsDiffer {
        /// The checkpoint.
        place: Place,
    },
    /// A checkpoint that an auditor kept is not intact itself.
    #[error("{place}: the checkpoint that was kept elsewhere does not fit its own hash")]
    KeptChanged {
        /// The auditor's checkpoint.
        place: Place,
    },
    /// The store has another checkpoint in the place of one that an auditor kept.
    #[error(
        "{place}: the checkpoint that was kept elsewhere is another than the one here: \
         the history up to it was rewritten"
    )]
    Rewritten {
        /// The auditor's checkpoint.
        place: Place,
    },
    /// The store does not have a checkpoint that an auditor kept.
    #[error(
        "{place}: the checkpoint that was kept elsewhere is not here: {}",
        cut(*rows)
    )]
    Cut {
        /// The auditor's checkpoint.
        place: Place,
        /// How many rows the store has too few, at least.
        rows: u64,
    },
}

fn rows_are(rows: u64) -> String {
    match rows {
        1 => "1 row is".to_owned(),
        _ => format!("{rows} rows are"),
    }
}

fn chains_have_none(chains: u64) -> String {
    match chains {
        1 => "1 escalation that it pins has no rows".to_owned(),
        _ => format!("{chains} escalations that it pins have no rows"),
    }
}

fn cannot_follow(after: Option<u64>) -> String {
    match after {
        None => "cannot be the first".to_owned(),
        Some(n) => format!("cannot stand behind checkpoint {n}"),
    }
}

fn cut(rows: u64) -> String {
    match rows {
        0 => "it was removed".to_owned(),
        _ => format!(
            "the end was cut off, and {} missing at least",
            rows_are(rows)
        ),
    }
}

impl Fault {
    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        match self {
            Self::RowChanged { place }
            | Self::RowsSkipped { place, .. }
            | Self::RowRepeated { place, .. }
            | Self::RowUnlinked { place }
            | Self::RowOutOfOrder { place, .. }
            | Self::PayloadChanged { place }
            | Self::PayloadMissing { place }
            | Self::ErasedUnsaid { place }
            | Self::CheckpointChanged { place }
            | Self::CheckpointUnlinked { place, .. }
            | Self::CheckpointLate { place, .. }
            | Self::ChainsMissing { place, .. }
            | Self::TailMissing { place, .. }
            | Self::RowsAdded { place, .. }
            | Self::HeadsDiffer { place }
            | Self::KeptChanged { place }
            | Self::Rewritten { place }
            | Self::Cut { place, .. } => place,
        }
    }
}
