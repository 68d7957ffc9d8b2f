//! Notices over the network: what is sent, where it is not sent, what follows from an answer.

#![cfg(feature = "server")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as the test does"
)]

#[path = "notices/addresses.rs"]
mod addresses;
#[path = "notices/mail.rs"]
mod mail;
#[path = "support/receiver.rs"]
mod receiver;
#[path = "notices/webhooks.rs"]
mod webhooks;
#[path = "notices/whole.rs"]
mod whole;

use std::net::SocketAddr;
use std::sync::Arc;

use laneway::Timestamp;
use laneway::escalation::{About, Notice, Principal, Recipient};
use laneway::files::config::{self, Config, ConfigError};
use laneway::notify::{Lookup, Notifier, NotifyError, Outbound, SystemLookup, Told};
use laneway::store::Posted;

/// The secret of the example of Standard Webhooks.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a link begins with.
const URL: &str = "https://laneway.example";

/// A configuration with what sends by it, and the files that it names.
struct Set {
    config: Config,
    outbound: Outbound,
    _folder: tempfile::TempDir,
}

/// Reads a configuration beside which these files are.
fn read(toml: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Config, ConfigError>) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let path = folder.path().join("laneway.toml");
    std::fs::write(&path, toml).unwrap();
    let config = config::read(Some(&path), None);
    (folder, config)
}

fn set_with(toml: &str, files: &[(&str, &str)], lookup: Arc<dyn Lookup>) -> Set {
    let (folder, config) = read(toml, files);
    let config = config.unwrap();
    Set {
        outbound: Outbound::open(&config.notify, URL, lookup).unwrap(),
        config,
        _folder: folder,
    }
}

/// One whose secret is in the file `s`.
fn set(toml: &str) -> Set {
    set_with(toml, &[("s", SECRET)], Arc::new(SystemLookup))
}

/// A webhook of this kind at this URL, by which ann is told.
fn webhook(url: &str) -> String {
    format!(
        "[notify]\nallow = [\"127.0.0.1\"]\n[notify.webhooks.ops]\nurl = \"{url}\"\n\
         secret_file = \"s\"\n[people.\"ann@x\"]\nchannels = [\"webhook:ops\"]\n"
    )
}

/// A notice to somebody.
fn notice(id: &str, to: Recipient, about: About) -> Posted {
    Posted {
        notice: Notice {
            id: id.to_owned(),
            at: Timestamp::UNIX_EPOCH,
            to,
            lane: Some("refunds".to_owned()),
            about,
            merge: None,
        },
        escalation: "e-1".to_owned(),
        attempts: 0,
        count: 1,
        taken: Vec::new(),
    }
}

fn principal(name: &str) -> Principal {
    Principal::parse(name).unwrap()
}

/// A question to ann.
fn asked() -> Posted {
    let ann = Recipient::Person(principal("ann@x"));
    notice("e-1/asked/ann@x", ann, About::Asked)
}

impl Set {
    fn tell(&self, posted: &Posted) -> Told {
        self.outbound.send(posted, &self.config.people)
    }

    fn ask(&self) -> Result<(), NotifyError> {
        self.tell(&asked()).result
    }
}

#[track_caller]
fn never(result: Result<(), NotifyError>) -> String {
    match result {
        Err(NotifyError::Never(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn later(result: Result<(), NotifyError>) -> String {
    match result {
        Err(NotifyError::Later(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Answers each look-up with the next of its addresses, at the port of a receiver, and the last again.
#[derive(Debug)]
struct Names(std::sync::Mutex<Vec<&'static str>>);

impl Names {
    fn new(answers: &[&'static str]) -> Arc<Self> {
        Arc::new(Self(answers.to_vec().into()))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Lookup for Names {
    fn look_up(&self, _: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        let mut answers = self.0.lock().unwrap();
        let answer = match answers.len() {
            1 => answers[0],
            _ => answers.remove(0),
        };
        Ok(vec![SocketAddr::new(answer.parse().unwrap(), port)])
    }
}
