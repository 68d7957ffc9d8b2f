//! What a measure counts, in words that say all of it.
//!
//! In: a checked matrix. Out: a text for each measure's window.
//! Invariant: two measures, of any two matrices, whose texts are equal count the same events by the same
//! key over the same span. Named conditions, lists and calendars are spelt out.

use std::fmt::Write as _;

use super::{Expr, ExprKind, Matrix, Measure, TestOp};
use crate::schema::Presence;

impl Matrix {
    /// The window of a measure.
    pub(crate) fn window_definition(&self, measure: &Measure) -> String {
        let mut words = measure.window_words().to_owned();
        if let Some(kind) = self.kind(measure.kind) {
            let _ = write!(words, "\n{:?} {:?}", kind.name, kind.source);
            for field in &kind.fields {
                let presence = match &field.presence {
                    Presence::Required => None,
                    Presence::Optional => Some(None),
                    Presence::Default(value) => Some(Some(value)),
                };
                let _ = write!(
                    words,
                    "\n{:?} {:?} {} {presence:?}",
                    field.path, field.json, field.ty
                );
            }
        }
        if let Some(filter) = &measure.filter {
            self.spell_out(filter, &mut words);
        }
        words
    }

    fn spell_out(&self, expr: &Expr, words: &mut String) {
        let (name, parts): (&str, &[Expr]) = match &expr.kind {
            ExprKind::All(parts) => ("all", parts),
            ExprKind::Any(parts) => ("any", parts),
            ExprKind::None(parts) => ("none", parts),
            ExprKind::AtLeast(count, parts) => {
                let _ = write!(words, "\n{count}");
                ("at least", parts)
            }
            ExprKind::Not(part) => ("not", std::slice::from_ref(part)),
            ExprKind::Condition(id) => {
                let condition = self.condition(*id);
                let part = condition.map(|condition| &condition.expr);
                ("is", part.map_or(&[], std::slice::from_ref))
            }
            ExprKind::Test(test) => {
                let _ = write!(words, "\n{} {}", test.text, test.if_present);
                match &test.op {
                    TestOp::In { values, .. } | TestOp::Contains { values, .. } => {
                        let _ = write!(words, " {values:?}");
                    }
                    TestOp::Inside(id) | TestOp::Outside(id) => {
                        let calendar = self.calendar(*id);
                        let _ = write!(words, " {:?}", calendar.map(|calendar| calendar.words()));
                    }
                    _ => {}
                }
                return;
            }
            // No `where` has one.
            ExprKind::Measure(test) => {
                words.push_str(&test.text);
                return;
            }
        };
        let _ = write!(words, "\n{name} (");
        for part in parts {
            self.spell_out(part, words);
        }
        words.push(')');
    }
}
