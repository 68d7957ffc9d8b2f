//! Sends notices by the channels that `laneway.toml` gives each person.
//!
//! In: notices of the outbox. Out: lines in the log and in files.
//! Invariant: taken is what one channel took; a caller is told in the log.

use std::path::PathBuf;

use crate::escalation::people::{Channel, ChannelKind};
use crate::escalation::{Directory, Recipient};
use crate::files::config::Notify;
use crate::notify::{FileNotifier, LogNotifier, Notifier, NotifyError};
use crate::store::Posted;

/// Sends by the channels of the recipient.
#[derive(Debug)]
pub(super) struct Post {
    file: Option<PathBuf>,
}

impl Post {
    pub(super) fn new(notify: &Notify) -> Self {
        Self {
            file: notify.file.clone(),
        }
    }

    fn by(
        &self,
        channel: &Channel,
        posted: &Posted,
        directory: &Directory,
    ) -> Result<(), NotifyError> {
        match channel.kind {
            ChannelKind::Log => LogNotifier.send(posted, directory),
            ChannelKind::File => {
                let path = channel.address.as_ref().map(PathBuf::from);
                match path.or_else(|| self.file.clone()) {
                    Some(path) => FileNotifier::new(path).send(posted, directory),
                    None => Err(NotifyError::Never("no file is named for notices".into())),
                }
            }
        }
    }
}

impl Notifier for Post {
    fn send(&self, posted: &Posted, directory: &Directory) -> Result<(), NotifyError> {
        let Recipient::Person(person) = &posted.notice.to else {
            return LogNotifier.send(posted, directory);
        };
        let channels = directory.channels(person);
        let mut outcome = Err(NotifyError::Never(format!("`{person}` has no channel")));
        for channel in channels {
            match self.by(channel, posted, directory) {
                Ok(()) => outcome = Ok(()),
                // One that may work later is worth another attempt.
                Err(error @ NotifyError::Later(_)) if outcome.is_err() => outcome = Err(error),
                Err(_) => {}
            }
        }
        outcome
    }
}
