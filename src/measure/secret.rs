//! What stands for a key, an id or a value in a window: 128 bits of it, by a secret.
//!
//! In: bytes. Out: a [`Print`].
//! Invariant: the same bytes give the same print by the same secret. Two different ones give one
//! print with a chance of 2^-128, and nobody who does not know the secret can choose such a pair:
//! SipHash-1-3 with 128 bits of output.

use std::hash::{BuildHasher, Hasher, RandomState};

use siphasher::sip128::SipHasher13;

/// The key of all prints of a store of windows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; 16]);

impl Secret {
    /// One that nobody knows: of the randomness with which the standard library seeds its maps.
    #[must_use]
    pub fn random() -> Self {
        let half = || RandomState::new().build_hasher().finish().to_le_bytes();
        let mut bytes = [0; 16];
        let halves = half().into_iter().chain(half());
        bytes
            .iter_mut()
            .zip(halves)
            .for_each(|(to, from)| *to = from);
        Self(bytes)
    }

    /// A known one: of a store that is opened again.
    #[must_use]
    pub fn of(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be kept as carefully as the windows themselves.
    #[must_use]
    pub fn bytes(&self) -> [u8; 16] {
        self.0
    }

    pub(super) fn hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_key(&self.0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// 128 bits that stand for some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Print {
    pub(super) low: u64,
    pub(super) high: u64,
}

impl Print {
    #[inline]
    pub(super) fn of(hasher: &SipHasher13, bytes: &[u8]) -> Self {
        let hash = hasher.hash(bytes);
        Self {
            low: hash.h1,
            high: hash.h2,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves of a number")]
    pub(super) fn of_bytes(bytes: [u8; 16]) -> Self {
        let print = u128::from_le_bytes(bytes);
        Self {
            low: print as u64,
            high: (print >> 64) as u64,
        }
    }

    /// Its first two bytes.
    #[inline]
    pub(super) fn front(self) -> u16 {
        #[expect(clippy::cast_possible_truncation, reason = "the first bytes")]
        let front = self.low as u16;
        front
    }

    /// The eight bytes behind its front, and the last six.
    #[inline]
    pub(super) fn rest(self) -> (u64, u64) {
        (self.low >> 16 | self.high << 48, self.high >> 16)
    }

    /// The print of a front and what stands behind it.
    #[inline]
    pub(super) fn of_parts(front: u16, (low, high): (u64, u64)) -> Self {
        Self {
            low: u64::from(front) | low << 16,
            high: low >> 48 | high << 16,
        }
    }

    #[inline]
    pub(super) fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.low) | u128::from(self.high) << 64).to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_depend_on_the_bytes_and_on_the_secret() {
        let of = |secret: Secret, bytes: &[u8]| Print::of(&secret.hasher(), bytes);
        let (one, other) = (Secret::of([1; 16]), Secret::of([2; 16]));
        assert_eq!(of(one, b"a"), of(Secret::of(one.bytes()), b"a"));
        assert_ne!(of(one, b"a"), of(one, b"b"));
        assert_ne!(of(one, b"a"), of(other, b"a"));
        assert_ne!(of(one, b""), of(one, b"\0"));
        assert_ne!(Secret::random(), Secret::random());
        assert_eq!(format!("{:?}", one), "Secret");
        let print = of(one, b"a");
        assert_eq!(Print::of_parts(print.front(), print.rest()), print);
        assert_eq!(Print::of_bytes(print.to_bytes()), print);
    }
}
