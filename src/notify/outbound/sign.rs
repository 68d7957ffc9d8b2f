//! Signatures of requests, as Standard Webhooks has them.
//!
//! In: a secret, the id, instant and body of a request. Out: the value of its header `webhook-signature`.
//! Invariant: what is signed is the id, a dot, the seconds since 1970, a dot, and the body to the byte; an id
//! and an instant have no dots, so that no two requests are signed alike. A secret is in no debug output.
//!
//! The format is that of <https://github.com/standard-webhooks/standard-webhooks>, version 1.

use crate::hex;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// What a secret begins with.
const MARK: &str = "whsec_";

/// Bytes of a secret, by the specification.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What requests are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(Vec<u8>);

impl SigningSecret {
    /// Reads `whsec_` and the secret in Base64.
    ///
    /// # Errors
    /// With what a secret looks like. The text is not in it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let coded = text.strip_prefix(MARK);
        let bytes = coded.and_then(|coded| STANDARD.decode(coded).ok());
        let bytes = bytes.filter(|bytes| BYTES.contains(&bytes.len()));
        bytes
            .map(Self)
            .ok_or("a secret is `whsec_` and 24 to 64 random bytes in Base64")
    }

    /// `v1,` and the signature in Base64.
    fn sign(&self, id: &str, seconds: u64, body: &str) -> String {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// The signatures by some secrets, with spaces between them: a receiver that knows one of them is content.
#[must_use]
pub fn signatures(secrets: &[SigningSecret], id: &str, seconds: u64, body: &str) -> String {
    let all = secrets.iter().map(|secret| secret.sign(id, seconds, body));
    all.collect::<Vec<_>>().join(" ")
}

/// The id of a request that tells of a notice: the same whenever that is told of, and without the dots that
/// names of people have.
#[must_use]
pub fn message_id(notice: &str) -> String {
    let hash = Sha256::digest(notice.as_bytes());
    let half = hash.first_chunk::<16>().map_or(&hash[..], |half| half);
    format!("msg_{}", hex::of(half))
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_example_of_the_specification_is_signed_as_it_says() {
        let secret = SigningSecret::parse(SECRET).unwrap();
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
        let signed = |secrets: &[SigningSecret]| signatures(secrets, id, 1_614_265_330, body);
        assert_eq!(signed(std::slice::from_ref(&secret)), SIGNED);
        // While a secret changes both sign, the new one first.
        let new = format!("whsec_{}", STANDARD.encode([7; 32]));
        let new = SigningSecret::parse(&new).unwrap();
        let both = signed(&[new, secret]);
        let (first, second) = both.split_once(' ').unwrap();
        assert!(first.starts_with("v1,") && first != SIGNED && second == SIGNED);
    }

    #[test]
    fn a_secret_is_long_enough_and_printed_nowhere() {
        for bad in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*",
        ] {
            assert!(SigningSecret::parse(bad).is_err(), "{bad}");
        }
        let secret = SigningSecret::parse(SECRET).unwrap();
        assert_eq!(format!("{secret:?}"), "SigningSecret(..)");
    }

    #[test]
    fn the_id_of_a_request_is_stable_and_has_no_dot() {
        let one = message_id("e/asked/ann@example.com");
        assert_eq!(one, message_id("e/asked/ann@example.com"));
        assert_ne!(one, message_id("e/asked/bob@example.com"));
        assert_eq!(one.len(), 36);
        assert!(one.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    }
}
