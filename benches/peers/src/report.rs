//! The report in Markdown.
//!
//! In: results. Out: what ran where, the table of times, the demands, the costs of compiling.

use std::fmt::Write as _;

use crate::arguments::Arguments;
use crate::engines::by_hand;
use crate::machine;
use crate::must::{Met, best_by_hand, demands};
use crate::run::{Column, Results};

pub fn markdown(arguments: &Arguments, results: &Results) -> String {
    let mut text = String::new();
    head(&mut text, arguments, results);
    times(&mut text, arguments, results);
    notes(&mut text, arguments, results);
    demanded(&mut text, results);
    costs(&mut text, results);
    variants(&mut text, results);
    text
}

fn head(text: &mut String, arguments: &Arguments, results: &Results) {
    let command = format!("cargo run --release -- {}", arguments.given.join(" "));
    let _ = write!(
        text,
        "# Laneway beside other engines\n\n{}, {}. In `benches/peers`: `{}`.\n\n",
        machine::date(),
        machine::describe(),
        command.trim_end_matches([' ', '-']),
    );
    let _ = writeln!(
        text,
        "Nanoseconds an event, the median of {} alternating runs of at least {} ms a row over {} \
         events; an engine that takes more than a millisecond runs on {}. Every row gave the right \
         answers to all its events before it was timed.\n",
        arguments.effort.runs,
        arguments.effort.least.as_millis(),
        arguments.events,
        crate::measure::SLOW_EVENTS,
    );
    for (lanes, (share, bytes)) in &results.matching {
        let lanes = grouped(*lanes as f64);
        let share = share * 100.0;
        let _ = writeln!(
            text,
            "- {lanes} lanes: {share:.1} % of the events match, {bytes:.0} bytes of JSON an event"
        );
    }
}

fn times(text: &mut String, arguments: &Arguments, results: &Results) {
    let mut engines: Vec<&str> = Vec::new();
    for column in [Column::Typed, Column::Json] {
        for lanes in &arguments.sizes {
            for (name, _) in results.times.get(&(column, *lanes)).into_iter().flatten() {
                if !engines.contains(name) {
                    engines.push(name);
                }
            }
        }
    }
    text.push_str("\n## Times\n\n| engine |");
    for column in ["typed", "JSON"] {
        for lanes in &arguments.sizes {
            let _ = write!(text, " {column}, {} lanes |", grouped(*lanes as f64));
        }
    }
    text.push_str("\n|---|");
    text.push_str(&"--:|".repeat(arguments.sizes.len() * 2));
    text.push('\n');
    for engine in engines {
        let _ = write!(text, "| {engine} |");
        for column in [Column::Typed, Column::Json] {
            for lanes in &arguments.sizes {
                match results.time(column, *lanes, engine) {
                    Some(time) => {
                        let _ = write!(text, " {} |", grouped(time));
                    }
                    None => text.push_str(" |"),
                }
            }
        }
        text.push('\n');
    }
}

fn notes(text: &mut String, arguments: &Arguments, results: &Results) {
    let _ = writeln!(
        text,
        "\nThe JSON rows that are written by hand decide by straight-line ifs at 5 lanes, by hash \
         buckets beyond. *The limit* is the better of straight-line ifs and hash buckets. The row of \
         packed buckets goes beyond what one writes by hand: it is half an index, and no limit."
    );
    let mut peers: Vec<&str> = results.peers.keys().map(|(name, _)| *name).collect();
    peers.dedup();
    if !peers.is_empty() {
        let peers: Vec<String> = peers.iter().map(|name| versioned(name)).collect();
        let _ = writeln!(text, "\nPeers: {}.", peers.join(", "));
    }
    let serde = |lanes| results.time(Column::Json, lanes, by_hand::SERDE);
    let Some(unit) = serde(5) else {
        return;
    };
    text.push_str("\nThe limit in times of the `serde_json` row at 5 lanes:");
    for lanes in &arguments.sizes {
        if let Some(limit) = best_by_hand(results, *lanes) {
            let lanes = grouped(*lanes as f64);
            let _ = write!(text, " {:.3} at {lanes} lanes;", limit / unit);
        }
    }
    text.pop();
    text.push_str(".\n");
}

/// A peer with its version, which the lock file says: among the dependencies of this package where
/// there are several, else at its only entry.
pub fn versioned(name: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let ours = lock
        .split_once("name = \"laneway-peers\"\n")
        .and_then(|(_, rest)| rest.split("[[package]]").next());
    let several = format!("\"{name} ");
    let only = format!("name = \"{name}\"\nversion = \"");
    let version = ours
        .and_then(|ours| ours.split_once(several.as_str()))
        .or_else(|| lock.split_once(only.as_str()))
        .and_then(|(_, rest)| rest.split('"').next());
    format!("{name} {}", version.unwrap_or_default())
}

fn demanded(text: &mut String, results: &Results) {
    text.push_str("\n## What is demanded\n\n| workload | measured | must | goal | met |\n|---|---|---|---|---|\n");
    let demands = demands(results);
    for demand in &demands {
        let met = match demand.met {
            Met::No => "**not met**",
            other => other.word(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {met} |",
            demand.what, demand.measured, demand.must, demand.goal
        );
    }
}

fn costs(text: &mut String, results: &Results) {
    text.push_str(
        "\n## Compiling\n\n| lanes | text | text to program | most memory | checked matrix to program | a lane | program | a lane |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (lanes, cost) in &results.costs {
        let each = *lanes as f64;
        let _ = writeln!(
            text,
            "| {} | {:.2} MB | {:.4} s | {:.2} MB | {:.5} s | {:.2} us | {:.3} MB | {:.0} B |",
            grouped(each),
            cost.text_bytes as f64 / 1e6,
            cost.text_to_program,
            cost.text_to_program_bytes.peak as f64 / 1e6,
            cost.compile,
            cost.compile * 1e6 / each,
            cost.program.left as f64 / 1e6,
            cost.program.left as f64 / each,
        );
    }
    if results.peers.is_empty() {
        return;
    }
    text.push_str("\n| peer | lanes | seconds to compile | MB on the heap |\n|---|--:|--:|--:|\n");
    for ((peer, lanes), (seconds, bytes)) in &results.peers {
        let megabytes = *bytes as f64 / 1e6;
        let lanes = grouped(*lanes as f64);
        let _ = writeln!(text, "| {peer} | {lanes} | {seconds:.4} | {megabytes:.2} |");
    }
}

fn variants(text: &mut String, results: &Results) {
    let columns = [
        (Column::FewPrimary, "primary, at most three attach"),
        (Column::FewJoined, "joined, at most three attach"),
        (Column::Complete, "two fields optional, all there"),
        (Column::Gaps, "two fields optional, a third lacks both"),
        (Column::OneLane, "one lane fires"),
    ];
    text.push_str("\n## Laneway, other events\n\n| lanes |");
    for (_, name) in columns {
        let _ = write!(text, " {name} |");
    }
    text.push_str(" attach with gaps |\n|--:|");
    text.push_str(&"--:|".repeat(columns.len() + 1));
    text.push('\n');
    for lanes in results.matching.keys() {
        let _ = write!(text, "| {} |", grouped(*lanes as f64));
        for (column, _) in columns {
            match results.time(column, *lanes, crate::engines::laneway::NAME) {
                Some(time) => {
                    let _ = write!(text, " {} |", grouped(time));
                }
                None => text.push_str(" |"),
            }
        }
        let share = results
            .attached_with_gaps
            .get(lanes)
            .copied()
            .unwrap_or(0.0);
        let _ = writeln!(text, " {:.1} % |", share * 100.0);
    }
}

/// A whole number with a comma between its thousands.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
