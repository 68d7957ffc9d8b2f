//! regorus: Rego, compiled for its virtual machine.
//!
//! Each lane is a rule that adds its number to a partial set; an inner `or` is a helper rule with a
//! body for each way, as Rego has it. It gives every lane that fires.

use std::fmt::Write as _;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Rc, Value};

use super::{Peer, quoted, words};
use crate::hand::NONE;
use crate::workload::{Cond, Event, Lane, Number, Test};

pub struct Regorus {
    machine: RegoVM,
}

fn number(field: Number, bound: i64) -> String {
    field.decimal(bound)
}

fn test(test: &Test) -> String {
    match test {
        Test::Is(field, text) => format!("input.{} == \"{text}\"", field.path()),
        Test::In(field, texts) => {
            let texts = quoted(texts.iter().map(String::as_str), ", ");
            format!("input.{} in {{{texts}}}", field.path())
        }
        Test::StartsWith(field, text) => format!("startswith(input.{}, \"{text}\")", field.path()),
        Test::Contains(field, text) => format!("contains(input.{}, \"{text}\")", field.path()),
        Test::WordIs(field, word) => {
            let word = quoted(words(*field, &[*word]), "");
            format!("input.{} == {word}", field.path())
        }
        Test::WordIn(field, several) => {
            let several = quoted(words(*field, several), ", ");
            format!("input.{} in {{{several}}}", field.path())
        }
        Test::Above(field, bound) => format!("input.{} > {}", field.path(), number(*field, *bound)),
        Test::Below(field, bound) => format!("input.{} < {}", field.path(), number(*field, *bound)),
        Test::OtherTenant => "input.tenant.source != input.tenant.target".to_owned(),
    }
}

/// The lines of a body, and before them the helper rules that they need.
fn body(cond: &Cond, name: &str, helpers: &mut String) -> Vec<String> {
    match cond {
        Cond::Test(one) => vec![test(one)],
        Cond::All(parts) => {
            let parts = parts.iter().enumerate();
            parts
                .flat_map(|(at, part)| body(part, &format!("{name}_{at}"), helpers))
                .collect()
        }
        Cond::Any(parts) => {
            for (at, part) in parts.iter().enumerate() {
                let lines = body(part, &format!("{name}_{at}"), helpers).join("; ");
                let _ = writeln!(helpers, "{name} if {{ {lines} }}");
            }
            vec![name.to_owned()]
        }
    }
}

impl Peer for Regorus {
    type Prepared = Value;
    const NAME: &'static str = "regorus";
    /// Its virtual machine takes programs of 65,535 instructions at most; 5,000 lanes are 126,303.
    const MOST: usize = 500;

    fn new(lanes: &[Lane]) -> Self {
        let mut engine = Engine::new();
        // A file has at most 20,000 lines: a lane is one line, and a file has 1,000 lanes.
        for (file, chunk) in lanes.chunks(1_000).enumerate() {
            let mut module = "package lanes\n\nimport rego.v1\n\n".to_owned();
            for (at, lane) in chunk.iter().enumerate() {
                let number = file * 1_000 + at;
                let mut helpers = String::new();
                let lines = body(&lane.when, &format!("part_{number}"), &mut helpers).join("; ");
                let _ = write!(
                    module,
                    "{helpers}fired contains {number} if {{ {lines} }}\n\n"
                );
            }
            let added = engine.add_policy(format!("lanes_{file}.rego"), module);
            added.unwrap_or_else(|error| panic!("{error}"));
        }
        let entry: Rc<str> = "data.lanes.fired".into();
        let policy = engine.compile_with_entrypoint(&entry).expect("it compiles");
        let program = Compiler::compile_from_policy(&policy, &[&*entry]);
        let program = program.unwrap_or_else(|error| panic!("{error}"));
        let mut machine = RegoVM::new();
        machine.set_max_instructions(usize::MAX);
        machine.load_program(program);
        Self { machine }
    }

    fn prepare(&self, _: &Event, json: &str) -> Value {
        Value::from_json_str(json).expect("an event")
    }

    fn first(&mut self, event: &Value) -> u32 {
        self.machine.set_input(event.clone());
        let fired = self.machine.execute().expect("it evaluates");
        let fired = fired.as_set().expect("a set of lanes");
        let lanes = fired.iter().map(|lane| lane.as_u32().expect("a number"));
        lanes.min().unwrap_or(NONE)
    }

    fn first_json(&mut self, json: &str) -> u32 {
        let event = Value::from_json_str(json).expect("an event");
        self.first(&event)
    }
}
