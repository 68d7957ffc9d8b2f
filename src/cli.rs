//! The command line: one file per command, and this file names them.
//!
//! In: arguments, files, standard input, the clock. Out: results on standard output, messages on
//! standard error, and an exit code: 0 fine, 1 findings or failed cases, 2 unusable input.
//! Invariant: the only place that reads the clock, and `--now` stands in for it everywhere.
//! Knows the engine's nouns and verbs and none of its insides; no other face.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, Parser, Subcommand};

use crate::clock::Timestamp;

#[cfg(feature = "server")]
mod access;
#[cfg(not(feature = "server"))]
#[path = "cli/no_serve.rs"]
mod access;
mod all_events;
mod analyze;
mod audit;
mod backup;
mod block;
mod check;
mod completions;
mod decide;
mod diff;
mod doctor;
mod escalations;
mod explain;
mod explain_code;
mod fix;
mod fmt;
mod input;
mod man;
mod new;
mod output;
mod progress;
mod render;
mod replay;
mod revision;
mod schema;
mod screen;
#[cfg(feature = "server")]
mod serve;
#[cfg(not(feature = "server"))]
#[path = "cli/no_serve.rs"]
mod serve;
mod shell;
mod show;
mod simulate;
mod stats;
mod test;

use shell::{Answer, Failure, Shell};

/// Escalation matrices: who must decide, how fast, what happens meanwhile, and what happens if
/// nobody answers.
#[derive(Debug, Parser)]
#[command(name = "laneway", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 fine, 1 findings or failed cases, 2 unusable input.\nWhere a command reads a file, `-` is standard input."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// When to colour the output
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    /// The instant to take as now, such as 2026-11-20T10:00:00Z; makes a run reproducible
    #[arg(long, global = true, value_name = "INSTANT", value_parser = shell::instant)]
    now: Option<Timestamp>,
    /// The configuration, instead of the laneway.toml beside the matrix or in this folder
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    Check(check::Args),
    Analyze(analyze::Args),
    Diff(diff::Args),
    Fmt(fmt::Args),
    Decide(decide::Args),
    Replay(replay::Args),
    Explain(explain::Args),
    Simulate(simulate::Args),
    Stats(stats::Args),
    Test(test::Args),
    Show(show::Args),
    Serve(serve::Args),
    Access(access::Args),
    Doctor(doctor::Args),
    Escalations(escalations::Args),
    Audit(audit::Args),
    Backup(backup::Args),
    Restore(backup::Restore),
    Schema(schema::Args),
    ExplainCode(explain_code::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to standard output, a mistake to standard error; clap knows which.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let mut shell = Shell::new(&cli.global);
    let answer = run(&cli.command, &mut shell);
    shell.end(answer)
}

fn run(command: &Command, shell: &mut Shell) -> Result<Answer, Failure> {
    match command {
        Command::New(args) => new::run(args, shell),
        Command::Check(args) => check::run(args, shell),
        Command::Analyze(args) => analyze::run(args, shell),
        Command::Diff(args) => diff::run(args, shell),
        Command::Fmt(args) => fmt::run(args, shell),
        Command::Decide(args) => decide::run(args, shell),
        Command::Replay(args) => replay::run(args, shell),
        Command::Explain(args) => explain::run(args, shell),
        Command::Simulate(args) => simulate::run(args, shell),
        Command::Stats(args) => stats::run(args, shell),
        Command::Test(args) => test::run(args, shell),
        Command::Show(args) => show::run(args, shell),
        Command::Access(args) => access::run(args, shell),
        Command::Serve(args) => serve::run(args, shell),
        Command::Doctor(args) => doctor::run(args, shell),
        Command::Escalations(args) => escalations::run(args, shell),
        Command::Backup(args) => backup::run(args, shell),
        Command::Restore(args) => backup::restore(args, shell),
        Command::Audit(args) => audit::run(args, shell),
        Command::Schema(args) => schema::run(args, shell),
        Command::ExplainCode(args) => explain_code::run(args, shell),
        Command::Completions(args) => completions::run(args, Cli::command(), shell),
        Command::Man(args) => man::run(args, Cli::command(), shell),
    }
}
