//! Conditions to typed expressions.
//!
//! In: a condition as written and its scope. Out: an [`Expr`].
//! Invariant: a named condition is typed once for each set of kinds that uses it; no condition
//! needs itself; no expression is deeper than [`DEPTH`], named conditions included.

use std::sync::Arc;

use super::build::{Checker, DEPTH};
use super::fields::Scope;
use super::names::Sort;
use crate::diagnostic::{Diagnostic, codes};
use crate::limits;
use crate::matrix::{
    Comparison, Condition, ConditionId, Expr, ExprKind, Measure, MeasureFunction, MeasureId,
    MeasureTest,
};
use crate::schema::{FieldId, KindId};
use crate::span::{Span, Spanned};
use crate::syntax::ast::{self, Cond, Path, Quantifier};
use crate::syntax::print::{measure_test_text, measure_text};
use crate::value::{Type, Value};

impl<'a> Checker<'a> {
    /// The typed form of a condition. `None` when some part of it is wrong; all parts are looked at.
    pub(super) fn expr(&mut self, scope: &Scope, cond: &'a Spanned<Cond>) -> Option<Expr> {
        self.level += 1;
        let kind = if self.level > DEPTH {
            self.too_deep(cond.span);
            None
        } else {
            self.expr_kind(scope, cond)
        };
        self.level -= 1;
        Some(Expr {
            kind: kind?,
            span: cond.span,
        })
    }

    fn too_deep(&mut self, span: Span) {
        self.out.push(
            Diagnostic::new(
                codes::CONDITIONS_TOO_DEEP,
                span,
                format!("with its named conditions in place this is deeper than {DEPTH} levels"),
            )
            .help("nobody can follow that; flatten the conditions"),
        );
    }

    fn expr_kind(&mut self, scope: &Scope, cond: &'a Spanned<Cond>) -> Option<ExprKind> {
        Some(match &cond.node {
            Cond::And(conds) => ExprKind::All(self.exprs(scope, conds)?),
            Cond::Or(conds) => ExprKind::Any(self.exprs(scope, conds)?),
            Cond::Not(cond) => ExprKind::Not(Box::new(self.expr(scope, cond)?)),
            Cond::Block(block) => self.block(scope, block)?,
            Cond::Test(test) => ExprKind::Test(Arc::new(self.test(scope, test)?)),
            Cond::Measure(test) => {
                ExprKind::Measure(Arc::new(self.measure_test(scope, test, cond.span)?))
            }
            Cond::Name(name) => ExprKind::Condition(self.condition(scope, name)?),
            Cond::Broken => return None,
        })
    }

    fn exprs(&mut self, scope: &Scope, conds: &'a [Spanned<Cond>]) -> Option<Vec<Expr>> {
        let exprs: Vec<_> = conds.iter().map(|cond| self.expr(scope, cond)).collect();
        exprs.into_iter().collect()
    }

    fn block(&mut self, scope: &Scope, block: &'a ast::Block) -> Option<ExprKind> {
        let exprs = self.exprs(scope, &block.conds);
        let size = block.conds.len();
        let count = match block.quantifier.node {
            Quantifier::AtLeast(count) => count as usize,
            _ => 1,
        };
        if size == 0 || count == 0 || count > size {
            let message = match (size, count) {
                (0, _) => "this block has no condition, so it is always or never true".to_owned(),
                (_, 0) => "at least 0 is always true".to_owned(),
                _ => format!("at least {count} of {size} is never true"),
            };
            self.out.push(Diagnostic::new(
                codes::BAD_COUNT,
                block.quantifier.span,
                message,
            ));
            return None;
        }
        let exprs = exprs?;
        Some(match block.quantifier.node {
            Quantifier::Any => ExprKind::Any(exprs),
            Quantifier::All => ExprKind::All(exprs),
            Quantifier::None => ExprKind::None(exprs),
            Quantifier::AtLeast(count) => ExprKind::AtLeast(count, exprs),
        })
    }

    /// A bare word: a named condition, typed for this scope.
    fn condition(&mut self, scope: &Scope, name: &'a ast::Name) -> Option<ConditionId> {
        let Some(index) = self.names.peek(Sort::Condition, &name.node) else {
            self.no_condition(scope, name);
            return None;
        };
        self.names.find(Sort::Condition, name, &mut self.out);
        if self.open_conditions.contains(&index) {
            self.cycle(index, name);
            return None;
        }
        let mut kinds = scope.kinds.clone();
        kinds.sort_unstable();
        let key = (index, kinds, scope.in_measure);
        // A broken scope hides findings; what it gives is not for others to use.
        if scope.complete
            && let Some(known) = self.condition_ids.get(&key)
        {
            let id = (*known)?;
            return self.deep_enough(id, name.span);
        }
        let item = self.condition_items.get(index).copied()?;
        self.open_conditions.push(index);
        let expr = self.expr(scope, &item.cond);
        self.open_conditions.pop();
        let id = expr.map(|expr| {
            let id = ConditionId(u32::try_from(self.conditions.len()).unwrap_or(u32::MAX));
            let height = self.height(&expr);
            self.condition_heights.push(height);
            self.conditions.push(Condition {
                name: item.name.node.clone(),
                expr,
            });
            id
        });
        if scope.complete {
            self.condition_ids.insert(key, id);
        }
        id
    }

    /// A condition that was typed before may stand deeper here than there.
    fn deep_enough(&mut self, id: ConditionId, span: Span) -> Option<ConditionId> {
        let height = self.condition_heights.get(id.index())?;
        if self.level + height > DEPTH {
            self.too_deep(span);
            return None;
        }
        Some(id)
    }

    /// The levels of an expression with its conditions in place.
    // PERF: a condition's own height is kept, or one that names another twice would be exponential.
    fn height(&self, expr: &Expr) -> usize {
        let of = |exprs: &[Expr]| exprs.iter().map(|e| self.height(e)).max().unwrap_or(0);
        1 + match &expr.kind {
            ExprKind::All(exprs)
            | ExprKind::Any(exprs)
            | ExprKind::None(exprs)
            | ExprKind::AtLeast(_, exprs) => of(exprs),
            ExprKind::Not(inner) => self.height(inner),
            ExprKind::Condition(id) => self.condition_heights.get(id.index()).copied().unwrap_or(0),
            ExprKind::Test(_) | ExprKind::Measure(_) => 0,
        }
    }

    fn cycle(&mut self, index: usize, name: &ast::Name) {
        let from = self
            .open_conditions
            .iter()
            .position(|open| *open == index)
            .unwrap_or(0);
        let names: Vec<String> = self
            .open_conditions
            .iter()
            .skip(from)
            .chain([&index])
            .filter_map(|n| self.condition_items.get(*n))
            .map(|item| format!("`{}`", item.name.node))
            .collect();
        let message = format!("`{}` needs itself", name.node);
        let mut found = Diagnostic::new(codes::CONDITION_CYCLE, name.span, message);
        if names.len() > 2 {
            found = found.help(format!("the cycle is {}", names.join(" needs ")));
        }
        self.out.push(found);
    }

    /// A bare word that is no condition: most likely a field without its test.
    fn no_condition(&mut self, scope: &Scope, name: &'a ast::Name) {
        if !self.is_field(scope, &name.node) {
            if name.node.contains('.') {
                self.field(scope, name);
            } else if scope.complete {
                self.names.find(Sort::Condition, name, &mut self.out);
            }
            return;
        }
        let Some(field) = self.field(scope, name) else {
            return;
        };
        let found = if field.ty == Type::YesNo {
            Diagnostic::new(
                codes::BARE_YES_NO,
                name.span,
                format!("`{}` is a yes/no field; say which it must be", name.node),
            )
            .safe_fix(
                format!("write `{} is yes`", name.node),
                name.span,
                format!("{} is yes", name.node),
            )
        } else {
            Diagnostic::new(
                codes::UNKNOWN_CONDITION,
                name.span,
                format!("no condition is called `{}`", name.node),
            )
            .help(format!(
                "`{}` is a field of type `{}`; say what it must be",
                name.node,
                field.ty.short()
            ))
        };
        self.out.push(found);
    }

    fn measure_test(
        &mut self,
        scope: &Scope,
        test: &'a ast::MeasureTest,
        span: Span,
    ) -> Option<MeasureTest> {
        if scope.in_measure {
            self.out.push(Diagnostic::new(
                codes::MEASURE_IN_WHERE,
                span,
                "a measure inside the `where` of a measure",
            ));
            return None;
        }
        let (id, ty) = self.measure(scope, &test.measure)?;
        let threshold = self.value(&ty, &test.value)?;
        let most = self.options.limits.events_of_a_window();
        if let (Type::Whole(_), Value::Whole(number)) = (&ty, &threshold)
            && usize::try_from(*number).is_ok_and(|n| n >= most)
            && !matches!(
                self.measures.get(id.index())?.function,
                MeasureFunction::Sum(_)
            )
        {
            self.out.push(
                Diagnostic::new(
                    codes::THRESHOLD_TOO_LARGE,
                    test.value.span,
                    format!("a window holds at most {most} events of one key"),
                )
                .help("a full window counts as exceeded; choose a smaller threshold or a shorter window"),
            );
            return None;
        }
        if matches!((&threshold, test.op), (Value::Whole(n), Comparison::GreaterOrEqual) if *n <= 0)
            || matches!((&threshold, test.op), (Value::Whole(n), Comparison::Less) if *n <= 0)
        {
            self.always_the_same(test.value.span, "a count is never below 0");
        }
        Some(MeasureTest {
            measure: id,
            op: test.op,
            threshold,
            text: measure_test_text(test),
        })
    }

    /// A measure, and the type of what it measures.
    fn measure(
        &mut self,
        scope: &Scope,
        measure: &'a Spanned<ast::Measure>,
    ) -> Option<(MeasureId, Type)> {
        let written = &measure.node;
        let kind = self.names.find(Sort::Kind, &written.kind, &mut self.out);
        let kind = KindId(u32::try_from(kind?).unwrap_or(u32::MAX));
        let own = Scope {
            kinds: vec![kind],
            complete: !self.kinds_in_part.contains(&kind),
            in_measure: true,
        };
        let mut everywhere = own.clone();
        everywhere
            .kinds
            .extend(scope.kinds.iter().filter(|k| **k != kind));
        everywhere.complete &= scope.complete;
        let filter = written
            .filter
            .as_deref()
            .map(|filter| self.expr(&own, filter));
        self.no_repetition(&written.by);
        let by: Vec<_> = written
            .by
            .iter()
            .map(|path| self.key_field(&everywhere, path))
            .collect();
        let (function, ty) = match &written.function {
            ast::MeasureFunction::Count => (Some(MeasureFunction::Count), Type::Whole(None)),
            ast::MeasureFunction::Distinct(path) => {
                let field = self.key_field(&everywhere, path);
                (
                    field.map(|(id, _)| MeasureFunction::Distinct(id)),
                    Type::Whole(None),
                )
            }
            ast::MeasureFunction::Sum(path) => {
                let field = self
                    .key_field(&everywhere, path)
                    .filter(|(_, ty)| self.summable(ty, path));
                let ty = field
                    .as_ref()
                    .map_or(Type::Whole(None), |(_, ty)| ty.clone());
                (field.map(|(id, _)| MeasureFunction::Sum(id)), ty)
            }
        };
        let window = self.window(&written.over);
        let by: Option<Vec<FieldId>> = by
            .into_iter()
            .map(|field| field.map(|(id, _)| id))
            .collect();
        let filter = match filter {
            Some(filter) => Some(filter?),
            None => None,
        };
        let measure = Measure {
            function: function?,
            kind,
            filter,
            by: by?,
            window: window?,
            text: measure_text(written),
        };
        if let Some(id) = self.measure_ids.get(&measure.text) {
            return Some((*id, ty));
        }
        let id = MeasureId(u32::try_from(self.measures.len()).unwrap_or(u32::MAX));
        self.measure_ids.insert(measure.text.clone(), id);
        self.measures.push(measure);
        Some((id, ty))
    }

    fn window(&mut self, over: &Spanned<crate::clock::Duration>) -> Option<crate::clock::Duration> {
        let message = if over.node > limits::WINDOW {
            format!("a window is at most {} long", limits::WINDOW)
        } else if over.node.as_millis() == 0 {
            "a window of no length holds nothing".to_owned()
        } else {
            return Some(over.node);
        };
        self.out
            .push(Diagnostic::new(codes::WINDOW_TOO_LONG, over.span, message));
        None
    }

    /// A field that a measure needs of every event: never missing.
    fn key_field(&mut self, scope: &Scope, path: &Path) -> Option<(FieldId, Type)> {
        let field = self.field(scope, path)?;
        if field.optional {
            self.out.push(
                Diagnostic::new(
                    codes::MEASURE_KEY_OPTIONAL,
                    path.span,
                    format!(
                        "`{}` can be missing, and then the event would belong to no window",
                        path.node
                    ),
                )
                .help("make it required, or give it a default"),
            );
            return None;
        }
        Some((field.id, field.ty))
    }

    fn summable(&mut self, ty: &Type, path: &Path) -> bool {
        let from_zero = match ty {
            Type::Whole(range) => range.map(|range| range.low >= 0),
            Type::Number(range) | Type::Money(_, range) => {
                range.map(|range| !range.low.is_sign_negative() || range.low.is_zero())
            }
            Type::Duration => Some(true),
            other => {
                let message = format!("`{}` is `{}`, which has no sum", path.node, other.short());
                self.out
                    .push(Diagnostic::new(codes::SUM_NOT_FOR_TYPE, path.span, message));
                return false;
            }
        };
        if from_zero != Some(true) {
            self.out.push(
                Diagnostic::new(
                    codes::SUM_NOT_FROM_ZERO,
                    path.span,
                    format!(
                        "`{}` can be negative, so its sum could be driven down",
                        path.node
                    ),
                )
                .help("declare its range from 0, such as `money USD 0 to 1000000`"),
            );
        }
        from_zero == Some(true)
    }
}
