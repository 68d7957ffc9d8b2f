//! Which channel takes a notice.
//!
//! In: a notice, the channels that a directory gives its recipient. Out: to what has each channel's
//! kind.
//! Invariant: every channel of a person or a team is tried that did not take the notice before. It is tried again if
//! one of them may take it later; else taken is what one of them took, now or before. A kind that nothing
//! sends through is an error, never silence.
//! Knows no urgency: a person has the same channels for every notice. Of clocks it reads only how long a
//! channel took.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::{FileNotifier, LogNotifier, Notifier, NotifyError, Told, Try};
use crate::escalation::people::{Channel, ChannelKind};
use crate::escalation::{Directory, Principal, Recipient};
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
    fn send(&self, posted: &Posted, directory: &Directory) -> Told {
        match &posted.notice.to {
            Recipient::Person(person) => {
                let channels = named(directory.channels(person));
                self.tell(person, channels, posted, directory)
            }
            Recipient::Team(team) => {
                let channels = named(directory.team_channels(team));
                self.tell(team, channels, posted, directory)
            }
            Recipient::Caller(caller) => match &self.callers {
                Some(callers) => measured(&**callers, posted, directory),
                None => Told::nobody(format!("nothing tells `{caller}`")),
            },
        }
    }
}

impl Router {
    fn tell(
        &self,
        whom: &Principal,
        channels: Vec<(&Channel, String)>,
        posted: &Posted,
        directory: &Directory,
    ) -> Told {
        let (mut tries, mut is_taken) = (Vec::new(), false);
        for (channel, name) in channels {
            if posted.taken.contains(&name) {
                is_taken = true;
                continue;
            }
            let begun = Instant::now();
            let result = self.by(channel, posted, directory);
            tries.push(Try {
                channel: name,
                took: begun.elapsed(),
                result,
            });
        }
        let result = match tries.is_empty() && !is_taken {
            true => Err(NotifyError::Never(format!("`{whom}` has no channel"))),
            false => summed_up(&tries, is_taken),
        };
        Told { result, tries }
    }
}

/// Channels with their names. Two whose secrets alone differ are numbered: what one took the other did not.
fn named(channels: &[Channel]) -> Vec<(&Channel, String)> {
    let mut names: Vec<(&Channel, String)> = Vec::with_capacity(channels.len());
    for channel in channels {
        let shown = channel.shown();
        let mut name = shown.clone();
        let mut n = 1;
        while names.iter().any(|(_, its)| *its == name) {
            n += 1;
            name = format!("{shown} #{n}");
        }
        names.push((channel, name));
    }
    names
}

fn summed_up(tries: &[Try], was_taken: bool) -> Result<(), NotifyError> {
    let (mut is_taken, mut later, mut never) = (was_taken, Vec::new(), Vec::new());
    for it in tries {
        match &it.result {
            Ok(()) => is_taken = true,
            Err(NotifyError::Later(why)) => later.push(why.as_str()),
            Err(NotifyError::Never(why)) => never.push(why.as_str()),
        }
    }
    match (later.is_empty(), is_taken) {
        (false, _) => Err(NotifyError::Later(later.join("; "))),
        (true, true) => Ok(()),
        (true, false) => Err(NotifyError::Never(never.join("; "))),
    }
}

/// What tells callers, which may not have measured how long that took.
fn measured(callers: &dyn Notifier, posted: &Posted, directory: &Directory) -> Told {
    let begun = Instant::now();
    let mut told = callers.send(posted, directory);
    if let [one] = told.tries.as_mut_slice()
        && one.took.is_zero()
    {
        one.took = begun.elapsed();
    }
    told
}

impl Carrier for LogNotifier {
    fn carry(
        &self,
        posted: &Posted,
        _: &Channel,
        directory: &Directory,
    ) -> Result<(), NotifyError> {
        self.send(posted, directory).result
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
        file.send(posted, directory).result
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
            taken: Vec::new(),
        }
    }

    fn ann() -> Principal {
        Principal::parse("ann").unwrap()
    }

    /// Sends to ann, who has these channels, of which some took it before.
    fn tell(router: &Router, channels: &[&str], taken: &[&str]) -> Told {
        let channels = channels.iter().map(|text| Channel::parse(text).unwrap());
        let person = Person {
            channels: Some(channels.collect()),
            ..Person::default()
        };
        let mut builder = Directory::builder();
        builder.person(ann(), person).unwrap();
        let directory = builder.finish().unwrap();
        let taken = taken.iter().map(|name| (*name).to_owned()).collect();
        let posted = Posted {
            taken,
            ..posted(Recipient::Person(ann()))
        };
        router.send(&posted, &directory)
    }

    fn send(router: &Router, channels: &[&str]) -> Result<(), NotifyError> {
        tell(router, channels, &[]).result
    }

    /// What was asked, and whether it took the notice.
    fn asked(told: &Told) -> Vec<(&str, bool)> {
        let tries = told.tries.iter();
        tries.map(|it| (&*it.channel, it.result.is_ok())).collect()
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
        assert_eq!(send(&router(later(), Ok(())), &both), later());
        assert_eq!(send(&router(later(), never("gone")), &both), later());
        assert_eq!(send(&router(never("gone"), later()), &both), later());
        assert_eq!(
            send(&router(never("gone"), never("full")), &both),
            never("gone; full")
        );
    }

    #[test]
    fn what_took_a_notice_is_not_asked_again() {
        let (log, file) = (Fixed::new(Ok(())), Fixed::new(later()));
        let router = Router::new()
            .with(ChannelKind::Log, Box::new(log.clone()))
            .with(ChannelKind::File, Box::new(file.clone()));
        let told = tell(&router, &["log", "file:a"], &[]);
        assert_eq!(asked(&told), [("log", true), ("file:a", false)]);
        let told = tell(&router, &["log", "file:a"], &["log"]);
        assert_eq!(
            (asked(&told), told.result.clone()),
            (vec![("file:a", false)], later())
        );
        assert_eq!((log.seen().len(), file.seen().len()), (1, 2));
        // Whom one channel told is told, also where the other never will.
        let gone = Router::new().with(ChannelKind::File, Box::new(Fixed::new(never("gone"))));
        assert_eq!(tell(&gone, &["log", "file:a"], &["log"]).result, Ok(()));
        assert_eq!(tell(&gone, &["log"], &["log"]).result, Ok(()));
    }

    #[test]
    fn channels_that_differ_in_a_secret_alone_have_names_of_their_own() {
        let file = Fixed::new(Ok(()));
        let router = Router::new().with(ChannelKind::File, Box::new(file.clone()));
        let both = [
            "file:https://chat.example/secret-1",
            "file:https://chat.example/secret-2",
        ];
        let told = tell(&router, &both, &[]);
        let names = ["file:https://chat.example", "file:https://chat.example #2"];
        assert_eq!(asked(&told), [(names[0], true), (names[1], true)]);
        let told = tell(&router, &both, &names[..1]);
        assert_eq!(asked(&told), [(names[1], true)]);
        let second = both[1].strip_prefix("file:").map(str::to_owned);
        assert_eq!(file.seen().last(), Some(&second));
    }

    #[test]
    fn how_long_a_channel_took_is_measured_also_of_what_tells_callers() {
        #[derive(Debug)]
        struct Slow;
        let pause = std::time::Duration::from_millis(5);
        impl Carrier for Slow {
            fn carry(&self, _: &Posted, _: &Channel, _: &Directory) -> Result<(), NotifyError> {
                std::thread::sleep(std::time::Duration::from_millis(5));
                Ok(())
            }
        }
        impl Notifier for Slow {
            fn send(&self, posted: &Posted, directory: &Directory) -> Told {
                let log = Channel::from(ChannelKind::Log);
                Told::by("callers".to_owned(), self.carry(posted, &log, directory))
            }
        }
        let router = Router::new()
            .with(ChannelKind::Log, Box::new(Slow))
            .with_callers(Box::new(Slow));
        assert!(tell(&router, &["log"], &[]).tries[0].took >= pause);
        let told = router.send(&posted(Recipient::Caller(ann())), &Directory::default());
        assert!(told.tries[0].took >= pause);
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
            router.send(&caller, &Directory::default()).result,
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
