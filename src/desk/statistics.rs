//! Figures of what became of escalations, by lane and by team.
//!
//! In: the summaries of a store, and the lanes of a matrix. Out: counts and times, and what stands out.
//! Invariant: each escalation counts once under its primary lane, and once under each team that its
//! sign-offs ask.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::Serialize;

use super::{Desk, DeskError};
use crate::clock::{Duration, Timestamp, rfc3339};
use crate::escalation::Outcome;
use crate::limits::STATISTICS_SURE;
use crate::matrix::Matrix;
use crate::store::{Cursor, Order, Query, Summary, read};

/// Figures over a while.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Statistics {
    /// Of escalations that opened from here on.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "crate::clock::optional_rfc3339"
    )]
    #[cfg_attr(
        feature = "server",
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub since: Option<Timestamp>,
    /// When they were taken.
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// All together.
    pub all: Figures,
    /// By the lane that names the decision.
    pub lanes: BTreeMap<String, Figures>,
    /// By the team that is asked.
    pub teams: BTreeMap<String, Figures>,
    /// By the day on which they opened, in the zone of the matrix or in UTC, and by the lane: how many.
    pub days: BTreeMap<String, BTreeMap<String, u64>>,
    /// Lanes of the matrix that opened nothing.
    pub never: Vec<String>,
    /// What stands out, in plain words.
    pub advice: Vec<String>,
}

/// Figures of a lane or a team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Figures {
    /// How many opened.
    pub opened: u64,
    /// How many of them are open.
    pub pending: u64,
    /// How many are past their service level and open.
    pub overdue: u64,
    /// How many ended approved as asked.
    pub approved: u64,
    /// How many ended approved with a changed input.
    pub amended: u64,
    /// How many ended denied.
    pub denied: u64,
    /// How many ended because nobody answered in time.
    pub timed_out: u64,
    /// How many were taken back.
    pub cancelled: u64,
    /// How many of the approved ones nobody voted on.
    pub by_silence: u64,
    /// Votes that came too late.
    pub late_votes: u64,
    /// Notices that could not be delivered.
    pub undelivered: u64,
    /// Events that joined.
    pub joined: u64,
    /// From the opening to the first look of someone who is asked.
    pub to_first_view: Spread,
    /// From the opening to the end.
    pub to_resolution: Spread,
}

/// How times are spread.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Spread {
    /// Of how many.
    pub count: u64,
    /// Half took at most so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median: Option<Duration>,
    /// Nine of ten took at most so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90: Option<Duration>,
    /// The longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest: Option<Duration>,
}

/// Summaries that are read at once.
const PAGE: u32 = 1_000;

impl Desk {
    /// Takes the figures of escalations that opened from an instant on; with a matrix also which of its
    /// lanes never fired.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn statistics(
        &self,
        since: Option<Timestamp>,
        matrix: Option<&Matrix>,
    ) -> Result<Statistics, DeskError> {
        let at = self.now()?.at;
        let mut tally = Tally {
            zone: matrix.map_or(Tz::UTC, |matrix| matrix.zone),
            ..Tally::default()
        };
        let mut behind: Option<Cursor> = None;
        loop {
            let query = Query {
                since,
                order: Order::Newest,
                behind: behind.clone(),
                limit: PAGE,
                ..Query::default()
            };
            let page = read(self.inner.store.as_ref(), move |transaction| {
                transaction.page(&query)
            })?;
            for summary in &page {
                tally.count(summary, at);
            }
            match page.last() {
                Some(last) if page.len() >= PAGE as usize => {
                    behind = Some(Cursor {
                        at: last.opened,
                        id: last.id.clone(),
                    });
                }
                _ => return Ok(tally.end(since, at, matrix)),
            }
        }
    }
}

#[derive(Debug, Default)]
struct Tally {
    zone: Tz,
    all: Counting,
    lanes: BTreeMap<String, Counting>,
    teams: BTreeMap<String, Counting>,
    days: BTreeMap<String, BTreeMap<String, u64>>,
}

#[derive(Debug, Default)]
struct Counting {
    figures: Figures,
    first_views: Vec<u64>,
    resolutions: Vec<u64>,
}

impl Tally {
    fn count(&mut self, summary: &Summary, now: Timestamp) {
        self.all.count(summary, now);
        let lane = self.lanes.entry(summary.lane.clone()).or_default();
        lane.count(summary, now);
        let day = summary.opened.with_timezone(&self.zone).date_naive();
        let day = self.days.entry(day.to_string()).or_default();
        *day.entry(summary.lane.clone()).or_default() += 1;
        let mut teams = summary.teams.clone();
        teams.sort();
        teams.dedup();
        for team in teams {
            self.teams.entry(team).or_default().count(summary, now);
        }
    }

    fn end(self, since: Option<Timestamp>, at: Timestamp, matrix: Option<&Matrix>) -> Statistics {
        let lanes: BTreeMap<String, Figures> = ended(self.lanes);
        let names = matrix.into_iter().flat_map(|matrix| &matrix.lanes);
        let never = names
            .map(|lane| lane.name.clone())
            .filter(|name| !lanes.contains_key(name));
        Statistics {
            since,
            at,
            all: self.all.end(),
            teams: ended(self.teams),
            days: self.days,
            never: never.collect(),
            advice: lanes
                .iter()
                .flat_map(|(lane, of)| advice(lane, of))
                .collect(),
            lanes,
        }
    }
}

fn ended(counted: BTreeMap<String, Counting>) -> BTreeMap<String, Figures> {
    let counted = counted.into_iter();
    counted
        .map(|(name, counting)| (name, counting.end()))
        .collect()
}

impl Counting {
    fn count(&mut self, summary: &Summary, now: Timestamp) {
        let figures = &mut self.figures;
        figures.opened += 1;
        match summary.outcome {
            None => {
                figures.pending += 1;
                let is_overdue = summary.respond_by.is_some_and(|by| by <= now);
                figures.overdue += u64::from(is_overdue);
            }
            Some(Outcome::Approved) => figures.approved += 1,
            Some(Outcome::Amended) => figures.amended += 1,
            Some(Outcome::Denied) => figures.denied += 1,
            Some(Outcome::TimedOut) => figures.timed_out += 1,
            Some(Outcome::Cancelled) => figures.cancelled += 1,
        }
        figures.by_silence += u64::from(summary.by_silence);
        figures.late_votes += u64::from(summary.late_votes);
        figures.undelivered += u64::from(summary.undelivered);
        figures.joined += u64::from(summary.joined);
        self.first_views
            .extend(millis(summary.opened, summary.first_viewed));
        self.resolutions
            .extend(millis(summary.opened, summary.ended));
    }

    fn end(mut self) -> Figures {
        self.figures.to_first_view = Spread::of(self.first_views);
        self.figures.to_resolution = Spread::of(self.resolutions);
        self.figures
    }
}

fn millis(from: Timestamp, to: Option<Timestamp>) -> Option<u64> {
    u64::try_from((to? - from).num_milliseconds()).ok()
}

impl Spread {
    fn of(mut millis: Vec<u64>) -> Self {
        millis.sort_unstable();
        // The smallest that so many hundredths do not exceed (the nearest rank).
        let rank = |hundredths: usize| {
            let rank = (millis.len() * hundredths).div_ceil(100).max(1);
            millis.get(rank - 1).copied().map(Duration::from_millis)
        };
        Self {
            count: millis.len() as u64,
            median: rank(50),
            p90: rank(90),
            longest: rank(100),
        }
    }
}

/// What stands out of a lane that had enough escalations to say so.
fn advice(lane: &str, figures: &Figures) -> Vec<String> {
    let ended = figures.opened - figures.pending - figures.cancelled;
    let mut advice = Vec::new();
    if ended < STATISTICS_SURE {
        return advice;
    }
    if figures.approved == ended && figures.by_silence == 0 {
        advice.push(format!(
            "lane `{lane}` was approved {ended} times of {ended}: its trigger may be too wide, or it is \
             approved without a look"
        ));
    }
    if figures.timed_out * 2 >= ended {
        advice.push(format!(
            "lane `{lane}` timed out {} times of {ended}: its owner is not reached in time",
            figures.timed_out
        ));
    }
    if figures.by_silence * 2 >= ended {
        advice.push(format!(
            "lane `{lane}` was allowed by silence {} times of {ended}: nobody looks at it",
            figures.by_silence
        ));
    }
    if figures.late_votes * 5 >= ended {
        advice.push(format!(
            "lane `{lane}` had {} votes that came too late, in {ended}: its time is too short",
            figures.late_votes
        ));
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spread_by_the_nearest_rank() {
        let spread = Spread::of((1..=10).map(|second| second * 1_000).collect());
        assert_eq!(spread.count, 10);
        assert_eq!(spread.median, Some(Duration::from_millis(5_000)));
        assert_eq!(spread.p90, Some(Duration::from_millis(9_000)));
        assert_eq!(spread.longest, Some(Duration::from_millis(10_000)));
        assert_eq!(Spread::of(Vec::new()).median, None);
        assert_eq!(Spread::of(vec![7]).p90, Some(Duration::from_millis(7)));
    }

    #[test]
    fn what_stands_out_is_said_of_lanes_with_enough_escalations() {
        let always = Figures {
            opened: 20,
            approved: 20,
            ..Figures::default()
        };
        assert_eq!(advice("a", &always).len(), 1);
        let few = Figures {
            opened: 19,
            approved: 19,
            ..Figures::default()
        };
        assert!(advice("a", &few).is_empty());
        let silent = Figures {
            opened: 20,
            approved: 20,
            by_silence: 20,
            ..Figures::default()
        };
        assert!(advice("a", &silent)[0].contains("silence"));
        let slow = Figures {
            opened: 30,
            pending: 10,
            timed_out: 10,
            denied: 10,
            late_votes: 4,
            ..Figures::default()
        };
        assert_eq!(advice("a", &slow).len(), 2);
    }
}
