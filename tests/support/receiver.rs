//! Receivers on this machine: of requests over the web, and of mail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(its, _)| its == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// Answers requests as it is told, and keeps them.
pub struct Receiver {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<Vec<String>>>,
}

/// An answer of a status with headers.
pub fn status(status: u16, headers: &str) -> String {
    format!("HTTP/1.1 {status} x\r\n{headers}content-length: 2\r\n\r\nok")
}

impl Receiver {
    /// One that answers 200.
    pub fn new() -> Self {
        Self::at(Ipv4Addr::LOCALHOST, 0)
    }

    pub fn at(host: Ipv4Addr, port: u16) -> Self {
        let listener = TcpListener::bind((host, port)).unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, answers) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::default());
        let (its, told) = (
            Arc::clone(&seen),
            Arc::<Mutex<Vec<String>>>::clone(&answers),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut told = told.lock().unwrap();
                let answer = match told.is_empty() {
                    true => status(200, ""),
                    false => told.remove(0),
                };
                drop(told);
                answer_one(stream, &its, &answer);
            }
        });
        Self {
            address,
            seen,
            answers,
        }
    }

    /// What it answers next, before 200 again.
    pub fn answers(&self, list: &[String]) {
        self.answers.lock().unwrap().extend_from_slice(list);
    }

    /// What came since the last time.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }
}

/// A connection that says nothing is kept too: it was made.
fn answer_one(mut stream: TcpStream, seen: &Mutex<Vec<Seen>>, answer: &str) {
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = Seen::default();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
        let text = line.trim_end().to_owned();
        line.clear();
        match (request.line.is_empty(), text.is_empty()) {
            (true, _) => request.line = text,
            (false, true) => break,
            (false, false) => {
                let (name, value) = text.split_once(':').unwrap();
                let name = name.to_ascii_lowercase();
                request.headers.push((name, value.trim().to_owned()));
            }
        }
    }
    let length = request.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    request.body = String::from_utf8(body).unwrap();
    seen.lock().unwrap().push(request);
    // Who asked may have gone before the end of a long answer.
    let _ = stream.write_all(answer.as_bytes());
}

/// A mail server that keeps what it is told.
pub struct MailServer {
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    /// One that says what it can do, and answers commands that begin so otherwise than with 250.
    pub fn new(
        can: &'static [&'static str],
        answers: &'static [(&'static str, &'static str)],
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let its = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve_mail(stream, can, answers, &its);
            }
        });
        Self { address, heard }
    }

    /// The lines that it heard since the last time.
    pub fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

fn serve_mail(
    mut stream: TcpStream,
    can: &[&str],
    answers: &[(&str, &str)],
    heard: &Mutex<Vec<String>>,
) {
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let reader = BufReader::new(stream.try_clone().unwrap());
    let mut is_data = false;
    let mut say = move |text: &str| {
        // Who is told something may have gone.
        let _ = stream.write_all(format!("{text}\r\n").as_bytes());
    };
    say("220 mail.test");
    for line in reader.lines().map_while(Result::ok) {
        heard.lock().unwrap().push(line.clone());
        if is_data {
            is_data = line != ".";
            if !is_data {
                say("250 taken");
            }
            continue;
        }
        let other = answers.iter().find(|(begin, _)| line.starts_with(begin));
        match other {
            Some((_, answer)) => say(answer),
            None if line.starts_with("EHLO") => {
                let all: Vec<String> = can.iter().map(|it| format!("250-{it}\r\n")).collect();
                say(&format!("250-mail.test\r\n{}250 8BITMIME", all.concat()));
            }
            None if line.starts_with("AUTH") => say("235 welcome"),
            None if line == "DATA" => {
                is_data = true;
                say("354 go on");
            }
            None if line == "QUIT" => {
                say("221 bye");
                return;
            }
            None => say("250 fine"),
        }
    }
}
