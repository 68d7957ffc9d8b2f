//! `laneway escalations consume`: uses the permission that an approval gave, once (rule 8).

use std::path::PathBuf;

use super::Common;
use super::act::said;
use super::find::find;
use super::place::Desk;
use super::trouble::Trouble;
use crate::cli::shell::Shell;
use crate::desk::Consumption;
use crate::escalation::Reply;
use crate::files::Root;

/// Use the permission of an approval, once, for the action that was approved
///
/// The matrix decides again, as of the opening: if it is stricter now, the permission is taken back. Run
/// the action only if this ends with exit code 0.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
    /// The matrix as it is now: a file, or the folder of one
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    /// The event that is about to run: a file, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "digest")]
    event: Option<PathBuf>,
    /// The digest of the action that is about to run, where the event was stored whole
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    /// What makes a repeated call the same call; without it each call is another one
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

pub(super) fn run(args: &Args, common: &Common, shell: &mut Shell) -> Result<(), Trouble> {
    if args.event.is_none() && args.digest.is_none() {
        let message = "say what is about to run: the event with `--event`, or `--digest`";
        return Err(Trouble::unusable("no_action", message));
    }
    let root = Root::open(&args.matrix)?;
    let desk = Desk::open(common, root.folder(), shell)?;
    let (matrix, limits) = shell.matrix(&args.matrix)?;
    let id = find(&desk, &args.id)?;
    let event = args.event.as_ref();
    let event = event
        .map(|path| super::read_file(path, limits.event_total_bytes))
        .transpose()?;
    let consumption = Consumption {
        digest: args.digest.clone(),
        event,
        key: match &args.key {
            Some(key) => key.clone(),
            None => once(&desk)?,
        },
    };
    let actor = desk.actor.clone();
    let done = desk.desk.consume(&id, &consumption, &matrix, actor)?;
    let word = match done.reply {
        Reply::Consumed { replayed: true } => {
            "the same call was answered before: this is no second use of"
        }
        _ => "used the permission of",
    };
    said(&desk, &done, shell, word)
}

/// A key that no other call has: a second call must not be taken for the first one.
fn once(desk: &Desk) -> Result<String, Trouble> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Trouble::unusable("random", format!("no random bytes are to be had: {error}"))
    })?;
    let random = uuid::Builder::from_random_bytes(bytes).into_uuid();
    Ok(format!("{}-{}", desk.actor.principal, random.simple()))
}
