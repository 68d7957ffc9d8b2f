//! A program that was built without traces.

use std::sync::Arc;

use axum::Router;

use crate::files::config::{Config, ConfigError};
use crate::server::app::{App, Made};
use crate::store::Store;

/// There are none.
#[derive(Debug)]
pub(in crate::server) struct Telemetry;

impl Telemetry {
    /// Says so where they are asked for.
    pub(in crate::server) fn open(config: &Config) -> Result<Self, ConfigError> {
        let message = "`[telemetry]` needs a program that was built with the feature `otel`, and this one was \
                       built without it; build it so, or take the table out";
        match &config.telemetry {
            None => Ok(Self),
            Some(telemetry) => Err(telemetry.place.wrong(message)),
        }
    }

    /// Nobody takes traces.
    pub(in crate::server) fn is_on(&self) -> bool {
        false
    }

    /// Ends nothing.
    pub(in crate::server) fn end(&self) {}
}

/// The same routes.
pub(in crate::server) fn traced(router: Router<Arc<App>>, _: &Arc<App>) -> Router<Arc<App>> {
    router
}

/// Notes nothing.
pub(in crate::server) fn decided(_: &Made) {}

/// The same store.
pub(in crate::server) fn stored(store: Arc<dyn Store>, _: &Telemetry) -> Arc<dyn Store> {
    store
}

/// The same work.
pub(in crate::server) fn carried<T>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl FnOnce() -> T + Send + 'static {
    work
}
