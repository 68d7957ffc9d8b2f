//! Numbers of a summary as people read them.
//!
//! In: counts, shares, bytes. Out: words. Knows no format.

use std::time::Duration;

use chrono_tz::Tz;

use crate::replay::Summary;
use crate::replay::summary::{Example, LogSummary, Named, Part, Step};
use crate::words::moment;

/// `1,234,567`
pub(in crate::cli) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `12.3 %`; what is not nothing is not shown as nothing.
pub(in crate::cli) fn share(part: Part) -> String {
    let percent = part.share() * 100.0;
    match part.events {
        0 => "0 %".to_owned(),
        _ if percent < 0.05 => "< 0.1 %".to_owned(),
        _ if part.events < part.of && percent > 99.95 => "> 99.9 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

/// `1 event`, `1,234 events`
pub(super) fn events(events: u64) -> String {
    let plural = if events == 1 { "" } else { "s" };
    format!("{} event{plural}", number(events))
}

/// `350.2 MB`
#[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
pub(super) fn bytes(bytes: u64) -> String {
    let mut size = bytes as f64;
    let mut unit = "bytes";
    for next in ["kB", "MB", "GB", "TB"] {
        if size < 1000.0 {
            break;
        }
        size /= 1000.0;
        unit = next;
    }
    match unit {
        "bytes" => format!("{bytes} bytes"),
        unit => format!("{size:.1} {unit}"),
    }
}

/// How many events there are and from when to when.
pub(super) fn extent(summary: &Summary) -> String {
    let mut line = format!("{}, {}", events(summary.events), bytes(summary.bytes));
    let zone = summary
        .over_time
        .as_ref()
        .map(|over| over.zone.parse::<Tz>());
    let zone = zone.and_then(Result::ok).unwrap_or(Tz::UTC);
    if let (Some(first), Some(last)) = (summary.first, summary.last) {
        let (first, last) = (moment(first, zone), moment(last, zone));
        line = format!("{line}, {first} to {last}");
    }
    if summary.untimed > 0 {
        line = format!("{line}, {} without a time", number(summary.untimed));
    }
    line
}

/// How much of the time one bar stands for.
pub(super) fn one_bar(step: Step, together: usize) -> String {
    match (together, step) {
        (0 | 1, Step::Hour) => "one bar an hour".to_owned(),
        (0 | 1, step) => format!("one bar a {}", step.as_str()),
        (n, step) => format!("one bar for {n} {}s", step.as_str()),
    }
}

/// The beginning of a bucket without its seconds and offset: the zone is said beside it.
pub(super) fn when(from: &str) -> String {
    match from.split_once('T') {
        Some((date, time)) => format!("{date} {}", time.get(..5).unwrap_or_default()),
        None => from.to_owned(),
    }
}

/// `escalate by customer_risk`
pub(super) fn named(named: &Named) -> String {
    format!("{} by {}", named.verdict.as_str(), named.by)
}

/// What is to be known of the lines of a decision log, with how many there are.
pub(super) fn remarks(log: &LogSummary) -> impl Iterator<Item = (u64, &'static str)> {
    let all = [
        (
            log.sampled,
            "of a sample: counts and measures are those of the sample",
        ),
        (
            log.redacted,
            "redacted: one may change because of what was taken out",
        ),
        (log.absent, "without their event, and left out"),
    ];
    all.into_iter().filter(|(count, _)| *count > 0)
}

/// `line 7`, `file 2 line 7`, `id-7 (line 7)`
pub(super) fn example(example: &Example) -> String {
    let file = example.file.map(|file| format!("file {file} "));
    let place = format!("{}line {}", file.unwrap_or_default(), example.line);
    match &example.event {
        Some(id) => format!("{id} ({place})"),
        None => place,
    }
}

/// How a face shows names and shares, for the rows that both faces have alike.
#[derive(Clone, Copy)]
pub(super) struct Face {
    pub(super) name: fn(&str) -> String,
    pub(super) share: fn(Part) -> String,
}

/// A kind, its events and their share.
pub(super) fn kind_rows(summary: &Summary, face: Face) -> Vec<Vec<String>> {
    let rows = summary.kinds.iter().map(|kind| (&kind.kind, kind.part));
    part_rows(rows, face)
}

/// What was missing, the events that were unsure by it and their share.
pub(super) fn missing_rows(summary: &Summary, face: Face) -> Vec<Vec<String>> {
    let rows = summary.unsure.by_missing.iter();
    part_rows(rows.map(|missing| (&missing.missing, missing.part)), face)
}

fn part_rows<'s>(rows: impl Iterator<Item = (&'s String, Part)>, face: Face) -> Vec<Vec<String>> {
    rows.map(|(of, part)| vec![(face.name)(of), number(part.events), (face.share)(part)])
        .collect()
}

/// A rule: what it does, its events and their share, the unsure ones, those that it decided.
pub(super) fn rule_rows(summary: &Summary, face: Face) -> Vec<Vec<String>> {
    let rows = summary.rules.iter().map(|rule| {
        vec![
            (face.name)(&rule.rule),
            rule.does.to_owned(),
            number(rule.part.events),
            (face.share)(rule.part),
            number(rule.unsure),
            number(rule.decided),
        ]
    });
    rows.collect()
}

/// A lane on trial: its events and their share, on how many it fired and was unsure.
pub(super) fn trial_rows(summary: &Summary, face: Face) -> Vec<Vec<String>> {
    let rows = summary.trial.iter().map(|lane| {
        vec![
            (face.name)(&lane.lane),
            number(lane.part.events),
            (face.share)(lane.part),
            number(lane.fired),
            number(lane.unsure),
        ]
    });
    rows.collect()
}

/// How fast it went.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is rounded anyway"
)]
pub(super) fn throughput(summary: &Summary, time: Duration) -> String {
    let seconds = time.as_secs_f64().max(1e-6);
    let per_second = |number: u64| (number as f64 / seconds) as u64;
    format!(
        "{} in {seconds:.2} s: {} events a second, {} a second",
        events(summary.events),
        number(per_second(summary.events)),
        bytes(per_second(summary.bytes))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_shares_are_not_rounded_away() {
        let numbers = [0, 999, 1_000, 12_345_678].map(number);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345,678"]);
        let part = |events| Part { events, of: 10_000 };
        let shares = [0, 1, 5, 1_234, 9_999, 10_000].map(|n| share(part(n)));
        let expected = ["0 %", "< 0.1 %", "0.1 %", "12.3 %", "> 99.9 %", "100.0 %"];
        assert_eq!(shares, expected);
        assert_eq!(
            [999, 1_000, 350_200_000].map(bytes),
            ["999 bytes", "1.0 kB", "350.2 MB"]
        );
    }
}
