//! Notices as lines: on standard error, and in a file.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::{Notifier, NotifyError, Told};
use crate::clock::format_timestamp;
use crate::escalation::people::{Channel, ChannelKind};
use crate::escalation::{About, Directory, Recipient};
use crate::store::Posted;

/// Writes each notice as a line of JSON to standard error: for a service whose logs are read.
#[derive(Debug, Default)]
pub struct LogNotifier;

/// Appends each notice as a line of JSON to a file.
#[derive(Debug)]
pub struct FileNotifier {
    path: PathBuf,
    /// So that lines do not mix.
    writing: Mutex<()>,
}

impl FileNotifier {
    /// To a file, which is made when it is not there.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            writing: Mutex::new(()),
        }
    }
}

/// A notice as a line of JSON.
#[must_use]
pub fn line(posted: &Posted) -> String {
    let notice = &posted.notice;
    let (role, to) = match &notice.to {
        Recipient::Person(person) => ("person", person),
        Recipient::Team(team) => ("team", team),
        Recipient::Caller(caller) => ("caller", caller),
    };
    let mut line = json!({
        "id": notice.id, "type": notice.about.as_str(), "at": format_timestamp(notice.at),
        "to": to, "as": role, "escalation": posted.escalation,
    });
    if let Some(members) = line.as_object_mut() {
        if let Some(lane) = &notice.lane {
            members.insert("lane".to_owned(), json!(lane));
        }
        match &notice.about {
            About::Action(action) => members.insert("action".to_owned(), json!(action)),
            About::Resolved(outcome) => members.insert("outcome".to_owned(), json!(outcome)),
            _ => None,
        };
        if posted.count > 1 {
            members.insert("count".to_owned(), json!(posted.count));
        }
    }
    line.to_string()
}

/// Why a person cannot be told.
fn unreachable(posted: &Posted, directory: &Directory) -> Option<String> {
    match &posted.notice.to {
        Recipient::Person(person) if !directory.is_reachable(person) => {
            Some(format!("`{person}` has no channel"))
        }
        _ => None,
    }
}

impl Notifier for LogNotifier {
    fn send(&self, posted: &Posted, directory: &Directory) -> Told {
        if let Some(why) = unreachable(posted, directory) {
            return Told::nobody(why);
        }
        let written = writeln!(io::stderr().lock(), "{}", line(posted));
        let written = written.map_err(|error| NotifyError::Later(error.to_string()));
        Told::by(Channel::from(ChannelKind::Log).shown(), written)
    }
}

impl Notifier for FileNotifier {
    fn send(&self, posted: &Posted, directory: &Directory) -> Told {
        if let Some(why) = unreachable(posted, directory) {
            return Told::nobody(why);
        }
        let channel = Channel {
            kind: ChannelKind::File,
            address: Some(self.path.display().to_string()),
        };
        Told::by(channel.shown(), self.append(posted))
    }
}

impl FileNotifier {
    fn append(&self, posted: &Posted) -> Result<(), NotifyError> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&self.path).and_then(|mut file| {
            let mut bytes = line(posted).into_bytes();
            bytes.push(b'\n');
            file.write_all(&bytes)
        });
        written.map_err(|error| {
            NotifyError::Later(format!(
                "`{}` cannot be written: {error}",
                self.path.display()
            ))
        })
    }
}
