//! How many durable openings and decisions two servers on one database of PostgreSQL take a second, from
//! sixteen threads in all and from sixteen each, beside `pgbench` with sixteen clients on the same cluster in the
//! same run. Every answer is asserted. `cargo
//! bench --features postgres --bench escalations_postgres`; as a test it does little of each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use laneway::escalation::Outcome;
use laneway::store::{self, PostgresOptions, PostgresStore};

#[path = "../tests/support/escalations.rs"]
#[expect(dead_code, reason = "tests use the rest of it")]
mod escalations;
#[path = "../tests/support/postgres.rs"]
#[expect(dead_code, reason = "tests use the rest of it")]
mod postgres_server;

use escalations::{approve, command_now, made_now, open, person};
use postgres_server::Cluster;

/// Threads of both servers together: as many as `pgbench` has clients, and as many for each server.
const THREADS: [usize; 2] = [16, 32];

fn main() {
    // `cargo test --benches` runs it once.
    let is_test = std::env::args().any(|arg| arg == "--test") || cfg!(debug_assertions);
    let time = Duration::from_secs(if is_test { 1 } else { 10 });
    let Some(cluster) = postgres_server::own("escalations_postgres") else {
        return;
    };
    let before = pgbench(&cluster, time);
    let database = cluster.database();
    let open_store = || PostgresStore::open(&cluster.url(&database), PostgresOptions::default());
    let stores = [open_store().unwrap(), open_store().unwrap()];
    // As behind the first minute of a server, when it knows how its tables are filled; `pgbench -i` asks for
    // the same.
    let warm = time.min(Duration::from_secs(2));
    let warmed = a_second(&stores, warm, THREADS[1], |store, id| {
        decided(store, &format!("warm-{id}"))
    });
    cluster.client(&database).batch_execute("ANALYZE").unwrap();
    let mut runs = Vec::new();
    for threads in THREADS {
        let openings = a_second(&stores, time, threads, |store, id| {
            let id = format!("open-{threads}-{id}");
            open(store, &made_now(&id, 1, Duration::from_secs(600)));
            1
        });
        let both = a_second(&stores, time, threads, |store, id| {
            decided(store, &format!("both-{threads}-{id}"))
        });
        runs.push((threads, openings, both));
    }
    // Of each opening one row, and of each decision those that tell of it: nothing was lost on the way.
    let behind = store::read(&stores[0], |t| t.behind(0)).unwrap();
    let of_runs = runs
        .iter()
        .map(|(_, openings, both)| openings.done + both.done / 2);
    let openings_of_all = of_runs.sum::<u64>() + warmed.done / 2;
    assert_eq!(behind.heads.len() as u64, openings_of_all);
    let after = pgbench(&cluster, time);
    let rates = runs.iter().flat_map(|(threads, openings, both)| {
        [
            ("openings", *threads, openings),
            ("openings and decisions", *threads, both),
        ]
    });
    for (what, threads, run) in rates {
        print!("{what} of {threads} threads: {:.0} a second", run.rate);
        match before.zip(after) {
            Some((before, after)) => {
                let of_pgbench = f64::midpoint(before, after);
                println!(", {:.2} x pgbench", run.rate / of_pgbench);
            }
            None => println!(),
        }
    }
    if let Some((before, after)) = before.zip(after) {
        println!("pgbench -N -M prepared -c 16 -j 2: {before:.0} and {after:.0} a second");
    }
}

/// An opening, and the approval that ends it.
fn decided(store: &PostgresStore, id: &str) -> u64 {
    open(store, &made_now(id, 1, Duration::from_secs(600)));
    let done = command_now(store, id, approve(), &person("p0"));
    let end = done.after.resolution.map(|end| end.outcome);
    assert_eq!(end, Some(Outcome::Approved));
    assert!(done.after.grant.is_some());
    2
}

/// How many were done, and how many that is a second.
struct Run {
    done: u64,
    rate: f64,
}

/// Does it from all threads for a time, half of them on each server.
fn a_second(
    stores: &[PostgresStore; 2],
    time: Duration,
    threads: usize,
    what: impl Fn(&PostgresStore, &str) -> u64 + Sync,
) -> Run {
    let done = AtomicU64::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (done, what) = (&done, &what);
            scope.spawn(move || {
                let mut n = 0;
                while began.elapsed() < time {
                    let did = what(&stores[thread % 2], &format!("{thread}-{n}"));
                    done.fetch_add(did, Ordering::Relaxed);
                    n += 1;
                }
            });
        }
    });
    let done = done.into_inner();
    assert!(done > 0);
    let rate = done as f64 / began.elapsed().as_secs_f64();
    Run { done, rate }
}

/// Transactions of `pgbench` a second: three updates of a row and an insert, without those that all wait for.
/// Nothing where this machine does not have it.
fn pgbench(cluster: &Cluster, time: Duration) -> Option<f64> {
    let url = cluster.url(&cluster.database());
    let run = |arguments: &[&str]| {
        let mut program = cluster.program("pgbench")?;
        let output = program.args(arguments).arg(&url).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{wrong}");
        Some(said)
    };
    run(&["-i", "-q", "-s", "10"])?;
    let seconds = time.as_secs().to_string();
    let said = run(&[
        "-N", "-M", "prepared", "-c", "16", "-j", "2", "-T", &seconds,
    ])?;
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = rate.and_then(|rate| rate.split(' ').next());
    Some(rate.expect("a rate").parse().unwrap())
}
