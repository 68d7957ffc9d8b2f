//! The quick reader of events against the slow one: what it takes, the slow one takes and reads the
//! same; what the slow one rejects, it never takes. `LANEWAY_LONG=1` makes a million events.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "support/events.rs"]
mod events;
#[path = "support/generate.rs"]
mod generate;
#[path = "support/mutate.rs"]
mod mutate;

use std::sync::Arc;

use events::Events;
use fastrand::Rng;
use generate::Plan;
use laneway::check::{Options, check_text};
use laneway::clock::{Timestamp, parse_timestamp};
use laneway::compile::compile;
use laneway::event::read;
use laneway::limits::Limits;
use laneway::matrix::Matrix;
use laneway::program::Program;
use laneway::slots::{NotRead, Plain, Slots};

/// What came of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// Both read it, and the same.
    Same,
    /// Both reject it.
    Rejected,
    /// Only the slow reader reads it.
    Left,
    /// The slow reader reads it, and cells cannot hold it.
    Unheld,
}

/// A program with the buffers of one thread.
struct Readers {
    program: Program,
    limits: Limits,
    quick: Slots,
    slow: Slots,
}

fn received() -> Timestamp {
    parse_timestamp("2026-07-01T00:00:00Z").unwrap()
}

impl Readers {
    fn new(matrix: &Arc<Matrix>) -> Self {
        Self {
            program: compile(matrix),
            limits: Limits::default(),
            quick: Slots::default(),
            slow: Slots::default(),
        }
    }

    fn slow(&mut self, bytes: &[u8]) -> Option<Result<Plain, ()>> {
        let schema = &self.program.matrix.schema;
        let event = read(bytes, schema, &self.limits, received()).ok()?;
        let layout = &self.program.layout;
        let filled = self.slow.fill(layout, &event);
        Some(match filled {
            Ok(()) => Ok(self.slow.plain(layout, &[])),
            Err(_) => Err(()),
        })
    }

    fn quick(&mut self, bytes: &[u8]) -> Result<Plain, NotRead> {
        let layout = &self.program.layout;
        self.quick.read(bytes, layout, &self.limits, received())?;
        Ok(self.quick.plain(layout, bytes))
    }

    /// Whether the program decides no event of the kind that was read.
    fn is_left(&self) -> bool {
        let kind = self.quick.kind().0 as usize;
        self.program.kinds[kind].reference.is_some()
    }

    fn came(&mut self, bytes: &[u8]) -> Came {
        let quick = self.quick(bytes);
        let slow = self.slow(bytes);
        let shown = || String::from_utf8_lossy(bytes);
        match (quick, slow) {
            (Ok(quick), Some(Ok(slow))) => {
                assert_eq!(quick, slow, "{}", shown());
                Came::Same
            }
            (Ok(_), None) => panic!("only the quick reader reads {}", shown()),
            // A default that no cell holds leaves the kind to the reference, whatever was read.
            (Ok(_), Some(Err(()))) if self.is_left() => Came::Unheld,
            (Ok(_), Some(Err(()))) => panic!("cells cannot hold {}", shown()),
            (Err(NotRead), None) => Came::Rejected,
            (Err(NotRead), Some(Ok(_))) => Came::Left,
            (Err(NotRead), Some(Err(()))) => Came::Unheld,
        }
    }
}

fn events() -> usize {
    match std::env::var_os("LANEWAY_LONG") {
        Some(_) => 1_000_000,
        None => 50_000,
    }
}

#[derive(Default)]
struct Counts {
    all: usize,
    same: usize,
    rejected: usize,
    left: usize,
    unheld: usize,
}

impl Counts {
    fn note(&mut self, came: Came) {
        self.all += 1;
        match came {
            Came::Same => self.same += 1,
            Came::Rejected => self.rejected += 1,
            Came::Left => self.left += 1,
            Came::Unheld => self.unheld += 1,
        }
    }

    fn left_share(&self) -> f64 {
        self.left as f64 / (self.same + self.left) as f64
    }
}

#[test]
fn the_quick_reader_reads_as_the_slow_one_does() {
    let (mut plain, mut respelt, mut broken) =
        (Counts::default(), Counts::default(), Counts::default());
    let mut rng = Rng::with_seed(11);
    let mut seed = 0;
    while plain.all + respelt.all + broken.all < events() {
        let plan = Plan {
            lanes: 1..=6,
            measures: false,
            imports: false,
            messy: false,
            ..Plan::default()
        };
        let matrix = generate::matrix(seed, &plan).matrix();
        let mut readers = Readers::new(&matrix);
        let mut source = Events::new(&matrix, seed);
        for _ in 0..40 {
            let json = source.any();
            plain.note(readers.came(json.as_bytes()));
            let again = respell(&json, &mut rng);
            respelt.note(readers.came(again.as_bytes()));
            for base in [&json, &again] {
                let mut bytes = base.as_bytes().to_vec();
                damage(&mut rng, &mut bytes);
                broken.note(readers.came(&bytes));
            }
            // Bounds right around the event.
            readers.limits.event_bytes = (json.len() + 20).saturating_sub(rng.usize(0..60));
            readers.limits.event_total_bytes = (json.len() + 2).saturating_sub(rng.usize(0..4));
            readers.limits.event_depth = rng.usize(0..5);
            broken.note(readers.came(json.as_bytes()));
            readers.limits = Limits::default();
        }
        seed += 1;
    }
    for (name, counts) in [
        ("plain", &plain),
        ("respelt", &respelt),
        ("broken", &broken),
    ] {
        eprintln!(
            "{name}: {} events, {} the same, {} rejected, {} unheld, {:.3} % left",
            counts.all,
            counts.same,
            counts.rejected,
            counts.unheld,
            100.0 * counts.left_share()
        );
    }
    assert!(plain.left_share() < 0.03 && respelt.left_share() < 0.03);
    assert!(plain.unheld * 50 < plain.all);
    assert!(plain.rejected * 20 > plain.all && broken.rejected * 4 > broken.all);
    assert!(broken.same * 15 > broken.all);
}

/// Tokens of JSON that damage looks like JSON with.
const TOKENS: [&str; 40] = [
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "null",
    "true",
    "false",
    "nul",
    "0",
    "00",
    "-",
    "-0",
    "1e5",
    "1e-05",
    "1e100",
    ".5",
    "5.",
    "1.50",
    "12345678901234567890",
    " ",
    "\n",
    "\t",
    "\u{b}",
    "\\u0041",
    "\\ud800",
    "\\ud83d\\ude00",
    "\"a\":1,",
    "\"a\":1,\"a\":2,",
    "\"kind\":null,",
    "\"id\":\"\",",
    "\"at\":null,",
    "\"evidence\":{},",
    "\"specversion\":\"1.0\",",
    "\"data\":{},",
    "\u{0}",
    "\"type\":\"x\",",
];

fn damage(rng: &mut Rng, bytes: &mut Vec<u8>) {
    // What was damaged before may have nothing left.
    if bytes.is_empty() {
        return;
    }
    match rng.usize(0..4) {
        0 => mutate::mutate(rng, bytes),
        1 => {
            let at = rng.usize(0..bytes.len());
            bytes[at] = rng.u8(..);
        }
        2 => {
            // A token in front of a mark, where it is most likely still JSON.
            let marks: Vec<usize> = (0..bytes.len())
                .filter(|n| b"{}[],:\"".contains(&bytes[*n]))
                .collect();
            let Some(mark) = rng.choice(&marks) else {
                return;
            };
            let at = mark + rng.usize(0..2);
            let token = TOKENS[rng.usize(0..TOKENS.len())];
            bytes.splice(at..at, token.bytes());
        }
        _ => {
            let at = rng.usize(0..bytes.len());
            let end = (at + rng.usize(1..4)).min(bytes.len());
            let token = TOKENS[rng.usize(0..TOKENS.len())];
            bytes.splice(at..end, token.bytes());
        }
    }
}

/// The same event with white space, escapes in texts, and undeclared members.
fn respell(json: &str, rng: &mut Rng) -> String {
    let mut out = String::new();
    let mut chars = json.char_indices().peekable();
    let mut inside = false;
    let mut name = false;
    let mut plain = false;
    while let Some((at, c)) = chars.next() {
        if inside {
            match c {
                '\\' => {
                    out.push(c);
                    out.extend(chars.next().map(|(_, c)| c));
                }
                '"' => {
                    inside = false;
                    out.push(c);
                }
                c if !name && !plain && rng.usize(0..30) == 0 => {
                    let mut units = [0; 2];
                    for unit in c.encode_utf16(&mut units) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => out.push(c),
            }
            continue;
        }
        match c {
            '"' => {
                inside = true;
                name = is_name(&json[at..]);
                // Words that the program of a producer writes have no escapes.
                let words = [
                    "\"kind\"",
                    "\"type\"",
                    "\"specversion\"",
                    "\"amount\"",
                    "\"currency\"",
                ];
                if name {
                    plain = words.iter().any(|word| json[at..].starts_with(word));
                }
                out.push(c);
            }
            ' ' if rng.bool() => {}
            '{' if rng.usize(0..6) == 0 && !json[at..].starts_with("{}") => {
                out.push(c);
                let n = rng.usize(0..3);
                let members = [
                    format!(
                        "\"und{n}\": [1.5e-7, {{\"a\": {{}}, \"b\": \"\\u00e9\\ud83d\\ude00\"}}],"
                    ),
                    format!("\"Und{n}\":null ,"),
                    "\"undeclared member\":\"x\",".to_owned(),
                ];
                out.push_str(&members[rng.usize(0..members.len())]);
            }
            ',' | ':' | '{' | '}' | '[' | ']' => {
                out.push_str(["", "", "", " ", "\r\n\t"][rng.usize(0..5)]);
                out.push(c);
                out.push_str(["", "", "", " ", "\r\n\t"][rng.usize(0..5)]);
            }
            c => out.push(c),
        }
    }
    out
}

/// Whether the text at the front is the name of a member.
fn is_name(json: &str) -> bool {
    let bytes = json.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += 1 + usize::from(bytes[at] == b'\\');
    }
    json.get(at + 1..)
        .is_some_and(|rest| rest.trim_start().starts_with(':'))
}

const MATRIX: &str = r#"matrix "Reading" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}

event tool_call from "com.acme.tool_call" {
  action: one of lookup, refund, credit
  amount: money USD 0 to 1000 optional
  confidence: number 0 to 1
  count: whole number 0 to 10 default 1
  big: whole number optional
  customer: text
  folded: text ignoring case optional
  tenant.source: text optional
  tenant.target: text optional
  dotted from "do.tted": text optional
  opened: timestamp optional
  age: duration optional
  urgent: yes/no default no
  tags: list of text default ()
  prices: list of money USD 0 to 1000 optional
}

team desk {
  first person "a@acme.example"
  backup group "b"
}

lane one {
  about "Something"
  on tool_call
  when confidence < 0.5 and folded is "abc" and amount > 10.50 USD and tags contains any of ("a")
  owner desk
  urgency high
  respond within 30m
  meanwhile hold item
  operator "Look."
  evidence {
    required trigger
  }
  timeout {
    after 30m deny
  }
}
"#;

fn readers() -> Readers {
    let loaded = check_text("matrix.lane", MATRIX, &Options::default());
    let matrix = loaded.matrix.unwrap_or_else(|| {
        let found = loaded.diagnostics.iter();
        panic!(
            "{:#?}",
            found.map(|d| d.message.clone()).collect::<Vec<_>>()
        )
    });
    Readers::new(&matrix)
}

/// The members that every event of the matrix above has to give.
const REQUIRED: &str = r#""action":"refund","confidence":0.4,"customer":"c""#;

/// An event of these members before the required ones.
fn event(members: &str) -> String {
    format!("{{\"kind\":\"tool_call\",{}}}", with(members))
}

fn with(members: &str) -> String {
    match members {
        "" => REQUIRED.to_owned(),
        members => format!("{members},{REQUIRED}"),
    }
}

fn envelope(data: &str, more: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"e","time":"2026-11-20T10:00:00Z","data":{data},
        "type":"com.acme.tool_call"{more}}}"#
    )
}

#[test]
fn usual_forms_are_read() {
    let mut readers = readers();
    for members in [
        "",
        r#""id":"e-1","at":"2026-11-20T10:00:00Z""#,
        r#""id":null,"at":null,"evidence":null"#,
        r#""at":"2026-11-20T10:00:00.123456789+05:30""#,
        r#""at":"2026-11-20T10:00:00-00:00""#,
        r#""at":"2026-12-31T23:59:60Z""#,
        r#""at":"2026-11-20T10:00:00z""#,
        r#""id":"\u00e9\n""#,
        r#""evidence":{"input":{"a":[1,2,{"b":null}]}}"#,
        r#""amount":12.50"#,
        r#""amount":1e2"#,
        r#""amount":1e-05"#,
        r#""amount":1000.00"#,
        r#""amount":0.12345678901234567"#,
        r#""amount":{"amount":12.5,"currency":"USD"}"#,
        r#""amount":{"currency":"USD","amount":"12.50","note":[{}]}"#,
        r#""count":5.0"#,
        r#""count":1e1"#,
        r#""count":null"#,
        r#""big":123456789012345678"#,
        r#""big":-5"#,
        r#""folded":"AbC""#,
        r#""folded":"\u00c4RGER \u00c4""#,
        "\"folded\":\"\u{c4}RGER \u{130}\"",
        r#""tenant":{"source":"a","target":"b\"c","other":1}"#,
        r#""tenant":{}"#,
        r#""tenant":null"#,
        r#""tenant":{"source":null}"#,
        r#""do.tted":"x""#,
        r#""opened":"2026-11-20T10:00:00+02:00""#,
        r#""opened":"1999-02-28T23:59:59.5Z""#,
        r#""age":"1h30m""#,
        r#""urgent":true"#,
        r#""action ":1,"Action":2"#,
        r#""tags":[],"prices":[1,{"amount":2,"currency":"USD"}]"#,
        r#""tags":["a","\u0062","","\ud83d\ude00"]"#,
        r#""more":{"a":[[],{},[{"b":1.5e-3}]],"b":"\ud83d\ude00"},"less":true"#,
        r#""a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":{"a":1}"#,
    ] {
        let json = event(members);
        assert_eq!(readers.came(json.as_bytes()), Came::Same, "{json}");
        // The kind last, and white space.
        let json = format!(" {{ {} ,\t\"kind\" :\n\"tool_call\" }}\r\n", with(members));
        assert_eq!(readers.came(json.as_bytes()), Came::Same, "{json}");
        let data = format!("{{{}}}", with(members));
        for more in [
            "",
            r#","kind":null,"data_base64":null,"subject":"x","more":{}"#,
        ] {
            let json = envelope(&data, more);
            assert_eq!(readers.came(json.as_bytes()), Came::Same, "{json}");
        }
    }
    let json = event(r#""specversion":"7","type":5,"data":[]"#);
    assert_eq!(readers.came(json.as_bytes()), Came::Same);
}

#[test]
fn what_is_unreadable_is_not_read() {
    let mut readers = readers();
    for members in [
        r#""id":"""#,
        r#""id":5"#,
        r#""at":"2026-02-30T10:00:00Z""#,
        r#""at":"2026-11-20T24:00:00Z""#,
        r#""at":"2026-11-20T10:00:00""#,
        r#""at":"2026-11-20 10:00:00Z""#,
        r#""at":"2026-11-20T10:00:00.Z""#,
        r#""at":"2026-11-20T10:00:00+24:00""#,
        r#""at":"2026-11-20T10:00:00+0200""#,
        r#""at":"0000-00-00T10:00:00Z""#,
        r#""at":17"#,
        r#""evidence":[]"#,
        r#""evidence":"x""#,
        r#""evidence":{"a":1,"a":2}"#,
        r#""evidence":{"a":{"b":1,"c":2,"b":3}}"#,
        r#""evidence":{"a":"\ud800"}"#,
        r#""amount":1000.01"#,
        r#""amount":-0.01"#,
        r#""amount":"5""#,
        r#""amount":true"#,
        r#""amount":{"amount":5,"currency":"EUR"}"#,
        r#""amount":{"amount":5}"#,
        r#""amount":{"currency":"USD"}"#,
        r#""amount":{"amount":null,"currency":"USD"}"#,
        r#""amount":{"amount":5,"currency":"USD","amount":5}"#,
        r#""amount":{"amount":5,"currency":"USD","x":1,"x":1}"#,
        r#""amount":{}"#,
        r#""amount":[5]"#,
        r#""amount":01"#,
        r#""amount":1."#,
        r#""amount":.5"#,
        r#""amount":+5"#,
        r#""amount":1e"#,
        r#""amount":NaN"#,
        r#""count":11"#,
        r#""count":-1"#,
        r#""count":5.5"#,
        r#""count":5e-1"#,
        r#""big":9223372036854775808"#,
        r#""big":1e19"#,
        r#""folded":5"#,
        r#""tenant":5"#,
        r#""tenant":[]"#,
        r#""tenant":{"source":1}"#,
        r#""tenant":{"source":"a"},"tenant.source":"b""#,
        r#""tenant.source":"a","tenant":{"source":"a"}"#,
        r#""do.tted":"a","do":{"tted":"a"}"#,
        r#""do":{"tted":"a"},"do.tted":"a""#,
        r#""tenant":{"source":"a","x":1,"x":2}"#,
        r#""tenant":{"source":"a","source":"a"}"#,
        r#""opened":"yesterday""#,
        r#""opened":1"#,
        r#""age":"1x""#,
        r#""age":5"#,
        r#""urgent":"yes""#,
        r#""urgent":1"#,
        r#""urgent":truE"#,
        r#""tags":"a""#,
        r#""tags":[1]"#,
        r#""tags":[null]"#,
        r#""tags":["a",]"#,
        r#""tags":["a""#,
        r#""tags":[["a"]]"#,
        r#""prices":[1001]"#,
        r#""prices":[{"amount":1,"currency":"EUR"}]"#,
        r#""action":"refund""#,
        r#""count":1,"count":1"#,
        r#""count":null,"count":1"#,
        r#""x":1,"x":1"#,
        r#""x":1,"\u0078":1"#,
        r#""count":1,"c\u006funt":1"#,
        r#""a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"a":1"#,
        r#""x":"\ud800""#,
        r#""x":"\udc00\ud800""#,
        r#""x":"\ud800\u0041""#,
        r#""\ud800":1"#,
        r#""x":"\x""#,
        r#""x":"\u12""#,
        "\"x\":\"a\nb\"",
        "\"x\":\"a\u{1}b\"",
        "\"x\n\":1",
        r#""x":nul"#,
        r#""x":[1,]"#,
        r#""x":{"a":1,}"#,
        r#""x":{"a"}"#,
        r#""x":{a:1}"#,
        r#""x":[1 2]"#,
        r#""x":"#,
        r#""x":1e400"#,
        r#""x":1e99999999999999999999"#,
        r#""x":-"#,
        r#""x":00"#,
        r#""x":1]"#,
        r#""x":[}"#,
        r#""x":[1}"#,
        r#""x" 1"#,
        r#","#,
        r#""kind":"tool_call""#,
        r#""kind":null"#,
    ] {
        let last = format!("{{{REQUIRED},{members},\"kind\":\"tool_call\"}}");
        for json in [event(members), last] {
            assert_eq!(readers.came(json.as_bytes()), Came::Rejected, "{json}");
        }
    }
    let data = format!("{{{REQUIRED}}}");
    for json in [
        "",
        " ",
        "5",
        "[]",
        "{",
        "{}",
        "{\"kind\"",
        "{\"kind\":\"tool_call",
        "{\"kind\":\"tool_call\"",
        "{\"kind\":\"tool_call\"}",
        "{\"kind\":\"tool_call\",}",
        "{\"kind\":\"tool_cal\"}",
        "{\"kind\":5}",
        "\u{feff}{}",
        &format!("{} x", event("")),
        &format!("{}{}", event(""), event("")),
        &format!("{{{REQUIRED}}}"),
        &event("").replace("refund", "refun"),
        &event("").replace("refund", "Refund"),
        &event("").replace("\"customer\":\"c\"", "\"customer\":null"),
        &event("").replace("\"customer\":\"c\"", "\"customer\":5"),
        &event("").replace("0.4", "1.00001"),
        &event("").replace("0.4", "-0.00001"),
        &envelope(&data, "").replace("1.0", "0.3"),
        &envelope(&data, "").replace("\"1.0\"", "1.0"),
        &envelope(&data, "").replace("\"1.0\"", "null"),
        &envelope(&data, ",\"data_base64\":\"\""),
        &envelope(&data, ",\"kind\":\"tool_cal\""),
        &envelope(&data, ",\"id\":\"e\""),
        &envelope("[]", ""),
        &envelope("null", ""),
        &envelope("{\"evidence\":5}", ""),
    ] {
        assert_eq!(readers.came(json.as_bytes()), Came::Rejected, "{json}");
    }
}

#[test]
fn bytes_are_utf_8() {
    let mut readers = readers();
    let good = event("\"x\":\"a\",\"\u{e9}\":1,\"id\":\"\u{1f642}\"");
    assert_eq!(readers.came(good.as_bytes()), Came::Same);
    for place in 0..good.len() {
        for bad in [0xc0, 0xed, 0xff] {
            let mut bytes = good.clone().into_bytes();
            bytes[place] = bad;
            assert_eq!(readers.came(&bytes), Came::Rejected);
        }
    }
}

#[test]
fn bounds_have_their_edges() {
    let mut readers = readers();
    let id = |n: usize| event(&format!("\"id\":\"{}\"", "x".repeat(n)));
    assert_eq!(readers.came(id(256).as_bytes()), Came::Same);
    assert_eq!(readers.came(id(257).as_bytes()), Came::Rejected);

    // The root is the first level.
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for (before, after) in [("\"x\":", ""), ("\"evidence\":{\"x\":", "}")] {
            let nested = |n: usize| {
                let (open, close) = (open.repeat(n), close.repeat(n));
                event(&format!("{before}{open}1{close}{after}"))
            };
            let most = 63 - after.len();
            assert_eq!(readers.came(nested(most).as_bytes()), Came::Same);
            assert_eq!(readers.came(nested(most + 1).as_bytes()), Came::Rejected);
        }
    }
    let all = event(r#""tags":["a"],"tenant":{},"prices":[{"amount":1,"currency":"USD"}]"#);
    for depth in 0..4 {
        readers.limits.event_depth = depth;
        let wanted = if depth == 3 {
            Came::Same
        } else {
            Came::Rejected
        };
        assert_eq!(readers.came(all.as_bytes()), wanted, "{depth}");
    }
    readers.limits.event_depth = usize::MAX;
    let nested = |n: usize| event(&format!("\"x\":{}{}", "[".repeat(n), "]".repeat(n)));
    assert_eq!(readers.came(nested(511).as_bytes()), Came::Same);
    assert_eq!(readers.came(nested(512).as_bytes()), Came::Rejected);
    assert_eq!(readers.came(nested(400_000).as_bytes()), Came::Rejected);

    readers.limits = Limits::default();
    let number = |n: usize| event(&format!("\"x\":{}", "9".repeat(n)));
    assert_eq!(readers.came(number(400).as_bytes()), Came::Same);
    assert_eq!(readers.came(number(401).as_bytes()), Came::Rejected);

    let evidence = r#"{"x":"yyyy"}"#;
    let json = event(&format!("\"evidence\":{evidence}"));
    let (total, rest) = (json.len(), json.len() - evidence.len());
    for (event_total_bytes, event_bytes, came) in [
        (total, rest, Came::Same),
        (total - 1, rest, Came::Rejected),
        (total, rest - 1, Came::Rejected),
    ] {
        readers.limits = Limits {
            event_bytes,
            event_total_bytes,
            ..Limits::default()
        };
        assert_eq!(readers.came(json.as_bytes()), came);
    }
}

#[test]
fn rare_forms_are_left_and_never_misread() {
    let mut readers = readers();
    for members in [
        r#""x":1e100"#,
        r#""\u0078":1"#,
        r#""amount":0.1234567890123456789"#,
        r#""tenant.source":"a""#,
        r#""do":{"tted":"a"}"#,
    ] {
        let json = event(members);
        assert_eq!(readers.came(json.as_bytes()), Came::Left, "{json}");
    }
    for members in [
        r#""big":9223372036854775807"#,
        r#""at":"2300-01-01T00:00:00Z""#,
    ] {
        let json = event(members);
        assert_eq!(readers.came(json.as_bytes()), Came::Unheld, "{json}");
    }
}

/// What one matrix taught a buffer means nothing for the next.
#[test]
fn one_buffer_reads_for_many_matrices() {
    let mut quick = Slots::default();
    let plan = Plan {
        lanes: 1..=2,
        messy: false,
        ..Plan::default()
    };
    let all: Vec<_> = (0..6)
        .map(|seed| generate::matrix(seed, &plan).matrix())
        .collect();
    let programs: Vec<_> = all.iter().map(compile).collect();
    let limits = Limits::default();
    for round in 0..50 {
        for (matrix, program) in all.iter().zip(&programs) {
            let json = Events::new(matrix, round).valid();
            let bytes = json.as_bytes();
            let layout = &program.layout;
            let event = read(bytes, &matrix.schema, &limits, received()).unwrap();
            let mut slow = Slots::default();
            if slow.fill(layout, &event).is_ok() {
                quick.read(bytes, layout, &limits, received()).unwrap();
                assert_eq!(quick.plain(layout, bytes), slow.plain(layout, &[]));
            }
        }
    }
}
