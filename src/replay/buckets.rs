//! How many events of each verdict came when.
//!
//! In: instants in any order. Out: counts by hour, day, week, month or year of a zone.
//! Invariant: the memory is bounded, whatever the instants are; what comes out does not depend on
//! how the events were shared among threads.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, SecondsFormat, TimeDelta, Timelike};
use chrono_tz::Tz;

use super::Counts;
use super::summary::{Bucket, OverTime, Step};
use crate::clock::Timestamp;

/// Seconds of the finest bucket. The offset of every zone today is a multiple of it, so that it is
/// wholly in one local hour and day.
const QUARTER: i64 = 15 * 60;

/// Buckets of one size that are held; beyond it they are joined to larger ones.
const MOST: usize = 40_000;

/// Hours up to this many are shown as such: a week and what its ends cut off.
const HOURS: i64 = 8 * 24;
/// And days.
const DAYS: i64 = 100;
/// Days up to which weeks are shown.
const WEEKS: i64 = 2 * 366;
/// Days up to which months are shown.
const MONTHS: i64 = 12 * 366;

/// How fine the buckets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Grain {
    /// Quarters of an hour since 1970.
    #[default]
    Quarter,
    /// Local days since the year 0.
    Day,
    /// Local months since the year 0.
    Month,
}

/// Counts by instant.
#[derive(Debug, Clone, Default)]
pub(super) struct Buckets {
    grain: Grain,
    counts: BTreeMap<i64, Counts>,
    /// The bucket of the last event, not among the counts yet.
    last: i64,
    open: Counts,
    is_open: bool,
}

impl Buckets {
    /// Counts an event.
    #[inline]
    pub(super) fn add(&mut self, at: Timestamp, verdict: usize, zone: Tz) {
        // PERF: most streams are in the order of time, and then the map is hardly touched.
        let key = self.key(at, zone);
        if !self.is_open || key != self.last {
            self.close(zone);
            // The buckets may just have become larger ones.
            self.last = self.key(at, zone);
            self.is_open = true;
        }
        if let Some(count) = self.open.get_mut(verdict) {
            *count += 1;
        }
    }

    #[inline]
    fn key(&self, at: Timestamp, zone: Tz) -> i64 {
        match self.grain {
            Grain::Quarter => at.timestamp().div_euclid(QUARTER),
            grain => local_key(at, grain, zone),
        }
    }

    fn close(&mut self, zone: Tz) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        let open = std::mem::take(&mut self.open);
        add(self.counts.entry(self.last).or_default(), open);
        if self.counts.len() > MOST {
            self.coarsen(zone);
        }
    }

    fn coarsen(&mut self, zone: Tz) {
        let to = match self.grain {
            Grain::Quarter => Grain::Day,
            // A few thousand years have no more months than that.
            Grain::Day | Grain::Month => Grain::Month,
        };
        self.make(to, zone);
    }

    fn make(&mut self, to: Grain, zone: Tz) {
        if self.grain >= to {
            return;
        }
        let from = std::mem::replace(&mut self.grain, to);
        for (key, counts) in std::mem::take(&mut self.counts) {
            let key = match (from, to) {
                (Grain::Quarter, to) => instant(key).map_or(0, |at| local_key(at, to, zone)),
                _ => day(key).map_or(0, |day| date_key(day, to)),
            };
            add(self.counts.entry(key).or_default(), counts);
        }
    }

    /// Adds what another thread counted.
    pub(super) fn merge(&mut self, mut other: Self, zone: Tz) {
        self.close(zone);
        other.close(zone);
        let grain = self.grain.max(other.grain);
        self.make(grain, zone);
        other.make(grain, zone);
        for (key, counts) in other.counts {
            add(self.counts.entry(key).or_default(), counts);
        }
        while self.counts.len() > MOST && self.grain < Grain::Month {
            self.coarsen(zone);
        }
    }

    /// The counts in steps that a person can look over; nothing where there is no event.
    pub(super) fn finish(mut self, zone: Tz) -> Option<OverTime> {
        self.close(zone);
        let (first, last) = (
            *self.counts.first_key_value()?.0,
            *self.counts.last_key_value()?.0,
        );
        let step = self.step(first, last);
        let mut buckets: Vec<Bucket> = Vec::new();
        let mut last: Option<Place> = None;
        for (key, counts) in self.counts {
            let now = Place::of(key, self.grain, step, zone)?;
            // What lies between two events is shown as empty.
            while last.is_none_or(|last| last < now) {
                let next = match last {
                    None => now,
                    Some(last) => last.next(step)?,
                };
                buckets.push(Bucket::new(next.text(step)));
                last = Some(next);
            }
            if let Some(bucket) = buckets.last_mut() {
                bucket.verdicts.add(counts);
            }
        }
        Some(OverTime {
            step,
            zone: zone.name().to_owned(),
            buckets,
        })
    }

    fn step(&self, first: i64, last: i64) -> Step {
        let span = last - first;
        let days = match self.grain {
            Grain::Quarter if span < HOURS * 4 => return Step::Hour,
            Grain::Quarter => span / (4 * 24),
            Grain::Day => span,
            Grain::Month => span * 30,
        };
        match days {
            days if self.grain == Grain::Month && days <= MONTHS => Step::Month,
            _ if self.grain == Grain::Month => Step::Year,
            days if days <= DAYS => Step::Day,
            days if days <= WEEKS => Step::Week,
            days if days <= MONTHS => Step::Month,
            _ => Step::Year,
        }
    }
}

/// Where a shown bucket starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Hour(DateTime<Tz>),
    Date(NaiveDate),
}

impl Place {
    fn of(key: i64, grain: Grain, step: Step, zone: Tz) -> Option<Self> {
        let date = match grain {
            Grain::Quarter => {
                let local = instant(key)?.with_timezone(&zone);
                if step == Step::Hour {
                    // Of the two hours that an autumn night repeats each has a bucket.
                    let minutes = TimeDelta::minutes(i64::from(local.minute()));
                    return Some(Self::Hour(local - minutes));
                }
                local.date_naive()
            }
            Grain::Day => day(key)?,
            Grain::Month => {
                let month = u32::try_from(key.rem_euclid(12)).ok()?;
                NaiveDate::from_ymd_opt(i32::try_from(key.div_euclid(12)).ok()?, month + 1, 1)?
            }
        };
        Some(Self::Date(match step {
            Step::Hour | Step::Day => date,
            Step::Week => date - Days::new(u64::from(date.weekday().num_days_from_monday())),
            Step::Month => date.with_day(1)?,
            Step::Year => date.with_ordinal(1)?,
        }))
    }

    fn next(self, step: Step) -> Option<Self> {
        Some(match self {
            Self::Hour(at) => Self::Hour(at + TimeDelta::hours(1)),
            Self::Date(date) => Self::Date(match step {
                Step::Hour | Step::Day => date.checked_add_days(Days::new(1))?,
                Step::Week => date.checked_add_days(Days::new(7))?,
                Step::Month => date.checked_add_months(Months::new(1))?,
                Step::Year => date.checked_add_months(Months::new(12))?,
            }),
        })
    }

    fn text(self, step: Step) -> String {
        match self {
            Self::Hour(at) => at.to_rfc3339_opts(SecondsFormat::Secs, true),
            Self::Date(date) => match step {
                Step::Month => date.format("%Y-%m").to_string(),
                Step::Year => date.format("%Y").to_string(),
                _ => date.to_string(),
            },
        }
    }
}

fn add(counts: &mut Counts, more: Counts) {
    for (count, more) in counts.iter_mut().zip(more) {
        *count += more;
    }
}

fn instant(quarter: i64) -> Option<Timestamp> {
    DateTime::from_timestamp(quarter.checked_mul(QUARTER)?, 0)
}

fn day(key: i64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(key).ok()?)
}

fn local_key(at: Timestamp, grain: Grain, zone: Tz) -> i64 {
    date_key(at.with_timezone(&zone).date_naive(), grain)
}

fn date_key(date: NaiveDate, grain: Grain) -> i64 {
    match grain {
        Grain::Month => i64::from(date.year()) * 12 + i64::from(date.month0()),
        Grain::Quarter | Grain::Day => i64::from(date.num_days_from_ce()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse_timestamp;

    fn shown(instants: &[&str], zone: Tz) -> (Step, Vec<String>) {
        let mut buckets = Buckets::default();
        for at in instants {
            buckets.add(parse_timestamp(at).unwrap(), 0, zone);
        }
        let over = buckets.finish(zone).unwrap();
        let texts = over.buckets.iter();
        let texts = texts.map(|b| format!("{} {}", b.from, b.verdicts.allow));
        (over.step, texts.collect())
    }

    #[test]
    fn hours_and_days_are_those_of_the_zone() {
        let zone = chrono_tz::Asia::Kolkata;
        let (step, texts) = shown(&["2026-01-01T18:29:59Z", "2026-01-01T18:30:00Z"], zone);
        assert_eq!(step, Step::Hour);
        let expected = ["2026-01-01T23:00:00+05:30 1", "2026-01-02T00:00:00+05:30 1"];
        assert_eq!(texts, expected);
        let (step, texts) = shown(&["2026-01-01T18:29:59Z", "2026-01-15T18:30:00Z"], zone);
        assert_eq!(step, Step::Day);
        assert_eq!(texts.first().unwrap(), "2026-01-01 1");
        assert_eq!(texts.last().unwrap(), "2026-01-16 1");
        assert_eq!(texts.len(), 16, "what is empty is shown too");
    }

    #[test]
    fn an_hour_that_comes_twice_has_two_buckets() {
        let zone = chrono_tz::America::New_York;
        let instants = ["2026-11-01T05:10:00Z", "2026-11-01T06:10:00Z"];
        let (_, texts) = shown(&instants, zone);
        let expected = ["2026-11-01T01:00:00-04:00 1", "2026-11-01T01:00:00-05:00 1"];
        assert_eq!(texts, expected);
    }

    #[test]
    fn long_spans_have_long_steps() {
        for (last, step, first, count) in [
            ("2026-06-30T00:00:00Z", Step::Week, "2025-12-29", 27),
            ("2029-01-01T00:00:00Z", Step::Month, "2026-01", 37),
            ("2099-01-01T00:00:00Z", Step::Year, "2026", 74),
            ("9999-12-31T23:00:00Z", Step::Year, "2026", 7974),
        ] {
            let (found, texts) = shown(&["2026-01-01T12:00:00Z", last], chrono_tz::UTC);
            assert_eq!((found, texts.len()), (step, count), "{last}");
            assert_eq!(texts[0], format!("{first} 1"));
        }
    }

    /// However the events are shared among threads, and however many buckets they fill.
    #[test]
    fn parts_sum_up_to_the_whole() {
        let zone = chrono_tz::Europe::Berlin;
        for quarters in [1, 1_000, 30_000, 50_000, 5_000_000] {
            let mut rng = fastrand::Rng::with_seed(quarters);
            let instants: Vec<i64> = (0..120_000)
                .map(|_| rng.i64(0..i64::try_from(quarters).unwrap()))
                .collect();
            let at = |quarter: i64| DateTime::from_timestamp(quarter * QUARTER + 7, 0).unwrap();
            let mut whole = Buckets::default();
            let mut parts = [Buckets::default(), Buckets::default(), Buckets::default()];
            for (n, quarter) in instants.iter().enumerate() {
                whole.add(at(*quarter), n % 4, zone);
                parts[n / 1_000 % 3].add(at(*quarter), n % 4, zone);
            }
            let mut merged = Buckets::default();
            for part in parts {
                merged.merge(part, zone);
            }
            assert!(merged.counts.len() <= MOST);
            let mut summed = Buckets::default();
            summed.merge(whole, zone);
            let (merged, summed) = (merged.finish(zone).unwrap(), summed.finish(zone).unwrap());
            assert_eq!(merged, summed, "{quarters}");
            let total: u64 = summed.buckets.iter().map(|b| b.verdicts.total()).sum();
            assert_eq!(total, 120_000);
        }
    }
}
