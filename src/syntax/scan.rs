//! The lexical pass over a file, before any grammar: characters, comments, nesting, and the cut
//! into items.
//!
//! In: the text of a file. Out: its comments, the ranges of its items, and every lexical mistake.
//! Invariant: a range that is handed on is balanced in braces and parentheses and nested at most
//! as deep as the limits say, so that the recursive parser below cannot overflow the stack.
//! Knows only the top-level keywords of the grammar.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, codes};
use crate::limits::Limits;
use crate::span::{FileId, Span};
use crate::value::is_hidden;

/// The words that begin an item.
pub const ITEM_KEYWORDS: [&str; 14] = [
    "matrix",
    "import",
    "calendar",
    "event",
    "action",
    "sample",
    "team",
    "list",
    "condition",
    "always",
    "adjust",
    "promise",
    "scenario",
    "lane",
];

/// Words that may not be a name, an enum value or the first word of a field.
pub const RESERVED: [&str; 18] = [
    "and", "or", "not", "is", "in", "missing", "present", "inside", "outside", "yes", "no",
    "where", "by", "over", "when", "because", "with", "without",
];
// `of` is reserved too; it stands apart so that the arrays read as the design lists them.

/// Whether a word is reserved.
#[must_use]
pub fn is_reserved(word: &str) -> bool {
    word == "of" || RESERVED.contains(&word)
}

/// A comment, from its `#` to the end of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment {
    /// The comment without its line break.
    pub span: Span,
}

/// What the pass found.
#[derive(Debug, Default)]
pub struct Scan {
    /// The comments, in order.
    pub comments: Vec<Comment>,
    /// The items to parse, in order.
    pub items: Vec<Range<usize>>,
    /// Items that cannot be parsed; why is among the diagnostics.
    pub lost: Vec<Range<usize>>,
    /// The lexical mistakes.
    pub diagnostics: Vec<Diagnostic>,
    /// Lines on which a mistake was found already, in order: nothing more is said of them.
    pub broken_lines: Vec<Range<usize>>,
}

/// Reads a file's text once.
#[must_use]
pub fn scan(file: FileId, text: &str, limits: &Limits) -> Scan {
    let mut pass = Pass {
        file,
        text,
        limits,
        out: Scan::default(),
        tokens: Vec::new(),
    };
    pass.characters();
    pass.tokens();
    pass.cut();
    pass.out.broken_lines.sort_by_key(|r| r.start);
    pass.out
}

/// What the cut into items needs to know of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Open(char),
    Close(char),
    /// A word; whether it is the first token of its line.
    Word,
    Comma,
    Newline,
    Other,
}

#[derive(Debug, Clone, Copy)]
struct At {
    token: Token,
    start: usize,
    end: usize,
}

struct Pass<'a> {
    file: FileId,
    text: &'a str,
    limits: &'a Limits,
    out: Scan,
    tokens: Vec<At>,
}

impl Pass<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range)
    }

    fn line_of(&self, offset: usize) -> Range<usize> {
        let before = self.text.get(..offset).unwrap_or("");
        let after = self.text.get(offset..).unwrap_or("");
        let start = before.rfind('\n').map_or(0, |n| n + 1);
        let end = after.find('\n').map_or(self.text.len(), |n| offset + n);
        start..end
    }

    fn mistake(&mut self, diagnostic: Diagnostic) {
        let start = diagnostic.span.start as usize;
        // PERF: the mistakes of one line mostly come together; a line may be the whole file.
        let last = self.out.broken_lines.last();
        if !last.is_some_and(|line| line.contains(&start)) {
            let line = self.line_of(start);
            self.out.broken_lines.push(line);
        }
        self.out.diagnostics.push(diagnostic);
    }

    /// Characters that no text of a matrix may hold, anywhere.
    fn characters(&mut self) {
        if self.text.starts_with('\u{feff}') {
            let span = self.span(0..3);
            let found = Diagnostic::new(
                codes::BYTE_ORDER_MARK,
                span,
                "the file starts with a byte order mark",
            )
            .safe_fix("remove it", span, "");
            self.out.diagnostics.push(found);
        }
        let first_cr = self.text.find("\r\n");
        if let Some(at) = first_cr {
            let lines = self.text.matches("\r\n").count();
            let span = self.span(at..at + 1);
            let mut found = Diagnostic::new(
                codes::CARRIAGE_RETURN,
                span,
                format!("{lines} lines end in CR LF; `fmt` writes LF"),
            )
            .safe_fix("end each line in LF", span, "");
            if let Some(fix) = &mut found.fix {
                let ends = self.text.match_indices("\r\n").map(|(n, _)| n);
                fix.edits = ends
                    .map(|n| crate::diagnostic::Edit {
                        span: Span::new(self.file, n..n + 1),
                        replacement: String::new(),
                    })
                    .collect();
            }
            self.out.diagnostics.push(found);
        }
        // PERF: every character above is rare; the bytes that can begin one are looked for first.
        let suspicious = |b: u8| (b < 0x20 && b != b'\n' && b != b'\t') || b == 0x7f || b >= 0xc2;
        if !self.text.bytes().any(suspicious) {
            return;
        }
        let mut chars = self.text.char_indices().peekable();
        // One finding a line and sort: a line of a million such characters is one mistake.
        let mut said = (false, false);
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            let legal = match c {
                '\n' => {
                    said = (false, false);
                    true
                }
                '\t' => true,
                '\r' => next == Some('\n'),
                '\u{feff}' if at == 0 => true,
                c => !c.is_control() && !is_hidden(c),
            };
            if legal {
                continue;
            }
            let known = if is_hidden(c) {
                &mut said.0
            } else {
                &mut said.1
            };
            if !std::mem::replace(known, true) {
                self.illegal(at, c);
            }
        }
    }

    fn illegal(&mut self, at: usize, c: char) {
        let span = self.span(at..at + c.len_utf8());
        let name = format!("U+{:04X}", u32::from(c));
        let found = if is_hidden(c) {
            Diagnostic::new(
                codes::BIDI_CONTROL,
                span,
                format!("the character {name} hides or reorders text"),
            )
            .help(format!(
                "remove it, or write it as `\\u{{{:x}}}` inside a string",
                u32::from(c)
            ))
        } else {
            Diagnostic::new(
                codes::CONTROL_CHARACTER,
                span,
                format!("the control character {name}"),
            )
            .help("a matrix is plain text with line breaks and tabs only")
        };
        self.mistake(found);
    }

    /// Cuts the text into the tokens that matter here, and finds strings, expressions and comments.
    fn tokens(&mut self) {
        let text = self.text;
        let bytes = text.as_bytes();
        let byte = |n: usize| bytes.get(n).copied().unwrap_or(0);
        let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        while at < bytes.len() {
            let start = at;
            let token = match byte(at) {
                b' ' | b'\t' | b'\r' => {
                    at += 1;
                    continue;
                }
                b'\n' => Token::Newline,
                b'{' => Token::Open('{'),
                b'(' => Token::Open('('),
                b'}' => Token::Close('}'),
                b')' => Token::Close(')'),
                b',' => Token::Comma,
                b'#' => {
                    let line = text.get(at..).and_then(|t| t.find('\n'));
                    at = line.map_or(bytes.len(), |n| at + n);
                    let trimmed = text.get(start..at).unwrap_or("").trim_end().len();
                    let span = self.span(start..start + trimmed);
                    self.out.comments.push(Comment { span });
                    continue;
                }
                b'"' => {
                    at = self.quoted(at, b'"');
                    self.push(Token::Other, start, at);
                    continue;
                }
                // Elsewhere a slash is that of `yes/no`, or a mistake.
                b'/' if self.last_word() == "matches" => {
                    at = self.quoted(at, b'/');
                    self.push(Token::Other, start, at);
                    continue;
                }
                b if b.is_ascii_alphabetic() || b == b'_' => {
                    while byte(at).is_ascii_alphanumeric() || matches!(byte(at), b'_' | b'-' | b'.')
                    {
                        at += 1;
                    }
                    self.push(Token::Word, start, at);
                    continue;
                }
                b if b < 0x80 => Token::Other,
                _ => {
                    let c = text.get(at..).and_then(|t| t.chars().next());
                    at += c.map_or(1, char::len_utf8);
                    self.push(Token::Other, start, at);
                    continue;
                }
            };
            at += 1;
            self.push(token, start, at);
        }
    }

    fn last_word(&self) -> &str {
        let last = self
            .tokens
            .last()
            .and_then(|at| self.text.get(at.start..at.end));
        last.unwrap_or("")
    }

    fn push(&mut self, token: Token, start: usize, end: usize) {
        self.tokens.push(At { token, start, end });
    }

    /// Reads a string or an expression that starts here; returns its end. One that is not closed on
    /// its line ends with the line.
    fn quoted(&mut self, start: usize, quote: u8) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        loop {
            match bytes.get(at) {
                Some(b'\\') if bytes.get(at + 1).is_some_and(|b| *b != b'\n') => at += 2,
                Some(b) if *b == quote => {
                    at += 1;
                    break;
                }
                Some(b'\n') | None => {
                    self.unterminated(start..at, quote);
                    break;
                }
                Some(_) => at += 1,
            }
        }
        // A backslash may stand before a character of several bytes.
        while !self.text.is_char_boundary(at) {
            at += 1;
        }
        if at - start > self.limits.string_bytes + 2 {
            let span = self.span(start..at);
            let most = self.limits.string_bytes;
            self.mistake(Diagnostic::new(
                codes::STRING_TOO_LONG,
                span,
                format!(
                    "a string of {} bytes; at most {most} are allowed",
                    at - start - 2
                ),
            ));
        }
        at
    }

    fn unterminated(&mut self, range: Range<usize>, quote: u8) {
        let trimmed = self.text.get(range.clone()).unwrap_or("").trim_end().len();
        let span = self.span(range.start..range.start + trimmed);
        let found = if quote == b'"' {
            Diagnostic::new(
                codes::UNTERMINATED_STRING,
                span,
                "this string is not closed on its line",
            )
            .help("close it with `\"`; a line break inside a string is written `\\n`")
        } else {
            Diagnostic::new(
                codes::UNTERMINATED_REGEX,
                span,
                "this regular expression is not closed on its line",
            )
            .help("close it with `/`; a slash inside it is written `\\/`")
        };
        self.mistake(found);
    }

    /// Cuts the tokens into items.
    fn cut(&mut self) {
        let tokens = std::mem::take(&mut self.tokens);
        let all_match = self.balance(&tokens).is_none();
        let starts = item_starts(self.text, &tokens, all_match);
        let ends = starts.iter().skip(1).copied().chain([tokens.len()]);
        for (from, to) in starts.iter().copied().zip(ends) {
            let Some(item) = tokens.get(from..to) else {
                continue;
            };
            let (Some(first), Some(last)) = (
                item.first(),
                item.iter().rfind(|t| t.token != Token::Newline),
            ) else {
                continue;
            };
            let range = first.start..last.end;
            let problem = self.balance(item).or_else(|| self.depth(item));
            match problem {
                Some(found) => {
                    self.mistake(found);
                    self.out.lost.push(range);
                }
                None => self.out.items.push(range),
            }
        }
    }

    /// The first brace or parenthesis without its partner.
    fn balance(&self, tokens: &[At]) -> Option<Diagnostic> {
        let mut open: Vec<(char, usize)> = Vec::new();
        for at in tokens {
            match at.token {
                Token::Open(c) => open.push((c, at.start)),
                Token::Close(')') => match open.last() {
                    Some(('(', _)) => drop(open.pop()),
                    _ => return Some(self.unopened(')', at.start)),
                },
                Token::Close(_) => match open.pop() {
                    Some(('{', _)) => {}
                    Some((c, start)) => return Some(self.unclosed(c, start)),
                    None => return Some(self.unopened('}', at.start)),
                },
                _ => {}
            }
        }
        // The innermost one that a later line still belongs to is most likely the forgotten one,
        // but only the outermost is surely open: say where the item itself starts to be open.
        open.first().map(|(c, start)| self.unclosed(*c, *start))
    }

    fn unclosed(&self, c: char, start: usize) -> Diagnostic {
        let span = self.span(start..start + 1);
        if c == '(' {
            Diagnostic::new(
                codes::UNCLOSED_PARENTHESIS,
                span,
                "this parenthesis is never closed",
            )
        } else {
            Diagnostic::new(codes::UNCLOSED_BRACE, span, "this brace is never closed").help(
                "a block ends with `}` on a line of its own; the item is not read until it does",
            )
        }
    }

    fn unopened(&self, c: char, start: usize) -> Diagnostic {
        let span = self.span(start..start + 1);
        let what = if c == ')' { "parenthesis" } else { "brace" };
        Diagnostic::new(
            codes::UNOPENED_BRACE,
            span,
            format!("this closing {what} has no opening one before it"),
        )
    }

    /// The place at which an item gets nested too deep. The parser calls itself for braces,
    /// parentheses, `not`, `where` and `list of`.
    fn depth(&self, tokens: &[At]) -> Option<Diagnostic> {
        let mut open: Vec<(usize, usize)> = Vec::new();
        let (mut chain, mut wheres) = (0usize, 0usize);
        for at in tokens {
            let base = open.last().copied().unwrap_or((0, 0));
            match at.token {
                Token::Open(_) => open.push((chain, wheres)),
                Token::Close(_) => (chain, wheres) = open.pop().unwrap_or((0, 0)),
                Token::Newline => (chain, wheres) = base,
                // INVARIANT: only what surely ends a unit ends its chain. Any other word may stand
                // between a `not` and the block that it stands before.
                Token::Word => match self.text.get(at.start..at.end) {
                    Some("not" | "list") => chain += 1,
                    Some("where") => wheres += 1,
                    Some("and" | "or") => chain = base.0,
                    _ => {}
                },
                Token::Comma => chain = base.0,
                Token::Other => {}
            }
            if open.len() + chain + wheres > self.limits.nesting {
                let found = Diagnostic::new(
                    codes::NESTING_TOO_DEEP,
                    self.span(at.start..at.end),
                    format!("nested deeper than {} levels", self.limits.nesting),
                );
                return Some(
                    found.help("give the inner part a name with `condition NAME means ...`"),
                );
            }
        }
        None
    }
}

/// Where items begin: at lines outside any brace that do not go on from the line before. In a text
/// whose braces do not match, a keyword in column 0 begins an item also inside a brace: there the
/// brace was forgotten.
fn item_starts(text: &str, tokens: &[At], all_match: bool) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut depth = 0usize;
    let mut line_start = true;
    let mut continues = false;
    for (n, at) in tokens.iter().enumerate() {
        if line_start && at.token != Token::Newline {
            let first = starts.is_empty();
            let column_0 = is_column_0(text, at.start);
            let outside = depth == 0 && !continues && (column_0 || is_item_shaped(text, tokens, n));
            // Behind a comma an item begins where one is written: the comma is one too many.
            let anchored = column_0
                && (!all_match || depth == 0 && continues)
                && is_item_shaped(text, tokens, n);
            if first || outside && !matches!(at.token, Token::Close(_)) || anchored {
                starts.push(n);
                depth = 0;
            }
        }
        match at.token {
            Token::Open(_) => depth += 1,
            Token::Close(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        line_start = at.token == Token::Newline;
        if !line_start {
            continues = at.token == Token::Comma;
        }
    }
    starts
}

fn is_column_0(text: &str, offset: usize) -> bool {
    matches!(
        text.as_bytes().get(offset.wrapping_sub(1)),
        None | Some(b'\n')
    ) || offset == 3 && text.starts_with('\u{feff}')
}

/// Whether the tokens from `n` look like an item's head: a keyword and behind it a name or a
/// string. A field or a test that is named like a keyword does not.
fn is_item_shaped(text: &str, tokens: &[At], n: usize) -> bool {
    let get = |n: usize| {
        tokens
            .get(n)
            .map(|at| (at.token, text.get(at.start..at.end).unwrap_or("")))
    };
    match (get(n), get(n + 1)) {
        (Some((Token::Word, keyword)), Some((Token::Word, name))) => {
            ITEM_KEYWORDS.contains(&keyword) && !is_reserved(name) && name != "from"
        }
        (Some((Token::Word, keyword)), Some((Token::Other, next))) => {
            ITEM_KEYWORDS.contains(&keyword) && next.starts_with('"')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> (Vec<&str>, usize, Vec<&'static str>) {
        let scan = scan(FileId(0), text, &Limits::default());
        let found = scan.diagnostics.iter().map(|d| d.code.as_str()).collect();
        let items = scan
            .items
            .iter()
            .filter_map(|r| text.get(r.clone()))
            .collect();
        (items, scan.lost.len(), found)
    }

    #[test]
    fn items_are_cut_outside_braces() {
        let text = "list a is 1,\n  2\n# note\nlane x {\nowner y\n}\nlnae z {\n}\n";
        assert_eq!(
            items(text).0,
            ["list a is 1,\n  2", "lane x {\nowner y\n}", "lnae z {\n}"]
        );
    }

    #[test]
    fn a_field_in_column_0_is_no_item_while_braces_match() {
        let text = "event k {\naction: text\nlist is \"x\"\n}\n";
        assert_eq!(items(text).0.len(), 1);
    }

    #[test]
    fn a_forgotten_brace_loses_one_item() {
        let text = "lane a {\n  timeout {\n    after 1h deny\n}\nlane b {\n}\n";
        assert_eq!(items(text), (vec!["lane b {\n}"], 1, vec!["E0204"]));
    }

    #[test]
    fn one_brace_too_many_loses_one_item() {
        let text = "lane a {\n  x }\n  y\n}\nlane b {\n}\n";
        assert_eq!(items(text), (vec!["lane b {\n}"], 1, vec!["E0205"]));
    }

    #[test]
    fn nesting_is_bounded_in_every_way_that_recurses() {
        for (open, close) in [
            ("(", ")"),
            ("not ", ""),
            ("any of {\n", "}"),
            ("count of a where ", ""),
            ("list of ", ""),
        ] {
            let text =
                |n: usize| format!("condition x means {}y{}", open.repeat(n), close.repeat(n));
            assert!(items(&text(64)).2.is_empty(), "{open}");
            assert_eq!(items(&text(65)).2, ["E0106"], "{open}");
        }
        let many = format!("condition x means {}", vec!["not a"; 200].join(" and "));
        assert!(items(&many).2.is_empty());
    }

    #[test]
    fn strings_and_expressions_end_with_their_line() {
        assert_eq!(items("about \"open\nlane a {\n}").2, ["E0206"]);
        assert_eq!(
            items("condition a means b matches /x\nlane a {\n}").2,
            ["E0217"]
        );
        assert!(items("event a {\n b: yes/no\n}").2.is_empty());
    }

    #[test]
    fn hidden_and_control_characters_are_found() {
        assert_eq!(items("# a\u{202e}b\n").2, ["E0105"]);
        assert_eq!(items("# a\0b\n").2, ["E0104"]);
        assert_eq!(items("# a\rb\n").2, ["E0104"]);
        assert_eq!(items("# a\r\n").2, ["W0826"]);
        assert_eq!(items("\u{feff}lane a {\n}").2, ["W0825"]);
    }
}
