//! What somebody who can write to the database may try, and what each trigger is there for.
//!
//! In: a store in which [`set_up`] made every state. Out: [`ATTEMPTS`], each of which the schema refuses.

use std::sync::Arc;

use laneway::store::{self, Attempt as Sending, Entry, EntryKind, Request, Store, Tombstone};

use super::escalations::*;

/// What an attempt runs into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// A trigger, with every pragma of SQLite as lax as it can be.
    Trigger,
    /// A CHECK, which SQLite has a pragma to ignore.
    Check,
    /// A foreign key, which SQLite has a pragma for.
    Key,
}

/// An attempt: its name, what stops it, the statements.
pub struct Attempt(pub &'static str, pub Stop, pub &'static str);

/// Escalations in every state that an attempt begins from.
pub fn set_up(store: &Arc<dyn Store>) {
    let s = &**store;
    let make = |id: &str| Made::new(id).escalation();
    for id in ["e1", "e2", "e3", "e5", "e7", "e10", "e11", "e13"] {
        open(s, &make(id));
    }
    // e1 is pending, with one vote of two.
    command(
        s,
        "e1",
        laneway::escalation::Command::View,
        &person("ann"),
        minute(1),
    );
    command(s, "e1", join(), &person("agent"), minute(1));
    command(s, "e1", approve(), &person("ann"), minute(1));
    // e2 is approved, its grant is live; that of e5 is consumed.
    for id in ["e2", "e5"] {
        command(s, id, approve(), &person("ann"), minute(1));
        command(s, id, approve(), &person("bob"), minute(2));
    }
    command(s, "e5", consume("k"), &person("agent"), minute(3));
    command(s, "e3", deny(), &person("ann"), minute(1));
    open(s, &Made::new("e4").lanes([Lane::quick()]).escalation());
    let unreadable = Made {
        is_readable: false,
        ..Made::new("e6")
    };
    open(s, &unreadable.escalation());
    command(s, "e7", cancel(), &person("agent"), minute(1));
    let tombstone = Tombstone {
        at: minute(2),
        by: "op".to_owned(),
        why: "asked".to_owned(),
    };
    // e7 and e13 are erased; e13 has a vote.
    command(s, "e13", deny(), &person("ann"), minute(1));
    store::write(s, move |t| {
        t.erase("e7", &tombstone)?;
        t.erase("e13", &tombstone)
    })
    .unwrap();
    let grouped = Made {
        group: Some("g1".to_owned()),
        ..Made::new("e8")
    };
    open(s, &grouped.escalation());
    // e9 has one sign-off of two; e10 is past its first step; e11 asks another team.
    open(
        s,
        &Made::new("e9")
            .lanes([Lane::risk(), Lane::quick()])
            .escalation(),
    );
    command(s, "e9", approve(), &person("ann"), minute(1));
    command(
        s,
        "e10",
        laneway::escalation::Command::Tick,
        &engine(),
        minute(31),
    );
    command(s, "e11", reassign("risk"), &operator(), minute(1));
    let request = Request {
        requester: name("agent"),
        key: "key".to_owned(),
        digest: "d0".to_owned(),
        escalation: "e1".to_owned(),
        joined: false,
        at: opened(),
    };
    store::write(s, move |t| t.put_request(&request)).unwrap();
    store::write(s, |t| {
        let behind = t.behind(0)?;
        let made = laneway::escalation::audit::checkpoint(
            None,
            &behind.heads,
            behind.seq,
            behind.rows,
            minute(40),
        );
        t.put_checkpoint(&made)?;
        t.put_setting("demo", "no")
    })
    .unwrap();
    keep(s);
}

/// What a service keeps: an entry, an attempt of a notice that waits, and one of a notice that is over.
fn keep(s: &dyn Store) {
    store::write(s, |t| {
        let posted = t.take_notices(minute(1), minute(2), 2)?;
        for posted in &posted {
            let took = std::time::Duration::from_millis(1);
            t.put_attempt(&Sending::sent(posted, "log", minute(1), took))?;
        }
        let over = &posted[1].notice.id;
        t.note_delivery(over, &store::Delivery::Sent(minute(1)))?;
        t.put_entry(&Entry {
            kind: EntryKind::Token,
            key: "k".to_owned(),
            owner: "ann".to_owned(),
            until: None,
            body: "{}".to_owned(),
        })
    })
    .unwrap();
}

/// Triggers that write what follows, and refuse nothing.
pub const DERIVE: &[&str] = &[
    "sign_offs_begun_are_due",
    "sign_offs_changed_are_due",
    "grants_given_are_due",
    "grants_ended_are_not_due",
    "resolutions_end",
    "payloads_behind_an_erasure",
];

/// Triggers that stand behind others: those have to go as well before an attempt succeeds.
pub const BEHIND: &[(&str, &[&str])] = &[
    ("votes_not_of_who_asked", &["seats_not_of_who_asked"]),
    (
        "resolutions_are_one",
        &["resolutions_of_what_is_pending", "escalations_end_once"],
    ),
    ("audit_is_new", &["audit_goes_forward"]),
];

macro_rules! attempts {
    ($($stop:ident $name:literal $sql:expr;)*) => {
        /// All of them.
        pub const ATTEMPTS: &[Attempt] = &[$(Attempt($name, Stop::$stop, $sql)),*];
    };
}

macro_rules! fresh {
    ($into:literal, $id:literal, $state:literal, $ended:literal, $requester:literal, $pinned:literal, $from:literal) => {
        concat!(
            $into, " INTO escalations (tenant, id, opened, cap, requester, key, digest0, matrix, lane, urgency,
            flood, group_key, asks, readable0, round, digest, readable, state, last, due, respond_by, ended,
            joined, first_viewed, released, undelivered, late_votes, erased, pinned)
            SELECT tenant, ", $id, ", opened, cap, ", $requester, ", key, digest0, matrix, lane, urgency, flood,
            group_key, asks, readable0, 1, digest0, readable0, ", $state, ", opened, cap, NULL, ", $ended, ",
            0, NULL, NULL, 0, 0, 0, ", $pinned, " FROM escalations WHERE id = ", $from
        )
    };
}

macro_rules! sign_off {
    ($into:literal, $n:literal, $quorum:literal, $next:literal) => {
        concat!(
            $into, " INTO sign_offs (tenant, escalation, n, lane, cap, ends_at, allows, round, state, team,
            quorum, next, hurried, shift, due, deadline, decided, plan)
            SELECT tenant, escalation, ", $n, ", lane, cap, ends_at, allows, round, 'waiting', team, ", $quorum,
            ", ", $next, ", 0, 0, due, deadline, NULL, plan FROM sign_offs WHERE escalation = 'e1'"
        )
    };
}

macro_rules! seat {
    ($into:literal, $of:literal, $n:literal, $person:literal, $for:literal, $until:literal) => {
        concat!(
            $into,
            " INTO seats (tenant, escalation, sign_off, n, person, via, for_whom, since, until)
            VALUES ('main', ",
            $of,
            ", ",
            $n,
            ", ",
            $person,
            ", NULL, ",
            $for,
            ", 0, ",
            $until,
            ")"
        )
    };
}

macro_rules! vote {
    ($into:literal, $of:literal, $n:literal, $round:literal, $person:literal, $kind:literal, $digest:literal, $at:literal) => {
        concat!(
            $into,
            " INTO votes (tenant, escalation, n, round, person, kind, at, digest, operator)
            SELECT 'main', id, ",
            $n,
            ", ",
            $round,
            ", ",
            $person,
            ", ",
            $kind,
            ", ",
            $at,
            ", ",
            $digest,
            ", NULL FROM escalations WHERE id = ",
            $of
        )
    };
}

macro_rules! moot {
    () => {
        "UPDATE sign_offs SET state = 'moot', decided = 1, due = NULL
            WHERE escalation = 'e1' AND state = 'waiting'; "
    };
}

macro_rules! resolution {
    ($into:literal, $of:literal, $outcome:literal, $end:literal, $at:literal, $silence:literal) => {
        concat!(
            $into,
            " INTO resolutions (tenant, escalation, outcome, end_how, at, cause, by_silence)
            SELECT 'main', id, ",
            $outcome,
            ", ",
            $end,
            ", ",
            $at,
            ", '\"flood\"', ",
            $silence,
            " FROM escalations WHERE id = ",
            $of
        )
    };
}

macro_rules! row {
    ($into:literal, $seq:literal, $n:literal, $previous:literal) => {
        concat!(
            $into,
            " INTO audit (seq, tenant, escalation, n, at, kind, payload, previous, hash)
            SELECT ",
            $seq,
            ", tenant, escalation, ",
            $n,
            ", at, 'voted', payload, ",
            $previous,
            ", payload
            FROM audit WHERE escalation = 'e1' ORDER BY n DESC LIMIT 1"
        )
    };
}

macro_rules! satisfied {
    ($($first:expr),*) => {
        concat!($($first, "; ",)*
            "UPDATE sign_offs SET state = 'satisfied', decided = 1, due = NULL WHERE escalation = 'e1'")
    };
}

/// An erasure of a denied one begins.
macro_rules! erasing {
    ($then:literal) => {
        concat!("UPDATE escalations SET erased = 1 WHERE id = 'e3'; ", $then)
    };
}

attempts! {
    Trigger "a migration out of order" "INSERT INTO migrations (n, name, checksum, applied_at) VALUES (9, 'x', 'y', 0)";
    Trigger "another checksum" "UPDATE migrations SET checksum = 'x'";
    Trigger "no migration" "DELETE FROM migrations";
    Trigger "no settings" "DELETE FROM settings";
    Trigger "a matrix in the place of another" "INSERT OR REPLACE INTO matrices (tenant, digest, source) VALUES ('main', 'm0', 'other')";
    Trigger "another source of a matrix" "UPDATE matrices SET source = 'other'";
    Trigger "no matrices" "DELETE FROM matrices";

    Trigger "a denied one in the place of itself, pending" fresh!("INSERT OR REPLACE", "id", "'pending'", "NULL", "requester", "pinned", "'e3'");
    Trigger "a second of a group in the place of the first" fresh!("INSERT OR REPLACE", "'e90'", "'pending'", "NULL", "requester", "json_set(pinned, '$.id', 'e90')", "'e8'");
    Trigger "one that opens approved" fresh!("INSERT", "'e91'", "'approved'", "opened", "requester", "json_set(pinned, '$.id', 'e91')", "'e1'");
    Trigger "one that opens denied" fresh!("INSERT", "'e91'", "'denied'", "opened", "requester", "json_set(pinned, '$.id', 'e91')", "'e1'");
    Trigger "one with another requester than its terms" fresh!("INSERT", "'e92'", "'pending'", "NULL", "'mal'", "json_set(pinned, '$.id', 'e92')", "'e1'");
    Trigger "one whose requester may vote" fresh!("INSERT", "'e93'", "'pending'", "NULL", "requester", "json_set(pinned, '$.id', 'e93', '$.excluded', json('[]'))", "'e1'");
    Key "one of an unknown matrix" "INSERT INTO escalations SELECT tenant, 'e94', opened, cap, requester, key, digest0, 'mx', lane, urgency,
        flood, group_key, asks, readable0, 1, digest0, readable0, 'pending', opened, cap, NULL, NULL, 0, NULL, NULL, 0, 0, 0,
        json_set(pinned, '$.id', 'e94', '$.matrix', 'mx') FROM escalations WHERE id = 'e1'";
    Trigger "a later cap" "UPDATE escalations SET cap = cap + 1 WHERE id = 'e1'";
    Trigger "another requester" "UPDATE escalations SET requester = 'mal' WHERE id = 'e1'";
    Trigger "other terms" "UPDATE escalations SET pinned = json_set(pinned, '$.excluded', json('[]')) WHERE id = 'e1'";
    Trigger "another matrix" "UPDATE escalations SET matrix = 'mx' WHERE id = 'e1'";
    Trigger "another tenant" "UPDATE escalations SET tenant = 'other' WHERE id = 'e1'";
    Trigger "another id, in the place of another" "UPDATE OR REPLACE escalations SET id = 'e3' WHERE id = 'e1'";
    Trigger "approved by state alone" "UPDATE escalations SET state = 'approved', ended = last WHERE id = 'e1'";
    Trigger "denied by state alone" "UPDATE escalations SET state = 'denied', ended = last WHERE id = 'e1'";
    Trigger "a denied one made pending" "UPDATE escalations SET state = 'pending', ended = NULL, due = cap WHERE id = 'e3'";
    Trigger "a denied one made approved" "UPDATE escalations SET state = 'approved' WHERE id = 'e3'";
    Trigger "another instant of the end" "UPDATE escalations SET ended = ended + 1 WHERE id = 'e3'";
    Trigger "another input" "UPDATE escalations SET digest = 'evil' WHERE id = 'e1'";
    Trigger "made readable" "UPDATE escalations SET readable = 1 WHERE id = 'e6'";
    Trigger "two rounds at once" "UPDATE escalations SET round = round + 2, digest = 'evil' WHERE id = 'e1'";
    Trigger "a round behind the end" "UPDATE escalations SET round = round + 1, digest = 'evil' WHERE id = 'e2'";
    Trigger "time that goes back" "UPDATE escalations SET last = last - 1 WHERE id = 'e1'";
    Trigger "joins taken back" "UPDATE escalations SET joined = joined - 1 WHERE id = 'e1'";
    Trigger "another first view" "UPDATE escalations SET first_viewed = first_viewed + 1 WHERE id = 'e1'";
    Trigger "a join behind the end" "UPDATE escalations SET joined = joined + 1 WHERE id = 'e3'";
    Trigger "a release of what is pending" "UPDATE escalations SET released = last WHERE id = 'e1'";
    Trigger "a pending one erased" "UPDATE escalations SET erased = 1 WHERE id = 'e1'";
    Trigger "one with a live grant erased" "UPDATE escalations SET erased = 1 WHERE id = 'e2'";
    Trigger "an erasure that begins again" "UPDATE escalations SET erased = 1 WHERE id = 'e7'";
    Trigger "an erasure that ended before it began" "UPDATE escalations SET erased = 2 WHERE id = 'e3'";
    Trigger "an erased one that is not" "UPDATE escalations SET erased = 0 WHERE id = 'e7'";
    Trigger "due later" "UPDATE escalations SET due = due + 1000000 WHERE id = 'e1'";
    Trigger "never due" "UPDATE escalations SET due = cap WHERE id = 'e1'";
    Trigger "a live grant that is never due" "UPDATE escalations SET due = NULL WHERE id = 'e2'";
    Trigger "no denied one" "DELETE FROM escalations WHERE id = 'e3'";
    Check "pending and ended" "UPDATE escalations SET ended = last WHERE id = 'e1'";
    Check "an unknown state" "UPDATE escalations SET state = 'waved through' WHERE id = 'e1'";

    Trigger "a sign-off in the place of itself" sign_off!("INSERT OR REPLACE", "0", "quorum", "0");
    Trigger "a sign-off behind its first step" sign_off!("INSERT", "1", "quorum", "1");
    Trigger "a sign-off with another quorum than its plan" sign_off!("INSERT", "1", "1", "0");
    Trigger "another lane" "UPDATE sign_offs SET lane = 'other' WHERE escalation = 'e1'";
    Trigger "another plan" "UPDATE sign_offs SET plan = json_set(plan, '$.quorum', 1) WHERE escalation = 'e1'";
    Trigger "an allow step that is none" "UPDATE sign_offs SET allows = 1 WHERE escalation = 'e1'";
    Trigger "a round of a sign-off that has not begun" "UPDATE sign_offs SET round = round + 1 WHERE escalation = 'e1'";
    Trigger "a sign-off that changes behind the end" "UPDATE sign_offs SET team = 'mine' WHERE escalation = 'e2'";
    Trigger "a satisfied sign-off made moot" "UPDATE sign_offs SET state = 'moot' WHERE escalation = 'e9' AND n = 1";
    Trigger "a satisfied sign-off that waits again" "UPDATE sign_offs SET state = 'waiting', decided = NULL,
        due = json_extract(plan, '$.steps[0].at') WHERE escalation = 'e9' AND n = 1";
    Trigger "a step taken back" "UPDATE sign_offs SET next = 0, due = json_extract(plan, '$.steps[0].at') WHERE escalation = 'e10'";
    Trigger "a step later" "UPDATE sign_offs SET due = due + 1 WHERE escalation = 'e1'";
    Trigger "a smaller quorum" "UPDATE sign_offs SET quorum = 1 WHERE escalation = 'e1'";
    Trigger "satisfied by one vote of two seats" satisfied!(seat!("INSERT", "'e1', 0", "3", "'ann'", "'bob'", "NULL"));
    Trigger "satisfied by a delegate and who delegated" satisfied!(seat!("INSERT", "'e1', 0", "3", "'zoe'", "'ann'", "NULL"),
        vote!("INSERT", "'e1'", "1", "1", "'zoe'", "'approve'", "'d0'", "last"));
    Trigger "a deadline later, with all that follows" "UPDATE sign_offs SET shift = shift + 60000, due = due + 60000000,
        deadline = deadline + 60000000 WHERE escalation = 'e1'";
    Trigger "a plan without a name" "UPDATE sign_offs SET plan = replace(replace(replace(replace(replace(replace(plan,
        '\"ann\"', '\"erased-1\"'), '\"bob\"', '\"erased-2\"'), '\"cid\"', '\"erased-3\"'), '\"dan\"', '\"erased-4\"'),
        '\"fay\"', '\"erased-5\"'), '\"gus\"', '\"erased-6\"') WHERE escalation = 'e3'";
    Trigger "a plan with other names, while it is erased" erasing!("UPDATE sign_offs
        SET plan = replace(plan, '\"ann\"', '\"mal\"') WHERE escalation = 'e3'");
    Trigger "another plan, while it is erased" erasing!("UPDATE sign_offs
        SET plan = replace(plan, '\"quorum\":2', '\"quorum\":1') WHERE escalation = 'e3'");
    Trigger "a plan that was erased" "UPDATE sign_offs SET plan = replace(plan, '\"erased-1\"', '\"erased-77\"') WHERE escalation = 'e13'";
    Trigger "satisfied by one of two" "UPDATE sign_offs SET state = 'satisfied', decided = 1, due = NULL WHERE escalation = 'e1'";
    Trigger "satisfied without a vote" "UPDATE sign_offs SET state = 'satisfied', decided = 1, due = NULL WHERE escalation = 'e4'";
    Trigger "satisfied unread" "UPDATE sign_offs SET state = 'satisfied', decided = 1, due = NULL WHERE escalation = 'e6'";
    Trigger "allowed too early" "UPDATE sign_offs SET state = 'auto_allowed', decided = 1, due = NULL WHERE escalation = 'e4'";
    Trigger "allowed without an allow step" "UPDATE escalations SET last = cap WHERE id = 'e1';
        UPDATE sign_offs SET state = 'auto_allowed', decided = 1, due = NULL WHERE escalation = 'e1'";
    Trigger "timed out too early" "UPDATE sign_offs SET state = 'timed_out', decided = 1, due = NULL WHERE escalation = 'e1'";
    Trigger "no sign-offs" "DELETE FROM sign_offs WHERE escalation = 'e1'";
    Check "a later deadline" "UPDATE sign_offs SET deadline = deadline + 1 WHERE escalation = 'e1'";
    Check "a waiting sign-off that is never due" "UPDATE sign_offs SET due = NULL WHERE escalation = 'e1'";
    Check "a quorum of nobody" "UPDATE sign_offs SET quorum = 0, next = 1, due = json_extract(plan, '$.steps[1].at') WHERE escalation = 'e1'";

    Trigger "a seat in the place of another" seat!("INSERT OR REPLACE", "'e1', 0", "0", "'mal'", "NULL", "NULL");
    Trigger "a seat that has ended" seat!("INSERT", "'e1', 0", "3", "'mal'", "NULL", "1");
    Trigger "a seat of what is decided" seat!("INSERT", "'e9', 1", "2", "'mal'", "NULL", "NULL");
    Trigger "a seat of who asked" seat!("INSERT", "'e1', 0", "3", "'agent'", "NULL", "NULL");
    Trigger "a seat of who stands behind who asked" seat!("INSERT", "'e1', 0", "3", "'owner'", "NULL", "NULL");
    Trigger "a seat delegated by nobody" seat!("INSERT", "'e1', 0", "3", "'mal'", "'nobody'", "NULL");
    Trigger "a seat of another" "UPDATE seats SET person = 'mal' WHERE escalation = 'e1' AND n = 1";
    Trigger "a seat for another" "UPDATE seats SET for_whom = 'ann' WHERE escalation = 'e1' AND n = 1";
    Trigger "a seat taken up again" "UPDATE seats SET until = NULL WHERE escalation = 'e11' AND n = 0";
    Trigger "a seat that ends behind the end" "UPDATE seats SET until = since WHERE escalation = 'e2' AND n = 0";
    Trigger "a seat without a name" "UPDATE seats SET person = 'erased-1' WHERE escalation = 'e1' AND n = 0";
    Trigger "a seat of another, while it is erased" erasing!("UPDATE seats SET person = 'mal' WHERE escalation = 'e3' AND n = 1");
    Trigger "a seat of no number, while it is erased" erasing!("UPDATE seats SET person = 'erased-1x' WHERE escalation = 'e3' AND n = 1");
    Trigger "a seat that was erased" "UPDATE seats SET person = 'erased-77' WHERE escalation = 'e7' AND n = 0";
    Trigger "no seats" "DELETE FROM seats WHERE escalation = 'e1'";

    Trigger "a vote in the place of another" vote!("INSERT OR REPLACE", "'e1'", "0", "1", "'bob'", "'approve'", "'d0'", "last");
    Trigger "a vote twice" vote!("INSERT OR REPLACE", "'e1'", "1", "1", "'ann'", "'approve'", "'d0'", "last");
    Trigger "a vote about something else" vote!("INSERT", "'e1'", "1", "1", "'bob'", "'approve'", "'evil'", "last");
    Trigger "a vote in another round" vote!("INSERT", "'e1'", "1", "2", "'bob'", "'approve'", "'d0'", "last");
    Trigger "a vote in the past" vote!("INSERT", "'e1'", "1", "1", "'bob'", "'approve'", "'d0'", "last - 1");
    Trigger "a vote behind the end" vote!("INSERT", "'e3'", "1", "1", "'bob'", "'approve'", "'d0'", "last");
    Trigger "a vote of who asked" concat!(seat!("INSERT", "'e1', 0", "3", "'agent'", "NULL", "NULL"), "; ",
        vote!("INSERT", "'e1'", "1", "1", "'agent'", "'approve'", "'d0'", "last"));
    Trigger "a vote of who is not asked" vote!("INSERT", "'e1'", "1", "1", "'mal'", "'approve'", "'d0'", "last");
    Trigger "a denial of who is not asked" vote!("INSERT", "'e1'", "1", "1", "'mal'", "'deny'", "'d0'", "last");
    Trigger "an approval of what cannot be read" vote!("INSERT", "'e6'", "0", "1", "'ann'", "'approve'", "'d0'", "last");
    Trigger "an approval taken back that was not given" vote!("INSERT", "'e1'", "1", "1", "'bob'", "'withdraw'", "'d0'", "last");
    Trigger "a vote of another" "UPDATE votes SET person = 'bob' WHERE escalation = 'e1'";
    Trigger "a vote for something else" "UPDATE votes SET digest = 'evil' WHERE escalation = 'e1'";
    Trigger "a denial made an approval" "UPDATE votes SET kind = 'approve' WHERE escalation = 'e3'";
    Trigger "a vote without a name" "UPDATE votes SET person = 'erased-1' WHERE escalation = 'e1'";
    Trigger "a vote of another, while it is erased" erasing!("UPDATE votes SET person = 'mal' WHERE escalation = 'e3'");
    Trigger "a vote of no number, while it is erased" erasing!("UPDATE votes SET person = 'erased-1x' WHERE escalation = 'e3'");
    Trigger "a vote that was erased" "UPDATE votes SET person = 'erased-77' WHERE escalation = 'e13'";
    Trigger "no votes" "DELETE FROM votes WHERE escalation = 'e1'";

    Trigger "a second end in the place of the first" resolution!("INSERT OR REPLACE", "'e3'", "'cancelled'", "NULL", "last", "0");
    Trigger "an end while a sign-off waits" resolution!("INSERT", "'e1'", "'cancelled'", "NULL", "last", "0");
    Trigger "an end in the past" concat!(moot!(), resolution!("INSERT", "'e1'", "'cancelled'", "NULL", "last - 1", "0"));
    Trigger "approved with moot sign-offs" concat!(moot!(), resolution!("INSERT", "'e1'", "'approved'", "NULL", "last", "0"));
    Trigger "amended without another input" concat!(moot!(), resolution!("INSERT", "'e1'", "'amended'", "NULL", "last", "0"));
    Trigger "approved while a sign-off waits, with lenience" resolution!("INSERT OR IGNORE", "'e1'", "'approved'", "NULL", "last", "0");
    Trigger "timed out without a sign-off that did" concat!(moot!(), resolution!("INSERT", "'e1'", "'timed_out'", "'deny'", "last", "0"));
    Trigger "silence that was none" concat!(moot!(), resolution!("INSERT", "'e1'", "'denied'", "NULL", "last", "1"));
    Trigger "another outcome" "UPDATE resolutions SET outcome = 'approved' WHERE escalation = 'e3'";
    Trigger "another cause" "UPDATE resolutions SET cause = '\"flood\"' WHERE escalation = 'e3'";
    Trigger "a cause without a name" "UPDATE resolutions SET cause = '{\"vote\":\"erased-77\"}' WHERE escalation = 'e3'";
    Trigger "a cause that was erased" "UPDATE resolutions SET cause = '{\"vote\":\"erased-77\"}' WHERE escalation = 'e13'";
    Trigger "a cause of another, while it is erased" erasing!("UPDATE resolutions SET cause = '{\"vote\":\"mal\"}' WHERE escalation = 'e3'");
    Trigger "another kind of cause, while it is erased" erasing!("UPDATE resolutions SET cause = '{\"cancelled\":\"erased-1\"}' WHERE escalation = 'e3'");
    Trigger "no resolution" "DELETE FROM resolutions WHERE escalation = 'e3'";
    Check "a time-out that does not say how" concat!(moot!(), resolution!("INSERT", "'e1'", "'denied'", "'deny'", "last", "0"));

    Trigger "a second grant in the place of the first" "INSERT OR REPLACE INTO grants (tenant, escalation, state, digest, lapses)
        SELECT tenant, escalation, 'live', digest, lapses + 1 FROM grants WHERE escalation = 'e2'";
    Trigger "a used grant in the place of itself, unused" "INSERT OR REPLACE INTO grants (tenant, escalation, state, digest, lapses)
        SELECT tenant, escalation, 'live', digest, lapses FROM grants WHERE escalation = 'e5'";
    Trigger "a grant of a denial" "INSERT INTO grants (tenant, escalation, state, digest, lapses)
        SELECT tenant, id, 'live', digest, cap FROM escalations WHERE id = 'e3'";
    Trigger "a grant of what is pending" "INSERT INTO grants (tenant, escalation, state, digest, lapses)
        SELECT tenant, id, 'live', digest, cap FROM escalations WHERE id = 'e1'";
    Trigger "a used grant made unused" "UPDATE grants SET state = 'live', consume_key = NULL, ended = NULL WHERE escalation = 'e5'";
    Trigger "a grant that lapses later" "UPDATE grants SET lapses = lapses + 1 WHERE escalation = 'e2'";
    Trigger "a grant for something else" "UPDATE grants SET digest = 'evil' WHERE escalation = 'e2'";
    Trigger "a grant used in the past" "UPDATE grants SET state = 'consumed', consume_key = 'k', ended = 1 WHERE escalation = 'e2'";
    Trigger "no grants" "DELETE FROM grants WHERE escalation = 'e2'";
    Check "a grant used without a key" "UPDATE grants SET state = 'consumed', ended = lapses - 1 WHERE escalation = 'e2'";
    Check "a grant used behind its time" "UPDATE grants SET state = 'consumed', consume_key = 'k', ended = lapses WHERE escalation = 'e2'";
    Check "a grant that lapses before its time" "UPDATE grants SET state = 'lapsed', ended = lapses - 1 WHERE escalation = 'e2'";

    Trigger "a request in the place of another" "INSERT OR REPLACE INTO requests (tenant, requester, key, digest, escalation, joined, at)
        SELECT tenant, requester, key, 'evil', escalation, joined, at FROM requests";
    Trigger "another request" "UPDATE requests SET digest = 'evil'";
    Trigger "no requests" "DELETE FROM requests";
    Key "a request of nothing" "INSERT INTO requests (tenant, requester, key, digest, escalation, joined, at) VALUES ('main', 'mal', 'k', 'd', 'nothing', 0, 0)";

    Trigger "a row that leaves one out" row!("INSERT", "NULL", "n + 2", "hash");
    Trigger "a row that follows another" row!("INSERT", "NULL", "n + 1", "previous");
    Trigger "a row in the place of another" row!("INSERT OR REPLACE", "1", "n + 1", "hash");
    Trigger "a row before the others" row!("INSERT", "-5", "n + 1", "hash");
    Trigger "another row" "UPDATE audit SET kind = 'denied' WHERE seq = 1";
    Trigger "a row at another place" "UPDATE audit SET rowid = 1000 WHERE seq = 1";
    Trigger "no rows" "DELETE FROM audit WHERE escalation = 'e1'";
    Trigger "a payload in the place of another" "INSERT OR REPLACE INTO payloads (tenant, escalation, n, salt, body)
        SELECT tenant, escalation, n, salt, 'other' FROM payloads WHERE escalation = 'e1'";
    Trigger "another payload" "UPDATE payloads SET body = 'other' WHERE escalation = 'e1'";
    Trigger "a payload of a pending one erased" "UPDATE payloads SET salt = NULL, body = NULL, erased_at = 1, erased_by = 'x', erased_why = 'y' WHERE escalation = 'e1'";
    Trigger "no payloads" "DELETE FROM payloads WHERE escalation = 'e1'";
    Trigger "a checkpoint that leaves one out" "INSERT INTO checkpoints (tenant, n, seq, rows, chains, root, previous, hash, at)
        SELECT tenant, n + 2, seq, rows, chains, root, hash, root, at FROM checkpoints";
    Trigger "a checkpoint in the place of another" "INSERT OR REPLACE INTO checkpoints (tenant, n, seq, rows, chains, root, previous, hash, at)
        SELECT tenant, n, seq, rows, chains, root, previous, root, at FROM checkpoints";
    Trigger "another checkpoint" "UPDATE checkpoints SET hash = root";
    Trigger "no checkpoints" "DELETE FROM checkpoints";

    Trigger "a notice in the place of another" "INSERT OR REPLACE INTO outbox (tenant, id, escalation, notice, merge, at, state, count, attempts, not_before)
        SELECT tenant, id, escalation, '{}', merge, at, 'waiting', 1, 0, not_before FROM outbox LIMIT 1";
    Key "a notice of nothing" "INSERT INTO outbox (tenant, id, escalation, notice, merge, at, state, count, attempts, not_before)
        SELECT tenant, 'nowhere/0/p', 'nowhere', '{}', NULL, at, 'waiting', 1, 0, not_before FROM outbox LIMIT 1";
    Trigger "another notice" "UPDATE outbox SET notice = '{}'";
    Trigger "a smaller count" "UPDATE outbox SET attempts = attempts - 1";
    Trigger "no notice of what is pending" "UPDATE outbox SET state = 'sent' WHERE escalation = 'e10'; DELETE FROM outbox WHERE escalation = 'e10'";
    Trigger "no notice that waits" "DELETE FROM outbox WHERE escalation = 'e3'";
    Trigger "no notices" "DELETE FROM outbox";
    Check "a failure without a problem" "UPDATE outbox SET state = 'failed'";
    Trigger "a notice that is sent again and merges" "UPDATE outbox SET state = 'waiting', attempts = 0, merge = 'm',
        attempts_before = (SELECT max(seq) FROM attempts WHERE notice = outbox.id) WHERE state = 'sent'";
    Trigger "a notice that is sent again with tries behind it" "UPDATE outbox SET state = 'waiting',
        attempts_before = (SELECT max(seq) FROM attempts WHERE notice = outbox.id) WHERE state = 'sent'";
    Trigger "a notice that is sent again and was taken" "UPDATE outbox SET state = 'waiting', attempts = 0 WHERE state = 'sent'";
    Trigger "a notice that was sent and failed" "UPDATE outbox SET state = 'failed', problem = 'x' WHERE state = 'sent'";
    Trigger "a notice that forgets who took it" "UPDATE outbox SET attempts_before = 1000 WHERE state = 'waiting'";

    Trigger "an attempt of nothing" "INSERT INTO attempts (tenant, notice, escalation, recipient, channel, at, took, outcome, said)
        SELECT tenant, 'nothing', escalation, recipient, channel, at, took, outcome, said FROM attempts LIMIT 1";
    Trigger "an attempt of another escalation" "INSERT INTO attempts (tenant, notice, escalation, recipient, channel, at, took, outcome, said)
        SELECT tenant, notice, 'e13', recipient, channel, at, took, outcome, said FROM attempts LIMIT 1";
    Trigger "an attempt in the place of another" "INSERT OR REPLACE INTO attempts (seq, tenant, notice, escalation, recipient, channel, at, took, outcome, said)
        SELECT seq, tenant, notice, escalation, recipient, channel, at, took, 'never', 'x' FROM attempts";
    Trigger "another attempt" "UPDATE attempts SET outcome = 'never'";
    Trigger "an attempt at another place" "UPDATE attempts SET rowid = 1000 WHERE outcome = 'sent'";
    Trigger "no attempt of a notice that waits" "DELETE FROM attempts";
    Check "an attempt with another outcome" "INSERT INTO attempts (tenant, notice, escalation, recipient, channel, at, took, outcome, said)
        SELECT tenant, notice, escalation, recipient, channel, at, took, 'maybe', said FROM attempts";
    Check "an attempt that took less than no time" "INSERT INTO attempts (tenant, notice, escalation, recipient, channel, at, took, outcome, said)
        SELECT tenant, notice, escalation, recipient, channel, at, -1, outcome, said FROM attempts";
    Check "an attempt by no channel" "INSERT INTO attempts (tenant, notice, escalation, recipient, channel, at, took, outcome, said)
        SELECT tenant, notice, escalation, recipient, '', at, took, outcome, said FROM attempts";
    Check "an entry of an unknown kind" "UPDATE entries SET kind = 'secret'";
    Check "an entry without a key" "UPDATE entries SET key = ''";
    Check "an entry with a long key" "UPDATE entries SET key = replace('xxxxx', 'x', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')";
}
