//! Text of any origin, as a page shows it.
//!
//! Invariant: characters that turn or hide text (bidirectional ones, those of no width, controls) are shown
//! by their numbers, so that nobody approves something else than they read.

use chrono::{SubsecRound, Timelike};
use chrono_tz::Tz;
use maud::{Markup, html};

use crate::clock::Timestamp;
use crate::files::{acts_on_terminal, hides};

/// Characters of a text that a page shows at most; the rest is told of.
const LONGEST: usize = 20_000;

/// A text with what would turn or hide it made visible.
pub(in crate::server) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for (n, c) in text.chars().enumerate() {
        if n >= LONGEST {
            plain.push_str("… (cut)");
            break;
        }
        match c {
            '\n' | '\t' => plain.push(c),
            c if acts_on_terminal(c) || hides(c) => {
                plain.extend(c.escape_unicode());
            }
            c => plain.push(c),
        }
    }
    plain
}

/// JSON as it is edited: what would turn or hide text in it stands escaped, which means the same.
pub(in crate::server) fn editable(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if !matches!(c, '\n' | '\t') && (crate::files::acts_on_terminal(c) || hides(c)) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// An instant as the people of a zone read it.
pub(in crate::server) fn moment(at: Timestamp, zone: Tz) -> String {
    let local = at.with_timezone(&zone).trunc_subsecs(0);
    let form = match local.second() {
        0 => "%Y-%m-%d %H:%M %Z",
        _ => "%Y-%m-%d %H:%M:%S %Z",
    };
    local.format(form).to_string()
}

/// An instant for people and for scripts.
pub(in crate::server) fn when(at: Timestamp, zone: Tz) -> Markup {
    html! { time datetime=(crate::clock::format_timestamp(at)) { (moment(at, zone)) } }
}

/// How far away an instant is: `in 12 min`, `3 h ago`.
pub(in crate::server) fn away(at: Timestamp, now: Timestamp) -> String {
    let seconds = (at - now).num_seconds();
    let amount = seconds.unsigned_abs();
    let text = match amount {
        0..60 => format!("{amount} s"),
        60..7_200 => format!("{} min", amount / 60),
        7_200..172_800 => format!("{} h", amount / 3_600),
        _ => format!("{} days", amount / 86_400),
    };
    match seconds < 0 {
        true => format!("{text} ago"),
        false => format!("in {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_or_hides_text_is_shown_by_its_number() {
        assert_eq!(
            plain("pay \u{202e}001 to\u{200b} x\u{7}"),
            "pay \\u{202e}001 to\\u{200b} x\\u{7}"
        );
        assert_eq!(plain("a\nb\tüß漢"), "a\nb\tüß漢");
        assert_eq!(
            editable("\"a\u{202e}\u{e0041}ü\""),
            "\"a\\u202e\\udb40\\udc41ü\""
        );
        assert!(plain(&"x".repeat(LONGEST + 1)).ends_with("(cut)"));
    }
}
