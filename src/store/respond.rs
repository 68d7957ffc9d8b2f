//! When somebody should have answered.
//!
//! In: an escalation. Out: an instant for lists. Invariant: every store shows the same. Knows no store.

use crate::clock::Timestamp;
use crate::escalation::Escalation;

/// When the earliest of the sign-offs is overdue that wait; of all of them, once it ended.
pub(super) fn respond_by(it: &Escalation) -> Option<Timestamp> {
    let pending = it.is_pending();
    let sign_offs = it.sign_offs.iter();
    let asked = sign_offs.filter(|sign_off| !pending || sign_off.is_waiting());
    asked.filter_map(|sign_off| sign_off.plan.respond_by).min()
}
