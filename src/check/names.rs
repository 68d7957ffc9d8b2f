//! The names that a matrix declares.
//!
//! In: declarations, then look-ups. Out: the position of what a name means, or a finding with the
//! nearest name.
//! Invariant: a name of an item that could not be read resolves to nothing and is not complained of.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Suggestions, codes, nearest};
use crate::span::Span;
use crate::syntax::ast::Name;

/// What a name can stand for. A name is unique within its sort; lanes and rules are one sort,
/// because `by NAME` means either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sort {
    Kind,
    Team,
    Action,
    List,
    Condition,
    Calendar,
    Sample,
    Decider,
}

impl Sort {
    const ALL: [Self; 8] = [
        Self::Kind,
        Self::Team,
        Self::Action,
        Self::List,
        Self::Condition,
        Self::Calendar,
        Self::Sample,
        Self::Decider,
    ];

    fn words(self) -> (&'static str, &'static str, Code) {
        match self {
            Self::Kind => ("event kind", "an event kind", codes::UNKNOWN_KIND),
            Self::Team => ("team", "a team", codes::UNKNOWN_TEAM),
            Self::Action => ("action", "an action", codes::UNKNOWN_ACTION),
            Self::List => ("list", "a list", codes::UNKNOWN_LIST),
            Self::Condition => ("condition", "a condition", codes::UNKNOWN_CONDITION),
            Self::Calendar => ("calendar", "a calendar", codes::UNKNOWN_CALENDAR),
            Self::Sample => ("sample", "a sample", codes::UNKNOWN_SAMPLE),
            Self::Decider => ("lane or rule", "a lane or a rule", codes::UNKNOWN_DECIDER),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Names {
    tables: HashMap<Sort, HashMap<String, (usize, Span)>>,
    used: HashSet<(Sort, usize)>,
    /// Names of items that could not be read.
    poisoned: HashSet<String>,
    /// Whether any name may be declared in a file that could not be read.
    incomplete: bool,
    suggestions: Suggestions,
}

impl Names {
    pub fn new(incomplete: bool) -> Self {
        Self {
            incomplete,
            ..Self::default()
        }
    }

    /// Takes down the name of an item that could not be read.
    pub fn poison(&mut self, name: &str) {
        self.poisoned.insert(name.to_owned());
    }

    /// Takes down that any name may be declared in a file that is not read.
    pub fn doubt_all(&mut self) {
        self.incomplete = true;
    }

    /// Declares a name for position `index` of its sort. A second declaration is a finding, and the
    /// first one stays.
    pub fn declare(&mut self, sort: Sort, name: &Name, index: usize, out: &mut Diagnostics) {
        let table = self.tables.entry(sort).or_default();
        if let Some((_, first)) = table.get(&name.node) {
            let (what, ..) = sort.words();
            out.push(
                Diagnostic::new(
                    codes::DUPLICATE_NAME,
                    name.span,
                    format!("a second {what} called `{}`", name.node),
                )
                .label(*first, "first declared here"),
            );
            return;
        }
        table.insert(name.node.clone(), (index, name.span));
    }

    /// Looks a name up and takes down that it is used. An unknown one is a finding.
    pub fn find(&mut self, sort: Sort, name: &Name, out: &mut Diagnostics) -> Option<usize> {
        if let Some(index) = self.peek(sort, &name.node) {
            self.used.insert((sort, index));
            return Some(index);
        }
        if !self.may_be_declared(&name.node) {
            out.push(self.unknown(sort, name));
        }
        None
    }

    /// Looks a name up without a finding.
    pub fn peek(&self, sort: Sort, name: &str) -> Option<usize> {
        self.tables.get(&sort)?.get(name).map(|(index, _)| *index)
    }

    /// Whether the name may be one of something that could not be read.
    pub fn may_be_declared(&self, name: &str) -> bool {
        self.incomplete || self.poisoned.contains(name)
    }

    pub fn is_used(&self, sort: Sort, index: usize) -> bool {
        self.used.contains(&(sort, index))
    }

    /// Whether another unknown name may be compared with so many known ones.
    pub fn may_compare(&self, names: usize) -> bool {
        self.suggestions.may_compare(names)
    }

    fn unknown(&self, sort: Sort, name: &Name) -> Diagnostic {
        let (what, _, code) = sort.words();
        let found = Diagnostic::new(
            code,
            name.span,
            format!("no {what} is called `{}`", name.node),
        );
        let table = self.tables.get(&sort);
        // PERF: the names are gathered and compared for the first unknown ones only.
        let count = table.map_or(0, HashMap::len);
        let table = table.filter(|_| self.may_compare(count));
        let mut known: Vec<&str> = table
            .into_iter()
            .flat_map(|t| t.keys().map(String::as_str))
            .collect();
        known.sort_unstable();
        if let Some(near) = nearest(&name.node, known.iter().copied()) {
            let near = near.to_owned();
            return found.help(format!("did you mean `{near}`?")).guess(
                format!("write `{near}`"),
                name.span,
                near,
            );
        }
        let other = Sort::ALL
            .into_iter()
            .find(|other| self.peek(*other, &name.node).is_some());
        if let Some(other) = other {
            let (_, what_it_is, _) = other.words();
            return found.help(format!("`{}` is {what_it_is}", name.node));
        }
        match known.as_slice() {
            [] if count > 0 => found,
            [] => found.help(format!("the matrix declares no {what} at all")),
            few if few.len() <= 8 => found.help(format!("there is {}", list(few))),
            _ => found,
        }
    }
}

/// Names in backticks with commas.
pub(super) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
