//! The summary for a terminal.

use std::io::{self, Write};

use super::plot::{joined, sparkline};
use super::words::{
    Face, events, example, extent, kind_rows, missing_rows, named, number, one_bar, remarks,
    rule_rows, share, trial_rows, when,
};
use crate::cli::decide::paint as paint_verdict;
use crate::cli::output::Paint;
use crate::cli::screen::{clean, columns, cut, fill, wrap};
use crate::replay::Summary;
use crate::replay::summary::{Against, LogSummary, OverTime};

const FACE: Face = Face { name: clean, share };

/// The width of what goes to a file or a pipe.
const PAPER: usize = 120;

/// Sorts of change that are shown; JSON and HTML have all.
const CHANGES: usize = 30;

/// Lanes and problems that are shown.
const LONG: usize = 50;

/// Examples of a sort of change or problem that are shown.
const EXAMPLES: usize = 3;

/// Words of a name are not cut below this.
const NARROW: usize = 12;

pub(super) fn write(
    out: &mut impl Write,
    paint: Paint,
    screen: Option<usize>,
    summary: &Summary,
) -> io::Result<()> {
    let page = Page {
        paint,
        width: screen.unwrap_or(PAPER),
        room: screen.unwrap_or(usize::MAX),
    };
    page.head(out, summary)?;
    if summary.events == 0 {
        return Ok(());
    }
    page.verdicts(out, summary)?;
    if let Some(over) = &summary.over_time {
        page.over_time(out, over)?;
    }
    page.lanes(out, summary)?;
    page.rules(out, summary)?;
    page.kinds(out, summary)?;
    page.unsure(out, summary)?;
    page.unreadable(out, summary)?;
    if let Some(against) = &summary.against {
        page.against(out, against)?;
    }
    if let Some(log) = &summary.log {
        page.log(out, log)?;
    }
    Ok(())
}

struct Page {
    paint: Paint,
    /// The columns of lines and plots.
    width: usize,
    /// The columns of tables; in a file or a pipe they have no limit.
    room: usize,
}

/// Cells of a table: the first column is text, and so is every column that is named so.
struct Table {
    titles: Vec<&'static str>,
    /// Columns of numbers, which stand to the right.
    right: Vec<usize>,
    /// The column that gives way where there is no room.
    gives_way: usize,
    /// Columns that are left out where that is not enough, the last first.
    may_go: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Page {
    fn head(&self, out: &mut impl Write, summary: &Summary) -> io::Result<()> {
        let digest = summary.matrix.digest.get(..12).unwrap_or_default();
        let name = self.paint.bold(&clean(&summary.matrix.name));
        writeln!(out, "{name}, digest {digest}")?;
        for line in wrap(&extent(summary), Some(self.width)) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    fn title(&self, out: &mut impl Write, title: &str, beside: &str) -> io::Result<()> {
        let title = self.paint.bold(title);
        let beside = match beside {
            "" => String::new(),
            beside => format!("  {beside}"),
        };
        writeln!(out, "\n{title}{beside}")
    }

    fn verdicts(&self, out: &mut impl Write, summary: &Summary) -> io::Result<()> {
        self.title(out, "verdicts", "")?;
        let of = summary.events;
        let verdicts = summary.verdicts.each();
        let widest = verdicts.iter().map(|(_, n)| columns(&number(*n))).max();
        for (verdict, count) in verdicts.into_iter().filter(|(_, n)| *n > 0) {
            let part = crate::replay::summary::Part { events: count, of };
            let word = paint_verdict(self.paint, verdict, &fill(verdict.as_str(), 8));
            let widest = widest.unwrap_or(0);
            let (count, share) = (number(count), share(part));
            let room = self.width.saturating_sub(widest + 24).min(40);
            let bar = bar(part.share(), room);
            let line = format!("  {word}  {count:>widest$}  {share:>8}  {bar}");
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn over_time(&self, out: &mut impl Write, over: &OverTime) -> io::Result<()> {
        let label = 12;
        let buckets = joined(&over.buckets, self.width.saturating_sub(label + 16));
        let together = over.buckets.len().div_ceil(buckets.len().max(1));
        let every = one_bar(over.step, together);
        let beside = format!("{every}, times of {}", over.zone);
        self.title(out, "over time", &beside)?;
        for at in 0..4 {
            let numbers = buckets.iter();
            let numbers: Vec<u64> = numbers
                .filter_map(|bucket| bucket.verdicts.each().get(at).map(|(_, n)| *n))
                .collect();
            let most = numbers.iter().copied().max().unwrap_or(0);
            let Some((verdict, _)) = buckets
                .first()
                .and_then(|bucket| bucket.verdicts.each().get(at).copied())
                .filter(|_| most > 0)
            else {
                continue;
            };
            let word = paint_verdict(self.paint, verdict, &fill(verdict.as_str(), 8));
            let line = sparkline(&numbers);
            writeln!(out, "  {word}  {line}  at most {}", number(most))?;
        }
        let (Some(first), Some(last)) = (over.buckets.first(), over.buckets.last()) else {
            return Ok(());
        };
        let (first, last) = (when(&first.from), when(&last.from));
        let room = buckets.len().saturating_sub(columns(&first));
        let axis = match first == last {
            true => first,
            false => format!("{first}{:>room$}", format!(" to {last}")),
        };
        let axis = self.paint.faint(&axis);
        writeln!(out, "{:label$}{axis}", "")
    }

    fn lanes(&self, out: &mut impl Write, summary: &Summary) -> io::Result<()> {
        let lanes = summary.lanes.iter();
        let rows = lanes.map(|lane| {
            let skipped = match lane.skipped {
                0 => String::new(),
                skipped => number(skipped),
            };
            vec![
                clean(&lane.lane),
                clean(&lane.owner),
                number(lane.part.events),
                share(lane.part),
                number(lane.fired),
                number(lane.unsure),
                number(lane.primary),
                skipped,
            ]
        });
        let mut titles = vec![
            "lane", "owner", "events", "share", "fired", "unsure", "primary", "skipped",
        ];
        let mut rows: Vec<Vec<String>> = rows.collect();
        if summary.lanes.iter().all(|lane| lane.skipped == 0) {
            titles.pop();
            for row in &mut rows {
                row.pop();
            }
        }
        self.title(out, "lanes", "")?;
        let table = Table {
            right: (2..titles.len()).collect(),
            titles,
            gives_way: 0,
            may_go: vec![1, 4],
            rows,
        };
        self.table(out, table, LONG)?;
        if !summary.never_attached.is_empty() {
            let never = summary.never_attached.iter().map(|name| clean(name));
            let never = never.collect::<Vec<_>>().join(", ");
            self.list(out, "never attached: ", &never)?;
        }
        if summary.trial.is_empty() {
            return Ok(());
        }
        self.title(out, "on trial", "")?;
        let table = Table {
            titles: vec!["lane", "events", "share", "fired", "unsure"],
            right: vec![1, 2, 3, 4],
            gives_way: 0,
            may_go: vec![],
            rows: trial_rows(summary, FACE),
        };
        self.table(out, table, LONG)
    }

    fn rules(&self, out: &mut impl Write, summary: &Summary) -> io::Result<()> {
        if summary.rules.is_empty() {
            return Ok(());
        }
        self.title(out, "rules", "")?;
        let table = Table {
            titles: vec!["rule", "does", "events", "share", "unsure", "decides"],
            right: vec![2, 3, 4, 5],
            gives_way: 0,
            may_go: vec![1, 4],
            rows: rule_rows(summary, FACE),
        };
        self.table(out, table, LONG)
    }

    fn kinds(&self, out: &mut impl Write, summary: &Summary) -> io::Result<()> {
        self.title(out, "kinds", "")?;
        let table = Table {
            titles: vec!["kind", "events", "share"],
            right: vec![1, 2],
            gives_way: 0,
            may_go: vec![],
            rows: kind_rows(summary, FACE),
        };
        self.table(out, table, LONG)
    }

    fn unsure(&self, out: &mut impl Write, summary: &Summary) -> io::Result<()> {
        let unsure = &summary.unsure;
        if unsure.part.events == 0 {
            return Ok(());
        }
        let all = format!("{}, {}", events(unsure.part.events), share(unsure.part));
        self.title(out, "unsure", &all)?;
        let table = Table {
            titles: vec!["what was missing", "events", "share"],
            right: vec![1, 2],
            gives_way: 0,
            may_go: vec![],
            rows: missing_rows(summary, FACE),
        };
        self.table(out, table, LONG)
    }

    fn unreadable(&self, out: &mut impl Write, summary: &Summary) -> io::Result<()> {
        let unreadable = &summary.unreadable;
        if unreadable.part.events == 0 {
            return Ok(());
        }
        let part = unreadable.part;
        let all = format!("{}, {}", events(part.events), share(part));
        self.title(out, "unreadable", &self.paint.warn(&all))?;
        for problem in unreadable.by_problem.iter().take(LONG) {
            let kind = problem.kind.as_ref().map(|kind| format!(" of {kind}"));
            let line = format!(
                "{}{}: {}",
                events(problem.part.events),
                kind.unwrap_or_default(),
                problem.message
            );
            self.list(out, "", &clean(&line))?;
            let examples = problem.examples.iter().take(EXAMPLES);
            let examples: Vec<String> = examples.map(|e| clean(&example(e))).collect();
            let line = format!("    {}", examples.join(", "));
            writeln!(out, "{}", self.paint.faint(&cut(&line, self.width)))?;
        }
        self.more(out, unreadable.by_problem.len(), LONG)
    }

    fn against(&self, out: &mut impl Write, against: &Against) -> io::Result<()> {
        let digest = against.matrix.digest.get(..12).unwrap_or_default();
        let name = clean(&against.matrix.name);
        self.title(out, "against", &format!("{name}, digest {digest}"))?;
        if against.changed.events == 0 {
            return writeln!(out, "  no decision changes");
        }
        let parts = against
            .by_strictness()
            .map(|(strictness, count)| format!("{} {}", number(count), strictness.as_str()));
        let (changed, parts) = (against.changed, parts.collect::<Vec<_>>().join(", "));
        let line = format!(
            "{} changed, {}: {parts}",
            events(changed.events),
            share(changed)
        );
        self.list(out, "", &line)?;
        let rows = against.changes.iter().map(|change| {
            let examples = change.examples.iter().take(EXAMPLES);
            let examples: Vec<String> = examples
                .map(|e| match &e.event {
                    Some(id) => clean(id),
                    None => example(e),
                })
                .collect();
            vec![
                change.strictness.as_str().to_owned(),
                number(change.part.events),
                share(change.part),
                clean(&named(&change.old)),
                clean(&named(&change.new)),
                change.differs.join(", "),
                examples.join(", "),
            ]
        });
        let table = Table {
            titles: vec![
                "strictness",
                "events",
                "share",
                "is",
                "becomes",
                "differs",
                "such as",
            ],
            right: vec![1, 2],
            gives_way: 6,
            may_go: vec![2, 6],
            rows: rows.collect(),
        };
        self.table(out, table, CHANGES)
    }

    /// What a decision log says, beside what is decided now.
    fn log(&self, out: &mut impl Write, log: &LogSummary) -> io::Result<()> {
        let same = log.decisions - log.changed.events;
        let beside = format!("{} decided as then", number(same));
        self.title(out, "decision log", &beside)?;
        for (count, says) in remarks(log) {
            self.list(out, "", &format!("{} {says}", number(count)))?;
        }
        if log.changes.is_empty() {
            return writeln!(out, "  no decision changes");
        }
        let rows = log.changes.iter().map(|change| {
            let examples = change.examples.iter().take(EXAMPLES).map(example);
            vec![
                number(change.part.events),
                share(change.part),
                clean(&named(&change.old)),
                clean(&named(&change.new)),
                clean(&examples.collect::<Vec<_>>().join(", ")),
            ]
        });
        let table = Table {
            titles: vec!["events", "share", "was", "is now", "such as"],
            right: vec![0, 1],
            gives_way: 4,
            may_go: vec![1, 4],
            rows: rows.collect(),
        };
        self.table(out, table, CHANGES)
    }

    /// Says how many are left out.
    fn more(&self, out: &mut impl Write, all: usize, shown: usize) -> io::Result<()> {
        match all.saturating_sub(shown) {
            0 => Ok(()),
            more => {
                let line = format!("  and {more} more; --format json has all");
                writeln!(out, "{}", self.paint.faint(&line))
            }
        }
    }

    /// A text in lines that fit.
    fn list(&self, out: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
        let mut label = label.to_owned();
        let room = self.width.saturating_sub(2 + label.len()).max(NARROW);
        for line in wrap(text, Some(room)) {
            writeln!(out, "  {label}{line}")?;
            label = " ".repeat(label.len());
        }
        Ok(())
    }

    fn table(&self, out: &mut impl Write, mut table: Table, most: usize) -> io::Result<()> {
        let all = table.rows.len();
        table.rows.truncate(most);
        let widths = loop {
            let widths = self.fitted(&table);
            match table.may_go.pop() {
                Some(column) if taken(&widths) > self.room => table.leave_out(column),
                _ => break widths,
            }
        };
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells = cells.zip(&widths).enumerate().map(|(n, (cell, width))| {
                let cell = cut(cell, *width);
                let room = width.saturating_sub(columns(&cell));
                match table.right.contains(&n) {
                    true => format!("{}{cell}", " ".repeat(room)),
                    false => format!("{cell}{}", " ".repeat(room)),
                }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let titles = line(&mut table.titles.iter().copied());
        writeln!(out, "  {}", self.paint.quiet(&titles))?;
        for row in &table.rows {
            let line = line(&mut row.iter().map(String::as_str));
            writeln!(out, "  {}", self.by_strictness(&line))?;
        }
        self.more(out, all, most)
    }

    /// The widths of the columns, made narrower until all fit: first the one that gives way, then
    /// the widest texts.
    fn fitted(&self, table: &Table) -> Vec<usize> {
        let mut widths: Vec<usize> = table.titles.iter().map(|title| columns(title)).collect();
        for row in &table.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = columns(cell).max(*width);
            }
        }
        while taken(&widths) > self.room {
            let over = taken(&widths) - self.room;
            if let Some(width) = widths.get_mut(table.gives_way)
                && *width > NARROW
            {
                *width = width.saturating_sub(over).max(NARROW);
                continue;
            }
            let texts = widths.iter_mut().enumerate();
            let texts = texts.filter(|(n, width)| !table.right.contains(n) && **width > NARROW);
            let Some((_, widest)) = texts.max_by_key(|(_, width)| **width) else {
                break;
            };
            *widest -= 1;
        }
        widths
    }

    /// A row of changes in the colour of its first word.
    fn by_strictness(&self, line: &str) -> String {
        match line.split(' ').next() {
            Some("looser") => self.paint.bad(line),
            Some("stricter") => self.paint.good(line),
            Some("mixed") => self.paint.warn(line),
            _ => line.to_owned(),
        }
    }
}

impl Table {
    fn leave_out(&mut self, column: usize) {
        self.titles.remove(column);
        for row in &mut self.rows {
            row.remove(column);
        }
        let behind = |at: &usize| if *at > column { at - 1 } else { *at };
        self.right.retain(|at| *at != column);
        self.right = self.right.iter().map(behind).collect();
        self.gives_way = match self.gives_way == column {
            true => 0,
            false => behind(&self.gives_way),
        };
    }
}

/// The columns of a row with its indent and what stands between its cells.
fn taken(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + 2 * widths.len()
}

/// A bar of a share, in half columns.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bar has few columns"
)]
fn bar(share: f64, room: usize) -> String {
    let halves = (share * room as f64 * 2.0).round() as usize;
    let half = if halves % 2 == 1 { "╸" } else { "" };
    format!("{}{half}", "━".repeat(halves / 2))
}
