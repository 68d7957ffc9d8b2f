//! Which escalation is meant: its id, or enough of its beginning or end.
//!
//! Invariant: what could be two is neither, and is said with its candidates, whether they are pending or
//! have ended: a beginning is the time of an opening, and what was opened then may be both. Only an end as
//! long as lists show it, which is random, is looked for among the pending ones first.

use super::place::Desk;
use super::trouble::Trouble;
use crate::store::{Cursor, Order, Query};

/// Characters of an id that are enough.
const ENOUGH: usize = 6;

/// Characters of a whole id.
const WHOLE: usize = 32;

/// Characters of an id that lists show: its end, since its beginning is the time of the opening.
pub(super) const SHORT: usize = 8;

/// Read at once.
const PAGE: u32 = 500;

/// Candidates that are named.
const NAMED: usize = 5;

/// The end of an id, which is enough to name it nearly always.
pub(super) fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(SHORT)..).unwrap_or(id)
}

/// The id that is meant.
pub(super) fn find(desk: &Desk, given: &str) -> Result<String, Trouble> {
    let wanted = given.trim().to_ascii_lowercase().replace('-', "");
    if wanted.chars().count() < ENOUGH {
        let message = format!("`{given}` is too short: at least {ENOUGH} characters name one");
        return Err(Trouble::unusable("id_too_short", message));
    }
    if wanted.len() >= WHOLE {
        return Ok(desk.desk.show(&wanted)?.escalation.pinned.id.clone());
    }
    let mut found = matching(desk, &wanted, true)?;
    let is_end = |id: &String| wanted.len() >= SHORT && id.ends_with(&wanted);
    if !matches!(found.as_slice(), [one] if is_end(one)) {
        let ended = matching(desk, &wanted, false)?;
        // One may have ended between the two.
        let ended = ended.into_iter().filter(|id| !found.contains(id));
        found.extend(ended.collect::<Vec<_>>());
    }
    match found.as_slice() {
        [] => Err(crate::desk::DeskError::NotFound(given.to_owned()).into()),
        [one] => Ok(one.clone()),
        several => {
            let named: Vec<_> = several.iter().take(NAMED).map(String::as_str).collect();
            let message = format!("`{given}` may be {}", named.join(", "));
            Err(Trouble::unusable("ambiguous", message))
        }
    }
}

fn matching(desk: &Desk, wanted: &str, pending: bool) -> Result<Vec<String>, Trouble> {
    let mut found = Vec::new();
    let mut behind = None;
    loop {
        let page = desk.desk.page(Query {
            pending: Some(pending),
            order: Order::Newest,
            behind,
            limit: PAGE,
            ..Query::default()
        })?;
        let ids = page.iter().map(|summary| &summary.id);
        let ids = ids.filter(|id| id.starts_with(wanted) || id.ends_with(wanted));
        found.extend(ids.cloned());
        match page.last() {
            Some(last) if page.len() >= PAGE as usize => {
                behind = Some(Cursor::behind(last, Order::Newest))
            }
            _ => return Ok(found),
        }
    }
}
