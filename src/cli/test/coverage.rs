//! What the cases show of a matrix: how each lane stood, and how each test came out.
//!
//! In: a matrix and what was seen of it. Out: every lane and every test with its counts, those that
//! no case reached as well.

use std::collections::HashSet;
use std::io::{self, Write};

use serde::Serialize;

use crate::cli::output::Paint;
use crate::cli::screen::{self, clean, columns, cut, fill};
use crate::matrix::{Expr, ExprKind, Matrix};
use crate::reference::{Coverage, LaneCoverage, TestCoverage};
use crate::span::Span;

/// The counts of a matrix.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    lanes: Vec<LaneReport>,
    tests: Vec<TestReport>,
}

#[derive(Debug, Serialize)]
struct LaneReport {
    lane: String,
    #[serde(flatten)]
    counts: LaneCoverage,
}

#[derive(Debug, Serialize)]
struct TestReport {
    /// The lane, rule or condition that it stands in: `lane customer_risk`.
    of: String,
    test: String,
    file: String,
    line: u32,
    #[serde(flatten)]
    counts: TestCoverage,
}

impl Report {
    pub(super) fn of(matrix: &Matrix, seen: &Coverage) -> Self {
        let lanes = matrix.lanes.iter().map(|lane| LaneReport {
            lane: lane.name.clone(),
            counts: seen.lane(lane.id),
        });
        let mut tests = Tests {
            matrix,
            seen,
            listed: HashSet::new(),
            all: Vec::new(),
        };
        for lane in &matrix.lanes {
            let of = format!("lane {}", lane.name);
            tests.list(&of, &lane.when);
            if let Some(unless) = &lane.unless {
                tests.list(&of, unless);
            }
        }
        for rule in &matrix.rules {
            tests.list(&format!("rule {}", rule.name), &rule.when);
        }
        // The conditions that some lane or rule names are counted where they are declared.
        for condition in &matrix.conditions {
            tests.list(&format!("condition {}", condition.name), &condition.expr);
        }
        Self {
            lanes: lanes.collect(),
            tests: tests.all,
        }
    }

    pub(super) fn write(&self, out: &mut impl Write, paint: Paint) -> io::Result<()> {
        let lanes = self.lanes.iter().map(|lane| clean(&lane.lane));
        let lanes: Vec<String> = lanes.collect();
        let name = lanes.iter().map(|l| columns(l)).max().unwrap_or(0).max(4);
        let title = format!("{}  fired  unsure  silent", fill("lane", name));
        writeln!(out, "{}", paint.bold(&title))?;
        for (lane, report) in lanes.iter().zip(&self.lanes) {
            let LaneCoverage {
                fired,
                unsure,
                silent,
            } = report.counts;
            let mark = mark(&[(fired, "never fires"), (silent, "never silent")]);
            let lane = fill(lane, name);
            let mark = paint.warn(mark);
            let row = format!("{lane}  {fired:>5}  {unsure:>6}  {silent:>6}  {mark}");
            writeln!(out, "{}", row.trim_end())?;
        }
        writeln!(out)?;
        let title = format!("{:>5}  {:>5}  {:>7}  test", "true", "false", "unknown");
        writeln!(out, "{}", paint.bold(&title))?;
        self.write_tests(out, paint)?;
        writeln!(out)
    }

    fn write_tests(&self, out: &mut impl Write, paint: Paint) -> io::Result<()> {
        for group in self.tests.chunk_by(|a, b| a.of == b.of) {
            let of = group.first().map_or("", |test| &test.of);
            writeln!(out, "{}", paint.quiet(&clean(of)))?;
            for test in group {
                let TestCoverage { yes, no, unknown } = test.counts;
                let mark = mark(&[(yes, "never true"), (no, "never false")]);
                let place = format!("(line {})", test.line);
                let beside = 28 + columns(&place) + columns(mark);
                let room = screen::width().map_or(usize::MAX, |w| w.saturating_sub(beside).max(20));
                let words = cut(&clean(&test.test), room);
                let mark = paint.warn(mark);
                let row = format!("{yes:>5}  {no:>5}  {unknown:>7}  {words} {place}  {mark}");
                writeln!(out, "{}", row.trim_end())?;
            }
        }
        Ok(())
    }
}

/// What to say of counts of which some are zero.
fn mark(counts: &[(u64, &'static str); 2]) -> &'static str {
    match counts {
        [(0, _), (0, _)] => "no case reaches it",
        [(0, words), _] | [_, (0, words)] => words,
        _ => "",
    }
}

/// The tests of a matrix, each once.
struct Tests<'m> {
    matrix: &'m Matrix,
    seen: &'m Coverage,
    listed: HashSet<Span>,
    all: Vec<TestReport>,
}

impl Tests<'_> {
    fn list(&mut self, of: &str, expr: &Expr) {
        let text = match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => {
                return parts.iter().for_each(|part| self.list(of, part));
            }
            ExprKind::Not(inner) => return self.list(of, inner),
            ExprKind::Condition(_) => return,
            ExprKind::Test(test) => &test.text,
            ExprKind::Measure(test) => &test.text,
        };
        // Several sets of kinds may use one condition.
        if self.listed.insert(expr.span) {
            self.all.push(TestReport {
                of: of.to_owned(),
                test: text.clone(),
                file: self.matrix.sources.name(expr.span).to_owned(),
                line: self.matrix.sources.start(expr.span).line,
                counts: self.seen.test(expr.span),
            });
        }
    }
}
