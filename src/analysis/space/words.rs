//! A cube in the language's own words.
//!
//! In: a cube. Out: tests of the matrices whose conjunction it is, each as it is written there or turned around.
//! Where no tests say it, what they can say and an example of the rest.

use std::collections::BTreeMap;

use super::{Cube, Dim, Literal, Node, Regions, Space, other_field};
use crate::matrix::{Comparison, Test, TestOp};
use crate::value::{Type, Value};

impl Space<'_> {
    /// The condition of a cube; `every event` of one that asks nothing.
    pub(in crate::analysis) fn words(&self, cube: &Cube) -> String {
        let dims = 0..Dim::try_from(self.dims.len()).unwrap_or(Dim::MAX);
        let dims = dims.filter(|dim| !self.items.iter().any(|item| item.dim == *dim));
        let sets = dims.filter_map(|dim| Some(self.words_of(dim, cube.regions(dim)?)));
        let lists = (0..)
            .zip(&self.columns)
            .flat_map(|(dim, _)| self.words_of_items(cube, dim));
        let relations = cube.relations().iter().filter_map(|(relation, holds)| {
            let owned = self.compared.get(*relation as usize)?;
            Some(if *holds {
                owned.test.text.clone()
            } else {
                turned(&owned.test)
            })
        });
        let all: Vec<String> = sets.chain(lists).chain(relations).collect();
        match all.is_empty() {
            true => "every event".to_owned(),
            false => all.join(" and "),
        }
    }

    fn words_of(&self, dim: Dim, set: &Regions) -> String {
        let (Some(dimension), name) = (self.dims.get(dim as usize), self.name(dim)) else {
            return String::new();
        };
        let missing = dimension.missing();
        let (there, may_lack) = (set.and(&dimension.present()), set.meets(&missing));
        if there.is_empty() {
            return format!("{name} is missing");
        }
        let inner = match there == dimension.present() {
            true => String::new(),
            false => self.words_of_values(dim, &there),
        };
        match (inner.is_empty(), may_lack) {
            (true, _) => format!("{name} is present"),
            (false, false) => inner,
            (false, true) => format!("({inner} or {name} is missing)"),
        }
    }

    /// What a list holds, and what not.
    fn words_of_items(&self, cube: &Cube, list: Dim) -> Vec<String> {
        let each = [("all", 1), ("none", 0)].map(|(how, region)| {
            let items = self.items.iter().filter(|item| item.list == list);
            let asked = items.filter(|item| {
                let asked = cube.regions(item.dim);
                asked.is_some_and(|asked| asked.has(region))
            });
            let asked: Vec<String> = asked.map(|item| item.item.to_string()).collect();
            (!asked.is_empty()).then(|| {
                let name = self.name(list);
                format!("{name} contains {how} of ({})", asked.join(", "))
            })
        });
        each.into_iter().flatten().collect()
    }

    fn words_of_values(&self, dim: Dim, set: &Regions) -> String {
        if let Some(words) = self.words_of_closed(dim, set) {
            return words;
        }
        let tests = self.tests_of(dim);
        let present = self
            .dims
            .get(dim as usize)
            .map(super::Dimension::present)
            .unwrap_or_default();
        // Those that hold for all of it, the narrowest first.
        let mut around: Vec<&(String, Regions)> =
            tests.iter().filter(|(_, of)| set.is_in(of)).collect();
        around.sort_by_key(|(text, of)| (of.len(), text.len()));
        let mut left = present;
        let mut taken: Vec<&str> = Vec::new();
        for (text, of) in around {
            let next = left.and(of);
            if next != left {
                taken.push(text);
                left = next;
            }
        }
        if left == *set {
            return taken.join(" and ");
        }
        // Those that hold for nothing else, the widest first.
        let mut inside: Vec<&(String, Regions)> =
            tests.iter().filter(|(_, of)| of.is_in(set)).collect();
        inside.sort_by_key(|(text, of)| (std::cmp::Reverse(of.len()), text.len()));
        let mut covered = Regions::default();
        let mut parts: Vec<&str> = Vec::new();
        for (text, of) in inside {
            let next = covered.or(of);
            if next != covered {
                parts.push(text);
                covered = next;
            }
        }
        if covered == *set {
            return format!("({})", parts.join(" or "));
        }
        let example = self.dims.get(dim as usize).and_then(|dimension| {
            let region = set.iter().next()?;
            dimension.regions.get(region as usize)?.first()
        });
        let example = example.map_or_else(String::new, Value::to_string);
        let said: String = taken.iter().map(|test| format!("{test} and ")).collect();
        format!("{said}{} such as {example}", self.name(dim))
    }

    /// Values of a closed set are named.
    fn words_of_closed(&self, dim: Dim, set: &Regions) -> Option<String> {
        let column = self.columns.get(dim as usize)?;
        if !matches!(column.field.ty, Type::OneOf(_) | Type::YesNo) {
            return None;
        }
        let dimension = self.dims.get(dim as usize)?;
        let mut words = Vec::new();
        for region in set.iter() {
            words.extend(
                dimension
                    .regions
                    .get(region as usize)?
                    .iter()
                    .map(Value::to_string),
            );
        }
        // A region shows two of its values at most.
        let total = match &column.field.ty {
            Type::OneOf(words) => words.len(),
            _ => 2,
        };
        let shown: usize = dimension.regions.iter().map(Vec::len).sum();
        if shown < total {
            return None;
        }
        let path = &column.field.path;
        Some(match &words[..] {
            [word] => format!("{path} is {word}"),
            words => format!("{path} in ({})", words.join(", ")),
        })
    }

    /// Tests of a dimension and their opposites, with the values that they hold for.
    fn tests_of(&self, dim: Dim) -> Vec<(String, Regions)> {
        let Some(dimension) = self.dims.get(dim as usize) else {
            return Vec::new();
        };
        let present = dimension.present();
        let mut found: BTreeMap<String, Regions> = BTreeMap::new();
        for owned in &self.owned {
            let of_dim = self.dim(owned.side, owned.test.field) == Some(dim);
            if !of_dim || other_field(&owned.test).is_some() {
                continue;
            }
            let rails = self.rails_of(&owned.test);
            if let Some(Node::Literal(Literal::In(_, yes))) = rails.map(|rails| &rails.yes) {
                let yes = yes.and(&present);
                let no = yes.not(dimension.count()).and(&present);
                found.insert(plain(&owned.test), yes);
                found.insert(turned(&owned.test), no);
            }
        }
        found.into_iter().collect()
    }

    fn name(&self, dim: Dim) -> String {
        match self.columns.get(dim as usize) {
            Some(column) => column.field.path.to_string(),
            None => {
                let sides = self.sides.iter();
                let mut measures = sides.flat_map(|side| {
                    let of_dim = side.measures.iter().filter(move |(_, its)| **its == dim);
                    of_dim.filter_map(|(id, _)| side.matrix.measure(*id))
                });
                measures
                    .next()
                    .map_or_else(String::new, |measure| measure.text.clone())
            }
        }
    }
}

/// A test without what it says of a missing field.
fn plain(test: &Test) -> String {
    test.text.trim_end_matches(" if present").to_owned()
}

/// The opposite of a test, of a field that is there.
fn turned(test: &Test) -> String {
    let text = plain(test);
    let words = |from: &str, to: &str| text.replacen(from, to, 1);
    match &test.op {
        TestOp::Compare(op, _) | TestOp::CompareField(op, _) => match op {
            Comparison::Less => words(" < ", " >= "),
            Comparison::LessOrEqual => words(" <= ", " > "),
            Comparison::Greater => words(" > ", " <= "),
            Comparison::GreaterOrEqual => words(" >= ", " < "),
            Comparison::Is => words(" is ", " is not "),
            Comparison::IsNot => words(" is not ", " is "),
        },
        TestOp::SameAs(_) => words(" same as ", " differs from "),
        TestOp::DiffersFrom(_) => words(" differs from ", " same as "),
        TestOp::In { not: false, .. } => words(" in ", " not in "),
        TestOp::In { not: true, .. } => words(" not in ", " in "),
        TestOp::Inside(_) => words(" inside ", " outside "),
        TestOp::Outside(_) => words(" outside ", " inside "),
        _ => format!("not {text}"),
    }
}
