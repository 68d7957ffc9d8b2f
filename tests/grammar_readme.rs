//! The examples of `grammar/README.md`, run.
//!
//! Each fenced block has a tag that says what it is; the text before the prelude explains them to
//! the reader. A block with a tag that this test does not know fails it, and the number of blocks
//! of each tag is written here, so that none is skipped silently.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::collections::{BTreeMap, BTreeSet};

use laneway::cases::check_examples;
use laneway::check::{Loaded, Options, check, check_text};
use laneway::clock::Timestamp;
use laneway::diagnostic::Severity;
use laneway::event;
use laneway::limits::{self, Limits};
use laneway::matrix::Matrix;

const README: &str = include_str!("../grammar/README.md");
const GRAMMAR: &str = include_str!("../grammar/matrix.pest");

/// How many blocks there are of each tag.
const COUNTS: [(&str, usize); 15] = [
    ("clauses", 20),
    ("clauses error", 24),
    ("conditions", 2),
    ("ebnf", 1),
    ("json digest", 1),
    ("json event", 2),
    ("json unreadable", 1),
    ("lane", 11),
    ("lane error", 6),
    ("lane file", 1),
    ("lane prelude", 1),
    ("lane standard", 1),
    ("lane whole", 4),
    ("text canonical", 1),
    ("text digest", 1),
];

/// A fenced block of the text.
struct Block {
    /// The line of its fence, from 1.
    line: usize,
    /// What it is: the first words of its tag.
    tag: &'static str,
    /// The rest of the tag.
    rest: Vec<&'static str>,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = README.lines().enumerate();
    while let Some((n, line)) = lines.next() {
        let Some(words) = line.strip_prefix("```") else {
            continue;
        };
        let known = COUNTS.iter().map(|(tag, _)| *tag).filter(|tag| {
            let rest = words.strip_prefix(tag);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        let tag = known.max_by_key(|tag| tag.len());
        let tag = tag.unwrap_or_else(|| panic!("line {}: unknown tag `{words}`", n + 1));
        let body = lines.by_ref().map(|(_, line)| line);
        let body: Vec<&str> = body.take_while(|line| *line != "```").collect();
        blocks.push(Block {
            line: n + 1,
            tag,
            rest: words[tag.len()..].split_whitespace().collect(),
            text: body.join("\n") + "\n",
        });
    }
    blocks
}

fn of(tag: &str) -> Vec<Block> {
    let mut blocks = blocks();
    blocks.retain(|block| block.tag == tag);
    blocks
}

fn only(tag: &str) -> Block {
    let mut found = of(tag);
    assert_eq!(found.len(), 1, "`{tag}`");
    found.remove(0)
}

/// The codes of all errors, of the examples too, each with its message.
fn errors(loaded: &Loaded) -> Vec<(String, String)> {
    let found = loaded.diagnostics.iter();
    let found = found.filter(|d| d.code.severity() == Severity::Error);
    let mut errors: Vec<_> = found
        .map(|d| (d.code.to_string(), d.message.clone()))
        .collect();
    if let Some(matrix) = &loaded.matrix {
        let failed = check_examples(matrix).into_iter();
        errors.extend(failed.map(|d| (d.code.to_string(), d.message)));
    }
    errors
}

fn behind_prelude(text: &str) -> Loaded {
    let text = format!("{}\n{text}", only("lane prelude").text);
    check_text("matrix.lane", &text, &Options::default())
}

/// The clauses of a lane's body, each with all its lines.
fn clauses(body: &str) -> Vec<String> {
    let mut clauses: Vec<String> = Vec::new();
    let mut open = 0usize;
    for line in body.lines().filter(|line| !line.trim().is_empty()) {
        if open == 0 {
            clauses.push(String::new());
        }
        let last = clauses.last_mut().unwrap();
        last.push_str(line);
        last.push('\n');
        open += line.matches('{').count();
        open -= line.matches('}').count();
    }
    clauses
}

fn keyword(clause: &str) -> &str {
    clause.split_whitespace().next().unwrap()
}

/// The standard lane with these clauses in place of its own.
fn in_standard_lane(given: &str) -> String {
    let given = clauses(given);
    let standard = only("lane standard").text;
    let (head, body) = standard.split_once('\n').unwrap();
    let body = body.trim_end().strip_suffix('}').unwrap();
    let has = |word: &str| given.iter().any(|clause| keyword(clause) == word);
    let own_trigger = ["on", "when", "unless"].into_iter().any(has);
    let mut text = format!("{head}\n");
    for clause in clauses(body) {
        let word = keyword(&clause);
        if !(has(word) || word == "example" && own_trigger) {
            text.push_str(&clause);
        }
    }
    text.extend(given);
    text + "}\n"
}

fn assert_sound(block: &Block, text: &str) {
    let errors = errors(&behind_prelude(text));
    assert!(errors.is_empty(), "line {}: {errors:#?}", block.line);
}

fn assert_error(block: &Block, text: &str) {
    let errors = errors(&behind_prelude(text));
    let codes: Vec<&str> = errors.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, block.rest, "line {}: {errors:#?}", block.line);
}

#[test]
fn every_block_has_a_tag_that_is_run() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for block in blocks() {
        *counts.entry(block.tag).or_default() += 1;
    }
    let counts: Vec<_> = counts.into_iter().collect();
    assert_eq!(counts, COUNTS);
    let fences = README.lines().filter(|line| line.contains("```")).count();
    assert_eq!(fences, 2 * blocks().len(), "a fence that is indented");
}

#[test]
fn the_prelude_and_the_standard_lane_are_sound() {
    for tag in ["lane prelude", "lane standard"] {
        let block = only(tag);
        let text = if tag == "lane prelude" {
            ""
        } else {
            &block.text
        };
        assert_sound(&block, text);
    }
}

#[test]
fn items_are_sound_and_their_examples_pass() {
    for block in of("lane") {
        assert_sound(&block, &block.text);
    }
}

#[test]
fn clauses_are_sound_and_their_examples_pass() {
    for block in of("clauses") {
        assert_sound(&block, &in_standard_lane(&block.text));
    }
}

#[test]
fn conditions_are_sound() {
    for block in of("conditions") {
        for condition in clauses(&block.text) {
            let text = in_standard_lane(&format!("when {condition}"));
            let errors = errors(&behind_prelude(&text));
            let line = block.line;
            assert!(errors.is_empty(), "line {line}: {condition}{errors:#?}");
        }
    }
}

#[test]
fn mistakes_give_exactly_their_code() {
    for block in of("lane error") {
        assert_error(&block, &block.text);
    }
    for block in of("clauses error") {
        assert_error(&block, &in_standard_lane(&block.text));
    }
}

#[test]
fn whole_files_are_sound_and_their_examples_pass() {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for block in of("lane file") {
        files.insert(block.rest.concat(), block.text);
    }
    for block in of("lane whole") {
        files.insert("matrix.lane".to_owned(), block.text.clone());
        let errors = errors(&check(&files, "matrix.lane", &Options::default()));
        assert!(errors.is_empty(), "line {}: {errors:#?}", block.line);
    }
}

fn prelude() -> std::sync::Arc<Matrix> {
    behind_prelude("").matrix.unwrap()
}

fn read(text: &str) -> Result<event::Event, Box<event::Unreadable>> {
    let schema = &prelude().schema;
    let now = Timestamp::UNIX_EPOCH;
    event::read(text.as_bytes(), schema, &Limits::default(), now)
}

#[test]
fn events_are_read_without_problems() {
    for block in of("json event") {
        let event = read(&block.text).unwrap();
        assert_eq!(event.problems(), [], "line {}", block.line);
        assert!(event.id.is_some() && event.evidence().is_some());
        assert_ne!(event.at(), Timestamp::UNIX_EPOCH);
    }
    for block in of("json unreadable") {
        let unreadable = read(&block.text).unwrap_err();
        let codes = unreadable.problems.iter().map(|p| p.code);
        let codes: BTreeSet<String> = codes.map(|code| plain(&code)).collect();
        let named: BTreeSet<String> = block.rest.iter().map(|s| (*s).to_owned()).collect();
        assert_eq!(codes, named, "line {}", block.line);
        assert_eq!(unreadable.problems.len(), named.len());
    }
}

/// The text that serde gives a word.
fn plain(code: &event::ProblemCode) -> String {
    let json = serde_json::to_string(code).unwrap();
    json.trim_matches('"').to_owned()
}

#[test]
fn the_worked_digest_is_right() {
    let event = read(&only("json digest").text).unwrap();
    let canonical = only("text canonical").text;
    assert_eq!(event.body().canonical(), canonical.trim_end());
    assert_eq!(event.action_digest(), only("text digest").text.trim_end());
}

/// The numbers of a table's rows by the row's first cell.
fn bounds() -> BTreeMap<String, u64> {
    let rows = README.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (name, number) = (cells.next()?, cells.next()?);
        let number = number.replace(',', "").parse().ok()?;
        Some((name.trim_matches('`').to_owned(), number))
    });
    rows.collect()
}

#[test]
fn the_limits_are_those_of_the_program() {
    let bounds = bounds();
    let settable = serde_json::to_value(Limits::default()).unwrap();
    let settable = settable.as_object().unwrap();
    let mut known: BTreeMap<String, u64> = settable
        .iter()
        .map(|(name, bound)| (name.clone(), bound.as_u64().unwrap()))
        .collect();
    let days = |span: laneway::clock::Duration| span.as_millis() / 86_400_000;
    for (name, bound) in [
        (
            "levels of a trigger with its conditions in place",
            limits::EXPRESSION_DEPTH as u64,
        ),
        (
            "findings of one run that are shown",
            limits::FINDINGS as u64,
        ),
        (
            "characters of a JSON number in plain notation",
            limits::NUMBER_CHARS as u64,
        ),
        (
            "depth of an event's JSON, whatever is set",
            limits::EVENT_DEPTH_MAX as u64,
        ),
        ("bytes of an event's id", limits::EVENT_ID_BYTES as u64),
        (
            "problems of one event that are listed",
            limits::EVENT_PROBLEMS as u64,
        ),
        (
            "members of an event that are looked at for slips",
            limits::NEAR_MEMBERS as u64,
        ),
        (
            "events in the window of one key, whatever is set",
            limits::WINDOW_EVENTS_MAX as u64,
        ),
        ("days of a measure's window", days(limits::WINDOW)),
        (
            "minutes that an event may be late",
            limits::LATENESS.as_millis() / 60_000,
        ),
        ("days of a timeout step", days(limits::TIMEOUT)),
        (
            "days for which open time is looked for",
            limits::CALENDAR_SEARCH_DAYS.unsigned_abs(),
        ),
        (
            "earlier events of an example",
            u64::from(limits::EXAMPLE_EVENTS),
        ),
        (
            "characters of a value in a reason",
            limits::SAW_CHARS as u64,
        ),
    ] {
        known.insert(name.to_owned(), bound);
    }
    assert_eq!(bounds, known);
}

/// The words between quotes of a text.
fn quoted(text: &str) -> BTreeSet<&str> {
    let parts = text.split('"').skip(1).step_by(2);
    let words = parts.flat_map(str::split_whitespace);
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
    words.filter(is_word).collect()
}

#[test]
fn the_grammar_has_the_keywords_of_the_program() {
    let ebnf = only("ebnf").text;
    let ours = quoted(&ebnf);
    // The words of the grammar stand in keyword rules and in lists of words.
    let rules = GRAMMAR.lines().filter(|line| {
        line.starts_with("kw_") || line.contains("_word = @{") || line.starts_with("day = @{")
    });
    let theirs: BTreeSet<&str> = rules.flat_map(quoted).collect();
    assert!(theirs.len() > 100, "{theirs:?}");
    let differ: Vec<_> = ours.symmetric_difference(&theirs).collect();
    assert!(differ.is_empty(), "in one of both only: {differ:?}");
}

#[test]
fn every_keyword_stands_in_an_example() {
    let run = blocks().into_iter().filter(|b| b.tag != "ebnf");
    let text: String = run.map(|block| block.text).collect();
    let words: BTreeSet<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .collect();
    let ebnf = only("ebnf").text;
    let missing: Vec<_> = quoted(&ebnf)
        .into_iter()
        .filter(|word| !words.contains(word))
        .collect();
    assert!(missing.is_empty(), "shown in no example: {missing:?}");
}

#[test]
fn what_is_named_exists() {
    let codes = README.split('`').skip(1).step_by(2);
    let is_code = |word: &&str| {
        let digits = word.strip_prefix(['E', 'W', 'N']);
        digits.is_some_and(|d| d.len() == 4 && d.bytes().all(|b| b.is_ascii_digit()))
    };
    for code in codes.filter(is_code) {
        assert!(laneway::diagnostic::Code::find(code).is_some(), "{code}");
    }
    let headings: BTreeSet<String> = README
        .lines()
        .filter_map(|line| Some(line.strip_prefix('#')?.trim_start_matches('#').trim()))
        .map(|title| title.to_lowercase().replace(' ', "-").replace(',', ""))
        .collect();
    for link in README.split("](#").skip(1) {
        let anchor = link.split(')').next().unwrap();
        assert!(headings.contains(anchor), "#{anchor}");
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar");
    for link in README.split("](").skip(1) {
        let target = link.split(')').next().unwrap();
        assert!(
            target.starts_with('#') || root.join(target).exists(),
            "{target}"
        );
    }
}
