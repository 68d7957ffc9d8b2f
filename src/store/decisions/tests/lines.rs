//! What a line keeps of an event: all, or what may be kept.

use serde_json::{Value, json};

use super::*;

/// The line of an event, as it is read.
fn line_of(event: &[u8], redact: Option<Redact<'_>>) -> (String, Decision) {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    let decision = router().decide_json(event, noon());
    decisions.append(&Entry {
        redact,
        ..Entry::new(noon(), event, &decision)
    });
    assert_eq!(decisions.lost(), 0);
    drop(decisions);
    (text(folder.path()), decision)
}

fn read(line: &str) -> Recorded<'_> {
    assert_eq!(line.lines().count(), 1, "{line}");
    Recorded::read(line.trim_end().as_bytes()).unwrap_or_else(|| panic!("{line}"))
}

fn bytes<'a>(line: &'a Recorded<'_>) -> &'a [u8] {
    match &line.event {
        Came::Bytes(bytes) => bytes,
        Came::Gone { .. } => panic!("{line:?}"),
    }
}

#[test]
fn hostile_events_come_back_as_they_were() {
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let events: [&[u8]; 15] = [
        b"",
        b"nonsense\nwith \"log\":1 and\r\n more\n",
        b"\xff\xfe{\"kind\":\"call\"}\n",
        b"{\"kind\":\"call\",\"n\":1,\"n\":9}",
        b"{\"kind\":\"call\",\n\"n\":1,\"n\":9}",
        b"{\"kind\":\"call\",\"user\":\"\\ud800\"}",
        b"{\"kind\":\"call\",\"user\":\"a\nb\"}",
        b"{\"kind\":\"call\",\"extra\":12345678901234567890.12345678901234567890e-7}",
        b"{\"kind\":\"call\",\"extra\":1e400}",
        b"{\"log\":1,\"kind\":\"call\",\"decision\":{}}",
        b"null",
        b"\"text\"",
        b"[1,2]",
        b"\0\0\0",
        deep.as_bytes(),
    ];
    for event in events {
        let (line, decision) = line_of(event, None);
        let line = read(&line);
        let shown = String::from_utf8_lossy(event);
        assert_eq!(bytes(&line), event, "{shown}");
        assert_eq!(line.decision.action_digest, decision.action_digest);
        assert!(!line.is_redacted);
        let again = router().decide_json(bytes(&line), noon());
        assert_eq!(again, decision, "{shown}");
    }
}

#[test]
fn an_event_on_several_lines_is_on_one_and_decided_the_same() {
    let event = b"{\n  \"kind\": \"call\",\r\n  \"n\": 7.0\n}\n";
    let (line, decision) = line_of(event, None);
    let line = read(&line);
    assert!(!bytes(&line).contains(&b'\n'));
    assert_eq!(router().decide_json(bytes(&line), noon()), decision);
    assert_eq!(decision.verdict, Verdict::Escalate);
}

#[test]
fn what_is_too_long_keeps_its_size_and_its_hash() {
    let event = vec![b'x'; LOG_LINE_BYTES];
    let (line, _) = line_of(&event, None);
    let gone = read(&line).event;
    let digest = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(&event));
    let expected = Came::Gone {
        bytes: LOG_LINE_BYTES as u64,
        digest: digest.into(),
    };
    assert_eq!(gone, expected);
    // One that is only as a text too long.
    let (line, decision) = line_of(&vec![0; LOG_LINE_BYTES / 4], None);
    assert!(matches!(read(&line).event, Came::Gone { .. }));
    assert_eq!(read(&line).decision.by, decision.by);
    assert!(line.len() < 100_000);
}

/// The longest line, and the event of one that is a byte too long: the decision is kept.
#[test]
fn a_line_at_the_edge_is_not_lost() {
    let event = |pad: usize| {
        let pad = "x".repeat(pad);
        format!("{{\"kind\":\"call\",\"pad\":\"{pad}\"}}").into_bytes()
    };
    let pad = LOG_LINE_BYTES - (100 << 10);
    let (line, _) = line_of(&event(pad), None);
    // With its line break a line has at most so many bytes.
    let longest = pad + LOG_LINE_BYTES - line.len();
    for (pad, is_kept) in [(longest, true), (longest + 1, false), (longest + 2, false)] {
        let (line, _) = line_of(&event(pad), None);
        assert_eq!(matches!(read(&line).event, Came::Bytes(_)), is_kept);
        assert_eq!(line.len() == LOG_LINE_BYTES, is_kept);
    }
}

#[test]
fn what_is_redacted_is_nowhere_in_the_log() {
    let event = br#"{"kind":"call","n":9,"user":"secret-user","amount":{"amount":1.10,"currency":"USD"},"extra":0.10000000000000000001,"list":[1.50,"secret-item",2.50]}"#;
    let redact = |line: &mut Value| {
        line["event"]["user"] = json!("gone");
        line["event"]["list"][1] = Value::Null;
        for lane in line["decision"]["lanes"].as_array_mut().unwrap() {
            lane["group"] = json!({});
        }
        line["decision"]["reason"] = json!("gone too");
    };
    let (text, _) = line_of(event, Some(&redact));
    assert!(!text.contains("secret"), "{text}");
    let line = read(&text);
    assert!(line.is_redacted);
    assert_eq!(line.decision.reason, "gone too");
    // What was not touched keeps all its digits.
    let expected = br#"{"kind":"call","n":9,"user":"gone","amount":{"amount":1.10,"currency":"USD"},"extra":0.10000000000000000001,"list":[1.50,null,2.50]}"#;
    assert_eq!(
        std::str::from_utf8(bytes(&line)).unwrap(),
        std::str::from_utf8(expected).unwrap()
    );
    // Without anything to take out the line is as it would be.
    let (text, _) = line_of(event, Some(&|_| {}));
    assert_eq!(text, line_of(event, None).0);
}

/// A redaction knows paths: what has none is not kept.
#[test]
fn what_cannot_be_redacted_is_not_kept() {
    for event in [
        &b"secret nonsense"[..],
        b"{\"kind\":\"call\",\"user\":\"secret\",\"user\":\"secret\"}",
        b"\"secret\"",
        b"{\"kind\":\"call\",\"user\":\"secret\",\"extra\":1e400}",
    ] {
        let (text, _) = line_of(event, Some(&|_| {}));
        assert!(!text.contains("secret"), "{text}");
        assert!(matches!(read(&text).event, Came::Gone { .. }));
    }
}

#[test]
fn a_redaction_that_leaves_no_line_loses_it() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    let json = event(1, 9);
    let decision = router().decide_json(&json, noon());
    let spoils: [Redact<'_>; 2] = [&|line| *line = Value::Null, &|line| {
        line["decision"] = json!({})
    }];
    for redact in spoils {
        decisions.append(&Entry {
            redact: Some(redact),
            ..Entry::new(noon(), &json, &decision)
        });
    }
    assert_eq!(decisions.lost(), 2);
    drop(decisions);
    assert_eq!(text(folder.path()), "");
}

#[test]
fn a_line_says_who_asked_and_what_was_opened() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    let json = event(1, 9);
    let decision = router().decide_json(&json, noon());
    decisions.append(&Entry {
        clock: Clock::Trusted,
        escalation: Some("esc-1"),
        by: Some("billing"),
        ..Entry::new(noon(), &json, &decision)
    });
    drop(decisions);
    let line: Value = serde_json::from_str(&text(folder.path())).unwrap();
    let head = json!({
        "log": 1, "received": "2026-01-07T11:00:00Z", "clock": "trusted", "by": "billing",
        "escalation": "esc-1",
    });
    for (name, value) in head.as_object().unwrap() {
        assert_eq!(&line[name], value);
    }
    assert_eq!(
        line["event"],
        serde_json::from_slice::<Value>(&json).unwrap()
    );
    assert_eq!(line["decision"], serde_json::to_value(&decision).unwrap());
    assert_eq!(line.as_object().unwrap().len(), 7);
    let decision = serde_json::to_vec(&decision).unwrap();
    let known: RecordedDecision<'_> = serde_json::from_slice(&decision).unwrap();
    assert_eq!(known.lanes.len(), 1);
}
