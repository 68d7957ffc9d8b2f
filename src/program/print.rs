//! The compiled program as text, for an operator who asks why a lane is looked at.
//!
//! In: a [`Program`] and a [`View`]. Out: text, line by line from a field of the event to the lane.
//! Invariant: the same program gives the same text, and nothing in it is guessed: what is shown is
//! read from the program, names and lines from its matrix.
//! Must not know how the program was made, but for the bound that it is told.
//!
//! The order of a kind: the strategy, the fields as cells (`fields`), where clauses are filed
//! (`filed`), the tests and parts of triggers (`asked`), the order of decisions and the lanes with
//! their clauses (`entries`). `places` finds the lines of the matrix, `list` cuts long lists.

use std::fmt::{self, Display, Formatter};

use super::{KindProgram, Program, What};
use crate::matrix::{LaneId, Matrix};
use crate::schema::Kind;
use crate::slots::KindLayout;

mod asked;
mod entries;
mod fields;
mod filed;
mod list;
mod places;

use filed::Filings;
use list::counted;
use places::Places;

/// Lines of a list that are shown unless everything is.
const MOST: usize = 40;

/// What of a program is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct View {
    /// Whether long lists are shown to their end.
    pub full: bool,
    /// The one lane that is shown, with how events come to it.
    pub lane: Option<LaneId>,
    /// Up to how many clauses a kind has no index, where the caller knows it.
    pub straight: Option<usize>,
}

/// A program with what of it is to be shown.
#[derive(Debug, Clone, Copy)]
pub struct Printed<'p> {
    program: &'p Program,
    view: View,
}

/// The program as text, with long lists cut.
#[must_use]
pub fn print(program: &Program) -> String {
    program.to_string()
}

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.printed(View::default()).fmt(f)
    }
}

impl Program {
    /// What of the program is to be shown.
    #[must_use]
    pub fn printed(&self, view: View) -> Printed<'_> {
        Printed {
            program: self,
            view,
        }
    }
}

impl Display for Printed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { program, view } = *self;
        let matrix = &*program.matrix;
        write!(f, "program of {}", crate::value::quote(&matrix.name))?;
        let digest = matrix.digest.get(..12).unwrap_or(&matrix.digest);
        writeln!(
            f,
            ", digest {digest}: {}, {}, {}",
            counted(matrix.schema.kinds().len(), "kind"),
            counted(matrix.lanes.len(), "lane"),
            counted(matrix.rules.len(), "rule"),
        )?;
        let kinds = matrix.schema.kinds().iter();
        let parts = kinds.zip(&program.kinds).zip(&program.layout.kinds);
        for ((declared, kind), layout) in parts {
            let is_shown = match view.lane.and_then(|id| matrix.lane(id)) {
                Some(lane) => lane.on.contains(&declared.id),
                None => true,
            };
            if is_shown {
                let page = Page {
                    matrix,
                    declared,
                    kind,
                    layout,
                    view,
                };
                page.write(f)?;
            }
        }
        Ok(())
    }
}

/// One kind on its way to the text.
#[derive(Clone, Copy)]
struct Page<'p> {
    matrix: &'p Matrix,
    declared: &'p Kind,
    kind: &'p KindProgram,
    layout: &'p KindLayout,
    view: View,
}

impl Page<'_> {
    fn write(self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nkind {}", self.declared.name)?;
        if let Some(reason) = &self.kind.reference {
            writeln!(f, "  strategy  the reference evaluator: {reason}")?;
            return self.left_to_reference(f);
        }
        let filings = Filings::of(self);
        self.strategy(f, &filings)?;
        if self.view.lane.is_some() {
            return self.entries(f, &filings);
        }
        if self.kind.entries.is_empty() {
            return self.order(f);
        }
        let places = Places::of(self);
        self.fields(f)?;
        self.filings(f, &filings)?;
        self.tests(f, &places)?;
        self.measures(f, &places)?;
        self.parts(f)?;
        self.order(f)?;
        self.entries(f, &filings)
    }

    fn strategy(self, f: &mut Formatter<'_>, filings: &Filings) -> fmt::Result {
        let count = self.kind.clauses.len();
        let clauses = counted(count, "clause");
        write!(f, "  strategy  ")?;
        if count == 0 {
            writeln!(f, "none: no lane and no rule can hold")?;
        } else if self.is_straight() {
            write!(f, "straight scan: an event is held against {clauses}")?;
            match self.view.straight {
                Some(most) if count > most => {
                    writeln!(
                        f,
                        "; more than {most}, but none asks what an index can find"
                    )?;
                }
                Some(most) => writeln!(f, "; an index is made for more than {most}")?,
                None => writeln!(f)?,
            }
        } else if self.kind.index.is_straight() {
            let always = self.kind.index.always;
            let rest = u32::try_from(count).unwrap_or(u32::MAX) - (always.end - always.start);
            writeln!(
                f,
                "scan: an event is held against {} of {clauses}, and against the other {rest} only \
                 where a search for all their phrases at once finds one",
                always.end - always.start
            )?;
        } else {
            write!(f, "index: {clauses}, each filed under one of its tests")?;
            match self.view.straight {
                Some(most) => writeln!(f, "; up to {most} would be scanned")?,
                None => writeln!(f)?,
            }
            let always = self.kind.index.always;
            let (share, longest) = (always.end - always.start, self.longest(filings));
            writeln!(
                f,
                "            every event is held against {share} of them, and for each field below \
                 against those of its value: at most {longest}"
            )?;
        }
        writeln!(
            f,
            "            {} lanes and rules, {}, {}, {}",
            self.kind.entries.len(),
            counted(self.kind.tests.len(), "test"),
            counted(self.kind.measure_tests.len(), "measure test"),
            counted(self.kind.nodes.nodes.len(), "part"),
        )
    }

    /// The lanes and rules of a kind that is not compiled, with their lines all the same.
    fn left_to_reference(self, f: &mut Formatter<'_>) -> fmt::Result {
        let on = self.declared.id;
        let lanes = self.matrix.lanes.iter();
        let lanes = lanes.filter(|lane| lane.on.contains(&on));
        let rules = self.matrix.rules.iter();
        let rules = rules.filter(|rule| rule.on.contains(&on));
        let lanes = lanes.map(|lane| What::Lane(lane.id));
        let rules = rules.map(|rule| What::Rule(rule.id));
        let is_shown = |what: &What| self.is_shown(*what);
        let all: Vec<What> = lanes.chain(rules).filter(is_shown).collect();
        self.list(f, "    ", &all, |f, what| {
            writeln!(f, "    {}  {}", self.title(*what), self.line_of(*what))
        })
    }

    /// Whether a lane or rule is to be shown.
    fn is_shown(self, what: What) -> bool {
        self.view.lane.is_none_or(|lane| what == What::Lane(lane))
    }
}
