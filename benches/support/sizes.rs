//! The sizes that benches sweep, and a checked matrix of each.
//!
//! In: lanes as data. Out: a matrix; the sizes fit to whether this run measures or only tries.
//! Invariant: a run that only tries (`cargo test --benches`) stays small.

use std::sync::Arc;

use laneway::Limits;
use laneway::check::{Options, check_text};
use laneway::matrix::Matrix;

use super::workload::{Lane, Presence, matrix};

/// The seed of every workload.
pub const SEED: u64 = 7;

/// The numbers of lanes.
pub fn sizes() -> &'static [usize] {
    match std::env::args().any(|arg| arg == "--bench") {
        true => &[5, 50, 500, 5_000, 50_000],
        false => &[5, 50, 500],
    }
}

/// What a matrix of any size needs.
pub fn options() -> Options {
    Options {
        limits: Limits {
            file_bytes: 256 << 20,
            matrix_bytes: 256 << 20,
            lanes: 100_000,
            ..Limits::default()
        },
        ..Options::default()
    }
}

/// The matrix of these lanes.
pub fn checked(lanes: &[Lane], presence: Presence) -> Arc<Matrix> {
    let loaded = check_text("matrix.lane", &matrix(lanes, presence), &options());
    let found = loaded.diagnostics.iter().map(|d| d.message.clone());
    let found: Vec<String> = found.take(3).collect();
    loaded.matrix.unwrap_or_else(|| panic!("{found:?}"))
}
