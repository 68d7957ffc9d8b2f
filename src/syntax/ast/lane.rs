//! Lanes, their clauses, and examples, as their author wrote them.

use crate::clock::Duration;
use crate::span::Spanned;

use super::{Cond, Name, Path, Record, Verdict};

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
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
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

    /// From its word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Low, Self::Normal, Self::High, Self::Critical];
        all.into_iter().find(|urgency| urgency.as_str() == word)
    }
}

/// What holds meanwhile. The order is from the mildest to the strictest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
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
    pub at: Option<Spanned<crate::clock::Written>>,
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
