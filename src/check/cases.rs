//! Samples, examples and scenarios.
//!
//! In: their items. Out: typed records and cases.
//! Invariant: a value outside its field's range stands only where the case expects the event to be
//! unreadable.

use std::collections::BTreeMap;

use super::build::Checker;
use super::fields::Scope;
use super::names::Sort;
use crate::calendar::example_instant;
use crate::clock::without_leap;
use crate::diagnostic::{Diagnostic, codes};
use crate::limits;
use crate::matrix::{Before, Case, Expect, LaneId, Record, Sample};
use crate::schema::{FieldId, KindId};
use crate::span::Span;
use crate::syntax::ast;
use crate::value::Value;

impl<'a> Checker<'a> {
    pub(super) fn sample(&mut self, item: &'a ast::Sample) -> Option<Sample> {
        let kind = self.names.find(Sort::Kind, &item.kind, &mut self.out);
        let kind = KindId(u32::try_from(kind?).unwrap_or(u32::MAX));
        let values = self.record(kind, &item.record, true)?;
        Some(Sample {
            name: item.name.node.clone(),
            record: Record { kind, values },
            span: item.name.span,
        })
    }

    fn scope_of(&self, kind: KindId) -> Scope {
        Scope {
            kinds: vec![kind],
            complete: !self.kinds_in_part.contains(&kind),
            in_measure: false,
        }
    }

    /// The typed fields of a record; with `ranged`, within their declared ranges.
    fn record(
        &mut self,
        kind: KindId,
        record: &'a ast::Record,
        ranged: bool,
    ) -> Option<BTreeMap<FieldId, Value>> {
        let scope = self.scope_of(kind);
        let mut values = BTreeMap::new();
        let mut all = record.broken.is_empty();
        let mut seen: BTreeMap<FieldId, Span> = BTreeMap::new();
        for assignment in &record.fields {
            let field = self.field(&scope, &assignment.node.path);
            let typed = field.and_then(|field| {
                let literal = &assignment.node.value;
                let value = self.literal(&field.ty, literal)?;
                (!ranged || self.in_range(&field.ty, &value, literal.span()))
                    .then_some((field.id, value))
            });
            let Some((id, value)) = typed else {
                all = false;
                continue;
            };
            if let Some(first) = seen.insert(id, assignment.node.path.span) {
                self.out.push(
                    Diagnostic::new(
                        codes::DUPLICATE_FIELD,
                        assignment.node.path.span,
                        format!("`{}` is set twice", assignment.node.path.node),
                    )
                    .label(first, "set here already"),
                );
                all = false;
            }
            values.insert(id, value);
        }
        all.then_some(values)
    }

    /// A sample with changes.
    fn changed(
        &mut self,
        sample: &'a ast::Name,
        with: Option<&'a ast::Record>,
        without: &'a [ast::Path],
        ranged: bool,
    ) -> Option<Record> {
        let index = self.names.find(Sort::Sample, sample, &mut self.out)?;
        let mut record = self.samples.get(index)?.as_ref()?.record.clone();
        let with = match with {
            Some(with) => self.record(record.kind, with, ranged),
            None => Some(BTreeMap::new()),
        };
        let scope = self.scope_of(record.kind);
        self.no_repetition(without);
        let without: Vec<_> = without
            .iter()
            .map(|path| self.field(&scope, path))
            .collect();
        record.values.extend(with?);
        for field in without {
            record.values.remove(&field?.id);
        }
        Some(record)
    }

    /// An example of a lane, or a scenario.
    pub(super) fn case(
        &mut self,
        example: &'a ast::Example,
        span: Span,
        lane: Option<(LaneId, &'a ast::Lane)>,
    ) -> Option<Case> {
        let expect = self.expect(example, lane.is_some());
        let unreadable = match &expect {
            Some(Expect::Unreadable) => true,
            Some(Expect::Verdict(_, by)) => by.as_deref() == Some("unreadable"),
            _ => false,
        };
        let record = self.changed(
            &example.sample,
            example.with.as_ref(),
            &example.without,
            !unreadable,
        );
        let before = example.after.as_ref().map(|history| self.before(history));
        let record = record?;
        let at = match (&example.at, record.values.get(&FieldId::AT)) {
            (Some(at), _) => without_leap(at.node.to_utc()),
            (None, Some(Value::Timestamp(at))) => *at,
            _ => example_instant(self.zone),
        };
        Some(Case {
            title: example.title.node.clone(),
            span,
            lane: lane.map(|(id, _)| id),
            record,
            at,
            before: match before {
                Some(before) => Some(before?),
                None => None,
            },
            expect: expect?,
        })
    }

    fn before(&mut self, history: &'a ast::History) -> Option<Before> {
        let count = u32::try_from(history.count.node).ok();
        let count = count.filter(|count| (1..=limits::EXAMPLE_EVENTS).contains(count));
        if count.is_none() {
            self.out.push(Diagnostic::new(
                codes::BAD_HISTORY,
                history.count.span,
                format!(
                    "`{}` is no count from 1 to {}",
                    history.count.node,
                    limits::EXAMPLE_EVENTS
                ),
            ));
        }
        if history.over.node.as_millis() == 0 {
            self.out.push(Diagnostic::new(
                codes::BAD_HISTORY,
                history.over.span,
                "the events before lie spread over some time",
            ));
            return None;
        }
        let record = self.changed(&history.sample, history.with.as_ref(), &[], true);
        Some(Before {
            count: count?,
            record: record?,
            over: history.over.node,
        })
    }

    fn expect(&mut self, example: &'a ast::Example, in_lane: bool) -> Option<Expect> {
        Some(match &example.expect.node {
            ast::Expect::Unreadable => Expect::Unreadable,
            ast::Expect::NoMatch | ast::Expect::Unsure if !in_lane => {
                self.out.push(
                    Diagnostic::new(
                        codes::NOT_FOR_SCENARIO,
                        example.expect.span,
                        "this speaks of a lane, and a scenario belongs to none",
                    )
                    .help("expect a verdict: `allow`, `deny`, `escalate` or `adjust`, with `by NAME` if it matters"),
                );
                return None;
            }
            ast::Expect::NoMatch => Expect::NoMatch,
            ast::Expect::Unsure => Expect::Unsure,
            ast::Expect::Verdict(verdict, None) => Expect::Verdict(*verdict, None),
            ast::Expect::Verdict(verdict, Some(by)) => {
                if !matches!(by.node.as_str(), "otherwise" | "unreadable") {
                    self.names.find(Sort::Decider, by, &mut self.out)?;
                }
                Expect::Verdict(*verdict, Some(by.node.clone()))
            }
        })
    }
}
