//! Whether what a space says of an expression is all there is to say.

use super::{At, Space, other_field};
use crate::matrix::{Expr, ExprKind, TestOp};

impl Space<'_> {
    /// Whether each dimension that an expression asks about shows each mixture of answers that some value has.
    pub(in crate::analysis) fn is_exact_in(&self, side: At, expr: &Expr) -> bool {
        let matrix = self.sides.get(side).map(|side| side.matrix);
        let is_exact = |field| {
            let dim = self.dim(side, field);
            let dimension = dim.and_then(|dim| self.dims.get(dim as usize));
            dimension.is_some_and(|dimension| dimension.exact)
        };
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => parts.iter().all(|part| self.is_exact_in(side, part)),
            ExprKind::Not(inner) => self.is_exact_in(side, inner),
            ExprKind::Condition(id) => matrix
                .and_then(|matrix| matrix.condition(*id))
                .is_some_and(|condition| self.is_exact_in(side, &condition.expr)),
            ExprKind::Test(test) => match &test.op {
                TestOp::Missing | TestOp::Present => true,
                _ => is_exact(test.field) && other_field(test).is_none_or(is_exact),
            },
            ExprKind::Measure(test) => {
                let dim = self
                    .sides
                    .get(side)
                    .and_then(|side| side.measures.get(&test.measure));
                let dimension = dim.and_then(|dim| self.dims.get(*dim as usize));
                dimension.is_some_and(|dimension| dimension.exact)
            }
        }
    }
}
