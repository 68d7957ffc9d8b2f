//! A comparison as every face shows it.
//!
//! In: what changed, and what recorded events say of it. Out: regions in the order in which they are shown, with
//! their words.
//! Invariant: all faces say the same; each makes words of a matrix harmless by itself.

use std::cmp::Reverse;
use std::path::Path;

use serde::Serialize;

use super::weigh::{Elsewhere, Weights};
use crate::analysis::{Change, Changed, Diff, Direction};
use crate::cli::render::count;
use crate::cli::replay::{number, share};
use crate::clock::format_timestamp;
use crate::files::shown;
use crate::matrix::Matrix;
use crate::replay::summary::Part;
use crate::words::page::Text;

/// Parts of a condition that a person is shown.
const PARTS: usize = 4;

#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    pub(super) old: Side<'a>,
    pub(super) new: Side<'a>,
    pub(super) is_whole: bool,
    pub(super) notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recorded: Option<Weights>,
    pub(super) regions: Vec<Region<'a>>,
}

/// One of the matrices.
#[derive(Debug, Serialize)]
pub(super) struct Side<'a> {
    /// As it was named.
    pub(super) path: String,
    pub(super) name: &'a str,
    pub(super) digest: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Region<'a> {
    pub(super) kind: &'a str,
    pub(super) direction: Direction,
    /// Whether something that was demanded is not any more.
    pub(super) loses: bool,
    #[serde(flatten)]
    pub(super) change: &'a Change,
    pub(super) when: &'a [String],
    at: String,
    /// To put into the new matrix.
    pub(super) scenario: String,
    /// How many recorded events are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recorded: Option<Part>,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        old: (&Path, &'a Matrix),
        new: (&Path, &'a Matrix),
        diff: &'a Diff,
        recorded: Option<Weights>,
    ) -> Self {
        let weight = |at: usize| {
            let weights = recorded.as_ref()?;
            let events = weights.by_region.get(at).copied().unwrap_or_default();
            Some(weights.of(events))
        };
        let regions = diff.changed.iter().enumerate();
        let regions = regions.map(|(at, changed)| Region::new(changed, weight(at)));
        let mut regions: Vec<Region<'_>> = regions.collect();
        // Those of one direction that no event tells apart stay as they are.
        let events = |region: &Region<'_>| region.recorded.map_or(0, |part| part.events);
        regions.sort_by_key(|region| (region.direction, Reverse(events(region))));
        Self {
            old: Side::new(old),
            new: Side::new(new),
            is_whole: diff.is_whole,
            notes: &diff.notes,
            recorded,
            regions,
        }
    }

    /// Whether something that was demanded is not any more: of an event that can be, or of one that was.
    pub(super) fn loses(&self) -> bool {
        let elsewhere = self.elsewhere().iter().any(|it| it.loses);
        elsewhere || self.regions.iter().any(|region| region.loses)
    }

    /// What recorded events changed in no region.
    pub(super) fn elsewhere(&self) -> &[Elsewhere] {
        let recorded = self.recorded.as_ref();
        recorded.map_or(&[], |weights| &weights.elsewhere)
    }

    /// `2 regions: 1 looser, 1 tighter`.
    pub(super) fn summary(&self) -> String {
        let all = self.regions.len();
        if all == 0 {
            let whole = match self.is_whole {
                true => "",
                false => ", but not all was compared",
            };
            return format!("no event is decided otherwise{whole}");
        }
        let of = |direction: Direction| {
            let regions = self.regions.iter();
            let many = regions.filter(|it| it.direction == direction).count();
            (many > 0).then(|| format!("{many} {}", direction.as_str()))
        };
        let each = [Direction::Looser, Direction::Tighter, Direction::Different];
        let each: Vec<String> = each.into_iter().filter_map(of).collect();
        format!("{}: {}", count(all, "region"), each.join(", "))
    }

    /// What the recorded events say, a sentence each.
    pub(super) fn recorded(&self) -> Vec<String> {
        let Some(weights) = &self.recorded else {
            return Vec::new();
        };
        let mut said = vec![format!(
            "{} {} decided otherwise",
            of_recorded(weights.of(weights.changed)),
            match weights.changed {
                1 => "is",
                _ => "are",
            }
        )];
        if weights.unreadable > 0 {
            said.push(format!(
                "{} cannot be read by either matrix, and count for no region",
                of_recorded(weights.of(weights.unreadable))
            ));
        }
        if weights.read_by_one > 0 {
            said.push(format!(
                "{} can be read by one of the matrices only, and count for no region",
                of_recorded(weights.of(weights.read_by_one))
            ));
        }
        if weights.is_sampled {
            said.push(
                "the log has only a part of what was decided; its lines are counted".to_owned(),
            );
        }
        said
    }
}

impl<'a> Side<'a> {
    fn new((path, matrix): (&Path, &'a Matrix)) -> Self {
        Self {
            path: shown(path),
            name: &matrix.name,
            digest: &matrix.digest,
        }
    }
}

impl<'a> Region<'a> {
    fn new(changed: &'a Changed, recorded: Option<Part>) -> Self {
        Self {
            kind: &changed.kind,
            direction: changed.direction,
            loses: changed.loses,
            change: &changed.change,
            when: &changed.when,
            at: format_timestamp(changed.witness.at()),
            scenario: changed.witness.line(),
            recorded,
        }
    }

    /// The first parts of a condition, and how many there are beside them.
    pub(super) fn parts(&self) -> (&[String], Option<String>) {
        let shown = self.when.get(..PARTS).unwrap_or(self.when);
        let more = self.when.len() - shown.len();
        (shown, (more > 0).then(|| count(more, "further part")))
    }
}

/// Why recorded events can have changed in no region.
pub(super) const ELSEWHERE: &str = "decided otherwise, and in no region: measures count what came before, and a region \
                                    is shown by what one event has, or not all was compared";

/// `14 of 2,000 recorded events (0.7 %)`.
pub(super) fn of_recorded(part: Part) -> String {
    of(part, " recorded events")
}

/// `14 of 2,000 (0.7 %)`, where it is said elsewhere of what.
pub(super) fn of_all(part: Part) -> String {
    of(part, "")
}

fn of(part: Part, what: &str) -> String {
    let (events, all) = (number(part.events), number(part.of));
    format!("{events} of {all}{what} ({})", share(part))
}

/// `escalate -> allow by otherwise`, `escalate, without finance_approver (financial_risk)`.
pub(super) fn change(change: &Change) -> Text {
    let (old, new) = (change.old.as_str(), change.new.as_str());
    let mut words = match (&change.by, old == new) {
        (Some(by), _) => Text::words(format!("{old} -> {new} by ")).with(by),
        (None, false) => Text::words(format!("{old} -> {new}")),
        (None, true) => Text::words(old),
    };
    for (word, demands) in [("without", &change.lost), ("with", &change.gained)] {
        if !demands.is_empty() {
            let demands = Text::join(demands.iter().map(Text::code), " and ");
            words = words.and(format!(", {word} ")).then(demands);
        }
    }
    if let Some((old, new)) = &change.holds {
        words = words.and(format!(", meanwhile {new} instead of {old}"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Options, check_text};

    const MATRIX: &str = "matrix \"Small\" {\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  \
                          unreadable deny\n}\nevent call {\n  tool: text\n}\n";

    /// What a report says of recorded events that changed in no region.
    fn loses(events: &[bool]) -> bool {
        let matrix = check_text("matrix.lane", MATRIX, &Options::default()).matrix;
        let matrix = matrix.unwrap();
        let diff = Diff {
            is_whole: true,
            ..Diff::default()
        };
        let weights = Weights::of_elsewhere(events);
        let side = (Path::new("matrix.lane"), &*matrix);
        Report::new(side, side, &diff, Some(weights)).loses()
    }

    #[test]
    fn a_recorded_event_of_no_region_can_lose_too() {
        assert!(!loses(&[]));
        assert!(!loses(&[false]));
        assert!(loses(&[false, true]));
    }
}
