//! Conditions, parentheses, the texts of one line, and trees whose places are not those of a parser.

use super::build::*;
use crate::clock::{Duration, parse_date, parse_written};
use crate::span::{FileId, Span, Spanned};
use crate::syntax::ast::*;
use crate::syntax::print::{
    cond_text, evidence_text, expect_text, literal_text, measure_test_text, measure_text, print,
    set_text, step_text, test_text, time_span_text, value_text,
};
use crate::syntax::scan::Comment;

#[test]
fn blocks_of_conditions_are_opened() {
    let any = |conds| block(Quantifier::Any, conds);
    let nested = any(vec![
        is("a"),
        all(vec![
            is("b"),
            block(Quantifier::None, vec![is("c")]),
            is("d"),
        ]),
        block(Quantifier::All, Vec::new()),
        Cond::Measure(measure(Some(any(vec![is("e")])))),
    ]);
    insta::assert_snapshot!(lane(vec![
        Clause::When(at(nested.clone())),
        Clause::Unless(at(not(either(vec![nested, is("z")])))),
    ]), @r"
    lane l {
      when any of {
        a
        b and none of {
          c
        } and d
        all of {
        }
        count of call where any of {
          e
        } by user, a.b over 10m > 3
      }
      unless not (any of {
        a
        b and none of {
          c
        } and d
        all of {
        }
        count of call where any of {
          e
        } by user, a.b over 10m > 3
      } or z)
    }
    ");
    let rule = Rule {
        effect: RuleEffect::Deny,
        name: name("r"),
        on: names("k"),
        when: at(any(vec![is("a")])),
        because: Some(name("why")),
    };
    insta::assert_snapshot!(item(ItemKind::Rule(rule)), @r#"
    always deny r on k when any of {
      a
    } because "why"
    "#);
}

#[test]
fn parentheses_only_where_they_are_needed() {
    let (a, b, c) = (|| is("a"), || is("b"), || is("c"));
    let filtered = |cond| Cond::Measure(measure(Some(cond)));
    for (cond, text) in [
        (all(vec![a(), either(vec![b(), c()])]), "a and (b or c)"),
        (either(vec![all(vec![a(), b()]), c()]), "(a and b) or c"),
        (all(vec![all(vec![a(), b()]), c()]), "(a and b) and c"),
        (not(all(vec![a(), b()])), "not (a and b)"),
        (all(vec![not(a()), not(not(b()))]), "not a and not not b"),
        (
            not(block(Quantifier::Any, vec![a(), b()])),
            "not any of { a, b }",
        ),
        (
            block(Quantifier::AtLeast(2), vec![all(vec![a(), b()])]),
            "at least 2 of { a and b }",
        ),
        (block(Quantifier::None, vec![]), "none of {}"),
        (
            filtered(either(vec![a(), b()])),
            "count of call where (a or b) by user, a.b over 10m > 3",
        ),
        (
            filtered(not(a())),
            "count of call where not a by user, a.b over 10m > 3",
        ),
        (Cond::Broken, "..."),
    ] {
        assert_eq!(cond_text(&cond), text);
    }
}

#[test]
fn every_test_in_one_line() {
    let set = || SetRef::Set(words("x Y"));
    let listed = || SetRef::List(name("k"));
    let text = |not, how| TestOp::Text {
        not,
        how,
        text: name("x*"),
    };
    let compare = TestOp::Compare;
    for (op, told) in [
        (TestOp::Missing, "is missing"),
        (TestOp::Present, "is present"),
        (TestOp::Inside(name("cal")), "is inside cal"),
        (TestOp::Outside(name("cal")), "is outside cal"),
        (
            TestOp::In {
                not: false,
                set: set(),
            },
            "in (x, \"Y\")",
        ),
        (
            TestOp::In {
                not: true,
                set: listed(),
            },
            "not in k",
        ),
        (
            TestOp::ContainsSet {
                how: ContainsHow::Any,
                set: listed(),
            },
            "contains any of k",
        ),
        (
            TestOp::ContainsSet {
                how: ContainsHow::All,
                set: set(),
            },
            "contains all of (x, \"Y\")",
        ),
        (
            TestOp::ContainsSet {
                how: ContainsHow::None,
                set: listed(),
            },
            "contains none of k",
        ),
        (text(false, TextHow::StartsWith), "starts with \"x*\""),
        (text(true, TextHow::EndsWith), "not ends with \"x*\""),
        (text(false, TextHow::Contains), "contains \"x*\""),
        (text(true, TextHow::Like), "not like \"x*\""),
        (
            TestOp::Matches {
                not: true,
                pattern: name(r"a\/\d{2}"),
            },
            r"not matches /a\/\d{2}/",
        ),
        (TestOp::SameAs(name("c.d")), "same as c.d"),
        (TestOp::DiffersFrom(name("c")), "differs from c"),
        (TestOp::OlderThan(minutes(1440)), "older than 1d"),
        (TestOp::NewerThan(minutes(1)), "newer than 1m"),
        (
            compare(Comparison::LessOrEqual, Operand::Path(name("c.d"))),
            "<= c.d",
        ),
        (
            compare(Comparison::IsNot, Operand::Value(word("x"))),
            "is not x",
        ),
    ] {
        assert_eq!(cond_text(&test(op)), format!("a.b {told}"));
    }
    let optional = Test {
        path: name("a"),
        op: at(TestOp::Compare(
            Comparison::Is,
            Operand::Value(at(Value::No)),
        )),
        if_present: Some(at(())),
    };
    assert_eq!(test_text(&optional), "a is no if present");
}

#[test]
fn parts_in_one_line() {
    let mut sum = measure(None);
    sum.measure.node.function = MeasureFunction::Sum(name("a.b"));
    sum.measure.node.by.clear();
    assert_eq!(measure_test_text(&sum), "sum a.b of call over 10m > 3");
    sum.measure.node.function = MeasureFunction::Distinct(name("c"));
    assert_eq!(
        measure_text(&sum.measure.node),
        "distinct c of call over 10m"
    );
    let instant = parse_written("2026-01-07T12:00:00.5Z").unwrap();
    for (value, text) in [
        (Value::Str("a\"\n".into()), r#""a\"\n""#),
        (Value::Number("1_000".into()), "1_000"),
        (Value::Money("12.50".into(), "USD".into()), "12.50 USD"),
        (Value::Duration(Duration::from_minutes(90)), "1h30m"),
        (Value::Date(parse_date("2026-01-07").unwrap()), "2026-01-07"),
        (Value::Timestamp(instant), "2026-01-07T12:00:00.500Z"),
        (Value::Yes, "yes"),
        (Value::No, "no"),
        (Value::Word("a_b".into()), "a_b"),
        (Value::Word("A b".into()), "\"A b\""),
        (Value::Broken, "..."),
    ] {
        assert_eq!(value_text(&value), text);
    }
    assert_eq!(literal_text(&Literal::Set(words("a b"))), "(a, b)");
    assert_eq!(set_text(&[]), "()");
    let after = step(false, 30, StepAction::NotifyBackup).node;
    assert_eq!(step_text(&after), "after 30m of office_hours notify backup");
    assert_eq!(time_span_text(&after.span), "30m of office_hours");
    assert_eq!(evidence_text(&Evidence::History(Some(2))), "history last 2");
    for (expect, text) in [
        (
            Expect::Verdict(Verdict::Escalate, Some(name("l"))),
            "escalate by l",
        ),
        (Expect::Verdict(Verdict::Adjust, None), "adjust"),
        (Expect::NoMatch, "no match"),
        (Expect::Unsure, "unsure"),
        (Expect::Unreadable, "unreadable"),
    ] {
        assert_eq!(expect_text(&expect), text);
    }
}

#[test]
fn what_could_not_be_read_stays_as_it_is() {
    let text = "lane  x {\n  on # kept\n}  # end\nlist k is 1..2\ncondition c means any of {\n  a  ??  b\n}\n";
    let place = |part: &str| {
        let start = text.find(part).unwrap();
        Span::new(FileId(0), start..start + part.len())
    };
    let comment = |part| Comment { span: place(part) };
    let broken = ItemKind::Broken(Broken {
        keyword: "lane".into(),
        name: Some("x".into()),
    });
    let condition = ItemKind::Condition(Condition {
        name: Spanned::new("c".into(), place("c means").at_start()),
        cond: at(Cond::Block(Block {
            quantifier: Spanned::new(Quantifier::Any, place("any of")),
            conds: vec![Spanned::new(Cond::Broken, place("a  ??  b"))],
        })),
    });
    let list = ItemKind::List(List {
        name: name("k"),
        values: vec![Spanned::new(Value::Broken, place("1..2"))],
    });
    let items = vec![
        Spanned::new(broken, place("lane  x {\n  on # kept\n}")),
        Spanned::new(list, place("list k")),
        Spanned::new(condition, place("condition").to(place("b\n}"))),
    ];
    let comments = [comment("# kept"), comment("# end")];
    assert_eq!(
        print(&Ast { items }, text, &comments),
        text.replace("condition", "\ncondition")
    );
}

#[test]
fn comments_find_braces_without_the_places_of_nodes() {
    let text = "lane l {\n  when any of {\n    a  # }\n  }  # when\n}  # lane\n";
    let comment = |part: &str| {
        let start = text.find(part).unwrap();
        Comment {
            span: Span::new(FileId(0), start..start + part.len()),
        }
    };
    let when = block(Quantifier::Any, vec![is("a")]);
    let lane = ItemKind::Lane(Lane {
        head: Spanned::new((), Span::default()),
        name: name("l"),
        clauses: vec![at(Clause::When(at(when)))],
        broken: Vec::new(),
    });
    let items = vec![at(lane)];
    let comments = ["# }", "# when", "# lane"].map(comment);
    assert_eq!(print(&Ast { items }, text, &comments), text);
}
