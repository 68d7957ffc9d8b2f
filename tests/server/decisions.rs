//! Decisions over HTTP.

use laneway::server::Scope;
use serde_json::json;

use super::{ask, event, opened, payments, service};

#[test]
fn each_verdict_has_its_word() {
    let service = service();
    let client = payments(&service);
    let answer = ask(&client, &event("e1", "10"));
    assert_eq!(answer["word"], "allow", "{answer}");
    assert_eq!(answer["decision"]["verdict"], "allow");
    assert!(answer.get("escalation").is_none());
    let mut blocked = event("e2", "10");
    blocked["customer"] = json!("blocked");
    let answer = ask(&client, &blocked);
    assert_eq!(answer["word"], "block", "{answer}");
    let answer = ask(&client, &event("e3", "5000"));
    assert_eq!(answer["word"], "escalate");
    assert_eq!(answer["escalation"]["state"], "pending");
    assert_eq!(answer["decision"]["lanes"][0]["lane"], "big");
}

#[test]
fn the_same_request_is_the_same_escalation_and_another_action_a_conflict() {
    let service = service();
    let client = payments(&service);
    let (id, _) = opened(&client, "e1");
    let again = ask(&client, &event("e1", "5000"));
    assert_eq!(
        (
            again["replayed"].as_bool(),
            again["escalation"]["id"].as_str()
        ),
        (Some(true), Some(&*id))
    );
    let other = client.post("/v1/decisions", &json!({ "event": event("e1", "6000") }));
    assert_eq!(other.problem(409), "conflict");
    // The key of the header counts before the id of the event.
    let keyed = client.with("idempotency-key", "k1");
    let first = keyed
        .post("/v1/decisions", &json!({ "event": event("e2", "7000") }))
        .fine()
        .json();
    let second = keyed
        .post("/v1/decisions", &json!({ "event": event("e3", "7000") }))
        .fine()
        .json();
    assert_eq!(first["escalation"]["id"], second["escalation"]["id"]);
    // An empty one would make one request of all that have it.
    for key in ["", &*"k".repeat(257)] {
        let keyed = client.with("idempotency-key", key);
        let answer = keyed.post("/v1/decisions", &json!({ "event": event("e4", "5000") }));
        assert_eq!(answer.problem(400), "key");
        let body = json!({ "event": event("e4", "5000"), "key": key });
        assert_eq!(client.post("/v1/decisions", &body).problem(422), "body");
        let body = json!({ "requests": [body] });
        let answer = client.post("/v1/decisions/batch", &body);
        assert_eq!(answer.problem(422), "body");
    }
    let mut nameless = event("x", "5000");
    nameless.as_object_mut().unwrap().remove("id");
    let answer = client.post("/v1/decisions", &json!({ "event": nameless }));
    assert_eq!(answer.problem(400), "no_key");
}

#[test]
fn a_dry_run_opens_nothing() {
    let service = service();
    let client = payments(&service);
    let body = json!({ "event": event("e1", "5000"), "mode": "dry_run", "explain": true });
    let answer = client.post("/v1/decisions", &body).fine().json();
    assert_eq!(answer["word"], "escalate");
    assert!(answer.get("escalation").is_none());
    assert_eq!(answer["explanation"]["lanes"][0]["name"], "big");
    let list = client.get("/v1/escalations").fine().json();
    assert_eq!(list["escalations"], json!([]));
}

#[test]
fn a_batch_is_independent_decisions_in_order() {
    let service = service();
    let client = payments(&service);
    let requests = [("e1", "10"), ("e2", "5000"), ("e2", "6000"), ("e3", "20")];
    let requests = requests.map(|(id, amount)| json!({ "event": event(id, amount) }));
    let answer = client
        .post("/v1/decisions/batch", &json!({ "requests": requests }))
        .fine()
        .json();
    let words: Vec<_> = answer["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["word"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["allow", "escalate", "block", "allow"]);
    assert_eq!(answer["decisions"][2]["code"], "conflict");
}

#[test]
fn numbers_keep_their_digits_on_the_way() {
    let service = service();
    let client = payments(&service);
    let body = r#"{"event": {"kind": "pay", "id": "d", "amount": 1000.000000000000000001, "customer": "c"}}"#;
    let answer = client
        .post_text("/v1/decisions", "application/json", body)
        .fine();
    assert!(
        answer.text.contains("1000.000000000000000001"),
        "{}",
        answer.text
    );
    assert_eq!(answer.json()["word"], "escalate");
}

#[test]
fn what_cannot_be_read_is_never_allowed() {
    let service = service();
    let client = payments(&service);
    let deep = format!(
        r#"{{"event": {{"kind": "pay", "id": "x", "amount": {}1{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let answer = client
        .post_text("/v1/decisions", "application/json", &deep)
        .fine()
        .json();
    assert_eq!(
        answer["word"], "escalate",
        "unreadable escalates in this matrix: {answer}"
    );
    assert_eq!(answer["decision"]["by"], "unreadable");
    for (body, status, code) in [
        ("", 422, "body"),
        ("{", 422, "body"),
        (r#"{"event": {}, "approver": "b1@x"}"#, 422, "body"),
        (r#"{"event": 5, "mode": "yes"}"#, 422, "body"),
    ] {
        let answer = client.post_text("/v1/decisions", "application/json", body);
        assert_eq!(answer.problem(status), code, "{body}");
    }
    let form = client.post_text("/v1/decisions", "text/plain", "{}");
    assert_eq!(form.problem(415), "media_type");
}

#[test]
fn a_token_that_may_not_decide_decides_nothing() {
    let service = service();
    let body = json!({ "event": event("e1", "10") });
    assert_eq!(
        service.nobody().post("/v1/decisions", &body).problem(401),
        "unauthorized"
    );
    let forged = service.nobody().with(
        "authorization",
        "Bearer lw_0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    );
    assert_eq!(
        forged.post("/v1/decisions", &body).problem(401),
        "unauthorized"
    );
    let person = service.client("b1@x", &[Scope::Answer]);
    assert_eq!(
        person.post("/v1/decisions", &body).problem(403),
        "forbidden"
    );
}

#[test]
fn a_matrix_that_does_not_load_leaves_the_last_good_one_and_is_said() {
    let service = service();
    let client = payments(&service);
    let operator = service.client("op@x", &[Scope::Operate]);
    let health = |service: &super::Service| service.nobody().get("/healthz").fine().json();
    assert_eq!(
        health(&service),
        json!({ "health": "green", "problems": [], "measures": "alone" })
    );
    std::fs::write(service.path("m.lane"), "matrix \"x\" {").unwrap();
    let refused = operator.post("/v1/matrix/reload", &json!({}));
    assert_eq!(refused.problem(409), "matrix");
    assert_eq!(health(&service)["problems"], json!(["matrix"]));
    assert_eq!(ask(&client, &event("e1", "10"))["word"], "allow");
    let tighter = super::MATRIX.replace("amount > 1000 EUR", "amount > 5 EUR");
    std::fs::write(service.path("m.lane"), tighter).unwrap();
    assert_eq!(
        client.post("/v1/matrix/reload", &json!({})).problem(403),
        "forbidden"
    );
    operator.post("/v1/matrix/reload", &json!({})).fine();
    assert_eq!(health(&service)["health"], "green");
    assert_eq!(ask(&client, &event("e2", "10"))["word"], "escalate");
}

#[test]
fn without_a_matrix_everything_is_blocked_and_answers_go_on() {
    let service = service();
    let (id, digest) = opened(&payments(&service), "e1");
    let again = super::Service::start_in(service.end(), "matrix \"x\" {", super::TOML, false);
    let client = payments(&again);
    let body = json!({ "event": event("e2", "10") });
    assert_eq!(
        client.post("/v1/decisions", &body).problem(503),
        "no_matrix"
    );
    assert_eq!(again.nobody().get("/readyz").status, 503);
    let deny = json!({ "reason": "no" });
    let path = format!("/v1/escalations/{id}/deny");
    let done = again.person("b1@x").post(&path, &deny).fine().json();
    assert_eq!(done["escalation"]["state"], "denied");
    assert_ne!(digest, "");
}
