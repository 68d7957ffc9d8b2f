//! Numbers in the place of names.
//!
//! In: an escalation that is erased. Out: a number for each person of its seats and votes.
//! Invariant: who was one person stays one, and two stay two, so that the votes still tell a quorum.
//! Knows no store.

use std::collections::{BTreeMap, BTreeSet};

use crate::escalation::{Escalation, Principal};

/// What stands before the number.
const ERASED: &str = "erased-";

/// The number of each person, in the order in which they were asked.
pub(super) fn numbers(it: &Escalation) -> BTreeMap<Principal, Principal> {
    let seats = it.sign_offs.iter().flat_map(|it| &it.seats);
    let seated = seats.flat_map(|seat| [Some(&seat.person), seat.for_whom.as_ref()]);
    let votes = it.votes.iter();
    let voted = votes.flat_map(|vote| [Some(&vote.person), vote.operator.as_ref()]);
    let names: Vec<&Principal> = seated.chain(voted).flatten().collect();
    let taken: BTreeSet<&str> = names.iter().map(|name| name.as_str()).collect();
    let mut free = (1u64..).map(|n| format!("{ERASED}{n}"));
    let mut numbers = BTreeMap::new();
    for name in names {
        if numbers.contains_key(name) {
            continue;
        }
        // A person may be called so.
        let number = free.find(|number| !taken.contains(number.as_str()));
        let number = number.and_then(|number| Principal::parse(&number).ok());
        numbers.extend(number.map(|number| (name.clone(), number)));
    }
    numbers
}

/// Replaces the names in an escalation by their numbers.
pub(super) fn number_people(it: &mut Escalation) {
    let numbers = numbers(it);
    let number = |name: &mut Principal| {
        if let Some(number) = numbers.get(name) {
            name.clone_from(number);
        }
    };
    for seat in it.sign_offs.iter_mut().flat_map(|it| &mut it.seats) {
        number(&mut seat.person);
        seat.for_whom.iter_mut().for_each(number);
    }
    for vote in &mut it.votes {
        number(&mut vote.person);
        vote.operator.iter_mut().for_each(number);
    }
}
