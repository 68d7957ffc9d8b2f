//! What time does: steps, ends, notices, and a clock that is not to be believed.

use super::world::{CARLA, SERVICE, World};

#[test]
fn nobody_answers_so_the_backup_is_asked_and_then_it_is_denied() {
    let mut world = World::demo();
    let id = world.open("rg-023");
    let watch = |world: &World| world.run(&["escalations", "watch", "--once", "--format", "json"]);
    let sent = watch(&world).fine();
    assert_eq!(sent.err.matches("escalation.opened").count(), 3, "{sent:?}");
    assert_eq!(watch(&world).fine().err.matches("escalation").count(), 0);
    // Eight hours of the days of the bank are over on Friday at 10:50.
    world.now = "2026-11-20T10:51:00+01:00".to_owned();
    let stepped = watch(&world).fine();
    assert!(stepped.out.contains("\"what\":\"stepped\""), "{stepped:?}");
    assert!(stepped.err.contains("cfo@acme.example"), "{stepped:?}");
    world.now = "2026-11-24T16:00:00+01:00".to_owned();
    let ended = world.run(&["escalations", "watch", "--once"]).fine();
    assert!(ended.out.contains("timed out and denied"), "{ended:?}");
    assert!(ended.err.contains("escalation.resolved"), "{ended:?}");
    let late = world.json_as(CARLA, &["approve", &id]).refused("ended");
    assert!(late.contains("timed out"), "{late}");
    let shown = world.as_person(CARLA, &["show", &id]).fine();
    insta::assert_snapshot!("timed_out", world.seen(&shown, &[&id]));
}

#[test]
fn a_vote_behind_the_end_is_late_though_nobody_watched() {
    let mut world = World::demo();
    let id = world.open("rg-023");
    // One step is performed, and its lateness gives those whom it asks their time.
    world.now = "2026-12-18T11:00:00+01:00".to_owned();
    world.json_as(CARLA, &["approve", &id]).fine();
    // Nothing moves behind the cap of 30 days.
    world.now = "2026-12-19T10:50:00+01:00".to_owned();
    world
        .json_as("yusuf@acme.example", &["approve", &id])
        .refused("ended");
    let shown = world.json_as(CARLA, &["show", &id]).fine().json();
    assert_eq!(
        (&shown["state"], &shown["word"]),
        (&"timed_out".into(), &"block".into())
    );
    assert_eq!(shown["late_votes"], 1);
}

#[test]
fn what_silence_alone_approved_says_so_everywhere() {
    let mut world = World::demo();
    let matrix = std::fs::read_to_string(world.path("matrix.lane")).unwrap();
    let silent = r#"
event note {
  text: text
}

lane notes {
  on note
  when text is present
  owner payments_team
  urgency low
  respond within 1h
  meanwhile block item
  operator "Read it."
  reversible "a note is taken down again"
  evidence {
    required input, action, trigger
  }
  timeout {
    after 1h notify backup
    after 2h allow because "a note hurts nobody"
  }
}
"#;
    world.write("matrix.lane", &format!("{matrix}{silent}"));
    world.write(
        "note.json",
        r#"{"kind": "note", "id": "n-1", "text": "hello"}"#,
    );
    let opened = world
        .json_as(SERVICE, &["open", ".", "note.json"])
        .fine()
        .json();
    let id = opened["escalation"]["id"].as_str().unwrap();
    for now in ["2026-11-19T11:51:00+01:00", "2026-11-19T12:51:00+01:00"] {
        world.now = now.to_owned();
        world.run(&["escalations", "watch", "--once"]).fine();
    }
    let shown = world.as_person(CARLA, &["show", id]).fine();
    assert_eq!(
        shown.out.to_lowercase().matches("by silence").count(),
        6,
        "{shown:?}"
    );
    let listed = world.as_person(CARLA, &["list", "--all"]).fine();
    assert!(listed.out.contains("approved by silence"), "{listed:?}");
    let json = world.json_as(CARLA, &["show", id]).fine().json();
    assert_eq!(json["resolution"]["by_silence"], true);
    assert_eq!(json["sign_offs"][0]["state"], "auto_allowed");
}

#[test]
fn time_does_not_go_back_and_a_clock_that_jumped_is_said() {
    let mut world = World::demo();
    let id = world.open("rg-023");
    world.now = "2026-11-19T09:00:00+01:00".to_owned();
    let back = world.as_person(SERVICE, &["show", &id]).fine();
    assert!(back.err.contains("time does not go back"), "{back:?}");
    // The real clock is far from the instant that stood still.
    let real = world.run_with(&["escalations", "list"], b"").fine();
    assert!(
        real.err.contains("clock is suspect") && real.err.contains("confirm-clock"),
        "{real:?}"
    );
    let confirm = ["escalations", "confirm-clock", "--as", "sofia@acme.example"];
    world.run_with(&confirm, b"").fine();
}

/// Who named a group without members finds that nobody can answer, before it happens.
#[test]
fn a_simulation_fills_no_group_that_is_named() {
    let world = World::without_store();
    let config = std::fs::read_to_string(world.path("laneway.toml")).unwrap();
    let line = config
        .lines()
        .find(|line| line.starts_with("fraud = "))
        .unwrap();
    let args = [
        "simulate",
        ".",
        "events.ndjson",
        "--id",
        "rg-023",
        "--silence",
        "--format",
        "json",
    ];
    let stand_ins = |with: &str| {
        world.write("laneway.toml", &config.replace(line, with));
        let simulated = world.run_with(&args, b"").fine().json();
        simulated["stand_ins"].clone()
    };
    assert_eq!(stand_ins(line), serde_json::Value::Null);
    assert_eq!(stand_ins(""), serde_json::json!(["fraud"]));
    assert_eq!(stand_ins("fraud = []"), serde_json::Value::Null);
}
