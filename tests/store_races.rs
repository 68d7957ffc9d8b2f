//! Two at once on one escalation, on real stores: approve and time-out, approve and approve, approve and
//! deny, consume and consume, cancel and approve.
//!
//! In the normal run 500 of each pair, with `LANEWAY_LONG=1` 20,000, shared out among the stores that
//! there are. Nothing may be done twice, nothing may come late, and nothing may be stuck. The deadline
//! passes in the middle of each first pair, by the clock of the store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use laneway::desk::{Desk, Settings, SystemClock};
use laneway::escalation::{
    Actor, Applied, Command, Escalation, GrantState, Outcome, Refusal, Reply, Role, SignOffState,
    VoteKind, invariants,
};
use laneway::store::{self, Store};

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/escalations.rs"]
mod escalations;
#[cfg(feature = "postgres")]
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/postgres.rs"]
mod postgres_server;

use escalations::{
    approve, command_now as command, consume, deny, made_now as made, name, open, person,
};

/// Pairs of each kind, and of each store.
fn pairs(stores: usize) -> usize {
    let all = match std::env::var_os("LANEWAY_LONG") {
        Some(_) => 20_000,
        None => 500,
    };
    all / stores.max(1)
}

/// How many stores this build can race on.
fn stores() -> usize {
    usize::from(cfg!(feature = "sqlite")) + usize::from(cfg!(feature = "postgres"))
}

/// Two ways into one store: two servers on one database, or two threads of one server.
struct Pair {
    first: Box<dyn Store>,
    second: Box<dyn Store>,
}

type What = (Command, Actor);

/// What two did at the same time, and what is there after.
struct Race {
    it: Escalation,
    did: [Applied; 2],
}

/// Lets two commands race. The second begins up to a millisecond later, or earlier, so that in many
/// races they meet in every way.
fn race(pair: &Pair, it: &Escalation, first: What, second: What, wait: Duration) -> Race {
    let id = it.pinned.id.clone();
    open(&*pair.first, it);
    race_on(pair, &id, first, second, wait)
}

fn race_on(pair: &Pair, id: &str, first: What, second: What, wait: Duration) -> Race {
    let barrier = Barrier::new(2);
    let lead = fastrand::i64(-1_000..1_000);
    let run = |store: &dyn Store, what: &What, lead: i64| {
        barrier.wait();
        let lead = Duration::from_micros(u64::try_from(lead).unwrap_or(0));
        std::thread::sleep(wait + lead);
        command(store, id, what.0.clone(), &what.1)
    };
    let did = std::thread::scope(|scope| {
        let one = scope.spawn(|| run(&*pair.first, &first, lead));
        let other = run(&*pair.second, &second, -lead);
        [one.join().unwrap(), other]
    });
    let id = id.to_owned();
    let it = store::read(&*pair.second, move |t| t.get(&id)).unwrap();
    let it = it.unwrap().escalation;
    let broken = invariants::broken(None, &it);
    let broken: Vec<_> = broken
        .iter()
        .filter(|it| *it != "approved at the opening")
        .collect();
    assert!(broken.is_empty(), "{broken:?}");
    Race { it, did }
}

fn engine() -> Actor {
    Actor {
        principal: name("engine"),
        role: Role::Engine,
        operator: None,
    }
}

/// An approval and the deadline: what was voted before it counts, what came at it or later does not.
fn approve_and_time_out(pair: &Pair, kind: &str, many: usize) {
    let (mut approved, mut timed_out) = (0, 0);
    // How long before the deadline both begin, in microseconds: on a busy machine a transaction takes
    // longer, and what counts is that some come in time and some do not.
    let mut ahead = 2_000_u64;
    for n in 0..many {
        let within = Duration::from_millis(30);
        let it = made(&format!("{kind}-timeout-{n}"), 1, within);
        let deadline = it.sign_offs[0].deadline(it.pinned.cap);
        open(&*pair.first, &it);
        let left = (deadline - escalations::now()).to_std().unwrap_or_default();
        let wait = left.saturating_sub(Duration::from_micros(ahead));
        let id = &it.pinned.id;
        let mut race = race_on(
            pair,
            id,
            (approve(), person("p0")),
            (Command::Tick, engine()),
            wait,
        );
        if race.it.is_pending() {
            // Nobody came after the deadline: the next one does.
            assert!(race.did.iter().all(|did| did.after.last < deadline));
            std::thread::sleep(Duration::from_millis(5));
            race.did[1] = command(&*pair.second, id, Command::Tick, &engine());
            race.it = race.did[1].after.clone();
        }
        let resolution = race.it.resolution.as_ref().expect("it is stuck");
        let vote = race.it.votes.iter().find(|it| it.kind == VoteKind::Approve);
        match resolution.outcome {
            Outcome::Approved => {
                approved += 1;
                ahead = (ahead - ahead / 10).max(100);
                assert!(race.did[0].answer.is_ok());
                assert!(vote.unwrap().at < deadline, "a late vote counted");
                assert!(race.it.grant.is_some());
            }
            Outcome::TimedOut => {
                timed_out += 1;
                ahead = (ahead + ahead / 10).min(28_000);
                assert!(race.did[0].answer.is_err(), "a vote was taken, and lost");
                assert!(vote.is_none() && race.it.grant.is_none());
                assert!(resolution.at >= deadline);
                assert_eq!(race.it.late_votes, 1, "a late vote is counted");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(
        approved > 0 && timed_out > 0,
        "no race: {approved} approved, {timed_out} timed out"
    );
}

/// Two people at once: both votes count, and the second one ends it, once.
fn approve_and_approve(pair: &Pair, kind: &str, many: usize) {
    for n in 0..many {
        let it = made(&format!("{kind}-two-{n}"), 2, Duration::from_secs(600));
        let race = race(
            pair,
            &it,
            (approve(), person("p0")),
            (approve(), person("p1")),
            Duration::ZERO,
        );
        assert!(race.did.iter().all(|did| did.answer == Ok(Reply::Done)));
        let ends = race.did.iter().filter(|did| did.after.resolution.is_some());
        assert_eq!(ends.count(), 1, "one of them ended it");
        assert_eq!(race.it.votes.len(), 2);
        assert_eq!(race.it.sign_offs[0].state, SignOffState::Satisfied);
        assert_eq!(race.it.resolution.unwrap().outcome, Outcome::Approved);
    }
    // The same person twice is one vote.
    for n in 0..many / 10 {
        let it = made(&format!("{kind}-same-{n}"), 2, Duration::from_secs(600));
        let vote = || (approve(), person("p0"));
        let race = race(pair, &it, vote(), vote(), Duration::ZERO);
        let mut answers: Vec<_> = race.did.iter().map(|did| did.answer.clone()).collect();
        answers.sort_by_key(|answer| *answer != Ok(Reply::Done));
        assert_eq!(answers, [Ok(Reply::Done), Ok(Reply::Unchanged)]);
        assert_eq!(race.it.votes.len(), 1);
        assert!(race.it.is_pending(), "one person is no quorum of two");
    }
}

/// One of two that are needed approves, the other denies: it ends denied, whatever came first.
fn approve_and_deny(pair: &Pair, kind: &str, many: usize) {
    let (mut approved, mut denied) = (0, 0);
    for n in 0..many {
        let mut it = made(&format!("{kind}-deny-{n}"), 2, Duration::from_secs(600));
        // One vote is enough, so that each of them would end it.
        escalations::ask_for_one(&mut it);
        let race = race(
            pair,
            &it,
            (approve(), person("p0")),
            (deny(), person("p1")),
            Duration::ZERO,
        );
        let won = race.did.iter().filter(|did| did.answer.is_ok()).count();
        assert_eq!(won, 1, "one ends it, the other hears so");
        match race.it.resolution.as_ref().unwrap().outcome {
            Outcome::Approved => {
                approved += 1;
                assert!(matches!(race.did[1].answer, Err(Refusal::Ended(_))));
                assert!(race.it.grant.is_some());
            }
            Outcome::Denied => {
                denied += 1;
                assert!(matches!(race.did[0].answer, Err(Refusal::Ended(_))));
                assert!(race.it.grant.is_none());
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(race.it.votes.len(), 1);
    }
    assert!(
        approved > 0 && denied > 0,
        "{approved} and {denied}: no race"
    );
}

/// Two calls for one grant: one runs the action.
fn consume_and_consume(pair: &Pair, kind: &str, many: usize) {
    for n in 0..many {
        let it = made(&format!("{kind}-consume-{n}"), 1, Duration::from_secs(600));
        open(&*pair.first, &it);
        let done = command(&*pair.first, &it.pinned.id, approve(), &person("p0"));
        assert!(done.after.grant.is_some());
        // Every tenth time it is one call that comes twice.
        let same = n % 10 == 0;
        let keys = if same { ["k", "k"] } else { ["k", "l"] };
        let race = race_on(
            pair,
            &it.pinned.id,
            (consume(keys[0]), person("agent")),
            (consume(keys[1]), person("agent")),
            Duration::ZERO,
        );
        let runs = race
            .did
            .iter()
            .filter(|did| did.answer == Ok(Reply::Consumed { replayed: false }));
        assert_eq!(runs.count(), 1, "the action may run once");
        let replays = race
            .did
            .iter()
            .filter(|did| did.answer == Ok(Reply::Consumed { replayed: true }));
        assert_eq!(replays.count(), usize::from(same));
        let grant = race.it.grant.unwrap();
        assert_eq!(grant.state, GrantState::Consumed);
        let first = race
            .did
            .iter()
            .position(|did| did.answer == Ok(Reply::Consumed { replayed: false }));
        assert_eq!(grant.consume_key.as_deref(), Some(keys[first.unwrap()]));
    }
}

/// The requester takes it back while somebody approves it.
fn cancel_and_approve(pair: &Pair, kind: &str, many: usize) {
    let (mut cancelled, mut approved) = (0, 0);
    for n in 0..many {
        let it = made(&format!("{kind}-cancel-{n}"), 1, Duration::from_secs(600));
        let race = race(
            pair,
            &it,
            (Command::Cancel { reason: None }, person("agent")),
            (approve(), person("p0")),
            Duration::ZERO,
        );
        let won = race.did.iter().filter(|did| did.answer.is_ok()).count();
        assert_eq!(won, 1);
        match race.it.resolution.unwrap().outcome {
            Outcome::Cancelled => {
                cancelled += 1;
                assert!(race.it.grant.is_none() && race.it.votes.is_empty());
            }
            Outcome::Approved => {
                approved += 1;
                assert!(race.it.grant.is_some());
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(
        cancelled > 0 && approved > 0,
        "{cancelled} and {approved}: no race"
    );
}

/// Many races of a kind.
type Races = fn(&Pair, &str, usize);

/// All pairs, on several pairs of ways in at once.
fn all(kind: &str, make: impl Fn() -> Pair + Sync) {
    let many = pairs(stores());
    let errors = Mutex::new(Vec::new());
    let races: [(&str, Races); 5] = [
        ("approve and time-out", approve_and_time_out),
        ("approve and approve", approve_and_approve),
        ("approve and deny", approve_and_deny),
        ("consume and consume", consume_and_consume),
        ("cancel and approve", cancel_and_approve),
    ];
    // The kinds run beside each other: each escalation has its two, the store has ten.
    std::thread::scope(|scope| {
        for (name, one) in races {
            let (make, errors) = (&make, &errors);
            scope.spawn(move || {
                let run = || one(&make(), kind, many);
                if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
                    errors.lock().unwrap().push(name);
                }
            });
        }
    });
    let errors = errors.into_inner().unwrap();
    assert!(errors.is_empty(), "{kind}: {errors:?}");
    let pair = make();
    is_sound(&*pair.first);
    checkpoints_by_two(pair);
}

/// Two servers make checkpoints at the same time, while there is something to make them of.
fn checkpoints_by_two(pair: Pair) {
    const ROUNDS: usize = 50;
    let desks = [pair.first, pair.second].map(|store| {
        let clock = Arc::new(SystemClock::new());
        Desk::new(Arc::from(store), Settings::default(), clock).unwrap()
    });
    for round in 0..ROUNDS {
        let it = made(&format!("checkpoint-{round}"), 1, Duration::from_secs(600));
        open(desks[0].store().as_ref(), &it);
        let barrier = Barrier::new(desks.len());
        std::thread::scope(|scope| {
            for desk in &desks {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    // Neither is refused because the other was first.
                    let last = desk.checkpoint().unwrap().unwrap();
                    assert!(last.n > round as u64);
                });
            }
        });
    }
    let checkpoints = store::read(desks[0].store().as_ref(), |t| t.checkpoints()).unwrap();
    assert_eq!(checkpoints.len(), ROUNDS, "one for each round");
}

/// After all races: nothing is stuck, and every chain of the audit fits.
fn is_sound(store: &dyn Store) {
    let rows = store::read(store, |t| t.rows(0, u32::MAX)).unwrap();
    assert!(!rows.is_empty());
    let behind = store::write(store, |t| t.behind(0)).unwrap();
    assert_eq!(behind.rows, rows.len() as u64);
    assert_eq!(behind.seq, rows.last().unwrap().0.seq);
    let mut chains = std::collections::BTreeMap::new();
    for (row, _) in rows {
        let (n, hash) = chains.entry(row.escalation.clone()).or_default();
        assert_eq!((row.n, row.previous), (*n + 1, *hash), "a chain has a gap");
        (*n, *hash) = (row.n, row.hash);
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn nothing_is_done_twice_or_late_by_two_servers_on_sqlite() {
    use laneway::store::{SqliteOptions, SqliteStore};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("laneway.db");
    let open = || {
        let options = SqliteOptions::new(std::sync::Arc::new(escalations::now));
        Box::new(SqliteStore::open(&path, options).unwrap())
    };
    all("sqlite", || Pair {
        first: open(),
        second: open(),
    });
}

#[cfg(feature = "postgres")]
#[test]
fn nothing_is_done_twice_or_late_by_two_servers_on_postgres() {
    use laneway::store::{PostgresOptions, PostgresStore};
    let test = "nothing_is_done_twice_or_late_by_two_servers_on_postgres";
    let Some(cluster) = postgres_server::shared(test) else {
        return;
    };
    let url = cluster.url(&cluster.database());
    let open = || Box::new(PostgresStore::open(&url, PostgresOptions::default()).unwrap());
    all("postgres", || Pair {
        first: open(),
        second: open(),
    });
}
