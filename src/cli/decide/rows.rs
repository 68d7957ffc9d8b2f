//! Decisions as rows of aligned columns.
//!
//! In: decisions as they are made, each made a row on any thread. Out: rows in their order.
//! Method: the first rows that are there together set the widths of the columns, and the rows after
//! them follow; on a screen what does not fit is cut, and where little room is left the reason has
//! a line of its own.
//! Invariant: at most [`TOGETHER`] rows are held.

use std::io::{self, Write};

use chrono::NaiveDate;

use crate::cli::block;
use crate::cli::decide::Decided;
use crate::cli::output::Paint;
use crate::cli::screen::{self, clean, columns, cut, fill};
use crate::clock::Timestamp;
use crate::decision::{Decision, EventRef, State, Verdict};
use crate::matrix::Matrix;

/// Rows that are held to find the widths.
const TOGETHER: usize = 200;

/// Fewer rows than this do not say how wide those behind them will be.
const FEW: usize = 20;

/// Columns that a reason needs to stand beside the others.
const REASON: usize = 36;

/// A name is not cut below this.
const NARROW: usize = 9;

const TITLES: [&str; 7] = [
    "event",
    "time",
    "verdict",
    "by",
    "owner",
    "urgency",
    "respond by",
];

/// The columns whose words may be cut: event, by, owner.
const MAY_BE_CUT: [usize; 3] = [0, 3, 4];

/// How decisions become rows.
#[derive(Clone, Copy)]
pub(super) struct Style<'m> {
    matrix: &'m Matrix,
    pub(super) paint: Paint,
    verbose: bool,
    screen: Option<usize>,
}

/// The rows that are not written yet, and how wide they are.
pub(super) struct Rows<'m> {
    style: Style<'m>,
    held: Vec<Row>,
    widths: Option<[usize; 7]>,
    day: Option<NaiveDate>,
}

pub(super) struct Row {
    cells: [String; 7],
    verdict: Verdict,
    day: NaiveDate,
    reason: String,
    block: String,
}

impl<'m> Style<'m> {
    pub(super) fn new(matrix: &'m Matrix, paint: Paint, verbose: bool) -> Self {
        Self {
            matrix,
            paint,
            verbose,
            screen: screen::width(),
        }
    }

    pub(super) fn row(&self, decided: &Decided) -> Row {
        let decision = &decided.decision;
        let at = decided.at.with_timezone(&self.matrix.zone);
        let id = match &decision.event {
            EventRef::Id(id) => clean(id),
            EventRef::Line(line) => format!("line {line}"),
            EventRef::None => String::new(),
        };
        // On a screen a line of its own says the day.
        let time = match self.screen {
            Some(_) => at.format("%H:%M").to_string(),
            None => at.format("%Y-%m-%d %H:%M:%S").to_string(),
        };
        let unsure = decision.lanes.first();
        let unsure = unsure.is_some_and(|lane| lane.state == State::Unsure);
        let mark = if unsure { "?" } else { "" };
        let respond_by = decision
            .respond_by
            .map(|by| self.respond_by(by, decided.at));
        let wants_block = self.verbose && block::is_worth_it(decision);
        Row {
            cells: [
                id,
                time,
                decision.verdict.as_str().to_owned(),
                format!("{}{mark}", clean(&decision.by)),
                clean(decision.owner.as_deref().unwrap_or("")),
                decision.urgency.map_or("", |u| u.as_str()).to_owned(),
                respond_by.unwrap_or_default(),
            ],
            verdict: decision.verdict,
            day: at.date_naive(),
            reason: reason(decision),
            block: match wants_block {
                true => block::text(decision, self.matrix, self.paint, self.screen, "    "),
                false => String::new(),
            },
        }
    }

    /// The wall time of the same day; of another day with its date.
    fn respond_by(&self, by: Timestamp, at: Timestamp) -> String {
        let zone = &self.matrix.zone;
        let (by, at) = (by.with_timezone(zone), at.with_timezone(zone));
        let form = match self.screen {
            None => "%Y-%m-%d %H:%M:%S",
            Some(_) if by.date_naive() == at.date_naive() => "%H:%M",
            Some(_) => "%m-%d %H:%M",
        };
        by.format(form).to_string()
    }
}

impl<'m> Rows<'m> {
    pub(super) fn new(style: Style<'m>) -> Self {
        Self {
            style,
            held: Vec::new(),
            widths: None,
            day: None,
        }
    }

    pub(super) fn push(&mut self, row: Row) {
        self.held.push(row);
    }

    /// Whether enough rows are held.
    pub(super) fn is_full(&self) -> bool {
        self.held.len() >= TOGETHER
    }

    /// Writes the rows that are held; `more` says that others may follow.
    pub(super) fn write(&mut self, out: &mut impl Write, more: bool) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let widths = match self.widths {
            Some(widths) => widths,
            None => {
                let widths = self.measure(more && self.held.len() < FEW);
                self.widths = Some(widths);
                self.write_titles(out, widths)?;
                widths
            }
        };
        for row in std::mem::take(&mut self.held) {
            self.write_row(out, &row, widths)?;
        }
        Ok(())
    }

    /// The widths that the held rows want, and with `all` whatever rows may come; on a screen the
    /// widest names give way until all fit.
    fn measure(&self, all: bool) -> [usize; 7] {
        let mut widths = match all {
            true => self.widest(),
            false => TITLES.map(columns),
        };
        for row in &self.held {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = columns(cell).max(*width);
            }
        }
        let Some(screen) = self.style.screen else {
            return widths;
        };
        while taken(&widths) > screen {
            let widest = widths
                .iter_mut()
                .enumerate()
                .filter(|(n, width)| MAY_BE_CUT.contains(n) && **width > NARROW)
                .max_by_key(|(_, width)| **width);
            let Some((_, widest)) = widest else { break };
            *widest -= 1;
        }
        widths
    }

    /// The widths of the widest rows that the matrix can give, with room for short ids.
    fn widest(&self) -> [usize; 7] {
        let longest = |names: &mut dyn Iterator<Item = &String>| {
            names.map(|name| columns(&clean(name))).max().unwrap_or(0)
        };
        let lanes = longest(&mut self.style.matrix.lanes.iter().map(|lane| &lane.name));
        let rules = longest(&mut self.style.matrix.rules.iter().map(|rule| &rule.name));
        let teams = longest(&mut self.style.matrix.teams.iter().map(|team| &team.name));
        let by = (lanes + 1).max(rules).max(columns("unreadable"));
        let instant = self
            .style
            .screen
            .map_or("2026-11-20 10:00:00", |_| "11-20 10:00");
        let mut widths = TITLES.map(columns);
        let wanted = [12, 0, columns("escalate"), by, teams, columns("critical")];
        let wanted = wanted.into_iter().chain([columns(instant)]);
        for (width, wanted) in widths.iter_mut().zip(wanted) {
            *width = wanted.max(*width);
        }
        widths
    }

    /// The columns that are left for the reason; `None` where it has a line of its own.
    fn room(&self, widths: [usize; 7]) -> Option<usize> {
        let Some(screen) = self.style.screen else {
            return Some(usize::MAX);
        };
        let room = screen.saturating_sub(taken(&widths) + 2);
        (room >= REASON).then_some(room)
    }

    fn write_titles(&self, out: &mut impl Write, widths: [usize; 7]) -> io::Result<()> {
        if self.style.screen.is_none() {
            writeln!(out, "# times of {}", self.style.matrix.zone.name())?;
        }
        let titles = TITLES.iter().zip(widths).map(|(title, w)| fill(title, w));
        let mut line = titles.collect::<Vec<_>>().join("  ");
        if self.room(widths).is_some() {
            line.push_str("  reason");
        }
        writeln!(out, "{}", self.style.paint.bold(line.trim_end()))
    }

    fn write_row(&mut self, out: &mut impl Write, row: &Row, widths: [usize; 7]) -> io::Result<()> {
        if self.style.screen.is_some() && self.day != Some(row.day) {
            self.day = Some(row.day);
            let day = row.day.format("%A, %Y-%m-%d");
            let day = format!("{day}, times of {}", self.style.matrix.zone.name());
            writeln!(out, "{}", self.style.paint.quiet(&day))?;
        }
        let cells = row.cells.iter().zip(widths).enumerate();
        let cells: Vec<String> = cells
            .map(|(n, (cell, width))| match n {
                2 => paint(self.style.paint, row.verdict, &fill(cell, width)),
                _ => fill(cell, width),
            })
            .collect();
        let line = cells.join("  ");
        match self.room(widths) {
            _ if row.reason.is_empty() => writeln!(out, "{}", line.trim_end())?,
            Some(room) => writeln!(out, "{line}  {}", cut(&row.reason, room))?,
            None => {
                writeln!(out, "{}", line.trim_end())?;
                let room = self.style.screen.unwrap_or(usize::MAX).saturating_sub(4);
                writeln!(out, "    {}", cut(&row.reason, room))?;
            }
        }
        out.write_all(row.block.as_bytes())
    }
}

/// The columns of all cells with two between them.
fn taken(widths: &[usize; 7]) -> usize {
    widths.iter().sum::<usize>() + 2 * (widths.len() - 1)
}

/// The reason without what the other columns say; nothing where it only says that nothing spoke
/// against the event.
fn reason(decision: &Decision) -> String {
    let (by, reason) = (&decision.by, &decision.reason);
    if by == "otherwise" && decision.verdict == Verdict::Allow {
        return String::new();
    }
    let fired = reason.strip_prefix(&format!("lane `{by}` fired: "));
    let unsure = reason.strip_prefix(&format!("could not rule out lane `{by}`: "));
    match (fired, unsure) {
        (Some(tests), _) => clean(tests),
        (None, Some(gaps)) => clean(&format!("could not rule out: {gaps}")),
        (None, None) => clean(reason),
    }
}

/// The word of a verdict in its colour.
pub(in crate::cli) fn paint(paint: Paint, verdict: Verdict, word: &str) -> String {
    match verdict {
        Verdict::Allow => paint.good(word),
        Verdict::Escalate => paint.warn(word),
        Verdict::Adjust => paint.quiet(word),
        Verdict::Deny => paint.bad(word),
    }
}
