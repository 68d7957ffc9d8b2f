//! A scanner of this one event type, written by hand: bytes to a [`Call`] in one pass.
//!
//! In: an event's JSON. Out: a [`Call`] whose texts are ranges of the input.
//! `scan::<false>` checks nothing: it takes for granted that the input is an event, that no text has
//! an escape, that no member comes twice. `scan::<true>` is the same scanner with every rejection
//! that Laneway has (see `strict`): what it reads, Laneway reads, and the other way round.

use super::call::{Call, REGIONS, ROLES, Region, Role, SENTIMENTS, Sentiment};
use super::strict::{self, Spare};

/// The first eight bytes of a name, as one number.
const fn code(name: &[u8]) -> u64 {
    let mut word = 0;
    let mut at = 0;
    while at < 8 && at < name.len() {
        word |= (name[at] as u64) << (8 * at);
        at += 1;
    }
    word
}

/// The same of a text that lies in the input.
#[inline]
fn code_in(bytes: &[u8], start: usize, length: usize) -> u64 {
    let Some(chunk) = bytes.get(start..).and_then(|rest| rest.first_chunk::<8>()) else {
        return code(&bytes[start..start + length]);
    };
    let word = u64::from_le_bytes(*chunk);
    match length {
        0 => 0,
        1..8 => word & (u64::MAX >> (64 - 8 * length)),
        _ => word,
    }
}

macro_rules! codes {
    ($($name:ident = $text:literal),* $(,)?) => {
        $(const $name: u64 = code($text);)*
    };
}

codes! {
    KIND = b"kind", ID = b"id", AT = b"at", EVIDENCE = b"evidence",
    AGENT = b"agent", TOOL = b"tool", WORKFLOW = b"workflow", TENANT = b"tenant",
    ROLE = b"role", SENTIMENT = b"sentiment", REGION = b"region", RESOURCE = b"resource",
    MESSAGE = b"message", AMOUNT = b"amount", CONFIDENCE = b"confidence", ATTEMPTS = b"attempts",
    TOKENS = b"tokens", SOURCE = b"source", TARGET = b"target",
}

/// Names in the order of their bits in [`Scanner::given`].
const NAMES: [&[u8]; 20] = [
    b"kind",
    b"agent",
    b"tool",
    b"workflow",
    b"role",
    b"sentiment",
    b"region",
    b"resource",
    b"message",
    b"amount",
    b"confidence",
    b"attempts",
    b"tokens",
    b"source",
    b"target",
    b"id",
    b"at",
    b"evidence",
    b"tenant",
    b"",
];
/// Whether a name with the code of a member is that member: control characters are refused before,
/// so up to eight bytes the code and the length say it.
#[inline]
fn is_named(name: &[u8], bit: usize) -> bool {
    let declared = NAMES[bit];
    name.len() == declared.len() && (name.len() <= 8 || name[8..] == declared[8..])
}

/// The first 15 are required.
const REQUIRED: u32 = (1 << 15) - 1;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;

pub(super) struct Scanner<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// Whether a byte was not ASCII.
    pub(super) wide: u64,
    pub(super) spare: &'a Spare,
    /// Members that were there, and those that had a value.
    named: u32,
    given: u32,
    evidence: usize,
}

/// Reads an event; `None` where it is none.
#[inline]
pub fn scan<'a, const STRICT: bool>(bytes: &'a [u8], spare: &'a Spare) -> Option<Call<'a>> {
    if STRICT && bytes.len() > strict::TOTAL_BYTES {
        return None;
    }
    let mut scanner = Scanner {
        bytes,
        at: 0,
        wide: 0,
        spare,
        named: 0,
        given: 0,
        evidence: 0,
    };
    let mut call = Call::default();
    scanner.root::<STRICT>(&mut call)?;
    if STRICT {
        scanner.space();
        let complete = scanner.given & REQUIRED == REQUIRED;
        let small = bytes.len() - scanner.evidence <= strict::EVENT_BYTES;
        if scanner.at != bytes.len() || !complete || !small {
            return None;
        }
        if scanner.wide & HIGH != 0 {
            std::str::from_utf8(bytes).ok()?;
        }
    }
    Some(call)
}

impl<'a> Scanner<'a> {
    fn root<const STRICT: bool>(&mut self, call: &mut Call<'a>) -> Option<()> {
        let mut others = Vec::new();
        self.open::<STRICT>()?;
        if STRICT && self.empty() {
            return Some(());
        }
        loop {
            let (name, key) = self.name::<STRICT>()?;
            let bit = match key {
                KIND => 0,
                AGENT => 1,
                TOOL => 2,
                WORKFLOW => 3,
                ROLE => 4,
                SENTIMENT => 5,
                REGION => 6,
                RESOURCE => 7,
                MESSAGE => 8,
                AMOUNT => 9,
                CONFIDENCE => 10,
                ATTEMPTS => 11,
                TOKENS => 12,
                ID => 15,
                AT => 16,
                EVIDENCE => 17,
                TENANT => 18,
                _ => 19,
            };
            if STRICT && (bit == 19 || !is_named(name, bit)) {
                self.other(name, &mut others)?;
            } else if !STRICT || self.has_value(bit)? {
                match key {
                    KIND => call.kind = self.kind::<STRICT>()?,
                    ID => call.id = self.id::<STRICT>()?,
                    AT => call.at = self.instant::<STRICT>()?,
                    AGENT => call.agent = self.text::<STRICT>()?,
                    TOOL => call.tool = self.text::<STRICT>()?,
                    WORKFLOW => call.workflow = self.text::<STRICT>()?,
                    TENANT => self.tenant::<STRICT>(call)?,
                    ROLE => call.role = role::<STRICT>(self.text::<STRICT>()?)?,
                    SENTIMENT => call.sentiment = sentiment::<STRICT>(self.text::<STRICT>()?)?,
                    REGION => call.region = region::<STRICT>(self.text::<STRICT>()?)?,
                    RESOURCE => call.resource = self.text::<STRICT>()?,
                    MESSAGE => call.message = self.text::<STRICT>()?,
                    AMOUNT => call.amount = self.number::<STRICT>(1_000_000, false)?,
                    CONFIDENCE => call.confidence = self.number::<STRICT>(1, false)?,
                    ATTEMPTS => call.attempts = self.number::<STRICT>(1_000, true)?,
                    TOKENS => call.tokens = self.number::<STRICT>(200_000, true)?,
                    EVIDENCE if STRICT => self.evidence = self.evidence()?,
                    _ => strict::skip(self, 2)?,
                }
            }
            if !self.more::<STRICT>()? {
                return Some(());
            }
        }
    }

    fn tenant<const STRICT: bool>(&mut self, call: &mut Call<'a>) -> Option<()> {
        let mut others = Vec::new();
        self.open::<STRICT>()?;
        if STRICT && self.empty() {
            return Some(());
        }
        loop {
            let (name, key) = self.name::<STRICT>()?;
            let bit = match key {
                SOURCE => 13,
                TARGET => 14,
                _ => 19,
            };
            if STRICT && (bit == 19 || !is_named(name, bit)) {
                if others.contains(&name) {
                    return None;
                }
                others.push(name);
                strict::skip(self, 3)?;
            } else if !STRICT || self.has_value(bit)? {
                match key {
                    SOURCE => call.tenant.source = self.text::<STRICT>()?,
                    TARGET => call.tenant.target = self.text::<STRICT>()?,
                    _ => strict::skip(self, 3)?,
                }
            }
            if !self.more::<STRICT>()? {
                return Some(());
            }
        }
    }

    /// A member that is no field.
    #[cold]
    fn other(&mut self, name: &'a [u8], others: &mut Vec<&'a [u8]>) -> Option<()> {
        if others.contains(&name) {
            return None;
        }
        others.push(name);
        strict::skip(self, 2)
    }

    /// Notes a member; false where it is `null`.
    #[inline]
    fn has_value(&mut self, bit: usize) -> Option<bool> {
        let bit = 1 << bit;
        if self.named & bit != 0 {
            return None;
        }
        self.named |= bit;
        if self.byte() == b'n' {
            strict::literal(self, b"null")?;
            return Some(false);
        }
        self.given |= bit;
        Some(true)
    }

    #[cold]
    fn evidence(&mut self) -> Option<usize> {
        let start = self.at;
        if self.byte() != b'{' {
            return None;
        }
        strict::skip(self, 2)?;
        Some(self.at - start)
    }

    fn kind<const STRICT: bool>(&mut self) -> Option<&'a str> {
        let kind = self.text::<STRICT>()?;
        (!STRICT || kind == "tool_call").then_some(kind)
    }

    fn id<const STRICT: bool>(&mut self) -> Option<&'a str> {
        let id = self.text::<STRICT>()?;
        (!STRICT || (1..=strict::ID_BYTES).contains(&id.len())).then_some(id)
    }

    fn instant<const STRICT: bool>(&mut self) -> Option<&'a str> {
        let at = self.text::<STRICT>()?;
        (!STRICT || strict::is_instant(at)).then_some(at)
    }

    #[inline]
    pub(super) fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn space(&mut self) {
        while matches!(self.byte(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    #[inline]
    fn open<const STRICT: bool>(&mut self) -> Option<()> {
        self.space();
        if STRICT && self.byte() != b'{' {
            return None;
        }
        self.at += 1;
        Some(())
    }

    fn empty(&mut self) -> bool {
        self.space();
        let empty = self.byte() == b'}';
        self.at += usize::from(empty);
        empty
    }

    /// A member's name and the colon behind it.
    #[inline]
    pub(super) fn name<const STRICT: bool>(&mut self) -> Option<(&'a [u8], u64)> {
        self.space();
        let start = self.at + 1;
        let name = self.text::<STRICT>()?.as_bytes();
        // A name with an escape is not where it was read.
        let key = match name.len() + start + 1 == self.at {
            true => code_in(self.bytes, start, name.len()),
            false => code(name),
        };
        self.space();
        if STRICT && self.byte() != b':' {
            return None;
        }
        self.at += 1;
        self.space();
        Some((name, key))
    }

    /// Whether another member follows.
    #[inline]
    pub(super) fn more<const STRICT: bool>(&mut self) -> Option<bool> {
        self.space();
        let byte = self.byte();
        self.at += 1;
        match byte {
            b',' => Some(true),
            b'}' => Some(false),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn text<const STRICT: bool>(&mut self) -> Option<&'a str> {
        if STRICT && self.byte() != b'"' {
            return None;
        }
        let start = self.at + 1;
        let mut at = start;
        loop {
            let Some(chunk) = self
                .bytes
                .get(at..)
                .and_then(|rest| rest.first_chunk::<8>())
            else {
                return self.tail::<STRICT>(start, at);
            };
            let word = u64::from_le_bytes(*chunk);
            let quote = word ^ (LOW * b'"' as u64);
            let mut hit = quote.wrapping_sub(LOW) & !quote;
            if STRICT {
                let escape = word ^ (LOW * b'\\' as u64);
                hit |= escape.wrapping_sub(LOW) & !escape;
                hit |= word.wrapping_sub(LOW * 0x20) & !word;
                self.wide |= word;
            }
            hit &= HIGH;
            if hit != 0 {
                at += hit.trailing_zeros() as usize / 8;
                return self.ended::<STRICT>(start, at);
            }
            at += 8;
        }
    }

    #[inline]
    fn ended<const STRICT: bool>(&mut self, start: usize, end: usize) -> Option<&'a str> {
        if STRICT && self.bytes[end] != b'"' {
            return strict::escaped(self, start, end);
        }
        self.at = end + 1;
        // SAFETY: the checking scanner looks at the whole input once more where a byte of it is not
        // ASCII, and gives nothing of it away before; the other one takes UTF-8 for granted, as it
        // takes everything: the limit that others are measured against.
        Some(unsafe { std::str::from_utf8_unchecked(&self.bytes[start..end]) })
    }

    #[cold]
    fn tail<const STRICT: bool>(&mut self, start: usize, mut at: usize) -> Option<&'a str> {
        while let Some(byte) = self.bytes.get(at) {
            self.wide |= u64::from(*byte);
            if *byte == b'"' || STRICT && (*byte == b'\\' || *byte < b' ') {
                return self.ended::<STRICT>(start, at);
            }
            at += 1;
        }
        None
    }

    /// A number of 0 to `largest`.
    #[inline]
    fn number<const STRICT: bool>(&mut self, largest: u64, whole: bool) -> Option<f64> {
        const POWERS: [u64; 13] = {
            let mut powers = [1; 13];
            let mut at = 1;
            while at < 13 {
                powers[at] = powers[at - 1] * 10;
                at += 1;
            }
            powers
        };
        let start = self.at;
        let mut value = 0u64;
        while let digit @ 0..=9 = self.byte().wrapping_sub(b'0') {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        let units = self.at - start;
        let mut places = 0;
        if self.byte() == b'.' {
            self.at += 1;
            while let digit @ 0..=9 = self.byte().wrapping_sub(b'0') {
                value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
                self.at += 1;
                places += 1;
            }
        }
        if STRICT {
            let plain = units > 0
                && (units == 1 || self.bytes[start] != b'0')
                && units + places <= 18
                && places < POWERS.len()
                && (places > 0 || self.bytes[self.at - 1] != b'.')
                && !matches!(self.byte(), b'e' | b'E');
            if !plain {
                self.at = start;
                return strict::number(self, largest, whole);
            }
            if value > largest * POWERS[places] || whole && !value.is_multiple_of(POWERS[places]) {
                return None;
            }
        }
        if places == 0 {
            return Some(value as f64);
        }
        Some(value as f64 / POWERS[places.min(12)] as f64)
    }
}

fn role<const STRICT: bool>(word: &str) -> Option<Role> {
    codes! {
        SUPPORT = b"support_", OPERATIONS = b"operatio", FINANCE = b"finance_",
        AUDIT = b"audit_ag", SALES = b"sales_ag", RESEARCH = b"research",
    }
    let role = match code_in(word.as_bytes(), 0, word.len()) {
        SUPPORT => 0,
        OPERATIONS => 1,
        FINANCE => 2,
        AUDIT => 3,
        SALES => 4,
        RESEARCH => 5,
        _ => return None,
    };
    let words = crate::workload::Word::Role.words();
    (!STRICT || words[role] == word).then_some(ROLES[role])
}

fn sentiment<const STRICT: bool>(word: &str) -> Option<Sentiment> {
    codes! { CALM = b"calm", UPSET = b"upset", HOSTILE = b"hostile", UNCLEAR = b"unclear" }
    let sentiment = match code(word.as_bytes()) {
        CALM => 0,
        UPSET => 1,
        HOSTILE => 2,
        UNCLEAR => 3,
        _ => return None,
    };
    let words = crate::workload::Word::Sentiment.words();
    (!STRICT || words[sentiment] == word).then_some(SENTIMENTS[sentiment])
}

fn region<const STRICT: bool>(word: &str) -> Option<Region> {
    codes! {
        EU_WEST = b"eu_west", EU_NORTH = b"eu_north", US_EAST = b"us_east", US_WEST = b"us_west",
        AP_SOUTH = b"ap_south",
    }
    let region = match code(word.as_bytes()) {
        EU_WEST => 0,
        EU_NORTH => 1,
        US_EAST => 2,
        US_WEST => 3,
        AP_SOUTH => 4,
        _ => return None,
    };
    let words = crate::workload::Word::Region.words();
    (!STRICT || words[region] == word).then_some(REGIONS[region])
}
