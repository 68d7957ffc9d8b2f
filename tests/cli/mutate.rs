//! `laneway test --mutate` and `--suggest`: changes that no example notices, and examples that a lane could have.

use serde_json::Value;

use crate::program::Ran;
use crate::run::Folder;

/// A matrix of one lane, which stands last.
fn matrix(before: &str, clauses: &str) -> String {
    format!(
        r#"matrix "Small" {{
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}}
event refund {{
  amount: money USD 0 to 1000000
  customer: text
  tool: one of card, cash, credit
  score: number 0 to 1 optional
}}
team finance {{
  first group "finance"
  backup person "cfo@acme.example"
}}
sample small is refund {{
  amount = 10 USD
  customer = "c1"
  tool = card
}}
{before}lane big_refund {{
  about "Refunds above what an agent may give"
  on refund
  {clauses}
  owner finance
  urgency normal
  respond within 1h
  meanwhile block item
  operator "Look at it."
  evidence {{
    required input, action, trigger
  }}
  timeout {{
    after 1h notify backup
    after 4h deny
  }}
}}
"#
    )
}

/// The matrix with lines put into its lane, scenarios behind it.
fn with(text: &str, lines: &[String]) -> String {
    let (head, _) = text.trim_end().rsplit_once('}').unwrap();
    let of = |word: &str| -> String {
        let lines = lines.iter().filter(|line| line.starts_with(word));
        lines.map(|line| format!("{line}\n")).collect()
    };
    format!("{head}{}}}\n{}", of("example"), of("scenario"))
}

fn folder(text: &str) -> Folder {
    Folder::with(&[("matrix.lane", text)])
}

fn mutated(text: &str) -> Ran {
    folder(text).run(&["test", "matrix.lane", "--mutate", "--format", "json"])
}

/// What was changed, of a list of the report: `was` to `is`.
fn changes(ran: &Ran, list: &str) -> Vec<String> {
    let all = ran.json()[list].as_array().unwrap().clone();
    let words = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
    all.iter()
        .map(|it| format!("{} to {}", words(&it["was"]), words(&it["is"])))
        .collect()
}

fn lines(ran: &Ran) -> Vec<String> {
    let all = ran.json()["missed"].as_array().unwrap().clone();
    let mut lines: Vec<String> = Vec::new();
    for line in all.iter().filter_map(|it| it["add"].as_str()) {
        if !lines.iter().any(|known| known == line) {
            lines.push(line.to_owned());
        }
    }
    lines
}

#[test]
fn a_missed_mutant_comes_with_a_line_that_catches_it() {
    let text = matrix(
        "",
        "when amount > 250 USD and tool in (card, cash) and not score >= 0.5\n  \
         example \"large\" small with { amount = 900 USD, score = 0.1 } -> escalate",
    );
    let ran = folder(&text).run(&["test", "matrix.lane", "--mutate"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let shown = "missed: lane big_refund: `amount > 250 USD` to `amount >= 250 USD`\n  --> matrix.lane:25:8\n  \
                 example \"amount 250 USD\" small with { amount = 250 USD } -> no match\n";
    assert!(ran.out.contains(shown), "{}", ran.out);
    assert!(
        ran.out
            .contains("missed: lane big_refund: without `cash`\n"),
        "{}",
        ran.out
    );
    let ran = mutated(&text);
    assert_eq!(ran.code, 1, "{ran:?}");
    let missed = changes(&ran, "missed");
    for change in [
        "amount > 250 USD to amount > 249.99 USD",
        "amount > 250 USD to amount > 250.01 USD",
        "score >= 0.5 to score > 0.5",
        "score >= 0.5 to score >= 0.4",
        "score >= 0.5 to score >= 0.6",
        "score >= 0.5 to score >= 0.5 if present",
        "amount > 250 USD to nothing",
        "amount > 250 USD and tool in (card, cash) and not score >= 0.5 to amount > 250 USD or tool in (card, cash) or not score >= 0.5",
    ] {
        assert!(
            missed.iter().any(|it| it == change),
            "{change}: {missed:#?}"
        );
    }
    let lines = lines(&ran);
    let better = with(&text, &lines);
    let ran = folder(&better).run(&["test", "matrix.lane"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = mutated(&better);
    assert_eq!((ran.code, changes(&ran, "missed").len()), (0, 0), "{ran:?}");
    assert!(ran.json()["caught"].as_u64().unwrap() == 15, "{ran:?}");
}

#[test]
fn a_mutant_that_changes_nothing_is_not_missed() {
    let text = matrix(
        "always deny no_cash on refund when tool is cash and amount >= 0 USD because \"never\"\n\
         scenario \"cash\" small with { tool = cash } -> deny by no_cash\n\
         scenario \"no cash\" small with { tool = cash, amount = 0 USD } -> deny by no_cash\n\
         scenario \"card\" small -> allow by otherwise\n",
        "when amount > 250 USD and (tool is credit or tool is cash)\n  \
         example \"credit\" small with { amount = 250.01 USD, tool = credit } -> escalate\n  \
         example \"not much\" small with { amount = 250 USD, tool = credit } -> no match\n  \
         example \"card\" small with { amount = 300 USD } -> no match",
    );
    let ran = mutated(&text);
    assert_eq!((ran.code, changes(&ran, "missed").len()), (0, 0), "{ran:?}");
    let same = changes(&ran, "same");
    // No amount is below 0, and what is paid in cash is denied whatever the lane says.
    for change in ["amount >= 0 USD to nothing", "tool is cash to nothing"] {
        assert!(same.iter().any(|it| it == change), "{change}: {same:#?}");
    }
    assert_eq!(same.len(), 3, "{same:#?}");
}

/// What only a history shows is never called the same.
#[test]
fn a_measure_is_not_proved_by_an_event_without_a_history() {
    let before = "list tools is \"c1\", \"c2\"\n";
    let clauses = "when count of refund where customer in tools by tool over 10m > 3\n  group by customer\n  \
                   example \"one\" small -> no match";
    let ran = mutated(&matrix(before, clauses));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(changes(&ran, "same"), [""; 0], "{ran:?}");
    let missed = changes(&ran, "missed");
    for moved in ["> 2", "> 4", ">= 3"] {
        let words = "count of refund where customer in tools by tool over 10m";
        let change = format!("{words} > 3 to {words} {moved}");
        assert!(missed.contains(&change), "{missed:#?}");
    }
    assert!(
        missed.contains(&"\"c2\" to nothing".to_owned()),
        "{missed:#?}"
    );
    let line = "example \"after 3\" small after 3 of small over 5m -> escalate";
    assert!(lines(&ran).contains(&line.to_owned()), "{:#?}", lines(&ran));
    let better = with(
        &matrix(before, clauses),
        &[
            line.to_owned(),
            "example \"third\" small after 2 of small over 5m -> no match".to_owned(),
            "example \"another\" small after 3 of small with { customer = \"c2\" } over 5m -> escalate".to_owned(),
            "example \"nobody's\" small after 3 of small with { customer = \"c3\" } over 5m -> no match".to_owned(),
        ],
    );
    let ran = mutated(&better);
    assert_eq!((ran.code, changes(&ran, "missed").len()), (0, 0), "{ran:?}");
}

/// A lane on trial has no effect until its day, and is meant to have one behind it.
#[test]
fn a_lane_on_trial_is_to_be_right_as_well() {
    let text = matrix("", "when amount > 250 USD\n  trial until 2030-01-01");
    let ran = mutated(&text);
    assert_eq!((ran.code, changes(&ran, "missed").len()), (1, 3), "{ran:?}");
    let ran = mutated(&with(&text, &lines(&ran)));
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn mutants_need_cases_that_pass_and_may_have_them_beside_the_matrix() {
    let text = matrix("", "when amount > 250 USD");
    let folder = folder(&text);
    folder.write(
        "more.lane",
        "scenario \"a cent\" small with { amount = 250.01 USD } -> escalate\n\
         scenario \"none\" small with { amount = 250 USD } -> allow\n",
    );
    let ran = folder.run(&["test", "matrix.lane", "more.lane", "--mutate"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "3 mutants: 3 caught, 0 missed\n"),
        "{ran:?}"
    );
    folder.write("more.lane", "scenario \"wrong\" small -> deny\n");
    let ran = folder.run(&["test", "matrix.lane", "more.lane", "--mutate"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
    assert!(ran.err.contains("1 case fails now"), "{ran:?}");
    let ran = folder.run(&["test", "matrix.lane", "--mutate", "--format", "junit"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

/// The lines that are suggested.
fn suggested(text: &str) -> Vec<String> {
    let ran = folder(text).run(&["test", "matrix.lane", "--suggest"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.out.lines().map(str::to_owned).collect()
}

#[test]
fn suggested_examples_show_both_sides_of_each_test_and_pass() {
    let text = matrix(
        "",
        "when amount > 250 USD and tool in (card, cash) and not score >= 0.5\n  \
         example \"large\" small with { amount = 900 USD, score = 0.1 } -> escalate",
    );
    let lines = suggested(&text);
    assert_eq!(
        lines,
        [
            "# lane big_refund (matrix.lane:22)",
            "example \"amount 249.99 USD, score 0.1\" small with { amount = 249.99 USD, score = 0.1 } -> no match",
            "example \"amount 250 USD, score 0.1\" small with { amount = 250 USD, score = 0.1 } -> no match",
            "example \"amount 250.01 USD, score 0.1\" small with { amount = 250.01 USD, score = 0.1 } -> escalate",
            "example \"amount 900 USD, tool cash, score 0.1\" small with { amount = 900 USD, tool = cash, score = 0.1 } -> escalate",
            "example \"amount 900 USD, tool credit, score 0.1\" small with { amount = 900 USD, tool = credit, score = 0.1 } -> no match",
            "example \"amount 900 USD, score 0.4\" small with { amount = 900 USD, score = 0.4 } -> escalate",
            "example \"amount 900 USD, score 0.5\" small with { amount = 900 USD, score = 0.5 } -> no match",
            "example \"amount 900 USD, score 0.6\" small with { amount = 900 USD, score = 0.6 } -> no match",
            "example \"amount 900 USD\" small with { amount = 900 USD } -> unsure",
        ]
    );
    let better = with(&text, &lines);
    assert_eq!(folder(&better).run(&["test", "matrix.lane"]).code, 0);
    assert_eq!(
        suggested(&better),
        [""; 0],
        "what is there is not suggested again"
    );
    let ran = mutated(&better);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_lane_without_a_sample_and_an_example_gets_both() {
    let text = matrix("", "when amount > 250 USD and tool is cash");
    let (head, rest) = text.split_once("sample").unwrap();
    let text = format!("{head}{}", rest.split_once("}\n").unwrap().1);
    let lines = suggested(&text);
    let sample = lines
        .iter()
        .find(|line| line.starts_with("sample some_refund is refund {"));
    let better = with(&format!("{}\n{text}", sample.unwrap()), &lines);
    let ran = folder(&better).run(&["test", "matrix.lane"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        lines
            .iter()
            .filter(|line| line.ends_with("-> no match"))
            .count()
            >= 3,
        "{lines:#?}"
    );
    let ran = folder(&text).run(&["test", "matrix.lane", "--suggest", "--format", "json"]);
    let examples = ran.json()[0]["examples"].as_array().unwrap().len();
    assert_eq!(examples, lines.len() - 2, "{ran:?}");
}

/// The examples of what is shipped are as good as they can be.
#[test]
fn no_mutant_of_a_shipped_matrix_is_missed() {
    let floors = [
        ("agent-operations", 180),
        ("refund-guard", 90),
        ("tool-approvals", 45),
        ("tool-guard", 20),
        ("tour", 300),
    ];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("matrices");
    let mut names: Vec<String> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        floors.map(|(name, _)| name),
        "a matrix without a floor"
    );
    for (name, floor) in floors {
        let path = root.join(name);
        let ran = Folder::new().run(&[
            "test",
            path.to_str().unwrap(),
            "--mutate",
            "--format",
            "json",
        ]);
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        let report = ran.json();
        assert!(
            report["mutants"].as_u64().unwrap() >= floor,
            "{name}: {ran:?}"
        );
        // Nearly all are caught: what is proved has a reason each.
        assert!(
            report["same"].as_array().unwrap().len() < 12,
            "{name}: {ran:?}"
        );
    }
}
