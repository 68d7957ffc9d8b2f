//! The rules of calendars, one by one, and against a simulation minute by minute.

use chrono_tz::{Africa, America, Asia, Atlantic, Australia, Europe, Pacific};
use proptest::prelude::*;

use super::*;
use crate::clock::{format_timestamp, parse_date, parse_timestamp};

fn at(text: &str) -> Timestamp {
    parse_timestamp(text).unwrap()
}

fn date(text: &str) -> NaiveDate {
    parse_date(text).unwrap()
}

/// `fri to mon 22:00 to 06:00`
fn line(text: &str) -> Hours {
    let weekday = |word: &str| Weekday::ALL.into_iter().find(|day| day.as_str() == word);
    let minutes = |word: &str| {
        let (hours, minutes) = word.split_once(':').unwrap();
        hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap()
    };
    let words: Vec<&str> = text.split(' ').collect();
    let (days, clock) = words.split_at(words.len() - 3);
    Hours {
        from: weekday(days[0]).unwrap(),
        to: days.get(2).map(|word| weekday(word).unwrap()),
        open: minutes(clock[0]),
        close: minutes(clock[2]),
    }
}

/// Lines as in a matrix, separated by `;`.
fn calendar(zone: Tz, text: &str) -> Result<Calendar, CalendarError> {
    let mut hours = Vec::new();
    let mut exceptions = Vec::new();
    for part in text.split("; ").filter(|part| !part.is_empty()) {
        match part.strip_prefix("except ") {
            Some(days) => {
                let (first, last) = days.split_once(" to ").unwrap_or((days, days));
                exceptions.push((date(first), date(last)));
            }
            None => hours.push(line(part)),
        }
    }
    Calendar::new("office_hours", zone, &hours, &exceptions)
}

/// The open spans that touch the time from `from` to `until`, cut to it and joined.
fn open_between(calendar: &Calendar, from: &str, until: &str) -> Vec<String> {
    let (from, until) = (at(from), at(until));
    let mut joined: Vec<Range<Timestamp>> = Vec::new();
    for span in calendar.open_spans(from, until) {
        let span = span.start.max(from)..span.end.min(until);
        match joined.last_mut() {
            _ if span.start >= span.end => {}
            Some(last) if last.end == span.start => last.end = span.end,
            _ => joined.push(span),
        }
    }
    for span in &joined {
        let moment = TimeDelta::nanoseconds(1);
        assert!(calendar.is_open(span.start) && calendar.is_open(span.end - moment));
        assert!(span.end == until || !calendar.is_open(span.end));
        assert!(span.start == from || !calendar.is_open(span.start - moment));
    }
    let short = |at: Timestamp| at.format("%dT%H:%M").to_string();
    let show = |span: Range<Timestamp>| format!("{} {}", short(span.start), short(span.end));
    joined.into_iter().map(show).collect()
}

/// What is shown, the zone, the lines, the time looked at, its open spans (day and minute).
type OpenCase = (
    &'static str,
    Tz,
    &'static str,
    (&'static str, &'static str),
    &'static [&'static str],
);

#[test]
fn open_time_follows_the_lines() {
    // 2026-01-05 is a Monday. Times are universal.
    let week = ("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z");
    #[rustfmt::skip]
    let cases: &[OpenCase] = &[
        ("half open, one day", Tz::UTC, "tue 09:00 to 18:00", week,
            &["06T09:00 06T18:00"]),
        ("in the zone", Asia::Kathmandu, "tue 09:00 to 18:00", week,
            &["06T03:15 06T12:15"]),
        ("a span of days", Tz::UTC, "mon to wed 09:00 to 10:00", week,
            &["05T09:00 05T10:00", "06T09:00 06T10:00", "07T09:00 07T10:00"]),
        ("a span over the end of the week", Tz::UTC, "sat to mon 09:00 to 10:00", week,
            &["05T09:00 05T10:00", "10T09:00 10T10:00", "11T09:00 11T10:00"]),
        ("a span of one day", Tz::UTC, "tue to tue 09:00 to 10:00", week,
            &["06T09:00 06T10:00"]),
        ("to 24:00", Tz::UTC, "mon to tue 00:00 to 24:00", week,
            &["05T00:00 07T00:00"]),
        ("to 00:00 is the same", Tz::UTC, "tue 18:00 to 00:00", week,
            &["06T18:00 07T00:00"]),
        ("past midnight, also of the week", Tz::UTC, "sun 22:00 to 06:00", week,
            &["05T00:00 05T06:00", "11T22:00 12T00:00"]),
        ("lines unite in any order", Tz::UTC,
            "tue 12:00 to 15:00; tue 16:00 to 17:00; tue 09:00 to 12:00; tue 10:00 to 11:00", week,
            &["06T09:00 06T15:00", "06T16:00 06T17:00"]),
        ("neighbouring days unite", Tz::UTC, "mon 22:00 to 06:00; tue 03:00 to 09:00", week,
            &["05T22:00 06T09:00"]),
        ("a night over a short day", Tz::UTC, "mon 12:00 to 11:00; tue 01:00 to 02:00", week,
            &["05T12:00 06T11:00"]),
        ("closed days, both included", Tz::UTC,
            "mon to sun 09:00 to 10:00; except 2026-01-06 to 2026-01-10", week,
            &["05T09:00 05T10:00", "11T09:00 11T10:00"]),
        ("closed days are local", Asia::Kathmandu,
            "mon to sun 00:00 to 24:00; except 2026-01-07", week,
            &["05T00:00 06T18:15", "07T18:15 12T00:00"]),
        ("exceptions unite in any order", Tz::UTC,
            "mon to sun 09:00 to 10:00; except 2026-01-09; except 2026-01-05; except 2026-01-06 to 2026-01-10; except 2026-01-07", week,
            &["11T09:00 11T10:00"]),
        ("a closed day takes the end of the night before, and its own evening", Tz::UTC,
            "mon to wed 22:00 to 06:00; except 2026-01-06", week,
            &["05T22:00 06T00:00", "07T00:00 07T06:00", "07T22:00 08T06:00"]),
    ];
    for (what, zone, text, (from, until), expected) in cases {
        let calendar = calendar(*zone, text).unwrap();
        assert_eq!(open_between(&calendar, from, until), *expected, "{what}");
    }
}

#[test]
fn open_time_over_clock_changes() {
    let berlin_spring = ("2026-03-28T12:00:00Z", "2026-03-30T00:00:00Z");
    let berlin_autumn = ("2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z");
    #[rustfmt::skip]
    let cases: &[OpenCase] = &[
        ("starts in a gap", Europe::Berlin, "sun 02:30 to 05:00", berlin_spring,
            &["29T01:00 29T03:00"]),
        ("ends in a gap", Europe::Berlin, "sun 01:00 to 02:30", berlin_spring,
            &["29T00:00 29T01:00"]),
        ("inside a gap", Europe::Berlin, "sun 02:15 to 02:45", berlin_spring, &[]),
        ("starts in an overlap", Europe::Berlin, "sun 02:30 to 05:00", berlin_autumn,
            &["25T00:30 25T04:00"]),
        ("ends in an overlap", Europe::Berlin, "sun 01:00 to 02:30", berlin_autumn,
            &["24T23:00 25T01:30"]),
        ("ends at the first minute of an overlap", Europe::Berlin, "sun 01:00 to 02:00", berlin_autumn,
            &["24T23:00 25T01:00"]),
        ("ends at the end of an overlap", Europe::Berlin, "sun 01:00 to 03:00", berlin_autumn,
            &["24T23:00 25T02:00"]),
        ("a break is lost in an overlap", Europe::Berlin, "sun 01:00 to 02:15; sun 02:30 to 04:00", berlin_autumn,
            &["24T23:00 25T03:00"]),
        ("whole days", Europe::Berlin, "sun 00:00 to 24:00", berlin_autumn,
            &["24T22:00 25T23:00"]),
        ("a gap of half an hour", Australia::Lord_Howe, "sun 02:15 to 03:00",
            ("2026-10-03T00:00:00Z", "2026-10-05T00:00:00Z"), &["03T15:30 03T16:00"]),
        ("an overlap of half an hour", Australia::Lord_Howe, "sun 01:45 to 03:00",
            ("2026-04-04T00:00:00Z", "2026-04-05T12:00:00Z"), &["04T14:45 04T16:30"]),
        ("a gap at midnight", America::Sao_Paulo, "sat 22:00 to 24:00; sun 00:00 to 02:00",
            ("2018-11-03T12:00:00Z", "2018-11-04T12:00:00Z"), &["04T01:00 04T04:00"]),
        ("a closed day that begins with a gap", America::Sao_Paulo, "sat 22:00 to 02:00; except 2018-11-04",
            ("2018-11-03T12:00:00Z", "2018-11-04T12:00:00Z"), &["04T01:00 04T03:00"]),
        ("an overlap before midnight", America::Sao_Paulo, "sat 23:30 to 24:00",
            ("2018-02-17T12:00:00Z", "2018-02-18T12:00:00Z"), &["18T01:30 18T03:00"]),
        ("a closed day that ends with an overlap", America::Sao_Paulo, "sat 20:00 to 04:00; except 2018-02-17",
            ("2018-02-17T12:00:00Z", "2018-02-18T12:00:00Z"), &["18T03:00 18T07:00"]),
        ("an overlap at midnight goes to the end", Atlantic::Azores, "sat 23:00 to 24:00",
            ("2025-10-25T12:00:00Z", "2025-10-26T12:00:00Z"), &["25T23:00 26T01:00"]),
        ("but not into a closed day", Atlantic::Azores, "sat 23:00 to 24:00; except 2025-10-26",
            ("2025-10-25T12:00:00Z", "2025-10-26T12:00:00Z"), &["25T23:00 26T00:00"]),
        // 2010-11-07 00:01 went back to 2010-11-06 23:01: a minute of Sunday within Saturday.
        ("a closed day is left and entered again", America::St_Johns, "sat to sun 00:00 to 24:00; except 2010-11-06",
            ("2010-11-06T12:00:00Z", "2010-11-07T12:00:00Z"), &["07T02:30 07T02:31", "07T03:30 07T12:00"]),
        ("and so is the next", America::St_Johns, "sat to sun 00:00 to 24:00; except 2010-11-07",
            ("2010-11-06T12:00:00Z", "2010-11-07T12:00:00Z"), &["06T12:00 07T02:30", "07T02:31 07T03:30"]),
        ("hours that end before the minute of the closed day", America::St_Johns, "sat 20:00 to 23:30; except 2010-11-07",
            ("2010-11-06T12:00:00Z", "2010-11-07T12:00:00Z"), &["06T22:30 07T02:30", "07T02:31 07T03:00"]),
        ("hours that start before the closed day comes back", America::St_Johns, "sun 00:00 to 05:00; except 2010-11-06",
            ("2010-11-06T12:00:00Z", "2010-11-07T12:00:00Z"), &["07T02:30 07T02:31", "07T03:30 07T08:30"]),
        // Apia had no 30 December 2011, a Friday.
        ("a skipped day holds no time", Pacific::Apia, "thu to sat 09:00 to 17:00",
            ("2011-12-29T00:00:00Z", "2011-12-31T12:00:00Z"), &["29T19:00 30T03:00", "30T19:00 31T03:00"]),
        ("nights around a skipped day", Pacific::Apia, "thu to fri 22:00 to 06:00",
            ("2011-12-29T20:00:00Z", "2011-12-31T12:00:00Z"), &["30T08:00 30T16:00"]),
        ("a skipped day closed", Pacific::Apia, "thu to fri 22:00 to 06:00; except 2011-12-30",
            ("2011-12-29T20:00:00Z", "2011-12-31T12:00:00Z"), &["30T08:00 30T16:00"]),
        // Sitka went back by a day, from 19 to 18 October 1867: two Fridays.
        ("a day that came twice", America::Sitka, "fri 17:00 to 18:00",
            ("1867-10-17T00:00:00Z", "1867-10-20T00:00:00Z"), &["18T02:01 19T03:01"]),
    ];
    for (what, zone, text, (from, until), expected) in cases {
        let calendar = calendar(*zone, text).unwrap();
        assert_eq!(open_between(&calendar, from, until), *expected, "{what}");
    }
}

#[test]
fn a_shift_of_another_day_is_found() {
    // Saturday 6 November 2010 lasted to 02:30Z, then a minute of Sunday, then Saturday again.
    for (text, instant) in [
        ("fri 23:45 to 23:30", "2010-11-07T02:30:30Z"),
        ("sun 00:00 to 05:00", "2010-11-07T03:00:00Z"),
    ] {
        let office = calendar(America::St_Johns, text).unwrap();
        assert!(office.is_open(at(instant)), "{text}");
    }
}

#[test]
fn lines_that_meet_are_one() {
    let one = calendar(
        Tz::UTC,
        "mon 09:00 to 18:00; except 2026-05-01 to 2026-05-02",
    );
    let two = "mon 12:00 to 18:00; mon 09:00 to 12:00; except 2026-05-02; except 2026-05-01";
    assert_eq!(one, calendar(Tz::UTC, two));
}

#[test]
fn a_night_may_be_written_as_two_lines() {
    let days = "except 2010-11-06; except 2018-11-04; except 2025-10-26";
    for zone in [America::St_Johns, America::Sao_Paulo, Atlantic::Azores] {
        let one = calendar(zone, &format!("sat 18:00 to 05:00; {days}")).unwrap();
        let two = format!("sat 18:00 to 24:00; sun 00:00 to 05:00; {days}");
        let two = calendar(zone, &two).unwrap();
        for year in [2010, 2018, 2025] {
            let (from, until) = (
                format!("{year}-02-01T00:00:00Z"),
                format!("{year}-12-01T00:00:00Z"),
            );
            assert_eq!(
                open_between(&one, &from, &until),
                open_between(&two, &from, &until)
            );
        }
    }
}

#[test]
fn open_time_passes() {
    let text = "mon to fri 09:00 to 18:00; except 2026-12-24 to 2026-12-26";
    let office = calendar(Europe::Berlin, text).unwrap();
    let after = |from: &str, length: &str| {
        let reached = office.after_open(at(from), Duration::parse(length).unwrap());
        format_timestamp(reached.unwrap())
    };
    for (from, length, expected) in [
        // No length: the instant itself, closed or open.
        ("2026-01-10T12:00:00.5Z", "0s", "2026-01-10T12:00:00.500Z"),
        ("2026-01-07T08:15:00Z", "30m", "2026-01-07T08:45:00Z"),
        // The whole day ends with the day; a moment more is on the next.
        ("2026-01-07T08:00:00Z", "9h", "2026-01-07T17:00:00Z"),
        ("2026-01-07T08:00:00Z", "9h1ms", "2026-01-08T08:00:00.001Z"),
        // The end of the hours is closed.
        ("2026-01-07T17:00:00Z", "1m", "2026-01-08T08:01:00Z"),
        // Friday evening, the weekend, and before the morning.
        ("2026-01-09T16:45:00Z", "30m", "2026-01-12T08:15:00Z"),
        ("2026-01-12T00:00:00Z", "30m", "2026-01-12T08:30:00Z"),
        // `1d` is 24 hours of open time.
        ("2026-01-05T00:00:00Z", "1d", "2026-01-07T14:00:00Z"),
        // Christmas, then Sunday.
        ("2026-12-23T16:30:00Z", "1h", "2026-12-28T08:30:00Z"),
        // Over the change to summer time: 09:00 is 07:00Z.
        ("2026-03-27T16:30:00Z", "1h", "2026-03-30T07:30:00Z"),
        // Fractions of a second stay.
        ("2026-01-07T16:59:59.250Z", "1s", "2026-01-08T08:00:00.250Z"),
        // A year and more: 261 weekdays of 2026, two of them closed, at 9 hours.
        ("2026-01-01T00:00:00Z", "2331h", "2026-12-31T17:00:00Z"),
    ] {
        assert_eq!(after(from, length), expected, "{length} from {from}");
    }
}

#[test]
fn the_search_ends() {
    let office = calendar(Tz::UTC, "mon to sun 00:00 to 24:00").unwrap();
    let (from, day) = (at("2026-01-07T12:00:00.25Z"), 86_400_000);
    let days = u64::try_from(CALENDAR_SEARCH_DAYS).unwrap();
    let longest = Duration::from_millis(days * day);
    assert_eq!(
        office.after_open(from, longest),
        Some(from + TimeDelta::days(CALENDAR_SEARCH_DAYS))
    );
    let longer = Duration::from_millis(days * day + 1);
    assert_eq!(office.after_open(from, longer), None);
    assert_eq!(office.after_open(from, Duration::MAX), None);
    assert_eq!(office.after_open(from, Duration::default()), Some(from));
}

#[test]
fn mistakes_are_errors() {
    use CalendarError::*;
    let day = "mon 09:00 to 18:00; ";
    let (closed_3659, closed_3660) = ("2026-01-01 to 2036-01-07", "2026-01-01 to 2036-01-08");
    for (text, expected) in [
        (String::new(), Err(NeverOpen)),
        ("except 2026-01-01".to_owned(), Err(NeverOpen)),
        (
            format!("{day}tue 09:00 to 09:00"),
            Err(EmptyHours { index: 1 }),
        ),
        (
            format!("{day}tue 00:00 to 00:00"),
            Err(EmptyHours { index: 1 }),
        ),
        (
            format!("{day}tue 24:00 to 06:00"),
            Err(LateOpen { index: 1 }),
        ),
        (
            format!("{day}tue 24:00 to 24:00"),
            Err(LateOpen { index: 1 }),
        ),
        (
            format!("{day}tue 09:00 to 24:01"),
            Err(LateClose { index: 1 }),
        ),
        (format!("{day}tue 23:59 to 24:00"), Ok(())),
        (
            format!("{day}except 2026-01-01; except 2026-01-02 to 2026-01-01"),
            Err(BackwardException { index: 1 }),
        ),
        (format!("{day}except {closed_3659}"), Ok(())),
        (
            format!("{day}except {closed_3660}"),
            Err(LongException { index: 0 }),
        ),
        // One day more, from a line that touches the long one; and one that leaves a day.
        (
            format!("{day}except 2025-12-31; except {closed_3659}"),
            Err(LongException { index: 1 }),
        ),
        (
            format!("{day}except 2025-12-30; except {closed_3659}"),
            Ok(()),
        ),
    ] {
        assert_eq!(calendar(Tz::UTC, &text).map(|_| ()), expected, "{text}");
    }
}

#[test]
fn a_calendar_tells_its_parts() {
    let text = "mon 09:00 to 18:00; except 2026-12-24 to 2026-12-26; except 2026-05-01";
    let office = calendar(Europe::Berlin, text).unwrap();
    assert_eq!(office.name(), "office_hours");
    assert_eq!(office.zone(), Europe::Berlin);
    assert_eq!(office.last_exception(), Some(date("2026-12-26")));
    let office = calendar(Europe::Berlin, "mon 09:00 to 18:00").unwrap();
    assert_eq!(office.last_exception(), None);
}

#[test]
fn days_start_where_the_zone_starts_them() {
    for (zone, day, expected) in [
        (Europe::Berlin, "2026-03-29", "2026-03-28T23:00:00Z"),
        (America::Sao_Paulo, "2018-11-04", "2018-11-04T03:00:00Z"),
        (Africa::Cairo, "2026-04-24", "2026-04-23T22:00:00Z"),
        (Atlantic::Azores, "2025-10-26", "2025-10-26T00:00:00Z"),
        (Asia::Kathmandu, "1986-01-01", "1985-12-31T18:30:00Z"),
        (Pacific::Apia, "2011-12-30", "2011-12-30T10:00:00Z"),
        (Pacific::Apia, "2011-12-31", "2011-12-30T10:00:00Z"),
    ] {
        let start = start_of_day(zone, date(day));
        assert_eq!(format_timestamp(start), expected, "{zone} {day}");
    }
}

#[test]
fn wall_times_have_an_instant() {
    for (zone, wall, first, last) in [
        (Europe::Berlin, "2026-10-25T02:00", "00:00", "01:00"),
        (Europe::Berlin, "2026-10-25T02:59", "00:59", "01:59"),
        (Europe::Berlin, "2026-10-25T03:00", "02:00", "02:00"),
        (Europe::Berlin, "2026-03-29T02:00", "01:00", "01:00"),
        (Europe::Berlin, "2026-03-29T02:59", "01:00", "01:00"),
        (Europe::Berlin, "2026-03-29T03:00", "01:00", "01:00"),
        (Europe::Berlin, "2026-03-29T03:01", "01:01", "01:01"),
        (America::New_York, "2026-11-01T01:30", "05:30", "06:30"),
        (Australia::Lord_Howe, "2026-04-05T01:30", "14:30", "15:00"),
        (Australia::Lord_Howe, "2026-10-04T02:29", "15:30", "15:30"),
        (Asia::Kathmandu, "1986-01-01T00:07", "18:30", "18:30"),
        (Pacific::Apia, "2011-12-30T12:00", "10:00", "10:00"),
    ] {
        let wall = NaiveDateTime::parse_from_str(wall, "%Y-%m-%dT%H:%M").unwrap();
        let show = |earlier| {
            local_instant(zone, wall, earlier)
                .format("%H:%M")
                .to_string()
        };
        assert_eq!(
            (&*show(true), &*show(false)),
            (first, last),
            "{zone} {wall}"
        );
    }
}

#[test]
fn the_ends_of_time_do_not_panic() {
    let length = Duration::from_minutes(90);
    for zone in [Pacific::Apia, America::Los_Angeles, Tz::UTC] {
        let text = "mon to sun 09:00 to 08:00; except 2026-01-01";
        let office = calendar(zone, text).unwrap();
        let days = [
            (NaiveDate::MIN, NaiveDate::MIN),
            (NaiveDate::MAX, NaiveDate::MAX),
        ];
        let ends = Calendar::new("ends", zone, &[line(&text[..25])], &days).unwrap();
        for calendar in [office, ends] {
            for edge in [
                DateTime::<chrono::Utc>::MIN_UTC,
                DateTime::<chrono::Utc>::MAX_UTC,
                at("0000-01-01T00:00:00Z"),
                at("9999-12-31T23:59:59Z"),
                at("2026-06-30T23:59:60Z"),
            ] {
                let _ = calendar.is_open(edge);
                let reached = calendar.after_open(edge, length);
                assert!(reached.is_none_or(|at| at > edge));
                assert_eq!(calendar.after_open(edge, Duration::MAX), None);
            }
        }
        for wall in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
            assert!(local_instant(zone, wall, true) <= local_instant(zone, wall, false));
            let _ = start_of_day(zone, wall.date());
        }
    }
}

/// What the rules say, minute by minute. It asks the zone only what the wall clock shows at an
/// instant, never which instant a wall time is.
struct Simulation {
    /// Each minute of universal time, what the wall clock shows, and whether it is open.
    minutes: Vec<(Timestamp, NaiveDateTime, bool)>,
}

impl Simulation {
    const DAYS: i64 = 7;

    fn new(zone: Tz, middle: NaiveDate, hours: &[Hours], closed: &[NaiveDate]) -> Self {
        let noon = middle.and_hms_opt(12, 0, 0).unwrap().and_utc();
        let minute = |n| {
            let at = noon + TimeDelta::minutes(n);
            (at, at.with_timezone(&zone).naive_local(), false)
        };
        let half = Self::DAYS * 24 * 60 / 2;
        let mut minutes: Vec<_> = (-half..half).map(minute).collect();
        for back in -Self::DAYS / 2 - 3..Self::DAYS / 2 + 3 {
            let day = middle + TimeDelta::days(back);
            let weekday = day.format("%a").to_string().to_lowercase();
            for line in hours {
                let mut named = Self::named_days(line);
                if !named.any(|name| name == weekday) {
                    continue;
                }
                let midnight = day.and_hms_opt(0, 0, 0).unwrap();
                let opens = midnight + TimeDelta::minutes(line.open.into());
                let mut closes = midnight + TimeDelta::minutes(line.close.into());
                if closes <= opens {
                    closes += TimeDelta::days(1);
                }
                Self::open(&mut minutes, opens, closes);
            }
        }
        for (_, wall, open) in &mut minutes {
            *open &= !closed.contains(&wall.date());
        }
        Self { minutes }
    }

    /// Walks the week from the first day to the last.
    fn named_days(line: &Hours) -> impl Iterator<Item = &'static str> {
        let week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let (from, to) = (line.from.as_str(), line.to.unwrap_or(line.from).as_str());
        let endless = week.into_iter().cycle().skip_while(move |day| *day != from);
        let mut ended = false;
        endless.take_while(move |day| {
            let before = ended;
            ended |= *day == to;
            !before
        })
    }

    /// From the first minute that shows `opens`, else the first after the jump over it; to the
    /// last minute that shows `closes`, else the first after the jump over it.
    fn open(
        minutes: &mut [(Timestamp, NaiveDateTime, bool)],
        opens: NaiveDateTime,
        closes: NaiveDateTime,
    ) {
        let jump = |minutes: &[(Timestamp, NaiveDateTime, bool)], wall| {
            let later = minutes.iter().position(|(_, shown, _)| *shown > wall);
            later.unwrap_or(minutes.len())
        };
        let start = minutes.iter().position(|(_, shown, _)| *shown == opens);
        let start = start.unwrap_or_else(|| jump(minutes, opens));
        let end = minutes.iter().rposition(|(_, shown, _)| *shown == closes);
        let end = end.unwrap_or_else(|| jump(minutes, closes));
        for (_, _, open) in minutes.iter_mut().take(end).skip(start) {
            *open = true;
        }
    }

    /// Counts open milliseconds, minute by minute. None when the simulation ends before.
    fn after_open(&self, from: Timestamp, length: u64) -> Option<Timestamp> {
        let mut left = i64::try_from(length).unwrap();
        let mut now = from;
        for (start, _, open) in &self.minutes {
            let end = *start + TimeDelta::minutes(1);
            if end <= now {
                continue;
            }
            let here = (end - now).num_milliseconds();
            if *open && here >= left {
                return Some(now + TimeDelta::milliseconds(left));
            }
            left -= if *open { here } else { 0 };
            now = end;
        }
        None
    }
}

/// Days on which a clock changes, and some on which none does.
const EDGES: [(Tz, (i32, u32, u32)); 23] = [
    (Europe::Berlin, (2026, 3, 29)),
    (Europe::Berlin, (2026, 10, 25)),
    (America::New_York, (2026, 3, 8)),
    (America::New_York, (2026, 11, 1)),
    (Asia::Kathmandu, (1986, 1, 1)),
    (Asia::Kathmandu, (2026, 6, 1)),
    (Australia::Lord_Howe, (2026, 4, 5)),
    (Australia::Lord_Howe, (2026, 10, 4)),
    (America::Sao_Paulo, (2018, 2, 18)),
    (America::Sao_Paulo, (2018, 11, 4)),
    (Africa::Cairo, (2014, 5, 16)),
    (Africa::Cairo, (2014, 9, 26)),
    (Africa::Cairo, (2026, 4, 24)),
    (Africa::Cairo, (2026, 10, 30)),
    (Pacific::Apia, (2011, 9, 24)),
    (Pacific::Apia, (2011, 12, 30)),
    (Pacific::Apia, (2012, 4, 1)),
    (America::St_Johns, (2010, 3, 14)),
    (America::St_Johns, (2010, 11, 7)),
    (Atlantic::Azores, (2026, 3, 29)),
    (Atlantic::Azores, (2025, 10, 26)),
    (Tz::UTC, (2026, 2, 28)),
    (Tz::UTC, (2024, 12, 31)),
];

/// Quarters of an hour near midnight and the usual hours of changes, or any minute.
fn clock() -> impl Strategy<Value = u16> {
    prop_oneof![
        3 => (0u16..=14).prop_map(|quarter| quarter * 15),
        1 => (88u16..=95).prop_map(|quarter| quarter * 15),
        2 => 0u16..1440,
    ]
}

fn hours() -> impl Strategy<Value = Hours> {
    let day = || proptest::sample::select(&Weekday::ALL[..]);
    let close = prop_oneof![9 => clock(), 1 => Just(1440)];
    (day(), proptest::option::of(day()), clock(), close)
        .prop_filter("holds no time", |(_, _, open, close)| open != close)
        .prop_map(|(from, to, open, close)| Hours {
            from,
            to,
            open,
            close,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn agrees_with_the_minutes(
        (zone, (year, month, day)) in proptest::sample::select(&EDGES[..]),
        hours in proptest::collection::vec(hours(), 1..4),
        closed in proptest::collection::vec(-3i64..=3, 0..3),
        questions in proptest::collection::vec((0i64..4 * 86_400_000, 0u64..200_000_000), 8),
    ) {
        let middle = NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let closed: Vec<_> = closed.iter().map(|n| middle + TimeDelta::days(*n)).collect();
        let exceptions: Vec<_> = closed.iter().map(|day| (*day, *day)).collect();
        let calendar = Calendar::new("c", zone, &hours, &exceptions).unwrap();
        let simulation = Simulation::new(zone, middle, &hours, &closed);
        // The first day lacks the nights that began before the simulation, and the last the
        // second occurrence of what would come after it.
        let (first, _, _) = simulation.minutes[0];
        let (first, last) = (first + TimeDelta::days(2), first + TimeDelta::days(Simulation::DAYS - 1));
        for (at, wall, open) in &simulation.minutes {
            if first <= *at && *at < last {
                prop_assert_eq!(calendar.is_open(*at), *open, "{} {}", at, wall);
            }
        }
        for (offset, length) in questions {
            let from = first + TimeDelta::milliseconds(offset);
            let reached = calendar.after_open(from, Duration::from_millis(length));
            match simulation.after_open(from, length) {
                Some(expected) if expected < last => prop_assert_eq!(reached, Some(expected)),
                _ => prop_assert!(reached.is_none_or(|at| at >= last)),
            }
        }
    }
}

#[test]
fn an_instant_is_open_where_the_open_time_has_it() {
    let mut rng = fastrand::Rng::with_seed(7);
    for zone in [
        chrono_tz::Europe::Berlin,
        chrono_tz::America::Sao_Paulo,
        chrono_tz::Pacific::Apia,
    ] {
        let day = |text: &str| crate::clock::parse_date(text).unwrap();
        let hours = [
            Hours {
                from: Weekday::Mon,
                to: Some(Weekday::Fri),
                open: 22 * 60,
                close: 6 * 60,
            },
            Hours {
                from: Weekday::Sat,
                to: None,
                open: 120,
                close: 180,
            },
            Hours {
                from: Weekday::Sun,
                to: None,
                open: 0,
                close: 24 * 60,
            },
        ];
        let closed = [
            (day("2011-12-29"), day("2011-12-31")),
            (day("2026-03-28"), day("2026-03-29")),
        ];
        let calendar = Calendar::new("c", zone, &hours, &closed).unwrap();
        for around in [
            "2011-12-30T00:00:00Z",
            "2026-03-29T00:00:00Z",
            "2026-10-25T00:00:00Z",
        ] {
            let around = crate::clock::parse_timestamp(around).unwrap();
            for _ in 0..2_000 {
                let at = around + TimeDelta::minutes(rng.i64(-6_000..6_000));
                let spans = calendar.open_spans(at, at).any(|span| span.contains(&at));
                assert_eq!(calendar.is_open(at), spans, "{zone} {at}");
            }
        }
    }
}
