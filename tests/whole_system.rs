//! The whole system: two servers on one database of PostgreSQL, killed again and again; people who answer
//! what a webhook told them, which fails half of the time; a retry storm on both servers.
//!
//! In the normal run 500 escalations, with `LANEWAY_LONG=1` 10,000. Each ends exactly once, and as it was
//! acknowledged; the storm is never allowed; each notice arrives under one id; the audit verifies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/postgres.rs"]
mod postgres_server;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/program.rs"]
mod program;
#[path = "whole/receiver.rs"]
mod receiver;
#[path = "whole/servers.rs"]
mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use laneway::escalation::Cause;
use laneway::store::{self, PostgresOptions, PostgresStore};
use serde_json::{Value, json};

use receiver::Receiver;
use servers::{Client, Server};

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
event retry {
  customer: text
}
team ops {
  first person "o1@x", person "o2@x"
}
lane big {
  about "Large payments"
  on pay
  when amount > 1000 EUR
  owner ops
  urgency high
  respond within 1m
  meanwhile block item
  operator "Look at it."
  evidence {
    required input, action, trigger
  }
  timeout {
    after 1m deny
  }
}
lane storm {
  about "Retry storms"
  on retry
  when count of retry by customer over 10m > 3
  group by customer
  owner ops
  urgency high
  respond within 1m
  meanwhile block item
  operator "Look at it."
  evidence {
    required input, action, trigger
  }
  timeout {
    after 1m deny
  }
}
"#;

/// Who asks at once, and who answers at once.
const HANDS: usize = 4;

/// Services that ask in turn: each stays far below the thousand open of one requester, above which the engine
/// denies at once.
const SERVICES: usize = 20;

/// Retries of the storm.
const STORM: usize = 60;

/// Between two servers that are killed. What one was sending waits two minutes for the end of its lease.
const KILLS: Duration = Duration::from_secs(15);

/// How long the last may take to end, whose minute begins when they are opened.
const ENDS: Duration = Duration::from_secs(420);

fn escalations() -> usize {
    match std::env::var_os("LANEWAY_LONG") {
        Some(_) => 10_000,
        None => 500,
    }
}

/// The service that asks for the escalation of that number.
fn service(n: usize) -> String {
    format!("payments-{}", n % SERVICES)
}

fn toml(url: &str, receiver: &Receiver) -> String {
    let hook = format!("http://{}/hook", receiver.address);
    let callers: String = (0..SERVICES)
        .map(|n| format!("[callers.{}]\nwebhook = \"people\"\n", service(n)))
        .collect();
    format!(
        "[escalations]\nstore = \"{url}\"\n\
         [notify]\nallow = [\"127.0.0.1\"]\nchannels = [\"webhook:people\"]\n\
         [notify.webhooks.people]\nurl = \"{hook}\"\nsecret_file = \"secret\"\n\
         {callers}\
         [server]\nurl = \"https://laneway.example\"\n\
         [decisions]\n"
    )
}

/// What was acknowledged of an escalation.
#[derive(Debug, Default)]
struct Acknowledged {
    outcome: Option<&'static str>,
    /// Whether an answer was lost that may have been an acknowledgement.
    maybe: bool,
    /// Each answer, for who reads why a test failed.
    heard: Vec<String>,
}

/// Everything at once.
struct Whole {
    servers: [Server; 2],
    receiver: Receiver,
    url: String,
    opened: Mutex<BTreeMap<String, Acknowledged>>,
    /// What each person has looked at.
    seen: Mutex<BTreeSet<String>>,
    are_open: AtomicBool,
}

#[test]
fn everything_ends_once_is_told_and_is_never_allowed_by_a_crash() {
    let test = "everything_ends_once_is_told_and_is_never_allowed_by_a_crash";
    let Some(cluster) = postgres_server::own(test) else {
        return;
    };
    let database = cluster.database();
    let url = cluster.url(&database);
    let socket = url.split(' ').next().unwrap();
    let socket = socket.strip_prefix("host=").unwrap().replace('/', "%2F");
    let address = format!("postgres://laneway@{socket}/{database}");
    let receiver = Receiver::new();
    let toml = toml(&address, &receiver);
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw";
    let files = [
        ("m.lane", MATRIX),
        ("laneway.toml", &*toml),
        ("secret", secret),
    ];
    let whole = Whole {
        servers: [Server::new(&files), Server::new(&files)],
        receiver,
        url: address,
        opened: Mutex::default(),
        seen: Mutex::default(),
        are_open: AtomicBool::new(true),
    };
    whole.run();
    let store = PostgresStore::open(&url, PostgresOptions::default()).unwrap();
    whole.check(&store);
}

impl Whole {
    fn client(&self, name: &str, scope: &str) -> Client {
        let mut command = Command::new(env!("CARGO_BIN_EXE_laneway"));
        let command = command
            .args([
                "access", "token", name, "--for", scope, "--store", &self.url,
            ])
            .args(["--format", "json"])
            .current_dir(self.servers[0].folder());
        let ran = program::Ran::of(command, b"");
        assert_eq!(ran.code, 0, "{ran:?}");
        let token = ran.json()["token"].as_str().unwrap().to_owned();
        Client::new(&self.servers, format!("Bearer {token}"))
    }

    /// Opens, answers, storms and kills, until everything has ended.
    fn run(&self) {
        let services = (0..SERVICES).map(|n| (service(n), self.client(&service(n), "decide")));
        let services: BTreeMap<_, _> = services.collect();
        let services = &services;
        let people = ["o1@x", "o2@x"].map(|name| (name, self.client(name, "answer")));
        let auditor = self.client("auditor", "audit");
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let mut asking = Vec::new();
            for _ in 0..HANDS {
                asking.push(scope.spawn(|| self.open(services, &next)));
                scope.spawn(|| self.answer(services, &people));
            }
            asking.push(scope.spawn(|| self.storm(&services[&service(0)])));
            scope.spawn(|| self.kill());
            let asked: Vec<_> = asking.into_iter().map(|it| it.join()).collect();
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                self.until_all_ended(&auditor);
            }));
            self.are_open.store(false, Ordering::Relaxed);
            assert!(asked.iter().all(Result::is_ok), "asking failed");
            if let Err(panic) = ended {
                std::panic::resume_unwind(panic);
            }
        });
        self.until_all_told();
    }

    fn open(&self, services: &BTreeMap<String, Client>, next: &AtomicUsize) {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= escalations() {
                return;
            }
            let event = json!({ "kind": "pay", "id": format!("e{n}"), "amount": 5000 });
            let body = json!({ "event": event });
            let key = format!("key-{n}");
            let answer = services[&service(n)].post(n % 2, "/v1/decisions", &key, &body);
            assert_eq!(answer.status, 200, "{answer:?}");
            // One that was answered late may have ended by then.
            let id = answer.json["escalation"]["id"].as_str();
            let id = id.unwrap_or_else(|| panic!("{answer:?}")).to_owned();
            let mut opened = self.opened.lock().unwrap();
            // Whoever was told of it may have answered before.
            opened.entry(id).or_default();
        }
    }

    /// Looks at what waits for somebody who was told that something does: one notice may stand for many.
    fn answer(&self, services: &BTreeMap<String, Client>, people: &[(&str, Client); 2]) {
        while self.are_open.load(Ordering::Relaxed) {
            let taken = self.receiver.taken.lock().unwrap();
            let told = taken.recv_timeout(Duration::from_millis(100));
            drop(taken);
            let Ok(told) = told else { continue };
            if told["type"] != "escalation.opened" {
                continue;
            }
            let person = people.iter().find(|(name, _)| told["data"]["to"] == *name);
            let (name, person) = person.unwrap_or_else(|| panic!("{told}"));
            let mut after = String::new();
            loop {
                let path = format!("/v1/escalations?mine=true&limit=100{after}");
                let page = person.get(&path);
                assert_eq!(page.status, 200, "{page:?}");
                for it in page.json["escalations"].as_array().unwrap() {
                    let id = it["id"].as_str().unwrap();
                    let is_new = self.seen.lock().unwrap().insert(format!("{name}-{id}"));
                    if is_new && it["lane"] != "storm" {
                        self.answer_one(id, services, (name, person));
                    }
                }
                match page.json["next"].as_str() {
                    Some(next) => after = format!("&after={next}"),
                    None => break,
                }
            }
        }
    }

    /// As one of four people would: approves, denies, takes back, says nothing.
    fn answer_one(
        &self,
        id: &str,
        services: &BTreeMap<String, Client>,
        (name, person): (&str, &Client),
    ) {
        let path = |act: &str| format!("/v1/escalations/{id}/{act}");
        let key = format!("{name}-{id}");
        let seen = person.get(&format!("/v1/escalations/{id}"));
        assert_eq!(seen.status, 200, "{seen:?}");
        let escalation = match seen.json.get("escalation") {
            Some(it) => it,
            None => &seen.json,
        };
        let first = fastrand::usize(..2);
        let (outcome, answer) = match u8::from_str_radix(&id[id.len() - 1..], 16).unwrap() % 4 {
            0 => {
                let body = json!({ "digest": escalation["digest"] });
                (
                    "approved",
                    person.post(first, &path("approve"), &key, &body),
                )
            }
            1 => {
                let body = json!({ "reason": "no" });
                ("denied", person.post(first, &path("deny"), &key, &body))
            }
            2 => {
                let service = &services[escalation["requester"].as_str().unwrap()];
                let body = json!({});
                (
                    "cancelled",
                    service.post(first, &path("cancel"), &key, &body),
                )
            }
            _ => return,
        };
        let mut opened = self.opened.lock().unwrap();
        let known = opened.entry(id.to_owned()).or_default();
        known.heard.push(format!("{name}: {answer:?}"));
        match answer.status {
            200 => known.outcome = Some(outcome),
            // Ended before, by the other person, by time, or by an answer that was lost.
            409 => known.maybe |= answer.lost_one,
            _ => panic!("{answer:?}"),
        }
    }

    /// Many retries of one customer, to both servers in turn. None is let through.
    fn storm(&self, payments: &Client) {
        for n in 0..STORM {
            let event = json!({ "kind": "retry", "id": format!("r{n}"), "customer": "storm" });
            let body = json!({ "event": event });
            let answer = payments.post(n, "/v1/decisions", &format!("storm-{n}"), &body);
            assert_eq!(answer.status, 200, "{answer:?}");
            let word = answer.json["word"].as_str().unwrap();
            assert!(matches!(word, "escalate" | "block"), "{answer:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills one server after the other, and begins it again.
    fn kill(&self) {
        let mut kills = 0;
        while self.are_open.load(Ordering::Relaxed) {
            let until = Instant::now() + KILLS;
            while Instant::now() < until && self.are_open.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(100));
            }
            self.servers[kills % 2].begin_again();
            kills += 1;
        }
        println!("{kills} servers were killed");
        assert!(kills >= 4, "{kills}");
    }

    fn until_all_ended(&self, auditor: &Client) {
        let begun = Instant::now();
        loop {
            let page = auditor.get("/v1/escalations?state=pending&limit=1");
            assert_eq!(page.status, 200, "{page:?}");
            if page.json["escalations"].as_array().unwrap().is_empty() {
                return;
            }
            assert!(begun.elapsed() < ENDS, "{page:?}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Waits until nothing is in the outbox.
    fn until_all_told(&self) {
        let begun = Instant::now();
        let store = PostgresStore::open(&self.url, PostgresOptions::default()).unwrap();
        loop {
            let outbox = store::read(&store, |t| t.outbox()).unwrap();
            assert_eq!(outbox.failed, 0);
            if outbox.waiting == 0 {
                return;
            }
            assert!(begun.elapsed() < ENDS, "{outbox:?}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn check(&self, store: &PostgresStore) {
        let opened = self.opened.lock().unwrap();
        let rows = store::read(store, |t| t.rows(0, u32::MAX)).unwrap();
        let count = |kind: &str| {
            let mut all = BTreeMap::<&str, usize>::new();
            for (row, _) in rows.iter().filter(|(row, _)| row.kind == kind) {
                *all.entry(&row.escalation).or_default() += 1;
            }
            all
        };
        let (begun, ended) = (count("opened"), count("resolved"));
        // Those of the storm beside: they have one group, and so few that are one after the other.
        assert!(begun.len() > opened.len(), "no storm");
        assert_eq!(opened.len(), escalations());
        assert!(begun.keys().eq(ended.keys()), "not all ended");
        assert!(ended.values().all(|many| *many == 1), "one ended twice");
        let mut by_outcome = BTreeMap::<String, usize>::new();
        let mut requesters = BTreeMap::new();
        for (id, known) in &*opened {
            let its = id.clone();
            let stored = store::read(store, move |t| t.get(&its)).unwrap().unwrap();
            let escalation = stored.escalation;
            requesters.insert(id.clone(), escalation.pinned.requester.to_string());
            let end = escalation.resolution.unwrap();
            let outcome = end.outcome.as_str();
            *by_outcome.entry(outcome.to_owned()).or_default() += 1;
            assert_ne!(end.cause, Cause::Flood, "{id}");
            match known.outcome {
                Some(acknowledged) => assert_eq!(outcome, acknowledged, "{id}"),
                None if known.maybe || outcome == "timed_out" => {}
                None => {
                    let of_it = rows.iter().filter(|(row, _)| row.escalation == *id);
                    panic!(
                        "{id}: {outcome}, heard {:#?}, {:#?}",
                        known.heard,
                        of_it.collect::<Vec<_>>()
                    );
                }
            }
            assert!(!end.by_silence, "{id}");
        }
        println!("{by_outcome:?}");
        assert_eq!(by_outcome.len(), 4, "{by_outcome:?}");
        self.check_notices(&requesters);
        let desk = laneway::desk::Desk::new(
            std::sync::Arc::new(
                PostgresStore::open(&self.url, PostgresOptions::default()).unwrap(),
            ),
            laneway::desk::Settings::default(),
            std::sync::Arc::new(laneway::desk::SystemClock::new()),
        );
        let report = desk.unwrap().verify(Vec::new()).unwrap();
        assert!(report.is_sound(), "{:?}", report.faults);
    }

    /// People were told that they are asked, by notices that may stand for many; the caller was told of each
    /// end; what came under one id is one text.
    fn check_notices(&self, requesters: &BTreeMap<String, String>) {
        let all = self.receiver.all();
        let mut told = BTreeMap::<(String, String, String), u32>::new();
        let (mut refused, mut twice) = (0, 0);
        for (id, came) in &all {
            assert!(
                came.bodies.iter().all(|body| *body == came.bodies[0]),
                "{id}"
            );
            let body: Value = serde_json::from_str(&came.bodies[0]).unwrap();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let data = &body["data"];
            let whom = (
                text(&data["escalation"]),
                text(&body["type"]),
                text(&data["to"]),
            );
            *told.entry(whom).or_default() += came.taken;
            refused += came.refused;
            twice += u32::from(came.taken > 1);
        }
        println!(
            "{} notices, {refused} times refused, {twice} came more than once",
            all.len()
        );
        assert!(refused as usize > all.len() / 4, "{refused}");
        for name in ["o1@x", "o2@x"] {
            let mut of = told.iter().filter(|((_, what, whom), taken)| {
                what == "escalation.opened" && whom == name && **taken > 0
            });
            assert!(of.next().is_some(), "{name} was never told");
        }
        for (id, requester) in requesters {
            let of = |what: &str, whom: &str| {
                let key = (id.clone(), what.to_owned(), whom.to_owned());
                told.get(&key).copied().unwrap_or_default()
            };
            assert!(
                of("escalation.resolved", requester) > 0,
                "not answered: {id}"
            );
        }
    }
}
