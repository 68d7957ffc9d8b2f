//! The compiled program as text: what a person sees of the four matrices and of one with an index,
//! and that every lane, rule and test is there with its line.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "support/generate.rs"]
mod generate;

use std::collections::BTreeMap;
use std::sync::Arc;

use generate::Plan;
use laneway::check::check_text;
use laneway::compile::{Options, STRAIGHT, compile, compile_with};
use laneway::matrix::Matrix;
use laneway::program::Program;
use laneway::program::print::{View, print};
use laneway::schema::KindId;
use laneway::span::Span;

const FULL: View = View {
    full: true,
    lane: None,
    straight: Some(STRAIGHT),
};

fn shipped(name: &str) -> Arc<Matrix> {
    let path = format!("matrices/{name}");
    laneway::open(std::path::Path::new(&path)).unwrap()
}

#[test]
fn the_programs_of_the_matrices_can_be_read() {
    for name in ["agent-operations", "refund-guard", "tool-approvals", "tour"] {
        let program = compile(&shipped(name));
        insta::assert_snapshot!(name, program.printed(FULL).to_string());
    }
}

/// A matrix of many lanes: most have a routing key, each sort of which a clause can be filed under.
fn large() -> Arc<Matrix> {
    let mut text = r#"matrix "Large" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}
event call {
  tool: text
  tenant: text optional
  path: text
  risk: one of low, middle, high, severe
  seal: one of intact, broken optional
  amount: money USD 0 to 10000 optional
  score: number 0 to 1
  night: yes/no default no
  note: text
}
team desk {
  first group "desk"
}
condition odd means note contains "odd" or score < 0.05
always deny no_drop on call when tool is "drop" and night is yes
"#
    .to_owned();
    for n in 0..110 {
        let when = match n % 10 {
            // So many phrases that one search for all of them is quicker.
            _ if n >= 70 => format!("note contains \"phrase {n}\""),
            0 => format!(
                "path starts with \"/area/{}\" and note contains \"x\"",
                n / 10
            ),
            1 => format!(
                "tool in (\"t{}\", \"t{}\") and score < 0.2",
                n % 7,
                n % 9 + 20
            ),
            2 => format!("amount > {}.50 USD and odd", 9_000 + n),
            3 => format!("score >= 0.9{n} and seal is broken if present"),
            4 => format!("tenant is \"c{n}\" and not (risk in (low, middle))"),
            5 => "risk is severe and night is yes and note like \"*why*\"".to_owned(),
            6 => format!("(tool is \"t{n}\" or path starts with \"/root\") and amount <= 5 USD"),
            7 => "seal is missing and note matches /[a-z]+/".to_owned(),
            _ => format!("tool is \"t{}\" and amount > {} USD", n % 6, n * 100),
        };
        text.push_str(&format!(
            "lane l{n} {{\n  on call\n  when {when}\n  owner desk\n  urgency {}\n  respond within \
             1h\n  meanwhile hold item\n  evidence {{\n    required input\n  }}\n  timeout {{\n    \
             after 2h deny\n  }}\n}}\n",
            ["low", "normal", "high"][n % 3],
        ));
    }
    let loaded = check_text("large.lane", &text, &Default::default());
    loaded.matrix.unwrap_or_else(|| {
        let found = loaded.diagnostics.iter().map(|d| d.message.clone());
        panic!("{:#?}", found.collect::<Vec<_>>())
    })
}

#[test]
fn a_large_program_is_cut_and_says_how_much_is_left() {
    let matrix = large();
    let program = compile(&matrix);
    let view = View {
        full: false,
        ..FULL
    };
    insta::assert_snapshot!("large", program.printed(view).to_string());
    let lane = matrix.lane_named("l6").unwrap().id;
    let one = View {
        lane: Some(lane),
        ..view
    };
    insta::assert_snapshot!("large_one_lane", program.printed(one).to_string());
    let full = program.printed(FULL).to_string();
    assert!(!full.contains(" more"), "{full}");
}

#[test]
fn a_kind_that_is_not_compiled_says_why() {
    let mut text = large().sources.iter().next().unwrap().1.text().to_owned();
    text.push_str(
        "event other {\n  fine: number\n}\nalways deny finest on other when fine > \
         1234567890123456.123456\n",
    );
    let matrix = check_text("large.lane", &text, &Default::default());
    let program = compile(&matrix.matrix.unwrap());
    let text = print(&program);
    let (_, other) = text.split_once("\nkind other\n").unwrap();
    insta::assert_snapshot!(other, @r"
      strategy  the reference evaluator: `fine` is compared with numbers of more digits than 18 in all
        always deny finest  large.lane:1566
    ");
}

#[test]
fn a_scan_says_what_one_search_decides() {
    let mut text = large().sources.iter().next().unwrap().1.text().to_owned();
    text.push_str(
        "event letter {\n  body: text\n  pages: whole number\n}\n\
         always deny legal on letter when body contains \"legal action\"\n\
         always deny money on letter when body contains \"chargeback\"\n\
         always deny length on letter when pages > 3\n",
    );
    let matrix = check_text("large.lane", &text, &Default::default());
    let program = compile(&matrix.matrix.unwrap());
    let text = print(&program);
    let (_, letter) = text.split_once("\nkind letter\n").unwrap();
    insta::assert_snapshot!(letter.lines().next().unwrap(), @"  strategy  scan: an event is held against 1 of 3 clauses, and against the other 2 only where a search for all their phrases at once finds one");
}

/// The line of a span, counted in the text.
fn line_of(matrix: &Matrix, span: Span) -> String {
    let source = matrix.sources.get(span.file).unwrap();
    let before = &source.text()[..span.start as usize];
    let line = before.matches('\n').count() + 1;
    format!("{}:{line}", source.name())
}

/// The part of the text that is about a kind.
fn section<'t>(text: &'t str, matrix: &Matrix, kind: KindId) -> &'t str {
    let name = &matrix.kind(kind).unwrap().name;
    let (_, rest) = text.split_once(&format!("\nkind {name}\n")).unwrap();
    rest.split("\nkind ").next().unwrap()
}

/// Every lane and rule with its line, in each of its kinds; every test with a line; every clause.
fn check_provenance(program: &Program) {
    let matrix = &program.matrix;
    let text = program.printed(FULL).to_string();
    for lane in &matrix.lanes {
        let line = format!("\n    lane {}  {}", lane.name, line_of(matrix, lane.head));
        for kind in &lane.on {
            assert_once(section(&text, matrix, *kind), &line);
        }
    }
    for rule in &matrix.rules {
        let title = format!("{} {}", rule.effect.as_str(), rule.name);
        let line = format!("\n    {title}  {}", line_of(matrix, rule.head));
        for kind in &rule.on {
            assert_once(section(&text, matrix, *kind), &line);
        }
    }
    for (declared, kind) in matrix.schema.kinds().iter().zip(&program.kinds) {
        let section = section(&text, matrix, declared.id);
        for (number, test) in kind.tests.iter().enumerate() {
            let start = format!("    t{number} ");
            let row = section.lines().find(|line| line.starts_with(&start));
            let row = row.unwrap_or_else(|| panic!("no t{number} in {section}"));
            assert!(row.contains(&test.source.text), "{row}");
            let line = row.rsplit([':', ' ']).next().unwrap();
            assert!(line.parse::<usize>().is_ok(), "{row}");
        }
        if !kind.index.is_straight() {
            let filed: usize = section.lines().filter_map(filed).sum();
            assert_eq!(filed, kind.clauses.len(), "{section}");
        }
    }
}

#[track_caller]
fn assert_once(text: &str, line: &str) {
    let found =
        text.matches(&format!("{line}  ")).count() + text.matches(&format!("{line}\n")).count();
    assert_eq!(found, 1, "{line} in {text}");
}

/// How many clauses a line of the index counts.
fn filed(line: &str) -> Option<usize> {
    let line = line.strip_prefix("    ").filter(|l| !l.starts_with(' '))?;
    let count = match line.strip_prefix("every event  ") {
        Some(rest) => rest,
        None => {
            let (_, rest) = line.split_once("  ")?;
            let (counted, _) = rest
                .split_once(" under ")
                .filter(|_| rest.contains(" value"))?;
            counted.rsplit(", ").next()?
        }
    };
    let (count, _) = count.split_once(" clause")?;
    count.parse().ok()
}

#[test]
fn every_lane_rule_and_test_is_there_with_its_line() {
    let mut straight = 0;
    let mut indexed = 0;
    let mut check_both = |matrix: &Arc<Matrix>| {
        for options in [
            Options::default(),
            Options {
                straight: 0,
                ..Options::default()
            },
        ] {
            let program = compile_with(matrix, options);
            check_provenance(&program);
            // Another program of the same matrix says the same.
            let again = compile_with(matrix, options);
            assert_eq!(print(&program), print(&again));
            for kind in &program.kinds {
                match kind.index.is_straight() {
                    true => straight += 1,
                    false => indexed += 1,
                }
            }
        }
    };
    for name in ["agent-operations", "refund-guard", "tool-approvals", "tour"] {
        check_both(&shipped(name));
    }
    check_both(&large());
    for seed in 0..60 {
        let plan = Plan {
            lanes: 1..=20,
            ..Plan::default()
        };
        check_both(&generate::matrix(seed, &plan).matrix());
    }
    assert!(straight > 50 && indexed > 50, "{straight} {indexed}");
}

/// The values that clauses are filed under lead to their lanes.
#[test]
fn an_operator_can_follow_a_value_to_a_lane() {
    let program = compile(&large());
    let text = program.printed(FULL).to_string();
    let by_value: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("        ")?.split_once(": "))
        .collect();
    assert_eq!(by_value["tool is \"t21\""], "lane l1");
    assert_eq!(by_value["tool is \"drop\""], "always deny no_drop");
    assert_eq!(by_value["path starts with \"/area/3\""], "lane l30");
    assert_eq!(by_value["tenant is \"c64\""], "lane l64");
    assert_eq!(by_value["note contains \"phrase 99\""], "lane l99");
}
