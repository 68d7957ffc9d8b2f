//! People who sign in at a provider of identities, by OpenID Connect.
//!
//! In: `[openid]`. Out: what asks the provider, where this program was built to.
//! Invariant: a program that cannot ask does not start with such a table, so that nobody believes in a way in
//! that is not there.
//! Knows no request, and nobody's session.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::files::config::{Config, ConfigError};

#[cfg(not(feature = "openid"))]
mod absent;
#[cfg(feature = "openid")]
mod claims;
#[cfg(feature = "openid")]
mod error;
#[cfg(feature = "openid")]
mod fetch;
#[cfg(feature = "openid")]
mod pace;
#[cfg(feature = "openid")]
mod provider;

#[cfg(not(feature = "openid"))]
use absent::Provider;
#[cfg(feature = "openid")]
pub(super) use error::SignOnError;
#[cfg(feature = "openid")]
pub(super) use provider::{Asked, Provider};

/// The provider that is asked, if there is one.
#[derive(Debug)]
pub(super) struct SignOn(ArcSwapOption<Provider>);

impl SignOn {
    /// Reads the secret; asks nobody yet, so that a service starts while its provider does not answer.
    pub(super) fn open(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self(ArcSwapOption::from(provider(config)?)))
    }

    /// Whether a configuration can be used, without using it.
    pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
        provider(config).map(drop)
    }

    /// Asks by another configuration from now on. One that cannot be used leaves the one before.
    pub(super) fn set(&self, config: &Config) -> Result<(), ConfigError> {
        self.0.store(provider(config)?);
        Ok(())
    }

    /// What asks the provider.
    #[cfg_attr(not(feature = "openid"), expect(dead_code, reason = "there is none"))]
    pub(super) fn provider(&self) -> Option<Arc<Provider>> {
        self.0.load_full()
    }
}

fn provider(config: &Config) -> Result<Option<Arc<Provider>>, ConfigError> {
    let opened = config.openid.as_ref().map(Provider::open).transpose()?;
    Ok(opened.map(Arc::new))
}
