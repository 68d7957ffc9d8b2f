//! What measures are for an event, whoever keeps their windows.
//!
//! In: an event that is not counted yet. Out: [`Measured`].
//! Invariant: it is exact, or says why it is only a lower bound.

use serde::{Deserialize, Serialize};

use super::eval::Facts;
use super::interval::Interval;
use crate::clock::Timestamp;
use crate::decision::WindowEvent;
use crate::matrix::MeasureId;

/// What happened before an event, as its measures see it.
pub(crate) trait Windows: std::fmt::Debug {
    /// What a measure is for an event that counts at an instant, with that event if it is one that
    /// the measure counts; `None` where it cannot be told at all.
    fn measured(&self, facts: &Facts<'_>, id: MeasureId, instant: Timestamp) -> Option<Measured>;
}

/// What a measure is.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) interval: Interval,
    /// Why it is only a lower bound.
    pub(crate) partial: Option<Partial>,
    /// The last events that it was measured of, the oldest first.
    pub(crate) last: Vec<WindowEvent>,
}

/// Why a window does not hold all that it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Partial {
    /// An event came too late to be put in.
    Late,
    /// The window is full.
    Full,
    /// There are too many keys.
    Refused,
    /// Earlier events are lost.
    Lost,
    /// Other engines see a part of its events.
    Shared,
}

impl Partial {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Late => "an event came too late to be counted",
            Self::Full => "its window is full",
            Self::Refused => "it has more keys than are kept",
            Self::Lost => "earlier events are lost",
            Self::Shared => "other engines see a part of its events",
        }
    }
}
