//! wirefilter-engine: filters as trees of closures over a slice of values.
//!
//! One filter for each lane, run in order until one matches. It has whole numbers of 32 bits only,
//! so numbers are in the smallest unit of their field; it has no prefixes, so those are `matches`
//! with an anchored expression; it cannot compare two fields, so whether the tenants differ is a
//! field that its user fills.

use std::borrow::Cow;

use wirefilter::{ExecutionContext, Filter, Scheme, Type};

use super::{Peer, infix, quoted, words};
use crate::hand::{Call, NONE};
use crate::measure::Says;
use crate::workload::{Event, Lane, NUMBERS, TEXTS, Test, WORDS, Word};

pub struct Wirefilter {
    scheme: &'static Scheme,
    filters: Vec<Filter<'static>>,
}

fn test(test: &Test) -> String {
    match test {
        Test::Is(field, text) => format!("{} == \"{text}\"", field.path()),
        Test::In(field, texts) => {
            let texts = quoted(texts.iter().map(String::as_str), " ");
            format!("{} in {{{texts}}}", field.path())
        }
        Test::StartsWith(field, text) => {
            assert!(!text.contains(['.', '+', '*']), "it is its own expression");
            format!("{} matches \"^{text}\"", field.path())
        }
        Test::Contains(field, text) => format!("{} contains \"{text}\"", field.path()),
        Test::WordIs(field, word) => {
            let word = quoted(words(*field, &[*word]), "");
            format!("{} == {word}", field.path())
        }
        Test::WordIn(field, several) => {
            let several = quoted(words(*field, several), " ");
            format!("{} in {{{several}}}", field.path())
        }
        Test::Above(field, bound) => format!("{} > {bound}", field.path()),
        Test::Below(field, bound) => format!("{} < {bound}", field.path()),
        Test::OtherTenant => "other_tenant".to_owned(),
    }
}

impl Wirefilter {
    /// Filters live as long as their scheme, and take values that live as long: so texts are copied.
    fn context(&self, call: &Call<'_>) -> ExecutionContext<'static> {
        let mut context = ExecutionContext::new(self.scheme);
        let mut text = |name: &str, text: &str| {
            let bytes: Cow<'static, [u8]> = Cow::Owned(text.as_bytes().to_vec());
            context.set_field_value(name, bytes).expect("a field");
        };
        text("agent", call.agent);
        text("tool", call.tool);
        text("workflow", call.workflow);
        text("tenant.source", call.tenant.source);
        text("tenant.target", call.tenant.target);
        text("resource", call.resource);
        text("message", call.message);
        for (field, word) in [
            (Word::Role, call.role as usize),
            (Word::Sentiment, call.sentiment as usize),
            (Word::Region, call.region as usize),
        ] {
            let word: &'static str = field.words()[word];
            context
                .set_field_value(field.path(), word)
                .expect("a field");
        }
        let numbers = [call.amount, call.confidence, call.attempts, call.tokens];
        for (field, number) in NUMBERS.iter().zip(numbers) {
            let unit = 10f64.powi(field.places() as i32);
            let whole = (number * unit).round() as i32;
            context
                .set_field_value(field.path(), whole)
                .expect("a field");
        }
        let other = call.tenant.source != call.tenant.target;
        context
            .set_field_value("other_tenant", other)
            .expect("a field");
        context
    }
}

impl Peer for Wirefilter {
    type Prepared = ExecutionContext<'static>;
    const NAME: &'static str = "wirefilter-engine";
    const SAYS: Says = Says::First;

    fn new(lanes: &[Lane]) -> Self {
        let mut scheme = Scheme::new();
        let mut add = |path: &str, sort| {
            scheme
                .add_field(path.to_owned(), sort)
                .expect("a new field");
        };
        TEXTS
            .iter()
            .for_each(|field| add(field.path(), Type::Bytes));
        WORDS
            .iter()
            .for_each(|field| add(field.path(), Type::Bytes));
        NUMBERS
            .iter()
            .for_each(|field| add(field.path(), Type::Int));
        add("other_tenant", Type::Bool);
        let scheme: &'static Scheme = Box::leak(Box::new(scheme));
        let filter = |lane: &Lane| {
            let text = infix(&lane.when, " && ", " || ", &test);
            let tree = scheme.parse(&text);
            tree.unwrap_or_else(|error| panic!("{error}: {text}"))
                .compile()
        };
        Self {
            scheme,
            filters: lanes.iter().map(filter).collect(),
        }
    }

    fn prepare(&self, event: &Event, _: &str) -> Self::Prepared {
        self.context(&Call::of(event))
    }

    fn first(&mut self, event: &Self::Prepared) -> u32 {
        let matches = |filter: &Filter<'static>| filter.execute(event).expect("the same scheme");
        let first = self.filters.iter().position(matches);
        first.map_or(NONE, |lane| lane as u32)
    }

    fn first_json(&mut self, json: &str) -> u32 {
        let call: Call<'_> = serde_json::from_str(json).expect("an event");
        let context = self.context(&call);
        self.first(&context)
    }
}
