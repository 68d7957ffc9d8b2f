//! What the program `git` says of a repository.
//!
//! In: names of revisions and of paths. Out: entries of a tree or of the index, and texts.
//! Invariant: only commands that read; each argument that a person gave stands where no option is expected.

use std::io::{self, Read};
use std::process::{Command, Output, Stdio};

use crate::cli::screen::clean;
use crate::cli::shell::Failure;

/// A repository, from the folder in which the program runs.
pub(super) struct Git {
    /// That folder in the repository: nothing, or ends in `/`.
    prefix: String,
}

/// One file of a tree or of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// From the top of the repository.
    pub(super) path: String,
    mode: String,
    object: String,
}

impl Entry {
    /// Whether it has a text of its own.
    pub(super) fn is_file(&self) -> bool {
        self.mode.starts_with("100")
    }

    pub(super) fn is_link(&self) -> bool {
        self.mode == "120000"
    }

    /// `100644 blob ID\tPATH` of a tree, `100644 ID 0\tPATH` of the index.
    fn of(line: &str) -> Option<Self> {
        let (what, path) = line.split_once('\t')?;
        let mut words = what.split(' ');
        let mode = words.next()?;
        let object = match (words.next()?, words.next()?) {
            ("blob" | "commit", object) | (object, "0") => object,
            // A path that a merge left open has no text yet.
            _ => return None,
        };
        Some(Self {
            path: path.to_owned(),
            mode: mode.to_owned(),
            object: object.to_owned(),
        })
    }
}

impl Git {
    /// The repository that the program runs in. `revision` is for what is said if there is none.
    pub(super) fn here(revision: &str) -> Result<Self, Failure> {
        let output = run(&["rev-parse", "--show-prefix"])?;
        if output.status.success() {
            let prefix = String::from_utf8_lossy(&output.stdout);
            return Ok(Self {
                prefix: prefix.trim_end_matches('\n').to_owned(),
            });
        }
        let why = said(&output);
        let revision = clean(revision);
        Err(Failure::Unusable(if why.contains("not a git repository") {
            format!(
                "`{revision}:` names a revision, and here is no git repository; run this inside of one, or name \
                 a file that exists"
            )
        } else {
            format!("git cannot read the repository: {why}")
        }))
    }

    /// A path from the top of the repository, without `.` and `..`.
    pub(super) fn place(&self, path: &str) -> Result<String, Failure> {
        let outside = || {
            let path = clean(path);
            Failure::Unusable(format!(
                "`{path}` lies outside of the repository; behind a revision stands a path from this folder, such \
                 as `main:matrices/ops`"
            ))
        };
        if path.starts_with('/') {
            return Err(outside());
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in self.prefix.split('/').chain(path.split('/')) {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or_else(outside)?;
                }
                part => parts.push(part),
            }
        }
        Ok(parts.join("/"))
    }

    /// A path from this folder, of one from the top.
    fn way_to(&self, place: &str) -> String {
        match place.strip_prefix(&self.prefix) {
            Some(below) => below.to_owned(),
            None => {
                let up = "../".repeat(self.prefix.matches('/').count());
                format!("{up}{place}")
            }
        }
    }

    /// The file of that path from the top, or the files below it. No revision is the index.
    pub(super) fn entries(&self, revision: &str, place: &str) -> Result<Vec<Entry>, Failure> {
        let output = if revision.is_empty() {
            let place = format!(":(top,literal){place}");
            run(&["ls-files", "--stage", "-z", "--full-name", "--", &place])?
        } else {
            let tree = self.tree(revision)?;
            let all = ["ls-tree", "-r", "-z", "--full-tree", &tree, "--", place];
            // The top has no name.
            let args = if place.is_empty() { all.get(..5) } else { None };
            run(args.unwrap_or(&all))?
        };
        if !output.status.success() {
            let why = said(&output);
            return Err(Failure::Unusable(format!(
                "git cannot list the files of `{}:`: {why}",
                clean(revision)
            )));
        }
        let lines = output.stdout.split(|byte| *byte == 0);
        // A name that is no UTF-8 is none that a matrix can import.
        let lines = lines.filter_map(|line| std::str::from_utf8(line).ok());
        Ok(lines.filter_map(Entry::of).collect())
    }

    fn tree(&self, revision: &str) -> Result<String, Failure> {
        let name = format!("{revision}^{{tree}}");
        let output = run(&["rev-parse", "--verify", "--end-of-options", &name])?;
        // An old git prints the options that it does not know.
        let tree = String::from_utf8_lossy(&output.stdout);
        let tree = tree.lines().last().unwrap_or_default();
        if output.status.success() && tree.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(tree.to_owned());
        }
        Err(Failure::Unusable(format!(
            "the repository has no revision `{}`; `git branch --all` and `git log` show what it has, and \
             `git fetch` brings what is elsewhere",
            clean(revision)
        )))
    }

    /// The text of a file, unless it has more than `most` bytes.
    pub(super) fn text(&self, entry: &Entry, most: usize) -> Result<Option<Vec<u8>>, Failure> {
        let mut child = command(&["cat-file", "blob", &entry.object])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| not_run(&error))?;
        let mut text = Vec::new();
        let mut read = Ok(0);
        if let Some(out) = child.stdout.take() {
            read = out.take(most as u64 + 1).read_to_end(&mut text);
        }
        let is_large = text.len() > most;
        // What is too large is not read to its end: its writer ends, as its reader is gone.
        let ended = child.wait();
        match (read, ended) {
            (Ok(_), _) if is_large => Ok(None),
            (Ok(_), Ok(status)) if status.success() => Ok(Some(text)),
            _ => Err(Failure::Unusable(format!(
                "git has no text for `{}`; `git fsck` says what the repository lacks",
                clean(&entry.path)
            ))),
        }
    }

    /// What to say of a path that the revision does not have.
    pub(super) fn nothing_there(&self, revision: &str, path: &str, place: &str) -> Failure {
        let what = match revision {
            "" => "the index".to_owned(),
            revision => format!("the revision `{}`", clean(revision)),
        };
        // Whoever thinks from the top of the repository, as `git show` does, is told the way.
        let from_top = path.trim_end_matches('/');
        let is_top = !self.prefix.is_empty()
            && self
                .entries(revision, from_top)
                .is_ok_and(|it| !it.is_empty());
        let hint = match is_top {
            true => format!(
                "did you mean `{}:{}`?",
                clean(revision),
                clean(&self.way_to(from_top))
            ),
            false => format!(
                "paths are those from this folder, and `git ls-tree -r --name-only {}` lists what it has",
                match revision {
                    "" => "HEAD".to_owned(),
                    revision => clean(revision),
                }
            ),
        };
        Failure::Unusable(format!("{what} has no `{}`; {hint}", clean(place)))
    }
}

fn run(args: &[&str]) -> Result<Output, Failure> {
    let output = command(args).stdin(Stdio::null()).output();
    output.map_err(|error| not_run(&error))
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        // A repository may name a program that watches its files; nothing of it is run.
        .args(["-c", "core.fsmonitor=false", "--no-optional-locks"])
        .args(args)
        .env("LC_ALL", "C");
    command
}

fn not_run(error: &io::Error) -> Failure {
    Failure::Unusable(match error.kind() {
        io::ErrorKind::NotFound => {
            "a revision is read by the program `git`, which is not installed or not in PATH; install it, or name \
             files"
                .to_owned()
        }
        _ => format!("the program `git` cannot be run: {error}"),
    })
}

/// The first line that git said of what went wrong.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().next().unwrap_or_default();
    clean(line.trim_start_matches("fatal: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_trees_and_of_the_index_are_read() {
        let entry = |line| Entry::of(line).map(|it| (it.path, it.mode, it.object));
        let wanted = |mode: &str| Some(("a b".to_owned(), mode.to_owned(), "1f".to_owned()));
        assert_eq!(entry("100644 blob 1f\ta b"), wanted("100644"));
        assert_eq!(entry("120000 1f 0\ta b"), wanted("120000"));
        assert_eq!(entry("160000 commit 1f\ta b"), wanted("160000"));
        assert_eq!(entry("100644 1f 2\ta b"), None);
        assert_eq!(entry(""), None);
    }

    #[test]
    fn a_path_stays_in_the_repository() {
        let git = Git {
            prefix: "ops/eu/".to_owned(),
        };
        let place = |path| git.place(path).ok();
        assert_eq!(place("a.lane").as_deref(), Some("ops/eu/a.lane"));
        assert_eq!(place("./x/../").as_deref(), Some("ops/eu"));
        assert_eq!(place("../..").as_deref(), Some(""));
        assert_eq!(place("../../.."), None);
        assert_eq!(place("/etc"), None);
        assert_eq!(git.way_to("ops/eu/a"), "a");
        assert_eq!(git.way_to("matrices"), "../../matrices");
    }
}
