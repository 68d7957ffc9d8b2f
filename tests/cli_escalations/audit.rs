//! What was changed in the audit is found, and where.

use std::fs;

use super::world::{CARLA, Ran, World, YUSUF};

fn answered() -> (World, String) {
    let world = World::demo();
    let id = world.open("rg-023");
    let reason = ["--reason", "I called the customer"];
    let approve = [&["approve", &id][..], &reason].concat();
    world.as_person(CARLA, &approve).fine();
    world.as_person(YUSUF, &["approve", &id]).fine();
    (world, id)
}

fn verify(world: &World, args: &[&str]) -> Ran {
    world.run(&[&["audit", "verify"], args].concat())
}

#[test]
fn a_whole_audit_verifies_and_says_how_much_it_is() {
    let (world, id) = answered();
    let said = verify(&world, &[]).fine();
    insta::assert_snapshot!("audit_whole", world.seen(&said, &[&id]));
    let json = verify(&world, &["--format", "json"]).fine().json();
    assert_eq!(json["sound"], true);
    assert_eq!(json["chains"], 1);
    assert_eq!(json["faults"], serde_json::json!([]));
}

#[test]
fn one_byte_in_the_store_is_found_with_its_place() {
    let (world, id) = answered();
    let store = rusqlite::Connection::open(world.path("laneway.db")).unwrap();
    let triggers: Vec<String> = store
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for trigger in triggers {
        store
            .execute_batch(&format!("DROP TRIGGER \"{trigger}\""))
            .unwrap();
    }
    let changed = store
        .execute(
            "UPDATE payloads SET body = replace(body, 'I called', 'I dalled')
             WHERE body LIKE '%I called%'",
            [],
        )
        .unwrap();
    assert_eq!(changed, 1);
    drop(store);
    let found = verify(&world, &[]);
    assert_eq!(found.code, 1);
    insta::assert_snapshot!("audit_changed", world.seen(&found, &[&id]));
}

/// Also where there was a file that others could read.
#[cfg(unix)]
fn for_the_owner_alone(world: &World, name: &str, command: &[&str]) {
    use std::os::unix::fs::PermissionsExt;
    let path = world.path(name);
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    world.run(&[command, &["--out", name]].concat()).fine();
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "{name}: {mode:o}");
}

#[test]
fn one_byte_of_an_export_is_found_and_a_missing_end_by_a_checkpoint_kept_elsewhere() {
    let (world, _) = answered();
    world
        .run(&["audit", "checkpoint", "--out", "kept.json"])
        .fine();
    world
        .run(&["audit", "export", "--out", "export.ndjson"])
        .fine();
    verify(&world, &["export.ndjson", "--against", "kept.json"]).fine();
    #[cfg(unix)]
    for_the_owner_alone(&world, "export.ndjson", &["audit", "export"]);
    #[cfg(unix)]
    for_the_owner_alone(&world, "again.json", &["audit", "checkpoint"]);
    let whole = fs::read_to_string(world.path("export.ndjson")).unwrap();
    world.write("changed.ndjson", &whole.replace("I called", "I dalled"));
    let found = verify(&world, &["changed.ndjson"]);
    assert_eq!(found.code, 1);
    assert!(
        found
            .out
            .contains("the text of the row does not fit its digest"),
        "{found:?}"
    );
    // Without its end each row that is left fits.
    let lines: Vec<&str> = whole.lines().collect();
    let rows: Vec<&str> = lines
        .iter()
        .filter(|line| line.starts_with("{\"row\""))
        .copied()
        .collect();
    world.write("cut.ndjson", &rows[..rows.len() - 1].join("\n"));
    verify(&world, &["cut.ndjson"]).fine();
    assert_eq!(
        verify(&world, &["cut.ndjson", "--against", "kept.json"]).code,
        1
    );
    // What is no export is not sound, but unusable.
    world.write("none.ndjson", "{}\n");
    verify(&world, &["none.ndjson", "--format", "json"]).unusable("file");
}

#[test]
fn what_was_erased_goes_on_to_verify() {
    let (world, id) = answered();
    let erase = ["erase", &id, "--why", "asked for by the customer"];
    world.json_as(CARLA, &erase).refused("not_permitted");
    // A permission that is live still needs what was stored.
    world
        .json_as("sofia@acme.example", &erase)
        .refused("live_grant");
    world
        .as_person("sofia@acme.example", &["revoke", &id])
        .fine();
    world.as_person("sofia@acme.example", &erase).fine();
    let report = verify(&world, &["--format", "json"]).fine().json();
    assert!(report["erased"].as_u64().unwrap() > 0, "{report}");
    let shown = world.as_person(CARLA, &["show", &id]).fine();
    assert!(!shown.out.contains("I called"), "{shown:?}");
    assert!(shown.out.contains("asked for by the customer"), "{shown:?}");
}
