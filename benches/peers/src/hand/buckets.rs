//! Lanes in buckets by their routing keys: a hash table from tool, workflow and tenant to the lanes
//! that ask for it, and one list of the lanes that have no key.
//!
//! In: lanes. Out: the first lane that fires.
//! A lane is a short list of typed checks on the struct, what is quick first. Lanes of a bucket are
//! in priority order, so a walk ends at the first one that fires or comes too late.

use memchr::memmem::Finder;
use rustc_hash::FxHashMap;

use super::call::{Call, NONE};
use crate::workload::{Cond, Lane, Number, Test, Text, Word};

pub struct Buckets {
    tools: FxHashMap<String, Vec<Entry>>,
    workflows: FxHashMap<String, Vec<Entry>>,
    tenants: FxHashMap<String, Vec<Entry>>,
    without: Vec<Entry>,
}

/// A lane, without its key.
struct Entry {
    lane: u32,
    checks: Vec<Check>,
}

enum Check {
    Above(Number, f64),
    Below(Number, f64),
    /// A bit for each word.
    Word(Word, u32),
    StartsWith(Text, Box<str>),
    Is(Text, Box<str>),
    In(Text, Box<[String]>),
    OtherTenant,
    Any(Vec<Self>),
    All(Vec<Self>),
    Contains(Box<Finder<'static>>),
}

impl Buckets {
    pub fn new(lanes: &[Lane]) -> Self {
        let mut made = Self {
            tools: FxHashMap::default(),
            workflows: FxHashMap::default(),
            tenants: FxHashMap::default(),
            without: Vec::new(),
        };
        for (number, lane) in (0..).zip(lanes) {
            let Cond::All(parts) = &lane.when else {
                panic!("a trigger is a list of tests");
            };
            let found = key(lane);
            let parts = if found.is_some() { &parts[1..] } else { parts };
            let mut checks: Vec<Check> = parts.iter().map(Check::of).collect();
            checks.sort_by_key(Check::cost);
            let bucket = match found {
                None => &mut made.without,
                Some((Text::Tool, name)) => made.tools.entry(name.to_owned()).or_default(),
                Some((Text::Workflow, name)) => made.workflows.entry(name.to_owned()).or_default(),
                Some((_, name)) => made.tenants.entry(name.to_owned()).or_default(),
            };
            bucket.push(Entry {
                lane: number,
                checks,
            });
        }
        made
    }

    #[inline]
    pub fn first(&self, call: &Call<'_>) -> u32 {
        let mut best = NONE;
        let buckets = [
            self.tools.get(call.tool),
            self.workflows.get(call.workflow),
            self.tenants.get(call.tenant.source),
            Some(&self.without),
        ];
        for bucket in buckets.into_iter().flatten() {
            for entry in bucket {
                if entry.lane >= best {
                    break;
                }
                if entry.checks.iter().all(|check| check.holds(call)) {
                    best = entry.lane;
                    break;
                }
            }
        }
        best
    }
}

impl Check {
    fn of(cond: &Cond) -> Self {
        let mask = |words: &[u8]| words.iter().fold(0, |mask, word| mask | 1 << word);
        match cond {
            Cond::All(parts) => Self::All(parts.iter().map(Self::of).collect()),
            Cond::Any(parts) => Self::Any(parts.iter().map(Self::of).collect()),
            Cond::Test(test) => match test {
                Test::Is(field, text) => Self::Is(*field, text.as_str().into()),
                Test::In(field, texts) => Self::In(*field, texts.clone().into()),
                Test::StartsWith(field, text) => Self::StartsWith(*field, text.as_str().into()),
                Test::Contains(_, text) => Self::Contains(Box::new(Finder::new(text).into_owned())),
                Test::WordIs(field, word) => Self::Word(*field, mask(&[*word])),
                Test::WordIn(field, words) => Self::Word(*field, mask(words)),
                Test::Above(field, bound) => Self::Above(*field, field.float(*bound)),
                Test::Below(field, bound) => Self::Below(*field, field.float(*bound)),
                Test::OtherTenant => Self::OtherTenant,
            },
        }
    }

    fn cost(&self) -> u32 {
        match self {
            Self::Above(..) | Self::Below(..) => 0,
            Self::Word(..) => 1,
            Self::StartsWith(..) | Self::Is(..) => 2,
            Self::In(..) | Self::OtherTenant => 3,
            Self::Any(parts) | Self::All(parts) => {
                parts.iter().map(Self::cost).max().unwrap_or(0) + 1
            }
            Self::Contains(_) => 9,
        }
    }

    #[inline]
    fn holds(&self, call: &Call<'_>) -> bool {
        match self {
            Self::Above(field, bound) => number(call, *field) > *bound,
            Self::Below(field, bound) => number(call, *field) < *bound,
            Self::Word(field, mask) => mask >> word(call, *field) & 1 != 0,
            Self::StartsWith(field, start) => text(call, *field).starts_with(&**start),
            Self::Is(field, same) => text(call, *field) == &**same,
            Self::In(field, texts) => {
                let given = text(call, *field);
                texts.iter().any(|text| text == given)
            }
            Self::OtherTenant => call.tenant.source != call.tenant.target,
            Self::Any(parts) => parts.iter().any(|part| part.holds(call)),
            Self::All(parts) => parts.iter().all(|part| part.holds(call)),
            Self::Contains(needle) => needle.find(call.message.as_bytes()).is_some(),
        }
    }
}

#[inline]
fn number(call: &Call<'_>, field: Number) -> f64 {
    match field {
        Number::Amount => call.amount,
        Number::Confidence => call.confidence,
        Number::Attempts => call.attempts,
        Number::Tokens => call.tokens,
    }
}

#[inline]
fn word(call: &Call<'_>, field: Word) -> u32 {
    match field {
        Word::Role => call.role as u32,
        Word::Sentiment => call.sentiment as u32,
        Word::Region => call.region as u32,
    }
}

#[inline]
pub(super) fn text<'a>(call: &Call<'a>, field: Text) -> &'a str {
    match field {
        Text::Agent => call.agent,
        Text::Tool => call.tool,
        Text::Workflow => call.workflow,
        Text::Source => call.tenant.source,
        Text::Target => call.tenant.target,
        Text::Resource => call.resource,
        Text::Message => call.message,
    }
}

/// The routing key of a lane: its first test, where that asks for one name.
pub(super) fn key(lane: &Lane) -> Option<(Text, &str)> {
    let Cond::All(parts) = &lane.when else {
        return None;
    };
    match parts.first()? {
        Cond::Test(Test::Is(field @ (Text::Tool | Text::Workflow | Text::Source), name)) => {
            Some((*field, name))
        }
        _ => None,
    }
}
