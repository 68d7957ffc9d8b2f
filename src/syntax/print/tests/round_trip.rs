//! A matrix that uses the whole language, read and printed, with anything legal between its tokens.

use proptest::prelude::*;

use super::format::format;

const ACME: &str = include_str!("acme.lane");

#[test]
fn the_whole_language() {
    insta::assert_snapshot!(format(ACME));
}

proptest! {
    /// `format` checks that the tree, the comments and the text stay.
    #[test]
    fn comments_and_breaks_wherever_they_are_legal(
        gaps in prop::collection::vec(0..24usize, places().len()),
    ) {
        let mut text = String::new();
        let mut start = 0;
        for (i, (place, gap)) in places().into_iter().zip(gaps).enumerate() {
            text.push_str(&ACME[start..place]);
            start = place;
            text.push_str(&match gap {
                0 => "\n".to_owned(),
                1 => "\r\n \n\n".to_owned(),
                2 => format!(" # {i} }}\n"),
                3 => format!("\n # {i} {{\n"),
                4 => format!("\n\n# {i} \"\n\n"),
                5 => format!(" # {i}\n\n # and  \r\n"),
                _ => String::new(),
            });
        }
        text.push_str(&ACME[start..]);
        format(&text);
    }
}

/// Where a line may be broken: behind line breaks and braces, behind commas, within sets.
fn places() -> Vec<usize> {
    let mut places = vec![0];
    let (mut in_text, mut in_comment) = (None, false);
    let mut before = ' ';
    for (at, c) in ACME.char_indices() {
        let is_escaped = before == '\\';
        match c {
            '\n' => (in_text, in_comment) = (None, false),
            '#' if in_text.is_none() => in_comment = true,
            '"' | '/' if in_text == Some(c) && !is_escaped => in_text = None,
            '"' if in_text.is_none() => in_text = Some(c),
            '/' if in_text.is_none() && before == ' ' => in_text = Some(c),
            _ => {}
        }
        if !in_comment && in_text.is_none() && matches!(c, '\n' | '{' | '(' | ',') {
            places.push(at + 1);
        }
        before = c;
    }
    places
}
