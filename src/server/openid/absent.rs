//! A program that was built without OpenID Connect.

use crate::files::config::{ConfigError, OpenId};

/// There is none.
#[derive(Debug)]
pub(in crate::server) enum Provider {}

impl Provider {
    /// Says that there is none.
    pub(in crate::server) fn open(config: &OpenId) -> Result<Self, ConfigError> {
        let message = "`[openid]` needs a program that was built with the feature `openid`, and this one was \
                       built without it; build it so, or take the table out";
        Err(config.place.wrong(message))
    }
}
