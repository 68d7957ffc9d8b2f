//! Event declarations from samples: what `laneway schema infer` says.
//!
//! In: JSON of events, one by one, flat or in CloudEvents envelopes. Out: the text of `event` blocks.
//! Invariant: memory grows with the kinds and members that were seen, within bounds, and never with
//! the number of samples. What the samples do not prove is a comment, not a declaration.
//! Must not know the file that the samples come from.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;

use crate::clock::{Duration, parse_timestamp};
use crate::event::{Json, read};
use crate::limits::{INFER_KINDS, INFER_MEMBERS, INFER_WORDS, NEAR_CHARS};
use crate::value::{Currency, parse_decimal, parse_whole};

mod print;

/// Collects what events look like.
#[derive(Debug, Default)]
pub struct Inferrer {
    /// In order of first sight.
    kinds: Vec<KindSeen>,
    by_name: HashMap<String, usize>,
    /// Members of all kinds.
    members: usize,
    without_kind: u64,
    kinds_left_out: u64,
}

/// What was seen of one kind.
#[derive(Debug)]
struct KindSeen {
    name: String,
    events: u64,
    /// By the member names from the root of the fields, in order of first sight.
    members: Vec<(Vec<String>, Seen)>,
    by_path: HashMap<Vec<String>, usize>,
    members_left_out: u64,
}

/// The values seen at one place.
#[derive(Debug, Default)]
struct Seen {
    /// Values other than `null`.
    values: u64,
    yes_no: u64,
    whole: u64,
    number: u64,
    /// Numbers that an exact decimal does not hold.
    unfit: u64,
    text: u64,
    timestamps: u64,
    durations: u64,
    lists: u64,
    objects: u64,
    /// Objects with an amount and a currency, and nothing else.
    money: BTreeMap<Currency, u64>,
    low: Option<Decimal>,
    high: Option<Decimal>,
    words: BTreeMap<String, u64>,
    /// Whether some text is no short word, or there are too many words for a closed set.
    free_text: bool,
    items: Option<Box<Seen>>,
}

impl Inferrer {
    /// Without samples.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one event into account.
    pub fn observe(&mut self, event: &Json) {
        let envelope = read::is_envelope(event);
        let (kind, root) = match envelope {
            true => (event.member("type"), event.member("data")),
            false => (event.member("kind"), Some(event)),
        };
        let Some(Json::Text(kind)) = kind else {
            self.without_kind += 1;
            return;
        };
        let index = match self.by_name.get(kind.as_str()) {
            Some(index) => *index,
            None if self.kinds.len() >= INFER_KINDS || kind.len() > NEAR_CHARS => {
                self.kinds_left_out += 1;
                return;
            }
            None => {
                self.by_name.insert(kind.clone(), self.kinds.len());
                self.kinds.push(KindSeen::new(kind));
                self.kinds.len() - 1
            }
        };
        let Some(seen) = self.kinds.get_mut(index) else {
            return;
        };
        seen.events += 1;
        if let Some(Json::Object(members)) = root {
            for (name, value) in members {
                if !print::RESERVED.contains(&name.as_str()) {
                    seen.observe(&mut vec![name.clone()], value, &mut self.members);
                }
            }
        }
    }

    /// The `event` blocks, in the order in which their kinds were first seen.
    #[must_use]
    pub fn finish(&self) -> String {
        print::blocks(self)
    }
}

impl KindSeen {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            events: 0,
            members: Vec::new(),
            by_path: HashMap::new(),
            members_left_out: 0,
        }
    }

    /// Objects are taken apart; everything else, and what looks like money, is a value.
    fn observe(&mut self, path: &mut Vec<String>, value: &Json, total: &mut usize) {
        if *value == Json::Null {
            return;
        }
        let index = match self.by_path.get(path.as_slice()) {
            Some(index) => *index,
            None if *total >= INFER_MEMBERS || path.iter().any(|name| name.len() > NEAR_CHARS) => {
                self.members_left_out += 1;
                return;
            }
            None => {
                *total += 1;
                self.by_path.insert(path.clone(), self.members.len());
                self.members.push((path.clone(), Seen::default()));
                self.members.len() - 1
            }
        };
        if let Some((_, seen)) = self.members.get_mut(index) {
            seen.observe(value);
        }
        if let Json::Object(members) = value
            && money_of(value).is_none()
        {
            for (name, value) in members {
                path.push(name.clone());
                self.observe(path, value, total);
                path.pop();
            }
        }
    }
}

impl Seen {
    fn observe(&mut self, value: &Json) {
        self.values += 1;
        match value {
            // A `null` item of a list is no value of any type.
            Json::Null => self.objects += 1,
            Json::Bool(_) => self.yes_no += 1,
            Json::Number(text) => self.observe_number(text),
            Json::Text(text) => self.observe_text(text),
            Json::List(items) => {
                self.lists += 1;
                let seen = self.items.get_or_insert_default();
                for item in items {
                    seen.observe(item);
                }
            }
            Json::Object(_) => match money_of(value) {
                Some((amount, currency)) => {
                    *self.money.entry(currency).or_default() += 1;
                    self.widen(amount);
                }
                None => self.objects += 1,
            },
        }
    }

    fn observe_number(&mut self, text: &str) {
        match parse_decimal(text) {
            Ok(number) => {
                self.widen(number);
                match parse_whole(text) {
                    Some(_) => self.whole += 1,
                    None => self.number += 1,
                }
            }
            Err(_) => self.unfit += 1,
        }
    }

    fn observe_text(&mut self, text: &str) {
        self.text += 1;
        self.timestamps += u64::from(parse_timestamp(text).is_some());
        self.durations += u64::from(Duration::parse(text).is_ok());
        if self.free_text {
            return;
        }
        if print::is_short_word(text) {
            *self.words.entry(text.to_owned()).or_default() += 1;
        }
        if !print::is_short_word(text) || self.words.len() > INFER_WORDS {
            self.free_text = true;
            self.words.clear();
        }
    }

    fn widen(&mut self, number: Decimal) {
        self.low = Some(self.low.map_or(number, |low| low.min(number)));
        self.high = Some(self.high.map_or(number, |high| high.max(number)));
    }
}

/// The amount and currency of an object that has these members and no others.
fn money_of(json: &Json) -> Option<(Decimal, Currency)> {
    let Json::Object(members) = json else {
        return None;
    };
    let (Json::Number(amount) | Json::Text(amount)) = json.member("amount")? else {
        return None;
    };
    let Json::Text(currency) = json.member("currency")? else {
        return None;
    };
    let amount = parse_decimal(amount).ok()?;
    (members.len() == 2).then_some((amount, Currency::parse(currency)?))
}
