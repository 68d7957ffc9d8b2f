//! Every sort of item and clause, and wrapping.

use super::build::*;
use crate::clock::{parse_date, parse_written};
use crate::span::{Span, Spanned};
use crate::syntax::ast::*;

#[test]
fn one_line_items() {
    let rule = |effect, because: Option<&str>| {
        ItemKind::Rule(Rule {
            effect,
            name: name("r"),
            on: names("a b"),
            when: at(is("c")),
            because: because.map(name),
        })
    };
    let promise = |claim| {
        ItemKind::Promise(Promise {
            title: name("p"),
            on: names("a"),
            when: at(is("c")),
            claim,
        })
    };
    let change = |path: &str, value| {
        at(AdjustAssignment {
            path: name(path),
            value,
        })
    };
    insta::assert_snapshot!(items(vec![
        ItemKind::Import(name("people.lane")),
        ItemKind::Action(Action { name: name("save"), about: name("Say \"hi\"") }),
        ItemKind::List(List { name: name("k"), values: words("a B").node }),
        ItemKind::Condition(Condition { name: name("c"), cond: at(is("d")) }),
        rule(RuleEffect::Allow, None),
        rule(RuleEffect::Deny, Some("never")),
        rule(
            RuleEffect::Adjust(vec![
                change("x", at(Value::Money("100".into(), "USD".into()))),
                change("y.z", at(Value::Yes)),
            ]),
            Some("small"),
        ),
        promise(Claim::Reaches(name("t"))),
        promise(Claim::Never(at(Verdict::Allow))),
        ItemKind::Scenario(example("s")),
    ]), @r#"
    import "people.lane"
    action save "Say \"hi\""
    list k is a, "B"
    condition c means d
    always allow r on a, b when c
    always deny r on a, b when c because "never"
    adjust r on a, b when c set x = 100 USD, y.z = yes because "small"
    promise "p" on a when c reaches t
    promise "p" on a when c never allow
    scenario "s" good -> no match
    "#);
}

#[test]
fn the_matrix_and_its_fallbacks() {
    let fallback = |clauses| {
        Otherwise::Escalate(Fallback {
            team: name("ops"),
            clauses,
            broken: Vec::new(),
        })
    };
    let matrix = |clauses: Vec<MatrixClause>| {
        item(ItemKind::Matrix(MatrixBlock {
            keyword: Spanned::new((), Span::default()),
            title: name("M"),
            clauses: clauses.into_iter().map(at).collect(),
            broken: Vec::new(),
        }))
    };
    insta::assert_snapshot!(matrix(vec![
        MatrixClause::Edition(at(1)),
        MatrixClause::Timezone(name("Europe/Berlin")),
        MatrixClause::Otherwise(fallback(Some(vec![
            at(Clause::Urgency(at(Urgency::High))),
            at(Clause::Timeout(TimeoutBlock {
                steps: vec![step(true, 90, StepAction::NotifyBackup)],
                broken: Vec::new(),
            })),
        ]))),
        MatrixClause::Unreadable(fallback(None)),
    ]), @r#"
    matrix "M" {
      edition 1
      timezone "Europe/Berlin"
      otherwise escalate to ops {
        urgency high
        timeout {
          every 1h30m notify backup
        }
      }
      unreadable escalate to ops
    }
    "#);
    insta::assert_snapshot!(matrix(vec![
        MatrixClause::Otherwise(Otherwise::Allow),
        MatrixClause::Unreadable(Otherwise::Deny),
        MatrixClause::Otherwise(fallback(Some(Vec::new()))),
    ]), @r#"
    matrix "M" {
      otherwise allow
      unreadable deny
      otherwise escalate to ops {
      }
    }
    "#);
}

#[test]
fn calendars_and_teams() {
    let hours = |from, to, open, close| {
        at(CalendarClause::Hours {
            from,
            to,
            open: at(open),
            close: at(close),
        })
    };
    let day = |text| at(parse_date(text).unwrap());
    let contact = |group, text: &str| {
        at(Contact {
            group,
            name: text.to_owned(),
        })
    };
    insta::assert_snapshot!(items(vec![
        ItemKind::Calendar(Calendar {
            name: name("c"),
            clauses: vec![
                at(CalendarClause::Timezone(name("UTC"))),
                hours(Weekday::Mon, Some(Weekday::Fri), 545, 1440),
                hours(Weekday::Sat, None, 0, 720),
                at(CalendarClause::Except { from: day("2026-12-24"), to: Some(day("2026-12-26")) }),
                at(CalendarClause::Except { from: day("2027-01-01"), to: None }),
            ],
            broken: Vec::new(),
        }),
        ItemKind::Team(Team {
            name: name("t"),
            clauses: vec![
                at(TeamClause::First(vec![contact(false, "a@b"), contact(true, "g")])),
                at(TeamClause::Backup(vec![contact(true, "h")])),
                at(TeamClause::Quorum { needed: at(2), of: at(3) }),
            ],
            broken: Vec::new(),
        }),
    ]), @r#"
    calendar c {
      timezone "UTC"
      mon to fri 09:05 to 24:00
      sat 00:00 to 12:00
      except 2026-12-24 to 2026-12-26
      except 2027-01-01
    }

    team t {
      first person "a@b", group "g"
      backup group "h"
      quorum 2 of 3
    }
    "#);
}

#[test]
fn events_and_samples() {
    let range = || {
        Some(LiteralRange {
            low: name("0"),
            high: name("10.5"),
        })
    };
    let field = |ty, presence| {
        at(Field {
            path: name("a.b"),
            source: Vec::new(),
            ty: at(ty),
            presence,
        })
    };
    let choice = |text: &str, quoted| {
        at(Word {
            text: text.to_owned(),
            quoted,
        })
    };
    let text = |ignoring_case| FieldType::Text { ignoring_case };
    let one_of = FieldType::OneOf(vec![
        choice("a", false),
        choice("B-c", false),
        choice("d", true),
    ]);
    let mut renamed = field(text(false), Presence::Required);
    renamed.node.source = names("x Y-z");
    insta::assert_snapshot!(items(vec![
        ItemKind::Event(Event {
            name: name("call"),
            source: Some(name("com.acme.call")),
            fields: vec![
                renamed,
                field(FieldType::YesNo, Presence::Optional),
                field(text(true), Presence::Default(Literal::One(at(Value::Str("x".into()))))),
                field(FieldType::Whole(None), Presence::Required),
                field(FieldType::Number(range()), Presence::Required),
                field(FieldType::Money(name("USD"), range()), Presence::Optional),
                field(one_of, Presence::Default(Literal::One(word("a")))),
                field(FieldType::Timestamp, Presence::Required),
                field(FieldType::List(Box::new(at(FieldType::Duration))), Presence::Required),
                field(
                    FieldType::List(Box::new(at(text(false)))),
                    Presence::Default(Literal::Set(at(Vec::new()))),
                ),
            ],
            broken: Vec::new(),
        }),
        ItemKind::Event(Event {
            name: name("empty"),
            source: None,
            fields: Vec::new(),
            broken: Vec::new(),
        }),
        ItemKind::Sample(Sample {
            name: name("good"),
            kind: name("call"),
            record: record(&[
                ("a.b", Literal::Set(words("x y"))),
                ("c", Literal::One(number("0.9"))),
            ]),
        }),
    ]), @r#"
    event call from "com.acme.call" {
      a.b from "x"."Y-z": text
      a.b: yes/no optional
      a.b: text ignoring case default "x"
      a.b: whole number
      a.b: number 0 to 10.5
      a.b: money USD 0 to 10.5 optional
      a.b: one of a, "B-c", "d" default a
      a.b: timestamp
      a.b: list of duration
      a.b: list of text default ()
    }

    event empty {
    }

    sample good is call {
      a.b = (x, y)
      c = 0.9
    }
    "#);
}

#[test]
fn every_clause_of_a_lane() {
    let evidence = |required, items: Vec<Evidence>| {
        at(EvidenceLine {
            required,
            items: items.into_iter().map(at).collect(),
        })
    };
    insta::assert_snapshot!(lane(vec![
        Clause::About(name("What")),
        Clause::On(names("a b")),
        Clause::When(at(is("c"))),
        Clause::Unless(at(is("d"))),
        Clause::Unsure(Unsure::Escalate),
        Clause::Unsure(Unsure::Deny),
        Clause::Unsure(Unsure::Skip(name("why"))),
        Clause::Trial(None),
        Clause::Trial(Some(at(parse_date("2026-01-01").unwrap()))),
        Clause::GroupBy(names("a b.c")),
        Clause::Owner(name("t")),
        Clause::Urgency(at(Urgency::Critical)),
        Clause::Respond(TimeSpan { length: minutes(30), of: Some(name("cal")) }),
        Clause::Meanwhile { hold: at(Hold::Park), scope: at(Scope::Workflow) },
        Clause::Also(names("x y")),
        Clause::Operator(name("Do")),
        Clause::Reversible(name("Undo")),
        Clause::Evidence(EvidenceBlock {
            lines: vec![
                evidence(true, vec![Evidence::Input, Evidence::Action, Evidence::Trigger]),
                evidence(false, vec![Evidence::Context, Evidence::Links, Evidence::History(None)]),
                evidence(false, vec![Evidence::History(Some(20)), Evidence::Label("u".into())]),
            ],
            broken: Vec::new(),
        }),
        Clause::Timeout(TimeoutBlock {
            steps: vec![
                step(true, 10, StepAction::Notify(name("t"))),
                step(false, 30, StepAction::NotifyBackup),
                step(false, 40, StepAction::Route(name("t"))),
                step(false, 50, StepAction::Run(name("x"))),
                step(false, 60, StepAction::Deny),
                step(false, 70, StepAction::Expire),
                step(false, 80, StepAction::Allow(name("why"))),
            ],
            broken: Vec::new(),
        }),
        Clause::Example(example("e")),
    ]), @r#"
    lane l {
      about "What"
      on a, b
      when c
      unless d
      unsure escalate
      unsure deny
      unsure skip because "why"
      trial
      trial until 2026-01-01
      group by a, b.c
      owner t
      urgency critical
      respond within 30m of cal
      meanwhile park workflow
      also x, y
      operator "Do"
      reversible "Undo"
      evidence {
        required input, action, trigger
        optional context, links, history
        optional history last 20, "u"
      }
      timeout {
        every 10m notify t
        after 30m of office_hours notify backup
        after 40m of office_hours route to t
        after 50m of office_hours run x
        after 1h of office_hours deny
        after 1h10m of office_hours expire
        after 1h20m of office_hours allow because "why"
      }
      example "e" good -> no match
    }
    "#);
}

#[test]
fn examples_open_their_records_when_too_long() {
    let full = |title: &str| {
        Clause::Example(Example {
            with: Some(record(&[
                ("a", Literal::One(word("b"))),
                ("c.d", Literal::Set(words("e f"))),
            ])),
            without: names("x y.z"),
            at: Some(at(parse_written("2026-01-07T12:00:00+01:00").unwrap())),
            after: Some(History {
                count: at(4),
                sample: name("good"),
                with: Some(record(&[])),
                over: minutes(10),
            }),
            expect: at(Expect::Verdict(Verdict::Deny, Some(name("otherwise")))),
            ..example(title)
        })
    };
    insta::assert_snapshot!(lane(vec![full("t"), full(&"t".repeat(60))]), @r#"
    lane l {
      example "t" good with {
        a = b
        c.d = (e, f)
      } without x,
          y.z at 2026-01-07T12:00:00+01:00 after 4 of good with {} over 10m -> deny by otherwise
      example "tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt" good with {
        a = b
        c.d = (e, f)
      } without x,
          y.z at 2026-01-07T12:00:00+01:00 after 4 of good with {} over 10m -> deny by otherwise
    }
    "#);
    let short = |length| {
        lane(vec![Clause::Example(Example {
            with: Some(record(&[("a", Literal::One(word("b")))])),
            ..example(&"t".repeat(length))
        })])
    };
    let widest = |text: &str| text.lines().map(str::len).max();
    assert_eq!(widest(&short(56)), Some(100));
    assert_eq!(short(56).lines().count(), 3);
    assert_eq!(short(57).lines().count(), 5);
}

#[test]
fn lists_wrap_behind_a_comma() {
    let many = |count: usize, start: &str| {
        let values = (0..count).map(|i| word(&format!("{start}{i}")));
        values.collect::<Vec<_>>()
    };
    let list = |values| {
        item(ItemKind::List(List {
            name: name("k"),
            values,
        }))
    };
    insta::assert_snapshot!(list(many(34, "value_")), @r"
    list k is value_0, value_1, value_2, value_3, value_4, value_5, value_6, value_7, value_8, value_9,
        value_10, value_11, value_12, value_13, value_14, value_15, value_16, value_17, value_18,
        value_19, value_20, value_21, value_22, value_23, value_24, value_25, value_26, value_27,
        value_28, value_29, value_30, value_31, value_32, value_33
    ");
    let two = |length: usize| list(vec![word("a"), word(&"é".repeat(length))]);
    assert_eq!(two(85).trim_end().chars().count(), 100);
    assert_eq!(two(85).lines().count(), 1);
    assert_eq!(two(86).lines().count(), 2);
    let set = SetRef::Set(at(many(14, "value_")));
    let cond = all(vec![test(TestOp::In { not: true, set }), is("c")]);
    let conds = block(Quantifier::AtLeast(2), vec![cond.clone(), cond]);
    insta::assert_snapshot!(lane(vec![Clause::When(at(conds))]), @r"
    lane l {
      when at least 2 of {
        a.b not in (value_0, value_1, value_2, value_3, value_4, value_5, value_6, value_7, value_8,
            value_9, value_10, value_11, value_12, value_13) and c
        a.b not in (value_0, value_1, value_2, value_3, value_4, value_5, value_6, value_7, value_8,
            value_9, value_10, value_11, value_12, value_13) and c
      }
    }
    ");
}
