//! What routes answer when they do not do what is asked, by what they take.
//!
//! In: nothing. Out: responses, each a problem of RFC 9457.
//! Invariant: the statuses here are those of [`Problem`], and no others.

use std::collections::BTreeMap;

use utoipa::openapi::response::Response;
use utoipa::openapi::{Content, Ref, RefOr};
use utoipa::{IntoResponses, ToSchema};

use crate::server::problem::Problem;

type Responses = BTreeMap<String, RefOr<Response>>;

fn problems(all: &[(u16, &str)]) -> Responses {
    let all = all.iter().map(|(status, when)| {
        let schema = Ref::from_schema_name(Problem::name());
        let response = Response::builder()
            .description(*when)
            .content("application/problem+json", Content::new(Some(schema)))
            .build();
        (status.to_string(), RefOr::T(response))
    });
    all.collect()
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: [$(($status:literal, $when:literal)),* $(,)?];)*) => {
        $(
            $(#[$doc])*
            pub(in crate::server) struct $name;

            impl IntoResponses for $name {
                fn responses() -> Responses {
                    problems(&[$(($status, $when)),*])
                }
            }
        )*
    };
}

refusals! {
    /// Of a route for those whom the service knows.
    Known: [
        (401, "Nobody known asks."),
        (500, "Something that was stored cannot be used any more."),
        (503, "Something that the service needs does not work now."),
    ];
    /// Of one that is not for all of them.
    Allowed: [(403, "Who asks may not.")];
    /// Of one that takes a body.
    Sent: [
        (400, "What was sent cannot be used."),
        (408, "The body took too long to come."),
        (413, "The body is too long."),
        (415, "The body is said to be no JSON."),
        (422, "The body is JSON, and not what this takes."),
    ];
    /// Of one that takes a query.
    Queried: [(400, "The query says what it cannot.")];
    /// Of one that is about one thing.
    Named: [(404, "It is not there, or not to be seen by who asks.")];
    /// Of one that gives a command.
    Commanded: [
        (409, "As things stand it cannot be."),
        (410, "What was stored with it was erased."),
    ];
}
