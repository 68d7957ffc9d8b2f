//! What an operator does: tokens, copies, a matrix that changes, ending.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use laneway::server::Scope;
use serde_json::{Value, json};

use super::program::Ran;
use super::{MATRIX, Service, TOML, ask, event, opened, payments, service};

fn laneway(folder: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_laneway"));
    Ran::of(command.current_dir(folder).args(args), b"")
}

#[track_caller]
fn fine(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()
}

const JSON: [&str; 2] = ["--format", "json"];

#[test]
fn tokens_are_made_rotated_and_revoked_while_the_service_runs() {
    let service = service();
    let folder = service.folder.path();
    let run = |args: &[&str]| laneway(folder, &[&["access"], args, &JSON].concat());
    let made = fine(&run(&["token", "payments", "--for", "decide"]));
    let (id, text) = (
        made["id"].as_str().unwrap(),
        made["token"].as_str().unwrap(),
    );
    let client = |text: &str| {
        service
            .nobody()
            .with("authorization", &format!("Bearer {text}"))
    };
    assert_eq!(ask(&client(text), &event("e1", "10"))["word"], "allow");
    let rotated = fine(&run(&["rotate", id, "--grace", "1h"]));
    let fresh = rotated["token"].as_str().unwrap();
    for text in [text, fresh] {
        assert_eq!(ask(&client(text), &event("e1", "10"))["word"], "allow");
    }
    let listed = run(&["tokens"]);
    assert!(
        !listed.out.contains(fresh.rsplit('_').next().unwrap()),
        "{listed:?}"
    );
    assert_eq!(fine(&listed)["tokens"].as_array().unwrap().len(), 2);
    fine(&run(&["revoke", id]));
    // The service believes what it looked up for two seconds, and its own revocations at once.
    let began = Instant::now();
    let body = json!({ "event": event("e1", "10") });
    while client(text).post("/v1/decisions", &body).status != 401 {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "it is still good"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(run(&["revoke", id]).code, 2);
    let agent = run(&["token", "bot", "--for", "answer"]);
    assert_eq!(
        (agent.code, agent.json()["error"]["code"].as_str()),
        (1, Some("agent"))
    );
    let short = fine(&run(&["token", "payments", "--lasts", "1ms"]));
    std::thread::sleep(Duration::from_millis(5));
    let over = client(short["token"].as_str().unwrap()).post("/v1/decisions", &body);
    assert_eq!(over.problem(401), "unauthorized");
    let link = fine(&run(&["link", "b1@x"]));
    let page = service
        .nobody()
        .get(link["path"].as_str().unwrap())
        .fine()
        .text;
    assert!(page.contains("b1@x"), "{page}");
}

#[test]
fn a_restored_store_grants_nothing_that_the_copy_granted_and_tells_who_is_asked_again() {
    let service = service();
    let client = payments(&service);
    let (granted, digest) = opened(&client, "e1");
    for name in ["b1@x", "b2@x"] {
        let path = format!("/v1/escalations/{granted}/approve");
        service
            .person(name)
            .post(&path, &json!({ "digest": digest }))
            .fine();
    }
    let (pending, _) = opened(&client, "e2");
    let notices = |service: &Service| {
        let text = std::fs::read_to_string(service.path("notices.ndjson")).unwrap_or_default();
        text.matches(&format!("{pending}/asked/b1@x")).count()
    };
    let wait = |service: &Service, many: usize| {
        let began = Instant::now();
        while notices(service) < many {
            assert!(began.elapsed() < Duration::from_secs(20), "not told");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait(&service, 1);
    std::thread::sleep(Duration::from_millis(300));
    let run = |folder: &Path, args: &[&str]| laneway(folder, &[args, &JSON].concat());
    fine(&run(service.folder.path(), &["backup", "copy.db"]));
    assert_eq!(
        run(service.folder.path(), &["backup", "copy.db"]).code,
        2,
        "it is there"
    );
    assert_eq!(
        run(service.folder.path(), &["restore", "copy.db"]).code,
        2,
        "the store is there"
    );
    let keyed = client.with("idempotency-key", "use");
    let path = format!("/v1/escalations/{granted}/consume");
    keyed.post(&path, &json!({ "digest": digest })).fine();
    let folder = service.end();
    std::fs::rename(
        folder.path().join("laneway.db"),
        folder.path().join("lost.db"),
    )
    .unwrap();
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.path().join(format!("laneway.db{end}")));
    }
    let restored = fine(&run(folder.path(), &["restore", "copy.db"]));
    assert_eq!(
        (&restored["epoch"], &restored["revoked"]),
        (&json!(1), &json!(1))
    );
    let again = Service::start_in(folder, MATRIX, TOML, false);
    let client = payments(&again);
    let used = client
        .with("idempotency-key", "use-2")
        .post(&path, &json!({ "digest": digest }));
    assert_eq!(used.problem(409), "revoked");
    wait(&again, 2);
    assert_eq!(
        client
            .get(&format!("/v1/escalations/{pending}"))
            .fine()
            .json()["state"],
        "pending"
    );
}

#[test]
fn a_changed_matrix_is_staged_with_its_difference_until_somebody_applies_it() {
    let service = service();
    let client = payments(&service);
    let operator = service.client("op@x", &[Scope::Operate]);
    let tighter = MATRIX.replace("amount > 1000 EUR", "amount > 5 EUR");
    std::fs::write(service.path("m.lane"), &tighter).unwrap();
    let began = Instant::now();
    let staged = loop {
        let shown = client.get("/v1/matrix").fine().json();
        if !shown["staged"].is_null() {
            break shown;
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "nothing is staged: {shown}"
        );
        std::thread::sleep(Duration::from_millis(100));
    };
    let diff = staged["staged"]["diff"].as_str().unwrap();
    assert!(
        diff.contains("-  when amount > 1000 EUR\n+  when amount > 5 EUR"),
        "{diff}"
    );
    // It does not decide yet.
    assert_eq!(ask(&client, &event("e1", "10"))["word"], "allow");
    let other = operator.post("/v1/matrix/reload", &json!({ "digest": "0" }));
    assert_eq!(other.problem(409), "matrix");
    let digest = &staged["staged"]["digest"];
    operator
        .post("/v1/matrix/reload", &json!({ "digest": digest }))
        .fine();
    assert_eq!(ask(&client, &event("e2", "10"))["word"], "escalate");
    let shown = client.get("/v1/matrix").fine().json();
    assert_eq!((&shown["digest"], &shown["staged"]), (digest, &Value::Null));
}

#[test]
fn with_reload_auto_what_is_saved_decides() {
    let toml = format!("{TOML}\n[server]\nreload = {{ auto = true }}\n");
    let service = Service::start(MATRIX, &toml);
    let client = payments(&service);
    let tighter = MATRIX.replace("amount > 1000 EUR", "amount > 5 EUR");
    std::fs::write(service.path("m.lane"), &tighter).unwrap();
    let began = Instant::now();
    let body = json!({ "event": event("e1", "10"), "mode": "dry_run" });
    while client.post("/v1/decisions", &body).fine().json()["word"] != "escalate" {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it does not decide"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_is_beyond_this_machine_is_behind_tls() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::write(folder.path().join("m.lane"), MATRIX).unwrap();
    let run = |args: &[&str]| laneway(folder.path(), &[&["serve", "."], args].concat());
    let refused = run(&["--listen", "0.0.0.0:0"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("tls"), "{refused:?}");
    let demo = run(&["--demo", "--listen", "0.0.0.0:0"]);
    assert_eq!(demo.code, 2);
    assert!(demo.err.contains("this machine alone"), "{demo:?}");
    assert!(!folder.path().join("laneway.db").exists());
}

/// What the doctor found of something.
fn found<'f>(findings: &'f Value, what: &str) -> Vec<&'f str> {
    let all = findings["findings"].as_array().unwrap().iter();
    let its = all.filter(|it| it["what"] == what);
    its.map(|it| it["state"].as_str().unwrap()).collect()
}

#[cfg(unix)]
#[test]
fn the_doctor_says_what_has_to_be_mended() {
    use std::os::unix::fs::PermissionsExt as _;
    let service = service();
    let folder = service.folder.path();
    let look = || laneway(folder, &[&["doctor", "."], &JSON[..]].concat());
    let well = fine(&look());
    for what in [
        "configuration",
        "address",
        "people",
        "store",
        "clock",
        "steps",
        "notices",
    ] {
        assert_eq!(found(&well, what), ["fine"], "{what} {well}");
    }
    // It loads, and `check` has something to say of it.
    assert_eq!(found(&well, "matrix"), ["look"]);
    // What is stored is its owner's alone; where it is not, that is said.
    let store = folder.join("laneway.db");
    let mode =
        |mode| std::fs::set_permissions(&store, std::fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(
        std::fs::metadata(&store).unwrap().permissions().mode() & 0o777,
        0o600
    );
    mode(0o644);
    let open = look();
    assert_eq!(
        (open.code, found(&open.json(), "store")),
        (1, vec!["mend", "fine"])
    );
    mode(0o600);
    let toml = std::fs::read_to_string(folder.join("laneway.toml")).unwrap();
    let exposed = format!("{toml}\n[server]\nlisten = \"0.0.0.0:8750\"\n");
    std::fs::write(folder.join("laneway.toml"), exposed).unwrap();
    let exposed = look();
    assert_eq!(
        (exposed.code, found(&exposed.json(), "address")),
        (1, vec!["mend"])
    );
    std::fs::write(folder.join("laneway.toml"), toml).unwrap();
    std::fs::write(folder.join("m.lane"), "lane {").unwrap();
    let broken = look();
    assert_eq!(
        (broken.code, found(&broken.json(), "matrix")),
        (1, vec!["mend"])
    );
}
