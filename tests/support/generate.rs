//! Seeded random matrices that are valid by construction.
//!
//! In: a seed and a [`Plan`]. Out: the texts of a matrix with every construct of the language.
//! Invariant: one seed and plan always give the same texts, and `check` finds no error in them
//! (warnings and notes it does find).
//!
//! ```ignore
//! #[path = "support/generate.rs"]
//! mod generate;
//! #[path = "support/events.rs"]
//! mod events;
//!
//! let generated = generate::matrix(7, &generate::Plan::default());
//! let matrix = generated.matrix();            // an Arc<Matrix>; panics with the findings if none
//! let mut events = events::Events::new(&matrix, 7);
//! let line = events.any();                    // JSON: mostly readable, around the thresholds
//! ```

#![allow(dead_code, reason = "each test file uses its part of the generators")]

use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use fastrand::Rng;
use laneway::cases;
use laneway::check::{Loaded, Options, check};
use laneway::matrix::Matrix;

mod conds;
mod items;
mod lanes;
mod layout;
mod types;

use types::{Field, Kind};

/// The path of the root file.
pub const ROOT: &str = "matrix.lane";

/// What to generate.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many lanes.
    pub lanes: RangeInclusive<usize>,
    /// Whether `is missing`, `is present` and `if present` may be written.
    pub presence: bool,
    /// Whether measures may be written.
    pub measures: bool,
    /// Whether some items go to imported files.
    pub imports: bool,
    /// Whether lines are indented at random, with comments and blank lines everywhere; else the
    /// indentation is the usual one and there is no comment.
    pub messy: bool,
    /// Whether every example and scenario expects what comes of it; else they expect anything.
    pub settled: bool,
    /// Whether kinds have dozens of fields, more than there are columns and bits, and triggers have
    /// many tests.
    pub wide: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            lanes: 1..=5,
            presence: true,
            measures: true,
            imports: true,
            messy: true,
            settled: false,
            wide: false,
        }
    }
}

/// The texts of a matrix.
#[derive(Debug, Clone)]
pub struct Generated {
    /// What they were made from.
    pub seed: u64,
    /// The texts by path; the root is [`ROOT`].
    pub files: BTreeMap<String, String>,
}

impl Generated {
    /// The text of the root file.
    pub fn root(&self) -> &str {
        &self.files[ROOT]
    }

    /// Checks them.
    pub fn load(&self) -> Loaded {
        check(&self.files, ROOT, &Options::default())
    }

    /// The matrix; panics with the findings if there is none.
    pub fn matrix(&self) -> Arc<Matrix> {
        let loaded = self.load();
        match loaded.matrix {
            Some(matrix) => matrix,
            None => {
                let shown: Vec<String> = loaded
                    .diagnostics
                    .iter()
                    .filter(|d| d.severity() == laneway::diagnostic::Severity::Error)
                    .map(|d| {
                        let at = d.locate(&loaded.sources).place;
                        format!("{}:{} {} {}", at.file, at.line, d.code, d.message)
                    })
                    .collect();
                let texts: Vec<&str> = self.files.values().map(String::as_str).collect();
                panic!(
                    "seed {} has errors:\n{}\n{}",
                    self.seed,
                    shown.join("\n"),
                    texts.join("\n----\n")
                )
            }
        }
    }
}

/// Generates the matrix of a seed.
pub fn matrix(seed: u64, plan: &Plan) -> Generated {
    let loose = Gen::new(seed, plan, BTreeMap::new()).run();
    if !plan.settled {
        return loose;
    }
    // The same random choices again, with what came of each case in place of its expectation.
    let matrix = loose.matrix();
    let examples = matrix.lanes.iter().flat_map(|lane| &lane.examples);
    let came = examples.chain(&matrix.scenarios);
    let came = came.map(|case| (case.title.clone(), cases::run(&matrix, case).came));
    Gen::new(seed, plan, came.collect()).run()
}

/// What a name is for: names are unique within their sort only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sort {
    Field,
    Kind,
    Team,
    Action,
    List,
    Condition,
    Calendar,
    Sample,
    Decider,
}

/// Where a condition stands.
#[derive(Debug, Clone)]
struct Scope {
    /// The kinds, by position.
    kinds: Vec<usize>,
    /// Whether a measure may stand here.
    measures: bool,
}

struct Team {
    name: String,
    has_backup: bool,
}

struct Condition {
    name: String,
    /// It may be used for any of these kinds.
    kinds: Vec<usize>,
    has_measure: bool,
}

struct List {
    name: String,
    /// A field, or the items of a list field, that its values fit.
    field: usize,
}

struct Sample {
    name: String,
    kind: usize,
    /// Whether it has every required field.
    complete: bool,
}

/// A matrix in the making.
struct Gen<'p> {
    seed: u64,
    rng: Rng,
    plan: &'p Plan,
    /// The expectation of each case, by its title.
    came: BTreeMap<String, String>,
    taken: HashSet<(Sort, String)>,
    titles: usize,
    /// Every path with its type; a path has one type in all kinds. The first is `at`.
    fields: Vec<Field>,
    kinds: Vec<Kind>,
    teams: Vec<Team>,
    actions: Vec<String>,
    calendars: Vec<String>,
    lists: Vec<List>,
    conditions: Vec<Condition>,
    samples: Vec<Sample>,
    /// Whether the condition that is being written has a measure so far.
    saw_measure: bool,
}

impl<'p> Gen<'p> {
    fn new(seed: u64, plan: &'p Plan, came: BTreeMap<String, String>) -> Self {
        Self {
            seed,
            rng: Rng::with_seed(seed),
            plan,
            came,
            taken: HashSet::new(),
            titles: 0,
            fields: Vec::new(),
            kinds: Vec::new(),
            teams: Vec::new(),
            actions: Vec::new(),
            calendars: Vec::new(),
            lists: Vec::new(),
            conditions: Vec::new(),
            samples: Vec::new(),
            saw_measure: false,
        }
    }

    fn run(mut self) -> Generated {
        let mut items = Vec::new();
        let kinds = self.kinds();
        items.extend(self.calendars());
        items.extend(self.actions());
        items.extend(self.teams());
        items.extend(kinds);
        items.extend(self.lists());
        items.extend(self.conditions());
        items.extend(self.samples());
        items.extend(self.rules());
        let lanes = self.rng.usize(self.plan.lanes.clone());
        for _ in 0..lanes {
            items.push(self.lane());
        }
        items.extend(self.promises());
        items.extend(self.scenarios());
        let block = self.matrix_block();
        // The order of items means nothing but for lanes and rules, and those are equals here.
        if self.one_in(2) {
            self.rng.shuffle(&mut items);
        }
        let mut files = self.split(items);
        let root = files.get_mut(ROOT).expect("the root");
        let at = if self.one_in(4) {
            self.rng.usize(0..=root.len())
        } else {
            0
        };
        root.insert(at, block);
        let files = files
            .into_iter()
            .map(|(path, items)| (path, self.lay_out(&items)))
            .collect();
        Generated {
            seed: self.seed,
            files,
        }
    }

    /// Spreads the items over files that import one another.
    fn split(&mut self, items: Vec<String>) -> BTreeMap<String, Vec<String>> {
        let mut files = BTreeMap::from([(ROOT.to_owned(), Vec::new())]);
        if !self.plan.imports || self.one_in(2) {
            files.insert(ROOT.to_owned(), items);
            return files;
        }
        let paths = ["people.lane", "more/lanes.lane", "more/deep/rest.lane"];
        let count = self.rng.usize(1..=paths.len());
        for item in items {
            let n = self.rng.usize(0..=count);
            let path = if n == 0 { ROOT } else { paths[n - 1] };
            files.entry(path.to_owned()).or_default().push(item);
        }
        let imports = [
            (ROOT, "import \"people.lane\""),
            ("people.lane", "import \"./more/../more/lanes.lane\""),
            ("more/lanes.lane", "import \"deep/rest.lane\""),
        ];
        for (from, import) in imports.into_iter().take(count) {
            let list = files.entry(from.to_owned()).or_default();
            let at = self.rng.usize(0..=list.len());
            list.insert(at, import.to_owned());
        }
        if count == 3 && self.one_in(2) {
            // A file that two files import is read once.
            let list = files.get_mut(ROOT).expect("the root");
            list.push("import \"more/deep/rest.lane\"".to_owned());
        }
        files.entry(paths[count - 1].to_owned()).or_default();
        files
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.rng.usize(0..n) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.rng.usize(0..from.len())]
    }

    /// A name that its sort does not have yet. Many are keywords in other places.
    fn name(&mut self, sort: Sort) -> String {
        const WORDS: [&str; 36] = [
            "amount", "risk", "mail", "refund", "tenant", "role", "desk", "night", "owner", "lane",
            "list", "event", "count", "sum", "distinct", "any", "all", "least", "first", "group",
            "person", "when_", "unless", "evidence", "input", "action", "allow", "deny", "set",
            "never", "item", "text", "number", "mon", "x", "a1",
        ];
        let word = match self.pick(&WORDS) {
            // A member of every event.
            "evidence" if sort == Sort::Field => "proof",
            word => word,
        };
        let mut name = word.to_owned();
        let mut n = 1;
        while !self.taken.insert((sort, name.clone())) {
            n += 1;
            name = format!("{word}_{n}");
        }
        name
    }

    /// A title that no other case has.
    fn title(&mut self, what: &str) -> String {
        self.titles += 1;
        let tail = self.pick(&[
            "",
            " \u{fc}ber",
            " with \"quotes\"",
            " # no comment",
            " { (",
        ]);
        format!("{what} {}{tail}", self.titles)
    }

    /// What a case is written to expect.
    fn expect(&mut self, title: &str, loose: &str) -> String {
        self.came
            .get(title)
            .cloned()
            .unwrap_or_else(|| loose.to_owned())
    }

    /// At least one kind; mostly one.
    fn some_kinds(&mut self) -> Vec<usize> {
        let mut kinds: Vec<usize> = (0..self.kinds.len()).collect();
        self.rng.shuffle(&mut kinds);
        let count = if self.one_in(3) {
            self.rng.usize(1..=kinds.len())
        } else {
            1
        };
        kinds.truncate(count);
        kinds
    }

    fn kind_names(&self, kinds: &[usize]) -> String {
        let names: Vec<&str> = kinds.iter().map(|k| self.kinds[*k].name.as_str()).collect();
        names.join(", ")
    }

    /// The fields that every kind of a scope has; the first is `at`.
    fn fields_of(&self, kinds: &[usize]) -> Vec<usize> {
        let has =
            |field: &usize| *field == 0 || kinds.iter().all(|kind| self.kinds[*kind].has(*field));
        (0..self.fields.len()).filter(has).collect()
    }

    /// Whether a field can be missing in one of the kinds.
    fn is_optional(&self, field: usize, kinds: &[usize]) -> bool {
        field != 0
            && kinds
                .iter()
                .any(|kind| self.kinds[*kind].is_optional(field))
    }
}
