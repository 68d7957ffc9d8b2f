//! Types, kinds and values of generated matrices.

use laneway::syntax::scan::is_reserved;
use laneway::value::{is_name, quote};

use super::{Gen, Sort};

/// Both ends; of numbers and money in hundredths.
pub type Ends = Option<(i64, i64)>;

/// A type as the generator thinks of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Ty {
    YesNo,
    Text { folded: bool },
    Whole(Ends),
    Number(Ends),
    Money(&'static str, Ends),
    OneOf(Vec<&'static str>),
    Timestamp,
    Duration,
    List(Box<Ty>),
}

impl Ty {
    pub fn is_ordered(&self) -> bool {
        !matches!(
            self,
            Self::YesNo | Self::Text { .. } | Self::OneOf(_) | Self::List(_)
        )
    }

    /// The same sort of value, whatever the range.
    pub fn same_sort(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole(_), Self::Whole(_)) | (Self::Number(_), Self::Number(_)) => true,
            (Self::Money(a, _), Self::Money(b, _)) => a == b,
            // A closed set has no order.
            (Self::OneOf(a), Self::OneOf(b)) => {
                a.len() == b.len() && a.iter().all(|word| b.contains(word))
            }
            (a, b) => a == b,
        }
    }

    pub fn is_summable(&self) -> bool {
        match self {
            Self::Whole(ends) | Self::Number(ends) | Self::Money(_, ends) => {
                ends.is_some_and(|(low, _)| low >= 0)
            }
            Self::Duration => true,
            _ => false,
        }
    }

    /// The type whose values a set for this field holds.
    pub fn item(&self) -> &Self {
        match self {
            Self::List(item) => item,
            ty => ty,
        }
    }

    fn text(&self) -> String {
        let ends = |ends: &Ends, hundredths: bool| match ends {
            None => String::new(),
            Some((low, high)) if hundredths => format!(" {} to {}", decimal(*low), decimal(*high)),
            Some((low, high)) => format!(" {low} to {high}"),
        };
        match self {
            Self::YesNo => "yes/no".to_owned(),
            Self::Text { folded: false } => "text".to_owned(),
            Self::Text { folded: true } => "text ignoring case".to_owned(),
            Self::Whole(range) => format!("whole number{}", ends(range, false)),
            Self::Number(range) => format!("number{}", ends(range, true)),
            Self::Money(currency, range) => format!("money {currency}{}", ends(range, true)),
            Self::OneOf(words) => {
                let words: Vec<String> = words.iter().map(|w| word(w)).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Timestamp => "timestamp".to_owned(),
            Self::Duration => "duration".to_owned(),
            Self::List(item) => format!("list of {}", item.text()),
        }
    }
}

/// A path with its type.
#[derive(Debug, Clone)]
pub struct Field {
    pub path: String,
    pub ty: Ty,
}

/// A kind: the fields that it has, and which of them can be missing.
#[derive(Debug, Clone)]
pub struct Kind {
    pub name: String,
    /// (field, whether it is optional, whether it is required)
    pub fields: Vec<(usize, bool, bool)>,
}

impl Kind {
    pub fn has(&self, field: usize) -> bool {
        self.fields.iter().any(|(f, ..)| *f == field)
    }

    pub fn is_optional(&self, field: usize) -> bool {
        self.fields
            .iter()
            .any(|(f, optional, _)| *f == field && *optional)
    }
}

/// Hundredths as a decimal without trailing zeros.
pub fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, rest) = (hundredths.abs() / 100, hundredths.abs() % 100);
    match rest {
        0 => format!("{sign}{whole}"),
        rest if rest % 10 == 0 => format!("{sign}{whole}.{}", rest / 10),
        rest => format!("{sign}{whole}.{rest:02}"),
    }
}

/// A word of an enumeration, in quotes where it must have them.
pub fn word(text: &str) -> String {
    if is_name(text) && !is_reserved(text) {
        text.to_owned()
    } else {
        quote(text)
    }
}

const TEXTS: [&str; 16] = [
    // Its last letter is folded in two ways, depending on who folds.
    "\u{3a3}\u{391}\u{3a3}",
    "alphabet",
    "alpha",
    "beta",
    "be",
    "",
    "\u{c4}rger",
    "x y",
    "a\"b",
    "back\\slash",
    "tab\tor\nline",
    "STRASSE",
    "*star*",
    "\u{1f642} } { ) (",
    "hidden \u{202e} text",
    "# no comment",
];

const WORDS: [&str; 14] = [
    "calm",
    "upset",
    "hostile",
    "read",
    "count",
    "lane",
    "any",
    "list",
    "deny",
    "grant-role",
    "no",
    "\u{dc}ber",
    "two words",
    "set",
];

/// More words than a field may have and still get bits.
const MANY: [&str; 30] = [
    "w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9", "w10", "w11", "w12", "w13", "w14",
    "w15", "w16", "w17", "w18", "w19", "w20", "w21", "w22", "w23", "w24", "w25", "w26", "w27",
    "w28", "w29",
];

const SPANS: [&str; 8] = ["0s", "500ms", "30s", "5m", "1h30m", "2h", "1d", "1d12h"];

impl Gen<'_> {
    fn ty(&mut self) -> Ty {
        match self.rng.usize(0..16) {
            0 | 1 => Ty::YesNo,
            2 | 3 => Ty::Text { folded: false },
            4 => Ty::Text { folded: true },
            5 | 6 => Ty::Whole(self.ends(100)),
            7 | 8 => Ty::Number(self.ends(10_000)),
            9 | 10 => {
                let currency = self.pick(&["USD", "EUR"]);
                Ty::Money(currency, self.ends(1_000_000))
            }
            11 | 12 => Ty::OneOf(self.words()),
            13 => Ty::Timestamp,
            14 => Ty::Duration,
            _ => loop {
                let item = self.ty();
                if !matches!(item, Ty::List(_)) {
                    break Ty::List(Box::new(item));
                }
            },
        }
    }

    fn words(&mut self) -> Vec<&'static str> {
        let known = self.fields.iter().filter_map(|f| match f.ty.item() {
            Ty::OneOf(words) => Some(words.clone()),
            _ => None,
        });
        let known: Vec<Vec<&'static str>> = known.collect();
        if !known.is_empty() && self.one_in(4) {
            // The same set in another order.
            let mut words = known[self.rng.usize(0..known.len())].clone();
            self.rng.shuffle(&mut words);
            return words;
        }
        let (all, most) = match self.rng.usize(0..12) {
            0 => (&MANY[..], MANY.len()),
            1 | 2 => (&WORDS[..], WORDS.len()),
            _ => (&WORDS[..], 5),
        };
        let mut words = all.to_vec();
        self.rng.shuffle(&mut words);
        words.truncate(self.rng.usize(1..=most));
        words
    }

    fn ends(&mut self, most: i64) -> Ends {
        match self.rng.usize(0..4) {
            0 => None,
            1 => Some((-most, most)),
            _ => Some((0, most)),
        }
    }

    /// The pool of fields, and the kinds that take from it.
    pub fn kinds(&mut self) -> Vec<String> {
        self.fields.push(Field {
            path: "at".to_owned(),
            ty: Ty::Timestamp,
        });
        let count = match self.plan.wide {
            true => self.rng.usize(50..=110),
            false => self.rng.usize(3..=14),
        };
        for _ in 0..count {
            let name = self.name(Sort::Field);
            if self.one_in(4) {
                // Behind a dot any word is a field.
                let inner = self.pick(&["id", "source", "not", "missing", "of"]);
                let ty = self.ty();
                let path = format!("{name}.{inner}");
                self.fields.push(Field { path, ty });
                if self.one_in(2) {
                    let ty = self.ty();
                    let path = format!("{name}.deep.target");
                    self.fields.push(Field { path, ty });
                }
            } else {
                let ty = self.ty();
                self.fields.push(Field { path: name, ty });
            }
        }
        let count = self.rng.usize(1..=3);
        (0..count).map(|n| self.kind(n)).collect()
    }

    fn kind(&mut self, n: usize) -> String {
        let name = self.name(Sort::Kind);
        let source = if self.one_in(2) {
            format!(" from \"com.acme.kind.v{n}\"")
        } else {
            String::new()
        };
        let mut text = format!("event {name}{source} {{\n");
        let mut fields = Vec::new();
        for field in 1..self.fields.len() {
            // Most kinds have most fields, so that lanes on several kinds have something to test.
            if self.one_in(5) && !(fields.is_empty() && field + 1 == self.fields.len()) {
                continue;
            }
            let Field { path, ty } = self.fields[field].clone();
            let ty = self.widened(ty);
            let from = match self.rng.usize(0..6) {
                0 => format!(" from \"json{field}Name\""),
                1 => format!(" from \"nest {field}\".\"le.af\""),
                _ => String::new(),
            };
            let (presence, optional, required) = match self.rng.usize(0..10) {
                0..=3 => (String::new(), false, true),
                4..=7 => (" optional".to_owned(), true, false),
                _ => {
                    let value = self.field_value(field);
                    (format!(" default {value}"), false, false)
                }
            };
            text.push_str(&format!("{path}{from}: {}{presence}\n", ty.text()));
            fields.push((field, optional, required));
        }
        text.push('}');
        self.kinds.push(Kind { name, fields });
        text
    }

    /// The same type with a wider range: what fits the field fits it in every kind.
    fn widened(&mut self, ty: Ty) -> Ty {
        let mut wide = |ends: Ends| match ends {
            Some((low, high)) if self.rng.usize(0..4) == 0 => Some((low, high * 2)),
            ends => ends,
        };
        match ty {
            Ty::Whole(ends) => Ty::Whole(wide(ends)),
            Ty::Number(ends) => Ty::Number(wide(ends)),
            Ty::Money(currency, ends) => Ty::Money(currency, wide(ends)),
            ty => ty,
        }
    }

    /// A value of a field as a record or a default has it, within its range.
    pub fn field_value(&mut self, field: usize) -> String {
        match self.fields[field].ty.clone() {
            Ty::List(item) => {
                let values = self.values(&item, 0..=3);
                format!("({})", values.join(", "))
            }
            ty => self.value(&ty),
        }
    }

    /// A value within the range of its type.
    pub fn value(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::YesNo => self.pick(&["yes", "no"]).to_owned(),
            Ty::Text { .. } => quote(self.pick(&TEXTS)),
            Ty::Whole(None) if self.one_in(50) => {
                // The ends of what a cell holds.
                let ends = [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX];
                ends[self.rng.usize(0..ends.len())].to_string()
            }
            Ty::Whole(ends) => self.number(*ends, 100).to_string(),
            Ty::Number(ends) => self.fine(*ends, 10_000),
            Ty::Money(currency, ends) => format!("{} {currency}", self.fine(*ends, 1_000_000)),
            Ty::OneOf(words) => word(self.pick(words)),
            Ty::Timestamp => self.instant(),
            Ty::Duration => self.pick(&SPANS).to_owned(),
            Ty::List(item) => self.value(item),
        }
    }

    /// A number within a range, now and then of more places than two.
    fn fine(&mut self, ends: Ends, scale: i64) -> String {
        let (low, high) = ends.unwrap_or((-scale, scale));
        let hundredths = self.number(ends, scale);
        if hundredths > low && hundredths < high && hundredths != 0 && self.one_in(8) {
            let sign = if hundredths < 0 { "-" } else { "" };
            let (whole, rest) = (hundredths.abs() / 100, hundredths.abs() % 100);
            let more = self.pick(&["5", "0001", "999999"]);
            return format!("{sign}{whole}.{rest:02}{more}");
        }
        decimal(hundredths)
    }

    /// A number within a range; few different ones, so that values meet.
    fn number(&mut self, ends: Ends, scale: i64) -> i64 {
        let (low, high) = ends.unwrap_or((-scale, scale));
        match self.rng.usize(0..8) {
            0 => low,
            1 => high,
            2 => self.rng.i64(low..=high),
            _ => {
                let step = (high - low) / 10;
                low + step * self.rng.i64(0..=10)
            }
        }
    }

    pub fn instant(&mut self) -> String {
        let (day, hour) = (self.rng.usize(1..=14), self.rng.usize(0..24));
        let offset = self.pick(&["Z", "+01:00", "-05:30"]);
        let seconds = self.pick(&["00", "30", "59.999"]);
        format!("2026-01-{day:02}T{hour:02}:00:{seconds}{offset}")
    }

    /// Different values.
    pub fn values(&mut self, ty: &Ty, count: std::ops::RangeInclusive<usize>) -> Vec<String> {
        let count = self.rng.usize(count);
        let mut values: Vec<String> = Vec::new();
        for _ in 0..count {
            let value = match ty {
                // Other spellings of one instant would be one value twice.
                Ty::Timestamp => {
                    let day = self.rng.usize(1..=14);
                    format!("2026-02-{day:02}T12:00:00Z")
                }
                ty => self.value(ty),
            };
            let folded = value.to_lowercase();
            if !values.iter().any(|v| v.to_lowercase() == folded) {
                values.push(value);
            }
        }
        values
    }
}
