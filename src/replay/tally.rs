//! What is counted of a stream.
//!
//! In: what each event came to. Out: a [`Summary`].
//! Invariant: its size is that of the matrix, not of the stream; the sum of the tallies of parts is
//! the tally of the whole.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::buckets::Buckets;
use super::changes::Changes;
use super::desk::Side;
use super::examples::{Examples, Place};
use super::found::{As, Found};
use super::logged::Logged;
use super::summary::{
    KindSummary, LaneSummary, MissingSummary, Part, ProblemSummary, RuleSummary, Summary,
    TrialSummary, UnreadableSummary, UnsureSummary, Verdicts,
};
use super::terms::{Catalogue, rank};
use super::{Counts, Replay};
use crate::clock::Timestamp;
use crate::decision::{MatrixRef, State};
use crate::event::ProblemCode;
use crate::matrix::Matrix;
use crate::program::{By, Gap};
use crate::schema::{FieldId, KindId};

/// What was counted of a stream, or of a part of it.
#[derive(Debug)]
pub struct Tally {
    events: u64,
    bytes: u64,
    counted: Counted,
    problems: HashMap<Sort, Problems>,
    buckets: Buckets,
    changes: Option<Box<Changes>>,
    pub(super) log: Logged,
    zone: chrono_tz::Tz,
}

/// The plain counts.
#[derive(Debug, Default)]
struct Counted {
    verdicts: Counts,
    otherwise: u64,
    unreadable: u64,
    unsure: u64,
    untimed: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    lanes: Vec<LaneCounts>,
    rules: Vec<RuleCounts>,
    kinds: Vec<u64>,
    /// By field, and behind them by measure.
    missing: Vec<u64>,
    fields: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct LaneCounts {
    fired: u64,
    unsure: u64,
    primary: u64,
    skipped: u64,
    trial_fired: u64,
    trial_unsure: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct RuleCounts {
    fired: u64,
    unsure: u64,
    decided: u64,
}

/// A sort of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Sort {
    code: ProblemCode,
    kind: Option<KindId>,
    field: Option<FieldId>,
}

#[derive(Debug, Default)]
struct Problems {
    events: u64,
    /// Of the first of them, and its place.
    message: Option<(Place, String)>,
    examples: Examples,
}

impl Tally {
    /// Nothing was counted yet.
    pub(super) fn new(side: &Side<'_>) -> Self {
        let matrix = &side.program.matrix;
        let fields = field_count(matrix);
        Self {
            events: 0,
            bytes: 0,
            counted: Counted {
                lanes: vec![LaneCounts::default(); matrix.lanes.len()],
                rules: vec![RuleCounts::default(); matrix.rules.len()],
                kinds: vec![0; matrix.schema.kinds().len()],
                missing: vec![0; fields + matrix.measures.len()],
                fields,
                ..Counted::default()
            },
            problems: HashMap::new(),
            buckets: Buckets::default(),
            changes: None,
            log: Logged::default(),
            zone: matrix.zone,
        }
    }

    /// Counts a line of so many bytes.
    #[inline]
    pub(super) fn line(&mut self, bytes: u64) {
        self.events += 1;
        self.bytes += bytes;
    }

    /// Counts what an event came to. `unknown` is the instant of those that have none of their own.
    #[inline]
    pub(super) fn count(
        &mut self,
        side: &Side<'_>,
        unknown: Option<Timestamp>,
        found: &Found,
        place: Place,
        id: &dyn Fn() -> Option<String>,
    ) {
        let verdict = rank(found.verdict);
        self.counted.add(found, verdict);
        if Some(found.at) == unknown {
            self.counted.untimed += 1;
        } else {
            let Counted { first, last, .. } = &mut self.counted;
            *first = Some(first.map_or(found.at, |first| first.min(found.at)));
            *last = Some(last.map_or(found.at, |last| last.max(found.at)));
            self.buckets.add(found.at, verdict, self.zone);
        }
        if found.by == By::Unreadable {
            self.problem(&side.program.matrix, found, place, id);
        }
    }

    #[cold]
    fn problem(
        &mut self,
        matrix: &Matrix,
        found: &Found,
        place: Place,
        id: &dyn Fn() -> Option<String>,
    ) {
        let problem = found.problem.as_ref();
        let field = problem.and_then(|problem| problem.field.as_deref());
        let sort = Sort {
            code: problem.map_or(ProblemCode::MoreProblems, |problem| problem.code),
            kind: found.kind,
            // Any other name is the sender's.
            field: field.and_then(|path| matrix.schema.field_id(path)),
        };
        let problems = self.problems.entry(sort).or_default();
        problems.events += 1;
        problems.examples.add(place, id);
        if problems.message.as_ref().is_none_or(|(at, _)| place < *at) {
            let message = problem.map(|problem| problem.message.clone());
            problems.message = Some((place, message.unwrap_or_default()));
        }
    }

    /// Compares what two matrices say of an event.
    #[inline]
    pub(super) fn compare(
        &mut self,
        catalogue: &Catalogue,
        old: &Found,
        new: &Found,
        place: Place,
        id: &dyn Fn() -> Option<String>,
    ) {
        let changes = self.changes.get_or_insert_default();
        changes.add(catalogue, old, new, place, id);
    }

    /// Adds what was counted of another part of the stream.
    pub fn merge(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
        self.counted.merge(other.counted);
        for (sort, problems) in other.problems {
            let known = self.problems.entry(sort).or_default();
            known.events += problems.events;
            known.examples.merge(problems.examples);
            let messages = [known.message.take(), problems.message];
            known.message = messages.into_iter().flatten().min_by_key(|(at, _)| *at);
        }
        self.buckets.merge(other.buckets, self.zone);
        self.log.merge(other.log);
        if let Some(changes) = other.changes {
            self.changes.get_or_insert_default().merge(*changes);
        }
    }

    pub(super) fn summary(self, replay: &Replay<'_>, files: usize) -> Summary {
        let matrix = &replay.old.program.matrix;
        let of = self.events;
        let Self {
            counted, problems, ..
        } = self;
        let part = |events| Part { events, of };
        let against = replay.new.as_ref().map(|(new, _)| {
            let changes = self.changes.unwrap_or_default();
            changes.summary(&replay.old, new, files)
        });
        Summary {
            matrix: MatrixRef::of(matrix),
            events: of,
            bytes: self.bytes,
            first: counted.first,
            last: counted.last,
            untimed: counted.untimed,
            verdicts: Verdicts::of(counted.verdicts),
            otherwise: part(counted.otherwise),
            lanes: counted.lanes(matrix, of),
            never_attached: counted.never_attached(matrix),
            trial: counted.trial(matrix, of),
            rules: counted.rules(matrix, of),
            kinds: counted.kinds(matrix, of),
            unsure: UnsureSummary {
                part: part(counted.unsure),
                by_missing: counted.missing(matrix, of),
            },
            unreadable: UnreadableSummary {
                part: part(counted.unreadable),
                by_problem: problems_of(problems, matrix, of, files),
            },
            log: self.log.summary(&replay.old, files),
            over_time: self.buckets.finish(self.zone),
            against,
        }
    }
}

impl Counted {
    #[inline]
    fn add(&mut self, found: &Found, verdict: usize) {
        if let Some(count) = self.verdicts.get_mut(verdict) {
            *count += 1;
        }
        match found.by {
            By::Otherwise => self.otherwise += 1,
            By::Unreadable => self.unreadable += 1,
            By::Lane(id) => {
                if let Some(lane) = self.lanes.get_mut(id.index()) {
                    lane.primary += 1;
                }
            }
            By::Rule(id) => {
                if let Some(rule) = self.rules.get_mut(id.index()) {
                    rule.decided += 1;
                }
            }
        }
        for (id, state, how) in &found.lanes {
            if let Some(lane) = self.lanes.get_mut(id.index()) {
                lane.add(*state, *how);
            }
        }
        for (id, state) in &found.rules {
            if let Some(rule) = self.rules.get_mut(id.index()) {
                match state {
                    State::Fired => rule.fired += 1,
                    State::Unsure => rule.unsure += 1,
                }
            }
        }
        self.unsure += u64::from(found.unsure);
        for gap in &found.gaps {
            let place = match gap {
                Gap::Field(field) => field.0 as usize,
                Gap::Measure(id) => self.fields + id.index(),
            };
            if let Some(count) = self.missing.get_mut(place) {
                *count += 1;
            }
        }
        if found.readable
            && let Some(kind) = found.kind
            && let Some(count) = self.kinds.get_mut(kind.0 as usize)
        {
            *count += 1;
        }
    }

    fn merge(&mut self, other: Self) {
        let sum = |all: &mut [u64], more: &[u64]| {
            for (count, more) in all.iter_mut().zip(more) {
                *count += more;
            }
        };
        sum(&mut self.verdicts, &other.verdicts);
        sum(&mut self.kinds, &other.kinds);
        sum(&mut self.missing, &other.missing);
        self.otherwise += other.otherwise;
        self.unreadable += other.unreadable;
        self.unsure += other.unsure;
        self.untimed += other.untimed;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        for (lane, more) in self.lanes.iter_mut().zip(other.lanes) {
            lane.merge(more);
        }
        for (rule, more) in self.rules.iter_mut().zip(other.rules) {
            rule.fired += more.fired;
            rule.unsure += more.unsure;
            rule.decided += more.decided;
        }
    }

    fn lanes(&self, matrix: &Matrix, of: u64) -> Vec<LaneSummary> {
        let lanes = matrix.lanes.iter().zip(&self.lanes);
        let lanes = lanes.filter(|(_, counts)| counts.fired + counts.unsure + counts.skipped > 0);
        let mut lanes: Vec<LaneSummary> = lanes
            .map(|(lane, counts)| LaneSummary {
                lane: lane.name.clone(),
                owner: matrix.team_name(lane.terms.owner).to_owned(),
                part: Part {
                    events: counts.fired + counts.unsure,
                    of,
                },
                fired: counts.fired,
                unsure: counts.unsure,
                primary: counts.primary,
                skipped: counts.skipped,
            })
            .collect();
        lanes.sort_by_key(|lane| Reverse(lane.part.events));
        lanes
    }

    fn never_attached(&self, matrix: &Matrix) -> Vec<String> {
        let lanes = matrix.lanes.iter().zip(&self.lanes);
        let never = lanes.filter(|(_, counts)| counts.total() == 0);
        never.map(|(lane, _)| lane.name.clone()).collect()
    }

    fn trial(&self, matrix: &Matrix, of: u64) -> Vec<TrialSummary> {
        let lanes = matrix.lanes.iter().zip(&self.lanes);
        let lanes = lanes.filter(|(_, counts)| counts.trial_fired + counts.trial_unsure > 0);
        let mut lanes: Vec<TrialSummary> = lanes
            .map(|(lane, counts)| TrialSummary {
                lane: lane.name.clone(),
                part: Part {
                    events: counts.trial_fired + counts.trial_unsure,
                    of,
                },
                fired: counts.trial_fired,
                unsure: counts.trial_unsure,
            })
            .collect();
        lanes.sort_by_key(|lane| Reverse(lane.part.events));
        lanes
    }

    fn rules(&self, matrix: &Matrix, of: u64) -> Vec<RuleSummary> {
        let rules = matrix.rules.iter().zip(&self.rules);
        let mut rules: Vec<RuleSummary> = rules
            .map(|(rule, counts)| RuleSummary {
                rule: rule.name.clone(),
                does: rule.effect.as_str(),
                part: Part {
                    events: counts.fired,
                    of,
                },
                unsure: counts.unsure,
                decided: counts.decided,
            })
            .collect();
        rules.sort_by_key(|rule| Reverse(rule.part.events));
        rules
    }

    fn kinds(&self, matrix: &Matrix, of: u64) -> Vec<KindSummary> {
        let kinds = matrix.schema.kinds().iter().zip(&self.kinds);
        let mut kinds: Vec<KindSummary> = kinds
            .map(|(kind, events)| KindSummary {
                kind: kind.name.to_string(),
                part: Part {
                    events: *events,
                    of,
                },
            })
            .collect();
        kinds.sort_by_key(|kind| Reverse(kind.part.events));
        kinds
    }

    fn missing(&self, matrix: &Matrix, of: u64) -> Vec<MissingSummary> {
        let fields = (0u32..).zip(self.missing.iter().take(self.fields));
        let fields = fields.map(|(id, n)| (matrix.schema.path(FieldId(id)), n));
        let measures = self.missing.iter().skip(self.fields);
        let measures = matrix.measures.iter().zip(measures);
        let measures = measures.map(|(measure, n)| (measure.text.as_str(), n));
        let all = fields.chain(measures).filter(|(_, n)| **n > 0);
        let mut all: Vec<MissingSummary> = all
            .map(|(missing, events)| MissingSummary {
                missing: missing.to_owned(),
                part: Part {
                    events: *events,
                    of,
                },
            })
            .collect();
        all.sort_by_key(|missing| Reverse(missing.part.events));
        all
    }
}

impl LaneCounts {
    #[inline]
    fn add(&mut self, state: State, how: As) {
        let count = match (how, state) {
            (As::Attached, State::Fired) => &mut self.fired,
            (As::Attached, State::Unsure) => &mut self.unsure,
            (As::Trial, State::Fired) => &mut self.trial_fired,
            (As::Trial, State::Unsure) => &mut self.trial_unsure,
            (As::Skipped, _) => &mut self.skipped,
        };
        *count += 1;
    }

    fn merge(&mut self, more: Self) {
        self.fired += more.fired;
        self.unsure += more.unsure;
        self.primary += more.primary;
        self.skipped += more.skipped;
        self.trial_fired += more.trial_fired;
        self.trial_unsure += more.trial_unsure;
    }

    fn total(&self) -> u64 {
        self.fired + self.unsure + self.skipped + self.trial_fired + self.trial_unsure
    }
}

fn problems_of(
    problems: HashMap<Sort, Problems>,
    matrix: &Matrix,
    of: u64,
    files: usize,
) -> Vec<ProblemSummary> {
    let mut problems: Vec<_> = problems.into_iter().collect();
    problems.sort_by_key(|(sort, problems)| (Reverse(problems.events), *sort));
    let problems = problems.into_iter();
    problems
        .map(|(sort, problems)| ProblemSummary {
            code: sort.code,
            kind: sort
                .kind
                .and_then(|id| Some(matrix.kind(id)?.name.to_string())),
            field: sort.field.map(|id| matrix.schema.path(id).to_owned()),
            part: Part {
                events: problems.events,
                of,
            },
            message: problems.message.map_or_else(String::new, |(_, text)| text),
            examples: problems.examples.shown(files),
        })
        .collect()
}

/// One more than the largest id of a field.
fn field_count(matrix: &Matrix) -> usize {
    let fields = matrix.schema.kinds().iter().flat_map(|kind| &kind.fields);
    fields
        .map(|field| field.id.0 as usize + 1)
        .max()
        .unwrap_or(0)
}
