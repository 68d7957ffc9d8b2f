//! A provider of identities, and what it says of who comes back from it.
//!
//! In: `[openid]`; a code that a browser brought back. Out: where to send a browser; a name.
//! Invariant: a name is one that the provider signed, for this service, of now, for the browser that was sent
//! there. What it says of itself is asked again each hour, and when it signs with a key that is not known.
//! Knows no people: whether a name is let in is not decided here.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreJwsSigningAlgorithm,
    CoreProviderMetadata,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    TokenResponse,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::SignOnError;
use super::claims::named;
use super::fetch::Fetch;
use super::pace::Pace;
use crate::clock::Timestamp;
use crate::files::config::{ConfigError, OpenId};
use crate::notify::read_secret;
use crate::server::access::{JOURNEY_LASTS, Journey};
use crate::server::app::locked;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// For how long it is believed what the provider says of itself.
const FRESH: Duration = Duration::from_secs(3_600);

/// A key that is not known is asked for at most so often: who makes keys up makes nobody ask.
const NEW_KEYS: Duration = Duration::from_secs(60);

/// After a failure nobody asks for so long: each waits up to 20 seconds for nothing.
const REST: Duration = Duration::from_secs(5);

/// People for whom the provider is asked at once. Each holds a thread, and there is other work for those.
const AT_ONCE: usize = 16;

/// By what a token may be signed: keys that the provider alone has. Never by the client's secret, and never
/// by nothing.
const SIGNED_BY: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// A provider of identities.
pub(in crate::server) struct Provider {
    issuer: IssuerUrl,
    client_id: ClientId,
    secret: Option<ClientSecret>,
    scopes: Vec<Scope>,
    claim: String,
    fetch: Fetch,
    known: Mutex<Known>,
    room: Semaphore,
    pace: Pace,
}

/// Without the secret.
impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// What the provider says of itself.
#[derive(Default)]
struct Known {
    metadata: Option<(Arc<CoreProviderMetadata>, Instant)>,
    failed: Option<Instant>,
}

/// What a browser brought back.
#[derive(Clone, Copy)]
pub(in crate::server) struct Asked<'a> {
    /// The code that stands for the token.
    pub(in crate::server) code: &'a str,
    /// What was kept when it was sent there.
    pub(in crate::server) journey: &'a Journey,
    /// Where it was to come back.
    pub(in crate::server) back: &'a str,
    /// The instant.
    pub(in crate::server) now: Timestamp,
}

impl Provider {
    /// Reads the secret; asks nobody yet.
    pub(in crate::server) fn open(config: &OpenId) -> Result<Self, ConfigError> {
        let issuer = IssuerUrl::new(config.issuer.clone());
        let issuer = issuer.map_err(|error| config.place.wrong(error))?;
        let secret = config.client_secret.as_ref().map(read_secret).transpose()?;
        Ok(Self {
            issuer,
            client_id: ClientId::new(config.client_id.clone()),
            secret: secret.map(ClientSecret::new),
            scopes: config.scopes.iter().cloned().map(Scope::new).collect(),
            claim: config.claim.clone(),
            fetch: Fetch::new(&config.issuer),
            known: Mutex::default(),
            room: Semaphore::new(AT_ONCE),
            pace: Pace::new(Duration::from_millis(JOURNEY_LASTS.as_millis())),
        })
    }

    /// Whether one more may begin.
    pub(in crate::server) fn may_begin(&self) -> Result<(), SignOnError> {
        match self.pace.may_begin() {
            true => Ok(()),
            false => Err(SignOnError::Busy),
        }
    }

    /// Whether an issuer, as an answer names it, is this one.
    pub(in crate::server) fn is_issuer(&self, name: &str) -> bool {
        self.issuer.as_str() == name
    }

    /// Where a browser is sent, to come back to a URL.
    pub(in crate::server) fn way(
        &self,
        journey: &Journey,
        back: &str,
    ) -> Result<String, SignOnError> {
        let _room = self.room()?;
        let client = self.client(&*self.metadata(FRESH)?, back)?;
        let verifier = PkceCodeVerifier::new(journey.verifier.clone());
        let (state, nonce) = (journey.state.clone(), journey.nonce.clone());
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(self.scopes.iter().cloned())
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        match self.fetch.may_go(url.as_str()) {
            true => Ok(url.into()),
            false => Err(unreachable(&format!(
                "it sends browsers to `{url}`, without TLS"
            ))),
        }
    }

    /// Who came back.
    pub(in crate::server) fn who(&self, asked: &Asked<'_>) -> Result<String, SignOnError> {
        let _room = self.room()?;
        let metadata = self.metadata(FRESH)?;
        let client = self.client(&metadata, asked.back)?;
        let token = self.token(&client, asked)?;
        match self.verify(&client, &token, asked) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let client = self.client(&*self.metadata(NEW_KEYS)?, asked.back)?;
                self.verify(&client, &token, asked).map_err(untrue)?;
            }
            verified => verified.map_err(untrue)?,
        }
        named(&token.to_string(), &self.claim)
    }

    /// Room to ask the provider, which may take as long as it likes.
    fn room(&self) -> Result<SemaphorePermit<'_>, SignOnError> {
        self.room.try_acquire().map_err(|_| SignOnError::Busy)
    }

    /// The token for a code.
    fn token(&self, client: &Client, asked: &Asked<'_>) -> Result<CoreIdToken, SignOnError> {
        let code = AuthorizationCode::new(asked.code.to_owned());
        let request = client.exchange_code(code);
        let request = request.map_err(|error| unreachable(&error))?;
        let verifier = PkceCodeVerifier::new(asked.journey.verifier.clone());
        let tokens = request.set_pkce_verifier(verifier).request(&self.fetch);
        let tokens = tokens.map_err(|error| match error {
            RequestTokenError::ServerResponse(said) => {
                tracing::warn!("the provider of identities gave no token for a code: {said:?}");
                SignOnError::refused(said.error().as_ref())
            }
            RequestTokenError::Request(error) => unreachable(&error),
            // What cannot be read may have a token in it, and is not logged.
            RequestTokenError::Parse(error, _) => unreachable(&error.path()),
            error => unreachable(&error),
        })?;
        let token = tokens.id_token().cloned();
        token.ok_or_else(|| unreachable(&"it gave no ID token"))
    }

    fn verify(
        &self,
        client: &Client,
        token: &CoreIdToken,
        asked: &Asked<'_>,
    ) -> Result<(), ClaimsVerificationError> {
        let now = asked.now;
        let verifier = client.id_token_verifier();
        let verifier = verifier
            .set_allowed_algs(SIGNED_BY)
            .set_time_fn(move || now);
        let nonce = Nonce::new(asked.journey.nonce.clone());
        let claims = token.claims(&verifier, &nonce)?;
        let party = claims.authorized_party();
        if party.is_some_and(|party| party != &self.client_id) {
            let why = "it was given to another party".to_owned();
            return Err(ClaimsVerificationError::InvalidAudience(why));
        }
        Ok(())
    }

    fn client(&self, metadata: &CoreProviderMetadata, back: &str) -> Result<Client, SignOnError> {
        let back = RedirectUrl::new(back.to_owned()).map_err(|error| unreachable(&error))?;
        let (id, secret) = (self.client_id.clone(), self.secret.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, secret);
        let client = client.set_redirect_uri(back);
        // The header is what the standard takes where a provider says nothing.
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes = |method| methods.is_none_or(|them| them.contains(&method));
        let in_body = !takes(CoreClientAuthMethod::ClientSecretBasic)
            && takes(CoreClientAuthMethod::ClientSecretPost);
        Ok(match in_body {
            true => client.set_auth_type(AuthType::RequestBody),
            false => client,
        })
    }

    /// What the provider says of itself, asked for within a time. Where it does not answer now, what it said
    /// before still holds.
    fn metadata(&self, within: Duration) -> Result<Arc<CoreProviderMetadata>, SignOnError> {
        let mut known = locked(&self.known);
        if let Some((metadata, at)) = &known.metadata
            && at.elapsed() < within
        {
            return Ok(Arc::clone(metadata));
        }
        if known.failed.is_none_or(|at| at.elapsed() >= REST) {
            match CoreProviderMetadata::discover(&self.issuer, &self.fetch) {
                Ok(metadata) => {
                    known.failed = None;
                    known.metadata = Some((Arc::new(metadata), Instant::now()));
                }
                Err(error) => {
                    unreachable(&chain(&error));
                    known.failed = Some(Instant::now());
                }
            }
        }
        let known = known.metadata.as_ref();
        let known = known.map(|(metadata, _)| Arc::clone(metadata));
        known.ok_or(SignOnError::Unreachable)
    }
}

/// What who runs the service has to know.
fn unreachable(why: &dyn fmt::Display) -> SignOnError {
    tracing::warn!("the provider of identities cannot be used: {why}");
    SignOnError::Unreachable
}

fn untrue(error: ClaimsVerificationError) -> SignOnError {
    let why = chain(&error);
    tracing::warn!("a token of the provider of identities is not to be believed: {why}");
    SignOnError::Untrue
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
