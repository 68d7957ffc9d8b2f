//! When half an hour of business hours has passed, over the instants of a year, with clock changes and
//! holidays; and whether an instant is open. Answers are asserted before anything is timed.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark may fail loudly; criterion's macros write undocumented functions"
)]

use std::hint::black_box;

use chrono::{NaiveDate, TimeDelta};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use laneway::calendar::{Calendar, Hours};
use laneway::clock::{Duration, Timestamp, parse_timestamp};
use laneway::syntax::ast::Weekday;

fn calendar() -> Calendar {
    let hours = [
        Hours {
            from: Weekday::Mon,
            to: Some(Weekday::Fri),
            open: 9 * 60,
            close: 12 * 60,
        },
        Hours {
            from: Weekday::Mon,
            to: Some(Weekday::Fri),
            open: 13 * 60,
            close: 18 * 60,
        },
    ];
    let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
    let closed = [
        (day(1, 1), day(1, 1)),
        (day(4, 3), day(4, 6)),
        (day(5, 1), day(5, 1)),
        (day(12, 24), day(12, 31)),
    ];
    Calendar::new("office_hours", chrono_tz::Europe::Berlin, &hours, &closed).unwrap()
}

fn at(text: &str) -> Timestamp {
    parse_timestamp(text).unwrap()
}

/// Instants over a year, in an order that no cache foresees.
fn instants() -> Vec<Timestamp> {
    let start = at("2026-01-01T00:00:00Z");
    let spread = (0..4_096i64).map(|n| n * 2_654_435_761 % (365 * 86_400_000));
    spread
        .map(|millis| start + TimeDelta::milliseconds(millis))
        .collect()
}

fn open_time(c: &mut Criterion) {
    let calendar = calendar();
    let half = Duration::from_minutes(30);
    let friday = at("2026-03-27T16:50:00Z");
    assert_eq!(
        calendar.after_open(friday, half),
        Some(at("2026-03-30T07:20:00Z"))
    );
    assert_eq!(
        calendar.after_open(at("2026-12-23T16:45:00Z"), half),
        Some(at("2027-01-01T08:15:00Z"))
    );
    assert!(
        calendar.is_open(at("2026-07-01T07:00:00Z"))
            && !calendar.is_open(at("2026-07-01T10:30:00Z"))
    );
    let instants = instants();
    let mut group = c.benchmark_group("calendar");
    group.throughput(Throughput::Elements(instants.len() as u64));
    for (name, length) in [
        ("respond by in 30m of it", half),
        ("in 40h of it", Duration::from_minutes(40 * 60)),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let found = instants
                    .iter()
                    .filter_map(|at| calendar.after_open(*at, length));
                black_box(found.max())
            });
        });
    }
    group.bench_function("is open", |b| {
        b.iter(|| black_box(instants.iter().filter(|at| calendar.is_open(**at)).count()));
    });
    group.finish();
}

criterion_group!(benches, open_time);
criterion_main!(benches);
