//! Where events have to go when several engines share a stream.
//!
//! In: a matrix. Out: for each kind the fields by whose values its events have to be shared out, and
//! the number of an event for that.
//! Invariant: events that one window counts or is asked for have one number, whatever their kinds.
//!
//! The number of an event is the first 8 bytes, big-endian, of the SHA-256 of the values of its fields
//! in the order of their paths, each with its length in front (4 bytes, little-endian): a text as UTF-8
//! (in lower case where case is ignored), a word as its text, yes and no as one byte, a whole number,
//! an instant (nanoseconds since 1970) and a duration (milliseconds) as 8 bytes, little-endian, a
//! decimal as its digits without trailing zeros (16 bytes, little-endian) and its places (4 bytes). Of
//! `n` engines it goes to that of the number modulo `n`. This does not change.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::event::Event;
use crate::matrix::{Matrix, MeasureId};
use crate::program::KindProgram;
use crate::program::gauge::Writing;
use crate::reference::{Facts, value_of};
use crate::schema::{FieldId, KindId};

/// How the events of a matrix can be shared out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partitions {
    /// The kinds that measures have to do with, in the order of the matrix.
    pub kinds: Vec<Partition>,
}

/// How the events of a kind can be shared out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// The kind.
    pub kind: KindId,
    /// The fields, in the order of their paths. Without any one engine has to see all its events:
    /// several have lower bounds.
    pub by: Vec<FieldId>,
    /// The measures that count its events or are asked for by its lanes and rules.
    pub measures: Vec<MeasureId>,
}

impl Partitions {
    /// Those of a matrix; `kinds` are those of its program.
    #[must_use]
    pub fn of(matrix: &Matrix, kinds: &[KindProgram]) -> Self {
        let has =
            |kind: &KindProgram, id: MeasureId| kind.gauges.iter().any(|gauge| gauge.measure == id);
        let ids = (0u32..).map(MeasureId).take(matrix.measures.len());
        let declared = matrix.schema.kinds().iter().zip(kinds);
        let mut plans: Vec<Partition> = declared
            .map(|(declared, kind)| Partition {
                kind: declared.id,
                by: Vec::new(),
                measures: ids
                    .clone()
                    .filter(|id| match &kind.reference {
                        // Of what is not compiled it is not known which measures it asks for.
                        Some(_) => true,
                        None => has(kind, *id),
                    })
                    .collect(),
            })
            .filter(|plan| !plan.measures.is_empty())
            .collect();
        for at in 0..plans.len() {
            let together = together(&plans, at);
            let by = shared(matrix, &together);
            if let Some(plan) = plans.get_mut(at) {
                plan.by = by;
            }
        }
        Self { kinds: plans }
    }

    /// The number of an event by its key; `None` where no window has to do with it.
    #[must_use]
    pub fn number(&self, matrix: &Matrix, event: &Event) -> Option<u64> {
        let plan = self.kinds.iter().find(|plan| plan.kind == event.kind)?;
        let facts = Facts::without_past(matrix, event)?;
        let mut writing = Writing::default();
        for field in &plan.by {
            let value = value_of(&facts, *field)?;
            writing.part(|part| part.value(&value));
        }
        let hash = Sha256::digest(writing.bytes());
        let front = hash.first_chunk::<8>()?;
        Some(u64::from_be_bytes(*front))
    }
}

/// All measures that have to be with those of a kind, since a kind has to do with both.
fn together(plans: &[Partition], at: usize) -> BTreeSet<MeasureId> {
    let first = plans.get(at).map(|plan| plan.measures.iter().copied());
    let mut all: BTreeSet<MeasureId> = first.into_iter().flatten().collect();
    loop {
        let before = all.len();
        for plan in plans {
            if plan.measures.iter().any(|id| all.contains(id)) {
                all.extend(&plan.measures);
            }
        }
        if all.len() == before {
            return all;
        }
    }
}

/// The fields that all keys have, in the order of their paths.
fn shared(matrix: &Matrix, measures: &BTreeSet<MeasureId>) -> Vec<FieldId> {
    let keys = measures.iter().filter_map(|id| matrix.measure(*id));
    let mut keys = keys.map(|measure| measure.by.as_slice());
    let mut shared: Vec<FieldId> = keys.next().unwrap_or_default().to_vec();
    for key in keys {
        shared.retain(|field| key.contains(field));
    }
    shared.sort_by_key(|field| matrix.schema.path(*field));
    shared
}
