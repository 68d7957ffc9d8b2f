//! The whole way of one escalation: asked, answered by two, used once, and found changed afterwards.

use super::world::{CARLA, HENRIK, SERVICE, World, YUSUF};

#[test]
fn an_escalation_is_asked_answered_by_two_and_used_once() {
    let mut world = World::demo();
    let open = ["open", ".", "events.ndjson", "--id", "rg-023"];
    let opened = world.as_person(SERVICE, &open).fine();
    let listed = world.json_as(CARLA, &["list", "--mine"]).fine().json();
    let id = listed["escalations"][0]["id"].as_str().unwrap().to_owned();
    let seen = |world: &World, ran| world.seen(&ran, &[&id]);
    insta::assert_snapshot!("opened", seen(&world, opened));
    insta::assert_snapshot!("listed", seen(&world, world.as_person(CARLA, &["list"])));

    world.now = "2026-11-19T11:05:00+01:00".to_owned();
    let approve = ["approve", &id, "--reason", "I called the customer"];
    insta::assert_snapshot!("one_of_two", seen(&world, world.as_person(CARLA, &approve)));
    let refused = world.json_as(SERVICE, &["approve", &id]);
    assert!(refused.refused("involved").contains("may only cancel"));
    // Not used before it is approved.
    world.write("event.json", &world.event("rg-023").to_string());
    let consume = ["consume", &id, ".", "--event", "event.json", "--key", "k1"];
    world.json_as(SERVICE, &consume).refused("no_grant");
    insta::assert_snapshot!(
        "pending",
        seen(&world, world.as_person(HENRIK, &["show", &id]))
    );

    world.now = "2026-11-19T11:20:00+01:00".to_owned();
    // The end of an id is enough.
    let end = &id[id.len() - 8..];
    insta::assert_snapshot!(
        "two_of_two",
        seen(&world, world.as_person(YUSUF, &["approve", end]))
    );
    let late = world.json_as(HENRIK, &["deny", &id, "--reason", "no"]);
    assert!(late.refused("ended").starts_with("it has ended: approved"));

    let mut changed = world.event("rg-023");
    changed["amount"] = 150.into();
    world.write("changed.json", &changed.to_string());
    let other = ["consume", &id, ".", "--event", "changed.json"];
    let refused = world.json_as(SERVICE, &other).refused("other_action");
    assert!(refused.contains("the permission stays"), "{refused}");
    insta::assert_snapshot!("used", seen(&world, world.as_person(SERVICE, &consume)));
    // The same call again is the same answer, and another one is refused.
    let again = world.json_as(SERVICE, &consume).fine().json();
    assert_eq!(again["replayed"], true);
    let second = ["consume", &id, ".", "--event", "event.json"];
    world.json_as(SERVICE, &second).refused("consumed");
    insta::assert_snapshot!(
        "ended",
        seen(&world, world.as_person(CARLA, &["show", &id]))
    );
    world.run(&["audit", "verify"]).fine();
}
