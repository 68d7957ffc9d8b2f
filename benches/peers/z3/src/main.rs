//! Prints a generated matrix: `laneway-matrices realistic 500 7`, its sort, its lanes and its seed.

use std::process::ExitCode;

#[path = "../../../support/analysis.rs"]
#[allow(dead_code, unused_imports, reason = "nothing is edited here")]
mod analysis;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers = |lanes: &str, seed: &str| Some((lanes.parse().ok()?, seed.parse().ok()?));
    let text = match &words[..] {
        [sort, lanes, seed] => numbers(lanes, seed).and_then(|(lanes, seed)| match sort.as_str() {
            "realistic" => Some(analysis::realistic(lanes, seed)),
            "random" => Some(analysis::random(lanes, seed)),
            _ => None,
        }),
        _ => None,
    };
    match text {
        Some(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("laneway-matrices realistic|random LANES SEED");
            ExitCode::from(2)
        }
    }
}
