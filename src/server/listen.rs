//! The loop that takes connections.
//!
//! In: an address, certificates, requests. Out: answers, until it is told to end.
//! Invariant: a connection that does not say what it wants costs a bounded time and is one of a bounded
//! number; to end is to answer what has begun.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};
use tower::ServiceExt;

use super::app::{App, StartError};
use super::routes::router;
use super::tend::Tending;
use crate::files::config::Tls;

/// For how long the head of a request may take to come; a connection that is kept open waits as long for
/// the next one.
const HEAD: Duration = Duration::from_secs(20);

/// For how long the handshake of TLS may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Bytes of the head of a request.
const HEAD_BYTES: usize = 64 * 1024;

/// Requests at once on one connection of HTTP/2.
const STREAMS: u32 = 250;

/// For how long what has begun may go on when the service is told to end. Long polls are told at once.
const GRACE: Duration = Duration::from_secs(20);

/// A service that listens.
pub struct Serving {
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    /// Where it listens, with the port that it got.
    pub address: SocketAddr,
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Begins to listen.
///
/// # Errors
/// When the address cannot be had, or the certificate not be used.
pub async fn serve(app: Arc<App>) -> Result<Serving, StartError> {
    let server = app.config().server.clone();
    let listener = TcpListener::bind(server.listen).await;
    let failed = |error| StartError::Io(format!("cannot listen on {}", server.listen), error);
    let listener = listener.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let tls = server.tls.as_ref().map(acceptor).transpose()?;
    app.listens_at(address);
    Ok(Serving {
        app,
        listener,
        tls,
        address,
    })
}

impl Serving {
    /// Answers until the future is ready; then ends what has begun.
    ///
    /// # Errors
    /// When the threads beside it cannot be begun.
    pub async fn until(self, over: impl Future<Output = ()> + Send) -> Result<(), StartError> {
        let failed = |error| StartError::Io("cannot begin a thread".to_owned(), error);
        let tending = Tending::begin(&self.app).map_err(failed)?;
        let router = router(Arc::clone(&self.app));
        let graceful = GracefulShutdown::new();
        let connections = self.app.config().server.connections as usize;
        let room = Arc::new(Semaphore::new(connections));
        tokio::pin!(over);
        loop {
            // Who comes when there is no room waits in the queue of the system.
            let permit = tokio::select! {
                permit = Arc::clone(&room).acquire_owned() => permit,
                () = &mut over => break,
            };
            let Ok(permit) = permit else { break };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut over => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, mostly: those that are open will end.
                    tracing::warn!("a connection could not be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (router, tls, watcher) = (router.clone(), self.tls.clone(), graceful.watcher());
            tokio::spawn(async move {
                connection(stream, peer, router, tls, watcher).await;
                drop(permit);
            });
        }
        self.app.end();
        drop(self.listener);
        tokio::select! {
            () = graceful.shutdown() => {}
            () = tokio::time::sleep(GRACE) => {
                tracing::warn!("some requests did not end in time");
            }
        }
        let app = Arc::clone(&self.app);
        let ended = tokio::task::spawn_blocking(move || {
            tending.end(&app);
            app.telemetry.end();
        });
        let ended = ended.await;
        if ended.is_err() {
            tracing::error!("the threads beside the service did not end well");
        }
        Ok(())
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    tls: Option<TlsAcceptor>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    // Small answers go at once.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let answered = router.oneshot(request).await;
            answered.map_err(|error: Infallible| error)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX));
    // How a connection ends is the client's affair.
    match tls {
        None => {
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            let _ = watcher.watch(connection.into_owned()).await;
        }
        Some(tls) => {
            let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await else {
                return;
            };
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            let _ = watcher.watch(connection.into_owned()).await;
        }
    }
}

/// Whether a certificate and its key can be used.
///
/// # Errors
/// When they cannot.
pub fn is_usable(tls: &Tls) -> Result<(), StartError> {
    acceptor(tls).map(drop)
}

fn acceptor(tls: &Tls) -> Result<TlsAcceptor, StartError> {
    let file = |path: &std::path::Path| crate::files::shown(path);
    let wrong = |path: &std::path::Path, why: &dyn std::fmt::Display| {
        StartError::Unsafe(format!("`{}` cannot be used for TLS: {why}", file(path)))
    };
    let certificates = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&tls.certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| wrong(&tls.key, &error))?;
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(certificates, key)
        });
    let mut config = config.map_err(|error| wrong(&tls.certificate, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
