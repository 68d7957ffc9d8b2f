//! Who is let in: sessions, links that work once, what other sites send.

use laneway::Timestamp;
use laneway::escalation::Principal;
use laneway::server::LinkFor;

use super::{Client, Service, opened, payments, service};

pub const PASSWORD: &str = "a few good words";

/// Signs in, as a browser does.
pub fn signed_in(service: &Service, name: &str) -> Client {
    let person = Principal::parse(name).unwrap();
    service
        .app
        .access()
        .set_password(&person, PASSWORD, false)
        .unwrap();
    let body = format!("person={name}&password=a+few+good+words");
    let browser = service.nobody().with("origin", &service.url);
    let answer = browser
        .post_text("/sign-in", "application/x-www-form-urlencoded", &body)
        .fine();
    let cookie = answer.header("set-cookie").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    browser.with("cookie", cookie.split(';').next().unwrap())
}

/// The cookie of a browser that is signed in.
pub fn cookie(browser: &Client) -> String {
    let mut headers = browser.headers.iter();
    headers
        .find(|(name, _)| name == "cookie")
        .unwrap()
        .1
        .clone()
}

/// The word of the session's forms.
pub fn word(client: &Client) -> String {
    let page = client.get("/").fine().text;
    let (_, rest) = page.split_once(r#"name="form" value=""#).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn a_person_signs_in_and_answers_by_forms() {
    let service = service();
    let (id, digest) = opened(&payments(&service), "e1");
    let browser = signed_in(&service, "b1@x");
    let inbox = browser.get("/").fine().text;
    assert!(inbox.contains(&id) && inbox.contains("big"), "{inbox}");
    let page = browser.get(&format!("/escalations/{id}")).fine().text;
    assert!(page.contains("Large") || page.contains("5000"), "{page}");
    let form = format!("form={}&digest={digest}", word(&browser));
    let approve = format!("/escalations/{id}/approve");
    let kind = "application/x-www-form-urlencoded";
    let answer = browser.post_text(&approve, kind, &form);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, &*format!("/escalations/{id}"))
    );
    let page = browser.get(&format!("/escalations/{id}")).fine().text;
    assert!(page.contains("You approved it"), "{page}");
    // A link only shows: there is nothing to get that decides.
    assert_eq!(browser.get(&approve).status, 405);
}

#[test]
fn what_another_site_sends_has_nobody_behind_it() {
    let service = service();
    let (id, digest) = opened(&payments(&service), "e1");
    let browser = signed_in(&service, "b1@x");
    let word = word(&browser);
    let kind = "application/x-www-form-urlencoded";
    let approve = format!("/escalations/{id}/approve");
    let bare = service.nobody().with("cookie", &cookie(&browser));
    let right = format!("form={word}&digest={digest}");
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("x-nothing", ""),
    ] {
        let answer = bare.with(name, value).post_text(&approve, kind, &right);
        assert_eq!(answer.status, 403, "{name} {value}");
        let answer =
            bare.with(name, value)
                .post_text(&format!("/v1{approve}"), "application/json", "{}");
        assert_eq!(answer.problem(403), "cross_site", "{name} {value}");
    }
    // A form without the word of the session, or with another's.
    for wrong in [
        format!("digest={digest}"),
        format!("form=x&digest={digest}"),
    ] {
        assert_eq!(browser.post_text(&approve, kind, &wrong).status, 403);
    }
    let page = browser.get(&format!("/escalations/{id}")).fine().text;
    assert!(!page.contains("You approved it"));
}

#[test]
fn a_hidden_origin_is_judged_by_what_else_the_browser_says() {
    let service = service();
    let (id, digest) = opened(&payments(&service), "e1");
    let mut browser = signed_in(&service, "b1@x");
    let form = format!("form={}&digest={digest}", word(&browser));
    browser.headers.retain(|(name, _)| name != "origin");
    let hidden = browser.with("origin", "null");
    let kind = "application/x-www-form-urlencoded";
    let approve = format!("/escalations/{id}/approve");
    let from = |site: &str| hidden.with("sec-fetch-site", site);
    for site in ["cross-site", "same-site"] {
        assert_eq!(from(site).post_text(&approve, kind, &form).status, 403);
    }
    assert_eq!(
        from("same-origin").post_text(&approve, kind, &form).status,
        303
    );
    // So that it is not hidden, pages tell their own site where they are.
    let page = browser.get("/").fine();
    assert_eq!(page.header("referrer-policy"), "same-origin");
}

#[test]
fn a_session_is_new_at_each_signing_in_and_ends() {
    let service = service();
    let first = signed_in(&service, "b1@x");
    // A new password ends what was open.
    let second = signed_in(&service, "b1@x");
    assert_eq!(first.get("/").status, 303);
    second.get("/").fine();
    let form = format!("form={}", word(&second));
    second
        .post_text("/sign-out", "application/x-www-form-urlencoded", &form)
        .fine();
    assert_eq!(second.get("/").status, 303);
    // One that was made up is not taken over.
    let planted = service.nobody().with("cookie", "laneway=planted");
    assert_eq!(planted.get("/").status, 303);
}

#[test]
fn a_session_that_somebody_else_knows_is_not_taken_over_by_signing_in() {
    let service = service();
    signed_in(&service, "b1@x");
    let body = "person=b1@x&password=a+few+good+words";
    let kind = "application/x-www-form-urlencoded";
    // One that was made up, and one that is live and another's.
    let others = signed_in(&service, "b2@x");
    for planted in ["laneway=planted".to_owned(), cookie(&others)] {
        let victim = service
            .nobody()
            .with("origin", &service.url)
            .with("cookie", &planted);
        let answer = victim.post_text("/sign-in", kind, body).fine();
        let given = answer.header("set-cookie").split(';').next().unwrap();
        assert!(given.len() > 40 && given != planted, "{given}");
        let shown = |cookie: &str| service.nobody().with("cookie", cookie).get("/");
        assert!(shown(given).fine().text.contains("b1@x"));
        let planted = shown(&planted);
        assert!(!planted.text.contains("b1@x"), "{planted:?}");
    }
    // The form of one session is none of another's.
    let form = format!("form={}", word(&others));
    let mine = signed_in(&service, "b1@x");
    assert_eq!(mine.post_text("/sign-out", kind, &form).status, 403);
    mine.get("/").fine();
}

#[test]
fn who_guesses_many_passwords_at_once_is_slowed_down_too() {
    let service = service();
    let person = Principal::parse("b1@x").unwrap();
    let access = service.app.access();
    access.set_password(&person, PASSWORD, false).unwrap();
    let browser = service.nobody().with("origin", &service.url);
    let kind = "application/x-www-form-urlencoded";
    let guesses: Vec<_> = (0..40)
        .map(|n| {
            let browser = browser.clone();
            std::thread::spawn(move || {
                let body = format!("person=b1@x&password=guess+number+{n}");
                browser.post_text("/sign-in", kind, &body).status
            })
        })
        .collect();
    let statuses: Vec<_> = guesses.into_iter().map(|it| it.join().unwrap()).collect();
    let looked_at = statuses.iter().filter(|status| **status == 403).count();
    assert!(statuses.iter().all(|it| [403, 429].contains(it)));
    // Five cost nothing; behind each further one is a pause.
    assert!((5..=8).contains(&looked_at), "{statuses:?}");
}

/// Behind a proxy all have one address.
#[test]
fn who_guesses_behind_a_proxy_holds_nobody_else_up() {
    for server in ["behind_proxy = true", "proxies = [\"127.0.0.1\"]", ""] {
        let toml = format!("{}\n[server]\nurl = \"http://x\"\n{server}\n", super::TOML);
        let service = Service::start(super::MATRIX, &toml);
        let person = Principal::parse("b1@x").unwrap();
        let access = service.app.access();
        access.set_password(&person, PASSWORD, false).unwrap();
        let browser = service.nobody().with("origin", "http://x");
        let enter = |name: &str, password: &str| {
            let body = format!("person={name}&password={password}");
            let kind = "application/x-www-form-urlencoded";
            browser.post_text("/sign-in", kind, &body).status
        };
        for n in 0..12 {
            enter(&format!("p{n}@x"), "wrong");
        }
        let right = enter("b1@x", "a+few+good+words");
        let expected = if server.is_empty() { 429 } else { 303 };
        assert_eq!(right, expected, "{server}");
        for _ in 0..7 {
            enter("b2@x", "wrong");
        }
        assert_eq!(enter("b2@x", "wrong"), 429, "a name waits everywhere");
    }
}

#[test]
fn who_guesses_passwords_is_slowed_down_and_told_nothing() {
    let service = service();
    let person = Principal::parse("b1@x").unwrap();
    service
        .app
        .access()
        .set_password(&person, PASSWORD, false)
        .unwrap();
    let browser = service.nobody().with("origin", &service.url);
    let kind = "application/x-www-form-urlencoded";
    let try_it = |name: &str, password: &str| {
        let body = format!("person={name}&password={password}");
        browser.post_text("/sign-in", kind, &body)
    };
    let (wrong, unknown) = (try_it("b1@x", "wrong"), try_it("nobody@x", "wrong"));
    assert_eq!((wrong.status, unknown.status), (403, 403));
    assert_eq!(wrong.text, unknown.text);
    for _ in 0..4 {
        try_it("b1@x", "wrong");
    }
    let right = try_it("b1@x", "a+few+good+words");
    assert_eq!(right.status, 429, "{right:?}");
}

#[test]
fn a_link_lets_one_person_in_once() {
    let service = service();
    let now: Timestamp = std::time::SystemTime::now().into();
    let what = LinkFor {
        person: None,
        admin: true,
    };
    let link = service.app.access().make_link(&what, now).unwrap();
    let path = format!("/setup/{link}");
    let browser = service.nobody().with("origin", &service.url);
    // Scanners of mail look, and use nothing up.
    browser.get(&path).fine();
    browser.get(&path).fine();
    let kind = "application/x-www-form-urlencoded";
    let short = browser.post_text(&path, kind, "person=ann&password=short");
    assert_eq!(short.status, 400);
    let agent = browser.post_text(&path, kind, "person=bot&password=a+few+good+words");
    assert_eq!(agent.status, 400);
    let answer = browser.post_text(&path, kind, "person=ann&password=a+few+good+words");
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    let again = browser.post_text(&path, kind, "person=eve&password=a+few+good+words");
    assert_eq!(again.status, 404);
    assert!(
        service
            .app
            .access()
            .is_admin_by_setup(&Principal::parse("ann").unwrap())
            .unwrap()
    );
}

/// A way in that is not there is nothing to believe in.
#[cfg(not(feature = "openid"))]
#[test]
fn a_program_without_openid_does_not_start_with_its_table() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::write(folder.path().join("m.lane"), super::MATRIX).unwrap();
    let toml = "[openid]\nissuer = \"https://id.example\"\nclient_id = \"x\"\n";
    std::fs::write(folder.path().join("laneway.toml"), toml).unwrap();
    let started = laneway::server::Started {
        matrix: folder.path().to_owned(),
        ..laneway::server::Started::default()
    };
    let error = laneway::server::App::start(started).unwrap_err();
    let said = "built with the feature `openid`, and this one was built without it";
    assert!(error.to_string().contains(said), "{error}");
    assert!(error.to_string().contains("laneway.toml:2:10: "), "{error}");
}
