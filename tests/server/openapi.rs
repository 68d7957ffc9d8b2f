//! The description of the API, held against what the service answers.

use std::path::Path;

use laneway::server::Scope;
use serde_json::{Value, json};

use super::{event, opened, payments, service};

fn golden() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/openapi.json");
    std::fs::read_to_string(path).unwrap()
}

/// With `UPDATE_GOLDEN=1` it is written anew.
#[test]
fn the_document_is_the_one_that_was_looked_at() {
    let answer = service().nobody().get("/openapi.json").fine();
    assert_eq!(answer.header("content-type"), "application/json");
    let text = format!("{}\n", answer.text);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/openapi.json");
        std::fs::write(path, &text).unwrap();
    }
    let (golden, now): (Value, Value) = (
        serde_json::from_str(&golden()).unwrap(),
        serde_json::from_str(&text).unwrap(),
    );
    for part in ["info", "tags", "security", "components", "paths"] {
        let (golden, now) = (&golden[part], &now[part]);
        if golden == now {
            continue;
        }
        let all = golden.as_object().into_iter().chain(now.as_object());
        let names: std::collections::BTreeSet<_> = all.flat_map(|it| it.keys()).collect();
        let changed = names.iter().filter(|name| golden[**name] != now[**name]);
        panic!("`{part}` changed in {:?}", changed.collect::<Vec<_>>());
    }
    assert_eq!(text, self::golden(), "only the order changed");
}

/// What a value misses or has too much by a schema: types, required members, words, references, and members
/// that nobody described.
fn wrong(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = &document.pointer(name.trim_start_matches('#')).unwrap();
        return wrong(document, schema, value, at, found);
    }
    if let Some(all) = schema["allOf"].as_array() {
        for schema in all {
            let mut its = Vec::new();
            wrong(document, schema, value, at, &mut its);
            // What one of them does not know another one does.
            its.retain(|it| !it.ends_with("is not described"));
            found.extend(its);
        }
        return;
    }
    for word in ["oneOf", "anyOf"] {
        if let Some(any) = schema[word].as_array() {
            let fits = any.iter().filter(|schema| {
                let mut its = Vec::new();
                wrong(document, schema, value, at, &mut its);
                its.is_empty()
            });
            if fits.count() == 0 {
                found.push(format!("{at} fits no form"));
            }
            return;
        }
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{at} is no word: {value}"));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_kind = |wanted: &Value| wanted == kind || (wanted == "number" && kind == "integer");
    let fits = match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(is_kind),
        one => is_kind(one),
    };
    if !fits {
        found.push(format!("{at} is {kind}, not {}", schema["type"]));
    }
    if let Value::Array(items) = value {
        for (n, item) in items.iter().enumerate() {
            wrong(
                document,
                &schema["items"],
                item,
                &format!("{at}[{n}]"),
                found,
            );
        }
    }
    let (Value::Object(members), Some(known)) = (value, schema["properties"].as_object()) else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            found.push(format!("{at} lacks {name}"));
        }
    }
    for (name, value) in members {
        match known.get(name) {
            Some(schema) => wrong(document, schema, value, &format!("{at}.{name}"), found),
            None => found.push(format!("{at}.{name} is not described")),
        }
    }
}

#[test]
fn answers_are_as_they_are_described() {
    let service = service();
    let client = payments(&service);
    let auditor = service.client("aud@x", &[Scope::Audit, Scope::Metrics]);
    let document = service.nobody().get("/openapi.json").fine().json();
    let (id, digest) = opened(&client, "e1");
    let person = service.person("b1@x");
    person
        .post(
            &format!("/v1/escalations/{id}/approve"),
            &json!({ "digest": digest }),
        )
        .fine();
    let mut explained = event("e3", "6000");
    explained.as_object_mut().unwrap().remove("customer");
    let batch =
        json!({ "requests": [{ "event": event("e1", "6000") }, { "event": event("e4", "1") }] });
    let call = json!({ "tool_name": "x" });
    let one = "/v1/escalations/{id}";
    let answers = [
        (
            "post",
            "/v1/decisions",
            client.post("/v1/decisions", &json!({ "event": event("e2", "7000") })),
        ),
        (
            "post",
            "/v1/decisions",
            client.post(
                "/v1/decisions",
                &json!({ "event": explained, "explain": true }),
            ),
        ),
        (
            "post",
            "/v1/decisions",
            client.post("/v1/decisions", &json!({ "event": event("e1", "6000") })),
        ),
        (
            "post",
            "/v1/decisions/batch",
            client.post("/v1/decisions/batch", &batch),
        ),
        (
            "get",
            "/v1/escalations",
            client.get("/v1/escalations?limit=1"),
        ),
        (
            "get",
            "/v1/escalations",
            client.get("/v1/escalations?limit=0"),
        ),
        (
            "get",
            "/v1/escalations",
            client.get("/v1/escalations?color=red"),
        ),
        ("get", one, client.get(&format!("/v1/escalations/{id}"))),
        ("get", one, auditor.get(&format!("/v1/escalations/{id}"))),
        ("get", one, auditor.get("/v1/escalations/nothing")),
        ("get", one, auditor.get("/v1/escalations/%ff")),
        (
            "get",
            "/v1/escalations/{id}/history",
            auditor.get(&format!("/v1/escalations/{id}/history")),
        ),
        (
            "post",
            "/v1/escalations/{id}/{act}",
            client.post(&format!("/v1/escalations/{id}/cancel"), &json!({})),
        ),
        (
            "post",
            "/v1/escalations/{id}/{act}",
            client.post(
                &format!("/v1/escalations/{id}/cancel"),
                &json!({ "by": "me" }),
            ),
        ),
        (
            "post",
            "/v1/guard/evaluate",
            client.post("/v1/guard/evaluate", &call),
        ),
        (
            "get",
            "/v1/guard/escalations/{id}/status",
            client.get(&format!("/v1/guard/escalations/{id}/status")),
        ),
        ("get", "/v1/matrix", client.get("/v1/matrix")),
        (
            "post",
            "/v1/matrix/reload",
            client.post("/v1/matrix/reload", &json!({})),
        ),
        ("get", "/v1/stats", auditor.get("/v1/stats")),
        ("get", "/v1/stats", client.get("/v1/stats")),
        ("get", "/healthz", service.nobody().get("/healthz")),
        ("get", "/readyz", service.nobody().get("/readyz")),
    ];
    for (method, path, answer) in answers {
        let described = &document["paths"][path][method]["responses"][answer.status.to_string()];
        assert!(
            described.is_object(),
            "{method} {path} may not answer {}",
            answer.status
        );
        let kind = answer.header("content-type");
        let schema = &described["content"][kind]["schema"];
        assert!(
            schema.is_object(),
            "{method} {path} {}: {kind}",
            answer.status
        );
        let mut found = Vec::new();
        wrong(&document, schema, &answer.json(), path, &mut found);
        assert!(found.is_empty(), "{found:#?}\n{}", answer.text);
    }
    let metrics = auditor.get("/metrics").fine();
    let described = &document["paths"]["/metrics"]["get"]["responses"]["200"]["content"];
    assert!(described[metrics.header("content-type")].is_object());
}
