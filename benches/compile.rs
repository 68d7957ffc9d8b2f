//! From a checked matrix to its program, and from its text, over 5 to 50,000 lanes; before it the
//! size of each program in memory. What each program decides is asserted before anything is timed.
//!
//! The counter of memory is in this process: it adds a few nanoseconds to each allocation.

#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a benchmark may fail loudly; criterion's macros write undocumented functions; the \
              workload is shared"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use laneway::check::check_text;
use laneway::clock::Timestamp;
use laneway::compile::compile;
use laneway::limits::Limits;
use laneway::matrix::{LaneId, Matrix};
use laneway::program::{By, Program, Scratch};
use laneway::slots::Slots;

#[path = "support/sizes.rs"]
mod sizes;
#[path = "support/workload.rs"]
mod workload;

use sizes::{SEED, checked, options, sizes};
use workload::{Presence, Workload, attached, json, matrix};

/// The program decides as the walk over the lanes says.
fn assert_answers(program: &Program, workload: &Workload) {
    let mut slots = Slots::default();
    let mut scratch = Scratch::default();
    let mut matched = 0;
    for event in workload.events(100) {
        let json = json(&event);
        let (limits, now) = (Limits::default(), Timestamp::UNIX_EPOCH);
        let read = slots.read(json.as_bytes(), &program.layout, &limits, now);
        assert_eq!(read, Ok(()), "{json}");
        let outcome = program.outcome(&slots, json.as_bytes(), &[], &mut scratch);
        let wanted = match attached(&workload.lanes, &event).0.first() {
            Some(lane) => By::Lane(LaneId(u32::try_from(*lane).unwrap())),
            None => By::Otherwise,
        };
        assert_eq!(outcome.unwrap().by, wanted, "{json}");
        matched += usize::from(wanted != By::Otherwise);
    }
    assert!((5..60).contains(&matched), "{matched} of 100 events match");
}

/// The bytes that the program of a matrix holds.
fn bytes(matrix: &Arc<Matrix>) -> i64 {
    let mut kept = None;
    let counted = allocation_counter::measure(|| kept = Some(compile(matrix)));
    drop(black_box(kept));
    counted.bytes_current
}

fn benches(c: &mut Criterion) {
    for lanes in sizes() {
        let workload = Workload::new(*lanes, SEED);
        let matrix_of = checked(&workload.lanes, Presence::Required);
        assert_answers(&compile(&matrix_of), &workload);
        let held = bytes(&matrix_of);
        eprintln!(
            "program of {lanes} lanes: {held} bytes, {} a lane",
            held / *lanes as i64
        );

        let mut group = c.benchmark_group("compile");
        group.sample_size(10);
        group.warm_up_time(Duration::from_secs(1));
        group.throughput(Throughput::Elements(*lanes as u64));
        group.bench_function(BenchmarkId::new("check_to_program", lanes), |b| {
            b.iter_with_large_drop(|| compile(black_box(&matrix_of)));
        });
        let text = matrix(&workload.lanes, Presence::Required);
        group.bench_function(BenchmarkId::new("text_to_program", lanes), |b| {
            b.iter_with_large_drop(|| {
                let loaded = check_text("matrix.lane", black_box(&text), &options());
                loaded.matrix.map(|matrix| compile(&matrix))
            });
        });
        group.finish();
    }
}

criterion_group!(all, benches);
criterion_main!(all);
