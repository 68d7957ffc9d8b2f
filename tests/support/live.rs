//! Escalations made by hand, and the few lines of a desk that the tests of stores need: lock, read the
//! clock, apply, write.
//!
//! In: a store and a command. Out: what the rules did with it.

use std::sync::Arc;
use std::time::Duration;

use laneway::clock::Timestamp;
use laneway::decision::{Holds, Urgency, Verdict};
use laneway::escalation::audit::{Digest, Head, Salt, seal};
use laneway::escalation::time::stored;
use laneway::escalation::{
    Actor, Applied, Command, Context, Demands, Directory, Does, Escalation, Pinned, Plan,
    PlannedStep, Policy, Principal, Record, RecordKind, Seat, SignOff, SignOffState, VoteOf, apply,
};
use laneway::store::{self, NewRow, Store, StoreError, Transaction, Writing};

/// A name.
pub fn name(name: &str) -> Principal {
    Principal::parse(name).unwrap()
}

/// Someone who acts.
pub fn person(person: &str) -> Actor {
    Actor::new(name(person))
}

/// An approval of what [`made`] asks for.
pub fn approve() -> Command {
    Command::Vote(VoteOf::Approve {
        digest: "d0".to_owned(),
        reason: None,
    })
}

/// A denial.
pub fn deny() -> Command {
    Command::Vote(VoteOf::Deny {
        reason: "no".to_owned(),
    })
}

/// A call for the grant of what [`made`] asks for.
pub fn consume(key: &str) -> Command {
    Command::Consume {
        digest: "d0".to_owned(),
        key: key.to_owned(),
        now: Box::new(demands()),
        matrix: "m0".to_owned(),
    }
}

fn demands() -> Demands {
    Demands {
        verdict: Verdict::Escalate,
        sign_offs: Vec::new(),
        holds: Holds::default(),
    }
}

/// Lets one of the people of an escalation be enough.
pub fn ask_for_one(it: &mut Escalation) {
    for sign_off in &mut it.sign_offs {
        Arc::make_mut(&mut sign_off.plan).quorum = 1;
        sign_off.quorum = 1;
    }
}

/// The instant of this machine.
pub fn now() -> Timestamp {
    stored(Timestamp::from(std::time::SystemTime::now()))
}

/// An escalation that asks `quorum` people, `p0` and so on, until so long from now.
pub fn made(id: &str, quorum: u32, within: Duration) -> Escalation {
    let opened = now();
    let at = opened + within;
    let plan = Plan {
        lane: "risk".to_owned(),
        unsure: false,
        team: "leads".to_owned(),
        quorum,
        urgency: Urgency::High,
        respond_by: Some(at),
        steps: vec![PlannedStep {
            at,
            does: Does::Deny,
        }],
        rosters: Default::default(),
    };
    let seats = (0..quorum).map(|n| Seat {
        person: name(&format!("p{n}")),
        via: None,
        for_whom: None,
        since: opened,
        until: None,
    });
    let sign_off = SignOff {
        state: SignOffState::Waiting,
        team: plan.team.clone(),
        quorum,
        next: 0,
        hurried: 0,
        shift: Default::default(),
        seats: seats.collect(),
        decided: None,
        plan: Arc::new(plan),
    };
    Escalation {
        pinned: Arc::new(Pinned {
            id: id.to_owned(),
            opened,
            cap: opened + Duration::from_secs(3600),
            requester: name("agent"),
            agent: None,
            excluded: vec![name("agent")],
            key: id.to_owned(),
            digest: "d0".to_owned(),
            matrix: "m0".to_owned(),
            lane: "risk".to_owned(),
            urgency: Urgency::High,
            holds: Holds::default(),
            is_readable: true,
            asks: true,
            group: None,
            flood: "f0".to_owned(),
            demands: demands(),
        }),
        last: opened,
        round: 1,
        digest: "d0".to_owned(),
        is_readable: true,
        sign_offs: vec![sign_off],
        votes: Vec::new(),
        resolution: None,
        grant: None,
        joined: 0,
        first_viewed: None,
        released: None,
        undelivered: 0,
        late_votes: 0,
    }
}

/// One more row of an audit chain.
pub fn rows(it: &Escalation, n: u64, head: Digest, kind: &str) -> Vec<NewRow> {
    chain(it, n, head, [(kind, "{}".to_owned())].into_iter())
}

fn chain<'k>(
    it: &Escalation,
    n: u64,
    hash: Digest,
    records: impl Iterator<Item = (&'k str, String)>,
) -> Vec<NewRow> {
    let mut head = Head {
        n,
        hash,
        ..Head::start("main", &it.pinned.id)
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

/// Writes a new escalation.
pub fn put_new(t: &mut dyn Transaction, it: &Escalation) -> Result<(), StoreError> {
    let rows = rows(it, 0, Digest::default(), RecordKind::Opened.as_str());
    t.put_matrix("m0", "matrix")?;
    t.put(&Writing {
        before: None,
        after: it,
        rows: &rows,
        notices: &[],
    })
}

/// The same in a transaction of its own.
pub fn open(store: &dyn Store, it: &Escalation) {
    let it = it.clone();
    store::write(store, move |t| put_new(t, &it)).unwrap();
}

/// What a desk does with a command.
pub fn command(store: &dyn Store, id: &str, command: Command, actor: &Actor) -> Applied {
    try_command(store, id, command, actor).unwrap()
}

/// The same, with what the store says.
pub fn try_command(
    store: &dyn Store,
    id: &str,
    command: Command,
    actor: &Actor,
) -> Result<Applied, StoreError> {
    let (id, actor) = (id.to_owned(), actor.clone());
    store::write(store, move |t| {
        let stored = t.lock(&id)?.ok_or_else(|| StoreError::other("not there"))?;
        let now = t.wall()?;
        let (directory, policy) = (Directory::default(), Policy::default());
        let context = Context {
            now,
            is_confirmed: true,
            directory: &directory,
            policy: &policy,
        };
        let applied = apply(&stored.escalation, &command, &actor, context);
        if applied.changes() {
            let records = applied.records.iter();
            let records = records.map(|Record { kind, body }| (kind.as_str(), body.to_string()));
            let rows = chain(&applied.after, stored.n, stored.head, records);
            t.put(&Writing {
                before: Some(&stored.escalation),
                after: &applied.after,
                rows: &rows,
                notices: &applied.notices,
            })?;
        }
        Ok(applied)
    })
}
