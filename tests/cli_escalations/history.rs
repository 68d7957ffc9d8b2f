//! The history of a subject in an evidence packet, from the decision log.

use std::fs;

use super::world::{CARLA, Ran, SERVICE, World};

const TABLE: &str = "\n[decisions]\nlog = \"log\"\n";

/// A world whose lanes ask for three earlier decisions on the customer, with other words in its
/// laneway.toml.
fn world(table: &str) -> World {
    let world = World::demo();
    let matrix = fs::read_to_string(world.path("matrix.lane")).unwrap();
    let old = "lane refund_over_limit {\n";
    assert!(matrix.contains(old));
    let matrix = matrix.replace(old, "lane refund_over_limit {\n  group by customer\n");
    let matrix = matrix.replacen("history last 10", "history last 3", 1);
    world.write("matrix.lane", &matrix);
    let config = fs::read_to_string(world.path("laneway.toml")).unwrap();
    world.write("laneway.toml", &(config + table));
    world
}

fn refund(id: &str, customer: &str, amount: u32) -> String {
    format!(
        r#"{{"kind":"refund","id":"{id}","customerId":"{customer}","reason":"late","amount":{amount},"order":{{"id":"o-1","total":900}},"method":"original","account":{{"openedAt":"2024-05-02T10:00:00+02:00"}}}}"#
    )
}

/// Asks for a refund, so many minutes after the hour.
fn ask(world: &mut World, minute: u32, event: &str) -> Ran {
    world.now = format!("2026-11-19T10:{minute:02}:00+01:00");
    world.write("event.json", event);
    world.json_as(SERVICE, &["open", ".", "event.json"])
}

/// The packet of an escalation that was opened.
fn packet(world: &World, opened: &Ran) -> (String, serde_json::Value) {
    let id = opened.json()["escalation"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = world.json_as(CARLA, &["show", &id]).fine().json();
    (id, shown["packet"].clone())
}

fn seen(packet: &serde_json::Value) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let history = packet["history"].as_array().into_iter().flatten();
    history
        .map(|entry| (text(&entry["event"]), text(&entry["verdict"])))
        .collect()
}

#[test]
fn the_fourth_decision_on_a_customer_shows_the_three_before_it() {
    let mut world = world(&format!("redact = [\"order.id\"]\n{TABLE}"));
    for (minute, id, customer) in [
        (51, "a", "c-7"),
        (52, "x", "c-8"),
        (53, "b", "c-7"),
        (54, "c", "c-7"),
    ] {
        let asked = ask(&mut world, minute, &refund(id, customer, 20))
            .fine()
            .json();
        assert_eq!(asked["decision"]["verdict"], "allow");
        assert_eq!(asked["not_logged"], serde_json::Value::Null);
    }
    let opened = ask(&mut world, 55, &refund("d", "c-7", 300)).fine();
    let (id, first) = packet(&world, &opened);
    let allowed = |id: &str| (id.to_owned(), "allow".to_owned());
    assert_eq!(seen(&first), [allowed("c"), allowed("b"), allowed("a")]);
    assert_eq!(first["missing"], serde_json::json!(["input"]));
    // The next one shows this one, and no more than it asks for. It joins it, so that it is looked up
    // when that has ended.
    world.json_as(SERVICE, &["cancel", &id]).fine();
    let opened = ask(&mut world, 56, &refund("e", "c-7", 301)).fine();
    let (next, second) = packet(&world, &opened);
    let escalated = ("d".to_owned(), "escalate".to_owned());
    assert_eq!(seen(&second), [escalated, allowed("c"), allowed("b")]);
    let text = world.as_person(CARLA, &["show", &next]).fine().out;
    let line = "earlier 2026-11-19 10:55 CET d escalate by refund_over_limit";
    assert!(text.contains(line), "{text}");
    // The same request again is no further decision.
    let again = ask(&mut world, 57, &refund("e", "c-7", 301)).fine();
    assert_eq!(again.json()["replayed"], true);
    let log = log(&world);
    assert_eq!(log.lines().count(), 6);
    assert!(!log.contains("o-1") && log.contains("c-7"), "{log}");
    assert!(!text.contains("o-1"), "{text}");
    assert!(log.contains(&format!("\"escalation\":\"{id}\"")));
    // A replay knows what an open does not: the events before. Nothing here counts them.
    let replayed = world
        .run(&["replay", ".", "log", "--format", "json"])
        .fine()
        .json();
    assert_eq!(replayed["log"]["decisions"], 6);
}

fn log(world: &World) -> String {
    let files = fs::read_dir(world.path("log")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "ndjson"));
    files
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

#[test]
fn what_decide_logs_is_history_too() {
    let mut world = world(TABLE);
    let at = |minute: u32| format!("\"at\":\"2026-11-19T10:{minute:02}:00+01:00\",\"kind\"");
    let dated = |minute, id| refund(id, "c-7", 20).replace("\"kind\"", &at(minute));
    world.write(
        "some.ndjson",
        &format!("{}\n{}\n", dated(3, "a"), dated(4, "b")),
    );
    world.run(&["decide", ".", "some.ndjson"]).fine();
    let opened = ask(&mut world, 55, &refund("d", "c-7", 300)).fine();
    let ids: Vec<String> = seen(&packet(&world, &opened).1)
        .into_iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(ids, ["b", "a"]);
}

#[test]
fn a_history_that_is_not_known_is_named_with_the_reason() {
    let required = |world: &World| {
        let matrix = fs::read_to_string(world.path("matrix.lane")).unwrap();
        let matrix = matrix.replacen(
            "required input, action, trigger\n    optional context, history last 3,",
            "required input, action, trigger, history last 3\n    optional context,",
            1,
        );
        assert!(matrix.contains("required input, action, trigger, history last 3"));
        world.write("matrix.lane", &matrix);
    };
    let mut world = world("");
    required(&world);
    let opened = ask(&mut world, 55, &refund("d", "c-7", 300)).fine();
    let (id, packet) = packet(&world, &opened);
    assert_eq!(
        packet["missing"],
        serde_json::json!(["input", "history last 3"])
    );
    let text = world.as_person(CARLA, &["show", &id]).fine().out;
    let says = "the history is missing: laneway.toml has no `[decisions]`, so that none are logged";
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(says), "{text}");
}

#[test]
fn a_log_that_cannot_be_written_keeps_no_escalation_from_being_opened() {
    let mut world = world(TABLE);
    world.write("log", "");
    let opened = ask(&mut world, 55, &refund("d", "c-7", 300)).fine();
    let why = opened.json()["not_logged"].as_str().unwrap().to_owned();
    assert!(
        why.starts_with("the decision log `log` cannot be opened: "),
        "{why}"
    );
    assert!(opened.err.contains("error: the decision log"), "{opened:?}");
    let (_, packet) = packet(&world, &opened);
    let problem = packet["problems"][0].as_str().unwrap();
    assert!(
        problem.starts_with("the history is missing: the decision log"),
        "{problem}"
    );
    // What opens nothing is decided as well.
    let allowed = ask(&mut world, 56, &refund("e", "c-7", 20)).fine();
    assert!(allowed.json()["not_logged"].is_string());
}
