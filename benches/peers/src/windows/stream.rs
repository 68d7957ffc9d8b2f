//! The streams of calls: for the answers an hour of two hundred agents with one kind of trouble
//! each, for the times a steady stream of any number of agents.
//!
//! In: a seed, or a number of agents. Out: calls in the order of their delivery.

use fastrand::Rng;

use super::call::{Bounds, Call, SECOND, START, WINDOW};

/// What is hard about a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing: each agent calls at its own pace, in order.
    None,
    /// Bursts on both sides of every tenth minute, and at other instants.
    Bursts,
    /// Calls that are exactly ten minutes old, and measures that stand exactly at their bounds.
    Edges,
    /// One call in seven is delivered again within a minute.
    Repeated,
    /// One call in five comes up to two minutes late.
    Late,
    /// One call in thirty comes later than that, up to nine minutes.
    TooLate,
}

pub const TROUBLES: [Trouble; 6] = [
    Trouble::None,
    Trouble::Bursts,
    Trouble::Edges,
    Trouble::Repeated,
    Trouble::Late,
    Trouble::TooLate,
];

/// The bounds that the streams of troubles cross now and then.
pub const BOUNDS: Bounds = Bounds {
    calls: 20,
    cents: 50_000,
    tenants: 5,
};

pub const SEED: u64 = 20_261_127;
const AGENTS: usize = 200;
const HOUR: i64 = 3_600 * SECOND;
/// Instants are whole milliseconds, so that an engine that has no finer ones loses nothing.
const MILLISECOND: i64 = SECOND / 1_000;

impl Trouble {
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "in order",
            Self::Bursts => "bursts",
            Self::Edges => "at the edge",
            Self::Repeated => "repeated",
            Self::Late => "late",
            Self::TooLate => "too late",
        }
    }

    /// An hour of calls.
    pub fn stream(self) -> Vec<Call> {
        let mut rng = Rng::with_seed(SEED);
        let mut calls = Vec::new();
        for agent in 0..AGENTS {
            match self {
                Self::Bursts => bursts(agent, &mut rng, &mut calls),
                Self::Edges => edges(agent, &mut rng, &mut calls),
                _ => paced(agent, &mut rng, &mut calls),
            }
        }
        for (number, call) in calls.iter_mut().enumerate() {
            call.id = format!("e-{number:08}");
        }
        self.deliver(&mut rng, &mut calls);
        calls.sort_by_key(|call| call.received);
        calls
    }

    /// Sets when calls are delivered, and whether again.
    fn deliver(self, rng: &mut Rng, calls: &mut Vec<Call>) {
        let mut again = Vec::new();
        for call in calls.iter_mut() {
            call.received = call.at;
            match self {
                Self::Repeated if rng.u32(0..7) == 0 => {
                    let at = call.at + millis(rng, 1_000..60_000);
                    again.push(Call {
                        at,
                        received: at,
                        ..call.clone()
                    });
                }
                Self::Late if rng.u32(0..5) == 0 => call.received += millis(rng, 1_000..119_000),
                Self::TooLate if rng.u32(0..30) == 0 => {
                    call.received += millis(rng, 150_000..540_000);
                }
                _ => {}
            }
        }
        calls.append(&mut again);
    }
}

fn millis(rng: &mut Rng, range: std::ops::Range<i64>) -> i64 {
    rng.i64(range) * MILLISECOND
}

fn call(agent: usize, tenant: usize, cents: u32, at: i64) -> Call {
    Call {
        agent: format!("agent-{agent:08}"),
        tenant: format!("tenant-{tenant:08}"),
        cents,
        at,
        ..Call::default()
    }
}

/// A call of some tenant for some amount: twenty of them come near the bounds.
fn some(agent: usize, rng: &mut Rng, at: i64) -> Call {
    let tenant = rng.usize(0..3 + agent % 6);
    call(agent, tenant, rng.u32(500..4_500), at)
}

/// 10 to 40 calls in ten minutes.
fn paced(agent: usize, rng: &mut Rng, calls: &mut Vec<Call>) {
    let gap = rng.i64(15_000..60_000);
    let mut at = START + millis(rng, 0..gap);
    while at < START + HOUR {
        calls.push(some(agent, rng, at));
        at += millis(rng, 1..2 * gap);
    }
}

/// In most tenth minutes 5 to 12 calls in the half minute before it and as many behind it; elsewhere
/// one burst of 15 to 25, and some calls between.
fn bursts(agent: usize, rng: &mut Rng, calls: &mut Vec<Call>) {
    let mut burst = |rng: &mut Rng, from: i64, number: usize| {
        for _ in 0..number {
            let at = from + millis(rng, 0..30_000);
            calls.push(some(agent, rng, at));
        }
    };
    for window in 0..6 {
        let edge = START + window * WINDOW;
        if rng.u32(0..3) > 0 {
            let (before, behind) = (rng.usize(5..=12), rng.usize(5..=12));
            burst(rng, edge + WINDOW - 30 * SECOND, before);
            burst(rng, edge + WINDOW, behind);
        }
        if rng.u32(0..4) == 0 {
            let from = edge + millis(rng, 60_000..500_000);
            let number = rng.usize(15..=25);
            burst(rng, from, number);
        }
        for _ in 0..rng.u32(0..5) {
            let from = edge + millis(rng, 0..570_000);
            burst(rng, from, 1);
        }
    }
}

/// Of four agents one calls every 30 s: 20 calls in ten minutes, the 21st exactly ten minutes old.
/// One does so every 28 s. Two have 20 calls for exactly the bound by exactly five tenants in two
/// minutes, then at times one more, then a pause of 12 minutes.
fn edges(agent: usize, rng: &mut Rng, calls: &mut Vec<Call>) {
    let mut at = START + rng.i64(0..60) * SECOND;
    if agent % 4 < 2 {
        let gap = [30, 28][agent % 4] * SECOND;
        for number in 0.. {
            if at >= START + HOUR {
                return;
            }
            let cents = [2_490, 2_510, 2_473, 2_527][number % 4];
            calls.push(call(agent, number / 4, cents, at));
            at += gap;
        }
    }
    while at < START + HOUR {
        let one_more = usize::from(rng.u32(0..3) == 0);
        let mut left = BOUNDS.cents;
        for number in 0..20 + one_more {
            // Twenty are exactly the bound; the one more is of a sixth tenant.
            let cents = match number {
                0..19 => rng.u32(2_000..2_600),
                19 => left,
                _ => 2_500,
            };
            left = left.saturating_sub(cents);
            calls.push(call(agent, number / 4, cents, at));
            at += 6 * SECOND;
        }
        at += 720 * SECOND;
    }
}

/// Calls of agents in turn, in order and far enough apart that each window holds as many as are
/// asked for: each call that comes in, one goes out.
#[derive(Debug)]
pub struct Steady {
    pub agents: usize,
    step: i64,
    count: usize,
}

/// The bounds that a steady stream never comes near.
pub const FAR_BOUNDS: Bounds = Bounds {
    calls: 9_999,
    cents: 90_000_000,
    tenants: 9_999,
};

impl Steady {
    pub fn new(agents: usize, calls: usize) -> Self {
        let all = i64::try_from(agents * calls).expect("so few");
        assert!(WINDOW % all == 0, "windows hold whole numbers of calls");
        Self {
            agents,
            step: WINDOW / all,
            count: 0,
        }
    }

    /// The next calls, over those of before.
    pub fn next(&mut self, calls: &mut [Call]) {
        for call in calls {
            self.count += 1;
            call.at = START + self.step * i64::try_from(self.count).expect("so few");
            call.received = call.at;
            call.cents = 1_250;
            // Agents come in an order that no cache foresees.
            let agent = self.count.wrapping_mul(7_368_787) % self.agents;
            number(&mut call.agent, "agent-", agent);
            number(&mut call.tenant, "tenant-", self.count % 7);
            number(&mut call.id, "e-", self.count);
        }
    }
}

/// A name and a number of eight digits.
fn number(text: &mut String, name: &str, number: usize) {
    text.clear();
    text.push_str(name);
    let mut unit = 10_000_000;
    while unit > 0 {
        text.push(char::from(b'0' + (number / unit % 10) as u8));
        unit /= 10;
    }
}
