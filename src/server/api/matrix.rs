//! The matrix that decides, and figures: `/v1/matrix`, `/v1/stats`.

use std::sync::Arc;

use axum::Json as Answer;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::decisions::deciding;
use crate::server::access::Scope;
use crate::server::app::App;
use crate::server::body;
use crate::server::caller::{Caller, blocking};
use crate::server::openapi::{Allowed, Commanded, Known, Sent};
use crate::server::problem::Problem;

/// The matrix that decides.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Matrix)]
pub(in crate::server) struct Shown {
    /// Its title.
    name: String,
    /// The SHA-256 of its source, in hex.
    digest: String,
    /// Its lanes, in their order.
    lanes: Vec<String>,
    /// What is wrong with the one on the disk.
    trouble: Option<String>,
    /// The one on the disk, where it is another one.
    staged: Option<StagedData>,
}

/// A matrix that does not decide yet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = StagedMatrix)]
pub(in crate::server) struct StagedData {
    /// The SHA-256 of its source, in hex.
    digest: String,
    /// The difference of the texts, in the form of `diff -u`.
    diff: String,
}

/// The matrix that decides, and what is wrong with the one on the disk.
#[utoipa::path(
    get,
    path = "/v1/matrix",
    operation_id = "show_matrix",
    tag = "matrix",
    responses((status = 200, description = "The matrix.", body = Shown), Known)
)]
pub(in crate::server) async fn show(
    State(app): State<Arc<App>>,
    _: Caller,
) -> Result<Response, Problem> {
    let deciding = deciding(&app)?;
    let matrix = deciding.router.matrix();
    let lanes = matrix.lanes.iter().map(|lane| lane.name.to_string());
    let shown = Shown {
        name: matrix.name.clone(),
        digest: matrix.digest.clone(),
        lanes: lanes.collect(),
        trouble: app.trouble(),
        staged: app.staged().map(|staged| StagedData {
            digest: staged.matrix.digest.clone(),
            diff: staged.diff.clone(),
        }),
    };
    Ok(Answer(shown).into_response())
}

/// Which matrix is to decide.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::server) struct Reload {
    /// The digest of the staged one that was looked at; without it whatever is on the disk.
    digest: Option<String>,
}

/// The matrix that decides from now on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::server) struct Reloaded {
    /// The SHA-256 of its source, in hex.
    digest: String,
}

/// Reads the matrix and the configuration again, and lets them decide.
///
/// What cannot be read changes nothing. For operators.
#[utoipa::path(
    post,
    path = "/v1/matrix/reload",
    operation_id = "reload_matrix",
    tag = "matrix",
    request_body = Reload,
    responses(
        (status = 200, description = "It decides now.", body = Reloaded),
        Known, Allowed, Sent, Commanded,
    )
)]
pub(in crate::server) async fn reload(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    caller.needs(Scope::Operate)?;
    let wanted: Reload = body::json(&app, &headers, body, 4 * 1024).await?;
    blocking(move || {
        let matrix = app
            .reload(wanted.digest.as_deref())
            .map_err(|why| Problem::new(StatusCode::CONFLICT, "matrix", why))?;
        let digest = matrix.digest.clone();
        Ok(Answer(Reloaded { digest }).into_response())
    })
    .await
}

/// Figures of escalations of the last 30 days.
#[utoipa::path(
    get,
    path = "/v1/stats",
    operation_id = "statistics",
    tag = "matrix",
    responses(
        (status = 200, description = "The figures.", body = crate::desk::Statistics),
        Known, Allowed,
    )
)]
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
