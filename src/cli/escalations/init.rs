//! `laneway escalations init`: makes the store.

use std::io::Write;

use serde_json::json;

use super::place::{open_desk, stand_still};
use super::trouble::Trouble;
use super::{Common, Format};
use crate::cli::shell::Shell;
use crate::engine::{self, Wanted};

/// Make the store of escalations
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Make it for demonstrations: `--as` and `--now` are permitted in it, for ever
    #[arg(long)]
    demo: bool,
}

pub(super) fn run(args: &Args, common: &Common, shell: &mut Shell) -> Result<(), Trouble> {
    if !args.demo && shell.still().is_some() {
        // Before there is a file.
        let message = "`--now` needs a store for demonstrations: add `--demo`";
        return Err(Trouble::refused("now", message));
    }
    let (desk, config) = open_desk(common, None, shell, Wanted::New)?;
    engine::make(desk.store().as_ref(), args.demo)?;
    stand_still(&desk, args.demo, shell)?;
    desk.keep_house()?;
    let place = match (&common.store, &config.escalations.store) {
        (Some(given), _) => given.clone(),
        (None, crate::files::config::Store::File(path)) => crate::files::shown(path).to_string(),
        (None, crate::files::config::Store::Postgres(_)) => "the database".to_owned(),
    };
    match common.format {
        Format::Json => super::json(
            &json!({ "store": place, "demo": args.demo }),
            &mut shell.out,
        ),
        Format::Text => {
            writeln!(shell.out, "made the store {place}")?;
            if args.demo {
                let what =
                    "for demonstrations: `--as PERSON` and `--now INSTANT` are permitted in it";
                writeln!(shell.out, "{what}")?;
            }
            Ok(())
        }
    }
}
