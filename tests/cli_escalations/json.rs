//! The JSON forms: keys that programs rely on.

use super::world::{CARLA, SERVICE, World, YUSUF};

/// The names of an object's members.
fn keys(value: &serde_json::Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn the_keys_of_an_escalation_stay() {
    let world = World::demo();
    let id = world.open("rg-023");
    world.as_person(CARLA, &["approve", &id]).fine();
    let listed = world.json_as(CARLA, &["list"]).fine().json();
    let one = &listed["escalations"][0];
    let expected = "id state lane urgency teams requester opened respond_by due by_silence joined \
         late_votes undelivered erased";
    assert_eq!(keys(one), expected.split_whitespace().collect::<Vec<_>>());
    let answered = world.json_as(YUSUF, &["approve", &id]).fine().json();
    assert_eq!(keys(&answered), ["reply", "escalation"]);
    let shown = world.json_as(YUSUF, &["show", &id]).fine().json();
    let expected = "id state word lane urgency requester key opened due round digest matrix readable \
         asks meanwhile sign_offs votes resolution grant joined late_votes undelivered packet \
         history";
    assert_eq!(
        keys(&shown),
        expected.split_whitespace().collect::<Vec<_>>()
    );
    let sign_off = &shown["sign_offs"][0];
    let expected = "lane unsure state team quorum agreed urgency respond_by deadline decided asked \
         steps";
    assert_eq!(
        keys(sign_off),
        expected.split_whitespace().collect::<Vec<_>>()
    );
    assert_eq!(
        keys(&shown["resolution"]),
        ["outcome", "at", "cause", "by", "by_silence"]
    );
    assert_eq!(keys(&shown["grant"]), ["state", "digest", "lapses"]);
    let vote = &shown["votes"][0];
    assert_eq!(
        keys(vote),
        ["round", "person", "vote", "at", "digest", "operator"]
    );
    assert_eq!(keys(&shown["history"][0]), ["n", "at", "what", "body"]);
}

#[test]
fn pages_follow_each_other_and_filters_hold() {
    let world = World::demo();
    let opened: Vec<String> = ["rg-023", "rg-015", "rg-026", "rg-007"]
        .iter()
        .map(|event| world.open(event))
        .collect();
    let ids = |args: &[&str]| -> (Vec<String>, Option<String>) {
        let json = world
            .json_as(CARLA, &[&["list"], args].concat())
            .fine()
            .json();
        let list = json["escalations"].as_array().unwrap().iter();
        let ids = list
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect();
        (ids, json["next"].as_str().map(str::to_owned))
    };
    for order in [&[][..], &["--all"][..]] {
        let (all, next) = ids(order);
        assert_eq!((all.len(), next), (4, None));
        let (mut paged, next) = ids(&[order, &["--limit", "3"]].concat());
        let next = next.unwrap();
        let (rest, end) = ids(&[order, &["--limit", "3", "--after", &next]].concat());
        assert_eq!(end, None);
        paged.extend(rest);
        assert_eq!(paged, all);
    }
    assert_eq!(ids(&["--lane", "refund_over_limit"]).0, [opened[3].clone()]);
    assert_eq!(ids(&["--mine"]).0.len(), 3);
    // Whether the account is new is not known for one, so that the desk is asked about it too.
    let fraud = ids(&["--team", "fraud_desk"]).0;
    assert!(fraud.len() == 2 && fraud.contains(&opened[1]) && fraud.contains(&opened[2]));
    assert_eq!(ids(&["--urgency", "normal"]).0, [opened[3].clone()]);
    assert_eq!(ids(&["--since", "2026-11-19T12:00:00Z"]).0.len(), 0);
    assert_eq!(ids(&["--since", "1h"]).0.len(), 4);
    world.json_as(SERVICE, &["cancel", &opened[0]]).fine();
    assert_eq!(ids(&["--state", "cancelled"]).0, [opened[0].clone()]);
    assert_eq!(ids(&["--state", "approved"]).0.len(), 0);
    assert_eq!(ids(&[]).0.len(), 3);
    assert_eq!(ids(&["--all"]).0.len(), 4);
}

#[test]
fn each_json_form_is_one_document() {
    let world = World::demo();
    let id = world.open("rg-023");
    for args in [
        &["comment", &id, "hello"][..],
        &["withdraw", &id],
        &["cancel", &id],
        &["confirm-clock"],
    ] {
        let person = if args[0] == "confirm-clock" {
            "sofia@acme.example"
        } else {
            SERVICE
        };
        world.json_as(person, args).json();
    }
    let watched = world
        .run(&["escalations", "watch", "--once", "--format", "json"])
        .fine();
    for line in watched.out.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(keys(&line), ["at", "escalation", "what", "body"]);
    }
}

#[test]
fn lines_are_folded_to_the_screen_and_keep_their_indent() {
    let world = World::demo();
    let id = world.open("rg-023");
    let show = ["escalations", "show", &id, "--now", &world.now];
    let shown = world.on_screen("80", &show, b"").fine();
    let longest = shown.out.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(80), "{shown:?}");
    let indented = |text: &str| shown.out.contains(&format!("\n             {text}"));
    assert!(indented("✓ method is other_account"), "{shown:?}");
    assert!(indented("- cfo@acme.example"), "{shown:?}");
}
