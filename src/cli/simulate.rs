//! `laneway simulate`: what would become of an escalation, and when.
//!
//! In: a matrix, an event, and what people would say; nothing, for silence. Out: the timeline of who is
//! told what, across nights, weekends, changes of the clock and holidays, to the end.
//! Invariant: no store is touched; the timeline is that of the rules themselves.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::decide::not_both_stdin;
use super::escalations::{Format, actor};
use super::explain::{Which, search};
use super::screen::clean;
use super::shell::{Answer, Failure, Shell};
use crate::clock::{Duration, Timestamp, parse_timestamp};
use crate::decision::Verdict;
use crate::escalation::timeline::{Moment, Said, Timeline};
use crate::escalation::{
    About, Command, Directory, Notice, Opening, Principal, Recipient, RecordKind, VoteOf,
};
use crate::files;
use crate::matrix::Matrix;
use crate::words::{moment, story};

/// Simulate what becomes of an escalation
///
/// The event is decided as in `explain`, and the escalation opened at the event's own time. Then time
/// passes until it has ended: who is told what, when the caller is asked for something, what happens if
/// nobody answers. Nothing is stored and nobody is told. Groups whose members no laneway.toml names are
/// given stand-ins, `payments#1` and so on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix: a file, the folder of one, or - for standard input
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    #[command(flatten)]
    which: Which,
    /// Nobody answers
    #[arg(long, required_unless_present = "votes", conflicts_with = "votes")]
    silence: bool,
    /// What people say, one JSON object a line, such as {"after": "2h", "by": "maria@acme.example",
    /// "do": "approve"}; `at` instead of `after` for an instant; `do` is approve, deny, withdraw, cancel
    /// or comment, with a `reason`
    #[arg(long, value_name = "FILE")]
    votes: Option<PathBuf>,
    /// Who asks
    #[arg(long, value_name = "NAME", default_value = "service")]
    requester: String,
    /// How to print it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// A line of a file of votes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: Option<String>,
    after: Option<Duration>,
    by: String,
    #[serde(rename = "do")]
    does: Says,
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Says {
    Approve,
    Deny,
    Withdraw,
    Cancel,
    Comment,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    not_both_stdin(&args.matrix, &args.which.event)?;
    let (matrix, limits) = shell.matrix(&args.matrix)?;
    let config = match args.matrix == Path::new("-") {
        true => files::config::Config::default(),
        false => shell.settings(&args.matrix)?,
    };
    let answered = search(&args.which, &matrix, &limits, shell)?;
    let decision = &answered.decision;
    if decision.verdict != Verdict::Escalate {
        let message = format!(
            "the event is decided `{}` by `{}`, so that nothing is opened: {}",
            decision.verdict.as_str(),
            clean(&decision.by),
            clean(&decision.reason)
        );
        return Err(Failure::Unusable(message));
    }
    let mut directory = config.people;
    let stand_ins = stand_ins(&matrix, &mut directory);
    let requester =
        Principal::parse(&args.requester).map_err(|error| Failure::Unusable(error.to_string()))?;
    let opening = Opening {
        id: "simulated".to_owned(),
        decision,
        matrix: &matrix,
        is_readable: answered.explanation.is_some(),
        requester,
        operator: None,
        agent: None,
        key: "simulated".to_owned(),
        asks: true,
        packet: "null".to_owned(),
    };
    let said = match &args.votes {
        Some(path) => votes(path, answered.at, &decision.action_digest, &directory)?,
        None => Vec::new(),
    };
    let policy = &config.escalations.policy;
    let timeline = Timeline::of(&opening, answered.at, &directory, policy, &said);
    match args.format {
        Format::Text => {
            let view = View {
                matrix: &matrix,
                opened: answered.at,
                stand_ins: &stand_ins,
            };
            view.write(&timeline, shell)?;
        }
        Format::Json => {
            let json = Json::of(&timeline, &stand_ins);
            shell.json(&json)?;
        }
    }
    Ok(Answer::Fine)
}

/// Members for the groups that nobody here knows, as many as a quorum of their team is of.
fn stand_ins(matrix: &Matrix, directory: &mut Directory) -> Vec<String> {
    let mut named = Vec::new();
    for team in &matrix.teams {
        let contacts = team.first.iter().chain(&team.backup);
        for contact in contacts.filter(|contact| contact.group) {
            let members = team.of.unwrap_or(team.quorum).max(2);
            if directory.stand_in(&contact.name, members) {
                named.push(contact.name.clone());
            }
        }
    }
    named
}

fn votes(
    path: &Path,
    opened: Timestamp,
    digest: &str,
    directory: &Directory,
) -> Result<Vec<Said>, Failure> {
    let shown = files::shown(path);
    let unusable = |line: usize, why: String| Failure::Unusable(format!("{shown}:{line}: {why}"));
    let bytes = files::read(path, 1 << 20)
        .map_err(|error| Failure::Unusable(format!("`{shown}` cannot be read: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::Unusable(format!("`{shown}` is not UTF-8")))?;
    let mut said = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let line: Line =
            serde_json::from_str(line).map_err(|error| unusable(number, error.to_string()))?;
        let at = match (&line.at, line.after) {
            (Some(at), None) => parse_timestamp(at)
                .ok_or_else(|| unusable(number, format!("`{}` is no instant", clean(at))))?,
            (None, Some(after)) => opened
                .checked_add_signed(after.to_chrono())
                .ok_or_else(|| unusable(number, format!("`{after}` is too long")))?,
            _ => {
                return Err(unusable(
                    number,
                    "give `at` or `after`, one of them".to_owned(),
                ));
            }
        };
        let principal =
            Principal::parse(&line.by).map_err(|error| unusable(number, error.to_string()))?;
        said.push(Said {
            at,
            actor: actor(principal, None, directory),
            command: line.command(digest),
        });
    }
    Ok(said)
}

impl Line {
    fn command(&self, digest: &str) -> Command {
        let reason = self.reason.clone();
        match self.does {
            Says::Approve => Command::Vote(VoteOf::Approve {
                digest: digest.to_owned(),
                reason,
            }),
            Says::Deny => Command::Vote(VoteOf::Deny {
                reason: reason.unwrap_or_default(),
            }),
            Says::Withdraw => Command::Vote(VoteOf::Withdraw { reason }),
            Says::Cancel => Command::Cancel { reason },
            Says::Comment => Command::Comment {
                text: reason.unwrap_or_default(),
            },
        }
    }
}

/// A timeline for a person.
struct View<'v> {
    matrix: &'v Matrix,
    opened: Timestamp,
    stand_ins: &'v [String],
}

impl View<'_> {
    fn write(&self, timeline: &Timeline, shell: &mut Shell) -> Result<(), Failure> {
        let paint = shell.paint;
        let it = &timeline.end;
        writeln!(
            shell.out,
            "{} ({}), opened {}",
            paint.bold(&clean(&it.pinned.lane)),
            it.pinned.urgency.as_str(),
            self.instant(self.opened)
        )?;
        for moment in &timeline.moments {
            for (at, line) in (0..).zip(self.lines(moment)) {
                let when = match at {
                    0 => self.instant(moment.at),
                    _ => String::new(),
                };
                let since = match at {
                    0 => since(moment.at - self.opened),
                    _ => String::new(),
                };
                writeln!(shell.out, "{when:<26} {since:>9}  {line}")?;
            }
        }
        if !self.stand_ins.is_empty() {
            let names = self
                .stand_ins
                .iter()
                .map(|name| format!("`{}`", clean(name)));
            let names: Vec<String> = names.collect();
            writeln!(
                shell.out,
                "{}",
                paint.quiet(&format!(
                    "no laneway.toml names the members of {}; stand-ins are asked",
                    names.join(", ")
                ))
            )?;
        }
        Ok(())
    }

    fn instant(&self, at: Timestamp) -> String {
        let local = at.with_timezone(&self.matrix.zone);
        format!("{} {}", local.format("%a"), moment(at, self.matrix.zone))
    }

    fn lines(&self, moment: &Moment) -> Vec<String> {
        let mut lines = Vec::new();
        if let (Some(by), Some(refusal)) = (&moment.by, &moment.refusal) {
            lines.push(format!(
                "{}: refused, {}",
                clean(by),
                clean(&refusal.to_string())
            ));
        }
        // A refusal was said above.
        let records = moment.records.iter();
        let records = records.filter(|record| record.kind != RecordKind::Refused);
        lines.extend(records.map(|it| clean(&story::words(it.kind, &it.body, self.matrix.zone))));
        let mut told: BTreeMap<(&'static str, String), Vec<String>> = BTreeMap::new();
        for notice in &moment.notices {
            let (verb, who) = telling(notice);
            told.entry(verb).or_default().push(who);
        }
        for ((verb, what), who) in told {
            lines.push(format!("{verb} {}{what}", clean(&who.join(", "))));
        }
        lines
    }
}

fn telling(notice: &Notice) -> ((&'static str, String), String) {
    let who = match &notice.to {
        Recipient::Person(person) | Recipient::Caller(person) => person.to_string(),
        Recipient::Team(team) => format!("the team {team}"),
    };
    let what = match &notice.about {
        About::Asked => ("asks", String::new()),
        About::Reminded => ("reminds", String::new()),
        About::Action(action) => ("tells", format!(" to run {}", clean(action))),
        About::Resolved(outcome) => (
            "tells",
            format!(" that it is {}", outcome.replace('_', " ")),
        ),
    };
    (what, who)
}

fn since(gone: TimeDelta) -> String {
    let millis = u64::try_from(gone.num_milliseconds()).unwrap_or(0);
    match millis {
        0 => String::new(),
        _ => format!("+{}", Duration::from_millis(millis)),
    }
}

#[derive(Debug, Serialize)]
struct Json {
    state: &'static str,
    by_silence: bool,
    moments: Vec<JsonMoment>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stand_ins: Vec<String>,
}

#[derive(Debug, Serialize)]
struct JsonMoment {
    #[serde(with = "crate::clock::rfc3339")]
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
    happened: Vec<serde_json::Value>,
    told: Vec<serde_json::Value>,
}

#[derive(Debug, Serialize)]
struct Refused {
    code: &'static str,
    message: String,
}

impl Json {
    fn of(timeline: &Timeline, stand_ins: &[String]) -> Self {
        let resolution = timeline.end.resolution.as_ref();
        Self {
            state: resolution.map_or("pending", |resolution| resolution.outcome.as_str()),
            by_silence: resolution.is_some_and(|resolution| resolution.by_silence),
            moments: timeline.moments.iter().map(JsonMoment::of).collect(),
            stand_ins: stand_ins.to_vec(),
        }
    }
}

impl JsonMoment {
    fn of(moment: &Moment) -> Self {
        let happened = moment.records.iter().map(|record| {
            let body: serde_json::Value = serde_json::from_str(&record.body).unwrap_or_default();
            serde_json::json!({ "kind": record.kind.as_str(), "of": body })
        });
        let told = moment.notices.iter().map(|notice| {
            let ((_, _), who) = telling(notice);
            let mut told = serde_json::json!({ "to": who, "type": notice.about.as_str() });
            if let Some(members) = told.as_object_mut() {
                if let Some(lane) = &notice.lane {
                    members.insert("lane".to_owned(), lane.clone().into());
                }
                match &notice.about {
                    About::Action(action) => {
                        members.insert("action".to_owned(), action.clone().into())
                    }
                    About::Resolved(outcome) => {
                        members.insert("outcome".to_owned(), outcome.clone().into())
                    }
                    _ => None,
                };
            }
            told
        });
        Self {
            at: moment.at,
            by: moment.by.as_ref().map(Principal::to_string),
            refused: moment.refusal.as_ref().map(|refusal| Refused {
                code: refusal.code(),
                message: refusal.to_string(),
            }),
            happened: happened.collect(),
            told: told.collect(),
        }
    }
}
