//! Whether rows, payloads and checkpoints still fit together.
//!
//! In: rows with what became of their payloads, in the order of `seq`; checkpoints; those that an
//! auditor kept elsewhere. Out: a [`Report`].
//! Invariant: memory follows the chains and the checkpoints that wait for their rows, not the rows.
//! One change makes few faults: what comes next is held against what is there.
//! Knows nothing of where the rows come from.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;

use super::checkpoint::{Checkpoint, HeadRef, root_of};
use super::digest::Digest;
use super::export::Line;
use super::fault::{Fault, Place};
use super::row::{Payload, Row, seal};
use crate::limits::AUDIT_FAULTS;

/// The kind of the row that says that payloads of its chain were erased.
const ERASED: &str = "erased";

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The rows that were read.
    pub rows: u64,
    /// The chains that they belong to.
    pub chains: u64,
    /// The checkpoints that were read.
    pub checkpoints: u64,
    /// The payloads that were erased with a tombstone.
    pub erased: u64,
    /// The rows behind the last checkpoint: they fit, and nothing says whether they are all.
    pub unchecked_tail: u64,
    /// What does not fit, in the order in which it was met.
    pub faults: Vec<Fault>,
    /// The faults beyond [`AUDIT_FAULTS`], which are only counted.
    pub more_faults: u64,
}

impl Report {
    /// Whether everything fits.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < AUDIT_FAULTS {
            self.faults.push(fault);
        } else {
            self.more_faults = self.more_faults.saturating_add(1);
        }
    }
}

/// The end of a chain, as far as it was read.
#[derive(Debug, Default)]
struct Chain {
    n: u64,
    hash: Digest,
    /// The stretch in which it got its last row; stretches are numbered from 1.
    stretch: u64,
    /// The last row whose payload has a tombstone, as long as no row behind it says so.
    unsaid: Option<(u64, u64)>,
}

/// Reads a store from its first row to its last.
///
/// Rows come in the order of `seq`. Checkpoints come in the order of `n`, each before the first row
/// behind its `seq`: all of them at the start, or each where it stands in an export.
#[derive(Debug)]
pub struct Verifier {
    report: Report,
    /// By tenant and escalation.
    chains: HashMap<(String, String), Chain>,
    /// The chains that got rows in this stretch: behind the last checkpoint that was settled.
    touched: Vec<(String, String)>,
    /// The number of this stretch.
    stretch: u64,
    /// The position of the row before.
    seq: Option<u64>,
    /// The last checkpoint that came in.
    last: Option<Checkpoint>,
    /// The rows that the last settled checkpoint counts.
    settled_rows: u64,
    /// Checkpoints that wait until all their rows were there.
    waiting: VecDeque<Checkpoint>,
    /// The auditor's checkpoints that were not met yet, the earliest first.
    kept: VecDeque<Checkpoint>,
}

impl Verifier {
    /// Begins, with the checkpoints that an auditor kept elsewhere, if any.
    #[must_use]
    pub fn new(mut kept: Vec<Checkpoint>) -> Self {
        let mut report = Report::default();
        kept.sort_by_key(|kept| kept.n);
        kept.retain(|kept| {
            let fits = kept.fits();
            if !fits {
                let place = Place::from(kept);
                report.fault(Fault::KeptChanged { place });
            }
            fits
        });
        Self {
            report,
            chains: HashMap::new(),
            touched: Vec::new(),
            stretch: 1,
            seq: None,
            last: None,
            settled_rows: 0,
            waiting: VecDeque::new(),
            kept: kept.into(),
        }
    }

    /// Takes the next checkpoints of the store. What waits for its rows is held in memory.
    pub fn checkpoints(&mut self, checkpoints: impl IntoIterator<Item = Checkpoint>) {
        for checkpoint in checkpoints {
            self.checkpoint(checkpoint);
        }
    }

    /// Takes the next line of an export.
    pub fn line(&mut self, line: &Line) {
        match line {
            Line::Row { row, payload } => self.row(row, payload),
            Line::Checkpoint(checkpoint) => self.checkpoint(checkpoint.clone()),
        }
    }

    fn checkpoint(&mut self, checkpoint: Checkpoint) {
        let place = || Place::from(&checkpoint);
        self.report.checkpoints += 1;
        if !checkpoint.fits() {
            self.report
                .fault(Fault::CheckpointChanged { place: place() });
        }
        if !checkpoint.follows(self.last.as_ref()) {
            self.report.fault(Fault::CheckpointUnlinked {
                place: place(),
                after: self.last.as_ref().map(|last| last.n),
            });
        }
        if let Some(behind) = self.seq.filter(|seq| *seq > checkpoint.seq) {
            self.report.fault(Fault::CheckpointLate {
                place: place(),
                behind,
            });
        }
        self.hold_against_kept(&checkpoint);
        self.last = Some(checkpoint.clone());
        self.waiting.push_back(checkpoint);
    }

    /// Those that an auditor kept from this place.
    fn hold_against_kept(&mut self, checkpoint: &Checkpoint) {
        while let Some(kept) = pop_if(&mut self.kept, |kept| kept.n <= checkpoint.n) {
            let place = Place::from(&kept);
            if kept.n < checkpoint.n {
                self.report.fault(Fault::Cut { place, rows: 0 });
            } else if kept.hash != checkpoint.hash {
                self.report.fault(Fault::Rewritten { place });
            }
        }
    }

    /// Takes the next row of the store, and what became of its payload.
    pub fn row(&mut self, row: &Row, payload: &Payload) {
        while let Some(checkpoint) = pop_if(&mut self.waiting, |front| front.seq < row.seq) {
            self.settle(&checkpoint);
        }
        let place = || Place::from(row);
        self.report.rows += 1;
        self.report.unchecked_tail += 1;
        if let Some(before) = self.seq.filter(|seq| *seq >= row.seq) {
            self.report.fault(Fault::RowOutOfOrder {
                place: place(),
                before,
            });
        }
        self.seq = Some(row.seq);
        if !row.fits() {
            self.report.fault(Fault::RowChanged { place: place() });
        }
        match payload {
            Payload::Kept { salt, body } if seal(*salt, body) == row.payload => {}
            Payload::Kept { .. } => self.report.fault(Fault::PayloadChanged { place: place() }),
            Payload::Erased { .. } => self.report.erased += 1,
            Payload::Missing => self.report.fault(Fault::PayloadMissing { place: place() }),
        }
        self.append(row);
        self.note_tombstone(row, payload);
    }

    /// Remembers a tombstone until a row of its chain says that there was an erasing.
    fn note_tombstone(&mut self, row: &Row, payload: &Payload) {
        let name = (row.tenant.clone(), row.escalation.clone());
        let Some(chain) = self.chains.get_mut(&name) else {
            return;
        };
        if matches!(payload, Payload::Erased { .. }) {
            chain.unsaid = Some((row.seq, row.n));
        } else if row.kind == ERASED {
            chain.unsaid = None;
        }
    }

    /// The tombstones of which no row speaks, in the order of `seq`.
    fn unsaid(&mut self) {
        let chains = self.chains.iter();
        let mut places: Vec<_> = chains
            .filter_map(|(name, chain)| Some((chain.unsaid?, name)))
            .collect();
        places.sort_unstable();
        for ((seq, n), (tenant, escalation)) in places {
            let (tenant, escalation) = (tenant.clone(), escalation.clone());
            let place = Place::Row {
                seq,
                tenant,
                escalation,
                n,
            };
            self.report.fault(Fault::ErasedUnsaid { place });
        }
    }

    /// Puts a row at the end of its chain.
    fn append(&mut self, row: &Row) {
        let name = (row.tenant.clone(), row.escalation.clone());
        let chain = self.chains.entry(name.clone()).or_default();
        if chain.stretch == 0 {
            self.report.chains += 1;
        }
        if chain.stretch != self.stretch {
            chain.stretch = self.stretch;
            self.touched.push(name);
        }
        let place = || Place::from(row);
        let expected = chain.n.saturating_add(1);
        if row.n < expected {
            self.report.fault(Fault::RowRepeated {
                place: place(),
                expected,
            });
            return;
        }
        if row.n > expected {
            self.report.fault(Fault::RowsSkipped {
                place: place(),
                expected,
                missing: row.n - expected,
            });
        } else if row.previous != chain.hash {
            self.report.fault(Fault::RowUnlinked { place: place() });
        }
        chain.n = row.n;
        chain.hash = row.hash;
    }

    /// Holds a checkpoint against the rows of this stretch, and begins the next.
    fn settle(&mut self, checkpoint: &Checkpoint) {
        let heads: Vec<HeadRef<'_>> = self
            .touched
            .iter()
            .filter_map(|name| {
                let chain = self.chains.get(name)?;
                Some(HeadRef {
                    tenant: &name.0,
                    escalation: &name.1,
                    n: chain.n,
                    hash: chain.hash,
                })
            })
            .collect();
        let found = Found {
            rows: self.settled_rows.saturating_add(self.report.unchecked_tail),
            chains: heads.len() as u64,
            root: root_of(heads),
        };
        if let Some(fault) = found.against(checkpoint) {
            self.report.fault(fault);
        }
        self.settled_rows = checkpoint.rows;
        self.report.unchecked_tail = 0;
        self.touched.clear();
        self.stretch += 1;
    }

    /// Says what was found.
    #[must_use]
    pub fn end(mut self) -> Report {
        while let Some(checkpoint) = self.waiting.pop_front() {
            self.settle(&checkpoint);
        }
        self.unsaid();
        while let Some(kept) = self.kept.pop_front() {
            self.report.fault(Fault::Cut {
                place: Place::from(&kept),
                rows: kept.rows.saturating_sub(self.report.rows),
            });
        }
        self.report
    }
}

/// The first of a queue, if it is one of those that are wanted.
fn pop_if(
    queue: &mut VecDeque<Checkpoint>,
    wanted: impl FnOnce(&Checkpoint) -> bool,
) -> Option<Checkpoint> {
    queue
        .front()
        .is_some_and(wanted)
        .then(|| queue.pop_front())
        .flatten()
}

/// What there is up to a checkpoint.
struct Found {
    /// The rows that the checkpoint before it counts, and those that came since.
    rows: u64,
    /// The chains that got rows since the checkpoint before it.
    chains: u64,
    root: Digest,
}

impl Found {
    /// What does not fit a checkpoint: the one fault that says most.
    fn against(&self, checkpoint: &Checkpoint) -> Option<Fault> {
        let place = Place::from(checkpoint);
        let missing = checkpoint.rows.saturating_sub(self.rows);
        let added = self.rows.saturating_sub(checkpoint.rows);
        let chains = checkpoint.chains.saturating_sub(self.chains);
        if added > 0 {
            Some(Fault::RowsAdded { place, rows: added })
        } else if chains > 0 {
            Some(Fault::ChainsMissing {
                place,
                chains,
                rows: missing,
            })
        } else if missing > 0 {
            Some(Fault::TailMissing {
                place,
                rows: missing,
            })
        } else if self.chains != checkpoint.chains || self.root != checkpoint.root {
            Some(Fault::HeadsDiffer { place })
        } else {
            None
        }
    }
}
