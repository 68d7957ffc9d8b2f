//! What a decision demands, and whether another demands more.
//!
//! In: two decisions, each as its [`Demands`]. Out: why the second is [`Stricter`], if it is.
//! Invariant: where the new one is not stricter, whatever was enough for the old one is enough for the
//! new one.
//! Knows nothing of votes, nor of why an event is decided twice.
//!
//! # The order
//! Deny is stricter than escalate, that than adjust, that than allow. Of two escalations the new one is
//! stricter if it demands a sign-off that the old one lacks (another lane, another team, a larger
//! quorum), or a larger hold in some scope.
//!
//! "Not stricter" is a preorder: nothing is stricter than itself, and what is not stricter than
//! something that is not stricter than a third is not stricter than the third. "Stricter" is the opposite
//! of it and no order of its own: of two escalations with different lanes each is stricter than the other,
//! because neither has the sign-off that the other asks for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decision::{Decision, Hold, Holds, Scope, Verdict};
use crate::matrix::Matrix;

/// What a decision demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demands {
    /// The verdict.
    pub verdict: Verdict,
    /// The sign-offs, the primary lane's first; none unless the verdict is to escalate.
    pub sign_offs: Vec<Demand>,
    /// What holds meanwhile; nothing unless the verdict is to escalate.
    pub holds: Holds,
}

/// One sign-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    /// The lane; `otherwise` and `unreadable` for theirs.
    pub lane: String,
    /// The team that owns it.
    pub team: String,
    /// How many of the team must agree.
    pub quorum: u32,
}

impl Demands {
    /// What a decision of that matrix demands.
    #[must_use]
    pub fn of(decision: &Decision, matrix: &Matrix) -> Self {
        let escalates = decision.verdict == Verdict::Escalate;
        // On deny and allow the attached lanes are listed, and nothing opens.
        let lanes = decision.lanes.iter().filter(|_| escalates);
        Self {
            verdict: decision.verdict,
            sign_offs: lanes
                .map(|lane| Demand {
                    lane: lane.lane.clone(),
                    team: lane.owner.clone(),
                    quorum: quorum(matrix, &lane.owner),
                })
                .collect(),
            holds: match escalates {
                true => decision.meanwhile,
                false => Holds::default(),
            },
        }
    }
}

/// A team that the matrix does not have, which no decision of that matrix names, has nobody to agree.
fn quorum(matrix: &Matrix, team: &str) -> u32 {
    let team = matrix.teams.iter().find(|known| known.name == team);
    team.map_or(u32::MAX, |team| team.quorum)
}

/// Why a decision is stricter than the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stricter {
    /// The verdict is.
    Verdict {
        /// Of the old decision.
        old: Verdict,
        /// Of the new one.
        new: Verdict,
    },
    /// A lane attaches that did not.
    Lane {
        /// What it demands.
        demand: Demand,
    },
    /// A lane asks another team.
    Team {
        /// Which it asked.
        old: String,
        /// What it demands.
        demand: Demand,
    },
    /// A lane asks more people.
    Quorum {
        /// How many it asked.
        old: u32,
        /// What it demands.
        demand: Demand,
    },
    /// A hold is larger.
    Hold {
        /// What it covers.
        scope: Scope,
        /// The old one, if there was one.
        old: Option<Hold>,
        /// The new one.
        new: Hold,
    },
}

impl fmt::Display for Stricter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verdict { old, new } => {
                write!(
                    f,
                    "the verdict is {} and was {}",
                    new.as_str(),
                    old.as_str()
                )
            }
            Self::Lane { demand } => write!(
                f,
                "lane `{}` demands a sign-off of `{}` and did not before",
                demand.lane, demand.team
            ),
            Self::Team { old, demand } => write!(
                f,
                "lane `{}` demands a sign-off of `{}` and before of `{old}`",
                demand.lane, demand.team
            ),
            Self::Quorum { old, demand } => write!(
                f,
                "lane `{}` demands {} of `{}` and before {old}",
                demand.lane, demand.quorum, demand.team
            ),
            Self::Hold { scope, old, new } => write!(
                f,
                "the hold of the {} is {} and was {}",
                scope.as_str(),
                new.as_str(),
                old.map_or("none", Hold::as_str)
            ),
        }
    }
}

/// Why `new` is stricter than `old`, the weightiest reason first; `None` where it is not.
#[must_use]
pub fn stricter(old: &Demands, new: &Demands) -> Option<Stricter> {
    if new.verdict != old.verdict {
        let (old, new) = (old.verdict, new.verdict);
        return (new > old).then_some(Stricter::Verdict { old, new });
    }
    if new.verdict != Verdict::Escalate {
        return None;
    }
    let lacking = new.sign_offs.iter().find_map(|demand| lacks(old, demand));
    lacking.or_else(|| larger_hold(old.holds, new.holds))
}

/// What of a sign-off is not among those of before.
fn lacks(old: &Demands, demand: &Demand) -> Option<Stricter> {
    let of_lane = || old.sign_offs.iter().filter(|old| old.lane == demand.lane);
    let of_team = || of_lane().filter(|old| old.team == demand.team);
    let most = of_team().map(|old| old.quorum).max();
    if most.is_some_and(|old| old >= demand.quorum) {
        return None;
    }
    let demand = demand.clone();
    Some(match (most, of_lane().next()) {
        (Some(old), _) => Stricter::Quorum { old, demand },
        (None, Some(old)) => Stricter::Team {
            old: old.team.clone(),
            demand,
        },
        (None, None) => Stricter::Lane { demand },
    })
}

/// The widest scope first.
fn larger_hold(old: Holds, new: Holds) -> Option<Stricter> {
    let scopes = [
        (Scope::System, old.system, new.system),
        (Scope::Workflow, old.workflow, new.workflow),
        (Scope::Item, old.item, new.item),
    ];
    scopes.into_iter().find_map(|(scope, old, new)| {
        let new = new.filter(|new| old.is_none_or(|old| *new > old))?;
        Some(Stricter::Hold { scope, old, new })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::{Options, check_text};

    fn demands(verdict: Verdict, sign_offs: &[(&str, &str, u32)], hold: Hold) -> Demands {
        let sign_offs = sign_offs.iter().map(|(lane, team, quorum)| Demand {
            lane: (*lane).to_owned(),
            team: (*team).to_owned(),
            quorum: *quorum,
        });
        Demands {
            verdict,
            sign_offs: sign_offs.collect(),
            holds: Holds::of(hold, Scope::Workflow),
        }
    }

    #[test]
    fn each_way_to_be_stricter_is_named() {
        use Verdict::{Adjust, Allow, Deny, Escalate};
        let old = demands(Escalate, &[("a", "ops", 2)], Hold::Hold);
        let of = |sign_offs: &[_], hold| stricter(&old, &demands(Escalate, sign_offs, hold));
        let text = |why: Option<Stricter>| why.map_or(String::new(), |why| why.to_string());
        for (why, wanted) in [
            (of(&[("a", "ops", 2)], Hold::Hold), ""),
            (of(&[("a", "ops", 1)], Hold::Park), ""),
            (of(&[], Hold::Hold), ""),
            (
                of(&[("a", "ops", 2), ("b", "ops", 1)], Hold::Hold),
                "lane `b` demands a sign-off of `ops` and did not before",
            ),
            (
                of(&[("a", "law", 1)], Hold::Hold),
                "lane `a` demands a sign-off of `law` and before of `ops`",
            ),
            (
                of(&[("a", "ops", 3)], Hold::Hold),
                "lane `a` demands 3 of `ops` and before 2",
            ),
            (
                of(&[("a", "ops", 2)], Hold::Block),
                "the hold of the workflow is block and was hold",
            ),
            (
                stricter(&old, &demands(Deny, &[], Hold::Continue)),
                "the verdict is deny and was escalate",
            ),
            (stricter(&old, &demands(Adjust, &[], Hold::Deny)), ""),
            (stricter(&old, &demands(Allow, &[], Hold::Deny)), ""),
        ] {
            assert_eq!(text(why), wanted);
        }
        let mut system = old.clone();
        system.holds.system = Some(Hold::Continue);
        assert_eq!(
            text(stricter(&old, &system)),
            "the hold of the system is continue and was none"
        );
    }

    #[test]
    fn a_decision_demands_the_sign_offs_of_its_lanes_only_where_it_escalates() {
        let text = r#"matrix "Two" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable escalate to ops
}
event call {
  user: text
  amount: whole number
}
team ops {
  first person "o@acme.example", person "p@acme.example"
  quorum 2 of 2
  backup group "g"
}
always deny never on call when amount > 100
lane large {
  on call
  when amount > 10
  owner ops
  urgency normal
  respond within 30m
  meanwhile hold workflow
  evidence {
    required input, action, trigger
  }
  timeout {
    after 2h deny
  }
}
"#;
        let matrix = check_text("m.lane", text, &Options::default()).into_matrix();
        let matrix = matrix.unwrap();
        let router = crate::Router::new(matrix.clone());
        let decide = |amount: &str| {
            let json = format!(r#"{{"kind": "call", "user": "u", "amount": {amount}}}"#);
            let decision = router.dry_run_json(json.as_bytes(), crate::Timestamp::UNIX_EPOCH);
            Demands::of(&decision, &matrix)
        };
        let escalated = demands(Verdict::Escalate, &[("large", "ops", 2)], Hold::Hold);
        assert_eq!(decide("11"), escalated);
        let denied = decide("101");
        assert_eq!((denied.verdict, denied.sign_offs.len()), (Verdict::Deny, 0));
        assert!(denied.holds.is_empty() && decide("1").sign_offs.is_empty());
        assert_eq!(decide("\"x\"").sign_offs[0].lane, "unreadable");
        let stored = serde_json::to_string(&escalated).unwrap();
        assert_eq!(
            stored,
            r#"{"verdict":"escalate","sign_offs":[{"lane":"large","team":"ops","quorum":2}],"holds":{"item":"hold","workflow":"hold"}}"#
        );
        assert_eq!(serde_json::from_str::<Demands>(&stored).unwrap(), escalated);
    }

    fn any_demands() -> impl Strategy<Value = Demands> {
        let verdict = prop::sample::select(vec![
            Verdict::Allow,
            Verdict::Adjust,
            Verdict::Escalate,
            Verdict::Escalate,
            Verdict::Escalate,
            Verdict::Deny,
        ]);
        let demand = (0..3u8, 0..2u8, 1..3u32).prop_map(|(lane, team, quorum)| Demand {
            lane: format!("l{lane}"),
            team: format!("t{team}"),
            quorum,
        });
        let hold = prop::option::of(prop::sample::select(vec![
            Hold::Slow,
            Hold::Hold,
            Hold::Deny,
        ]));
        let holds = (hold.clone(), hold.clone(), hold);
        let demands = (verdict, prop::collection::vec(demand, 0..3), holds);
        demands.prop_map(|(verdict, sign_offs, (item, workflow, system))| Demands {
            verdict,
            sign_offs,
            holds: Holds {
                item,
                workflow,
                system,
            },
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn nothing_is_stricter_than_itself(one in any_demands()) {
            prop_assert_eq!(stricter(&one, &one), None);
        }

        /// What was enough for the first is enough for all that is not stricter, however far on.
        #[test]
        fn not_stricter_goes_on(a in any_demands(), b in any_demands(), c in any_demands()) {
            if stricter(&a, &b).is_none() && stricter(&b, &c).is_none() {
                prop_assert_eq!(stricter(&a, &c), None);
            }
        }

        #[test]
        fn of_two_verdicts_exactly_one_is_stricter(a in any_demands(), b in any_demands()) {
            let (up, down) = (stricter(&a, &b).is_some(), stricter(&b, &a).is_some());
            if a.verdict != b.verdict {
                prop_assert_eq!(up, b.verdict > a.verdict);
                prop_assert!(up != down);
            } else if a.verdict != Verdict::Escalate {
                prop_assert!(!up && !down);
            }
        }

        /// Whatever is demanded beyond the old is stricter, and less of it is not.
        #[test]
        fn one_more_demand_is_stricter(old in any_demands(), team in 0..9u8) {
            let mut new = old.clone();
            new.sign_offs.push(Demand { lane: "new".to_owned(), team: format!("t{team}"), quorum: 1 });
            prop_assert_eq!(stricter(&old, &new).is_some(), old.verdict == Verdict::Escalate);
            prop_assert_eq!(stricter(&new, &old), None);
        }
    }
}
