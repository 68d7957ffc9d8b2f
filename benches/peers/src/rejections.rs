//! Holds the checking scanner against Laneway's reader: they take the same events and refuse the
//! same ones. Otherwise its row would be no measure of Laneway's.

use laneway::Limits;
use laneway::check::{Options, check_text};
use laneway::clock::Timestamp;
use laneway::event::read;

use crate::hand::scan::scan;
use crate::hand::strict::Spare;
use crate::workload::{Presence, Workload, json, matrix};

/// A part of an event's JSON and what stands in its place, with whether the event is still one.
const CHANGES: [(&str, &str, bool); 50] = [
    ("{\"kind\"", " { \"kind\" ", true),
    ("\"attempts\":", "\"attempts\" : \n", true),
    ("{\"kind\":\"tool_call\"", "{\"kind\":\"other\"", false),
    ("{\"kind\":\"tool_call\",", "{", false),
    (
        "\"kind\":\"tool_call\",",
        "\"kind\":\"tool_call\",\"kind\":\"tool_call\",",
        false,
    ),
    ("\"agent\":", "\"agent\":\"x\",\"agent\":", false),
    ("\"agent\":", "\"other\":1,\"agent\":", true),
    ("\"agent\":", "\"other\":1,\"other\":2,\"agent\":", false),
    (
        "\"agent\":",
        "\"other\":{\"a\":1,\"a\":2},\"agent\":",
        false,
    ),
    (
        "\"agent\":",
        "\"other\":{\"a\":[1,-2.5e3,\"x\",null,true,{}]},\"agent\":",
        true,
    ),
    ("\"agent\":", "\"other\":[1,],\"agent\":", false),
    ("\"agent\":", "\"other\":{\"a\":1,},\"agent\":", false),
    ("\"agent\":", "\"other\":01,\"agent\":", false),
    ("\"agent\":", "\"other\":nul,\"agent\":", false),
    ("\"agent\":", "\"evidence\":{\"a\":1},\"agent\":", true),
    ("\"agent\":", "\"evidence\":1,\"agent\":", false),
    ("\"agent\":", "\"agent\":null,\"x\":", false),
    ("\"agent\":\"", "\"agent\":\"\\u00e9\\n", true),
    ("\"agent\":\"", "\"agent\":\"\\x", false),
    ("\"agent\":\"", "\"agent\":\"\\ud800", false),
    ("\"agent\":\"", "\"agent\":\"\t", false),
    ("\"agent\":\"", "\"agent\":\"é", true),
    ("\"agent\":\"", "\"agent\":5,\"x\":\"", false),
    ("\"id\":\"", "\"id\":\"\",\"x\":\"", false),
    ("\"id\":\"", "\"y\":\"", true),
    ("\"at\":\"2026-11-", "\"at\":\"2026-13-", false),
    (
        "\"at\":\"2026-11-",
        "\"at\":\"2025-02-29T10:00:00Z\",\"x\":\"",
        false,
    ),
    (
        "\"at\":\"2026-11-",
        "\"at\":\"2024-02-29T10:00:00.123+01:00\",\"x\":\"",
        true,
    ),
    (
        "\"at\":\"2026-11-",
        "\"at\":\"2024-02-29T10:00:00\",\"x\":\"",
        false,
    ),
    (
        "\"at\":\"2026-11-",
        "\"at\":\"2024-02-29T24:00:00Z\",\"x\":\"",
        false,
    ),
    ("\"at\":\"2026-11-", "\"y\":\"", true),
    ("\"role\":\"", "\"role\":\"x", false),
    ("\"role\":\"", "\"role\":\"support_agents\",\"x\":\"", false),
    ("\"source\":\"", "\"x\":\"", false),
    ("\"source\":\"", "\"source\":\"a\",\"source\":\"", false),
    ("\"source\":\"", "\"z\":1,\"z\":1,\"source\":\"", false),
    ("\"tenant\":{", "\"tenant\":{},\"x\":{", false),
    ("\"tenant\":{", "\"tenant\":1,\"x\":{", false),
    ("\"amount\":", "\"amount\":-1,\"x\":", false),
    ("\"amount\":", "\"amount\":1000000,\"x\":", true),
    ("\"amount\":", "\"amount\":1000000.01,\"x\":", false),
    ("\"amount\":", "\"amount\":1e3,\"x\":", true),
    ("\"amount\":", "\"amount\":1.,\"x\":", false),
    (
        "\"amount\":",
        "\"amount\":0.00000000000000000000000000001,\"x\":",
        false,
    ),
    ("\"amount\":", "\"amount\":\"5\",\"x\":", false),
    ("\"attempts\":", "\"attempts\":5.0,\"x\":", true),
    ("\"attempts\":", "\"attempts\":5.5,\"x\":", false),
    ("\"confidence\":", "\"confidence\":1.0001,\"x\":", false),
    ("}", "}}", false),
    ("\"tokens\"", "\"token\"", false),
];

pub fn check() {
    let workload = Workload::new(5, crate::data::SEED);
    let text = matrix(&workload.lanes, Presence::Required);
    let loaded = check_text("workload.lane", &text, &Options::default());
    let schema = &loaded.matrix.expect("the workload checks").schema;
    let good = json(&workload.events(1)[0]);
    let mut cases: Vec<(Vec<u8>, bool)> = vec![(good.clone().into_bytes(), true)];
    for (from, to, readable) in CHANGES {
        assert!(good.contains(from), "{from}");
        cases.push((good.replacen(from, to, 1).into_bytes(), readable));
    }
    for length in [1, good.len() / 2, good.len() - 1] {
        cases.push((good.as_bytes()[..length].to_vec(), false));
    }
    let mut broken = good.clone().into_bytes();
    let message = good.find("\"message\":\"").expect("there is a message");
    broken[message + 12] = 0xff;
    cases.push((broken, false));
    for (depth, readable) in [(63, true), (64, false)] {
        let deep = format!(
            "\"other\":{}{},\"agent\":",
            "[".repeat(depth),
            "]".repeat(depth)
        );
        cases.push((good.replacen("\"agent\":", &deep, 1).into_bytes(), readable));
    }
    let long = format!("\"other\":\"{}\",\"agent\":", "x".repeat(256 << 10));
    cases.push((good.replacen("\"agent\":", &long, 1).into_bytes(), false));
    for (bytes, readable) in cases {
        let limits = Limits::default();
        let ours = read(&bytes, schema, &limits, Timestamp::UNIX_EPOCH).is_ok();
        let spare = Spare::default();
        let theirs = scan::<true>(&bytes, &spare).is_some();
        let text = String::from_utf8_lossy(&bytes);
        let text = text.get(..400).unwrap_or(&text);
        assert_eq!(ours, readable, "Laneway: {text}");
        assert_eq!(theirs, readable, "the scanner: {text}");
    }
}
