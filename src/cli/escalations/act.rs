//! What people say to one escalation: votes, remarks, hand-overs, and what operators do.
//!
//! In: an id, the particulars. Out: the command at the desk, and where the escalation stands then.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::Format;
use super::find::{find, short};
use super::place::Desk;
use super::trouble::Trouble;
use crate::cli::shell::Shell;
use crate::desk::Done;
use crate::desk::wire;
use crate::escalation::{Command, Grant, GrantState, Principal, Reply, VoteOf};
use crate::words::{moment, standing};

/// Approve what is asked, as one of those who are
///
/// The vote is for the action that the escalation is about when it is given. Name the digest that you
/// saw, and a change in between refuses the vote.
#[derive(Debug, clap::Args)]
pub(super) struct Approve {
    /// The escalation: its id, or 6 characters and more of its beginning or end
    #[arg(value_name = "ID")]
    id: String,
    /// The digest of the action that you saw, or 8 characters and more of its beginning
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Deny what is asked, which ends the escalation
#[derive(Debug, clap::Args)]
pub(super) struct Deny {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
    /// Why; a denial without a reason is refused
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Take an approval back
#[derive(Debug, clap::Args)]
pub(super) struct Withdraw {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Take a request back, as who asked, or as an operator
#[derive(Debug, clap::Args)]
pub(super) struct Cancel {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Ask another team of the pinned matrix
#[derive(Debug, clap::Args)]
pub(super) struct Reassign {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
    /// The team
    #[arg(value_name = "TEAM")]
    team: String,
    /// Whose sign-off, where several wait
    #[arg(long, value_name = "LANE")]
    lane: Option<String>,
}

/// Let another person vote in your place
#[derive(Debug, clap::Args)]
pub(super) struct Delegate {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
    /// Who
    #[arg(value_name = "PERSON")]
    person: String,
}

/// Say something to those who are asked
#[derive(Debug, clap::Args)]
pub(super) struct Comment {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
    /// What
    #[arg(value_name = "TEXT")]
    text: String,
}

/// Add a piece of evidence
#[derive(Debug, clap::Args)]
pub(super) struct Attach {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
    /// Its name, such as `context`
    #[arg(value_name = "NAME")]
    name: String,
    /// JSON, else text: a file, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Take a permission back that was not used
#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Release what a denial keeps, of what was reported and not asked; for operators
#[derive(Debug, clap::Args)]
pub(super) struct Release {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
}

/// Say that the clock of this machine is right; for operators
#[derive(Debug, clap::Args)]
pub(super) struct ConfirmClock {}

/// Erase what is stored with an escalation that ended; for operators
#[derive(Debug, clap::Args)]
pub(super) struct Erase {
    /// The escalation
    #[arg(value_name = "ID")]
    id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: String,
}

pub(super) fn approve(args: &Approve, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    let now = desk.desk.show(&id)?.escalation.digest;
    let digest = match &args.digest {
        Some(given) if given.len() >= 8 && now.starts_with(given.as_str()) => now,
        Some(given) => given.clone(),
        None => now,
    };
    let reason = args.reason.clone();
    let vote = Command::Vote(VoteOf::Approve { digest, reason });
    give(desk, &id, vote, shell, "approved")
}

pub(super) fn deny(args: &Deny, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    let reason = args.reason.clone().unwrap_or_default();
    let vote = Command::Vote(VoteOf::Deny { reason });
    give(desk, &id, vote, shell, "denied")
}

pub(super) fn withdraw(args: &Withdraw, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    let reason = args.reason.clone();
    let vote = Command::Vote(VoteOf::Withdraw { reason });
    give(desk, &id, vote, shell, "took the approval of")
}

pub(super) fn cancel(args: &Cancel, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    let reason = args.reason.clone();
    give(desk, &id, Command::Cancel { reason }, shell, "cancelled")
}

pub(super) fn reassign(args: &Reassign, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    let (lane, actor) = (args.lane.clone(), desk.actor.clone());
    let done = desk.desk.reassign(&id, lane, &args.team, actor)?;
    said(desk, &done, shell, "reassigned")
}

pub(super) fn delegate(args: &Delegate, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    let to = Principal::parse(&args.person)?;
    give(desk, &id, Command::Delegate { to }, shell, "delegated")
}

pub(super) fn comment(args: &Comment, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    let text = args.text.clone();
    give(desk, &id, Command::Comment { text }, shell, "commented on")
}

pub(super) fn attach(args: &Attach, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    let bytes = super::read_file(&args.file, desk.config.limits.event_total_bytes)?;
    let done = desk
        .desk
        .attach(&id, &args.name, &bytes, desk.actor.clone())?;
    said(desk, &done, shell, "added evidence to")
}

pub(super) fn revoke(args: &Revoke, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    let reason = args.reason.clone();
    give(
        desk,
        &id,
        Command::Revoke { reason },
        shell,
        "revoked the permission of",
    )
}

pub(super) fn release(args: &Release, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    give(desk, &id, Command::Release, shell, "released")
}

pub(super) fn confirm(desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    desk.only_operators()?;
    let reading = desk.desk.confirm_clock()?;
    desk.keep_house(shell);
    let at = crate::clock::format_timestamp(reading.at);
    match desk.format {
        Format::Json => super::json(&json!({ "at": at, "confirmed": true }), &mut shell.out),
        Format::Text => {
            let at = moment(reading.at, chrono_tz::Tz::UTC);
            Ok(writeln!(shell.out, "the clock is confirmed: {at}")?)
        }
    }
}

pub(super) fn erase(args: &Erase, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    desk.only_operators()?;
    let id = find(desk, &args.id)?;
    let it = desk.desk.show(&id)?.escalation;
    let is_live = |grant: &Grant| grant.state == GrantState::Live;
    if it.is_pending() {
        let message = "it is pending; only what has ended is erased";
        return Err(Trouble::refused("pending", message));
    }
    if it.grant.as_ref().is_some_and(is_live) {
        let message = "its permission is live; revoke it first, or wait until it lapses";
        return Err(Trouble::refused("live_grant", message));
    }
    let by = match &desk.actor.operator {
        Some(operator) => format!("{operator} as {}", desk.actor.principal),
        None => desk.actor.principal.to_string(),
    };
    desk.desk.erase(&id, &by, &args.why)?;
    desk.keep_house(shell);
    match desk.format {
        Format::Json => super::json(&json!({ "id": id, "erased": true }), &mut shell.out),
        Format::Text => Ok(writeln!(
            shell.out,
            "erased what was stored with {}; its audit goes on to verify",
            short(&id)
        )?),
    }
}

fn give(
    desk: &Desk,
    id: &str,
    command: Command,
    shell: &mut Shell,
    word: &str,
) -> Result<(), Trouble> {
    let done = desk.desk.act(id, command, desk.actor.clone())?;
    said(desk, &done, shell, word)
}

/// Says what was done, and where the escalation stands.
pub(super) fn said(desk: &Desk, done: &Done, shell: &mut Shell, word: &str) -> Result<(), Trouble> {
    desk.keep_house(shell);
    if desk.format == Format::Json {
        return super::json(
            &wire::Answered::of(done, desk.desk.now()?.at),
            &mut shell.out,
        );
    }
    let it = &done.escalation;
    let word = match done.reply {
        Reply::Unchanged => "nothing to change: this was done before, on",
        _ => word,
    };
    let id = short(&it.pinned.id);
    let who = match &desk.actor.operator {
        Some(operator) => format!(", by {operator} as {}", desk.actor.principal),
        None => String::new(),
    };
    let back = if word.starts_with("took") {
        " back"
    } else {
        ""
    };
    writeln!(shell.out, "{word} {id}{back}{who}")?;
    let zone = desk.zone(&it.pinned.matrix);
    for line in standing(it, zone) {
        writeln!(shell.out, "  {line}")?;
    }
    Ok(())
}
