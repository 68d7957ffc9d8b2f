//! Stand-in.
use crate::clock::Duration;
/// Bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// g
    pub grant_lapses_after: Duration,
    /// l
    pub longest: Duration,
    /// g
    pub open_per_group: u32,
    /// r
    pub open_per_requester: u32,
}
impl Default for Policy {
    fn default() -> Self {
        Self {
            grant_lapses_after: Duration::from_minutes(15),
            longest: Duration::from_minutes(30 * 24 * 60),
            open_per_group: 20,
            open_per_requester: 1000,
        }
    }
}
