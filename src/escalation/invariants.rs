//! What holds of every escalation, and of every change of one.
//!
//! In: an escalation, and the one before it. Out: each broken invariant in words; none, always.
//! Invariant: written from the rules and not from [`apply`](super::apply), so that each can catch the
//! other. The schema of the stores says the same again.

use super::plan::Does;
use super::state::{Escalation, GrantState, Outcome, Seat, SignOff, SignOffState, Vote, VoteKind};

/// What is wrong with an escalation, by itself and as what came of the one before it.
#[must_use]
pub fn broken(before: Option<&Escalation>, after: &Escalation) -> Vec<String> {
    let mut wrong = by_itself(after);
    match before {
        Some(before) => wrong.extend(from_one_to_the_other(before, after)),
        None if after
            .resolution
            .as_ref()
            .is_some_and(|it| it.outcome.is_approval()) =>
        {
            wrong.push("approved at the opening".to_owned());
        }
        None => {}
    }
    wrong
}

fn by_itself(it: &Escalation) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    let cap = it.pinned.cap;
    let states = || it.sign_offs.iter().map(|it| it.state);
    for sign_off in it.sign_offs.iter().filter(|it| it.is_waiting()) {
        must(it.is_pending(), "a sign-off waits behind the end");
        must(
            sign_off.due(cap).is_some(),
            "a waiting sign-off has no due instant",
        );
        must(
            sign_off.deadline(cap) <= cap,
            "a deadline lies behind the cap",
        );
        must(
            sign_off
                .due(cap)
                .is_none_or(|due| due <= sign_off.deadline(cap)),
            "a step comes behind the deadline",
        );
        must(
            sign_off
                .plan
                .steps
                .last()
                .is_some_and(|step| step.does.is_end()),
            "a plan does not end",
        );
    }
    must(
        it.resolution.is_some() || states().any(|state| state == SignOffState::Waiting),
        "a pending escalation waits for nobody",
    );
    for sign_off in &it.sign_offs {
        for seat in sign_off.seated() {
            must(
                !it.pinned.excluded.contains(&seat.person),
                "who asked has a seat",
            );
        }
    }
    for vote in it
        .votes
        .iter()
        .filter(|vote| vote.kind == VoteKind::Approve)
    {
        must(
            !it.pinned.excluded.contains(&vote.person),
            "who asked approved",
        );
        let same = it.votes.iter().filter(|other| {
            other.person == vote.person && other.round == vote.round && other.kind == vote.kind
        });
        must(same.count() == 1, "a person voted twice");
    }
    wrong.extend(votes_by_themselves(it));
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    if let Some(resolution) = &it.resolution {
        let timed_out = states().any(|state| state == SignOffState::TimedOut);
        must(
            (resolution.outcome == Outcome::TimedOut) == timed_out,
            "a time-out is that of a sign-off",
        );
        must(
            resolution.at >= it.pinned.opened,
            "it ended before it opened",
        );
        let good = |state| matches!(state, SignOffState::Satisfied | SignOffState::AutoAllowed);
        let approved = resolution.outcome.is_approval();
        must(!approved || it.is_readable, "approved, and cannot be read");
        must(
            !approved || states().all(good),
            "approved without each sign-off",
        );
        must(
            !approved || !it.sign_offs.is_empty(),
            "approved without a sign-off",
        );
        must(
            (resolution.outcome == Outcome::Amended) == (approved && it.digest != it.pinned.digest),
            "amended is what ends approved with a changed input",
        );
        must(
            (resolution.outcome == Outcome::TimedOut) == resolution.end.is_some(),
            "a time-out says how it ends, and nothing else does",
        );
        let silent = states().all(|state| state == SignOffState::AutoAllowed);
        must(
            !approved || resolution.by_silence == silent,
            "silence is not told",
        );
    }
    if let Some(grant) = &it.grant {
        must(
            it.resolution
                .as_ref()
                .is_some_and(|it| it.outcome.is_approval()),
            "a grant without an approval",
        );
        must(grant.digest == it.digest, "a grant for another action");
        must(it.pinned.asks, "a grant for what was only reported");
        must(
            (grant.state == GrantState::Consumed) == grant.consume_key.is_some(),
            "a consumed grant has its key, and no other has one",
        );
        must(
            (grant.state == GrantState::Live) == grant.ended.is_none(),
            "a grant has ended, and no other has",
        );
        let in_time = grant.ended.is_none_or(|at| at < grant.lapses);
        must(
            grant.state != GrantState::Consumed || in_time,
            "a lapsed grant was consumed",
        );
    }
    wrong
}

/// What is wrong with the votes: each follows from one before it, and is about what it says.
fn votes_by_themselves(it: &Escalation) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    for (position, vote) in it.votes.iter().enumerate() {
        let mut earlier = it.votes.iter().take(position);
        let of_both = |other: &Vote| other.person == vote.person && other.round == vote.round;
        match vote.kind {
            VoteKind::Approve => must(
                vote.round < it.round || vote.digest == it.digest,
                "an approval of another action in this round",
            ),
            VoteKind::Withdraw | VoteKind::Void => must(
                earlier.any(|other| of_both(other) && other.kind == VoteKind::Approve),
                "what was not given was taken back",
            ),
            VoteKind::Deny => must(
                it.resolution
                    .as_ref()
                    .is_some_and(|end| end.outcome == Outcome::Denied),
                "a denial that did not end it",
            ),
        }
        must(
            (1..=it.round).contains(&vote.round),
            "a vote of a round that was not",
        );
    }
    let order = it.votes.iter().zip(it.votes.iter().skip(1));
    for (one, next) in order {
        must(one.round <= next.round, "votes out of their order");
    }
    wrong
}

fn from_one_to_the_other(before: &Escalation, after: &Escalation) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    must(before.pinned == after.pinned, "pinned terms changed");
    must(after.last >= before.last, "time went back");
    must(
        after.votes.starts_with(&before.votes),
        "a vote was changed or lost",
    );
    must(after.round >= before.round, "a round went back");
    must(after.round <= before.round + 1, "two rounds at once");
    must(
        after.round > before.round || before.digest == after.digest,
        "the action changed without a round",
    );
    must(
        after.joined >= before.joined && after.undelivered >= before.undelivered,
        "a count went back",
    );
    must(
        before.released.is_none() || before.released == after.released,
        "what was released was released again",
    );
    must(
        before.resolution.is_none() || before.resolution == after.resolution,
        "an end was left",
    );
    must(
        before.is_pending() || before.votes.len() == after.votes.len(),
        "a vote behind the end",
    );
    if let Some(grant) = &before.grant {
        let later = after.grant.as_ref();
        must(
            grant.state == GrantState::Live || later == Some(grant),
            "an ended grant changed",
        );
        must(
            later.is_some_and(|it| it.digest == grant.digest && it.lapses == grant.lapses),
            "the terms of a grant changed",
        );
    }
    must(
        before.grant.is_some() || after.grant.is_none() || before.is_pending(),
        "a grant behind the end",
    );
    for (old, new) in before.sign_offs.iter().zip(&after.sign_offs) {
        must(old.plan == new.plan, "a plan changed");
        must(new.shift >= old.shift, "a deadline was brought forward");
        must(
            new.shift == old.shift || new.next > old.next,
            "a deadline moved without a step",
        );
        must(new.next >= old.next, "a step was taken back");
        must(new.next <= old.next + 1, "two steps at once");
        must(
            new.quorum >= old.quorum || new.next > old.next || new.hurried > old.hurried,
            "a quorum shrank without a step",
        );
        must(
            new.seats.len() >= old.seats.len() && old.seats.iter().zip(&new.seats).all(kept),
            "a seat was changed or lost",
        );
        let left = old.state != new.state && old.state != SignOffState::Waiting;
        must(
            !left || (after.round > before.round && before.is_pending()),
            "a decided sign-off changed without a new round",
        );
        if new.state != old.state || after.round > before.round {
            came_about(before, after, new, &mut must);
        }
    }
    must(
        after.sign_offs.len() >= before.sign_offs.len(),
        "a sign-off is gone",
    );
    wrong
}

/// Whether a seat is the same, or ended since.
fn kept((old, new): (&Seat, &Seat)) -> bool {
    let same = old.person == new.person && old.via == new.via && old.for_whom == new.for_whom;
    same && old.since == new.since && (old.until.is_none() || old.until == new.until)
}

/// How a sign-off may come to its state.
fn came_about(
    before: &Escalation,
    after: &Escalation,
    sign_off: &SignOff,
    must: &mut impl FnMut(bool, &str),
) {
    match sign_off.state {
        SignOffState::Satisfied => must(
            after.counted(sign_off).len() >= sign_off.quorum as usize,
            "satisfied without its votes in time",
        ),
        SignOffState::AutoAllowed => {
            let step = sign_off.plan.steps.last();
            must(
                step.is_some_and(|step| matches!(step.does, Does::Allow(_))),
                "allowed by a step that is none",
            );
            must(!sign_off.plan.unsure, "an unsure lane allowed");
            must(
                after.last >= sign_off.deadline(after.pinned.cap) || after.last == before.last,
                "allowed before its time",
            );
        }
        _ => {}
    }
}
