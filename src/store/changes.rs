//! What differs between an escalation as it was locked and as a command left it.
//!
//! In: a [`Writing`]. Out: [`Changes`], in the parts that a database keeps in rows.
//! Invariant: only what may change is a change; anything else that differs is refused here, because what
//! is not written no schema could refuse.
//! Knows no database.

use super::respond::respond_by;
use super::transaction::{StoreError, StoreErrorKind, Writing};
use crate::clock::Timestamp;
use crate::escalation::time::micros;
use crate::escalation::{Escalation, Grant, Resolution, Seat, SignOff, Vote};

/// What is to be written, in the order in which a schema takes it.
#[derive(Debug)]
pub(super) struct Changes<'w> {
    /// Whether the escalation is new.
    pub(super) opens: bool,
    /// Whether another input is asked about.
    pub(super) new_round: bool,
    /// Whether more than the instant of the last change differs in the escalation itself.
    pub(super) counts: bool,
    /// Positions of decided sign-offs that wait again, in the new round.
    pub(super) again: Vec<usize>,
    /// New sign-offs, with their positions.
    pub(super) begun: Vec<(usize, &'w SignOff)>,
    /// New seats: the position of the sign-off, that in it, the seat. They are written as if they held.
    pub(super) seated: Vec<(usize, usize, &'w Seat)>,
    /// New votes.
    pub(super) votes: Vec<(usize, &'w Vote)>,
    /// Seats that end: the position of the sign-off, that in it, and when.
    pub(super) unseated: Vec<(usize, usize, Timestamp)>,
    /// Sign-offs that stand elsewhere than before, or than they begin.
    pub(super) moved: Vec<(usize, &'w SignOff)>,
    /// The end.
    pub(super) resolution: Option<&'w Resolution>,
    /// A new grant. It is written as if it were live.
    pub(super) granted: Option<&'w Grant>,
    /// A grant that stands elsewhere.
    pub(super) grant: Option<&'w Grant>,
}

impl<'w> Changes<'w> {
    /// Compares.
    ///
    /// # Errors
    /// When something differs that never changes.
    pub(super) fn of(writing: &Writing<'w>) -> Result<Self, StoreError> {
        let after = writing.after;
        let before = writing.before;
        if let Some(before) = before {
            is_kept(before, after)?;
        }
        let mut changes = Self {
            opens: before.is_none(),
            new_round: before.is_some_and(|before| before.round != after.round),
            counts: before.is_some_and(|before| counts(before) != counts(after)),
            again: Vec::new(),
            begun: Vec::new(),
            seated: Vec::new(),
            votes: Vec::new(),
            unseated: Vec::new(),
            moved: Vec::new(),
            resolution: None,
            granted: None,
            grant: None,
        };
        for (position, sign_off) in after.sign_offs.iter().enumerate() {
            let old = before.and_then(|before| before.sign_offs.get(position));
            changes.sign_off(position, old, sign_off);
        }
        let voted = before.map_or(0, |before| before.votes.len());
        changes.votes = after.votes.iter().enumerate().skip(voted).collect();
        if before.is_none_or(|before| before.resolution.is_none()) {
            changes.resolution = after.resolution.as_ref();
        }
        let grant = after.grant.as_ref();
        match before.and_then(|before| before.grant.as_ref()) {
            None => {
                changes.granted = grant;
                // Given and used by one command: what was due came first.
                changes.grant = grant.filter(|grant| grant.ended.is_some());
            }
            Some(old) if grant != Some(old) => changes.grant = grant,
            Some(_) => {}
        }
        Ok(changes)
    }

    fn sign_off(&mut self, position: usize, old: Option<&SignOff>, new: &'w SignOff) {
        let mut moved = match old {
            Some(old) => stands(old) != stands(new),
            None => {
                self.begun.push((position, new));
                let plan = &new.plan;
                stands(new) != (SignOffAt::Begun, &plan.team, plan.quorum, 0, 0, 0)
            }
        };
        if self.new_round && old.is_some() {
            moved = true;
            if old.is_some_and(|old| !old.is_waiting()) {
                self.again.push(position);
            }
        }
        if moved {
            self.moved.push((position, new));
        }
        let had = old.map_or(0, |old| old.seats.len());
        for (n, seat) in new.seats.iter().enumerate() {
            let held = match old.and_then(|old| old.seats.get(n)) {
                Some(old) => old.until.is_none(),
                None => true,
            };
            if n >= had {
                self.seated.push((position, n, seat));
            }
            if let Some(until) = seat.until.filter(|_| held) {
                self.unseated.push((position, n, until));
            }
        }
    }
}

/// Where a sign-off stands, as far as it is compared.
#[derive(Debug, PartialEq)]
enum SignOffAt {
    Begun,
    Decided(&'static str, Option<i64>),
}

fn stands(it: &SignOff) -> (SignOffAt, &String, u32, u32, u32, u64) {
    let at = match it.is_waiting() {
        true => SignOffAt::Begun,
        false => SignOffAt::Decided(it.state.as_str(), it.decided.map(micros)),
    };
    let shift = it.shift.as_millis();
    (at, &it.team, it.quorum, it.next, it.hurried, shift)
}

type Counted = (
    u32,
    Option<Timestamp>,
    Option<Timestamp>,
    u32,
    u32,
    Option<Timestamp>,
);

fn counts(it: &Escalation) -> Counted {
    (
        it.joined,
        it.first_viewed,
        it.released,
        it.undelivered,
        it.late_votes,
        respond_by(it),
    )
}

/// Refuses what never changes, and is not written again.
fn is_kept(before: &Escalation, after: &Escalation) -> Result<(), StoreError> {
    let must = |kept: bool, what: &str| match kept {
        true => Ok(()),
        false => Err(StoreError::new(StoreErrorKind::Refused, what)),
    };
    must(before.pinned == after.pinned, "pinned terms never change")?;
    must(
        after.votes.starts_with(&before.votes),
        "votes are only added",
    )?;
    must(
        after.sign_offs.len() >= before.sign_offs.len(),
        "sign-offs stay",
    )?;
    for (old, new) in before.sign_offs.iter().zip(&after.sign_offs) {
        must(old.plan == new.plan, "the terms of a sign-off never change")?;
        must(new.seats.len() >= old.seats.len(), "seats stay")?;
        for (old, new) in old.seats.iter().zip(&new.seats) {
            let only_ends = old.until.is_none() || old.until == new.until;
            let same = Seat {
                until: old.until,
                ..new.clone()
            };
            must(only_ends && same == *old, "of a seat only its end changes")?;
        }
    }
    must(
        before.resolution.is_none() || before.resolution == after.resolution,
        "an end is never left",
    )?;
    must(
        before.grant.is_none() || after.grant.is_some(),
        "grants stay",
    )
}
