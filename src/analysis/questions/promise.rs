//! Promises that an event breaks.

use super::adjusted::{Adjusted, Becomes};
use super::{Asked, Came, OfKind, Shown, answer, shown, tell};
use crate::analysis::prover::Part;
use crate::analysis::space::Node;
use crate::analysis::ways::Budget;
use crate::analysis::{Answer, Grade, Question, came};
use crate::decision::Verdict;
use crate::matrix::{Claim, Effect, Matrix, Otherwise, Promise, TeamId};

/// Where a claim may be broken: among one of each of the first parts, and in none of the second ones.
struct Broken<'k> {
    among: Vec<Vec<&'k Part>>,
    but: Vec<&'k Part>,
    /// Whether each event of it surely breaks the claim, measures aside.
    is_sure: bool,
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
            is_broken(self.matrix, promise.claim, shown)
                && shown::surely(self.matrix, shown, &promise.when)
        };
        // A lane that is taken to be on trial may not be any more when the event happens.
        let ends = kind
            .lanes(self.matrix)
            .any(|(lane, _)| lane.trial.is_some_and(|it| it.until.is_some()));
        let mut found = Came::Never;
        for Broken {
            among,
            but,
            is_sure,
        } in self.broken_in(kind, promise.claim)
        {
            // One of them, whichever.
            let among = among.into_iter().map(|parts| {
                let parts = parts.into_iter().map(|part| part.node.clone());
                kind.prover.part(Node::any(parts.collect()))
            });
            let among: Vec<Part> = among.collect();
            let all: Vec<&Part> = [&condition].into_iter().chain(&among).collect();
            let came = match self.find(kind, &all, &but, &is_broken, budget) {
                Came::Unconfirmed if !is_sure || ends => Came::Unknown,
                came => came,
            };
            found = found.or(came);
            if matches!(found, Came::Shown(_)) {
                break;
            }
        }
        found
    }

    /// Where a claim may be broken.
    fn broken_in<'k>(&'k self, kind: &'k OfKind<'_>, claim: Claim) -> Vec<Broken<'k>> {
        let mut broken = self.broken_as_it_comes(kind, claim);
        if kind.adjusting(self.matrix).next().is_some() {
            broken.extend(self.broken_adjusted(kind, claim));
        }
        broken
    }

    /// The same among events that no adjust changes.
    fn broken_as_it_comes<'k>(&'k self, kind: &'k OfKind<'_>, claim: Claim) -> Vec<Broken<'k>> {
        let matrix = self.matrix;
        let (denied, asked) = (self.denied(kind), self.asked(kind));
        let allowed: Vec<&Part> = kind.applying(matrix, |it| *it == Effect::Allow).collect();
        let adjusted: Vec<&Part> = kind.adjusting(matrix).collect();
        let all = |parts: &[&Vec<&'k Part>]| -> Vec<&'k Part> {
            parts.iter().copied().flatten().copied().collect()
        };
        let of = |among: Vec<Vec<&'k Part>>, but: Vec<&'k Part>| Broken {
            among,
            but,
            is_sure: true,
        };
        // To which `otherwise` comes, and to which it comes unless an `always allow` does.
        let ruled = all(&[&denied, &asked, &adjusted, &allowed]);
        let lenient = all(&[&denied, &asked, &adjusted]);
        match claim {
            Claim::Never(Verdict::Deny) => {
                let mut pairs = vec![of(vec![denied], Vec::new())];
                if matches!(matrix.otherwise, Otherwise::Deny) {
                    pairs.push(of(Vec::new(), ruled));
                }
                pairs
            }
            Claim::Never(Verdict::Escalate) => {
                let mut pairs = vec![of(vec![asked], denied)];
                if matches!(matrix.otherwise, Otherwise::Escalate(_)) {
                    pairs.push(of(Vec::new(), ruled));
                }
                pairs
            }
            Claim::Never(Verdict::Adjust) => Vec::new(),
            Claim::Never(Verdict::Allow) => match matrix.otherwise {
                Otherwise::Allow => vec![of(Vec::new(), lenient)],
                _ => vec![of(vec![allowed], lenient)],
            },
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
                let reaches = match &matrix.otherwise {
                    Otherwise::Escalate(terms) => terms.owner == team,
                    Otherwise::Deny => true,
                    Otherwise::Allow => false,
                };
                let among = match reaches {
                    true => vec![allowed],
                    false => Vec::new(),
                };
                // The plainest first.
                vec![of(among, lenient), of(vec![asked], kept)]
            }
        }
    }

    /// The same among events that adjusts change, which are decided again.
    fn broken_adjusted<'k>(&'k self, kind: &'k OfKind<'_>, claim: Claim) -> Vec<Broken<'k>> {
        let matrix = self.matrix;
        let settled: Vec<&Part> = [self.denied(kind), self.asked(kind)].concat();
        let Some(adjusted) = kind.adjusted(matrix) else {
            if claim == Claim::Never(Verdict::Allow) {
                return Vec::new();
            }
            // Some of them may: the matcher is asked, and where it shows none, nothing is known.
            return vec![Broken {
                among: vec![kind.adjusting(matrix).collect()],
                but: settled,
                is_sure: false,
            }];
        };
        let unreadable = matrix.unreadable.as_ref().map(|terms| terms.owner);
        let mut broken = Vec::new();
        for Adjusted { part, becomes } in adjusted {
            let of = |among: Option<Vec<&'k Part>>, but: Vec<&'k Part>| Broken {
                among: [Some(vec![part]), among].into_iter().flatten().collect(),
                but: [settled.clone(), but].concat(),
                is_sure: true,
            };
            let Becomes::Again { denied, asked } = becomes else {
                let is_broken = match claim {
                    Claim::Never(Verdict::Deny) => unreadable.is_none(),
                    Claim::Never(Verdict::Escalate) => unreadable.is_some(),
                    Claim::Never(Verdict::Adjust | Verdict::Allow) => false,
                    Claim::Reaches(team) => unreadable.is_some_and(|owner| owner != team),
                };
                broken.extend(is_broken.then(|| of(None, Vec::new())));
                continue;
            };
            let denied: Vec<&Part> = denied.iter().collect();
            let asks = |team: Option<TeamId>| -> Vec<&'k Part> {
                let asked = asked.iter();
                let asked = asked.filter(|(owner, _)| team.is_none_or(|team| *owner == team));
                asked.map(|(_, part)| part).collect()
            };
            broken.extend(match claim {
                Claim::Never(Verdict::Deny) => Some(of(Some(denied), Vec::new())),
                Claim::Never(Verdict::Escalate) => Some(of(Some(asks(None)), denied)),
                Claim::Never(Verdict::Adjust) => Some(of(None, [denied, asks(None)].concat())),
                Claim::Never(Verdict::Allow) => None,
                Claim::Reaches(team) => Some(of(None, [denied, asks(Some(team))].concat())),
            });
        }
        broken
    }

    /// Where a rule or an unsure lane denies.
    fn denied<'k>(&'k self, kind: &'k OfKind<'_>) -> Vec<&'k Part> {
        let mut denied = kind.denied(self.matrix);
        denied.extend(kind.denied_unsure(self.matrix));
        denied
    }

    /// Where some lane or `unreadable` brings a sign-off.
    fn asked<'k>(&'k self, kind: &'k OfKind<'_>) -> Vec<&'k Part> {
        let mut asked = kind.ruled_by_unreadable(self.matrix);
        let attaching = kind.attaching(self.matrix);
        asked.extend(attaching.into_iter().map(|(_, part)| part));
        asked
    }
}

fn is_broken(matrix: &Matrix, claim: Claim, shown: &Shown) -> bool {
    match claim {
        Claim::Never(verdict) => shown.verdict() == verdict,
        Claim::Reaches(team) => {
            let (team, decision) = (matrix.team_name(team), shown.decision());
            let escalates = decision.verdict == Verdict::Escalate;
            let reaches = escalates && decision.lanes.iter().any(|lane| lane.owner == team);
            decision.verdict != Verdict::Deny && !reaches
        }
    }
}
