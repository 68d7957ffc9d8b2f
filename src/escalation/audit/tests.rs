//! Tests of the audit: its format is pinned, and changes are found.

mod changes;
mod faults;
mod format;

use crate::clock::{Timestamp, parse_timestamp};

use super::{Checkpoint, Digest, Head, Line, Payload, Report, Row, Salt, Verifier};
use super::{checkpoint, seal};

fn at(text: &str) -> Timestamp {
    parse_timestamp(text).unwrap()
}

/// A store as it is meant to be: rows are appended, and checkpoints made of what is new.
#[derive(Debug, Clone, Default)]
struct Store {
    rows: Vec<(Row, Payload)>,
    checkpoints: Vec<Checkpoint>,
    heads: Vec<Head>,
    touched: Vec<usize>,
    added: u64,
    seq: u64,
}

impl Store {
    /// Appends a row. Positions have gaps.
    fn append(&mut self, tenant: &str, escalation: &str, kind: &str, body: &str) {
        self.seq += 1 + self.seq % 3;
        let found = self
            .heads
            .iter()
            .position(|head| head.tenant == tenant && head.escalation == escalation);
        let place = found.unwrap_or_else(|| {
            self.heads.push(Head::start(tenant, escalation));
            self.heads.len() - 1
        });
        let salt = Salt([u8::try_from(self.seq % 251).unwrap(); 16]);
        let body = body.to_owned();
        let at = at("2026-01-07T12:00:00.25Z") + chrono::TimeDelta::seconds(self.rows.len() as i64);
        let row = self.heads[place].next(self.seq, at, kind, seal(salt, &body));
        self.heads[place] = row.head();
        self.rows.push((row, Payload::Kept { salt, body }));
        self.added += 1;
        if !self.touched.contains(&place) {
            self.touched.push(place);
        }
    }

    /// Erases the payload of a row, and says so.
    fn erase(&mut self, row: usize) {
        self.rows[row].1 = erased();
        let row = self.rows[row].0.clone();
        self.append(&row.tenant, &row.escalation, "erased", "asked for");
    }

    /// Makes a checkpoint up to the last row.
    fn pin(&mut self) {
        let heads: Vec<Head> = self
            .touched
            .drain(..)
            .map(|place| self.heads[place].clone())
            .collect();
        let made = checkpoint(
            self.checkpoints.last(),
            &heads,
            self.seq,
            self.added,
            at("2026-01-08T00:00:00Z"),
        );
        self.added = 0;
        self.checkpoints.push(made);
    }

    /// The lines of its export.
    fn export(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut checkpoints = self.checkpoints.iter().peekable();
        for (row, payload) in &self.rows {
            while let Some(checkpoint) = checkpoints.next_if(|next| next.seq < row.seq) {
                lines.push(Line::Checkpoint(checkpoint.clone()));
            }
            lines.push(Line::Row {
                row: row.clone(),
                payload: payload.clone(),
            });
        }
        lines.extend(checkpoints.cloned().map(Line::Checkpoint));
        lines
    }

    /// Two escalations of three rows each, a third one between two checkpoints, and a row behind them.
    fn small() -> Self {
        let mut store = Self::default();
        for kind in ["opened", "voted", "approved"] {
            store.append("main", "e1", kind, &format!("{{\"e1\":\"{kind}\"}}"));
            store.append("main", "e2", kind, "");
        }
        store.pin();
        store.append("main", "e1", "consumed", "by the caller");
        store.append("main", "e3", "opened", "grüße");
        store.pin();
        store.append("main", "e3", "cancelled", "never mind");
        store
    }
}

fn erased() -> Payload {
    Payload::Erased {
        at: at("2026-02-01T00:00:00Z"),
        by: "privacy".to_owned(),
        why: "asked for".to_owned(),
    }
}

fn verify(lines: &[Line], kept: &[Checkpoint]) -> Report {
    let mut verifier = Verifier::new(kept.to_vec());
    for line in lines {
        verifier.line(line);
    }
    verifier.end()
}

/// The same with all checkpoints at the start.
fn verify_checkpoints_first(lines: &[Line], kept: &[Checkpoint]) -> Report {
    let mut verifier = Verifier::new(kept.to_vec());
    verifier.checkpoints(lines.iter().filter_map(|line| match line {
        Line::Checkpoint(checkpoint) => Some(checkpoint.clone()),
        Line::Row { .. } => None,
    }));
    for line in lines {
        if let Line::Row { row, payload } = line {
            verifier.row(row, payload);
        }
    }
    verifier.end()
}

fn zeros() -> Digest {
    Digest::default()
}
