//! Promises that an event breaks.

use super::{Asked, Came, OfKind, Shown, answer, shown, tell};
use crate::analysis::prover::Part;
use crate::analysis::space::Node;
use crate::analysis::ways::Budget;
use crate::analysis::{Answer, Grade, Question, came};
use crate::decision::{Decision, Verdict};
use crate::matrix::{Claim, Effect, Matrix, Otherwise, Promise};

/// Where a claim may be broken: among one of the first parts, or all events if there are none, and in none of the
/// second ones.
struct Broken<'k> {
    among: Option<Vec<&'k Part>>,
    but: Vec<&'k Part>,
}

impl Asked<'_, '_> {
    /// Promises that do not hold.
    pub(super) fn promises(&self, answers: &mut Vec<Answer>) {
        for promise in &self.matrix.promises {
            let budget = self.budget();
            let found = self.find_in(|kind| match promise.on.contains(&kind.kind.id) {
                true => self.breaks(kind, promise, &budget),
                false => Came::Never,
            });
            let title = &promise.title;
            let Some(grade) = found.grade() else { continue };
            let shown = found.shown();
            let message = match &shown {
                Some(shown) => {
                    let (verdict, by) = came(shown.decision());
                    let came = format!("{} by `{by}`", verdict.as_str());
                    format!("the promise `{title}` is broken: an event comes to {came}")
                }
                None if grade == Grade::NotConfirmed => {
                    format!("the promise `{title}` may be broken")
                }
                None => format!("it is not known whether the promise `{title}` holds"),
            };
            let answer = answer(Question::Promise, [title], promise.span, message, grade);
            tell(answers, answer, shown, format!("breaks: {title}"));
        }
    }

    /// An event of a kind that breaks a promise.
    fn breaks(&self, kind: &OfKind<'_>, promise: &Promise, budget: &Budget) -> Came {
        let space = &kind.prover.space;
        let condition = kind.prover.part(space.rails(0, &promise.when).yes);
        // A measure of the condition may need earlier events as well.
        let is_broken = |shown: &Shown| {
            is_broken(self.matrix, promise.claim, shown.decision())
                && shown::surely(self.matrix, shown, &promise.when)
        };
        let mut found = Came::Never;
        for Broken { among, but } in self.broken_in(kind, promise.claim) {
            // One of them, whichever.
            let among = among.map(|parts| {
                let parts = parts.into_iter().map(|part| part.node.clone());
                kind.prover.part(Node::any(parts.collect()))
            });
            let all: Vec<&Part> = [&condition].into_iter().chain(among.as_ref()).collect();
            found = found.or(self.find(kind, &all, &but, &is_broken, budget));
            if matches!(found, Came::Shown(_)) {
                break;
            }
        }
        found
    }

    /// Where a claim may be broken. An adjusted event is decided again, which only the matcher knows.
    fn broken_in<'k>(&'k self, kind: &'k OfKind<'_>, claim: Claim) -> Vec<Broken<'k>> {
        let matrix = self.matrix;
        let mut denied = kind.denied(matrix);
        denied.extend(kind.denied_unsure(matrix));
        let asked = self.asked(kind);
        let settled: Vec<&Part> = denied.iter().chain(&asked).copied().collect();
        let allowed: Vec<&Part> = kind.applying(matrix, |it| *it == Effect::Allow).collect();
        let is_adjust = |it: &Effect| matches!(it, Effect::Adjust(_));
        let adjusted: Vec<&Part> = kind.applying(matrix, is_adjust).collect();
        let ruled: Vec<&Part> = settled
            .iter()
            .chain(&adjusted)
            .chain(&allowed)
            .copied()
            .collect();
        let of = |among: Vec<&'k Part>, but: Vec<&'k Part>| Broken {
            among: Some(among),
            but,
        };
        let unless = |but: Vec<&'k Part>| Broken { among: None, but };
        let again = of(adjusted.clone(), settled.clone());
        match claim {
            Claim::Never(Verdict::Deny) => {
                let mut pairs = vec![of(denied, Vec::new()), again];
                if matches!(matrix.otherwise, Otherwise::Deny) {
                    pairs.push(unless(ruled));
                }
                pairs
            }
            Claim::Never(Verdict::Escalate) => {
                let mut pairs = vec![of(asked, denied), again];
                if matches!(matrix.otherwise, Otherwise::Escalate(_)) {
                    pairs.push(unless(ruled));
                }
                pairs
            }
            Claim::Never(Verdict::Adjust) => vec![again],
            Claim::Never(Verdict::Allow) => {
                let but = settled.into_iter().chain(adjusted).collect();
                match matrix.otherwise {
                    Otherwise::Allow => vec![unless(but)],
                    _ => vec![of(allowed, but)],
                }
            }
            Claim::Reaches(team) => {
                let mut kept = denied;
                for (lane, part) in kind.attaching(matrix) {
                    if lane.terms.owner == team {
                        kept.push(part);
                    }
                }
                let unreadable = matrix.unreadable.as_ref();
                if unreadable.is_some_and(|terms| terms.owner == team) {
                    kept.extend(kind.ruled_by_unreadable(matrix));
                }
                match &matrix.otherwise {
                    Otherwise::Escalate(terms) if terms.owner == team => {
                        let among = asked.into_iter().chain(allowed).chain(adjusted);
                        vec![of(among.collect(), kept)]
                    }
                    _ => vec![unless(kept)],
                }
            }
        }
    }

    /// Where some lane or `unreadable` brings a sign-off.
    fn asked<'k>(&'k self, kind: &'k OfKind<'_>) -> Vec<&'k Part> {
        let mut asked = kind.ruled_by_unreadable(self.matrix);
        let attaching = kind.attaching(self.matrix);
        asked.extend(attaching.into_iter().map(|(_, part)| part));
        asked
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
