//! Stand-in.
use crate::decision::{Decision, Holds, Verdict};
use crate::matrix::Matrix;
use std::fmt;
/// d
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Demands {
    /// v
    pub verdict: Verdict,
    /// s
    pub sign_offs: Vec<Demand>,
    /// h
    pub holds: Holds,
}
/// d
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Demand {
    /// l
    pub lane: String,
    /// t
    pub team: String,
    /// q
    pub quorum: u32,
}
impl Demands {
    /// d
    #[must_use]
    pub fn of(_decision: &Decision, _matrix: &Matrix) -> Self {
        Self {
            verdict: Verdict::Allow,
            sign_offs: Vec::new(),
            holds: Holds::default(),
        }
    }
}
/// why
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stricter(pub String);
impl fmt::Display for Stricter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
/// s
#[must_use]
pub fn stricter(old: &Demands, new: &Demands) -> Option<Stricter> {
    if new.verdict == Verdict::Deny && old.verdict != Verdict::Deny {
        return Some(Stricter("denied now".to_owned()));
    }
    new.sign_offs
        .iter()
        .find(|d| {
            !old.sign_offs
                .iter()
                .any(|o| o.lane == d.lane && o.team == d.team && o.quorum >= d.quorum)
        })
        .map(|d| Stricter(format!("lane `{}` is demanded now", d.lane)))
}
