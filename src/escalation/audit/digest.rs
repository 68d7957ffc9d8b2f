//! Digests and salts, and how the parts of a record become bytes.
//!
//! In: the parts of a record, in their order. Out: their SHA-256.
//! Invariant: two different sequences of parts are different bytes, because each part has a fixed
//! length or says its own.
//! Knows nothing of what is hashed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::clock::Timestamp;
use crate::hex;

/// A SHA-256: 32 bytes, shown and serialized as 64 hexadecimal digits in lower case. The default is
/// zeros, which stand before the start of every chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

/// What makes the digest of a payload unguessable: 16 random bytes, new for each payload, shown and
/// serialized as 32 hexadecimal digits in lower case. It is erased with its payload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Salt(pub [u8; 16]);

/// Why a text is not a digest or a salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HexError {
    /// Too many characters or too few.
    #[error("expected {expected} hexadecimal digits, found {found} bytes")]
    Length {
        /// How many there must be.
        expected: usize,
        /// How many bytes the text has.
        found: usize,
    },
    /// Something other than a digit, or a digit in upper case: a digest has one form.
    #[error("a hexadecimal digit is one of `0` to `9` and `a` to `f`")]
    Digit,
}

macro_rules! hexadecimal {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::of(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                bytes(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

hexadecimal!(Digest);
hexadecimal!(Salt);

/// The bytes that a text of hexadecimal digits stands for.
fn bytes<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    if text.len() != 2 * N {
        return Err(HexError::Length {
            expected: 2 * N,
            found: text.len(),
        });
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        for digit in pair {
            *byte = (*byte << 4) | nibble(*digit).ok_or(HexError::Digit)?;
        }
    }
    Ok(out)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// What is hashed, part by part, in the encoding that [`audit`](super) spells out.
pub(super) struct Parts(Sha256);

impl Parts {
    /// Begins with the text that says what is hashed, and in which version of its form.
    pub(super) fn of(tag: &str) -> Self {
        Self(Sha256::new()).text(tag)
    }

    /// Begins with a byte in front of that text, as the leaves of a Merkle tree do.
    pub(super) fn behind(prefix: u8, tag: &str) -> Self {
        Self(Sha256::new()).raw(&[prefix]).text(tag)
    }

    /// Bytes whose number is known.
    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.update(bytes);
        self
    }

    pub(super) fn number(self, number: u64) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(super) fn instant(self, at: Timestamp) -> Self {
        self.raw(&at.timestamp_micros().to_be_bytes())
    }

    pub(super) fn text(self, text: &str) -> Self {
        // A length has at most 64 bits on every machine that there is.
        self.number(text.len() as u64).raw(text.as_bytes())
    }

    pub(super) fn digest(self, digest: Digest) -> Self {
        self.raw(&digest.0)
    }

    pub(super) fn salt(self, salt: Salt) -> Self {
        self.raw(&salt.0)
    }

    pub(super) fn hash(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}
