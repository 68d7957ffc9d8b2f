//! Lanes, their clauses, and examples.
//!
//! In: the pairs of a lane. Out: a [`Lane`].
//! Invariant: a clause that cannot be read leaves its keyword in `broken`.

use super::complain::BlockRules;
use super::items::find;
use super::{Children, Lower, Node, Rule};
use crate::span::Spanned;
use crate::syntax::ast::{
    Clause, Evidence, EvidenceBlock, EvidenceLine, Example, Expect, History, Hold, Lane, Scope,
    Step, StepAction, TimeSpan, TimeoutBlock, Unsure, Urgency,
};

impl<'a> Lower<'a> {
    pub(super) fn lane(&mut self, mut parts: Children<'a>) -> Option<Lane> {
        let keyword = self.span(&parts.next()?);
        let name = self.declared(&parts.next()?);
        let (clauses, broken) = self.lines(parts, &BlockRules::LANE, Self::clause);
        Some(Lane {
            head: Spanned::new((), keyword.to(name.span)),
            name,
            clauses,
            broken,
        })
    }

    pub(super) fn clause(&mut self, node: Node<'a>) -> Option<Clause> {
        let rule = node.as_rule();
        if rule == Rule::example {
            return Some(Clause::Example(self.example(node.into_inner().last()?)?));
        }
        if rule == Rule::evidence {
            return Some(Clause::Evidence(self.evidence(node.into_inner())));
        }
        if rule == Rule::timeout {
            return Some(Clause::Timeout(self.timeout(node.into_inner())));
        }
        let parts: Vec<_> = node.into_inner().collect();
        let last = parts.last()?.clone();
        Some(match rule {
            Rule::when => Clause::When(self.cond(last)),
            Rule::unless => Clause::Unless(self.cond(last)),
            Rule::on => Clause::On(self.names(last)),
            Rule::also => Clause::Also(self.names(last)),
            Rule::about => Clause::About(self.string(&last)),
            Rule::operator => Clause::Operator(self.string(&last)),
            Rule::reversible => Clause::Reversible(self.string(&last)),
            Rule::owner => Clause::Owner(self.reference(&last)),
            Rule::group_by => Clause::GroupBy(self.paths(last)),
            Rule::respond => Clause::Respond(self.time_span(last)?),
            Rule::urgency => {
                Clause::Urgency(Spanned::new(urgency(last.as_str())?, self.span(&last)))
            }
            Rule::meanwhile => Clause::Meanwhile {
                hold: self.hold(&find(&parts, Rule::hold_word)?)?,
                scope: Spanned::new(scope(last.as_str())?, self.span(&last)),
            },
            Rule::trial => Clause::Trial(match find(&parts, Rule::numeric) {
                Some(date) => Some(self.date(&date)?),
                None => None,
            }),
            Rule::unsure => Clause::Unsure(match parts.get(1)?.as_rule() {
                Rule::kw_escalate => Unsure::Escalate,
                Rule::kw_deny => Unsure::Deny,
                _ => Unsure::Skip(self.because(&parts)?),
            }),
            _ => return None,
        })
    }

    fn hold(&self, node: &Node<'a>) -> Option<Spanned<Hold>> {
        let all = [
            Hold::Continue,
            Hold::Degrade,
            Hold::Slow,
            Hold::Park,
            Hold::Hold,
            Hold::Block,
            Hold::Deny,
        ];
        let hold = all
            .into_iter()
            .find(|hold| hold.as_str() == node.as_str())?;
        Some(Spanned::new(hold, self.span(node)))
    }

    fn time_span(&mut self, node: Node<'a>) -> Option<TimeSpan> {
        let parts: Vec<_> = node.into_inner().collect();
        let length = self.duration(&find(&parts, Rule::numeric)?)?;
        let of = find(&parts, Rule::word).map(|name| self.reference(&name));
        Some(TimeSpan { length, of })
    }

    fn evidence(&mut self, mut parts: Children<'a>) -> EvidenceBlock {
        parts.next();
        let (lines, broken) = self.lines(parts, &BlockRules::EVIDENCE, |lower, pair| {
            let mut parts = pair.into_inner();
            let required = parts.next()?.as_rule() == Rule::kw_required;
            let mut items = Vec::new();
            for item in parts {
                let span = lower.span(&item);
                items.push(Spanned::new(lower.evidence_item(item)?, span));
            }
            Some(EvidenceLine { required, items })
        });
        EvidenceBlock { lines, broken }
    }

    fn evidence_item(&mut self, node: Node<'a>) -> Option<Evidence> {
        let parts: Vec<_> = node.into_inner().collect();
        let first = parts.first()?;
        Some(match first.as_rule() {
            Rule::kw_input => Evidence::Input,
            Rule::kw_action => Evidence::Action,
            Rule::kw_trigger => Evidence::Trigger,
            Rule::kw_context => Evidence::Context,
            Rule::kw_links => Evidence::Links,
            Rule::kw_history => Evidence::History(match find(&parts, Rule::numeric) {
                Some(count) => Some(self.count(&count)?),
                None => None,
            }),
            _ => Evidence::Label(self.string(first).node),
        })
    }

    fn timeout(&mut self, mut parts: Children<'a>) -> TimeoutBlock {
        parts.next();
        let (steps, broken) = self.lines(parts, &BlockRules::TIMEOUT, |lower, pair| {
            let parts: Vec<_> = pair.into_inner().collect();
            let every = parts.first()?.as_rule() == Rule::kw_every;
            let span = lower.time_span(find(&parts, Rule::time_span)?)?;
            let action = lower.step_action(parts.last()?.clone())?;
            Some(Step {
                every,
                span,
                action,
            })
        });
        TimeoutBlock { steps, broken }
    }

    fn step_action(&mut self, node: Node<'a>) -> Option<StepAction> {
        let rule = node.as_rule();
        let parts: Vec<_> = node.into_inner().collect();
        Some(match rule {
            Rule::kw_deny => StepAction::Deny,
            Rule::kw_expire => StepAction::Expire,
            Rule::step_allow => StepAction::Allow(self.because(&parts)?),
            Rule::step_route => StepAction::Route(self.reference(parts.last()?)),
            Rule::step_run => StepAction::Run(self.reference(parts.last()?)),
            Rule::step_notify if parts.last()?.as_rule() == Rule::kw_backup => {
                StepAction::NotifyBackup
            }
            Rule::step_notify => StepAction::Notify(self.reference(parts.last()?)),
            _ => return None,
        })
    }

    /// `example_body`, of an example or a scenario.
    pub(super) fn example(&mut self, node: Node<'a>) -> Option<Example> {
        let mut example = (None, None, None, Vec::new(), None, None, None);
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::string => example.0 = Some(self.string(&part)),
                Rule::word => example.1 = Some(self.reference(&part)),
                Rule::with => example.2 = Some(self.record(part.into_inner().last()?)),
                Rule::without => example.3 = self.paths(part.into_inner().last()?),
                Rule::moment => example.4 = Some(self.instant(&part.into_inner().last()?)?),
                Rule::before => example.5 = Some(self.before(part)?),
                Rule::expect => {
                    let span = self.span(&part);
                    example.6 = self.expect(part).map(|expect| Spanned::new(expect, span));
                }
                _ => {}
            }
        }
        Some(Example {
            title: example.0?,
            sample: example.1?,
            with: example.2,
            without: example.3,
            at: example.4,
            after: example.5,
            expect: example.6?,
        })
    }

    fn before(&mut self, node: Node<'a>) -> Option<History> {
        let parts: Vec<_> = node.into_inner().collect();
        let mut numerics = parts.iter().filter(|part| part.as_rule() == Rule::numeric);
        let count = self.integer(numerics.next()?);
        let over = self.duration(numerics.next()?);
        let sample = self.reference(&find(&parts, Rule::word)?);
        let with = match find(&parts, Rule::with) {
            Some(with) => Some(self.record(with.into_inner().last()?)),
            None => None,
        };
        Some(History {
            count: count?,
            sample,
            with,
            over: over?,
        })
    }

    fn expect(&mut self, node: Node<'a>) -> Option<Expect> {
        let parts: Vec<_> = node.into_inner().collect();
        let first = parts.first()?;
        Some(match first.as_rule() {
            Rule::kw_no => Expect::NoMatch,
            Rule::kw_unsure => Expect::Unsure,
            Rule::kw_unreadable => Expect::Unreadable,
            _ => {
                let by = find(&parts, Rule::word).map(|name| self.reference(&name));
                Expect::Verdict(self.verdict(first)?.node, by)
            }
        })
    }

    /// A count such as that of `history last 20`.
    fn count(&mut self, node: &Node<'a>) -> Option<u32> {
        let number = self.integer(node)?;
        if let Some(count) = u32::try_from(number.node)
            .ok()
            .filter(|count| (1..=10_000).contains(count))
        {
            return Some(count);
        }
        self.push(crate::diagnostic::Diagnostic::new(
            crate::diagnostic::codes::BAD_NUMBER,
            number.span,
            format!("`{}` is no count from 1 to 10000", number.node),
        ));
        None
    }
}

fn urgency(word: &str) -> Option<Urgency> {
    let all = [
        Urgency::Low,
        Urgency::Normal,
        Urgency::High,
        Urgency::Critical,
    ];
    all.into_iter().find(|urgency| urgency.as_str() == word)
}

fn scope(word: &str) -> Option<Scope> {
    let all = [Scope::Item, Scope::Workflow, Scope::System];
    all.into_iter().find(|scope| scope.as_str() == word)
}
