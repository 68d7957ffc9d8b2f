//! What a store with a million pending escalations takes to list a page, to decide one, to find what is
//! due, to step a hundred thousand that are due in one second, and to be ready again behind a restart.
//! Loaded through the schema with all its triggers; every answer is asserted.
//!
//! `LANEWAY_LONG=1 cargo bench --bench pending`, with `--features postgres` for both stores. Without
//! `LANEWAY_LONG` it does the same with two thousand. `-- sqlite` and `-- postgres` measure one of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use laneway::Router;
use laneway::clock::Timestamp;
use laneway::decision::Urgency;
use laneway::desk::{Desk, SystemClock};
use laneway::escalation::audit::{Head, Payload, seal};
use laneway::escalation::{Command, Escalation, Notice, Outcome, VoteOf};
use laneway::store::{
    MemoryStore, NewRow, Order, Query, Request, SqliteOptions, SqliteStore, Store, TENANT,
    Transaction, Writing, read, write,
};

#[cfg(feature = "postgres")]
#[path = "../tests/support/postgres.rs"]
#[allow(dead_code, reason = "tests use the rest of it")]
mod postgres;
#[path = "../tests/support/world.rs"]
#[expect(dead_code, reason = "tests use the rest of it")]
mod world;

use world::{Hands, actor, principal};

/// So many are written in one transaction of a file.
const BATCH: usize = 1_000;

/// The same of a database, whose checkpoints of the audit wait for each that has begun, and not for long.
const SHARED_BATCH: usize = 100;

/// So many are stepped in one transaction.
const STEPS: u32 = 500;

/// So many load it.
const THREADS: usize = 4;

/// The page of a view.
const PAGE: u32 = 50;

fn main() {
    let is_long = std::env::var_os("LANEWAY_LONG").is_some();
    let (all, due) = match is_long {
        true => (1_000_000, 100_000),
        false => (2_000, 200),
    };
    let named = |what: &str| std::env::args().any(|arg| arg == what);
    if !named("postgres") {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let file = folder.path().join("laneway.db");
        measure(all, due, &|| {
            let options = SqliteOptions::new(Arc::new(now));
            Arc::new(SqliteStore::open(&file, options).unwrap())
        });
    }
    #[cfg(feature = "postgres")]
    if !named("sqlite") {
        in_postgres(all, due);
    }
}

#[cfg(feature = "postgres")]
fn in_postgres(all: usize, due: usize) {
    use laneway::store::{PostgresOptions, PostgresStore};
    let Some(cluster) = postgres::shared("pending") else {
        return;
    };
    let url = cluster.url(&cluster.database());
    measure(all, due, &|| {
        Arc::new(PostgresStore::open(&url, PostgresOptions::default()).unwrap())
    });
}

fn measure(all: usize, due: usize, open: &dyn Fn() -> Arc<dyn Store>) {
    let store = open();
    println!("{}: {all} pending, {due} of them due at once", store.kind());
    let desk = desk(&store);
    load(&desk, TimeDelta::zero(), 0..all - due);
    settle();
    pages(&desk);
    decide(&desk, all - due);
    find_due(&desk, 0);
    // Their first step was due a minute ago.
    load(&desk, TimeDelta::minutes(-61), all - due..all);
    find_due(&desk, due.min(STEPS as usize));
    step(&desk, due);

    drop((desk, store));
    let begun = Instant::now();
    let store = open();
    let desk = self::desk(&store);
    assert_eq!(desk.page(pending()).unwrap().len(), PAGE as usize);
    assert_eq!(desk.run_due(10).unwrap().failed, []);
    told("ready behind a restart", begun.elapsed(), 2_000);
}

/// Waits until what was loaded is on the disk: gigabytes that the system still writes back are no part of
/// what a store with a million takes, and each commit would wait for them.
fn settle() {
    let begun = Instant::now();
    let done = std::process::Command::new("sync").status().unwrap();
    assert!(done.success());
    println!("  written back in {:.0} s", begun.elapsed().as_secs_f64());
}

fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

fn desk(store: &Arc<dyn Store>) -> Desk {
    Desk::new(
        Arc::clone(store),
        world::settings(&[]),
        Arc::new(SystemClock::new()),
    )
    .unwrap()
}

fn told(what: &str, took: Duration, bound: u64) {
    let verdict = match took < Duration::from_millis(bound) {
        true => "",
        false => ", MISSED",
    };
    println!("  {what}: {took:.2?} (bound {bound} ms{verdict})");
}

/// The times of a few, the shortest first.
fn times(times: usize, mut of: impl FnMut(usize)) -> Vec<Duration> {
    let each = (0..times).map(|n| {
        let begun = Instant::now();
        of(n);
        begun.elapsed()
    });
    let mut each: Vec<Duration> = each.collect();
    each.sort_unstable();
    each
}

fn longest(times: usize, of: impl FnMut(usize)) -> Duration {
    let each = self::times(times, of);
    each[each.len() - 1]
}

/// What an opening wrote, to be written again for others.
struct Template {
    it: Escalation,
    rows: Vec<(String, Payload, Timestamp)>,
    notices: Vec<Notice>,
    request: Request,
    source: String,
}

impl Template {
    fn of(at: Timestamp, amount: &str) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(move || at)));
        let clock = Hands::at(at);
        let desk = Desk::new(Arc::clone(&store), world::settings(&[]), clock).unwrap();
        let router = Router::new(world::matrix());
        let key = "k".to_owned();
        let event = world::event(&key, amount, &key, None);
        let (ask, decided) = world::ask(&router, event, None, at);
        let opened = desk.open(&ask, &decided).unwrap();
        let it = opened.escalation;
        let id = it.pinned.id.clone();
        let source = laneway::desk::source_of(&decided.matrix);
        let parts = write(store.as_ref(), move |transaction| {
            let history = transaction.history(&id)?;
            let far = at + TimeDelta::days(1);
            let notices = transaction.take_notices(far, far, 100)?;
            let request = transaction.request(&principal("service"), &key)?;
            Ok((history, notices, request))
        });
        let (history, notices, request) = parts.unwrap();
        let rows = history.into_iter();
        let rows = rows.map(|(row, payload)| (row.kind.to_string(), payload, row.at));
        Self {
            it,
            rows: rows.collect(),
            notices: notices.into_iter().map(|posted| posted.notice).collect(),
            request: request.unwrap(),
            source,
        }
    }

    /// The same for another.
    fn put(&self, transaction: &mut dyn Transaction, n: usize) {
        let id = id_of(n);
        let mut it = self.it.clone();
        let mut pinned = (*it.pinned).clone();
        pinned.id.clone_from(&id);
        pinned.key = format!("k{n}");
        pinned.group = pinned.group.map(|group| format!("{n:08x}{}", &group[8..]));
        let key = pinned.key.clone();
        it.pinned = Arc::new(pinned);
        let mut head = Head::start(TENANT, &id);
        let rows = self.rows.iter().map(|(kind, payload, at)| {
            let Payload::Kept { salt, body } = payload else {
                unreachable!("nothing was erased");
            };
            let row = head.next(0, *at, kind, seal(*salt, body));
            head = row.head();
            NewRow {
                row,
                salt: *salt,
                body: body.clone(),
            }
        });
        let rows: Vec<NewRow> = rows.collect();
        let notices = self.notices.iter().cloned().map(|mut notice| {
            notice.id = notice.id.replace(&self.it.pinned.id, &id);
            notice
        });
        let notices: Vec<Notice> = notices.collect();
        let writing = Writing {
            before: None,
            after: &it,
            rows: &rows,
            notices: &notices,
        };
        transaction.put(&writing).unwrap();
        let request = Request {
            key,
            escalation: id,
            ..self.request.clone()
        };
        transaction.put_request(&request).unwrap();
    }
}

/// Ids are ordered by time, as a desk makes them; two of one time differ at random.
fn id_of(n: usize) -> String {
    let random = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("019a{n:08x}7{:03x}{random:016x}", n % 4_096)
}

/// Writes as the desk does it, from several threads, opened so long before or behind the moment of writing.
/// Even numbers are of lane `big`, odd ones of lane `small`; both have their first step behind an hour.
fn load(desk: &Desk, shift: TimeDelta, range: std::ops::Range<usize>) {
    let begun = Instant::now();
    let numbers: Vec<usize> = range.collect();
    let many = match desk.store().kind() {
        "postgres" => SHARED_BATCH,
        _ => BATCH,
    };
    std::thread::scope(|scope| {
        for numbers in numbers.chunks(numbers.len().div_ceil(THREADS)) {
            scope.spawn(move || {
                for batch in numbers.chunks(many) {
                    let at = now() + shift;
                    let templates = ["5000", "150"].map(|amount| Template::of(at, amount));
                    let batch = batch.to_vec();
                    write(desk.store().as_ref(), move |transaction| {
                        let [template, _] = &templates;
                        transaction.put_matrix(&template.it.pinned.matrix, &template.source)?;
                        for n in &batch {
                            templates[n % 2].put(transaction, *n);
                        }
                        Ok(())
                    })
                    .unwrap();
                    // As a desk does it while it runs.
                    desk.keep_house().unwrap();
                }
            });
        }
    });
    let took = begun.elapsed().as_secs_f64();
    println!("  loaded {} in {took:.0} s", numbers.len());
}

fn pending() -> Query {
    Query {
        pending: Some(true),
        limit: PAGE,
        ..Query::default()
    }
}

/// Every filter that a view has, where much matches, and where nothing does.
fn pages(desk: &Desk) {
    let by_due = Query {
        order: Order::Due,
        ..pending()
    };
    let queries = BTreeMap::from([
        ("newest", pending()),
        ("next due", by_due.clone()),
        (
            "of a lane",
            Query {
                lane: Some("small".to_owned()),
                ..pending()
            },
        ),
        (
            "of a lane without any",
            Query {
                lane: Some("none".to_owned()),
                ..pending()
            },
        ),
        (
            "of a team, next due",
            Query {
                team: Some("ops".to_owned()),
                ..by_due.clone()
            },
        ),
        (
            "of a team without any, next due",
            Query {
                team: Some("none".to_owned()),
                ..by_due.clone()
            },
        ),
        (
            "of a person, next due",
            Query {
                person: Some(principal("b1@x")),
                ..by_due.clone()
            },
        ),
        (
            "of a person without any, next due",
            Query {
                person: Some(principal("other@x")),
                ..by_due
            },
        ),
        (
            "of an urgency",
            Query {
                urgency: Some(Urgency::Low),
                ..pending()
            },
        ),
        (
            "of a requester without any",
            Query {
                requester: Some(principal("nobody")),
                ..pending()
            },
        ),
        (
            "ended, of which there are none",
            Query {
                pending: Some(false),
                ..pending()
            },
        ),
    ]);
    for (name, query) in queries {
        let is_none = name.contains("without") || name.contains("none");
        let wanted = if is_none { 0 } else { PAGE as usize };
        let took = longest(5, |_| {
            assert_eq!(desk.page(query.clone()).unwrap().len(), wanted, "{name}");
        });
        told(&format!("a page, {name}"), took, 10);
    }
}

/// Denials here and there in the store.
fn decide(desk: &Desk, all: usize) {
    let times = 100.min(all / 10);
    let took = self::times(times, |n| {
        // Of those of lane `big`.
        let id = id_of(n * (all / times) / 2 * 2);
        let reason = "no".to_owned();
        let deny = Command::Vote(VoteOf::Deny { reason });
        let done = desk.act(&id, deny, actor("b2@x")).unwrap();
        let end = done.escalation.resolution.unwrap();
        assert_eq!(end.outcome, Outcome::Denied);
    });
    // The longest waits for the disk while the log of the store is written back.
    let [half, most, last] = [50, 95, 100].map(|share| took[(times * share / 100).min(times - 1)]);
    println!("  deciding one: median {half:.2?}, longest {last:.2?}");
    told("deciding one, of 95 in 100", most, 10);
}

fn find_due(desk: &Desk, wanted: usize) {
    let took = longest(5, |_| {
        let found = write(desk.store().as_ref(), move |transaction| {
            transaction.due(now(), STEPS)
        });
        assert_eq!(found.unwrap().len(), wanted);
    });
    let what = format!("finding what is due, {wanted} of it in one look");
    told(&what, took, 10);
}

fn step(desk: &Desk, due: usize) {
    let begun = Instant::now();
    let by_one = || {
        let mut stepped = 0;
        loop {
            let now = desk.run_due(STEPS).unwrap();
            assert_eq!((now.failed.len(), now.ended), (0, 0));
            if now.escalations == 0 {
                return stepped;
            }
            stepped += now.escalations;
        }
    };
    // As many as a server has on such a store; together they step each once.
    let steppers = match desk.store().kind() {
        "postgres" => 2,
        _ => 1,
    };
    let stepped: usize = std::thread::scope(|scope| {
        let all: Vec<_> = (0..steppers).map(|_| scope.spawn(by_one)).collect();
        all.into_iter().map(|it| it.join().unwrap()).sum()
    });
    told(
        &format!("stepping {due} that are due at once"),
        begun.elapsed(),
        60_000,
    );
    assert_eq!(stepped, due);
    // Each has asked the backup, and waits for the next step.
    let rest = read(desk.store().as_ref(), |transaction| {
        transaction.due(now(), 1)
    });
    assert_eq!(rest.unwrap(), Vec::<String>::new());
}
