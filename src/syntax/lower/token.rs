//! Single tokens: names, strings, numbers, times.
//!
//! In: a token's pair. Out: its meaning, or `None` with a diagnostic.
//! Invariant: the grammar's permissive tokens are narrowed here and nowhere else.

use chrono::NaiveDate;

use super::{Lower, Node, Rule};
use crate::clock::{self, Duration};
use crate::diagnostic::{Diagnostic, codes};
use crate::span::{Span, Spanned};
use crate::syntax::ast::{Name, Value};
use crate::syntax::scan::is_reserved;
use crate::value::{is_name, plain_number};

impl<'a> Lower<'a> {
    /// A word where something is referred to: it is looked up later, whatever its form.
    pub(super) fn reference(&self, node: &Node<'a>) -> Name {
        Spanned::new(node.as_str().to_owned(), self.span(node))
    }

    /// A word where something is declared: its form must be right. A wrong one is complained of
    /// and still declares, so that its uses are not complained of too.
    pub(super) fn declared(&mut self, node: &Node<'a>) -> Name {
        let name = self.reference(node);
        self.check_name(&name.node, name.span);
        name
    }

    pub(super) fn check_name(&mut self, name: &str, span: Span) {
        if !is_name(name) {
            let mut found =
                Diagnostic::new(codes::BAD_NAME, span, format!("`{name}` is not a name"))
                    .help("a name is lower-case letters, digits and `_`, and starts with a letter");
            let snake = snake_case(name);
            if is_name(&snake) {
                found = found.guess(format!("call it `{snake}`"), span, snake);
            }
            self.push(found);
        } else if is_reserved(name) {
            self.push(
                Diagnostic::new(
                    codes::RESERVED_WORD,
                    span,
                    format!("`{name}` is a reserved word and cannot be a name"),
                )
                .help(format!("put another word to it, such as `{name}_value`")),
            );
        }
    }

    /// A value of a `one of` type that was written without quotes.
    pub(super) fn check_enum_word(&mut self, word: &str, span: Span) {
        if is_name(word) && !is_reserved(word) {
            return;
        }
        let quoted = crate::value::quote(word);
        let found = if is_name(word) {
            Diagnostic::new(
                codes::RESERVED_WORD,
                span,
                format!("`{word}` is a reserved word; as a value it needs quotes"),
            )
        } else {
            Diagnostic::new(
                codes::BAD_NAME,
                span,
                format!("the value `{word}` needs quotes"),
            )
        };
        let found = found.safe_fix(format!("write `{quoted}`"), span, quoted);
        self.push(found);
    }

    /// A field's path where it is declared.
    pub(super) fn declared_path(&mut self, node: &Node<'a>) -> Name {
        let path = self.reference(node);
        let mut start = path.span.start;
        for (n, part) in path.node.split('.').enumerate() {
            let end = start + u32::try_from(part.len()).unwrap_or(0);
            let span = Span {
                start,
                end,
                ..path.span
            };
            // Behind a dot any word is a field.
            if n == 0 || !is_name(part) {
                self.check_name(part, span);
            }
            start = end + 1;
        }
        path
    }

    /// A string's content.
    pub(super) fn string(&mut self, node: &Node<'a>) -> Spanned<String> {
        let span = self.span(node);
        let raw = node.as_str();
        let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
        if !inner.contains('\\') {
            return Spanned::new(inner.to_owned(), span);
        }
        let mut out = String::with_capacity(inner.len());
        let mut chars = inner.char_indices();
        while let Some((at, c)) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            let escape = chars.next().map(|(_, c)| c);
            match escape {
                Some('"') => out.push('"'),
                Some('\\') => out.push('\\'),
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('u') => {
                    let rest = chars.as_str();
                    match unicode_escape(rest) {
                        Some((c, len)) => {
                            out.push(c);
                            chars = inner
                                .get(inner.len() - rest.len() + len..)
                                .unwrap_or("")
                                .char_indices();
                            // The offsets restart; only the place of a later mistake depends on them.
                        }
                        None => self.bad_escape(
                            span,
                            at,
                            "\\u",
                            "write it as `\\u{e9}`: one to six hex digits of a character in braces",
                        ),
                    }
                }
                other => {
                    let text = format!("\\{}", other.unwrap_or(' '));
                    self.bad_escape(
                        span,
                        at,
                        &text,
                        "the escapes are `\\\"`, `\\\\`, `\\n`, `\\t` and `\\u{...}`",
                    );
                }
            }
        }
        Spanned::new(out, span)
    }

    fn bad_escape(&mut self, string: Span, at: usize, text: &str, help: &str) {
        let start = string.start + 1 + u32::try_from(at).unwrap_or(0);
        let end = (start + u32::try_from(text.len()).unwrap_or(1)).min(string.end);
        let span = Span {
            start: start.min(end),
            end,
            ..string
        };
        self.push(
            Diagnostic::new(codes::BAD_ESCAPE, span, format!("`{text}` is no escape")).help(help),
        );
    }

    /// The text of a plain number such as `-12.5`.
    pub(super) fn number(&mut self, node: &Node<'a>) -> Option<Spanned<String>> {
        let (text, span) = (node.as_str(), self.span(node));
        if is_plain_number(text) {
            return Some(Spanned::new(text.to_owned(), span));
        }
        let mut found =
            Diagnostic::new(codes::BAD_NUMBER, span, format!("`{text}` is not a number"));
        let repaired = text.replace('_', "");
        let repaired = match repaired
            .strip_prefix("-.")
            .or_else(|| repaired.strip_prefix('.'))
        {
            Some(digits) if text.starts_with('-') => format!("-0.{digits}"),
            Some(digits) => format!("0.{digits}"),
            None => repaired.trim_end_matches('.').to_owned(),
        };
        match plain_number(&repaired) {
            Some(plain) => found = found.safe_fix(format!("write `{plain}`"), span, plain),
            None => found = found.help("a number is digits, such as `12` or `-0.5`"),
        }
        self.push(found);
        None
    }

    /// A whole number such as a count.
    pub(super) fn integer(&mut self, node: &Node<'a>) -> Option<Spanned<i64>> {
        let text = self.number(node)?;
        if let Ok(number) = text.node.parse() {
            return Some(Spanned::new(number, text.span));
        }
        self.push(Diagnostic::new(
            codes::BAD_NUMBER,
            text.span,
            format!(
                "`{}` is not a whole number{}",
                text.node,
                if text.node.contains('.') {
                    ""
                } else {
                    " of 64 bits"
                }
            ),
        ));
        None
    }

    pub(super) fn duration(&mut self, node: &Node<'a>) -> Option<Spanned<Duration>> {
        let (text, span) = (node.as_str(), self.span(node));
        match Duration::parse(text) {
            Ok(length) => Some(Spanned::new(length, span)),
            Err(error) => {
                let message = format!("`{text}` is not a duration");
                self.push(
                    Diagnostic::new(codes::BAD_DURATION, span, message).help(error.to_string()),
                );
                None
            }
        }
    }

    pub(super) fn date(&mut self, node: &Node<'a>) -> Option<Spanned<NaiveDate>> {
        let (text, span) = (node.as_str(), self.span(node));
        let date = clock::parse_date(text);
        if date.is_none() {
            let message = format!("`{text}` is not a date");
            self.push(
                Diagnostic::new(codes::BAD_TIME, span, message)
                    .help("a date is written `2026-12-24`"),
            );
        }
        date.map(|date| Spanned::new(date, span))
    }

    pub(super) fn instant(&mut self, node: &Node<'a>) -> Option<Spanned<clock::Written>> {
        let (text, span) = (node.as_str(), self.span(node));
        let instant = clock::parse_written(text);
        if instant.is_none() {
            let message = format!("`{text}` is not an instant");
            self.push(Diagnostic::new(codes::BAD_TIME, span, message).help(
                "an instant has an offset: `2026-01-07T12:00:00+01:00`, or `Z` for universal time",
            ));
        }
        instant.map(|instant| Spanned::new(instant, span))
    }

    /// A time of day as minutes from midnight; `24:00` is the end of the day.
    pub(super) fn time_of_day(&mut self, node: &Node<'a>) -> Option<Spanned<u16>> {
        let (text, span) = (node.as_str(), self.span(node));
        let minutes = minutes_of_day(text);
        if minutes.is_none() {
            let message = format!("`{text}` is not a time of day");
            self.push(
                Diagnostic::new(codes::BAD_TIME, span, message)
                    .help("a time of day is `00:00` to `24:00`"),
            );
        }
        minutes.map(|minutes| Spanned::new(minutes, span))
    }

    /// `literal`: a value as written. A malformed one is complained of and comes back broken.
    pub(super) fn literal(&mut self, node: Node<'a>) -> Spanned<Value> {
        let span = self.span(&node);
        let value = self.literal_value(node.into_inner().collect());
        Spanned::new(value, span)
    }

    pub(super) fn literal_value(&mut self, parts: Vec<Node<'a>>) -> Value {
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else {
            return Value::Broken;
        };
        match (first.as_rule(), parts.next()) {
            (Rule::string, _) => Value::Str(self.string(&first).node),
            (Rule::yes_no, _) if first.as_str().trim() == "yes" => Value::Yes,
            (Rule::yes_no, _) => Value::No,
            (Rule::numeric, Some(currency)) => match self.number(&first) {
                Some(number) => Value::Money(number.node, currency.as_str().to_owned()),
                None => Value::Broken,
            },
            (Rule::numeric, None) => self.numeric_value(&first),
            _ => Value::Word(first.as_str().to_owned()),
        }
    }

    /// A numeric token without context: its form says what it is.
    fn numeric_value(&mut self, node: &Node<'a>) -> Value {
        let text = node.as_str();
        if text.contains('T') || text.contains(':') {
            return self
                .instant(node)
                .map_or(Value::Broken, |at| Value::Timestamp(at.node));
        }
        if text.bytes().skip(1).filter(|b| *b == b'-').count() == 2 {
            return self
                .date(node)
                .map_or(Value::Broken, |date| Value::Date(date.node));
        }
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let unit = first_letters(unit);
        if matches!(unit, "ms" | "s" | "m" | "h" | "d") {
            return self
                .duration(node)
                .map_or(Value::Broken, |length| Value::Duration(length.node));
        }
        self.number(node)
            .map_or(Value::Broken, |number| Value::Number(number.node))
    }
}

fn first_letters(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    text.get(..end).unwrap_or("")
}

/// `-12.5`: no `.5`, no `5.`, no exponent, no separators.
fn is_plain_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

fn minutes_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |s: &str| {
        (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<u16>().ok())?
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 1440).then_some(total)
}

/// Reads `{e9}`; returns the character and the bytes read.
fn unicode_escape(rest: &str) -> Option<(char, usize)> {
    let body = rest.strip_prefix('{')?;
    let end = body.find('}')?;
    let digits = body.get(..end)?;
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    Some((c, end + 2))
}

/// A likely name for a word of another form: `customerId` becomes `customer_id`.
pub(super) fn snake_case(word: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        if c.is_ascii_uppercase() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    out.trim_matches('_').to_owned()
}
