//! Where lanes, rules and tests stand in the texts of the matrix.
//!
//! In: the triggers of a kind. Out: names of files and lines.
//! Invariant: a line is shown of every place where a test stands, in the order of the texts.

use std::collections::{HashMap, HashSet};

use super::{Page, What};
use crate::matrix::{ConditionId, Expr, ExprKind, Matrix};
use crate::span::Span;

/// The lines of a test that are shown.
const LINES: usize = 3;

/// The places of the tests of a kind, by their words.
#[derive(Default)]
pub(super) struct Places<'p> {
    tests: HashMap<(&'p str, bool), Vec<Span>>,
    measures: HashMap<&'p str, Vec<Span>>,
    opened: HashSet<ConditionId>,
}

impl<'p> Places<'p> {
    pub(super) fn of(page: Page<'p>) -> Self {
        let mut places = Self::default();
        for entry in &page.kind.entries {
            match entry.what {
                What::Lane(id) => {
                    if let Some(lane) = page.matrix.lane(id) {
                        places.walk(page.matrix, &lane.when);
                        let unless = lane.unless.iter();
                        unless.for_each(|unless| places.walk(page.matrix, unless));
                    }
                }
                What::Rule(id) => {
                    if let Some(rule) = page.matrix.rules.get(id.index()) {
                        places.walk(page.matrix, &rule.when);
                    }
                }
            }
        }
        for gauge in page.kind.gauges.iter().filter(|gauge| gauge.counts) {
            let measure = page.matrix.measure(gauge.measure);
            if let Some(filter) = measure.and_then(|measure| measure.filter.as_ref()) {
                places.walk(page.matrix, filter);
            }
        }
        for spans in places.tests.values_mut() {
            spans.sort_unstable();
        }
        for spans in places.measures.values_mut() {
            spans.sort_unstable();
        }
        places
    }

    fn walk(&mut self, matrix: &'p Matrix, expr: &'p Expr) {
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => parts.iter().for_each(|part| self.walk(matrix, part)),
            ExprKind::Not(inner) => self.walk(matrix, inner),
            ExprKind::Condition(id) => {
                if self.opened.insert(*id)
                    && let Some(condition) = matrix.condition(*id)
                {
                    self.walk(matrix, &condition.expr);
                }
            }
            ExprKind::Test(test) => {
                let key = (test.text.as_str(), test.if_present);
                self.tests.entry(key).or_default().push(expr.span);
            }
            ExprKind::Measure(test) => {
                let spans = self.measures.entry(&test.text).or_default();
                spans.push(expr.span);
            }
        }
    }

    /// The lines where a test stands.
    pub(super) fn test(&self, page: Page<'_>, test: &crate::matrix::Test) -> String {
        let key = (test.text.as_str(), test.if_present);
        page.lines(self.tests.get(&key).map_or(&[][..], Vec::as_slice))
    }

    /// The lines where the test of a measure stands.
    pub(super) fn measure(&self, page: Page<'_>, text: &str) -> String {
        page.lines(self.measures.get(text).map_or(&[][..], Vec::as_slice))
    }
}

impl Page<'_> {
    /// `matrix.lane:12`
    pub(super) fn line(self, span: Span) -> String {
        let sources = &self.matrix.sources;
        format!("{}:{}", sources.name(span), sources.start(span).line)
    }

    /// Lines of one file behind each other: `matrix.lane:12, 17`.
    fn lines(self, spans: &[Span]) -> String {
        let mut places: Vec<(Span, u32)> = Vec::new();
        for span in spans {
            let line = self.matrix.sources.start(*span).line;
            if places
                .last()
                .is_none_or(|(s, l)| (s.file, *l) != (span.file, line))
            {
                places.push((*span, line));
            }
        }
        let most = if self.view.full { usize::MAX } else { LINES };
        let mut text = String::new();
        let mut file = None;
        for (span, line) in places.iter().take(most) {
            let comma = if text.is_empty() { "" } else { ", " };
            if file == Some(span.file) {
                text.push_str(&format!("{comma}{line}"));
            } else {
                let name = self.matrix.sources.name(*span);
                text.push_str(&format!("{comma}{name}:{line}"));
            }
            file = Some(span.file);
        }
        if let Some(more) = places.len().checked_sub(most).filter(|more| *more > 0) {
            text.push_str(&format!(" and {more} more"));
        }
        text
    }

    /// `lane refunds`
    pub(super) fn title(self, what: What) -> String {
        match what {
            What::Lane(id) => {
                let name = self.matrix.lane(id).map_or("", |lane| &lane.name);
                format!("lane {name}")
            }
            What::Rule(id) => self.matrix.rules.get(id.index()).map_or_else(
                || "rule".to_owned(),
                |rule| format!("{} {}", rule.effect.as_str(), rule.name),
            ),
        }
    }

    /// The line of its head.
    pub(super) fn line_of(self, what: What) -> String {
        let head = match what {
            What::Lane(id) => self.matrix.lane(id).map(|lane| lane.head),
            What::Rule(id) => self.matrix.rules.get(id.index()).map(|rule| rule.head),
        };
        head.map_or_else(String::new, |head| self.line(head))
    }
}
