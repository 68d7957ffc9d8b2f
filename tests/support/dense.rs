//! A matrix whose lanes all attach, each with the window of one measure.
//!
//! In: tests of measures, as in a trigger; `|both` behind one that pings ask for too. Out: a matrix.

use std::fmt::Write as _;
use std::sync::Arc;

use laneway::Matrix;
use laneway::check::{Options, check_text};

/// A matrix whose lanes all attach, each with the window of one measure.
pub fn dense(measures: &[&str]) -> Arc<Matrix> {
    dense_with(measures, "")
}

/// The same with further items.
pub fn dense_with(measures: &[&str], items: &str) -> Arc<Matrix> {
    let mut text = String::from(
        r#"matrix "Dense" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}
event call {
  user: text
  team: one of red, blue, green
  host: text ignoring case
  amount: money USD 0 to 1000000
  fine: number 0 to 9999999999
  took: duration
  tries: whole number 0 to 9000000000000000000
  note: text optional
  tags: list of text
}
event ping {
  user: text
  team: one of green, blue, red
  fine: number 0 to 9999999999
}
team ops {
  first person "o@acme.example"
  backup group "g"
}
adjust clip on call when amount > 9000 USD set amount = 9000 USD because "for the test"
"#,
    );
    text.push_str(items);
    for (number, (on, measure)) in measures
        .iter()
        .flat_map(|measure| [("call", measure), ("ping", measure)])
        .enumerate()
    {
        let (test, only) = measure.split_once('|').unwrap_or((measure, ""));
        if on == "ping" && only != "both" {
            continue;
        }
        let _ = write!(
            text,
            "lane l{number} {{\n  on {on}\n  when {test}\n  group by user\n  owner ops\n  \
             urgency normal\n  respond within 30m\n  meanwhile hold item\n  \
             evidence {{\n    required input, action, trigger\n  }}\n  \
             timeout {{\n    after 1h notify backup\n    after 2h deny\n  }}\n}}\n"
        );
    }
    check_text("m.lane", &text, &Options::default())
        .into_matrix()
        .unwrap()
}

pub const MEASURES: [&str; 14] = [
    "count of call by user over 10m is not 999|both",
    "count of call over 10m is not 999|both",
    "count of call where note is \"x\" by user over 10m is not 999|both",
    "count of call where amount > 100 USD by user, team over 5m is not 999|both",
    "count of ping by fine over 10m is not 999|both",
    "sum amount of call by user over 10m is not 0.001 USD",
    "sum amount of call where note is not \"y\" over 30m is not 0.001 USD",
    "sum fine of call by team over 10m is not 0.5|both",
    "sum took of call by host over 10m is not 7ms",
    "sum tries of call by team over 10m is not 77",
    "distinct host of call by user over 10m is not 999",
    "distinct fine of call where note is \"x\" by team over 10m is not 999|both",
    "distinct tags of call over 20m is not 999",
    "distinct team of call by host over 10m is not 999",
];

/// Several functions of one window, more than one stream keeps, with bounds that are met now and then.
pub const TOGETHER: [&str; 7] = [
    "count of call by user over 10m > 6",
    "sum amount of call by user over 10m > 300 USD",
    "sum tries of call by user over 10m > 3",
    "distinct host of call by user over 10m > 2",
    "distinct team of call by user over 10m > 2",
    "sum took of call by user over 10m > 1h",
    "count of call by user over 11m > 7",
];
