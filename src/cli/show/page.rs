//! The page of a matrix, before it is text, Markdown or HTML.
//!
//! In: a checked matrix. Out: its words with what is code in them, its table, its lists.
//! Invariant: every format shows the same page; none of them knows the matrix.

use crate::matrix::{Lane, Matrix};

use super::prose::Prose;

/// Words, some of which are code.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Text(pub(super) Vec<Piece>);

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Plain words.
    Words(String),
    /// A name or a test of the matrix.
    Code(String),
}

impl Text {
    /// Plain words.
    pub(super) fn words(words: impl Into<String>) -> Self {
        Self(vec![Piece::Words(words.into())])
    }

    /// Code.
    pub(super) fn code(code: impl Into<String>) -> Self {
        Self(vec![Piece::Code(code.into())])
    }

    /// With more words behind it.
    pub(super) fn and(mut self, words: impl Into<String>) -> Self {
        self.0.push(Piece::Words(words.into()));
        self
    }

    /// With code behind it.
    pub(super) fn with(mut self, code: impl Into<String>) -> Self {
        self.0.push(Piece::Code(code.into()));
        self
    }

    /// With another text behind it.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Several texts with the same words between them.
    pub(super) fn join(texts: impl IntoIterator<Item = Self>, between: &str) -> Self {
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
    pub(super) fn codes<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self::join(names.into_iter().map(Self::code), ", ")
    }

    /// The text without a mark on its code.
    pub(super) fn bare(&self) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Words(words) | Piece::Code(words) => words.as_str(),
        });
        pieces.collect()
    }
}

/// A line of a list, with a list below it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) text: Text,
    pub(super) parts: Vec<Item>,
}

impl Item {
    /// A line without a list.
    pub(super) fn new(text: Text) -> Self {
        Self {
            text,
            parts: Vec::new(),
        }
    }
}

/// One fact of a lane: a sentence, and perhaps a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) text: Text,
    pub(super) list: Vec<Item>,
}

/// A lane on the page.
#[derive(Debug, Clone)]
pub(super) struct LaneView {
    pub(super) name: String,
    pub(super) about: Option<String>,
    /// Whether and until when it is on trial.
    pub(super) trial: Option<String>,
    /// The table's cells behind the name, each some lines.
    pub(super) cells: [Vec<Text>; 5],
    pub(super) facts: Vec<Fact>,
}

/// The titles of the table.
pub(super) const TITLES: [&str; 6] = [
    "Lane",
    "Trigger",
    "Owner",
    "Meanwhile",
    "Respond within",
    "Timeout",
];

/// A part of the page below the lanes.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) text: Option<Text>,
    pub(super) list: Vec<Item>,
}

/// A matrix as a page.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) title: String,
    /// One line below the title.
    pub(super) line: Text,
    pub(super) lanes: Vec<LaneView>,
    pub(super) sections: Vec<Section>,
}

impl Page {
    /// The page of a matrix, or of one of its lanes.
    pub(super) fn of(matrix: &Matrix, only: Option<&Lane>) -> Self {
        let prose = Prose { matrix };
        let lanes = matrix.lanes.iter();
        let lanes = lanes.filter(|lane| only.is_none_or(|only| only.id == lane.id));
        let digest = matrix.digest.get(..12).unwrap_or_default();
        let number = crate::cli::render::count(matrix.lanes.len(), "lane");
        let zone = matrix.zone.name();
        Self {
            title: matrix.name.clone(),
            line: Text::words(format!("{number}, times of {zone}, digest ")).with(digest),
            lanes: lanes.map(|lane| prose.lane(lane)).collect(),
            sections: match only {
                Some(_) => Vec::new(),
                None => prose.sections(),
            },
        }
    }
}
