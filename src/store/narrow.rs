//! Which filter of a list is read first.
//!
//! In: a [`Query`], and how many each filter leaves. Out: the filter that leaves the fewest, where that is few.
//! Invariant: only what is pending is narrowed so; a list without it is read in its order. Knows no store.

use super::transaction::{Query, StoreError};
use crate::decision::Urgency;
use crate::escalation::Principal;
use crate::limits::STORE_FEW;

/// A filter of what is pending that each store has an index for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    Requester,
    Lane,
    Urgency,
    Team,
    Person,
}

/// What a filter is for, and its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Narrow<'q> {
    pub(super) by: Filter,
    pub(super) value: &'q str,
}

/// The filters of a query.
pub(super) fn filters(query: &Query) -> impl Iterator<Item = Narrow<'_>> {
    let of = |by, value: Option<_>| value.map(|value| Narrow { by, value });
    let requester = query.requester.as_ref().map(Principal::as_str);
    let person = query.person.as_ref().map(Principal::as_str);
    let all = [
        of(Filter::Requester, requester),
        of(Filter::Lane, query.lane.as_deref()),
        of(Filter::Urgency, query.urgency.map(Urgency::as_str)),
        of(Filter::Team, query.team.as_deref()),
        of(Filter::Person, person),
    ];
    all.into_iter().flatten()
}

/// The filter that leaves the fewest, if that is few. `count` counts what one leaves, up to a number.
///
/// # Errors
/// Those of `count`.
pub(super) fn fewest<'q>(
    query: &'q Query,
    mut count: impl FnMut(Narrow<'q>, u32) -> Result<u32, StoreError>,
) -> Result<Option<Narrow<'q>>, StoreError> {
    let mut least = (STORE_FEW, None);
    if !query.is_of_pending() {
        return Ok(None);
    }
    for narrow in filters(query) {
        let its = count(narrow, least.0)?;
        if its < least.0 {
            least = (its, Some(narrow));
        }
    }
    Ok(least.1)
}
