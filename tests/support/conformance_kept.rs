//! What holds of every store for what a service keeps beside escalations: entries under keys, attempts to
//! deliver notices, and notices that are sent again.

use std::sync::Arc;

use laneway::clock::Timestamp;
use laneway::limits::{ATTEMPT_CHANNEL, ATTEMPT_SAID, ENTRY_BODY_BYTES, ENTRY_KEY_BYTES};
use laneway::store::{
    self, Attempt, AttemptOutcome, AttemptQuery, Delivery, Entry, EntryKind, Store, StoreError,
    StoreErrorKind,
};

use super::super::escalations::*;
use super::{at_once, done, erase, failing, notice, open_with, take};

fn entry(kind: EntryKind, key: &str, owner: &str, until: Option<i64>) -> Entry {
    Entry {
        kind,
        key: key.to_owned(),
        owner: owner.to_owned(),
        until: until.map(minute),
        body: format!("{{\"key\": \"{key}\"}}"),
    }
}

fn put(store: &Arc<dyn Store>, entry: &Entry) -> Result<(), StoreError> {
    let entry = entry.clone();
    store::write(&**store, move |t| t.put_entry(&entry))
}

fn found(store: &Arc<dyn Store>, kind: EntryKind, key: &str) -> Option<Entry> {
    let key = key.to_owned();
    store::read(&**store, move |t| t.entry(kind, &key)).unwrap()
}

/// The keys of a list.
fn keys(
    store: &Arc<dyn Store>,
    owner: Option<&'static str>,
    behind: Option<&'static str>,
    limit: u32,
) -> Vec<String> {
    let list = store::read(&**store, move |t| {
        t.entries(EntryKind::Token, owner, behind, limit)
    });
    list.unwrap().into_iter().map(|it| it.key).collect()
}

pub fn entries_are_kept_under_their_keys(store: &Arc<dyn Store>) {
    for kind in EntryKind::ALL {
        let it = entry(kind, "k", kind.as_str(), Some(1));
        put(store, &it).unwrap();
        assert_eq!(found(store, kind, "k"), Some(it));
    }
    assert_eq!(found(store, EntryKind::Token, "other"), None);
    // One takes the place of the one before, and leaves those of other kinds alone.
    let other = Entry {
        body: "other".to_owned(),
        ..entry(EntryKind::Token, "k", "", None)
    };
    put(store, &other).unwrap();
    assert_eq!(found(store, EntryKind::Token, "k"), Some(other));
    let session = entry(EntryKind::Session, "k", "session", Some(1));
    assert_eq!(found(store, EntryKind::Session, "k"), Some(session));
    // Time is kept in whole microseconds.
    let until = Some(minute(1) + chrono::TimeDelta::nanoseconds(1_999));
    let fine = Entry {
        until,
        ..entry(EntryKind::Setup, "k", "x", None)
    };
    put(store, &fine).unwrap();
    let until = Some(minute(1) + chrono::TimeDelta::microseconds(1));
    assert_eq!(found(store, EntryKind::Setup, "k").unwrap().until, until);
    let drop = || store::write(&**store, |t| t.drop_entry(EntryKind::Token, "k")).unwrap();
    assert_eq!((drop(), drop()), (true, false));
    assert!(found(store, EntryKind::Token, "k").is_none());
    assert!(found(store, EntryKind::Session, "k").is_some());
    // A link works once, whoever comes at the same time.
    let use_it = || store::write(&**store, |t| t.drop_entry(EntryKind::Setup, "k")).unwrap();
    let (one, other) = at_once(use_it, use_it);
    assert_ne!(one, other);
}

pub fn entries_come_by_key_and_go_by_owner_and_time(store: &Arc<dyn Store>) {
    let owners = [
        ("a", "ann"),
        ("B", "ann"),
        ("é", "bob"),
        ("b-", "bob"),
        ("b", "ann"),
    ];
    for (n, (key, owner)) in (1i64..).zip(owners) {
        put(store, &entry(EntryKind::Token, key, owner, Some(n))).unwrap();
    }
    put(store, &entry(EntryKind::Token, "for ever", "bob", None)).unwrap();
    put(store, &entry(EntryKind::Session, "s", "ann", Some(2))).unwrap();
    // By their bytes, whatever the language of a database.
    let all = ["B", "a", "b", "b-", "for ever", "é"];
    assert_eq!(keys(store, None, None, 9), all);
    assert_eq!(keys(store, None, None, 2), all[..2]);
    assert_eq!(keys(store, None, Some("a"), 2), all[2..4]);
    assert_eq!(keys(store, None, Some("aa"), 1), all[2..3]);
    assert_eq!(keys(store, Some("ann"), None, 9), ["B", "a", "b"]);
    assert_eq!(keys(store, Some("ann"), Some("B"), 1), ["a"]);
    assert_eq!(keys(store, Some("nobody"), None, 9), [""; 0]);
    let drop_before =
        |at, limit| store::write(&**store, move |t| t.drop_entries(minute(at), limit)).unwrap();
    // Not at their instant, but behind it; the longest ended first; of every kind.
    assert_eq!(drop_before(1, 9), 0);
    assert_eq!(drop_before(4, 1), 1);
    assert_eq!(
        keys(store, None, None, 9),
        ["B", "b", "b-", "for ever", "é"]
    );
    assert_eq!(drop_before(3, 9), 2);
    assert!(found(store, EntryKind::Session, "s").is_none());
    assert_eq!(keys(store, None, None, 9), ["b", "b-", "for ever", "é"]);
    put(store, &entry(EntryKind::Session, "s", "bob", None)).unwrap();
    let of_bob = || store::write(&**store, |t| t.drop_entries_of(EntryKind::Token, "bob")).unwrap();
    assert_eq!((of_bob(), of_bob()), (3, 0));
    assert_eq!(keys(store, None, None, 9), ["b"]);
    assert!(found(store, EntryKind::Session, "s").is_some());
}

pub fn entries_keep_to_their_bounds(store: &Arc<dyn Store>) {
    let long = |key: String, body: usize| Entry {
        body: "b".repeat(body),
        ..entry(EntryKind::Token, &key, "ann", None)
    };
    // In bytes, not in letters.
    let key = "é".repeat(ENTRY_KEY_BYTES / 2);
    let edge = long(key.clone(), ENTRY_BODY_BYTES);
    put(store, &edge).unwrap();
    assert_eq!(found(store, EntryKind::Token, &key), Some(edge));
    for wrong in [
        long(format!("{key}x"), 1),
        long(String::new(), 1),
        long("k".to_owned(), ENTRY_BODY_BYTES + 1),
        long("k\0".to_owned(), 1),
    ] {
        let error = put(store, &wrong).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Refused);
    }
    // A stranger asks for anything, and work goes on behind it.
    let asked = store::write(&**store, |t| {
        let there = t.entry(EntryKind::Token, "\0")?.is_some();
        Ok((
            there,
            t.drop_entry(EntryKind::Token, "\0")?,
            t.setting("x")?,
        ))
    });
    assert_eq!(asked, Ok((false, false, None)));
}

/// An attempt for a notice of an escalation.
fn attempt(of: &str, notice: &str, outcome: AttemptOutcome, at: i64) -> Attempt {
    Attempt {
        notice: notice.to_owned(),
        escalation: of.to_owned(),
        to: "ann".to_owned(),
        channel: format!("log {at}"),
        at: minute(at),
        took_micros: 7,
        outcome,
        said: match outcome {
            AttemptOutcome::Sent => String::new(),
            _ => "busy".to_owned(),
        },
    }
}

fn note(store: &Arc<dyn Store>, attempt: &Attempt) -> Result<(), StoreError> {
    let attempt = attempt.clone();
    store::write(&**store, move |t| t.put_attempt(&attempt))
}

fn attempts(store: &Arc<dyn Store>, query: AttemptQuery) -> Vec<(u64, Attempt)> {
    store::read(&**store, move |t| t.attempts(&query)).unwrap()
}

fn all() -> AttemptQuery {
    AttemptQuery {
        limit: 9,
        ..AttemptQuery::default()
    }
}

/// When they were, the latest first.
fn minutes(store: &Arc<dyn Store>, query: AttemptQuery) -> Vec<Timestamp> {
    let found = attempts(store, query);
    assert!(found.is_sorted_by(|(one, _), (other, _)| one > other));
    found.into_iter().map(|(_, it)| it.at).collect()
}

fn deliver(store: &Arc<dyn Store>, id: &'static str, what: Delivery) {
    store::write(&**store, move |t| t.note_delivery(id, &what)).unwrap();
}

pub fn attempts_come_the_latest_first(store: &Arc<dyn Store>) {
    use AttemptOutcome::{Later, Never, Sent};
    for (id, notices) in [("e1", ["n1", "n2"]), ("e2", ["n3", "n4"])] {
        let notices = notices.map(|id| notice(id, minute(0), None));
        open_with(store, id, notices.to_vec());
    }
    let made = [
        attempt("e1", "n1", Later, 1),
        attempt("e2", "n3", Never, 2),
        attempt("e1", "n2", Sent, 3),
        attempt("e1", "n1", Sent, 4),
    ];
    for it in &made {
        note(store, it).unwrap();
    }
    let found = attempts(store, all());
    let latest: Vec<_> = found.iter().map(|(_, it)| it.clone()).collect();
    assert_eq!(latest, made.iter().rev().cloned().collect::<Vec<_>>());
    let of = |escalation: Option<&str>, outcome| AttemptQuery {
        escalation: escalation.map(str::to_owned),
        outcome,
        ..all()
    };
    let at = |minutes: &[i64]| minutes.iter().map(|it| minute(*it)).collect::<Vec<_>>();
    assert_eq!(minutes(store, of(Some("e1"), None)), at(&[4, 3, 1]));
    assert_eq!(minutes(store, of(None, Some(Sent))), at(&[4, 3]));
    assert_eq!(minutes(store, of(Some("e1"), Some(Later))), at(&[1]));
    assert_eq!(minutes(store, of(Some("e2"), Some(Sent))), at(&[]));
    assert_eq!(minutes(store, of(Some("e0"), None)), at(&[]));
    // Pages follow each other.
    for query in [
        of(None, None),
        of(Some("e1"), None),
        of(Some("e1"), Some(Sent)),
    ] {
        let page = |behind| AttemptQuery {
            behind,
            limit: 1,
            ..query.clone()
        };
        let (mut paged, mut behind) = (Vec::new(), None);
        while let Some((position, it)) = attempts(store, page(behind)).pop() {
            behind = Some(position);
            paged.push(it.at);
        }
        assert_eq!(paged, minutes(store, query.clone()));
    }
    // Work that fails leaves nothing.
    let it = made[0].clone();
    let failed = store::write(&**store, move |t| {
        t.put_attempt(&it)?;
        t.put_entry(&entry(EntryKind::Token, "k", "ann", None))?;
        Err::<(), _>(failing())
    });
    assert_eq!(failed, Err(failing()));
    assert_eq!(attempts(store, all()), found);
    assert!(found.iter().all(|(position, _)| *position > 0));
    assert_eq!(
        store::read(&**store, |t| t.entry(EntryKind::Token, "k")),
        Ok(None)
    );
}

pub fn attempts_keep_to_their_bounds(store: &Arc<dyn Store>) {
    open_with(store, "e1", vec![notice("n1", minute(0), None)]);
    let of = |channel: usize, said: usize| Attempt {
        channel: "c".repeat(channel),
        said: "s".repeat(said),
        took_micros: u64::MAX,
        ..attempt("e1", "n1", AttemptOutcome::Never, 1)
    };
    note(store, &of(ATTEMPT_CHANNEL, ATTEMPT_SAID)).unwrap();
    for wrong in [
        of(ATTEMPT_CHANNEL + 1, 1),
        of(0, 1),
        of(1, ATTEMPT_SAID + 1),
        Attempt {
            said: "\0".to_owned(),
            ..of(1, 1)
        },
    ] {
        let error = note(store, &wrong).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Refused);
    }
    let kept = attempts(store, all());
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].1.took_micros, i64::MAX.unsigned_abs());
}

fn takers(store: &Arc<dyn Store>, id: &'static str) -> Vec<String> {
    store::read(&**store, move |t| t.taken_by(id)).unwrap()
}

fn again(store: &Arc<dyn Store>, id: &'static str, at: i64) -> bool {
    store::write(&**store, move |t| t.redeliver(id, minute(at))).unwrap()
}

pub fn a_notice_that_is_over_is_sent_again_by_every_channel(store: &Arc<dyn Store>) {
    use AttemptOutcome::{Later, Never, Sent};
    let notices = ["n1", "n2", "n3"].map(|id| notice(id, minute(0), None));
    open_with(store, "e1", notices.to_vec());
    assert_eq!(take(store, 0, 2, 9).len(), 3);
    for it in [
        attempt("e1", "n1", Later, 1),
        attempt("e1", "n1", Sent, 2),
        attempt("e1", "n2", Sent, 3),
        attempt("e1", "n1", Never, 4),
    ] {
        note(store, &it).unwrap();
    }
    assert_eq!(takers(store, "n1"), ["log 2"]);
    assert_eq!(takers(store, "n3"), [""; 0]);
    assert_eq!(takers(store, "no such notice"), [""; 0]);
    // One that waits is not touched, and one that is not there is not made.
    assert!(!again(store, "n1", 5));
    assert!(!again(store, "no such notice", 5));
    deliver(store, "n1", Delivery::Sent(minute(4)));
    deliver(store, "n2", Delivery::Failed(minute(4), "gone".to_owned()));
    deliver(store, "n3", Delivery::Retry(minute(90), "busy".to_owned()));
    assert!(again(store, "n1", 10));
    assert!(again(store, "n2", 11));
    assert!(!again(store, "n1", 12));
    assert_eq!((takers(store, "n1"), takers(store, "n2")), (vec![], vec![]));
    assert_eq!(take(store, 9, 20, 9), []);
    let first = |id: &str| (id.to_owned(), 1, 0);
    assert_eq!(take(store, 10, 20, 9), [first("n1")]);
    assert_eq!(take(store, 11, 20, 9), [first("n2")]);
    note(store, &attempt("e1", "n1", Sent, 13)).unwrap();
    assert_eq!(takers(store, "n1"), ["log 13"]);
    // It ends as the first time.
    deliver(store, "n1", Delivery::Sent(minute(13)));
    deliver(store, "n2", Delivery::Failed(minute(13), "gone".to_owned()));
    let outbox = store::read(&**store, |t| t.outbox()).unwrap();
    assert_eq!((outbox.waiting, outbox.failed), (1, 1));
    assert_eq!(attempts(store, all()).len(), 5);
}

pub fn what_is_sent_again_merges_with_nothing(store: &Arc<dyn Store>) {
    open_with(store, "e1", vec![notice("n1", minute(0), Some("m"))]);
    assert_eq!(take(store, 0, 2, 9).len(), 1);
    deliver(store, "n1", Delivery::Sent(minute(1)));
    open_with(store, "e2", vec![notice("n2", minute(2), Some("m"))]);
    assert!(again(store, "n1", 3));
    open_with(store, "e3", vec![notice("n3", minute(3), Some("m"))]);
    let of = |id: &str, count| (id.to_owned(), count, 0);
    assert_eq!(take(store, 9, 20, 9), [of("n2", 2), of("n1", 1)]);
}

pub fn attempts_go_when_they_are_old_and_with_their_escalation(store: &Arc<dyn Store>) {
    use AttemptOutcome::{Later, Sent};
    open_with(
        store,
        "e1",
        ["sent", "waits"]
            .map(|id| notice(id, minute(0), None))
            .to_vec(),
    );
    open_with(store, "e2", vec![notice("other", minute(0), None)]);
    assert_eq!(take(store, 0, 1, 9).len(), 3);
    for it in [
        attempt("e1", "waits", Later, 1),
        attempt("e1", "sent", Later, 2),
        attempt("e1", "sent", Sent, 3),
        attempt("e2", "other", Sent, 4),
    ] {
        note(store, &it).unwrap();
    }
    deliver(store, "sent", Delivery::Sent(minute(3)));
    deliver(store, "other", Delivery::Sent(minute(4)));
    let drop_before =
        |at, limit| store::write(&**store, move |t| t.drop_attempts(minute(at), limit)).unwrap();
    // A retry of what waits goes by its attempts.
    assert_eq!(drop_before(2, 9), 0);
    assert_eq!(drop_before(4, 1), 1);
    let at = |minutes: &[i64]| minutes.iter().map(|it| minute(*it)).collect::<Vec<_>>();
    assert_eq!(minutes(store, all()), at(&[4, 3, 1]));
    assert_eq!(drop_before(4, 9), 1);
    assert_eq!(drop_before(4, 9), 0);
    // A position is not given twice.
    let last = attempts(store, all())[0].0;
    assert_eq!(drop_before(5, 9), 1);
    note(store, &attempt("e2", "other", Sent, 5)).unwrap();
    assert!(attempts(store, all())[0].0 > last);
    // What is erased names nobody, and what comes late of it is not written.
    done(store, "e1", cancel(), &person("agent"), minute(6));
    erase(store, "e1").unwrap();
    note(store, &attempt("e1", "waits", Sent, 7)).unwrap();
    note(store, &attempt("e1", "other", Sent, 7)).unwrap();
    assert_eq!(minutes(store, all()), at(&[5]));
    // An attempt outlives its notice.
    done(store, "e2", cancel(), &person("agent"), minute(6));
    store::write(&**store, |t| t.drop_notices(minute(60), 9)).unwrap();
    assert_eq!(minutes(store, all()), at(&[5]));
    assert_eq!(drop_before(60, 9), 1);
}
