//! Packed, in parts, damaged, on several threads: what it does to the summary.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::run::{Ran, laneway, laneway_with, program};
use crate::streams::{MATRICES, file, gzip, many};

/// Bytes of a stream of many blocks.
const BYTES: usize = 1_500_000;

fn replay(name: &str, events: &[&Path], extra: &[&str]) -> Ran {
    let matrix = format!("matrices/{name}");
    let mut args = vec!["replay", &matrix];
    args.extend(events.iter().map(|path| path.to_str().unwrap()));
    args.extend(extra);
    laneway(&args)
}

#[test]
fn the_summary_is_that_of_one_thread() {
    let folder = tempfile::tempdir().unwrap();
    for name in MATRICES {
        let events = file(folder.path(), name, &many(name, BYTES));
        let against = format!("--against=matrices/{name}");
        for format in ["--format=json", "--format=text"] {
            let one = replay(name, &[&events], &[format, &against, "--jobs=1"]);
            let three = replay(name, &[&events], &[format, &against, "--jobs=3"]);
            assert_eq!(one.code, 0, "{}", one.err);
            assert!(one.out == three.out, "{name}\n{}\n{}", one.out, three.out);
            assert!(one.err.contains(" events a second"), "{}", one.err);
        }
        let json = replay(name, &[&events], &["--format=json", &against]).json();
        assert_eq!(json["against"]["changed"]["events"], 0, "{name}");
        assert!(json["events"].as_u64().unwrap() > 1_000);
    }
}

#[test]
fn packed_events_are_the_same_events() {
    let folder = tempfile::tempdir().unwrap();
    for name in MATRICES {
        let bytes = many(name, BYTES);
        let plain = replay(
            name,
            &[&file(folder.path(), "p", &bytes)],
            &["--format=json"],
        );
        let gz = replay(
            name,
            &[&file(folder.path(), "g", &gzip(&bytes))],
            &["--format=json"],
        );
        let packed = zstd::encode_all(&bytes[..], 1).unwrap();
        let zst = replay(
            name,
            &[&file(folder.path(), "z.gz", &packed)],
            &["--format=json"],
        );
        assert!(plain.out == gz.out && plain.out == zst.out, "{name}");
        let matrix = format!("matrices/{name}");
        let piped = laneway_with(&["replay", &matrix, "-", "--format=json"], &packed, None);
        assert!(plain.out == piped.out, "{name}");
    }
}

#[test]
fn several_files_are_one_stream() {
    let folder = tempfile::tempdir().unwrap();
    let name = "refund-guard";
    let bytes = many(name, BYTES);
    let cut = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
    let half = cut * 500;
    let half = half + bytes[half..].iter().position(|b| *b == b'\n').unwrap() + 1;
    let (first, second) = bytes.split_at(half);
    let (first, second) = (
        file(folder.path(), "1", &gzip(first)),
        file(folder.path(), "2", second),
    );
    let whole = file(folder.path(), "whole", &bytes);
    let whole = replay(name, &[&whole], &["--format=json"]).json();
    let mut parts = replay(name, &[&first, &second], &["--format=json"]).json();
    // Only the places of examples differ: they say which file.
    let example = parts["unreadable"]["by_problem"][0]["examples"][0].clone();
    assert_eq!(example["file"], 1, "{example}");
    let mut whole = whole;
    for summary in [&mut whole, &mut parts] {
        for problem in summary["unreadable"]["by_problem"].as_array_mut().unwrap() {
            problem.as_object_mut().unwrap().remove("examples");
        }
    }
    assert_eq!(whole, parts);
}

#[test]
fn what_cannot_be_used_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = many("tour", BYTES);
    let (gz, zst) = (gzip(&bytes), zstd::encode_all(&bytes[..], 1).unwrap());
    let good = file(folder.path(), "good", &bytes);
    let mut wrong = zst.clone();
    let middle = wrong.len() / 2;
    wrong[middle..middle + 100].fill(0xff);
    for (packed, says) in [
        (&gz[..gz.len() - 9], "its gzip data is cut off"),
        (&zst[..zst.len() / 2], "its zstd data is cut off"),
        (&wrong, "its zstd data is damaged"),
    ] {
        let path = file(folder.path(), "bad", packed);
        let ran = replay("tour", &[&good, &path], &[]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{says}");
        let says = format!("`{}` cannot be read: {says}", path.display());
        assert!(ran.err.contains(&says), "{says}: {}", ran.err);
    }
    for (args, says) in [
        (vec!["replay", "matrices/tour"], "EVENTS"),
        (
            vec!["replay", "matrices/tour", "nothing"],
            "`nothing` cannot be read: it does not exist",
        ),
        (
            vec!["replay", "matrices/tour", "tests"],
            "`tests` is a folder",
        ),
        (vec!["replay", "-", "-"], "can be one thing only"),
        (
            vec!["replay", "matrices/tour", "-", "--against=-"],
            "can be one thing only",
        ),
        (
            vec!["replay", "matrices/tour", "-", "-"],
            "can be one thing only",
        ),
        (
            vec!["replay", "matrices/tour", "-", "--against=nothing.lane"],
            "`nothing.lane` does not exist",
        ),
        (
            vec!["replay", "nothing.lane", "-"],
            "`nothing.lane` does not exist",
        ),
    ] {
        let ran = laneway(&args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
    if cfg!(not(feature = "parquet")) {
        let path = file(folder.path(), "bad", b"PAR1 and more");
        let ran = replay("tour", &[&path], &[]);
        assert_eq!(ran.code, 2);
        assert!(
            ran.err.contains("built without the feature `parquet`"),
            "{}",
            ran.err
        );
    }
}

/// A few kilobytes that unpack to a line of a gigabyte: it is an event that is too large.
#[test]
fn a_bomb_is_one_unreadable_event() {
    let mut packed = zstd::Encoder::new(Vec::new(), 1).unwrap();
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..256 {
        packed.write_all(&zeros).unwrap();
    }
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 100_000, "{}", packed.len());
    let ran = laneway_with(
        &["replay", "matrices/tour", "-", "--format=json"],
        &packed,
        None,
    );
    let json = ran.json();
    assert_eq!(json["events"], 1);
    assert_eq!(json["unreadable"]["by_problem"][0]["code"], "too_large");
    assert_eq!(json["bytes"], 256 << 20);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let events = "matrices/tour/events.ndjson";
    let mut child = program()
        .args(["replay", "matrices/tour", events, "--format=html"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}
