//! What every request works with.
//!
//! In: a matrix and its configuration, a store. Out: an [`App`], shared by all requests and threads.
//! Invariant: a matrix that cannot be read at a start decides nothing, and escalations are carried on all
//! the same; a matrix that cannot be read later leaves the one that decides.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use tokio::sync::Notify;

use super::access::Access;
use super::aside::aside;
use super::live::Live;
use super::metrics::Metrics;
use super::openid::SignOn;
use super::problem::Problem;
use super::reload::Disk;
use super::telemetry::{self, Telemetry};
use crate::check::Options;
use crate::clock::Timestamp;
use crate::desk::{Clock, Desk, DeskError, Statistics, SystemClock};
use crate::diagnostic::Severity;
use crate::engine::{self, EngineError, Log, Wanted};
use crate::files::config::{self, Config, ConfigError, Routing};
use crate::files::{FilesError, Root};
use crate::matrix::Matrix;
use crate::notify::{Outbound, SystemLookup};

mod deciding;

use deciding::decide_by;
pub(super) use deciding::{Deciding, Made};

/// What a service is started with.
#[derive(Debug, Clone, Default)]
pub struct Started {
    /// The matrix: a file or a folder.
    pub matrix: PathBuf,
    /// Another configuration than the one beside the matrix.
    pub config: Option<PathBuf>,
    /// Another store than the configured one.
    pub store: Option<config::Store>,
    /// Another address than the configured one.
    pub listen: Option<std::net::SocketAddr>,
    /// A store for demonstrations, in which everybody on this machine is whoever they say.
    pub demo: bool,
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The path names no matrix.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no store.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The desk cannot begin.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// What is not safe.
    #[error("{0}")]
    Unsafe(String),
    /// The system refuses something.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
}

/// What every request works with.
#[derive(Debug)]
pub struct App {
    pub(super) desk: Desk,
    pub(super) access: Access,
    pub(super) live: Live,
    notifier: ArcSwap<Outbound>,
    pub(super) is_demo: bool,
    pub(super) started: Started,
    config: ArcSwap<Config>,
    engine: ArcSwapOption<Deciding>,
    pub(super) metrics: Metrics,
    pub(super) disk: Disk,
    pub(super) openid: SignOn,
    pub(super) telemetry: Telemetry,
    /// The log of decisions, or why there is none.
    log: ArcSwapOption<Result<Log, String>>,
    /// What is wrong with the matrix on the disk; it decides nothing.
    trouble: Mutex<Option<String>>,
    /// What goes wrong again and again beside the requests, by what it is.
    failing: Mutex<BTreeMap<String, String>>,
    address: OnceLock<SocketAddr>,
    is_ending: AtomicBool,
    ending: Notify,
    figures: Mutex<Option<(Instant, Arc<Statistics>)>>,
    /// Held while somebody verifies the audit, which reads all of it.
    pub(super) verifying: Mutex<()>,
}

/// What fails where what tells people cannot be read anew.
const NOTIFY: &str = "notify";

impl App {
    /// Opens everything that a service needs. A matrix that cannot be read is no reason not to start:
    /// what is open is still to be answered.
    ///
    /// # Errors
    /// When the configuration cannot be used, the store not be opened, or what is asked for is not safe.
    pub fn start(started: Started) -> Result<Self, StartError> {
        let root = Root::open(&started.matrix)?;
        let mut config = config::read(started.config.as_deref(), root.folder())?;
        if let Some(listen) = started.listen {
            config.server.listen = listen;
        }
        if let Some(store) = &started.store {
            config.escalations.store = store.clone();
        }
        is_safe(&config, started.demo)?;
        let openid = SignOn::open(&config)?;
        let telemetry = Telemetry::open(&config)?;
        if started.demo {
            super::demo::in_a_folder_of_its_own(&mut config, started.store.is_some())?;
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let store = engine::open_store(&config.escalations.store, &clock, Wanted::Either)?;
        if started.demo && !engine::is_demo(store.as_ref())? {
            engine::make(store.as_ref(), true)?;
        }
        let is_demo = started.demo && engine::is_demo(store.as_ref())?;
        let store = telemetry::stored(aside(store), &telemetry);
        let desk = Desk::new(Arc::clone(&store), engine::settings(&config), clock)?;
        let now = desk.now()?.at;
        let loaded = load(&root, &config, now);
        let (matrix, trouble) = match loaded {
            Ok(matrix) => (Some(matrix), None),
            Err(why) => (None, Some(why)),
        };
        let engine = match matrix.clone() {
            Some(matrix) => Some(Arc::new(decide_by(matrix, &config, now)?)),
            None => None,
        };
        let log = match (&config.decisions, matrix) {
            (Some(decisions), Some(matrix)) => {
                Some(Arc::new(Log::open(decisions, &config, &matrix, now)))
            }
            _ => None,
        };
        let notifier = outbound(&config, &url_of(&config, None))?;
        Ok(Self {
            access: Access::new(Arc::clone(desk.store())),
            live: Live::new(),
            notifier: ArcSwap::from_pointee(notifier),
            is_demo,
            desk,
            started,
            config: ArcSwap::from_pointee(config),
            engine: ArcSwapOption::from(engine),
            metrics: Metrics::new(),
            disk: Disk::default(),
            openid,
            telemetry,
            log: ArcSwapOption::from(log),
            trouble: Mutex::new(trouble),
            failing: Mutex::default(),
            address: OnceLock::new(),
            is_ending: AtomicBool::new(false),
            ending: Notify::new(),
            figures: Mutex::default(),
            verifying: Mutex::default(),
        })
    }

    /// Who is let in.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The desk, which carries what is open.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The configuration.
    pub fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    /// The same for as long as a thread looks at it, without counting who has it: both threads of a busy
    /// service would write to that one count for each request. Not to be held while anything is awaited.
    pub(super) fn config_now(&self) -> Guard<Arc<Config>> {
        self.config.load()
    }

    /// What decides, for as long as a thread looks at it.
    pub(super) fn deciding_now(&self) -> Guard<Option<Arc<Deciding>>> {
        self.engine.load()
    }

    /// What decides; nothing where no matrix could be read.
    pub(super) fn deciding(&self) -> Option<Arc<Deciding>> {
        self.engine.load_full()
    }

    /// How events come, which says whether windows are whole.
    pub(super) fn routing(&self) -> Routing {
        let config = self.config_now();
        config.measures.routing(&config.escalations.store)
    }

    /// What is wrong with the matrix on the disk.
    pub fn trouble(&self) -> Option<String> {
        let trouble = locked(&self.trouble);
        trouble.clone()
    }

    /// The log of decisions, by the matrix that decides, or why there is none.
    pub(super) fn log(&self) -> Guard<Option<Arc<Result<Log, String>>>> {
        self.log.load()
    }

    /// The instant now, by the store's clock.
    pub(super) fn now(&self) -> Result<Timestamp, Problem> {
        match self.desk.store().kind() {
            // The clock of a file is this machine's: no transaction is needed to read it.
            "sqlite" | "memory" => Ok(std::time::SystemTime::now().into()),
            _ => Ok(self.desk.now()?.at),
        }
    }

    /// What a person who starts it is told: where it is, and how to begin.
    ///
    /// # Errors
    /// When the store fails.
    pub fn greeting(&self) -> Result<Vec<String>, Problem> {
        let url = self.url();
        let mut lines = vec![format!("laneway listens on {url}")];
        if let Some(why) = self.trouble() {
            lines.push(format!(
                "error: {why}; every decision is `block` until it does"
            ));
        }
        if self.is_demo {
            lines.push(format!(
                "a demonstration: open {url} and sign in as anybody"
            ));
            if let Some(id) = super::demo::begin(self)? {
                lines.push(format!("an escalation waits: {url}/escalations/{id}"));
            }
            return Ok(lines);
        }
        let config = self.config();
        let has_admin = config.people.admins().next().is_some();
        let is_elsewhere = config.openid.is_some() && has_admin;
        let has_proxy = config.server.user_header.is_some();
        if !has_proxy && !is_elsewhere && !self.access.has_people()? {
            let what = super::access::LinkFor {
                person: None,
                admin: true,
            };
            let link = self.access.make_link(&what, self.now()?)?;
            lines.push(format!(
                "nobody has a password yet; set one: {url}/setup/{link}"
            ));
            lines.push("the link works once, within a day, and makes an admin".to_owned());
        }
        Ok(lines)
    }

    /// Where it listens.
    pub(super) fn listens_at(&self, address: SocketAddr) {
        // It listens once.
        let _ = self.address.set(address);
    }

    /// The URL by which people reach it.
    #[must_use]
    pub fn url(&self) -> String {
        url_of(&self.config(), self.address.get().copied())
    }

    /// What tells people and callers.
    pub(super) fn notifier(&self) -> Arc<Outbound> {
        self.notifier.load_full()
    }

    /// Whether browsers reach it by TLS.
    pub(super) fn is_secure(&self) -> bool {
        let config = self.config();
        let is_https = config
            .server
            .url
            .as_ref()
            .map(|url| url.starts_with("https://"));
        is_https.unwrap_or(config.server.tls.is_some() || config.server.behind_proxy)
    }

    /// Whether an `Origin` is that of this service's own pages.
    pub(super) fn is_origin(&self, origin: &str, host: Option<&str>) -> bool {
        if let Some(url) = &self.config().server.url {
            return origin == url;
        }
        let rest = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"));
        rest.is_some() && rest == host
    }

    /// The service is told to end.
    pub(super) fn end(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
        self.ending.notify_waiters();
    }

    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::SeqCst)
    }

    /// Becomes ready when the service is told to end.
    pub(super) async fn ended(&self) {
        let ending = self.ending.notified();
        tokio::pin!(ending);
        ending.as_mut().enable();
        if !self.is_ending() {
            ending.await;
        }
    }

    /// Something beside the requests failed, or works.
    pub(super) fn failed(&self, what: &str, why: Option<String>) {
        let mut failing = locked(&self.failing);
        match why {
            Some(why) => {
                failing.insert(what.to_owned(), why);
            }
            None => {
                failing.remove(what);
            }
        }
    }

    /// What needs a person, by stable codes.
    pub(super) fn problems(&self) -> Vec<&'static str> {
        let mut problems = Vec::new();
        if self.trouble().is_some() {
            problems.push("matrix");
        }
        if self.desk.suspicion().is_some() {
            problems.push("clock");
        }
        let failing = locked(&self.failing);
        if failing.keys().any(|what| what != NOTIFY) {
            problems.push("store");
        }
        let is_unread = failing.contains_key(NOTIFY);
        drop(failing);
        let outbox = crate::store::read(self.desk.store().as_ref(), |transaction| {
            transaction.outbox()
        });
        match outbox {
            Ok(outbox) if outbox.failed > 0 => problems.push("undelivered"),
            Err(_) if !problems.contains(&"store") => problems.push("store"),
            _ => {}
        }
        if is_unread || !self.notifier().troubles().is_empty() {
            problems.push("channels");
        }
        if self.log().as_deref().is_some_and(Result::is_err) {
            problems.push("decision_log");
        }
        if self.deciding().is_some_and(|it| it.router.is_lossy()) {
            problems.push("windows");
        }
        problems
    }

    /// Figures of the last 30 days, at most ten seconds old: they are read from all rows.
    pub(super) fn statistics(&self) -> Result<Arc<Statistics>, Problem> {
        const FRESH: Duration = Duration::from_secs(10);
        let mut kept = locked(&self.figures);
        if let Some((at, figures)) = kept.as_ref()
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(figures));
        }
        let since = self.now()?.checked_sub_signed(chrono::TimeDelta::days(30));
        let matrix = self.deciding().map(|it| it.router.matrix());
        let figures = Arc::new(self.desk.statistics(since, matrix.as_deref())?);
        *kept = Some((Instant::now(), Arc::clone(&figures)));
        Ok(figures)
    }

    pub(super) fn set_trouble(&self, why: Option<String>) {
        *locked(&self.trouble) = why;
    }

    /// Another configuration. Where its secrets cannot be read, what told people before goes on, and that is
    /// said.
    pub(super) fn set_config(&self, config: Config) {
        let opened = outbound(&config, &url_of(&config, self.address.get().copied()));
        // It was looked at before it was taken.
        if let Err(error) = self.openid.set(&config) {
            tracing::error!("{error}; people sign in as before");
        }
        self.config.store(Arc::new(config));
        let failed = opened.map(|it| self.notifier.store(Arc::new(it))).err();
        if let Some(error) = &failed {
            tracing::error!("{error}");
        }
        self.failed(NOTIFY, failed.map(|error| error.to_string()));
    }

    /// What is settled at the start, whatever the file says later.
    pub(super) fn settle(&self, config: &mut Config) {
        let now = self.config();
        config.server = config::Server {
            reload_auto: config.server.reload_auto,
            session_lasts: config.server.session_lasts,
            ..now.server.clone()
        };
        config.escalations.store = now.escalations.store.clone();
        config.decisions = now.decisions.clone();
        config.measures = now.measures;
        config.telemetry = now.telemetry.clone();
    }

    /// Decides by another matrix from now on.
    pub(super) fn decide_by(
        &self,
        matrix: &Arc<Matrix>,
        config: &Config,
        now: Timestamp,
    ) -> Result<(), String> {
        match self.deciding() {
            Some(deciding) => deciding.router.swap(Arc::clone(matrix), now),
            None => {
                let deciding = decide_by(Arc::clone(matrix), config, now);
                let deciding = deciding.map_err(|error| error.to_string())?;
                self.engine.store(Some(Arc::new(deciding)));
            }
        }
        let log = match (self.log().as_deref(), &config.decisions) {
            (Some(Ok(log)), _) => Ok(log.by(matrix, config)),
            (Some(Err(why)), _) => Err(why.clone()),
            (None, Some(decisions)) => Log::open(decisions, config, matrix, now),
            (None, None) => return Ok(()),
        };
        self.log.store(Some(Arc::new(log)));
        Ok(())
    }
}

/// The matrix on the disk, or its errors in words.
pub(super) fn load(root: &Root, config: &Config, now: Timestamp) -> Result<Arc<Matrix>, String> {
    let options = Options {
        limits: config.limits.clone(),
        today: Some(now.date_naive()),
    };
    let loaded = root.load(&options, false);
    match loaded.matrix {
        Some(matrix) if !loaded.diagnostics.has_errors() => Ok(matrix),
        _ => {
            let mut all = loaded.diagnostics.iter();
            let first = all.find(|it| it.severity() == Severity::Error);
            let first = first.map_or(String::new(), |it| format!(": {}", it.message));
            Err(format!("the matrix `{}` does not load{first}", root.name()))
        }
    }
}

/// The URL by which people reach a service, which listens at an address.
fn url_of(config: &Config, address: Option<SocketAddr>) -> String {
    if let Some(url) = &config.server.url {
        return url.clone();
    }
    let scheme = match config.server.tls {
        Some(_) => "https",
        None => "http",
    };
    format!("{scheme}://{}", address.unwrap_or(config.server.listen))
}

/// What tells people and callers.
fn outbound(config: &Config, url: &str) -> Result<Outbound, ConfigError> {
    Outbound::open(&config.notify, url, Arc::new(SystemLookup))
}

/// What a mutex holds, also after a panic elsewhere.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nothing is open beyond this machine that is not behind TLS.
fn is_safe(config: &Config, demo: bool) -> Result<(), StartError> {
    let server = &config.server;
    let is_local = server.listen.ip().is_loopback();
    if demo && !is_local {
        return Err(StartError::Unsafe(format!(
            "a service for demonstrations lets everybody in, so it listens on this machine alone, and \
             not on {}",
            server.listen
        )));
    }
    if server.is_exposed() {
        return Err(StartError::Unsafe(format!(
            "{} is reached from other machines: set `tls` under `[server]`, or `behind_proxy = true` \
             where something in front of it speaks TLS",
            server.listen
        )));
    }
    Ok(())
}
