//! What a service keeps beside escalations: entries under keys, and its attempts to deliver notices.
//!
//! In: tokens, sessions, hashes of passwords, links; what came of telling somebody by a channel. Out: the
//! same, by key or the latest first.
//! Invariant: what is too long for one store is refused by all of them, before any is asked.
//! Knows nothing of what a body says, and no channel.

use std::fmt;

use super::transaction::{Posted, StoreError, StoreErrorKind};
use crate::clock::Timestamp;
use crate::escalation::Recipient;
use crate::limits::{
    ATTEMPT_CHANNEL, ATTEMPT_SAID, ENTRY_BODY_BYTES, ENTRY_KEY_BYTES, PRINCIPAL_BYTES,
};

/// Something that a service keeps beside escalations, under a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// The only one of its kind under it: 1 to [`ENTRY_KEY_BYTES`] bytes.
    pub key: String,
    /// Whose it is; empty for nobody's. At most [`PRINCIPAL_BYTES`] bytes.
    pub owner: String,
    /// Until when it is of use. It is there until it is dropped: who reads it looks.
    pub until: Option<Timestamp>,
    /// What is kept, at most [`ENTRY_BODY_BYTES`] bytes.
    pub body: String,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// What a program shows to be let in.
    Token,
    /// What a browser shows.
    Session,
    /// By what a password is known.
    Password,
    /// What works once: a link to set a password, the way back from a provider of identities.
    Setup,
    /// A reload of the matrix.
    Reload,
    /// A step of which nobody was told, which is acted on once.
    Untold,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Token,
        Self::Session,
        Self::Password,
        Self::Setup,
        Self::Reload,
        Self::Untold,
    ];

    /// The word that a store has for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Session => "session",
            Self::Password => "password",
            Self::Setup => "setup",
            Self::Reload => "reload",
            Self::Untold => "untold",
        }
    }

    /// Reads such a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One attempt to deliver a notice by one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The id of the notice.
    pub notice: String,
    /// The escalation.
    pub escalation: String,
    /// To whom.
    pub to: String,
    /// By which channel, without its secrets: 1 to [`ATTEMPT_CHANNEL`] bytes.
    pub channel: String,
    /// When.
    pub at: Timestamp,
    /// How long it took.
    pub took_micros: u64,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// What the channel said, at most [`ATTEMPT_SAID`] bytes; empty where it took the notice.
    pub said: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptOutcome {
    /// The channel took the notice.
    Sent,
    /// It may take it later.
    Later,
    /// It never will.
    Never,
}

impl AttemptOutcome {
    /// All outcomes.
    pub const ALL: [Self; 3] = [Self::Sent, Self::Later, Self::Never];

    /// The word that a store has for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Later => "later",
            Self::Never => "never",
        }
    }

    /// Reads such a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == word)
    }
}

/// Which attempts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptQuery {
    /// Of an escalation.
    pub escalation: Option<String>,
    /// Of an outcome.
    pub outcome: Option<AttemptOutcome>,
    /// Behind the position of the last of the page before.
    pub behind: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

impl Attempt {
    /// One by which a channel took a notice.
    #[must_use]
    pub fn sent(posted: &Posted, channel: &str, at: Timestamp, took: std::time::Duration) -> Self {
        let to = &posted.notice.to;
        let (Recipient::Person(to) | Recipient::Team(to) | Recipient::Caller(to)) = to;
        Self {
            notice: posted.notice.id.clone(),
            escalation: posted.escalation.clone(),
            to: to.as_str().to_owned(),
            channel: cut(channel, ATTEMPT_CHANNEL),
            at,
            took_micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            outcome: AttemptOutcome::Sent,
            said: String::new(),
        }
    }

    /// The same with another outcome, and what the channel said of it.
    #[must_use]
    pub fn but(mut self, outcome: AttemptOutcome, said: &str) -> Self {
        self.outcome = outcome;
        self.said = bounded(said);
        self
    }

    /// Fails where no store keeps it.
    pub(super) fn is_kept(&self) -> Result<(), StoreError> {
        let names = [&self.notice, &self.escalation, &self.to];
        within("the channel", &self.channel, 1, ATTEMPT_CHANNEL)?;
        within("what was said", &self.said, 0, ATTEMPT_SAID)?;
        match names.iter().any(|name| name.is_empty()) {
            true => Err(refused("an attempt says of what notice it is, and to whom")),
            false => Ok(()),
        }
    }

    /// As every store keeps it: whole microseconds, 63 bits of them.
    pub(super) fn took(&self) -> i64 {
        i64::try_from(self.took_micros).unwrap_or(i64::MAX)
    }
}

impl Entry {
    /// Fails where no store keeps it.
    pub(super) fn is_kept(&self) -> Result<(), StoreError> {
        within("the key", &self.key, 1, ENTRY_KEY_BYTES)?;
        within("the owner", &self.owner, 0, PRINCIPAL_BYTES)?;
        within("the body", &self.body, 0, ENTRY_BODY_BYTES)
    }
}

/// Keys and bodies let somebody in.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("kind", &self.kind)
            .field("owner", &self.owner)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// What a channel said, as it is kept: without what is no text, at most [`ATTEMPT_SAID`] bytes.
pub(crate) fn bounded(said: &str) -> String {
    cut(said, ATTEMPT_SAID)
}

/// Servers answer with anything: what controls a terminal, and what no database keeps, becomes a space.
fn cut(text: &str, most: usize) -> String {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    // A space is never longer than what it stands for.
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    text.chars().map(plain).collect()
}

fn within(what: &str, text: &str, least: usize, most: usize) -> Result<(), StoreError> {
    if !(least..=most).contains(&text.len()) {
        let message = format!("{what} has {least} to {most} bytes, not {}", text.len());
        return Err(refused(&message));
    }
    match text.contains('\0') {
        true => Err(refused(&format!("{what} has a character that is no text"))),
        false => Ok(()),
    }
}

fn refused(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Refused, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escalation::{About, Notice, Principal};

    fn posted() -> Posted {
        Posted {
            notice: Notice {
                id: "n/ann".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                to: Recipient::Person(Principal::parse("ann").unwrap()),
                lane: None,
                about: About::Asked,
                merge: None,
            },
            escalation: "e".to_owned(),
            count: 1,
            attempts: 0,
            taken: Vec::new(),
        }
    }

    #[test]
    fn what_a_channel_said_is_cut_between_two_letters_and_has_no_controls() {
        let took = std::time::Duration::from_millis(3);
        let sent = Attempt::sent(&posted(), "log", Timestamp::UNIX_EPOCH, took);
        assert_eq!((sent.took_micros, &*sent.to), (3_000, "ann"));
        assert_eq!(sent.is_kept(), Ok(()));
        let long = format!("a{}", "é".repeat(ATTEMPT_SAID));
        let later = sent.clone().but(AttemptOutcome::Later, &long);
        assert_eq!(later.said.len(), ATTEMPT_SAID - 1);
        assert_eq!(later.is_kept(), Ok(()));
        let never = sent.but(AttemptOutcome::Never, "550\r\nno\0 \u{1b}[2J");
        assert_eq!(never.said, "550  no   [2J");
    }

    #[test]
    fn what_is_longer_than_its_bound_is_not_kept() {
        let entry = |key: usize, owner: usize, body: usize| Entry {
            kind: EntryKind::Token,
            key: "k".repeat(key),
            owner: "o".repeat(owner),
            until: None,
            body: "b".repeat(body),
        };
        let (key, owner, body) = (ENTRY_KEY_BYTES, PRINCIPAL_BYTES, ENTRY_BODY_BYTES);
        assert_eq!(entry(1, 0, 0).is_kept(), Ok(()));
        assert_eq!(entry(key, owner, body).is_kept(), Ok(()));
        for one in [
            entry(0, 0, 0),
            entry(key + 1, owner, body),
            entry(key, owner + 1, body),
            entry(key, owner, body + 1),
        ] {
            assert_eq!(one.is_kept().unwrap_err().kind, StoreErrorKind::Refused);
        }
    }

    #[test]
    fn an_entry_does_not_show_what_lets_somebody_in() {
        let entry = Entry {
            kind: EntryKind::Session,
            key: "secret".to_owned(),
            owner: "ann".to_owned(),
            until: None,
            body: "secret".to_owned(),
        };
        let shown = format!("{entry:?}");
        assert!(
            shown.contains("ann") && !shown.contains("secret"),
            "{shown}"
        );
    }

    #[test]
    fn words_read_back() {
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::parse(kind.as_str()), Some(kind));
        }
        for outcome in AttemptOutcome::ALL {
            assert_eq!(AttemptOutcome::parse(outcome.as_str()), Some(outcome));
        }
        assert_eq!(EntryKind::parse("secret"), None);
    }
}
