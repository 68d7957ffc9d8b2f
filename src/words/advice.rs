//! What figures of escalations tell, in plain words, a few sentences for each way to look at them.
//!
//! In: the figures that a desk took, and the matrix. Out: sentences.
//! Invariant: a sentence says what was counted before it says what that may mean; of few escalations nothing is
//! concluded.

use std::collections::BTreeMap;

use super::count;
use crate::clock::Duration;
use crate::desk::{Figures, Statistics};
use crate::limits::STATISTICS_SURE;
use crate::matrix::Matrix;

/// Of how many opened.
#[must_use]
pub fn opened(statistics: &Statistics) -> Vec<String> {
    let all = statistics.all.opened;
    if all == 0 {
        return vec!["nothing was escalated".to_owned()];
    }
    let mut said = vec![format!("{} opened", number(all, "escalation"))];
    if let Some((lane, of)) = most(&statistics.lanes)
        && all >= STATISTICS_SURE
        && of.opened * 2 > all
    {
        said.push(format!(
            "{} of them, more than half, came of lane `{lane}`: if its owner approves most, its trigger may \
             be too wide",
            of.opened
        ));
    }
    said
}

/// Of how long it took.
#[must_use]
pub fn resolved(statistics: &Statistics, matrix: Option<&Matrix>) -> Vec<String> {
    let mut said = Vec::new();
    for (lane, of) in &statistics.lanes {
        let (Some(p90), Some(within)) = (of.to_resolution.p90, within(matrix, lane)) else {
            continue;
        };
        if of.to_resolution.count >= STATISTICS_SURE && p90 > within {
            said.push(format!(
                "lane `{lane}` takes {} for nine of ten, longer than the {within} within which its matrix \
                 wants an answer: ask more people, or give them more time",
                short(p90)
            ));
        }
    }
    or(
        said,
        "no lane is known to take longer than its matrix wants",
    )
}

/// Of how they ended by a vote.
#[must_use]
pub fn voted(statistics: &Statistics) -> Vec<String> {
    let mut said = Vec::new();
    for (lane, of) in sure(&statistics.lanes) {
        let ended = ended(of);
        if of.approved == ended && of.by_silence == 0 {
            said.push(format!(
                "lane `{lane}` was approved each of {ended} times: its trigger may be too wide, or it is \
                 approved without a look"
            ));
        }
        if of.denied == ended {
            said.push(format!(
                "lane `{lane}` was denied each of {ended} times: a rule `always deny` would save its owner \
                 the time"
            ));
        }
    }
    let all = &statistics.all;
    let calm = format!(
        "{} approved, {} of them with a changed input, {} denied; no lane is always approved or always \
         denied, as far as there are enough to say so",
        all.approved + all.amended,
        all.amended,
        all.denied
    );
    or(said, &calm)
}

/// Of those that nobody answered.
#[must_use]
pub fn timed_out(statistics: &Statistics) -> Vec<String> {
    let mut said = Vec::new();
    for (lane, of) in sure(&statistics.lanes) {
        let ended = ended(of);
        if of.timed_out * 2 >= ended {
            said.push(format!(
                "lane `{lane}` timed out {} times of {ended}: its owner is not reached in time",
                of.timed_out
            ));
        }
        if of.by_silence * 2 >= ended {
            said.push(format!(
                "lane `{lane}` was allowed by silence {} times of {ended}: nobody looks at it",
                of.by_silence
            ));
        }
    }
    let all = statistics.all.timed_out;
    or(said, &format!("{} timed out", number(all, "escalation")))
}

/// Of lanes that opened nothing.
#[must_use]
pub fn never(statistics: &Statistics) -> Vec<String> {
    match statistics.never.len() {
        0 => vec!["every lane of the matrix opened something".to_owned()],
        lanes => vec![format!(
            "{} opened nothing: what it is about may not happen, its trigger may ask for too much, or its \
             events do not come here; try an event that should reach it",
            number(lanes as u64, "lane")
        )],
    }
}

/// Of what teams have to do.
#[must_use]
pub fn load(statistics: &Statistics) -> Vec<String> {
    let asked: u64 = statistics.teams.values().map(|of| of.opened).sum();
    let mut said = Vec::new();
    if let Some((team, of)) = most(&statistics.teams)
        && statistics.teams.len() > 1
        && asked >= STATISTICS_SURE
        && of.opened * 2 > asked
    {
        said.push(format!(
            "`{team}` is asked {} times of {asked}, more than all others together: a backup, or lanes for \
             another team, would spread it",
            of.opened
        ));
    }
    for (team, of) in &statistics.teams {
        if of.overdue > 0 {
            let overdue = number(of.overdue, "escalation");
            said.push(format!("overdue now with `{team}`: {overdue}"));
        }
    }
    or(said, "no team stands out")
}

/// Lanes with enough that ended to say something of all of them.
fn sure(lanes: &BTreeMap<String, Figures>) -> impl Iterator<Item = (&String, &Figures)> {
    lanes.iter().filter(|(_, of)| ended(of) >= STATISTICS_SURE)
}

fn ended(of: &Figures) -> u64 {
    of.opened.saturating_sub(of.pending + of.cancelled)
}

/// The one with the most that opened.
fn most(all: &BTreeMap<String, Figures>) -> Option<(&String, &Figures)> {
    all.iter().max_by_key(|(_, of)| of.opened)
}

/// The elapsed time in which a lane wants an answer; none where a calendar counts.
fn within(matrix: Option<&Matrix>, lane: &str) -> Option<Duration> {
    let respond = matrix?.lane_named(lane)?.terms.respond;
    respond.of.is_none().then_some(respond.length)
}

fn or(said: Vec<String>, calm: &str) -> Vec<String> {
    match said.is_empty() {
        true => vec![calm.to_owned()],
        false => said,
    }
}

fn number(number: u64, noun: &str) -> String {
    count(u32::try_from(number).unwrap_or(u32::MAX), noun)
}

/// A time to the second: nobody answers more precisely.
#[must_use]
pub fn short(time: Duration) -> String {
    Duration::from_millis(time.as_millis() / 1_000 * 1_000).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Options, check_text};
    use crate::desk::Spread;

    fn statistics(lanes: &[(&str, Figures)]) -> Statistics {
        let mut all = Figures::default();
        for (_, of) in lanes {
            all.opened += of.opened;
            all.approved += of.approved;
            all.denied += of.denied;
            all.timed_out += of.timed_out;
        }
        let lanes: BTreeMap<String, Figures> = lanes
            .iter()
            .map(|(lane, of)| ((*lane).to_owned(), of.clone()))
            .collect();
        Statistics {
            since: None,
            at: crate::clock::Timestamp::UNIX_EPOCH,
            all,
            teams: lanes.clone(),
            lanes,
            days: BTreeMap::new(),
            never: Vec::new(),
            advice: Vec::new(),
        }
    }

    fn of(opened: u64) -> Figures {
        Figures {
            opened,
            ..Figures::default()
        }
    }

    #[test]
    fn of_few_nothing_is_concluded() {
        let few = statistics(&[(
            "a",
            Figures {
                approved: 19,
                ..of(19)
            },
        )]);
        assert_eq!(opened(&few), ["19 escalations opened"]);
        assert!(
            voted(&few)[0].starts_with("19 approved"),
            "{:?}",
            voted(&few)
        );
        assert_eq!(load(&few), ["no team stands out"]);
        assert_eq!(opened(&statistics(&[])), ["nothing was escalated"]);
    }

    #[test]
    fn what_is_always_so_is_said() {
        let approved = Figures {
            approved: 30,
            ..of(30)
        };
        let denied = Figures {
            denied: 20,
            ..of(20)
        };
        let late = Figures {
            timed_out: 12,
            denied: 8,
            overdue: 1,
            ..of(20)
        };
        let all = statistics(&[("a", approved), ("b", denied), ("c", late)]);
        assert!(voted(&all)[0].contains("`a` was approved each of 30"));
        assert!(voted(&all)[1].contains("`b` was denied each of 20"));
        assert!(timed_out(&all)[0].contains("`c` timed out 12 times of 20"));
        assert_eq!(load(&all), ["overdue now with `c`: 1 escalation"]);
    }

    #[test]
    fn what_takes_longer_than_the_matrix_wants_is_said() {
        let slow = Figures {
            to_resolution: Spread {
                count: 20,
                p90: Some(Duration::from_minutes(90)),
                ..Spread::default()
            },
            ..of(20)
        };
        let all = statistics(&[("big", slow)]);
        let matrix = check_text("m", MATRIX, &Options::default()).into_matrix();
        let matrix = matrix.unwrap();
        assert!(
            resolved(&all, Some(&matrix))[0].contains("1h30m"),
            "{:?}",
            resolved(&all, Some(&matrix))
        );
        assert!(resolved(&all, None)[0].starts_with("no lane"));
    }

    const MATRIX: &str = r#"
matrix "M" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}
event pay {
  amount: number 0 to 10
}
team ops {
  first person "o@x"
}
lane big {
  about "Large"
  on pay
  when amount > 5
  owner ops
  urgency high
  respond within 1h
  meanwhile block item
  operator "Look."
  evidence {
    required input
  }
  timeout {
    after 8h deny
  }
}
"#;
}
