//! When tests and expressions are surely true, and when they are not surely false.
//!
//! In: expressions of the matrices of a space. Out: nodes over its dimensions.
//! Invariant: what is missing, or not known, makes the second and not the first (Kleene's strong logic).

use super::{
    At, Dim, Dimension, Literal, Node, Owned, Rails, Regions, Rel, Space, With, measures,
    other_field,
};
use crate::analysis::cube::Opposites;
use crate::matrix::{ContainsHow, Expr, ExprKind, MeasureTest, TestOp};
use crate::schema::FieldId;
use crate::value::Value;

impl Space<'_> {
    /// When a test of one field is true, and when not false; it takes these of the regions of the field.
    pub(super) fn rails_of_field(&self, dim: Dim, owned: &Owned, takes: Regions) -> Rails {
        let test = &owned.test;
        let Some(dimension) = self.dims.get(dim as usize) else {
            return Rails::never();
        };
        let missing = dimension.missing();
        let is_known = test.if_present || matches!(test.op, TestOp::Missing | TestOp::Present);
        if let TestOp::Contains { how, values } = &test.op
            && self.items.iter().any(|item| item.list == dim)
        {
            let there = self.inside(dim, dimension.present());
            let inner = self.contains(dim, *how, values);
            let yes = Node::all(vec![there, inner]);
            let maybe = match is_known {
                true => yes.clone(),
                false => Node::any(vec![yes.clone(), self.inside(dim, missing)]),
            };
            return Rails { yes, maybe };
        }
        let yes = match test.op {
            TestOp::Missing => missing.clone(),
            _ => takes,
        };
        let maybe = match is_known {
            true => yes.clone(),
            false => yes.or(&missing),
        };
        Rails {
            yes: self.inside(dim, yes),
            maybe: self.inside(dim, maybe),
        }
    }

    /// What a list has to hold.
    fn contains(&self, list: Dim, how: ContainsHow, values: &[Value]) -> Node {
        let has = |value: &Value, is_there: bool| {
            let mut items = self.items.iter();
            let item = items.find(|it| it.list == list && it.item == *value);
            item.map_or(Node::Is(false), |item| {
                self.inside(item.dim, Regions::one(u32::from(is_there)))
            })
        };
        let all = |is_there: bool| values.iter().map(|value| has(value, is_there)).collect();
        match how {
            ContainsHow::Any => Node::any(all(true)),
            ContainsHow::All => Node::all(all(true)),
            ContainsHow::None => Node::all(all(false)),
        }
    }

    pub(super) fn rails_of_comparison(&self, owned: &Owned, relation: Rel) -> Rails {
        let (side, test) = (owned.side, &owned.test);
        let yes = Node::Literal(Literal::Compares(relation, true));
        let mut maybe = vec![yes.clone()];
        if !test.if_present {
            maybe.extend(self.is_missing(side, test.field));
        }
        // The field that is asked about is there; the other one may be missing all the same.
        maybe.extend(other_field(test).and_then(|field| self.is_missing(side, field)));
        Rails {
            yes,
            maybe: Node::any(maybe),
        }
    }

    pub(super) fn is_missing(&self, side: At, field: FieldId) -> Option<Node> {
        let dim = self.dim(side, field)?;
        let missing = self.dims.get(dim as usize)?.missing?;
        Some(self.inside(dim, Regions::one(missing)))
    }

    /// Regions of a dimension as a node.
    pub(super) fn inside(&self, dim: Dim, set: Regions) -> Node {
        let count = self.dims.get(dim as usize).map_or(0, Dimension::count);
        if set.is_empty() {
            Node::Is(false)
        } else if set.len() == count {
            Node::Is(true)
        } else {
            Node::Literal(Literal::In(dim, set))
        }
    }

    /// When an expression is surely true, and when it is not surely false.
    pub(in crate::analysis) fn rails(&self, side: At, expr: &Expr) -> Rails {
        self.rails_with(side, expr, With::AsIs)
    }

    /// The same where something is otherwise. Of fields that are set the expression asks no more than
    /// [`Asks::Of`](super::Asks).
    pub(in crate::analysis) fn rails_with(&self, side: At, expr: &Expr, with: With<'_>) -> Rails {
        if let With::Part { part, holds } = with
            && std::ptr::eq(part, expr)
        {
            return Rails {
                yes: Node::Is(holds),
                maybe: Node::Is(holds),
            };
        }
        let matrix = self.sides.get(side).map(|side| side.matrix);
        match &expr.kind {
            ExprKind::All(parts) => self.joined(side, parts, with, Node::all),
            ExprKind::Any(parts) => self.joined(side, parts, with, Node::any),
            ExprKind::None(parts) => self.negated(&self.joined(side, parts, with, Node::any)),
            ExprKind::AtLeast(least, parts) => self.joined(side, parts, with, |parts| {
                Node::at_least(*least as usize, &parts)
            }),
            ExprKind::Not(inner) => self.negated(&self.rails_with(side, inner, with)),
            ExprKind::Condition(id) => match matrix.and_then(|matrix| matrix.condition(*id)) {
                Some(condition) => {
                    let with = match with {
                        With::Set(_) => with,
                        With::AsIs | With::Part { .. } => With::AsIs,
                    };
                    self.rails_with(side, &condition.expr, with)
                }
                None => Rails::never(),
            },
            ExprKind::Test(test) => {
                let said = match with {
                    With::Set(set) => self.says(side, test, set),
                    With::AsIs | With::Part { .. } => None,
                };
                said.or_else(|| self.rails_of(test).cloned())
                    .unwrap_or_else(Rails::never)
            }
            ExprKind::Measure(test) => self.rails_of_measure(side, test),
        }
    }

    fn rails_of_measure(&self, side: At, test: &MeasureTest) -> Rails {
        let side = self.sides.get(side);
        let dim = side.and_then(|side| side.measures.get(&test.measure).copied());
        let Some((dim, dimension)) = dim.and_then(|dim| Some((dim, self.dims.get(dim as usize)?)))
        else {
            return Rails::never();
        };
        let yes = Regions::of(dimension.count(), |region| {
            let region = dimension.regions.get(region as usize);
            let value = region.and_then(|values| values.first());
            value.is_some_and(|value| measures::holds(value, test))
        });
        let maybe = yes.or(&dimension.missing());
        Rails {
            yes: self.inside(dim, yes),
            maybe: self.inside(dim, maybe),
        }
    }

    fn joined(
        &self,
        side: At,
        parts: &[Expr],
        with: With<'_>,
        join: impl Fn(Vec<Node>) -> Node,
    ) -> Rails {
        let parts = parts.iter().map(|part| self.rails_with(side, part, with));
        let parts: Vec<Rails> = parts.collect();
        Rails {
            yes: join(parts.iter().map(|part| part.yes.clone()).collect()),
            maybe: join(parts.into_iter().map(|part| part.maybe).collect()),
        }
    }

    /// The opposite of an expression: it is surely true where that is surely false.
    pub(in crate::analysis) fn negated(&self, rails: &Rails) -> Rails {
        Rails {
            yes: self.not(&rails.maybe),
            maybe: self.not(&rails.yes),
        }
    }

    /// All other events.
    pub(in crate::analysis) fn not(&self, node: &Node) -> Node {
        match node {
            Node::Is(is) => Node::Is(!is),
            Node::Literal(Literal::In(dim, set)) => {
                let others = set.not(self.count(*dim));
                match others.is_empty() {
                    true => Node::Is(false),
                    false => Node::Literal(Literal::In(*dim, others)),
                }
            }
            Node::Literal(Literal::Compares(relation, holds)) => {
                let missing = self.missing(*relation).into_iter();
                let missing = missing.map(|(dim, missing)| Literal::In(dim, missing));
                let others = missing.chain([Literal::Compares(*relation, !holds)]);
                Node::any(others.map(Node::Literal).collect())
            }
            Node::All(parts) => Node::any(parts.iter().map(|part| self.not(part)).collect()),
            Node::Any(parts) => Node::all(parts.iter().map(|part| self.not(part)).collect()),
        }
    }
}

impl Opposites for Space<'_> {
    fn count(&self, dim: Dim) -> u32 {
        Space::count(self, dim)
    }

    fn missing(&self, relation: Rel) -> Vec<(Dim, Regions)> {
        let owned = self.compared.get(relation as usize).into_iter();
        let fields = owned.flat_map(|it| {
            let fields = [Some(it.test.field), other_field(&it.test)];
            fields.into_iter().flatten().map(|field| (it.side, field))
        });
        let missing = fields.filter_map(|(side, field)| match self.is_missing(side, field)? {
            Node::Literal(Literal::In(dim, missing)) => Some((dim, missing)),
            _ => None,
        });
        missing.collect()
    }
}
