//! How what a decision demands differs from what another demands.

use serde::Serialize;

use crate::decision::stricter::{Demand, Demands};
use crate::decision::{Holds, Verdict};

/// How what is demanded changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// The verdict that was.
    pub old: Verdict,
    /// The verdict that is.
    pub new: Verdict,
    /// What names the verdict now, where it is another one and nobody is asked.
    pub by: Option<String>,
    /// Sign-offs that are not demanded any more: `finance_approver (financial_risk)`. None where nobody is asked
    /// now, or was before.
    pub lost: Vec<String>,
    /// Those that were not demanded before.
    pub gained: Vec<String>,
    /// What held meanwhile, and what does, where that differs: `block item`.
    pub holds: Option<(String, String)>,
}

impl Change {
    /// From what a decision demanded to what another does; nothing where that is the same.
    #[must_use]
    pub fn between(old: &Demands, new: &Demands, by: &str) -> Option<Self> {
        let is_other = old.verdict != new.verdict;
        let beside = |these: &Demands, those: &Demands| -> Vec<String> {
            let demands = these.sign_offs.iter().filter(|_| !is_other);
            let demands = demands.filter(|demand| !those.sign_offs.contains(demand));
            let mut words: Vec<String> = demands.map(words).collect();
            words.sort();
            words
        };
        let change = Self {
            old: old.verdict,
            new: new.verdict,
            by: (is_other && new.verdict != Verdict::Escalate).then(|| by.to_owned()),
            lost: beside(old, new),
            gained: beside(new, old),
            holds: (!is_other && old.holds != new.holds)
                .then(|| (held(&old.holds), held(&new.holds))),
        };
        let is_one = is_other
            || !change.lost.is_empty()
            || !change.gained.is_empty()
            || change.holds.is_some();
        is_one.then_some(change)
    }
}

/// `2 of finance_approver (financial_risk)`.
fn words(demand: &Demand) -> String {
    let many = match demand.quorum {
        0 | 1 => String::new(),
        many => format!("{many} of "),
    };
    format!("{many}{} ({})", demand.team, demand.lane)
}

/// `block item`.
fn held(holds: &Holds) -> String {
    let each = [
        ("item", holds.item),
        ("workflow", holds.workflow),
        ("system", holds.system),
    ];
    let each = each
        .iter()
        .filter_map(|(scope, hold)| hold.map(|hold| format!("{} {scope}", hold.as_str())));
    let each: Vec<String> = each.collect();
    match each.is_empty() {
        true => "nothing".to_owned(),
        false => each.join(" and "),
    }
}
