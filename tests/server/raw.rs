//! Connections on which not everything is said, or not as a client would say it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Service;

/// Longer than anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(15);

pub fn connect(service: &Service) -> TcpStream {
    let address = service.url.strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What comes next, within the time of the connection.
pub fn next(stream: &mut TcpStream) -> String {
    let mut bytes = [0; 4096];
    let many = stream.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..many]).into_owned()
}

/// All that is answered to a request, until the connection ends.
pub fn answer(service: &Service, request: &str) -> String {
    let mut stream = connect(service);
    stream.write_all(request.as_bytes()).unwrap();
    rest(&mut stream)
}

/// All that comes still. Who did not read a request to its end may break the connection.
pub fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        let is_end = matches!(
            error.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        );
        assert!(is_end, "{error}: {}", String::from_utf8_lossy(&bytes));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How a connection ended into which bytes drip.
pub struct Ended {
    pub heard: String,
    pub took: Duration,
}

/// Drips bytes, ten a second, until the connection is ended by the other side.
#[track_caller]
pub fn drip(stream: &mut TcpStream, bytes: impl IntoIterator<Item = u8>) -> Ended {
    let began = Instant::now();
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let (mut bytes, mut heard) = (bytes.into_iter(), Vec::new());
    let mut room = [0; 4096];
    while began.elapsed() < PATIENCE {
        match stream.read(&mut room) {
            Ok(many) if many > 0 => heard.extend_from_slice(&room[..many]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                // What cannot be written any more is told by the next look.
                let _ = bytes.next().map(|byte| stream.write_all(&[byte]));
            }
            _ => {
                return Ended {
                    heard: String::from_utf8_lossy(&heard).into_owned(),
                    took: began.elapsed(),
                };
            }
        }
    }
    panic!("it is never ended: {}", String::from_utf8_lossy(&heard));
}
