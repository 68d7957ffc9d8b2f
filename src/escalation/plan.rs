//! What one sign-off demands, spelt out at the opening: who is asked, when what happens.
//!
//! In: an attached lane of a decision, its matrix, the directory, the instant of opening. Out: a
//! [`Plan`] that needs neither of them again (rule 9).
//! Invariant: the last step ends it; no instant lies behind the cap, and what lies there is never an
//! `allow`; an unsure lane, and one that cannot be read, allow nothing by silence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::people::Directory;
use super::principal::Principal;
use super::time::{as_micros, as_optional_micros, stored};
use crate::clock::Timestamp;
use crate::decision::{AttachedLane, State, Urgency};
use crate::limits::STEP_REPEATS;
use crate::matrix::{Contact, Matrix, Otherwise, Step, StepAction, TeamId, Terms, Within};

/// The pinned terms of a sign-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The lane that demands it; `otherwise` or `unreadable` for the engine's own.
    pub lane: String,
    /// Whether the lane could only not be ruled out.
    pub unsure: bool,
    /// The team that owns it.
    pub team: String,
    /// How many distinct people must agree.
    pub quorum: u32,
    /// How urgent.
    pub urgency: Urgency,
    /// When it is overdue; absent where its calendar does not open in reach.
    #[serde(with = "as_optional_micros")]
    pub respond_by: Option<Timestamp>,
    /// What happens if nobody answers, in order; the last step ends it.
    pub steps: Vec<PlannedStep>,
    /// The people of the owner and of each team that a step names, as they were at the opening.
    pub rosters: BTreeMap<String, Roster>,
}

/// A step at its instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// When, before any lateness.
    #[serde(with = "as_micros")]
    pub at: Timestamp,
    /// What.
    pub does: Does,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// Tells the owner's backup and makes it eligible.
    NotifyBackup,
    /// Tells a team and makes it eligible.
    Notify(String),
    /// Replaces the voters.
    Route(String),
    /// Asks the caller for an action.
    Run(String),
    /// Tells those who are asked already, where an unsure lane would have run an action.
    Remind,
    /// Ends it, denied.
    Deny,
    /// Ends it; a resubmission is welcome.
    Expire,
    /// Satisfies this sign-off, for the reason given.
    Allow(String),
}

impl Does {
    /// Whether it ends the sign-off.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Deny | Self::Expire | Self::Allow(_))
    }

    /// Whether it may bring people who were not asked before.
    #[must_use]
    pub fn brings_people(&self) -> bool {
        matches!(self, Self::NotifyBackup | Self::Notify(_) | Self::Route(_))
    }
}

/// The people of a team as they were when it was looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// How many distinct people must agree.
    pub quorum: u32,
    /// Who is asked first.
    pub first: Vec<Asked>,
    /// Who is asked after.
    pub backup: Vec<Asked>,
}

/// Someone of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Who.
    pub person: Principal,
    /// The group that the team names, where it does not name the person.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub via: Option<String>,
}

/// When a plan is made, and for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occasion {
    pub(super) opened: Timestamp,
    /// No instant lies behind it (rule 4).
    pub(super) cap: Timestamp,
    /// Whether the event could be read.
    pub(super) is_readable: bool,
}

impl Plan {
    /// The terms of an attached lane; `None` for a lane that the matrix does not have.
    pub(super) fn of(
        lane: &AttachedLane,
        matrix: &Matrix,
        directory: &Directory,
        occasion: Occasion,
    ) -> Option<Self> {
        let terms = terms_of(matrix, &lane.lane)?;
        let may_allow = lane.state == State::Fired && occasion.is_readable;
        let mut plan = Self {
            lane: lane.lane.clone(),
            unsure: lane.state == State::Unsure,
            team: lane.owner.clone(),
            quorum: matrix.team(terms.owner).map_or(1, |team| team.quorum),
            urgency: lane.urgency,
            respond_by: lane.respond_by.map(stored),
            steps: Vec::new(),
            rosters: BTreeMap::new(),
        };
        plan.look_up(matrix, directory, terms.owner);
        for step in &terms.steps {
            if let StepAction::Notify(team) | StepAction::Route(team) = &step.action {
                plan.look_up(matrix, directory, *team);
            }
        }
        plan.lay_out(matrix, terms, occasion, may_allow);
        Some(plan)
    }

    /// Whether silence may satisfy it.
    #[must_use]
    pub fn allows(&self) -> bool {
        let last = self.steps.last();
        !self.unsure && last.is_some_and(|step| matches!(step.does, Does::Allow(_)))
    }

    fn look_up(&mut self, matrix: &Matrix, directory: &Directory, team: TeamId) {
        let name = matrix.team_name(team);
        if !self.rosters.contains_key(name)
            && let Some(roster) = Roster::of(matrix, directory, name)
        {
            self.rosters.insert(name.to_owned(), roster);
        }
    }

    fn lay_out(&mut self, matrix: &Matrix, terms: &Terms, occasion: Occasion, may_allow: bool) {
        let steps = &terms.steps;
        for (position, step) in steps.iter().enumerate() {
            let does = does(matrix, &step.action, self.unsure);
            if does.is_end() {
                let end = written(matrix, occasion.opened, step.at);
                let in_reach = end.filter(|end| *end <= occasion.cap);
                let does = match does {
                    // Nobody has said that what is unknown can be taken back; nor is the cap the
                    // instant that the author wrote.
                    Does::Allow(_) if !may_allow || in_reach.is_none() => Does::Deny,
                    does => does,
                };
                let at = in_reach.unwrap_or(occasion.cap);
                self.steps.retain(|earlier| earlier.at < at);
                self.steps.push(PlannedStep { at, does });
                return;
            }
            if !step.every {
                let at = written(matrix, occasion.opened, step.at);
                self.steps.extend(at.map(|at| PlannedStep { at, does }));
                continue;
            }
            let next = steps.get(position + 1);
            let until = next.and_then(|next| written(matrix, occasion.opened, next.at));
            self.repeat(matrix, step, &does, until.unwrap_or(occasion.cap));
        }
        // A matrix without an end does not pass its check; here it ends at the cap.
        self.steps.retain(|earlier| earlier.at < occasion.cap);
        self.steps.push(PlannedStep {
            at: occasion.cap,
            does: Does::Deny,
        });
    }

    /// Lays out the repeats of the step before, up to the next one. Whoever did not answer to two
    /// hundred reminders does not to the next: there the repeats end.
    fn repeat(&mut self, matrix: &Matrix, step: &Step, does: &Does, until: Timestamp) {
        let Some(mut from) = self.steps.last().map(|last| last.at) else {
            return;
        };
        for _ in 0..STEP_REPEATS {
            match written(matrix, from, step.at) {
                Some(at) if at > from && at < until => {
                    let does = does.clone();
                    self.steps.push(PlannedStep { at, does });
                    from = at;
                }
                _ => return,
            }
        }
    }
}

impl Roster {
    /// A team of a matrix with the people that it has now. A name that is none, such as an address
    /// with letters beyond ASCII, is nobody: no login can be it.
    #[must_use]
    pub fn of(matrix: &Matrix, directory: &Directory, team: &str) -> Option<Self> {
        let team = matrix.teams.iter().find(|known| known.name == team)?;
        Some(Self {
            quorum: team.quorum,
            first: people(&team.first, directory),
            backup: people(&team.backup, directory),
        })
    }
}

fn people(contacts: &[Contact], directory: &Directory) -> Vec<Asked> {
    let mut asked: Vec<Asked> = Vec::new();
    let mut ask = |person: Principal, via: Option<&str>| {
        if !asked.iter().any(|known| known.person == person) {
            let via = via.map(str::to_owned);
            asked.push(Asked { person, via });
        }
    };
    // Who is named for oneself is asked as such, whatever the groups.
    for contact in contacts.iter().filter(|contact| !contact.group) {
        if let Ok(person) = Principal::parse(&contact.name) {
            ask(person, None);
        }
    }
    for contact in contacts.iter().filter(|contact| contact.group) {
        for person in directory.members(&contact.name) {
            ask(person.clone(), Some(&contact.name));
        }
    }
    asked
}

/// The terms of a lane, or of the engine's own sign-offs.
fn terms_of<'m>(matrix: &'m Matrix, lane: &str) -> Option<&'m Terms> {
    if let Some(lane) = matrix.lane_named(lane) {
        return Some(&lane.terms);
    }
    match (lane, &matrix.otherwise) {
        ("otherwise", Otherwise::Escalate(terms)) => Some(terms),
        ("unreadable", _) => matrix.unreadable.as_ref(),
        _ => None,
    }
}

fn written(matrix: &Matrix, from: Timestamp, within: Within) -> Option<Timestamp> {
    let at = match within.of {
        Some(calendar) => matrix.calendar(calendar)?.after_open(from, within.length),
        None => from.checked_add_signed(within.length.to_chrono()),
    };
    at.map(stored)
}

fn does(matrix: &Matrix, action: &StepAction, unsure: bool) -> Does {
    let team = |id: &TeamId| matrix.team_name(*id).to_owned();
    match action {
        StepAction::NotifyBackup => Does::NotifyBackup,
        StepAction::Notify(id) => Does::Notify(team(id)),
        StepAction::Route(id) => Does::Route(team(id)),
        // An incident must not follow from a missing field.
        StepAction::Run(_) if unsure => Does::Remind,
        StepAction::Run(id) => Does::Run(matrix.action_name(*id).to_owned()),
        StepAction::Deny => Does::Deny,
        StepAction::Expire => Does::Expire,
        StepAction::Allow(reason) => Does::Allow(reason.clone()),
    }
}
