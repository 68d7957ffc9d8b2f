//! The client of the service, against one that lives.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use laneway::client::{Answer, Ask, Client, ClientError, Permission, Why};
use laneway::server::Scope;
use serde_json::json;

use super::{Service, event, payments, service};

fn client(service: &Service) -> Client {
    let token = service.token("payments", &[Scope::Decide]);
    Client::new(&service.url, &token).unwrap()
}

fn ask(id: &str, amount: &str) -> Ask {
    Ask::new(&event(id, amount), id).unwrap()
}

/// The id of an escalation that was just opened.
#[track_caller]
fn waits(answer: &Answer) -> String {
    match answer {
        Answer::Escalate(waiting) => waiting.id.clone(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn permission(answer: Answer) -> Permission {
    match answer {
        Answer::Approved(permission) => permission,
        other => panic!("{other:?}"),
    }
}

fn approve(service: &Service, id: &str) {
    for name in ["b1@x", "b2@x"] {
        let person = service.person(name);
        let path = format!("/v1/escalations/{id}");
        let digest = person.get(&path).fine().json()["digest"].clone();
        let body = json!({ "digest": digest });
        person.post(&format!("{path}/approve"), &body).fine();
    }
}

fn code(error: &ClientError) -> &str {
    error.code().unwrap_or_else(|| panic!("{error:?}"))
}

#[test]
fn an_event_is_decided_waited_for_and_its_permission_used_once() {
    let service = service();
    let client = client(&service);
    assert!(matches!(client.decide(&ask("e1", "10")), Answer::Allow));
    let mut blocked = event("e2", "10");
    blocked["customer"] = json!("blocked");
    let blocked = client.decide(&Ask::new(&blocked, "e2").unwrap());
    assert!(
        matches!(&blocked, Answer::Block { why: Why::Decided { by, .. } } if by == "blocked_customer"),
        "{blocked:?}"
    );
    let dry = client.dry_run(&ask("e3", "5000"));
    assert_eq!(waits(&dry), "", "a dry run opens nothing");
    let id = waits(&client.decide(&ask("e3", "5000")));
    assert_eq!(waits(&client.status(&id)), id);
    let began = Instant::now();
    assert_eq!(waits(&client.wait(&id, Duration::from_millis(300))), id);
    assert!(began.elapsed() >= Duration::from_millis(300));
    let waiting = {
        let (client, id) = (client.clone(), id.clone());
        std::thread::spawn(move || client.wait(&id, Duration::from_secs(60)))
    };
    std::thread::sleep(Duration::from_millis(200));
    approve(&service, &id);
    let permission = permission(waiting.join().unwrap());
    assert!(began.elapsed() < Duration::from_secs(30), "it was not told");
    assert!(permission.changed.is_none());
    // What is about to run is another action than the one that was approved.
    let swapped = client.consume_with(&permission, &event("e3", "5001"), "run-3");
    assert_eq!(code(&swapped.unwrap_err()), "other_action");
    client.consume(&permission, "run-3").unwrap();
    // The same use is answered as before, and another one refused.
    client.consume(&permission, "run-3").unwrap();
    let again = client.consume(&permission, "run-4").unwrap_err();
    assert_eq!(code(&again), "consumed");
    assert!(matches!(
        client.status(&id),
        Answer::Block { why: Why::Ended { state } } if state == "approved"
    ));
}

#[test]
fn a_request_that_was_made_before_is_answered_by_its_end() {
    let service = service();
    let client = client(&service);
    let id = waits(&client.decide(&ask("e1", "5000")));
    assert_eq!(waits(&client.decide(&ask("e1", "5000"))), id);
    approve(&service, &id);
    let permission = permission(client.decide(&ask("e1", "5000")));
    assert_eq!(permission.id, id);
    let other = client.decide(&ask("e1", "6000"));
    assert!(
        matches!(&other, Answer::Block { why: Why::Failed(error) } if code(error) == "conflict"),
        "{other:?}"
    );
}

#[test]
fn what_a_person_changed_is_what_may_run() {
    let service = service();
    let client = client(&service);
    let id = waits(&client.decide(&ask("e1", "5000")));
    let path = format!("/v1/escalations/{id}");
    let body = json!({ "event": event("e1", "2000"), "reason": "less" });
    service
        .person("b1@x")
        .post(&format!("{path}/amend"), &body)
        .fine();
    approve(&service, &id);
    let permission = permission(client.wait(&id, Duration::from_secs(20)));
    let changed = permission.changed.as_ref().unwrap().get();
    let changed: serde_json::Value = serde_json::from_str(changed).unwrap();
    assert_eq!(
        (&changed["amount"], &changed["customer"]),
        (&json!(2000), &json!("c1"))
    );
    client.consume_with(&permission, &changed, "run").unwrap();
}

#[test]
fn what_is_taken_back_denied_or_not_there_is_a_block() {
    let service = service();
    let client = client(&service);
    let id = waits(&client.decide(&ask("e1", "5000")));
    client.cancel(&id).unwrap();
    assert!(matches!(
        client.wait(&id, Duration::from_secs(5)),
        Answer::Block { why: Why::Ended { state } } if state == "cancelled"
    ));
    let unknown = client.status(&"0".repeat(32));
    assert!(
        matches!(&unknown, Answer::Block { why: Why::Failed(error) } if code(error) == "not_found")
    );
    for id in ["../matrix", "x?wait=1s", ""] {
        assert!(matches!(client.status(id), Answer::Block { .. }), "{id:?}");
    }
    let nobody = Client::new(&service.url, "lw_x").unwrap();
    let answer = nobody.decide(&ask("e2", "10"));
    assert!(
        matches!(&answer, Answer::Block { why: Why::Failed(error) } if code(error) == "unauthorized"),
        "{answer:?}"
    );
    // Nothing listens there any more.
    drop(service);
    let began = Instant::now();
    let answer = client.decide(&ask("e2", "10"));
    assert!(
        matches!(
            &answer,
            Answer::Block {
                why: Why::Failed(ClientError::Unreachable(_))
            }
        ),
        "{answer:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(20));
}

/// A connection that breaks when the service has answered, and before the caller hears of it, so many times.
struct Breaking {
    url: String,
    broken: Arc<AtomicU32>,
}

impl Breaking {
    fn before(service: &Service, times: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let to = service.url.strip_prefix("http://").unwrap().to_owned();
        let broken = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&broken);
        // It ends with the process: it holds nothing.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (to, count) = (to.clone(), Arc::clone(&count));
                std::thread::spawn(move || pass(&stream, &to, times, &count));
            }
        });
        Self { url, broken }
    }
}

fn pass(from: &TcpStream, to: &str, times: u32, broken: &AtomicU32) {
    let to = TcpStream::connect(to).unwrap();
    let (mut up_from, mut up_to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut up_from, &mut up_to);
        let _ = up_to.shutdown(Shutdown::Write);
    });
    let (mut answers, mut from) = (to, from);
    let mut bytes = [0; 64 * 1024];
    while let Ok(many) = answers.read(&mut bytes) {
        if many == 0 {
            break;
        }
        // The service has answered: what it did is durable, and nobody is told.
        if broken.fetch_add(1, Ordering::SeqCst) < times {
            break;
        }
        if from.write_all(&bytes[..many]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = answers.shutdown(Shutdown::Both);
}

#[test]
fn an_answer_that_got_lost_opens_nothing_twice_and_uses_nothing_twice() {
    let service = service();
    let token = service.token("payments", &[Scope::Decide]);
    let breaking = Breaking::before(&service, 2);
    let client = Client::new(&breaking.url, &token).unwrap();
    // It has no id of its own, so that the key alone makes it the same request.
    let mut nameless = event("e1", "5000");
    nameless.as_object_mut().unwrap().remove("id");
    let lost = Ask::new(&nameless, "e1").unwrap();
    let id = waits(&client.decide(&lost));
    assert!(breaking.broken.load(Ordering::SeqCst) >= 3, "nothing broke");
    let all = payments(&service).get("/v1/escalations").fine().json();
    assert_eq!(all["escalations"].as_array().unwrap().len(), 1, "{all}");
    approve(&service, &id);
    let breaking = Breaking::before(&service, 3);
    let client = Client::new(&breaking.url, &token).unwrap();
    // The wait goes on over broken connections.
    let permission = permission(client.wait(&id, Duration::from_secs(30)));
    let breaking = Breaking::before(&service, 1);
    let client = Client::new(&breaking.url, &token).unwrap();
    client.consume(&permission, "run-1").unwrap();
    assert!(breaking.broken.load(Ordering::SeqCst) >= 2, "nothing broke");
    let auditor = service.client("aud@x", &[Scope::Audit]);
    let history = auditor.get(&format!("/v1/escalations/{id}/history"));
    let history = history.fine().json();
    let rows = history["history"].as_array().unwrap().iter();
    assert_eq!(rows.filter(|row| row["what"] == "consumed").count(), 1);
    // One that breaks for good is a block.
    let breaking = Breaking::before(&service, u32::MAX);
    let client = Client::new(&breaking.url, &token).unwrap();
    assert!(matches!(
        client.decide(&ask("e2", "10")),
        Answer::Block {
            why: Why::Failed(ClientError::Unreachable(_))
        }
    ));
}

/// What answers each request with a text.
fn answering(text: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let text = Arc::new(text);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let text = Arc::clone(&text);
            std::thread::spawn(move || {
                let mut bytes = [0; 8 * 1024];
                let _ = stream.read(&mut bytes);
                let _ = stream.write_all(&text);
                let _ = stream.shutdown(Shutdown::Write);
                // To close while something is unread would take the answer back.
                while stream.read(&mut bytes).is_ok_and(|many| many > 0) {}
            });
        }
    });
    url
}

#[test]
fn answers_that_are_none_are_blocks_and_long_ones_are_not_read() {
    let answer = |status: &str, body: &str| {
        let many = body.len();
        let text = format!("HTTP/1.1 {status}\r\nContent-Length: {many}\r\n\r\n{body}");
        let url = answering(text.into_bytes());
        Client::new(&url, "t").unwrap().decide(&ask("e1", "10"))
    };
    let decision = r#""decision": {"by": "b", "reason": "r", "action_digest": "d"}"#;
    let allowed = answer("200 OK", &format!(r#"{{"word": "allow", {decision}}}"#));
    assert!(matches!(allowed, Answer::Allow), "{allowed:?}");
    for (status, body) in [
        ("200 OK", format!(r#"{{"word": "proceed", {decision}}}"#)),
        ("200 OK", r#"{"word": "allow"}"#.to_owned()),
        ("200 OK", "<html>welcome to the hotel</html>".to_owned()),
        // A refusal stays one, whatever its body says; and nobody is sent elsewhere.
        (
            "403 Forbidden",
            format!(r#"{{"word": "allow", {decision}}}"#),
        ),
        ("302 Found", format!(r#"{{"word": "allow", {decision}}}"#)),
    ] {
        let answer = answer(status, &body);
        assert!(
            matches!(
                &answer,
                Answer::Block {
                    why: Why::Failed(_)
                }
            ),
            "{status} {body}: {answer:?}"
        );
    }
    let mut long = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n".to_vec();
    long.resize(9 << 20, b' ');
    let url = answering(long);
    let answer = Client::new(&url, "t").unwrap().decide(&ask("e1", "10"));
    assert!(
        matches!(
            &answer,
            Answer::Block {
                why: Why::Failed(ClientError::TooLarge(_))
            }
        ),
        "{answer:?}"
    );
}
