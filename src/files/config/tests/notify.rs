//! What reaches people and callers: what may be said of it, and where each mistake is.

use super::*;
use crate::escalation::people::ChannelKind;

const ALL: &str = r#"
[notify]
channels = ["email:ops@acme.example", "slack:ops-chat"]
allow = ["10.1.2.0/24", "127.0.0.1"]
[notify.smtp]
host = "mail.acme.example"
from = "laneway@acme.example"
user = "laneway"
password_env = "SMTP_PASSWORD"
[notify.webhooks.ops]
url = "https://hooks.acme.example/laneway"
secret_file = "new.secret"
old_secret_env = "OLD_SECRET"
[notify.webhooks.inside]
url = "http://10.1.2.3/hook"
secret_env = "INSIDE"
[notify.webhooks.ops-chat]
kind = "slack"
url_file = "slack.url"
[notify.webhooks.board]
kind = "teams"
url_env = "TEAMS_URL"
[people."ann@acme.example"]
channels = ["log", "webhook:ops", "teams:board"]
[callers."agent:refunds"]
webhook = "ops"
[teams.Board]
channels = ["teams:board"]
"#;

#[test]
fn what_is_told_over_the_network_is_read_without_its_secrets() {
    let config = config(ALL);
    let notify = &config.notify;
    let smtp = notify.smtp.as_ref().unwrap();
    assert_eq!(
        (&*smtp.host, smtp.port, smtp.tls),
        ("mail.acme.example", 587, SmtpTls::Required)
    );
    let (user, password) = smtp.login.as_ref().unwrap();
    assert_eq!(
        (&**user, &password.from),
        ("laneway", &SecretFrom::Env("SMTP_PASSWORD".into()))
    );
    let ops = &notify.webhooks["ops"];
    assert_eq!(
        ops.url,
        Url::Plain("https://hooks.acme.example/laneway".to_owned())
    );
    let from: Vec<_> = ops.secrets.iter().map(|it| it.from.clone()).collect();
    let file = SecretFrom::File("new.secret".into());
    assert_eq!(from, [file, SecretFrom::Env("OLD_SECRET".into())]);
    let kinds = |name: &str| notify.webhooks[name].kind;
    assert_eq!(kinds("ops"), ChannelKind::Webhook);
    assert_eq!(kinds("ops-chat"), ChannelKind::Slack);
    assert_eq!(kinds("board"), ChannelKind::Teams);
    assert_eq!(notify.callers[&name("agent:refunds")], "ops");
    assert_eq!(notify.allow.len(), 2);
    let of_board = config.people.team_channels("board");
    assert_eq!(of_board[0].to_string(), "teams:board");
    assert!(config.people.team_channels("ops").is_empty());
    let of_all = config.people.channels(&name("bob@acme.example"));
    assert_eq!(of_all[1].to_string(), "slack:ops-chat");
    let of_ann = config.people.channels(&name("ann@acme.example"));
    assert_eq!(of_ann[2].to_string(), "teams:board");
}

#[test]
fn the_port_of_a_mail_server_follows_from_how_it_is_safe() {
    for (tls, port) in [("required", 587), ("implicit", 465), ("none", 25)] {
        let text = format!("[notify.smtp]\nhost = \"m\"\nfrom = \"a@b\"\ntls = \"{tls}\"\n");
        assert_eq!(config(&text).notify.smtp.unwrap().port, port);
    }
}

/// `[notify.webhooks.x]` with these lines, and where they begin.
fn of_webhook(lines: &str) -> String {
    message(&format!("[notify.webhooks.x]\n{lines}"))
}

#[test]
fn a_webhook_that_cannot_be_used_is_said_with_its_place() {
    let signed = "secret_env = \"S\"\n";
    let url = "url = \"https://hooks.example\"\n";
    for (lines, at, why) in [
        (
            signed.to_owned(),
            "1:18",
            "a webhook has a `url`, `url_file` or `url_env`",
        ),
        (
            url.to_owned(),
            "1:18",
            "its requests are signed: set `secret_file` or `secret_env`",
        ),
        (
            format!("{url}url_file = \"u\"\n{signed}"),
            "2:7",
            "one of `url`, `url_file` and `url_env`",
        ),
        (
            format!("{url}{signed}secret_file = \"s\"\n"),
            "3:14",
            "one of `secret_file` and `secret_env`",
        ),
        (
            format!("{url}old_{signed}"),
            "1:18",
            "its requests are signed: set `secret_file` or `secret_env`",
        ),
        (
            format!("{url}secret_env = \"a b\"\n"),
            "3:14",
            "the name of a variable of the environment, such as `OPS_SECRET`",
        ),
        (
            format!("kind = \"slack\"\nurl_file = \"u\"\n{signed}"),
            "1:18",
            "only what is sent to the kind `standard` is signed",
        ),
        (
            format!("kind = \"slack\"\nurl_file = \"u\"\nold_{signed}"),
            "4:18",
            "an old secret stands beside the new one, in `secret_file` or `secret_env`",
        ),
        (
            format!("kind = \"teams\"\n{url}"),
            "3:7",
            "the URL of a chat lets in who has it: put it into a file or the environment, and name \
             that in `url_file` or `url_env`",
        ),
        (
            format!("url = \"http://hooks.example\"\n{signed}"),
            "2:7",
            "a URL without TLS leads only into networks that `allow` in `[notify]` lists",
        ),
        (
            format!("url = \"https://a:b@hooks.example\"\n{signed}"),
            "2:7",
            "a URL has no name and no password in it",
        ),
        (
            format!("kind = \"discord\"\n{url}"),
            "2:8",
            "unknown variant `discord`, expected one of `standard`, `slack`, `teams`",
        ),
    ] {
        assert_eq!(
            of_webhook(&lines),
            format!("laneway.toml:{at}: {why}"),
            "{lines}"
        );
    }
    let named = message("[notify.webhooks.\"a b\"]\nurl_env = \"U\"\n");
    assert_eq!(
        named,
        "laneway.toml:1:18: a webhook's name has letters, digits, `-`, `_` and `.`"
    );
}

#[test]
fn a_channel_names_a_webhook_that_is_there_and_of_its_kind() {
    let channels = |list: &str| {
        let channels = "channels = [\"email:ops@acme.example\", \"slack:ops-chat\"]";
        message(&ALL.replace(channels, &format!("channels = [{list}]")))
    };
    assert_eq!(
        channels("\"log\", \"webhook:opps\""),
        "laneway.toml:3:20: there is no webhook `opps` in `[notify.webhooks]`; did you mean `ops`?"
    );
    assert_eq!(
        channels("\"webhook:ops-chat\""),
        "laneway.toml:3:13: `ops-chat` is no `webhook`; its channel is `slack:ops-chat`"
    );
    assert_eq!(
        message(&ALL.replace("webhook = \"ops\"", "webhook = \"board\"")),
        "laneway.toml:26:11: `board` is no `webhook`; its channel is `teams:board`"
    );
    assert_eq!(
        message(&ALL.replace("[callers.\"agent:refunds\"]", "[callers.\"a b\"]")),
        "laneway.toml:25:10: `a b` has a space in it; a name has none"
    );
    let team = "channels = [\"teams:board\"]";
    assert_eq!(
        message(&ALL.replace(team, "channels = [\"slack:board\"]")),
        "laneway.toml:28:13: `board` is no `slack`; its channel is `teams:board`"
    );
    let twice = message(&format!(
        "{ALL}[callers.\"Agent:Refunds\"]\nwebhook = \"ops\"\n"
    ));
    assert!(
        twice.ends_with("this caller is there twice: names are compared without regard to case")
    );
}

#[test]
fn a_mail_server_that_cannot_be_used_is_said_with_its_place() {
    let smtp = "[notify.smtp]\nhost = \"m\"\nfrom = \"a@b\"\n";
    for (text, at, why) in [
        (
            smtp.replace("\"m\"", "\"https://m\""),
            "2:8",
            "the name or the address of a mail server, such as `mail.example.com`",
        ),
        (
            smtp.replace("a@b", "a"),
            "3:8",
            "`a` is no address of e-mail, such as `ann@example.com`",
        ),
        (
            format!("{smtp}user = \"u\"\n"),
            "4:8",
            "a user has a password, in `password_file` or `password_env`",
        ),
        (
            format!("{smtp}password_env = \"P\"\n"),
            "4:16",
            "whose password? set `user`",
        ),
        (
            "[notify]\nallow = [\"10.0.0.0/99\"]\n".to_owned(),
            "2:10",
            "an address, or a network such as `10.0.0.0/8`",
        ),
    ] {
        assert_eq!(
            message(&text),
            format!("laneway.toml:{at}: {why}"),
            "{text}"
        );
    }
    // It is sent over TLS or not at all, unless that is asked for.
    let wrong = message(&format!("{smtp}tls = \"maybe\"\n"));
    assert!(
        wrong.starts_with("laneway.toml:4:7: unknown variant `maybe`"),
        "{wrong}"
    );
}
