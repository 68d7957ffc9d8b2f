//! Decisions over HTTP beside a bare echo of axum with bodies of the same sizes, from 64 connections on this
//! machine: `cargo bench --bench http`. Long polls with decisions beside them, and the inbox with many pending:
//! `cargo bench --bench http -- polls`, `-- inbox`. As a test it does little of each. Every answer is looked at.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use laneway::escalation::Principal;
use laneway::server::{App, Scope, Started, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MATRIX: &str = include_str!("http.lane");

const TOML: &str = "[decisions]\nlog = \"decisions\"\n\
    [notify]\nchannels = [\"file\"]\nfile = \"notices.ndjson\"\n\
    [escalations]\nopen_per_requester = 1000000\n[groups]\nboard = [\"b1@x\", \"b2@x\"]\n";

/// Connections of the comparison.
const CONNECTIONS: usize = 64;

/// Runs of each, in turn.
const RUNS: usize = 5;

fn main() {
    let is_test = std::env::args().any(|arg| arg == "--test") || cfg!(debug_assertions);
    let named = |what: &str| std::env::args().any(|arg| arg == what);
    let all = !["polls", "inbox", "throughput"].into_iter().any(named);
    let wants = |what: &str| all || named(what);
    let clients = runtime("client");
    let service = Service::start();
    if wants("throughput") {
        throughput(
            &clients,
            &service,
            if is_test {
                Duration::from_millis(200)
            } else {
                Duration::from_secs(3)
            },
        );
    }
    if wants("polls") {
        let (polls, a_second, time) = if is_test {
            (20, 50, 1)
        } else {
            (2_000, 1_000, 10)
        };
        long_polls(
            &clients,
            &service,
            polls,
            a_second,
            Duration::from_secs(time),
        );
    }
    if wants("inbox") {
        inbox(&clients, &service, if is_test { 50 } else { 100_000 });
    }
}

fn runtime(name: &str) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(name)
        .enable_all()
        .build()
        .unwrap()
}

/// A service in this process, on threads of its own.
struct Service {
    app: Arc<App>,
    address: SocketAddr,
    token: String,
    person: String,
    _folder: tempfile::TempDir,
    _runtime: Runtime,
}

impl Service {
    fn start() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::fs::write(folder.path().join("m.lane"), MATRIX).unwrap();
        std::fs::write(folder.path().join("laneway.toml"), TOML).unwrap();
        let app = App::start(Started {
            matrix: folder.path().to_owned(),
            listen: Some("127.0.0.1:0".parse().unwrap()),
            ..Started::default()
        });
        let app = Arc::new(app.unwrap());
        let runtime = runtime("service");
        let serving = runtime.block_on(serve(Arc::clone(&app))).unwrap();
        let address = serving.address;
        runtime.spawn(serving.until(std::future::pending()));
        let now = std::time::SystemTime::now().into();
        let token = |owner: &str, scope| {
            let owner = Principal::parse(owner).unwrap();
            let made = app
                .access()
                .make_token(&owner, [scope].into(), None, "a benchmark", now);
            made.unwrap().text
        };
        Self {
            token: token("payments", Scope::Decide),
            person: token("b1@x", Scope::Answer),
            app,
            address,
            _folder: folder,
            _runtime: runtime,
        }
    }

    fn decide(&self, id: &str, amount: u32) -> Vec<u8> {
        let body = format!(
            r#"{{"event":{{"kind":"pay","id":"{id}","amount":{amount},"customer":"c-17","note":"a payment like any other"}}}}"#
        );
        request("POST", "/v1/decisions", &self.token, &body)
    }
}

fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// One connection that stays open.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: Vec::with_capacity(16 * 1024),
        }
    }

    /// Sends a request, and reads its answer whole: the status and the body.
    async fn ask(&mut self, request: &[u8]) -> (u16, &[u8]) {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        let head = loop {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the connection was closed");
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head]).unwrap();
        let status = text[9..12].parse().unwrap();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse::<usize>().unwrap());
        while self.buffer.len() < head + length {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the connection was closed");
        }
        (status, &self.buffer[head..head + length])
    }
}

/// A second, and the 99th of 100 times.
#[derive(Debug, Clone, Copy)]
struct Rate {
    a_second: f64,
    p99: Duration,
}

fn load(
    clients: &Runtime,
    address: SocketAddr,
    request: &[u8],
    has: &'static str,
    time: Duration,
) -> Rate {
    clients.block_on(async {
        let began = Instant::now();
        let tasks: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let request = request.to_vec();
                tokio::spawn(async move {
                    let mut connection = Connection::to(address).await;
                    let mut times = Vec::new();
                    while began.elapsed() < time {
                        let asked = Instant::now();
                        let (status, body) = connection.ask(&request).await;
                        times.push(asked.elapsed());
                        assert_eq!(status, 200);
                        assert!(body.windows(has.len()).any(|part| part == has.as_bytes()));
                    }
                    times
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.unwrap());
        }
        let took = began.elapsed().as_secs_f64();
        times.sort();
        Rate {
            a_second: times.len() as f64 / took,
            p99: times[times.len() * 99 / 100],
        }
    })
}

fn throughput(clients: &Runtime, service: &Service, time: Duration) {
    let asked = service.decide("e-4711", 10);
    let answer = clients.block_on(async {
        let mut connection = Connection::to(service.address).await;
        connection.ask(&asked).await.1.to_vec()
    });
    let has = r#""word":"allow""#;
    let echo = runtime("echo");
    let listener = echo
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let size = answer.len();
    let answer = Bytes::from(answer);
    let handler = move |body: Bytes| {
        let answer = answer.clone();
        async move {
            assert!(!body.is_empty());
            ([(CONTENT_TYPE, "application/json")], answer)
        }
    };
    let router = axum::Router::new().route("/v1/decisions", axum::routing::post(handler));
    echo.spawn(async move { axum::serve(listener, router).await });
    let mut ratios = Vec::new();
    let mut slower = Vec::new();
    for run in 1..=RUNS {
        let bare = load(clients, address, &asked, has, time);
        let ours = load(clients, service.address, &asked, has, time);
        ratios.push(ours.a_second / bare.a_second);
        slower.push(ours.p99.as_secs_f64() / bare.p99.as_secs_f64());
        println!(
            "run {run}: decisions {:.0} a second, p99 {:.2?}; echo {:.0} a second, p99 {:.2?}",
            ours.a_second, ours.p99, bare.a_second, bare.p99
        );
    }
    ratios.sort_by(f64::total_cmp);
    slower.sort_by(f64::total_cmp);
    println!(
        "decisions over HTTP ({} bytes, answers of {size}), token checked, decision log on: {:.2} x echo \
         (must 0.60), p99 {:.2} x (must 2)",
        asked.len(),
        ratios[RUNS / 2],
        slower[RUNS / 2]
    );
}

/// Opens escalations, waits for all of them, decides others meanwhile, and answers.
fn long_polls(clients: &Runtime, service: &Service, polls: usize, a_second: u64, time: Duration) {
    let address = service.address;
    let opened: Vec<String> = clients.block_on(async {
        let mut tasks = Vec::new();
        for part in 0..16 {
            let requests: Vec<_> = (part..polls)
                .step_by(16)
                .map(|n| service.decide(&format!("poll-{n}"), 5_000))
                .collect();
            tasks.push(tokio::spawn(async move {
                let mut connection = Connection::to(address).await;
                let mut ids = Vec::new();
                for request in requests {
                    let (status, body) = connection.ask(&request).await;
                    assert_eq!(status, 200);
                    let json: serde_json::Value = serde_json::from_slice(body).unwrap();
                    assert_eq!(json["word"], "escalate");
                    ids.push(json["escalation"]["id"].as_str().unwrap().to_owned());
                }
                ids
            }));
        }
        let mut ids = Vec::new();
        for task in tasks {
            ids.extend(task.await.unwrap());
        }
        ids
    });
    clients.block_on(async {
        let waiting: Vec<_> = opened
            .iter()
            .map(|id| {
                let request = request("GET", &format!("/v1/escalations/{id}?wait=50s"), &service.token, "");
                tokio::spawn(async move {
                    let mut connection = Connection::to(address).await;
                    loop {
                        let (status, body) = connection.ask(&request).await;
                        assert_eq!(status, 200);
                        let json: serde_json::Value = serde_json::from_slice(body).unwrap();
                        if json["state"] != "pending" {
                            assert_eq!(json["state"], "denied");
                            return;
                        }
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let is_over = Arc::new(AtomicBool::new(false));
        let deciding: Vec<_> = (0..16)
            .map(|n| {
                let request = service.decide(&format!("beside-{n}"), 10);
                let is_over = Arc::clone(&is_over);
                let pause = Duration::from_micros(16_000_000 / a_second);
                tokio::spawn(async move {
                    let mut connection = Connection::to(address).await;
                    let mut times = Vec::new();
                    let mut ticks = tokio::time::interval(pause);
                    while !is_over.load(Ordering::Relaxed) {
                        ticks.tick().await;
                        let asked = Instant::now();
                        let (status, _) = connection.ask(&request).await;
                        times.push(asked.elapsed());
                        assert_eq!(status, 200);
                    }
                    times
                })
            })
            .collect();
        let began = Instant::now();
        // Those that are waited for end all along the time.
        let mut answering = Connection::to(address).await;
        let pause = time / u32::try_from(polls).unwrap();
        for (n, id) in opened.iter().enumerate() {
            let body = r#"{"reason": "no"}"#;
            let deny = request("POST", &format!("/v1/escalations/{id}/deny"), &service.person, body);
            assert_eq!(answering.ask(&deny).await.0, 200);
            let next = began + pause * u32::try_from(n + 1).unwrap();
            tokio::time::sleep_until(next.into()).await;
        }
        for poll in waiting {
            tokio::time::timeout(Duration::from_secs(60), poll).await.expect("a lost poll").unwrap();
        }
        let took = began.elapsed();
        is_over.store(true, Ordering::Relaxed);
        let mut times = Vec::new();
        for task in deciding {
            times.extend(task.await.unwrap());
        }
        times.sort();
        println!(
            "{polls} long polls, all answered in {took:.1?}; beside them {:.0} decisions a second, p99 {:.2?} \
             (must 50 ms)",
            times.len() as f64 / took.as_secs_f64(),
            times[times.len() * 99 / 100]
        );
    });
}

/// The first page of the inbox.
fn inbox(clients: &Runtime, service: &Service, pending: usize) {
    let address = service.address;
    clients.block_on(async {
        let mut tasks = Vec::new();
        for part in 0..32 {
            let requests: Vec<_> = (part..pending)
                .step_by(32)
                .map(|n| service.decide(&format!("in-{n}"), 5_000))
                .collect();
            tasks.push(tokio::spawn(async move {
                let mut connection = Connection::to(address).await;
                for request in requests {
                    assert_eq!(connection.ask(&request).await.0, 200);
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let now = std::time::SystemTime::now().into();
        let person = Principal::parse("b1@x").unwrap();
        let lasts = laneway::Duration::from_minutes(60);
        let cookie = service.app.access().sign_in(&person, now, lasts).unwrap();
        let get = format!("GET / HTTP/1.1\r\nhost: x\r\ncookie: laneway={cookie}\r\n\r\n");
        let mut connection = Connection::to(address).await;
        let mut times: Vec<_> = Vec::new();
        for _ in 0..20 {
            let asked = Instant::now();
            let (status, body) = connection.ask(get.as_bytes()).await;
            times.push(asked.elapsed());
            assert_eq!(status, 200);
            assert!(body.windows(14).any(|part| part == b"class=\"urgency"));
        }
        times.sort();
        println!(
            "inbox with {pending} pending: median {:.1?}, longest {:.1?} (must 50 ms)",
            times[10], times[19]
        );
    });
}
