//! Seeded random events for any checked matrix, generated or written by hand.
//!
//! In: a [`Matrix`] and a seed. Out: events as JSON text.
//! Invariant: one seed and matrix always give the same events; those of [`Events::valid`] are
//! readable, those of [`Events::invalid`] are not. Values lie around the literals that the matrix
//! tests, so that events fall on both sides of every threshold and on it.
//!
//! Instants grow by random steps, in the size of the windows, so that measures see a history.

#![allow(dead_code, reason = "each test file uses its part of the generators")]

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use laneway::clock::{Duration, Timestamp, parse_timestamp};
use laneway::event::{Event, read};
use laneway::limits::Limits;
use laneway::matrix::{Effect, Expr, ExprKind, Matrix, MeasureFunction, TestOp};
use laneway::schema::{Field, FieldId, Kind, Presence};
use laneway::value::{Type, Value, parse_decimal};

/// What is wrong with an invalid event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A value of another type.
    WrongType,
    /// A word that the enumeration does not have.
    UnknownWord,
    /// A number outside the declared range.
    OutOfRange,
    /// A required field is absent.
    Missing,
    /// A kind that the matrix does not have.
    UnknownKind,
    /// No kind at all.
    NoKind,
    /// An `at` that is no instant.
    BadAt,
    /// Not JSON, or cut off.
    NotJson,
    /// One member twice.
    Twice,
}

/// A source of events.
pub struct Events<'m> {
    matrix: &'m Matrix,
    rng: Rng,
    /// The literals that some test compares each field with.
    literals: HashMap<FieldId, Vec<Value>>,
    /// The ages that some test compares each field with.
    ages: HashMap<FieldId, Vec<Duration>>,
    /// The instants at which lanes end their trial, the last one first.
    trials: Vec<Timestamp>,
    now: Timestamp,
    count: usize,
}

/// An object in the making: members by name, each a JSON text or an object.
#[derive(Default)]
struct Object(BTreeMap<String, Member>);

enum Member {
    Text(String),
    Object(Object),
}

impl Object {
    fn set(&mut self, path: &[impl AsRef<str>], json: String) {
        let Some((last, way)) = path.split_last() else {
            return;
        };
        let mut object = self;
        for part in way {
            let member = object
                .0
                .entry(part.as_ref().to_owned())
                .or_insert_with(|| Member::Object(Self::default()));
            match member {
                Member::Object(inner) => object = inner,
                Member::Text(_) => return,
            }
        }
        object
            .0
            .insert(last.as_ref().to_owned(), Member::Text(json));
    }

    fn write(&self, rng: &mut Rng) -> String {
        let mut members: Vec<String> = self
            .0
            .iter()
            .map(|(name, member)| {
                let value = match member {
                    Member::Text(json) => json.clone(),
                    Member::Object(inner) => inner.write(rng),
                };
                format!("{}: {value}", text(name))
            })
            .collect();
        rng.shuffle(&mut members);
        format!("{{{}}}", members.join(", "))
    }
}

impl<'m> Events<'m> {
    /// Events for a matrix.
    pub fn new(matrix: &'m Matrix, seed: u64) -> Self {
        let mut literals = Literals::default();
        for lane in &matrix.lanes {
            literals.gather(&lane.when);
            lane.unless.iter().for_each(|e| literals.gather(e));
        }
        for rule in &matrix.rules {
            literals.gather(&rule.when);
            if let Effect::Adjust(changes) = &rule.effect {
                for (field, value) in changes {
                    literals.add(*field, value);
                }
            }
        }
        matrix
            .conditions
            .iter()
            .for_each(|c| literals.gather(&c.expr));
        for measure in &matrix.measures {
            measure.filter.iter().for_each(|e| literals.gather(e));
            if let MeasureFunction::Sum(field) = measure.function {
                literals.0.entry(field).or_default();
            }
        }
        for sample in &matrix.samples {
            for (field, value) in &sample.record.values {
                literals.add(*field, value);
            }
        }
        let trials = matrix.lanes.iter().filter_map(|lane| lane.trial?.until);
        let mut trials: Vec<Timestamp> = trials.collect();
        trials.sort_unstable();
        trials.dedup();
        trials.reverse();
        Self {
            matrix,
            ages: literals.1,
            trials,
            rng: Rng::with_seed(seed ^ 0x006c_616e_6577_6179),
            literals: literals.0,
            now: parse_timestamp("2026-01-05T06:00:00Z").expect("an instant"),
            count: 0,
        }
    }

    /// An event: nine of ten are readable.
    pub fn any(&mut self) -> String {
        if self.rng.usize(0..10) == 0 {
            self.invalid().0
        } else {
            self.valid()
        }
    }

    /// A readable event.
    pub fn valid(&mut self) -> String {
        let kind = self.kind();
        let (object, _) = self.object_of(kind, None);
        object.write(&mut self.rng)
    }

    /// A readable event with its parsed form.
    pub fn event(&mut self) -> (String, Event) {
        let json = self.valid();
        let event = read(
            json.as_bytes(),
            &self.matrix.schema,
            &Limits::default(),
            self.now,
        );
        match event {
            Ok(event) => (json, event),
            Err(unreadable) => panic!("{json}: {:?}", unreadable.problems),
        }
    }

    /// A readable event, and the same with one optional field more, if its kind has one to spare.
    pub fn pair(&mut self) -> Option<(String, String, FieldId)> {
        let kind = self.kind();
        let optional: Vec<&Field> = kind
            .fields
            .iter()
            .filter(|field| matches!(field.presence, Presence::Optional))
            .collect();
        let field = *self.rng.choice(&optional)?;
        let (with, envelope) = self.object_of(kind, Some(field.id));
        let without = with.without(&place(&field.json, envelope));
        let (less, more) = (without.write(&mut self.rng), with.write(&mut self.rng));
        Some((less, more, field.id))
    }

    /// An unreadable event, and what is wrong with it.
    pub fn invalid(&mut self) -> (String, Fault) {
        loop {
            let fault = match self.rng.usize(0..9) {
                0 => Fault::WrongType,
                1 => Fault::UnknownWord,
                2 => Fault::OutOfRange,
                3 => Fault::Missing,
                4 => Fault::UnknownKind,
                5 => Fault::NoKind,
                6 => Fault::BadAt,
                7 => Fault::NotJson,
                _ => Fault::Twice,
            };
            if let Some(json) = self.broken(fault) {
                return (json, fault);
            }
        }
    }

    fn broken(&mut self, fault: Fault) -> Option<String> {
        let kind = self.kind();
        let (mut object, envelope) = self.object_of(kind, None);
        let kind_name = if envelope { "type" } else { "kind" };
        match fault {
            Fault::WrongType | Fault::UnknownWord | Fault::OutOfRange | Fault::Missing => {
                let hit = |f: &&Field| {
                    f.id != FieldId::AT
                        && match fault {
                            Fault::UnknownWord => matches!(f.ty, Type::OneOf(_)),
                            Fault::OutOfRange => above(&f.ty).is_some(),
                            Fault::Missing => matches!(f.presence, Presence::Required),
                            _ => true,
                        }
                };
                let fields: Vec<&Field> = kind.fields.iter().filter(hit).collect();
                let field = *self.rng.choice(&fields)?;
                let at = place(&field.json, envelope);
                match fault {
                    Fault::Missing => object = object.without(&at),
                    Fault::UnknownWord => object.set(&at, text("no such word")),
                    Fault::OutOfRange => object.set(&at, above(&field.ty)?),
                    _ => {
                        let wrong = match &field.ty {
                            Type::Text { .. } | Type::OneOf(_) => "17",
                            Type::List(_) => "{\"a\": 1}",
                            _ => "\"not of this type\"",
                        };
                        object.set(&at, wrong.to_owned());
                    }
                }
            }
            Fault::UnknownKind => object.set(&[kind_name], text("no.such.kind")),
            Fault::NoKind => object = object.without(&[kind_name.to_owned()]),
            Fault::BadAt => {
                let at = if envelope { "time" } else { "at" };
                let bad = *self
                    .rng
                    .choice(&["\"2026-01-05 06:00\"", "17", "\"yesterday\""])?;
                object.set(&[at], bad.to_owned());
            }
            Fault::NotJson => {
                let json = object.write(&mut self.rng);
                let ends: Vec<usize> = json.char_indices().map(|(n, _)| n).collect();
                let end = *self.rng.choice(&ends)?;
                return Some(json[..end].to_owned());
            }
            Fault::Twice => {
                let json = object.write(&mut self.rng);
                let tail = json.strip_prefix('{')?;
                return Some(format!("{{\"kind\": \"x\", \"kind\": \"x\", {tail}"));
            }
        }
        Some(object.write(&mut self.rng))
    }

    fn kind(&mut self) -> &'m Kind {
        let kinds = self.matrix.schema.kinds();
        &kinds[self.rng.usize(0..kinds.len())]
    }

    /// An event of a kind: its members, and whether it is a CloudEvents envelope.
    /// `given` is a field that is surely there.
    fn object_of(&mut self, kind: &Kind, given: Option<FieldId>) -> (Object, bool) {
        self.count += 1;
        let steps = [0, 1, 20_000, 120_000, 600_000, 3_600_000, 40_000_000];
        let step = steps[self.rng.usize(0..steps.len())];
        self.now += Duration::from_millis(step).to_chrono();
        if let Some(until) = self.trials.last().copied() {
            // The last instant of a trial, and the first one behind it.
            let last = until - chrono::TimeDelta::milliseconds(1);
            if self.now >= until {
                self.trials.pop();
            } else if self.rng.usize(0..20) == 0 {
                self.now = if self.now < last { last } else { until };
            }
        }
        let envelope = self.rng.usize(0..8) == 0;
        let mut object = Object::default();
        let name = if self.rng.bool() {
            kind.json_name()
        } else {
            &kind.name
        };
        let (kind_name, at_name) = if envelope {
            object.set(&["specversion"], text("1.0"));
            object.set(&["source"], text("/tests"));
            ("type", "time")
        } else {
            ("kind", "at")
        };
        object.set(&[kind_name], text(name));
        let at = self.json(&Value::Timestamp(self.now));
        object.set(&[at_name], at);
        if envelope || self.rng.usize(0..4) != 0 {
            // A repeated id now and then.
            let back = if self.rng.usize(0..20) == 0 { 1 } else { 0 };
            object.set(&["id"], text(&format!("e-{}", self.count - back)));
        }
        if envelope {
            object.set(&["data", "undeclared_member"], "1".to_owned());
        }
        for field in kind.fields.iter().filter(|f| f.id != FieldId::AT) {
            let present = match &field.presence {
                _ if given == Some(field.id) => true,
                Presence::Required => true,
                Presence::Optional => self.rng.usize(0..4) != 0,
                Presence::Default(_) => self.rng.bool(),
            };
            if present {
                let value = self.value(field);
                let json = self.json(&value);
                object.set(&place(&field.json, envelope), json);
            } else if self.rng.usize(0..6) == 0 && !matches!(field.presence, Presence::Required) {
                // `null` means missing.
                object.set(&place(&field.json, envelope), "null".to_owned());
            }
        }
        if self.rng.usize(0..4) == 0 {
            let inputs = [
                "{\"input\": {\"n\": 1}}",
                "{\"context\": [], \"links\": []}",
            ];
            let evidence = inputs[self.rng.usize(0..inputs.len())].to_owned();
            object.set(&place(&["evidence"], envelope), evidence);
        }
        (object, envelope)
    }

    /// A value of a field within its range: mostly a literal that it is compared with, or a
    /// neighbour of one.
    fn value(&mut self, field: &Field) -> Value {
        match &field.ty {
            Type::List(item) => {
                let count = self.rng.usize(0..=3);
                let items = (0..count).map(|_| self.item(field.id, item)).collect();
                Value::List(items)
            }
            ty => self.item(field.id, ty),
        }
    }

    fn item(&mut self, field: FieldId, ty: &Type) -> Value {
        if let (Type::Timestamp, Some(ages)) = (ty, self.ages.get(&field))
            && self.rng.bool()
            && let Some(age) = self.rng.choice(ages)
        {
            // At the edge of an age, or right beside it.
            let near = [-1_000_000, -1, 0, 0, 1, 1_000_000][self.rng.usize(0..6)];
            let edge = self.now - age.to_chrono();
            return Value::Timestamp(edge + chrono::TimeDelta::nanoseconds(near));
        }
        let known = self.literals.get(&field).map_or(&[][..], Vec::as_slice);
        let fitting: Vec<&Value> = known.iter().filter(|v| is_of(ty, v)).collect();
        let literal = if self.rng.usize(0..5) == 0 {
            None
        } else {
            self.rng.choice(&fitting).map(|v| (*v).clone())
        };
        let value = match literal {
            Some(value) => self.near(value),
            None => self.plain(ty),
        };
        if in_range(ty, &value) {
            value
        } else {
            self.plain(ty)
        }
    }

    /// The value itself, or one right beside it.
    fn near(&mut self, value: Value) -> Value {
        let way = [-1, 0, 0, 1][self.rng.usize(0..4)];
        // A cent, and less than any constant tells apart.
        let step = match self.rng.usize(0..60) {
            0 => "0.00000000001",
            1..=12 => "0.0001",
            _ => "0.01",
        };
        let step = parse_decimal(step).expect("a number");
        let cent = if way < 0 { -step } else { step };
        match value {
            value if way == 0 => value,
            Value::Whole(n) => Value::Whole(n.saturating_add(way)),
            Value::Number(n) => Value::Number((n + cent).normalize()),
            Value::Money(n, currency) => Value::Money((n + cent).normalize(), currency),
            Value::Timestamp(at) => {
                let step = [1, 1_000_000][self.rng.usize(0..2)];
                Value::Timestamp(at + chrono::TimeDelta::nanoseconds(step * way))
            }
            Value::Duration(length) => {
                let millis = length.as_millis().saturating_add_signed(way);
                Value::Duration(Duration::from_millis(millis))
            }
            Value::Text(text) => {
                let texts = [
                    format!("{text}a"),
                    format!("a{text}"),
                    text.to_uppercase(),
                    text.chars().skip(1).collect(),
                    // What a pattern takes, and what its pieces take only if they overlap.
                    text.replace('*', ""),
                    text.replace('*', "x*y"),
                    overlap(&text),
                ];
                Value::Text(texts[self.rng.usize(0..texts.len())].as_str().into())
            }
            value => value,
        }
    }

    /// Any value of a type.
    fn plain(&mut self, ty: &Type) -> Value {
        match ty {
            Type::YesNo => Value::Bool(self.rng.bool()),
            Type::Text { .. } => {
                let texts = [
                    "",
                    "a",
                    "alpha",
                    "be",
                    "beta",
                    "x/y",
                    "\u{c4}rger",
                    "a\"b",
                    "#12",
                    "\u{1f642}",
                ];
                Value::Text(texts[self.rng.usize(0..texts.len())].into())
            }
            Type::Whole(range) => {
                let (low, high) = range.map_or((-100, 100), |r| (r.low, r.high));
                Value::Whole(self.rng.i64(low..=high))
            }
            Type::Number(range) | Type::Money(_, range) => {
                let hundred = parse_decimal("100").expect("a number");
                let (low, high) = range.map_or((-hundred, hundred), |r| (r.low, r.high));
                let part = parse_decimal(&self.rng.usize(0..=8).to_string()).expect("a number");
                let eighth = parse_decimal("0.125").expect("a number");
                let number = (low + (high - low) * part * eighth).normalize();
                match ty {
                    Type::Money(currency, _) => Value::Money(number, *currency),
                    _ => Value::Number(number),
                }
            }
            Type::OneOf(words) => Value::Word(words[self.rng.usize(0..words.len())].clone()),
            Type::Timestamp => {
                let back = self.rng.u64(0..=20 * 86_400_000);
                Value::Timestamp(self.now - Duration::from_millis(back).to_chrono())
            }
            Type::Duration => {
                let spans = [0, 1, 500, 300_000, 5_400_000, 129_600_000];
                Value::Duration(Duration::from_millis(spans[self.rng.usize(0..spans.len())]))
            }
            Type::List(item) => self.plain(item),
        }
    }

    /// A value as JSON, in one of its spellings.
    fn json(&mut self, value: &Value) -> String {
        let odd = self.rng.usize(0..6) == 0;
        match value {
            Value::Whole(n) if odd => format!("{n}.0"),
            Value::Timestamp(at) if odd => {
                let hours = self.rng.i32(-12..=14);
                let offset = chrono::FixedOffset::east_opt(hours * 3_600 + 1_800);
                let offset = offset.expect("an offset");
                text(&at.with_timezone(&offset).to_rfc3339())
            }
            Value::Number(n) if odd && !n.to_string().contains('.') => format!("{n}e0"),
            Value::Money(n, currency) if odd => {
                format!("{{\"amount\": \"{n}\", \"currency\": \"{currency}\"}}")
            }
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.json(item)).collect();
                format!("[{}]", items.join(", "))
            }
            value => serde_json::to_string(value).expect("a value as JSON"),
        }
    }
}

impl Object {
    /// The same without a member; objects that become empty stay.
    fn without(&self, path: &[String]) -> Self {
        let copy = self.0.iter().filter_map(|(name, member)| {
            let rest = path.first().filter(|first| *first == name);
            let member = match (member, rest) {
                (_, Some(_)) if path.len() == 1 => return None,
                (Member::Object(inner), Some(_)) => Member::Object(inner.without(&path[1..])),
                (Member::Object(inner), None) => Member::Object(inner.without(&[])),
                (Member::Text(json), _) => Member::Text(json.clone()),
            };
            Some((name.clone(), member))
        });
        Self(copy.collect())
    }
}

/// Where a field lies from the root of the event.
fn place(json: &[impl AsRef<str>], envelope: bool) -> Vec<String> {
    let data = envelope.then(|| "data".to_owned());
    let parts = json.iter().map(|part| part.as_ref().to_owned());
    data.into_iter().chain(parts).collect()
}

fn text(text: &str) -> String {
    serde_json::to_string(text).expect("a text as JSON")
}

/// The pieces of a pattern with a letter that two of them share standing once.
fn overlap(pattern: &str) -> String {
    let mut whole = String::new();
    for piece in pattern.split('*') {
        let mut letters = piece.chars();
        match letters.next() {
            Some(first) if whole.ends_with(first) => whole.extend(letters),
            _ => whole.push_str(piece),
        }
    }
    whole
}

/// Whether a literal is a value of this type (a text ignoring case is a text).
fn is_of(ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (Type::YesNo, Value::Bool(_))
        | (Type::Text { .. }, Value::Text(_))
        | (Type::Whole(_), Value::Whole(_))
        | (Type::Number(_), Value::Number(_))
        | (Type::Timestamp, Value::Timestamp(_))
        | (Type::Duration, Value::Duration(_)) => true,
        (Type::Money(a, _), Value::Money(_, b)) => a == b,
        (Type::OneOf(words), Value::Word(word)) => words.contains(word),
        _ => false,
    }
}

fn in_range(ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (Type::Whole(Some(range)), Value::Whole(n)) => range.holds(n),
        (Type::Number(Some(range)), Value::Number(n)) => range.holds(n),
        (Type::Money(_, Some(range)), Value::Money(n, _)) => range.holds(n),
        (ty, value) => is_of(ty, value),
    }
}

/// A number above the range of a type that has one.
fn above(ty: &Type) -> Option<String> {
    let one = parse_decimal("0.01").ok()?;
    match ty {
        Type::Whole(Some(range)) => Some((range.high + 1).to_string()),
        Type::Number(Some(range)) | Type::Money(_, Some(range)) => {
            Some((range.high + one).to_string())
        }
        _ => None,
    }
}

/// The literals of expressions, by field.
#[derive(Default)]
struct Literals(
    HashMap<FieldId, Vec<Value>>,
    HashMap<FieldId, Vec<Duration>>,
);

impl Literals {
    fn add(&mut self, field: FieldId, value: &Value) {
        let list = self.0.entry(field).or_default();
        match value {
            Value::List(items) => list.extend(items.iter().cloned()),
            value => list.push(value.clone()),
        }
    }

    fn gather(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => parts.iter().for_each(|part| self.gather(part)),
            ExprKind::Not(inner) => self.gather(inner),
            ExprKind::Test(test) => match &test.op {
                TestOp::Compare(_, value) => self.add(test.field, value),
                TestOp::In { values, .. } | TestOp::Contains { values, .. } => {
                    values.iter().for_each(|value| self.add(test.field, value));
                }
                TestOp::Text { literal, .. } => {
                    self.add(test.field, &Value::Text(literal.clone()));
                }
                TestOp::OlderThan(age) | TestOp::NewerThan(age) => {
                    self.1.entry(test.field).or_default().push(*age);
                }
                // So that two fields are equal now and then.
                TestOp::SameAs(other)
                | TestOp::DiffersFrom(other)
                | TestOp::CompareField(_, other) => {
                    for (to, from) in [(test.field, *other), (*other, test.field)] {
                        let from = self.0.get(&from).cloned().unwrap_or_default();
                        from.iter().take(3).for_each(|value| self.add(to, value));
                    }
                }
                _ => {}
            },
            ExprKind::Condition(_) | ExprKind::Measure(_) => {}
        }
    }
}
