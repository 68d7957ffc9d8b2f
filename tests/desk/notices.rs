//! Notices by several channels: what is kept of each, who is asked again, and for how long it is kept.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use laneway::desk::{Desk, Settings};
use laneway::escalation::people::{Channel, ChannelKind};
use laneway::escalation::{Command, Directory};
use laneway::limits::{NOTICE_RETRIES, NOTICE_TRIES_UNTOLD};
use laneway::notify::{Carrier, NotifyError, Router as Channels};
use laneway::store::{self, Attempt, AttemptOutcome, AttemptQuery, Entry, EntryKind, Posted};

use super::world::{self, Mailbox, actor};
use super::{Office, id};

/// A kind of channel that answers as it is told, and keeps who was asked.
#[derive(Debug, Clone)]
struct Line {
    answer: Arc<Mutex<Result<(), NotifyError>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Line {
    fn new(answer: Result<(), NotifyError>) -> Self {
        Self {
            answer: Arc::new(Mutex::new(answer)),
            asked: Arc::default(),
        }
    }

    fn answers(&self, answer: Result<(), NotifyError>) {
        *self.answer.lock().unwrap() = answer;
    }

    /// The notices that it was asked to carry since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Carrier for Line {
    fn carry(&self, posted: &Posted, _: &Channel, _: &Directory) -> Result<(), NotifyError> {
        self.asked.lock().unwrap().push(posted.notice.id.clone());
        self.answer.lock().unwrap().clone()
    }
}

fn later() -> Result<(), NotifyError> {
    Err(NotifyError::Later("the line\0 is busy".to_owned()))
}

fn never() -> Result<(), NotifyError> {
    Err(NotifyError::Never("no such address".to_owned()))
}

/// An office in which everybody has two channels, what sends through them, and an escalation.
struct Two {
    office: Office,
    log: Line,
    file: Line,
    channels: Channels,
    id: String,
}

impl Two {
    fn new(log: Result<(), NotifyError>, file: Result<(), NotifyError>) -> Self {
        let both = [ChannelKind::Log, ChannelKind::File].map(Channel::from);
        let office = Office::new(Settings {
            directory: world::directory_by(&[], both.to_vec()),
            ..world::settings(&[])
        });
        let opened = office.open("e1", "5000").unwrap();
        let (log, file) = (Line::new(log), Line::new(file));
        Self {
            channels: Channels::new()
                .with(ChannelKind::Log, Box::new(log.clone()))
                .with(ChannelKind::File, Box::new(file.clone()))
                .with_callers(Box::new(Mailbox::default())),
            id: id(&opened),
            office,
            log,
            file,
        }
    }

    fn send(&self) -> laneway::desk::Sent {
        self.office.desk.send(&self.channels, 100).unwrap()
    }
}

fn attempts(desk: &Desk, outcome: Option<AttemptOutcome>) -> Vec<Attempt> {
    let query = AttemptQuery {
        outcome,
        limit: 1_000,
        ..AttemptQuery::default()
    };
    let found = store::read(desk.store().as_ref(), move |t| t.attempts(&query)).unwrap();
    found.into_iter().map(|(_, attempt)| attempt).collect()
}

#[test]
fn a_retry_asks_only_the_channels_that_did_not_take_it() {
    let two = Two::new(Ok(()), later());
    let sent = two.send();
    let people = two.log.asked();
    assert!(people.len() > 1 && two.file.asked() == people);
    assert_eq!((sent.retried, sent.failed), (people.len(), 0));
    // Callers have one line, which took it.
    assert!(sent.sent > 0);
    let desk = &two.office.desk;
    let busy = attempts(desk, Some(AttemptOutcome::Later));
    assert_eq!(busy.len(), people.len());
    for it in &busy {
        assert_eq!((&*it.channel, &*it.said), ("file", "the line  is busy"));
        assert_eq!(it.escalation, two.id);
        assert!(it.notice.ends_with(&format!("/{}", it.to)), "{it:?}");
    }
    two.office.hands.pass(TimeDelta::seconds(2));
    assert_eq!(two.send().retried, people.len());
    assert_eq!(
        (two.log.asked().len(), two.file.asked().len()),
        (0, people.len())
    );
    two.file.answers(Ok(()));
    two.office.hands.pass(TimeDelta::seconds(6));
    assert_eq!(two.send().sent, people.len());
    assert_eq!(
        (two.log.asked().len(), two.file.asked().len()),
        (0, people.len())
    );
    let of_one = |it: &&Attempt| it.notice == people[0];
    let kept = attempts(desk, None);
    let kept = kept.iter().filter(of_one);
    let kept: Vec<_> = kept.map(|it| (&*it.channel, it.outcome)).collect();
    use AttemptOutcome::{Later, Sent};
    assert_eq!(
        kept,
        [
            ("file", Sent),
            ("file", Later),
            ("file", Later),
            ("log", Sent)
        ]
    );
    // Sent again, it goes by all of them, and a retry of that only by those that are left.
    let (one, now) = (people[0].clone(), world::now(&two.office.hands));
    store::write(desk.store().as_ref(), move |t| t.redeliver(&one, now)).unwrap();
    two.log.answers(later());
    assert_eq!(two.send().retried, 1);
    assert_eq!(
        (two.log.asked(), two.file.asked()),
        (people[..1].to_vec(), people[..1].to_vec())
    );
    two.office.hands.pass(TimeDelta::seconds(2));
    assert_eq!(two.send().retried, 1);
    assert_eq!(
        (two.log.asked(), two.file.asked()),
        (people[..1].to_vec(), vec![])
    );
}

#[test]
fn whom_one_channel_told_is_told_whatever_the_other_does() {
    for other in [later(), never()] {
        let two = Two::new(Ok(()), other);
        let mut sent = two.send().sent;
        let people = two.log.asked().len();
        for wait in NOTICE_RETRIES {
            two.office
                .hands
                .pass(TimeDelta::seconds(i64::from(wait) + 1));
            let round = two.send();
            assert_eq!(round.failed, 0);
            sent += round.sent;
        }
        assert!(sent > people);
        let outbox = store::read(two.office.desk.store().as_ref(), |t| t.outbox()).unwrap();
        assert_eq!((outbox.waiting, outbox.failed), (0, 0));
        assert_eq!(two.log.asked().len(), 0);
        let it = two.office.desk.show(&two.id).unwrap().escalation;
        assert_eq!(it.undelivered, 0);
        let failed = attempts(&two.office.desk, None);
        assert!(failed.iter().any(|it| it.outcome != AttemptOutcome::Sent));
    }
}

#[test]
fn who_is_told_by_nobody_is_undeliverable_with_an_attempt_for_each_channel() {
    let two = Two::new(never(), never());
    let sent = two.send();
    assert_eq!(sent.failed, two.log.asked().len());
    let never = attempts(&two.office.desk, Some(AttemptOutcome::Never));
    assert_eq!(never.len(), 2 * sent.failed);
    let it = two.office.desk.show(&two.id).unwrap().escalation;
    assert!(it.undelivered > 0);
}

#[test]
fn a_notice_is_tried_over_days_and_somebody_else_is_asked_long_before() {
    let days = NOTICE_RETRIES.iter().map(|it| i64::from(*it)).sum::<i64>() / 86_400;
    assert!((3..=7).contains(&days), "{days}");
    let two = Two::new(later(), later());
    let desk = &two.office.desk;
    let undelivered = || desk.show(&two.id).unwrap().escalation.undelivered;
    let untold = || {
        let found = store::read(desk.store().as_ref(), |t| {
            t.entries(EntryKind::Untold, None, None, 100)
        });
        found.unwrap().len()
    };
    let of_first = || {
        let failed = attempts(desk, Some(AttemptOutcome::Later));
        let first = format!("{}/asked/b1@x", two.id);
        failed.iter().filter(|it| it.notice == first).count()
    };
    two.send();
    let mut tries = 1;
    for wait in NOTICE_RETRIES {
        // What failed so often is another one's to answer; what is hurried by that fails as well.
        let is_late = tries >= NOTICE_TRIES_UNTOLD;
        assert_eq!(undelivered() > 0, is_late, "{tries}");
        assert_eq!(undelivered() as usize, untold(), "{tries}");
        two.office
            .hands
            .pass(TimeDelta::seconds(i64::from(wait) + 1));
        two.send();
        tries += 1;
        if !desk.show(&two.id).unwrap().escalation.is_pending() {
            break;
        }
        // Each by two channels.
        assert_eq!(of_first(), 2 * tries as usize);
    }
    assert!(tries > NOTICE_TRIES_UNTOLD + 3, "{tries}");
}

#[test]
fn whom_a_channel_told_is_not_untold_however_often_the_other_fails() {
    let two = Two::new(Ok(()), later());
    two.send();
    for wait in NOTICE_RETRIES {
        two.office
            .hands
            .pass(TimeDelta::seconds(i64::from(wait) + 1));
        two.send();
    }
    let it = two.office.desk.show(&two.id).unwrap().escalation;
    assert_eq!(it.undelivered, 0);
}

#[test]
fn nobody_is_asked_again_to_decide_what_has_ended() {
    let two = Two::new(later(), later());
    let people = two.send().retried;
    two.log.asked();
    let desk = &two.office.desk;
    let cancel = Command::Cancel { reason: None };
    desk.act(&two.id, cancel, actor("service")).unwrap();
    two.office.hands.pass(TimeDelta::seconds(2));
    let sent = two.send();
    assert_eq!((sent.retried, sent.failed), (0, 0));
    assert!(people > 0 && two.log.asked().is_empty());
    let outbox = store::read(desk.store().as_ref(), |t| t.outbox()).unwrap();
    assert_eq!((outbox.waiting, outbox.failed), (0, 0));
}

#[test]
fn what_was_sent_or_given_up_is_sent_again_when_somebody_asks_for_it() {
    let two = Two::new(never(), never());
    two.send();
    let desk = &two.office.desk;
    let one = two.log.asked()[0].clone();
    // Whoever is asked instead is not told either.
    while two.send().failed > 0 {}
    two.log.asked();
    assert!(desk.redeliver(&one).unwrap());
    two.log.answers(Ok(()));
    assert_eq!(two.send().sent, 1);
    assert_eq!(two.log.asked(), std::slice::from_ref(&one));
    assert!(desk.redeliver(&one).unwrap());
    // What waits is not touched, and what is not there is not made.
    assert!(!desk.redeliver(&one).unwrap());
    assert!(!desk.redeliver("nobody/asked/b1@x").unwrap());
}

#[test]
fn callers_are_told_with_an_attempt_too() {
    let two = Two::new(Ok(()), Ok(()));
    two.send();
    let of_people = attempts(&two.office.desk, None);
    let of_callers = of_people.iter().filter(|it| it.channel == "mailbox");
    let to: Vec<&str> = of_callers.map(|it| &*it.to).collect();
    assert!(
        !to.is_empty() && to.iter().all(|it| *it == "service"),
        "{to:?}"
    );
}

#[test]
fn what_a_service_keeps_goes_when_its_time_is_over_and_attempts_when_they_are_old() {
    let two = Two::new(Ok(()), Ok(()));
    two.send();
    let desk = &two.office.desk;
    let made = attempts(desk, None).len() as u64;
    let now = world::now(&two.office.hands);
    let session = |key: &str, days: Option<i64>| Entry {
        kind: EntryKind::Session,
        key: key.to_owned(),
        owner: "b1@x".to_owned(),
        until: days.map(|days| now + TimeDelta::days(days)),
        body: "{}".to_owned(),
    };
    let all = [
        session("a", Some(1)),
        session("b", Some(40)),
        session("c", None),
    ];
    let put = store::write(desk.store().as_ref(), move |t| {
        all.iter().try_for_each(|it| t.put_entry(it))
    });
    put.unwrap();
    two.office.hands.pass(TimeDelta::days(29));
    let kept = desk.keep_house().unwrap();
    assert_eq!((kept.entries, kept.attempts), (1, 0));
    two.office.hands.pass(TimeDelta::days(2));
    let kept = desk.keep_house().unwrap();
    assert_eq!((kept.entries, kept.attempts), (0, made));
    // A clock that jumped takes nothing.
    two.office.hands.jump(TimeDelta::days(365));
    assert_eq!(desk.keep_house().unwrap().entries, 0);
    let kept = store::read(desk.store().as_ref(), |t| {
        t.entries(EntryKind::Session, None, None, 9)
    });
    assert_eq!(kept.unwrap().len(), 2);
}

#[test]
fn what_is_erased_has_no_attempts() {
    let two = Two::new(Ok(()), later());
    two.send();
    let desk = &two.office.desk;
    let cancel = Command::Cancel { reason: None };
    desk.act(&two.id, cancel, actor("service")).unwrap();
    assert!(!attempts(desk, None).is_empty());
    desk.erase(&two.id, "op", "asked").unwrap();
    assert_eq!(attempts(desk, None), []);
}
