//! People who sign in at a provider of identities, from the page that asks who it is to the first page that
//! they see; and all that does not let them in.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as the test does"
)]

#[path = "support/identity.rs"]
mod identity;
#[path = "support/service.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod service;

use serde_json::json;

use identity::{CLIENT, Identity, SECRET, Signed, now};
use service::{Answer, Client, Service};

const MATRIX: &str = r#"
matrix "Payments" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable escalate to ops
}
event pay {
  amount: money EUR 0 to 100000
}
team ops {
  first person "o1@x"
}
lane big {
  about "Large payments"
  on pay
  when amount > 1000 EUR
  owner ops
  urgency high
  respond within 1h
  meanwhile block item
  operator "Look at it."
  evidence {
    required input
  }
  timeout {
    after 8h deny
  }
}
"#;

/// A service whose people sign in at a provider.
fn service(identity: &Identity) -> Service {
    service_at(&identity.url, "")
}

fn service_at(issuer: &str, more: &str) -> Service {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::write(folder.path().join("openid.secret"), SECRET).unwrap();
    let toml = format!(
        r#"
[people."b1@x"]
[people."gone@x"]
left = true
[agents]
"bot@x" = "b1@x"
[roles]
admins = ["adm@x"]
[openid]
issuer = "{issuer}"
client_id = "{CLIENT}"
client_secret_file = "openid.secret"
label = "Sign in with <Acme>"
{more}
"#
    );
    Service::start_in(folder, MATRIX, &toml, false)
}

/// The cookie of a name that an answer sets.
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get_all("set-cookie").iter();
    let mut all = all.map(|value| value.to_str().unwrap());
    let set = all.find(|text| text.starts_with(&format!("{name}=")))?;
    assert!(set.contains("; HttpOnly; SameSite=Lax"), "{set}");
    Some(set.split(';').next().unwrap().to_owned())
}

/// A browser that was sent to the provider, and where it was sent.
fn sent(service: &Service, back: &str) -> (Client, String) {
    let answer = service.nobody().get(&format!("/sign-in/openid{back}"));
    assert_eq!(answer.status, 303, "{answer:?}");
    assert!(answer.header("set-cookie").contains("; Max-Age=600"));
    let kept = cookie(&answer, "laneway-openid").unwrap();
    let browser = service.nobody().with("cookie", &kept);
    (browser, answer.header("location").to_owned())
}

/// What a person gets who signs in at the provider.
fn comes_back(service: &Service, identity: &Identity, email: &str) -> Answer {
    let (browser, way) = sent(service, "");
    browser.get(&identity.signs_in(&way, email))
}

/// Nobody comes in: the status, and what is said.
#[track_caller]
fn is_out(answer: &Answer, status: u16, said: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.text.contains(said), "{}", answer.text);
    assert!(answer.text.contains("role=\"alert\""), "{}", answer.text);
    assert_eq!(cookie(answer, "laneway"), None);
}

const UNTRUE: &str = "is not to be believed";
const STALE: &str = "this sign-in is over, was used, or was begun in another browser";

#[test]
fn a_person_signs_in_and_sees_the_page_that_was_asked_for() {
    let identity = Identity::start();
    let service = service(&identity);
    let page = service
        .nobody()
        .get("/sign-in?to=%2Fstatistics")
        .fine()
        .text;
    assert!(page.contains("Sign in with &lt;Acme&gt;"), "{page}");
    assert!(
        page.contains(r#"href="/sign-in/openid?to=%2Fstatistics""#),
        "{page}"
    );
    let (browser, way) = sent(&service, "?to=%2Fstatistics");
    let answer = browser.get(&identity.signs_in(&way, "b1@x"));
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/statistics")
    );
    assert_eq!(
        cookie(&answer, "laneway-openid").unwrap(),
        "laneway-openid="
    );
    let session = cookie(&answer, "laneway").unwrap();
    let person = service.nobody().with("cookie", &session);
    assert!(person.get("/").fine().text.contains("b1@x"));
    // Who is in is not sent away again.
    let again = person.get("/sign-in/openid?to=%2Fstatistics");
    assert_eq!(
        (again.status, again.header("location")),
        (303, "/statistics")
    );
    assert_eq!(identity.exchanges(), 1);
}

#[test]
fn names_are_those_of_the_file_or_of_the_matrix_and_a_key_of_rsa_signs_too() {
    let identity = Identity::start();
    let service = service(&identity);
    identity.signs(Signed::Rsa);
    for name in ["b1@x", "B1@X", "o1@x", "adm@x"] {
        let answer = comes_back(&service, &identity, name);
        assert_eq!(answer.status, 303, "{name}: {answer:?}");
    }
}

#[test]
fn only_people_who_are_known_and_did_not_leave_come_in() {
    let identity = Identity::start();
    let service = service(&identity);
    for name in ["gone@x", "who@x", "bot@x", "ops", "", "b1@x b1@x", "<b>@x"] {
        is_out(
            &comes_back(&service, &identity, name),
            403,
            "may not sign in here",
        );
    }
    let page = comes_back(&service, &identity, "<b>@x").text;
    assert!(page.contains("&lt;b&gt;@x"), "{page}");
}

#[test]
fn an_address_that_nobody_vouches_for_is_nobody_s() {
    let identity = Identity::start();
    let service = service(&identity);
    for unverified in [json!(false), json!(null), json!("no")] {
        let said = unverified.clone();
        identity.twists(move |claims| {
            claims.insert("email_verified".to_owned(), said.clone());
        });
        let answer = comes_back(&service, &identity, "b1@x");
        assert_eq!(answer.status, if unverified == "no" { 503 } else { 403 });
        assert_eq!(cookie(&answer, "laneway"), None);
    }
    identity.twists(|claims| {
        claims.remove("email_verified");
    });
    is_out(
        &comes_back(&service, &identity, "b1@x"),
        403,
        "has not verified",
    );
    identity.twists(|claims| {
        claims.remove("email");
    });
    is_out(
        &comes_back(&service, &identity, "b1@x"),
        403,
        "there is no `email`",
    );
}

#[test]
fn a_token_that_is_not_for_this_sign_in_lets_nobody_in() {
    let identity = Identity::start();
    let service = service(&identity);
    let own = identity.url.clone();
    let twists = [
        ("nonce", json!("another")),
        ("aud", json!("another")),
        ("aud", json!([CLIENT, "another"])),
        ("azp", json!("another")),
        ("iss", json!("https://id.example")),
        ("iss", json!(format!("{own}/"))),
        ("exp", json!(now() - 1)),
    ];
    for (claim, value) in twists {
        let said = format!("{claim}: {value}");
        identity.twists(move |claims| {
            claims.insert(claim.to_owned(), value.clone());
        });
        let answer = comes_back(&service, &identity, "b1@x");
        assert_eq!(answer.status, 403, "{said}: {answer:?}");
        is_out(&answer, 403, UNTRUE);
    }
    identity.twists(|claims| {
        claims.remove("nonce");
    });
    is_out(&comes_back(&service, &identity, "b1@x"), 403, UNTRUE);
    identity.twists(|_| {});
    comes_back(&service, &identity, "b1@x").fine();
}

#[test]
fn a_token_that_the_provider_did_not_sign_lets_nobody_in() {
    let identity = Identity::start();
    let service = service(&identity);
    for signed in [Signed::Forged, Signed::Unknown, Signed::Secret] {
        identity.signs(signed);
        is_out(&comes_back(&service, &identity, "b1@x"), 403, UNTRUE);
    }
    identity.signs(Signed::Nothing);
    let answer = comes_back(&service, &identity, "b1@x");
    assert!(matches!(answer.status, 403 | 503), "{answer:?}");
    assert_eq!(cookie(&answer, "laneway"), None);
}

#[test]
fn what_comes_back_counts_once_and_in_the_browser_that_was_sent() {
    let identity = Identity::start();
    let service = service(&identity);
    let (browser, way) = sent(&service, "");
    let (other, _) = sent(&service, "");
    let back = identity.signs_in(&way, "b1@x");
    let (path, _) = back.split_once("&state=").unwrap();
    // Another browser, one that was never sent, another state, none: all of it before the provider is asked.
    is_out(&other.get(&back), 400, STALE);
    is_out(&service.nobody().get(&back), 400, STALE);
    is_out(&browser.get(&format!("{path}&state=another")), 400, STALE);
    is_out(&browser.get(path), 400, STALE);
    assert_eq!(identity.exchanges(), 0);
    // None of that used it up.
    assert_eq!(browser.get(&back).status, 303);
    is_out(&browser.get(&back), 400, STALE);
    assert_eq!(identity.exchanges(), 1);
    // A code that was used is none, also on a new journey.
    let (browser, way) = sent(&service, "");
    let fresh = identity.signs_in(&way, "b1@x");
    let used = back
        .split_once("code=")
        .unwrap()
        .1
        .split('&')
        .next()
        .unwrap();
    let state = fresh.split_once("&state=").unwrap().1;
    let stolen = format!("/sign-in/openid/callback?code={used}&state={state}");
    is_out(&browser.get(&stolen), 403, "`invalid_grant`");
}

/// Somebody else's code, put into one's own journey, is not of its verifier.
#[test]
fn a_code_of_another_journey_is_none() {
    let identity = Identity::start();
    let service = service(&identity);
    let (browser, way) = sent(&service, "");
    let (_, theirs) = sent(&service, "");
    let own = identity.signs_in(&way, "b1@x");
    let theirs = identity.signs_in(&theirs, "adm@x");
    let code = theirs.split('&').next().unwrap();
    let state = own.split_once('&').unwrap().1;
    is_out(
        &browser.get(&format!("{code}&{state}")),
        403,
        "`invalid_grant`",
    );
}

#[test]
fn a_session_is_new_whatever_the_browser_had() {
    let identity = Identity::start();
    let service = service(&identity);
    let session = |planted: &str| {
        let (browser, way) = sent(&service, "");
        let kept = browser.headers.last().unwrap().1.clone();
        let browser = service
            .nobody()
            .with("cookie", &format!("{planted}; {kept}"));
        let answer = browser.get(&identity.signs_in(&way, "b1@x")).fine();
        cookie(&answer, "laneway").unwrap()
    };
    let first = session("laneway=planted");
    let second = session(&first);
    assert_ne!(first, "laneway=planted");
    assert_ne!(first, second);
    let planted = service.nobody().with("cookie", "laneway=planted");
    assert_eq!(planted.get("/").status, 303);
    service.nobody().with("cookie", &second).get("/").fine();
}

#[test]
fn nobody_is_led_to_another_site() {
    let identity = Identity::start();
    let service = service(&identity);
    let long = format!("%2F{}", "x".repeat(3_000));
    for to in [
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%2F%5Cevil",
        "x",
        &long,
    ] {
        let (browser, way) = sent(&service, &format!("?to={to}"));
        let answer = browser.get(&identity.signs_in(&way, "b1@x"));
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, "/"),
            "{to}"
        );
    }
}

#[test]
fn a_provider_that_says_no_is_quoted_in_one_word() {
    let identity = Identity::start();
    let service = service(&identity);
    let no = |error: &str| {
        let (browser, way) = sent(&service, "");
        let back = identity.signs_in(&way, "b1@x");
        let state = back.split_once("&state=").unwrap().1;
        browser.get(&format!(
            "/sign-in/openid/callback?error={error}&state={state}"
        ))
    };
    is_out(&no("access_denied"), 403, "let nobody in: `access_denied`");
    is_out(&no("no%3Cscript%3E"), 403, "let nobody in: `no`");
    // An answer in the name of another provider.
    let (browser, way) = sent(&service, "");
    let back = identity.signs_in(&way, "b1@x");
    is_out(
        &browser.get(&format!("{back}&iss=https://id.example")),
        403,
        UNTRUE,
    );
}

#[test]
fn a_provider_that_does_not_answer_stops_nobody_else() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let service = service_at(&url, "");
    let answer = service.nobody().get("/sign-in/openid");
    is_out(&answer, 503, "does not answer now");
    service.nobody().get("/healthz").fine();
    service.nobody().get("/sign-in").fine();
    // One that sends elsewhere is not followed.
    let identity = Identity::start();
    identity.moves();
    let service = service_at(&identity.url, "");
    is_out(
        &service.nobody().get("/sign-in/openid"),
        503,
        "does not answer now",
    );
}

#[test]
fn another_claim_may_name_people() {
    let identity = Identity::start();
    let service = service_at(&identity.url, "claim = \"upn\"");
    identity.twists(|claims| {
        claims.remove("email_verified");
        claims.insert("upn".to_owned(), json!("b1@x"));
    });
    comes_back(&service, &identity, "who@x").fine();
}

#[test]
fn a_service_does_not_start_without_the_secret_it_needs() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::write(folder.path().join("m.lane"), MATRIX).unwrap();
    let toml = "[openid]\nissuer = \"https://id.example\"\nclient_id = \"x\"\n\
                client_secret_file = \"none\"\n";
    std::fs::write(folder.path().join("laneway.toml"), toml).unwrap();
    let started = laneway::server::Started {
        matrix: folder.path().to_owned(),
        ..laneway::server::Started::default()
    };
    let error = laneway::server::App::start(started)
        .unwrap_err()
        .to_string();
    assert!(error.contains("laneway.toml:4:22: "), "{error}");
}
