//! Events that are wrong in every way: each gets its decision with a coded problem, and so does the
//! one behind it.

use crate::run::{SMALL, laneway_with};

const GOOD: &str = r#"{"kind":"order","id":"good","at":"2026-11-20T09:00:00Z","step":"quote","customerId":"c-1","weight":2}"#;

/// An order with more members.
fn order(members: &str) -> Vec<u8> {
    let head = r#"{"kind":"order","at":"2026-11-20T09:00:00Z","step":"ship","customerId":"c-1""#;
    format!("{head},{members}}}").into_bytes()
}

fn bad_events() -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!(r#""x":{}{}"#, "[".repeat(70), "]".repeat(70));
    let wide = |bytes: usize| format!(r#""x":"{}""#, "y".repeat(bytes));
    let invalid = [
        &order(r#""note":""#)[..order(r#""note":""#).len() - 1],
        b"\xff\"}",
    ]
    .concat();
    let nul = [&order(r#""weight":1"#)[..], b"\0"].concat();
    vec![
        ("too_large", order(&wide(300 << 10))),
        ("too_large", order(&wide(3 << 20))),
        (
            "too_large",
            order(&format!(r#""evidence":{{{}}}"#, wide(2 << 20))),
        ),
        ("too_deep", order(&deep)),
        ("duplicate_member", order(r#""weight":1,"weight":2"#)),
        ("duplicate_member", order(r#""weight":1,"w\u0065ight":2"#)),
        ("bad_number", order(r#""amount":1e400"#)),
        ("bad_number", order(r#""weight":9223372036854775808"#)),
        (
            "duplicate_member",
            order(r#""site":{"code":"a"},"site.code":"b""#),
        ),
        ("not_an_object", b"[1, 2]".to_vec()),
        ("not_an_object", b"\"text\"".to_vec()),
        ("not_json", br#"{"kind":"order","step":"sh"#.to_vec()),
        ("not_json", invalid),
        ("not_json", nul),
        ("not_json", b"\0".to_vec()),
        ("not_json", b"NaN".to_vec()),
        ("kind_missing", b"{}".to_vec()),
        ("unknown_kind", br#"{"kind":"oder"}"#.to_vec()),
        (
            "bad_at",
            br#"{"kind":"ping","host":"h","at":"yesterday"}"#.to_vec(),
        ),
        ("bad_id", br#"{"kind":"ping","host":"h","id":""}"#.to_vec()),
        (
            "bad_evidence",
            br#"{"kind":"ping","host":"h","evidence":1}"#.to_vec(),
        ),
        ("field_missing", br#"{"kind":"ping"}"#.to_vec()),
        ("wrong_type", br#"{"kind":"ping","host":1}"#.to_vec()),
        (
            "unknown_value",
            br#"{"kind":"order","step":"sip","customerId":"c"}"#.to_vec(),
        ),
        ("out_of_range", order(r#""weight":1001"#)),
    ]
}

#[test]
fn each_gets_a_coded_problem_and_the_next_line_is_decided() {
    let bad = bad_events();
    let mut stream = Vec::new();
    for (_, event) in &bad {
        stream.extend(event);
        stream.push(b'\n');
        stream.extend(GOOD.as_bytes());
        stream.push(b'\n');
    }
    let ran = laneway_with(&["decide", SMALL, "-", "--format=json"], &stream, None);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let decisions = ran.lines();
    assert_eq!(decisions.len(), 2 * bad.len());
    for (pair, (code, event)) in decisions.chunks(2).zip(&bad) {
        let event = String::from_utf8_lossy(&event[..event.len().min(200)]);
        let [decision, good] = pair else { panic!() };
        assert_eq!(decision["by"], "unreadable", "{event}");
        assert_eq!(decision["verdict"], "escalate", "{event}");
        let problems = decision["problems"].as_array().unwrap();
        let codes: Vec<_> = problems
            .iter()
            .map(|p| p["code"].as_str().unwrap())
            .collect();
        assert!(codes.contains(code), "{event}: {problems:?}");
        assert_eq!(decision["action_digest"].as_str().unwrap().len(), 64);
        assert_eq!(good["event"], "good", "behind {event}");
        assert_eq!(good["by"], "quotes", "behind {event}");
    }
}

/// A person sees which lines were not read, and none of their bytes acts on the terminal.
#[test]
fn a_person_sees_the_lines() {
    let mut stream = Vec::new();
    for (_, event) in bad_events() {
        stream.extend(event);
        stream.push(b'\n');
    }
    let ran = laneway_with(
        &["decide", SMALL, "-", "--now=2026-11-20T09:00:00Z"],
        &stream,
        Some(100),
    );
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.out);
}

/// No more of a line is held than an event may have: this one is larger than the bound on memory.
#[test]
fn an_endless_line_is_not_held() {
    let mut stream = vec![b'x'; 20 << 20];
    stream.push(b'\n');
    stream.extend(GOOD.as_bytes());
    let ran = laneway_with(&["decide", SMALL, "-", "--format=json"], &stream, None);
    let decisions = ran.lines();
    assert_eq!(decisions[0]["event"], 1);
    assert_eq!(decisions[0]["problems"][0]["code"], "too_large");
    assert_eq!(decisions[1]["event"], "good");
}

#[test]
fn the_bounds_are_those_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("laneway.toml");
    std::fs::write(&config, "[limits]\nevent_total_bytes = 90\n").unwrap();
    let args = [
        "decide",
        SMALL,
        "-",
        "--format=json",
        "--config",
        config.to_str().unwrap(),
    ];
    let ran = laneway_with(&args, GOOD.as_bytes(), None);
    assert_eq!(ran.lines()[0]["problems"][0]["code"], "too_large");
}
