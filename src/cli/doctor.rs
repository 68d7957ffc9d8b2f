//! `laneway doctor`: what keeps a service from doing its work, before it does.
//!
//! In: a matrix, laneway.toml, the store. Out: a line for each thing that was looked at.
//! Invariant: nothing is changed by looking, and what could not be looked at is said.
//! Knows what each part says of itself, and none of their rules.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::escalations::{Common, Format, Trouble, end, json as print, open_for_audit};
use super::shell::{Answer, Failure, Shell};
use crate::check::Options;
use crate::clock::format_timestamp;
use crate::desk::Desk;
use crate::diagnostic::Severity;
use crate::escalation::Principal;
use crate::files::config::{self, Config};
use crate::files::{Root, shown};
use crate::matrix::Contact;
use crate::store::{Order, Query, read};

#[cfg(not(feature = "server"))]
#[path = "doctor/no_tls.rs"]
mod tls;
#[cfg(feature = "server")]
mod tls;

/// Look for what would keep a service from doing its work
///
/// It looks at laneway.toml, the matrix, who is asked by it, the store and what waits in it, and changes
/// nothing. Exit code 1 where something has to be mended.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix: a file or a folder
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    /// Another store than that of laneway.toml: a file, or the URL of a database
    #[arg(long, value_name = "PATH")]
    store: Option<String>,
    /// Verify the whole audit as well, which takes a while where there is much
    #[arg(long)]
    audit: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// As it should be.
    Fine,
    /// It works, and somebody should look at it.
    Look,
    /// It has to be mended.
    Mend,
}

/// What was looked at.
#[derive(Debug, Serialize)]
struct Found {
    what: &'static str,
    state: State,
    said: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

/// All that was looked at.
#[derive(Debug, Default)]
struct Findings(Vec<Found>);

impl Findings {
    fn fine(&mut self, what: &'static str, said: impl Into<String>) {
        self.put(what, State::Fine, said.into(), None);
    }
    fn look(&mut self, what: &'static str, said: impl Into<String>, advice: &str) {
        self.put(what, State::Look, said.into(), Some(advice.to_owned()));
    }
    fn mend(&mut self, what: &'static str, said: impl Into<String>, advice: &str) {
        self.put(what, State::Mend, said.into(), Some(advice.to_owned()));
    }
    fn put(&mut self, what: &'static str, state: State, said: String, advice: Option<String>) {
        self.0.push(Found {
            what,
            state,
            said,
            advice,
        });
    }
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let mut findings = Findings::default();
    match Root::open(&args.matrix) {
        Ok(root) => match shell.config_beside(root.folder()) {
            Ok(config) => look(args, &root, &config, shell, &mut findings),
            Err(failure) => {
                findings.mend("configuration", failure.to_string(), "mend laneway.toml");
            }
        },
        Err(error) => findings.mend("matrix", error.to_string(), "name a matrix"),
    }
    let needs_mending = findings.0.iter().any(|it| it.state == State::Mend);
    let done = say(&findings, args.format, shell);
    match end(done, args.format, shell)? {
        Answer::Fine if needs_mending => Ok(Answer::Findings),
        answer => Ok(answer),
    }
}

fn look(args: &Args, root: &Root, config: &Config, shell: &Shell, findings: &mut Findings) {
    findings.fine("configuration", "laneway.toml can be used");
    listening(config, findings);
    matrix(root, config, shell, findings);
    folders(config, findings);
    let place = match &args.store {
        Some(text) => config::Store::parse(text).map_err(|error| error.to_string()),
        None => Ok(config.escalations.store.clone()),
    };
    match place {
        Ok(place) => store(&place, args, shell, findings),
        Err(why) => findings.mend("store", why, "name a file, or the URL of a database"),
    }
}

/// How it is reached.
fn listening(config: &Config, findings: &mut Findings) {
    let server = &config.server;
    if server.is_exposed() {
        findings.mend(
            "address",
            format!("{} is reached from other machines, without TLS", server.listen),
            "set `tls` under `[server]`, or `behind_proxy = true` where something in front of it speaks TLS",
        );
        return;
    }
    if let Some(tls) = &server.tls {
        if let Some(why) = tls::trouble(tls) {
            findings.mend("TLS", why, "mend `tls` under `[server]`");
            return;
        }
        if is_read_by_others(&tls.key) {
            findings.mend(
                "TLS",
                format!("others may read the key `{}`", shown(&tls.key)),
                "take the right to read it from everybody but its owner",
            );
            return;
        }
    }
    findings.fine("address", format!("{} is safe to listen on", server.listen));
}

/// What decides, and who is asked by it.
fn matrix(root: &Root, config: &Config, shell: &Shell, findings: &mut Findings) {
    let options = Options {
        limits: config.limits.clone(),
        today: Some(shell.now.date_naive()),
    };
    let loaded = root.load(&options, false);
    let matrix = match loaded.matrix {
        Some(matrix) if !loaded.diagnostics.has_errors() => matrix,
        _ => {
            let first = loaded.diagnostics.iter().next();
            let first = first.map_or_else(String::new, |it| format!(": {}", it.message));
            findings.mend(
                "matrix",
                format!("`{}` does not load{first}", root.name()),
                "`laneway check` says all of it; until then every decision is `block`",
            );
            return;
        }
    };
    match loaded.diagnostics.count(Severity::Warning) {
        0 => findings.fine("matrix", format!("`{}` loads", root.name())),
        warnings => findings.look(
            "matrix",
            format!("`{}` loads, with {warnings} warnings", root.name()),
            "`laneway check` says them",
        ),
    }
    let mut nobody = Vec::new();
    for team in &matrix.teams {
        let people = team.first.iter().chain(&team.backup);
        let mut asked = people.flat_map(|contact| asked(contact, config));
        if !asked.any(|person| config.people.is_reachable(&person)) {
            nobody.push(format!("`{}`", team.name));
        }
    }
    match nobody.is_empty() {
        true => findings.fine("people", "somebody of every team can be told"),
        false => findings.mend(
            "people",
            format!("nobody of {} can be told", nobody.join(", ")),
            "name members in `[groups]`, and how they are told in `[people]` or `[notify]`",
        ),
    }
}

/// The people of a contact.
fn asked(contact: &Contact, config: &Config) -> Vec<Principal> {
    let group = config.people.members(&contact.name).cloned();
    match contact.group {
        true => group.collect(),
        false => Principal::parse(&contact.name).into_iter().collect(),
    }
}

/// What is written beside the store.
fn folders(config: &Config, findings: &mut Findings) {
    let windows = Some(("windows of measures", &config.server.windows));
    let log = config
        .decisions
        .as_ref()
        .map(|it| ("decision log", &it.log));
    for (what, folder) in windows.into_iter().chain(log) {
        match is_writable(folder) {
            Ok(()) => findings.fine(what, format!("`{}` can be written", shown(folder))),
            Err(error) => findings.mend(
                what,
                format!("`{}` cannot be written: {error}", shown(folder)),
                "let the user of the service write there, or name another folder",
            ),
        }
    }
}

/// Whether a folder that is there, or the one in which it would be made, lets this user write.
fn is_writable(folder: &Path) -> std::io::Result<()> {
    let there = folder.ancestors().find(|it| it.exists());
    // A name without a folder is made in this one.
    let there = there.filter(|it| !it.as_os_str().is_empty());
    let probe = there
        .unwrap_or(Path::new("."))
        .join(format!(".laneway-doctor-{}", std::process::id()));
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe)?;
    std::fs::remove_file(&probe)
}

fn store(place: &config::Store, args: &Args, shell: &Shell, findings: &mut Findings) {
    let text = match place {
        config::Store::File(path) if !path.exists() => {
            let said = format!("`{}` is not there; the first start makes it", shown(path));
            findings.fine("store", said);
            return;
        }
        config::Store::File(path) => {
            if is_read_by_others(path) {
                findings.mend(
                    "store",
                    format!("others may read `{}`", shown(path)),
                    "take the right to read it from everybody but its owner: it names people and what \
                     they decided",
                );
            }
            shown(path)
        }
        config::Store::Postgres(url) => url.clone(),
    };
    let common = Common::of_store(Some(text), args.format);
    let looked = open_for_audit(&common, shell).and_then(|desk| waiting(&desk, args, findings));
    if let Err(trouble) = looked {
        findings.mend(
            "store",
            trouble.message(),
            "nothing can be carried on until this is mended",
        );
    }
}

/// What waits in the store.
fn waiting(desk: &Desk, args: &Args, findings: &mut Findings) -> Result<(), Trouble> {
    let now = desk.now()?;
    findings.fine("store", format!("it answers ({})", desk.store().kind()));
    match desk.suspicion() {
        None => findings.fine("clock", "it is believed"),
        Some(suspicion) => findings.mend(
            "clock",
            format!(
                "it says {} and should say {}, so nothing times out",
                format_timestamp(suspicion.wall),
                format_timestamp(suspicion.expected)
            ),
            "look at it, then `laneway escalations confirm-clock`",
        ),
    }
    let next = Query {
        pending: Some(true),
        order: Order::Due,
        limit: 1,
        ..Query::default()
    };
    let late = chrono::TimeDelta::minutes(1);
    let due = desk.page(next)?.into_iter().next();
    match due.filter(|it| it.due.is_some_and(|due| due + late < now.at)) {
        None => findings.fine("steps", "none is late"),
        Some(it) => findings.look(
            "steps",
            format!(
                "escalation {} has one that was due more than a minute ago",
                it.id
            ),
            "is a service running on this store?",
        ),
    }
    let outbox = read(desk.store().as_ref(), |transaction| transaction.outbox());
    let outbox = outbox.map_err(crate::desk::DeskError::from)?;
    match outbox.failed {
        0 => findings.fine("notices", format!("{} wait to be sent", outbox.waiting)),
        failed => findings.look(
            "notices",
            format!("{failed} could not be delivered"),
            "mend the channel, then send them again",
        ),
    }
    if args.audit {
        let report = desk.verify(Vec::new())?;
        match report.is_sound() {
            true => findings.fine("audit", format!("{} rows fit", report.rows)),
            false => findings.mend(
                "audit",
                "it was changed",
                "`laneway audit verify` says where",
            ),
        }
    }
    Ok(())
}

/// Whether others than its owner may read a file.
#[cfg(unix)]
fn is_read_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|it| it.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_read_by_others(_: &Path) -> bool {
    false
}

fn say(findings: &Findings, format: Format, shell: &mut Shell) -> Result<(), Trouble> {
    if format == Format::Json {
        return print(
            &serde_json::json!({ "findings": findings.0 }),
            &mut shell.out,
        );
    }
    for found in &findings.0 {
        let word = match found.state {
            State::Fine => shell.paint.good("fine"),
            State::Look => shell.paint.warn("look"),
            State::Mend => shell.paint.bad("mend"),
        };
        writeln!(shell.out, "{word}  {}: {}", found.what, found.said)?;
        if let Some(advice) = &found.advice {
            writeln!(shell.out, "      {advice}")?;
        }
    }
    Ok(())
}
