//! The open time of whole years, worked out once.
//!
//! In: the spans of a calendar. Out: whether an instant is open, and when an amount of open time has
//! passed, by binary search.
//! Invariant: the answers are those of the spans; what lies outside of the years that are kept has
//! none. Knows no zones and no weekly hours.

use std::ops::Range;
use std::sync::OnceLock;

use chrono::{Datelike, NaiveDate};

use crate::clock::Timestamp;

/// The first year that is kept.
const FIRST: i32 = 1970;

/// How many years are kept: up to 2099, where the tables of zones end.
const YEARS: usize = 130;

/// The years of one calendar; each is worked out when it is first asked for.
#[derive(Debug, Default)]
pub(super) struct Years(OnceLock<Box<[OnceLock<Year>]>>);

/// They follow from the calendar.
impl Clone for Years {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Years {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Years {}

/// The open spans of a year in universal time, in nanoseconds since 1970.
#[derive(Debug)]
pub(super) struct Year {
    starts: Box<[i64]>,
    ends: Box<[i64]>,
    /// The open time of the year before each span.
    before: Box<[i64]>,
    /// The open time of the whole year.
    total: i64,
    /// Its end.
    end: i64,
}

impl Years {
    /// A year, if it is kept; `spans` gives the open time between two instants, with some more on
    /// both sides.
    pub(super) fn year(
        &self,
        year: i32,
        spans: impl FnOnce(Range<Timestamp>) -> Vec<Range<Timestamp>>,
    ) -> Option<&Year> {
        let index = usize::try_from(year.checked_sub(FIRST)?).ok()?;
        let years = self
            .0
            .get_or_init(|| (0..YEARS).map(|_| OnceLock::new()).collect());
        let kept = years.get(index)?;
        let bounds = first_of(year)?..first_of(year + 1)?;
        Some(kept.get_or_init(|| Year::of(&bounds, spans(bounds.clone()))))
    }
}

/// The year of an instant in universal time.
pub(super) fn year_of(at: Timestamp) -> i32 {
    at.naive_utc().year()
}

fn first_of(year: i32) -> Option<Timestamp> {
    let midnight = NaiveDate::from_ymd_opt(year, 1, 1)?.and_hms_opt(0, 0, 0)?;
    Some(midnight.and_utc())
}

impl Year {
    fn of(bounds: &Range<Timestamp>, spans: Vec<Range<Timestamp>>) -> Self {
        let inside = spans.into_iter().filter_map(|span| {
            let start = span.start.max(bounds.start).timestamp_nanos_opt()?;
            let end = span.end.min(bounds.end).timestamp_nanos_opt()?;
            (start < end).then_some((start, end))
        });
        let (starts, ends): (Vec<i64>, Vec<i64>) = inside.unzip();
        let mut total = 0;
        let before = starts.iter().zip(&ends).map(|(start, end)| {
            let before = total;
            total += end - start;
            before
        });
        Self {
            before: before.collect(),
            starts: starts.into(),
            ends: ends.into(),
            total,
            end: bounds.end.timestamp_nanos_opt().unwrap_or(i64::MAX),
        }
    }

    /// Its end.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    /// Whether an instant of the year is open.
    pub(super) fn is_open(&self, at: i64) -> bool {
        let behind = self.starts.partition_point(|start| *start <= at);
        let end = behind.checked_sub(1).and_then(|span| self.ends.get(span));
        end.is_some_and(|end| at < *end)
    }

    /// The open time of the year up to an instant of it.
    pub(super) fn until(&self, at: i64) -> i64 {
        let behind = self.starts.partition_point(|start| *start <= at);
        let Some(span) = behind.checked_sub(1) else {
            return 0;
        };
        let parts = (
            self.starts.get(span),
            self.ends.get(span),
            self.before.get(span),
        );
        match parts {
            (Some(start), Some(end), Some(before)) => before + at.min(*end) - start,
            _ => 0,
        }
    }

    /// The earliest instant at which so much open time of the year has passed, or how much of it is
    /// left for the next one.
    pub(super) fn after(&self, open: i64) -> Result<i64, i64> {
        if open > self.total {
            return Err(open - self.total);
        }
        let behind = self.before.partition_point(|before| *before < open);
        let span = behind.checked_sub(1);
        let span = span.and_then(|span| Some((self.starts.get(span)?, self.before.get(span)?)));
        // Of a year without open time nothing but nothing is asked.
        span.map_or(Err(0), |(start, before)| Ok(start + (open - before)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use chrono_tz::{America, Asia, Australia, Europe, Tz};
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::{Calendar, Hours};
    use crate::clock::Duration;
    use crate::syntax::ast::Weekday;

    /// Half past hours, changes at midnight, both edges of summer time, a skipped day.
    const ZONES: [Tz; 8] = [
        Tz::UTC,
        Europe::Berlin,
        America::New_York,
        America::Sao_Paulo,
        Asia::Kolkata,
        Asia::Kathmandu,
        Australia::Lord_Howe,
        chrono_tz::Pacific::Apia,
    ];

    fn hours() -> impl Strategy<Value = Hours> {
        (0usize..7, 0usize..7, 0u16..1440, 1u16..1440).prop_map(|(from, to, open, length)| Hours {
            from: Weekday::ALL[from],
            to: Some(Weekday::ALL[to]),
            open,
            close: (open + length) % 1441,
        })
    }

    fn instant() -> impl Strategy<Value = Timestamp> {
        let around = prop_oneof![
            // The end of the years that are kept, both sides of new year, and anywhere.
            Just("2099-12-20T00:00:00Z"),
            Just("2026-12-30T00:00:00Z"),
            Just("1969-12-25T00:00:00Z"),
            Just("2011-12-29T00:00:00Z"),
            Just("2024-02-28T00:00:00Z"),
            Just("2026-03-28T00:00:00Z"),
            Just("2026-10-24T00:00:00Z"),
        ];
        (around, 0i64..30 * 86_400_000).prop_map(|(around, millis)| {
            let around: Timestamp = around.parse::<DateTime<chrono::Utc>>().unwrap();
            around + TimeDelta::milliseconds(millis)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn years_answer_as_spans_do(
            zone in 0..ZONES.len(),
            hours in prop::collection::vec(hours(), 1..4),
            closed in prop::collection::vec((0i64..40, 0i64..5), 0..4),
            from in instant(),
            minutes in prop_oneof![1u64..600, 600u64..576_000],
            steps in prop::collection::vec(-3_000_000i64..3_000_000, 8),
        ) {
            let day = |days: i64| from.date_naive() + TimeDelta::days(days - 5);
            let closed: Vec<_> = closed
                .into_iter()
                .map(|(first, more)| (day(first), day(first + more)))
                .collect();
            let Ok(calendar) = Calendar::new("c", ZONES[zone], &hours, &closed) else {
                return Ok(());
            };
            let length = Duration::from_minutes(minutes);
            let latest = super::super::latest(from);
            let spans = calendar.after_open_by_spans(from, length).filter(|at| *at <= latest);
            prop_assert_eq!(calendar.after_open(from, length), spans);
            for step in steps {
                let at = from + TimeDelta::milliseconds(step);
                prop_assert_eq!(calendar.is_open(at), calendar.is_open_by_hours(at), "{}", at);
            }
        }
    }
}
