//! How the cells of each kind are laid out.
//!
//! In: built by the compiler, from the kinds and the constants that the matrix compares them with.
//! Out: for each field its cell, its column and its bits.
//! Invariant: for a field that is compared with a constant, the order of two cells is the order of
//! the field's value and the constant.

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::derive::Derived;
use super::{Dictionary, MISSING, Names, Slots};
use crate::schema::{Kind, KindId, Presence};
use crate::value::Value;

/// The cells of all kinds of a matrix.
#[derive(Debug, Clone)]
pub struct Layout {
    /// A number that other matrices' layouts do not have.
    pub id: u64,
    /// The kinds that it lays out.
    pub schema: u64,
    /// By kind.
    pub kinds: Vec<KindLayout>,
    /// What the members of events are called.
    pub names: Names,
}

/// The cells of a kind.
#[derive(Debug, Clone)]
pub struct KindLayout {
    /// The kind.
    pub kind: KindId,
    /// By slot.
    pub fields: Vec<FieldLayout>,
    /// What follows from its cells, by slot.
    pub(super) derived: Vec<Derived>,
    /// An event of the kind that gives no field.
    pub(crate) blank: Slots,
}

/// How a field is held.
#[derive(Debug, Clone)]
pub struct FieldLayout {
    /// What its cell says.
    pub cell: Cell,
    /// The cells that its type allows.
    pub bounds: Bounds,
    /// Its column, where tests compare it by order.
    pub column: Option<u8>,
    /// Its bits, where it has few values or steps.
    pub small: Option<Small>,
    /// The cells at which an ordered field's bits change, the smallest first: its first bit is that
    /// of the cells below the first step.
    pub steps: Box<[i64]>,
    /// The texts that tests compare it with. Its symbol is one more than the number of its text,
    /// and 0 for every other text.
    pub symbols: Option<Arc<Dictionary>>,
    /// What its absence means.
    pub absent: Absent,
}

/// What a cell says.
#[derive(Debug, Clone)]
pub enum Cell {
    /// `yes/no`: 0 is no, 1 is yes.
    Flag,
    /// `one of`: the position of the word in the field's type.
    Word(Words),
    /// `whole number`: itself.
    Whole,
    /// `number`, `money`: twice the value in units of 10^-`places`, rounded down, and one more if
    /// that was not exact. A constant of at most so many places is even, so that a value between
    /// two units lies between their cells.
    Scaled {
        /// Places behind the point.
        places: u8,
        /// Whether another field is compared with it: then only exact values can be held.
        exact: bool,
    },
    /// `timestamp`: nanoseconds since 1970.
    Instant,
    /// `duration`: milliseconds.
    Span,
    /// `text`: a range of bytes.
    Text {
        /// Whether the text is held folded, because letters compare without regard to case.
        folded: bool,
    },
    /// `list of`: a range of items.
    List(Box<Cell>),
    /// Its constants have more digits than a cell.
    Unheld,
}

/// The cells that a type allows, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    /// All.
    None,
    /// From one to another.
    Within(i64, i64),
    /// The type has a range whose ends no cell holds.
    Unheld,
}

/// The words of a closed set.
#[derive(Debug, Clone)]
pub struct Words {
    list: Arc<[Arc<str>]>,
    index: Arc<HashMap<Arc<str>, i64>>,
}

impl Words {
    /// Of a field's type.
    #[must_use]
    pub fn new(list: &Arc<[Arc<str>]>) -> Self {
        let index = list.iter().cloned().zip(0i64..);
        // Of a word that is listed twice the first place counts.
        let mut places = HashMap::new();
        for (word, place) in index {
            places.entry(word).or_insert(place);
        }
        Self {
            list: list.clone(),
            index: Arc::new(places),
        }
    }

    /// The words in order.
    #[must_use]
    pub fn list(&self) -> &[Arc<str>] {
        &self.list
    }

    /// The place of a word.
    #[must_use]
    pub fn place(&self, word: &str) -> Option<i64> {
        // PERF: most sets are short, and comparing is quicker than hashing there.
        if self.list.len() <= 12 {
            let place = self.list.iter().position(|w| &**w == word)?;
            return i64::try_from(place).ok();
        }
        self.index.get(word).copied()
    }
}

/// The bits of a field of few values or steps in [`Slots`]' set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Small {
    /// The bit of the cell or symbol 0, or of what lies below the first step.
    pub base: u8,
    /// All its bits.
    pub mask: u64,
    /// The bit that says that it is missing, where a test asks for that.
    pub missing: u64,
}

impl Small {
    /// Of a field without any.
    pub(super) const NONE: Self = Self {
        base: 0,
        mask: 0,
        missing: 0,
    };

    /// The bit of a cell, of a symbol or of a number of steps.
    #[inline]
    #[must_use]
    pub fn bit(&self, cell: i64) -> u64 {
        // PERF: no branch. Cells of small fields are at least 0 and below 64.
        (1u64 << (self.base & 63)) << (cell & 63)
    }
}

/// What the absence of a field means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The event is unreadable.
    Required,
    /// Tests on it are unknown.
    Optional {
        /// Its bit among those of missing fields. Beyond 64 optional fields some share one.
        bit: u64,
    },
    /// It has its default, which stands in the blank event.
    Default,
}

impl FieldLayout {
    /// The symbol of a text that tests compare the field with.
    #[must_use]
    pub fn symbol(&self, text: &str) -> Option<i64> {
        let number = self.symbols.as_ref()?.find(text.as_bytes())?;
        Some(i64::from(number) + 1)
    }
}

impl KindLayout {
    /// A layout whose blank event says nothing yet.
    #[must_use]
    pub fn new(layout: u64, kind: KindId, fields: Vec<FieldLayout>) -> Self {
        let derived = (0u16..).zip(&fields);
        let derived = derived.filter_map(|(slot, field)| Derived::new(slot, field));
        let mut blank = Slots {
            layout,
            kind,
            cells: vec![MISSING; fields.len()],
            ..Slots::default()
        };
        let mut laid = Self {
            kind,
            derived: derived.collect(),
            fields,
            blank: Slots::default(),
        };
        blank.derive_all(&laid, &[]);
        laid.blank = blank;
        laid
    }

    /// Puts the defaults of the kind into the blank event; says whether cells can hold them.
    #[must_use]
    pub fn set_defaults(&mut self, kind: &Kind) -> bool {
        let mut blank = std::mem::take(&mut self.blank);
        let mut held = true;
        for (slot, field) in kind.fields.iter().enumerate() {
            if let Presence::Default(value) = &field.presence {
                held &= blank.set_value(self, slot, value).is_ok();
            }
        }
        self.blank = blank;
        held
    }

    /// The layout of a field by its slot.
    #[must_use]
    pub fn field(&self, slot: u16) -> Option<&FieldLayout> {
        self.fields.get(usize::from(slot))
    }
}

impl Cell {
    /// The cell of a constant of a test, which must be exact. `None` where it cannot be held, or
    /// is a text or a list.
    #[must_use]
    pub fn constant(&self, value: &Value) -> Option<i64> {
        match (self, value) {
            (Self::Scaled { places, .. }, Value::Number(number) | Value::Money(number, _)) => {
                let scaled = scaled(*number, *places);
                scaled.exact.then_some(scaled.cell)
            }
            _ => self.plain(value),
        }
    }

    /// The cell of a value that is no number with a scale, no text and no list.
    pub(super) fn plain(&self, value: &Value) -> Option<i64> {
        match (self, value) {
            (Self::Flag, Value::Bool(yes)) => Some(i64::from(*yes)),
            (Self::Word(words), Value::Word(word)) => words.place(word),
            (Self::Whole, Value::Whole(number)) => Some(*number),
            (Self::Instant, Value::Timestamp(at)) => at.timestamp_nanos_opt(),
            (Self::Span, Value::Duration(span)) => i64::try_from(span.as_millis()).ok(),
            _ => None,
        }
    }

    /// Whether tests can compare it by order.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        matches!(
            self,
            Self::Whole | Self::Scaled { .. } | Self::Instant | Self::Span
        )
    }
}

/// A decimal in units of a scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scaled {
    pub(super) cell: i64,
    /// Whether nothing was rounded or cut.
    pub(super) exact: bool,
}

/// Cells of numbers beyond this are cut to it: every constant lies strictly inside.
const EDGE: i64 = 1 << 62;

/// The largest magnitude of a constant in units of its field's scale.
pub(crate) const UNITS: i64 = 1 << 60;

/// See [`Cell::Scaled`].
pub(super) fn scaled(number: Decimal, places: u8) -> Scaled {
    let (mantissa, scale) = (number.mantissa(), number.scale());
    if let Ok(mantissa) = i64::try_from(mantissa) {
        return scaled_units(mantissa, scale, places);
    }
    let places = u32::from(places);
    let (units, rest) = if scale <= places {
        // Beyond i128 it is beyond every constant as well.
        let factor = 10i128.pow(places - scale);
        (mantissa.saturating_mul(factor), 0)
    } else {
        let unit = 10i128.pow((scale - places).min(38));
        (mantissa.div_euclid(unit), mantissa.rem_euclid(unit))
    };
    match i64::try_from(units) {
        Ok(units) if units.unsigned_abs() <= UNITS.unsigned_abs() => Scaled {
            cell: 2 * units + i64::from(rest != 0),
            exact: rest == 0,
        },
        _ => beyond(units < 0),
    }
}

pub(super) const POWERS: [i64; 19] = [
    1,
    10,
    100,
    1000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    100_000_000_000,
    1_000_000_000_000,
    10_000_000_000_000,
    100_000_000_000_000,
    1_000_000_000_000_000,
    10_000_000_000_000_000,
    100_000_000_000_000_000,
    1_000_000_000_000_000_000,
];

/// The same of a number whose digits fit 64 bits: `mantissa` times 10^-`scale`.
#[inline]
pub(super) fn scaled_units(mantissa: i64, scale: u32, places: u8) -> Scaled {
    let places = u32::from(places);
    let power = |n: u32| POWERS.get(n as usize).copied();
    let (units, rest) = if scale <= places {
        let units = power(places - scale).and_then(|p| mantissa.checked_mul(p));
        match units {
            Some(units) => (units, 0),
            None if mantissa == 0 => (0, 0),
            None => return beyond(mantissa < 0),
        }
    } else {
        match power(scale - places) {
            Some(unit) => (mantissa.div_euclid(unit), mantissa.rem_euclid(unit)),
            // Less than one unit.
            None => (if mantissa < 0 { -1 } else { 0 }, mantissa),
        }
    };
    if units.unsigned_abs() > UNITS.unsigned_abs() {
        return beyond(units < 0);
    }
    Scaled {
        cell: 2 * units + i64::from(rest != 0),
        exact: rest == 0,
    }
}

fn beyond(negative: bool) -> Scaled {
    Scaled {
        cell: if negative { -EDGE } else { EDGE },
        exact: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_decimal;

    fn cell(text: &str, places: u8) -> i64 {
        scaled(parse_decimal(text).unwrap(), places).cell
    }

    #[test]
    fn cells_of_numbers_keep_their_order() {
        let numbers = [
            "-9999999999999999999999999999",
            "-1152921504606846976.01",
            "-0.011",
            "-0.01",
            "-0.0000000000000000000000000001",
            "0",
            "0.0000000000000000000000000001",
            "0.0099999999999999999999",
            "0.01",
            "0.010000000000000000001",
            "0.72",
            "250",
            "250.01",
            "1152921504606846976.01",
            "9999999999999999999999999999",
        ];
        // Constants of two places are compared with every number.
        for constant in ["-0.01", "0", "0.01", "0.72", "250", "250.01"] {
            let bound = parse_decimal(constant).unwrap();
            let edge = scaled(bound, 2);
            assert!(edge.exact);
            for number in numbers {
                let value = parse_decimal(number).unwrap();
                assert_eq!(
                    cell(number, 2).cmp(&edge.cell),
                    value.cmp(&bound),
                    "{number} and {constant}"
                );
            }
        }
    }

    #[test]
    fn both_ways_to_scale_agree() {
        for text in [
            "0",
            "1",
            "-1",
            "0.5",
            "-0.5",
            "12.345",
            "-12.345",
            "99999.99999",
        ] {
            let number = parse_decimal(text).unwrap();
            for places in 0..=18 {
                let wide = Decimal::from_i128_with_scale(number.mantissa(), number.scale());
                let small = i64::try_from(number.mantissa()).unwrap();
                let quick = scaled_units(small, number.scale(), places);
                let slow = scaled(wide, places);
                assert_eq!((quick.cell, quick.exact), (slow.cell, slow.exact));
            }
        }
    }
}
