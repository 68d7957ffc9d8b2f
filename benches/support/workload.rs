//! The workload that Laneway and its peers are measured on: lanes and events from a seed.
//!
//! In: a number of lanes and a seed. Out: a [`Workload`].
//! Invariant: the same numbers give the same workload everywhere. 10 to 35 % of the events match,
//! whatever the number of lanes.
//! Must not know any engine. Taken in with `#[path]` by `benches/peers`, its build script, and the
//! benches of the crate; needs nothing but `fastrand`.
//!
//! From 50 lanes on the rules are these. A lane has a routing key (tool, workflow or tenant) and one
//! to four thresholds, and some of: a word or a set of words, a set of texts, a prefix, a substring,
//! a mismatch of the tenants. 5 % have no key: two tight thresholds and maybe a substring. 15 % have
//! an inner `or`. Vocabularies grow with the number of lanes. Thresholds of lanes with a key are of
//! a coarse grid, so that tests recur.
//!
//! A lane's thresholds are chosen by how often they hold: it gets what its other tests leave of the
//! share of events at which it may fire, and that share goes down as lanes go up.

mod render;
mod shape;
mod words;

#[allow(unused_imports, reason = "not all who take this in render")]
pub use render::*;
pub use shape::*;

use fastrand::Rng;

/// The first of November 2026.
pub(crate) const START: i64 = 1_793_491_200;

/// How many distinct names there are.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary {
    pub tools: usize,
    pub workflows: usize,
    pub tenants: usize,
}

impl Vocabulary {
    pub fn of(lanes: usize) -> Self {
        Self {
            tools: (lanes / 25).clamp(24, 2_000),
            workflows: (lanes / 50).clamp(12, 1_000),
            tenants: (lanes / 10).clamp(16, 5_000),
        }
    }

    /// How many lanes with a key have the key of one event.
    fn lanes_by_key(self, lanes: usize) -> f64 {
        let each = lanes as f64 * 0.95 / 3.0;
        each / self.tools as f64 + each / self.workflows as f64 + each / self.tenants as f64
    }
}

/// Lanes with the events to decide on.
#[derive(Debug)]
pub struct Workload {
    pub lanes: Vec<Lane>,
    pub vocabulary: Vocabulary,
    seed: u64,
}

/// The share of events at which some lane with a key fires, and some lane without one, roughly.
const BY_KEY: f64 = 0.17;
const WITHOUT_KEY: f64 = 0.06;

/// How often each threshold of the grid holds.
const GRID: [f64; 14] = [
    0.02, 0.03, 0.05, 0.08, 0.12, 0.17, 0.23, 0.3, 0.38, 0.47, 0.57, 0.68, 0.8, 0.9,
];

impl Workload {
    pub fn new(lanes: usize, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let vocabulary = Vocabulary::of(lanes);
        let lanes = match lanes {
            0..16 => five().into_iter().take(lanes).collect(),
            _ => {
                let made = Maker { lanes, vocabulary };
                (0..lanes).map(|at| made.lane(at, &mut rng)).collect()
            }
        };
        Self {
            lanes,
            vocabulary,
            seed,
        }
    }

    /// So many events. Which lanes they match is up to chance.
    pub fn events(&self, count: usize) -> Vec<Event> {
        let mut rng = Rng::with_seed(self.seed ^ 0x5eed_0001);
        (0..count)
            .map(|at| event(at, self.vocabulary, &mut rng))
            .collect()
    }

    /// The same events; a third of them lack `sentiment` and `confidence`.
    pub fn events_with_gaps(&self, count: usize) -> Vec<Event> {
        let mut rng = Rng::with_seed(self.seed ^ 0x5eed_0002);
        let mut events = self.events(count);
        for event in &mut events {
            if rng.usize(..3) == 0 {
                event.sentiment = None;
                event.confidence = None;
            }
        }
        events
    }

    /// So many events on each of which exactly one lane fires, with that lane; the lanes are spread
    /// over the whole list.
    pub fn events_of_one_lane(&self, count: usize) -> Vec<(Event, usize)> {
        let mut rng = Rng::with_seed(self.seed ^ 0x5eed_0003);
        let mut found = Vec::with_capacity(count);
        let mut tries = 0;
        while found.len() < count {
            tries += 1;
            assert!(tries < count * 50, "events with one lane are too rare");
            let lane = rng.usize(..self.lanes.len());
            let mut event = event(found.len(), self.vocabulary, &mut rng);
            satisfy(&mut event, &self.lanes[lane].when, &mut rng);
            if attached(&self.lanes, &event).0 == [lane] {
                found.push((event, lane));
            }
        }
        found
    }
}

/// How numbers are spread: the value below which a share of the events lies.
fn quantile(field: Number, share: f64) -> i64 {
    let share = share.clamp(0.0, 1.0);
    let value = match field {
        // From 1 to 100,000 USD, as many between 10 and 100 as between 1,000 and 10,000.
        Number::Amount => 10f64.powf(2.0 + 5.0 * share),
        Number::Confidence => 10_000.0 * share,
        // Few attempts are the rule.
        Number::Attempts => 1_000.0 * share.powi(3),
        Number::Tokens => 200_000.0 * share,
    };
    value as i64
}

fn event(at: usize, vocabulary: Vocabulary, rng: &mut Rng) -> Event {
    let source = words::tenant(rng.usize(..vocabulary.tenants));
    let target = match rng.usize(..100) {
        0..8 => words::tenant(rng.usize(..vocabulary.tenants)),
        _ => source.clone(),
    };
    let mut number = |field| quantile(field, rng.f64());
    let (amount, confidence) = (number(Number::Amount), number(Number::Confidence));
    let (attempts, tokens) = (number(Number::Attempts), number(Number::Tokens));
    let mut message = String::with_capacity(128);
    let phrase = rng.usize(..3 * words::PHRASES.len());
    let place = rng.usize(..8);
    let mut count = 0;
    while message.len() < 100 {
        if count > 0 {
            message.push(' ');
        }
        match words::PHRASES.get(phrase) {
            Some(phrase) if count == place => message.push_str(phrase),
            _ => message.push_str(words::FILLER[rng.usize(..words::FILLER.len())]),
        }
        count += 1;
    }
    let area = words::AREAS[rng.usize(..words::AREAS.len())];
    let part = words::PARTS[rng.usize(..words::PARTS.len())];
    Event {
        id: format!(
            "{:08x}-{:04x}-7{:03x}-98c4-{:012x}",
            rng.u32(..),
            rng.u16(..),
            rng.u16(..4096),
            at
        ),
        at: START + rng.i64(0..29 * 86_400),
        agent: words::agent(rng.usize(..40)),
        tool: words::tool(rng.usize(..vocabulary.tools)),
        workflow: words::workflow(rng.usize(..vocabulary.workflows)),
        source,
        target,
        resource: format!("{area}{part}2026/{:06}", rng.u32(..1_000_000)),
        message,
        role: rng.u8(..6),
        sentiment: Some(rng.u8(..4)),
        region: rng.u8(..5),
        amount,
        confidence: Some(confidence),
        attempts,
        tokens,
    }
}

/// Changes an event until a condition holds.
fn satisfy(event: &mut Event, cond: &Cond, rng: &mut Rng) {
    match cond {
        Cond::All(parts) => parts.iter().for_each(|part| satisfy(event, part, rng)),
        Cond::Any(parts) => satisfy(event, &parts[rng.usize(..parts.len())], rng),
        Cond::Test(test) if test.holds(event) == Some(true) => {}
        Cond::Test(test) => satisfy_test(event, test, rng),
    }
}

fn satisfy_test(event: &mut Event, test: &Test, rng: &mut Rng) {
    let mut put = |field: Text, value: String| match field {
        Text::Agent => event.agent = value,
        Text::Tool => event.tool = value,
        Text::Workflow => event.workflow = value,
        Text::Source => {
            if event.source == event.target {
                event.target.clone_from(&value);
            }
            event.source = value;
        }
        Text::Target => event.target = value,
        Text::Resource => event.resource = format!("{value}2026/000001"),
        Text::Message => event.message = format!("please look at it again: {value}"),
    };
    let (number, value) = match test {
        Test::Is(field, text) => return put(*field, text.clone()),
        Test::In(field, texts) => return put(*field, texts[rng.usize(..texts.len())].clone()),
        Test::StartsWith(Text::Agent, text) => return put(Text::Agent, format!("{text}agent-1")),
        Test::StartsWith(field, text) | Test::Contains(field, text) => {
            return put(*field, text.clone());
        }
        Test::WordIs(field, word) => return put_word(event, *field, *word),
        Test::WordIn(field, several) => {
            return put_word(event, *field, several[rng.usize(..several.len())]);
        }
        Test::OtherTenant => {
            event.target = format!("{}-partner", event.source);
            return;
        }
        Test::Above(field, bound) => (*field, rng.i64(bound + 1..=field.largest().max(bound + 1))),
        Test::Below(field, bound) => (*field, rng.i64(0..*bound)),
    };
    match number {
        Number::Amount => event.amount = value,
        Number::Confidence => event.confidence = Some(value),
        Number::Attempts => event.attempts = value,
        Number::Tokens => event.tokens = value,
    }
}

fn put_word(event: &mut Event, field: Word, word: u8) {
    match field {
        Word::Role => event.role = word,
        Word::Sentiment => event.sentiment = Some(word),
        Word::Region => event.region = word,
    }
}

/// What lanes are made by.
struct Maker {
    lanes: usize,
    vocabulary: Vocabulary,
}

impl Maker {
    fn lane(&self, at: usize, rng: &mut Rng) -> Lane {
        let name = format!("lane_{at}");
        let tests = match rng.usize(..100) {
            0..5 => self.without_key(rng),
            _ => self.with_key(rng),
        };
        let when = Cond::All(tests);
        Lane { name, when }
    }

    /// Two tight thresholds, and a substring in every third lane.
    fn without_key(&self, rng: &mut Rng) -> Vec<Cond> {
        let mut share = WITHOUT_KEY / (self.lanes as f64 * 0.05);
        let mut last = None;
        if rng.usize(..3) == 0 {
            let phrase = words::PHRASES[rng.usize(..words::PHRASES.len())];
            last = Some(Test::Contains(Text::Message, phrase.to_owned()));
            share *= 24.0;
        }
        let each = share.min(0.04).sqrt();
        // One of the two is tighter than the other.
        let lean = 0.5 + rng.f64();
        let [first, second] = two_of(NUMBERS, rng);
        let mut tests = vec![
            Cond::Test(threshold(first, (each * lean).min(0.3), true)),
            Cond::Test(threshold(second, (each / lean).min(0.3), true)),
        ];
        tests.extend(last.map(Cond::Test));
        tests
    }

    fn with_key(&self, rng: &mut Rng) -> Vec<Cond> {
        let mut tests = vec![Cond::Test(self.key(rng))];
        // What the lane may still leave of the events that have its key.
        let usual = BY_KEY / self.vocabulary.lanes_by_key(self.lanes);
        let mut share = (usual * (0.4 + 1.2 * rng.f64())).min(0.9);
        let mut late = Vec::new();
        for _ in 0..rng.usize(..3) {
            let (test, held) = other(rng);
            if share / held > 0.7 {
                break;
            }
            share /= held;
            match test {
                Test::Contains(..) | Test::StartsWith(..) => late.push(test),
                _ => tests.push(Cond::Test(test)),
            }
        }
        let mut numbers = NUMBERS;
        rng.shuffle(&mut numbers);
        let count = 1 + rng.usize(..4);
        let each = share.powf(1.0 / count as f64);
        for field in numbers.iter().take(count) {
            let near = on_grid(each * (0.8 + 0.4 * rng.f64()));
            tests.push(Cond::Test(threshold(*field, near, rng.usize(..5) > 0)));
        }
        if rng.usize(..100) < 15 {
            tests.push(inner_or(rng));
        }
        for test in late {
            if !tests.contains(&Cond::Test(test.clone())) {
                tests.push(Cond::Test(test));
            }
        }
        distinct(tests)
    }

    fn key(&self, rng: &mut Rng) -> Test {
        let (field, name, count): (_, fn(usize) -> String, _) = match rng.usize(..3) {
            0 => (Text::Tool, words::tool, self.vocabulary.tools),
            1 => (Text::Workflow, words::workflow, self.vocabulary.workflows),
            _ => (Text::Source, words::tenant, self.vocabulary.tenants),
        };
        Test::Is(field, name(rng.usize(..count)))
    }
}

/// A test beside key and thresholds, with the share of events at which it holds.
fn other(rng: &mut Rng) -> (Test, f64) {
    match rng.usize(..8) {
        0 => {
            let field = WORDS[rng.usize(..3)];
            let count = field.words().len();
            (
                Test::WordIs(field, rng.u8(..count as u8)),
                1.0 / count as f64,
            )
        }
        1 | 2 => {
            let field = WORDS[rng.usize(..3)];
            let count = field.words().len();
            let first = rng.usize(..count);
            let several = [first as u8, ((first + 1) % count) as u8].to_vec();
            (Test::WordIn(field, several), 2.0 / count as f64)
        }
        3 => {
            let first = rng.usize(..40);
            let agents = (0..4).map(|n| words::agent(first + n * 7)).collect();
            (Test::In(Text::Agent, agents), 0.1)
        }
        4 => {
            let prefix = words::AGENTS[rng.usize(..words::AGENTS.len())];
            (Test::StartsWith(Text::Agent, prefix.to_owned()), 0.2)
        }
        5 => {
            let area = words::AREAS[rng.usize(..words::AREAS.len())];
            let part = words::PARTS[rng.usize(..words::PARTS.len())];
            match rng.bool() {
                true => (Test::StartsWith(Text::Resource, area.to_owned()), 1.0 / 8.0),
                false => (
                    Test::StartsWith(Text::Resource, format!("{area}{part}")),
                    1.0 / 40.0,
                ),
            }
        }
        6 => {
            let phrase = words::PHRASES[rng.usize(..words::PHRASES.len())];
            (Test::Contains(Text::Message, phrase.to_owned()), 1.0 / 72.0)
        }
        _ => (Test::OtherTenant, 0.08),
    }
}

/// Two or three tests of which one is enough; it holds for about half of the events.
fn inner_or(rng: &mut Rng) -> Cond {
    let [first, second] = two_of(NUMBERS, rng);
    let mut parts = vec![
        threshold(first, [0.3, 0.38, 0.47][rng.usize(..3)], rng.bool()),
        match rng.usize(..3) {
            0 => threshold(second, [0.17, 0.23, 0.3][rng.usize(..3)], rng.bool()),
            1 => Test::WordIs(Word::Sentiment, rng.u8(..4)),
            _ => Test::WordIn(Word::Region, vec![rng.u8(..2), 2 + rng.u8(..3)]),
        },
    ];
    if rng.usize(..3) == 0 {
        let phrase = words::PHRASES[rng.usize(..words::PHRASES.len())];
        parts.push(Test::Contains(Text::Message, phrase.to_owned()));
    }
    Cond::Any(parts.into_iter().map(Cond::Test).collect())
}

/// A threshold that holds for a share of the events.
fn threshold(field: Number, share: f64, natural: bool) -> Test {
    let low_is_bad = matches!(field, Number::Confidence);
    let below = low_is_bad == natural;
    match below {
        true => Test::Below(field, quantile(field, share).max(1)),
        false => Test::Above(field, quantile(field, 1.0 - share)),
    }
}

fn on_grid(share: f64) -> f64 {
    let mut best = GRID[0];
    for step in GRID {
        if (step - share).abs() < (best - share).abs() {
            best = step;
        }
    }
    best
}

fn two_of(mut numbers: [Number; 4], rng: &mut Rng) -> [Number; 2] {
    rng.shuffle(&mut numbers);
    [numbers[0], numbers[1]]
}

/// A lane asks everything once.
fn distinct(tests: Vec<Cond>) -> Vec<Cond> {
    let mut kept: Vec<Cond> = Vec::with_capacity(tests.len());
    for test in tests {
        if !kept.contains(&test) {
            kept.push(test);
        }
    }
    kept
}

/// Five lanes in the spirit of `matrices/agent-operations`: customer risk, policy exception, a
/// workflow that fails, security, money. Each comes about in several ways.
fn five() -> Vec<Lane> {
    let is = |field, text: &str| Cond::Test(Test::Is(field, text.to_owned()));
    let among = |field, texts: &[&str]| {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Cond::Test(Test::In(field, texts))
    };
    let says = |text: &str| Cond::Test(Test::Contains(Text::Message, text.to_owned()));
    let starts = |field, text: &str| Cond::Test(Test::StartsWith(field, text.to_owned()));
    let above = |field, bound| Cond::Test(Test::Above(field, bound));
    let below = |field, bound| Cond::Test(Test::Below(field, bound));
    let word = |field, word| Cond::Test(Test::WordIs(field, word));
    let words = |field, words: &[u8]| Cond::Test(Test::WordIn(field, words.to_vec()));
    let to_customers = [
        "mailbox.create",
        "ticket.create",
        "campaign.create",
        "customer.create",
    ];
    let customer_risk = Cond::Any(vec![
        Cond::All(vec![
            among(Text::Tool, &to_customers),
            Cond::Any(vec![
                below(Number::Confidence, 2_200),
                word(Word::Sentiment, 2),
                says("chargeback"),
            ]),
        ]),
        says("speak to a lawyer"),
        says("legal action"),
    ]);
    let policy_exception = Cond::Any(vec![
        Cond::All(vec![
            is(Text::Tool, "discount.create"),
            above(Number::Amount, 25_000),
        ]),
        Cond::All(vec![
            among(Text::Tool, &["refund.create", "payout.create"]),
            below(Number::Confidence, 4_000),
            words(Word::Role, &[0, 1, 4]),
        ]),
    ]);
    let ops_failure = Cond::Any(vec![
        Cond::All(vec![
            is(Text::Workflow, "order-sync"),
            above(Number::Attempts, 216),
            above(Number::Tokens, 60_000),
        ]),
        Cond::All(vec![
            above(Number::Attempts, 900),
            above(Number::Tokens, 180_000),
        ]),
    ]);
    let security_anomaly = Cond::Any(vec![
        Cond::All(vec![
            Cond::Test(Test::OtherTenant),
            words(Word::Role, &[0, 1, 2, 4]),
            above(Number::Tokens, 120_000),
        ]),
        Cond::All(vec![
            starts(Text::Agent, "night-"),
            starts(Text::Resource, "/identity/"),
            below(Number::Confidence, 9_000),
        ]),
        says("ignore previous"),
    ]);
    let financial_risk = Cond::Any(vec![
        Cond::All(vec![
            among(
                Text::Tool,
                &["refund.create", "payout.create", "invoice.create"],
            ),
            above(Number::Amount, 1_000_000),
        ]),
        Cond::All(vec![
            is(Text::Tool, "ledger.create"),
            words(Word::Region, &[2, 3]),
        ]),
    ]);
    let named = [
        ("customer_risk", customer_risk),
        ("policy_exception", policy_exception),
        ("ops_failure", ops_failure),
        ("security_anomaly", security_anomaly),
        ("financial_risk", financial_risk),
    ];
    let lane = |(name, when): (&str, Cond)| Lane {
        name: name.to_owned(),
        when,
    };
    named.into_iter().map(lane).collect()
}
