//! Who is who: `[people]`, `[groups]`, `[agents]` and `[roles]`; what reaches whole teams: `[teams]`.
//!
//! In: these tables of `laneway.toml`, and of the file that its `directory` names. Out: a
//! [`Directory`].
//! Invariant: each table stands in one of the two files; a mistake is said with the place of the name
//! that is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::ConfigError;
use super::notify::{Notify, channels};
use super::source::Source;
use crate::escalation::people::{Directory, DirectoryBuilder, Member, PeopleError, Person};
use crate::escalation::principal::Principal;

/// A table by names as they are spelt.
type Named<T> = BTreeMap<Spanned<String>, T>;

/// `[people]`.
pub(super) type People = Named<PersonTable>;

/// `[groups]`.
pub(super) type Groups = Named<Vec<Spanned<String>>>;

/// `[teams]`.
pub(super) type Teams = Named<TeamTable>;

/// `[teams.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamTable {
    channels: Vec<Spanned<String>>,
}

/// `[agents]`.
pub(super) type Agents = Named<Spanned<OneOrSeveral>>;

/// The tables that may stand in either file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Tables {
    pub(super) people: People,
    pub(super) groups: Groups,
    pub(super) agents: Agents,
    pub(super) roles: Roles,
}

/// `[people.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PersonTable {
    login: Option<Spanned<String>>,
    logins: Vec<Spanned<String>>,
    channels: Option<Vec<Spanned<String>>>,
    left: bool,
}

/// `[roles]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Roles {
    operators: Option<Spanned<Vec<Spanned<String>>>>,
    auditors: Option<Spanned<Vec<Spanned<String>>>>,
    admins: Option<Spanned<Vec<Spanned<String>>>>,
}

/// A name, or a list of names.
#[derive(Debug)]
pub(super) struct OneOrSeveral(Vec<String>);

impl<'de> Deserialize<'de> for OneOrSeveral {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = OneOrSeveral;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(OneOrSeveral(vec![name.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(name) = names.next_element()? {
                    list.push(name);
                }
                Ok(OneOrSeveral(list))
            }
        }
        deserializer.deserialize_any(Names)
    }
}

/// Where names stand that only the whole directory shows to be wrong.
#[derive(Default)]
struct Places<'a> {
    /// Where a group is named among members, first.
    inner: BTreeMap<Principal, (&'a Source, Range<usize>)>,
    /// Where a group is.
    groups: BTreeMap<Principal, (&'a Source, Range<usize>)>,
}

/// The directory of the tables of `laneway.toml`, and of another file if there is one.
pub(super) fn directory(
    main: (&Source, &Tables),
    other: Option<(&Source, &Tables)>,
    teams: &Teams,
    notify: &Notify,
) -> Result<Directory, ConfigError> {
    if let Some(other) = other {
        stand_once(main, other)?;
    }
    let parts = || [Some(main), other].into_iter().flatten();
    let mut builder = Directory::builder().with_channels(notify.channels.clone());
    let mut places = Places::default();
    for (name, table) in in_order(teams) {
        let channels = channels(main.0, &table.channels, notify)?;
        builder
            .team(principal(main.0, name)?, channels)
            .map_err(|error| main.0.wrong(name.span(), error))?;
    }
    // Agents first: an agent among people is then said where it stands among them.
    for (source, tables) in parts() {
        add_agents(&mut builder, source, tables)?;
    }
    for (source, tables) in parts() {
        add_people(&mut builder, source, tables, notify)?;
        add_groups(&mut builder, source, tables, &mut places)?;
        add_roles(&mut builder, source, tables, &mut places)?;
    }
    builder.finish().map_err(|error| {
        let place = match &error {
            PeopleError::UnknownGroup { group, .. } => places.inner.get(group),
            PeopleError::Circle { groups } => groups.first().and_then(|g| places.groups.get(g)),
            PeopleError::TooMany { group } => places.groups.get(group),
            _ => None,
        };
        let (source, span) = place.cloned().unwrap_or((main.0, 0..0));
        source.wrong(span, error)
    })
}

/// No table stands in both files: nobody would see which of them holds.
fn stand_once(
    (main, tables): (&Source, &Tables),
    (other, others): (&Source, &Tables),
) -> Result<(), ConfigError> {
    let both = [
        ("people", first(&tables.people), first(&others.people)),
        ("groups", first(&tables.groups), first(&others.groups)),
        ("agents", first(&tables.agents), first(&others.agents)),
        ("roles", tables.roles.first(), others.roles.first()),
    ];
    for (name, here, there) in both {
        if let (Some(span), Some(_)) = (here, there) {
            let file = crate::files::shown(other.path());
            return Err(main.wrong(span, format!("`[{name}]` stands in `{file}` too")));
        }
    }
    Ok(())
}

fn first<T>(table: &Named<T>) -> Option<Range<usize>> {
    in_order(table).first().map(|(name, _)| name.span())
}

impl Roles {
    fn first(&self) -> Option<Range<usize>> {
        let lists = [&self.operators, &self.auditors, &self.admins];
        let spans = lists.into_iter().flatten().map(Spanned::span);
        spans.min_by_key(|span| span.start)
    }
}

/// The entries of a table in the order of the file: the first mistake is the uppermost.
fn in_order<T>(table: &Named<T>) -> Vec<(&Spanned<String>, &T)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

fn principal(source: &Source, name: &Spanned<String>) -> Result<Principal, ConfigError> {
    Principal::parse(name.get_ref()).map_err(|error| source.wrong(name.span(), error))
}

fn member(source: &Source, name: &Spanned<String>) -> Result<Member, ConfigError> {
    Member::parse(name.get_ref()).map_err(|error| source.wrong(name.span(), error))
}

fn add_agents(
    builder: &mut DirectoryBuilder,
    source: &Source,
    tables: &Tables,
) -> Result<(), ConfigError> {
    for (name, owners) in in_order(&tables.agents) {
        let wrong = |error: &dyn fmt::Display| source.wrong(owners.span(), error);
        let list = owners
            .get_ref()
            .0
            .iter()
            .map(|owner| Principal::parse(owner));
        let list = list
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| wrong(&error))?;
        let agent = principal(source, name)?;
        builder
            .agent(agent.clone(), list)
            .map_err(|error| match &error {
                PeopleError::Twice { .. } => source.wrong(name.span(), error),
                PeopleError::Mark { name: marked } if *marked == agent => {
                    source.wrong(name.span(), error)
                }
                _ => wrong(&error),
            })?;
    }
    Ok(())
}

fn add_people(
    builder: &mut DirectoryBuilder,
    source: &Source,
    tables: &Tables,
    notify: &Notify,
) -> Result<(), ConfigError> {
    for (name, table) in in_order(&tables.people) {
        let logins = || table.login.iter().chain(&table.logins);
        let person = Person {
            logins: logins().map(|login| login.get_ref().clone()).collect(),
            channels: match &table.channels {
                Some(list) => Some(channels(source, list, notify)?),
                None => None,
            },
            left: table.left,
        };
        let named = principal(source, name)?;
        builder.person(named, person).map_err(|error| {
            let place = match &error {
                PeopleError::BadLogin { login } | PeopleError::LoginTwice { login, .. } => logins()
                    .find(|one| one.get_ref() == login)
                    .map(Spanned::span),
                _ => None,
            };
            source.wrong(place.unwrap_or_else(|| name.span()), error)
        })?;
    }
    Ok(())
}

fn add_groups<'a>(
    builder: &mut DirectoryBuilder,
    source: &'a Source,
    tables: &Tables,
    places: &mut Places<'a>,
) -> Result<(), ConfigError> {
    for (name, list) in in_order(&tables.groups) {
        let group = principal(source, name)?;
        let members = members(source, list, places)?;
        let spans = list.iter().map(Spanned::span);
        let spans: Vec<_> = members.iter().cloned().zip(spans).collect();
        builder.group(group.clone(), members).map_err(|error| {
            let place = match &error {
                PeopleError::AgentAndPerson { name, .. } | PeopleError::Mark { name }
                    if *name != group =>
                {
                    let is_it = |member: &Member| match member {
                        Member::Person(one) | Member::Group(one) => one == name,
                    };
                    spans.iter().find(|(member, _)| is_it(member))
                }
                _ => None,
            };
            source.wrong(place.map_or(name.span(), |(_, span)| span.clone()), error)
        })?;
        places.groups.insert(group, (source, name.span()));
    }
    Ok(())
}

fn add_roles<'a>(
    builder: &mut DirectoryBuilder,
    source: &'a Source,
    tables: &Tables,
    places: &mut Places<'a>,
) -> Result<(), ConfigError> {
    type Add = fn(&mut DirectoryBuilder, Member) -> Result<(), PeopleError>;
    let roles: [(_, Add); 3] = [
        (&tables.roles.operators, DirectoryBuilder::operator),
        (&tables.roles.auditors, DirectoryBuilder::auditor),
        (&tables.roles.admins, DirectoryBuilder::admin),
    ];
    for (list, add) in roles {
        let list = list.as_ref().map_or(&[][..], |list| list.get_ref());
        for (member, name) in members(source, list, places)?.into_iter().zip(list) {
            add(builder, member).map_err(|error| source.wrong(name.span(), error))?;
        }
    }
    Ok(())
}

/// The members of a list; the places of groups among them are noted.
fn members<'a>(
    source: &'a Source,
    list: &[Spanned<String>],
    places: &mut Places<'a>,
) -> Result<Vec<Member>, ConfigError> {
    let mut members = Vec::with_capacity(list.len());
    for name in list {
        let member = member(source, name)?;
        if let Member::Group(group) = &member {
            let place = (source, name.span());
            places.inner.entry(group.clone()).or_insert(place);
        }
        members.push(member);
    }
    Ok(members)
}
