//! `laneway man`: the manual pages, one for each command.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap_mangen::Man;

use super::shell::{Answer, Failure, Shell};
use crate::files::shown;

/// Write the manual pages
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder to write them to, one page for each command; without it they are printed
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn run(
    args: &Args,
    command: clap::Command,
    shell: &mut Shell,
) -> Result<Answer, Failure> {
    for (name, page) in pages(command)? {
        match &args.folder {
            None => shell.out.write_all(&page)?,
            Some(folder) => write(folder, &name, &page)?,
        }
    }
    if let Some(folder) = &args.folder {
        shell.tell(&format!("the pages are in `{}`", shown(folder)));
    }
    Ok(Answer::Fine)
}

/// The page of the program and of each command, with its file name.
fn pages(mut command: clap::Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    // Building fills in the global options and the full names of the commands.
    command.build();
    let commands = command.get_subcommands().filter(|c| c.get_name() != "help");
    let all = std::iter::once(command.clone()).chain(commands.cloned());
    all.map(|command| {
        let man = Man::new(command.clone());
        let mut page = Vec::new();
        man.render(&mut page)?;
        Ok((man.get_filename(), page))
    })
    .collect()
}

fn write(folder: &Path, name: &str, page: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, page))
        .map_err(|e| Failure::Unusable(format!("`{}` cannot be written: {e}", shown(&path))))
}
