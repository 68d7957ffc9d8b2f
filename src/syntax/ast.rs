//! The tree of one file, as its author wrote it.
//!
//! In: built by `lower`. Out: read by the check and by the printer.
//! Invariant: every node that a message can speak of carries its span; equality ignores spans, so
//! `parse(print(ast)) == ast`. Names are text here: ids come with the check.

use crate::clock::Duration;
use crate::span::{Span, Spanned};

mod cond;
mod lane;

pub use cond::*;
pub use lane::*;

/// A name or another word, with its place.
pub type Name = Spanned<String>;

/// A dotted path of a field; one or more words.
pub type Path = Spanned<String>;

/// The items of one file, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ast {
    /// The items that could be read, and what is known of those that could not.
    pub items: Vec<Item>,
}

/// One top-level item.
pub type Item = Spanned<ItemKind>;

/// What an item is.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "each variant is named after its keyword and its struct is documented"
)]
pub enum ItemKind {
    Matrix(MatrixBlock),
    Import(Spanned<String>),
    Calendar(Calendar),
    Event(Event),
    Action(Action),
    Sample(Sample),
    Team(Team),
    List(List),
    Condition(Condition),
    Rule(Rule),
    Promise(Promise),
    Scenario(Example),
    Lane(Lane),
    /// An item that could not be read. Its name counts as declared, so that one mistake is one
    /// finding.
    Broken(Broken),
}

/// What is known of an item that could not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// Its first word.
    pub keyword: String,
    /// Its name, if it had one.
    pub name: Option<String>,
}

/// `matrix "title" { ... }`
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixBlock {
    /// The keyword's place.
    pub keyword: Spanned<()>,
    /// The title.
    pub title: Spanned<String>,
    /// The clauses, in order.
    pub clauses: Vec<Spanned<MatrixClause>>,
    /// Clauses that could not be read, by keyword: they count as present.
    pub broken: Vec<String>,
}

/// A clause of the `matrix` block.
#[derive(Debug, Clone, PartialEq)]
pub enum MatrixClause {
    /// `edition 1`
    Edition(Spanned<i64>),
    /// `timezone "Europe/Berlin"`
    Timezone(Spanned<String>),
    /// `otherwise allow | deny | escalate to ...`
    Otherwise(Otherwise),
    /// `unreadable deny | escalate to ...`
    Unreadable(Otherwise),
}

/// What happens when nothing decides, or when an event cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub enum Otherwise {
    /// `allow`; not legal after `unreadable`, which the grammar refuses.
    Allow,
    /// `deny`
    Deny,
    /// `escalate to TEAM { ... }`
    Escalate(Fallback),
}

/// `escalate to TEAM { ... }`
#[derive(Debug, Clone, PartialEq)]
pub struct Fallback {
    /// The team.
    pub team: Name,
    /// The clauses of the block; `None` without a block. Only urgency, respond, meanwhile,
    /// evidence and timeout.
    pub clauses: Option<Vec<Spanned<Clause>>>,
    /// Clauses that could not be read.
    pub broken: Vec<String>,
}

/// `calendar NAME { ... }`
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// Its name.
    pub name: Name,
    /// Its lines.
    pub clauses: Vec<Spanned<CalendarClause>>,
    /// Lines that could not be read, by first word.
    pub broken: Vec<String>,
}

/// A line of a calendar.
#[derive(Debug, Clone, PartialEq)]
pub enum CalendarClause {
    /// `timezone "Europe/Berlin"`
    Timezone(Spanned<String>),
    /// `mon to fri 09:00 to 18:00`
    Hours {
        /// First day.
        from: Weekday,
        /// Last day, if a span of days.
        to: Option<Weekday>,
        /// Minutes from midnight at which it opens, 0 to 1440.
        open: Spanned<u16>,
        /// Minutes from midnight at which it closes, 0 to 1440.
        close: Spanned<u16>,
    },
    /// `except 2026-12-24 to 2026-12-26`
    Except {
        /// First day.
        from: Spanned<chrono::NaiveDate>,
        /// Last day, if several.
        to: Option<Spanned<chrono::NaiveDate>>,
    },
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    /// All days, Monday first.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// `mon`
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

/// `event NAME from "..." { ... }`
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The kind's name.
    pub name: Name,
    /// The kind's name in JSON, where it differs.
    pub source: Option<Spanned<String>>,
    /// The fields.
    pub fields: Vec<Spanned<Field>>,
    /// Fields that could not be read, by path.
    pub broken: Vec<String>,
}

/// `path from "..." : type optional`
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The path in the language.
    pub path: Path,
    /// The JSON path from the event's root, where it differs; empty otherwise.
    pub source: Vec<Spanned<String>>,
    /// The type.
    pub ty: Spanned<FieldType>,
    /// What its absence means.
    pub presence: Presence,
}

/// A type as written.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the variants are the words of the language")]
pub enum FieldType {
    YesNo,
    Text { ignoring_case: bool },
    Whole(Option<LiteralRange>),
    Number(Option<LiteralRange>),
    Money(Spanned<String>, Option<LiteralRange>),
    OneOf(Vec<Spanned<Word>>),
    Timestamp,
    Duration,
    List(Box<Spanned<FieldType>>),
}

/// `NUM to NUM`, each the text of a number.
#[derive(Debug, Clone, PartialEq)]
pub struct LiteralRange {
    /// The smallest.
    pub low: Spanned<String>,
    /// The largest.
    pub high: Spanned<String>,
}

/// A bare name or a string where either may stand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Word {
    /// The text.
    pub text: String,
    /// Whether it was written as a string.
    pub quoted: bool,
}

/// What the absence of a field means.
#[derive(Debug, Clone, PartialEq)]
pub enum Presence {
    /// The event is unreadable.
    Required,
    /// Tests on it are unknown.
    Optional,
    /// It has this value.
    Default(Literal),
}

/// A literal, or a set of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// One value.
    One(Spanned<Value>),
    /// `( ... )`
    Set(Spanned<Vec<Spanned<Value>>>),
}

impl Literal {
    /// Its place.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::One(value) => value.span,
            Self::Set(set) => set.span,
        }
    }
}

/// A value as written; its type comes with the check.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `"text"`
    Str(String),
    /// `12.5`: the text of a number.
    Number(String),
    /// `12.5 USD`
    Money(String, String),
    /// `1h30m`
    Duration(Duration),
    /// `2026-12-24`
    Date(chrono::NaiveDate),
    /// `2026-12-24T10:00:00Z`
    Timestamp(crate::clock::Written),
    /// `yes`
    Yes,
    /// `no`
    No,
    /// `hostile`
    Word(String),
    /// A literal that could not be read; nothing more is said of it.
    Broken,
}

/// `action NAME "what it does"`
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Its name.
    pub name: Name,
    /// What it does.
    pub about: Spanned<String>,
}

/// `sample NAME is KIND { ... }`
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its name.
    pub name: Name,
    /// Its kind.
    pub kind: Name,
    /// Its fields.
    pub record: Record,
}

/// `{ path = value ... }`
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The fields, in order.
    pub fields: Vec<Spanned<Assignment>>,
    /// Fields that could not be read, by path.
    pub broken: Vec<String>,
}

/// `path = value`
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The field.
    pub path: Path,
    /// Its value.
    pub value: Literal,
}

/// `team NAME { ... }`
#[derive(Debug, Clone, PartialEq)]
pub struct Team {
    /// Its name.
    pub name: Name,
    /// Its clauses.
    pub clauses: Vec<Spanned<TeamClause>>,
    /// Clauses that could not be read, by keyword.
    pub broken: Vec<String>,
}

/// A clause of a team.
#[derive(Debug, Clone, PartialEq)]
pub enum TeamClause {
    /// `first person "...", group "..."`
    First(Vec<Spanned<Contact>>),
    /// `backup person "..."`
    Backup(Vec<Spanned<Contact>>),
    /// `quorum 2 of 3`
    Quorum {
        /// How many must agree.
        needed: Spanned<i64>,
        /// Of how many.
        of: Spanned<i64>,
    },
}

/// `person "..."` or `group "..."`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Contact {
    /// Whether it names a group.
    pub group: bool,
    /// The name.
    pub name: String,
}

/// `list NAME is value, value`
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// Its name.
    pub name: Name,
    /// Its values.
    pub values: Vec<Spanned<Value>>,
}

/// `condition NAME means ...`
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Its name.
    pub name: Name,
    /// What it means.
    pub cond: Spanned<Cond>,
}

/// `always allow | always deny | adjust`
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What it does.
    pub effect: RuleEffect,
    /// Its name.
    pub name: Name,
    /// The kinds.
    pub on: Vec<Name>,
    /// When it applies.
    pub when: Spanned<Cond>,
    /// Why, for the reason of a decision.
    pub because: Option<Spanned<String>>,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleEffect {
    /// `always allow`
    Allow,
    /// `always deny`
    Deny,
    /// `adjust ... set path = value`
    Adjust(Vec<Spanned<AdjustAssignment>>),
}

/// `path = value` of an adjust.
#[derive(Debug, Clone, PartialEq)]
pub struct AdjustAssignment {
    /// The field.
    pub path: Path,
    /// Its new value.
    pub value: Spanned<Value>,
}

/// `promise "..." on ... when ... reaches TEAM | never VERDICT`
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    /// What is promised, in words.
    pub title: Spanned<String>,
    /// The kinds.
    pub on: Vec<Name>,
    /// For which events.
    pub when: Spanned<Cond>,
    /// What holds for them.
    pub claim: Claim,
}

/// What a promise says.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// `reaches TEAM`
    Reaches(Name),
    /// `never VERDICT`
    Never(Spanned<Verdict>),
}

/// The word of a verdict.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum Verdict {
    /// The action may run.
    Allow,
    /// The action may run as changed.
    Adjust,
    /// People decide.
    Escalate,
    /// The action must not run.
    Deny,
}

impl Verdict {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Escalate => "escalate",
            Self::Adjust => "adjust",
        }
    }
}
