//! What a token says of a person.
//!
//! In: a token that was verified. Out: the name of the person.
//! Invariant: an address of e-mail names a person only where the provider vouches for it: anybody may write
//! any address into a profile.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::SignOnError;
use crate::files::config::EMAIL;

/// The name that a claim has for a person. The token is one that was verified.
pub(super) fn named(token: &str, claim: &str) -> Result<String, SignOnError> {
    let claims = claims(token).ok_or(SignOnError::Untrue)?;
    let nameless = || SignOnError::Nameless(claim.to_owned());
    let name = claims.get(claim).and_then(Value::as_str);
    let name = name.ok_or_else(nameless)?;
    if claim == EMAIL && !claims.get("email_verified").is_some_and(is_yes) {
        return Err(SignOnError::Unverified);
    }
    Ok(name.to_owned())
}

/// Some providers write it as a text.
fn is_yes(value: &Value) -> bool {
    value.as_bool() == Some(true) || value.as_str() == Some("true")
}

fn claims(token: &str) -> Option<Map<String, Value>> {
    let middle = token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(middle).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("x.{}.x", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn an_address_names_nobody_until_it_is_vouched_for() {
        let email = |claims: &str| named(&token(claims), "email");
        for yes in ["true", r#""true""#] {
            let claims = format!(r#"{{"email": "a@x", "email_verified": {yes}}}"#);
            assert_eq!(email(&claims), Ok("a@x".to_owned()));
        }
        for no in ["false", r#""false""#, "1", "null", r#""yes""#] {
            let claims = format!(r#"{{"email": "a@x", "email_verified": {no}}}"#);
            assert_eq!(email(&claims), Err(SignOnError::Unverified), "{no}");
        }
        assert_eq!(email(r#"{"email": "a@x"}"#), Err(SignOnError::Unverified));
        let nameless = SignOnError::Nameless("email".to_owned());
        assert_eq!(email(r#"{"email_verified": true}"#), Err(nameless));
        let other = named(&token(r#"{"upn": "a@x", "n": 1}"#), "upn");
        assert_eq!(other, Ok("a@x".to_owned()));
        let nameless = SignOnError::Nameless("n".to_owned());
        assert_eq!(named(&token(r#"{"n": 1}"#), "n"), Err(nameless));
        assert_eq!(named("x", "email"), Err(SignOnError::Untrue));
    }
}
