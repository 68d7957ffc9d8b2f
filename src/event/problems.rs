//! The collection of an event's problems, and how their messages show what came in.
//!
//! In: problems as they are found. Out: a bounded list.
//! Invariant: no message grows with the input, and none carries a control or hidden character.
//! Must not know what makes a value wrong.

use std::fmt::{self, Write as _};

use crate::event::{Json, Problem, ProblemCode};
use crate::limits::{EVENT_PROBLEMS, SHOWN_CHARS};
use crate::value::is_hidden;

/// Problems in the order in which they are found.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
    more: usize,
    fatal: bool,
}

impl Problems {
    /// Adds a problem of no field.
    pub(super) fn add(&mut self, code: ProblemCode, message: impl Into<String>) {
        self.push(code, None, message.into());
    }

    /// Adds a problem of a field or member.
    pub(super) fn of(&mut self, code: ProblemCode, field: &str, message: impl Into<String>) {
        self.push(code, Some(cut(field, 2 * SHOWN_CHARS)), message.into());
    }

    fn push(&mut self, code: ProblemCode, field: Option<String>, message: String) {
        self.fatal |= code.makes_unreadable();
        if self.list.len() < EVENT_PROBLEMS {
            self.list.push(Problem {
                code,
                field,
                message,
            });
        } else {
            self.more += 1;
        }
    }

    /// Adds that there are too many bytes.
    pub(super) fn too_large(&mut self, bytes: usize, limit: usize) {
        self.add(
            ProblemCode::TooLarge,
            format!("the event has {bytes} bytes; it may have {limit}"),
        );
    }

    /// Whether there is none, not even one that leaves the event readable.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether the event cannot be decided on its fields.
    pub(super) fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// The list; where it was cut, its last entry says how many are left out.
    pub(super) fn finish(self) -> Vec<Problem> {
        let mut list = self.list;
        if self.more > 0 {
            list.push(Problem {
                code: ProblemCode::MoreProblems,
                field: None,
                message: format!("{} more problems are not listed", self.more),
            });
        }
        list
    }
}

/// A name from the input in backticks, cut to a length that people read, and harmless for a terminal.
#[must_use]
pub fn name(text: &str) -> String {
    format!("`{}`", cut(text, SHOWN_CHARS))
}

/// A value from the input with its sort, shortened.
pub(super) fn seen(json: &Json) -> String {
    let text = glimpse(json);
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => text,
        Json::Text(_) => format!("the text {text}"),
        Json::List(_) => format!("the list {text}"),
        Json::Object(_) => format!("the object {text}"),
    }
}

/// The text of a value, shortened.
pub(super) fn glimpse(json: &Json) -> String {
    let mut window = Window::new(SHOWN_CHARS);
    // A number is shown as it came: its plain notation can be long and is not what was sent.
    let _ = match json {
        Json::Number(text) => window.write_str(text),
        // Sorting a large object in order to show its first members is work for nothing.
        Json::Object(members) if members.len() > SHOWN_CHARS => window.write_str("{…}"),
        json => json.write_canonical(&mut window),
    };
    window.finish()
}

/// A text, shortened, its control and hidden characters spelt out.
pub(super) fn cut(text: &str, chars: usize) -> String {
    let mut window = Window::new(chars);
    let _ = window.write_str(text);
    window.finish()
}

/// A sink that takes so many characters and then stops its writer.
struct Window {
    text: String,
    left: usize,
    full: bool,
}

impl Window {
    fn new(chars: usize) -> Self {
        Self {
            text: String::new(),
            left: chars,
            full: false,
        }
    }

    fn finish(mut self) -> String {
        if self.full {
            self.text.push('…');
        }
        self.text
    }
}

impl fmt::Write for Window {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.left == 0 {
                self.full = true;
                return Err(fmt::Error);
            }
            self.left -= 1;
            if c.is_control() || is_hidden(c) {
                let _ = write!(self.text, "\\u{{{:x}}}", u32::from(c));
            } else {
                self.text.push(c);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_short_and_plain() {
        let long = Json::Text("x".repeat(1_000_000));
        assert_eq!(glimpse(&long).chars().count(), SHOWN_CHARS + 1);
        let edge = Json::Text("x".repeat(SHOWN_CHARS - 2));
        assert!(!glimpse(&edge).contains('…'));
        assert_eq!(cut("a\u{202e}b\u{0}", 9), "a\\u{202e}b\\u{0}");
        assert_eq!(glimpse(&Json::Number("1e300".to_owned())), "1e300");
    }

    #[test]
    fn the_list_is_bounded_and_says_so() {
        let mut problems = Problems::default();
        for _ in 0..EVENT_PROBLEMS {
            problems.add(ProblemCode::NearMiss, "");
        }
        assert!(!problems.is_fatal());
        problems.of(ProblemCode::WrongType, "x", "");
        assert!(problems.is_fatal(), "also if it is not listed");
        let list = problems.finish();
        assert_eq!(list.len(), EVENT_PROBLEMS + 1);
        assert_eq!(
            list[EVENT_PROBLEMS].message,
            "1 more problems are not listed"
        );
    }
}
