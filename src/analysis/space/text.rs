//! Texts that show every answer which tests of a text can give together.
//!
//! The texts that tests name are some of them. Where tests look into texts, these are one automaton that reads a text
//! byte by byte and knows of all patterns at once which of them match; it is walked through, shortest texts first, a
//! few texts for each of its states, and of each set of patterns that some text matches the first ones are kept which
//! no test names.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

use super::Owned;
use super::values::{Values, cuts};
use crate::matrix::{Test, TestOp, TextHow};
use crate::value::Value;

/// Texts that are looked at.
const TEXTS: usize = 60_000;

/// Bytes of the states of the automaton.
const BYTES: usize = 64 << 20;

/// Texts that tests name, above which not that many are looked at in each state.
const NAMED: usize = 16;

/// The patterns that match a text, by the numbers of their tests.
type Matched = Vec<u32>;

/// Texts of a field that is compared with so many others, those of samples first, each with the patterns that match.
pub(super) fn values(
    of_samples: &[Value],
    tests: &[&Owned],
    ignoring_case: bool,
    fields: usize,
) -> (Values, Vec<Matched>) {
    let others = fields.max(1) + 1;
    let given = match ignoring_case {
        true => &[],
        false => of_samples,
    };
    let mut seen = HashSet::new();
    let named: Vec<&Arc<str>> = given
        .iter()
        .chain(cuts(tests))
        .filter_map(|value| match value {
            Value::Text(text) => seen.insert(text).then_some(text),
            _ => None,
        })
        .collect();
    let is_plain =
        |it: &&Owned| !matches!(it.test.op, TestOp::Text { .. } | TestOp::Matches { .. });
    let found = match tests.iter().all(is_plain) {
        true => {
            let texts = (0..).map(|n| Arc::from(format!("other-{n}")));
            let texts = texts.filter(|text| !seen.contains(text)).take(others);
            Some(Found {
                of_named: Vec::new(),
                others: texts.map(|text| (text, Vec::new())).collect(),
                exact: true,
            })
        }
        false => Run::of(tests, ignoring_case).and_then(|run| run.find(&named, others, fields)),
    };
    let exact = found.as_ref().is_some_and(|found| found.exact);
    let found = found.unwrap_or_default();
    let mut matched = found.of_named;
    matched.resize(named.len(), Vec::new());
    let mut values: Vec<Value> = named.into_iter().cloned().map(Value::Text).collect();
    for (text, matches) in found.others {
        values.push(Value::Text(text));
        matched.push(matches);
    }
    (Values { values, exact }, matched)
}

/// What walking through the automaton found.
#[derive(Default)]
struct Found {
    /// What matches the named texts.
    of_named: Vec<Matched>,
    /// Other texts, each with what matches it.
    others: Vec<(Arc<str>, Matched)>,
    exact: bool,
}

/// The automaton of all patterns.
struct Run {
    automaton: DFA,
    cache: Cache,
    /// By the patterns behind the first one, which is any text: the tests.
    tests: Vec<u32>,
    /// One byte of each class that the automaton does not tell apart, the plainest.
    bytes: Vec<u8>,
}

impl Run {
    fn of(tests: &[&Owned], ignoring_case: bool) -> Option<Self> {
        let mut patterns = vec![r"\A.*\z".to_owned()];
        let mut numbers = Vec::new();
        for (number, it) in (0..).zip(tests) {
            if let Some(pattern) = pattern_of(&it.test) {
                patterns.push(pattern);
                numbers.push(number);
            }
        }
        let automaton = automaton(&patterns, ignoring_case)?;
        let cache = automaton.create_cache();
        // What is compared without regard to case is in small letters by then.
        let bytes = plainest_first().filter(|byte| !(ignoring_case && byte.is_ascii_uppercase()));
        let mut classes = HashSet::new();
        let bytes = bytes.filter(|byte| classes.insert(automaton.byte_classes().get(*byte)));
        let bytes = bytes.collect();
        Some(Self {
            automaton,
            cache,
            tests: numbers,
            bytes,
        })
    }

    /// So many texts of each set of patterns that some text matches and no test names; nothing where there are too
    /// many states.
    fn find(mut self, named: &[&Arc<str>], each: usize, fields: usize) -> Option<Found> {
        let mut found = Found::default();
        for text in named {
            let state = self.read(text)?;
            found
                .of_named
                .push(self.matched(state)?.unwrap_or_default());
        }
        let are_named: HashSet<&str> = named.iter().map(|text| &***text).collect();
        let at_each_state = each + named.len().min(NAMED);
        let input = Input::new("").anchored(Anchored::Yes);
        let start = self.automaton.start_state_forward(&mut self.cache, &input);
        let start = start.ok()?;
        // For each text, the one before it and the byte between.
        let mut came: Vec<(usize, u8)> = vec![(0, 0)];
        let mut visits: HashMap<LazyStateID, usize> = HashMap::from([(start, 1)]);
        let mut queue = VecDeque::from([(0, start)]);
        let mut of_set: HashMap<Matched, usize> = HashMap::new();
        let mut passed: HashSet<LazyStateID> = HashSet::new();
        while let Some((number, state)) = queue.pop_front() {
            if let Some(matched) = self.matched(state)? {
                let many = of_set.entry(matched.clone()).or_default();
                if *many < each
                    && let Some(text) = text(&came, number)
                    && !are_named.contains(&*text)
                {
                    *many += 1;
                    found.others.push((Arc::from(text), matched));
                }
            }
            for byte in 0..self.bytes.len() {
                let Some(byte) = self.bytes.get(byte).copied() else {
                    break;
                };
                let next = self.automaton.next_state(&mut self.cache, state, byte);
                let next = next.ok()?;
                if next.is_dead() {
                    continue;
                }
                let visits = visits.entry(next).or_default();
                if *visits >= at_each_state {
                    passed.insert(next);
                    continue;
                }
                *visits += 1;
                if came.len() >= TEXTS {
                    return None;
                }
                queue.push_back((came.len(), next));
                came.push((number, byte));
            }
        }
        // A set of which all texts that were seen are named may have more behind those that were passed over.
        let needed = if fields > 1 { each } else { 1 };
        let short: HashSet<&Matched> = of_set
            .iter()
            .filter(|(_, many)| **many < needed)
            .map(|(matched, _)| matched)
            .collect();
        let mut may_be_more = false;
        for state in passed.into_iter().filter(|_| !short.is_empty()) {
            let matched = self.matched(state)?;
            may_be_more |= matched.is_some_and(|matched| short.contains(&matched));
        }
        found.exact = !may_be_more;
        Some(found)
    }

    /// The state behind a text.
    fn read(&mut self, text: &str) -> Option<LazyStateID> {
        let input = Input::new("").anchored(Anchored::Yes);
        let start = self.automaton.start_state_forward(&mut self.cache, &input);
        let mut state = start.ok()?;
        for byte in text.bytes() {
            let next = self.automaton.next_state(&mut self.cache, state, byte);
            state = next.ok()?;
        }
        Some(state)
    }

    /// The tests whose pattern matches what was read; none where that is no text.
    #[expect(
        clippy::option_option,
        reason = "the outer one says that there are too many states"
    )]
    fn matched(&mut self, state: LazyStateID) -> Option<Option<Matched>> {
        let end = self.automaton.next_eoi_state(&mut self.cache, state).ok()?;
        if !end.is_match() {
            return Some(None);
        }
        let many = self.automaton.match_len(&self.cache, end);
        let patterns = (0..many).map(|n| self.automaton.match_pattern(&self.cache, end, n));
        // The first one is any text.
        let tests = patterns.filter_map(|pattern| pattern.as_usize().checked_sub(1));
        let tests = tests.filter_map(|pattern| self.tests.get(pattern).copied());
        let mut tests: Matched = tests.collect();
        tests.sort_unstable();
        Some(Some(tests))
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

/// The automaton of patterns; none where it would be too large.
fn automaton(patterns: &[String], ignoring_case: bool) -> Option<DFA> {
    let config = DFA::config()
        .match_kind(MatchKind::All)
        .cache_capacity(BYTES)
        // State numbers stay what they are: a full cache is an error.
        .minimum_cache_clear_count(Some(0));
    let syntax = syntax::Config::new()
        .dot_matches_new_line(true)
        .case_insensitive(ignoring_case);
    let builder = DFA::builder()
        .configure(config)
        .syntax(syntax)
        .build_many(patterns);
    builder.ok()
}

/// The pattern of all texts for which a test is true; none for one that does not look into texts. The opposite of
/// a test has the same states.
fn pattern_of(test: &Test) -> Option<String> {
    let inner = match &test.op {
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
