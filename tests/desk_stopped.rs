//! A server of PostgreSQL that is stopped at once while desks write: nothing that was acknowledged is
//! missing, nothing is half done, and the same desk goes on when the server is back. 3 times in the normal
//! run, 20 times with `LANEWAY_LONG=1`. A server that answers before its disk has it loses what it
//! acknowledged, and the same test finds it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use laneway::Router;
use laneway::desk::{Desk, DeskError, SystemClock};
use laneway::escalation::{Command, Escalation, VoteOf};
use laneway::store::{Known, PostgresOptions, PostgresStore, Store, StoreErrorKind};

#[path = "support/kept.rs"]
mod kept;
#[path = "support/postgres.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod postgres_server;
#[path = "support/world.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod world;

use kept::{Acknowledged, look};
use postgres_server::Cluster;

/// Threads that write.
const WRITERS: usize = 4;

fn desk(cluster: &Cluster, database: &str) -> Desk {
    let url = cluster.url(database);
    let store = PostgresStore::open(&url, PostgresOptions::default()).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    Desk::new(store, world::settings(&[]), Arc::new(SystemClock::new())).unwrap()
}

/// Desks at work, and what they were answered.
struct Writers {
    desk: Desk,
    router: Router,
    acknowledged: Mutex<Acknowledged>,
    /// How often each was answered with success.
    answered: [AtomicU64; WRITERS],
    /// Failures by what they said is known: nothing was done, or it is not known.
    failed: [AtomicU64; 2],
    is_over: AtomicBool,
}

impl Writers {
    fn new(desk: Desk) -> Self {
        Self {
            desk,
            router: Router::new(world::matrix()),
            acknowledged: Mutex::default(),
            answered: Default::default(),
            failed: Default::default(),
            is_over: AtomicBool::new(false),
        }
    }

    /// Asks again until there is an answer: that is what the errors say is safe. Whether it may have been
    /// done by a call whose answer is missing is said with it.
    fn insist<T>(&self, call: impl Fn() -> Result<T, DeskError>) -> (Result<T, DeskError>, bool) {
        let mut may_be_done = false;
        let began = Instant::now();
        loop {
            match call() {
                Err(DeskError::Store(error)) => {
                    let text = error.to_string();
                    let (n, words) = match error.known {
                        Known::NotDone => (0, "nothing was done"),
                        Known::Unknown => (1, "it is not known"),
                    };
                    assert!(text.contains(words), "{text}");
                    let kinds = [StoreErrorKind::Io, StoreErrorKind::Busy];
                    assert!(kinds.contains(&error.kind), "{:?}: {text}", error.kind);
                    self.failed[n].fetch_add(1, Ordering::SeqCst);
                    may_be_done |= error.known == Known::Unknown;
                    assert!(
                        began.elapsed() < Duration::from_secs(60),
                        "for ever: {text}"
                    );
                    std::thread::sleep(Duration::from_millis(10));
                }
                answer => return (answer, may_be_done),
            }
        }
    }

    fn write(&self, writer: usize, round: u32) {
        let mut n = 0;
        while !self.is_over.load(Ordering::SeqCst) {
            n += 1;
            let name = format!("e{round}-{writer}-{n}");
            let opened = self.insist(|| {
                let now = self.desk.now()?.at;
                let event = world::event(&name, "5000", &name, None);
                // Behind a failure the event is the same, and the instant of its decision is not.
                let (ask, decided) = world::ask(&self.router, event, None, now);
                self.desk.open(&ask, &decided)
            });
            let it = opened.0.unwrap().escalation;
            let id = it.pinned.id.clone();
            self.acknowledged.lock().unwrap().opened.insert(id);
            for who in ["b1@x", "b2@x"] {
                self.vote(&it, who);
            }
            self.answered[writer].fetch_add(1, Ordering::SeqCst);
        }
    }

    fn vote(&self, it: &Escalation, who: &str) {
        let id = &it.pinned.id;
        let approve = || {
            let digest = it.digest.clone();
            let vote = Command::Vote(VoteOf::Approve {
                digest,
                reason: None,
            });
            self.desk.act(id, vote, world::actor(who))
        };
        match self.insist(approve) {
            (Ok(_), _) => {}
            // The call before was done and ended it; its answer is missing.
            (Err(DeskError::Refused(_)), true) => {}
            (Err(error), _) => panic!("{id}: {error}"),
        }
        let mut acknowledged = self.acknowledged.lock().unwrap();
        let voted = acknowledged.voted.entry(id.clone()).or_default();
        voted.insert(who.to_owned());
    }

    fn all_answered(&self, than: &[u64; WRITERS]) -> bool {
        let now = self.answers();
        (0..WRITERS).all(|n| now[n] > than[n])
    }

    fn answers(&self) -> [u64; WRITERS] {
        std::array::from_fn(|n| self.answered[n].load(Ordering::SeqCst))
    }

    fn wait_for_all(&self, than: &[u64; WRITERS]) {
        let began = Instant::now();
        while !self.all_answered(than) {
            assert!(began.elapsed() < Duration::from_secs(60), "a desk is stuck");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_server_that_is_stopped_at_once_loses_nothing_that_it_acknowledged() {
    let Some(mut cluster) = postgres_server::own("a server that is stopped at once") else {
        return;
    };
    let times = match std::env::var_os("LANEWAY_LONG") {
        Some(_) => 20,
        None => 3,
    };
    let mut random = fastrand::Rng::with_seed(7);
    let database = cluster.database();
    let writers = Writers::new(desk(&cluster, &database));
    for round in 0..times {
        writers.is_over.store(false, Ordering::SeqCst);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let writers = &writers;
                scope.spawn(move || writers.write(writer, round));
            }
            writers.wait_for_all(&writers.answers());
            std::thread::sleep(Duration::from_micros(random.u64(0..300_000)));
            cluster.stop();
            // Work begins and fails while there is no server.
            std::thread::sleep(Duration::from_millis(random.u64(0..100)));
            cluster.restart();
            writers.wait_for_all(&writers.answers());
            writers.is_over.store(true, Ordering::SeqCst);
        });
        look(&writers.desk, &writers.acknowledged.lock().unwrap()).unwrap();
    }
    let opened = writers.acknowledged.lock().unwrap().opened.len();
    let failed = writers
        .failed
        .each_ref()
        .map(|it| it.load(Ordering::SeqCst));
    println!("stopped {times} times: {opened} opened, failures {failed:?}");
    assert!(failed[0] > 0, "nothing failed");
}

#[test]
fn a_server_that_answers_before_its_disk_has_it_is_found_out() {
    let Some(mut cluster) = postgres_server::own("a server that answers too early") else {
        return;
    };
    let database = cluster.database();
    let writers = Writers::new(desk(&cluster, &database));
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let writers = &writers;
            scope.spawn(move || writers.write(writer, 0));
        }
        writers.wait_for_all(&writers.answers());
        // A store does not begin on such a server: it was good when the connections were made.
        let mut client = cluster.client(&database);
        for sql in [
            "ALTER SYSTEM SET synchronous_commit = off",
            "ALTER SYSTEM SET wal_writer_delay = '10s'",
            "ALTER SYSTEM SET wal_writer_flush_after = '1GB'",
            "SELECT pg_reload_conf()",
        ] {
            client.batch_execute(sql).unwrap();
        }
        drop(client);
        std::thread::sleep(Duration::from_millis(300));
        writers.wait_for_all(&writers.answers());
        // What was answered up to here is looked for.
        writers.is_over.store(true, Ordering::SeqCst);
    });
    cluster.stop();
    cluster.forget_settings();
    cluster.restart();
    let found = look(&writers.desk, &writers.acknowledged.lock().unwrap());
    assert!(found.is_err_and(|it| it.starts_with("lost")));
}
