//! The description of the API: `/openapi.json`.
//!
//! In: the types that the routes read and write, and what stands at each route. Out: a document of OpenAPI
//! 3.1.
//! Invariant: every route but those of the pages is in it, with each status that it can answer.
//! Knows no values: nothing in it differs from one service to another.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, Required};
use utoipa::{Modify, OpenApi};

use super::api::{commands, decisions, escalations, guard, health, lists, matrix};
use super::problem::Problem;

mod refusals;
mod words;

pub(super) use refusals::{Allowed, Commanded, Known, Named, Queried, Sent};

/// What is said of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Laneway",
        description = "Decisions by an escalation matrix, and what becomes of what people are asked. \
                       Whatever fails is answered by `block`: no failure is leave to go on.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        decisions::one,
        decisions::batch,
        lists::list,
        escalations::one,
        escalations::history,
        commands::act,
        escalations::events,
        guard::evaluate,
        guard::status,
        matrix::show,
        matrix::reload,
        matrix::stats,
        health::metrics,
        health::health,
        health::ready,
        show,
    ),
    components(schemas(Problem)),
    security(("token" = []), ("session" = [])),
    modifiers(&Callers, &Bodies),
    tags(
        (name = "decisions", description = "May this run?"),
        (name = "escalations", description = "What waits for people, and what became of it."),
        (name = "guard", description = "The simple guard protocol of tool calls."),
        (name = "matrix", description = "What decides."),
        (name = "operations", description = "How the service is."),
    )
)]
struct Api;

/// How it is known who calls.
struct Callers;

impl Modify for Callers {
    fn modify(&self, document: &mut Document) {
        let token = Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token, made by `laneway access token`."))
            .build();
        let session = ApiKeyValue::with_description(
            "laneway",
            "The session of a person who signed in; behind TLS the cookie is `__Host-laneway`. What changes \
             something is to come from a page of this service.",
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let session = SecurityScheme::ApiKey(ApiKey::Cookie(session));
        components.add_security_scheme("session", session);
    }
}

/// What nothing need be said with.
struct Bodies;

impl Modify for Bodies {
    fn modify(&self, document: &mut Document) {
        for item in document.paths.paths.values_mut() {
            let Some(operation) = &mut item.post else {
                continue;
            };
            let id = operation.operation_id.as_deref();
            if matches!(id, Some("command_escalation" | "reload_matrix"))
                && let Some(body) = &mut operation.request_body
            {
                body.required = Some(Required::False);
            }
        }
    }
}

/// The document as text, which is the same for every request.
pub(super) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| Api::openapi().to_pretty_json().unwrap_or_default())
}

/// The description of this API.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "describe",
    tag = "operations",
    security(()),
    responses((status = 200, description = "This document.", content_type = "application/json", body = Object))
)]
pub(super) async fn show() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::server::routes;

    /// What the document has: methods and paths.
    fn documented() -> BTreeSet<(String, String)> {
        let document: serde_json::Value = serde_json::from_str(text()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let all = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        });
        all.collect()
    }

    #[test]
    fn every_route_of_the_api_is_described_and_nothing_else() {
        let routes: BTreeSet<_> = routes::api()
            .into_iter()
            .map(|route| (route.method.to_string(), route.path.to_owned()))
            .collect();
        assert!(routes.len() >= 16, "{routes:?}");
        assert_eq!(documented(), routes);
    }

    #[test]
    fn what_is_open_says_so_and_everything_else_can_answer_401() {
        let document: serde_json::Value = serde_json::from_str(text()).unwrap();
        for route in routes::api() {
            let method = route.method.as_str().to_lowercase();
            let its = &document["paths"][route.path][method];
            let is_open = its["security"] == serde_json::json!([{}]);
            assert_eq!(is_open, !route.is_known, "{}", route.path);
            let has_401 = its["responses"].get("401").is_some();
            assert_eq!(has_401, route.is_known, "{}", route.path);
        }
    }

    #[test]
    fn every_refusal_is_a_problem() {
        let document: serde_json::Value = serde_json::from_str(text()).unwrap();
        let mut seen = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            if path.starts_with("/v1/guard") || path == "/readyz" {
                // They have a form of their own.
                continue;
            }
            for operation in item.as_object().unwrap().values() {
                for (status, response) in operation["responses"].as_object().unwrap() {
                    if status.starts_with('2') {
                        continue;
                    }
                    let schema = &response["content"]["application/problem+json"]["schema"];
                    assert_eq!(
                        schema["$ref"], "#/components/schemas/Problem",
                        "{path} {status}"
                    );
                    seen += 1;
                }
            }
        }
        assert!(seen > 50, "{seen}");
    }
}
