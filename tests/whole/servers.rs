//! Two servers as processes, which are killed and begun again, and clients that ask until one answers.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long somebody asks before the whole is given up.
const PATIENCE: Duration = Duration::from_secs(90);

pub struct Server {
    address: String,
    folder: tempfile::TempDir,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// One with these files, on a port that stays its own.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, mode).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap().to_string();
        drop(port);
        let server = Self {
            address,
            folder,
            child: Mutex::new(None),
        };
        server.begin();
        server
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn begin(&self) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_laneway"))
            .args(["serve", ".", "--listen", &self.address])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        *self.child.lock().unwrap() = Some(child.unwrap());
        let begun = Instant::now();
        while !self.is_ready() {
            assert!(begun.elapsed() < PATIENCE, "{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_ready(&self) -> bool {
        let answer = agent()
            .get(format!("http://{}/readyz", self.address))
            .call();
        answer.is_ok_and(|it| it.status() == 200)
    }

    /// As a loss of power does to a process: nothing that it began is ended.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn begin_again(&self) {
        self.kill();
        self.begin();
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Somebody with a token, who asks either server.
#[derive(Clone)]
pub struct Client {
    token: String,
    addresses: [String; 2],
    agent: ureq::Agent,
}

/// What came back at last, and whether an answer was lost before.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
    pub lost_one: bool,
}

impl Client {
    pub fn new(servers: &[Server; 2], token: String) -> Self {
        Self {
            token,
            addresses: [0, 1].map(|n: usize| servers[n].address.clone()),
            agent: agent(),
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.until(fastrand::usize(..2), |url| {
            let request = self.agent.get(format!("{url}{path}"));
            request.header("authorization", &self.token).call()
        })
    }

    /// Asks one of the servers first, and then the other, until one answers.
    pub fn post(&self, first: usize, path: &str, key: &str, body: &Value) -> Answer {
        self.until(first, |url| {
            let request = self.agent.post(format!("{url}{path}"));
            let request = request
                .header("authorization", &self.token)
                .header("idempotency-key", key);
            request
                .content_type("application/json")
                .send(body.to_string())
        })
    }

    fn until(
        &self,
        first: usize,
        call: impl Fn(&str) -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Answer {
        let begun = Instant::now();
        let mut lost_one = false;
        for n in first.. {
            let url = format!("http://{}", self.addresses[n % 2]);
            let answered = call(&url).ok().and_then(|mut answer| {
                let text = answer.body_mut().read_to_string().ok()?;
                let json = serde_json::from_str(&text).ok()?;
                Some((answer.status().as_u16(), json))
            });
            match answered {
                Some((status, json)) if status < 500 => {
                    return Answer {
                        status,
                        json,
                        lost_one,
                    };
                }
                _ => lost_one = true,
            }
            assert!(begun.elapsed() < PATIENCE, "nobody answers");
            std::thread::sleep(Duration::from_millis(20));
        }
        unreachable!()
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .proxy(None);
    config.build().new_agent()
}
