//! Every route that changes something, as the router has it: nobody, the wrong one and another site change
//! nothing by it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use laneway::Timestamp;
use laneway::server::{LinkFor, Route, Scope, routes};
use rusqlite::types::ValueRef;
use serde_json::{Value, json};

use super::entering::{PASSWORD, cookie, signed_in, word};
use super::service::Answer;
use super::{Client, MATRIX, Service, TOML, event};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// What is sent.
#[derive(Debug, Clone)]
struct Ask {
    method: &'static str,
    path: String,
    kind: &'static str,
    body: String,
}

/// One request that changes something, and everybody from whom it does not.
struct Case {
    ask: Ask,
    /// Who may: so that what is refused is refused for who sends it, and for nothing else.
    right: Client,
    /// What they are answered.
    done: u16,
    /// Whether anything is another then.
    changes: bool,
    /// Who is known, or says that they are, and may not.
    wrong: Vec<(&'static str, Client, Ask)>,
    /// What is sent without saying who.
    bare: Ask,
    /// The cookie of a live session, which another site makes a browser send.
    session: String,
}

/// A route, and how its cases are made.
type Entry = (&'static str, fn(&World) -> Vec<Case>);

/// What is sent to each route. A route that is not here fails the test by its name.
const ENTRIES: [Entry; 16] = [
    ("POST /v1/decisions", decide),
    ("POST /v1/decisions/batch", decide_many),
    ("POST /v1/escalations/{id}/{act}", command),
    ("POST /v1/guard/evaluate", evaluate),
    ("GET /v1/guard/escalations/{id}/status", use_permission),
    ("POST /v1/matrix/reload", reload),
    ("POST /escalations/{id}/{act}", answer),
    ("POST /sign-in", sign_in),
    ("POST /sign-out", sign_out),
    ("POST /setup/{link}", set_up),
    ("POST /matrix/apply", apply),
    ("POST /try", try_it),
    ("POST /deliveries/again", send_again),
    ("POST /audit/verify", verify),
    ("POST /people/revoke", revoke),
    ("POST /people/link", link),
];

fn name(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

/// Calls of tools too.
const CALLS: &str = r#"
event tool_call {
  tool_name: text
}
lane calls {
  on tool_call
  when tool_name is "pay"
  owner board
  urgency high
  respond within 1h
  meanwhile block item
  evidence {
    required input, action, trigger
  }
  timeout {
    after 8h deny
  }
}
"#;

/// A service with everybody signed in once: a new password ends the sessions before.
struct World {
    service: Service,
    browsers: BTreeMap<&'static str, (Client, String)>,
}

impl World {
    fn new() -> Self {
        let matrix = format!("{MATRIX}{CALLS}");
        let service = Service::start(&matrix, TOML);
        let people = [
            "b1@x",
            "b2@x",
            "o1@x",
            "op@x",
            "aud@x",
            "adm@x",
            "leaving@x",
        ];
        let browsers = people.map(|name| {
            let browser = signed_in(&service, name);
            let word = word(&browser);
            (name, (browser, word))
        });
        Self {
            browsers: browsers.into(),
            service,
        }
    }

    /// A token of somebody.
    fn token(&self, owner: &str, scope: Scope) -> Client {
        self.service.client(owner, &[scope])
    }

    fn browser(&self, name: &str) -> Client {
        self.browsers[name].0.clone()
    }

    /// The cookie of somebody.
    fn session(&self, name: &str) -> String {
        cookie(&self.browsers[name].0)
    }

    /// A form of somebody's session.
    fn form(&self, name: &str, path: &str, fields: &str) -> Ask {
        let word = &self.browsers[name].1;
        post(path, FORM, &format!("form={word}&{fields}"))
    }

    /// Opens an escalation: its id and its digest.
    fn opened(&self) -> (String, String) {
        let client = self.token("payments", Scope::Decide);
        super::opened(&client, &fresh())
    }

    /// Says something to an escalation, as who may.
    fn say(&self, name: &str, id: &str, act: &str, body: &Value) {
        let path = format!("/v1/escalations/{id}/{act}");
        self.service.person(name).post(&path, body).fine();
    }

    /// One that a quorum has approved.
    fn approved(&self) -> (String, String) {
        let (id, digest) = self.opened();
        for name in ["b1@x", "b2@x"] {
            self.say(name, &id, "approve", &json!({ "digest": digest }));
        }
        (id, digest)
    }

    /// Everything that is stored, when what was to be sent is sent; and what decides.
    fn stored(&self) -> Stored {
        let database = rusqlite::Connection::open(self.service.path("laneway.db")).unwrap();
        let waiting = "SELECT count(*) FROM outbox WHERE state = 'waiting'";
        let until = Instant::now() + Duration::from_secs(20);
        while database
            .query_row(waiting, [], |row| row.get::<_, i64>(0))
            .unwrap()
            > 0
        {
            assert!(Instant::now() < until, "notices are not sent");
            std::thread::sleep(Duration::from_millis(20));
        }
        let tables =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut tables = database.prepare(tables).unwrap();
        let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        // The clock goes on, and checkpoints are of time.
        let tables = tables
            .map(Result::unwrap)
            .filter(|name| name != "settings" && name != "checkpoints");
        let mut stored: BTreeMap<_, _> = tables
            .map(|name| (name.clone(), rows(&database, &name)))
            .collect();
        assert!(stored.len() >= 12, "{:?}", stored.keys());
        let auditor = self.token("aud@x", Scope::Audit);
        // Its own token is new each time.
        stored
            .get_mut("entries")
            .unwrap()
            .retain(|row| !row.contains("aud@x"));
        let matrix = auditor.get("/v1/matrix").fine().json();
        stored.insert(
            "what decides".to_owned(),
            vec![matrix["digest"].to_string()],
        );
        stored
    }
}

fn rows(database: &rusqlite::Connection, table: &str) -> Vec<String> {
    // That somebody was refused is kept, with its instant, and is no change.
    let unless = match table {
        "audit" => "WHERE kind <> 'refused'",
        "payloads" => {
            "NATURAL JOIN (SELECT tenant, escalation, n FROM audit WHERE kind <> 'refused')"
        }
        _ => "",
    };
    let mut all = database
        .prepare(&format!("SELECT * FROM {table} {unless}"))
        .unwrap();
    let names: Vec<String> = all.column_names().map(str::to_owned).collect();
    let rows = all.query_map([], |row| {
        let cells = names.iter().enumerate().filter(|(_, name)| *name != "last");
        let cells = cells.map(|(n, name)| match row.get_ref(n).unwrap() {
            ValueRef::Text(text) => format!("{name}={}", String::from_utf8_lossy(text)),
            other => format!("{name}={other:?}"),
        });
        Ok(cells.collect::<Vec<_>>().join(" "))
    });
    let mut rows: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
    rows.sort();
    rows
}

type Stored = BTreeMap<String, Vec<String>>;

/// Rows that are in one of two, and not in the other.
fn differences(before: &Stored, after: &Stored) -> Vec<String> {
    let rows = |stored: &Stored| -> BTreeSet<String> {
        let all = stored
            .iter()
            .flat_map(|(table, rows)| rows.iter().map(move |row| format!("{table}: {row}")));
        all.collect()
    };
    let (before, after) = (rows(before), rows(after));
    before.symmetric_difference(&after).cloned().collect()
}

/// An id that no other event has.
fn fresh() -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    format!(
        "e{}",
        NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    )
}

fn post(path: &str, kind: &'static str, body: &str) -> Ask {
    Ask {
        method: "POST",
        path: path.to_owned(),
        kind,
        body: body.to_owned(),
    }
}

fn json_to(path: &str, body: &Value) -> Ask {
    post(path, JSON, &body.to_string())
}

fn send(client: &Client, ask: &Ask) -> Answer {
    match ask.method {
        "GET" => client.get(&ask.path),
        _ => client.post_text(&ask.path, ask.kind, &ask.body),
    }
}

/// A case of the API. Another site sends by the session of somebody who could do most.
fn case(world: &World, ask: Ask, right: Client, wrong: &[(&'static str, Client)]) -> Case {
    Case {
        bare: ask.clone(),
        wrong: wrong
            .iter()
            .map(|(who, client)| (*who, client.clone(), ask.clone()))
            .collect(),
        session: world.session("b1@x"),
        ask,
        right,
        done: 200,
        changes: true,
    }
}

/// A case of a page, of a form of somebody's session.
fn page(world: &World, right: &str, path: &str, fields: &str, wrong: &[&'static str]) -> Case {
    let others = wrong
        .iter()
        .map(|name| (*name, world.browser(name), world.form(name, path, fields)));
    let mut all: Vec<_> = others.collect();
    all.push((
        "a session with another's word",
        world.browser(right),
        world.form("leaving@x", path, fields),
    ));
    all.push((
        "a token that only reads figures",
        world.token("x", Scope::Metrics),
        post(path, FORM, fields),
    ));
    Case {
        ask: world.form(right, path, fields),
        bare: post(path, FORM, fields),
        right: world.browser(right),
        done: 303,
        changes: true,
        wrong: all,
        session: world.session(right),
    }
}

/// Who does not ask.
fn no_askers(world: &World) -> Vec<(&'static str, Client)> {
    vec![
        ("who answers", world.token("b1@x", Scope::Answer)),
        ("an operator", world.token("op@x", Scope::Operate)),
        ("who reads figures", world.token("payments", Scope::Metrics)),
        ("a session", world.browser("b1@x")),
        ("a forged token", forged(world)),
    ]
}

fn forged(world: &World) -> Client {
    let token = world.service.token("payments", &[Scope::Decide]);
    let (id, _) = token.rsplit_once('_').unwrap();
    let text = format!("Bearer {id}_{}", "A".repeat(43));
    world.service.nobody().with("authorization", &text)
}

fn decide(world: &World) -> Vec<Case> {
    let ask = json_to(
        "/v1/decisions",
        &json!({ "event": event(&fresh(), "5000") }),
    );
    vec![case(
        world,
        ask,
        world.token("payments", Scope::Decide),
        &no_askers(world),
    )]
}

fn decide_many(world: &World) -> Vec<Case> {
    let body = json!({ "requests": [{ "event": event(&fresh(), "5000") }] });
    let ask = json_to("/v1/decisions/batch", &body);
    vec![case(
        world,
        ask,
        world.token("payments", Scope::Decide),
        &no_askers(world),
    )]
}

fn evaluate(world: &World) -> Vec<Case> {
    let ask = json_to("/v1/guard/evaluate", &json!({ "tool_name": "pay" }));
    vec![case(
        world,
        ask,
        world.token("payments", Scope::Decide),
        &no_askers(world),
    )]
}

fn use_permission(world: &World) -> Vec<Case> {
    let runner = world.token("payments", Scope::Decide);
    let asked = runner
        .post("/v1/guard/evaluate", &json!({ "tool_name": "pay" }))
        .fine()
        .json();
    let id = asked["escalation_id"].as_str().unwrap().to_owned();
    let digest = world
        .token("aud@x", Scope::Audit)
        .get(&format!("/v1/escalations/{id}"))
        .fine()
        .json();
    for name in ["b1@x", "b2@x"] {
        world.say(name, &id, "approve", &json!({ "digest": digest["digest"] }));
    }
    let ask = Ask {
        method: "GET",
        path: format!("/v1/guard/escalations/{id}/status"),
        kind: JSON,
        body: String::new(),
    };
    let mut wrong = no_askers(world);
    wrong.push(("another service", world.token("other", Scope::Decide)));
    vec![case(world, ask, runner, &wrong)]
}

fn command(world: &World) -> Vec<Case> {
    let requester = || world.token("payments", Scope::Decide);
    let to =
        |id: &str, act: &str, body: Value| json_to(&format!("/v1/escalations/{id}/{act}"), &body);
    // Whoever the token belongs to, it is not for this.
    let only_reads = || {
        (
            "a token of the requester for figures",
            world.token("payments", Scope::Metrics),
        )
    };
    let only_figures = || {
        (
            "a token of one who is asked for figures",
            world.token("b1@x", Scope::Metrics),
        )
    };
    let stranger = || ("who is not asked", world.token("o1@x", Scope::Answer));
    let asks = || ("who asks", requester());
    let mut cases = Vec::new();
    for (act, body) in [
        ("approve", json!({})),
        ("deny", json!({ "reason": "no" })),
        (
            "amend",
            json!({ "event": event("amended", "2000"), "reason": "less" }),
        ),
        ("reassign", json!({ "team": "ops" })),
        ("delegate", json!({ "to": "adm@x" })),
    ] {
        let (id, digest) = world.opened();
        let mut body = body;
        if act == "approve" {
            body["digest"] = json!(digest);
        }
        let wrong = [stranger(), asks(), only_reads(), only_figures()];
        cases.push(case(
            world,
            to(&id, act, body),
            world.service.person("b1@x"),
            &wrong,
        ));
    }
    let (id, digest) = world.opened();
    world.say("b1@x", &id, "approve", &json!({ "digest": digest }));
    let wrong = [stranger(), asks(), only_figures()];
    cases.push(case(
        world,
        to(&id, "withdraw", json!({})),
        world.service.person("b1@x"),
        &wrong,
    ));
    for (act, body) in [
        ("cancel", json!({})),
        ("comment", json!({ "text": "hello" })),
        ("evidence", json!({ "name": "note", "value": 1 })),
    ] {
        let (id, _) = world.opened();
        let wrong = [
            stranger(),
            only_reads(),
            ("another service", world.token("other", Scope::Decide)),
            ("an auditor", world.token("aud@x", Scope::Audit)),
        ];
        cases.push(case(world, to(&id, act, body), requester(), &wrong));
    }
    let (id, digest) = world.approved();
    let wrong = [
        stranger(),
        only_reads(),
        ("another service", world.token("other", Scope::Decide)),
        ("who answered", world.service.person("b1@x")),
        ("an operator", world.token("op@x", Scope::Operate)),
    ];
    let body = json!({ "digest": digest, "key": "k" });
    cases.push(case(world, to(&id, "consume", body), requester(), &wrong));
    let (id, _) = world.approved();
    let wrong = [stranger(), asks(), only_figures()];
    cases.push(case(
        world,
        to(&id, "revoke", json!({})),
        world.service.person("b2@x"),
        &wrong,
    ));
    cases.push(release(world));
    cases
}

/// What was denied after it had happened stays kept until an operator says so.
fn release(world: &World) -> Case {
    let requester = world.token("payments", Scope::Decide);
    let body = json!({ "event": event(&fresh(), "5000"), "asks": false });
    let asked = requester.post("/v1/decisions", &body).fine().json();
    let id = asked["escalation"]["id"].as_str().unwrap();
    world.say("b1@x", id, "deny", &json!({ "reason": "no" }));
    let wrong = [
        ("who asks", requester),
        ("who answered", world.service.person("b1@x")),
        (
            "an operator by a token that only answers",
            world.service.person("op@x"),
        ),
    ];
    let operator = world
        .service
        .client("op@x", &[Scope::Operate, Scope::Answer]);
    let ask = json_to(&format!("/v1/escalations/{id}/release"), &json!({}));
    Case {
        session: world.session("op@x"),
        ..case(world, ask, operator, &wrong)
    }
}

fn reload(world: &World) -> Vec<Case> {
    change_matrix(world, "1001");
    let wrong = [
        ("an admin", world.token("adm@x", Scope::Admin)),
        ("an auditor", world.token("aud@x", Scope::Audit)),
        ("who asks", world.token("payments", Scope::Decide)),
        ("a session of one who is asked", world.browser("b1@x")),
    ];
    let ask = json_to("/v1/matrix/reload", &json!({}));
    let right = world.token("op@x", Scope::Operate);
    vec![Case {
        session: world.session("op@x"),
        ..case(world, ask, right, &wrong)
    }]
}

/// Another matrix on the disk.
fn change_matrix(world: &World, amount: &str) {
    let matrix = std::fs::read_to_string(world.service.path("m.lane")).unwrap();
    let (before, rest) = matrix.split_once("when amount > ").unwrap();
    let (_, behind) = rest.split_once(" EUR").unwrap();
    let changed = format!("{before}when amount > {amount} EUR{behind}");
    std::fs::write(world.service.path("m.lane"), changed).unwrap();
}

fn answer(world: &World) -> Vec<Case> {
    let mut cases = Vec::new();
    for (act, fields) in [
        ("approve", "reason=fine"),
        ("deny", "reason=no"),
        ("comment", "text=hello"),
        ("delegate", "to=adm@x"),
        ("reassign", "team=ops"),
        (
            "amend",
            "confirmed=yes&event=%7B%22kind%22%3A%22pay%22%2C%22amount%22%3A2000%2C%22customer%22%3A%22c%22%7D",
        ),
    ] {
        let (id, digest) = world.opened();
        let fields = format!("{fields}&digest={digest}");
        let path = format!("/escalations/{id}/{act}");
        let mut case = page(world, "b1@x", &path, &fields, &["o1@x", "leaving@x"]);
        if act != "comment" {
            let asks = world.token("payments", Scope::Decide);
            case.wrong
                .push(("who asks", asks, post(&path, FORM, &fields)));
        }
        cases.push(case);
    }
    let (id, _) = world.approved();
    cases.push(page(
        world,
        "b1@x",
        &format!("/escalations/{id}/revoke"),
        "reason=no",
        &["o1@x"],
    ));
    cases
}

fn sign_in(world: &World) -> Vec<Case> {
    let right = world.service.nobody().with("origin", &world.service.url);
    let form = |password: &str| {
        post(
            "/sign-in",
            FORM,
            &format!("person=b2@x&password={password}"),
        )
    };
    vec![Case {
        ask: form(&PASSWORD.replace(' ', "+")),
        bare: post("/sign-in", FORM, ""),
        wrong: vec![("a wrong password", right.clone(), form("wrong"))],
        right,
        done: 303,
        changes: true,
        session: world.session("b1@x"),
    }]
}

fn sign_out(world: &World) -> Vec<Case> {
    let case = page(world, "leaving@x", "/sign-out", "", &[]);
    // The word of its own session stands there as another's.
    let others = world.form("b1@x", "/sign-out", "");
    vec![Case {
        wrong: vec![(
            "a session with another's word",
            world.browser("leaving@x"),
            others,
        )],
        ..case
    }]
}

fn set_up(world: &World) -> Vec<Case> {
    let now: Timestamp = std::time::SystemTime::now().into();
    let what = LinkFor {
        person: Some("new@x".to_owned()),
        admin: false,
    };
    let link = world.service.app.access().make_link(&what, now).unwrap();
    let form = "person=new@x&password=a+few+good+words";
    let right = world.service.nobody().with("origin", &world.service.url);
    let unknown = post(&format!("/setup/{}", "A".repeat(43)), FORM, form);
    vec![Case {
        ask: post(&format!("/setup/{link}"), FORM, form),
        bare: unknown.clone(),
        wrong: vec![("an unknown link", right.clone(), unknown)],
        right,
        done: 303,
        changes: true,
        session: world.session("adm@x"),
    }]
}

fn apply(world: &World) -> Vec<Case> {
    change_matrix(world, "1002");
    let operator = world.token("op@x", Scope::Operate);
    let until = Instant::now() + Duration::from_secs(20);
    let digest = loop {
        let matrix = operator.get("/v1/matrix").fine().json();
        if let Some(digest) = matrix["staged"]["digest"].as_str() {
            break digest.to_owned();
        }
        assert!(Instant::now() < until, "{matrix}");
        std::thread::sleep(Duration::from_millis(50));
    };
    let others = ["aud@x", "adm@x", "b1@x"];
    vec![page(
        world,
        "op@x",
        "/matrix/apply",
        &format!("digest={digest}"),
        &others,
    )]
}

/// It shows what would be, and changes nothing.
fn try_it(world: &World) -> Vec<Case> {
    let mut case = page(world, "b1@x", "/try", "event=%7B%7D", &[]);
    let asks = world.token("payments", Scope::Decide);
    case.wrong
        .push(("who asks", asks, post("/try", FORM, "event=%7B%7D")));
    vec![Case {
        done: 200,
        changes: false,
        ..case
    }]
}

fn send_again(world: &World) -> Vec<Case> {
    world.opened();
    world.stored();
    let database = rusqlite::Connection::open(world.service.path("laneway.db")).unwrap();
    let notice = "SELECT id FROM outbox WHERE state = 'sent' LIMIT 1";
    let notice: String = database.query_row(notice, [], |row| row.get(0)).unwrap();
    let fields = form_urlencoded::Serializer::new(String::new())
        .append_pair("notice", &notice)
        .finish();
    vec![page(
        world,
        "op@x",
        "/deliveries/again",
        &fields,
        &["aud@x", "b1@x"],
    )]
}

/// It reads all that happened, and changes nothing.
fn verify(world: &World) -> Vec<Case> {
    vec![Case {
        done: 200,
        changes: false,
        ..page(world, "aud@x", "/audit/verify", "", &["b1@x"])
    }]
}

fn revoke(world: &World) -> Vec<Case> {
    let token = world.service.token("victim", &[Scope::Decide]);
    let id = token.split('_').nth(1).unwrap();
    vec![page(
        world,
        "adm@x",
        "/people/revoke",
        &format!("token={id}"),
        &["op@x", "aud@x", "b1@x"],
    )]
}

fn link(world: &World) -> Vec<Case> {
    let others = ["op@x", "aud@x", "b1@x"];
    vec![Case {
        done: 200,
        ..page(world, "adm@x", "/people/link", "person=b2@x", &others)
    }]
}

/// What each of the guard protocol's answers says: `block`.
#[track_caller]
fn is_block(answer: &Answer, who: &str) {
    assert_eq!(answer.json()["action"], "block", "{who}: {answer:?}");
}

#[track_caller]
fn refuses_nobody(route: &Route, case: &Case, world: &World) {
    let (what, nobody) = (name(route), world.service.nobody());
    for client in [nobody.with("origin", &world.service.url), nobody] {
        let answer = send(&client, &case.bare);
        assert_eq!(answer.header("set-cookie"), "", "{what}: {answer:?}");
        match (route.is_known, answer.status) {
            (true, 401) if what.contains("/v1/guard/") => is_block(&answer, &what),
            (true, 401) => assert_eq!(answer.problem(401), "unauthorized", "{what}"),
            (true, 303) => {
                let to = answer.header("location");
                assert!(to.starts_with("/sign-in?to="), "{what}: {to}");
            }
            (false, 403 | 404 | 429) => {}
            _ => panic!("{what} answers nobody known: {answer:?}"),
        }
    }
}

#[track_caller]
fn refuses_the_wrong(route: &Route, case: &Case) {
    let what = name(route);
    assert!(!case.wrong.is_empty(), "{what} is refused to nobody");
    for (who, client, ask) in &case.wrong {
        let answer = send(client, ask);
        let is_refused = matches!(answer.status, 401 | 403 | 404);
        assert!(is_refused, "{what} {} of {who}: {answer:?}", ask.path);
        assert_eq!(answer.header("set-cookie"), "", "{what} of {who}");
        if what.contains("/v1/guard/") {
            is_block(&answer, who);
        }
    }
}

#[track_caller]
fn refuses_other_sites(route: &Route, case: &Case, world: &World) {
    let what = name(route);
    let browser = world.service.nobody().with("cookie", &case.session);
    let evil = browser.with("origin", "https://evil.example");
    let sites = [
        evil.clone(),
        evil.with("sec-fetch-site", "cross-site"),
        browser.with("origin", "null"),
        browser.with("sec-fetch-site", "cross-site"),
        browser.with("sec-fetch-site", "same-site"),
        browser.clone(),
    ];
    for site in sites {
        for kind in [
            case.ask.kind,
            FORM,
            "text/plain",
            "multipart/form-data; boundary=x",
        ] {
            let ask = Ask {
                kind,
                ..case.ask.clone()
            };
            let answer = send(&site, &ask);
            assert_eq!(
                answer.status, 403,
                "{what} {} {site:?}: {answer:?}",
                ask.path
            );
            assert_eq!(answer.header("set-cookie"), "", "{what} {site:?}");
            assert_eq!(answer.header("access-control-allow-origin"), "", "{what}");
            if what.contains("/v1/guard/") {
                is_block(&answer, &what);
            }
        }
    }
}

#[test]
fn every_route_that_changes_something_refuses_nobody_the_wrong_and_other_sites() {
    let world = World::new();
    let entries = BTreeMap::from(ENTRIES);
    let mut left: BTreeSet<_> = entries.keys().copied().collect();
    for route in routes().iter().filter(|route| route.changes) {
        let what = name(route);
        let Some(cases) = entries.get(&*what) else {
            panic!(
                "`{what}` changes something and has no entry here: say who may, and who may not"
            );
        };
        left.remove(&*what);
        let cases = cases(&world);
        assert!(!cases.is_empty(), "`{what}` has no case");
        for case in cases {
            let before = world.stored();
            refuses_nobody(route, &case, &world);
            refuses_the_wrong(route, &case);
            refuses_other_sites(route, &case, &world);
            let path = &case.ask.path;
            let changed = differences(&before, &world.stored());
            assert!(changed.is_empty(), "{what} {path} changed {changed:#?}");
            let done = send(&case.right, &case.ask);
            assert_eq!(done.status, case.done, "{what} {path}: {done:?}");
            let changed = differences(&before, &world.stored());
            assert_eq!(
                !changed.is_empty(),
                case.changes,
                "{what} {path}: {changed:#?}"
            );
        }
    }
    assert!(left.is_empty(), "these are no routes: {left:?}");
}

/// Every command of the API is among the cases, by the description of the API.
#[test]
fn no_command_is_left_out() {
    let world = World::new();
    let document = world.service.nobody().get("/openapi.json").fine().json();
    let acts = &document["paths"]["/v1/escalations/{id}/{act}"]["post"]["parameters"];
    let acts = acts
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "act")
        .unwrap();
    let acts: BTreeSet<_> = acts["schema"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    let cases = command(&world);
    let tried: BTreeSet<_> = cases
        .iter()
        .map(|case| case.ask.path.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(tried, acts);
}

/// A path as a request has it.
fn filled(path: &str) -> String {
    path.replace("{id}", &"0".repeat(32))
        .replace("{act}", "approve")
        .replace("{link}", "x")
}

#[test]
fn a_path_answers_the_methods_of_the_table_and_no_others() {
    let world = super::service();
    let all = routes();
    let paths: BTreeSet<_> = all.iter().map(|route| route.path).collect();
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            let is_there = all
                .iter()
                .any(|route| route.path == path && route.method == *method);
            if is_there && path == "/v1/events" {
                continue;
            }
            let answer = super::raw::answer(
                &world,
                &format!(
                    "{method} {} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                    filled(path)
                ),
            );
            let is_refused = answer.starts_with("HTTP/1.1 405 ");
            assert_eq!(is_refused, !is_there, "{method} {path}: {answer}");
        }
    }
}

#[test]
fn no_answer_may_be_framed_or_guessed_at() {
    let service = super::service();
    let person = signed_in(&service, "op@x");
    let mut paths: Vec<_> = routes()
        .iter()
        .filter(|route| route.method == "GET" && route.path != "/v1/events")
        .map(|route| filled(route.path))
        .collect();
    paths.push("/nothing/of/that/name".to_owned());
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        for client in [&service.nobody(), &person] {
            let answers = [client.get(&path), client.post_text(&path, FORM, "a=b")];
            for answer in answers {
                assert_eq!(
                    answer.header("x-frame-options"),
                    "DENY",
                    "{path}: {answer:?}"
                );
                let policy = answer.header("content-security-policy");
                for part in [
                    "frame-ancestors 'none'",
                    "default-src 'none'",
                    "base-uri 'none'",
                    "form-action '",
                ] {
                    assert!(policy.contains(part), "{path}: {policy}");
                }
                assert!(
                    !policy.contains("unsafe") && !policy.contains('*'),
                    "{path}: {policy}"
                );
                assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
                assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
                let has_kind = !answer.header("content-type").is_empty();
                assert!(has_kind || answer.text.is_empty(), "{path}: {answer:?}");
            }
        }
    }
}

/// Whoever looks for others, or ahead of them, neither answers nor counts as having seen it.
#[test]
fn to_look_changes_nothing_and_to_look_ahead_is_no_look() {
    let world = World::new();
    let (id, _) = world.opened();
    let before = world.stored();
    let browser = world.browser("b1@x");
    let shows: Vec<_> = routes()
        .into_iter()
        .filter(|route| route.method == "GET" && route.path != "/v1/events")
        .map(|route| route.path.replace("{id}", &id).replace("{link}", "x"))
        .collect();
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "Prefetch"),
        ("x-moz", "prefetch"),
    ] {
        let is_of_anybody = |path: &&String| path.ends_with("z") || path.ends_with(".json");
        for path in shows.iter().filter(|path| !is_of_anybody(path)) {
            let answer = browser.with(name, value).get(path);
            assert_eq!(answer.status, 503, "{name} {path}: {answer:?}");
        }
    }
    // A link in a message names an act: it is no page, and does nothing.
    for act in ["approve", "deny", "cancel", "consume", "revoke"] {
        for path in [
            format!("/escalations/{id}/{act}"),
            format!("/v1/escalations/{id}/{act}"),
        ] {
            assert_eq!(browser.get(&path).status, 405, "{path}");
        }
    }
    assert_eq!(differences(&before, &world.stored()), [""; 0]);
    for path in &shows {
        for client in [&browser, &world.browser("op@x"), &world.service.nobody()] {
            client.get(path);
        }
    }
    let mut after = world.stored();
    let seen = happened(&world, &id);
    assert_eq!(seen, ["opened", "viewed"], "a person saw it");
    for table in ["audit", "payloads", "escalations"] {
        after.insert(table.to_owned(), before[table].clone());
    }
    assert_eq!(differences(&before, &after), [""; 0]);
}

fn happened(world: &World, id: &str) -> Vec<String> {
    let auditor = world.token("aud@x", Scope::Audit);
    let history = auditor
        .get(&format!("/v1/escalations/{id}/history"))
        .fine()
        .json();
    let rows = history["history"].as_array().unwrap().iter();
    rows.map(|row| row["what"].as_str().unwrap().to_owned())
        .collect()
}
