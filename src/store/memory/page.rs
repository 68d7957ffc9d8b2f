//! Lists of escalations in memory.
//!
//! In: a [`Query`]. Out: a page. Invariant: the same page as a database gives. Knows no index.

use super::Kept;
use crate::clock::Timestamp;
use crate::escalation::Escalation;
use crate::store::respond::respond_by;
use crate::store::transaction::{Order, Query, Summary};

/// What a page is sorted by: the instant and the id.
fn place(order: Order, it: &Escalation) -> Option<(Timestamp, String)> {
    let at = match order {
        Order::Newest => Some(it.pinned.opened),
        Order::Due => it.due().filter(|_| it.is_pending()),
    };
    at.map(|at| (at, it.pinned.id.clone()))
}

fn is_asked_for(query: &Query, it: &Escalation) -> bool {
    let pinned = &it.pinned;
    let outcome = it.resolution.as_ref().map(|it| it.outcome);
    let waiting = || it.sign_offs.iter().filter(|it| it.is_waiting());
    query
        .pending
        .is_none_or(|pending| pending == it.is_pending())
        && query.outcome.is_none_or(|end| outcome == Some(end))
        && query.lane.as_ref().is_none_or(|lane| *lane == pinned.lane)
        && query
            .urgency
            .is_none_or(|urgency| urgency == pinned.urgency)
        && query
            .requester
            .as_ref()
            .is_none_or(|who| *who == pinned.requester)
        && query.since.is_none_or(|since| pinned.opened >= since)
        && query.before.is_none_or(|before| pinned.opened < before)
        && query
            .team
            .as_ref()
            .is_none_or(|team| waiting().any(|it| it.team == *team))
        && query
            .person
            .as_ref()
            .is_none_or(|person| waiting().any(|it| it.seated().any(|seat| seat.person == *person)))
}

pub(super) fn page<'k>(query: &Query, all: impl Iterator<Item = &'k Kept>) -> Vec<Summary> {
    let behind = query.behind.as_ref().map(|it| (it.at, it.id.clone()));
    let mut found: Vec<((Timestamp, String), &Kept)> = all
        .filter(|kept| is_asked_for(query, &kept.escalation))
        .filter_map(|kept| Some((place(query.order, &kept.escalation)?, kept)))
        .filter(|(place, _)| match (&behind, query.order) {
            (None, _) => true,
            (Some(behind), Order::Newest) => place < behind,
            (Some(behind), Order::Due) => place > behind,
        })
        .collect();
    found.sort_by(|one, other| match query.order {
        Order::Newest => other.0.cmp(&one.0),
        Order::Due => one.0.cmp(&other.0),
    });
    found.truncate(query.limit as usize);
    found.into_iter().map(|(_, kept)| summary(kept)).collect()
}

fn summary(kept: &Kept) -> Summary {
    let it = &kept.escalation;
    let end = it.resolution.as_ref();
    Summary {
        id: it.pinned.id.clone(),
        lane: it.pinned.lane.clone(),
        urgency: it.pinned.urgency,
        digest: it.digest.clone(),
        requester: it.pinned.requester.clone(),
        opened: it.pinned.opened,
        outcome: end.map(|end| end.outcome),
        ended: end.map(|end| end.at),
        by_silence: end.is_some_and(|end| end.by_silence),
        due: it.due(),
        respond_by: respond_by(it),
        first_viewed: it.first_viewed,
        teams: it.sign_offs.iter().map(|it| it.team.clone()).collect(),
        joined: it.joined,
        late_votes: it.late_votes,
        undelivered: it.undelivered,
        is_erased: kept.is_erased,
    }
}
