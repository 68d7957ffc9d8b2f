//! `laneway schema`.

use crate::run::{SMALL, laneway, laneway_with};

#[test]
fn a_kind_is_exported_by_either_name() {
    let ran = laneway(&["schema", "export", SMALL, "order"]);
    let schema = ran.json();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(
        schema["properties"]["customerId"].is_object(),
        "{}",
        ran.out
    );
    assert_eq!(
        laneway(&["schema", "export", SMALL, "shop.order"]).out,
        ran.out
    );
    let ran = laneway(&["schema", "export", SMALL, "ordr"]);
    assert_eq!(
        ran.seen(),
        "error: no event kind `ordr` in the matrix; did you mean `order`?\n[exit code 2]"
    );
}

#[test]
fn samples_give_event_blocks() {
    let events = concat!(
        r#"{"kind":"order","id":"1","at":"2026-11-20T09:00:00Z","step":"ship","amount":12.5,"labels":["a"]}"#,
        "\n[1]\n",
        r#"{"kind":"order","id":"2","at":"2026-11-20T09:01:00Z","step":"ship"}"#,
        "\n{\n",
    );
    let ran = laneway_with(&["schema", "infer", "-"], events.as_bytes(), None);
    insta::assert_snapshot!(ran.seen());
    let args = ["schema", "infer", "-", "--format=json"];
    let json = laneway_with(&args, events.as_bytes(), None).json();
    assert_eq!(
        (&json["events"], &json["skipped"][1]["line"]),
        (&2.into(), &4.into())
    );
    assert_eq!(ran.out, json["blocks"].as_str().unwrap());
}

/// The blocks are a start that a matrix can be made of.
#[test]
fn the_blocks_of_real_events_check() {
    for name in [
        "agent-operations",
        "refund-guard",
        "tool-approvals",
        "tool-guard",
        "tour",
    ] {
        let ran = laneway(&["schema", "infer", &format!("matrices/{name}/events.ndjson")]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let matrix = format!(
            "matrix \"x\" {{\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  unreadable deny\n}}\n\n{}",
            ran.out
        );
        let ran = laneway_with(&["check", "-"], matrix.as_bytes(), None);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    }
}

#[test]
fn nothing_teaches_nothing() {
    let ran = laneway_with(&["schema", "infer", "-"], b"\n", None);
    assert_eq!(
        ran.seen(),
        "error: there is no event to learn from\n[exit code 2]"
    );
}
