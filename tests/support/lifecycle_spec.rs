//! The rules of the lifecycle said a second time, from the design and not from the machine.
//!
//! In: what the machine recorded, command by command. Out: a [`Shadow`] that knows who may answer, which
//! approvals count and what must be answered, and each difference in words.
//! Invariant: teams and steps are written out here, and never read from a plan.

use std::collections::BTreeSet;

use laneway::escalation::{
    Command, Escalation, GrantState, Outcome, Record, RecordKind, Role, SignOffState, VoteOf,
};
use laneway::{Duration, Timestamp};

use super::town::{EXCLUDED, Town, contacts, quorum, steps};

/// What is answered, as far as the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    Done,
    Unchanged,
    Refused,
    /// Refused, and the grant is taken back.
    Revoked,
}

/// A step, as the matrix of the tests has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Adds those of a team: of its first, or of its backup.
    Adds(&'static str, bool),
    Routes(&'static str),
    Runs,
    Denies,
    Allows,
}

pub type Contact = (&'static str, Option<&'static str>);

/// One sign-off.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Part {
    pub lane: &'static str,
    pub asked: BTreeSet<Contact>,
    /// From whom to whom.
    pub delegated: BTreeSet<(&'static str, &'static str)>,
    pub quorum: u32,
    pub next: usize,
    pub hurried: usize,
    pub shift: Duration,
}

/// One approval of this round that stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Approval {
    pub person: &'static str,
    /// For each sign-off: whether it was in time, and for whom it counts.
    pub counts: Vec<(bool, Option<&'static str>)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shadow {
    pub parts: Vec<Part>,
    pub approvals: Vec<Approval>,
    /// Who approved in this round, also where it was taken back.
    pub used: BTreeSet<&'static str>,
    pub withdrawn: BTreeSet<&'static str>,
    pub denied: BTreeSet<&'static str>,
    pub consumed: Option<String>,
}

fn name(record: &Record, key: &str) -> &'static str {
    let body = body(record);
    super::town::known(body[key].as_str().unwrap_or_default())
}

impl Part {
    fn own(&self, town: &Town, person: &str) -> bool {
        let mut its = self.asked.iter().filter(|(who, _)| *who == person);
        its.any(|(_, via)| via.is_none_or(|group| town.is_member(group, person)))
    }

    /// By whose right a person may vote here now.
    pub fn right(&self, town: &Town, person: &'static str) -> Option<&'static str> {
        if EXCLUDED.contains(&person) || town.has_left(person) {
            return None;
        }
        if self.own(town, person) {
            return Some(person);
        }
        let mut from = self.delegated.iter().filter(|(_, to)| *to == person);
        from.find(|(from, _)| !town.has_left(from) && self.own(town, from))
            .map(|(from, _)| *from)
    }

    fn has_seat(&self, person: &str) -> bool {
        let own = self.asked.iter().any(|(who, _)| *who == person);
        own || self.delegated.iter().any(|(_, to)| *to == person)
    }

    fn bring(&mut self, step: Step) {
        match step {
            Step::Adds(team, backup) => self.asked.extend(contacts(team, backup)),
            Step::Routes(team) => self.ask(team, quorum(team)),
            Step::Runs | Step::Denies | Step::Allows => {}
        }
    }

    fn ask(&mut self, team: &str, quorum: u32) {
        self.asked = contacts(team, false).into_iter().collect();
        self.delegated.clear();
        self.quorum = quorum;
    }

    fn instant(&self, step: usize, cap: Timestamp) -> Timestamp {
        let (minutes, _) = steps(self.lane)[step];
        let at = super::support::after(minutes * 60) + self.shift.to_chrono();
        at.min(cap)
    }

    pub fn deadline(&self, cap: Timestamp) -> Timestamp {
        self.instant(steps(self.lane).len() - 1, cap)
    }
}

impl Shadow {
    pub fn of(it: &Escalation) -> Self {
        let parts = it.sign_offs.iter().map(|sign_off| {
            let lane = super::town::known(&sign_off.plan.lane);
            let team = super::town::owner(lane);
            let mut part = Part {
                lane,
                asked: BTreeSet::new(),
                delegated: BTreeSet::new(),
                quorum: 0,
                next: 0,
                hurried: 0,
                shift: Duration::default(),
            };
            part.ask(team, quorum(team));
            part
        });
        Self {
            parts: parts.collect(),
            approvals: Vec::new(),
            used: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            denied: BTreeSet::new(),
            consumed: None,
        }
    }

    pub fn part(&mut self, lane: &str) -> &mut Part {
        let mut parts = self.parts.iter_mut();
        parts.find(|part| part.lane == lane).unwrap()
    }

    /// Gives each approval the rights that its person has by now.
    fn refresh(&mut self, town: &Town) {
        for approval in &mut self.approvals {
            for (part, counts) in self.parts.iter().zip(&mut approval.counts) {
                let right = part.right(town, approval.person);
                if counts.1.is_none() || right == Some(approval.person) {
                    counts.1 = right.or(counts.1);
                }
                // Who is replaced counts no more.
                if !part.has_seat(approval.person) {
                    counts.1 = None;
                }
            }
        }
    }

    /// For whom approvals count in a sign-off: each right once.
    pub fn counted(&self, at: usize) -> BTreeSet<&'static str> {
        let counts = self.approvals.iter().map(|it| it.counts[at]);
        counts.filter(|it| it.0).filter_map(|it| it.1).collect()
    }

    /// Those who count, and those who still could.
    pub fn potential(&self, at: usize, town: &Town) -> usize {
        let mut people = self.counted(at);
        let fresh = super::town::NAMES.iter();
        let fresh = fresh.filter(|name| !self.used.contains(*name));
        people.extend(fresh.filter_map(|name| self.parts[at].right(town, name)));
        people.len()
    }

    pub fn is_asked(&self, town: &Town, person: &'static str) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| part.right(town, person).is_some())
    }

    /// Follows what was recorded, and says where it is against the rules.
    pub fn follow(
        &mut self,
        town: &Town,
        before: &Escalation,
        after: &Escalation,
        records: &[Record],
        now: Timestamp,
        is_confirmed: bool,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let cap = before.pinned.cap;
        let mut stepped = BTreeSet::new();
        for record in records {
            self.refresh(town);
            let lane = body(record)["lane"].as_str().unwrap_or_default().to_owned();
            let step = body(record)["step"].as_u64().unwrap_or_default() as usize;
            match record.kind {
                RecordKind::Stepped => {
                    let part = self.part(&lane);
                    let does = steps(part.lane)[part.next].1;
                    let due = part.instant(part.next, cap);
                    if !is_confirmed {
                        wrong.push("a step by an unconfirmed clock".to_owned());
                    }
                    if due > now || step != part.next {
                        wrong.push("a step that is not due".to_owned());
                    }
                    if !stepped.insert(lane) {
                        wrong.push("two steps of a sign-off at once".to_owned());
                    }
                    if !matches!(does, Step::Denies | Step::Allows) {
                        part.next += 1;
                        let late = now.signed_duration_since(due);
                        if late > Duration::from_minutes(5).to_chrono() {
                            // Rounded up, by at most a millisecond and a bit.
                            let late = late.num_milliseconds() as u64 + 1;
                            let shift = part.shift.as_millis() + late;
                            part.shift = Duration::from_millis(shift);
                        }
                        part.bring(does);
                    }
                }
                RecordKind::Hurried => {
                    let part = self.part(&lane);
                    let from = part.next.max(part.hurried);
                    let all = steps(part.lane).iter().enumerate().skip(from);
                    let brings = |it: &Step| matches!(it, Step::Adds(..) | Step::Routes(_));
                    let mut found = all.filter(|(_, (_, it))| brings(it));
                    let found = found.next().map(|(at, (_, it))| (at, *it));
                    match found {
                        Some((at, does)) if at == step => {
                            part.hurried = at + 1;
                            part.bring(does);
                        }
                        _ => wrong.push("another step was brought forward".to_owned()),
                    }
                }
                RecordKind::Reassigned => {
                    let team = name(record, "team");
                    let part = self.part(&lane);
                    let quorum = part.quorum.max(quorum(team));
                    part.ask(team, quorum);
                }
                RecordKind::Delegated => {
                    let (from, to) = (name(record, "from"), name(record, "to"));
                    for part in &mut self.parts {
                        let body = body(record);
                        let its = body["lanes"].as_array().unwrap().iter();
                        if its.clone().any(|lane| lane == part.lane) {
                            part.delegated.insert((from, to));
                        }
                    }
                }
                RecordKind::Amended => {
                    self.approvals.clear();
                    self.used.clear();
                    self.withdrawn.clear();
                    self.denied.clear();
                }
                RecordKind::Voted => {
                    let person = name(record, "person");
                    match body(record)["vote"].as_str().unwrap() {
                        "approve" => {
                            self.used.insert(person);
                            let counts = self.parts.iter().map(|it| (now < it.deadline(cap), None));
                            let counts = counts.collect();
                            self.approvals.push(Approval { person, counts });
                        }
                        "withdraw" => {
                            self.withdrawn.insert(person);
                            self.approvals.retain(|it| it.person != person);
                        }
                        _ => {
                            self.denied.insert(person);
                        }
                    }
                }
                // A seat that was lent by one who left ends; its holder may have another.
                RecordKind::Voided if !body(record)["for"].is_null() => {
                    let (from, to) = (name(record, "for"), name(record, "person"));
                    let part = self.part(&lane);
                    if !part.delegated.remove(&(from, to)) || !town.has_left(from) {
                        wrong.push("a delegation ended of one who did not leave".to_owned());
                    }
                }
                RecordKind::Voided => {
                    let person = name(record, "person");
                    if !town.has_left(person) {
                        wrong.push("the vote of one who did not leave is void".to_owned());
                    }
                    self.approvals.retain(|it| it.person != person);
                }
                RecordKind::Satisfied => {
                    let at = self.parts.iter().position(|it| it.lane == lane).unwrap();
                    let part = &self.parts[at];
                    if body(record)["by"] == "silence" {
                        let last = steps(part.lane).last().unwrap().1;
                        if last != Step::Allows || !is_confirmed || now < part.deadline(cap) {
                            wrong.push("silence allowed what it may not".to_owned());
                        }
                    } else if self.counted(at).len() < part.quorum as usize {
                        wrong.push("satisfied without a quorum".to_owned());
                    }
                }
                RecordKind::Consumed => {
                    if self.consumed.is_some() {
                        wrong.push("a grant was used twice".to_owned());
                    }
                    self.consumed = body(record)["key"].as_str().map(str::to_owned);
                }
                _ => {}
            }
            self.refresh(town);
        }
        self.refresh(town);
        self.steps_are_done(before, after, now, is_confirmed, &stepped, &mut wrong);
        self.agrees(town, after, &mut wrong);
        wrong
    }

    fn steps_are_done(
        &self,
        before: &Escalation,
        after: &Escalation,
        now: Timestamp,
        is_confirmed: bool,
        stepped: &BTreeSet<String>,
        wrong: &mut Vec<String>,
    ) {
        for (old, part) in before.sign_offs.iter().zip(&self.parts) {
            let due = old.due(before.pinned.cap).is_some_and(|due| due <= now);
            let ought = is_confirmed && after.is_pending() && old.is_waiting() && due;
            if ought && !stepped.contains(part.lane) {
                wrong.push("a step that is due was not performed".to_owned());
            }
        }
    }

    /// What the machine keeps is what the records say.
    fn agrees(&self, town: &Town, after: &Escalation, wrong: &mut Vec<String>) {
        let cap = after.pinned.cap;
        for (at, (sign_off, part)) in after.sign_offs.iter().zip(&self.parts).enumerate() {
            if sign_off.deadline(cap) != part.deadline(cap) {
                wrong.push("a deadline moved that must not, or did not move".to_owned());
            }
            if sign_off.quorum != part.quorum {
                wrong.push("another quorum".to_owned());
            }
            if !after.is_pending() || sign_off.state != SignOffState::Waiting {
                continue;
            }
            let mut lent = sign_off.seated().filter_map(|seat| seat.for_whom.as_ref());
            if lent.any(|from| town.has_left(from.as_str())) {
                wrong.push("a seat goes on that was lent by one who left".to_owned());
            }
            if self.counted(at).len() >= part.quorum as usize {
                wrong.push("a sign-off waits that has its quorum".to_owned());
            }
            if self.potential(at, town) < part.quorum as usize {
                wrong.push("a sign-off waits for too few".to_owned());
            }
        }
        for person in after.approvals().map(|it| it.person.as_str()) {
            if EXCLUDED.contains(&person) {
                wrong.push("an approval of one who asked".to_owned());
            }
            let mut known = self.approvals.iter();
            if !known.any(|it| it.person == person) {
                wrong.push("an approval that was not given, or was taken back".to_owned());
            }
        }
        if let Some(resolution) = &after.resolution {
            let good = |it: SignOffState| {
                matches!(it, SignOffState::Satisfied | SignOffState::AutoAllowed)
            };
            if resolution.outcome.is_approval() && !after.sign_offs.iter().all(|it| good(it.state))
            {
                wrong.push("approved without each sign-off".to_owned());
            }
        }
    }

    /// What must be answered, after time has passed and before the command.
    pub fn expect(
        &self,
        town: &Town,
        it: &Escalation,
        command: &Command,
        who: &'static str,
        role: Role,
        now: Timestamp,
    ) -> Expect {
        let cap = it.pinned.cap;
        let operates = role != Role::Anyone;
        let involved = EXCLUDED.contains(&who);
        let pending = it.is_pending();
        let waits = |at: usize| it.sign_offs[at].is_waiting();
        let right = |at: usize| self.parts[at].right(town, who);
        let asked = self.is_asked(town, who);
        let mut all = 0..self.parts.len();
        let mut in_time = {
            let mut all = all.clone();
            move || {
                all.any(|at| waits(at) && right(at).is_some() && now < self.parts[at].deadline(cap))
            }
        };
        let done = |holds: bool| match holds {
            true => Expect::Done,
            false => Expect::Refused,
        };
        match command {
            Command::Vote(VoteOf::Approve { digest, .. }) => {
                let stands = self.approvals.iter().any(|it| it.person == who);
                match stands && *digest == it.digest {
                    true => Expect::Unchanged,
                    false => done(
                        pending && *digest == it.digest && !self.used.contains(who) && in_time(),
                    ),
                }
            }
            Command::Vote(VoteOf::Deny { reason }) => match self.denied.contains(who) {
                true => Expect::Unchanged,
                false => {
                    let given = all.any(|at| !waits(at) && right(at).is_some());
                    done(pending && asked && !reason.is_empty() && (given || in_time()))
                }
            },
            Command::Vote(VoteOf::Withdraw { .. }) => match self.withdrawn.contains(who) {
                true => Expect::Unchanged,
                false => {
                    let stands = self.approvals.iter().any(|it| it.person == who);
                    let decided = all.any(|at| {
                        it.sign_offs[at].state == SignOffState::Satisfied
                            && self.parts[at].has_seat(who)
                    });
                    done(pending && asked && stands && !decided)
                }
            },
            Command::Amend(amendment) => {
                let stricter = amendment.demands.sign_offs.len() > self.parts.len();
                let whole = self.parts.iter().all(|part| now < part.deadline(cap));
                let other = amendment.digest != it.digest && amendment.digest != it.pinned.digest;
                done(pending && in_time() && whole && other && !stricter)
            }
            Command::Cancel { .. } => match &it.resolution {
                _ if !involved && !operates => Expect::Refused,
                Some(end) if end.outcome == Outcome::Cancelled => Expect::Unchanged,
                end => done(end.is_none()),
            },
            Command::Reassign { lane, team, .. } => {
                let mut waiting = all.clone().filter(|at| waits(*at));
                let at = match lane {
                    Some(lane) => waiting.find(|at| self.parts[*at].lane == lane),
                    None => waiting.next().filter(|_| waiting.next().is_none()),
                };
                let Some(at) = at.filter(|_| pending) else {
                    return Expect::Refused;
                };
                let able = contacts(team, false).into_iter().filter(|(name, via)| {
                    !EXCLUDED.contains(name)
                        && !town.has_left(name)
                        && via.is_none_or(|group| town.is_member(group, name))
                });
                let quorum = self.parts[at].quorum.max(quorum(team));
                done(able.count() >= quorum as usize && (operates || right(at).is_some()))
            }
            Command::Delegate { to } => {
                let to = super::town::known(to.as_str());
                let fit = to != who && !EXCLUDED.contains(&to) && !town.has_left(to);
                let own = all
                    .any(|at| waits(at) && right(at) == Some(who) && !self.parts[at].has_seat(to));
                done(pending && fit && own && !self.used.contains(who))
            }
            Command::Comment { .. } => done(involved || asked || operates),
            Command::Attach { .. } => done(pending && (involved || asked || operates)),
            Command::View | Command::Tick => Expect::Unchanged,
            Command::Join { .. } => done(pending),
            Command::Undelivered { lane } => {
                let its = all.any(|at| waits(at) && self.parts[at].lane == lane);
                done(role == Role::Engine && pending && its)
            }
            Command::Consume {
                digest,
                key,
                now: demands,
                ..
            } => {
                let Some(grant) = it.grant.as_ref().filter(|_| who == "bot-1") else {
                    return Expect::Refused;
                };
                let stricter = demands.verdict == laneway::Verdict::Deny;
                let live = grant.state == GrantState::Live && now < grant.lapses;
                match self.consumed.as_ref() == Some(key) {
                    _ if *digest != it.digest => Expect::Refused,
                    true => Expect::Done,
                    false if live && stricter => Expect::Revoked,
                    false => done(live),
                }
            }
            Command::Revoke { .. } => {
                let may = operates || asked;
                match it.grant.as_ref().filter(|_| may) {
                    None => Expect::Refused,
                    Some(it) if it.state == GrantState::Revoked => Expect::Unchanged,
                    Some(it) => done(it.state == GrantState::Live && now < it.lapses),
                }
            }
            // Nothing of the model only reports.
            Command::Release => Expect::Refused,
        }
    }
}

/// The particulars of a record.
fn body(record: &laneway::escalation::Record) -> serde_json::Value {
    serde_json::from_str(&record.body).unwrap_or_default()
}
