//! What all events show, as `laneway check` tells it: each finding with its code and its event, exit code 1, and that
//! the time was too short.

use std::path::Path;

use crate::program::Ran;
use crate::run::{Folder, sound, with};

/// However slow the machine is.
const PATIENT: [&str; 4] = ["check", "matrix.lane", "--budget", "10m"];

/// A second lane beside the one of the sound matrix, with another trigger and another end.
fn lane(when: &str, end: &str) -> String {
    format!(
        r#"lane second {{
  about "Refunds that are looked at twice"
  on refund
  when {when}
  owner finance
  urgency normal
  respond within 1h
  meanwhile block item
  operator "Check the order, then answer."
  evidence {{
    required input, action, trigger
  }}
  timeout {{
    after 1h notify backup
    after 4h {end}
  }}
}}
"#
    )
}

/// The sound matrix, with more at its end.
fn and(more: &str) -> Folder {
    let folder = sound();
    folder.write("matrix.lane", folder.text("matrix.lane") + more);
    folder
}

/// The findings about all events: their codes and what is said of them.
fn found(folder: &Folder) -> Vec<(String, String, String)> {
    let ran = folder.run(&[&PATIENT[..], &["--format", "json"]].concat());
    let all = ran.json();
    let all = all.as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
    let all = all.map(|it| (text(&it["code"]), text(&it["message"]), text(&it["help"])));
    let found: Vec<_> = all.filter(|(code, ..)| code.starts_with("W09")).collect();
    assert_eq!(ran.code == 1, !found.is_empty(), "{ran:?}");
    found
}

fn assert_found(more: &str, code: &str, message: &str, help: &str) {
    let found = found(&and(more));
    let [(own, told, event)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(own, code, "{found:?}");
    assert!(told.contains(message), "{told}");
    assert!(event.contains(help), "{event}");
}

#[test]
fn a_lane_and_a_rule_that_no_event_meets() {
    let never = "amount < 10 USD and amount > 20 USD";
    assert_found(
        &lane(never, "deny"),
        "W0901",
        "`second` can neither fire nor be unsure",
        "mend",
    );
    assert_found(
        &format!("always allow none on refund when {never}\n"),
        "W0901",
        "`always allow none` never applies",
        "mend",
    );
}

#[test]
fn a_lane_that_always_deny_hides() {
    let rule = "always deny large on refund when amount > 500 USD because \"not by agents\"\n";
    assert_found(
        &(lane("amount > 600 USD", "deny") + rule),
        "W0902",
        "`always deny large` decides",
        " -> deny by large",
    );
}

#[test]
fn lanes_that_contradict_each_other() {
    assert_found(
        &lane("customer is \"c9\"", "expire"),
        "W0903",
        "`big_refund` and `second` attach together",
        " -> escalate by ",
    );
}

#[test]
fn a_promise_that_an_event_breaks() {
    assert_found(
        "promise \"never alone\" on refund when amount > 50 USD never allow\n",
        "W0904",
        "`never alone` is broken",
        " -> allow by otherwise",
    );
}

#[test]
fn a_part_of_a_trigger_that_changes_nothing() {
    assert_found(
        &lane("amount > 200 USD and amount > 150 USD", "deny"),
        "W0905",
        "`amount > 150 USD` changes nothing",
        "remove it",
    );
}

/// Two adjusts of one field, where no lane asks.
const ADJUSTS: &str = "adjust one on refund when amount > 50 USD and amount < 80 USD set amount = 20 USD\n\
                       adjust two on refund when amount > 60 USD and amount < 90 USD set amount = 30 USD\n";

#[test]
fn two_adjusts_that_differ_are_told_once() {
    assert_found(
        ADJUSTS,
        "W0906",
        "`adjust one` and `adjust two` apply together",
        "by unreadable",
    );
    let guessed = |args: &[&str]| and(ADJUSTS).run(args).out.contains("W0813");
    assert!(!guessed(&PATIENT));
    assert!(guessed(&["check", "matrix.lane", "--no-analysis"]));
    assert!(guessed(&["check", "matrix.lane", "--budget", "0s"]));
    // Only a lane that asks keeps these two from being applied.
    let apart = ADJUSTS.replace("amount < 80 USD", "amount < 1000 USD");
    let apart = apart.replace("amount > 60 USD and", "amount > 100 USD and");
    let apart = apart.replace("amount < 90 USD", "amount < 500 USD");
    assert!(!and(&apart).run(&PATIENT).out.contains("W0813"));
}

#[test]
fn what_needs_a_history_shows_it() {
    let often = "count of refund by customer over 1h >= 3";
    assert_found(
        &lane(often, "expire"),
        "W0903",
        "attach together",
        " after 2 of ",
    );
}

#[test]
fn what_no_repeated_event_shows_says_that_it_is_not_confirmed() {
    let many = "distinct customer of refund over 1h >= 4";
    assert_found(
        &lane(many, "expire"),
        "W0903",
        "(possible, not confirmed)",
        "a measure has to count",
    );
}

#[test]
fn the_event_can_be_pasted_and_passes() {
    let folder = and(&lane("customer is \"c9\"", "expire"));
    let all = found(&folder);
    let event = all[0].2.lines().find(|line| line.starts_with("scenario "));
    let text = format!("{}{}\n", folder.text("matrix.lane"), event.unwrap());
    folder.write("matrix.lane", text);
    let ran = folder.run(&["check", "matrix.lane", "--no-analysis"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("3 examples run"), "{ran:?}");
}

#[test]
fn the_finding_is_in_each_form_and_a_sound_matrix_has_none() {
    let folder = and(&lane("customer is \"c9\"", "expire"));
    for format in ["text", "json", "sarif", "github"] {
        let args = [&PATIENT[..], &["--format", format]].concat();
        let ran = folder.run(&args);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.out.contains("W0903"), "{ran:?}");
        assert_eq!(ran.err, "");
        let ran = sound().run(&args);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let stdin = folder.text("matrix.lane");
    let stdin = stdin.replace("import \"people.lane\"\n", crate::run::PEOPLE);
    let ran = Folder::new().run_with(&["check", "-", "--budget", "10m"], stdin.as_bytes());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("warning[W0903]"), "{ran:?}");
}

#[test]
fn it_can_be_left_out() {
    let folder = and(&lane("customer is \"c9\"", "expire"));
    let ran = folder.run(&["check", "matrix.lane", "--no-analysis"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert!(!ran.out.contains("W09"), "{ran:?}");
    assert!(!ran.out.contains("not all questions"), "{ran:?}");
}

#[test]
fn that_the_time_was_too_short_is_said_beside_the_result() {
    let said = "not all questions about all events were decided within 0s; `laneway analyze matrix.lane` takes its time\n";
    let folder = and(&lane("customer is \"c9\"", "expire"));
    let run = |format: &str| -> Ran {
        folder.run(&["check", "matrix.lane", "--budget", "0s", "--format", format])
    };
    let ran = run("text");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert!(ran.out.ends_with(said), "{ran:?}");
    for format in ["json", "sarif", "github"] {
        let ran = run(format);
        assert_eq!((ran.code, ran.err.as_str()), (0, said), "{ran:?}");
        assert!(!ran.out.contains("not all questions"), "{ran:?}");
    }
}

#[test]
fn a_matrix_that_does_not_load_is_not_asked() {
    let broken = with("amount > 100 USD", "amount > 100 USD &&");
    let ran = broken.run(&["check", "matrix.lane", "--budget", "0s"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(!ran.out.contains("not all questions"), "{ran:?}");
}

#[test]
fn the_matrices_that_are_shipped_have_no_finding() {
    let folder = Folder::new();
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("matrices");
    for name in [
        "agent-operations",
        "refund-guard",
        "tool-approvals",
        "tool-guard",
        "tour",
    ] {
        let matrix = home.join(name);
        let ran = folder.run(&["check", matrix.to_str().unwrap(), "--budget", "10m"]);
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        assert!(!ran.out.contains("[W09"), "{name}: {ran:?}");
    }
}

#[test]
fn many_warnings_hide_no_finding() {
    let mut more = lane("customer is \"c9\"", "expire");
    for number in 0..10_050 {
        more += &format!("list unused_{number} is \"x\"\n");
    }
    let ran = and(&more).run(&PATIENT);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("warning[W0903]"));
    let (_, end) = ran.out.rsplit_once("note[N0902]").unwrap();
    assert!(!end.contains("warning["), "{end}");
}
