//! Promises that an event breaks.

use std::cell::RefCell;

use super::{Asked, OfKind, Shown, Ways, answer, both};
use crate::analysis::cube::Cube;
use crate::analysis::space::Point;
use crate::analysis::ways::{Budget, Exhausted, Outside, outside, ways};
use crate::analysis::{Answer, Grade, Question, came};
use crate::decision::{Decision, Verdict};
use crate::matrix::{Claim, Effect, Matrix, Otherwise, Promise};

/// Cubes, and those that are left out of them.
type Pair = (Vec<Cube>, Vec<Cube>);

impl Asked<'_, '_> {
    /// Promises that do not hold.
    pub(super) fn promises(&self, answers: &mut Vec<Answer>) {
        for promise in &self.matrix.promises {
            let over = (self.patience)();
            let budget = Budget::new(&*over);
            let mut grade = Grade::Proved;
            let mut broken = None;
            let kinds = self.kinds.iter();
            for kind in kinds.filter(|kind| promise.on.contains(&kind.kind.id)) {
                match self.breaks(kind, promise, &budget) {
                    Ok(Some(shown)) => {
                        broken = Some(shown);
                        break;
                    }
                    Ok(None) if kind.impossible() == Grade::Proved => {}
                    _ => grade = Grade::NotDecided,
                }
            }
            let title = &promise.title;
            let (grade, message) = match &broken {
                Some(shown) => {
                    let (verdict, by) = came(&shown.decision);
                    let came = format!("{} by `{by}`", verdict.as_str());
                    let message =
                        format!("the promise `{title}` is broken: an event comes to {came}");
                    (Grade::Confirmed, message)
                }
                None if grade == Grade::Proved => continue,
                None => {
                    let message = format!("it is not known whether the promise `{title}` holds");
                    (grade, message)
                }
            };
            let mut answer = answer(Question::Promise, [title], promise.span, message, grade);
            let title = format!("breaks: {title}");
            answer.witness = broken.map(|shown| self.witness(shown, &title));
            answers.push(answer);
        }
    }

    /// An event of a kind that breaks a promise.
    fn breaks(
        &self,
        kind: &OfKind<'_>,
        promise: &Promise,
        budget: &Budget<'_>,
    ) -> Result<Option<Shown>, Exhausted> {
        let space = &kind.space;
        let condition = ways(space, &space.rails(0, &promise.when).yes, budget)?;
        let found = RefCell::new(None);
        let takes = |point: &Point| match self.decide(kind, point) {
            Some(shown) if is_broken(self.matrix, promise.claim, &shown.decision) => {
                *found.borrow_mut() = Some(shown);
                true
            }
            _ => false,
        };
        let mut unsure = false;
        for (among, but) in self.broken_in(kind, promise.claim)? {
            for cube in &condition {
                for both in among.iter().filter_map(|with| cube.and(with)) {
                    match outside(space, &both, &but, &takes, budget) {
                        Outside::Some(_) => return Ok(found.into_inner()),
                        Outside::None => {}
                        Outside::Unknown => unsure = true,
                    }
                }
            }
        }
        if unsure { Err(Exhausted) } else { Ok(None) }
    }

    /// Where a claim is broken: among the first cubes, but for the second ones, of each pair. An adjusted event is
    /// decided again, which only the evaluator knows.
    fn broken_in(&self, kind: &OfKind<'_>, claim: Claim) -> Result<Vec<Pair>, Exhausted> {
        let denied = both(kind.denied.clone(), &kind.denied_unsure)?;
        let asked = self.asked(kind)?;
        let settled = both(Ok(denied.clone()), &Ok(asked.clone()))?;
        let allowed = self.applying(kind, &Effect::Allow)?;
        let adjusted = self.adjusting(kind)?;
        let all = || vec![Cube::all()];
        let ruled = || -> Ways {
            let settled = both(Ok(settled.clone()), &Ok(adjusted.clone()));
            both(settled, &Ok(allowed.clone()))
        };
        let again = (adjusted.clone(), settled.clone());
        Ok(match claim {
            Claim::Never(Verdict::Deny) => {
                let mut pairs = vec![(denied, Vec::new()), again];
                if matches!(self.matrix.otherwise, Otherwise::Deny) {
                    pairs.push((all(), ruled()?));
                }
                pairs
            }
            Claim::Never(Verdict::Escalate) => {
                let mut pairs = vec![(asked, denied), again];
                if matches!(self.matrix.otherwise, Otherwise::Escalate(_)) {
                    pairs.push((all(), ruled()?));
                }
                pairs
            }
            Claim::Never(Verdict::Adjust) => vec![again],
            Claim::Never(Verdict::Allow) => {
                let but = both(Ok(settled), &Ok(adjusted))?;
                match self.matrix.otherwise {
                    Otherwise::Allow => vec![(all(), but)],
                    _ => vec![(allowed, but)],
                }
            }
            Claim::Reaches(team) => {
                let mut kept: Ways = Ok(denied);
                for (lane, ways) in self.matrix.lanes.iter().zip(&kind.attaches) {
                    if lane.terms.owner == team && lane.trial.is_none() {
                        kept = both(kept, ways);
                    }
                }
                let unreadable = self.matrix.unreadable.as_ref();
                if unreadable.is_some_and(|terms| terms.owner == team) {
                    kept = both(kept, &kind.ruled_by_unreadable(self.matrix));
                }
                let among = match &self.matrix.otherwise {
                    Otherwise::Escalate(terms) if terms.owner == team => {
                        let asked = both(Ok(asked), &Ok(allowed));
                        both(asked, &Ok(adjusted))?
                    }
                    _ => all(),
                };
                vec![(among, kept?)]
            }
        })
    }

    /// Where some lane or `unreadable` brings a sign-off.
    fn asked(&self, kind: &OfKind<'_>) -> Ways {
        let mut asked = kind.ruled_by_unreadable(self.matrix);
        for (lane, ways) in self.matrix.lanes.iter().zip(&kind.attaches) {
            if lane.trial.is_none() {
                asked = both(asked, ways);
            }
        }
        asked
    }

    /// Where a rule of an effect surely applies.
    fn applying(&self, kind: &OfKind<'_>, effect: &Effect) -> Ways {
        self.rules_where(kind, |it| it == effect)
    }

    fn adjusting(&self, kind: &OfKind<'_>) -> Ways {
        self.rules_where(kind, |effect| matches!(effect, Effect::Adjust(_)))
    }

    fn rules_where(&self, kind: &OfKind<'_>, is: impl Fn(&Effect) -> bool) -> Ways {
        let rules = self.matrix.rules.iter().zip(&kind.applies);
        let mut all: Ways = Ok(Vec::new());
        for (_, (yes, _)) in rules.filter(|(rule, _)| is(&rule.effect)) {
            all = both(all, yes);
        }
        all
    }
}

fn is_broken(matrix: &Matrix, claim: Claim, decision: &Decision) -> bool {
    match claim {
        Claim::Never(verdict) => decision.verdict == verdict,
        Claim::Reaches(team) => {
            let team = matrix.team_name(team);
            let escalates = decision.verdict == Verdict::Escalate;
            let reaches = escalates && decision.lanes.iter().any(|lane| lane.owner == team);
            decision.verdict != Verdict::Deny && !reaches
        }
    }
}
