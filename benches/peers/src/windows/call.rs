//! What is counted, and from when on it is too much.

/// One call of an agent. Instants are microseconds since 1970.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// The same for a call that is delivered again.
    pub id: String,
    pub agent: String,
    pub tenant: String,
    /// At least one.
    pub cents: u32,
    /// When it happened.
    pub at: i64,
    /// When it was delivered: the clock of whoever does not look at `at`.
    pub received: i64,
}

/// The window of every measure: what happened in `(t - WINDOW, t]` counts at `t`.
pub const WINDOW: i64 = 600 * SECOND;
/// How late a call may be and still be put in its place.
pub const LATENESS: i64 = 120 * SECOND;
pub const SECOND: i64 = 1_000_000;
/// The first instant of every stream, which a window of ten minutes begins at.
pub const START: i64 = 1_767_592_800 * SECOND;

/// Of each measure the most that is not too much.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub calls: u32,
    pub cents: u32,
    pub tenants: u32,
}

/// Count of calls, sum of amounts, distinct tenants: each by agent.
pub const MEASURES: [&str; 3] = ["count", "sum", "distinct"];

/// Whether a measure exceeds its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    No,
    Yes,
    /// It says that it does not know.
    Unsure,
    /// It has no such measure.
    Cannot,
}

impl From<bool> for Said {
    fn from(exceeded: bool) -> Self {
        match exceeded {
            true => Self::Yes,
            false => Self::No,
        }
    }
}

/// Of each measure in [`MEASURES`].
pub type Answer = [Said; 3];

impl Bounds {
    /// What stands in a window, held against the bounds.
    pub fn exceeded(&self, calls: usize, cents: u64, tenants: usize) -> Answer {
        [
            (calls > self.calls as usize).into(),
            (cents > u64::from(self.cents)).into(),
            (tenants > self.tenants as usize).into(),
        ]
    }
}
