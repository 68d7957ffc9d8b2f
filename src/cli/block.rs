//! One decision in full, for a person: what `decide --verbose` and `explain` show.
//!
//! In: a decision. Out: lines of a label and its text.
//! Invariant: everything that a caller has to act on is there; nothing of an event acts on the
//! terminal.

use std::fmt::Write as _;

use super::output::Paint;
use super::screen::{clean, wrap};
use crate::decision::{
    AppliedRule, AttachedLane, Decision, EvidenceNeeds, Kleene, Reason, State, TimeoutStep,
    Verdict, Window,
};
use crate::matrix::Matrix;
use crate::value::Value;
use crate::words::{holds, moment};

/// Columns of the labels.
const LABEL: usize = 11;

/// Whether a decision has more to say than its row.
pub(super) fn is_worth_it(decision: &Decision) -> bool {
    decision.verdict != Verdict::Allow
        || !decision.lanes.is_empty()
        || !decision.trial.is_empty()
        || !decision.problems.is_empty()
}

/// The lines of a decision, each behind `indent`.
pub(super) fn text(
    decision: &Decision,
    matrix: &Matrix,
    paint: Paint,
    screen: Option<usize>,
    indent: &str,
) -> String {
    let mut block = Block {
        matrix,
        paint,
        room: screen.map(|screen| screen.saturating_sub(indent.len() + LABEL).max(20)),
        indent,
        text: String::new(),
    };
    block.decision(decision);
    block.text
}

struct Block<'a> {
    matrix: &'a Matrix,
    paint: Paint,
    room: Option<usize>,
    indent: &'a str,
    text: String,
}

impl Block<'_> {
    fn decision(&mut self, decision: &Decision) {
        for lane in &decision.lanes {
            self.lane("lane", lane);
        }
        for rule in &decision.rules {
            self.rule(rule);
        }
        if let Some(owner) = &decision.owner {
            self.line("owner", owner);
        }
        if let Some(urgency) = decision.urgency {
            self.line("urgency", urgency.as_str());
        }
        if let Some(within) = &decision.respond_within {
            let by = decision.respond_by;
            let by = by.map(|by| format!(", by {}", moment(by, self.matrix.zone)));
            self.line(
                "respond",
                &format!("within {within}{}", by.unwrap_or_default()),
            );
        }
        if !decision.meanwhile.is_empty() {
            self.line("meanwhile", &holds(&decision.meanwhile));
        }
        self.list("also", &decision.also);
        if !decision.withheld.is_empty() {
            let names = decision.withheld.join(", ");
            let why = "not asked for, since the lane is only unsure";
            self.line("withheld", &format!("{names} ({why})"));
        }
        self.changes(decision);
        if !decision.evidence.is_empty() {
            self.evidence(&decision.evidence);
        }
        if let Some(operator) = &decision.operator {
            self.line("operator", operator);
        }
        let mut label = "timeout";
        for step in &decision.timeout {
            self.step(label, step, decision.lanes.len() > 1);
            label = "";
        }
        for lane in &decision.trial {
            self.lane("on trial", lane);
        }
        for problem in &decision.problems {
            self.line("problem", &problem.message);
        }
    }

    /// A label and its text; the lines after the first stand below it.
    fn line(&mut self, label: &str, text: &str) {
        let mut label = label;
        for line in wrap(&clean(text), self.room) {
            let shown = self.paint.quiet(&format!("{label:LABEL$}"));
            let _ = writeln!(self.text, "{}{shown}{line}", self.indent);
            label = "";
        }
    }

    fn list(&mut self, label: &str, names: &[String]) {
        if !names.is_empty() {
            self.line(label, &names.join(", "));
        }
    }

    fn lane(&mut self, label: &str, lane: &AttachedLane) {
        let state = match lane.state {
            State::Fired => "fired",
            State::Unsure => "unsure, it could not be ruled out",
        };
        let group: Vec<String> = lane
            .group
            .iter()
            .map(|(path, value)| format!("{path} {}", value_text(value.as_ref())))
            .collect();
        let group = match group.is_empty() {
            true => String::new(),
            false => format!(", grouped by {}", group.join(", ")),
        };
        self.line(
            label,
            &format!("{} ({}): {state}{group}", lane.lane, lane.owner),
        );
        self.reasons(&lane.because);
    }

    fn rule(&mut self, rule: &AppliedRule) {
        let state = match rule.state {
            State::Fired => "applies",
            State::Unsure => "unsure, it could not be ruled out",
        };
        self.line("rule", &format!("{} ({}): {state}", rule.rule, rule.does));
        self.reasons(&rule.because);
    }

    fn reasons(&mut self, because: &[Reason]) {
        for reason in because {
            let (test, saw) = (&reason.test, &reason.saw);
            let file = reason.file.as_deref().map(|f| format!("{f}:"));
            let line = file.map_or_else(
                || format!("line {}", reason.line),
                |file| format!("{file}{}", reason.line),
            );
            let sign = sign(reason.result);
            self.line("", &format!("  {sign} {test}   saw {saw} ({line})"));
            let events = reason.window.as_ref().and_then(Window::events_text);
            if let Some(events) = events {
                self.line("", &format!("      last {events}"));
            }
        }
    }

    fn changes(&mut self, decision: &Decision) {
        for (path, value) in &decision.adjusted {
            let before = decision.original.get(path).and_then(Option::as_ref);
            let before = value_text(before);
            self.line("adjusted", &format!("{path} from {before} to {value}"));
        }
    }

    fn evidence(&mut self, evidence: &EvidenceNeeds) {
        let mut parts = Vec::new();
        for (word, names) in [
            ("required", &evidence.required),
            ("optional", &evidence.optional),
        ] {
            if !names.is_empty() {
                parts.push(format!("{word} {}", names.join(", ")));
            }
        }
        self.line("evidence", &parts.join("; "));
        if !evidence.missing.is_empty() {
            let missing = format!("missing {}", evidence.missing.join(", "));
            self.line("", &missing);
        }
    }

    fn step(&mut self, label: &str, step: &TimeoutStep, several: bool) {
        let at = match step.at {
            Some(at) => moment(at, self.matrix.zone),
            None => "never (its calendar does not open)".to_owned(),
        };
        let what = match (step.action, step.to.as_deref()) {
            ("notify", Some(to)) => format!("notify {to}"),
            ("route", Some(to)) => format!("route to {to}"),
            ("run", Some(to)) => format!("run {to}"),
            ("allow", Some(why)) => format!("allow, because {why}"),
            ("expire", _) => "expire; a resubmission is welcome".to_owned(),
            (action, _) => action.to_owned(),
        };
        let every = step.every.map(|every| format!(", then every {every}"));
        let every = every.unwrap_or_default();
        let lane = if several {
            format!(" [{}]", step.lane)
        } else {
            String::new()
        };
        self.line(label, &format!("{at}  {what}{every}{lane}"));
    }
}

/// The sign of a test's answer.
pub(super) fn sign(result: Kleene) -> char {
    match result {
        Kleene::True => '✓',
        Kleene::False => '✗',
        Kleene::Unknown => '?',
    }
}

fn value_text(value: Option<&Value>) -> String {
    value.map_or_else(|| "missing".to_owned(), Value::to_string)
}
