//! The summary below a stream of decisions.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::cli::decide::Decided;
use crate::cli::output::Paint;
use crate::cli::render::count;
use crate::cli::screen::{self, clean, wrap};
use crate::decision::State;

/// Lines of unreadable events that are named.
const NAMED: usize = 5;

/// What was counted of a stream, or of a part of it. Its size is that of the matrix.
#[derive(Default)]
pub(super) struct Tally {
    events: usize,
    verdicts: [usize; 4],
    unsure: usize,
    unreadable: usize,
    unreadable_lines: Vec<u64>,
    lanes: BTreeMap<String, [usize; 2]>,
    trial: BTreeMap<String, [usize; 2]>,
}

const VERDICTS: [&str; 4] = ["allow", "escalate", "adjust", "deny"];

impl Tally {
    pub(super) fn add(&mut self, decided: &Decided) {
        let decision = &decided.decision;
        self.events += 1;
        let verdict = decision.verdict.as_str();
        for (name, number) in VERDICTS.iter().zip(&mut self.verdicts) {
            *number += usize::from(*name == verdict);
        }
        if decision.by == "unreadable" {
            self.unreadable += 1;
            if self.unreadable_lines.len() < NAMED {
                self.unreadable_lines.push(decided.line);
            }
            return;
        }
        let unsure = |lane: &crate::decision::AttachedLane| lane.state == State::Unsure;
        self.unsure += usize::from(decision.lanes.first().is_some_and(unsure));
        for (lanes, counts) in [
            (&decision.lanes, &mut self.lanes),
            (&decision.trial, &mut self.trial),
        ] {
            for lane in lanes {
                // The names are those of the matrix, so the map stays as small as it is.
                let counts = match counts.get_mut(&lane.lane) {
                    Some(counts) => counts,
                    None => counts.entry(lane.lane.clone()).or_default(),
                };
                let [fired, unsure_count] = counts;
                *if unsure(lane) { unsure_count } else { fired } += 1;
            }
        }
    }

    /// Adds what was counted of another part of the stream.
    pub(super) fn merge(&mut self, other: Self) {
        self.events += other.events;
        for (sum, number) in self.verdicts.iter_mut().zip(other.verdicts) {
            *sum += number;
        }
        self.unsure += other.unsure;
        self.unreadable += other.unreadable;
        self.unreadable_lines.extend(other.unreadable_lines);
        self.unreadable_lines.sort_unstable();
        self.unreadable_lines.truncate(NAMED);
        for (sums, counts) in [
            (&mut self.lanes, other.lanes),
            (&mut self.trial, other.trial),
        ] {
            for (lane, [fired, unsure]) in counts {
                let [all_fired, all_unsure] = sums.entry(lane).or_default();
                *all_fired += fired;
                *all_unsure += unsure;
            }
        }
    }

    pub(super) fn write(&self, out: &mut impl Write, paint: Paint) -> io::Result<()> {
        let verdicts = VERDICTS.iter().zip(self.verdicts);
        let verdicts: Vec<String> = verdicts
            .filter(|(_, number)| *number > 0)
            .map(|(verdict, number)| format!("{number} {verdict}"))
            .collect();
        let events = paint.bold(&count(self.events, "event"));
        if self.events == 0 {
            return writeln!(out, "{events}");
        }
        writeln!(out, "\n{events}: {}", verdicts.join(", "))?;
        write_lanes(out, "lanes", &self.lanes)?;
        write_lanes(out, "on trial", &self.trial)?;
        if self.unsure > 0 {
            let what = "by a lane that could not be ruled out (marked `?`)";
            writeln!(out, "unsure     {}, {what}", count(self.unsure, "event"))?;
        }
        if self.unreadable > 0 {
            let lines: Vec<String> = self.unreadable_lines.iter().map(u64::to_string).collect();
            let more = match self.unreadable - self.unreadable_lines.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let noun = if self.unreadable == 1 {
                "line"
            } else {
                "lines"
            };
            let number = paint.warn(&count(self.unreadable, "event"));
            writeln!(
                out,
                "unreadable {number}: {noun} {}{more}",
                lines.join(", ")
            )?;
        }
        Ok(())
    }
}

/// The lanes, those that attached most often first.
fn write_lanes(
    out: &mut impl Write,
    title: &str,
    lanes: &BTreeMap<String, [usize; 2]>,
) -> io::Result<()> {
    if lanes.is_empty() {
        return Ok(());
    }
    let mut lanes: Vec<_> = lanes.iter().collect();
    lanes.sort_by_key(|(_, [fired, unsure])| std::cmp::Reverse(fired + unsure));
    let lanes = lanes.iter().map(|(lane, [fired, unsure])| {
        let lane = clean(lane);
        match unsure {
            0 => format!("{lane} {fired}"),
            unsure => format!("{lane} {} ({unsure} unsure)", fired + unsure),
        }
    });
    let lanes = lanes.collect::<Vec<_>>().join(", ");
    let mut title = title;
    for line in wrap(&lanes, screen::width().map(|width| width - 11)) {
        writeln!(out, "{title:10} {line}")?;
        title = "";
    }
    Ok(())
}
