//! The report in Markdown.
//!
//! In: answers and times. Out: what ran where, what each counter answers wrong, what it takes.

use std::fmt::Write as _;

use super::answers::{Answers, Wrong};
use super::call::MEASURES;
use super::speed::{BATCH, BATCHES, Speed};
use super::stream::BOUNDS;
use crate::arguments::Arguments;
use crate::machine;
use crate::report::{grouped, versioned};

pub fn markdown(arguments: &Arguments, answers: &Answers, speed: &[Speed]) -> String {
    let mut text = String::new();
    head(&mut text, arguments, speed);
    wrong(&mut text, answers);
    times(&mut text, arguments, speed);
    text
}

fn head(text: &mut String, arguments: &Arguments, speed: &[Speed]) {
    let _ = write!(
        text,
        "# Counting in windows: Laneway beside other engines\n\n{}, {}. In `benches/peers`: `cargo run \
         --release --no-default-features --features windows -- {}`.\n\nThree measures of the calls of \
         an agent in the last ten minutes: how many, for how much, of how many tenants. What is asked \
         at each call: is any of them exceeded?\n",
        machine::date(),
        machine::describe(),
        arguments.given.join(" "),
    );
    let counters = speed.first().map_or(&[][..], |speed| &speed.costs);
    let peers = counters.iter().filter(|cost| cost.is_peer);
    let peers: Vec<String> = peers.map(|cost| versioned(cost.counter)).collect();
    if !peers.is_empty() {
        let _ = writeln!(text, "\nPeers: {}.", peers.join(", "));
    }
}

fn wrong(text: &mut String, answers: &Answers) {
    let _ = writeln!(
        text,
        "\n## Wrong answers\n\nOn how many calls an answer differs from a plain walk over everything \
         that was delivered: *missed* / *false alarms*; `?` where it says that it does not know; 0 where \
         it is always right. Bounds: {} calls, {} USD, {} tenants. An hour of 200 agents each:\n\n\
         - *in order*: each agent at its own pace\n\
         - *bursts*: on both sides of every tenth minute, and elsewhere\n\
         - *at the edge*: calls exactly ten minutes old, and measures exactly at their bounds\n\
         - *repeated*: one call in seven is delivered again within a minute, with its id\n\
         - *late*: one call in five comes up to two minutes late\n\
         - *too late*: one in thirty comes 2.5 to 9 minutes late, more than Laneway waits for\n",
        BOUNDS.calls,
        f64::from(BOUNDS.cents) / 100.0,
        BOUNDS.tenants,
    );
    text.push_str("| counter | measure |");
    for (trouble, _, _) in &answers.streams {
        let _ = write!(text, " {} |", trouble.name());
    }
    text.push_str("\n|---|---|");
    text.push_str(&"--:|".repeat(answers.streams.len()));
    text.push_str("\n| calls | |");
    for (_, calls, _) in &answers.streams {
        let _ = write!(text, " {} |", grouped(*calls as f64));
    }
    text.push('\n');
    for (at, measure) in MEASURES.iter().enumerate() {
        let _ = write!(text, "| exceeded | {measure} |");
        for (_, _, exceeded) in &answers.streams {
            let _ = write!(text, " {} |", grouped(exceeded[at] as f64));
        }
        text.push('\n');
    }
    for (counter, rows) in &answers.rows {
        for (at, measure) in MEASURES.iter().enumerate() {
            let _ = write!(text, "| {counter} | {measure} |");
            for row in rows {
                let _ = write!(text, " {} |", cell(row[at]));
            }
            text.push('\n');
        }
    }
}

fn cell(wrong: Option<Wrong>) -> String {
    let Some(wrong) = wrong else {
        return "cannot say".to_owned();
    };
    let Wrong {
        missed,
        false_alarms,
        unsure,
    } = wrong;
    let count = |number: usize| grouped(number as f64);
    let mut text = match (missed, false_alarms) {
        (0, 0) => "0".to_owned(),
        _ => format!("{} / {}", count(missed), count(false_alarms)),
    };
    if unsure > 0 {
        let _ = write!(text, ", {} ?", count(unsure));
    }
    text
}

fn times(text: &mut String, arguments: &Arguments, speed: &[Speed]) {
    let _ = writeln!(
        text,
        "\n## Times\n\nNanoseconds of one thread to count a call and decide on it, the median of {} runs; \
         in a run {} batches of {} calls go to each counter, in an order that changes, to a slow one a \
         single batch. `x` is the ratio to Laneway's in the same run. Windows are full: for each call that \
         comes in, one goes out. Calls are made before the timing. *Bytes* are those on the heap for each call in a window, \
         all its measures and ids included. An empty cell: too many to be taken in within a minute or \
         two.\n\nThe time is that of the thread; other work on the machine costs a counter its caches. Ratios \
         are what is meaningful.\n",
        arguments.effort.runs, BATCHES, BATCH,
    );
    text.push_str("| counter |");
    for Speed { agents, calls, .. } in speed {
        let agents = grouped(*agents as f64);
        let _ = write!(text, " {agents} agents of {calls} | x | bytes |");
    }
    text.push_str(" does less |\n|---|");
    text.push_str(&"--:|--:|--:|".repeat(speed.len()));
    text.push_str("---|\n");
    let Some(first) = speed.first() else { return };
    for cost in &first.costs {
        let _ = write!(text, "| {} |", cost.counter);
        for size in speed {
            let found = size.costs.iter().find(|of| of.counter == cost.counter);
            match found {
                Some(of) => {
                    let (nanos, bytes) = (grouped(of.nanos), grouped(of.bytes));
                    let _ = write!(text, " {nanos} | {:.2} | {bytes} |", of.ratio);
                }
                None => text.push_str(" | | |"),
            }
        }
        let _ = writeln!(text, " {} |", cost.less);
    }
}
