//! Packets: what is in them, what is not, and that they read back.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::Router;
use crate::check::{Options, check_text};
use crate::clock::parse_timestamp;
use crate::limits::Limits;
use crate::matrix::Matrix;
use crate::reference::{Recorded, Times, decide_again};

const MATRIX: &str = r#"matrix "Refunds" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable escalate to ops
}
event refund {
  customer from "customerId": text
  amount: money USD 0 to 100000
  note: text optional
  host.name: text optional
  source: text default "web"
  tags: list of text default ()
}
team ops {
  first person "o@acme.example"
  backup group "g"
}
adjust mark on refund when source is "till" set note = "urgent" because "tills are read first"
lane large {
  on refund
  when any of {
    amount > 100 USD
    customer starts with "vip"
    note contains "urgent"
    sum amount of refund by customer over 1h > 50 USD
    count of refund by customer over 1h > 5
    tags contains any of ("odd")
  }
  group by customer
  owner ops
  urgency normal
  respond within 30m
  meanwhile hold item
  operator "look at it"
  evidence {
    required input, action, trigger, context, history last 5, "ticket_url"
    optional links
  }
  timeout {
    after 2h deny
  }
}
"#;

fn matrix() -> Arc<Matrix> {
    let loaded = check_text("m.lane", MATRIX, &Options::default());
    loaded.into_matrix().unwrap()
}

fn paths(texts: &[&str]) -> Vec<RedactPath> {
    let json = serde_json::to_string(texts).unwrap();
    serde_json::from_str(&json).unwrap()
}

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn now() -> Timestamp {
    parse_timestamp("2026-01-05T10:00:00Z").unwrap()
}

fn decide(matrix: &Arc<Matrix>, event: &str) -> (Decision, Recorded) {
    let made = Router::new(matrix.clone()).decide_recording(event.as_bytes(), now());
    (made.decision, made.recorded)
}

/// The packet of an event, as it is stored.
fn packet(event: &str, redact: &[&str]) -> (Packet, String) {
    let matrix = matrix();
    let (decision, _) = decide(&matrix, event);
    let matter = Matter::read(&matrix, event.as_bytes(), &Limits::default(), now());
    let history = vec![HistoryEntry {
        at: now(),
        event: Some("e-0".to_owned()),
        verdict: Verdict::Allow,
        by: "otherwise".to_owned(),
        end: None,
    }];
    let packet = Packet::assemble(&decision, &matter, history, &paths(redact));
    let text = serde_json::to_string(&packet).unwrap();
    assert_eq!(serde_json::from_str::<Packet>(&text).unwrap(), packet);
    (packet, text)
}

const EVENT: &str = r#"{"kind": "refund", "id": "e-1", "at": "2026-01-05T09:00:00Z", "customerId": "vip-carla", "amount": 120.50, "note": "an urgent note", "undeclared": {"phone": [{"n": "555-0101"}]}, "evidence": {"input": {"mail": "please", "from": "carla@x.example"}, "links": ["https://acme.example/1"], "screenshot": "s.png"}}"#;

#[test]
fn a_packet_has_what_is_known_and_names_what_is_missing() {
    let (packet, text) = packet(EVENT, &[]);
    assert_eq!(packet.decision.by, "large");
    assert_eq!(packet.decision.operator.as_deref(), Some("look at it"));
    assert_eq!(
        packet.input,
        Some(json(r#"{"mail": "please", "from": "carla@x.example"}"#))
    );
    assert_eq!(packet.links, Some(json(r#"["https://acme.example/1"]"#)));
    assert_eq!(packet.other["screenshot"], json("\"s.png\""));
    assert_eq!(packet.missing, ["context", "ticket_url"]);
    assert_eq!(packet.optional, ["links"]);
    assert_eq!(packet.defaulted, ["source", "tags"]);
    assert_eq!(packet.redacted, [""; 0]);
    assert_eq!(packet.history.len(), 1);
    let saw: Vec<_> = packet.trigger[0]
        .because
        .iter()
        .map(|seen| seen.saw.as_str())
        .collect();
    assert_eq!(
        saw,
        [
            "120.5 USD",
            "\"vip-carla\"",
            "\"an urgent note\"",
            "120.5 USD, threshold 50 USD"
        ]
    );
    assert!(text.contains(r#""amount":120.50"#), "{text}");
}

#[test]
fn what_is_missing_can_be_attached_once() {
    let (mut packet, _) = packet(EVENT, &[]);
    let redact = paths(&["context.who", "evidence.ticket_url.secret"]);
    let context = json(r#"[{"who": "carla", "what": "mail"}]"#);
    packet.attach("context", context.clone(), &redact).unwrap();
    assert_eq!(
        packet.context,
        Some(json(r#"[{"who": "[redacted]", "what": "mail"}]"#))
    );
    assert_eq!(packet.missing, ["ticket_url"]);
    let ticket = json(r#"{"secret": 1, "url": 2}"#);
    packet.attach("ticket_url", ticket, &redact).unwrap();
    assert_eq!(
        packet.other["ticket_url"],
        json(r#"{"secret": "[redacted]", "url": 2}"#)
    );
    assert_eq!(packet.missing, [""; 0]);
    assert_eq!(
        packet.redacted,
        ["evidence.context.who", "evidence.ticket_url.secret"]
    );
    let mut refused = |name: &str, value: Json| packet.attach(name, value, &redact).unwrap_err();
    assert_eq!(
        refused("context", context.clone()),
        AttachError::Present("context".into())
    );
    assert_eq!(
        refused("input", context.clone()),
        AttachError::Present("input".into())
    );
    assert_eq!(
        refused("screenshot", context.clone()),
        AttachError::Present("screenshot".into())
    );
    assert_eq!(
        refused("trigger", context),
        AttachError::OfEngine("trigger".into())
    );
    assert_eq!(
        refused("more", Json::Null),
        AttachError::Empty("more".into())
    );
}

#[test]
fn a_hidden_field_is_hidden_in_the_action_in_tests_and_in_sentences() {
    let (open, _) = packet(EVENT, &[]);
    let (hidden, text) = packet(
        EVENT,
        &["customer", "amount", "undeclared.phone.*", "input.from"],
    );
    assert!(
        open.decision.reason.contains("saw 120.5 USD"),
        "{}",
        open.decision.reason
    );
    assert_eq!(
        hidden.decision.reason,
        "lane `large` fired: `amount > 100 USD`: [redacted], `customer starts with \"vip\"`: \
         [redacted], `note contains \"urgent\"` saw \"an urgent note\" and 1 more"
    );
    let saw: Vec<_> = hidden.trigger[0]
        .because
        .iter()
        .map(|seen| seen.saw.as_str())
        .collect();
    assert_eq!(saw, [REDACTED, REDACTED, "\"an urgent note\"", REDACTED]);
    assert_eq!(
        hidden.redacted,
        [
            "customerId",
            "amount",
            "undeclared.phone",
            "evidence.input.from"
        ]
    );
    for secret in ["carla", "120.5", "555-0101"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    // It is still the digest of what the client sent.
    assert_eq!(hidden.decision.action_digest, open.decision.action_digest);
}

#[test]
fn a_path_is_that_of_the_field_or_of_the_event_also_in_an_envelope() {
    let flat = EVENT;
    let envelope = r#"{"specversion": "1.0", "type": "refund", "source": "/s", "id": "e-1", "data": {"customerId": "vip-carla", "amount": {"amount": "120.50", "currency": "USD"}, "evidence": {"input": "hi", "context": {"who": "x-carla"}}}}"#;
    for (event, path, hidden) in [
        (flat, "customer", "customerId"),
        (flat, "customerId", "customerId"),
        (flat, "*", "kind"),
        (envelope, "customer", "data.customerId"),
        (envelope, "customerId", "data.customerId"),
        (envelope, "data.customerId", "data.customerId"),
        (envelope, "amount.amount", "data.amount"),
        (envelope, "context.who", "evidence.context.who"),
        (envelope, "evidence.*.who", "evidence.context.who"),
        (envelope, "data.evidence.context", "evidence.context"),
    ] {
        let (packet, _) = packet(event, &[path]);
        assert_eq!(
            packet.redacted.first().map(String::as_str),
            Some(hidden),
            "{path}"
        );
        let of_field = packet.trigger[0]
            .because
            .iter()
            .any(|seen| seen.saw == REDACTED);
        assert_eq!(
            of_field,
            !path.contains("context") && !path.contains("who"),
            "{path}"
        );
    }
    // In a flat event `data` is a member like any other.
    assert_eq!(packet(flat, &["data"]).0.redacted, [""; 0]);
}

#[test]
fn an_item_of_a_list_is_named_by_its_number_by_a_star_or_not_at_all() {
    let tree = r#"[{"token": "a-secret", "k": 1}, [{"token": "a-secret"}]]"#;
    let event = format!(
        r#"{{"kind": "refund", "customerId": "c", "amount": 500, "undeclared": {{"in": {tree}}}, "evidence": {{"context": {tree}}}}}"#
    );
    for (first, second) in [
        ("*.token", "*.*.token"),
        ("0.token", "1.0.token"),
        ("token", "token"),
        ("*.token", "1.token"),
        ("0", "*"),
    ] {
        for front in ["context", "evidence.context"] {
            let under = |front: &str, rest: &str| format!("{front}.{rest}");
            let redact = [
                under("undeclared.in", first),
                under("undeclared.in", second),
                under(front, first),
                under(front, second),
                under("ticket_url", first),
                under("ticket_url", second),
            ];
            let redact: Vec<&str> = redact.iter().map(String::as_str).collect();
            let (mut packet, text) = packet(&event, &redact);
            assert!(!text.contains("secret"), "{redact:?}: {text}");
            packet
                .attach("ticket_url", json(tree), &paths(&redact))
                .unwrap();
            let text = serde_json::to_string(&packet).unwrap();
            assert!(!text.contains("secret"), "{redact:?}: {text}");
        }
    }
    let (packet, _) = packet(&event, &["undeclared.in.1", "context.0.k"]);
    assert_eq!(
        packet.context,
        Some(json(
            r#"[{"token": "a-secret", "k": "[redacted]"}, [{"token": "a-secret"}]]"#
        ))
    );
    assert_eq!(packet.redacted, ["undeclared.in", "evidence.context.k"]);
}

#[test]
fn a_field_with_a_hidden_item_is_hidden_as_a_whole() {
    let event =
        r#"{"kind": "refund", "customerId": "c", "amount": 500, "tags": ["odd", "a-secret"]}"#;
    assert!(packet(event, &[]).1.contains("a-secret"));
    for path in ["tags.1", "tags.*", "tags"] {
        let (_, text) = packet(event, &[path]);
        assert!(!text.contains("a-secret"), "{path}: {text}");
    }
}

#[test]
fn an_event_that_cannot_be_read_keeps_its_secrets_too() {
    for (event, redact) in [
        (
            r#"{"kind": "refund", "customerId": "c", "amount": "a-secret"}"#,
            "amount",
        ),
        (
            r#"{"kind": "refund", "customerId": ["a-secret"], "amount": 1}"#,
            "customer",
        ),
        (
            r#"{"kind": "refund", "customerId": {"x": "a-secret"}, "amount": 1}"#,
            "customerId.x",
        ),
        (r#"{"kind": "a-secret", "amount": 1}"#, "kind"),
        (
            r#"{"kind": "refund", "customerId": "c", "amount": 1, "evidence": {"input": "a-secret"}, "at": 5}"#,
            "input",
        ),
    ] {
        let (packet, text) = packet(event, &[redact]);
        assert_eq!(packet.decision.by, "unreadable", "{event}");
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains(REDACTED), "{text}");
        assert!(self::packet(event, &[]).1.contains("a-secret"));
        assert_eq!(packet.trigger[0].lane, "unreadable");
    }
    let (packet, _) = packet("{\"amount\": 1", &["amount"]);
    assert_eq!(packet.action, None);
    assert_eq!(packet.event(), None);
}

#[test]
fn what_an_adjust_changed_is_beside_the_event_as_it_came() {
    let event = r#"{"kind": "refund", "customerId": "c", "amount": 10, "note": "a-secret", "source": "till"}"#;
    let (open, _) = packet(event, &[]);
    assert_eq!(open.decision.by, "large");
    assert_eq!(open.adjusted["note"], json("\"urgent\""));
    let action = open.action.unwrap();
    assert_eq!(action.member("note"), Some(&json("\"a-secret\"")));
    let (hidden, text) = packet(event, &["note"]);
    assert_eq!(hidden.adjusted["note"], json("\"[redacted]\""));
    assert!(!text.contains("a-secret"), "{text}");
}

#[test]
fn an_event_is_decided_again_from_its_packet_unless_a_part_is_hidden() {
    let matrix = matrix();
    let envelope = r#"{"specversion": "1.0", "type": "refund", "source": "/s", "id": "e-1", "time": "2026-01-05T09:00:00Z", "data": {"customerId": "vip", "amount": 12.0, "evidence": {"input": "hi"}}}"#;
    for event in [EVENT, envelope] {
        let (decision, recorded) = decide(&matrix, event);
        let again = packet(event, &["input.from"]).0.event().unwrap();
        let bytes = serde_json::to_vec(&again).unwrap();
        let times = Times::received(now());
        let again = decide_again(&matrix, &Limits::default(), &bytes, &recorded, times);
        assert_eq!((again.verdict, &again.by), (decision.verdict, &decision.by));
        assert_eq!(again.lanes, decision.lanes);
        assert_eq!(again.action_digest, decision.action_digest);
        assert_eq!(packet(event, &["customer"]).0.event(), None);
    }
}

/// A piece of JSON with one value in it that is to be hidden, and the path to that: the numbers of items
/// are there, or left out.
fn planted(marker: &'static str) -> impl Strategy<Value = (String, Vec<String>)> {
    let names = prop::collection::vec("[a-d]", 1..4);
    let wraps = prop::collection::vec(0..3u8, 4);
    let numbered = prop::collection::vec(any::<bool>(), 4);
    (names, wraps, numbered).prop_map(move |(names, wraps, numbered)| {
        let value = match wraps[3] {
            0 => format!("[{{\"k\": \"{marker}\"}}, 1]"),
            _ => format!("\"{marker}\""),
        };
        let json = names
            .iter()
            .rev()
            .zip(&wraps)
            .fold(value, |inner, (name, wrap)| {
                let object = format!("{{\"{name}\": {inner}, \"z\": true}}");
                match wrap {
                    0 => format!("[{{\"z\": 2}}, {object}]"),
                    _ => object,
                }
            });
        // The innermost name was wrapped first.
        let outer = names.iter().zip(wraps.iter().take(names.len()).rev());
        let path = outer.zip(numbered).flat_map(|((name, wrap), numbered)| {
            let number = (*wrap == 0 && numbered).then(|| "1".to_owned());
            number.into_iter().chain([name.clone()])
        });
        let path = path.collect();
        (json, path)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Wherever a value is, in the action or the evidence, and however much of its path is named.
    #[test]
    fn no_hidden_value_is_anywhere_in_a_packet(
        (tree, names) in planted("MARKER-7f3a"),
        place in 0..7usize,
        stars in prop::collection::vec(any::<bool>(), 9),
        shorter in 0..2usize,
        is_text in any::<bool>(),
    ) {
        let field = "vip urgent MARKER-7f3a";
        let mut parts: Vec<(&str, String)> = vec![
            ("customerId", "\"c\"".to_owned()),
            ("amount", "500".to_owned()),
            ("undeclared", "1".to_owned()),
            ("note", "\"x\"".to_owned()),
        ];
        let mut evidence = "{\"input\": 1}".to_owned();
        let mut path = names.clone();
        match place {
            0 => {
                parts[0].1 = format!("\"{field}\"");
                path = vec![if is_text { "customer" } else { "customerId" }.to_owned()];
            }
            1 => {
                parts[3].1 = format!("\"{field}\"");
                path = vec!["note".to_owned()];
            }
            2 => {
                parts.push(("tags", format!("[\"odd\", \"{field}\"]")));
                path = vec!["tags".to_owned()];
            }
            3 => {
                // Of the wrong type: the event cannot be read.
                parts[1].1 = tree;
                path.insert(0, "amount".to_owned());
            }
            4 => {
                parts[2].1 = tree;
                path.insert(0, "undeclared".to_owned());
            }
            _ => {
                let name = ["input", "ticket_url"][place - 5];
                evidence = format!("{{\"{name}\": {tree}}}");
                path.insert(0, name.to_owned());
                if is_text {
                    path.insert(0, "evidence".to_owned());
                }
            }
        }
        path.truncate(path.len() - shorter.min(path.len() - 1));
        let last = path.len() - 1;
        for (name, star) in path.iter_mut().skip(1).zip(stars) {
            if star && last > 0 {
                *name = "*".to_owned();
            }
        }
        let parts: Vec<String> = parts.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        let event = format!(
            "{{\"kind\": \"refund\", {}, \"evidence\": {evidence}}}",
            parts.join(", ")
        );
        let (packet, text) = packet(&event, &[&path.join(".")]);
        prop_assert!(!text.contains("MARKER"), "{:?} {event}\n{text}", path);
        prop_assert!(!packet.redacted.is_empty(), "{:?} {event}\n{text}", path);
        prop_assert!(self::packet(&event, &[]).1.contains("MARKER"), "{event}");
    }
}
