//! `laneway backup` and `laneway restore`: the store, while it is in use.
//!
//! In: a store in a file. Out: a copy with one state of everything; a store that begins a new epoch.
//! Invariant: a store that is there is never written over; what a backup granted is not granted again.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::escalations::{Common, Format, Trouble, end, json as print, open_beside};
use super::shell::{Answer, Failure, Shell};
use crate::files::config::{Config, Store};
use crate::files::{Root, shown};
use crate::store;

/// Where the store is.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The store, a file; without it that of laneway.toml
    #[arg(long, value_name = "PATH")]
    store: Option<String>,
    /// The matrix beside which laneway.toml lies, where it is not in this folder
    #[arg(long, value_name = "MATRIX")]
    matrix: Option<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Copy the store while it is in use
///
/// The copy has one state of everything, and only its owner may read it. A database of PostgreSQL has its own
/// programs for this.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The copy; nothing may be there
    #[arg(value_name = "COPY")]
    copy: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Make the store from a copy, and begin a new epoch
///
/// What was done since the copy is lost, so permissions that it has are taken back, and those who are asked are
/// told again. Tokens that were revoked since are good again: look through them.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// The copy
    #[arg(value_name = "COPY")]
    copy: PathBuf,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let done = copy(args, shell);
    end(done, args.place.format, shell)
}

pub(super) fn restore(args: &Restore, shell: &mut Shell) -> Result<Answer, Failure> {
    let done = make(args, shell);
    end(done, args.place.format, shell)
}

/// The file of the store.
fn file(place: &Place, shell: &Shell) -> Result<PathBuf, Trouble> {
    let root = place.matrix.as_deref().map(Root::open).transpose()?;
    let folder = root.as_ref().and_then(Root::folder);
    let config: Config = shell.config_beside(folder)?;
    let store = match &place.store {
        Some(text) => {
            Store::parse(text).map_err(|error| Trouble::unusable("store", error.to_string()))?
        }
        None => config.escalations.store,
    };
    match store {
        Store::File(path) => Ok(path),
        Store::Postgres(_) => Err(Trouble::unusable(
            "store",
            "the store is a database; `pg_dump` and its kin copy it",
        )),
    }
}

fn copy(args: &Args, shell: &mut Shell) -> Result<(), Trouble> {
    let from = file(&args.place, shell)?;
    if !from.exists() {
        let message = format!("there is no store `{}`", shown(&from));
        return Err(Trouble::unusable("no_store", message));
    }
    store::backup(&from, &args.copy).map_err(crate::desk::DeskError::from)?;
    let to = shown(&args.copy);
    match args.place.format {
        Format::Json => print(&json!({ "copy": to }), &mut shell.out),
        Format::Text => Ok(writeln!(shell.out, "copied the store to {to}")?),
    }
}

fn make(args: &Restore, shell: &mut Shell) -> Result<(), Trouble> {
    let to = file(&args.place, shell)?;
    if to.exists() {
        let message = format!(
            "`{}` is there; end what uses it and move it away first",
            shown(&to)
        );
        return Err(Trouble::unusable("store_exists", message));
    }
    // A half copy must not be taken for a store.
    let part = beside(&to);
    put(&args.copy, &part, &to).map_err(|error| {
        let message = format!("`{}` cannot be made: {error}", shown(&to));
        Trouble::unusable("file", message)
    })?;
    let common = Common::of_store(Some(shown(&to)), args.place.format);
    let desk = open_beside(args.place.matrix.as_deref(), &common, shell)?;
    let done = desk.restored()?;
    match args.place.format {
        Format::Json => print(
            &json!({
                "store": shown(&to),
                "epoch": done.epoch,
                "revoked": done.revoked,
                "told_again": done.told,
            }),
            &mut shell.out,
        ),
        Format::Text => {
            let (epoch, revoked, told) = (done.epoch, done.revoked, done.told);
            writeln!(
                shell.out,
                "made {} from the copy; epoch {epoch}: {revoked} permissions taken back, {told} notices \
                 to be sent again",
                shown(&to)
            )?;
            shell.tell(
                "tokens that were revoked since the copy are good again: `laneway access tokens`",
            );
            Ok(())
        }
    }
}

/// A name for what is not whole yet.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

fn put(copy: &Path, part: &Path, to: &Path) -> std::io::Result<()> {
    let mut from = fs::File::open(copy)?;
    let mut made = store::file::create(part)?;
    std::io::copy(&mut from, &mut made)?;
    made.sync_all()?;
    fs::rename(part, to)
}
