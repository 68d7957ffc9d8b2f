//! Eight threads decide a shuffled stream in which events come again: what windows hold at the end is
//! what one thread would have counted, and on the way each event has a place of its own in its window.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use fastrand::Rng;
use laneway::Router;
use laneway::check::{Options, check_text};
use laneway::clock::{Timestamp, parse_timestamp};
use laneway::measure::{Receipt, Source};

const THREADS: usize = 8;
const USERS: usize = 5;

/// Lanes that attach to all events of a kind; with an adjust that applies to calls where none does.
fn router(adjusts: bool, on: &str) -> Router {
    let mut text = String::from(
        r#"matrix "Threads" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}
event call {
  user: text
  tenant: text
  amount: money USD 0 to 1000000
}
event ping {
  user: text
  tenant: text
  amount: money USD 0 to 1000000
}
team ops {
  first person "o@acme.example"
  backup group "g"
}
"#,
    );
    if adjusts {
        text.push_str(
            "adjust clip on call when amount > 100 USD set amount = 100 USD because \"for the test\"\n",
        );
    }
    for (number, measure) in [
        "count of call by user over 10m is not 9999",
        "sum amount of call by user over 10m is not 0.001 USD",
        "distinct tenant of call by user over 10m is not 9999",
    ]
    .iter()
    .enumerate()
    {
        text.push_str(&format!(
            "lane l{number} {{\n  on {on}\n  when {measure}\n  group by user\n  owner ops\n  \
             urgency normal\n  respond within 30m\n  meanwhile hold item\n  \
             evidence {{\n    required trigger\n  }}\n  timeout {{\n    after 2h deny\n  }}\n}}\n"
        ));
    }
    let loaded = check_text("m.lane", &text, &Options::default());
    Router::new(loaded.into_matrix().unwrap())
}

#[derive(Clone)]
struct Call {
    id: String,
    user: usize,
    tenant: usize,
    amount: u64,
    at: Timestamp,
}

impl Call {
    fn json(&self) -> String {
        let Self {
            id,
            user,
            tenant,
            amount,
            at,
        } = self;
        let at = laneway::clock::format_timestamp(*at);
        format!(
            r#"{{"kind": "call", "id": "{id}", "at": "{at}", "user": "u{user}", "tenant": "t{tenant}", "amount": {amount}}}"#
        )
    }
}

/// What the windows of a user hold, as an event of a kind sees them that is not counted.
fn values(router: &Router, kind: &str, user: usize, receipt: Receipt) -> Vec<String> {
    let json = format!(r#"{{"kind": "{kind}", "user": "u{user}", "tenant": "none", "amount": 0}}"#);
    let decision = router.dry_run_json(json.as_bytes(), receipt);
    let mut values: Vec<(String, String)> = decision
        .lanes
        .iter()
        .map(|lane| {
            (
                lane.lane.clone(),
                lane.because[0].window.clone().unwrap().value,
            )
        })
        .collect();
    values.sort();
    values.into_iter().map(|(_, value)| value).collect()
}

fn round(seed: u64, adjusts: bool) {
    let mut rng = Rng::with_seed(seed);
    let kind = if adjusts { "ping" } else { "call" };
    let router = router(adjusts, kind);
    let now = parse_timestamp("2026-01-05T06:10:00Z").unwrap();
    // Some are late, all within the bound, so that each belongs into its window whatever the order.
    let calls: Vec<Call> = (0..400)
        .map(|n| Call {
            id: format!("e-{n}"),
            user: rng.usize(0..USERS),
            tenant: rng.usize(0..9),
            amount: rng.u64(0..500),
            at: now - TimeDelta::milliseconds(rng.i64(0..100_000)),
        })
        .collect();
    // Each comes once to three times, to any thread.
    let mut shares: Vec<Vec<Call>> = vec![Vec::new(); THREADS];
    for call in &calls {
        for _ in 0..rng.usize(1..4) {
            shares[rng.usize(0..THREADS)].push(call.clone());
        }
    }
    shares.iter_mut().for_each(|share| rng.shuffle(share));
    let receipt = Receipt::of(Source::trusted(), now);
    let start = Barrier::new(THREADS);
    let seen: Mutex<BTreeMap<String, u64>> = Mutex::default();
    std::thread::scope(|scope| {
        for (thread, share) in shares.iter().enumerate() {
            let (router, start, seen) = (&router, &start, &seen);
            scope.spawn(move || {
                let mut session = router.session();
                let mut rng = Rng::with_seed(seed + thread as u64);
                start.wait();
                for call in share {
                    let json = call.json();
                    match rng.bool() {
                        true => {
                            session.outcome_json(json.as_bytes(), receipt);
                        }
                        false => {
                            let decision = router.decide_json(json.as_bytes(), receipt);
                            let lanes = &decision.lanes;
                            let lane = lanes.iter().find(|lane| lane.lane == "l0");
                            let Some(lane) = lane else { continue };
                            let window = lane.because[0].window.as_ref().unwrap();
                            assert!(window.partial.is_none());
                            // It sees what happened up to its own instant.
                            let count = window.value.parse().unwrap();
                            let mut seen = seen.lock().unwrap();
                            let least = seen.entry(call.id.clone()).or_insert(count);
                            *least = count.min(*least);
                        }
                    }
                }
            });
        }
    });
    for user in 0..USERS {
        let own: Vec<&Call> = calls.iter().filter(|call| call.user == user).collect();
        let paid = |call: &&Call| match adjusts {
            true => call.amount.min(100),
            false => call.amount,
        };
        let sum: u64 = own.iter().map(paid).sum();
        let tenants: BTreeSet<usize> = own.iter().map(|call| call.tenant).collect();
        // A call sees itself as well.
        let more = usize::from(!adjusts);
        let expected = [
            (own.len() + more).to_string(),
            format!("{sum} USD"),
            (tenants.len() + more).to_string(),
        ];
        let values = values(&router, kind, user, receipt);
        assert_eq!(values, expected, "seed {seed}: user {user}");
    }
    // Nothing was seen beyond what there is up to an instant.
    let seen = seen.into_inner().unwrap();
    for call in &calls {
        if let Some(count) = seen.get(&call.id) {
            let before = calls
                .iter()
                .filter(|other| other.user == call.user && other.at <= call.at);
            assert!((1..=before.count() as u64).contains(count), "{}", call.id);
        }
    }
}

#[test]
fn the_end_is_that_of_one_thread() {
    let seconds = match std::env::var_os("LANEWAY_LONG") {
        Some(_) => 60,
        None => 5,
    };
    let start = Instant::now();
    let mut rounds = 0;
    while start.elapsed() < Duration::from_secs(seconds) || rounds < 2 {
        round(rounds, rounds % 2 == 1);
        rounds += 1;
    }
    assert!(rounds >= 2);
}

/// Events of one instant, each delivered to two threads at once: the counts that their first deliveries
/// see are one, two, three and so on, whoever came first.
#[test]
fn events_of_a_key_come_one_after_the_other() {
    let now = parse_timestamp("2026-01-05T06:10:00Z").unwrap();
    for adjusts in [false, true] {
        let router = router(adjusts, "call");
        let count = 600;
        let start = Barrier::new(THREADS);
        let least: Mutex<BTreeMap<usize, u64>> = Mutex::default();
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (router, start, least) = (&router, &start, &least);
                scope.spawn(move || {
                    let mut order: Vec<usize> = (0..count)
                        .filter(|n| n % (THREADS / 2) == thread % (THREADS / 2))
                        .collect();
                    Rng::with_seed(thread as u64).shuffle(&mut order);
                    start.wait();
                    for n in order {
                        let json = format!(
                            r#"{{"kind": "call", "id": "e-{n}", "user": "u", "tenant": "t", "amount": 1}}"#
                        );
                        let decision = router.decide_json(json.as_bytes(), now);
                        let lane = decision.lanes.iter().find(|lane| lane.lane == "l0").unwrap();
                        let value = &lane.because[0].window.as_ref().unwrap().value;
                        let value: u64 = value.parse().unwrap();
                        let mut least = least.lock().unwrap();
                        let known = least.entry(n).or_insert(value);
                        *known = value.min(*known);
                    }
                });
            }
        });
        let places: BTreeSet<u64> = least.into_inner().unwrap().into_values().collect();
        let expected: BTreeSet<u64> = (1..=count as u64).collect();
        assert_eq!(places, expected, "adjusts: {adjusts}");
    }
}
