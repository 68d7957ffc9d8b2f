//! The printer on trees that were built by hand, and on texts that are read, printed and read again.

mod build;
mod comments;
mod conds;
mod format;
mod layout;
mod round_trip;
