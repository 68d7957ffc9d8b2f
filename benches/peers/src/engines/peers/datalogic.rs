//! datalogic-rs: compiled JSONLogic.
//!
//! All lanes are one `if` with a branch for each, so one evaluation gives the first lane. Prefixes
//! are `starts_with`, substrings are `in`.

use datalogic_rs::bumpalo::Bump;
use datalogic_rs::{Engine, Logic, ParsedData};
use serde_json::{Value, json};

use super::{Peer, words};
use crate::hand::NONE;
use crate::workload::{Cond, Event, Lane, Test};

pub struct Datalogic {
    engine: Engine,
    logic: Logic,
    arena: Bump,
}

fn cond(of: &Cond) -> Value {
    match of {
        Cond::Test(of) => test(of),
        Cond::All(parts) => json!({"and": parts.iter().map(cond).collect::<Vec<_>>()}),
        Cond::Any(parts) => json!({"or": parts.iter().map(cond).collect::<Vec<_>>()}),
    }
}

fn test(test: &Test) -> Value {
    let var = |path: &str| json!({ "var": path });
    match test {
        Test::Is(field, text) => json!({"===": [var(field.path()), text]}),
        Test::In(field, texts) => json!({"in": [var(field.path()), texts]}),
        Test::StartsWith(field, text) => json!({"starts_with": [var(field.path()), text]}),
        Test::Contains(field, text) => json!({"in": [text, var(field.path())]}),
        Test::WordIs(field, word) => {
            let word = field.words()[usize::from(*word)];
            json!({"===": [var(field.path()), word]})
        }
        Test::WordIn(field, several) => {
            let several: Vec<&str> = words(*field, several).collect();
            json!({"in": [var(field.path()), several]})
        }
        Test::Above(field, bound) => json!({">": [var(field.path()), field.float(*bound)]}),
        Test::Below(field, bound) => json!({"<": [var(field.path()), field.float(*bound)]}),
        Test::OtherTenant => json!({"!==": [var("tenant.source"), var("tenant.target")]}),
    }
}

impl Datalogic {
    fn lane(value: Option<i64>) -> u32 {
        value
            .and_then(|lane| u32::try_from(lane).ok())
            .unwrap_or(NONE)
    }
}

impl Peer for Datalogic {
    type Prepared = ParsedData;
    const NAME: &'static str = "datalogic-rs";

    fn new(lanes: &[Lane]) -> Self {
        let mut branches = Vec::with_capacity(lanes.len() * 2 + 1);
        for (number, lane) in lanes.iter().enumerate() {
            branches.push(cond(&lane.when));
            branches.push(json!(number));
        }
        branches.push(json!(-1));
        let engine = Engine::new();
        let rule = json!({ "if": branches }).to_string();
        let logic = engine.compile(rule.as_str()).expect("the rule is one");
        Self {
            engine,
            logic,
            arena: Bump::new(),
        }
    }

    fn prepare(&self, _: &Event, json: &str) -> ParsedData {
        ParsedData::from_json(json).expect("an event")
    }

    fn first(&mut self, event: &ParsedData) -> u32 {
        self.arena.reset();
        let value = self.engine.evaluate(&self.logic, event, &self.arena);
        Self::lane(value.expect("it evaluates").as_i64())
    }

    fn first_json(&mut self, json: &str) -> u32 {
        self.arena.reset();
        let value = self.engine.evaluate(&self.logic, json, &self.arena);
        Self::lane(value.expect("it evaluates").as_i64())
    }
}
