//! The action digest: what exactly was decided on, as 64 hexadecimal digits.
//!
//! In: the members of an event, or its bytes. Out: a SHA-256 in lower case hex.
//! Invariant: no schema is needed, so that a client in any language can compute it; what an event
//! is sent with for people (evidence) and what only names the message (id, time) does not count.
//!
//! # The rules
//! `tests/data/action_digest.json` has vectors for all of them.
//!
//! 1. **Parse** the bytes as strict JSON (RFC 8259, UTF-8, no byte order mark). If that fails, or
//!    if anywhere in the event, its evidence included, an object has one name twice (compared
//!    after unescaping), a text or name has half of a surrogate pair, a number takes more than
//!    [`NUMBER_CHARS`](crate::limits::NUMBER_CHARS) characters in plain notation, or if the event
//!    is over the limit of bytes or depth (1 MiB with its evidence, and 64, unless an operator set
//!    others): the digest is the SHA-256 of the bytes as they came. The bound of the bytes
//!    without the evidence does not matter here.
//! 2. **Remove**, at the root of an object only: `id`, `at` and `evidence`. If the object has a
//!    `specversion` and no `kind` (a `null` is the same as no member), it is a CloudEvents
//!    envelope: remove `id` and `time` at its root and `evidence` in its `data` instead.
//!    Everything else counts: `kind`, undeclared members, the other attributes of an envelope. No
//!    defaults are filled in. JSON that is no object is taken whole.
//! 3. **Print** what is left without white space:
//!    - objects with their members sorted by name, by code point (not by UTF-16 unit); members
//!      that are `null` are dropped at every depth, after step 2; an object may end up empty and
//!      stays;
//!    - arrays in their order; a `null` in an array stays;
//!    - texts with the escapes `\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t`, the other characters below
//!      U+0020 as `\u00xx` in lower case, and everything else as itself in UTF-8, not normalised;
//!    - numbers as the shortest exact plain decimal: no exponent, no plus, no zeros in front of the
//!      first digit before the point or behind the last digit after it, no point without digits;
//!      `1e4`, `10000.0` and `10000` give `10000`; zero has no sign;
//!    - `true`, `false`, `null`.
//! 4. **Hash** the UTF-8 bytes of the text.
//!
//! Money is not understood here: `12.5`, `{"amount": 12.5, "currency": "USD"}` and
//! `{"amount": "12.50", "currency": "USD"}` are three contents with three digests.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::event::{Event, Json, Unreadable, UnreadableBody};
use crate::hex;

impl Event {
    /// The digest of what is to be decided, by the rules of [this module](self).
    #[must_use]
    pub fn action_digest(&self) -> String {
        hex::of(&of_json(&self.body))
    }
}

impl Unreadable {
    /// The digest of what came in, by the rules of [this module](self).
    #[must_use]
    pub fn action_digest(&self) -> String {
        match &self.body {
            UnreadableBody::Json(body) => hex::of(&of_json(body)),
            UnreadableBody::Bytes(digest) => hex::of(digest),
        }
    }
}

/// The hash of a canonical text.
fn of_json(json: &Json) -> [u8; 32] {
    // PERF: one text is hashed sooner than its many pieces.
    of_bytes(json.canonical().as_bytes())
}

/// The hash of bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The hash of a text in hex: of what is only compared, and not to be read.
#[must_use]
pub fn of_text(text: &str) -> String {
    hex::of(&of_bytes(text.as_bytes()))
}

/// The canonical length of a tree in bytes.
pub(super) fn length(json: &Json) -> usize {
    struct Count(usize);
    impl fmt::Write for Count {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut count = Count(0);
    let _ = json.write_canonical(&mut count);
    count.0
}
