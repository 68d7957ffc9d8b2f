//! Breadth first over every state of a bounded world, with every command by everyone in each of them.
//!
//! In: a [`World`]. Out: how many states and transitions it has, and what went against the rules, each
//! with the shortest way there.
//! Invariant: two states are one only where nothing that follows can tell them apart.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::hash::{Hash, Hasher};

use laneway::escalation::invariants::broken;
use laneway::escalation::{
    About, Actor, Amendment, Applied, Command, Context, Directory, Escalation, GrantState, Policy,
    Refusal, Reply, Roster, apply,
};
use laneway::{Duration, Timestamp};

use super::spec::{Expect, Shadow};
use super::support::{
    Case, Setting, anyone, approval, consumption, denial, denied, engine, one_more, operator,
    policy, variant, withdrawal,
};
use super::town::{CHANGES, NAMES, Town, known};

/// What is walked, and how far.
#[derive(Debug, Clone)]
pub struct World {
    /// The word of the event.
    pub what: &'static str,
    /// How many of the changes of the directory may happen, one after the other.
    pub changes: u32,
    /// Whether the input may be changed once.
    pub amends: bool,
    /// Whether others may be asked.
    pub hands_over: bool,
    /// The cap, in minutes.
    pub longest: u64,
    /// Whether steps come late, because the engine was down.
    pub late: bool,
    /// Whether notices fail to be sent.
    pub fails: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Walked {
    pub states: usize,
    pub transitions: usize,
    pub ended: BTreeMap<String, usize>,
    /// What went wrong: how often, and the first way there.
    pub wrong: BTreeMap<String, (usize, String)>,
}

#[derive(Clone)]
struct State {
    it: Escalation,
    shadow: Shadow,
    mask: u8,
    now: Timestamp,
}

struct Walk {
    world: World,
    case: Case,
    policy: Policy,
    towns: Vec<(Town, Directory)>,
    amendments: Vec<Amendment>,
    ways: Vec<(u32, String)>,
    walked: Walked,
}

impl World {
    pub fn of(what: &'static str) -> Self {
        Self {
            what,
            changes: 1,
            amends: false,
            hands_over: false,
            longest: 40,
            late: true,
            fails: true,
        }
    }

    /// Walks it whole, or until something goes wrong.
    pub fn walk(self) -> Walked {
        let mut setting = Setting::of(self.what);
        setting.policy = policy(self.longest);
        setting.folk = Town::after(0).folk;
        let policy = setting.policy.clone();
        let case = setting.open();
        let towns = (0..1u8 << CHANGES.len()).map(Town::after);
        let mut walk = Walk {
            towns: towns.map(|it| (it.clone(), it.folk.directory())).collect(),
            amendments: amendments(&case, self.what),
            world: self,
            policy,
            ways: Vec::new(),
            walked: Walked::default(),
            case,
        };
        walk.run();
        walk.walked
    }
}

/// Another input under the same lanes, and one under stricter ones.
fn amendments(case: &Case, what: &str) -> Vec<Amendment> {
    let Command::Amend(same) = case.amendment(&variant(what, 2)) else {
        return Vec::new();
    };
    let mut stricter = (*same).clone();
    stricter.digest = "stricter".to_owned();
    stricter.demands = one_more(&stricter.demands);
    vec![*same, stricter]
}

impl Walk {
    fn run(&mut self) {
        let it = self.case.it.clone();
        let first = State {
            shadow: Shadow::of(&it),
            now: it.pinned.opened,
            it,
            mask: 0,
        };
        let mut seen = HashSet::from([key(&first)]);
        self.ways.push((0, "opened".to_owned()));
        let mut queue = VecDeque::from([(0u32, first)]);
        while let Some((at, state)) = queue.pop_front() {
            self.walked.states += 1;
            for (label, next) in self.from(at, &state) {
                if seen.insert(key(&next)) {
                    let id = u32::try_from(self.ways.len()).unwrap();
                    self.ways.push((at, label));
                    queue.push_back((id, next));
                }
            }
            if !self.walked.wrong.is_empty() {
                return;
            }
        }
    }

    fn way(&self, mut at: u32) -> String {
        let mut labels = Vec::new();
        while at != 0 {
            let (before, label) = &self.ways[at as usize];
            labels.push(label.as_str());
            at = *before;
        }
        labels.reverse();
        labels.join(", ")
    }

    fn blame(&mut self, at: u32, label: &str, what: String) {
        let way = match self.walked.wrong.contains_key(&what) {
            true => String::new(),
            false => format!("{}, then: {label}", self.way(at)),
        };
        self.walked.wrong.entry(what).or_insert((0, way)).0 += 1;
    }

    fn apply(&self, it: &Escalation, act: (&Command, &Actor), mask: u8, now: Timestamp) -> Applied {
        self.apply_by(it, act, mask, now, true)
    }

    fn apply_by(
        &self,
        it: &Escalation,
        (command, actor): (&Command, &Actor),
        mask: u8,
        now: Timestamp,
        is_confirmed: bool,
    ) -> Applied {
        let context = Context {
            now,
            is_confirmed,
            directory: &self.towns[mask as usize].1,
            policy: &self.policy,
        };
        apply(it, command, actor, context)
    }

    /// All that follows from a state.
    fn from(&mut self, at: u32, state: &State) -> Vec<(String, State)> {
        let mut next = Vec::new();
        for is_confirmed in [true, false] {
            self.acts(at, state, is_confirmed, &mut next);
        }
        self.ends_by_time(at, state);
        for now in self.instants(state) {
            let minutes = (now - state.it.pinned.opened).num_seconds() as f64 / 60.0;
            let label = format!("clock {minutes:.2}");
            next.push((
                label,
                State {
                    now,
                    ..state.clone()
                },
            ));
        }
        if state.it.is_pending() && state.mask.count_ones() < self.world.changes {
            for (bit, change) in CHANGES.iter().enumerate() {
                if state.mask & (1 << bit) == 0 {
                    let mask = state.mask | (1 << bit);
                    next.push((
                        (*change).to_owned(),
                        State {
                            mask,
                            ..state.clone()
                        },
                    ));
                }
            }
        }
        next
    }

    fn acts(
        &mut self,
        at: u32,
        state: &State,
        is_confirmed: bool,
        next: &mut Vec<(String, State)>,
    ) {
        let State { it, mask, now, .. } = state;
        let town = self.towns[*mask as usize].0.clone();
        let tick = (Command::Tick, engine());
        let ticked = self.apply_by(it, (&tick.0, &tick.1), *mask, *now, is_confirmed);
        let timed = self.follow(at, "tick", state, &ticked, is_confirmed);
        let commands = self.commands(it, is_confirmed);
        for (label, command, actor) in commands {
            self.walked.transitions += 1;
            let applied = self.apply_by(it, (&command, &actor), *mask, *now, is_confirmed);
            let who = known_actor(&actor);
            let expected = timed.expect(&town, &ticked.after, &command, who, actor.role, *now);
            let got = match &applied.answer {
                Ok(Reply::Unchanged) => Expect::Unchanged,
                Ok(_) => Expect::Done,
                Err(Refusal::Revoked(Some(_))) => Expect::Revoked,
                Err(_) => Expect::Refused,
            };
            if got != expected {
                let what = format!("{} is {got:?} where it is {expected:?}", kind(&command));
                self.blame(at, &label, what);
            }
            if matches!(got, Expect::Unchanged | Expect::Refused) {
                let mut same = applied.after.clone();
                same.last = ticked.after.last;
                // Late votes are counted (rule 6).
                same.late_votes = ticked.after.late_votes;
                if same != ticked.after {
                    self.blame(at, &label, "what is refused changed something".to_owned());
                }
                continue;
            }
            let shadow = self.follow(at, &label, state, &applied, is_confirmed);
            self.repeat(at, &label, (&command, &actor), state, &applied);
            if matches!(
                command,
                Command::Comment { .. } | Command::Attach { .. } | Command::Join { .. }
            ) {
                continue;
            }
            if is_confirmed {
                let after = State {
                    it: applied.after,
                    shadow,
                    ..state.clone()
                };
                next.push((label, after));
            }
        }
        if is_confirmed {
            let after = State {
                it: ticked.after,
                shadow: timed,
                ..state.clone()
            };
            next.push(("tick".to_owned(), after));
        }
    }

    /// Follows one transition, and notes what it does against the rules.
    fn follow(
        &mut self,
        at: u32,
        label: &str,
        state: &State,
        applied: &Applied,
        sure: bool,
    ) -> Shadow {
        let mut shadow = state.shadow.clone();
        let (before, after) = (&state.it, &applied.after);
        let town = self.towns[state.mask as usize].0.clone();
        let mut wrong = shadow.follow(&town, before, after, &applied.records, state.now, sure);
        wrong.extend(broken(Some(before), after));
        let ends = applied.notices.iter();
        let ends = ends
            .filter(|it| matches!(it.about, About::Resolved(_)))
            .count();
        let ended = before.is_pending() && !after.is_pending();
        if ends != usize::from(ended) {
            wrong.push("an end is told once, and nothing else as one".to_owned());
        }
        if applied.changes() != (before != after || !applied.records.is_empty()) {
            wrong.push("a change without a record".to_owned());
        }
        let lapses = |it: &Escalation| {
            let grant = it.grant.as_ref().filter(|it| it.state == GrantState::Live);
            grant.is_some_and(|it| it.lapses <= state.now)
        };
        if sure && lapses(after) {
            wrong.push("a grant lives on behind its time".to_owned());
        }
        if let Some(end) = after.resolution.as_ref().filter(|_| ended) {
            let how = format!(
                "{:?}{}",
                end.outcome,
                if end.by_silence { " by silence" } else { "" }
            );
            *self.walked.ended.entry(how).or_default() += 1;
        }
        for what in wrong {
            self.blame(at, label, what);
        }
        shadow
    }

    /// An answer is lost, and the same command comes again: no vote more, and no second use.
    fn repeat(
        &mut self,
        at: u32,
        label: &str,
        act: (&Command, &Actor),
        state: &State,
        once: &Applied,
    ) {
        let twice = self.apply(&once.after, act, state.mask, state.now);
        let given = |it: &Escalation| {
            let votes = it
                .votes
                .iter()
                .map(|it| (it.person.clone(), it.kind, it.round));
            votes
                .filter(|it| it.0.as_str() == act.1.principal.as_str())
                .collect::<Vec<_>>()
        };
        if given(&twice.after) != given(&once.after) || twice.after.round != once.after.round {
            self.blame(at, label, "a repeated command voted again".to_owned());
        }
        if matches!(once.answer, Ok(Reply::Consumed { .. }))
            && twice.answer != Ok(Reply::Consumed { replayed: true })
        {
            self.blame(at, label, "a repeated use is not the same use".to_owned());
        }
    }

    /// Time alone ends it, in so many steps as it has, and not behind the cap.
    fn ends_by_time(&mut self, at: u32, state: &State) {
        let mut it = state.it.clone();
        let mut now = state.now;
        let mut left: usize = it.sign_offs.iter().map(|it| it.plan.steps.len()).sum();
        while it.is_pending() {
            let Some(due) = it.due().filter(|due| *due <= it.pinned.cap && left > 0) else {
                self.blame(at, "time", "time alone does not end it".to_owned());
                return;
            };
            left -= 1;
            now = now.max(due);
            it = self
                .apply(&it, (&Command::Tick, &engine()), state.mask, now)
                .after;
        }
    }

    /// The instants that matter: before and at each that something is due at, and after an outage.
    fn instants(&self, state: &State) -> BTreeSet<Timestamp> {
        let it = &state.it;
        let cap = it.pinned.cap;
        let moment = Duration::from_millis(1).to_chrono();
        let outage = Duration::from_minutes(6).to_chrono();
        let mut instants = BTreeSet::new();
        if it.is_pending() {
            for sign_off in it.sign_offs.iter().filter(|it| it.is_waiting()) {
                let due = sign_off.due(cap).unwrap_or(cap);
                let deadline = sign_off.deadline(cap);
                instants.extend([due, deadline, deadline - moment]);
                if self.world.late && due != deadline {
                    instants.insert((due + outage).min(cap));
                }
            }
        } else if let Some(grant) = &it.grant
            && grant.state == GrantState::Live
        {
            instants.extend([grant.lapses - moment, grant.lapses]);
        }
        instants.retain(|it| *it > state.now);
        instants
    }

    fn commands(&self, it: &Escalation, is_confirmed: bool) -> Vec<(String, Command, Actor)> {
        let mut all: Vec<(String, Command, Actor)> = Vec::new();
        let mut add = |label: &str, command: Command, actor: Actor| {
            all.push((format!("{} {label}", actor.principal), command, actor));
        };
        for name in NAMES {
            add("approves", approval(&it.digest), anyone(name));
            add("denies", denial("no"), anyone(name));
            add("withdraws", withdrawal(), anyone(name));
        }
        add("approves another", approval("other"), anyone("ann"));
        add("denies without a reason", denial(""), anyone("ann"));
        let demands = &it.pinned.demands;
        for key in ["k-1", "k-2"] {
            add(
                &format!("uses {key}"),
                consumption(&it.digest, key, demands.clone()),
                anyone("bot-1"),
            );
        }
        add(
            "uses another",
            consumption("other", "k-1", demands.clone()),
            anyone("bot-1"),
        );
        add(
            "uses what is denied",
            consumption(&it.digest, "k-3", denied()),
            anyone("bot-1"),
        );
        for name in ["ann", "bot-2"] {
            add(
                "uses",
                consumption(&it.digest, "k-1", demands.clone()),
                anyone(name),
            );
        }
        for actor in [
            operator("ops"),
            anyone("ann"),
            anyone("bot-1"),
            anyone("dan"),
        ] {
            add("cancels", Command::Cancel { reason: None }, actor.clone());
            add("revokes", Command::Revoke { reason: None }, actor.clone());
            add("releases", Command::Release, actor.clone());
            let text = "hm".to_owned();
            add("comments", Command::Comment { text }, actor);
        }
        let join = Command::Join {
            digest: "other".to_owned(),
            event: None,
            key: "k-9".to_owned(),
            requester: anyone("bot-1").principal,
        };
        add("joins", join, engine());
        for sign_off in it.sign_offs.iter().filter(|_| self.world.fails) {
            let lane = sign_off.plan.lane.clone();
            add(
                "failed to send",
                Command::Undelivered { lane: lane.clone() },
                engine(),
            );
            add(
                "failed to send",
                Command::Undelivered { lane },
                anyone("ann"),
            );
        }
        if self.world.amends && is_confirmed && it.round == 1 {
            for name in ["ann", "cat", "dan"] {
                for amendment in &self.amendments {
                    add(
                        "amends",
                        Command::Amend(Box::new(amendment.clone())),
                        anyone(name),
                    );
                }
            }
        }
        if self.world.hands_over && is_confirmed {
            for (from, to) in [
                ("ann", "cat"),
                ("ben", "cat"),
                ("ann", "dan"),
                ("cat", "ann"),
            ] {
                let to_whom = anyone(to).principal;
                add(
                    &format!("delegates to {to}"),
                    Command::Delegate { to: to_whom },
                    anyone(from),
                );
            }
            for actor in [operator("ops"), anyone("ann"), anyone("dan")] {
                for team in ["guards", "second"] {
                    for sign_off in &it.sign_offs {
                        let roster = self.roster(team);
                        let lane = Some(sign_off.plan.lane.clone());
                        let team = team.to_owned();
                        let label = format!("reassigns {} to {team}", sign_off.plan.lane);
                        add(
                            &label,
                            Command::Reassign { lane, team, roster },
                            actor.clone(),
                        );
                    }
                }
            }
        }
        all
    }

    fn roster(&self, team: &str) -> Roster {
        Roster::of(&self.case.matrix, &self.towns[0].1, team).unwrap()
    }
}

fn known_actor(actor: &Actor) -> &'static str {
    known(actor.principal.as_str())
}

fn kind(command: &Command) -> String {
    let text = format!("{command:?}");
    let end = text.find([' ', '{']).unwrap_or(text.len());
    let vote = ["Approve", "Deny", "Withdraw"];
    let vote = vote
        .iter()
        .find(|it| text.starts_with(&format!("Vote({it}")));
    vote.map_or_else(|| text[..end].to_lowercase(), |it| it.to_lowercase())
}

/// What of a state can matter to what follows.
fn key(state: &State) -> (u64, u64) {
    let State {
        it,
        shadow,
        mask,
        now,
    } = state;
    let mut hashers = [DefaultHasher::new(), DefaultHasher::new()];
    hashers[1].write_u8(1);
    for hasher in &mut hashers {
        let live = it.grant.as_ref().filter(|it| it.state == GrantState::Live);
        match &it.resolution {
            Some(end) => {
                (end.outcome, end.by_silence, mask, shadow).hash(hasher);
                live.map(|it| it.lapses - now).hash(hasher);
            }
            None => (now, mask, shadow, it.round).hash(hasher),
        }
        it.grant
            .as_ref()
            .map(|it| (it.state, &it.consume_key))
            .hash(hasher);
        it.digest.hash(hasher);
        for sign_off in &it.sign_offs {
            sign_off.state.hash(hasher);
            if it.is_pending() {
                (
                    sign_off.next,
                    sign_off.hurried,
                    sign_off.shift,
                    sign_off.quorum,
                )
                    .hash(hasher);
            }
            let seats: BTreeSet<_> = sign_off
                .seated()
                .map(|it| (&it.person, &it.for_whom))
                .collect();
            seats.hash(hasher);
        }
        let late = |vote: &laneway::escalation::Vote| {
            let mut sign_offs = it.sign_offs.iter();
            let is_late = sign_offs.any(|part| vote.at >= part.deadline(it.pinned.cap));
            is_late.then_some(vote.at)
        };
        let votes = it.votes.iter().filter(|vote| vote.round == it.round);
        let votes: BTreeSet<_> = votes
            .map(|it| (&it.person, it.kind.as_str(), late(it)))
            .collect();
        votes.hash(hasher);
    }
    (hashers[0].finish(), hashers[1].finish())
}
