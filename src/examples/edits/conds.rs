//! Edits of how conditions are joined: `and` for `or`, a part left out, `not` left out, another count.

use super::Editor;
use crate::span::{Span, Spanned};
use crate::syntax::ast::{Block, Cond, Quantifier};
use crate::syntax::print::cond_text;

impl Editor<'_> {
    /// All edits of a condition and of what is in it.
    pub(super) fn cond(&mut self, cond: &Spanned<Cond>) {
        match &cond.node {
            Cond::And(parts) => self.joined(cond, parts, ["and", "or"]),
            Cond::Or(parts) => self.joined(cond, parts, ["or", "and"]),
            Cond::Not(inner) => {
                let is = cond_text(&inner.node);
                let text = self.unit(inner);
                self.push(cond.span, text, cond.span, cond_text(&cond.node), Some(is));
                self.cond(inner);
            }
            Cond::Block(block) => self.block(block),
            Cond::Measure(test) => self.measure(test, cond.span),
            Cond::Test(test) => self.test(test, cond.span),
            Cond::Name(_) | Cond::Broken => {}
        }
    }

    fn joined(&mut self, cond: &Spanned<Cond>, parts: &[Spanned<Cond>], words: [&str; 2]) {
        let [word, other] = words;
        let join = |parts: Vec<String>, word: &str| match parts.as_slice() {
            [only] => only.clone(),
            _ => format!("({})", parts.join(&format!(" {word} "))),
        };
        let units = |editor: &Self, but: Option<usize>| -> Vec<String> {
            let kept = parts.iter().enumerate().filter(|(n, _)| Some(*n) != but);
            kept.map(|(_, part)| editor.unit(part)).collect()
        };
        let turned = match &cond.node {
            Cond::And(parts) => Cond::Or(parts.clone()),
            _ => Cond::And(parts.to_vec()),
        };
        let text = join(units(self, None), other);
        let (was, is) = (cond_text(&cond.node), cond_text(&turned));
        self.push(cond.span, text, cond.span, was, Some(is));
        for (dropped, part) in parts.iter().enumerate() {
            let text = join(units(self, Some(dropped)), word);
            self.push(cond.span, text, part.span, cond_text(&part.node), None);
        }
        for part in parts {
            self.cond(part);
        }
    }

    /// The text of a condition where the grammar wants a unit: its own parentheses are not in its span.
    fn unit(&self, cond: &Spanned<Cond>) -> String {
        let text = self.text(cond.span);
        match cond.node {
            Cond::And(_) | Cond::Or(_) => format!("({text})"),
            _ => text.to_owned(),
        }
    }

    fn block(&mut self, block: &Block) {
        let (head, count) = (block.quantifier.span, block.conds.len());
        let is_many = count > 1;
        match block.quantifier.node {
            Quantifier::Any if is_many => self.quantifier(head, "any of", "all of"),
            Quantifier::All if is_many => self.quantifier(head, "all of", "any of"),
            Quantifier::None => self.quantifier(head, "none of", "any of"),
            Quantifier::Any | Quantifier::All => {}
            Quantifier::AtLeast(least) => {
                let was = format!("at least {least} of");
                let near = [least.checked_sub(1), least.checked_add(1)];
                let sensible = |n: &u32| *n >= 1 && usize::try_from(*n).is_ok_and(|n| n <= count);
                for other in near.into_iter().flatten().filter(sensible) {
                    self.quantifier(head, &was, &format!("at least {other} of"));
                }
            }
        }
        for cond in &block.conds {
            if is_many {
                let was = cond_text(&cond.node);
                self.push(cond.span, String::new(), cond.span, was, None);
            }
            self.cond(cond);
        }
    }

    fn quantifier(&mut self, head: Span, was: &str, is: &str) {
        let (was, is) = (was.to_owned(), is.to_owned());
        self.push(head, format!("{is} "), head, was, Some(is));
    }
}
