//! `laneway escalations open`: decides one event, and opens an escalation where it escalates.
//!
//! In: a matrix, an event. Out: the decision in short, and the escalation.
//! Invariant: the event counts in no window, and no window is known here but that of the event itself. A
//! decision log that cannot be written keeps no escalation from being opened, and is said.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::find::short;
use super::place::Desk;
use super::trouble::Trouble;
use super::{Common, Format, show};
use crate::cli::decide::not_both_stdin;
use crate::cli::input::Input;
use crate::cli::screen::clean;
use crate::cli::shell::Shell;
use crate::clock::Timestamp;
use crate::decision::recorded::{Came, Clock};
use crate::decision::{Decision, HistoryEntry, Verdict};
use crate::desk::wire::Data;
use crate::desk::{Ask, Decided, Opened};
use crate::engine::{Log, Made, without_history};
use crate::escalation::Principal;
use crate::event::{Event, Json, Unreadable};
use crate::files::Root;
use crate::matrix::Matrix;
use crate::reference::Times;
use crate::router::{Recording, Router, Settings};

/// Decide an event, and open an escalation where it escalates
///
/// Who acts is the requester. The decision is made as of now, and measures know only this event: what
/// has to count events over time is `serve`.
///
/// Where laneway.toml has [decisions], the decision is logged, and recent decisions on the same subject are
/// part of the evidence. A log that cannot be written is said, and the escalation is opened all the
/// same: the exit code is that of the opening.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix: a file, the folder of one, or - for standard input
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    /// The event, alone or with others, one a line: a file, or - for standard input
    #[arg(value_name = "EVENT")]
    event: PathBuf,
    /// Of several events the one with this id
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// What makes a repeated call the same call; without it the event's id
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The agent on whose behalf; neither it nor its owner may approve
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// The event reports what happened, and asks for nothing: no permission follows
    #[arg(long)]
    report: bool,
}

#[derive(Debug, Serialize)]
struct Answered<'d> {
    decision: &'d Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<bool>,
    /// Absent where the decision opens nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    escalation: Option<Data<'d>>,
    /// Why the decision is not in the decision log, where it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_logged: Option<String>,
}

pub(super) fn run(args: &Args, common: &Common, shell: &mut Shell) -> Result<(), Trouble> {
    not_both_stdin(&args.matrix, &args.event)?;
    let root = Root::open(&args.matrix)?;
    let desk = Desk::open(common, root.folder(), shell)?;
    let (matrix, limits) = shell.matrix(&args.matrix)?;
    let agent = args.agent.as_deref().map(Principal::parse).transpose()?;
    let event = event(args, &limits)?;
    let router = Router::new(Arc::clone(&matrix)).with_settings(Settings {
        limits: limits.clone(),
        ..Settings::default()
    });
    let now = desk.desk.now()?.at;
    let Recording {
        decision,
        recorded,
        event: read,
        ..
    } = router.dry_run_recording(&event, now);
    let logging = Logging {
        log: log_of(&desk, &matrix, now),
        by: &desk.actor.principal,
        now,
    };
    let was = Was {
        bytes: &event,
        read: read.as_ref().map_err(AsRef::as_ref),
        decision: &decision,
    };
    if decision.verdict != Verdict::Escalate {
        let not_logged = logging.note(&was, None, shell);
        return nothing(&decision, not_logged, &desk, shell);
    }
    let mut shown = decision.clone();
    let history = logging.history(&was).unwrap_or_else(|why| {
        without_history(&mut shown, &why);
        Vec::new()
    });
    let ask = Ask {
        requester: desk.actor.principal.clone(),
        // Who typed it must stay named too.
        operator: desk.actor.operator.clone(),
        agent,
        key: args.key.clone(),
        asks: !args.report,
        event: event.clone(),
        history,
    };
    let decided = Decided {
        matrix,
        decision: shown,
        recorded,
        times: Times::received(now),
    };
    let opened = desk.desk.open(&ask, &decided);
    let not_logged = match &opened {
        // It was logged when it was made first.
        Ok(opened) if opened.replayed => None,
        Ok(opened) => logging.note(&was, Some(&opened.escalation.pinned.id), shell),
        Err(_) => logging.note(&was, None, shell),
    };
    let opened = opened?;
    desk.keep_house(shell);
    say(&decided.decision, &opened, not_logged, &desk, shell)
}

/// An event as it came, and what was decided on it.
struct Was<'w> {
    bytes: &'w [u8],
    read: Result<&'w Event, &'w Unreadable>,
    decision: &'w Decision,
}

/// The decision log, if one is kept, or why there is none.
struct Logging<'l> {
    log: Option<Result<Log, String>>,
    by: &'l Principal,
    now: Timestamp,
}

fn log_of(desk: &Desk, matrix: &Arc<Matrix>, now: Timestamp) -> Option<Result<Log, String>> {
    let decisions = desk.config.decisions.as_ref()?;
    Some(Log::open(decisions, &desk.config, matrix, now))
}

impl Logging<'_> {
    /// Earlier decisions on the same subject, or why they are not known.
    fn history(&self, was: &Was<'_>) -> Result<Vec<HistoryEntry>, String> {
        match &self.log {
            None => Err("laneway.toml has no `[decisions]`, so that none are logged".to_owned()),
            Some(Err(why)) => Err(why.clone()),
            Some(Ok(log)) => log.history(was.decision, was.read.ok(), self.now),
        }
    }

    /// Logs the decision. Says and gives back why it is not logged, where it should be.
    fn note(&self, was: &Was<'_>, escalation: Option<&str>, shell: &Shell) -> Option<String> {
        let why = match self.log.as_ref()? {
            Err(why) => Some(format!("{why}; the decision is not logged")),
            Ok(log) => {
                let ready = log.ready(&Made {
                    received: self.now,
                    clock: Clock::Received,
                    came: Came::of(was.bytes),
                    event: was.read,
                    decision: was.decision,
                    json: None,
                    text: None,
                    escalation,
                    by: Some(self.by),
                });
                if let Some(ready) = ready {
                    log.add(ready, self.now);
                }
                log.end()
            }
        }?;
        shell.complain(&why);
        Some(why)
    }
}

/// The one event that is meant.
fn event(args: &Args, limits: &crate::limits::Limits) -> Result<Vec<u8>, Trouble> {
    let mut input = Input::open(&args.event, limits)?;
    if let Some(whole) = input.whole_object()? {
        let is_it = args.id.as_ref().is_none_or(|id| has_id(&whole, id, limits));
        return match is_it {
            true => Ok(whole),
            false => Err(no_such(args)),
        };
    }
    let mut found: Option<Vec<u8>> = None;
    while let Some(line) = input.next_line()? {
        let Some(bytes) = line.bytes() else {
            let message = format!("the event in line {} is too long", line.number);
            return Err(Trouble::unusable("event", message));
        };
        match &args.id {
            Some(id) if has_id(bytes, id, limits) => return Ok(bytes.to_vec()),
            Some(_) => {}
            None if found.is_some() => {
                let message = "there are several events; name one with `--id`";
                return Err(Trouble::unusable("several_events", message));
            }
            None => found = Some(bytes.to_vec()),
        }
    }
    found.ok_or_else(|| no_such(args))
}

fn no_such(args: &Args) -> Trouble {
    let name = crate::files::shown(Path::new(&args.event));
    let message = match &args.id {
        Some(id) => format!("there is no event with the id `{}` in `{name}`", clean(id)),
        None => format!("there is no event in `{name}`"),
    };
    Trouble::unusable("no_event", message)
}

fn has_id(bytes: &[u8], id: &str, limits: &crate::limits::Limits) -> bool {
    let json = Json::parse(bytes, limits).ok();
    let found = json.as_ref().and_then(|json| json.member("id"));
    match found {
        Some(Json::Text(text) | Json::Number(text)) => text == id,
        _ => false,
    }
}

/// A decision that opens nothing.
fn nothing(
    decision: &Decision,
    not_logged: Option<String>,
    desk: &Desk,
    shell: &mut Shell,
) -> Result<(), Trouble> {
    if desk.format == Format::Json {
        let answered = Answered {
            decision,
            replayed: None,
            joined: None,
            escalation: None,
            not_logged,
        };
        return super::json(&answered, &mut shell.out);
    }
    in_short(decision, shell)?;
    Ok(writeln!(
        shell.out,
        "the decision is `{}`: nothing is asked, and nothing was opened",
        decision.verdict.as_str()
    )?)
}

fn in_short(decision: &Decision, shell: &mut Shell) -> Result<(), Trouble> {
    let verdict = decision.verdict;
    let painted = crate::cli::decide::paint(shell.paint, verdict, verdict.as_str());
    let (by, reason) = (clean(&decision.by), clean(&decision.reason));
    writeln!(shell.out, "{painted} by {by}: {reason}")?;
    Ok(())
}

fn say(
    decision: &Decision,
    opened: &Opened,
    not_logged: Option<String>,
    desk: &Desk,
    shell: &mut Shell,
) -> Result<(), Trouble> {
    let it = &opened.escalation;
    if desk.format == Format::Json {
        let answered = Answered {
            decision,
            replayed: Some(opened.replayed),
            joined: Some(opened.joined),
            escalation: Some(Data::of(it, desk.desk.now()?.at)),
            not_logged,
        };
        return super::json(&answered, &mut shell.out);
    }
    in_short(decision, shell)?;
    let id = short(&it.pinned.id);
    let said = match (opened.joined, opened.replayed) {
        (true, _) => format!(
            "joined {id}, which is open for its group; this action stays blocked, and is asked for \
             again when that has ended"
        ),
        (false, true) => format!("the same request was made before: {id}"),
        (false, false) => format!("opened {id}"),
    };
    writeln!(shell.out, "{said}\n")?;
    let shown = desk.desk.show(&it.pinned.id)?;
    let text = show::text(desk, &shown, shell)?;
    shell.out.write_all(text.as_bytes())?;
    Ok(())
}
