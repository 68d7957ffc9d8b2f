//! The JSON Schema (draft 2020-12) of an event kind, for producers that want to check what they send.
//!
//! In: a kind. Out: a JSON Schema of its flat form.
//! Invariant: every event that the engine reads is valid under it. The converse holds but for what
//! JSON Schema cannot say: an event's size and depth, exact decimals beyond a double in a bound,
//! the bytes of an id, and the order of a duration's units.
//! Knows no events.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Number, Value as Json, json};

use crate::limits::EVENT_ID_BYTES;
use crate::schema::{Field, FieldId, Kind, Presence, Schema};
use crate::value::{Currency, Range, Type};

/// A number's text as JSON has it.
const DECIMAL: &str = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$";

/// Numbers with units, in falling order.
const DURATION: &str = "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

/// The JSON Schema of a kind's flat events. A member that may be absent may also be `null`.
#[must_use]
pub fn json_schema(schema: &Schema, kind: &Kind) -> Json {
    let names = [Some(&kind.name), kind.source.as_ref()];
    let names: Vec<&str> = names
        .into_iter()
        .flatten()
        .map(|name| &**name)
        .filter(|name| schema.kind_named(name).is_some_and(|k| k.id == kind.id))
        .collect();
    let mut root = object(true);
    insert(
        &mut root,
        "$schema",
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    insert(&mut root, "title", json!(&*kind.name));
    let reserved = [
        ("kind", json!({ "enum": names }), true),
        (
            "id",
            json!({ "type": "string", "minLength": 1, "maxLength": EVENT_ID_BYTES }),
            false,
        ),
        (
            "at",
            json!({ "type": "string", "format": "date-time" }),
            false,
        ),
        ("evidence", json!({ "type": "object" }), false),
    ];
    for (name, part, required) in reserved {
        place(&mut root, &[name], part, required);
    }
    for field in kind.fields.iter().filter(|f| f.id != FieldId::AT) {
        let required = matches!(field.presence, Presence::Required);
        place(&mut root, &field.json, of_field(field), required);
    }
    root
}

/// The schema of an object that is required, or may be `null`.
fn object(required: bool) -> Json {
    let ty = match required {
        true => json!("object"),
        false => json!(["object", "null"]),
    };
    json!({ "type": ty, "properties": {}, "required": [], "additionalProperties": true })
}

fn insert(object: &mut Json, name: &str, part: Json) {
    if let Json::Object(map) = object {
        map.insert(name.to_owned(), part);
    }
}

/// Puts a member's schema at its path, making objects on the way: required ones where what is in
/// them is.
fn place(object: &mut Json, path: &[impl AsRef<str>], part: Json, required: bool) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    let name = first.as_ref();
    if required
        && let Some(Json::Array(list)) = object.get_mut("required")
        && !list.iter().any(|member| member == name)
    {
        list.push(json!(name));
    }
    let Some(Json::Object(properties)) = object.get_mut("properties") else {
        return;
    };
    if rest.is_empty() {
        let part = if required { part } else { or_null(part) };
        properties.insert(name.to_owned(), part);
        return;
    }
    let inner = properties
        .entry(name)
        .or_insert_with(|| self::object(required));
    if required {
        insert(inner, "type", json!("object"));
    }
    place(inner, rest, part, required);
}

/// The same, or `null`.
fn or_null(part: Json) -> Json {
    let Json::Object(mut map) = part else {
        return part;
    };
    if let Some(Json::String(ty)) = map.get("type") {
        let either = json!([ty, "null"]);
        map.insert("type".to_owned(), either);
    }
    if let Some(Json::Array(words)) = map.get_mut("enum") {
        words.push(Json::Null);
    }
    if let Some(Json::Array(forms)) = map.get_mut("anyOf") {
        forms.push(json!({ "type": "null" }));
    }
    Json::Object(map)
}

fn of_field(field: &Field) -> Json {
    let mut part = of_type(&field.ty);
    insert(&mut part, "description", json!(describe(field)));
    if let Presence::Default(value) = &field.presence
        && let Ok(value) = serde_json::to_value(value)
    {
        insert(&mut part, "default", value);
    }
    part
}

/// The field as the matrix declares it.
fn describe(field: &Field) -> String {
    match &field.presence {
        Presence::Required => format!("{}: {}", field.path, field.ty),
        Presence::Optional => format!("{}: {} optional", field.path, field.ty),
        Presence::Default(value) => format!("{}: {} default {value}", field.path, field.ty),
    }
}

fn of_type(ty: &Type) -> Json {
    match ty {
        Type::YesNo => json!({ "type": "boolean" }),
        Type::Text { .. } => json!({ "type": "string" }),
        Type::Whole(range) => {
            let (low, high) = range.map_or((i64::MIN, i64::MAX), |r| (r.low, r.high));
            json!({ "type": "integer", "minimum": low, "maximum": high })
        }
        Type::Number(range) => number(*range),
        Type::Money(currency, range) => money(*currency, *range),
        Type::OneOf(words) => {
            let words: Vec<&str> = words.iter().map(|word| &**word).collect();
            json!({ "enum": words })
        }
        Type::Timestamp => json!({ "type": "string", "format": "date-time" }),
        Type::Duration => json!({ "type": "string", "pattern": DURATION, "minLength": 2 }),
        Type::List(item) => json!({ "type": "array", "items": of_type(item) }),
    }
}

fn number(range: Option<Range<Decimal>>) -> Json {
    let mut part = Map::new();
    part.insert("type".to_owned(), json!("number"));
    if let Some(range) = range {
        for (name, bound) in [("minimum", range.low), ("maximum", range.high)] {
            if let Some(bound) = literal(bound) {
                part.insert(name.to_owned(), Json::Number(bound));
            }
        }
    }
    Json::Object(part)
}

/// A bound as a JSON number; exact where it is whole and fits 64 bits.
fn literal(bound: Decimal) -> Option<Number> {
    match bound.is_integer().then(|| bound.to_i64()).flatten() {
        Some(whole) => Some(Number::from(whole)),
        None => Number::from_f64(bound.to_string().parse().ok()?),
    }
}

fn money(currency: Currency, range: Option<Range<Decimal>>) -> Json {
    let plain = number(range);
    let text = json!({ "type": "string", "pattern": DECIMAL });
    json!({ "anyOf": [
        plain.clone(),
        {
            "type": "object",
            "properties": {
                "amount": { "anyOf": [plain, text] },
                "currency": { "const": currency.as_str() },
            },
            "required": ["amount", "currency"],
        },
    ] })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::schema::KindId;
    use crate::span::Span;
    use crate::value::{Value, parse_decimal};

    fn field(schema: &mut Schema, path: &str, ty: Type, presence: Presence) -> Field {
        Field {
            id: schema.intern(path),
            path: Arc::from(path),
            json: path.split('.').map(Arc::from).collect(),
            ty,
            presence,
            span: Span::default(),
        }
    }

    fn exported() -> Json {
        let mut schema = Schema::default();
        let text = || Type::Text {
            ignoring_case: false,
        };
        let usd = Currency::parse("USD").unwrap();
        let range = Range {
            low: Decimal::ZERO,
            high: parse_decimal("0.5").unwrap(),
        };
        let words = Type::OneOf(Arc::from([Arc::from("a"), Arc::from("b")]));
        let low = Presence::Default(Value::Number(parse_decimal("0.25").unwrap()));
        let fields = vec![
            field(&mut schema, "tenant.source", text(), Presence::Required),
            field(&mut schema, "tenant.note", text(), Presence::Optional),
            field(&mut schema, "from.where", text(), Presence::Optional),
            field(&mut schema, "score", Type::Number(Some(range)), low),
            field(
                &mut schema,
                "amount",
                Type::Money(usd, Some(range)),
                Presence::Optional,
            ),
            field(&mut schema, "mood", words, Presence::Optional),
            field(&mut schema, "n", Type::Whole(None), Presence::Required),
            field(&mut schema, "due", Type::Timestamp, Presence::Required),
            field(&mut schema, "wait", Type::Duration, Presence::Required),
            field(
                &mut schema,
                "tags",
                Type::List(Box::new(text())),
                Presence::Optional,
            ),
            field(&mut schema, "sure", Type::YesNo, Presence::Optional),
        ];
        let source = Some(Arc::from("com.acme.k"));
        let kind = Kind::new(KindId(0), Arc::from("k"), source, fields, Span::default());
        schema.add(kind.clone());
        json_schema(&schema, &kind)
    }

    #[test]
    fn a_kind_is_an_object_with_its_reserved_members() {
        let found = exported();
        assert_eq!(
            found["properties"]["kind"],
            json!({ "enum": ["k", "com.acme.k"] })
        );
        assert_eq!(found["properties"]["id"]["type"], json!(["string", "null"]));
        assert_eq!(found["additionalProperties"], json!(true));
        assert_eq!(
            found["required"],
            json!(["kind", "tenant", "n", "due", "wait"])
        );
    }

    #[test]
    fn fields_lie_at_their_places_with_their_bounds() {
        let found = exported();
        let part = |pointer: &str| found.pointer(pointer).cloned().unwrap_or(Json::Null);
        assert_eq!(part("/properties/tenant/type"), json!("object"));
        assert_eq!(part("/properties/tenant/required"), json!(["source"]));
        assert_eq!(part("/properties/from/type"), json!(["object", "null"]));
        assert_eq!(part("/properties/score/maximum"), json!(0.5));
        assert_eq!(part("/properties/score/minimum"), json!(0));
        assert_eq!(part("/properties/score/default"), json!(0.25));
        assert_eq!(
            part("/properties/score/description"),
            json!("score: number 0 to 0.5 default 0.25")
        );
        let amount = "/properties/amount/anyOf";
        assert_eq!(part(&format!("{amount}/0/maximum")), json!(0.5));
        assert_eq!(
            part(&format!("{amount}/1/properties/currency")),
            json!({ "const": "USD" })
        );
        assert_eq!(part(&format!("{amount}/2")), json!({ "type": "null" }));
        assert_eq!(part("/properties/mood/enum"), json!(["a", "b", null]));
        assert_eq!(part("/properties/n/maximum"), json!(i64::MAX));
        assert_eq!(part("/properties/due/format"), json!("date-time"));
        assert_eq!(part("/properties/tags/items"), json!({ "type": "string" }));
        assert_eq!(part("/properties/sure/type"), json!(["boolean", "null"]));
    }
}
