//! The compiled program of a matrix: what decides an event in well under a microsecond.
//!
//! In: built by [`compile`](crate::compile). Out: an [`Outcome`], the lanes that attach, or a whole
//! [`Decision`](crate::decision::Decision).
//! Invariant: plain data, with the lane and the tests that each part comes from; it says what the
//! reference evaluator says, which the tests hold it against.
//! Must not know the text of a matrix, nor how the program was made.
//!
//! To be read in this order: one test over cells ([`test`](mod@test)), triggers ([`node`]), their clauses and
//! how a clause is held against an event ([`clause`]), which clauses are looked at at all
//! ([`index`], [`phrases`]), an event on its way through them (`walk`), what follows from those that
//! hold (`run`), what those that are unsure lack (`gaps`), what measures have to do with it ([`gauge`]),
//! and the whole decision (`decide`).

use std::sync::Arc;

use crate::decision::Verdict;
use crate::matrix::{LaneId, Matrix, RuleId};
use crate::slots::Layout;

pub mod clause;
pub mod gauge;
pub mod index;
pub mod node;
pub mod phrases;
pub mod print;
pub mod test;

mod decide;
mod gaps;
mod run;
mod scratch;
mod walk;

pub use crate::slots::Dictionary;
pub(crate) use decide::Attached;
pub use decide::Decider;
pub use gaps::{Gap, Gaps};
pub use run::Attachments;
pub use scratch::Scratch;
pub use walk::Hit;

use clause::Clause;
use index::{Index, Range};
use node::{NodeId, Nodes};
use phrases::Phrases;
use test::Test;

/// The compiled program of a matrix.
#[derive(Debug)]
pub struct Program {
    /// The matrix that it decides for.
    pub matrix: Arc<Matrix>,
    /// How events are laid out for it.
    pub layout: Layout,
    /// By kind.
    pub kinds: Vec<KindProgram>,
}

/// What is decided on the events of one kind.
#[derive(Debug)]
pub struct KindProgram {
    /// Why the reference evaluator decides them instead; absent where this program does.
    pub reference: Option<String>,
    /// The tests, each once.
    pub tests: Vec<Test>,
    /// The triggers as expressions over the tests.
    pub nodes: Nodes,
    /// The lanes and rules that can decide an event of the kind: lanes first, each in file order.
    pub entries: Vec<Entry>,
    /// What each rank stands for; the last one decides where nothing else does.
    pub outcomes: Vec<Ranked>,
    /// The clauses in the order of the index.
    pub clauses: Vec<Clause>,
    /// Of each of them the bits that rule it out.
    // PERF: these are looked at first, eight of them in a line of the cache; few clauses are left.
    pub masks: Vec<u64>,
    /// The tests of each of them, among `literals`.
    pub sources: Vec<Range>,
    /// The parts of clauses that are looked at last.
    pub rest: Vec<NodeId>,
    /// The tests of clauses.
    pub literals: Vec<NodeId>,
    /// Which clauses an event is held against.
    pub index: Index,
    /// The phrases that tests look for, of fields with many.
    pub phrases: Vec<Phrases>,
    /// What measures have to do with events of the kind: those that count them, and those that lanes and
    /// rules ask for.
    pub gauges: Vec<gauge::Gauge>,
    /// The tests of measures; their answers come with the event.
    pub measure_tests: Vec<Arc<crate::matrix::MeasureTest>>,
    /// Whether what came before an event, or comes behind it, may matter: its tests ask a measure,
    /// or a measure counts it.
    pub needs_history: bool,
    /// Whether an adjust may change its events.
    pub adjusts: bool,
}

/// A lane or a rule.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Which.
    pub what: What,
    /// Its trigger.
    pub trigger: NodeId,
    /// Its rank where it fires.
    pub fired: Rank,
    /// Its rank where it is unsure.
    pub unsure: Rank,
    /// Whether it is under trial for some events, which then is decided by their instant.
    pub trial: bool,
    /// How many clauses its trigger has.
    pub clauses: u32,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A lane.
    Lane(LaneId),
    /// A rule.
    Rule(RuleId),
}

/// The order in which entries decide: the smallest rank of all that attach names the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(pub u32);

impl Rank {
    /// Of what attaches without deciding anything.
    pub const NONE: Self = Self(u32::MAX);
}

/// What a rank stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked {
    /// The decision.
    pub outcome: Outcome,
    /// The entry; absent for what decides when none does.
    pub entry: Option<u32>,
}

/// A verdict and what gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// What is to happen.
    pub verdict: Verdict,
    /// What decides it.
    pub by: By,
}

/// What names a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// A lane.
    Lane(LaneId),
    /// A rule.
    Rule(RuleId),
    /// Nothing else did.
    Otherwise,
    /// The event cannot be read, or is contradicted.
    Unreadable,
}

impl Outcome {
    /// The name of what decides, as a [`Decision`](crate::decision::Decision) has it.
    #[must_use]
    pub fn name(self, matrix: &Matrix) -> &str {
        match self.by {
            By::Lane(lane) => matrix.lane(lane).map_or("", |lane| &lane.name),
            By::Rule(rule) => matrix.rules.get(rule.index()).map_or("", |rule| &rule.name),
            By::Otherwise => "otherwise",
            By::Unreadable => "unreadable",
        }
    }
}
