//! The top-level items but lanes.
//!
//! In: an item's pair. Out: an [`ItemKind`].
//! Invariant: an item comes back broken only where nothing of it can be used.

use super::complain::BlockRules;
use super::{Children, Lower, Node, Rule};
use crate::span::{Span, Spanned};
use crate::syntax::ast::{
    Action, AdjustAssignment, Calendar, CalendarClause, Claim, Condition, Contact, Event, Fallback,
    Field, FieldType, ItemKind, List, LiteralRange, MatrixBlock, MatrixClause, Name, Otherwise,
    Presence, Promise, Rule as RuleItem, RuleEffect, Sample, Team, TeamClause, Verdict, Weekday,
    Word,
};

/// The parts of a pair that are no keywords of its own.
pub(super) fn find<'a>(parts: &[Node<'a>], rule: Rule) -> Option<Node<'a>> {
    parts.iter().find(|part| part.as_rule() == rule).cloned()
}

impl<'a> Lower<'a> {
    pub(super) fn item_kind(&mut self, node: Node<'a>) -> Option<ItemKind> {
        let rule = node.as_rule();
        let parts = node.clone().into_inner();
        Some(match rule {
            Rule::lane_item => ItemKind::Lane(self.lane(parts)?),
            Rule::event_item => ItemKind::Event(self.event(parts)?),
            Rule::sample_item => ItemKind::Sample(self.sample(parts)?),
            Rule::team_item => ItemKind::Team(self.team(parts)?),
            Rule::matrix_item => ItemKind::Matrix(self.matrix(parts)?),
            Rule::import_item => ItemKind::Import(self.string(&parts.last()?)),
            Rule::calendar_item => ItemKind::Calendar(self.calendar(parts)?),
            Rule::action_item => ItemKind::Action(self.action(parts)?),
            Rule::list_item => ItemKind::List(self.list(parts)?),
            Rule::condition_item => ItemKind::Condition(self.condition(parts)?),
            Rule::rule_item | Rule::adjust_item => ItemKind::Rule(self.rule(parts)?),
            Rule::promise_item => ItemKind::Promise(self.promise(parts)?),
            Rule::scenario_item => ItemKind::Scenario(self.example(parts.last()?)?),
            _ => return None,
        })
    }

    fn matrix(&mut self, mut parts: Children<'a>) -> Option<MatrixBlock> {
        let keyword = Spanned::new((), self.span(&parts.next()?));
        let title = self.string(&parts.next()?);
        let (clauses, broken) = self.lines(parts, &BlockRules::MATRIX, Self::matrix_clause);
        Some(MatrixBlock {
            keyword,
            title,
            clauses,
            broken,
        })
    }

    fn matrix_clause(&mut self, node: Node<'a>) -> Option<MatrixClause> {
        let mut parts = node.into_inner();
        let (keyword, value) = (parts.next()?, parts.next()?);
        Some(match keyword.as_rule() {
            Rule::kw_edition => MatrixClause::Edition(self.integer(&value)?),
            Rule::kw_timezone => MatrixClause::Timezone(self.string(&value)),
            rule => {
                let otherwise = match value.as_rule() {
                    Rule::kw_allow => Otherwise::Allow,
                    Rule::kw_deny => Otherwise::Deny,
                    _ => Otherwise::Escalate(self.fallback(value)?),
                };
                if rule == Rule::kw_otherwise {
                    MatrixClause::Otherwise(otherwise)
                } else {
                    MatrixClause::Unreadable(otherwise)
                }
            }
        })
    }

    fn fallback(&mut self, node: Node<'a>) -> Option<Fallback> {
        let parts: Vec<_> = node.into_inner().collect();
        let team = self.reference(&find(&parts, Rule::word)?);
        let (clauses, broken) = match find(&parts, Rule::fallback_block) {
            Some(block) => {
                let (clauses, broken) =
                    self.lines(block.into_inner(), &BlockRules::FALLBACK, Self::clause);
                (Some(clauses), broken)
            }
            None => (None, Vec::new()),
        };
        Some(Fallback {
            team,
            clauses,
            broken,
        })
    }

    fn calendar(&mut self, mut parts: Children<'a>) -> Option<Calendar> {
        parts.next()?;
        let name = self.declared(&parts.next()?);
        let (clauses, broken) = self.lines(parts, &BlockRules::CALENDAR, Self::calendar_clause);
        Some(Calendar {
            name,
            clauses,
            broken,
        })
    }

    fn calendar_clause(&mut self, node: Node<'a>) -> Option<CalendarClause> {
        let parts: Vec<_> = node.into_inner().collect();
        let numerics: Vec<_> = parts
            .iter()
            .filter(|part| part.as_rule() == Rule::numeric)
            .collect();
        let first = parts.first()?;
        if first.as_rule() == Rule::kw_timezone {
            return Some(CalendarClause::Timezone(
                self.string(&find(&parts, Rule::string)?),
            ));
        }
        if first.as_rule() == Rule::kw_except {
            let from = self.date(numerics.first()?);
            let to = numerics.get(1).map(|to| self.date(to));
            return Some(CalendarClause::Except {
                from: from?,
                to: match to {
                    Some(to) => Some(to?),
                    None => None,
                },
            });
        }
        let mut days = parts.iter().filter(|part| part.as_rule() == Rule::day);
        let from = weekday(days.next()?.as_str())?;
        let to = days.next().and_then(|day| weekday(day.as_str()));
        let (open, close) = (
            self.time_of_day(numerics.first()?),
            self.time_of_day(numerics.get(1)?),
        );
        Some(CalendarClause::Hours {
            from,
            to,
            open: open?,
            close: close?,
        })
    }

    fn event(&mut self, mut parts: Children<'a>) -> Option<Event> {
        parts.next()?;
        let name = self.declared(&parts.next()?);
        let mut source = None;
        if parts
            .peek()
            .is_some_and(|part| part.as_rule() == Rule::kw_from)
        {
            parts.next();
            source = Some(self.string(&parts.next()?));
        }
        let (fields, broken) = self.lines(parts, &BlockRules::EVENT, Self::field);
        Some(Event {
            name,
            source,
            fields,
            broken,
        })
    }

    fn field(&mut self, node: Node<'a>) -> Option<Field> {
        let mut field = (None, Vec::new(), None, Presence::Required);
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::path => field.0 = Some(self.declared_path(&part)),
                Rule::source => {
                    let strings = part
                        .into_inner()
                        .filter(|part| part.as_rule() == Rule::string);
                    field.1 = strings.map(|string| self.string(&string)).collect();
                }
                Rule::type_ => field.2 = self.field_type(part),
                Rule::kw_optional => field.3 = Presence::Optional,
                Rule::default => {
                    field.3 = Presence::Default(self.one_or_set(part.into_inner().last()?))
                }
                _ => {}
            }
        }
        Some(Field {
            path: field.0?,
            source: field.1,
            ty: field.2?,
            presence: field.3,
        })
    }

    fn field_type(&mut self, node: Node<'a>) -> Option<Spanned<FieldType>> {
        let span = self.span(&node);
        let inner = node.into_inner().next()?;
        let rule = inner.as_rule();
        let parts: Vec<_> = inner.into_inner().collect();
        let range = match find(&parts, Rule::range) {
            Some(range) => Some(self.range(range)?),
            None => None,
        };
        let ty = match rule {
            Rule::type_yes_no => FieldType::YesNo,
            Rule::type_text => FieldType::Text {
                ignoring_case: find(&parts, Rule::kw_ignoring).is_some(),
            },
            Rule::type_whole => FieldType::Whole(range),
            Rule::type_number => FieldType::Number(range),
            Rule::type_money => {
                let currency = parts.get(1)?;
                FieldType::Money(self.reference(currency), range)
            }
            Rule::type_one_of => {
                let words = parts
                    .into_iter()
                    .filter(|part| part.as_rule() == Rule::enum_word);
                FieldType::OneOf(words.filter_map(|word| self.enum_word(word)).collect())
            }
            Rule::kw_timestamp => FieldType::Timestamp,
            Rule::kw_duration => FieldType::Duration,
            Rule::type_list => {
                FieldType::List(Box::new(self.field_type(find(&parts, Rule::type_)?)?))
            }
            _ => return None,
        };
        Some(Spanned::new(ty, span))
    }

    fn range(&mut self, node: Node<'a>) -> Option<LiteralRange> {
        let ends: Vec<_> = node
            .into_inner()
            .filter(|part| part.as_rule() == Rule::numeric)
            .collect();
        let (low, high) = (self.number(ends.first()?), self.number(ends.get(1)?));
        Some(LiteralRange {
            low: low?,
            high: high?,
        })
    }

    fn enum_word(&mut self, node: Node<'a>) -> Option<Spanned<Word>> {
        let span = self.span(&node);
        let inner = node.into_inner().next()?;
        let quoted = inner.as_rule() == Rule::string;
        let text = if quoted {
            self.string(&inner).node
        } else {
            inner.as_str().to_owned()
        };
        if !quoted {
            self.check_enum_word(&text, span);
        }
        Some(Spanned::new(Word { text, quoted }, span))
    }

    fn action(&mut self, mut parts: Children<'a>) -> Option<Action> {
        parts.next()?;
        let name = self.declared(&parts.next()?);
        let about = self.string(&parts.next()?);
        Some(Action { name, about })
    }

    fn sample(&mut self, parts: Children<'a>) -> Option<Sample> {
        let parts: Vec<_> = parts.collect();
        let mut words = parts.iter().filter(|part| part.as_rule() == Rule::word);
        let name = self.declared(words.next()?);
        let kind = self.reference(words.next()?);
        let record = self.record(find(&parts, Rule::record)?);
        Some(Sample { name, kind, record })
    }

    fn team(&mut self, mut parts: Children<'a>) -> Option<Team> {
        parts.next()?;
        let name = self.declared(&parts.next()?);
        let (clauses, broken) = self.lines(parts, &BlockRules::TEAM, Self::team_clause);
        Some(Team {
            name,
            clauses,
            broken,
        })
    }

    fn team_clause(&mut self, node: Node<'a>) -> Option<TeamClause> {
        let mut parts = node.into_inner();
        let keyword = parts.next()?.as_rule();
        if keyword == Rule::kw_quorum {
            let needed = self.integer(&parts.next()?);
            let of = self.integer(&parts.last()?);
            return Some(TeamClause::Quorum {
                needed: needed?,
                of: of?,
            });
        }
        let contacts = parts.filter_map(|contact| self.contact(contact)).collect();
        Some(if keyword == Rule::kw_first {
            TeamClause::First(contacts)
        } else {
            TeamClause::Backup(contacts)
        })
    }

    fn contact(&mut self, node: Node<'a>) -> Option<Spanned<Contact>> {
        let span = self.span(&node);
        let mut parts = node.into_inner();
        let group = parts.next()?.as_rule() == Rule::kw_group;
        let name = self.string(&parts.next()?).node;
        Some(Spanned::new(Contact { group, name }, span))
    }

    fn list(&mut self, parts: Children<'a>) -> Option<List> {
        let parts: Vec<_> = parts.collect();
        let name = self.declared(&find(&parts, Rule::word)?);
        let values = parts
            .into_iter()
            .filter(|part| part.as_rule() == Rule::literal);
        let values = values.map(|value| self.literal(value)).collect();
        Some(List { name, values })
    }

    fn condition(&mut self, parts: Children<'a>) -> Option<Condition> {
        let parts: Vec<_> = parts.collect();
        let name = self.declared(&find(&parts, Rule::word)?);
        let cond = self.cond(find(&parts, Rule::cond)?);
        Some(Condition { name, cond })
    }

    pub(super) fn names(&mut self, node: Node<'a>) -> Vec<Name> {
        node.into_inner()
            .map(|name| self.reference(&name))
            .collect()
    }

    fn rule(&mut self, parts: Children<'a>) -> Option<RuleItem> {
        let parts: Vec<_> = parts.collect();
        let name = self.declared(&find(&parts, Rule::word)?);
        let on = self.names(find(&parts, Rule::names)?);
        let when = self.cond(find(&parts, Rule::cond)?);
        let mut changes = Vec::new();
        for part in parts
            .iter()
            .filter(|part| part.as_rule() == Rule::adjustment)
        {
            let span = self.span(part);
            let mut inner = part.clone().into_inner();
            let path = self.reference(&inner.next()?);
            let value = self.literal(inner.next()?);
            changes.push(Spanned::new(AdjustAssignment { path, value }, span));
        }
        let effect = match parts.get(1).map(Node::as_rule) {
            Some(Rule::kw_allow) => RuleEffect::Allow,
            Some(Rule::kw_deny) => RuleEffect::Deny,
            _ => RuleEffect::Adjust(changes),
        };
        let because = self.because(&parts);
        Some(RuleItem {
            effect,
            name,
            on,
            when,
            because,
        })
    }

    pub(super) fn because(&mut self, parts: &[Node<'a>]) -> Option<Spanned<String>> {
        let because = find(parts, Rule::because)?;
        Some(self.string(&because.into_inner().last()?))
    }

    fn promise(&mut self, parts: Children<'a>) -> Option<Promise> {
        let parts: Vec<_> = parts.collect();
        let title = self.string(&find(&parts, Rule::string)?);
        let on = self.names(find(&parts, Rule::names)?);
        let when = self.cond(find(&parts, Rule::cond)?);
        let claim = find(&parts, Rule::claim)?.into_inner().last()?;
        let claim = if claim.as_rule() == Rule::verdict {
            Claim::Never(self.verdict(&claim)?)
        } else {
            Claim::Reaches(self.reference(&claim))
        };
        Some(Promise {
            title,
            on,
            when,
            claim,
        })
    }

    pub(super) fn verdict(&self, node: &Node<'a>) -> Option<Spanned<Verdict>> {
        let span: Span = self.span(node);
        let word = match node.clone().into_inner().next()?.as_rule() {
            Rule::kw_allow => Verdict::Allow,
            Rule::kw_deny => Verdict::Deny,
            Rule::kw_escalate => Verdict::Escalate,
            _ => Verdict::Adjust,
        };
        Some(Spanned::new(word, span))
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    Weekday::ALL.into_iter().find(|day| day.as_str() == word)
}
