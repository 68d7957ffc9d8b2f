//! From a decision to a webhook, through a running service.

#[path = "../support/service.rs"]
#[allow(dead_code, reason = "this needs a part of it")]
mod service;

use std::time::{Duration, Instant};

use laneway::server::Scope;
use serde_json::json;

use self::service::Service;
use super::SECRET;
use super::receiver::{Receiver, Seen, status};

const MATRIX: &str = r#"
matrix "Payments" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable escalate to ops
}
event pay {
  amount: money EUR 0 to 100000
}
team ops {
  first person "o1@x"
}
lane big {
  about "Large payments"
  on pay
  when amount > 1000 EUR
  owner ops
  urgency high
  respond within 1h
  meanwhile block item
  operator "Look at it."
  evidence {
    required input, action, trigger
  }
  timeout {
    after 8h deny
  }
}
"#;

/// What a receiver got, once it got so many.
fn got(receiver: &Receiver, count: usize) -> Vec<Seen> {
    let (mut all, begun) = (Vec::new(), Instant::now());
    while all.len() < count && begun.elapsed() < Duration::from_secs(30) {
        all.extend(receiver.seen());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(all.len(), count, "{all:?}");
    all
}

#[test]
fn a_team_is_told_once_by_its_own_channel_beside_its_people() {
    let (people, team) = (Receiver::new(), Receiver::new());
    let toml = format!(
        "[notify]\nallow = [\"127.0.0.1\"]\nchannels = [\"webhook:people\"]\n\
         [notify.webhooks.people]\nurl = \"{}\"\nsecret_file = \"s\"\n\
         [notify.webhooks.team]\nurl = \"{}\"\nsecret_file = \"s\"\n\
         [teams.ops]\nchannels = [\"webhook:team\"]\n\
         [teams.other]\nchannels = [\"webhook:team\"]\n",
        people.url(),
        team.url()
    );
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::write(folder.path().join("s"), SECRET).unwrap();
    let two = "first person \"o1@x\", person \"o2@x\"";
    let matrix = MATRIX.replace("first person \"o1@x\"", two);
    let service = Service::start_in(folder, &matrix, &toml, false);
    let client = service.client("payments", &[Scope::Decide]);
    let event = json!({ "kind": "pay", "id": "e1", "amount": 5000 });
    client
        .post("/v1/decisions", &json!({ "event": event }))
        .fine();
    let asked = got(&people, 2);
    let mut to: Vec<_> = asked
        .iter()
        .map(|it| it.json()["data"]["to"].clone())
        .collect();
    to.sort_by_key(ToString::to_string);
    assert_eq!(to, ["o1@x", "o2@x"]);
    let told = got(&team, 1)[0].json();
    assert_eq!(
        (&told["data"]["as"], &told["data"]["to"]),
        (&json!("team"), &json!("ops"))
    );
    assert_eq!(told["type"], "escalation.opened");
    let wait = || std::thread::sleep(Duration::from_millis(700));
    wait();
    assert!(team.seen().is_empty() && people.seen().is_empty());
}

#[test]
fn who_is_asked_and_who_asked_are_told_by_webhooks_until_they_took_it() {
    let (people, callers) = (Receiver::new(), Receiver::new());
    people.answers(&[status(503, "")]);
    let toml = format!(
        "[notify]\nallow = [\"127.0.0.1\"]\nchannels = [\"webhook:people\"]\n\
         [notify.webhooks.people]\nurl = \"{}\"\nsecret_file = \"s\"\n\
         [notify.webhooks.pay]\nurl = \"{}\"\nsecret_file = \"s\"\n\
         [callers.\"payments\"]\nwebhook = \"pay\"\n\
         [server]\nurl = \"https://laneway.example\"\n",
        people.url(),
        callers.url()
    );
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::write(folder.path().join("s"), SECRET).unwrap();
    let service = Service::start_in(folder, MATRIX, &toml, false);
    let client = service.client("payments", &[Scope::Decide]);
    let event = json!({ "kind": "pay", "id": "e1", "amount": 5000 });
    let opened = client
        .post("/v1/decisions", &json!({ "event": event }))
        .fine()
        .json();
    let id = opened["escalation"]["id"].as_str().unwrap().to_owned();
    let seen = got(&people, 2);
    // The first was refused for now, the second is the same.
    assert_eq!(seen[0].body, seen[1].body);
    assert_eq!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
    let body = seen[1].json();
    assert_eq!(body["type"], "escalation.opened");
    assert_eq!(body["data"]["to"], "o1@x");
    let link = format!("https://laneway.example/escalations/{id}");
    assert_eq!(body["data"]["url"], json!(link));
    let reason = json!({ "reason": "no" });
    let deny = format!("/v1/escalations/{id}/deny");
    service.person("o1@x").post(&deny, &reason).fine();
    let ended = got(&callers, 1)[0].json();
    assert_eq!(ended["type"], "escalation.resolved");
    assert_eq!(ended["data"]["outcome"], "denied");
    assert_eq!(ended["data"]["escalation"], json!(id));
    // Sent again when somebody asks for it, with the same id.
    let notice = body["data"]["notice"].as_str().unwrap();
    assert!(service.app.desk().redeliver(notice).unwrap());
    let again = got(&people, 1);
    assert_eq!(again[0].header("webhook-id"), seen[1].header("webhook-id"));
    assert!(!service.app.desk().redeliver("e-0/asked/nobody").unwrap());
}
