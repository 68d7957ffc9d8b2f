//! A process that is killed while it writes: nothing that it acknowledged is missing, nothing is half
//! done. 20 times in the normal run, 300 times with `LANEWAY_LONG=1`.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly, and its child prints what it did"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;

use laneway::Router;
use laneway::desk::{Desk, SystemClock};
use laneway::escalation::{Command, VoteOf};
use laneway::store::{SqliteOptions, SqliteStore, Store};

#[path = "support/kept.rs"]
mod kept;
#[path = "support/world.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod world;

use kept::{Acknowledged, look};

const CHILD: &str = "LANEWAY_TEST_STORE";

fn desk(path: &Path) -> Desk {
    let options = SqliteOptions::new(Arc::new(|| std::time::SystemTime::now().into()));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path, options).unwrap());
    Desk::new(store, world::settings(&[]), Arc::new(SystemClock::new())).unwrap()
}

/// Opens and answers escalations from four threads, and says each as soon as it is acknowledged.
#[test]
fn child() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let desk = desk(Path::new(&path));
    let router = Router::new(world::matrix());
    say("ready".to_owned());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (desk, router) = (desk.clone(), &router);
            scope.spawn(move || {
                for n in 0.. {
                    let key = format!("{}-{thread}-{n}", std::process::id());
                    let event = world::event(&key, "5000", &key, None);
                    let (ask, decided) = world::ask(router, event, None, desk.now().unwrap().at);
                    let opened = desk.open(&ask, &decided).unwrap();
                    let id = opened.escalation.pinned.id.clone();
                    say(format!("opened {id}"));
                    for who in ["b1@x", "b2@x"] {
                        let digest = opened.escalation.digest.clone();
                        let vote = Command::Vote(VoteOf::Approve {
                            digest,
                            reason: None,
                        });
                        desk.act(&id, vote, world::actor(who)).unwrap();
                        say(format!("voted {id} {who}"));
                    }
                }
            });
        }
    });
}

fn say(line: String) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

#[test]
fn a_process_that_is_killed_loses_nothing_that_it_acknowledged() {
    let times = match std::env::var_os("LANEWAY_LONG") {
        Some(_) => 300,
        None => 20,
    };
    let mut random = fastrand::Rng::with_seed(7);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("laneway.db");
    let mut said = Acknowledged::default();
    for time in 0..times {
        let mut child = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let wanted = random.usize(1..60);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        let mut note = |line: &str| {
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("opened"), Some(id), None) => drop(said.opened.insert(id.to_owned())),
                (Some("voted"), Some(id), Some(who)) => {
                    let voted = said.voted.entry(id.to_owned()).or_default();
                    voted.insert(who.to_owned());
                }
                _ => return 0,
            }
            1
        };
        for line in lines.by_ref() {
            seen += note(&line.unwrap());
            if seen >= wanted {
                break;
            }
        }
        std::thread::sleep(std::time::Duration::from_micros(random.u64(0..4_000)));
        child.kill().unwrap();
        // What it said before it was killed counts; a line may be cut off.
        for line in lines.map_while(Result::ok) {
            if line.split(' ').nth(1).is_some_and(|id| id.len() == 32) {
                note(&line);
            }
        }
        child.wait().unwrap();
        assert!(seen > 0, "the child did nothing, time {time}");
        look(&desk(&path), &said).unwrap();
    }
    println!("killed {times} times: {} opened", said.opened.len());
}
