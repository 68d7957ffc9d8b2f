//! Mutants of random matrices over a small domain, held against every event there is and every pair of events: what is
//! proved to change nothing changes nothing, and what is offered holds for the matrix and not for the mutant.
//!
//! `LANEWAY_LONG=1 cargo test --test mutants` asks of 1,000 matrices.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use laneway::check::{Options, check_text};
use laneway::clock::{Timestamp, parse_timestamp};
use laneway::decision::stricter::Demands;
use laneway::examples::{Came, Line, Mutant, Original, mutants};
use laneway::matrix::Matrix;
use laneway::reference::{History, Reference, Times};
use laneway::{Event, cases};

const HEAD: &str = r#"event call {
  level: whole number 0 to 2
  color: one of red, green optional
  who: one of ann, bob
}
team leads { first person "a@x.example" }
team others { first person "b@x.example" }
sample plain is call { level = 1, color = red, who = ann }
"#;

fn test(random: &mut fastrand::Rng) -> String {
    let level = random.i32(0..3);
    match random.u8(..12) {
        0 => format!("level > {level}"),
        1 => format!("level >= {level}"),
        2 => format!("level < {level}"),
        3 => format!("level is not {level}"),
        4 => "color is red".to_owned(),
        5 => "color in (red, green)".to_owned(),
        6 => "color is green if present".to_owned(),
        7 => "color is missing".to_owned(),
        8 => "who is ann".to_owned(),
        9 => format!("count of call where level >= {level} by who over 10m >= 2"),
        10 => "count of call where who in names over 10m > 1".to_owned(),
        _ => "fair".to_owned(),
    }
}

fn condition(random: &mut fastrand::Rng, depth: u32) -> String {
    if depth == 0 || random.u8(..3) == 0 {
        return test(random);
    }
    let parts: Vec<String> = (0..random.usize(2..4))
        .map(|_| format!("({})", condition(random, depth - 1)))
        .collect();
    match random.u8(..5) {
        0 => format!("not ({})", parts.join(" or ")),
        1 => parts.join(" and "),
        2 => parts.join(" or "),
        _ => {
            let head = ["any of", "all of", "none of", "at least 2 of"];
            let head = random.choice(head).unwrap();
            format!("{head} {{\n{}\n}}", parts.join("\n"))
        }
    }
}

fn text(random: &mut fastrand::Rng) -> String {
    let otherwise = random
        .choice(["allow", "deny", "escalate to others"])
        .unwrap();
    let unreadable = random.choice(["deny", "escalate to others"]).unwrap();
    let mut text = format!(
        "matrix \"Random\" {{\n  edition 1\n  timezone \"UTC\"\n  otherwise {otherwise}\n  unreadable {unreadable}\n}}\n\
         {HEAD}list names is ann, bob\ncondition fair means {}\n",
        // A condition names no other here.
        random
            .choice(["level < 2", "color is red and level > 0", "not who is bob"])
            .unwrap(),
    );
    for rule in ["always deny never", "always allow fine", "adjust cap"] {
        if random.bool() {
            let set = if rule == "adjust cap" {
                " set level = 1"
            } else {
                ""
            };
            text.push_str(&format!(
                "{rule} on call when {}{set}\n",
                condition(random, 1)
            ));
        }
    }
    for (name, team) in [("one", "leads"), ("two", "others")] {
        let unless = match random.u8(..3) {
            0 => format!("  unless {}\n", condition(random, 1)),
            _ => String::new(),
        };
        let unsure = random
            .choice(["escalate", "deny", "skip because \"x\""])
            .unwrap();
        text.push_str(&format!(
            "lane {name} {{\n  on call\n  when {}\n{unless}  unsure {unsure}\n  group by who\n  owner {team}\n  urgency low\n  \
             respond within 1h\n  meanwhile block item\n  evidence {{\n    required input\n  }}\n  timeout {{\n    \
             after 2h deny\n  }}\n}}\n",
            condition(random, 2)
        ));
    }
    text
}

fn loaded(text: &str) -> Option<Arc<Matrix>> {
    check_text("random.lane", text, &Options::default())
        .into_matrix()
        .ok()
}

fn events(matrix: &Matrix, at: Timestamp) -> Vec<Event> {
    let kind = matrix.schema.kind_named("call").unwrap();
    let id = |path: &str| matrix.schema.field_id(path).unwrap();
    let word = |word: &str| laneway::Value::Word(word.into());
    let mut events = Vec::new();
    for level in 0..3 {
        for color in [Some("red"), Some("green"), None] {
            for who in ["ann", "bob"] {
                let mut values = BTreeMap::from([
                    (id("level"), laneway::Value::Whole(level)),
                    (id("who"), word(who)),
                ]);
                values.extend(color.map(|color| (id("color"), word(color))));
                let event = Event::from_record(&matrix.schema, kind.id, &values, at, None);
                events.push(event.unwrap());
            }
        }
    }
    events
}

/// What is demanded of each event, alone and behind each other event.
fn demands(matrix: &Matrix) -> Vec<(Demands, Option<Vec<String>>)> {
    let instant = |text| parse_timestamp(text).unwrap();
    let earlier = events(matrix, instant("2026-01-07T11:55:00Z"));
    let later = events(matrix, instant("2026-01-07T12:00:00Z"));
    let mut all = Vec::new();
    for before in earlier.iter().map(Some).chain([None]) {
        for event in &later {
            let reference = Reference::new(matrix);
            let mut history = History::new(matrix);
            if let Some(before) = before {
                history.record(matrix, before);
            }
            let decision = reference.decide(event, &history, Times::of(event));
            let mut demands = Demands::of(&decision, matrix);
            demands.sign_offs.sort_by(|a, b| a.lane.cmp(&b.lane));
            let adjusted = decision.adjusted.keys().cloned().collect::<Vec<_>>();
            all.push((demands, (!adjusted.is_empty()).then_some(adjusted)));
        }
    }
    all
}

fn mutated(text: &str, mutant: &Mutant) -> Arc<Matrix> {
    let mut text = text.to_owned();
    text.replace_range(mutant.replaced.range(), &mutant.by);
    loaded(&text).unwrap()
}

/// The text with a line put where it belongs.
fn with(text: &str, line: &Line, lane: &str) -> String {
    assert_eq!(line.sample, None);
    if line.text.starts_with("scenario") {
        return format!("{text}{}\n", line.text);
    }
    let head = format!("lane {lane} {{\n");
    text.replacen(&head, &format!("{head}{}\n", line.text), 1)
}

fn passes(text: &str) -> bool {
    let matrix = loaded(text).unwrap_or_else(|| panic!("{text}"));
    cases::check_examples(&matrix).is_empty()
}

#[test]
fn what_is_proved_changes_nothing_and_what_is_offered_tells() {
    let count = if std::env::var_os("LANEWAY_LONG").is_some() {
        1_000
    } else {
        30
    };
    let patience = || -> Box<dyn Fn() -> bool> { Box::new(|| false) };
    let (mut same, mut told, mut missed) = (0, 0, 0);
    for seed in 0..count {
        let mut random = fastrand::Rng::with_seed(seed);
        let text = text(&mut random);
        let Some(matrix) = loaded(&text) else {
            continue;
        };
        let (old, length) = (demands(&matrix), text.len());
        let paths = ["random.lane".to_owned()];
        let options = Options::default();
        let original = Original {
            matrix: &matrix,
            paths: &paths,
            options: &options,
        };
        for mutant in mutants(original, &patience, &mut |_, _| {}) {
            match &mutant.came {
                Came::Same => {
                    same += 1;
                    let new = demands(&mutated(&text, &mutant));
                    assert!(old == new, "seed {seed}: {mutant:?}\n{text}");
                }
                Came::Missed(Some(line)) => {
                    told += 1;
                    let lanes = ["one", "two"].map(|lane| with(&text, line, lane));
                    let telling = lanes.iter().filter(|text| passes(text)).any(|text| {
                        let moved = text.len() - length;
                        let at = text.find(&line.text).unwrap();
                        let range = mutant.replaced.range();
                        let shift = if at <= range.start { moved } else { 0 };
                        let mut changed = text.clone();
                        changed.replace_range(range.start + shift..range.end + shift, &mutant.by);
                        !passes(&changed)
                    });
                    assert!(telling, "seed {seed}: {mutant:?}\n{text}");
                }
                Came::Missed(None) => missed += 1,
                Came::NotValid => {}
                Came::Caught(_) => panic!("there is no case: {mutant:?}"),
            }
        }
    }
    println!("{same} proved, {told} told by a line, {missed} not known");
    // Most of what is not known depends on amounts that no history of one event gives.
    assert!(same > 3 * count && told > 5 * count && missed < told);
}
