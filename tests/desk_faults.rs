//! Every storage call of every operation fails once, with every kind of failure; the commit fails before
//! and behind it. Nothing is lost, nothing is approved, the caller gets an error that says what is known,
//! and the same request again does what it should have done. On every store: in memory, in a file of SQLite,
//! and with the feature `postgres` on a server, whose connections are cut as well (a sample in the normal
//! run, all of it with `LANEWAY_LONG=1`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use laneway::Router;
use laneway::desk::{Clock, Consumption, Desk, DeskError};
use laneway::escalation::{Command, Escalation, VoteOf};
use laneway::limits::NOTICE_LEASE;
use laneway::store::{Known, MemoryStore, Query, Store, StoreErrorKind};

#[path = "support/faulty.rs"]
mod faulty;
#[cfg(feature = "postgres")]
#[path = "support/postgres.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod postgres_server;
#[path = "support/world.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod world;

use faulty::{Fault, Faulty};
use world::{Hands, Mailbox, actor};

/// Makes an empty store, and what has to be kept while it is used.
type Ground<'g> = &'g dyn Fn(&Arc<Hands>) -> (Faulty, Box<dyn Any>);

fn memory(hands: &Arc<Hands>) -> (Faulty, Box<dyn Any>) {
    let wall = Arc::clone(hands);
    let inner = MemoryStore::new(Arc::new(move || wall.wall()));
    (Faulty::new(Arc::new(inner)), Box::new(()))
}

/// One world, as far as an operation needs it.
struct Scene {
    hands: Arc<Hands>,
    store: Arc<Faulty>,
    desk: Desk,
    router: Router,
    mailbox: Mailbox,
    id: Option<String>,
    _keep: Box<dyn Any>,
}

impl Scene {
    fn new(ground: Ground<'_>) -> Self {
        let hands = Hands::new();
        let (store, keep) = ground(&hands);
        let store = Arc::new(store);
        let dynamic: Arc<dyn Store> = Arc::<Faulty>::clone(&store);
        let clock: Arc<dyn Clock> = Arc::<Hands>::clone(&hands);
        let desk = Desk::new(dynamic, world::settings(&[]), clock).unwrap();
        let router = Router::new(world::matrix());
        Self {
            hands,
            store,
            desk,
            router,
            mailbox: Mailbox::default(),
            id: None,
            _keep: keep,
        }
    }

    fn open(&mut self) -> Result<(), DeskError> {
        let event = world::event("e1", "5000", "c1", None);
        let (ask, decided) = world::ask(&self.router, event, None, self.hands.wall());
        let opened = self.desk.open(&ask, &decided)?;
        self.id = Some(opened.escalation.pinned.id.clone());
        Ok(())
    }

    fn id(&self) -> String {
        self.id.clone().unwrap()
    }

    fn approve(&self, who: &str) -> Result<(), DeskError> {
        let digest = self.now().unwrap().digest;
        let vote = Command::Vote(VoteOf::Approve {
            digest,
            reason: None,
        });
        self.desk.act(&self.id(), vote, actor(who)).map(drop)
    }

    /// The one escalation as it is, if there is one.
    fn now(&self) -> Option<Escalation> {
        self.store.set_aside(|| {
            let query = Query {
                limit: 10,
                ..Query::default()
            };
            let page = self.desk.page(query).unwrap();
            assert!(page.len() <= 1, "opened twice");
            let summary = page.first()?;
            Some(self.desk.show(&summary.id).unwrap().escalation)
        })
    }
}

/// What comes before an operation, and the operation.
struct Operation {
    name: &'static str,
    before: fn(&mut Scene),
    run: fn(&mut Scene) -> Result<(), DeskError>,
}

fn opened(scene: &mut Scene) {
    scene.open().unwrap();
}

fn half(scene: &mut Scene) {
    opened(scene);
    scene.approve("b1@x").unwrap();
}

fn approved(scene: &mut Scene) {
    half(scene);
    scene.approve("b2@x").unwrap();
}

fn due(scene: &mut Scene) {
    opened(scene);
    scene.hands.pass(TimeDelta::hours(1));
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "open",
        before: |_| {},
        run: Scene::open,
    },
    Operation {
        name: "the first approval",
        before: opened,
        run: |scene| scene.approve("b1@x"),
    },
    Operation {
        name: "the last approval",
        before: half,
        run: |scene| scene.approve("b2@x"),
    },
    Operation {
        name: "deny",
        before: half,
        run: |scene| {
            let reason = "no".to_owned();
            let vote = Command::Vote(VoteOf::Deny { reason });
            scene.desk.act(&scene.id(), vote, actor("b2@x")).map(drop)
        },
    },
    Operation {
        name: "amend",
        before: half,
        run: |scene| {
            let input = world::event("x", "4000", "c1", None);
            scene
                .desk
                .amend(&scene.id(), &input, None, actor("b2@x"))
                .map(drop)
        },
    },
    Operation {
        name: "cancel",
        before: half,
        run: |scene| {
            let cancel = Command::Cancel { reason: None };
            scene
                .desk
                .act(&scene.id(), cancel, actor("service"))
                .map(drop)
        },
    },
    Operation {
        name: "reassign",
        before: opened,
        run: |scene| {
            let id = scene.id();
            scene
                .desk
                .reassign(&id, None, "board", actor("b1@x"))
                .map(drop)
        },
    },
    Operation {
        name: "consume",
        before: approved,
        run: |scene| {
            let consumption = Consumption {
                digest: Some(scene.now().unwrap().digest),
                event: None,
                key: "k".to_owned(),
            };
            let live = scene.router.matrix();
            let done = scene
                .desk
                .consume(&scene.id(), &consumption, &live, actor("service"));
            done.map(drop)
        },
    },
    Operation {
        name: "run due",
        before: due,
        run: |scene| match scene.desk.run_due(10) {
            Ok(stepped) if !stepped.failed.is_empty() => {
                // It is tried again, and others are not kept from it.
                scene.desk.run_due(10).map(drop)
            }
            other => other.map(drop),
        },
    },
    Operation {
        name: "send",
        before: opened,
        run: |scene| scene.desk.send(&scene.mailbox, 100).map(drop),
    },
    Operation {
        name: "send what was tried before",
        before: |scene| {
            opened(scene);
            *scene.mailbox.refuses.lock().unwrap() = Some(false);
            scene.desk.send(&scene.mailbox, 100).unwrap();
            *scene.mailbox.refuses.lock().unwrap() = None;
            scene.hands.pass(chrono::TimeDelta::seconds(2));
        },
        run: |scene| scene.desk.send(&scene.mailbox, 100).map(drop),
    },
    Operation {
        name: "send, and nobody can be told",
        before: |scene| {
            opened(scene);
            *scene.mailbox.refuses.lock().unwrap() = Some(true);
        },
        // Who is asked next is told next, until nobody is left to be asked.
        run: |scene| {
            while scene.desk.send(&scene.mailbox, 100)?.failed > 0 {}
            Ok(())
        },
    },
    Operation {
        name: "keep house",
        before: approved,
        run: |scene| scene.desk.keep_house().map(drop),
    },
];

/// What an operation leaves behind where nothing fails.
fn undisturbed(ground: Ground<'_>, operation: &Operation) -> (Option<Escalation>, u64) {
    let mut scene = Scene::new(ground);
    (operation.before)(&mut scene);
    scene.store.set(None);
    (operation.run)(&mut scene).unwrap();
    let calls = scene.store.calls();
    (scene.now(), calls)
}

/// Ids are random; a team that is asked again has new seats for old ones; what is sent again is later.
fn plain(it: Option<Escalation>) -> Option<Escalation> {
    it.map(|mut it| {
        let mut pinned = (*it.pinned).clone();
        pinned.id = String::new();
        it.last = pinned.opened;
        for sign_off in &mut it.sign_offs {
            sign_off.seats.retain(|seat| seat.until.is_none());
            for seat in &mut sign_off.seats {
                seat.since = pinned.opened;
            }
        }
        it.pinned = Arc::new(pinned);
        it
    })
}

fn hold(ground: Ground<'_>, operation: &Operation, fault: Fault, end: &Option<Escalation>) {
    let mut scene = Scene::new(ground);
    (operation.before)(&mut scene);
    let before = scene.now();
    scene.store.set(Some(fault));
    let answer = (operation.run)(&mut scene);
    let struck = scene.store.struck.load(Ordering::SeqCst);
    let what = format!("{}, {fault:?}", operation.name);
    scene.store.set(None);
    let after = scene.now();
    match &answer {
        Ok(()) => {}
        Err(DeskError::Store(error)) => {
            assert!(struck, "{what}: {error}");
            if error.known == Known::NotDone
                && !operation.name.starts_with("send")
                && operation.name != "run due"
            {
                assert_eq!(after, before, "{what}: it says that nothing was done");
            }
            let text = error.to_string();
            let says = match error.known {
                Known::NotDone => "nothing was done",
                Known::Unknown => "it is not known",
            };
            assert!(text.contains(says), "{what}: {text}");
        }
        Err(error) => panic!("{what}: {error}"),
    }
    let is_approved = |it: &Option<Escalation>| {
        let resolution = it.as_ref().and_then(|it| it.resolution.as_ref());
        resolution.is_some_and(|resolution| resolution.outcome.is_approval())
    };
    assert!(
        is_approved(end) || !is_approved(&after),
        "{what}: a failure approved"
    );
    // The same request again.
    if answer.is_err() {
        if operation.name.starts_with("send") {
            // A desk has what it sends to itself for so long.
            scene.hands.pass(NOTICE_LEASE.to_chrono());
        }
        match (operation.run)(&mut scene) {
            Ok(()) => {}
            // It was done, and its answer was lost: a second end is refused, and there is one.
            Err(DeskError::Refused(_)) => assert!(
                matches!(fault, Fault::AfterCommit(_)),
                "{what}: refused the second time"
            ),
            Err(error) => panic!("{what}, again: {error}"),
        }
    }
    assert_eq!(
        plain(scene.now()),
        plain(end.clone()),
        "{what}: what came of it"
    );
    let kept = scene.desk.checkpoint().unwrap();
    let report = scene.desk.verify(kept.into_iter().collect()).unwrap();
    assert!(report.is_sound(), "{what}: {:?}", report.faults);
}

/// Every failure of every operation.
fn faults(calls: u64, has_connections: bool) -> Vec<Fault> {
    let kinds = [
        StoreErrorKind::Full,
        StoreErrorKind::Io,
        StoreErrorKind::Busy,
    ];
    let mut all = Vec::new();
    for call in 1..=calls {
        all.extend(kinds.map(|kind| Fault::Call(call, kind)));
        if has_connections {
            all.push(Fault::Cut(call));
        }
    }
    for commit in 1..=3 {
        all.push(Fault::BeforeCommit(commit));
        all.push(Fault::AfterCommit(commit));
        if has_connections {
            all.push(Fault::CutBeforeCommit(commit));
        }
    }
    all
}

fn hold_all(ground: Ground<'_>) {
    let mut held = 0;
    for operation in OPERATIONS {
        let (end, calls) = undisturbed(ground, operation);
        assert!(calls > 0, "{}", operation.name);
        for fault in faults(calls, false) {
            hold(ground, operation, fault, &end);
            held += 1;
        }
    }
    assert!(held > 200, "{held}");
    println!("{held} failures");
}

#[test]
fn every_storage_call_fails_once() {
    hold_all(&memory);
}

#[cfg(feature = "sqlite")]
#[test]
fn every_storage_call_fails_once_on_a_file() {
    use laneway::store::{SqliteOptions, SqliteStore};
    hold_all(&|hands| {
        let folder = tempfile::tempdir().unwrap();
        let wall = Arc::clone(hands);
        let mut options = SqliteOptions::new(Arc::new(move || wall.wall()));
        // What a loss of power does is tested elsewhere.
        options.survives_power_loss = false;
        let store = SqliteStore::open(&folder.path().join("laneway.db"), options).unwrap();
        (Faulty::new(Arc::new(store)), Box::new(folder))
    });
}

/// On a server, with connections that are cut by it.
#[cfg(feature = "postgres")]
mod postgres {
    use super::*;
    use laneway::store::{PostgresOptions, PostgresStore};
    use postgres_server::Cluster;

    /// Failures of each operation in the normal run.
    const SAMPLE: usize = 3;

    /// A database that is emptied when a scene is over: to make a new one for each takes a second.
    struct Database {
        cluster: &'static Cluster,
        name: String,
    }

    impl Drop for Database {
        fn drop(&mut self) {
            let sql = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
            self.cluster.client(&self.name).batch_execute(sql).unwrap();
        }
    }

    fn ground(cluster: &'static Cluster, name: &str, hands: &Arc<Hands>) -> (Faulty, Box<dyn Any>) {
        let name = name.to_owned();
        let options = PostgresOptions::default();
        let store = PostgresStore::open(&cluster.url(&name), options).unwrap();
        let of = name.clone();
        let cut = move || {
            // Not before they have ended: a signal takes its time.
            let sql = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
                WHERE datname = $1 AND pid <> pg_backend_pid()";
            let ended = cluster.client("postgres").query(sql, &[&of]).unwrap();
            assert!(!ended.is_empty(), "there was no connection");
            for row in ended {
                assert!(row.get::<_, bool>(0), "a connection was not cut");
            }
        };
        // Time passes when the test says so; the server is asked all the same.
        let wall = Arc::clone(hands);
        let store = Faulty::new(Arc::new(store)).with(Arc::new(cut), Arc::new(move || wall.wall()));
        (store, Box::new(Database { cluster, name }))
    }

    #[test]
    fn every_storage_call_fails_once_on_a_server() {
        let Some(cluster) = postgres_server::shared("failures on a server") else {
            return;
        };
        let is_long = std::env::var_os("LANEWAY_LONG").is_some();
        let database = cluster.database();
        let ground: Ground<'_> = &|hands| ground(cluster, &database, hands);
        let mut random = fastrand::Rng::with_seed(5);
        let mut held = 0;
        for operation in OPERATIONS {
            let (end, calls) = undisturbed(ground, operation);
            let mut faults = faults(calls, true);
            if !is_long {
                faults = random.choose_multiple(faults, SAMPLE);
                // Always the two that a caller cannot tell from each other.
                faults.push(Fault::AfterCommit(1));
                faults.push(Fault::CutBeforeCommit(1));
            }
            for fault in faults {
                hold(ground, operation, fault, &end);
                held += 1;
            }
        }
        assert!(held >= OPERATIONS.len() * SAMPLE, "{held}");
        println!("{held} failures");
    }
}
