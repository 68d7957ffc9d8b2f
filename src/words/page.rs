//! The page of a matrix, before it is text, Markdown or HTML: one table of the lanes, each lane in prose.
//!
//! In: a checked matrix. Out: its words with what is code in them, its table, its lists.
//! Invariant: every format shows the same page; none of them knows the matrix.

use crate::matrix::{Lane, Matrix};

use super::count;

mod exprs;
mod prose;
mod terms;

use prose::Prose;

/// Words, some of which are code.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text(pub Vec<Piece>);

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Plain words.
    Words(String),
    /// A name or a test of the matrix.
    Code(String),
}

impl Text {
    /// Plain words.
    #[must_use]
    pub fn words(words: impl Into<String>) -> Self {
        Self(vec![Piece::Words(words.into())])
    }

    /// Code.
    #[must_use]
    pub fn code(code: impl Into<String>) -> Self {
        Self(vec![Piece::Code(code.into())])
    }

    /// With more words behind it.
    #[must_use]
    pub fn and(mut self, words: impl Into<String>) -> Self {
        self.0.push(Piece::Words(words.into()));
        self
    }

    /// With code behind it.
    #[must_use]
    pub fn with(mut self, code: impl Into<String>) -> Self {
        self.0.push(Piece::Code(code.into()));
        self
    }

    /// With another text behind it.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Several texts with the same words between them.
    #[must_use]
    pub fn join(texts: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut all = Self::default();
        for (n, text) in texts.into_iter().enumerate() {
            if n > 0 {
                all = all.and(between);
            }
            all = all.then(text);
        }
        all
    }

    /// Names of code with commas between them.
    #[must_use]
    pub fn codes<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self::join(names.into_iter().map(Self::code), ", ")
    }

    /// The text without a mark on its code.
    #[must_use]
    pub fn bare(&self) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Words(words) | Piece::Code(words) => words.as_str(),
        });
        pieces.collect()
    }
}

/// A line of a list, with a list below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The line.
    pub text: Text,
    /// What stands below it.
    pub parts: Vec<Item>,
}

impl Item {
    /// A line without a list.
    #[must_use]
    pub fn new(text: Text) -> Self {
        Self {
            text,
            parts: Vec::new(),
        }
    }
}

/// One fact of a lane: a sentence, and perhaps a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// What it is about, in a word or two.
    pub label: &'static str,
    /// The sentence.
    pub text: Text,
    /// What stands below it.
    pub list: Vec<Item>,
}

/// A lane on the page.
#[derive(Debug, Clone)]
pub struct LaneView {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub about: Option<String>,
    /// Whether and until when it is on trial.
    pub trial: Option<String>,
    /// The table's cells behind the name, each some lines.
    pub cells: [Vec<Text>; 5],
    /// What there is to say of it.
    pub facts: Vec<Fact>,
}

/// The titles of the table.
pub const TITLES: [&str; 6] = [
    "Lane",
    "Trigger",
    "Owner",
    "Meanwhile",
    "Respond within",
    "Timeout",
];

/// A part of the page below the lanes.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its title.
    pub title: &'static str,
    /// The sentence below it.
    pub text: Option<Text>,
    /// The list below that.
    pub list: Vec<Item>,
}

/// A matrix as a page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// One line below the title.
    pub line: Text,
    /// Its lanes, in file order.
    pub lanes: Vec<LaneView>,
    /// What stands below them.
    pub sections: Vec<Section>,
}

impl Page {
    /// The page of a matrix, or of one of its lanes.
    #[must_use]
    pub fn of(matrix: &Matrix, only: Option<&Lane>) -> Self {
        match only {
            Some(lane) => Self::with(matrix, &[lane]),
            None => Self::first(matrix, usize::MAX),
        }
    }

    /// The page of a matrix with so many of its lanes.
    #[must_use]
    pub fn first(matrix: &Matrix, lanes: usize) -> Self {
        let lanes: Vec<&Lane> = matrix.lanes.iter().take(lanes).collect();
        Self {
            sections: Prose { matrix }.sections(),
            ..Self::with(matrix, &lanes)
        }
    }

    fn with(matrix: &Matrix, lanes: &[&Lane]) -> Self {
        let prose = Prose { matrix };
        let digest = matrix.digest.get(..12).unwrap_or_default();
        let number = u32::try_from(matrix.lanes.len()).unwrap_or(u32::MAX);
        let number = count(number, "lane");
        let zone = matrix.zone.name();
        Self {
            title: matrix.name.clone(),
            line: Text::words(format!("{number}, times of {zone}, digest ")).with(digest),
            lanes: lanes.iter().map(|lane| prose.lane(lane)).collect(),
            sections: Vec::new(),
        }
    }
}
