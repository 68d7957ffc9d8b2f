//! From a checked matrix to its program.
//!
//! In: a [`Matrix`]. Out: a [`Program`], the same for the same matrix.
//! Invariant: nothing is lost on the way. What cannot be compiled is left to the reference
//! evaluator, with the reason in the program.
//!
//! To be read in this order: how fields are held (`layout`), tests (`tests_of`), their phrases
//! (`phrases`), triggers (`triggers`), the clauses of a trigger (`clauses`), a clause as numbers
//! (`pack`), the order of decisions (`ranks`), where each clause is filed (`file`, `write`).

use std::sync::Arc;

use crate::matrix::{Effect, LaneId, Matrix, RuleId};
use crate::program::index::Index;
use crate::program::node::{NodeId, Nodes};
use crate::program::{Entry, KindProgram, Outcome, Program, Rank, Ranked, What};
use crate::schema::{Kind, KindId};
use crate::slots::{KindLayout, Layout, Names};

mod clauses;
mod file;
mod layout;
mod pack;
mod phrases;
mod ranks;
mod tests_of;
mod triggers;
mod write;

use clauses::Clauses;
use file::Files;
use pack::Pack;
use ranks::Ranks;
use triggers::Triggers;

/// Kinds of fewer clauses have no index: holding an event against all of them is quicker.
pub const STRAIGHT: usize = 24;

/// How a program is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Kinds of at most so many clauses have no index.
    pub straight: usize,
    /// At most so many fields of a kind have a column; there are never more than 15.
    pub columns: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            straight: STRAIGHT,
            columns: usize::MAX,
        }
    }
}

/// Compiles a matrix.
#[must_use]
pub fn compile(matrix: &Arc<Matrix>) -> Program {
    compile_with(matrix, Options::default())
}

/// Compiles a matrix with a choice of strategy other than the usual one.
#[must_use]
pub fn compile_with(matrix: &Arc<Matrix>, options: Options) -> Program {
    let mut layout = Layout {
        id: number_of(matrix),
        schema: matrix.schema.fingerprint(),
        kinds: Vec::new(),
        names: Names::default(),
    };
    let mut kinds = Vec::new();
    let ruling = by_kind(matrix);
    for (kind, ruling) in matrix.schema.kinds().iter().zip(&ruling) {
        let laid = layout::lay_out(matrix, layout.id, kind, ruling, options.columns);
        let mut program = match laid.reference {
            Some(reason) => blank(Some(reason)),
            None => compile_kind(matrix, kind, ruling, &laid.layout, options),
        };
        // Of what is left to the reference evaluator it is not known which measures it asks.
        let asks = !program.measure_tests.is_empty() || program.reference.is_some();
        let mut measures = matrix.measures.iter();
        program.needs_history =
            asks && !matrix.measures.is_empty() || measures.any(|measure| measure.kind == kind.id);
        program.adjusts = ruling.rules.iter().any(|id| {
            let rule = matrix.rules.get(id.index());
            rule.is_some_and(|rule| matches!(rule.effect, Effect::Adjust(_)))
        });
        layout.kinds.push(laid.layout);
        kinds.push(program);
    }
    layout.names = Names::new(&matrix.schema, &layout);
    Program {
        matrix: Arc::clone(matrix),
        layout,
        kinds,
    }
}

/// The beginning of the matrix's digest, as a number.
fn number_of(matrix: &Matrix) -> u64 {
    let head = matrix.digest.get(..16).unwrap_or_default();
    u64::from_str_radix(head, 16).unwrap_or_default()
}

/// What can decide an event of a kind.
#[derive(Debug, Default)]
struct Ruling {
    lanes: Vec<LaneId>,
    rules: Vec<RuleId>,
}

fn by_kind(matrix: &Matrix) -> Vec<Ruling> {
    let mut all: Vec<Ruling> = Vec::new();
    all.resize_with(matrix.schema.kinds().len(), Ruling::default);
    let at = |kind: &KindId| kind.0 as usize;
    for lane in &matrix.lanes {
        for kind in &lane.on {
            if let Some(ruling) = all.get_mut(at(kind)) {
                ruling.lanes.push(lane.id);
            }
        }
    }
    for rule in &matrix.rules {
        for kind in &rule.on {
            if let Some(ruling) = all.get_mut(at(kind)) {
                ruling.rules.push(rule.id);
            }
        }
    }
    for ruling in &mut all {
        // A kind that is named twice under one `on` counts once.
        ruling.lanes.dedup();
        ruling.rules.dedup();
    }
    all
}

fn blank(reference: Option<String>) -> KindProgram {
    KindProgram {
        reference,
        tests: Vec::new(),
        nodes: Nodes::default(),
        entries: Vec::new(),
        outcomes: Vec::new(),
        clauses: Vec::new(),
        masks: Vec::new(),
        sources: Vec::new(),
        rest: Vec::new(),
        literals: Vec::new(),
        index: Index::default(),
        phrases: Vec::new(),
        gauges: Vec::new(),
        measure_tests: Vec::new(),
        needs_history: false,
        adjusts: false,
    }
}

fn compile_kind(
    matrix: &Matrix,
    kind: &Kind,
    ruling: &Ruling,
    layout: &KindLayout,
    options: Options,
) -> KindProgram {
    let mut triggers = Triggers::new(matrix, kind, layout);
    let mut entries = Vec::new();
    for id in &ruling.lanes {
        if let Some(lane) = matrix.lane(*id) {
            let trigger = triggers.lane(lane);
            entries.push(entry(What::Lane(*id), trigger, lane.trial.is_some()));
        }
    }
    for id in &ruling.rules {
        if let Some(rule) = matrix.rules.get(id.index()) {
            let trigger = triggers.rule(rule);
            entries.push(entry(What::Rule(*id), trigger, false));
        }
    }
    let mut made = triggers.finish();
    if let Some(reason) = made.trouble {
        return blank(Some(reason));
    }
    let phrases = phrases::gather(&mut made.tests);
    let ranks = Ranks::of(matrix, &mut entries);
    let mut pack = Pack::new(layout, &made.tests, &made.nodes);
    let mut splitter = Clauses::new(&made.nodes);
    for (number, entry) in (0u32..).zip(entries.iter_mut()) {
        let clauses = splitter.of(entry.trigger);
        entry.clauses = u32::try_from(clauses.len()).unwrap_or(u32::MAX);
        for clause in clauses {
            pack.add(number, entry, clause);
        }
    }
    let files = Files::new(layout, &made.tests, phrases);
    let filed = files.file(pack.finish(), &made.nodes.nodes, options.straight);
    KindProgram {
        reference: None,
        tests: made.tests,
        nodes: made.nodes,
        entries,
        outcomes: ranks,
        masks: filed.masks,
        clauses: filed.clauses,
        sources: filed.sources,
        rest: filed.rest,
        literals: filed.literals,
        index: filed.index,
        phrases: filed.phrases,
        gauges: made.gauges,
        measure_tests: made.measure_tests,
        needs_history: false,
        adjusts: false,
    }
}

fn entry(what: What, trigger: NodeId, trial: bool) -> Entry {
    Entry {
        what,
        trigger,
        fired: Rank::NONE,
        unsure: Rank::NONE,
        trial,
        clauses: 0,
    }
}

/// What decides where no lane and no rule does.
fn otherwise(matrix: &Matrix) -> Ranked {
    use crate::decision::Verdict;
    use crate::matrix::Otherwise;
    let verdict = match matrix.otherwise {
        Otherwise::Allow => Verdict::Allow,
        Otherwise::Deny => Verdict::Deny,
        Otherwise::Escalate(_) => Verdict::Escalate,
    };
    Ranked {
        outcome: Outcome {
            verdict,
            by: crate::program::By::Otherwise,
        },
        entry: None,
    }
}
