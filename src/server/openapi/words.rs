//! Schemas of types that write their JSON by hand.
//!
//! In: types of the domain. Out: their schemas.
//! Invariant: a schema takes whatever the type writes; `tests/server/openapi.rs` holds answers against them.

use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{OneOfBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Duration;
use crate::decision::EventRef;
use crate::escalation::Principal;

impl PartialSchema for Principal {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .description(Some(
                "The normalised name of a person, a service or an agent.",
            ));
        object.into()
    }
}

impl ToSchema for Principal {}

impl PartialSchema for Duration {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("An elapsed time, such as `1h30m`."))
            .examples(["1h30m"]);
        object.into()
    }
}

impl ToSchema for Duration {}

impl PartialSchema for EventRef {
    fn schema() -> RefOr<Schema> {
        let plain = |kind: Type| ObjectBuilder::new().schema_type(SchemaType::new(kind));
        let one = OneOfBuilder::new()
            .item(plain(Type::String))
            .item(plain(Type::Integer))
            .item(plain(Type::Null))
            .description(Some("The id of the event, or `null` where it has none."));
        one.into()
    }
}

impl ToSchema for EventRef {}
