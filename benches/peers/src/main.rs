//! Laneway beside hand-written Rust and beside other engines: the same lanes, the same events, one
//! process, one table. With `--windows`: what counts in windows of time.
//!
//! In: flags (see the README). Out: a report in Markdown.
//! Invariant: nothing is timed before it has given the answers of a walk over every trigger. What
//! counts in windows is timed whatever it answers; what it answers wrong stands beside its times.

#[allow(dead_code, reason = "it serves other benches too")]
#[path = "../../support/workload.rs"]
mod workload;

mod arguments;
mod data;
mod engines;
mod hand;
mod machine;
mod measure;
mod memory;
mod must;
mod rejections;
mod report;
mod run;
mod windows;

fn main() {
    let arguments = arguments::read();
    let text = match arguments.windows {
        true => windows::run(&arguments),
        false => {
            rejections::check();
            let results = run::all(&arguments);
            report::markdown(&arguments, &results)
        }
    };
    match &arguments.out {
        Some(path) => std::fs::write(path, &text).expect("the report can be written"),
        None => println!("{text}"),
    }
}
