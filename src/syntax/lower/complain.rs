//! What is wrong with a line or an item that fits no rule.
//!
//! In: a slice and the strict rule of its block. Out: one diagnostic.
//! Invariant: a message names what was found and what could stand there, in the language's words,
//! never in the grammar's.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};

use super::{Lower, first_word};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::span::Span;
use crate::syntax::grammar::{Grammar, Rule};
use crate::syntax::scan::ITEM_KEYWORDS;

/// How the lines of one sort of block are read.
pub(super) struct BlockRules {
    /// The rule of a line that fits no other.
    pub bad: Rule,
    /// The strict rule of a good line.
    strict: Rule,
    /// What the block is called.
    name: &'static str,
    /// The first words of its lines; empty where any word may stand.
    keywords: &'static [&'static str],
}

impl BlockRules {
    pub(super) const LANE: Self = Self {
        bad: Rule::bad_clause,
        strict: Rule::only_clause,
        name: "a lane",
        keywords: &[
            "about",
            "on",
            "when",
            "unless",
            "unsure",
            "trial",
            "group",
            "owner",
            "urgency",
            "respond",
            "meanwhile",
            "also",
            "operator",
            "reversible",
            "evidence",
            "timeout",
            "example",
        ],
    };
    pub(super) const FALLBACK: Self = Self {
        bad: Rule::bad_fallback,
        strict: Rule::only_fallback,
        name: "a fallback",
        keywords: &["urgency", "respond", "meanwhile", "evidence", "timeout"],
    };
    pub(super) const MATRIX: Self = Self {
        bad: Rule::bad_matrix,
        strict: Rule::only_matrix,
        name: "the matrix block",
        keywords: &["edition", "timezone", "otherwise", "unreadable"],
    };
    pub(super) const CALENDAR: Self = Self {
        bad: Rule::bad_calendar,
        strict: Rule::only_calendar,
        name: "a calendar",
        keywords: &[
            "timezone", "except", "mon", "tue", "wed", "thu", "fri", "sat", "sun",
        ],
    };
    pub(super) const EVENT: Self = Self {
        bad: Rule::bad_field,
        strict: Rule::only_field,
        name: "an event",
        keywords: &[],
    };
    pub(super) const TEAM: Self = Self {
        bad: Rule::bad_team,
        strict: Rule::only_team,
        name: "a team",
        keywords: &["first", "backup", "quorum"],
    };
    pub(super) const EVIDENCE: Self = Self {
        bad: Rule::bad_evidence,
        strict: Rule::only_evidence,
        name: "an evidence block",
        keywords: &["required", "optional"],
    };
    pub(super) const TIMEOUT: Self = Self {
        bad: Rule::bad_step,
        strict: Rule::only_step,
        name: "a timeout",
        keywords: &["after", "every"],
    };
    pub(super) const RECORD: Self = Self {
        bad: Rule::bad_assignment,
        strict: Rule::only_assignment,
        name: "a record",
        keywords: &[],
    };
    pub(super) const COND: Self = Self {
        bad: Rule::bad_cond,
        strict: Rule::only_cond,
        name: "a block of conditions",
        keywords: &[],
    };
}

impl Lower<'_> {
    /// Says what is wrong with a line of a block. The range counts from the item's start. Returns
    /// the keywords that count as present from now on.
    pub(super) fn complain_line(&mut self, range: Range<usize>, block: &BlockRules) -> Vec<String> {
        let absolute = self.base + range.start..self.base + range.end;
        let slice = self.text.get(absolute.clone()).unwrap_or("");
        if let Some(at) = stray_comma(slice, block) {
            return self.complain_comma(slice, absolute.start, at);
        }
        let trimmed = slice.trim_end_matches([' ', '\t', '\r', ',']);
        let absolute = absolute.start..absolute.start + trimmed.len();
        let word = first_word(trimmed);
        let known = block.keywords.is_empty() || block.keywords.contains(&word);
        let near = nearest(word, block.keywords.iter().copied());
        let present = if known { word } else { near.unwrap_or(word) }.to_owned();
        let span = Span::new(self.file, absolute.clone());
        if self.is_known_broken(&absolute) || self.is_full(span) {
            return vec![present];
        }
        if !known {
            self.unknown_clause(word, near, absolute.start, block);
            return vec![present];
        }
        match Grammar::parse(block.strict, trimmed) {
            Err(_) => self.complain(trimmed, absolute.start, block.strict),
            Ok(_) => {
                let span = Span::new(self.file, absolute);
                self.push(
                    Diagnostic::new(
                        codes::SYNTAX,
                        span,
                        "this does not stand on a line of its own",
                    )
                    .help("one fact per line: start a new line here"),
                );
            }
        }
        vec![present]
    }

    /// A line that ends in a comma takes the next one with it. Both are read by people as they are
    /// meant, so only the comma is a mistake, and all lines count as present.
    fn complain_comma(&mut self, slice: &str, start: usize, at: usize) -> Vec<String> {
        let span = Span::new(self.file, start + at..start + at + 1);
        self.push(
            Diagnostic::new(codes::SYNTAX, span, "a line does not end in a comma")
                .help("one fact per line; a comma stands only between the values of a list")
                .safe_fix("remove it", span, ""),
        );
        let words = slice
            .lines()
            .map(|line| first_word(line.trim_start()).to_owned());
        words.filter(|word| !word.is_empty()).collect()
    }

    /// The place of a line's first word, or of the character that stands in its place.
    fn word_span(&self, word: &str, start: usize) -> Span {
        let rest = self.text.get(start..).unwrap_or("");
        let first = rest.chars().next().map_or(0, char::len_utf8);
        Span::new(self.file, start..start + word.len().max(first))
    }

    fn unknown_clause(&mut self, word: &str, near: Option<&str>, start: usize, block: &BlockRules) {
        let span = self.word_span(word, start);
        let what = if word.is_empty() {
            format!("{} has no line that begins like this", block.name)
        } else {
            format!("`{word}` begins no line of {}", block.name)
        };
        let mut found = Diagnostic::new(codes::UNKNOWN_CLAUSE, span, what);
        found = match near {
            Some(near) => found.help(format!("did you mean `{near}`?")).guess(
                format!("write `{near}`"),
                span,
                near,
            ),
            None => found.help(format!("its lines begin with {}", list_of(block.keywords))),
        };
        self.push(found);
    }

    /// Says what is wrong with an item of which nothing can be used.
    pub(super) fn complain_item(&mut self, slice: &str, range: Range<usize>) {
        let line = slice.lines().next().unwrap_or("");
        let first_line = range.start..range.start + line.len();
        let span = Span::new(self.file, first_line.clone());
        if self.is_known_broken(&first_line) || self.is_full(span) {
            return;
        }
        let word = first_word(slice);
        if ITEM_KEYWORDS.contains(&word) {
            self.complain(slice, range.start, Rule::item);
            return;
        }
        let span = self.word_span(word, range.start);
        let what = if word.is_empty() {
            "no item begins like this".to_owned()
        } else {
            format!("`{word}` begins no item")
        };
        let mut found = Diagnostic::new(codes::UNKNOWN_ITEM, span, what);
        let clause = BlockRules::LANE.keywords.contains(&word);
        found = match nearest(word, ITEM_KEYWORDS) {
            Some(near) => found.help(format!("did you mean `{near}`?")).guess(format!("write `{near}`"), span, near),
            None if clause => found.help("this is a clause of a lane; it belongs inside `lane NAME { ... }`"),
            None if matches!(word, "and" | "or") => {
                found.help("a condition goes over several lines only inside parentheses or a block such as `any of { ... }`")
            }
            None => found.help(format!("an item begins with {}", list_of(&ITEM_KEYWORDS))),
        };
        self.push(found);
    }

    /// Says why a text does not fit its rule. `start` is where the text begins in the file.
    fn complain(&mut self, slice: &str, start: usize, rule: Rule) {
        let Err(error) = detailed(rule, slice) else {
            return;
        };
        let (at, expected) = stopped(&error);
        let found = Found::at(slice, at);
        if self.foreign_letters(slice, found.start, start) {
            return;
        }
        let span = Span::new(self.file, start + found.start..start + found.end);
        if let Some(diagnostic) = foreign(&found, slice, span) {
            self.push(diagnostic);
            return;
        }
        let message = match expected.as_slice() {
            [] => format!("{} cannot stand here", found.name),
            [one] => format!("expected {one}, found {}", found.name),
            many => format!("expected {}, found {}", one_of(many), found.name),
        };
        let mut diagnostic = Diagnostic::new(codes::SYNTAX, span, message);
        if let Some(help) = hint(slice, &found) {
            diagnostic = diagnostic.help(help);
        }
        self.push(diagnostic);
    }

    /// A word with letters beyond `a` to `z`, at or around an offset of the slice: it is meant as a
    /// name, or is a text without its quotes.
    fn foreign_letters(&mut self, slice: &str, at: usize, start: usize) -> bool {
        let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let before = slice.get(..at).unwrap_or("");
        let from = before.len()
            - before
                .chars()
                .rev()
                .take_while(|c| is_letter(*c))
                .map(char::len_utf8)
                .sum::<usize>();
        let rest = slice.get(from..).unwrap_or("");
        let word = rest
            .get(..rest.find(|c| !is_letter(c)).unwrap_or(rest.len()))
            .unwrap_or("");
        if word.is_ascii() {
            return false;
        }
        let span = Span::new(self.file, start + from..start + from + word.len());
        self.push(
            Diagnostic::new(codes::BAD_NAME, span, format!("`{word}` is not a name")).help(
                "a name is the letters `a` to `z`, digits and `_`, and starts with a letter; a text stands in double quotes",
            ),
        );
        true
    }
}

/// Parses again, for the message: with the signs that could have stood where it stopped.
fn detailed(rule: Rule, slice: &str) -> Result<(), Box<Error<Rule>>> {
    // pest has one switch for the whole program. The lock keeps two threads from taking the details
    // from each other; PERF: it is turned back, since keeping details makes every parse slower.
    static SWITCH: Mutex<()> = Mutex::new(());
    let held = SWITCH.lock().unwrap_or_else(PoisonError::into_inner);
    pest::set_error_detail(true);
    let parsed = Grammar::parse(rule, slice).map(drop).map_err(Box::new);
    pest::set_error_detail(false);
    drop(held);
    parsed
}

/// Signs that a missing one is asked for by name; the others are parts of words.
const SIGNS: [&str; 7] = ["{", "}", ":", "=", ")", "->", "("];

/// Where parsing stopped, and what could have stood there.
fn stopped(error: &Error<Rule>) -> (usize, Vec<String>) {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let rules = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.as_slice(),
        ErrorVariant::CustomError { .. } => &[],
    };
    // pest's own answer knows rules only; a sign that is missing further on is the better one.
    let signs = error
        .parse_attempts()
        .filter(|tried| tried.max_position >= at);
    let signs = signs.map(|tried| {
        let tokens = tried
            .expected_tokens()
            .into_iter()
            .map(|token| token.to_string());
        let signs = tokens.filter(|token| SIGNS.contains(&token.as_str()));
        (
            tried.max_position,
            signs.map(|sign| format!("`{sign}`")).collect::<Vec<_>>(),
        )
    });
    match signs {
        Some((further, signs)) if further > at && !signs.is_empty() => (further, signs),
        Some((_, signs)) if rules.len() < 3 => {
            let mut words = expected(rules);
            words.extend(signs);
            words.sort();
            words.dedup();
            (at, words)
        }
        _ => (at, expected(rules)),
    }
}

/// Whether a text begins with a comma that is the last of its line.
pub(super) fn is_last_comma(text: &str) -> bool {
    text.strip_prefix(',')
        .map(|rest| rest.trim_start_matches([' ', '\t', '\r']))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['\n', '#']))
}

/// The comma at the end of a line behind which another line of the block begins.
fn stray_comma(slice: &str, block: &BlockRules) -> Option<usize> {
    if is_last_comma(slice) {
        return Some(0);
    }
    let mut at = 0;
    let mut lines = slice.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().map_or("", |next| next.trim());
        let word = first_word(next);
        let behind = next.get(word.len()..).unwrap_or("").trim_start();
        let is_field = block.bad == Rule::bad_field && !word.is_empty();
        let begins = block.keywords.contains(&word)
            || is_field && (behind.starts_with(':') || behind.starts_with("from "));
        let kept = line.trim_end();
        if begins && kept.ends_with(',') {
            return Some(at + kept.len() - 1);
        }
        at += line.len();
    }
    None
}

/// The token at which parsing stopped.
struct Found<'a> {
    text: &'a str,
    name: String,
    start: usize,
    end: usize,
}

impl<'a> Found<'a> {
    fn at(slice: &'a str, at: usize) -> Self {
        let rest = slice.get(at..).unwrap_or("");
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
        let start = at + blank;
        let rest = slice.get(start..).unwrap_or("");
        let len = token_len(rest);
        let text = rest.get(..len).unwrap_or("");
        if text.is_empty() || text == "\n" || text.starts_with('#') {
            // Point at the last character of the line, where something is missing.
            let end = slice.get(..start).unwrap_or("").trim_end().len();
            let last = slice
                .get(..end)
                .and_then(|s| s.char_indices().next_back())
                .map_or(0, |(n, _)| n);
            return Self {
                text: "",
                name: "the end of the line".to_owned(),
                start: last,
                end: end.max(last),
            };
        }
        let shown: String = text.chars().take(40).collect();
        Self {
            text,
            name: format!("`{shown}`"),
            start,
            end: start + text.len(),
        }
    }
}

fn token_len(rest: &str) -> usize {
    let Some(first) = rest.chars().next() else {
        return 0;
    };
    if first == '"' {
        let close = rest.get(1..).and_then(|r| r.find(['"', '\n']));
        return close.map_or(rest.len(), |n| n + 2).min(rest.len());
    }
    if first == '#' {
        return rest.find('\n').unwrap_or(rest.len());
    }
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    let operator = |c: char| matches!(c, '=' | '!' | '<' | '>' | '&' | '|' | '~');
    let same: &dyn Fn(char) -> bool = if word(first) {
        &word
    } else if operator(first) {
        &operator
    } else {
        return first.len_utf8();
    };
    rest.find(|c: char| !same(c)).unwrap_or(rest.len())
}

/// Operators of other languages, each with its word here.
fn foreign(found: &Found<'_>, slice: &str, span: Span) -> Option<Diagnostic> {
    let (ours, safe) = match found.text {
        "==" | "===" => ("is", true),
        "=" => ("is", false),
        "!=" | "<>" | "!==" => ("is not", true),
        "&&" | "&" => ("and", true),
        "||" | "|" => ("or", true),
        "!" => ("not", true),
        "=~" | "~" | "~=" => ("matches", false),
        "=>" => ("->", false),
        "=<" => ("<=", true),
        _ => return None,
    };
    let diagnostic = Diagnostic::new(
        codes::FOREIGN_OPERATOR,
        span,
        format!("`{}` is not an operator of this language", found.text),
    );
    // `a&&b` has no spaces to lose; a word needs them.
    let spaced = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let before = slice.get(..found.start).and_then(|s| s.chars().next_back());
    let after = slice.get(found.end..).and_then(|s| s.chars().next());
    let replacement = format!(
        "{}{ours}{}",
        if spaced(before) { "" } else { " " },
        if spaced(after) { "" } else { " " }
    );
    let title = format!("write `{ours}`");
    Some(if safe {
        diagnostic.safe_fix(title, span, replacement)
    } else {
        diagnostic.guess(title, span, replacement)
    })
}

fn hint(slice: &str, found: &Found<'_>) -> Option<&'static str> {
    Some(match found.text {
        "null" | "nil" | "None" => "a field without a value is tested with `is missing`",
        "true" | "True" => "the values of a yes/no field are `yes` and `no`",
        "and" | "or"
            if slice.get(..found.start).is_some_and(|s| {
                s.trim_end_matches([' ', '\t', '\r']).ends_with('\n') || s.is_empty()
            }) =>
        {
            "a condition goes over several lines only inside parentheses or a block such as `any of { ... }`"
        }
        "" if slice.trim_end().ends_with("and") || slice.trim_end().ends_with("or") => {
            "a condition goes over several lines only inside parentheses or a block such as `any of { ... }`"
        }
        "in" if slice.contains("is in") => "say `in (...)`, without `is`",
        "minutes" | "minute" | "min" | "hours" | "hour" | "days" | "day" | "seconds" | "second"
        | "sec" => "a duration is a number with its unit: `30m`, `1h30m`, `2d`",
        "-" | "'" => "strings stand in double quotes",
        "$" => "a currency is three capital letters behind the number: `100 USD`",
        _ => return None,
    })
}

/// The words for what could have stood there, without repetition, at most eight.
fn expected(rules: &[Rule]) -> Vec<String> {
    let mut words: Vec<String> = rules.iter().filter_map(|rule| describe(*rule)).collect();
    words.sort();
    words.dedup();
    if words.len() > 8 {
        words.truncate(7);
        words.push("another word of the language".to_owned());
    }
    words
}

fn describe(rule: Rule) -> Option<String> {
    let name = format!("{rule:?}");
    if let Some(keyword) = name.strip_prefix("kw_") {
        return Some(format!("`{keyword}`"));
    }
    let words = match rule {
        Rule::EOI => "the end of the line",
        Rule::word | Rule::enum_word => "a name",
        Rule::path | Rule::paths => "a field",
        Rule::names => "a name",
        Rule::string => "a string in double quotes",
        Rule::numeric | Rule::range => "a number",
        Rule::time_span => "a duration such as `30m`",
        Rule::regex => "a regular expression such as `/[a-z]+/`",
        Rule::currency => "a currency such as `USD`",
        Rule::literal | Rule::operand => "a value",
        Rule::set => "`(`",
        Rule::yes_no => "`yes` or `no`",
        Rule::cond | Rule::grouped | Rule::negation | Rule::operand_test => "a condition",
        Rule::group
        | Rule::block
        | Rule::measure_test
        | Rule::measure
        | Rule::measure_of
        | Rule::quantifier => return None,
        Rule::joiner => "`and` or `or`",
        Rule::test | Rule::test_is => "a test such as `is`, `<` or `in`",
        Rule::test_in
        | Rule::test_contains_set
        | Rule::test_text
        | Rule::test_matches
        | Rule::test_same
        | Rule::test_differs
        | Rule::test_age
        | Rule::test_order => return None,
        Rule::comparison => "`<`, `<=`, `>`, `>=` or `is`",
        Rule::if_present => "`if present`",
        Rule::record => "`{`",
        Rule::assignment => "a field and its value, such as `amount = 5`",
        Rule::type_ | Rule::type_text | Rule::type_yes_no => "a type such as `text` or `number`",
        Rule::type_whole
        | Rule::type_number
        | Rule::type_money
        | Rule::type_one_of
        | Rule::type_list => return None,
        Rule::source => "`from`",
        Rule::default => "`default`",
        Rule::fallback => "`escalate to`",
        Rule::fallback_block => "`{`",
        Rule::day => "a day such as `mon`",
        Rule::urgency_word => "`critical`, `high`, `normal` or `low`",
        Rule::hold_word => "`continue`, `degrade`, `slow`, `park`, `hold`, `block` or `deny`",
        Rule::scope_word => "`item`, `workflow` or `system`",
        Rule::contact => "`person` or `group`",
        Rule::because => "`because`",
        Rule::adjustment => "a field and its new value, such as `amount = 5`",
        Rule::claim => "`reaches` or `never`",
        Rule::verdict => "`allow`, `deny`, `escalate` or `adjust`",
        Rule::example_body => "a title in double quotes",
        Rule::expect => {
            "`allow`, `deny`, `escalate`, `adjust`, `no match`, `unsure` or `unreadable`"
        }
        Rule::with => "`with`",
        Rule::without => "`without`",
        Rule::moment => "`at`",
        Rule::before => "`after`",
        Rule::evidence_item => {
            "`input`, `action`, `trigger`, `context`, `links`, `history` or a label in double quotes"
        }
        Rule::step_notify => "`notify`",
        Rule::step_route => "`route to`",
        Rule::step_run => "`run`",
        Rule::step_allow => "`allow`",
        _ => return None,
    };
    Some(words.to_owned())
}

fn one_of(words: &[String]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.join(""),
    }
}

fn list_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    one_of(&quoted)
}
