//! One test per rule of reading a field or a reserved member.

use super::*;
use crate::event::ProblemCode::*;

#[test]
fn each_type_reads_its_json_and_no_other() {
    let one = |text: &str| parse_decimal(text).unwrap();
    for (path, json, value_read) in [
        ("urgent", "true", Value::Bool(true)),
        ("retries", "5.0", Value::Whole(5)),
        ("retries", "0.5e1", Value::Whole(5)),
        ("total", "-9223372036854775808", Value::Whole(i64::MIN)),
        ("confidence", "0.720", Value::Number(one("0.72"))),
        ("amount", "12.50", Value::Money(one("12.5"), usd())),
        (
            "amount",
            r#"{"amount":"12.50","currency":"USD"}"#,
            Value::Money(one("12.5"), usd()),
        ),
        (
            "amount",
            r#"{"currency":"USD","amount":12.50,"note":1}"#,
            Value::Money(one("12.5"), usd()),
        ),
        (
            "due",
            "\"2026-01-07T13:00:00+01:00\"",
            Value::Timestamp(noon()),
        ),
        (
            "wait",
            "\"90m\"",
            Value::Duration(crate::clock::Duration::from_minutes(90)),
        ),
        (
            "tags",
            r#"["a","a"]"#,
            Value::List(vec![Value::Text("a".into()), Value::Text("a".into())]),
        ),
        ("scores", "[]", Value::List(Vec::new())),
    ] {
        let read = with(&format!("\"{path}\":{json}")).unwrap();
        assert_eq!(value(&read, path), Some(&value_read), "{path} {json}");
        assert!(read.problems().is_empty());
    }
    for (path, json) in [
        ("urgent", "1"),
        ("urgent", "\"true\""),
        ("urgent", "\"yes\""),
        ("retries", "\"5\""),
        ("retries", "5.5"),
        ("retries", "true"),
        ("retries", "[5]"),
        ("confidence", "\"0.5\""),
        ("confidence", "{}"),
        ("amount", "\"12.50\""),
        ("amount", r#"{"amount":"12.50"}"#),
        ("amount", r#"{"currency":"USD"}"#),
        ("amount", r#"{"amount":null,"currency":"USD"}"#),
        ("amount", r#"{"amount":"12.50","currency":"EUR"}"#),
        ("amount", r#"{"amount":"12.50","currency":"usd"}"#),
        ("amount", r#"{"amount":"twelve","currency":"USD"}"#),
        ("amount", r#"{"amount":"","currency":"USD"}"#),
        ("due", "\"2026-01-07T13:00:00\""),
        ("due", "\"2026-01-07\""),
        ("due", "1767787200"),
        ("wait", "90"),
        ("wait", "\"90\""),
        ("wait", "\"PT90M\""),
        ("tags", "\"a\""),
        ("tags", "[1]"),
        ("tags", "[null]"),
    ] {
        let read = with(&format!("\"{path}\":{json}"));
        assert!(read.is_err(), "{path} {json}");
        assert_eq!(found(&read), [(WrongType, Some(path))], "{path} {json}");
    }
    let customer = |json: &str| with(&format!("\"customerId\":{json}"));
    assert_eq!(
        value(&customer("\"c\"").unwrap(), "customer"),
        Some(&Value::Text("c".into()))
    );
    assert_eq!(found(&customer("7")), [(WrongType, Some("customer"))]);
}

#[test]
fn numbers_that_cannot_be_held_are_said_once() {
    for (path, json) in [
        ("total", "9223372036854775808"),
        ("total", "1e30"),
        ("total", "1e400"),
        ("confidence", "0.12345678901234567890123456789"),
        ("confidence", "1e400"),
        ("amount", r#"{"amount":"1e400","currency":"USD"}"#),
        ("undeclared", "1e400"),
    ] {
        let read = with(&format!("\"{path}\":{json}"));
        assert_eq!(found(&read), [(BadNumber, Some(path))], "{path} {json}");
        assert!(read.is_err());
    }
    // 29 digits of an undeclared number are nobody's concern.
    assert!(with("\"undeclared\":12345678901234567890123456789").is_ok());
}

#[test]
fn ranges_are_inclusive() {
    for (path, inside, outside) in [
        ("retries", "0", "-1"),
        ("retries", "9", "10"),
        ("confidence", "0", "-0.0000000001"),
        ("confidence", "1.000", "1.000000000000000000000000001"),
        ("amount", "1000", "1000.01"),
        ("amount", r#"{"amount":"0","currency":"USD"}"#, "-0.01"),
        ("scores", "[0,1]", "[0,1.1]"),
    ] {
        assert!(with(&format!("\"{path}\":{inside}")).is_ok(), "{inside}");
        let read = with(&format!("\"{path}\":{outside}"));
        assert_eq!(found(&read), [(OutOfRange, Some(path))], "{outside}");
    }
    assert_eq!(
        message(&with("\"confidence\":1.5")),
        "`confidence` is 1.5, outside of 0 to 1"
    );
    assert_eq!(
        message(&with("\"scores\":[0,-1]")),
        "item 2 of `scores` is -1, outside of 0 to 1"
    );
}

#[test]
fn a_closed_set_offers_the_nearest_word() {
    let read = event(r#"{"kind":"tool_call","action":"refnd"}"#);
    assert_eq!(found(&read), [(UnknownValue, Some("action"))]);
    assert_eq!(
        message(&read),
        "`action` is the text \"refnd\"; it must be one of lookup, refund, grant-role; \
         did you mean `refund`?"
    );
    let read = event(r#"{"kind":"tool_call","action":"Refund"}"#);
    assert!(message(&read).ends_with("did you mean `refund`?"));
    let read = event(r#"{"kind":"tool_call","action":7}"#);
    assert_eq!(found(&read), [(WrongType, Some("action"))]);
}

#[test]
fn absence_means_what_the_field_says() {
    let read = with("\"amount\":null").unwrap();
    let schema = sample();
    assert_eq!(value(&read, "amount"), None);
    assert_eq!(value(&read, "urgent"), Some(&Value::Bool(false)));
    assert!(read.is_defaulted(schema.field_id("urgent").unwrap()));
    assert!(!read.is_defaulted(schema.field_id("amount").unwrap()));
    let given = with("\"urgent\":false").unwrap();
    assert!(!given.is_defaulted(schema.field_id("urgent").unwrap()));
    for missing in [
        r#"{"kind":"tool_call"}"#,
        r#"{"kind":"tool_call","action":null}"#,
    ] {
        let read = event(missing);
        assert_eq!(found(&read), [(FieldMissing, Some("action"))]);
        assert_eq!(message(&read), "`action` is missing");
    }
}

#[test]
fn the_way_to_a_nested_field_is_made_of_objects() {
    let read = with(r#""tenant":{"source":"a"}"#).unwrap();
    assert_eq!(
        value(&read, "tenant.source"),
        Some(&Value::Text("a".into()))
    );
    for missing in [
        r#""tenant":null"#,
        r#""tenant":{}"#,
        r#""tenant":{"source":null}"#,
    ] {
        assert_eq!(value(&with(missing).unwrap(), "tenant.source"), None);
    }
    let read = with(r#""tenant":"acme""#);
    assert_eq!(found(&read), [(WrongType, Some("tenant.source"))]);
    assert_eq!(
        message(&read),
        "`tenant.source` cannot be read: `tenant` is the text \"acme\", no object"
    );
}

#[test]
fn a_dotted_member_is_no_nested_field() {
    let read = with(r#""tenant.source":"a","tenant":{"source":"b"}"#);
    assert_eq!(found(&read), [(DuplicateMember, Some("tenant.source"))]);
    assert_eq!(
        message(&read),
        "`tenant.source` is given twice: also by `tenant.source`"
    );
    let read = with(r#""tenant.source":"a""#);
    assert!(read.is_ok());
    assert_eq!(found(&read), [(NearMiss, Some("tenant.source"))]);
    assert_eq!(
        message(&read),
        "`tenant.source` is not declared; `tenant.source` is absent and is read from \
         `tenant` > `source`"
    );
    assert!(with(r#""tenant.source":null,"tenant":{"source":"b"}"#).is_ok());
    // Many members before it do not hide it.
    let many: String = (0..1000).map(|i| format!("\"m{i}\":1,")).collect();
    let read = with(&format!(
        r#"{many}"tenant.source":"a","tenant":{{"source":"b"}}"#
    ));
    assert_eq!(found(&read), [(DuplicateMember, Some("tenant.source"))]);
}

#[test]
fn two_declared_places_may_look_alike() {
    let schema = schema(vec![(
        "k",
        None,
        vec![
            ("a", vec!["t.s"], text(), Presence::Optional),
            ("b", vec!["t", "s"], text(), Presence::Optional),
        ],
    )]);
    let read = read(
        br#"{"kind":"k","t.s":"1","t":{"s":"2"}}"#,
        &schema,
        &Limits::default(),
        noon(),
    );
    assert_eq!(read.unwrap().problems(), []);
}

#[test]
fn a_slip_of_an_absent_field_is_named() {
    for (stray, field) in [
        ("\"ammount\":5", "amount"),
        ("\"Amount\":5", "amount"),
        ("\"CONFIDENCE\":5", "confidence"),
        ("\"customer_id\":\"c\"", "customer"),
        ("\"customer\":\"c\"", "customer"),
        ("\"tennant\":{\"source\":1}", "tenant.source"),
        ("\"tenant\":{\"Source\":1}", "tenant.source"),
        ("\"tenantSource\":1", "tenant.source"),
        ("\"urgnt\":true", "urgent"),
    ] {
        let read = with(stray);
        assert!(read.is_ok(), "{stray}");
        assert_eq!(found(&read), [(NearMiss, Some(field))], "{stray}");
    }
    for fine in [
        "\"amount\":5,\"ammount\":5",
        "\"session\":5",
        "\"ammount\":null",
        "\"evidence\":{\"ammount\":5}",
    ] {
        assert_eq!(found(&with(fine)), [], "{fine}");
    }
    let read = event(r#"{"kind":"tool_call","acton":"refund"}"#);
    assert_eq!(
        message(&read),
        "`action` is missing; the event has `acton`, and it is read from `action`"
    );
}

#[test]
fn a_reserved_member_is_no_slip() {
    let optional = |path| (path, Vec::new(), text(), Presence::Optional);
    let fields = vec![optional("ids"), optional("kinds"), optional("evidences")];
    let schema = schema(vec![("k", None, fields)]);
    let bytes = br#"{"kind":"k","id":"e","evidence":{}}"#;
    let read = read(bytes, &schema, &Limits::default(), noon()).unwrap();
    assert_eq!(read.problems(), []);
}

#[test]
fn kind_is_declared_text() {
    assert_eq!(found(&event("{}")), [(KindMissing, Some("kind"))]);
    assert_eq!(
        found(&event(r#"{"kind":null}"#)),
        [(KindMissing, Some("kind"))]
    );
    assert_eq!(found(&event(r#"{"kind":7}"#)), [(WrongType, Some("kind"))]);
    let read = event(r#"{"kind":"toolcall"}"#);
    assert_eq!(found(&read), [(UnknownKind, Some("kind"))]);
    assert_eq!(
        message(&read),
        "no event kind `toolcall` is declared; did you mean `tool_call`?"
    );
    let read = event(r#"{"kind":"com.acme.tool.call","action":"lookup"}"#).unwrap();
    assert_eq!(read.kind, sample().kind_named("tool_call").unwrap().id);
}

#[test]
fn an_id_is_short_text() {
    let id = |json: &str| with(&format!("\"id\":{json}"));
    assert_eq!(id("\"e-1\"").unwrap().id.as_deref(), Some("e-1"));
    assert_eq!(id("null").unwrap().id, None);
    let longest = "é".repeat(128);
    assert_eq!(
        id(&format!("\"{longest}\"")).unwrap().id.unwrap().len(),
        256
    );
    for bad in ["\"\"", "7", "[]", "true", &format!("\"{longest}x\"")] {
        let read = id(bad);
        assert_eq!(found(&read), [(BadId, Some("id"))], "{bad}");
        assert_eq!(read.unwrap_err().id, None);
    }
}

#[test]
fn at_has_an_offset_or_is_the_receipt() {
    let at = |json: &str| with(&format!("\"at\":{json}"));
    assert_eq!(with("").unwrap().at(), noon());
    assert_eq!(at("null").unwrap().at(), noon());
    let given = at("\"2026-01-01T00:00:00+02:00\"").unwrap();
    assert_eq!(given.at(), parse_timestamp("2025-12-31T22:00:00Z").unwrap());
    for bad in [
        "\"\"",
        "\"2026-01-01T00:00:00\"",
        "1767787200",
        "\"soon\"",
        "{}",
    ] {
        let read = at(bad);
        assert_eq!(found(&read), [(BadAt, Some("at"))], "{bad}");
        assert_eq!(read.unwrap_err().at, noon());
    }
}

#[test]
fn evidence_is_an_object() {
    let read = with(r#""evidence":{"links":["x"]}"#).unwrap();
    assert_eq!(read.evidence().unwrap().canonical(), r#"{"links":["x"]}"#);
    assert!(with("\"evidence\":null").unwrap().evidence().is_none());
    for bad in ["[]", "\"x\"", "1"] {
        let read = with(&format!("\"evidence\":{bad}"));
        assert_eq!(found(&read), [(BadEvidence, Some("evidence"))]);
    }
}

#[test]
fn every_problem_is_found_at_once() {
    let read = event(
        r#"{"kind":"tool_call","id":"","at":"x","evidence":1,"action":"refnd","amount":"5",
            "amount":6,"confidence":2,"total":1e400,"tags":[1,2],"tenant":[]}"#,
    );
    let expected = [
        (DuplicateMember, "amount"),
        (BadNumber, "total"),
        (BadId, "id"),
        (BadAt, "at"),
        (BadEvidence, "evidence"),
        (UnknownValue, "action"),
        (WrongType, "amount"),
        (OutOfRange, "confidence"),
        (WrongType, "tenant.source"),
        (WrongType, "tags"),
        (WrongType, "tags"),
    ];
    assert_eq!(
        found(&read),
        expected.map(|(code, field)| (code, Some(field)))
    );
}

#[test]
fn what_comes_twice_is_not_believed() {
    let read = with(r#""id":"a","id":"b""#).unwrap_err();
    assert_eq!(read.id, None);
    let read = with(r#""at":"2026-01-01T00:00:00Z","at":"2026-01-02T00:00:00Z""#).unwrap_err();
    assert_eq!(read.at, noon());
    let read = with(r#""kind":"tool_call""#).unwrap_err();
    assert_eq!(read.kind, None);
    assert_eq!(found(&Err(read)), [(DuplicateMember, Some("kind"))]);
}

#[test]
fn messages_echo_no_unbounded_or_hidden_input() {
    let long = "x\\u202e".repeat(10_000);
    for members in [
        format!("\"amount\":\"{long}\""),
        format!("\"tags\":\"{long}\""),
        format!("\"wait\":\"{long}\""),
        format!("\"at\":\"{long}\""),
        format!("\"id\":[\"{long}\"]"),
        format!("\"evidence\":\"{long}\""),
        format!("\"{long}\":1,\"{long}\":1"),
        format!("\"{long}\":1e400"),
        format!("\"total\":{}", "9".repeat(10_000)),
        format!("\"confidence\":0.{}", "9".repeat(390)),
        format!("\"amount\":{{\"amount\":1,\"currency\":\"{long}\"}}"),
        format!("\"{long}\":\"\\ud800\""),
        format!("\"{long}\":{}{}", "[".repeat(70), "]".repeat(70)),
        format!("\"tenant\":\"{long}\""),
        format!("\"kind\":\"{long}\""),
    ] {
        let read = with(&members).unwrap_err();
        for problem in &read.problems {
            let length = problem.message.chars().count();
            // A hidden character shows as eight.
            assert!(length < 700, "{length}: {}", problem.message);
            assert!(problem.field.as_ref().is_none_or(|f| f.len() < 700));
            assert!(!problem.message.contains('\u{202e}'));
        }
    }
    for text in [
        format!(r#"{{"kind":"{long}"}}"#),
        format!(r#"{{"kind":"tool_call","action":"{long}"}}"#),
        format!("\"{long}\""),
        format!(r#"{{"specversion":"{long}","type":"{long}"}}"#),
    ] {
        for problem in event(&text).unwrap_err().problems {
            assert!(problem.message.chars().count() < 700, "{}", problem.message);
        }
    }
}

#[test]
fn a_flood_of_problems_is_bounded() {
    let twice: String = (0..5_000)
        .map(|i| format!("\"m{i}\":1,\"m{i}\":1,"))
        .collect();
    let read = with(&format!("{twice}\"x\":1")).unwrap_err();
    assert_eq!(read.problems.len(), crate::limits::EVENT_PROBLEMS + 1);
    assert_eq!(read.problems.last().unwrap().code, MoreProblems);
    assert!(read.problems.last().unwrap().message.starts_with("4900 "));
}
