//! The lane `ops_failure` of `matrices/agent-operations` over an hour of operations with a retry storm.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "support/operations.rs"]
mod operations;

use std::process::Command;

use operations::hour;

const MATRIX: &str = "matrices/agent-operations";

fn laneway(args: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_laneway"))
        .args(args)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn the_lane_fires_on_the_fourth_retry_of_the_storm() {
    for seed in [20_261_120, 7, 8] {
        let hour = hour(seed);
        assert!(hour.lines.len() > 5_000);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hour.ndjson");
        std::fs::write(&path, hour.lines.join("\n") + "\n").unwrap();
        let path = path.to_str().unwrap();

        let decided = laneway(&["decide", MATRIX, path, "--format=json"]);
        let mut fired: Vec<String> = Vec::new();
        for line in decided.lines() {
            let decision: serde_json::Value = serde_json::from_str(line).unwrap();
            let mut lanes = decision["lanes"].as_array().into_iter().flatten();
            let lane = lanes.find(|lane| lane["lane"] == "ops_failure");
            let Some(lane) = lane else { continue };
            assert_eq!(lane["state"], "fired", "{line}");
            assert_eq!(lane["group"]["workflow"], hour.workflow);
            fired.push(decision["event"].as_str().unwrap().to_owned());
        }
        // The fourth retry is the first that is more than three; heartbeats see the window too.
        assert_eq!(fired.first(), hour.storm.get(3), "seed {seed}");
        assert!(
            hour.storm[3..].iter().all(|id| fired.contains(id)),
            "seed {seed}"
        );

        let fourth = &hour.storm[3];
        let explained = laneway(&["explain", MATRIX, path, "--id", fourth, "--format=json"]);
        let explained: serde_json::Value = serde_json::from_str(&explained).unwrap();
        let lanes = explained["explanation"]["lanes"].as_array().unwrap();
        let lane = lanes
            .iter()
            .find(|lane| lane["name"] == "ops_failure")
            .unwrap();
        let window = &lane["because"][0]["window"];
        assert_eq!(window["value"], "4");
        assert_eq!(window["threshold"], "3");
        let ids = window["events"].as_array().unwrap().iter();
        let ids: Vec<&str> = ids.map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(
            ids,
            hour.storm[..4]
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
        );

        let text = laneway(&["explain", MATRIX, path, "--id", fourth]);
        assert!(text.contains("saw 4, threshold 3"), "{text}");
        for id in &hour.storm[..4] {
            assert!(text.contains(&format!("{id} at 2026-11-20T")), "{text}");
        }
    }
}
