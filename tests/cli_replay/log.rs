//! A decision log, written by `decide` and read by `replay`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::run::{Ran, program};

const NOW: &str = "--now=2026-11-20T10:00:00Z";

const MATRIX: &str = r#"matrix "Shop" {
  edition 1
  timezone "Europe/Berlin"
  otherwise allow
  unreadable escalate to desk
}
event refund {
  customer: text
  amount: money EUR 0 to 1000000
  note: text optional
}
team desk {
  first person "ann@acme.example"
  backup person "jon@acme.example"
}
lane large {
  on refund
  when amount > 250 EUR
  group by customer
  owner desk
  urgency normal
  respond within 1h
  meanwhile block item
  evidence { required input, action, trigger }
  timeout {
    after 1h notify backup
    after 2h deny
  }
}
lane often {
  on refund
  when count of refund by customer over 10m > 2
  group by customer
  owner desk
  urgency low
  respond within 1h
  meanwhile hold item
  evidence { required input, action, trigger }
  timeout {
    after 1h notify backup
    after 2h deny
  }
}
"#;

/// A folder with the matrix and twelve events: three customers, each three times within ten minutes and
/// once behind them; one refund is large, one event cannot be read, one has no instant.
struct Shop(tempfile::TempDir);

impl Shop {
    fn open() -> Self {
        let shop = Self(tempfile::tempdir().unwrap());
        shop.write("matrix.lane", MATRIX);
        let events = (0..12).map(|n| {
            let minute = if n < 9 { n } else { 40 + n };
            let (customer, amount) = (n % 3, if n == 4 { 251 } else { 20 });
            format!(
                r#"{{"kind":"refund","id":"e-{n}","at":"2026-11-19T09:{minute:02}:00Z","customer":"c-{customer}","amount":{amount}.50,"note":"n-{n}"}}"#
            )
        });
        let mut events: Vec<String> = events.collect();
        events.push(
            "{\"kind\":\"refund\",\"id\":\"e-12\",\"at\":\"2026-11-19T09:55:00Z\"}".to_owned(),
        );
        events.push(r#"{"kind":"refund","customer":"c-9","amount":1}"#.to_owned());
        shop.write("events.ndjson", &(events.join("\n") + "\n"));
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_at(NOW, args)
    }

    fn run_at(&self, now: &str, args: &[&str]) -> Ran {
        let mut command: Command = program();
        let output = command
            .current_dir(self.0.path())
            .args(args)
            .arg(now)
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Decides all events into a log, whose text is given back.
    fn log(&self, extra: &[&str]) -> String {
        let args = ["decide", "matrix.lane", "events.ndjson", "--format=json"];
        let logged = self.run(&[&args[..], extra].concat());
        assert_eq!((logged.code, logged.err.as_str()), (0, ""));
        // Nothing else is printed because something is logged.
        let plain = self.run(&[&args[..], &["--no-log"]].concat());
        assert_eq!(logged.out, plain.out);
        text(&self.path("log"))
    }

    fn replay(&self, matrix: &str) -> Value {
        let ran = self.run(&["replay", matrix, "log", "--format=json"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        ran.json()
    }

    /// The matrix with other words.
    fn other(&self, old: &str, new: &str) {
        assert!(MATRIX.contains(old));
        self.write("other.lane", &MATRIX.replace(old, new));
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|end| end == "ndjson"))
        .collect();
    files.sort();
    files
}

fn text(folder: &Path) -> String {
    let texts = files(folder)
        .into_iter()
        .map(|path| fs::read_to_string(path).unwrap());
    texts.collect()
}

/// Puts other lines in the place of those of a log of one file.
fn rewrite(shop: &Shop, lines: &[String]) {
    let file = files(&shop.path("log")).remove(0);
    fs::write(file, lines.join("\n") + "\n").unwrap();
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_replay_of_a_log_by_the_same_matrix_changes_nothing() {
    let shop = Shop::open();
    let log = shop.log(&["--log", "log"]);
    assert_eq!(log.lines().count(), 14);
    let again = shop.replay("matrix.lane");
    assert_eq!(again["log"]["decisions"], 14);
    assert_eq!(again["log"]["changed"]["events"], 0, "{again}");
    // It is the replay of the events themselves: each instant, each measure, what cannot be read.
    let args = ["replay", "matrix.lane", "events.ndjson", "--format=json"];
    let plain = shop.run(&args).json();
    for part in ["events", "verdicts", "lanes", "otherwise", "kinds"] {
        assert_eq!(again[part], plain[part], "{part}");
    }
    assert_eq!(again["unreadable"]["events"], 1);
    // Of each customer the third refund in ten minutes.
    let lanes = again["lanes"].as_array().unwrap();
    let often = lanes.iter().find(|lane| lane["lane"] == "often");
    assert_eq!(often.unwrap()["fired"], 3);
    // What has no instant of its own was received when it was decided, whatever the clock says now.
    assert_eq!(plain["untimed"], 1, "{plain}");
    assert!(again["untimed"].is_null(), "{again}");
    let later = shop.run_at(
        "--now=2027-03-01T00:00:00Z",
        &["replay", "matrix.lane", "log", "--format=json", "--jobs=1"],
    );
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(last["received"], "2026-11-20T10:00:00Z");
    assert_eq!(later.json(), again);
}

#[test]
fn what_another_matrix_decides_differently_is_named_with_an_example() {
    let shop = Shop::open();
    shop.log(&["--log", "log"]);
    shop.other("over 10m > 2", "over 10m > 3");
    let changed = shop.replay("other.lane")["log"].take();
    assert_eq!(changed["changed"]["events"], 3);
    let change = &changed["changes"][0];
    assert_eq!(change["old"]["by"], "often");
    assert_eq!(change["new"]["by"], "otherwise");
    assert_eq!(change["examples"][0]["event"], "e-6");
    let seen = shop.run(&["replay", "other.lane", "log"]).out;
    let from = seen.find("decision log").unwrap();
    insta::assert_snapshot!(&seen[from..]);
    let page = shop
        .run(&["replay", "other.lane", "log", "--format=html"])
        .out;
    let page = &page[page.find("<h2>Decision log").unwrap()..];
    for part in ["11 decided as then.", "escalate by often", "e-6 (line 7)"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn a_log_may_be_redacted_and_a_sample() {
    let shop = Shop::open();
    shop.write(
        "laneway.toml",
        "[escalations]\nredact = [\"note\", \"customer\"]\n[decisions]\nlog = \"log\"\nsample = \"escalations\"\n",
    );
    let log = shop.log(&[]);
    for hidden in ["n-4", "c-1", "c-0"] {
        assert!(!log.contains(hidden), "{hidden}: {log}");
    }
    // Three that come too often, a large one, one that cannot be read.
    let again = shop.replay("matrix.lane")["log"].take();
    assert_eq!(again["decisions"], 5);
    assert_eq!(
        (&again["sampled"], &again["redacted"]),
        (&5.into(), &5.into())
    );
    let seen = shop.run(&["replay", "matrix.lane", "log"]).out;
    assert!(seen.contains("5 of a sample"), "{seen}");
    assert!(seen.contains("5 redacted"), "{seen}");
}

#[test]
fn what_is_damaged_or_lacks_its_event_is_counted_and_the_rest_replayed() {
    let shop = Shop::open();
    let mut log = lines(&shop.log(&["--log", "log"]));
    // The large one, and one of three.
    log[4] = log[4][..200].to_owned();
    let mut gone: Value = serde_json::from_str(&log[6]).unwrap();
    let members = gone.as_object_mut().unwrap();
    members.remove("event");
    let digest = "ab".repeat(32);
    members.insert(
        "event_gone".to_owned(),
        serde_json::json!({"bytes": 100, "sha256": digest}),
    );
    log[6] = gone.to_string();
    rewrite(&shop, &log);
    let again = shop.replay("matrix.lane");
    assert_eq!(again["log"]["decisions"], 12);
    assert_eq!(again["log"]["absent"], 1);
    // One lacks the count of the event before it that is damaged: the log does not decide as then.
    assert_eq!(again["log"]["changed"]["events"], 1);
    assert_eq!(again["log"]["changes"][0]["examples"][0]["event"], "e-7");
    assert_eq!(again["unreadable"]["events"], 2);
    let problems = again["unreadable"]["by_problem"].as_array().unwrap();
    let damaged = problems
        .iter()
        .find(|problem| problem["code"] == "not_json");
    assert_eq!(damaged.unwrap()["examples"][0]["line"], 5, "{problems:?}");
    let seen = shop.run(&["replay", "matrix.lane", "log"]).out;
    assert!(
        seen.contains("1 without their event, and left out"),
        "{seen}"
    );
}

#[test]
fn a_folder_without_a_log_is_said() {
    let shop = Shop::open();
    fs::create_dir(shop.path("empty")).unwrap();
    let ran = shop.run(&["replay", "matrix.lane", "empty"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(
        ran.err
            .contains("`empty` is a folder without a decision log"),
        "{}",
        ran.err
    );
}

#[test]
fn laneway_toml_turns_the_log_on_and_its_files_rotate() {
    let shop = Shop::open();
    shop.write(
        "laneway.toml",
        "[decisions]\nlog = \"log\"\nrotate_bytes = 3000\nkeep_files = 3\n",
    );
    let log = shop.log(&[]);
    assert_eq!(files(&shop.path("log")).len(), 3);
    assert!(log.lines().count() < 14 && log.contains("e-12"), "{log}");
    // The files of a log go on, and stand in their order.
    let again = shop.replay("matrix.lane");
    assert_eq!(again["log"]["decisions"], log.lines().count());
}

#[cfg(unix)]
#[test]
fn a_log_that_cannot_be_written_stops_no_decision_and_is_said() {
    let shop = Shop::open();
    let args = ["decide", "matrix.lane", "events.ndjson", "--format=json"];
    let plain = shop.run(&args);
    assert!(!shop.path("decisions").exists());
    shop.write("file", "");
    let ran = shop.run(&[&args[..], &["--log", "file"]].concat());
    assert_eq!((ran.code, &ran.out), (1, &plain.out));
    assert!(
        ran.err
            .starts_with("error: the decision log `file` cannot be opened: "),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .ends_with("the decisions are made, and not logged\n")
    );
    // Nothing is left of the disk.
    if Path::new("/dev/full").exists() {
        fs::create_dir(shop.path("log")).unwrap();
        let file = shop.path("log").join("decisions-2026-11-20-000001.ndjson");
        std::os::unix::fs::symlink("/dev/full", file).unwrap();
        let ran = shop.run(&[&args[..], &["--log", "log"]].concat());
        assert_eq!((ran.code, &ran.out), (1, &plain.out), "{}", ran.err);
        let says = "error: 14 decisions are not in the decision log `log`: ";
        assert!(ran.err.starts_with(says), "{}", ran.err);
    }
}
