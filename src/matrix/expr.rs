//! Typed triggers: expressions, tests, measures, patterns.

use std::sync::Arc;

use super::{CalendarId, Comparison, ConditionId, ContainsHow, MeasureId, TextHow};
use crate::clock::Duration;
use crate::schema::{FieldId, KindId};
use crate::span::Span;
use crate::value::Value;

/// A condition as one set of kinds uses it: its tests are typed for all of them.
#[derive(Debug)]
pub struct Condition {
    /// Its name.
    pub name: String,
    /// What it means.
    pub expr: Expr,
}

/// A boolean expression over an event.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The sorts of expression.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// All of them; `and`, `all of`.
    All(Vec<Expr>),
    /// One of them; `or`, `any of`.
    Any(Vec<Expr>),
    /// Not one of them; `none of`.
    None(Vec<Expr>),
    /// So many of them.
    AtLeast(u32, Vec<Expr>),
    /// The opposite.
    Not(Box<Expr>),
    /// A named condition.
    Condition(ConditionId),
    /// A test of a field.
    Test(Arc<Test>),
    /// A measure compared with a value.
    Measure(Arc<MeasureTest>),
}

/// One test of a field.
#[derive(Debug, Clone)]
pub struct Test {
    /// The field.
    pub field: FieldId,
    /// What is asked.
    pub op: TestOp,
    /// Whether a missing field makes it false instead of unknown.
    pub if_present: bool,
    /// The test in canonical words.
    pub text: String,
}

/// What a test asks of its field's value. Literals have the field's type.
#[derive(Debug, Clone)]
pub enum TestOp {
    /// `is missing`
    Missing,
    /// `is present`
    Present,
    /// `is inside`
    Inside(CalendarId),
    /// `is outside`
    Outside(CalendarId),
    /// `in`, `not in`
    In {
        /// Whether it asks for the opposite.
        not: bool,
        /// The values. Those of a text ignoring case are folded.
        values: Vec<Value>,
    },
    /// `contains any of` and its kin, of a list
    Contains {
        /// How many of them.
        how: ContainsHow,
        /// The values. Those of a text ignoring case are folded.
        values: Vec<Value>,
    },
    /// `starts with` and its kin
    Text {
        /// Whether it asks for the opposite.
        not: bool,
        /// How.
        how: TextHow,
        /// The literal; folded where the field ignores case.
        literal: Arc<str>,
    },
    /// `matches`
    Matches {
        /// Whether it asks for the opposite.
        not: bool,
        /// The pattern.
        pattern: Pattern,
    },
    /// `same as`
    SameAs(FieldId),
    /// `differs from`
    DiffersFrom(FieldId),
    /// `older than`
    OlderThan(Duration),
    /// `newer than`
    NewerThan(Duration),
    /// With a literal; folded where the field ignores case.
    Compare(Comparison, Value),
    /// With another field of the same type: `< <= > >=` only.
    CompareField(Comparison, FieldId),
}

/// A regular expression that covers the whole text.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: regex_automata::meta::Regex,
}

impl Pattern {
    /// Compiles a pattern of at most `bytes` bytes.
    ///
    /// # Errors
    /// When the pattern is malformed or its program is too large.
    pub fn new(source: &str, ignoring_case: bool, bytes: usize) -> Result<Self, PatternError> {
        use regex_automata::meta::{Config, Regex};
        use regex_automata::util::syntax;
        let config = Config::new()
            .nfa_size_limit(Some(bytes))
            .onepass_size_limit(Some(bytes))
            .hybrid_cache_capacity(bytes);
        let syntax = syntax::Config::new()
            .case_insensitive(ignoring_case)
            .nest_limit(50);
        // By itself first: what closes a group that it did not open, as in `a)|(b`, would otherwise
        // leave the anchors.
        if let Err(error) = syntax::parse_with(source, &syntax) {
            return Err(PatternError::Malformed(innermost(&error)));
        }
        // The group keeps an alternation inside the anchors.
        let whole = format!(r"\A(?:{source})\z");
        let regex = Regex::builder()
            .configure(config)
            .syntax(syntax)
            .build(&whole);
        match regex {
            Ok(regex) => Ok(Self {
                source: source.to_owned(),
                regex,
            }),
            Err(error) if error.size_limit().is_some() => Err(PatternError::TooLarge { bytes }),
            Err(error) => Err(PatternError::Malformed(innermost(&error))),
        }
    }

    /// The pattern as written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it covers the whole text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The same of a text as its bytes in UTF-8.
    #[must_use]
    pub fn covers(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "/{}/", self.source)
    }
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Not a regular expression.
    #[error("{0}")]
    Malformed(String),
    /// Its program is too large.
    #[error("its program would take more than {bytes} bytes")]
    TooLarge {
        /// The bound.
        bytes: usize,
    },
}

/// The last cause of an error: the one that says what is wrong with the pattern.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let text = cause.to_string();
    // regex-syntax prints the pattern with a marker under it; the last line says what is wrong.
    let last = text.lines().last().unwrap_or("");
    last.trim_start_matches("error: ").to_owned()
}

/// A measure compared with a value.
#[derive(Debug, Clone)]
pub struct MeasureTest {
    /// The measure.
    pub measure: MeasureId,
    /// How.
    pub op: Comparison,
    /// With what: a whole number for counts, a value of the field's type for sums.
    pub threshold: Value,
    /// The test in canonical words.
    pub text: String,
}

/// A sliding-window measure.
#[derive(Debug, Clone)]
pub struct Measure {
    /// What is measured.
    pub function: MeasureFunction,
    /// The measured kind.
    pub kind: KindId,
    /// Which of its events; typed for that kind, without measures.
    pub filter: Option<Expr>,
    /// The key.
    pub by: Vec<FieldId>,
    /// The window `(t - w, t]`.
    pub window: Duration,
    /// The measure in canonical words; equal measures have equal words.
    pub text: String,
}

impl Measure {
    /// The words of what is measured: `sum amount` of `sum amount of refund by agent over 1d`.
    #[must_use]
    pub fn words(&self) -> &str {
        self.text.split_once(" of ").map_or("", |(words, _)| words)
    }

    /// The words of the events that are measured: `refund by agent over 1d` of the same.
    #[must_use]
    pub fn window_words(&self) -> &str {
        let parts = self.text.split_once(" of ");
        parts.map_or(self.text.as_str(), |(_, words)| words)
    }
}

/// What a measure measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MeasureFunction {
    /// How many events.
    Count,
    /// The sum of a field.
    Sum(FieldId),
    /// How many different values of a field.
    Distinct(FieldId),
}
