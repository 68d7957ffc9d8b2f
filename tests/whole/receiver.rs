//! A receiver of webhooks that fails half of the time.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver as Arrivals, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// In a row one notice is refused so often at most: the next try comes minutes later.
const IN_A_ROW: u32 = 2;

/// What came under one id.
#[derive(Debug, Default, Clone)]
pub struct Came {
    pub bodies: Vec<String>,
    pub taken: u32,
    pub refused: u32,
}

pub type All = BTreeMap<String, Came>;

pub struct Receiver {
    pub address: SocketAddr,
    all: Arc<Mutex<All>>,
    /// What was taken, as it is.
    pub taken: Mutex<Arrivals<Value>>,
}

impl Receiver {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let all = Arc::<Mutex<All>>::default();
        let (tell, taken) = channel();
        let its = Arc::clone(&all);
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (its, tell) = (Arc::clone(&its), tell.clone());
                std::thread::spawn(move || one(stream, &its, &tell));
            }
        });
        Self {
            address,
            all,
            taken: Mutex::new(taken),
        }
    }

    /// Everything that came, by its id.
    pub fn all(&self) -> All {
        self.all.lock().unwrap().clone()
    }
}

/// Answers the requests of one connection until one is refused by saying nothing.
fn one(stream: TcpStream, all: &Mutex<All>, tell: &Sender<Value>) {
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some((id, body)) = request(&mut reader) {
        let mut all = all.lock().unwrap();
        let came = all.entry(id).or_default();
        came.bodies.push(body.clone());
        let since = came.bodies.len() as u32 - came.taken;
        let refuses = fastrand::bool() && since <= IN_A_ROW;
        match refuses {
            true => came.refused += 1,
            false => came.taken += 1,
        }
        drop(all);
        if refuses && fastrand::bool() {
            // As one that was killed.
            return;
        }
        let status = if refuses { "503 no" } else { "204 fine" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
        if !refuses {
            let body = serde_json::from_str(&body).unwrap();
            // Nobody listens any more at the end.
            let _ = tell.send(body);
        }
    }
}

/// The id and the body of the next request; nothing when the connection ends, also in the middle of one.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let (mut id, mut length, mut line) = (None, 0, String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "webhook-id" => id = Some(value.trim().to_owned()),
                "content-length" => length = value.trim().parse().unwrap(),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((id.unwrap(), String::from_utf8(body).unwrap()))
}
