//! The store in PostgreSQL: what only this store can get wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use laneway::store::{self, Known, StoreError, StoreErrorKind};
use laneway::store::{PostgresOptions, PostgresStore};

#[path = "support/conformance.rs"]
mod conformance;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/escalations.rs"]
mod escalations;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/forged.rs"]
mod forged;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/postgres.rs"]
mod postgres_server;

use escalations::{approve, command_now as command, made_now as made, open, person};
use postgres_server::Cluster;

fn options() -> PostgresOptions {
    PostgresOptions::default()
}

fn opened(cluster: &Cluster, database: &str) -> PostgresStore {
    PostgresStore::open(&cluster.url(database), options()).unwrap()
}

#[test]
fn what_was_written_reads_back_the_same() {
    let Some(cluster) = postgres_server::shared("what_was_written_reads_back_the_same") else {
        return;
    };
    let database = cluster.database();
    let store = opened(cluster, &database);
    let it = made("e1", 2, Duration::from_secs(600));
    open(&store, &it);
    let read = store::read(&store, |t| t.get("e1")).unwrap().unwrap();
    assert_eq!(read.escalation, it);
    assert_eq!(read.n, 1);
    let first = command(&store, "e1", approve(), &person("p0"));
    assert!(first.answer.is_ok(), "{:?}", first.answer);
    let second = command(&store, "e1", approve(), &person("p1"));
    assert!(second.after.resolution.is_some());
    // Another server on the same database sees the same.
    let other = opened(cluster, &database);
    let read = store::read(&other, |t| t.get("e1")).unwrap().unwrap();
    assert_eq!(read.escalation, second.after);
}

#[test]
fn a_newer_schema_is_left_alone() {
    let Some(cluster) = postgres_server::shared("a_newer_schema_is_left_alone") else {
        return;
    };
    let database = cluster.database();
    let running = opened(cluster, &database);
    open(&running, &made("e1", 1, Duration::from_secs(600)));
    let mut client = cluster.client(&database);
    client
        .batch_execute("INSERT INTO migrations VALUES (2, 'later', 'x', 0)")
        .unwrap();
    // One that runs stops to write, and goes on to read.
    let error = store::write(&running, |t| t.put_setting("a", "b")).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Newer);
    assert!(error.message.contains("version 2") && error.message.contains("version 1"));
    assert!(store::read(&running, |t| t.get("e1")).unwrap().is_some());
    // One that starts does not.
    let error = PostgresStore::open(&cluster.url(&database), options()).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Newer);
    assert!(error.message.contains("version 2"), "{error}");
}

#[test]
fn a_changed_migration_is_not_taken() {
    let Some(cluster) = postgres_server::shared("a_changed_migration_is_not_taken") else {
        return;
    };
    let database = cluster.database();
    drop(opened(cluster, &database));
    let mut client = cluster.client(&database);
    client
        .batch_execute(
            "ALTER TABLE migrations DISABLE TRIGGER ALL; UPDATE migrations SET checksum = 'x'",
        )
        .unwrap();
    let error = PostgresStore::open(&cluster.url(&database), options()).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Corrupt);
}

#[test]
fn many_may_open_a_new_database_at_once() {
    let Some(cluster) = postgres_server::shared("many_may_open_a_new_database_at_once") else {
        return;
    };
    let url = cluster.url(&cluster.database());
    std::thread::scope(|scope| {
        let opening: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| PostgresStore::open(&url, options()).map(drop)))
            .collect();
        for one in opening {
            one.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_database_that_forgets_is_not_taken() {
    let Some(cluster) = postgres_server::shared("a_database_that_forgets_is_not_taken") else {
        return;
    };
    let database = cluster.database();
    let mut client = cluster.client("postgres");
    let sql = format!("ALTER DATABASE {database} SET synchronous_commit = off");
    client.batch_execute(&sql).unwrap();
    let error = PostgresStore::open(&cluster.url(&database), options()).unwrap_err();
    assert!(error.message.contains("synchronous_commit"), "{error}");
}

#[test]
fn only_this_machine_is_spoken_to() {
    for far in [
        "postgres://laneway@db.example/laneway",
        "host=10.0.0.1 user=laneway",
        "host=localhost hostaddr=192.0.2.1 user=laneway",
        "host=/tmp,db.example user=laneway",
    ] {
        let error = PostgresStore::open(far, options()).unwrap_err();
        assert!(error.message.contains("this machine"), "{far}: {error}");
    }
}

#[test]
fn a_connection_that_was_cut_is_replaced() {
    let Some(cluster) = postgres_server::shared("a_connection_that_was_cut_is_replaced") else {
        return;
    };
    let database = cluster.database();
    let store = opened(cluster, &database);
    let cut = move |client: &mut postgres::Client| {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        client.query(sql, &[]).unwrap();
    };
    let mut client = cluster.client(&database);
    // Between two transactions: nobody sees it.
    cut(&mut client);
    store::write(&store, |t| t.put_setting("a", "b")).unwrap();
    // In the middle: nothing was done, and that is known.
    let error = store::write(&store, move |t| {
        t.put_setting("a", "c")?;
        cut(&mut client);
        t.put_setting("a", "d")
    })
    .unwrap_err();
    assert_eq!(
        (error.kind, error.known),
        (StoreErrorKind::Io, Known::NotDone)
    );
    let read = store::read(&store, |t| t.setting("a")).unwrap();
    assert_eq!(read.as_deref(), Some("b"));
}

#[test]
fn a_cut_before_the_answer_to_the_commit_leaves_it_unknown() {
    let name = "a_cut_before_the_answer_to_the_commit_leaves_it_unknown";
    let Some(cluster) = postgres_server::shared(name) else {
        return;
    };
    let database = cluster.database();
    let store = opened(cluster, &database);
    let mut client = cluster.client(&database);
    let error = store::write(&store, move |t| {
        t.put_setting("a", "b")?;
        let sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        client.query(sql, &[]).unwrap();
        Ok(())
    })
    .unwrap_err();
    assert_eq!(
        (error.kind, error.known),
        (StoreErrorKind::Io, Known::Unknown)
    );
}

#[test]
fn what_got_in_the_way_of_each_other_runs_again() {
    let Some(cluster) = postgres_server::shared("what_got_in_the_way_of_each_other_runs_again")
    else {
        return;
    };
    let database = cluster.database();
    let store = Arc::new(opened(cluster, &database));
    for name in ["e1", "e2"] {
        open(&*store, &made(name, 1, Duration::from_secs(600)));
    }
    let runs = Arc::new(AtomicU32::new(0));
    std::thread::scope(|scope| {
        for order in [["e1", "e2"], ["e2", "e1"]] {
            let (store, runs) = (Arc::clone(&store), Arc::clone(&runs));
            scope.spawn(move || {
                store::write(&*store, move |t| {
                    runs.fetch_add(1, Ordering::Relaxed);
                    t.lock(order[0])?;
                    std::thread::sleep(Duration::from_millis(100));
                    t.lock(order[1])?;
                    Ok(())
                })
                .unwrap();
            });
        }
    });
    assert_eq!(runs.load(Ordering::Relaxed), 3, "one lost, once");
}

#[test]
fn the_second_opening_of_a_key_waits_for_the_first() {
    let Some(cluster) = postgres_server::shared("the_second_opening_of_a_key_waits_for_the_first")
    else {
        return;
    };
    let database = cluster.database();
    let stores = [opened(cluster, &database), opened(cluster, &database)];
    let opened_by_now = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for (n, store) in stores.iter().enumerate() {
            let opened_by_now = &opened_by_now;
            scope.spawn(move || {
                let it = made(&format!("e{n}"), 1, Duration::from_secs(600));
                let opened = store::write(store, move |t| {
                    let requester = it.pinned.requester.clone();
                    if let Some(request) = t.request(&requester, "the key")? {
                        return Ok(request.escalation);
                    }
                    std::thread::sleep(Duration::from_millis(50));
                    escalations::put_new(t, &it)?;
                    t.put_request(&store::Request {
                        requester,
                        key: "the key".to_owned(),
                        digest: it.digest.clone(),
                        escalation: it.pinned.id.clone(),
                        joined: false,
                        at: it.pinned.opened,
                    })?;
                    Ok(it.pinned.id.clone())
                });
                if opened.unwrap() == format!("e{n}") {
                    opened_by_now.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(opened_by_now.load(Ordering::Relaxed), 1);
}

#[test]
fn who_waits_for_a_lock_reads_what_the_other_wrote() {
    let Some(cluster) = postgres_server::shared("who_waits_for_a_lock_reads_what_the_other_wrote")
    else {
        return;
    };
    let database = cluster.database();
    let stores = [opened(cluster, &database), opened(cluster, &database)];
    open(&stores[0], &made("e1", 2, Duration::from_secs(600)));
    let barrier = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        for (n, store) in stores.iter().enumerate() {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                let done = command(store, "e1", approve(), &person(&format!("p{n}")));
                assert!(done.answer.is_ok());
            });
        }
    });
    let read = store::read(&stores[0], |t| t.get("e1")).unwrap().unwrap();
    assert_eq!(read.escalation.votes.len(), 2);
    assert!(!read.escalation.is_pending(), "both votes were counted");
}

#[test]
fn the_time_is_read_behind_the_lock_and_anew_each_time() {
    let name = "the_time_is_read_behind_the_lock_and_anew_each_time";
    let Some(cluster) = postgres_server::shared(name) else {
        return;
    };
    let database = cluster.database();
    let stores = [opened(cluster, &database), opened(cluster, &database)];
    open(&stores[0], &made("e1", 1, Duration::from_secs(600)));
    let barrier = Arc::new(std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        let theirs = Arc::clone(&barrier);
        let first = &stores[0];
        let held = scope.spawn(move || {
            store::write(first, move |t| {
                t.lock("e1")?;
                theirs.wait();
                std::thread::sleep(Duration::from_millis(200));
                t.wall()?;
                t.wall()
            })
        });
        barrier.wait();
        let waited = store::write(&stores[1], |t| {
            t.lock("e1")?;
            let first = t.wall()?;
            t.lock("e1")?;
            t.get("e1")?;
            Ok((first, t.wall()?, t.wall()?))
        });
        let (first, second, third) = waited.unwrap();
        let held = held.join().unwrap().unwrap();
        assert!(held < first, "{held:?} {first:?}");
        assert!(first < second && second < third, "{second:?} {third:?}");
    });
}

#[test]
fn a_matrix_of_a_transaction_that_failed_is_written_by_the_next() {
    let name = "a_matrix_of_a_transaction_that_failed_is_written_by_the_next";
    let Some(cluster) = postgres_server::shared(name) else {
        return;
    };
    let url = cluster.url(&cluster.database());
    // One connection: what it remembers is asked for again.
    let mut options = options();
    options.connections = 1;
    let store = PostgresStore::open(&url, options).unwrap();
    let failed = store::write(&store, |t| {
        t.put_matrix("m0", "matrix")?;
        t.put_matrix("m0", "matrix")?;
        Err::<(), _>(StoreError::other("no"))
    });
    assert!(failed.is_err());
    for name in ["e1", "e2", "e3"] {
        open(&store, &made(name, 1, Duration::from_secs(600)));
    }
    let read = store::read(&store, |t| t.matrix("m0")).unwrap();
    assert_eq!(read.as_deref(), Some("matrix"));
}

#[test]
fn what_was_acknowledged_outlives_a_crash() {
    let Some(mut cluster) = postgres_server::own("what_was_acknowledged_outlives_a_crash") else {
        return;
    };
    let database = cluster.database();
    let store = opened(&cluster, &database);
    open(&store, &made("e1", 1, Duration::from_secs(600)));
    let done = command(&store, "e1", approve(), &person("p0"));
    cluster.crash();
    let error: StoreError = store::write(&store, |t| t.put_setting("a", "b")).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Io);
    cluster.restart();
    let read = store::read(&store, |t| t.get("e1")).unwrap().unwrap();
    assert_eq!(read.escalation, done.after);
    store::write(&store, |t| t.put_setting("a", "b")).unwrap();
}

#[test]
fn due_leaves_out_what_another_desk_has() {
    let Some(cluster) = postgres_server::shared("due_leaves_out_what_another_desk_has") else {
        return;
    };
    let database = cluster.database();
    let stores = [opened(cluster, &database), opened(cluster, &database)];
    for name in ["e1", "e2"] {
        open(&stores[0], &made(name, 1, Duration::ZERO));
    }
    let second = Arc::new(opened(cluster, &database));
    let found = store::write(&stores[1], move |t| {
        let now = t.wall()?;
        let mine = t.due(now, 1)?;
        let theirs = store::write(&*second, move |t| t.due(now, 10))?;
        Ok((mine, theirs))
    })
    .unwrap();
    assert_eq!(found.0.len(), 1);
    assert_eq!(found.1.len(), 1);
    assert_ne!(found.0, found.1);
}

#[test]
fn no_row_comes_behind_a_checkpoint_that_should_have_it() {
    let name = "no_row_comes_behind_a_checkpoint_that_should_have_it";
    let Some(cluster) = postgres_server::shared(name) else {
        return;
    };
    let database = cluster.database();
    let store = Arc::new(opened(cluster, &database));
    let writer = Arc::new(opened(cluster, &database));
    let (wrote, go_on) = (std::sync::Barrier::new(2), Duration::from_millis(300));
    std::thread::scope(|scope| {
        let wrote = &wrote;
        let slow = Arc::clone(&writer);
        let barrier = Arc::new(std::sync::Barrier::new(2));
        let theirs = Arc::clone(&barrier);
        scope.spawn(move || {
            let it = made("slow", 1, Duration::from_secs(600));
            store::write(&*slow, move |t| {
                // The lower position, committed later.
                escalations::put_new(t, &it)?;
                theirs.wait();
                std::thread::sleep(go_on);
                Ok(())
            })
            .unwrap();
            wrote.wait();
        });
        barrier.wait();
        open(&*store, &made("quick", 1, Duration::from_secs(600)));
        let behind = store::write(&*store, |t| t.behind(0)).unwrap();
        assert_eq!(behind.rows, 2, "it waited for the slow one");
        assert_eq!(behind.heads.len(), 2);
        wrote.wait();
    });
}

#[test]
fn who_only_asks_what_came_behind_a_row_waits_for_no_writer() {
    let name = "who_only_asks_what_came_behind_a_row_waits_for_no_writer";
    let Some(cluster) = postgres_server::shared(name) else {
        return;
    };
    let database = cluster.database();
    let writer = opened(cluster, &database);
    let reader = Arc::new(opened(cluster, &database));
    let it = made("e1", 1, Duration::from_secs(600));
    let seen = store::write(&writer, move |t| {
        escalations::put_new(t, &it)?;
        // Who asked for a checkpoint would wait for this one here.
        store::read(&*reader, |t| t.behind(0))
    });
    assert_eq!(seen.unwrap(), store::Behind::default());
    let behind = store::read(&writer, |t| t.behind(0)).unwrap();
    assert_eq!(behind.rows, 1);
}

#[test]
fn postgres_does_what_every_store_does() {
    let Some(cluster) = postgres_server::shared("postgres_does_what_every_store_does") else {
        return;
    };
    conformance::run("postgres", || conformance::Subject {
        store: Arc::new(opened(cluster, &cluster.database())),
        keep: Box::new(()),
    });
}

/// An attempt that was written for SQLite. Where a row is put in the place of another there, an insert
/// is tried here; its functions over JSON are made by [`JSON`].
fn translated(sql: &str) -> String {
    sql.replace("INSERT OR REPLACE INTO", "INSERT INTO")
        .replace("INSERT OR IGNORE INTO", "INSERT INTO")
        .replace("UPDATE OR REPLACE", "UPDATE")
        .replace("SET rowid", "SET seq")
        .replace("SELECT NULL, tenant", "SELECT 0, tenant")
        .replace("json('[]')", "'[]'::json")
}

const JSON: &str = "
    CREATE FUNCTION laneway_path(p text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
      SELECT string_to_array(substr(p, 3), '.') $$;
    CREATE FUNCTION json_set(j text, p text, v text) RETURNS text LANGUAGE sql AS $$
      SELECT jsonb_set(j::jsonb, laneway_path(p), to_jsonb(v))::text $$;
    CREATE FUNCTION json_set(j text, p text, v int) RETURNS text LANGUAGE sql AS $$
      SELECT jsonb_set(j::jsonb, laneway_path(p), to_jsonb(v))::text $$;
    CREATE FUNCTION json_set(j text, p text, v json) RETURNS text LANGUAGE sql AS $$
      SELECT jsonb_set(j::jsonb, laneway_path(p), v::jsonb)::text $$;
    CREATE FUNCTION json_set(j text, p text, v text, q text, w text) RETURNS text LANGUAGE sql AS $$
      SELECT json_set(json_set(j, p, v), q, w) $$;
    CREATE FUNCTION json_set(j text, p text, v text, q text, w json) RETURNS text LANGUAGE sql AS $$
      SELECT json_set(json_set(j, p, v), q, w) $$;
    CREATE FUNCTION json_extract(j text, p text) RETURNS bigint LANGUAGE sql AS $$
      SELECT jsonb_path_query_first(j::jsonb, p::jsonpath)::bigint $$;
";

/// Runs an attempt up to its commit, and takes it back.
fn attempt(client: &mut postgres::Client, sql: &str) -> Result<(), postgres::Error> {
    let mut transaction = client.transaction().unwrap();
    transaction.batch_execute(&translated(sql))?;
    // What is looked at when a transaction commits.
    transaction.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")
}

#[test]
fn every_forged_statement_is_refused() {
    let Some(cluster) = postgres_server::shared("every_forged_statement_is_refused") else {
        return;
    };
    let database = cluster.database();
    let store: Arc<dyn store::Store> = Arc::new(opened(cluster, &database));
    forged::set_up(&store);
    let mut client = cluster.client(&database);
    client.batch_execute(JSON).unwrap();
    let mut wrong = Vec::new();
    for (name, sql) in attempts() {
        match attempt(&mut client, sql) {
            Ok(()) => wrong.push(format!("{name}: done")),
            Err(error) => {
                let code = error.code().map_or("", |code| code.code());
                // A rule of the schema, and not a mistake in the statement.
                if !code.starts_with("23") {
                    wrong.push(format!("{name}: {error}: {:?}", error.as_db_error()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for table in ["escalations", "audit", "votes", "migrations"] {
        let sql = format!("TRUNCATE {table} CASCADE");
        assert!(attempt(&mut client, &sql).is_err(), "{table} was emptied");
    }
}

/// Triggers that stand before a foreign key, which stops the same.
const IDLE: &[&str] = &[
    "audit_are_never_deleted",
    "escalations_are_never_deleted",
    "matrices_are_never_deleted",
    "sign_offs_are_never_deleted",
];

/// Attempts that SQLite's schema has no need to refuse, because it writes what follows by itself, or that
/// take more statements here.
const MORE: &[(&str, &str)] = &[
    (
        "a step without what is due",
        "UPDATE sign_offs SET next = 1, due = json_extract(plan, '$.steps[1].at') \
         WHERE escalation = 'e1'",
    ),
    (
        "a grant revoked without what is due",
        "UPDATE grants SET state = 'revoked', ended = (SELECT last FROM escalations \
         WHERE id = 'e2') WHERE escalation = 'e2'",
    ),
    (
        "a grant of a denial that is due",
        "INSERT INTO grants (tenant, escalation, state, digest, lapses) \
         SELECT tenant, id, 'live', digest, cap FROM escalations WHERE id = 'e3'; \
         UPDATE escalations SET due = cap WHERE id = 'e3'",
    ),
    (
        "an opening that is due before anything of it",
        "INSERT INTO escalations SELECT tenant, 'e95', opened, cap, requester, key, digest0, matrix, lane, \
         urgency, flood, group_key, asks, readable0, 1, digest0, readable0, 'pending', opened, cap - 1, NULL, \
         NULL, 0, NULL, NULL, 0, 0, 0, json_set(pinned, '$.id', 'e95') FROM escalations WHERE id = 'e1'",
    ),
    (
        "a sign-off that is due before what is due",
        "INSERT INTO sign_offs SELECT tenant, escalation, n + 1, lane, cap, ends_at, \
         jsonb_set(plan::jsonb, '{steps,0,at}', to_jsonb(due - 1))::text, state, team, quorum, next, hurried, \
         shift, due - 1, deadline, allows, decided FROM sign_offs WHERE escalation = 'e1' AND n = 0",
    ),
    (
        "the same in a later round",
        "UPDATE escalations SET round = 2, digest = repeat('e', 64), readable = 1 WHERE id = 'e6'; \
         INSERT INTO sign_offs SELECT tenant, escalation, n + 1, lane, cap, ends_at, \
         jsonb_set(plan::jsonb, '{steps,0,at}', to_jsonb(due - 1))::text, state, team, quorum, next, hurried, \
         shift, due - 1, deadline, allows, decided FROM sign_offs WHERE escalation = 'e6' AND n = 0",
    ),
    (
        "a row whose payload was never there",
        "INSERT INTO audit (tenant, escalation, n, at, kind, payload, previous, hash) \
         SELECT tenant, escalation, n + 1, at, kind, payload, hash, payload FROM audit \
         WHERE escalation = 'e1' ORDER BY n DESC LIMIT 1; \
         INSERT INTO payloads (tenant, escalation, n, erased_at, erased_by, erased_why) \
         SELECT tenant, escalation, max(n), 1, 'x', 'y' FROM audit WHERE escalation = 'e1' \
         GROUP BY 1, 2",
    ),
    (
        "a whole end in the past",
        "UPDATE sign_offs SET state = 'moot', decided = 1, due = NULL WHERE escalation = 'e1'; \
         INSERT INTO resolutions (tenant, escalation, outcome, end_how, at, cause, by_silence) \
         SELECT tenant, id, 'cancelled', NULL, last - 1, '\"flood\"', 0 FROM escalations \
         WHERE id = 'e1'; \
         UPDATE escalations SET state = 'cancelled', ended = last - 1, due = NULL WHERE id = 'e1'",
    ),
];

/// All attempts, by their names.
fn attempts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let forged = forged::ATTEMPTS.iter();
    forged
        .map(|forged::Attempt(name, _, sql)| (*name, *sql))
        .chain(MORE.iter().copied())
}

#[test]
fn no_trigger_is_without_an_attempt_that_only_it_stops() {
    let name = "no_trigger_is_without_an_attempt_that_only_it_stops";
    let Some(cluster) = postgres_server::shared(name) else {
        return;
    };
    let database = cluster.database();
    let store: Arc<dyn store::Store> = Arc::new(opened(cluster, &database));
    forged::set_up(&store);
    let mut client = cluster.client(&database);
    client.batch_execute(JSON).unwrap();
    let triggers = client
        .query(
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger \
             WHERE NOT tgisinternal AND tgname NOT LIKE '%_truncated' ORDER BY 1",
            &[],
        )
        .unwrap();
    assert!(triggers.len() > 30);
    let mut idle = Vec::new();
    for trigger in &triggers {
        let (trigger, table): (&str, &str) = (trigger.get(0), trigger.get(1));
        let mut transaction = client.transaction().unwrap();
        transaction
            .batch_execute(&format!("DROP TRIGGER {trigger} ON {table}"))
            .unwrap();
        let is_stopped = |transaction: &mut postgres::Transaction<'_>, sql: &str| {
            let mut attempt = transaction.transaction().unwrap();
            let done = attempt
                .batch_execute(&translated(sql))
                .and_then(|()| attempt.batch_execute("SET CONSTRAINTS ALL IMMEDIATE"));
            attempt.rollback().unwrap();
            done.is_err()
        };
        if attempts().all(|(_, sql)| is_stopped(&mut transaction, sql)) {
            idle.push(trigger.to_owned());
        }
    }
    idle.retain(|trigger| !IDLE.contains(&trigger.as_str()));
    assert!(idle.is_empty(), "nothing tests {idle:#?}");
}
