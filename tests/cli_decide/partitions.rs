//! `laneway show --format partitions`.

use crate::run::laneway;

#[test]
fn each_kind_says_by_what_its_events_are_shared_out() {
    let ran = laneway(&["show", "matrices/tour", "--format", "partitions"]);
    insta::assert_snapshot!(ran.seen());
    let ran = laneway(&[
        "show",
        "matrices/agent-operations",
        "--format",
        "partitions",
    ]);
    assert!(
        ran.out.starts_with("workflow_health: by workflow\n"),
        "{}",
        ran.out
    );
}
