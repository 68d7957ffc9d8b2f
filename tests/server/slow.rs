//! Clients that are slow on purpose: each costs a bounded time, and no other client anything.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use laneway::server::Scope;

use super::entering::{cookie, signed_in, word};
use super::raw::{PATIENCE, connect, drip, next, rest};
use super::{MATRIX, Service, TOML};

/// A service that waits for a second.
fn impatient() -> Service {
    let times = "[server]\nhead_within = \"1s\"\nbody_within = \"1s\"\n";
    Service::start(MATRIX, &format!("{TOML}\n{times}"))
}

/// Long behind the second.
const SOON: Duration = Duration::from_secs(5);

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

/// A head without an end.
fn endless_head() -> impl Iterator<Item = u8> {
    "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: "
        .bytes()
        .chain(std::iter::repeat(b'a'))
}

/// Who, what they say at first, and what drips.
type Slow<'s> = (&'s str, &'s [u8], Box<dyn Iterator<Item = u8>>);

/// Asks for the health on a connection that stays open.
fn is_answered(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(HEALTH.as_bytes()).unwrap();
    let answer = next(stream);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn a_head_that_drips_and_a_connection_that_says_nothing_end_in_time() {
    let service = impatient();
    // The beginning of HTTP/2, which says which protocol is spoken, and a little less than that.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let cases: [Slow<'_>; 6] = [
        ("says nothing", b"", Box::new(std::iter::empty())),
        ("drips a head", b"", Box::new(endless_head())),
        (
            "drips fast at first",
            b"GET /healthz HTTP/1.1\r\nHo",
            Box::new(endless_head()),
        ),
        (
            "says half of which protocol",
            &preface[..20],
            Box::new(std::iter::empty()),
        ),
        (
            "drips which protocol",
            b"",
            Box::new(preface[..23].iter().copied()),
        ),
        (
            "speaks HTTP/2 and asks nothing",
            preface,
            Box::new(settings.into_iter()),
        ),
    ];
    for (who, first, bytes) in cases {
        let mut stream = connect(&service);
        stream.write_all(first).unwrap();
        let ended = drip(&mut stream, bytes);
        assert!(ended.took < SOON, "{who}: {:?}", ended.took);
        assert!(
            ended.took > Duration::from_millis(500),
            "{who}: {:?}",
            ended.took
        );
        assert!(!ended.heard.contains("200 OK"), "{who}: {}", ended.heard);
    }
}

#[test]
fn a_connection_that_is_kept_open_for_nothing_is_closed() {
    let service = impatient();
    let mut stream = connect(&service);
    for _ in 0..5 {
        // Who goes on to ask is not cut off, however long it takes in all.
        is_answered(&mut stream);
        std::thread::sleep(Duration::from_millis(400));
    }
    for bytes in [
        Vec::new(),
        b"GET /healthz HTTP/1.1\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaa".to_vec(),
    ] {
        let mut stream = connect(&service);
        is_answered(&mut stream);
        let ended = drip(&mut stream, bytes);
        assert!(ended.took < SOON, "{:?}", ended.took);
    }
}

#[test]
fn a_body_that_drips_is_answered_in_time() {
    let service = impatient();
    let bearer = |name: &str, scope| {
        format!(
            "Authorization: Bearer {}\r\n",
            service.token(name, &[scope])
        )
    };
    let asks = bearer("payments", Scope::Decide);
    let browser = signed_in(&service, "op@x");
    let origin = format!("Origin: {}\r\n", service.url);
    let session = format!("{origin}Cookie: {}\r\n", cookie(&browser));
    let (id, _) = super::opened(&super::payments(&service), "e1");
    let form = "application/x-www-form-urlencoded";
    let json = "application/json";
    let routes = [
        ("/v1/decisions".to_owned(), &asks, json, "408"),
        ("/v1/decisions/batch".to_owned(), &asks, json, "408"),
        (format!("/v1/escalations/{id}/comment"), &asks, json, "408"),
        (
            "/v1/matrix/reload".to_owned(),
            &bearer("op@x", Scope::Operate),
            json,
            "408",
        ),
        // A block, as everything is that fails there.
        ("/v1/guard/evaluate".to_owned(), &asks, json, "200"),
        ("/sign-in".to_owned(), &origin, form, "408"),
        ("/setup/x".to_owned(), &origin, form, "408"),
        ("/sign-out".to_owned(), &session, form, "408"),
        (format!("/escalations/{id}/comment"), &session, form, "408"),
        ("/try".to_owned(), &session, form, "408"),
    ];
    let lengths = [
        "Content-Length: 1000\r\n\r\n{",
        "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nfff\r\n",
    ];
    for (path, who, kind, status) in &routes {
        for length in lengths {
            let mut stream = connect(&service);
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {}\r\n{who}Content-Type: {kind}\r\n{length}",
                &service.url[7..]
            );
            stream.write_all(head.as_bytes()).unwrap();
            let ended = drip(&mut stream, std::iter::repeat(b' '));
            let answer = &ended.heard;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{path} {length:?}: {answer}"
            );
            assert!(answer.contains("took too long"), "{path}: {answer}");
            assert!(
                *status == "408" || answer.contains("\"block\""),
                "{path}: {answer}"
            );
            assert!(ended.took < SOON, "{path}: {:?}", ended.took);
        }
    }
    // What is not asked for its body at all waits for none of it.
    let mut stream = connect(&service);
    stream
        .write_all(b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        .unwrap();
    let ended = drip(&mut stream, []);
    assert!(ended.heard.starts_with("HTTP/1.1 401 "), "{}", ended.heard);
    assert!(ended.took < SOON);
    assert_ne!(word(&browser), "", "the session lives");
}

#[test]
fn who_is_slow_holds_nobody_up() {
    let times = "[server]\nhead_within = \"10s\"\nbody_within = \"10s\"\n";
    let service = Service::start(MATRIX, &format!("{TOML}\n{times}"));
    let asks = super::payments(&service);
    let token = service.token("payments", &[Scope::Decide]);
    let body = format!(
        "POST /v1/decisions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n{{"
    );
    let sign_in = "POST /sign-in HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nContent-Length: 1000\r\n\r\nperson=";
    let heads = ["", "GET /healthz HTT", &body, sign_in];
    let slow: Vec<_> = (0..400)
        .map(|n| {
            let mut stream = connect(&service);
            stream.write_all(heads[n % heads.len()].as_bytes()).unwrap();
            stream
        })
        .collect();
    for n in 0..50 {
        let began = Instant::now();
        let (_, digest) = super::opened(&asks, &format!("e{n}"));
        assert_ne!(digest, "");
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
    }
    drop(slow);
}

#[test]
fn a_full_house_answers_whom_it_has_and_then_who_waits() {
    let server = "[server]\nconnections = 4\nhead_within = \"3s\"\n";
    let service = Service::start(MATRIX, &format!("{TOML}\n{server}"));
    let mut inside = connect(&service);
    is_answered(&mut inside);
    let slow: Vec<_> = (0..3).map(|_| connect(&service)).collect();
    std::thread::sleep(Duration::from_millis(200));
    let mut waits = connect(&service);
    waits
        .write_all(
            HEALTH
                .replace("Host", "Connection: close\r\nHost")
                .as_bytes(),
        )
        .unwrap();
    waits
        .set_read_timeout(Some(Duration::from_millis(700)))
        .unwrap();
    let mut byte = [0];
    let early = std::io::Read::read(&mut waits, &mut byte);
    assert!(early.is_err(), "more connections are answered than may be");
    for _ in 0..3 {
        is_answered(&mut inside);
    }
    // The slow ones have had their time.
    waits.set_read_timeout(Some(PATIENCE)).unwrap();
    let answer = rest(&mut waits);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(slow);
}
