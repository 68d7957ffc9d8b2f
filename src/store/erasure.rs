//! Numbers in the place of names.
//!
//! In: an escalation that is erased. Out: the same, with a number for each person of its plans, seats, votes
//! and end.
//! Invariant: who was one person stays one, and two stay two, so that the votes still tell a quorum. Neither
//! a number nor a place in a list says whose it was: numbers are drawn by lot, and who stands where in a list
//! goes by the numbers.
//! Knows no store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::transaction::{StoreError, StoreErrorKind};
use crate::clock::Timestamp;
use crate::escalation::{Asked, Cause, Escalation, Principal, Seat};

/// What stands before the number.
const ERASED: &str = "erased-";

/// The escalation with numbers. What it pins keeps its names.
pub(super) fn numbered(it: &Escalation) -> Result<Escalation, StoreError> {
    let mut it = it.clone();
    let mut names = BTreeSet::new();
    each_name(&mut it, &mut |name| {
        names.insert(name.clone());
    });
    let numbers = numbers(names)?;
    each_name(&mut it, &mut |name| {
        if let Some(number) = numbers.get(name) {
            name.clone_from(number);
        }
    });
    for sign_off in &mut it.sign_offs {
        for roster in Arc::make_mut(&mut sign_off.plan).rosters.values_mut() {
            let by_number = |one: &Asked, other: &Asked| one.person.cmp(&other.person);
            roster.first.sort_by(by_number);
            roster.backup.sort_by(by_number);
        }
        mix(&mut sign_off.seats);
    }
    Ok(it)
}

/// Calls with each name, but those of the pinned terms.
fn each_name(it: &mut Escalation, name: &mut impl FnMut(&mut Principal)) {
    for sign_off in &mut it.sign_offs {
        for roster in Arc::make_mut(&mut sign_off.plan).rosters.values_mut() {
            let asked = roster.first.iter_mut().chain(&mut roster.backup);
            asked.for_each(|asked| name(&mut asked.person));
        }
        for seat in &mut sign_off.seats {
            name(&mut seat.person);
            seat.for_whom.iter_mut().for_each(&mut *name);
        }
    }
    for vote in &mut it.votes {
        name(&mut vote.person);
        vote.operator.iter_mut().for_each(&mut *name);
    }
    let cause = it.resolution.as_mut().map(|end| &mut end.cause);
    if let Some(Cause::Vote(person) | Cause::Cancelled(person)) = cause {
        name(person);
    }
}

/// A number for each name, by lot.
fn numbers(names: BTreeSet<Principal>) -> Result<BTreeMap<Principal, Principal>, StoreError> {
    let mut lots = Vec::with_capacity(names.len());
    for name in &names {
        let lot = getrandom::u64().map_err(|error| {
            let message = format!("no random numbers: {error}");
            StoreError::new(StoreErrorKind::Io, message)
        })?;
        lots.push((lot, name));
    }
    lots.sort_unstable();
    // A person may be called so.
    let free = (1u64..).map(|n| format!("{ERASED}{n}"));
    let free = free.filter(|number| !names.contains(number.as_str()));
    let mut numbers = BTreeMap::new();
    for ((_, name), number) in lots.into_iter().zip(free) {
        let number = Principal::parse(&number);
        let number = number.map_err(|error| StoreError::other(error.to_string()))?;
        numbers.insert(name.clone(), number);
    }
    Ok(numbers)
}

/// Lets those of equal seats stand in the order of their numbers, which says nothing: that of the seats is
/// the one in which the matrix names them.
fn mix(seats: &mut [Seat]) {
    let mut by_number = seats.to_vec();
    by_number.sort_by(|one, other| {
        let one = (but_for_names(one), &one.person, &one.for_whom);
        one.cmp(&(but_for_names(other), &other.person, &other.for_whom))
    });
    let mut places: Vec<&mut Seat> = seats.iter_mut().collect();
    places.sort_by(|one, other| but_for_names(one).cmp(&but_for_names(other)));
    for (place, seat) in places.into_iter().zip(by_number) {
        *place = seat;
    }
}

fn but_for_names(seat: &Seat) -> (&Option<String>, bool, Timestamp, Option<Timestamp>) {
    let is_delegated = seat.for_whom.is_some();
    (&seat.via, is_delegated, seat.since, seat.until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(person: &str, via: Option<&str>, for_whom: Option<&str>) -> Seat {
        let name = |name: &str| Principal::parse(name).unwrap();
        Seat {
            person: name(person),
            via: via.map(str::to_owned),
            for_whom: for_whom.map(name),
            since: Timestamp::default(),
            until: None,
        }
    }

    #[test]
    fn who_sits_in_equal_seats_changes_places_and_nobody_else_does() {
        let mut seats = [
            seat("z", None, None),
            seat("c", Some("group"), None),
            seat("y", None, Some("z")),
            seat("x", None, None),
            seat("a", Some("group"), None),
        ];
        mix(&mut seats);
        let people: Vec<&str> = seats.iter().map(|seat| seat.person.as_str()).collect();
        assert_eq!(people, ["x", "a", "y", "z", "c"]);
        assert_eq!(seats[2], seat("y", None, Some("z")));
        assert_eq!(seats[1], seat("a", Some("group"), None));
    }

    #[test]
    fn numbers_go_around_those_who_are_called_so() {
        let names = ["ann", "erased-1", "erased-3"].map(|name| Principal::parse(name).unwrap());
        let numbers = numbers(names.clone().into()).unwrap();
        let given: BTreeSet<&str> = numbers.values().map(|number| number.as_str()).collect();
        assert_eq!(given, BTreeSet::from(["erased-2", "erased-4", "erased-5"]));
        assert!(names.iter().all(|name| numbers.contains_key(name)));
    }
}
