//! A collector of traces on this machine, which keeps the bytes that it takes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The path and the body of each request.
type Taken = Vec<(String, Vec<u8>)>;

/// The collector; its thread ends with the process.
pub struct Collector {
    pub url: String,
    taken: Arc<Mutex<Taken>>,
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::default();
        let its = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let its = Arc::clone(&its);
                std::thread::spawn(move || take(stream.unwrap(), &its));
            }
        });
        Self { url, taken }
    }

    /// The paths to which something was sent, in order.
    pub fn paths(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|(path, _)| path.clone()).collect()
    }

    /// Everything that was taken.
    pub fn bytes(&self) -> Vec<u8> {
        let taken = self.taken.lock().unwrap();
        taken.iter().flat_map(|(_, body)| body.clone()).collect()
    }

    /// How often some bytes are in it. Texts stand in protobuf as they are.
    pub fn count(&self, what: impl AsRef<[u8]>) -> usize {
        let (bytes, what) = (self.bytes(), what.as_ref());
        bytes.windows(what.len()).filter(|it| *it == what).count()
    }
}

/// A connection may bring several batches.
fn take(stream: TcpStream, taken: &Mutex<Taken>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut first = String::new();
        reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let path = first.split(' ').nth(1)?.to_owned();
        taken.lock().unwrap().push((path, body));
        let answer =
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).ok()?;
    }
}
