//! Lanes, rules and promises.
//!
//! In: their items. Out: their checked forms, or `None` after a finding.
//! Invariant: a lane has each of its required clauses exactly once.

use super::build::Checker;
use super::fields::Scope;
use super::terms::Given;
use crate::calendar::start_of_day;
use crate::diagnostic::{Diagnostic, codes};
use crate::matrix::{Claim, Effect, Lane, LaneId, Promise, Rule, RuleId, Trial, Unsure};
use crate::span::{Span, Spanned};
use crate::syntax::ast::{self, Clause, Cond, Name, RuleEffect, Urgency};

/// The clauses that every lane has, each with a line that could be added.
const REQUIRED: [(&str, &str); 8] = [
    ("on", "on KIND"),
    ("when", "when CONDITION"),
    ("owner", "owner TEAM"),
    ("urgency", "urgency normal"),
    ("respond within", "respond within 1h"),
    ("meanwhile", "meanwhile hold item"),
    (
        "evidence",
        "evidence {\n    required input, action, trigger\n  }",
    ),
    ("timeout", "timeout {\n    after 4h deny\n  }"),
];

/// The clauses of a lane that are no terms.
#[derive(Default)]
struct Clauses<'a> {
    given: Given<'a>,
    about: Option<&'a str>,
    on: Option<&'a [Name]>,
    when: Option<&'a Spanned<Cond>>,
    unless: Option<&'a Spanned<Cond>>,
    unsure: Option<(&'a ast::Unsure, Span)>,
    trial: Option<Option<chrono::NaiveDate>>,
    group_by: &'a [Name],
    also: &'a [Name],
    operator: Option<&'a str>,
    reversible: Option<&'a str>,
    examples: Vec<(&'a ast::Example, Span)>,
}

impl<'a> Checker<'a> {
    pub(super) fn lane(&mut self, item: &'a ast::Lane) -> Option<Lane> {
        let clauses = self.clauses(item);
        self.required(item, &clauses);
        let id = self.lane_id(&item.name);
        let scope = match clauses.on {
            Some(on) => self.scope(on),
            None => Scope {
                kinds: Vec::new(),
                complete: false,
                in_measure: false,
            },
        };
        let terms = self.terms(&clauses.given);
        let when = clauses.when.map(|cond| self.expr(&scope, cond));
        let unless = clauses.unless.map(|cond| self.expr(&scope, cond));
        let unsure = self.unsure(&clauses);
        self.no_repetition(clauses.group_by);
        let group_by: Vec<_> = clauses
            .group_by
            .iter()
            .map(|path| self.field(&scope, path))
            .collect();
        self.no_repetition(clauses.also);
        let also: Vec<_> = clauses
            .also
            .iter()
            .map(|name| self.action_id(name))
            .collect();
        let examples: Vec<_> = clauses
            .examples
            .iter()
            .map(|(example, span)| self.case(example, *span, Some((id, item))))
            .collect();
        let complete =
            item.broken.is_empty() && REQUIRED.iter().all(|(keyword, _)| has(&clauses, keyword));
        let (when, terms) = (when.flatten()?, terms?);
        let unless = match unless {
            Some(unless) => Some(unless?),
            None => None,
        };
        complete.then_some(())?;
        Some(Lane {
            id,
            name: item.name.node.clone(),
            head: item.head.span,
            about: clauses.about.map(str::to_owned),
            on: scope.complete.then_some(scope.kinds)?,
            when,
            unless,
            unsure: unsure?,
            trial: clauses.trial.map(|until| Trial {
                until: until.map(|day| start_of_day(self.zone, day)),
            }),
            group_by: group_by
                .into_iter()
                .map(|field| Some(field?.id))
                .collect::<Option<_>>()?,
            terms,
            also: also.into_iter().collect::<Option<_>>()?,
            operator: clauses.operator.map(str::to_owned),
            reversible: clauses.reversible.map(str::to_owned),
            examples: examples.into_iter().collect::<Option<_>>()?,
        })
    }

    fn clauses(&mut self, item: &'a ast::Lane) -> Clauses<'a> {
        let mut out = Clauses::default();
        out.given.broken = &item.broken;
        let mut seen = Vec::new();
        for clause in &item.clauses {
            if let Clause::Example(example) = &clause.node {
                out.examples.push((example, clause.span));
                continue;
            }
            if !self.first_of_its_kind(&mut seen, clause.node.keyword(), clause.span)
                || out.given.take(clause)
            {
                continue;
            }
            match &clause.node {
                Clause::About(text) => out.about = Some(&text.node),
                Clause::On(on) => out.on = Some(on),
                Clause::When(cond) => out.when = Some(cond),
                Clause::Unless(cond) => out.unless = Some(cond),
                Clause::Unsure(unsure) => out.unsure = Some((unsure, clause.span)),
                Clause::Trial(until) => out.trial = Some(until.as_ref().map(|day| day.node)),
                Clause::GroupBy(paths) => out.group_by = paths,
                Clause::Also(names) => out.also = names,
                Clause::Operator(text) => out.operator = Some(&text.node),
                Clause::Reversible(text) => {
                    out.reversible = Some(&text.node);
                    out.given.reversible = true;
                }
                _ => {}
            }
        }
        out
    }

    fn required(&mut self, item: &ast::Lane, clauses: &Clauses<'_>) {
        for (keyword, line) in REQUIRED {
            let word = keyword.split(' ').next().unwrap_or(keyword);
            if has(clauses, keyword) || item.broken.iter().any(|broken| broken == word) {
                continue;
            }
            self.out.push(
                Diagnostic::new(
                    codes::CLAUSE_MISSING,
                    item.head.span,
                    format!("the lane `{}` has no `{keyword}`", item.name.node),
                )
                .help(format!("add\n  {line}")),
            );
        }
    }

    fn lane_id(&self, name: &Name) -> LaneId {
        // Lanes are declared behind the rules, in one table; the id counts lanes only.
        let index = self
            .names
            .peek(super::names::Sort::Decider, &name.node)
            .unwrap_or(0);
        LaneId(u32::try_from(index.saturating_sub(self.rule_count)).unwrap_or(u32::MAX))
    }

    fn unsure(&mut self, clauses: &Clauses<'a>) -> Option<Unsure> {
        let Some((unsure, span)) = clauses.unsure else {
            return Some(Unsure::Escalate);
        };
        let urgency = clauses.given.urgency.map(|urgency| urgency.node);
        Some(match unsure {
            ast::Unsure::Escalate => Unsure::Escalate,
            ast::Unsure::Deny => {
                self.out.push(Diagnostic::new(
                    codes::OPT_OUT,
                    span,
                    "an event that this lane cannot rule out is denied",
                ));
                Unsure::Deny
            }
            ast::Unsure::Skip(because) => {
                if urgency.is_some_and(|urgency| urgency >= Urgency::High) {
                    self.out.push(
                        Diagnostic::new(
                            codes::SKIP_TOO_URGENT,
                            span,
                            "an urgent lane may not skip what it cannot rule out",
                        )
                        .help("`unsure skip` is for lanes of urgency `normal` and `low`"),
                    );
                    return None;
                }
                self.out.push(Diagnostic::new(
                    codes::OPT_OUT,
                    span,
                    format!(
                        "an event that this lane cannot rule out is skipped: {}",
                        because.node
                    ),
                ));
                Unsure::Skip(because.node.clone())
            }
        })
    }

    pub(super) fn rule(&mut self, item: &'a ast::Rule, span: Span) -> Option<Rule> {
        let scope = self.scope(&item.on);
        let when = self.expr(&scope, &item.when);
        let effect = match &item.effect {
            RuleEffect::Allow => Some(Effect::Allow),
            RuleEffect::Deny => Some(Effect::Deny),
            RuleEffect::Adjust(changes) => self.changes(&scope, changes).map(Effect::Adjust),
        };
        let index = self
            .names
            .peek(super::names::Sort::Decider, &item.name.node)
            .unwrap_or(0);
        Some(Rule {
            id: RuleId(u32::try_from(index).unwrap_or(u32::MAX)),
            name: item.name.node.clone(),
            head: Span {
                end: item.name.span.end,
                ..span
            },
            effect: effect?,
            on: scope.complete.then_some(scope.kinds)?,
            when: when?,
            because: item.because.as_ref().map(|because| because.node.clone()),
        })
    }

    fn changes(
        &mut self,
        scope: &Scope,
        changes: &'a [Spanned<ast::AdjustAssignment>],
    ) -> Option<Vec<(crate::schema::FieldId, crate::value::Value)>> {
        let paths: Vec<Name> = changes
            .iter()
            .map(|change| change.node.path.clone())
            .collect();
        self.no_repetition(&paths);
        let mut out = Vec::new();
        let mut all = true;
        for change in changes {
            let path = &change.node.path;
            if path.node == "at" {
                self.out.push(
                    Diagnostic::new(
                        codes::RESERVED_FIELD,
                        path.span,
                        "an adjust cannot change `at`",
                    )
                    .help("`at` says when the event happened"),
                );
                all = false;
                continue;
            }
            let value = self.field(scope, path).and_then(|field| {
                let value = self.value(&field.ty, &change.node.value)?;
                // The ranges may differ: an event of any of the kinds gets this value.
                let types: Vec<_> = scope
                    .kinds
                    .iter()
                    .filter_map(|kind| Some(self.schema.kind(*kind)?.field(field.id)?.ty.clone()))
                    .collect();
                let span = change.node.value.span;
                let fits = types.iter().all(|ty| self.in_range(ty, &value, span));
                fits.then_some((field.id, value))
            });
            match value {
                Some(change) => out.push(change),
                None => all = false,
            }
        }
        all.then_some(out)
    }

    pub(super) fn promise(&mut self, item: &'a ast::Promise, span: Span) -> Option<Promise> {
        let scope = self.scope(&item.on);
        let when = self.expr(&scope, &item.when);
        let claim = match &item.claim {
            ast::Claim::Reaches(team) => self.team_id(team).map(Claim::Reaches),
            ast::Claim::Never(verdict) => Some(Claim::Never(verdict.node)),
        };
        Some(Promise {
            title: item.title.node.clone(),
            span,
            on: scope.complete.then_some(scope.kinds)?,
            when: when?,
            claim: claim?,
        })
    }
}

fn has(clauses: &Clauses<'_>, keyword: &str) -> bool {
    match keyword {
        "on" => clauses.on.is_some(),
        "when" => clauses.when.is_some(),
        "owner" => clauses.given.owner.is_some(),
        "urgency" => clauses.given.urgency.is_some(),
        "respond within" => clauses.given.respond.is_some(),
        "meanwhile" => clauses.given.meanwhile.is_some(),
        "evidence" => clauses.given.evidence.is_some(),
        _ => clauses.given.timeout.is_some(),
    }
}
