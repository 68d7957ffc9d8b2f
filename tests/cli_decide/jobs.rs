//! How many threads decide, and how the events are packed, is not seen in the output.

use std::path::Path;

use crate::run::{Ran, laneway, laneway_with};
use crate::streams::{MATRICES, file, gzip, many};

/// Bytes of a stream of many blocks.
const BYTES: usize = 600_000;

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
        let events = file(folder.path(), name, &many(name, BYTES));
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
    let bytes = many(name, BYTES);
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
    let bytes = many("tour", BYTES);
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
