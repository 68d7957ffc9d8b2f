//! The guard protocol of tool calls.

use std::time::{Duration, Instant};

use laneway::server::Scope;
use serde_json::{Value, json};

use super::service::{Answer, Client, Service};

const MATRIX: &str = include_str!("../../matrices/tool-guard/matrix.lane");

const TOML: &str = r#"
[groups]
platform = ["dana@acme.example"]
[agents]
agent-7 = "olga@acme.example"
[roles]
operators = ["op@x"]
[escalations]
grant_lapses_after = "1h"
"#;

/// Who answers payments, and is told nothing of who asks.
const OLGA: &str = "olga@acme.example";

fn guarded() -> Service {
    Service::start(MATRIX, TOML)
}

fn runner(service: &Service) -> Client {
    service.client("runner", &[Scope::Decide])
}

fn payment(amount: f64) -> Value {
    json!({
        "tool_name": "transfer_funds",
        "tool_input": { "amount": amount, "to": "acct-2" },
        "context": { "agent_id": "agent-9" },
    })
}

/// The answer to a call, which is 200 whatever happens to it.
#[track_caller]
fn evaluate(client: &Client, call: &Value) -> Value {
    let answer = client.post("/v1/guard/evaluate", call);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Opens an escalation of a payment.
fn escalated(client: &Client, amount: f64) -> String {
    let answer = evaluate(client, &payment(amount));
    assert_eq!(answer["action"], "escalate", "{answer}");
    answer["escalation_id"].as_str().unwrap().to_owned()
}

fn status(client: &Client, id: &str) -> Value {
    let answer = client.get(&format!("/v1/guard/escalations/{id}/status"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn say(service: &Service, who: &str, id: &str, act: &str, body: &Value) -> Answer {
    let path = format!("/v1/escalations/{id}/{act}");
    service.person(who).post(&path, body)
}

fn approve(service: &Service, id: &str) {
    let person = service.person(OLGA);
    let seen = person.get(&format!("/v1/escalations/{id}")).fine().json();
    let body = json!({ "digest": seen["digest"] });
    say(service, OLGA, id, "approve", &body).fine();
}

/// Rows of the history of a kind.
fn happened(service: &Service, id: &str, what: &str) -> usize {
    let auditor = service.client("aud@x", &[Scope::Audit]);
    let history = auditor.get(&format!("/v1/escalations/{id}/history"));
    let history = history.fine().json();
    let rows = history["history"].as_array().unwrap().iter();
    rows.filter(|row| row["what"] == what).count()
}

#[test]
fn each_verdict_has_its_action_and_every_key_is_there() {
    let service = guarded();
    let client = runner(&service);
    let allowed = evaluate(&client, &payment(20.0));
    assert_eq!(
        (&allowed["action"], &allowed["rule_name"]),
        (&json!("allow"), &json!("otherwise"))
    );
    let mut keys: Vec<_> = allowed.as_object().unwrap().keys().cloned().collect();
    keys.sort();
    let all = [
        "action",
        "escalation_id",
        "latency_ms",
        "modified_input",
        "reason",
        "results",
        "rule_name",
        "severity",
    ];
    assert_eq!(keys, all);
    assert!(allowed["latency_ms"].as_f64().unwrap() > 0.0);
    let denied = evaluate(&client, &json!({ "tool_name": "drop_table" }));
    assert_eq!(
        (&denied["action"], &denied["rule_name"]),
        (&json!("block"), &json!("no_drops"))
    );
    assert_eq!(denied["results"][0]["action"], "block");
    let query = json!({ "tool_name": "run_query", "tool_input": { "sql": "q", "limit": 5000 } });
    let modified = evaluate(&client, &query);
    assert_eq!(modified["action"], "modify");
    assert_eq!(
        modified["modified_input"],
        json!({ "sql": "q", "limit": 1000 })
    );
    let asked = evaluate(&client, &payment(950.0));
    assert_eq!(
        (&asked["action"], &asked["rule_name"], &asked["severity"]),
        (&json!("escalate"), &json!("payment"), &json!("high"))
    );
    assert_eq!(asked["results"][0]["rule_name"], "payment");
    let id = asked["escalation_id"].as_str().unwrap();
    let pending = status(&client, id);
    assert_eq!(
        (&pending["status"], &pending["action"]),
        (&json!("pending"), &json!("escalate"))
    );
}

#[test]
fn an_approval_is_used_by_one_token_and_says_what_was_approved() {
    let service = guarded();
    let client = runner(&service);
    let id = escalated(&client, 950.0);
    approve(&service, &id);
    // The input is not swapped: another one is refused, and leaves the permission alive.
    let keyed = client.with("idempotency-key", "k");
    let mut event = payment(5000.0);
    event["kind"] = json!("tool_call");
    let swapped = keyed.post(
        &format!("/v1/escalations/{id}/consume"),
        &json!({ "event": event }),
    );
    assert_eq!(swapped.problem(409), "other_action");
    let approved = status(&client, &id);
    assert_eq!(
        (&approved["status"], &approved["action"]),
        (&json!("approved"), &json!("allow"))
    );
    assert_eq!(approved["tool_name"], "transfer_funds");
    assert_eq!(
        approved["tool_input"],
        json!({ "amount": 950.0, "to": "acct-2" })
    );
    assert_eq!(approved["modified_input"], Value::Null);
    assert_eq!(
        status(&client, &id),
        approved,
        "the same token reads it again"
    );
    assert_eq!(happened(&service, &id, "consumed"), 1);
    // Another token of the same service is another holder.
    let other = status(&runner(&service), &id);
    assert_eq!(
        (&other["status"], &other["action"]),
        (&json!("denied"), &json!("block"))
    );
    let body = json!({ "event": { "kind": "tool_call" } });
    let used = keyed.post(&format!("/v1/escalations/{id}/consume"), &body);
    assert_eq!(used.problem(409), "other_action");
}

#[test]
fn what_ended_otherwise_is_never_approved() {
    let service = guarded();
    let client = runner(&service);
    let denied = escalated(&client, 950.0);
    say(&service, OLGA, &denied, "deny", &json!({ "reason": "no" })).fine();
    let cancelled = escalated(&client, 950.0);
    assert_ne!(denied, cancelled, "equal calls are asked for one by one");
    client
        .post(&format!("/v1/escalations/{cancelled}/cancel"), &json!({}))
        .fine();
    for id in [&denied, &cancelled] {
        let status = status(&client, id);
        assert_eq!(
            (&status["status"], &status["action"]),
            (&json!("denied"), &json!("block"))
        );
    }
    let revoked = escalated(&client, 950.0);
    approve(&service, &revoked);
    say(&service, OLGA, &revoked, "revoke", &json!({})).fine();
    assert_eq!(status(&client, &revoked)["status"], "denied");
}

#[test]
fn a_permission_that_nobody_used_and_one_that_was_read_lapse() {
    let toml = TOML.replace("\"1h\"", "\"2s\"");
    let service = Service::start(MATRIX, &toml);
    let client = runner(&service);
    let (used, unused) = (escalated(&client, 950.0), escalated(&client, 950.0));
    approve(&service, &used);
    approve(&service, &unused);
    assert_eq!(status(&client, &used)["status"], "approved");
    std::thread::sleep(Duration::from_millis(2_100));
    for id in [&used, &unused] {
        let status = status(&client, id);
        assert_eq!(
            (&status["status"], &status["action"]),
            (&json!("timeout"), &json!("block")),
            "{id}"
        );
    }
    assert_eq!(happened(&service, &unused, "consumed"), 0);
}

#[test]
fn who_waits_in_vain_reads_a_timeout() {
    let matrix = MATRIX
        .replace("respond within 1h", "respond within 1s")
        .replace("after 1h notify", "after 1s notify")
        .replace("after 4h deny", "after 2s deny");
    let service = Service::start(&matrix, TOML);
    let client = runner(&service);
    let id = escalated(&client, 950.0);
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let status = status(&client, &id);
        if status["status"] != "pending" {
            assert_eq!(
                (&status["status"], &status["action"]),
                (&json!("timeout"), &json!("block"))
            );
            break;
        }
        assert!(Instant::now() < until, "{status}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_a_person_changed_is_told_as_modify() {
    let service = guarded();
    let client = runner(&service);
    let changed = |amount: f64, tool: &str| {
        let mut event = payment(amount);
        event["kind"] = json!("tool_call");
        event["tool_name"] = json!(tool);
        json!({ "event": event, "reason": "less" })
    };
    let id = escalated(&client, 950.0);
    let body = changed(500.0, "transfer_funds");
    say(&service, OLGA, &id, "amend", &body).fine();
    let amended = status(&client, &id);
    assert_eq!(
        (&amended["status"], &amended["action"]),
        (&json!("approved"), &json!("modify"))
    );
    assert_eq!(
        amended["modified_input"],
        json!({ "amount": 500.0, "to": "acct-2" })
    );
    assert_eq!(amended["tool_input"], amended["modified_input"]);
    // Another tool is not what the client would run.
    let id = escalated(&client, 950.0);
    say(&service, OLGA, &id, "amend", &changed(500.0, "refund")).fine();
    let other = status(&client, &id);
    assert_eq!(
        (&other["status"], &other["action"]),
        (&json!("denied"), &json!("block"))
    );
    assert_eq!(happened(&service, &id, "consumed"), 0);
}

#[test]
fn what_a_rule_changed_before_people_were_asked_is_told_as_modify() {
    let matrix = MATRIX.replace(
        "tool_name in paying_tools and tool_input.amount > 100 USD",
        "tool_name is \"run_query\" and tool_input.limit <= 1000",
    );
    let service = Service::start(&without_cases(&matrix), TOML);
    let client = runner(&service);
    let query = json!({ "tool_name": "run_query", "tool_input": { "sql": "q", "limit": 5000 } });
    let asked = evaluate(&client, &query);
    assert_eq!(asked["action"], "escalate", "{asked}");
    let id = asked["escalation_id"].as_str().unwrap();
    approve(&service, id);
    let approved = status(&client, id);
    assert_eq!(
        (&approved["status"], &approved["action"]),
        (&json!("approved"), &json!("modify")),
        "{approved}"
    );
    assert_eq!(
        approved["modified_input"],
        json!({ "sql": "q", "limit": 1000 })
    );
}

#[test]
fn two_readers_at_once_are_one_use() {
    let service = guarded();
    let client = runner(&service);
    let read = |clients: &[Client], id: &str| -> Vec<Value> {
        let threads: Vec<_> = clients
            .iter()
            .map(|client| {
                let (client, id) = (client.clone(), id.to_owned());
                std::thread::spawn(move || status(&client, &id)["status"].clone())
            })
            .collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    };
    let id = escalated(&client, 950.0);
    approve(&service, &id);
    let same: Vec<_> = (0..6).map(|_| client.clone()).collect();
    assert_eq!(read(&same, &id), vec![json!("approved"); 6]);
    assert_eq!(happened(&service, &id, "consumed"), 1);
    let id = escalated(&client, 950.0);
    approve(&service, &id);
    let tokens: Vec<_> = (0..6).map(|_| runner(&service)).collect();
    let read = read(&tokens, &id);
    let approved = read.iter().filter(|it| **it == "approved").count();
    assert_eq!(approved, 1, "{read:?}");
    assert_eq!(happened(&service, &id, "consumed"), 1);
}

#[test]
fn a_matrix_that_became_stricter_takes_the_permission_back() {
    let service = guarded();
    let client = runner(&service);
    let id = escalated(&client, 950.0);
    approve(&service, &id);
    let stricter = MATRIX.replace("\"drop_table\" because", "\"transfer_funds\" because");
    assert_ne!(stricter, MATRIX);
    // Its own scenario of the rule would fail; a matrix without it loads.
    std::fs::write(service.path("m.lane"), without_cases(&stricter)).unwrap();
    let operator = service.client("op@x", &[Scope::Operate]);
    operator.post("/v1/matrix/reload", &json!({})).fine();
    let refused = status(&client, &id);
    assert_eq!(
        (&refused["status"], &refused["action"]),
        (&json!("denied"), &json!("block"))
    );
    assert_eq!(happened(&service, &id, "revoked"), 1);
    assert_eq!(happened(&service, &id, "consumed"), 0);
}

/// A matrix without its examples, scenarios and promises.
fn without_cases(matrix: &str) -> String {
    let is_case = |line: &&str| {
        let line = line.trim_start();
        ["example ", "scenario ", "promise "]
            .iter()
            .any(|word| line.starts_with(word))
    };
    let kept = matrix.lines().filter(|line| !is_case(line));
    kept.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn nobody_approves_by_a_body_and_no_agent_s_owner_by_a_vote() {
    let service = guarded();
    let client = runner(&service);
    let mut forged = payment(950.0);
    forged["approver"] = json!(OLGA);
    assert_eq!(evaluate(&client, &forged)["action"], "block");
    let mut forged = payment(950.0);
    forged["context"]["approved_by"] = json!(OLGA);
    forged["tool_input"]["approved"] = json!(true);
    assert_eq!(evaluate(&client, &forged)["action"], "escalate");
    // Olga owns this agent, so the vote is not hers.
    let mut own = payment(950.0);
    own["context"]["agent_id"] = json!("agent-7");
    let asked = evaluate(&client, &own);
    let id = asked["escalation_id"].as_str().unwrap();
    let auditor = service.client("aud@x", &[Scope::Audit]);
    let seen = auditor.get(&format!("/v1/escalations/{id}")).fine().json();
    assert_eq!(seen["agent"], "agent-7");
    let vote = say(
        &service,
        OLGA,
        id,
        "approve",
        &json!({ "digest": seen["digest"] }),
    );
    assert!([403, 404].contains(&vote.status), "{vote:?}");
    assert_eq!(status(&client, id)["status"], "pending");
}

#[test]
fn an_id_that_is_not_there_and_one_that_is_another_s_are_one_answer() {
    let service = guarded();
    let id = escalated(&runner(&service), 950.0);
    approve(&service, &id);
    let unknown = "0".repeat(32);
    let answer = |client: &Client, id: &str| {
        let answer = client.get(&format!("/v1/guard/escalations/{id}/status"));
        assert_eq!(answer.status, 404, "{answer:?}");
        let json = answer.json();
        assert_eq!(
            (&json["status"], &json["action"]),
            (&json!("denied"), &json!("block"))
        );
        answer.text.replace(id, "ID")
    };
    // The agent itself sees the escalation, and has no part in its permission either.
    for name in ["other", "agent-9"] {
        let other = service.client(name, &[Scope::Decide]);
        assert_eq!(answer(&other, &id), answer(&other, &unknown), "{name}");
    }
    assert_eq!(happened(&service, &id, "consumed"), 0);
    let auditor = service.client("aud@x", &[Scope::Audit]);
    let refused = auditor.get(&format!("/v1/guard/escalations/{id}/status"));
    assert_eq!(
        (refused.status, &refused.json()["action"]),
        (403, &json!("block"))
    );
}

#[test]
fn whatever_fails_is_a_block() {
    let service = guarded();
    let client = runner(&service);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = format!(r#"{{"tool_name": "transfer_funds", "tool_input": {{"amount": {deep}}}}}"#);
    let asked = client
        .post_text("/v1/guard/evaluate", "application/json", &deep)
        .fine()
        .json();
    assert_eq!(
        (&asked["action"], &asked["rule_name"]),
        (&json!("escalate"), &json!("unreadable")),
        "what cannot be read is asked about in this matrix: {asked}"
    );
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        "",
        "{",
        "[]",
        r#"{"tool_name": 5}"#,
        &*nested,
        r#"{"tool_input": {}}"#,
    ] {
        let answer = client.post_text("/v1/guard/evaluate", "application/json", body);
        let shown = body.get(..10).unwrap_or(body);
        assert_eq!(
            (answer.status, &answer.json()["action"]),
            (200, &json!("block")),
            "{shown}"
        );
    }
    let form = client.post_text(
        "/v1/guard/evaluate",
        "text/plain",
        &payment(20.0).to_string(),
    );
    assert_eq!(
        (form.status, &form.json()["action"]),
        (200, &json!("block"))
    );
    let keyed = client.with("idempotency-key", "one");
    assert_eq!(evaluate(&keyed, &payment(950.0))["action"], "escalate");
    let conflict = evaluate(&keyed, &payment(951.0));
    assert_eq!(conflict["action"], "block", "{conflict}");
    for (client, code) in [(service.nobody(), 401), (service.person(OLGA), 403)] {
        let answer = client.post("/v1/guard/evaluate", &payment(20.0));
        assert_eq!(
            (answer.status, &answer.json()["action"]),
            (code, &json!("block"))
        );
        let answer = client.get("/v1/guard/escalations/x/status");
        assert_eq!(
            (answer.status, &answer.json()["action"]),
            (code, &json!("block"))
        );
    }
}

#[test]
fn a_matrix_of_other_events_or_none_blocks_every_call() {
    for matrix in [super::MATRIX, "matrix \"x\" {"] {
        let service = Service::start(matrix, TOML);
        let answer = evaluate(&runner(&service), &payment(20.0));
        assert_eq!(answer["action"], "block", "{answer}");
    }
}

/// Another process holds the file: nothing can be written for longer than a writer waits.
#[test]
fn a_store_that_takes_nothing_blocks() {
    let service = guarded();
    let client = runner(&service);
    let id = escalated(&client, 950.0);
    approve(&service, &id);
    let file = rusqlite::Connection::open(service.path("laneway.db")).unwrap();
    file.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = evaluate(&client, &payment(950.0));
    assert_eq!(
        (&answer["action"], &answer["escalation_id"]),
        (&json!("block"), &Value::Null),
        "{answer}"
    );
    // A permission that cannot be used is not told.
    let answer = client.get(&format!("/v1/guard/escalations/{id}/status"));
    assert_eq!(answer.status, 503, "{answer:?}");
    let answer = answer.json();
    assert_eq!(
        (&answer["status"], &answer["action"]),
        (&json!("pending"), &json!("block"))
    );
    file.execute_batch("ROLLBACK").unwrap();
    assert_eq!(status(&client, &id)["status"], "approved");
}
