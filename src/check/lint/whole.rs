//! What only the whole matrix shows.

use std::collections::HashMap;

use super::Leaf;
use super::trigger::exclude_each_other;
use crate::check::build::{Checker, Items};
use crate::check::names::Sort;
use crate::diagnostic::{Diagnostic, codes};
use crate::limits;
use crate::matrix::{Contact, Effect, Lane, Rule, TestOp};
use crate::span::Span;
use crate::value::{Type, Value};

impl<'a> Checker<'a> {
    pub(super) fn lint_whole(&mut self, items: &Items<'a>, rules: &[&Rule], lanes: &[&Lane]) {
        self.lint_one_owner(lanes);
        self.lint_people();
        self.lint_calendars(items);
        self.lint_unused(items);
        self.lint_adjusts(rules);
        self.lint_slips(rules, lanes);
    }

    fn lint_one_owner(&mut self, lanes: &[&Lane]) {
        let Some(first) = lanes.first().filter(|_| lanes.len() >= 3) else {
            return;
        };
        let team_of = |lane: &Lane| self.teams.get(lane.terms.owner.index());
        let person_of = |lane: &Lane| {
            let team = team_of(lane)?;
            let mut everyone = team.first.iter().chain(&team.backup);
            let only = everyone.next().filter(|contact| !contact.group)?;
            everyone
                .all(|contact| contact == only)
                .then(|| only.name.clone())
        };
        let one_team = lanes
            .iter()
            .all(|lane| lane.terms.owner == first.terms.owner);
        let person = person_of(first).filter(|name| {
            lanes
                .iter()
                .all(|lane| person_of(lane).as_ref() == Some(name))
        });
        let who = match (one_team, person) {
            (_, Some(person)) => format!("`{person}` alone"),
            (true, None) => format!(
                "the team `{}`",
                team_of(first).map_or("", |team| &team.name)
            ),
            (false, None) => return,
        };
        let (head, count) = (first.head, lanes.len());
        self.warn(
            codes::ONE_OWNER,
            head,
            format!("{who} owns all {count} lanes"),
            "what every lane sends to one place is a queue, not an escalation; give each lane the team that can decide it",
        );
    }

    fn lint_people(&mut self) {
        let mut homes: HashMap<String, (usize, Span)> = HashMap::new();
        let mut found = Vec::new();
        for (index, team) in self.teams.iter().enumerate() {
            let people = team
                .first
                .iter()
                .chain(&team.backup)
                .filter(|contact| !contact.group);
            for Contact { name, .. } in people {
                let key = name.trim().to_lowercase();
                match homes.get(&key) {
                    Some((home, span)) if *home != index => found.push(
                        Diagnostic::new(
                            codes::PERSON_IN_TWO_TEAMS,
                            team.span,
                            format!("`{name}` is in `{}` and in another team", team.name),
                        )
                        .label(*span, "the other one")
                        .help("when two lanes need both teams, one person would answer for both"),
                    ),
                    Some(_) => {}
                    None => {
                        homes.insert(key, (index, team.span));
                    }
                }
            }
        }
        self.out.extend(found);
    }

    fn lint_calendars(&mut self, items: &Items<'a>) {
        let Some(today) = self.options.today else {
            return;
        };
        let mut found = Vec::new();
        for (item, calendar) in items.calendars.iter().zip(&self.calendars) {
            let last = calendar
                .as_ref()
                .and_then(crate::calendar::Calendar::last_exception);
            let Some(last) = last else { continue };
            let left = (last - today).num_days();
            if left <= limits::EXCEPTIONS_WARNING_DAYS {
                found.push(
                    Diagnostic::new(
                        codes::EXCEPTIONS_END_SOON,
                        item.name.span,
                        format!("the exceptions of `{}` end on {last}", item.name.node),
                    )
                    .help("add the holidays of the next year: on a holiday that it does not know, time runs on"),
                );
            }
        }
        self.out.extend(found);
    }

    fn lint_unused(&mut self, items: &Items<'a>) {
        let mut declared: Vec<(Sort, &str, usize, &str, Span)> = Vec::new();
        let mut add =
            |sort, what, names: &mut dyn Iterator<Item = &'a crate::syntax::ast::Name>| {
                declared.extend(
                    names
                        .enumerate()
                        .map(|(n, name)| (sort, what, n, name.node.as_str(), name.span)),
                );
            };
        add(
            Sort::Sample,
            "sample",
            &mut items.samples.iter().map(|x| &x.name),
        );
        add(Sort::Team, "team", &mut items.teams.iter().map(|x| &x.name));
        add(Sort::List, "list", &mut self.lists.iter().map(|x| &x.name));
        add(
            Sort::Condition,
            "condition",
            &mut self.condition_items.iter().map(|x| &x.name),
        );
        add(
            Sort::Action,
            "action",
            &mut items.actions.iter().map(|(x, _)| &x.name),
        );
        add(
            Sort::Calendar,
            "calendar",
            &mut items.calendars.iter().map(|x| &x.name),
        );
        for (sort, what, index, name, span) in declared {
            if !self.names.is_used(sort, index) {
                self.warn(
                    codes::UNUSED,
                    span,
                    format!("the {what} `{name}` is never used"),
                    "remove it, or use it",
                );
            }
        }
    }

    /// Two adjusts that set one field differently and can apply to one event.
    fn lint_adjusts(&mut self, rules: &[&Rule]) {
        let mut adjusts = Vec::new();
        for rule in rules {
            if let Effect::Adjust(changes) = &rule.effect {
                let mut demands = HashMap::new();
                self.demands(&rule.when, &mut demands);
                adjusts.push((*rule, changes, demands));
            }
        }
        let mut found = Vec::new();
        let mut room = limits::ADJUSTS_COMPARED;
        for (n, (rule, changes, demands)) in adjusts.iter().enumerate() {
            for (other, others, other_demands) in adjusts.get(..n).unwrap_or_default() {
                room = room.saturating_sub(1);
                if room == 0 {
                    break;
                }
                let share_kind = rule.on.iter().any(|kind| other.on.contains(kind));
                let clash = changes.iter().find(|(field, value)| {
                    others
                        .iter()
                        .any(|(other, other_value)| other == field && other_value != value)
                });
                let Some((field, _)) = clash.filter(|_| share_kind) else {
                    continue;
                };
                if exclude_each_other(demands, other_demands, &mut room) {
                    continue;
                }
                let path = self.schema.path(*field);
                found.push(
                    Diagnostic::new(
                        codes::ADJUSTS_CLASH,
                        rule.head,
                        format!("`{}` and `{}` can set `{path}` differently for one event", rule.name, other.name),
                    )
                    .label(other.head, "the other one")
                    .help("then nothing is changed and the decision is that of `unreadable`; make their conditions exclude each other"),
                );
            }
        }
        self.out.extend(found);
    }

    /// Two texts that one field is compared with and that are one slip apart.
    fn lint_slips(&mut self, rules: &[&Rule], lanes: &[&Lane]) {
        let mut literals: Vec<(crate::schema::FieldId, String, Span)> = Vec::new();
        let triggers = lanes.iter().flat_map(|lane| {
            [
                Some((&lane.when, &lane.on)),
                lane.unless.as_ref().map(|u| (u, &lane.on)),
            ]
        });
        let triggers = triggers.chain(rules.iter().map(|rule| Some((&rule.when, &rule.on))));
        for (expr, on) in triggers.flatten() {
            self.visit(expr, &mut |leaf| {
                let Leaf::Test(test, span) = leaf else { return };
                let field = on
                    .iter()
                    .find_map(|kind| self.schema.kind(*kind)?.field(test.field));
                let item = field.map(|field| match &field.ty {
                    Type::List(item) => item,
                    ty => ty,
                });
                if !matches!(item, Some(Type::Text { .. })) {
                    return;
                }
                let values: &[Value] = match &test.op {
                    TestOp::Compare(_, value) => std::slice::from_ref(value),
                    TestOp::In { values, .. } | TestOp::Contains { values, .. } => values,
                    _ => &[],
                };
                let room = limits::SLIPS_COMPARED.saturating_sub(literals.len());
                for value in values.iter().take(room) {
                    if let Value::Text(text) = value {
                        literals.push((test.field, text.to_string(), span));
                    }
                }
            });
        }
        let found = slips(&literals);
        self.out.extend(found);
    }
}

/// Pairs of literals of one field that differ by one slip. Texts that differ in a digit are a
/// series, and short ones too often mean what they say.
fn slips(literals: &[(crate::schema::FieldId, String, Span)]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut first: HashMap<(crate::schema::FieldId, &str), Span> = HashMap::new();
    // PERF: each text under every spelling with one letter left out, so that only texts at most
    // two letters apart are compared.
    let mut near: HashMap<(crate::schema::FieldId, String), Vec<&str>> = HashMap::new();
    for (field, text, span) in literals {
        if first.contains_key(&(*field, text.as_str()))
            || text.chars().count() < 5
            || text.len() > 200
        {
            continue;
        }
        let mut other: Option<&str> = None;
        for spelling in spellings(text) {
            let known = near.entry((*field, spelling)).or_default();
            let slip = known.iter().find(|known| is_slip(known, text));
            other = other.or(slip.copied());
            // A series such as `node-a` to `node-z` shares its spellings; a few stand for all.
            if known.len() < 8 {
                known.push(text);
            }
        }
        if let Some((other, other_span)) =
            other.and_then(|other| Some((other, first.get(&(*field, other))?)))
        {
            found.push(
                Diagnostic::new(
                    codes::TEXT_SLIP,
                    *span,
                    format!("`{text}` and `{other}` are one slip apart"),
                )
                .label(*other_span, "the other one is here")
                .help("if one of them is a slip, the test silently never holds"),
            );
        }
        first.insert((*field, text), *span);
    }
    found
}

fn spellings(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    for (at, c) in text.char_indices() {
        let rest = text.get(at + c.len_utf8()..).unwrap_or("");
        all.push(format!("{}{rest}", text.get(..at).unwrap_or("")));
    }
    all.dedup();
    all
}

fn is_slip(a: &str, b: &str) -> bool {
    let letters = |text: &str| {
        text.chars()
            .filter(|c| !c.is_ascii_digit())
            .collect::<String>()
    };
    a != b && letters(a) != letters(b) && strsim::osa_distance(a, b) == 1
}
