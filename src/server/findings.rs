//! What there is to know of the matrix that decides: what its check found, lane by lane.
//!
//! In: the matrix, the bounds, the day. Out: findings with their places.
//! Invariant: it is looked at anew, by the texts that decide and not by those on the disk.
//! Knows no page.

use std::collections::BTreeMap;

use super::app::App;
use crate::check::Options;
use crate::clock::Timestamp;
use crate::desk::check_again;
use crate::diagnostic::Located;
use crate::matrix::{Lane, Matrix};
use crate::span::{Sources, Span};

/// What a check found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Within a lane, by its name.
    pub(super) lanes: BTreeMap<String, Vec<Located>>,
    /// Elsewhere.
    pub(super) others: Vec<Located>,
}

impl Findings {
    /// Of a matrix, on a day.
    pub(super) fn of(app: &App, matrix: &Matrix, now: Timestamp) -> Self {
        let options = Options {
            limits: app.config().limits.clone(),
            today: Some(now.with_timezone(&matrix.zone).date_naive()),
        };
        let loaded = check_again(matrix, &options);
        let mut findings = Self::default();
        let lanes = loaded.matrix.iter().flat_map(|matrix| &matrix.lanes);
        let lanes: Vec<(&Lane, Span)> = lanes
            .map(|lane| (lane, whole(lane, &loaded.sources)))
            .collect();
        for finding in loaded.diagnostics.iter() {
            let located = finding.locate(&loaded.sources);
            let is_in = |span: &Span| {
                span.file == finding.span.file
                    && (span.start..=span.end).contains(&finding.span.start)
            };
            match lanes.iter().find(|(_, span)| is_in(span)) {
                Some((lane, _)) => {
                    let of_lane = findings.lanes.entry(lane.name.clone());
                    of_lane.or_default().push(located);
                }
                None => findings.others.push(located),
            }
        }
        findings
    }
}

/// A lane from its head to the brace that ends it, which stands at the beginning of a line in the form that
/// `fmt` writes. In another form it is its head alone.
fn whole(lane: &Lane, sources: &Sources) -> Span {
    let source = sources.get(lane.head.file);
    let rest = source.and_then(|source| source.text().get(lane.head.start as usize..));
    let length = rest.and_then(|rest| rest.find("\n}"));
    let length = length.and_then(|length| u32::try_from(length).ok());
    let end = length.map(|length| lane.head.start.saturating_add(length));
    Span {
        end: end.unwrap_or(lane.head.end).max(lane.head.end),
        ..lane.head
    }
}
