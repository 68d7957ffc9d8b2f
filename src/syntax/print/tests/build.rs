//! Parts of trees without a source.

use crate::clock::Duration;
use crate::span::{Span, Spanned};
use crate::syntax::ast::*;
use crate::syntax::print::print;

pub(super) fn at<T>(node: T) -> Spanned<T> {
    Spanned::new(node, Span::default())
}

pub(super) fn name(text: &str) -> Name {
    at(text.to_owned())
}

pub(super) fn names(text: &str) -> Vec<Name> {
    text.split(' ').map(name).collect()
}

pub(super) fn word(text: &str) -> Spanned<Value> {
    at(Value::Word(text.to_owned()))
}

pub(super) fn words(text: &str) -> Spanned<Vec<Spanned<Value>>> {
    at(text.split(' ').map(word).collect())
}

pub(super) fn number(text: &str) -> Spanned<Value> {
    at(Value::Number(text.to_owned()))
}

pub(super) fn minutes(count: u64) -> Spanned<Duration> {
    at(Duration::from_minutes(count))
}

pub(super) fn item(kind: ItemKind) -> String {
    items(vec![kind])
}

pub(super) fn items(kinds: Vec<ItemKind>) -> String {
    let items = kinds.into_iter().map(at).collect();
    print(&Ast { items }, "", &[])
}

pub(super) fn lane(clauses: Vec<Clause>) -> String {
    item(ItemKind::Lane(Lane {
        head: Spanned::new((), Span::default()),
        name: name("l"),
        clauses: clauses.into_iter().map(at).collect(),
        broken: Vec::new(),
    }))
}

pub(super) fn is(text: &str) -> Cond {
    Cond::Name(name(text))
}

pub(super) fn all(conds: Vec<Cond>) -> Cond {
    Cond::And(conds.into_iter().map(at).collect())
}

pub(super) fn either(conds: Vec<Cond>) -> Cond {
    Cond::Or(conds.into_iter().map(at).collect())
}

pub(super) fn not(cond: Cond) -> Cond {
    Cond::Not(Box::new(at(cond)))
}

pub(super) fn block(quantifier: Quantifier, conds: Vec<Cond>) -> Cond {
    Cond::Block(Block {
        quantifier: at(quantifier),
        conds: conds.into_iter().map(at).collect(),
    })
}

pub(super) fn test(op: TestOp) -> Cond {
    Cond::Test(Test {
        path: name("a.b"),
        op: at(op),
        if_present: None,
    })
}

pub(super) fn measure(filter: Option<Cond>) -> MeasureTest {
    MeasureTest {
        measure: at(Measure {
            function: MeasureFunction::Count,
            kind: name("call"),
            filter: filter.map(|cond| Box::new(at(cond))),
            by: names("user a.b"),
            over: minutes(10),
        }),
        op: Comparison::Greater,
        value: number("3"),
    }
}

pub(super) fn record(fields: &[(&str, Literal)]) -> Record {
    let field = |(path, value): &(&str, Literal)| {
        at(Assignment {
            path: name(path),
            value: value.clone(),
        })
    };
    Record {
        fields: fields.iter().map(field).collect(),
        broken: Vec::new(),
    }
}

pub(super) fn example(title: &str) -> Example {
    Example {
        title: name(title),
        sample: name("good"),
        with: None,
        without: Vec::new(),
        at: None,
        after: None,
        expect: at(Expect::NoMatch),
    }
}

pub(super) fn step(every: bool, count: u64, action: StepAction) -> Spanned<Step> {
    at(Step {
        every,
        span: TimeSpan {
            length: minutes(count),
            of: (!every).then(|| name("office_hours")),
        },
        action,
    })
}
