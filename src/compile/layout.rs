//! How the fields of a kind are held: scales, columns, bits.
//!
//! In: a kind, and the lanes and rules that can decide it. Out: its [`KindLayout`], or why its
//! events cannot be held.
//! Invariant: every constant that a test compares with a field is exact at the field's scale.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::Ruling;
use crate::matrix::{
    Comparison, ConditionId, Expr, ExprKind, Matrix, MeasureFunction, Test, TestOp,
};
use crate::schema::{Field, FieldId, Kind, Presence};
use crate::slots::{
    Absent, Bounds, Cell, Dictionary, FieldLayout, KindLayout, ORDERED, Small, UNITS, Words,
};
use crate::value::{Type, Value};

/// Words of a closed set that may have bits of their own.
const SMALL: usize = 24;

/// Bits of an event's set.
const BITS: u32 = 64;

/// Places that numbers have at least that are compared with each other, since they must be exact:
/// cents and their hundredths.
const PAIRED_PLACES: u32 = 4;

/// Places that numbers have at most that a measure needs, if their range leaves room: a finer number
/// is left to the slow way.
const MEASURED_PLACES: u32 = 6;

/// A layout, and why it cannot be used if so.
pub(super) struct LaidOut {
    pub(super) layout: KindLayout,
    pub(super) reference: Option<String>,
}

/// Bits that an ordered field has at most: enough to rule out most clauses by them alone, and few
/// enough to find the right one by comparing with all steps.
const STEPS: usize = 8;

/// What tests do with a field.
#[derive(Debug, Clone, Default)]
struct Use {
    /// The most places behind the point of a constant.
    places: u32,
    /// The largest constant, without its sign.
    largest: Decimal,
    /// Whether another field is compared with it.
    paired: bool,
    /// Whether a measure keys by it, sums it or tells it apart.
    measured: bool,
    /// How often it is compared by order.
    ordered: usize,
    /// How often it is compared with words, or with yes and no.
    equality: usize,
    /// Whether a test asks whether it is there.
    presence: bool,
    /// How many tests there are.
    tests: usize,
    /// The constants that an ordered field is compared with, as often as it is.
    constants: Vec<(Comparison, Value)>,
    /// The texts that the field is compared with.
    texts: Dictionary,
}

pub(super) fn lay_out(
    matrix: &Matrix,
    id: u64,
    kind: &Kind,
    ruling: &Ruling,
    columns: usize,
) -> LaidOut {
    let mut walk = Walk {
        matrix,
        kind,
        uses: vec![Use::default(); kind.fields.len()],
        opened: HashSet::new(),
    };
    for id in &ruling.lanes {
        if let Some(lane) = matrix.lane(*id) {
            walk.expr(&lane.when);
            lane.unless.iter().for_each(|unless| walk.expr(unless));
        }
    }
    for id in &ruling.rules {
        if let Some(rule) = matrix.rules.get(id.index()) {
            walk.expr(&rule.when);
        }
    }
    for measure in matrix.measures.iter().filter(|m| m.kind == kind.id) {
        measure.filter.iter().for_each(|filter| walk.expr(filter));
    }
    let mut uses = walk.uses;
    note_measures(matrix, kind, &mut uses);
    unify(&mut uses);
    let mut reference = None;
    let mut fields: Vec<FieldLayout> = Vec::with_capacity(uses.len());
    let mut optional = 0u32;
    for (field, usage) in kind.fields.iter().zip(&uses) {
        let cell = cell(&field.ty, usage, field);
        if is_unheld(&cell) && (usage.tests > 0 || usage.measured) {
            reference.get_or_insert_with(|| {
                format!(
                    "`{}` is compared with numbers of more digits than 18 in all",
                    field.path
                )
            });
        }
        let bounds = bounds(&field.ty, &cell);
        fields.push(FieldLayout {
            cell,
            bounds,
            column: None,
            small: None,
            steps: Box::default(),
            symbols: None,
            absent: absent(field, &mut optional),
        });
    }
    give_columns(&mut fields, &uses, columns.min(ORDERED));
    give_bits(&mut fields, &uses);
    let mut layout = KindLayout::new(id, kind.id, fields);
    if !layout.set_defaults(kind) {
        reference.get_or_insert_with(|| "a default cannot be held in a cell".to_owned());
    }
    LaidOut { layout, reference }
}

/// What measures need of the kind: the fields that they key by, sum or tell apart.
fn note_measures(matrix: &Matrix, kind: &Kind, uses: &mut [Use]) {
    for measure in &matrix.measures {
        let quantity = match measure.function {
            MeasureFunction::Count => None,
            MeasureFunction::Sum(field) | MeasureFunction::Distinct(field) => Some(field),
        };
        let slots = measure.by.iter().copied().chain(quantity);
        for slot in slots.filter_map(|field| kind.slot(field)) {
            if let Some(usage) = uses.get_mut(slot) {
                usage.measured = true;
            }
        }
    }
}

/// Numbers that are compared with each other need one scale.
fn unify(uses: &mut [Use]) {
    let paired = || uses.iter().filter(|usage| usage.paired);
    let places = paired().map(|usage| usage.places).max().unwrap_or(0);
    let largest = paired()
        .map(|usage| usage.largest)
        .max()
        .unwrap_or_default();
    for usage in uses.iter_mut().filter(|usage| usage.paired) {
        usage.places = places.max(PAIRED_PLACES);
        usage.largest = largest;
    }
}

fn is_unheld(cell: &Cell) -> bool {
    match cell {
        Cell::Unheld => true,
        Cell::List(item) => is_unheld(item),
        _ => false,
    }
}

fn absent(field: &Field, optional: &mut u32) -> Absent {
    match field.presence {
        Presence::Required => Absent::Required,
        Presence::Default(_) => Absent::Default,
        Presence::Optional => {
            let bit = 1u64 << (*optional).min(63);
            *optional += 1;
            Absent::Optional { bit }
        }
    }
}

fn cell(ty: &Type, usage: &Use, field: &Field) -> Cell {
    match ty {
        Type::YesNo => Cell::Flag,
        Type::OneOf(words) => Cell::Word(Words::new(words)),
        Type::Whole(_) => Cell::Whole,
        Type::Number(_) | Type::Money(..) => scaled(ty, usage, field),
        Type::Timestamp => Cell::Instant,
        Type::Duration => Cell::Span,
        Type::Text { ignoring_case } => Cell::Text {
            folded: *ignoring_case,
        },
        Type::List(item) => Cell::List(Box::new(cell(item, usage, field))),
    }
}

/// The scale at which every constant is exact.
fn scaled(ty: &Type, usage: &Use, field: &Field) -> Cell {
    let mut places = usage.places;
    let mut largest = usage.largest;
    // A range is no test, but its ends are best held too.
    if let Type::Number(Some(range)) | Type::Money(_, Some(range)) = ty
        && !usage.paired
    {
        let fits = |n: &Decimal| n.scale() <= 4 && n.abs() <= Decimal::from(1_000_000_000_000i64);
        for end in [&range.low, &range.high].into_iter().filter(|n| fits(n)) {
            places = places.max(end.scale());
            largest = largest.max(end.abs());
        }
    }
    if let Presence::Default(Value::Number(n) | Value::Money(n, _)) = &field.presence
        && !usage.paired
    {
        places = places.max(n.scale());
        largest = largest.max(n.abs());
    }
    if usage.measured && !usage.paired {
        let held = |places: &u32| {
            let unit = 10i64.checked_pow(*places).map(Decimal::from);
            let units = unit.and_then(|unit| largest.checked_mul(unit));
            units.is_some_and(|units| units < Decimal::from(UNITS / 1000))
        };
        let finer = (places..=MEASURED_PLACES).rev().find(held);
        places = finer.unwrap_or(places);
    }
    let Ok(places) = u8::try_from(places) else {
        return Cell::Unheld;
    };
    let unit = 10i64.checked_pow(u32::from(places)).map(Decimal::from);
    let units = unit.and_then(|unit| largest.checked_mul(unit));
    match units {
        Some(units) if units < Decimal::from(UNITS) => Cell::Scaled {
            places,
            exact: usage.paired || usage.measured,
        },
        _ => Cell::Unheld,
    }
}

fn bounds(ty: &Type, cell: &Cell) -> Bounds {
    let ends = match ty {
        Type::Whole(Some(range)) => (Some(range.low), Some(range.high)),
        Type::Number(Some(range)) => (
            cell.constant(&Value::Number(range.low)),
            cell.constant(&Value::Number(range.high)),
        ),
        Type::Money(currency, Some(range)) => (
            cell.constant(&Value::Money(range.low, *currency)),
            cell.constant(&Value::Money(range.high, *currency)),
        ),
        Type::List(item) => match cell {
            Cell::List(cell) => return bounds(item, cell),
            _ => return Bounds::Unheld,
        },
        _ => return Bounds::None,
    };
    match ends {
        (Some(low), Some(high)) => Bounds::Within(low, high),
        _ => Bounds::Unheld,
    }
}

/// The fields that most tests compare with a constant get columns.
fn give_columns(fields: &mut [FieldLayout], uses: &[Use], most: usize) {
    let mut order: Vec<usize> = (0..fields.len()).collect();
    // Fields of order first: they say all there is to say, those of texts most of it.
    let is_text = |slot: &usize| {
        let field = fields.get(*slot);
        field.is_some_and(|field| matches!(field.cell, Cell::Text { .. }))
    };
    order.sort_by_key(|slot| {
        let ordered = uses.get(*slot).map_or(0, |u| u.ordered);
        (is_text(slot), Reverse(ordered))
    });
    let ordered = |slot: &usize| {
        uses.get(*slot).is_some_and(|u| u.ordered > 0)
            && (is_text(slot) || fields.get(*slot).is_some_and(|f| f.cell.is_ordered()))
    };
    let chosen: Vec<usize> = order.into_iter().filter(ordered).take(most).collect();
    for (column, slot) in (0u8..).zip(chosen) {
        let (Some(field), Some(usage)) = (fields.get_mut(slot), uses.get(slot)) else {
            continue;
        };
        field.column = Some(column);
        if let Cell::Text { .. } = field.cell {
            field.symbols = Some(Arc::new(usage.texts.clone()));
        }
    }
}

/// The fields of few values that most tests ask for get bits, and ordered fields what is left.
fn give_bits(fields: &mut [FieldLayout], uses: &[Use]) {
    let mut order: Vec<usize> = (0..fields.len()).collect();
    let asked = |slot: usize| uses.get(slot).map_or(0, |u| u.equality);
    order.sort_by_key(|slot| Reverse(asked(*slot)));
    let mut base = 0u32;
    for slot in order {
        let (Some(field), Some(usage)) = (fields.get_mut(slot), uses.get(slot)) else {
            continue;
        };
        let values = match (&field.cell, &field.symbols) {
            (Cell::Flag, _) => 2,
            (Cell::Word(words), _) if words.list().len() <= SMALL => words.list().len(),
            // One for all other texts.
            (Cell::Text { .. }, Some(symbols)) if symbols.len() < SMALL => symbols.len() + 1,
            _ => continue,
        };
        if usage.equality + usize::from(usage.presence) > 0 {
            give(field, usage, values, &mut base);
        }
    }
    let mut ordered: Vec<usize> = (0..fields.len())
        .filter(|slot| uses.get(*slot).is_some_and(|u| !u.constants.is_empty()))
        .collect();
    ordered.sort_by_key(|slot| Reverse(uses.get(*slot).map_or(0, |u| u.constants.len())));
    for (given, slot) in ordered.iter().enumerate() {
        let (Some(field), Some(usage)) = (fields.get_mut(*slot), uses.get(*slot)) else {
            continue;
        };
        // What is left is shared out evenly.
        let share = (BITS - base) as usize / (ordered.len() - given).max(1);
        let steps = steps(&field.cell, usage, share.min(STEPS).saturating_sub(1));
        if !steps.is_empty() && give(field, usage, steps.len() + 1, &mut base) {
            field.steps = steps;
        }
    }
}

/// Gives a field its bits, and one that says that it is missing where a test asks for that; says
/// whether there was room.
fn give(field: &mut FieldLayout, usage: &Use, values: usize, base: &mut u32) -> bool {
    let Ok(values) = u32::try_from(values) else {
        return false;
    };
    let optional = matches!(field.absent, Absent::Optional { .. });
    let says_missing = u32::from(usage.presence && optional);
    if *base + values + says_missing > BITS {
        return false;
    }
    let bits = |from: u32, count: u32| (from..from + count).fold(0u64, |all, n| all | 1 << n);
    let missing = bits(*base + values, says_missing);
    field.small = Some(Small {
        base: u8::try_from(*base).unwrap_or(0),
        mask: bits(*base, values) | missing,
        missing,
    });
    *base += values + says_missing;
    true
}

/// At most so many cells that part what the constants of a field part, each as many.
fn steps(cell: &Cell, usage: &Use, most: usize) -> Box<[i64]> {
    let parted = usage.constants.iter().flat_map(|(op, value)| {
        let at = cell.constant(value).filter(|_| cell.is_ordered());
        let behind = at.and_then(|at| at.checked_add(1));
        match op {
            Comparison::GreaterOrEqual | Comparison::Less => [at, None],
            Comparison::Greater | Comparison::LessOrEqual => [behind, None],
            Comparison::Is | Comparison::IsNot => [at, behind],
        }
    });
    let mut parted: Vec<i64> = parted.flatten().collect();
    parted.sort_unstable();
    let mut distinct = parted.clone();
    distinct.dedup();
    if distinct.len() <= most {
        return distinct.into();
    }
    let chosen = (1..=most).filter_map(|n| parted.get(parted.len() * n / (most + 1)).copied());
    let mut chosen: Vec<i64> = chosen.collect();
    chosen.dedup();
    chosen.into()
}

/// Goes through triggers once to see what is asked of each field.
struct Walk<'m> {
    matrix: &'m Matrix,
    kind: &'m Kind,
    uses: Vec<Use>,
    opened: HashSet<ConditionId>,
}

impl<'m> Walk<'m> {
    fn expr(&mut self, expr: &'m Expr) {
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => parts.iter().for_each(|part| self.expr(part)),
            ExprKind::Not(inner) => self.expr(inner),
            ExprKind::Condition(id) => {
                if self.opened.insert(*id)
                    && let Some(condition) = self.matrix.condition(*id)
                {
                    self.expr(&condition.expr);
                }
            }
            ExprKind::Test(test) => self.test(test),
            ExprKind::Measure(_) => {}
        }
    }

    fn test(&mut self, test: &Test) {
        let other = match test.op {
            TestOp::SameAs(other) | TestOp::DiffersFrom(other) | TestOp::CompareField(_, other) => {
                Some(other)
            }
            _ => None,
        };
        for field in [Some(test.field), other].into_iter().flatten() {
            if let Some(usage) = self.usage(field) {
                usage.tests += 1;
                usage.paired |= other.is_some();
            }
        }
        let Some(usage) = self.usage(test.field) else {
            return;
        };
        usage.presence |= test.if_present || matches!(test.op, TestOp::Missing | TestOp::Present);
        match &test.op {
            TestOp::Compare(op, value) => {
                usage.constant(value);
                match (op, value) {
                    (Comparison::Is | Comparison::IsNot, Value::Bool(_) | Value::Word(_)) => {
                        usage.equality += 1;
                    }
                    (_, Value::Text(text)) => usage.text(text),
                    _ => {
                        usage.ordered += 1;
                        usage.constants.push((*op, value.clone()));
                    }
                }
            }
            TestOp::In { values, .. } => {
                values.iter().for_each(|value| usage.constant(value));
                match values.first() {
                    Some(Value::Text(_)) => values.iter().for_each(|value| {
                        if let Value::Text(text) = value {
                            usage.text(text);
                        }
                    }),
                    _ => usage.equality += 1,
                }
            }
            TestOp::Contains { values, .. } => {
                values.iter().for_each(|value| usage.constant(value));
                usage.equality += 1;
            }
            _ => {}
        }
    }

    fn usage(&mut self, field: FieldId) -> Option<&mut Use> {
        let slot = self.kind.slot(field)?;
        self.uses.get_mut(slot)
    }
}

impl Use {
    /// Notes a text that the field is compared with.
    fn text(&mut self, text: &str) {
        self.texts.insert(text);
        self.ordered += 1;
        self.equality += 1;
    }

    fn constant(&mut self, value: &Value) {
        match value {
            Value::Number(number) | Value::Money(number, _) => {
                self.places = self.places.max(number.scale());
                self.largest = self.largest.max(number.abs());
            }
            Value::List(items) => items.iter().for_each(|item| self.constant(item)),
            _ => {}
        }
    }
}
