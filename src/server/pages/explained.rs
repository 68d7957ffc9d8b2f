//! A decision and how it came about, as a page shows it.
//!
//! In: a decision, an explanation. Out: HTML. Invariant: true, false and unknown are told apart by words, and
//! not by colour alone; of lanes that have nothing to do with the event so many are shown.

use chrono_tz::Tz;
use maud::{Markup, html};

use super::text::{moment, plain};
use crate::decision::{Decision, Kleene, TimeoutStep, Window};
use crate::reference::{Explained, Explanation, Node, Standing};
use crate::value::Value;
use crate::words;

/// Lanes and rules that did not attach and are shown all the same.
const SILENT: usize = 200;

/// A decision, with what follows from it.
pub(super) fn decision(decision: &Decision, zone: Tz) -> Markup {
    let missing = &decision.evidence.missing;
    html! {
        p {
            "The verdict is " strong class={ "verdict " (decision.verdict.as_str()) } { (decision.verdict.as_str()) }
            " by " strong { (plain(&decision.by)) } "."
        }
        p { (plain(&decision.reason)) }
        @for problem in &decision.problems { p.bad { (plain(&problem.message)) } }
        dl {
            @if let Some(owner) = &decision.owner { dt { "Owner" } dd { (plain(owner)) } }
            @if let Some(urgency) = decision.urgency { dt { "Urgency" } dd { (urgency.as_str()) } }
            @if let Some(by) = decision.respond_by { dt { "Answer due" } dd { (moment(by, zone)) } }
            @if !decision.meanwhile.is_empty() { dt { "Meanwhile" } dd { (words::holds(&decision.meanwhile)) } }
            (list("At once", &decision.also))
            (list("Withheld", &decision.withheld))
            @if let Some(operator) = &decision.operator { dt { "Operator" } dd { (plain(operator)) } }
            (list("Required evidence", &decision.evidence.required))
            (list("Missing evidence", missing))
            @for (path, value) in &decision.adjusted {
                @let before = decision.original.get(path).and_then(Option::as_ref);
                dt { "Adjusted" }
                dd { code { (plain(path)) } " from " (value_text(before)) " to " (value_text(Some(value))) }
            }
            @if !decision.timeout.is_empty() {
                dt { "If nobody answers" }
                dd { ol.steps { @for step in &decision.timeout { li { (step_text(step, zone)) } } } }
            }
            @for lane in &decision.trial { dt { "On trial" } dd { (plain(&lane.lane)) } }
        }
    }
}

fn list(label: &str, names: &[String]) -> Markup {
    html! {
        @if !names.is_empty() { dt { (label) } dd { (plain(&names.join(", "))) } }
    }
}

fn value_text(value: Option<&Value>) -> String {
    value.map_or_else(|| "missing".to_owned(), |value| plain(&value.to_string()))
}

fn step_text(step: &TimeoutStep, zone: Tz) -> String {
    let at = step
        .at
        .map_or_else(|| "never".to_owned(), |at| moment(at, zone));
    let to = step
        .to
        .as_ref()
        .map_or(String::new(), |to| format!(" {to}"));
    let every = step
        .every
        .map_or(String::new(), |every| format!(", then every {every}"));
    plain(&format!(
        "{at}: {}{to}{every} (lane {})",
        step.action, step.lane
    ))
}

/// How every lane and rule stands.
pub(super) fn explanation(explanation: &Explanation) -> Markup {
    html! {
        (standing(explanation))
        @if let Some(adjusted) = &explanation.adjusted {
            h3 { "With its adjusts" }
            (standing(adjusted))
        }
    }
}

fn standing(explanation: &Explanation) -> Markup {
    let all = || explanation.rules.iter().chain(&explanation.lanes);
    let attached = |it: &&Explained| matches!(it.state, Standing::Fired | Standing::Unsure);
    let silent: Vec<&Explained> = all().filter(|it| !attached(it)).collect();
    html! {
        @for it in all().filter(attached) { (explained(it, true)) }
        @for it in silent.iter().take(SILENT) { (explained(it, false)) }
        @if silent.len() > SILENT {
            p.quiet { "And " (silent.len() - SILENT) " more lanes and rules that do not apply." }
        }
    }
}

/// A lane or rule with its tests.
pub(super) fn explained(it: &Explained, is_open: bool) -> Markup {
    let is_rule = it.does != "lane";
    let state = match it.state {
        Standing::Fired if is_rule => "applies",
        Standing::Fired => "fired",
        Standing::Unsure => "unsure",
        Standing::Silent if is_rule => "does not apply",
        Standing::Silent => "silent",
        Standing::NotConsidered => "not considered, it is on other kinds",
    };
    html! {
        details.explained open[is_open] {
            summary {
                (it.does) " " strong { (plain(&it.name)) } ": " (state)
                @if it.trial { ", on trial" }
                span.quiet { " (" @if let Some(file) = &it.file { (plain(file)) ":" } @else { "line " } (it.line) ")" }
            }
            @if let Some(when) = &it.when { ul.tests { (node(when)) } }
            @if let Some(unless) = &it.unless { p { "unless" } ul.tests { (node(unless)) } }
            @if !it.unknown.is_empty() { p.note { "To be known: " (plain(&it.unknown.join(", "))) } }
        }
    }
}

fn node(it: &Node) -> Markup {
    let events = it.window.as_ref().and_then(Window::events_text);
    html! {
        li {
            (sign(it.result)) " " code { (plain(&it.text)) }
            @if let Some(saw) = &it.saw { " saw " code { (plain(saw)) } }
            @if let Some(events) = events { div.quiet { "last " (plain(&events)) } }
            @if !it.parts.is_empty() { ul.tests { @for part in &it.parts { (node(part)) } } }
        }
    }
}

/// What came out of a test.
pub(super) fn sign(result: Kleene) -> Markup {
    let word = result.as_str();
    html! { span class={ "result " (word) } { (word) } }
}
