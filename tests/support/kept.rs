//! What a desk has after it was broken off: everything that was acknowledged, and nothing that is half done.
//!
//! In: a desk, and what it acknowledged. Out: nothing, or a failed test.
//! Invariant: what was not acknowledged may be there or not, and is whole if it is.

use std::collections::{BTreeMap, BTreeSet};

use laneway::desk::Desk;
use laneway::escalation::{VoteKind, invariants};
use laneway::store::{Cursor, Order, Query};

/// What was acknowledged.
#[derive(Debug, Default)]
pub struct Acknowledged {
    /// Escalations.
    pub opened: BTreeSet<String>,
    /// Approvals of two by escalation.
    pub voted: BTreeMap<String, BTreeSet<String>>,
}

/// The ids of all that is there, which are in the order of their openings.
fn all(desk: &Desk) -> BTreeSet<String> {
    let mut there = BTreeSet::new();
    let mut behind = None;
    loop {
        let query = Query {
            order: Order::Newest,
            behind: behind.take(),
            limit: 500,
            ..Query::default()
        };
        let page = desk.page(query).unwrap();
        for summary in &page {
            there.insert(summary.id.clone());
        }
        let Some(last) = page.last() else {
            return there;
        };
        behind = Some(Cursor {
            at: last.opened,
            id: last.id.clone(),
        });
    }
}

/// Everything that was acknowledged is there, and everything that is there is whole.
pub fn look(desk: &Desk, acknowledged: &Acknowledged) -> Result<(), String> {
    let there = all(desk);
    let missing: Vec<&String> = acknowledged.opened.difference(&there).collect();
    if !missing.is_empty() {
        return Err(format!("lost: {missing:?}"));
    }
    // The last ones are those that the end may have met.
    for id in there.iter().rev().take(40) {
        let shown = desk.show(id).unwrap();
        let it = shown.escalation;
        let wrong = invariants::broken(None, &it);
        let wrong: Vec<_> = wrong
            .iter()
            .filter(|wrong| *wrong != "approved at the opening")
            .collect();
        assert!(
            wrong.is_empty() || it.resolution.is_some(),
            "{id}: {wrong:?}"
        );
        let approved = it
            .votes
            .iter()
            .filter(|vote| vote.kind == VoteKind::Approve);
        assert_eq!(it.resolution.is_some(), approved.count() == 2, "{id}");
        let kinds = shown.history.iter().map(|it| it.row.kind.as_str());
        assert_eq!(kinds.clone().next(), Some("opened"));
        let votes = kinds.filter(|kind| *kind == "voted").count();
        assert_eq!(votes, it.votes.len(), "{id}: a vote without its audit row");
        for who in acknowledged.voted.get(id).into_iter().flatten() {
            if !it.votes.iter().any(|vote| vote.person.as_str() == who) {
                return Err(format!("lost: the vote of {who} on {id}"));
            }
        }
    }
    desk.checkpoint().unwrap();
    let report = desk.verify(Vec::new()).unwrap();
    assert!(report.is_sound(), "{:?}", report.faults);
    Ok(())
}
