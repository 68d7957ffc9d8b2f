//! The common mistakes of escalation matrices, as warnings.

use super::build::{Checker, Items};
use crate::matrix::{Lane, Rule};

impl<'a> Checker<'a> {
    pub(super) fn lint(
        &mut self,
        _items: &Items<'a>,
        _rules: &[Option<Rule>],
        _lanes: &[Option<Lane>],
    ) {
    }
}
