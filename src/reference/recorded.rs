//! What measures were for one event, kept so that it can be decided again.
//!
//! In: an event while it is decided; later the same event or a changed one, and a matrix. Out:
//! [`Recorded`], and the decision of the event by what is recorded.
//! Invariant: what happened in the windows since then changes nothing; a measure that was not recorded
//! for the event's key is unknown, and never taken for one that is not met.
//! Knows nothing of where windows are kept, nor of why an event is decided again.
//!
//! A measure is known again by its window, spelt out, and its function, and not by its name: the same
//! measure of another matrix has the recorded value. It is recorded for a key. An event with the same key
//! that adds something else (another amount, or it passes `where` no more) is measured by difference:
//! what it added is taken out, and what it adds is put in. Whether it was counted at all is not
//! recorded, because a repeated id counts once; so the measure is then between both, and its test
//! is unknown where they do not agree.
//!
//! Where an adjust changes the event, it is recorded before and after it, and is found again as either.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::decide::{Reference, Times};
use super::eval::Facts;
use super::history::Occurrence;
use super::interval::{Amount, Interval};
use super::measured::{Measured, Partial, Windows};
use crate::clock::Timestamp;
use crate::decision::{Decision, Kleene, WindowEvent};
use crate::event::{self, Json, digest};
use crate::limits::Limits;
use crate::matrix::{ConditionId, Expr, ExprKind, Matrix, Measure, MeasureFunction, MeasureId};
use crate::schema::KindId;
use crate::value::Value;

/// What the measures of a matrix were for one event: of every measure that a lane or rule of its kind
/// asks for. As JSON it has a stable form, which says no key and no distinct value, only their digests;
/// a sum says what the event added to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recorded {
    entries: Vec<Entry>,
}

/// What one measure was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The window, spelt out, as a SHA-256.
    window: String,
    /// What is measured in it: `count`, `sum amount`, `distinct host`.
    function: String,
    /// The values of its key, as a SHA-256 of their canonical texts.
    key: String,
    /// What the event itself was for it.
    adds: Adds,
    /// It was at least this; `null` where it was more than can be counted.
    #[serde(with = "end")]
    low: Option<Amount>,
    /// It was at most this; `null` where it is open above.
    #[serde(with = "end")]
    high: Option<Amount>,
    /// Why it is only a lower bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partial: Option<Partial>,
    /// The last events that it was measured of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<WindowEvent>,
}

/// What an event was for a measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Adds {
    /// Whether it passes `where`.
    passes: Kleene,
    /// Of a sum the amount, of a distinct count the digest of the value; absent where it does not
    /// pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

impl Recorded {
    /// Whether no measure was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The same with a digest for what the event added to a sum over a field that is hidden. The same event
    /// is found by it; for another one the sum cannot be told. What the whole window was stays.
    #[must_use]
    pub fn without_sums(&self, is_hidden: impl Fn(&str) -> bool) -> Self {
        let mut recorded = self.clone();
        for entry in &mut recorded.entries {
            if entry.function.strip_prefix("sum ").is_some_and(&is_hidden) {
                entry.adds = entry.adds.hidden();
            }
        }
        recorded
    }

    /// Records every measure that a lane or rule of the event's kind asks for, as it is for the event.
    pub(crate) fn note(&mut self, facts: &Facts<'_>) {
        for id in asked_for(facts.matrix, facts.event().kind) {
            if let Some(entry) = Entry::of(facts, id)
                && !self.entries.iter().any(|known| known.is_of(&entry))
            {
                self.entries.push(entry);
            }
        }
    }
}

impl Entry {
    /// `None` for what cannot be told: that is unknown again without being recorded.
    fn of(facts: &Facts<'_>, id: MeasureId) -> Option<Self> {
        let measured = facts.measured(id)?;
        let mut entry = Self::asked(facts, id)?;
        entry.low = measured.interval.low;
        entry.high = measured.interval.high;
        entry.partial = measured.partial;
        entry.events = measured.last;
        Some(entry)
    }

    /// What is asked for, with nothing known of it.
    fn asked(facts: &Facts<'_>, id: MeasureId) -> Option<Self> {
        let measure = facts.matrix.measure(id)?;
        let occurrence = Occurrence::of(measure, facts)?;
        let texts = occurrence.key.iter().map(canonical);
        Some(Self {
            window: digest::of_text(&facts.matrix.window_definition(measure)),
            function: measure.words().to_owned(),
            key: digest::of_text(&Json::List(texts.collect()).canonical()),
            adds: Adds::of(measure, &occurrence),
            low: None,
            high: None,
            partial: None,
            events: Vec::new(),
        })
    }

    /// Whether both are of one measure for one key.
    fn is_beside(&self, other: &Self) -> bool {
        self.window == other.window && self.function == other.function && self.key == other.key
    }

    /// Whether both are of one measure for one key and for the same part of an event in it.
    fn is_of(&self, other: &Self) -> bool {
        self.is_beside(other) && (self.adds == other.adds || self.adds == other.adds.hidden())
    }

    fn measured(&self, interval: Interval) -> Measured {
        Measured {
            interval,
            partial: self.partial,
            last: self.events.clone(),
        }
    }

    fn interval(&self) -> Interval {
        Interval {
            low: self.low,
            high: self.high,
        }
    }

    /// What it is for an event that adds something else; `None` where it cannot be told.
    fn with(&self, function: MeasureFunction, new: &Adds) -> Option<Interval> {
        let (low, high) = (self.low?, self.high);
        let counted = |from: Amount, old: Amount, new: Amount| from.minus(old)?.plus(new);
        if let MeasureFunction::Distinct(_) = function {
            // Another event may have brought the value that is taken out, or the one that is put in.
            let one = |adds: &Adds| Amount::whole(i128::from(adds.passes != Kleene::False));
            let low = low.minus(one(&self.adds))?;
            let high = match high {
                Some(high) => Some(high.plus(one(new))?),
                None => None,
            };
            return Some(Interval {
                low: Some(low.max(Amount::default())),
                high,
            });
        }
        let counted_low = counted(low, self.adds.surely(function)?, new.surely(function)?)?;
        let high = match high {
            Some(high) => {
                let counted = counted(high, self.adds.maybe(function)?, new.maybe(function)?)?;
                Some(high.max(counted))
            }
            None => None,
        };
        Some(Interval {
            low: Some(low.min(counted_low).max(Amount::default())),
            high,
        })
    }
}

impl Adds {
    fn of(measure: &Measure, occurrence: &Occurrence) -> Self {
        let passes = occurrence.passes;
        let value = occurrence.value.as_ref();
        let value = value.filter(|_| passes != Kleene::False);
        Self {
            passes,
            value: match measure.function {
                MeasureFunction::Count => None,
                MeasureFunction::Sum(_) => value.and_then(Amount::of).map(|sum| sum.to_string()),
                MeasureFunction::Distinct(_) => {
                    value.map(|value| digest::of_text(&canonical(value).canonical()))
                }
            },
        }
    }

    /// With a digest for the value, which is no amount any more.
    fn hidden(&self) -> Self {
        let value = self.value.as_deref();
        Self {
            passes: self.passes,
            value: value.map(|value| format!("sha256:{}", digest::of_text(value))),
        }
    }

    /// What it surely adds to a count or a sum; `None` where it cannot be told.
    fn surely(&self, function: MeasureFunction) -> Option<Amount> {
        match self.passes {
            Kleene::True => self.amount(function),
            Kleene::Unknown | Kleene::False => Some(Amount::default()),
        }
    }

    /// What it adds to a count or a sum at most; `None` where it cannot be told.
    fn maybe(&self, function: MeasureFunction) -> Option<Amount> {
        match self.passes {
            Kleene::True | Kleene::Unknown => self.amount(function),
            Kleene::False => Some(Amount::default()),
        }
    }

    fn amount(&self, function: MeasureFunction) -> Option<Amount> {
        match function {
            MeasureFunction::Count | MeasureFunction::Distinct(_) => Some(Amount::whole(1)),
            MeasureFunction::Sum(_) => Amount::parse(self.value.as_deref()?),
        }
    }
}

/// A value as one text for equal values.
fn canonical(value: &Value) -> Json {
    Json::from_value(value)
}

impl Windows for Recorded {
    fn measured(&self, facts: &Facts<'_>, id: MeasureId, _: Timestamp) -> Option<Measured> {
        let asked = Entry::asked(facts, id)?;
        if let Some(entry) = self.entries.iter().find(|entry| entry.is_of(&asked)) {
            return Some(entry.measured(entry.interval()));
        }
        let function = facts.matrix.measure(id)?.function;
        // The first is of the event as it came.
        let entry = self.entries.iter().find(|entry| entry.is_beside(&asked))?;
        let interval = entry.with(function, &asked.adds)?;
        Some(entry.measured(interval))
    }
}

/// Decides an event from its JSON by what its measures were when it was recorded, counting nothing.
/// `times` are those of the recorded decision: an event without an `at` is of the instant of opening,
/// calendars and ages are as they were then, and deadlines start where they started. What cannot be read
/// is decided as unreadable.
///
/// With the matrix, the bytes and the instants of the recorded decision it is that decision; only the note
/// that an event claimed to be of the future is not made again.
#[must_use]
pub fn decide_again(
    matrix: &Matrix,
    limits: &Limits,
    bytes: &[u8],
    recorded: &Recorded,
    times: Times,
) -> Decision {
    let reference = Reference::new(matrix);
    match event::read(bytes, &matrix.schema, limits, times.opened) {
        Ok(event) => {
            let settled = reference.settle_by(&event, recorded, times, &mut |_| None);
            settled.decision
        }
        Err(unreadable) => reference.decide_unreadable(&unreadable, times.opened),
    }
}

/// The measures that lanes and rules of a kind ask for.
fn asked_for(matrix: &Matrix, kind: KindId) -> BTreeSet<MeasureId> {
    let mut asked = Asked {
        matrix,
        measures: BTreeSet::new(),
        opened: BTreeSet::new(),
    };
    for lane in matrix.lanes.iter().filter(|lane| lane.on.contains(&kind)) {
        asked.walk(&lane.when);
        if let Some(unless) = &lane.unless {
            asked.walk(unless);
        }
    }
    for rule in matrix.rules.iter().filter(|rule| rule.on.contains(&kind)) {
        asked.walk(&rule.when);
    }
    asked.measures
}

/// Collects measures. Each condition is opened once.
struct Asked<'m> {
    matrix: &'m Matrix,
    measures: BTreeSet<MeasureId>,
    opened: BTreeSet<ConditionId>,
}

impl Asked<'_> {
    fn walk(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => parts.iter().for_each(|part| self.walk(part)),
            ExprKind::Not(part) => self.walk(part),
            ExprKind::Condition(id) => {
                if self.opened.insert(*id)
                    && let Some(condition) = self.matrix.condition(*id)
                {
                    self.walk(&condition.expr);
                }
            }
            ExprKind::Measure(test) => {
                self.measures.insert(test.measure);
            }
            ExprKind::Test(_) => {}
        }
    }
}

/// An end of an interval as exact text, or `null`; never left out.
mod end {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::reference::Amount;

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub fn serialize<S: Serializer>(
        end: &Option<Amount>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        end.map(|amount| amount.to_string()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Amount>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let amount = |text: String| {
            Amount::parse(&text).ok_or_else(|| serde::de::Error::custom("not an exact amount"))
        };
        text.map(amount).transpose()
    }
}
