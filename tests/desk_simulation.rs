//! The desk in worlds that are made from seeds: people who vote, callers who come again, clocks that
//! jump, stores that fail, desks that end in the middle, two at once. `LANEWAY_SEED=N` runs one world.
//!
//! After each step every escalation is held against the invariants; at the end of a world each has ended
//! once, nothing that was acknowledged is missing, and the audit verifies.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that shows the world it failed in"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use laneway::desk::{Clock, Consumption, Desk, DeskError, Done};
use laneway::escalation::{Command, Escalation, VoteKind, VoteOf, invariants};
use laneway::store::{Known, MemoryStore, Query, Store, StoreErrorKind};
use laneway::{Matrix, Router};

#[path = "support/faulty.rs"]
mod faulty;
#[path = "support/world.rs"]
mod world;

use faulty::{Fault, Faulty};
use world::{Hands, Mailbox, PEOPLE, actor, operator, principal, settings};

/// Steps of a world.
const STEPS: u32 = 60;

struct World {
    seed: u64,
    random: fastrand::Rng,
    hands: Arc<Hands>,
    store: Arc<Faulty>,
    desks: Vec<Desk>,
    router: Router,
    live: Arc<Matrix>,
    mailbox: Mailbox,
    left: Vec<&'static str>,
    /// Each escalation as it was seen last.
    seen: BTreeMap<String, Escalation>,
    /// What was acknowledged: escalations, and votes in them.
    opened: Vec<String>,
    voted: Vec<(String, &'static str, VoteKind)>,
    consumed: Vec<String>,
    log: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let hands = Hands::new();
        let wall = Arc::clone(&hands);
        let memory = MemoryStore::new(Arc::new(move || wall.wall()));
        let store = Arc::new(Faulty::new(Arc::new(memory)));
        let live = world::matrix();
        let mut world = Self {
            seed,
            random: fastrand::Rng::with_seed(seed),
            hands,
            store,
            desks: Vec::new(),
            router: Router::new(Arc::clone(&live)),
            live,
            mailbox: Mailbox::default(),
            left: Vec::new(),
            seen: BTreeMap::new(),
            opened: Vec::new(),
            voted: Vec::new(),
            consumed: Vec::new(),
            log: Vec::new(),
        };
        world.desks = vec![world.desk(), world.desk()];
        world
    }

    fn desk(&self) -> Desk {
        let store: Arc<dyn Store> = Arc::<Faulty>::clone(&self.store);
        let clock: Arc<dyn Clock> = Arc::<Hands>::clone(&self.hands);
        Desk::new(store, settings(&self.left), clock).unwrap()
    }

    fn some_desk(&mut self) -> Desk {
        self.desks[self.random.usize(..2)].clone()
    }

    fn some_id(&mut self) -> Option<String> {
        let known: Vec<&String> = self.seen.keys().collect();
        self.random.choice(known).cloned()
    }

    fn note(&mut self, what: impl Into<String>) {
        self.log
            .push(format!("{} {}", self.hands.wall(), what.into()));
    }

    fn fail(&self, why: &str) -> ! {
        for line in &self.log {
            eprintln!("{line}");
        }
        panic!(
            "seed {}: {why} (run it again with LANEWAY_SEED={})",
            self.seed, self.seed
        );
    }

    fn run(&mut self) {
        for _ in 0..STEPS {
            self.break_something();
            self.step();
            self.store.set(None);
            self.look();
        }
        self.finish();
    }

    fn break_something(&mut self) {
        let fault = match self.random.u32(..100) {
            0..12 => {
                let kinds = [
                    StoreErrorKind::Full,
                    StoreErrorKind::Io,
                    StoreErrorKind::Busy,
                ];
                let kind = self.random.choice(kinds).unwrap();
                Some(Fault::Call(self.random.u64(1..12), kind))
            }
            12..18 => Some(Fault::BeforeCommit(self.random.u64(1..3))),
            18..26 => Some(Fault::AfterCommit(self.random.u64(1..3))),
            _ => None,
        };
        if let Some(fault) = fault {
            self.note(format!("fault {fault:?}"));
        }
        self.store.set(fault);
    }

    fn step(&mut self) {
        match self.random.u32(..100) {
            0..12 => self.open(),
            12..40 => self.vote(),
            40..44 => self.amend(),
            44..47 => self.hand_over(),
            47..50 => self.cancel(),
            50..58 => self.consume(),
            58..70 => self.pass_time(),
            70..84 => self.run_due(),
            84..89 => self.send(),
            89..92 => self.keep_house(),
            92..95 => self.restart(),
            95..97 => self.someone_leaves(),
            97..99 => self.jump(),
            _ => self.comment(),
        }
    }

    /// What an error may say: what is known must be true, and none of them permits anything.
    fn check_error(&self, error: &DeskError) {
        match error {
            DeskError::Store(error) => {
                let struck = self.store.struck.load(std::sync::atomic::Ordering::SeqCst);
                if !struck {
                    self.fail(&format!("the store failed by itself: {error}"));
                }
            }
            DeskError::Refused(_) | DeskError::Conflict { .. } => {}
            other => self.fail(&format!("an error that nothing explains: {other}")),
        }
    }

    fn open(&mut self) {
        let n = self.random.u32(..8);
        let amounts = ["150", "150.5", "5000", "20000"];
        let amount = self.random.choice(amounts).unwrap();
        let risk = self
            .random
            .choice([None, None, Some("high"), Some("low")])
            .unwrap();
        let customer = self.random.choice(["c1", "c2"]).unwrap();
        let event = world::event(&format!("e{n}"), amount, customer, risk);
        let (ask, decided) = world::ask(&self.router, event, None, self.hands.wall());
        self.note(format!("open e{n} {amount} {risk:?}"));
        let desk = self.some_desk();
        match desk.open(&ask, &decided) {
            Ok(opened) => {
                let id = opened.escalation.pinned.id.clone();
                if !opened.joined && !opened.replayed && self.opened.contains(&id) {
                    self.fail("an escalation opened twice");
                }
                self.opened.push(id);
            }
            Err(error) => {
                self.check_error(&error);
                // At least once: the caller comes again, and never opens another one.
                self.store.set(None);
                match desk.open(&ask, &decided) {
                    Ok(opened) => self.opened.push(opened.escalation.pinned.id.clone()),
                    Err(error) => self.check_error(&error),
                }
            }
        }
    }

    fn act(&mut self, id: &str, command: Command, who: &str) -> Option<Done> {
        let desk = self.some_desk();
        match desk.act(id, command, actor(who)) {
            Ok(done) => Some(done),
            Err(error) => {
                self.check_error(&error);
                None
            }
        }
    }

    fn vote(&mut self) {
        let (Some(id), Some(who)) = (self.some_id(), self.random.choice(PEOPLE)) else {
            return;
        };
        let digest = self.seen[&id].digest.clone();
        let (vote, kind) = match self.random.u32(..20) {
            0..17 => (
                VoteOf::Approve {
                    digest,
                    reason: None,
                },
                VoteKind::Approve,
            ),
            17..18 => {
                let reason = "no".to_owned();
                (VoteOf::Deny { reason }, VoteKind::Deny)
            }
            _ => (VoteOf::Withdraw { reason: None }, VoteKind::Withdraw),
        };
        self.note(format!("{who} {kind:?} {id}"));
        if self.act(&id, Command::Vote(vote), who).is_some() {
            self.voted.push((id, who, kind));
        }
    }

    fn amend(&mut self) {
        let (Some(id), Some(who)) = (self.some_id(), self.random.choice(PEOPLE)) else {
            return;
        };
        let amount = self.random.choice(["120", "2000", "90"]).unwrap();
        let input = world::event("amended", amount, "c1", None);
        self.note(format!("{who} amends {id} to {amount}"));
        if let Err(error) = self.some_desk().amend(&id, &input, None, actor(who)) {
            self.check_error(&error);
        }
    }

    fn hand_over(&mut self) {
        let (Some(id), Some(who)) = (self.some_id(), self.random.choice(PEOPLE)) else {
            return;
        };
        if self.random.bool() {
            let to = principal(self.random.choice(PEOPLE).unwrap());
            self.note(format!("{who} delegates {id} to {to}"));
            let _ = self.act(&id, Command::Delegate { to }, who);
        } else {
            let team = self.random.choice(["ops", "board"]).unwrap();
            let lane = self.random.choice([None, Some("big".to_owned())]).unwrap();
            self.note(format!("{who} reassigns {id} to {team}"));
            let by = if self.random.bool() {
                operator()
            } else {
                actor(who)
            };
            if let Err(error) = self.some_desk().reassign(&id, lane, team, by) {
                self.check_error(&error);
            }
        }
    }

    fn cancel(&mut self) {
        if let Some(id) = self.some_id() {
            let who = self.random.choice(["service", "bot", "b1@x"]).unwrap();
            self.note(format!("{who} cancels {id}"));
            let _ = self.act(&id, Command::Cancel { reason: None }, who);
        }
    }

    fn consume(&mut self) {
        let Some(id) = self.some_id() else {
            return;
        };
        let right = self.seen[&id].digest.clone();
        let digest = if self.random.u32(..4) > 0 {
            right.clone()
        } else {
            "00".repeat(32)
        };
        let is_right = digest == right;
        let consumption = Consumption {
            digest: Some(digest),
            event: None,
            key: format!("k{}", self.random.u32(..2)),
        };
        let live = Arc::clone(&self.live);
        self.note(format!("consume {id} {is_right}"));
        match self
            .some_desk()
            .consume(&id, &consumption, &live, actor("service"))
        {
            Ok(done) => {
                if !is_right {
                    self.fail("another action was permitted");
                }
                let replayed = matches!(
                    done.reply,
                    laneway::escalation::Reply::Consumed { replayed: true }
                );
                if !replayed {
                    if self.consumed.contains(&id) {
                        self.fail("a grant was consumed twice");
                    }
                    self.consumed.push(id);
                }
            }
            Err(error) => {
                if let DeskError::Store(error) = &error
                    && error.known == Known::Unknown
                {
                    // It may be consumed: then only the same key is answered.
                    self.note("consumption not known");
                }
                self.check_error(&error);
            }
        }
    }

    fn pass_time(&mut self) {
        let due = self.seen.values().filter_map(Escalation::due).min();
        let now = self.hands.wall();
        let to_due = due.map(|due| (due - now).max(TimeDelta::zero()));
        let millis = |n| TimeDelta::milliseconds(n);
        let gone = match (self.random.u32(..8), to_due) {
            (0, Some(due)) => due,
            (1, Some(due)) => (due - millis(1)).max(TimeDelta::zero()),
            (2, Some(due)) => due + TimeDelta::minutes(6),
            (3, _) => TimeDelta::hours(2),
            (4, _) => TimeDelta::minutes(16),
            _ => TimeDelta::seconds(i64::from(self.random.u32(1..600))),
        };
        self.note(format!("time passes by {gone}"));
        self.hands.pass(gone);
    }

    fn run_due(&mut self) {
        self.note("run due");
        match self.some_desk().run_due(100) {
            Ok(stepped) => {
                let struck = self.store.struck.load(std::sync::atomic::Ordering::SeqCst);
                if !stepped.failed.is_empty() && !struck {
                    self.fail(&format!("a step fails by itself: {:?}", stepped.failed));
                }
            }
            Err(error) => self.check_error(&error),
        }
    }

    fn send(&mut self) {
        let refuses = self
            .random
            .choice([None, None, Some(false), Some(true)])
            .unwrap();
        *self.mailbox.refuses.lock().unwrap() = refuses;
        self.note(format!("send, refused: {refuses:?}"));
        if let Err(error) = self.some_desk().send(&self.mailbox, 20) {
            self.check_error(&error);
        }
    }

    fn keep_house(&mut self) {
        self.note("keep house");
        if let Err(error) = self.some_desk().keep_house() {
            self.check_error(&error);
        }
    }

    fn restart(&mut self) {
        self.note("a desk ends and another begins");
        self.store.set(None);
        let which = self.random.usize(..2);
        self.desks[which] = self.desk();
    }

    fn someone_leaves(&mut self) {
        let Some(who) = self.random.choice(["b1@x", "o1@x", "cfo@x"]) else {
            return;
        };
        match self.left.iter().position(|left| *left == who) {
            Some(at) => drop(self.left.remove(at)),
            None => self.left.push(who),
        }
        self.note(format!("left: {:?}", self.left));
        for desk in &self.desks {
            desk.set(settings(&self.left));
        }
    }

    fn jump(&mut self) {
        let by = self.random.choice([-90, 90, 600]).unwrap();
        self.note(format!("the wall clock jumps by {by} minutes"));
        self.hands.jump(TimeDelta::minutes(by));
    }

    fn comment(&mut self) {
        if let Some(id) = self.some_id() {
            let text = "hm".to_owned();
            let _ = self.act(&id, Command::Comment { text }, "o1@x");
        }
    }

    /// Holds everything in the store against what was seen before.
    fn look(&mut self) {
        let desk = self.desks[0].clone();
        let query = Query {
            limit: 1_000,
            ..Query::default()
        };
        for summary in desk.page(query).unwrap() {
            let now = desk.show(&summary.id).unwrap().escalation;
            let mut wrong = invariants::broken(self.seen.get(&summary.id), &now);
            // Between two looks there may be several commands.
            wrong.retain(|wrong| wrong != "two steps at once");
            if !wrong.is_empty() && self.seen.contains_key(&summary.id) {
                self.fail(&format!("{}: {wrong:?}", summary.id));
            }
            assert_eq!(
                summary.outcome,
                now.resolution.as_ref().map(|end| end.outcome)
            );
            self.seen.insert(summary.id, now);
        }
        for id in &self.opened {
            if !self.seen.contains_key(id) {
                self.fail("an escalation that was acknowledged is not there");
            }
        }
        for (id, who, kind) in &self.voted {
            let votes = &self.seen[id].votes;
            if !votes
                .iter()
                .any(|vote| vote.person.as_str() == *who && vote.kind == *kind)
            {
                self.fail(&format!("the vote of {who} in {id} is not there"));
            }
        }
    }

    /// Nothing fails any more, and time runs out: everything ends.
    fn finish(&mut self) {
        self.store.set(None);
        let desk = self.desks[0].clone();
        desk.confirm_clock().unwrap();
        for _ in 0..60 {
            self.hands.pass(TimeDelta::hours(13));
            while desk.run_due(100).unwrap().escalations > 0 {}
        }
        self.look();
        for (id, it) in &self.seen {
            if it.is_pending() {
                self.fail(&format!("{id} never ends"));
            }
        }
        *self.mailbox.refuses.lock().unwrap() = None;
        for _ in 0..200 {
            self.hands.pass(TimeDelta::minutes(11));
            let sent = desk.send(&self.mailbox, 1_000).unwrap();
            if sent.sent == 0 && sent.retried == 0 {
                break;
            }
        }
        let taken = self.mailbox.taken.lock().unwrap();
        let resolved = |id: &str| {
            taken
                .iter()
                .filter(|it| it.notice.id == format!("{id}/resolved"))
                .count()
        };
        for id in self.seen.keys() {
            // At least once; once for good if no answer of the store was lost.
            if resolved(id) == 0 && desk_outbox_failed(&desk) == 0 {
                self.fail(&format!("nobody was told that {id} ended"));
            }
        }
        drop(taken);
        let kept = desk.checkpoint().unwrap();
        let report = desk.verify(kept.into_iter().collect()).unwrap();
        if !report.is_sound() {
            self.fail(&format!("the audit does not verify: {:?}", report.faults));
        }
    }
}

fn desk_outbox_failed(desk: &Desk) -> u64 {
    let outbox = laneway::store::read(desk.store().as_ref(), |transaction| transaction.outbox());
    outbox.unwrap().failed
}

#[test]
fn worlds_from_seeds() {
    if let Some(seed) = std::env::var("LANEWAY_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        World::new(seed).run();
        return;
    }
    let seeds: u64 = match std::env::var("LANEWAY_LONG").is_ok() {
        true => 200_000,
        false => 2_000,
    };
    let threads = 2;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for seed in (0..seeds).filter(|seed| seed % threads == thread) {
                    World::new(seed).run();
                }
            });
        }
    });
    println!("{seeds} worlds of {STEPS} steps");
}
