//! How many threads decide, and how the events are packed, is not seen in the output.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::run::{Ran, laneway, laneway_with};

const MATRICES: [&str; 4] = ["agent-operations", "refund-guard", "tool-approvals", "tour"];

/// The events of a matrix many times, so that there are many blocks; every seventh line is broken.
fn many(name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(format!("matrices/{name}/events.ndjson")).unwrap();
    let mut all = String::new();
    let mut number = 0;
    while all.len() < 600_000 {
        for line in text.lines() {
            number += 1;
            all.push_str(if number % 7 == 0 { "{\"kind\":" } else { line });
            all.push('\n');
            if number % 11 == 0 {
                all.push_str("  \r\n");
            }
        }
    }
    all.into_bytes()
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn decide(name: &str, events: &Path, extra: &[&str]) -> Ran {
    let matrix = format!("matrices/{name}");
    let mut args = vec!["decide", &matrix, events.to_str().unwrap()];
    args.push("--now=2026-11-20T10:00:00Z");
    args.extend(extra);
    laneway(&args)
}

#[test]
fn the_output_is_that_of_one_thread() {
    let folder = tempfile::tempdir().unwrap();
    for name in MATRICES {
        let events = file(folder.path(), name, &many(name));
        for format in ["--format=json", "--format=text", "--verbose"] {
            let one = decide(name, &events, &[format, "--jobs=1"]);
            let three = decide(name, &events, &[format, "--jobs=3"]);
            assert_eq!(one.code, 0, "{}", one.err);
            assert!(one.out.lines().count() > 700, "{}", one.out.lines().count());
            assert!(one.seen() == three.seen(), "{name} {format}");
        }
    }
}

#[test]
fn packed_events_are_the_same_events() {
    let folder = tempfile::tempdir().unwrap();
    let name = "tour";
    let bytes = many(name);
    let plain = decide(
        name,
        &file(folder.path(), "plain", &bytes),
        &["--format=json"],
    );
    // Names say nothing, and packed files may be joined.
    let (first, second) = bytes.split_at(300_000);
    let parts = [gzip(first), gzip(second)].concat();
    let gz = decide(
        name,
        &file(folder.path(), "g.json", &parts),
        &["--format=json"],
    );
    assert!(plain.seen() == gz.seen());
    let pack = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let parts = [pack(first), pack(second)].concat();
    let zst = decide(
        name,
        &file(folder.path(), "z.gz", &parts),
        &["--format=json"],
    );
    assert!(plain.seen() == zst.seen());
    let args = [
        "decide",
        "matrices/tour",
        "-",
        "--format=json",
        "--now=2026-11-20T10:00:00Z",
    ];
    let piped = laneway_with(&args, &gzip(&bytes), None);
    assert!(plain.seen() == piped.seen());
}

#[test]
fn what_is_cut_off_or_damaged_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = many("tour");
    let gz = gzip(&bytes);
    let zst = zstd::encode_all(&bytes[..], 1).unwrap();
    let mut wrong = gz.clone();
    wrong[20_000..20_100].fill(0xff);
    for (packed, says) in [
        (
            &gz[..gz.len() / 2],
            "`cut` cannot be read: its gzip data is cut off",
        ),
        (&gz[..5], "`cut` cannot be read: its gzip data is cut off"),
        (
            &zst[..zst.len() / 2],
            "`cut` cannot be read: its zstd data is cut off",
        ),
        (&wrong, "`cut` cannot be read: its gzip data is damaged"),
        (b"PAR1 and no more", "`cut` "),
    ] {
        let path = file(folder.path(), "cut", packed);
        let ran = decide("tour", &path, &["--format=json"]);
        assert_eq!(ran.code, 2, "{says}");
        let says = says.replace("`cut`", &format!("`{}`", path.display()));
        assert!(ran.err.contains(&says), "{says}: {}", ran.err);
    }
    let ran = laneway(&["decide", "matrices/tour", "-", "--jobs=0"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}
