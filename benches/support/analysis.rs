//! Matrices for the analysis's benchmarks: lanes as operations teams write them, lanes without any order, and edits
//! of either.
//!
//! In: a number of lanes and a seed. Out: the text of a matrix that checks without errors.
//! Invariant: the same numbers give the same text everywhere.
//! Must not know the analysis. Needs nothing but `fastrand`.
//!
//! *Realistic*: five kinds of events. Nearly every lane has a selector (a word of an enum; from 50 lanes on a tenant or
//! the like beside it, of as many names as there are lanes to ten), and one to three tests more; one in seven an inner
//! `or`, one in ten an `unless`, one in thirty a measure. A fiftieth of the lanes' number are `always deny`, half as
//! many `always allow`. A team has one way to end, `deny` or `expire`; one lane in 500 ends otherwise, one lets the
//! action run meanwhile. From 50 lanes on one in 100 is hidden by an `always deny`, and one in 200 contradicts itself.
//!
//! *Random*: any tests of any fields under any `and`, `or`, `not`; ends and holds as the dice fall; a twentieth are
//! `always deny`. Many lanes hide and contradict each other.

#[path = "analysis/edit.rs"]
mod edit;
#[path = "analysis/kinds.rs"]
mod kinds;

pub use edit::edited;

use std::fmt::Write as _;

use fastrand::Rng;

use kinds::{Field, KINDS, Kind, Sort};

/// The text of a matrix as operations teams write them.
pub fn realistic(lanes: usize, seed: u64) -> String {
    let mut writer = Writer::new(lanes, seed);
    writer.head("Realistic");
    let denials: Vec<Denial> = (0..(lanes / 50).max(2))
        .map(|number| writer.denial(number))
        .collect();
    for number in 0..(lanes / 100).max(1) {
        writer.allowance(number);
    }
    writer.text.push('\n');
    let written: Vec<Lane> = (0..lanes)
        .map(|number| writer.realistic_lane(number, &denials))
        .collect();
    writer.promises(&written);
    writer.text
}

/// The text of a matrix without any order.
pub fn random(lanes: usize, seed: u64) -> String {
    let mut writer = Writer::new(lanes, seed);
    writer.head("Random");
    for number in 0..(lanes / 20).max(1) {
        let kind = writer.kind();
        let when = writer.anything(kind, 2);
        writer.rule("deny", number, kind, &when);
    }
    writer.text.push('\n');
    for number in 0..lanes {
        writer.random_lane(number);
    }
    writer.text
}

const TEAMS: usize = 6;

/// An `always deny`, for lanes to hide behind.
struct Denial {
    kind: &'static Kind,
    when: String,
}

/// What a lane is written of.
struct Lane {
    name: String,
    kind: &'static Kind,
    when: String,
    unless: Option<String>,
    team: usize,
    urgency: &'static str,
    hold: &'static str,
    end: &'static str,
}

struct Writer {
    text: String,
    rng: Rng,
    lanes: usize,
    /// How many names a text field knows.
    names: usize,
}

impl Writer {
    fn new(lanes: usize, seed: u64) -> Self {
        Self {
            text: String::with_capacity(lanes * 560 + 8_192),
            rng: Rng::with_seed(seed),
            lanes,
            names: (lanes / 10).clamp(8, 2_000),
        }
    }

    fn head(&mut self, name: &str) {
        let _ = write!(
            self.text,
            "matrix \"{name}\" {{\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  \
             unreadable escalate to team_0\n}}\n\n"
        );
        for kind in &KINDS {
            kind.write(&mut self.text);
        }
        for team in 0..TEAMS {
            let _ = write!(
                self.text,
                "team team_{team} {{\n  first person \"lead{team}@acme.example\"\n  backup group \"desk-{team}\"\n}}\n\n"
            );
        }
    }

    fn kind(&mut self) -> &'static Kind {
        &KINDS[self.rng.usize(..KINDS.len())]
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.rng.usize(..one_in) == 0
    }

    /// `tenant-17`; the first names are more frequent, as some tenants have more rules.
    fn name(&mut self, field: &Field) -> String {
        let (one, other) = (self.rng.usize(..self.names), self.rng.usize(..self.names));
        format!("\"{}-{}\"", field.stem(), one.min(other))
    }

    fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.rng.usize(..words.len())]
    }

    /// Some words, each once, in the order of the enum.
    fn words(&mut self, words: &[&'static str], most: usize) -> String {
        let many = self.rng.usize(2..=most.min(words.len() - 1));
        let mut chosen: Vec<usize> = (0..words.len()).collect();
        self.rng.shuffle(&mut chosen);
        chosen.truncate(many);
        chosen.sort_unstable();
        let chosen: Vec<&str> = chosen.into_iter().map(|at| words[at]).collect();
        chosen.join(", ")
    }

    /// The test that says what a lane is about: a word, or one of a few.
    fn selector(&mut self, kind: &'static Kind) -> String {
        let field = &kind.fields[0];
        let Sort::Words(words) = field.sort else {
            unreachable!("the first field of a kind is an enum")
        };
        match self.chance(4) {
            true => format!("{} in ({})", field.path, self.words(words, 4)),
            false => format!("{} is {}", field.path, self.word(words)),
        }
    }

    /// A tenant, or the like.
    fn owner(&mut self, kind: &'static Kind) -> String {
        let texts: Vec<&Field> = kind.texts().collect();
        let field = texts[self.rng.usize(..texts.len())];
        match self.chance(6) {
            true => {
                let (one, other) = (self.name(field), self.name(field));
                match one == other {
                    true => format!("{} is {one}", field.path),
                    false => format!("{} in ({one}, {other})", field.path),
                }
            }
            false => format!("{} is {}", field.path, self.name(field)),
        }
    }

    /// A test of a field, of the sort that one meets in matrices.
    fn test(&mut self, field: &Field) -> String {
        let path = field.path;
        let mut test = match field.sort {
            Sort::Words(words) if words.len() > 3 && self.chance(2) => {
                let not = if self.chance(5) { "not " } else { "" };
                format!("{path} {not}in ({})", self.words(words, 6))
            }
            Sort::Words(words) => {
                let not = if self.chance(6) { "not " } else { "" };
                format!("{path} is {not}{}", self.word(words))
            }
            Sort::Text if self.chance(3) => {
                // Names with the same first digit belong together.
                let digit = self.rng.usize(1..10);
                format!("{path} starts with \"{}-{digit}\"", field.stem())
            }
            Sort::Text => format!("{path} is {}", self.name(field)),
            Sort::Flag => format!("{path} is {}", self.word(&["yes", "no"])),
            Sort::List(items) => {
                let sort = self.word(&["any of", "any of", "all of", "none of"]);
                format!("{path} contains {sort} ({})", self.words(items, 3))
            }
            Sort::Money(_) | Sort::Number(_) | Sort::Whole(_) => {
                let is_high = field.is_bad_when_high() != self.chance(5);
                let sign = match (is_high, self.chance(4)) {
                    (true, false) => ">",
                    (true, true) => ">=",
                    (false, false) => "<",
                    (false, true) => "<=",
                };
                format!("{path} {sign} {}", self.threshold(field))
            }
        };
        if field.is_optional && self.chance(5) {
            test.push_str(" if present");
        }
        test
    }

    /// A round amount between a twentieth and 17 twentieths of what the field can have.
    fn threshold(&mut self, field: &Field) -> String {
        let step = self.rng.u64(1..=17);
        match field.sort {
            Sort::Money(most) => format!("{} USD", most / 20 * step),
            Sort::Whole(most) => (most / 20 * step).to_string(),
            _ => format!("0.{:02}", step * 5),
        }
    }

    /// Some fields of a kind, each once, of which nothing is asked yet, and not its selector.
    fn fields(
        &mut self,
        kind: &'static Kind,
        many: usize,
        asked: &[String],
    ) -> Vec<&'static Field> {
        let asks = |part: &str, field: &Field| part.split([' ', '(']).any(|it| it == field.path);
        let is_asked = |field: &Field| asked.iter().any(|part| asks(part, field));
        let fields = kind.fields[1..].iter();
        let mut fields: Vec<&Field> = fields.filter(|field| !is_asked(field)).collect();
        self.rng.shuffle(&mut fields);
        fields.truncate(many);
        fields
    }

    fn denial(&mut self, number: usize) -> Denial {
        let kind = self.kind();
        let mut parts = vec![self.selector(kind)];
        if self.lanes >= 50 {
            parts.push(self.owner(kind));
        }
        if self.chance(2) {
            let field = kind.required_number();
            parts.push(format!("{} > {}", field.path, self.threshold(field)));
        }
        let when = parts.join(" and ");
        self.rule("deny", number, kind, &when);
        Denial { kind, when }
    }

    fn allowance(&mut self, number: usize) {
        let kind = self.kind();
        let field = kind.required_number();
        let bound = self.threshold(field);
        let when = format!("{} and {} < {bound}", self.selector(kind), field.path);
        self.rule("allow", number, kind, &when);
    }

    fn rule(&mut self, verdict: &str, number: usize, kind: &Kind, when: &str) {
        let _ = writeln!(
            self.text,
            "always {verdict} {verdict}_{number} on {} when {when} because \"policy {number}\"",
            kind.name
        );
    }

    fn realistic_lane(&mut self, number: usize, denials: &[Denial]) -> Lane {
        let mut kind = self.kind();
        let is_big = self.lanes >= 50;
        let mut parts = Vec::new();
        if is_big && number % 100 == 40 {
            let denial = &denials[self.rng.usize(..denials.len())];
            kind = denial.kind;
            parts.push(denial.when.clone());
        } else {
            if !self.chance(12) {
                parts.push(self.selector(kind));
            }
            if is_big && !self.chance(16) {
                parts.push(self.owner(kind));
            }
        }
        if is_big && number % 200 == 90 {
            let field = kind.required_number();
            let (low, high) = field.bounds();
            parts.push(format!("{0} > {high} and {0} < {low}", field.path));
        }
        let many = self
            .rng
            .usize(1..=3)
            .max(2usize.saturating_sub(parts.len()));
        let fields = self.fields(kind, many, &parts);
        parts.extend(fields.into_iter().map(|field| self.test(field)));
        if self.chance(7) {
            let either: Vec<String> = self
                .fields(kind, 2, &parts)
                .into_iter()
                .map(|field| self.test(field))
                .collect();
            parts.push(format!("({})", either.join(" or ")));
        }
        if self.chance(30) {
            parts.push(kind.measure.to_owned());
        }
        let unless = self.chance(10).then(|| {
            let field = self.fields(kind, 1, &parts)[0];
            self.test(field)
        });
        let team = self.rng.usize(..TEAMS);
        let urgency = self.word(&["critical", "high", "normal", "normal", "low"]);
        let mut lane = Lane {
            name: format!("lane_{number}"),
            kind,
            when: parts.join(" and "),
            unless,
            team,
            urgency,
            hold: self.word(&["hold item", "hold item", "block item", "park item"]),
            end: if team % 3 == 2 { "expire" } else { "deny" },
        };
        match number % 500 {
            3 => {
                lane.end = if team % 3 == 2 { "deny" } else { "expire" };
            }
            230 => lane = lane.calm("hold item", "allow because \"small\""),
            340 => lane = lane.calm("slow workflow", lane_end(team)),
            _ => {}
        }
        self.lane(&lane);
        lane
    }

    fn random_lane(&mut self, number: usize) {
        let kind = self.kind();
        let when = self.anything(kind, 3);
        let unless = self.chance(4).then(|| self.anything(kind, 1));
        let mut lane = Lane {
            name: format!("lane_{number}"),
            kind,
            when,
            unless,
            team: self.rng.usize(..TEAMS),
            urgency: self.word(&["critical", "high", "normal", "low"]),
            hold: self.word(&["hold item", "block item", "park item", "deny workflow"]),
            end: self.word(&["deny", "expire"]),
        };
        if self.chance(10) {
            let end = self.word(&["deny", "expire", "allow because \"small\""]);
            let hold = self.word(&["slow item", "continue item", "degrade item", "hold item"]);
            lane = lane.calm(hold, end);
        }
        self.lane(&lane);
    }

    /// Any tests under any words.
    fn anything(&mut self, kind: &'static Kind, depth: usize) -> String {
        let many = self.rng.usize(2..=3);
        let mut parts = Vec::with_capacity(many);
        for _ in 0..many {
            let inner = match depth > 1 && self.chance(3) {
                true => format!("({})", self.anything(kind, depth - 1)),
                false => {
                    let field = &kind.fields[self.rng.usize(..kind.fields.len())];
                    self.test(field)
                }
            };
            let not = if self.chance(8) { "not " } else { "" };
            parts.push(format!("{not}{inner}"));
        }
        let word = self.word(&[" and ", " and ", " or "]);
        parts.join(word)
    }

    fn lane(&mut self, lane: &Lane) {
        let Lane { name, when, .. } = lane;
        let _ = write!(
            self.text,
            "lane {name} {{\n  about \"What may not be decided alone: {name}\"\n  on {}\n  when {when}\n",
            lane.kind.name
        );
        if let Some(unless) = &lane.unless {
            let _ = writeln!(self.text, "  unless {unless}");
        }
        let reversible = match lane.end.starts_with("allow") {
            true => "  reversible \"by hand\"\n",
            false => "",
        };
        let _ = write!(
            self.text,
            "  owner team_{}\n  urgency {}\n{reversible}  respond within 30m\n  meanwhile {}\n  \
             operator \"Read it, then approve or reject it.\"\n  \
             evidence {{\n    required input, action, trigger\n  }}\n  \
             timeout {{\n    after 30m notify backup\n    after 2h {}\n  }}\n}}\n\n",
            lane.team, lane.urgency, lane.hold, lane.end
        );
    }

    /// What some lanes ask for their team, promised of the same events or of a few more.
    fn promises(&mut self, lanes: &[Lane]) {
        let plain: Vec<&Lane> = lanes.iter().filter(|it| it.unless.is_none()).collect();
        for number in 0..(self.lanes / 100 + 3).min(12).min(plain.len()) {
            let lane = plain[self.rng.usize(..plain.len())];
            let when = match lane.when.rsplit_once(" and ") {
                Some((wider, last)) if self.chance(4) && !last.contains([')', '(']) => wider,
                _ => &lane.when,
            };
            let _ = writeln!(
                self.text,
                "promise \"{} asks its team ({number})\" on {} when {when} reaches team_{}\n",
                lane.name, lane.kind.name, lane.team
            );
        }
    }
}

fn lane_end(team: usize) -> &'static str {
    match team % 3 {
        2 => "expire",
        _ => "deny",
    }
}

impl Lane {
    /// Urgent in no way, so that the action may run or be let go.
    fn calm(self, hold: &'static str, end: &'static str) -> Self {
        Self {
            urgency: "low",
            hold,
            end,
            ..self
        }
    }
}
