//! What only a store in a file has: its mode, its versions, what is there after it was opened again, and
//! batches that become durable together.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    reason = "a test that cannot go on fails"
)]

#[path = "support/escalations.rs"]
mod escalations;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use escalations::*;
use laneway::decision::Urgency;
use laneway::limits::STORE_FEW;
use laneway::store::{
    self, Cursor, Order, Query, SqliteOptions, SqliteStore, StoreError, StoreErrorKind, Summary,
    Tombstone,
};

fn try_open_file(path: &Path, durable: bool) -> Result<SqliteStore, StoreError> {
    let mut options = SqliteOptions::new(Arc::new(opened));
    options.survives_power_loss = durable;
    SqliteStore::open(path, options)
}

fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("laneway.db");
    (folder, path)
}

#[test]
fn what_was_done_is_there_when_it_is_opened_again() {
    let (_folder, path) = file();
    let store = try_open_file(&path, true).unwrap();
    open(&store, &Made::new("e1").escalation());
    command(&store, "e1", approve(), &person("ann"), minute(1));
    let before = get(&store, "e1");
    drop(store);
    let store = try_open_file(&path, true).unwrap();
    assert_eq!(get(&store, "e1"), before);
    command(&store, "e1", approve(), &person("bob"), minute(2));
    assert!(!get(&store, "e1").is_pending());
}

#[test]
fn a_page_is_the_same_whether_few_match_its_filters_or_many() {
    let (_folder, path) = file();
    let store = try_open_file(&path, false).unwrap();
    let many = STORE_FEW as usize + 100;
    store::write(&store, move |t| {
        for n in 0..many {
            // Several of one instant; others are opened in between.
            let made = Made::new(&format!("e{:05}", n * 7_919 % 10_007)).at(minute(n as i64 / 9));
            let made = match n % 41 {
                0 => Made {
                    lane: "other",
                    urgency: Urgency::Low,
                    requester: "bot",
                    ..made.lanes([Lane::quick()])
                },
                _ => made,
            };
            put_new(t, &made.escalation())?;
        }
        Ok(())
    })
    .unwrap();
    let page = |query: Query| store::read(&store, move |t| t.page(&query)).unwrap();
    let is_quick = |it: &Summary| it.lane == "other";
    for order in [Order::Newest, Order::Due] {
        let all = page(Query {
            order,
            limit: 10_000,
            ..Query::default()
        });
        assert_eq!(all.len(), many);
        for wants_quick in [true, false] {
            let word = |quick: &str, risk: &str| match wants_quick {
                true => quick.to_owned(),
                false => risk.to_owned(),
            };
            let wanted = all.iter().filter(|it| is_quick(it) == wants_quick);
            let wanted: Vec<&Summary> = wanted.skip(30).take(50).collect();
            let before = all.iter().filter(|it| is_quick(it) == wants_quick).nth(29);
            let before = before.unwrap();
            let query = Query {
                pending: Some(true),
                order,
                limit: 50,
                behind: Some(Cursor {
                    at: match order {
                        Order::Newest => before.opened,
                        Order::Due => before.due.unwrap(),
                    },
                    id: before.id.clone(),
                }),
                ..Query::default()
            };
            let urgency = match wants_quick {
                true => Urgency::Low,
                false => Urgency::High,
            };
            let filters = [
                Query {
                    lane: Some(word("other", "risk")),
                    ..query.clone()
                },
                Query {
                    requester: Some(name(&word("bot", "agent"))),
                    ..query.clone()
                },
                Query {
                    urgency: Some(urgency),
                    ..query.clone()
                },
                Query {
                    team: Some(word("desk", "leads")),
                    ..query.clone()
                },
                // Ann is asked about all: those that only one of two is asked about.
                Query {
                    person: Some(name(&word("eve", "bob"))),
                    ..query.clone()
                },
                Query {
                    person: Some(name("ann")),
                    lane: Some(word("other", "risk")),
                    ..query.clone()
                },
            ];
            for query in filters {
                let found = page(query.clone());
                let found: Vec<&Summary> = found.iter().collect();
                assert_eq!(found, wanted, "{query:?}");
            }
        }
    }
}

#[test]
fn the_clock_is_the_one_that_is_given() {
    let (_folder, path) = file();
    let store = try_open_file(&path, false).unwrap();
    let wall = store::write(&store, |t| t.wall()).unwrap();
    assert_eq!(wall, opened());
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_its_files() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = file();
    let store = try_open_file(&path, true).unwrap();
    open(&store, &Made::new("e1").escalation());
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
        seen += 1;
    }
    assert_eq!(seen, 3, "the file, its log and its index");
}

#[test]
fn a_newer_schema_is_refused_with_both_versions() {
    let (_folder, path) = file();
    let store = try_open_file(&path, false).unwrap();
    open(&store, &Made::new("e1").escalation());
    let other = rusqlite::Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", 2).unwrap();
    // The one that runs stops to write, and still reads.
    let stopped = try_open(&store, &Made::new("e2").escalation()).unwrap_err();
    assert_eq!(stopped.kind, StoreErrorKind::Newer);
    assert!(get(&store, "e1").is_pending());
    drop(store);
    let refused = try_open_file(&path, false).unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Newer);
    assert!(refused.message.contains("version 2"), "{refused}");
    assert!(refused.message.contains("version 1"), "{refused}");
}

#[test]
fn a_schema_that_is_not_what_it_was_is_refused() {
    let (_folder, path) = file();
    drop(try_open_file(&path, false).unwrap());
    let other = rusqlite::Connection::open(&path).unwrap();
    let change = "DROP TRIGGER migrations_never_change; UPDATE migrations SET checksum = 'x'";
    other.execute_batch(change).unwrap();
    let refused = try_open_file(&path, false).unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Corrupt);
}

#[test]
fn a_file_of_another_program_is_refused() {
    let (_folder, path) = file();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE mine (a)").unwrap();
    drop(other);
    let refused = try_open_file(&path, false).unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Corrupt);
    std::fs::write(&path, vec![7; 4096]).unwrap();
    let refused = try_open_file(&path, false).unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Corrupt);
}

#[test]
fn of_many_at_once_those_that_fail_take_nothing_with_them() {
    let (_folder, path) = file();
    let store = try_open_file(&path, true).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..25 {
                    let it = Made::new(&format!("e{thread}-{n}")).escalation();
                    let fails = n % 5 == 0;
                    let done = store::write(store, move |t| {
                        put_new(t, &it)?;
                        match fails {
                            true => Err(StoreError::new(StoreErrorKind::Work, "enough")),
                            false => Ok(()),
                        }
                    });
                    assert_eq!(done.is_err(), fails, "{done:?}");
                }
            });
        }
    });
    let rows = store::read(&store, |t| t.behind(0)).unwrap();
    assert_eq!(rows.heads.len(), 8 * 20);
}

#[test]
fn the_audit_of_another_tenant_is_not_read() {
    let (_folder, path) = file();
    let store = try_open_file(&path, false).unwrap();
    open(&store, &Made::new("e1").escalation());
    let other = rusqlite::Connection::open(&path).unwrap();
    other.pragma_update(None, "foreign_keys", false).unwrap();
    let theirs = "INSERT INTO audit (tenant, escalation, n, at, kind, payload, previous, hash)
        VALUES ('other', 'e1', 1, 0, 'opened', zeroblob(32), zeroblob(32), zeroblob(32))";
    other.execute_batch(theirs).unwrap();
    open(&store, &Made::new("e2").escalation());
    let (rows, behind) = store::read(&store, |t| Ok((t.rows(0, 9)?, t.behind(0)?))).unwrap();
    let tenants: Vec<&str> = rows.iter().map(|(row, _)| &*row.tenant).collect();
    assert_eq!(tenants, [store::TENANT; 2]);
    assert_eq!((behind.rows, behind.heads.len()), (2, 2));
}

/// Which files of a folder have some bytes.
fn files_with(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let has = |path: &PathBuf| {
        let all = std::fs::read(path).unwrap();
        all.windows(bytes.len()).any(|at| at == bytes)
    };
    files.filter(has).collect()
}

#[test]
fn what_is_erased_leaves_the_files() {
    let (folder, path) = file();
    let store = try_open_file(&path, true).unwrap();
    let lane = Lane {
        first: &["xanthippe", "bob", "cid"],
        ..Lane::risk()
    };
    for n in 0..20 {
        let id = format!("e{n}");
        open(&store, &Made::new(&id).lanes([lane.clone()]).escalation());
        // Some of it is longer than a page.
        let text = "the answer is forty-two; ".repeat(1 + 300 * (n % 2));
        let said = laneway::escalation::Command::Comment { text };
        command(&store, &id, said, &person("xanthippe"), minute(1));
        command(&store, &id, deny(), &person("xanthippe"), minute(2));
    }
    let secrets: [&[u8]; 2] = [b"forty-two", b"xanthippe"];
    assert!(
        secrets
            .iter()
            .all(|it| !files_with(folder.path(), it).is_empty())
    );
    store::write(&store, |t| {
        for n in 0..20 {
            let tombstone = Tombstone {
                at: minute(3),
                by: "op".to_owned(),
                why: "asked".to_owned(),
            };
            t.erase(&format!("e{n}"), &tombstone)?;
        }
        Ok(())
    })
    .unwrap();
    let none = Vec::<PathBuf>::new();
    for secret in secrets {
        assert_eq!(files_with(folder.path(), secret), none);
    }
    drop(store);
    for secret in secrets {
        assert_eq!(files_with(folder.path(), secret), none);
    }
}

/// Steps of SQLite's machine to end an escalation where so many are pending.
fn steps_to_end_one_of(many: usize) -> i32 {
    let (_folder, path) = file();
    let store = try_open_file(&path, false).unwrap();
    store::write(&store, move |t| {
        for n in 0..many {
            put_new(t, &Made::new(&format!("e{n}")).escalation())?;
        }
        Ok(())
    })
    .unwrap();
    drop(store);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; BEGIN;
             UPDATE sign_offs SET state = 'denied', due = NULL, decided = (SELECT opened FROM escalations
                 WHERE id = 'e0') WHERE escalation = 'e0';",
        )
        .unwrap();
    let mut end = connection
        .prepare(
            "INSERT INTO resolutions (tenant, escalation, outcome, end_how, at, cause, by_silence)
             SELECT tenant, id, 'denied', NULL, opened, '{}', 0 FROM escalations
             WHERE tenant = 'main' AND id = 'e0'",
        )
        .unwrap();
    assert_eq!(end.execute([]).unwrap(), 1);
    end.get_status(rusqlite::StatementStatus::VmStep)
}

#[test]
fn an_end_costs_the_same_however_much_is_pending() {
    let (few, many) = (steps_to_end_one_of(10), steps_to_end_one_of(500));
    assert!(few > 100, "{few}");
    assert!(many < few + few / 2, "{few} and {many}");
}
