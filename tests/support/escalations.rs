//! Escalations made by hand, and the few lines of a desk that the tests of stores need: lock, apply, write.
//!
//! In: a store, a command and an instant; or none, where that is the store's. Out: what the rules did with it.

use std::sync::Arc;

use laneway::clock::{Duration, Timestamp, parse_timestamp};
use laneway::decision::{Holds, Urgency, Verdict};
use laneway::escalation::audit::{Digest, Head, Salt, seal};
use laneway::escalation::people::{Channel, ChannelKind};
use laneway::escalation::time::stored;
use laneway::escalation::{
    Actor, Amendment, Applied, Command, Context, Demands, Directory, Does, Escalation, Pinned,
    Plan, PlannedStep, Policy, Principal, Record, Role, Roster, Seat, SignOff, SignOffState,
    VoteOf, apply,
};
use laneway::store::{self, NewRow, Store, StoreError, Stored, TENANT, Transaction, Writing};

/// A name.
pub fn name(name: &str) -> Principal {
    Principal::parse(name).unwrap()
}

/// Someone who acts.
pub fn person(person: &str) -> Actor {
    Actor::new(name(person))
}

/// An operator.
pub fn operator() -> Actor {
    Actor {
        principal: name("op"),
        role: Role::Operator,
        operator: None,
    }
}

/// The desk itself.
pub fn engine() -> Actor {
    Actor {
        principal: name("engine"),
        role: Role::Engine,
        operator: None,
    }
}

/// When the escalations of these tests open, unless they say otherwise; with microseconds.
pub fn opened() -> Timestamp {
    parse_timestamp("2026-01-07T12:00:00.000001Z").unwrap()
}

/// So many minutes behind [`opened`].
pub fn minute(minutes: i64) -> Timestamp {
    opened() + chrono_minutes(minutes)
}

fn chrono_minutes(minutes: i64) -> std::time::Duration {
    std::time::Duration::from_secs(60 * minutes.unsigned_abs())
}

/// What a lane of an escalation demands.
#[derive(Debug, Clone)]
pub struct Lane {
    pub name: &'static str,
    pub team: &'static str,
    pub quorum: u32,
    pub first: &'static [&'static str],
    pub backup: &'static [&'static str],
    /// What happens so many minutes after the opening.
    pub steps: Vec<(i64, Does)>,
    pub unsure: bool,
}

impl Lane {
    /// Two of three, a backup after 30 minutes, denied after 60.
    pub fn risk() -> Self {
        Self {
            name: "risk",
            team: "leads",
            quorum: 2,
            first: &["ann", "bob", "cid"],
            backup: &["dan"],
            steps: vec![(30, Does::NotifyBackup), (60, Does::Deny)],
            unsure: false,
        }
    }

    /// One person, allowed by silence after 40 minutes.
    pub fn quick() -> Self {
        Self {
            name: "quick",
            team: "desk",
            quorum: 1,
            first: &["ann", "eve"],
            backup: &[],
            steps: vec![(40, Does::Allow("it can be taken back".to_owned()))],
            unsure: false,
        }
    }

    fn plan(&self, opened: Timestamp) -> Plan {
        let asked = |people: &[&str]| {
            let people = people.iter().map(|person| laneway::escalation::Asked {
                person: name(person),
                via: None,
            });
            people.collect()
        };
        let roster = Roster {
            quorum: self.quorum,
            first: asked(self.first),
            backup: asked(self.backup),
        };
        let other = Roster {
            quorum: 1,
            first: asked(&["fay", "gus"]),
            backup: Vec::new(),
        };
        let at = |minutes: i64| opened + chrono_minutes(minutes);
        let steps = self.steps.iter().map(|(minutes, does)| PlannedStep {
            at: at(*minutes),
            does: does.clone(),
        });
        Plan {
            lane: self.name.to_owned(),
            unsure: self.unsure,
            team: self.team.to_owned(),
            quorum: self.quorum,
            urgency: Urgency::Normal,
            respond_by: Some(at(20)),
            steps: steps.collect(),
            rosters: [(self.team.to_owned(), roster), ("others".to_owned(), other)].into(),
        }
    }
}

/// An escalation that is about to open.
#[derive(Debug, Clone)]
pub struct Made {
    pub id: String,
    pub opened: Timestamp,
    pub requester: &'static str,
    pub lane: &'static str,
    pub urgency: Urgency,
    pub group: Option<String>,
    pub flood: &'static str,
    pub is_readable: bool,
    pub asks: bool,
    pub lanes: Vec<Lane>,
}

impl Made {
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            opened: opened(),
            requester: "agent",
            lane: "risk",
            urgency: Urgency::High,
            group: None,
            flood: "f0",
            is_readable: true,
            asks: true,
            lanes: vec![Lane::risk()],
        }
    }

    pub fn at(mut self, opened: Timestamp) -> Self {
        self.opened = stored(opened);
        self
    }

    pub fn lanes(mut self, lanes: impl IntoIterator<Item = Lane>) -> Self {
        self.lanes = lanes.into_iter().collect();
        self
    }

    /// As the machine opens it.
    pub fn escalation(&self) -> Escalation {
        let requester = name(self.requester);
        let excluded = vec![requester.clone(), name("owner")];
        let demands = Demands {
            verdict: Verdict::Escalate,
            sign_offs: Vec::new(),
            holds: Holds::default(),
        };
        let pinned = Pinned {
            id: self.id.clone(),
            opened: self.opened,
            cap: self.opened + chrono_minutes(30 * 24 * 60),
            requester,
            agent: Some(name("robot")),
            excluded,
            key: format!("key of {}", self.id),
            digest: "d0".to_owned(),
            matrix: "m0".to_owned(),
            lane: self.lane.to_owned(),
            urgency: self.urgency,
            holds: Holds::default(),
            is_readable: self.is_readable,
            asks: self.asks,
            group: self.group.clone(),
            flood: self.flood.to_owned(),
            demands,
        };
        Escalation {
            last: self.opened,
            round: 1,
            digest: pinned.digest.clone(),
            is_readable: self.is_readable,
            sign_offs: self
                .lanes
                .iter()
                .map(|lane| waiting(&lane.plan(self.opened), self.opened))
                .collect(),
            votes: Vec::new(),
            resolution: None,
            grant: None,
            joined: 0,
            first_viewed: None,
            released: None,
            undelivered: 0,
            late_votes: 0,
            pinned: Arc::new(pinned),
        }
    }
}

fn waiting(plan: &Plan, since: Timestamp) -> SignOff {
    let first = plan.rosters.get(&plan.team).into_iter();
    let first = first.flat_map(|roster| &roster.first);
    let seats = first.map(|asked| Seat {
        person: asked.person.clone(),
        via: asked.via.clone(),
        for_whom: None,
        since,
        until: None,
    });
    SignOff {
        state: SignOffState::Waiting,
        team: plan.team.clone(),
        quorum: plan.quorum,
        next: 0,
        hurried: 0,
        shift: Duration::default(),
        seats: seats.collect(),
        decided: None,
        plan: Arc::new(plan.clone()),
    }
}

/// An approval of what is asked first.
pub fn approve() -> Command {
    approve_of("d0")
}

pub fn approve_of(digest: &str) -> Command {
    Command::Vote(VoteOf::Approve {
        digest: digest.to_owned(),
        reason: Some("fine".to_owned()),
    })
}

pub fn deny() -> Command {
    Command::Vote(VoteOf::Deny {
        reason: "no".to_owned(),
    })
}

pub fn withdraw() -> Command {
    Command::Vote(VoteOf::Withdraw { reason: None })
}

pub fn cancel() -> Command {
    Command::Cancel { reason: None }
}

/// Another input, `d1`; of what could not be read, with a sign-off of its own.
pub fn amend(plans: Vec<Plan>) -> Command {
    Command::Amend(Box::new(Amendment {
        digest: "d1".to_owned(),
        is_readable: true,
        demands: Demands {
            verdict: match plans.is_empty() {
                true => Verdict::Allow,
                false => Verdict::Escalate,
            },
            sign_offs: Vec::new(),
            holds: Holds::default(),
        },
        plans,
        input: r#"{"amount":1}"#.to_owned(),
        reason: None,
    }))
}

/// The plan of a lane that an amendment adds.
pub fn added(lane: &Lane, now: Timestamp) -> Vec<Plan> {
    vec![lane.plan(now)]
}

pub fn reassign(lane: &str) -> Command {
    let people = ["fay", "gus", "hal"].iter();
    let first = people.map(|person| laneway::escalation::Asked {
        person: name(person),
        via: None,
    });
    Command::Reassign {
        lane: Some(lane.to_owned()),
        team: "night".to_owned(),
        roster: Roster {
            quorum: 1,
            first: first.collect(),
            backup: Vec::new(),
        },
    }
}

pub fn consume(key: &str) -> Command {
    Command::Consume {
        digest: "d0".to_owned(),
        key: key.to_owned(),
        now: Box::new(Demands {
            verdict: Verdict::Allow,
            sign_offs: Vec::new(),
            holds: Holds::default(),
        }),
        matrix: "m0".to_owned(),
    }
}

pub fn revoke() -> Command {
    Command::Revoke { reason: None }
}

pub fn join() -> Command {
    Command::Join {
        digest: "d9".to_owned(),
        event: None,
        key: "k9".to_owned(),
        requester: name("agent"),
    }
}

/// What the rules do with a command.
pub fn applied(it: &Escalation, command: &Command, actor: &Actor, now: Timestamp) -> Applied {
    // Everybody can be told.
    let channels = vec![Channel::from(ChannelKind::Log)];
    let directory = Directory::builder().with_channels(channels).finish();
    let (directory, policy) = (directory.unwrap(), Policy::default());
    let context = Context {
        now,
        is_confirmed: true,
        directory: &directory,
        policy: &policy,
    };
    apply(it, command, actor, context)
}

/// Rows of an audit chain, behind the last one of an escalation.
pub fn rows<'k>(
    it: &Escalation,
    n: u64,
    hash: Digest,
    records: impl IntoIterator<Item = (&'k str, String)>,
) -> Vec<NewRow> {
    let mut head = Head {
        n,
        hash,
        ..Head::start(TENANT, &it.pinned.id)
    };
    let mut rows = Vec::new();
    for (kind, body) in records {
        let salt = Salt(fastrand::u128(..).to_be_bytes());
        let row = head.next(0, it.last, kind, seal(salt, &body));
        head = row.head();
        rows.push(NewRow { row, salt, body });
    }
    rows
}

/// Writes a new escalation in a transaction.
pub fn put_new(t: &mut dyn Transaction, it: &Escalation) -> Result<(), StoreError> {
    let rows = rows(
        it,
        0,
        Digest::default(),
        [("opened", "{\"a\":1}".to_owned())],
    );
    t.put_matrix("m0", "matrix")?;
    t.put(&Writing {
        before: None,
        after: it,
        rows: &rows,
        notices: &[],
    })
}

/// The same in a transaction of its own.
pub fn try_open(store: &dyn Store, it: &Escalation) -> Result<(), StoreError> {
    let it = it.clone();
    store::write(store, move |t| put_new(t, &it))
}

pub fn open(store: &dyn Store, it: &Escalation) {
    try_open(store, it).unwrap();
}

/// Locks, applies a command and writes what it did.
pub fn command_in(
    t: &mut dyn Transaction,
    id: &str,
    command: &Command,
    actor: &Actor,
    now: Timestamp,
) -> Result<Applied, StoreError> {
    let stored = t.lock(id)?.ok_or_else(|| StoreError::other("not there"))?;
    apply_in(t, &stored, command, actor, now)
}

fn apply_in(
    t: &mut dyn Transaction,
    stored: &Stored,
    command: &Command,
    actor: &Actor,
    now: Timestamp,
) -> Result<Applied, StoreError> {
    let applied = applied(&stored.escalation, command, actor, now);
    if applied.changes() {
        let records = applied.records.iter();
        let records = records.map(|Record { kind, body }| (kind.as_str(), body.to_string()));
        let rows = rows(&applied.after, stored.n, stored.head, records);
        t.put(&Writing {
            before: Some(&stored.escalation),
            after: &applied.after,
            rows: &rows,
            notices: &applied.notices,
        })?;
    }
    Ok(applied)
}

/// What a desk does with a command.
pub fn try_command(
    store: &dyn Store,
    id: &str,
    command: Command,
    actor: &Actor,
    now: Timestamp,
) -> Result<Applied, StoreError> {
    let (id, actor) = (id.to_owned(), actor.clone());
    store::write(store, move |t| command_in(t, &id, &command, &actor, now))
}

pub fn command(
    store: &dyn Store,
    id: &str,
    command: Command,
    actor: &Actor,
    now: Timestamp,
) -> Applied {
    try_command(store, id, command, actor, now).unwrap()
}

/// An escalation as it is in the store.
pub fn get(store: &dyn Store, id: &str) -> Escalation {
    let id = id.to_owned();
    store::read(store, move |t| t.get(&id))
        .unwrap()
        .unwrap()
        .escalation
}

/// The instant of this machine.
pub fn now() -> Timestamp {
    stored(Timestamp::from(std::time::SystemTime::now()))
}

/// An escalation that asks `quorum` people, `p0` and so on, until so long from now.
pub fn made_now(id: &str, quorum: u32, within: std::time::Duration) -> Escalation {
    let opened = now();
    let at = opened + within;
    let mut it = Made::new(id).at(opened).lanes([]).escalation();
    let first = (0..quorum).map(|n| laneway::escalation::Asked {
        person: name(&format!("p{n}")),
        via: None,
    });
    let roster = Roster {
        quorum,
        first: first.collect(),
        backup: Vec::new(),
    };
    let plan = Plan {
        quorum,
        respond_by: Some(at),
        steps: vec![PlannedStep {
            at,
            does: Does::Deny,
        }],
        rosters: [("leads".to_owned(), roster)].into(),
        ..Lane::risk().plan(opened)
    };
    it.sign_offs = vec![waiting(&plan, opened)];
    it
}

/// Lets one of the people of an escalation be enough.
pub fn ask_for_one(it: &mut Escalation) {
    for sign_off in &mut it.sign_offs {
        Arc::make_mut(&mut sign_off.plan).quorum = 1;
        sign_off.quorum = 1;
    }
}

/// What a desk does with a command, at the instant of the store.
pub fn command_now(store: &dyn Store, id: &str, command: Command, actor: &Actor) -> Applied {
    let (id, actor) = (id.to_owned(), actor.clone());
    let done = store::write(store, move |t| {
        let stored = t.lock(&id)?.ok_or_else(|| StoreError::other("not there"))?;
        let now = t.wall()?;
        apply_in(t, &stored, &command, &actor, now)
    });
    done.unwrap()
}
