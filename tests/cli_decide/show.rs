//! `laneway show`.

use crate::run::{SMALL, laneway, on_screen};

#[test]
fn the_table_fits_the_screen() {
    for columns in [80, 140] {
        let ran = on_screen(columns, &["show", SMALL]);
        for line in ran.out.lines() {
            assert!(line.chars().count() <= columns as usize, "{line}");
        }
        insta::assert_snapshot!(format!("table_{columns}"), ran.seen());
    }
}

#[test]
fn a_lane_is_told_in_prose() {
    insta::assert_snapshot!(on_screen(90, &["show", SMALL, "--lane", "large_order"]).seen());
    let ran = laneway(&["show", SMALL, "--lane", "large_ordr"]);
    assert_eq!(
        ran.seen(),
        "error: no lane `large_ordr` in the matrix; did you mean `large_order`?\n[exit code 2]"
    );
}

#[test]
fn markdown_and_html_say_the_same() {
    insta::assert_snapshot!(
        "markdown",
        laneway(&["show", SMALL, "--format=markdown"]).seen()
    );
    let html = laneway(&["show", SMALL, "--format=html"]).out;
    let (head, body) = html.split_once("</head>").unwrap();
    insta::assert_snapshot!("html", body);
    assert!(head.contains("prefers-color-scheme: dark"));
    // Nothing is loaded, and nothing of the matrix acts as HTML.
    for word in ["src=", "url(", "@import", "<link", "<script", "http"] {
        assert!(!html.contains(word), "{word}");
    }
    assert!(body.contains("ask: is it &lt;right&gt;?"));
}

/// Each fact of each lane is on the page.
#[test]
fn nothing_of_a_lane_is_left_out() {
    for name in [
        "agent-operations",
        "refund-guard",
        "tool-approvals",
        "tool-guard",
        "tour",
    ] {
        let matrix = format!("matrices/{name}");
        let page = laneway(&["show", &matrix, "--format=markdown"]).out;
        let data = laneway(&["show", &matrix, "--format=json"]).json();
        for lane in data["lanes"].as_array().unwrap() {
            let title = format!("## `{}`\n", lane["lane"].as_str().unwrap());
            let (_, section) = page.split_once(&title).unwrap();
            let section = section.split("\n## ").next().unwrap();
            for label in [
                "Trigger",
                "Owner",
                "Urgency",
                "Meanwhile",
                "Evidence",
                "Operator",
                "Timeout",
                "When unsure",
            ] {
                assert!(
                    section.contains(&format!("- **{label}**: ")),
                    "{title}{label}"
                );
            }
            let mut tests = Vec::new();
            gather(&lane["when"], &mut tests);
            for test in tests {
                assert!(section.contains(&test), "{title}{test}");
            }
            for key in ["owner", "urgency"] {
                assert!(
                    section.contains(lane[key].as_str().unwrap()),
                    "{title}{key}"
                );
            }
        }
    }
}

fn gather(expr: &serde_json::Value, tests: &mut Vec<String>) {
    match expr {
        serde_json::Value::Object(all) => {
            for (key, value) in all {
                match (key.as_str(), value.as_str()) {
                    ("test" | "measure" | "condition", Some(text)) => tests.push(text.to_owned()),
                    _ => gather(value, tests),
                }
            }
        }
        serde_json::Value::Array(all) => all.iter().for_each(|part| gather(part, tests)),
        _ => {}
    }
}

#[test]
fn the_data_are_those_of_the_matrix() {
    let data = laneway(&["show", SMALL, "--format=json"]).json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&data["lanes"][0]).unwrap());
    assert_eq!(data["rules"][2]["set"]["amount"], "50 EUR");
    assert_eq!(data["promises"][0]["claim"]["reaches"], "board");
    let lane = laneway(&["show", SMALL, "--format=json", "--lane=large_order"]).json();
    assert_eq!(lane, data["lanes"][0]);
}

#[test]
fn the_program_can_be_read() {
    let small = laneway(&["show", SMALL, "--format=program", "--lane=large_order"]);
    insta::assert_snapshot!("program_lane", small.seen());
    let cut = laneway(&["show", "matrices/tour", "--format=program"]).out;
    let full = laneway(&["show", "matrices/tour", "--format=program", "--verbose"]).out;
    assert!(cut.contains("\n    ... and 7 more\n") && !full.contains(" more\n"));
    assert!(full.len() > cut.len());
}
