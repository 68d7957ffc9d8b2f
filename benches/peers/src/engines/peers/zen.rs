//! zen-engine: a decision table with the hit policy `first`.
//!
//! A lane is a row, and one row for each way where its trigger is an `or` as a whole. A test stands
//! in the column of its field; an inner `or`, the mismatch of the tenants, and a second test of one
//! field stand in a column of expressions. Prefixes are `startsWith`, substrings `contains`.

use serde_json::{Map, Value, json};
use zen_engine::model::DecisionContent;
use zen_engine::{Decision, DecisionEngine, Variable};

use super::{Peer, infix, quoted, words};
use crate::hand::NONE;
use crate::workload::{Cond, Event, Lane, NUMBERS, TEXTS, Test, WORDS};

pub struct Zen {
    decision: Decision,
}

/// The column of expressions.
const ELSE: &str = "else";

/// The column of a test, and the test in it.
fn cell(test: &Test) -> Option<(&'static str, String)> {
    Some(match test {
        Test::Is(field, text) => (field.path(), format!("\"{text}\"")),
        Test::In(field, texts) => {
            let texts = quoted(texts.iter().map(String::as_str), ", ");
            (field.path(), texts)
        }
        Test::StartsWith(field, text) => (field.path(), format!("startsWith($, \"{text}\")")),
        Test::Contains(field, text) => (field.path(), format!("contains($, \"{text}\")")),
        Test::WordIs(field, word) => (field.path(), quoted(words(*field, &[*word]), "")),
        Test::WordIn(field, several) => (field.path(), quoted(words(*field, several), ", ")),
        Test::Above(field, bound) => (field.path(), format!("> {}", field.decimal(*bound))),
        Test::Below(field, bound) => (field.path(), format!("< {}", field.decimal(*bound))),
        Test::OtherTenant => return None,
    })
}

/// A test as an expression.
fn expression(test: &Test) -> String {
    match test {
        Test::Is(field, text) => format!("{} == \"{text}\"", field.path()),
        Test::In(field, texts) => {
            let texts = quoted(texts.iter().map(String::as_str), ", ");
            format!("{} in [{texts}]", field.path())
        }
        Test::StartsWith(field, text) => format!("startsWith({}, \"{text}\")", field.path()),
        Test::Contains(field, text) => format!("contains({}, \"{text}\")", field.path()),
        Test::WordIs(field, word) => {
            let word = quoted(words(*field, &[*word]), "");
            format!("{} == {word}", field.path())
        }
        Test::WordIn(field, several) => {
            let several = quoted(words(*field, several), ", ");
            format!("{} in [{several}]", field.path())
        }
        Test::Above(field, bound) => format!("{} > {}", field.path(), field.decimal(*bound)),
        Test::Below(field, bound) => format!("{} < {}", field.path(), field.decimal(*bound)),
        Test::OtherTenant => "tenant.source != tenant.target".to_owned(),
    }
}

fn row(number: usize, cond: &Cond) -> Value {
    let one = std::slice::from_ref(cond);
    let parts = match cond {
        Cond::All(parts) => parts.as_slice(),
        _ => one,
    };
    let mut row = Map::new();
    let mut rest = Vec::new();
    for part in parts {
        let placed = match part {
            Cond::Test(test) => cell(test),
            _ => None,
        };
        match placed {
            Some((column, cell)) if !row.contains_key(column) => {
                row.insert(column.to_owned(), json!(cell));
            }
            _ => rest.push(infix(part, " and ", " or ", &expression)),
        }
    }
    if !rest.is_empty() {
        row.insert(ELSE.to_owned(), json!(rest.join(" and ")));
    }
    row.insert("_id".to_owned(), json!(format!("row-{number}")));
    row.insert("lane".to_owned(), json!(number.to_string()));
    Value::Object(row)
}

impl Zen {
    fn decide(&self, event: Variable) -> u32 {
        let answer = pollster::block_on(self.decision.evaluate(event));
        let answer = answer.unwrap_or_else(|error| panic!("{error:?}"));
        let Some(lane) = answer.result.dot("lane") else {
            return NONE;
        };
        let number = lane
            .as_number()
            .and_then(|number| u32::try_from(number).ok());
        number.unwrap_or(NONE)
    }
}

impl Peer for Zen {
    type Prepared = Variable;
    const NAME: &'static str = "zen-engine";

    fn new(lanes: &[Lane]) -> Self {
        let rows: Vec<Value> = lanes
            .iter()
            .enumerate()
            .flat_map(|(number, lane)| match &lane.when {
                Cond::Any(ways) => ways.iter().map(|way| row(number, way)).collect(),
                other => vec![row(number, other)],
            })
            .collect();
        let texts = TEXTS.iter().map(|field| field.path());
        let words = WORDS.iter().map(|field| field.path());
        let paths = texts
            .chain(words)
            .chain(NUMBERS.iter().map(|field| field.path()));
        let mut inputs: Vec<Value> = paths
            .map(|path| json!({"id": path, "name": path, "field": path}))
            .collect();
        inputs.push(json!({"id": ELSE, "name": ELSE}));
        let content = json!({
            "nodes": [
                {"id": "in", "name": "in", "type": "inputNode"},
                {"id": "table", "name": "table", "type": "decisionTableNode", "content": {
                    "hitPolicy": "first",
                    "inputs": inputs,
                    "outputs": [{"id": "lane", "name": "lane", "field": "lane"}],
                    "rules": rows,
                }},
                {"id": "out", "name": "out", "type": "outputNode"},
            ],
            "edges": [
                {"id": "1", "sourceId": "in", "targetId": "table"},
                {"id": "2", "sourceId": "table", "targetId": "out"},
            ],
        });
        let content: DecisionContent = serde_json::from_value(content).expect("a decision");
        let decision = DecisionEngine::default().create_decision(content.into());
        let mut decision = decision.expect("the decision is valid");
        decision.compile();
        Self { decision }
    }

    fn prepare(&self, _: &Event, json: &str) -> Variable {
        serde_json::from_str(json).expect("an event")
    }

    fn first(&mut self, event: &Variable) -> u32 {
        self.decide(event.clone())
    }

    fn first_json(&mut self, json: &str) -> u32 {
        self.decide(serde_json::from_str(json).expect("an event"))
    }
}
