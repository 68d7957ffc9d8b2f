//! Notices by e-mail.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use laneway::escalation::{About, Recipient};

use super::receiver::MailServer;
use super::{Set, later, never, notice, principal, read, set_with};

/// A configuration by which ann gets mail from such a server.
fn mail(server: &MailServer, more: &str) -> Set {
    let toml = format!(
        "[notify.smtp]\nhost = \"127.0.0.1\"\nport = {}\nfrom = \"laneway@example.com\"\n{more}\
         [people.\"ann@x\"]\nchannels = [\"email:ann@example.com\"]\n",
        server.address.port()
    );
    let files = [("pw", "hunter2\n")];
    set_with(
        &toml,
        &files,
        std::sync::Arc::new(laneway::notify::SystemLookup),
    )
}

const OPEN: &str = "tls = \"none\"\n";

/// The header of a message, without the rest of it.
fn header<'a>(heard: &'a [String], name: &str) -> Vec<&'a str> {
    let data = heard.iter().skip_while(|line| *line != "DATA").skip(1);
    let head = data.take_while(|line| !line.is_empty());
    head.filter_map(|line| line.strip_prefix(&format!("{name}: ")))
        .collect()
}

#[test]
fn a_person_is_told_by_mail_of_plain_text_whose_link_only_shows() {
    let server = MailServer::new(&[], &[]);
    let set = mail(&server, OPEN);
    assert_eq!(set.ask(), Ok(()));
    let heard = server.heard();
    assert!(
        heard.contains(&"MAIL FROM:<laneway@example.com>".to_owned()),
        "{heard:?}"
    );
    assert!(
        heard.contains(&"RCPT TO:<ann@example.com>".to_owned()),
        "{heard:?}"
    );
    assert_eq!(
        header(&heard, "Subject"),
        ["You are asked to decide an escalation: refunds"]
    );
    assert_eq!(header(&heard, "To"), ["ann@example.com"]);
    assert_eq!(header(&heard, "Auto-Submitted"), ["auto-generated"]);
    assert_eq!(
        header(&heard, "Content-Type"),
        ["text/plain; charset=utf-8"]
    );
    let id = header(&heard, "Message-ID")[0].to_owned();
    assert!(
        heard.contains(&"https://laneway.example/escalations/e-1".to_owned()),
        "{heard:?}"
    );
    assert_eq!(heard.iter().filter(|line| line.contains("://")).count(), 1);
    // The same notice is the same message, however often it is sent.
    assert_eq!(set.ask(), Ok(()));
    assert_eq!(header(&server.heard(), "Message-ID"), [&*id]);
}

#[test]
fn a_field_adds_no_header_no_recipient_and_no_command() {
    let server = MailServer::new(&[], &[]);
    let set = mail(&server, OPEN);
    let evil = "x\r\nBcc: eve@example.com\r\n\r\n.\r\nRCPT TO:<eve@example.com>\r\n\u{202e}";
    let ann = || Recipient::Person(principal("ann@x"));
    let mut posted = notice("e-1/asked/ann@x", ann(), About::Asked);
    posted.notice.lane = Some(evil.to_owned());
    assert_eq!(set.tell(&posted).result, Ok(()));
    let action = notice("e-1/run/ann@x", ann(), About::Action(evil.to_owned()));
    assert_eq!(set.tell(&action).result, Ok(()));
    let heard = server.heard();
    let recipients = heard.iter().filter(|line| line.starts_with("RCPT"));
    assert_eq!(recipients.count(), 2);
    assert!(header(&heard, "Bcc").is_empty());
    assert!(
        !heard
            .iter()
            .any(|line| line.to_lowercase().starts_with("bcc")),
        "{heard:?}"
    );
    assert_eq!(header(&heard, "Subject").len(), 1);
    assert_eq!(heard.iter().filter(|line| *line == ".").count(), 2);
}

#[test]
fn what_the_server_says_decides_whether_it_is_tried_again() {
    let full = MailServer::new(&[], &[("RCPT", "452 the box is full")]);
    assert!(later(mail(&full, OPEN).ask()).contains("the box is full"));
    let gone = MailServer::new(&[], &[("RCPT", "550 no such box")]);
    assert!(never(mail(&gone, OPEN).ask()).contains("no such box"));
    // A password that is refused is a mistake of the configuration, and the notice waits.
    let login = "user = \"laneway\"\npassword_file = \"pw\"\n";
    let refused = MailServer::new(&["AUTH PLAIN"], &[("AUTH", "535 wrong password")]);
    let why = later(mail(&refused, &format!("{OPEN}{login}")).ask());
    assert!(
        why.contains("wrong password") && !why.contains("hunter2"),
        "{why}"
    );
}

#[test]
fn a_user_signs_in_with_the_password_of_the_file() {
    let server = MailServer::new(&["AUTH PLAIN"], &[]);
    let set = mail(
        &server,
        &format!("{OPEN}user = \"laneway\"\npassword_file = \"pw\"\n"),
    );
    assert!(!format!("{:?}", set.outbound).contains("hunter2"));
    assert_eq!(set.ask(), Ok(()));
    let auth = format!("AUTH PLAIN {}", STANDARD.encode("\0laneway\0hunter2"));
    assert!(server.heard().contains(&auth));
}

#[test]
fn where_tls_is_required_nothing_is_said_without_it() {
    let server = MailServer::new(&["AUTH PLAIN"], &[]);
    let login = "user = \"laneway\"\npassword_file = \"pw\"\n";
    // Required where nothing is said of it.
    for tls in ["", "tls = \"required\"\n"] {
        let set = mail(&server, &format!("{tls}{login}"));
        assert!(later(set.ask()).contains("STARTTLS"));
        let heard = server.heard();
        let said = heard
            .iter()
            .filter(|it| !it.starts_with("EHLO") && *it != "QUIT");
        assert_eq!(said.count(), 0, "{heard:?}");
    }
}

#[test]
fn a_mail_server_inside_is_used_where_that_is_allowed_or_it_is_this_machine() {
    let toml = |host: &str, tls: &str| {
        format!(
            "[notify.smtp]\nhost = \"{host}\"\ntls = \"{tls}\"\nfrom = \"laneway@example.com\"\n\
             [people.\"ann@x\"]\nchannels = [\"email:ann@example.com\"]\n"
        )
    };
    for (host, found) in [
        ("mail.example.com", "127.0.0.1"),
        ("mail.example.com", "10.0.0.1"),
    ] {
        let set = set_with(&toml(host, "required"), &[], super::Names::new(&[found]));
        assert!(never(set.ask()).contains("allow its network in `[notify]`"));
    }
    let set = set_with(
        &toml("mail.example.com", "none"),
        &[],
        super::Names::new(&["1.1.1.1"]),
    );
    assert!(never(set.ask()).contains("the request has no TLS"));
}

#[test]
fn a_channel_of_mail_needs_a_server_and_an_address() {
    let message = |toml: &str| read(toml, &[]).1.unwrap_err().to_string();
    let none = message("[notify]\nchannels = [\"email:ann@example.com\"]\n");
    assert!(
        none.ends_with("laneway.toml:2:13: nothing sends e-mail without `[notify.smtp]`"),
        "{none}"
    );
    let smtp = "[notify.smtp]\nhost = \"m\"\nfrom = \"a@x\"\n";
    let bad = message(&format!(
        "[notify]\nchannels = [\"email:a@x\\r\\nBcc: b@x\"]\n{smtp}"
    ));
    assert!(
        bad.contains("laneway.toml:2:13: the address of the channel `email`"),
        "{bad}"
    );
    let from = message("[notify.smtp]\nhost = \"m\"\nfrom = \"a@x\\r\\nBcc: b@x\"\n");
    assert!(
        from.contains("laneway.toml:3:8: the address of the channel `email`"),
        "{from}"
    );
}
