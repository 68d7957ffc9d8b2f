//! An hour of operations events, with a retry storm in it.
//!
//! In: a seed. Out: events of `workflow_health` as JSON lines, in the order of their instants.
//! Invariant: outside of the storm no workflow retries more than three times within ten minutes, and
//! nothing else of the lane `ops_failure` is met.

use chrono::TimeDelta;
use fastrand::Rng;
use laneway::clock::{Timestamp, format_timestamp, parse_timestamp};

/// The hour, and where the storm is in it.
pub struct Hour {
    /// One event a line.
    pub lines: Vec<String>,
    /// The workflow that retries.
    pub workflow: String,
    /// The ids of its retries in the storm, in their order.
    pub storm: Vec<String>,
}

/// Seconds between two heartbeats of a workflow.
const HEARTBEAT: i64 = 15;

/// Workflows of the hour.
const WORKFLOWS: usize = 24;

/// The hour of a seed.
pub fn hour(seed: u64) -> Hour {
    let mut rng = Rng::with_seed(seed);
    let start = parse_timestamp("2026-11-20T09:00:00Z").expect("an instant");
    let mut events: Vec<(Timestamp, usize, &str)> = Vec::new();
    for workflow in 0..WORKFLOWS {
        let mut at = start + TimeDelta::milliseconds(rng.i64(0..HEARTBEAT * 1000));
        while at < start + TimeDelta::hours(1) {
            events.push((at, workflow, "heartbeat"));
            at += TimeDelta::milliseconds(HEARTBEAT * 1000 + rng.i64(-900..900));
        }
        // A retry now and then: never four within ten minutes.
        let mut at = start + TimeDelta::seconds(rng.i64(0..600));
        while at < start + TimeDelta::hours(1) {
            events.push((at, workflow, "retry"));
            at += TimeDelta::milliseconds(rng.i64(210_000..900_000));
        }
    }
    let stormy = rng.usize(0..WORKFLOWS);
    let storm_start = start + TimeDelta::milliseconds(rng.i64(2_000_000..2_400_000));
    let storm_end = storm_start + TimeDelta::minutes(10);
    // What there is of its usual retries close to the storm would blur where it begins.
    events.retain(|(at, workflow, signal)| {
        let near = *at > storm_start - TimeDelta::minutes(10) && *at < storm_end;
        !(*workflow == stormy && *signal == "retry" && near)
    });
    let mut at = storm_start;
    for _ in 0..7 {
        events.push((at, stormy, "storm"));
        at += TimeDelta::milliseconds(rng.i64(5_000..40_000));
    }
    events.sort_unstable();
    let mut hour = Hour {
        lines: Vec::new(),
        workflow: name(stormy),
        storm: Vec::new(),
    };
    for (n, (at, workflow, signal)) in events.into_iter().enumerate() {
        let id = format!("wh-{n:05}");
        if signal == "storm" {
            hour.storm.push(id.clone());
        }
        let signal = if signal == "heartbeat" {
            signal
        } else {
            "retry"
        };
        let queue = match signal {
            "heartbeat" => format!(
                r#", "queue": {{"backlog": {}, "deadLettersGrowth": 0}}"#,
                rng.u32(0..400)
            ),
            _ => String::new(),
        };
        hour.lines.push(format!(
            r#"{{"kind": "workflow_health", "id": "{id}", "at": "{}", "workflow": "{}", "signal": "{signal}"{queue}}}"#,
            format_timestamp(at),
            name(workflow),
        ));
    }
    hour
}

fn name(workflow: usize) -> String {
    format!("workflow-{workflow:02}")
}
