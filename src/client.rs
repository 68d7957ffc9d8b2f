//! The client of the service: asks for a decision, waits for people, uses the permission.
//!
//! In: the address of a service and a token; events. Out: an [`Answer`], in which everything that is not leave
//! to go on is [`Answer::Block`].
//! Invariant: no failure is leave to run anything: not one of the network, not an answer that cannot be read,
//! not a word that is not known. Only what is safe to repeat is repeated: a decision goes out with its key,
//! so that an answer that got lost opens nothing twice.
//! Knows no rule of the lifecycle; it shares no code with the service, only its words.
//!
//! ```no_run
//! use laneway::client::{Answer, Ask, Client};
//! use std::time::Duration;
//!
//! # fn run_refund(amount: &str) {}
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new("http://127.0.0.1:8750", &std::env::var("LANEWAY_TOKEN")?)?;
//! let event = serde_json::json!({ "kind": "refund", "customerId": "c-1", "reason": "goodwill",
//!     "amount": 950, "method": "original" });
//! // The key names this request, also when it is made again after a crash.
//! let ask = Ask::new(&event, "refund-4711")?;
//! let mut answer = client.decide(&ask);
//! if let Answer::Escalate(waiting) = &answer {
//!     answer = client.wait(&waiting.id, Duration::from_secs(3_600));
//! }
//! match answer {
//!     Answer::Allow => run_refund("950"),
//!     // An approval is not the refund: it is used up right before it.
//!     Answer::Approved(permission) => match client.consume(&permission, "run-4711") {
//!         Ok(()) => run_refund("950"),
//!         Err(why) => eprintln!("not refunded: {why}"),
//!     },
//!     Answer::Modify { adjusted } => eprintln!("only with {adjusted}"),
//!     Answer::Escalate(waiting) => eprintln!("{} still waits", waiting.id),
//!     Answer::Block { why } => eprintln!("not refunded: {why}"),
//! }
//! # Ok(())
//! # }
//! ```

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::value::RawValue;

mod answer;
mod error;
mod transport;

pub use answer::{Answer, Permission, Waiting, Why};
pub use error::ClientError;

use answer::{Decided, Stands};
use transport::{Transport, is_id};

/// The longest wait of one request. The service cuts what is longer than 55 seconds.
const POLL: Duration = Duration::from_secs(50);

/// For how long an answer may take beside what it waits for.
const TIME: Duration = Duration::from_secs(10);

/// A client of a service, for one token. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
}

/// What a decision is asked about.
#[derive(Debug, Clone)]
pub struct Ask {
    event: Box<RawValue>,
    key: String,
    agent: Option<String>,
    asks: bool,
}

/// The body of a request for a decision.
#[derive(Debug, Serialize)]
struct Wanted<'a> {
    event: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    asks: bool,
}

impl Ask {
    /// An event that asks for an action. The key makes a repeated request the same one, also after a restart
    /// of who asks: take what names the action on your side, such as the number of an order.
    ///
    /// # Errors
    /// When the event cannot be written as JSON.
    pub fn new(event: &impl Serialize, key: impl Into<String>) -> Result<Self, ClientError> {
        let event = serde_json::value::to_raw_value(event);
        Ok(Self {
            event: event.map_err(|error| ClientError::Unsendable(error.to_string()))?,
            key: key.into(),
            agent: None,
            asks: true,
        })
    }

    /// On behalf of an agent: neither it nor its owner may approve.
    #[must_use]
    pub fn agent(mut self, name: impl Into<String>) -> Self {
        self.agent = Some(name.into());
        self
    }

    /// The event reports what happened, and asks for no action: nothing is to be permitted.
    #[must_use]
    pub fn reports(mut self) -> Self {
        self.asks = false;
        self
    }

    fn body(&self, mode: Option<&'static str>) -> Result<Vec<u8>, ClientError> {
        let body = serde_json::to_vec(&Wanted {
            event: &self.event,
            mode,
            agent: self.agent.as_deref(),
            asks: self.asks,
        });
        body.map_err(|error| ClientError::Unsendable(error.to_string()))
    }
}

impl Client {
    /// A client of the service at an address, such as `https://laneway.acme.example`. It asks there and
    /// nowhere else: no redirect is followed, and no proxy of the environment is used.
    ///
    /// # Errors
    /// When the address is none of HTTP, or the token has characters that no token has.
    pub fn new(url: &str, token: &str) -> Result<Self, ClientError> {
        Ok(Self {
            transport: Transport::new(url, token)?,
        })
    }

    /// Has an event decided. Where that escalates, the escalation is durable when the answer comes.
    pub fn decide(&self, ask: &Ask) -> Answer {
        let decided = ask.body(None).and_then(|body| {
            let path = "/v1/decisions";
            self.transport
                .post::<Decided>(path, &body, Some(&ask.key), TIME)
        });
        let decided = match decided {
            Ok(decided) => decided,
            Err(why) => return why.into(),
        };
        match decided.ended() {
            // The same request was made before, and has its end: what that permits is looked up.
            Some(id) => self.status(&id),
            None => decided.answer(),
        }
    }

    /// What would be decided. Nothing is opened or counted, and the answer is no leave to run anything.
    pub fn dry_run(&self, ask: &Ask) -> Answer {
        let decided = ask.body(Some("dry_run")).and_then(|body| {
            let path = "/v1/decisions";
            self.transport
                .post::<Decided>(path, &body, Some(&ask.key), TIME)
        });
        match decided {
            Ok(decided) => decided.answer(),
            Err(why) => why.into(),
        }
    }

    /// How an escalation stands.
    pub fn status(&self, id: &str) -> Answer {
        match self.look(id, Duration::ZERO) {
            Ok(stands) => stands.answer(),
            Err(why) => why.into(),
        }
    }

    /// Waits for the end of an escalation, at most so long; then [`Answer::Escalate`] says that it still
    /// waits. A connection that breaks is made again until the time is over.
    pub fn wait(&self, id: &str, up_to: Duration) -> Answer {
        let began = Instant::now();
        loop {
            let left = up_to.saturating_sub(began.elapsed());
            let looked = self.look(id, left.min(POLL));
            let is_over = began.elapsed() >= up_to;
            match looked {
                Ok(stands) if stands.is_pending() && !is_over => {}
                Ok(stands) => return stands.answer(),
                Err(why) if why.is_passing() && !is_over => {
                    std::thread::sleep(transport::PAUSE.min(up_to.saturating_sub(began.elapsed())));
                }
                Err(why) => return why.into(),
            }
        }
    }

    fn look(&self, id: &str, wait: Duration) -> Result<Stands, ClientError> {
        is_id(id)?;
        match wait.as_millis() {
            0 => self.transport.get(&format!("/v1/escalations/{id}"), TIME),
            millis => {
                let path = format!("/v1/escalations/{id}?wait={millis}ms");
                self.transport.get_once(&path, TIME + wait)
            }
        }
    }

    /// Uses a permission, right before the action runs. `Ok` is the leave to run exactly what was approved,
    /// once; the same key gets the same answer, so that an answer that got lost is asked for again.
    ///
    /// # Errors
    /// When it is not permitted, or it is not known whether it is. Then the action must not run.
    pub fn consume(&self, permission: &Permission, key: &str) -> Result<(), ClientError> {
        self.use_up(permission, None, key)
    }

    /// The same with the event that is about to run. That is needed where parts of it are not stored.
    ///
    /// # Errors
    /// As [`Client::consume`]; also when it is another event than the one that was approved.
    pub fn consume_with(
        &self,
        permission: &Permission,
        event: &impl Serialize,
        key: &str,
    ) -> Result<(), ClientError> {
        let event = serde_json::value::to_raw_value(event);
        let event = event.map_err(|error| ClientError::Unsendable(error.to_string()))?;
        self.use_up(permission, Some(&event), key)
    }

    fn use_up(
        &self,
        permission: &Permission,
        event: Option<&RawValue>,
        key: &str,
    ) -> Result<(), ClientError> {
        #[derive(Serialize)]
        struct Use<'a> {
            digest: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            event: Option<&'a RawValue>,
        }
        let body = serde_json::to_vec(&Use {
            digest: &permission.digest,
            event,
        });
        let body = body.map_err(|error| ClientError::Unsendable(error.to_string()))?;
        let reply = self.act(&permission.id, "consume", &body, Some(key))?;
        match reply.as_str() {
            "consumed" => Ok(()),
            other => Err(ClientError::Unreadable(format!(
                "the use of a permission was answered by `{other}`"
            ))),
        }
    }

    /// Takes an escalation back: what was asked for is not wanted any more.
    ///
    /// # Errors
    /// When it has ended, or the service cannot be asked.
    pub fn cancel(&self, id: &str) -> Result<(), ClientError> {
        self.act(id, "cancel", b"{}", None).map(|_| ())
    }

    fn act(
        &self,
        id: &str,
        act: &str,
        body: &[u8],
        key: Option<&str>,
    ) -> Result<String, ClientError> {
        is_id(id)?;
        let path = format!("/v1/escalations/{id}/{act}");
        let done: answer::Done = self.transport.post(&path, body, key, TIME)?;
        Ok(done.reply)
    }
}
