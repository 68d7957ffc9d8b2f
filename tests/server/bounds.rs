//! What is refused before it is read, and what is never written down.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use laneway::server::Scope;
use serde_json::json;

use super::{Service, event, opened, payments, service};

/// The head of the answer to a request of which only the head was sent.
fn answer_to_head(service: &Service, head: &str) -> String {
    let address = service.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut bytes = [0; 4096];
    let many = stream.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..many]).into_owned()
}

#[test]
fn a_gibibyte_is_refused_before_it_is_sent() {
    let service = service();
    let token = service.token("payments", &[Scope::Decide]);
    for (path, status) in [
        ("/v1/decisions", "413"),
        ("/v1/decisions/batch", "413"),
        ("/v1/escalations/0/approve", "413"),
        // A block, as everything is that fails there.
        ("/v1/guard/evaluate", "200"),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n{{\"tool_name\""
        );
        let began = Instant::now();
        let answer = answer_to_head(&service, &head);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {answer}"
        );
        assert!(answer.contains("\"block\""), "{path}: {answer}");
        assert!(began.elapsed() < Duration::from_secs(5), "{path}");
    }
}

/// Keeps everything that is logged.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_token_is_in_no_log_and_no_file() {
    let kept = Kept::default();
    let writer = kept.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let service = service();
    let token = service.token("payments", &[Scope::Decide]);
    let secret = token.rsplit('_').next().unwrap().to_owned();
    let client = service
        .nobody()
        .with("authorization", &format!("Bearer {token}"));
    let (id, digest) = opened(&client, "e1");
    client
        .get(&format!("/v1/escalations/{id}?wait=100ms"))
        .fine();
    let consume = format!("/v1/escalations/{id}/consume");
    client.post(&consume, &json!({ "digest": digest, "key": "k" }));
    client.post_text("/v1/decisions", "application/json", "{");
    // With one letter more it is nobody's, and no log is to help to guess it.
    let forged = service
        .nobody()
        .with("authorization", &format!("Bearer {token}x"));
    assert_eq!(
        forged
            .post("/v1/decisions", &json!({ "event": event("e2", "1") }))
            .status,
        401
    );
    payments(&service).get("/v1/escalations").fine();
    tracing::info!("the log is kept");
    let folder = service.end();
    let log = kept.0.lock().unwrap().clone();
    let is_in = |text: &[u8]| memchr::memmem::find(text, secret.as_bytes()).is_some();
    assert!(memchr::memmem::find(&log, b"the log is kept").is_some());
    assert!(!is_in(&log), "the token was logged");
    let mut folders = vec![folder.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    files += 1;
                    assert!(!is_in(&std::fs::read(&path).unwrap()), "{}", path.display());
                }
            }
        }
    }
    assert!(files >= 3, "{files}");
}
