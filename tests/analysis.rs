//! The analysis against every event there is: random matrices over small domains, whose events are all decided by
//! the reference evaluator. What the analysis calls impossible no event shows; what some event shows it finds; and
//! each event that it names passes as a scenario of the matrix.
//!
//! `LANEWAY_LONG=1 cargo test --test analysis` asks of 10,000 matrices.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use laneway::analysis::{
    Analysis, Change, Direction, Engine, Grade, Question, analyze, ask, diff, diff_by,
};
use laneway::check::{Options, check_text};
use laneway::clock::{Timestamp, parse_timestamp};
use laneway::decision::stricter::{Demands, stricter};
use laneway::decision::{Decision, Verdict};
use laneway::event::{Problem, ProblemCode};
use laneway::matrix::{Effect, Expr, ExprKind, Lane, Matrix};
use laneway::reference::{History, Reference, Standing, Times};
use laneway::schema::FieldId;
use laneway::value::Value;
use laneway::{Event, cases};

const HEAD: &str = r#"
event call {
  flag: yes/no
  color: one of red, green, blue optional
  level: whole number 0 to 3 optional
  other: whole number 0 to 3
  name: text optional
  tags: list of text default ()
}
team leads { first person "a@x.example" }
team others { first person "b@x.example" }
"#;

/// What conditions ask of.
#[derive(Debug, Clone, Default)]
struct Used {
    fields: BTreeSet<&'static str>,
    /// How `name` is searched, and for what.
    names: BTreeSet<(&'static str, &'static str)>,
}

impl Used {
    fn both(&self, other: &Self) -> Self {
        Self {
            fields: self.fields.union(&other.fields).copied().collect(),
            names: self.names.union(&other.names).copied().collect(),
        }
    }
}

/// A random condition over the fields, which are noted.
fn condition(random: &mut fastrand::Rng, depth: u32, used: &mut Used) -> String {
    if depth > 0 && random.u8(..3) > 0 {
        let parts = random.usize(2..4);
        let mut part = || format!("({})", condition(random, depth - 1, used));
        let parts: Vec<String> = (0..parts).map(|_| part()).collect();
        return match random.u8(..5) {
            0 => format!("not {}", parts[0]),
            1 | 2 => parts.join(" or "),
            _ => parts.join(" and "),
        };
    }
    test(random, used)
}

fn test(random: &mut fastrand::Rng, used: &mut Used) -> String {
    let color = |random: &mut fastrand::Rng| ["red", "green", "blue"][random.usize(..3)];
    let text = |random: &mut fastrand::Rng| ["a", "b", "ab", "ba", "aa"][random.usize(..5)];
    let compare =
        |random: &mut fastrand::Rng| ["<", "<=", ">", ">=", "is", "is not"][random.usize(..6)];
    let suffix = if random.u8(..8) == 0 {
        " if present"
    } else {
        ""
    };
    let (field, test) = match random.u8(..10) {
        0 => (
            "flag",
            format!("flag is {}", ["yes", "no"][random.usize(..2)]),
        ),
        1 => (
            "color",
            format!(
                "color {} {}{suffix}",
                ["is", "is not"][random.usize(..2)],
                color(random)
            ),
        ),
        2 => (
            "color",
            format!(
                "color {}in (red, {}){suffix}",
                ["", "not "][random.usize(..2)],
                ["green", "blue"][random.usize(..2)]
            ),
        ),
        3 | 4 => (
            "level",
            format!("level {} {}{suffix}", compare(random), random.u8(..4)),
        ),
        5 => (
            "other",
            format!("other {} {}", compare(random), random.u8(..4)),
        ),
        6 => {
            used.fields.insert("other");
            let op = [
                "< other",
                "<= other",
                "> other",
                "same as other",
                "differs from other",
            ];
            ("level", format!("level {}{suffix}", op[random.usize(..5)]))
        }
        7 => {
            let how = ["is", "starts with", "ends with", "contains"][random.usize(..4)];
            let part = text(random);
            used.names.insert((how, part));
            let op = match (how, random.bool()) {
                (_, true) => how.to_owned(),
                ("is", false) => "is not".to_owned(),
                (_, false) => format!("not {how}"),
            };
            ("name", format!("name {op} \"{part}\"{suffix}"))
        }
        8 => {
            let (field, is) = (
                ["color", "level", "name"][random.usize(..3)],
                ["missing", "present"][random.usize(..2)],
            );
            (field, format!("{field} is {is}"))
        }
        _ => {
            let how = ["any of", "all of", "none of"][random.usize(..3)];
            ("tags", format!("tags contains {how} (\"a\", \"b\")"))
        }
    };
    used.fields.insert(field);
    test
}

fn is_long() -> bool {
    std::env::var_os("LANEWAY_LONG").is_some()
}

struct Made {
    text: String,
    used: Used,
}

/// A random matrix: lanes, rules, and promises each with a lane on trial that fires where their condition is true.
fn made(seed: u64) -> Made {
    let mut random = fastrand::Rng::with_seed(seed);
    let random = &mut random;
    let mut used = Used::default();
    let unreadable = ["deny", "escalate to leads"][random.usize(..2)];
    let otherwise = ["allow", "allow", "deny", "escalate to leads"][random.usize(..4)];
    let mut text = format!(
        "matrix \"random\" {{\n  edition 1\n  timezone \"UTC\"\n  otherwise {otherwise}\n  unreadable {unreadable}\n}}\n{HEAD}"
    );
    for n in 0..random.usize(..3) {
        let condition = condition(random, 1, &mut used);
        let what = ["deny", "allow"][random.usize(..2)];
        writeln!(
            text,
            "always {what} rule_{n} on call when {condition} because \"so\""
        )
        .unwrap();
    }
    // Half of them change no event.
    for n in 0..random.usize(..6).saturating_sub(3) {
        let condition = condition(random, 1, &mut used);
        let (field, value) = [
            ("level", "0"),
            ("level", "3"),
            ("flag", "yes"),
            ("color", "red"),
            ("name", "\"ab\""),
        ][random.usize(..5)];
        used.fields.insert(field);
        writeln!(
            text,
            "adjust adjust_{n} on call when {condition} set {field} = {value} because \"so\""
        )
        .unwrap();
    }
    for n in 0..random.usize(1..4) {
        let when = condition(random, 2, &mut used);
        let unless = match random.u8(..3) {
            0 => format!("  unless {}\n", condition(random, 1, &mut used)),
            _ => String::new(),
        };
        let owner = ["leads", "others"][random.usize(..2)];
        let (reversible, end) = [
            ("", "deny"),
            ("", "expire"),
            ("  reversible \"undo\"\n", "allow because \"small\""),
        ][random.usize(..3)];
        let hold = ["hold", "continue"][random.usize(..2)];
        // What is urgent is never skipped, nor allowed by silence.
        let calm = if reversible.is_empty() { 6 } else { 4 };
        let (urgency, unsure) = [
            ("normal", ""),
            ("normal", "  unsure deny\n"),
            ("normal", "  unsure skip because \"so\"\n"),
            ("low", ""),
            ("high", ""),
            ("high", "  unsure deny\n"),
        ][random.usize(..calm)];
        writeln!(
            text,
            "lane lane_{n} {{\n  on call\n  when {when}\n{unless}{unsure}  owner {owner}\n  urgency {urgency}\n  respond within 1h\n  \
             meanwhile {hold} item\n{reversible}  evidence {{ required input }}\n  timeout {{ after 2h {end} }}\n}}"
        )
        .unwrap();
    }
    for n in 0..random.usize(..3) {
        let when = condition(random, 1, &mut used);
        let claim = [
            "reaches leads",
            "never allow",
            "never deny",
            "never escalate",
        ][random.usize(..4)];
        writeln!(text, "promise \"promise_{n}\" on call when {when} {claim}").unwrap();
        writeln!(
            text,
            "lane probe_{n} {{\n  on call\n  when {when}\n  trial\n  owner leads\n  urgency normal\n  respond within 1h\n  \
             meanwhile hold item\n  evidence {{ required input }}\n  timeout {{ after 2h deny }}\n}}"
        )
        .unwrap();
    }
    Made { text, used }
}

fn checked(text: &str) -> Arc<Matrix> {
    let loaded = check_text("random.lane", text, &Options::default());
    let errors: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|d| (d.code.as_str(), &d.message))
        .collect();
    loaded
        .matrix
        .unwrap_or_else(|| panic!("{errors:?}\n{text}"))
}

fn at() -> Timestamp {
    parse_timestamp("2026-01-07T12:00:00Z").unwrap()
}

/// Texts of which each is told apart from all others by some search, and from which no search tells another one of
/// up to seven letters apart.
fn told_apart(names: &BTreeSet<(&'static str, &'static str)>) -> Vec<String> {
    let found = |text: &str| -> Vec<bool> {
        let found = names.iter().map(|(how, part)| match *how {
            "is" => text == *part,
            "starts with" => text.starts_with(part),
            "ends with" => text.ends_with(part),
            _ => text.contains(part),
        });
        found.collect()
    };
    let mut known = BTreeSet::new();
    let mut texts = Vec::new();
    let mut last = vec![String::new()];
    for _ in 0..=7 {
        for text in &last {
            if known.insert(found(text)) {
                texts.push(text.clone());
            }
        }
        let longer = last
            .iter()
            .flat_map(|text| ["a", "b", "c"].map(|c| format!("{text}{c}")));
        last = longer.collect();
    }
    texts
}

/// Every event there is of the fields that the matrix looks at.
fn events(matrix: &Matrix, used: &Used) -> Vec<Event> {
    let kind = &matrix.schema.kinds()[0];
    let words = |words: &[&str]| -> Vec<Option<Value>> {
        words
            .iter()
            .map(|word| Some(Value::Word(Arc::from(*word))))
            .collect()
    };
    let text = |text: String| Some(Value::Text(Arc::from(text)));
    let texts = told_apart(&used.names).into_iter().map(text);
    let numbers: Vec<Option<Value>> = (0..4).map(|n| Some(Value::Whole(n))).collect();
    let with_none = |mut values: Vec<Option<Value>>| {
        values.push(None);
        values
    };
    let lists = [vec![], vec!["a"], vec!["b"], vec!["a", "b"], vec!["c"]];
    let lists = lists.map(|items| {
        Some(Value::List(
            items
                .into_iter()
                .map(|item| Value::Text(Arc::from(item)))
                .collect(),
        ))
    });
    let domains: Vec<(&str, Vec<Option<Value>>)> = vec![
        (
            "flag",
            vec![Some(Value::Bool(true)), Some(Value::Bool(false))],
        ),
        ("color", with_none(words(&["red", "green", "blue"]))),
        ("level", with_none(numbers.clone())),
        ("other", numbers),
        ("name", with_none(texts.collect())),
        ("tags", lists.to_vec()),
    ];
    let mut records: Vec<BTreeMap<_, Value>> = vec![BTreeMap::new()];
    for (field, mut values) in domains {
        if !used.fields.contains(field) {
            values.truncate(1);
        }
        let id = matrix.schema.field_id(field).unwrap();
        let mut next = Vec::with_capacity(records.len() * values.len());
        for record in &records {
            for value in &values {
                let mut record = record.clone();
                record.extend(value.clone().map(|value| (id, value)));
                next.push(record);
            }
        }
        records = next;
    }
    let read =
        |record: &BTreeMap<_, _>| Event::from_record(&matrix.schema, kind.id, record, at(), None);
    records.iter().map(|record| read(record).unwrap()).collect()
}

/// What all events show.
#[derive(Debug, Default, PartialEq)]
struct Shown {
    /// Lanes that neither fire nor are unsure, and rules that never apply.
    dead: BTreeSet<String>,
    shadowed: BTreeSet<String>,
    conflicts: BTreeSet<(String, String)>,
    promises: BTreeSet<String>,
    gap: bool,
    /// Names, each with the test that changes nothing.
    unreachable: BTreeSet<(String, String)>,
    unsure: BTreeSet<String>,
    never_primary: BTreeSet<String>,
    overlaps: BTreeSet<(String, String)>,
    adjusts: BTreeSet<(String, String)>,
}

fn brute(matrix: &Matrix, used: &Used) -> Shown {
    let reference = Reference::new(matrix);
    let history = History::new(matrix);
    let lanes = || matrix.lanes.iter().map(|lane| lane.name.clone());
    let rules = || matrix.rules.iter().map(|rule| rule.name.clone());
    let mut shown = Shown {
        dead: lanes().chain(rules()).collect(),
        shadowed: lanes().collect(),
        ..Shown::default()
    };
    // A rule as a lane that fires where it applies.
    let as_lanes = matrix.rules.iter().map(|rule| Lane {
        name: rule.name.clone(),
        when: rule.when.clone(),
        unless: None,
        ..matrix.lanes[0].clone()
    });
    let as_lanes: Vec<Lane> = as_lanes.collect();
    let mut opened = BTreeSet::new();
    let mut primary = BTreeSet::new();
    let all = events(matrix, used);
    for event in &all {
        let times = Times::of(event);
        let decision = reference.decide(event, &history, times);
        let is_denied = decision.verdict == Verdict::Deny;
        // By a rule, as the event came: not by a lane that is unsure, nor because an adjust changed it.
        let is_ruled = as_lanes.iter().zip(&matrix.rules).any(|(lane, rule)| {
            let denies = match reference.standing(lane, event, &history, times) {
                Standing::Fired => true,
                Standing::Unsure => matrix.unreadable.is_none(),
                _ => false,
            };
            rule.effect == Effect::Deny && denies
        });
        for lane in &matrix.lanes {
            let standing = reference.standing(lane, event, &history, times);
            if standing == Standing::Unsure {
                shown.unsure.insert(lane.name.clone());
            }
            if matches!(standing, Standing::Fired | Standing::Unsure) {
                shown.dead.remove(&lane.name);
                if !is_ruled {
                    shown.shadowed.remove(&lane.name);
                }
            }
        }
        // An adjusted event is another one.
        let stands = |lane: &Lane| reference.standing(lane, event, &history, times);
        let mut sets: Vec<(&str, &[(FieldId, Value)])> = Vec::new();
        for (lane, rule) in as_lanes.iter().zip(&matrix.rules) {
            let standing = stands(lane);
            if matches!(standing, Standing::Fired | Standing::Unsure) {
                shown.dead.remove(&rule.name);
            }
            if let (Effect::Adjust(set), Standing::Fired) = (&rule.effect, standing) {
                sets.push((&rule.name, set));
            }
        }
        let clashes = |problem: &Problem| problem.code == ProblemCode::AdjustConflict;
        if decision.problems.iter().any(clashes) {
            for (n, (one, ours)) in sets.iter().enumerate() {
                for (other, theirs) in &sets[n + 1..] {
                    let mut theirs = theirs.iter();
                    if theirs.any(|(field, value)| {
                        ours.iter().any(|it| it.0 == *field && it.1 != *value)
                    }) {
                        let pair = ((*one).to_owned(), (*other).to_owned());
                        shown.adjusts.insert(pair);
                    }
                }
            }
        }
        for (n, one) in decision.lanes.iter().enumerate() {
            for other in decision.lanes.iter().skip(n + 1).filter(|_| !is_denied) {
                let mut pair = [one.lane.clone(), other.lane.clone()];
                pair.sort();
                let [one, other] = pair;
                if contradict(matrix, &one, &other) {
                    shown.conflicts.insert((one, other));
                } else if matrix.lane_named(&one).is_some() && matrix.lane_named(&other).is_some() {
                    shown.overlaps.insert((one, other));
                }
            }
        }
        if !is_denied {
            opened.extend(decision.lanes.iter().map(|lane| lane.lane.clone()));
        }
        if decision.verdict == Verdict::Escalate {
            primary.insert(decision.by.clone());
        }
        for probe in &matrix.lanes {
            let Some(n) = probe.name.strip_prefix("probe_") else {
                continue;
            };
            if stands(probe) != Standing::Fired {
                continue;
            }
            let promise = &matrix.promises[n.parse::<usize>().unwrap()];
            if breaks(matrix, promise, &decision) {
                shown.promises.insert(promise.title.clone());
            }
        }
        shown.gap |= decision.by == "otherwise";
    }
    shown.shadowed.retain(|name| !shown.dead.contains(name));
    opened.retain(|name| matrix.lane_named(name).is_some() && !primary.contains(name));
    shown.never_primary = opened;
    let stands = |lane: &Lane| -> Vec<Standing> {
        let each = all.iter();
        each.map(|event| reference.standing(lane, event, &history, Times::of(event)))
            .collect()
    };
    for lane in matrix.lanes.iter().cloned().chain(as_lanes) {
        let (own, leaves) = (stands(&lane), without_a_part(&lane));
        if shown.dead.contains(&lane.name) || leaves.len() < 2 {
            continue;
        }
        for (text, changed) in leaves {
            if changed.iter().any(|lane| stands(lane) == own) {
                shown.unreachable.insert((lane.name.clone(), text));
            }
        }
    }
    shown
}

/// For each test of a lane, the lane where it always holds, and where it never does.
fn without_a_part(lane: &Lane) -> Vec<(String, [Lane; 2])> {
    let with = |part: usize, holds: bool| {
        let mut changed = lane.clone();
        let (mut at, mut text) = (0, None);
        for expr in std::iter::once(&mut changed.when).chain(changed.unless.as_mut()) {
            replace(expr, &mut at, part, holds, &mut text);
        }
        (text, changed)
    };
    let each = (0..).map_while(|part| {
        let (text, always) = with(part, true);
        Some((text?, [always, with(part, false).1]))
    });
    each.collect()
}

/// Replaces the test of that number by what always holds, or never.
fn replace(expr: &mut Expr, at: &mut usize, part: usize, holds: bool, text: &mut Option<String>) {
    match &mut expr.kind {
        ExprKind::All(parts)
        | ExprKind::Any(parts)
        | ExprKind::None(parts)
        | ExprKind::AtLeast(_, parts) => {
            for inner in parts {
                replace(inner, at, part, holds, text);
            }
        }
        ExprKind::Not(inner) => replace(inner, at, part, holds, text),
        ExprKind::Test(test) => {
            if *at == part {
                *text = Some(test.text.clone());
                expr.kind = match holds {
                    true => ExprKind::All(Vec::new()),
                    false => ExprKind::Any(Vec::new()),
                };
            }
            *at += 1;
        }
        other => panic!("{other:?}"),
    }
}

/// Rules and lanes by what they are named: what the analysis says, in words of its own.
fn contradict(matrix: &Matrix, one: &str, other: &str) -> bool {
    let lane = |name: &str| matrix.lane_named(name);
    let (Some(one), Some(other)) = (lane(one), lane(other)) else {
        return false;
    };
    let end = |lane: &laneway::matrix::Lane| match lane.terms.steps.last().unwrap().action {
        laneway::matrix::StepAction::Deny => "deny",
        laneway::matrix::StepAction::Expire => "expire",
        _ => "allow",
    };
    let (ours, theirs) = (end(one), end(other));
    let runs = (one.terms.hold.is_running(), other.terms.hold.is_running());
    (ours == "allow") != (theirs == "allow")
        || runs.0 != runs.1 && ours != "allow"
        || one.terms.owner == other.terms.owner && ours != theirs
}

fn breaks(matrix: &Matrix, promise: &laneway::matrix::Promise, decision: &Decision) -> bool {
    match promise.claim {
        laneway::matrix::Claim::Never(verdict) => decision.verdict == verdict,
        laneway::matrix::Claim::Reaches(team) => {
            let team = matrix.team_name(team);
            let asked = decision.lanes.iter().any(|lane| lane.owner == team);
            decision.verdict != Verdict::Deny && !(decision.verdict == Verdict::Escalate && asked)
        }
    }
}

fn found(analysis: &Analysis) -> Shown {
    let mut shown = Shown::default();
    for answer in &analysis.answers {
        assert_ne!(answer.grade, Grade::NotConfirmed, "{}", answer.message);
        assert_ne!(answer.grade, Grade::NotDecided, "{}", answer.message);
        let name = answer.about[0].clone();
        match answer.question {
            Question::Dead => drop(shown.dead.insert(name)),
            Question::Shadowed => drop(shown.shadowed.insert(name)),
            Question::Conflict => {
                let mut pair = [name, answer.about[1].clone()];
                pair.sort();
                let [one, other] = pair;
                shown.conflicts.insert((one, other));
            }
            Question::Promise => drop(shown.promises.insert(name)),
            Question::Gap => shown.gap = true,
            Question::Unreachable => {
                let text = answer.message.split('`').nth(1).unwrap();
                shown.unreachable.insert((name, text.to_owned()));
            }
            Question::Unsure => drop(shown.unsure.insert(name)),
            Question::NeverPrimary => drop(shown.never_primary.insert(name)),
            Question::Overlap => {
                for other in &answer.about[1..] {
                    let mut pair = [name.clone(), other.clone()];
                    pair.sort();
                    let [one, other] = pair;
                    shown.overlaps.insert((one, other));
                }
            }
            Question::Adjusts => {
                let pair = (name, answer.about[1].clone());
                shown.adjusts.insert(pair);
            }
            other => panic!("{other}"),
        }
    }
    shown
}

#[test]
fn every_answer_is_that_of_all_events() {
    let seeds = if is_long() { 10_000 } else { 400 };
    let mut seen = BTreeMap::new();
    for seed in 0..seeds {
        let Made { text, used } = made(seed);
        let matrix = checked(&text);
        let analysis = analyze(&matrix, &|| Box::new(|| false));
        let shown = brute(&matrix, &used);
        assert_eq!(found(&analysis), shown, "seed {seed}\n{text}");
        for engine in [Engine::Boxes, Engine::Clauses] {
            let analysis = ask(&matrix, &Question::ALL, engine, &|| Box::new(|| false));
            let found = found(&analysis);
            assert_eq!(found, shown, "{engine:?} seed {seed}\n{text}");
        }
        for answer in &analysis.answers {
            *seen.entry(answer.question.as_str()).or_insert(0) += 1;
            let Some(witness) = &answer.witness else {
                let is_proof = matches!(answer.question, Question::Dead | Question::Unreachable);
                assert!(is_proof, "{}", answer.message);
                continue;
            };
            let with = format!("{text}\n{}\n", witness.line());
            let matrix = checked(&with);
            let failed = cases::check_examples(&matrix);
            assert!(failed.is_empty(), "seed {seed}: {failed:?}\n{with}");
        }
    }
    // Each question was answered with yes by some of them.
    assert_eq!(seen.len(), 10, "{seen:?}");
}

/// The same with one condition changed, or another matrix altogether.
fn edited(seed: u64, made: &Made) -> Made {
    let mut random = fastrand::Rng::with_seed(seed ^ 0x5eed);
    if random.u8(..3) == 0 {
        return self::made(seed + 1_000_000);
    }
    let mut used = made.used.clone();
    let lines: Vec<&str> = made.text.lines().collect();
    let has_condition = |line: &str| {
        let mut starts = ["  when ", "adjust ", "always "].into_iter();
        starts.any(|start| line.starts_with(start))
    };
    let whens: Vec<usize> = (0..lines.len())
        .filter(|n| has_condition(lines[*n]))
        .collect();
    let at = whens[random.usize(..whens.len())];
    let mut text = String::new();
    for (n, line) in lines.iter().enumerate() {
        let (before, behind) = match line.find(" when ") {
            Some(when) if n == at => line.split_at(when),
            _ => {
                writeln!(text, "{line}").unwrap();
                continue;
            }
        };
        // What a rule does stands behind its condition.
        let ends = [" set ", " because "].into_iter();
        let end = ends.filter_map(|end| behind.find(end)).min();
        let behind = &behind[end.unwrap_or(behind.len())..];
        let depth = if behind.is_empty() { 2 } else { 1 };
        let condition = condition(&mut random, depth, &mut used);
        writeln!(text, "{before} when {condition}{behind}").unwrap();
    }
    Made { text, used }
}

/// Regions by how they changed, with which ways they go.
type Regions = BTreeMap<Change, BTreeSet<(bool, bool)>>;

#[test]
fn every_difference_is_that_of_all_events() {
    let seeds = if is_long() { 3_000 } else { 100 };
    let mut directions = BTreeSet::new();
    for seed in 0..seeds {
        let one = made(seed);
        let other = edited(seed, &one);
        let (old, new) = (checked(&one.text), checked(&other.text));
        let used = one.used.both(&other.used);
        let mut brute = Regions::new();
        let (olds, news) = (events(&old, &used), events(&new, &used));
        for (before, after) in olds.iter().zip(&news) {
            let decide = |matrix: &Matrix, event: &Event| {
                Reference::new(matrix).decide(event, &History::new(matrix), Times::of(event))
            };
            let (before, after) = (decide(&old, before), decide(&new, after));
            let demands = (Demands::of(&before, &old), Demands::of(&after, &new));
            let ways = (
                stricter(&demands.0, &demands.1).is_some(),
                stricter(&demands.1, &demands.0).is_some(),
            );
            let change = Change::between(&demands.0, &demands.1, &after.by);
            assert!(change.is_some() || ways == (false, false), "{demands:?}");
            if let Some(change) = change {
                brute.entry(change).or_default().insert(ways);
            }
        }
        let diff = diff(&old, &new, &|| Box::new(|| false));
        let texts = format!("seed {seed}\n{}\n=====\n{}", one.text, other.text);
        assert!(diff.is_whole, "{:?}\n{texts}", diff.notes);
        let found: BTreeSet<&Change> = diff.changed.iter().map(|it| &it.change).collect();
        for engine in [Engine::Boxes, Engine::Clauses] {
            let other = diff_by(&old, &new, engine, &|| Box::new(|| false));
            let by_it: BTreeSet<&Change> = other.changed.iter().map(|it| &it.change).collect();
            assert!(other.is_whole, "{engine:?} {:?}\n{texts}", other.notes);
            assert_eq!(by_it, found, "{engine:?}\n{texts}");
        }
        assert_eq!(brute.keys().collect::<BTreeSet<_>>(), found, "{texts}");
        for changed in &diff.changed {
            let witness = &changed.witness;
            let [before, after] = [&old, &new].map(|matrix| {
                let kind = matrix.schema.kinds()[0].id;
                let (values, at) = (&witness.record().values, witness.at());
                let event = Event::from_record(&matrix.schema, kind, values, at, None).unwrap();
                Reference::new(matrix).decide(&event, &History::new(matrix), Times::of(&event))
            });
            let demands = (Demands::of(&before, &old), Demands::of(&after, &new));
            let change = Change::between(&demands.0, &demands.1, &after.by);
            assert_eq!(change.as_ref(), Some(&changed.change), "{texts}");
            let direction = changed.direction;
            if let Some(ways) = brute.get(&changed.change) {
                let may = |way: &(bool, bool)| match direction {
                    Direction::Tighter => *way == (true, false),
                    Direction::Looser => *way == (false, true),
                    _ => true,
                };
                assert!(ways.iter().all(may), "{changed:?} {ways:?}\n{texts}");
                assert!(
                    changed.loses || !ways.iter().any(|it| it.1),
                    "{changed:?}\n{texts}"
                );
            }
            directions.insert(direction);
            let failed = cases::check_examples(&checked(&format!(
                "{}\n{}\n",
                other.text,
                changed.witness.line()
            )));
            assert!(failed.is_empty(), "{failed:?}\n{texts}");
        }
    }
    assert_eq!(directions.len(), 3, "{directions:?}");
}

const MATRIX: &str =
    "matrix \"m\" {\n  edition 1\n  timezone \"UTC\"\n  otherwise allow\n  unreadable deny\n}\n";

fn lane(when: &str) -> String {
    format!(
        "lane only {{\n  on call\n  when {when}\n  owner leads\n  urgency normal\n  respond within 1h\n  meanwhile hold item\n  \
         evidence {{ required input }}\n  timeout {{ after 2h deny }}\n}}\n"
    )
}

#[test]
fn an_age_beside_a_date_is_not_called_impossible() {
    // Events of the examples happen before that date; later ones may be so.
    let kinds = "event call {\n  made: timestamp\n}\nteam leads { first person \"a@x.example\" }\n";
    let when = "made > 2027-01-01T00:00:00Z and made older than 30d";
    let matrix = checked(&format!("{MATRIX}{kinds}{}", lane(when)));
    let analysis = analyze(&matrix, &|| Box::new(|| false));
    let findings: Vec<_> = analysis.findings().map(|it| &it.message).collect();
    assert!(findings.is_empty(), "{findings:?}");
    assert!(analysis.is_undecided());
}

#[test]
fn events_that_are_not_known_hide_no_others() {
    let kinds = "event call {\n  made: timestamp\n  level: whole number 0 to 9\n}\n\
                 team leads { first person \"a@x.example\" }\n";
    // The first part is what the test above is about; which of them is looked at first is for the engine to say.
    let unknown = "made > 2027-01-01T00:00:00Z and made older than 30d";
    for known in [
        "level is 3",
        "level is 3 and made < 2020-01-01T00:00:00Z",
        "level > 2 and made newer than 30d and made > 2027-01-01T00:00:00Z",
    ] {
        let when = format!("({unknown}) or ({known})");
        let promise = format!("promise \"not so\" on call when {when} never allow\n");
        let matrix = checked(&format!("{MATRIX}{kinds}{promise}{}", lane("level is 9")));
        for engine in [Engine::Boxes, Engine::Clauses, Engine::Either] {
            let analysis = ask(&matrix, &[Question::Promise], engine, &|| {
                Box::new(|| false)
            });
            let grades: Vec<Grade> = analysis.answers.iter().map(|it| it.grade).collect();
            assert_eq!(grades, [Grade::Confirmed], "{engine:?} {when}");
        }
    }
}

#[test]
fn a_question_without_time_spoils_no_other() {
    let hidden = "always deny three on call when level is 3 because \"so\"\n";
    let text = format!(
        "{MATRIX}{HEAD}{hidden}{}",
        lane("level is 3 and flag is yes")
    );
    let matrix = checked(&text);
    for engine in [Engine::Boxes, Engine::Clauses, Engine::Either] {
        let asked = std::cell::Cell::new(0);
        let patience = || -> Box<dyn Fn() -> bool> {
            asked.set(asked.get() + 1);
            // The first one is whether the lane is dead.
            let is_over = asked.get() <= 1;
            Box::new(move || is_over)
        };
        let both = [Question::Dead, Question::Shadowed];
        let analysis = ask(&matrix, &both, engine, &patience);
        let came = analysis.answers.iter().map(|it| (it.question, it.grade));
        let expected = [
            (Question::Dead, Grade::NotDecided),
            (Question::Shadowed, Grade::Proved),
        ];
        assert_eq!(came.collect::<Vec<_>>(), expected, "{engine:?}");
    }
}

#[test]
fn an_adjust_into_what_changed_is_followed() {
    let of = |adjusts: &str, level: u8| {
        let lane = lane(&format!("level is {level}"));
        checked(&format!("{MATRIX}{HEAD}{adjusts}{lane}"))
    };
    let adjust = "adjust cut on call when level is 3 set level = 1 because \"less\"\n";
    for engine in [Engine::Boxes, Engine::Clauses] {
        let changes = diff_by(&of(adjust, 1), &of(adjust, 2), engine, &|| {
            Box::new(|| false)
        });
        assert!(changes.is_whole, "{changes:?}");
        let came = |old, new| {
            let mut changed = changes.changed.iter();
            let changed = changed.find(|it| (it.change.old, it.change.new) == (old, new));
            let witness = &changed.unwrap_or_else(|| panic!("{changes:?}")).witness;
            witness.line()
        };
        // Which was one of level 1 before it was decided.
        let adjusted = came(Verdict::Escalate, Verdict::Adjust);
        assert!(adjusted.contains("level = 3"), "{adjusted}");
        came(Verdict::Escalate, Verdict::Allow);
        came(Verdict::Allow, Verdict::Escalate);
        assert_eq!(changes.changed.len(), 3, "{changes:?}");
    }
    // What denies, or may, is followed too.
    let denies = |level: u8| {
        let deny = format!("always deny one on call when level is {level} because \"no\"\n");
        of(&format!("{adjust}{deny}"), 2)
    };
    for engine in [Engine::Boxes, Engine::Clauses] {
        let changes = diff_by(&denies(1), &denies(0), engine, &|| Box::new(|| false));
        assert!(changes.is_whole, "{changes:?}");
        let loosened = |it: &&laneway::analysis::Changed| {
            (it.change.old, it.change.new) == (Verdict::Deny, Verdict::Adjust)
        };
        let changed: Vec<_> = changes.changed.iter().filter(loosened).collect();
        let [changed] = &changed[..] else {
            panic!("{changes:?}")
        };
        assert!(changed.witness.line().contains("level = 3"), "{changed:?}");
    }
    // Of many adjusts that apply together it is not known what they come to: that is said.
    let many = |field: &str| -> String {
        let adjusts = (0..7).map(|n| {
            format!("adjust cut_{n} on call when level is 3 and name contains \"a{n}\" set {field} = 1 because \"so\"\n")
        });
        adjusts.collect()
    };
    let level = many("level");
    let changes = diff(&of(&level, 1), &of(&level, 2), &|| Box::new(|| false));
    assert!(!changes.is_whole, "{changes:?}");
    // Where they cannot come to what changed, all is compared.
    let other = many("other");
    let changes = diff(&of(&other, 1), &of(&other, 2), &|| Box::new(|| false));
    assert!(changes.is_whole, "{changes:?}");
}

#[test]
fn what_an_adjust_sets_counts_for_later_events() {
    let kinds = "event payout {\n  customer: text\n  amount: money USD 0 to 10000\n}\n\
                 event call {\n  customer: text\n}\nteam leads { first person \"a@x.example\" }\n";
    let of = |above: u32, amount: u32| {
        let adjust = format!(
            "adjust cap on payout when amount > {above} USD set amount = {amount} USD because \"so\"\n"
        );
        let lane = lane("count of payout where amount > 300 USD by customer over 1d > 3");
        checked(&format!("{MATRIX}{kinds}{adjust}{lane}"))
    };
    for other in [of(500, 400), of(400, 100)] {
        let changes = diff(&of(500, 100), &other, &|| Box::new(|| false));
        assert!(!changes.is_whole, "{changes:?}");
    }
    // An adjusted event is never allowed as it is, whatever is counted.
    let promise = "promise \"so\" on payout when amount > 600 USD never allow\n";
    let counted = "lane many {\n  on payout\n  when sum amount of payout by customer over 1d > 5000 USD\n  owner leads\n  \
                   urgency normal\n  respond within 1h\n  meanwhile hold item\n  evidence { required input }\n  \
                   timeout { after 2h deny }\n}\n";
    let adjust = "adjust cap on payout when amount > 500 USD set amount = 100 USD because \"so\"\n";
    let text = format!("{MATRIX}{kinds}{adjust}{promise}{counted}");
    let analysis = ask(
        &checked(&text),
        &[Question::Promise],
        Engine::Either,
        &|| Box::new(|| false),
    );
    assert!(analysis.answers.is_empty(), "{:?}", analysis.answers);
}

#[test]
fn many_lanes_behind_an_adjust_do_not_hide_what_changed() {
    let flags: String = (0..30).map(|n| format!("  flag_{n}: yes/no\n")).collect();
    let kinds = format!(
        "event call {{\n  amount: whole number 0 to 1000\n  level: whole number 0 to 9\n{flags}}}\n\
         team leads {{ first person \"a@x.example\" }}\n\
         adjust cap on call when amount > 900 set amount = 400 because \"so\"\n"
    );
    let lanes: String = (0..30)
        .map(|n| {
            let lane = lane(&format!("amount < 500 and flag_{n} is yes"));
            lane.replace("lane only", &format!("lane lane_{n}"))
        })
        .collect();
    let of = |level: u8| {
        let only = lane(&format!("level is {level}"));
        checked(&format!("{MATRIX}{kinds}{lanes}{only}"))
    };
    let changes = diff(&of(1), &of(2), &|| {
        let start = std::time::Instant::now();
        Box::new(move || start.elapsed() > std::time::Duration::from_secs(20))
    });
    let changed: Vec<_> = changes.changed.iter().map(|it| it.direction).collect();
    assert!(changed.contains(&Direction::Looser), "{changes:?}");
    assert!(changed.contains(&Direction::Tighter), "{changes:?}");
}

#[test]
fn promises_are_kept_by_adjusted_events_too() {
    let adjust = "adjust cut on call when level > 1 and color is not red set level = 1 because \"less\"\n\
                  adjust end on call when level > 1 and color is red set level = 0 because \"no more\"\n\
                  always deny none on call when level is 0 because \"no\"\n";
    for (claim, grade) in [
        // Nothing above one is left.
        ("when level > 0 and color is not red never deny", None),
        (
            "when level > 0 and color is red never deny",
            Some(Grade::Confirmed),
        ),
        ("when level > 1 and color is red reaches others", None),
        ("when level > 1 and color is red never adjust", None),
        ("when level > 1 and color is present never allow", None),
        ("when level > 1 never escalate", Some(Grade::Confirmed)),
        ("when level > 1 reaches leads", Some(Grade::Confirmed)),
        (
            "when level > 1 and flag is yes reaches leads",
            Some(Grade::Confirmed),
        ),
        (
            "when level > 1 and flag is yes and other < 1 and color is green reaches leads",
            None,
        ),
        (
            "when level > 1 and flag is yes and other is 0 and color is green never adjust",
            None,
        ),
        (
            "when level > 1 and flag is yes never adjust",
            Some(Grade::Confirmed),
        ),
    ] {
        let promise = format!("promise \"so\" on call {claim}\n");
        let lane = lane("level is 1 and flag is yes and other < level");
        let text = format!("{MATRIX}{HEAD}{adjust}{promise}{lane}");
        for engine in [Engine::Boxes, Engine::Clauses] {
            let analysis = ask(&checked(&text), &[Question::Promise], engine, &|| {
                Box::new(|| false)
            });
            let grades: Vec<Grade> = analysis.answers.iter().map(|it| it.grade).collect();
            let expected: Vec<Grade> = grade.into_iter().collect();
            assert_eq!(
                grades, expected,
                "{engine:?} {claim} {:?}",
                analysis.answers
            );
        }
    }
}

#[test]
fn an_age_is_told_from_when_the_event_happens() {
    let kinds = "event call {\n  made: timestamp\n}\ncalendar office_hours {\n  mon to fri 09:00 to 18:00\n}\n\
                 team leads { first person \"a@x.example\" }\n";
    let when = "made newer than 30d and at is outside office_hours";
    let promise = format!("promise \"nobody is asked\" on call when {when} never escalate\n");
    let text = format!("{MATRIX}{kinds}{promise}{}", lane(when));
    let matrix = checked(&text);
    let analysis = analyze(&matrix, &|| Box::new(|| false));
    let findings: Vec<_> = analysis.findings().collect();
    let [broken] = &findings[..] else {
        panic!("{findings:?}")
    };
    let came = (broken.question, broken.grade);
    assert_eq!(came, (Question::Promise, Grade::Confirmed), "{broken:?}");
    let line = broken.witness.as_ref().unwrap().line();
    let failed = cases::check_examples(&checked(&format!("{text}\n{line}\n")));
    assert!(failed.is_empty(), "{failed:?} {line}");
}

const STREAM: &str = "event call {\n  user: text\n  ok: yes/no\n  amount: money USD 0 to 1000\n}\n\
                      team leads { first person \"a@x.example\" }\n";

#[test]
fn earlier_events_show_what_a_measure_does() {
    for when in [
        "count of call where ok is no by user over 10m > 4",
        "count of call by user over 1h > 2 and count of call by user over 10m < 2",
        "sum amount of call where ok is yes by user over 1d > 2500 USD",
    ] {
        let promise = "promise \"nobody is asked\" on call when amount > 5 USD never escalate\n";
        let text = format!("{MATRIX}{STREAM}{promise}{}", lane(when));
        let matrix = checked(&text);
        for engine in [Engine::Boxes, Engine::Clauses] {
            let analysis = ask(&matrix, &Question::FINDINGS, engine, &|| Box::new(|| false));
            let findings: Vec<_> = analysis.findings().collect();
            let [broken] = &findings[..] else {
                panic!("{findings:?}")
            };
            assert_eq!(broken.grade, Grade::Confirmed, "{when}");
            let line = broken.witness.as_ref().unwrap().line();
            assert!(line.contains(" after "), "{line}");
            let failed = cases::check_examples(&checked(&format!("{text}\n{line}\n")));
            assert!(failed.is_empty(), "{failed:?} {line}");
        }
    }
}

#[test]
fn what_counts_less_is_never_more() {
    for (when, never) in [
        (
            "count of call by user over 10m > 5 and count of call by user over 1h < 3",
            true,
        ),
        (
            "count of call by user over 10m > 5 and count of call by user over 1h < 7",
            false,
        ),
        (
            "count of call where ok is no by user over 1h > 5 and count of call by user over 1h < 6",
            true,
        ),
        (
            "count of call where ok is no by user over 1h > 5 and count of call by user over 10m < 3",
            false,
        ),
        (
            "sum amount of call by user over 10m > 500 USD and sum amount of call by user over 1h < 500 USD",
            true,
        ),
        (
            "sum amount of call by user over 10m >= 500 USD and sum amount of call by user over 1h <= 500 USD",
            false,
        ),
    ] {
        // Kept where no event surely meets its condition.
        let promise = format!("promise \"not so\" on call when {when} never allow\n");
        let matrix = checked(&format!(
            "{MATRIX}{STREAM}{promise}{}",
            lane("amount < 0.50 USD")
        ));
        for engine in [Engine::Boxes, Engine::Clauses] {
            let analysis = ask(&matrix, &[Question::Promise], engine, &|| {
                Box::new(|| false)
            });
            assert_eq!(
                analysis.answers.is_empty(),
                never,
                "{engine:?} {when} {analysis:?}"
            );
        }
    }
}

#[test]
fn adjusts_that_clash_are_found_where_they_can_meet() {
    let adjust = |name: &str, when: &str, level: u8| {
        format!("adjust {name} on call when {when} set level = {level} because \"so\"\n")
    };
    for (other, clashes) in [
        ("level is 2", true),
        ("level is 3", false),
        ("level > 1", true),
    ] {
        let text = format!(
            "{MATRIX}{HEAD}{}{}{}",
            adjust("one", "level is 2 and flag is yes", 0),
            adjust("other", other, 1),
            lane("level is 0 and flag is no")
        );
        let matrix = checked(&text);
        for engine in [Engine::Boxes, Engine::Clauses] {
            let analysis = ask(&matrix, &[Question::Adjusts], engine, &|| {
                Box::new(|| false)
            });
            let found: Vec<Grade> = analysis.answers.iter().map(|it| it.grade).collect();
            let expected = if clashes {
                vec![Grade::Confirmed]
            } else {
                Vec::new()
            };
            assert_eq!(found, expected, "{engine:?} {other}");
        }
    }
}

#[test]
fn calendars_of_one_zone_show_all_that_comes_about() {
    let kinds = "event call {\n  level: whole number 0 to 9\n}\n\
                 calendar office_hours {\n  mon to fri 09:00 to 18:00\n  except 2026-12-24 to 2026-12-26\n}\n\
                 calendar nights {\n  mon to fri 22:00 to 06:00\n}\n\
                 team leads { first person \"a@x.example\" }\n";
    // No night is in office hours; on a day of exceptions it is neither.
    for (when, never) in [
        ("at is inside office_hours and at is inside nights", true),
        ("at is outside office_hours and at is outside nights", false),
        ("at is inside nights and at < 2026-01-01T00:00:00Z", false),
        (
            "at is inside office_hours and at >= 2026-12-24 and at < 2026-12-27",
            true,
        ),
        (
            "at is outside office_hours and at is outside nights and at >= 2026-12-24 and at < 2026-12-26",
            false,
        ),
    ] {
        let promise = format!("promise \"not so\" on call when {when} never allow\n");
        let text = format!(
            "{MATRIX}{kinds}{promise}{}",
            lane("level is 9 and at is inside nights")
        );
        let matrix = checked(&text);
        for engine in [Engine::Boxes, Engine::Clauses] {
            let analysis = ask(&matrix, &[Question::Promise], engine, &|| {
                Box::new(|| false)
            });
            let grades: Vec<Grade> = analysis.answers.iter().map(|it| it.grade).collect();
            let expected = if never {
                vec![]
            } else {
                vec![Grade::Confirmed]
            };
            assert_eq!(grades, expected, "{engine:?} {when}");
        }
        let edited = checked(&text.replace("level is 9", "level is 8"));
        let changes = diff(&matrix, &edited, &|| Box::new(|| false));
        assert!(changes.is_whole, "{when} {:?}", changes.notes);
        assert_eq!(changes.changed.len(), 2, "{when}");
    }
}
