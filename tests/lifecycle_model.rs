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

/// What goes wrong today. Each has a test of its own among those of `lifecycle`'s bugs.
const KNOWN: [&str; 0] = [];

fn is_long() -> bool {
    std::env::var_os("LANEWAY_LONG").is_some_and(|value| value == "1")
}

fn holds(world: World, at_least: usize) {
    let walked = world.clone().walk(&KNOWN);
    println!(
        "{}: {} states, {} transitions, ends {:?}",
        world.what, walked.states, walked.transitions, walked.ended
    );
    for (what, (times, way)) in &walked.wrong {
        println!("  {what}: {times} times, first: {way}");
    }
    let new = walked.wrong.keys().find(|it| !KNOWN.contains(&it.as_str()));
    assert_eq!(new, None, "{world:?}");
    assert!(
        walked.states > at_least,
        "a world of {} states",
        walked.states
    );
}

fn world(what: &'static str) -> World {
    let mut world = World::of(what);
    if is_long() {
        world.changes = 2;
        world.amends = true;
        world.hands_over = true;
    }
    world
}

#[test]
fn a_quorum_that_ends_denied() {
    holds(world("pay"), 1_000);
}

#[test]
fn a_quorum_whose_silence_allows() {
    holds(world("soft"), 1_000);
}

#[test]
fn two_sign_offs() {
    holds(
        World {
            late: is_long(),
            ..world("both")
        },
        1_000,
    );
}
