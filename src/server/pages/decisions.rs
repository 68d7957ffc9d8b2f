//! The decision log, searched.
//!
//! In: a lane or rule, a verdict, a subject, an id, a time. Out: lines of the log, the newest first.
//! Invariant: one search reads so much and no more; the page says how far back it looked, and goes on from
//! there.

use std::sync::Arc;

use axum::extract::{Query as Asked, State};
use axum::response::Response;
use chrono::{NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::shown;
use super::text::{moment, plain, when};
use crate::clock::{Timestamp, parse_timestamp};
use crate::decision::{EventRef, Subject, Verdict};
use crate::event::Json;
use crate::server::app::App;
use crate::server::caller::Perhaps;
use crate::server::problem::Problem;
use crate::store::decisions::{Found, Logged, Place, Wanted};

/// Lines on a page.
const PAGE: usize = 50;

const VERDICTS: [Verdict; 4] = [
    Verdict::Allow,
    Verdict::Adjust,
    Verdict::Escalate,
    Verdict::Deny,
];

/// What is looked for, as the address says.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    by: String,
    verdict: String,
    subject: String,
    id: String,
    since: String,
    until: String,
    after: String,
}

/// The page.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Perhaps,
    Asked(filter): Asked<Filter>,
) -> Response {
    shown(&app, caller, "/decisions", move |app, _| {
        content(app, &filter)
    })
    .await
}

fn content(app: &App, filter: &Filter) -> Result<Markup, Problem> {
    let zone = app.deciding().map_or(Tz::UTC, |it| it.router.matrix().zone);
    let wanted = filter.wanted(zone)?;
    let found = match app.log().as_deref() {
        None => Err("laneway.toml has no `[decisions]`, so no decisions are logged".to_owned()),
        Some(Err(why)) => Err(why.clone()),
        Some(Ok(log)) => log.search(&wanted),
    };
    Ok(html! {
        h1 { "Decisions" }
        (filter.form())
        @match &found {
            Err(why) => p.empty { (plain(why)) "." },
            Ok(found) => (lines(found, filter, zone)),
        }
    })
}

impl Filter {
    fn wanted(&self, zone: Tz) -> Result<Wanted, Problem> {
        let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let instant = |name: &str, text: &str| match given(text) {
            None => Ok(None),
            Some(text) => match read_instant(&text, zone) {
                Some(at) => Ok(Some(at)),
                None => {
                    let message =
                        format!("`{name}` is a day or an instant, such as 2026-11-20T10:00");
                    Err(Problem::bad("filter", message))
                }
            },
        };
        Ok(Wanted {
            by: given(&self.by),
            verdict: VERDICTS.into_iter().find(|it| it.as_str() == self.verdict),
            subjects: match given(&self.subject) {
                None => Vec::new(),
                Some(text) => subjects(&text).ok_or_else(|| {
                    let message = "`subject` is a field with its value, such as customer=c1";
                    Problem::bad("filter", message)
                })?,
            },
            id: given(&self.id),
            since: instant("since", &self.since)?,
            until: instant("until", &self.until)?,
            behind: Place::parse(&self.after),
            limit: PAGE,
        })
    }

    fn fields(&self) -> [(&'static str, &String); 6] {
        [
            ("by", &self.by),
            ("verdict", &self.verdict),
            ("subject", &self.subject),
            ("id", &self.id),
            ("since", &self.since),
            ("until", &self.until),
        ]
    }

    /// The same search behind a place.
    fn address(&self, after: Place) -> String {
        let mut address = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.fields() {
            if !value.is_empty() {
                address.append_pair(name, value);
            }
        }
        address.append_pair("after", &after.to_string()).finish()
    }

    fn form(&self) -> Markup {
        let field = |name: &str, label: &str, value: &str, kind: &str| {
            html! {
                span {
                    label for=(name) { (label) }
                    input id=(name) name=(name) type=(kind) value=(value);
                }
            }
        };
        html! {
            form.filter method="get" action="/decisions" role="search" {
                (field("by", "Lane or rule", &self.by, "text"))
                span {
                    label for="verdict" { "Verdict" }
                    select #verdict name="verdict" {
                        option value="" { "any" }
                        @for verdict in VERDICTS {
                            @let word = verdict.as_str();
                            option value=(word) selected[word == self.verdict] { (word) }
                        }
                    }
                }
                span {
                    label for="subject" { "Subject, such as customer=c1" }
                    input #subject name="subject" value=(self.subject) aria-describedby="subject-help";
                }
                (field("id", "Id of event or escalation", &self.id, "text"))
                (field("since", "Since", &self.since, "datetime-local"))
                (field("until", "Until", &self.until, "datetime-local"))
                button { "Search" }
            }
            p.quiet #subject-help {
                "A subject is what lanes group by: all fields of one group by, with commas between them."
            }
        }
    }
}

/// An instant of RFC 3339, or a wall time or a day in a zone.
fn read_instant(text: &str, zone: Tz) -> Option<Timestamp> {
    if let Some(at) = parse_timestamp(text) {
        return Some(at);
    }
    let forms = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"];
    let mut wall = forms
        .iter()
        .filter_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let day = || text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0);
    let wall = wall.next().or_else(day)?;
    let local = zone.from_local_datetime(&wall);
    Some(local.earliest()?.to_utc())
}

/// `customer=c1, region=eu`, each value once as it stands and once as a text: the log knows a subject by the
/// sort of its values too.
fn subjects(text: &str) -> Option<Vec<Subject>> {
    let pairs: Option<Vec<(&str, &str)>> = text
        .split(',')
        .map(|pair| {
            pair.split_once('=')
                .map(|(path, value)| (path.trim(), value.trim()))
        })
        .collect();
    let pairs = pairs?;
    if pairs.iter().any(|(path, _)| path.is_empty()) {
        return None;
    }
    let read = |value: &str| {
        let json: Option<serde_json::Value> = serde_json::from_str(value).ok();
        match json {
            Some(serde_json::Value::Number(_)) => Json::Number(value.to_owned()),
            Some(serde_json::Value::Bool(yes)) => Json::Bool(yes),
            Some(serde_json::Value::String(text)) => Json::Text(text),
            _ => Json::Text(value.to_owned()),
        }
    };
    let as_read = Subject::of(pairs.iter().map(|(path, value)| (*path, read(value))));
    let as_text = pairs
        .iter()
        .map(|(path, value)| (*path, Json::Text((*value).to_owned())));
    let mut all: Vec<Subject> = as_read.into_iter().chain(Subject::of(as_text)).collect();
    all.dedup();
    Some(all)
}

fn lines(found: &Found, filter: &Filter, zone: Tz) -> Markup {
    html! {
        @if found.lines.is_empty() {
            p.empty { "No decision fits." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Decisions" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Received" } th scope="col" { "Event" } th scope="col" { "Verdict" }
                            th scope="col" { "By" } th scope="col" { "Why" } th scope="col" { "Asked by" }
                            th scope="col" { "Escalation" }
                        }
                    }
                    tbody { @for line in &found.lines { (row(line, zone)) } }
                }
            }
        }
        p.quiet {
            @match (found.back_to, found.rest) {
                (Some(back_to), Some(_)) => { "Looked back to " (moment(back_to, zone)) "; there is more behind it." },
                _ => "All that is kept was looked at.",
            }
            @if found.packed > 0 { " " (found.packed) " packed files were not looked into." }
        }
        @if let Some(rest) = found.rest {
            p { a href={ "/decisions?" (filter.address(rest)) } rel="next" { "Look further back" } }
        }
    }
}

fn row(line: &Logged, zone: Tz) -> Markup {
    let attached = line.lanes.iter().filter(|lane| **lane != line.by);
    let attached: Vec<&str> = attached.map(String::as_str).collect();
    html! {
        tr {
            td { (when(line.received, zone)) }
            td {
                @match &line.event {
                    EventRef::Id(id) => code { (plain(id)) },
                    EventRef::Line(line) => { "line " (line) },
                    EventRef::None => {},
                }
            }
            td { span class={ "verdict " (line.verdict.as_str()) } { (line.verdict.as_str()) } }
            td {
                (plain(&line.by))
                @if !attached.is_empty() { div.quiet { "also " (plain(&attached.join(", "))) } }
            }
            td.long { (plain(&line.reason)) }
            td { (plain(line.asked.as_deref().unwrap_or_default())) }
            td {
                @if let Some(id) = &line.escalation {
                    a href={ "/escalations/" (form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>()) } {
                        (plain(crate::words::digest(id)))
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_the_zone_of_the_matrix() {
        let at = |text: &str| read_instant(text, Tz::Europe__Berlin).map(|at| at.to_rfc3339());
        assert_eq!(at("2026-11-20").unwrap(), "2026-11-19T23:00:00+00:00");
        assert_eq!(at("2026-11-20T10:30").unwrap(), "2026-11-20T09:30:00+00:00");
        assert_eq!(
            at("2026-11-20T10:30:00Z").unwrap(),
            "2026-11-20T10:30:00+00:00"
        );
        assert_eq!(at("yesterday"), None);
    }

    #[test]
    fn a_subject_is_looked_for_as_it_reads_and_as_a_text() {
        assert_eq!(subjects("customer=c1").unwrap().len(), 1);
        assert_eq!(subjects("customer=7").unwrap().len(), 2);
        let one = subjects("a=1, b=x").unwrap();
        let other = subjects("b=x,a=1.0").unwrap();
        assert_eq!(one.first(), other.first());
        assert!(subjects("customer").is_none() && subjects("=1").is_none());
    }
}
