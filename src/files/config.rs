//! `laneway.toml`: what an operator sets beside a matrix.
//!
//! In: the file named with `--config`, or the one beside the matrix, or the one in the current
//! folder. Out: a [`Config`]; every part has a default.
//! Invariant: an unknown key is an error, so that a misspelt bound is not a bound that is not there;
//! a mistake is said with its place; a path is beside the file that names it.
//! Knows nothing of what is done with it.
//!
//! `grammar/laneway.toml.md` has every key. An example:
//!
//! ```toml
//! directory = "people.toml"            # instead of [people], [groups], [agents], [roles] here
//!
//! [people."maria@acme.example"]
//! login = "maria"
//! channels = ["log"]
//!
//! [people."jon@acme.example"]
//! left = true
//!
//! [groups]
//! payments = ["maria@acme.example", "jon@acme.example", "@payments-night"]
//! payments-night = ["ann@acme.example"]
//!
//! [agents]
//! refund-bot = "dev@acme.example"
//!
//! [roles]
//! operators = ["ops@acme.example"]
//! admins = ["ops@acme.example"]
//!
//! [notify]
//! channels = ["log"]
//!
//! [escalations]
//! store = "laneway.db"
//! grant_lapses_after = "15m"
//! redact = ["customer.iban", "context.*.token"]
//!
//! [decisions]
//! log = "decisions"
//! sample = 0.1
//!
//! [server]
//! listen = "127.0.0.1:8750"
//! ```

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::shown;
use crate::escalation::people::Directory;
use crate::limits::{DIRECTORY_BYTES, Limits};
use crate::measure::Sources;

mod decisions;
mod measures;
mod notify;
mod openid;
mod people;
mod server;
mod settings;
mod source;
mod telemetry;
mod web;

pub use decisions::Decisions;
pub use measures::{Measures, Routing};
pub use notify::{Notify, Secret, SecretFrom, Smtp, SmtpTls, Url, Webhook};
#[cfg(feature = "openid")]
pub(crate) use openid::is_here;
pub use openid::{EMAIL, OpenId};
pub use server::{Server, Tls};
pub use settings::{Escalations, Local, Store, StorePlaceError};
pub use source::Place;
use source::Source;
pub use telemetry::Telemetry;
#[cfg(feature = "server")]
pub(crate) use web::web_address;

/// The name of the file.
pub const NAME: &str = "laneway.toml";

/// Bytes of a configuration. Nobody writes a longer one by hand.
const BYTES: u64 = 1 << 20;

/// Offsets in a file are 32 bits wide, so a file bound above this could not be kept.
const FILE_BYTES: usize = i32::MAX as usize;

/// What an operator sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The bounds of the engine.
    pub limits: Limits,
    /// The sources of events that are trusted with the time, and how late theirs may be.
    pub sources: Sources,
    /// What counts in windows, and for whom.
    pub measures: Measures,
    /// Who is who.
    pub people: Directory,
    /// Where escalations are stored, and what holds for all of them.
    pub escalations: Escalations,
    /// What reaches people and callers.
    pub notify: Notify,
    /// What a user of the command line may do.
    pub local: Local,
    /// The log of decisions; none is written without it.
    pub decisions: Option<Decisions>,
    /// The service.
    pub server: Server,
    /// Whom people sign in at beside passwords; a program without the feature `openid` does not start with it.
    pub openid: Option<OpenId>,
    /// Where traces go; a program without the feature `otel` does not start with it.
    pub telemetry: Option<Telemetry>,
}

/// What holds where there is no file: nobody is known, and everybody is reached by the log.
impl Default for Config {
    fn default() -> Self {
        let notify = Notify::default();
        Self {
            limits: Limits::default(),
            sources: Sources::default(),
            measures: Measures::default(),
            people: Directory::reached_by(notify.channels.clone()),
            escalations: Escalations::default(),
            notify,
            local: Local::default(),
            decisions: None,
            server: Server::default(),
            openid: None,
            telemetry: None,
        }
    }
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    limits: Limits,
    sources: Sources,
    measures: Measures,
    directory: Option<Spanned<String>>,
    people: people::People,
    groups: people::Groups,
    agents: people::Agents,
    roles: people::Roles,
    escalations: settings::EscalationsTable,
    notify: notify::NotifyTable,
    callers: notify::Callers,
    teams: people::Teams,
    local: Local,
    decisions: Option<decisions::DecisionsTable>,
    server: server::ServerTable,
    openid: Option<openid::OpenIdTable>,
    telemetry: Option<telemetry::TelemetryTable>,
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error("`{}` cannot be read: {reason}", shown(path))]
    Unreadable {
        /// The file as it was named.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// It is not what a configuration looks like.
    #[error("{}:{line}:{column}: {message}", shown(path))]
    Invalid {
        /// The file as it was named.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

/// Reads the configuration: the named file, else the one in the matrix's folder, else the one in
/// the current folder, else the defaults.
///
/// # Errors
/// When the named file is not there, or a file is not a valid configuration.
pub fn read(named: Option<&Path>, folder: Option<&Path>) -> Result<Config, ConfigError> {
    match named {
        Some(path) => parse(&Source::read(path, BYTES)?),
        None => [folder, Some(Path::new(""))]
            .into_iter()
            .flatten()
            .map(|folder| folder.join(NAME))
            .find(|path| path.exists())
            .map_or_else(
                || Ok(Config::default()),
                |path| parse(&Source::read(&path, BYTES)?),
            ),
    }
}

fn parse(source: &Source) -> Result<Config, ConfigError> {
    let written: Written = source.parse()?;
    if written.limits.file_bytes > FILE_BYTES {
        let at = source.find("file_bytes");
        return Err(source.invalid(at, format!("`file_bytes` is at most {FILE_BYTES}")));
    }
    let tables = people::Tables {
        people: written.people,
        groups: written.groups,
        agents: written.agents,
        roles: written.roles,
    };
    let notify = written.notify.read(source, &written.callers)?;
    let people = match &written.directory {
        None => people::directory((source, &tables), None, &written.teams, &notify)?,
        Some(name) => {
            let other = Source::read(&source.beside(name)?, DIRECTORY_BYTES)?;
            let others: people::Tables = other.parse()?;
            let others = Some((&other, &others));
            people::directory((source, &tables), others, &written.teams, &notify)?
        }
    };
    Ok(Config {
        limits: written.limits,
        sources: written.sources,
        measures: written.measures,
        people,
        escalations: written.escalations.read(source)?,
        notify,
        local: written.local,
        decisions: written.decisions.map(|it| it.read(source)).transpose()?,
        server: written.server.read(source)?,
        openid: written.openid.map(|it| it.read(source)).transpose()?,
        telemetry: written.telemetry.map(|it| it.read(source)).transpose()?,
    })
}

#[cfg(test)]
mod tests;
