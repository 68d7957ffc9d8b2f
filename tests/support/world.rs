//! A small world for the desk: a matrix, people, clocks that are set by hand, a notifier that fails when
//! it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use laneway::clock::Timestamp;
use laneway::desk::{Ask, Clock, Decided, Settings};
use laneway::escalation::people::{Channel, ChannelKind, Member, Person};
use laneway::escalation::{Actor, Directory, Policy, Principal, Role};
use laneway::limits::Limits;
use laneway::notify::{Notifier, NotifyError, Told};
use laneway::reference::Times;
use laneway::store::Posted;
use laneway::{Matrix, Recording, Router};

pub const MATRIX: &str = r#"
matrix "Payments" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable escalate to ops
}
event pay {
  amount: money EUR 0 to 100000
  customer: text
  risk: one of low, high optional
}
action freeze "Freeze the account"
team ops {
  first person "o1@x", person "o2@x"
  backup person "o3@x"
}
team board {
  first group "board"
  quorum 2 of 3
  backup person "cfo@x"
}
lane big {
  about "Large payments"
  on pay
  when amount > 1000 EUR
  owner board
  urgency high
  respond within 1h
  meanwhile block item
  also freeze
  operator "Look at it."
  evidence {
    required input, action, trigger
  }
  timeout {
    after 1h notify backup
    every 30m notify backup
    after 4h run freeze
    after 8h deny
  }
}
lane risky {
  about "Risky payments"
  on pay
  when risk is high if present
  owner ops
  urgency critical
  respond within 30m
  meanwhile block item
  operator "Look at it."
  evidence {
    required input, action, trigger
  }
  timeout {
    after 30m notify backup
    after 1h route to board
    after 6h expire
  }
}
lane small {
  about "Small payments that can be taken back"
  on pay
  when amount > 100 EUR and amount <= 200 EUR
  group by customer
  owner ops
  urgency low
  reversible "paid back with the next bill"
  respond within 1h
  meanwhile hold item
  operator "Look at it."
  evidence {
    required input, action, trigger
  }
  timeout {
    after 1h notify backup
    after 3h allow because "small, and can be taken back"
  }
}
"#;

/// Everybody who may be asked, who asks, and one who is neither.
pub const PEOPLE: [&str; 9] = [
    "b1@x", "b2@x", "b3@x", "cfo@x", "o1@x", "o2@x", "o3@x", "owner@x", "other@x",
];

pub fn matrix() -> Arc<Matrix> {
    let loaded = laneway::check_text("matrix.lane", MATRIX, &laneway::Options::default());
    loaded.into_matrix().unwrap()
}

pub fn principal(name: &str) -> Principal {
    Principal::parse(name).unwrap()
}

pub fn actor(name: &str) -> Actor {
    Actor::new(principal(name))
}

pub fn operator() -> Actor {
    Actor {
        principal: principal("root@x"),
        role: Role::Operator,
        operator: None,
    }
}

/// The people, without those who left.
pub fn directory(left: &[&str]) -> Directory {
    directory_by(left, vec![Channel::from(ChannelKind::Log)])
}

/// The same, with channels that everybody has.
pub fn directory_by(left: &[&str], channels: Vec<Channel>) -> Directory {
    let mut builder = Directory::builder().with_channels(channels);
    for name in PEOPLE {
        let person = Person {
            left: left.contains(&name),
            ..Person::default()
        };
        builder.person(principal(name), person).unwrap();
    }
    let board = ["b1@x", "b2@x", "b3@x"].map(|name| Member::Person(principal(name)));
    builder.group(principal("board"), board.to_vec()).unwrap();
    builder
        .agent(principal("bot"), vec![principal("owner@x")])
        .unwrap();
    builder
        .operator(Member::Person(principal("other@x")))
        .unwrap();
    builder.finish().unwrap()
}

pub fn settings(left: &[&str]) -> Settings {
    Settings {
        directory: directory(left),
        policy: Policy::default(),
        limits: Limits::default(),
    }
}

/// Clocks that stand where they are put.
#[derive(Debug)]
pub struct Hands(Mutex<(Timestamp, Duration)>, Mutex<u32>);

impl Hands {
    pub fn new() -> Arc<Self> {
        Self::at("2026-11-16T08:00:00Z".parse().unwrap())
    }

    /// They stand there at first.
    #[allow(dead_code, reason = "most tests begin at one instant")]
    pub fn at(start: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new((start, Duration::ZERO)), Mutex::new(1)))
    }

    /// Time passes.
    pub fn pass(&self, gone: TimeDelta) {
        let mut hands = self.0.lock().unwrap();
        hands.0 += gone;
        hands.1 += gone.to_std().unwrap();
    }

    /// The machine was off for so long, and runs again.
    #[allow(dead_code, reason = "not every test turns it off")]
    pub fn restart(&self, off: TimeDelta) {
        let mut hands = self.0.lock().unwrap();
        hands.0 += off;
        hands.1 = Duration::ZERO;
        *self.1.lock().unwrap() += 1;
    }

    /// The wall clock alone jumps.
    pub fn jump(&self, by: TimeDelta) {
        self.0.lock().unwrap().0 += by;
    }
}

/// What the wall clock shows.
#[allow(dead_code, reason = "not every test asks")]
pub fn now(hands: &Hands) -> Timestamp {
    hands.wall()
}

impl Clock for Hands {
    fn wall(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }
    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().1
    }
    fn boot(&self) -> Option<String> {
        Some(self.1.lock().unwrap().to_string())
    }
}

/// Takes notices, or not.
#[derive(Debug, Default)]
pub struct Mailbox {
    pub taken: Mutex<Vec<Posted>>,
    /// Whether the next ones are refused, for now or for good.
    pub refuses: Mutex<Option<bool>>,
}

impl Notifier for Mailbox {
    fn send(&self, posted: &Posted, _: &Directory) -> Told {
        let result = match *self.refuses.lock().unwrap() {
            Some(true) => Err(NotifyError::Never("no such address".to_owned())),
            Some(false) => Err(NotifyError::Later("the channel is busy".to_owned())),
            None => {
                self.taken.lock().unwrap().push(posted.clone());
                Ok(())
            }
        };
        Told::by("mailbox".to_owned(), result)
    }
}

/// An event of the world.
pub fn event(id: &str, amount: &str, customer: &str, risk: Option<&str>) -> Vec<u8> {
    let risk = risk.map_or_else(String::new, |risk| format!(r#", "risk": "{risk}""#));
    format!(
        r#"{{"kind": "pay", "id": "{id}", "amount": {amount}, "customer": "{customer}"{risk}}}"#
    )
    .into_bytes()
}

/// A request of the bot for an event, decided at an instant.
pub fn ask(router: &Router, event: Vec<u8>, key: Option<&str>, now: Timestamp) -> (Ask, Decided) {
    let Recording {
        decision, recorded, ..
    } = router.dry_run_recording(&event, now);
    let decided = Decided {
        matrix: router.matrix(),
        decision,
        recorded,
        times: Times::received(now),
    };
    let ask = Ask {
        requester: principal("service"),
        operator: None,
        agent: Some(principal("bot")),
        key: key.map(str::to_owned),
        asks: true,
        event,
        history: Vec::new(),
    };
    (ask, decided)
}
