//! What is known of people now: who is in which group, who left, whose agent is whose, who is reached
//! how, and who may operate.
//!
//! In: what a configuration says of people ([`DirectoryBuilder`]). Out: a [`Directory`], read by the
//! state machine whenever somebody votes and whenever somebody is told.
//! Invariant: names are normalised; a person who left is in no group, has no role and is reached by
//! nothing, and is still known; a name is that of a person or of an agent, never of both, so that no
//! agent stands among those who answer.
//! Knows nothing of escalations and their pinned teams.

use std::collections::{BTreeMap, BTreeSet};

use super::principal::{Principal, PrincipalError};

mod build;
mod channel;

pub use build::{DirectoryBuilder, PeopleError};
pub use channel::{Channel, ChannelError, ChannelKind};

/// People, groups, agents and roles. The default knows nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    people: BTreeMap<Principal, Person>,
    /// With nested groups in place, sorted, without those who left.
    groups: BTreeMap<Principal, Vec<Principal>>,
    /// The owners of each agent as they were given.
    agents: BTreeMap<Principal, Vec<Principal>>,
    logins: BTreeMap<String, Principal>,
    operators: BTreeSet<Principal>,
    auditors: BTreeSet<Principal>,
    admins: BTreeSet<Principal>,
    /// What reaches a person who has no channels of their own.
    channels: Vec<Channel>,
    /// What reaches a team as such.
    team_channels: BTreeMap<Principal, Vec<Channel>>,
}

/// What is said of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Their users of the operating system.
    pub logins: Vec<String>,
    /// What reaches them; `None` are those that reach everybody else.
    pub channels: Option<Vec<Channel>>,
    /// Whether they have left.
    pub left: bool,
}

/// Somebody or all of a group, where members are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// A person.
    Person(Principal),
    /// All members of a group, written `@name`.
    Group(Principal),
}

impl Member {
    /// Reads `name` or `@group`.
    ///
    /// # Errors
    /// When it names nobody.
    pub fn parse(text: &str) -> Result<Self, PrincipalError> {
        let name = Principal::parse(text)?;
        match name.strip_prefix('@') {
            Some(group) => Principal::parse(group).map(Self::Group),
            None => Ok(Self::Person(name)),
        }
    }
}

impl Directory {
    /// One to be filled.
    #[must_use]
    pub fn builder() -> DirectoryBuilder {
        DirectoryBuilder::default()
    }

    /// One that knows nobody and reaches everybody by the same channels.
    #[must_use]
    pub fn reached_by(channels: Vec<Channel>) -> Self {
        Self {
            channels,
            ..Self::default()
        }
    }

    /// The members of a group, sorted, with those of the groups in it and without those who left. A
    /// group that is not known has none.
    pub fn members(&self, group: &str) -> impl Iterator<Item = &Principal> {
        self.group(group).iter()
    }

    /// Whether a person is in a group, by itself or through a group in it.
    #[must_use]
    pub fn is_member(&self, group: &str, person: &Principal) -> bool {
        self.group(group).binary_search(person).is_ok()
    }

    /// Gives a group that is not known so many members that are named after it, `payments#1` and so on,
    /// for a simulation by a matrix whose people are not known here. `false` where it is known, also
    /// without members, or cannot be one.
    pub fn stand_in(&mut self, group: &str, members: u32) -> bool {
        let Ok(name) = Principal::parse(group) else {
            return false;
        };
        if self.groups.contains_key(&name) {
            return false;
        }
        let members = (1..=members).filter_map(|n| Principal::parse(&format!("{name}#{n}")).ok());
        let mut members: Vec<Principal> = members.collect();
        members.sort();
        self.groups.insert(name, members);
        true
    }

    fn group(&self, name: &str) -> &[Principal] {
        // A name that is not normalised is no key; one that cannot be normalised is that of no group.
        let members = self.groups.get(name).or_else(|| {
            let name = Principal::parse(name).ok()?;
            self.groups.get(&name)
        });
        members.map_or(&[], Vec::as_slice)
    }

    /// Whether a person has left. Nobody has left who is not known.
    #[must_use]
    pub fn has_left(&self, person: &Principal) -> bool {
        self.people.get(person).is_some_and(|person| person.left)
    }

    /// The person whose agent it is: of several the one who is named first, for showing. Who may not
    /// approve is asked with [`owns`](Self::owns).
    #[must_use]
    pub fn owner_of(&self, agent: &Principal) -> Option<&Principal> {
        self.owners_of(agent).first()
    }

    /// All people whose agent it is, in the order in which they are named. Also those who left.
    #[must_use]
    pub fn owners_of(&self, agent: &Principal) -> &[Principal] {
        self.agents.get(agent).map_or(&[], Vec::as_slice)
    }

    /// Whether a person is one of those whose agent it is: none of them may approve what it asks for.
    #[must_use]
    pub fn owns(&self, person: &Principal, agent: &Principal) -> bool {
        self.owners_of(agent).contains(person)
    }

    /// The agents of a person, sorted.
    pub fn agents_of(&self, person: &Principal) -> impl Iterator<Item = &Principal> {
        self.agents
            .iter()
            .filter(move |(_, owners)| owners.contains(person))
            .map(|(agent, _)| agent)
    }

    /// Whether it is an agent that somebody owns.
    #[must_use]
    pub fn is_agent(&self, name: &Principal) -> bool {
        self.agents.contains_key(name)
    }

    /// Whether anything reaches a person: they have a channel and have not left.
    #[must_use]
    pub fn is_reachable(&self, person: &Principal) -> bool {
        !self.channels(person).is_empty()
    }

    /// What reaches a person: their own channels, else those for everybody, also for people that only a
    /// matrix names. Nothing reaches one who left, nor an agent.
    #[must_use]
    pub fn channels(&self, person: &Principal) -> &[Channel] {
        if self.has_left(person) || self.is_agent(person) {
            return &[];
        }
        let own = self.people.get(person);
        own.and_then(|person| person.channels.as_ref())
            .unwrap_or(&self.channels)
    }

    /// What reaches a team as such, beside its people; also a team that only a matrix names.
    #[must_use]
    pub fn team_channels(&self, team: &str) -> &[Channel] {
        let name = Principal::parse(team).ok();
        let channels = name.and_then(|name| self.team_channels.get(&name));
        channels.map_or(&[], Vec::as_slice)
    }

    /// Whether a person may reassign, confirm the clock and erase.
    #[must_use]
    pub fn is_operator(&self, person: &Principal) -> bool {
        self.operators.contains(person)
    }

    /// Whether a person may read everything, and change nothing by that.
    #[must_use]
    pub fn is_auditor(&self, person: &Principal) -> bool {
        self.auditors.contains(person)
    }

    /// The person of a user of the operating system, whose name is compared as it is: systems tell
    /// `Bob` and `bob` apart. One who left is still that person.
    #[must_use]
    pub fn person_of_login(&self, login: &str) -> Option<&Principal> {
        self.logins.get(login)
    }

    /// Whether a user of the operating system is mapped to a person.
    #[must_use]
    pub fn has_login(&self, person: &Principal) -> bool {
        self.logins.values().any(|of| of == person)
    }

    /// Whether a person is named anywhere: by themselves, in a group, as an owner, in a role.
    #[must_use]
    pub fn knows(&self, person: &Principal) -> bool {
        self.people.contains_key(person)
    }

    /// The names of the groups, sorted.
    pub fn groups(&self) -> impl Iterator<Item = &Principal> {
        self.groups.keys()
    }

    /// All people who are known, sorted, with those who left.
    pub fn people(&self) -> impl Iterator<Item = &Principal> {
        self.people.keys()
    }

    /// All agents that somebody owns, sorted.
    pub fn agents(&self) -> impl Iterator<Item = &Principal> {
        self.agents.keys()
    }

    /// The operators, sorted, without those who left.
    pub fn operators(&self) -> impl Iterator<Item = &Principal> {
        self.operators.iter()
    }

    /// Whether a person may make tokens and let people in.
    #[must_use]
    pub fn is_admin(&self, person: &Principal) -> bool {
        self.admins.contains(person)
    }

    /// The admins, sorted, without those who left.
    pub fn admins(&self) -> impl Iterator<Item = &Principal> {
        self.admins.iter()
    }

    /// The auditors, sorted, without those who left.
    pub fn auditors(&self) -> impl Iterator<Item = &Principal> {
        self.auditors.iter()
    }
}

#[cfg(test)]
mod tests;
