//! What holds of every store of escalations, whatever it is made of.
//!
//! In: a way to make an empty store. Out: each check by its name, and whether it holds.
//! Time is given to the rules by the checks: only a store that takes a clock can be asked for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use laneway::store::Store;

use super::escalations::*;

/// An empty store, and what has to stay while it is used.
pub struct Subject {
    pub store: Arc<dyn Store>,
    pub keep: Box<dyn std::any::Any>,
}

type Check = fn(&Arc<dyn Store>);

/// Every check by its name.
pub const CHECKS: &[(&str, Check)] = &[
    ("an opening reads back", an_opening_reads_back),
    ("an approval reads back", an_approval_reads_back),
];

/// Runs all of them, each on an empty store, and fails with the names of those that do not hold.
pub fn run(kind: &str, make: impl Fn() -> Subject) {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        let subject = make();
        if catch_unwind(AssertUnwindSafe(|| check(&subject.store))).is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "{kind}: {failed:#?}");
}

fn an_opening_reads_back(store: &Arc<dyn Store>) {
    let it = Made::new("e1")
        .lanes([Lane::risk(), Lane::quick()])
        .escalation();
    open(&**store, &it);
    assert_eq!(get(&**store, "e1"), it);
}

fn an_approval_reads_back(store: &Arc<dyn Store>) {
    open(&**store, &Made::new("e1").escalation());
    command(&**store, "e1", approve(), &person("ann"), minute(1));
    let done = command(&**store, "e1", approve(), &person("bob"), minute(2));
    assert!(done.after.grant.is_some());
    assert_eq!(get(&**store, "e1"), done.after);
}
