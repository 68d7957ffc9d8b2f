//! No input panics, hangs or overflows the stack: generated and mutated matrices and events, and
//! hostile shapes, through reading, checking, printing, the examples and decisions.
//!
//! The normal run is of bounded size; `LANEWAY_LONG=1` makes it twenty times as long and the
//! hostile shapes as large as a file may be.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fastrand::Rng;
use laneway::cases;
use laneway::check::{Loaded, Options, ReadError, Reader, check};
use laneway::clock::{Timestamp, parse_date};
use laneway::diagnostic::Diagnostic;
use laneway::event::read;
use laneway::limits::Limits;
use laneway::matrix::Matrix;
use laneway::reference::{History, Reference, Times};
use laneway::span::{FileId, Sources, Span};
use laneway::syntax::{parse, print};

#[path = "support/events.rs"]
mod events;
#[path = "support/generate.rs"]
mod generate;
#[path = "support/mutate.rs"]
mod mutate;

use events::Events;
use generate::{Plan, ROOT};
use mutate::mutate;

fn is_long() -> bool {
    std::env::var_os("LANEWAY_LONG").is_some_and(|value| value == "1")
}

/// Files in memory that need not be text.
struct Bytes(BTreeMap<String, Vec<u8>>);

impl Reader for Bytes {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        self.0.get(path).cloned().ok_or(ReadError::NotFound)
    }
}

fn options() -> Options {
    Options {
        today: parse_date("2026-01-07"),
        ..Options::default()
    }
}

/// Checks files and looks at everything that comes of it.
fn checked(files: &Bytes) -> Loaded {
    let loaded = check(files, ROOT, &options());
    for found in &loaded.diagnostics {
        lies_within(found, &loaded.sources);
    }
    assert!(loaded.matrix.is_some() != loaded.diagnostics.has_errors());
    for (_, source) in loaded.sources.iter() {
        let parsed = parse(FileId(0), source.text(), &Limits::default());
        let printed = print::print(&parsed.ast, source.text(), &parsed.comments);
        if parsed.diagnostics.is_empty() {
            let again = parse(FileId(0), &printed, &Limits::default());
            assert!(
                again.diagnostics.is_empty(),
                "{}\n----\n{printed}",
                source.text()
            );
            // The tree may differ in one thing: a bare word that is no name is printed in quotes.
            let twice = print::print(&again.ast, &printed, &again.comments);
            assert_eq!(printed, twice);
        }
    }
    loaded
}

/// Every place of a finding lies in its file and on character boundaries, and can be shown.
fn lies_within(found: &Diagnostic, sources: &Sources) {
    let labels = found.labels.iter().map(|label| label.span);
    let edits = found.fix.iter().flat_map(|fix| &fix.edits);
    let spans = labels
        .chain(edits.map(|edit| edit.span))
        .chain([found.span]);
    for span in spans {
        let Some(source) = sources.get(span.file) else {
            // Only a place that speaks of no text at all.
            assert_eq!(span, Span::default(), "{found:?}");
            continue;
        };
        let range = span.range();
        assert!(source.text().get(range).is_some(), "{found:?}");
    }
    let located = found.locate(sources);
    assert!(located.place.line >= 1 && located.place.column >= 1);
    assert!(!located.message.is_empty());
}

/// Decides events of a matrix, good ones and damaged ones; returns their bytes.
fn decided(matrix: &Matrix, rng: &mut Rng, count: usize) -> usize {
    let mut events = Events::new(matrix, rng.u64(..));
    let reference = Reference::new(matrix);
    let mut history = History::new(matrix);
    let mut bytes = 0;
    for n in 0..count {
        let mut json = events.any().into_bytes();
        if n % 3 == 0 {
            mutate(rng, &mut json);
        }
        bytes += json.len();
        match read(
            &json,
            &matrix.schema,
            &Limits::default(),
            Timestamp::UNIX_EPOCH,
        ) {
            Ok(event) => {
                let times = Times::of(&event);
                let decision = reference.decide_and_record(&event, &mut history, times);
                assert!(!serde_json::to_string(&decision).unwrap().is_empty());
                if n % 4 == 0 {
                    let explanation = reference.explain(&event, &history, times);
                    assert!(!serde_json::to_string(&explanation).unwrap().is_empty());
                }
            }
            Err(unreadable) => {
                assert!(!unreadable.problems.is_empty());
                let decision = reference.decide_unreadable(&unreadable, unreadable.at);
                assert_eq!(decision.by, "unreadable");
            }
        }
    }
    bytes
}

/// The matrices of the repository, as a further stock to damage.
fn stock() -> Vec<BTreeMap<String, Vec<u8>>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("matrices");
    let mut stock = Vec::new();
    for matrix in std::fs::read_dir(folder).unwrap() {
        let mut files = BTreeMap::new();
        for file in std::fs::read_dir(matrix.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| e == "lane") {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
        stock.push(files);
    }
    assert!(stock.len() >= 4);
    stock
}

/// Ten million bytes (two hundred in the long run) of matrices and events.
#[test]
fn damaged_matrices_and_events_do_no_harm() {
    let budget = if is_long() { 200_000_000 } else { 10_000_000 };
    let stock = stock();
    let started = Instant::now();
    let (mut bytes, mut seed, mut sound, mut broken) = (0, 0, 0, 0);
    while bytes < budget {
        let mut rng = Rng::with_seed(seed);
        let files = if rng.usize(0..12) == 0 {
            stock[rng.usize(0..stock.len())].clone()
        } else {
            let generated = generate::matrix(seed, &Plan::default());
            generated
                .files
                .into_iter()
                .map(|(path, text)| (path, text.into_bytes()))
                .collect()
        };
        for round in 0..4 {
            let mut files = files.clone();
            if round > 0 {
                for text in files.values_mut() {
                    mutate(&mut rng, text);
                }
            }
            bytes += files.values().map(Vec::len).sum::<usize>();
            let loaded = checked(&Bytes(files));
            match loaded.matrix {
                Some(matrix) => {
                    sound += 1;
                    let _ = cases::check_examples(&matrix);
                    bytes += decided(&matrix, &mut rng, 12);
                }
                None => broken += 1,
            }
        }
        seed += 1;
    }
    eprintln!(
        "{bytes} bytes of {seed} seeds: {sound} matrices loaded, {broken} did not, in {:?}",
        started.elapsed()
    );
    // Damage is deep enough to matter, and shallow enough to reach the later stages.
    assert!(sound * 6 > broken && broken > 500, "{sound} {broken}");
}

// Hostile shapes.

const HEAD: &str = "matrix \"m\" {\n  edition 1\n  timezone \"UTC\"\n  otherwise deny\n  unreadable deny\n}\n\
     event k {\n  a: text\n  b: yes/no optional\n  n: whole number optional\n  t: list of text default ()\n}\n";

/// Checks a text on a thread with the stack of a server's worker, and looks at what comes of it.
fn on_small_stack(text: String) -> Loaded {
    let work = move || {
        let files = BTreeMap::from([(ROOT.to_owned(), text.into_bytes())]);
        let loaded = checked(&Bytes(files));
        if let Some(matrix) = &loaded.matrix {
            let _ = cases::check_examples(matrix);
            decided(matrix, &mut Rng::with_seed(1), 6);
        }
        loaded
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(work).unwrap().join().unwrap()
}

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    let errors = loaded.diagnostics.iter().map(|d| d.code.as_str());
    errors.filter(|code| code.starts_with('E')).collect()
}

fn rule(cond: &str) -> String {
    format!("{HEAD}always deny r on k when {cond}\n")
}

/// Braces that are part of a string that is not closed, or of an expression, open nothing.
#[test]
fn braces_without_partners_take_no_time() {
    let started = Instant::now();
    for count in [1, 30, 60, 50_000] {
        let braces = "{".repeat(count);
        let mut lines = vec![
            format!("first \"{braces}"),
            format!("first x {{ \"{braces}\n}}"),
        ];
        if count <= 60 {
            // Here the time still grows with the square.
            lines.push(format!("first {{ x matches /{braces}/ }}"));
            lines.push(format!("first x matches /{braces}"));
        }
        for line in lines {
            let loaded = on_small_stack(format!("{HEAD}team t {{\n  {line}\n}}\n"));
            assert!(loaded.matrix.is_none(), "{line}");
        }
    }
    let took = started.elapsed();
    assert!(took < Duration::from_secs(60), "{took:?}");
}

/// Every form that recurses, and all of them mixed, at the limit and one beyond.
#[test]
fn nests_end_at_the_limit() {
    let forms = [
        ("(", ")"),
        ("not ", ""),
        ("any of {\n", "\n}"),
        ("all of {\n", "\n}"),
        ("none of { ", " }"),
        ("at least 1 of {\nb is yes\n", "\n}"),
        ("not (", ")"),
        ("(b is yes and ", ")"),
        ("any of {\nnot (", ")\n}"),
        ("(\nb is yes\nor not none of {\n", "\n}\n)"),
    ];
    for (open, close) in forms {
        let levels = open.matches(['{', '(']).count() + open.matches("not").count();
        let most = 64 / levels;
        let nest = |n: usize| rule(&format!("{}b is yes{}", open.repeat(n), close.repeat(n)));
        let loaded = on_small_stack(nest(most));
        let found = codes(&loaded);
        assert!(
            found.is_empty() || found.iter().all(|c| *c == "E0320"),
            "{open:?} {found:?}"
        );
        assert_eq!(
            codes(&on_small_stack(nest(most + 1))),
            ["E0106"],
            "{open:?}"
        );
        for n in [1_000, 100_000] {
            assert_eq!(codes(&on_small_stack(nest(n))), ["E0106"], "{open:?} {n}");
        }
    }
    // Many `not` before each block: the levels multiply, and every one is a call.
    for unit in [
        "not not not not not not not not any of {\n",
        "not not not not at least 1 of { ",
        "count of k where not not not not (",
    ] {
        let loaded = on_small_stack(rule(&format!("{}b is yes", unit.repeat(60))));
        assert!(loaded.matrix.is_none(), "{unit}");
        let close = if unit.ends_with('(') { ")" } else { " }" };
        let nest = rule(&format!("{}b is yes{}", unit.repeat(60), close.repeat(60)));
        assert_eq!(codes(&on_small_stack(nest)), ["E0106"], "{unit}");
    }
    // What is not a condition.
    for (head, unit, close) in [
        ("event e {\n x: ", "list of ", "text\n}"),
        ("sample s is k {\n a = ", "(", "\n}"),
        ("", "lane l {\n", "}"),
        (
            "condition c means ",
            "count of k where ",
            "b is yes over 1m > 1",
        ),
    ] {
        for n in [60, 70, 1_000, 100_000] {
            let text = format!("{HEAD}{head}{}{close}", unit.repeat(n));
            assert!(on_small_stack(text).matrix.is_none(), "{unit:?} {n}");
        }
    }
    // Brackets of every sort, opened only.
    for unit in [
        "{",
        "(",
        "{(",
        "any of {",
        "not ",
        "where ",
        "\"",
        "/",
        "matches /",
        "((\n",
        "}",
        ")",
        "#{",
    ] {
        for n in [64, 65, 100_000] {
            let _ = on_small_stack(format!("{HEAD}condition c means {}", unit.repeat(n)));
            let _ = on_small_stack(unit.repeat(n));
        }
    }
}

/// A chain of named conditions, each of which holds the next one.
fn chain(levels: usize, wrap: impl Fn(&str) -> String) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("condition c0 means b is yes\n");
    for n in 1..levels {
        text.push_str(&format!(
            "condition c{n} means {}\n",
            wrap(&format!("c{}", n - 1))
        ));
    }
    text.push_str(&format!("always deny r on k when c{}\n", levels - 1));
    text
}

/// A trigger with its named conditions in place has a depth of its own: the name counts as one.
#[test]
fn chains_of_conditions_end_at_the_limit() {
    let most = laneway::limits::EXPRESSION_DEPTH;
    let plain = |n: usize| chain(n, str::to_owned);
    // The rule's expression is one level, and each condition one more.
    let fits = (1..=most + 8)
        .rev()
        .find(|n| codes(&on_small_stack(plain(*n))).is_empty());
    assert_eq!(fits, Some(most - 1));
    assert_eq!(codes(&on_small_stack(plain(most))), ["E0320"]);
    // With other forms between: never an overflow, always an answer.
    for levels in [most / 2, most - 1, most, most + 1, 1_000, 20_000] {
        let wraps: [fn(&str) -> String; 5] = [
            |c| format!("({c})"),
            |c| format!("not {c}"),
            |c| format!("{c} and b is yes"),
            |c| format!("any of {{\n{c}\nnot ({c} or a is \"x\")\n}}"),
            |c| format!("{}{c}{}", "(not ".repeat(30), ")".repeat(30)),
        ];
        for wrap in wraps {
            let loaded = on_small_stack(chain(levels, wrap));
            let found = codes(&loaded);
            assert!(found.iter().all(|code| *code == "E0320"), "{found:?}");
            assert!(levels < most || !found.is_empty());
        }
        // The deepest one first in the file, and in one cycle.
        let mut lines: Vec<String> = plain(levels).lines().map(str::to_owned).collect();
        let tail = lines.split_off(12);
        lines.extend(tail.into_iter().rev());
        let _ = on_small_stack(lines.join("\n"));
        let cycle = format!("{}condition c_end means c0\n", plain(levels))
            .replace("c0 means b is yes", "c0 means c_end");
        assert!(on_small_stack(cycle).matrix.is_none());
    }
}

/// Conditions that name the one before twice: 2^60 tests if they were written out.
#[test]
fn conditions_that_double_are_worked_out_once() {
    let started = Instant::now();
    for wrap in [
        "C or C",
        "C and C",
        "any of {\nC\nnot C\n}",
        "at least 2 of {\nC\nC\nC\n}",
    ] {
        let text = chain(40, |c| wrap.replace('C', c));
        let loaded = on_small_stack(text);
        assert_eq!(codes(&loaded), [""; 0], "{wrap}");
    }
    let text = chain(60, |c| format!("{c} or {c}"));
    assert_eq!(codes(&on_small_stack(text)), [""; 0]);
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}
