//! Matrices that look for many phrases in a text: one search for all of them says what a search for
//! each says. The compiled program against the reference evaluator.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::fmt::Write as _;
use std::sync::Arc;

use fastrand::Rng;
use laneway::check::{Options, check_text};
use laneway::clock::Timestamp;
use laneway::compile::compile;
use laneway::event::read;
use laneway::limits::Limits;
use laneway::matrix::Matrix;
use laneway::program::phrases::LEAST;
use laneway::program::{Decider, Program, Scratch};
use laneway::reference::{History, Reference, Times};
use laneway::slots::Slots;

const HEAD: &str = r#"matrix "Phrases" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}
event mail {
  body: text optional
  subject: text ignoring case default ""
  size: whole number 0 to 1000
}
team desk {
  first person "a@acme.example"
  backup group "b"
}
"#;

/// Phrases that lie in each other, overlap and share beginnings.
fn phrases(count: usize) -> Vec<String> {
    let mut all: Vec<String> = ["a", "ab", "aba", "bab", "b", "", "ü", "üa"]
        .map(String::from)
        .into();
    let letters = ["a", "b", "c", "ü", " "];
    let mut rng = Rng::with_seed(5);
    while all.len() < count {
        let length = rng.usize(2..7);
        let text: String = (0..length).map(|_| letters[rng.usize(0..5)]).collect();
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all.truncate(count);
    all
}

fn lane(text: &mut String, name: &str, when: &str) {
    let _ = write!(
        text,
        "lane {name} {{\n  on mail\n  when {when}\n  owner desk\n  urgency normal\n  \
         respond within 1h\n  meanwhile hold item\n  evidence {{\n    required input\n  }}\n  \
         timeout {{\n    after 2h deny\n  }}\n}}\n"
    );
}

fn matrix(text: &str) -> Arc<Matrix> {
    let loaded = check_text("m.lane", text, &Options::default());
    loaded
        .into_matrix()
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Lanes under phrases, rules under phrases of a folded text, and one lane of many phrases.
fn many(count: usize) -> Arc<Matrix> {
    let mut text = HEAD.to_owned();
    let phrases = phrases(count);
    for (n, phrase) in phrases.iter().enumerate() {
        let when = match n % 5 {
            0 => format!("body contains \"{phrase}\""),
            1 => format!("body contains \"{phrase}\" and size > {}", n % 7),
            2 => format!("body contains \"{phrase}\" if present and body not contains \"c\""),
            3 => format!("not body contains \"{phrase}\" and size is {}", n % 11),
            _ => format!("subject contains \"{phrase}\" and body contains \"{phrase}\""),
        };
        lane(&mut text, &format!("l{n}"), &when);
    }
    let each: Vec<String> = phrases
        .iter()
        .map(|p| format!("    body contains \"{p}c\"\n"))
        .collect();
    lane(
        &mut text,
        "sum",
        &format!("at least 3 of {{\n{}  }}", each.concat()),
    );
    matrix(&text)
}

fn body(rng: &mut Rng, longest: usize) -> String {
    let letters = ["a", "b", "c", "ü", " ", "A", "B"];
    (0..rng.usize(0..longest))
        .map(|_| letters[rng.usize(0..7)])
        .collect()
}

fn events(seed: u64, count: usize) -> Vec<String> {
    let mut rng = Rng::with_seed(seed);
    let event = |_| {
        let mut json = format!(r#"{{"kind": "mail", "size": {}"#, rng.u32(0..12));
        if rng.u8(0..4) > 0 {
            let _ = write!(json, r#", "body": "{}""#, body(&mut rng, 40));
        }
        if rng.bool() {
            let _ = write!(json, r#", "subject": "{}""#, body(&mut rng, 12));
        }
        json.push('}');
        json
    };
    (0..count).map(event).collect()
}

/// How often lanes fired and were unsure.
fn compare(matrix: &Arc<Matrix>, program: &Program, events: &[String]) -> (usize, usize) {
    let history = History::new(matrix);
    let mut decider = Decider::new(program);
    let (mut slots, mut scratch) = (Slots::default(), Scratch::default());
    let (mut fired, mut unsure) = (0, 0);
    for json in events {
        let now = Timestamp::UNIX_EPOCH;
        let event = read(json.as_bytes(), &matrix.schema, &Limits::default(), now).unwrap();
        let times = Times::of(&event);
        let wanted = Reference::new(matrix).decide(&event, &history, times);
        assert_eq!(decider.decide(&event, &history, times), wanted, "{json}");
        slots.fill(&program.layout, &event).unwrap();
        let outcome = program.outcome(&slots, &[], &[], &mut scratch).unwrap();
        assert_eq!(outcome.name(matrix), wanted.by, "{json}");
        for lane in &wanted.lanes {
            match lane.state {
                laneway::State::Fired => fired += 1,
                laneway::State::Unsure => unsure += 1,
            }
        }
    }
    assert_eq!(decider.by_reference(), 0);
    (fired, unsure)
}

#[test]
fn many_phrases_are_found_as_each_of_them_is() {
    for count in [5, LEAST - 1, 2 * LEAST, 10 * LEAST] {
        let matrix = many(count);
        let program = compile(&matrix);
        let kind = &program.kinds[0];
        let filed = kind.phrases.iter().any(|phrases| phrases.is_filed());
        assert_eq!(filed, count == 5 || count >= 2 * LEAST, "{count}");
        let few = kind.phrases.iter().filter(|phrases| phrases.are_few());
        assert_eq!(few.count(), usize::from(count < 10 * LEAST));
        let (fired, unsure) = compare(&matrix, &program, &events(count as u64, 1_500));
        assert!(fired > 500 && unsure > 500, "{fired}, {unsure}");
    }
}

/// One search says of most events that none of the lanes has to be looked at.
#[test]
fn a_few_phrases_are_found_as_each_of_them_is() {
    let mut text = HEAD.to_owned();
    for (n, when) in [
        "body contains \"abab\"",
        "body contains \"cc\" and subject contains \"a\"",
        "body contains \"üb\" if present",
        "size > 3 and at least 2 of { body contains \"abab\"\n body contains \"b c\"\n size > 9 }",
        "not body contains \"cc\" and size is 1",
    ]
    .iter()
    .enumerate()
    {
        lane(&mut text, &format!("l{n}"), when);
    }
    let matrix = matrix(&text);
    let program = compile(&matrix);
    let phrases = &program.kinds[0].phrases;
    assert!(phrases.len() == 1 && phrases[0].are_few() && phrases[0].is_filed());
    let (fired, unsure) = compare(&matrix, &program, &events(3, 6_000));
    assert!(fired > 500 && unsure > 3_000, "{fired}, {unsure}");
}
