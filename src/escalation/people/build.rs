//! How a [`Directory`] is made.
//!
//! In: people, groups, agents and roles one after the other, in any order. Out: a [`Directory`] in
//! which groups are lists of people, or what is wrong.
//! Invariant: what concerns one entry is said when it is added, so that its place is known; only what
//! concerns groups in groups is said at the end. Nothing recurses, and the lists are bounded.
//! Knows nothing of files.

use std::collections::{BTreeMap, BTreeSet};

use super::super::principal::Principal;
use super::{Channel, Directory, Member, Person};
use crate::diagnostic::nearest;
use crate::event::named;
use crate::limits::{LOGIN_BYTES, MEMBERSHIPS};

/// A directory that is being filled.
#[derive(Debug, Clone, Default)]
pub struct DirectoryBuilder {
    people: BTreeMap<Principal, Person>,
    /// Everybody who is named as a person.
    named: BTreeSet<Principal>,
    groups: BTreeMap<Principal, Vec<Member>>,
    agents: BTreeMap<Principal, Vec<Principal>>,
    logins: BTreeMap<String, Principal>,
    operators: Vec<Member>,
    auditors: Vec<Member>,
    admins: Vec<Member>,
    channels: Vec<Channel>,
    team_channels: BTreeMap<Principal, Vec<Channel>>,
}

/// Why what is said of people does not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeopleError {
    /// One name stands twice for a person, a group or an agent, perhaps in two spellings.
    #[error("`{name}` is there twice, names are compared without regard to case and width")]
    Twice {
        /// The name.
        name: Principal,
    },
    /// A name is that of an agent and of a person.
    #[error(
        "`{name}` is an agent of `{owner}`, and an agent is no person who answers, owns or has a role"
    )]
    AgentAndPerson {
        /// The name.
        name: Principal,
        /// The first of its owners.
        owner: Principal,
    },
    /// A name begins with the mark of a group.
    #[error("`{name}` begins with `@`, which stands only before a group in a list of members")]
    Mark {
        /// The name.
        name: Principal,
    },
    /// An agent has no owner.
    #[error("the agent `{agent}` has no owner")]
    NoOwner {
        /// The agent.
        agent: Principal,
    },
    /// A login is no name of a user.
    #[error(
        "{} is no login: it has 1 to {LOGIN_BYTES} bytes and no control characters",
        named(login)
    )]
    BadLogin {
        /// The login.
        login: String,
    },
    /// A login is that of two people.
    #[error("the login {} is that of `{first}` and of `{second}`", named(login))]
    LoginTwice {
        /// The login.
        login: String,
        /// Who had it first.
        first: Principal,
        /// Who has it too.
        second: Principal,
    },
    /// A group among members is not there.
    #[error("there is no group `{group}`{}", meant(near.as_ref()))]
    UnknownGroup {
        /// The group that is not there.
        group: Principal,
        /// One with a name like it.
        near: Option<Principal>,
    },
    /// Groups are in each other.
    #[error("a group is in itself: {}", round(groups))]
    Circle {
        /// The groups; each has the next as a member, and the last has the first.
        groups: Vec<Principal>,
    },
    /// With nested groups in place there are more than [`MEMBERSHIPS`] members.
    #[error("the groups up to `{group}` have more than {MEMBERSHIPS} members together")]
    TooMany {
        /// The group that is one too many.
        group: Principal,
    },
}

fn meant(near: Option<&Principal>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

fn round(groups: &[Principal]) -> String {
    let names = groups.iter().chain(groups.first());
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(" has ")
}

impl DirectoryBuilder {
    /// Says what reaches a team as such, beside its people.
    ///
    /// # Errors
    /// When it is there before.
    pub fn team(&mut self, name: Principal, channels: Vec<Channel>) -> Result<(), PeopleError> {
        match self.team_channels.insert(name.clone(), channels) {
            Some(_) => Err(PeopleError::Twice { name }),
            None => Ok(()),
        }
    }

    /// Says what reaches a person who has no channels of their own.
    #[must_use]
    pub fn with_channels(mut self, channels: Vec<Channel>) -> Self {
        self.channels = channels;
        self
    }

    /// Adds what is said of a person.
    ///
    /// # Errors
    /// When it was added before, is an agent, or has somebody else's login.
    pub fn person(&mut self, name: Principal, person: Person) -> Result<(), PeopleError> {
        self.name(&name)?;
        if self.people.contains_key(&name) {
            return Err(PeopleError::Twice { name });
        }
        for login in &person.logins {
            if login.trim().is_empty()
                || login.len() > LOGIN_BYTES
                || login.chars().any(char::is_control)
            {
                let login = login.clone();
                return Err(PeopleError::BadLogin { login });
            }
            let first = self.logins.entry(login.clone()).or_insert(name.clone());
            if *first != name {
                return Err(PeopleError::LoginTwice {
                    login: login.clone(),
                    first: first.clone(),
                    second: name,
                });
            }
        }
        self.people.insert(name, person);
        Ok(())
    }

    /// Adds a group. Somebody who is in it twice is in it once.
    ///
    /// # Errors
    /// When it was added before, or an agent is in it.
    pub fn group(&mut self, name: Principal, members: Vec<Member>) -> Result<(), PeopleError> {
        no_mark(&name)?;
        if self.groups.contains_key(&name) {
            return Err(PeopleError::Twice { name });
        }
        members.iter().try_for_each(|member| self.member(member))?;
        self.groups.insert(name, members);
        Ok(())
    }

    /// Adds an agent with the people whose agent it is.
    ///
    /// # Errors
    /// When it was added before, has no owner, is a person, or an owner is an agent.
    pub fn agent(&mut self, agent: Principal, owners: Vec<Principal>) -> Result<(), PeopleError> {
        no_mark(&agent)?;
        if self.agents.contains_key(&agent) {
            return Err(PeopleError::Twice { name: agent });
        }
        let Some(owner) = owners.first().cloned() else {
            return Err(PeopleError::NoOwner { agent });
        };
        if self.named.contains(&agent) || owners.contains(&agent) {
            return Err(PeopleError::AgentAndPerson { name: agent, owner });
        }
        owners.iter().try_for_each(|owner| self.name(owner))?;
        self.agents.insert(agent, owners);
        Ok(())
    }

    /// Adds people who may reassign, confirm the clock and erase.
    ///
    /// # Errors
    /// When it is an agent.
    pub fn operator(&mut self, member: Member) -> Result<(), PeopleError> {
        self.member(&member)?;
        self.operators.push(member);
        Ok(())
    }

    /// Adds people who may read everything.
    ///
    /// # Errors
    /// When it is an agent.
    pub fn auditor(&mut self, member: Member) -> Result<(), PeopleError> {
        self.member(&member)?;
        self.auditors.push(member);
        Ok(())
    }

    /// Adds people who may make tokens and let people in. That alone lets nobody vote.
    ///
    /// # Errors
    /// When it is an agent.
    pub fn admin(&mut self, member: Member) -> Result<(), PeopleError> {
        self.member(&member)?;
        self.admins.push(member);
        Ok(())
    }

    fn member(&mut self, member: &Member) -> Result<(), PeopleError> {
        match member {
            Member::Person(name) => self.name(name),
            Member::Group(name) => no_mark(name),
        }
    }

    /// Notes that a name is that of a person.
    fn name(&mut self, name: &Principal) -> Result<(), PeopleError> {
        no_mark(name)?;
        if let Some(owner) = self.agents.get(name).and_then(|owners| owners.first()) {
            return Err(PeopleError::AgentAndPerson {
                name: name.clone(),
                owner: owner.clone(),
            });
        }
        self.named.insert(name.clone());
        Ok(())
    }

    /// The directory, with groups in groups in place.
    ///
    /// # Errors
    /// When a group among members is not there, groups are in each other, or there are too many
    /// members.
    pub fn finish(self) -> Result<Directory, PeopleError> {
        self.groups_are_there()?;
        let order = self.inner_first()?;
        let mut groups: BTreeMap<Principal, Vec<Principal>> = BTreeMap::new();
        let mut left = MEMBERSHIPS;
        for name in order {
            let members = self.groups.get(name).map_or(&[][..], Vec::as_slice);
            let list = self.expanded(members, &groups, &mut left);
            let list = list.ok_or_else(|| PeopleError::TooMany {
                group: name.clone(),
            })?;
            groups.insert(name.clone(), list);
        }
        let mut role = |members: &[Member]| {
            let list = self.expanded(members, &groups, &mut left);
            let first = members.first().map(|member| match member {
                Member::Person(name) | Member::Group(name) => name.clone(),
            });
            match (list, first) {
                (Some(list), _) => Ok(list.into_iter().collect()),
                (None, Some(group)) => Err(PeopleError::TooMany { group }),
                (None, None) => Ok(BTreeSet::new()),
            }
        };
        let operators = role(&self.operators)?;
        let auditors = role(&self.auditors)?;
        let admins = role(&self.admins)?;
        let mut people = self.people;
        for name in self.named {
            people.entry(name).or_default();
        }
        Ok(Directory {
            people,
            groups,
            agents: self.agents,
            logins: self.logins,
            operators,
            auditors,
            admins,
            channels: self.channels,
            team_channels: self.team_channels,
        })
    }

    /// Every group among members is one.
    fn groups_are_there(&self) -> Result<(), PeopleError> {
        let lists = self
            .groups
            .values()
            .chain([&self.operators, &self.auditors, &self.admins]);
        for group in lists.flatten().filter_map(nested) {
            if !self.groups.contains_key(group) {
                let known = self.groups.keys().map(Principal::as_str);
                let near = nearest(group, known).and_then(|near| self.groups.get_key_value(near));
                return Err(PeopleError::UnknownGroup {
                    group: group.clone(),
                    near: near.map(|(near, _)| near.clone()),
                });
            }
        }
        Ok(())
    }

    /// The groups in an order in which each stands behind those that are in it.
    fn inner_first(&self) -> Result<Vec<&Principal>, PeopleError> {
        let mut waits_for: BTreeMap<&Principal, usize> = BTreeMap::new();
        let mut is_in: BTreeMap<&Principal, Vec<&Principal>> = BTreeMap::new();
        let mut order = Vec::new();
        for (name, members) in &self.groups {
            let inner: BTreeSet<&Principal> = members.iter().filter_map(nested).collect();
            if inner.is_empty() {
                order.push(name);
            } else {
                waits_for.insert(name, inner.len());
            }
            for group in inner {
                is_in.entry(group).or_default().push(name);
            }
        }
        let mut next = 0;
        while let Some(done) = order.get(next) {
            next += 1;
            for outer in is_in.remove(*done).unwrap_or_default() {
                if let Some(count) = waits_for.get_mut(outer) {
                    *count -= 1;
                    if *count == 0 {
                        waits_for.remove(outer);
                        order.push(outer);
                    }
                }
            }
        }
        match waits_for.keys().next() {
            None => Ok(order),
            Some(first) => Err(self.circle(first, &waits_for)),
        }
    }

    /// The circle to which one of the groups that wait for each other leads.
    fn circle(&self, first: &Principal, waits: &BTreeMap<&Principal, usize>) -> PeopleError {
        let mut trail = vec![first];
        let mut seen = BTreeMap::from([(first, 0)]);
        let mut at = first;
        loop {
            let members = self.groups.get(at).into_iter().flatten();
            let Some(inner) = members.filter_map(nested).find(|g| waits.contains_key(g)) else {
                // A group that waits has one that waits in it.
                break;
            };
            if let Some(start) = seen.insert(inner, trail.len()) {
                trail.drain(..start);
                break;
            }
            trail.push(inner);
            at = inner;
        }
        PeopleError::Circle {
            groups: trail.into_iter().cloned().collect(),
        }
    }

    /// The people of a list, sorted, each once, without those who left; nothing when the bound on all
    /// lists is passed.
    fn expanded(
        &self,
        members: &[Member],
        groups: &BTreeMap<Principal, Vec<Principal>>,
        left: &mut usize,
    ) -> Option<Vec<Principal>> {
        let mut list = Vec::new();
        for member in members {
            let inner = match member {
                Member::Person(name) => std::slice::from_ref(name),
                Member::Group(name) => groups.get(name).map_or(&[][..], Vec::as_slice),
            };
            // Counted before anybody is left out: the bound is on the work as well.
            *left = left.checked_sub(inner.len())?;
            let has_left = |name: &Principal| self.people.get(name).is_some_and(|p| p.left);
            list.extend(inner.iter().filter(|name| !has_left(name)).cloned());
        }
        list.sort_unstable();
        list.dedup();
        Some(list)
    }
}

fn nested(member: &Member) -> Option<&Principal> {
    match member {
        Member::Person(_) => None,
        Member::Group(name) => Some(name),
    }
}

fn no_mark(name: &Principal) -> Result<(), PeopleError> {
    if name.starts_with('@') {
        return Err(PeopleError::Mark { name: name.clone() });
    }
    Ok(())
}
