//! Which channel takes a notice.
//!
//! In: a notice, the channels that a directory gives its recipient. Out: to what has each channel's
//! kind.
//! Invariant: every channel of a person is tried, and taken is what one of them took; where none did, it
//! is tried again if one of them may take it later. A kind that nothing sends through is an error, never
//! silence.
//! Knows no urgency: a person has the same channels for every notice.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{FileNotifier, LogNotifier, Notifier, NotifyError};
use crate::escalation::people::{Channel, ChannelKind};
use crate::escalation::{Directory, Recipient};
use crate::store::Posted;

/// Sends through one kind of channel.
pub trait Carrier: std::fmt::Debug + Send + Sync {
    /// Sends a notice to the address of a channel of its kind.
    ///
    /// # Errors
    /// When it was not taken.
    fn carry(
        &self,
        posted: &Posted,
        channel: &Channel,
        directory: &Directory,
    ) -> Result<(), NotifyError>;
}

/// Sends each notice by the channels of its recipient.
#[derive(Debug, Default)]
pub struct Router {
    carriers: BTreeMap<ChannelKind, Box<dyn Carrier>>,
    callers: Option<Box<dyn Notifier>>,
}

impl Router {
    /// One that has nothing to send through.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that writes lines: the channel `log` and callers to standard error, the channel `file` to its
    /// address, or to `file` where it has none.
    #[must_use]
    pub fn of_lines(file: Option<PathBuf>) -> Self {
        Self::new()
            .with(ChannelKind::Log, Box::new(LogNotifier))
            .with(ChannelKind::File, Box::new(Files::new(file)))
            .with_callers(Box::new(LogNotifier))
    }

    /// The same with something that sends through a kind of channel, instead of what did.
    #[must_use]
    pub fn with(mut self, kind: ChannelKind, carrier: Box<dyn Carrier>) -> Self {
        self.carriers.insert(kind, carrier);
        self
    }

    /// The same with something that tells callers, who have no channels.
    #[must_use]
    pub fn with_callers(mut self, callers: Box<dyn Notifier>) -> Self {
        self.callers = Some(callers);
        self
    }

    fn by(
        &self,
        channel: &Channel,
        posted: &Posted,
        directory: &Directory,
    ) -> Result<(), NotifyError> {
        match self.carriers.get(&channel.kind) {
            Some(carrier) => carrier.carry(posted, channel, directory),
            None => Err(NotifyError::Never(format!(
                "nothing sends through the channel `{}`",
                channel.kind
            ))),
        }
    }
}

impl Notifier for Router {
    fn send(&self, posted: &Posted, directory: &Directory) -> Result<(), NotifyError> {
        let person = match &posted.notice.to {
            Recipient::Person(person) => person,
            Recipient::Caller(caller) => {
                return match &self.callers {
                    Some(callers) => callers.send(posted, directory),
                    None => Err(NotifyError::Never(format!("nothing tells `{caller}`"))),
                };
            }
        };
        let (mut is_taken, mut later, mut never) = (false, Vec::new(), Vec::new());
        for channel in directory.channels(person) {
            match self.by(channel, posted, directory) {
                Ok(()) => is_taken = true,
                Err(NotifyError::Later(why)) => later.push(why),
                Err(NotifyError::Never(why)) => never.push(why),
            }
        }
        match (is_taken, later.is_empty(), never.is_empty()) {
            (true, ..) => Ok(()),
            (_, false, _) => Err(NotifyError::Later(later.join("; "))),
            (_, _, false) => Err(NotifyError::Never(never.join("; "))),
            _ => Err(NotifyError::Never(format!("`{person}` has no channel"))),
        }
    }
}

impl Carrier for LogNotifier {
    fn carry(
        &self,
        posted: &Posted,
        _: &Channel,
        directory: &Directory,
    ) -> Result<(), NotifyError> {
        self.send(posted, directory)
    }
}

/// The files of the channel `file`.
#[derive(Debug)]
struct Files {
    /// Where notices go whose channel names no file.
    file: Option<PathBuf>,
    /// One for each path, so that the lines of a file do not mix.
    open: Mutex<BTreeMap<PathBuf, Arc<FileNotifier>>>,
}

impl Files {
    fn new(file: Option<PathBuf>) -> Self {
        Self {
            file,
            open: Mutex::default(),
        }
    }
}

impl Carrier for Files {
    fn carry(
        &self,
        posted: &Posted,
        channel: &Channel,
        directory: &Directory,
    ) -> Result<(), NotifyError> {
        let path = channel.address.as_ref().map(PathBuf::from);
        let Some(path) = path.or_else(|| self.file.clone()) else {
            return Err(NotifyError::Never("no file is named for notices".into()));
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let file = open.entry(path.clone());
        let file = Arc::clone(file.or_insert_with(|| Arc::new(FileNotifier::new(path))));
        drop(open);
        file.send(posted, directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::escalation::people::Person;
    use crate::escalation::{About, Notice, Principal};

    /// Answers the same whatever is sent, and keeps what it was given.
    #[derive(Debug, Clone)]
    struct Fixed(Result<(), NotifyError>, Arc<Mutex<Vec<Option<String>>>>);

    impl Fixed {
        fn new(answer: Result<(), NotifyError>) -> Self {
            Self(answer, Arc::default())
        }
        fn seen(&self) -> Vec<Option<String>> {
            self.1.lock().unwrap().clone()
        }
    }

    impl Carrier for Fixed {
        fn carry(&self, _: &Posted, to: &Channel, _: &Directory) -> Result<(), NotifyError> {
            self.1.lock().unwrap().push(to.address.clone());
            self.0.clone()
        }
    }

    fn posted(to: Recipient) -> Posted {
        Posted {
            notice: Notice {
                id: "n-1".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                to,
                lane: None,
                about: About::Asked,
                merge: None,
            },
            escalation: "e".to_owned(),
            attempts: 0,
            count: 1,
        }
    }

    fn ann() -> Principal {
        Principal::parse("ann").unwrap()
    }

    /// Sends to ann, who has these channels.
    fn send(router: &Router, channels: &[&str]) -> Result<(), NotifyError> {
        let channels = channels.iter().map(|text| Channel::parse(text).unwrap());
        let person = Person {
            channels: Some(channels.collect()),
            ..Person::default()
        };
        let mut builder = Directory::builder();
        builder.person(ann(), person).unwrap();
        let directory = builder.finish().unwrap();
        router.send(&posted(Recipient::Person(ann())), &directory)
    }

    fn later() -> Result<(), NotifyError> {
        Err(NotifyError::Later("busy".to_owned()))
    }

    fn never(why: &str) -> Result<(), NotifyError> {
        Err(NotifyError::Never(why.to_owned()))
    }

    #[test]
    fn a_notice_goes_through_every_channel_of_its_kind_and_to_its_address() {
        let (log, file) = (Fixed::new(Ok(())), Fixed::new(Ok(())));
        let router = Router::new()
            .with(ChannelKind::Log, Box::new(log.clone()))
            .with(ChannelKind::File, Box::new(file.clone()));
        assert_eq!(send(&router, &["file:a", "log", "file:b"]), Ok(()));
        assert_eq!(log.seen(), [None]);
        assert_eq!(file.seen(), [Some("a".to_owned()), Some("b".to_owned())]);
    }

    #[test]
    fn taken_is_what_one_took_and_what_may_be_taken_is_tried_again() {
        let router = |log, file| {
            Router::new()
                .with(ChannelKind::Log, Box::new(Fixed::new(log)))
                .with(ChannelKind::File, Box::new(Fixed::new(file)))
        };
        let both = ["log", "file:a"];
        assert_eq!(send(&router(Ok(()), never("gone")), &both), Ok(()));
        assert_eq!(send(&router(later(), Ok(())), &both), Ok(()));
        assert_eq!(send(&router(later(), never("gone")), &both), later());
        assert_eq!(send(&router(never("gone"), later()), &both), later());
        assert_eq!(
            send(&router(never("gone"), never("full")), &both),
            never("gone; full")
        );
    }

    #[test]
    fn what_has_nothing_to_go_through_is_never_taken() {
        assert_eq!(
            send(&Router::new(), &["log"]),
            never("nothing sends through the channel `log`")
        );
        let router = Router::new().with(ChannelKind::Log, Box::new(Fixed::new(Ok(()))));
        assert_eq!(send(&router, &["file:a", "log"]), Ok(()));
        assert_eq!(send(&router, &[]), never("`ann` has no channel"));
        let caller = posted(Recipient::Caller(ann()));
        assert_eq!(
            router.send(&caller, &Directory::default()),
            never("nothing tells `ann`")
        );
    }

    #[test]
    fn lines_go_to_the_file_of_the_channel_or_to_the_one_of_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let router = Router::of_lines(Some(path("all")));
        let own = format!("file:{}", path("own").display());
        assert_eq!(send(&router, &["file", &own]), Ok(()));
        for name in ["all", "own"] {
            assert!(std::fs::read_to_string(path(name)).unwrap().contains("n-1"));
        }
        assert_eq!(
            send(&Router::of_lines(None), &["file"]),
            never("no file is named for notices")
        );
    }
}
