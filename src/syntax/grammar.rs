//! The pest parser that `grammar/matrix.pest` describes.

/// The generated parser.
#[derive(pest_derive::Parser)]
#[grammar = "../grammar/matrix.pest"]
pub struct Grammar;
