//! A lane and an event as data, and what a lane says of an event.
//!
//! In: nothing. Out: types, and a walk over the tree of a trigger, which is the oracle of everything
//! that is measured.
//! Invariant: numbers are whole, in the smallest unit of their field, so that every engine can be
//! given them exactly.
//! Must not know how lanes are made, nor any engine.

/// A field that holds a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Text {
    Agent,
    Tool,
    Workflow,
    Source,
    Target,
    Resource,
    Message,
}

/// A field that holds one word of a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Word {
    Role,
    Sentiment,
    Region,
}

/// A field that holds a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Number {
    Amount,
    Confidence,
    Attempts,
    Tokens,
}

pub const TEXTS: [Text; 7] = [
    Text::Agent,
    Text::Tool,
    Text::Workflow,
    Text::Source,
    Text::Target,
    Text::Resource,
    Text::Message,
];
pub const WORDS: [Word; 3] = [Word::Role, Word::Sentiment, Word::Region];
pub const NUMBERS: [Number; 4] = [
    Number::Amount,
    Number::Confidence,
    Number::Attempts,
    Number::Tokens,
];

impl Text {
    /// The path in the language and in JSON.
    pub fn path(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Tool => "tool",
            Self::Workflow => "workflow",
            Self::Source => "tenant.source",
            Self::Target => "tenant.target",
            Self::Resource => "resource",
            Self::Message => "message",
        }
    }
}

impl Word {
    pub fn path(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Sentiment => "sentiment",
            Self::Region => "region",
        }
    }

    /// The closed set.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Role => &[
                "support_agent",
                "operations_agent",
                "finance_agent",
                "audit_agent",
                "sales_agent",
                "research_agent",
            ],
            Self::Sentiment => &["calm", "upset", "hostile", "unclear"],
            Self::Region => &["eu_west", "eu_north", "us_east", "us_west", "ap_south"],
        }
    }
}

impl Number {
    pub fn path(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::Confidence => "confidence",
            Self::Attempts => "attempts",
            Self::Tokens => "tokens",
        }
    }

    /// Digits behind the point.
    pub fn places(self) -> u32 {
        match self {
            Self::Amount => 2,
            Self::Confidence => 4,
            Self::Attempts | Self::Tokens => 0,
        }
    }

    /// The largest value; the smallest is 0.
    pub fn largest(self) -> i64 {
        match self {
            Self::Amount => 100_000_000,
            Self::Confidence => 10_000,
            Self::Attempts => 1_000,
            Self::Tokens => 200_000,
        }
    }

    /// The value as a binary fraction: the nearest one to the exact decimal, as a JSON reader gives.
    pub fn float(self, value: i64) -> f64 {
        value as f64 / 10f64.powi(self.places() as i32)
    }

    /// The value in plain decimal notation.
    pub fn decimal(self, value: i64) -> String {
        let places = self.places() as usize;
        if places == 0 {
            return value.to_string();
        }
        let unit = 10i64.pow(self.places());
        format!("{}.{:0places$}", value / unit, value % unit)
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    Is(Text, String),
    In(Text, Vec<String>),
    StartsWith(Text, String),
    Contains(Text, String),
    WordIs(Word, u8),
    WordIn(Word, Vec<u8>),
    /// Greater than.
    Above(Number, i64),
    /// Less than.
    Below(Number, i64),
    /// The tenant that is read is not the one that is written.
    OtherTenant,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cond {
    Test(Test),
    All(Vec<Cond>),
    Any(Vec<Cond>),
}

/// A lane: its place in the list is its priority.
#[derive(Debug, Clone)]
pub struct Lane {
    pub name: String,
    pub when: Cond,
}

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    /// Seconds since 1970.
    pub at: i64,
    pub agent: String,
    pub tool: String,
    pub workflow: String,
    pub source: String,
    pub target: String,
    pub resource: String,
    pub message: String,
    pub role: u8,
    pub sentiment: Option<u8>,
    pub region: u8,
    pub amount: i64,
    pub confidence: Option<i64>,
    pub attempts: i64,
    pub tokens: i64,
}

impl Event {
    pub fn text(&self, field: Text) -> &str {
        match field {
            Text::Agent => &self.agent,
            Text::Tool => &self.tool,
            Text::Workflow => &self.workflow,
            Text::Source => &self.source,
            Text::Target => &self.target,
            Text::Resource => &self.resource,
            Text::Message => &self.message,
        }
    }

    pub fn word(&self, field: Word) -> Option<u8> {
        match field {
            Word::Role => Some(self.role),
            Word::Sentiment => self.sentiment,
            Word::Region => Some(self.region),
        }
    }

    pub fn number(&self, field: Number) -> Option<i64> {
        match field {
            Number::Amount => Some(self.amount),
            Number::Confidence => self.confidence,
            Number::Attempts => Some(self.attempts),
            Number::Tokens => Some(self.tokens),
        }
    }
}

impl Test {
    /// Whether it holds; `None` where its field is missing.
    pub fn holds(&self, event: &Event) -> Option<bool> {
        match self {
            Self::Is(field, text) => Some(event.text(*field) == text),
            Self::In(field, texts) => Some(texts.iter().any(|text| text == event.text(*field))),
            Self::StartsWith(field, text) => Some(event.text(*field).starts_with(text)),
            Self::Contains(field, text) => Some(event.text(*field).contains(text)),
            Self::WordIs(field, word) => event.word(*field).map(|given| given == *word),
            Self::WordIn(field, words) => event.word(*field).map(|given| words.contains(&given)),
            Self::Above(field, bound) => event.number(*field).map(|given| given > *bound),
            Self::Below(field, bound) => event.number(*field).map(|given| given < *bound),
            Self::OtherTenant => Some(event.source != event.target),
        }
    }
}

impl Cond {
    /// Whether it holds, by Kleene's logic.
    pub fn holds(&self, event: &Event) -> Option<bool> {
        let (parts, neutral) = match self {
            Self::Test(test) => return test.holds(event),
            Self::All(parts) => (parts, true),
            Self::Any(parts) => (parts, false),
        };
        let mut sure = true;
        for part in parts {
            match part.holds(event) {
                Some(held) if held != neutral => return Some(held),
                Some(_) => {}
                None => sure = false,
            }
        }
        sure.then_some(neutral)
    }

    /// Its tests.
    pub fn tests(&self) -> Vec<&Test> {
        match self {
            Self::Test(test) => vec![test],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::tests).collect(),
        }
    }
}

/// What attaches to an event, by a walk over every trigger: lanes that fire, lanes that are unsure.
pub fn attached(lanes: &[Lane], event: &Event) -> (Vec<usize>, Vec<usize>) {
    let mut fired = Vec::new();
    let mut unsure = Vec::new();
    for (at, lane) in lanes.iter().enumerate() {
        match lane.when.holds(event) {
            Some(true) => fired.push(at),
            None => unsure.push(at),
            Some(false) => {}
        }
    }
    (fired, unsure)
}
