//! A folder with the matrix `refund-guard`, its people and a store.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// The morning of the events of the matrix; a Thursday.
pub const MORNING: &str = "2026-11-19T10:50:00+01:00";

pub const SERVICE: &str = "payments-service";
pub const CARLA: &str = "carla@acme.example";
pub const HENRIK: &str = "henrik@acme.example";
pub const YUSUF: &str = "yusuf@acme.example";
pub const SOFIA: &str = "sofia@acme.example";

pub use super::program::Ran;

impl Ran {
    /// Itself, and it must have gone well.
    pub fn fine(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// A refusal, with its code in JSON and its message.
    pub fn refused(&self, code: &str) -> String {
        assert_eq!(self.code, 1, "{self:?}");
        assert_eq!(self.json()["error"]["code"], code, "{self:?}");
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }

    /// Something that cannot be used, with its code in JSON and its message.
    pub fn unusable(&self, code: &str) -> String {
        assert_eq!(self.code, 2, "{self:?}");
        assert_eq!(self.json()["error"]["code"], code, "{self:?}");
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// A folder to work in.
pub struct World {
    pub folder: TempDir,
    pub now: String,
}

impl World {
    /// With a store for demonstrations.
    pub fn demo() -> Self {
        let world = Self::without_store();
        world.run(&["escalations", "init", "--demo"]).fine();
        world
    }

    pub fn without_store() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("matrices/refund-guard");
        for name in ["matrix.lane", "events.ndjson", "laneway.toml"] {
            fs::copy(from.join(name), folder.path().join(name)).unwrap();
        }
        Self {
            folder,
            now: MORNING.to_owned(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program in that folder, at the instant of the world.
    pub fn run(&self, args: &[&str]) -> Ran {
        let now = self.now.clone();
        self.run_with(&[args, &["--now", &now]].concat(), b"")
    }

    /// The program in that folder by the real clock.
    pub fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        self.on_screen("", args, input)
    }

    /// The same on a screen of so many columns.
    pub fn on_screen(&self, columns: &str, args: &[&str], input: &[u8]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_laneway"));
        let command = command.current_dir(self.folder.path());
        let command = command.env("COLUMNS", columns).env("NO_COLOR", "1");
        Ran::of(command.args(args), input)
    }

    /// A command on escalations as someone.
    pub fn as_person(&self, person: &str, args: &[&str]) -> Ran {
        self.run(&[&["escalations"], args, &["--as", person]].concat())
    }

    /// The same for programs.
    pub fn json_as(&self, person: &str, args: &[&str]) -> Ran {
        self.as_person(person, &[args, &["--format", "json"]].concat())
    }

    /// Opens an escalation for the event with that id; its id.
    pub fn open(&self, event: &str) -> String {
        let args = ["open", ".", "events.ndjson", "--id", event];
        let opened = self.json_as(SERVICE, &args).fine().json();
        opened["escalation"]["id"].as_str().unwrap().to_owned()
    }

    /// The event with that id, in a file of its own.
    pub fn event(&self, id: &str) -> serde_json::Value {
        let all = fs::read_to_string(self.path("events.ndjson")).unwrap();
        let mut events = all
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        events.find(|event| event["id"] == id).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// What a person sees, without what differs from run to run.
    pub fn seen(&self, ran: &Ran, ids: &[&str]) -> String {
        let mut seen = format!("{}{}[exit code {}]", ran.out, ran.err, ran.code);
        for (n, id) in ids.iter().enumerate() {
            seen = seen.replace(id, &format!("id-{n}-{}", "0".repeat(27)));
            seen = seen.replace(&id[id.len() - 8..], &format!("short--{n}"));
        }
        seen.replace(&format!("{} as ", user()), "USER as ")
    }
}

/// Who runs this test.
pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
