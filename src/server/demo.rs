//! What a service for demonstrations begins with.
//!
//! In: `events.ndjson` beside the matrix. Out: a folder of its own; an escalation that waits.
//! Invariant: only a store that was made for demonstrations is begun so.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::access::Scope;
use super::api::decisions::{Asked, Given, open};
use super::app::{App, StartError};
use super::caller::Caller;
use super::problem::Problem;
use crate::decision::Verdict;
use crate::escalation::Principal;
use crate::files::config::{self, Config};
use crate::store::{Query, read};

/// What a demonstration keeps is beside nothing else.
pub(super) fn in_a_folder_of_its_own(
    config: &mut Config,
    has_store: bool,
) -> Result<(), StartError> {
    let folder = PathBuf::from("laneway-demo");
    std::fs::create_dir_all(&folder)
        .map_err(|error| StartError::Io(crate::files::shown(&folder), error))?;
    if !has_store {
        config.escalations.store = config::Store::File(folder.join("laneway.db"));
    }
    config.server.windows = folder.join("windows");
    let mut decisions = config.decisions.take().unwrap_or_default();
    decisions.log = folder.join("decisions");
    config.decisions = Some(decisions);
    Ok(())
}

/// Opens an escalation by the first event beside the matrix that escalates, where none waits. Which waits.
pub(super) fn begin(app: &App) -> Result<Option<String>, Problem> {
    let waiting = read(app.desk.store().as_ref(), |transaction| {
        transaction.page(&Query {
            pending: Some(true),
            limit: 1,
            ..Query::default()
        })
    })?;
    if let Some(one) = waiting.first() {
        return Ok(Some(one.id.clone()));
    }
    let Some(deciding) = app.deciding() else {
        return Ok(None);
    };
    let requester = Principal::parse("demo-service")
        .map_err(|error| Problem::unavailable("demo", error.to_string()))?;
    let caller = Caller::of_demo(app, requester, [Scope::Decide].into())?;
    let now = app.now()?;
    for event in events(app) {
        let event = event.into_bytes();
        let made = deciding.decide(&event, &caller.principal, now, false);
        if made.decision.verdict != Verdict::Escalate {
            continue;
        }
        let asked = Asked {
            agent: None,
            key: Some(format!("demo-{}", now.timestamp())),
            asks: true,
        };
        let (opened, ..) = open(app, made, Given::Bytes(&event), &caller, asked, now)?;
        return Ok(Some(opened.escalation.pinned.id.clone()));
    }
    Ok(None)
}

/// The events beside the matrix, without their instants: they happen now.
pub(super) fn events(app: &App) -> Vec<String> {
    let place = &app.started.matrix;
    let folder = match place.is_dir() {
        true => place.clone(),
        false => place
            .parent()
            .map(std::path::Path::to_owned)
            .unwrap_or_default(),
    };
    let mut text = Vec::new();
    if let Ok(file) = File::open(folder.join("events.ndjson")) {
        // What cannot be read is no example.
        let _ = file.take(BYTES).read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    let now_of = |line: &str| {
        let mut event: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).ok()?;
        // The others keep their order.
        event.shift_remove("at");
        event.shift_remove("id");
        serde_json::to_string(&event).ok()
    };
    text.lines().take(LINES).filter_map(now_of).collect()
}

/// Bytes of events that are looked at: the file may be a recorded year.
const BYTES: u64 = 1 << 20;

/// Lines of events that are looked at.
const LINES: usize = 200;
