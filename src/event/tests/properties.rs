//! Random events and random bytes.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::clock::Duration;
use crate::event::Json;
use crate::schema::{FieldId, KindId};

fn scalar() -> impl Strategy<Value = (Type, Value)> {
    let decimal = (-10i128.pow(27)..10i128.pow(27), 0u32..=28)
        .prop_map(|(m, s)| Decimal::from_i128_with_scale(m, s).normalize());
    let one = words(&["a", "b c", "ü"]);
    prop_oneof![
        any::<bool>().prop_map(|b| (Type::YesNo, Value::Bool(b))),
        any::<String>().prop_map(|s| (text(), Value::Text(s.into()))),
        any::<i64>().prop_map(|n| (Type::Whole(None), Value::Whole(n))),
        decimal
            .clone()
            .prop_map(|d| (Type::Number(None), Value::Number(d))),
        decimal.prop_map(|d| (Type::Money(usd(), None), Value::Money(d, usd()))),
        prop::sample::select(vec!["a", "b c", "ü"])
            .prop_map(move |w| (one.clone(), Value::Word(w.into()))),
        (0i64..253_402_300_799, 0u32..1_000_000_000).prop_map(|(s, n)| {
            let at = Timestamp::from_timestamp(s, n).unwrap();
            (Type::Timestamp, Value::Timestamp(at))
        }),
        any::<u64>()
            .prop_map(|ms| { (Type::Duration, Value::Duration(Duration::from_millis(ms))) }),
    ]
}

fn typed() -> impl Strategy<Value = (Type, Value)> {
    let list = vec(scalar(), 0..4).prop_map(|items| {
        let ty = items.first().map_or(text(), |(ty, _)| ty.clone());
        let same = items.into_iter().filter(|(other, _)| *other == ty);
        let values = same.map(|(_, value)| value).collect();
        (Type::List(Box::new(ty)), Value::List(values))
    });
    prop_oneof![4 => scalar(), 1 => list]
}

fn json() -> impl Strategy<Value = Json> {
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?";
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        number.prop_map(Json::Number),
        any::<String>().prop_map(Json::Text),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        let object = prop::collection::btree_map(any::<String>(), inner.clone(), 0..6);
        prop_oneof![
            vec(inner, 0..6).prop_map(Json::List),
            object.prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

const PATHS: [&str; 6] = ["a", "b.c", "b.d", "e.f.g", "long_name", "h"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn values_come_back_from_json(
        fields in vec((typed(), 0..3u8), 1..=6),
        skipped in any::<u8>(),
    ) {
        let declared = fields.iter().zip(PATHS).map(|(((ty, value), presence), path)| {
            let presence = match presence {
                0 => Presence::Required,
                1 => Presence::Optional,
                _ => Presence::Default(value.clone()),
            };
            (path, Vec::new(), ty.clone(), presence)
        });
        let schema = schema(vec![("k", None, declared.collect())]);
        let mut tree = Json::Object(vec![("kind".to_owned(), Json::Text("k".to_owned()))]);
        let mut record = BTreeMap::new();
        let mut expected = vec![Some(Value::Timestamp(noon()))];
        for (i, (((_, value), presence), path)) in fields.iter().zip(PATHS).enumerate() {
            let skip = *presence != 0 && skipped & (1 << i) != 0;
            if !skip {
                let names: Vec<_> = path.split('.').collect();
                tree.set(&names, Json::from_value(value));
                record.insert(FieldId(i as u32 + 1), value.clone());
            }
            expected.push((!skip || *presence == 2).then(|| value.clone()));
        }
        let bytes = serde_json::to_vec(&tree).unwrap();
        let event = read(&bytes, &schema, &Limits::default(), noon()).unwrap();
        prop_assert_eq!(event.slots(), &expected[..]);
        let typed = Event::from_record(&schema, KindId(0), &record, noon(), None).unwrap();
        prop_assert_eq!(typed.slots(), &expected[..]);
        prop_assert_eq!(typed.action_digest(), event.action_digest());
        // The values serialise to the same JSON as the tree says.
        for value in expected.iter().flatten() {
            let direct = serde_json::to_string(value).unwrap();
            let tree = serde_json::to_string(&Json::from_value(value)).unwrap();
            prop_assert_eq!(direct, tree);
        }
    }

    #[test]
    fn trees_come_back_and_the_canonical_text_is_a_fixed_point(tree in json()) {
        let text = serde_json::to_string(&tree).unwrap();
        let limits = Limits::default();
        prop_assert_eq!(&Json::parse(text.as_bytes(), &limits).unwrap(), &tree);
        let canonical = tree.canonical();
        let again = Json::parse(canonical.as_bytes(), &limits).unwrap();
        prop_assert_eq!(again.canonical(), canonical);
    }

    #[test]
    fn mutated_bytes_are_read_or_refused(
        at in any::<prop::sample::Index>(),
        bytes in vec(any::<u8>(), 0..4),
        cut in 0..4usize,
        twice in any::<bool>(),
    ) {
        let mut text = SEED.as_bytes().to_vec();
        let start = at.index(text.len());
        let end = (start + cut).min(text.len());
        text.splice(start..end, bytes);
        if twice {
            text.truncate(start);
        }
        sound(&text);
    }

    #[test]
    fn random_json_is_read_or_refused(tree in json(), form in 0..3u8) {
        let mut tree = tree;
        match form {
            0 => {}
            1 => tree.set(&["kind"], Json::Text("tool_call".to_owned())),
            _ => {
                let mut envelope = Json::Null;
                envelope.set(&["specversion"], Json::Text("1.0".to_owned()));
                envelope.set(&["type"], Json::Text("tool_call".to_owned()));
                envelope.set(&["data"], tree);
                tree = envelope;
            }
        }
        sound(&serde_json::to_vec(&tree).unwrap());
    }

    #[test]
    fn random_bytes_are_refused(bytes in vec(any::<u8>(), 0..200)) {
        sound(&bytes);
    }
}

const SEED: &str = r#"{"kind":"tool_call","id":"e-1","at":"2026-01-07T12:00:00Z","action":"refund","amount":{"amount":"12.50","currency":"USD"},"confidence":0.5,"customerId":"c\u00e9","tenant":{"source":"a"},"retries":3,"urgent":true,"due":"2026-01-07T12:00:00Z","wait":"1h30m","tags":["a","b"],"evidence":{"links":[1e3,null]}}"#;

/// Whatever the bytes: no panic, and an unreadable event says why in at least one problem.
fn sound(bytes: &[u8]) {
    let result = read(bytes, &sample(), &Limits::default(), noon());
    match result {
        Ok(event) => {
            assert_eq!(event.action_digest().len(), 64);
            assert!(event.problems().iter().all(|p| !p.code.makes_unreadable()));
            let schema = sample();
            let kind = schema.kind(event.kind).unwrap();
            for (slot, field) in event.slots().iter().zip(&kind.fields) {
                assert!(slot.is_some() || field.is_optional());
            }
        }
        Err(unreadable) => {
            assert_eq!(unreadable.action_digest().len(), 64);
            assert!(
                unreadable
                    .problems
                    .iter()
                    .any(|p| p.code.makes_unreadable())
            );
        }
    }
}
