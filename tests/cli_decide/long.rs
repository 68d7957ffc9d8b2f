//! A million events: `LANEWAY_LONG=1 cargo test --release --test cli_decide long`.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Stdio;

use chrono::{TimeDelta, TimeZone, Utc};

use crate::run::program;

const EVENTS: i64 = 1_000_000;

/// The events of a matrix again and again, with new ids and times, spread over a week.
fn write_week(path: &Path) {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("matrices/agent-operations/events.ndjson");
    let text = std::fs::read_to_string(source).unwrap();
    let samples: Vec<serde_json::Map<String, serde_json::Value>> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let start = Utc.with_ymd_and_hms(2026, 11, 16, 0, 0, 0).unwrap();
    let step = TimeDelta::days(7) / i32::try_from(EVENTS).unwrap();
    let mut out = BufWriter::new(File::create(path).unwrap());
    for (n, sample) in (0..EVENTS).zip(samples.iter().cycle()) {
        let mut event = sample.clone();
        let at = start + step * i32::try_from(n).unwrap();
        event.insert("id".to_owned(), format!("e-{n}").into());
        event.insert("at".to_owned(), at.to_rfc3339().into());
        serde_json::to_writer(&mut out, &event).unwrap();
        out.write_all(b"\n").unwrap();
    }
    out.flush().unwrap();
}

/// The most memory that a process held, in KiB.
fn peak_kib(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_million_events_hold_under_100_mb() {
    if std::env::var_os("LANEWAY_LONG").is_none() {
        println!("skipped: set LANEWAY_LONG=1 to decide a million events");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("week.ndjson");
    write_week(&events);
    for format in ["json", "text"] {
        let start = std::time::Instant::now();
        let mut child = program()
            .args(["decide", "matrices/agent-operations"])
            .arg(&events)
            .args(["--format", format])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let process = child.id();
        let (mut lines, mut peak) = (0, 0);
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            line.unwrap();
            lines += 1;
            if lines % 10_000 == 0 {
                peak = peak_kib(process).unwrap_or(0).max(peak);
            }
        }
        assert!(child.wait().unwrap().success());
        println!("{format}: {lines} lines, {peak} KiB, {:?}", start.elapsed());
        assert!(lines >= EVENTS, "{lines} lines");
        assert!(peak > 0, "the peak was not measured");
        assert!(peak < 100_000, "{peak} KiB");
    }
}
