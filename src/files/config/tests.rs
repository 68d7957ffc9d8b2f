//! What a configuration may say, and where each mistake is.

use super::*;
use crate::clock::Duration;
use crate::escalation::policy::Policy;
use crate::escalation::principal::Principal;

mod notify;
mod settings;

fn read_text(text: &str) -> Result<Config, ConfigError> {
    parse(&Source::new(Path::new("laneway.toml"), text.to_owned()))
}

fn config(text: &str) -> Config {
    read_text(text).unwrap()
}

fn message(text: &str) -> String {
    read_text(text).unwrap_err().to_string()
}

#[test]
fn bounds_are_read_and_the_rest_stays() {
    let config = config("[limits]\nlanes = 7\n");
    assert_eq!(config.limits.lanes, 7);
    assert_eq!(config.limits.nesting, Limits::default().nesting);
}

#[test]
fn sources_are_read() {
    let text = "[sources.billing]\ntrusted = true\nlateness = \"5m\"\n";
    let sources = config(text).sources;
    let billing = sources.source("billing");
    assert!(billing.trusted && billing.lateness.to_string() == "5m");
    assert!(!sources.source("other").trusted);
    let wrong = message("[sources.billing]\ntrust = true\n");
    assert!(wrong.contains("unknown field `trust`"), "{wrong}");
}

#[test]
fn a_mistake_is_shown_with_its_line() {
    let unknown = message("[limits]\nlanes = 7\n  lane = 7\n");
    assert!(
        unknown.starts_with("laneway.toml:3:3: unknown field `lane`"),
        "{unknown}"
    );
    let negative = message("[limits]\nlanes = -7\n");
    assert!(negative.starts_with("laneway.toml:2:9: "), "{negative}");
    let syntax = message("[limits\n");
    assert!(syntax.starts_with("laneway.toml:1:8: "), "{syntax}");
    let wide = message("[limits]\nfile_bytes = 4000000000\n");
    assert!(
        wide.starts_with("laneway.toml:2:1: `file_bytes` is at most"),
        "{wide}"
    );
}

fn name(text: &str) -> Principal {
    Principal::parse(text).unwrap()
}

fn names<'a>(list: impl IntoIterator<Item = &'a Principal>) -> Vec<&'a str> {
    list.into_iter().map(Principal::as_str).collect()
}

#[test]
fn an_empty_file_is_no_file() {
    assert_eq!(config(""), Config::default());
    let people = Config::default().people;
    assert!(people.is_reachable(&name("only-in-a-matrix")));
    assert_eq!(people.people().count(), 0);
}

#[test]
fn a_file_may_say_everything() {
    let text = r#"
[people."maria@acme.example"]
login = "maria"
channels = ["file:maria.ndjson"]
[people."Jon@Acme.example"]
logins = ["jon", "jd"]
left = true
[groups]
payments = ["MARIA@acme.example", "jon@acme.example", "@payments-night"]
payments-night = ["ann@acme.example"]
[agents]
"Refund-Bot" = "dev@acme.example"
mail-bot = ["dev@acme.example", "ann@acme.example"]
[roles]
operators = ["ops@acme.example", "@payments-night"]
auditors = ["audit@acme.example"]
[notify]
channels = ["log", "file"]
file = "notices.ndjson"
[local]
allow_as = true
[escalations]
store = "state/laneway.db"
grant_lapses_after = "10m"
longest = "7d"
open_per_group = 5
open_per_requester = 50
redact = ["customer.iban", "context.*.token"]
retain = "365d"
clock_tolerance = "20s"
"#;
    let config = config(text);
    let people = &config.people;
    assert_eq!(
        names(people.members("payments")),
        ["ann@acme.example", "maria@acme.example"]
    );
    assert!(people.has_left(&name("jon@acme.example")));
    assert_eq!(
        people.person_of_login("jd"),
        Some(&name("jon@acme.example"))
    );
    assert_eq!(
        people.person_of_login("maria"),
        Some(&name("maria@acme.example"))
    );
    assert_eq!(
        names(people.owners_of(&name("mail-bot"))),
        ["dev@acme.example", "ann@acme.example"]
    );
    assert!(people.owns(&name("dev@acme.example"), &name("refund-bot")));
    assert_eq!(
        names(people.operators()),
        ["ann@acme.example", "ops@acme.example"]
    );
    assert_eq!(names(people.auditors()), ["audit@acme.example"]);
    let shown = |person: &str| -> Vec<String> {
        let channels = people.channels(&name(person)).iter();
        channels.map(ToString::to_string).collect()
    };
    assert_eq!(shown("maria@acme.example"), ["file:maria.ndjson"]);
    assert_eq!(shown("ann@acme.example"), ["log", "file"]);
    assert_eq!(
        config.notify.file.as_deref(),
        Some(Path::new("notices.ndjson"))
    );
    assert!(config.local.allow_as);
    assert_eq!(
        config.escalations.store,
        Store::File("state/laneway.db".into())
    );
    assert_eq!(
        config.escalations.policy,
        Policy {
            grant_lapses_after: Duration::from_minutes(10),
            longest: Duration::from_minutes(7 * 24 * 60),
            open_per_group: 5,
            open_per_requester: 50,
            clock_tolerance: Duration::from_millis(20_000),
            retain: Some(Duration::from_minutes(365 * 24 * 60)),
            redact: ["customer.iban", "context.*.token"]
                .map(|p| p.parse().unwrap())
                .into(),
        }
    );
}

#[test]
fn a_wrong_name_is_said_with_its_place() {
    let space = "`ann b` has a space in it; a name has none";
    for (text, place, message_of) in [
        ("[people]\n\"ann b\" = { left = true }\n", "2:1", space),
        ("[people.\"ann b\"]\nleft = true\n", "1:9", space),
        ("[groups]\n\"ann b\" = []\n", "2:1", space),
        ("[groups]\nx = [\n  \"ann\",\n  \"ann b\"]\n", "4:3", space),
        ("[agents]\n\"ann b\" = \"zoe\"\n", "2:1", space),
        ("[agents]\nbot = \"ann b\"\n", "2:7", space),
        ("[agents]\nbot = [\"ann\", \"ann b\"]\n", "2:7", space),
        (
            "[agents]\nbot = []\n",
            "2:7",
            "the agent `bot` has no owner",
        ),
        ("[roles]\noperators = [\"x\", \"ann b\"]\n", "2:19", space),
        ("[roles]\nauditors = [\"\"]\n", "2:13", "a name is empty"),
        ("[groups]\nx = [\"@\"]\n", "2:6", "a name is empty"),
    ] {
        assert_eq!(
            message(text),
            format!("laneway.toml:{place}: {message_of}"),
            "{text}"
        );
    }
    let cyrillic = message("[groups]\nx = [\"bоb\"]\n");
    assert!(
        cyrillic.starts_with("laneway.toml:2:6: `bоb` has `о` (U+043E) in it"),
        "{cyrillic}"
    );
}

#[test]
fn people_who_do_not_go_together_are_said_with_their_place() {
    let agent =
        "`bot` is an agent of `zoe`, and an agent is no person who answers, owns or has a role";
    for (text, place, message_of) in [
        (
            "[people]\nann = {}\n\"Ann \" = {}\n",
            "3:1",
            "`ann` is there twice, names are compared without regard to case and width",
        ),
        (
            "[people]\nzoe = { login = \"a\" }\nann = { login = \"z\", logins = [\"a\"] }\n",
            "3:32",
            "the login `a` is that of `zoe` and of `ann`",
        ),
        (
            "[people]\nzoe = { login = \"\" }\n",
            "2:17",
            "`` is no login: it has 1 to 254 bytes and no control characters",
        ),
        (
            "[groups]\nA = []\na = []\n",
            "3:1",
            "`a` is there twice, names are compared without regard to case and width",
        ),
        (
            "[groups]\na = [\"x\", \"@opps\"]\nops = []\n",
            "2:11",
            "there is no group `opps`; did you mean `ops`?",
        ),
        (
            "[roles]\noperators = [\"@ops\"]\n",
            "2:14",
            "there is no group `ops`",
        ),
        (
            "[groups]\nx = [\"@b\"]\nb = [\"@a\"]\na = [\"@b\"]\n",
            "4:1",
            "a group is in itself: `a` has `b` has `a`",
        ),
        (
            "[groups]\n\"@a\" = []\n",
            "2:1",
            "`@a` begins with `@`, which stands only before a group in a list of members",
        ),
        (
            "[agents]\n\"@a\" = \"zoe\"\n",
            "2:1",
            "`@a` begins with `@`, which stands only before a group in a list of members",
        ),
        (
            "[agents]\nbot = \"@zoe\"\n",
            "2:7",
            "`@zoe` begins with `@`, which stands only before a group in a list of members",
        ),
        (
            "[agents]\nbot = \"zoe\"\nBOT = \"zoe\"\n",
            "3:1",
            "`bot` is there twice, names are compared without regard to case and width",
        ),
        (
            "[groups]\na = [\"x\", \"Bot\"]\n[agents]\nbot = \"zoe\"\n",
            "2:11",
            agent,
        ),
        (
            "[people]\nbot = {}\n[agents]\nbot = \"zoe\"\n",
            "2:1",
            agent,
        ),
        (
            "[roles]\nauditors = [\"bot\"]\n[agents]\nbot = \"zoe\"\n",
            "2:13",
            agent,
        ),
        ("[agents]\nbot = \"zoe\"\nother = \"bot\"\n", "3:9", agent),
    ] {
        assert_eq!(
            message(text),
            format!("laneway.toml:{place}: {message_of}"),
            "{text}"
        );
    }
}
