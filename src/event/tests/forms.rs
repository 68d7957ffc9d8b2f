//! Envelopes, sizes, typed events, digests.

use std::collections::BTreeMap;

use super::*;
use crate::event::ProblemCode::*;
use crate::event::{EventBuilder, Json, UnreadableBody, read_serde};
use crate::schema::{FieldId, KindId};

const ENVELOPE: &str = r#"{"specversion":"1.0","id":"e-1","source":"/s","type":"com.acme.tool.call",
    "time":"2026-01-01T00:00:00Z","data":{"action":"refund","amount":12.5,"evidence":{"input":1}}}"#;

#[test]
fn an_envelope_is_taken_apart() {
    let read = event(ENVELOPE).unwrap();
    assert_eq!(read.id.as_deref(), Some("e-1"));
    assert_eq!(read.at(), parse_timestamp("2026-01-01T00:00:00Z").unwrap());
    assert_eq!(value(&read, "action"), Some(&Value::Word("refund".into())));
    assert_eq!(read.evidence().unwrap().canonical(), r#"{"input":1}"#);
    assert_eq!(
        read.body().canonical(),
        r#"{"data":{"action":"refund","amount":12.5},"source":"/s","specversion":"1.0","type":"com.acme.tool.call"}"#
    );
    assert!(read.problems().is_empty());
    let schema = sample();
    let amount = schema.field_id("amount").unwrap();
    let money = Value::Money(parse_decimal("100").unwrap(), usd());
    let changed = read.with_values(&schema, &[(amount, money.clone())]);
    assert_eq!(value(&changed, "amount"), Some(&money));
    let place = changed.body().get(&["data", "amount"]);
    assert_eq!(place, Some(&Json::Number("100".to_owned())));
}

#[test]
fn an_envelope_that_is_wrong_is_refused() {
    let swap = |from: &str, to: &str| {
        assert!(ENVELOPE.contains(from), "{from}");
        event(&ENVELOPE.replace(from, to))
    };
    let read = swap("\"1.0\"", "\"0.3\"");
    assert_eq!(found(&read), [(UnknownValue, Some("specversion"))]);
    let read = swap("\"type\"", "\"typ\"");
    assert_eq!(found(&read), [(KindMissing, Some("type"))]);
    let read = swap("\"2026-01-01T00:00:00Z\"", "5");
    assert_eq!(found(&read), [(BadAt, Some("time"))]);
    let read = swap("\"data\":", "\"data\":null,\"x\":");
    assert_eq!(found(&read), [(FieldMissing, Some("action"))]);
    let read = swap("\"data\":", "\"data\":[],\"x\":");
    assert_eq!(found(&read), [(WrongType, Some("data"))]);
    let read = swap("\"source\":", "\"data_base64\":\"AA\",\"source\":");
    assert_eq!(found(&read), [(WrongType, Some("data_base64"))]);
    let read = swap("{\"input\":1}", "1");
    assert_eq!(found(&read), [(BadEvidence, Some("evidence"))]);
    // With a kind it is flat, whatever else it has.
    let read = event(r#"{"specversion":"1.0","kind":"tool_call","action":"lookup"}"#);
    assert!(read.is_ok());
    let read =
        event(r#"{"specversion":"1.0","kind":null,"type":"tool_call","data":{"action":"lookup"}}"#);
    assert!(read.is_ok());
}

#[test]
fn what_is_no_object_is_no_event() {
    for text in ["[]", "1", "null", "\"x\"", "true"] {
        let read = event(text);
        assert_eq!(found(&read), [(NotAnObject, None)], "{text}");
        assert!(matches!(read.unwrap_err().body, UnreadableBody::Json(_)));
    }
}

#[test]
fn sizes_have_edges() {
    let limits = Limits::default();
    // Padding that makes the event exactly so many bytes; text in a declared field or evidence.
    let plain = |bytes: usize| {
        let frame = r#"{"kind":"tool_call","action":"refund","x":""}"#.len();
        with(&format!("\"x\":\"{}\"", "x".repeat(bytes - frame)))
    };
    assert!(plain(limits.event_bytes).is_ok());
    let over = plain(limits.event_bytes + 1);
    assert_eq!(found(&over), [(TooLarge, None)]);
    assert!(matches!(over.unwrap_err().body, UnreadableBody::Json(_)));

    let frame = r#"{"kind":"tool_call","action":"refund","evidence":{"x":""}}"#.len();
    let evidence = |bytes: usize| {
        with(&format!(
            "\"evidence\":{{\"x\":\"{}\"}}",
            "x".repeat(bytes - frame)
        ))
    };
    assert!(evidence(limits.event_total_bytes).is_ok());
    let over = evidence(limits.event_total_bytes + 1);
    assert_eq!(found(&over), [(TooLarge, None)]);
    assert!(matches!(over.unwrap_err().body, UnreadableBody::Bytes(_)));
}

#[test]
fn the_evidence_has_its_own_room_in_both_forms() {
    let limits = Limits::default();
    let wide = "x".repeat(limits.event_bytes);
    assert!(with(&format!("\"evidence\":{{\"x\":\"{wide}\"}}")).is_ok());
    assert!(event(&ENVELOPE.replace("\"input\":1", &format!("\"input\":\"{wide}\""))).is_ok());
    let two = format!("\"input\":\"{wide}\",\"x\":{{\"evidence\":1}}");
    assert!(event(&ENVELOPE.replace("\"input\":1", &two)).is_ok());
    assert!(with(&format!("\"evidence\":{{{two}}}")).is_ok());
    // What is called evidence elsewhere has none.
    let nested = with(&format!("\"x\":{{\"evidence\":{{\"x\":\"{wide}\"}}}}"));
    assert_eq!(found(&nested), [(TooLarge, None)]);
    let data = with(&format!("\"data\":{{\"evidence\":{{\"x\":\"{wide}\"}}}}"));
    assert_eq!(found(&data), [(TooLarge, None)]);
    let root = ENVELOPE.replace(
        "\"id\"",
        &format!("\"evidence\":{{\"x\":\"{wide}\"}},\"id\""),
    );
    assert_eq!(found(&event(&root)), [(TooLarge, None)]);
}

#[test]
fn depth_counts_from_the_event() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(with(&format!("\"x\":{}", nested(63))).is_ok());
    let read = with(&format!("\"x\":{},\"id\":\"e\"", nested(64)));
    assert_eq!(read.as_ref().unwrap_err().problems[0].code, TooDeep);
    let unreadable = read.unwrap_err();
    assert_eq!(
        unreadable.id.as_deref(),
        Some("e"),
        "the rest is still read"
    );
    assert!(matches!(unreadable.body, UnreadableBody::Bytes(_)));
}

#[test]
fn a_typed_event_is_the_json_event() {
    let schema = sample();
    let wait = crate::clock::Duration::from_minutes(90);
    let typed = EventBuilder::new(&schema, "tool_call")
        .id("e-1")
        .at(noon())
        .set("action", "refund")
        .set("amount", parse_decimal("12.50").unwrap())
        .set("customer", String::from("c"))
        .set("tenant.source", "acme")
        .set("retries", 3)
        .set("urgent", true)
        .set("due", noon())
        .set("wait", wait)
        .set("tags", ["a", "b"])
        .set("scores", Vec::<i64>::new())
        .set("confidence", None::<i64>)
        .set("session.id", 7)
        .evidence(Json::Object(vec![("input".to_owned(), Json::Null)]))
        .build(noon())
        .unwrap();
    let json = event(
        r#"{"tags":["a","b"],"kind":"tool_call","id":"e-1","at":"2026-01-07T12:00:00Z",
        "action":"refund","amount":12.5,"customerId":"c","tenant":{"source":"acme"},"retries":3,
        "urgent":true,"due":"2026-01-07T12:00:00Z","wait":"1h30m","scores":[],"session":{"id":7},
        "evidence":{"input":null}}"#,
    )
    .unwrap();
    assert_eq!(typed.slots(), json.slots());
    assert_eq!(typed.id, json.id);
    assert_eq!(typed.evidence(), json.evidence());
    assert_eq!(typed.action_digest(), json.action_digest());
    // The kind counts as it was given.
    let other = EventBuilder::new(&schema, "com.acme.tool.call").set("action", "lookup");
    let other = other.build(noon()).unwrap();
    let json = event(r#"{"kind":"com.acme.tool.call","action":"lookup"}"#).unwrap();
    assert_eq!(other.action_digest(), json.action_digest());
}

#[test]
fn a_typed_event_meets_the_same_rejections() {
    let schema = sample();
    let builder = || EventBuilder::new(&schema, "tool_call").set("action", "refund");
    let eur = Currency::parse("EUR").unwrap();
    let five = parse_decimal("5").unwrap();
    let cases = [
        (
            builder().set("amount", Value::Money(five, eur)),
            WrongType,
            Some("amount"),
        ),
        (builder().set("amount", "5"), WrongType, Some("amount")),
        (builder().set("retries", 10), OutOfRange, Some("retries")),
        (builder().set("action", "x"), UnknownValue, Some("action")),
        (
            builder().set("action", None::<&str>),
            FieldMissing,
            Some("action"),
        ),
        (builder().id(""), BadId, Some("id")),
        (
            builder().evidence(Json::Null).set("evidence", 5),
            BadEvidence,
            Some("evidence"),
        ),
        (
            EventBuilder::new(&schema, "nothing"),
            UnknownKind,
            Some("kind"),
        ),
        (
            builder().set("x", Json::Number("1e400".to_owned())),
            BadNumber,
            None,
        ),
        (builder().set("x", "x".repeat(300_000)), TooLarge, None),
        (
            builder().set(
                "x",
                Json::Object(vec![
                    ("a".to_owned(), Json::Null),
                    ("a".to_owned(), Json::Null),
                ]),
            ),
            DuplicateMember,
            Some("a"),
        ),
        (
            builder().set(
                "x",
                (0..64).fold(Json::Null, |inner, _| Json::List(vec![inner])),
            ),
            TooDeep,
            None,
        ),
    ];
    for (builder, code, field) in cases {
        assert_eq!(found(&builder.build(noon())), [(code, field)]);
    }
    let deepest = (0..63).fold(Json::Null, |inner, _| Json::List(vec![inner]));
    assert!(builder().set("x", deepest).build(noon()).is_ok());
    let money = builder()
        .set("amount", Value::Money(five, usd()))
        .build(noon());
    let place = money.unwrap();
    assert_eq!(
        place.body().get(&["amount"]),
        Some(&Json::Number("5".to_owned()))
    );
    // The kind cannot be changed by a member.
    assert!(builder().set("kind", "other").build(noon()).is_ok());
    assert!(builder().set("kind.of", "other").build(noon()).is_ok());
}

#[test]
fn a_record_is_checked_too() {
    let schema = sample();
    let id = |path: &str| schema.field_id(path).unwrap();
    let record = |pairs: &[(FieldId, Value)]| {
        let values: BTreeMap<_, _> = pairs.iter().cloned().collect();
        Event::from_record(&schema, KindId(0), &values, noon(), Some("e"))
    };
    let action = (id("action"), Value::Word("refund".into()));
    let fine = record(&[action.clone(), (id("retries"), Value::Whole(9))]).unwrap();
    assert_eq!(value(&fine, "retries"), Some(&Value::Whole(9)));
    assert_eq!((fine.at(), fine.id.as_deref()), (noon(), Some("e")));
    assert_eq!(
        fine.body().canonical(),
        r#"{"action":"refund","kind":"tool_call","retries":9}"#
    );
    assert_eq!(found(&record(&[])), [(FieldMissing, Some("action"))]);
    let over = record(&[action, (id("retries"), Value::Whole(10))]);
    assert_eq!(found(&over), [(OutOfRange, Some("retries"))]);
}

#[test]
fn what_serde_writes_is_read() {
    #[derive(serde::Serialize)]
    struct Call {
        kind: &'static str,
        action: &'static str,
        confidence: f64,
    }
    let call = |confidence| Call {
        kind: "tool_call",
        action: "refund",
        confidence,
    };
    let schema = sample();
    let read = |call: &Call| read_serde(call, &schema, &Limits::default(), noon());
    let sure = read(&call(0.72)).unwrap();
    let expected = Value::Number(parse_decimal("0.72").unwrap());
    assert_eq!(value(&sure, "confidence"), Some(&expected));
    assert_eq!(value(&read(&call(f64::NAN)).unwrap(), "confidence"), None);
    let unwritable = BTreeMap::from([((1, 2), 3)]);
    let read = read_serde(&unwritable, &schema, &Limits::default(), noon());
    assert_eq!(found(&read), [(NotJson, None)]);
}
