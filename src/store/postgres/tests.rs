//! What only a store in PostgreSQL has: its plans of reading.

use std::time::{Duration, Instant};

use postgres::types::ToSql;

use super::kept;
use super::page::Page;
use super::statements::{ALL_FAILED, COUNTS, DUE, ENDED, GROUP, OLD_NOTICES, TAKE};
use super::{PostgresOptions, PostgresStore};
use crate::clock::Timestamp;
use crate::decision::Urgency;
use crate::escalation::Principal;
use crate::store::narrow::filters;
use crate::store::{Cursor, Order, Query, write};

#[path = "../../../tests/support/postgres.rs"]
#[expect(dead_code, reason = "each test file uses a part of it")]
mod postgres_server;

/// Enough rows for one index to be better than another. They are written past the rules.
const ROWS: &str = "
    SET session_replication_role = replica;
    INSERT INTO escalations SELECT 'main', 'e' || n, n, n + 9, 'r' || n, 'k', 'd', 'm', 'l' || n % 50,
        'high', 'f' || n, 'g' || n, 1, 1, 1, 'd', 1,
        CASE WHEN n % 2 = 0 THEN 'pending' ELSE 'denied' END, n, CASE WHEN n % 2 = 0 THEN n END, NULL,
        CASE WHEN n % 2 = 1 THEN n END, 0, NULL, NULL, 0, 0, 0, '{}'
        FROM generate_series(1, 5000) n;
    INSERT INTO outbox SELECT 'main', 'e' || n || '/s/p', n, 'e' || n, '{}', NULL, n,
        CASE WHEN n % 2 = 0 THEN 'waiting' ELSE 'sent' END, 1, 0, n, NULL
        FROM generate_series(1, 5000) n;
    INSERT INTO entries SELECT 'main', 'session', 'k' || n, 'o' || n % 100, n, '{}'
        FROM generate_series(1, 5000) n;
    INSERT INTO attempts SELECT 'main', n, 'e' || n || '/s/p', 'e' || n % 500, 'p', 'log', n, 1,
        CASE WHEN n % 50 = 0 THEN 'never' ELSE 'sent' END, '' FROM generate_series(1, 5000) n;
    RESET session_replication_role;
    ANALYZE;
    SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off";

/// The plan of a statement where no table is worth to be read as a whole.
fn plan(client: &mut postgres::Client, sql: &str, values: &[&(dyn ToSql + Sync)]) -> String {
    let rows = client.query(&format!("EXPLAIN (COSTS OFF) {sql}"), values);
    let lines = rows.unwrap().into_iter().map(|row| row.get::<_, String>(0));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_list_is_read_by_its_index() {
    let Some(cluster) = postgres_server::shared("every_list_is_read_by_its_index") else {
        return;
    };
    let database = cluster.database();
    drop(PostgresStore::open(&cluster.url(&database), PostgresOptions::default()).unwrap());
    let mut client = cluster.client(&database);
    client.batch_execute(ROWS).unwrap();
    let (main, x, at, limit) = ("main", "x", 1_i64, 10_i64);
    let (kind, never) = ("session", "never");
    // Each with the conditions that its index is asked for.
    let read: [(&str, &[&(dyn ToSql + Sync)], &[&str]); 19] = [
        (DUE, &[&main, &at, &limit], &["due <= "]),
        (GROUP, &[&main, &x], &["group_key = "]),
        (COUNTS, &[&main, &x, &x], &["requester = ", "flood = "]),
        (ENDED, &[&main, &at, &limit], &["ended < "]),
        (TAKE, &[&main, &at, &at, &limit], &["not_before <= "]),
        (ALL_FAILED, &[&main, &x, &limit], &["id > ", "id < "]),
        (OLD_NOTICES, &[&main, &at, &limit], &["at < "]),
        (kept::ENTRY, &[&main, &kind, &x], &["key = "]),
        (kept::ENTRIES, &[&main, &kind, &x, &limit], &["key > "]),
        (
            kept::ENTRIES_OF,
            &[&main, &kind, &x, &limit, &x],
            &["owner = "],
        ),
        (kept::DROP_OF, &[&main, &kind, &x], &["owner = "]),
        (kept::DROP_ENDED, &[&main, &at, &limit], &["until < "]),
        (kept::LATEST, &[&main, &at, &limit], &["seq < "]),
        (
            kept::LATEST_OF,
            &[&main, &at, &limit, &x],
            &["escalation = "],
        ),
        (
            kept::LATEST_WITH,
            &[&main, &at, &limit, &never],
            &["outcome = "],
        ),
        (
            kept::LATEST_OF_WITH,
            &[&main, &at, &limit, &x, &never],
            &["escalation = "],
        ),
        (kept::TAKEN_BY, &[&main, &x], &["notice = "]),
        (kept::OLD_ATTEMPTS, &[&main, &at, &limit], &["at < "]),
        (kept::UNNOTE, &[&main, &x], &["escalation = "]),
    ];
    for (sql, values, conditions) in read {
        is_by_index(&plan(&mut client, sql, values), conditions);
    }
    let behind = Some(Cursor {
        at: Timestamp::default(),
        id: x.to_owned(),
    });
    let pages = [
        (
            Query {
                behind: behind.clone(),
                ..Query::default()
            },
            "opened, id",
        ),
        (
            Query {
                lane: Some(x.to_owned()),
                ..Query::default()
            },
            "lane = ",
        ),
        (
            Query {
                order: Order::Due,
                behind,
                ..Query::default()
            },
            "due, id",
        ),
    ];
    for (query, condition) in pages {
        let page = Page::of(&query, None);
        let values = page.values();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|(value, _)| *value).collect();
        let plan = plan(&mut client, &page.sql, &values);
        is_by_index(&plan, &[condition]);
        assert!(!plan.contains("Sort"), "{plan}");
    }
    // What few match is put in order; all of it is read by an index.
    let query = Query {
        pending: Some(true),
        lane: Some(x.to_owned()),
        urgency: Some(Urgency::Low),
        requester: Some(Principal::parse(x).unwrap()),
        team: Some(x.to_owned()),
        person: Some(Principal::parse(x).unwrap()),
        ..Query::default()
    };
    for few in filters(&query) {
        for page in [Page::of(&query, Some(few)), Page::count(few, 10)] {
            let values = page.values();
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|(value, _)| *value).collect();
            is_by_index(&plan(&mut client, &page.sql, &values), &[]);
        }
    }
    assert_eq!(filters(&query).count(), 5);
    // Whatever the order of the database: ids of a step lie together by bytes.
    let collation = client.query_one(
        "SELECT collation_name::text FROM information_schema.columns \
         WHERE table_name = 'outbox' AND column_name = 'id'",
        &[],
    );
    assert_eq!(collation.unwrap().get::<_, Option<&str>>(0), Some("C"));
}

#[test]
fn a_young_database_is_looked_at_when_it_has_grown() {
    let Some(cluster) = postgres_server::shared("a_young_database_is_looked_at_when_it_has_grown")
    else {
        return;
    };
    let database = cluster.database();
    let store = PostgresStore::open(&cluster.url(&database), PostgresOptions::default()).unwrap();
    let looks = || write(&store, |transaction| transaction.look_at_tables()).unwrap();
    assert!(!looks(), "it is empty");
    let mut client = cluster.client(&database);
    let alone = "ALTER TABLE escalations SET (autovacuum_enabled = false)";
    client.batch_execute(alone).unwrap();
    client.batch_execute(&ROWS.replace("ANALYZE;", "")).unwrap();
    drop(client);
    // The server counts what was written a moment later, and again what it has looked at.
    let until = |looked: bool| {
        let begun = Instant::now();
        while looks() != looked {
            assert!(begun.elapsed() < Duration::from_secs(20), "{looked}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    until(true);
    until(false);
    let known = "SELECT reltuples::bigint FROM pg_class WHERE oid = 'escalations'::regclass";
    let rows = cluster.client(&database).query_one(known, &[]);
    assert_eq!(rows.unwrap().get::<_, i64>(0), 5_000);
}

fn is_by_index(plan: &str, conditions: &[&str]) {
    assert!(!plan.contains("Seq Scan"), "{plan}");
    for condition in conditions {
        let mut asked = plan.lines().filter(|line| line.contains("Index Cond: "));
        assert!(
            asked.any(|line| line.contains(condition)),
            "{condition}\n{plan}"
        );
    }
}
