//! `laneway escalations`: open, look at, answer and carry out escalations of a store on this machine.
//!
//! In: a store, who acts by the system's user, commands. Out: what was done, as text or JSON.
//! Invariant: nothing is printed as done before it is durable; a refusal is exit code 1 with its
//! reason, and what cannot be used or stored is 2. None of them means that an action may run.
//! Knows the desk and no rule of the lifecycle; one file for each command that is more than a line.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::shell::{Answer, Failure, Shell};
use crate::clock::Timestamp;

mod act;
mod amend;
mod clock;
mod consume;
mod find;
mod init;
mod list;
mod open;
mod page;
mod place;
mod show;
mod trouble;
mod watch;
mod who;

pub(super) use place::{open_beside, open_for_audit};
pub(super) use trouble::{Trouble, end};
pub(super) use who::actor;

use place::Desk;

/// Open, show and answer escalations
///
/// Who acts is the user of the operating system; `[people]` of laneway.toml says who that is. A store
/// is one file, and who may write it can act as anybody. No service is needed: every command that
/// writes does what is due, and `watch` makes that prompt and sends the notices.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command on escalations understands.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// The store: a file, or the URL of a database; without it that of laneway.toml
    #[arg(long, global = true, value_name = "PATH")]
    store: Option<String>,
    /// Act as this person; only in a store for demonstrations, or where `allow_as` is set
    #[arg(long = "as", global = true, value_name = "PERSON")]
    as_person: Option<String>,
    /// How to print the result
    #[arg(long, global = true, value_enum, default_value = "text")]
    format: Format,
}

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person
    Text,
    /// For a program: one object
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Open(open::Args),
    List(list::Args),
    Show(show::Args),
    Approve(act::Approve),
    Deny(act::Deny),
    Withdraw(act::Withdraw),
    Amend(amend::Args),
    Cancel(act::Cancel),
    Reassign(act::Reassign),
    Delegate(act::Delegate),
    Comment(act::Comment),
    Attach(act::Attach),
    Consume(consume::Args),
    Revoke(act::Revoke),
    Release(act::Release),
    ConfirmClock(act::ConfirmClock),
    Erase(act::Erase),
    Watch(watch::Args),
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let done = command(args, shell);
    end(done, args.common.format, shell)
}

fn command(args: &Args, shell: &mut Shell) -> Result<(), Trouble> {
    let common = &args.common;
    match &args.command {
        Command::Init(args) => init::run(args, common, shell),
        Command::Open(args) => open::run(args, common, shell),
        Command::List(args) => list::run(args, &Desk::open(common, None, shell)?, shell),
        Command::Show(args) => show::run(args, &Desk::open(common, None, shell)?, shell),
        Command::Approve(args) => act::approve(args, &Desk::open(common, None, shell)?, shell),
        Command::Deny(args) => act::deny(args, &Desk::open(common, None, shell)?, shell),
        Command::Withdraw(args) => act::withdraw(args, &Desk::open(common, None, shell)?, shell),
        Command::Amend(args) => amend::run(args, &Desk::open(common, None, shell)?, shell),
        Command::Cancel(args) => act::cancel(args, &Desk::open(common, None, shell)?, shell),
        Command::Reassign(args) => act::reassign(args, &Desk::open(common, None, shell)?, shell),
        Command::Delegate(args) => act::delegate(args, &Desk::open(common, None, shell)?, shell),
        Command::Comment(args) => act::comment(args, &Desk::open(common, None, shell)?, shell),
        Command::Attach(args) => act::attach(args, &Desk::open(common, None, shell)?, shell),
        Command::Consume(args) => consume::run(args, common, shell),
        Command::Revoke(args) => act::revoke(args, &Desk::open(common, None, shell)?, shell),
        Command::Release(args) => act::release(args, &Desk::open(common, None, shell)?, shell),
        Command::ConfirmClock(_) => act::confirm(&Desk::open(common, None, shell)?, shell),
        Command::Erase(args) => act::erase(args, &Desk::open(common, None, shell)?, shell),
        Command::Watch(args) => watch::run(args, &Desk::open(common, None, shell)?, shell),
    }
}

impl Common {
    /// For commands that read a store and nothing else.
    pub(super) fn of_store(store: Option<String>, format: Format) -> Self {
        Self {
            store,
            as_person: None,
            format,
        }
    }
}

/// Writes one JSON document.
pub(super) fn json(value: &impl Serialize, out: &mut impl Write) -> Result<(), Trouble> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// Reads a file, or standard input for `-`, of at most so many bytes.
fn read_file(path: &PathBuf, most: usize) -> Result<Vec<u8>, Trouble> {
    use std::io::Read;
    let name = || crate::files::shown(path);
    let opened: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin()),
        false => {
            let opened = std::fs::File::open(path);
            Box::new(opened.map_err(|error| {
                Trouble::unusable("file", format!("`{}` cannot be read: {error}", name()))
            })?)
        }
    };
    let mut bytes = Vec::new();
    let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    opened
        .take(bound)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            Trouble::unusable("file", format!("`{}` cannot be read: {error}", name()))
        })?;
    match bytes.len() > most {
        true => Err(Trouble::unusable(
            "file",
            format!("`{}` has more than {most} bytes", name()),
        )),
        false => Ok(bytes),
    }
}

/// An instant, or how long ago it was.
pub(super) fn since(text: &str) -> Result<Since, String> {
    if let Some(at) = crate::clock::parse_timestamp(text) {
        return Ok(Since::At(at));
    }
    crate::clock::Duration::parse(text)
        .map(Since::Ago)
        .map_err(|_| "an instant such as `2026-11-20T10:00:00Z`, or how long ago, as `2d`".into())
}

/// From when.
#[derive(Debug, Clone, Copy)]
pub(super) enum Since {
    At(Timestamp),
    Ago(crate::clock::Duration),
}
