//! Runs the program.

use std::io::Write;
use std::process::{Command, Stdio};

/// A small matrix with something of everything.
pub const SMALL: &str = "tests/cli_decide/small.lane";

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The output as one JSON document.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The output as a JSON document a line.
    pub fn lines(&self) -> Vec<serde_json::Value> {
        let lines = self.out.lines();
        lines.map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// Everything that a person sees.
    pub fn seen(&self) -> String {
        format!("{}{}[exit code {}]", self.out, self.err, self.code)
    }
}

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
    let mut child = command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program may end before it has read everything.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
