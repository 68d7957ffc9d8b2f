//! How people sign in at a provider of identities: `[openid]`.
//!
//! In: the table. Out: whom to ask, and what to believe of the answer.
//! Invariant: what is asked is reached by TLS, or is on this machine; the client's secret is not in the file.
//! Knows nothing of how it is asked, nor whether this program can.

use serde::Deserialize;
use toml::Spanned;

use super::ConfigError;
use super::notify::{Secret, one_secret};
use super::source::{Place, Source};
use super::web::web_address;

/// The claim by which people are known in this file where nothing else is set.
pub const EMAIL: &str = "email";

/// Characters of what stands on the way in.
const LABEL: usize = 60;

/// Scopes that are asked for beside `openid`.
const SCOPES: usize = 20;

/// Bytes of a word that goes into a request.
const WORD: usize = 255;

/// Whom people sign in at, by OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenId {
    /// The provider's name, which is a URL; it is compared as it is.
    pub issuer: String,
    /// What the provider calls this service.
    pub client_id: String,
    /// By what this service shows there that it is it; a public client has none.
    pub client_secret: Option<Secret>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Which claim names the person.
    pub claim: String,
    /// What stands on the way in.
    pub label: String,
    /// Where the table is.
    pub place: Place,
}

/// `[openid]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenIdTable {
    issuer: Spanned<String>,
    client_id: Spanned<String>,
    client_secret_file: Option<Spanned<String>>,
    client_secret_env: Option<Spanned<String>>,
    scopes: Option<Vec<Spanned<String>>>,
    claim: Option<Spanned<String>>,
    label: Option<Spanned<String>>,
}

impl OpenIdTable {
    pub(super) fn read(self, source: &Source) -> Result<OpenId, ConfigError> {
        let secret = (&self.client_secret_file, &self.client_secret_env);
        let client_secret = one_secret(source, secret.0, secret.1, "client_secret")?;
        let place = source.place(self.issuer.span().start);
        let issuer = issuer(&self.issuer).map_err(|why| source.wrong(self.issuer.span(), why))?;
        let word = |text: Spanned<String>, what: &str| {
            let is_good = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
            let (at, text) = (text.span(), text.into_inner());
            let is_word = !text.is_empty() && text.len() <= WORD && text.chars().all(is_good);
            match is_word {
                true => Ok(text),
                false => Err(source.wrong(at, what)),
            }
        };
        let scopes = match self.scopes {
            None => vec![EMAIL.to_owned()],
            Some(scopes) => {
                if let Some(beyond) = scopes.get(SCOPES) {
                    let message = format!("at most {SCOPES} scopes");
                    return Err(source.wrong(beyond.span(), message));
                }
                let words = scopes.into_iter();
                let words = words.map(|it| word(it, "a scope is a word, such as `email`"));
                words.collect::<Result<_, _>>()?
            }
        };
        let claim = self.claim.map_or_else(
            || Ok(EMAIL.to_owned()),
            |it| word(it, "the name of a claim, such as `email`"),
        )?;
        let label = match self.label {
            None => "Sign in with OpenID Connect".to_owned(),
            Some(text) => {
                let is_short = (1..=LABEL).contains(&text.get_ref().trim().chars().count());
                if !is_short || text.get_ref().chars().any(char::is_control) {
                    let message = format!("1 to {LABEL} characters, such as `Sign in with Acme`");
                    return Err(source.wrong(text.span(), message));
                }
                text.get_ref().trim().to_owned()
            }
        };
        let client_id = word(self.client_id, "what the provider calls this service")?;
        Ok(OpenId {
            issuer,
            client_id,
            client_secret,
            scopes,
            claim,
            label,
            place,
        })
    }
}

/// A URL by TLS, or one on this machine.
fn issuer(text: &Spanned<String>) -> Result<String, &'static str> {
    let text = text.get_ref();
    if text.contains('?') {
        return Err("an issuer is a URL without a query");
    }
    web_address(text, true)?;
    match text.starts_with("https://") || is_here(text) {
        true => Ok(text.clone()),
        false => Err("an issuer is reached by TLS, `https://`, unless it is on this machine"),
    }
}

/// Whether a URL without TLS leads to this machine, by an address that says so or by `localhost`.
pub(crate) fn is_here(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    let host = host.unwrap_or_default();
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_here() {
        for here in [
            "http://127.0.0.1:9/x",
            "http://[::1]/",
            "http://localhost:80",
        ] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in [
            "https://127.0.0.1",
            "http://id.example",
            "http://localhost.example",
            "http://10.0.0.1",
            "http://127.0.0.1.example/",
            "http://user@127.0.0.1/",
        ] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
