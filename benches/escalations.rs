//! How many durable openings and decisions a store in SQLite takes a second, from eight threads, beside a
//! bare loop that appends 4 KiB and waits for the disk. Every answer is asserted. `cargo bench --bench
//! escalations`; as a test it does little of each.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use laneway::Router;
use laneway::desk::{Desk, SystemClock};
use laneway::escalation::{Command, Outcome, VoteOf};
use laneway::store::{SqliteOptions, SqliteStore, Store};

#[path = "../tests/support/world.rs"]
#[expect(dead_code, reason = "tests use the rest of it")]
mod world;

const THREADS: usize = 8;

fn main() {
    // `cargo test --benches` runs it once.
    let is_test = std::env::args().any(|arg| arg == "--test") || cfg!(debug_assertions);
    let (each, appends) = if is_test { (10, 20) } else { (1_000, 2_000) };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let before = bare(folder.path(), appends);
    let (rate, mut times) = durable(folder.path(), each);
    let after = bare(folder.path(), appends);
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 1_000).min(times.len() - 1)];
    let loop_rate = f64::midpoint(before, after);
    println!("bare loop of 4 KiB and fdatasync: {before:.0} and {after:.0} a second");
    println!(
        "openings and decisions of {THREADS} threads: {rate:.0} a second, {:.2} x the bare loop; \
         median {:?}, p99 {:?}, longest {:?}",
        rate / loop_rate,
        at(500),
        at(990),
        at(1_000),
    );
}

/// Appends that wait for the disk, a second.
fn bare(folder: &Path, times: u32) -> f64 {
    let mut file = std::fs::File::create(folder.join("bare")).unwrap();
    let block = [7u8; 4_096];
    let start = Instant::now();
    for _ in 0..times {
        file.write_all(&block).unwrap();
        file.sync_data().unwrap();
    }
    f64::from(times) / start.elapsed().as_secs_f64()
}

/// Of each thread: an opening, two approvals of which the second ends it; and so on.
fn durable(folder: &Path, each: usize) -> (f64, Vec<Duration>) {
    let options = SqliteOptions::new(Arc::new(|| std::time::SystemTime::now().into()));
    let store = SqliteStore::open(&folder.join("laneway.db"), options).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let mut settings = world::settings(&[]);
    settings.policy.open_per_requester = 1_000_000;
    let desk = Desk::new(store, settings, Arc::new(SystemClock::new())).unwrap();
    let router = Router::new(world::matrix());
    let start = Instant::now();
    let mut times = Vec::new();
    std::thread::scope(|scope| {
        let threads = (0..THREADS).map(|thread| {
            let (desk, router) = (desk.clone(), &router);
            scope.spawn(move || {
                let mut times = Vec::new();
                for n in 0..each {
                    let key = format!("{thread}-{n}");
                    let event = world::event(&key, "5000", &key, None);
                    let now = std::time::SystemTime::now().into();
                    let (ask, decided) = world::ask(router, event, None, now);
                    let begun = Instant::now();
                    let opened = desk.open(&ask, &decided).unwrap();
                    times.push(begun.elapsed());
                    assert!(!opened.replayed && opened.escalation.is_pending());
                    for who in ["b1@x", "b2@x"] {
                        let digest = opened.escalation.digest.clone();
                        let vote = Command::Vote(VoteOf::Approve {
                            digest,
                            reason: None,
                        });
                        let begun = Instant::now();
                        let id = &opened.escalation.pinned.id;
                        let done = desk.act(id, vote, world::actor(who)).unwrap();
                        times.push(begun.elapsed());
                        let end = done.escalation.resolution.map(|end| end.outcome);
                        assert_eq!(end, (who == "b2@x").then_some(Outcome::Approved));
                    }
                }
                times
            })
        });
        let threads: Vec<_> = threads.collect();
        for thread in threads {
            times.extend(thread.join().unwrap());
        }
    });
    let rate = times.len() as f64 / start.elapsed().as_secs_f64();
    let kept = desk.checkpoint().unwrap();
    assert!(desk.verify(kept.into_iter().collect()).unwrap().is_sound());
    (rate, times)
}
