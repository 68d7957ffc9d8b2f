//! A notice in words, as chats and mail have it.
//!
//! In: a notice. Out: a title, facts and a link.
//! Invariant: nothing of an event is in it, since a notice has nothing of one: who may see the evidence signs
//! in. What would turn or hide text, or begin a new line, is shown by its number. The link only shows.
//! Knows no markup.

use crate::escalation::{About, Recipient};
use crate::files::{acts_on_terminal, hides};
use crate::store::Posted;

/// Characters of one fact; a longer one is cut.
const LONGEST: usize = 300;

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// What it is about, in one line.
    pub(super) title: String,
    /// Names with values, each of one line.
    pub(super) facts: Vec<(&'static str, String)>,
    /// Where the escalation is shown.
    pub(super) link: String,
}

/// Puts a notice in words; the URL is that of the service, without a slash at its end.
pub(super) fn said(posted: &Posted, url: &str) -> Said {
    let notice = &posted.notice;
    let others = posted.count.saturating_sub(1);
    let more = match others {
        0 => String::new(),
        1 => " (and 1 like it)".to_owned(),
        n => format!(" (and {n} like it)"),
    };
    let what = match &notice.about {
        About::Asked => "You are asked to decide an escalation",
        About::Reminded => "An escalation still waits for your decision",
        About::Action(_) => "An action is asked for",
        About::Resolved(_) => "An escalation has ended",
    };
    let mut facts = Vec::new();
    match &notice.about {
        About::Action(action) => facts.push(("Action", visible(action))),
        About::Resolved(outcome) => facts.push(("Outcome", visible(outcome))),
        About::Asked | About::Reminded => {}
    }
    if let Some(lane) = &notice.lane {
        facts.push(("Lane", visible(lane)));
    }
    facts.push(("Escalation", visible(&posted.escalation)));
    let (Recipient::Person(to) | Recipient::Team(to) | Recipient::Caller(to)) = &notice.to;
    facts.push(("For", visible(to)));
    Said {
        title: format!("{what}{more}"),
        facts,
        link: link(posted, url),
    }
}

/// Where the escalation of a notice is shown.
pub(super) fn link(posted: &Posted, url: &str) -> String {
    format!("{url}/escalations/{}", posted.escalation)
}

/// A text of one line in which nothing is hidden and nothing turns what follows.
fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for (n, c) in text.chars().enumerate() {
        if n >= LONGEST {
            visible.push('…');
            break;
        }
        match acts_on_terminal(c) || hides(c) {
            true => visible.extend(c.escape_unicode()),
            false => visible.push(c),
        }
    }
    visible
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::escalation::{Notice, Principal};

    /// A notice to ann, of one escalation.
    pub(in super::super) fn notice(about: About, lane: &str) -> Posted {
        Posted {
            notice: Notice {
                id: "e-1/asked/ann@example.com".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                to: Recipient::Person(Principal::parse("ann@example.com").unwrap()),
                lane: Some(lane.to_owned()),
                about,
                merge: None,
            },
            escalation: "e-1".to_owned(),
            attempts: 0,
            count: 1,
            taken: Vec::new(),
        }
    }

    #[test]
    fn a_notice_says_what_where_and_for_whom() {
        let said = said(&notice(About::Asked, "refunds"), "https://laneway.example");
        assert_eq!(said.title, "You are asked to decide an escalation");
        assert_eq!(said.link, "https://laneway.example/escalations/e-1");
        let facts = [
            ("Lane", "refunds".to_owned()),
            ("Escalation", "e-1".to_owned()),
            ("For", "ann@example.com".to_owned()),
        ];
        assert_eq!(said.facts, facts);
    }

    #[test]
    fn a_notice_for_several_says_how_many() {
        let mut posted = notice(About::Reminded, "refunds");
        posted.count = 3;
        let said = said(&posted, "");
        let title = "An escalation still waits for your decision (and 2 like it)";
        assert_eq!(said.title, title);
    }

    #[test]
    fn what_turns_hides_or_breaks_a_line_is_shown_by_its_number() {
        let about = About::Action("pay\u{202e}001\u{200b}\r\nBcc: eve@example.com".to_owned());
        let said = said(&notice(about, "refunds"), "");
        let shown = "pay\\u{202e}001\\u{200b}\\u{d}\\u{a}Bcc: eve@example.com";
        assert_eq!(said.facts[0], ("Action", shown.to_owned()));
        assert_eq!(
            visible(&"x".repeat(LONGEST + 1)).chars().count(),
            LONGEST + 1
        );
        assert!(visible(&"x".repeat(LONGEST + 1)).ends_with('…'));
    }
}
