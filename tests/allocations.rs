//! Nothing is allocated to decide an event once the buffers have grown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "support/events.rs"]
mod events;
#[path = "support/generate.rs"]
mod generate;

use events::Events;
use generate::Plan;
use laneway::clock::Timestamp;
use laneway::program::By;
use laneway::router::Joined;
use laneway::slots::Slots;
use laneway::{Router, Session};

/// How often `work` asks for memory on this thread.
fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

#[test]
fn the_counter_counts() {
    assert!(allocations(|| drop(std::hint::black_box(vec![1]))) > 0);
}

/// Decides everything in every quick way; the sum keeps it from being left out.
fn decide(session: &mut Session<'_>, lines: &[String], slots: &[Slots]) -> usize {
    let now = Timestamp::UNIX_EPOCH;
    let mut lanes = 0;
    for line in lines {
        let outcome = session.outcome_json(line.as_bytes(), now);
        lanes += usize::from(matches!(outcome.by, By::Lane(_)));
        if let Joined::Attached(joined) = session.joined_json(line.as_bytes(), now) {
            lanes += joined.hits.len();
        }
    }
    for slots in slots {
        let outcome = session.outcome(slots, now).expect("slots of this program");
        lanes += usize::from(matches!(outcome.by, By::Lane(_)));
    }
    lanes
}

#[test]
fn a_decision_allocates_nothing() {
    let mut decided = 0;
    for seed in 0..40 {
        let plan = Plan {
            lanes: 1..=60,
            measures: false,
            ..Plan::default()
        };
        let matrix = generate::matrix(seed, &plan).matrix();
        let router = Router::new(matrix.clone());
        let mut session = router.session();
        let program = session.program().clone();
        let mut events = Events::new(&matrix, seed);
        let (mut lines, mut all) = (Vec::new(), Vec::new());
        for _ in 0..50 {
            let (line, event) = events.event();
            let mut slots = Slots::default();
            let limits = router.limits();
            let now = Timestamp::UNIX_EPOCH;
            // What the quick reader leaves to the slow one is not the hot path, nor is an adjust.
            let quick = slots.read(line.as_bytes(), &program.layout, limits, now);
            if quick.is_ok() && slots.fill(&program.layout, &event).is_ok() {
                lines.push(line);
                all.push(slots);
            }
        }
        decide(&mut session, &lines, &all);
        let mut lanes = 0;
        let count = allocations(|| lanes = decide(&mut session, &lines, &all));
        if count > 0 {
            let each = lines.iter().zip(&all).map(|(line, slots)| {
                let (line, slots) = (std::slice::from_ref(line), std::slice::from_ref(slots));
                let count = allocations(|| lanes += decide(&mut session, line, slots));
                format!("{count}: {}", line[0])
            });
            eprintln!("{}", each.collect::<Vec<_>>().join("\n"));
        }
        assert_eq!(count, 0, "seed {seed}, {} events", lines.len());
        decided += lines.len();
        std::hint::black_box(lanes);
    }
    assert!(decided > 1_500, "only {decided} events took the hot path");
}
