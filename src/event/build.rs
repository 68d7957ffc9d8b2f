//! Events from typed code.
//!
//! In: a kind's name and values by path. Out: an [`Event`], or an [`Unreadable`] with every problem.
//! Invariant: a typed event and the JSON event with equal members are equal in every way, the
//! action digest included. It holds because the values become the JSON that such an event would
//! have (`kind` is the kind's name as it was given, fields lie nested at their places), and that
//! JSON is read by the one reader.
//! Must not know a second way to check a value.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::clock::{Duration, Timestamp, format_timestamp};
use crate::event::read::read_tree;
use crate::event::{Event, Json, Unreadable};
use crate::limits::Limits;
use crate::schema::{Field, FieldId, Kind, KindId, Schema};
use crate::value::{Currency, Type, Value};

/// A value for [`EventBuilder::set`].
#[derive(Debug, Clone, PartialEq)]
pub struct Given(Inner);

#[derive(Debug, Clone, PartialEq)]
enum Inner {
    /// What JSON can say by itself.
    Plain(Json),
    /// A value, whose currency its field has to confirm.
    Typed(Value),
    List(Vec<Given>),
}

impl Given {
    /// The JSON of the value in a field of a type.
    fn json(self, ty: Option<&Type>) -> Json {
        match self.0 {
            Inner::Plain(json) => json,
            Inner::Typed(value) => typed(&value, ty),
            Inner::List(items) => {
                let item = item_type(ty);
                Json::List(items.into_iter().map(|given| given.json(item)).collect())
            }
        }
    }
}

fn item_type(ty: Option<&Type>) -> Option<&Type> {
    match ty {
        Some(Type::List(item)) => Some(item),
        _ => None,
    }
}

/// Money in a field of its currency is a plain number; elsewhere it says its currency, so that the
/// reader sees the mistake.
fn typed(value: &Value, ty: Option<&Type>) -> Json {
    match value {
        Value::Money(amount, currency) if !is_money(ty, *currency) => Json::Object(vec![
            ("amount".to_owned(), Json::Number(amount.to_string())),
            ("currency".to_owned(), Json::Text(currency.to_string())),
        ]),
        Value::List(items) => {
            let item = item_type(ty);
            Json::List(items.iter().map(|value| typed(value, item)).collect())
        }
        value => Json::from_value(value),
    }
}

fn is_money(ty: Option<&Type>, currency: Currency) -> bool {
    matches!(ty, Some(Type::Money(declared, _)) if *declared == currency)
}

macro_rules! given {
    ($($from:ty: $value:ident => $json:expr),* $(,)?) => {$(
        impl From<$from> for Given {
            fn from($value: $from) -> Self {
                Self(Inner::Plain($json))
            }
        }
    )*};
}

given! {
    &str: text => Json::Text(text.to_owned()),
    String: text => Json::Text(text),
    Arc<str>: text => Json::Text(text.to_string()),
    bool: yes => Json::Bool(yes),
    i32: number => Json::Number(number.to_string()),
    u32: number => Json::Number(number.to_string()),
    i64: number => Json::Number(number.to_string()),
    u64: number => Json::Number(number.to_string()),
    Decimal: number => Json::Number(number.to_string()),
    Timestamp: at => Json::Text(format_timestamp(at)),
    Duration: span => Json::Text(span.to_string()),
    Json: json => json,
}

impl From<Value> for Given {
    fn from(value: Value) -> Self {
        Self(Inner::Typed(value))
    }
}

impl<T: Into<Self>> From<Vec<T>> for Given {
    fn from(items: Vec<T>) -> Self {
        Self(Inner::List(items.into_iter().map(Into::into).collect()))
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for Given {
    fn from(items: [T; N]) -> Self {
        Self(Inner::List(items.into_iter().map(Into::into).collect()))
    }
}

impl<T: Into<Self>> From<Option<T>> for Given {
    /// Nothing is `null`, which means missing.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self(Inner::Plain(Json::Null)), Into::into)
    }
}

/// Makes an event from typed values.
#[derive(Debug, Clone)]
pub struct EventBuilder<'s> {
    schema: &'s Schema,
    kind: Option<&'s Kind>,
    tree: Json,
    limits: Limits,
}

impl<'s> EventBuilder<'s> {
    /// An event of a kind, by its name in the language or its source name.
    #[must_use]
    pub fn new(schema: &'s Schema, kind: &str) -> Self {
        Self {
            schema,
            kind: schema.kind_named(kind),
            tree: Json::Object(vec![("kind".to_owned(), Json::Text(kind.to_owned()))]),
            limits: Limits::default(),
        }
    }

    /// Bounds other than the default ones.
    #[must_use]
    pub fn limits(mut self, limits: &Limits) -> Self {
        self.limits = limits.clone();
        self
    }

    /// Its id.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.tree.set(&["id"], Json::Text(id.into()));
        self
    }

    /// Its instant; without it, that of receipt.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.tree.set(&["at"], Json::Text(format_timestamp(at)));
        self
    }

    /// A field by its path in the language. A text given for a `one of` field is a word, a number
    /// given for money is in the field's currency. A path that is not declared becomes a member as
    /// it would in JSON: it counts in the action digest, and no test sees it. `kind` stays what the
    /// builder was made with.
    #[must_use]
    pub fn set(mut self, path: &str, value: impl Into<Given>) -> Self {
        let field = self.kind.and_then(|kind| field_at(kind, path));
        let json = value.into().json(field.map(|field| &field.ty));
        match field {
            Some(field) => self.tree.set(&field.json, json),
            None => {
                let names: Vec<&str> = path.split('.').collect();
                if names.first() != Some(&"kind") {
                    self.tree.set(&names, json);
                }
            }
        }
        self
    }

    /// The evidence that comes with it; an object.
    #[must_use]
    pub fn evidence(mut self, evidence: Json) -> Self {
        self.tree.set(&["evidence"], evidence);
        self
    }

    /// The event.
    ///
    /// # Errors
    /// Whatever makes the equal JSON event unreadable.
    pub fn build(self, received: Timestamp) -> Result<Event, Box<Unreadable>> {
        read_tree(self.tree, self.schema, &self.limits, received)
    }
}

fn field_at<'k>(kind: &'k Kind, path: &str) -> Option<&'k Field> {
    kind.fields.iter().find(|field| &*field.path == path)
}

impl Event {
    /// An event of values by field, as samples and examples have them. Its `kind` member is the
    /// kind's name in the language.
    ///
    /// # Errors
    /// When a required field is absent or a value is not one of its field.
    pub fn from_record(
        schema: &Schema,
        kind: KindId,
        values: &BTreeMap<FieldId, Value>,
        at: Timestamp,
        id: Option<&str>,
    ) -> Result<Self, Box<Unreadable>> {
        let declared = schema.kind(kind);
        let mut builder = EventBuilder::new(schema, declared.map_or("", |kind| &kind.name)).at(at);
        if let Some(id) = id {
            builder = builder.id(id);
        }
        let given = |id: &FieldId| declared.and_then(|kind| kind.field(*id));
        for (id, value) in values {
            if let Some(field) = given(id).filter(|field| field.id != FieldId::AT) {
                let json = typed(value, Some(&field.ty));
                builder.tree.set(&field.json, json);
            }
        }
        builder.build(at)
    }
}
