//! What the quick ways say of regions is what the evaluator says.

use super::*;
use crate::analysis::ways::{Budget, ways};
use crate::check::{Options, check_text};

const HEAD: &str = r#"matrix "m" {
  edition 1
  timezone "Europe/Madrid"
  otherwise allow
  unreadable deny
}
event call {
  amount: money USD 0 to 1000 optional
  ratio: number
  level: whole number optional
  wait: duration
  name: text optional
  loud: text ignoring case
  color: one of red, green, blue, black optional
  urgent: yes/no
  tags: list of text default ()
  made: timestamp
}
calendar office_hours {
  mon to fri 09:00 to 18:00
}
team leads { first person "a@x.example" }
sample plain is call {
  amount = 17.5 USD, ratio = 0.5, wait = 30s, name = "refund-17", loud = "ReFund", urgent = no,
  made = 2026-01-05T00:00:00Z
}
"#;

const TESTS: [&str; 44] = [
    "amount < 10 USD",
    "amount <= 10 USD",
    "amount > 10 USD",
    "amount >= 250.50 USD",
    "amount is 10 USD",
    "amount is not 20 USD",
    "amount in (5 USD, 10 USD, 999 USD)",
    "amount not in (5 USD, 20 USD)",
    "amount is missing",
    "amount is present",
    "amount > 900 USD if present",
    "ratio < 0.25",
    "ratio >= 0.72",
    "ratio is 1",
    "ratio not in (0.5, 0.25)",
    "level > 3",
    "level is 4",
    "level <= -7",
    "level in (1, 2, 9)",
    "wait > 30s",
    "wait <= 2m",
    "name is \"refund\"",
    "name is not \"refund-17\"",
    "name in (\"refund\", \"credit\", \"a\")",
    "name starts with \"ref\"",
    "name not ends with \"-17\"",
    "name contains \"und\"",
    "name like \"r*d\"",
    "name matches /[a-c]+[0-9]{2}/",
    "name not matches /re.*/",
    "loud is \"refund\"",
    "loud starts with \"RE\"",
    "color is red",
    "color not in (red, blue)",
    "color is missing",
    "urgent is yes",
    "tags contains any of (\"a\", \"b\")",
    "tags contains all of (\"b\", \"c\")",
    "tags contains none of (\"a\")",
    "made older than 30d",
    "made newer than 1h",
    "at is outside office_hours",
    "name is present",
    "ratio is not 0.72",
];

fn matrix() -> Arc<Matrix> {
    let mut text = HEAD.to_owned();
    for (number, test) in TESTS.iter().enumerate() {
        text.push_str(&format!(
            "always allow rule_{number} on call when {test} because \"so\"\n"
        ));
    }
    let loaded = check_text("tests.lane", &text, &Options::default());
    let errors: Vec<_> = loaded.diagnostics.iter().map(|it| &it.message).collect();
    loaded.matrix.unwrap_or_else(|| panic!("{errors:?}"))
}

#[test]
fn every_region_is_what_the_evaluator_says() {
    let matrix = matrix();
    let kind = &matrix.schema.kinds()[0];
    let space = Space::new(&matrix, kind);
    assert_eq!(space.owned.len(), TESTS.len());
    let mut asked = 0;
    for owned in &space.owned {
        let rails = space.rails_of(&owned.test).unwrap();
        let dim = space.dim(0, owned.test.field).unwrap();
        let Node::Literal(Literal::In(_, takes)) = &rails.yes else {
            // Of what a list holds there is no region.
            assert!(
                matches!(owned.test.op, TestOp::Contains { .. }),
                "{}",
                owned.test.text
            );
            continue;
        };
        if matches!(owned.test.op, TestOp::Contains { .. }) {
            continue;
        }
        for (region, values) in (0..).zip(&space.dims[dim as usize].regions) {
            assert!(!values.is_empty());
            for value in values {
                asked += 1;
                let says = space.answers(owned, value);
                assert_eq!(takes.has(region), says, "{} of {value}", owned.test.text);
            }
        }
    }
    assert!(asked > 400, "{asked}");
}

#[test]
fn an_event_of_each_side_of_each_test_is_one() {
    let matrix = matrix();
    let kind = &matrix.schema.kinds()[0];
    let space = Space::new(&matrix, kind);
    let budget = || Budget::new(Box::new(|| false));
    let mut sides = 0;
    for (rule, test) in matrix.rules.iter().zip(TESTS) {
        let rails = space.rails(0, &rule.when);
        let no = space.not(&rails.maybe);
        for (node, holds) in [(&rails.yes, true), (&no, false)] {
            for cube in ways(&space, node, &budget()).unwrap() {
                let Chosen::Some(point) = space.choose(&cube) else {
                    panic!("{test}: {cube:?}");
                };
                let record = space.record(0, &point).unwrap();
                let event = crate::event::Event::from_record(
                    &matrix.schema,
                    record.kind,
                    &record.values,
                    point.at,
                    None,
                );
                let event = event.unwrap_or_else(|error| panic!("{test}: {error:?}"));
                let history = crate::reference::History::new(&matrix);
                let times = crate::reference::Times::of(&event);
                let reference = crate::reference::Reference::new(&matrix);
                let decision = reference.decide(&event, &history, times);
                let applies = decision.rules.iter().any(|it| it.rule == rule.name);
                assert_eq!(applies, holds, "{test}: {cube:?}");
                sides += 1;
            }
        }
    }
    assert!(sides >= 2 * TESTS.len(), "{sides}");
}
