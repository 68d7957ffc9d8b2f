//! The matrix that decides, and figures: `/v1/matrix`, `/v1/stats`.

use std::sync::Arc;

use axum::Json as Answer;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::decisions::deciding;
use crate::server::access::Scope;
use crate::server::app::App;
use crate::server::body;
use crate::server::caller::{Caller, blocking};
use crate::server::problem::Problem;

/// The matrix that decides, and what is wrong with the one on the disk.
pub(in crate::server) async fn show(
    State(app): State<Arc<App>>,
    _: Caller,
) -> Result<Response, Problem> {
    let deciding = deciding(&app)?;
    let matrix = deciding.router.matrix();
    let lanes: Vec<&str> = matrix.lanes.iter().map(|lane| &*lane.name).collect();
    let shown = json!({
        "name": &*matrix.name,
        "digest": matrix.digest,
        "lanes": lanes,
        "trouble": app.trouble(),
        "staged": app.staged().map(|staged| json!({
            "digest": staged.matrix.digest,
            "diff": staged.diff,
        })),
    });
    Ok(Answer(shown).into_response())
}

/// Which matrix is to decide.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::server) struct Reload {
    /// The digest of the staged one that was looked at; without it whatever is on the disk.
    digest: Option<String>,
}

/// Reads the matrix and the configuration again, and lets them decide. What cannot be read changes nothing.
pub(in crate::server) async fn reload(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    caller.needs(Scope::Operate)?;
    let wanted: Reload = body::json(&headers, body, 4 * 1024).await?;
    blocking(move || {
        let matrix = app
            .reload(wanted.digest.as_deref())
            .map_err(|why| Problem::new(StatusCode::CONFLICT, "matrix", why))?;
        Ok(Answer(json!({ "digest": matrix.digest })).into_response())
    })
    .await
}

/// Figures of escalations.
pub(in crate::server) async fn stats(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.needs(Scope::Audit)?;
    blocking(move || {
        let statistics = app.statistics()?;
        Ok(Answer(statistics).into_response())
    })
    .await
}
