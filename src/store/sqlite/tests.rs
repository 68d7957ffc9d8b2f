//! What only a store in a file has: its plans of reading.

use super::page::{text_of, texts_of_few};
use super::writer::{Answer, Wall, Writing, execute};
use super::{SqliteOptions, SqliteStore, audit, connect, kept, migrate, outbox, transaction};
use crate::clock::Timestamp;
use crate::decision::Urgency;
use crate::escalation::{Outcome, Principal};
use crate::store::transaction::{Cursor, Order, Query, Store, StoreError, StoreErrorKind, Work};
use std::cell::Cell;
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

fn principal(name: &str) -> Principal {
    Principal::parse(name).unwrap()
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
            pending: Some(false),
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
    // What few match is put in order; all else is read by an index.
    let orders = [Order::Newest, Order::Due];
    let few = orders.map(|order| Query {
        pending: Some(true),
        order,
        lane: Some("x".to_owned()),
        urgency: Some(Urgency::Low),
        requester: Some(principal("x")),
        team: Some("x".to_owned()),
        person: Some(principal("x")),
        ..Query::default()
    });
    let few: Vec<String> = few.iter().flat_map(texts_of_few).collect();
    assert_eq!(few.len(), 20);
    for text in few {
        let plan = plan(&connection, &text);
        let escalations = plan.lines().filter(|line| line.contains("SEARCH e "));
        for line in escalations {
            assert!(line.contains("(tenant=? AND id=?)"), "{text}\n{plan}");
        }
        assert!(!plan.contains("SCAN escalations"), "{text}\n{plan}");
        assert!(!plan.contains("SCAN e"), "{text}\n{plan}");
    }
    let lists = lists.iter().map(text_of);
    let texts = [
        transaction::DUE,
        transaction::GROUP,
        transaction::OF_REQUESTER,
        transaction::OF_FLOOD,
        transaction::ENDED,
        transaction::REQUEST,
        transaction::OLD_REQUESTS,
        transaction::OLD_NOTICES,
        outbox::TO_SEND,
        outbox::WAITING,
        outbox::FAILED,
        outbox::OF_STEP,
        audit::AUDIT,
        kept::ENTRY,
        kept::ENTRIES,
        kept::ENTRIES_OF,
        kept::DROP_OF,
        kept::DROP_ENDED,
        kept::LATEST,
        kept::LATEST_OF,
        kept::LATEST_WITH,
        kept::LATEST_OF_WITH,
        kept::TAKEN_BY,
        kept::OLD_ATTEMPTS,
        kept::UNNOTE,
    ];
    for text in texts.into_iter().map(str::to_owned).chain(lists) {
        let plan = plan(&connection, &text);
        assert!(plan.contains("SEARCH"), "{text}\n{plan}");
        assert!(!plan.contains("SCAN"), "{text}\n{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{text}\n{plan}");
    }
    let heads = plan(&connection, audit::HEADS);
    let by_place = "SEARCH audit USING INTEGER PRIMARY KEY (rowid>?)";
    assert!(heads.contains(by_place), "{heads}");
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

#[test]
fn work_that_cannot_be_taken_back_takes_its_batch_with_it_and_not_the_next_work() {
    fn fails_to_roll_back(connection: &rusqlite::Connection, text: &str) -> Answer {
        match text {
            "ROLLBACK TO work" => Err(StoreError::new(StoreErrorKind::Io, "the disk is gone")),
            text => execute(connection, text),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    connect::make_file(&path).unwrap();
    let wall: Wall = Arc::new(|| Timestamp::UNIX_EPOCH);
    let options = SqliteOptions::new(Arc::clone(&wall));
    let mut connection = connect::to_write(&path, &options).unwrap();
    migrate::migrate(&mut connection, Timestamp::UNIX_EPOCH).unwrap();
    let put = |name: &'static str, fails: bool| -> Work {
        Box::new(move |t| {
            t.put_setting(name, "value")?;
            match fails {
                true => Err(StoreError::new(StoreErrorKind::Work, "enough")),
                false => Ok(()),
            }
        })
    };
    let mut batch = [put("a", false), put("b", true), put("c", false)];
    let writing = Writing {
        connection: &connection,
        wall: &wall,
        erased: &Cell::new(false),
        execute: fails_to_roll_back,
    };
    let answers = writing.all(batch.iter_mut());
    let kinds = answers
        .iter()
        .map(|answer| answer.as_ref().err().map(|it| it.kind));
    let io = Some(StoreErrorKind::Io);
    assert_eq!(kinds.collect::<Vec<_>>(), [io, io, None]);
    assert!(connection.is_autocommit());
    let mut names = connection.prepare("SELECT name FROM settings").unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let names: Vec<String> = names.map(Result::unwrap).collect();
    assert_eq!(names, ["c"]);
}
