//! A reader of a small part of the language with honest spans, so that comments and blank lines can
//! be tested without the parser.
//!
//! In: `import STR`, `action NAME STR`, `list NAME is ..`, `condition NAME means COND`,
//! `sample NAME is KIND { .. }`, `lane NAME { on .. | when COND | about STR | example .. }`, with
//! names only as values and tests. It does not care where lines end.

use crate::span::{FileId, Span, Spanned};
use crate::syntax::ast::{
    Action, Assignment, Ast, Block, Clause, Cond, Condition, Example, Expect, Item, ItemKind, Lane,
    List, Literal, Name, Quantifier, Record, Sample, Value,
};
use crate::syntax::print::print;
use crate::syntax::scan::Comment;

/// Formats a text twice: the second time must change nothing.
pub(super) fn format(text: &str) -> String {
    let (ast, comments) = read(text);
    let once = print(&ast, text, &comments);
    let (again, comments_again) = read(&once);
    assert!(ast == again, "\n{once}");
    let told = |text: &str, comments: &[Comment]| -> Vec<String> {
        let told = comments.iter().map(|c| text[c.span.range()].trim_end());
        told.map(str::to_owned).collect()
    };
    assert_eq!(told(text, &comments), told(&once, &comments_again));
    assert_eq!(once, print(&again, &once, &comments_again));
    once
}

fn read(text: &str) -> (Ast, Vec<Comment>) {
    let (tokens, comments) = scan(text);
    let mut reader = Reader {
        text,
        tokens,
        at: 0,
    };
    let mut ast = Ast::default();
    while reader.at < reader.tokens.len() {
        ast.items.push(reader.item());
    }
    (ast, comments)
}

fn span(start: usize, end: usize) -> Span {
    Span::new(FileId(0), start..end)
}

fn scan(text: &str) -> (Vec<Span>, Vec<Comment>) {
    let (mut tokens, mut comments) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let len = match c {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' => rest[1..].find('"').unwrap() + 2,
            '-' => 2,
            c if c.is_alphanumeric() => {
                let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
                rest.find(|c| !word(c)).unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        let place = span(at, at + len);
        match c {
            '#' => comments.push(Comment { span: place }),
            c if c.is_whitespace() => {}
            _ => tokens.push(place),
        }
        at += len;
    }
    (tokens, comments)
}

struct Reader<'a> {
    text: &'a str,
    tokens: Vec<Span>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> &'a str {
        let token = self.tokens.get(self.at);
        token.map_or("", |token| &self.text[token.range()])
    }

    fn next(&mut self) -> Name {
        let name = Spanned::new(self.peek().to_owned(), self.tokens[self.at]);
        self.at += 1;
        name
    }

    fn take(&mut self, word: &str) -> bool {
        let is_there = self.peek() == word;
        self.at += usize::from(is_there);
        is_there
    }

    fn need(&mut self, word: &str) {
        assert!(self.take(word), "{word} before {}", self.peek());
    }

    fn string(&mut self) -> Spanned<String> {
        self.next().map(|text| text.trim_matches('"').to_owned())
    }

    /// A node with the span of the tokens that it takes.
    fn node<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Spanned<T> {
        let first = self.tokens[self.at];
        let node = read(self);
        Spanned::new(node, first.to(self.tokens[self.at - 1]))
    }

    fn until<T>(&mut self, end: &str, read: impl Fn(&mut Self) -> T) -> Vec<Spanned<T>> {
        let mut nodes = Vec::new();
        while !self.take(end) {
            nodes.push(self.node(&read));
            self.take(",");
        }
        nodes
    }

    fn list<T>(&mut self, read: impl Fn(&mut Self) -> T) -> Vec<Spanned<T>> {
        let mut nodes = vec![self.node(&read)];
        while self.take(",") {
            nodes.push(self.node(&read));
        }
        nodes
    }

    fn item(&mut self) -> Item {
        self.node(|r| match r.next().node.as_str() {
            "import" => ItemKind::Import(r.string()),
            "action" => ItemKind::Action(Action {
                name: r.next(),
                about: r.string(),
            }),
            "list" => {
                let name = r.next();
                r.need("is");
                let values = r.list(|r| Value::Word(r.next().node));
                ItemKind::List(List { name, values })
            }
            "condition" => {
                let name = r.next();
                r.need("means");
                let cond = r.node(Self::cond);
                ItemKind::Condition(Condition { name, cond })
            }
            "sample" => {
                let name = r.next();
                r.need("is");
                ItemKind::Sample(Sample {
                    name,
                    kind: r.next(),
                    record: r.record(),
                })
            }
            "lane" => {
                let name = r.next();
                r.need("{");
                ItemKind::Lane(Lane {
                    // Equality looks at a bare span.
                    head: Span::default(),
                    name,
                    clauses: r.until("}", Self::clause),
                    broken: Vec::new(),
                })
            }
            word => panic!("no item: {word}"),
        })
    }

    fn clause(&mut self) -> Clause {
        match self.next().node.as_str() {
            "about" => Clause::About(self.string()),
            "on" => Clause::On(self.list(|r| r.next().node)),
            "when" => Clause::When(self.node(Self::cond)),
            "example" => Clause::Example(Example {
                title: self.string(),
                sample: self.next(),
                with: self.take("with").then(|| self.record()),
                without: Vec::new(),
                at: None,
                after: None,
                expect: {
                    self.need("->");
                    self.node(|r| {
                        r.need("unsure");
                        Expect::Unsure
                    })
                },
            }),
            word => panic!("no clause: {word}"),
        }
    }

    fn record(&mut self) -> Record {
        self.need("{");
        let fields = self.until("}", |r| {
            let path = r.next();
            r.need("=");
            let value = if r.peek() == "(" {
                Literal::Set(r.node(|r| {
                    r.need("(");
                    r.until(")", |r| Value::Word(r.next().node))
                }))
            } else {
                Literal::One(r.next().map(Value::Word))
            };
            Assignment { path, value }
        });
        Record {
            fields,
            broken: Vec::new(),
        }
    }

    fn cond(&mut self) -> Cond {
        let mut conds = vec![self.node(Self::unit)];
        let word = self.peek();
        if word != "and" && word != "or" {
            return conds.remove(0).node;
        }
        while self.take(word) {
            conds.push(self.node(Self::unit));
        }
        if word == "and" {
            Cond::And(conds)
        } else {
            Cond::Or(conds)
        }
    }

    fn unit(&mut self) -> Cond {
        if self.take("(") {
            let cond = self.cond();
            self.need(")");
            return cond;
        }
        match self.next() {
            word if word.node == "not" => Cond::Not(Box::new(self.node(Self::unit))),
            word if word.node == "any" => {
                self.need("of");
                self.need("{");
                Cond::Block(Block {
                    quantifier: Spanned::new(Quantifier::Any, word.span),
                    conds: self.until("}", Self::cond),
                })
            }
            word => Cond::Name(word),
        }
    }
}
