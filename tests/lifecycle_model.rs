//! Every state of bounded worlds of the lifecycle: all commands by everyone, in each of them.
//!
//! The rules are said a second time in `support/lifecycle_spec.rs`, and each transition is held
//! against them. The normal run walks small worlds; `LANEWAY_LONG=1` walks the large ones.
//! `--nocapture` prints what was walked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]
#![allow(
    dead_code,
    reason = "the named tests use more of the support than the model"
)]

#[path = "support/lifecycle_spec.rs"]
mod spec;
#[path = "support/lifecycle.rs"]
mod support;
#[path = "support/lifecycle_town.rs"]
mod town;
#[path = "support/lifecycle_walk.rs"]
mod walk;

use walk::World;

fn is_long() -> bool {
    std::env::var_os("LANEWAY_LONG").is_some_and(|value| value == "1")
}

fn holds(world: World, at_least: usize) {
    let walked = world.clone().walk();
    println!(
        "{}: {} states, {} transitions, ends {:?}",
        world.what, walked.states, walked.transitions, walked.ended
    );
    for (what, (times, way)) in &walked.wrong {
        println!("  {what}: {times} times, first: {way}");
    }
    assert_eq!(walked.wrong.keys().next(), None, "{world:?}");
    assert!(
        walked.states > at_least,
        "a world of {} states",
        walked.states
    );
}

#[test]
fn a_quorum_that_ends_denied() {
    let mut world = World::of("pay");
    world.changes = 1;
    world.late = is_long();
    world.amends = is_long();
    world.hands_over = is_long();
    holds(world, 1_000);
}

#[test]
fn a_quorum_whose_silence_allows() {
    let mut world = World::of("soft");
    world.changes = u32::from(is_long());
    world.late = is_long();
    world.fails = true;
    holds(world, 300);
}

#[test]
fn two_sign_offs() {
    let mut world = World::of("both");
    world.changes = u32::from(is_long());
    world.late = is_long();
    holds(world, 1_000);
}
