//! `laneway completions`: the script that completes the commands in a shell.

use std::io::Write;

use clap_complete::Shell as Kind;

use super::shell::{Answer, Failure, Shell};

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    kind: Kind,
}

pub(super) fn run(
    args: &Args,
    mut command: clap::Command,
    shell: &mut Shell,
) -> Result<Answer, Failure> {
    // The generator panics when it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.kind, &mut command, "laneway", &mut script);
    shell.out.write_all(&script)?;
    Ok(Answer::Fine)
}
