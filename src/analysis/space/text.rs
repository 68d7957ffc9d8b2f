//! Texts that show every answer which tests of a text can give together.
//!
//! Where tests only ask for whole texts, these and some others. Else every test is an automaton that reads a text
//! byte by byte; all are run side by side over every text, shortest first, until no new mixture of their states
//! comes, and each mixture of answers is kept with the first texts that have it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use super::Owned;
use super::values::{Values, cuts};
use crate::matrix::{Test, TestOp, TextHow};
use crate::value::Value;

/// Mixtures of states that are looked at.
const STATES: usize = 20_000;

/// Bytes of the states of one automaton.
const BYTES: usize = 4 << 20;

/// Texts of a field that is compared with so many others.
pub(super) fn values(tests: &[&Owned], ignoring_case: bool, fields: usize) -> Values {
    let others = fields.max(1) + 1;
    let literals: BTreeSet<&str> = cuts(tests)
        .filter_map(|value| match value {
            Value::Text(text) => Some(&**text),
            _ => None,
        })
        .collect();
    let is_plain =
        |it: &&Owned| !matches!(it.test.op, TestOp::Text { .. } | TestOp::Matches { .. });
    if tests.iter().all(is_plain) {
        let others = (0..)
            .map(|n| format!("other-{n}"))
            .filter(|text| !literals.contains(text.as_str()));
        let others = others.take(others_of(fields));
        let all = literals.iter().map(|text| (*text).to_owned()).chain(others);
        return Values::all(all.map(|text| Value::Text(Arc::from(text))).collect());
    }
    let Some(found) = Run::of(tests, ignoring_case).and_then(|run| run.texts(others)) else {
        let all = literals
            .into_iter()
            .map(|text| Value::Text(Arc::from(text)));
        return Values {
            exact: false,
            ..Values::all(all.collect())
        };
    };
    let all = found.into_iter().map(|text| Value::Text(Arc::from(text)));
    Values::all(all.collect())
}

fn others_of(fields: usize) -> usize {
    fields.max(1) + 1
}

/// Automata that run side by side.
struct Run {
    automata: Vec<DFA>,
    caches: Vec<Cache>,
    /// One byte of each class that no automaton tells apart, the plainest.
    bytes: Vec<u8>,
}

impl Run {
    /// One for each test, behind one that says what is a text.
    fn of(tests: &[&Owned], ignoring_case: bool) -> Option<Self> {
        // What is compared without regard to case is in small letters by then.
        let any = if ignoring_case { r"[^A-Z]*" } else { r".*" };
        let mut automata = vec![automaton(&format!(r"\A{any}\z"), false)?];
        for it in tests {
            if let Some(pattern) = pattern_of(&it.test) {
                automata.push(automaton(&pattern, ignoring_case)?);
            }
        }
        let caches = automata.iter().map(DFA::create_cache).collect();
        let mut classes: HashMap<Vec<u8>, u8> = HashMap::new();
        let mut bytes = Vec::new();
        for byte in plainest_first() {
            let class = automata
                .iter()
                .map(|it| it.byte_classes().get(byte))
                .collect();
            if classes.insert(class, byte).is_none() {
                bytes.push(byte);
            }
        }
        Some(Self {
            automata,
            caches,
            bytes,
        })
    }

    /// Up to so many texts of each mixture of answers; nothing where there are too many states.
    fn texts(mut self, each: usize) -> Option<Vec<String>> {
        let mut start = Vec::with_capacity(self.automata.len());
        for (automaton, cache) in self.automata.iter().zip(&mut self.caches) {
            let input = Input::new("").anchored(Anchored::Yes);
            start.push(automaton.start_state_forward(cache, &input).ok()?);
        }
        // From each mixture of states, the one before it and the byte between.
        let mut came: Vec<(usize, u8)> = vec![(0, 0)];
        let mut seen: HashMap<Vec<LazyStateID>, usize> = HashMap::from([(start.clone(), 0)]);
        let mut queue = VecDeque::from([(0, start)]);
        let mut found: HashMap<Vec<bool>, usize> = HashMap::new();
        let mut texts = Vec::new();
        while let Some((number, states)) = queue.pop_front() {
            let answers = self.answers(&states)?;
            if let Some((true, answers)) = answers
                .split_first()
                .map(|(is_text, rest)| (*is_text, rest.to_vec()))
            {
                let many = found.entry(answers).or_default();
                if *many < each {
                    *many += 1;
                    texts.extend(text(&came, number));
                }
            }
            for byte in self.bytes.clone() {
                let next = self.next(&states, byte)?;
                // Where nothing can become a text any more, nothing is to be found.
                if next.first().is_some_and(|state| state.is_dead()) || seen.contains_key(&next) {
                    continue;
                }
                if seen.len() >= STATES {
                    return None;
                }
                let number_of_next = came.len();
                came.push((number, byte));
                seen.insert(next.clone(), number_of_next);
                queue.push_back((number_of_next, next));
            }
        }
        Some(texts)
    }

    /// Whether each automaton takes what was read as a whole.
    fn answers(&mut self, states: &[LazyStateID]) -> Option<Vec<bool>> {
        let mut answers = Vec::with_capacity(states.len());
        for ((automaton, cache), state) in self.automata.iter().zip(&mut self.caches).zip(states) {
            let end = automaton.next_eoi_state(cache, *state).ok()?;
            answers.push(end.is_match());
        }
        Some(answers)
    }

    fn next(&mut self, states: &[LazyStateID], byte: u8) -> Option<Vec<LazyStateID>> {
        let mut next = Vec::with_capacity(states.len());
        for ((automaton, cache), state) in self.automata.iter().zip(&mut self.caches).zip(states) {
            next.push(automaton.next_state(cache, *state, byte).ok()?);
        }
        Some(next)
    }
}

/// The text that was read on the way to a mixture of states.
fn text(came: &[(usize, u8)], mut number: usize) -> Option<String> {
    let mut bytes = Vec::new();
    while number > 0 {
        let (before, byte) = came.get(number)?;
        bytes.push(*byte);
        number = *before;
    }
    bytes.reverse();
    String::from_utf8(bytes).ok()
}

/// The automaton of a pattern; none where it would be too large.
fn automaton(pattern: &str, ignoring_case: bool) -> Option<DFA> {
    let config = DFA::config()
        .cache_capacity(BYTES)
        // State numbers stay what they are: a full cache is an error.
        .minimum_cache_clear_count(Some(0));
    let syntax = syntax::Config::new()
        .dot_matches_new_line(true)
        .case_insensitive(ignoring_case);
    let builder = DFA::builder()
        .configure(config)
        .syntax(syntax)
        .build(pattern);
    builder.ok()
}

/// The pattern of all texts for which a test is true; none for one that does not look into texts. The opposite of
/// a test has the same states.
fn pattern_of(test: &Test) -> Option<String> {
    let inner = match &test.op {
        TestOp::Compare(_, Value::Text(text)) => literal(text),
        TestOp::In { values, .. } => {
            let texts = values.iter().filter_map(|value| match value {
                Value::Text(text) => Some(literal(text)),
                _ => None,
            });
            texts.collect::<Vec<_>>().join("|")
        }
        TestOp::Text {
            how, literal: text, ..
        } => match how {
            TextHow::StartsWith => format!("{}.*", literal(text)),
            TextHow::EndsWith => format!(".*{}", literal(text)),
            TextHow::Contains => format!(".*{}.*", literal(text)),
            TextHow::Like => text.split('*').map(literal).collect::<Vec<_>>().join(".*"),
        },
        // Its dot does not match the end of a line.
        TestOp::Matches { pattern, .. } => format!("(?-s:{})", pattern.source()),
        _ => return None,
    };
    Some(format!(r"\A(?:{inner})\z"))
}

/// A text as a pattern of itself.
fn literal(text: &str) -> String {
    text.chars()
        .map(|c| format!(r"\x{{{:X}}}", u32::from(c)))
        .collect()
}

/// All bytes, those first that read best.
fn plainest_first() -> impl Iterator<Item = u8> {
    let plain = (b'a'..=b'z')
        .chain(b'0'..=b'9')
        .chain(*b"-_. ")
        .chain(b'A'..=b'Z');
    let printed = b'!'..=b'~';
    let mut seen = BTreeSet::new();
    plain
        .chain(printed)
        .chain(0..=255)
        .filter(move |byte| seen.insert(*byte))
}
