//! What holds of every store of escalations, whatever it is made of.
//!
//! In: a way to make an empty store. Out: each check by its name, and whether it holds.
//! Time is given to the rules by the checks: only a store that takes a clock can be asked for it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use laneway::clock::Timestamp;
use laneway::decision::Urgency;
use laneway::escalation::audit::{Digest, Payload, Verifier, checkpoint};
use laneway::escalation::{
    About, Actor, Command, Does, Escalation, GrantState, Notice, Outcome, Recipient, Reply, Seat,
    SignOffState, VoteKind,
};
use laneway::store::{
    self, Cursor, Delivery, Known, Order, Query, Request, Store, StoreError, StoreErrorKind,
    Summary, Tombstone, Writing,
};

use super::escalations::*;
use kept::{
    a_notice_that_is_over_is_sent_again_by_every_channel, attempts_come_the_latest_first,
    attempts_go_when_they_are_old_and_with_their_escalation, attempts_keep_to_their_bounds,
    entries_are_kept_under_their_keys, entries_come_by_key_and_go_by_owner_and_time,
    entries_keep_to_their_bounds, what_is_sent_again_merges_with_nothing,
};

#[path = "conformance_kept.rs"]
mod kept;

/// An empty store, and what has to stay while it is used.
pub struct Subject {
    pub store: Arc<dyn Store>,
    pub keep: Box<dyn std::any::Any>,
}

type Check = fn(&Arc<dyn Store>);

macro_rules! checks {
    ($($name:ident)*) => {
        /// Every check by its name.
        pub const CHECKS: &[(&str, Check)] = &[$((stringify!($name), $name)),*];
    };
}

checks! {
    openings_read_back
    every_end_reads_back
    steps_seats_and_rounds_read_back
    what_is_read_back_can_go_on
    work_that_fails_leaves_nothing
    work_that_panics_leaves_nothing_and_the_store_goes_on
    a_swallowed_failure_is_no_success
    what_is_read_is_not_written
    a_stale_writing_is_refused
    an_approval_without_votes_is_refused
    a_deadline_without_a_step_is_refused
    a_matrix_is_kept_before_its_escalations
    of_two_votes_at_once_both_count
    of_two_ends_at_once_one_is
    of_two_requests_with_a_key_one_opens
    of_two_openings_of_a_group_one_is_pending
    keys_go_when_their_escalations_are_old
    counts_are_of_what_is_pending
    what_is_due_comes_in_its_order
    pages_follow_each_other_while_others_open
    pages_keep_to_their_filters
    summaries_say_what_is
    notices_are_sent_by_one_at_a_time
    notices_merge_until_they_are_taken
    notices_that_fail_are_counted
    notices_go_when_they_are_over_and_their_escalations_old
    the_audit_verifies_with_its_checkpoints
    what_is_erased_is_gone_and_verifies
    what_is_erased_keeps_no_name
    what_is_written_behind_an_erasure_is_erased_by_the_next
    settings_are_kept
    entries_are_kept_under_their_keys
    entries_come_by_key_and_go_by_owner_and_time
    entries_keep_to_their_bounds
    attempts_come_the_latest_first
    attempts_keep_to_their_bounds
    a_notice_that_is_over_is_sent_again_by_every_channel
    what_is_sent_again_merges_with_nothing
    attempts_go_when_they_are_old_and_with_their_escalation
    random_commands_do_what_the_rules_say
}

/// Runs all of them, each on an empty store, and fails with the names of those that do not hold.
pub fn run(kind: &str, make: impl Fn() -> Subject) {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        let subject = make();
        if catch_unwind(AssertUnwindSafe(|| check(&subject.store))).is_err() {
            failed.push(*name);
        }
        let Subject { store, keep } = subject;
        drop(store);
        drop(keep);
    }
    assert!(failed.is_empty(), "{kind}: {failed:#?}");
}

/// Does a command, and holds what is stored against what the rules say.
fn done(
    store: &Arc<dyn Store>,
    id: &str,
    what: Command,
    who: &Actor,
    now: Timestamp,
) -> Escalation {
    let done = command(&**store, id, what, who, now);
    assert!(done.answer.is_ok(), "{:?}", done.answer);
    assert_eq!(get(&**store, id), done.after);
    done.after
}

fn openings_read_back(store: &Arc<dyn Store>) {
    let plain = Made::new("e1").escalation();
    let several = Made::new("e2").lanes([Lane::risk(), Lane::quick()]);
    let unreadable = Made {
        is_readable: false,
        asks: false,
        group: Some("g".to_owned()),
        urgency: Urgency::Low,
        ..Made::new("e3")
    };
    for it in [plain, several.escalation(), unreadable.escalation()] {
        open(&**store, &it);
        assert_eq!(get(&**store, &it.pinned.id), it);
    }
    let there = store::read(&**store, |t| Ok((t.get("e4")?, t.lock("e1")?))).unwrap();
    assert_eq!(there.0, None);
    let locked = there.1.unwrap();
    assert_eq!(locked.n, 1);
    assert_ne!(locked.head, Digest::default());
}

fn every_end_reads_back(store: &Arc<dyn Store>) {
    for n in 1..=8 {
        open(&**store, &Made::new(&format!("e{n}")).escalation());
    }
    let (ann, bob, agent) = (person("ann"), person("bob"), person("agent"));
    // Approved, consumed.
    done(store, "e1", approve(), &ann, minute(1));
    let it = done(store, "e1", approve(), &bob, minute(2));
    assert_eq!(it.resolution.as_ref().unwrap().outcome, Outcome::Approved);
    assert_eq!(it.grant.as_ref().unwrap().state, GrantState::Live);
    let it = done(store, "e1", consume("k"), &agent, minute(3));
    assert_eq!(it.grant.unwrap().state, GrantState::Consumed);
    let again = command(&**store, "e1", consume("k"), &agent, minute(4));
    assert_eq!(again.answer, Ok(Reply::Consumed { replayed: true }));
    // Approved, revoked; approved, lapsed.
    for (id, by) in [("e2", revoke()), ("e3", Command::Tick)] {
        done(store, id, approve(), &ann, minute(1));
        done(store, id, approve(), &bob, minute(2));
        let it = done(
            store,
            id,
            by,
            &operator(),
            minute(if id == "e2" { 3 } else { 900 }),
        );
        let state = it.grant.unwrap().state;
        assert_eq!(
            state,
            if id == "e2" {
                GrantState::Revoked
            } else {
                GrantState::Lapsed
            }
        );
    }
    // Denied, cancelled, timed out.
    let it = done(store, "e4", deny(), &ann, minute(1));
    assert_eq!(it.sign_offs[0].state, SignOffState::Denied);
    done(store, "e5", cancel(), &agent, minute(1));
    done(store, "e6", Command::Tick, &engine(), minute(31));
    let it = done(store, "e6", Command::Tick, &engine(), minute(61));
    assert_eq!(it.resolution.unwrap().outcome, Outcome::TimedOut);
    // Amended.
    done(store, "e7", amend(Vec::new()), &ann, minute(1));
    let it = done(store, "e7", approve_of("d1"), &bob, minute(2));
    assert_eq!(it.resolution.unwrap().outcome, Outcome::Amended);
    // A late vote is counted, and changes nothing else.
    let late = command(&**store, "e4", approve(), &bob, minute(5));
    assert!(late.answer.is_err());
    assert_eq!(get(&**store, "e4").late_votes, 1);
    // By silence.
    open(
        &**store,
        &Made::new("q").lanes([Lane::quick()]).escalation(),
    );
    let it = done(store, "q", Command::Tick, &engine(), minute(40));
    let it = match it.is_pending() {
        true => done(store, "q", Command::Tick, &engine(), minute(41)),
        false => it,
    };
    assert!(it.resolution.unwrap().by_silence);
    // Reported, denied, released.
    let reported = Made {
        asks: false,
        ..Made::new("r")
    };
    open(&**store, &reported.escalation());
    done(store, "r", deny(), &ann, minute(1));
    let it = done(store, "r", Command::Release, &operator(), minute(2));
    assert!(it.released.is_some());
    // What opens with its end.
    let mut it = Made::new("f").escalation();
    let ended = applied(&it, &cancel(), &person("agent"), opened()).after;
    it.sign_offs = ended.sign_offs;
    it.resolution = ended.resolution.map(|end| laneway::escalation::Resolution {
        outcome: Outcome::Denied,
        cause: laneway::escalation::Cause::Flood,
        ..end
    });
    open(&**store, &it);
    assert_eq!(get(&**store, "f"), it);
}

fn steps_seats_and_rounds_read_back(store: &Arc<dyn Store>) {
    let (ann, bob) = (person("ann"), person("bob"));
    // A step that comes late moves the later ones.
    open(&**store, &Made::new("e1").escalation());
    let it = done(store, "e1", Command::Tick, &engine(), minute(45));
    assert!(it.sign_offs[0].shift.as_millis() > 0);
    assert_eq!(it.sign_offs[0].seats.len(), 4);
    // Voters are replaced, by an operator and by a step; the quorum of a step may be smaller.
    open(&**store, &Made::new("e2").escalation());
    done(store, "e2", approve(), &ann, minute(1));
    let it = done(store, "e2", reassign("risk"), &operator(), minute(2));
    assert_eq!(it.sign_offs[0].seated().count(), 3);
    let routed = Lane {
        steps: vec![(30, Does::Route("others".to_owned())), (60, Does::Expire)],
        ..Lane::risk()
    };
    open(&**store, &Made::new("e3").lanes([routed]).escalation());
    let it = done(store, "e3", Command::Tick, &engine(), minute(30));
    assert_eq!(
        (it.sign_offs[0].quorum, &*it.sign_offs[0].team),
        (1, "others")
    );
    let it = done(store, "e3", approve(), &person("gus"), minute(31));
    assert_eq!(it.resolution.unwrap().outcome, Outcome::Approved);
    // A vote is taken back, and the person may still deny.
    open(&**store, &Made::new("e4").escalation());
    done(store, "e4", approve(), &ann, minute(1));
    done(store, "e4", withdraw(), &ann, minute(2));
    done(store, "e4", deny(), &ann, minute(3));
    // A sign-off that was satisfied is asked again in a new round, and satisfied at once.
    open(
        &**store,
        &Made::new("e5")
            .lanes([Lane::risk(), Lane::quick()])
            .escalation(),
    );
    let it = done(store, "e5", approve(), &ann, minute(1));
    assert_eq!(it.sign_offs[1].state, SignOffState::Satisfied);
    let it = done(store, "e5", amend(Vec::new()), &ann, minute(2));
    assert_eq!(
        (it.round, it.sign_offs[1].state),
        (2, SignOffState::Satisfied)
    );
    done(store, "e5", approve_of("d1"), &bob, minute(3));
    // What could not be read is amended into something with a sign-off of its own.
    let unreadable = Made {
        is_readable: false,
        ..Made::new("e6")
    };
    open(&**store, &unreadable.escalation());
    let plans = added(&Lane::quick(), minute(1));
    let it = done(store, "e6", amend(plans), &ann, minute(1));
    assert_eq!(it.sign_offs.len(), 2);
    // A vote in another's place, by an operator: counted once.
    let mut it = Made::new("e7").escalation();
    it.sign_offs[0].seats.push(Seat {
        person: name("zoe"),
        via: Some("group".to_owned()),
        for_whom: Some(name("ann")),
        since: it.last,
        until: None,
    });
    open(&**store, &it);
    assert_eq!(get(&**store, "e7"), it);
    let zoe = Actor {
        operator: Some(name("op")),
        ..person("zoe")
    };
    done(store, "e7", join(), &person("agent"), minute(1));
    done(store, "e7", Command::View, &ann, minute(1));
    done(store, "e7", approve(), &ann, minute(2));
    let it = get(&**store, "e7");
    assert_eq!((it.joined, it.first_viewed), (1, Some(minute(1))));
    let vote = command(&**store, "e7", deny(), &zoe, minute(3));
    if vote.answer.is_ok() {
        assert_eq!(get(&**store, "e7").votes[1].operator, Some(name("op")));
    }
    // Nobody could be told: a step is brought forward.
    open(&**store, &Made::new("e8").escalation());
    let lane = "risk".to_owned();
    let it = done(
        store,
        "e8",
        Command::Undelivered { lane },
        &engine(),
        minute(1),
    );
    assert_eq!((it.undelivered, it.sign_offs[0].hurried), (1, 1));
}

fn what_is_read_back_can_go_on(store: &Arc<dyn Store>) {
    // The instants of writing are given; reading and writing alternate.
    open(&**store, &Made::new("e1").escalation());
    let mut it = get(&**store, "e1");
    for (who, minutes) in [("ann", 1), ("bob", 2)] {
        let by_rules = applied(&it, &approve(), &person(who), minute(minutes)).after;
        it = done(store, "e1", approve(), &person(who), minute(minutes));
        assert_eq!(it, by_rules);
    }
    assert!(it.votes.iter().all(|vote| vote.kind == VoteKind::Approve));
}

fn failing() -> StoreError {
    StoreError::new(StoreErrorKind::Work, "enough")
}

fn work_that_fails_leaves_nothing(store: &Arc<dyn Store>) {
    let it = Made::new("e1").escalation();
    open(&**store, &Made::new("e0").escalation());
    let error = store::write(&**store, move |t| {
        put_new(t, &it)?;
        command_in(t, "e1", &approve(), &person("ann"), minute(1))?;
        command_in(t, "e0", &approve(), &person("ann"), minute(1))?;
        t.put_setting("name", "value")?;
        t.put_matrix("m1", "source")?;
        Err::<(), _>(failing())
    });
    assert_eq!(error, Err(failing()));
    let left = store::read(&**store, |t| {
        Ok((
            t.get("e1")?,
            t.setting("name")?,
            t.matrix("m1")?,
            t.behind(0)?.rows,
        ))
    });
    assert_eq!(left.unwrap(), (None, None, None, 1));
    assert_eq!(get(&**store, "e0"), Made::new("e0").escalation());
    // And the next one is done.
    done(store, "e0", approve(), &person("ann"), minute(1));
}

fn work_that_panics_leaves_nothing_and_the_store_goes_on(store: &Arc<dyn Store>) {
    let it = Made::new("e1").escalation();
    let broken = store::write(&**store, move |t| {
        put_new(t, &it)?;
        assert!(it.round > 1, "this is meant to break off");
        Ok(())
    });
    let broken = broken.unwrap_err();
    assert_eq!(
        (broken.kind, broken.known),
        (StoreErrorKind::Work, Known::NotDone)
    );
    let left = store::read(&**store, |t| t.get("e1")).unwrap();
    assert_eq!(left, None);
    open(&**store, &Made::new("e1").escalation());
}

fn a_swallowed_failure_is_no_success(store: &Arc<dyn Store>) {
    let it = Made::new("e1").escalation();
    open(&**store, &it);
    let done = store::write(&**store, move |t| {
        t.put_setting("kept", "no")?;
        // The second opening of one id is refused, and the work goes on as if it was not.
        assert!(put_new(t, &it).is_err());
        t.put_setting("kept", "neither")
    });
    let error = done.unwrap_err();
    let refused = (StoreErrorKind::Refused, Known::NotDone);
    assert_eq!((error.kind, error.known), refused);
    let kept = store::read(&**store, |t| t.setting("kept")).unwrap();
    assert_eq!(kept, None);
}

fn what_is_read_is_not_written(store: &Arc<dyn Store>) {
    let _ = store::read(&**store, |t| t.put_setting("name", "value"));
    let value = store::read(&**store, |t| t.setting("name")).unwrap();
    assert_eq!(value, None);
}

fn a_stale_writing_is_refused(store: &Arc<dyn Store>) {
    open(&**store, &Made::new("e1").escalation());
    let stale = store::read(&**store, |t| t.get("e1")).unwrap().unwrap();
    done(store, "e1", approve(), &person("ann"), minute(1));
    let after = applied(&stale.escalation, &deny(), &person("bob"), minute(1)).after;
    let refused = store::write(&**store, move |t| {
        let rows = rows(&after, stale.n, stale.head, [("voted", "{}".to_owned())]);
        t.put(&Writing {
            before: Some(&stale.escalation),
            after: &after,
            rows: &rows,
            notices: &[],
        })
    });
    assert_eq!(refused.unwrap_err().kind, StoreErrorKind::Refused);
    assert!(get(&**store, "e1").is_pending());
}

fn an_approval_without_votes_is_refused(store: &Arc<dyn Store>) {
    open(&**store, &Made::new("e1").escalation());
    let refused = store::write(&**store, move |t| {
        let stored = t.lock("e1")?.unwrap();
        let mut after = stored.escalation.clone();
        after.last = minute(1);
        after.sign_offs[0].state = SignOffState::Satisfied;
        after.sign_offs[0].decided = Some(minute(1));
        let rows = rows(&after, stored.n, stored.head, [("voted", "{}".to_owned())]);
        t.put(&Writing {
            before: Some(&stored.escalation),
            after: &after,
            rows: &rows,
            notices: &[],
        })
    });
    assert_eq!(refused.unwrap_err().kind, StoreErrorKind::Refused);
    assert_eq!(get(&**store, "e1"), Made::new("e1").escalation());
}

fn a_deadline_without_a_step_is_refused(store: &Arc<dyn Store>) {
    open(&**store, &Made::new("e1").escalation());
    let refused = store::write(&**store, move |t| {
        let stored = t.lock("e1")?.unwrap();
        let mut after = stored.escalation.clone();
        after.sign_offs[0].shift = laneway::clock::Duration::from_millis(60_000);
        let rows = rows(
            &after,
            stored.n,
            stored.head,
            [("stepped", "{}".to_owned())],
        );
        t.put(&Writing {
            before: Some(&stored.escalation),
            after: &after,
            rows: &rows,
            notices: &[],
        })
    });
    assert_eq!(refused.unwrap_err().kind, StoreErrorKind::Refused);
    assert_eq!(get(&**store, "e1"), Made::new("e1").escalation());
}

fn a_matrix_is_kept_before_its_escalations(store: &Arc<dyn Store>) {
    let it = Made::new("e1").escalation();
    let refused = store::write(&**store, move |t| {
        let rows = rows(&it, 0, Digest::default(), [("opened", "{}".to_owned())]);
        t.put(&Writing {
            before: None,
            after: &it,
            rows: &rows,
            notices: &[],
        })
    });
    assert_eq!(refused.unwrap_err().kind, StoreErrorKind::Refused);
    open(&**store, &Made::new("e1").escalation());
    open(&**store, &Made::new("e2").escalation());
    let source = store::read(&**store, |t| t.matrix("m0")).unwrap();
    assert_eq!(source.as_deref(), Some("matrix"));
}

/// Does two things at the same time.
fn at_once<T: Send>(one: impl FnOnce() -> T + Send, other: impl FnOnce() -> T + Send) -> (T, T) {
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            barrier.wait();
            one()
        });
        barrier.wait();
        let second = other();
        (first.join().unwrap(), second)
    })
}

fn of_two_votes_at_once_both_count(store: &Arc<dyn Store>) {
    for n in 0..20 {
        let id = format!("e{n}");
        open(&**store, &Made::new(&id).escalation());
        let vote = |who: &str| command(&**store, &id, approve(), &person(who), minute(1)).answer;
        let (one, other) = at_once(|| vote("ann"), || vote("bob"));
        assert_eq!((one, other), (Ok(Reply::Done), Ok(Reply::Done)));
        let it = get(&**store, &id);
        assert_eq!(it.votes.len(), 2);
        assert_eq!(it.resolution.unwrap().outcome, Outcome::Approved);
    }
}

fn of_two_ends_at_once_one_is(store: &Arc<dyn Store>) {
    for n in 0..20 {
        let id = format!("e{n}");
        open(&**store, &Made::new(&id).escalation());
        let end = |what: Command, who: &str| {
            command(&**store, &id, what, &person(who), minute(1))
                .answer
                .is_ok()
        };
        let (one, other) = at_once(|| end(deny(), "ann"), || end(cancel(), "agent"));
        assert!(one != other, "{one} {other}");
        let outcome = get(&**store, &id).resolution.unwrap().outcome;
        let expected = if one {
            Outcome::Denied
        } else {
            Outcome::Cancelled
        };
        assert_eq!(outcome, expected);
    }
}

fn request(of: &str, key: &str) -> Request {
    Request {
        requester: name("agent"),
        key: key.to_owned(),
        digest: "d0".to_owned(),
        escalation: of.to_owned(),
        joined: false,
        at: opened(),
    }
}

fn of_two_requests_with_a_key_one_opens(store: &Arc<dyn Store>) {
    for n in 0..20 {
        let key = format!("key {n}");
        let ask = |id: String| {
            let it = Made::new(&id).escalation();
            let key = key.clone();
            store::write(&**store, move |t| {
                if let Some(there) = t.request(&name("agent"), &key)? {
                    return Ok(there.escalation);
                }
                put_new(t, &it)?;
                t.put_request(&request(&it.pinned.id, &key))?;
                Ok(it.pinned.id.clone())
            })
        };
        let (one, other) = at_once(|| ask(format!("a{n}")), || ask(format!("b{n}")));
        assert_eq!(one.unwrap(), other.unwrap());
    }
    let twice = store::write(&**store, |t| t.put_request(&request("a0", "key 0")));
    assert!(twice.is_err());
    let there = store::read(&**store, |t| t.request(&name("agent"), "key 0"))
        .unwrap()
        .unwrap();
    assert_eq!(there, request(&there.escalation, "key 0"));
    let other = store::read(&**store, |t| t.request(&name("other"), "key 0")).unwrap();
    assert_eq!(other, None);
}

fn of_two_openings_of_a_group_one_is_pending(store: &Arc<dyn Store>) {
    for n in 0..20 {
        let group = format!("g{n}");
        let ask = |id: String| {
            let made = Made {
                group: Some(group.clone()),
                ..Made::new(&id)
            };
            let (it, group) = (made.escalation(), group.clone());
            store::write(&**store, move |t| {
                if let Some(there) = t.group(&group)? {
                    return Ok(there);
                }
                put_new(t, &it)?;
                Ok(it.pinned.id.clone())
            })
        };
        let (one, other) = at_once(|| ask(format!("a{n}")), || ask(format!("b{n}")));
        assert_eq!(one.unwrap(), other.unwrap());
    }
    // Without asking, the second is refused; behind the end of the first it is not.
    let second = Made {
        group: Some("g0".to_owned()),
        ..Made::new("c")
    };
    let refused = try_open(&**store, &second.escalation()).unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Refused);
    let first = store::read(&**store, |t| t.group("g0")).unwrap().unwrap();
    done(store, &first, cancel(), &person("agent"), minute(1));
    assert_eq!(store::read(&**store, |t| t.group("g0")).unwrap(), None);
    open(&**store, &second.escalation());
}

fn keys_go_when_their_escalations_are_old(store: &Arc<dyn Store>) {
    for id in ["e1", "e2", "e3"] {
        open(&**store, &Made::new(id).escalation());
        store::write(&**store, move |t| t.put_request(&request(id, id))).unwrap();
    }
    done(store, "e1", cancel(), &person("agent"), minute(1));
    done(store, "e2", cancel(), &person("agent"), minute(5));
    let drop_before = |at| store::write(&**store, move |t| t.drop_requests(at, 10)).unwrap();
    assert_eq!(drop_before(minute(1)), 0);
    assert_eq!(drop_before(minute(2)), 1);
    assert_eq!(drop_before(minute(60)), 1);
    assert_eq!(drop_before(minute(60)), 0);
    let left = |id: &'static str| {
        store::read(&**store, move |t| t.request(&name("agent"), id))
            .unwrap()
            .is_some()
    };
    assert_eq!([left("e1"), left("e2"), left("e3")], [false, false, true]);
}

fn counts_are_of_what_is_pending(store: &Arc<dyn Store>) {
    for n in 0..4 {
        let made = Made {
            flood: if n < 2 { "f0" } else { "f1" },
            requester: if n == 3 { "other" } else { "agent" },
            ..Made::new(&format!("e{n}"))
        };
        open(&**store, &made.escalation());
    }
    let counts = || store::read(&**store, |t| t.counts(&name("agent"), "f0")).unwrap();
    assert_eq!((counts().of_requester, counts().of_flood), (3, 2));
    done(store, "e0", cancel(), &person("agent"), minute(1));
    assert_eq!((counts().of_requester, counts().of_flood), (2, 1));
}

fn what_is_due_comes_in_its_order(store: &Arc<dyn Store>) {
    for (id, at) in [("late", 3), ("early", 1), ("same", 3), ("never", 600)] {
        open(&**store, &Made::new(id).at(minute(at)).escalation());
    }
    let due = |at, limit| store::read(&**store, move |t| t.due(at, limit)).unwrap();
    assert_eq!(due(minute(33), 10), ["early", "late", "same"]);
    assert_eq!(due(minute(33), 2), ["early", "late"]);
    assert_eq!(due(minute(31), 10), ["early"]);
    let before = minute(31) - Duration::from_micros(1);
    assert_eq!(due(before, 10), Vec::<String>::new());
    // A step moves it; an end takes it away; a live grant is due when it lapses.
    done(store, "early", Command::Tick, &engine(), minute(31));
    assert_eq!(due(minute(33), 10), ["late", "same"]);
    done(store, "late", cancel(), &person("agent"), minute(31));
    done(store, "same", approve(), &person("ann"), minute(5));
    let it = done(store, "same", approve(), &person("bob"), minute(6));
    let lapses = it.grant.unwrap().lapses;
    assert_eq!(due(lapses, 10), ["same"]);
    done(store, "same", consume("k"), &person("agent"), minute(7));
    assert_eq!(due(minute(60), 10), Vec::<String>::new());
    assert_eq!(due(minute(61), 10), ["early"]);
}

fn page(store: &Arc<dyn Store>, query: &Query) -> Vec<Summary> {
    let query = query.clone();
    store::read(&**store, move |t| t.page(&query)).unwrap()
}

fn ids(store: &Arc<dyn Store>, query: Query) -> Vec<String> {
    let query = Query {
        limit: 100,
        ..query
    };
    page(store, &query).into_iter().map(|it| it.id).collect()
}

fn pages_follow_each_other_while_others_open(store: &Arc<dyn Store>) {
    for n in 0..25 {
        // Several of one instant.
        open(
            &**store,
            &Made::new(&format!("e{n:02}"))
                .at(minute(n / 4))
                .escalation(),
        );
    }
    for order in [Order::Newest, Order::Due] {
        let mut query = Query {
            order,
            limit: 7,
            ..Query::default()
        };
        let mut seen = Vec::new();
        loop {
            let found = page(store, &query);
            let Some(last) = found.last() else { break };
            query.behind = Some(Cursor {
                at: match order {
                    Order::Newest => last.opened,
                    Order::Due => last.due.unwrap(),
                },
                id: last.id.clone(),
            });
            seen.extend(found.into_iter().map(|it| it.id));
            // One that comes before what was seen, and so on none of these pages.
            let at = if order == Order::Newest { 600 } else { 0 };
            let id = format!("a{}-{:?}", seen.len(), order);
            open(&**store, &Made::new(&id).at(minute(at)).escalation());
        }
        seen.retain(|id| id.starts_with('e'));
        let mut expected: Vec<String> = (0..25).map(|n| format!("e{n:02}")).collect();
        if order == Order::Newest {
            expected.reverse();
        }
        assert_eq!(seen, expected, "{order:?}");
    }
}

fn pages_keep_to_their_filters(store: &Arc<dyn Store>) {
    let of = |id: &str, lane, urgency, requester, at| Made {
        lane,
        urgency,
        requester,
        ..Made::new(id).at(minute(at))
    };
    open(
        &**store,
        &of("a", "risk", Urgency::High, "agent", 0).escalation(),
    );
    open(
        &**store,
        &of("b", "other", Urgency::Low, "agent", 1).escalation(),
    );
    open(
        &**store,
        &of("c", "risk", Urgency::High, "bot", 2)
            .lanes([Lane::quick()])
            .escalation(),
    );
    done(store, "a", deny(), &person("ann"), minute(5));
    done(store, "b", reassign("risk"), &operator(), minute(5));
    let query = Query::default;
    let all = [
        (
            Query {
                pending: Some(true),
                ..query()
            },
            "c b",
        ),
        (
            Query {
                pending: Some(false),
                ..query()
            },
            "a",
        ),
        (
            Query {
                outcome: Some(Outcome::Denied),
                ..query()
            },
            "a",
        ),
        (
            Query {
                outcome: Some(Outcome::Approved),
                ..query()
            },
            "",
        ),
        (
            Query {
                lane: Some("risk".to_owned()),
                ..query()
            },
            "c a",
        ),
        (
            Query {
                urgency: Some(Urgency::Low),
                ..query()
            },
            "b",
        ),
        (
            Query {
                requester: Some(name("bot")),
                ..query()
            },
            "c",
        ),
        (
            Query {
                team: Some("night".to_owned()),
                ..query()
            },
            "b",
        ),
        (
            Query {
                team: Some("leads".to_owned()),
                ..query()
            },
            "",
        ),
        (
            Query {
                person: Some(name("eve")),
                ..query()
            },
            "c",
        ),
        (
            Query {
                person: Some(name("ann")),
                ..query()
            },
            "c",
        ),
        (
            Query {
                person: Some(name("fay")),
                ..query()
            },
            "b",
        ),
        (
            Query {
                since: Some(minute(1)),
                ..query()
            },
            "c b",
        ),
        (
            Query {
                before: Some(minute(1)),
                ..query()
            },
            "a",
        ),
        (
            Query {
                order: Order::Due,
                ..query()
            },
            "b c",
        ),
        (
            Query {
                pending: Some(false),
                order: Order::Due,
                ..query()
            },
            "",
        ),
    ];
    for (query, expected) in all {
        assert_eq!(ids(store, query.clone()).join(" "), expected, "{query:?}");
    }
}

fn summaries_say_what_is(store: &Arc<dyn Store>) {
    open(
        &**store,
        &Made::new("e1")
            .lanes([Lane::risk(), Lane::quick()])
            .escalation(),
    );
    done(store, "e1", join(), &person("agent"), minute(1));
    done(store, "e1", Command::View, &person("ann"), minute(2));
    let query = Query {
        limit: 10,
        ..Query::default()
    };
    let expected = Summary {
        id: "e1".to_owned(),
        lane: "risk".to_owned(),
        urgency: Urgency::High,
        digest: "d0".to_owned(),
        requester: name("agent"),
        opened: opened(),
        outcome: None,
        ended: None,
        by_silence: false,
        due: Some(minute(30)),
        respond_by: Some(minute(20)),
        first_viewed: Some(minute(2)),
        teams: vec!["leads".to_owned(), "desk".to_owned()],
        joined: 1,
        late_votes: 0,
        undelivered: 0,
        is_erased: false,
    };
    assert_eq!(page(store, &query), std::slice::from_ref(&expected));
    done(store, "e1", deny(), &person("ann"), minute(3));
    command(&**store, "e1", approve(), &person("bob"), minute(4));
    let ended = Summary {
        outcome: Some(Outcome::Denied),
        ended: Some(minute(3)),
        due: None,
        late_votes: 1,
        ..expected
    };
    assert_eq!(page(store, &query), [ended]);
}

fn notice(id: &str, at: Timestamp, merge: Option<&str>) -> Notice {
    Notice {
        id: id.to_owned(),
        to: Recipient::Person(name("ann")),
        about: About::Asked,
        lane: Some("risk".to_owned()),
        at,
        merge: merge.map(str::to_owned),
    }
}

/// Opens an escalation with notices.
fn open_with(store: &Arc<dyn Store>, id: &str, notices: Vec<Notice>) {
    open_made(store, Made::new(id).escalation(), notices);
}

fn open_made(store: &Arc<dyn Store>, it: Escalation, notices: Vec<Notice>) {
    let posted = store::write(&**store, move |t| {
        t.put_matrix("m0", "matrix")?;
        let rows = rows(&it, 0, Digest::default(), [("opened", "{}".to_owned())]);
        t.put(&Writing {
            before: None,
            after: &it,
            rows: &rows,
            notices: &notices,
        })
    });
    posted.unwrap();
}

fn take(store: &Arc<dyn Store>, now: i64, until: i64, limit: u32) -> Vec<(String, u32, u32)> {
    let taken = store::write(&**store, move |t| {
        t.take_notices(minute(now), minute(until), limit)
    });
    let taken = taken.unwrap().into_iter();
    taken
        .map(|it| (it.notice.id, it.count, it.attempts))
        .collect()
}

fn notices_are_sent_by_one_at_a_time(store: &Arc<dyn Store>) {
    let notices = vec![
        notice("n1", minute(0), None),
        notice("n2", minute(0), None),
        notice("n3", minute(9), None),
    ];
    open_with(store, "e1", notices.clone());
    // The same once more is left out.
    open_with(store, "e2", notices.clone());
    let all = |ids: &[(&str, u32)]| -> Vec<(String, u32, u32)> {
        ids.iter()
            .map(|(id, attempts)| ((*id).to_owned(), 1, *attempts))
            .collect()
    };
    assert_eq!(take(store, 0, 2, 1), all(&[("n1", 0)]));
    assert_eq!(take(store, 0, 2, 9), all(&[("n2", 0)]));
    assert_eq!(take(store, 1, 3, 9), []);
    let note = |id: &'static str, what: Delivery| {
        store::write(&**store, move |t| t.note_delivery(id, &what)).unwrap();
    };
    note("n1", Delivery::Sent(minute(1)));
    note("n2", Delivery::Retry(minute(5), "busy".to_owned()));
    assert_eq!(take(store, 4, 6, 9), []);
    assert_eq!(take(store, 5, 6, 9), all(&[("n2", 1)]));
    // A lease ends by itself, and what was noted stays.
    assert_eq!(take(store, 7, 8, 9), all(&[("n2", 2)]));
    note("n2", Delivery::Sent(minute(7)));
    note("n2", Delivery::Failed(minute(7), "late".to_owned()));
    assert_eq!(take(store, 100, 101, 9), all(&[("n3", 0)]));
    let outbox = store::read(&**store, |t| t.outbox()).unwrap();
    assert_eq!((outbox.waiting, outbox.failed), (1, 0));
    // What comes back is what was posted.
    let posted = store::write(&**store, |t| t.take_notices(minute(200), minute(201), 9)).unwrap();
    assert_eq!(
        (&posted[0].notice, &*posted[0].escalation),
        (&notices[2], "e1")
    );
}

fn notices_merge_until_they_are_taken(store: &Arc<dyn Store>) {
    for n in 0..3 {
        let id = format!("n{n}");
        open_with(
            store,
            &format!("e{n}"),
            vec![notice(&id, minute(n), Some("m"))],
        );
    }
    open_with(store, "e3", vec![notice("n3", minute(0), Some("other"))]);
    assert_eq!(
        take(store, 5, 50, 9),
        [("n0".to_owned(), 3, 0), ("n3".to_owned(), 1, 0)]
    );
    // Its taker has read the count.
    open_with(store, "e4", vec![notice("n4", minute(6), Some("m"))]);
    open_with(store, "e5", vec![notice("n5", minute(6), Some("m"))]);
    assert_eq!(take(store, 7, 50, 9), [("n4".to_owned(), 2, 0)]);
}

fn notices_that_fail_are_counted(store: &Arc<dyn Store>) {
    open_with(store, "e1", vec![notice("n1", minute(0), None)]);
    assert_eq!(take(store, 0, 2, 1).len(), 1);
    let failed = Delivery::Failed(minute(1), "no such person".to_owned());
    store::write(&**store, move |t| t.note_delivery("n1", &failed)).unwrap();
    let outbox = store::read(&**store, |t| t.outbox()).unwrap();
    assert_eq!((outbox.waiting, outbox.failed), (0, 1));
    assert_eq!(take(store, 100, 101, 9), []);
}

fn notices_go_when_they_are_over_and_their_escalations_old(store: &Arc<dyn Store>) {
    let of = |ids: &[&str]| -> Vec<Notice> {
        ids.iter().map(|id| notice(id, minute(0), None)).collect()
    };
    open_with(store, "e1", of(&["sent", "failed", "waits"]));
    open_with(store, "e2", of(&["sent later"]));
    open_with(store, "e3", of(&["pending"]));
    assert_eq!(take(store, 0, 1, 9).len(), 5);
    let note = |id: &'static str, what: Delivery| {
        store::write(&**store, move |t| t.note_delivery(id, &what)).unwrap();
    };
    let failed = || Delivery::Failed(minute(1), "no such person".to_owned());
    note("sent", Delivery::Sent(minute(1)));
    note("failed", failed());
    note("waits", Delivery::Retry(minute(2), "busy".to_owned()));
    note("sent later", Delivery::Sent(minute(1)));
    note("pending", failed());
    let drop_before =
        |at, limit| store::write(&**store, move |t| t.drop_notices(at, limit)).unwrap();
    assert_eq!(drop_before(minute(60), 9), 0);
    done(store, "e1", cancel(), &person("agent"), minute(2));
    done(store, "e2", cancel(), &person("agent"), minute(5));
    assert_eq!(drop_before(minute(2), 9), 0);
    assert_eq!(drop_before(minute(3), 1), 1);
    assert_eq!(drop_before(minute(3), 9), 1);
    assert_eq!(drop_before(minute(3), 9), 0);
    assert_eq!(drop_before(minute(6), 9), 1);
    // What waits stays until it is given up; what is of a pending one stays.
    note("waits", failed());
    assert_eq!(store::read(&**store, |t| t.outbox()).unwrap().failed, 2);
    assert_eq!(drop_before(minute(6), 9), 1);
    assert_eq!(store::read(&**store, |t| t.outbox()).unwrap().failed, 1);
    // The outbox goes on.
    open_with(store, "e4", of(&["new"]));
    assert!(take(store, 9, 10, 9).iter().any(|(id, ..)| id == "new"));
}

/// Makes a checkpoint of all that is there.
fn make_checkpoint(store: &Arc<dyn Store>, at: Timestamp) {
    let made = store::write(&**store, move |t| {
        let last = t.last_checkpoint()?;
        let behind = t.behind(last.as_ref().map_or(0, |last| last.seq))?;
        let made = checkpoint(last.as_ref(), &behind.heads, behind.seq, behind.rows, at);
        t.put_checkpoint(&made)
    });
    made.unwrap();
}

fn verify(store: &Arc<dyn Store>) -> laneway::escalation::audit::Report {
    let all = store::read(&**store, |t| {
        let mut rows = Vec::new();
        while let Some(page) = Some(t.rows(rows.last().map_or(0, seq_of), 2)?)
            && !page.is_empty()
        {
            rows.extend(page);
        }
        Ok((t.checkpoints()?, rows))
    });
    let (checkpoints, rows) = all.unwrap();
    let mut verifier = Verifier::new(Vec::new());
    verifier.checkpoints(checkpoints);
    for (row, payload) in &rows {
        verifier.row(row, payload);
    }
    verifier.end()
}

fn seq_of((row, _): &(laneway::escalation::audit::Row, Payload)) -> u64 {
    row.seq
}

fn the_audit_verifies_with_its_checkpoints(store: &Arc<dyn Store>) {
    open(&**store, &Made::new("e1").escalation());
    open(&**store, &Made::new("e2").escalation());
    make_checkpoint(store, minute(1));
    done(store, "e1", approve(), &person("ann"), minute(2));
    make_checkpoint(store, minute(3));
    done(store, "e2", deny(), &person("ann"), minute(4));
    let report = verify(store);
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!((report.checkpoints, report.chains), (2, 2));
    assert!(report.unchecked_tail > 0);
    let history = store::read(&**store, |t| t.history("e1")).unwrap();
    let kinds: Vec<&str> = history.iter().map(|(row, _)| &*row.kind).collect();
    assert_eq!(kinds, ["opened", "voted"]);
    assert!(matches!(&history[0].1, Payload::Kept { body, .. } if body == "{\"a\":1}"));
    // A chain that does not follow is refused.
    let refused = store::write(&**store, |t| {
        let stored = t.lock("e1")?.unwrap();
        let it = &stored.escalation;
        let rows = rows(it, stored.n + 1, stored.head, [("voted", "{}".to_owned())]);
        t.put(&Writing {
            before: Some(it),
            after: it,
            rows: &rows,
            notices: &[],
        })
    });
    assert_eq!(refused.unwrap_err().kind, StoreErrorKind::Refused);
}

fn erase(store: &Arc<dyn Store>, id: &str) -> Result<(), StoreError> {
    let id = id.to_owned();
    let tombstone = Tombstone {
        at: minute(60),
        by: "op".to_owned(),
        why: "asked".to_owned(),
    };
    store::write(&**store, move |t| t.erase(&id, &tombstone))
}

/// A row says that there was an erasing, as the desk writes it.
fn say_erased(store: &Arc<dyn Store>, id: &str) {
    let id = id.to_owned();
    let said = store::write(&**store, move |t| {
        let stored = t.lock(&id)?.unwrap();
        let it = &stored.escalation;
        let rows = rows(it, stored.n, stored.head, [("erased", "{}".to_owned())]);
        t.put(&Writing {
            before: Some(it),
            after: it,
            rows: &rows,
            notices: &[],
        })
    });
    said.unwrap();
}

fn ended(store: &Arc<dyn Store>, before: Timestamp) -> Vec<String> {
    store::read(&**store, move |t| t.ended(before, 9)).unwrap()
}

fn what_is_erased_is_gone_and_verifies(store: &Arc<dyn Store>) {
    let erase = |id| erase(store, id);
    let ended = |at| ended(store, at);
    for id in ["e1", "e2"] {
        open(&**store, &Made::new(id).escalation());
        done(store, id, approve(), &person("ann"), minute(1));
    }
    assert_eq!(erase("e0").unwrap_err().kind, StoreErrorKind::Refused);
    assert_eq!(erase("e1").unwrap_err().kind, StoreErrorKind::Refused);
    let before = done(store, "e1", approve(), &person("bob"), minute(2));
    assert_eq!(erase("e1").unwrap_err().kind, StoreErrorKind::Refused);
    // Its grant is live.
    assert_eq!(ended(minute(3)), Vec::<String>::new());
    done(store, "e1", consume("k"), &person("agent"), minute(3));
    assert_eq!(ended(minute(2)), Vec::<String>::new());
    assert_eq!(ended(minute(3)), ["e1"]);
    erase("e1").unwrap();
    erase("e1").unwrap();
    assert_eq!(ended(minute(3)), Vec::<String>::new());
    let after = get(&**store, "e1");
    let voters: BTreeSet<_> = after.votes.iter().map(|vote| vote.person.clone()).collect();
    assert_eq!(voters.len(), 2);
    let shown = format!("{:?} {:?}", after.votes, after.sign_offs[0].seats);
    assert!(!shown.contains("ann") && !shown.contains("bob"), "{shown}");
    let counted = |it: &Escalation| it.counted(&it.sign_offs[0]).len();
    assert_eq!(counted(&after), counted(&before));
    let history = store::read(&**store, |t| t.history("e1")).unwrap();
    for (_, payload) in &history {
        let Payload::Erased { at, by, why } = payload else {
            panic!("{payload:?} is left");
        };
        assert_eq!((at, &**by, &**why), (&minute(60), "op", "asked"));
    }
    // An erasing that no row says is a fault.
    assert!(!verify(store).is_sound());
    say_erased(store, "e1");
    let report = verify(store);
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!(report.erased, history.len() as u64);
    let query = Query {
        pending: Some(false),
        limit: 9,
        ..Query::default()
    };
    assert!(page(store, &query)[0].is_erased);
}

fn what_is_erased_keeps_no_name(store: &Arc<dyn Store>) {
    let (ann, taken) = (person("ann"), "erased-1");
    let op_for_taken = Actor {
        operator: Some(name("op")),
        ..person(taken)
    };
    let mut places = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for n in 0..24 {
        let id = format!("e{n}");
        let risk = Lane {
            first: &["ann", "bob", "erased-1"],
            ..Lane::risk()
        };
        let mut it = Made::new(&id).lanes([risk]).escalation();
        it.sign_offs[0].seats.push(Seat {
            person: name("zoe"),
            via: None,
            for_whom: Some(name("bob")),
            since: it.last,
            until: None,
        });
        let told = format!("{id}/asked/ann");
        open_made(store, it, vec![notice(&told, minute(0), None)]);
        done(store, &id, approve(), &ann, minute(1));
        // It ends by a vote, or by an operator; with a notice that waits, was sent or was given up.
        let before = match n % 2 {
            0 => {
                done(store, &id, approve(), &op_for_taken, minute(2));
                done(store, &id, consume("k"), &person("agent"), minute(3))
            }
            _ => done(store, &id, cancel(), &operator(), minute(2)),
        };
        if n % 3 > 0 {
            let failed = Delivery::Failed(minute(3), "to ann".to_owned());
            let what = [Delivery::Sent(minute(3)), failed][n % 2].clone();
            store::write(&**store, move |t| t.note_delivery(&told, &what)).unwrap();
        }
        erase(store, &id).unwrap();
        let after = get(&**store, &id);
        let shown = format!("{after:?}");
        for name in ["ann", "bob", "dan", "fay", "gus", "zoe", "op", taken] {
            assert!(!shown.contains(&format!("\"{name}\"")), "{name}: {shown}");
        }
        // All else is as it was.
        assert_eq!(after.pinned, before.pinned);
        let [old, new] = [&before, &after].map(|it| &it.sign_offs[0]);
        assert_eq!(after.counted(new).len(), before.counted(old).len());
        let people = |it: &Escalation| {
            let seats = &it.sign_offs[0].seats;
            let people = seats.iter().map(|seat| seat.person.clone());
            let of_votes = it.votes.iter().map(|vote| vote.person.clone());
            (
                people.collect::<BTreeSet<_>>().len(),
                of_votes.collect::<BTreeSet<_>>().len(),
            )
        };
        assert_eq!(people(&after), people(&before));
        let steps = |it: &Escalation| it.sign_offs[0].plan.steps.clone();
        assert_eq!(steps(&after), steps(&before));
        let roster = &new.plan.rosters["leads"];
        assert_eq!((roster.first.len(), roster.backup.len()), (3, 1));
        // Whose vote came first is said neither by the number nor by the place of the seat.
        let first = &after.votes[0].person;
        numbers.insert(first.clone());
        places.insert(new.seats.iter().position(|seat| seat.person == *first));
    }
    assert!(
        numbers.len() > 1 && places.len() > 1,
        "{numbers:?} {places:?}"
    );
    assert_eq!(take(store, 600, 601, 99), []);
    let outbox = store::read(&**store, |t| t.outbox()).unwrap();
    assert_eq!((outbox.waiting, outbox.failed), (0, 0));
}

fn what_is_written_behind_an_erasure_is_erased_by_the_next(store: &Arc<dyn Store>) {
    let kept = || -> Vec<String> {
        let history = store::read(&**store, |t| t.history("e1")).unwrap();
        let kept = history
            .into_iter()
            .filter_map(|(_, payload)| match payload {
                Payload::Kept { body, .. } => Some(body),
                _ => None,
            });
        kept.collect()
    };
    open(&**store, &Made::new("e1").escalation());
    done(store, "e1", deny(), &person("ann"), minute(1));
    for _ in 0..2 {
        assert_eq!(ended(store, minute(60)), ["e1"]);
        erase(store, "e1").unwrap();
        assert_eq!(kept(), Vec::<String>::new());
        // The erasure itself is told, and nothing else is there to be erased.
        say_erased(store, "e1");
        assert_eq!(kept(), ["{}"]);
        assert_eq!(ended(store, minute(60)), Vec::<String>::new());
        // A late vote is refused, and the refusal has a name.
        let late = command(&**store, "e1", approve(), &person("bob"), minute(5));
        assert!(late.answer.is_err());
        assert!(kept().iter().any(|body| body.contains("bob")));
    }
    assert!(verify(store).is_sound());
}

fn settings_are_kept(store: &Arc<dyn Store>) {
    let put = |value: &'static str| {
        store::write(&**store, move |t| t.put_setting("name", value)).unwrap();
    };
    put("one");
    put("two");
    let value = store::read(&**store, |t| t.setting("name")).unwrap();
    assert_eq!(value.as_deref(), Some("two"));
}

/// A command that may make sense.
fn some_command(random: &mut fastrand::Rng, it: &Escalation) -> (Command, Actor) {
    let people = [
        "ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "agent", "mal",
    ];
    let who = person(people[random.usize(..people.len())]);
    let now = it.digest.clone();
    match random.u32(..20) {
        0..7 => (approve_of(&now), who),
        7 => (deny(), who),
        8 => (withdraw(), who),
        9 => (amend(Vec::new()), who),
        10 => (reassign("risk"), operator()),
        11 => (join(), who),
        12 => (Command::View, who),
        13 => (cancel(), person("agent")),
        14 => (consume("k"), person("agent")),
        15 => (revoke(), operator()),
        16 => (Command::Delegate { to: name("zoe") }, who),
        17 => {
            let lane = "quick".to_owned();
            (Command::Undelivered { lane }, engine())
        }
        _ => (Command::Tick, engine()),
    }
}

/// Whatever is done, what is stored is what the rules say, and what is due is found.
pub fn random_commands_do_what_the_rules_say(store: &Arc<dyn Store>) {
    let mut random = fastrand::Rng::with_seed(7);
    let routed = Lane {
        steps: vec![
            (20, Does::Remind),
            (30, Does::Route("others".to_owned())),
            (60, Does::Expire),
        ],
        ..Lane::risk()
    };
    for n in 0..60 {
        let id = format!("e{n}");
        let lanes = match n % 3 {
            0 => vec![Lane::risk()],
            1 => vec![Lane::risk(), Lane::quick()],
            _ => vec![routed.clone(), Lane::quick()],
        };
        let made = Made {
            is_readable: n % 5 != 4,
            ..Made::new(&id).lanes(lanes)
        };
        let mut it = made.escalation();
        open(&**store, &it);
        let mut minutes = 0;
        for _ in 0..16 {
            minutes += random.i64(0..12);
            let (what, who) = some_command(&mut random, &it);
            let by_rules = applied(&it, &what, &who, minute(minutes));
            let done = try_command(&**store, &id, what.clone(), &who, minute(minutes));
            let done = done.unwrap_or_else(|error| panic!("{id}: {what:?}: {error}\n{it:#?}"));
            assert_eq!(done.answer, by_rules.answer);
            it = done.after;
            assert_eq!(it, by_rules.after);
            assert_eq!(get(&**store, &id), it, "{id}: {what:?}");
        }
        if let Some(due) = it.due() {
            let found = |at| store::read(&**store, move |t| t.due(at, 1000)).unwrap();
            assert!(found(due).contains(&id));
            assert!(!found(due - Duration::from_micros(1)).contains(&id));
        }
    }
}
