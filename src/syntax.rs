//! Text to tree and back.
//!
//! In: the text of one file. Out: an [`ast::Ast`] with every mistake of the text, and the
//! canonical text of a tree.
//! Invariant: reading never fails as a whole; what cannot be read is lost by line or by item.
//! Knows no names and no types.

pub mod ast;
mod grammar;
mod lower;
pub mod print;
pub mod scan;

pub use lower::{Parsed, parse};
