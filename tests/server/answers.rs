//! Answers to escalations over HTTP.

use std::time::{Duration, Instant};

use laneway::server::Scope;
use serde_json::json;

use super::{MATRIX, Service, TOML, event, opened, payments, service};

#[test]
fn a_quorum_approves_and_the_caller_uses_the_permission_once() {
    let service = service();
    let client = payments(&service);
    let (id, digest) = opened(&client, "e1");
    let path = |act: &str| format!("/v1/escalations/{id}/{act}");
    let approve = json!({ "digest": digest, "reason": "seen" });
    let first = service
        .person("b1@x")
        .post(&path("approve"), &approve)
        .fine()
        .json();
    assert_eq!(first["escalation"]["state"], "pending");
    // The same vote again is the same vote.
    let again = service
        .person("b1@x")
        .post(&path("approve"), &approve)
        .fine()
        .json();
    assert_eq!(again["reply"], "unchanged");
    let second = service
        .person("b2@x")
        .post(&path("approve"), &approve)
        .fine()
        .json();
    assert_eq!(second["escalation"]["state"], "approved");
    let seen = client.get(&format!("/v1/escalations/{id}")).fine().json();
    assert_eq!(seen["word"], "allow");
    // Parameters that were swapped after the approval are another action.
    let keyed = client.with("idempotency-key", "use-1");
    let swapped = keyed.post(&path("consume"), &json!({ "event": event("e1", "5001") }));
    assert_eq!(swapped.problem(409), "other_action");
    let used = keyed
        .post(&path("consume"), &json!({ "event": event("e1", "5000") }))
        .fine()
        .json();
    assert_eq!(used["reply"], "consumed");
    let same = keyed
        .post(&path("consume"), &json!({ "digest": digest }))
        .fine()
        .json();
    assert_eq!(same["replayed"], true);
    let other = client.with("idempotency-key", "use-2");
    let other = other.post(&path("consume"), &json!({ "digest": digest }));
    assert_eq!(other.problem(409), "consumed");
    let seen = client.get(&format!("/v1/escalations/{id}")).fine().json();
    assert_eq!(seen["word"], "block");
}

#[test]
fn nobody_approves_by_naming_somebody_in_the_body_or_by_a_token_that_asks() {
    let service = service();
    let client = payments(&service);
    let (id, digest) = opened(&client, "e1");
    let approve = format!("/v1/escalations/{id}/approve");
    let forged = client.post(&approve, &json!({ "digest": digest, "person": "b1@x" }));
    assert_eq!(forged.problem(422), "body");
    assert_eq!(
        client
            .post(&approve, &json!({ "digest": digest }))
            .problem(403),
        "forbidden"
    );
    // The requester's own person, the agent's owner, an admin, an auditor: none of them may.
    let itself = service.client("payments", &[Scope::Decide, Scope::Answer]);
    assert_eq!(
        itself
            .post(&approve, &json!({ "digest": digest }))
            .problem(403),
        "involved"
    );
    for (name, scope) in [
        ("adm@x", Scope::Admin),
        ("aud@x", Scope::Audit),
        ("op@x", Scope::Operate),
    ] {
        let client = service.client(name, &[scope, Scope::Answer]);
        assert_eq!(
            client
                .post(&approve, &json!({ "digest": digest }))
                .problem(403),
            "not_eligible",
            "{name}"
        );
    }
}

#[test]
fn an_unknown_id_and_one_that_is_not_to_be_seen_are_one_answer() {
    let service = service();
    let (id, _) = opened(&payments(&service), "e1");
    let other = service.client("other", &[Scope::Decide]);
    let unknown = "0".repeat(32);
    for act in ["", "/history"] {
        let forbidden = other.get(&format!("/v1/escalations/{id}{act}"));
        let missing = other.get(&format!("/v1/escalations/{unknown}{act}"));
        assert_eq!(forbidden.problem(404), "not_found");
        assert_eq!(
            (forbidden.status, &forbidden.text),
            (missing.status, &missing.text)
        );
    }
    for act in [
        "approve", "deny", "cancel", "consume", "comment", "revoke", "nonsense",
    ] {
        let body = json!({ "digest": "x", "reason": "r", "text": "t", "key": "k" });
        let forbidden = other.post(&format!("/v1/escalations/{id}/{act}"), &body);
        let missing = other.post(&format!("/v1/escalations/{unknown}/{act}"), &body);
        assert_eq!(forbidden.status, 404, "{act}: {forbidden:?}");
        assert_eq!(forbidden.text, missing.text, "{act}");
    }
}

/// Whoever it belongs to, a token is for what it was made for.
#[test]
fn a_token_for_figures_sees_no_escalation_and_uses_no_permission() {
    let service = service();
    let (id, digest) = opened(&payments(&service), "e1");
    for name in ["payments", "b1@x", "bot"] {
        let figures = service.client(name, &[Scope::Metrics]);
        figures.get("/metrics").fine();
        assert_eq!(figures.get("/v1/escalations").problem(403), "forbidden");
        for path in ["/", "/matrix", &format!("/escalations/{id}")] {
            assert_eq!(figures.get(path).status, 404, "{name} {path}");
        }
        for act in ["", "?wait=1s", "/history"] {
            let answer = figures.get(&format!("/v1/escalations/{id}{act}"));
            assert_eq!(answer.problem(404), "not_found", "{name} {act}");
        }
        let body = json!({ "digest": digest, "key": "k", "text": "t" });
        for act in ["cancel", "consume", "comment"] {
            let answer = figures.post(&format!("/v1/escalations/{id}/{act}"), &body);
            assert_eq!(answer.status, 404, "{name} {act}: {answer:?}");
        }
    }
    // One that answers as who asked may take it back, and not use it.
    let answers = service.client("payments", &[Scope::Answer]);
    let consume = format!("/v1/escalations/{id}/consume");
    let body = json!({ "digest": digest, "key": "k" });
    assert_eq!(answers.post(&consume, &body).problem(403), "forbidden");
    let cancel = format!("/v1/escalations/{id}/cancel");
    answers.post(&cancel, &json!({})).fine();
}

#[test]
fn a_long_poll_is_answered_when_it_ends() {
    let service = service();
    let client = payments(&service);
    let (id, _) = opened(&client, "e1");
    let began = Instant::now();
    let pending = client
        .get(&format!("/v1/escalations/{id}?wait=300ms"))
        .fine()
        .json();
    assert_eq!(pending["word"], "escalate");
    assert!(began.elapsed() >= Duration::from_millis(300));
    let waiting = {
        let (client, id) = (client.clone(), id.clone());
        std::thread::spawn(move || {
            client
                .get(&format!("/v1/escalations/{id}?wait=50s"))
                .fine()
                .json()
        })
    };
    std::thread::sleep(Duration::from_millis(200));
    let deny = json!({ "reason": "no" });
    service
        .person("b1@x")
        .post(&format!("/v1/escalations/{id}/deny"), &deny)
        .fine();
    let answered = waiting.join().unwrap();
    assert_eq!(
        (answered["word"].as_str(), answered["state"].as_str()),
        (Some("block"), Some("denied"))
    );
    assert!(began.elapsed() < Duration::from_secs(30), "it was not told");
}

#[test]
fn lists_have_what_is_theirs() {
    let service = service();
    let client = payments(&service);
    let ids: Vec<_> = (0..5)
        .map(|n| opened(&client, &format!("e{n}")).0)
        .collect();
    let all = |client: &super::Client, path: &str| {
        let json = client.get(path).fine().json();
        json["escalations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(all(&client, "/v1/escalations").len(), 5);
    assert_eq!(
        all(
            &service.client("other", &[Scope::Decide]),
            "/v1/escalations"
        ),
        [""; 0]
    );
    assert_eq!(all(&service.person("b1@x"), "/v1/escalations").len(), 5);
    assert_eq!(all(&service.person("o1@x"), "/v1/escalations"), [""; 0]);
    let auditor = service.client("aud@x", &[Scope::Audit]);
    let mut seen = Vec::new();
    let mut path = "/v1/escalations?limit=2".to_owned();
    loop {
        let page = auditor.get(&path).fine().json();
        let its = page["escalations"].as_array().unwrap();
        seen.extend(its.iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/escalations?limit=2&after={next}");
    }
    seen.sort();
    assert_eq!(seen, ids);
    for filter in ["lane=big", "team=board", "urgency=high", "state=any"] {
        assert_eq!(
            all(&auditor, &format!("/v1/escalations?{filter}")).len(),
            5,
            "{filter}"
        );
    }
    for filter in [
        "lane=other",
        "team=ops",
        "urgency=low",
        "state=ended",
        "older_than=1h",
    ] {
        assert_eq!(
            all(&auditor, &format!("/v1/escalations?{filter}")).len(),
            0,
            "{filter}"
        );
    }
    for filter in [
        "urgency=loud",
        "state=gone",
        "limit=0",
        "after=x",
        "since=now",
    ] {
        let answer = auditor.get(&format!("/v1/escalations?{filter}"));
        assert_eq!(answer.problem(400), "filter", "{filter}");
    }
}

#[test]
fn a_restart_loses_nothing_that_is_pending() {
    let service = service();
    let (id, digest) = opened(&payments(&service), "e1");
    let person = service.person("b1@x");
    let path = format!("/v1/escalations/{id}/approve");
    person.post(&path, &json!({ "digest": digest })).fine();
    let again = Service::start_in(service.end(), MATRIX, TOML, false);
    // Tokens are in the store too.
    let person = again.nobody().with("authorization", &person.headers[0].1);
    let shown = person.get(&format!("/v1/escalations/{id}")).fine().json();
    assert_eq!(shown["state"], "pending");
    assert_eq!(shown["votes"][0]["person"], "b1@x");
    let second = again.person("b2@x");
    let done = second
        .post(&path, &json!({ "digest": digest }))
        .fine()
        .json();
    assert_eq!(done["escalation"]["state"], "approved");
}
