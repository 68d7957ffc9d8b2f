//! Where traces go: `[telemetry]`.
//!
//! In: the table. Out: a collector and the name of the service there.
//! Invariant: a URL is plain enough to be read in one way only.
//! Knows nothing of what is sent, nor whether this program can.

use serde::Deserialize;
use toml::Spanned;

use super::ConfigError;
use super::source::{Place, Source};
use super::web::web_address;

/// Characters of the name.
const NAME: usize = 100;

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// The collector that takes OTLP over HTTP, without a slash at its end.
    pub otlp: String,
    /// What the service is called there; what the environment says, where it is not set.
    pub service: Option<String>,
    /// Where the table is.
    pub place: Place,
}

/// `[telemetry]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TelemetryTable {
    otlp: Spanned<String>,
    service: Option<Spanned<String>>,
}

impl TelemetryTable {
    pub(super) fn read(self, source: &Source) -> Result<Telemetry, ConfigError> {
        let place = source.place(self.otlp.span().start);
        let text = self.otlp.get_ref();
        // A collector mostly is a neighbour, and traces hold nothing of an event.
        web_address(text, true).map_err(|why| place.wrong(why))?;
        if text.contains('?') {
            return Err(place.wrong("a collector's URL has no query"));
        }
        let otlp = text.trim_end_matches('/').to_owned();
        let service = self.service.map(|name| {
            let is_short = (1..=NAME).contains(&name.get_ref().chars().count());
            match is_short && !name.get_ref().chars().any(char::is_control) {
                true => Ok(name.get_ref().clone()),
                false => {
                    let message = format!("a name of 1 to {NAME} characters, such as `laneway`");
                    Err(source.wrong(name.span(), message))
                }
            }
        });
        Ok(Telemetry {
            otlp,
            service: service.transpose()?,
            place,
        })
    }
}
