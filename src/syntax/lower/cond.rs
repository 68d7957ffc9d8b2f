//! Conditions and records.
//!
//! In: pairs of the rules `cond`, `unit`, `record` and their parts. Out: [`Cond`] and [`Record`].
//! Invariant: `and` and `or` never mix in one node; a line that cannot be read is
//! [`Cond::Broken`].

use super::complain::BlockRules;
use super::{Lower, Node, Rule};
use crate::diagnostic::{Diagnostic, codes};
use crate::span::{Span, Spanned};
use crate::syntax::ast::{
    Assignment, Block, Comparison, Cond, ContainsHow, Literal, Measure, MeasureFunction,
    MeasureTest, Operand, Path, Quantifier, Record, SetRef, Test, TestOp, TextHow, Value,
};

impl<'a> Lower<'a> {
    /// `cond` or `grouped`: units with joiners between them.
    pub(super) fn cond(&mut self, node: Node<'a>) -> Spanned<Cond> {
        let span = self.span(&node);
        let mut units = Vec::new();
        let mut joiners: Vec<&str> = Vec::new();
        let mut slices = Vec::new();
        for part in node.into_inner() {
            if part.as_rule() == Rule::joiner {
                joiners.push(part.as_str().trim());
            } else {
                slices.push(part.as_str().trim());
                units.push(self.unit(part));
            }
        }
        let has_or = joiners.contains(&"or");
        if has_or && joiners.contains(&"and") {
            self.mixed(span, &slices, &joiners);
            return Spanned::new(Cond::Broken, span);
        }
        let cond = match units.pop() {
            Some(only) if units.is_empty() => return only,
            Some(last) => {
                units.push(last);
                if has_or {
                    Cond::Or(units)
                } else {
                    Cond::And(units)
                }
            }
            None => Cond::Broken,
        };
        Spanned::new(cond, span)
    }

    fn mixed(&mut self, span: Span, slices: &[&str], joiners: &[&str]) {
        let tight = |tight: &str| {
            let mut runs: Vec<Vec<&str>> = Vec::new();
            for (n, slice) in slices.iter().enumerate() {
                let joined = n.checked_sub(1).and_then(|n| joiners.get(n)).copied() == Some(tight);
                match runs.last_mut().filter(|_| joined) {
                    Some(run) => run.push(slice),
                    None => runs.push(vec![slice]),
                }
            }
            let loose = if tight == "and" { " or " } else { " and " };
            let texts: Vec<String> = runs
                .iter()
                .map(|run| match run.as_slice() {
                    [one] => (*one).to_owned(),
                    many => format!("({})", many.join(&format!(" {tight} "))),
                })
                .collect();
            texts.join(loose)
        };
        let (first, second) = (tight("and"), tight("or"));
        let found = Diagnostic::new(
            codes::MIXED_AND_OR,
            span,
            "`and` and `or` stand side by side, and could be read in two ways",
        )
        .help(format!("write `{first}` or `{second}`"))
        .guess("read `and` first", span, first);
        self.push(found);
    }

    fn unit(&mut self, node: Node<'a>) -> Spanned<Cond> {
        let span = self.span(&node);
        let cond = match node.as_rule() {
            Rule::negation => {
                let inner = node
                    .into_inner()
                    .find(|part| part.as_rule() != Rule::kw_not);
                match inner {
                    Some(inner) => Cond::Not(Box::new(self.unit(inner))),
                    None => Cond::Broken,
                }
            }
            Rule::group => match node.into_inner().next() {
                // The parentheses leave no trace: the printer puts them where they are needed.
                Some(inner) => return self.cond(inner),
                None => Cond::Broken,
            },
            Rule::block => self.block(node),
            Rule::measure_test => self.measure_test(node),
            Rule::operand_test => self.operand_test(node),
            _ => Cond::Broken,
        };
        Spanned::new(cond, span)
    }

    fn block(&mut self, node: Node<'a>) -> Cond {
        let mut parts = node.into_inner();
        let Some(head) = parts.next() else {
            return Cond::Broken;
        };
        let span = self.span(&head);
        let mut words = head.into_inner();
        let quantifier = match words.next().map(|w| w.as_rule()) {
            Some(Rule::kw_any) => Some(Quantifier::Any),
            Some(Rule::kw_all) => Some(Quantifier::All),
            Some(Rule::kw_none) => Some(Quantifier::None),
            _ => words
                .find(|w| w.as_rule() == Rule::numeric)
                .and_then(|n| self.integer(&n))
                // A count out of range is said by the check: it is no mistake of form.
                .map(|n| Quantifier::AtLeast(u32::try_from(n.node.max(0)).unwrap_or(u32::MAX))),
        };
        let mut conds = Vec::new();
        for part in parts {
            if part.as_rule() == Rule::bad_cond {
                let range = part.as_span().start()..part.as_span().end();
                let span = self.span(&part);
                self.complain_line(range, &BlockRules::COND);
                conds.push(Spanned::new(Cond::Broken, span));
            } else {
                conds.push(self.cond(part));
            }
        }
        match quantifier {
            Some(quantifier) => Cond::Block(Block {
                quantifier: Spanned::new(quantifier, span),
                conds,
            }),
            None => Cond::Broken,
        }
    }

    fn measure_test(&mut self, node: Node<'a>) -> Cond {
        let mut parts = node.into_inner();
        let (Some(measure), Some(op), Some(value)) = (parts.next(), parts.next(), parts.next())
        else {
            return Cond::Broken;
        };
        let span = self.span(&measure);
        let op = comparison(&op);
        let value = self.literal(value);
        match self.measure(measure) {
            Some(measure) => Cond::Measure(MeasureTest {
                measure: Spanned::new(measure, span),
                op,
                value,
            }),
            None => Cond::Broken,
        }
    }

    fn measure(&mut self, node: Node<'a>) -> Option<Measure> {
        let mut function = None;
        let mut kind = None;
        let mut filter = None;
        let mut by = Vec::new();
        let mut over = None;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::measure_of => function = self.measure_function(part),
                Rule::word => kind = Some(self.reference(&part)),
                Rule::paths => by = self.paths(part),
                Rule::numeric => over = self.duration(&part),
                Rule::negation
                | Rule::group
                | Rule::block
                | Rule::measure_test
                | Rule::operand_test => {
                    filter = Some(Box::new(self.unit(part)));
                }
                _ => {}
            }
        }
        Some(Measure {
            function: function?,
            kind: kind?,
            filter,
            by,
            over: over?,
        })
    }

    fn measure_function(&mut self, node: Node<'a>) -> Option<MeasureFunction> {
        let mut parts = node.into_inner();
        let word = parts.next()?;
        let path = parts.find(|part| part.as_rule() == Rule::path);
        Some(match (word.as_rule(), path) {
            (Rule::kw_sum, Some(path)) => MeasureFunction::Sum(self.reference(&path)),
            (Rule::kw_distinct, Some(path)) => MeasureFunction::Distinct(self.reference(&path)),
            _ => MeasureFunction::Count,
        })
    }

    pub(super) fn paths(&mut self, node: Node<'a>) -> Vec<Path> {
        node.into_inner()
            .map(|path| self.reference(&path))
            .collect()
    }

    fn operand_test(&mut self, node: Node<'a>) -> Cond {
        let mut parts = node.into_inner();
        let Some(path) = parts.next() else {
            return Cond::Broken;
        };
        let path = self.reference(&path);
        let Some(test) = parts.next() else {
            return Cond::Name(path);
        };
        let span = self.span(&test);
        let if_present = parts.next().map(|part| Spanned::new((), self.span(&part)));
        let op = test
            .into_inner()
            .next()
            .and_then(|test| self.test(test, &path));
        match op {
            Some(op) => Cond::Test(Test {
                path,
                op: Spanned::new(op, span),
                if_present,
            }),
            None => Cond::Broken,
        }
    }

    fn test(&mut self, node: Node<'a>, path: &Path) -> Option<TestOp> {
        let rule = node.as_rule();
        let span = self.span(&node);
        let text = node.as_str();
        let mut parts: Vec<Node<'a>> = node.into_inner().collect();
        let not = parts.iter().any(|part| part.as_rule() == Rule::kw_not);
        parts.retain(|part| part.as_rule() != Rule::kw_not);
        let has = |parts: &[Node<'a>], rule| parts.iter().any(|part| part.as_rule() == rule);
        match rule {
            Rule::test_is => self.test_is(parts, not, span, path),
            Rule::test_in => Some(TestOp::In {
                not,
                set: self.set_ref(parts.pop()?),
            }),
            Rule::test_contains_set => {
                let how = if has(&parts, Rule::kw_any) {
                    ContainsHow::Any
                } else if has(&parts, Rule::kw_all) {
                    ContainsHow::All
                } else {
                    ContainsHow::None
                };
                Some(TestOp::ContainsSet {
                    how,
                    set: self.set_ref(parts.pop()?),
                })
            }
            Rule::test_text => {
                let how = if has(&parts, Rule::kw_starts) {
                    TextHow::StartsWith
                } else if has(&parts, Rule::kw_ends) {
                    TextHow::EndsWith
                } else if has(&parts, Rule::kw_contains) {
                    TextHow::Contains
                } else {
                    TextHow::Like
                };
                let text = self.string(&parts.pop()?);
                Some(TestOp::Text { not, how, text })
            }
            Rule::test_matches => {
                let pattern = parts.pop()?;
                let span = self.span(&pattern);
                let raw = pattern.as_str();
                let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
                Some(TestOp::Matches {
                    not,
                    pattern: Spanned::new(inner.to_owned(), span),
                })
            }
            Rule::test_same => Some(TestOp::SameAs(self.reference(&parts.pop()?))),
            Rule::test_differs => Some(TestOp::DiffersFrom(self.reference(&parts.pop()?))),
            Rule::test_age => {
                let older = has(&parts, Rule::kw_older);
                let age = self.duration(&parts.pop()?)?;
                Some(if older {
                    TestOp::OlderThan(age)
                } else {
                    TestOp::NewerThan(age)
                })
            }
            Rule::test_order => {
                let op = order_of(text);
                Some(TestOp::Compare(op, self.operand(parts.pop()?)))
            }
            _ => None,
        }
    }

    fn test_is(
        &mut self,
        mut parts: Vec<Node<'a>>,
        not: bool,
        span: Span,
        path: &Path,
    ) -> Option<TestOp> {
        let last = parts.pop()?;
        let word = parts.pop().map(|part| part.as_rule());
        let opposite = match (last.as_rule(), word) {
            (Rule::kw_missing, _) if !not => return Some(TestOp::Missing),
            (Rule::kw_present, _) if !not => return Some(TestOp::Present),
            (Rule::word, Some(Rule::kw_inside)) if !not => {
                return Some(TestOp::Inside(self.reference(&last)));
            }
            (Rule::word, Some(Rule::kw_outside)) if !not => {
                return Some(TestOp::Outside(self.reference(&last)));
            }
            (Rule::kw_missing, _) => "is present".to_owned(),
            (Rule::kw_present, _) => "is missing".to_owned(),
            (Rule::word, Some(Rule::kw_inside)) => format!("is outside {}", last.as_str()),
            (Rule::word, Some(Rule::kw_outside)) => format!("is inside {}", last.as_str()),
            _ => {
                let op = if not {
                    Comparison::IsNot
                } else {
                    Comparison::Is
                };
                return Some(TestOp::Compare(op, self.operand(last)));
            }
        };
        self.push(
            Diagnostic::new(
                codes::IS_NOT_MISSING,
                span,
                format!("say `{} {opposite}`, without `not`", path.node),
            )
            .safe_fix(format!("write `{opposite}`"), span, opposite),
        );
        None
    }

    fn operand(&mut self, node: Node<'a>) -> Operand {
        let span = self.span(&node);
        let parts: Vec<Node<'a>> = node.into_inner().collect();
        match parts.first() {
            Some(path) if path.as_rule() == Rule::path && path.as_str().contains('.') => {
                Operand::Path(self.reference(path))
            }
            _ => Operand::Value(Spanned::new(self.literal_value(parts), span)),
        }
    }

    fn set_ref(&mut self, node: Node<'a>) -> SetRef {
        if node.as_rule() == Rule::set {
            SetRef::Set(self.set(node))
        } else {
            SetRef::List(self.reference(&node))
        }
    }

    fn set(&mut self, node: Node<'a>) -> Spanned<Vec<Spanned<Value>>> {
        let span = self.span(&node);
        let values = node.into_inner().map(|value| self.literal(value)).collect();
        Spanned::new(values, span)
    }

    /// `literal` or `set`.
    pub(super) fn one_or_set(&mut self, node: Node<'a>) -> Literal {
        if node.as_rule() == Rule::set {
            Literal::Set(self.set(node))
        } else {
            Literal::One(self.literal(node))
        }
    }

    pub(super) fn record(&mut self, node: Node<'a>) -> Record {
        let (fields, broken) = self.lines(node.into_inner(), &BlockRules::RECORD, |lower, pair| {
            let mut parts = pair.into_inner();
            let path = lower.reference(&parts.next()?);
            let value = lower.one_or_set(parts.next()?);
            Some(Assignment { path, value })
        });
        Record { fields, broken }
    }
}

fn comparison(node: &Node<'_>) -> Comparison {
    let text = node.as_str().trim();
    if text.starts_with("is") {
        return if text.ends_with("not") {
            Comparison::IsNot
        } else {
            Comparison::Is
        };
    }
    order_of(text)
}

fn order_of(text: &str) -> Comparison {
    if text.starts_with("<=") {
        Comparison::LessOrEqual
    } else if text.starts_with(">=") {
        Comparison::GreaterOrEqual
    } else if text.starts_with('<') {
        Comparison::Less
    } else {
        Comparison::Greater
    }
}
