//! A checked matrix: ids instead of names, typed values instead of words.
//!
//! In: built by the check only. Out: read by every evaluator and every view.
//! Invariant: valid by construction. Every id points into its table, every test fits its field's
//! type in every kind of its lane, every timeout ends.
//! Knows nothing of files but the spans that messages and reasons need.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::calendar::Calendar;
use crate::clock::{Duration, Timestamp};
use crate::schema::{FieldId, Kind, KindId, Schema};
use crate::span::{Sources, Span};
use crate::value::Value;

pub use crate::syntax::ast::{
    Comparison, Contact, ContainsHow, Evidence, Hold, Scope, TextHow, Urgency, Verdict,
};

mod expr;
mod window;

pub use expr::*;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub u32);

            impl $name {
                /// The position in its table.
                #[must_use]
                pub fn index(self) -> usize {
                    self.0 as usize
                }
            }
        )*
    };
}

ids! {
    /// A lane; the order is file order.
    LaneId
    /// A rule; the order is file order.
    RuleId
    /// A team.
    TeamId
    /// An action.
    ActionId
    /// A calendar.
    CalendarId
    /// A condition as one set of kinds uses it.
    ConditionId
    /// A measure; equal measures share one id.
    MeasureId
    /// A sample.
    SampleId
}

/// A matrix that loads.
#[derive(Debug)]
pub struct Matrix {
    /// Its title.
    pub name: String,
    /// The edition of the language.
    pub edition: i64,
    /// Its zone.
    pub zone: chrono_tz::Tz,
    /// What happens when no lane and no rule decides.
    pub otherwise: Otherwise,
    /// What happens when an event cannot be read; `None` denies.
    pub unreadable: Option<Terms>,
    /// The event kinds.
    pub schema: Schema,
    /// The calendars.
    pub calendars: Vec<Calendar>,
    /// The actions.
    pub actions: Vec<Action>,
    /// The teams.
    pub teams: Vec<Team>,
    /// The conditions, one for each set of kinds that uses them.
    pub conditions: Vec<Condition>,
    /// The measures.
    pub measures: Vec<Measure>,
    /// The rules in file order.
    pub rules: Vec<Rule>,
    /// The lanes in file order.
    pub lanes: Vec<Lane>,
    /// The promises in file order.
    pub promises: Vec<Promise>,
    /// The samples in file order.
    pub samples: Vec<Sample>,
    /// The scenarios in file order.
    pub scenarios: Vec<Case>,
    /// The texts.
    pub sources: Arc<Sources>,
    /// The SHA-256 of the texts, in hex.
    pub digest: String,
}

/// What happens when nothing decides.
#[derive(Debug)]
pub enum Otherwise {
    /// The action may run.
    Allow,
    /// It must not.
    Deny,
    /// People decide.
    Escalate(Box<Terms>),
}

/// A declared action.
#[derive(Debug)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// What it does.
    pub about: String,
    /// Where it is declared.
    pub span: Span,
}

/// A team.
#[derive(Debug)]
pub struct Team {
    /// Its name.
    pub name: String,
    /// Who is asked first.
    pub first: Vec<Contact>,
    /// Who is asked after.
    pub backup: Vec<Contact>,
    /// How many distinct people must agree; 1 without `quorum`.
    pub quorum: u32,
    /// Of how many, where `quorum` says so.
    pub of: Option<u32>,
    /// Where it is declared.
    pub span: Span,
}

/// What one sign-off demands: of a lane, of `otherwise`, of `unreadable`.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Who owns it.
    pub owner: TeamId,
    /// How urgent.
    pub urgency: Urgency,
    /// The service level.
    pub respond: Within,
    /// What holds meanwhile.
    pub hold: Hold,
    /// What the hold covers.
    pub scope: Scope,
    /// What the owner needs, required or not.
    pub evidence: Vec<EvidenceNeed>,
    /// What happens if nobody answers. The last step ends it.
    pub steps: Vec<Step>,
}

/// A span of elapsed time, or of a calendar's open time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Within {
    /// How long.
    pub length: Duration,
    /// Whose open time.
    pub of: Option<CalendarId>,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceNeed {
    /// Whether it is required.
    pub required: bool,
    /// What.
    pub item: Evidence,
}

/// A timeout step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Whether it repeats the step before it until the next one; then `at` is the interval.
    pub every: bool,
    /// When, from the opening.
    pub at: Within,
    /// What.
    pub action: StepAction,
    /// Where it stands.
    pub span: Span,
}

/// What a timeout step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepAction {
    /// Tells the owner's backup and makes it eligible.
    NotifyBackup,
    /// Tells a team and makes it eligible.
    Notify(TeamId),
    /// Replaces the voters.
    Route(TeamId),
    /// Asks the caller for an action.
    Run(ActionId),
    /// Ends it, denied.
    Deny,
    /// Ends it; a resubmission is welcome.
    Expire,
    /// Satisfies this sign-off, for the reason given.
    Allow(String),
}

impl StepAction {
    /// Whether it ends the sign-off.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Deny | Self::Expire | Self::Allow(_))
    }
}

/// A lane.
#[derive(Debug, Clone)]
pub struct Lane {
    /// Its id.
    pub id: LaneId,
    /// Its name.
    pub name: String,
    /// Its keyword and name.
    pub head: Span,
    /// What it is about.
    pub about: Option<String>,
    /// The kinds.
    pub on: Vec<KindId>,
    /// The trigger.
    pub when: Expr,
    /// What takes it back.
    pub unless: Option<Expr>,
    /// What an unsure trigger does.
    pub unsure: Unsure,
    /// Whether it has no effect yet.
    pub trial: Option<Trial>,
    /// The fields by which its escalations are grouped.
    pub group_by: Vec<FieldId>,
    /// What it demands.
    pub terms: Terms,
    /// The actions asked for at once.
    pub also: Vec<ActionId>,
    /// What its owner is told to do.
    pub operator: Option<String>,
    /// How what it allows can be taken back.
    pub reversible: Option<String>,
    /// Its examples.
    pub examples: Vec<Case>,
}

/// What an unsure lane does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsure {
    /// It escalates.
    Escalate,
    /// It denies.
    Deny,
    /// It is left out, for the reason given.
    Skip(String),
}

/// A lane without effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// The first instant at which it takes effect; never without one.
    pub until: Option<Timestamp>,
}

impl Lane {
    /// Whether it has no effect on an event of that instant.
    #[must_use]
    pub fn is_on_trial(&self, at: Timestamp) -> bool {
        self.trial
            .is_some_and(|trial| trial.until.is_none_or(|until| at < until))
    }
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// Its name.
    pub name: String,
    /// Its keyword and name.
    pub head: Span,
    /// What it does.
    pub effect: Effect,
    /// The kinds.
    pub on: Vec<KindId>,
    /// When it applies.
    pub when: Expr,
    /// Why.
    pub because: Option<String>,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// `always allow`
    Allow,
    /// `always deny`
    Deny,
    /// `adjust ... set`
    Adjust(Vec<(FieldId, Value)>),
}

impl Effect {
    /// The keyword.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Allow => "always allow",
            Self::Deny => "always deny",
            Self::Adjust(_) => "adjust",
        }
    }
}

/// An invariant that its author states.
#[derive(Debug)]
pub struct Promise {
    /// In words.
    pub title: String,
    /// Where it stands.
    pub span: Span,
    /// The kinds.
    pub on: Vec<KindId>,
    /// For which events.
    pub when: Expr,
    /// What holds for them.
    pub claim: Claim,
}

/// What a promise says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Denied, or the team has a sign-off.
    Reaches(TeamId),
    /// The verdict is never this.
    Never(Verdict),
}

/// A sample event to start examples from.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// Its content.
    pub record: Record,
    /// Where it is declared.
    pub span: Span,
}

/// The content of an example's event: typed values by field.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its kind.
    pub kind: KindId,
    /// The fields it gives; `at` only where it says so.
    pub values: BTreeMap<FieldId, Value>,
}

/// An example of a lane, or a scenario.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub title: String,
    /// Where it stands.
    pub span: Span,
    /// The lane that it belongs to; a scenario has none.
    pub lane: Option<LaneId>,
    /// The event.
    pub record: Record,
    /// When it happens.
    pub at: Timestamp,
    /// What happened before.
    pub before: Option<Before>,
    /// What must come of it.
    pub expect: Expect,
}

/// The events before an example's event.
#[derive(Debug, Clone)]
pub struct Before {
    /// How many.
    pub count: u32,
    /// What each is.
    pub record: Record,
    /// Spread over this time, strictly inside.
    pub over: Duration,
}

/// What a case expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// A verdict, by a named one if it says so.
    Verdict(Verdict, Option<String>),
    /// This lane does not attach.
    NoMatch,
    /// This lane is unsure.
    Unsure,
    /// The event cannot be read.
    Unreadable,
}

impl std::fmt::Display for Expect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Verdict(verdict, None) => f.write_str(verdict.as_str()),
            Self::Verdict(verdict, Some(by)) => write!(f, "{} by {by}", verdict.as_str()),
            Self::NoMatch => f.write_str("no match"),
            Self::Unsure => f.write_str("unsure"),
            Self::Unreadable => f.write_str("unreadable"),
        }
    }
}

impl Matrix {
    /// A lane by its id.
    #[must_use]
    pub fn lane(&self, id: LaneId) -> Option<&Lane> {
        self.lanes.get(id.index())
    }

    /// A lane by its name.
    #[must_use]
    pub fn lane_named(&self, name: &str) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.name == name)
    }

    /// A team by its id.
    #[must_use]
    pub fn team(&self, id: TeamId) -> Option<&Team> {
        self.teams.get(id.index())
    }

    /// The name of a team.
    #[must_use]
    pub fn team_name(&self, id: TeamId) -> &str {
        self.team(id).map_or("", |team| &team.name)
    }

    /// The name of an action.
    #[must_use]
    pub fn action_name(&self, id: ActionId) -> &str {
        self.actions
            .get(id.index())
            .map_or("", |action| &action.name)
    }

    /// A calendar by its id.
    #[must_use]
    pub fn calendar(&self, id: CalendarId) -> Option<&Calendar> {
        self.calendars.get(id.index())
    }

    /// A kind by its id.
    #[must_use]
    pub fn kind(&self, id: KindId) -> Option<&Kind> {
        self.schema.kind(id)
    }

    /// A condition by its id.
    #[must_use]
    pub fn condition(&self, id: ConditionId) -> Option<&Condition> {
        self.conditions.get(id.index())
    }

    /// A measure by its id.
    #[must_use]
    pub fn measure(&self, id: MeasureId) -> Option<&Measure> {
        self.measures.get(id.index())
    }

    /// The words of a span of time: `30m of office_hours`.
    #[must_use]
    pub fn within_text(&self, within: Within) -> String {
        match within.of.and_then(|id| self.calendar(id)) {
            Some(calendar) => format!("{} of {}", within.length, calendar.name()),
            None => within.length.to_string(),
        }
    }

    /// The longest window of all measures; zero without one.
    #[must_use]
    pub fn longest_window(&self) -> Duration {
        self.measures
            .iter()
            .map(|m| m.window)
            .max()
            .unwrap_or_default()
    }
}
