//! Asking others: another team, a delegate (rule 10).

use serde_json::json;

use super::asked::Telling;
use super::{Work, by};
use crate::escalation::command::{Actor, Refusal, Reply};
use crate::escalation::effect::RecordKind;
use crate::escalation::plan::{Asked, Roster};
use crate::escalation::principal::Principal;
use crate::escalation::state::{Seat, VoteKind};
use crate::escalation::time::micros;

impl Work<'_> {
    /// By an operator, or by one who is asked; to a team of the pinned matrix. The quorum never shrinks,
    /// and no deadline moves.
    pub(super) fn reassign(
        &mut self,
        lane: Option<&str>,
        team: &str,
        roster: &Roster,
        actor: &Actor,
    ) -> Result<Reply, Refusal> {
        self.still_pending()?;
        let position = self.waiting_sign_off(lane)?;
        let Some(it) = self.it.sign_offs.get(position) else {
            return Err(Refusal::NoSuchLane(team.to_owned()));
        };
        let is_asked = !self.is_involved(&actor.principal)
            && self.eligible_seat(it, &actor.principal).is_some();
        if !self.is_operator(actor) && !is_asked {
            return Err(Refusal::NotPermitted(actor.principal.clone()));
        }
        let quorum = it.quorum.max(roster.quorum);
        let could = |asked: &&Asked| {
            !self.is_out(&asked.person) && self.is_in(&asked.person, asked.via.as_ref())
        };
        let eligible = roster.first.iter().filter(could).count();
        if eligible < quorum as usize {
            let team = team.to_owned();
            return Err(Refusal::TooFew {
                team,
                eligible,
                quorum,
            });
        }
        let lane = it.plan.lane.clone();
        self.unseat(position);
        self.seat(position, &roster.first);
        if let Some(it) = self.it.sign_offs.get_mut(position) {
            team.clone_into(&mut it.team);
            it.quorum = quorum;
        }
        self.record(
            RecordKind::Reassigned,
            json!({ "by": by(actor), "lane": lane, "team": team, "quorum": quorum }),
        );
        let id = format!("{lane}/reassigned-{}", micros(self.now));
        let telling = Telling {
            id: &id,
            again: false,
            merges: false,
        };
        self.tell(&[position], telling);
        self.settle();
        self.stay_satisfiable();
        Ok(Reply::Done)
    }

    fn waiting_sign_off(&self, lane: Option<&str>) -> Result<usize, Refusal> {
        let sign_offs = self.it.sign_offs.iter().enumerate();
        let waiting: Vec<_> = sign_offs.filter(|(_, it)| it.is_waiting()).collect();
        let found = match lane {
            Some(lane) => waiting.iter().find(|(_, it)| it.plan.lane == lane),
            None if waiting.len() > 1 => {
                let lanes = waiting.iter().map(|(_, it)| it.plan.lane.clone());
                return Err(Refusal::WhichLane(lanes.collect()));
            }
            None => waiting.first(),
        };
        let lane = lane.unwrap_or_default();
        found.map_or_else(
            || Err(Refusal::NoSuchLane(lane.to_owned())),
            |(position, _)| Ok(*position),
        )
    }

    /// Lets another vote in one's place. Both count once.
    pub(super) fn delegate(&mut self, to: &Principal, actor: &Actor) -> Result<Reply, Refusal> {
        self.still_pending()?;
        let person = &actor.principal;
        self.may_vote(person)?;
        if self.it.vote_of(person, VoteKind::Approve).is_some() {
            return Err(Refusal::Voted(person.clone()));
        }
        let directory = self.context.directory;
        if to == person || self.is_involved(to) || directory.has_left(to) || !directory.knows(to) {
            return Err(Refusal::NotADelegate(to.clone()));
        }
        let mut seats: Vec<(usize, Option<String>)> = Vec::new();
        for (position, it) in self.it.sign_offs.iter().enumerate() {
            // A right that was delegated is not delegated on.
            let own = self
                .eligible_seat(it, person)
                .filter(|seat| seat.for_whom.is_none());
            if let Some(own) = own.filter(|_| it.is_waiting())
                && it.seat_of(to).is_none()
            {
                seats.push((position, own.via.clone()));
            }
        }
        if seats.is_empty() {
            return Err(Refusal::NotADelegate(to.clone()));
        }
        let mut lanes = Vec::new();
        let positions: Vec<usize> = seats.iter().map(|(position, _)| *position).collect();
        for (position, via) in seats {
            let since = self.now;
            if let Some(it) = self.it.sign_offs.get_mut(position) {
                lanes.push(it.plan.lane.clone());
                it.seats.push(Seat {
                    person: to.clone(),
                    via,
                    for_whom: Some(person.clone()),
                    since,
                    until: None,
                });
            }
        }
        self.record(
            RecordKind::Delegated,
            json!({ "by": by(actor), "from": person, "to": to, "lanes": lanes }),
        );
        let id = format!("delegated-{}", micros(self.now));
        let telling = Telling {
            id: &id,
            again: false,
            merges: false,
        };
        self.tell(&positions, telling);
        // The others know already.
        self.notices.retain(|notice| {
            !notice.id.contains(&format!("/{id}/")) || notice.id.ends_with(&format!("/{to}"))
        });
        // Who votes in another's place may have voted already.
        self.settle();
        self.stay_satisfiable();
        Ok(Reply::Done)
    }
}
