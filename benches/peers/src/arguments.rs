//! The flags.

use std::time::Duration;

use crate::measure::Effort;

pub struct Arguments {
    /// As they were given, for the report.
    pub given: Vec<String>,
    /// Counting in windows of time, in place of the lanes.
    pub windows: bool,
    pub sizes: Vec<usize>,
    /// Parts of names of engines; all without one. Laneway and the hand-written rows always run.
    pub only: Option<Vec<String>>,
    pub out: Option<String>,
    pub effort: Effort,
    pub events: usize,
}

const SIZES: [usize; 5] = [5, 50, 500, 5_000, 50_000];

const HELP: &str = "\
cargo run --release -- [flags]
  --quick         3 short runs, for a look
  --sizes 5,500   numbers of lanes (5, 50, 500, 5000, 50000)
  --only NAMES    peers whose name contains one of these, separated by commas; `none` for no peer
  --windows       counting in windows of time, in place of the lanes; --sizes says nothing then
  --runs N        runs of each row; the table shows medians (5)
  --out FILE      writes the report there";

pub fn read() -> Arguments {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let mut arguments = Arguments {
        given: given.clone(),
        windows: false,
        sizes: SIZES.to_vec(),
        only: None,
        out: None,
        effort: Effort {
            runs: 5,
            least: Duration::from_millis(50),
        },
        events: 1_000,
    };
    let mut rest = given.into_iter();
    while let Some(flag) = rest.next() {
        let mut value = || rest.next().unwrap_or_else(|| wrong(&flag));
        match flag.as_str() {
            "--quick" => {
                arguments.effort = Effort {
                    runs: 3,
                    least: Duration::from_millis(10),
                }
            }
            "--windows" => arguments.windows = true,
            "--sizes" => arguments.sizes = value().split(',').map(size).collect(),
            "--only" => {
                let names = value().to_lowercase();
                arguments.only = Some(names.split(',').map(str::to_owned).collect());
            }
            "--runs" => arguments.effort.runs = value().parse().unwrap_or_else(|_| wrong(&flag)),
            "--out" => arguments.out = Some(value()),
            _ => wrong(&flag),
        }
    }
    arguments
}

fn size(word: &str) -> usize {
    let size = word.parse().ok().filter(|size| SIZES.contains(size));
    size.unwrap_or_else(|| wrong(word))
}

fn wrong(word: &str) -> ! {
    eprintln!("`{word}` is not understood\n{HELP}");
    std::process::exit(2);
}

impl Arguments {
    pub fn wants(&self, peer: &str) -> bool {
        let peer = peer.to_lowercase();
        match &self.only {
            None => true,
            Some(names) => names.iter().any(|name| peer.contains(name.as_str())),
        }
    }
}
