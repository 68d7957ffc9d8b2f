//! An explanation as a tree of tests for a person.
//!
//! Invariant: what is true, false and unknown is told apart by a sign, not by colour alone.

use std::io::{self, Write};

use super::{Answered, WhyNot};
use crate::cli::block::{self, sign};
use crate::cli::decide::paint;
use crate::cli::output::Paint;
use crate::cli::render::count;
use crate::cli::screen::{self, clean, columns, cut, wrap};
use crate::decision::{EventRef, Kleene, Window};
use crate::matrix::Matrix;
use crate::reference::{Explained, Explanation, Node, Standing};
use crate::words::moment;

/// The values stand in one column, unless a test is longer than this.
const WIDEST_TEST: usize = 64;

/// Columns that a value keeps on a screen.
const VALUE: usize = 20;

pub(super) fn write(
    out: &mut impl Write,
    style: Paint,
    matrix: &Matrix,
    answered: &Answered,
) -> io::Result<()> {
    let mut tree = Tree {
        out,
        paint: style,
        screen: screen::width(),
    };
    tree.head(matrix, answered)?;
    match (&answered.why_not, &answered.explanation) {
        (Some(why_not), Some(explanation)) => tree.why_not(why_not, explanation),
        (None, Some(explanation)) => {
            tree.decision(matrix, answered)?;
            tree.explanation(explanation)
        }
        (_, None) => tree.decision(matrix, answered),
    }
}

struct Tree<'w, W> {
    out: &'w mut W,
    paint: Paint,
    screen: Option<usize>,
}

impl<W: Write> Tree<'_, W> {
    fn head(&mut self, matrix: &Matrix, answered: &Answered) -> io::Result<()> {
        let decision = &answered.decision;
        let name = match &decision.event {
            EventRef::Id(id) => clean(id),
            EventRef::Line(_) | EventRef::None => format!("line {}", answered.line),
        };
        let kind = answered.explanation.as_ref();
        let kind = kind.map_or_else(|| "cannot be read".to_owned(), |e| e.kind.clone());
        let at = moment(answered.at, matrix.zone);
        let before = match answered.history {
            0 => "nothing counted before it".to_owned(),
            number => {
                let number = count(usize::try_from(number).unwrap_or(usize::MAX), "event");
                format!("{number} counted before it")
            }
        };
        let name = self.paint.bold(&name);
        writeln!(self.out, "event {name} ({kind}) at {at}, {before}")?;
        let verdict = paint(self.paint, decision.verdict, decision.verdict.as_str());
        writeln!(
            self.out,
            "{verdict} by {}",
            self.paint.bold(&clean(&decision.by))
        )?;
        for line in wrap(&clean(&decision.reason), self.screen) {
            writeln!(self.out, "{line}")?;
        }
        writeln!(self.out)
    }

    fn decision(&mut self, matrix: &Matrix, answered: &Answered) -> io::Result<()> {
        let text = block::text(&answered.decision, matrix, self.paint, self.screen, "");
        if !text.is_empty() {
            writeln!(self.out, "{text}")?;
        }
        Ok(())
    }

    fn why_not(&mut self, why_not: &WhyNot, explanation: &Explanation) -> io::Result<()> {
        for line in wrap(&clean(&why_not.sentence), self.screen) {
            writeln!(self.out, "{}", self.paint.bold(&line))?;
        }
        writeln!(self.out)?;
        if let Some(lane) = explanation.lane(&why_not.lane) {
            self.explained(lane)?;
        }
        self.legend()
    }

    fn explanation(&mut self, explanation: &Explanation) -> io::Result<()> {
        if explanation.adjusted.is_some() {
            writeln!(self.out, "{}", self.paint.bold("as the event came"))?;
        }
        for explained in explanation.rules.iter().chain(&explanation.lanes) {
            self.explained(explained)?;
        }
        if let Some(adjusted) = &explanation.adjusted {
            writeln!(self.out, "{}", self.paint.bold("with its adjusts"))?;
            for explained in adjusted.rules.iter().chain(&adjusted.lanes) {
                self.explained(explained)?;
            }
        }
        self.legend()
    }

    fn legend(&mut self) -> io::Result<()> {
        let signs = [Kleene::True, Kleene::False, Kleene::Unknown];
        let signs = signs.map(|k| self.result(k, &format!("{} {}", sign(k), k.as_str())));
        writeln!(self.out, "{}", signs.join("   "))
    }

    fn explained(&mut self, explained: &Explained) -> io::Result<()> {
        let name = self.paint.bold(&clean(&explained.name));
        let is_rule = explained.does != "lane";
        let state = match explained.state {
            Standing::Fired if is_rule => self.paint.warn("applies"),
            Standing::Fired => self.paint.warn("fired"),
            Standing::Unsure => self.paint.warn("unsure"),
            Standing::Silent if is_rule => "does not apply".to_owned(),
            Standing::Silent => "silent".to_owned(),
            Standing::NotConsidered => {
                let kinds = explained.on.join("`, `");
                format!("not considered, it is on `{kinds}`")
            }
        };
        let trial = if explained.trial { ", on trial" } else { "" };
        let does = explained.does;
        let place = place(explained.file.as_deref(), explained.line);
        writeln!(self.out, "{does} {name}: {state}{trial}  ({place})")?;
        let mut rows = Vec::new();
        if let Some(when) = &explained.when {
            gather(when, 1, &mut rows);
        }
        if let Some(unless) = &explained.unless {
            rows.push(Row::words("  unless"));
            gather(unless, 2, &mut rows);
        }
        self.rows(&rows)?;
        if !explained.unknown.is_empty() {
            let unknown = format!("to be known: {}", explained.unknown.join(", "));
            let room = self.screen.map(|screen| screen.saturating_sub(2));
            for line in wrap(&clean(&unknown), room) {
                writeln!(self.out, "  {line}")?;
            }
        }
        writeln!(self.out)
    }

    /// The tests with their values in a column.
    fn rows(&mut self, rows: &[Row]) -> io::Result<()> {
        let short = rows.iter().filter(|row| row.saw.is_some());
        let widths = short.map(|row| columns(&row.text));
        let widest = widths.filter(|width| *width <= WIDEST_TEST).max();
        let room = self
            .screen
            .map_or(usize::MAX, |w| w.saturating_sub(VALUE + 6));
        let column = widest.unwrap_or(0).min(room);
        for row in rows {
            let Some(saw) = &row.saw else {
                self.words(row)?;
                continue;
            };
            let missing = column.saturating_sub(columns(&row.text));
            let text = format!("{}{}", row.text, " ".repeat(missing));
            let width = columns(&text) + 2;
            let saw = format!("saw {saw}");
            match self.screen {
                // What does not fit beside the test stands below it.
                Some(screen) if width + columns(&saw).min(VALUE) > screen => {
                    self.folded(row, &saw, screen)?;
                }
                screen => {
                    let room = screen.map_or(usize::MAX, |screen| screen.saturating_sub(width));
                    let text = self.row(row, &text);
                    writeln!(self.out, "{text}  {}", cut(&saw, room))?;
                }
            }
        }
        Ok(())
    }

    /// A row without a value, over several lines if it is as long as the screen is wide.
    fn words(&mut self, row: &Row) -> io::Result<()> {
        let words = row.text.trim_start();
        let indent = row.text.len() - words.len();
        let room = self.screen.map(|screen| screen.saturating_sub(indent));
        for line in wrap(words, room) {
            writeln!(self.out, "{}{}", " ".repeat(indent), self.row(row, &line))?;
        }
        Ok(())
    }

    /// A row whose test is as long as the screen is wide, over several lines.
    fn folded(&mut self, row: &Row, saw: &str, screen: usize) -> io::Result<()> {
        let words = row.text.trim_start();
        let indent = row.text.len() - words.len();
        let mut gap = indent;
        for line in wrap(words, Some(screen.saturating_sub(indent + 2))) {
            writeln!(self.out, "{}{}", " ".repeat(gap), self.row(row, &line))?;
            gap = indent + 2;
        }
        let saw = cut(saw, screen.saturating_sub(gap));
        writeln!(self.out, "{}{saw}", " ".repeat(gap))
    }

    /// The text of a row with its sign in colour.
    fn row(&self, row: &Row, text: &str) -> String {
        match row.result {
            Some(result) => self.result(result, text),
            None => text.to_owned(),
        }
    }

    fn result(&self, result: Kleene, text: &str) -> String {
        match result {
            Kleene::True => self.paint.good(text),
            Kleene::False => self.paint.faint(text),
            Kleene::Unknown => self.paint.warn(text),
        }
    }
}

/// One line of the tree.
struct Row {
    text: String,
    saw: Option<String>,
    result: Option<Kleene>,
}

impl Row {
    fn words(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            saw: None,
            result: None,
        }
    }
}

fn gather(node: &Node, depth: usize, rows: &mut Vec<Row>) {
    let indent = "  ".repeat(depth);
    let text = format!("{indent}{} {}", sign(node.result), clean(&node.text));
    rows.push(Row {
        text,
        saw: node.saw.as_deref().map(clean),
        result: Some(node.result),
    });
    let events = node.window.as_ref().and_then(Window::events_text);
    if let Some(events) = events {
        rows.push(Row::words(&format!("{indent}    last {}", clean(&events))));
    }
    for part in &node.parts {
        gather(part, depth + 1, rows);
    }
}

fn place(file: Option<&str>, line: u32) -> String {
    match file {
        Some(file) => format!("{}:{line}", clean(file)),
        None => format!("line {line}"),
    }
}
