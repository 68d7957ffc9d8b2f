//! The bounded world of the model: four people, two agents, what may happen to the directory.
//!
//! In: a mask of what has happened. Out: who is in which group, and who left.
//! Invariant: it says of teams and steps what `lifecycle.lane` says, and is not made from it.

use std::collections::BTreeSet;

use super::spec::{Contact, Step};
use super::support::Folk;

/// Dan owns the bots that ask; `ops` operates.
pub const NAMES: [&str; 7] = ["ann", "ben", "cat", "dan", "bot-1", "bot-2", "ops"];

/// Who stands behind the request.
pub const EXCLUDED: [&str; 3] = ["dan", "bot-1", "bot-2"];

const WORDS: [&str; 10] = [
    "pay",
    "soft",
    "guard",
    "guard_too",
    "payers",
    "guards",
    "second",
    "desk",
    "spare",
    "engine",
];

/// A name as the constant that it is.
pub fn known(text: &str) -> &'static str {
    let mut all = NAMES.iter().chain(&WORDS);
    all.find(|word| **word == text)
        .unwrap_or_else(|| panic!("`{text}` is not of this world"))
}

pub fn owner(lane: &str) -> &'static str {
    match lane {
        "pay" | "soft" => "payers",
        "guard" => "guards",
        _ => "second",
    }
}

pub fn quorum(team: &str) -> u32 {
    if team == "payers" { 2 } else { 1 }
}

pub fn contacts(team: &str, backup: bool) -> Vec<Contact> {
    match (team, backup) {
        ("payers", false) => vec![("ann", Some("desk")), ("ben", Some("desk"))],
        ("payers", true) => vec![("cat", Some("spare"))],
        ("guards", false) => vec![("ben", None), ("cat", None)],
        // Eve left long ago.
        ("second", false) => vec![("cat", None)],
        _ => Vec::new(),
    }
}

pub fn steps(lane: &str) -> &'static [(u64, Step)] {
    match lane {
        "pay" => &[
            (10, Step::Adds("payers", true)),
            (20, Step::Runs),
            (30, Step::Denies),
        ],
        "soft" => &[
            (10, Step::Adds("payers", true)),
            (20, Step::Routes("second")),
            (30, Step::Allows),
        ],
        _ => &[
            (10, Step::Adds("second", false)),
            (15, Step::Runs),
            (25, Step::Allows),
        ],
    }
}

/// What may happen to the directory.
pub const CHANGES: [&str; 4] = [
    "ann leaves",
    "ben out of desk",
    "cat leaves",
    "cat out of spare",
];

/// Who is who after some of the changes.
#[derive(Debug, Clone)]
pub struct Town {
    pub folk: Folk,
}

impl Town {
    pub fn after(mask: u8) -> Self {
        let mut folk = Folk::usual();
        folk.left = BTreeSet::from(["eve"]);
        for (bit, change) in CHANGES.iter().enumerate() {
            if mask & (1 << bit) != 0 {
                match *change {
                    "ann leaves" => drop(folk.left.insert("ann")),
                    "ben out of desk" => drop(folk.desk.remove("ben")),
                    "cat leaves" => drop(folk.left.insert("cat")),
                    _ => drop(folk.spare.remove("cat")),
                }
            }
        }
        Self { folk }
    }

    pub fn has_left(&self, person: &str) -> bool {
        self.folk.left.contains(person)
    }

    pub fn is_member(&self, group: &str, person: &str) -> bool {
        let group = if group == "desk" {
            &self.folk.desk
        } else {
            &self.folk.spare
        };
        group.contains(person) && !self.has_left(person)
    }
}
