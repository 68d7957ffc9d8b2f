//! What follows from the clauses that hold.
//!
//! In: an event as slots, the answers of the tests of measures. Out: the [`Outcome`], or all
//! [`Hit`]s.
//! Invariant: the outcome is that of the smallest rank of all that attach; no clause that could
//! have a smaller one is left out.

use super::index::Range;
use super::node::{Asked, Node, NodeId};
use super::scratch::Scratch;
use super::walk::{Collect, Hit, Walk};
use super::{KindProgram, Outcome, Program, Rank, What};
use crate::decision::{Holds, Kleene, Scope, State, Verdict};
use crate::matrix::{Effect, Matrix, Otherwise};
use crate::schema::FieldId;
use crate::slots::{Seen, Slots, Unheld};
use crate::value::Value;

/// Everything that attaches to an event.
#[derive(Debug, Clone, Copy)]
pub struct Attachments<'a> {
    /// The decision.
    pub outcome: Outcome,
    /// The lanes and rules, in the order of their ranks.
    pub hits: &'a [Hit],
    /// The strictest hold of each scope.
    pub meanwhile: Holds,
    kind: &'a KindProgram,
}

impl<'a> Attachments<'a> {
    /// The lanes and rules with their states.
    pub fn entries(&self) -> impl Iterator<Item = (What, State)> + '_ {
        self.hits.iter().filter_map(|hit| {
            let entry = self.kind.entries.get(hit.entry as usize)?;
            Some((entry.what, hit.state))
        })
    }

    /// The tests of the clause by which a hit came, each with whether its opposite is asked.
    pub fn tests(&self, hit: &Hit) -> impl Iterator<Item = Node> + 'a {
        let kind = self.kind;
        let tests = kind.sources.get(hit.clause as usize);
        let tests = tests.map(|tests| kind.literals(*tests));
        let tests = tests.unwrap_or_default().iter();
        tests.filter_map(move |id| kind.nodes.get(*id))
    }
}

/// Looks for the smallest rank.
struct First(Rank);

impl Collect for First {
    #[inline]
    fn is_done(&self, rank: Rank) -> bool {
        rank >= self.0
    }

    #[inline]
    fn hit(&mut self, hit: Hit) {
        self.0 = self.0.min(hit.rank);
    }
}

/// Keeps all, also those that decide nothing.
struct All<'a>(&'a mut Vec<Hit>);

impl Collect for All<'_> {
    #[inline]
    fn is_done(&self, _: Rank) -> bool {
        false
    }

    #[inline]
    fn hit(&mut self, hit: Hit) {
        self.0.push(hit);
    }
}

impl Program {
    /// The verdict and what gives it, and nothing else.
    ///
    /// `input` holds the texts of the slots that were read from it; `measured` the answers of the
    /// kind's measure tests.
    ///
    /// # Errors
    /// When the program does not decide events of this kind, and the reference evaluator does.
    pub fn outcome(
        &self,
        slots: &Slots,
        input: &[u8],
        measured: &[Kleene],
        scratch: &mut Scratch,
    ) -> Result<Outcome, Unheld> {
        let kind = self.kind(slots)?;
        let outcome = self.first(kind, Seen { slots, input }, measured, scratch);
        match outcome.verdict {
            // PERF: made anew, so that the one above stays in registers.
            Verdict::Adjust => {
                self.adjusted_outcome(kind, Seen { slots, input }, measured, scratch)
            }
            _ => Ok(outcome),
        }
    }

    /// The same where no adjust changes the event.
    ///
    /// # Errors
    /// As of [`Program::outcome`], and where one does.
    #[inline]
    pub(crate) fn outcome_unadjusted(
        &self,
        slots: &Slots,
        input: &[u8],
        measured: &[Kleene],
        scratch: &mut Scratch,
    ) -> Result<Outcome, Unheld> {
        let kind = self.kind(slots)?;
        let outcome = self.first(kind, Seen { slots, input }, measured, scratch);
        match outcome.verdict {
            Verdict::Adjust => Err(Unheld),
            _ => Ok(outcome),
        }
    }

    /// The outcome before adjusts.
    #[inline]
    fn first(
        &self,
        kind: &KindProgram,
        seen: Seen<'_>,
        measured: &[Kleene],
        scratch: &mut Scratch,
    ) -> Outcome {
        scratch.memo.start(kind.tests.len(), kind.nodes.nodes.len());
        let mut walk = Walk {
            kind,
            asked: kind.asked(seen, measured, &self.matrix),
            memo: &mut scratch.memo,
        };
        let mut first = First(Rank::NONE);
        walk.all(&mut first);
        kind.ranked(first.0).outcome
    }

    /// Everything that attaches, joined.
    ///
    /// # Errors
    /// As of [`Program::outcome`].
    pub fn attachments<'s>(
        &'s self,
        slots: &Slots,
        input: &[u8],
        measured: &[Kleene],
        scratch: &'s mut Scratch,
    ) -> Result<Attachments<'s>, Unheld> {
        let kind = self.kind(slots)?;
        let seen = Seen { slots, input };
        self.collect(kind, seen, measured, scratch);
        let first = scratch.hits.first().map_or(Rank::NONE, |hit| hit.rank);
        let mut outcome = kind.ranked(first).outcome;
        if outcome.verdict == Verdict::Adjust {
            outcome = self.adjusted_outcome(kind, seen, measured, scratch)?;
        }
        let meanwhile = match outcome.verdict {
            Verdict::Escalate => self.meanwhile(kind, &scratch.hits, outcome),
            _ => Holds::default(),
        };
        Ok(Attachments {
            outcome,
            hits: &scratch.hits,
            meanwhile,
            kind,
        })
    }

    pub(crate) fn kind(&self, slots: &Slots) -> Result<&KindProgram, Unheld> {
        let kind = self.kinds.get(slots.kind.0 as usize).ok_or(Unheld)?;
        match kind.reference {
            None if slots.layout == self.layout.id => Ok(kind),
            _ => Err(Unheld),
        }
    }

    /// Begins an event of a kind: nothing is known of it yet.
    #[inline]
    pub(crate) fn start(&self, kind: &KindProgram, scratch: &mut Scratch) {
        scratch.memo.start(kind.tests.len(), kind.nodes.nodes.len());
    }

    /// The answer of a part that asks for no measure.
    #[inline]
    pub(crate) fn answer(
        &self,
        kind: &KindProgram,
        seen: Seen<'_>,
        part: NodeId,
        scratch: &mut Scratch,
    ) -> Kleene {
        let asked = kind.asked(seen, &[], &self.matrix);
        asked.answer(part, &mut scratch.memo)
    }

    /// Puts every hit into the scratch, each lane and rule once, in the order of ranks.
    pub(super) fn collect(
        &self,
        kind: &KindProgram,
        seen: Seen<'_>,
        measured: &[Kleene],
        scratch: &mut Scratch,
    ) {
        scratch.memo.start(kind.tests.len(), kind.nodes.nodes.len());
        scratch.hits.clear();
        let mut walk = Walk {
            kind,
            asked: kind.asked(seen, measured, &self.matrix),
            memo: &mut scratch.memo,
        };
        walk.all(&mut All(&mut scratch.hits));
        // A lane that fires by one clause may be unsure by another: it fires.
        scratch
            .hits
            .sort_unstable_by_key(|hit| (hit.entry, hit.state, hit.clause));
        scratch.hits.dedup_by_key(|hit| hit.entry);
        scratch
            .hits
            .sort_unstable_by_key(|hit| (hit.rank, hit.entry));
    }

    /// All adjusts that apply change the event together, and what comes of it is decided again.
    #[cold]
    fn adjusted_outcome(
        &self,
        kind: &KindProgram,
        seen: Seen<'_>,
        measured: &[Kleene],
        scratch: &mut Scratch,
    ) -> Result<Outcome, Unheld> {
        if !kind.measure_tests.is_empty() {
            // The windows with the changed event are not those that were measured.
            return Err(Unheld);
        }
        self.collect(kind, seen, measured, scratch);
        scratch.before.clone_from(&scratch.hits);
        let layout = self
            .layout
            .kinds
            .get(seen.slots.kind.0 as usize)
            .ok_or(Unheld)?;
        let mut changed = std::mem::take(&mut scratch.adjusted);
        changed.copy_from(seen.slots);
        let adjust = self.change(kind, layout, &scratch.before, &mut changed)?;
        let outcome = match adjust {
            None => self.contradicted(),
            Some(adjust) => {
                let again = Seen {
                    slots: &changed,
                    input: seen.input,
                };
                self.collect(kind, again, measured, scratch);
                let first = scratch.hits.first().map_or(Rank::NONE, |hit| hit.rank);
                // The adjusts are those of the first pass; all else is of the second.
                scratch.hits.retain(|hit| !self.is_adjust(kind, hit));
                let adjusts = scratch
                    .before
                    .iter()
                    .filter(|hit| self.is_adjust(kind, hit));
                scratch.hits.extend(adjusts);
                scratch
                    .hits
                    .sort_unstable_by_key(|hit| (hit.rank, hit.entry));
                let again = kind.ranked(first).outcome;
                match again.verdict {
                    Verdict::Deny | Verdict::Escalate if again.by != super::By::Otherwise => again,
                    _ => adjust,
                }
            }
        };
        scratch.adjusted = changed;
        Ok(outcome)
    }

    fn is_adjust(&self, kind: &KindProgram, hit: &Hit) -> bool {
        let entry = kind.entries.get(hit.entry as usize);
        let Some(What::Rule(id)) = entry.map(|entry| entry.what) else {
            return false;
        };
        let rule = self.matrix.rules.get(id.index());
        rule.is_some_and(|rule| matches!(rule.effect, Effect::Adjust(_)))
    }

    /// Sets what the adjusts say; nothing where two contradict each other.
    fn change(
        &self,
        kind: &KindProgram,
        layout: &crate::slots::KindLayout,
        hits: &[Hit],
        changed: &mut Slots,
    ) -> Result<Option<Outcome>, Unheld> {
        let mut first = None;
        let declared = self.matrix.kind(changed.kind).ok_or(Unheld)?;
        for (at, hit) in hits.iter().enumerate() {
            let Some(changes) = self.changes(kind, hit) else {
                continue;
            };
            first = first.or(Some(kind.ranked(hit.rank).outcome));
            for (field, value) in changes {
                // PERF: adjusts are few; looking at them again takes no buffer.
                let before = hits.iter().take(at).filter_map(|h| self.changes(kind, h));
                let mut before = before.flatten().filter(|(known, _)| known == field);
                match before.next() {
                    Some((_, known)) if known != value => return Ok(None),
                    Some(_) => {}
                    None => {
                        let slot = declared.slot(*field).ok_or(Unheld)?;
                        changed.set_value(layout, slot, value)?;
                    }
                }
            }
        }
        Ok(first)
    }

    /// What an adjust that surely applies sets.
    fn changes(&self, kind: &KindProgram, hit: &Hit) -> Option<&[(FieldId, Value)]> {
        let entry = kind.entries.get(hit.entry as usize)?;
        let What::Rule(id) = entry.what else {
            return None;
        };
        match &self.matrix.rules.get(id.index())?.effect {
            Effect::Adjust(changes) if hit.state == State::Fired => Some(changes),
            _ => None,
        }
    }

    /// Adjusts that contradict each other are for the people of `unreadable`, else denied.
    fn contradicted(&self) -> Outcome {
        Outcome {
            verdict: match self.matrix.unreadable {
                None => Verdict::Deny,
                Some(_) => Verdict::Escalate,
            },
            by: super::By::Unreadable,
        }
    }

    /// The holds of all sign-offs.
    fn meanwhile(&self, kind: &KindProgram, hits: &[Hit], outcome: Outcome) -> Holds {
        let mut holds = Holds::default();
        let mut engine = match (outcome.by, &self.matrix.otherwise) {
            (super::By::Otherwise, Otherwise::Escalate(terms)) => Some(&**terms),
            (super::By::Unreadable, _) => self.matrix.unreadable.as_ref(),
            _ => None,
        };
        for hit in hits {
            let Some(entry) = kind.entries.get(hit.entry as usize) else {
                continue;
            };
            match entry.what {
                What::Lane(id) if hit.rank != Rank::NONE => {
                    if let Some(lane) = self.matrix.lane(id) {
                        let scope = match hit.state {
                            State::Fired => lane.terms.scope,
                            State::Unsure => Scope::Item,
                        };
                        holds = holds.join(Holds::of(lane.terms.hold, scope));
                    }
                }
                What::Rule(id) if hit.state == State::Unsure => {
                    let rule = self.matrix.rules.get(id.index());
                    if rule.is_some_and(|rule| rule.effect == Effect::Deny) {
                        engine = self.matrix.unreadable.as_ref();
                    }
                }
                _ => {}
            }
        }
        let unsure = outcome.by != super::By::Otherwise && outcome.by != super::By::Unreadable;
        match engine {
            Some(terms) if unsure => holds.join(Holds::of(terms.hold, Scope::Item)),
            Some(terms) => holds.join(Holds::of(terms.hold, terms.scope)),
            None => holds,
        }
    }
}

impl KindProgram {
    /// The parts of its triggers with what they are asked over.
    #[inline]
    pub(super) fn asked<'a>(
        &'a self,
        seen: Seen<'a>,
        measured: &'a [Kleene],
        matrix: &'a Matrix,
    ) -> Asked<'a> {
        Asked {
            nodes: &self.nodes,
            tests: &self.tests,
            phrases: &self.phrases,
            matrix,
            seen,
            measured,
        }
    }

    /// The tests of a clause.
    pub(super) fn literals(&self, range: Range) -> &[NodeId] {
        let range = range.start as usize..range.end as usize;
        self.literals.get(range).unwrap_or_default()
    }

    /// What a rank stands for.
    fn ranked(&self, rank: Rank) -> super::Ranked {
        let found = self.outcomes.get(rank.0 as usize).or(self.outcomes.last());
        // There is always one for what nothing decides.
        found.copied().unwrap_or(super::Ranked {
            outcome: Outcome {
                verdict: Verdict::Deny,
                by: super::By::Unreadable,
            },
            entry: None,
        })
    }
}
