//! Large hostile texts end within seconds: nothing in the cut, the parser, its recovery, the
//! suggestions of names, the search for duplicates or the lints is quadratic.
//!
//! The normal run uses texts of 1 MiB; `LANEWAY_LONG=1` uses 4, 8 and 16 MiB and prints the times,
//! which are those of the processor.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use laneway::check::{Options, check_text};
use laneway::clock::parse_date;

const HEAD: &str = "matrix \"m\" {\n  edition 1\n  timezone \"UTC\"\n  otherwise deny\n  unreadable deny\n}\n\
     event k {\n  a: text\n  b: yes/no optional\n  n: whole number optional\n  t: list of text default ()\n}\n\
     team t {\n  first person \"p\"\n}\naction act \"x\"\n";

/// A text of about so many bytes.
type Shape = fn(usize) -> String;

fn repeated(head: &str, unit: &str, tail: &str, size: usize) -> String {
    format!("{head}{}{tail}", unit.repeat(size / unit.len()))
}

/// Numbered lines.
fn numbered(head: &str, line: impl Fn(usize) -> String, tail: &str, size: usize) -> String {
    let mut text = head.to_owned();
    let mut n = 0;
    while text.len() < size {
        text.push_str(&line(n));
        n += 1;
    }
    text.push_str(tail);
    text
}

const LANE: &str = "  on k\n  when b is yes\n  owner t\n  urgency low\n  respond within 1h\n  \
                    meanwhile hold item\n  evidence {\n    required input\n  }\n  timeout {\n    after 4h deny\n  }\n";

const SHAPES: [(&str, Shape); 57] = [
    ("opening braces", |size| "{".repeat(size)),
    ("closing braces", |size| "}".repeat(size)),
    ("opening parentheses", |size| "(".repeat(size)),
    ("pairs of braces", |size| "{}".repeat(size / 2)),
    ("quotes", |size| "\"".repeat(size)),
    ("backslashes in a string", |size| {
        format!("\"{}", "\\".repeat(size))
    }),
    ("spaces", |size| " ".repeat(size)),
    ("line breaks", |size| "\n".repeat(size)),
    ("carriage returns", |size| "\r\n".repeat(size / 2)),
    ("bare carriage returns", |size| "\r".repeat(size)),
    ("one word", |size| "a".repeat(size)),
    ("one number", |size| "9".repeat(size)),
    ("one comment", |size| format!("#{}", "a".repeat(size))),
    ("short comments", |size| "#\n".repeat(size / 2)),
    ("one string", |size| {
        format!("{HEAD}action x \"{}\"\n", "a".repeat(size))
    }),
    ("one pattern", |size| {
        repeated(
            &format!("{HEAD}always deny r on k when a matches /"),
            "a",
            "/\n",
            size,
        )
    }),
    ("zeros", |size| "\0".repeat(size)),
    ("bidi controls", |size| "\u{202e}".repeat(size / 3)),
    ("bidi controls in lines", |size| {
        "# \u{202e}\n".repeat(size / 6)
    }),
    ("wide characters", |size| "\u{1f642}".repeat(size / 4)),
    ("short garbage lines", |size| "x\n".repeat(size / 2)),
    ("garbage lines", |size| "lnae x y z {\n".repeat(size / 13)),
    ("garbage in column 1", |size| {
        " lane x y z\n".repeat(size / 12)
    }),
    ("words in one line", |size| "lane x ".repeat(size / 7)),
    ("keywords", |size| "lane\n".repeat(size / 5)),
    ("unclosed lanes", |size| "lane x {\n".repeat(size / 9)),
    ("closed lanes", |size| "lane x {\n}\n".repeat(size / 11)),
    ("one line too many", |size| {
        repeated("", "}\nlane x {\n}\n", "", size)
    }),
    ("commas", |size| repeated("list x is 1", ",", "\n", size)),
    ("a long list", |size| {
        numbered(
            &format!("{HEAD}list x is 0"),
            |n| format!(", {n}"),
            "\nalways deny r on k when n in x\n",
            size,
        )
    }),
    ("a long list of texts", |size| {
        numbered(
            &format!("{HEAD}list x is \"\""),
            |n| format!(", \"text {n}\""),
            "\nalways deny r on k when a in x\n",
            size,
        )
    }),
    ("a long set", |size| {
        numbered(
            &format!("{HEAD}always deny r on k when n in (-1"),
            |n| format!(", {n}"),
            ")\n",
            size,
        )
    }),
    ("a long set of texts", |size| {
        numbered(
            &format!("{HEAD}always deny r on k when t contains any of (\"\""),
            |n| format!(", \"long text {n}\""),
            ")\n",
            size,
        )
    }),
    ("a long block", |size| {
        numbered(
            &format!("{HEAD}always deny r on k when any of {{\n"),
            |n| format!("n is {n}\n"),
            "}\n",
            size,
        )
    }),
    ("a long block of texts", |size| {
        numbered(
            &format!("{HEAD}always deny r on k when any of {{\n"),
            |n| format!("a is \"text of {n}\"\n"),
            "}\n",
            size,
        )
    }),
    ("a block of one test", |size| {
        repeated(
            &format!("{HEAD}always deny r on k when any of {{\n"),
            "b is yes\n",
            "}\n",
            size,
        )
    }),
    ("a broken block", |size| {
        repeated(
            &format!("{HEAD}always deny r on k when any of {{\n"),
            "b == yes\n",
            "}\n",
            size,
        )
    }),
    ("a chain of and", |size| {
        numbered(
            &format!("{HEAD}always deny r on k when b is yes"),
            |n| format!(" and n > {n}"),
            "\n",
            size,
        )
    }),
    ("and and or", |size| {
        repeated(
            &format!("{HEAD}always deny r on k when b is yes"),
            " and b is yes or b is no",
            "\n",
            size,
        )
    }),
    ("unknown fields", |size| {
        numbered(
            &format!("{HEAD}always deny r on k when any of {{\n"),
            |n| format!("field_{n} is 1\n"),
            "}\n",
            size,
        )
    }),
    ("unknown conditions", |size| {
        numbered(
            HEAD,
            |n| format!("condition known_{n} means unknown_{n}\n"),
            "",
            size,
        )
    }),
    ("conditions", |size| {
        numbered(
            HEAD,
            |n| format!("condition known_{n} means b is yes\n"),
            "always deny r on k when known_1\n",
            size,
        )
    }),
    ("unknown words", |size| {
        numbered(
            &format!("{HEAD}always deny r on k when t contains any of (\"\""),
            |n| format!(", word_{n}"),
            ")\n",
            size,
        )
    }),
    ("a wide enumeration", |size| {
        numbered(
            &format!("{HEAD}event wide {{\n  e: one of first"),
            |n| format!(", word_{n}"),
            "\n}\nalways deny r on wide when e is wrod_7\n",
            size,
        )
    }),
    ("a wide kind", |size| {
        numbered(
            &format!("{HEAD}event wide {{\n"),
            |n| format!("  field_{n}.x: text optional\n"),
            "}\n",
            size,
        )
    }),
    ("a wide record", |size| {
        numbered(
            &format!("{HEAD}sample s is k {{\n"),
            |n| format!("  a = \"{n}\"\n"),
            "}\n",
            size,
        )
    }),
    ("a wide record of a wide kind", |size| {
        let kind = numbered(
            &format!("{HEAD}event wide {{\n"),
            |n| format!("  field_{n}: text optional\n"),
            "}\n",
            size / 2,
        );
        numbered(
            &format!("{kind}sample s is wide {{\n"),
            |n| format!("  field_{n} = \"{n}\"\n"),
            "}\n",
            size,
        )
    }),
    ("one name again", |size| {
        repeated(HEAD, "list x is 1\n", "", size)
    }),
    ("one clause again", |size| {
        repeated(&format!("{HEAD}lane x {{\n"), "  owner t\n", "}\n", size)
    }),
    ("unknown clauses", |size| {
        numbered(
            &format!("{HEAD}lane x {{\n"),
            |n| format!("  clause_{n} x\n"),
            "}\n",
            size,
        )
    }),
    ("lanes of unknown names", |size| {
        numbered(
            HEAD,
            |n| format!("lane l{n} {{\n  on kind_{n}\n  owner team_{n}\n  also action_{n}\n}}\n"),
            "",
            size,
        )
    }),
    ("lanes", |size| {
        numbered(HEAD, |n| format!("lane l{n} {{\n{LANE}}}\n"), "", size)
    }),
    ("adjusts", |size| {
        numbered(
            HEAD,
            |n| format!("adjust r{n} on k when a is \"{n}\" set n = {n}\n"),
            "",
            size,
        )
    }),
    ("adjusts under long sets", |size| {
        let set: Vec<String> = (0..size / 40).map(|n| n.to_string()).collect();
        let set = |tail: &str| set.join(&format!("{tail}, "));
        format!(
            "{HEAD}adjust r1 on k when n in ({}) set a = \"x\"\nadjust r2 on k when n in (-{}) set a = \"y\"\n",
            set("1"),
            set("2")
        )
    }),
    ("long names", |size| {
        numbered(
            HEAD,
            |n| {
                format!(
                    "always deny {}{n} on {} when b\n",
                    "r".repeat(10_000),
                    "k".repeat(10_000)
                )
            },
            "",
            size,
        )
    }),
    ("actions and steps", |size| {
        numbered(
            &format!("{HEAD}lane x {{\n  timeout {{\n"),
            |n| format!("    after {}m run act\n", n + 1),
            "  }\n}\n",
            size,
        )
    }),
    ("calendars without a zone", |size| {
        numbered(
            HEAD,
            |n| {
                format!(
                    "calendar c{n} {{\n  timezone \"Europe/Belin{n}\"\n  mon 09:00 to 10:00\n}}\n"
                )
            },
            "",
            size,
        )
    }),
];

fn time(shape: Shape, size: usize) -> (Duration, usize) {
    let text = shape(size);
    let options = Options {
        today: parse_date("2026-01-07"),
        ..Options::default()
    };
    let started = worked();
    let loaded = check_text("matrix.lane", &text, &options);
    let findings = loaded.diagnostics.len();
    assert!(loaded.matrix.is_some() || findings > 0);
    (worked().saturating_sub(started), findings)
}

/// How long this thread has had a processor, so that a busy or a sleeping machine makes no text look
/// slow; where the system does not say, the time since the first call.
fn worked() -> Duration {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let told = told.and_then(|text| text.split(' ').next()?.parse().ok());
    told.map_or_else(|| BEGIN.elapsed(), Duration::from_nanos)
}

#[test]
fn large_hostile_texts_end_soon() {
    let long = std::env::var_os("LANEWAY_LONG").is_some_and(|value| value == "1");
    let only = std::env::var("LANEWAY_SHAPE").unwrap_or_default();
    let sizes: &[usize] = if long {
        &[4 << 20, 8 << 20, (16 << 20) - 4_096]
    } else {
        &[1 << 20]
    };
    let mut slow = String::new();
    for (name, shape) in SHAPES
        .iter()
        .filter(|(name, _)| only.is_empty() || **name == only)
    {
        let mut shown = String::new();
        for size in sizes {
            let (took, findings) = time(*shape, *size);
            let _ = write!(shown, " {:>9.3} s", took.as_secs_f64());
            if size == &sizes[sizes.len() - 1] {
                let _ = write!(shown, " {findings:>8} findings");
            }
            // What is quadratic takes minutes at this size.
            let most = Duration::from_secs(if long { 60 } else { 10 });
            if took > most {
                let _ = writeln!(slow, "{name}: {size} bytes took {took:?}");
                break;
            }
        }
        if long || !only.is_empty() {
            eprintln!("{name:<30}{shown}");
        }
    }
    assert!(slow.is_empty(), "{slow}");
}
