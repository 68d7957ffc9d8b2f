//! How the service is reached: `[server]`.
//!
//! In: the table. Out: settings within their bounds.
//! Invariant: what is reached from other machines is behind TLS, or a proxy that is said to have it; a
//! header names a person only where it comes from a listed peer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use super::ConfigError;
use super::source::Source;
use crate::clock::Duration;

/// Where a service listens that nothing else is said of: on this machine alone.
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8750);

/// How the service is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The address and port.
    pub listen: SocketAddr,
    /// The URL by which people reach it, without a slash at its end; for links and for cookies.
    pub url: Option<String>,
    /// Whether something in front of it speaks TLS.
    pub behind_proxy: bool,
    /// Whose headers are believed.
    pub proxies: Vec<IpNet>,
    /// The header in which such a peer names the person whom it has signed in, in lower case.
    pub user_header: Option<String>,
    /// Its certificate.
    pub tls: Option<Tls>,
    /// Connections at once.
    pub connections: u32,
    /// For how long the head of a request may take to come.
    pub head_within: Duration,
    /// For how long the body of a request may take to come.
    pub body_within: Duration,
    /// For how long a person stays signed in.
    pub session_lasts: Duration,
    /// Where the windows of measures are kept.
    pub windows: PathBuf,
    /// Whether a changed matrix is used at once, as one wants it while one writes it.
    pub reload_auto: bool,
}

/// A certificate and its key, in files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, and those that lead to it, in PEM.
    pub certificate: PathBuf,
    /// The key, in PEM.
    pub key: PathBuf,
}

/// Connections of a service; one takes some 20 KiB while it waits.
const CONNECTIONS: u32 = 10_000;

/// The head of a request is a packet or two.
const HEAD: Duration = Duration::from_millis(20_000);

/// A batch of the largest size comes within it at 5 Mbit/s.
const BODY: Duration = Duration::from_millis(30_000);

/// What either may be set to.
const TIMES: RangeInclusive<Duration> = Duration::from_millis(1_000)..=Duration::from_minutes(10);

/// A working day.
const SESSION: Duration = Duration::from_minutes(12 * 60);

/// What it may be set to.
const SESSIONS: RangeInclusive<Duration> =
    Duration::from_minutes(1)..=Duration::from_minutes(30 * 24 * 60);

const WINDOWS: &str = "windows";

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: LISTEN,
            url: None,
            behind_proxy: false,
            proxies: Vec::new(),
            user_header: None,
            tls: None,
            connections: CONNECTIONS,
            head_within: HEAD,
            body_within: BODY,
            session_lasts: SESSION,
            windows: PathBuf::from(WINDOWS),
            reload_auto: false,
        }
    }
}

impl Server {
    /// Whether other machines reach it without TLS, by what is said here.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        !self.listen.ip().is_loopback() && self.tls.is_none() && !self.behind_proxy
    }
}

/// `[server]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ServerTable {
    listen: Option<Spanned<String>>,
    url: Option<Spanned<String>>,
    behind_proxy: bool,
    proxies: Vec<Spanned<String>>,
    user_header: Option<Spanned<String>>,
    tls: Option<TlsTable>,
    connections: Option<Spanned<u32>>,
    head_within: Option<Spanned<Duration>>,
    body_within: Option<Spanned<Duration>>,
    session_lasts: Option<Spanned<Duration>>,
    windows: Option<Spanned<String>>,
    reload: ReloadTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsTable {
    certificate: Spanned<String>,
    key: Spanned<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ReloadTable {
    auto: bool,
}

impl ServerTable {
    pub(super) fn read(self, source: &Source) -> Result<Server, ConfigError> {
        let wrong = |text: &Spanned<String>, message: &str| source.wrong(text.span(), message);
        let mut server = Server {
            behind_proxy: self.behind_proxy,
            reload_auto: self.reload.auto,
            windows: source.sibling(WINDOWS),
            ..Server::default()
        };
        if let Some(text) = &self.listen {
            server.listen = text
                .get_ref()
                .parse()
                .map_err(|_| wrong(text, "an address and a port, such as `127.0.0.1:8750`"))?;
        }
        if let Some(text) = &self.url {
            server.url = Some(url(text.get_ref()).ok_or_else(|| {
                wrong(
                    text,
                    "a URL such as `https://laneway.example`, without a path",
                )
            })?);
        }
        for text in &self.proxies {
            server.proxies.push(source.network(text)?);
        }
        if let Some(text) = &self.user_header {
            let name = text.get_ref().to_ascii_lowercase();
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(wrong(
                    text,
                    "the name of a header, such as `x-forwarded-user`",
                ));
            }
            if server.proxies.is_empty() {
                let message =
                    "a header names a person only where `proxies` says from whom it comes";
                return Err(wrong(text, message));
            }
            server.user_header = Some(name);
        }
        if let Some(tls) = &self.tls {
            server.tls = Some(Tls {
                certificate: source.beside(&tls.certificate)?,
                key: source.beside(&tls.key)?,
            });
        }
        if let Some(connections) = self.connections {
            let at = connections.span();
            server.connections = connections.into_inner();
            if server.connections == 0 {
                return Err(source.wrong(at, "at least one connection"));
            }
        }
        for (its, given, may) in [
            (&mut server.head_within, self.head_within, TIMES),
            (&mut server.body_within, self.body_within, TIMES),
            (&mut server.session_lasts, self.session_lasts, SESSIONS),
        ] {
            let Some(given) = given else { continue };
            let at = given.span();
            *its = given.into_inner();
            if !may.contains(its) {
                let (least, most) = (may.start(), may.end());
                let message = format!("at least `{least}` and at most `{most}`");
                return Err(source.wrong(at, message));
            }
        }
        if let Some(text) = &self.windows {
            server.windows = source.beside(text)?;
        }
        Ok(server)
    }
}

/// The scheme and the host of a URL with nothing behind it.
fn url(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    (!host.is_empty() && host.chars().all(is_host)).then(|| text.to_owned())
}
