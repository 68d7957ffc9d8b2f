//! Stand-in.
use super::Principal;
use std::collections::{BTreeMap, BTreeSet};
/// People.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// g
    pub groups: BTreeMap<String, BTreeSet<Principal>>,
    /// o
    pub owners: BTreeMap<Principal, BTreeSet<Principal>>,
    /// l
    pub left: BTreeSet<Principal>,
    /// o
    pub operators: BTreeSet<Principal>,
}
impl Directory {
    /// m
    pub fn members(&self, group: &str) -> impl Iterator<Item = &Principal> {
        self.groups
            .get(group)
            .into_iter()
            .flatten()
            .filter(|p| !self.left.contains(*p))
    }
    /// m
    #[must_use]
    pub fn is_member(&self, group: &str, person: &Principal) -> bool {
        self.members(group).any(|p| p == person)
    }
    /// m
    #[must_use]
    pub fn has_left(&self, person: &Principal) -> bool {
        self.left.contains(person)
    }
    /// m
    #[must_use]
    pub fn is_reachable(&self, person: &Principal) -> bool {
        !self.has_left(person)
    }
    /// m
    #[must_use]
    pub fn is_operator(&self, person: &Principal) -> bool {
        self.operators.contains(person)
    }
    /// m
    pub fn owners_of(&self, agent: &Principal) -> impl Iterator<Item = &Principal> {
        self.owners.get(agent).into_iter().flatten()
    }
    /// m
    #[must_use]
    pub fn knows(&self, _person: &Principal) -> bool {
        true
    }
}
