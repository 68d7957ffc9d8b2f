//! Programs are swapped while threads decide: each decision comes wholly from one of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use laneway::check::{Options, check_text};
use laneway::clock::Timestamp;
use laneway::{Matrix, Router, Verdict};

const SWAPS: usize = 1_000;

/// A matrix that decides everything by its own names, in lanes and in a rule; `kinds` of other
/// kinds stand before the event's own, so that ids differ too.
fn matrix(name: &str, kinds: usize, measure: &str) -> Arc<Matrix> {
    let others: String = (0..kinds)
        .map(|n| format!("event other_{n} {{\n  x_{n}: text\n}}\n"))
        .collect();
    let text = format!(
        r#"matrix "{name}" {{
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}}
{others}event call {{
  n: whole number
  user: text
}}
team {name}_team {{
  first person "o@acme.example"
  backup group "g"
}}
always deny {name}_deny on call when n is 0
lane {name}_lane {{
  on call
  when n > 0 {measure}
  owner {name}_team
  urgency normal
  respond within 30m
  meanwhile hold item
  evidence {{
    required input, action, trigger
  }}
  timeout {{
    after 1h notify backup
    after 2h deny
  }}
}}
"#
    );
    check_text("m.lane", &text, &Options::default())
        .into_matrix()
        .unwrap_or_else(|error| panic!("{error}"))
}

fn swap_under_load(measure: &str) {
    let one = matrix("one", 0, measure);
    let two = matrix("two", 3, measure);
    let digests = [one.digest.clone(), two.digest.clone()];
    let router = Router::new(Arc::clone(&one));
    let done = AtomicBool::new(false);
    let decided = AtomicUsize::new(0);
    let now = Timestamp::UNIX_EPOCH;
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (router, done, decided, digests) = (&router, &done, &decided, &digests);
            scope.spawn(move || {
                let mut session = router.session();
                let mut seen = HashSet::new();
                let mut n = thread;
                while !done.load(Ordering::Relaxed) {
                    n += 1;
                    let json = format!(r#"{{"kind": "call", "n": {}, "user": "u{n}"}}"#, n % 2);
                    let decision = router.decide_json(json.as_bytes(), now);
                    let which = digests.iter().position(|d| *d == decision.matrix.digest);
                    let name = ["one", "two"][which.unwrap()];
                    assert_eq!(decision.matrix.name, name);
                    let (verdict, by) = match n % 2 {
                        0 => (Verdict::Deny, format!("{name}_deny")),
                        _ => (Verdict::Escalate, format!("{name}_lane")),
                    };
                    assert_eq!((decision.verdict, &decision.by), (verdict, &by));
                    if let Some(owner) = &decision.owner {
                        assert_eq!(*owner, format!("{name}_team"));
                    }
                    // By a program of the wrong layout it would be unreadable or silent.
                    let outcome = session.outcome_json(json.as_bytes(), now);
                    assert_eq!(outcome.verdict, verdict);
                    seen.insert(name);
                    decided.fetch_add(1, Ordering::Relaxed);
                }
                seen.len()
            });
        }
        for swap in 0..SWAPS {
            let next = if swap % 2 == 0 { &two } else { &one };
            router.swap(Arc::clone(next), now);
            // Some decisions between any two swaps.
            let before = decided.load(Ordering::Relaxed);
            while decided.load(Ordering::Relaxed) < before + 2 {
                std::thread::yield_now();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(decided.load(Ordering::Relaxed) > SWAPS);
}

#[test]
fn a_decision_comes_from_one_program() {
    swap_under_load("");
}

#[test]
fn so_it_does_with_measures() {
    swap_under_load("and count of call by user over 1m >= 1");
}
