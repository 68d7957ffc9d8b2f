//! `laneway escalations show`: all of one escalation at one glance.
//!
//! In: an id. Out: what is asked and why, the evidence, who may answer and has, what happens if nobody
//! does, how it ended, what happened. That one of those who are asked saw it is noted.

use std::io::Write;

use chrono_tz::Tz;

use super::Format;
use super::find::{find, short};
use super::page::Page;
use super::place::Desk;
use super::trouble::Trouble;
use crate::cli::block::sign;
use crate::cli::screen;
use crate::cli::shell::Shell;
use crate::clock::Timestamp;
use crate::decision::State;
use crate::desk::Shown;
use crate::desk::wire::{self, Whole, remaining};
use crate::escalation::packet::{Packet, Trigger};
use crate::escalation::{Asked, Command, Escalation, Principal, Seat, SignOff, VoteKind};
use crate::event::Json;
use crate::words::{self, holds, moment, story};

/// Show an escalation: what is asked, why, who may answer, what happens if nobody does
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The escalation: its id, or 6 characters and more of its beginning or end
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) fn run(args: &Args, desk: &Desk, shell: &mut Shell) -> Result<(), Trouble> {
    let id = find(desk, &args.id)?;
    let mut shown = desk.desk.show(&id)?;
    if sees_first(&shown.escalation, &desk.actor.principal) {
        desk.desk.act(&id, Command::View, desk.actor.clone())?;
        shown = desk.desk.show(&id)?;
    }
    if desk.format == Format::Json {
        return super::json(&Whole::of(&shown, desk.desk.now()?.at), &mut shell.out);
    }
    let text = text(desk, &shown, shell)?;
    shell.out.write_all(text.as_bytes())?;
    Ok(())
}

/// Whether someone who is asked looks at it, and nobody did before.
fn sees_first(it: &Escalation, person: &Principal) -> bool {
    let mut sign_offs = it.sign_offs.iter();
    let is_asked = sign_offs.any(|sign_off| sign_off.seat_of(person).is_some());
    it.is_pending() && it.first_viewed.is_none() && is_asked
}

/// The whole of it in lines.
pub(super) fn text(desk: &Desk, shown: &Shown, shell: &Shell) -> Result<String, Trouble> {
    let it = &shown.escalation;
    let view = View {
        it,
        zone: desk.zone(&it.pinned.matrix),
        now: desk.desk.now()?.at,
        me: &desk.actor.principal,
    };
    let mut page = Page::new(shell.paint, screen::width());
    view.head(&mut page);
    match &shown.packet {
        Some(packet) => view.packet(packet, &mut page),
        None => page.line("evidence", "erased"),
    }
    view.meanwhile(&mut page);
    for sign_off in &it.sign_offs {
        view.sign_off(sign_off, &mut page);
    }
    view.votes(&mut page);
    view.silence(&mut page);
    view.end(&mut page);
    let mut label = "history";
    for line in story::lines(&shown.history, view.zone) {
        page.line(label, &line);
        label = "";
    }
    Ok(page.text)
}

struct View<'v> {
    it: &'v Escalation,
    zone: Tz,
    now: Timestamp,
    me: &'v Principal,
}

impl View<'_> {
    fn at(&self, at: Timestamp) -> String {
        moment(at, self.zone)
    }

    fn head(&self, page: &mut Page) {
        let pinned = &self.it.pinned;
        let state = wire::state(self.it.resolution.as_ref().map(|it| it.outcome));
        let silence = self.it.resolution.as_ref().is_some_and(|it| it.by_silence);
        let silence = if silence { " by silence only" } else { "" };
        let urgency = pinned.urgency.as_str();
        let state = state.replace('_', " ");
        page.title(&format!(
            "{}  {state}{silence}, {urgency}, lane {}",
            short(&pinned.id),
            pinned.lane
        ));
        page.line("id", &pinned.id);
        let agent = pinned.agent.as_ref();
        let agent = agent.map_or(String::new(), |agent| format!(" on behalf of {agent}"));
        let (at, away) = (self.at(pinned.opened), words::away(pinned.opened, self.now));
        let verb = if pinned.asks { "asked" } else { "reported" };
        page.line(
            verb,
            &format!(
                "{at} ({away}) by {}{agent}, key {}",
                pinned.requester, pinned.key
            ),
        );
        let round = match self.it.round {
            1 => String::new(),
            round => format!(", changed since: round {round} of votes"),
        };
        let digest = words::digest(&self.it.digest);
        page.line("action", &format!("{digest}{round}"));
        if !self.it.is_readable {
            let what = "it cannot be read: it can be denied, cancelled or amended, not approved";
            page.line("", what);
        }
    }

    fn packet(&self, packet: &Packet, page: &mut Page) {
        for (name, value) in members(packet.action.as_ref()) {
            page.line("", &format!("  {name}: {}", json_text(value)));
        }
        for (path, value) in &packet.adjusted {
            page.line("", &format!("  {path} set to {}", json_text(value)));
        }
        // Where tests made it so they say more.
        if packet.trigger.iter().all(|it| it.because.is_empty()) {
            page.line("why", &packet.decision.reason);
        }
        for trigger in &packet.trigger {
            trigger_lines(trigger, page);
        }
        for problem in &packet.problems {
            page.line("problem", problem);
        }
        if let Some(operator) = &packet.decision.operator {
            page.line("do", operator);
        }
        let mut label = "evidence";
        let named = [
            ("input", packet.input.as_ref()),
            ("context", packet.context.as_ref()),
            ("links", packet.links.as_ref()),
        ];
        let named = named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let other = packet.other.iter();
        for (name, value) in named.chain(other.map(|(name, value)| (name.as_str(), value))) {
            page.line(label, &format!("{name} {}", json_text(value)));
            label = "";
        }
        for entry in &packet.history {
            let at = self.at(entry.at);
            let event = entry.event.as_deref().unwrap_or("");
            let verdict = entry.verdict.as_str();
            let text = format!("earlier {at} {event} {verdict} by {}", entry.by);
            page.line(label, &text);
            label = "";
        }
        if !packet.missing.is_empty() {
            page.line(label, &format!("MISSING {}", packet.missing.join(", ")));
            label = "";
        }
        if !packet.redacted.is_empty() {
            page.line(label, &format!("hidden {}", packet.redacted.join(", ")));
        }
    }

    fn meanwhile(&self, page: &mut Page) {
        if !self.it.is_pending() || self.it.pinned.holds.is_empty() {
            return;
        }
        page.line("meanwhile", &holds(&self.it.pinned.holds));
    }

    fn sign_off(&self, sign_off: &SignOff, page: &mut Page) {
        let plan = &sign_off.plan;
        let (has, needs) = (self.it.counted(sign_off).len(), sign_off.quorum);
        let state = words::sign_off_state(sign_off);
        let unsure = if plan.unsure { " (unsure)" } else { "" };
        let respond = plan.respond_by.filter(|_| sign_off.is_waiting());
        let respond = respond.map_or(String::new(), |by| format!(", answer by {}", self.at(by)));
        page.line(
            "sign-off",
            &format!(
                "{}{unsure}: {has} of {needs} of {} agreed, {state}{respond}",
                plan.lane, sign_off.team
            ),
        );
        for seat in sign_off.seated() {
            page.line("", &self.seat(sign_off, seat));
        }
        let waits = sign_off.is_waiting();
        for asked in self.backup(sign_off).filter(|_| waits) {
            page.line("", &format!("  - {}, backup, not asked yet", asked.person));
        }
    }

    fn seat(&self, sign_off: &SignOff, seat: &Seat) -> String {
        let is_approved = self.it.approvals().any(|vote| vote.person == seat.person);
        let is_denied = self.it.vote_of(&seat.person, VoteKind::Deny).is_some();
        let sign = match (is_approved, is_denied) {
            (_, true) => '✗',
            (true, _) => '✓',
            _ => '·',
        };
        let via = seat.via.as_ref();
        let via = via.map_or(String::new(), |group| format!(", of @{group}"));
        let whom = seat.for_whom.as_ref();
        let whom = whom.map_or(String::new(), |who| format!(", for {who}"));
        let me = match seat.person == *self.me && sign_off.is_waiting() && !is_approved {
            true => " <- you",
            false => "",
        };
        format!("  {sign} {}{via}{whom}{me}", seat.person)
    }

    /// Those of the plan's backup who have no seat yet.
    fn backup<'s>(&self, sign_off: &'s SignOff) -> impl Iterator<Item = &'s Asked> {
        let roster = sign_off.plan.rosters.get(&sign_off.plan.team);
        let is_own = sign_off.team == sign_off.plan.team;
        let excluded = self.it.pinned.excluded.clone();
        let backup = roster.filter(|_| is_own).into_iter();
        backup.flat_map(|it| it.backup.iter()).filter(move |asked| {
            sign_off.seat_of(&asked.person).is_none() && !excluded.contains(&asked.person)
        })
    }

    fn votes(&self, page: &mut Page) {
        let mut label = "votes";
        for vote in &self.it.votes {
            let word = match vote.kind {
                VoteKind::Approve => "approved by",
                VoteKind::Deny => "denied by",
                VoteKind::Withdraw => "approval withdrawn by",
                VoteKind::Void => "approval void, since they left:",
            };
            let who = match &vote.operator {
                Some(operator) => format!("{operator} as {}", vote.person),
                None => vote.person.to_string(),
            };
            let round = match self.it.round {
                1 => String::new(),
                _ => format!(", round {}", vote.round),
            };
            let at = self.at(vote.at);
            let digest = words::digest(&vote.digest);
            page.line(label, &format!("{at}  {word} {who}, for {digest}{round}"));
            label = "";
        }
    }

    /// What happens if nobody answers, and when.
    fn silence(&self, page: &mut Page) {
        let mut steps: Vec<_> = self
            .it
            .sign_offs
            .iter()
            .flat_map(|sign_off| {
                let lane = sign_off.plan.lane.as_str();
                let steps = remaining(sign_off, self.it.pinned.cap);
                steps.map(move |(at, does)| (at, lane, does))
            })
            .collect();
        if !self.it.is_pending() {
            return;
        }
        steps.sort_by_key(|(at, ..)| *at);
        let several = self.it.sign_offs.len() > 1;
        let mut label = "if silent";
        for (at, lane, does) in steps {
            let lane = if several {
                format!(" [{lane}]")
            } else {
                String::new()
            };
            let late = if at <= self.now { ", due" } else { "" };
            let (when, away) = (self.at(at), words::away(at, self.now));
            let does = words::does(does);
            page.line(label, &format!("{when} ({away}{late})  {does}{lane}"));
            label = "";
        }
    }

    fn end(&self, page: &mut Page) {
        let it = self.it;
        if let Some(resolution) = &it.resolution {
            page.line("ended", &words::ended(resolution, self.zone));
        }
        if let Some(grant) = words::grant(it, self.zone) {
            page.line("permission", &grant);
        }
        if let Some(released) = it.released {
            page.line("released", &self.at(released));
        }
        if it.joined > 0 {
            page.line("joined", &words::count(it.joined, "further event"));
        }
        if it.late_votes > 0 {
            let votes = words::count(it.late_votes, "vote");
            page.line("late", &format!("{votes} came too late"));
        }
        if it.undelivered > 0 {
            let steps = words::count(it.undelivered, "step");
            page.line("not told", &format!("of {steps} nobody could be told"));
        }
    }
}

fn trigger_lines(trigger: &Trigger, page: &mut Page) {
    let state = match trigger.state {
        State::Fired => "fired",
        State::Unsure => "unsure, it could not be ruled out",
    };
    page.line("why", &format!("{} {state}", trigger.lane));
    for seen in &trigger.because {
        let (test, saw) = (&seen.test, &seen.saw);
        let sign = sign(seen.result);
        page.line("", &format!("  {sign} {test}   saw {saw}"));
    }
}

/// The members of an object.
fn members(json: Option<&Json>) -> &[(String, Json)] {
    match json {
        Some(Json::Object(members)) => members,
        _ => &[],
    }
}

/// A value on one line; a text without its quotes.
fn json_text(json: &Json) -> String {
    match json {
        Json::Text(text) => text.clone(),
        json => serde_json::to_string(json).unwrap_or_default(),
    }
}
