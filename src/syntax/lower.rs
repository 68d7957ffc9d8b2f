//! From the parser's pairs to the tree.
//!
//! In: the text of a file. Out: an [`Ast`] and every mistake of the text.
//! Invariant: a line or an item that cannot be read gives exactly one diagnostic, and leaves its
//! keyword and name behind, so that no later stage complains of their absence.
//! Knows no names and no types.

use std::ops::Range;

use pest::Parser;
use pest::iterators::{Pair, Pairs};

use super::ast::{Ast, Broken, Item, ItemKind};
use super::grammar::{Grammar, Rule};
use super::scan::{self, Comment};
use crate::diagnostic::{Diagnostic, codes};
use crate::limits::{FINDINGS, Limits};
use crate::span::{FileId, Span, Spanned};

mod complain;
mod cond;
mod items;
mod lane;
mod token;

/// What a file's text says.
#[derive(Debug)]
pub struct Parsed {
    /// The tree.
    pub ast: Ast,
    /// The comments, which the tree leaves out.
    pub comments: Vec<Comment>,
    /// Every mistake of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file. Never fails as a whole: what cannot be read is lost by line or by item.
#[must_use]
pub fn parse(file: FileId, text: &str, limits: &Limits) -> Parsed {
    let scan = scan::scan(file, text, limits);
    let mut lower = Lower {
        file,
        text,
        base: 0,
        broken_lines: &scan.broken_lines,
        diagnostics: Vec::new(),
    };
    let mut items: Vec<Item> = Vec::with_capacity(scan.items.len());
    for range in &scan.items {
        items.push(lower.item(range.clone()));
    }
    for range in &scan.lost {
        items.push(lower.lost(range.clone()));
    }
    items.sort_by_key(|item| item.span.start);
    let mut diagnostics = scan.diagnostics;
    diagnostics.append(&mut lower.diagnostics);
    Parsed {
        ast: Ast { items },
        comments: scan.comments,
        diagnostics,
    }
}

/// The pairs of one block or clause.
type Children<'i> = Pairs<'i, Rule>;
/// One pair.
type Node<'i> = Pair<'i, Rule>;

struct Lower<'a> {
    file: FileId,
    text: &'a str,
    /// Where the item that is being read starts: pairs count from there.
    base: usize,
    broken_lines: &'a [Range<usize>],
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Lower<'a> {
    fn item(&mut self, range: Range<usize>) -> Item {
        self.base = range.start;
        let slice = self.text.get(range.clone()).unwrap_or("");
        let span = Span::new(self.file, range.clone());
        match Grammar::parse(Rule::item, slice) {
            Ok(mut pairs) => {
                let kind = pairs.next().and_then(|pair| self.item_kind(pair));
                let kind = kind.unwrap_or_else(|| ItemKind::Broken(broken(slice)));
                Spanned::new(kind, span)
            }
            Err(_) => {
                self.complain_item(slice, range);
                Spanned::new(ItemKind::Broken(broken(slice)), span)
            }
        }
    }

    /// An item that the scan gave up.
    fn lost(&self, range: Range<usize>) -> Item {
        let slice = self.text.get(range.clone()).unwrap_or("");
        Spanned::new(ItemKind::Broken(broken(slice)), Span::new(self.file, range))
    }

    fn span(&self, node: &Node<'_>) -> Span {
        let start = node.as_span().start();
        Span::new(self.file, self.base + start..self.base + end_of(node))
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        if !self.is_full(diagnostic.span) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Whether this file has more mistakes than are shown. The first one that is not looked at any
    /// more says so.
    fn is_full(&mut self, span: Span) -> bool {
        if self.diagnostics.len() == FINDINGS {
            let message = "the mistakes from here on are not looked for, there are too many";
            let found = Diagnostic::new(codes::MORE_FINDINGS, span.at_start(), message);
            self.diagnostics.push(found);
        }
        self.diagnostics.len() > FINDINGS
    }

    /// Whether a mistake was found on a line of this range already.
    fn is_known_broken(&self, range: &Range<usize>) -> bool {
        let first = self
            .broken_lines
            .partition_point(|line| line.end < range.start);
        self.broken_lines
            .get(first)
            .is_some_and(|line| line.start <= range.end)
    }

    /// Reads the lines of a block. `read` gets the good ones; the bad ones are complained of with
    /// their strict rule, and their keywords returned. A good line that goes on into a bad one is
    /// bad as a whole: `when x == 3` must not be read as `when x`.
    fn lines<T>(
        &mut self,
        pairs: Children<'a>,
        block: &complain::BlockRules,
        mut read: impl FnMut(&mut Self, Node<'a>) -> Option<T>,
    ) -> (Vec<Spanned<T>>, Vec<String>) {
        let mut good = Vec::new();
        let mut broken = Vec::new();
        let mut pairs = pairs.peekable();
        while let Some(pair) = pairs.next() {
            if pair.as_rule() == block.bad {
                let range = pair.as_span().start()..pair.as_span().end();
                broken.append(&mut self.complain_line(range, block));
                continue;
            }
            let range = pair.as_span().start()..pair.as_span().end();
            // A comma behind a good line spoils nothing.
            let spoilt = pairs
                .peek()
                .filter(|next| {
                    next.as_rule() == block.bad && !complain::is_last_comma(next.as_str())
                })
                .map(|next| next.as_span().start()..next.as_span().end())
                .filter(|next| self.on_one_line(range.end..next.start));
            if let Some(end) = spoilt.map(|next| next.end) {
                broken.append(&mut self.complain_line(range.start..end, block));
                pairs.next();
                continue;
            }
            let span = self.span(&pair);
            let keyword = first_word(pair.as_str()).to_owned();
            match read(self, pair) {
                Some(node) => good.push(Spanned::new(node, span)),
                None => broken.push(keyword),
            }
        }
        (good, broken)
    }

    /// Whether what stands between two pairs is no line break.
    fn on_one_line(&self, between: Range<usize>) -> bool {
        let absolute = self.base + between.start..self.base + between.end;
        self.text
            .get(absolute)
            .is_some_and(|text| !text.contains('\n'))
    }
}

/// Where a pair ends. An optional part that is not there leaves the space and the comment before it
/// in the pair; they are no part of what is said.
fn end_of(node: &Node<'_>) -> usize {
    let (text, inner) = (node.as_str(), node.as_span());
    if !text.ends_with([' ', '\t', '\r']) && !text.contains('#') {
        return inner.end();
    }
    let Some(last) = node.clone().into_inner().next_back() else {
        return inner.end();
    };
    let tail = text.get(last.as_span().end() - inner.start()..);
    let tail = tail.unwrap_or("").trim_start_matches([' ', '\t', '\r']);
    if tail.is_empty() || tail.starts_with('#') && !tail.contains('\n') {
        end_of(&last)
    } else {
        inner.end()
    }
}

/// The first word of a line, for the list of what counts as present.
fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')));
    text.get(..end.unwrap_or(text.len())).unwrap_or("")
}

/// What can be told of an item that could not be read: its keyword and the word behind it.
fn broken(slice: &str) -> Broken {
    let keyword = first_word(slice).to_owned();
    let mut rest = slice
        .get(keyword.len()..)
        .unwrap_or("")
        .trim_start_matches([' ', '\t']);
    if matches!(first_word(rest), "allow" | "deny") {
        rest = rest
            .get(first_word(rest).len()..)
            .unwrap_or("")
            .trim_start_matches([' ', '\t']);
    }
    let name = first_word(rest);
    Broken {
        keyword,
        name: (!name.is_empty()).then(|| name.to_owned()),
    }
}
