//! A broken line loses that line: one line of a valid matrix made unreadable gives findings on that
//! line only, and none that only follows from it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;

use fastrand::Rng;
use laneway::check::{Loaded, Options, check};
use laneway::diagnostic::Severity;

#[path = "support/generate.rs"]
mod generate;

use generate::{Generated, Plan, ROOT};

const GARBAGE: [&str; 10] = [
    "xqz",
    "xqz zqx 17",
    "xqz is",
    "xqz \"text\" and",
    "xqz == 3",
    "17",
    "\"only text\"",
    "? what",
    "xqz: xqz",
    "\u{dc}xqz",
];

/// A clause is missing that is required, or that another one (`allow because`) requires.
const MISSING: [&str; 4] = ["E0304", "E0354", "E0501", "E0504"];

fn load(files: &BTreeMap<String, String>) -> Loaded {
    check(files, ROOT, &Options::default())
}

/// The findings as (file, line, code, message), of one severity or all.
fn findings(loaded: &Loaded, only: Option<Severity>) -> Vec<(String, u32, &'static str, String)> {
    let list = loaded.diagnostics.iter();
    let list = list.filter(|d| only.is_none_or(|only| d.severity() == only));
    list.map(|d| {
        let place = d.locate(&loaded.sources).place;
        (place.file, place.line, d.code.as_str(), d.message.clone())
    })
    .collect()
}

/// A line inside a block that stands for itself: it opens and closes nothing, no comma joins it to
/// another, and no parenthesis is open around it.
fn candidates(text: &str) -> Vec<usize> {
    let mut open: Vec<char> = Vec::new();
    let mut found = Vec::new();
    let mut continues = false;
    for (n, line) in text.lines().enumerate() {
        let plain = without_quotes(line);
        let braces = plain.contains(['{', '}', '(', ')']);
        if !braces && !open.is_empty() && !open.contains(&'(') && !continues {
            let joined = plain.trim_end().ends_with(',');
            if !joined && !line.trim().is_empty() {
                found.push(n);
            }
        }
        for c in plain.chars() {
            match c {
                '{' | '(' => open.push(c),
                '}' | ')' => drop(open.pop()),
                _ => {}
            }
        }
        continues = plain.trim_end().ends_with(',');
    }
    found
}

/// The line without strings and patterns.
fn without_quotes(line: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut escaped = false;
    for c in line.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(end) if c == end => quote = None,
            Some(_) => {}
            None if c == '"' || c == '/' && out.ends_with("matches ") => quote = Some(c),
            None => out.push(c),
        }
    }
    out
}

fn one_broken(seed: u64, generated: &Generated, complaints: &mut Vec<String>) {
    let mut rng = Rng::with_seed(seed);
    let paths: Vec<&String> = generated.files.keys().collect();
    let path = paths[rng.usize(0..paths.len())].clone();
    let text = &generated.files[&path];
    let lines = candidates(text);
    if lines.is_empty() {
        return;
    }
    let n = lines[rng.usize(0..lines.len())];
    let old = text.lines().nth(n).unwrap();
    let garbage = GARBAGE[rng.usize(0..GARBAGE.len())];
    let keyword = old.trim().split(' ').next().unwrap_or("");
    let keeps = rng.bool() && keyword.chars().all(|c| c.is_alphanumeric() || c == '_');
    let garbage = if keeps {
        format!("  {keyword} {garbage}")
    } else {
        format!("  {garbage}")
    };
    let broken: Vec<&str> = text
        .lines()
        .enumerate()
        .map(|(m, line)| if m == n { &garbage[..] } else { line })
        .collect();
    let mut files = generated.files.clone();
    files.insert(path.clone(), broken.join("\n"));
    let loaded = load(&files);
    let line = u32::try_from(n).unwrap() + 1;
    let errors = findings(&loaded, Some(Severity::Error));
    let on_line = |(file, at, ..): &&(String, u32, &str, String)| *file == path && *at == line;
    let before = findings(&load(&generated.files), None);
    let now = findings(&loaded, None);
    let elsewhere: Vec<_> = now
        .iter()
        .filter(|f| !on_line(f) && !before.contains(f))
        // A line whose first word is lost as well may have been any clause: that one is missing.
        .filter(|f| keeps || !MISSING.contains(&f.2))
        .collect();
    // `operator "only text"` is a good line, and so is a condition's name.
    if errors.is_empty() && loaded.matrix.is_some() {
        return;
    }
    if errors.iter().filter(on_line).count() != 1 || !elsewhere.is_empty() {
        complaints.push(format!(
            "seed {seed} {path}:{line} `{}` -> `{garbage}`\n  errors {errors:?}\n  elsewhere {elsewhere:?}",
            old.trim()
        ));
    }
}

#[test]
fn a_broken_line_is_the_only_finding() {
    let plan = Plan {
        messy: false,
        ..Plan::default()
    };
    let mut complaints = Vec::new();
    for seed in 0..400 {
        let generated = generate::matrix(seed, &plan);
        for round in 0..4 {
            one_broken(seed * 10 + round, &generated, &mut complaints);
        }
    }
    assert!(
        complaints.is_empty(),
        "{} cascades\n{}",
        complaints.len(),
        complaints[..complaints.len().min(25)].join("\n")
    );
}
