//! Conditions, tests and measures, as their author wrote them.

use crate::clock::Duration;
use crate::span::Spanned;

use super::{Name, Path, Value};

/// A condition. `and` and `or` never mix in one node.
#[derive(Debug, Clone, PartialEq)]
pub enum Cond {
    /// Two or more joined by `and`.
    And(Vec<Spanned<Cond>>),
    /// Two or more joined by `or`.
    Or(Vec<Spanned<Cond>>),
    /// `not ...`
    Not(Box<Spanned<Cond>>),
    /// `any of { ... }` and its kin
    Block(Block),
    /// A measure compared with a value.
    Measure(MeasureTest),
    /// A test of a field.
    Test(Test),
    /// A bare word: a condition.
    Name(Name),
    /// A line of a block that could not be read: neither true nor false, and nothing more is said
    /// of it.
    Broken,
}

/// `any of { ... }`
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Which of them.
    pub quantifier: Spanned<Quantifier>,
    /// The conditions, one a line.
    pub conds: Vec<Spanned<Cond>>,
}

/// How many conditions of a block must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `any of`
    Any,
    /// `all of`
    All,
    /// `none of`
    None,
    /// `at least N of`
    AtLeast(u32),
}

/// `count of KIND where ... by ... over 10m > 3`
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureTest {
    /// The measure.
    pub measure: Spanned<Measure>,
    /// How it compares.
    pub op: Comparison,
    /// With what.
    pub value: Spanned<Value>,
}

/// A sliding-window measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// What is measured.
    pub function: MeasureFunction,
    /// The measured kind.
    pub kind: Name,
    /// Which of its events.
    pub filter: Option<Box<Spanned<Cond>>>,
    /// The key.
    pub by: Vec<Path>,
    /// The window.
    pub over: Spanned<Duration>,
}

/// What a measure measures.
#[derive(Debug, Clone, PartialEq)]
pub enum MeasureFunction {
    /// `count of`
    Count,
    /// `sum PATH of`
    Sum(Path),
    /// `distinct PATH of`
    Distinct(Path),
}

/// `< <= > >= is`, `is not`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the operators of the language")]
pub enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Is,
    IsNot,
}

impl Comparison {
    /// The operator as written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Is => "is",
            Self::IsNot => "is not",
        }
    }

    /// Whether an order satisfies it.
    #[must_use]
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Is => order.is_eq(),
            Self::IsNot => order.is_ne(),
        }
    }
}

/// One test of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// The field.
    pub path: Path,
    /// The test.
    pub op: Spanned<TestOp>,
    /// Whether it ends in `if present`.
    pub if_present: Option<Spanned<()>>,
}

/// What a test asks.
#[derive(Debug, Clone, PartialEq)]
pub enum TestOp {
    /// `is missing`
    Missing,
    /// `is present`
    Present,
    /// `is inside CALENDAR`
    Inside(Name),
    /// `is outside CALENDAR`
    Outside(Name),
    /// `in (...)`, `in LIST`, `not in ...`
    In {
        /// Whether `not` stands before it.
        not: bool,
        /// The values.
        set: SetRef,
    },
    /// `contains any of ...` and its kin
    ContainsSet {
        /// How many of them.
        how: ContainsHow,
        /// The values.
        set: SetRef,
    },
    /// `starts with "..."` and its kin
    Text {
        /// Whether `not` stands before it.
        not: bool,
        /// How.
        how: TextHow,
        /// The literal.
        text: Spanned<String>,
    },
    /// `matches /.../`
    Matches {
        /// Whether `not` stands before it.
        not: bool,
        /// The pattern between the slashes, with `\/` for a slash.
        pattern: Spanned<String>,
    },
    /// `same as PATH`
    SameAs(Path),
    /// `differs from PATH`
    DiffersFrom(Path),
    /// `older than 30d`
    OlderThan(Spanned<Duration>),
    /// `newer than 30d`
    NewerThan(Spanned<Duration>),
    /// `< 5`, `is hostile`, `< other_field`
    Compare(Comparison, Operand),
}

/// What stands on the right of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A literal or a bare word.
    Value(Spanned<Value>),
    /// A dotted path.
    Path(Path),
}

/// A set of values, written out or by the name of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum SetRef {
    /// `( ... )`
    Set(Spanned<Vec<Spanned<Value>>>),
    /// `LIST`
    List(Name),
}

/// How many of a set a list field must contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words of the language")]
pub enum ContainsHow {
    Any,
    All,
    None,
}

/// How a text is compared with a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words of the language")]
pub enum TextHow {
    StartsWith,
    EndsWith,
    Contains,
    Like,
}

impl TextHow {
    /// The words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StartsWith => "starts with",
            Self::EndsWith => "ends with",
            Self::Contains => "contains",
            Self::Like => "like",
        }
    }
}
