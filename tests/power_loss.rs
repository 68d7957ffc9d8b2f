//! A loss of power while a desk works on a file of SQLite: what was acknowledged is there, nothing is half
//! done, and the work goes on. Losses are tried around the syncs of a run of 500 operations: a sample of
//! them in the normal run, all with `LANEWAY_LONG=1`. Without syncing the same test finds a loss.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use laneway::Router;
use laneway::desk::{Clock, Consumption, Desk, DeskError};
use laneway::escalation::audit::{Checkpoint, Digest};
use laneway::escalation::{Command, Escalation, GrantState, VoteOf};
use laneway::store::{self, Outbox, Query, SqliteOptions, SqliteStore, Store};
use laneway_power::{Disk, Keep, Record, Step};

#[path = "support/world.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod world;

use world::{Hands, Mailbox, actor};

/// Operations of a run.
const OPERATIONS: u64 = 500;

/// An escalation as it is kept: all of it, and the end of its audit chain.
type State = (Escalation, usize, Digest);

/// What one operation changed. It is acknowledged by a note of its number.
#[derive(Debug)]
struct Deed {
    what: &'static str,
    /// The escalations that it touched, as they are after it.
    touched: BTreeMap<String, State>,
    /// Done in one transaction, so that all of it is there or nothing.
    is_whole: bool,
    /// What waits to be sent after it.
    outbox: Outbox,
    /// The last checkpoint, which somebody may have kept elsewhere.
    checkpoint: Option<Checkpoint>,
}

/// A desk at work in a folder, and what it did.
struct Scene {
    hands: Arc<Hands>,
    router: Router,
    mailbox: Mailbox,
    record: Record,
    random: fastrand::Rng,
    deeds: Vec<Deed>,
    states: BTreeMap<String, State>,
    checkpoint: Option<Checkpoint>,
}

/// What went wrong, in words.
fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn desk(path: &Path, hands: &Arc<Hands>, is_durable: bool) -> Result<Desk, String> {
    let wall = Arc::clone(hands);
    let mut options = SqliteOptions::new(Arc::new(move || wall.wall()));
    options.survives_power_loss = is_durable;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path, options).map_err(said)?);
    let clock: Arc<dyn Clock> = Arc::<Hands>::clone(hands);
    Desk::new(store, world::settings(&[]), clock).map_err(said)
}

fn state(desk: &Desk, id: &str) -> Result<State, String> {
    let shown = desk.show(id).map_err(said)?;
    let last = shown.history.last().ok_or("half done: no audit")?;
    Ok((shown.escalation, shown.history.len(), last.row.hash))
}

fn outbox(desk: &Desk) -> Result<Outbox, String> {
    store::read(desk.store().as_ref(), |transaction| transaction.outbox()).map_err(said)
}

/// Opens one, and says which.
fn open(
    desk: &Desk,
    router: &Router,
    hands: &Hands,
    event: (&str, &str, &str),
) -> Result<String, String> {
    let event = world::event(event.0, event.1, event.2, None);
    let (ask, decided) = world::ask(router, event, None, hands.wall());
    let opened = desk.open(&ask, &decided).map_err(said)?;
    Ok(opened.escalation.pinned.id.clone())
}

impl Scene {
    /// Works in a folder until so many operations are acknowledged. The desk ends a few times on the way.
    fn play(folder: &Path, is_durable: bool) -> Self {
        let mut scene = Self {
            hands: Hands::new(),
            router: Router::new(world::matrix()),
            mailbox: Mailbox::default(),
            record: laneway_power::record(folder).unwrap(),
            random: fastrand::Rng::with_seed(11),
            deeds: Vec::new(),
            states: BTreeMap::new(),
            checkpoint: None,
        };
        let path = folder.join("laneway.db");
        while (scene.deeds.len() as u64) < OPERATIONS {
            let desk = desk(&path, &scene.hands, is_durable).unwrap();
            for _ in 0..OPERATIONS / 5 {
                scene.operate(&desk);
            }
        }
        scene
    }

    fn operate(&mut self, desk: &Desk) {
        let n = self.deeds.len() as u64;
        let before: BTreeSet<String> = self.states.keys().cloned().collect();
        let pending = |(id, state): (&String, &State)| state.0.is_pending().then(|| id.clone());
        let pending: Vec<String> = self.states.iter().filter_map(pending).collect();
        let one = self.random.choice(&pending).cloned();
        let (what, touched) = match (self.random.u8(0..20), one) {
            (0..=4, _) | (_, None) => ("open", vec![self.open(desk, n).unwrap()]),
            (5, _) => ("join", vec![self.join(desk, n)]),
            (6, _) => ("open at once", self.burst(desk, n)),
            (7..=12, Some(id)) => ("vote", vec![self.vote(desk, id)]),
            (13, Some(id)) => ("comment", vec![self.comment(desk, id)]),
            (14, Some(id)) => ("cancel", vec![self.cancel(desk, id)]),
            (15 | 16, _) => ("consume", self.consume(desk).into_iter().collect()),
            (17, _) => {
                self.hands.pass(TimeDelta::minutes(25));
                desk.run_due(1_000).unwrap();
                // Also the grants of those that have ended.
                ("run due", self.states.keys().cloned().collect())
            }
            (18, _) => {
                desk.send(&self.mailbox, 1).unwrap();
                ("send", Vec::new())
            }
            _ => {
                self.checkpoint = desk.checkpoint().unwrap();
                ("checkpoint", Vec::new())
            }
        };
        // Whoever did it has the answer now, and relies on it.
        self.record.note(n);
        let mut deed = Deed {
            what,
            touched: BTreeMap::new(),
            // To send is to take, to send and to note.
            is_whole: !matches!(what, "open at once" | "send"),
            outbox: outbox(desk).unwrap(),
            checkpoint: self.checkpoint.clone(),
        };
        for id in touched {
            let now = state(desk, &id).unwrap();
            if self.states.get(&id) != Some(&now) {
                self.states.insert(id.clone(), now.clone());
                deed.touched.insert(id, now);
            }
        }
        let is_new = |id: &&String| !before.contains(*id);
        let opened = deed.touched.keys().filter(is_new).count();
        assert!(opened > 0 || !what.starts_with("open"), "{n}: {what}");
        self.deeds.push(deed);
    }

    fn open(&self, desk: &Desk, n: u64) -> Result<String, String> {
        let name = format!("e{n}");
        open(desk, &self.router, &self.hands, (&name, "5000", &name))
    }

    fn join(&self, desk: &Desk, n: u64) -> String {
        let event = (&*format!("e{n}"), "150", "c");
        open(desk, &self.router, &self.hands, event).unwrap()
    }

    /// Several at once, which the store makes durable together.
    fn burst(&self, desk: &Desk, n: u64) -> Vec<String> {
        let (router, hands) = (&self.router, &self.hands);
        std::thread::scope(|scope| {
            let one = |k: u64| {
                let name = format!("e{n}-{k}");
                scope.spawn(move || open(desk, router, hands, (&name, "5000", &name)).unwrap())
            };
            let all: Vec<_> = (0..4).map(one).collect();
            all.into_iter().map(|it| it.join().unwrap()).collect()
        })
    }

    fn vote(&mut self, desk: &Desk, id: String) -> String {
        let digest = self.states[&id].0.digest.clone();
        let vote = match self.random.u8(0..8) {
            0 => VoteOf::Deny {
                reason: "no".to_owned(),
            },
            _ => VoteOf::Approve {
                digest,
                reason: None,
            },
        };
        let who = self.random.choice(["b1@x", "b2@x", "b3@x", "o1@x"]);
        self.act(desk, id, Command::Vote(vote), who.unwrap())
    }

    fn comment(&self, desk: &Desk, id: String) -> String {
        let text = "we look at it".to_owned();
        self.act(desk, id, Command::Comment { text }, "b1@x")
    }

    fn cancel(&self, desk: &Desk, id: String) -> String {
        self.act(desk, id, Command::Cancel { reason: None }, "service")
    }

    /// A refusal is an answer too, and is audited.
    fn act(&self, desk: &Desk, id: String, command: Command, who: &str) -> String {
        match desk.act(&id, command, actor(who)) {
            Ok(_) | Err(DeskError::Refused(_)) => id,
            Err(error) => panic!("{error}"),
        }
    }

    fn consume(&self, desk: &Desk) -> Option<String> {
        let is_granted = |state: &State| {
            let grant = state.0.grant.as_ref();
            grant.is_some_and(|grant| grant.state == GrantState::Live)
        };
        let mut granted = self.states.iter().filter(|(_, state)| is_granted(state));
        let (id, state) = granted.next_back()?;
        let consumption = Consumption {
            digest: Some(state.0.digest.clone()),
            event: None,
            key: "k".to_owned(),
        };
        let live = self.router.matrix();
        match desk.consume(id, &consumption, &live, actor("service")) {
            Ok(_) | Err(DeskError::Refused(_)) => Some(id.clone()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens what a loss left, and says what is wrong with it. So many operations were acknowledged.
    fn look(&self, files: &BTreeMap<String, Vec<u8>>, acked: usize) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let path = folder.path().join("laneway.db");
        let desk = desk(&path, &self.hands, false)?;
        self.is_all_there(&desk, acked)?;
        self.goes_on(&desk, acked)?;
        let kept = acked.checked_sub(1).map(|last| &self.deeds[last]);
        let kept = kept.and_then(|deed| deed.checkpoint.clone());
        let report = desk.verify(kept.into_iter().collect()).map_err(said)?;
        if !report.is_sound() {
            return Err(format!("the audit is broken: {:?}", report.faults));
        }
        drop(desk);
        let connection = rusqlite::Connection::open(&path).map_err(said)?;
        let check = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        let found = connection.query_row("PRAGMA integrity_check", [], check);
        match found {
            Ok(found) if found == "ok" => Ok(()),
            found => Err(format!("integrity: {found:?}")),
        }
    }

    /// Everything is as it was behind the last operation that was acknowledged, or behind the next one.
    fn is_all_there(&self, desk: &Desk, acked: usize) -> Result<(), String> {
        let (done, open) = self.deeds.split_at(acked);
        let mut expected: BTreeMap<&String, &State> = BTreeMap::new();
        done.iter().for_each(|deed| expected.extend(&deed.touched));
        let nothing = BTreeMap::new();
        let next = open.first();
        let touched = next.map_or(&nothing, |deed| &deed.touched);
        let query = Query {
            limit: 10_000,
            ..Query::default()
        };
        let page = desk.page(query).map_err(said)?;
        let mut there: BTreeSet<String> = page.into_iter().map(|it| it.id).collect();
        for (id, wanted) in &expected {
            if !there.contains(*id) {
                return Err(format!("lost: {id}"));
            }
            if !touched.contains_key(*id) && state(desk, id)? != **wanted {
                return Err(format!("lost: what was done to {id}"));
            }
        }
        let mut is_done = BTreeSet::new();
        for (id, after) in touched {
            let found = match there.remove(id) {
                true => Some(state(desk, id)?),
                false => None,
            };
            is_done.insert(match (&found, expected.get(id)) {
                (Some(found), _) if found == after => true,
                (Some(found), Some(before)) if found == *before => false,
                (None, None) => false,
                _ => return Err(format!("half done: {id}")),
            });
        }
        there.retain(|id| !expected.contains_key(id));
        if !there.is_empty() {
            return Err(format!("there, and never opened: {there:?}"));
        }
        let is_whole = next.is_none_or(|deed| deed.is_whole);
        if is_whole && is_done.len() > 1 {
            return Err(format!("half done: {}", next.unwrap().what));
        }
        let waits = [done.last(), next].map(|deed| deed.map(|deed| deed.outbox));
        let waits_at_first = done.is_empty().then(Outbox::default);
        let found = Some(outbox(desk)?);
        if is_whole && !waits.contains(&found) && waits_at_first != found {
            return Err(format!("lost: notices, {found:?} for {waits:?}"));
        }
        Ok(())
    }

    /// It can be written to, and the last request that was acknowledged is known.
    fn goes_on(&self, desk: &Desk, acked: usize) -> Result<(), String> {
        let id = open(desk, &self.router, &self.hands, ("later", "5000", "later"))?;
        let digest = state(desk, &id)?.0.digest;
        let approve = |who| {
            let vote = VoteOf::Approve {
                digest: digest.clone(),
                reason: None,
            };
            desk.act(&id, Command::Vote(vote), actor(who)).map_err(said)
        };
        approve("b1@x")?;
        if approve("b2@x")?.escalation.grant.is_none() {
            return Err("it cannot be written to".to_owned());
        }
        let known = self.deeds[..acked].iter().rposition(|it| it.what == "open");
        if let Some(n) = known {
            let again = self.open(desk, n as u64)?;
            if !self.deeds[n].touched.contains_key(&again) {
                return Err(format!("lost: the key of {n}"));
            }
        }
        Ok(())
    }

    /// Loses power at instants of the run, and gives what is wrong after each. With a chance each instant is
    /// tried.
    fn lose(&self, chance: f64, seed: u64) -> (usize, Vec<String>) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut disk = Disk::default();
        let (mut tried, mut acked, mut wrong) = (0, 0, Vec::new());
        let steps = self.record.steps();
        for (n, step) in steps.iter().enumerate() {
            let is_boundary = matches!(step, Step::Sync { .. } | Step::Delete { .. });
            if is_boundary && random.f64() < chance {
                self.try_all(&disk, acked, n, &mut random, &mut wrong);
                tried += 1;
            }
            disk.apply(step);
            if let Step::Noted(number) = step {
                acked = usize::try_from(*number).unwrap() + 1;
            }
            if (is_boundary || matches!(step, Step::Noted(_))) && random.f64() < chance {
                self.try_all(&disk, acked, n + 1, &mut random, &mut wrong);
                tried += 1;
            }
        }
        self.try_all(&disk, acked, steps.len(), &mut random, &mut wrong);
        (tried + 1, wrong)
    }

    fn try_all(
        &self,
        disk: &Disk,
        acked: usize,
        n: usize,
        random: &mut fastrand::Rng,
        wrong: &mut Vec<String>,
    ) {
        for keep in [Keep::Nothing, Keep::Some] {
            let files = disk.after_loss(keep, random);
            if let Err(error) = self.look(&files, acked) {
                let next = self.deeds.get(acked).map(|deed| deed.what);
                wrong.push(format!(
                    "step {n}, {acked} acknowledged, next {next:?}, {keep:?} kept: {error}"
                ));
            }
        }
    }
}

#[test]
fn a_loss_of_power_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::play(folder.path(), true);
    let steps = scene.record.steps();
    let many = |is: fn(&Step) -> bool| steps.iter().filter(|step| is(step)).count();
    let syncs = many(|step| matches!(step, Step::Sync { .. }));
    let deletes = many(|step| matches!(step, Step::Delete { .. }));
    assert!(
        syncs > 400 && deletes > 2,
        "{syncs} syncs, {deletes} deletes"
    );
    let chance = match std::env::var_os("LANEWAY_LONG") {
        Some(_) => 1.0,
        None => 0.03,
    };
    let (tried, wrong) = scene.lose(chance, 7);
    println!("{} steps, {syncs} syncs, {tried} losses", steps.len());
    assert!(tried > 20, "{tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_syncing_the_same_test_finds_a_loss() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::play(folder.path(), false);
    let (_, wrong) = scene.lose(0.005, 7);
    let lost = |wrong: &&String| wrong.contains("lost: ");
    assert!(wrong.iter().filter(lost).count() > 0, "{wrong:?}");
}
