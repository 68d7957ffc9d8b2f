//! Traces, as a collector takes them: what is in them, and above all what is not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as the test does"
)]

#[path = "support/collector.rs"]
mod collector;
#[path = "support/service.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod service;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use laneway::server::Scope;
use serde_json::json;

use collector::Collector;
use service::Service;

const MATRIX: &str = r#"
matrix "Payments" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable escalate to ops
}
event pay {
  amount: money EUR 0 to 100000
  customer: text
}
team ops {
  first person "o1@x"
}
lane big_payment {
  about "Large payments"
  on pay
  when amount > 1000 EUR
  owner ops
  urgency high
  respond within 1h
  meanwhile block item
  operator "Look at it."
  evidence {
    required input
  }
  timeout {
    after 8h deny
  }
}
"#;

/// A caller's trace and span.
const TRACE: [u8; 16] = *b"\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c";
const SPAN: [u8; 8] = *b"\xb7\xad\x6b\x71\x69\x20\x33\x31";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn service(url: &str) -> Service {
    let toml = format!("[telemetry]\notlp = \"{url}\"\nservice = \"lane-of-the-test\"\n");
    Service::start(MATRIX, &toml)
}

fn event(customer: &str) -> serde_json::Value {
    json!({ "event": { "kind": "pay", "id": "e1", "amount": 5000, "customer": customer } })
}

#[test]
fn a_decision_is_traced_below_its_request_and_its_caller() {
    let collector = Collector::start();
    // A slash at the end is nothing to a path.
    let service = service(&format!("{}/", collector.url));
    let client = service.client("payments", &[Scope::Decide]);
    let traced = client.with("traceparent", PARENT);
    traced.post("/v1/decisions", &event("c1")).fine();
    // What was not sent yet is sent when the service ends.
    service.end();
    let paths = collector.paths();
    assert!(
        !paths.is_empty() && paths.iter().all(|path| path == "/v1/traces"),
        "{paths:?}"
    );
    for there in [
        "lane-of-the-test",
        "POST /v1/decisions",
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "decide",
        "laneway.verdict",
        "escalate",
        "laneway.lane",
        "big_payment",
        "store write",
        "sqlite",
    ] {
        assert!(collector.count(there) > 0, "{there} is missing");
    }
    // The request, the decision, and what was stored; the first of them below the caller's span.
    assert!(collector.count(TRACE) >= 3);
    let below: Vec<u8> = [0x22, 8].into_iter().chain(SPAN).collect();
    assert_eq!(collector.count(below), 1);
}

#[test]
fn no_token_and_nothing_of_an_event_is_in_a_trace() {
    let collector = Collector::start();
    let service = service(&collector.url);
    let token = service.token("payments", &[Scope::Decide]);
    let client = service
        .nobody()
        .with("authorization", &format!("Bearer {token}"));
    let answer = client
        .post("/v1/decisions", &event("words-of-the-event"))
        .fine();
    let id = answer.json()["escalation"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    client.get(&format!("/v1/escalations/{id}?query-of-mine=1"));
    client.post_text("/v1/decisions", "application/json", "{words-of-the-event");
    client.get("/setup/link-that-lets-in");
    client.get("/path-that-is-not-there");
    let browser = service.nobody().with("cookie", "laneway=cookie-of-mine");
    browser.get("/");
    let form = "person=person-of-mine&password=password-of-mine";
    let own = browser.with("origin", &service.url);
    own.post_text("/sign-in", "application/x-www-form-urlencoded", form);
    service.end();
    for there in [
        "GET /v1/escalations/{id}",
        "GET /setup/{link}",
        "POST /sign-in",
        "decide",
    ] {
        assert!(collector.count(there) > 0, "{there} is missing");
    }
    let secret = token.rsplit('_').next().unwrap();
    for secret in [
        secret,
        &id,
        "words-of-the-event",
        "query-of-mine",
        "link-that-lets-in",
        "path-that-is-not-there",
        "cookie-of-mine",
        "person-of-mine",
        "password-of-mine",
    ] {
        assert_eq!(collector.count(secret), 0, "{secret} was sent");
    }
}

#[test]
fn a_collector_that_takes_nothing_holds_nobody_up() {
    // Connections are made by the system, and nobody reads from them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let service = service(&url);
    let client = service.client("payments", &[Scope::Decide]);
    let begun = Instant::now();
    for _ in 0..3_000 {
        client.get("/healthz").fine();
    }
    client.post("/v1/decisions", &event("c1")).fine();
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    let begun = Instant::now();
    service.end();
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
}

/// Without a table, as the standard has it.
#[test]
#[cfg(unix)]
fn the_environment_may_name_the_collector() {
    let collector = Collector::start();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::write(folder.path().join("m.lane"), MATRIX).unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_laneway"))
        .args(["serve", ".", "--listen", "127.0.0.1:0"])
        .current_dir(folder.path())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
        .env("OTEL_SERVICE_NAME", "lane-of-the-environment")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let url = lines.find_map(|line| {
        let line = line.unwrap();
        line.split_once("listens on ")
            .map(|(_, url)| url.to_owned())
    });
    let health = format!("{}/healthz", url.unwrap());
    ureq::get(&health).call().unwrap();
    let id = server.id().to_string();
    let ended = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(ended.success() && server.wait().unwrap().success());
    assert!(collector.count("GET /healthz") > 0);
    assert!(collector.count("lane-of-the-environment") > 0);
}
