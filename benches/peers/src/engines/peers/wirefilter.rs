//! wirefilter-engine: filters as trees of closures over a slice of values.
//!
//! One filter for each lane, run in order until one matches. It has whole numbers of 32 bits only,
//! so numbers are in the smallest unit of their field; it has no prefixes, so those are `matches`
//! with an anchored expression; it cannot compare two fields, so whether the tenants differ is a
//! field that its user fills.

use wirefilter::{ExecutionContext, Filter, Scheme, Type};

use super::{Peer, infix, quoted, words};
use crate::hand::{Call, NONE};
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
    fn context<'c>(&self, call: &Call<'c>) -> ExecutionContext<'c> {
        let mut context = ExecutionContext::new(self.scheme);
        let words = [
            (Word::Role, call.role as usize),
            (Word::Sentiment, call.sentiment as usize),
            (Word::Region, call.region as usize),
        ];
        let words = words.map(|(field, word)| (field.path(), field.words()[word]));
        let texts = [
            ("agent", call.agent),
            ("tool", call.tool),
            ("workflow", call.workflow),
            ("tenant.source", call.tenant.source),
            ("tenant.target", call.tenant.target),
            ("resource", call.resource),
            ("message", call.message),
        ];
        for (name, text) in words.into_iter().chain(texts) {
            context.set_field_value(name, text).expect("a field");
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

    fn decide(&self, context: &ExecutionContext<'_>) -> u32 {
        // SAFETY: a filter takes a context only of the lifetime of its scheme, because it is a closure
        // over that lifetime; it keeps nothing of what it looks at.
        let context: &ExecutionContext<'static> = unsafe { std::mem::transmute(context) };
        let matches = |filter: &Filter<'static>| filter.execute(context).expect("the same scheme");
        let first = self.filters.iter().position(matches);
        first.map_or(NONE, |lane| lane as u32)
    }
}

impl Peer for Wirefilter {
    type Prepared = ExecutionContext<'static>;
    const NAME: &'static str = "wirefilter-engine";

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
        // A context borrows its texts.
        let event: &'static Event = Box::leak(Box::new(event.clone()));
        self.context(&Call::of(event))
    }

    fn first(&mut self, event: &Self::Prepared) -> u32 {
        self.decide(event)
    }

    fn first_json(&mut self, json: &str) -> u32 {
        let call: Call<'_> = serde_json::from_str(json).expect("an event");
        self.decide(&self.context(&call))
    }
}
