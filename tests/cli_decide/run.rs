//! Runs the program.

use std::process::Command;

pub use crate::program::Ran;

/// A small matrix with something of everything.
pub const SMALL: &str = "tests/cli_decide/small.lane";

/// The program, in the folder of the crate and on a screen of unknown width.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_laneway"));
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1");
    command
}

pub fn laneway(args: &[&str]) -> Ran {
    laneway_with(args, b"", None)
}

/// On a screen of so many columns.
pub fn on_screen(columns: u32, args: &[&str]) -> Ran {
    laneway_with(args, b"", Some(columns))
}

pub fn laneway_with(args: &[&str], input: &[u8], columns: Option<u32>) -> Ran {
    let mut command = program();
    if let Some(columns) = columns {
        command.env("COLUMNS", columns.to_string());
    }
    Ran::of(command.args(args), input)
}
