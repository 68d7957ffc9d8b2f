//! The tree of one file, as its author wrote it.
//!
//! In: built by `lower`. Out: read by the check and by the printer.
//! Invariant: every node that a message can speak of carries its span; equality ignores spans, so
//! `parse(print(ast)) == ast`. Names are text here: ids come with the check.

use crate::clock::Duration;
use crate::span::{Span, Spanned};

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
    Timestamp(crate::clock::Timestamp),
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

/// `lane NAME { ... }`
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// The keyword and the name, where a missing clause is reported.
    pub head: Spanned<()>,
    /// Its name.
    pub name: Name,
    /// Its clauses, in order.
    pub clauses: Vec<Spanned<Clause>>,
    /// Clauses that could not be read, by keyword: they count as present.
    pub broken: Vec<String>,
}

/// A clause of a lane or of a fallback block.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is named after its keyword")]
pub enum Clause {
    About(Spanned<String>),
    On(Vec<Name>),
    When(Spanned<Cond>),
    Unless(Spanned<Cond>),
    Unsure(Unsure),
    Trial(Option<Spanned<chrono::NaiveDate>>),
    GroupBy(Vec<Path>),
    Owner(Name),
    Urgency(Spanned<Urgency>),
    Respond(TimeSpan),
    Meanwhile {
        hold: Spanned<Hold>,
        scope: Spanned<Scope>,
    },
    Also(Vec<Name>),
    Operator(Spanned<String>),
    Reversible(Spanned<String>),
    Evidence(EvidenceBlock),
    Timeout(TimeoutBlock),
    Example(Example),
}

impl Clause {
    /// The keyword of the clause, in the words of a message.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::About(_) => "about",
            Self::On(_) => "on",
            Self::When(_) => "when",
            Self::Unless(_) => "unless",
            Self::Unsure(_) => "unsure",
            Self::Trial(_) => "trial",
            Self::GroupBy(_) => "group by",
            Self::Owner(_) => "owner",
            Self::Urgency(_) => "urgency",
            Self::Respond(_) => "respond within",
            Self::Meanwhile { .. } => "meanwhile",
            Self::Also(_) => "also",
            Self::Operator(_) => "operator",
            Self::Reversible(_) => "reversible",
            Self::Evidence(_) => "evidence",
            Self::Timeout(_) => "timeout",
            Self::Example(_) => "example",
        }
    }
}

/// What an unsure lane does.
#[derive(Debug, Clone, PartialEq)]
pub enum Unsure {
    /// `unsure escalate`, the default
    Escalate,
    /// `unsure deny`
    Deny,
    /// `unsure skip because "..."`
    Skip(Spanned<String>),
}

/// How urgent. The order is from low to critical.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of the language")]
pub enum Urgency {
    Low,
    Normal,
    High,
    Critical,
}

impl Urgency {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What holds meanwhile. The order is from the mildest to the strictest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Hold {
    /// The action may run unchanged.
    Continue,
    /// The action may run in the caller's safe form.
    Degrade,
    /// The action may run at a lower rate.
    Slow,
    /// Set aside; the queue goes on.
    Park,
    /// Kept ready.
    Hold,
    /// Refused until a grant.
    Block,
    /// Refused; an approval permits a new attempt.
    Deny,
}

impl Hold {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Degrade => "degrade",
            Self::Slow => "slow",
            Self::Park => "park",
            Self::Hold => "hold",
            Self::Block => "block",
            Self::Deny => "deny",
        }
    }

    /// Whether the action may run now, without a grant.
    #[must_use]
    pub fn is_running(self) -> bool {
        self <= Self::Slow
    }
}

/// What a hold covers. The order is from narrow to wide.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of the language")]
pub enum Scope {
    Item,
    Workflow,
    System,
}

impl Scope {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Workflow => "workflow",
            Self::System => "system",
        }
    }
}

/// `30m` or `30m of office_hours`
#[derive(Debug, Clone, PartialEq)]
pub struct TimeSpan {
    /// How long.
    pub length: Spanned<Duration>,
    /// Of which calendar's open time; elapsed time without one.
    pub of: Option<Name>,
}

/// `evidence { ... }`
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceBlock {
    /// The lines, in order.
    pub lines: Vec<Spanned<EvidenceLine>>,
    /// Lines that could not be read.
    pub broken: Vec<String>,
}

/// `required input, action`
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceLine {
    /// Whether the evidence is required.
    pub required: bool,
    /// What is asked for.
    pub items: Vec<Spanned<Evidence>>,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The original input.
    Input,
    /// The proposed action.
    Action,
    /// The trigger with the values it saw.
    Trigger,
    /// The retrieved context.
    Context,
    /// Links to logs or records.
    Links,
    /// The recent history of the same subject; the last so many.
    History(Option<u32>),
    /// Anything else, by its label in the event's evidence.
    Label(String),
}

/// `timeout { ... }`
#[derive(Debug, Clone, PartialEq)]
pub struct TimeoutBlock {
    /// The steps, in order.
    pub steps: Vec<Spanned<Step>>,
    /// Steps that could not be read.
    pub broken: Vec<String>,
}

/// A step of a timeout.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Whether it is `every` (repeats) or `after`.
    pub every: bool,
    /// When.
    pub span: TimeSpan,
    /// What.
    pub action: StepAction,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum StepAction {
    /// `notify backup`
    NotifyBackup,
    /// `notify TEAM`
    Notify(Name),
    /// `route to TEAM`
    Route(Name),
    /// `run ACTION`
    Run(Name),
    /// `deny`
    Deny,
    /// `expire`
    Expire,
    /// `allow because "..."`
    Allow(Spanned<String>),
}

/// `"title" sample with { ... } -> expect`, of a lane's `example` or of a `scenario`
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// What it shows.
    pub title: Spanned<String>,
    /// The sample it starts from.
    pub sample: Name,
    /// Fields that it changes.
    pub with: Option<Record>,
    /// Fields that it takes away.
    pub without: Vec<Path>,
    /// When it happens.
    pub at: Option<Spanned<crate::clock::Timestamp>>,
    /// What happened before.
    pub after: Option<History>,
    /// What must come of it.
    pub expect: Spanned<Expect>,
}

/// `after 4 of SAMPLE with { ... } over 10m`
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// How many events.
    pub count: Spanned<i64>,
    /// Of which sample.
    pub sample: Name,
    /// Fields that they change.
    pub with: Option<Record>,
    /// Spread over this time.
    pub over: Spanned<Duration>,
}

/// What an example expects.
#[derive(Debug, Clone, PartialEq)]
pub enum Expect {
    /// A verdict, perhaps by a named lane, rule, `otherwise` or `unreadable`.
    Verdict(Verdict, Option<Name>),
    /// `no match`
    NoMatch,
    /// `unsure`
    Unsure,
    /// `unreadable`
    Unreadable,
}

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
