//! The inbox: what waits, the most urgent first, and what waited.
//!
//! In: who looks, and which view of it. Out: a page of rows, equal actions together, with the way to the next.
//! Invariant: who does not see everything gets what asks them, asks their teams, or was asked for by them.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Query as Asked, State};
use axum::response::Response;
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::shown;
use super::text::{away, plain, when};
use crate::clock::{Timestamp, format_timestamp};
use crate::decision::Urgency;
use crate::desk::wire;
use crate::escalation::{Outcome, Principal};
use crate::matrix::{Contact, Matrix};
use crate::server::app::App;
use crate::server::caller::{Caller, Perhaps};
use crate::server::problem::Problem;
use crate::store::{Cursor, Order, Query, Summary};

/// Escalations on a page.
const PAGE: usize = 50;

/// Lanes that are offered where one is looked for.
const OFFERED: usize = 500;

const URGENCIES: [Urgency; 4] = [
    Urgency::Critical,
    Urgency::High,
    Urgency::Normal,
    Urgency::Low,
];

const ENDS: [Outcome; 5] = [
    Outcome::Approved,
    Outcome::Amended,
    Outcome::Denied,
    Outcome::TimedOut,
    Outcome::Cancelled,
];

/// Which escalations, as the address says.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    view: String,
    lane: String,
    team: String,
    urgency: String,
    /// Of those that ended: how.
    state: String,
    /// `time`: by the time that is left alone.
    sort: String,
    after: String,
}

/// A view of the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Mine,
    Team,
    Asked,
    All,
    Ended,
}

impl View {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Mine, "mine", "Waits for me"),
        (Self::Team, "team", "My teams"),
        (Self::Asked, "asked", "Asked by me"),
        (Self::All, "all", "All that wait"),
        (Self::Ended, "ended", "Ended"),
    ];

    fn of(word: &str, caller: &Caller) -> Self {
        let found = Self::ALL.iter().find(|(_, its, _)| *its == word);
        let view = found.map_or(Self::Mine, |(view, ..)| *view);
        match view.is_for(caller) {
            true => view,
            false => Self::Mine,
        }
    }

    fn is_for(self, caller: &Caller) -> bool {
        !matches!(self, Self::All | Self::Ended) || caller.sees_all()
    }

    fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(view, ..)| *view == self);
        found.map_or("mine", |(_, word, _)| word)
    }

    /// Whether it is of what waits alone.
    fn waits(self) -> bool {
        !matches!(self, Self::Asked | Self::Ended)
    }
}

/// What waits for the person, or for anybody.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Perhaps,
    Asked(filter): Asked<Filter>,
) -> Response {
    shown(&app, caller, "/", move |app, caller| {
        Inbox::of(app, caller, &filter)?.page(&filter)
    })
    .await
}

/// The inbox as somebody sees it.
struct Inbox<'i> {
    app: &'i App,
    caller: &'i Caller,
    view: View,
    matrix: Option<Arc<Matrix>>,
    now: Timestamp,
}

/// A page of escalations, and where the next one begins.
struct Rows {
    rows: Vec<Summary>,
    next: Option<String>,
}

impl<'i> Inbox<'i> {
    fn of(app: &'i App, caller: &'i Caller, filter: &Filter) -> Result<Self, Problem> {
        Ok(Self {
            app,
            caller,
            view: View::of(&filter.view, caller),
            matrix: app.deciding().map(|it| it.router.matrix()),
            now: app.now()?,
        })
    }

    fn zone(&self) -> Tz {
        self.matrix.as_ref().map_or(Tz::UTC, |matrix| matrix.zone)
    }

    fn page(&self, filter: &Filter) -> Result<Markup, Problem> {
        let by_urgency = self.view.waits() && filter.sort != "time";
        let rows = match by_urgency {
            true => self.by_urgency(filter)?,
            false => self.by_time(filter)?,
        };
        Ok(html! {
            h1 { "Inbox" }
            nav.tabs aria-label="Which" {
                @for (view, word, words) in View::ALL {
                    @if view.is_for(self.caller) {
                        a href={ "/?view=" (word) } aria-current=[(view == self.view).then_some("true")] { (words) }
                    }
                }
            }
            (self.filters(filter))
            div #live data-live="inbox" {
                @if rows.rows.is_empty() { (self.empty(filter)) }
                @if by_urgency {
                    @for urgency in URGENCIES {
                        @let of: Vec<&Summary> = rows.rows.iter().filter(|it| it.urgency == urgency).collect();
                        @if !of.is_empty() {
                            section {
                                h2 { span class={ "urgency " (urgency.as_str()) } { (urgency.as_str()) } }
                                (self.groups(&of))
                            }
                        }
                    }
                } @else if !rows.rows.is_empty() {
                    (self.groups(&rows.rows.iter().collect::<Vec<_>>()))
                }
                @if let Some(next) = &rows.next {
                    p { a href={ "/?" (self.address(filter, next)) } rel="next" { "Next page" } }
                }
            }
        })
    }

    fn empty(&self, filter: &Filter) -> Markup {
        let is_narrow = [&filter.lane, &filter.team, &filter.urgency, &filter.state];
        let words = match self.view {
            _ if is_narrow.iter().any(|it| !it.is_empty()) => "Nothing fits these filters.",
            _ if !filter.after.is_empty() => "That was all.",
            View::Ended => "Nothing has ended yet.",
            View::Asked => "You asked for nothing.",
            _ => "Nothing waits.",
        };
        html! { p.empty { (words) } }
    }

    /// The same view behind a cursor.
    fn address(&self, filter: &Filter, after: &str) -> String {
        let mut address = form_urlencoded::Serializer::new(String::new());
        address.append_pair("view", self.view.word());
        for (name, value) in [
            ("lane", &filter.lane),
            ("team", &filter.team),
            ("urgency", &filter.urgency),
            ("state", &filter.state),
            ("sort", &filter.sort),
        ] {
            if !value.is_empty() {
                address.append_pair(name, value);
            }
        }
        address.append_pair("after", after).finish()
    }

    fn filters(&self, filter: &Filter) -> Markup {
        let lanes = self.matrix.iter().flat_map(|matrix| &matrix.lanes);
        let teams = self.matrix.iter().flat_map(|matrix| &matrix.teams);
        html! {
            form.filter method="get" action="/" role="search" {
                input type="hidden" name="view" value=(self.view.word());
                span {
                    label for="lane" { "Lane" }
                    input #lane name="lane" value=(filter.lane) list="lanes";
                    datalist #lanes { @for lane in lanes.take(OFFERED) { option value=(lane.name) {} } }
                }
                span {
                    label for="team" { "Team" }
                    select #team name="team" {
                        option value="" { "any" }
                        @for team in teams {
                            option value=(team.name) selected[team.name == filter.team] { (team.name) }
                        }
                    }
                }
                span {
                    label for="urgency" { "Urgency" }
                    select #urgency name="urgency" {
                        option value="" { "any" }
                        @for urgency in URGENCIES {
                            @let word = urgency.as_str();
                            option value=(word) selected[word == filter.urgency] { (word) }
                        }
                    }
                }
                @if self.view.waits() {
                    span {
                        label for="sort" { "Sort by" }
                        select #sort name="sort" {
                            option value="" { "urgency, then time left" }
                            option value="time" selected[filter.sort == "time"] { "time left" }
                        }
                    }
                } @else {
                    span {
                        label for="state" { "State" }
                        select #state name="state" {
                            option value="" { "any" }
                            @for end in ENDS {
                                @let word = end.as_str();
                                option value=(word) selected[word == filter.state] { (word.replace('_', " ")) }
                            }
                        }
                    }
                }
                button { "Show" }
            }
        }
    }

    /// As the store is asked, without a place and a number.
    fn query(&self, filter: &Filter) -> Query {
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        let me = || Some(self.caller.principal.clone());
        let outcome = match self.view.waits() {
            true => None,
            false => Outcome::from_word(&filter.state),
        };
        Query {
            pending: match self.view {
                View::Asked if outcome.is_none() => None,
                View::Asked | View::Ended => Some(false),
                _ => Some(true),
            },
            outcome,
            person: (self.view == View::Mine).then(me).flatten(),
            requester: (self.view == View::Asked).then(me).flatten(),
            lane: given(&filter.lane),
            team: given(&filter.team),
            urgency: Urgency::from_word(&filter.urgency),
            order: match self.view.waits() {
                true => Order::Due,
                false => Order::Newest,
            },
            ..Query::default()
        }
    }

    /// A page of one order. What asks one of several teams is asked for by each of them.
    fn read(&self, query: &Query) -> Result<Vec<Summary>, Problem> {
        if self.view != View::Team {
            return Ok(self.app.desk.page(query.clone())?);
        }
        let mut found: Vec<Summary> = Vec::new();
        for team in self.teams() {
            if query.team.as_ref().is_some_and(|wanted| *wanted != team) {
                continue;
            }
            let of_team = self.app.desk.page(Query {
                team: Some(team),
                ..query.clone()
            })?;
            found.extend(of_team);
        }
        found.sort_by(|one, other| (one.due, &one.id).cmp(&(other.due, &other.id)));
        found.dedup_by(|one, other| one.id == other.id);
        found.truncate(query.limit as usize);
        Ok(found)
    }

    /// The teams of the person, by the matrix and the directory of now.
    fn teams(&self) -> BTreeSet<String> {
        let settings = self.app.desk.settings();
        let me = &self.caller.principal;
        let is_me = |contact: &Contact| match contact.group {
            true => settings.directory.is_member(&contact.name, me),
            false => Principal::parse(&contact.name).is_ok_and(|name| name == *me),
        };
        let teams = self.matrix.iter().flat_map(|matrix| &matrix.teams);
        let mine = teams.filter(|team| team.first.iter().chain(&team.backup).any(is_me));
        mine.map(|team| team.name.clone()).collect()
    }

    /// In the order of the store.
    fn by_time(&self, filter: &Filter) -> Result<Rows, Problem> {
        let query = self.query(filter);
        let mut rows = self.read(&Query {
            behind: wire::read_cursor(&filter.after),
            limit: limit(PAGE + 1),
            ..query.clone()
        })?;
        let is_more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let next = rows.last().filter(|_| is_more);
        let next = next.map(|last| wire::cursor_text(last, query.order));
        Ok(Rows { rows, next })
    }

    /// The most urgent first, and of them the next due. A cursor names the urgency that it is in.
    fn by_urgency(&self, filter: &Filter) -> Result<Rows, Problem> {
        let query = self.query(filter);
        let begun = begun(&filter.after);
        let from = begun
            .as_ref()
            .map_or(Urgency::Critical, |(urgency, _)| *urgency);
        let mut rows: Vec<Summary> = Vec::new();
        let wanted = |urgency: &Urgency| query.urgency.is_none_or(|only| only == *urgency);
        for urgency in URGENCIES
            .into_iter()
            .filter(|it| *it <= from)
            .filter(wanted)
        {
            let cursor = begun.as_ref().filter(|(its, _)| *its == urgency);
            let of = self.read(&Query {
                urgency: Some(urgency),
                behind: cursor.map(|(_, cursor)| cursor.clone()),
                limit: limit(PAGE + 1 - rows.len()),
                ..query.clone()
            })?;
            rows.extend(of);
            if rows.len() > PAGE {
                break;
            }
        }
        let is_more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let next = rows.last().filter(|_| is_more);
        let next = next.map(|last| {
            let cursor = wire::cursor_text(last, query.order);
            format!("{}.{cursor}", last.urgency.as_str())
        });
        Ok(Rows { rows, next })
    }

    /// Rows, equal actions of one lane together under the first of them.
    fn groups(&self, rows: &[&Summary]) -> Markup {
        let mut groups: Vec<Vec<&Summary>> = Vec::new();
        for row in rows.iter().copied() {
            let is_equal = |one: &Summary| one.lane == row.lane && one.digest == row.digest;
            let mut known = groups.iter_mut();
            match known.find(|of| of.first().is_some_and(|first| is_equal(first))) {
                Some(group) => group.push(row),
                None => groups.push(vec![row]),
            }
        }
        html! {
            ul.rows {
                @for group in &groups {
                    li {
                        @if let Some((first, others)) = group.split_first() {
                            (self.row(first))
                            @if !others.is_empty() {
                                details.equal {
                                    summary { (others.len()) " more for the same action" }
                                    ul.rows { @for it in others { li { (self.row(it)) } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// What a lane is about, by the matrix that decides now.
    fn about(&self, lane: &str) -> Option<&str> {
        let matrix = self.matrix.as_ref()?;
        let lane = matrix.lanes.iter().find(|it| it.name == lane)?;
        lane.about.as_deref()
    }

    fn row(&self, it: &Summary) -> Markup {
        let (now, zone) = (self.now, self.zone());
        let state = wire::state(it.outcome);
        let is_pending = it.outcome.is_none();
        let late = it.respond_by.filter(|by| is_pending && *by < now);
        html! {
            div.row {
                a href={ "/escalations/" (it.id) } {
                    strong { (plain(&it.lane)) }
                    @if let Some(about) = self.about(&it.lane) { ": " (plain(about)) }
                    span.quiet { " asked by " (it.requester) ", " (away(it.opened, now)) }
                }
                span.tags {
                    @for team in &it.teams { span.tag { (team) } " " }
                    @if late.is_some() { span.tag.bad { "overdue" } " " }
                    @if it.joined > 0 { span.tag { "+" (it.joined) " joined" } " " }
                    @if it.by_silence { span.tag.bad { "by silence" } }
                }
                span.due {
                    @match (it.ended, it.respond_by, it.due) {
                        (Some(ended), ..) => {
                            span class={ "state " (state) } { (state.replace('_', " ")) } " " (when(ended, zone))
                        },
                        (None, Some(by), _) if late.is_none() => { "answer due " (until(by, now)) },
                        (None, _, Some(due)) => { "next step " (until(due, now)) },
                        (None, ..) => { (state) },
                    }
                }
            }
        }
    }
}

fn until(at: Timestamp, now: Timestamp) -> Markup {
    html! { span data-until=(format_timestamp(at)) { (away(at, now)) } }
}

fn limit(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

/// Where a page in the order of urgencies begins.
fn begun(text: &str) -> Option<(Urgency, Cursor)> {
    let (urgency, cursor) = text.split_once('.')?;
    Some((Urgency::from_word(urgency)?, wire::read_cursor(cursor)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_of_urgencies_reads_back_and_anything_else_is_none() {
        let (urgency, cursor) = begun("high.1795082400000000-0197").unwrap();
        assert_eq!((urgency, &*cursor.id), (Urgency::High, "0197"));
        for wrong in ["", "high", "high.", "1795082400000000-0197", "urgent.1-a"] {
            assert!(begun(wrong).is_none(), "{wrong:?}");
        }
    }
}
