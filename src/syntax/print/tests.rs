//! The printer on trees that were built by hand, and on a small part of the language.

mod build;
mod comments;
mod conds;
mod layout;
mod reader;
