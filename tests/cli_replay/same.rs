//! The summary is the tally of whole decisions: over random matrices and events, with one thread and
//! with several.

use std::collections::BTreeMap;
use std::sync::Arc;

use laneway::Matrix;
use laneway::clock::{Timestamp, parse_timestamp};
use laneway::compile::{Options, compile_with};
use laneway::event::read;
use laneway::limits::Limits;
use laneway::program::Program;
use laneway::reference::{History, Reference, Times};
use laneway::replay::{Place, Replay, Summary, Waiting};
use serde_json::Value;

use crate::events::Events;
use crate::generate::{self, Plan};

/// Counts by a word for each sort of count.
type Counts = BTreeMap<String, u64>;

fn add(counts: &mut Counts, words: String) {
    *counts.entry(words).or_default() += 1;
}

/// What is counted of a decision as `laneway decide --format json` prints it.
fn tally(matrix: &Matrix, decision: &Value, counts: &mut Counts) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let by = text(&decision["by"]);
    add(counts, format!("verdict {}", text(&decision["verdict"])));
    add(counts, format!("by {by}"));
    let list = |key: &str| decision[key].as_array().into_iter().flatten();
    let mut missing = Vec::new();
    let mut unsure = false;
    let is_lane = |lane: &&Value| matrix.lane_named(lane["lane"].as_str().unwrap()).is_some();
    for lane in list("lanes").filter(is_lane) {
        add(
            counts,
            format!("lane {} {}", text(&lane["lane"]), text(&lane["state"])),
        );
        if lane["state"] == "unsure" {
            unsure = true;
            lacks(matrix, &lane["because"], &mut missing);
        }
    }
    for lane in list("trial") {
        add(
            counts,
            format!("trial {} {}", text(&lane["lane"]), text(&lane["state"])),
        );
    }
    for rule in list("rules") {
        add(
            counts,
            format!("rule {} {}", text(&rule["rule"]), text(&rule["state"])),
        );
        if rule["state"] == "unsure" && rule["does"] == "always deny" {
            unsure = true;
            lacks(matrix, &rule["because"], &mut missing);
        }
    }
    for problem in list("problems").filter(|problem| problem["code"] == "skipped") {
        let name = text(&problem["message"]);
        let name = name.split('`').nth(1).unwrap();
        add(counts, format!("skipped {name}"));
    }
    if unsure {
        add(counts, "unsure".to_owned());
    }
    missing.sort();
    missing.dedup();
    for field in missing {
        add(counts, format!("missing {field}"));
    }
    if by == "unreadable" {
        let mut problems = list("problems");
        let fatal = |problem: &&Value| {
            let code = problem["code"].as_str().unwrap();
            !["near_miss", "skipped", "history", "never_open"].contains(&code)
        };
        let problem = problems.find(fatal).unwrap();
        add(counts, format!("problem {}", text(&problem["code"])));
    }
}

/// The fields and measures that the tests of a reason lacked, by the words of the reason.
fn lacks(matrix: &Matrix, because: &Value, missing: &mut Vec<String>) {
    for reason in because.as_array().unwrap() {
        if reason["result"] != "unknown" {
            continue;
        }
        let (test, saw) = (
            reason["test"].as_str().unwrap(),
            reason["saw"].as_str().unwrap(),
        );
        let measure = matrix.measures.iter().find(|m| test.starts_with(&m.text));
        if let Some(measure) = measure {
            missing.push(measure.text.clone());
        } else if saw == "missing" {
            missing.push(test.split(' ').next().unwrap().to_owned());
        } else {
            let parts = saw.split(", ");
            let lacking = parts.filter_map(|part| part.strip_suffix(" = missing"));
            missing.extend(lacking.map(str::to_owned));
        }
    }
}

/// The same counts of a summary.
fn counts_of(summary: &Summary) -> Counts {
    let mut counts = Counts::new();
    let mut put = |words: String, count: u64| {
        if count > 0 {
            *counts.entry(words).or_default() += count;
        }
    };
    for (verdict, count) in summary.verdicts.each() {
        put(format!("verdict {}", verdict.as_str()), count);
    }
    put("by otherwise".to_owned(), summary.otherwise.events);
    put("by unreadable".to_owned(), summary.unreadable.part.events);
    for lane in &summary.lanes {
        put(format!("lane {} fired", lane.lane), lane.fired);
        put(format!("lane {} unsure", lane.lane), lane.unsure);
        put(format!("by {}", lane.lane), lane.primary);
        put(format!("skipped {}", lane.lane), lane.skipped);
    }
    for lane in &summary.trial {
        put(format!("trial {} fired", lane.lane), lane.fired);
        put(format!("trial {} unsure", lane.lane), lane.unsure);
    }
    for rule in &summary.rules {
        put(format!("rule {} fired", rule.rule), rule.part.events);
        put(format!("rule {} unsure", rule.rule), rule.unsure);
        put(format!("by {}", rule.rule), rule.decided);
    }
    put("unsure".to_owned(), summary.unsure.part.events);
    for missing in &summary.unsure.by_missing {
        put(format!("missing {}", missing.missing), missing.part.events);
    }
    for problem in &summary.unreadable.by_problem {
        let code = serde_json::to_value(problem.code).unwrap();
        put(
            format!("problem {}", code.as_str().unwrap()),
            problem.part.events,
        );
    }
    counts
}

/// The summary when so many workers share the events, in blocks of seven.
fn replayed(program: &Program, lines: &[String], now: Timestamp, workers: usize) -> Summary {
    let limits = Limits::default();
    let replay = Replay::new(program, Some(program), &limits, now);
    let mut all: Vec<_> = (0..workers).map(|_| replay.worker()).collect();
    let mut in_order = replay.in_order();
    for (n, block) in lines.chunks(7).enumerate() {
        let worker = &mut all[n % workers];
        let mut waiting: Vec<Waiting> = Vec::new();
        for (at, line) in block.iter().enumerate() {
            let line_number = (n * 7 + at + 1) as u64;
            let place = Place {
                file: 0,
                line: line_number,
            };
            waiting.extend(worker.event(place, line.as_bytes()));
        }
        waiting.iter().for_each(|waiting| in_order.event(waiting));
    }
    let mut tally = in_order.finish();
    for worker in all {
        tally.merge(worker.finish());
    }
    replay.summary(tally, 1)
}

fn compare(matrix: &Arc<Matrix>, lines: &[String], shown: &mut Counts, seed: u64) {
    let now = parse_timestamp("2026-11-20T10:00:00.000000017Z").unwrap();
    let reference = Reference::new(matrix);
    let mut history = History::new(matrix);
    let mut expected = Counts::new();
    for line in lines {
        let event = read(line.as_bytes(), &matrix.schema, &Limits::default(), now);
        let decision = match event {
            Ok(event) => reference.decide_and_record(&event, &mut history, Times::of(&event)),
            Err(event) => reference.decide_unreadable(&event, event.at),
        };
        let decision = serde_json::to_value(&decision).unwrap();
        tally(matrix, &decision, &mut expected);
    }
    for straight in [0, usize::MAX] {
        let program = compile_with(
            matrix,
            Options {
                straight,
                ..Options::default()
            },
        );
        let one = replayed(&program, lines, now, 1);
        assert_eq!(counts_of(&one), expected, "seed {seed}");
        assert_eq!(one, replayed(&program, lines, now, 3), "seed {seed}");
        let against = one.against.unwrap();
        assert_eq!(against.changed.events, 0, "seed {seed}: {against:?}");
        assert_eq!(one.events, lines.len() as u64);
    }
    for (words, count) in expected {
        let sort = words.split(' ').next().unwrap();
        let state = words.rsplit(' ').next().unwrap();
        let sort = match ["lane", "trial", "rule"].contains(&sort) {
            true => format!("{sort} {state}"),
            false => sort.to_owned(),
        };
        *shown.entry(sort).or_default() += count;
    }
}

#[test]
fn the_summary_is_the_tally_of_all_decisions() {
    let seeds = match std::env::var_os("LANEWAY_LONG") {
        Some(_) => 5_000,
        None => 150,
    };
    let mut shown = Counts::new();
    for seed in 0..seeds {
        let plan = Plan {
            lanes: 1..=if seed % 4 == 0 { 40 } else { 8 },
            measures: seed % 2 == 0,
            imports: false,
            messy: false,
            ..Plan::default()
        };
        let matrix = generate::matrix(seed, &plan).matrix();
        let mut events = Events::new(&matrix, seed);
        let lines: Vec<String> = (0..150).map(|_| events.any()).collect();
        compare(&matrix, &lines, &mut shown, seed);
    }
    // A test that saw none of a sort says nothing of it.
    for sort in [
        "verdict",
        "by",
        "lane fired",
        "lane unsure",
        "trial fired",
        "trial unsure",
        "rule fired",
        "rule unsure",
        "unsure",
        "missing",
        "problem",
        "skipped",
    ] {
        let least = if sort == "skipped" { 1 } else { 50 };
        assert!(
            shown.get(sort).copied().unwrap_or(0) >= least,
            "{sort}: {shown:?}"
        );
    }
    println!("{shown:?}");
}
