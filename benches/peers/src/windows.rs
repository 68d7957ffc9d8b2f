//! Counting in windows of time: the same three measures by Laneway, by hand and by other engines.
//!
//! In: flags. Out: a report in Markdown: what each answers wrong, then what each takes.
//! Invariant: before anything is timed, Laneway has given the answers of the plain evaluation in
//! `truth` over every stream.

mod answers;
mod call;
mod counters;
mod report;
mod speed;
mod stream;
mod truth;

use crate::arguments::Arguments;

/// Answers, then times.
pub fn run(arguments: &Arguments) -> String {
    let answers = answers::all(arguments);
    let speed = speed::all(arguments);
    report::markdown(arguments, &answers, &speed)
}
