//! A service on a port of its own, and a client of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use laneway::Timestamp;
use laneway::escalation::Principal;
use laneway::server::{App, Scope, Started, serve};
use tokio::sync::oneshot;

/// A service that ends with this.
pub struct Service {
    pub url: String,
    pub app: Arc<App>,
    pub folder: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The answer of something that worked.
    #[track_caller]
    pub fn fine(self) -> Self {
        assert!((200..400).contains(&self.status), "{self:?}");
        self
    }

    /// The code of a problem of a status.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json = self.json();
        assert_eq!(json["word"], "block", "{json}");
        json["code"].as_str().unwrap().to_owned()
    }
}

/// Who asks, as the transport says.
#[derive(Debug, Clone, Default)]
pub struct Client {
    pub headers: Vec<(String, String)>,
    url: String,
}

impl Service {
    /// A service of a matrix with a configuration.
    pub fn start(matrix: &str, toml: &str) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self::start_in(folder, matrix, toml, false)
    }

    /// The same for demonstrations, in a folder that may have a store.
    pub fn start_in(folder: tempfile::TempDir, matrix: &str, toml: &str, demo: bool) -> Self {
        std::fs::write(folder.path().join("m.lane"), matrix).unwrap();
        std::fs::write(folder.path().join("laneway.toml"), toml).unwrap();
        let started = Started {
            matrix: folder.path().to_owned(),
            listen: Some("127.0.0.1:0".parse().unwrap()),
            demo,
            ..Started::default()
        };
        let app = Arc::new(App::start(started).unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let its = Arc::clone(&app);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let serving = serve(its).await.unwrap();
                tell.send(serving.address).unwrap();
                let over = async {
                    let _ = stopped.await;
                };
                serving.until(over).await.unwrap();
            });
        });
        let address = told.recv().unwrap();
        Self {
            url: format!("http://{address}"),
            app,
            folder,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new token.
    pub fn token(&self, owner: &str, scopes: &[Scope]) -> String {
        let owner = Principal::parse(owner).unwrap();
        let now: Timestamp = std::time::SystemTime::now().into();
        let scopes = scopes.iter().copied().collect();
        let made = self
            .app
            .access()
            .make_token(&owner, scopes, None, "a test", now);
        made.unwrap().text
    }

    /// A client that nobody knows.
    pub fn nobody(&self) -> Client {
        Client {
            url: self.url.clone(),
            headers: Vec::new(),
        }
    }

    /// A client with a new token.
    pub fn client(&self, owner: &str, scopes: &[Scope]) -> Client {
        let token = self.token(owner, scopes);
        self.nobody()
            .with("authorization", &format!("Bearer {token}"))
    }

    /// A person who answers through the API.
    pub fn person(&self, name: &str) -> Client {
        self.client(name, &[Scope::Answer])
    }

    /// Ends it, when what has begun is done.
    pub fn end(mut self) -> tempfile::TempDir {
        self.stop_now();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    fn stop_now(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop_now();
    }
}

impl Client {
    /// The same with a header.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    pub fn get(&self, path: &str) -> Answer {
        let agent = agent();
        let mut request = agent.get(format!("{}{path}", self.url));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(request.call().unwrap())
    }

    pub fn post(&self, path: &str, body: &serde_json::Value) -> Answer {
        self.post_text(path, "application/json", &body.to_string())
    }

    pub fn post_text(&self, path: &str, kind: &str, body: &str) -> Answer {
        let agent = agent();
        let mut request = agent.post(format!("{}{path}", self.url));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(request.content_type(kind).send(body).unwrap())
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(std::time::Duration::from_secs(90)))
        .build();
    config.into()
}

fn answer(response: ureq::http::Response<ureq::Body>) -> Answer {
    let (parts, mut body) = response.into_parts();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: body.read_to_string().unwrap(),
    }
}
