//! What is written into a path, a header, a line or a form, and stays what it was written as.

use std::io::Write;
use std::time::{Duration, Instant};

use laneway::Timestamp;
use laneway::server::{LinkFor, Scope};
use serde_json::json;

use super::entering::{PASSWORD, cookie, signed_in, word};
use super::{MATRIX, Service, TOML, event, payments, raw, service};

const FORM: &str = "application/x-www-form-urlencoded";

/// What would be a header of its own, and the end of the head.
const EVIL: &str = "\r\nX-Evil: 1\r\nSet-Cookie: laneway=planted\r\n\r\n<script>";

/// The head of an answer, as it came.
#[track_caller]
fn has_no_evil(what: &str, answer: &str) {
    let head = answer
        .split("\r\n\r\n")
        .next()
        .unwrap()
        .to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 "), "{what}: {answer}");
    assert!(!head.contains("\r\nx-evil"), "{what}: {answer}");
    assert!(!head.contains("planted"), "{what}: {answer}");
    assert!(!head.contains("evil.example"), "{what}: {answer}");
}

/// A request that ends its connection, with a body where there is one.
fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// A service whose pages are at `http://x`.
fn named() -> Service {
    Service::start(
        MATRIX,
        &format!("{TOML}\n[server]\nurl = \"http://x\"\n[decisions]\n"),
    )
}

fn signed(service: &Service, name: &str) -> (String, String) {
    let person = laneway::escalation::Principal::parse(name).unwrap();
    let access = service.app.access();
    access.set_password(&person, PASSWORD, false).unwrap();
    let browser = service.nobody().with("origin", "http://x");
    let body = format!("person={name}&password=a+few+good+words");
    let answer = browser.post_text("/sign-in", FORM, &body).fine();
    let given = answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let word = word(&browser.with("cookie", &given));
    (given, word)
}

fn coded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn a_field_of_an_event_adds_no_header_and_no_line() {
    let service = named();
    let mut evil = event("e", "5000");
    evil["id"] = json!(format!("e{EVIL}"));
    evil["customer"] = json!(EVIL);
    evil[EVIL] = json!(EVIL);
    evil["evidence"] = json!({ "context": EVIL });
    let body = json!({ "event": evil, "key": format!("k{EVIL}"), "agent": null });
    let asked = payments(&service)
        .post("/v1/decisions", &body)
        .fine()
        .json();
    let id = asked["escalation"]["id"].as_str().unwrap();
    let (given, word) = signed(&service, "op@x");
    let token = service.token(
        "op@x",
        &[Scope::Operate, Scope::Audit, Scope::Answer, Scope::Metrics],
    );
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let session = format!("Origin: http://x\r\nCookie: {given}\r\n");
    for path in [
        "/v1/escalations/ID",
        "/v1/escalations/ID/history",
        "/v1/escalations?lane=big",
        "/v1/matrix",
        "/metrics",
        "/escalations/ID",
        "/?view=all",
        "/decisions",
        "/deliveries",
        "/audit",
        "/statistics",
    ] {
        let path = path.replace("ID", id);
        for who in [&bearer, &session] {
            let answer = raw::answer(&service, &request("GET", &path, who, ""));
            assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
            has_no_evil(&path, &answer);
        }
    }
    // It is said and asked by the same words: comments, evidence, keys, filters.
    let evil = coded(EVIL);
    let json_evil = json!({ "text": EVIL, "name": EVIL, "value": EVIL, "reason": EVIL, "team": EVIL, "to": EVIL, "digest": EVIL, "lane": EVIL }).to_string();
    for act in [
        "comment", "evidence", "approve", "delegate", "reassign", "deny",
    ] {
        let path = format!("/v1/escalations/{id}/{act}");
        has_no_evil(
            &path,
            &raw::answer(&service, &request("POST", &path, &bearer, &json_evil)),
        );
        let form = format!(
            "form={word}&text={evil}&name={evil}&value={evil}&to={evil}&team={evil}&lane={evil}&reason={evil}"
        );
        let path = format!("/escalations/{id}/{act}");
        has_no_evil(
            &path,
            &raw::answer(&service, &request("POST", &path, &session, &form)),
        );
    }
    for path in [
        "/?lane=EVIL&view=all",
        "/decisions?id=EVIL",
        "/deliveries?escalation=EVIL",
        "/v1/escalations?lane=EVIL",
        "/v1/escalations?after=EVIL",
    ] {
        let path = path.replace("EVIL", &evil);
        for who in [&bearer, &session] {
            has_no_evil(
                &path,
                &raw::answer(&service, &request("GET", &path, who, "")),
            );
        }
    }
    // A line of what people are told by is one notice, and a line of the log one decision.
    let until = Instant::now() + raw::PATIENCE;
    while !service.path("notices.ndjson").exists() {
        assert!(Instant::now() < until, "nobody is told");
        std::thread::sleep(Duration::from_millis(50));
    }
    let folder = service.end();
    let notices = std::fs::read_to_string(folder.path().join("notices.ndjson")).unwrap();
    let mut logged = String::new();
    for file in std::fs::read_dir(folder.path().join("decisions")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|it| it == "ndjson") {
            logged.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    for (what, text) in [("notices", notices), ("decisions", logged)] {
        assert!(text.lines().count() >= 1, "{what}");
        for line in text.lines() {
            assert!(
                serde_json::from_str::<serde_json::Value>(line).is_ok(),
                "{what}: {line}"
            );
        }
    }
}

#[test]
fn a_name_of_a_person_adds_no_header() {
    let service = named();
    let (given, word) = signed(&service, "adm@x");
    let session = format!("Origin: http://x\r\nCookie: {given}\r\n");
    let now: Timestamp = std::time::SystemTime::now().into();
    let what = LinkFor {
        person: None,
        admin: false,
    };
    let link = service.app.access().make_link(&what, now).unwrap();
    let evil = coded(&format!("b1@x{EVIL}"));
    let origin = "Origin: http://x\r\n";
    for (path, headers, body) in [
        (
            "/sign-in".to_owned(),
            origin,
            format!("person={evil}&password=a+few+good+words"),
        ),
        (
            format!("/setup/{link}"),
            origin,
            format!("person={evil}&password=a+few+good+words"),
        ),
        (
            "/people/link".to_owned(),
            &*session,
            format!("form={word}&person={evil}"),
        ),
        (
            "/people/revoke".to_owned(),
            &*session,
            format!("form={word}&token={evil}"),
        ),
    ] {
        let answer = raw::answer(&service, &request("POST", &path, headers, &body));
        has_no_evil(&path, &answer);
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
        let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
        assert!(!head.contains("set-cookie"), "{path}: {answer}");
    }
    let people = service.app.access().people().unwrap();
    assert_eq!(people, ["adm@x"]);
    let cookies = [format!("{given}\u{0}x"), format!("laneway={}", evil)];
    for cookie in cookies {
        let headers = format!("Cookie: {cookie}\r\n");
        let answer = raw::answer(&service, &request("GET", "/", &headers, ""));
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[test]
fn who_signs_in_goes_to_a_page_of_this_service_and_no_other() {
    let service = named();
    signed(&service, "b1@x");
    let browser = service.nobody().with("origin", "http://x");
    for (to, goes) in [
        ("/escalations/1?a=b", "/escalations/1?a=b"),
        ("/%0d%0aX-Evil:%201", "/%0d%0aX-Evil:%201"),
        ("/\r\nX-Evil: 1", "/"),
        ("/x\nX-Evil: 1", "/"),
        ("/x\rX-Evil: 1", "/"),
        ("/x\u{85}X-Evil: 1", "/"),
        ("/\u{560d}\u{560a}X-Evil: 1", "/"),
        ("/\t/evil.example", "/"),
        (" //evil.example", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("evil.example", "/"),
        ("", "/"),
    ] {
        let body = format!("person=b1@x&password=a+few+good+words&to={}", coded(to));
        let answer = browser.post_text("/sign-in", FORM, &body);
        let went = (
            answer.status,
            answer.header("location"),
            answer.header("x-evil"),
        );
        assert_eq!(went, (303, goes, ""), "{to:?}");
        // Who is signed in already is sent there at once.
        let given = answer.header("set-cookie").split(';').next().unwrap();
        let again = service.nobody().with("cookie", given);
        let answer = again.get(&format!("/sign-in?to={}", coded(to)));
        let went = (
            answer.status,
            answer.header("location"),
            answer.header("x-evil"),
        );
        assert_eq!(went, (303, goes, ""), "{to:?}");
    }
    // The way back is written into the address of the page that asks who it is.
    for path in [
        "/escalations/a%0d%0aX-Evil:%201",
        "/escalations/%2f%2fevil.example",
        "/escalations/a%22%3e%3cscript%3e",
    ] {
        let answer = raw::answer(&service, &request("GET", path, "", ""));
        assert!(answer.starts_with("HTTP/1.1 303 "), "{path}: {answer}");
        let location = answer
            .lines()
            .find_map(|line| line.strip_prefix("location: "))
            .unwrap();
        assert!(
            location.starts_with("/sign-in?to=%2Fescalations%2F"),
            "{path}: {location}"
        );
        assert_eq!(
            answer.matches("X-Evil").count(),
            usize::from(path.contains("Evil:")),
            "{answer}"
        );
        assert!(!answer.contains("\r\nX-Evil"), "{answer}");
        assert!(!location.contains(['<', '"']), "{location}");
    }
}

#[test]
fn no_path_leads_to_a_file() {
    let marker = "name-of-nobody-but-the-configuration";
    let service = Service::start(MATRIX, &format!("{TOML}\n# {marker}\n"));
    super::opened(&payments(&service), "e1");
    let all = [
        Scope::Operate,
        Scope::Audit,
        Scope::Answer,
        Scope::Admin,
        Scope::Decide,
        Scope::Metrics,
    ];
    let bearer = format!("Authorization: Bearer {}\r\n", service.token("op@x", &all));
    let browser = signed_in(&service, "adm@x");
    let session = format!("Cookie: {}\r\n", cookie(&browser));
    let up = [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..\\",
        "..%5c",
        "....//",
        "%252e%252e%252f",
        "..%c0%af",
        "./../",
        "..;/",
    ];
    let files = [
        "laneway.toml",
        "m.lane",
        "laneway.db",
        "etc/passwd",
        "notices.ndjson",
    ];
    let places = [
        "/",
        "/assets/",
        "/assets/style.css/",
        "/v1/escalations/",
        "/escalations/",
        "/setup/",
        "/v1/",
        "/v1/guard/escalations/",
        "/decisions/",
        "//",
    ];
    let mut tried = 0;
    for file in files {
        for place in places {
            let mut paths = vec![
                format!("{place}{file}"),
                format!("{place}{file}%00.css"),
                format!("{place}/{file}"),
            ];
            paths.extend(up.iter().map(|up| format!("{place}{}{file}", up.repeat(6))));
            for path in paths {
                for who in ["", &bearer, &session] {
                    let answer = raw::answer(&service, &request("GET", &path, who, ""));
                    let status = answer.split(' ').nth(1).unwrap_or_default();
                    let is_none = ["303", "400", "401", "404", "405"].contains(&status);
                    assert!(is_none, "{path:?}: {answer}");
                    for text in [marker, "SQLite format 3", "root:x:", "matrix \"Payments\""] {
                        assert!(!answer.contains(text), "{path:?}: {answer}");
                    }
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 2_000, "{tried}");
    // A request may name a whole address, or no path at all.
    for line in [
        "GET http://x/../laneway.toml HTTP/1.1",
        "GET laneway.toml HTTP/1.1",
        "GET * HTTP/1.1",
        "GET file:///etc/passwd HTTP/1.1",
        "CONNECT 127.0.0.1:22 HTTP/1.1",
    ] {
        let answer = raw::answer(
            &service,
            &format!("{line}\r\nHost: x\r\nConnection: close\r\n{bearer}\r\n"),
        );
        assert!(answer.starts_with("HTTP/1.1 4"), "{line}: {answer}");
        assert!(
            !answer.contains(marker) && !answer.contains("root:x:"),
            "{line}: {answer}"
        );
    }
}

#[test]
fn two_ways_to_say_how_long_a_body_is_are_none() {
    let service = service();
    let token = service.token("payments", &[Scope::Decide]);
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Content-Length: +5\r\n",
        "Content-Length : 5\r\n",
    ] {
        let mut stream = raw::connect(&service);
        // What would be smuggled in behind it.
        let text = format!(
            "POST /v1/decisions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{lengths}\r\n\
             0\r\n\r\nGET /v1/escalations HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(text.as_bytes()).unwrap();
        let answer = raw::rest(&mut stream);
        assert!(!answer.contains("\"escalations\""), "{lengths:?}: {answer}");
        assert!(!answer.contains(" 200 OK"), "{lengths:?}: {answer}");
    }
}
