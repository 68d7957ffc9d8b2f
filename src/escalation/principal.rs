//! A name of somebody who asks, answers or is asked: a person, a service or an agent.
//!
//! In: a name as a matrix, a configuration or a transport spells it. Out: a [`Principal`], the one
//! spelling under which that name is compared, counted and stored.
//! Invariant: two names that are one after normalising are equal, and a name that only looks like
//! another is none at all. Nobody has a `Principal` that was not normalised.
//! Knows nothing of who exists.
//!
//! Normalising (design, lifecycle 3): Unicode NFKC, white space at both ends cut off, lower case; what
//! is left is printable ASCII without spaces (`!` to `~`) or is refused. So `bob`, `Bob ` and `ｂｏｂ` are
//! one, and `bоb` with a Cyrillic `о` is nobody.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

use crate::event::named;
use crate::limits::PRINCIPAL_BYTES;

/// A person, a service or an agent by its normalised name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(Arc<str>);

/// Why a text names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrincipalError {
    /// There is nothing, or only white space.
    #[error("a name is empty")]
    Empty,
    /// It is longer than [`PRINCIPAL_BYTES`].
    #[error(
        "{} has {bytes} bytes; a name has at most {PRINCIPAL_BYTES}",
        named(name)
    )]
    TooLong {
        /// The name as it was given.
        name: String,
        /// How long it is when it is normalised.
        bytes: usize,
    },
    /// There is a space inside.
    #[error("{} has a space in it; a name has none", named(name))]
    Space {
        /// The name as it was given.
        name: String,
    },
    /// There is a control character inside.
    #[error("{} has the control character U+{:04X} in it", named(name), u32::from(*character))]
    Control {
        /// The name as it was given.
        name: String,
        /// The character.
        character: char,
    },
    /// There is a character outside of ASCII, also after normalising.
    #[error(
        "{} has {} (U+{:04X}) in it; a name has only the letters, digits and signs of ASCII, \
         so that no two names look alike",
        named(name),
        named(character.encode_utf8(&mut [0; 4])),
        u32::from(*character)
    )]
    NotAscii {
        /// The name as it was given.
        name: String,
        /// The first such character.
        character: char,
    },
}

impl Principal {
    /// Normalises a name.
    ///
    /// # Errors
    /// When nothing is left, or something that is no printable ASCII, or too much.
    pub fn parse(text: &str) -> Result<Self, PrincipalError> {
        let composed: String = text.nfkc().collect();
        // Lower case, not full case folding: what only the latter would bring into ASCII (`ß`, which it
        // folds to `ss`) is refused below. That is stricter: a name is never taken for another one.
        let name = composed.trim().to_lowercase();
        let given = || text.to_owned();
        if name.is_empty() {
            return Err(PrincipalError::Empty);
        }
        if name.len() > PRINCIPAL_BYTES {
            return Err(PrincipalError::TooLong {
                name: given(),
                bytes: name.len(),
            });
        }
        match name.chars().find(|c| !c.is_ascii_graphic()) {
            None => Ok(Self(Arc::from(name))),
            Some(' ') => Err(PrincipalError::Space { name: given() }),
            Some(character) if character.is_control() => Err(PrincipalError::Control {
                name: given(),
                character,
            }),
            Some(character) => Err(PrincipalError::NotAscii {
                name: given(),
                character,
            }),
        }
    }

    /// The normalised name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Deref for Principal {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Principal {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Order, equality and hash are those of the name.
impl Borrow<str> for Principal {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Principal {
    type Err = PrincipalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> String {
        Principal::parse(text).unwrap().to_string()
    }

    fn message(text: &str) -> String {
        Principal::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn spellings_of_one_name_are_one() {
        let bob = Principal::parse("bob").unwrap();
        for text in [
            "Bob ",
            "\tBOB\n",
            "ｂｏｂ",
            "ＢＯＢ\u{3000}",
            "𝐛𝐨𝐛",
            "ⓑⓞⓑ",
            "\u{a0}bob",
        ] {
            assert_eq!(Principal::parse(text).unwrap(), bob, "{text:?}");
        }
        assert_eq!(name("Maria@Acme.Example"), "maria@acme.example");
        // The sign of Kelvin, a long s and a ligature are compatible with ASCII letters.
        assert_eq!(name("\u{212a}\u{17f}ﬁ"), "ksfi");
        assert_ne!(Principal::parse("bobb").unwrap(), bob);
    }

    #[test]
    fn a_name_that_looks_like_another_is_refused() {
        assert_eq!(
            message("bоb"),
            "`bоb` has `о` (U+043E) in it; a name has only the letters, digits and signs of ASCII, \
             so that no two names look alike"
        );
        for text in [
            "straße",
            "İbo",
            "bob\u{200b}",
            "b\u{301}ob",
            "\u{a8}bob",
            "bob\u{ad}",
        ] {
            let refused = Principal::parse(text).unwrap_err();
            assert!(
                matches!(refused, PrincipalError::NotAscii { .. }),
                "{text:?}: {refused}"
            );
        }
    }

    #[test]
    fn each_reason_has_its_message() {
        assert_eq!(message(""), "a name is empty");
        assert_eq!(message(" \u{3000}\n"), "a name is empty");
        assert_eq!(
            message("bob smith"),
            "`bob smith` has a space in it; a name has none"
        );
        // A space that is none in ASCII is one when it is normalised.
        assert!(message("bob\u{2003}smith").ends_with("has a space in it; a name has none"));
        assert_eq!(
            message("bob\u{1b}[31m"),
            "`bob\\u{1b}[31m` has the control character U+001B in it"
        );
        assert_eq!(
            message("bob\u{7f}"),
            "`bob\\u{7f}` has the control character U+007F in it"
        );
        let long = message(&"x".repeat(300));
        assert!(
            long.ends_with("…` has 300 bytes; a name has at most 254"),
            "{long}"
        );
        let reordered = message("bob\u{202e}x");
        assert!(
            reordered.starts_with("`bob\\u{202e}x` has `\\u{202e}` (U+202E) in it"),
            "{reordered}"
        );
    }

    #[test]
    fn a_name_is_as_long_as_the_bound_and_no_longer() {
        let edge = "x".repeat(PRINCIPAL_BYTES);
        assert_eq!(name(&edge), edge);
        assert_eq!(name(&format!("  {edge}\n")), edge);
        // The bound is on what is stored: these have three bytes each before.
        assert_eq!(name(&"ｘ".repeat(PRINCIPAL_BYTES)), edge);
        let over = Principal::parse(&format!("{edge}x")).unwrap_err();
        assert!(matches!(over, PrincipalError::TooLong { bytes: 255, .. }));
    }

    #[test]
    fn json_is_normalised_and_refused_too() {
        let bob: Principal = serde_json::from_str("\" Bob\"").unwrap();
        assert_eq!(serde_json::to_string(&bob).unwrap(), "\"bob\"");
        let error = serde_json::from_str::<Principal>("\"b b\"").unwrap_err();
        assert!(error.to_string().starts_with("`b b` has a space in it"));
        assert_eq!("BOB".parse::<Principal>().unwrap(), bob);
    }

    /// Texts in which names are likely, with the characters that normalising is about.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{0,12}",
            "[ \t]{0,2}[a-dA-DａｂＡＢ𝐚ⓐﬁſK@.ß\u{301}\u{3000}]{0,6}[ \n]{0,2}",
            "[!-~]{1,20}",
        ]
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(text in texts()) {
            if let Ok(once) = Principal::parse(&text) {
                prop_assert_eq!(&Principal::parse(&once).unwrap(), &once);
                prop_assert!(once.bytes().all(|b| (0x21..=0x7e).contains(&b)));
                prop_assert!(!once.bytes().any(|b| b.is_ascii_uppercase()));
            }
        }

        #[test]
        fn another_spelling_is_the_same_name(text in texts()) {
            let spellings = [
                text.to_uppercase(),
                format!(" {text}\t"),
                text.nfd().collect(),
                text.nfkd().collect(),
            ];
            if let Ok(name) = Principal::parse(&text) {
                for spelling in spellings {
                    prop_assert_eq!(&Principal::parse(&spelling).unwrap(), &name);
                }
            }
        }

        #[test]
        fn wide_letters_are_the_narrow_ones(text in "[!-~]{1,20}") {
            let wide = text.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap());
            let wide: String = wide.collect();
            prop_assert_eq!(Principal::parse(&wide), Principal::parse(&text));
        }
    }
}
