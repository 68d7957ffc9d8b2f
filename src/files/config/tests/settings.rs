//! Bounds of settings, the file of people, and what is written down of all keys.

use super::*;
use crate::store::decisions::{Sample, Settings};

#[test]
fn each_bound_of_a_setting_is_said_with_its_place() {
    for (text, expected) in [
        (
            "[escalations]\nlongest = \"31d\"\n",
            "2:11: `longest` is `31d`; it may be `1m` to `30d`",
        ),
        (
            "[escalations]\nretain = \"1d\"\nlongest = \"59s\"\n",
            "3:11: `longest` is `59s`; it may be `1m` to `30d`",
        ),
        (
            "[escalations]\ngrant_lapses_after = \"0s\"\n",
            "2:22: `grant_lapses_after` is `0s`; it may be `1s` to `30d`",
        ),
        (
            "[escalations]\nclock_tolerance = \"6m\"\n",
            "2:19: `clock_tolerance` is `6m`; it may be `1s` to `5m`",
        ),
        (
            "[escalations]\nretain = \"1m\"\n",
            "2:10: `retain` is `1m`; it may be `1h` to `36500d`",
        ),
        (
            "[escalations]\nopen_per_group = 0\n",
            "2:18: `open_per_group` is 0; it may be 1 to 1000000",
        ),
        (
            "[escalations]\nopen_per_requester = 1000001\n",
            "2:22: `open_per_requester` is 1000001; it may be 1 to 1000000",
        ),
        (
            "[escalations]\nredact = [\"a..b\"]\n",
            "2:11: `a..b` is no path: names are joined by single dots, as in `customer.iban`",
        ),
        (
            "[escalations]\nredact = [\"a\", \"b*\"]\n",
            "2:16: `b*` has a `*` inside a name; it stands alone, for any one member",
        ),
        (
            "[escalations]\nlongest = \"1 day\"\n",
            "2:11: a duration is numbers with units, such as `1h30m` (units: ms, s, m, h, d)",
        ),
        (
            "[escalations]\nstore = \"mysql://me:secret@host/db\"\n",
            "2:9: a store is a path, or a URL that begins with `postgres://`",
        ),
        ("[escalations]\nstore = \"\"\n", "2:9: this names no file"),
        ("[notify]\nfile = \"-\"\n", "2:8: this names no file"),
        (
            "[notify]\nchannels = [\"log\", \"fil\"]\n",
            "2:20: there is no channel `fil`, the channels are `log`, `file`, `email`, `webhook`, \
             `slack` and `teams`; did you mean `file`?",
        ),
        (
            "[notify]\nchannels = [\"file\"]\n",
            "2:13: the channel `file` needs a path, as in `file:notices.ndjson`, \
             or `file` in `[notify]`",
        ),
        (
            "[people.ann]\nchannels = [\"log:x\"]\n",
            "2:13: the channel `log` takes no address",
        ),
        (
            "[decisions]\nkeep_files = 0\n",
            "2:14: `keep_files` is at least 1",
        ),
        (
            "[decisions]\nrotate_bytes = 0\n",
            "2:16: `rotate_bytes` is at least 1",
        ),
        ("[decisions]\nlog = \"\"\n", "2:7: this names no file"),
    ] {
        assert_eq!(message(text), format!("laneway.toml:{expected}"), "{text}");
    }
    let paths = "\"a\", ".repeat(1_001);
    assert_eq!(
        message(&format!("[escalations]\nredact = [{paths}]\n")),
        "laneway.toml:2:10: `redact` has 1001 paths; it may have 1000"
    );
}

/// Who writes the table believes that something is logged.
#[test]
fn the_table_of_decisions_turns_the_log_on_and_its_folder_is_beside_the_file() {
    assert_eq!(config("[local]\nallow_as = true\n").decisions, None);
    let decisions = |text: &str| config(text).decisions.unwrap();
    let plain = decisions("[decisions]\n");
    assert_eq!(plain.log, PathBuf::from("decisions"));
    assert_eq!(plain.settings, Settings::default());
    let all =
        decisions("[decisions]\nlog = \"d\"\nsample = 0.25\nrotate_bytes = 9\nkeep_files = 2\n");
    let expected = Settings {
        sample: Sample::Share(0.25),
        rotate_bytes: 9,
        keep_files: 2,
    };
    assert_eq!((all.log, all.settings), (PathBuf::from("d"), expected));
    let wrong = message("[decisions]\nsample = \"some\"\n");
    assert!(
        wrong.starts_with("laneway.toml:2:10: a sample is"),
        "{wrong}"
    );
}

#[test]
fn the_url_of_a_database_is_not_printed() {
    for scheme in ["postgres", "postgresql"] {
        let url = format!("{scheme}://me:secret@host/db");
        let config = config(&format!("[escalations]\nstore = \"{url}\"\n"));
        assert!(!format!("{config:?}").contains("secret"));
        assert_eq!(config.escalations.store, Store::Postgres(url));
    }
}

#[test]
fn an_unknown_key_is_an_error_in_every_table() {
    for table in [
        "people.x",
        "roles",
        "notify",
        "notify.smtp",
        "notify.webhooks.x",
        "callers.x",
        "teams.x",
        "local",
        "escalations",
        "limits",
        "sources.x",
        "measures",
        "decisions",
        "server",
        "openid",
        "telemetry",
    ] {
        let unknown = message(&format!("[{table}]\nzzz = 1\n"));
        assert!(
            unknown.starts_with("laneway.toml:2:1: unknown field `zzz`"),
            "{unknown}"
        );
    }
    let unknown = message("[person]\n");
    assert!(unknown.contains("unknown field `person`"), "{unknown}");
    // What a text holds does not act on the terminal that shows the message.
    let acting = message("\"\\u001b[31m\" = 1\n");
    assert!(acting.contains("`\\u{1b}[31m`"), "{acting}");
}

#[test]
fn times_of_the_service_are_within_their_bounds() {
    let server = config("[server]\nhead_within = \"2s\"\nbody_within = \"10m\"\n").server;
    let millis = (
        server.head_within.as_millis(),
        server.body_within.as_millis(),
    );
    assert_eq!(millis, (2_000, 600_000));
    for (key, value, bounds) in [
        ("head_within", "999ms", "at least `1s` and at most `10m`"),
        ("body_within", "601s", "at least `1s` and at most `10m`"),
        ("session_lasts", "59s", "at least `1m` and at most `30d`"),
        ("session_lasts", "721h", "at least `1m` and at most `30d`"),
    ] {
        let wrong = message(&format!("[server]\n{key} = \"{value}\"\n"));
        assert!(
            wrong.starts_with("laneway.toml:2:") && wrong.ends_with(bounds),
            "{wrong}"
        );
    }
}

/// What is read of a folder with these files.
fn read_folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Config, ConfigError>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let config = read(None, Some(folder.path()));
    (folder, config)
}

#[test]
fn people_may_stand_in_a_file_of_their_own() {
    let (_folder, config) = read_folder(&[
        (
            "laneway.toml",
            "directory = \"people.toml\"\n[roles]\noperators = [\"@ops\"]\n",
        ),
        (
            "people.toml",
            "[groups]\nops = [\"ann\", \"zoe\"]\n[people]\nzoe = { left = true }\n",
        ),
    ]);
    let people = config.unwrap().people;
    assert!(people.is_operator(&name("ann")) && !people.is_operator(&name("zoe")));
    assert!(people.is_reachable(&name("ann")));
}

#[test]
fn a_table_stands_in_one_of_the_files() {
    for (table, at) in [
        ("[people]\nann = {}\n", 3),
        ("[groups]\na = []\n", 3),
        ("[agents]\nbot = \"ann\"\n", 3),
        ("[roles]\nauditors = []\n", 3),
    ] {
        let main = format!("directory = \"people.toml\"\n{table}");
        let (folder, config) = read_folder(&[("laneway.toml", &main), ("people.toml", table)]);
        let message = config.unwrap_err().to_string();
        let title = table.lines().next().unwrap();
        assert!(
            message.contains(&format!("laneway.toml:{at}:")),
            "{message}"
        );
        let other = folder.path().join("people.toml");
        let end = format!("`{title}` stands in `{}` too", other.display());
        assert!(message.ends_with(&end), "{message}");
    }
}

#[test]
fn a_mistake_in_the_file_of_people_is_said_there() {
    let main = "directory = \"people.toml\"\n[roles]\noperators = [\"@opps\"]\n";
    let failed = |people: &str, main: &str| {
        let files = [("laneway.toml", main), ("people.toml", people)];
        read_folder(&files).1.unwrap_err().to_string()
    };
    let other = failed("[groups]\nx = [\"ann b\"]\n", main);
    assert!(
        other.contains("people.toml:2:6: `ann b` has a space"),
        "{other}"
    );
    let key = failed("[notify]\n", main);
    assert!(
        key.contains("people.toml:1:2: unknown field `notify`"),
        "{key}"
    );
    let role = failed("[groups]\nops = []\n", main);
    assert!(
        role.ends_with("laneway.toml:3:14: there is no group `opps`; did you mean `ops`?"),
        "{role}"
    );
    let none = failed("", "directory = \"other.toml\"\n");
    assert!(none.contains("other.toml` cannot be read"), "{none}");
    let stdin = failed("", "directory = \"-\"\n");
    assert!(
        stdin.ends_with("laneway.toml:1:13: this names no file"),
        "{stdin}"
    );
}

#[test]
fn paths_are_beside_the_file_that_names_them() {
    let (folder, config) = read_folder(&[(
        "laneway.toml",
        "[notify]\nfile = \"n\"\nchannels = [\"file:c\"]\n",
    )]);
    let config = config.unwrap();
    let path = |name: &str| folder.path().join(name);
    assert_eq!(config.escalations.store, Store::File(path("laneway.db")));
    assert_eq!(config.notify.file, Some(path("n")));
    let channel = config.people.channels(&name("ann"))[0].address.clone();
    assert_eq!(channel.as_deref(), path("c").to_str());
}

/// The reference of this file.
const REFERENCE: &str = include_str!("../../../../grammar/laneway.toml.md");

#[test]
fn the_example_of_the_reference_is_read() {
    let example = REFERENCE.split("```toml\n").nth(1).unwrap();
    let example = config(example.split("```").next().unwrap());
    assert!(example.people.is_auditor(&name("ann@acme.example")));
    // What it sets besides people are the defaults that the tables give.
    let defaults = Config::default();
    let policy = Policy {
        redact: example.escalations.policy.redact.clone(),
        retain: example.escalations.policy.retain,
        ..Policy::default()
    };
    assert_eq!(example.escalations.policy, policy);
    assert_eq!(example.escalations.store, defaults.escalations.store);
    assert_eq!(example.local, defaults.local);
}

#[test]
fn every_key_is_in_the_reference() {
    for table in [
        "people.NAME",
        "roles",
        "notify",
        "notify.smtp",
        "notify.webhooks.NAME",
        "callers.NAME",
        "teams.NAME",
        "local",
        "escalations",
        "limits",
        "sources.NAME",
        "measures",
        "decisions",
        "server",
        "openid",
        "telemetry",
    ] {
        let unknown = message(&format!("[{table}]\nzzz = 1\n"));
        let known = unknown.split("expected ").nth(1).unwrap();
        let title = format!("## `[{table}]`\n");
        let part = REFERENCE
            .split(&title)
            .nth(1)
            .unwrap_or_else(|| panic!("no {title}"));
        let part = part.split("\n## ").next().unwrap();
        let keys: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        assert!(!keys.is_empty(), "{unknown}");
        for key in &keys {
            // A table within it has its keys there.
            let is_there = [format!("\n| `{key}` |"), format!("\n| `{key}.")];
            assert!(
                is_there.iter().any(|text| part.contains(text)),
                "[{table}] {key}"
            );
        }
        assert_eq!(part.matches("\n| `").count(), keys.len(), "[{table}]");
    }
    let unknown = message("zzz = 1\n");
    let known = unknown.split("expected one of ").nth(1).unwrap();
    for key in known.split('`').skip(1).step_by(2) {
        let is_there = [
            format!("## `[{key}]`"),
            format!("## `[{key}."),
            format!("| `{key}` |"),
        ];
        assert!(
            is_there.iter().any(|text| REFERENCE.contains(text)),
            "{key}"
        );
    }
}

#[test]
fn a_provider_of_identities_is_read_and_its_mistakes_are_said_with_their_places() {
    let openid = |more: &str| {
        format!("[openid]\nissuer = \"https://id.example/realm\"\nclient_id = \"lane\"\n{more}")
    };
    let plain = config(&openid("")).openid.unwrap();
    assert_eq!((&*plain.claim, plain.client_secret), ("email", None));
    assert_eq!(plain.scopes, ["email"]);
    let all = config(&openid(
        "client_secret_env = \"X\"\nscopes = [\"profile\"]\nclaim = \"upn\"\nlabel = \" Go \"\n",
    ));
    let all = all.openid.unwrap();
    assert_eq!(
        all.client_secret.unwrap().from,
        SecretFrom::Env("X".to_owned())
    );
    assert_eq!((&*all.claim, &*all.label), ("upn", "Go"));
    for (more, expected) in [
        (
            "scopes = [\"a b\"]\n",
            "4:11: a scope is a word, such as `email`",
        ),
        (
            "claim = \"\"\n",
            "4:9: the name of a claim, such as `email`",
        ),
        (
            "label = \"\"\n",
            "4:9: 1 to 60 characters, such as `Sign in with Acme`",
        ),
        (
            "client_secret_file = \"a\"\nclient_secret_env = \"A\"\n",
            "5:21: one of `client_secret_file` and `client_secret_env`",
        ),
    ] {
        assert_eq!(message(&openid(more)), format!("laneway.toml:{expected}"));
    }
    for (issuer, expected) in [
        (
            "http://id.example",
            "an issuer is reached by TLS, `https://`, unless it is on this machine",
        ),
        ("https://id.example?x", "an issuer is a URL without a query"),
        (
            "https://me@id.example",
            "a URL has no name and no password in it",
        ),
    ] {
        let text = format!("[openid]\nclient_id = \"x\"\nissuer = \"{issuer}\"\n");
        assert_eq!(message(&text), format!("laneway.toml:3:10: {expected}"));
    }
}

#[test]
fn a_collector_is_read_and_its_mistakes_are_said_with_their_places() {
    let telemetry = config("[telemetry]\notlp = \"http://collector:4318/\"\n").telemetry;
    let telemetry = telemetry.unwrap();
    assert_eq!(
        (&*telemetry.otlp, telemetry.service),
        ("http://collector:4318", None)
    );
    for (text, expected) in [
        (
            "otlp = \"collector:4318\"\n",
            "2:8: a URL such as `https://hooks.example.com/laneway`",
        ),
        (
            "otlp = \"http://c:1/?x\"\n",
            "2:8: a collector's URL has no query",
        ),
        (
            "otlp = \"http://c:1\"\nservice = \"\"\n",
            "3:11: a name of 1 to 100 characters, such as `laneway`",
        ),
    ] {
        let text = format!("[telemetry]\n{text}");
        assert_eq!(message(&text), format!("laneway.toml:{expected}"));
    }
}
