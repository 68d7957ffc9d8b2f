//! What becomes of events that adjusts change.
//!
//! In: the adjusts of a kind. Out: by which of them apply, where that is, and where the changed event is denied or asked
//! about, both told of the event as it came.
//! Invariant: an event that a lane or an `always deny` has to do with before any adjust is not changed; whoever reads
//! this leaves it out.

use super::{OfKind, trigger_with};
use crate::analysis::prover::Part;
use crate::analysis::space::{Adjust, Asks, Node, Together, With};
use crate::matrix::{Effect, Matrix, Rule, TeamId, Unsure};
use crate::schema::FieldId;
use crate::value::Value;

/// Events to which these adjusts apply and no others.
pub(super) struct Adjusted {
    pub(super) part: Part,
    pub(super) becomes: Becomes,
}

/// What becomes of them.
pub(super) enum Becomes {
    /// The adjusts set one field differently: it is for the people of `unreadable`, or denied.
    Clash,
    /// They are decided again.
    Again {
        /// Where the changed event is denied.
        denied: Vec<Part>,
        /// Where a team is asked about it.
        asked: Vec<(TeamId, Part)>,
    },
}

impl OfKind<'_> {
    /// By which adjusts apply; nothing where it takes more than the event as it came to tell.
    pub(super) fn adjusted(&self, matrix: &Matrix) -> Option<&[Adjusted]> {
        let adjusted = self.adjusted.get_or_init(|| self.follow(matrix));
        adjusted.as_deref()
    }

    fn follow(&self, matrix: &Matrix) -> Option<Vec<Adjusted>> {
        let rules = self.rules(matrix);
        let adjusts = rules.filter_map(|(rule, of)| match &rule.effect {
            Effect::Adjust(sets) => Some((&**sets, &of.applies.node)),
            Effect::Allow | Effect::Deny => None,
        });
        let adjusts: Vec<Adjust<'_>> = adjusts.collect();
        let all = self.prover.space.together(&adjusts)?.into_iter();
        let all = all.map(|Together { node, set, .. }| {
            let becomes = match &set {
                None => Becomes::Clash,
                Some(set) => self.again(matrix, set)?,
            };
            let part = self.prover.part(node);
            Some(Adjusted { part, becomes })
        });
        all.collect()
    }

    /// What has to do with events whose fields are set, and had nothing to do with them before.
    fn again(&self, matrix: &Matrix, set: &[(FieldId, &Value)]) -> Option<Becomes> {
        let (space, with) = (&self.prover.space, With::Set(set));
        let (mut denied, mut asked) = (Vec::new(), Vec::new());
        let unsure = |yes: &Node, maybe: &Node| Node::all(vec![maybe.clone(), space.not(yes)]);
        for (lane, _) in self.lanes(matrix).filter(|(lane, _)| lane.trial.is_none()) {
            let parts = [Some(&lane.when), lane.unless.as_ref()];
            let asks = parts.into_iter().flatten();
            match asks.map(|part| space.asks(0, part, set)).max() {
                Some(Asks::Beyond) => return None,
                Some(Asks::Of) => {}
                // It had nothing to do with the event before.
                Some(Asks::Not) | None => continue,
            }
            let rails = trigger_with(space, 0, &lane.when, lane.unless.as_ref(), with);
            if lane.unsure == Unsure::Deny {
                denied.push(self.prover.part(unsure(&rails.yes, &rails.maybe)));
            }
            let attaches = match lane.unsure {
                Unsure::Escalate => rails.maybe,
                Unsure::Deny | Unsure::Skip(_) => rails.yes,
            };
            asked.push((lane.terms.owner, self.prover.part(attaches)));
        }
        let denies = |(rule, _): &(&Rule, _)| rule.effect == Effect::Deny;
        for (rule, _) in self.rules(matrix).filter(denies) {
            match space.asks(0, &rule.when, set) {
                Asks::Beyond => return None,
                Asks::Of => {}
                Asks::Not => continue,
            }
            let rails = space.rails_with(0, &rule.when, with);
            match &matrix.unreadable {
                None => denied.push(self.prover.part(rails.maybe)),
                Some(terms) => {
                    denied.push(self.prover.part(rails.yes));
                    asked.push((terms.owner, self.prover.part(rails.maybe)));
                }
            }
        }
        Some(Becomes::Again { denied, asked })
    }
}
