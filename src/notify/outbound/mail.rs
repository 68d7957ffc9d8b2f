//! Notices by e-mail.
//!
//! In: a notice and an address. Out: a message of plain text, given to a mail server.
//! Invariant: what a notice says adds no header, no recipient and no command: it is of one line where a line
//! counts, and encoded by the library. A password is sent over an encrypted connection, or within this machine
//! or an allowed network. The server is connected to where its name was vetted.
//! Knows no person, only addresses. Each answer of the server has its own bound of time.

use std::fmt;
use std::time::{Duration, Instant};

use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use super::say::{Said, said};
use super::secret;
use super::sign::message_id;
use super::standing::Standing;
use super::vet::{Vet, VetError, Wanted};
use crate::files::config::{ConfigError, Smtp, SmtpTls};
use crate::notify::NotifyError;
use crate::store::Posted;

/// For the look-up, and for each answer of the server.
const WITHIN: Duration = Duration::from_secs(10);

/// Says that a machine wrote it, so that no machine answers (RFC 3834).
const AUTOMATIC: (HeaderName, &str) = (
    HeaderName::new_from_ascii_str("Auto-Submitted"),
    "auto-generated",
);

/// A mail server.
pub(super) struct Mail {
    smtp: Smtp,
    login: Option<Credentials>,
    from: Address,
    vet: Vet,
    pub(super) standing: Standing,
}

/// Without the password.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("host", &self.smtp.host)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

impl Mail {
    /// Reads the password.
    pub(super) fn open(smtp: &Smtp, vet: Vet) -> Result<Self, ConfigError> {
        let login = smtp.login.as_ref().map(|(user, password)| {
            let password = secret::read(password)?;
            Ok(Credentials::new(user.clone(), password))
        });
        let from = smtp.from.parse::<Address>();
        let from = from.map_err(|error| smtp.place.wrong(format!("`from`: {error}")))?;
        Ok(Self {
            smtp: smtp.clone(),
            login: login.transpose()?,
            from,
            vet,
            standing: Standing::default(),
        })
    }

    /// Sends a notice to an address; links begin with the URL of the service.
    pub(super) fn tell(&self, to: &str, posted: &Posted, url: &str) -> Result<(), NotifyError> {
        self.standing.ask(Instant::now())?;
        let message = self.message(to, posted, url).map_err(NotifyError::Never)?;
        let mut connection = self.connect().inspect_err(|error| {
            if let NotifyError::Later(why) = error {
                self.standing.rests(Instant::now(), None, why);
            }
        })?;
        let sent = connection.send(message.envelope(), &message.formatted());
        match &sent {
            // It said nothing: whoever asks next would wait as long.
            Err(error) if error.status().is_none() => {
                let why = said_by_server(error);
                self.standing.rests(Instant::now(), None, &why);
            }
            _ => self.standing.took(),
        }
        // What it says to this is of no use: it has taken the message or refused it.
        connection.abort();
        sent.map(drop).map_err(|error| match error.is_permanent() {
            true => NotifyError::Never(said_by_server(&error)),
            false => NotifyError::Later(said_by_server(&error)),
        })
    }

    fn message(&self, to: &str, posted: &Posted, url: &str) -> Result<Message, String> {
        let Said { title, facts, link } = said(posted, url);
        let lane = facts.iter().find(|(name, _)| *name == "Lane");
        let subject = match lane {
            Some((_, lane)) => format!("{title}: {lane}"),
            None => title.clone(),
        };
        let mut text = format!("{title}.\n\n");
        for (name, value) in &facts {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text.push_str(&format!(
            "\n{link}\n\nThe link only shows it. To answer, sign in there.\n"
        ));
        let to = to.parse::<Address>();
        let to = to.map_err(|_| "it is no address of e-mail".to_owned())?;
        let id = message_id(&posted.notice.id);
        let (name, value) = AUTOMATIC;
        Message::builder()
            .from(Mailbox::new(Some("Laneway".to_owned()), self.from.clone()))
            .to(Mailbox::new(None, to))
            .subject(subject)
            .message_id(Some(format!("<{id}@{}>", self.from.domain())))
            .raw_header(HeaderValue::new(name, value.to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| format!("no message can be made of it: {error}"))
    }

    /// A connection over which a message may go.
    fn connect(&self) -> Result<SmtpConnection, NotifyError> {
        let smtp = &self.smtp;
        let wanted = Wanted {
            host: &smtp.host,
            port: smtp.port,
            encrypted: smtp.tls != SmtpTls::None,
            may_be_here: is_here(&smtp.host),
        };
        let found = self.vet.addresses(&wanted, WITHIN);
        let found = found.map_err(|error| match error {
            VetError::Refused { .. } => NotifyError::Never(error.to_string()),
            _ => NotifyError::Later(error.to_string()),
        })?;
        let later =
            |error: lettre::transport::smtp::Error| NotifyError::Later(said_by_server(&error));
        let tls = match smtp.tls {
            SmtpTls::None => None,
            _ => Some(TlsParameters::new(smtp.host.clone()).map_err(later)?),
        };
        let at_once = tls.as_ref().filter(|_| smtp.tls == SmtpTls::Implicit);
        let hello = ClientId::Domain(self.from.domain().to_owned());
        let connection =
            SmtpConnection::connect(found.as_slice(), Some(WITHIN), &hello, at_once, None);
        let mut connection = connection.map_err(later)?;
        if let Some(tls) = tls.filter(|_| smtp.tls == SmtpTls::Required) {
            // INVARIANT: nothing is said over a connection that stays without TLS.
            connection.starttls(&tls, &hello).map_err(later)?;
        }
        if let Some(login) = &self.login {
            // A password that is refused is a mistake here, and not in the notice.
            connection.auth(DEFAULT_MECHANISMS, login).map_err(later)?;
        }
        Ok(connection)
    }
}

/// Whether a name can only be that of this machine.
fn is_here(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|it| it.is_loopback())
}

/// What the server said, or what failed on the way to it.
fn said_by_server(error: &lettre::transport::smtp::Error) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = inner.source();
    }
    said
}
