//! Conditions, with parentheses only where the grammar needs them.

use crate::span::{Span, Spanned};
use crate::syntax::ast::{
    Block, Cond, ContainsHow, Measure, MeasureFunction, MeasureTest, Operand, Quantifier, SetRef,
    Test, TestOp,
};

use super::writer::Writer;

impl Writer<'_> {
    /// A condition. `span` is its place, for one that could not be read.
    pub(super) fn cond(&mut self, cond: &Cond, span: Span) {
        match cond {
            Cond::And(conds) => self.joined(conds, " and "),
            Cond::Or(conds) => self.joined(conds, " or "),
            Cond::Not(cond) => {
                self.put("not ");
                self.unit(cond);
            }
            Cond::Block(block) => self.cond_block(block),
            Cond::Measure(test) => self.measure_test(test),
            Cond::Test(test) => self.test(test),
            Cond::Name(name) => self.name(name),
            Cond::Broken => self.verbatim(span),
        }
    }

    pub(super) fn measure_test(&mut self, test: &MeasureTest) {
        self.measure(&test.measure.node);
        self.put(&format!(" {} ", test.op.as_str()));
        self.value(&test.value.node, test.value.span);
    }

    pub(super) fn measure(&mut self, measure: &Measure) {
        match &measure.function {
            MeasureFunction::Count => self.put("count of "),
            MeasureFunction::Sum(path) => self.put(&format!("sum {} of ", path.node)),
            MeasureFunction::Distinct(path) => self.put(&format!("distinct {} of ", path.node)),
        }
        self.name(&measure.kind);
        if let Some(filter) = &measure.filter {
            self.put(" where ");
            self.unit(filter);
        }
        if !measure.by.is_empty() {
            self.put(" by ");
            self.names(&measure.by);
        }
        self.put(&format!(" over {}", measure.over.node));
    }

    pub(super) fn test(&mut self, test: &Test) {
        self.name(&test.path);
        self.put(" ");
        self.test_op(&test.op.node);
        if test.if_present.is_some() {
            self.put(" if present");
        }
    }

    fn joined(&mut self, conds: &[Spanned<Cond>], word: &str) {
        for (i, cond) in conds.iter().enumerate() {
            if i > 0 {
                self.put(word);
            }
            self.unit(cond);
        }
    }

    /// A condition where the grammar wants a unit.
    fn unit(&mut self, cond: &Spanned<Cond>) {
        let needs_parens = matches!(cond.node, Cond::And(_) | Cond::Or(_));
        if needs_parens {
            self.put("(");
        }
        self.cond(&cond.node, cond.span);
        if needs_parens {
            self.put(")");
        }
    }

    fn cond_block(&mut self, block: &Block) {
        match block.quantifier.node {
            Quantifier::Any => self.put("any of"),
            Quantifier::All => self.put("all of"),
            Quantifier::None => self.put("none of"),
            Quantifier::AtLeast(count) => self.put(&format!("at least {count} of")),
        }
        self.block(block.quantifier.span, &block.conds, |w, cond| {
            w.cond(&cond.node, cond.span);
        });
    }

    fn test_op(&mut self, op: &TestOp) {
        match op {
            TestOp::Missing => self.put("is missing"),
            TestOp::Present => self.put("is present"),
            TestOp::Inside(calendar) => self.named("is inside ", calendar),
            TestOp::Outside(calendar) => self.named("is outside ", calendar),
            TestOp::In { not, set } => {
                self.negation(*not);
                self.put("in ");
                self.set_ref(set);
            }
            TestOp::ContainsSet { how, set } => {
                self.put(match how {
                    ContainsHow::Any => "contains any of ",
                    ContainsHow::All => "contains all of ",
                    ContainsHow::None => "contains none of ",
                });
                self.set_ref(set);
            }
            TestOp::Text { not, how, text } => {
                self.negation(*not);
                self.put(how.as_str());
                self.put(" ");
                self.string(text);
            }
            TestOp::Matches { not, pattern } => {
                self.negation(*not);
                self.put(&format!("matches /{}/", pattern.node));
            }
            TestOp::SameAs(path) => self.named("same as ", path),
            TestOp::DiffersFrom(path) => self.named("differs from ", path),
            TestOp::OlderThan(age) => self.put(&format!("older than {}", age.node)),
            TestOp::NewerThan(age) => self.put(&format!("newer than {}", age.node)),
            TestOp::Compare(op, operand) => {
                self.put(&format!("{} ", op.as_str()));
                match operand {
                    Operand::Value(value) => self.value(&value.node, value.span),
                    Operand::Path(path) => self.name(path),
                }
            }
        }
    }

    fn negation(&mut self, is_negated: bool) {
        if is_negated {
            self.put("not ");
        }
    }

    fn set_ref(&mut self, set: &SetRef) {
        match set {
            SetRef::Set(values) => self.set(&values.node),
            SetRef::List(name) => self.name(name),
        }
    }
}
