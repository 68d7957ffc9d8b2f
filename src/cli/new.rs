//! `laneway new`: a matrix to start from.
//!
//! In: a folder. Out: the files of a template in it, and the next commands.
//! Invariant: a file that is there already is never written over; then none is written.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::render::count;
use super::shell::{Answer, Failure, Shell};
use crate::files::shown;

/// Start a matrix from a template
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder to write to; it is made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// What to start from
    #[arg(long, value_enum, default_value = "five-lanes")]
    template: Template,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Template {
    /// The five lanes that most teams need: customers, policy, operations, security, finance
    FiveLanes,
}

impl Template {
    /// Where its files come from; they name their own commands by this folder.
    fn home(self) -> &'static str {
        match self {
            Self::FiveLanes => "matrices/agent-operations",
        }
    }

    /// Its files, by name.
    fn files(self) -> [(&'static str, &'static str); 4] {
        macro_rules! file {
            ($name:literal) => {
                (
                    $name,
                    include_str!(concat!("../../matrices/agent-operations/", $name)),
                )
            };
        }
        match self {
            Self::FiveLanes => [
                file!("matrix.lane"),
                file!("people.lane"),
                file!("events.ndjson"),
                file!("README.md"),
            ],
        }
    }
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let folder = &args.folder;
    let files = args.template.files();
    let there: Vec<&str> = files
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| fs::symlink_metadata(folder.join(name)).is_ok())
        .collect();
    if !there.is_empty() {
        let (folder, names) = (shown(folder), there.join("`, `"));
        let message = format!("`{folder}` already has `{names}`; nothing was written");
        return Err(Failure::Unusable(message));
    }
    make(folder, |folder| fs::create_dir_all(folder))?;
    let place = word(folder);
    for (name, text) in files {
        let text = text.replace(args.template.home(), &place);
        make(&folder.join(name), |path| create(path, &text))?;
    }
    let written = count(files.len(), "file");
    writeln!(shell.out, "wrote {written} to {}", shown(folder))?;
    writeln!(shell.out, "\nnext:\n  laneway check {place}")?;
    writeln!(shell.out, "  laneway decide {place} {place}/events.ndjson")?;
    writeln!(shell.out, "  laneway test {place}")?;
    Ok(Answer::Fine)
}

fn make(path: &Path, how: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), Failure> {
    how(path).map_err(|e| {
        let reason = e.kind();
        Failure::Unusable(format!("`{}` cannot be made: {reason}", shown(path)))
    })
}

/// Writes a file that is not there yet, not even as a link.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// The folder as a word of a shell's command.
fn word(folder: &Path) -> String {
    let text = shown(folder);
    let plain = |c: char| c.is_alphanumeric() || "/-._".contains(c);
    if text.chars().all(plain) && !text.starts_with('-') {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_word_of_a_command() {
        assert_eq!(word(Path::new("ops/acme-1")), "ops/acme-1");
        assert_eq!(word(Path::new("it's mine")), r"'it'\''s mine'");
    }
}
