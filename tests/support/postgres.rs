//! A server of PostgreSQL for tests: in a folder of its own, on a socket of its own, without a port.
//!
//! In: the server's programs, where this machine has them. Out: fresh databases.
//! Invariant: durability is as the server has it by default; it ends with the process that started it,
//! however that ends, and nothing else is ever stopped. Where there are no programs, each test says by
//! its name that it was skipped; with `LANEWAY_POSTGRES=required` it fails.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

/// A server that runs.
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    /// The shell that keeps the server: it ends it when its input ends, which the end of this process
    /// does, whatever ends that.
    keeper: Child,
    /// The process of the server itself.
    pub server: u32,
}

/// The programs of a server: where `initdb` and `postgres` lie.
fn programs() -> Option<PathBuf> {
    let has_both =
        |folder: &Path| folder.join("initdb").exists() && folder.join("postgres").exists();
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).find(|folder| has_both(folder)) {
        return Some(found);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = versions
        .filter_map(Result::ok)
        .map(|version| version.path().join("bin"))
        .filter(|folder| has_both(folder))
        .collect();
    folders.sort();
    folders.pop()
}

/// The server that the tests of this process share; nothing where there is none. Says which test is
/// skipped then.
pub fn shared(test: &str) -> Option<&'static Cluster> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| programs().map(|programs| Cluster::start(&programs)));
    if shared.is_none() {
        skip(test);
    }
    shared.as_ref()
}

/// A server of one test, which may do with it what it wants.
pub fn own(test: &str) -> Option<Cluster> {
    let programs = programs();
    if programs.is_none() {
        skip(test);
    }
    programs.map(|programs| Cluster::start(&programs))
}

fn skip(test: &str) {
    let is_required = std::env::var_os("LANEWAY_POSTGRES").is_some_and(|it| it == "required");
    assert!(
        !is_required,
        "`{test}` needs the programs of a PostgreSQL server, and there are none"
    );
    // Not by a macro, whose words are kept from who runs the tests when they pass.
    let words = format!("skipped: {test} (this machine has no PostgreSQL server)\n");
    std::io::stderr().write_all(words.as_bytes()).unwrap();
}

/// A server does not run as root.
fn as_user(program: &Path) -> Command {
    let mut command = match is_root() {
        false => return Command::new(program),
        true => Command::new("setpriv"),
    };
    let user = user();
    command
        .args([format!("--reuid={user}"), format!("--regid={user}")])
        .args(["--clear-groups", "--"])
        .arg(program);
    command
}

fn is_root() -> bool {
    id(&["-u"]).as_deref() == Some("0")
}

/// The number of a user who is not root.
fn user() -> String {
    id(&["-u", "postgres"])
        .or_else(|| id(&["-u", "nobody"]))
        .expect("a user who is not root")
}

fn id(arguments: &[&str]) -> Option<String> {
    let output = Command::new("id").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

impl Cluster {
    fn start(programs: &Path) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("laneway-pg-")
            .tempdir()
            .unwrap()
            .keep();
        if is_root() {
            let user: u32 = user().parse().unwrap();
            std::os::unix::fs::chown(&folder, Some(user), Some(user)).unwrap();
        }
        let made = as_user(&programs.join("initdb"))
            .arg("-D")
            .arg(folder.join("data"))
            // The files need not be on disk before the server starts; what it writes then is.
            .args([
                "-U",
                "laneway",
                "--auth=trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            ])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let (keeper, server) = run(programs, &folder);
        let cluster = Self {
            folder,
            programs: programs.to_owned(),
            keeper,
            server,
        };
        cluster.wait();
        cluster
    }

    /// Starts it again after it was stopped.
    pub fn restart(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
        (self.keeper, self.server) = run(&self.programs, &self.folder);
        self.wait();
    }

    /// Stops it at once: what it has not on disk is lost, and the next start has to recover.
    #[allow(dead_code, reason = "not every test stops it")]
    pub fn stop(&self) {
        let stopped = as_user(&self.programs.join("pg_ctl"))
            .args(["stop", "-m", "immediate", "-w", "-D"])
            .arg(self.folder.join("data"))
            .current_dir(&self.folder)
            .output()
            .unwrap();
        assert!(
            stopped.status.success(),
            "pg_ctl: {}",
            String::from_utf8_lossy(&stopped.stderr)
        );
    }

    /// Takes back every setting that was made by `ALTER SYSTEM`, while it is stopped.
    #[allow(dead_code, reason = "not every test makes settings")]
    pub fn forget_settings(&self) {
        std::fs::write(self.folder.join("data/postgresql.auto.conf"), "").unwrap();
    }

    /// Kills it, as a loss of power does.
    pub fn crash(&mut self) {
        // The server's other processes end when this one does.
        signal("-KILL", self.server);
        let began = Instant::now();
        while self.try_connect("postgres").is_some() && began.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
        // A server does not start beside processes of the one before.
        std::thread::sleep(Duration::from_millis(500));
    }

    /// A database that is empty, by a name that no other has.
    pub fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("laneway_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut client = self.try_connect("postgres").unwrap();
        client
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .unwrap();
        name
    }

    /// Where a database is.
    pub fn url(&self, database: &str) -> String {
        format!(
            "host={} user=laneway dbname={database}",
            self.folder.display()
        )
    }

    /// A program that comes with the server, where this machine has it.
    pub fn program(&self, name: &str) -> Option<Command> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path);
        let mut all = std::iter::once(self.programs.clone()).chain(folders);
        let found = all.find(|folder| folder.join(name).exists())?;
        Some(Command::new(found.join(name)))
    }

    /// A connection past the store, for statements that no program would make.
    pub fn client(&self, database: &str) -> Client {
        self.try_connect(database).unwrap()
    }

    fn try_connect(&self, database: &str) -> Option<Client> {
        Client::connect(&self.url(database), NoTls).ok()
    }

    fn wait(&self) {
        let began = Instant::now();
        while self.try_connect("postgres").is_none() {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "the server does not start: {}",
                log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The end of its input.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Starts the server below a shell that says its process, waits for the end of its own input, stops the
/// server and removes its folder.
fn run(programs: &Path, folder: &Path) -> (Child, u32) {
    const KEEP: &str = r#"
        "$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= >>"$2/log" 2>&1 </dev/null &
        server=$!
        echo "$server"
        cat >/dev/null
        kill -INT "$server" 2>/dev/null
        wait "$server"
        rm -rf "$2"
    "#;
    let mut keeper = as_user(Path::new("sh"))
        .args(["-c", KEEP, "keeper"])
        .arg(programs)
        .arg(folder)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // An interrupt at the terminal ends the tests, and with them the server, in this order.
        .process_group(0)
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut said = BufReader::new(keeper.stdout.take().unwrap());
    said.read_line(&mut line).unwrap();
    (keeper, line.trim().parse().unwrap())
}

fn signal(signal: &str, process: u32) {
    let done = Command::new("kill")
        .args([signal, &process.to_string()])
        .status()
        .unwrap();
    assert!(done.success());
}
