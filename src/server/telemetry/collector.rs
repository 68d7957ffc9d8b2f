//! The collector that takes spans.
//!
//! In: spans that have ended. Out: OTLP over HTTP, a batch every few seconds.
//! Invariant: one thread of its own sends, so that a collector that is slow or gone costs a request nothing;
//! what it cannot take is dropped, and that is said once.
//! Knows nothing of what spans are about.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use ureq::Agent;

use crate::files::config::{self, Config, ConfigError};

/// The scope of the spans.
const SCOPE: &str = "laneway";

/// For one batch.
const WITHIN: Duration = Duration::from_secs(5);

/// For what is left when the service ends.
const AT_THE_END: Duration = Duration::from_secs(5);

/// Bytes of an answer, which says no more than what was not taken.
const ANSWER_BYTES: u64 = 64 << 10;

/// Variables that name a collector, as the standard has them.
const COLLECTORS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// What makes spans, if anybody takes them.
pub(in crate::server) struct Telemetry(Option<(SdkTracerProvider, SdkTracer)>);

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Telemetry").field(&self.0.is_some()).finish()
    }
}

impl Telemetry {
    /// For the collector of `[telemetry]`, else that of the environment, else none. Nothing is sent yet.
    pub(in crate::server) fn open(config: &Config) -> Result<Self, ConfigError> {
        let table = config.telemetry.as_ref();
        let is_named = table.is_some() || COLLECTORS.iter().any(|name| variable(name).is_some());
        let is_off =
            variable("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true"));
        if !is_named || is_off {
            return Ok(Self(None));
        }
        let exporter = match (exporter(table), table) {
            (Ok(exporter), _) => exporter,
            (Err(error), Some(table)) => return Err(table.place.wrong(error)),
            (Err(error), None) => {
                tracing::error!("no traces are sent: {error}; look at the variables `OTEL_...`");
                return Ok(Self(None));
            }
        };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource(table))
            .build();
        let tracer = provider.tracer(SCOPE);
        Ok(Self(Some((provider, tracer))))
    }

    /// What makes spans.
    pub(super) fn tracer(&self) -> Option<&SdkTracer> {
        self.0.as_ref().map(|(_, tracer)| tracer)
    }

    /// Whether somebody takes traces.
    pub(in crate::server) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Sends what is left, within a time.
    pub(in crate::server) fn end(&self) {
        if let Some((provider, _)) = &self.0
            && let Err(error) = provider.shutdown_with_timeout(AT_THE_END)
        {
            tracing::warn!("the last traces were not taken: {error}");
        }
    }
}

fn exporter(table: Option<&config::Telemetry>) -> Result<SpanExporter, String> {
    let builder = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_http_client(Sender::new());
    let builder = match table {
        Some(table) => builder.with_endpoint(format!("{}/v1/traces", table.otlp)),
        None => builder,
    };
    builder.build().map_err(|error| error.to_string())
}

/// What the service is called.
fn resource(table: Option<&config::Telemetry>) -> Resource {
    let builder = Resource::builder();
    let set = table.and_then(|table| table.service.clone());
    let has_other = || {
        let attributes = variable("OTEL_RESOURCE_ATTRIBUTES");
        variable("OTEL_SERVICE_NAME").is_some()
            || attributes.is_some_and(|it| it.contains("service.name="))
    };
    let builder = match set {
        Some(name) => builder.with_service_name(name),
        None if has_other() => builder,
        None => builder.with_service_name(SCOPE),
    };
    builder.build()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// Sends batches; its caller has a thread of its own, which waits.
#[derive(Debug)]
struct Sender {
    agent: Agent,
    is_failing: AtomicBool,
}

impl Sender {
    fn new() -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(WITHIN))
            .user_agent(concat!("laneway/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            is_failing: AtomicBool::new(false),
        }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let answer = self.agent.run(request.map(|body| body.to_vec()))?;
        let (parts, mut body) = answer.into_parts();
        let body = body.with_config().limit(ANSWER_BYTES).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }

    /// Says it when it begins, and when it is over.
    fn note(&self, why: Option<String>) {
        let was_failing = self.is_failing.swap(why.is_some(), Ordering::Relaxed);
        match why {
            Some(why) if !was_failing => {
                tracing::warn!("traces are not taken: {why}; they are dropped until they are");
            }
            None if was_failing => tracing::info!("traces are taken again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.send(request);
        self.note(match &answer {
            Err(error) => Some(error.to_string()),
            Ok(answer) if !answer.status().is_success() => {
                Some(format!("the collector answered {}", answer.status()))
            }
            Ok(_) => None,
        });
        Ok(answer?)
    }
}
