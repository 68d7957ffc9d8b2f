//! Escalations for the tests of the lifecycle: a matrix, its people, a case that is opened and acted on.
//!
//! In: the word of an event, who does what, and when. Out: what the machine answers.
//! Invariant: every change is looked at by `invariants::broken`, whatever a test asks for.
//! All that makes a `Directory`, a `Principal`, a `Policy` or `Demands` stands in this one file.

use std::collections::BTreeSet;
use std::sync::Arc;

use laneway::escalation::invariants::broken;
use laneway::escalation::people::{Channel, ChannelKind, Member, Person};
use laneway::escalation::{
    Actor, Amendment, Applied, Command, Context, Counts, Demand, Demands, Directory, Escalation,
    Opening, Policy, Principal, Refusal, Reply, Role, Roster, VoteOf, added_plans, apply, open,
};
use laneway::{Decision, Duration, Matrix, Options, Router, Timestamp, Verdict, check_text};

/// Who decides, and by which lanes. Each event names its lane.
const MATRIX: &str = include_str!("lifecycle.lane");

/// Noon of a Wednesday.
pub fn noon() -> Timestamp {
    laneway::clock::parse_timestamp("2026-01-07T12:00:00Z").unwrap()
}

/// So many seconds after noon.
pub fn after(seconds: u64) -> Timestamp {
    noon() + Duration::from_millis(seconds * 1_000).to_chrono()
}

pub fn matrix() -> Arc<Matrix> {
    let loaded = check_text("lifecycle.lane", MATRIX, &Options::default());
    loaded.into_matrix().unwrap_or_else(|why| panic!("{why}"))
}

pub fn who(name: &str) -> Principal {
    Principal::parse(name).unwrap()
}

/// Who is who. `dan` owns the bots; everyone else answers for the company.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Folk {
    pub desk: BTreeSet<&'static str>,
    pub spare: BTreeSet<&'static str>,
    pub left: BTreeSet<&'static str>,
    /// Who is reached by nothing.
    pub deaf: BTreeSet<&'static str>,
}

impl Folk {
    pub fn usual() -> Self {
        Self {
            desk: BTreeSet::from(["ann", "ben", "dan"]),
            spare: BTreeSet::from(["cat"]),
            left: BTreeSet::new(),
            deaf: BTreeSet::new(),
        }
    }

    pub fn directory(&self) -> Directory {
        let mut builder = Directory::builder().with_channels(vec![Channel::from(ChannelKind::Log)]);
        for name in self.left.union(&self.deaf) {
            let person = Person {
                left: self.left.contains(name),
                channels: self.deaf.contains(name).then(Vec::new),
                ..Person::default()
            };
            builder.person(who(name), person).unwrap();
        }
        for (group, names) in [("desk", &self.desk), ("spare", &self.spare)] {
            // A directory has no agent in a group.
            let people = names.iter().filter(|name| !name.starts_with("bot"));
            let members = people.map(|name| Member::Person(who(name)));
            builder.group(who(group), members.collect()).unwrap();
        }
        for bot in ["bot-1", "bot-2"] {
            builder.agent(who(bot), vec![who("dan")]).unwrap();
        }
        for name in KNOWN
            .iter()
            .filter(|name| !self.left.contains(*name) && !self.deaf.contains(*name))
        {
            builder.person(who(name), Person::default()).unwrap();
        }
        builder.operator(Member::Person(who("ops"))).unwrap();
        builder.finish().unwrap()
    }
}

/// Everybody who is somebody.
const KNOWN: [&str; 9] = [
    "ann", "ben", "cat", "dan", "eve", "fay", "gus", "hal", "ops",
];

/// Grants of a quarter of an hour; nothing lasts longer than so many minutes.
pub fn policy(longest: u64) -> Policy {
    Policy {
        grant_lapses_after: Duration::from_minutes(15),
        longest: Duration::from_minutes(longest),
        ..Policy::default()
    }
}

/// Demands that nothing is stricter than.
pub fn denied() -> Demands {
    Demands {
        verdict: Verdict::Deny,
        sign_offs: Vec::new(),
        holds: laneway::decision::Holds::default(),
    }
}

/// What is pinned, and one sign-off more.
pub fn one_more(demands: &Demands) -> Demands {
    let mut more = demands.clone();
    more.verdict = Verdict::Escalate;
    more.sign_offs.push(Demand {
        lane: "another".to_owned(),
        team: "chiefs".to_owned(),
        quorum: 1,
    });
    more
}

/// What an escalate decision for `lanes`, as the matrix has them, demands.
pub fn demands_of(decision: &Decision, matrix: &Matrix) -> Demands {
    let sign_offs = decision.lanes.iter().map(|lane| Demand {
        lane: lane.lane.clone(),
        team: lane.owner.clone(),
        quorum: matrix
            .teams
            .iter()
            .find(|team| team.name == lane.owner)
            .map_or(1, |team| team.quorum),
    });
    Demands {
        verdict: decision.verdict,
        sign_offs: sign_offs.collect(),
        holds: decision.meanwhile,
    }
}

pub fn decide(matrix: &Arc<Matrix>, event: &str) -> Decision {
    Router::new(Arc::clone(matrix)).decide_json(event.as_bytes(), noon())
}

pub fn event(what: &str) -> String {
    variant(what, 1)
}

/// The same with another number: another action under the same lanes. The mood of `maybe` is missing.
pub fn variant(what: &str, n: u32) -> String {
    let mood = match what {
        "maybe" => "",
        _ => r#", "mood": "calm""#,
    };
    format!(r#"{{"kind": "call", "id": "e-1", "what": "{what}", "n": {n}{mood}}}"#)
}

pub fn anyone(name: &str) -> Actor {
    Actor::new(who(name))
}

pub fn operator(name: &str) -> Actor {
    Actor {
        role: Role::Operator,
        ..anyone(name)
    }
}

pub fn engine() -> Actor {
    Actor {
        role: Role::Engine,
        ..anyone("engine")
    }
}

/// One escalation and all around it.
#[derive(Debug, Clone)]
pub struct Case {
    pub matrix: Arc<Matrix>,
    pub folk: Folk,
    pub policy: Policy,
    pub it: Escalation,
    /// What the last command did.
    pub last: Applied,
    /// Seconds after noon.
    pub now: u64,
    pub is_confirmed: bool,
}

/// How a case differs from the usual one.
#[derive(Debug, Clone)]
pub struct Setting {
    pub event: String,
    pub folk: Folk,
    pub policy: Policy,
    pub asks: bool,
    pub counts: Counts,
    pub requester: &'static str,
    pub agent: Option<&'static str>,
}

impl Setting {
    pub fn of(what: &str) -> Self {
        Self {
            event: event(what),
            folk: Folk::usual(),
            policy: policy(120),
            asks: true,
            counts: Counts::default(),
            requester: "bot-1",
            agent: Some("bot-2"),
        }
    }

    pub fn open(self) -> Case {
        let matrix = matrix();
        let decision = decide(&matrix, &self.event);
        assert_eq!(decision.verdict, Verdict::Escalate, "{}", decision.reason);
        open_decision(self, &matrix, decision)
    }
}

/// Opens what a decision demands.
pub fn open_decision(setting: Setting, matrix: &Arc<Matrix>, decision: Decision) -> Case {
    let directory = setting.folk.directory();
    let opening = Opening {
        id: "x-1".to_owned(),
        decision: &decision,
        matrix,
        is_readable: !decision.lanes.iter().any(|lane| lane.lane == "unreadable"),
        requester: who(setting.requester),
        operator: None,
        agent: setting.agent.map(who),
        key: "k-1".to_owned(),
        asks: setting.asks,
        packet: "null".to_owned(),
    };
    let context = Context {
        now: noon(),
        is_confirmed: true,
        directory: &directory,
        policy: &setting.policy,
    };
    let applied = open(&opening, setting.counts, context);
    let mut it = applied.after.clone();
    // What the decision demands, also where `Demands::of` is not there yet.
    let mut pinned = (*it.pinned).clone();
    pinned.demands = demands_of(&decision, matrix);
    it.pinned = Arc::new(pinned);
    assert_eq!(broken(None, &it), [""; 0], "at the opening");
    Case {
        matrix: Arc::clone(matrix),
        folk: setting.folk,
        policy: setting.policy,
        it,
        last: applied,
        now: 0,
        is_confirmed: true,
    }
}

impl Case {
    pub fn open(what: &str) -> Self {
        Setting::of(what).open()
    }

    /// The clock shows so many minutes after noon.
    pub fn at(&mut self, minutes: u64) -> &mut Self {
        self.at_seconds(minutes * 60)
    }

    pub fn at_seconds(&mut self, seconds: u64) -> &mut Self {
        self.now = seconds;
        self
    }

    /// What a command would do.
    pub fn would(&self, command: &Command, actor: &Actor) -> Applied {
        let directory = self.folk.directory();
        let context = Context {
            now: after(self.now),
            is_confirmed: self.is_confirmed,
            directory: &directory,
            policy: &self.policy,
        };
        apply(&self.it, command, actor, context)
    }

    /// Does it.
    pub fn act(&mut self, command: &Command, actor: &Actor) -> Result<Reply, Refusal> {
        let applied = self.would(command, actor);
        assert_eq!(
            broken(Some(&self.it), &applied.after),
            [""; 0],
            "{command:?}"
        );
        self.it = applied.after.clone();
        self.last = applied;
        self.last.answer.clone()
    }

    pub fn tick(&mut self) -> Result<Reply, Refusal> {
        self.act(&Command::Tick, &engine())
    }

    pub fn approve(&mut self, name: &str) -> Result<Reply, Refusal> {
        let digest = self.it.digest.clone();
        self.act(&approval(&digest), &anyone(name))
    }

    pub fn deny(&mut self, name: &str) -> Result<Reply, Refusal> {
        self.act(&denial("no"), &anyone(name))
    }

    pub fn withdraw(&mut self, name: &str) -> Result<Reply, Refusal> {
        self.act(&withdrawal(), &anyone(name))
    }

    pub fn consume(&mut self, name: &str, key: &str) -> Result<Reply, Refusal> {
        let command = consumption(&self.it.digest, key, self.it.pinned.demands.clone());
        self.act(&command, &anyone(name))
    }

    pub fn delegate(&mut self, from: &str, to: &str) -> Result<Reply, Refusal> {
        self.act(&Command::Delegate { to: who(to) }, &anyone(from))
    }

    pub fn reassign(&mut self, actor: &Actor, team: &str) -> Result<Reply, Refusal> {
        let command = self.reassignment(None, team);
        self.act(&command, actor)
    }

    pub fn reassignment(&self, lane: Option<&str>, team: &str) -> Command {
        let roster = Roster::of(&self.matrix, &self.folk.directory(), team);
        Command::Reassign {
            lane: lane.map(str::to_owned),
            team: team.to_owned(),
            roster: roster.expect("a team of the matrix"),
        }
    }

    /// The case with another input, decided under its matrix.
    pub fn amendment(&self, event: &str) -> Command {
        let decision = decide(&self.matrix, event);
        let is_readable = !decision.lanes.iter().any(|lane| lane.lane == "unreadable");
        let directory = self.folk.directory();
        let now = after(self.now);
        Command::Amend(Box::new(Amendment {
            digest: decision.action_digest.clone(),
            is_readable,
            demands: demands_of(&decision, &self.matrix),
            plans: added_plans(&decision, &self.matrix, &directory, &self.it, now),
            input: serde_json::json!(event).to_string(),
            reason: None,
        }))
    }

    pub fn amend(&mut self, name: &str, event: &str) -> Result<Reply, Refusal> {
        let command = self.amendment(event);
        self.act(&command, &anyone(name))
    }

    /// The words of the records of the last command.
    pub fn records(&self) -> Vec<&'static str> {
        let records = self.last.records.iter();
        records.map(|record| record.kind.as_str()).collect()
    }

    pub fn outcome(&self) -> Option<laneway::escalation::Outcome> {
        self.it.resolution.as_ref().map(|it| it.outcome)
    }
}

pub fn approval(digest: &str) -> Command {
    Command::Vote(VoteOf::Approve {
        digest: digest.to_owned(),
        reason: None,
    })
}

pub fn denial(reason: &str) -> Command {
    Command::Vote(VoteOf::Deny {
        reason: reason.to_owned(),
    })
}

pub fn withdrawal() -> Command {
    Command::Vote(VoteOf::Withdraw { reason: None })
}

pub fn consumption(digest: &str, key: &str, now: Demands) -> Command {
    Command::Consume {
        digest: digest.to_owned(),
        key: key.to_owned(),
        now: Box::new(now),
        matrix: "live".to_owned(),
    }
}
