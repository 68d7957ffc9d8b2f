//! The loop that takes connections.
//!
//! In: an address, certificates, requests. Out: answers, until it is told to end.
//! Invariant: a connection that does not say what it wants costs a bounded time and is one of a bounded
//! number; to end is to answer what has begun.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

use super::app::{App, StartError};
use super::routes::Routes;
use super::tend::Tending;
use crate::files::config::Tls;

mod heads;

use heads::Heads;

/// For how long the handshake of TLS may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Between two pings on a connection of HTTP/2, and for how long each may wait for its answer.
const PING: Duration = Duration::from_secs(20);

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
        let routes = Arc::new(Routes::new(Arc::clone(&self.app)));
        let graceful = GracefulShutdown::new();
        let connections = self.app.config().server.connections as usize;
        let room = Arc::new(Semaphore::new(connections));
        let head = Duration::from_millis(self.app.config().server.head_within.as_millis());
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
            let watcher = graceful.watcher();
            let taken = Taken {
                routes: Arc::clone(&routes),
                tls: self.tls.clone(),
                head,
                peer,
            };
            tokio::spawn(async move {
                taken.answer(stream, watcher).await;
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

/// How connections are spoken on.
type Builder = auto::Builder<TokioExecutor>;

fn builder(head: Duration, heads: &Heads) -> Builder {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(heads.clone())
        .header_read_timeout(head)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX));
    builder
}

/// A connection that was taken.
struct Taken {
    routes: Arc<Routes>,
    tls: Option<TlsAcceptor>,
    /// For how long the head of a request may take to come, the first one also where nobody has said yet
    /// which protocol they speak.
    head: Duration,
    peer: SocketAddr,
}

impl Taken {
    /// Answers what comes. How a connection ends is the client's affair.
    async fn answer(self, stream: TcpStream, watcher: Watcher) {
        // Small answers go at once.
        let _ = stream.set_nodelay(true);
        match self.tls.clone() {
            None => self.speak(stream, watcher).await,
            Some(tls) => {
                let shaken = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await;
                if let Ok(Ok(stream)) = shaken {
                    self.speak(stream, watcher).await;
                }
            }
        }
    }

    async fn speak<S>(self, stream: S, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (routes, peer) = (self.routes, self.peer);
        let heads = Heads::new(self.head);
        let builder = builder(self.head, &heads);
        let came = heads.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            came.came();
            let routes = Arc::clone(&routes);
            async move {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                let answered = routes.answer(request).await;
                // PERF: of several requests that are there all are decided before the first is answered. A client
                // that sleeps is woken once for all its answers, and not once for each: of a busy service the system
                // took a third for that.
                tokio::task::yield_now().await;
                Ok::<_, Infallible>(answered)
            }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = watcher.watch(connection.into_owned());
        tokio::pin!(connection);
        let watch = sleep_until(Instant::now() + self.head);
        tokio::pin!(watch);
        loop {
            // At a deadline the connection is looked at first, and ends by itself where it knows of it.
            tokio::select! {
                biased;
                _ = &mut connection => return,
                () = &mut watch => {}
            }
            let now = Instant::now();
            let next = match heads.until().map(Instant::from_std) {
                Some(until) if until <= now => return,
                Some(until) => until,
                // Whichever head comes next is waited for from then on, at least so long.
                None => now + self.head,
            };
            watch.as_mut().reset(next);
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
