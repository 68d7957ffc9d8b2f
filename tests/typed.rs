//! Events from typed code against events from JSON: the same cells, the same outcome; and what is
//! no value of a field is not taken.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "support/events.rs"]
mod events;
#[path = "support/generate.rs"]
mod generate;

use events::Events;
use generate::Plan;
use laneway::check::{Options, check_text};
use laneway::clock::{Duration, Timestamp, parse_timestamp};
use laneway::compile::compile;
use laneway::event::Event;
use laneway::program::{Program, Scratch};
use laneway::slots::{Scalar, Slots, Unheld};
use laneway::value::{Value, parse_decimal};

/// A value as typed code has it.
fn scalar(value: &Value) -> Option<Scalar<'_>> {
    Some(match value {
        Value::Bool(yes) => Scalar::Flag(*yes),
        Value::Text(text) | Value::Word(text) => Scalar::Text(text),
        Value::Whole(number) => Scalar::Whole(*number),
        Value::Number(number) | Value::Money(number, _) => Scalar::Number(*number),
        Value::Timestamp(at) => Scalar::Instant(*at),
        Value::Duration(span) => Scalar::Span(*span),
        _ => return None,
    })
}

/// Builds an event from typed values; its defaults are left to the layout.
fn build(program: &Program, event: &Event, slots: &mut Slots) -> Result<(), Unheld> {
    let matrix = &program.matrix;
    let kind = matrix.kind(event.kind).unwrap();
    slots.begin(&program.layout, event.kind, event.at())?;
    for (field, value) in kind.fields.iter().zip(event.slots()).skip(1) {
        let Some(value) = value else { continue };
        if event.is_defaulted(field.id) {
            continue;
        }
        let place = program
            .layout
            .place(&matrix.schema, &kind.name, &field.path);
        let place = place.expect("a field has a place");
        if let Value::List(items) = value {
            let items: Vec<Scalar<'_>> = items.iter().filter_map(scalar).collect();
            slots.set(&program.layout, place, items.as_slice())?;
        } else {
            slots.set(&program.layout, place, scalar(value).expect("a scalar"))?;
        }
    }
    slots.complete(&program.layout)
}

#[test]
fn typed_events_are_those_of_their_json() {
    let (mut typed, mut filled) = (Slots::default(), Slots::default());
    let mut scratch = Scratch::default();
    let (mut built, mut unheld, mut decided) = (0, 0, 0);
    for seed in 0..300 {
        let plan = Plan {
            lanes: 1..=12,
            measures: false,
            ..Plan::default()
        };
        let matrix = generate::matrix(seed, &plan).matrix();
        let program = compile(&matrix);
        let mut events = Events::new(&matrix, seed);
        for _ in 0..40 {
            let (json, event) = events.event();
            let held = filled.fill(&program.layout, &event);
            assert_eq!(build(&program, &event, &mut typed), held, "{json}");
            if held.is_err() {
                unheld += 1;
                continue;
            }
            built += 1;
            let mut wanted = filled.plain(&program.layout, &[]);
            wanted.id = None;
            assert_eq!(
                typed.plain(&program.layout, &[]),
                wanted,
                "seed {seed}: {json}"
            );
            let outcome = program.outcome(&typed, &[], &[], &mut scratch);
            assert_eq!(outcome, program.outcome(&filled, &[], &[], &mut scratch));
            decided += usize::from(outcome.is_ok());
        }
    }
    assert!(built > 10_000 && decided > 9_000, "{built}, {decided}");
    assert!(unheld < built / 50, "{unheld} of {built}");
}

const MATRIX: &str = r#"matrix "Typed" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}

event call {
  flag: yes/no
  word: one of a, b optional
  count: whole number 0 to 10 optional
  share: number 0 to 1 optional
  amount: money USD 0 to 100 optional
  text: text optional
  opened: timestamp optional
  age: duration optional
  tags: list of text default ()
  marks: list of whole number 1 to 6 optional
}

event other {
  flag: yes/no
}

always deny many on call when marks contains any of (5)
always deny tagged on call when tags contains any of ("x")
"#;

#[test]
fn what_is_no_value_of_a_field_is_not_taken() {
    let loaded = check_text("m.lane", MATRIX, &Options::default());
    let matrix = loaded.into_matrix().unwrap_or_else(|e| panic!("{e}"));
    let program = compile(&matrix);
    let layout = &program.layout;
    let kind = matrix.schema.kind_named("call").unwrap().id;
    let place = |path: &str| layout.place(&matrix.schema, "call", path).unwrap();
    let mut slots = Slots::default();
    slots.begin(layout, kind, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(slots.complete(layout), Err(Unheld), "`flag` is required");

    let number = |text: &str| Scalar::Number(parse_decimal(text).unwrap());
    let ends = [Scalar::Whole(1), Scalar::Whole(6)];
    let good: [(&str, Scalar<'_>); 12] = [
        ("flag", true.into()),
        ("word", "b".into()),
        ("count", Scalar::Whole(10)),
        ("share", number("1")),
        ("share", Scalar::Whole(0)),
        ("amount", number("99.99")),
        ("text", "".into()),
        (
            "opened",
            parse_timestamp("2026-01-01T00:00:00Z").unwrap().into(),
        ),
        ("age", Duration::parse("1h").unwrap().into()),
        ("tags", Scalar::Texts(&["a"])),
        ("marks", Scalar::List(&ends)),
        ("marks", Scalar::List(&[])),
    ];
    for (path, value) in good {
        assert_eq!(slots.set(layout, place(path), value), Ok(()), "{path}");
    }
    assert_eq!(slots.complete(layout), Ok(()));
    let beyond = [Scalar::Whole(1), Scalar::Whole(7)];
    let bad: [(&str, Scalar<'_>); 13] = [
        ("flag", "yes".into()),
        ("word", "c".into()),
        ("word", Scalar::Whole(1)),
        ("count", Scalar::Whole(11)),
        ("count", number("1.5")),
        ("share", number("1.0001")),
        ("share", "0.5".into()),
        ("amount", number("-0.01")),
        ("text", Scalar::Whole(1)),
        ("opened", "2026-01-01T00:00:00Z".into()),
        ("tags", "a".into()),
        ("marks", Scalar::List(&beyond)),
        ("marks", Scalar::Texts(&["1"])),
    ];
    for (path, value) in bad {
        assert_eq!(slots.set(layout, place(path), value), Err(Unheld), "{path}");
    }
    // Lists of numbers are looked into as those of texts are.
    let mut scratch = Scratch::default();
    let mut by = |marks: &[Scalar<'_>], tags: &[&str]| {
        slots.set(layout, place("marks"), marks).unwrap();
        slots.set(layout, place("tags"), tags).unwrap();
        let outcome = program.outcome(&slots, &[], &[], &mut scratch).unwrap();
        outcome.name(&matrix).to_owned()
    };
    assert_eq!(by(&[Scalar::Whole(4), Scalar::Whole(5)], &[]), "many");
    assert_eq!(by(&[Scalar::Whole(4)], &["y", "x"]), "tagged");
    assert_eq!(by(&[], &["y"]), "otherwise");
    // A place is of one kind and one program.
    let elsewhere = layout.place(&matrix.schema, "other", "flag").unwrap();
    assert_eq!(slots.set(layout, elsewhere, true), Err(Unheld));
}
