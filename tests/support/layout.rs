//! Indentation, comments and blank lines of generated matrices.

use super::Gen;

const COMMENTS: [&str; 6] = [
    "# a remark",
    "#",
    "#\u{fc}ber { ( \" alles",
    "# lane x {",
    "## - }",
    "#!x, y",
];

impl Gen<'_> {
    /// The text of a file.
    pub fn lay_out(&mut self, items: &[String]) -> String {
        let mut text = String::new();
        for item in items {
            if !text.is_empty() {
                text.push('\n');
            }
            let mut depth: usize = 0;
            for line in item.lines() {
                let (opens, closes) = nesting(line);
                let level = if line.starts_with(['}', ')']) {
                    depth.saturating_sub(1)
                } else {
                    depth
                };
                self.remarks(&mut text);
                let indent = if level == 0 {
                    String::new()
                } else if self.plan.messy && self.one_in(4) {
                    self.pick(&["\t", " ", "      ", ""]).to_owned()
                } else {
                    "  ".repeat(level)
                };
                text.push_str(&indent);
                text.push_str(line);
                if self.plan.messy && self.one_in(12) {
                    let comment = self.pick(&COMMENTS);
                    let gap = self.pick(&[" ", "  ", "\t", ""]);
                    text.push_str(gap);
                    text.push_str(comment);
                    text.push_str(&self.number_of_comment());
                }
                if self.plan.messy && self.one_in(20) {
                    text.push_str("  ");
                }
                text.push('\n');
                depth = (depth + opens).saturating_sub(closes);
            }
        }
        self.remarks(&mut text);
        if self.plan.messy && self.one_in(8) && text.ends_with('\n') {
            text.pop();
        }
        text
    }

    /// Comments on lines of their own, and blank lines.
    fn remarks(&mut self, text: &mut String) {
        if !self.plan.messy {
            return;
        }
        while self.one_in(10) {
            if self.one_in(3) {
                text.push('\n');
                continue;
            }
            let indent = self.pick(&["", "  ", "\t\t"]);
            let comment = self.pick(&COMMENTS);
            text.push_str(indent);
            text.push_str(comment);
            text.push_str(&self.number_of_comment());
            text.push('\n');
        }
    }

    /// Most comments differ, so that their order shows.
    fn number_of_comment(&mut self) -> String {
        format!(" {}", self.rng.u16(..))
    }
}

/// How many braces and parentheses a line opens and closes, without those in strings and patterns.
fn nesting(line: &str) -> (usize, usize) {
    let (mut opens, mut closes) = (0, 0);
    let mut quote = None;
    let mut escaped = false;
    let mut last_word = "";
    let mut start = 0;
    for (at, c) in line.char_indices() {
        if let Some(end) = quote {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == end => quote = None,
                _ => {}
            }
            start = at + c.len_utf8();
            continue;
        }
        match c {
            '"' => quote = Some('"'),
            '/' if last_word == "matches" => quote = Some('/'),
            '{' | '(' => opens += 1,
            '}' | ')' => closes += 1,
            _ => {}
        }
        if !c.is_alphanumeric() && c != '_' {
            if start < at {
                last_word = &line[start..at];
            }
            start = at + c.len_utf8();
        }
    }
    (opens, closes)
}
