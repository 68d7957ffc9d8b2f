//! Hash buckets again, with their lanes packed into rows of plain bounds and masks: no longer what
//! one writes by hand, but the first half of an index, without its second: the lanes that have no key
//! are still one list.
//!
//! In: lanes. Out: the first lane that fires.
//! A row is held without branches against the event; what has no bounds (texts, prefixes,
//! substrings, an inner `or`) is asked after them. Rows of a bucket are in priority order, so a walk
//! ends at the first one that fires or comes too late.

use memchr::memmem::Finder;
use rustc_hash::FxHashMap;

use super::buckets::{key, text};
use super::call::{Call, NONE};
use crate::workload::{Cond, Lane, NUMBERS, Number, Test, Text, Word};

/// Rows of one bucket.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    start: u32,
    end: u32,
}

pub struct Packed {
    tools: FxHashMap<String, Bucket>,
    workflows: FxHashMap<String, Bucket>,
    tenants: FxHashMap<String, Bucket>,
    without: Bucket,
    rows: Vec<Row>,
    rest: Vec<Rest>,
}

struct Row {
    /// Both ends included.
    low: [f64; 4],
    high: [f64; 4],
    /// Words that are allowed: six roles, four sentiments, five regions, and the mark of equal
    /// tenants.
    allowed: u16,
    rest: u16,
    rest_start: u32,
    lane: u32,
}

#[allow(
    clippy::large_enum_variant,
    reason = "a prepared search lies where it is used"
)]
enum Rest {
    In(Text, Vec<String>),
    Is(Text, String),
    StartsWith(Text, String),
    Contains(Finder<'static>),
    Any(Vec<Self>),
    All(Vec<Self>),
    Word(u16),
    Above(Number, f64),
    Below(Number, f64),
}

/// An event as rows look at it.
struct Seen<'c, 'a> {
    call: &'c Call<'a>,
    numbers: [f64; 4],
    words: u16,
}

const SAME_TENANT: u16 = 1 << 15;

impl Packed {
    pub fn new(lanes: &[Lane]) -> Self {
        let mut made = Self {
            tools: FxHashMap::default(),
            workflows: FxHashMap::default(),
            tenants: FxHashMap::default(),
            without: Bucket::default(),
            rows: Vec::new(),
            rest: Vec::new(),
        };
        let mut keyed: FxHashMap<(Text, &str), Vec<u32>> = FxHashMap::default();
        let mut without = Vec::new();
        for (at, lane) in (0..).zip(lanes) {
            match key(lane) {
                Some((field, name)) => keyed.entry((field, name)).or_default().push(at),
                None => without.push(at),
            }
        }
        for ((field, name), list) in keyed {
            let bucket = made.bucket(lanes, &list, true);
            let table = match field {
                Text::Tool => &mut made.tools,
                Text::Workflow => &mut made.workflows,
                _ => &mut made.tenants,
            };
            table.insert(name.to_owned(), bucket);
        }
        made.without = made.bucket(lanes, &without, false);
        made
    }

    fn bucket(&mut self, lanes: &[Lane], list: &[u32], keyed: bool) -> Bucket {
        let start = self.rows.len() as u32;
        for at in list {
            let Cond::All(parts) = &lanes[*at as usize].when else {
                panic!("a trigger is a list of tests");
            };
            self.row(*at, if keyed { &parts[1..] } else { parts });
        }
        let end = self.rows.len() as u32;
        Bucket { start, end }
    }

    fn row(&mut self, lane: u32, parts: &[Cond]) {
        let mut row = Row {
            low: [f64::NEG_INFINITY; 4],
            high: [f64::INFINITY; 4],
            allowed: u16::MAX,
            rest: 0,
            rest_start: self.rest.len() as u32,
            lane,
        };
        let mut rest = Vec::new();
        for part in parts {
            match part {
                Cond::Test(Test::Above(field, bound)) => {
                    let low = &mut row.low[*field as usize];
                    *low = low.max(field.float(*bound).next_up());
                }
                Cond::Test(Test::Below(field, bound)) => {
                    let high = &mut row.high[*field as usize];
                    *high = high.min(field.float(*bound).next_down());
                }
                Cond::Test(Test::WordIs(field, word)) => row.allowed &= words(*field, &[*word]),
                Cond::Test(Test::WordIn(field, list)) => row.allowed &= words(*field, list),
                Cond::Test(Test::OtherTenant) => row.allowed &= !SAME_TENANT,
                other => rest.push(Rest::of(other)),
            }
        }
        rest.sort_by_key(|rest| matches!(rest, Rest::Contains(_)));
        row.rest = rest.len() as u16;
        self.rest.extend(rest);
        self.rows.push(row);
    }

    #[inline]
    pub fn first(&self, call: &Call<'_>) -> u32 {
        let same = call.tenant.source == call.tenant.target;
        let seen = Seen {
            call,
            numbers: [call.amount, call.confidence, call.attempts, call.tokens],
            words: 1 << (call.role as u16)
                | 1 << (6 + call.sentiment as u16)
                | 1 << (10 + call.region as u16)
                | if same { SAME_TENANT } else { 0 },
        };
        let mut best = NONE;
        let buckets = [
            self.tools.get(call.tool),
            self.workflows.get(call.workflow),
            self.tenants.get(call.tenant.source),
            Some(&self.without),
        ];
        for bucket in buckets.into_iter().flatten() {
            best = self.walk(*bucket, &seen, best);
        }
        best
    }

    #[inline]
    fn walk(&self, bucket: Bucket, seen: &Seen<'_, '_>, best: u32) -> u32 {
        for row in &self.rows[bucket.start as usize..bucket.end as usize] {
            let mut inside = seen.words & !row.allowed == 0;
            for (n, number) in seen.numbers.iter().enumerate() {
                inside &= (row.low[n] <= *number) & (*number <= row.high[n]);
            }
            if inside {
                if row.lane >= best {
                    return best;
                }
                if self.rest(row, seen) {
                    return row.lane;
                }
            }
        }
        best
    }

    fn rest(&self, row: &Row, seen: &Seen<'_, '_>) -> bool {
        let start = row.rest_start as usize;
        let rest = &self.rest[start..start + usize::from(row.rest)];
        rest.iter().all(|rest| rest.holds(seen))
    }
}

impl Rest {
    fn of(cond: &Cond) -> Self {
        match cond {
            Cond::All(parts) => Self::All(parts.iter().map(Self::of).collect()),
            Cond::Any(parts) => Self::Any(parts.iter().map(Self::of).collect()),
            Cond::Test(test) => match test {
                Test::Is(field, text) => Self::Is(*field, text.clone()),
                Test::In(field, texts) => Self::In(*field, texts.clone()),
                Test::StartsWith(field, text) => Self::StartsWith(*field, text.clone()),
                Test::Contains(_, text) => Self::Contains(Finder::new(text).into_owned()),
                Test::WordIs(field, word) => Self::Word(words(*field, &[*word])),
                Test::WordIn(field, list) => Self::Word(words(*field, list)),
                Test::Above(field, bound) => Self::Above(*field, field.float(*bound)),
                Test::Below(field, bound) => Self::Below(*field, field.float(*bound)),
                Test::OtherTenant => Self::Word(!SAME_TENANT),
            },
        }
    }

    fn holds(&self, seen: &Seen<'_, '_>) -> bool {
        match self {
            Self::In(field, texts) => {
                let given = text(seen.call, *field);
                texts.iter().any(|text| text == given)
            }
            Self::Is(field, same) => same == text(seen.call, *field),
            Self::StartsWith(field, start) => text(seen.call, *field).starts_with(start),
            Self::Contains(needle) => needle.find(seen.call.message.as_bytes()).is_some(),
            Self::Any(parts) => parts.iter().any(|part| part.holds(seen)),
            Self::All(parts) => parts.iter().all(|part| part.holds(seen)),
            Self::Word(allowed) => seen.words & !allowed == 0,
            Self::Above(field, bound) => seen.numbers[*field as usize] > *bound,
            Self::Below(field, bound) => seen.numbers[*field as usize] < *bound,
        }
    }
}

/// All words but the others of this field.
fn words(field: Word, list: &[u8]) -> u16 {
    let (from, count) = match field {
        Word::Role => (0, 6),
        Word::Sentiment => (6, 4),
        Word::Region => (10, 5),
    };
    let all = ((1u16 << count) - 1) << from;
    list.iter()
        .fold(!all, |mask, word| mask | 1 << (from + u16::from(*word)))
}

const _: () = assert!(NUMBERS.len() == 4);
