//! Deliberate mistakes in the rules of the lifecycle, each of which a test must see.
//!
//! A copy of `src/escalation` with one mistake is compiled beside the library as it is, together with the
//! named tests of the lifecycle, and the test that must see it is run. The copy without a mistake must
//! pass first. The normal run makes a few of them; `LANEWAY_LONG=1` makes all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[path = "lifecycle/mutants.rs"]
mod mutants;

use mutants::{MUTANTS, Mutant};

/// How many of them the normal run makes.
const FEW: usize = 2;

fn is_long() -> bool {
    std::env::var_os("LANEWAY_LONG").is_some_and(|value| value == "1")
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The newest library of a name beside this test.
fn library(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let start = format!("lib{name}-");
    let files = fs::read_dir(deps.parent().unwrap()).unwrap();
    let files = files.map(|it| it.unwrap().path()).filter(|path| {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        file.starts_with(&start) && file.ends_with(".rlib")
    });
    files
        .max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap())
        .unwrap_or_else(|| panic!("no library `{name}` beside this test"))
}

/// Copies a folder; every text goes through `change`.
fn copy(from: &Path, to: &Path, change: &dyn Fn(&str) -> String) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()), change);
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        match String::from_utf8(fs::read(from).unwrap()) {
            Ok(text) => fs::write(to, change(&text)).unwrap(),
            // A key, or another thing that is no text.
            Err(bytes) => fs::write(to, bytes.as_bytes()).unwrap(),
        }
    }
}

/// What the machine and its tests are built with.
const LIBRARIES: [&str; 6] = [
    "laneway",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "unicode_normalization",
];

/// The tests beside the sources have needs of their own.
fn without_tests(text: &str) -> String {
    text.replace("#[cfg(test)]", "#[cfg(any())]")
}

/// A crate of the machine alone and its tests, with or without a mistake.
struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| (repository().join(path), folder.path().join(path));
        for path in ["src/escalation.rs", "src/escalation"] {
            let (from, to) = at(path);
            copy(&from, &to, &without_tests);
        }
        let here = |text: &str| {
            let text = text.replace("laneway::escalation", "crate::escalation");
            text.replace("crate::support", "crate::lifecycle::support")
        };
        for path in ["tests/lifecycle.rs", "tests/lifecycle", "tests/support"] {
            let (from, to) = at(path);
            copy(&from, &to, &here);
        }
        let root = "pub use laneway::*;\n\
             pub mod escalation;\n\
             #[cfg(test)]\n#[path = \"../tests/lifecycle.rs\"]\nmod lifecycle;\n";
        fs::write(folder.path().join("src/lib.rs"), root).unwrap();
        Self { folder }
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("program")
    }

    /// `Err` with what the compiler says.
    fn compile(&self) -> Result<(), String> {
        let deps = library("laneway").parent().unwrap().to_owned();
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
        rustc.args(["--edition", "2024", "--test", "--cap-lints", "allow"]);
        rustc.args([
            "--crate-name",
            "machine",
            "-C",
            "opt-level=0",
            "-C",
            "debuginfo=0",
        ]);
        rustc.arg("-o").arg(self.program());
        rustc.arg(self.folder.path().join("src/lib.rs"));
        let search = format!("dependency={}", deps.display());
        rustc.arg("-L").arg(search);
        for name in LIBRARIES {
            let library = library(name);
            rustc
                .arg("--extern")
                .arg(format!("{name}={}", library.display()));
        }
        let output = rustc.output().unwrap();
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn run(&self, test: &str) -> Output {
        let mut program = Command::new(self.program());
        program.env_remove("LANEWAY_LONG");
        program.args(["--exact", test, "--include-ignored"]);
        program.output().unwrap()
    }

    /// Whether the test that must see it does.
    fn is_seen(&self, mutant: &Mutant) -> Result<(), String> {
        let path = self.folder.path().join("src/escalation").join(mutant.file);
        let text = fs::read_to_string(&path).unwrap();
        if text.matches(mutant.from).count() != 1 {
            return Err(format!("`{}` is not there once", mutant.from));
        }
        fs::write(&path, text.replace(mutant.from, mutant.to)).unwrap();
        let compiled = self.compile();
        fs::write(&path, text).unwrap();
        compiled?;
        let output = self.run(mutant.seen_by);
        let said = String::from_utf8_lossy(&output.stdout);
        match said.contains("test result: FAILED. 0 passed; 1 failed") {
            true => Ok(()),
            false => Err(format!("`{}` does not see it: {said}", mutant.seen_by)),
        }
    }
}

/// Those that are not seen, and why.
fn unseen(mutants: &[Mutant]) -> Vec<String> {
    let workshop = Workshop::new();
    let seen = mutants.iter().map(|it| (it, workshop.is_seen(it)));
    let seen = seen.inspect(|(it, seen)| println!("{}: {}: {}", it.file, it.what, seen.is_ok()));
    let unseen = seen.filter_map(|(it, seen)| Some((it, seen.err()?)));
    let said = unseen.map(|(it, why)| format!("{}: {}: {why}", it.file, it.what));
    said.collect()
}

#[test]
fn each_mistake_in_the_rules_is_seen() {
    let workshop = Workshop::new();
    workshop.compile().unwrap_or_else(|why| panic!("{why}"));
    let mutants = match is_long() {
        true => MUTANTS,
        false => &MUTANTS[..FEW],
    };
    let mut tests: Vec<&str> = mutants.iter().map(|it| it.seen_by).collect();
    tests.sort_unstable();
    tests.dedup();
    for test in tests {
        let output = workshop.run(test);
        let said = String::from_utf8_lossy(&output.stdout);
        let passes = said.contains("test result: ok. 1 passed");
        assert!(passes, "without a mistake: {test}\n{said}");
    }
    let part = mutants.len().div_ceil(3);
    let unseen: Vec<String> = std::thread::scope(|scope| {
        let parts = mutants
            .chunks(part)
            .map(|part| scope.spawn(|| unseen(part)));
        let parts: Vec<_> = parts.collect();
        parts
            .into_iter()
            .flat_map(|it| it.join().unwrap())
            .collect()
    });
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}

#[test]
fn there_are_many_mistakes_and_each_has_its_own_words() {
    assert!(MUTANTS.len() >= 30);
    let mut whats: Vec<&str> = MUTANTS.iter().map(|it| it.what).collect();
    whats.sort_unstable();
    whats.dedup();
    assert_eq!(whats.len(), MUTANTS.len());
    // Each is a place of the rules as they are now.
    for mutant in MUTANTS {
        let path = repository().join("src/escalation").join(mutant.file);
        let text = without_tests(&fs::read_to_string(path).unwrap());
        let there = text.matches(mutant.from).count();
        assert_eq!(there, 1, "{}: {}", mutant.file, mutant.what);
    }
}
