//! What an unsure lane or rule lacks: the fields and measures that its trigger rests on and that
//! are not known.
//!
//! In: a [`Hit`] and the event that gave it. Out: [`Gap`]s.
//! Invariant: those of the reference evaluator's reasons; what could not have changed the answer is
//! not among them.

use super::node::{Asked, Node, NodeId};
use super::scratch::Memo;
use super::test::Op;
use super::{Hit, Program};
use crate::decision::Kleene;
use crate::matrix::MeasureId;
use crate::schema::FieldId;
use crate::slots::{Seen, Slots};

/// Something that is not known of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gap {
    /// A field is missing.
    Field(FieldId),
    /// A measure is only known in part.
    Measure(MeasureId),
}

/// The buffers of one thread that asks for gaps.
#[derive(Debug, Default)]
pub struct Gaps {
    memo: Memo,
}

impl Gaps {
    /// Calls `found` for everything that a hit lacks; more than once for what several tests lack.
    /// `slots`, `input` and `measured` are those that gave the hit.
    pub fn of(
        &mut self,
        program: &Program,
        slots: &Slots,
        input: &[u8],
        measured: &[Kleene],
        hits: &[Hit],
        mut found: impl FnMut(Gap),
    ) {
        let Ok(kind) = program.kind(slots) else {
            return;
        };
        self.memo.start(kind.tests.len(), kind.nodes.nodes.len());
        let seen = Seen { slots, input };
        let asked = kind.asked(seen, measured, &program.matrix);
        let declared = program.matrix.kind(slots.kind);
        let mut walk = Walk {
            asked,
            memo: &mut self.memo,
            found: &mut |what| match what {
                Lack::Slot(slot) => {
                    let field = declared.and_then(|kind| kind.fields.get(usize::from(slot)));
                    if let Some(field) = field {
                        found(Gap::Field(field.id));
                    }
                }
                Lack::Measure(test) => {
                    if let Some(test) = kind.measure_tests.get(test as usize) {
                        found(Gap::Measure(test.measure));
                    }
                }
            },
        };
        for hit in hits {
            if let Some(entry) = kind.entries.get(hit.entry as usize) {
                walk.part(entry.trigger);
            }
        }
    }
}

enum Lack {
    Slot(u16),
    Measure(u32),
}

struct Walk<'a> {
    asked: Asked<'a>,
    memo: &'a mut Memo,
    found: &'a mut dyn FnMut(Lack),
}

impl Walk<'_> {
    /// Goes into a part that is not known.
    fn part(&mut self, id: NodeId) {
        let parts = match self.asked.nodes.get(id) {
            Some(Node::Test { test, .. }) => return self.test(test),
            Some(Node::Measure { test, .. }) => return (self.found)(Lack::Measure(test)),
            Some(Node::All(parts) | Node::Any(parts) | Node::AtLeast(_, parts)) => parts,
            None => return,
        };
        let nodes = self.asked.nodes;
        for part in nodes.parts(parts) {
            if self.asked.answer(*part, self.memo) == Kleene::Unknown {
                self.part(*part);
            }
        }
    }

    fn test(&mut self, number: u32) {
        let Some(test) = self.asked.tests.get(number as usize) else {
            return;
        };
        let other = match test.op {
            Op::Same { other, .. } | Op::Order(_, other) => Some(other),
            _ => None,
        };
        for slot in std::iter::once(test.slot).chain(other) {
            if self.asked.seen.cell(slot).is_none() {
                (self.found)(Lack::Slot(slot));
            }
        }
    }
}
