//! Instants that show every answer which tests of a timestamp can give together.
//!
//! Ages are told from the instant of the event. Where no test asks about that, it is one and the same for all
//! events, and an age is an instant like any other.

use std::collections::BTreeSet;

use chrono::Days;

use super::values::{Values, cuts};
use super::{Owned, Space, ordered};
use crate::calendar::{Calendar, start_of_day};
use crate::clock::Timestamp;
use crate::matrix::TestOp;
use crate::schema::{Field, FieldId};
use crate::value::Value;

/// For so long the hours of calendars are looked at, minute by minute: a week and a day.
const MINUTES: i64 = 8 * 24 * 60;

/// The first and the last instant that an event can name, `0000-01-01T00:00:00Z` and `9999-12-31T23:59:59.999Z`.
const FIRST: i128 = -62_167_219_200_000;
const LAST: i128 = 253_402_300_799_999;

/// Whether only ages are asked of a field: then it is told by its age, whenever the event happens.
pub(super) fn are_ages(tests: &[&Owned], fields: usize) -> bool {
    let is_age = |op: &TestOp| matches!(op, TestOp::OlderThan(_) | TestOp::NewerThan(_));
    let is_there = |op: &TestOp| matches!(op, TestOp::Present | TestOp::Missing);
    fields == 1
        && tests.iter().any(|it| is_age(&it.test.op))
        && tests
            .iter()
            .all(|it| is_age(&it.test.op) || is_there(&it.test.op))
}

/// Instants of a field.
pub(super) fn values(space: &Space<'_>, field: &Field, tests: &[&Owned], fields: usize) -> Values {
    let at = space.at;
    let mut edges: BTreeSet<i128> = cuts(tests)
        .filter_map(|value| match value {
            Value::Timestamp(instant) => Some(millis(*instant)),
            _ => None,
        })
        .collect();
    let ages = tests.iter().filter_map(|it| match it.test.op {
        TestOp::OlderThan(age) | TestOp::NewerThan(age) => at.checked_sub_signed(age.to_chrono()),
        _ => None,
    });
    edges.extend(ages.map(millis));
    let calendars: Vec<&Calendar> = tests
        .iter()
        .filter_map(|it| match it.test.op {
            TestOp::Inside(id) | TestOp::Outside(id) => space.side(it.side)?.matrix.calendar(id),
            _ => None,
        })
        .collect();
    let mut all: BTreeSet<i128> = ordered::steps(edges.clone(), FIRST, LAST, fields)
        .into_iter()
        .collect();
    all.insert(millis(at));
    // They show nothing that others do not, and what lies before them cannot be named.
    all.remove(&FIRST);
    all.remove(&LAST);
    let mut exact = calendars.is_empty() || each_mixture(&calendars, &edges, millis(at), &mut all);
    // An age beside anything else that is asked of the instant depends on when the event happens, which can be at
    // any time.
    let has_ages = tests
        .iter()
        .any(|it| matches!(it.test.op, TestOp::OlderThan(_) | TestOp::NewerThan(_)));
    let asks_more = cuts(tests).next().is_some() || !calendars.is_empty() || fields > 1;
    exact &= !(has_ages && (asks_more || field.id == FieldId::AT));
    // Instants are tried by the millisecond.
    let is_finer = |value: &Value| match value {
        Value::Timestamp(instant) => instant.timestamp_subsec_nanos() % 1_000_000 != 0,
        _ => false,
    };
    let touch = edges
        .iter()
        .zip(edges.iter().skip(1))
        .any(|(one, next)| next - one <= 1);
    exact &= !touch && !cuts(tests).any(is_finer);
    let mut values: Vec<i128> = all.into_iter().collect();
    // The instant at which events happen comes first, so that it is taken where nothing else is asked for.
    values.sort_by_key(|value| (*value != millis(at), *value));
    let values = values.into_iter().filter_map(instant).map(Value::Timestamp);
    Values {
        exact,
        ..Values::all(values.collect())
    }
}

/// Which calendars are open together.
type Mixtures = BTreeSet<Vec<bool>>;

/// Adds an instant of each mixture of open and closed, for each stretch between two edges; whether these are all.
///
/// What comes about is what a week without exceptions has, and what the days of exceptions have, as long as all
/// calendars are of one zone: then their hours go side by side in every week.
fn each_mixture(
    calendars: &[&Calendar],
    edges: &BTreeSet<i128>,
    at: i128,
    all: &mut BTreeSet<i128>,
) -> bool {
    let length = i128::from(MINUTES) * 60_000;
    let before = edges.first().map_or(at, |first| first - length);
    let exceptions = exceptions(calendars);
    let regular = regular(calendars, at, length);
    let mut are_all = true;
    // From each edge to the next one, and a week before the first.
    for (number, start) in std::iter::once(before)
        .chain(edges.iter().copied())
        .enumerate()
    {
        let is_first = number == 0;
        let end = edges.range(start + 1..).next().copied();
        let (low, high) = match is_first {
            true => (FIRST, end.unwrap_or(LAST)),
            false => (start, end.unwrap_or(LAST)),
        };
        let mut seen = Mixtures::new();
        let mut look = |from: i128, to: i128, seen: &mut Mixtures| {
            mixtures(calendars, from.max(low), to.min(high), &mut |now, open| {
                if seen.insert(open) {
                    all.insert(now);
                }
            });
        };
        look(start, start + length, &mut seen);
        let is_whole = !is_first && high <= start + length;
        if is_whole || seen.len() == 1 << calendars.len().min(16) {
            continue;
        }
        let (Some(exceptions), Some(regular)) = (&exceptions, &regular) else {
            are_all = false;
            continue;
        };
        for (from, to) in exceptions {
            look(*from, *to, &mut seen);
        }
        // Exceptions may lie in the week that was looked at.
        let step = if is_first && end.is_some() {
            -length
        } else {
            length
        };
        for week in 1..=WEEKS {
            if regular.is_subset(&seen) {
                break;
            }
            let from = start + step * week;
            look(from, from + length, &mut seen);
        }
        are_all &= regular.is_subset(&seen);
    }
    are_all
}

/// Weeks that are looked at for one without exceptions.
const WEEKS: i128 = 8;

/// Minutes of exceptions that are looked at.
const EXCEPTIONS: i128 = 100_000;

/// The days of all exceptions, each with one on both sides; nothing where these are too many.
fn exceptions(calendars: &[&Calendar]) -> Option<Vec<(i128, i128)>> {
    let mut spans = BTreeSet::new();
    for calendar in calendars {
        let start = |day| millis(start_of_day(calendar.zone(), day));
        for (first, last) in calendar.exceptions() {
            let (first, last) = (first.pred_opt()?, last.checked_add_days(Days::new(2))?);
            spans.insert((start(first), start(last)));
        }
    }
    let minutes: i128 = spans.iter().map(|(from, to)| (to - from) / 60_000).sum();
    (minutes <= EXCEPTIONS).then(|| spans.into_iter().collect())
}

/// What comes about in a week behind all exceptions; nothing where calendars are of several zones.
fn regular(calendars: &[&Calendar], at: i128, length: i128) -> Option<Mixtures> {
    let zone = calendars.first()?.zone();
    if calendars.iter().any(|calendar| calendar.zone() != zone) {
        return None;
    }
    let last = calendars
        .iter()
        .filter_map(|calendar| calendar.last_exception());
    let from = match last.max() {
        Some(last) => millis(start_of_day(zone, last.checked_add_days(Days::new(2))?)),
        None => at,
    };
    let mut seen = Mixtures::new();
    mixtures(calendars, from, from + length, &mut |_, open| {
        seen.insert(open);
    });
    Some(seen)
}

/// Which calendars are open, minute by minute.
fn mixtures(calendars: &[&Calendar], from: i128, to: i128, see: &mut dyn FnMut(i128, Vec<bool>)) {
    let last = (from < to).then_some(to - 1);
    let minutes = (from..to).step_by(60_000);
    for now in minutes.chain(last) {
        let Some(instant) = instant(now) else { break };
        let open = calendars.iter().map(|it| it.is_open(instant)).collect();
        see(now, open);
    }
}

fn millis(at: Timestamp) -> i128 {
    i128::from(at.timestamp_millis())
}

fn instant(millis: i128) -> Option<Timestamp> {
    Timestamp::from_timestamp_millis(i64::try_from(millis).ok()?)
}
