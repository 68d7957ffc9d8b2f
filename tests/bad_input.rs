//! The matrices that no engine should be asked to read: each gives its coded finding.
//!
//! The bounds of size are lowered to keep this quick; `LANEWAY_LONG=1` also tests the real ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use laneway::check::{Loaded, Options, ReadError, Reader, check};
use laneway::files;
use laneway::limits::Limits;

const HEAD: &str = "matrix \"m\" {\n  edition 1\n  timezone \"UTC\"\n  otherwise deny\n  unreadable deny\n}\n\
     event k {\n  a: text\n}\n";

struct Bytes(BTreeMap<&'static str, Vec<u8>>);

impl Reader for Bytes {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        self.0.get(path).cloned().ok_or(ReadError::NotFound)
    }
}

fn load(files: &[(&'static str, &[u8])], limits: Limits) -> Loaded {
    let files = files.iter().map(|(path, bytes)| (*path, bytes.to_vec()));
    let options = Options {
        limits,
        ..Options::default()
    };
    let loaded = check(&Bytes(files.collect()), "m.lane", &options);
    for found in &loaded.diagnostics {
        let _ = found.locate(&loaded.sources);
    }
    loaded
}

/// The codes of the findings but for what is merely unused, and whether there is a matrix.
fn codes(loaded: &Loaded) -> (Vec<&'static str>, bool) {
    let all = loaded.diagnostics.iter().map(|d| d.code.as_str());
    let kept = all.filter(|code| *code != "W0820").collect();
    (kept, loaded.matrix.is_some())
}

fn of_text(text: impl AsRef<[u8]>) -> (Vec<&'static str>, bool) {
    codes(&load(&[("m.lane", text.as_ref())], Limits::default()))
}

fn refused(code: &'static str) -> (Vec<&'static str>, bool) {
    (vec![code], false)
}

fn accepted(found: &[&'static str]) -> (Vec<&'static str>, bool) {
    (found.to_vec(), true)
}

fn is_long() -> bool {
    std::env::var_os("LANEWAY_LONG").is_some_and(|value| value == "1")
}

/// The head with a comment that fills it to a size.
fn filled(size: usize) -> Vec<u8> {
    let mut text = HEAD.as_bytes().to_vec();
    text.push(b'#');
    text.resize(size, b'x');
    text
}

#[test]
fn a_file_has_a_largest_size() {
    let limits = |file_bytes| Limits {
        file_bytes,
        ..Limits::default()
    };
    let size = HEAD.len() + 10;
    let text = filled(size);
    assert_eq!(
        codes(&load(&[("m.lane", &text)], limits(size))),
        accepted(&[])
    );
    assert_eq!(
        codes(&load(&[("m.lane", &text)], limits(size - 1))),
        refused("E0101")
    );
    // An imported one: the finding stands at the import, and no name is complained of.
    let root = format!("{HEAD}import \"b.lane\"\nalways deny r on k when from_b\n");
    let found = load(
        &[("m.lane", root.as_bytes()), ("b.lane", &filled(2_000))],
        limits(1_000),
    );
    assert_eq!(codes(&found), refused("E0101"));
    assert_eq!(
        found
            .diagnostics
            .iter()
            .next()
            .unwrap()
            .locate(&found.sources)
            .place
            .line,
        10
    );
    if is_long() {
        let most = Limits::default().file_bytes;
        assert_eq!(of_text(filled(most)), accepted(&[]));
        assert_eq!(of_text(filled(most + 1)), refused("E0101"));
    }
}

#[test]
fn all_files_together_have_a_largest_size() {
    let imports = "import \"a.lane\"\nimport \"b.lane\"\nimport \"c.lane\"\n";
    let root = format!("{HEAD}{imports}");
    let part = vec![b'#'; 1_000];
    let files: [(&str, &[u8]); 4] = [
        ("m.lane", root.as_bytes()),
        ("a.lane", &part),
        ("b.lane", &part),
        ("c.lane", &part),
    ];
    let limits = |matrix_bytes| Limits {
        matrix_bytes,
        ..Limits::default()
    };
    let all = root.len() + 3_000;
    assert_eq!(codes(&load(&files, limits(all))), accepted(&[]));
    assert_eq!(codes(&load(&files, limits(all - 1))), refused("E0102"));
    if is_long() {
        let part = vec![b'#'; 16 << 20];
        let imports: String = (0..4).map(|n| format!("import \"p{n}.lane\"\n")).collect();
        let root = format!("{HEAD}{imports}");
        let files: [(&str, &[u8]); 5] = [
            ("m.lane", root.as_bytes()),
            ("p0.lane", &part),
            ("p1.lane", &part),
            ("p2.lane", &part),
            ("p3.lane", &part),
        ];
        assert_eq!(codes(&load(&files, Limits::default())), refused("E0102"));
    }
}

#[test]
fn files_and_lanes_have_a_largest_number() {
    let root = format!("{HEAD}import \"a.lane\"\nimport \"b.lane\"\n");
    let files: [(&str, &[u8]); 3] = [
        ("m.lane", root.as_bytes()),
        ("a.lane", b""),
        ("b.lane", b""),
    ];
    let limits = |files| Limits {
        files,
        ..Limits::default()
    };
    assert_eq!(codes(&load(&files, limits(3))), accepted(&[]));
    assert_eq!(codes(&load(&files, limits(2))), refused("E0109"));

    let lanes = |count: usize| -> String {
        let lanes = (0..count).map(|n| format!("lane l{n} {{\n}}\n"));
        format!("{HEAD}{}", lanes.collect::<String>())
    };
    let limits = |lanes| Limits {
        lanes,
        ..Limits::default()
    };
    let found = |count, most| codes(&load(&[("m.lane", lanes(count).as_bytes())], limits(most))).0;
    assert_eq!(found(11, 10), ["E0108"]);
    assert!(!found(10, 10).contains(&"E0108"));
    // The real bound, which costs little: nothing else is looked at.
    assert_eq!(of_text(lanes(100_001)), refused("E0108"));
}

#[test]
fn a_string_has_a_largest_length() {
    let most = Limits::default().string_bytes;
    let text = |n: usize| format!("{HEAD}action x \"{}\"\n", "s".repeat(n));
    assert_eq!(of_text(text(most)), accepted(&[]));
    assert_eq!(of_text(text(most + 1)), refused("E0107"));
    // Bytes, not characters.
    let wide = |n: usize| format!("{HEAD}action x \"{}\"\n", "\u{fc}".repeat(n));
    assert_eq!(of_text(wide(most / 2)), accepted(&[]));
    assert_eq!(of_text(wide(most / 2 + 1)), refused("E0107"));
    let pattern = |n: usize| {
        format!(
            "{HEAD}always deny r on k when a matches /{}/\n",
            "s".repeat(n)
        )
    };
    assert_eq!(of_text(pattern(most + 1)), refused("E0107"));
}

#[test]
fn imports_stay_inside_and_form_no_cycle() {
    let root = |import: &str| format!("{HEAD}import \"{import}\"\n");
    for import in [
        "../x.lane",
        "a/../../x.lane",
        "/etc/hostname",
        "c:/x.lane",
        "..\\\\x.lane",
        "x\\\\..\\\\..\\\\y",
    ] {
        assert_eq!(of_text(root(import)), refused("E0111"), "{import}");
    }
    assert_eq!(of_text(root("none.lane")), refused("E0110"));
    assert!(!of_text(root("")).1);
    assert_eq!(of_text(root("m.lane")), refused("E0112"));
    assert_eq!(of_text(root("./m.lane")), refused("E0112"));
    let files: [(&str, &[u8]); 3] = [
        ("m.lane", &root("a.lane").into_bytes()),
        ("a.lane", b"import \"d/b.lane\""),
        ("d/b.lane", b"import \"../m.lane\"\nimport \"../a.lane\""),
    ];
    let loaded = load(&files, Limits::default());
    assert_eq!(codes(&loaded).0, ["E0112", "E0112"]);
    let files: [(&str, &[u8]); 2] = [
        ("m.lane", &root("a.lane").into_bytes()),
        ("a.lane", HEAD.as_bytes()),
    ];
    assert!(codes(&load(&files, Limits::default())).0.contains(&"E0303"));
}

/// A long way of imports: each file is open while the next is read.
#[test]
fn a_chain_of_imports_does_not_overflow() {
    struct Chain;
    impl Reader for Chain {
        fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
            let n: usize = path.trim_end_matches(".lane").parse().unwrap_or(0);
            let head = if path == "m.lane" { HEAD } else { "" };
            Ok(format!("{head}import \"{}.lane\"\n", n + 1).into_bytes())
        }
    }
    let work = || {
        let loaded = check(&Chain, "m.lane", &Options::default());
        assert_eq!(codes(&loaded), refused("E0109"));
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(work).unwrap().join().unwrap();
}

#[cfg(unix)]
#[test]
fn imports_stay_inside_through_links() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x.lane"), "action x \"x\"\n").unwrap();
    let inside = tempfile::tempdir().unwrap();
    let at = |name: &str| inside.path().join(name);
    fs::create_dir(at("real")).unwrap();
    fs::write(at("real/y.lane"), "action y \"y\"\n").unwrap();
    std::os::unix::fs::symlink(outside.path().join("x.lane"), at("link.lane")).unwrap();
    std::os::unix::fs::symlink(outside.path(), at("folder")).unwrap();
    std::os::unix::fs::symlink(at("real/y.lane"), at("good.lane")).unwrap();
    std::os::unix::fs::symlink(at("loop.lane"), at("loop.lane")).unwrap();
    let found = |import: &str| {
        fs::write(at("m.lane"), format!("{HEAD}import \"{import}\"\n")).unwrap();
        codes(&on_disk(&at("m.lane")))
    };
    assert_eq!(found("good.lane"), accepted(&[]));
    assert_eq!(found("real/y.lane"), accepted(&[]));
    assert_eq!(found("link.lane"), refused("E0111"));
    assert_eq!(found("folder/x.lane"), refused("E0111"));
    assert_eq!(found("loop.lane"), refused("E0110"));
    assert_eq!(found("real"), refused("E0110"));
    let absolute = outside.path().join("x.lane");
    assert_eq!(found(absolute.to_str().unwrap()), refused("E0111"));
    assert_eq!(found("../x.lane"), refused("E0111"));
    // A root that is a link itself: its folder is where it really lies.
    std::os::unix::fs::symlink(at("m.lane"), outside.path().join("root.lane")).unwrap();
    fs::write(at("m.lane"), format!("{HEAD}import \"good.lane\"\n")).unwrap();
    let _ = on_disk(&outside.path().join("root.lane"));
}

fn on_disk(path: &Path) -> Loaded {
    files::load(path, &Options::default(), true).unwrap()
}

#[test]
fn odd_encodings_are_named() {
    assert_eq!(of_text(HEAD), accepted(&[]));
    assert_eq!(of_text(format!("\u{feff}{HEAD}")), accepted(&["W0825"]));
    assert_eq!(of_text(HEAD.replace('\n', "\r\n")), accepted(&["W0826"]));
    assert_eq!(of_text(format!("{HEAD}#\0\n")), refused("E0104"));
    assert_eq!(of_text(format!("{HEAD}# a\rb\n")), refused("E0104"));
    assert_eq!(of_text(format!("{HEAD}# \u{1b}[2J\n")), refused("E0104"));
    assert_eq!(of_text(format!("{HEAD}# \u{85}\n")), refused("E0104"));
    assert_eq!(
        of_text([HEAD.as_bytes(), b"# \xff\n"].concat()),
        refused("E0103")
    );
    assert_eq!(
        of_text([HEAD.as_bytes(), b"# \xc3"].concat()),
        refused("E0103")
    );
    assert_eq!(of_text(b"\xff\xfel\0a\0n\0e\0"), refused("E0103"));
    // A mark in the middle hides like the others.
    for hidden in [
        '\u{202e}', '\u{2066}', '\u{200b}', '\u{200e}', '\u{feff}', '\u{2028}',
    ] {
        assert_eq!(
            of_text(format!("{HEAD}# a{hidden}b\n")),
            refused("E0105"),
            "{hidden:?}"
        );
        let string = format!("{HEAD}action x \"a{hidden}b\"\n");
        assert_eq!(of_text(string), refused("E0105"), "{hidden:?}");
        // Written out, it hides nothing.
        let escaped = format!("{HEAD}action x \"a\\u{{{:x}}}b\"\n", u32::from(hidden));
        assert_eq!(of_text(escaped), accepted(&[]), "{hidden:?}");
    }
    // Nothing at all, and nothing but space.
    for empty in ["", "\n\n", "# only a comment", " \t "] {
        assert_eq!(of_text(empty), refused("E0301"), "{empty:?}");
    }
}

#[test]
fn patterns_are_bounded_and_linear() {
    let text = |pattern: &str| format!("{HEAD}always deny r on k when a matches /{pattern}/\n");
    for large in [
        "(a{1000}){1000}",
        "((a{100}){100}){100}",
        "\\pL{5000}",
        "(?:x{500}){500}",
    ] {
        assert_eq!(of_text(text(large)), refused("E0409"), "{large}");
    }
    for bad in [
        "(",
        "[a",
        "a{2,1}",
        "(?<n>a)(?<n>b)",
        "\\8",
        "*",
        "(?=a)",
        "\\1",
    ] {
        let found = of_text(text(bad));
        assert!(!found.1 && found.0.len() == 1, "{bad} {found:?}");
    }
    let deep = format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(of_text(text(&deep)), refused("E0408"));
    // Hostile for a backtracking engine: here linear in the text.
    for hostile in ["(a+)+b", "(a|a)*b", "(.*a){20}b", "(a?){50}a{50}"] {
        let loaded = load(&[("m.lane", text(hostile).as_bytes())], Limits::default());
        let matrix = loaded.matrix.expect(hostile);
        let router = laneway::router::Router::new(matrix);
        let json = format!(
            "{{\"kind\": \"k\", \"id\": \"1\", \"a\": \"{}c\"}}",
            "a".repeat(200_000)
        );
        let started = Instant::now();
        let _ = router.decide_json(json.as_bytes(), laneway::clock::Timestamp::UNIX_EPOCH);
        assert!(started.elapsed() < Duration::from_secs(20), "{hostile}");
    }
}

/// What the damaged texts of `robust.rs` found: a place in the middle of a character.
#[test]
fn a_line_may_begin_with_a_wide_character() {
    for text in [
        format!("{HEAD}\u{2014} remark\n"),
        format!("{HEAD}lane x {{\n  \u{1f642}\n}}\n"),
        format!("{HEAD}team t {{\n  \u{2014}first person \"p\"\n}}\n"),
        format!("{HEAD}event e {{\n  \u{2014}a: text\n}}\n"),
        format!("{HEAD}always deny r on k when any of {{\n  \u{2014}\n}}\n"),
    ] {
        let loaded = load(&[("m.lane", text.as_bytes())], Limits::default());
        for found in &loaded.diagnostics {
            assert!(text.get(found.span.range()).is_some(), "{found:?}");
        }
        assert!(loaded.matrix.is_none());
    }
}

/// What reading for the generators found: the second kind's range was not looked at, so that an
/// adjusted event of it held a value that no event may have.
#[test]
fn an_adjust_fits_every_kind() {
    let text = |value: &str| {
        format!(
            "{HEAD}event m {{\n  x: whole number 0 to 1000\n}}\nevent n {{\n  x: whole number 0 to 10\n}}\n\
             adjust cut on m, n when x > 5 set x = {value}\n"
        )
    };
    assert_eq!(of_text(text("10")), accepted(&[]));
    assert_eq!(of_text(text("11")), refused("E0407"));
}
