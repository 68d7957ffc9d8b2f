//! How the events of a matrix have to be shared out among several engines, as text.
//!
//! In: the plan of a matrix. Out: each kind with its fields, and the measures that ask for them.

use std::io::{self, Write};

use crate::cli::screen::clean;
use crate::compile::compile;
use crate::matrix::Matrix;
use crate::measure::Partitions;
use std::sync::Arc;

pub(super) fn write(out: &mut impl Write, matrix: &Arc<Matrix>) -> io::Result<()> {
    let program = compile(matrix);
    let plan = Partitions::of(matrix, &program.kinds);
    if plan.kinds.is_empty() {
        return writeln!(
            out,
            "no measure: any engine may decide any event, and nothing has to be shared out"
        );
    }
    for kind in &plan.kinds {
        let name = matrix.kind(kind.kind).map_or("", |kind| &*kind.name);
        let paths = kind.by.iter().map(|field| matrix.schema.path(*field));
        let paths: Vec<&str> = paths.collect();
        match paths.as_slice() {
            [] => writeln!(
                out,
                "{}: no field is in every key; one engine has to see all its events",
                clean(name)
            )?,
            paths => writeln!(out, "{}: by {}", clean(name), clean(&paths.join(", ")))?,
        }
        for id in &kind.measures {
            if let Some(measure) = matrix.measure(*id) {
                writeln!(out, "  {}", clean(&measure.text))?;
            }
        }
    }
    writeln!(
        out,
        "\nEvents with equal values go to one engine: the first 8 bytes, big-endian, of the SHA-256 of the \
         values in\nthis order, each with its length in front (4 bytes, little-endian), modulo the number \
         of engines.\nHow events come is said by `routing` under `[measures]` in laneway.toml: \"alone\" to one \
         engine,\n\"partitioned\" as above, \"shared\" to any of several, whose windows are lower bounds then."
    )
}
