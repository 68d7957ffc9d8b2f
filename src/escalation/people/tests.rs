//! The rules of a directory.

use super::*;
use proptest::prelude::*;

fn name(text: &str) -> Principal {
    Principal::parse(text).unwrap()
}

fn names<'a>(list: impl IntoIterator<Item = &'a Principal>) -> Vec<&'a str> {
    list.into_iter().map(Principal::as_str).collect()
}

fn members(list: &[&str]) -> Vec<Member> {
    list.iter()
        .map(|text| Member::parse(text).unwrap())
        .collect()
}

fn left() -> Person {
    Person {
        left: true,
        ..Person::default()
    }
}

fn with_login(login: &str) -> Person {
    Person {
        logins: vec![login.to_owned()],
        ..Person::default()
    }
}

fn with_channels(channels: &[&str]) -> Person {
    let channels = channels.iter().map(|text| Channel::parse(text).unwrap());
    Person {
        channels: Some(channels.collect()),
        ..Person::default()
    }
}

/// The groups of a list, each with its members.
fn groups(list: &[(&str, &[&str])]) -> DirectoryBuilder {
    let mut builder = Directory::builder();
    for (group, list) in list {
        builder.group(name(group), members(list)).unwrap();
    }
    builder
}

#[test]
fn the_default_knows_nobody() {
    let directory = Directory::default();
    let maria = name("maria");
    assert!(!directory.knows(&maria) && !directory.has_left(&maria));
    assert!(!directory.is_reachable(&maria) && directory.channels(&maria).is_empty());
    assert!(!directory.is_operator(&maria) && !directory.is_auditor(&maria));
    assert_eq!(directory.members("payments").count(), 0);
    assert_eq!(directory.owner_of(&maria), None);
    assert_eq!(directory.person_of_login("maria"), None);
    assert_eq!(Directory::builder().finish().unwrap(), directory);
}

#[test]
fn groups_have_the_members_of_the_groups_in_them() {
    let directory = groups(&[
        ("all", &["@payments", "zoe", "@night"]),
        ("payments", &["maria", "jon", "@night"]),
        ("night", &["ann", "Jon", "ＪＯＮ"]),
        ("empty", &[]),
    ]);
    let directory = directory.finish().unwrap();
    assert_eq!(names(directory.members("night")), ["ann", "jon"]);
    assert_eq!(
        names(directory.members("payments")),
        ["ann", "jon", "maria"]
    );
    assert_eq!(
        names(directory.members("all")),
        ["ann", "jon", "maria", "zoe"]
    );
    assert_eq!(directory.members("empty").count(), 0);
    assert_eq!(
        names(directory.groups()),
        ["all", "empty", "night", "payments"]
    );
    assert_eq!(names(directory.people()), ["ann", "jon", "maria", "zoe"]);
}

#[test]
fn a_group_is_asked_for_in_any_spelling() {
    let directory = groups(&[("Payments", &["maria"])]).finish().unwrap();
    for spelling in ["payments", " PAYMENTS", "ｐａｙｍｅｎｔｓ"] {
        assert!(directory.is_member(spelling, &name("Maria")), "{spelling}");
    }
    for none in ["payment", "@payments", "", "pay ments", "pаyments"] {
        assert!(!directory.is_member(none, &name("maria")), "{none}");
        assert_eq!(directory.members(none).count(), 0);
    }
    assert!(!directory.is_member("payments", &name("jon")));
}

#[test]
fn a_person_who_left_is_in_nothing_and_stays_known() {
    let mut builder = groups(&[("payments", &["maria", "jon"]), ("all", &["@payments"])])
        .with_channels(vec![ChannelKind::Log.into()]);
    let maria = Person {
        channels: Some(vec![ChannelKind::Log.into()]),
        logins: vec!["maria".to_owned()],
        left: true,
    };
    builder.person(name("maria"), maria).unwrap();
    builder.operator(Member::Person(name("maria"))).unwrap();
    builder.auditor(Member::Group(name("payments"))).unwrap();
    builder.agent(name("bot"), vec![name("maria")]).unwrap();
    let directory = builder.finish().unwrap();
    let maria = name("maria");
    assert!(directory.has_left(&maria) && directory.knows(&maria));
    assert!(!directory.is_member("payments", &maria) && !directory.is_member("all", &maria));
    assert!(!directory.is_reachable(&maria) && directory.channels(&maria).is_empty());
    assert!(!directory.is_operator(&maria) && !directory.is_auditor(&maria));
    assert!(directory.is_auditor(&name("jon")));
    // Who they are, and what they may not approve, does not change when they leave.
    assert_eq!(directory.person_of_login("maria"), Some(&maria));
    assert!(directory.owns(&maria, &name("bot")));
}

#[test]
fn channels_are_ones_own_or_those_for_everybody() {
    let mut builder = Directory::builder().with_channels(vec![ChannelKind::Log.into()]);
    builder
        .person(name("own"), with_channels(&["file:own"]))
        .unwrap();
    builder.person(name("none"), with_channels(&[])).unwrap();
    builder.person(name("plain"), Person::default()).unwrap();
    builder.agent(name("bot"), vec![name("own")]).unwrap();
    let directory = builder.finish().unwrap();
    let channels = |person: &str| -> Vec<String> {
        let channels = directory.channels(&name(person)).iter();
        channels.map(ToString::to_string).collect()
    };
    assert_eq!(channels("own"), ["file:own"]);
    assert_eq!(channels("plain"), ["log"]);
    assert_eq!(channels("only-in-a-matrix"), ["log"]);
    assert!(channels("none").is_empty() && !directory.is_reachable(&name("none")));
    assert!(channels("bot").is_empty() && !directory.is_reachable(&name("bot")));
}

#[test]
fn an_agent_may_have_several_owners_and_a_person_several_agents() {
    let mut builder = Directory::builder();
    builder
        .agent(name("refund-bot"), vec![name("zoe"), name("ann")])
        .unwrap();
    builder.agent(name("mail-bot"), vec![name("ann")]).unwrap();
    let directory = builder.finish().unwrap();
    let bot = name("refund-bot");
    assert_eq!(directory.owner_of(&bot), Some(&name("zoe")));
    assert_eq!(names(directory.owners_of(&bot)), ["zoe", "ann"]);
    assert!(directory.owns(&name("ann"), &bot) && directory.owns(&name("zoe"), &bot));
    assert!(!directory.owns(&name("jon"), &bot) && !directory.owns(&bot, &bot));
    assert_eq!(
        names(directory.agents_of(&name("ann"))),
        ["mail-bot", "refund-bot"]
    );
    assert_eq!(names(directory.agents()), ["mail-bot", "refund-bot"]);
    assert!(directory.is_agent(&bot) && !directory.knows(&bot));
    assert_eq!(names(directory.people()), ["ann", "zoe"]);
}

#[test]
fn an_agent_is_never_a_person() {
    let message =
        "`bot` is an agent of `ann`, and an agent is no person who answers, owns or has a role";
    let refused =
        |result: Result<(), PeopleError>| assert_eq!(result.unwrap_err().to_string(), message);
    let mut builder = Directory::builder();
    builder.agent(name("bot"), vec![name("ann")]).unwrap();
    refused(builder.person(name("Bot"), Person::default()));
    refused(builder.group(name("payments"), members(&["jon", "bot"])));
    refused(builder.operator(Member::Person(name("bot"))));
    refused(builder.auditor(Member::Person(name("bot"))));
    refused(builder.agent(name("other"), vec![name("ann"), name("bot")]));
    let mut builder = Directory::builder();
    builder.group(name("payments"), members(&["bot"])).unwrap();
    refused(builder.agent(name("bot"), vec![name("ann")]));
    let own = Directory::builder().agent(name("bot"), vec![name("bot")]);
    assert!(matches!(own, Err(PeopleError::AgentAndPerson { .. })));
    // A group may have the name of an agent: the two are never taken for each other.
    let mut builder = groups(&[("bot", &["ann"])]);
    builder.agent(name("bot"), vec![name("ann")]).unwrap();
    builder.finish().unwrap();
}

#[test]
fn one_name_stands_once() {
    let message = |result: Result<(), PeopleError>| result.unwrap_err().to_string();
    let twice = "`ann` is there twice, names are compared without regard to case and width";
    let mut builder = Directory::builder();
    builder.person(name("ann"), Person::default()).unwrap();
    assert_eq!(message(builder.person(name("Ann "), left())), twice);
    builder.group(name("ann"), Vec::new()).unwrap();
    assert_eq!(message(builder.group(name("ANN"), Vec::new())), twice);
    let mut builder = Directory::builder();
    builder.agent(name("ann"), vec![name("zoe")]).unwrap();
    assert_eq!(
        message(builder.agent(name("ａnn"), vec![name("zoe")])),
        twice
    );
    assert_eq!(
        message(builder.agent(name("bot"), Vec::new())),
        "the agent `bot` has no owner"
    );
    let mark = "`@ann` begins with `@`, which stands only before a group in a list of members";
    assert_eq!(
        message(builder.person(name("@ann"), Person::default())),
        mark
    );
    assert_eq!(message(builder.group(name("@ann"), Vec::new())), mark);
    assert_eq!(
        message(builder.agent(name("@ann"), vec![name("zoe")])),
        mark
    );
    assert_eq!(message(builder.agent(name("x"), vec![name("@ann")])), mark);
    assert_eq!(message(builder.group(name("x"), members(&["@@ann"]))), mark);
}

#[test]
fn a_login_is_that_of_one_person() {
    let mut builder = Directory::builder();
    builder
        .person(name("maria@acme"), with_login("Maria"))
        .unwrap();
    builder
        .person(name("other@acme"), with_login("maria"))
        .unwrap();
    let error = builder
        .person(name("jon@acme"), with_login("maria"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the login `maria` is that of `other@acme` and of `jon@acme`"
    );
    let two = Person {
        logins: vec!["z".to_owned(), "y".to_owned(), "z".to_owned()],
        ..Person::default()
    };
    builder.person(name("zoe@acme"), two).unwrap();
    let directory = builder.finish().unwrap();
    // Systems tell users apart by case.
    assert_eq!(
        directory.person_of_login("Maria"),
        Some(&name("maria@acme"))
    );
    assert_eq!(
        directory.person_of_login("maria"),
        Some(&name("other@acme"))
    );
    assert_eq!(
        directory.person_of_login("y"),
        directory.person_of_login("z")
    );
    assert_eq!(directory.person_of_login("MARIA"), None);
    assert_eq!(directory.person_of_login("maria@acme"), None);
}

#[test]
fn a_login_has_its_bounds() {
    use crate::limits::LOGIN_BYTES;
    let edge = "x".repeat(LOGIN_BYTES);
    let add = |login: &str| Directory::builder().person(name("a"), with_login(login));
    add(&edge).unwrap();
    for login in ["", " ", "a\u{7}", &format!("{edge}x")] {
        let error = add(login).unwrap_err().to_string();
        let end = "is no login: it has 1 to 254 bytes and no control characters";
        assert!(error.ends_with(end), "{error}");
    }
}

#[test]
fn a_group_that_is_not_there_is_named() {
    let error = groups(&[("payments", &["@payments-nigth"]), ("payments-night", &[])]).finish();
    assert_eq!(
        error.unwrap_err().to_string(),
        "there is no group `payments-nigth`; did you mean `payments-night`?"
    );
    let mut builder = Directory::builder();
    builder.operator(Member::parse("@ops").unwrap()).unwrap();
    let error = builder.finish().unwrap_err();
    assert_eq!(error.to_string(), "there is no group `ops`");
}

#[test]
fn groups_in_each_other_are_refused() {
    let message = |list: &[(&str, &[&str])]| groups(list).finish().unwrap_err().to_string();
    assert_eq!(
        message(&[("a", &["x", "@a"])]),
        "a group is in itself: `a` has `a`"
    );
    assert_eq!(
        message(&[
            ("a", &["@done", "@b"]),
            ("b", &["@done", "@d"]),
            ("c", &["@b"]),
            ("d", &["@c"]),
            ("done", &["x"]),
        ]),
        "a group is in itself: `b` has `d` has `c` has `b`"
    );
    // One group in two others, which are in one, is no circle.
    groups(&[
        ("a", &["@b", "@c"]),
        ("b", &["@d"]),
        ("c", &["@d", "@d"]),
        ("d", &["x"]),
    ])
    .finish()
    .unwrap();
}

#[test]
fn a_long_chain_of_groups_needs_no_stack() {
    let mut builder = Directory::builder();
    for n in 0..50_000 {
        let next = Member::Group(name(&format!("g{}", n + 1)));
        builder.group(name(&format!("g{n}")), vec![next]).unwrap();
    }
    builder.group(name("g50000"), members(&["x"])).unwrap();
    let directory = builder.finish().unwrap();
    assert_eq!(names(directory.members("g0")), ["x"]);
}

#[test]
fn all_groups_together_have_a_bound() {
    use crate::limits::MEMBERSHIPS;
    let filled = |outer: usize| {
        let mut builder = Directory::builder();
        let people = (0..1_000).map(|n| Member::Person(name(&format!("p{n}"))));
        builder.group(name("all"), people.collect()).unwrap();
        for n in 0..outer {
            builder
                .group(name(&format!("o{n}")), members(&["@all"]))
                .unwrap();
        }
        builder
    };
    let fits = MEMBERSHIPS / 1_000 - 1;
    filled(fits).finish().unwrap();
    let over = filled(fits + 1).finish().unwrap_err().to_string();
    assert!(
        over.ends_with("have more than 1000000 members together"),
        "{over}"
    );
    let mut roles = filled(fits);
    roles.operator(Member::parse("@all").unwrap()).unwrap();
    let over = roles.finish().unwrap_err().to_string();
    assert!(
        over.starts_with("the groups up to `all` have more"),
        "{over}"
    );
}

/// All people that a group leads to, by walking: slow and obvious.
fn walked(
    list: &[Vec<Member>],
    from: usize,
    seen: &mut BTreeSet<usize>,
    out: &mut BTreeSet<Principal>,
) {
    if !seen.insert(from) {
        return;
    }
    for member in &list[from] {
        match member {
            Member::Person(person) => drop(out.insert(person.clone())),
            Member::Group(group) => walked(list, group[1..].parse().unwrap(), seen, out),
        }
    }
}

/// Whether a group leads back to itself.
fn is_in_itself(list: &[Vec<Member>], group: usize) -> bool {
    let inner = list[group].iter().filter_map(|member| match member {
        Member::Group(inner) => inner[1..].parse().ok(),
        Member::Person(_) => None,
    });
    inner.collect::<Vec<usize>>().into_iter().any(|inner| {
        let mut seen = BTreeSet::new();
        walked(list, inner, &mut seen, &mut BTreeSet::new());
        seen.contains(&group)
    })
}

proptest! {
    #[test]
    fn members_are_those_that_a_walk_finds(
        list in proptest::collection::vec(proptest::collection::vec((0..8usize, any::<bool>()), 0..4), 8),
        gone in 0..8usize,
    ) {
        let list: Vec<Vec<Member>> = list.into_iter().map(|members| {
            members.into_iter().map(|(n, is_group)| match is_group {
                true => Member::Group(name(&format!("g{n}"))),
                false => Member::Person(name(&format!("p{n}"))),
            }).collect()
        }).collect();
        let mut builder = Directory::builder();
        for (n, members) in list.iter().enumerate() {
            builder.group(name(&format!("g{n}")), members.clone()).unwrap();
        }
        builder.person(name(&format!("p{gone}")), left()).unwrap();
        let circle = (0..8).any(|group| is_in_itself(&list, group));
        match builder.finish() {
            Err(PeopleError::Circle { groups }) => {
                prop_assert!(circle);
                for (n, group) in groups.iter().enumerate() {
                    let next = &groups[(n + 1) % groups.len()];
                    let at: usize = group[1..].parse().unwrap();
                    prop_assert!(list[at].contains(&Member::Group(next.clone())));
                }
            }
            Err(error) => prop_assert!(false, "{error}"),
            Ok(directory) => {
                prop_assert!(!circle);
                for n in 0..8 {
                    let mut expected = BTreeSet::new();
                    walked(&list, n, &mut BTreeSet::new(), &mut expected);
                    expected.remove(&name(&format!("p{gone}")));
                    let group = format!("g{n}");
                    prop_assert!(directory.members(&group).eq(expected.iter()));
                    for person in directory.people() {
                        prop_assert_eq!(directory.is_member(&group, person), expected.contains(person));
                    }
                }
            }
        }
    }
}

#[test]
fn a_group_that_is_known_is_given_no_stand_ins() {
    let mut builder = Directory::builder();
    builder.group(name("Empty"), Vec::new()).unwrap();
    let mut directory = builder.finish().unwrap();
    assert!(!directory.stand_in("empty", 2));
    assert_eq!(directory.members("empty").count(), 0);
    assert!(directory.stand_in("unknown", 2));
    assert_eq!(directory.members("unknown").count(), 2);
    assert!(!directory.stand_in("unknown", 2));
}
