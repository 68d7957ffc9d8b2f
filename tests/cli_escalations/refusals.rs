//! What is refused, by its code, and what a person is told.

use super::world::{CARLA, HENRIK, SERVICE, SOFIA, World, YUSUF};

#[test]
fn an_unknown_id_and_one_that_may_be_two_are_unusable() {
    let world = World::demo();
    let (one, two) = (world.open("rg-023"), world.open("rg-015"));
    let unknown = world.json_as(CARLA, &["show", "ffffffffffff"]);
    assert!(unknown.unusable("not_found").contains("ffffffffffff"));
    world
        .json_as(CARLA, &["approve", "ffffffffffff"])
        .unusable("not_found");
    world
        .json_as(CARLA, &["show", "abc"])
        .unusable("id_too_short");
    // Both opened at one instant, so they begin alike.
    let beginning = &one[..8];
    assert!(two.starts_with(beginning));
    let message = world
        .json_as(CARLA, &["show", beginning])
        .unusable("ambiguous");
    assert!(
        message.contains(&one) && message.contains(&two),
        "{message}"
    );
}

#[test]
fn a_beginning_that_fits_one_that_ended_and_a_pending_one_is_ambiguous() {
    let world = World::demo();
    let (ended, pending) = (world.open("rg-023"), world.open("rg-015"));
    world.json_as(SERVICE, &["cancel", &ended]).fine();
    let beginning = &ended[..8];
    assert!(pending.starts_with(beginning));
    let message = world
        .json_as(CARLA, &["approve", beginning])
        .unusable("ambiguous");
    assert!(
        message.contains(&ended) && message.contains(&pending),
        "{message}"
    );
    // Ends are random; a whole id is itself.
    for id in [&ended, &pending] {
        for given in [id.as_str(), &id[24..], &id.to_uppercase()] {
            let shown = world.json_as(CARLA, &["show", given]).fine().json();
            assert_eq!(shown["id"], id.as_str());
        }
    }
    let other = format!("{}0", &ended[..31]);
    if other != ended {
        world
            .json_as(CARLA, &["show", &other])
            .unusable("not_found");
    }
}

#[test]
fn a_store_that_is_none_of_demonstrations_takes_neither_as_nor_now() {
    let world = World::without_store();
    let json = ["--format", "json"];
    let run = |args: &[&str]| world.run_with(&[args, &json].concat(), b"");
    run(&["escalations", "list"]).unusable("no_store");
    run(&["escalations", "init", "--now", &world.now]).refused("now");
    assert!(!world.path("laneway.db").exists());
    run(&["escalations", "init"]).fine();
    run(&["escalations", "init"]).unusable("store_exists");
    run(&["escalations", "list", "--as", CARLA]).refused("as");
    run(&["escalations", "list", "--now", &world.now]).refused("now");
    run(&["audit", "checkpoint", "--now", &world.now]).refused("now");
    assert_eq!(
        run(&["escalations", "list"]).fine().json()["escalations"],
        serde_json::json!([])
    );
    // Where the operator permits it, it is so, and stays named.
    let config = std::fs::read_to_string(world.path("laneway.toml")).unwrap();
    world.write(
        "laneway.toml",
        &format!("{config}\n[local]\nallow_as = true\n"),
    );
    run(&["escalations", "list", "--as", CARLA]).fine();
    run(&["escalations", "list", "--as", "b b"]).unusable("name");
}

/// A list of a store on a server that nobody reaches: nothing listens at that port.
const OF_A_SERVER: [&str; 6] = [
    "escalations",
    "list",
    "--format",
    "json",
    "--store",
    "postgres://u:a-secret@127.0.0.1:1/d",
];

#[cfg(not(feature = "postgres"))]
#[test]
fn a_store_of_a_server_names_the_feature_that_is_missing() {
    let ran = World::without_store().run_with(&OF_A_SERVER, b"");
    let message = ran.unusable("no_postgres");
    assert!(message.contains("feature `postgres`"), "{message}");
    assert!(!format!("{ran:?}").contains("a-secret"), "{ran:?}");
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_is_not_reached_is_said_without_the_secret() {
    let ran = World::without_store().run_with(&OF_A_SERVER, b"");
    ran.unusable("store");
    assert!(!format!("{ran:?}").contains("a-secret"), "{ran:?}");
}

#[test]
fn who_may_not_is_refused_with_a_reason_that_makes_sense() {
    let world = World::demo();
    let id = world.open("rg-023");
    let refused =
        |person: &str, args: &[&str], code: &str| world.json_as(person, args).refused(code);
    refused("petra@acme.example", &["approve", &id], "not_eligible");
    // The owner of the service that asks.
    refused("milan@acme.example", &["approve", &id], "involved");
    assert!(refused(CARLA, &["deny", &id], "no_reason").contains("--reason"));
    refused(
        CARLA,
        &["approve", &id, "--digest", "0123456789abcdef"],
        "changed",
    );
    refused(CARLA, &["withdraw", &id], "no_vote");
    refused(CARLA, &["cancel", &id], "not_permitted");
    refused(CARLA, &["release", &id], "not_permitted");
    refused(CARLA, &["confirm-clock"], "not_permitted");
    refused(SOFIA, &["release", &id], "nothing_kept");
    refused(SOFIA, &["revoke", &id], "no_grant");
    refused(SOFIA, &["approve", &id], "not_eligible");
    refused(
        CARLA,
        &["delegate", &id, "nobody@acme.example"],
        "not_a_delegate",
    );
    refused(
        CARLA,
        &["reassign", &id, "fraud_desk", "--lane", "wire_over_limit"],
        "no_such_lane",
    );
    // One person for a quorum of two.
    refused(SOFIA, &["reassign", &id, "payments_team"], "too_few");
    refused(
        "petra@acme.example",
        &["comment", &id, "hello"],
        "not_permitted",
    );
    world
        .json_as(SOFIA, &["reassign", &id, "no_team"])
        .unusable("no_such_team");
    world
        .json_as(SERVICE, &["consume", &id, "."])
        .unusable("no_action");
    // All of it is in the history, and none of it changed anything.
    let shown = world.json_as(CARLA, &["show", &id]).fine().json();
    assert_eq!(shown["state"], "pending");
    assert_eq!(shown["votes"], serde_json::json!([]));
    let history = shown["history"].as_array().unwrap();
    assert!(history.iter().filter(|it| it["what"] == "refused").count() > 8);
    assert_eq!(
        history.iter().filter(|it| it["what"] == "viewed").count(),
        1
    );
}

#[test]
fn several_sign_offs_want_the_lane_and_all_of_them() {
    let world = World::demo();
    let id = world.open("rg-015");
    let message = world
        .json_as(SOFIA, &["reassign", &id, "treasury"])
        .refused("which_lane");
    assert!(
        message.contains("refund_dual_control") && message.contains("--lane"),
        "{message}"
    );
    world
        .as_person("petra@acme.example", &["approve", &id])
        .fine();
    world
        .as_person("aylin@acme.example", &["approve", &id])
        .fine();
    world.as_person(CARLA, &["approve", &id]).fine();
    let shown = world.json_as(CARLA, &["show", &id]).fine().json();
    assert_eq!(shown["state"], "pending");
    world.as_person(HENRIK, &["approve", &id]).fine();
    let shown = world.json_as(CARLA, &["show", &id]).fine().json();
    assert_eq!(
        (&shown["state"], &shown["word"]),
        (&"approved".into(), &"allow".into())
    );
}

#[test]
fn one_key_is_one_request_and_other_verdicts_open_nothing() {
    let world = World::demo();
    let open = |id: &str, key: &[&str]| {
        let args = [&["open", ".", "events.ndjson", "--id", id], key].concat();
        world.json_as(SERVICE, &args)
    };
    let first = open("rg-023", &[]).fine().json();
    let again = open("rg-023", &[]).fine().json();
    assert_eq!(
        (&first["replayed"], &again["replayed"]),
        (&false.into(), &true.into())
    );
    assert_eq!(first["escalation"]["id"], again["escalation"]["id"]);
    open("rg-015", &["--key", "rg-023"]).refused("conflict");
    let allowed = open("rg-001", &[]).fine().json();
    assert_eq!(allowed["decision"]["verdict"], "allow");
    assert!(allowed.get("escalation").is_none());
    open("rg-999", &[]).unusable("no_event");
    world
        .json_as(SERVICE, &["open", ".", "events.ndjson"])
        .unusable("several_events");
    let mut event = world.event("rg-023");
    event.as_object_mut().unwrap().remove("id");
    world.write("event.json", &event.to_string());
    world
        .json_as(SERVICE, &["open", ".", "event.json"])
        .unusable("no_key");
    // One is enough to see who asked for what.
    let listed = world.json_as(CARLA, &["list", "--all"]).fine().json();
    assert_eq!(listed["escalations"].as_array().unwrap().len(), 1);
}

#[test]
fn an_amendment_starts_a_new_round_and_shows_what_it_changes() {
    let world = World::demo();
    let id = world.open("rg-023");
    world.as_person(CARLA, &["approve", &id]).fine();
    let mut event = world.event("rg-023");
    world.write("same.json", &event.to_string());
    world
        .json_as(YUSUF, &["amend", &id, "same.json"])
        .refused("same_action");
    event["amount"] = 90.into();
    world.write("less.json", &event.to_string());
    let amended = world.as_person(YUSUF, &["amend", &id, "less.json"]).fine();
    insta::assert_snapshot!("amended", world.seen(&amended, &[&id]));
    event["amount"] = 9000.into();
    world.write("more.json", &event.to_string());
    world
        .json_as(HENRIK, &["amend", &id, "more.json"])
        .refused("stricter");
    world.as_person(CARLA, &["approve", &id]).fine();
    let shown = world.json_as(CARLA, &["show", &id]).fine().json();
    assert_eq!(
        (&shown["state"], &shown["word"]),
        (&"amended".into(), &"modify".into())
    );
}

#[test]
fn an_event_that_was_not_json_is_amended_into_one() {
    let world = World::demo();
    world.write("broken.ndjson", "{\"kind\": \"refund\", \n");
    let args = ["open", ".", "broken.ndjson", "--key", "k-1"];
    let opened = world.json_as(SERVICE, &args).fine().json();
    let id = opened["escalation"]["id"].as_str().unwrap();
    assert_eq!(opened["escalation"]["readable"], false);
    let mut event = world.event("rg-023");
    event["amount"] = 90.into();
    world.write("whole.json", &event.to_string());
    let petra = "petra@acme.example";
    let amended = world.as_person(petra, &["amend", id, "whole.json"]).fine();
    assert!(amended.out.contains("+  \"amount\": 90"), "{amended:?}");
    assert!(!amended.out.contains("\n-"), "{amended:?}");
}

#[test]
fn evidence_is_added_once_and_remarks_stay() {
    let world = World::demo();
    let id = world.open("rg-026");
    world.write("answer.json", r#"{"account": "her own", "since": 2019}"#);
    world
        .as_person(CARLA, &["attach", &id, "bank", "answer.json"])
        .fine();
    world
        .json_as(CARLA, &["attach", &id, "bank", "answer.json"])
        .refused("evidence");
    world
        .json_as(CARLA, &["attach", &id, "trigger", "answer.json"])
        .refused("evidence");
    world
        .json_as(CARLA, &["attach", &id, "x", "no-such-file"])
        .unusable("file");
    world
        .as_person(CARLA, &["comment", &id, "the bank \u{1b}[31m answered"])
        .fine();
    let shown = world.as_person(CARLA, &["show", &id]).fine();
    assert!(
        shown
            .out
            .contains(r#"bank {"account":"her own","since":2019}"#),
        "{shown:?}"
    );
    assert!(
        shown.out.contains("said: the bank \\u{1b}[31m answered"),
        "{shown:?}"
    );
    world
        .as_person(CARLA, &["delegate", &id, "petra@acme.example"])
        .fine();
    world
        .as_person("petra@acme.example", &["approve", &id])
        .fine();
    world.json_as(CARLA, &["approve", &id]).fine();
    // Who delegated and the delegate count once.
    let shown = world.json_as(CARLA, &["show", &id]).fine().json();
    assert_eq!(shown["state"], "pending");
}
