//! cel: the Common Expression Language, interpreted from a parsed program.
//!
//! One program for each lane, run in order until one is true. The fields are variables.

use std::sync::Arc;

use cel::{Context, Env, Program, Value};

use super::{Peer, infix, quoted, words};
use crate::hand::{Call, NONE};
use crate::workload::{Event, Lane, Number, Test, Word};

pub struct Cel {
    env: Arc<Env>,
    programs: Vec<Program>,
}

/// Variables are plain names.
fn name(path: &str) -> String {
    path.replace('.', "_")
}

fn number(field: Number, bound: i64) -> String {
    match field.places() {
        0 => bound.to_string(),
        _ => field.decimal(bound),
    }
}

fn test(test: &Test) -> String {
    match test {
        Test::Is(field, text) => format!("{} == \"{text}\"", name(field.path())),
        Test::In(field, texts) => {
            let texts = quoted(texts.iter().map(String::as_str), ", ");
            format!("{} in [{texts}]", name(field.path()))
        }
        Test::StartsWith(field, text) => format!("{}.startsWith(\"{text}\")", name(field.path())),
        Test::Contains(field, text) => format!("{}.contains(\"{text}\")", name(field.path())),
        Test::WordIs(field, word) => {
            let word = quoted(words(*field, &[*word]), "");
            format!("{} == {word}", field.path())
        }
        Test::WordIn(field, several) => {
            let several = quoted(words(*field, several), ", ");
            format!("{} in [{several}]", field.path())
        }
        Test::Above(field, bound) => format!("{} > {}", field.path(), number(*field, *bound)),
        Test::Below(field, bound) => format!("{} < {}", field.path(), number(*field, *bound)),
        Test::OtherTenant => "tenant_source != tenant_target".to_owned(),
    }
}

impl Cel {
    fn context(&self, call: &Call<'_>) -> Context<'static, 'static> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        for (name, text) in [
            ("agent", call.agent),
            ("tool", call.tool),
            ("workflow", call.workflow),
            ("tenant_source", call.tenant.source),
            ("tenant_target", call.tenant.target),
            ("resource", call.resource),
            ("message", call.message),
            ("role", Word::Role.words()[call.role as usize]),
            (
                "sentiment",
                Word::Sentiment.words()[call.sentiment as usize],
            ),
            ("region", Word::Region.words()[call.region as usize]),
        ] {
            context.add_variable_from_value(name, text);
        }
        context.add_variable_from_value("amount", Value::Float(call.amount));
        context.add_variable_from_value("confidence", Value::Float(call.confidence));
        context.add_variable_from_value("attempts", Value::Int(call.attempts as i64));
        context.add_variable_from_value("tokens", Value::Int(call.tokens as i64));
        context
    }
}

impl Peer for Cel {
    type Prepared = Context<'static, 'static>;
    const NAME: &'static str = "cel";

    fn new(lanes: &[Lane]) -> Self {
        let program = |lane: &Lane| {
            let text = infix(&lane.when, " && ", " || ", &test);
            Program::compile(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        Self {
            env: Arc::new(Env::stdlib()),
            programs: lanes.iter().map(program).collect(),
        }
    }

    fn prepare(&self, event: &Event, _: &str) -> Self::Prepared {
        self.context(&Call::of(event))
    }

    fn first(&mut self, event: &Self::Prepared) -> u32 {
        let fires = |program: &Program| match program.execute(event) {
            Ok(Value::Bool(fires)) => fires,
            other => panic!("{other:?}"),
        };
        let first = self.programs.iter().position(fires);
        first.map_or(NONE, |lane| lane as u32)
    }

    fn first_json(&mut self, json: &str) -> u32 {
        let call: Call<'_> = serde_json::from_str(json).expect("an event");
        let context = self.context(&call);
        self.first(&context)
    }
}
