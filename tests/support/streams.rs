//! Streams of events for the commands that read them: many, some of them broken, packed.
//!
//! In: the name of a matrix with recorded events. Out: bytes, and files of them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The matrices that have recorded events.
pub const MATRICES: [&str; 4] = ["agent-operations", "refund-guard", "tool-approvals", "tour"];

/// The events of a matrix many times, at least so many bytes, so that there are many blocks; every
/// seventh line is broken.
pub fn many(name: &str, least: usize) -> Vec<u8> {
    let text = std::fs::read_to_string(format!("matrices/{name}/events.ndjson")).unwrap();
    let mut all = String::new();
    let mut number = 0;
    while all.len() < least {
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

/// A file of these bytes.
pub fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The same bytes as gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}
