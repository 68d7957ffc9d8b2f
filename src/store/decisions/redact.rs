//! What is taken out of a line, by the paths that hold for evidence packets.
//!
//! In: a decision, its event, the paths that an operator named. Out: what takes them out of the line.
//! Invariant: what a packet of the same decision hides is in no part of its line. Where a packet cannot
//! say of a part whether it is hidden, that part is hidden.
//! Knows no rule of its own for what is hidden: a packet is put together, and the line follows it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::decision::{AttachedLane, Decision, Holds, Reason, State, Urgency};
use crate::escalation::packet::{Matter, Packet, REDACTED};
use crate::escalation::policy::RedactPath;
use crate::event::Json;

/// What is hidden of a decision and its event.
#[derive(Debug)]
pub struct Hidden {
    /// Of the decision with all of its reasons among those of lanes, and the values of groups among
    /// those that adjusts set.
    packet: Packet,
    /// Where values are hidden, as paths of the event without the numbers of items.
    places: BTreeSet<String>,
}

impl Hidden {
    /// Of a decision on an event.
    #[must_use]
    pub fn of(decision: &Decision, matter: &Matter<'_>, paths: &[RedactPath]) -> Self {
        let packet = Packet::assemble(&whole(decision), matter, Vec::new(), paths);
        let places = packet.redacted.iter().cloned().collect();
        Self { packet, places }
    }

    /// Takes it out of a line: see [`Redact`](super::Redact).
    pub fn take_out(&self, line: &mut Value) {
        if let Some(event) = line.get_mut("event") {
            bare_evidence(event);
            self.event(event, &mut Vec::new());
        }
        if let Some(decision) = line.get_mut("decision") {
            self.decision(decision);
        }
    }

    /// The depth of an event's JSON is bounded.
    fn event(&self, value: &mut Value, path: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    path.push(name.clone());
                    self.hide_or_enter(value, path);
                    path.pop();
                }
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.hide_or_enter(item, path)),
            _ => {}
        }
    }

    fn hide_or_enter(&self, value: &mut Value, path: &mut Vec<String>) {
        let name = path.join(".");
        // The evidence of an envelope stands in its data.
        let inner = name.strip_prefix("data.");
        let inner = inner.filter(|name| name.starts_with("evidence."));
        let is_hidden =
            self.places.contains(&name) || inner.is_some_and(|inner| self.places.contains(inner));
        match is_hidden && !value.is_null() {
            true => *value = REDACTED.into(),
            false => self.event(value, path),
        }
    }

    fn decision(&self, decision: &mut Value) {
        set(decision, "reason", &self.packet.decision.reason);
        let mut triggers = self.packet.trigger.iter();
        for list in ["lanes", "trial", "rules"] {
            for attached in items(decision, list) {
                let seen = triggers.next().map(|it| it.because.as_slice());
                let mut seen = seen.unwrap_or_default().iter();
                for reason in items(attached, "because") {
                    let saw = seen.next().map_or(REDACTED, |seen| &seen.saw);
                    set(reason, "saw", saw);
                    if let Some(window) = reason.get_mut("window").filter(|_| saw == REDACTED) {
                        set(window, "value", REDACTED);
                    }
                }
                self.values(attached.get_mut("group"));
            }
        }
        self.values(decision.get_mut("adjusted"));
        self.values(decision.get_mut("original"));
        let mut messages = self.packet.problems.iter();
        for problem in items(decision, "problems") {
            let message = messages.next().map_or(REDACTED, String::as_str);
            set(problem, "message", message);
        }
    }

    /// Values by the paths of their fields.
    fn values(&self, values: Option<&mut Value>) {
        let members = values.and_then(Value::as_object_mut);
        let hidden = Json::Text(REDACTED.to_owned());
        for (path, value) in members.into_iter().flatten() {
            let shown = self.packet.adjusted.get(path);
            if shown.is_none_or(|shown| *shown == hidden) && !value.is_null() {
                *value = REDACTED.into();
            }
        }
    }
}

/// A decision that has in the parts of which a packet says what is hidden all that its other parts have.
fn whole(decision: &Decision) -> Decision {
    let mut whole = decision.clone();
    whole.lanes.extend(decision.trial.iter().cloned());
    let rules = decision.rules.iter();
    whole
        .lanes
        .extend(rules.map(|rule| reasons(&rule.rule, &rule.because)));
    let lanes = decision.lanes.iter().chain(&decision.trial);
    let groups = lanes.flat_map(|lane| &lane.group);
    let groups = groups.filter_map(|(path, value)| Some((path.clone(), value.clone()?)));
    whole.adjusted.extend(groups);
    let before = decision.original.iter();
    let before = before.filter_map(|(path, value)| Some((path.clone(), value.clone()?)));
    for (path, value) in before {
        whole.adjusted.entry(path).or_insert(value);
    }
    whole
}

/// A lane that has nothing but reasons.
fn reasons(name: &str, because: &[Reason]) -> AttachedLane {
    AttachedLane {
        lane: name.to_owned(),
        state: State::Fired,
        owner: String::new(),
        urgency: Urgency::Low,
        because: because.to_vec(),
        group: BTreeMap::new(),
        respond_within: String::new(),
        respond_by: None,
        meanwhile: Holds::default(),
        timeout: Vec::new(),
    }
}

/// Evidence that is no object is no evidence: no packet has it, so that none says what of it is hidden.
fn bare_evidence(event: &mut Value) {
    for holder in ["", "/data"] {
        let evidence = event.pointer_mut(&format!("{holder}/evidence"));
        if let Some(evidence) = evidence.filter(|it| !it.is_object() && !it.is_null()) {
            *evidence = REDACTED.into();
        }
    }
}

fn items<'v>(value: &'v mut Value, name: &str) -> impl Iterator<Item = &'v mut Value> {
    let list = value.get_mut(name).and_then(Value::as_array_mut);
    list.into_iter().flatten()
}

fn set(value: &mut Value, name: &str, text: &str) {
    if let Some(value) = value.get_mut(name) {
        *value = text.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::recorded::{Came, Recorded};
    use crate::limits::Limits;
    use crate::reference::tests::text::{lane, matrix, noon};
    use crate::router::Router;
    use crate::store::decisions::{DecisionLog, Entry, Settings, files};

    /// The line of an event from which some paths are taken out.
    fn line(rules: &str, event: &str, paths: &[&str]) -> String {
        let matrix = matrix(rules);
        let decision =
            Router::new(std::sync::Arc::clone(&matrix)).decide_json(event.as_bytes(), noon());
        let matter = Matter::read(&matrix, event.as_bytes(), &Limits::default(), noon());
        let paths = paths.iter().map(|path| RedactPath::parse(path).unwrap());
        let hidden = Hidden::of(&decision, &matter, &paths.collect::<Vec<_>>());
        let folder = tempfile::tempdir().unwrap();
        let log = DecisionLog::open(folder.path(), Settings::default(), noon()).unwrap();
        log.append(&Entry {
            redact: Some(&|line| hidden.take_out(line)),
            ..Entry::new(noon(), event.as_bytes(), &decision)
        });
        drop(log);
        std::fs::read_to_string(files(folder.path()).unwrap().remove(0)).unwrap()
    }

    const EVENT: &str = r#"{"kind":"call","id":"e-1","n":77,"user":"u-secret","mood":"upset",
        "tags":["t-secret"],"amount":431.75,"evidence":{"context":[{"token":"k-secret","step":1}]}}"#;

    #[test]
    fn what_is_hidden_is_in_no_part_of_a_line() {
        let rules = lane("large", "when n > 5\ngroup by user")
            + &lane("tried", "trial\nwhen user is not \"x\"\ngroup by user")
            + "always allow some on call when amount > 3 USD and tags contains none of (\"x\")\n";
        let seen = line(&rules, EVENT, &["absent"]);
        for shown in ["u-secret", "t-secret", "k-secret", "431.75", "upset"] {
            assert!(seen.contains(shown), "{shown}: {seen}");
        }
        let paths = ["user", "tags", "amount", "context.*.token"];
        let hidden = line(&rules, EVENT, &paths);
        for hides in ["secret", "431.75"] {
            assert!(!hidden.contains(hides), "{hides}: {hidden}");
        }
        for stays in ["upset", "\"step\":1", "\"n\":77", "saw 77", "e-1"] {
            assert!(hidden.contains(stays), "{stays}: {hidden}");
        }
        let read = Recorded::read(hidden.as_bytes()).unwrap();
        assert!(read.is_redacted);
        let Came::Bytes(event) = read.event else {
            panic!("{hidden}");
        };
        let event: Value = serde_json::from_slice(&event).unwrap();
        assert_eq!(event["evidence"]["context"][0]["token"], REDACTED);
    }

    #[test]
    fn values_before_and_after_an_adjust_are_hidden() {
        let rules =
            "adjust cap on call when amount > 100 USD set amount = 98.25 USD because \"c\"\n";
        let seen = line(rules, EVENT, &["user"]);
        assert!(
            seen.contains("98.25") && seen.contains("\"original\""),
            "{seen}"
        );
        let hidden = line(rules, EVENT, &["amount"]);
        let json: Value = serde_json::from_str(&hidden).unwrap();
        assert_eq!(json["decision"]["original"]["amount"], REDACTED);
        assert_eq!(json["decision"]["adjusted"]["amount"], REDACTED);
        assert!(!hidden.contains("431.75"), "{hidden}");
    }

    #[test]
    fn what_was_wrong_with_a_hidden_value_does_not_quote_it() {
        let event = r#"{"kind":"call","mood":"m-secret","n":1}"#;
        assert!(line("", event, &["user"]).contains("m-secret"));
        let hidden = line("", event, &["mood"]);
        assert!(!hidden.contains("m-secret"), "{hidden}");
        // Of evidence that is none nobody knows at which path it is.
        let event = r#"{"kind":"call","evidence":"e-secret"}"#;
        let hidden = line("", event, &["context.token"]);
        let json: Value = serde_json::from_str(&hidden).unwrap();
        assert_eq!(json["event"]["evidence"], REDACTED);
    }
}
