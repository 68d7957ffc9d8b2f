//! What a desk does with requests: once for each key, together in a group, never by an error; and what it
//! keeps over a restart.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::sync::Arc;

use chrono::TimeDelta;
use laneway::desk::{Clock, Consumption, Desk, DeskError, Happened, Opened, Settings};
use laneway::escalation::policy::RedactPath;
use laneway::escalation::{Cause, Command, Outcome, Refusal, Reply, VoteOf};
use laneway::store::{MemoryStore, Store};
use laneway::{Options, Router};

#[path = "support/world.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod world;

#[path = "desk/notices.rs"]
mod notices;

use world::{Hands, Mailbox, actor, principal};

struct Office {
    hands: Arc<Hands>,
    desk: Desk,
    router: Router,
}

impl Office {
    fn new(settings: Settings) -> Self {
        let hands = Hands::new();
        let wall = Arc::clone(&hands);
        let store = MemoryStore::new(Arc::new(move || wall.wall()));
        Self::over(Arc::new(store), hands, settings)
    }

    fn over(store: Arc<dyn Store>, hands: Arc<Hands>, settings: Settings) -> Self {
        let clock: Arc<dyn Clock> = Arc::<Hands>::clone(&hands);
        Self {
            desk: Desk::new(store, settings, clock).unwrap(),
            hands,
            router: Router::new(world::matrix()),
        }
    }

    fn open(&self, id: &str, amount: &str) -> Result<Opened, DeskError> {
        self.open_for(id, amount, "c1", None)
    }

    fn open_for(
        &self,
        id: &str,
        amount: &str,
        customer: &str,
        key: Option<&str>,
    ) -> Result<Opened, DeskError> {
        let event = world::event(id, amount, customer, None);
        let (ask, decided) = world::ask(&self.router, event, key, self.hands.wall());
        self.desk.open(&ask, &decided)
    }

    fn approve(&self, id: &str, who: &str) -> Result<Option<Outcome>, DeskError> {
        let digest = self.desk.show(id)?.escalation.digest;
        let vote = Command::Vote(VoteOf::Approve {
            digest,
            reason: None,
        });
        let done = self.desk.act(id, vote, actor(who))?;
        Ok(done.escalation.resolution.map(|end| end.outcome))
    }

    fn consume(&self, id: &str, digest: &str, key: &str) -> Result<Reply, DeskError> {
        let consumption = Consumption {
            digest: Some(digest.to_owned()),
            event: None,
            key: key.to_owned(),
        };
        let live = self.router.matrix();
        let done = self
            .desk
            .consume(id, &consumption, &live, actor("service"))?;
        Ok(done.reply)
    }
}

fn id(opened: &Opened) -> String {
    opened.escalation.pinned.id.clone()
}

fn refused(error: DeskError) -> Refusal {
    match error {
        DeskError::Refused(refusal) => *refusal,
        other => panic!("not refused by a rule: {other}"),
    }
}

#[test]
fn wrong_answer_an_unknown_id_is_never_an_allow() {
    let office = Office::new(world::settings(&[]));
    let unknown = "00000000000000000000000000000000";
    let digest = "11".repeat(32);
    let vote = Command::Vote(VoteOf::Approve {
        digest: digest.clone(),
        reason: None,
    });
    let not_found = DeskError::NotFound(unknown.to_owned());
    let answer = office.desk.act(unknown, vote, actor("b1@x"));
    assert_eq!(answer.unwrap_err(), not_found);
    assert_eq!(
        office.consume(unknown, &digest, "k").unwrap_err(),
        not_found
    );
    assert_eq!(office.desk.show(unknown).unwrap_err(), not_found);
}

#[cfg(feature = "sqlite")]
#[test]
fn wrong_answer_a_restart_loses_nothing_that_is_pending() {
    use laneway::store::{SqliteOptions, SqliteStore};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("laneway.db");
    let hands = Hands::new();
    let office = || {
        let wall = Arc::clone(&hands);
        let options = SqliteOptions::new(Arc::new(move || wall.wall()));
        let store = SqliteStore::open(&path, options).unwrap();
        Office::over(Arc::new(store), Arc::clone(&hands), world::settings(&[]))
    };
    let first = office();
    let opened = first.open("e1", "5000").unwrap();
    let id = id(&opened);
    assert_eq!(first.approve(&id, "b1@x").unwrap(), None);
    drop(first);
    hands.pass(TimeDelta::minutes(20));
    let second = office();
    assert_eq!(second.desk.show(&id).unwrap().escalation.votes.len(), 1);
    assert_eq!(
        second.approve(&id, "b2@x").unwrap(),
        Some(Outcome::Approved)
    );
    drop(second);
    let third = office();
    let digest = opened.escalation.digest.clone();
    let used = third.consume(&id, &digest, "k").unwrap();
    assert_eq!(used, Reply::Consumed { replayed: false });
    assert!(third.desk.verify(Vec::new()).unwrap().is_sound());
}

#[test]
fn rule_1_a_key_opens_once() {
    let office = Office::new(world::settings(&[]));
    let first = office.open("e1", "5000").unwrap();
    let again = office.open("e1", "5000").unwrap();
    assert!(again.replayed && !first.replayed);
    assert_eq!(id(&again), id(&first));
    let conflict = office.open("e1", "5001").unwrap_err();
    assert_eq!(conflict.code(), "conflict");
    // The request's key comes before the event's id.
    let other = office.open_for("e1", "5001", "c1", Some("k-2")).unwrap();
    assert_ne!(id(&other), id(&first));
}

#[test]
fn rule_1_what_does_not_escalate_or_has_no_key_opens_nothing() {
    let office = Office::new(world::settings(&[]));
    let allowed = office.open("e1", "5").unwrap_err();
    assert_eq!(allowed, DeskError::NotEscalated("allow"));
    let event = br#"{"kind": "pay", "amount": 5000, "customer": "c1"}"#.to_vec();
    let (ask, decided) = world::ask(&office.router, event, None, office.hands.wall());
    assert_eq!(
        office.desk.open(&ask, &decided).unwrap_err(),
        DeskError::NoKey
    );
}

#[test]
fn events_of_a_group_join_and_a_grant_covers_the_first_only() {
    let office = Office::new(world::settings(&[]));
    let first = office.open_for("e1", "150", "c1", None).unwrap();
    let second = office.open_for("e2", "160", "c1", None).unwrap();
    let other = office.open_for("e3", "150", "c2", None).unwrap();
    assert!(second.joined && id(&second) == id(&first) && id(&other) != id(&first));
    let id = id(&first);
    assert_eq!(
        office.approve(&id, "o1@x").unwrap(),
        Some(Outcome::Approved)
    );
    // The action that joined is another one, by its digest and by its event.
    let event = world::event("e2", "160", "c1", None);
    let (_, decided) = world::ask(&office.router, event.clone(), None, office.hands.wall());
    let digest = decided.decision.action_digest;
    let refusal = refused(office.consume(&id, &digest, "k").unwrap_err());
    assert!(matches!(refusal, Refusal::OtherAction { .. }), "{refusal}");
    let by_event = Consumption {
        digest: None,
        event: Some(event),
        key: "k".to_owned(),
    };
    let live = office.router.matrix();
    let answer = office.desk.consume(&id, &by_event, &live, actor("service"));
    let refusal = refused(answer.unwrap_err());
    assert!(matches!(refusal, Refusal::OtherAction { .. }), "{refusal}");
    assert_eq!(second.escalation.word(office.hands.wall()), "escalate");
    assert!(office.consume(&id, &first.escalation.digest, "k").is_ok());
    // Behind the end it is asked for again, by its own key, and opens by itself.
    let again = office.open_for("e2", "160", "c1", None).unwrap();
    assert!(!again.joined && !again.replayed && again.escalation.is_pending());
    assert!(office.open_for("e2", "160", "c1", None).unwrap().replayed);
}

#[test]
fn rule_8_a_grant_is_used_once_for_what_was_approved_and_lapses() {
    let office = Office::new(world::settings(&[]));
    let opened = office.open("e1", "5000").unwrap();
    let (id, digest) = (id(&opened), opened.escalation.digest.clone());
    let pending = refused(office.consume(&id, &digest, "k").unwrap_err());
    assert!(matches!(pending, Refusal::NoGrant(_)), "{pending}");
    office.approve(&id, "b1@x").unwrap();
    office.approve(&id, "b2@x").unwrap();
    assert!(office.consume(&id, &digest, "k").is_ok());
    let again = office.consume(&id, &digest, "k").unwrap();
    assert_eq!(again, Reply::Consumed { replayed: true });
    let other = refused(office.consume(&id, &digest, "other").unwrap_err());
    assert_eq!(other, Refusal::Consumed);

    let late = office.open("e2", "6000").unwrap();
    office.approve(&late.escalation.pinned.id, "b1@x").unwrap();
    office.approve(&late.escalation.pinned.id, "b2@x").unwrap();
    office.hands.pass(TimeDelta::minutes(15));
    let (id, digest) = (
        late.escalation.pinned.id.clone(),
        late.escalation.digest.clone(),
    );
    let lapsed = refused(office.consume(&id, &digest, "k").unwrap_err());
    assert!(matches!(lapsed, Refusal::Lapsed(_)), "{lapsed}");
}

#[test]
fn rule_8_a_stricter_matrix_takes_the_grant_back() {
    let office = Office::new(world::settings(&[]));
    let opened = office.open("e1", "5000").unwrap();
    let (id, digest) = (id(&opened), opened.escalation.digest.clone());
    office.approve(&id, "b1@x").unwrap();
    office.approve(&id, "b2@x").unwrap();
    let stricter = world::MATRIX.replace("risk is high if present", "amount > 4000 EUR");
    let loaded = laneway::check_text("m.lane", &stricter, &Options::default());
    let live = loaded.into_matrix().unwrap();
    let consumption = Consumption {
        digest: Some(digest.clone()),
        event: None,
        key: "k".to_owned(),
    };
    let by = actor("service");
    let refusal = refused(
        office
            .desk
            .consume(&id, &consumption, &live, by)
            .unwrap_err(),
    );
    assert!(matches!(refusal, Refusal::Revoked(Some(_))), "{refusal}");
    let gone = refused(office.consume(&id, &digest, "k").unwrap_err());
    assert_eq!(gone, Refusal::Revoked(None));
}

#[test]
fn rule_13_too_many_are_denied_at_once_and_notices_merge() {
    let mut settings = world::settings(&[]);
    settings.policy.open_per_requester = 3;
    settings.policy.open_per_group = 1;
    let office = Office::new(settings);
    for n in 0..3 {
        let opened = office.open(&format!("e{n}"), &format!("500{n}")).unwrap();
        assert!(opened.escalation.is_pending());
    }
    let flood = office.open("e9", "9000").unwrap();
    let end = flood.escalation.resolution.unwrap();
    assert_eq!((end.outcome, end.cause), (Outcome::Denied, Cause::Flood));
    let mailbox = Mailbox::default();
    office.desk.send(&mailbox, 1_000).unwrap();
    let taken = mailbox.taken.lock().unwrap();
    let asked = taken.iter().filter(|it| {
        it.notice.about == laneway::escalation::About::Asked
            && it.notice.to == laneway::escalation::Recipient::Person(principal("b1@x"))
    });
    let counts: Vec<u32> = asked.map(|it| it.count).collect();
    assert_eq!(counts.iter().sum::<u32>(), 3);
    assert!(counts.len() < 3, "{counts:?}");
}

#[test]
fn rule_12_a_step_that_reaches_nobody_brings_the_next_forward() {
    let office = Office::new(world::settings(&[]));
    let opened = office.open("e1", "5000").unwrap();
    let mailbox = Mailbox::default();
    *mailbox.refuses.lock().unwrap() = Some(true);
    office.desk.send(&mailbox, 1_000).unwrap();
    let it = office.desk.show(&id(&opened)).unwrap().escalation;
    assert!(it.undelivered > 0);
    let asks_backup = it.sign_offs[0]
        .seated()
        .any(|seat| seat.person == principal("cfo@x"));
    assert!(asks_backup, "the backup is not asked yet");
}

#[test]
fn what_is_redacted_is_never_stored() {
    let mut settings = world::settings(&[]);
    let redact = ["customer", "amount", "note.token"];
    settings.policy.redact = redact.map(|path| RedactPath::parse(path).unwrap()).to_vec();
    let office = Office::new(settings);
    // The amount is what the lane fires on.
    let opened = office
        .open_for("e1", "54321.98", "secret-77", None)
        .unwrap();
    let id = id(&opened);
    let by = || actor("b1@x");
    let note = br#"{"token": "secret-token", "text": "seen"}"#;
    office.desk.attach(&id, "note", note, by()).unwrap();
    let broken = office
        .desk
        .attach(&id, "more", br#"{"token": "secret-token",}"#, by());
    assert_eq!(broken.unwrap_err().code(), "not_json");
    let again = office.desk.attach(&id, "note", b"other", by());
    assert_eq!(again.unwrap_err().code(), "evidence");
    let changed = String::from_utf8(world::event("x", "44321.98", "secret-88", None)).unwrap();
    let inside = changed.replace(
        '}',
        r#", "note": [{"token": "secret-99", "text": "kept"}]}"#,
    );
    let changed = inside.into_bytes();
    office.desk.amend(&id, &changed, None, by()).unwrap();
    let shown = office.desk.show(&id).unwrap();
    assert!(shown.packet.unwrap().piece("note").is_some());
    let whole = |it: &Happened| it.body().unwrap().to_owned();
    let is_there = shown.history.iter().any(|it| whole(it).contains("kept"));
    assert!(is_there, "what is beside a secret in a list");
    for happened in shown.history {
        let body = whole(&happened);
        for secret in ["secret-", "4321.98"] {
            assert!(!body.contains(secret), "{}: {body}", happened.row.kind);
        }
    }
    assert_eq!(office.approve(&id, "b2@x").unwrap(), Some(Outcome::Amended));
    let digest = office.desk.show(&id).unwrap().escalation.digest;
    // It cannot be decided again without what was not stored.
    assert_eq!(
        office.consume(&id, &digest, "k").unwrap_err(),
        DeskError::NeedsEvent
    );
    let consumption = Consumption {
        digest: None,
        event: Some(changed),
        key: "k".to_owned(),
    };
    let live = office.router.matrix();
    let done = office
        .desk
        .consume(&id, &consumption, &live, actor("service"));
    assert_eq!(done.unwrap().reply, Reply::Consumed { replayed: false });
}

#[test]
fn rule_8_of_two_actions_that_are_named_none_runs() {
    let office = Office::new(world::settings(&[]));
    let opened = office.open("e1", "5000").unwrap();
    let id = id(&opened);
    office.approve(&id, "b1@x").unwrap();
    office.approve(&id, "b2@x").unwrap();
    let right = opened.escalation.digest.clone();
    let events = ["5000", "5001"].map(|amount| world::event("e1", amount, "c1", None));
    for (digest, event) in [("33".repeat(32), &events[0]), (right, &events[1])] {
        let both = Consumption {
            digest: Some(digest),
            event: Some(event.clone()),
            key: "k".to_owned(),
        };
        let live = office.router.matrix();
        let answer = office.desk.consume(&id, &both, &live, actor("service"));
        let refusal = refused(answer.unwrap_err());
        assert!(matches!(refusal, Refusal::OtherAction { .. }), "{refusal}");
    }
    let it = office.desk.show(&id).unwrap().escalation;
    let lapses = it.grant.as_ref().unwrap().lapses;
    let before = lapses - TimeDelta::microseconds(1);
    assert_eq!(it.word(office.hands.wall()), "allow");
    // Whether or not the lapse is noted yet.
    assert_eq!([it.word(before), it.word(lapses)], ["allow", "block"]);
    office.consume(&id, &it.digest, "k").unwrap();
    assert_eq!(
        office
            .desk
            .show(&id)
            .unwrap()
            .escalation
            .word(office.hands.wall()),
        "block"
    );
}

#[test]
fn rule_9_a_matrix_that_is_first_seen_by_a_replay_is_stored_by_the_next_opening() {
    let mut office = Office::new(world::settings(&[]));
    office.open("e1", "5000").unwrap();
    let text = world::MATRIX.replace("Large payments", "Very large payments");
    let loaded = laneway::check_text("m.lane", &text, &Options::default());
    office.router = Router::new(loaded.into_matrix().unwrap());
    assert!(office.open("e1", "5000").unwrap().replayed);
    let opened = office.open("e2", "5000").unwrap();
    let pinned = office
        .desk
        .pinned(&opened.escalation.pinned.matrix)
        .unwrap();
    assert_eq!(pinned.digest, office.router.matrix().digest);
}

#[test]
fn rule_12_counts_for_each_sign_off_of_a_notice_that_is_for_several() {
    let office = Office::new(world::settings(&[]));
    let event = world::event("e1", "5000", "c1", Some("high"));
    let (ask, decided) = world::ask(&office.router, event, None, office.hands.wall());
    let opened = office.desk.open(&ask, &decided).unwrap();
    assert_eq!(opened.escalation.sign_offs.len(), 2);
    let mailbox = Mailbox::default();
    *mailbox.refuses.lock().unwrap() = Some(true);
    office.desk.send(&mailbox, 1_000).unwrap();
    let it = office.desk.show(&id(&opened)).unwrap().escalation;
    let backups = it.sign_offs.iter().map(|it| {
        let mut seated = it.seated();
        seated.any(|seat| ["cfo@x", "o3@x"].contains(&seat.person.as_str()))
    });
    assert_eq!(backups.collect::<Vec<_>>(), [true, true]);
}

#[test]
fn what_ended_long_ago_is_erased_and_the_audit_still_verifies() {
    let mut settings = world::settings(&[]);
    settings.policy.retain = Some(laneway::Duration::from_minutes(60));
    let office = Office::new(settings);
    let opened = office.open("e1", "5000").unwrap();
    let id = id(&opened);
    let cancel = Command::Cancel { reason: None };
    office.desk.act(&id, cancel, actor("service")).unwrap();
    assert_eq!(office.desk.keep_house().unwrap().erased, 0);
    office.hands.pass(TimeDelta::minutes(61));
    assert_eq!(office.desk.keep_house().unwrap().erased, 1);
    assert!(office.desk.show(&id).unwrap().packet.is_none());
    let kept = office.desk.checkpoint().unwrap();
    let report = office.desk.verify(kept.into_iter().collect()).unwrap();
    assert!(report.is_sound() && report.erased > 0, "{report:?}");
}

#[test]
fn what_was_sent_of_what_ended_is_dropped_behind_its_keys() {
    let office = Office::new(world::settings(&[]));
    let ended = id(&office.open("e1", "5000").unwrap());
    let pending = id(&office.open("e2", "5000").unwrap());
    let deny = Command::Vote(VoteOf::Deny {
        reason: "no".to_owned(),
    });
    office.desk.act(&ended, deny, actor("b1@x")).unwrap();
    let mailbox = world::Mailbox::default();
    office.desk.send(&mailbox, 100).unwrap();
    let of = |id: &str| {
        let taken = mailbox.taken.lock().unwrap();
        taken.iter().filter(|it| it.escalation == id).count() as u64
    };
    assert!(of(&ended) > 1 && of(&pending) > 1);
    office.hands.pass(TimeDelta::days(29));
    assert_eq!(office.desk.keep_house().unwrap().notices, 0);
    office.hands.pass(TimeDelta::days(2));
    let kept = office.desk.keep_house().unwrap();
    // What is pending keeps all of it, however old.
    assert_eq!((kept.notices, kept.requests), (of(&ended), 1));
    assert_eq!(office.desk.keep_house().unwrap().notices, 0);
}

#[test]
fn rule_4_a_clock_that_jumped_times_nothing_out() {
    let office = Office::new(world::settings(&[]));
    let opened = office.open_for("e1", "150", "c1", None).unwrap();
    let id = id(&opened);
    office.hands.jump(TimeDelta::hours(5));
    let stepped = office.desk.run_due(10).unwrap();
    assert!(stepped.is_suspended && office.desk.suspicion().is_some());
    assert!(office.desk.show(&id).unwrap().escalation.is_pending());
    // An operator says that it is right: then the step that is due comes, and not yet the end.
    office.desk.confirm_clock().unwrap();
    assert_eq!(office.desk.run_due(10).unwrap().escalations, 1);
    assert!(office.desk.show(&id).unwrap().escalation.is_pending());
}

#[test]
fn rule_4_after_the_machine_was_off_no_command_times_anything_out_until_the_clock_is_confirmed() {
    let hands = Hands::new();
    let wall = Arc::clone(&hands);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(move || wall.wall())));
    let settings = || world::settings(&[]);
    let before = Office::over(Arc::clone(&store), Arc::clone(&hands), settings());
    let id = id(&before.open_for("e1", "150", "c1", None).unwrap());
    before.desk.keep_house().unwrap();
    drop(before);
    hands.restart(TimeDelta::hours(10));
    let after = Office::over(store, Arc::clone(&hands), settings());
    let text = "what time is it?".to_owned();
    let comment = |text: &String| Command::Comment { text: text.clone() };
    after.desk.act(&id, comment(&text), actor("o1@x")).unwrap();
    let it = after.desk.show(&id).unwrap().escalation;
    assert_eq!((it.sign_offs[0].next, it.is_pending()), (0, true));
    // Two readings, 30 s apart, agree.
    hands.pass(TimeDelta::seconds(31));
    after.desk.act(&id, comment(&text), actor("o1@x")).unwrap();
    assert_eq!(
        after.desk.show(&id).unwrap().escalation.sign_offs[0].next,
        1
    );
}
