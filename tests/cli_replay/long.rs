//! A million events: `LANEWAY_LONG=1 cargo test --release --test cli_replay long`.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Stdio;

use chrono::{TimeDelta, TimeZone, Utc};

use crate::run::program;

const EVENTS: i32 = 1_000_000;

/// The events of a matrix again and again, with new ids and times, spread over a week.
fn write_week(path: &Path) {
    let text = std::fs::read_to_string("matrices/agent-operations/events.ndjson").unwrap();
    let samples: Vec<serde_json::Map<String, serde_json::Value>> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let start = Utc.with_ymd_and_hms(2026, 11, 16, 0, 0, 0).unwrap();
    let step = TimeDelta::days(7) / EVENTS;
    let mut out = BufWriter::new(std::fs::File::create(path).unwrap());
    for (n, sample) in (0..EVENTS).zip(samples.iter().cycle()) {
        let mut event = sample.clone();
        let at = start + step * n;
        event.insert("id".to_owned(), format!("e-{n}").into());
        event.insert("at".to_owned(), at.to_rfc3339().into());
        serde_json::to_writer(&mut out, &event).unwrap();
        out.write_all(b"\n").unwrap();
    }
    out.flush().unwrap();
}

/// The most memory that a process held, in KiB, while it ran.
fn peak_kib(child: &mut std::process::Child) -> u64 {
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let path = format!("/proc/{}/status", child.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    peak
}

#[test]
fn a_million_events_hold_under_100_mb() {
    if std::env::var_os("LANEWAY_LONG").is_none() {
        println!("skipped: set LANEWAY_LONG=1 to replay a million events");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("week.ndjson");
    write_week(&events);
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let source = Path::new("matrices/agent-operations");
    std::fs::copy(source.join("people.lane"), other.join("people.lane")).unwrap();
    let text = std::fs::read_to_string(source.join("matrix.lane")).unwrap();
    let text = text.replace("amount > 250 USD\n", "amount > 1000 USD\n");
    std::fs::write(other.join("matrix.lane"), text).unwrap();
    let start = std::time::Instant::now();
    let out = std::fs::File::create(folder.path().join("out")).unwrap();
    let mut child = program()
        .args(["replay", "matrices/agent-operations"])
        .arg(&events)
        .args(["--format=json", "--against"])
        .arg(&other)
        .stdout(Stdio::from(out))
        .spawn()
        .unwrap();
    let peak = peak_kib(&mut child);
    assert!(child.wait().unwrap().success());
    println!("{peak} KiB, {:?}", start.elapsed());
    let out = std::fs::read_to_string(folder.path().join("out")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(summary["events"], EVENTS);
    let steps = summary["over_time"]["buckets"].as_array().unwrap();
    let sum = |key: &str| steps.iter().map(|b| b[key].as_u64().unwrap()).sum::<u64>();
    let all: u64 = ["allow", "adjust", "escalate", "deny"]
        .map(sum)
        .iter()
        .sum();
    assert_eq!(all, 1_000_000);
    assert!(
        summary["against"]["looser"].as_u64().unwrap() > 10_000,
        "{}",
        summary["against"]
    );
    assert!((1_000..100_000).contains(&peak), "{peak} KiB");
}
