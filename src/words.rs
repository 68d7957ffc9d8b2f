//! How things are put in words for people: instants, where an escalation stands, what happened to it, a
//! matrix as a page.
//!
//! In: what the desk shows, a matrix. Out: lines of text, the same on every face.
//! Invariant: what is from an event or a person is in it as it is; a face makes it harmless where it is shown.

use std::fmt::Write as _;

use chrono::{SubsecRound, Timelike};
use chrono_tz::Tz;

use crate::clock::{Duration, Timestamp};
use crate::decision::Holds;
use crate::escalation::{
    Cause, Does, End, Escalation, GrantState, Outcome, Resolution, SignOff, SignOffState,
};

pub mod advice;
pub mod input;
pub mod page;
pub mod story;

/// An instant as the people of a zone read it: `2026-11-17 08:44 EST`, with seconds where it has
/// some.
pub fn moment(at: Timestamp, zone: Tz) -> String {
    let local = at.with_timezone(&zone).trunc_subsecs(0);
    let mut text = local.format("%Y-%m-%d %H:%M").to_string();
    if local.second() > 0 {
        let _ = write!(text, "{}", local.format(":%S"));
    }
    let _ = write!(text, " {}", local.format("%Z"));
    text
}

/// How it ended, and by what.
pub fn ended(resolution: &Resolution, zone: Tz) -> String {
    let at = moment(resolution.at, zone);
    let outcome = match (resolution.outcome, resolution.end) {
        (Outcome::TimedOut, Some(End::Expire)) => "timed out and expired; asking anew is welcome",
        (Outcome::TimedOut, _) => "timed out and denied",
        (Outcome::Approved, _) => "approved",
        (Outcome::Amended, _) => "approved with a changed input",
        (Outcome::Denied, _) => "denied",
        (Outcome::Cancelled, _) => "cancelled",
    };
    let cause = match &resolution.cause {
        Cause::Vote(person) => format!("by the vote of {person}"),
        Cause::Step(lane) => format!("by a step of lane {lane}, since nobody had answered"),
        Cause::Cancelled(who) => format!("by {who}"),
        Cause::Flood => "by the engine: the requester has too many open".to_owned(),
        Cause::UnsatisfiableQuorum(lane) => {
            format!("by the engine: too few people could answer in lane {lane}")
        }
    };
    let silence = match resolution.by_silence {
        true => "; APPROVED ONLY BY SILENCE: no person voted",
        false => "",
    };
    format!("{at}  {outcome}, {cause}{silence}")
}

/// Where it stands, in a few lines: for who just did something.
pub fn standing(it: &Escalation, zone: Tz) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(resolution) = &it.resolution {
        lines.push(format!("ended {}", ended(resolution, zone)));
        lines.extend(grant(it, zone).map(|grant| format!("permission {grant}")));
        return lines;
    }
    let waiting = it.sign_offs.iter().filter(|it| it.is_waiting());
    for sign_off in waiting {
        let (has, needs) = (it.counted(sign_off).len(), sign_off.quorum);
        let (lane, team) = (&sign_off.plan.lane, &sign_off.team);
        let until = moment(sign_off.deadline(it.pinned.cap), zone);
        lines.push(format!(
            "lane {lane} waits for {team}: {has} of {needs} agreed, until {until}"
        ));
    }
    lines
}

/// Of the permission: for what, and where it stands.
pub fn grant(it: &Escalation, zone: Tz) -> Option<String> {
    let grant = it.grant.as_ref()?;
    let at = grant.ended.map_or(String::new(), |at| moment(at, zone));
    let action = digest(&grant.digest);
    Some(match grant.state {
        GrantState::Live => {
            let lapses = moment(grant.lapses, zone);
            format!("for the action {action}, to be used once before {lapses}")
        }
        GrantState::Consumed => format!("for the action {action}, used {at}"),
        GrantState::Lapsed => format!("for the action {action}, lapsed {at} and not used"),
        GrantState::Revoked => format!("for the action {action}, taken back {at}"),
    })
}

/// The beginning of a digest, which is enough to compare by eye and to vote by.
pub fn digest(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// What a step does.
pub fn does(does: &Does) -> String {
    match does {
        Does::NotifyBackup => "ask the backup too".to_owned(),
        Does::Notify(team) => format!("ask {team} too"),
        Does::Route(team) => format!("ask {team} instead"),
        Does::Run(action) => format!("ask the caller for {action}"),
        Does::Remind => "remind".to_owned(),
        Does::Deny => "deny".to_owned(),
        Does::Expire => "expire; asking anew is welcome".to_owned(),
        Does::Allow(why) => format!("allow by silence, because {why}"),
    }
}

/// The words for a sign-off's state.
pub fn sign_off_state(it: &SignOff) -> &'static str {
    match it.state {
        SignOffState::Waiting => "waiting",
        SignOffState::Satisfied => "satisfied",
        SignOffState::AutoAllowed => "ALLOWED BY SILENCE",
        SignOffState::Denied => "denied",
        SignOffState::TimedOut => "timed out",
        SignOffState::Moot => "not needed any more",
    }
}

/// `block item, slow workflow`
#[must_use]
pub fn holds(holds: &Holds) -> String {
    let scopes = [
        (holds.item, "item"),
        (holds.workflow, "workflow"),
        (holds.system, "system"),
    ];
    let words = scopes
        .iter()
        .filter_map(|(hold, scope)| hold.map(|hold| format!("{} {scope}", hold.as_str())));
    words.collect::<Vec<_>>().join(", ")
}

/// `1 vote`, `2 votes`.
pub fn count(number: u32, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// How far away an instant is: `in 2h`, `40m ago`; in its largest part.
pub fn away(at: Timestamp, now: Timestamp) -> String {
    let millis = at.signed_duration_since(now).num_milliseconds();
    let whole = Duration::from_millis(millis.unsigned_abs() / 1_000 * 1_000);
    let seconds = whole.as_millis() / 1_000;
    let parts = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let part = parts.iter().find(|(unit, _)| seconds >= *unit);
    let Some((unit, word)) = part else {
        return "now".to_owned();
    };
    let text = format!("{}{word}", seconds / unit);
    match millis < 0 {
        true => format!("{text} ago"),
        false => format!("in {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_away_an_instant_is_stands_in_its_largest_part() {
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let at = |text: &str| away(text.parse().unwrap(), now);
        assert_eq!(at("2026-11-20T12:59:00Z"), "in 2h");
        assert_eq!(at("2026-11-20T09:20:00Z"), "40m ago");
        assert_eq!(at("2026-11-23T10:00:00Z"), "in 3d");
        assert_eq!(at("2026-11-20T10:00:00Z"), "now");
    }
}
