//! Who is asked: seats, and telling those who sit on them.

use std::collections::BTreeSet;

use serde_json::json;

use super::Work;
use crate::escalation::effect::{About, Notice, Recipient, RecordKind};
use crate::escalation::plan::{Asked, Does};
use crate::escalation::principal::Principal;
use crate::escalation::state::{Cause, Outcome, Seat, SignOffState, VoteKind};

/// Why people are told something, as the stable id of the notice has it.
#[derive(Debug, Clone, Copy)]
pub(in crate::escalation) struct Telling<'t> {
    /// What of the escalation: equal for what is told once.
    pub(in crate::escalation) id: &'t str,
    /// Whether those who were asked before are only reminded.
    pub(in crate::escalation) again: bool,
    /// Whether the notices of many escalations may become one (rule 13).
    pub(in crate::escalation) merges: bool,
}

impl Work<'_> {
    /// Gives seats in a sign-off to people who have none. Who stands behind the request gets none, and
    /// who left gets none (rule 3).
    pub(in crate::escalation) fn seat(&mut self, sign_off: usize, people: &[Asked]) {
        for asked in people {
            let (person, now) = (&asked.person, self.now);
            if self.is_out(person) {
                continue;
            }
            // Who approved already is not checked again, so the seat must be one to vote by (rule 3).
            let has_voted = self.it.approvals().any(|vote| vote.person == *person);
            let is_in = self.is_in(person, asked.via.as_ref());
            let Some(sign_off) = self.it.sign_offs.get_mut(sign_off) else {
                return;
            };
            let own = |seat: &Seat| seat.person == *person && seat.for_whom.is_none();
            let has_own = sign_off.seated().any(own);
            if has_own || (has_voted && !is_in) {
                continue;
            }
            // Beside one that was delegated: a vote counts once, by its voter's own before that.
            sign_off.seats.push(Seat {
                person: person.clone(),
                via: asked.via.clone(),
                for_whom: None,
                since: now,
                until: None,
            });
        }
    }

    /// Ends all seats of a sign-off: its voters are replaced.
    pub(super) fn unseat(&mut self, sign_off: usize) {
        let now = self.now;
        if let Some(sign_off) = self.it.sign_offs.get_mut(sign_off) {
            for seat in sign_off
                .seats
                .iter_mut()
                .filter(|seat| seat.until.is_none())
            {
                seat.until = Some(now);
            }
        }
    }

    /// Tells those who may vote in some sign-offs and have a channel, each once. How many they are.
    pub(in crate::escalation) fn tell(
        &mut self,
        sign_offs: &[usize],
        telling: Telling<'_>,
    ) -> usize {
        let mut told: Vec<(Principal, bool)> = Vec::new();
        let lane = match sign_offs {
            [one] => self.it.sign_offs.get(*one).map(|one| one.plan.lane.clone()),
            _ => None,
        };
        for sign_off in sign_offs {
            let Some(sign_off) = self.it.sign_offs.get(*sign_off) else {
                continue;
            };
            let directory = self.context.directory;
            let eligible = sign_off.seated().filter(|seat| self.is_eligible(seat));
            for seat in eligible.filter(|seat| directory.is_reachable(&seat.person)) {
                if !told.iter().any(|(person, _)| *person == seat.person) {
                    told.push((seat.person.clone(), seat.since < self.now));
                }
            }
        }
        let count = told.len();
        for (person, is_old) in told {
            let merge = telling
                .merges
                .then(|| format!("{}/{person}", self.it.pinned.flood));
            let notice = Notice {
                id: format!("{}/{}/{person}", self.it.pinned.id, telling.id),
                to: Recipient::Person(person),
                about: match telling.again && is_old {
                    true => About::Reminded,
                    false => About::Asked,
                },
                lane: lane.clone(),
                at: self.now,
                merge,
            };
            self.notices.push(notice);
        }
        let teams = sign_offs
            .iter()
            .filter_map(|one| self.it.sign_offs.get(*one));
        let teams: BTreeSet<String> = teams.map(|it| it.team.clone()).collect();
        let about = match telling.again {
            true => About::Reminded,
            false => About::Asked,
        };
        for team in teams {
            self.tell_team(&team, telling, &about, lane.as_deref());
        }
        count
    }

    /// Tells a team as such, where it has channels of its own: once, however many of its people are told.
    pub(super) fn tell_team(
        &mut self,
        team: &str,
        telling: Telling<'_>,
        about: &About,
        lane: Option<&str>,
    ) {
        if self.context.directory.team_channels(team).is_empty() {
            return;
        }
        // A team that has channels has a name that is one.
        let Ok(name) = Principal::parse(team) else {
            return;
        };
        let merges = telling.merges;
        self.notices.push(Notice {
            id: format!("{}/{}/@{name}", self.it.pinned.id, telling.id),
            merge: merges.then(|| format!("{}/@{name}", self.it.pinned.flood)),
            to: Recipient::Team(name),
            about: about.clone(),
            lane: lane.map(str::to_owned),
            at: self.now,
        });
    }

    /// Does what a step does to who is asked. Steps that do nothing to it are none of its business.
    pub(super) fn bring(&mut self, sign_off: usize, does: &Does) {
        let Some(it) = self.it.sign_offs.get(sign_off) else {
            return;
        };
        let plan = std::sync::Arc::clone(&it.plan);
        let roster = |team: &String| plan.rosters.get(team);
        match does {
            Does::NotifyBackup => {
                if let Some(roster) = roster(&plan.team) {
                    self.seat(sign_off, &roster.backup);
                }
            }
            Does::Notify(team) => {
                if let Some(roster) = roster(team) {
                    self.seat(sign_off, &roster.first);
                }
            }
            // Rule 5: replaces the voters, with the quorum of their team.
            Does::Route(team) => {
                if let Some(roster) = roster(team) {
                    self.unseat(sign_off);
                    self.seat(sign_off, &roster.first);
                    if let Some(it) = self.it.sign_offs.get_mut(sign_off) {
                        it.team.clone_from(team);
                        it.quorum = roster.quorum;
                    }
                }
            }
            _ => {}
        }
    }

    /// Brings the next step forward that may bring people. `false` where there is none.
    pub(super) fn hurry(&mut self, sign_off: usize, why: &str) -> bool {
        let Some(it) = self.it.sign_offs.get(sign_off) else {
            return false;
        };
        let from = it.next.max(it.hurried);
        let steps = it.plan.steps.iter().enumerate().skip(from as usize);
        let found = steps
            .map(|(position, step)| (position, step.does.clone()))
            .find(|(_, does)| does.brings_people());
        let Some((position, does)) = found else {
            return false;
        };
        let lane = it.plan.lane.clone();
        self.bring(sign_off, &does);
        if let Some(it) = self.it.sign_offs.get_mut(sign_off) {
            it.hurried = u32::try_from(position + 1).unwrap_or(u32::MAX);
        }
        self.record(
            RecordKind::Hurried,
            json!({ "lane": lane, "step": position, "does": does, "why": why }),
        );
        let id = format!("{lane}/hurried-{position}");
        let telling = Telling {
            id: &id,
            again: false,
            merges: false,
        };
        self.tell(&[sign_off], telling);
        true
    }

    /// Rule 12: nobody was told, so the next step that brings people runs now, and it shows.
    pub(super) fn unreached(&mut self, sign_off: usize, why: &str) {
        let lane = self.it.sign_offs.get(sign_off);
        let lane = lane.map_or_else(String::new, |it| it.plan.lane.clone());
        self.it.undelivered += 1;
        self.record(RecordKind::Undelivered, json!({ "lane": lane, "why": why }));
        self.hurry(sign_off, why);
    }

    /// Rule 3: too few eligible people goes to the next step, or ends denied, loudly.
    pub(in crate::escalation) fn stay_satisfiable(&mut self) {
        for sign_off in 0..self.it.sign_offs.len() {
            while self.is_short_of_people(sign_off) {
                if self.hurry(sign_off, "too few who may answer") {
                    self.settle();
                    continue;
                }
                let Some(it) = self.it.sign_offs.get_mut(sign_off) else {
                    return;
                };
                it.state = SignOffState::Denied;
                it.decided = Some(self.now);
                let lane = it.plan.lane.clone();
                self.resolve(Outcome::Denied, None, Cause::UnsatisfiableQuorum(lane));
                return;
            }
        }
    }

    fn is_short_of_people(&self, sign_off: usize) -> bool {
        let Some(it) = self.it.sign_offs.get(sign_off) else {
            return false;
        };
        if !self.it.is_pending() || !it.is_waiting() {
            return false;
        }
        // Those who approved, and those who still can.
        let mut people = self.it.counted(it);
        let used = |person: &Principal| {
            let kinds = [VoteKind::Approve, VoteKind::Withdraw, VoteKind::Void];
            kinds
                .iter()
                .any(|kind| self.it.vote_of(person, *kind).is_some())
        };
        // One person is one, whatever seats: the seat is the one that the vote would count by.
        let votes_by = |seat: &&Seat| self.eligible_seat(it, &seat.person) == Some(*seat);
        for seat in it.seated().filter(votes_by) {
            let who = seat.for_whom.as_ref().unwrap_or(&seat.person);
            if !used(&seat.person) && !people.contains(&who) {
                people.push(who);
            }
        }
        people.len() < it.quorum as usize
    }

    /// Rule 12: where nobody who may vote can be told, the next step that brings people runs now.
    pub(in crate::escalation) fn find_reachable(&mut self) {
        for sign_off in 0..self.it.sign_offs.len() {
            if !self.it.is_pending() || self.is_anyone_reachable(sign_off) {
                continue;
            }
            let why = "nobody who is asked has a channel";
            self.unreached(sign_off, why);
            while !self.is_anyone_reachable(sign_off) && self.hurry(sign_off, why) {}
        }
    }

    fn is_anyone_reachable(&self, sign_off: usize) -> bool {
        self.it.sign_offs.get(sign_off).is_none_or(|it| {
            !it.is_waiting()
                || it.seated().any(|seat| {
                    self.is_eligible(seat) && self.context.directory.is_reachable(&seat.person)
                })
        })
    }
}
