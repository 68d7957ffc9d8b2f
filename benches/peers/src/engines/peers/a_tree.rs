//! a-tree: an index of boolean expressions over typed attributes.
//!
//! It has no prefixes, no substrings and no comparison of two fields. Its users put what they have
//! found out themselves into attributes: the phrases that the message says, the prefixes that agent
//! and resource start with, whether the tenants differ. On typed events that is done before the
//! timing. It gives every lane that fires, in no order.

use a_tree::{ATree, AttributeDefinition, Event as Seen};
use memchr::memmem::Finder;

use super::{Peer, infix, quoted, words};
use crate::hand::{Call, NONE};
use crate::workload::{Event, Lane, NUMBERS, Number, TEXTS, Test, Text, WORDS};

pub struct Tree {
    tree: ATree<u32>,
    /// What is looked for, and in what.
    prefixes: Vec<(Text, String)>,
    phrases: Vec<(String, Finder<'static>)>,
}

/// Attributes are plain names.
fn name(path: &str) -> String {
    path.replace('.', "_")
}

impl Tree {
    fn event(&self, call: &Call<'_>) -> Seen {
        let mut event = self.tree.make_event();
        let texts = [
            ("agent", call.agent),
            ("tool", call.tool),
            ("workflow", call.workflow),
            ("tenant_source", call.tenant.source),
            ("tenant_target", call.tenant.target),
            (
                "role",
                crate::workload::Word::Role.words()[call.role as usize],
            ),
            (
                "sentiment",
                crate::workload::Word::Sentiment.words()[call.sentiment as usize],
            ),
            (
                "region",
                crate::workload::Word::Region.words()[call.region as usize],
            ),
        ];
        for (name, text) in texts {
            event.with_string(name, text).expect("an attribute");
        }
        let numbers = [call.amount, call.confidence, call.attempts, call.tokens];
        for (field, number) in NUMBERS.iter().zip(numbers) {
            let unit = 10f64.powi(field.places() as i32);
            let whole = (number * unit).round() as i64;
            event
                .with_integer(field.path(), whole)
                .expect("an attribute");
        }
        let other = call.tenant.source != call.tenant.target;
        event
            .with_boolean("other_tenant", other)
            .expect("an attribute");
        let starts = |(field, prefix): &&(Text, String)| match field {
            Text::Agent => call.agent.starts_with(prefix.as_str()),
            _ => call.resource.starts_with(prefix.as_str()),
        };
        let starts = self.prefixes.iter().filter(starts);
        let starts: Vec<&str> = starts.map(|(_, prefix)| prefix.as_str()).collect();
        event
            .with_string_list("starts", &starts)
            .expect("an attribute");
        let message = call.message.as_bytes();
        let says = self
            .phrases
            .iter()
            .filter(|(_, finder)| finder.find(message).is_some());
        let says: Vec<&str> = says.map(|(phrase, _)| phrase.as_str()).collect();
        event.with_string_list("says", &says).expect("an attribute");
        event.build().expect("all attributes are there")
    }
}

fn test(test: &Test) -> String {
    let whole =
        |field: &Number, bound: &i64, sign: &str| format!("{} {sign} {bound}", field.path());
    match test {
        Test::Is(field, text) => format!("{} = \"{text}\"", name(field.path())),
        Test::In(field, texts) => {
            let texts = quoted(texts.iter().map(String::as_str), ", ");
            format!("{} in [{texts}]", name(field.path()))
        }
        Test::StartsWith(_, text) => format!("starts one of [\"{text}\"]"),
        Test::Contains(_, text) => format!("says one of [\"{text}\"]"),
        Test::WordIs(field, word) => {
            let word = quoted(words(*field, &[*word]), "");
            format!("{} = {word}", field.path())
        }
        Test::WordIn(field, several) => {
            let several = quoted(words(*field, several), ", ");
            format!("{} in [{several}]", field.path())
        }
        Test::Above(field, bound) => whole(field, bound, ">"),
        Test::Below(field, bound) => whole(field, bound, "<"),
        Test::OtherTenant => "other_tenant".to_owned(),
    }
}

impl Peer for Tree {
    type Prepared = Seen;
    const NAME: &'static str = "a-tree";

    fn new(lanes: &[Lane]) -> Self {
        let texts = TEXTS
            .iter()
            .map(|field| AttributeDefinition::string(&name(field.path())));
        let words = WORDS
            .iter()
            .map(|field| AttributeDefinition::string(field.path()));
        let numbers = NUMBERS
            .iter()
            .map(|field| AttributeDefinition::integer(field.path()));
        let mut attributes: Vec<_> = texts.chain(words).chain(numbers).collect();
        attributes.push(AttributeDefinition::boolean("other_tenant"));
        attributes.push(AttributeDefinition::string_list("starts"));
        attributes.push(AttributeDefinition::string_list("says"));
        let mut tree = ATree::new(&attributes).expect("the attributes are distinct");
        let mut prefixes = Vec::new();
        let mut phrases: Vec<(String, Finder<'static>)> = Vec::new();
        for (number, lane) in (0..).zip(lanes) {
            let text = infix(&lane.when, " and ", " or ", &test);
            tree.insert(&number, &text).expect("the expression is one");
            for test in lane.when.tests() {
                match test {
                    Test::StartsWith(field, text) => {
                        let pair = (*field, text.clone());
                        if !prefixes.contains(&pair) {
                            prefixes.push(pair);
                        }
                    }
                    Test::Contains(_, text) if !phrases.iter().any(|(known, _)| known == text) => {
                        phrases.push((text.clone(), Finder::new(text).into_owned()));
                    }
                    _ => {}
                }
            }
        }
        Self {
            tree,
            prefixes,
            phrases,
        }
    }

    fn prepare(&self, event: &Event, _: &str) -> Seen {
        self.event(&Call::of(event))
    }

    fn first(&mut self, event: &Seen) -> u32 {
        let report = self.tree.search(event).expect("the event is of this tree");
        report
            .matches()
            .iter()
            .map(|lane| **lane)
            .min()
            .unwrap_or(NONE)
    }

    fn first_json(&mut self, json: &str) -> u32 {
        let call: Call<'_> = serde_json::from_str(json).expect("an event");
        let event = self.event(&call);
        self.first(&event)
    }
}
