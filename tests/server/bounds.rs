//! What is refused before it is read, and what is never written down.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use laneway::server::Scope;
use serde_json::json;

use super::entering::{PASSWORD, cookie, signed_in, word};
use super::{Service, event, opened, payments, raw, service};

/// Routes that read a body, with who may send one, and what is answered to one that is too long.
fn routes(service: &Service) -> Vec<(String, String, &'static str)> {
    let bearer = |name: &str, scope| {
        let token = service.token(name, &[scope]);
        format!("Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n")
    };
    let asks = bearer("payments", Scope::Decide);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let origin = format!("Origin: {}\r\n{form}", service.url);
    let browser = signed_in(service, "op@x");
    let session = format!("Cookie: {}\r\n{origin}", cookie(&browser));
    [
        ("/v1/decisions", &asks, "413"),
        ("/v1/decisions/batch", &asks, "413"),
        ("/v1/escalations/0/approve", &asks, "413"),
        ("/v1/matrix/reload", &bearer("op@x", Scope::Operate), "413"),
        // A block, as everything is that fails there.
        ("/v1/guard/evaluate", &asks, "200"),
        ("/sign-in", &origin, "413"),
        ("/setup/x", &origin, "413"),
        ("/sign-out", &session, "413"),
        ("/escalations/0/approve", &session, "413"),
        ("/try", &session, "413"),
        ("/people/link", &session, "413"),
    ]
    .map(|(path, who, status)| (path.to_owned(), who.clone(), status))
    .into()
}

fn head(service: &Service, path: &str, who: &str, length: &str) -> String {
    let host = service.url.strip_prefix("http://").unwrap();
    format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{who}{length}\r\n\r\n")
}

#[test]
fn a_gibibyte_is_refused_before_it_is_sent() {
    let service = service();
    for (path, who, status) in routes(&service) {
        let head = head(&service, &path, &who, "Content-Length: 1073741824");
        let began = Instant::now();
        let mut stream = raw::connect(&service);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"{\"tool_name\"").unwrap();
        let answer = raw::next(&mut stream);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {answer}"
        );
        assert!(
            !path.starts_with("/v1") || answer.contains("\"block\""),
            "{path}: {answer}"
        );
        assert!(began.elapsed() < Duration::from_secs(5), "{path}");
    }
}

/// Of a body whose length nobody says so much is read as may be, and no more.
#[test]
fn a_gibibyte_whose_length_is_not_said_is_refused_when_it_is_too_long() {
    const CHUNK: usize = 64 * 1024;
    let service = service();
    let mut chunk = format!("{CHUNK:x}\r\n").into_bytes();
    chunk.extend(std::iter::repeat_n(b' ', CHUNK));
    chunk.extend(b"\r\n");
    for (path, who, status) in routes(&service) {
        let mut stream = raw::connect(&service);
        let head = head(&service, &path, &who, "Transfer-Encoding: chunked");
        stream.write_all(head.as_bytes()).unwrap();
        let mut hears = stream.try_clone().unwrap();
        let heard = std::thread::spawn(move || raw::rest(&mut hears));
        let mut sent = 0;
        while sent < 1 << 30 && stream.write_all(&chunk).is_ok() {
            sent += CHUNK;
        }
        let answer = heard.join().unwrap();
        // What may be read, and what is on the way.
        assert!(sent < 40 << 20, "{path} took {sent} bytes");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path} after {sent}: {answer}"
        );
        assert!(
            !path.starts_with("/v1") || answer.contains("\"block\""),
            "{path}: {answer}"
        );
    }
    service.nobody().get("/healthz").fine();
}

#[test]
fn json_of_a_hundred_thousand_levels_is_no_word_to_go_on_anywhere() {
    let service = service();
    let asks = payments(&service);
    let (id, digest) = opened(&asks, "e1");
    let person = service.person("b1@x");
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let half = open.repeat(100_000);
        let at = |act: &str| format!("/v1/escalations/{id}/{act}");
        for (client, path, body) in [
            (&asks, "/v1/decisions".to_owned(), deep.clone()),
            (&asks, "/v1/decisions".to_owned(), half.clone()),
            (
                &asks,
                "/v1/decisions".to_owned(),
                format!("{{\"event\": {half}"),
            ),
            (
                &asks,
                "/v1/decisions/batch".to_owned(),
                format!("{{\"requests\": [{deep}]}}"),
            ),
            (&asks, "/v1/guard/evaluate".to_owned(), deep.clone()),
            (&person, at("approve"), format!("{{\"digest\": {deep}}}")),
            (
                &person,
                at("amend"),
                format!("{{\"event\": {deep}, \"reason\": \"r\"}}"),
            ),
            (
                &person,
                at("amend"),
                format!(
                    "{{\"event\": {{\"kind\": \"pay\", \"amount\": {deep}}}, \"reason\": \"r\"}}"
                ),
            ),
            (
                &asks,
                at("consume"),
                format!("{{\"event\": {deep}, \"key\": \"k\"}}"),
            ),
        ] {
            let answer = client.post_text(&path, "application/json", &body);
            let shown = body.get(..40).unwrap_or_default();
            assert!(
                answer.text.contains("\"block\""),
                "{path} {shown}: {answer:?}"
            );
            assert!(answer.status < 500, "{path} {shown}: {answer:?}");
        }
        // An event that cannot be read goes to people here, whatever else it is.
        let body = format!("{{\"event\": {deep}, \"key\": \"{}\"}}", open.len());
        let answer = asks
            .post_text("/v1/decisions", "application/json", &body)
            .fine()
            .json();
        assert_eq!(answer["word"], "escalate", "{answer}");
        // A piece of evidence is a text where it is no JSON.
        let body = format!("{{\"name\": \"n{}\", \"value\": {deep}}}", open.len());
        let answer = person.post_text(&at("evidence"), "application/json", &body);
        assert!(answer.status < 500, "{answer:?}");
        let browser = signed_in(&service, "b1@x");
        let deep: String = form_urlencoded::byte_serialize(deep.as_bytes()).collect();
        let form = format!(
            "form={}&event={deep}&reason=r&confirmed=yes",
            word(&browser)
        );
        for path in ["/try".to_owned(), format!("/escalations/{id}/amend")] {
            let kind = "application/x-www-form-urlencoded";
            let answer = browser.post_text(&path, kind, &form);
            assert!(answer.status < 500, "{path}: {answer:?}");
            assert!(!answer.text.contains("<strong>allow"), "{path}: {answer:?}");
        }
    }
    let seen = person.get(&format!("/v1/escalations/{id}")).fine().json();
    assert_eq!(
        (&seen["state"], &seen["digest"]),
        (&json!("pending"), &json!(digest))
    );
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
fn what_lets_somebody_in_is_in_no_log_and_no_file() {
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
    // A person's password, the session and the word of its forms, and a link that lets somebody in.
    let browser = signed_in(&service, "adm@x");
    let form = "application/x-www-form-urlencoded";
    let word = word(&browser);
    let body = format!("form={word}&person=b2%40x");
    let page = browser.post_text("/people/link", form, &body).fine().text;
    let link = page
        .split_once("/setup/")
        .unwrap()
        .1
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    let chosen = "several+words+of+the+other";
    let fresh = service.nobody().with("origin", &service.url);
    fresh.get(&format!("/setup/{link}")).fine();
    let body = format!("person=x&password={chosen}");
    fresh
        .post_text(&format!("/setup/{link}"), form, &body)
        .fine();
    let wrong = "person=b2@x&password=words+that+are+wrong";
    assert_eq!(fresh.post_text("/sign-in", form, wrong).status, 403);
    let session = cookie(&browser).split_once('=').unwrap().1.to_owned();
    let mut secrets = vec![secret, session, word, link];
    for password in [
        PASSWORD,
        "several words of the other",
        "words that are wrong",
    ] {
        secrets.extend([password.to_owned(), password.replace(' ', "+")]);
    }
    tracing::info!("the log is kept");
    let folder = service.end();
    let log = kept.0.lock().unwrap().clone();
    let found = |text: &[u8], secrets: &[String]| {
        let mut all = secrets.iter();
        all.find(|it| memchr::memmem::find(text, it.as_bytes()).is_some())
            .cloned()
    };
    assert!(memchr::memmem::find(&log, b"the log is kept").is_some());
    assert_eq!(found(&log, &secrets), None, "it was logged");
    // The word of the forms is stored as it is: it lets nobody in without the session.
    secrets.remove(2);
    let mut folders = vec![folder.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    files += 1;
                    let text = std::fs::read(&path).unwrap();
                    assert_eq!(found(&text, &secrets), None, "{}", path.display());
                }
            }
        }
    }
    assert!(files >= 3, "{files}");
}
