//! Runs the program in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder with files, in which the program runs.
pub struct Folder {
    folder: TempDir,
}

pub use super::program::Ran;

impl Ran {
    /// The codes of the findings in JSON.
    pub fn codes(&self) -> Vec<String> {
        let all = self.json();
        let all = all.as_array().unwrap().iter();
        all.map(|d| d["code"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Folder {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A folder with files of these names and texts.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, b"")
    }

    /// Runs with that standard input.
    pub fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        Ran::of(&mut program(self.folder.path(), args), input)
    }

    /// Runs while the reader of the output is already gone.
    pub fn run_closed(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut child = program(self.folder.path(), args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), err)
    }
}

fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_laneway"));
    command.current_dir(folder).args(args);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    command
}

/// A matrix without findings.
pub const SOUND: &str = r#"matrix "Small" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}
import "people.lane"
event refund {
  amount: money USD 0 to 1000000
  customer: text
}
sample small is refund {
  amount = 10 USD
  customer = "c1"
}
lane big_refund {
  about "Refunds above what an agent may give"
  on refund
  when amount > 100 USD
  owner finance
  urgency normal
  respond within 1h
  meanwhile block item
  operator "Check the order, then answer."
  evidence {
    required input, action, trigger
  }
  timeout {
    after 1h notify backup
    after 4h deny
  }
  example "a large one" small with { amount = 101 USD } -> escalate
  example "a small one" small -> no match
}
"#;

/// The file that [`SOUND`] imports.
pub const PEOPLE: &str = r#"team finance {
  first person "ada@acme.example"
  backup person "ben@acme.example"
}
"#;

/// A folder with [`SOUND`] as `matrix.lane`.
pub fn sound() -> Folder {
    Folder::with(&[("matrix.lane", SOUND), ("people.lane", PEOPLE)])
}

/// A folder with [`SOUND`] after a replacement.
pub fn with(old: &str, new: &str) -> Folder {
    assert!(SOUND.contains(old), "{old}");
    Folder::with(&[
        ("matrix.lane", &SOUND.replacen(old, new, 1)),
        ("people.lane", PEOPLE),
    ])
}
