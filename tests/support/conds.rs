//! Conditions of generated matrices.

use laneway::value::quote;

use super::types::Ty;
use super::{Gen, Scope};

const LIKES: [&str; 11] = [
    "*", "a*", "*a", "*et*", "", "alp*a", "*\"*", "a*a", "alp*pha", "be*eta", "*a*a*",
];
const STARTS: [&str; 11] = [
    "a", "be", "ALPHA", "alp", "alph", "beta", "\u{c4}rg", "STRA", "hidden", " ", "\u{3a3}",
];
const PATTERNS: [&str; 8] = [
    "/a.*/",
    "/[a-z]+/",
    "/x\\/y|be/",
    "/.*\"b.*/",
    "/#[0-9]{1,3}/",
    "/(?:alpha|beta)+/",
    "/\\w+\\s?\\d*/",
    "/[{}()]/",
];
const AGES: [&str; 5] = ["1m", "12h", "1d", "7d", "400d"];
const WINDOWS: [&str; 6] = ["30s", "10m", "1h30m", "1d", "7d", "31d"];
const ORDERS: [&str; 4] = ["<", "<=", ">", ">="];

impl Gen<'_> {
    /// A condition of at most so many levels.
    pub fn cond(&mut self, scope: &Scope, depth: usize) -> String {
        if depth == 0 || self.one_in(3) {
            return self.unit(scope, 0);
        }
        if self.one_in(2) {
            return self.unit(scope, depth);
        }
        let joiner = self.pick(&[" and ", " or "]);
        self.chain(scope, depth, joiner)
    }

    fn chain(&mut self, scope: &Scope, depth: usize, joiner: &str) -> String {
        let most = if self.plan.wide && joiner.contains("and") {
            10
        } else {
            4
        };
        let count = self.rng.usize(2..=most);
        let units: Vec<String> = (0..count).map(|_| self.unit(scope, depth - 1)).collect();
        units.join(joiner)
    }

    /// What may stand beside `and`, `or` and behind `not`.
    pub fn unit(&mut self, scope: &Scope, depth: usize) -> String {
        if depth == 0 {
            return self.leaf(scope);
        }
        match self.rng.usize(0..8) {
            0 => format!("not {}", self.unit(scope, depth - 1)),
            1 | 2 => {
                let inner = self.cond(scope, depth - 1);
                format!("({inner})")
            }
            3 => {
                // Inside parentheses a line break is space.
                let joiner = self.pick(&["\nand ", " or\n", "\nand\n"]);
                let inner = self.chain(scope, depth, joiner);
                format!("(\n{inner}\n)")
            }
            4..=6 => self.block(scope, depth),
            _ => self.leaf(scope),
        }
    }

    fn block(&mut self, scope: &Scope, depth: usize) -> String {
        let count = self.rng.usize(1..=4);
        let conds: Vec<String> = (0..count).map(|_| self.cond(scope, depth - 1)).collect();
        let quantifier = match self.rng.usize(0..4) {
            0 => "any of".to_owned(),
            1 => "all of".to_owned(),
            2 => "none of".to_owned(),
            _ => format!("at least {} of", self.rng.usize(1..=count)),
        };
        if count == 1 && self.one_in(2) {
            return format!("{quantifier} {{ {} }}", conds[0]);
        }
        format!("{quantifier} {{\n{}\n}}", conds.join("\n"))
    }

    fn leaf(&mut self, scope: &Scope) -> String {
        if self.one_in(5)
            && let Some(name) = self.condition_for(scope)
        {
            return name;
        }
        if scope.measures
            && self.plan.measures
            && self.one_in(6)
            && let Some(test) = self.measure(scope)
        {
            self.saw_measure = true;
            return test;
        }
        self.test(scope)
    }

    /// The name of a condition that fits a scope.
    fn condition_for(&mut self, scope: &Scope) -> Option<String> {
        let fits: Vec<usize> = (0..self.conditions.len())
            .filter(|n| {
                let condition = &self.conditions[*n];
                (scope.measures || !condition.has_measure)
                    && scope.kinds.iter().all(|k| condition.kinds.contains(k))
            })
            .collect();
        if fits.is_empty() {
            return None;
        }
        let condition = &self.conditions[fits[self.rng.usize(0..fits.len())]];
        self.saw_measure |= condition.has_measure;
        Some(condition.name.clone())
    }

    /// A test of a field.
    fn test(&mut self, scope: &Scope) -> String {
        let fields = self.fields_of(&scope.kinds);
        // `at` only now and then.
        let field = if fields.len() > 1 && !self.one_in(12) {
            fields[self.rng.usize(1..fields.len())]
        } else {
            0
        };
        let optional = self.is_optional(field, &scope.kinds);
        let path = self.fields[field].path.clone();
        if self.plan.presence && self.one_in(if optional { 8 } else { 60 }) {
            let word = self.pick(&["missing", "present"]);
            return format!("{path} is {word}");
        }
        let op = self.op(scope, field);
        let guard = if self.plan.presence && self.one_in(if optional { 6 } else { 40 }) {
            " if present"
        } else {
            ""
        };
        format!("{path} {op}{guard}")
    }

    fn op(&mut self, scope: &Scope, field: usize) -> String {
        let ty = self.fields[field].ty.clone();
        let not = self.pick(&["", "", "not "]);
        if let Ty::List(item) = &ty {
            let how = self.pick(&["any of", "all of", "none of"]);
            let set = self.set(field, item);
            return format!("contains {how} {set}");
        }
        if self.one_in(8)
            && let Some(other) = self.other_field(scope, field)
        {
            let words = self.pick(&["same as", "differs from"]);
            return format!("{words} {other}");
        }
        if ty != Ty::YesNo && self.one_in(6) {
            return format!("{not}in {}", self.set(field, &ty));
        }
        let is = self.pick(&["is", "is not"]);
        match &ty {
            Ty::Text { .. } => match self.rng.usize(0..6) {
                0 => format!("{is} {}", self.value(&ty)),
                1 => {
                    let pattern = self.pick(&PATTERNS);
                    format!("{not}matches {pattern}")
                }
                2 => format!("{not}like {}", quote(self.pick(&LIKES))),
                _ => {
                    let how = self.pick(&["starts with", "ends with", "contains"]);
                    if how == "starts with" {
                        let text = quote(self.pick(&STARTS));
                        return format!("{not}{how} {text}");
                    }
                    let text = quote(self.pick(&["a", "be", "ALPHA", "\"", "\u{e4}", " ", ""]));
                    format!("{not}{how} {text}")
                }
            },
            Ty::Timestamp => match self.rng.usize(0..8) {
                0..=2 if !self.calendars.is_empty() => {
                    let side = self.pick(&["inside", "outside"]);
                    let calendar = self.calendar();
                    format!("is {side} {calendar}")
                }
                3 => format!("older than {}", self.pick(&AGES)),
                4 => format!("newer than {}", self.pick(&AGES)),
                5 => {
                    let day = self.rng.usize(1..=14);
                    format!("{} 2026-01-{day:02}", self.pick(&ORDERS))
                }
                6 => format!("{is} {}", self.instant()),
                _ => self.order(scope, field),
            },
            ty if ty.is_ordered() && !self.one_in(5) => self.order(scope, field),
            ty => format!("{is} {}", self.value(ty)),
        }
    }

    /// `<` and its kin, with a value or a field.
    fn order(&mut self, scope: &Scope, field: usize) -> String {
        let op = self.pick(&ORDERS);
        if self.one_in(4)
            && let Some(other) = self.other_field(scope, field)
        {
            return format!("{op} {other}");
        }
        let ty = self.fields[field].ty.clone();
        format!("{op} {}", self.value(&ty))
    }

    /// Another field of the same sort.
    fn other_field(&mut self, scope: &Scope, field: usize) -> Option<String> {
        let ty = self.fields[field].ty.clone();
        let others: Vec<usize> = self
            .fields_of(&scope.kinds)
            .into_iter()
            .filter(|other| *other != field && self.fields[*other].ty.same_sort(&ty))
            .collect();
        let other = *self.rng.choice(&others)?;
        Some(self.fields[other].path.clone())
    }

    /// A set of values, or the name of a list.
    fn set(&mut self, field: usize, ty: &Ty) -> String {
        let of_type: Vec<usize> = (0..self.lists.len())
            .filter(|n| self.fields[self.lists[*n].field].ty.item() == self.fields[field].ty.item())
            .collect();
        if !of_type.is_empty() && self.one_in(2) {
            let n = of_type[self.rng.usize(0..of_type.len())];
            return self.lists[n].name.clone();
        }
        let most = if self.one_in(8) { 12 } else { 4 };
        let values = self.values(ty, 1..=most);
        let tail = if self.one_in(8) { "," } else { "" };
        if self.one_in(6) {
            return format!("(\n{}{tail}\n)", values.join(",\n"));
        }
        format!("({}{tail})", values.join(", "))
    }

    /// A measure and its threshold.
    fn measure(&mut self, scope: &Scope) -> Option<String> {
        let kind = self.rng.usize(0..self.kinds.len());
        let mut everywhere = scope.kinds.clone();
        everywhere.push(kind);
        let never_missing: Vec<usize> = self
            .fields_of(&everywhere)
            .into_iter()
            .filter(|f| *f != 0 && !self.is_optional(*f, &everywhere))
            .collect();
        let summable: Vec<usize> = never_missing
            .iter()
            .copied()
            .filter(|f| self.fields[*f].ty.is_summable())
            .collect();
        let of = self.kinds[kind].name.clone();
        let (function, threshold) = match self.rng.usize(0..3) {
            0 => {
                let field = *self.rng.choice(&never_missing)?;
                let path = &self.fields[field].path;
                (
                    format!("distinct {path} of"),
                    self.rng.usize(0..5).to_string(),
                )
            }
            1 => {
                let field = *self.rng.choice(&summable)?;
                let ty = self.fields[field].ty.clone();
                let threshold = self.value(&ty);
                (format!("sum {} of", self.fields[field].path), threshold)
            }
            _ => ("count of".to_owned(), self.rng.usize(0..6).to_string()),
        };
        let mut text = format!("{function} {of}");
        if self.one_in(2) {
            let own = Scope {
                kinds: vec![kind],
                measures: false,
            };
            let depth = self.rng.usize(0..=2);
            text.push_str(&format!(" where {}", self.unit(&own, depth)));
        }
        let mut by = never_missing;
        self.rng.shuffle(&mut by);
        by.truncate(self.rng.usize(0..=2));
        if !by.is_empty() {
            let paths: Vec<&str> = by.iter().map(|f| self.fields[*f].path.as_str()).collect();
            text.push_str(&format!(" by {}", paths.join(", ")));
        }
        let window = self.pick(&WINDOWS);
        let op = self.pick(&[">", ">", ">=", "<", "<=", "is", "is not"]);
        text.push_str(&format!(" over {window} {op} {threshold}"));
        Some(text)
    }
}
