//! Connections: opened when they are needed, checked, lent, and replaced when they break.
//!
//! In: where the database is. Out: a connection for one transaction.
//! Invariant: what comes back is between two transactions; anything else is closed, and the server rolls
//! back what was open on it. A connection that does not commit durably is never lent.
//! Knows no table.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use postgres::config::Host;
use postgres::types::ToSql;
use postgres::{Client, Config, NoTls, Row, Statement};

use super::PostgresOptions;
use super::error::Failure;
use crate::limits::POSTGRES_MATRICES;
use crate::store::{StoreError, StoreErrorKind};

/// Nothing hangs: who waits longer for a lock than this gets an error. A transaction takes milliseconds.
const SESSION: &str = "\
    SET lock_timeout = '5s'; SET statement_timeout = '30s'; \
    SET idle_in_transaction_session_timeout = '60s'; SET jit = off; \
    SET client_min_messages = warning; SET search_path = public, pg_temp";

/// How long a server may take to answer to a new connection.
const CONNECT: Duration = Duration::from_secs(5);

/// A few connections to one database.
#[derive(Debug)]
pub(super) struct Pool {
    config: Config,
    options: PostgresOptions,
    held: Mutex<Held>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Held {
    idle: Vec<Connection>,
    lent: usize,
}

/// A connection, with the statements that it has prepared.
pub(super) struct Connection {
    pub(super) client: Client,
    prepared: HashMap<&'static str, Statement>,
    /// Digests of matrices that are surely kept.
    matrices: HashSet<String>,
}

/// A connection for one transaction. It is closed unless it is given back.
#[derive(Debug)]
pub(super) struct Lease<'p> {
    pool: &'p Pool,
    connection: Option<Connection>,
}

impl Pool {
    /// Reads where the database is; connects to nothing yet.
    pub(super) fn new(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(|error: postgres::Error| {
            use std::error::Error as _;
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            StoreError::other(format!("the address of the database is not one: {why}"))
        })?;
        stays_here(&config)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("laneway");
        }
        Ok(Self {
            config,
            options,
            held: Mutex::default(),
            freed: Condvar::new(),
        })
    }

    /// A new connection, which is not of the pool.
    pub(super) fn connect(&self) -> Result<Connection, StoreError> {
        let failed = |error: &postgres::Error| Failure::of(error).error;
        let mut client = self.config.connect(NoTls).map_err(|error| failed(&error))?;
        client
            .batch_execute(SESSION)
            .map_err(|error| failed(&error))?;
        let mut connection = Connection {
            client,
            prepared: HashMap::new(),
            matrices: HashSet::new(),
        };
        is_durable(&mut connection)?;
        Ok(connection)
    }

    /// Lends a connection; waits while all are lent.
    pub(super) fn lend(&self) -> Result<Lease<'_>, StoreError> {
        let most = self.options.connections.max(1);
        let held = self.held();
        let wait = self
            .freed
            .wait_timeout_while(held, self.options.patience, |held| held.lent >= most);
        let (mut held, _) = wait.unwrap_or_else(PoisonError::into_inner);
        if held.lent >= most {
            let message = format!("all {most} connections to the database are in use");
            return Err(StoreError::new(StoreErrorKind::Busy, message));
        }
        held.lent += 1;
        let idle = loop {
            match held.idle.pop() {
                Some(broken) if broken.client.is_closed() => {}
                other => break other,
            }
        };
        drop(held);
        // From here on the lease counts down again, whatever happens.
        let mut lease = Lease {
            pool: self,
            connection: idle,
        };
        if lease.connection.is_none() {
            lease.connection = Some(self.connect()?);
        }
        Ok(lease)
    }

    /// Closes those that nobody uses: they may be as broken as one that was found broken.
    pub(super) fn forget_idle(&self) {
        let idle = std::mem::take(&mut self.held().idle);
        drop(idle);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    /// The connection.
    pub(super) fn get(&mut self) -> Result<&mut Connection, StoreError> {
        let gone = || StoreError::other("the connection was given back");
        self.connection.as_mut().ok_or_else(gone)
    }

    /// Gives it back, between two transactions.
    pub(super) fn give_back(mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.held().idle.push(connection);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // Closing tells the server, and is done before another takes the place.
        drop(self.connection.take());
        self.pool.held().lent -= 1;
        self.pool.freed.notify_one();
    }
}

impl Connection {
    /// Runs a statement, which is prepared once.
    pub(super) fn query(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, postgres::Error> {
        let statement = match self.prepared.get(sql) {
            Some(statement) => statement.clone(),
            None => {
                let statement = self.client.prepare(sql)?;
                self.prepared.insert(sql, statement.clone());
                statement
            }
        };
        self.client.query(&statement, values)
    }

    /// Whether a matrix is surely kept. One that is not known may be.
    pub(super) fn knows_matrix(&self, digest: &str) -> bool {
        self.matrices.contains(digest)
    }

    /// Notes that a matrix is kept, by a transaction that has committed.
    pub(super) fn know_matrix(&mut self, digest: &str) {
        if self.matrices.len() >= POSTGRES_MATRICES {
            self.matrices.clear();
        }
        self.matrices.insert(digest.to_owned());
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

/// What goes over a network needs encryption, which is not there yet: only this machine is spoken to.
fn stays_here(config: &Config) -> Result<(), StoreError> {
    let is_here = |host: &Host| match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    };
    let far = config.get_hosts().iter().find(|host| !is_here(host));
    let far_address = config.get_hostaddrs().iter().find(|ip| !ip.is_loopback());
    if far.is_none() && far_address.is_none() {
        return Ok(());
    }
    Err(StoreError::other(
        "only a database on this machine is spoken to, by a socket or a loopback address: \
         connections are not encrypted yet",
    ))
}

/// Rule 14: what is acknowledged is on disk.
fn is_durable(connection: &mut Connection) -> Result<(), StoreError> {
    let sql = "SELECT name, setting FROM pg_settings WHERE name IN \
        ('fsync', 'full_page_writes', 'synchronous_commit', 'server_encoding')";
    let rows = connection.client.query(sql, &[]);
    let rows = rows.map_err(|error| Failure::of(&error).error)?;
    let mut seen = 0;
    for row in rows {
        let (name, value): (&str, &str) = (row.get(0), row.get(1));
        seen += 1;
        let is_good = match name {
            "server_encoding" => value == "UTF8",
            // Of the other values each waits at least for the disk of this server.
            "synchronous_commit" => value != "off",
            _ => value == "on",
        };
        if !is_good {
            return Err(StoreError::other(format!(
                "the database has `{name}` {value}: it must be {}",
                if name == "server_encoding" {
                    "UTF8"
                } else {
                    "on"
                }
            )));
        }
    }
    if seen < 4 {
        return Err(StoreError::other(
            "the database does not say whether it is durable",
        ));
    }
    Ok(())
}
