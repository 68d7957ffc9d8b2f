//! The items of generated matrices but for lanes.

use laneway::value::quote;

use super::types::Ty;
use super::{Condition, Gen, List, Sample, Scope, Sort, Team};

const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "UTC",
    "Pacific/Apia",
    "Australia/Lord_Howe",
];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
pub const REMARKS: [&str; 6] = [
    "never delegated",
    "",
    "a \"quoted\" word",
    "two\nlines and a \u{2014} dash",
    "{ braces } and (parentheses)",
    "# no comment",
];

impl Gen<'_> {
    pub fn matrix_block(&mut self) -> String {
        let otherwise = match self.rng.usize(0..3) {
            0 => "otherwise allow".to_owned(),
            1 => "otherwise deny".to_owned(),
            _ => format!("otherwise {}", self.fallback()),
        };
        let unreadable = match self.rng.usize(0..3) {
            0 => "unreadable deny".to_owned(),
            _ => format!("unreadable {}", self.fallback()),
        };
        let zone = self.pick(&ZONES);
        let mut clauses = vec![
            "edition 1".to_owned(),
            format!("timezone {}", quote(zone)),
            otherwise,
            unreadable,
        ];
        self.rng.shuffle(&mut clauses);
        let title = quote(self.pick(&["Acme", "Acme \"agents\"", "\u{c4}cme { 1 }"]));
        format!("matrix {title} {{\n{}\n}}", clauses.join("\n"))
    }

    fn fallback(&mut self) -> String {
        let owner = self.rng.usize(0..self.teams.len());
        let name = self.teams[owner].name.clone();
        if self.one_in(3) {
            return format!("escalate to {name}");
        }
        let mut clauses = self.terms(owner, false);
        // What is left out gets its default, and an urgency that is left out is `high`, a timeout
        // that is left out ends after four hours.
        if self.one_in(3) {
            let kept = self.pick(&["evidence", "meanwhile"]);
            clauses.retain(|c| c.starts_with(kept));
            if kept == "meanwhile" {
                clauses = vec!["meanwhile hold item".to_owned()];
            }
        }
        format!("escalate to {name} {{\n{}\n}}", clauses.join("\n"))
    }

    pub fn calendars(&mut self) -> Vec<String> {
        let count = self.rng.usize(0..=2);
        (0..count).map(|_| self.calendar_item()).collect()
    }

    fn calendar_item(&mut self) -> String {
        let mut lines = Vec::new();
        if self.one_in(2) {
            lines.push(format!("timezone {}", quote(self.pick(&ZONES))));
        }
        for _ in 0..self.rng.usize(1..=3) {
            let from = self.pick(&DAYS);
            let days = if self.one_in(2) {
                // `fri to mon` goes over the end of the week.
                format!("{from} to {}", self.pick(&DAYS))
            } else {
                from.to_owned()
            };
            let hours = self.pick(&[
                "09:00 to 18:00",
                "00:00 to 24:00",
                "22:00 to 06:00",
                "08:30 to 12:15",
                "18:00 to 00:00",
                "02:30 to 02:29",
            ]);
            lines.push(format!("{days} {hours}"));
        }
        for _ in 0..self.rng.usize(0..=2) {
            let day = self.rng.usize(1..=20);
            lines.push(if self.one_in(2) {
                format!("except 2026-01-{day:02}")
            } else {
                format!("except 2026-01-{day:02} to 2026-02-{day:02}")
            });
        }
        self.rng.shuffle(&mut lines);
        let name = self.name(Sort::Calendar);
        self.calendars.push(name.clone());
        format!("calendar {name} {{\n{}\n}}", lines.join("\n"))
    }

    /// The name of a calendar; there is one.
    pub fn calendar(&mut self) -> String {
        self.calendars[self.rng.usize(0..self.calendars.len())].clone()
    }

    pub fn actions(&mut self) -> Vec<String> {
        let mut items = Vec::new();
        for _ in 0..self.rng.usize(1..=4) {
            let name = self.name(Sort::Action);
            items.push(format!("action {name} {}", quote(self.pick(&REMARKS))));
            self.actions.push(name);
        }
        items
    }

    pub fn teams(&mut self) -> Vec<String> {
        let count = self.rng.usize(1..=4);
        (0..count).map(|n| self.team(n)).collect()
    }

    fn team(&mut self, n: usize) -> String {
        let name = self.name(Sort::Team);
        let mut seats = 0;
        let mut open = false;
        let mut contacts = |gen_: &mut Self, part: &str| {
            let count = gen_.rng.usize(1..=3);
            let list = (0..count).map(|m| {
                if gen_.one_in(2) {
                    open = true;
                    format!("group \"{part}-{n}-{m}\"")
                } else {
                    seats += 1;
                    format!("person \"{part}{m}.{n}@acme.example\"")
                }
            });
            let list: Vec<String> = list.collect();
            let comma = gen_.pick(&[", ", ",\n"]);
            format!("{part} {}", list.join(comma))
        };
        let mut clauses = vec![contacts(self, "first")];
        let has_backup = self.rng.bool();
        if has_backup {
            clauses.push(contacts(self, "backup"));
        }
        let of = if open { self.rng.usize(1..=5) } else { seats };
        if self.one_in(2) {
            let needed = self.rng.usize(1..=of);
            clauses.push(format!("quorum {needed} of {of}"));
        }
        self.rng.shuffle(&mut clauses);
        self.teams.push(Team {
            name: name.clone(),
            has_backup,
        });
        format!("team {name} {{\n{}\n}}", clauses.join("\n"))
    }

    pub fn lists(&mut self) -> Vec<String> {
        let mut items = Vec::new();
        for _ in 0..self.rng.usize(0..=3) {
            let field = self.rng.usize(1..self.fields.len());
            let ty = self.fields[field].ty.item().clone();
            if ty == Ty::YesNo {
                continue;
            }
            let name = self.name(Sort::List);
            let values = self.values(&ty, 1..=5);
            let comma = self.pick(&[", ", ",\n"]);
            items.push(format!("list {name} is {}", values.join(comma)));
            self.lists.push(List { name, field });
        }
        items
    }

    /// Conditions, also in conditions.
    pub fn conditions(&mut self) -> Vec<String> {
        let mut items = Vec::new();
        for _ in 0..self.rng.usize(0..=4) {
            let kinds = self.some_kinds();
            let scope = Scope {
                kinds: kinds.clone(),
                measures: true,
            };
            self.saw_measure = false;
            let depth = self.rng.usize(0..=2);
            let cond = self.cond(&scope, depth);
            let has_measure = self.saw_measure;
            let name = self.name(Sort::Condition);
            items.push(format!("condition {name} means {cond}"));
            self.conditions.push(Condition {
                name,
                kinds,
                has_measure,
            });
        }
        items
    }

    pub fn samples(&mut self) -> Vec<String> {
        let mut items = Vec::new();
        for kind in 0..self.kinds.len() {
            for _ in 0..self.rng.usize(1..=2) {
                let name = self.name(Sort::Sample);
                let of = self.kinds[kind].name.clone();
                let fields = self.kinds[kind].fields.clone();
                let mut given = Vec::new();
                let mut complete = true;
                if self.one_in(4) {
                    given.push(format!("at = {}", self.instant()));
                }
                for (field, optional, required) in fields {
                    let leave_out = match (required, optional) {
                        (true, _) => self.one_in(40),
                        (_, true) => self.one_in(3),
                        _ => self.one_in(2),
                    };
                    if !leave_out {
                        given.push(self.assignment(field));
                    } else if required {
                        complete = false;
                    }
                }
                self.rng.shuffle(&mut given);
                let record = self.braced(&given);
                items.push(format!("sample {name} is {of} {record}"));
                self.samples.push(Sample {
                    name,
                    kind,
                    complete,
                });
            }
        }
        items
    }

    fn assignment(&mut self, field: usize) -> String {
        let value = self.field_value(field);
        format!("{} = {value}", self.fields[field].path)
    }

    /// A record in one line or in several, with or without commas.
    fn braced(&mut self, given: &[String]) -> String {
        if given.is_empty() {
            return "{\n}".to_owned();
        }
        let joined = given.join(self.pick(&["\n", ", ", ",\n"]));
        if joined.contains('\n') || self.one_in(2) {
            format!("{{\n{joined}\n}}")
        } else {
            format!("{{ {joined} }}")
        }
    }

    /// Changes of a record of a kind, perhaps none.
    fn with(&mut self, kind: usize) -> String {
        let mut fields = self.kinds[kind].fields.clone();
        self.rng.shuffle(&mut fields);
        fields.truncate(self.rng.usize(1..=3));
        let given: Vec<String> = fields
            .into_iter()
            .map(|(field, ..)| self.assignment(field))
            .collect();
        let record = self.braced(&given);
        format!(" with {record}")
    }

    /// The body of an example of one of these kinds, or of any.
    pub fn case(&mut self, what: &str, kinds: &[usize], loose: &str) -> String {
        let samples: Vec<usize> = (0..self.samples.len())
            .filter(|n| kinds.contains(&self.samples[*n].kind))
            .collect();
        let sample = samples[self.rng.usize(0..samples.len())];
        let (name, kind) = (self.samples[sample].name.clone(), self.samples[sample].kind);
        let title = self.title(what);
        let mut text = format!("{} {name}", quote(&title));
        if self.one_in(2) {
            text.push_str(&self.with(kind));
        }
        if self.one_in(5) {
            let fields = self.kinds[kind].fields.clone();
            let (field, ..) = fields[self.rng.usize(0..fields.len())];
            text.push_str(&format!(" without {}", self.fields[field].path));
        }
        if self.one_in(5) {
            text.push_str(&format!(" at {}", self.instant()));
        }
        // Earlier events must be readable.
        let earlier = self.rng.usize(0..self.samples.len());
        if self.one_in(4) && self.samples[earlier].complete {
            let earlier = &self.samples[earlier];
            let (name, kind) = (earlier.name.clone(), earlier.kind);
            let count = self.rng.usize(1..=5);
            let with = if self.one_in(2) {
                self.with(kind)
            } else {
                String::new()
            };
            let over = self.pick(&["1s", "10m", "1d"]);
            text.push_str(&format!(" after {count} of {name}{with} over {over}"));
        }
        let expect = self.expect(&title, loose);
        format!("{text} -> {expect}")
    }

    pub fn rules(&mut self) -> Vec<String> {
        let count = self.rng.usize(0..=4);
        (0..count).map(|_| self.rule()).collect()
    }

    fn rule(&mut self) -> String {
        let kinds = self.some_kinds();
        let on = self.kind_names(&kinds);
        let name = self.name(Sort::Decider);
        let scope = Scope {
            kinds: kinds.clone(),
            measures: true,
        };
        let depth = self.rng.usize(0..=2);
        let cond = self.cond(&scope, depth);
        let because = if self.one_in(2) {
            format!(" because {}", quote(self.pick(&REMARKS)))
        } else {
            String::new()
        };
        let mut settable: Vec<usize> = self
            .fields_of(&kinds)
            .into_iter()
            .filter(|f| *f != 0 && !matches!(self.fields[*f].ty, Ty::List(_)))
            .collect();
        match self.rng.usize(0..3) {
            0 => format!("always allow {name} on {on} when {cond}{because}"),
            1 if !settable.is_empty() => {
                self.rng.shuffle(&mut settable);
                settable.truncate(self.rng.usize(1..=2));
                let set: Vec<String> = settable.into_iter().map(|f| self.assignment(f)).collect();
                let comma = self.pick(&[", ", ",\n"]);
                let set = set.join(comma);
                format!("adjust {name} on {on} when {cond} set {set}{because}")
            }
            _ => format!("always deny {name} on {on} when {cond}{because}"),
        }
    }

    pub fn promises(&mut self) -> Vec<String> {
        let mut items = Vec::new();
        for _ in 0..self.rng.usize(0..=2) {
            let kinds = self.some_kinds();
            let on = self.kind_names(&kinds);
            let scope = Scope {
                kinds,
                measures: true,
            };
            let cond = self.cond(&scope, 1);
            let claim = if self.one_in(2) {
                let team = self.rng.usize(0..self.teams.len());
                format!("reaches {}", self.teams[team].name)
            } else {
                let verdict = self.pick(&["allow", "deny", "escalate", "adjust"]);
                format!("never {verdict}")
            };
            let title = quote(&self.title("promise"));
            items.push(format!("promise {title} on {on} when {cond} {claim}"));
        }
        items
    }

    pub fn scenarios(&mut self) -> Vec<String> {
        let all: Vec<usize> = (0..self.kinds.len()).collect();
        let count = self.rng.usize(0..=3);
        let body = |gen_: &mut Self| gen_.case("scenario", &all, "allow");
        (0..count)
            .map(|_| format!("scenario {}", body(self)))
            .collect()
    }
}
