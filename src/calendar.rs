//! Business hours: which instants are open, and when an amount of open time has passed.
//!
//! In: a zone, weekly hours, closed days, instants. Out: yes or no, and instants.
//! Invariant: the open time is a set of instants. It does not depend on the order of the lines, on
//! their overlaps, or on whether a night is written as one line or as two that meet at midnight.
//! Knows no lanes, no text and no positions in it, and reads no clock.
//!
//! The rules (design, *Calendars*), and what follows from them at the edges:
//!
//! * Hours are wall times. One that a clock change skips stands for the first instant after the
//!   gap. One that happens twice stands for its first occurrence where hours start, and for its
//!   last where they end: a shift around the change is longer by the repeated time, never shorter.
//!   That holds for an end at the very first repeated minute too: where 02:00 comes twice, hours
//!   to `02:00` last until the second one.
//! * A closed day removes exactly the instants whose local date is that day, and nothing else. Of
//!   `22:00 to 06:00` on a closed day the part before midnight goes; the part after midnight lies
//!   on the next day and stays, as it would if it were written as that day's `00:00 to 06:00`.
//!   Whoever wants it closed names the next day.
//! * A day that the zone skipped as a whole (Apia, 2011-12-30) has no instants: its hours are
//!   empty, and closing it changes nothing.
//!
//! A doubt: the zone tables of `chrono-tz` end with the year 2099; later instants keep the last
//! offset, without summer time.

use std::ops::Range;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{GapInfo, Tz};

use crate::clock::{Duration, Timestamp};
use crate::limits::CALENDAR_SEARCH_DAYS;
use crate::syntax::ast::Weekday;

mod years;

use years::{Year, Years};

/// Minutes of a wall clock's day, `24:00`.
const DAY_MINUTES: u16 = 24 * 60;

/// Business hours in one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    name: String,
    zone: Tz,
    /// The shifts that start on each weekday, Monday first; of one day sorted and apart.
    week: [Vec<Shift>; 7],
    /// The closed days, sorted and apart.
    closed: Vec<DaySpan>,
    /// What follows from all of it.
    years: Years,
}

/// One line of weekly hours, `mon to fri 09:00 to 18:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The first day.
    pub from: Weekday,
    /// The last day, if a span of days; one before `from` goes over the end of the week.
    pub to: Option<Weekday>,
    /// When it opens, in minutes from midnight, 0 to 1439.
    pub open: u16,
    /// When it closes, in minutes from midnight, 0 to 1440. At or before `open` it is a time of
    /// the next day.
    pub close: u16,
}

/// Why hours and exceptions are not a calendar. An `index` counts from 0 in the slice that was
/// given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// No line of hours.
    #[error("the calendar has no hours, so it is never open")]
    NeverOpen,
    /// Hours that end when they start.
    #[error("hours that end at the minute they start hold no time")]
    EmptyHours {
        /// Which line of hours.
        index: usize,
    },
    /// Hours that start at `24:00` or later: that is the next day.
    #[error("hours start at 23:59 at the latest")]
    LateOpen {
        /// Which line of hours.
        index: usize,
    },
    /// Hours that end later than `24:00`.
    #[error("hours end at 24:00 at the latest; an end before the start is on the next day")]
    LateClose {
        /// Which line of hours.
        index: usize,
    },
    /// An exception whose last day is before its first.
    #[error("the last day of an exception is before its first")]
    BackwardException {
        /// Which exception.
        index: usize,
    },
    /// Exceptions that close so many days in a row that no open time would be found.
    #[error("closed for {CALENDAR_SEARCH_DAYS} days in a row or more")]
    LongException {
        /// Which exception: in the order of their days, the one that makes the row too long.
        index: usize,
    },
}

impl Calendar {
    /// A calendar from its lines: weekly hours, and exceptions as first and last closed day.
    ///
    /// # Errors
    /// The first mistake in the lines, hours before exceptions. A calendar with hours is open at
    /// some time, because exceptions are finite.
    pub fn new(
        name: &str,
        zone: Tz,
        hours: &[Hours],
        exceptions: &[(NaiveDate, NaiveDate)],
    ) -> Result<Self, CalendarError> {
        for (index, line) in hours.iter().enumerate() {
            line.validate(index)?;
        }
        if hours.is_empty() {
            return Err(CalendarError::NeverOpen);
        }
        let week = Weekday::ALL.map(|day| {
            let lines = hours.iter().filter(|line| line.covers(day));
            unite(lines.map(|line| line.shift()).collect())
        });
        Ok(Self {
            name: name.to_owned(),
            zone,
            week,
            closed: closed_days(exceptions)?,
            years: Years::default(),
        })
    }

    /// The name that lanes use.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone of the hours and of the closed days.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// All that its answers follow from.
    pub(crate) fn words(&self) -> String {
        format!("{:?} {:?} {:?}", self.zone, self.week, self.closed)
    }

    /// Whether this instant is open.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        let year = at.timestamp_nanos_opt().zip(self.year(years::year_of(at)));
        match year {
            Some((at, year)) => year.is_open(at),
            None => self.is_open_by_hours(at),
        }
    }

    /// The same from the hours of the days around.
    fn is_open_by_hours(&self, at: Timestamp) -> bool {
        let today = local_time(self.zone, at).date();
        if self.closes(today, today) {
            return false;
        }
        // The days of `open_spans`, without a list of spans.
        let days = days_before(today, 2).iter_days().take(4);
        days.flat_map(|day| self.shifts(day))
            .any(|shift| shift.contains(&at))
    }

    /// The earliest instant at which `length` of open time has passed since `from`. For no length
    /// that is `from`, open or not; for the whole of a day's hours it is their end, not the start
    /// of the next. None when it is later than [`CALENDAR_SEARCH_DAYS`] days of 24 hours from
    /// `from`.
    #[must_use]
    pub fn after_open(&self, from: Timestamp, length: Duration) -> Option<Timestamp> {
        if length.as_millis() == 0 {
            return Some(from);
        }
        let found = self.after_open_by_years(from, length);
        found.or_else(|| self.after_open_by_spans(from, length))
    }

    /// The same from the years that are kept; none where it lies outside of them.
    fn after_open_by_years(&self, from: Timestamp, length: Duration) -> Option<Timestamp> {
        let length = i64::try_from(length.as_millis()).ok()?;
        let length = length.checked_mul(NANOS_OF_MILLI)?;
        let start = from.timestamp_nanos_opt()?;
        let latest = start.checked_add(CALENDAR_SEARCH_DAYS * NANOS_OF_DAY)?;
        let mut number = years::year_of(from);
        let mut year = self.year(number)?;
        let mut left = year.until(start).checked_add(length)?;
        loop {
            match year.after(left) {
                Ok(at) => return (at <= latest).then(|| DateTime::from_timestamp_nanos(at)),
                Err(rest) => left = rest,
            }
            if year.end() > latest {
                return None;
            }
            number += 1;
            year = self.year(number)?;
        }
    }

    /// The open time of a year, if it is kept.
    fn year(&self, number: i32) -> Option<&Year> {
        self.years.year(number, |bounds| {
            self.open_spans(bounds.start, bounds.end).collect()
        })
    }

    /// The same span by span.
    fn after_open_by_spans(&self, from: Timestamp, length: Duration) -> Option<Timestamp> {
        let mut left = length.to_chrono();
        let latest = latest(from);
        for span in self.open_spans(from, latest) {
            let start = span.start.max(from);
            if start >= span.end {
                continue;
            }
            let open = span.end - start;
            if left <= open {
                return Some(start + left).filter(|at| *at <= latest);
            }
            left -= open;
        }
        None
    }

    /// The last closed day: after it the calendar may lack a holiday.
    #[must_use]
    pub fn last_exception(&self) -> Option<NaiveDate> {
        self.closed.last().map(|days| days.last)
    }

    /// The exceptions: the first and the last day of each, in order.
    pub(crate) fn exceptions(&self) -> impl Iterator<Item = (NaiveDate, NaiveDate)> + '_ {
        self.closed.iter().map(|days| (days.first, days.last))
    }

    /// The open time from `from` to `until`, with some more on both sides, as spans that are
    /// sorted and do not overlap.
    fn open_spans(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Range<Timestamp>> {
        // A shift reaches into the day after it started. Around midnight a clock that goes back
        // shows one day more before (the shift is of two days ago), or one day less after (the
        // shift is of tomorrow).
        let first = days_before(local_time(self.zone, from).date(), 2);
        let last = days_after(local_time(self.zone, until).date(), 1);
        let mut covered = DateTime::<chrono::Utc>::MIN_UTC;
        first
            .iter_days()
            .take_while(move |day| *day <= last)
            .flat_map(|day| self.shifts(day))
            .filter_map(move |span| {
                // Starts never decrease, because each is the first occurrence of a later wall
                // time. So one mark is enough to unite the shifts of neighbouring days.
                let start = span.start.max(covered);
                covered = covered.max(span.end);
                (start < span.end).then_some(start..span.end)
            })
            .flat_map(|span| self.without_closed(span))
    }

    /// The shifts that start on a day, as if no day were closed. They are sorted by start, and may
    /// be empty or overlap where a clock changes.
    fn shifts(&self, day: NaiveDate) -> impl Iterator<Item = Range<Timestamp>> {
        let midnight = day.and_time(NaiveTime::MIN);
        let wall = move |minutes: u16| {
            let wall = midnight.checked_add_signed(TimeDelta::minutes(i64::from(minutes)));
            wall.unwrap_or(NaiveDateTime::MAX)
        };
        let weekday = usize::try_from(chrono::Datelike::weekday(&day).num_days_from_monday());
        let shifts = weekday.ok().and_then(|index| self.week.get(index));
        shifts.into_iter().flatten().map(move |shift| {
            local_instant(self.zone, wall(shift.open), true)
                ..local_instant(self.zone, wall(shift.close), false)
        })
    }

    /// What remains of a span when the closed days are taken out.
    fn without_closed(&self, span: Range<Timestamp>) -> Vec<Range<Timestamp>> {
        // One day more on each side, because a clock that goes back goes back to the day before.
        let first = days_before(local_time(self.zone, span.start).date(), 1);
        let last = days_after(local_time(self.zone, span.end).date(), 1);
        if !self.closes(first, last) {
            return vec![span];
        }
        let mut cuts = vec![span.start, span.end];
        for day in first.iter_days().take_while(|day| *day <= last) {
            cuts.extend(date_changes(self.zone, day));
        }
        cuts.retain(|cut| span.start <= *cut && *cut <= span.end);
        cuts.sort_unstable();
        let pieces = cuts.iter().zip(cuts.iter().skip(1));
        pieces
            .filter(|(start, end)| start < end)
            .filter(|(start, _)| {
                let day = local_time(self.zone, **start).date();
                !self.closes(day, day)
            })
            .map(|(start, end)| *start..*end)
            .collect()
    }

    /// Whether a closed day lies from `first` to `last`.
    fn closes(&self, first: NaiveDate, last: NaiveDate) -> bool {
        let next = self.closed.partition_point(|days| days.last < first);
        self.closed.get(next).is_some_and(|days| days.first <= last)
    }
}

const NANOS_OF_MILLI: i64 = 1_000_000;
const NANOS_OF_DAY: i64 = 86_400_000 * NANOS_OF_MILLI;

/// Where a search from an instant ends.
fn latest(from: Timestamp) -> Timestamp {
    let latest = from.checked_add_signed(TimeDelta::days(CALENDAR_SEARCH_DAYS));
    latest.unwrap_or(DateTime::<chrono::Utc>::MAX_UTC)
}

/// Open time of one weekday, in minutes from its midnight; a `close` over [`DAY_MINUTES`] is on
/// the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shift {
    open: u16,
    close: u16,
}

impl Hours {
    fn validate(&self, index: usize) -> Result<(), CalendarError> {
        if self.open >= DAY_MINUTES {
            return Err(CalendarError::LateOpen { index });
        }
        if self.close > DAY_MINUTES {
            return Err(CalendarError::LateClose { index });
        }
        if self.open == self.close {
            return Err(CalendarError::EmptyHours { index });
        }
        Ok(())
    }

    fn covers(&self, day: Weekday) -> bool {
        let to = self.to.unwrap_or(self.from);
        if self.from <= to {
            self.from <= day && day <= to
        } else {
            self.from <= day || day <= to
        }
    }

    fn shift(&self) -> Shift {
        let next_day = self.close < self.open;
        Shift {
            open: self.open,
            close: self.close + if next_day { DAY_MINUTES } else { 0 },
        }
    }
}

/// Sorted, with no two that overlap or touch.
fn unite(mut shifts: Vec<Shift>) -> Vec<Shift> {
    shifts.sort_unstable();
    let mut apart: Vec<Shift> = Vec::with_capacity(shifts.len());
    for shift in shifts {
        match apart.last_mut() {
            Some(last) if shift.open <= last.close => last.close = last.close.max(shift.close),
            _ => apart.push(shift),
        }
    }
    apart
}

/// Days from a first to a last one, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DaySpan {
    first: NaiveDate,
    last: NaiveDate,
}

/// The exceptions sorted, with no two that overlap or touch.
fn closed_days(exceptions: &[(NaiveDate, NaiveDate)]) -> Result<Vec<DaySpan>, CalendarError> {
    let mut sorted = Vec::with_capacity(exceptions.len());
    for (index, &(first, last)) in exceptions.iter().enumerate() {
        if last < first {
            return Err(CalendarError::BackwardException { index });
        }
        sorted.push((first, last, index));
    }
    sorted.sort_unstable();
    let mut closed: Vec<DaySpan> = Vec::with_capacity(sorted.len());
    for (first, last, index) in sorted {
        let days = match closed.last_mut() {
            Some(before) if first <= days_after(before.last, 1) => {
                before.last = before.last.max(last);
                *before
            }
            _ => {
                closed.push(DaySpan { first, last });
                DaySpan { first, last }
            }
        };
        // From the first of so many days on, the search would end before they do.
        if (days.last - days.first).num_days() + 1 >= CALENDAR_SEARCH_DAYS {
            return Err(CalendarError::LongException { index });
        }
    }
    Ok(closed)
}

/// The instant of an example that names none: noon of 2026-01-07, a Wednesday.
#[must_use]
pub fn example_instant(zone: Tz) -> Timestamp {
    let noon = NaiveDate::from_ymd_opt(2026, 1, 7).and_then(|day| day.and_hms_opt(12, 0, 0));
    noon.map_or(Timestamp::UNIX_EPOCH, |noon| {
        local_instant(zone, noon, true)
    })
}

/// The first instant of a local day in a zone. A midnight that a clock change skips moves to the
/// first instant after the gap; of one that comes twice it is the earlier.
#[must_use]
pub fn start_of_day(zone: Tz, day: NaiveDate) -> Timestamp {
    local_instant(zone, day.and_time(NaiveTime::MIN), true)
}

/// The instant of a wall time in a zone. One that a clock change skips moves to the first instant
/// after the gap; of one that comes twice it is the earlier occurrence if `first`, else the later.
#[must_use]
pub fn local_instant(zone: Tz, wall: NaiveDateTime, first: bool) -> Timestamp {
    let mapped = zone.from_local_datetime(&wall);
    let chosen = if first {
        mapped.earliest()
    } else {
        mapped.latest()
    };
    let chosen = chosen.or_else(|| GapInfo::new(&wall, &zone)?.end);
    // What is left is the first and the last day that chrono can hold, where there is no instant
    // to be exact about.
    chosen.map_or_else(|| wall.and_utc(), |at| at.to_utc())
}

/// What the wall clock of a zone shows.
fn local_time(zone: Tz, at: Timestamp) -> NaiveDateTime {
    let utc = at.naive_utc();
    // `DateTime::naive_local` would panic on the first and the last day that chrono can hold.
    let wall = utc.checked_add_offset(zone.offset_from_utc_datetime(&utc).fix());
    wall.unwrap_or(utc)
}

/// The instants at which the local date changes to this day, or from this day back to the one
/// before it. A clock set back over midnight (St. John's, 00:01 to 23:01) gives all three: to the
/// day, back, and to the day again; otherwise some of them are equal.
fn date_changes(zone: Tz, day: NaiveDate) -> [Timestamp; 3] {
    let midnight = day.and_time(NaiveTime::MIN);
    let first = local_instant(zone, midnight, true);
    let last = local_instant(zone, midnight, false);
    [first, clock_change(zone, first, last), last]
}

/// The first instant after `before`, and not after `after`, at which the offset is not that of
/// `before`, when it changes once between them; else `after`. Zones change on whole seconds.
fn clock_change(zone: Tz, before: Timestamp, after: Timestamp) -> Timestamp {
    let offset = |at: Timestamp| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let (mut same, mut changed) = (before, after);
    loop {
        let half = TimeDelta::seconds((changed - same).num_seconds() / 2);
        if half.is_zero() {
            return changed;
        }
        let middle = same + half;
        if offset(middle) == offset(before) {
            same = middle;
        } else {
            changed = middle;
        }
    }
}

fn days_before(day: NaiveDate, count: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(count))
        .unwrap_or(NaiveDate::MIN)
}

fn days_after(day: NaiveDate, count: u64) -> NaiveDate {
    day.checked_add_days(Days::new(count))
        .unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests;
