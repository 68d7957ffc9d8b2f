//! Lanes as the text of a matrix, events as JSON.
//!
//! In: lanes and events. Out: a matrix that checks without errors, and the bytes of an event.

use std::fmt::Write as _;

use super::shape::{Cond, Event, Lane, NUMBERS, Number, TEXTS, Test, Text, WORDS, Word};

/// Whether every field is required, or two of them may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Required,
    /// `sentiment` and `confidence` are optional.
    TwoOptional,
}

/// The text of a matrix with these lanes.
pub fn matrix(lanes: &[Lane], presence: Presence) -> String {
    let mut text = String::with_capacity(lanes.len() * 720 + 4_096);
    text.push_str(
        "matrix \"Workload\" {\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  unreadable deny\n}\n\n",
    );
    kind(&mut text, presence);
    for team in 0..TEAMS {
        let _ = write!(
            text,
            "team team_{team} {{\n  first person \"lead{team}@acme.example\"\n  backup group \"desk-{team}\"\n}}\n\n"
        );
    }
    for (number, lane) in lanes.iter().enumerate() {
        self::lane(&mut text, number, lane);
    }
    text
}

const TEAMS: usize = 10;

fn kind(text: &mut String, presence: Presence) {
    let optional = |path: &str| match presence {
        Presence::TwoOptional if path == "sentiment" || path == "confidence" => " optional",
        _ => "",
    };
    text.push_str("event tool_call {\n");
    for field in TEXTS {
        let _ = writeln!(text, "  {}: text", field.path());
    }
    for field in WORDS {
        let words = field.words().join(", ");
        let _ = writeln!(
            text,
            "  {0}: one of {words}{1}",
            field.path(),
            optional(field.path())
        );
    }
    for field in NUMBERS {
        let sort = match field {
            Number::Amount => "money USD 0 to 1000000",
            Number::Confidence => "number 0 to 1",
            Number::Attempts => "whole number 0 to 1000",
            Number::Tokens => "whole number 0 to 200000",
        };
        let _ = writeln!(text, "  {}: {sort}{}", field.path(), optional(field.path()));
    }
    text.push_str("}\n\n");
}

fn lane(text: &mut String, number: usize, lane: &Lane) {
    let team = number % TEAMS;
    let _ = write!(
        text,
        "lane {} {{\n  about \"What agents may not decide alone: case {number}\"\n  on tool_call\n  when {}\n  \
         owner team_{team}\n  urgency normal\n  respond within 30m\n  meanwhile hold item\n  \
         operator \"Read the call with its history, then approve or reject it.\"\n  \
         evidence {{\n    required input, action, trigger\n    optional context, history last 20\n  }}\n  \
         timeout {{\n    after 30m notify backup\n    after 2h deny\n  }}\n}}\n\n",
        lane.name,
        cond(&lane.when, true),
    );
}

/// A condition in the language.
fn cond(of: &Cond, top: bool) -> String {
    let (parts, word) = match of {
        Cond::Test(test) => return self::test(test),
        Cond::All(parts) => (parts, " and "),
        Cond::Any(parts) => (parts, " or "),
    };
    let parts: Vec<String> = parts.iter().map(|part| cond(part, false)).collect();
    let joined = parts.join(word);
    match top {
        true => joined,
        false => format!("({joined})"),
    }
}

fn test(test: &Test) -> String {
    let quoted = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
        texts.join(", ")
    };
    let words = |field: Word, words: &[u8]| {
        let words: Vec<&str> = words
            .iter()
            .map(|w| field.words()[usize::from(*w)])
            .collect();
        words.join(", ")
    };
    let number = |field: Number, value: i64| match field {
        Number::Amount => format!("{} USD", field.decimal(value)),
        _ => field.decimal(value),
    };
    match test {
        Test::Is(field, text) => format!("{} is \"{text}\"", field.path()),
        Test::In(field, texts) => format!("{} in ({})", field.path(), quoted(texts)),
        Test::StartsWith(field, text) => format!("{} starts with \"{text}\"", field.path()),
        Test::Contains(field, text) => format!("{} contains \"{text}\"", field.path()),
        Test::WordIs(field, word) => format!("{} is {}", field.path(), words(*field, &[*word])),
        Test::WordIn(field, several) => format!("{} in ({})", field.path(), words(*field, several)),
        Test::Above(field, bound) => format!("{} > {}", field.path(), number(*field, *bound)),
        Test::Below(field, bound) => format!("{} < {}", field.path(), number(*field, *bound)),
        Test::OtherTenant => {
            format!(
                "{} differs from {}",
                Text::Source.path(),
                Text::Target.path()
            )
        }
    }
}

/// The bytes of an event.
pub fn json(event: &Event) -> String {
    let mut text = String::with_capacity(640);
    let _ = write!(
        text,
        r#"{{"kind":"tool_call","id":"{}","at":"{}","agent":"{}","tool":"{}","workflow":"{}","tenant":{{"source":"{}","target":"{}"}}"#,
        event.id,
        instant(event.at),
        event.agent,
        event.tool,
        event.workflow,
        event.source,
        event.target,
    );
    for field in WORDS {
        if let Some(word) = event.word(field) {
            let word = field.words()[usize::from(word)];
            let _ = write!(text, r#","{}":"{word}""#, field.path());
        }
    }
    let _ = write!(
        text,
        r#","resource":"{}","message":"{}""#,
        event.resource, event.message
    );
    for field in NUMBERS {
        if let Some(value) = event.number(field) {
            let _ = write!(text, r#","{}":{}"#, field.path(), field.decimal(value));
        }
    }
    text.push('}');
    text
}

/// An instant of November 2026, as RFC 3339 has it.
fn instant(at: i64) -> String {
    let within = at - super::START;
    let (days, rest) = (within / 86_400, within % 86_400);
    let (hours, minutes, seconds) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!(
        "2026-11-{:02}T{hours:02}:{minutes:02}:{seconds:02}Z",
        days + 1
    )
}
