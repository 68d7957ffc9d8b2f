//! What decides, and what it made of an event.
//!
//! In: a matrix with its settings, events as bytes. Out: decisions, with what they were made on.
//! Invariant: a decision is written as JSON once, and says then all that it will.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::StartError;
use crate::clock::Timestamp;
use crate::decision::Decision;
use crate::event::{Event, Unreadable};
use crate::files::config::Config;
use crate::matrix::Matrix;
use crate::reference::Recorded;
use crate::router::{Router, Settings};
use crate::server::telemetry;
use crate::store::{Durability, FileStore};

/// What decides.
#[derive(Debug)]
pub(in crate::server) struct Deciding {
    pub(in crate::server) router: Router,
    /// The windows, which outlive this process.
    _windows: Arc<FileStore>,
}

/// A decision with the matrix that made it.
#[derive(Debug)]
pub(in crate::server) struct Made {
    pub(in crate::server) matrix: Arc<Matrix>,
    /// How long it took.
    pub(in crate::server) took: Duration,
    pub(in crate::server) decision: Decision,
    pub(in crate::server) recorded: Recorded,
    /// The event as that matrix read it.
    pub(in crate::server) event: Result<Event, Box<Unreadable>>,
    text: OnceLock<Box<RawValue>>,
}

impl Made {
    /// The decision as JSON. It is written once: whatever is still to be said in the decision is said before.
    pub(in crate::server) fn text(&self) -> Option<&RawValue> {
        if let Some(text) = self.text.get() {
            return Some(text);
        }
        let text = serde_json::value::to_raw_value(&self.decision).ok()?;
        Some(self.text.get_or_init(|| text))
    }

    /// Says more in the decision.
    pub(in crate::server) fn say(&mut self, more: impl FnOnce(&mut Decision)) {
        more(&mut self.decision);
        self.text.take();
    }
}

impl Deciding {
    /// Decides an event, and counts it where that is asked for.
    pub(in crate::server) fn decide(
        &self,
        event: &[u8],
        by: &str,
        now: Timestamp,
        count: bool,
    ) -> Made {
        let receipt = crate::measure::Receipt {
            now,
            source: self.router.source(by),
        };
        let began = Instant::now();
        let made = match count {
            true => self.router.decide_recording(event, receipt),
            false => self.router.dry_run_recording(event, receipt),
        };
        let made = Made {
            took: began.elapsed(),
            matrix: made.matrix,
            decision: made.decision,
            recorded: made.recorded,
            event: made.event,
            text: OnceLock::new(),
        };
        telemetry::decided(&made);
        made
    }
}

pub(super) fn decide_by(
    matrix: Arc<Matrix>,
    config: &Config,
    now: Timestamp,
) -> Result<Deciding, StartError> {
    let settings = Settings {
        limits: config.limits.clone(),
        sources: config.sources.clone(),
        counts: config.measures.counts(&config.escalations.store),
    };
    let folder = &config.server.windows;
    let failed = |error| {
        let folder = crate::files::shown(folder);
        StartError::Io(format!("the windows of measures in `{folder}`"), error)
    };
    let windows = FileStore::open(folder, Durability::Process).map_err(failed)?;
    let windows = Arc::new(windows);
    let keeper = Arc::<FileStore>::clone(&windows);
    let (router, _) = Router::open(matrix, settings, keeper, now).map_err(failed)?;
    Ok(Deciding {
        router,
        _windows: windows,
    })
}
