//! The form is pinned: what is hashed byte by byte, and what an export looks like.

use sha2::Digest as _;

use super::super::{HexError, LineError, link, whole_micros};
use super::*;

/// The input of a hash, put together by hand, as another program would do it.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        let length = [0, 0, 0, 0, 0, 0, 0, u8::try_from(text.len()).unwrap()];
        self.raw(&length).raw(text.as_bytes())
    }

    fn sha256(self) -> Digest {
        Digest(sha2::Sha256::digest(&self.0).into())
    }
}

const ONE: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];
const TWO: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 2];

#[test]
fn hashes_are_those_of_the_bytes_that_the_docs_spell_out() {
    let salt = Salt(*b"0123456789abcdef");
    let payload = seal(salt, "{\"a\":1}");
    let by_hand = Bytes::default()
        .text("laneway.audit.payload/1")
        .raw(b"0123456789abcdef")
        .text("{\"a\":1}")
        .sha256();
    assert_eq!(payload, by_hand);

    // 1,000,001 microseconds: 0x0f4241.
    let instant = at("1970-01-01T00:00:01.000001Z");
    let hash = link(zeros(), "main", "e1", 1, instant, "opened", payload);
    let by_hand = Bytes::default()
        .text("laneway.audit.row/1")
        .raw(&[0; 32])
        .text("main")
        .text("e1")
        .raw(&ONE)
        .raw(&[0, 0, 0, 0, 0, 0x0f, 0x42, 0x41])
        .text("opened")
        .raw(&payload.0)
        .sha256();
    assert_eq!(hash, by_hand);

    let head = Head {
        tenant: "main".to_owned(),
        escalation: "e1".to_owned(),
        n: 1,
        hash,
    };
    let made = checkpoint(None, &[head], 2, 1, instant);
    let root = Bytes::default()
        .raw(&[0])
        .text("laneway.audit.head/1")
        .text("main")
        .text("e1")
        .raw(&ONE)
        .raw(&hash.0)
        .sha256();
    assert_eq!(made.root, root);
    let by_hand = Bytes::default()
        .text("laneway.audit.checkpoint/1")
        .raw(&ONE)
        .raw(&TWO)
        .raw(&ONE)
        .raw(&ONE)
        .raw(&root.0)
        .raw(&[0; 32])
        .raw(&[0, 0, 0, 0, 0, 0x0f, 0x42, 0x41])
        .sha256();
    assert_eq!(made.hash, by_hand);
}

#[test]
fn instants_before_1970_are_hashed_in_twos_complement() {
    let instant = at("1969-12-31T23:59:59.999999Z");
    let hash = link(zeros(), "", "", 1, instant, "", zeros());
    let by_hand = Bytes::default()
        .text("laneway.audit.row/1")
        .raw(&[0; 32])
        .text("")
        .text("")
        .raw(&ONE)
        .raw(&[0xff; 8])
        .text("")
        .raw(&[0; 32])
        .sha256();
    assert_eq!(hash, by_hand);
}

#[test]
fn heads_are_sorted_by_the_bytes_of_their_names() {
    let head = |tenant: &str, escalation: &str, n: u8| Head {
        tenant: tenant.to_owned(),
        escalation: escalation.to_owned(),
        n: 1,
        hash: Digest([n; 32]),
    };
    let sorted = [
        head("a", "é", 1),
        head("a", "\u{ffff}", 2),
        head("a", "\u{10000}", 3),
        head("aa", "a", 4),
        head("b", "", 5),
    ];
    let mut reversed = sorted.to_vec();
    reversed.reverse();
    let instant = at("2026-01-07T12:00:00Z");
    let made = checkpoint(None, &sorted, 9, 5, instant);
    assert_eq!(made, checkpoint(None, &reversed, 9, 5, instant));
    // Their order is that of their leaves: another pairing is another root.
    let mut other = sorted.to_vec();
    let (first, second) = (other[0].hash, other[1].hash);
    other[0].hash = second;
    other[1].hash = first;
    assert_ne!(made.root, checkpoint(None, &other, 9, 5, instant).root);
}

#[test]
fn parts_cannot_run_into_each_other() {
    let instant = at("2026-01-07T12:00:00Z");
    let hash =
        |tenant, escalation, kind| link(zeros(), tenant, escalation, 1, instant, kind, zeros());
    let all = [
        hash("ab", "c", "d"),
        hash("a", "bc", "d"),
        hash("abc", "", "d"),
        hash("", "abc", "d"),
        hash("a", "b", "cd"),
    ];
    for (n, one) in all.iter().enumerate() {
        assert!(!all[n + 1..].contains(one));
    }
    // A digest of one sort is none of another sort.
    assert_ne!(seal(Salt::default(), ""), hash("", "", ""));
}

#[test]
fn the_export_of_a_small_store_is_pinned() {
    let mut store = Store::small();
    store.erase(2);
    let lines: Vec<String> = store.export().iter().map(Line::to_json).collect();
    insta::assert_snapshot!("export", lines.join("\n"));
    let read: Vec<Line> = lines
        .iter()
        .map(|line| Line::parse(line).unwrap())
        .collect();
    assert_eq!(read, store.export());
    assert_eq!(verify(&read, &store.checkpoints).faults, []);
}

#[test]
fn instants_are_cut_to_what_is_hashed() {
    let odd = at("2026-01-07T12:00:00.123456789Z");
    let cut = at("2026-01-07T12:00:00.123456Z");
    assert_eq!(whole_micros(odd), cut);
    assert_eq!(
        Head::start("main", "e1").next(1, odd, "opened", zeros()).at,
        cut
    );
    assert_eq!(checkpoint(None, &[], 0, 0, odd).at, cut);
}

#[test]
fn digests_and_salts_have_one_form() {
    let digest = Digest(std::array::from_fn(|n| u8::try_from(n * 8).unwrap()));
    let text = digest.to_string();
    assert_eq!(&text[..12], "000810182028");
    assert_eq!(text.parse(), Ok(digest));
    assert_eq!(
        serde_json::to_string(&digest).unwrap(),
        format!("\"{text}\"")
    );
    let salt = Salt([0xa5; 16]);
    assert_eq!(salt.to_string().parse(), Ok(salt));
    assert_eq!(text.to_uppercase().parse::<Digest>(), Err(HexError::Digit));
    assert_eq!("é".repeat(32).parse::<Digest>(), Err(HexError::Digit));
    assert_eq!(
        text[1..].parse::<Digest>(),
        Err(HexError::Length {
            expected: 64,
            found: 63
        })
    );
    assert_eq!(
        text.parse::<Salt>().unwrap_err().to_string(),
        "expected 32 hexadecimal digits, found 64 bytes"
    );
}

#[test]
fn lines_of_another_form_are_refused() {
    let store = Store::small();
    let lines = store.export();
    let row = lines[0].to_json();
    let pin = lines
        .iter()
        .map(Line::to_json)
        .find(|line| line.contains("checkpoint"));
    let pin = pin.unwrap();
    let refused = [
        String::new(),
        "{}".to_owned(),
        "[]".to_owned(),
        format!("{row}{row}"),
        row.replace("{\"row\"", "{\"extra\":1,\"row\""),
        row.replace("\"seq\"", "\"extra\":1,\"seq\""),
        row.replace("\"salt\"", "\"extra\":1,\"salt\""),
        row.replace("\"seq\":1,", "\"seq\":1,\"seq\":1,"),
        row.replace("\"seq\":1,", ""),
        row.replace("\"seq\":1,", "\"seq\":1.0,"),
        row.replace("\"seq\":1,", "\"seq\":-1,"),
        row.replace("\"at\":\"2026-01-07T12", "\"at\":\"2026-01-07 12"),
        row.replace("\"body\"", "\"erased\":{\"at\":\"2026-01-07T12:00:00Z\",\"by\":\"\",\"why\":\"\"},\"body\""),
        row.replace("{\"row\"", &format!("{},\"row\"", pin.trim_end_matches('}'))),
        format!("{},{}", row.trim_end_matches('}'), &pin[1..]),
        pin.replace("{\"checkpoint\"", "{\"payload\":{\"salt\":\"00000000000000000000000000000000\",\"body\":\"\"},\"checkpoint\""),
    ];
    for line in refused {
        assert!(Line::parse(&line).is_err(), "{line}");
    }
    let LineError::Form { reason, column } = Line::parse("{\"row\":1}").unwrap_err();
    assert_eq!(reason, "invalid type: integer `1`, expected struct Row");
    assert_eq!(column, 8);
    // A payload that is not there is read as missing, and said to be.
    let bare = row.split(",\"payload\":{").next().unwrap().to_owned() + "}";
    let line = Line::parse(&bare).unwrap();
    assert!(matches!(
        &line,
        Line::Row {
            payload: Payload::Missing,
            ..
        }
    ));
    assert_eq!(line.to_json(), bare);
}
