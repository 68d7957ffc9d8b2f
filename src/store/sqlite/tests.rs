//! What only a store in a file has: its plans of reading.

use super::page::text_of;
use super::{SqliteOptions, SqliteStore, audit, outbox, transaction};
use crate::clock::Timestamp;
use crate::escalation::Outcome;
use crate::store::transaction::{Cursor, Order, Query, Store};
use std::sync::Arc;

fn plan(connection: &rusqlite::Connection, text: &str) -> String {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {text}"))
        .unwrap();
    let values = statement.parameter_count();
    let values = rusqlite::params_from_iter(vec![1i64; values]);
    let lines = statement
        .query_map(values, |row| row.get::<_, String>(3))
        .unwrap();
    lines.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_list_is_read_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("laneway.db");
    let wall: Arc<dyn Fn() -> Timestamp + Send + Sync> = Arc::new(Timestamp::default);
    let store = SqliteStore::open(&path, SqliteOptions::new(wall)).unwrap();
    let connection = super::connect::to_read(&path).unwrap();
    let behind = Some(Cursor {
        at: Timestamp::default(),
        id: "x".to_owned(),
    });
    let lists = [
        Query::default(),
        Query {
            behind: behind.clone(),
            ..Query::default()
        },
        Query {
            pending: Some(true),
            team: Some("x".to_owned()),
            behind: behind.clone(),
            ..Query::default()
        },
        Query {
            outcome: Some(Outcome::Denied),
            ..Query::default()
        },
        Query {
            lane: Some("x".to_owned()),
            since: Some(Timestamp::default()),
            ..Query::default()
        },
        Query {
            order: Order::Due,
            behind,
            ..Query::default()
        },
    ];
    let lists = lists.iter().map(text_of);
    let texts = [
        transaction::DUE,
        transaction::GROUP,
        transaction::OF_REQUESTER,
        transaction::OF_FLOOD,
        transaction::ENDED,
        transaction::REQUEST,
        transaction::OLD_REQUESTS,
        outbox::TO_SEND,
        outbox::WAITING,
        outbox::FAILED,
        outbox::OF_STEP,
        audit::AUDIT,
    ];
    for text in texts.into_iter().map(str::to_owned).chain(lists) {
        let plan = plan(&connection, &text);
        assert!(plan.contains("SEARCH"), "{text}\n{plan}");
        assert!(!plan.contains("SCAN"), "{text}\n{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{text}\n{plan}");
    }
    let heads = plan(&connection, audit::HEADS);
    assert!(!heads.contains("SCAN audit\n"), "{heads}");
    drop(store);
}

#[test]
fn work_is_gone_when_its_answer_comes() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(Arc::new(|| Timestamp::UNIX_EPOCH));
    let store = Arc::new(SqliteStore::open(&folder.path().join("a.db"), options).unwrap());
    for _ in 0..200 {
        // As a desk does, whose work holds the desk, and that the store.
        let held = Arc::clone(&store);
        let work = move |_: &mut dyn crate::store::Transaction| {
            let _ = &held;
            Ok(())
        };
        store.write(Box::new(work)).unwrap();
        assert_eq!(Arc::strong_count(&store), 1);
    }
}
