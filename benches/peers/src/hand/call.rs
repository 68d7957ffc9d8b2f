//! The event as a service would type it that has no engine: one struct of borrowed texts.
//!
//! In: an event of the workload, or its JSON by `serde`. Out: a [`Call`].

use serde::Deserialize;

use crate::workload::{Event, Number};

/// No lane.
pub const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Call<'a> {
    pub kind: &'a str,
    pub id: &'a str,
    pub at: &'a str,
    pub agent: &'a str,
    pub tool: &'a str,
    pub workflow: &'a str,
    #[serde(borrow)]
    pub tenant: Tenant<'a>,
    pub role: Role,
    pub sentiment: Sentiment,
    pub region: Region,
    pub resource: &'a str,
    pub message: &'a str,
    pub amount: f64,
    pub confidence: f64,
    pub attempts: f64,
    pub tokens: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Tenant<'a> {
    pub source: &'a str,
    pub target: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(
    clippy::enum_variant_names,
    reason = "the words of the workload as they are"
)]
pub enum Role {
    SupportAgent,
    OperationsAgent,
    FinanceAgent,
    AuditAgent,
    SalesAgent,
    ResearchAgent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Sentiment {
    Calm,
    Upset,
    Hostile,
    Unclear,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Region {
    EuWest,
    EuNorth,
    UsEast,
    UsWest,
    ApSouth,
}

pub const ROLES: [Role; 6] = [
    Role::SupportAgent,
    Role::OperationsAgent,
    Role::FinanceAgent,
    Role::AuditAgent,
    Role::SalesAgent,
    Role::ResearchAgent,
];
pub const SENTIMENTS: [Sentiment; 4] = [
    Sentiment::Calm,
    Sentiment::Upset,
    Sentiment::Hostile,
    Sentiment::Unclear,
];
pub const REGIONS: [Region; 5] = [
    Region::EuWest,
    Region::EuNorth,
    Region::UsEast,
    Region::UsWest,
    Region::ApSouth,
];

impl Default for Call<'_> {
    fn default() -> Self {
        Self {
            kind: "",
            id: "",
            at: "",
            agent: "",
            tool: "",
            workflow: "",
            tenant: Tenant {
                source: "",
                target: "",
            },
            role: Role::SupportAgent,
            sentiment: Sentiment::Calm,
            region: Region::EuWest,
            resource: "",
            message: "",
            amount: 0.0,
            confidence: 0.0,
            attempts: 0.0,
            tokens: 0.0,
        }
    }
}

impl<'a> Call<'a> {
    /// An event that lacks nothing.
    pub fn of(event: &'a Event) -> Self {
        let number = |field: Number| {
            let value = event.number(field).expect("the event lacks nothing");
            field.float(value)
        };
        let sentiment = event.sentiment.expect("the event lacks nothing");
        Self {
            kind: "tool_call",
            id: &event.id,
            at: "",
            agent: &event.agent,
            tool: &event.tool,
            workflow: &event.workflow,
            tenant: Tenant {
                source: &event.source,
                target: &event.target,
            },
            role: ROLES[usize::from(event.role)],
            sentiment: SENTIMENTS[usize::from(sentiment)],
            region: REGIONS[usize::from(event.region)],
            resource: &event.resource,
            message: &event.message,
            amount: number(Number::Amount),
            confidence: number(Number::Confidence),
            attempts: number(Number::Attempts),
            tokens: number(Number::Tokens),
        }
    }
}
