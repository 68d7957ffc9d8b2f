//! Findings as one JSON array, a finding on each line.

use std::io::{self, Write};

use super::located;
use crate::diagnostic::Diagnostics;
use crate::span::Sources;

pub(super) fn write(out: &mut impl Write, all: &Diagnostics, sources: &Sources) -> io::Result<()> {
    out.write_all(b"[")?;
    for (n, finding) in all.iter().enumerate() {
        out.write_all(if n == 0 { b"\n  " } else { b",\n  " })?;
        serde_json::to_writer(&mut *out, &located(finding, sources))?;
    }
    out.write_all(if all.is_empty() { b"]\n" } else { b"\n]\n" })
}
