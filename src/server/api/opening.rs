//! Opening an escalation for a decision, and noting a decision in the log.
//!
//! In: a decision with its matrix, who asks, the event. Out: what was opened, and whether it was logged.
//! Invariant: what opened once is logged once; a history that is not known is said to be missing.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::decision::recorded::{Came, Clock};
use crate::desk::{Ask, Decided, Opened};
use crate::engine::{Log, Made as Logged, without_history};
use crate::escalation::Principal;
use crate::reference::Times;
use crate::server::app::{App, Made};
use crate::server::caller::Caller;
use crate::server::problem::Problem;

/// How an escalation is asked for.
#[derive(Debug)]
pub(in crate::server) struct Asked {
    pub(in crate::server) agent: Option<Principal>,
    pub(in crate::server) key: Option<String>,
    pub(in crate::server) asks: bool,
}

/// An event as it was sent.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) enum Given<'a> {
    /// Bytes of which nothing is known.
    Bytes(&'a [u8]),
    /// JSON, of which nothing else is.
    Json(&'a RawValue),
}

impl<'a> Given<'a> {
    pub(in crate::server) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Json(json) => json.get().as_bytes(),
        }
    }

    fn json(self) -> Option<&'a RawValue> {
        match self {
            Self::Bytes(_) => None,
            Self::Json(json) => Some(json),
        }
    }
}

/// Opens an escalation for a decision, and logs it. What was joined is never allowed by that one's end.
pub(in crate::server) fn open(
    app: &App,
    mut made: Made,
    event: Given<'_>,
    caller: &Caller,
    asked: Asked,
    now: Timestamp,
) -> Result<(Opened, Made, Option<String>), Problem> {
    let history = earlier(app, &made, now).unwrap_or_else(|why| {
        made.say(|decision| without_history(decision, &why));
        Vec::new()
    });
    let ask = Ask {
        requester: caller.principal.clone(),
        agent: asked.agent,
        operator: None,
        key: asked.key,
        asks: asked.asks,
        event: event.bytes().to_vec(),
        history,
    };
    let decided = Decided {
        matrix: Arc::clone(&made.matrix),
        decision: made.decision.clone(),
        recorded: made.recorded.clone(),
        times: Times::received(now),
    };
    let opened = app.desk.open(&ask, &decided);
    let id = opened
        .as_ref()
        .ok()
        .map(|it| it.escalation.pinned.id.clone());
    let not_logged = match &opened {
        // It was logged when it was made first.
        Ok(opened) if opened.replayed => None,
        _ => note(app, &made, event, caller, id.as_deref(), now),
    };
    Ok((opened?, made, not_logged))
}

/// Earlier decisions on the same subject, or why they are not known.
fn earlier(
    app: &App,
    made: &Made,
    now: Timestamp,
) -> Result<Vec<crate::decision::HistoryEntry>, String> {
    match app.log().as_deref() {
        None => Err("laneway.toml has no `[decisions]`, so that none are logged".to_owned()),
        Some(Err(why)) => Err(why.clone()),
        Some(Ok(log)) => log.history(&made.decision, made.event.as_ref().ok(), now),
    }
}

/// Logs a decision. Gives back why it is not logged, where it should be.
pub(in crate::server) fn note(
    app: &App,
    made: &Made,
    event: Given<'_>,
    caller: &Caller,
    escalation: Option<&str>,
    now: Timestamp,
) -> Option<String> {
    let log = app.log();
    let log: &Log = match log.as_deref()? {
        Ok(log) => log,
        Err(why) => return Some(format!("{why}; the decision is not logged")),
    };
    let ready = log.ready(&Logged {
        received: now,
        clock: Clock::Received,
        came: Came::of(event.bytes()),
        json: event.json(),
        event: made.event.as_ref().map_err(AsRef::as_ref),
        decision: &made.decision,
        text: made.text(),
        escalation,
        by: Some(&caller.principal),
    });
    if let Some(ready) = ready {
        log.add(ready, now);
    }
    None
}
