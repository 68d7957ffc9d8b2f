//! What is inferred from samples.

use super::*;
use crate::event::Json;
use crate::event::infer::Inferrer;

fn infer(samples: &[&str]) -> String {
    let mut inferrer = Inferrer::new();
    for sample in samples {
        inferrer.observe(&Json::parse(sample.as_bytes(), &Limits::default()).unwrap());
    }
    inferrer.finish()
}

/// The lines within the one block.
fn lines(samples: &[&str]) -> Vec<String> {
    let text = infer(samples);
    let inner = text.strip_prefix("event k {\n").unwrap();
    let inner = inner.strip_suffix("}\n").unwrap();
    inner.lines().map(|l| l.trim_start().to_owned()).collect()
}

#[test]
fn each_type_is_told() {
    let found = lines(&[
        r#"{"kind":"k","id":"1","at":"x","evidence":{"a":1},"sure":true,"n":5.0,"x":0.5,"t":"A b","w":"1h","s":"2026-01-01T00:00:00Z",
            "m":{"amount":"5","currency":"USD"},"tags":["a"],"o":{"p":{"q":1}},"none":[],"mixed_time":"1h"}"#,
        r#"{"kind":"k","sure":false,"n":-3,"x":2,"t":"1h","w":"5m","s":"2026-01-01T00:00:00Z",
            "m":7.25,"tags":[],"o":{"p":{"q":2}},"none":[],"mixed_time":"2026-01-01T00:00:00Z"}"#,
    ]);
    assert_eq!(
        found,
        [
            "sure: yes/no",
            "# seen from -3 to 5",
            "n: whole number",
            "# seen from 0.5 to 2",
            "x: number",
            "t: text",
            "w: duration",
            "s: timestamp",
            "# seen from 5 to 7.25",
            "m: money USD",
            "tags: list of text",
            "# seen from 1 to 2",
            "o.p.q: whole number",
            "# all lists were empty",
            "none: list of text",
            "mixed_time: text",
        ]
    );
}

#[test]
fn absent_or_null_is_optional() {
    let found = lines(&[
        r#"{"kind":"k","a":"X","b":"X","o":{"c":"X"}}"#,
        r#"{"kind":"k","a":"X","b":null,"o":{}}"#,
    ]);
    assert_eq!(found, ["a: text", "b: text optional", "o.c: text optional"]);
}

#[test]
fn few_words_seen_often_are_a_closed_set() {
    let word = |word: &str| format!(r#"{{"kind":"k","w":"{word}"}}"#);
    let seen = |n: usize, set: &[&str]| {
        let texts: Vec<_> = (0..n).map(|i| word(set[i % set.len()])).collect();
        lines(&texts.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(
        seen(20, &["refund", "grant-role"]),
        ["w: one of \"grant-role\", refund"]
    );
    assert_eq!(seen(19, &["a", "b"]), ["w: text"]);
    assert_eq!(seen(24, &["a", "b", "c", "d", "e"]), ["w: text"]);
    assert_eq!(
        seen(25, &["a", "b", "c", "d", "e"]),
        ["w: one of a, b, c, d, e"]
    );
    assert_eq!(seen(40, &["a", "Not a word"]), ["w: text"]);
    assert_eq!(
        seen(40, &["ok", "no"]),
        ["w: text"],
        "`no` is no word of a set"
    );
}

#[test]
fn names_that_are_not_plain_say_where_they_are_from() {
    let text = infer(&[
        r#"{"kind":"com.acme.toolCall","customerId":"X","customer_id":"Y","API-Key":"X",
        "by":"X","a.b":"X","Ünit":"X","o":{"innerThing":"X"},"a\"}\n":"X"}"#,
    ]);
    assert_eq!(
        text,
        "event com_acme_tool_call from \"com.acme.toolCall\" {\n\
        \x20 customer_id_2 from \"customerId\": text\n\
        \x20 customer_id: text\n\
        \x20 api_key from \"API-Key\": text\n\
        \x20 by_value from \"by\": text\n\
        \x20 a_b from \"a.b\": text\n\
        \x20 nit from \"Ünit\": text\n\
        \x20 o.inner_thing from \"o\".\"innerThing\": text\n\
        \x20 a from \"a\\\"}\\n\": text\n\
        }\n"
    );
}

#[test]
fn a_derived_path_lies_in_no_other() {
    let found = lines(&[r#"{"kind":"k","O":{"X":"A"},"o":"A","P":"A","p":{"x":"A"}}"#]);
    assert_eq!(
        found,
        [
            "o_2.x from \"O\".\"X\": text",
            "o: text",
            "p_2 from \"P\": text",
            "p.x: text"
        ]
    );
}

#[test]
fn mixed_types_are_said() {
    let found = lines(&[
        r#"{"kind":"k","a":"X","o":{"x":1},"l":[[1]],"r":[{"x":1}],"u":[1,"a"],"m":{"amount":1,"currency":"USD"}}"#,
        r#"{"kind":"k","a":5,"o":"X","l":[[1]],"r":[{"x":1}],"u":[],"m":{"amount":1,"currency":"EUR"}}"#,
    ]);
    assert_eq!(
        found,
        [
            "# it was a number (1), text (1)",
            "a: text",
            "# \"o\" is not declared: it was text (1), an object or null (1)",
            "# \"l\" is not declared: it was a list of lists",
            "# \"r\" is not declared: its items were an object or null (2)",
            "# items: it was a number (1), text (1)",
            "u: list of text",
            "# it was money EUR (1), money USD (1)",
            "m: text",
        ]
    );
}

#[test]
fn envelopes_and_kinds_are_told_apart() {
    let text = infer(&[
        r#"{"specversion":"1.0","type":"a","source":"s","id":"1","data":{"n":"X","evidence":{}}}"#,
        r#"{"kind":"b","n":"X"}"#,
        r#"{"n":1}"#,
        "[1]",
        r#"{"kind":"a","n":"Y"}"#,
    ]);
    assert_eq!(
        text,
        "# 2 of the samples have no `kind` that is text\n\n\
         event a {\n  n: text\n}\n\nevent b {\n  n: text\n}\n"
    );
}

#[test]
fn memory_is_bounded() {
    let mut inferrer = Inferrer::new();
    let limits = Limits::default();
    for i in 0..crate::limits::INFER_KINDS + 5 {
        let text = format!(r#"{{"kind":"k{i}"}}"#);
        inferrer.observe(&Json::parse(text.as_bytes(), &limits).unwrap());
    }
    assert!(
        inferrer
            .finish()
            .starts_with("# 5 of the samples are left out")
    );
    let members: String = (0..crate::limits::INFER_MEMBERS + 7)
        .map(|i| format!(",\"m{i}\":1"))
        .collect();
    let text = infer(&[&format!("{{\"kind\":\"k\"{members}}}")]);
    assert!(
        text.starts_with("event k {\n  # 7 values are left out"),
        "{}",
        &text[..90]
    );
}
