//! The tests of a kind, its measures, and the parts of its triggers.
//!
//! In: tests and nodes. Out: each with its number, its words and its lines.
//! Invariant: a number stands for the same test wherever it is shown.

use std::fmt::{self, Formatter};

use super::Page;
use super::list::counted;
use super::places::Places;
use crate::program::gauge::Gauge;
use crate::program::node::{Node, NodeId, Parts};
use crate::program::test::{Op, Pairing, Test};

impl Page<'_> {
    /// Each test once, with how it is asked and where it stands.
    pub(super) fn tests(self, f: &mut Formatter<'_>, places: &Places<'_>) -> fmt::Result {
        let tests = &self.kind.tests;
        writeln!(f, "\n  tests: {}, each once", tests.len())?;
        let rows: Vec<[String; 4]> = (0..)
            .zip(tests)
            .map(|(number, test): (usize, &Test)| {
                [
                    format!("t{number}"),
                    test.source.text.clone(),
                    self.how(test),
                    places.test(self, &test.source),
                ]
            })
            .collect();
        self.table(f, "    ", &rows)
    }

    /// The measures that have to do with the kind, and their tests.
    pub(super) fn measures(self, f: &mut Formatter<'_>, places: &Places<'_>) -> fmt::Result {
        if self.kind.gauges.is_empty() {
            return Ok(());
        }
        let tests = &self.kind.measure_tests;
        writeln!(
            f,
            "\n  measures: {}, with {}, answered from windows",
            self.kind.gauges.len(),
            counted(tests.len(), "test")
        )?;
        let rows: Vec<[String; 3]> = self
            .kind
            .gauges
            .iter()
            .map(|gauge| self.gauge(gauge))
            .collect();
        self.table(f, "    ", &rows)?;
        let rows: Vec<[String; 3]> = (0..)
            .zip(tests)
            .map(|(number, test): (usize, _)| {
                let lines = places.measure(self, &test.text);
                [format!("m{number}"), test.text.clone(), lines]
            })
            .collect();
        self.table(f, "    ", &rows)
    }

    /// A measure: its words, its key, whether events of the kind count.
    fn gauge(self, gauge: &Gauge) -> [String; 3] {
        let measure = self.matrix.measure(gauge.measure);
        let slots: Vec<String> = gauge.by.iter().map(|slot| format!("s{slot}")).collect();
        let key = match slots.as_slice() {
            [] => "one window".to_owned(),
            slots => format!("key {}", slots.join(", ")),
        };
        let counts = match (gauge.counts, gauge.filter) {
            (false, _) => "asked for".to_owned(),
            (true, None) => "counted".to_owned(),
            (true, Some(filter)) => format!("counted where {}", self.name(filter)),
        };
        let words = measure.map_or_else(String::new, |measure| measure.text.clone());
        [words, key, counts]
    }

    /// The parts of triggers that are no single test.
    pub(super) fn parts(self, f: &mut Formatter<'_>) -> fmt::Result {
        let nodes = &self.kind.nodes;
        let is_block = |node: &Node| !matches!(node, Node::Test { .. } | Node::Measure { .. });
        let blocks = (0..).map(NodeId).zip(&nodes.nodes);
        let blocks = blocks.filter(|(_, node)| is_block(node));
        let rows: Vec<[String; 2]> = blocks
            .map(|(id, _)| {
                let shared = nodes.shared.get(id.0 as usize) == Some(&true);
                let shared = if shared {
                    "  (answered once an event)"
                } else {
                    ""
                };
                [format!("p{}", id.0), format!("{}{shared}", self.inside(id))]
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n  parts of triggers: {}", rows.len())?;
        self.table(f, "    ", &rows)
    }

    /// A part by its number: `t3`, `not t3`, `m0`, `p12`.
    pub(super) fn name(self, id: NodeId) -> String {
        let named = |not: bool, sort: char, number: u32| {
            let not = if not { "not " } else { "" };
            format!("{not}{sort}{number}")
        };
        match self.kind.nodes.get(id) {
            Some(Node::Test { test, not }) => named(not, 't', test),
            Some(Node::Measure { test, not }) => named(not, 'm', test),
            _ => format!("p{}", id.0),
        }
    }

    /// What a part is: the words of a test, the parts of a block.
    pub(super) fn inside(self, id: NodeId) -> String {
        let worded = |not: bool, text: &str| match not {
            true => format!("not ({text})"),
            false => text.to_owned(),
        };
        match self.kind.nodes.get(id) {
            Some(Node::Test { test, not }) => {
                let test = self.kind.tests.get(test as usize);
                test.map_or_else(String::new, |test| worded(not, &test.source.text))
            }
            Some(Node::Measure { test, not }) => {
                let test = self.kind.measure_tests.get(test as usize);
                test.map_or_else(String::new, |test| worded(not, &test.text))
            }
            Some(Node::All(parts)) if parts.count == 0 => "always".to_owned(),
            Some(Node::Any(parts)) if parts.count == 0 => "never".to_owned(),
            Some(Node::All(parts)) => self.joined("all of", parts),
            Some(Node::Any(parts)) => self.joined("any of", parts),
            Some(Node::AtLeast(wanted, parts)) => {
                self.joined(&format!("at least {wanted} of"), parts)
            }
            None => String::new(),
        }
    }

    fn joined(self, how: &str, parts: Parts) -> String {
        let parts = self.kind.nodes.parts(parts).iter();
        let parts: Vec<String> = parts.map(|part| self.name(*part)).collect();
        format!("{how} {}", self.few(&parts, ", "))
    }

    /// How a test is asked of cells.
    fn how(self, test: &Test) -> String {
        let words = match &test.op {
            Op::Present => "is there".to_owned(),
            Op::AtLeast(cell) => format!("cell >= {cell}"),
            Op::AtMost(cell) => format!("cell <= {cell}"),
            Op::Equal(cell) => format!("cell = {cell}"),
            Op::OneOf(cells) => format!("cell one of {}", cells.len()),
            Op::Settled(answer) => format!("always {}", if *answer { "true" } else { "false" }),
            Op::Symbol { symbol, .. } => format!("symbol = {symbol}"),
            Op::Symbols { symbols, .. } => format!("symbol one of {}", symbols.len()),
            Op::Is(_) => "equal bytes".to_owned(),
            Op::In(texts) => format!("look-up in {}", counted(texts.len(), "text")),
            Op::StartsWith(_) => "first bytes".to_owned(),
            Op::EndsWith(_) => "last bytes".to_owned(),
            Op::Contains(phrase) => match phrase.field {
                Some(_) => "search for bytes, or for those of all such tests".to_owned(),
                None => "search for bytes".to_owned(),
            },
            Op::Like(_) => "pieces in order".to_owned(),
            Op::Matches(_) => "regular expression".to_owned(),
            Op::Cells(_, cells) => format!("each item in {}", counted(cells.len(), "cell")),
            Op::Texts(_, texts) => format!("each item in {}", counted(texts.len(), "text")),
            Op::Same { other, how } => format!("s{} {}", other, same(how)),
            Op::Order(op, other) => format!("cell {} s{other}", op.as_str()),
            Op::Open(_) => "hours of a calendar".to_owned(),
            Op::OlderThan(nanos) => format!("cell < s0 - {nanos}"),
            Op::NewerThan(nanos) => format!("cell > s0 - {nanos}"),
        };
        let not = if test.not { "not: " } else { "" };
        let missing = if test.if_present {
            ", false if missing"
        } else {
            ""
        };
        format!("s{}: {not}{words}{missing}", test.slot)
    }
}

fn same(how: &Pairing) -> &'static str {
    match how {
        Pairing::Cells => "has the same cell",
        Pairing::Texts => "has the same bytes",
        Pairing::Words(_) => "has the same word, in another order",
        Pairing::ListsOfCells => "has the same items",
        Pairing::ListsOfTexts => "has the same texts",
        Pairing::ListsOfWords(_) => "has the same words, in another order",
    }
}
