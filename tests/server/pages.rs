//! The pages: who sees which, what they show, and that what they show acts on nothing.

use laneway::server::Scope;
use serde_json::json;

use super::entering::{signed_in, word};
use super::service::Answer;
use super::{Client, MATRIX, Service, TOML, ask, event, opened, payments};

const FORM: &str = "application/x-www-form-urlencoded";

/// The pages of the navigation.
const PAGES: [&str; 8] = [
    "/",
    "/matrix",
    "/try",
    "/decisions",
    "/statistics",
    "/deliveries",
    "/audit",
    "/people",
];

/// What changes something, with a form that is whole but for the word of the session.
const FORMS: [(&str, &str); 6] = [
    ("/matrix/apply", "digest=x"),
    ("/try", "event=%7B%7D"),
    ("/deliveries/again", "notice=x"),
    ("/audit/verify", ""),
    ("/people/revoke", "token=x"),
    ("/people/link", "person=ann"),
];

fn service() -> Service {
    let toml = format!("{TOML}\n[decisions]\nlog = \"decisions\"\n");
    Service::start(MATRIX, &toml)
}

/// Sends a form of this session.
fn send(client: &Client, path: &str, form: &str) -> Answer {
    let body = format!("form={}&{form}", word(client));
    client.post_text(path, FORM, &body)
}

fn coded(text: &str) -> String {
    let hex = |byte: &u8| format!("%{byte:02X}");
    text.as_bytes().iter().map(hex).collect()
}

/// Asks until a page has a text, for what happens beside the requests.
fn until(client: &Client, path: &str, text: &str) -> String {
    for _ in 0..100 {
        let page = client.get(path).fine().text;
        if page.contains(text) {
            return page;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{path} never has {text:?}: {}", client.get(path).text);
}

#[test]
fn each_page_is_there_for_whom_it_is_and_for_nobody_else() {
    let service = service();
    let everybody = ["/", "/matrix", "/try"];
    for name in ["op@x", "aud@x", "adm@x", "b1@x"] {
        let browser = signed_in(&service, name);
        let sees_all = name != "b1@x";
        let inbox = browser.get("/").fine().text;
        for path in PAGES {
            let may = sees_all || everybody.contains(&path);
            let answer = browser.get(path);
            assert_eq!(answer.status, if may { 200 } else { 404 }, "{name} {path}");
            assert_eq!(
                inbox.contains(&format!("<a href=\"{path}\"")),
                may,
                "{name} {path}"
            );
            if may {
                let here = format!("<a href=\"{path}\" aria-current=\"page\">");
                assert!(answer.text.contains(&here), "{path}: {}", answer.text);
            }
        }
    }
    // A service that only asks reads no page but its own inbox.
    let asks = payments(&service);
    for path in PAGES.iter().skip(1) {
        assert_eq!(asks.get(path).status, 404, "{path}");
    }
    // Nobody known is asked who they are.
    for path in PAGES {
        let answer = service.nobody().get(path);
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").starts_with("/sign-in"));
    }
}

#[test]
fn a_form_without_the_word_of_its_session_does_nothing() {
    let service = service();
    let browser = signed_in(&service, "adm@x");
    for (path, form) in FORMS {
        for form in [form.to_owned(), format!("form=wrong&{form}")] {
            let answer = browser.post_text(path, FORM, &form);
            assert_eq!(answer.status, 403, "{path} {form}");
            assert!(answer.text.contains("not of this session"), "{path}");
        }
        let right = format!("form={}&{form}", word(&browser));
        let mut elsewhere = browser.clone();
        elsewhere.headers.retain(|(name, _)| name != "origin");
        let elsewhere = elsewhere.with("origin", "https://evil.example");
        let answer = elsewhere.post_text(path, FORM, &right);
        assert_eq!(answer.problem(403), "cross_site", "{path}");
        // Nothing that changes something is a link.
        if path != "/try" {
            assert_eq!(browser.get(path).status, 405, "{path}");
        }
    }
}

#[test]
fn who_may_look_may_not_for_that_change() {
    let service = service();
    let auditor = signed_in(&service, "aud@x");
    let operator = signed_in(&service, "op@x");
    for (path, form) in [
        ("/matrix/apply", "digest=x"),
        ("/deliveries/again", "notice=x"),
        ("/people/revoke", "token=x"),
        ("/people/link", "person=ann"),
    ] {
        assert_eq!(send(&auditor, path, form).status, 403, "{path}");
    }
    for (path, form) in [
        ("/people/revoke", "token=x"),
        ("/people/link", "person=ann"),
    ] {
        assert_eq!(send(&operator, path, form).status, 403, "{path}");
    }
    let person = signed_in(&service, "b1@x");
    for (path, form) in FORMS {
        let status = send(&person, path, form).status;
        let expected = match path {
            "/try" => 200,
            "/matrix/apply" => 403,
            _ => 404,
        };
        assert_eq!(status, expected, "{path}");
    }
    // What is offered is what may be done.
    for (browser, may) in [(&auditor, false), (&signed_in(&service, "adm@x"), true)] {
        let page = browser.get("/people").fine().text;
        assert_eq!(page.contains("/people/link"), may);
    }
}

/// An event with what would act on a page, and what would turn or hide text.
fn hostile(id: &str) -> serde_json::Value {
    let mut event = event(id, "5000");
    event["customer"] = json!("<script>alert(1)</script>\u{202e}\u{200b}\"'&");
    event["<img src=x onerror=alert(2)>"] = json!("\u{2066}more");
    event["evidence"] = json!({ "context": { "<b>": "</pre><script>alert(3)</script>\u{feff}" } });
    event
}

#[track_caller]
fn acts_on_nothing(path: &str, page: &str) {
    for raw in [
        "<script>",
        "<img",
        "<b>",
        "onerror=alert(2)>",
        "style=",
        "<style",
        "javascript:",
    ] {
        assert!(!page.contains(raw), "{path} has {raw}: {page}");
    }
    for hidden in ['\u{202e}', '\u{200b}', '\u{2066}', '\u{feff}'] {
        assert!(
            !page.contains(hidden),
            "{path} has {:?}",
            hidden.escape_unicode()
        );
    }
    // What runs is a file of the service, and never a part of a page.
    assert_eq!(
        page.matches("<script").count(),
        page.matches("<script src=\"/assets/live.js\" defer>")
            .count()
    );
    for handler in [" onclick=", " onload=", " onerror=\"", " onfocus="] {
        assert!(!page.contains(handler), "{path} has {handler}");
    }
}

#[test]
fn what_is_stored_acts_on_no_page_and_hides_nothing() {
    let service = service();
    let client = payments(&service);
    let answer = ask(&client, &hostile("e-<i>\u{202e}"));
    let id = answer["escalation"]["id"].as_str().unwrap().to_owned();
    let voter = signed_in(&service, "b1@x");
    let operator = signed_in(&service, "op@x");
    let it = format!("/escalations/{id}");
    let say = format!("text={}", coded("<script>alert(4)</script>\u{202e}"));
    assert_eq!(send(&voter, &format!("{it}/comment"), &say).status, 303);
    let page = voter.get(&it).fine().text;
    acts_on_nothing(&it, &page);
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    assert!(page.contains("\\u{202e}"), "{page}");
    assert!(page.contains("alert(4)"), "{page}");
    until(&operator, "/deliveries", "<td>b1@x</td>");
    for path in PAGES {
        acts_on_nothing(path, &operator.get(path).fine().text);
    }
    let found = operator.get("/decisions?verdict=escalate").fine().text;
    assert!(found.contains("e-&lt;i&gt;\\u{202e}"), "{found}");
    // What is typed comes back harmless too.
    let typed = coded(&hostile("e2").to_string());
    let tried = send(
        &voter,
        "/try",
        &format!("event={typed}&lane={}", coded("<b>")),
    );
    acts_on_nothing("/try", &tried.fine().text);
    for path in ["/", "/decisions", "/deliveries", "/matrix", "/audit"] {
        let query = "lane=%3Cb%3E&by=%3Cb%3E&id=%22%3E%3Cscript%3E&escalation=%3Cb%3E";
        let answer = operator.get(&format!("{path}?{query}"));
        acts_on_nothing(path, &answer.text);
    }
}

#[test]
fn what_is_empty_says_so() {
    let service = service();
    let operator = signed_in(&service, "op@x");
    for (path, words) in [
        ("/", "Nothing waits."),
        ("/?view=ended", "Nothing has ended yet."),
        ("/?view=asked", "You asked for nothing."),
        ("/?view=team", "Nothing waits."),
        ("/?view=all&lane=x", "Nothing fits these filters."),
        ("/try", "There is no events.ndjson"),
        ("/decisions", "No decision fits."),
        ("/statistics", "nothing to plot yet"),
        ("/deliveries", "Nothing was sent yet"),
        ("/audit", "Nothing happened yet."),
        ("/people", "There are no tokens."),
    ] {
        let page = operator.get(path).fine().text;
        assert!(page.contains(words), "{path}: {page}");
    }
}

#[test]
fn the_inbox_has_equal_actions_together_and_pages() {
    let service = service();
    let client = payments(&service);
    for n in 0..3 {
        opened(&client, &format!("same-{n}"));
    }
    let operator = signed_in(&service, "op@x");
    let page = operator.get("/?view=all").fine().text;
    assert!(page.contains("2 more for the same action"), "{page}");
    for n in 0..55 {
        ask(&client, &event(&format!("e{n}"), &format!("{}", 2000 + n)));
    }
    let mut path = "/?view=all".to_owned();
    let mut seen = std::collections::BTreeSet::new();
    let mut pages = 0;
    loop {
        let page = operator.get(&path).fine().text;
        let links = page.split("href=\"/escalations/").skip(1);
        for id in links.map(|rest| rest.split('"').next().unwrap().to_owned()) {
            assert!(seen.insert(id), "twice");
        }
        pages += 1;
        let Some((before, _)) = page.split_once("\" rel=\"next\"") else {
            break;
        };
        path = before.rsplit('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!((seen.len(), pages), (58, 2));
    // By the time alone, filtered, and of other urgencies.
    let page = operator
        .get("/?view=all&sort=time&urgency=high&lane=big&team=board")
        .fine()
        .text;
    assert!(page.contains("href=\"/escalations/"), "{page}");
    let page = operator.get("/?view=all&urgency=low").fine().text;
    assert!(!page.contains("href=\"/escalations/"), "{page}");
    // What asks a group is of each of its people's teams; of nobody else's.
    let of_team = |name: &str| signed_in(&service, name).get("/?view=team").fine().text;
    assert!(of_team("b1@x").contains("href=\"/escalations/"));
    assert!(!of_team("o1@x").contains("href=\"/escalations/"));
    // Who does not see everything is not shown everything by asking for it.
    let all = signed_in(&service, "o1@x").get("/?view=all").fine().text;
    assert!(!all.contains("href=\"/escalations/"), "{all}");
}

#[test]
fn a_changed_input_is_shown_before_it_counts() {
    let service = service();
    let (id, _) = opened(&payments(&service), "e1");
    let (path, voter) = (format!("/escalations/{id}"), signed_in(&service, "b1@x"));
    let page = voter.get(&path).fine().text;
    assert!(
        page.contains("If nobody answers") && page.contains("block item"),
        "{page}"
    );
    let changed = coded(r#"{"kind": "pay", "amount": 1500, "customer": "c1"}"#);
    let amend = format!("{path}/amend");
    let shown = send(&voter, &amend, &format!("event={changed}&reason=less"));
    assert_eq!(shown.status, 200, "{shown:?}");
    assert!(
        shown.text.contains("<del>") && shown.text.contains("5000"),
        "{shown:?}"
    );
    assert!(
        shown.text.contains("<ins>") && shown.text.contains("1500"),
        "{shown:?}"
    );
    let page = voter.get(&path).fine().text;
    assert!(!page.contains("round 2"), "{page}");
    let done = send(
        &voter,
        &amend,
        &format!("event={changed}&reason=less&confirmed=yes"),
    );
    assert_eq!(done.status, 303, "{done:?}");
    let page = voter.get(&path).fine().text;
    assert!(page.contains("round 2") && page.contains("<ins>"), "{page}");
    // The next change begins from this one.
    let other = signed_in(&service, "b2@x").get(&path).fine().text;
    let typed = other.split_once("name=\"event\"").unwrap().1;
    assert!(
        typed.split("</textarea>").next().unwrap().contains("1500"),
        "{other}"
    );
    let wrong = send(&voter, &amend, "event=%7B");
    assert_eq!(wrong.status, 422, "{wrong:?}");
}

#[test]
fn who_only_asked_sees_no_evidence() {
    let service = service();
    let answer = ask(&payments(&service), &hostile("e1"));
    let path = format!(
        "/escalations/{}",
        answer["escalation"]["id"].as_str().unwrap()
    );
    let page = payments(&service).get(&path).fine().text;
    assert!(
        !page.contains("alert(3)") && !page.contains("What happened"),
        "{page}"
    );
    assert!(
        page.contains("Those who are asked see what it is."),
        "{page}"
    );
    // To whom it is nothing at all it is not there.
    let other = signed_in(&service, "o1@x");
    let unknown = format!("/escalations/{}", "0".repeat(32));
    let (theirs, none) = (other.get(&path), other.get(&unknown));
    assert_eq!((theirs.status, &theirs.text), (404, &none.text));
    for act in ["approve", "deny", "comment", "cancel", "amend", "nonsense"] {
        let form = "digest=x&reason=r&text=t&event=%7B%7D&confirmed=yes";
        let theirs = send(&other, &format!("{path}/{act}"), form);
        let none = send(&other, &format!("{unknown}/{act}"), form);
        assert_eq!((theirs.status, &theirs.text), (404, &none.text), "{act}");
    }
}

#[test]
fn a_staged_matrix_decides_when_an_operator_says_so() {
    let service = service();
    let operator = signed_in(&service, "op@x");
    let page = operator.get("/matrix").fine().text;
    for words in [
        "Large payments",
        "Respond within",
        "id=\"lane-big\"",
        "Last 30 days",
        "Timeout",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let changed = MATRIX.replace("amount > 1000 EUR", "amount > 2000 EUR");
    assert_ne!(changed, MATRIX);
    std::fs::write(service.path("m.lane"), changed).unwrap();
    let page = until(&operator, "/matrix", "does not decide yet");
    assert!(
        page.contains("<ins>+  when amount &gt; 2000 EUR</ins>"),
        "{page}"
    );
    let digest = page.split_once("name=\"digest\" value=\"").unwrap().1;
    let digest = digest.split('"').next().unwrap();
    // Another person sees it, and is offered nothing.
    let person = signed_in(&service, "b1@x").get("/matrix").fine().text;
    assert!(person.contains("An operator can apply it.") && !person.contains("/matrix/apply"));
    assert!(!person.contains("Last 30 days"), "{person}");
    assert_eq!(send(&operator, "/matrix/apply", "digest=other").status, 409);
    let done = send(&operator, "/matrix/apply", &format!("digest={digest}"));
    assert_eq!((done.status, done.header("location")), (303, "/matrix"));
    let page = operator.get("/matrix").fine().text;
    assert!(
        page.contains("amount &gt; 2000 EUR") && !page.contains("does not decide yet"),
        "{page}"
    );
    assert_eq!(
        ask(&payments(&service), &event("e1", "1500"))["word"],
        "allow"
    );
}

#[test]
fn the_findings_of_a_lane_stand_with_it() {
    // A lane that no event can reach behind a rule is not found here; one without a backup is.
    let matrix = format!("{MATRIX}team unused {{\n  first person \"u@x\"\n}}\n");
    let service = Service::start(&matrix, TOML);
    let page = signed_in(&service, "op@x").get("/matrix").fine().text;
    let findings = page.split_once("<h2>Findings</h2>").map(|(_, rest)| rest);
    assert!(
        findings.is_some_and(|rest| rest.contains("unused")),
        "{page}"
    );
}

#[test]
fn an_event_is_tried_without_a_consequence() {
    let service = service();
    std::fs::write(
        service.path("events.ndjson"),
        "{\"kind\": \"pay\", \"id\": \"x\", \"amount\": 70, \"customer\": \"c7\"}\n",
    )
    .unwrap();
    let person = signed_in(&service, "b1@x");
    let page = person.get("/try?example=1").fine().text;
    assert!(page.contains("c7&quot;"), "{page}");
    let large = coded(&event("e1", "5000").to_string());
    let page = send(&person, "/try", &format!("event={large}&lane=big"))
        .fine()
        .text;
    for words in [
        "The caller is told: <strong>escalate",
        "amount &gt; 1000 EUR",
        "lane `big` fired",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let small = coded(&event("e2", "5").to_string());
    let page = send(&person, "/try", &format!("event={small}&lane=big"))
        .fine()
        .text;
    assert!(page.contains("lane `big` is silent"), "{page}");
    let page = send(&person, "/try", &format!("event={small}&lane=none"))
        .fine()
        .text;
    assert!(page.contains("The matrix has no such lane."), "{page}");
    let page = send(&person, "/try", "event=nonsense").fine().text;
    assert!(page.contains("cannot be read"), "{page}");
    let operator = signed_in(&service, "op@x");
    assert!(
        operator
            .get("/?view=all")
            .fine()
            .text
            .contains("Nothing waits.")
    );
    assert!(
        operator
            .get("/decisions")
            .fine()
            .text
            .contains("No decision fits.")
    );
}

#[test]
fn the_log_is_searched_by_each_of_its_sides() {
    let service = service();
    let client = payments(&service);
    let (id, _) = opened(&client, "large-1");
    ask(&client, &event("small-1", "10"));
    let mut blocked = event("blocked-1", "10");
    blocked["customer"] = json!("blocked");
    ask(&client, &blocked);
    let auditor = signed_in(&service, "aud@x");
    let found = |query: &str| {
        let page = auditor.get(&format!("/decisions?{query}")).fine().text;
        let all = ["large-1", "small-1", "blocked-1"];
        let there = all
            .into_iter()
            .filter(|id| page.contains(&format!("<code>{id}</code>")));
        there.collect::<Vec<_>>()
    };
    assert_eq!(found("").len(), 3);
    assert_eq!(found("verdict=allow"), ["small-1"]);
    assert_eq!(found("by=big"), ["large-1"]);
    assert_eq!(found("by=blocked_customer"), ["blocked-1"]);
    assert_eq!(found("id=small-1"), ["small-1"]);
    assert_eq!(found(&format!("id={id}")), ["large-1"]);
    assert_eq!(found("since=2020-01-01").len(), 3);
    assert_eq!(found("until=2020-01-01").len(), 0);
    assert_eq!(found("since=2999-01-01T00:00").len(), 0);
    assert_eq!(auditor.get("/decisions?since=soon").status, 400);
    assert_eq!(auditor.get("/decisions?subject=soon").status, 400);
    // A page goes on where the one before stopped.
    for n in 0..60 {
        ask(&client, &event(&format!("more-{n}"), "10"));
    }
    let page = auditor.get("/decisions").fine().text;
    assert!(
        page.contains("more-59") && !page.contains("more-9<"),
        "{page}"
    );
    let (before, _) = page.split_once("\" rel=\"next\"").unwrap();
    let next = before.rsplit('"').next().unwrap().replace("&amp;", "&");
    let page = auditor.get(&next).fine().text;
    assert!(
        page.contains("more-9<") && page.contains("large-1"),
        "{page}"
    );
    assert!(!page.contains("more-10<"), "{page}");
    assert!(page.contains("All that is kept was looked at."), "{page}");
}

#[test]
fn statistics_are_plots_with_their_numbers() {
    let service = service();
    let client = payments(&service);
    let (first, digest) = opened(&client, "e1");
    let voters = ["b1@x", "b2@x"].map(|name| service.person(name));
    for voter in &voters {
        let path = format!("/v1/escalations/{first}/approve");
        voter.post(&path, &json!({ "digest": digest })).fine();
    }
    let (second, _) = opened(&client, "e2");
    let path = format!("/v1/escalations/{second}/deny");
    voters[0].post(&path, &json!({ "reason": "no" })).fine();
    let page = signed_in(&service, "aud@x").get("/statistics").fine().text;
    for words in [
        "Escalations over time, by lane",
        "Time to resolution",
        "Approvals against denials",
        "Timeouts",
        "Lanes that never fire",
        "Load by team",
        "1 approved, 1 denied",
        "2 escalations opened.",
        "Every lane of the matrix opened something.",
        "<svg",
        "<table",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // A plot of nothing is a sentence: nobody was too late.
    let plots = page.matches("role=\"img\"").count();
    let empty = page.matches("There is nothing to plot yet.").count();
    let figures = page.matches("<figure>").count();
    assert_eq!((plots, empty, figures), (4, 1, 5), "{page}");
    assert_eq!(
        page.matches("<figure>").count(),
        page.matches("The numbers: ").count()
    );
}

#[test]
fn a_notice_is_sent_again_when_an_operator_says_so() {
    let service = service();
    opened(&payments(&service), "e1");
    let operator = signed_in(&service, "op@x");
    let page = until(&operator, "/deliveries", "<td>b1@x</td>");
    assert!(page.contains("<td>file</td>"), "{page}");
    let notice = page.split_once("name=\"notice\" value=\"").unwrap().1;
    let notice = coded(notice.split('"').next().unwrap());
    let lines = || {
        let text = std::fs::read_to_string(service.path("notices.ndjson"));
        text.map_or(0, |text| text.lines().count())
    };
    std::thread::sleep(std::time::Duration::from_millis(600));
    let before = lines();
    let done = send(&operator, "/deliveries/again", &format!("notice={notice}"));
    assert_eq!(done.status, 303, "{done:?}");
    let many = (0..50).find(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        lines() > before
    });
    assert!(many.is_some(), "it was not sent again");
    assert_eq!(
        send(&operator, "/deliveries/again", "notice=unknown").status,
        409
    );
    let auditor = signed_in(&service, "aud@x").get("/deliveries").fine().text;
    assert!(!auditor.contains("/deliveries/again"), "{auditor}");
    let failed = operator.get("/deliveries?outcome=never").fine().text;
    assert!(failed.contains("nothing fits"), "{failed}");
}

#[test]
fn the_audit_is_read_and_verified() {
    let service = service();
    let client = payments(&service);
    for n in 0..60 {
        opened(&client, &format!("e{n}"));
    }
    let voter = service.person("b1@x");
    let (id, _) = opened(&client, "last");
    let path = format!("/v1/escalations/{id}/deny");
    voter.post(&path, &json!({ "reason": "no" })).fine();
    let auditor = signed_in(&service, "aud@x");
    let page = auditor.get("/audit").fine().text;
    assert!(page.contains("denied by b1@x: no"), "{page}");
    let page = send(&auditor, "/audit/verify", "").fine().text;
    assert!(page.contains("Everything fits"), "{page}");
    assert!(page.contains("<dt>Chains</dt><dd>61</dd>"), "{page}");
    // From the last page to the first.
    let mut path = "/audit".to_owned();
    let mut rows = std::collections::BTreeSet::new();
    for _ in 0..10 {
        let page = auditor.get(&path).fine().text;
        let positions = page.split("<tr><td class=\"number\">").skip(1);
        rows.extend(positions.map(|rest| rest.split('<').next().unwrap().to_owned()));
        let Some((before, _)) = page.split_once("\" rel=\"next\"") else {
            break;
        };
        path = before.rsplit('"').next().unwrap().replace("&amp;", "&");
    }
    let report = service.app.desk().verify(Vec::new()).unwrap();
    assert_eq!(rows.len() as u64, report.rows);
}

#[test]
fn an_admin_lets_people_in_and_takes_tokens_back() {
    let service = service();
    let used = service.client("payments", &[Scope::Decide]);
    ask(&used, &event("e1", "10"));
    let secret = used.headers[0].1.splitn(3, '_').nth(2).unwrap().to_owned();
    let admin = signed_in(&service, "adm@x");
    let page = admin.get("/people").fine().text;
    for words in [
        "board",
        "operator",
        "b3@x",
        "bot",
        "has a password",
        "payments",
        "decide",
        "file",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("not since the start"), "{page}");
    assert!(!page.contains(&secret), "a secret is shown");
    let token = page.split_once("name=\"token\" value=\"").unwrap().1;
    let token = token.split('"').next().unwrap();
    let done = send(&admin, "/people/revoke", &format!("token={token}"));
    assert_eq!(done.status, 303, "{done:?}");
    assert_eq!(used.get("/v1/escalations").status, 401);
    assert_eq!(
        send(&admin, "/people/revoke", &format!("token={token}")).status,
        404
    );
    // A link is shown once, and lets that person in.
    let page = send(&admin, "/people/link", "person=b2%40x").fine().text;
    let link = page.split_once("/setup/").unwrap().1;
    let link = format!("/setup/{}", link.split('<').next().unwrap());
    assert!(!admin.get("/people").fine().text.contains(&link));
    let browser = service.nobody().with("origin", &service.url);
    let entered = browser.post_text(&link, FORM, "person=x&password=a+few+good+words");
    assert_eq!(entered.status, 303, "{entered:?}");
    assert_eq!(send(&admin, "/people/link", "person=bot").status, 422);
    assert_eq!(send(&admin, "/people/link", "person=").status, 400);
}
