//! Single tests of a field: does the type have the test, do the literals fit?
//!
//! In: a test as written and its scope. Out: a typed [`Test`].
//! Invariant: literals have the field's type, and are folded where the field ignores case.

use std::collections::HashSet;

use super::build::Checker;
use super::fields::{Found, Scope};
use super::names::Sort;
use super::values::{comparable, is_in_range};
use crate::diagnostic::{Diagnostic, codes};
use crate::matrix::{CalendarId, Comparison, Pattern, PatternError, Test, TestOp};
use crate::schema::FieldId;
use crate::span::{Span, Spanned};
use crate::syntax::ast::{self, Operand, Path, SetRef};
use crate::syntax::print::{test_text, value_text};
use crate::value::{Type, Value, fold_case};

impl<'a> Checker<'a> {
    pub(super) fn test(&mut self, scope: &Scope, test: &'a ast::Test) -> Option<Test> {
        let field = self.field(scope, &test.path);
        self.calendar_of(test);
        let field = field?;
        let op = self.test_op(scope, test, &field)?;
        if let Some(if_present) = &test.if_present {
            self.opt_out(test, if_present.span, &field);
        }
        Some(Test {
            field: field.id,
            op,
            if_present: test.if_present.is_some(),
            text: test_text(test),
        })
    }

    /// A calendar is looked up even when the field is wrong: both are findings of their own.
    fn calendar_of(&mut self, test: &ast::Test) {
        if let ast::TestOp::Inside(name) | ast::TestOp::Outside(name) = &test.op.node {
            self.names.find(Sort::Calendar, name, &mut self.out);
        }
    }

    fn opt_out(&mut self, test: &ast::Test, span: Span, field: &Found) {
        if field.optional {
            self.out.push(Diagnostic::new(
                codes::OPT_OUT,
                test.path.span.to(span),
                format!(
                    "`{}` counts as false when `{}` is missing",
                    test_text(test),
                    test.path.node
                ),
            ));
        } else {
            self.out.push(
                Diagnostic::new(
                    codes::ALWAYS_THE_SAME,
                    span,
                    format!(
                        "`{}` is never missing, so `if present` changes nothing",
                        test.path.node
                    ),
                )
                .guess("remove it", span, ""),
            );
        }
    }

    pub(super) fn always_the_same(&mut self, span: Span, message: impl Into<String>) {
        self.out
            .push(Diagnostic::new(codes::ALWAYS_THE_SAME, span, message));
    }

    fn test_op(&mut self, scope: &Scope, test: &'a ast::Test, field: &Found) -> Option<TestOp> {
        use ast::TestOp as Written;
        let span = test.path.span.to(test.op.span);
        let ty = &field.ty;
        let name = &test.path.node;
        match &test.op.node {
            Written::Missing | Written::Present => {
                let missing = matches!(test.op.node, Written::Missing);
                if !field.optional {
                    let answer = if missing { "never" } else { "always" };
                    self.always_the_same(
                        span,
                        format!("`{name}` is never missing, so this is {answer} true"),
                    );
                }
                Some(if missing {
                    TestOp::Missing
                } else {
                    TestOp::Present
                })
            }
            Written::Inside(calendar) | Written::Outside(calendar) => {
                self.only_for(
                    matches!(ty, Type::Timestamp),
                    span,
                    "is inside",
                    field,
                    "a timestamp",
                )?;
                let id = self.calendar_id(calendar)?;
                let inside = matches!(test.op.node, Written::Inside(_));
                Some(if inside {
                    TestOp::Inside(id)
                } else {
                    TestOp::Outside(id)
                })
            }
            Written::In { not, set } => {
                if let Type::List(_) = ty {
                    self.list_takes_contains(span, "in");
                    return None;
                }
                let values = self.set_values(ty, set)?;
                Some(TestOp::In { not: *not, values })
            }
            Written::ContainsSet { how, set } => {
                let Type::List(item) = ty else {
                    self.not_a_list(test, field);
                    return None;
                };
                let values = self.set_values(item, set)?;
                Some(TestOp::Contains { how: *how, values })
            }
            Written::Text { not, how, text } => self.text_test(test, field, *not, *how, text),
            Written::Matches { not, pattern } => {
                self.only_for(
                    matches!(ty, Type::Text { .. }),
                    span,
                    "matches",
                    field,
                    "text",
                )?;
                let pattern = self.pattern(
                    pattern,
                    matches!(
                        ty,
                        Type::Text {
                            ignoring_case: true
                        }
                    ),
                )?;
                Some(TestOp::Matches { not: *not, pattern })
            }
            Written::SameAs(other) => {
                Some(TestOp::SameAs(self.equal_field(scope, test, field, other)?))
            }
            Written::DiffersFrom(other) => Some(TestOp::DiffersFrom(
                self.equal_field(scope, test, field, other)?,
            )),
            Written::OlderThan(age) | Written::NewerThan(age) => {
                let older = matches!(test.op.node, Written::OlderThan(_));
                let word = if older { "older than" } else { "newer than" };
                self.only_for(
                    matches!(ty, Type::Timestamp),
                    span,
                    word,
                    field,
                    "a timestamp",
                )?;
                Some(if older {
                    TestOp::OlderThan(age.node)
                } else {
                    TestOp::NewerThan(age.node)
                })
            }
            Written::Compare(op, operand) => self.compare(scope, test, field, *op, operand),
        }
    }

    /// A finding when a type does not have a test.
    fn only_for(
        &mut self,
        has: bool,
        span: Span,
        test: &str,
        field: &Found,
        what: &str,
    ) -> Option<()> {
        if has {
            return Some(());
        }
        self.out.push(
            Diagnostic::new(
                codes::TEST_NOT_FOR_TYPE,
                span,
                format!(
                    "`{test}` tests {what}, and this field is `{}`",
                    field.ty.short()
                ),
            )
            .help(tests_of_type(&field.ty)),
        );
        None
    }

    fn list_takes_contains(&mut self, span: Span, test: &str) {
        self.out.push(
            Diagnostic::new(codes::TEST_NOT_FOR_TYPE, span, format!("`{test}` does not test a list"))
                .help("a list takes `contains any of (...)`, `contains all of (...)`, `contains none of (...)`, `is missing` and `is present`"),
        );
    }

    fn not_a_list(&mut self, test: &ast::Test, field: &Found) {
        let span = test.path.span.to(test.op.span);
        let found = Diagnostic::new(
            codes::TEST_NOT_FOR_TYPE,
            span,
            format!(
                "`contains any of` tests a list, and this field is `{}`",
                field.ty.short()
            ),
        );
        let found = match &field.ty {
            Type::Text { .. } => {
                found.help("text takes `contains \"...\"`; several in a block `any of { ... }`")
            }
            _ => found.help("one value is compared with several by `in (...)`"),
        };
        self.out.push(found);
    }

    fn text_test(
        &mut self,
        test: &ast::Test,
        field: &Found,
        not: bool,
        how: ast::TextHow,
        text: &Spanned<String>,
    ) -> Option<TestOp> {
        let span = test.path.span.to(test.op.span);
        match &field.ty {
            Type::Text { ignoring_case } => {
                if text.node.is_empty() {
                    self.always_the_same(
                        text.span,
                        "every text contains, begins and ends with the empty text",
                    );
                }
                let literal = if *ignoring_case {
                    fold_case(&text.node)
                } else {
                    text.node.clone()
                };
                Some(TestOp::Text {
                    not,
                    how,
                    literal: literal.into(),
                })
            }
            Type::List(item) if how == ast::TextHow::Contains => {
                let word = if not { "none" } else { "any" };
                let value = if matches!(**item, Type::OneOf(_)) {
                    Value::Word(text.node.as_str().into()).to_string()
                } else {
                    crate::value::quote(&text.node)
                };
                let fixed = format!("contains {word} of ({value})");
                self.out.push(
                    Diagnostic::new(
                        codes::TEST_NOT_FOR_TYPE,
                        span,
                        "`contains \"...\"` tests text, and this field is a list",
                    )
                    .safe_fix(format!("write `{fixed}`"), test.op.span, fixed),
                );
                None
            }
            _ => {
                self.only_for(false, span, how.as_str(), field, "text")?;
                None
            }
        }
    }

    fn pattern(&mut self, pattern: &Spanned<String>, ignoring_case: bool) -> Option<Pattern> {
        if pattern.node.len() > self.options.limits.string_bytes {
            // It is too long for a string: that was said, and nothing more is.
            return None;
        }
        let source = pattern.node.replace("\\/", "/");
        match Pattern::new(&source, ignoring_case, self.options.limits.regex_bytes) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let code = match &error {
                    PatternError::TooLarge { .. } => codes::REGEX_TOO_LARGE,
                    PatternError::Malformed(_) => codes::BAD_REGEX,
                };
                let mut found = Diagnostic::new(
                    code,
                    pattern.span,
                    format!("this regular expression cannot be used: {error}"),
                );
                if code == codes::REGEX_TOO_LARGE {
                    found = found.help("counts inside each other multiply; `\\w` and `\\d` mean those of every language, and a class such as `[a-z0-9]` is far smaller");
                }
                self.out.push(found);
                None
            }
        }
    }

    /// The other field of `same as` and `differs from`.
    fn equal_field(
        &mut self,
        scope: &Scope,
        test: &ast::Test,
        field: &Found,
        other: &Path,
    ) -> Option<FieldId> {
        let span = test.path.span.to(test.op.span);
        if let Type::List(_) = field.ty {
            self.list_takes_contains(span, "same as");
            return None;
        }
        let found = self.field(scope, other)?;
        self.same_type(test, field, other, &found)?;
        if found.id == field.id {
            self.always_the_same(span, format!("`{}` is compared with itself", other.node));
        }
        Some(found.id)
    }

    fn same_type(
        &mut self,
        test: &ast::Test,
        field: &Found,
        other: &Path,
        found: &Found,
    ) -> Option<()> {
        if field.ty.same_sort(&found.ty) {
            return Some(());
        }
        self.out.push(
            Diagnostic::new(
                codes::TYPE_MISMATCH,
                other.span,
                format!(
                    "`{}` is `{}`, and `{}` is `{}`",
                    test.path.node, field.ty, other.node, found.ty
                ),
            )
            .help("only fields of one type compare"),
        );
        None
    }

    fn compare(
        &mut self,
        scope: &Scope,
        test: &'a ast::Test,
        field: &Found,
        op: Comparison,
        operand: &'a Operand,
    ) -> Option<TestOp> {
        let span = test.path.span.to(test.op.span);
        if let Type::List(_) = field.ty {
            self.list_takes_contains(span, op.as_str());
            return None;
        }
        let equality = matches!(op, Comparison::Is | Comparison::IsNot);
        if !equality && !field.ty.is_ordered() {
            self.only_for(
                false,
                span,
                op.as_str(),
                field,
                "numbers, money, timestamps and durations",
            )?;
        }
        let other = match operand {
            Operand::Path(path) => Some(path.clone()),
            Operand::Value(value) => self.field_operand(scope, field, value, equality),
        };
        if let Some(other) = other {
            if equality {
                self.field_equality(test, op, &other);
                return None;
            }
            let found = self.field(scope, &other)?;
            self.same_type(test, field, &other, &found)?;
            if found.id == field.id {
                self.always_the_same(span, format!("`{}` is compared with itself", other.node));
            }
            return Some(TestOp::CompareField(op, found.id));
        }
        let Operand::Value(value) = operand else {
            return None;
        };
        if equality {
            self.no_whole_day(&field.ty, value)?;
        }
        let typed = self.value(&field.ty, value)?;
        if !is_in_range(&field.ty, &typed) {
            self.always_the_same(
                value.span,
                format!(
                    "`{}` is never `{typed}`: it is `{}`",
                    test.path.node, field.ty
                ),
            );
        }
        Some(TestOp::Compare(op, comparable(&field.ty, typed)))
    }

    /// An instant is never equal to a date, which is all of a day.
    fn no_whole_day(&mut self, ty: &Type, value: &Spanned<ast::Value>) -> Option<()> {
        if !matches!((ty, &value.node), (Type::Timestamp, ast::Value::Date(_))) {
            return Some(());
        }
        self.out.push(
            Diagnostic::new(
                codes::TYPE_MISMATCH,
                value.span,
                format!(
                    "`{}` is a whole day, and the field holds an instant",
                    value_text(&value.node)
                ),
            )
            .help("compare with `>=` the day and `<` the next one"),
        );
        None
    }

    /// A bare word on the right that means a field: where no value can stand, or where no such
    /// value exists.
    fn field_operand(
        &mut self,
        scope: &Scope,
        field: &Found,
        value: &Spanned<ast::Value>,
        equality: bool,
    ) -> Option<Path> {
        let ast::Value::Word(word) = &value.node else {
            return None;
        };
        let path = Spanned::new(word.clone(), value.span);
        let is_value = match &field.ty {
            Type::OneOf(words) => words.iter().any(|w| **w == **word),
            _ => false,
        };
        if is_value {
            return None;
        }
        if !equality || self.is_field(scope, word) {
            return Some(path);
        }
        None
    }

    fn field_equality(&mut self, test: &ast::Test, op: Comparison, other: &Path) {
        let words = if op == Comparison::IsNot {
            "differs from"
        } else {
            "same as"
        };
        let fixed = format!("{words} {}", other.node);
        self.out.push(
            Diagnostic::new(
                codes::FIELD_EQUALITY,
                test.path.span.to(test.op.span),
                format!(
                    "`{}` is a field; `{}` compares with a value",
                    other.node,
                    op.as_str()
                ),
            )
            .safe_fix(format!("write `{fixed}`"), test.op.span, fixed),
        );
    }

    pub(super) fn calendar_id(&mut self, name: &ast::Name) -> Option<CalendarId> {
        let index = self.names.peek(Sort::Calendar, &name.node)?;
        Some(CalendarId(u32::try_from(index).unwrap_or(u32::MAX)))
    }

    /// The values of a set or of a list by its name.
    fn set_values(&mut self, ty: &Type, set: &'a SetRef) -> Option<Vec<Value>> {
        let (written, list) = match set {
            SetRef::Set(values) => {
                if values.node.is_empty() {
                    self.out.push(Diagnostic::new(
                        codes::BAD_COUNT,
                        values.span,
                        "an empty set, so this is always or never true",
                    ));
                    return None;
                }
                (&values.node, None)
            }
            SetRef::List(name) => {
                let index = self.names.find(Sort::List, name, &mut self.out)?;
                (&self.lists.get(index).copied()?.values, Some(name))
            }
        };
        let mut values: Vec<Value> = Vec::new();
        let mut seen: HashSet<Value> = HashSet::new();
        let mut all = true;
        for value in written {
            let before = self.out.len();
            let typed = self.no_whole_day(ty, value);
            let typed = typed.and_then(|()| self.value(ty, value));
            let typed = typed.map(|typed| comparable(ty, typed));
            if let Some(name) = list {
                // The mistake is in the list or in its use; both places are shown.
                for found in self.out.split_off(before) {
                    self.out
                        .push(found.label(name.span, format!("`{}` is used here", name.node)));
                }
            }
            match typed {
                Some(typed) if list.is_none() && !seen.insert(typed.clone()) => {
                    self.out.push(Diagnostic::new(
                        codes::DUPLICATE_VALUE,
                        value.span,
                        format!("`{}` stands twice in the set", value_text(&value.node)),
                    ));
                    all = false;
                }
                Some(typed) => values.push(typed),
                None => all = false,
            }
        }
        all.then_some(values)
    }
}

fn tests_of_type(ty: &Type) -> &'static str {
    match ty {
        Type::YesNo => "a yes/no field takes `is yes` and `is no`",
        Type::Text { .. } => {
            "text takes `is`, `in`, `starts with`, `ends with`, `contains`, `like`, `matches`, `same as` and `differs from`"
        }
        Type::Whole(_) | Type::Number(_) | Type::Money(..) | Type::Duration => {
            "it takes `<`, `<=`, `>`, `>=`, `is`, `in`, `same as` and `differs from`"
        }
        Type::OneOf(_) => "it takes `is`, `in`, `same as` and `differs from`",
        Type::Timestamp => {
            "it takes `<`, `<=`, `>`, `>=`, `older than`, `newer than`, `is inside` and `is outside`"
        }
        Type::List(_) => "a list takes `contains any of`, `contains all of` and `contains none of`",
    }
}
