//! How it is found out what an event comes to by one matrix.
//!
//! In: bytes, or an event that was read. Out: [`Found`].
//! Method: cells and the program; where they do not hold or decide an event, the whole decision.
//! Invariant: the windows of each matrix see the events that they count, once and with their final
//! values.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::found::Found;
use crate::clock::Timestamp;
use crate::decision::recorded::Clock;
use crate::event::{self, Event, Unreadable};
use crate::limits::Limits;
use crate::matrix::{Expr, ExprKind, Matrix, TestOp};
use crate::measure::{
    Bounds, Counting, Counts, Measured, Measuring, Receipt, Secret, Source, Sources, Windows,
};
use crate::program::{By, Decider, Gap, Gaps, Hit, Program, Scratch};
use crate::schema::KindId;
use crate::slots::Slots;

/// One of the matrices, for all threads.
#[derive(Debug)]
pub(super) struct Side<'p> {
    pub(super) program: &'p Program,
    names: HashMap<&'p str, By>,
    leaves: OnceLock<HashMap<String, Vec<Gap>>>,
}

impl<'p> Side<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let matrix = &program.matrix;
        let lanes = matrix.lanes.iter();
        let lanes = lanes.map(|lane| (lane.name.as_str(), By::Lane(lane.id)));
        let rules = matrix.rules.iter();
        let rules = rules.map(|rule| (rule.name.as_str(), By::Rule(rule.id)));
        let engine = [("otherwise", By::Otherwise), ("unreadable", By::Unreadable)];
        Self {
            program,
            names: lanes.chain(rules).chain(engine).collect(),
            leaves: OnceLock::new(),
        }
    }

    /// What has a name.
    pub(super) fn by(&self, name: &str) -> By {
        self.names.get(name).copied().unwrap_or(By::Unreadable)
    }

    fn waits(&self, kind: KindId) -> bool {
        let kind = self.program.kinds.get(kind.0 as usize);
        kind.is_none_or(|kind| kind.needs_history)
    }

    /// What each test rests on, by its words. Only whole decisions are asked for it.
    pub(super) fn leaves(&self) -> &HashMap<String, Vec<Gap>> {
        self.leaves.get_or_init(|| {
            let matrix = &self.program.matrix;
            let lanes = matrix.lanes.iter();
            let lanes = lanes.flat_map(|lane| std::iter::once(&lane.when).chain(&lane.unless));
            let rules = matrix.rules.iter().map(|rule| &rule.when);
            let conditions = matrix.conditions.iter().map(|condition| &condition.expr);
            let mut leaves = HashMap::new();
            for expr in lanes.chain(rules).chain(conditions) {
                gather(expr, &mut leaves);
            }
            leaves
        })
    }
}

fn gather(expr: &Expr, leaves: &mut HashMap<String, Vec<Gap>>) {
    let (words, gaps) = match &expr.kind {
        ExprKind::All(parts)
        | ExprKind::Any(parts)
        | ExprKind::None(parts)
        | ExprKind::AtLeast(_, parts) => {
            for part in parts {
                gather(part, leaves);
            }
            return;
        }
        ExprKind::Not(inner) => return gather(inner, leaves),
        ExprKind::Condition(_) => return,
        ExprKind::Test(test) => {
            let other = match test.op {
                TestOp::SameAs(other)
                | TestOp::DiffersFrom(other)
                | TestOp::CompareField(_, other) => Some(Gap::Field(other)),
                _ => None,
            };
            let fields = std::iter::once(Gap::Field(test.field)).chain(other);
            (&test.text, fields.collect())
        }
        ExprKind::Measure(test) => (&test.text, vec![Gap::Measure(test.measure)]),
    };
    leaves.entry(words.clone()).or_insert(gaps);
}

/// When an event of a file or of a log counts that claims an instant.
pub(crate) fn counting(logged: Option<(Timestamp, Clock)>, at: Timestamp) -> Counting {
    match logged {
        None | Some((_, Clock::Event)) => Counting::at(at),
        Some((received, Clock::Received)) => Receipt::from(received).counts(at),
        Some((received, Clock::Trusted)) => Receipt::of(Source::trusted(), received).counts(at),
    }
}

/// Where the id of an event is.
#[derive(Debug)]
pub(super) enum Held {
    /// In the cells.
    Slots,
    /// Here.
    Event(Option<Arc<str>>),
}

/// What one thread needs for one matrix.
#[derive(Debug)]
pub(super) struct Desk<'r> {
    side: &'r Side<'r>,
    pub(super) slots: Slots,
    scratch: Scratch,
    gaps: Gaps,
    decider: Decider<'r>,
    measuring: Measuring,
    unsure: Vec<Hit>,
    pub(super) windows: Windows,
    pub(super) found: Found,
    pub(super) held: Held,
    /// When a logged event was received and what its windows went by; nothing of any other.
    pub(super) logged: Option<(Timestamp, Clock)>,
}

/// What was seen of an event at first.
#[derive(Debug)]
pub(super) enum Looked {
    /// It is in the cells.
    Slots,
    /// It is of a kind that is decided in order.
    Waits,
    /// Cells do not hold it.
    Event(Box<Event>),
    /// It cannot be read.
    Unreadable(Box<Unreadable>),
}

impl Looked {
    pub(super) fn waits(&self) -> bool {
        matches!(self, Self::Waits)
    }
}

impl<'r> Desk<'r> {
    pub(super) fn new(side: &'r Side<'r>, limits: &Limits) -> Self {
        Self {
            side,
            slots: Slots::default(),
            scratch: Scratch::default(),
            gaps: Gaps::default(),
            decider: Decider::new(side.program),
            measuring: Measuring::default(),
            unsure: Vec::new(),
            windows: Windows::new(
                &side.program.matrix,
                Bounds::of(limits, &Sources::default(), Counts::default()),
                Secret::random(),
            ),
            found: Found::default(),
            held: Held::Slots,
            logged: None,
        }
    }

    /// When an event counts that claims an instant.
    fn counting(&self, at: Timestamp) -> Counting {
        counting(self.logged, at)
    }

    pub(super) fn matrix(&self) -> &Matrix {
        &self.side.program.matrix
    }

    /// Reads an event into the cells, if they hold it.
    #[inline]
    pub(super) fn look(&mut self, bytes: &[u8], limits: &Limits, received: Timestamp) -> Looked {
        let layout = &self.side.program.layout;
        if self.slots.read(bytes, layout, limits, received).is_ok() {
            return match self.side.waits(self.slots.kind()) {
                true => Looked::Waits,
                false => Looked::Slots,
            };
        }
        match event::read(bytes, &self.matrix().schema, limits, received) {
            Ok(event) if self.side.waits(event.kind) => Looked::Waits,
            Ok(event) => Looked::Event(Box::new(event)),
            Err(event) => Looked::Unreadable(event),
        }
    }

    /// Finds out what an event comes to that does not wait.
    #[inline]
    pub(super) fn take(
        &mut self,
        looked: Looked,
        bytes: &[u8],
        limits: &Limits,
        received: Timestamp,
    ) {
        match looked {
            Looked::Slots => self.read_cells(bytes, limits, received),
            Looked::Event(event) => self.whole(&event),
            Looked::Unreadable(event) => self.unreadable(&event),
            Looked::Waits => {}
        }
    }

    /// Finds out what the next event of the stream comes to.
    pub(super) fn decide(&mut self, bytes: &[u8], limits: &Limits, received: Timestamp) {
        let layout = &self.side.program.layout;
        match self.slots.read(bytes, layout, limits, received) {
            Ok(()) => self.read_cells(bytes, limits, received),
            Err(_) => self.read_whole(bytes, limits, received),
        }
    }

    /// Of an event that is in the cells.
    #[inline]
    fn read_cells(&mut self, bytes: &[u8], limits: &Limits, received: Timestamp) {
        self.held = Held::Slots;
        if self.attach(bytes).is_none() {
            self.read_whole(bytes, limits, received);
        }
    }

    fn read_whole(&mut self, bytes: &[u8], limits: &Limits, received: Timestamp) {
        match event::read(bytes, &self.matrix().schema, limits, received) {
            Ok(event) => self.whole(&event),
            Err(event) => self.unreadable(&event),
        }
    }

    /// What the program attaches to the event in the cells, which is counted if it is one that
    /// measures count; nothing where it has to be decided as a whole, and then it is not counted.
    #[inline]
    fn attach(&mut self, input: &[u8]) -> Option<()> {
        let program = self.side.program;
        let slots = &self.slots;
        let (kind, at) = (slots.kind(), slots.at());
        let ruled = program.kinds.get(kind.0 as usize)?;
        if ruled.adjusts && !ruled.gauges.is_empty() {
            // What is counted is known when it is known whether an adjust applies.
            return None;
        }
        let event = Measured {
            slots,
            input,
            counting: self.counting(at),
        };
        let (scratch, measuring) = (&mut self.scratch, &mut self.measuring);
        let attached = self.windows.attachments(program, event, scratch, measuring);
        let unsure = &mut self.unsure;
        self.found
            .attached(self.side, &attached.ok()?, kind, at, unsure)?;
        if !unsure.is_empty() {
            let gaps = &mut self.found.gaps;
            let answers = &self.measuring.answers;
            self.gaps.of(program, slots, input, answers, unsure, |gap| {
                if !gaps.contains(&gap) {
                    gaps.push(gap);
                }
            });
        }
        Some(())
    }

    /// The whole decision.
    fn whole(&mut self, event: &Event) {
        let at = event.at();
        let counting = self.counting(at);
        let settled = self.windows.settle(&mut self.decider, event, counting, at);
        let last = settled.event(event);
        self.found.decided(self.side, &settled.decision, last);
        self.held = Held::Event(event.id.clone());
    }

    pub(super) fn unreadable(&mut self, event: &Unreadable) {
        self.found.unreadable(self.side, event);
        self.held = Held::Event(event.id.clone());
    }
}
