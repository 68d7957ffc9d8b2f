//! The small parts: names, strings, values, types.

use crate::span::{Span, Spanned};
use crate::syntax::ast::{
    Contact, Evidence, FieldType, Literal, LiteralRange, Name, TimeSpan, Value, Word,
};
use crate::value::{is_name, quote};

use super::writer::Writer;

impl Writer<'_> {
    pub(super) fn name(&mut self, name: &Name) {
        self.put(&name.node);
    }

    /// Words, with their spaces, and a name or a path behind them.
    pub(super) fn named(&mut self, words: &str, name: &Name) {
        self.put(words);
        self.name(name);
    }

    /// Names or paths with commas between them.
    pub(super) fn names(&mut self, names: &[Name]) {
        self.list(names, Self::name);
    }

    pub(super) fn string(&mut self, text: &Spanned<String>) {
        self.put(&quote(&text.node));
    }

    pub(super) fn because(&mut self, reason: &Spanned<String>) {
        self.put(" because ");
        self.string(reason);
    }

    pub(super) fn date(&mut self, date: chrono::NaiveDate) {
        self.put(&date.format("%Y-%m-%d").to_string());
    }

    pub(super) fn time_span(&mut self, span: &TimeSpan) {
        self.put(&span.length.node.to_string());
        if let Some(calendar) = &span.of {
            self.put(" of ");
            self.name(calendar);
        }
    }

    pub(super) fn contact(&mut self, contact: &Contact) {
        let sort = if contact.group { "group " } else { "person " };
        self.put(sort);
        self.put(&quote(&contact.name));
    }

    pub(super) fn evidence(&mut self, evidence: &Evidence) {
        match evidence {
            Evidence::Input => self.put("input"),
            Evidence::Action => self.put("action"),
            Evidence::Trigger => self.put("trigger"),
            Evidence::Context => self.put("context"),
            Evidence::Links => self.put("links"),
            Evidence::History(None) => self.put("history"),
            Evidence::History(Some(last)) => self.put(&format!("history last {last}")),
            Evidence::Label(label) => self.put(&quote(label)),
        }
    }

    /// A value. `span` is its place, for one that could not be read.
    pub(super) fn value(&mut self, value: &Value, span: Span) {
        match value {
            Value::Str(text) => self.put(&quote(text)),
            Value::Number(number) => self.put(number),
            Value::Money(amount, currency) => self.put(&format!("{amount} {currency}")),
            Value::Duration(duration) => self.put(&duration.to_string()),
            Value::Date(date) => self.date(*date),
            Value::Timestamp(at) => self.put(&crate::clock::format_written(*at)),
            Value::Yes => self.put("yes"),
            Value::No => self.put("no"),
            Value::Word(word) => self.bare(word),
            Value::Broken => self.verbatim(span),
        }
    }

    pub(super) fn set(&mut self, values: &[Spanned<Value>]) {
        self.put("(");
        self.list(values, |w, value| w.value(&value.node, value.span));
        self.put(")");
    }

    pub(super) fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::One(value) => self.value(&value.node, value.span),
            Literal::Set(set) => self.set(&set.node),
        }
    }

    pub(super) fn field_type(&mut self, ty: &FieldType) {
        match ty {
            FieldType::YesNo => self.put("yes/no"),
            FieldType::Text { ignoring_case } => {
                self.put("text");
                if *ignoring_case {
                    self.put(" ignoring case");
                }
            }
            FieldType::Whole(range) => {
                self.put("whole number");
                self.range(range.as_ref());
            }
            FieldType::Number(range) => {
                self.put("number");
                self.range(range.as_ref());
            }
            FieldType::Money(currency, range) => {
                self.put("money ");
                self.put(&currency.node);
                self.range(range.as_ref());
            }
            FieldType::OneOf(words) => {
                self.put("one of ");
                self.list(words, |w, word| w.word(&word.node));
            }
            FieldType::Timestamp => self.put("timestamp"),
            FieldType::Duration => self.put("duration"),
            FieldType::List(item) => {
                self.put("list of ");
                self.field_type(&item.node);
            }
        }
    }

    fn range(&mut self, range: Option<&LiteralRange>) {
        if let Some(LiteralRange { low, high }) = range {
            self.put(&format!(" {} to {}", low.node, high.node));
        }
    }

    fn word(&mut self, word: &Word) {
        if word.quoted {
            self.put(&quote(&word.text));
        } else {
            self.bare(&word.text);
        }
    }

    fn bare(&mut self, word: &str) {
        if is_name(word) {
            self.put(word);
        } else {
            self.put(&quote(word));
        }
    }
}
