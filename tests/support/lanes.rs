//! Lanes and the terms of fallbacks.

use laneway::value::quote;

use super::items::REMARKS;
use super::{Gen, Scope, Sort};

impl Gen<'_> {
    pub fn lane(&mut self) -> String {
        let kinds = self.some_kinds();
        let scope = Scope {
            kinds: kinds.clone(),
            measures: true,
        };
        let depth = self.rng.usize(0..=3);
        let owner = self.rng.usize(0..self.teams.len());
        let name = self.name(Sort::Decider);
        let mut clauses = self.terms(owner, true);
        let mild = clauses
            .iter()
            .any(|c| matches!(c.as_str(), "urgency normal" | "urgency low"));
        clauses.push(format!("owner {}", self.teams[owner].name));
        clauses.push(format!("on {}", self.kind_names(&kinds)));
        clauses.push(format!("when {}", self.cond(&scope, depth)));
        if self.one_in(3) {
            let depth = self.rng.usize(0..=2);
            clauses.push(format!("unless {}", self.cond(&scope, depth)));
        }
        match self.rng.usize(0..8) {
            0 => clauses.push("unsure escalate".to_owned()),
            1 => clauses.push("unsure deny".to_owned()),
            2 if mild => clauses.push(format!(
                "unsure skip because {}",
                quote(self.pick(&REMARKS))
            )),
            _ => {}
        }
        match self.rng.usize(0..10) {
            0 => clauses.push("trial".to_owned()),
            1 => clauses.push("trial until 2026-01-10".to_owned()),
            _ => {}
        }
        if self.one_in(2) {
            let mut fields = self.fields_of(&kinds);
            self.rng.shuffle(&mut fields);
            fields.truncate(self.rng.usize(1..=2));
            let paths: Vec<&str> = fields
                .iter()
                .map(|f| self.fields[*f].path.as_str())
                .collect();
            clauses.push(format!("group by {}", paths.join(", ")));
        }
        if self.one_in(2) {
            let mut actions = self.actions.clone();
            self.rng.shuffle(&mut actions);
            actions.truncate(self.rng.usize(1..=2));
            let comma = self.pick(&[", ", ",\n"]);
            clauses.push(format!("also {}", actions.join(comma)));
        }
        for keyword in ["about", "operator"] {
            if self.one_in(2) {
                clauses.push(format!("{keyword} {}", quote(self.pick(&REMARKS))));
            }
        }
        for _ in 0..self.rng.usize(0..=2) {
            let body = self.case("example", &kinds, "no match");
            clauses.push(format!("example {body}"));
        }
        self.rng.shuffle(&mut clauses);
        format!("lane {name} {{\n{}\n}}", clauses.join("\n"))
    }

    /// Urgency, service level, hold, evidence and timeout; of a lane also `reversible`.
    pub fn terms(&mut self, owner: usize, lane: bool) -> Vec<String> {
        let urgency = self.pick(&["critical", "high", "normal", "low"]);
        let mild = matches!(urgency, "normal" | "low");
        let holds: &[&str] = if urgency == "critical" {
            &["park", "hold", "block", "deny"]
        } else {
            &[
                "continue", "degrade", "slow", "park", "hold", "block", "deny",
            ]
        };
        let (hold, scope) = (self.pick(holds), self.pick(&["item", "workflow", "system"]));
        let reversible = lane && mild && self.one_in(2);
        let (timeout, end, of) = self.timeout(owner, reversible);
        let minutes = self.rng.usize(1..=end);
        let of = match of {
            Some(of) if self.one_in(2) => format!(" of {of}"),
            _ => String::new(),
        };
        let mut clauses = vec![
            format!("urgency {urgency}"),
            format!("respond within {}{of}", span(minutes)),
            format!("meanwhile {hold} {scope}"),
            self.evidence(),
            timeout,
        ];
        if reversible {
            clauses.push(format!("reversible {}", quote(self.pick(&REMARKS))));
        }
        clauses
    }

    fn evidence(&mut self) -> String {
        let history = self.rng.usize(1..=50);
        let mut items = vec![
            "input".to_owned(),
            "action".to_owned(),
            "trigger".to_owned(),
            "context".to_owned(),
            "links".to_owned(),
            match self.one_in(2) {
                true => "history".to_owned(),
                false => format!("history last {history}"),
            },
            "\"ticket_url\"".to_owned(),
            "\"input\"".to_owned(),
        ];
        self.rng.shuffle(&mut items);
        items.truncate(self.rng.usize(1..=8));
        let cut = self.rng.usize(0..=items.len());
        let (required, optional) = items.split_at(cut);
        let mut lines = Vec::new();
        for (word, items) in [("required", required), ("optional", optional)] {
            if !items.is_empty() {
                let comma = self.pick(&[", ", ",\n"]);
                lines.push(format!("{word} {}", items.join(comma)));
            }
        }
        if lines.len() == 1 && self.one_in(2) {
            return format!("evidence {{ {} }}", lines[0]);
        }
        format!("evidence {{\n{}\n}}", lines.join("\n"))
    }

    /// A timeout, its end in minutes, and the calendar of its end.
    fn timeout(&mut self, owner: usize, reversible: bool) -> (String, usize, Option<String>) {
        let mut steps = Vec::new();
        let mut minutes = 0;
        let mut of: Option<String> = None;
        let mut repeatable = false;
        for _ in 0..self.rng.usize(0..=4) {
            if repeatable && self.one_in(3) {
                let every = span(self.rng.usize(1..=90));
                let of = of.as_ref().map_or(String::new(), |of| format!(" of {of}"));
                let who = self.notified(owner);
                steps.push(format!("every {every}{of} notify {who}"));
                repeatable = false;
                continue;
            }
            minutes += self.rng.usize(1..=600);
            let at = self.at(minutes, &mut of);
            repeatable = false;
            let action = match self.rng.usize(0..5) {
                0 | 1 => {
                    repeatable = true;
                    format!("notify {}", self.notified(owner))
                }
                2 => {
                    let team = self.rng.usize(0..self.teams.len());
                    format!("route to {}", self.teams[team].name)
                }
                _ => {
                    let action = self.rng.usize(0..self.actions.len());
                    format!("run {}", self.actions[action])
                }
            };
            steps.push(format!("after {at} {action}"));
        }
        minutes += self.rng.usize(1..=2_000);
        let at = self.at(minutes, &mut of);
        let end = match self.rng.usize(0..3) {
            0 => "deny".to_owned(),
            1 => "expire".to_owned(),
            _ if reversible => format!("allow because {}", quote(self.pick(&REMARKS))),
            _ => "deny".to_owned(),
        };
        steps.push(format!("after {at} {end}"));
        let text = format!("timeout {{\n{}\n}}", steps.join("\n"));
        (text, minutes, of)
    }

    /// Who is notified. A team may be called `backup` nowhere, so the word means the backup.
    fn notified(&mut self, owner: usize) -> String {
        if self.teams[owner].has_backup && self.one_in(2) {
            return "backup".to_owned();
        }
        let team = self.rng.usize(0..self.teams.len());
        self.teams[team].name.clone()
    }

    /// An offset; once it is one of open time, all later ones are.
    fn at(&mut self, minutes: usize, of: &mut Option<String>) -> String {
        if of.is_none() && !self.calendars.is_empty() && self.one_in(5) {
            *of = Some(self.calendar());
        }
        let length = span(minutes);
        match of {
            Some(of) => format!("{length} of {of}"),
            None => length,
        }
    }
}

/// Minutes as a duration, not always in the shortest form.
fn span(minutes: usize) -> String {
    match minutes {
        n if n % 60 == 0 => format!("{}h", n / 60),
        n if n % 7 == 0 => format!("{n}m"),
        n if n > 60 => format!("{}h{}m", n / 60, n % 60),
        n => format!("{n}m"),
    }
}
