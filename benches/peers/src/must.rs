//! What Laneway has to reach, against what it reached.
//!
//! In: results. Out: a row for each demand that this run can say something about.
//! The limit is the better hand-written row; peers are the engines, without the tree walk.

use crate::engines::{by_hand, laneway, walk};
use crate::report::grouped;
use crate::run::{Column, Results};

/// A demand and how it stands.
pub struct Demand {
    pub what: String,
    pub measured: String,
    pub must: String,
    pub goal: String,
    pub met: Met,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    No,
    Must,
    Goal,
}

impl Met {
    pub fn word(self) -> &'static str {
        match self {
            Self::No => "not met",
            Self::Must => "must",
            Self::Goal => "goal",
        }
    }

    fn of(value: f64, must: f64, goal: f64) -> Self {
        match value {
            _ if value <= goal => Self::Goal,
            _ if value <= must => Self::Must,
            _ => Self::No,
        }
    }
}

/// Lanes, times the limit (must, goal), times ahead of the best peer (must, goal).
const TYPED: [(usize, [f64; 2], [f64; 2]); 5] = [
    (5, [3.0, 2.0], [4.0, 6.0]),
    (50, [3.0, 2.0], [8.0, 10.0]),
    (500, [1.0, 0.45], [15.0, 30.0]),
    (5_000, [0.3, 0.13], [80.0, 180.0]),
    (50_000, [0.08, 0.025], [300.0, 900.0]),
];

pub fn demands(results: &Results) -> Vec<Demand> {
    let mut all = Vec::new();
    for (lanes, limit, ahead) in TYPED {
        typed(results, lanes, limit, ahead, &mut all);
    }
    let one = |lanes| results.time(Column::OneLane, lanes, laneway::NAME);
    all.extend(ratio(
        "growth 500 to 50,000 lanes, events on which one lane fires",
        one(50_000).zip(one(500)),
        "x",
        [6.0, 4.0],
    ));
    json(results, &mut all);
    for lanes in results.matching.keys() {
        let time = |column| results.time(column, *lanes, laneway::NAME);
        all.extend(ratio(
            &format!(
                "{} lanes, all that attach joined (three at most)",
                grouped(*lanes as f64)
            ),
            time(Column::FewJoined).zip(time(Column::FewPrimary)),
            "x the primary lane only",
            [2.0, 1.5],
        ));
    }
    for lanes in results.matching.keys() {
        let time = |column| results.time(column, *lanes, laneway::NAME);
        all.extend(ratio(
            &format!(
                "{} lanes, a third of the events lack two optional fields",
                grouped(*lanes as f64)
            ),
            time(Column::Gaps).zip(time(Column::Complete)),
            "x the same events complete",
            [1.5, 1.3],
        ));
    }
    compile(results, &mut all);
    all
}

fn typed(results: &Results, lanes: usize, limit: [f64; 2], ahead: [f64; 2], all: &mut Vec<Demand>) {
    let Some(ours) = results.time(Column::Typed, lanes, laneway::NAME) else {
        return;
    };
    if let Some(best) = best_by_hand(results, lanes) {
        let what = format!("{} lanes, typed event, primary", grouped(lanes as f64));
        all.extend(ratio(&what, Some((ours, best)), "x the limit", limit));
    }
    let Some((peer, time)) = best_peer(results, lanes) else {
        return;
    };
    let times = time / ours;
    all.push(Demand {
        what: format!("{} lanes, ahead of the best peer", grouped(lanes as f64)),
        measured: format!("{times:.1} x ({peer})"),
        must: format!("{} x", ahead[0]),
        goal: format!("{} x", ahead[1]),
        met: Met::of(-times, -ahead[0], -ahead[1]),
    });
}

fn json(results: &Results, all: &mut Vec<Demand>) {
    let time = |lanes, engine| results.time(Column::Json, lanes, engine);
    let five = |engine| time(5, laneway::NAME).zip(time(5, engine));
    all.extend(ratio(
        "5 lanes, JSON bytes to decision",
        five(by_hand::SCANNER),
        "x the scanner that checks nothing",
        [2.0, 1.3],
    ));
    all.extend(ratio(
        "5 lanes, JSON bytes to decision",
        five(by_hand::STRICT),
        "x the same scanner with all rejections",
        [1.4, 1.4],
    ));
    all.extend(ratio(
        "5,000 lanes, JSON bytes to decision",
        time(5_000, laneway::NAME).zip(time(5_000, by_hand::SCANNER)),
        "x the limit with its scanner",
        [0.4, 0.21],
    ));
}

fn compile(results: &Results, all: &mut Vec<Demand>) {
    let Some(cost) = results.costs.get(&50_000) else {
        return;
    };
    let lanes = 50_000.0;
    let mut demand = |what: &str, value: f64, unit: &str, bounds: [f64; 2]| {
        all.push(Demand {
            what: format!("50,000 lanes, {what}"),
            measured: format!("{value:.2} {unit}"),
            must: format!("{:.1} {unit}", bounds[0]),
            goal: format!("{:.1} {unit}", bounds[1]),
            met: Met::of(value, bounds[0], bounds[1]),
        });
    };
    let mega = |bytes: i64| bytes as f64 / 1e6;
    let goal = [4e-6 * lanes, 0.5e-3 * lanes];
    demand(
        "checked matrix to program",
        cost.compile,
        "s",
        [1.0, goal[0]],
    );
    demand(
        "memory of the program",
        mega(cost.program.left),
        "MB",
        [60.0, goal[1]],
    );
    demand("text to program", cost.text_to_program, "s", [15.0, 5.0]);
    let peak = mega(cost.text_to_program_bytes.peak) / 1e3;
    demand(
        "text to program, most memory at a time",
        peak,
        "GB",
        [2.0, 0.5],
    );
}

fn ratio(what: &str, times: Option<(f64, f64)>, unit: &str, bounds: [f64; 2]) -> Option<Demand> {
    let (ours, theirs) = times?;
    let ratio = ours / theirs;
    Some(Demand {
        what: what.to_owned(),
        measured: format!("{ratio:.3} {unit} ({ours:.0} ns to {theirs:.0} ns)"),
        must: format!("{} x", bounds[0]),
        goal: format!("{} x", bounds[1]),
        met: Met::of(ratio, bounds[0], bounds[1]),
    })
}

/// The limit.
pub fn best_by_hand(results: &Results, lanes: usize) -> Option<f64> {
    let time = |engine| results.time(Column::Typed, lanes, engine);
    let times = [time(by_hand::STRAIGHT), time(by_hand::BUCKETS)];
    times.into_iter().flatten().min_by(f64::total_cmp)
}

fn best_peer(results: &Results, lanes: usize) -> Option<(&'static str, f64)> {
    let ours = [
        laneway::NAME,
        walk::NAME,
        by_hand::STRAIGHT,
        by_hand::BUCKETS,
        by_hand::PACKED,
    ];
    let rows = results.times.get(&(Column::Typed, lanes))?;
    let peers = rows.iter().filter(|(name, _)| !ours.contains(name));
    peers.copied().min_by(|a, b| a.1.total_cmp(&b.1))
}
