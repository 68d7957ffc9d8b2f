//! The order of the check, and the making of the matrix.
//!
//! In: the trees of all files. Out: a [`Loaded`].
//! Invariant: declarations are taken down before anything refers to them, so the order of items in
//! a file never matters but for priority; a matrix is made only when there is no error.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::files::Files;
use super::names::{Names, Sort};
use super::{Loaded, Options};
use crate::calendar::Calendar;
use crate::diagnostic::{Diagnostic, Diagnostics, codes, nearest};
use crate::hex;
use crate::limits;
use crate::matrix::{
    Action, ActionId, Condition, ConditionId, Lane, Matrix, Measure, MeasureId, Otherwise, Promise,
    Rule, Sample, Team, TeamId, Terms,
};
use crate::schema::{KindId, Schema};
use crate::span::{FileId, Sources, Span};
use crate::syntax::ast::{self, Ast, ItemKind, MatrixClause, Name};
use crate::syntax::scan::ITEM_KEYWORDS;

/// The state of a check.
pub(super) struct Checker<'a> {
    pub options: &'a Options,
    pub sources: &'a Sources,
    pub out: Diagnostics,
    pub names: Names,
    pub schema: Schema,
    /// Kinds of which some field could not be read.
    pub kinds_in_part: HashSet<KindId>,
    pub zone: chrono_tz::Tz,
    pub calendars: Vec<Option<Calendar>>,
    pub actions: Vec<Action>,
    pub teams: Vec<Team>,
    /// Teams of which some line could not be read.
    pub teams_in_part: HashSet<TeamId>,
    pub lists: Vec<&'a ast::List>,
    pub condition_items: Vec<&'a ast::Condition>,
    pub conditions: Vec<Condition>,
    /// How many levels each condition has with its own in place.
    pub condition_heights: Vec<usize>,
    pub condition_ids: HashMap<(usize, Vec<KindId>, bool), Option<ConditionId>>,
    pub open_conditions: Vec<usize>,
    pub level: usize,
    pub measures: Vec<Measure>,
    pub measure_ids: HashMap<String, MeasureId>,
    pub samples: Vec<Option<Sample>>,
    /// Rules stand before lanes in the table of deciders.
    pub rule_count: usize,
}

/// The parts of a matrix as the files have them, in order.
#[derive(Default)]
pub(super) struct Items<'a> {
    pub matrices: Vec<(FileId, &'a ast::MatrixBlock)>,
    pub kinds: Vec<&'a ast::Event>,
    pub calendars: Vec<&'a ast::Calendar>,
    pub actions: Vec<(&'a ast::Action, Span)>,
    pub samples: Vec<&'a ast::Sample>,
    pub teams: Vec<&'a ast::Team>,
    pub rules: Vec<(&'a ast::Rule, Span)>,
    pub promises: Vec<(&'a ast::Promise, Span)>,
    pub scenarios: Vec<(&'a ast::Example, Span)>,
    pub lanes: Vec<&'a ast::Lane>,
    pub broken_matrix: bool,
}

/// What the `matrix` block says.
struct Head {
    name: String,
    edition: i64,
    otherwise: Option<Otherwise>,
    unreadable: Option<Option<Terms>>,
}

pub(super) fn build(files: Files, options: &Options) -> Loaded {
    let Files {
        sources,
        asts,
        order,
        diagnostics,
        incomplete,
    } = files;
    let examples = count_examples(&asts);
    let mut checker = Checker {
        options,
        sources: &sources,
        out: diagnostics,
        names: Names::new(incomplete),
        schema: Schema::default(),
        kinds_in_part: HashSet::new(),
        zone: chrono_tz::UTC,
        calendars: Vec::new(),
        actions: Vec::new(),
        teams: Vec::new(),
        teams_in_part: HashSet::new(),
        lists: Vec::new(),
        condition_items: Vec::new(),
        conditions: Vec::new(),
        condition_heights: Vec::new(),
        condition_ids: HashMap::new(),
        open_conditions: Vec::new(),
        level: 0,
        measures: Vec::new(),
        measure_ids: HashMap::new(),
        samples: Vec::new(),
        rule_count: 0,
    };
    let built = checker.run(&asts, &order, incomplete);
    let mut out = std::mem::take(&mut checker.out);
    out.finish();
    let parts = (!out.has_errors()).then_some(()).and(built);
    let matrix = parts.map(|parts| {
        let calendars = checker.calendars.into_iter().flatten().collect();
        let samples = checker.samples.into_iter().flatten().collect();
        Matrix {
            name: parts.head.name,
            edition: parts.head.edition,
            zone: checker.zone,
            otherwise: parts.head.otherwise.unwrap_or(Otherwise::Deny),
            unreadable: parts.head.unreadable.flatten(),
            schema: checker.schema,
            calendars,
            actions: checker.actions,
            teams: checker.teams,
            conditions: checker.conditions,
            measures: checker.measures,
            rules: parts.rules,
            lanes: parts.lanes,
            promises: parts.promises,
            samples,
            scenarios: parts.scenarios,
            digest: digest(&sources),
            sources: Arc::new(Sources::default()),
        }
    });
    let sources = Arc::new(sources);
    let matrix = matrix.map(|mut matrix| {
        matrix.sources = Arc::clone(&sources);
        Arc::new(matrix)
    });
    Loaded {
        sources,
        matrix,
        diagnostics: out,
        examples,
    }
}

struct Parts {
    head: Head,
    rules: Vec<Rule>,
    lanes: Vec<Lane>,
    promises: Vec<Promise>,
    scenarios: Vec<crate::matrix::Case>,
}

impl<'a> Checker<'a> {
    fn run(
        &mut self,
        asts: &'a [Ast],
        order: &[(usize, usize)],
        incomplete: bool,
    ) -> Option<Parts> {
        let items = self.collect(asts, order);
        if items.lanes.len() > self.options.limits.lanes {
            self.too_many_lanes(&items);
            return None;
        }
        let block = self.matrix_block(&items, incomplete);
        if let Some(block) = block {
            self.matrix_zone(block);
        }
        self.rule_count = items.rules.len();
        self.declare(&items);
        self.no_value_twice();
        self.kinds(&items.kinds);
        self.calendars(&items.calendars);
        self.teams(&items.teams);
        for sample in &items.samples {
            let built = self.sample(sample);
            self.samples.push(built);
        }
        let head = block.map(|block| self.head(block));
        let rules: Vec<_> = items
            .rules
            .iter()
            .map(|(rule, span)| self.rule(rule, *span))
            .collect();
        let lanes: Vec<_> = items.lanes.iter().map(|lane| self.lane(lane)).collect();
        let promises: Vec<_> = items
            .promises
            .iter()
            .map(|(p, span)| self.promise(p, *span))
            .collect();
        let scenarios: Vec<_> = items
            .scenarios
            .iter()
            .map(|(example, span)| self.case(example, *span, None))
            .collect();
        self.lint(&items, &rules, &lanes);
        Some(Parts {
            head: head?,
            rules: rules.into_iter().collect::<Option<_>>()?,
            lanes: lanes.into_iter().collect::<Option<_>>()?,
            promises: promises.into_iter().collect::<Option<_>>()?,
            scenarios: scenarios.into_iter().collect::<Option<_>>()?,
        })
    }

    fn collect(&mut self, asts: &'a [Ast], order: &[(usize, usize)]) -> Items<'a> {
        let mut items = Items::default();
        for (file, n) in order {
            let Some(item) = asts.get(*file).and_then(|ast| ast.items.get(*n)) else {
                continue;
            };
            match &item.node {
                ItemKind::Matrix(block) => items.matrices.push((item.span.file, block)),
                ItemKind::Event(event) => items.kinds.push(event),
                ItemKind::Calendar(calendar) => items.calendars.push(calendar),
                ItemKind::Action(action) => items.actions.push((action, item.span)),
                ItemKind::Sample(sample) => items.samples.push(sample),
                ItemKind::Team(team) => items.teams.push(team),
                ItemKind::List(list) => self.lists.push(list),
                ItemKind::Condition(condition) => self.condition_items.push(condition),
                ItemKind::Rule(rule) => items.rules.push((rule, item.span)),
                ItemKind::Promise(promise) => items.promises.push((promise, item.span)),
                ItemKind::Scenario(example) => items.scenarios.push((example, item.span)),
                ItemKind::Lane(lane) => items.lanes.push(lane),
                ItemKind::Import(_) => {}
                ItemKind::Broken(broken) => {
                    items.broken_matrix |= broken.keyword == "matrix"
                        || nearest(&broken.keyword, ["matrix", "lane", "team"]) == Some("matrix");
                    if nearest(&broken.keyword, ITEM_KEYWORDS) == Some("import") {
                        self.names.doubt_all();
                    }
                    if let Some(name) = &broken.name {
                        self.names.poison(name);
                    }
                }
            }
        }
        items
    }

    fn too_many_lanes(&mut self, items: &Items<'a>) {
        let most = self.options.limits.lanes;
        if let Some(lane) = items.lanes.get(most) {
            self.out.push(Diagnostic::new(
                codes::TOO_MANY_LANES,
                lane.head.span,
                format!("{} lanes; a matrix has at most {most}", items.lanes.len()),
            ));
        }
    }

    /// Takes down every name, so that items may stand in any order.
    fn declare(&mut self, items: &Items<'a>) {
        let out = &mut self.out;
        let names = &mut self.names;
        let mut all = |sort, list: &mut dyn Iterator<Item = &'a Name>| {
            for (index, name) in list.enumerate() {
                names.declare(sort, name, index, out);
            }
        };
        all(Sort::Kind, &mut items.kinds.iter().map(|x| &x.name));
        all(Sort::Calendar, &mut items.calendars.iter().map(|x| &x.name));
        all(
            Sort::Action,
            &mut items.actions.iter().map(|(x, _)| &x.name),
        );
        all(Sort::Sample, &mut items.samples.iter().map(|x| &x.name));
        all(Sort::Team, &mut items.teams.iter().map(|x| &x.name));
        all(Sort::List, &mut self.lists.iter().map(|x| &x.name));
        all(
            Sort::Condition,
            &mut self.condition_items.iter().map(|x| &x.name),
        );
        let rules = items.rules.iter().map(|(x, _)| &x.name);
        let lanes = items.lanes.iter().map(|x| &x.name);
        all(Sort::Decider, &mut rules.chain(lanes));
        let deciders = items
            .rules
            .iter()
            .map(|(x, _)| &x.name)
            .chain(items.lanes.iter().map(|x| &x.name));
        for name in deciders.filter(|name| matches!(name.node.as_str(), "otherwise" | "unreadable"))
        {
            self.out.push(
                Diagnostic::new(
                    codes::RESERVED_WORD,
                    name.span,
                    format!("no lane or rule can be called `{}`", name.node),
                )
                .help("decisions name it when no lane and no rule decides"),
            );
        }
        for (action, span) in &items.actions {
            self.actions.push(Action {
                name: action.name.node.clone(),
                about: action.about.node.clone(),
                span: *span,
            });
        }
    }

    /// Complains of lists that hold a value twice. Its type comes with its use; the words are enough.
    fn no_value_twice(&mut self) {
        for list in &self.lists {
            let mut seen: HashMap<String, Span> = HashMap::new();
            let read = list
                .values
                .iter()
                .filter(|value| value.node != ast::Value::Broken);
            for value in read {
                let text = crate::syntax::print::value_text(&value.node);
                if let Some(first) = seen.get(&text) {
                    self.out.push(
                        Diagnostic::new(
                            codes::DUPLICATE_VALUE,
                            value.span,
                            format!("`{text}` stands twice in the list"),
                        )
                        .label(*first, "here already"),
                    );
                }
                seen.entry(text).or_insert(value.span);
            }
        }
    }

    /// The one `matrix` block, which stands in the root file.
    fn matrix_block(
        &mut self,
        items: &Items<'a>,
        incomplete: bool,
    ) -> Option<&'a ast::MatrixBlock> {
        let root = FileId(0);
        let mut in_root = None;
        for (file, block) in &items.matrices {
            if *file != root {
                self.out.push(
                    Diagnostic::new(
                        codes::MATRIX_NOT_IN_ROOT,
                        block.keyword.span,
                        "a `matrix` block stands in the root file only",
                    )
                    .help("move it to the file that imports this one"),
                );
            } else if let Some(first) = in_root {
                let first: &ast::MatrixBlock = first;
                self.out.push(
                    Diagnostic::new(
                        codes::SECOND_MATRIX_BLOCK,
                        block.keyword.span,
                        "a second `matrix` block",
                    )
                    .label(first.keyword.span, "the first one"),
                );
            } else {
                in_root = Some(*block);
            }
        }
        let unread_root = incomplete && self.sources.get(root).is_none_or(|s| s.text().is_empty());
        if in_root.is_none() && !items.broken_matrix && !unread_root {
            let mut found = Diagnostic::new(
                codes::NO_MATRIX_BLOCK,
                Span::new(root, 0..0),
                "the root file has no `matrix` block",
            );
            found = found.help(
                "add\nmatrix \"NAME\" {\n  edition 1\n  timezone \"Europe/Berlin\"\n  otherwise deny\n  unreadable deny\n}",
            );
            self.out.push(found);
        }
        in_root
    }

    fn matrix_zone(&mut self, block: &'a ast::MatrixBlock) {
        for clause in &block.clauses {
            if let MatrixClause::Timezone(zone) = &clause.node
                && let Some(zone) = self.zone_named(zone)
            {
                self.zone = zone;
            }
        }
    }

    pub(super) fn zone_named(&mut self, name: &Name) -> Option<chrono_tz::Tz> {
        if let Ok(zone) = name.node.parse::<chrono_tz::Tz>() {
            return Some(zone);
        }
        let found = Diagnostic::new(
            codes::UNKNOWN_ZONE,
            name.span,
            format!("`{}` is no time zone of the IANA database", name.node),
        );
        let zones = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let comparable = self.names.may_compare(zones.len());
        let near = comparable.then(|| nearest(&name.node, zones));
        self.out.push(match near.flatten() {
            Some(near) => found.help(format!("did you mean `{near}`?")).guess(
                format!("write `\"{near}\"`"),
                name.span,
                format!("\"{near}\""),
            ),
            None => {
                found.help("a zone is named by region and city, such as `Europe/Berlin`, or `UTC`")
            }
        });
        None
    }

    fn head(&mut self, block: &'a ast::MatrixBlock) -> Head {
        let mut head = Head {
            name: block.title.node.clone(),
            edition: 1,
            otherwise: None,
            unreadable: None,
        };
        let mut seen: Vec<(&str, Span)> = Vec::new();
        for clause in &block.clauses {
            let keyword = match &clause.node {
                MatrixClause::Edition(_) => "edition",
                MatrixClause::Timezone(_) => "timezone",
                MatrixClause::Otherwise(_) => "otherwise",
                MatrixClause::Unreadable(_) => "unreadable",
            };
            if !self.first_of_its_kind(&mut seen, keyword, clause.span) {
                continue;
            }
            match &clause.node {
                MatrixClause::Edition(edition) if edition.node != 1 => {
                    self.out.push(
                        Diagnostic::new(
                            codes::UNKNOWN_EDITION,
                            edition.span,
                            format!("this program does not know edition {}", edition.node),
                        )
                        .help("the one edition is 1"),
                    );
                }
                MatrixClause::Edition(edition) => head.edition = edition.node,
                // Read before everything else: dates need it.
                MatrixClause::Timezone(_) => {}
                MatrixClause::Otherwise(otherwise) => head.otherwise = self.otherwise(otherwise),
                MatrixClause::Unreadable(ast::Otherwise::Escalate(fallback)) => {
                    head.unreadable = self.fallback(fallback).map(Some);
                }
                MatrixClause::Unreadable(_) => head.unreadable = Some(None),
            }
        }
        let required = [
            ("edition", "edition 1"),
            ("timezone", "timezone \"Europe/Berlin\""),
            ("otherwise", "otherwise deny"),
            ("unreadable", "unreadable deny"),
        ];
        for (keyword, line) in required {
            let present = seen.iter().any(|(seen, _)| *seen == keyword)
                || block.broken.iter().any(|b| b == keyword);
            if !present {
                self.out.push(
                    Diagnostic::new(
                        codes::MATRIX_CLAUSE_MISSING,
                        block.keyword.span,
                        format!("the `matrix` block has no `{keyword}`"),
                    )
                    .help(format!("add a line such as `{line}`")),
                );
            }
        }
        head
    }

    fn otherwise(&mut self, otherwise: &'a ast::Otherwise) -> Option<Otherwise> {
        Some(match otherwise {
            ast::Otherwise::Allow => Otherwise::Allow,
            ast::Otherwise::Deny => Otherwise::Deny,
            ast::Otherwise::Escalate(fallback) => {
                Otherwise::Escalate(Box::new(self.fallback(fallback)?))
            }
        })
    }

    /// Whether a clause is the first with its keyword; a second one is a finding.
    pub(super) fn first_of_its_kind(
        &mut self,
        seen: &mut Vec<(&'static str, Span)>,
        keyword: &'static str,
        span: Span,
    ) -> bool {
        if let Some((_, first)) = seen.iter().find(|(seen, _)| *seen == keyword) {
            self.out.push(
                Diagnostic::new(
                    codes::DUPLICATE_CLAUSE,
                    span,
                    format!("a second `{keyword}`"),
                )
                .label(*first, "the first one")
                .help("keep one of them"),
            );
            return false;
        }
        seen.push((keyword, span));
        true
    }

    pub(super) fn action_id(&mut self, name: &Name) -> Option<ActionId> {
        let index = self.names.find(Sort::Action, name, &mut self.out)?;
        Some(ActionId(u32::try_from(index).unwrap_or(u32::MAX)))
    }

    /// Complains of names that stand twice in one list.
    pub(super) fn no_repetition(&mut self, names: &[Name]) {
        for (n, name) in names.iter().enumerate() {
            let first = names.iter().take(n).find(|first| first.node == name.node);
            if let Some(first) = first {
                self.out.push(
                    Diagnostic::new(
                        codes::NAMED_TWICE,
                        name.span,
                        format!("`{}` is named twice", name.node),
                    )
                    .label(first.span, "here already"),
                );
            }
        }
    }
}

fn count_examples(asts: &[Ast]) -> usize {
    let items = asts.iter().flat_map(|ast| &ast.items);
    items
        .map(|item| match &item.node {
            ItemKind::Scenario(_) => 1,
            ItemKind::Lane(lane) => {
                let examples = lane
                    .clauses
                    .iter()
                    .filter(|c| matches!(c.node, ast::Clause::Example(_)));
                examples.count()
            }
            _ => 0,
        })
        .sum()
}

/// The SHA-256 of the texts in the order in which they were read: for each the length of its text
/// in bytes as decimal, a line feed, and the text. The names of files do not count, so a matrix may
/// be moved.
fn digest(sources: &Sources) -> String {
    let mut hash = Sha256::new();
    for (_, source) in sources.iter() {
        hash.update(format!("{}\n", source.text().len()));
        hash.update(source.text());
    }
    hex::of(&hash.finalize())
}

/// How deep an expression may be, conditions included; see [`limits::EXPRESSION_DEPTH`].
pub(super) const DEPTH: usize = limits::EXPRESSION_DEPTH;
