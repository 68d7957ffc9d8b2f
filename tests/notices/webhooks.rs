//! Requests of each kind, and what follows from their answers.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use laneway::escalation::{About, Recipient};
use laneway::notify::{SigningSecret, SystemLookup, signatures};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::receiver::{Receiver, Seen, status};
use super::{SECRET, asked, later, never, notice, principal, read, set, set_with, webhook};

/// HMAC-SHA256 as RFC 2104 has it, written here so that it owes nothing to what it checks.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded = |with: u8| -> Vec<u8> {
        let at = |n: usize| key.get(n).copied().unwrap_or(0) ^ with;
        (0..64).map(at).collect()
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text);
    let outer = Sha256::new().chain_update(padded(0x5c));
    outer.chain_update(inner.finalize()).finalize().to_vec()
}

/// What a receiver computes of a request.
fn signed(secret: &str, id: &str, seconds: &str, body: &str) -> String {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let text = format!("{id}.{seconds}.{body}");
    format!("v1,{}", STANDARD.encode(hmac(&key, text.as_bytes())))
}

fn signed_of(secret: &str, seen: &Seen) -> String {
    let (id, at) = (seen.header("webhook-id"), seen.header("webhook-timestamp"));
    signed(secret, id, at, &seen.body)
}

#[test]
fn the_example_of_the_specification_holds_for_both_ends() {
    let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
    let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_eq!(signed(SECRET, id, "1614265330", body), expected);
    let secret = SigningSecret::parse(SECRET).unwrap();
    assert_eq!(signatures(&[secret], id, 1_614_265_330, body), expected);
}

#[test]
fn a_webhook_is_told_with_a_signature_and_an_id_that_stays() {
    let receiver = Receiver::new();
    let set = set(&webhook(&receiver.url()));
    let told = set.tell(&asked());
    assert_eq!(
        (told.result, &*told.tries[0].channel),
        (Ok(()), "webhook:ops")
    );
    assert_eq!(set.ask(), Ok(()));
    let seen = receiver.seen();
    assert_eq!(seen[0].line, "POST /hook HTTP/1.1");
    assert_eq!(seen[0].header("content-type"), "application/json");
    for one in &seen {
        assert_eq!(one.header("webhook-signature"), signed_of(SECRET, one));
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let at: u64 = one.header("webhook-timestamp").parse().unwrap();
        assert!(at.abs_diff(now) < 60);
    }
    assert_eq!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
    assert!(!seen[0].header("webhook-id").contains('.'));
    let expected = json!({
        "type": "escalation.opened",
        "timestamp": "1970-01-01T00:00:00Z",
        "data": {
            "notice": "e-1/asked/ann@x", "escalation": "e-1",
            "url": "https://laneway.example/escalations/e-1",
            "to": "ann@x", "as": "person", "count": 1, "lane": "refunds",
        },
    });
    assert_eq!(seen[0].json(), expected);
}

#[test]
fn while_a_secret_changes_both_sign() {
    let receiver = Receiver::new();
    let new = format!("whsec_{}", STANDARD.encode([9; 32]));
    let toml = webhook(&receiver.url()).replace("\"s\"\n", "\"new\"\nold_secret_file = \"old\"\n");
    let files = [("new", new.as_str()), ("old", SECRET)];
    let set = set_with(&toml, &files, Arc::new(SystemLookup));
    assert_eq!(set.ask(), Ok(()));
    let seen = &receiver.seen()[0];
    let both = format!("{} {}", signed_of(&new, seen), signed_of(SECRET, seen));
    assert_eq!(seen.header("webhook-signature"), both);
}

#[test]
fn a_caller_is_told_by_its_webhook_what_is_asked_and_how_it_ended() {
    let receiver = Receiver::new();
    let toml = webhook(&receiver.url()) + "[callers.\"agent:refunds\"]\nwebhook = \"ops\"\n";
    let set = set(&toml);
    let caller = || Recipient::Caller(principal("agent:refunds"));
    let action = notice("e-1/run/1", caller(), About::Action("freeze".to_owned()));
    let ended = notice(
        "e-1/resolved",
        caller(),
        About::Resolved("approved".to_owned()),
    );
    assert_eq!(set.tell(&action).result, Ok(()));
    assert_eq!(set.tell(&ended).tries[0].channel, "webhook:ops");
    let seen = receiver.seen();
    let (action, ended) = (seen[0].json(), seen[1].json());
    assert_eq!(
        (&action["type"], &action["data"]["action"]),
        (&json!("action.requested"), &json!("freeze"))
    );
    assert_eq!(action["data"]["as"], "caller");
    assert_eq!(
        (&ended["type"], &ended["data"]["outcome"]),
        (&json!("escalation.resolved"), &json!("approved"))
    );
    // One without a webhook is told by the log, as before.
    let other = Recipient::Caller(principal("agent:other"));
    let told = set.tell(&notice(
        "e-2/resolved",
        other,
        About::Resolved("denied".to_owned()),
    ));
    assert_eq!((told.result, &*told.tries[0].channel), (Ok(()), "log"));
    assert!(receiver.seen().is_empty());
}

#[test]
fn what_is_gone_is_told_nothing_more_and_that_is_shown() {
    let receiver = Receiver::new();
    let set = set(&webhook(&receiver.url()));
    receiver.answers(&[status(410, "")]);
    assert!(never(set.ask()).contains("410"));
    assert!(never(set.ask()).contains("410"));
    assert_eq!(receiver.seen().len(), 1);
    let troubles = set.outbound.troubles();
    assert_eq!((troubles.len(), &*troubles[0].0), (1, "webhook:ops"));
}

#[test]
fn what_is_busy_is_asked_again_and_not_before_it_says() {
    let receiver = Receiver::new();
    let set = set(&webhook(&receiver.url()));
    receiver.answers(&[status(429, "retry-after: 1\r\n")]);
    assert_eq!(later(set.ask()), "it answered 429");
    assert!(later(set.ask()).contains("it answered 429"));
    assert_eq!(receiver.seen().len(), 1);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(set.ask(), Ok(()));
    assert_eq!(receiver.seen().len(), 1);
    assert!(set.outbound.troubles().is_empty());
}

#[test]
fn an_answer_says_whether_it_is_tried_again() {
    let receiver = Receiver::new();
    let set = set(&webhook(&receiver.url()));
    for code in [408, 425, 500, 503] {
        receiver.answers(&[status(code, "")]);
        assert_eq!(later(set.ask()), format!("it answered {code}"));
    }
    for code in [400, 401, 403, 404, 422] {
        receiver.answers(&[status(code, "")]);
        assert_eq!(never(set.ask()), format!("it answered {code}"));
    }
    for code in [200, 201, 202, 204] {
        let empty = format!("HTTP/1.1 {code} x\r\ncontent-length: 0\r\n\r\n");
        receiver.answers(&[empty]);
        assert_eq!(set.ask(), Ok(()));
    }
}

#[test]
fn a_retry_asks_the_one_that_failed_and_not_the_other() {
    let (good, bad) = (Receiver::new(), Receiver::new());
    let toml =
        webhook(&good.url()).replace("[\"webhook:ops\"]", "[\"webhook:ops\", \"webhook:dev\"]");
    let more = format!(
        "[notify.webhooks.dev]\nurl = \"{}\"\nsecret_file = \"s\"\n",
        bad.url()
    );
    let set = set(&(toml + &more));
    bad.answers(&[status(500, "")]);
    let told = set.tell(&asked());
    assert_eq!(later(told.result), "it answered 500");
    let taken = told.tries.iter().filter(|it| it.result.is_ok());
    let mut again = asked();
    again.taken = taken.map(|it| it.channel.clone()).collect();
    assert_eq!(again.taken, ["webhook:ops"]);
    assert_eq!(set.tell(&again).result, Ok(()));
    assert_eq!((good.seen().len(), bad.seen().len()), (1, 2));
}

#[test]
fn what_does_not_answer_is_tried_again_and_holds_nobody_up() {
    let receiver = Receiver::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let dead = set(&webhook(&format!("http://{address}/s3cret")));
    let why = later(dead.ask());
    assert!(!why.contains("s3cret"), "{why}");
    // It failed at once, and is asked again: only what hangs is left alone for a while.
    assert_eq!(later(dead.ask()), why);
    // An answer without an end is not read, and one whose headers have none is no answer.
    let set = set(&webhook(&receiver.url()));
    receiver.answers(&[format!(
        "HTTP/1.1 200 x\r\ncontent-length: 99999999\r\n\r\n{}",
        "x".repeat(1 << 20)
    )]);
    assert_eq!(set.ask(), Ok(()));
    receiver.answers(&[format!(
        "HTTP/1.1 200 x\r\nx: {}\r\n\r\n",
        "x".repeat(64 << 10)
    )]);
    later(set.ask());
}

#[test]
fn chats_are_told_in_their_own_form_and_their_url_is_a_secret() {
    let (slack, teams) = (Receiver::new(), Receiver::new());
    let toml = "[notify]\nallow = [\"127.0.0.1\"]\n\
        [notify.webhooks.a]\nkind = \"slack\"\nurl_file = \"slack\"\n\
        [notify.webhooks.b]\nkind = \"teams\"\nurl_file = \"teams\"\n\
        [people.\"ann@x\"]\nchannels = [\"slack:a\", \"teams:b\"]\n";
    let (at_slack, at_teams) = (slack.url() + "/s3cret\n", teams.url() + "/s3cret\n");
    let files = [("slack", &*at_slack), ("teams", &*at_teams)];
    let set = set_with(toml, &files, Arc::new(SystemLookup));
    assert!(!format!("{:?}", set.outbound).contains("s3cret"));
    assert!(!format!("{:?}", set.config).contains("s3cret"));
    let told = set.tell(&asked());
    assert_eq!(told.result, Ok(()));
    let names: Vec<&str> = told.tries.iter().map(|it| &*it.channel).collect();
    assert_eq!(names, ["slack:a", "teams:b"]);
    let seen = slack.seen()[0].json();
    let text = "You are asked to decide an escalation\nLane: `refunds`\nEscalation: `e-1`\n\
                For: `ann@x`\n<https://laneway.example/escalations/e-1|Open it>";
    assert_eq!(seen, json!({ "text": text }));
    let seen = teams.seen()[0].json();
    let card = &seen["attachments"][0];
    assert_eq!(
        card["contentType"],
        "application/vnd.microsoft.card.adaptive"
    );
    assert_eq!(
        card["content"]["actions"][0]["url"],
        "https://laneway.example/escalations/e-1"
    );
}

#[test]
fn a_url_in_a_file_is_as_plain_as_one_in_the_configuration_and_is_not_shown() {
    let toml = "[notify.webhooks.a]\nkind = \"slack\"\nurl_file = \"s\"\n";
    for url in [
        "http://hooks.example.com/s3cret",
        "https://2130706433/s3cret",
        "https://s3cret:x@hooks.example.com",
    ] {
        let (_folder, config) = read(toml, &[("s", url)]);
        let notify = config.unwrap().notify;
        let opened = laneway::notify::Outbound::open(&notify, super::URL, Arc::new(SystemLookup));
        let error = opened.map(drop).unwrap_err().to_string();
        assert!(error.contains("laneway.toml:3:12: "), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn a_secret_that_is_none_is_said_where_it_is_named() {
    let toml = webhook("https://hooks.example.com");
    let open = |toml: &str, secret: &str| {
        let (_folder, config) = read(toml, &[("s", secret)]);
        let opened = laneway::notify::Outbound::open(
            &config.unwrap().notify,
            super::URL,
            Arc::new(SystemLookup),
        );
        opened.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(open(&toml, &format!("{SECRET}\n")), Ok(()));
    for (secret, why) in [
        (
            "short",
            "a secret is `whsec_` and 24 to 64 random bytes in Base64",
        ),
        ("", "a secret is one line that is not empty"),
        ("two\nlines", "a secret is one line that is not empty"),
    ] {
        let error = open(&toml, secret).unwrap_err();
        assert!(
            error.ends_with(&format!("laneway.toml:5:15: {why}")),
            "{error}"
        );
    }
    let none = open(&toml.replace("\"s\"", "\"none\""), SECRET).unwrap_err();
    assert!(
        none.contains("laneway.toml:5:15: `") && none.contains("cannot be read"),
        "{none}"
    );
    let env = |name: &str| toml.replace("secret_file = \"s\"", &format!("secret_env = \"{name}\""));
    let unset = open(&env("LANEWAY_NOT_SET"), SECRET).unwrap_err();
    assert!(
        unset.ends_with(
            "laneway.toml:5:14: the environment has no `LANEWAY_NOT_SET`, or it is no text"
        ),
        "{unset}"
    );
    // Set by cargo for every test: it is read, and is no secret of that form.
    let set = open(&env("CARGO_PKG_NAME"), SECRET).unwrap_err();
    assert!(set.contains("a secret is `whsec_`"), "{set}");
}
