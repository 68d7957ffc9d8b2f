//! The reference of the codes: each code has a page, a fixture and a snapshot, and they say the same.
//!
//! A page is `grammar/codes/E0307.md`; its wrong example yields the code and nothing else, its right
//! one does not. A fixture is `tests/fixtures/codes/err_E0307.lane` (`warn_`, `note_`), a folder of
//! that name where the code needs several files or other bounds, or is made here where it needs bytes
//! that no text file should hold. A snapshot is what a person sees of it.
//!
//! `LANEWAY_WRITE_INDEX=1 cargo test --test codes` writes the index `grammar/codes.md`.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use laneway::analysis::{self, Engine, Question};
use laneway::check::{Loaded, Options};
use laneway::diagnostic::{Code, Diagnostic, Severity, codes};
use laneway::files::{config, load};
use tempfile::TempDir;

/// The day on which everything is checked: dates pass.
const NOW: &str = "2026-11-20T10:00:00Z";

fn folder(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of)
}

fn fixtures() -> PathBuf {
    folder("tests/fixtures/codes")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

fn check(root: &Path) -> Loaded {
    let options = Options {
        limits: config::read(None, root.parent()).unwrap().limits,
        today: NOW.get(..10).unwrap().parse().ok(),
    };
    let mut loaded = load(root, &options, true).unwrap();
    if let Some(matrix) = loaded.matrix.as_ref() {
        // However long it takes.
        let patience = || -> Box<dyn Fn() -> bool> { Box::new(|| false) };
        let asked = analysis::ask(matrix, &Question::FINDINGS, Engine::Either, &patience);
        loaded.diagnostics.extend(analysis::diagnose(&asked));
        loaded.diagnostics.finish();
    }
    loaded
}

fn errors(loaded: &Loaded) -> Vec<&Diagnostic> {
    let all = loaded.diagnostics.iter();
    all.filter(|found| found.severity() == Severity::Error)
        .collect()
}

/// How many findings of a code there are behind the prelude, if the text begins with it: what an
/// example does not use of it is not its business.
fn count_behind_prelude(loaded: &Loaded, code: Code) -> usize {
    let text = loaded.sources.get(laneway::span::FileId(0)).unwrap().text();
    let prelude = prelude();
    let start = if text.starts_with(&prelude) {
        prelude.len()
    } else {
        0
    };
    let all = loaded.diagnostics.iter().filter(|found| found.code == code);
    let behind =
        |found: &&Diagnostic| found.span.start as usize >= start || code == codes::EXAMPLES_NOT_RUN;
    all.filter(behind).count()
}

fn count(loaded: &Loaded, code: Code) -> usize {
    let all = loaded.diagnostics.iter();
    all.filter(|found| found.code == code).count()
}

/// The findings in a few words, for the message of a failed test.
fn told(loaded: &Loaded) -> String {
    let mut text = String::new();
    for found in &loaded.diagnostics {
        let line = loaded.sources.start(found.span).line;
        let _ = writeln!(text, "    line {line}: {}: {}", found.code, found.message);
    }
    text
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

// Pages.

/// An example of a page.
struct Block {
    /// How the text becomes a matrix: the word behind the fence.
    form: String,
    text: String,
}

/// The example under a heading; a page has one of each.
fn block(page: &str, heading: &str) -> Option<Block> {
    let heading = format!("\n## {heading}\n\n```");
    let (before, behind) = page.split_once(&heading)?;
    if behind.contains(&heading) || before.contains("```\n```") {
        return None;
    }
    let (form, rest) = behind.split_once('\n')?;
    let (text, after) = rest.split_once("\n```\n")?;
    let next = after.trim_start();
    (next.is_empty() || next.starts_with("## ")).then(|| Block {
        form: form.to_owned(),
        text: format!("{text}\n"),
    })
}

/// The clauses of a lane's body, each with the lines that belong to it.
fn clauses(body: &str) -> Vec<String> {
    let mut clauses: Vec<String> = Vec::new();
    let mut depth = 0_i32;
    for line in body.lines() {
        match clauses.last_mut().filter(|_| depth > 0) {
            Some(clause) => *clause += &format!("\n{line}"),
            None => clauses.push(line.to_owned()),
        }
        let opened = line.matches('{').count() as i32 - line.matches('}').count() as i32;
        depth = (depth + opened).max(0);
    }
    clauses
}

fn keyword(clause: &str) -> &str {
    clause.split_whitespace().next().unwrap_or("")
}

/// A lane with the given clauses and, of the standard lane, those that it lacks.
fn completed(name: &str, given: &str) -> String {
    let standard = read(fixtures().join("standard_lane.lane"));
    let (_, body) = standard.split_once("lane standard {\n").unwrap();
    let body = body.trim_end().strip_suffix('}').unwrap();
    let given_words: BTreeSet<String> = clauses(given)
        .iter()
        .map(|clause| keyword(clause).to_owned())
        .collect();
    // Other triggers make other examples.
    let other = ["on", "when", "unless", "unsure", "trial"];
    let own_trigger = other.iter().any(|word| given_words.contains(*word));
    let mut lane = format!("lane {name} {{\n");
    for clause in clauses(body) {
        let word = keyword(&clause);
        let replaced = given_words.contains(word) || own_trigger && word == "example";
        if !replaced {
            lane += &format!("{clause}\n");
        }
    }
    lane + given.trim_end() + "\n}\n"
}

/// Completes each lane of a text.
fn complete_lanes(text: &str) -> String {
    let mut whole = String::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        let head = line
            .strip_prefix("lane ")
            .and_then(|l| l.strip_suffix(" {"));
        match (&mut open, head) {
            (None, Some(name)) => open = Some((name.to_owned(), String::new())),
            (None, None) => whole += &format!("{line}\n"),
            (Some((name, body)), _) if line == "}" => {
                whole += &completed(name, body);
                open = None;
            }
            (Some((_, body)), _) => *body += &format!("{line}\n"),
        }
    }
    whole
}

fn prelude() -> String {
    read(fixtures().join("prelude.lane"))
}

/// The matrix that an example shows a part of; nothing for one that is in words.
fn matrix_of(block: &Block) -> Option<String> {
    Some(match block.form.as_str() {
        "text" => return None,
        "matrix" => block.text.clone(),
        "lane" => prelude() + "\n" + &block.text,
        "lanes" => prelude() + "\n" + &complete_lanes(&block.text),
        "clauses" => prelude() + "\n" + &completed("standard", &block.text),
        other => panic!("no example is written as `{other}`"),
    })
}

/// A folder in which examples are read: with the files that they import.
fn page_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["people.lane", "other_matrix.lane"] {
        fs::copy(fixtures().join(name), folder.path().join(name)).unwrap();
    }
    folder
}

fn check_example(folder: &TempDir, text: &str) -> Loaded {
    let root = folder.path().join("matrix.lane");
    fs::write(&root, text).unwrap();
    check(&root)
}

#[test]
fn every_code_has_a_page_of_the_same_form() {
    let mut problems = Vec::new();
    for code in codes::ALL {
        let page = code.page();
        let title = format!("# {code}: {}\n\n", code.title());
        if !page.starts_with(&title) {
            problems.push(format!("{code}: the page does not begin with {title:?}"));
        }
        let why = page.strip_prefix(&title).unwrap_or("");
        let why = why.split("\n## ").next().unwrap_or("").trim();
        if why.len() < 40 || !why.ends_with('.') || why.contains('\n') {
            problems.push(format!("{code}: no paragraph says why"));
        }
        for heading in ["Wrong", "Right"] {
            if block(page, heading).is_none_or(|block| block.text.trim().is_empty()) {
                problems.push(format!("{code}: no single example under `## {heading}`"));
            }
        }
        let headings = page.lines().filter(|line| line.starts_with('#'));
        let headings: Vec<&str> = headings.skip(1).collect();
        let known = [
            &["## Wrong", "## Right"][..],
            &["## Wrong", "## Right", "## More"],
        ];
        let in_blocks = |line: &&str| line.starts_with("## ");
        let headings: Vec<&str> = headings.into_iter().filter(in_blocks).collect();
        if !known.contains(&headings.as_slice()) {
            problems.push(format!("{code}: the headings are {headings:?}"));
        }
    }
    for name in names_in(&folder("grammar/codes")) {
        if name.strip_suffix(".md").and_then(Code::find).is_none() {
            problems.push(format!("grammar/codes/{name} is the page of no code"));
        }
    }
    assert_none(&problems);
}

#[test]
fn the_wrong_example_of_a_page_yields_its_code_and_no_other_error() {
    let folder = page_folder();
    let mut problems = Vec::new();
    for code in codes::ALL {
        let Some(text) = block(code.page(), "Wrong").as_ref().and_then(matrix_of) else {
            continue;
        };
        let loaded = check_example(&folder, &text);
        let wrong: Vec<Code> = errors(&loaded).iter().map(|found| found.code).collect();
        let as_told = match code.severity() {
            Severity::Error => wrong == [*code],
            Severity::Warning => wrong.is_empty() && count_behind_prelude(&loaded, *code) == 1,
            Severity::Note => count_behind_prelude(&loaded, *code) == 1,
        };
        if !as_told {
            problems.push(format!("{code}: the wrong example\n{}", told(&loaded)));
        }
    }
    assert_none(&problems);
}

#[test]
fn the_right_example_of_a_page_is_right() {
    let folder = page_folder();
    let mut problems = Vec::new();
    for code in codes::ALL {
        let Some(text) = block(code.page(), "Right").as_ref().and_then(matrix_of) else {
            continue;
        };
        let loaded = check_example(&folder, &text);
        if !errors(&loaded).is_empty() || count_behind_prelude(&loaded, *code) > 0 {
            problems.push(format!("{code}: the right example\n{}", told(&loaded)));
        }
    }
    assert_none(&problems);
}

// The index.

/// The groups of the index by the letter and first digits of their codes.
const GROUPS: [(&str, &str); 10] = [
    ("E01", "Files"),
    ("E02", "Syntax"),
    ("E03", "Names and declarations"),
    ("E04", "Types and values"),
    ("E05", "Lanes and rules"),
    ("E06", "Measures"),
    ("E07", "Examples"),
    ("W08", "Warnings"),
    ("W09", "What all events show"),
    ("N09", "Notes"),
];

fn index() -> String {
    let mut text = String::from(
        "# The codes of findings\n\
         \n\
         A finding of `laneway check` has a code, which never changes its meaning. `E` is an error: the \
         matrix does not load. `W` is a warning: it loads, and most likely does not do what is meant. `N` \
         is a note: nothing is wrong. `W09` says what some event shows, or all of them; `laneway check` ends with 1 \
         for one as for an error. `laneway explain-code E0307` prints the page of a code.\n\
         \n\
         Each page says why, and shows a wrong and a right example. An example shows only what matters, \
         and stands on texts that the tests read with it:\n\
         \n\
         - `lane` is read behind the [prelude](../tests/fixtures/codes/prelude.lane): a `matrix` block, \
         event kinds, a calendar, teams, actions and samples.\n\
         - `clauses` are clauses of the [standard lane](../tests/fixtures/codes/standard_lane.lane) behind \
         the prelude; each takes the place of the clauses that begin with the same word. With a trigger of \
         its own an example also leaves out the examples of that lane.\n\
         - `lanes` is read behind the prelude, and what its lanes lack comes from the standard lane.\n\
         - `matrix` is a whole root file.\n\
         - `text` is in words, where the mistake cannot be shown on a page.\n",
    );
    for (start, title) in GROUPS {
        let _ = write!(text, "\n## {title}\n\n");
        let of_group = codes::ALL
            .iter()
            .filter(|code| code.as_str().starts_with(start));
        for code in of_group {
            let _ = writeln!(text, "- [{code}](codes/{code}.md): {}", code.title());
        }
    }
    text
}

#[test]
fn the_index_lists_every_code_once() {
    let path = folder("grammar/codes.md");
    if std::env::var_os("LANEWAY_WRITE_INDEX").is_some() {
        fs::write(&path, index()).unwrap();
    }
    let grouped = |code: &Code| {
        let groups = GROUPS
            .iter()
            .filter(|(start, _)| code.as_str().starts_with(start));
        groups.count() == 1
    };
    assert!(codes::ALL.iter().all(grouped), "a code is in no group");
    assert!(
        read(&path) == index(),
        "grammar/codes.md is stale; LANEWAY_WRITE_INDEX=1 cargo test --test codes writes it"
    );
}

// Fixtures.

/// A fixture in place, or made in a folder of its own.
struct Fixture {
    /// Where the program runs: names in its output count from here.
    place: PathBuf,
    /// The root file, from there.
    root: String,
    /// Keeps a folder that was made.
    made: Option<TempDir>,
}

fn stem(code: Code) -> String {
    let kind = match code.severity() {
        Severity::Error => "err",
        Severity::Warning => "warn",
        Severity::Note => "note",
    };
    format!("{kind}_{code}")
}

fn fixture(code: Code) -> Option<Fixture> {
    let stem = stem(code);
    let place = fixtures();
    let (file, inside) = (format!("{stem}.lane"), format!("{stem}/matrix.lane"));
    let root = [file, inside]
        .into_iter()
        .find(|root| place.join(root).is_file());
    match root {
        Some(root) => Some(Fixture {
            place,
            root,
            made: None,
        }),
        None => made(code),
    }
}

const HEAD: &str = "matrix \"Fixture\" {\n  edition 1\n  timezone \"Europe/Madrid\"\n  otherwise allow\n  unreadable deny\n}\n\n";

/// Fixtures of bytes, links and numbers that stand in no file of the repository.
fn made(code: Code) -> Option<Fixture> {
    let folder = TempDir::new().unwrap();
    let root = format!("{}.lane", stem(code));
    let mut place = folder.path().to_owned();
    let write = |path: &Path, bytes: &[u8]| fs::write(path, bytes).unwrap();
    let text = match code.as_str() {
        "E0103" => {
            write(
                &place.join("latin1.lane"),
                b"# Gr\xf6\xdfe\nlist a is \"x\"\n",
            );
            write(&place.join("utf16.lane"), b"\xff\xfel\0i\0s\0t\0");
            write(&place.join("cut.lane"), b"list a is \"gr\xc3");
            let imports =
                ["latin1", "utf16", "cut"].map(|name| format!("import \"{name}.lane\"\n"));
            format!("{HEAD}{}", imports.concat())
        }
        "E0104" => format!(
            "{HEAD}# Größe\0\naction save_draft \"Größe\u{7} speichern\"\nlist a\u{c} is \"x\"\nlist b is \"y\"\rlist c is \"z\"\n"
        ),
        "E0105" => format!(
            "{HEAD}# Größe \u{202e}esrever\naction save_draft \"Größe\u{200b} speichern\"\nlist a is \"admin\u{2066}\", \"owner\"\n"
        ),
        "E0111" => {
            write(&place.join("outside.lane"), b"list a is \"x\"\n");
            place.push("größe");
            fs::create_dir(&place).unwrap();
            link(&place.join("../outside.lane"), &place.join("link.lane"))?;
            let paths = [
                "../outside.lane",
                "/etc/outside.lane",
                "a/../../outside.lane",
                "link.lane",
            ];
            let imports = paths.map(|path| format!("import \"{path}\"\n"));
            format!("{HEAD}{}", imports.concat())
        }
        "W0825" => format!("\u{feff}{HEAD}# Größe\n"),
        "W0826" => format!("{HEAD}# Größe\n").replace('\n', "\r\n"),
        "N0902" => {
            let lines = (0..10_050).map(|n| format!("lsit größe_{n} is \"x\"\n"));
            format!("{HEAD}{}", lines.collect::<String>())
        }
        _ => return None,
    };
    write(&place.join(&root), text.as_bytes());
    Some(Fixture {
        place,
        root,
        made: Some(folder),
    })
}

#[cfg(unix)]
fn link(to: &Path, from: &Path) -> Option<()> {
    std::os::unix::fs::symlink(to, from).ok()
}

/// Elsewhere a program may need rights to make a link; the fixture is then left out, and so the test
/// of its code fails by name.
#[cfg(not(unix))]
fn link(_to: &Path, _from: &Path) -> Option<()> {
    None
}

/// What a person sees of a fixture; what all events show only where the code is about that.
fn shown(fixture: &Fixture, analysis: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_laneway"))
        .args(["check", &fixture.root, "--color", "never", "--now", NOW])
        .args(analysis)
        .current_dir(&fixture.place)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    format!("{out}{err}exit code {}\n", output.status.code().unwrap())
}

#[test]
fn every_code_has_a_fixture_that_yields_it() {
    let mut problems = Vec::new();
    for code in codes::ALL {
        let Some(fixture) = fixture(*code) else {
            problems.push(format!("{code}: no fixture {}", stem(*code)));
            continue;
        };
        let loaded = check(&fixture.place.join(&fixture.root));
        let others = errors(&loaded).iter().any(|found| found.code != *code);
        // Notes on errors need errors.
        let may_have_others = code.severity() == Severity::Note;
        if count(&loaded, *code) == 0 || others && !may_have_others {
            problems.push(format!("{code}: the fixture\n{}", told(&loaded)));
        }
    }
    for name in names_in(&fixtures()) {
        let code = name
            .trim_end_matches(".lane")
            .rsplit('_')
            .next()
            .unwrap_or("");
        let is_fixture = ["err_", "warn_", "note_"]
            .iter()
            .any(|kind| name.starts_with(kind));
        let known = Code::find(code).is_some_and(|code| name.starts_with(&stem(code)));
        if is_fixture && !known {
            problems.push(format!("tests/fixtures/codes/{name} is of no code"));
        }
    }
    assert_none(&problems);
}

#[test]
fn what_people_see_of_each_code_is_as_it_was() {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    let mut stale = Vec::new();
    for code in codes::ALL {
        let Some(fixture) = fixture(*code) else {
            stale.push(code.as_str());
            continue;
        };
        let analysis = match code.as_str().starts_with("W09") {
            true => &["--budget", "10m"][..],
            false => &["--no-analysis"],
        };
        let mut text = shown(&fixture, analysis);
        if *code == codes::MORE_FINDINGS {
            // Ten thousand findings before it are alike.
            let from = text.rfind("error[").unwrap_or(0);
            text.replace_range(..from, "...\n");
        }
        settings.set_description(format!("laneway check {}", fixture.root));
        let compare = || settings.bind(|| insta::assert_snapshot!(code.as_str(), text));
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(compare)).is_err() {
            stale.push(code.as_str());
        }
        drop(fixture.made);
    }
    assert!(stale.is_empty(), "stale or missing snapshots: {stale:?}");
    for name in names_in(&folder("tests/snapshots")) {
        let code = name
            .strip_prefix("codes__")
            .and_then(|n| n.strip_suffix(".snap"));
        let known = code.is_none_or(|code| Code::find(code).is_some() || code == "ten_mistakes");
        assert!(known, "tests/snapshots/{name} is of no code");
    }
}

#[test]
fn messages_are_written_as_the_style_asks() {
    let mut problems = Vec::new();
    let pages = page_folder();
    for code in codes::ALL {
        let mut all = Vec::new();
        if let Some(fixture) = fixture(*code) {
            all.push(check(&fixture.place.join(&fixture.root)));
        }
        if let Some(text) = block(code.page(), "Wrong").as_ref().and_then(matrix_of) {
            all.push(check_example(&pages, &text));
        }
        for found in all.iter().flat_map(|loaded| &loaded.diagnostics) {
            let captions = found.labels.iter().map(|label| label.message.as_str());
            let texts = captions.chain([found.message.as_str(), found.caption.as_str()]);
            for text in texts.chain(found.help.as_deref()) {
                let capital = text.starts_with(char::is_uppercase);
                if capital || text.ends_with('.') || text.matches('`').count() % 2 == 1 {
                    problems.push(format!("{}: {text:?}", found.code));
                }
            }
        }
    }
    problems.sort();
    problems.dedup();
    assert_none(&problems);
}

// Safe fixes.

/// The text of the root file with the edits of one fix.
fn mended(loaded: &Loaded, found: &Diagnostic) -> Option<String> {
    let fix = found.fix.as_ref().filter(|fix| fix.safe)?;
    let root = laneway::span::FileId(0);
    let mut text = loaded.sources.get(root).unwrap().text().to_owned();
    let mut edits: Vec<_> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
    for edit in edits {
        assert_eq!(edit.span.file, root);
        text.replace_range(edit.span.range(), &edit.replacement);
    }
    Some(text)
}

/// Applies each safe fix of a file by itself.
fn apply_each(code: Code, folder: &TempDir, text: &str, problems: &mut Vec<String>) -> usize {
    let before = check_example(folder, text);
    let mut applied = 0;
    for found in &before.diagnostics {
        let Some(text) = mended(&before, found) else {
            continue;
        };
        applied += 1;
        let after = check_example(folder, &text);
        let gone = count(&after, found.code) < count(&before, found.code);
        let syntax = |loaded: &Loaded| {
            let all = errors(loaded);
            all.iter()
                .filter(|e| e.code.as_str().starts_with("E02"))
                .count()
        };
        let parses =
            syntax(&after) <= syntax(&before) && errors(&after).len() <= errors(&before).len();
        if !gone || !parses {
            let line = before.sources.start(found.span).line;
            problems.push(format!(
                "{code}: the fix of line {line}, {}: {}\n{}",
                found.code,
                found.message,
                told(&after)
            ));
        }
    }
    applied
}

#[test]
fn each_safe_fix_mends_what_it_is_for() {
    let folder = page_folder();
    let mut problems = Vec::new();
    let mut applied = 0;
    for code in codes::ALL {
        if let Some(text) = block(code.page(), "Wrong").as_ref().and_then(matrix_of) {
            applied += apply_each(*code, &folder, &text, &mut problems);
        }
        let fixture = fixture(*code).filter(|fixture| !fixture.root.contains('/'));
        if let Some(fixture) = fixture.filter(|_| *code != codes::MORE_FINDINGS) {
            let text = read(fixture.place.join(&fixture.root));
            applied += apply_each(*code, &folder, &text, &mut problems);
        }
    }
    assert_none(&problems);
    assert!(applied > 30, "only {applied} safe fixes were tried");
}

#[test]
fn check_fix_leaves_no_safe_fix_undone() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("matrix.lane");
    let mut problems = Vec::new();
    for code in codes::ALL {
        let fixture = fixture(*code).filter(|fixture| !fixture.root.contains('/'));
        let Some(fixture) = fixture.filter(|_| *code != codes::MORE_FINDINGS) else {
            continue;
        };
        fs::copy(fixture.place.join(&fixture.root), &root).unwrap();
        if check(&root)
            .diagnostics
            .iter()
            .all(|found| found.fix.as_ref().is_none_or(|fix| !fix.safe))
        {
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_laneway"))
            .args(["check", "--fix", "matrix.lane", "--now", NOW])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.code() != Some(2), "{code}: {output:?}");
        let after = check(&root);
        let undone = after
            .diagnostics
            .iter()
            .any(|found| found.fix.as_ref().is_some_and(|fix| fix.safe));
        if undone {
            problems.push(format!("{code}:\n{}", told(&after)));
        }
    }
    assert_none(&problems);
}

// A file with ten different mistakes.

/// A mistake of `ten_mistakes.lane`: its line and code, and the text that mends it.
struct Mistake {
    line: u32,
    code: &'static str,
    wrong: &'static str,
    right: &'static str,
}

const TEN: [Mistake; 10] = [
    Mistake {
        line: 11,
        code: "E0213",
        wrong: "fri 9:00",
        right: "fri 09:00",
    },
    Mistake {
        line: 23,
        code: "E0401",
        wrong: "amount = 20,",
        right: "amount = 20 EUR,",
    },
    Mistake {
        line: 31,
        code: "E0204",
        wrong: "group \"support\"\n",
        right: "group \"support\"\n}\n",
    },
    Mistake {
        line: 38,
        code: "E0402",
        wrong: "is hostil\n",
        right: "is hostile\n",
    },
    Mistake {
        line: 55,
        code: "E0501",
        wrong: "  meanwhile block item\n",
        right: "  respond within 1h\n  meanwhile block item\n",
    },
    Mistake {
        line: 58,
        code: "E0208",
        wrong: "vip is yes or action is refund and amount > 250 EUR",
        right: "vip is yes or (action is refund and amount > 250 EUR)",
    },
    Mistake {
        line: 59,
        code: "E0203",
        wrong: "ownr",
        right: "owner",
    },
    Mistake {
        line: 62,
        code: "E0206",
        wrong: "order.\n",
        right: "order.\"\n",
    },
    Mistake {
        line: 68,
        code: "E0508",
        wrong: "after 1h deny",
        right: "after 4h deny",
    },
    Mistake {
        line: 74,
        code: "E0307",
        wrong: "custommer",
        right: "customer",
    },
];

impl Mistake {
    /// The text without this mistake.
    fn mend(&self, text: &str) -> String {
        assert_eq!(text.matches(self.wrong).count(), 1, "{}", self.code);
        text.replacen(self.wrong, self.right, 1)
    }

    /// The line of another mistake once this one is mended.
    fn moved(&self, other: &Self, text: &str) -> u32 {
        let lines = |text: &str| text.matches('\n').count() as u32;
        let before = text.split(self.wrong).next().unwrap_or("");
        let added = lines(self.right) - lines(self.wrong);
        if other.line > lines(before) + 1 {
            other.line + added
        } else {
            other.line
        }
    }
}

/// Each finding but the notes: its line, its code, its message.
fn seen(loaded: &Loaded) -> Vec<(u32, &'static str, String)> {
    let all = loaded.diagnostics.iter();
    let all = all.filter(|found| found.severity() != Severity::Note);
    let mut seen: Vec<_> = all
        .map(|found| {
            let line = loaded.sources.start(found.span).line;
            (line, found.code.as_str(), found.message.clone())
        })
        .collect();
    seen.sort();
    seen
}

#[test]
fn ten_mistakes_give_ten_findings_that_do_not_depend_on_each_other() {
    let text = read(folder("tests/fixtures/ten_mistakes.lane"));
    let folder = TempDir::new().unwrap();
    let loaded = check_example(&folder, &text);
    let all = seen(&loaded);
    let places: Vec<_> = all.iter().map(|(line, code, _)| (*line, *code)).collect();
    let expected: Vec<_> = TEN.iter().map(|m| (m.line, m.code)).collect();
    assert_eq!(places, expected, "\n{}", told(&loaded));
    let notes = loaded.diagnostics.iter();
    let notes: Vec<_> = notes.filter(|f| f.severity() == Severity::Note).collect();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].code, codes::EXAMPLES_NOT_RUN);
    assert!(notes[0].message.starts_with("5 examples did not run"));
    for mistake in &TEN {
        let after = check_example(&folder, &mistake.mend(&text));
        let mut others: Vec<_> = TEN
            .iter()
            .zip(&all)
            .filter(|(other, _)| other.line != mistake.line)
            .map(|(other, (_, code, message))| {
                (mistake.moved(other, &text), *code, message.clone())
            })
            .collect();
        others.sort();
        assert_eq!(seen(&after), others, "without {}", mistake.code);
        assert_eq!(count(&after, codes::EXAMPLES_NOT_RUN), 1);
    }
    let whole = TEN.iter().fold(text, |text, mistake| mistake.mend(&text));
    let loaded = check_example(&folder, &whole);
    assert!(loaded.diagnostics.is_empty(), "\n{}", told(&loaded));
    assert!(loaded.matrix.is_some() && loaded.examples == 5);
}

#[test]
fn ten_mistakes_are_shown_as_they_were() {
    let fixture = Fixture {
        place: folder("tests/fixtures"),
        root: "ten_mistakes.lane".to_owned(),
        made: None,
    };
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("ten_mistakes", shown(&fixture, &[])));
}

#[test]
fn a_line_that_cannot_be_read_is_one_error_on_that_line() {
    let tour = folder("matrices/tour");
    let folder = TempDir::new().unwrap();
    fs::copy(tour.join("people.lane"), folder.path().join("people.lane")).unwrap();
    let text = read(tour.join("matrix.lane"));
    let lines: Vec<&str> = text.lines().collect();
    let mut problems = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with('#') || bare.starts_with('}') {
            continue;
        }
        let spoilt = match line.strip_suffix('{') {
            Some(head) => format!("{head}%% {{"),
            None => format!("{line} %%"),
        };
        let mut lines = lines.clone();
        lines[n] = &spoilt;
        let loaded = check_example(&folder, &lines.join("\n"));
        let found = errors(&loaded);
        let here = |found: &&Diagnostic| loaded.sources.start(found.span).line as usize == n + 1;
        if found.len() != 1 || !found.iter().all(here) {
            problems.push(format!("line {}: {spoilt}\n{}", n + 1, told(&loaded)));
        }
    }
    assert_none(&problems);
}
